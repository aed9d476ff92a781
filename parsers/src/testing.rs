//! Helpers for the tests that stand beside the code: hex with margin notes, a flow that behaves like
//! the flow layer (it keeps the tail and obeys [`Progress`]), and an observer that writes down what it
//! is told, one line each, so that two runs can be compared as text.
#![allow(dead_code, clippy::unwrap_used, clippy::panic)]

use core::fmt::Write as _;
use core::net::{IpAddr, Ipv4Addr};
use core::ops::Range;

use crate::contract::*;

/// Octets from hex. Blanks are free; `;` and `//` begin a margin note that ends with the line.
pub(crate) fn hex(text: &str) -> Vec<u8> {
    let mut digits = String::new();
    for line in text.lines() {
        let line = line.split("//").next().unwrap();
        let line = line.split(';').next().unwrap();
        digits.extend(line.chars().filter(|c| !c.is_whitespace()));
    }
    assert!(digits.len().is_multiple_of(2), "odd number of hex digits in {digits}");
    (0..digits.len()).step_by(2).map(|i| u8::from_str_radix(&digits[i..i + 2], 16).unwrap()).collect()
}

/// Hex of octets, without blanks.
pub(crate) fn to_hex(octets: &[u8]) -> String {
    octets.iter().fold(String::new(), |mut text, o| {
        write!(text, "{o:02x}").unwrap();
        text
    })
}

/// A flow from 10.0.0.1:40000 to 10.0.0.2:`port`; the server's port is the configured one.
pub(crate) fn flow(transport: Transport, port: u16) -> FlowInfo {
    let end = |last, port| Endpoint { host: Host::Ip(IpAddr::V4(Ipv4Addr::new(10, 0, 0, last))), port };
    FlowInfo {
        id: 1,
        client: end(1, 40000),
        server: end(2, port),
        transport,
        ethertype: 0,
        vlan: VlanStack::default(),
        client_mac: None,
        server_mac: None,
        port_side: Some(Direction::ToServer),
        coverage: Coverage::default(),
        late: None,
        passed: None,
    }
}

/// A session with a small flow layer around it.
pub(crate) struct Wire {
    pub(crate) session: Box<dyn Session>,
    pub(crate) flow: FlowInfo,
    pub(crate) seen: Recorder,
    pub(crate) now: Timestamp,
    pub(crate) frame: u64,
    tails: [Vec<u8>; 2],
    pieces: [Vec<Piece>; 2],
    needed: [usize; 2],
    /// The largest tail ever kept, to check that sessions do not wait for too much.
    pub(crate) longest_tail: usize,
    /// Octets consumed in each direction.
    pub(crate) consumed: [usize; 2],
}

impl Wire {
    /// A session of `dissector` on `flow`, at time 1 s.
    pub(crate) fn new(dissector: &Dissector, flow: FlowInfo, limits: &Limits) -> Wire {
        Wire {
            session: (dissector.open)(&flow, limits),
            flow,
            seen: Recorder::default(),
            now: Timestamp(1_000_000_000),
            frame: 0,
            tails: [Vec::new(), Vec::new()],
            pieces: [Vec::new(), Vec::new()],
            needed: [0; 2],
            longest_tail: 0,
            consumed: [0; 2],
        }
    }

    /// One frame with these octets, 1 ms after the last.
    pub(crate) fn send(&mut self, direction: Direction, octets: &[u8]) {
        self.send_split(direction, octets, &[]);
    }

    /// From the client.
    pub(crate) fn up(&mut self, octets: &str) {
        self.send(Direction::ToServer, &hex(octets));
    }

    /// From the server.
    pub(crate) fn down(&mut self, octets: &str) {
        self.send(Direction::ToClient, &hex(octets));
    }

    /// One frame, fed in several calls that end at the offsets `cuts` (ascending).
    pub(crate) fn send_split(&mut self, direction: Direction, octets: &[u8], cuts: &[usize]) {
        self.frame += 1;
        self.now = self.now.plus(1_000_000);
        let mut start = 0;
        for end in cuts.iter().copied().chain([octets.len()]) {
            let end = end.clamp(start, octets.len());
            self.feed(direction, &octets[start..end]);
            start = end;
        }
    }

