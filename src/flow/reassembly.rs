//! One direction of one TCP stream: in order, each byte once, holes reported.

use parsers::{Chunk, Direction, Origin, Piece, Progress, Timestamp};

use super::held::{Arrival, Held, HeldSegment};
use super::history::History;
use super::pieces::Pieces;
use super::{EXCERPT, FlowCounters, FlowHandler, FlowLimits, Out, Overlap, Source};

/// Sequence numbers further away than this from what is expected belong to no plausible sender. (The
/// largest window TCP allows is 1 GiB; control protocols have one request under way.)
pub(super) const WINDOW: i32 = 16 << 20;

/// Bytes above which an emptied tail's buffers are given back. Below lies what the longest PDUs need when
/// they come octet by octet: [`PIECES`](super::pieces::PIECES) runs and two KiB.
const BUFFER_KEPT: usize = super::pieces::PIECES * size_of::<Piece>() + 2048;

/// How far `a` is ahead of `b`, in the circle of sequence numbers (RFC 9293, 3.4).
#[inline]
pub(super) fn ahead(a: u32, b: u32) -> i32 {
    a.wrapping_sub(b) as i32
}

/// One direction of a TCP stream.
#[derive(Debug, Default)]
pub(super) struct Stream {
    /// Sequence number expected next. Valid once `started`.
    pub(super) next: u32,
    /// Where the stream was taken up.
    pub(super) start: u32,
    /// How far the receiver has acknowledged. Valid if `is_acked`.
    pub(super) acked: u32,
    /// Sequence number of the FIN. Valid if `has_fin`.
    pub(super) fin: u32,
    /// The last part given up as a gap. Bytes for it take the stream back.
    pub(super) gap: (u32, u32),
    /// Stream offset at the end of `gap`; sequence numbers come round, offsets do not.
    gap_offset: u64,
    /// The handler has been told that up to here nothing will come. Valid if `is_told`.
    pub(super) told: u32,
    /// Where the stream stood when the handler was told.
    pub(super) told_at: u32,
    pub(super) stray: u32,
    /// How far a segment reached that was not believed: octets before it are out of turn for whoever believed
    /// it. Valid if `is_passed`.
    pub(super) passed: u32,
    /// How many unconsumed bytes the session wants before it is called again.
    pub(super) needed: u32,
    /// Stream offset of `next`: bytes delivered and missed since the start.
    pub(super) offset: u64,
    pub(super) tail: Vec<u8>,
    pub(super) pieces: Pieces,
    pub(super) held: Option<Box<Held>>,
    history: Option<Box<History>>,
    /// A packet of this direction was seen.
    pub(super) seen: bool,
    pub(super) started: bool,
    /// SYN was seen (or the other side's SYN+ACK, which names its number).
    pub(super) is_exact: bool,
    pub(super) is_acked: bool,
    pub(super) has_fin: bool,
    /// Everything up to and including the FIN was delivered.
    pub(super) finished: bool,
    pub(super) is_told: bool,
    pub(super) is_passed: bool,
    pub(super) strays: u8,
}

/// What became of a segment's payload.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub(super) enum Taken {
    /// Delivered: other held segments may now be due.
    Delivered,
    /// Held.
    Held,
    /// Nothing new, or ignored.
    Ignored,
}

impl Stream {
    /// Take up the stream here.
    pub(super) fn begin(&mut self, seq: u32, exact: bool) {
        self.started = true;
        self.is_exact |= exact;
        self.next = seq;
        self.start = seq;
        // Without SYN, nobody knows how much came before: late segments from there are no repetitions.
        self.give_up(if exact { seq } else { seq.wrapping_sub(WINDOW as u32) }, seq);
        // What was acknowledged before anything was seen may have been anybody's.
        self.is_acked &= ahead(self.acked, seq).unsigned_abs() <= WINDOW as u32;
    }

    /// Everything between is a gap; `to` is (about to become) `next`, and `offset` belongs to it.
    pub(super) fn give_up(&mut self, from: u32, to: u32) {
        self.gap = (from, to);
        self.gap_offset = self.offset;
    }

    /// Whether the other side may be heard out when it has acknowledged up to `ack`.
    #[inline]
    pub(super) fn satisfies(&self, ack: u32) -> bool {
        let distance = ahead(ack, self.next);
        !self.started || distance <= 0 || distance > WINDOW || (self.is_told && ahead(ack, self.told) <= 0)
    }

    /// Whether a hole before `held` exists that the receiver does not have.
    pub(super) fn is_confirmed(&self) -> bool {
        self.is_acked && self.started && (1..=WINDOW).contains(&ahead(self.acked, self.next))
    }

