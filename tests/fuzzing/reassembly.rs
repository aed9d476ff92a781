//! TCP reassembly on arbitrary segments, and on an honest conversation cut in two ways.
//!
//! ```text
//! input: options (1) | record size (1) | steps of 6 octets
//! step:  flags, port, side | place | length | acknowledged | snap length | time
//! ```
//!
//! A byte's content follows from its sequence number, and no two bytes of one segment are alike. So every
//! byte that comes out tells, with the frame that is named for it, the place where it belongs.

use core::net::{IpAddr, Ipv4Addr};
use core::ops::Range;
use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher as _};

use gridtap::decap::{Packet, Payload, Segment};
use gridtap::flow::{CloseReason, FlowCounters, FlowHandler, FlowLimits, FlowTable, Overlap, PortSet};
use parsers::{Chunk, Direction, FlowInfo, FrameRef, Gap, Progress, Timestamp};

pub const FIN: u8 = 1;
pub const SYN: u8 = 2;
pub const RST: u8 = 4;
const FORGED: u8 = 8;
pub const ACK: u8 = 16;

/// Octets of a step.
const STEP: usize = 6;
/// More steps show nothing new.
const STEPS: usize = 160;
const MS: u64 = 1_000_000;
/// Runs of a tail after which the oldest are merged and lose their frames.
const PIECES: usize = 512;

/// A segment as it was sent.
#[derive(Debug, Clone)]
pub struct Sent {
    pub client_port: u16,
    pub from_client: bool,
    /// Sequence number of the first byte of payload.
    pub place: u32,
    pub ack: u32,
    pub flags: u8,
    pub bytes: Vec<u8>,
    /// Bytes that the snap length cut off.
    pub cut: u32,
    pub at: u64,
    /// Flow that it came to.
    pub flow: u64,
    /// The flow layer said that it took no notice of the payload.
    pub ignored: bool,
}

/// The byte at a place of an honest stream; different for 256 places in a row.
pub fn content(from_client: bool, place: u32) -> u8 {
    place.wrapping_mul(5).wrapping_add(u32::from(from_client) * 77) as u8
}

/// What came out of one direction of one flow.
#[derive(Debug, Default)]
struct Side {
    /// Handed over, but not consumed.
    pending: Vec<u8>,
    /// Place behind the last byte.
    end: Option<u32>,
    /// Missing bytes told since.
    missing: u64,
    /// The stream went on at a place of its own choice: what was sent before no longer counts.
    since: u64,
}

/// Bytes that came out together.
struct Run {
    flow: u64,
    from_client: bool,
    place: u32,
    bytes: Vec<u8>,
}

/// A flow's record.
#[derive(Debug, Default)]
pub struct Flow {
    sides: [Side; 2],
}

/// Takes records of `size` bytes (0: whatever comes; 255: nothing) and checks every byte.
#[derive(Default)]
pub struct Checker {
    size: usize,
    pub sent: Vec<Sent>,
    /// Everything, for comparison with another run.
    log: DefaultHasher,
    /// What was delivered, by client port and side.
    pub streams: BTreeMap<(u16, bool), Vec<u8>>,
    delivered: Vec<Run>,
    pub gaps: u64,
    gap_bytes: u64,
    overlaps: u64,
    deadline: Option<Timestamp>,
    now: u64,
}

/// The first place where a segment brought something else than `bytes` at `place`.
fn differs(sent: &Sent, place: u32, bytes: &[u8]) -> Option<u32> {
    let distance = place.wrapping_sub(sent.place) as i32;
    let (theirs, ours) = if distance >= 0 {
        (sent.bytes.get(distance as usize..)?, bytes)
    } else {
        (&sent.bytes[..], bytes.get(distance.unsigned_abs() as usize..)?)
    };
    let at = theirs.iter().zip(ours).position(|(a, b)| a != b)?;
    Some(place.wrapping_add((bytes.len() - ours.len() + at) as u32))
}

