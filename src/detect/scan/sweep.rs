//! A sweep that goes on: what it has covered, and when to tell of it.
//!
//! It is told when the threshold is reached, again whenever it covers four times as much, and a last time
//! when nothing new came for a while: one story with its extent, not a finding for each request.

use parsers::{FrameRef, Origin, PointKind, PointRange, Timestamp};

use super::ranges::RangeSet;

/// A sweep without anything new for so long is over.
pub(super) const OVER_NS: u64 = 60_000_000_000;
/// It is told again when it covers so many times more.
const AGAIN: u64 = 4;

/// Station numbers and function codes, as if they were points of one kind.
pub(super) const NUMBERS: PointKind = PointKind::DeviceData;

/// What a sweep has covered so far.
#[derive(Debug)]
pub(super) struct Running {
    /// Packet time of the first request.
    pub(super) began: Timestamp,
    /// Packet time of the last request that brought something new, or was refused.
    pub(super) last: Timestamp,
    /// First and last frame.
    pub(super) frames: [FrameRef; 2],
    /// What was asked for.
    pub(super) covered: RangeSet,
    /// Requests that belong to it.
    pub(super) requests: u64,
    /// Requests that were refused.
    pub(super) refused: u64,
    /// Stations that answered properly.
    pub(super) answered: u64,
    /// Other findings that were not reported, because they are part of this.
    pub(super) folded: u64,
    /// Its answers cannot be seen; that there were none is what the asking side acknowledges.
    pub(super) acknowledges_none: bool,
    told: u64,
    times: u64,
}

/// Which telling of a sweep it is.
#[derive(Debug, Clone, Copy, Eq, PartialEq)]
pub(super) struct Telling {
    /// Keeps this telling apart from the others when repeats are folded.
    pub(super) number: u64,
    /// The sweep is over.
    pub(super) over: bool,
}

impl Running {
    /// Whether all that tells of no answers is what the asking side acknowledges, and none has been seen since.
    pub(super) fn is_unheard(&self) -> bool {
        self.acknowledges_none && self.answered == 0
    }

    /// A sweep that began `span_ns` before its threshold was reached at `origin`.
    pub(super) fn new(origin: &Origin, span_ns: u64) -> Running {
        Running {
            began: Timestamp(origin.at.0.saturating_sub(span_ns)),
            last: origin.at,
            frames: [origin.first_frame, origin.frame],
            covered: RangeSet::default(),
            requests: 0,
            refused: 0,
            answered: 0,
            folded: 0,
            acknowledges_none: false,
            told: 0,
            times: 0,
        }
    }

    /// A request that belongs to it.
    pub(super) fn request(&mut self, origin: &Origin) {
        self.requests += 1;
        self.last = self.last.max(origin.at);
        self.frames[1] = origin.frame;
    }

    /// It covers this number, too.
    pub(super) fn cover(&mut self, number: u32) {
        self.covered.add(&PointRange::one(NUMBERS, number));
    }

    /// Whether it has grown so much that it is to be told.
    pub(super) fn grown(&mut self) -> Option<Telling> {
        let covered = self.covered.points().max(1);
        if self.times > 0 && covered < self.told.saturating_mul(AGAIN) {
            return None;
        }
        self.told = covered;
        self.times += 1;
        Some(Telling { number: self.times, over: false })
    }

    /// Whether it is over at `now`.
    pub(super) fn is_over(&self, now: Timestamp) -> bool {
        now.since(self.last) >= OVER_NS
    }

    /// The last telling, unless all has been told.
    pub(super) fn rest(&self) -> Option<Telling> {
        let more = self.covered.points() > self.told || self.folded > 0;
        more.then_some(Telling { number: self.times + 1, over: true })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sweep_is_told_at_first_when_it_has_grown_fourfold_and_at_its_end() {
        let at = |seconds: u64| Origin { at: Timestamp(seconds * 1_000_000_000), ..Origin::default() };
        let mut sweep = Running::new(&at(10), 0);
        let mut told = Vec::new();
        for n in 0..100 {
            sweep.request(&at(10 + u64::from(n)));
            sweep.cover(n);
            if n >= 4
                && let Some(telling) = sweep.grown()
            {
                told.push((n + 1, telling.number));
            }
        }
        assert_eq!(told, [(5, 1), (20, 2), (80, 3)]);
        assert!(!sweep.is_over(at(168).at) && sweep.is_over(at(169).at));
        assert_eq!(sweep.rest(), Some(Telling { number: 4, over: true }));
    }
}