    pub(super) fn is_holding(&self) -> bool {
        self.held.is_some()
    }

    /// Whether octets from `seq` on come out of turn: others from behind them have come, or they have been
    /// acknowledged.
    #[inline]
    pub(super) fn is_late(&self, seq: u32) -> bool {
        let acknowledged = self.is_acked && ahead(self.acked, seq) > 0;
        let last = self.held.as_ref().and_then(|held| held.segments.back());
        acknowledged || ahead(self.next, seq) > 0 || last.is_some_and(|last| ahead(last.seq, seq) > 0)
    }

    /// Whether octets from `seq` on are repetitions to a reader that believed all segments.
    #[inline]
    pub(super) fn is_passed_at(&self, seq: u32) -> bool {
        self.is_passed && ahead(self.passed, seq) > 0
    }

    /// A segment up to `end` came that is not believed.
    pub(super) fn pass(&mut self, end: u32) {
        if self.started && ahead(end, if self.is_passed { self.passed } else { self.next }) > 0 {
            self.is_passed = true;
            self.passed = end;
        }
    }

    pub(super) fn front(&self) -> Option<&HeldSegment> {
        self.held.as_ref().and_then(|held| held.segments.front())
    }

    /// The first held segment waits for the other direction no longer.
    pub(super) fn waive(&mut self) {
        if let Some(front) = self.held.as_mut().and_then(|held| held.segments.front_mut()) {
            front.needs = None;
        }
    }

    /// Put a segment aside.
    pub(super) fn hold<H: FlowHandler>(&mut self, arrival: &Arrival<'_>, out: &mut Out<'_, H>) {
        self.held.get_or_insert_default().insert(arrival, out);
        self.release_empty();
    }

    fn release_empty(&mut self) {
        if self.held.as_ref().is_some_and(|held| held.segments.is_empty()) {
            self.held = None;
        }
    }

    /// Take the first held segment; the wait for the next one begins now.
    pub(super) fn pop<H: FlowHandler>(
        &mut self,
        now: Timestamp,
        out: &mut Out<'_, H>,
    ) -> Option<HeldSegment> {
        let held = self.held.as_mut()?;
        let segment = held.pop()?;
        held.since = held.since.max(now);
        out.counters.unbuffer(segment.cost());
        self.release_empty();
        Some(segment)
    }

    /// Stream offset of a sequence number, for reports.
    pub(super) fn offset_of(&self, seq: u32) -> u64 {
        self.offset.saturating_add_signed(i64::from(ahead(seq, self.next)))
    }

    /// A segment that is due: deliver what is new of it. `seq` is at or before `next`, or behind a hole
    /// that the handler knows of.
    pub(super) fn take<H: FlowHandler>(&mut self, arrival: &Arrival<'_>, out: &mut Out<'_, H>) -> Taken {
        let length = arrival.bytes.len() as i32;
        let total = length.saturating_add(arrival.missing as i32);
        let mut old = -ahead(arrival.seq, self.next);
        if old > 0 && self.is_late_fill(arrival.seq) {
            self.rewind(arrival, out);
            old = 0;
        }
        if old > 0 {
            let repeated = arrival.bytes.get(..old.min(length) as usize).unwrap_or_default();
            self.compare(arrival, repeated, out);
            if total <= old {
                out.counters.retransmitted += 1;
                return Taken::Ignored;
            }
            out.counters.overlaps += 1;
        }
        let fresh = arrival.bytes.get(old.max(0) as usize..).unwrap_or_default();
        if !fresh.is_empty() {
            self.deliver(arrival.direction, fresh, arrival.source, out);
        }
        if arrival.missing > 0 {
            let to = arrival.seq.wrapping_add(total as u32);
            self.skip(arrival.direction, to, arrival.source.origin(), out);
            self.give_up(to, to); // repetitions are cut as well
        }
        Taken::Delivered
    }

    /// Cut off what was delivered already, after comparing it.
    pub(super) fn trim<H: FlowHandler>(&self, arrival: &mut Arrival<'_>, out: &mut Out<'_, H>) {
        let old = -ahead(arrival.seq, self.next);
        if old <= 0 {
            return;
        }
        let (repeated, fresh) = arrival.bytes.split_at((old as usize).min(arrival.bytes.len()));
        self.compare(arrival, repeated, out);
        out.counters.overlaps += 1;
        arrival.missing -= (old as u32).saturating_sub(arrival.bytes.len() as u32).min(arrival.missing);
        arrival.bytes = fresh;
        arrival.offset += old as u64;
        arrival.seq = self.next;
    }