fn is_client(info: &FlowInfo, direction: Direction) -> bool {
    // Who is the client in truth, whatever the flow layer thinks: the one whose port is not 502.
    (info.client.port != 502) == (direction == Direction::ToServer)
}

fn client_port(info: &FlowInfo) -> u16 {
    info.client.port.max(info.server.port)
}

impl Checker {
    fn note(&mut self, event: impl Hash) {
        event.hash(&mut self.log);
    }

    /// New bytes that all came with frame `number`.
    fn run(&mut self, info: &FlowInfo, side: &mut Side, from_client: bool, number: u64, bytes: &[u8]) {
        let frame = &self.sent[number as usize - 1];
        assert!(frame.from_client == from_client, "bytes of the other side");
        assert!(frame.client_port == client_port(info), "bytes of another flow");
        // Where it should go on; in a segment of up to 256 bytes there is no other place for it.
        let expected = side.end.map(|end| end.wrapping_sub(frame.place) as usize);
        let begins = |at: &usize| frame.bytes.get(*at..).is_some_and(|rest| rest.starts_with(bytes));
        let index = expected.filter(begins).or_else(|| (0..frame.bytes.len()).find(begins));
        let index = index.unwrap_or_else(|| panic!("{bytes:02x?} is not what frame {number} brought"));
        let place = frame.place.wrapping_add(index as u32);
        if let Some(end) = side.end {
            let step = place.wrapping_sub(end);
            // A FIN takes a sequence number, and a forged one gives it back.
            let fits = u64::from(step) <= side.missing
                || (u64::from(step) == side.missing + 1 && self.has_fin(info, from_client, end..place))
                || (step == u32::MAX && self.has_fin(info, from_client, place..end));
            assert!(fits, "frame {number} at {place}, expected {end}, {} missing", side.missing);
        }
        self.check_first(info, side, from_client, number, place, bytes);
        self.delivered.push(Run { flow: info.id, from_client, place, bytes: bytes.to_vec() });
        side.end = Some(place.wrapping_add(bytes.len() as u32));
        side.missing = 0;
    }

    fn has_fin(&self, info: &FlowInfo, from_client: bool, places: Range<u32>) -> bool {
        let port = client_port(info);
        let length = places.end.wrapping_sub(places.start);
        self.sent.iter().any(|s| {
            let end = s.place.wrapping_add(s.bytes.len() as u32).wrapping_add(s.cut);
            let within = end.wrapping_sub(places.start) < length;
            s.flags & FIN != 0 && s.from_client == from_client && s.client_port == port && within
        })
    }

    /// First-seen policy: nobody brought other bytes for these places before.
    fn check_first(
        &self,
        info: &FlowInfo,
        side: &Side,
        from_client: bool,
        number: u64,
        place: u32,
        bytes: &[u8],
    ) {
        for (n, earlier) in self.sent[..number as usize - 1].iter().enumerate().skip(side.since as usize) {
            let counts = earlier.flow == info.id && earlier.from_client == from_client && !earlier.ignored;
            let other = differs(earlier, place, bytes).filter(|_| counts);
            assert!(
                other.is_none_or(|at| self.has_fin(info, from_client, at..at.wrapping_add(1))),
                "frame {number} won over frame {} at {other:?}",
                n + 1
            );
        }
    }

    /// Where nothing differed and everything could be compared, nothing may differ.
    fn check_complete(&self, counters: &FlowCounters) {
        let c = counters;
        let unsure = c.overlaps_unverified + c.rewinds + c.resynchronised + c.data_after_end;
        if c.conflicting_overlaps + unsure > 0 {
            return;
        }
        for frame in self.sent.iter().filter(|frame| !frame.ignored) {
            for run in &self.delivered {
                if run.flow == frame.flow && run.from_client == frame.from_client {
                    let other = differs(frame, run.place, &run.bytes);
                    assert!(other.is_none(), "a conflict at {other:?} went unnoticed");
                }
            }
        }
    }
}

