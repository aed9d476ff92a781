//! RTU frames in a TCP stream or a datagram (Serial Line V1.02, clause 2.5.1), as terminal servers pass
//! them on.
//!
//! ```text
//! +---------+---------- ... ----------+---------+---------+
//! | address | PDU: function, data     | CRC low | CRC high|
//! +---------+---------- ... ----------+---------+---------+
//! ```
//!
//! On the line a silence ends a frame. Here only the layout of the function can say where it ends, and
//! the checksum whether that was right.

use super::crc;
use super::pdu::{Length, Role, expected};

/// Address octet in front of the PDU.
pub(crate) const HEAD: usize = 1;
/// Address and checksum.
pub(crate) const AROUND: usize = 3;
/// The longest frame.
pub(crate) const LONGEST: usize = 256;
/// The shortest frame.
pub(crate) const SHORTEST: usize = 4;

/// What the octets at hand are, taken as RTU.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub(crate) enum Frame {
    /// A frame of this many octets whose checksum is right.
    Whole(usize),
    /// A frame of this many octets by its layout, but the checksum is wrong.
    Spoilt(usize),
    /// So many octets are needed to tell.
    More(usize),
    /// No frame.
    Not,
}

/// Look for a frame at the start of some octets, in one of the roles. Of two that fit, the shorter: it
/// is the one that would have been found first had the octets come one by one.
pub(crate) fn frame(octets: &[u8], roles: &[Role]) -> Frame {
    let mut best = Frame::Not;
    for role in roles {
        best = match (of_role(octets, *role), best) {
            (Frame::Whole(a), Frame::Whole(b)) => Frame::Whole(a.min(b)),
            (Frame::Whole(n), _) | (_, Frame::Whole(n)) => Frame::Whole(n),
            (Frame::More(a), Frame::More(b)) => Frame::More(a.min(b)),
            (Frame::More(n), _) | (_, Frame::More(n)) => Frame::More(n),
            (Frame::Spoilt(n), _) | (_, Frame::Spoilt(n)) => Frame::Spoilt(n),
            (Frame::Not, Frame::Not) => Frame::Not,
        };
    }
    best
}

fn of_role(octets: &[u8], role: Role) -> Frame {
    let Some((address, pdu)) = octets.split_first() else { return Frame::More(SHORTEST) };
    // 248 to 255 are reserved, and a gateway has no line with such a device.
    if *address > 247 {
        return Frame::Not;
    }
    match expected(pdu, role) {
        Length::Exact(n) => closed(octets, n + AROUND),
        // An echo is one word long unless somebody tests the line with more.
        Length::Unknown if pdu.first() == Some(&super::function::DIAGNOSTICS) => closed(octets, 8),
        Length::More(n) => Frame::More((n + HEAD).max(SHORTEST)),
        Length::Unknown | Length::Impossible => Frame::Not,
    }
}

fn closed(octets: &[u8], length: usize) -> Frame {
    if length > LONGEST {
        return Frame::Not;
    }
    match octets.get(..length) {
        Some(frame) if crc::closes(frame) => Frame::Whole(length),
        Some(_) => Frame::Spoilt(length),
        None => Frame::More(length),
    }
}

/// The end of a frame whose function has no layout: the first place where a checksum fits.
pub(crate) fn opaque_frame(octets: &[u8]) -> Frame {
    let mut running = crc::START;
    for (i, pair) in octets.windows(2).enumerate().take(LONGEST - 1) {
        if i >= SHORTEST - 2 && running == u16::from_le_bytes([pair[0], pair[1]]) {
            return Frame::Whole(i + 2);
        }
        running = crc::add(running, pair[0]);
    }
    if octets.len() < LONGEST { Frame::More(octets.len() + 1) } else { Frame::Not }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::hex;

    const BOTH: [Role; 2] = [Role::Request, Role::Response];

    #[test]
    fn a_frame_ends_where_its_layout_and_checksum_agree() {
        let read = hex("01 03 0000 001E C5C2");
        assert_eq!(frame(&read, &BOTH), Frame::Whole(8));
        assert_eq!(frame(&read[..7], &[Role::Request]), Frame::More(8));
        assert_eq!(frame(&hex("01 03 0000 001E C5C3"), &[Role::Request]), Frame::Spoilt(8));
        assert_eq!(frame(&hex("FF 03 0000 001E C5C2"), &BOTH), Frame::Not);
    }

    #[test]
    fn a_vendor_function_ends_where_the_checksum_first_fits() {
        let mut octets = hex("01 5A 00 02");
        octets.extend_from_slice(&crc::crc(&octets).to_le_bytes());
        octets.extend_from_slice(&[1, 2, 3]);
        assert_eq!(opaque_frame(&octets), Frame::Whole(6));
        assert_eq!(opaque_frame(&octets[..5]), Frame::More(6));
    }
}