    /// Whether these bytes fill a hole that was given up.
    pub(super) fn is_late_fill(&self, seq: u32) -> bool {
        let recent = self.offset.saturating_sub(self.gap_offset) <= WINDOW as u64;
        recent && ahead(seq, self.gap.0) >= 0 && ahead(seq, self.gap.1) < 0
    }

    /// These bytes are next: remember them, and go on behind them.
    #[inline(always)]
    pub(super) fn moved(
        &mut self,
        bytes: &[u8],
        source: Source,
        counters: &mut FlowCounters,
        limits: &FlowLimits,
    ) {
        if let Some(history) = &mut self.history
            && history.has_room(bytes.len())
        {
            history.push(self.offset, bytes, source);
        } else {
            self.remember(bytes, source, counters, limits);
        }
        self.next = self.next.wrapping_add(bytes.len() as u32);
        self.offset += bytes.len() as u64;
    }

    /// Whether the session is to be called with the next bytes as they come: nothing stands before them, and
    /// they are enough.
    #[inline(always)]
    pub(super) fn is_wanted(&self, length: usize) -> bool {
        self.tail.is_empty() && length >= self.needed as usize
    }

    /// In-order bytes that the session was not called with, or did not take all of: `consumed`, if it was.
    #[inline(never)]
    pub(super) fn leave<H: FlowHandler>(
        &mut self,
        direction: Direction,
        bytes: &[u8],
        consumed: Option<usize>,
        source: Source,
        out: &mut Out<'_, H>,
    ) {
        let Some(mut consumed) = consumed else {
            self.keep(bytes, source, out);
            self.offer(direction, out);
            return;
        };
        let mut rest = bytes;
        loop {
            rest = &rest[consumed..];
            if rest.is_empty() {
                return;
            }
            if consumed == 0 || rest.len() < self.needed as usize {
                break;
            }
            consumed = self.call(direction, rest, source, out);
        }
        self.keep(rest, source, out);
        self.check_tail(direction, out);
    }

    /// Call the session with bytes of one segment, before which nothing stands.
    fn call<H: FlowHandler>(
        &mut self,
        direction: Direction,
        bytes: &[u8],
        source: Source,
        out: &mut Out<'_, H>,
    ) -> usize {
        let pieces = [Piece { end: bytes.len(), frame: source.frame, at: source.at }];
        let progress = out.data(&Chunk { direction, bytes, pieces: &pieces });
        self.note(progress, bytes.len())
    }

    /// In-order bytes.
    pub(super) fn deliver<H: FlowHandler>(
        &mut self,
        direction: Direction,
        bytes: &[u8],
        source: Source,
        out: &mut Out<'_, H>,
    ) {
        self.moved(bytes, source, out.counters, out.limits);
        let is_wanted = self.is_wanted(bytes.len());
        let consumed = is_wanted.then(|| self.call(direction, bytes, source, out));
        self.leave(direction, bytes, consumed, source, out);
    }

    /// Remember the first bytes of a stream, or more than were remembered so far, if there is room.
    #[cold]
    fn remember(&mut self, bytes: &[u8], source: Source, counters: &mut FlowCounters, limits: &FlowLimits) {
        let had = self.history_bytes();
        let free = counters.history_bytes < limits.history_total_bytes as u64;
        if self.history.is_none() {
            if !free {
                counters.history_refused += 1;
                return;
            }
            self.history = Some(Box::new(History::new()));
        }
        if let Some(history) = &mut self.history {
            if free {
                history.grow(bytes.len(), limits.history_bytes);
            }
            history.push(self.offset, bytes, source);
        }
        counters.history_bytes += (self.history_bytes() - had) as u64;
    }

    /// The stream goes on elsewhere: what was delivered is not to be compared with what comes there.
    pub(super) fn forget(&mut self) {
        if let Some(history) = &mut self.history {
            history.clear();
        }
    }

    fn history_bytes(&self) -> usize {
        self.history.as_ref().map_or(0, |history| history.capacity_bytes())
    }

    #[inline(always)]
    pub(super) fn note(&mut self, progress: Progress, length: usize) -> usize {
        self.needed = u32::try_from(progress.needed).unwrap_or(u32::MAX);
        progress.consumed.min(length)
    }

    fn keep<H: FlowHandler>(&mut self, bytes: &[u8], source: Source, out: &mut Out<'_, H>) {
        let had = self.buffer_bytes();
        self.tail.extend_from_slice(bytes);
        self.pieces.push(self.tail.len(), source);
        out.counters.buffer(self.buffer_bytes() - had);
    }

