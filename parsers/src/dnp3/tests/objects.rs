//! Every group and variation under every qualifier that can carry it. A sentinel behind the objects shows that
//! the list goes on at the right octet.
//!
//! The reference reading (tshark 4.0) steps otherwise, and shows headers that are none, in three places:
//!
//! - Group 43 variations 1 and 3: it does not step over the 32-bit value (IEEE 1815-2012, annex A: status, value,
//!   time).
//! - Group 0, types other than text, numbers and floating point: it steps over the type alone (annex A, group 0:
//!   type, length, value).
//! - Range specifiers 3 to 5: it takes one address, where first and last stand (4.2.2.7).

use super::build::*;
use super::rows::{OWN, Row, SIZED, fixed};
use crate::contract::DefectKind;
use crate::testing::{Wire, to_hex};

/// Common time of occurrence, for the relative times: 1700000000000 ms.
const COMMON_TIME: &str = "33 01 07 01 0068e5cf8b01";
/// A header whose point has to come out behind the one under test.
const SENTINEL: &str = "1e 04 00 63 63 3412";

fn le(number: usize, octets: usize) -> Vec<u8> {
    number.to_le_bytes()[..octets].to_vec()
}

/// Range field for `count` objects, the first with index 3.
fn range(code: u8, count: usize) -> Vec<u8> {
    let pair = |octets| [le(3, octets), le(3 + count - 1, octets)].concat();
    match code {
        0 | 3 => pair(1),
        1 | 4 => pair(2),
        2 | 5 => pair(4),
        6 => vec![],
        7 | 11 => le(count, 1),
        8 => le(count, 2),
        _ => le(count, 4),
    }
}

/// Prefix of the `n`th object.
fn prefix(code: u8, n: usize, size: usize) -> Vec<u8> {
    match code {
        1 => le(10 + 2 * n, 1),
        2 => le(10 + 2 * n, 2),
        3 => le(10 + 2 * n, 4),
        4 => le(size, 1),
        5 => le(size, 2),
        6 => le(size, 4),
        _ => vec![],
    }
}

fn index(prefix: u8, range: u8, n: usize) -> Option<usize> {
    match (prefix, range) {
        (1..=3, _) => Some(10 + 2 * n),
        (_, 0..=5) => Some(3 + n),
        _ => None,
    }
}

/// Send a response with the header, `count` times the object, and a sentinel.
fn play(row: &Row, (prefix_code, range_code): (u8, u8), count: usize) -> Wire {
    let object = row.octets();
    let mut body = crate::testing::hex(COMMON_TIME);
    body.extend([row.0, row.1, prefix_code << 4 | range_code]);
    body.extend(range(range_code, count));
    for n in 0..count {
        body.extend(prefix(prefix_code, n, object.len()));
        body.extend(&object);
    }
    let mut wire = tcp();
    wire.now = crate::contract::Timestamp(1_700_000_000_000_000_000);
    wire.send(DOWN, &response(&format!("c0 81 0000 {} {SENTINEL}", to_hex(&body))));
    wire
}

fn check(row: &Row, (prefix_code, range_code): (u8, u8)) {
    let count = 2;
    let wire = play(row, (prefix_code, range_code), count);
    let name = format!("g{}v{} qualifier {prefix_code:x}{range_code:x}", row.0, row.1);
    let points = wire.seen.points.first().unwrap_or_else(|| panic!("{name}: {:?}", wire.seen.lines));
    let mut expected = vec!["object[?]=TimeMs(1700000000000) g51v1".to_string()];
    for n in 0..count {
        let place = match index(prefix_code, range_code, n) {
            _ if row.0 == 0 => row.1.to_string(),
            Some(index) => index.to_string(),
            None => "?".to_string(),
        };
        expected.push(format!("{}[{place}]={} g{}v{}", row.2, row.4, row.0, row.1));
    }
    expected.push("analog_input[99]=Signed(4660) g30v4".to_string());
    // A value's details and its surroundings are written in one fixed order.
    assert_eq!(points, &expected, "{name}");
    assert_eq!(wire.seen.defects.len(), 1, "{name}: {:?}", wire.seen.defects);
    assert!(wire.seen.has(DefectKind::AnswerWithoutRequest, "DN-C15"), "{name}");
    assert!(!wire.seen.units[0].contains("not_decoded"), "{name}");
    assert!(!wire.seen.units[0].contains("surplus"), "{name}: {}", wire.seen.units[0]);
}