    fn feed(&mut self, direction: Direction, octets: &[u8]) {
        let i = direction.index();
        if octets.is_empty() && self.flow.transport == Transport::Tcp {
            return;
        }
        self.tails[i].extend_from_slice(octets);
        let end = self.tails[i].len();
        let piece = Piece { end, frame: FrameRef { tap: 0, number: self.frame }, at: self.now };
        match self.pieces[i].last_mut() {
            Some(last) if last.frame == piece.frame => last.end = end,
            _ => self.pieces[i].push(piece),
        }
        if end < self.needed[i] {
            return;
        }
        let chunk = Chunk { direction, bytes: &self.tails[i], pieces: &self.pieces[i] };
        let progress = self.session.feed(&self.flow, &chunk, &mut self.seen);
        assert!(progress.consumed <= end, "consumed {} of {end}", progress.consumed);
        if self.flow.transport.is_datagram() {
            assert_eq!(progress.consumed, end, "a datagram is consumed whole");
        }
        self.tails[i].drain(..progress.consumed);
        self.pieces[i].retain(|p| p.end > progress.consumed);
        self.pieces[i].iter_mut().for_each(|p| p.end -= progress.consumed);
        self.needed[i] = progress.needed;
        self.consumed[i] += progress.consumed;
        self.longest_tail = self.longest_tail.max(self.tails[i].len());
    }

    /// Octets of one direction that the tap did not see.
    pub(crate) fn lose(&mut self, direction: Direction, missing: Option<u64>) {
        let i = direction.index();
        self.flow.coverage.gaps += 1;
        let tail = Chunk { direction, bytes: &self.tails[i], pieces: &self.pieces[i] };
        let at = Piece { end: 0, frame: FrameRef { tap: 0, number: self.frame }, at: self.now };
        let gap = Gap { direction, missing, tail, origin: Origin::of(&at) };
        self.session.gap(&self.flow, &gap, &mut self.seen);
        self.tails[i].clear();
        self.pieces[i].clear();
        self.needed[i] = 0;
    }

    /// Let time pass and tick.
    pub(crate) fn wait(&mut self, nanoseconds: u64) {
        self.now = self.now.plus(nanoseconds);
        self.session.tick(&self.flow, self.now, &mut self.seen);
    }

    /// End the flow.
    pub(crate) fn finish(&mut self) {
        let [up, down] = [Direction::ToServer, Direction::ToClient].map(|direction| Chunk {
            direction,
            bytes: &self.tails[direction.index()],
            pieces: &self.pieces[direction.index()],
        });
        self.session.finish(&self.flow, [up, down], &mut self.seen);
    }
}

/// What was reported, as text. `lines` has everything in order; the other lists hold their kind alone.
#[derive(Default)]
pub(crate) struct Recorder {
    pub(crate) lines: Vec<String>,
    /// The fields of every unit as JSON.
    pub(crate) units: Vec<String>,
    /// One line each, without the fields: see [`operation_line`].
    pub(crate) operations: Vec<String>,
    /// The points of every operation, by the index of `operations`.
    pub(crate) points: Vec<Vec<String>>,
    /// `kind check: observed (expected ...)`.
    pub(crate) defects: Vec<String>,
    /// Kind, check and skipped octets of every defect.
    pub(crate) kinds: Vec<(DefectKind, &'static str, u64)>,
    /// Sum of the octets of all units.
    pub(crate) unit_octets: usize,
    /// Sum of `skipped` of all defects.
    pub(crate) skipped: u64,
}

impl Recorder {
    /// Whether a defect of this kind with this check's id was raised.
    pub(crate) fn has(&self, kind: DefectKind, check: &str) -> bool {
        self.kinds.iter().any(|(k, c, _)| *k == kind && *c == check)
    }

    /// How many of this kind.
    pub(crate) fn count(&self, kind: DefectKind) -> usize {
        self.kinds.iter().filter(|(k, _, _)| *k == kind).count()
    }
}

fn arrow(direction: Direction) -> &'static str {
    match direction {
        Direction::ToServer => ">",
        Direction::ToClient => "<",
    }
}

/// The neutral content of an operation in one line.
pub(crate) fn operation_line(o: &Operation<'_>) -> String {
    let mut text = format!(
        "{} {} {} {}/{:?} {}",
        arrow(o.direction),
        o.exchange.name(),
        o.action.name(),
        o.function.code,
        o.function.sub,
        o.function.name,
    );
    write!(text, " station={:?} master={:?} seq={}", o.station.number(), o.master.number(), o.sequence)
        .unwrap();
    for r in o.ranges {
        write!(text, " {}[{}..{}]", r.kind().name(), r.first(), r.last()).unwrap();
    }
    match o.outcome {
        Outcome::None => {}
        Outcome::Success => text.push_str(" ok"),
        Outcome::Refused { code, name } => write!(text, " refused={code}:{name}").unwrap(),
    }
    if let Some(a) = o.answers {
        write!(text, " answers={}@{}", a.frame.number, a.at.0).unwrap();
    }
    for (set, word) in [
        (o.more_ranges, "more_ranges"),
        (o.broadcast, "broadcast"),
        (o.wants_answer, "wants_answer"),
        (o.recovered, "recovered"),
        (o.from_master, "from_master"),
    ] {
        if set {
            write!(text, " {word}").unwrap();
        }
    }
    write!(text, " body={}", to_hex(o.body)).unwrap();
    text
}

