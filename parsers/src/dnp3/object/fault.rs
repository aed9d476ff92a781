//! What can be wrong with objects: one word each while decoding, the texts only when somebody reports.

use core::fmt;

use super::header::ObjectHeader;
use crate::contract::DefectKind;

/// A fault of an object header or an object.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub(in crate::dnp3) enum Fault {
    CutHeader,
    StartAfterStop,
    ReservedRange,
    ReservedPrefix,
    ReservedBit,
    NoObjects,
    Overrun,
    NoSize,
    WrongSize,
    Unknown,
    Misplaced,
    OperationType,
    TripClose,
    NotFinite,
    RelativeTime,
    ImpossibleTime,
}

/// A fault and where it begins in the fragment's body.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub(in crate::dnp3) struct Trouble {
    pub fault: Fault,
    pub offset: usize,
}

/// How a fault is reported: kind, the fact sheet's check, what was expected, what was there.
pub(in crate::dnp3) struct Words {
    pub kind: DefectKind,
    pub check: &'static str,
    pub expected: &'static str,
    pub observed: &'static str,
}

impl Fault {
    /// The words for it.
    #[rustfmt::skip]
    pub(in crate::dnp3) fn words(self) -> Words {
        use DefectKind::{FieldRange, Malformed, Peculiar, ReservedBits, UnknownObject};
        let (kind, check, expected, observed) = match self {
            Fault::CutHeader => (Malformed, "DN-C13", "a whole object header", "the fragment ends inside it"),
            Fault::StartAfterStop => (Malformed, "DN-C13", "start <= stop", "start > stop"),
            Fault::ReservedRange => (FieldRange, "DN-C12", "range specifier 0 to 9 or B", "a reserved range specifier"),
            Fault::ReservedPrefix => (FieldRange, "DN-C12", "prefix code 0 to 6", "reserved prefix code 7"),
            Fault::ReservedBit => (ReservedBits, "DN-C12", "qualifier bit 7 clear", "qualifier bit 7 set"),
            Fault::NoObjects => (FieldRange, "DN-C13", "a count of at least 1", "count 0"),
            Fault::Overrun => (Malformed, "DN-C13", "objects within the fragment", "objects that overrun it"),
            Fault::NoSize => (Malformed, "DN-C13", "a size prefix", "an object of variable size without one"),
            Fault::WrongSize => (Malformed, "DN-C13", "the object's own size before it", "another size"),
            Fault::Unknown => (UnknownObject, "DN-C11", "a defined object", "an undefined group or variation"),
            Fault::Misplaced => (FieldRange, "DN-C11", "an object that belongs to the function", "another one"),
            Fault::OperationType => (FieldRange, "DN-C14", "operation type 0 to 4", "an undefined one"),
            Fault::TripClose => (FieldRange, "DN-C14", "trip/close code 0 to 2", "the reserved code 3"),
            Fault::NotFinite => (FieldRange, "DN-C14", "a finite set-point", "NaN or infinity"),
            Fault::RelativeTime => (Peculiar, "DN-C18", "a common time of occurrence before it", "a relative time alone"),
            Fault::ImpossibleTime => (FieldRange, "DN-C19", "a time from 2000 on and at most a day ahead", "a time outside"),
        };
        Words { kind, check, expected, observed }
    }
}

/// What was there, with the object it was about.
pub(in crate::dnp3) struct Observed<'a> {
    pub fault: Fault,
    /// `None` if the header itself is cut.
    pub header: Option<&'a ObjectHeader<'a>>,
}

impl fmt::Display for Observed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let observed = self.fault.words().observed;
        let Some(header) = self.header else { return f.write_str(observed) };
        let (group, variation, qualifier) = (header.group, header.variation, header.qualifier);
        match self.fault {
            Fault::Unknown | Fault::Misplaced => {}
            Fault::ReservedRange | Fault::ReservedPrefix | Fault::ReservedBit => {
                write!(f, "{observed} (qualifier {qualifier:#04x}) in ")?;
            }
            _ => write!(f, "{observed} in ")?,
        }
        write!(f, "group {group} variation {variation}")
    }
}
