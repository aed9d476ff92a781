//! Members of a data set (IEC 61850-8-1, clause A.3: Data of MMS).

use super::ber::{Numbers, signed, tlv, unsigned};
use super::pdu::UtcTime;

/// A member of a data set.
#[derive(Debug, Clone, PartialEq)]
pub enum Data {
    /// Elements of one type.
    Array(Vec<Data>),
    /// Components.
    Structure(Vec<Data>),
    /// Boolean.
    Boolean(bool),
    /// Bits, the first in the most significant place; and how many of the last octet are not used.
    BitString(Vec<u8>, u8),
    /// Signed integer.
    Integer(i64),
    /// Unsigned integer.
    Unsigned(u64),
    /// Single precision: exponent width 8 before it.
    Float32(f32),
    /// Double precision: exponent width 11 before it.
    Float64(f64),
    /// REAL of ASN.1, binary with base 2: mantissa and exponent.
    Real(i64, i8),
    /// Octets.
    OctetString(Vec<u8>),
    /// Characters.
    VisibleString(String),
    /// Time of day: milliseconds since midnight, and days since 1984 if given.
    BinaryTime(u32, Option<u16>),
    /// Binary coded decimal, shown as an integer.
    Bcd(u32),
    /// Bits of a boolean array, as a bit string.
    BooleanArray(Vec<u8>, u8),
    /// Characters in UTF-8.
    MmsString(String),
    /// Time in UTC.
    Utc(UtcTime),
}

impl Data {
    /// A double point position: 0 intermediate, 1 off, 2 on, 3 bad.
    pub fn position(state: u8) -> Data {
        Data::BitString(vec![state << 6], 6)
    }

    /// A quality of 13 bits.
    pub fn quality(bits: u16) -> Data {
        Data::BitString((bits << 3).to_be_bytes().to_vec(), 3)
    }

    /// Octets with tag and length.
    pub fn encode(&self, numbers: Numbers) -> Vec<u8> {
        let all = |parts: &[Data]| parts.iter().flat_map(|d| d.encode(numbers)).collect::<Vec<u8>>();
        let bits = |octets: &[u8], unused: u8| [&[unused], octets].concat();
        match self {
            Data::Array(parts) => tlv(0xa1, &all(parts)),
            Data::Structure(parts) => tlv(0xa2, &all(parts)),
            Data::Boolean(value) => tlv(0x83, &[if *value { 0xff } else { 0 }]),
            Data::BitString(octets, unused) => tlv(0x84, &bits(octets, *unused)),
            Data::Integer(value) => tlv(0x85, &signed(*value, numbers)),
            Data::Unsigned(value) => tlv(0x86, &unsigned(*value, numbers)),
            Data::Float32(value) => tlv(0x87, &[&[8], value.to_be_bytes().as_slice()].concat()),
            Data::Float64(value) => tlv(0x87, &[&[11], value.to_be_bytes().as_slice()].concat()),
            Data::Real(mantissa, exponent) => tlv(0x88, &real(*mantissa, *exponent)),
            Data::OctetString(octets) => tlv(0x89, octets),
            Data::VisibleString(text) => tlv(0x8a, text.as_bytes()),
            Data::BinaryTime(ms, days) => {
                let days = days.map(u16::to_be_bytes);
                let days = days.as_ref().map_or(&[][..], |d| d.as_slice());
                tlv(0x8c, &[ms.to_be_bytes().as_slice(), days].concat())
            }
            Data::Bcd(value) => tlv(0x8d, &unsigned(u64::from(*value), numbers)),
            Data::BooleanArray(octets, unused) => tlv(0x8e, &bits(octets, *unused)),
            Data::MmsString(text) => tlv(0x90, text.as_bytes()),
            Data::Utc(time) => tlv(0x91, &time.octets()),
        }
    }
}

/// REAL (X.690, clause 8.5): binary, base 2, no scale, exponent of one octet; nothing for zero.
fn real(mantissa: i64, exponent: i8) -> Vec<u8> {
    if mantissa == 0 {
        return Vec::new();
    }
    let head = 0x80 | u8::from(mantissa < 0) << 6;
    let octets = mantissa.unsigned_abs().to_be_bytes();
    let first = octets.iter().take_while(|octet| **octet == 0).count();
    [&[head, exponent as u8], &octets[first..]].concat()
}
