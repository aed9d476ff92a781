//! Every function code, with the objects it goes with, and every internal indication.

use super::super::ExpectedPoint;
use super::samples::{point, sample};
use super::{Book, Fragment, kind};
use crate::encode::dnp3::{self, Header, Range, object, pack_bits};
use crate::value::Value;
use crate::wire::Side;

pub(super) fn all(book: &mut Book) {
    without_objects(book);
    with_headers(book);
    applications(book);
    clear_restart(book);
    freeze_at_time(book);
    indications(book);
    undefined(book);
}

fn answered(function: u8, octets: &[u8]) -> Vec<Fragment> {
    let request = Fragment::request(function & 0x0f, function, octets, vec![]);
    // Functions 6, 8, 10, 12 and 33 forbid an answer.
    if matches!(function, 6 | 8 | 10 | 12 | 33) {
        return vec![request];
    }
    vec![request, Fragment::response(function & 0x0f, &[], vec![])]
}

fn without_objects(book: &mut Book) {
    for function in [13_u8, 14, 15, 19, 23, 24] {
        book.add(format!("function {function}"), answered(function, &[]));
    }
    for unsolicited in [false, true] {
        let name = format!("function 0, unsolicited {unsolicited}");
        let mut wanted = Fragment::response(9, &[], vec![]);
        if unsolicited {
            wanted = Fragment::unsolicited(9, &[], vec![]);
        } else {
            // FIR, FIN and CON.
            wanted.octets[0] |= 0x20;
        }
        book.add(name, vec![wanted, Fragment::confirm(9, unsolicited)]);
    }
    let delay = sample(52, 2, 2);
    let octets = [Header::new(52, 2, Range::Count8(1)).encode(), object(52, 2, &delay)].concat();
    let answer = Fragment::response(1, &octets, vec![point(52, 2, None, &delay)]);
    book.add("function 23 with its answer", vec![Fragment::request(1, 23, &[], vec![]), answer]);
}

fn with_headers(book: &mut Book) {
    let everything = |group| Header::new(group, 0, Range::All).encode();
    for function in 7..=10_u8 {
        book.add(
            format!("function {function}, all counters and analog inputs"),
            answered(function, &[everything(20), everything(30)].concat()),
        );
        book.add(
            format!("function {function}, counters 0 to 9"),
            answered(function, &Header::new(20, 0, Range::Points8(0, 9)).encode()),
        );
    }
    for function in [20_u8, 21] {
        let classes: Vec<u8> =
            (2..=4).flat_map(|class| Header::new(60, class, Range::All).encode()).collect();
        book.add(format!("function {function}"), answered(function, &classes));
    }
    let class = Header::new(60, 3, Range::All).encode();
    let points = Header::new(30, 0, Range::Points16(0, 300)).encode();
    book.add("function 22", answered(22, &[class, points].concat()));
}

/// Functions 16 to 18 name an application (group 90), function 31 a configuration (group 110).
fn applications(book: &mut Book) {
    for function in [16_u8, 17, 18] {
        let name = b"app1";
        let header = Header::prefixed(90, 1, dnp3::Prefix::Size16, Range::Free(1));
        let octets = [header.encode(), header.prefix.encode(4), name.to_vec()].concat();
        let mut fragments = answered(function, &octets);
        fragments[0].expected.points = vec![ExpectedPoint::new(kind(90), 0, Value::Octets(name.to_vec()))];
        fragments[0].expected.loose = true;
        book.add(format!("function {function}"), fragments);
    }
    let header = Header::prefixed(70, 8, dnp3::Prefix::Size16, Range::Free(1));
    let octets = [header.encode(), header.prefix.encode(9), b"config.xm".to_vec()].concat();
    let mut fragments = answered(31, &octets);
    fragments[0].expected.points =
        vec![ExpectedPoint::new(kind(70), 0, Value::Octets(b"config.xm".to_vec()))];
    fragments[0].expected.loose = true;
    book.add("function 31", fragments);
}

fn clear_restart(book: &mut Book) {
    let header = Header::new(80, 1, Range::Points8(7, 7)).encode();
    let octets = [header, pack_bits(&[false])].concat();
    let bit = ExpectedPoint { object: Some((80, 1)), ..ExpectedPoint::new(kind(80), 7, Value::Bit(false)) };
    let fragments = vec![Fragment::request(1, 2, &octets, vec![bit]), Fragment::response(1, &[], vec![])];
    book.add("write g80v1 index 7", fragments);
    let bits: Vec<bool> = (0..16).map(|i| i == 4 || i == 7 || i == 11).collect();
    let octets = [Header::new(80, 1, Range::Points8(0, 15)).encode(), pack_bits(&bits)].concat();
    let points = bits
        .iter()
        .enumerate()
        .map(|(i, bit)| ExpectedPoint {
            object: Some((80, 1)),
            ..ExpectedPoint::new(kind(80), i as u32, Value::Bit(*bit))
        })
        .collect();
    book.add("report g80v1", vec![Fragment::response(1, &octets, points)]);
}

fn freeze_at_time(book: &mut Book) {
    for function in [11_u8, 12] {
        let when = sample(50, 2, 3);
        let octets = [
            Header::new(50, 2, Range::Count8(1)).encode(),
            object(50, 2, &when),
            Header::new(20, 0, Range::All).encode(),
        ]
        .concat();
        let mut fragments = answered(function, &octets);
        fragments[0].expected.points = vec![point(50, 2, None, &when)];
        book.add(format!("function {function}"), fragments);
    }
}

/// Every indication bit alone, in a solicited and in an unsolicited response.
fn indications(book: &mut Book) {
    for bit in 0..16_u16 {
        let iin = 1_u16 << bit;
        let mut solicited = Fragment::response(1, &[], vec![]);
        solicited.octets = dnp3::response(1, iin.to_be_bytes(), &[]);
        let mut unsolicited = Fragment::unsolicited(2, &[], vec![]);
        unsolicited.octets = dnp3::unsolicited(2, iin.to_be_bytes(), &[]);
        solicited.expected.iin = Some(iin);
        unsolicited.expected.iin = Some(iin);
        book.add(format!("indications {iin:#06x}"), vec![solicited, unsolicited, Fragment::confirm(2, true)]);
    }
}

/// Codes that the standard does not define, both ways.
fn undefined(book: &mut Book) {
    for function in [34_u8, 70, 127] {
        let request = Fragment::request(1, function, &[], vec![]);
        book.add(format!("undefined function {function}"), vec![request]);
    }
    for function in [132_u8, 255] {
        let mut response = Fragment::response(1, &[], vec![]);
        response.octets[1] = function;
        response.side = Side::Server;
        response.expected.function = function;
        // Whether an undefined code above 128 carries indications is anybody's guess.
        response.expected.iin = None;
        response.expected.loose = true;
        book.add(format!("undefined function {function}"), vec![response]);
    }
}
