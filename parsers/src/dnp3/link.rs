//! Data link layer, IEEE 1815 clause 9: from octets to checked frames.
//!
//! ```text
//!  0     1     2      3       4        6      8         10                   26
//! +-----+-----+------+-------+--------+------+---------+-----------+--------+-----
//! | 05  | 64  |LENGTH|CONTROL| DEST.  |SOURCE|header   | 16 octets | block  | ...
//! |     |     |      |       | LE     | LE   |CRC      | user data | CRC    |
//! +-----+-----+------+-------+--------+------+---------+-----------+--------+-----
//! LENGTH counts CONTROL, DESTINATION, SOURCE and user data, no CRC: 5..255
//! CONTROL: DIR PRM FCB FCV/DFC function(4)
//! ```

use super::crc;

/// The two start octets.
pub(super) const START: [u8; 2] = [0x05, 0x64];
/// Octets of the header with its CRC.
pub(super) const HEADER: usize = 10;
/// Most octets of user data in one frame.
pub(super) const MAX_USER_DATA: usize = 250;
/// LENGTH of a frame without user data; less is not possible.
pub(super) const MIN_LENGTH: u8 = 5;

/// Lowest of the reserved addresses; 0xFFF0 to 0xFFFB.
const RESERVED: core::ops::RangeInclusive<u16> = 0xFFF0..=0xFFFB;
/// "Whoever is on this line": an address for commissioning.
pub(super) const SELF_ADDRESS: u16 = 0xFFFC;

/// Whether an address means all stations.
pub(super) fn is_broadcast(address: u16) -> bool {
    address >= 0xFFFD
}

/// Whether the standard keeps an address for later.
pub(super) fn is_reserved(address: u16) -> bool {
    RESERVED.contains(&address)
}

/// The CONTROL octet.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub(super) struct Control(pub u8);

impl Control {
    /// DIR: sent by a master.
    pub(super) fn dir(self) -> bool {
        self.0 & 0x80 != 0
    }
    /// PRM: from the primary, that is, initiating station.
    pub(super) fn primary(self) -> bool {
        self.0 & 0x40 != 0
    }
    /// Bit 5: frame count bit, reserved in secondary frames.
    pub(super) fn frame_count(self) -> bool {
        self.0 & 0x20 != 0
    }
    /// Bit 4: frame count valid (primary) or data flow control (secondary).
    pub(super) fn fcv_dfc(self) -> bool {
        self.0 & 0x10 != 0
    }
    /// Function code.
    pub(super) fn function(self) -> u8 {
        self.0 & 0x0F
    }
    /// The function's name in `snake_case`; `"unknown"` if the standard has none.
    pub(super) fn function_name(self) -> &'static str {
        match (self.primary(), self.function()) {
            (true, 0) => "reset_link_states",
            (true, 1) => "reset_user_process",
            (true, 2) => "test_link_states",
            (true, 3) => "confirmed_user_data",
            (true, 4) => "unconfirmed_user_data",
            (true, 9) => "request_link_status",
            (false, 0) => "ack",
            (false, 1) => "nack",
            (false, 11) => "link_status",
            (false, 14) => "link_not_functioning",
            (false, 15) => "not_supported",
            _ => "unknown",
        }
    }
    /// Whether the function is one that carries user data.
    pub(super) fn carries_user_data(self) -> bool {
        self.primary() && matches!(self.function(), 3 | 4)
    }
    /// Whether FCV has to be set; `None` where the question does not arise.
    pub(super) fn frame_count_due(self) -> Option<bool> {
        match (self.primary(), self.function()) {
            (true, 2 | 3) => Some(true),
            (true, 0 | 1 | 4 | 9) => Some(false),
            _ => None,
        }
    }
}

/// The link header.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub(super) struct Header {
    /// LENGTH as on the wire.
    pub length: u8,
    /// CONTROL as on the wire.
    pub control: Control,
    /// Address of the receiver.
    pub destination: u16,
    /// Address of the sender.
    pub source: u16,
}

impl Header {
    /// Octets of user data.
    pub(super) fn user_data(&self) -> usize {
        usize::from(self.length.saturating_sub(MIN_LENGTH))
    }

