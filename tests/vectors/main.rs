//! Every vector of the simulators through the parsers: each PDU's function, station, sequence, ranges,
//! values, flags, statuses and times are those that the encoder wrote; sound traffic raises no defect; and
//! cutting the octets anywhere changes nothing.
#![allow(clippy::unwrap_used, clippy::panic)]

use core::net::{IpAddr, Ipv4Addr};

use parsers::{
    Chunk, Coverage, Defect, DefectKind, Direction, Endpoint, FieldSink, FlowInfo, FrameRef, Host, Leaf,
    Limits, Observer, Operation, Outcome, Piece, Point, Protocol, Timestamp, Transport, Value, VlanStack,
    dissector,
};
use simulators::vectors::{Expected, ExpectedPoint, Vector};
use simulators::wire::{Prng, Side};

mod goose;
mod iec104;

/// An operation as the test keeps it.
#[derive(Debug, Default)]
struct Seen {
    exchange: &'static str,
    function: u8,
    sub: Option<u16>,
    station: Option<u32>,
    sequence: u16,
    refused: Option<u16>,
    iin: Option<u64>,
    ranges: Vec<(&'static str, u32, u32)>,
    points: Vec<ExpectedPoint>,
    leaves: Vec<simulators::Value>,
}

#[derive(Default)]
struct Notebook {
    operations: Vec<Seen>,
    defects: Vec<(DefectKind, String)>,
}

impl Observer for Notebook {
    fn operation(&mut self, operation: &Operation<'_>) {
        let mut seen = Seen {
            exchange: operation.exchange.name(),
            function: operation.function.code,
            sub: operation.function.sub,
            station: operation.station.number(),
            sequence: operation.sequence,
            refused: match operation.outcome {
                Outcome::Refused { code, .. } => Some(code),
                _ => None,
            },
            ranges: operation.ranges.iter().map(|r| (r.kind().name(), r.first(), r.last())).collect(),
            ..Seen::default()
        };
        operation.detail.points(&mut |point| {
            if point.value != Value::None {
                seen.points.push(plain(point));
            }
        });
        operation.detail.fields(&mut seen);
        self.operations.push(seen);
    }

