//! What a TCP segment does to its flow: both directions together.

use parsers::{Direction, FlowInfo, Timestamp};

use super::held::Arrival;
use super::reassembly::{Stream, Taken, WINDOW, ahead};
use super::{CloseReason, FlowCounters, FlowHandler, FlowLimits, Forged, Out, Source};
use crate::decap::Segment;

pub(super) const FIN: u8 = 1;
pub(super) const SYN: u8 = 2;
pub(super) const RST: u8 = 4;
pub(super) const ACK: u8 = 16;

/// A RST further ahead than the largest unscaled window is not taken for one of the sender's.
const RESET_WINDOW: i32 = 65_535;
/// Two sides that reset a connection within so long did not do so by themselves.
const BOTH_NS: u64 = 1_000_000_000;
/// How far apart the first segment seen and what the other side acknowledged may be to be put together.
const START_WINDOW: i32 = 65_535;

/// Both directions, in the order of [`Direction::index`].
pub(super) const BOTH: [Direction; 2] = [Direction::ToServer, Direction::ToClient];

/// What TCP knows about a flow, and what the handler hangs on it.
pub(super) struct Connection<S> {
    pub(super) info: FlowInfo,
    pub(super) state: Option<S>,
    pub(super) streams: [Stream; 2],
    /// A SYN on the live flow which may open a new connection, if somebody answers it.
    pub(super) doubted: Option<(Direction, u32)>,
    /// FIN on both sides, or RST.
    pub(super) ended: Option<CloseReason>,
    /// The RST that ended it: by whom, when, with which sequence number.
    pub(super) reset: Option<(Direction, Timestamp, u32)>,
    /// Segments with payload.
    pub(super) data_segments: u32,
    pub(super) one_way_told: bool,
    /// Segments may take the short way; see [`super::smooth`].
    pub(super) smooth: bool,
}

/// What the table has to do next.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub(super) enum After {
    Stay,
    /// A new connection has begun on the same addresses and ports; where its client's SYN was, if it is
    /// not the segment at hand: the client's direction in the old flow, and its sequence number.
    Reuse(Option<(Direction, u32)>),
    /// A SYN that does not belong to the flow: its receiver takes nothing of it (RFC 9293, 3.10.7.4).
    Doubted,
}

/// A segment with its place.
#[derive(Copy, Clone)]
pub(super) struct Arrived<'a, 'p> {
    pub(super) direction: Direction,
    pub(super) segment: &'a Segment<'p>,
    pub(super) source: Source,
}

impl<S> Connection<S> {
    pub(super) fn new(info: FlowInfo) -> Connection<S> {
        Connection {
            info,
            state: None,
            streams: [Stream::default(), Stream::default()],
            doubted: None,
            ended: None,
            reset: None,
            data_segments: 0,
            one_way_told: false,
            smooth: false,
        }
    }

