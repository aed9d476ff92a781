//! The GOOSE PDU (IEC 61850-8-1, annex A).

use super::Data;
use super::ber::{Numbers, tlv, unsigned};

/// UTC in eight octets: seconds, a fraction in units of 2^-24 s, quality.
#[derive(Debug, Clone, Copy, Default, Eq, PartialEq)]
pub struct UtcTime {
    /// Seconds since 1970.
    pub seconds: u32,
    /// Fraction, 24 bits.
    pub fraction: u32,
    /// Bit 7 leap seconds known, 6 clock failure, 5 not synchronised, 4 to 0 accuracy in bits.
    pub quality: u8,
}

impl UtcTime {
    /// A moment in nanoseconds since 1970, leap seconds known, accurate to a millisecond.
    pub fn at(ns: u64) -> UtcTime {
        let (seconds, rest) = (ns / 1_000_000_000, ns % 1_000_000_000);
        UtcTime { seconds: seconds as u32, fraction: ((rest << 24) / 1_000_000_000) as u32, quality: 0x8a }
    }

    /// Octets.
    pub fn octets(&self) -> [u8; 8] {
        let word = u64::from(self.seconds) << 32 | u64::from(self.fraction & 0x00ff_ffff) << 8;
        (word | u64::from(self.quality)).to_be_bytes()
    }
}

/// A GOOSE PDU.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Pdu {
    /// Control block reference, such as `BAY1PROT/LLN0$GO$gcb1`.
    pub control_block: String,
    /// Milliseconds within which the next message will come.
    pub time_allowed_to_live: u32,
    /// Reference of the data set.
    pub data_set: String,
    /// Identifier of the message; left out if there is none.
    pub id: Option<String>,
    /// When the state changed.
    pub time: UtcTime,
    /// State number.
    pub state: u32,
    /// Sequence number.
    pub sequence: u32,
    /// Simulation (edition 2) or test (edition 1).
    pub simulation: bool,
    /// Configuration revision.
    pub revision: u32,
    /// Needs commissioning.
    pub needs_commissioning: bool,
    /// Number of members announced, if it is not the true one.
    pub announced: Option<u32>,
    /// Members.
    pub data: Vec<Data>,
    /// Security octets at the end.
    pub security: Option<Vec<u8>>,
    /// How integers are written.
    pub numbers: Numbers,
}

impl Pdu {
    /// Octets.
    pub fn encode(&self) -> Vec<u8> {
        let number = |tag, value: u32| tlv(tag, &unsigned(u64::from(value), self.numbers));
        let bit = |tag, value: bool| tlv(tag, &[if value { 0xff } else { 0 }]);
        let mut out = tlv(0x80, self.control_block.as_bytes());
        out.extend(number(0x81, self.time_allowed_to_live));
        out.extend(tlv(0x82, self.data_set.as_bytes()));
        out.extend(self.id.as_ref().map(|id| tlv(0x83, id.as_bytes())).unwrap_or_default());
        out.extend(tlv(0x84, &self.time.octets()));
        out.extend(number(0x85, self.state));
        out.extend(number(0x86, self.sequence));
        out.extend(bit(0x87, self.simulation));
        out.extend(number(0x88, self.revision));
        out.extend(bit(0x89, self.needs_commissioning));
        out.extend(number(0x8a, self.announced.unwrap_or(self.data.len() as u32)));
        let data: Vec<u8> = self.data.iter().flat_map(|data| data.encode(self.numbers)).collect();
        out.extend(tlv(0xab, &data));
        out.extend(self.security.as_ref().map(|octets| tlv(0xac, octets)).unwrap_or_default());
        tlv(0x61, &out)
    }
}
