//! What a TCP segment does to its flow: both directions together.

use parsers::{Direction, FlowInfo, Gap, Origin, Timestamp};

use super::held::Arrival;
use super::reassembly::{Stream, Taken, WINDOW, ahead};
use super::{CloseReason, FlowCounters, FlowHandler, FlowLimits, Out, Source};
use crate::decap::Segment;

pub(super) const FIN: u8 = 1;
pub(super) const SYN: u8 = 2;
pub(super) const RST: u8 = 4;
pub(super) const ACK: u8 = 16;

/// A RST further ahead than the largest unscaled window is not taken for one of the sender's.
const RESET_WINDOW: i32 = 65_535;
/// How far apart the first segment seen and what the other side acknowledged may be to be put together.
const START_WINDOW: i32 = 65_535;

const BOTH: [Direction; 2] = [Direction::ToServer, Direction::ToClient];

/// What TCP knows about a flow, and what the handler hangs on it.
pub(super) struct Connection<S> {
    pub(super) info: FlowInfo,
    pub(super) state: Option<S>,
    pub(super) streams: [Stream; 2],
    /// A SYN on the live flow which may open a new connection, if somebody answers it.
    doubted: Option<(Direction, u32)>,
    /// FIN on both sides, or RST.
    pub(super) ended: Option<CloseReason>,
    /// Segments with payload.
    pub(super) data_segments: u32,
    pub(super) one_way_told: bool,
}