    fn buffer_bytes(&self) -> usize {
        self.tail.capacity() + self.pieces.capacity_bytes()
    }

    /// Call the session as long as it wants what is in the tail.
    fn offer<H: FlowHandler>(&mut self, direction: Direction, out: &mut Out<'_, H>) {
        while !self.tail.is_empty()
            && (self.tail.len() >= self.needed as usize || self.tail.len() >= out.limits.tail_bytes)
        {
            let chunk = Chunk { direction, bytes: &self.tail, pieces: self.pieces.as_slice() };
            let progress = out.data(&chunk);
            let consumed = self.note(progress, self.tail.len());
            if consumed == 0 {
                break;
            }
            if consumed == self.tail.len() {
                self.clear_tail(out.counters, out.limits);
                return;
            }
            self.tail.drain(..consumed);
            self.pieces.consume(consumed);
        }
        self.check_tail(direction, out);
    }

    /// Empty the tail. A small buffer is kept for the next one, as long as there is plenty of memory.
    pub(super) fn clear_tail(&mut self, counters: &mut FlowCounters, limits: &FlowLimits) {
        self.tail.clear();
        self.pieces.clear();
        let scarce = counters.buffered_bytes > limits.total_bytes as u64 / 2;
        if self.buffer_bytes() > BUFFER_KEPT || scarce {
            counters.unbuffer(self.buffer_bytes());
            self.tail = Vec::new();
            self.pieces = Pieces::default();
        }
    }

    fn check_tail<H: FlowHandler>(&mut self, direction: Direction, out: &mut Out<'_, H>) {
        let full = out.counters.buffered_bytes > out.limits.total_bytes as u64;
        if self.tail.is_empty() || (self.tail.len() < out.limits.tail_bytes && !full) {
            return;
        }
        out.counters.tail_overflows += 1;
        let origin = self.pieces.as_slice().last().map(Origin::of).unwrap_or_default();
        self.tell(direction, Some(0), origin, out);
    }

    /// Compare repeated bytes with what was delivered.
    fn compare<H: FlowHandler>(&self, arrival: &Arrival<'_>, repeated: &[u8], out: &mut Out<'_, H>) {
        if repeated.is_empty() {
            return;
        }
        let Some(history) = &self.history else {
            out.counters.overlaps_unverified += 1;
            return;
        };
        // What lies before the start has no offset.
        let back = u64::from(self.next.wrapping_sub(arrival.seq));
        let before = (back.saturating_sub(self.offset) as usize).min(repeated.len());
        let repeated = &repeated[before..];
        let offset = self.offset.saturating_sub(back);
        let (difference, complete) = history.compare(offset, repeated);
        let complete = complete && before == 0;
        let Some(difference) = difference else {
            out.counters.overlaps_unverified += u64::from(!complete);
            return;
        };
        let new = &repeated[difference.at..];
        out.overlap(&Overlap {
            direction: arrival.direction,
            offset: offset + difference.at as u64,
            old: &difference.old[..difference.old.len().min(EXCERPT)],
            new: &new[..new.len().min(difference.old.len()).min(EXCERPT)],
            old_origin: difference.old_origin,
            new_origin: arrival.source.origin(),
        });
    }

    /// The unconsumed bytes.
    pub(super) fn tail(&self, direction: Direction) -> Chunk<'_> {
        Chunk { direction, bytes: &self.tail, pieces: self.pieces.as_slice() }
    }

    /// Whether the handler knows that everything acknowledged and not seen is missing.
    pub(super) fn was_told(&self) -> bool {
        self.is_told && ahead(self.acked, self.told) <= 0
    }

    /// Give back what an idle stream does not need.
    pub(super) fn cool(&mut self, counters: &mut FlowCounters) {
        counters.history_bytes -= self.history_bytes() as u64;
        self.history = None;
        if self.tail.is_empty() {
            counters.unbuffer(self.buffer_bytes());
            self.tail = Vec::new();
            self.pieces = Pieces::default();
        }
    }

    /// The stream ends: take its buffers out of the accounts.
    pub(super) fn release(&self, counters: &mut FlowCounters) {
        counters.history_bytes -= self.history_bytes() as u64;
        counters.unbuffer(self.buffer_bytes());
    }

    /// Heap bytes.
    pub(super) fn capacity_bytes(&self) -> usize {
        self.buffer_bytes()
            + self.held.as_ref().map_or(0, |held| held.capacity_bytes())
            + self.history_bytes()
    }
}
