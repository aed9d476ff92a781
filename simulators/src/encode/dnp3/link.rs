//! Link layer and transport function.

/// CRC-16/DNP: polynomial 0x3D65 reflected, start 0, inverted at the end.
pub fn crc(bytes: &[u8]) -> u16 {
    !bytes.iter().fold(0_u16, |crc, byte| (crc >> 8) ^ REMAINDERS[usize::from(crc as u8 ^ byte)])
}

/// What each octet leaves, worked out bit by bit.
const REMAINDERS: [u16; 256] = {
    let mut table = [0_u16; 256];
    let mut octet = 0;
    while octet < 256 {
        let mut crc = octet as u16;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xa6bc } else { crc >> 1 };
            bit += 1;
        }
        table[octet] = crc;
        octet += 1;
    }
    table
};

/// Usual control octets of the link header.
pub mod control {
    /// Master: reset link states.
    pub const RESET_LINK: u8 = 0xc0;
    /// Master: test link states, frame count bit set.
    pub const TEST_LINK: u8 = 0xf2;
    /// Master: confirmed user data, frame count bit set.
    pub const MASTER_CONFIRMED: u8 = 0xf3;
    /// Master: unconfirmed user data.
    pub const MASTER_DATA: u8 = 0xc4;
    /// Master: request link status.
    pub const LINK_STATUS_REQUEST: u8 = 0xc9;
    /// Outstation: acknowledge.
    pub const ACK: u8 = 0x00;
    /// Outstation: not acknowledged.
    pub const NACK: u8 = 0x01;
    /// Outstation: link status.
    pub const LINK_STATUS: u8 = 0x0b;
    /// Outstation: not supported.
    pub const NOT_SUPPORTED: u8 = 0x0f;
    /// Outstation: unconfirmed user data.
    pub const OUTSTATION_DATA: u8 = 0x44;
    /// Outstation: confirmed user data, frame count bit set.
    pub const OUTSTATION_CONFIRMED: u8 = 0x73;
}

/// A link frame with its checksums; at most 250 octets of user data.
pub fn link_frame(control: u8, destination: u16, source: u16, user: &[u8]) -> Vec<u8> {
    let mut out = vec![0x05, 0x64, (5 + user.len()) as u8, control];
    out.extend_from_slice(&destination.to_le_bytes());
    out.extend_from_slice(&source.to_le_bytes());
    let sum = crc(&out);
    out.extend_from_slice(&sum.to_le_bytes());
    for block in user.chunks(16) {
        out.extend_from_slice(block);
        out.extend_from_slice(&crc(block).to_le_bytes());
    }
    out
}

/// A fragment as transport segments of at most 249 octets behind the transport octet. The sequence
/// number begins at `sequence` and wraps at 64.
pub fn segments(fragment: &[u8], sequence: u8) -> Vec<Vec<u8>> {
    let count = fragment.len().div_ceil(249).max(1);
    (0..count)
        .map(|index| {
            let first = u8::from(index == 0) << 6;
            let last = u8::from(index + 1 == count) << 7;
            let number = (usize::from(sequence) + index) as u8 & 0x3f;
            let end = (index * 249 + 249).min(fragment.len());
            [&[first | last | number], &fragment[index * 249..end]].concat()
        })
        .collect()
}

/// The link frames that carry a fragment, one behind the other.
pub fn frames(control: u8, destination: u16, source: u16, fragment: &[u8]) -> Vec<u8> {
    frames_from(control, destination, source, fragment, 0)
}

/// As [`frames`], with the first transport sequence number.
pub fn frames_from(control: u8, destination: u16, source: u16, fragment: &[u8], sequence: u8) -> Vec<u8> {
    segments(fragment, sequence)
        .iter()
        .flat_map(|segment| link_frame(control, destination, source, segment))
        .collect()
}

/// What stands in link frames that lie one behind the other and belong together.
#[derive(Debug, Clone, Eq, PartialEq)]
pub struct Unframed {
    /// Control octet of the first frame.
    pub control: u8,
    /// To whom.
    pub destination: u16,
    /// From whom.
    pub source: u16,
    /// The application fragment; empty in frames without user data.
    pub fragment: Vec<u8>,
}

/// Take a fragment out of its link frames. `None` when anything is not as [`frames`] makes it.
pub fn unframe(mut bytes: &[u8]) -> Option<Unframed> {
    let mut out: Option<Unframed> = None;
    while !bytes.is_empty() {
        let header = bytes.get(..10)?;
        if header[..2] != [0x05, 0x64] || header[2] < 5 || crc(&header[..8]).to_le_bytes() != header[8..10] {
            return None;
        }
        let word = |at: usize| u16::from_le_bytes([header[at], header[at + 1]]);
        let whole = out.get_or_insert_with(|| Unframed {
            control: header[3],
            destination: word(4),
            source: word(6),
            fragment: Vec::new(),
        });
        let mut rest = usize::from(header[2]) - 5;
        bytes = &bytes[10..];
        let mut skip = 1; // the transport octet
        while rest > 0 {
            let size = rest.min(16);
            let block = bytes.get(..size + 2)?;
            if crc(&block[..size]).to_le_bytes() != block[size..] {
                return None;
            }
            whole.fragment.extend_from_slice(&block[skip..size]);
            skip = 0;
            rest -= size;
            bytes = &bytes[size + 2..];
        }
    }
    out
}
