//! What is done with every frame on the thread that reads: counted, unwrapped, recognised if seen before;
//! and packet time.

use parsers::Timestamp;

use super::PipelineOptions;
use crate::capture::Frame;
use crate::decap::{Anomaly, DecapCounters, Decapsulator, Packet, Plain};
use crate::dedup::Deduplicator;
use crate::dispatch::{SECOND, Seconds};

/// A clock that steps back by more than this was set back; less is the jitter of several taps.
const STEP_NS: u64 = 60 * SECOND;

/// What was read, by frame.
#[derive(Debug, Clone, Copy, Default)]
pub struct FrameCounters {
    /// Frames read.
    pub frames: u64,
    /// Their octets on the wire.
    pub wire_octets: u64,
    /// Frames cut by the snap length.
    pub truncated: u64,
    /// Frames seen before and not judged again.
    pub duplicates: u64,
    /// Packet time of the last frame.
    pub last_frame: Timestamp,
    /// Times that no frame came for half a minute and for far longer than ever before.
    pub pauses: u64,
    /// The longest time without a frame before the present one, in nanoseconds.
    pub longest_pause_ns: u64,
    /// The present or latest time without a frame: since when, and how long.
    pause: (Timestamp, u64),
}

impl FrameCounters {
    #[inline]
    fn add(&mut self, frame: &Frame<'_>) {
        self.frames += 1;
        self.wire_octets += u64::from(frame.wire_len);
        self.last_frame = frame.at;
        self.truncated += u64::from((frame.bytes.len() as u64) < u64::from(frame.wire_len));
    }

    /// What is counted by tap.
    fn of_tap(&self) -> FrameCounters {
        let FrameCounters { frames, wire_octets, truncated, last_frame, .. } = *self;
        FrameCounters { frames, wire_octets, truncated, last_frame, ..FrameCounters::default() }
    }

    /// No frame came from `seen` until `now`. Returns when that was worth telling: pauses that are usual at
    /// this tap are no news.
    fn pause(&mut self, seen: Timestamp, now: Timestamp) -> Option<Timestamp> {
        const LONG_NS: u64 = 30 * SECOND;
        if seen == Timestamp::default() {
            return None;
        }
        if self.pause.0 != seen {
            self.longest_pause_ns = self.longest_pause_ns.max(self.pause.1);
            self.pause = (seen, 0);
        }
        let long = self.longest_pause_ns.saturating_add(1).saturating_mul(3).max(LONG_NS);
        let before = core::mem::replace(&mut self.pause.1, now.since(seen));
        (before < long && self.pause.1 >= long).then(|| seen.plus(long))
    }
}

/// The reading thread's part of the way.
pub(crate) struct Front {
    decap: Decapsulator,
    dedup: Option<Deduplicator>,
    counters: FrameCounters,
    /// The only tap that frames have come from: what is counted is its own. None before the first, and with more.
    only: Option<u16>,
    taps: Vec<FrameCounters>,
    /// Time of the last pause.
    idle: Timestamp,
    /// The whole second that packet time has reached; none before the first frame.
    second: Option<Timestamp>,
    /// A pause that is not counted yet, since when it is one.
    pause: Option<Timestamp>,
    act: u64,
}

impl Front {
    pub(crate) fn new(options: &PipelineOptions) -> Front {
        Front {
            decap: Decapsulator::new(options.decap.clone()),
            dedup: options.deduplicate.then(Deduplicator::default),
            counters: FrameCounters::default(),
            only: None,
            taps: Vec::new(),
            idle: Timestamp::default(),
            second: None,
            pause: None,
            act: 0,
        }
    }

    /// A number for what happens next.
    #[inline]
    pub(crate) fn next_act(&mut self) -> u64 {
        self.act += 1;
        self.act
    }

    /// Count a frame. Returns the whole seconds that have passed with it.
    #[inline]
    pub(crate) fn arrived(&mut self, frame: &Frame<'_>) -> Option<Seconds> {
        let seen = self.counters.last_frame;
        if self.only != Some(frame.place.tap) {
            self.of_taps(frame);
        }
        self.counters.add(frame);
        self.time(frame.at, seen)
    }

    #[inline(never)]
    fn of_taps(&mut self, frame: &Frame<'_>) {
        let tap = usize::from(frame.place.tap);
        if self.counters.frames == 0 {
            self.only = Some(frame.place.tap);
            return;
        }
        if let Some(first) = self.only.take() {
            let counters = self.counters.of_tap();
            self.taps.resize(usize::from(first) + 1, FrameCounters::default());
            self.taps[usize::from(first)] = counters;
        }
        if self.taps.len() <= tap {
            self.taps.resize(tap + 1, FrameCounters::default());
        }
        self.taps[tap].add(frame);
    }

    /// Nothing came until `now`.
    pub(crate) fn paused(&mut self, now: Timestamp) -> Option<Seconds> {
        self.idle = now;
        // Before the first frame there is nothing whose time could pass.
        self.second?;
        self.time(now, self.counters.last_frame)
    }

    #[inline]
    fn time(&mut self, now: Timestamp, seen: Timestamp) -> Option<Seconds> {
        match self.second {
            Some(second) if now.0.wrapping_sub(second.0) < SECOND => None,
            _ => self.passed(now, seen),
        }
    }

    #[cold]
    fn passed(&mut self, now: Timestamp, seen: Timestamp) -> Option<Seconds> {
        let reached = Timestamp(now.0 / SECOND * SECOND);
        let Some(before) = self.second else {
            self.second = Some(reached);
            return None;
        };
        if reached <= before {
            if before.since(now) > STEP_NS {
                self.second = Some(reached);
            }
            return None;
        }
        self.second = Some(reached);
        self.decap.tick(reached);
        if let Some(long) = self.counters.pause(seen, reached) {
            self.pause = Some(long);
        }
        let seconds = Seconds { first: before.plus(SECOND), last: reached, act: self.act + 1, seen };
        self.act += seconds.count();
        Some(seconds)
    }

