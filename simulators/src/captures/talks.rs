//! Short conversations and their operations, for the captures.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::ExpectedOperation;
use crate::encode::dnp3::{self, Header, Prefix, Range, Sample, control, frames, object};
use crate::encode::modbus::{Request, Response, mbap, rtu};
use crate::value::Value;
use crate::wire::{Line, Side, TimedFrame};

/// The master's address.
pub(super) const MASTER_IP: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 10, 0, 1));
/// The station's address.
pub(super) const STATION_IP: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 10, 0, 20));
/// The master's address in IPv6.
pub(super) const MASTER_IP6: IpAddr = IpAddr::V6(Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 1));
/// The station's address in IPv6.
pub(super) const STATION_IP6: IpAddr = IpAddr::V6(Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 0x20));

/// The master's end with this port.
pub(super) fn master(port: u16) -> SocketAddr {
    SocketAddr::new(MASTER_IP, port)
}

/// The station's end with this port.
pub(super) fn station(port: u16) -> SocketAddr {
    SocketAddr::new(STATION_IP, port)
}

/// Lines, and the operations in them, written side by side.
#[derive(Debug, Clone, Default)]
pub(super) struct Story {
    pub(super) script: Vec<Line>,
    pub(super) operations: Vec<ExpectedOperation>,
}

/// Framing of Modbus PDUs.
#[derive(Debug, Clone, Copy, Eq, PartialEq)]
pub(super) enum Framing {
    Mbap,
    Rtu,
}

impl Story {
    /// Octets that hold no operation.
    pub(super) fn raw(&mut self, side: Side, bytes: Vec<u8>) -> &mut Story {
        self.script.push(Line { from: side, ..Line::client(bytes) });
        self
    }

    /// Wait before the next line.
    pub(super) fn line_after(&mut self, delay_ns: u64) -> &mut Story {
        if let Some(line) = self.script.last_mut() {
            line.delay_ns = delay_ns;
        }
        self
    }

    fn note(&mut self, protocol: &'static str, function: u8, station: u16, exchange: &'static str) {
        self.operations.push(ExpectedOperation { protocol, function, station, exchange });
    }

    /// A Modbus request.
    pub(super) fn ask(&mut self, transaction: u16, unit: u8, request: &Request) -> &mut Story {
        self.note("modbus", request.function(), unit.into(), "request");
        self.raw(Side::Client, mbap(transaction, unit, &request.pdu()))
    }

    /// A Modbus response.
    pub(super) fn answer(&mut self, transaction: u16, unit: u8, response: &Response) -> &mut Story {
        let pdu = response.pdu();
        self.note("modbus", pdu[0] & 0x7f, unit.into(), "response");
        self.raw(Side::Server, mbap(transaction, unit, &pdu))
    }

    /// A DNP3 fragment from the master; `from` says which side of the connection that is.
    pub(super) fn command(&mut self, from: Side, outstation: u16, fragment: &[u8]) -> &mut Story {
        let exchange = if fragment[1] == 0 { "confirm" } else { "request" };
        self.note("dnp3", fragment[1], outstation, exchange);
        self.raw(from, frames(control::MASTER_DATA, outstation, 1, fragment))
    }

    /// A DNP3 fragment from the outstation; `from` says which side of the connection that is.
    pub(super) fn report(&mut self, from: Side, outstation: u16, fragment: &[u8]) -> &mut Story {
        let exchange = if fragment[1] == 130 { "unsolicited" } else { "response" };
        self.note("dnp3", fragment[1], outstation, exchange);
        self.raw(from, frames(control::OUTSTATION_DATA, 1, outstation, fragment))
    }
}

/// Three exchanges with unit 5: a read, a single write, a write of three registers.
pub(super) fn modbus_poll(framing: Framing) -> Story {
    let write = Request::WriteRegister(12, 4711);
    let exchanges = [
        (Request::Read(3, 100, 3), Response::Registers(3, vec![230, 50, 0x8001])),
        (write.clone(), Response::Echo(Box::new(write))),
        (Request::WriteRegisters(40, vec![1, 2, 3]), Response::Written(16, 40, 3)),
    ];
    let mut story = Story::default();
    for (transaction, (request, response)) in exchanges.iter().enumerate() {
        let transaction = transaction as u16 + 1;
        story.ask(transaction, 5, request).answer(transaction, 5, response);
    }
    if framing == Framing::Rtu {
        // The same PDUs, cut out of their MBAP frames.
        for line in &mut story.script {
            line.bytes = rtu(line.bytes[6], &line.bytes[7..]);
        }
    }
    story
}

/// A read of all classes, its answer of several link frames, and a direct operate of point 5.
pub(super) fn dnp3_poll() -> Story {
    let mut story = Story::default();
    story
        .command(Side::Client, 10, &dnp3::request(1, 1, &classes()))
        .report(Side::Server, 10, &dnp3::response(1, [0, 0], &analogs(0, 120)))
        .command(Side::Client, 10, &dnp3::request(2, 5, &crob(5, 0x41)))
        .report(Side::Server, 10, &dnp3::response(2, [0, 0], &crob(5, 0x41)));
    story
}

/// Object headers of an integrity poll.
pub(super) fn classes() -> Vec<u8> {
    [2, 3, 4, 1].iter().flat_map(|v| Header::new(60, *v, Range::All).encode()).collect()
}

/// A value and nothing special about it.
pub(super) fn online(value: Value) -> Sample {
    Sample { value, flags: 1, status: 0, time_ms: 1_700_000_000_000, base_ms: 0 }
}

/// A header with one object behind an index of one octet.
pub(super) fn one(group: u8, variation: u8, index: u8, value: Value) -> Vec<u8> {
    let header = Header::prefixed(group, variation, Prefix::Index8, Range::Count8(1));
    [header.encode(), vec![index], object(group, variation, &online(value))].concat()
}

/// A control of one point: code 0x41 closes, 0x81 trips.
pub(super) fn crob(index: u8, code: u8) -> Vec<u8> {
    one(12, 1, index, Value::Crob(code, 1, 100, 0))
}

/// Analog inputs of 32 bits with flags, beginning at `first`.
pub(super) fn analogs(first: u16, count: u16) -> Vec<u8> {
    let mut octets = Header::new(30, 1, Range::Points16(first, first + count - 1)).encode();
    for i in 0..count {
        octets.extend_from_slice(&object(30, 1, &online(Value::Signed(i64::from(i) * 1000))));
    }
    octets
}

/// Frames of several conversations in order of time.
pub(super) fn merged(talks: Vec<Vec<TimedFrame>>) -> Vec<TimedFrame> {
    let mut frames: Vec<TimedFrame> = talks.into_iter().flatten().collect();
    frames.sort_by_key(|f| f.at_ns);
    frames
}
