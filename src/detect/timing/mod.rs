//! Time: how often a master asks what, whether the station answers, how quickly, and who has gone silent.
//!
//! Every recurring request of a pair (function and points) is a [`beat`]: its period is learned, robustly,
//! or expected by the profile's `poll`. From beats come the findings about changed, missing and doubled
//! polls ([`silence`]); from the exchanges the silent station, the latency and the burst; from the commands
//! the machine-like rhythm.

mod beat;
mod latency;
mod outage;
mod pace;
mod party;
mod rate;
mod reason;
mod rhythm;
mod silence;
mod transfer;
pub(super) mod unanswered;
mod words;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use parsers::{
    Action, Coverage, Exchange, FrameRef, Operation, Outcome, PointKind, PointRange, Protocol, Timestamp,
};
use profiles::{Poll, Thresholds};

use super::association::Association;
use super::{FindingSink, Seen, SiteView, coverage};
use crate::report::catalogue::FindingKind;
use crate::report::finding::Finding;
use crate::report::record::StationChange;
use crate::site::redundancy::{ALIVE_NS, Did, Sign};
use beat::{Beat, Change};
use latency::Latency;
use outage::Outages;
use pace::Teller;
use party::Party;
use rate::Rate;
use reason::Reasons;
use rhythm::Rhythm;
use silence::{Exchanges, Lost};
use unanswered::Story;
use words::Span;

/// Recurring requests followed for a pair.
const BEATS: usize = 48;
/// Recurring requests followed for all pairs of a detector (of a shard) together; about 300 octets each.
pub const BEATS_LIMIT: usize = 4096;
/// Operations of a pair before its rhythm is looked at: scanners come and go.
const OPERATIONS_FIRST: u8 = 4;

/// How long a pair is known before its writes count as a machine's new habit.
const HABITS_NS: u64 = 60_000_000_000;

/// What is remembered of a pair.
#[derive(Debug, Default)]
pub struct Timing {
    operations: u8,
    /// Whether it is known that requests go unanswered.
    story: Story,
    state: Option<Box<State>>,
}

#[derive(Debug)]
struct State {
    beats: Vec<Beat>,
    /// Place of the beat that came last.
    latest: u8,
    exchanges: Exchanges,
    lost: Option<Lost>,
    /// A finding about absence was withheld, and counted.
    withheld: bool,
    /// When the pair is to be called, as agreed.
    wake: Option<Timestamp>,
    /// Counted as a station whose rhythm is known.
    known: bool,
    /// The last period told to the metrics.
    period_ns: u64,
    /// The longest usual interval of the fastest rhythm, and how long the pair may keep silent.
    fastest_ns: u64,
    limit_ns: u64,
    began: Timestamp,
    rate: Rate,
    reasons: Reasons,
    latency: Latency,
    /// Only of masters that command.
    rhythm: Option<Box<Rhythm>>,
    /// When it was last told that a master of a redundancy group is alive.
    signed: Timestamp,
    /// When it is to be asked whether another of its group has taken over.
    takeover: Option<Timestamp>,
    /// When the master stopped the transfer of data, and nothing came since.
    stopped: Option<Timestamp>,
    /// Beats of all pairs together.
    ledger: Arc<AtomicUsize>,
}

impl Drop for State {
    fn drop(&mut self) {
        self.ledger.fetch_sub(self.beats.len(), Relaxed);
    }
}

/// What all pairs share.
#[derive(Debug, Default)]
pub struct Shared {
    outages: Outages,
    /// Recurring requests followed now. Counted by each pair itself, since pairs are given up elsewhere.
    beats: Arc<AtomicUsize>,
    /// Operations whose rhythm was not followed, because there was no room.
    unfollowed: u64,
}

impl Shared {
    /// Operations whose rhythm was not followed, because the pair or all pairs together had no room.
    #[must_use]
    pub fn unfollowed(&self) -> u64 {
        self.unfollowed
    }
}

