//! One recurring request: its rhythm, learned from windows of intervals.
//!
//! Intervals are judged sixteen at a time by their median, their deviation from it and their upper end, so
//! that single late or extra polls (jitter, operators, reconnects, phase shifts) change nothing. The first
//! [`LEARNING_WINDOWS`] make what is usual.

use parsers::{Action, FrameRef, Operation, Timestamp};

use super::words::Recurrent;
use crate::detect::pulse::{Pulse, Scale};
use profiles::{Poll, Thresholds};

/// Intervals judged together.
pub(super) const WINDOW: usize = 16;
/// Windows that make what is usual, and windows in a row that make a change: 48 intervals.
pub(super) const LEARNING_WINDOWS: usize = 3;
/// Intervals are kept in units of 0.1 ms: up to 119 hours.
const UNIT_NS: u64 = 100_000;
/// An integrity poll so soon after the last is the same asked again.
const EARLY_NS: u64 = 1_000_000_000;
/// Reports that a station sends of its own accord for less than this are a story of their own (a storm, the events
/// of a fault), whatever their rhythm.
const REPORTS_NS: u64 = 60_000_000_000;
/// Pauses remembered; one that came so often is usual.
const PAUSES: usize = 3;

/// Sixteen intervals in figures, in units of 0.1 ms.
#[derive(Debug, Copy, Clone, Default, Eq, PartialEq)]
pub(super) struct Figures {
    median: u32,
    /// Median of the deviations from the median.
    deviation: u32,
    low: u32,
    /// The longest that is usual: what absence is measured by.
    high: u32,
    mean: u32,
    steadiness: Steadiness,
}

/// How regular a window is.
#[derive(Debug, Copy, Clone, Default, Eq, PartialEq, Ord, PartialOrd)]
enum Steadiness {
    /// No rhythm: an operator, events.
    #[default]
    None,
    /// A rhythm, perhaps of several cycles.
    Mixed,
    /// One cycle.
    Steady,
}

impl Figures {
    fn of(intervals: &[u32; WINDOW]) -> Figures {
        let mut sorted = *intervals;
        sorted.sort_unstable();
        let median = sorted[WINDOW / 2];
        let mean = (sorted.iter().map(|&i| u64::from(i)).sum::<u64>() / WINDOW as u64) as u32;
        let off = |center: u32, value: u32| u64::from(center.abs_diff(value));
        let spread = sorted.iter().map(|&i| off(mean, i)).sum::<u64>() / WINDOW as u64;
        let mut deviations = sorted.map(|i| i.abs_diff(median));
        deviations.sort_unstable();
        // Several reads of the same points in every cycle: the sums of four intervals still agree.
        let sums: [u64; WINDOW / 4] = core::array::from_fn(|n| {
            intervals.iter().skip(4 * n).take(4).map(|&interval| u64::from(interval)).sum()
        });
        let cycle = 4 * u64::from(mean);
        let rounds = sums.iter().map(|sum| sum.abs_diff(cycle)).sum::<u64>() / sums.len() as u64;
        // One in sixteen may be late (a poll missed, a reconnect) without making the rhythm a slow one.
        let (nearly_longest, longest) = (sorted[WINDOW - 2], sorted[WINDOW - 1]);
        let (steadiness, high) = match u64::from(mean) {
            mean if spread * 5 <= mean => (Steadiness::Steady, nearly_longest),
            mean if spread * 20 <= mean * 9 => (Steadiness::Mixed, nearly_longest),
            _ if rounds * 5 <= cycle => (Steadiness::Mixed, longest),
            // One late poll among steady ones spoils the mean, not the median.
            _ if deviations[WINDOW - 3] * 4 <= median && median > 0 => (Steadiness::Mixed, nearly_longest),
            _ => (Steadiness::None, longest),
        };
        Figures { median, deviation: deviations[WINDOW / 2], low: sorted[1], high, mean, steadiness }
    }

