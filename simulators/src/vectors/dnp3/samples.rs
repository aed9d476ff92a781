//! Values at the edges of every field type, and the points a reader must find for them.

use super::super::ExpectedPoint;
use super::kind;
use crate::encode::dnp3::{Field, Sample, layout, object};
use crate::value::Value;

/// A time near 2023-11-14, far enough from the epoch to use all six octets.
pub(super) const BASE_MS: u64 = 1_700_000_000_000;

/// The sample number `index` (0 to 4) of an object.
pub(super) fn sample(group: u8, variation: u8, index: usize) -> Sample {
    let fields = layout(group, variation).unwrap_or_default();
    let value = fields.iter().find_map(|field| value(*field, index)).unwrap_or(Value::None);
    // Online; online and restart; communication lost; forced both ways; online and the group's own bit.
    let flags = [0x01, 0x03, 0x04, 0x19, 0x21][index % 5];
    let status = if matches!(group, 13 | 43) { [0, 2, 4, 10, 127][index % 5] } else { 0 };
    Sample { value, flags, status, time_ms: BASE_MS + 1001 * index as u64, base_ms: BASE_MS }
}

fn value(field: Field, index: usize) -> Option<Value> {
    let i = index % 5;
    Some(match field {
        Field::BitFlags | Field::BitStatus => Value::Bit(i.is_multiple_of(2)),
        Field::DoubleBitFlags => Value::DoubleBit([2, 1, 0, 3, 2][i]),
        Field::U8 => Value::Unsigned([0, 1, 0x7f, 0x80, 0xff][i]),
        Field::U16 => Value::Unsigned([0, 1, 0x1234, 0x8000, 0xffff][i]),
        Field::U32 => Value::Unsigned([0, 1, 0x1234_5678, 0x8000_0000, 0xffff_ffff][i]),
        Field::I16 => Value::Signed([0, -1, 0x1234, -32768, 32767][i]),
        Field::I32 => Value::Signed([0, -1, 0x1234_5678, -2_147_483_648, 2_147_483_647][i]),
        Field::F32 => Value::Float32([0.0, -1.5, 50.0, 1.0e30, -2.5e-10][i]),
        Field::F64 => Value::Float64([0.0, -1.5, 50.02, 1.0e300, -2.5e-100][i]),
        Field::TimeValue => Value::TimeMs(BASE_MS + 7 * i as u64),
        Field::Control => {
            let (code, count, on, off) = [
                (0x41, 1, 100, 0),
                (0x81, 2, 0x0102_0304, 1),
                (3, 1, 0, 0),
                (4, 1, 0, 0),
                (0x20, 0, 1, u32::MAX),
            ][i];
            Value::Crob(code, count, on, off)
        }
        _ => return None,
    })
}

/// The point that a sample makes at an index.
pub(super) fn point(group: u8, variation: u8, address: Option<u32>, sample: &Sample) -> ExpectedPoint {
    let fields = layout(group, variation).unwrap_or_default();
    let octets = object(group, variation, sample);
    // Flags stand first wherever there are any.
    let flagged = matches!(fields.first(), Some(Field::Flags | Field::BitFlags | Field::DoubleBitFlags));
    let status = fields.iter().any(|f| matches!(f, Field::Status | Field::BitStatus));
    let timed = fields.iter().any(|f| matches!(f, Field::Time | Field::RelativeTime));
    ExpectedPoint {
        kind: kind(group),
        address,
        value: sample.value.clone(),
        flags: flagged.then(|| octets[0]),
        status: status.then_some(sample.status),
        time_ms: timed.then_some(sample.time_ms),
        object: Some((group, variation)),
    }
}
