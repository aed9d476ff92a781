//! Loss of view: a station that no longer answers, a station that nobody asks any more, a poll that stopped.
//!
//! | what is missing | while | it is |
//! |---|---|---|
//! | answers | requests go on, or the master gave up asking | the station is silent (TIM-03) |
//! | the station's own reports | nothing else comes from it | the station is silent (TIM-03) |
//! | all requests | the last ones were answered | the master no longer polls it (TIM-02) |
//! | one recurring request | others go on | that poll has stopped (TIM-02, low) |
//!
//! All of it rests on absence: it is withheld while the tap is blind, and time in which the whole tap was
//! silent does not count ([`Pulse`]).

use core::fmt;

use parsers::{Coverage, FrameRef, StationAddress, Timestamp};
use profiles::Thresholds;

use super::State;
use super::outage::{Extent, Outages};
use super::words::{Clock, Recurrent, Span};
use super::{Party, Tracked};
use crate::detect::coverage;
use crate::detect::pulse::{Pulse, Scale};
use crate::detect::{FindingSink, SiteView};
use crate::report::catalogue::{FindingKind, Severity};
use crate::report::finding::Finding;
use crate::report::record::StationChange;

/// Answers before it is known how well the station answers, if nearly all came, and otherwise: lines with
/// losses have silences of their own, which are learned first.
const ANSWERS_KNOWN: u32 = 16;
const ANSWERS_KNOWN_POOR: u32 = 100;
/// Silences remembered; one that came so often is usual.
const SILENCES: usize = 3;

/// Requests and answers of a pair, as far as silence is concerned.
#[derive(Debug, Default)]
pub(super) struct Exchanges {
    /// Last request of any kind that wanted an answer.
    pub(super) last_request: Timestamp,
    pub(super) last_request_frame: FrameRef,
    /// Last sign of life of the station.
    pub(super) last_answer: Timestamp,
    pub(super) last_answer_frame: FrameRef,
    /// Last answer to a request, seen or not: reports of its own accord are none.
    last_reply: Timestamp,
    answers: u32,
    /// Requests that went unanswered while the station became known.
    missing: u32,
    /// Longest silence in that time, and the latest after it.
    silence_learned: u64,
    silences: [u64; SILENCES],
    /// Requests since then.
    pub(super) unanswered: u32,
    /// Requests that had gone unanswered when the station was heard again.
    pub(super) missed: u32,
    /// The tap's clock at the first of them.
    mark: u64,
    scale: Scale,
    idle_mark: u64,
}

impl Exchanges {
    /// A request of any kind.
    #[inline]
    pub(super) fn requested(&mut self, at: Timestamp, frame: FrameRef, pulse: &Pulse) {
        self.last_request = at;
        self.last_request_frame = frame;
        self.idle_mark = pulse.clock(Scale::of(u64::MAX), at);
    }

    /// Nanoseconds since the last request, without what the tap slept through; 0 before the first.
    pub(super) fn idle_ns(&self, at: Timestamp, pulse: &Pulse) -> u64 {
        if self.idle_mark == 0 {
            return 0;
        }
        pulse.clock(Scale::of(u64::MAX), at).saturating_sub(self.idle_mark)
    }

    /// A request that wants an answer.
    #[inline]
    pub(super) fn waits(&mut self, at: Timestamp, pulse: &Pulse, fastest_ns: u64) {
        // Held back for a segment that was missing, while its answer was not.
        if at < self.last_answer {
            return;
        }
        if self.unanswered == 0 {
            self.scale = Scale::of(fastest_ns.max(5_000_000_000));
            self.mark = pulse.clock(self.scale, at);
        }
        self.unanswered = self.unanswered.saturating_add(1);
    }

    /// Nanoseconds since the first request without an answer.
    pub(super) fn waiting_ns(&self, now: Timestamp, pulse: &Pulse) -> u64 {
        if self.unanswered == 0 { 0 } else { pulse.clock(self.scale, now).saturating_sub(self.mark) }
    }

