//! APCI (IEC 60870-5-104, clause 5): I, S and U frames.

/// First octet of every APDU.
pub const START: u8 = 0x68;

/// Functions of U frames: the first control octet.
pub mod u {
    /// Start of data transfer, activation.
    pub const STARTDT_ACT: u8 = 0x07;
    /// Start of data transfer, confirmation.
    pub const STARTDT_CON: u8 = 0x0b;
    /// Stop of data transfer, activation.
    pub const STOPDT_ACT: u8 = 0x13;
    /// Stop of data transfer, confirmation.
    pub const STOPDT_CON: u8 = 0x23;
    /// Test, activation.
    pub const TESTFR_ACT: u8 = 0x43;
    /// Test, confirmation.
    pub const TESTFR_CON: u8 = 0x83;
}

/// Every U frame there is, with its name.
pub const U_FRAMES: [(u8, &str); 6] = [
    (u::STARTDT_ACT, "STARTDT act"),
    (u::STARTDT_CON, "STARTDT con"),
    (u::STOPDT_ACT, "STOPDT act"),
    (u::STOPDT_CON, "STOPDT con"),
    (u::TESTFR_ACT, "TESTFR act"),
    (u::TESTFR_CON, "TESTFR con"),
];

fn number(value: u16) -> [u8; 2] {
    ((value & 0x7fff) << 1).to_le_bytes()
}

/// An I frame: numbered, with an ASDU of at most 249 octets.
pub fn frame_i(send: u16, receive: u16, asdu: &[u8]) -> Vec<u8> {
    let [s, r] = [number(send), number(receive)];
    let mut out = vec![START, (4 + asdu.len()) as u8, s[0], s[1], r[0], r[1]];
    out.extend_from_slice(asdu);
    out
}

/// An S frame: acknowledges everything below `receive`.
pub fn frame_s(receive: u16) -> Vec<u8> {
    let r = number(receive);
    vec![START, 4, 1, 0, r[0], r[1]]
}

/// A U frame.
pub fn frame_u(function: u8) -> Vec<u8> {
    vec![START, 4, function, 0, 0, 0]
}

/// What an APDU is.
#[derive(Debug, Clone, Eq, PartialEq)]
pub enum Frame {
    /// N(S), N(R) and the ASDU.
    I(u16, u16, Vec<u8>),
    /// N(R).
    S(u16),
    /// First control octet.
    U(u8),
}

/// The beginning of a stream, as a station reads it.
#[derive(Debug, Clone, Eq, PartialEq)]
pub enum Unframed {
    /// An APDU and how many octets it takes.
    Frame(Frame, usize),
    /// Not enough octets yet.
    More,
    /// No APDU begins here: the connection is to be closed.
    Wrong,
}

/// Read one APDU from the beginning of `bytes`.
pub fn unframe(bytes: &[u8]) -> Unframed {
    let (start, length) = match bytes {
        [] => return Unframed::More,
        [start] => (*start, 4),
        [start, length, ..] => (*start, usize::from(*length)),
    };
    if start != START || !(4..=253).contains(&length) {
        return Unframed::Wrong;
    }
    let Some(body) = bytes.get(2..2 + length) else { return Unframed::More };
    let word = |at: usize| u16::from_le_bytes([body[at], body[at + 1]]) >> 1;
    let frame = match body[0] & 3 {
        1 if length == 4 => Frame::S(word(2)),
        3 if length == 4 => Frame::U(body[0]),
        0 | 2 => Frame::I(word(0), word(2), body[4..].to_vec()),
        _ => return Unframed::Wrong,
    };
    Unframed::Frame(frame, 2 + length)
}