/// What is missing.
#[derive(Debug, Copy, Clone)]
enum Tracked {
    Silent,
    NotPolled,
    Stopped(usize),
}

/// An operation of the pair. Returns when to be called.
#[inline]
pub(super) fn shown(
    association: &mut Association,
    seen: &Seen<'_>,
    shared: &mut Shared,
    sink: &mut dyn FindingSink,
) -> Option<Timestamp> {
    if association.timing.story.is_open() && !seen.operation.from_master {
        unanswered::answered(association, seen, sink);
    }
    if association.timing.operations < OPERATIONS_FIRST {
        association.timing.operations += 1;
        association.timing.story.early(seen.operation);
        return None;
    }
    let state = association.timing.state.take();
    let mut state = state.unwrap_or_else(|| Box::new(State::new(shared, seen.operation.origin.at)));
    state.operation(association, seen, shared, sink);
    let wanted = state.wanted(seen);
    association.timing.state = Some(state);
    wanted
}

/// What is due at `now`. Returns when to be called again.
pub(super) fn due(
    association: &mut Association,
    now: Timestamp,
    site: SiteView<'_>,
    shared: &mut Shared,
    sink: &mut dyn FindingSink,
) -> Option<Timestamp> {
    let mut state = association.timing.state.take()?;
    let mut coverage = association.coverage(now, &site.losses);
    if coverage.gaps == 0 && association.has_gap_within(now, state.limit_ns) {
        // What comes every minute is missed for minutes: a hole in that time may have held it.
        coverage.gaps = 1;
    }
    let party = Party::of(association, coverage, site.profile);
    state.wake = silence::judge(&mut state, &party, now, site, &mut shared.outages, sink);
    if let Some(since) = silence::not_taken_over(&mut state, coverage, now, site.losses.blind_ns) {
        let frame = state.exchanges.last_request_frame;
        if state.stopped.take().is_some() && party.stand_ins.is_none() {
            transfer::not_started(&party, since, now, frame, sink);
        }
        sign(association, site, (now, frame), coverage, Did::Unpolled(since), sink);
    }
    if state.lost == Some(Lost::Silent) {
        unanswered::silenced(association);
    }
    state.wake = [state.wake, state.takeover].into_iter().flatten().min();
    let wake = state.wake;
    association.timing.state = Some(state);
    wake
}

/// Tell of a master of a redundancy group, if it is one, what concerns the group.
#[cold]
pub(super) fn sign(
    association: &Association,
    site: SiteView<'_>,
    (at, frame): (Timestamp, FrameRef),
    coverage: Coverage,
    what: Did,
    sink: &mut dyn FindingSink,
) {
    let Some((profile, pair)) = site.profile.zip(association.pair) else { return };
    let (Some(client), Some(station)) = (pair.client_index(), pair.station_index()) else { return };
    if profile.redundancy_of(client).is_some() {
        sink.sign(&Sign { at, frame, key: association.key, client, station, coverage, what });
    }
}

/// A gateway that answers in place of a station that does not.
fn is_of_gateway(operation: &Operation<'_>) -> bool {
    operation.protocol == Protocol::Modbus
        && matches!(operation.outcome, Outcome::Refused { code: 10 | 11, .. })
}

impl State {
    fn new(shared: &Shared, now: Timestamp) -> State {
        State {
            beats: Vec::new(),
            latest: 0,
            exchanges: Exchanges::default(),
            lost: None,
            withheld: false,
            wake: None,
            known: false,
            period_ns: 0,
            fastest_ns: 0,
            limit_ns: 0,
            began: now,
            rate: Rate::default(),
            reasons: Reasons::default(),
            latency: Latency::default(),
            rhythm: None,
            signed: Timestamp::default(),
            takeover: None,
            stopped: None,
            ledger: Arc::clone(&shared.beats),
        }
    }

