//! Objects of variable size: strings, attributes, files, authentication, and those without a meaning here.

use super::super::ExpectedPoint;
use super::samples::{BASE_MS, point, sample};
use super::values::{indexed, ranged};
use super::{Book, Fragment, kind};
use crate::encode::dnp3::{self as encode, Header, Prefix, Range, object};
use crate::value::Value;

fn text(group: u8, variation: u8, address: u32, bytes: &[u8]) -> ExpectedPoint {
    ExpectedPoint {
        object: Some((group, variation)),
        ..ExpectedPoint::new(kind(group), address, Value::Octets(bytes.to_vec()))
    }
}

/// A header of one object with its size before it.
fn sized(group: u8, variation: u8, prefix: Prefix, content: &[u8]) -> Vec<u8> {
    let header = Header::prefixed(group, variation, prefix, Range::Free(1));
    [header.encode(), prefix.encode(content.len() as u32), content.to_vec()].concat()
}

fn loose_values(values: &[&[u8]]) -> Vec<ExpectedPoint> {
    values.iter().map(|v| ExpectedPoint::new("object", 0, Value::Octets(v.to_vec()))).collect()
}

/// Numbers that must be found somewhere in the content.
fn loose_numbers(numbers: &[u64]) -> Vec<ExpectedPoint> {
    numbers.iter().map(|n| ExpectedPoint::new("object", 0, Value::Unsigned(*n))).collect()
}

/// Groups 110 to 113, whose variation is the length.
pub(super) fn strings(book: &mut Book) {
    for group in 110..=113_u8 {
        for content in [b"A".as_slice(), b"breaker 7", &[0x00, 0xff, 0x80]] {
            let length = content.len() as u8;
            for (name, prefix, range) in indexed(2) {
                let octets = [
                    Header::prefixed(group, length, prefix, range).encode(),
                    prefix.encode(5),
                    content.to_vec(),
                    prefix.encode(2),
                    content.to_vec(),
                ]
                .concat();
                let points = vec![text(group, length, 5, content), text(group, length, 2, content)];
                book.add(
                    format!("g{group}v{length} qualifier {name}"),
                    vec![Fragment::response(1, &octets, points)],
                );
            }
            for (name, first, range) in ranged(2) {
                let octets =
                    [Header::new(group, length, range).encode(), content.to_vec(), content.to_vec()].concat();
                let points =
                    vec![text(group, length, first, content), text(group, length, first + 1, content)];
                let fragments =
                    vec![Fragment::request(1, 2, &octets, points), Fragment::response(1, &[], vec![])];
                book.add(format!("write g{group}v{length} qualifier {name}"), fragments);
            }
        }
    }
}

/// Group 0: one value of every type.
pub(super) fn attributes(book: &mut Book) {
    let vendor = b"Example Works".to_vec();
    let list = vec![252, 0, 242, 0];
    let values: [(u8, u8, Vec<u8>, Value); 9] = [
        (252, 1, vendor.clone(), Value::Octets(vendor)),
        (240, 2, vec![0x00, 0x08], Value::Unsigned(2048)),
        (206, 3, vec![0xfe, 0xff], Value::Signed(-2)),
        (204, 4, 50.0_f32.to_le_bytes().to_vec(), Value::Float32(50.0)),
        (205, 4, 8.25_f64.to_le_bytes().to_vec(), Value::Float64(8.25)),
        (200, 5, vec![0xde, 0xad, 0xbe, 0xef], Value::Octets(vec![0xde, 0xad, 0xbe, 0xef])),
        (239, 6, vec![0x5a], Value::Octets(vec![0x5a])),
        (199, 7, BASE_MS.to_le_bytes()[..6].to_vec(), Value::TimeMs(BASE_MS)),
        (255, 254, list.clone(), Value::Octets(list)),
    ];
    for (variation, code, octets, value) in values {
        let header = Header::new(0, variation, Range::Points8(0, 0)).encode();
        let object = [header.clone(), encode::attribute(code, &octets)].concat();
        let point = ExpectedPoint {
            object: Some((0, variation)),
            ..ExpectedPoint::new(kind(0), variation.into(), value)
        };
        let fragments =
            vec![Fragment::request(1, 1, &header, vec![]), Fragment::response(1, &object, vec![point])];
        book.add(format!("g0v{variation} of type {code}, {} octets", octets.len()), fragments);
    }
    for variation in [254_u8, 255] {
        let header = Header::new(0, variation, Range::All).encode();
        book.add(format!("read g0v{variation} all"), vec![Fragment::request(1, 1, &header, vec![])]);
    }
}

