//! From an object's octets to a point with value, flags and time.

use super::header::{Item, ObjectHeader};
use super::layout::{self, Lead, Number, Shape, Size, Tail, When};
use crate::contract::{Crob, Point, Value};

/// Reads an object's fields from front to back. What is missing reads as `None`.
#[derive(Clone)]
pub(in crate::dnp3) struct Fields<'a>(pub &'a [u8]);

impl<'a> Fields<'a> {
    pub(in crate::dnp3) fn take(&mut self, octets: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(octets)?;
        self.0 = rest;
        Some(taken)
    }
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*taken)
    }
    pub(in crate::dnp3) fn u8(&mut self) -> Option<u8> {
        self.array::<1>().map(|[octet]| octet)
    }
    pub(in crate::dnp3) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }
    pub(in crate::dnp3) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }
    /// 48-bit time.
    pub(in crate::dnp3) fn time(&mut self) -> Option<u64> {
        let low = u64::from(self.u32()?);
        Some(low | u64::from(self.u16()?) << 32)
    }
    fn number(&mut self, number: Number) -> Option<Value<'a>> {
        Some(match number {
            Number::U8 => Value::Unsigned(self.u8()?.into()),
            Number::U16 => Value::Unsigned(self.u16()?.into()),
            Number::U32 => Value::Unsigned(self.u32()?.into()),
            Number::I16 => Value::Signed(i16::from_le_bytes(self.array()?).into()),
            Number::I32 => Value::Signed(i32::from_le_bytes(self.array()?).into()),
            Number::F32 => Value::Float32(f32::from_le_bytes(self.array()?)),
            Number::F64 => Value::Float64(f64::from_le_bytes(self.array()?)),
        })
    }
}

/// The point in an object. `common_time` is the last common time of occurrence in the fragment.
pub(in crate::dnp3) fn point<'a>(
    header: &ObjectHeader<'a>,
    item: &Item<'a>,
    common_time: Option<u64>,
) -> Point<'a> {
    let address = match header.group {
        0 => Some(header.variation.into()),
        _ => item.index,
    };
    let mut point = Point::new(layout::kind(header.group), address, Value::None);
    point.object = Some((header.group, header.variation));
    point.ordered = matches!(header.group, 12 | 13 | 41 | 43);
    if !header.has_objects && item.octets.is_empty() {
        return point;
    }
    let fits = match header.size {
        Size::Octets(size) if header.has_sizes() => u32::try_from(item.octets.len()) == Ok(size),
        _ => true,
    };
    let shape = header.shape.filter(|_| fits);
    if shape.and_then(|shape| fill(&mut point, shape, item, common_time)).is_none() {
        point.value = Value::Bytes(item.octets);
    }
    point
}

/// Visit the points behind a header whose objects all have the same size and are no packed bits. False if they have
/// not, and none was visited. `common_time` as for [`point`].
#[inline]
pub(in crate::dnp3) fn each<'a>(
    header: &ObjectHeader<'a>,
    common_time: Option<u64>,
    visit: &mut dyn FnMut(&Point<'a>),
) -> bool {
    let (Some(records), Some(shape)) = (header.records(), header.shape) else { return false };
    if header.group == 0 {
        return false;
    }
    let mut point = Point::new(layout::kind(header.group), None, Value::None);
    point.object = Some((header.group, header.variation));
    point.ordered = matches!(header.group, 12 | 13 | 41 | 43);
    for item in records {
        point.address = item.index;
        if fill(&mut point, shape, &item, common_time).is_none() {
            let (object, ordered) = (point.object, point.ordered);
            point =
                Point { object, ordered, ..Point::new(point.kind, item.index, Value::Bytes(item.octets)) };
        }
        visit(&point);
    }
    true
}

/// Fill in what the shape says. `None`: the octets do not fit the shape, or it is not taken apart here.
fn fill<'a>(point: &mut Point<'a>, shape: Shape, item: &Item<'a>, common_time: Option<u64>) -> Option<()> {
    let mut fields = Fields(item.octets);
    match shape {
        Shape::Bit => point.value = Value::Bit(fields.u8()? >> item.bit & 1 != 0),
        Shape::TwoBits => point.value = Value::DoubleBit(fields.u8()? >> item.bit & 3),
        Shape::State(when) => {
            let flags = fields.u8()?;
            (point.flags, point.value) = (Some(flags), Value::Bit(flags & 0x80 != 0));
            point.time_ms = event_time(&mut fields, when, common_time);
        }
        Shape::DoubleState(when) => {
            let flags = fields.u8()?;
            (point.flags, point.value) = (Some(flags), Value::DoubleBit(flags >> 6));
            point.time_ms = event_time(&mut fields, when, common_time);
        }
        Shape::CommandEvent(when) => {
            let octet = fields.u8()?;
            (point.status, point.value) = (Some(octet & 0x7F), Value::Bit(octet & 0x80 != 0));
            point.time_ms = event_time(&mut fields, when, common_time);
        }
        Shape::Number(lead, number, tail) => number_point(point, fields, (lead, number, tail))?,
        Shape::Crob => {
            let (code, count) = (fields.u8()?, fields.u8()?);
            let (on_time_ms, off_time_ms) = (fields.u32()?, fields.u32()?);
            point.value = Value::Crob(Crob { code, count, on_time_ms, off_time_ms });
            point.status = Some(fields.u8()?);
        }
        Shape::Time | Shape::TimeInterval | Shape::TimeIntervalUnits => {
            point.value = Value::TimeMs(fields.time()?);
        }
        Shape::DelaySeconds | Shape::DelayMilliseconds => point.value = Value::Unsigned(fields.u16()?.into()),
        Shape::Statistic(when) => {
            point.flags = Some(fields.u8()?);
            let _association = fields.u16()?;
            point.value = Value::Unsigned(fields.u32()?.into());
            point.time_ms = event_time(&mut fields, when, common_time);
        }
        Shape::Bcd(_) => point.value = bcd(item.octets)?,
        Shape::Octets(_) => point.value = text_or_bytes(item.octets),
        Shape::Attribute => point.value = attribute(item.octets)?,
        Shape::AuthStatusRequest => point.value = Value::Unsigned(fields.u16()?.into()),
        Shape::Sized => point.value = sized(point.object?, item.octets)?,
        Shape::Nothing | Shape::Storage | Shape::Private | Shape::AuthAggressive => return None,
    }
    Some(())
}

