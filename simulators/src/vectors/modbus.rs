//! Vectors for every Modbus function code, sub-function, MEI type, UMAS function and exception code.

use super::{Expected, ExpectedPoint, Vector};
use crate::encode::modbus::{FilePart, Request, Response, mbap};
use crate::value::Value;
use crate::wire::Side;

/// Sub-functions of function 8.
pub const DIAGNOSTICS: [u16; 15] = [0, 1, 2, 3, 4, 10, 11, 12, 13, 14, 15, 16, 17, 18, 20];
/// Exception codes of the standard, with legacy code 7.
pub const EXCEPTIONS: [u8; 10] = [1, 2, 3, 4, 5, 6, 7, 8, 10, 11];
/// UMAS functions known from the field.
pub const UMAS: [u8; 35] = [
    0x01, 0x02, 0x03, 0x04, 0x06, 0x0a, 0x10, 0x11, 0x12, 0x20, 0x22, 0x23, 0x24, 0x25, 0x28, 0x29, 0x30,
    0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x39, 0x40, 0x41, 0x50, 0x58, 0x60, 0x6d, 0x70, 0x71, 0x72, 0x73,
    0xee,
];
/// Function codes without a layout in the standard: companies' own, user defined, unassigned.
pub const OPAQUE: [u8; 38] = [
    9, 10, 13, 14, 18, 19, 40, 41, 42, 65, 66, 67, 68, 69, 70, 71, 72, 91, 99, 100, 101, 102, 103, 104, 105,
    106, 107, 108, 109, 110, 111, 125, 126, 127, 25, 50, 64, 73,
];
/// Function codes with a layout.
pub const PUBLIC: [u8; 19] = [1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 15, 16, 17, 20, 21, 22, 23, 24, 43];

