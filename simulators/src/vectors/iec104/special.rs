//! What a type's layout does not say: frames without ASDU, headers, times, files, private types.

use super::{BASE_MS, Book, Said, asdu};
use crate::encode::iec104::{Element, Time, U_FRAMES, u};
use crate::wire::Side;

/// Every U frame, and acknowledgements.
pub(super) fn frames(book: &mut Book) {
    for (function, name) in U_FRAMES {
        let side = if matches!(function, u::STARTDT_CON | u::STOPDT_CON | u::TESTFR_CON) {
            Side::Server
        } else {
            Side::Client
        };
        book.add_raw(format!("U {name}"), [Said::U(side, function)]);
    }
    let mut said: Vec<Said> = (0..8)
        .map(|n| {
            let (asdu, content) = asdu(1, 3, &[(n, vec![Element::Siq { on: n % 2 == 0, quality: 0 }])]);
            Said::Asdu(Side::Server, asdu, content)
        })
        .collect();
    said.push(Said::S(Side::Client));
    said.push(Said::U(Side::Client, u::STOPDT_ACT));
    said.push(Said::U(Side::Server, u::STOPDT_CON));
    book.add("eight I frames, S, STOPDT", said);
}

/// Times at the edges of their fields.
pub(super) fn times(book: &mut Book) {
    let moments = [
        ("the first", 946_684_800_000),
        ("a leap day", 1_709_251_199_999),
        ("the end of a year", 1_735_689_599_999),
        ("never set", 0),
        // The last second before years of two digits mean the century before (`parsers::iec104`, as Wireshark).
        ("far away", 3_155_759_999_000),
        ("the last minute", BASE_MS - BASE_MS % 3_600_000 + 3_599_999),
    ];
    for (name, ms) in moments {
        let event = vec![Element::Siq { on: true, quality: 0 }, Element::Cp56(Time::at(ms))];
        book.one(format!("time {name}"), Side::Server, asdu(30, 3, &[(1, event)]));
        let clock = vec![Element::Cp56(Time { ms, weekday: 7, ..Time::default() })];
        book.one(format!("clock {name}"), Side::Client, asdu(103, 6, &[(0, clock)]));
    }
}

/// Test bit, originators, common addresses, all addresses of objects.
pub(super) fn headers(book: &mut Book) {
    let general = [(0, vec![Element::Qoi(20)])];
    for originator in [0, 1, 127, 255] {
        let (mut asdu, content) = asdu(100, 6, &general);
        asdu.originator = originator;
        book.one(format!("originator {originator}"), Side::Client, (asdu, content));
    }
    for address in [1, 255, 256, 65_534, 65_535] {
        let (mut asdu, content) = asdu(100, 6, &general);
        asdu.address = address;
        book.one(format!("common address {address}"), Side::Client, (asdu, content));
    }
    let (mut tested, content) =
        asdu(45, 6, &[(1, vec![Element::Sco { on: true, qualifier: 0, select: false }])]);
    tested.test = true;
    book.one("test bit", Side::Client, (tested, content));
    for object in [0, 1, 255, 256, 65_535, 65_536, 0x00ff_ffff] {
        let scaled = vec![Element::Sva(-5), Element::Qds(0)];
        book.one(format!("object address {object}"), Side::Server, asdu(11, 3, &[(object, scaled)]));
    }
}

/// A file on its way: directory, select, call, section, segments, end.
pub(super) fn files(book: &mut Book) {
    let file = |rest: &[Element]| vec![(5, [&[Element::Nof(1)], rest].concat())];
    let octet = Element::File;
    let steps = [
        (Side::Client, 122, file(&[octet(0), octet(1)])),
        (Side::Server, 120, file(&[Element::Lof(12), octet(0)])),
        (Side::Client, 122, file(&[octet(0), octet(2)])),
        (Side::Server, 121, file(&[octet(1), Element::Lof(12), octet(0)])),
        (Side::Client, 122, file(&[octet(1), octet(6)])),
        (Side::Server, 125, file(&[octet(1), octet(12), Element::Raw((1..=12).collect())])),
        (Side::Server, 123, file(&[octet(1), octet(3), octet(78)])),
        (Side::Client, 124, file(&[octet(1), octet(3)])),
        (Side::Server, 123, file(&[octet(1), octet(1), octet(78)])),
        (Side::Client, 124, file(&[octet(1), octet(1)])),
    ];
    let said = steps.map(|(side, id, objects)| {
        let (asdu, content) = asdu(id, 13, &objects);
        Said::Asdu(side, asdu, content)
    });
    book.add("file transfer", said.into_iter().collect());
    let long: Vec<u8> = (0..=235).collect();
    let segment = file(&[octet(1), octet(236), Element::Raw(long)]);
    book.one("F_SG_NA_1 of 236 octets", Side::Server, asdu(125, 13, &segment));
}

/// Types without a layout in the standard, and those of the security extension: octets as they are.
pub(super) fn private(book: &mut Book) {
    for id in [0_u8, 22, 42, 44, 52, 65, 71, 81, 87, 90, 96, 108, 114, 128, 135, 136, 200, 255] {
        let object = [(1, vec![Element::Raw(vec![0xde, 0xad, id])])];
        book.one(format!("type {id} without a layout"), Side::Server, asdu(id, 3, &object));
    }
}