fn number_point<'a>(
    point: &mut Point<'a>,
    mut fields: Fields<'a>,
    (lead, number, tail): (Lead, Number, Tail),
) -> Option<()> {
    match lead {
        Lead::None => {}
        Lead::Flags => point.flags = Some(fields.u8()?),
        Lead::Status => point.status = Some(fields.u8()?),
    }
    point.value = fields.number(number)?;
    match tail {
        Tail::None => {}
        Tail::Time => point.time_ms = Some(fields.time()?),
        Tail::Status => point.status = Some(fields.u8()?),
    }
    Some(())
}

/// The time behind a state. A relative time without a common time of occurrence is no time.
fn event_time(fields: &mut Fields<'_>, when: When, common_time: Option<u64>) -> Option<u64> {
    match when {
        When::None => None,
        When::Absolute => fields.time(),
        When::Relative => {
            let milliseconds = u64::from(fields.u16()?);
            common_time.map(|base| base + milliseconds)
        }
    }
}

/// Binary coded decimal, least significant octet first, as all of DNP3.
fn bcd(octets: &[u8]) -> Option<Value<'_>> {
    let mut number = 0u64;
    for octet in octets.iter().rev() {
        let (tens, ones) = (octet >> 4, octet & 0x0F);
        if tens > 9 || ones > 9 {
            return None;
        }
        number = number * 100 + u64::from(tens * 10 + ones);
    }
    Some(Value::Unsigned(number))
}

/// Text if everything in it can be printed.
pub(in crate::dnp3) fn text_or_bytes(octets: &[u8]) -> Value<'_> {
    let printable = |o: &u8| matches!(o, 0x20..=0x7E | b'\t' | b'\r' | b'\n');
    if !octets.is_empty() && octets.iter().all(printable) {
        Value::Text(octets)
    } else {
        Value::Bytes(octets)
    }
}

/// A device attribute: type, length, value.
fn attribute(octets: &[u8]) -> Option<Value<'_>> {
    let [code, _length, value @ ..] = octets else { return None };
    let wide = || {
        let mut eight = [0u8; 8];
        eight.get_mut(..value.len())?.copy_from_slice(value);
        Some(u64::from_le_bytes(eight))
    };
    Some(match (code, value.len()) {
        (1, _) => Value::Text(value),
        (2, 1..=8) => Value::Unsigned(wide()?),
        (3, 1..=8) => {
            let unused = 64 - 8 * u32::try_from(value.len()).ok()?;
            Value::Signed(wide()?.cast_signed() << unused >> unused)
        }
        (4, 4) => Value::Float32(f32::from_le_bytes(value.try_into().ok()?)),
        (4, 8) => Value::Float64(f64::from_le_bytes(value.try_into().ok()?)),
        (7, 6) => Value::TimeMs(wide()?),
        _ => Value::Bytes(value),
    })
}

/// The part of a structured object that stands for it as a value: a file's name or octets.
fn sized(object: (u8, u8), octets: &[u8]) -> Option<Value<'_>> {
    let mut fields = Fields(octets);
    match object {
        (70, 3) => {
            let (_offset, length) = (fields.u16()?, fields.u16()?);
            fields.take(22)?;
            Some(Value::Text(fields.take(length.into())?))
        }
        (70, 5) => {
            fields.take(8)?;
            Some(Value::Bytes(fields.0))
        }
        (70, 7) => {
            let (_offset, length) = (fields.u16()?, fields.u16()?);
            fields.take(16)?;
            Some(Value::Text(fields.take(length.into())?))
        }
        (70, 8) => Some(Value::Text(octets)),
        (70, 4 | 6) => {
            // Status stands behind handle and sizes (v4), or handle and block number (v6).
            fields.take(if object.1 == 4 { 12 } else { 8 })?;
            Some(Value::Unsigned(fields.u8()?.into()))
        }
        _ => Some(text_or_bytes(octets)),
    }
}