type Content = (Expected, Expected);
type Run = (&'static str, u32, u32);

/// Every vector.
pub fn all() -> Vec<Vector> {
    let mut book = Book { vectors: Vec::new() };
    bits(&mut book);
    registers(&mut book);
    single_writes(&mut book);
    multiple_writes(&mut book);
    masks_and_combined(&mut book);
    files(&mut book);
    serial(&mut book);
    identification(&mut book);
    opaque(&mut book);
    exceptions(&mut book);
    book.vectors
}

/// Collects vectors, giving each transaction and unit ids of its own.
struct Book {
    vectors: Vec<Vector>,
}

impl Book {
    fn add(
        &mut self,
        name: impl Into<String>,
        request: &Request,
        response: Option<&Response>,
        content: Content,
    ) {
        let transaction = 0x0100 + self.vectors.len() as u16;
        let unit = 1 + (self.vectors.len() % 247) as u8;
        let stamp = |exchange, expected: Expected| Expected {
            exchange,
            station: unit.into(),
            sequence: transaction,
            ..expected
        };
        let asked = stamp("request", content.0);
        let mut lines = vec![(Side::Client, mbap(transaction, unit, &request.pdu()), asked)];
        if let Some(response) = response {
            let answered = stamp("response", content.1);
            lines.push((Side::Server, mbap(transaction, unit, &response.pdu()), answered));
        }
        self.vectors.push(Vector::new(name, lines));
    }
}

fn content(function: u8, ranges: &[Run], points: Vec<ExpectedPoint>) -> Expected {
    let ranges = (!ranges.is_empty()).then(|| ranges.to_vec());
    Expected { function, ranges, points, ..Expected::default() }
}

fn loose(function: u8, sub: Option<u16>, values: Vec<Value>) -> Expected {
    let points = values.into_iter().map(|v| ExpectedPoint::new("device_data", 0, v)).collect();
    Expected { function, sub, points, loose: true, ..Expected::default() }
}

fn pattern(length: usize) -> Vec<bool> {
    (0..length).map(|i| i % 3 == 0 || i % 7 == 2).collect()
}

fn numbers(length: usize) -> Vec<u16> {
    let edges = [0x0000, 0xffff, 0x8000, 0x7fff, 0x0102];
    (0..length).map(|i| edges.get(i).copied().unwrap_or((i as u16).wrapping_mul(0x1357))).collect()
}

fn bit_points(kind: &'static str, first: u16, bits: &[bool]) -> Vec<ExpectedPoint> {
    bits.iter()
        .enumerate()
        .map(|(i, bit)| ExpectedPoint::new(kind, u32::from(first) + i as u32, Value::Bit(*bit)))
        .collect()
}

fn word_points(kind: &'static str, first: u32, words: &[u16]) -> Vec<ExpectedPoint> {
    words
        .iter()
        .enumerate()
        .map(|(i, word)| ExpectedPoint::new(kind, first + i as u32, Value::Unsigned((*word).into())))
        .collect()
}

fn span(kind: &'static str, first: u16, count: usize) -> Run {
    (kind, first.into(), u32::from(first) + count as u32 - 1)
}

fn bits(book: &mut Book) {
    for (function, kind) in [(1_u8, "coil"), (2, "discrete_input")] {
        for (first, count) in [(0_u16, 1_usize), (19, 8), (0x2000, 9), (0xffff, 1), (0xf830, 2000)] {
            let values = pattern(count);
            let range = span(kind, first, count);
            book.add(
                format!("function {function}, {count} bits at {first}"),
                &Request::Read(function, first, count as u16),
                Some(&Response::Bits(function, values.clone())),
                (
                    content(function, &[range], vec![]),
                    content(function, &[range], bit_points(kind, first, &values)),
                ),
            );
        }
    }
}

fn registers(book: &mut Book) {
    for (function, kind) in [(3_u8, "holding_register"), (4, "input_register")] {
        for (first, count) in [(0_u16, 1_usize), (107, 5), (0xffff, 1), (0xff83, 125)] {
            let values = numbers(count);
            let range = span(kind, first, count);
            let points = word_points(kind, first.into(), &values);
            book.add(
                format!("function {function}, {count} registers at {first}"),
                &Request::Read(function, first, count as u16),
                Some(&Response::Registers(function, values)),
                (content(function, &[range], vec![]), content(function, &[range], points)),
            );
        }
    }
}

fn single_writes(book: &mut Book) {
    for (address, value) in [(0_u16, 0xff00_u16), (172, 0), (0xffff, 0xff00)] {
        let request = Request::WriteCoil(address, value);
        let both = content(5, &[span("coil", address, 1)], bit_points("coil", address, &[value == 0xff00]));
        let response = Response::Echo(Box::new(request.clone()));
        book.add(format!("function 5, coil {address}"), &request, Some(&response), (both.clone(), both));
    }
    for (address, value) in [(0_u16, 0_u16), (1, 3), (0xffff, 0xffff)] {
        let request = Request::WriteRegister(address, value);
        let kind = "holding_register";
        let both = content(6, &[span(kind, address, 1)], word_points(kind, address.into(), &[value]));
        let response = Response::Echo(Box::new(request.clone()));
        book.add(format!("function 6, register {address}"), &request, Some(&response), (both.clone(), both));
    }
}

fn multiple_writes(book: &mut Book) {
    for (first, count) in [(0_u16, 1_usize), (19, 10), (0, 1968)] {
        let values = pattern(count);
        let range = span("coil", first, count);
        book.add(
            format!("function 15, {count} coils at {first}"),
            &Request::WriteCoils(first, values.clone()),
            Some(&Response::Written(15, first, count as u16)),
            (content(15, &[range], bit_points("coil", first, &values)), content(15, &[range], vec![])),
        );
    }
    for (first, count) in [(0_u16, 1_usize), (1, 5), (0xff85, 123)] {
        let values = numbers(count);
        let kind = "holding_register";
        let range = span(kind, first, count);
        book.add(
            format!("function 16, {count} registers at {first}"),
            &Request::WriteRegisters(first, values.clone()),
            Some(&Response::Written(16, first, count as u16)),
            (content(16, &[range], word_points(kind, first.into(), &values)), content(16, &[range], vec![])),
        );
    }
}

fn masks_and_combined(book: &mut Book) {
    let kind = "holding_register";
    let request = Request::MaskWrite(4, 0x00f2, 0x0025);
    let mask = vec![ExpectedPoint::new(kind, 4, Value::Mask(0x00f2, 0x0025))];
    let both = content(22, &[span(kind, 4, 1)], mask);
    let response = Response::Echo(Box::new(request.clone()));
    book.add("function 22", &request, Some(&response), (both.clone(), both));
    for (from, count, to, written) in [(3_u16, 6_usize, 14_u16, 3_usize), (0, 125, 500, 121)] {
        let (read, write) = (numbers(count), numbers(written));
        let mut asked = content(23, &[], word_points(kind, to.into(), &write));
        asked.ranges = Some(vec![span(kind, from, count), span(kind, to, written)]);
        let answered = content(23, &[], word_points(kind, from.into(), &read));
        book.add(
            format!("function 23, read {count}, write {written}"),
            &Request::ReadWrite(from, count as u16, to, write),
            Some(&Response::Registers(23, read)),
            (asked, answered),
        );
    }
}

fn files(book: &mut Book) {
    let parts = vec![FilePart { file: 4, record: 1, length: 2 }, FilePart { file: 3, record: 9, length: 3 }];
    let values = vec![vec![0x0dfe, 0x0020], vec![0x33cd, 0x0040, 0xffff]];
    let mut asked = content(20, &[], vec![]);
    asked.ranges = Some(vec![("file_record", 0x4_0001, 0x4_0002), ("file_record", 0x3_0009, 0x3_000b)]);
    let mut points = word_points("file_record", 0x4_0001, &values[0]);
    points.extend(word_points("file_record", 0x3_0009, &values[1]));
    book.add(
        "function 20, two parts",
        &Request::ReadFile(parts),
        Some(&Response::File(values)),
        (asked, content(20, &[], points)),
    );
    let written = vec![(4, 7, vec![0x06af, 0x04be, 0x100d]), (1, 9999, vec![0x8001])];
    let request = Request::WriteFile(written.clone());
    let points: Vec<_> = written
        .iter()
        .flat_map(|(file, record, words): &(u16, u16, Vec<u16>)| {
            word_points("file_record", u32::from(*file) << 16 | u32::from(*record), words)
        })
        .collect();
    let both = content(21, &[], points);
    let response = Response::Echo(Box::new(request.clone()));
    book.add("function 21, two parts", &request, Some(&response), (both.clone(), both));
    for count in [0_usize, 2, 31] {
        let words = numbers(count);
        let mut answered = loose(24, None, words.iter().map(|w| Value::Unsigned((*w).into())).collect());
        answered.ranges = Some(vec![("fifo_queue", 0x4de, 0x4de)]);
        book.add(
            format!("function 24, {count} registers"),
            &Request::ReadFifo(0x04de),
            Some(&Response::Fifo(words)),
            (content(24, &[("fifo_queue", 0x4de, 0x4de)], vec![]), answered),
        );
    }
}

fn serial(book: &mut Book) {
    let number = |n: u16| Value::Unsigned(n.into());
    book.add(
        "function 7",
        &Request::ExceptionStatus,
        Some(&Response::ExceptionStatus(0x6d)),
        (loose(7, None, vec![]), loose(7, None, vec![number(0x6d)])),
    );
    for sub in DIAGNOSTICS {
        let asked: u16 = match sub {
            0 => 0xa537,
            1 => 0xff00,
            3 => 0x0d00,
            _ => 0,
        };
        let answer: u16 = if matches!(sub, 0 | 1 | 3 | 10 | 20) { asked } else { 0x1200 + sub };
        let request = Request::Diagnostics(sub, asked.to_be_bytes().to_vec());
        let response = Response::Diagnostics(sub, answer.to_be_bytes().to_vec());
        // Force Listen Only Mode is never answered.
        let response = (sub != 4).then_some(response);
        book.add(
            format!("function 8, sub-function {sub}"),
            &request,
            response.as_ref(),
            (loose(8, Some(sub), vec![number(asked)]), loose(8, Some(sub), vec![number(answer)])),
        );
    }
    book.add(
        "function 11",
        &Request::EventCounter,
        Some(&Response::EventCounter(0xffff, 0x0108)),
        (loose(11, None, vec![]), loose(11, None, vec![number(0xffff), number(0x0108)])),
    );
    for log in [vec![], vec![0x20, 0x00], vec![0x55; 64]] {
        let mut values = vec![number(0), number(0x0108), number(0x0121)];
        if !log.is_empty() {
            values.push(Value::Octets(log.clone()));
        }
        book.add(
            format!("function 12, {} events", log.len()),
            &Request::EventLog,
            Some(&Response::EventLog(0, 0x0108, 0x0121, log)),
            (loose(12, None, vec![]), loose(12, None, values)),
        );
    }
    let id = vec![0x09, 0xff, 0x41, 0x42];
    book.add(
        "function 17",
        &Request::ReportServerId,
        Some(&Response::ServerId(id.clone())),
        (loose(17, None, vec![]), loose(17, None, vec![Value::Octets(id)])),
    );
}

fn identification(book: &mut Book) {
    let data = vec![0x00, 0x01, 0x02];
    book.add(
        "function 43, MEI type 13",
        &Request::CanOpen(data.clone()),
        Some(&Response::CanOpen(data.clone())),
        (
            loose(43, Some(13), vec![Value::Octets(data.clone())]),
            loose(43, Some(13), vec![Value::Octets(data)]),
        ),
    );
    let objects: Vec<(u8, Vec<u8>)> =
        vec![(0, b"Example Works".to_vec()), (1, b"RTU-5".to_vec()), (2, b"V2.11".to_vec())];
    for (code, conformity, next) in
        [(1_u8, 0x01_u8, None), (2, 0x82, Some(3)), (3, 0x83, Some(0x80)), (4, 0x81, None)]
    {
        let objects = if code == 4 { objects[1..2].to_vec() } else { objects.clone() };
        let values = objects.iter().map(|(_, v)| Value::Octets(v.clone())).collect();
        book.add(
            format!("function 43, MEI type 14, code {code}"),
            &Request::DeviceId(code, u8::from(code == 4)),
            Some(&Response::DeviceId { code, conformity, next, objects }),
            (loose(43, Some(14), vec![]), loose(43, Some(14), values)),
        );
    }
}

fn opaque(book: &mut Book) {
    for function in UMAS {
        let data = vec![0x11, 0x22, function];
        let octets = vec![Value::Octets(data.clone())];
        // A UMAS response does not say which function it answers.
        book.add(
            format!("function 90, UMAS function {function:#04x}"),
            &Request::Umas(7, function, data.clone()),
            Some(&Response::Umas(7, 0xfe, data)),
            (loose(90, Some(function.into()), octets.clone()), loose(90, None, octets)),
        );
    }
    for function in OPAQUE {
        let data = vec![0xde, 0xad, function];
        let both = loose(function, None, vec![Value::Octets(data.clone())]);
        book.add(
            format!("code without a layout: {function}"),
            &Request::Other(function, data.clone()),
            Some(&Response::Other(function, data)),
            (both.clone(), both),
        );
    }
}

fn exceptions(book: &mut Book) {
    let request = Request::Read(3, 10, 2);
    for code in EXCEPTIONS {
        let refused = Expected { function: 3, exception: Some(code), ..Expected::default() };
        book.add(
            format!("exception {code} to function 3"),
            &request,
            Some(&Response::Exception(3, code)),
            (content(3, &[span("holding_register", 10, 2)], vec![]), refused),
        );
    }
    for function in PUBLIC {
        let request = example(function);
        let sub = match function {
            8 => Some(0),
            43 => Some(14),
            _ => None,
        };
        let asked = Expected { function, sub, loose: true, ..Expected::default() };
        let refused = Expected { function, exception: Some(1), ..Expected::default() };
        book.add(
            format!("exception 1 to function {function}"),
            &request,
            Some(&Response::Exception(function, 1)),
            (asked, refused),
        );
    }
}

/// A sound request of a function with a layout.
pub fn example(function: u8) -> Request {
    match function {
        1..=4 => Request::Read(function, 1, 1),
        5 => Request::WriteCoil(1, 0),
        6 => Request::WriteRegister(1, 1),
        7 => Request::ExceptionStatus,
        8 => Request::Diagnostics(0, vec![0, 0]),
        11 => Request::EventCounter,
        12 => Request::EventLog,
        15 => Request::WriteCoils(1, vec![true]),
        16 => Request::WriteRegisters(1, vec![1]),
        17 => Request::ReportServerId,
        20 => Request::ReadFile(vec![FilePart { file: 1, record: 1, length: 1 }]),
        21 => Request::WriteFile(vec![(1, 1, vec![1])]),
        22 => Request::MaskWrite(1, 1, 1),
        23 => Request::ReadWrite(1, 1, 1, vec![1]),
        24 => Request::ReadFifo(1),
        43 => Request::DeviceId(1, 0),
        other => Request::Other(other, vec![]),
    }
}
