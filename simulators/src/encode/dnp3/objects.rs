//! Objects of fixed layout: one table says what each group and variation is made of.

use crate::value::Value;

/// One field of an object.
#[derive(Debug, Clone, Copy, Eq, PartialEq)]
pub enum Field {
    /// Flags octet as given.
    Flags,
    /// Flags octet whose bit 7 is the state.
    BitFlags,
    /// Flags octet whose bits 7 and 6 are the state.
    DoubleBitFlags,
    /// Command status octet.
    Status,
    /// Octet whose bit 7 is the commanded state and whose other bits are the status.
    BitStatus,
    /// Unsigned value of one octet.
    U8,
    /// Unsigned value of two octets.
    U16,
    /// Unsigned value of four octets.
    U32,
    /// Signed value of two octets.
    I16,
    /// Signed value of four octets.
    I32,
    /// 32-bit float.
    F32,
    /// 64-bit float.
    F64,
    /// Time of the event, 48 bits.
    Time,
    /// Milliseconds after the last common time of occurrence, 16 bits.
    RelativeTime,
    /// The value itself is a time of 48 bits.
    TimeValue,
    /// Control block: code, count, on time, off time.
    Control,
    /// Two octets that are no part of the value (association id of a security statistic).
    Association,
    /// Four octets of interval (group 50).
    Interval,
    /// Octet with the interval's units (group 50).
    Units,
}

/// What an object carries.
#[derive(Debug, Clone)]
pub struct Sample {
    /// The value.
    pub value: Value,
    /// Flags without the state bits.
    pub flags: u8,
    /// Command status.
    pub status: u8,
    /// Time of the event in milliseconds since 1970.
    pub time_ms: u64,
    /// Common time of occurrence that a relative time counts from.
    pub base_ms: u64,
}

use Field as F;

