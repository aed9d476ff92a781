//! From operations and defects to findings.
//!
//! The profile says what is allowed; `commands` knows what is dangerous by itself, `select` what needs a
//! select before, `defects` what the parsers complained about, `coverage` when to hold one's tongue. State
//! here belongs to pairs of stations, not to connections.

pub mod association;
pub mod commands;
pub mod control;
pub mod coverage;
pub mod defects;
pub mod known;
pub mod partners;
pub mod policy;
pub mod publication;
pub mod pulse;
mod raise;
pub mod scan;
pub mod select;
pub mod timing;
mod unallowed;
pub mod value;
mod wire;

use std::sync::Arc;

use parsers::{Action, Coverage, Endpoint, Exchange, Operation, Timestamp};
use profiles::{AnomalyKind, Compiled, Pair, RuleId, Thresholds, Verdict};

use crate::pipeline::FlowContext;
use crate::report::catalogue::FindingKind;
use crate::report::control::ControlEvent;
use crate::report::finding::Finding;
use crate::report::point_values::PointReading;
use crate::report::publication::PublicationEvent;
use crate::report::record::StationState;
use crate::site::redundancy::Sign;
use crate::site::restarts::RestartSign;
use association::{Association, AssociationId, AssociationTable};
use coverage::Losses;
use known::{Plain, Standing};
use partners::Partner;
use policy::Weighed;
use pulse::Pulse;
use scan::Scans;
use select::SelectTable;

/// Pairs of master and outstation whose last select is remembered, in each shard.
pub const SELECT_LIMIT: usize = 1024;

/// Pairs of master and station, not named by the profile, that are remembered beyond their connections, in
/// each shard.
pub const ASSOCIATION_LIMIT: usize = 1024;

/// What the tables of one detector hold at most.
#[derive(Debug, Copy, Clone)]
pub struct DetectLimits {
    /// See [`SELECT_LIMIT`].
    pub selects: usize,
    /// See [`ASSOCIATION_LIMIT`].
    pub associations: usize,
    /// See [`known::READS_KNOWN`]; with 0 every read is judged, which must come to the same.
    pub reads_known: usize,
}

impl Default for DetectLimits {
    fn default() -> Self {
        DetectLimits {
            selects: SELECT_LIMIT,
            associations: ASSOCIATION_LIMIT,
            reads_known: known::READS_KNOWN,
        }
    }
}

/// What the profile says of an operation.
#[derive(Debug, Copy, Clone)]
pub struct Judged {
    /// Allowed or not; `None` without a profile.
    pub allowed: Option<bool>,
    /// Who commands whom, in the profile's terms.
    pub pair: Option<Pair>,
    /// The rule that allows it or comes nearest to allowing it.
    pub rule: Option<RuleId>,
}

/// Takes findings as they are raised.
pub trait FindingSink {
    /// A finding.
    fn finding(&mut self, finding: &Finding<'_>);
    /// A finding that is part of what was told before: it is counted only.
    fn repeated(&mut self, _finding: &Finding<'_>) {}
    /// A finding was withheld because the tap was blind.
    fn withheld(&mut self, _kind: FindingKind) {}
    /// A finding is a known deviation of its station.
    fn quirk(&mut self, _kind: FindingKind) {}
    /// A station's polling changed.
    fn station(&mut self, _state: &StationState<'_>) {}
    /// A point that the profile selects for the metrics was read: its station, and its place in it.
    fn point(&mut self, _station: u32, _point: u32, _reading: PointReading) {}
    /// Whether anybody wants to know of controls.
    fn wants_controls(&self) -> bool {
        true
    }
    /// A control has come to its end.
    fn control(&mut self, _event: &ControlEvent<'_>) {}
    /// A master of a redundancy group did something that concerns the whole group.
    fn sign(&mut self, _sign: &Sign) {}
    /// A station was told to restart, or says that it has.
    fn restart(&mut self, _sign: RestartSign) {}
    /// Something happened to a publisher.
    fn publication(&mut self, _event: &PublicationEvent<'_>) {}
}

/// What a detection is shown beside its own state of the pair.
pub struct Seen<'a> {
    /// The operation.
    pub operation: &'a Operation<'a>,
    /// What the profile says of it.
    pub judged: Judged,
    /// The flow it came on.
    pub context: &'a FlowContext,
    /// What all detections share.
    pub site: SiteView<'a>,
}

impl Seen<'_> {
    /// What could not be seen that bears on this operation.
    #[must_use]
    pub fn coverage(&self) -> Coverage {
        self.context.blindness.at(self.operation.flow, self.operation.origin.at, &self.site.losses)
    }
}

/// What all detections share.
#[derive(Copy, Clone)]
pub struct SiteView<'a> {
    /// The profile in force.
    pub profile: Option<&'a Compiled>,
    /// Thresholds in force.
    pub thresholds: &'a Thresholds,
    /// What the taps lost.
    pub losses: Losses,
    /// When the taps themselves were silent.
    pub pulse: &'a Pulse,
    /// Changes with the profile: places in the old one mean nothing in the new one.
    pub epoch: u32,
    /// What could not be followed of controls.
    pub control: &'a control::Shortage,
}

impl<'a> SiteView<'a> {
    /// The profile, if it says who may command what.
    #[inline]
    fn judging(&self) -> Option<&'a Compiled> {
        self.profile.filter(|profile| profile.judges_operations())
    }
}

/// Raises findings. One for each shard.
pub struct Detector {
    common: Common,
    associations: AssociationTable,
    selects: SelectTable,
    scans: Scans,
    publications: publication::Publications,
    timing: timing::Shared,
    reads_known: usize,
}

/// What a [`SiteView`] shows.
struct Common {
    profile: Option<Arc<Compiled>>,
    thresholds: Thresholds,
    /// Changes with the profile.
    epoch: u32,
    losses: Losses,
    pulse: Pulse,
    control: control::Shortage,
}

impl Common {
    /// The profile, if it says who may command what.
    #[inline]
    fn judging(&self) -> Option<&Compiled> {
        self.view().judging()
    }

