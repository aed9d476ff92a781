//! Where in a stream an ADU begins, and how long it is. Pure functions of the octets: given more of them
//! they never change a verdict, only replace [`Verdict::Need`] by one.
//!
//! Three degrees of suspicion:
//!
//! | place | what counts as an ADU |
//! |---|---|
//! | behind an ADU | any legal length with protocol id 0; another id if the function code is possible |
//! | at the start of a stream or behind a gap | the same, but RTU is looked for too |
//! | anywhere else ([`hunt`]) | a header that agrees with the layout of its function; of a function without layout, one that another header follows |

use super::function::UMAS;
use super::mbap::{HEADER, Header, JUDGED, LONGEST};
use super::pdu::{Length, Role, expected};
use super::rtu::{self, Frame};

/// The longest PDU that is believed of a function without layout: the standard's 253 octets and a few.
const LONGEST_OPAQUE: usize = 260;
/// The same for UMAS, whose ends agree on frames of their own size, up to 1 KiB and a little.
const LONGEST_UMAS: usize = 1100;

/// Where the octets of an ADU end, and what is wrong with its header.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub(crate) enum Verdict {
    /// A Modbus/TCP ADU of `length` octets.
    Mbap {
        /// Octets of the ADU.
        length: usize,
        /// Octets that the header claims beyond it (a length no device accepts).
        beyond: u64,
    },
    /// An RTU frame of so many octets.
    Rtu(usize),
    /// So many octets are needed to tell.
    Need(usize),
    /// No ADU.
    Not,
}

/// An ADU of a stream that is in step.
pub(crate) fn in_step(octets: &[u8], roles: &[Role]) -> Verdict {
    let (Some(header), Some(code)) = (Header::at(octets), octets.get(HEADER)) else {
        return Verdict::Need(JUDGED);
    };
    match (header.protocol, header.length) {
        (0, 2..=LONGEST) => Verdict::Mbap { length: header.adu(), beyond: 0 },
        (0, 255..) => too_long(octets, header, roles),
        (_, 2..=LONGEST) if possible(*code) => Verdict::Mbap { length: header.adu(), beyond: 0 },
        _ => Verdict::Not,
    }
}

/// An ADU at the start of a stream.
pub(crate) fn at_start(octets: &[u8], roles: &[Role]) -> Verdict {
    // RTU frames can be shorter than a judged header.
    let short = octets.get(..JUDGED - 1).unwrap_or(octets);
    if let Frame::Whole(length) = rtu::frame(short, roles) {
        return Verdict::Rtu(length);
    }
    let Some(header) = Header::at(octets).filter(|_| octets.len() >= JUDGED) else {
        return match rtu::frame(octets, roles) {
            Frame::More(n) => Verdict::Need(n.clamp(octets.len() + 1, JUDGED)),
            _ => Verdict::Need(JUDGED),
        };
    };
    // A header that nothing contradicts is not to wait for more octets than it claims itself; any other
    // could be the beginning of a serial write to address 0.
    let mut patience = rtu::LONGEST;
    if header.protocol == 0 && header.length_is_legal() {
        match agrees(octets, header, roles) {
            Agreement::Full => return Verdict::Mbap { length: header.adu(), beyond: 0 },
            Agreement::Need(n) => return Verdict::Need(n),
            Agreement::Open => patience = header.adu(),
            Agreement::None => {}
        }
    }
    match rtu::frame(octets, roles) {
        Frame::Whole(length) if length <= patience => return Verdict::Rtu(length),
        Frame::More(n) if n <= patience => return Verdict::Need(n),
        _ => {}
    }
    match (header.protocol, header.length) {
        (0, 2..=LONGEST) => Verdict::Mbap { length: header.adu(), beyond: 0 },
        (0, 255..) => too_long(octets, header, roles),
        (_, 2..=LONGEST) => match agrees(octets, header, roles) {
            Agreement::Full => Verdict::Mbap { length: header.adu(), beyond: 0 },
            Agreement::Need(n) => Verdict::Need(n),
            _ => Verdict::Not,
        },
        _ => Verdict::Not,
    }
}