/// Group 70: a file read and written, and every other file function.
pub(super) fn files(book: &mut Book) {
    let one = |variation, content: &[u8]| sized(70, variation, Prefix::Size16, content);
    let name = "/config/relay.xml";
    let told = |texts: &[&[u8]], numbers: &[u64]| [loose_values(texts), loose_numbers(numbers)].concat();
    let ask = |function, variation, content: &[u8], texts: &[&[u8]], numbers: &[u64]| {
        Fragment::request(1, function, &one(variation, content), told(texts, numbers)).loose()
    };
    let tell = |variation, content: &[u8], texts: &[&[u8]], numbers: &[u64]| {
        Fragment::response(1, &one(variation, content), told(texts, numbers)).loose()
    };
    let handle = 0x1234_5678_u32;
    let credentials = encode::file_authentication("operator", "secret", 0);
    let key = encode::file_authentication("", "", 0xdead_beef);
    let fragments =
        vec![ask(29, 2, &credentials, &[b"operator", b"secret"], &[]), tell(2, &key, &[], &[0xdead_beef])];
    book.add("authenticate a file", fragments);
    let opened = encode::file_status(handle, 4096, 7, 0, "");
    for (mode, what) in [(1_u16, "read"), (2, "write"), (3, "append")] {
        let command = encode::file_command(name, BASE_MS, 4096, mode, 7);
        let fragments = vec![
            ask(25, 3, &command, &[name.as_bytes()], &[4096, mode.into(), 1024, 7, 0o644]),
            tell(4, &opened, &[], &[handle.into(), 4096, 1024, 7]),
        ];
        book.add(format!("open a file to {what}"), fragments);
    }
    let block = encode::file_block(handle, 0, false, &[]);
    let data = encode::file_block(handle, 3, true, b"<relay/>");
    let fragments = vec![
        ask(1, 5, &block, &[], &[handle.into(), 0]),
        tell(5, &data, &[b"<relay/>"], &[handle.into(), 3]),
    ];
    book.add("read a file block", fragments);
    let done = encode::file_block_status(handle, 3, 0, "");
    let fragments =
        vec![ask(2, 5, &data, &[b"<relay/>"], &[handle.into(), 3]), tell(6, &done, &[], &[handle.into(), 3])];
    book.add("write a file block", fragments);
    let close = encode::file_status(handle, 0, 8, 0, "");
    for (function, what) in [(26, "close"), (30, "abort")] {
        let numbers = [handle.into(), 8];
        let fragments = vec![ask(function, 4, &close, &[], &numbers), tell(4, &close, &[], &numbers)];
        book.add(format!("{what} a file"), fragments);
    }
    let refused = encode::file_status(0, 0, 9, 1, "permission denied");
    let delete = encode::file_command(name, 0, 0, 0, 9);
    let fragments = vec![
        ask(27, 3, &delete, &[name.as_bytes()], &[9]),
        tell(4, &refused, &[b"permission denied"], &[9, 1]),
    ];
    book.add("delete a file", fragments);
    let wanted = encode::file_descriptor(name, 1, 0, 0, 10);
    let found = encode::file_descriptor(name, 1, 4096, BASE_MS, 10);
    let fragments = vec![
        ask(28, 7, &wanted, &[name.as_bytes()], &[1, 10]),
        tell(7, &found, &[name.as_bytes()], &[1, 10, 4096, 0o644]),
    ];
    book.add("ask about a file", fragments);
}

