//! Where a stream has a hole, goes back, or goes on elsewhere.

use parsers::{Chunk, Direction, Gap, Origin};

use super::held::Arrival;
use super::reassembly::{Stream, WINDOW, ahead};
use super::{FlowHandler, Out};

/// Consecutive segments outside the window after which the stream is taken up there.
const STRAYS: u8 = 3;

impl Stream {
    /// Report a gap with the unfinished tail, which is then gone.
    pub(super) fn tell<H: FlowHandler>(
        &mut self,
        direction: Direction,
        missing: Option<u64>,
        origin: Origin,
        out: &mut Out<'_, H>,
    ) {
        let tail = Chunk { direction, bytes: &self.tail, pieces: self.pieces.as_slice() };
        out.gap(&Gap { direction, missing, tail, origin });
        self.clear_tail(out.counters, out.limits);
        self.needed = 0;
    }

    /// Bytes up to `to` are missing for good: go on there.
    pub(super) fn skip<H: FlowHandler>(
        &mut self,
        direction: Direction,
        to: u32,
        origin: Origin,
        out: &mut Out<'_, H>,
    ) {
        let missing = ahead(to, self.next).max(0) as u64;
        // Bytes may have come since that the session takes for what lies behind the hole.
        let untouched = self.next == self.told_at && self.tail.is_empty();
        let known = self.is_told && ahead(to, self.told) <= 0 && untouched;
        if !known {
            self.tell(direction, Some(missing), origin, out);
        }
        self.offset += missing;
        self.give_up(self.next, to);
        self.next = to;
    }

    /// The receiver has acknowledged up to `ack`, but nothing behind the hole has come yet: report the gap
    /// and stay, since an acknowledgement alone proves nothing about where the stream goes on.
    pub(super) fn announce<H: FlowHandler>(
        &mut self,
        direction: Direction,
        ack: u32,
        origin: Origin,
        out: &mut Out<'_, H>,
    ) {
        let from = if self.is_told && ahead(self.told, self.next) > 0 { self.told } else { self.next };
        let missing = ahead(ack, from).max(0) as u64;
        self.tell(direction, Some(missing), origin, out);
        self.is_told = true;
        self.told = ack;
        self.told_at = self.next;
    }

    /// Whether a segment at `seq` follows a hole that was announced already.
    pub(super) fn is_announced(&self, seq: u32) -> bool {
        self.is_told && ahead(seq, self.next) > 0 && ahead(seq, self.told) <= 0
    }

    /// The announced hole is behind us.
    #[inline]
    pub(super) fn settle(&mut self) {
        if self.is_told && ahead(self.next, self.told) >= 0 {
            self.is_told = false;
        }
        if self.is_passed && ahead(self.next, self.passed) >= 0 {
            self.is_passed = false;
        }
    }

    /// A segment far from what is expected. When several follow each other there, the stream is taken up
    /// there, provided that the receiver's acknowledgements do not contradict.
    pub(super) fn stray<H: FlowHandler>(&mut self, arrival: &Arrival<'_>, out: &mut Out<'_, H>) -> bool {
        out.counters.out_of_window += 1;
        self.strays = if arrival.seq == self.stray && self.strays > 0 { self.strays + 1 } else { 1 };
        self.stray = arrival.seq.wrapping_add(arrival.bytes.len() as u32).wrapping_add(arrival.missing);
        let contradicted = self.is_acked && ahead(self.acked, arrival.seq).abs() > WINDOW;
        if self.strays < STRAYS || contradicted {
            return false;
        }
        out.counters.resynchronised += 1;
        self.strays = 0;
        while self.pop(arrival.source.at, out).is_some() {}
        self.tell(arrival.direction, None, arrival.source.origin(), out);
        self.give_up(arrival.seq, arrival.seq);
        self.forget();
        self.next = arrival.seq;
        self.is_told = false;
        self.finished = false;
        self.has_fin = false;
        true
    }

    /// Bytes come for a place given up before: go back there, rather than take all that follows for a
    /// repetition. Otherwise one injected segment ahead of the stream would blind the tap.
    pub(super) fn rewind<H: FlowHandler>(&mut self, arrival: &Arrival<'_>, out: &mut Out<'_, H>) {
        out.counters.rewinds += 1;
        self.tell(arrival.direction, None, arrival.source.origin(), out);
        self.offset = self.offset_of(arrival.seq);
        self.next = arrival.seq;
        self.give_up(self.gap.0, arrival.seq);
        self.is_told = false;
        self.finished = false;
    }
}