/// An ADU behind a gap, at the first octet seen.
pub(crate) fn behind_gap(octets: &[u8], roles: &[Role]) -> Verdict {
    match at_start(octets, roles) {
        Verdict::Mbap { length, beyond: 0 } => {
            let plausible = Header::at(octets).is_some_and(|h| h.protocol == 0)
                && octets.get(HEADER).is_some_and(|code| possible_in(*code, roles));
            if plausible { Verdict::Mbap { length, beyond: 0 } } else { Verdict::Not }
        }
        Verdict::Mbap { .. } => Verdict::Not,
        other => other,
    }
}

/// How a hunt decides.
#[derive(Copy, Clone)]
pub(crate) struct Hunt<'h> {
    pub(crate) roles: &'h [Role],
    /// Look for RTU frames.
    pub(crate) rtu: bool,
    /// Look for Modbus/TCP.
    pub(crate) mbap: bool,
    /// The stream speaks another protocol: want another ADU behind the first, or an answer waited for.
    pub(crate) strict: bool,
    /// No more octets will come.
    pub(crate) ended: bool,
    /// Whether an answer with this transaction id, unit and function is waited for.
    pub(crate) waited_for: &'h dyn Fn(u16, u8, u8) -> bool,
}

/// Look for an ADU in the octets, at the first `limit` places. Returns how many octets to pass over, and
/// the verdict on what follows them.
pub(crate) fn hunt(octets: &[u8], limit: usize, how: Hunt<'_>) -> (usize, Verdict) {
    let mut passed = 0;
    while passed < limit {
        let rest = octets.get(passed..).unwrap_or_default();
        match candidate(rest, how) {
            Verdict::Not => passed += 1,
            // It is not all there, and never will be.
            Verdict::Need(_) if how.ended => passed += 1,
            verdict => return (passed, verdict),
        }
        if passed >= octets.len() {
            break;
        }
    }
    (passed, Verdict::Not)
}

fn candidate(octets: &[u8], how: Hunt<'_>) -> Verdict {
    let (rtu, used) = if how.rtu { rtu_candidate(octets, how) } else { (Verdict::Not, 0) };
    if !how.mbap {
        return rtu;
    }
    // Whichever is settled by fewer octets wins, however many there are by now.
    let at_hand = match rtu {
        Verdict::Rtu(_) => octets.get(..used).unwrap_or(octets),
        _ => octets,
    };
    match (mbap_candidate(at_hand, how), rtu) {
        (found @ Verdict::Mbap { .. }, _) => found,
        (_, Verdict::Rtu(_)) => rtu,
        (Verdict::Need(a), Verdict::Need(b)) => Verdict::Need(a.min(b)),
        (Verdict::Not, _) => rtu,
        (mbap, _) => mbap,
    }
}

fn mbap_candidate(octets: &[u8], how: Hunt<'_>) -> Verdict {
    // Most places fail on their first octets, so do not wait for a whole header there.
    if let [_, _, high, low, ..] = octets
        && (*high, *low) != (0, 0)
    {
        return Verdict::Not;
    }
    let (Some(header), Some(code)) = (Header::at(octets), octets.get(HEADER)) else {
        return Verdict::Need(JUDGED);
    };
    if header.protocol != 0 || !header.length_is_legal() || !possible_in(*code, how.roles) {
        return Verdict::Not;
    }
    let found = Verdict::Mbap { length: header.adu(), beyond: 0 };
    let waited_for = (how.waited_for)(header.transaction, header.unit, code & 0x7F);
    match agrees(octets, header, how.roles) {
        Agreement::Need(n) => return Verdict::Need(n),
        Agreement::Full if !how.strict || waited_for => return found,
        Agreement::Open if waited_for => return found,
        // Devices answer requests with a wrong layout too, so what stands behind it decides.
        Agreement::Full | Agreement::Open | Agreement::None => {}
    }
    let behind = octets.get(header.adu()..).unwrap_or_default();
    match Header::at(behind) {
        Some(next) if next.protocol == 0 && next.length_is_legal() && next.unit == header.unit => found,
        Some(_) => Verdict::Not,
        None if how.ended && behind.is_empty() && octets.len() >= header.adu() => found,
        None => Verdict::Need(header.adu() + HEADER),
    }
}