    fn defect(&mut self, defect: &Defect<'_>) {
        let text = format!("{} expected {}, observed {}", defect.check, defect.expected, defect.observed);
        self.defects.push((defect.kind, text));
    }
}

impl FieldSink for Seen {
    fn leaf(&mut self, name: &'static str, value: Leaf<'_>, _: Option<core::ops::Range<usize>>) {
        if let (Leaf::Unsigned(iin), "iin") = (value, name) {
            self.iin = Some(iin);
        }
        match value {
            Leaf::Unsigned(n) => self.leaves.push(simulators::Value::Unsigned(n)),
            Leaf::Text(octets) | Leaf::Bytes(octets) => {
                self.leaves.push(simulators::Value::Octets(octets.to_vec()));
            }
            _ => {}
        }
    }
    fn open(&mut self, _: &'static str) {}
    fn open_list(&mut self, _: &'static str) {}
    fn close(&mut self) {}
}

fn plain(point: &Point<'_>) -> ExpectedPoint {
    use simulators::Value as Plain;
    let value = match point.value {
        Value::None => Plain::None,
        Value::Bit(bit) => Plain::Bit(bit),
        Value::DoubleBit(state) => Plain::DoubleBit(state),
        Value::Unsigned(n) => Plain::Unsigned(n),
        Value::Signed(n) => Plain::Signed(n),
        Value::Float32(x) => Plain::Float32(x),
        Value::Float64(x) => Plain::Float64(x),
        Value::TimeMs(ms) => Plain::TimeMs(ms),
        Value::Crob(c) => Plain::Crob(c.code, c.count, c.on_time_ms, c.off_time_ms),
        Value::Mask { and, or } => Plain::Mask(and, or),
        Value::Text(octets) | Value::Bytes(octets) => Plain::Octets(octets.to_vec()),
    };
    ExpectedPoint {
        kind: point.kind.name(),
        address: point.address,
        value,
        flags: point.flags,
        status: point.status,
        time_ms: point.time_ms,
        object: point.object,
    }
}

fn flow(port: u16) -> FlowInfo {
    let end = |last, port| Endpoint { host: Host::Ip(IpAddr::V4(Ipv4Addr::new(10, 20, 0, last))), port };
    FlowInfo {
        id: 1,
        client: end(1, 30000),
        server: end(2, port),
        transport: Transport::Tcp,
        vlan: VlanStack::default(),
        client_mac: None,
        server_mac: None,
        port_side: Some(Direction::ToServer),
        coverage: Coverage::default(),
        late: None,
        passed: None,
        ethertype: 0,
    }
}

/// A vector through a session. `cut` gives the sizes of the pieces in which the octets come.
fn decode(protocol: Protocol, port: u16, vector: &Vector, cut: &mut dyn FnMut() -> usize) -> Notebook {
    let mut notebook = Notebook::default();
    decode_for(&mut notebook, protocol, port, vector, cut);
    notebook
}

fn decode_for(
    notebook: &mut dyn Observer,
    protocol: Protocol,
    port: u16,
    vector: &Vector,
    cut: &mut dyn FnMut() -> usize,
) {
    let flow = flow(port);
    let mut session = (dissector(protocol).unwrap().open)(&flow, &Limits::default());
    let mut tails: [Vec<u8>; 2] = [Vec::new(), Vec::new()];
    let mut at = Timestamp(1_700_000_000_000_000_000);
    for (number, line) in (1..).zip(&vector.script) {
        let direction = if line.from == Side::Client { Direction::ToServer } else { Direction::ToClient };
        at = at.plus(line.delay_ns);
        let tail = &mut tails[direction.index()];
        let mut rest = line.bytes.as_slice();
        while !rest.is_empty() {
            let (piece, others) = rest.split_at(cut().clamp(1, rest.len()));
            rest = others;
            tail.extend_from_slice(piece);
            let pieces = [Piece { end: tail.len(), frame: FrameRef { tap: 0, number }, at }];
            let progress = session.feed(&flow, &Chunk { direction, bytes: tail, pieces: &pieces }, notebook);
            tail.drain(..progress.consumed);
        }
        assert!(tail.is_empty(), "{}: {} octets are left over", vector.name, tail.len());
    }
    let none = |direction| Chunk { direction, bytes: &[], pieces: &[] };
    session.finish(&flow, [none(Direction::ToServer), none(Direction::ToClient)], notebook);
}

fn differences(expected: &Expected, seen: &Seen) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut check = |what: &str, expected: String, seen: String| {
        if expected != seen {
            wrong.push(format!("{what} is {seen}, not {expected}"));
        }
    };
    check("exchange", expected.exchange.to_owned(), seen.exchange.to_owned());
    check("function", expected.function.to_string(), seen.function.to_string());
    if expected.sub.is_some() {
        check("sub-function", format!("{:?}", expected.sub), format!("{:?}", seen.sub));
    }
    check("station", format!("{:?}", Some(u32::from(expected.station))), format!("{:?}", seen.station));
    check("sequence", expected.sequence.to_string(), seen.sequence.to_string());
    if let Some(code) = expected.exception {
        check("exception", format!("{:?}", Some(u16::from(code))), format!("{:?}", seen.refused));
    }
    if let Some(iin) = expected.iin {
        check("IIN", format!("{:?}", Some(u64::from(iin))), format!("{:?}", seen.iin));
    }
    if let Some(ranges) = &expected.ranges {
        check("ranges", format!("{ranges:?}"), format!("{:?}", seen.ranges));
    }
    if expected.loose {
        for point in &expected.points {
            let held = |value: &simulators::Value| holds(value, &point.value);
            let found = seen.leaves.iter().any(held) || seen.points.iter().any(|p| held(&p.value));
            check(
                &format!("value {}", point.value),
                "there".into(),
                if found { "there" } else { "missing" }.into(),
            );
        }
        return wrong;
    }
    check("number of points", expected.points.len().to_string(), seen.points.len().to_string());
    for (expected, seen) in expected.points.iter().zip(&seen.points) {
        check("point", show(expected), show(seen));
    }
    wrong
}

/// Whether a value is the wanted one, or octets that hold it.
fn holds(value: &simulators::Value, wanted: &simulators::Value) -> bool {
    match (value, wanted) {
        (simulators::Value::Octets(all), simulators::Value::Octets(part)) => {
            part.is_empty() || all.windows(part.len()).any(|w| w == part)
        }
        (value, wanted) => value == wanted,
    }
}

fn show(point: &ExpectedPoint) -> String {
    let ExpectedPoint { kind, address, value, flags, status, time_ms, object } = point;
    format!(
        "{kind} {address:?} = {value} flags {flags:02x?} status {status:?} time {time_ms:?} object {object:?}"
    )
}

/// Defects that a vector is meant to raise, by the beginning of its name; everything else is sound.
const MEANT: &[(&str, DefectKind)] = &[
    // Codes outside the standard, but for UMAS, which is known.
    ("code without a layout", DefectKind::UnknownFunction),
    ("undefined function", DefectKind::UnknownFunction),
    // IIN2.6 and IIN2.7.
    ("indications 0x0040", DefectKind::ReservedBits),
    ("indications 0x0080", DefectKind::ReservedBits),
];

/// Defects that a vector has to raise and does not, and those that it must not.
fn misjudged(vector: &Vector, notebook: &Notebook) -> Vec<String> {
    let name = &vector.name;
    let meant: Vec<DefectKind> = MEANT.iter().filter(|(n, _)| name.starts_with(n)).map(|(_, k)| *k).collect();
    let missing = meant.iter().filter(|kind| !notebook.defects.iter().any(|(k, _)| k == *kind));
    let surplus = notebook.defects.iter().filter(|(kind, _)| !meant.contains(kind));
    missing
        .map(|kind| format!("{name}: no defect {}", kind.name()))
        .chain(surplus.map(|(kind, text)| format!("{name}: defect {} ({text})", kind.name())))
        .collect()
}

fn compare(protocol: Protocol, port: u16, vectors: &[Vector]) {
    let mut wrong = Vec::new();
    let mut points = 0;
    for vector in vectors {
        let whole = decode(protocol, port, vector, &mut || usize::MAX);
        let name = &vector.name;
        if whole.operations.len() != vector.expected.len() {
            wrong.push(format!(
                "{name}: {} operations, not {}",
                whole.operations.len(),
                vector.expected.len()
            ));
        }
        for (line, (expected, seen)) in vector.expected.iter().zip(&whole.operations).enumerate() {
            points += expected.points.len();
            wrong.extend(differences(expected, seen).iter().map(|d| format!("{name}, line {line}: {d}")));
        }
        wrong.extend(misjudged(vector, &whole));
        let mut prng = Prng::new(vectors.len() as u64);
        let mut sizes: [Box<dyn FnMut() -> usize>; 2] =
            [Box::new(|| 1), Box::new(move || 1 + prng.below(40) as usize)];
        for cut in &mut sizes {
            let cut = decode(protocol, port, vector, cut);
            if format!("{:?}", cut.operations) != format!("{:?}", whole.operations)
                || cut.defects != whole.defects
            {
                wrong.push(format!("{name}: cut into pieces it reads differently"));
            }
        }
    }
    println!("{} vectors, {points} points", vectors.len());
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_modbus_vector_is_decoded_as_it_was_encoded() {
    compare(Protocol::Modbus, 502, &simulators::vectors::modbus::all());
}

#[test]
fn every_dnp3_vector_is_decoded_as_it_was_encoded() {
    compare(Protocol::Dnp3, 20000, &simulators::vectors::dnp3::all());
}
