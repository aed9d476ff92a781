//! Whether the tap itself was alive.
//!
//! That a station kept silent means something only while the tap heard *anybody*. When no packet came from
//! any host, the tap, its mirror port or the capture may have paused, and no station is to blame. So absence
//! is measured by a clock that stands still while the whole tap has been silent for longer than the period
//! in question: [`Pulse::clock`]. It depends on packet times alone, so a replay judges as the live sensor did.

use parsers::Timestamp;

const SECOND: u64 = 1_000_000_000;
/// Scales of the clock: pauses beyond 1, 2, 4, ... seconds, up to 18 hours.
const SCALES: usize = 17;

/// Which pauses of the tap stop the clock: those longer than `2^n` seconds.
#[derive(Debug, Copy, Clone, Default, Eq, PartialEq)]
pub struct Scale(u8);

impl Scale {
    /// The smallest scale of at least `ns`: the clock then never stops between two polls of this period.
    #[must_use]
    pub fn of(ns: u64) -> Scale {
        let seconds = ns.div_ceil(SECOND);
        let place = seconds.next_power_of_two().trailing_zeros();
        Scale(place.min(SCALES as u32 - 1) as u8)
    }
}

/// The pauses of the tap.
#[derive(Debug, Clone, Default)]
pub struct Pulse {
    /// What pauses have taken beyond `2^n` seconds, up to the last frame but one.
    dark: [u64; SCALES],
    /// The frame after which the present or latest pause began, and how long it has been.
    seen: Timestamp,
    pause: u64,
}

impl Pulse {
    /// Packet time is `now`, and the last frame before was at `seen`.
    pub fn tick(&mut self, now: Timestamp, seen: Timestamp) {
        if seen != self.seen {
            for (n, dark) in self.dark.iter_mut().enumerate() {
                *dark = dark.saturating_add(self.pause.saturating_sub(SECOND << n));
            }
            self.seen = seen;
            self.pause = 0;
        }
        if seen != Timestamp::default() {
            self.pause = self.pause.max(now.since(seen));
        }
    }

    /// Nanoseconds at `now` by the clock that stands still while the tap is silent for longer than `scale`.
    /// Only differences mean something.
    #[inline]
    #[must_use]
    pub fn clock(&self, scale: Scale, now: Timestamp) -> u64 {
        let n = usize::from(scale.0).min(SCALES - 1);
        now.0.saturating_sub(self.dark[n]).saturating_sub(self.pause.saturating_sub(SECOND << n))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp((1_700_000_000 + seconds) * SECOND)
    }

    #[test]
    fn a_scale_is_the_smallest_of_at_least_the_period() {
        let periods = (0..20).flat_map(|n| [(SECOND << n) - 1, SECOND << n, (SECOND << n) + 1]);
        for ns in periods.chain([0, 1, 5 * SECOND, u64::MAX]) {
            let place = (0..SCALES).position(|n| ns <= SECOND << n).unwrap_or(SCALES - 1);
            assert_eq!(usize::from(Scale::of(ns).0), place, "{ns} ns");
        }
    }

    #[test]
    fn the_clock_stands_still_while_nobody_is_heard_for_longer_than_the_period() {
        let mut pulse = Pulse::default();
        let scale = Scale::of(2 * SECOND);
        pulse.tick(at(1), at(0));
        let before = pulse.clock(scale, at(1));
        // Frames each second, then none for a minute.
        pulse.tick(at(2), at(1));
        pulse.tick(at(62), at(2));
        assert_eq!(
            pulse.clock(scale, at(62)) - before,
            3 * SECOND,
            "one second heard, two of the pause count"
        );
        pulse.tick(at(63), at(62));
        assert_eq!(pulse.clock(scale, at(63)) - before, 4 * SECOND);
    }

    #[test]
    fn a_live_sensor_that_looks_every_second_comes_to_the_same_as_a_replay() {
        let (mut live, mut replay) = (Pulse::default(), Pulse::default());
        for second in 1..=40 {
            live.tick(at(second), at(0));
        }
        replay.tick(at(40), at(0));
        for (now, seen) in [(41, 40), (44, 41), (45, 44)] {
            live.tick(at(now), at(seen));
            replay.tick(at(now), at(seen));
            for scale in [1, 3, 30, 1000].map(|s| Scale::of(s * SECOND)) {
                assert_eq!(live.clock(scale, at(now)), replay.clock(scale, at(now)));
            }
        }
    }

    #[test]
    fn other_traffic_keeps_the_clock_going_though_it_is_rarer_than_the_polls() {
        let mut pulse = Pulse::default();
        let scale = Scale::of(SECOND);
        pulse.tick(at(1), at(0));
        let before = pulse.clock(scale, at(1));
        for n in 0..10 {
            pulse.tick(at(4 + 3 * n), at(1 + 3 * n));
        }
        assert_eq!(pulse.clock(scale, at(31)) - before, 10 * SECOND);
    }
}