    /// Whether the station answered requests that were not seen.
    pub(super) fn answered_unseen(&self, blind_ns: u64) -> bool {
        self.last_reply.since(self.last_request) > blind_ns
    }

    /// The station sent something; `reply`: because it was asked.
    #[inline]
    pub(super) fn answered(
        &mut self,
        (at, frame): (Timestamp, FrameRef),
        reply: bool,
        pulse: &Pulse,
        thresholds: &Thresholds,
    ) {
        self.last_answer = at;
        if reply {
            self.last_reply = at;
        }
        self.last_answer_frame = frame;
        if self.unanswered > 1 {
            self.learn(self.waiting_ns(at, pulse), thresholds);
        }
        self.answers = self.answers.saturating_add(1);
        self.missed = self.unanswered.saturating_sub(u32::from(reply));
        self.unanswered = 0;
    }

    #[cold]
    fn learn(&mut self, silence: u64, thresholds: &Thresholds) {
        if !self.is_known() {
            // The last of them is being answered.
            self.missing = self.missing.saturating_add(self.unanswered - 1);
            self.silence_learned = self.silence_learned.max(silence);
        } else if silence as f64 >= thresholds.silence_floor * 1e9 {
            self.silences.rotate_right(1);
            self.silences[0] = silence;
        }
    }

    /// Whether it is known how well the station answers.
    fn is_known(&self) -> bool {
        let good = self.missing.saturating_mul(10) < self.answers;
        self.answers >= if good { ANSWERS_KNOWN } else { ANSWERS_KNOWN_POOR }
    }

    /// A silence that is usual here, and half as much again; twice what came while learning.
    fn habit_ns(&self) -> u64 {
        let habit = self.silences.iter().min().map_or(0, |silence| silence / 2 * 3);
        habit.max(self.silence_learned.saturating_mul(2))
    }
}

/// What was told of a pair that fell silent.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub(super) enum Lost {
    /// The station does not answer.
    Silent,
    /// The master does not ask.
    NotPolled,
}

/// Judge what is absent at `now`. Returns when to look again.
pub(super) fn judge(
    state: &mut State,
    party: &Party<'_>,
    now: Timestamp,
    site: SiteView<'_>,
    outages: &mut Outages,
    sink: &mut dyn FindingSink,
) -> Option<Timestamp> {
    let absence = absent(state, now, site);
    let (tracked, next) = match absence {
        Absence::Until(next) => return next,
        Absence::Of(tracked, next) => (tracked, next),
    };
    let coverage = party.coverage;
    let kind = tracked.kind();
    if !coverage::bears(kind, coverage) {
        if !core::mem::replace(&mut state.withheld, true) {
            sink.withheld(kind);
        }
        // Look again when the hole bears no more.
        return Some(now.plus(site.losses.blind_ns));
    }
    state.withheld = false;
    let thresholds = site.thresholds;
    match tracked {
        Tracked::Silent => silent(state, party, now, thresholds, outages, sink),
        Tracked::NotPolled => not_polled(state, party, now, thresholds, outages, sink),
        Tracked::Stopped(place) => stopped(state, party, now, place, sink),
    }
    state.refresh(thresholds);
    match absent(state, now, site) {
        // One thing at a time: the others at the next second.
        Absence::Of(..) => Some(now.plus(1)),
        Absence::Until(later) => later.or(next),
    }
}

enum Absence {
    /// Nothing is missing yet; look again then.
    Until(Option<Timestamp>),
    Of(Tracked, Option<Timestamp>),
}

