//! How long a PDU must be by its own layout, and which role its layout betrays.
//!
//! RTU frames carry no length, so this is where their end comes from; on TCP it is what a header found in
//! the middle of rubbish must agree with.

use super::Role;
use crate::modbus::function::MEI_IDENTIFICATION;

/// The longest PDU the standard allows.
pub(crate) const LONGEST_PDU: usize = 253;

/// The length that a PDU's beginning implies.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub(crate) enum Length {
    /// This many octets, function code included.
    Exact(usize),
    /// Cannot tell before this many octets are there.
    More(usize),
    /// The layout is free, or not in the standard.
    Unknown,
    /// No PDU begins like this.
    Impossible,
}

/// What the beginning of a PDU says about its length.
pub(crate) fn expected(pdu: &[u8], role: Role) -> Length {
    let Some(code) = pdu.first() else { return Length::More(1) };
    let length = match role {
        Role::Request => request(*code, pdu),
        Role::Response => response(*code, pdu),
    };
    match length {
        // A byte count can say up to 255, which with its head is a little more than a PDU may have.
        Length::Exact(n) if n > LONGEST_PDU + 12 => Length::Impossible,
        other => other,
    }
}

fn request(code: u8, pdu: &[u8]) -> Length {
    match code {
        1..=6 => Length::Exact(5),
        7 | 11 | 12 | 17 => Length::Exact(1),
        8 => diagnostics(pdu),
        15 | 16 => counted(pdu, 5),
        20 | 21 => counted(pdu, 1),
        22 => Length::Exact(7),
        23 => counted(pdu, 9),
        24 => Length::Exact(3),
        43 => match pdu.get(1) {
            None => Length::More(2),
            Some(&MEI_IDENTIFICATION) => Length::Exact(4),
            Some(_) => Length::Unknown,
        },
        0 | 0x80.. => Length::Impossible,
        _ => Length::Unknown,
    }
}

fn response(code: u8, pdu: &[u8]) -> Length {
    match code {
        1..=4 | 12 | 17 | 20 | 21 | 23 => counted(pdu, 1),
        5 | 6 | 11 | 15 | 16 => Length::Exact(5),
        7 => Length::Exact(2),
        8 => diagnostics(pdu),
        22 => Length::Exact(7),
        24 => match pdu {
            [_, high, low, ..] => Length::Exact(3 + usize::from(u16::from_be_bytes([*high, *low]))),
            _ => Length::More(3),
        },
        43 => identification(pdu),
        0x81.. => Length::Exact(2),
        0 | 0x80 => Length::Impossible,
        _ => Length::Unknown,
    }
}

/// `head` octets, an octet that counts, and what it counts.
fn counted(pdu: &[u8], head: usize) -> Length {
    match pdu.get(head) {
        Some(count) => Length::Exact(head + 1 + usize::from(*count)),
        None => Length::More(head + 1),
    }
}

fn diagnostics(pdu: &[u8]) -> Length {
    match pdu {
        [_, 0, 0, ..] => Length::Unknown,
        [_, _, _, ..] => Length::Exact(5),
        _ => Length::More(3),
    }
}

fn identification(pdu: &[u8]) -> Length {
    match pdu.get(1) {
        None => return Length::More(2),
        Some(&MEI_IDENTIFICATION) => {}
        Some(_) => return Length::Unknown,
    }
    let Some(objects) = pdu.get(6) else { return Length::More(7) };
    let mut end = 7;
    for _ in 0..*objects {
        match pdu.get(end + 1) {
            Some(length) => end += 2 + usize::from(*length),
            None => return if end > LONGEST_PDU { Length::Impossible } else { Length::More(end + 2) },
        }
    }
    Length::Exact(end)
}

/// The role that a PDU's layout betrays.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub(crate) enum Shape {
    /// It fits a request only.
    Request,
    /// It fits a response only.
    Response,
    /// It fits both, or neither.
    Open,
}

/// Which role a whole PDU can have.
pub(crate) fn shape(pdu: &[u8]) -> Shape {
    match (fits(pdu, Role::Request), fits(pdu, Role::Response)) {
        (true, false) => Shape::Request,
        (false, true) => Shape::Response,
        _ => Shape::Open,
    }
}

/// Whether a whole PDU has the layout of a role.
pub(crate) fn fits(pdu: &[u8], role: Role) -> bool {
    expected(pdu, role) == Length::Exact(pdu.len()) && sensible(pdu, role)
}

/// Whether the fields agree with each other in a role, beyond the length.
fn sensible(pdu: &[u8], role: Role) -> bool {
    match (role, pdu) {
        // Nobody answers with no values. An odd number of octets is no proof: it may just be wrong.
        (Role::Response, [1..=4 | 23, count, ..]) => *count != 0,
        (Role::Response, [24, _, _, _, _, ..]) => true,
        (Role::Response, [24, ..]) => false,
        _ => true,
    }
}
