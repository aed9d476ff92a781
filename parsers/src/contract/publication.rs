//! What a publisher says to all who listen: GOOSE now, sampled values are of the same kind.
//!
//! Nobody asks for a publication and nobody answers it. What can be judged is whether it continues what the
//! publisher said before.

use super::Point;

/// A device's clock as the wire gave it.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub struct ClockTime {
    /// Nanoseconds since 1970-01-01T00:00:00Z.
    pub ns: u64,
    /// The device says that its clock has failed.
    pub failed: bool,
    /// The device says that its clock is not synchronised.
    pub unsynchronised: bool,
    /// Bits of the fraction of a second that count; 31 for not said.
    pub accuracy_bits: u8,
}

/// Visits the values in the octets of a data set.
pub type VisitPoints = fn(&[u8], &mut dyn FnMut(&Point<'_>));

/// One publication. `None` for a number that is not on the wire or cannot be read.
#[derive(Debug, Copy, Clone)]
pub struct Publication<'a> {
    /// Application id (GOOSE: APPID).
    pub application: u16,
    /// Reference of the control block (GOOSE: gocbRef).
    pub control_block: &'a [u8],
    /// Reference of the data set (GOOSE: datSet); empty if not on the wire.
    pub data_set: &'a [u8],
    /// The publisher's own name for it (GOOSE: goID); empty if not on the wire: the element is OPTIONAL in the ASN.1 of
    /// the PDU (IECGoosePdu). Nothing is put in its place here. That the reference of the control block stands for one
    /// that is absent, as it does where none was configured, could not be verified in the text of IEC 61850-8-1; whoever
    /// judges does not depend on it, since the reference is judged by itself.
    pub identifier: &'a [u8],
    /// Milliseconds within which the next one must come (GOOSE: timeAllowedtoLive).
    pub allowed_to_live_ms: Option<u32>,
    /// When the state began (GOOSE: t).
    pub changed_at: Option<ClockTime>,
    /// Number of the state, which rises with every change of a value (GOOSE: stNum).
    pub state: Option<u32>,
    /// Number within the state (GOOSE: sqNum).
    pub sequence: Option<u32>,
    /// Revision of the configuration (GOOSE: confRev).
    pub revision: Option<u32>,
    /// Members that the data set is said to have (GOOSE: numDatSetEntries).
    pub entries: Option<u32>,
    /// Sent by a test set, or by a device under test.
    pub simulated: bool,
    /// The publisher's configuration is incomplete (GOOSE: ndsCom).
    pub needs_commissioning: bool,
    /// The values, as on the wire.
    pub members: &'a [u8],
    /// Nothing is wrong with it that changes its meaning.
    pub sound: bool,
    /// Visits the values in octets like `members`, those of an earlier publication too.
    pub points: VisitPoints,
    /// How many members there are in octets like `members`, and a number that changes with their types.
    pub shape: fn(&[u8]) -> (u32, u64),
}