    /// What three windows have in common.
    fn common(windows: &[Figures; LEARNING_WINDOWS]) -> Figures {
        let middle = |get: fn(&Figures) -> u32| {
            let mut values = windows.map(|w| get(&w));
            values.sort_unstable();
            values[1]
        };
        Figures {
            median: middle(|w| w.median),
            deviation: middle(|w| w.deviation),
            low: windows.iter().map(|w| w.low).min().unwrap_or(0),
            high: middle(|w| w.high),
            mean: middle(|w| w.mean),
            steadiness: windows.iter().map(|w| w.steadiness).min().unwrap_or_default(),
        }
    }

    /// Whether this is another rhythm than what is usual: not by jitter, not by single extra or missing polls.
    fn differs(&self, usual: &Figures, thresholds: &Thresholds) -> bool {
        let change = f64::from(self.median.abs_diff(usual.median));
        let factor = thresholds.poll_change_factor;
        let far = |a: u32, b: u32| {
            let (a, b) = (f64::from(a).max(1.0), f64::from(b).max(1.0));
            a / b >= factor || b / a >= factor
        };
        far(self.median, usual.median)
            && far(self.mean, usual.mean)
            && change > thresholds.poll_change_deviations * f64::from(usual.deviation)
            && change * UNIT_NS as f64 >= thresholds.poll_change_floor * 1e9
            && !(usual.low..=usual.high).contains(&self.median)
    }

    pub(super) fn period_ns(&self) -> u64 {
        u64::from(self.median) * UNIT_NS
    }
}

/// What a full window says.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub(super) enum Change {
    /// Nothing new.
    None,
    /// It is known from now on how often this comes.
    Learned,
    /// It came every `from` nanoseconds and now comes every `to`.
    Period { from: u64, to: u64 },
    /// Two connections of the same master ask in turns, where one did before.
    Doubled { ports: [u16; 2] },
}

/// A recurring request (or report): what, when last, how often.
#[derive(Debug)]
pub(super) struct Beat {
    key: u64,
    pub(super) what: Recurrent,
    pub(super) last: Timestamp,
    began: Timestamp,
    pub(super) last_frame: FrameRef,
    /// The tap's clock at `last`.
    mark: u64,
    scale: Scale,
    /// Client ports of the last request and of the last one from another.
    ports: [u16; 2],
    /// How often in this window the two took turns, and in how many windows in a row they did.
    turns: u8,
    doubled: u8,
    /// One has always polled twice.
    doubled_usually: bool,
    filled: u8,
    windows: u8,
    odd: u8,
    intervals: [u32; WINDOW],
    recent: [Figures; LEARNING_WINDOWS],
    usual: Figures,
    /// What was usual at first.
    first: Figures,
    pauses: [u32; PAUSES],
    /// The period that the profile expects, how far it may be off (a share of it), and how many requests
    /// came in that time.
    configured_ns: u64,
    tolerance: f64,
    in_time: u8,
    /// A control: that it no longer comes is no loss, however regularly it came.
    control: bool,
    /// The last one was early.
    early: bool,
    /// The last integrity poll that nothing else explains.
    on_beat: Timestamp,
    /// It has stopped, and that was told.
    pub(super) stopped: bool,
}

/// What makes an operation the same as another: function and points, mixed as foldhash does.
pub(super) fn key(operation: &Operation<'_>) -> u64 {
    const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;
    let mix = |key: u64, kind: u64, points: u64| {
        let product = u128::from(key ^ points) * u128::from(FACTOR ^ kind << 1);
        (product as u64) ^ (product >> 64) as u64
    };
    let function = operation.function;
    let sub = function.sub.map_or(0, |sub| u64::from(sub) + 1);
    let what = sub << 9 | u64::from(function.code) << 1 | u64::from(operation.from_master);
    // What a station reports by itself differs from report to report.
    let ranges = if operation.from_master { operation.ranges } else { &[] };
    ranges.iter().fold(mix(FACTOR.rotate_left(32), ranges.len() as u64, what), |key, range| {
        let points = u64::from(range.first()) << 32 | u64::from(range.last());
        mix(key, u64::from(range.kind().number()), points)
    })
}