impl Observer for Recorder {
    fn unit(&mut self, unit: &Unit<'_>) {
        let fields = json(unit.detail);
        let (o, recovered) = (unit.origin, if unit.recovered { " recovered" } else { "" });
        self.lines.push(format!(
            "unit {} frame {} first {} at {}{recovered} {fields}",
            arrow(unit.direction),
            o.frame.number,
            o.first_frame.number,
            o.at.0,
        ));
        self.unit_octets += unit.detail.octets().len();
        self.units.push(fields);
    }

    fn operation(&mut self, operation: &Operation<'_>) {
        let line = operation_line(operation);
        let mut points = Vec::new();
        operation.detail.points(&mut |p| {
            let mut text = p.kind.name().to_string();
            match p.address {
                Some(address) => write!(text, "[{address}]").unwrap(),
                None => text.push_str("[?]"),
            }
            write!(text, "={:?}", p.value).unwrap();
            for (name, value) in
                [("flags", p.flags.map(u64::from)), ("status", p.status.map(u64::from)), ("t", p.time_ms)]
            {
                if let Some(value) = value {
                    write!(text, " {name}={value}").unwrap();
                }
            }
            if let Some((group, variation)) = p.object {
                write!(text, " g{group}v{variation}").unwrap();
            }
            points.push(text);
        });
        self.lines.push(format!("operation {line} points={} {}", points.join(","), json(operation.detail)));
        self.operations.push(line);
        self.points.push(points);
    }

    fn defect(&mut self, d: &Defect<'_>) {
        let line = format!("{} {}: {} (expected {})", d.kind.name(), d.check, d.observed, d.expected);
        self.lines.push(format!(
            "defect {} {line} frame {} at {} station={:?} master={:?} function={:?} octets={} skipped={} offset={}",
            arrow(d.direction),
            d.origin.frame.number,
            d.origin.at.0,
            d.station.number(),
            d.from_master,
            d.function.map(|f| f.code),
            to_hex(d.octets),
            d.skipped,
            d.offset,
        ));
        self.skipped += d.skipped;
        self.kinds.push((d.kind, d.check, d.skipped));
        self.defects.push(line);
    }
}

/// The fields of a detail as compact JSON, in the order of the walk.
pub(crate) fn json(detail: &dyn Detail) -> String {
    let mut sink = Json { text: String::from("{"), open: vec!['}'], first: true };
    detail.fields(&mut sink);
    assert_eq!(sink.open.len(), 1, "objects and lists left open: {}", sink.text);
    sink.text.push('}');
    sink.text
}

struct Json {
    text: String,
    open: Vec<char>,
    first: bool,
}

impl Json {
    fn key(&mut self, name: &str) {
        if !core::mem::replace(&mut self.first, false) {
            self.text.push(',');
        }
        if self.open.last() == Some(&'}') {
            assert!(!name.is_empty(), "a field of an object has a name: {}", self.text);
            write!(self.text, "\"{name}\":").unwrap();
        }
    }
}

impl FieldSink for Json {
    fn leaf(&mut self, name: &'static str, value: Leaf<'_>, _span: Option<Range<usize>>) {
        self.key(name);
        match value {
            Leaf::Null => self.text.push_str("null"),
            Leaf::Bool(b) => write!(self.text, "{b}").unwrap(),
            Leaf::Unsigned(n) => write!(self.text, "{n}").unwrap(),
            Leaf::Signed(n) => write!(self.text, "{n}").unwrap(),
            Leaf::Float(n) => write!(self.text, "{n}").unwrap(),
            Leaf::Name(s) => write!(self.text, "{s:?}").unwrap(),
            Leaf::Text(s) | Leaf::Ascii(s) => write!(self.text, "{:?}", String::from_utf8_lossy(s)).unwrap(),
            Leaf::Bytes(s) => write!(self.text, "\"{}\"", to_hex(s)).unwrap(),
        }
    }

    fn open(&mut self, name: &'static str) {
        self.key(name);
        self.text.push('{');
        self.open.push('}');
        self.first = true;
    }

    fn open_list(&mut self, name: &'static str) {
        self.key(name);
        self.text.push('[');
        self.open.push(']');
        self.first = true;
    }

    fn close(&mut self) {
        assert!(self.open.len() > 1, "close without open: {}", self.text);
        let bracket = self.open.pop().unwrap();
        self.text.push(bracket);
        self.first = false;
    }
}

#[test]
fn hex_skips_blanks_and_margin_notes() {
    assert_eq!(hex("00 01 ; transaction\n 0203 // protocol"), [0, 1, 2, 3]);
}
