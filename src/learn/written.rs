//! What was written to a point: within which limits, and how often a minute. Kept for every slice of the
//! capture, so that a forged value or a storm among the ordinary writes can be told from them: it stands in
//! few slices and far from what stands in all the others.

use parsers::{Timestamp, Value};

use super::clock::{BySlice, Clock, Seen};
use super::pair::join;

/// Nanoseconds of a bucket of the count by minute.
const BUCKET_NS: u64 = 10_000_000_000;
/// Buckets of a minute.
const BUCKETS: usize = 6;

/// Fewer writes say nothing about limits.
const LEAST_WRITES: u64 = 10;

const MINUTE_NS: u64 = 60_000_000_000;

/// A written point.
#[derive(Debug, Clone, Default)]
pub(super) struct Written {
    pub(super) seen: Seen,
    values: BySlice<(f64, f64)>,
    last: Option<f64>,
    numbers: bool,
    rates: BySlice<u32>,
    bucket: u64,
    counts: [u32; BUCKETS],
}

/// Limits of written values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Lowest value written, less a margin.
    pub min: f64,
    /// Highest value written, plus a margin.
    pub max: f64,
    /// The lowest and highest value that were left out as far from all others, if any were.
    pub left_out: Option<(f64, f64)>,
}

/// A number, where a value is one.
pub(super) fn number(value: &Value<'_>) -> Option<f64> {
    let number = match *value {
        Value::Bit(bit) => f64::from(u8::from(bit)),
        Value::DoubleBit(state) => f64::from(state),
        Value::Unsigned(n) => n as f64,
        Value::Signed(n) => n as f64,
        Value::Float32(n) => f64::from(n),
        Value::Float64(n) => n,
        _ => return None,
    };
    number.is_finite().then_some(number)
}

impl Written {
    pub(super) fn note(&mut self, at: Timestamp, value: &Value<'_>, clock: &mut Clock) {
        self.seen.note(at, clock);
        let rate = self.rate_at(at);
        let slot = self.rates.at(at, clock, u32::max);
        *slot = Some(slot.map_or(rate, |most| most.max(rate)));
        let Some(number) = number(value) else { return };
        self.numbers |= !matches!(value, Value::Bit(_) | Value::DoubleBit(_));
        self.last = Some(number);
        let slot = self.values.at(at, clock, |a, b| (a.0.min(b.0), a.1.max(b.1)));
        *slot = Some(slot.map_or((number, number), |(low, high)| (low.min(number), high.max(number))));
    }

    /// Writes in the last minute or a little less.
    fn rate_at(&mut self, at: Timestamp) -> u32 {
        let bucket = at.0 / BUCKET_NS;
        let passed = bucket.saturating_sub(self.bucket);
        for step in 1..=passed.min(BUCKETS as u64) {
            self.counts[((self.bucket + step) % BUCKETS as u64) as usize] = 0;
        }
        self.bucket = self.bucket.max(bucket);
        self.counts[(bucket % BUCKETS as u64) as usize] += 1;
        self.counts.iter().sum()
    }

    /// The most writes in a minute that are usual here. Less than a minute of them is taken to go on.
    pub(super) fn rate_per_minute(&self, clock: &Clock) -> u32 {
        let rates: Vec<f64> = self.rates.values().map(f64::from).collect();
        let span = self.seen.span_ns();
        if span < MINUTE_NS && self.seen.count >= 3 {
            let minute = u128::from(self.seen.count - 1) * u128::from(MINUTE_NS);
            return u32::try_from(minute.div_ceil(u128::from(span.max(1_000_000)))).unwrap_or(u32::MAX);
        }
        // A storm stands in the count of the minute that follows it, too.
        usual_high(&rates, (MINUTE_NS / clock.slice_ns()) as usize) as u32
    }

    /// The lowest and the highest value written.
    pub(super) fn values(&self) -> Option<(f64, f64)> {
        self.values.values().fold(None, |sum, slice| join(sum, Some(slice)))
    }

    /// Within which limits values were written. `None` where they are no numbers, or where what was written
    /// early would not have held later.
    pub(super) fn limits(&self) -> Option<Limits> {
        if !self.numbers || self.seen.count < LEAST_WRITES {
            return None;
        }
        let slices: Vec<(f64, f64)> = self.values.values().collect();
        let whole = limits_of(&slices, self.last)?;
        let (early, late) = slices.split_at(slices.len() / 2);
        if let Some(mut before) = limits_of(early, None).filter(|_| early.len() >= 4) {
            // One-off values have been left out of `whole`; what remains has to hold, apart from a change of
            // the setting now and then.
            let mut broken = 0;
            for (low, high) in late.iter().filter(|(low, high)| *low >= whole.min && *high <= whole.max) {
                if *low < before.min || *high > before.max {
                    broken += 1;
                    before.min = before.min.min(*low);
                    before.max = before.max.max(*high);
                }
            }
            if broken > (late.len() / 10).max(2) {
                return None;
            }
        }
        Some(whole)
    }
}

