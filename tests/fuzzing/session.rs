//! A parser's session on arbitrary bytes: as given, and byte by byte.
//!
//! ```text
//! input: options (1) | direction and length (1) | bytes | direction and length (1) | bytes ...
//! ```
//!
//! Length 0 is a gap. Where the options say that sizes are given, an octet of sizes stands before each direction. Where the options say so, each run of bytes is put into a frame with the right length
//! and check sums first, which a mutation would hardly ever hit.

use core::net::{IpAddr, Ipv4Addr};
use std::fmt::Write as _;

use gridtap::report::json::{Json, JsonFields};
use parsers::{
    Beginning, Chunk, Coverage, Defect, Direction, Dissector, Endpoint, FieldSizes, FlowInfo, FrameRef, Gap,
    Host, Limits, MacAddr, Observer, Operation, Origin, Piece, Protocol, Session, Timestamp, Transport, Unit,
    VlanStack,
};

use super::frames::{link_frame, mbap, rtu};

/// More than any PDU of Modbus or DNP3, and than what either needs to find the next one.
const TAIL_LIMIT: usize = 1024;
/// A session's heap with the default limits, at most.
const MEMORY_LIMIT: usize = 8 << 20;

/// Option: datagrams.
pub const DATAGRAM: u8 = 1;
/// Option: the bytes are a transaction, unit and PDU; or control, addresses and user data of a link frame.
pub const WRAP: u8 = 0x10;
/// Option: the bytes are a unit and PDU of a serial line.
pub const WRAP_RTU: u8 = 0x20;
/// Option: before each run of bytes somebody gives the sizes of fields, or takes them back.
pub const SIZES: u8 = 0x40;
/// Octet of sizes: as they were.
pub const SIZES_STAY: u8 = 0x80;
/// Octet of sizes: known no longer.
const SIZES_GONE: u8 = 0x40;
/// Lengths from here on mean the longest.
const LONG: usize = 120;
/// As much as a DNP3 link frame holds.
const LONGEST: usize = 253;

/// What was seen, without places: those follow from the cut and are compared elsewhere.
#[derive(Default)]
pub(super) struct Log {
    text: String,
    json: Json,
}

impl Log {
    pub(super) fn into_text(self) -> String {
        self.text
    }
}

impl Observer for Log {
    fn unit(&mut self, unit: &Unit<'_>) {
        self.json.clear();
        self.json.open_object();
        let mut fields = JsonFields::new(&mut self.json);
        unit.detail.fields(&mut fields);
        fields.finish();
        self.json.close_object();
        let json = std::str::from_utf8(self.json.bytes()).expect("JSON is UTF-8");
        writeln!(self.text, "unit {:?} {} {json}", unit.direction, unit.recovered).unwrap();
    }

    fn operation(&mut self, op: &Operation<'_>) {
        writeln!(
            self.text,
            "op {:?} {:?} {:?} {:?} {:?} {:?} {} {:?}",
            op.direction,
            op.exchange,
            op.station,
            op.action,
            op.function,
            op.ranges,
            op.answers.is_some(),
            op.outcome
        )
        .unwrap();
        op.detail.points(&mut |p| writeln!(self.text, "  {p:?}").unwrap());
    }

    fn defect(&mut self, d: &Defect<'_>) {
        writeln!(
            self.text,
            "defect {:?} {:?} {} {} / {} skipped {}",
            d.direction, d.kind, d.check, d.expected, d.observed, d.skipped
        )
        .unwrap();
    }
}

fn flow(options: u8) -> FlowInfo {
    let end = |last, port| Endpoint { host: Host::Ip(IpAddr::V4(Ipv4Addr::new(10, 0, 0, last))), port };
    FlowInfo {
        id: 1,
        client: end(1, 40_000),
        server: end(2, 502),
        transport: if options & DATAGRAM == 0 { Transport::Tcp } else { Transport::Udp },
        vlan: VlanStack::default(),
        client_mac: None,
        server_mac: None,
        port_side: match options >> 1 & 3 {
            0 => None,
            1 => Some(Direction::ToClient),
            _ => Some(Direction::ToServer),
        },
        coverage: Coverage { midstream: options & 8 != 0, ..Coverage::default() },
        late: None,
        passed: None,
        ethertype: 0,
    }
}

/// A flow of frames without IP.
pub(super) fn ethernet_flow(ethertype: u16, truncated: bool) -> FlowInfo {
    let end = |last| Endpoint { host: Host::Mac(MacAddr([2, 0, 0, 0, 0, last])), port: 0 };
    FlowInfo {
        client: end(1),
        server: end(2),
        transport: Transport::Ethernet,
        ethertype,
        coverage: Coverage { truncated, ..Coverage::default() },
        ..flow(0)
    }
}

/// The flow layer's part, in small: keeps the unconsumed tail.
struct Driver<'a> {
    session: Box<dyn Session>,
    flow: &'a FlowInfo,
    tails: [Vec<u8>; 2],
    needed: [usize; 2],
    log: Log,
    step: u64,
}

