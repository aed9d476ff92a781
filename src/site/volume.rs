//! Sensor health, as far as packets show it: time that goes backwards (CAP-04), traffic that nearly stops
//! while something still comes (CAP-03).

use parsers::{Coverage, FrameRef, Timestamp};
use profiles::Thresholds;

use super::plan::Plan;
use super::{Now, tell};
use crate::detect::{FindingSink, coverage};

/// Taps whose clock is watched.
const TAPS: usize = 64;
/// Minutes that make what is usual; the quietest of them counts.
const MINUTES: usize = 10;
const MINUTE_NS: u64 = 60_000_000_000;
/// Fewer packets a minute than these say nothing.
const FEWEST: u64 = 600;

/// Packets by minute, and the clocks of the taps.
#[derive(Debug, Default)]
pub(super) struct Volume {
    last: Vec<Timestamp>,
    minute: u64,
    count: u64,
    past: [u64; MINUTES],
    minutes: usize,
    quiet: bool,
}

impl Volume {
    #[inline]
    pub(super) fn count(
        &mut self,
        at: Timestamp,
        frame: FrameRef,
        plan: &Plan,
        thresholds: &Thresholds,
        last_drop: Option<Timestamp>,
        sink: &mut dyn FindingSink,
    ) {
        let tap = usize::from(frame.tap);
        let minute = at.0 / MINUTE_NS;
        if let Some(last) = self.last.get_mut(tap)
            && *last <= at
            && minute == self.minute
        {
            *last = at;
            self.count += 1;
            return;
        }
        // What was lost at the beginning of the minute is missing in it, too.
        let drops = last_drop.is_some_and(|drop| at.since(drop) <= MINUTE_NS + coverage::BLIND_NS);
        let view = tell::View {
            now: Now { at, frame },
            plan,
            thresholds,
            coverage: Coverage { drops, ..Coverage::default() },
        };
        self.unusual(tap, at, minute, view, sink);
    }

    #[cold]
    fn unusual(
        &mut self,
        tap: usize,
        at: Timestamp,
        minute: u64,
        view: tell::View<'_>,
        sink: &mut dyn FindingSink,
    ) {
        if tap < TAPS {
            if self.last.len() <= tap {
                self.last.resize(tap + 1, Timestamp::default());
            }
            if let Some(last) = self.last.get_mut(tap) {
                let back = last.since(at);
                *last = at;
                if back as f64 / 1e9 > view.thresholds.clock_jump {
                    tell::clock(view, back, sink);
                }
            }
        }
        if minute == self.minute + 1 {
            self.minute_over(view, sink);
        } else if minute != self.minute {
            // A leap: nothing was measured in between.
            *self = Volume { last: core::mem::take(&mut self.last), ..Volume::default() };
        }
        self.minute = minute;
        self.count += 1;
    }

    fn minute_over(&mut self, view: tell::View<'_>, sink: &mut dyn FindingSink) {
        let count = core::mem::take(&mut self.count);
        let usual = self.past.iter().copied().min().unwrap_or(0);
        let known = self.minutes >= MINUTES && usual >= FEWEST;
        let share = view.thresholds.traffic_left;
        let vanished = known && (count as f64) < usual as f64 * share;
        if vanished {
            if !self.quiet {
                tell::vanished(view, count, usual, sink);
            }
            self.quiet = true;
            return;
        }
        self.quiet = false;
        self.past[self.minutes % MINUTES] = count;
        self.minutes += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::finding::Finding;

    struct Kinds(Vec<&'static str>);

    impl FindingSink for Kinds {
        fn finding(&mut self, finding: &Finding<'_>) {
            self.0.push(finding.kind.name());
        }
    }

    fn minutes(counts: &[u64]) -> Vec<&'static str> {
        let (mut volume, mut kinds) = (Volume::default(), Kinds(Vec::new()));
        let thresholds = Thresholds::default();
        for (minute, count) in (10_u64..).zip(counts) {
            for n in 0..*count {
                let at = Timestamp(minute * MINUTE_NS + n * (MINUTE_NS / (count + 1)));
                volume.count(at, FrameRef::default(), &Plan::default(), &thresholds, None, &mut kinds);
            }
        }
        kinds.0
    }

    #[test]
    fn traffic_that_nearly_stops_is_told_once_and_quiet_minutes_before_make_it_usual() {
        let steady = [1000; 11];
        assert_eq!(minutes(&[&steady[..], &[50, 50, 50]].concat()), ["traffic_vanished"]);
        assert_eq!(minutes(&[&steady[..], &[200, 200]].concat()), [""; 0]);
        assert_eq!(minutes(&[&steady[..5], &[50], &steady[..8], &[50, 50]].concat()), [""; 0]);
    }
}