fn absent(state: &State, now: Timestamp, site: SiteView<'_>) -> Absence {
    let thresholds = site.thresholds;
    let mut next: Option<Timestamp> = None;
    let mut later = |wait: u64| {
        let at = now.plus(wait.max(1));
        next = Some(next.map_or(at, |n| n.min(at)));
    };
    let exchanges = &state.exchanges;
    let answers = exchanges.is_known() && state.lost != Some(Lost::Silent);
    if answers && f64::from(exchanges.unanswered) >= thresholds.missed_polls {
        let limit = state.limit_ns(thresholds).max(exchanges.habit_ns());
        let quiet = exchanges.waiting_ns(now, site.pulse);
        if quiet >= limit {
            return Absence::Of(Tracked::Silent, None);
        }
        later(limit - quiet);
    }
    for (place, beat) in state.beats.iter().enumerate() {
        if !beat.is_regular() || beat.stopped || state.lost.is_some() {
            continue;
        }
        let limit = beat.limit_ns(thresholds);
        let quiet = beat.quiet_ns(site.pulse, now);
        if quiet < limit {
            later(limit - quiet);
            continue;
        }
        let since = |last: Timestamp| now.since(last).saturating_sub(beat.paused_ns(site.pulse, now));
        let all_quiet = if beat.what.by_station {
            since(exchanges.last_answer) >= limit
        } else {
            since(exchanges.last_request) >= limit
        };
        let tracked = match (all_quiet, beat.what.by_station) {
            (true, true) => Tracked::Silent,
            // The master asked and gave up.
            (true, false) if answers && exchanges.unanswered > 0 => Tracked::Silent,
            (true, false) => Tracked::NotPolled,
            (false, _) if beat.is_established() => Tracked::Stopped(place),
            (false, _) => {
                later(limit);
                continue;
            }
        };
        return Absence::Of(tracked, next);
    }
    Absence::Until(next)
}

impl Tracked {
    fn kind(self) -> FindingKind {
        match self {
            Tracked::Silent => FindingKind::StationSilent,
            Tracked::NotPolled => FindingKind::StationNotPolled,
            Tracked::Stopped(_) => FindingKind::PollStopped,
        }
    }
}

fn silent(
    state: &mut State,
    party: &Party<'_>,
    now: Timestamp,
    thresholds: &Thresholds,
    outages: &mut Outages,
    sink: &mut dyn FindingSink,
) {
    state.lost = Some(Lost::Silent);
    let exchanges = &state.exchanges;
    let frames = [exchanges.last_answer_frame, exchanges.last_request_frame];
    let expected = Expected {
        usual: state.fastest().map(|beat| (beat.what, Span(beat.period_ns()))),
        limit: Span(state.limit_ns(thresholds).max(exchanges.habit_ns())),
    };
    let observed = Observed {
        last: Clock(exchanges.last_answer),
        quiet: Span(now.since(exchanges.last_answer)),
        unanswered: exchanges.unanswered,
    };
    let last = Clock(exchanges.last_answer);
    let finding = Finding { frames: &frames, ..party.finding(FindingKind::StationSilent, now) };
    match outages.begin(&party.key) {
        Extent::One => sink.finding(&Finding {
            expected: format_args!("{expected}"),
            observed: format_args!("{observed}"),
            ..finding
        }),
        Extent::Several { silent, known } => {
            let finding = Finding { station: StationAddress::None, station_name: None, ..finding };
            sink.finding(&Finding {
                expected: format_args!("answers from the {known} stations behind {}", party.key.server),
                observed: format_args!(
                    "{silent} of them silent, the latest ({}) since {last}",
                    party.station_words()
                ),
                fold_key: u64::from(silent == known),
                ..finding
            });
        }
        Extent::Folded => {}
    }
    sink.station(&party.changed(StationChange::Silent, now));
}

