//! Segments of one direction that wait for something before them.

use std::collections::VecDeque;

use parsers::{Direction, Timestamp};

use super::reassembly::ahead;
use super::{EXCERPT, FlowHandler, Out, Overlap, Source};

/// A segment that waits: for a hole before it, or for bytes of the other direction it acknowledges.
#[derive(Debug)]
pub(super) struct HeldSegment {
    pub(super) seq: u32,
    pub(super) bytes: Vec<u8>,
    /// Bytes behind these that the snap length cut off.
    pub(super) missing: u32,
    /// The other direction must have come this far first.
    pub(super) needs: Option<u32>,
    /// It came out of turn.
    pub(super) late: bool,
    pub(super) source: Source,
}

impl HeldSegment {
    /// What it costs in memory: tiny segments are mostly overhead.
    pub(super) fn cost(&self) -> usize {
        self.bytes.len() + 2 * size_of::<HeldSegment>()
    }

    /// Sequence number behind it.
    pub(super) fn end(&self) -> u32 {
        self.seq.wrapping_add(self.bytes.len() as u32).wrapping_add(self.missing)
    }
}

/// What one direction holds, ordered by sequence number, without overlaps.
#[derive(Debug, Default)]
pub(super) struct Held {
    pub(super) segments: VecDeque<HeldSegment>,
    pub(super) bytes: usize,
    /// When the wait for what is now first began.
    pub(super) since: Timestamp,
}

/// A segment on its way into the store.
pub(super) struct Arrival<'a> {
    pub(super) direction: Direction,
    pub(super) seq: u32,
    pub(super) bytes: &'a [u8],
    pub(super) missing: u32,
    pub(super) needs: Option<u32>,
    pub(super) late: bool,
    pub(super) source: Source,
    /// Stream offset of sequence number `seq`, for reports.
    pub(super) offset: u64,
}

/// Whether `new` waits for less of the other direction than `old`.
fn is_heard_earlier(new: Option<u32>, old: Option<u32>) -> bool {
    match (new, old) {
        (Some(new), Some(old)) => ahead(new, old) < 0,
        (new, old) => new.is_none() && old.is_some(),
    }
}

impl Held {
    /// Keep what the arrival brings and is not held yet (first seen wins); report differences.
    pub(super) fn insert<H: FlowHandler>(&mut self, arrival: &Arrival<'_>, out: &mut Out<'_, H>) {
        if self.segments.is_empty() {
            self.since = arrival.source.at;
        }
        let end = arrival.bytes.len() as u32;
        let mut from = 0_u32; // within the arrival
        let mut repeated = false;
        let mut brought = false;
        // Those that end before it are passed over in one go: a hole may have hundreds behind it.
        let mut index = self.segments.partition_point(|held| ahead(held.end(), arrival.seq) <= 0);
        while from < end {
            let seq = arrival.seq.wrapping_add(from);
            let Some(held) = self.segments.get(index) else {
                self.put(index, arrival, from, end, arrival.missing, out);
                brought = true;
                break;
            };
            if ahead(held.end(), seq) <= 0 {
                index += 1;
                continue;
            }
            let distance = ahead(held.seq, seq);
            if distance > 0 {
                // Free room before the next held segment.
                let until = end.min(from + distance as u32);
                let missing =
                    if until == end { arrival.missing.min(distance as u32 - (end - from)) } else { 0 };
                self.put(index, arrival, from, until, missing, out);
                brought = true;
                index += 1;
                from = until;
                continue;
            }
            // The same place is held already.
            repeated = true;
            let skip = ahead(seq, held.seq) as usize;
            let new = &arrival.bytes[from as usize..];
            if is_heard_earlier(arrival.needs, held.needs) && skip < held.bytes.len() {
                // The same bytes once more, and now they need less: a repetition overtook the original.
                if skip > 0 {
                    self.split(index, skip, out);
                    index += 1;
                    continue;
                }
                if held.bytes.len() > new.len() {
                    self.split(index, new.len(), out);
                }
                self.segments[index].needs = arrival.needs;
            }
            let held = &self.segments[index];
            let old = held.bytes.get(skip..).unwrap_or_default();
            let same = old.len().min(new.len());
            if let Some(at) = (0..same).find(|i| old[*i] != new[*i]) {
                out.overlap(&Overlap {
                    direction: arrival.direction,
                    offset: arrival.offset + u64::from(from) + at as u64,
                    old: &old[at..same.min(at + EXCERPT)],
                    new: &new[at..same.min(at + EXCERPT)],
                    old_origin: Some(held.source.origin()),
                    new_origin: arrival.source.origin(),
                });
            }
            from += ahead(held.end(), seq) as u32;
            index += 1;
        }
        match (repeated, brought) {
            (true, true) => out.counters.overlaps += 1,
            (true, false) => out.counters.retransmitted += 1,
            _ => {}
        }
    }

    /// Make two segments of one.
    fn split<H: FlowHandler>(&mut self, index: usize, at: usize, out: &mut Out<'_, H>) {
        let first = &mut self.segments[index];
        let second = HeldSegment {
            seq: first.seq.wrapping_add(at as u32),
            bytes: first.bytes.split_off(at),
            missing: core::mem::take(&mut first.missing),
            ..*first
        };
        out.counters.buffer(second.cost() - second.bytes.len());
        self.segments.insert(index + 1, second);
    }

    fn put<H: FlowHandler>(
        &mut self,
        index: usize,
        arrival: &Arrival<'_>,
        from: u32,
        until: u32,
        missing: u32,
        out: &mut Out<'_, H>,
    ) {
        let bytes = arrival.bytes[from as usize..until as usize].to_vec();
        self.bytes += bytes.len();
        let segment = HeldSegment {
            seq: arrival.seq.wrapping_add(from),
            bytes,
            missing,
            needs: arrival.needs,
            late: arrival.late,
            source: arrival.source,
        };
        out.counters.buffer(segment.cost());
        self.segments.insert(index, segment);
    }

    /// Take the first segment out, if there is one.
    pub(super) fn pop(&mut self) -> Option<HeldSegment> {
        let segment = self.segments.pop_front()?;
        self.bytes -= segment.bytes.len();
        Some(segment)
    }

    pub(super) fn capacity_bytes(&self) -> usize {
        size_of::<Held>()
            + self.segments.capacity() * size_of::<HeldSegment>()
            + self.segments.iter().map(|s| s.bytes.capacity()).sum::<usize>()
    }
}
