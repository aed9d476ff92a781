//! Which points a PDU is about, and the values it carries. Values are decoded here and nowhere else, when
//! somebody asks.

use crate::contract::{Point, PointKind, PointRange, PointSink, Value};

use super::file;
use super::pdu::{Pdu, Role};

/// What is known of the request that a response answers.
#[derive(Debug, Copy, Clone, Default)]
pub(crate) struct Requested<'a> {
    pub(crate) ranges: &'a [PointRange],
    /// Bits or registers asked for.
    pub(crate) quantity: Option<u16>,
}

impl Requested<'_> {
    fn first(&self) -> Option<u32> {
        self.ranges.first().map(PointRange::first)
    }
}

/// The kind of point a function is about.
pub(crate) fn kind(code: u8) -> PointKind {
    match code {
        1 | 5 | 15 => PointKind::Coil,
        2 => PointKind::DiscreteInput,
        3 | 6 | 16 | 22 | 23 => PointKind::HoldingRegister,
        4 => PointKind::InputRegister,
        20 | 21 => PointKind::FileRecord,
        24 => PointKind::FifoQueue,
        _ => PointKind::DeviceData,
    }
}

/// The ranges that the PDU itself names, in wire order.
pub(crate) fn named_ranges(pdu: &Pdu<'_>, ranges: &mut Vec<PointRange>) {
    ranges.clear();
    if pdu.exception {
        return;
    }
    let kind = kind(pdu.code);
    let mut push = |address: Option<u16>, quantity: Option<u16>| {
        if let (Some(address), Some(quantity @ 1..)) = (address, quantity) {
            let first = u32::from(address);
            ranges.push(PointRange::new(kind, first, first + u32::from(quantity) - 1));
        }
    };
    match pdu.code {
        1..=4 | 15 | 16 if pdu.address.is_some() => push(pdu.address, pdu.quantity),
        5 | 6 | 22 => push(pdu.address, Some(1)),
        23 => {
            push(pdu.read_address, pdu.read_quantity);
            push(pdu.write_address, pdu.write_quantity);
        }
        24 => push(pdu.address, Some(1)),
        20 if pdu.role == Role::Response => {}
        20 | 21 => ranges.extend(
            file::sub_requests(pdu.data, pdu.code == 21)
                .map(|part| PointRange::new(kind, part.address(), part.last())),
        ),
        _ => {}
    }
}

/// Hand out every point of a PDU.
pub(crate) fn visit(pdu: &Pdu<'_>, requested: Requested<'_>, sink: &mut dyn PointSink) {
    if pdu.exception {
        return;
    }
    match pdu.role {
        Role::Request => request(pdu, sink),
        Role::Response => response(pdu, requested, sink),
    }
}

type Sink<'s> = &'s mut dyn PointSink;

fn request(pdu: &Pdu<'_>, sink: Sink<'_>) {
    let kind = kind(pdu.code);
    let address = pdu.address.map(u32::from);
    match pdu.code {
        1..=4 => bare(kind, pdu.address, pdu.quantity, sink),
        5 | 6 | 8 | 22 => single(pdu, sink),
        15 => bits(kind, address, pdu.data, pdu.quantity, sink),
        16 => registers(kind, address, pdu.data, sink),
        20 | 21 => file_parts(pdu, sink),
        23 => {
            bare(kind, pdu.read_address, pdu.read_quantity, sink);
            registers(kind, pdu.write_address.map(u32::from), pdu.data, sink);
        }
        24 => bare(kind, pdu.address, Some(1), sink),
        _ => opaque(pdu, sink),
    }
}

fn response(pdu: &Pdu<'_>, requested: Requested<'_>, sink: Sink<'_>) {
    let kind = kind(pdu.code);
    match pdu.code {
        1 | 2 => bits(kind, requested.first(), pdu.data, requested.quantity, sink),
        3 | 4 | 23 => registers(kind, requested.first(), pdu.data, sink),
        5..=8 | 22 => single(pdu, sink),
        11 | 12 => counters(pdu, sink),
        15 | 16 => bare(kind, pdu.address, pdu.quantity, sink),
        20 => file_answer(pdu, requested, sink),
        21 => file_parts(pdu, sink),
        24 => queue(pdu, requested, sink),
        43 if pdu.identification.objects.is_some() => {
            for object in file::objects(pdu.data) {
                sink.point(&Point::new(kind, Some(object.id.into()), Value::Text(object.value)));
            }
        }
        _ => opaque(pdu, sink),
    }
}