    /// Since when the taps have been silent for so long that it must be told, if it was not.
    pub(crate) fn pause_told_at(&self) -> Option<Timestamp> {
        self.pause
    }

    /// The pause has been told.
    pub(crate) fn count_pause(&mut self) {
        self.counters.pauses += u64::from(self.pause.take().is_some());
    }

    /// The plain segment in a frame; [`Front::is_copy`] is next. Without one nothing was counted, and
    /// [`Front::packet`] is.
    #[inline(always)]
    pub(crate) fn plain<'a>(&mut self, frame: &Frame<'a>) -> Option<Plain<'a>> {
        self.decap.plain(frame)
    }

    /// Whether a plain segment was seen before.
    #[inline(always)]
    pub(crate) fn is_copy(&mut self, at: Timestamp, plain: &Plain<'_>) -> bool {
        let Some(dedup) = &mut self.dedup else { return false };
        let is_copy = dedup.is_copy(at, plain);
        if is_copy {
            self.counters.duplicates += 1;
        }
        is_copy
    }

    /// The packet in a frame, unless there is none or it was seen before.
    #[inline]
    pub(crate) fn packet<'a>(&'a mut self, frame: &Frame<'a>) -> Option<Packet<'a>> {
        let packet = self.decap.decapsulate(frame)?;
        if let Some(dedup) = &mut self.dedup
            && dedup.is_duplicate(frame.at, &packet)
        {
            self.counters.duplicates += 1;
            return None;
        }
        Some(packet)
    }

    /// What was suspicious about the frame taken last, if anything was.
    #[inline]
    pub(crate) fn take_anomaly(&mut self) -> Option<Anomaly> {
        self.decap.take_anomaly()
    }

    pub(crate) fn finish(&mut self) {
        self.decap.finish();
    }

    pub(crate) fn counters(&self) -> &FrameCounters {
        &self.counters
    }

    pub(crate) fn tap(&self, tap: usize) -> FrameCounters {
        if self.only.is_some_and(|only| usize::from(only) == tap) {
            return self.counters.of_tap();
        }
        self.taps.get(tap).copied().unwrap_or_default()
    }

    pub(crate) fn decap_counters(&self) -> &DecapCounters {
        self.decap.counters()
    }

    /// Packets forgotten while a copy of them could still have come.
    pub(crate) fn duplicates_forgotten(&self) -> u64 {
        self.dedup.as_ref().map_or(0, Deduplicator::forgotten)
    }

    /// The time it is: of the last frame, or of the last pause if that was later.
    pub(crate) fn now(&self) -> Timestamp {
        self.counters.last_frame.max(self.idle)
    }
}

#[cfg(test)]
mod tests {
    use parsers::FrameRef;

    use super::*;
    use crate::capture::LinkType;

    #[test]
    fn every_tap_has_its_own_counts_however_many_there_are() {
        let mut front = Front::new(&PipelineOptions::default());
        let arrive = |front: &mut Front, tap: u16, octets: u32| {
            let place = FrameRef { tap, number: 1 };
            let at = Timestamp(u64::from(octets));
            front.arrived(&Frame { at, place, link: LinkType::Ethernet, wire_len: octets, bytes: &[] });
        };
        let counted = |front: &Front, tap: usize| {
            let FrameCounters { frames, wire_octets, truncated, last_frame, .. } = front.tap(tap);
            [frames, wire_octets, truncated, last_frame.0]
        };
        for octets in [5, 6] {
            arrive(&mut front, 1, octets);
        }
        assert_eq!([0, 1, 2].map(|tap| counted(&front, tap)), [[0; 4], [2, 11, 2, 6], [0; 4]]);
        for (tap, octets) in [(0, 7), (1, 8), (3, 9)] {
            arrive(&mut front, tap, octets);
        }
        let all = [0, 1, 2, 3].map(|tap| counted(&front, tap));
        assert_eq!(all, [[1, 7, 1, 7], [3, 19, 3, 8], [0; 4], [1, 9, 1, 9]]);
        assert_eq!((front.counters().frames, front.counters().wire_octets), (5, 35));
    }

    #[test]
    fn a_pause_of_the_whole_tap_is_told_when_it_is_far_longer_than_any_before() {
        let at = |seconds: u64| Timestamp((1_700_000_000 + seconds) * SECOND);
        // A live sensor looks every second, a replay only at the next frame.
        for step in [1, u64::MAX] {
            let mut counters = FrameCounters::default();
            assert_eq!(counters.pause(Timestamp::default(), at(0)), None);
            let mut seen = 0;
            let mut told = |seconds: u64| {
                let end = seen + seconds;
                let mut now = seen;
                let mut times = Vec::new();
                while now < end {
                    now = now.saturating_add(step).min(end);
                    times.extend(counters.pause(at(seen), at(now)).map(|at| at.since(Timestamp(0)) / SECOND));
                }
                let told: Vec<_> = times.into_iter().map(|at| at - 1_700_000_000 - seen).collect();
                seen = end;
                told
            };
            assert!([1, 20, 1, 50].map(&mut told).concat().is_empty(), "usual, or not long enough");
            assert_eq!(told(200), [150]);
            assert!([200, 1, 599].map(&mut told).concat().is_empty());
            assert_eq!(told(1801), [1797]);
        }
    }
}
