//! How many requests a second a master sends, and when that is a burst.
//!
//! The most that came in one second while learning is what is usual. It may grow by a sixteenth at a time,
//! so that a site that grows does not alarm for ever, and a flood teaches nothing.

use parsers::Timestamp;
use profiles::Thresholds;

/// Seconds with requests that make what is usual.
const SECONDS_LEARNED: u32 = 60;

/// Requests by second.
#[derive(Debug, Default)]
pub(super) struct Rate {
    second: u64,
    count: u32,
    peak: u32,
    seconds: u32,
}

/// More requests in a second than ever.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub(super) struct Burst {
    /// Requests so far in this second.
    pub(super) count: u32,
    /// The most that was usual.
    pub(super) peak: u32,
}

impl Rate {
    /// A request. Says so when it is the first too many in its second.
    #[inline]
    pub(super) fn request(&mut self, at: Timestamp, thresholds: &Thresholds) -> Option<Burst> {
        let second = at.0 / 1_000_000_000;
        if second != self.second {
            self.close(thresholds);
            self.second = second;
            self.count = 0;
        }
        self.count = self.count.saturating_add(1);
        let first_too_many = self.seconds >= SECONDS_LEARNED && self.count == self.limit(thresholds) + 1;
        first_too_many.then_some(Burst { count: self.count, peak: self.peak })
    }

    fn limit(&self, thresholds: &Thresholds) -> u32 {
        (f64::from(self.peak) * thresholds.burst_factor).max(thresholds.burst_floor) as u32
    }

    fn close(&mut self, thresholds: &Thresholds) {
        if self.seconds < SECONDS_LEARNED {
            self.seconds += u32::from(self.count > 0);
            self.peak = self.peak.max(self.count);
        } else if self.count <= self.limit(thresholds) {
            self.peak = self.peak.max(self.count.min(self.peak + self.peak / 16 + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_told_once_a_second_and_teaches_nothing() {
        let thresholds = Thresholds::default();
        let mut rate = Rate::default();
        let mut send = |second: u64, count: u64| {
            let at = |n| Timestamp(second * 1_000_000_000 + n * 1_000_000);
            (0..count).filter_map(|n| rate.request(at(n), &thresholds)).collect::<Vec<_>>()
        };
        for second in 0..100 {
            assert_eq!(send(second, 30), []);
        }
        let burst = Burst { count: 61, peak: 30 };
        for second in 100..110 {
            assert_eq!(send(second, 500), [burst]);
        }
        assert_eq!(send(110, 60), [], "twice what is usual is not yet a burst");
    }
}