    #[inline]
    fn view(&self) -> SiteView<'_> {
        SiteView {
            profile: self.profile.as_deref(),
            thresholds: &self.thresholds,
            losses: self.losses,
            pulse: &self.pulse,
            epoch: self.epoch,
            control: &self.control,
        }
    }
}

impl Detector {
    /// A detector with what is allowed; without a profile only findings that need none are raised.
    pub fn new(profile: Option<impl Into<Arc<Compiled>>>) -> Detector {
        Detector::limited(profile.map(Into::into), DetectLimits::default())
    }

    /// The same with other limits.
    pub fn limited(profile: Option<Arc<Compiled>>, limits: DetectLimits) -> Detector {
        let thresholds = thresholds_of(profile.as_deref());
        let losses = Losses::none(&thresholds);
        let select_timeout_ns = (thresholds.select_timeout * 1e9) as u64;
        Detector {
            common: Common {
                profile,
                thresholds,
                epoch: 0,
                losses,
                pulse: Pulse::default(),
                control: control::Shortage::default(),
            },
            associations: AssociationTable::new(limits.associations),
            selects: SelectTable::new(limits.selects, select_timeout_ns),
            scans: Scans::default(),
            publications: publication::Publications::default(),
            timing: timing::Shared::default(),
            reads_known: limits.reads_known,
        }
    }

    /// The profile in force.
    pub fn profile(&self) -> Option<&Compiled> {
        self.common.profile.as_deref()
    }

    /// Another profile is in force from here on. What is remembered of the pairs stays; what the profile
    /// calls them is looked up again.
    pub fn set_profile(&mut self, profile: Option<Arc<Compiled>>) {
        self.common.epoch = self.common.epoch.wrapping_add(1);
        self.publications.rename(self.common.profile.as_deref(), profile.as_deref());
        self.associations.rename(|key| {
            let master = Endpoint { host: key.master, port: 0 };
            let server = Endpoint { host: key.server, port: key.service };
            let judging = profile.as_deref().filter(|profile| profile.judges_operations());
            judging.map(|profile| profile.pair(master, server, key.protocol, key.station))
        });
        self.common.thresholds = thresholds_of(profile.as_deref());
        self.common.losses.blind_ns = coverage::blind_ns(&self.common.thresholds);
        self.selects.set_timeout((self.common.thresholds.select_timeout * 1e9) as u64);
        self.common.profile = profile;
    }

    /// When [`Detector::tick`] has something to do, if nothing comes before.
    pub fn next_due(&self) -> Option<Timestamp> {
        // Sweeps that are under way are looked at every second.
        if self.scans.is_active() {
            return Some(Timestamp(0));
        }
        [self.associations.next_wake(), self.publications.next_wake()].into_iter().flatten().min()
    }

    /// The tap lost frames at about `now`.
    pub fn dropped(&mut self, now: Timestamp) {
        self.common.losses.last = Some(now);
    }

    /// Selects that could not be remembered because the table was full.
    pub fn selects_overflowed(&self) -> u64 {
        self.selects.overflowed
    }

    /// Commanded points that were not remembered, and controls whose end was not waited for, because
    /// the tables of their pairs were full.
    pub fn controls_overflowed(&self) -> (u64, u64) {
        (self.common.control.points.get(), self.common.control.controls.get())
    }

    /// Pairs that could not be remembered because the table was full.
    pub fn associations_overflowed(&self) -> u64 {
        self.associations.overflowed()
    }

