//! What a flow holds back, and when it stops waiting.
//!
//! A segment waits for a hole before it, or for what it acknowledges of the other direction. It is let go
//! when that has come; or when enough is held behind it, or time has passed, and then what it waited for
//! is a gap.

use parsers::{Direction, Gap, Origin, Timestamp};

use super::held::Arrival;
use super::reassembly::{WINDOW, ahead};
use super::tcp::{BOTH, Connection};
use super::{FlowCounters, FlowHandler, FlowLimits, Source};

impl<S> Connection<S> {
    /// Deliver held segments that are due, of both directions, in the order in which they came.
    pub(super) fn drain<H: FlowHandler<State = S>>(
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
            if held.late {
                out.info.late = Some(held.source.frame);
            }
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
                    late: held.late,
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
    pub(super) fn relieve<H: FlowHandler<State = S>>(
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
