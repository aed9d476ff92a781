//! The flow layer from outside: packets in, calls of a handler out.

#![allow(clippy::unwrap_used, clippy::panic)]

use core::net::{IpAddr, Ipv4Addr};
use std::collections::BTreeMap;

use parsers::{Chunk, Direction, FlowInfo, FrameRef, Gap, MacAddr, Progress, Timestamp};

use super::*;
use crate::decap::{Packet, Payload, Segment};

mod hostile;
mod lifetime;
mod model;
mod streams;

const MS: u64 = 1_000_000;
const SECOND: u64 = 1_000_000_000;
const CLIENT: u16 = 40_000;
const SERVER: u16 = 502;
const FIN: u8 = 1;
const SYN: u8 = 2;
const RST: u8 = 4;
const PSH: u8 = 8;
const ACK: u8 = 16;

/// What the handler was told.
#[derive(Debug, Clone, Eq, PartialEq)]
enum Event {
    Opened(u64),
    /// Flow, direction, record, frame of its origin.
    Record(u64, Direction, Vec<u8>, u64),
    /// Flow, direction, missing, length of the tail.
    Gap(u64, Direction, Option<u64>, usize),
    /// Direction, offset, old, new, frames of both.
    Overlap(Direction, u64, Vec<u8>, Vec<u8>, Option<u64>, u64),
    OneWay(u64),
    Tick(u64, u64),
    /// Flow, reason, lengths of the tails.
    Closed(u64, CloseReason, [usize; 2]),
}

/// Takes records of `size` bytes (0: whatever comes).
#[derive(Default)]
struct Recorder {
    events: Vec<Event>,
    size: usize,
    deadline: Option<u64>,
    infos: Vec<FlowInfo>,
    /// The frame named as late, at each call with data.
    late: Vec<Option<u64>>,
}

impl FlowHandler for Recorder {
    type State = u64;

    fn opened(&mut self, info: &mut FlowInfo) -> u64 {
        self.events.push(Event::Opened(info.id));
        self.infos.push(info.clone());
        info.id
    }

    fn data(&mut self, info: &mut FlowInfo, state: &mut u64, chunk: &Chunk<'_>) -> Progress {
        assert_eq!(info.id, *state);
        self.late.push(info.late.map(|frame| frame.number));
        assert!(!chunk.bytes.is_empty() || info.transport.is_datagram());
        assert_eq!(chunk.pieces.last().map(|p| p.end), Some(chunk.bytes.len()));
        assert!(chunk.pieces.is_sorted_by(|a, b| a.end < b.end));
        let size = if self.size == 0 { chunk.bytes.len().max(1) } else { self.size };
        let mut consumed = 0;
        for record in chunk.bytes.chunks_exact(size) {
            let frame = chunk.origin(consumed..consumed + size).frame.number;
            self.events.push(Event::Record(info.id, chunk.direction, record.to_vec(), frame));
            consumed += size;
        }
        let left = chunk.bytes.len() - consumed;
        // Half of the time, say how much is wanted.
        Progress { consumed, needed: if left > 0 && size.is_multiple_of(2) { size } else { 0 } }
    }

    fn gap(&mut self, info: &mut FlowInfo, _: &mut u64, gap: &Gap<'_>) {
        assert!(info.coverage.gaps > 0);
        self.events.push(Event::Gap(info.id, gap.direction, gap.missing, gap.tail.bytes.len()));
    }

    fn overlap(&mut self, _: &mut FlowInfo, _: &mut u64, o: &Overlap<'_>) {
        self.events.push(Event::Overlap(
            o.direction,
            o.offset,
            o.old.to_vec(),
            o.new.to_vec(),
            o.old_origin.map(|origin| origin.frame.number),
            o.new_origin.frame.number,
        ));
    }

    fn one_way(&mut self, info: &mut FlowInfo, _: &mut u64) {
        self.events.push(Event::OneWay(info.id));
    }

    fn tick(&mut self, info: &mut FlowInfo, _: &mut u64, now: Timestamp) {
        self.deadline = None;
        self.events.push(Event::Tick(info.id, now.0));
    }

    fn deadline(&self, _: &u64) -> Option<Timestamp> {
        self.deadline.map(Timestamp)
    }

    fn closed(&mut self, info: &mut FlowInfo, _: u64, tails: [Chunk<'_>; 2], reason: CloseReason) {
        self.infos.push(info.clone());
        self.events.push(Event::Closed(info.id, reason, tails.map(|tail| tail.bytes.len())));
    }
}

/// A tap: numbers frames, and lets a millisecond pass between them.
struct Tap {
    table: FlowTable<u64>,
    seen: Recorder,
    frame: u64,
    now: u64,
    /// Where flows were met, by direction and client's port.
    spots: BTreeMap<(Direction, u16), Spot>,
    /// Segments that took the short way.
    short: u64,
    /// The same table without the short way; both have to say and count the same.
    usual: (FlowTable<u64>, Recorder),
}

/// One TCP segment between the standard client and server.
#[derive(Debug, Clone)]
struct Seg {
    direction: Direction,
    seq: u32,
    ack: u32,
    flags: u8,
    bytes: Vec<u8>,
    cut: u32,
}

fn to_server(seq: u32, ack: u32, bytes: &[u8]) -> Seg {
    Seg { direction: Direction::ToServer, seq, ack, flags: ACK | PSH, bytes: bytes.to_vec(), cut: 0 }
}

fn to_client(seq: u32, ack: u32, bytes: &[u8]) -> Seg {
    Seg { direction: Direction::ToClient, ..to_server(seq, ack, bytes) }
}

fn flagged(flags: u8, seg: Seg) -> Seg {
    Seg { flags, ..seg }
}

impl Tap {
    fn new() -> Tap {
        Tap::with(FlowLimits::default())
    }