fn not_polled(
    state: &mut State,
    party: &Party<'_>,
    now: Timestamp,
    thresholds: &Thresholds,
    outages: &mut Outages,
    sink: &mut dyn FindingSink,
) {
    state.lost = Some(Lost::NotPolled);
    state.takeover = party.stand_ins.map(|_| now.plus((thresholds.takeover_within * 1e9) as u64));
    let exchanges = &state.exchanges;
    let frames = [exchanges.last_request_frame, exchanges.last_answer_frame];
    let Some(beat) = state.fastest() else { return };
    let (what, period, limit) = (beat.what, Span(beat.period_ns()), Span(state.limit_ns(thresholds)));
    let (last, quiet) = (Clock(exchanges.last_request), Span(now.since(exchanges.last_request)));
    // A change-over is no news. That nobody of the group polls is told of the group (`site::redundancy`).
    let severity = party.stand_ins.map(|_| Severity::Low);
    let finding = Finding { frames: &frames, severity, ..party.finding(FindingKind::StationNotPolled, now) };
    match outages.begin(&party.key) {
        Extent::One => sink.finding(&Finding {
            expected: format_args!("{what} about every {period}, never missing for {limit}"),
            observed: format_args!(
                "no request at all since {last}, for {quiet}, while the tap saw other traffic{}",
                TakenOver(party.stand_ins)
            ),
            ..finding
        }),
        Extent::Several { silent, known } => sink.finding(&Finding {
            station: StationAddress::None,
            station_name: None,
            expected: format_args!("polls of the {known} stations behind {}", party.key.server),
            observed: format_args!(
                "{silent} of them not polled any more, the latest ({}) since {last}{}",
                party.station_words(),
                TakenOver(party.stand_ins)
            ),
            fold_key: u64::from(silent == known),
            ..finding
        }),
        Extent::Folded => {}
    }
    sink.station(&party.changed(StationChange::NotPolled, now));
}

fn stopped(state: &mut State, party: &Party<'_>, now: Timestamp, place: usize, sink: &mut dyn FindingSink) {
    let Some(beat) = state.beats.get_mut(place) else { return };
    beat.stopped = true;
    let (what, period) = (beat.what, Span(beat.period_ns()));
    let (last, quiet) = (Clock(beat.last), Span(now.since(beat.last)));
    let whose = if what.by_station { "the station still answers" } else { "other requests go on" };
    sink.finding(&Finding {
        function: Some(what.function),
        ranges: what.range.as_slice(),
        expected: format_args!("{what} about every {period}"),
        observed: format_args!("none since {last}, for {quiet}, while {whose}"),
        frames: &[beat.last_frame],
        ..party.finding(FindingKind::PollStopped, now)
    });
}

/// Whether the time of a change-over has passed and this master still does not ask: since when.
pub(super) fn not_taken_over(
    state: &mut State,
    coverage: Coverage,
    now: Timestamp,
    blind_ns: u64,
) -> Option<Timestamp> {
    if state.lost != Some(Lost::NotPolled) && state.stopped.is_none() {
        state.takeover = None;
    }
    state.takeover.filter(|at| *at <= now)?;
    if !coverage::bears(FindingKind::StationNotPolled, coverage) {
        state.takeover = Some(now.plus(blind_ns));
        return None;
    }
    state.takeover = None;
    Some(state.exchanges.last_request)
}

/// Who may have taken over.
struct TakenOver<'a>(Option<&'a str>);

impl fmt::Display for TakenOver<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(group) => write!(f, "; another of the redundancy group '{group}' may have taken over"),
            None => Ok(()),
        }
    }
}

/// What a silent station ought to have sent.
struct Expected {
    usual: Option<(Recurrent, Span)>,
    limit: Span,
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.usual {
            Some((what, period)) if what.by_station => {
                write!(f, "{what} by the station about every {period}")?;
            }
            Some((what, period)) => write!(f, "answers to {what}, asked about every {period}")?,
            None => f.write_str("answers")?,
        }
        write!(f, ", never missing for {}", self.limit)
    }
}

/// What it did.
struct Observed {
    last: Clock,
    quiet: Span,
    unanswered: u32,
}

impl fmt::Display for Observed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "nothing from it since {}, for {}", self.last, self.quiet)?;
        match self.unanswered {
            0 => Ok(()),
            1 => f.write_str("; 1 request went unanswered"),
            n => write!(f, "; {n} requests went unanswered"),
        }
    }
}