/// How many slices of `all` may be left out as unlike the others.
fn few(all: usize) -> usize {
    if all < 4 { 0 } else { (all / 10).max(1) }
}

/// The highest of the values, without the few that are more than twice what all the others are.
pub(super) fn usual_high(values: &[f64], echoes: usize) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let core = sorted.len() - (few(sorted.len()) + echoes).min(sorted.len() / 4);
    let Some(most) = sorted[..core].last().copied() else { return 0.0 };
    sorted.iter().copied().filter(|v| *v <= 2.0 * most).fold(0.0, f64::max)
}

fn limits_of(slices: &[(f64, f64)], last: Option<f64>) -> Option<Limits> {
    let mut lows: Vec<f64> = slices.iter().map(|s| s.0).collect();
    let mut highs: Vec<f64> = slices.iter().map(|s| s.1).collect();
    lows.sort_by(f64::total_cmp);
    highs.sort_by(f64::total_cmp);
    let (least, most) = (*lows.first()?, *highs.last()?);
    let few = few(slices.len());
    let (core_low, core_high) = (lows[few], highs[highs.len() - 1 - few]);
    let width = core_high - core_low;
    let reach = |bound: f64| width.max(bound.abs() * 0.1).max(1.0);
    // A value that was still in force at the end is a new setting, not a slip.
    let kept = |value: f64| last == Some(value);
    let low = if core_low - least > reach(core_low) && !kept(least) { core_low } else { least };
    let high = if most - core_high > reach(core_high) && !kept(most) { core_high } else { most };
    let margin = (high - low) * 0.1;
    let left_out = (low > least || high < most).then_some((least, most));
    let (mut min, mut max) = (low - margin, high + margin);
    if low.fract() == 0.0 && high.fract() == 0.0 {
        (min, max) = (min.floor(), max.ceil());
    }
    if !(min.is_finite() && max.is_finite()) {
        return None;
    }
    // What was never negative may be a number that cannot be.
    let min = if low >= 0.0 { min.max(0.0) } else { min };
    Some(Limits { min, max, left_out })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::float_cmp)]
    use super::*;

    fn timed(values: impl IntoIterator<Item = (u64, u64)>) -> (Clock, Written) {
        let (mut clock, mut written) = (Clock::default(), Written::default());
        for (second, value) in values {
            written.note(Timestamp(second * 1_000_000_000), &Value::Unsigned(value), &mut clock);
        }
        (clock, written)
    }

    fn written(values: impl IntoIterator<Item = (u64, u64)>) -> Written {
        timed(values).1
    }

    #[test]
    fn limits_are_what_was_written_with_a_margin() {
        let limits = written((0..600).map(|s| (s, 40 + s % 21))).limits().unwrap();
        assert_eq!((limits.min, limits.max, limits.left_out), (38.0, 62.0, None));
        assert_eq!(written((0..600).map(|s| (s, 50))).limits().unwrap().max, 50.0);
    }

    #[test]
    fn a_value_far_from_all_others_does_not_widen_the_limits() {
        let forged = |s: u64| if (300..303).contains(&s) { 9000 } else { 40 + s % 21 };
        let limits = written((0..600).map(|s| (s, forged(s)))).limits().unwrap();
        assert_eq!((limits.min, limits.max), (38.0, 62.0));
        assert_eq!(limits.left_out, Some((40.0, 9000.0)));
    }

    #[test]
    fn a_value_that_stays_is_a_new_setting() {
        let limits = written((0..600).map(|s| (s, if s > 580 { 90 } else { 50 }))).limits().unwrap();
        assert_eq!(limits.left_out, None);
        assert!(limits.max >= 90.0);
    }

    #[test]
    fn what_grows_all_the_time_has_no_limits() {
        assert_eq!(written((0..600).map(|s| (s, s))).limits(), None);
    }

    #[test]
    fn the_rate_is_what_is_usual_and_not_a_storm() {
        let rate = |values: Vec<(u64, u64)>| {
            let (clock, written) = timed(values);
            written.rate_per_minute(&clock)
        };
        assert_eq!(rate((0..600).step_by(5).map(|s| (s, 1)).collect()), 12);
        let mut storm: Vec<_> = (0..600).step_by(5).chain([301; 90]).map(|s| (s, 1)).collect();
        storm.sort_unstable();
        assert_eq!(rate(storm), 12);
        assert_eq!(rate((0..10).map(|s| (s, 1)).collect()), 60, "ten seconds of it are taken to go on");
    }
}
