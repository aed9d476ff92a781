//! Values that were read of a point: from where to where, how fast they change, and how long they stay. They
//! are proposed to the engineer, not put in force: what was seen is not all that is plausible.

use std::fmt::Write as _;

use parsers::Timestamp;

use super::words::{PeriodText, ValueText};

/// Fewer readings say nothing.
const LEAST_READINGS: u64 = 20;
/// Fewer changes do not tell when a value is stuck.
const LEAST_CHANGES: u64 = 10;
/// A value is stuck when it has not changed for so many times the longest that it usually stays.
const STUCK_TIMES: u64 = 3;
/// A value that changes at least so often, in nanoseconds, is proposed to be watched for being stuck.
const LONGEST_STAY_NS: u64 = 24 * 3_600_000_000_000;

/// A point that is read.
#[derive(Debug, Clone)]
pub struct Reading {
    /// How often.
    pub count: u64,
    /// Lowest value.
    pub low: f64,
    /// Highest value.
    pub high: f64,
    /// Fastest change, in a second.
    fastest: f64,
    changes: u64,
    longest_stay_ns: u64,
    last: (Timestamp, f64),
    changed: Timestamp,
}

impl Reading {
    pub(super) fn new(at: Timestamp, value: f64) -> Reading {
        Reading {
            count: 1,
            low: value,
            high: value,
            fastest: 0.0,
            changes: 0,
            longest_stay_ns: 0,
            last: (at, value),
            changed: at,
        }
    }

    pub(super) fn note(&mut self, at: Timestamp, value: f64) {
        self.count += 1;
        (self.low, self.high) = (self.low.min(value), self.high.max(value));
        let (before, old) = self.last;
        let seconds = at.since(before) as f64 / 1e9;
        if value.total_cmp(&old).is_ne() {
            self.changes += 1;
            // Two readings at one time say nothing about speed.
            if seconds >= 0.001 {
                self.fastest = self.fastest.max((value - old).abs() / seconds);
            }
            self.longest_stay_ns = self.longest_stay_ns.max(at.since(self.changed));
            self.changed = at;
        }
        self.last = (at, value);
    }

    /// `range = [9, 21], rate_of_change = "3 per second", stuck_after = "30 s"`, and what was seen. `None`: too
    /// little to say anything. `most` is what the point can hold at most.
    pub(super) fn proposed(&self, most: f64) -> Option<(String, String)> {
        if self.count < LEAST_READINGS || !(self.low.is_finite() && self.high.is_finite()) {
            return None;
        }
        let margin = (self.high - self.low) * 0.1;
        let (mut low, mut high) = (self.low - margin, self.high + margin);
        if self.low.fract() == 0.0 && self.high.fract() == 0.0 {
            (low, high) = (low.floor(), high.ceil());
        }
        if !(low.is_finite() && high.is_finite()) {
            return None;
        }
        // What was never negative may be a number that cannot be.
        let low = if self.low >= 0.0 { low.max(0.0) } else { low };
        let high = if self.high <= most { high.min(most) } else { high };
        let mut keys = format!("range = [{}, {}]", ValueText(low), ValueText(high));
        let fastest = self.fastest * 1.5;
        if fastest.is_finite() && (1e-6..1e15).contains(&fastest) {
            let _ = write!(keys, ", rate_of_change = \"{} per second\"", significant(fastest));
        }
        let stuck = self.longest_stay_ns.saturating_mul(STUCK_TIMES);
        if self.changes >= LEAST_CHANGES && (1_000_000..LONGEST_STAY_NS).contains(&stuck) {
            let _ = write!(keys, ", stuck_after = \"{}\"", PeriodText(stuck));
        }
        let seen = format!("{} to {}", ValueText(self.low), ValueText(self.high));
        Some((keys, seen))
    }
}

/// Two digits that matter, rounded up, without an exponent.
fn significant(value: f64) -> String {
    let digits = (value.log10().floor() as i32 - 1).clamp(-8, 13);
    let step = 10_f64.powi(digits);
    let rounded = (value / step).ceil() * step;
    let places = usize::try_from(-digits).unwrap_or(0);
    let text = format!("{rounded:.places$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn read(values: impl IntoIterator<Item = (u64, f64)>) -> Reading {
        let mut values = values.into_iter().map(|(second, v)| (Timestamp(second * 1_000_000_000), v));
        let (at, first) = values.next().unwrap();
        let mut reading = Reading::new(at, first);
        values.for_each(|(at, value)| reading.note(at, value));
        reading
    }

    #[test]
    fn what_was_seen_becomes_a_proposal_with_a_margin() {
        let saw = read((0..60).map(|s| (s, 10.0 + (s % 11) as f64)));
        let (keys, seen) = saw.proposed(f64::INFINITY).unwrap();
        assert_eq!(seen, "10 to 20");
        let expected = "range = [9, 21], rate_of_change = \"15 per second\", stuck_after = \"3 s\"";
        assert_eq!(keys, expected);
    }

    #[test]
    fn nothing_is_proposed_that_the_point_cannot_hold() {
        let saw = read((0..60).map(|s| (s, if s % 2 == 0 { 1.0 } else { 65_000.0 })));
        let range = |most: f64| saw.proposed(most).unwrap().0.split(", rate").next().unwrap().to_owned();
        assert_eq!(range(f64::INFINITY), "range = [0, 71500]");
        assert_eq!(range(65_535.0), "range = [0, 65535]");
    }

    #[test]
    fn few_readings_and_values_that_stay_are_not_made_much_of() {
        assert_eq!(read((0..19).map(|s| (s, 1.0))).proposed(f64::INFINITY), None);
        assert_eq!(read((0..30).map(|s| (s, 7.0))).proposed(f64::INFINITY).unwrap().0, "range = [7, 7]");
        let huge = read((0..30_u64).map(|s| (s, if s.is_multiple_of(2) { f64::MAX } else { f64::MIN })));
        assert_eq!(huge.proposed(f64::INFINITY), None);
    }

    #[test]
    fn two_digits_are_enough() {
        let values = [0.012_34, 1.0, 15.0, 99.5, 1234.0, 1e-6].map(significant);
        assert_eq!(values, ["0.013", "1", "15", "100", "1300", "0.000001"]);
    }
}