    /// Publishers not followed because the table was full.
    pub fn publishers_overflowed(&self) -> u64 {
        self.publications.overflowed()
    }

    /// Pairs of hosts not watched for scans because the table was full.
    pub fn watches_overflowed(&self) -> u64 {
        self.scans.overflowed()
    }

    /// A hole in a flow's stream.
    pub fn gap(&mut self, context: &FlowContext, now: Timestamp) {
        context.partners.gap(&mut self.associations, now);
    }

    /// Operations whose rhythm was not followed because there was no room.
    pub fn polls_unfollowed(&self) -> u64 {
        self.timing.unfollowed()
    }

    /// Packet time has passed the whole second `now`: what is due falls due. The last frame before came at
    /// `seen`.
    pub fn tick(&mut self, now: Timestamp, seen: Timestamp, sink: &mut dyn FindingSink) {
        self.pulse(now, seen);
        self.fall_due(now, sink);
    }

    /// Packet time has passed the whole second `now`. The last frame before came at `seen`.
    #[inline]
    pub fn pulse(&mut self, now: Timestamp, seen: Timestamp) {
        self.common.pulse.tick(now, seen);
        // Of the frames, not of `now`: a sensor that looks more often must come to the same.
        self.scans.begin(seen);
    }

    /// What is due falls due.
    pub fn fall_due(&mut self, now: Timestamp, sink: &mut dyn FindingSink) {
        let sink = &mut Weighed::new(self.common.profile.as_deref(), sink);
        let site = self.common.view();
        self.scans.tick(now, site, sink);
        self.publications.due(now, site, sink);
        while let Some((id, _)) = self.associations.next_due(now) {
            let site = self.common.view();
            let Some(association) = self.associations.get(id) else { continue };
            if let Some(at) = due(association, now, site, &mut self.timing, sink) {
                // Never at once again: a detection that errs must not hold up the sensor.
                self.associations.wake(id, at.max(now.plus(1)));
            }
        }
    }

    /// The end: tell of the controls that are still under way, and of requests that are not answered still. No
    /// findings: what did not come may come.
    pub fn finish(&mut self, sink: &mut dyn FindingSink) {
        let site = self.common.view();
        for association in self.associations.iter_mut() {
            control::finish(association, site, sink);
            timing::unanswered::finish(association, site, sink);
        }
        self.publications.finish(site, sink);
    }

    /// Judge an operation.
    #[inline]
    pub fn operation(
        &mut self,
        context: &mut FlowContext,
        operation: &Operation<'_>,
        sink: &mut dyn FindingSink,
    ) -> Judged {
        if operation.exchange == Exchange::Publication {
            let sink = &mut Weighed::of(self.common.profile.as_deref(), operation, sink);
            let allowed = self.publications.message(context, operation, self.common.view(), sink);
            return Judged { allowed, pair: None, rule: None };
        }
        let profile = self.common.judging();
        let partner = context.partners.of(profile, self.common.epoch, &mut self.associations, operation);
        let plain = Plain::of(operation);
        let known = plain.and_then(|plain| self.known(plain, context, operation, &partner));
        if known.is_some() {
            self.selects.passed(operation);
        }
        let judged = match known {
            Some(judged) => judged,
            None => self.judge(context, operation, &partner, plain, sink),
        };
        if let Some(id) = partner.association {
            self.remember(context, operation, judged, id, sink);
        }
        judged
    }

    /// How an operation is judged, if it was before and that stands.
    #[inline]
    fn known(
        &mut self,
        plain: Plain,
        context: &FlowContext,
        operation: &Operation<'_>,
        partner: &Partner,
    ) -> Option<Judged> {
        let association = self.associations.get(partner.association?)?;
        let watch = self.scans.seen(context, operation)?;
        let allowed = self.common.judging().is_some().then_some(true);
        association.known.judged(plain, (self.common.epoch, watch), allowed, partner.pair)
    }

    /// Remember how an operation was judged, if that stands.
    #[cold]
    fn learn(
        &mut self,
        plain: Plain,
        context: &FlowContext,
        operation: &Operation<'_>,
        judged: &Judged,
        id: AssociationId,
    ) {
        let Some(watch) = self.scans.seen(context, operation) else { return };
        if !self.scans.knows(watch, operation, judged.allowed) {
            return;
        }
        let profile = self.common.judging();
        let rule = match plain {
            Plain::Asked(_) => known::standing_rule(profile, judged, operation),
            Plain::Answered | Plain::Confirmed => Some(Standing(None)),
        };
        let Some(rule) = rule else { return };
        let stands = judged.rule == rule.0 && judged.allowed == profile.is_some().then_some(true);
        if let Some(association) = self.associations.get(id).filter(|_| stands) {
            association.known.learn(plain, (self.common.epoch, watch), rule, self.reads_known);
        }
    }