/// The place of a beat; `latest` is that of the one found before. Requests come in turns, so it is most often the
/// next.
#[inline]
pub(super) fn place(beats: &[Beat], latest: &mut u8, key: u64) -> Option<usize> {
    let is = |place: usize| beats.get(place).is_some_and(|beat| beat.is(key));
    let before = usize::from(*latest);
    let next = if before + 1 < beats.len() { before + 1 } else { 0 };
    let place = if is(next) {
        next
    } else if is(before) {
        before
    } else {
        beats.iter().position(|beat| beat.is(key))?
    };
    *latest = place as u8;
    Some(place)
}

impl Beat {
    pub(super) fn new(key: u64, operation: &Operation<'_>, poll: Option<Poll>, pulse: &Pulse) -> Beat {
        let configured_ns = poll.map_or(0, |poll| poll.period_ns);
        let by_station = !operation.from_master;
        let at = operation.origin.at;
        let scale = Scale::of(configured_ns);
        Beat {
            key,
            what: Recurrent {
                function: operation.function,
                range: if by_station { None } else { operation.ranges.first().copied() },
                more: !by_station && (operation.ranges.len() > 1 || operation.more_ranges),
                by_station,
            },
            last: at,
            began: at,
            last_frame: operation.origin.frame,
            mark: pulse.clock(scale, at),
            scale,
            ports: [operation.master_endpoint().port, 0],
            turns: 0,
            doubled: 0,
            doubled_usually: false,
            filled: 0,
            windows: 0,
            odd: 0,
            intervals: [0; WINDOW],
            recent: [Figures::default(); LEARNING_WINDOWS],
            usual: Figures::default(),
            first: Figures::default(),
            pauses: [0; PAUSES],
            configured_ns,
            tolerance: poll.and_then(|poll| poll.tolerance).unwrap_or(0.0),
            in_time: 0,
            control: operation.action.is_control() && operation.action != Action::Write,
            early: false,
            on_beat: at,
            stopped: false,
        }
    }

    #[inline]
    pub(super) fn is(&self, key: u64) -> bool {
        self.key == key
    }

    /// It has come too seldom for its rhythm to be known: the first to make room for another.
    pub(super) fn is_unlearned(&self) -> bool {
        self.windows == 0 && self.configured_ns == 0
    }

    /// Whether its absence means something.
    #[inline]
    pub(super) fn is_regular(&self) -> bool {
        match self.windows {
            _ if self.control => false,
            _ if self.what.by_station && self.last.since(self.began) < REPORTS_NS => false,
            _ if self.configured_ns > 0 => self.in_time >= 2,
            0 => false,
            // Early, if it is beyond doubt.
            1 | 2 => self.usual.steadiness == Steadiness::Steady,
            _ => self.usual.steadiness > Steadiness::None,
        }
    }

    /// It has come at least five times: no news.
    pub(super) fn is_recurring(&self) -> bool {
        self.windows > 0 || self.filled >= 4
    }

    /// Whether this integrity poll comes long before its time, on the same connection as always, and nothing
    /// explains it: the nanoseconds since the last one. The next one after, which keeps the old time, is not
    /// early again; nor is the one that keeps it after one or more that were explained.
    pub(super) fn is_early(&mut self, at: Timestamp, port: u16, explained: bool) -> Option<u64> {
        if explained {
            // Out of turn: the beat goes on from the last one that kept it.
            self.early = false;
            return None;
        }
        let steady = self.is_established() && self.usual.steadiness == Steadiness::Steady;
        let interval = at.since(self.last);
        let early = steady
            && interval < self.period_ns() / 2
            && interval >= EARLY_NS
            && port == self.ports[0]
            && !self.keeps_beat(at);
        self.on_beat = at;
        self.early = early && !self.early;
        self.early.then_some(interval)
    }

