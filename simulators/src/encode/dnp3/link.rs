//! Link layer and transport function.

/// CRC-16/DNP, bit by bit: polynomial 0x3D65 reflected, start 0, inverted at the end.
pub fn crc(bytes: &[u8]) -> u16 {
    let mut crc = 0_u16;
    for byte in bytes {
        crc ^= u16::from(*byte);
        for _ in 0..8 {
            let low = crc & 1;
            crc >>= 1;
            if low == 1 {
                crc ^= 0xa6bc;
            }
        }
    }
    !crc
}

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