#[test]
fn every_object_of_fixed_size_decodes_under_every_qualifier() {
    for row in fixed() {
        for range in (0..=5).chain(7..=9) {
            for prefix in 0..=3 {
                check(row, (prefix, range));
            }
        }
        for range in [7, 8, 9, 11] {
            for prefix in 4..=6 {
                check(row, (prefix, range));
            }
        }
    }
}

/// Headers of a fragment are kept up to a number; those behind are walked again.
#[test]
fn objects_come_out_in_order_however_many_headers_there_are() {
    for count in [0, 1, 7, 8, 9, 10, 25] {
        let body: Vec<u8> = (0..count).flat_map(|n| [0x1E, 4, 0, n, n, n, 0]).collect();
        let mut wire = tcp();
        wire.send(DOWN, &response(&format!("c0 81 0000 {}", to_hex(&body))));
        let expected: Vec<_> = (0..count).map(|n| format!("analog_input[{n}]=Signed({n}) g30v4")).collect();
        assert_eq!(wire.seen.points.first().cloned().unwrap_or_default(), expected);
    }
}

#[test]
fn every_object_of_variable_size_decodes_under_every_size_prefix() {
    for row in SIZED {
        for range in [7, 8, 9, 11] {
            for prefix in 4..=6 {
                check(row, (prefix, range));
            }
        }
    }
}

#[test]
fn objects_that_say_their_size_need_no_prefix() {
    for row in OWN {
        for range in [0, 1, 2, 7, 8, 9] {
            for prefix in 0..=3 {
                check(row, (prefix, range));
            }
        }
        for prefix in 4..=6 {
            check(row, (prefix, 11));
        }
    }
}

#[test]
fn the_rows_cover_every_object_of_the_standard_and_every_size_agrees() {
    use super::super::object::layout::{self, Size};
    let mut covered = Vec::new();
    for row in fixed() {
        let Some(Size::Octets(size)) = layout::shape(row.0, row.1).map(layout::Shape::size) else {
            panic!("g{}v{} is of fixed size", row.0, row.1);
        };
        assert_eq!(size as usize, row.octets().len(), "g{}v{}", row.0, row.1);
        covered.push((row.0, row.1));
    }
    covered.extend(SIZED.iter().chain(OWN).map(|row| (row.0, row.1)));
    for group in 1..=255u8 {
        for variation in 0..=255u8 {
            let known = layout::shape(group, variation).is_some();
            let packed = matches!((group, variation), (1 | 3 | 10 | 80, 1) | (12, 3));
            let class = group == 60 && (1..=4).contains(&variation);
            // The variation of strings is their length; of g91 every variation is one status.
            let open = matches!((group, variation), (91 | 110..=113, 1..));
            let expected = covered.contains(&(group, variation)) || packed || class || open;
            assert_eq!(known, expected, "g{group}v{variation}");
        }
    }
}

#[test]
fn packed_bits_come_out_lowest_bit_first() {
    let cases = [
        ("01 01 00 0009 ff01", "binary_input", "Bit", 10, 1),
        ("0a 01 01 00000900 ff01", "binary_output", "Bit", 10, 1),
        ("0c 03 02 00000000 09000000 ff01", "binary_output", "Bit", 10, 1),
        ("50 01 00 000f ff01", "internal_indication", "Bit", 16, 1),
        ("01 01 03 0009 ff01", "binary_input", "Bit", 10, 1),
        ("03 01 00 0006 e41b", "double_bit_input", "DoubleBit", 7, 2),
        ("01 01 07 0a ff01", "binary_input", "Bit", 10, 1),
    ];
    for (object, kind, value, count, width) in cases {
        let mut wire = tcp();
        wire.send(DOWN, &response(&format!("c0 81 0000 {object} {SENTINEL}")));
        let points = &wire.seen.points[0];
        assert_eq!(points.len(), count + 1, "{object}: {points:?}");
        assert!(points[count].starts_with("analog_input[99]"), "{object}");
        let bits = if width == 1 { 0x01FF } else { 0x1BE4 };
        for (n, point) in points[..count].iter().enumerate() {
            let raw = bits >> (n * width) & ((1 << width) - 1);
            let shown = if width == 1 { (raw == 1).to_string() } else { raw.to_string() };
            let place = if object.starts_with("01 01 07") { "?".to_string() } else { n.to_string() };
            assert!(point.starts_with(&format!("{kind}[{place}]={value}({shown})")), "{object}: {point}");
        }
    }
}

