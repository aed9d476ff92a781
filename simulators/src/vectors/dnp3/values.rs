//! Every object of fixed layout with every qualifier that it can have.

use super::super::ExpectedPoint;
use super::samples::{BASE_MS, point, sample};
use super::{Book, Fragment, kind};
use crate::encode::dnp3::{Header, Prefix, Range, Sample, VARIATIONS, object, pack_bits, pack_double_bits};
use crate::value::Value;

/// Qualifiers with an index before each object: name, prefix, range for `count` objects.
pub(super) fn indexed(count: u8) -> [(&'static str, Prefix, Range); 5] {
    [
        ("17", Prefix::Index8, Range::Count8(count)),
        ("28", Prefix::Index16, Range::Count16(count.into())),
        ("39", Prefix::Index32, Range::Count32(count.into())),
        ("27", Prefix::Index16, Range::Count8(count)),
        ("18", Prefix::Index8, Range::Count16(count.into())),
    ]
}

/// Start-stop qualifiers for `count` objects: name, first index, range.
pub(super) fn ranged(count: u8) -> [(&'static str, u32, Range); 3] {
    let more = u32::from(count) - 1;
    [
        ("00", 3, Range::Points8(3, 3 + count - 1)),
        ("01", 300, Range::Points16(300, 300 + more as u16)),
        ("02", 70_000, Range::Points32(70_000, 70_000 + more)),
    ]
}

/// Whether a group holds present values, which are reported by start and stop.
fn is_static(group: u8) -> bool {
    matches!(group, 1 | 3 | 10 | 20 | 21 | 30 | 31 | 34 | 40 | 102 | 121)
}

/// Groups that need a header of another group before them, or go the other way.
fn is_elsewhere(group: u8, variation: u8) -> bool {
    matches!(group, 12 | 41 | 50 | 51 | 52) || (matches!(group, 2 | 4) && variation == 3)
}

fn samples(group: u8, variation: u8) -> Vec<Sample> {
    (0..5).map(|i| sample(group, variation, i)).collect()
}

/// An object header with all five samples behind it, and the points they make.
fn with_index(group: u8, variation: u8, prefix: Prefix, range: Range) -> (Vec<u8>, Vec<ExpectedPoint>) {
    let mut octets = Header::prefixed(group, variation, prefix, range).encode();
    let mut points = Vec::new();
    for (i, sample) in samples(group, variation).iter().enumerate() {
        // Indexes neither in order nor next to each other, as events come.
        let index = [7, 250, 0, 31, 8][i];
        octets.extend_from_slice(&prefix.encode(index));
        octets.extend_from_slice(&object(group, variation, sample));
        points.push(point(group, variation, Some(index), sample));
    }
    (octets, points)
}

pub(super) fn fixed(book: &mut Book) {
    for (group, variation, _) in VARIATIONS.iter().copied() {
        if is_elsewhere(group, variation) {
            continue;
        }
        for (name, prefix, range) in indexed(5) {
            let (octets, points) = with_index(group, variation, prefix, range);
            let name = format!("g{group}v{variation} qualifier {name}");
            if is_static(group) {
                book.add(name, vec![Fragment::response(2, &octets, points)]);
            } else {
                let confirm = Fragment::confirm(3, true);
                book.add(name, vec![Fragment::unsolicited(3, &octets, points), confirm]);
            }
        }
        if is_static(group) {
            for (name, first, range) in ranged(5) {
                let mut octets = Header::new(group, variation, range).encode();
                let mut points = Vec::new();
                for (i, sample) in samples(group, variation).iter().enumerate() {
                    octets.extend_from_slice(&object(group, variation, sample));
                    points.push(point(group, variation, Some(first + i as u32), sample));
                }
                let ranges = vec![(kind(group), first, first + 4)];
                let response = Fragment::response(4, &octets, points).ranges(ranges);
                book.add(format!("g{group}v{variation} qualifier {name}"), vec![response]);
            }
        }
    }
    dead_band_writes(book);
}

fn dead_band_writes(book: &mut Book) {
    for variation in 1..=3 {
        let (octets, points) = with_index(34, variation, Prefix::Index8, Range::Count8(5));
        let answer = Fragment::response(6, &[], vec![]);
        book.add(format!("write g34v{variation}"), vec![Fragment::request(6, 2, &octets, points), answer]);
    }
}

/// One- and two-bit objects, packed by ranges and one to an octet behind an index.
pub(super) fn packed(book: &mut Book) {
    let count = 11_u8;
    let bits: Vec<bool> = (0..count).map(|i| i % 3 != 1).collect();
    let states: Vec<u8> = (0..count).map(|i| (i * 7 / 2) & 3).collect();
    for group in [1_u8, 3, 10] {
        let values: Vec<Value> = if group == 3 {
            states.iter().map(|s| Value::DoubleBit(*s)).collect()
        } else {
            bits.iter().map(|b| Value::Bit(*b)).collect()
        };
        let bare = |address: u32, value: &Value| ExpectedPoint {
            object: Some((group, 1)),
            ..ExpectedPoint::new(kind(group), address, value.clone())
        };
        for (name, first, range) in ranged(count) {
            let body = if group == 3 { pack_double_bits(&states) } else { pack_bits(&bits) };
            let octets = [Header::new(group, 1, range).encode(), body].concat();
            let points = values.iter().enumerate().map(|(i, v)| bare(first + i as u32, v)).collect();
            let fragments = vec![Fragment::response(5, &octets, points)];
            book.add(format!("g{group}v1 packed, qualifier {name}"), fragments);
        }
        for (name, prefix, range) in indexed(2) {
            let octet = |i: usize| if group == 3 { states[i] } else { u8::from(bits[i]) };
            let octets = [
                Header::prefixed(group, 1, prefix, range).encode(),
                prefix.encode(9),
                vec![octet(0)],
                prefix.encode(4),
                vec![octet(1)],
            ]
            .concat();
            let points = vec![bare(9, &values[0]), bare(4, &values[1])];
            let fragments = vec![Fragment::response(5, &octets, points)];
            book.add(format!("g{group}v1 one to an octet, qualifier {name}"), fragments);
        }
    }
}

/// Controls: select, operate, direct operate with and without response, and their answers.
pub(super) fn commands(book: &mut Book) {
    for (group, variation) in [(12_u8, 1_u8), (12, 2), (41, 1), (41, 2), (41, 3), (41, 4)] {
        for (name, prefix, range) in indexed(5) {
            let (octets, points) = with_index(group, variation, prefix, range);
            let refused: Vec<Sample> = samples(group, variation)
                .into_iter()
                .enumerate()
                .map(|(i, s)| Sample { status: [0, 1, 4, 10, 127][i], ..s })
                .collect();
            let mut echo = Header::prefixed(group, variation, prefix, range).encode();
            let mut answers = Vec::new();
            for (point_asked, sample) in points.iter().zip(&refused) {
                let index = point_asked.address.unwrap_or_default();
                echo.extend_from_slice(&prefix.encode(index));
                echo.extend_from_slice(&object(group, variation, sample));
                answers.push(point(group, variation, Some(index), sample));
            }
            let fragments = vec![
                Fragment::request(1, 3, &octets, points.clone()),
                Fragment::response(1, &octets, points.clone()),
                Fragment::request(2, 4, &octets, points.clone()),
                Fragment::response(2, &echo, answers.clone()),
                Fragment::request(3, 5, &octets, points.clone()),
                Fragment::response(3, &echo, answers),
                Fragment::request(4, 6, &octets, points),
            ];
            book.add(format!("g{group}v{variation} controls, qualifier {name}"), fragments);
        }
    }
    pattern_mask(book);
}

/// A pattern control block and the mask that says which points it moves.
fn pattern_mask(book: &mut Book) {
    let block = sample(12, 2, 0);
    let bits = [true, false, true, true, false, false, true, false, true];
    let octets = [
        Header::new(12, 2, Range::Count8(1)).encode(),
        object(12, 2, &block),
        Header::new(12, 3, Range::Points8(20, 28)).encode(),
        pack_bits(&bits),
    ]
    .concat();
    let mut points = vec![point(12, 2, None, &block)];
    points.extend(bits.iter().enumerate().map(|(i, bit)| ExpectedPoint {
        object: Some((12, 3)),
        ..ExpectedPoint::new(kind(12), 20 + i as u32, Value::Bit(*bit))
    }));
    let fragments =
        vec![Fragment::request(1, 5, &octets, points.clone()), Fragment::response(1, &octets, points)];
    book.add("g12v3 pattern mask", fragments);
}

/// Times: written, reported, and as the base of relative times.
pub(super) fn times(book: &mut Book) {
    for (group, variation, function) in [
        (50_u8, 1_u8, 2_u8),
        (50, 2, 11),
        (50, 3, 2),
        (50, 4, 2),
        (51, 1, 0),
        (51, 2, 0),
        (52, 1, 0),
        (52, 2, 0),
    ] {
        for (name, range) in [("07", Range::Count8(1)), ("08", Range::Count16(1))] {
            let content = sample(group, variation, 1);
            let octets =
                [Header::new(group, variation, range).encode(), object(group, variation, &content)].concat();
            let points = vec![point(group, variation, None, &content)];
            let name = format!("g{group}v{variation} qualifier {name}");
            let fragments = if function == 0 {
                vec![Fragment::response(1, &octets, points)]
            } else {
                vec![Fragment::request(1, function, &octets, points), Fragment::response(1, &[], vec![])]
            };
            book.add(name, fragments);
        }
    }
    relative_times(book);
}

fn relative_times(book: &mut Book) {
    for group in [2_u8, 4] {
        for base in [1_u8, 2] {
            for (name, prefix, range) in indexed(5) {
                let start = Sample { value: Value::TimeMs(BASE_MS), ..sample(51, base, 0) };
                let (events, mut points) = with_index(group, 3, prefix, range);
                let octets =
                    [Header::new(51, base, Range::Count8(1)).encode(), object(51, base, &start), events]
                        .concat();
                points.insert(0, point(51, base, None, &start));
                let fragments = vec![Fragment::unsolicited(4, &octets, points), Fragment::confirm(4, true)];
                book.add(format!("g{group}v3 after g51v{base}, qualifier {name}"), fragments);
            }
        }
    }
}