    /// Octets of the whole frame on the wire.
    pub(super) fn wire(&self) -> usize {
        let user = self.user_data();
        HEADER + user + 2 * user.div_ceil(crc::BLOCK)
    }
}

/// What stands at the beginning of some octets.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub(super) enum Scan {
    /// More octets are needed to tell: this many in all.
    Need(usize),
    /// This many octets are no frame.
    Junk(usize),
    /// Start octets, but the header's CRC is wrong.
    BadHeader,
    /// A good header whose LENGTH is less than 5.
    Short(Header),
    /// A good header, all of its frame at hand.
    Frame(Header),
}

/// Look at the beginning of `octets`.
pub(super) fn scan(octets: &[u8]) -> Scan {
    match octets {
        // Ask for no more than settles the question: junk must be seen as soon as it is there.
        [] => return Scan::Need(1),
        [0x05] => return Scan::Need(START.len()),
        [0x05, 0x64, ..] => {}
        [_, rest @ ..] => {
            let next = rest.iter().position(|o| *o == START[0]);
            return Scan::Junk(next.map_or(octets.len(), |n| n + 1));
        }
    }
    let Some(head) = octets.get(..HEADER) else { return Scan::Need(HEADER) };
    match header(head) {
        None => Scan::BadHeader,
        Some(header) if header.length < MIN_LENGTH => Scan::Short(header),
        Some(header) if octets.len() < header.wire() => Scan::Need(header.wire()),
        Some(header) => Scan::Frame(header),
    }
}

/// The header at the beginning of `octets`, if start octets and CRC are right.
pub(super) fn header(octets: &[u8]) -> Option<Header> {
    let (header, check) = fields(octets)?;
    crc::holds(octets.get(..8)?, check).then_some(header)
}

/// The header at the beginning of `octets`, whatever its CRC.
pub(super) fn unchecked(octets: &[u8]) -> Option<Header> {
    fields(octets).map(|(header, _)| header)
}

/// The header at the beginning of `octets`, if nothing of it but its CRC is missing.
pub(super) fn nearly(octets: &[u8]) -> Option<Header> {
    let mut padded = [0; HEADER];
    padded.get_mut(..8)?.copy_from_slice(octets.get(..8).filter(|_| octets.len() < HEADER)?);
    unchecked(&padded)
}

/// How many of the octets of a frame with a wrong block CRC are its own: octets may have been lost within it,
/// and where a good header stands among the rest, the next frame begins. Gives the number of
/// octets wanted if it takes more to tell.
pub(super) fn own_octets(octets: &[u8], header: Header, last: bool) -> Result<usize, usize> {
    let wire = header.wire();
    let Some(bad) = first_bad_block(octets.get(..wire).unwrap_or_default()) else { return Ok(wire) };
    for at in bad..wire {
        match octets.get(at..).unwrap_or_default() {
            [0x05, 0x64, ..] | [0x05] => {}
            _ => continue,
        }
        match octets.get(at..at + HEADER) {
            Some(head) if self::header(head).is_some() => return Ok(at),
            None if !last => return Err(at + HEADER),
            _ => {}
        }
    }
    Ok(wire)
}

/// The fields of the header and its CRC.
#[inline]
fn fields(octets: &[u8]) -> Option<(Header, [u8; 2])> {
    let &[s0, s1, length, control, d0, d1, a0, a1, c0, c1] = octets.first_chunk::<HEADER>()?;
    let destination = u16::from_le_bytes([d0, d1]);
    let source = u16::from_le_bytes([a0, a1]);
    ([s0, s1] == START)
        .then_some((Header { length, control: Control(control), destination, source }, [c0, c1]))
}

/// The user data of one frame of at most `ROOM` octets of it, without its CRCs.
pub(super) struct UserData<const ROOM: usize> {
    octets: [u8; ROOM],
    length: usize,
}

impl<const ROOM: usize> UserData<ROOM> {
    pub(super) fn new() -> UserData<ROOM> {
        UserData { octets: [0; ROOM], length: 0 }
    }

    pub(super) fn octets(&self) -> &[u8] {
        self.octets.get(..self.length).unwrap_or_default()
    }

