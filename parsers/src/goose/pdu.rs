//! The elements of a goosePdu (IEC 61850-8-1 annex A).
//!
//! ```text
//! 61 goosePdu { 80 gocbRef | 81 timeAllowedtoLive | 82 datSet | 83 goID? | 84 t | 85 stNum | 86 sqNum
//!               87 simulation (edition 1: test) | 88 confRev | 89 ndsCom | 8A numDatSetEntries
//!               AB allData { Data ... } | AC security? }
//! ```
//! Elements are taken by their tags, whatever their order; of one that comes twice the first counts, as
//! receivers do that go through them once. What differs from the order above is told.

use super::ber::{self, Element, Fault, Tag};
use super::time;
use crate::contract::ClockTime;

/// The APDU's tag.
pub(super) const GOOSE: Tag = Tag::application(1);
/// The APDU's tag of GSE management.
pub(super) const MANAGEMENT: Tag = Tag::application(0);
/// The tag of `gocbRef`.
pub(super) const GOCB_REF: Tag = Tag::context(0);

/// Elements by number, and how they are called.
pub(super) const NAMES: [&str; 13] = [
    "gocbRef",
    "timeAllowedtoLive",
    "datSet",
    "goID",
    "t",
    "stNum",
    "sqNum",
    "simulation",
    "confRev",
    "ndsCom",
    "numDatSetEntries",
    "allData",
    "security",
];

/// Elements that may be left out: goID, simulation and ndsCom (DEFAULT FALSE), security.
pub(super) const OPTIONAL: u16 = 1 << 3 | 1 << 7 | 1 << 9 | 1 << 12;

/// Elements at the place of others that are kept by name for the words.
const KEPT: usize = NAMES.len();

/// A goosePdu, its elements as far as they are there.
#[derive(Debug, Copy, Clone)]
pub(super) struct Pdu<'a> {
    elements: [Option<Element<'a>>; KEPT],
    /// Those that are there, by bit.
    pub(super) present: u16,
    /// Elements out of their order, by bit.
    pub(super) out_of_order: u16,
    /// Elements that came again, by bit.
    pub(super) repeated: u16,
    /// The first element that is none of the standard's, with its place in the APDU's value.
    pub(super) unknown: Option<Element<'a>>,
    /// How many of these there are.
    pub(super) unknowns: u32,
    /// Where no element could be read any more, and why.
    pub(super) broken: Option<(Fault, &'a [u8])>,
}

impl<'a> Pdu<'a> {
    /// None yet.
    #[inline]
    pub(super) fn new() -> Pdu<'a> {
        Pdu {
            elements: [None; KEPT],
            present: 0,
            out_of_order: 0,
            repeated: 0,
            unknown: None,
            unknowns: 0,
            broken: None,
        }
    }

    /// Take the elements in the value of the APDU. Here and not into another: they are large to hand on.
    #[inline]
    pub(super) fn read(&mut self, value: &'a [u8]) {
        let (mut rest, mut last) = (value, 0);
        while !rest.is_empty() {
            match ber::element(rest) {
                Ok((after, element)) => {
                    rest = after;
                    self.add(element, &mut last);
                }
                Err(fault) => {
                    self.broken = Some((fault, rest));
                    break;
                }
            }
        }
    }

    fn add(&mut self, element: Element<'a>, last: &mut usize) {
        let place = element.tag.number as usize;
        let slot = self.elements.get_mut(place).filter(|_| element.tag.class == 0x80);
        let Some(slot) = slot else {
            self.unknown.get_or_insert(element);
            self.unknowns += 1;
            return;
        };
        if slot.is_some() {
            self.repeated |= 1 << place;
            return;
        }
        *slot = Some(element);
        self.present |= 1 << place;
        if place < *last {
            self.out_of_order |= 1 << place;
        }
        *last = place.max(*last);
    }

    pub(super) fn element(&self, number: usize) -> Option<&Element<'a>> {
        self.elements.get(number).and_then(Option::as_ref)
    }

    fn octets(&self, number: usize) -> Option<&'a [u8]> {
        self.element(number).map(|element| element.value)
    }

    /// The INTEGER as it stands there, which may be negative.
    pub(super) fn integer(&self, number: usize) -> Option<i64> {
        ber::integer(self.octets(number)?)
    }

    fn number(&self, number: usize) -> Option<u32> {
        number_of(self.element(number)?)
    }

    pub(super) fn gocb_ref(&self) -> Option<&'a [u8]> {
        self.octets(0)
    }

    pub(super) fn time_allowed_to_live(&self) -> Option<u32> {
        self.number(1)
    }

    pub(super) fn dat_set(&self) -> Option<&'a [u8]> {
        self.octets(2)
    }

    pub(super) fn go_id(&self) -> Option<&'a [u8]> {
        self.octets(3)
    }

    pub(super) fn t(&self) -> Option<ClockTime> {
        time::utc(self.octets(4)?)
    }

    pub(super) fn st_num(&self) -> Option<u32> {
        self.number(5)
    }

    pub(super) fn sq_num(&self) -> Option<u32> {
        self.number(6)
    }

    pub(super) fn simulation(&self) -> Option<bool> {
        boolean(self.element(7)?)
    }

    pub(super) fn conf_rev(&self) -> Option<u32> {
        self.number(8)
    }

    pub(super) fn nds_com(&self) -> Option<bool> {
        boolean(self.element(9)?)
    }

    pub(super) fn num_dat_set_entries(&self) -> Option<u32> {
        self.number(10)
    }

    pub(super) fn all_data(&self) -> Option<&'a [u8]> {
        self.octets(11)
    }

    pub(super) fn has_security(&self) -> bool {
        self.element(12).is_some()
    }
}

/// INT32U: the low 32 bits of what is there, without a sign. Some publishers send four octets without the
/// leading 00 that a first bit of 1 asks for.
fn number_of(element: &Element<'_>) -> Option<u32> {
    ber::unsigned(element.value).map(|number| number as u32)
}

/// Whether it is an INTEGER within INT32U, or four octets that are meant as one.
pub(super) fn is_int32u(element: &Element<'_>) -> bool {
    let in_range = ber::integer(element.value).is_some_and(|n| u32::try_from(n).is_ok());
    !element.constructed && (in_range || element.value.len() == 4)
}

/// A BOOLEAN: any octet but 00 is true. Of several octets the first counts.
fn boolean(element: &Element<'_>) -> Option<bool> {
    element.value.first().map(|octet| *octet != 0)
}