    fn operation(
        &mut self,
        association: &Association,
        seen: &Seen<'_>,
        shared: &mut Shared,
        sink: &mut dyn FindingSink,
    ) {
        let operation = seen.operation;
        let (at, frame) = (operation.origin.at, operation.origin.frame);
        let (thresholds, pulse) = (seen.site.thresholds, seen.site.pulse);
        if at.since(self.signed) >= ALIVE_NS {
            self.signed = at;
            sign(association, seen.site, (at, frame), seen.coverage(), Did::Alive, sink);
        }
        transfer::noted(self, operation, thresholds);
        let tell = |say: &mut dyn FnMut(Teller<'_>)| {
            let party = Party::of(association, seen.coverage(), seen.site.profile);
            say(Teller { party: &party, operation, thresholds });
        };
        if !operation.from_master {
            self.reasons.told(operation);
            if !is_of_gateway(operation) {
                let reply = operation.exchange == Exchange::Response;
                self.exchanges.answered((at, frame), reply, pulse, thresholds);
                self.found(Lost::Silent, association, seen, shared, sink);
                // After a hole an answer may be taken for that of an older request.
                let doubtful =
                    |ns: u64| ns as f64 > thresholds.latency_floor * 1e9 && !seen.coverage().is_complete();
                let latency = operation.latency_ns().filter(|&ns| !doubtful(ns));
                let slow = latency.and_then(|ns| self.latency.answer(at, ns, thresholds));
                if let Some(slow) = slow {
                    tell(&mut |teller| teller.slow(slow, sink));
                }
            }
            if operation.exchange == Exchange::Unsolicited {
                self.recurs(association, seen, shared, sink);
            }
            return;
        }
        if operation.exchange != Exchange::Request || operation.broadcast {
            return;
        }
        if let Some(burst) = self.rate.request(at, thresholds) {
            tell(&mut |teller| teller.burst(burst, sink));
        }
        let idle = self.exchanges.idle_ns(at, pulse);
        if idle as f64 >= thresholds.idle_master * 1e9 {
            if self.exchanges.answered_unseen(seen.site.losses.blind_ns) {
                sink.withheld(FindingKind::IdleMasterBack);
            } else {
                tell(&mut |teller| teller.idle(idle, sink));
            }
        }
        self.reasons.asked(operation, self.exchanges.waiting_ns(at, pulse));
        self.exchanges.requested(at, frame, pulse);
        if operation.wants_answer {
            self.exchanges.waits(at, pulse, self.fastest_ns);
            let unanswered = self.exchanges.unanswered;
            let waiting = self.exchanges.waiting_ns(at, pulse);
            if unanswered == thresholds.flood_unanswered as u32
                && waiting as f64 <= thresholds.flood_unanswered_window * 1e9
            {
                tell(&mut |teller| teller.flood(unanswered, waiting, sink));
            }
        }
        self.found(Lost::NotPolled, association, seen, shared, sink);
        self.recurs(association, seen, shared, sink);
    }

    /// What was lost is there again.
    #[inline]
    fn found(
        &mut self,
        lost: Lost,
        association: &Association,
        seen: &Seen<'_>,
        shared: &mut Shared,
        sink: &mut dyn FindingSink,
    ) {
        if self.lost != Some(lost) {
            return;
        }
        self.lost = None;
        shared.outages.end(&association.key);
        let party = Party::of(association, Coverage::default(), seen.site.profile);
        let at = seen.operation.origin.at;
        match lost {
            Lost::Silent => {
                sink.station(&party.changed(StationChange::AnswersAgain(self.exchanges.missed), at));
            }
            Lost::NotPolled => sink.station(&party.changed(StationChange::PolledAgain, at)),
        }
    }

