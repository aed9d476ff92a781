//! Times between requests: a bounded sample that does not depend on chance, and the period in it.

use super::limits::INTERVALS;

/// Times between requests of one kind.
#[derive(Debug, Clone, Default)]
pub(super) struct Intervals {
    kept: Vec<u64>,
    /// Every how many-th is kept, as a power of two.
    stride: u32,
    seen: u64,
}

/// How often something is asked, regularly.
#[derive(Debug, Clone, Copy, Eq, PartialEq)]
pub struct Period {
    /// The median time between two requests, in nanoseconds.
    pub period_ns: u64,
    /// How far nine of ten lie from it at most, in percent of it.
    pub spread_percent: u64,
}

/// Fewer intervals say nothing about a period.
const LEAST_INTERVALS: usize = 8;

/// What spreads wider is no period.
const MOST_SPREAD_PERCENT: u64 = 60;

impl Intervals {
    pub(super) fn add(&mut self, nanoseconds: u64) {
        let number = self.seen;
        self.seen += 1;
        if !number.is_multiple_of(1 << self.stride.min(63)) {
            return;
        }
        if self.kept.len() == INTERVALS {
            let mut index = 0;
            self.kept.retain(|_| {
                index += 1;
                index % 2 == 1
            });
            self.stride += 1;
            if !number.is_multiple_of(1 << self.stride.min(63)) {
                return;
            }
        }
        self.kept.push(nanoseconds);
    }

    /// The period, if there is one.
    pub(super) fn period(&self) -> Option<Period> {
        if self.kept.len() < LEAST_INTERVALS {
            return None;
        }
        let mut sorted = self.kept.clone();
        sorted.sort_unstable();
        let period_ns = sorted[sorted.len() / 2];
        if period_ns == 0 {
            return None;
        }
        let mut away: Vec<u64> = sorted.iter().map(|i| i.abs_diff(period_ns)).collect();
        away.sort_unstable();
        let spread = u128::from(away[away.len() * 9 / 10]) * 100 / u128::from(period_ns);
        let spread_percent = u64::try_from(spread).unwrap_or(u64::MAX);
        (spread_percent <= MOST_SPREAD_PERCENT).then_some(Period { period_ns, spread_percent })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_poll_has_its_period_whatever_the_length_of_the_capture() {
        let mut intervals = Intervals::default();
        for n in 0..100_000_u64 {
            intervals.add(2_000_000_000 + n % 7 * 10_000_000);
        }
        assert!(intervals.kept.len() <= INTERVALS);
        let period = intervals.period().unwrap_or(Period { period_ns: 0, spread_percent: 0 });
        assert!((1_990_000_000..2_070_000_000).contains(&period.period_ns), "{period:?}");
        assert!(period.spread_percent < 5);
    }

    #[test]
    fn what_comes_at_any_time_has_no_period() {
        let mut intervals = Intervals::default();
        for n in 1..200_u64 {
            intervals.add(n * n % 97 * 1_000_000);
        }
        assert_eq!(intervals.period(), None);
        assert_eq!(Intervals::default().period(), None);
    }
}
