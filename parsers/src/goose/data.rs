//! The members of the data set: `allData`, a sequence of Data (IEC 61850-8-1 annex A, ISO 9506-2 Data).
//!
//! ```text
//! A1 array | A2 structure | 83 boolean | 84 bit string (unused bits, octets) | 85 integer | 86 unsigned
//! 87 float (exponent width, then IEEE 754) | 88 real | 89 octet string | 8A visible string
//! 8C time of day | 8D BCD | 8E boolean array | 90 MMS string | 91 UTC time
//! ```
//! The walk goes through arrays and structures without recursion, to [`MAX_DEPTH`] and [`MAX_MEMBERS`].

use super::ber::{self, Element};
use super::time;
use crate::contract::{Point, PointKind, Value};

/// Arrays and structures within one another that are looked into.
pub const MAX_DEPTH: usize = 16;

/// Values of a data set that are looked at. A frame has no room for more.
pub const MAX_MEMBERS: usize = 1500;

/// What the walk meets.
#[derive(Debug, Copy, Clone, PartialEq)]
pub(super) enum Step<'a> {
    /// An array (true) or a structure begins.
    Open(bool),
    /// The one opened last ends.
    Close,
    /// A value.
    Value(Element<'a>),
    /// What is no element: the rest of what holds it.
    Broken(&'a [u8]),
    /// More levels or values than the limits.
    Limit,
}

/// The name of a kind of data.
pub(super) fn name(element: &Element<'_>) -> &'static str {
    if element.tag.class != 0x80 {
        return "unknown";
    }
    match element.tag.number {
        1 => "array",
        2 => "structure",
        3 => "boolean",
        4 => "bit_string",
        5 => "integer",
        6 => "unsigned",
        7 => "float",
        8 => "real",
        9 => "octet_string",
        10 => "visible_string",
        12 => "time_of_day",
        13 => "bcd",
        14 => "boolean_array",
        16 => "mms_string",
        17 => "utc_time",
        _ => "unknown",
    }
}

/// The value of an element; what cannot be read as what it says it is stays octets.
pub(super) fn value<'a>(element: &Element<'a>) -> Value<'a> {
    let octets = element.value;
    if element.tag.class != 0x80 || element.missing > 0 {
        return Value::Bytes(octets);
    }
    let read = match element.tag.number {
        3 => octets.first().filter(|_| octets.len() == 1).map(|o| Value::Bit(*o != 0)),
        5 => ber::integer(octets).map(Value::Signed),
        6 | 13 => ber::unsigned(octets).map(Value::Unsigned),
        7 => float(octets),
        10 | 16 => Some(Value::Text(octets)),
        12 => time::time_of_day(octets).filter(|_| octets.len() == 6).map(Value::TimeMs),
        17 => time::utc(octets).map(|time| Value::TimeMs(time.ns / 1_000_000)),
        _ => None,
    };
    read.unwrap_or(Value::Bytes(octets))
}

fn float(octets: &[u8]) -> Option<Value<'static>> {
    match octets.split_first()? {
        (8, number) => number.try_into().ok().map(|octets| Value::Float32(f32::from_be_bytes(octets))),
        (11, number) => number.try_into().ok().map(|octets| Value::Float64(f64::from_be_bytes(octets))),
        _ => None,
    }
}

/// Whether the value can be read as what its tag says.
pub(super) fn is_sound(element: &Element<'_>) -> bool {
    let octets = element.value;
    if element.tag.class != 0x80 || element.missing > 0 || element.constructed {
        return false;
    }
    match element.tag.number {
        3 => octets.len() == 1,
        // Bits that are not used must be fewer than eight, and none of no octets.
        4 | 14 => octets
            .split_first()
            .is_some_and(|(unused, bits)| *unused < 8 && (*unused == 0 || !bits.is_empty())),
        5 => ber::integer(octets).is_some(),
        6 | 13 => ber::unsigned(octets).is_some(),
        7 => float(octets).is_some(),
        8..=10 | 16 => true,
        12 => matches!(octets.len(), 4 | 6),
        17 => octets.len() == 8,
        _ => false,
    }
}