/// What the table has to do next.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub(super) enum After {
    Stay,
    /// A new connection has begun on the same addresses and ports; where its client's SYN was, if it is
    /// not the segment at hand: the client's direction in the old flow, and its sequence number.
    Reuse(Option<(Direction, u32)>),
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
            data_segments: 0,
            one_way_told: false,
        }
    }

    /// The streams of this direction and the other, and the way out.
    fn split<'a, H: FlowHandler<State = S>>(
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

    /// A segment of this flow.
    pub(super) fn segment<H: FlowHandler<State = S>>(
        &mut self,
        arrived: Arrived<'_, '_>,
        counters: &mut FlowCounters,
        limits: &FlowLimits,
        handler: &mut H,
    ) -> After {
        let Arrived { direction, segment, source } = arrived;
        let after = self.opening(direction, segment, counters);
        if after != After::Stay {
            return after;
        }
        let own = &mut self.streams[direction.index()];
        if !own.seen {
            own.seen = true;
            self.info.coverage.one_way = !self.streams.iter().all(|s| s.seen);
        }
        if segment.flags & RST != 0 {
            self.reset(direction, segment, counters);
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
            moved |= taken == Taken::Held;
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
        let own = &mut self.streams[direction.index()];
        let before = ahead(own.start, begin);
        if !own.started {
            own.begin(begin, true);
        } else if before == 0 {
            own.is_exact = true;
        } else if self.ended.is_some() && !(own.is_exact && is_answer) {
            return After::Reuse(None);
        } else if !own.is_exact && (1..=START_WINDOW).contains(&before) {
            own.is_exact = true; // the beginning was overtaken, or lost
        } else if is_answer && self.doubted == Some((direction.reverse(), segment.ack.wrapping_sub(1))) {
            return After::Reuse(self.doubted);
        } else {
            counters.syns_doubted += 1;
            if !is_answer {
                self.doubted = Some((direction, segment.seq));
            }
            return After::Stay;
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

    fn reset(&mut self, direction: Direction, segment: &Segment<'_>, counters: &mut FlowCounters) {
        let own = &self.streams[direction.index()];
        let other = &self.streams[direction.reverse().index()];
        let plausible = if own.started {
            (-1..=RESET_WINDOW).contains(&ahead(segment.seq, own.next))
        } else {
            // The answer to a SYN (or to anything, where nothing else was seen): only its ACK can be checked.
            !other.started || segment.flags & ACK == 0 || ahead(segment.ack, other.next).abs() <= RESET_WINDOW
        };
        if !plausible {
            counters.resets_ignored += 1;
            return;
        }
        self.ended = self.ended.or(Some(CloseReason::Reset));
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
        let mut arrival = Arrival { direction, seq, bytes: segment.bytes, missing, needs, source, offset: 0 };
        if !own.started {
            if !other.seen || !own.is_acked {
                own.hold(&arrival, &mut out);
                return Taken::Held;
            }
            let earlier = (1..=START_WINDOW).contains(&ahead(seq, own.acked));
            own.begin(if earlier { own.acked } else { seq }, false);
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

    fn finish_streams(&mut self) {
        for stream in &mut self.streams {
            if stream.has_fin && !stream.finished && stream.started && stream.next == stream.fin {
                stream.finished = true;
                stream.next = stream.next.wrapping_add(1);
            }
        }
    }

    /// Deliver held segments that are due, of both directions, in the order in which they came.
    fn drain<H: FlowHandler<State = S>>(
        &mut self,
        now: Timestamp,
        counters: &mut FlowCounters,
        limits: &FlowLimits,
        handler: &mut H,
    ) {
        loop {
            self.finish_streams();
            let due = BOTH
                .into_iter()
                .filter_map(|direction| self.due(direction).map(|source| (source, direction)))
                .min();
            let Some((_, direction)) = due else { return };
            let (own, _, mut out) = self.split(direction, counters, limits, handler);
            let Some(held) = own.pop(now, &mut out) else { return };
            if own.is_announced(held.seq) {
                own.skip(direction, held.seq, held.source.origin(), &mut out);
            }
            own.take(
                &Arrival {
                    direction,
                    seq: held.seq,
                    bytes: &held.bytes,
                    missing: held.missing,
                    needs: None,
                    source: held.source,
                    offset: own.offset_of(held.seq),
                },
                &mut out,
            );
            own.settle();
        }
    }

    /// When the first held segment came, if nothing stands before it any more.
    fn due(&self, direction: Direction) -> Option<Source> {
        let own = &self.streams[direction.index()];
        let other = &self.streams[direction.reverse().index()];
        let front = own.front()?;
        let in_order = ahead(front.seq, own.next) <= 0 || own.is_announced(front.seq);
        let is_old = ahead(front.end(), own.next) <= 0;
        let heard = is_old || front.needs.is_none_or(|ack| other.satisfies(ack));
        (own.started && in_order && heard).then_some(front.source)
    }

    /// Whether the hole before the first held segment is known to be the tap's, not the network's.
    fn is_confirmed(&self, direction: Direction) -> bool {
        let own = &self.streams[direction.index()];
        let other = &self.streams[direction.reverse().index()];
        own.is_confirmed()
            || own.front().is_some_and(|front| {
                ahead(front.seq, own.next) <= 0 && front.needs.is_some_and(|ack| !other.satisfies(ack))
            })
    }

    /// Give holes up while more is held than the limits allow.
    fn relieve<H: FlowHandler<State = S>>(
        &mut self,
        now: Timestamp,
        counters: &mut FlowCounters,
        limits: &FlowLimits,
        handler: &mut H,
    ) {
        for direction in BOTH {
            loop {
                let own = &self.streams[direction.index()];
                let Some(held) = &own.held else { break };
                let most = if !own.started {
                    limits.start_segments
                } else if self.is_confirmed(direction) {
                    limits.confirmed_segments
                } else {
                    limits.held_segments
                };
                let full = held.bytes > limits.held_bytes
                    || (most == limits.held_segments && held.segments.len() >= most)
                    || counters.buffered_bytes > limits.total_bytes as u64;
                if !full && held.segments.len() < most {
                    break;
                }
                counters.held_overflows += u64::from(full);
                self.force(direction, counters, limits, handler);
                self.drain(now, counters, limits, handler);
            }
        }
    }

    /// Wait no longer for what the first held segment of a direction waits for.
    fn force<H: FlowHandler<State = S>>(
        &mut self,
        direction: Direction,
        counters: &mut FlowCounters,
        limits: &FlowLimits,
        handler: &mut H,
    ) {
        let (own, other, mut out) = self.split(direction, counters, limits, handler);
        let Some(front) = own.front() else { return };
        let (seq, needs, origin) = (front.seq, front.needs, front.source.origin());
        if !own.started {
            own.begin(seq, false);
            return;
        }
        if let Some(ack) = needs
            && !other.satisfies(ack)
        {
            match other.front().map(|f| (f.seq, f.source.origin())) {
                Some((to, origin)) if ahead(to, other.next) > 0 && ahead(to, ack) <= 0 => {
                    other.skip(direction.reverse(), to, origin, &mut out);
                }
                // What is asked for is there, but waits for this side in turn: for its hole, if there is
                // one; otherwise the two contradict each other.
                Some((to, _)) if ahead(to, other.next) <= 0 && ahead(seq, own.next) > 0 => {
                    own.skip(direction, seq, origin, &mut out);
                }
                Some((to, _)) if ahead(to, other.next) <= 0 => own.waive(),
                _ => other.announce(direction.reverse(), ack, origin, &mut out),
            }
            return;
        }
        if ahead(seq, own.next) > 0 {
            own.skip(direction, seq, origin, &mut out);
        }
    }

    /// When a wait is over, if something waits with a limit in time.
    #[inline]
    pub(super) fn wait_ends(&self, limits: &FlowLimits) -> Option<Timestamp> {
        if !self.streams[0].is_holding() && !self.streams[1].is_holding() {
            return None;
        }
        let ends = BOTH.into_iter().filter_map(|direction| self.wait_of(direction, limits));
        ends.min()
    }

    fn wait_of(&self, direction: Direction, limits: &FlowLimits) -> Option<Timestamp> {
        let own = &self.streams[direction.index()];
        let held = own.held.as_ref()?;
        if !own.started || self.is_confirmed(direction) {
            return Some(held.since.plus(limits.confirmed_wait_ns));
        }
        // Where acknowledgements are seen, the receiver still waits for the hole as well.
        let one_way = !self.streams[direction.reverse().index()].seen;
        one_way.then(|| held.since.plus(limits.one_way_wait_ns))
    }

    /// Packet time has come to `now`: give up what has been waited for long enough.
    pub(super) fn expire<H: FlowHandler<State = S>>(
        &mut self,
        now: Timestamp,
        counters: &mut FlowCounters,
        limits: &FlowLimits,
        handler: &mut H,
    ) {
        while let Some(direction) =
            self.oldest_front(|flow, direction| flow.wait_of(direction, limits).is_some_and(|end| end <= now))
        {
            self.force(direction, counters, limits, handler);
            self.drain(now, counters, limits, handler);
        }
    }

    /// The direction whose first held segment came first.
    fn oldest_front(&self, counts: impl Fn(&Self, Direction) -> bool) -> Option<Direction> {
        BOTH.into_iter()
            .filter(|direction| counts(self, *direction))
            .filter_map(|d| self.streams[d.index()].front().map(|front| (front.source, d)))
            .min()
            .map(|(_, direction)| direction)
    }

    /// The flow ends: nothing more is waited for.
    pub(super) fn flush<H: FlowHandler<State = S>>(
        &mut self,
        now: Timestamp,
        counters: &mut FlowCounters,
        limits: &FlowLimits,
        handler: &mut H,
    ) {
        while let Some(direction) = self.oldest_front(|_, _| true) {
            self.force(direction, counters, limits, handler);
            self.drain(now, counters, limits, handler);
        }
        for direction in BOTH {
            self.lost_at_end(direction, counters, limits, handler);
        }
    }

    /// Acknowledged, but never seen, and nothing behind it: the capture missed the end.
    fn lost_at_end<H: FlowHandler<State = S>>(
        &mut self,
        direction: Direction,
        counters: &mut FlowCounters,
        limits: &FlowLimits,
        handler: &mut H,
    ) {
        let own = &self.streams[direction.index()];
        let unseen = ahead(own.acked, own.next);
        // One more may be a FIN that was not captured.
        if !own.seen || !own.started || !own.is_acked || unseen <= 1 || unseen > WINDOW || own.was_told() {
            return;
        }
        let Some(state) = &mut self.state else { return };
        counters.gaps += 1;
        counters.gap_bytes += unseen as u64;
        self.info.coverage.gaps = self.info.coverage.gaps.saturating_add(1);
        let tail = own.tail(direction);
        let origin = tail.pieces.last().map(Origin::of).unwrap_or_default();
        handler.gap(&mut self.info, state, &Gap { direction, missing: Some(unseen as u64), tail, origin });
        self.streams[direction.index()].clear_tail(counters, limits);
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
    if own.finished && arrival.seq == own.fin {
        own.finished = false;
        own.has_fin = false;
        own.next = own.fin;
        out.counters.data_after_end += 1;
        distance = 0;
    }
    if distance.unsigned_abs() > WINDOW as u32 {
        if !own.stray(arrival, out) {
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