#[test]
fn bits_with_an_index_before_them_take_an_octet_each() {
    let mut wire = tcp();
    wire.send(DOWN, &response(&format!("c0 81 0000 01 01 17 02 05 01 07 00 {SENTINEL}")));
    let points = &wire.seen.points[0];
    assert_eq!(points[..2], ["binary_input[5]=Bit(true) g1v1", "binary_input[7]=Bit(false) g1v1"]);
    assert!(points[2].starts_with("analog_input[99]"));
}

#[test]
fn requests_name_points_without_carrying_them() {
    let cases = [
        ("01 01 00 06", "binary_input[0..4294967295]"),
        ("01 1e 02 00 05 09", "analog_input[5..9]"),
        ("01 1e 00 01 0500 0901", "analog_input[5..265]"),
        ("01 1e 02 17 03 01 02 07", "analog_input[1..2] analog_input[7..7]"),
        ("01 1e 02 28 0200 0100 0200", "analog_input[1..2]"),
        ("01 1e 02 39 01000000 05000000", "analog_input[5..5]"),
        ("01 02 00 07 0a", "binary_input[0..4294967295]"),
        ("01 3c 02 07 0a", "class_data[1..1]"),
        ("07 14 00 06", "counter[0..4294967295]"),
        ("01 00 f7 00 00 00", "device_attribute[247..247]"),
        ("01 78 07 06", ""),
    ];
    for (request_hex, ranges) in cases {
        let mut wire = tcp();
        wire.send(UP, &request(&format!("c0 {request_hex}")));
        let line = &wire.seen.operations[0];
        assert!(line.contains(&format!("seq=0 {ranges}")), "{request_hex}: {line}");
        assert_eq!(wire.seen.defects, [""; 0], "{request_hex}");
        let valued = wire.seen.points[0].iter().find(|p| !p.contains("=None"));
        assert_eq!(valued, None, "{request_hex}");
    }
}