    /// Judge an operation by the profile, its selects, and as part of a scan; and report what is wrong.
    #[inline(never)]
    fn judge(
        &mut self,
        context: &mut FlowContext,
        operation: &Operation<'_>,
        partner: &Partner,
        plain: Option<Plain>,
        sink: &mut dyn FindingSink,
    ) -> Judged {
        let profile = self.common.profile.as_deref();
        let pair = partner.pair;
        let mut verdict = profile.zip(pair).map(|(profile, pair)| profile.judge(pair, operation));
        if let (Some(Verdict::Denied(_)), Some((profile, pair))) = (&verdict, profile.zip(pair))
            && select::may_be_unseen(context, operation, &self.common.losses)
        {
            let executed = Operation { action: Action::Operate, ..*operation };
            if let Verdict::Allowed(rule) = profile.judge(pair, &executed) {
                sink.withheld(FindingKind::UnprofiledControl);
                verdict = Some(Verdict::Allowed(rule));
            }
        }
        let allowed = verdict.as_ref().map(Verdict::is_allowed);
        let rule = match &verdict {
            Some(Verdict::Allowed(rule)) => *rule,
            Some(Verdict::Denied(anomaly)) => anomaly.nearest,
            None => None,
        };
        let no_select = || {
            self.common.profile.as_ref().is_some_and(|p| policy::needs_no_select(p, pair, rule, operation))
        };
        let missing = self.selects.request(operation).filter(|_| allowed != Some(true) || !no_select());
        let anomaly = verdict.as_ref().and_then(Verdict::anomaly).map(|anomaly| anomaly.kind);
        let site = self.common.view();
        let scanned = scan::Verdict { allowed, anomaly, nearest: rule };
        let scanned_sink = &mut Weighed::of(profile, operation, sink);
        let swept = self.scans.operation(context, operation, scanned, site, scanned_sink);
        let asks = operation.exchange == Exchange::Request && operation.from_master;
        let suspicious = allowed == Some(false)
            || missing.is_some()
            || (asks
                && !operation.action.is_plain_read()
                && allowed != Some(true)
                && unallowed::speaks_for_itself(operation, allowed));
        if suspicious {
            // What is part of a sweep that has been told of is no news, unless it moves something.
            use AnomalyKind::{Function, Range, UnknownClient, UnknownStation};
            let looks = matches!(anomaly, Some(UnknownClient | UnknownStation | Function | Range));
            let verdict = verdict.as_ref().filter(|_| !(swept && looks));
            self.report(context, operation, (verdict, allowed), pair, missing, sink);
        }
        let judged = Judged { allowed, pair, rule };
        if let (Some(plain), Some(id)) = (plain, partner.association) {
            self.learn(plain, context, operation, &judged, id);
        }
        judged
    }

    /// Show the operation to the detections that remember the pair.
    #[inline]
    fn remember(
        &mut self,
        context: &FlowContext,
        operation: &Operation<'_>,
        judged: Judged,
        id: AssociationId,
        sink: &mut dyn FindingSink,
    ) {
        let sink = &mut Weighed::of(self.common.profile.as_deref(), operation, sink);
        let Some(association) = self.associations.get(id) else { return };
        association.note(operation.flow, operation.origin.at);
        let site = self.common.view();
        let seen = Seen { operation, judged, context, site };
        if let Some(at) = shown(association, &seen, &mut self.timing, sink) {
            self.associations.wake(id, at);
        }
    }
}

fn thresholds_of(profile: Option<&Compiled>) -> Thresholds {
    profile.map(|p| p.thresholds().clone()).unwrap_or_default()
}

/// Every detection with a memory of the pair is shown the operation: a line each. Returns when the first of
/// them wants to be called.
#[inline]
fn shown(
    association: &mut Association,
    seen: &Seen<'_>,
    timing: &mut timing::Shared,
    sink: &mut dyn FindingSink,
) -> Option<Timestamp> {
    policy::shown(association, seen, sink);
    value::operation(&mut association.values, seen, sink);
    let calls = [timing::shown(association, seen, timing, sink), control::shown(association, seen, sink)];
    calls.into_iter().flatten().min()
}

/// Every detection is asked what is due at `now`: a line each. Returns when the first of them wants to be
/// called again.
fn due(
    association: &mut Association,
    now: Timestamp,
    site: SiteView<'_>,
    timing: &mut timing::Shared,
    sink: &mut dyn FindingSink,
) -> Option<Timestamp> {
    let calls =
        [timing::due(association, now, site, timing, sink), control::due(association, now, site, sink)];
    calls.into_iter().flatten().min()
}
