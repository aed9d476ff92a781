//! Vectors for every DNP3 function code, object, variation and qualifier of the sheet.

mod functions;
mod headers;
mod samples;
mod special;
mod values;

use super::{Expected, ExpectedPoint, Vector};
use crate::encode::dnp3::{Header, Range, control, frames_from};
use crate::wire::Side;

/// Link address of the master in every vector.
pub const MASTER: u16 = 1;
/// Link address of the outstation in every vector.
pub const OUTSTATION: u16 = 10;

/// Every vector.
pub fn all() -> Vec<Vector> {
    let mut book = Book { vectors: Vec::new() };
    values::fixed(&mut book);
    values::packed(&mut book);
    values::commands(&mut book);
    values::times(&mut book);
    headers::reads(&mut book);
    functions::all(&mut book);
    special::strings(&mut book);
    special::attributes(&mut book);
    special::files(&mut book);
    special::authentication(&mut book);
    special::opaque(&mut book);
    special::long(&mut book);
    book.vectors
}

/// The kind of point that a group holds.
pub fn kind(group: u8) -> &'static str {
    match group {
        0 => "device_attribute",
        1 | 2 => "binary_input",
        3 | 4 => "double_bit_input",
        10..=13 => "binary_output",
        20 | 22 => "counter",
        21 | 23 => "frozen_counter",
        30 | 32 => "analog_input",
        31 | 33 => "frozen_analog_input",
        34 => "analog_deadband",
        40..=43 => "analog_output",
        60 => "class_data",
        80 => "internal_indication",
        110 | 111 => "octet_string",
        112 | 113 => "virtual_terminal",
        _ => "object",
    }
}

/// A fragment to be sent: its octets and what is in it.
struct Fragment {
    side: Side,
    octets: Vec<u8>,
    expected: Expected,
}

impl Fragment {
    /// A request with these objects and points.
    fn request(sequence: u8, function: u8, objects: &[u8], points: Vec<ExpectedPoint>) -> Fragment {
        let exchange = if function == 0 { "confirm" } else { "request" };
        let octets = crate::encode::dnp3::request(sequence, function, objects);
        Fragment { side: Side::Client, octets, expected: expected(exchange, function, sequence, points) }
    }

    /// A response with these objects and points, IIN 0.
    fn response(sequence: u8, objects: &[u8], points: Vec<ExpectedPoint>) -> Fragment {
        let octets = crate::encode::dnp3::response(sequence, [0, 0], objects);
        let mut expected = expected("response", 129, sequence, points);
        expected.iin = Some(0);
        Fragment { side: Side::Server, octets, expected }
    }

    /// An unsolicited response with these objects and points, IIN 0.
    fn unsolicited(sequence: u8, objects: &[u8], points: Vec<ExpectedPoint>) -> Fragment {
        let octets = crate::encode::dnp3::unsolicited(sequence, [0, 0], objects);
        let mut expected = expected("unsolicited", 130, sequence, points);
        expected.iin = Some(0);
        Fragment { side: Side::Server, octets, expected }
    }

    /// A confirmation.
    fn confirm(sequence: u8, unsolicited: bool) -> Fragment {
        let octets = crate::encode::dnp3::confirm(sequence, unsolicited);
        Fragment { side: Side::Client, octets, expected: expected("confirm", 0, sequence, vec![]) }
    }

    fn loose(mut self) -> Fragment {
        self.expected.loose = true;
        self
    }

    fn ranges(mut self, ranges: Vec<(&'static str, u32, u32)>) -> Fragment {
        self.expected.ranges = Some(ranges);
        self
    }
}

fn expected(exchange: &'static str, function: u8, sequence: u8, points: Vec<ExpectedPoint>) -> Expected {
    Expected {
        exchange,
        function,
        station: OUTSTATION,
        sequence: sequence.into(),
        points,
        ..Expected::default()
    }
}

/// Collects vectors.
struct Book {
    vectors: Vec<Vector>,
}

impl Book {
    /// Adds an exchange. A response that comes first gets a request of all classes before it.
    fn add(&mut self, name: impl Into<String>, mut fragments: Vec<Fragment>) {
        if let Some(first) = fragments.first().filter(|f| f.expected.exchange == "response") {
            let poll: Vec<u8> =
                [2, 3, 4, 1].iter().flat_map(|v| Header::new(60, *v, Range::All).encode()).collect();
            fragments.insert(0, Fragment::request(first.expected.sequence as u8, 1, &poll, vec![]));
        }
        let mut transport = [0_u8; 2];
        let mut lines = Vec::new();
        for fragment in fragments {
            let (side, octets) = (fragment.side, fragment.octets);
            let (control, to, from, slot) = match side {
                Side::Client => (control::MASTER_DATA, OUTSTATION, MASTER, 0),
                Side::Server => (control::OUTSTATION_DATA, MASTER, OUTSTATION, 1),
            };
            let bytes = frames_from(control, to, from, &octets, transport[slot]);
            transport[slot] = transport[slot].wrapping_add(octets.len().div_ceil(249) as u8);
            lines.push((side, bytes, fragment.expected));
        }
        self.vectors.push(Vector::new(name, lines));
    }
}