    /// Note a recurring request.
    fn recurs(
        &mut self,
        association: &Association,
        seen: &Seen<'_>,
        shared: &mut Shared,
        sink: &mut dyn FindingSink,
    ) {
        let operation = seen.operation;
        let key = beat::key(operation);
        let place = beat::place(&self.beats, &mut self.latest, key);
        if operation.recovered {
            // It came, but what came before it may not have been seen: no interval to learn from.
            if let Some(beat) = place.and_then(|place| self.beats.get_mut(place)) {
                beat.present(operation.origin.at, operation.origin.frame, seen.site.pulse);
            }
            return;
        }
        if operation.from_master && operation.action.is_control() {
            self.commanded(place, key, association, seen, sink);
        }
        let integrity = operation.from_master && reason::is_integrity(operation);
        let explained = integrity && self.reasons.take();
        let Some(place) = place else {
            // What no rule allows is no poll that anybody would miss.
            if seen.judged.allowed != Some(false) {
                self.begin(key, seen, shared);
            }
            return;
        };
        let beat = &mut self.beats[place];
        let port = operation.master_endpoint().port;
        if integrity
            && operation.action == Action::Read
            && let Some(interval) = beat.is_early(operation.origin.at, port, explained)
        {
            let (what, period) = (beat.what, beat.period_ns());
            let party = Party::of(association, seen.coverage(), seen.site.profile);
            let teller = Teller { party: &party, operation, thresholds: seen.site.thresholds };
            teller.off_schedule(what, period, interval, sink);
        }
        let (at, frame) = (operation.origin.at, operation.origin.frame);
        let (change, missed) = beat.came(at, frame, port, seen.site.pulse, seen.site.thresholds);
        let latest = beat.latest_ns();
        if change == Change::None && missed == 0 && latest.is_none() {
            return;
        }
        let party = Party::of(association, seen.coverage(), seen.site.profile);
        if missed > 0 {
            sink.station(&party.changed(StationChange::Missed(missed), at));
        }
        self.changed(place, change, &party, seen, sink);
        self.refresh(seen.site.thresholds);
        let Some(fastest) = self.fastest() else { return };
        let period_ns = fastest.baseline_ns();
        if let Some(ns) = latest.filter(|_| fastest.is(key)) {
            sink.station(&party.changed(StationChange::Interval(ns), at));
        }
        if !core::mem::replace(&mut self.known, true) {
            shared.outages.know(&association.key);
        }
        if period_ns != self.period_ns {
            self.period_ns = period_ns;
            sink.station(&party.changed(StationChange::Period(period_ns), at));
        }
    }

    #[cold]
    fn changed(
        &self,
        place: usize,
        change: Change,
        party: &Party<'_>,
        seen: &Seen<'_>,
        sink: &mut dyn FindingSink,
    ) {
        let beat = &self.beats[place];
        let what = beat.what;
        let frames: [FrameRef; 1] = [beat.last_frame];
        let at = seen.operation.origin.at;
        let finding = |kind| Finding {
            flow: Some(seen.operation.flow),
            function: Some(what.function),
            ranges: what.range.as_slice(),
            frames: &frames,
            ..party.finding(kind, at)
        };
        match change {
            Change::None | Change::Learned => {}
            Change::Period { .. } if !coverage::bears(FindingKind::PollPeriodChanged, party.coverage) => {
                sink.withheld(FindingKind::PollPeriodChanged);
            }
            Change::Period { from, to } => sink.finding(&Finding {
                expected: format_args!("{what} about every {}", Span(from)),
                observed: format_args!("about every {}, the last 48 times", Span(to)),
                ..finding(FindingKind::PollPeriodChanged)
            }),
            Change::Doubled { ports } => sink.finding(&Finding {
                expected: format_args!("{what} on one connection of this master, as before"),
                observed: format_args!(
                    "two connections (client ports {} and {}) that ask the same in turns",
                    ports[0].min(ports[1]),
                    ports[0].max(ports[1])
                ),
                ..finding(FindingKind::DoubledPoller)
            }),
        }
    }