    /// Whether whole periods have passed since the last that was not out of turn, and others came between.
    fn keeps_beat(&self, at: Timestamp) -> bool {
        let period = self.period_ns().max(1);
        let since = at.since(self.on_beat);
        let off = (since % period + period / 2) % period;
        self.on_beat != self.last && since >= period / 2 && off.abs_diff(period / 2) <= period / 4
    }

    /// Whether it has been followed long enough to miss it for itself, beside others.
    pub(super) fn is_established(&self) -> bool {
        self.is_regular() && usize::from(self.windows) >= LEARNING_WINDOWS
    }

    /// Usual nanoseconds from one to the next.
    pub(super) fn period_ns(&self) -> u64 {
        if self.configured_ns > 0 { self.configured_ns } else { self.usual.period_ns() }
    }

    /// Nanoseconds from one to the next as the profile expects it, or as they were at first.
    pub(super) fn baseline_ns(&self) -> u64 {
        if self.configured_ns > 0 { self.configured_ns } else { self.first.period_ns() }
    }

    /// Nanoseconds from one to the next in the window that has just come to its end, if one has.
    pub(super) fn latest_ns(&self) -> Option<u64> {
        let [.., latest] = &self.recent;
        (self.filled == 0 && self.windows > 0).then(|| latest.period_ns())
    }

    /// The longest interval that is usual, in nanoseconds.
    pub(super) fn longest_ns(&self) -> u64 {
        (u64::from(self.usual.high) * UNIT_NS).max(self.configured_ns)
    }

    /// How long it may be absent.
    pub(super) fn limit_ns(&self, thresholds: &Thresholds) -> u64 {
        let missed = (self.longest_ns() as f64 * thresholds.missed_polls) as u64;
        let floor = (thresholds.silence_floor * 1e9) as u64;
        // A pause that came three times is a habit.
        let habit = self.pauses.iter().min().map_or(0, |&pause| u64::from(pause) * UNIT_NS / 2 * 3);
        missed.max(floor).max(habit)
    }

    /// How long it has been absent at `now`, without the time in which the whole tap was silent.
    pub(super) fn quiet_ns(&self, pulse: &Pulse, now: Timestamp) -> u64 {
        pulse.clock(self.scale, now).saturating_sub(self.mark)
    }

    /// By how much the tap's pauses shorten the time since `last`.
    pub(super) fn paused_ns(&self, pulse: &Pulse, now: Timestamp) -> u64 {
        now.since(self.last).saturating_sub(self.quiet_ns(pulse, now))
    }

    /// It is there.
    #[inline]
    pub(super) fn present(&mut self, at: Timestamp, frame: FrameRef, pulse: &Pulse) {
        self.last = at;
        self.last_frame = frame;
        self.mark = pulse.clock(self.scale, at);
        self.stopped = false;
    }

    /// It came. Returns what that says, and how many cycles were missed before.
    #[inline]
    pub(super) fn came(
        &mut self,
        at: Timestamp,
        frame: FrameRef,
        port: u16,
        pulse: &Pulse,
        thresholds: &Thresholds,
    ) -> (Change, u64) {
        let interval = at.since(self.last);
        let missed = if self.is_regular() { self.missed(at, interval, pulse, thresholds) } else { 0 };
        self.present(at, frame, pulse);
        self.turn(port);
        let in_time = interval <= 2 * self.configured_ns;
        self.in_time = self.in_time.saturating_add(u8::from(in_time));
        self.intervals[usize::from(self.filled)] = (interval / UNIT_NS).min(u64::from(u32::MAX)) as u32;
        self.filled += 1;
        if usize::from(self.filled) < WINDOW {
            let known_now = in_time && self.in_time == 2;
            return (if known_now { Change::Learned } else { Change::None }, missed);
        }
        (self.window(at, pulse, thresholds), missed)
    }