/// Group 120: every variation.
pub(super) fn authentication(book: &mut Book) {
    let one = |variation, content: &[u8]| sized(120, variation, Prefix::Size16, content);
    let counted = |variation, content: &[u8]| {
        [Header::new(120, variation, Range::Count8(1)).encode(), content.to_vec()].concat()
    };
    let mac = [0x11_u8, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88];
    let name = "engineer";
    let mut add = |variation: u8, function: u8, octets: &[u8], texts: &[&[u8]], numbers: &[u64]| {
        let points = [loose_values(texts), loose_numbers(numbers)].concat();
        let mut fragment = if function == 131 {
            let mut fragment = Fragment::response(1, octets, points);
            fragment.octets[1] = 131;
            fragment.expected.function = 131;
            fragment
        } else {
            Fragment::request(1, function, octets, points)
        };
        fragment.expected.loose = true;
        book.add(format!("g120v{variation} in function {function}"), vec![fragment]);
    };
    let certificate = [&[1, 2], mac.as_slice()].concat();
    let change = encode::user_status_change(77, name, &mac, &[0xca, 0xfe]);
    let trouble = encode::security_error(3001, 11, 5, 2, BASE_MS, "unexpected");
    add(1, 131, &one(1, &encode::challenge(3001, 11, 4, 1, &mac[..4])), &[&mac[..4]], &[3001, 11, 4, 1]);
    add(2, 32, &one(2, &encode::keyed(3001, 11, &mac)), &[&mac], &[3001, 11]);
    add(4, 32, &counted(4, &11_u16.to_le_bytes()), &[], &[11]);
    add(
        5,
        131,
        &one(5, &encode::key_status(9001, 11, 2, &mac[..4], &mac)),
        &[&mac[..4], &mac],
        &[9001, 11, 2],
    );
    add(6, 32, &one(6, &encode::keyed(9001, 11, &mac)), &[&mac], &[9001, 11]);
    add(7, 33, &one(7, &trouble), &[b"unexpected"], &[3001, 11, 5, 2]);
    add(7, 131, &one(7, &trouble), &[b"unexpected"], &[3001, 11, 5, 2]);
    add(8, 32, &one(8, &certificate), &[&mac], &[1, 2]);
    add(10, 32, &one(10, &change), &[name.as_bytes(), &mac, &[0xca, 0xfe]], &[77, 365]);
    add(11, 32, &one(11, &encode::update_key_request(name, &mac)), &[name.as_bytes(), &mac], &[4]);
    add(12, 131, &one(12, &encode::update_key(5001, 21, &mac)), &[&mac], &[5001, 21]);
    add(13, 32, &one(13, &encode::update_key(5001, 21, &mac)), &[&mac], &[5001, 21]);
    add(14, 32, &one(14, &mac), &[&mac], &[]);
    add(15, 131, &one(15, &mac), &[&mac], &[]);
    // Aggressive mode: the request between the user and the code that authenticates it.
    let control = sample(12, 1, 0);
    let header = Header::prefixed(12, 1, Prefix::Index8, Range::Count8(1)).encode();
    let octets =
        [counted(3, &encode::keyed(3, 1, &[])), header, vec![5], object(12, 1, &control), one(9, &mac)]
            .concat();
    let mut points = vec![point(12, 1, Some(5), &control)];
    points.extend(loose_values(&[&mac]));
    book.add("g120v3 and g120v9", vec![Fragment::request(1, 5, &octets, points).loose()]);
}

/// Objects of which only the size is known here: storage, profiles, private registration, data sets, BCD.
pub(super) fn opaque(book: &mut Book) {
    let content = [0xde_u8, 0xad, 0xbe, 0xef, 0x01];
    let variable = [(82, 1), (83, 2), (85, 1), (86, 1), (86, 2), (86, 3), (87, 1), (88, 1), (90, 1), (91, 1)];
    for (group, variation) in variable {
        for (name, prefix) in [("4B", Prefix::Size8), ("5B", Prefix::Size16), ("6B", Prefix::Size32)] {
            let octets = sized(group, variation, prefix, &content);
            let fragment = Fragment::response(1, &octets, loose_values(&[&content])).loose();
            book.add(format!("g{group}v{variation} qualifier {name}"), vec![fragment]);
        }
    }
    // Group 83 variation 1: vendor, object, length, then as many octets.
    let private = [b"ACME".as_slice(), &[0x34, 0x12, 5, 0], &content].concat();
    let octets = sized(83, 1, Prefix::Size16, &private);
    book.add("g83v1", vec![Fragment::response(1, &octets, loose_values(&[&content])).loose()]);
    let storage = [Header::new(81, 1, Range::Count8(1)).encode(), vec![80, 2, 0]].concat();
    book.add("g81v1", vec![Fragment::response(1, &storage, vec![]).loose()]);
    for (variation, digits) in
        [(1_u8, vec![0x34_u8, 0x12]), (2, vec![0x78, 0x56, 0x34, 0x12]), (3, vec![0x99; 8])]
    {
        let header = Header::prefixed(101, variation, Prefix::Index8, Range::Count8(1)).encode();
        let octets = [header, vec![6], digits].concat();
        book.add(format!("g101v{variation}"), vec![Fragment::response(1, &octets, vec![]).loose()]);
    }
}

/// A response over several link frames, with transport numbers that wrap.
pub(super) fn long(book: &mut Book) {
    let count = 400_u16;
    let mut octets = Header::new(30, 1, Range::Points16(1000, 1000 + count - 1)).encode();
    let mut points = Vec::new();
    for i in 0..count {
        let mut content = sample(30, 1, 0);
        content.value = Value::Signed(i64::from(i) * -1_000_003 % 2_000_000_000);
        octets.extend_from_slice(&object(30, 1, &content));
        points.push(point(30, 1, Some(u32::from(1000 + i)), &content));
    }
    book.add("g30v1, 400 points in nine link frames", vec![Fragment::response(1, &octets, points)]);
}