#[test]
fn reading_a_file_block_names_handle_and_block() {
    let mut wire = tcp();
    wire.send(UP, &request("c0 01 46 05 5b 01 0800 78563412 02000000"));
    assert_eq!(wire.seen.defects, [""; 0]);
    assert!(wire.seen.operations[0].contains("request file 1/None read"));
    assert!(
        wire.seen.units[0]
            .contains(r#""parts":{"handle":305419896,"block":2,"last_block":false,"octets":""}"#)
    );
}

#[test]
fn freeze_at_time_carries_its_time_and_no_counters() {
    let mut wire = tcp();
    wire.now = crate::contract::Timestamp(1_700_000_000_000_000_000);
    wire.send(UP, &request("c0 0b 32 02 07 01 0068e5cf8b01 10270000 14 00 06"));
    assert_eq!(wire.seen.defects, [""; 0]);
    assert_eq!(wire.seen.points[0], ["object[?]=TimeMs(1700000000000) g50v2"]);
    assert!(wire.seen.operations[0].contains("counter[0..4294967295]"));
}

#[test]
fn many_indices_are_cut_and_said_to_be_more() {
    let indices = to_hex(&(0..40).map(|n| n * 2).collect::<Vec<u8>>());
    let mut wire = tcp();
    wire.send(UP, &request(&format!("c0 01 1e 02 17 28 {indices}")));
    let line = &wire.seen.operations[0];
    assert_eq!(line.matches("analog_input[").count(), 32);
    assert!(line.contains("more_ranges"));
    let mut wire = tcp();
    wire.send(UP, &request(&format!("c0 01 1e 02 17 20 {}", &indices[..64])));
    assert!(!wire.seen.operations[0].contains("more_ranges"));
}

#[test]
fn unknown_object_keeps_what_precedes_it_and_shows_the_rest() {
    let mut wire = tcp();
    wire.send(DOWN, &response("c0 81 0000 1e 02 00 00 00 01 0a00 fa 07 00 00 01 aa bb"));
    assert!(wire.seen.has(DefectKind::UnknownObject, "DN-C11"));
    assert_eq!(wire.seen.points[0], ["analog_input[0]=Signed(10) flags=1 g30v2"]);
    let fields = &wire.seen.units[0];
    assert!(
        fields
            .contains(r#"{"group":250,"variation":7,"prefix":0,"range":0,"start":0,"stop":1,"count":null}]"#)
    );
    assert!(fields.contains(r#""not_decoded":"aabb""#), "{fields}");
    // With a size before it, an unknown object can be stepped over.
    let mut wire = tcp();
    wire.send(DOWN, &response(&format!("c0 81 0000 fa 07 5b 01 0200 aabb {SENTINEL}")));
    assert!(wire.seen.has(DefectKind::UnknownObject, "DN-C11"));
    assert_eq!(
        wire.seen.points[0],
        ["object[?]=Bytes([170, 187]) g250v7", "analog_input[99]=Signed(4660) g30v4"]
    );
}

#[test]
fn relative_time_without_a_common_time_is_no_time() {
    let mut wire = tcp();
    wire.send(DOWN, &response("c0 81 0000 02 03 17 01 05 81 f401"));
    assert_eq!(wire.seen.points[0], ["binary_input[5]=Bit(true) flags=129 g2v3"]);
    assert!(wire.seen.has(DefectKind::Peculiar, "DN-C18"));
}

#[test]
fn four_thousand_million_objects_without_an_octet_are_not_walked() {
    // Prefix code 7 leaves the extent open, a read carries no objects, the count is 4294967295.
    for body in
        ["c0 01 1e 02 79 ffffffff 01 02", "c0 01 1e 02 09 ffffffff", "c0 01 1e 02 02 00000000 ffffffff"]
    {
        let mut wire = tcp();
        wire.send(UP, &request(body));
        assert!(wire.seen.points[0].is_empty(), "{body}");
    }
    let mut wire = tcp();
    wire.send(DOWN, &response("c0 81 0000 3c 02 02 00000000 ffffffff 1e 04 00 63 63 3412"));
    assert_eq!(wire.seen.points[0], ["analog_input[99]=Signed(4660) g30v4"]);
}

/// The keys of the reference reading: group, variation and number of every header that a list of them shows.
fn listed(wire: &Wire) -> Vec<String> {
    let unit = wire.seen.units.last().unwrap();
    let list = unit.split(r#""objects":["#).nth(1).unwrap().split(']').next().unwrap();
    let number = |header: &str, key: &str| {
        let rest = header.split(&format!("\"{key}\":")).nth(1).unwrap();
        rest.split([',', '}']).next().unwrap().to_owned()
    };
    let headers = list.split("},{").filter(|header| !header.is_empty());
    headers
        .map(|h| format!("g{}v{} {}", number(h, "group"), number(h, "variation"), number(h, "count")))
        .collect()
}

#[test]
fn a_list_of_headers_goes_on_behind_kinds_that_have_no_objects() {
    let list = |octets: Vec<u8>, direction| {
        let mut wire = tcp();
        wire.send(direction, &octets);
        listed(&wire)
    };
    // Any variation where values belong, then class 1.
    assert_eq!(list(request("c002 0100 07 09 3c02 06"), UP), ["g1v0 9", "g60v2 null"]);
    // With a prefix: there is no object behind the first.
    assert_eq!(list(response("c081 0000 0200 18 0200 ff 3c02 06"), DOWN), ["g2v0 2", "g60v2 null"]);
    assert_eq!(list(request("c002 3c04 1b 08 ff 3c02 06"), UP), ["g60v4 8", "g60v2 null"]);
    // A read that gives sizes, and the objects with them.
    assert_eq!(list(request("c001 0201 4b 02 01ff 0101 3c02 06"), UP), ["g2v1 2", "g60v2 null"]);
    // A file's block can only be read with its size; as any other kind it is a header and nothing else.
    assert_eq!(list(request("c001 4605 00 0709 3c02 06"), UP), ["g70v5 null", "g60v2 null"]);
    // An unknown group ends it: nobody knows where the next header begins.
    assert_eq!(list(request("c002 0500 07 09 3c02 06"), UP), ["g5v0 9"]);
}
