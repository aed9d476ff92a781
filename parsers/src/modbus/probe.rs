//! Modbus on a port nobody configured: recognised by its octets alone (fact sheet, clause 1.4).
//!
//! A yes hands the flow over, so one ADU is not enough: two in a row, or a request and the answer that
//! carries its transaction id. RTU: two frames whose checksums are right.

use crate::contract::{Beginning, Direction, Probe};

use super::judge::{Agreement, agrees};
use super::mbap::{Header, JUDGED};
use super::pdu::Role;
use super::rtu::{self, Frame};

const BOTH: [Role; 2] = [Role::Request, Role::Response];

/// What one direction shows.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
enum Look {
    /// Two ADUs or more.
    Sure,
    /// One ADU whose layout agrees, with its header and function code.
    One(Header, u8),
    /// One ADU of a function without layout.
    Open(Header, u8),
    /// Nothing against it, but not a whole ADU.
    More,
    /// Not Modbus.
    No,
}

/// See [`crate::contract::Dissector::probe`].
pub(crate) fn probe(beginning: &Beginning<'_>) -> Probe {
    let sides = [beginning.of(Direction::ToServer), beginning.of(Direction::ToClient)];
    let both = |look: fn(&[u8]) -> Look| verdict(sides.map(look));
    match (both(mbap), both(rtu)) {
        (Probe::Yes, _) | (_, Probe::Yes) => Probe::Yes,
        (Probe::More, _) | (_, Probe::More) => Probe::More,
        (Probe::No, Probe::No) => Probe::No,
    }
}

fn verdict(looks: [Look; 2]) -> Probe {
    match looks {
        [Look::No, _] | [_, Look::No] => Probe::No,
        [Look::Sure, _] | [_, Look::Sure] => Probe::Yes,
        [Look::One(a, code), Look::One(b, other)] if same_exchange(a, code, b, other) => Probe::Yes,
        // UMAS and the like: the layout proves nothing, so both headers and the code must agree.
        [Look::One(a, code) | Look::Open(a, code), Look::One(b, other) | Look::Open(b, other)]
            if same_exchange(a, code, b, other) && a.transaction != 0 =>
        {
            Probe::Yes
        }
        _ => Probe::More,
    }
}

fn same_exchange(a: Header, code: u8, b: Header, other: u8) -> bool {
    a.transaction == b.transaction && a.unit == b.unit && code & 0x7F == other & 0x7F
}

fn mbap(octets: &[u8]) -> Look {
    let first = one(octets);
    let (header, sure) = match first {
        Look::One(header, _) => (header, true),
        Look::Open(header, _) => (header, false),
        other => return other,
    };
    match one(octets.get(header.adu()..).unwrap_or_default()) {
        Look::One(next, _) if next.unit == header.unit && sure => Look::Sure,
        // UMAS again: the transaction ids must count.
        Look::One(next, _) | Look::Open(next, _)
            if next.unit == header.unit && next.transaction == header.transaction.wrapping_add(1) =>
        {
            Look::Sure
        }
        Look::No => Look::No,
        _ => first,
    }
}

/// The ADU at the start of some octets.
fn one(octets: &[u8]) -> Look {
    // A wrong protocol id ends it before the header is whole.
    if let [_, _, high, low, ..] = octets
        && (*high, *low) != (0, 0)
    {
        return Look::No;
    }
    let Some(header) = Header::at(octets).filter(|_| octets.len() >= JUDGED) else { return Look::More };
    let Some(code) = octets.get(JUDGED - 1).copied() else { return Look::More };
    if header.protocol != 0 || !header.length_is_legal() || matches!(code, 0 | 0x80) {
        return Look::No;
    }
    let whole = header.adu() <= octets.len();
    match agrees(octets, header, &BOTH) {
        Agreement::None => Look::No,
        Agreement::Full if whole => Look::One(header, code),
        Agreement::Open if whole => Look::Open(header, code),
        _ => Look::More,
    }
}

fn rtu(octets: &[u8]) -> Look {
    match rtu::frame(octets, &BOTH) {
        Frame::Not | Frame::Spoilt(_) => Look::No,
        Frame::More(_) => Look::More,
        Frame::Whole(length) => match rtu::frame(octets.get(length..).unwrap_or_default(), &BOTH) {
            Frame::Whole(_) => Look::Sure,
            Frame::Not | Frame::Spoilt(_) => Look::No,
            Frame::More(_) => {
                let unit = octets.first().copied().unwrap_or_default();
                let code = octets.get(1).copied().unwrap_or_default();
                Look::One(Header { transaction: 0, protocol: 0, length: 0, unit }, code)
            }
        },
    }
}
