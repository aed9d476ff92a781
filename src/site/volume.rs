//! Sensor health, as far as packets show it: time that goes backwards (CAP-04), traffic that nearly stops
//! while something still comes (CAP-03).

use parsers::{Coverage, FrameRef, Timestamp};
use profiles::Thresholds;

use super::plan::Plan;
use super::{Now, tell};
use crate::detect::FindingSink;
use crate::detect::coverage::Losses;

/// Taps whose clock is watched.
const TAPS: usize = 64;
/// Minutes that can make what is usual; the quietest of them counts.
const MINUTES: usize = 60;
const MINUTE_NS: u64 = 60_000_000_000;

/// Packets by minute, and the clocks of the taps.
#[derive(Debug)]
pub(super) struct Volume {
    last: Vec<Timestamp>,
    minute: u64,
    count: u64,
    past: [u64; MINUTES],
    minutes: usize,
    quiet: bool,
}

impl Default for Volume {
    fn default() -> Volume {
        Volume { last: Vec::new(), minute: 0, count: 0, past: [0; MINUTES], minutes: 0, quiet: false }
    }
}

impl Volume {
    #[inline]
    pub(super) fn count(
        &mut self,
        at: Timestamp,
        frame: FrameRef,
        plan: &Plan,
        thresholds: &Thresholds,
        losses: &Losses,
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
        let drops = losses.last.is_some_and(|drop| at.since(drop) <= MINUTE_NS + losses.blind_ns);
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
        let wanted = (view.thresholds.traffic_minutes as usize).clamp(1, MINUTES);
        let usual = self.past.iter().take(wanted).copied().min().unwrap_or(0);
        let known = self.minutes >= wanted && usual as f64 >= view.thresholds.traffic_floor;
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
        // The newest first.
        self.past.rotate_right(1);
        self.past[0] = count;
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
                volume.count(
                    at,
                    FrameRef::default(),
                    &Plan::default(),
                    &thresholds,
                    &Losses::none(&thresholds),
                    &mut kinds,
                );
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
