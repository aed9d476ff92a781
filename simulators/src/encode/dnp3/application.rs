//! Application headers and object headers.

/// What stands before each object.
#[derive(Debug, Clone, Copy, Eq, PartialEq)]
pub enum Prefix {
    /// Nothing.
    None,
    /// Index of one octet.
    Index8,
    /// Index of two octets.
    Index16,
    /// Index of four octets.
    Index32,
    /// Size of one octet.
    Size8,
    /// Size of two octets.
    Size16,
    /// Size of four octets.
    Size32,
}

impl Prefix {
    fn code(self) -> u8 {
        match self {
            Prefix::None => 0,
            Prefix::Index8 => 1,
            Prefix::Index16 => 2,
            Prefix::Index32 => 3,
            Prefix::Size8 => 4,
            Prefix::Size16 => 5,
            Prefix::Size32 => 6,
        }
    }

    /// The prefix field holding `value`.
    pub fn encode(self, value: u32) -> Vec<u8> {
        match self {
            Prefix::None => Vec::new(),
            Prefix::Index8 | Prefix::Size8 => vec![value as u8],
            Prefix::Index16 | Prefix::Size16 => (value as u16).to_le_bytes().to_vec(),
            Prefix::Index32 | Prefix::Size32 => value.to_le_bytes().to_vec(),
        }
    }
}

/// Which points an object header names.
#[derive(Debug, Clone, Copy, Eq, PartialEq)]
pub enum Range {
    /// Code 0: start and stop of one octet.
    Points8(u8, u8),
    /// Code 1: start and stop of two octets.
    Points16(u16, u16),
    /// Code 2: start and stop of four octets.
    Points32(u32, u32),
    /// Codes 3 to 5: virtual addresses of 1, 2 or 4 octets (the width).
    Virtual(u8, u32, u32),
    /// Code 6: all points.
    All,
    /// Code 7: count of one octet.
    Count8(u8),
    /// Code 8: count of two octets.
    Count16(u16),
    /// Code 9: count of four octets.
    Count32(u32),
    /// Code 11: variable format, count of one octet.
    Free(u8),
}

impl Range {
    /// The low half of the qualifier octet.
    pub fn code(self) -> u8 {
        match self {
            Range::Points8(..) => 0,
            Range::Points16(..) => 1,
            Range::Points32(..) => 2,
            Range::Virtual(1, ..) => 3,
            Range::Virtual(2, ..) => 4,
            Range::Virtual(..) => 5,
            Range::All => 6,
            Range::Count8(_) => 7,
            Range::Count16(_) => 8,
            Range::Count32(_) => 9,
            Range::Free(_) => 11,
        }
    }

    fn encode(self) -> Vec<u8> {
        match self {
            Range::Points8(start, stop) => vec![start, stop],
            Range::Points16(start, stop) => [start.to_le_bytes(), stop.to_le_bytes()].concat(),
            Range::Points32(start, stop) => [start.to_le_bytes(), stop.to_le_bytes()].concat(),
            Range::Virtual(1, start, stop) => vec![start as u8, stop as u8],
            Range::Virtual(2, start, stop) => {
                [(start as u16).to_le_bytes(), (stop as u16).to_le_bytes()].concat()
            }
            Range::Virtual(_, start, stop) => [start.to_le_bytes(), stop.to_le_bytes()].concat(),
            Range::All => Vec::new(),
            Range::Count8(count) | Range::Free(count) => vec![count],
            Range::Count16(count) => count.to_le_bytes().to_vec(),
            Range::Count32(count) => count.to_le_bytes().to_vec(),
        }
    }
}

/// An object header.
#[derive(Debug, Clone, Copy)]
pub struct Header {
    /// Group.
    pub group: u8,
    /// Variation.
    pub variation: u8,
    /// What stands before each object.
    pub prefix: Prefix,
    /// Which points.
    pub range: Range,
}

impl Header {
    /// A header without prefixes.
    pub fn new(group: u8, variation: u8, range: Range) -> Header {
        Header { group, variation, prefix: Prefix::None, range }
    }

    /// A header whose objects have prefixes.
    pub fn prefixed(group: u8, variation: u8, prefix: Prefix, range: Range) -> Header {
        Header { group, variation, prefix, range }
    }

    /// The qualifier octet.
    pub fn qualifier(&self) -> u8 {
        (self.prefix.code() << 4) | self.range.code()
    }

    /// The octets.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![self.group, self.variation, self.qualifier()];
        out.extend_from_slice(&self.range.encode());
        out
    }
}

/// A request: FIR and FIN set.
pub fn request(sequence: u8, function: u8, objects: &[u8]) -> Vec<u8> {
    [&[0xc0 | (sequence & 0x0f), function], objects].concat()
}

/// A confirmation of a solicited or unsolicited response.
pub fn confirm(sequence: u8, unsolicited: bool) -> Vec<u8> {
    vec![0xc0 | (u8::from(unsolicited) << 4) | (sequence & 0x0f), 0]
}

/// A response: FIR and FIN set, no confirmation wanted.
pub fn response(sequence: u8, iin: [u8; 2], objects: &[u8]) -> Vec<u8> {
    [&[0xc0 | (sequence & 0x0f), 129], iin.as_slice(), objects].concat()
}

/// An unsolicited response: FIR, FIN, CON and UNS set.
pub fn unsolicited(sequence: u8, iin: [u8; 2], objects: &[u8]) -> Vec<u8> {
    [&[0xf0 | (sequence & 0x0f), 130], iin.as_slice(), objects].concat()
}