/// An RTU frame, and how many octets it took to be sure.
fn rtu_candidate(octets: &[u8], how: Hunt<'_>) -> (Verdict, usize) {
    let length = match rtu::frame(octets, how.roles) {
        Frame::Whole(length) => length,
        Frame::More(n) => return (Verdict::Need(n), 0),
        Frame::Spoilt(_) | Frame::Not => return (Verdict::Not, 0),
    };
    if !how.strict {
        return (Verdict::Rtu(length), length);
    }
    match rtu::frame(octets.get(length..).unwrap_or_default(), how.roles) {
        Frame::Whole(next) => (Verdict::Rtu(length), length + next),
        Frame::More(n) => (Verdict::Need(length + n), 0),
        Frame::Spoilt(_) | Frame::Not => (Verdict::Not, 0),
    }
}

/// A header whose length no device accepts. The function's own layout says how far the PDU can reach;
/// waiting for all the header claims would hide up to 64 KiB of what follows.
fn too_long(octets: &[u8], header: Header, roles: &[Role]) -> Verdict {
    let Some(pdu) = octets.get(HEADER..) else { return Verdict::Need(JUDGED) };
    let tolerated = if pdu.first() == Some(&UMAS) { LONGEST_UMAS } else { LONGEST_OPAQUE };
    for role in roles {
        let reach = match expected(pdu, *role) {
            Length::Exact(n) => n,
            // Nothing but the header tells.
            Length::Unknown if header.pdu() <= tolerated => header.pdu(),
            Length::Unknown => 1,
            Length::More(n) => return Verdict::Need(HEADER + n),
            Length::Impossible => continue,
        };
        let length = (HEADER + reach).min(header.adu());
        return Verdict::Mbap { length, beyond: (header.adu() - length) as u64 };
    }
    Verdict::Not
}

/// Whether a header's length is the one that its function's layout has.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub(crate) enum Agreement {
    /// It is.
    Full,
    /// The function's layout is free.
    Open,
    /// So many octets are needed to tell.
    Need(usize),
    /// It is not.
    None,
}

/// Compare a header with the layout of the function behind it, in each role.
pub(crate) fn agrees(octets: &[u8], header: Header, roles: &[Role]) -> Agreement {
    let claimed = header.pdu();
    let pdu = octets.get(HEADER..).unwrap_or_default();
    let pdu = pdu.get(..claimed).unwrap_or(pdu);
    let mut best = Agreement::None;
    for role in roles {
        let this = match expected(pdu, *role) {
            Length::Exact(n) if n == claimed => return Agreement::Full,
            Length::More(n) if n <= claimed => Agreement::Need(HEADER + n),
            Length::Unknown => Agreement::Open,
            _ => Agreement::None,
        };
        best = match (best, this) {
            (Agreement::Need(a), Agreement::Need(b)) => Agreement::Need(a.min(b)),
            (Agreement::Need(_), _) => best,
            (_, Agreement::Need(_)) => this,
            (Agreement::Open, _) => best,
            _ => this,
        };
    }
    best
}

fn possible(code: u8) -> bool {
    code & 0x7F != 0
}

fn possible_in(code: u8, roles: &[Role]) -> bool {
    possible(code) && (code < 0x80 || roles.contains(&Role::Response))
}