    fn missed(&mut self, at: Timestamp, interval: u64, pulse: &Pulse, thresholds: &Thresholds) -> u64 {
        let longest = self.longest_ns().max(1);
        let quiet = self.quiet_ns(pulse, at);
        if quiet < longest / 4 * 7 {
            return 0;
        }
        let floor = (thresholds.silence_floor * 1e9) as u64;
        if quiet >= floor.max((longest as f64 * thresholds.missed_polls) as u64) {
            self.pauses.rotate_right(1);
            self.pauses[0] = (interval / UNIT_NS).min(u64::from(u32::MAX)) as u32;
        }
        if self.usual.steadiness == Steadiness::Steady { (quiet + longest / 2) / longest - 1 } else { 0 }
    }

    fn turn(&mut self, port: u16) {
        if port == self.ports[0] {
            return;
        }
        self.turns += u8::from(port == self.ports[1]);
        self.ports = [port, self.ports[0]];
    }

    #[cold]
    fn window(&mut self, at: Timestamp, pulse: &Pulse, thresholds: &Thresholds) -> Change {
        let figures = Figures::of(&self.intervals);
        self.filled = 0;
        self.recent.rotate_left(1);
        self.recent[LEARNING_WINDOWS - 1] = figures;
        let turns = core::mem::take(&mut self.turns);
        // A connection that was opened anew takes one turn at most.
        self.doubled = if turns >= 4 { self.doubled.saturating_add(1) } else { 0 };
        self.windows = self.windows.saturating_add(1);
        let change = match usize::from(self.windows) {
            n @ 1..=LEARNING_WINDOWS => {
                self.doubled_usually |= self.doubled > 0;
                self.usual = if n == LEARNING_WINDOWS { Figures::common(&self.recent) } else { figures };
                self.first = self.usual;
                if self.configured_ns > 0 { self.expected(&figures, thresholds) } else { Change::Learned }
            }
            _ if self.configured_ns > 0 && self.doubled < 2 => self.expected(&figures, thresholds),
            _ => self.compare(&figures, thresholds),
        };
        if change != Change::None {
            self.scale = Scale::of(self.longest_ns());
            self.mark = pulse.clock(self.scale, at);
        }
        change
    }

    /// Whether the last windows are all off the period that the profile expects. Said once.
    fn expected(&mut self, figures: &Figures, thresholds: &Thresholds) -> Change {
        let tolerance =
            if self.tolerance > 0.0 { self.tolerance } else { thresholds.poll_change_factor - 1.0 };
        let off = figures.period_ns().abs_diff(self.configured_ns) as f64;
        let odd = off > tolerance * self.configured_ns as f64;
        self.odd = if odd { self.odd.saturating_add(1) } else { 0 };
        if usize::from(self.odd) != LEARNING_WINDOWS {
            return Change::Learned;
        }
        Change::Period { from: self.configured_ns, to: Figures::common(&self.recent).period_ns() }
    }

    fn compare(&mut self, figures: &Figures, thresholds: &Thresholds) -> Change {
        if self.doubled >= 2 && !self.doubled_usually {
            self.doubled_usually = true;
            self.relearn();
            return Change::Doubled { ports: self.ports };
        }
        self.odd = if figures.differs(&self.usual, thresholds) { self.odd + 1 } else { 0 };
        if usize::from(self.odd) < LEARNING_WINDOWS {
            return Change::None;
        }
        let (from, was_regular) = (self.usual.period_ns(), self.usual.steadiness > Steadiness::None);
        self.relearn();
        if !was_regular || self.control {
            return Change::Learned;
        }
        Change::Period { from, to: self.usual.period_ns() }
    }

    /// What the last windows show is usual from now on.
    fn relearn(&mut self) {
        self.odd = 0;
        self.usual = Figures::common(&self.recent);
    }
}