impl FlowHandler for Checker {
    type State = Flow;

    fn opened(&mut self, info: &mut FlowInfo) -> Flow {
        self.note(("opened", info.id, info.coverage.midstream));
        Flow::default()
    }

    fn data(&mut self, info: &mut FlowInfo, state: &mut Flow, chunk: &Chunk<'_>) -> Progress {
        assert_eq!(chunk.pieces.last().map(|p| p.end), Some(chunk.bytes.len()));
        assert!(chunk.pieces.is_sorted_by(|a, b| a.end < b.end));
        let from_client = is_client(info, chunk.direction);
        let side = &mut state.sides[chunk.direction.index()];
        let old = side.pending.len();
        assert_eq!(chunk.bytes[..old], side.pending, "the tail changed");
        let new = &chunk.bytes[old..];
        self.streams.entry((client_port(info), from_client)).or_default().extend_from_slice(new);
        self.note(("data", info.id, from_client, new));
        let mut from = old;
        for piece in chunk.pieces.iter().filter(|piece| piece.end > old) {
            // Where runs were merged, only the last of the frames is named.
            if chunk.pieces.len() < PIECES / 4 {
                let bytes = &chunk.bytes[from..piece.end];
                self.run(info, side, from_client, piece.frame.number, bytes);
            } else {
                side.end = None;
            }
            from = piece.end;
        }
        let consumed = match self.size {
            0 => chunk.bytes.len(),
            255 => 0,
            size => chunk.bytes.len() / size * size,
        };
        side.pending = chunk.bytes[consumed..].to_vec();
        let left = chunk.bytes.len() - consumed;
        // Half of the time, say how much is wanted.
        let needed = if left > 0 && self.size.is_multiple_of(2) { self.size } else { 0 };
        if self.size % 3 == 1 {
            self.deadline = Some(Timestamp(self.now + 500 * MS));
        }
        Progress { consumed, needed }
    }

    fn gap(&mut self, info: &mut FlowInfo, state: &mut Flow, gap: &Gap<'_>) {
        self.note(("gap", info.id, gap.direction.index(), gap.missing));
        self.gaps += 1;
        self.gap_bytes += gap.missing.unwrap_or(0);
        assert!(info.coverage.gaps > 0);
        let side = &mut state.sides[gap.direction.index()];
        assert!(gap.tail.bytes.starts_with(&side.pending), "the tail changed");
        // What the session did not want to see yet is part of the stream all the same.
        let unseen = gap.tail.bytes.len() - side.pending.len();
        if unseen > 0 {
            side.end = side.end.map(|end| end.wrapping_add(unseen as u32));
            // A FIN may stand among them, and takes a place.
            if self.sent.iter().any(|s| s.flags & FIN != 0) {
                side.end = None;
            }
        }
        side.pending.clear();
        if let Some(missing) = gap.missing {
            side.missing += missing;
        } else {
            side.end = None;
            side.missing = 0;
            side.since = self.sent.len() as u64 - 1;
        }
    }

    fn overlap(&mut self, info: &mut FlowInfo, _: &mut Flow, overlap: &Overlap<'_>) {
        self.note(("overlap", info.id, overlap.offset, overlap.old, overlap.new));
        self.overlaps += 1;
        assert!(!overlap.old.is_empty() && !overlap.new.is_empty());
        assert_ne!(overlap.old[0], overlap.new[0], "no difference");
        let new = &self.sent[overlap.new_origin.frame.number as usize - 1];
        assert!(new.bytes.windows(overlap.new.len()).any(|w| w == overlap.new), "whose bytes?");
    }

    fn one_way(&mut self, info: &mut FlowInfo, _: &mut Flow) {
        self.note(("one way", info.id));
    }

    fn tick(&mut self, info: &mut FlowInfo, _: &mut Flow, now: Timestamp) {
        self.note(("tick", info.id, now.0));
        self.deadline = None;
    }

    fn deadline(&self, _: &Flow) -> Option<Timestamp> {
        self.deadline
    }