/// Walk over `allData`.
pub(super) fn walk<'a>(octets: &'a [u8], visit: &mut dyn FnMut(Step<'a>)) {
    // Most hold values alone: no levels to come back to.
    let (mut flat, mut values) = (octets, 0);
    while let Ok((after, element)) = ber::element(flat) {
        if element.constructed || values >= MAX_MEMBERS {
            break;
        }
        values += 1;
        visit(Step::Value(element));
        flat = after;
    }
    if !flat.is_empty() {
        levels(flat, values, visit);
    }
}

/// The rest of a walk that has met `values` values.
fn levels<'a>(octets: &'a [u8], mut values: usize, visit: &mut dyn FnMut(Step<'a>)) {
    let mut rest: [&[u8]; MAX_DEPTH] = [&[]; MAX_DEPTH];
    rest[0] = octets;
    let mut depth = 0;
    loop {
        let Some(level) = rest.get(depth).copied() else { return };
        if level.is_empty() {
            if depth == 0 {
                return;
            }
            depth -= 1;
            visit(Step::Close);
            continue;
        }
        values += 1;
        if values > MAX_MEMBERS {
            visit(Step::Limit);
            (0..depth).for_each(|_| visit(Step::Close));
            return;
        }
        let Ok((after, element)) = ber::element(level) else {
            visit(Step::Broken(level));
            rest[depth] = &[];
            continue;
        };
        rest[depth] = after;
        let holds = element.constructed && element.tag.class == 0x80 && matches!(element.tag.number, 1 | 2);
        if holds && element.missing > 0 {
            visit(Step::Broken(element.octets));
        } else if !holds {
            visit(Step::Value(element));
        } else if depth + 1 < MAX_DEPTH {
            visit(Step::Open(element.tag.number == 1));
            depth += 1;
            rest[depth] = element.value;
        } else {
            visit(Step::Limit);
        }
    }
}

/// Every value as a point; its address is the place of its member in the data set, from 0. The values of a
/// structure share the address of their member.
pub(super) fn points(octets: &[u8], visit: &mut dyn FnMut(&Point<'_>)) {
    let (mut depth, mut member) = (0_u32, 0_u32);
    walk(octets, &mut |step| {
        if let Step::Value(element) = &step {
            visit(&Point::new(PointKind::DataSetMember, Some(member), value(element)));
        }
        count(&step, &mut depth, &mut member);
    });
}

/// Counts the members of the data set along the walk.
#[inline]
pub(super) fn count(step: &Step<'_>, depth: &mut u32, members: &mut u32) {
    match step {
        Step::Open(_) => *depth += 1,
        Step::Close => {
            *depth = depth.saturating_sub(1);
            *members += u32::from(*depth == 0);
        }
        Step::Value(_) => *members += u32::from(*depth == 0),
        Step::Broken(_) | Step::Limit => {}
    }
}

/// How many members the data set has, and a number that changes with their types.
pub(super) fn shape(octets: &[u8]) -> (u32, u64) {
    let (mut depth, mut members, mut shape) = (0_u32, 0_u32, 0xcbf2_9ce4_8422_2325_u64);
    let mut add = |octet: u32| shape = (shape ^ u64::from(octet)).wrapping_mul(0x0100_0000_01b3);
    walk(octets, &mut |step| {
        count(&step, &mut depth, &mut members);
        match step {
            Step::Open(is_array) => add(if is_array { 0x1A1 } else { 0x1A2 }),
            Step::Close => add(0x100),
            Step::Value(element) => add(u32::from(element.tag.class) | element.tag.number),
            Step::Broken(_) | Step::Limit => add(0x1FF),
        }
    });
    (members, shape)
}