/// Every object with a fixed layout: group, variation, fields in wire order.
pub const VARIATIONS: &[(u8, u8, &[Field])] = &[
    (1, 2, &[F::BitFlags]),
    (2, 1, &[F::BitFlags]),
    (2, 2, &[F::BitFlags, F::Time]),
    (2, 3, &[F::BitFlags, F::RelativeTime]),
    (3, 2, &[F::DoubleBitFlags]),
    (4, 1, &[F::DoubleBitFlags]),
    (4, 2, &[F::DoubleBitFlags, F::Time]),
    (4, 3, &[F::DoubleBitFlags, F::RelativeTime]),
    (10, 2, &[F::BitFlags]),
    (11, 1, &[F::BitFlags]),
    (11, 2, &[F::BitFlags, F::Time]),
    (12, 1, &[F::Control, F::Status]),
    (12, 2, &[F::Control, F::Status]),
    (13, 1, &[F::BitStatus]),
    (13, 2, &[F::BitStatus, F::Time]),
    (20, 1, &[F::Flags, F::U32]),
    (20, 2, &[F::Flags, F::U16]),
    (20, 3, &[F::Flags, F::U32]),
    (20, 4, &[F::Flags, F::U16]),
    (20, 5, &[F::U32]),
    (20, 6, &[F::U16]),
    (20, 7, &[F::U32]),
    (20, 8, &[F::U16]),
    (21, 1, &[F::Flags, F::U32]),
    (21, 2, &[F::Flags, F::U16]),
    (21, 3, &[F::Flags, F::U32]),
    (21, 4, &[F::Flags, F::U16]),
    (21, 5, &[F::Flags, F::U32, F::Time]),
    (21, 6, &[F::Flags, F::U16, F::Time]),
    (21, 7, &[F::Flags, F::U32, F::Time]),
    (21, 8, &[F::Flags, F::U16, F::Time]),
    (21, 9, &[F::U32]),
    (21, 10, &[F::U16]),
    (21, 11, &[F::U32]),
    (21, 12, &[F::U16]),
    (22, 1, &[F::Flags, F::U32]),
    (22, 2, &[F::Flags, F::U16]),
    (22, 3, &[F::Flags, F::U32]),
    (22, 4, &[F::Flags, F::U16]),
    (22, 5, &[F::Flags, F::U32, F::Time]),
    (22, 6, &[F::Flags, F::U16, F::Time]),
    (22, 7, &[F::Flags, F::U32, F::Time]),
    (22, 8, &[F::Flags, F::U16, F::Time]),
    (23, 1, &[F::Flags, F::U32]),
    (23, 2, &[F::Flags, F::U16]),
    (23, 3, &[F::Flags, F::U32]),
    (23, 4, &[F::Flags, F::U16]),
    (23, 5, &[F::Flags, F::U32, F::Time]),
    (23, 6, &[F::Flags, F::U16, F::Time]),
    (23, 7, &[F::Flags, F::U32, F::Time]),
    (23, 8, &[F::Flags, F::U16, F::Time]),
    (30, 1, &[F::Flags, F::I32]),
    (30, 2, &[F::Flags, F::I16]),
    (30, 3, &[F::I32]),
    (30, 4, &[F::I16]),
    (30, 5, &[F::Flags, F::F32]),
    (30, 6, &[F::Flags, F::F64]),
    (31, 1, &[F::Flags, F::I32]),
    (31, 2, &[F::Flags, F::I16]),
    (31, 3, &[F::Flags, F::I32, F::Time]),
    (31, 4, &[F::Flags, F::I16, F::Time]),
    (31, 5, &[F::I32]),
    (31, 6, &[F::I16]),
    (31, 7, &[F::Flags, F::F32]),
    (31, 8, &[F::Flags, F::F64]),
    (32, 1, &[F::Flags, F::I32]),
    (32, 2, &[F::Flags, F::I16]),
    (32, 3, &[F::Flags, F::I32, F::Time]),
    (32, 4, &[F::Flags, F::I16, F::Time]),
    (32, 5, &[F::Flags, F::F32]),
    (32, 6, &[F::Flags, F::F64]),
    (32, 7, &[F::Flags, F::F32, F::Time]),
    (32, 8, &[F::Flags, F::F64, F::Time]),
    (33, 1, &[F::Flags, F::I32]),
    (33, 2, &[F::Flags, F::I16]),
    (33, 3, &[F::Flags, F::I32, F::Time]),
    (33, 4, &[F::Flags, F::I16, F::Time]),
    (33, 5, &[F::Flags, F::F32]),
    (33, 6, &[F::Flags, F::F64]),
    (33, 7, &[F::Flags, F::F32, F::Time]),
    (33, 8, &[F::Flags, F::F64, F::Time]),
    (34, 1, &[F::U16]),
    (34, 2, &[F::U32]),
    (34, 3, &[F::F32]),
    (40, 1, &[F::Flags, F::I32]),
    (40, 2, &[F::Flags, F::I16]),
    (40, 3, &[F::Flags, F::F32]),
    (40, 4, &[F::Flags, F::F64]),
    (41, 1, &[F::I32, F::Status]),
    (41, 2, &[F::I16, F::Status]),
    (41, 3, &[F::F32, F::Status]),
    (41, 4, &[F::F64, F::Status]),
    (42, 1, &[F::Flags, F::I32]),
    (42, 2, &[F::Flags, F::I16]),
    (42, 3, &[F::Flags, F::I32, F::Time]),
    (42, 4, &[F::Flags, F::I16, F::Time]),
    (42, 5, &[F::Flags, F::F32]),
    (42, 6, &[F::Flags, F::F64]),
    (42, 7, &[F::Flags, F::F32, F::Time]),
    (42, 8, &[F::Flags, F::F64, F::Time]),
    (43, 1, &[F::Status, F::I32]),
    (43, 2, &[F::Status, F::I16]),
    (43, 3, &[F::Status, F::I32, F::Time]),
    (43, 4, &[F::Status, F::I16, F::Time]),
    (43, 5, &[F::Status, F::F32]),
    (43, 6, &[F::Status, F::F64]),
    (43, 7, &[F::Status, F::F32, F::Time]),
    (43, 8, &[F::Status, F::F64, F::Time]),
    (50, 1, &[F::TimeValue]),
    (50, 2, &[F::TimeValue, F::Interval]),
    (50, 3, &[F::TimeValue]),
    (50, 4, &[F::TimeValue, F::Interval, F::Units]),
    (51, 1, &[F::TimeValue]),
    (51, 2, &[F::TimeValue]),
    (52, 1, &[F::U16]),
    (52, 2, &[F::U16]),
    (102, 1, &[F::U8]),
    (121, 1, &[F::Flags, F::Association, F::U32]),
    (122, 1, &[F::Flags, F::Association, F::U32]),
    (122, 2, &[F::Flags, F::Association, F::U32, F::Time]),
];

