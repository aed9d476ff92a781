//! Named captures: the ways a packet can be wrapped, and the traffic at which other monitors go blind.
//!
//! Each is made on the spot, with what a monitor must report for it.

mod blind_dnp3;
mod blind_modbus;
mod encapsulations;
mod talks;

pub use encapsulations::encapsulations;

use crate::wire::TimedFrame;

/// A capture and what must come out of it.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// Unique name in `snake_case`.
    pub name: &'static str,
    /// What it shows, in a sentence.
    pub description: &'static str,
    /// Link type of the capture file.
    pub link_type: u32,
    /// The frames in order of time.
    pub frames: Vec<TimedFrame>,
    /// The operations that must be reported, in order within each connection; link-layer operations and
    /// repeats by the network are not among them.
    pub operations: Vec<ExpectedOperation>,
    /// Kinds of findings (by their names in the catalogue) that must be raised without any profile.
    pub findings: Vec<&'static str>,
    /// Kinds of findings that must not be raised.
    pub forbidden: Vec<&'static str>,
}

/// An operation in short.
#[derive(Debug, Clone, Copy, Eq, PartialEq, Hash, Ord, PartialOrd)]
pub struct ExpectedOperation {
    /// `modbus` or `dnp3`.
    pub protocol: &'static str,
    /// Function code on the wire, without the exception bit.
    pub function: u8,
    /// Unit id, or the outstation's link address.
    pub station: u16,
    /// `request`, `response`, `unsolicited` or `confirm`.
    pub exchange: &'static str,
}

/// Blind spots 1 to 15 of other monitors, in that order.
pub fn blind_spots() -> Vec<Scenario> {
    let mut all = blind_dnp3::all();
    all.extend(blind_modbus::all());
    all
}