/// Addresses without values. No function reaches more points than the coils of a read.
fn bare(kind: PointKind, first: Option<u16>, quantity: Option<u16>, sink: Sink<'_>) {
    const MOST_POINTS: u16 = 2000;
    let (Some(first), Some(quantity)) = (first, quantity) else { return };
    sink.addresses(kind, first.into(), quantity.min(MOST_POINTS).into());
}

/// Functions whose value is one field.
fn single(pdu: &Pdu<'_>, sink: Sink<'_>) {
    let address = pdu.address.map(u32::from);
    let value = match (pdu.code, pdu.value, pdu.and_mask, pdu.or_mask) {
        (5, Some(value @ (0 | 0xFF00)), _, _) => Value::Bit(value != 0),
        (22, _, Some(and), Some(or)) => Value::Mask { and, or },
        (_, Some(value), _, _) => Value::Unsigned(value.into()),
        _ => return,
    };
    sink.point(&Point::new(kind(pdu.code), address, value));
}

/// Bits, the first in the lowest place of the first octet.
fn bits(kind: PointKind, first: Option<u32>, data: &[u8], quantity: Option<u16>, sink: Sink<'_>) {
    let there = data.len() * 8;
    let count = quantity.map_or(there, |q| usize::from(q).min(there));
    sink.bits(kind, first, data, count);
}

fn registers(kind: PointKind, first: Option<u32>, data: &[u8], sink: Sink<'_>) {
    sink.registers(kind, first, data.as_chunks::<2>().0);
}

/// Big-endian words; an odd octet at the end is left to the layout checks.
pub(crate) fn words(data: &[u8]) -> impl Iterator<Item = u16> {
    data.as_chunks::<2>().0.iter().map(|pair| u16::from_be_bytes(*pair))
}

fn counters(pdu: &Pdu<'_>, sink: Sink<'_>) {
    for value in [pdu.value, pdu.event_count, pdu.message_count].into_iter().flatten() {
        sink.point(&Point::new(PointKind::DeviceData, None, Value::Unsigned(value.into())));
    }
    if pdu.code == 12 && !pdu.data.is_empty() {
        sink.point(&Point::new(PointKind::DeviceData, None, Value::Bytes(pdu.data)));
    }
}

fn opaque(pdu: &Pdu<'_>, sink: Sink<'_>) {
    if pdu.data.is_empty() {
        return;
    }
    sink.point(&Point::new(PointKind::DeviceData, None, Value::Bytes(pdu.data)));
}

fn file_parts(pdu: &Pdu<'_>, sink: Sink<'_>) {
    for part in file::sub_requests(pdu.data, pdu.code == 21) {
        if pdu.code == 21 {
            registers(PointKind::FileRecord, Some(part.address()), part.values, sink);
            continue;
        }
        sink.addresses(PointKind::FileRecord, part.address(), part.registers.min(125).into());
    }
}

/// Sub-responses name no record: they come in the order of the sub-requests.
fn file_answer(pdu: &Pdu<'_>, requested: Requested<'_>, sink: Sink<'_>) {
    let mut ranges = requested.ranges.iter();
    for part in file::sub_responses(pdu.data) {
        let first = ranges.next().map(PointRange::first);
        registers(PointKind::FileRecord, first, part.values, sink);
    }
}

/// All values of a queue stand under the address of its pointer.
fn queue(pdu: &Pdu<'_>, requested: Requested<'_>, sink: Sink<'_>) {
    for word in words(pdu.data) {
        sink.point(&Point::new(PointKind::FifoQueue, requested.first(), Value::Unsigned(word.into())));
    }
}
