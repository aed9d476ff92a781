//! Things that were new lately: how many different ones within a time.

use std::collections::VecDeque;

use parsers::Timestamp;

/// Things remembered. Thresholds above it count as this many.
pub(crate) const REMEMBERED: usize = 128;

#[derive(Debug, Clone, Copy)]
struct Entry {
    at: Timestamp,
    key: u64,
    weight: u32,
}

/// The last different things, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Recent {
    entries: VecDeque<Entry>,
}

/// What came within a time.
#[derive(Debug, Clone, Copy, Default, Eq, PartialEq)]
pub(crate) struct Within {
    /// Different things.
    pub(crate) count: usize,
    /// Sum of their weights.
    pub(crate) weight: u64,
    /// Nanoseconds from the first of them to now.
    pub(crate) span_ns: u64,
}

impl Recent {
    /// Note a thing. False if it is remembered and came within `window` already.
    pub(crate) fn note(&mut self, at: Timestamp, key: u64, weight: u32, window: u64) -> bool {
        if self.entries.iter().any(|e| e.key == key && at.since(e.at) <= window) {
            return false;
        }
        if self.entries.len() >= REMEMBERED {
            self.entries.pop_front();
        }
        self.entries.push_back(Entry { at, key, weight });
        true
    }

    /// How many are remembered, whenever they came: no fewer than came within any time.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether this thing came within `window`.
    pub(crate) fn holds(&self, now: Timestamp, key: u64, window: u64) -> bool {
        self.entries.iter().any(|e| e.key == key && now.since(e.at) <= window)
    }

    /// Forget a thing.
    pub(crate) fn forget(&mut self, key: u64) {
        self.entries.retain(|e| e.key != key);
    }

    /// Those that came within `window`.
    pub(crate) fn keys(&self, now: Timestamp, window: u64) -> impl Iterator<Item = u64> + '_ {
        self.entries.iter().filter(move |e| now.since(e.at) <= window).map(|e| e.key)
    }

    /// What came within `window`, and of that only what `counts` by its time and key.
    pub(crate) fn within(
        &self,
        now: Timestamp,
        window: u64,
        counts: impl Fn(Timestamp, u64) -> bool,
    ) -> Within {
        let mut found = Within::default();
        for entry in self.entries.iter().filter(|e| now.since(e.at) <= window && counts(e.at, e.key)) {
            found.count += 1;
            found.weight += u64::from(entry.weight);
            found.span_ns = found.span_ns.max(now.since(entry.at));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thing_counts_once_within_the_time_and_again_after_it() {
        let mut recent = Recent::default();
        assert!(recent.note(Timestamp(0), 7, 2, 60));
        assert!(!recent.note(Timestamp(30), 7, 2, 60));
        assert!(recent.note(Timestamp(40), 8, 3, 60));
        let all = |_, _| true;
        assert_eq!(recent.within(Timestamp(50), 60, all), Within { count: 2, weight: 5, span_ns: 50 });
        assert_eq!(recent.within(Timestamp(70), 60, all).count, 1);
        assert!(recent.note(Timestamp(70), 7, 2, 60));
        assert_eq!(recent.within(Timestamp(70), 60, |_, key| key == 7).count, 1);
    }

    #[test]
    fn the_oldest_is_forgotten_when_there_are_too_many() {
        let mut recent = Recent::default();
        for key in 0..1000 {
            recent.note(Timestamp(key), key, 1, u64::MAX);
        }
        assert_eq!(recent.within(Timestamp(1000), u64::MAX, |_, _| true).count, REMEMBERED);
        assert!(!recent.holds(Timestamp(1000), 0, u64::MAX) && recent.holds(Timestamp(1000), 999, u64::MAX));
    }
}