    fn closed(&mut self, info: &mut FlowInfo, state: Flow, tails: [Chunk<'_>; 2], reason: CloseReason) {
        self.note(("closed", info.id, reason));
        for (side, tail) in state.sides.iter().zip(tails) {
            assert!(tail.bytes.starts_with(&side.pending), "the tail changed");
        }
    }
}

/// A table, and what is sent to it.
pub struct Tap {
    pub table: FlowTable<Flow>,
    pub seen: Checker,
    /// Flow of each client port.
    flows: HashMap<u16, u64>,
    limits: FlowLimits,
}

impl Tap {
    pub fn new(limits: FlowLimits, size: usize) -> Tap {
        let table = FlowTable::new(limits.clone(), PortSet::new(&[502], &[20_000]));
        Tap { table, seen: Checker { size, ..Checker::default() }, flows: HashMap::new(), limits }
    }

    pub fn send(&mut self, mut sent: Sent) {
        let ip = |last| IpAddr::V4(Ipv4Addr::new(10, 0, 0, last));
        let (ips, ports) = if sent.from_client {
            ((ip(1), ip(2)), (sent.client_port, 502))
        } else {
            ((ip(2), ip(1)), (502, sent.client_port))
        };
        let before = self.table.counters().clone();
        sent.flow = u64::MAX;
        let (port, at) = (sent.client_port, Timestamp(sent.at));
        let segment = sent.clone();
        let payload = Payload::Tcp(Segment {
            src_port: ports.0,
            dst_port: ports.1,
            seq: segment.place.wrapping_sub(u32::from(segment.flags & SYN != 0)),
            ack: segment.ack,
            flags: segment.flags,
            bytes: &segment.bytes,
            wire_len: segment.bytes.len() as u32 + segment.cut,
        });
        self.seen.now = sent.at;
        self.seen.sent.push(sent);
        let place = FrameRef { tap: 0, number: self.seen.sent.len() as u64 };
        let packet = Packet { ip: Some(ips), payload, ..Packet::default() };
        self.table.packet(place, at, &packet, &mut self.seen);

        let after = self.table.counters();
        if after.flows_opened > before.flows_opened {
            self.flows.insert(port, after.flows_opened - 1);
        }
        if let (Some(sent), Some(flow)) = (self.seen.sent.last_mut(), self.flows.get(&port)) {
            sent.flow = *flow;
            sent.ignored = sent.flags & RST != 0
                || after.out_of_window > before.out_of_window
                || after.syns_doubted > before.syns_doubted
                || after.keep_alives > before.keep_alives;
        }
        self.check_limits();
    }

    fn check_limits(&self) {
        let counters = self.table.counters();
        let flows = counters.flows_peak as usize;
        assert!(flows <= self.limits.flows, "{flows} flows");
        // Beyond the limit in total: one segment, and what every stream may keep for the next tail.
        let slack = 24_576 + flows * 2 * 2048;
        assert!(counters.buffered_bytes as usize <= self.limits.total_bytes + slack, "{counters:?}");
        let history = self.limits.history_total_bytes + 2 * self.limits.history_bytes;
        assert!(counters.history_bytes as usize <= history, "{counters:?}");
        // The deadlines are tidied up when there are more than a thousand.
        let most = 98_304 + flows * 4096 + self.limits.total_bytes + slack + history;
        assert!(self.table.memory() <= most, "{} octets of memory, {counters:?}", self.table.memory());
    }