    /// Take the user data out of a frame. False if the CRC of any block is wrong; the octets are there
    /// all the same, for display.
    pub(super) fn load(&mut self, frame: &[u8]) -> bool {
        self.length = 0;
        let mut good = true;
        let blocks = frame.get(HEADER..).unwrap_or_default();
        for block in blocks.chunks(crc::BLOCK + 2) {
            let Some((octets, check)) = block.split_last_chunk::<2>() else { return false };
            good &= crc::holds(octets, *check);
            let end = self.length + octets.len();
            let Some(place) = self.octets.get_mut(self.length..end) else { return false };
            place.copy_from_slice(octets);
            self.length = end;
        }
        good
    }
}

/// The user data of a frame that has none, or one good block, where it stands; `None` of any other.
#[inline]
pub(super) fn only_block(frame: &[u8]) -> Option<&[u8]> {
    let blocks = frame.get(HEADER..)?;
    if blocks.is_empty() {
        return Some(blocks);
    }
    let (octets, check) = blocks.split_last_chunk::<2>()?;
    (octets.len() <= crc::BLOCK && crc::holds(octets, *check)).then_some(octets)
}

/// A frame, or what there is of it, up to the end of its last whole block.
pub(super) fn whole_blocks(octets: &[u8], header: Header) -> &[u8] {
    let blocks = octets.len().saturating_sub(HEADER) / (crc::BLOCK + 2);
    let whole = octets.get(..HEADER + blocks * (crc::BLOCK + 2)).unwrap_or_default();
    octets.get(..header.wire()).unwrap_or(whole)
}

/// Offset in a frame of the first block whose CRC is wrong.
pub(super) fn first_bad_block(frame: &[u8]) -> Option<usize> {
    let blocks = frame.get(HEADER..).unwrap_or_default().chunks(crc::BLOCK + 2);
    let bad = blocks.into_iter().position(|block| match block.split_last_chunk::<2>() {
        Some((octets, check)) => !crc::holds(octets, *check),
        None => true,
    });
    bad.map(|n| HEADER + n * (crc::BLOCK + 2))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use super::*;

    const RESET: [u8; 10] = [
        0x05, 0x64, // start
        0x05, // LENGTH: no user data
        0xC0, // DIR PRM, RESET_LINK_STATES
        0x0A, 0x00, // to outstation 10
        0x01, 0x00, // from master 1
        0xB1, 0xAC, // CRC
    ];

    #[test]
    fn header_is_read_in_wire_order() {
        let header = header(&RESET).unwrap();
        assert_eq!((header.length, header.destination, header.source), (5, 10, 1));
        assert!(header.control.dir() && header.control.primary());
        assert_eq!(header.control.function_name(), "reset_link_states");
        assert_eq!((header.user_data(), header.wire()), (0, 10));
        assert_eq!(scan(&RESET), Scan::Frame(header));
    }

    #[test]
    fn every_prefix_of_a_frame_asks_for_more() {
        assert_eq!(scan(&[]), Scan::Need(1));
        assert_eq!(scan(&RESET[..1]), Scan::Need(2));
        for length in 2..RESET.len() {
            assert_eq!(scan(&RESET[..length]), Scan::Need(10), "{length} octets");
        }
    }

    #[test]
    fn octets_before_a_start_octet_are_junk() {
        assert_eq!(scan(&[1, 2, 3]), Scan::Junk(3));
        assert_eq!(scan(&[1, 2, 5]), Scan::Junk(2));
        assert_eq!(scan(&[5, 5, 0x64]), Scan::Junk(1));
        assert_eq!(scan(&[5, 0x63]), Scan::Junk(2));
    }

    #[test]
    fn wrong_header_crc_is_not_a_frame() {
        let mut frame = RESET;
        frame[9] ^= 1;
        assert_eq!(scan(&frame), Scan::BadHeader);
    }

    #[test]
    fn wire_size_counts_one_crc_per_block() {
        let of = |length| Header { length, control: Control(0), destination: 0, source: 0 }.wire();
        assert_eq!((of(5), of(6), of(21), of(22), of(255)), (10, 13, 28, 31, 292));
    }
}