    /// The streams of this direction and the other, and the way out.
    pub(super) fn split<'a, H: FlowHandler<State = S>>(
        &'a mut self,
        direction: Direction,
        counters: &'a mut FlowCounters,
        limits: &'a FlowLimits,
        handler: &'a mut H,
    ) -> (&'a mut Stream, &'a mut Stream, Out<'a, H>) {
        let [to_server, to_client] = &mut self.streams;
        let (own, other) = match direction {
            Direction::ToServer => (to_server, to_client),
            Direction::ToClient => (to_client, to_server),
        };
        (own, other, Out { handler, info: &mut self.info, state: &mut self.state, counters, limits })
    }

    /// Client and server are the other way round. Only before the flow is opened.
    pub(super) fn swap(&mut self) {
        core::mem::swap(&mut self.info.client, &mut self.info.server);
        core::mem::swap(&mut self.info.client_mac, &mut self.info.server_mac);
        self.info.port_side = self.info.port_side.map(Direction::reverse);
        self.streams.swap(0, 1);
        self.doubted = self.doubted.map(|(direction, seq)| (direction.reverse(), seq));
    }

    /// The client's SYN is known from before.
    pub(super) fn begun(&mut self, direction: Direction, isn: u32) {
        self.streams[direction.index()].begin(isn.wrapping_add(1), true);
        self.info.coverage.midstream = false;
    }

    /// Whether it was told that only one direction is seen, and that is still so.
    pub(super) fn is_told_one_way(&self) -> bool {
        self.one_way_told && self.info.coverage.one_way
    }

    /// A packet came this way.
    #[inline]
    pub(super) fn see(&mut self, direction: Direction, counters: &mut FlowCounters) {
        if self.streams[direction.index()].seen {
            return;
        }
        let told = self.is_told_one_way();
        self.streams[direction.index()].seen = true;
        self.info.coverage.one_way = !self.streams.iter().all(|stream| stream.seen);
        counters.one_way_open -= u64::from(told && !self.info.coverage.one_way);
    }

    /// A segment of this flow.
    pub(super) fn segment<H: FlowHandler<State = S>>(
        &mut self,
        arrived: Arrived<'_, '_>,
        counters: &mut FlowCounters,
        limits: &FlowLimits,
        handler: &mut H,
    ) -> After {
        let Arrived { direction, segment, source } = arrived;
        match self.opening(direction, segment, counters) {
            After::Stay => {}
            After::Doubted => {
                let (own, _, mut out) = self.split(direction, counters, limits, handler);
                own.pass(segment.seq.wrapping_add(1).wrapping_add(segment.wire_len));
                out.disbelieved(direction, segment.bytes, source);
                return After::Doubted;
            }
            after @ After::Reuse(_) => return after,
        }
        self.see(direction, counters);
        if segment.flags & RST != 0 {
            if let Some(sign) = self.reset(direction, segment, source.at, counters) {
                handler.reset_forged(&mut self.info, self.state.as_mut(), sign, &source.origin());
            }
            return After::Stay;
        }
        if segment.flags & ACK != 0 {
            self.acknowledge(direction, segment.ack);
        }
        let mut moved = self.streams[0].is_holding() || self.streams[1].is_holding();
        if segment.wire_len > 0 || !segment.bytes.is_empty() {
            let taken = self.payload(arrived, counters, limits, handler);
            if taken != Taken::Ignored && self.ended.is_some() {
                counters.data_after_end += 1;
                self.ended = None;
            }
            if let Some((by, _, seq)) = self.reset
                && by == direction
                && taken != Taken::Ignored
            {
                self.reset = None;
                // What the RST overtook ends where it stood.
                if ahead(segment.seq.wrapping_add(segment.wire_len), seq) > 0 {
                    let sign = Forged::GoesOn;
                    handler.reset_forged(&mut self.info, self.state.as_mut(), sign, &source.origin());
                }
            }
            moved |= taken == Taken::Held;
        } else {
            // An acknowledgement from beyond a segment that is still to come.
            self.streams[direction.index()].pass(segment.seq);
        }
        if segment.flags & FIN != 0 {
            self.fin(direction, segment);
        }
        if moved {
            self.drain(source.at, counters, limits, handler);
            self.relieve(source.at, counters, limits, handler);
        }
        if self.streams[0].has_fin || self.streams[1].has_fin {
            self.finish_streams();
            if self.streams.iter().all(|s| s.finished) {
                self.ended = Some(CloseReason::Fin);
            }
        }
        After::Stay
    }

    /// SYN: where a stream begins, or a new connection on an old flow.
    fn opening(&mut self, direction: Direction, segment: &Segment<'_>, counters: &mut FlowCounters) -> After {
        let is_answer = segment.flags & ACK != 0;
        if segment.flags & (SYN | RST) != SYN {
            return self.doubted_data(direction, segment);
        }
        let begin = segment.seq.wrapping_add(1);
        let accepts = is_answer && self.doubted == Some((direction.reverse(), segment.ack.wrapping_sub(1)));
        let own = &mut self.streams[direction.index()];
        let before = ahead(own.start, begin);
        if accepts {
            // Whatever number the answer begins with: a simple device begins with the same each time.
            return After::Reuse(self.doubted);
        } else if !own.started {
            own.begin(begin, true);
        } else if before == 0 {
            own.is_exact = true;
        } else if self.ended.is_some() && !(own.is_exact && is_answer) {
            return After::Reuse(None);
        } else if !own.is_exact && (1..=START_WINDOW).contains(&before) {
            own.is_exact = true; // the beginning was overtaken, or lost
        } else {
            counters.syns_doubted += 1;
            if !is_answer {
                self.doubted = Some((direction, segment.seq));
            }
            return After::Doubted;
        }
        self.info.coverage.midstream = false;
        After::Stay
    }

    /// Payload where a doubted SYN said that it would begin, and nowhere near the old stream.
    fn doubted_data(&self, direction: Direction, segment: &Segment<'_>) -> After {
        let Some((of, isn)) = self.doubted else { return After::Stay };
        let own = &self.streams[direction.index()];
        let fits = of == direction
            && segment.wire_len > 0
            && segment.seq == isn.wrapping_add(1)
            && ahead(segment.seq, own.next).unsigned_abs() > START_WINDOW as u32;
        if fits { After::Reuse(self.doubted) } else { After::Stay }
    }

    /// RST: the end, if it is plausible. Returns what makes it look forged.
    fn reset(
        &mut self,
        direction: Direction,
        segment: &Segment<'_>,
        at: Timestamp,
        counters: &mut FlowCounters,
    ) -> Option<Forged> {
        let own = &self.streams[direction.index()];
        let other = &self.streams[direction.reverse().index()];
        let plausible = if own.started {
            (-1..=RESET_WINDOW).contains(&ahead(segment.seq, own.next))
        } else {
            // The answer to a SYN (or to anything, where nothing else was seen): only its ACK can be checked.
            !other.started || segment.flags & ACK == 0 || ahead(segment.ack, other.next).abs() <= RESET_WINDOW
        };
        self.streams[direction.index()].pass(segment.seq.wrapping_add(segment.wire_len));
        if !plausible {
            counters.resets_ignored += 1;
            return Some(Forged::Numbers);
        }
        if self.ended.is_none() {
            self.ended = Some(CloseReason::Reset);
            self.reset = Some((direction, at, segment.seq));
            return None;
        }
        // Later, the other side may not have heard of the first and have given up by itself.
        let answered = |(by, then, _)| by != direction && at.since(then) <= BOTH_NS;
        self.reset.take_if(|reset| answered(*reset)).map(|_| Forged::BothSides)
    }

    /// The sender has received the other direction up to `ack`.
    #[inline]
    fn acknowledge(&mut self, direction: Direction, ack: u32) {
        let other = &mut self.streams[direction.reverse().index()];
        if other.started && ahead(ack, other.next).unsigned_abs() > WINDOW as u32 {
            return;
        }
        // The latest counts, not the highest: a forged one must not stay for good.
        other.is_acked = true;
        other.acked = ack;
        if !other.started
            && let Some(front) = other.front()
        {
            let first = front.seq;
            let earlier = (1..=START_WINDOW).contains(&ahead(first, ack));
            other.begin(if earlier { ack } else { first }, false);
        }
    }

    fn payload<H: FlowHandler<State = S>>(
        &mut self,
        arrived: Arrived<'_, '_>,
        counters: &mut FlowCounters,
        limits: &FlowLimits,
        handler: &mut H,
    ) -> Taken {
        let Arrived { direction, segment, source } = arrived;
        self.data_segments = self.data_segments.saturating_add(1);
        let missing = segment.wire_len.saturating_sub(segment.bytes.len() as u32);
        if missing > 0 {
            counters.truncated += 1;
            self.info.coverage.truncated = true;
        }
        let (own, other, mut out) = self.split(direction, counters, limits, handler);
        let seq = segment.seq.wrapping_add(u32::from(segment.flags & SYN != 0));
        let needs = (segment.flags & ACK != 0).then_some(segment.ack);
        let mut arrival =
            Arrival { direction, seq, bytes: segment.bytes, missing, needs, late: false, source, offset: 0 };
        if !own.started {
            if !other.seen || !own.is_acked {
                arrival.late = own.is_late(seq);
                own.hold(&arrival, &mut out);
                return Taken::Held;
            }
            let earlier = (1..=START_WINDOW).contains(&ahead(seq, own.acked));
            own.begin(if earlier { own.acked } else { seq }, false);
        }
        arrival.late = own.is_late(seq);
        if arrival.late && !segment.bytes.is_empty() {
            out.info.late = Some(source.frame);
        }
        if own.is_passed_at(seq) && !segment.bytes.is_empty() {
            out.info.passed = Some(source.frame);
        }
        let distance = ahead(seq, own.next);
        let due = needs.is_none_or(|ack| other.satisfies(ack));
        if distance == 0 && due && missing == 0 && !own.is_holding() {
            own.deliver(direction, segment.bytes, source, &mut out);
            own.settle();
            return Taken::Delivered;
        }
        arrival.offset = own.offset_of(seq);
        unusual(own, other, &mut arrival, due, &mut out)
    }

    fn fin(&mut self, direction: Direction, segment: &Segment<'_>) {
        let own = &mut self.streams[direction.index()];
        let syn = u32::from(segment.flags & SYN != 0);
        let fin =
            segment.seq.wrapping_add(syn).wrapping_add(segment.wire_len.max(segment.bytes.len() as u32));
        if !own.started && own.is_holding() {
            own.has_fin = true;
            own.fin = fin;
            return;
        }
        if !own.started {
            own.begin(fin, false);
        }
        if !own.finished && (0..=WINDOW).contains(&ahead(fin, own.next)) {
            own.has_fin = true;
            own.fin = fin;
        }
    }

    pub(super) fn finish_streams(&mut self) {
        for stream in &mut self.streams {
            if stream.has_fin && !stream.finished && stream.started && stream.next == stream.fin {
                stream.finished = true;
                // The FIN takes a number; if it was forged, its place is one that bytes may still come for.
                stream.next = stream.next.wrapping_add(1);
                stream.offset += 1;
                stream.give_up(stream.fin, stream.next);
            }
        }
    }
}