    fn with(limits: FlowLimits) -> Tap {
        let ports = PortSet::new(&[SERVER], &[20_000]);
        Tap {
            table: FlowTable::new(limits.clone(), ports.clone()),
            seen: Recorder::default(),
            frame: 0,
            now: SECOND,
            spots: BTreeMap::new(),
            short: 0,
            usual: (FlowTable::new(limits, ports), Recorder::default()),
        }
    }

    /// SYN and SYN+ACK; both streams begin at the given numbers.
    fn handshake(&mut self, client: u32, server: u32) {
        let (c, s) = (client.wrapping_sub(1), server.wrapping_sub(1));
        self.send(&flagged(SYN, to_server(c, 0, b"")));
        self.send(&flagged(SYN | ACK, to_client(s, client, b"")));
    }

    fn send(&mut self, seg: &Seg) {
        self.send_on(CLIENT, seg);
    }

    fn send_on(&mut self, client_port: u16, seg: &Seg) {
        let (src_port, dst_port) = match seg.direction {
            Direction::ToServer => (client_port, SERVER),
            Direction::ToClient => (SERVER, client_port),
        };
        let segment = Segment {
            src_port,
            dst_port,
            seq: seg.seq,
            ack: seg.ack,
            flags: seg.flags,
            bytes: &seg.bytes,
            wire_len: seg.bytes.len() as u32 + seg.cut,
        };
        self.packet(seg.direction, Payload::Tcp(segment));
    }

    fn packet(&mut self, direction: Direction, payload: Payload<'_>) {
        let side = |n: u8| (IpAddr::V4(Ipv4Addr::new(10, 0, 0, n)), MacAddr([2, 0, 0, 0, 0, n]));
        let ((src, src_mac), (dst, dst_mac)) = match direction {
            Direction::ToServer => (side(1), side(2)),
            Direction::ToClient => (side(2), side(1)),
        };
        let packet = Packet {
            src_mac: Some(src_mac),
            dst_mac: Some(dst_mac),
            ip: Some((src, dst)),
            payload,
            ..Packet::default()
        };
        self.frame += 1;
        self.now += MS;
        let place = FrameRef { tap: 0, number: self.frame };
        let at = Timestamp(self.now);
        self.compared(
            |tap| tap.take(place, at, direction, &packet),
            |table, seen| {
                table.packet(place, at, &packet, seen);
            },
        );
    }

    /// By the short way, if it is taken there.
    fn take(&mut self, place: FrameRef, at: Timestamp, direction: Direction, packet: &Packet<'_>) {
        let Payload::Tcp(segment) = packet.payload else {
            assert_eq!(self.table.packet(place, at, packet, &mut self.seen).map(|spot| spot.slot), None);
            return;
        };
        let to_server = direction == Direction::ToServer;
        let met = (direction, if to_server { segment.src_port } else { segment.dst_port });
        if let Some(spot) = self.spots.get(&met)
            && let Some(bare) = packet.bare()
            && self.table.next(place, at, *spot, &bare, &mut self.seen)
        {
            self.short += 1;
            return;
        }
        if let Some(spot) = self.table.packet(place, at, packet, &mut self.seen) {
            self.spots.insert(met, spot);
        }
    }

    /// Do the same with both tables.
    fn compared(
        &mut self,
        own: impl FnOnce(&mut Tap),
        usual: impl FnOnce(&mut FlowTable<u64>, &mut Recorder),
    ) {
        let (before, others) = (self.seen.events.len(), self.usual.1.events.len());
        (self.usual.1.size, self.usual.1.deadline) = (self.seen.size, self.seen.deadline);
        own(self);
        usual(&mut self.usual.0, &mut self.usual.1);
        assert_eq!(self.seen.events[before..], self.usual.1.events[others..], "the short way says the same");
        assert_eq!(self.seen.deadline, self.usual.1.deadline);
        assert_eq!(self.table.counters(), self.usual.0.counters(), "and counts the same");
        assert_eq!(self.table.next_due(), self.usual.0.next_due());
    }

    fn wait(&mut self, ns: u64) {
        self.now += ns;
        let at = Timestamp(self.now);
        self.compared(|tap| tap.table.advance(at, &mut tap.seen), |table, seen| table.advance(at, seen));
    }

    fn finish(&mut self) {
        self.compared(|tap| tap.table.finish(&mut tap.seen), FlowTable::finish);
        let counters = self.table.counters();
        assert_eq!((counters.flows_open, counters.buffered_bytes, counters.history_bytes), (0, 0, 0));
    }

    fn counters(&self) -> &FlowCounters {
        self.table.counters()
    }

    /// All bytes of a direction, with `None` for each gap.
    fn bytes(&self, wanted: Direction) -> Vec<Option<u8>> {
        let mut all = Vec::new();
        for event in &self.seen.events {
            match event {
                Event::Record(_, direction, bytes, _) if *direction == wanted => {
                    all.extend(bytes.iter().map(|b| Some(*b)));
                }
                Event::Gap(_, direction, ..) if *direction == wanted => all.push(None),
                _ => {}
            }
        }
        all
    }

    fn text(&self, wanted: Direction) -> String {
        self.bytes(wanted).into_iter().map(|b| b.map_or('|', char::from)).collect()
    }

    fn frames(&self) -> Vec<u64> {
        let frame = |event: &Event| match event {
            Event::Record(.., frame) => Some(*frame),
            _ => None,
        };
        self.seen.events.iter().filter_map(frame).collect()
    }
}