impl Driver<'_> {
    fn give(&mut self, direction: Direction, bytes: &[u8], at: Timestamp) {
        let side = direction.index();
        let tail = &mut self.tails[side];
        tail.extend_from_slice(bytes);
        if tail.len() < self.needed[side] {
            return;
        }
        let pieces = [Piece { end: tail.len(), frame: FrameRef { tap: 0, number: self.step }, at }];
        let chunk = Chunk { direction, bytes: tail, pieces: &pieces };
        let progress = self.session.feed(self.flow, &chunk, &mut self.log);
        assert!(progress.consumed <= tail.len(), "consumed more than was there");
        tail.drain(..progress.consumed);
        if self.flow.transport.is_datagram() {
            tail.clear();
            return;
        }
        assert!(tail.len() <= TAIL_LIMIT, "{} octets left over", tail.len());
        assert!(progress.needed <= TAIL_LIMIT, "{} octets wanted", progress.needed);
        assert!(
            progress.needed == 0 || tail.is_empty() || progress.needed > tail.len(),
            "wants {} octets and has {}",
            progress.needed,
            tail.len()
        );
        self.needed[side] = progress.needed;
        assert!(self.session.memory() <= MEMORY_LIMIT, "{} octets of memory", self.session.memory());
    }

    fn gap(&mut self, direction: Direction, at: Timestamp) {
        let side = direction.index();
        let tail = core::mem::take(&mut self.tails[side]);
        self.needed[side] = 0;
        let frame = FrameRef { tap: 0, number: self.step };
        let pieces = [Piece { end: tail.len(), frame, at }];
        let tail = Chunk { direction, bytes: &tail, pieces: &pieces };
        let origin = Origin { at, frame, first_frame: frame };
        let gap = Gap { direction, missing: Some(7), tail, origin };
        self.session.gap(self.flow, &gap, &mut self.log);
    }

    fn finish(mut self) -> String {
        let pieces = self.tails.each_ref().map(|t| {
            [Piece { end: t.len(), frame: FrameRef { tap: 0, number: self.step }, at: Timestamp(self.step) }]
        });
        let tail = |direction: Direction| Chunk {
            direction,
            bytes: &self.tails[direction.index()],
            pieces: &pieces[direction.index()],
        };
        self.session.finish(self.flow, [tail(Direction::ToServer), tail(Direction::ToClient)], &mut self.log);
        self.log.text
    }
}

/// Put a run of bytes into a frame, as the options say.
fn framed(dissector: &Dissector, options: u8, bytes: &[u8]) -> Vec<u8> {
    let first = |n: usize| bytes.get(n).copied().unwrap_or_default();
    let after = |n: usize| bytes.get(n..).unwrap_or_default();
    match dissector.protocol {
        Protocol::Dnp3 if options & WRAP != 0 => link_frame(first(0), first(1), first(2), after(3)),
        Protocol::Modbus if options & WRAP != 0 => mbap(first(0), first(1), after(2)),
        Protocol::Modbus if options & WRAP_RTU != 0 => rtu(first(0), after(1)),
        _ => bytes.to_vec(),
    }
}

/// What an octet of sizes does.
fn sizes(session: &mut dyn Session, octet: u8) {
    if octet & SIZES_STAY != 0 {
        return;
    }
    let part = |shift: u8, most: u8| i64::from((octet >> shift & 3) % most + 1);
    let sizes = FieldSizes::new([part(0, 2), part(2, 2), part(4, 3)]);
    assert!(sizes.is_some(), "101 knows these sizes");
    session.set_field_sizes(sizes.filter(|_| octet & SIZES_GONE == 0));
}

fn play(dissector: &Dissector, data: &[u8], bytewise: bool) -> String {
    let (options, mut rest) = data.split_first().map_or((0, data), |(o, r)| (*o, r));
    let flow = flow(options);
    let datagrams = flow.transport.is_datagram();
    let session = (dissector.open)(&flow, &Limits::default());
    let mut driver = Driver {
        session,
        flow: &flow,
        tails: [Vec::new(), Vec::new()],
        needed: [0; 2],
        log: Log::default(),
        step: 0,
    };
    while let Some((head, tail)) = rest.split_first() {
        driver.step += 1;
        let (head, tail) = if options & SIZES != 0 {
            sizes(driver.session.as_mut(), *head);
            let Some(next) = tail.split_first() else { break };
            next
        } else {
            (head, tail)
        };
        // A third of a second a step: long inputs reach the time-outs.
        let at = Timestamp(driver.step * 333_000_000);
        let direction = if head & 0x80 == 0 { Direction::ToServer } else { Direction::ToClient };
        let length = usize::from(head & 0x7f);
        let length = if length < LONG { length } else { LONGEST }.min(tail.len());
        let (bytes, next) = tail.split_at(length);
        rest = next;
        let bytes = &framed(dissector, options, bytes);
        if length == 0 && !datagrams {
            driver.gap(direction, at);
        } else if bytewise && !datagrams {
            for byte in bytes {
                driver.give(direction, core::slice::from_ref(byte), at);
            }
        } else {
            driver.give(direction, bytes, at);
        }
        driver.session.tick(&flow, at, &mut driver.log);
    }
    driver.finish()
}

/// The body of the targets `modbus`, `dnp3` and `iec104`.
pub fn check(dissector: &Dissector, data: &[u8]) {
    let whole = play(dissector, data, false);
    let split = play(dissector, data, true);
    assert_eq!(whole, split, "splitting changed what was seen");
    let half = data.len() / 2;
    for transport in [Transport::Tcp, Transport::Udp] {
        let _ = (dissector.probe)(&Beginning { bytes: [&data[..half], &data[half..]], transport });
    }
}