    /// A request not seen before, if there is room for it.
    #[cold]
    fn begin(&mut self, key: u64, seen: &Seen<'_>, shared: &mut Shared) {
        let operation = seen.operation;
        let beat = Beat::new(key, operation, configured(seen), seen.site.pulse);
        if self.beats.len() < BEATS && shared.beats.load(Relaxed) < BEATS_LIMIT {
            shared.beats.fetch_add(1, Relaxed);
            self.beats.push(beat);
            return;
        }
        // What comes rarely makes room for what may come often.
        let rarest = self.beats.iter_mut().filter(|beat| beat.is_unlearned()).min_by_key(|beat| beat.last);
        match rarest {
            Some(old) => *old = beat,
            None => shared.unfollowed += 1,
        }
    }

    /// A command: by hand, by a scheme that has always run, or by a machine that nobody knows?
    #[cold]
    fn commanded(
        &mut self,
        place: Option<usize>,
        key: u64,
        association: &Association,
        seen: &Seen<'_>,
        sink: &mut dyn FindingSink,
    ) {
        let operation = seen.operation;
        let at = operation.origin.at;
        let beat = place.and_then(|place| self.beats.get(place));
        if operation.action == Action::Select || beat.is_some_and(Beat::is_recurring) {
            return;
        }
        // Controllers write registers in cycles; at first these cannot be told from a new habit.
        let switches = |range: &PointRange| matches!(range.kind(), PointKind::Coil | PointKind::BinaryOutput);
        let at_once = operation.action != Action::Write || operation.ranges.iter().any(switches);
        if !at_once && at.since(self.began) < HABITS_NS {
            return;
        }
        let rhythm = self.rhythm.get_or_insert_default();
        if let Some(even) = rhythm.command(at, key, seen.site.thresholds) {
            let party = Party::of(association, seen.coverage(), seen.site.profile);
            Teller { party: &party, operation, thresholds: seen.site.thresholds }.even(even, sink);
        }
    }

    /// The fastest rhythm of the pair that still goes on.
    fn fastest(&self) -> Option<&Beat> {
        let regular = self.beats.iter().filter(|beat| beat.is_regular() && !beat.stopped);
        regular.min_by_key(|beat| (beat.what.by_station, beat.longest_ns()))
    }

    /// How long the station may keep silent.
    fn limit_ns(&self, thresholds: &Thresholds) -> u64 {
        let floor = (thresholds.silence_floor * 1e9) as u64;
        self.fastest().map_or(floor, |beat| beat.limit_ns(thresholds))
    }

    /// What follows from the rhythms, after one has changed.
    fn refresh(&mut self, thresholds: &Thresholds) {
        self.fastest_ns = self.fastest().map_or(0, Beat::longest_ns);
        self.limit_ns = self.limit_ns(thresholds);
    }

    /// When the pair wants to be called, if that is earlier than what was agreed.
    #[inline]
    fn wanted(&mut self, seen: &Seen<'_>) -> Option<Timestamp> {
        if let Some(at) = self.takeover.filter(|at| self.wake.is_none_or(|wake| *at < wake)) {
            self.wake = Some(at);
            return self.wake;
        }
        let waits = f64::from(self.exchanges.unanswered) >= seen.site.thresholds.missed_polls;
        let at = seen.operation.origin.at;
        let agreed = self.wake.is_some_and(|wake| wake <= at.plus(self.limit_ns));
        if agreed || (!self.known && !waits) {
            return None;
        }
        let floor = (seen.site.thresholds.silence_floor * 1e9) as u64;
        let wanted = at.plus(self.limit_ns.max(floor));
        if self.wake.is_some_and(|wake| wake <= wanted) {
            return None;
        }
        self.wake = Some(wanted);
        Some(wanted)
    }
}

/// The polling that the profile expects of this request.
fn configured(seen: &Seen<'_>) -> Option<Poll> {
    if seen.judged.allowed != Some(true) || !seen.operation.from_master {
        return None;
    }
    seen.site.profile.zip(seen.judged.rule).and_then(|(profile, id)| profile.rule(id)).and_then(|r| r.poll)
}