/// The fields of an object, if its layout is fixed.
pub fn layout(group: u8, variation: u8) -> Option<&'static [Field]> {
    VARIATIONS.iter().find(|(g, v, _)| (*g, *v) == (group, variation)).map(|(_, _, fields)| *fields)
}

/// The octets of an object with these contents.
pub fn object(group: u8, variation: u8, sample: &Sample) -> Vec<u8> {
    layout(group, variation)
        .unwrap_or_default()
        .iter()
        .flat_map(|field| encode_field(*field, sample))
        .collect()
}

fn encode_field(field: Field, sample: &Sample) -> Vec<u8> {
    let number = match sample.value {
        Value::Unsigned(n) => n as i64,
        Value::Signed(n) => n,
        Value::Bit(bit) => i64::from(bit),
        Value::DoubleBit(state) => i64::from(state),
        _ => 0,
    };
    match field {
        Field::Flags => vec![sample.flags],
        Field::BitFlags => vec![(sample.flags & 0x7f) | ((number as u8 & 1) << 7)],
        Field::DoubleBitFlags => vec![(sample.flags & 0x3f) | ((number as u8 & 3) << 6)],
        Field::Status => vec![sample.status],
        Field::BitStatus => vec![(sample.status & 0x7f) | ((number as u8 & 1) << 7)],
        Field::U8 => vec![number as u8],
        Field::U16 | Field::I16 => (number as u16).to_le_bytes().to_vec(),
        Field::U32 | Field::I32 => (number as u32).to_le_bytes().to_vec(),
        Field::F32 => match sample.value {
            Value::Float32(x) => x.to_le_bytes().to_vec(),
            _ => vec![0; 4],
        },
        Field::F64 => match sample.value {
            Value::Float64(x) => x.to_le_bytes().to_vec(),
            _ => vec![0; 8],
        },
        Field::Time => time48(sample.time_ms),
        Field::RelativeTime => ((sample.time_ms - sample.base_ms) as u16).to_le_bytes().to_vec(),
        Field::TimeValue => match sample.value {
            Value::TimeMs(ms) => time48(ms),
            _ => vec![0; 6],
        },
        Field::Control => match sample.value {
            Value::Crob(code, count, on, off) => {
                [&[code, count], on.to_le_bytes().as_slice(), &off.to_le_bytes()].concat()
            }
            _ => vec![0; 10],
        },
        Field::Association => vec![0x34, 0x12],
        Field::Interval => 60_000_u32.to_le_bytes().to_vec(),
        Field::Units => vec![5],
    }
}

/// Milliseconds since 1970 in six octets.
pub(super) fn time48(ms: u64) -> Vec<u8> {
    ms.to_le_bytes()[..6].to_vec()
}

/// One-bit objects, packed: the lowest index in the least significant bit.
pub fn pack_bits(bits: &[bool]) -> Vec<u8> {
    let mut out = vec![0_u8; bits.len().div_ceil(8)];
    for (index, bit) in bits.iter().enumerate() {
        out[index / 8] |= u8::from(*bit) << (index % 8);
    }
    out
}

/// Two-bit objects, packed: the lowest index in the least significant bits.
pub fn pack_double_bits(states: &[u8]) -> Vec<u8> {
    let mut out = vec![0_u8; states.len().div_ceil(4)];
    for (index, state) in states.iter().enumerate() {
        out[index / 4] |= (state & 3) << (2 * (index % 4));
    }
    out
}