    /// End everything; what was delivered has been checked.
    pub fn finish(mut self) -> (Checker, FlowCounters) {
        self.table.finish(&mut self.seen);
        let counters = self.table.counters().clone();
        assert_eq!((counters.flows_open, counters.buffered_bytes, counters.history_bytes), (0, 0, 0));
        assert_eq!((counters.gaps, counters.gap_bytes), (self.seen.gaps, self.seen.gap_bytes));
        assert_eq!(counters.conflicting_overlaps, self.seen.overlaps);
        if self.seen.sent.iter().all(|s| s.flags & FORGED == 0) {
            assert_eq!(counters.conflicting_overlaps, 0, "an honest sender was accused");
        }
        self.seen.check_complete(&counters);
        (self.seen, counters)
    }
}

pub fn segment(from_client: bool, place: u32, ack: u32, length: usize) -> Sent {
    let byte = |i: usize| content(from_client, place.wrapping_add(i as u32));
    Sent {
        client_port: 40_000,
        from_client,
        place,
        ack,
        flags: ACK,
        bytes: (0..length).map(byte).collect(),
        cut: 0,
        at: 0,
        flow: 0,
        ignored: false,
    }
}

/// The segments that the input describes.
fn segments(steps: &[u8]) -> Vec<Sent> {
    // Where the sides of each flow are: [port][server, client].
    let mut heads = [[0xffff_ff00_u32, 1000]; 4];
    let mut at = 1_000_000 * MS;
    let mut all = Vec::new();
    for step in steps.chunks_exact(STEP).take(STEPS) {
        let &[head, place, length, ack, snap, time] = step else { continue };
        let from_client = head & 0x80 == 0;
        let port = usize::from(head >> 5 & 3);
        let own = usize::from(from_client);
        let (begin, other) = (heads[port][own], heads[port][1 - own]);
        let begin = match place as i8 {
            -128 => begin.wrapping_add(40 << 20),
            -127 => begin.wrapping_sub(40 << 20),
            -126 => begin.wrapping_add(60_000),
            near => begin.wrapping_add_signed(i32::from(near)),
        };
        let mut sent = segment(from_client, begin, other, usize::from(length));
        sent.ack = match ack as i8 {
            -128 => other.wrapping_add(1 << 30),
            near => other.wrapping_add_signed(i32::from(near)),
        };
        sent.client_port = 40_000 + port as u16;
        sent.flags = head & 0x1f;
        if head & FORGED != 0 {
            sent.bytes.iter_mut().for_each(|b| *b ^= 0x41);
        }
        if snap & 7 == 7 {
            let kept = sent.bytes.len().min(usize::from(snap >> 3));
            sent.cut = (sent.bytes.len() - kept) as u32;
            sent.bytes.truncate(kept);
        }
        at = match time {
            0..=127 => at + u64::from(time) * MS,
            128..=254 => at + u64::from(time - 127) * 2000 * MS,
            255 => at.saturating_sub(300_000 * MS),
        };
        at = at.max(1000 * MS);
        sent.at = at;
        if place as i8 >= 0 && head & RST == 0 {
            let end = begin.wrapping_add(u32::from(length)).wrapping_add(u32::from(head & FIN));
            heads[port][own] = end;
        }
        all.push(sent);
    }
    all
}

fn small() -> FlowLimits {
    FlowLimits {
        flows: 3,
        tail_bytes: 1000,
        held_segments: 8,
        held_bytes: 2000,
        total_bytes: 6000,
        confirmed_segments: 4,
        history_bytes: 512,
        history_total_bytes: 2048,
        ..FlowLimits::default()
    }
}

fn play(options: u8, size: u8, steps: &[u8]) -> (Checker, FlowCounters) {
    let limits = if options & 1 == 0 { FlowLimits::default() } else { small() };
    let mut tap = Tap::new(limits, usize::from(size));
    for sent in segments(steps) {
        tap.send(sent);
    }
    tap.finish()
}

/// The body of the target `reassembly`.
pub fn check(data: &[u8]) {
    let [options, size, steps @ ..] = data else { return };
    if options & 2 != 0 {
        super::conversation::check(*size, steps);
        return;
    }
    let (first, counters) = play(*options, *size, steps);
    let (second, again) = play(*options, *size, steps);
    // The table hashes with a random seed: nothing of it may show.
    assert_eq!(first.log.finish(), second.log.finish());
    assert_eq!(counters, again);
}
