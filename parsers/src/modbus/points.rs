//! Which points a PDU is about, and the values it carries. Values are decoded here and nowhere else, when
//! somebody asks.

use crate::contract::{Point, PointKind, PointRange, Value};

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
pub(crate) fn visit(pdu: &Pdu<'_>, requested: Requested<'_>, visit: &mut dyn FnMut(&Point<'_>)) {
    if pdu.exception {
        return;
    }
    match pdu.role {
        Role::Request => request(pdu, visit),
        Role::Response => response(pdu, requested, visit),
    }
}

type Visit<'v> = &'v mut dyn FnMut(&Point<'_>);

fn request(pdu: &Pdu<'_>, visit: Visit<'_>) {
    let kind = kind(pdu.code);
    let address = pdu.address.map(u32::from);
    match pdu.code {
        1..=4 => bare(kind, pdu.address, pdu.quantity, visit),
        5 | 6 | 8 | 22 => single(pdu, visit),
        15 => bits(kind, address, pdu.data, pdu.quantity, visit),
        16 => registers(kind, address, pdu.data, visit),
        20 | 21 => file_parts(pdu, visit),
        23 => {
            bare(kind, pdu.read_address, pdu.read_quantity, visit);
            registers(kind, pdu.write_address.map(u32::from), pdu.data, visit);
        }
        24 => bare(kind, pdu.address, Some(1), visit),
        _ => opaque(pdu, visit),
    }
}

fn response(pdu: &Pdu<'_>, requested: Requested<'_>, visit: Visit<'_>) {
    let kind = kind(pdu.code);
    match pdu.code {
        1 | 2 => bits(kind, requested.first(), pdu.data, requested.quantity, visit),
        3 | 4 | 23 => registers(kind, requested.first(), pdu.data, visit),
        5..=8 | 22 => single(pdu, visit),
        11 | 12 => counters(pdu, visit),
        15 | 16 => bare(kind, pdu.address, pdu.quantity, visit),
        20 => file_answer(pdu, requested, visit),
        21 => file_parts(pdu, visit),
        24 => queue(pdu, requested, visit),
        43 if pdu.identification.objects.is_some() => {
            for object in file::objects(pdu.data) {
                visit(&Point::new(kind, Some(object.id.into()), Value::Text(object.value)));
            }
        }
        _ => opaque(pdu, visit),
    }
}

/// Addresses without values. No function reaches more points than the coils of a read.
fn bare(kind: PointKind, first: Option<u16>, quantity: Option<u16>, visit: Visit<'_>) {
    const MOST_POINTS: u16 = 2000;
    let (Some(first), Some(quantity)) = (first, quantity) else { return };
    for i in 0..quantity.min(MOST_POINTS) {
        visit(&Point::new(kind, Some(u32::from(first) + u32::from(i)), Value::None));
    }
}

/// Functions whose value is one field.
fn single(pdu: &Pdu<'_>, visit: Visit<'_>) {
    let address = pdu.address.map(u32::from);
    let value = match (pdu.code, pdu.value, pdu.and_mask, pdu.or_mask) {
        (5, Some(value @ (0 | 0xFF00)), _, _) => Value::Bit(value != 0),
        (22, _, Some(and), Some(or)) => Value::Mask { and, or },
        (_, Some(value), _, _) => Value::Unsigned(value.into()),
        _ => return,
    };
    visit(&Point::new(kind(pdu.code), address, value));
}

/// Bits, the first in the lowest place of the first octet.
fn bits(kind: PointKind, first: Option<u32>, data: &[u8], quantity: Option<u16>, visit: Visit<'_>) {
    let there = data.len() * 8;
    let count = quantity.map_or(there, |q| usize::from(q).min(there));
    let all = data.iter().flat_map(|octet| (0..8).map(move |place| octet >> place & 1 == 1));
    let mut address = first;
    for bit in all.take(count) {
        visit(&Point::new(kind, address, Value::Bit(bit)));
        address = address.map(|a| a.saturating_add(1));
    }
}

fn registers(kind: PointKind, first: Option<u32>, data: &[u8], visit: Visit<'_>) {
    let mut address = first;
    for word in words(data) {
        visit(&Point::new(kind, address, Value::Unsigned(word.into())));
        address = address.map(|a| a.saturating_add(1));
    }
}

/// Big-endian words; an odd octet at the end is left to the layout checks.
pub(crate) fn words(data: &[u8]) -> impl Iterator<Item = u16> {
    data.as_chunks::<2>().0.iter().map(|pair| u16::from_be_bytes(*pair))
}

fn counters(pdu: &Pdu<'_>, visit: Visit<'_>) {
    for value in [pdu.value, pdu.event_count, pdu.message_count].into_iter().flatten() {
        visit(&Point::new(PointKind::DeviceData, None, Value::Unsigned(value.into())));
    }
    if pdu.code == 12 && !pdu.data.is_empty() {
        visit(&Point::new(PointKind::DeviceData, None, Value::Bytes(pdu.data)));
    }
}

fn opaque(pdu: &Pdu<'_>, visit: Visit<'_>) {
    if pdu.data.is_empty() {
        return;
    }
    visit(&Point::new(PointKind::DeviceData, None, Value::Bytes(pdu.data)));
}

fn file_parts(pdu: &Pdu<'_>, visit: Visit<'_>) {
    for part in file::sub_requests(pdu.data, pdu.code == 21) {
        if pdu.code == 21 {
            registers(PointKind::FileRecord, Some(part.address()), part.values, visit);
            continue;
        }
        for i in 0..u32::from(part.registers.min(125)) {
            let address = part.address().saturating_add(i);
            visit(&Point::new(PointKind::FileRecord, Some(address), Value::None));
        }
    }
}

/// Sub-responses name no record: they come in the order of the sub-requests.
fn file_answer(pdu: &Pdu<'_>, requested: Requested<'_>, visit: Visit<'_>) {
    let mut ranges = requested.ranges.iter();
    for part in file::sub_responses(pdu.data) {
        let first = ranges.next().map(PointRange::first);
        registers(PointKind::FileRecord, first, part.values, visit);
    }
}

/// All values of a queue stand under the address of its pointer.
fn queue(pdu: &Pdu<'_>, requested: Requested<'_>, visit: Visit<'_>) {
    for word in words(pdu.data) {
        visit(&Point::new(PointKind::FifoQueue, requested.first(), Value::Unsigned(word.into())));
    }
}