/// Payload that is not simply next.
#[cold]
fn unusual<H: FlowHandler>(
    own: &mut Stream,
    other: &mut Stream,
    arrival: &mut Arrival<'_>,
    due: bool,
    out: &mut Out<'_, H>,
) -> Taken {
    let mut distance = ahead(arrival.seq, own.next);
    let total = (arrival.bytes.len() as u32).saturating_add(arrival.missing);
    if is_keep_alive(own, other, arrival, distance) {
        out.counters.keep_alives += 1;
        return Taken::Ignored;
    }
    if own.finished && arrival.seq == own.fin && own.next == own.fin.wrapping_add(1) {
        own.finished = false;
        own.has_fin = false;
        own.next = own.fin;
        own.offset -= 1;
        own.give_up(own.fin, own.fin);
        out.counters.data_after_end += 1;
        distance = 0;
    }
    if distance.unsigned_abs() > WINDOW as u32 {
        if !own.stray(arrival, out) {
            own.pass(arrival.seq.wrapping_add(total));
            out.disbelieved(arrival.direction, arrival.bytes, arrival.source);
            return Taken::Ignored;
        }
        distance = 0;
    }
    if own.is_announced(arrival.seq) && due {
        own.skip(arrival.direction, arrival.seq, arrival.source.origin(), out);
        distance = 0;
    }
    let is_old = distance.saturating_add_unsigned(total) <= 0;
    if !is_old && (distance > 0 || !due || own.is_holding()) && !own.is_late_fill(arrival.seq) {
        own.trim(arrival, out);
        out.counters.out_of_order += u64::from(distance > 0);
        out.counters.held_for_ack += u64::from(distance <= 0 && !due);
        own.hold(arrival, out);
        return Taken::Held;
    }
    let taken = own.take(arrival, out);
    own.settle();
    // A rewind may leave held segments due.
    if taken == Taken::Delivered && own.is_holding() { Taken::Held } else { taken }
}

/// A probe repeats the last octet, often as 0 (RFC 9293, 3.8.4); it is sent when everything has been
/// acknowledged, which tells it from an attempt to replace an octet that is still under way.
fn is_keep_alive(own: &Stream, other: &Stream, arrival: &Arrival<'_>, distance: i32) -> bool {
    let probe = distance == -1 && arrival.bytes.len() + arrival.missing as usize == 1;
    let acknowledged = own.is_acked && own.acked == own.next;
    probe && (acknowledged || (!other.seen && arrival.bytes.first().is_none_or(|b| *b == 0)))
}
