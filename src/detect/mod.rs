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
pub mod partners;
pub mod policy;
pub mod pulse;
mod raise;
pub mod scan;
pub mod select;
pub mod timing;
pub mod value;

use std::sync::Arc;

use parsers::{
    Chunk, Coverage, Defect, Endpoint, Exchange, FlowInfo, Host, MacAddr, Operation, Origin, Protocol,
    StationAddress, Timestamp,
};
use profiles::{AnomalyKind, Compiled, Pair, RuleId, Thresholds, Verdict};

use crate::decap::Anomaly;
use crate::flow::Overlap;
use crate::pipeline::FlowContext;
use crate::report::catalogue::FindingKind;
use crate::report::control::ControlEvent;
use crate::report::finding::Finding;
use crate::report::point_values::PointReading;
use crate::report::record::StationState;
use crate::site::redundancy::Sign;
use association::{Association, AssociationId, AssociationTable};
use policy::Weighed;
use pulse::Pulse;
use raise::{Frames, Subject};
use scan::Scans;

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
}

impl Default for DetectLimits {
    fn default() -> Self {
        DetectLimits { selects: SELECT_LIMIT, associations: ASSOCIATION_LIMIT }
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
    /// A finding was withheld because the tap was blind.
    fn withheld(&mut self, _kind: FindingKind) {}
    /// A finding is a known deviation of its station.
    fn quirk(&mut self, _kind: FindingKind) {}
    /// A station's polling changed.
    fn station(&mut self, _state: &StationState<'_>) {}
    /// A point that the profile selects for the metrics was read: its station, and its place in it.
    fn point(&mut self, _station: u32, _point: u32, _reading: PointReading) {}
    /// A control has come to its end.
    fn control(&mut self, _event: &ControlEvent<'_>) {}
    /// A master of a redundancy group did something that concerns the whole group.
    fn sign(&mut self, _sign: &Sign) {}
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
        self.context.blindness.at(self.operation.flow, self.operation.origin.at, self.site.last_drop)
    }
}

/// What all detections share.
#[derive(Copy, Clone)]
pub struct SiteView<'a> {
    /// The profile in force.
    pub profile: Option<&'a Compiled>,
    /// Thresholds in force.
    pub thresholds: &'a Thresholds,
    /// When the taps lost packets last.
    pub last_drop: Option<Timestamp>,
    /// When the taps themselves were silent.
    pub pulse: &'a Pulse,
    /// Changes with the profile: places in the old one mean nothing in the new one.
    pub epoch: u32,
    /// What could not be followed of controls.
    pub control: &'a control::Shortage,
}

/// Raises findings. One for each shard.
pub struct Detector {
    profile: Option<Arc<Compiled>>,
    thresholds: Thresholds,
    /// Changes with the profile.
    epoch: u32,
    associations: AssociationTable,
    selects: SelectTable,
    scans: Scans,
    control: control::Shortage,
    last_drop: Option<Timestamp>,
    pulse: Pulse,
    timing: timing::Shared,
}

use select::{Missing, SelectTable};

impl Detector {
    /// A detector with what is allowed; without a profile only findings that need none are raised.
    pub fn new(profile: Option<impl Into<Arc<Compiled>>>) -> Detector {
        Detector::limited(profile.map(Into::into), DetectLimits::default())
    }

    /// The same with other limits.
    pub fn limited(profile: Option<Arc<Compiled>>, limits: DetectLimits) -> Detector {
        let thresholds = thresholds_of(profile.as_deref());
        let select_timeout_ns = (thresholds.select_timeout * 1e9) as u64;
        Detector {
            profile,
            selects: SelectTable::new(limits.selects, select_timeout_ns),
            thresholds,
            scans: Scans::default(),
            epoch: 0,
            associations: AssociationTable::new(limits.associations),
            control: control::Shortage::default(),
            last_drop: None,
            pulse: Pulse::default(),
            timing: timing::Shared::default(),
        }
    }

    /// The profile in force.
    pub fn profile(&self) -> Option<&Compiled> {
        self.profile.as_deref()
    }

    /// Another profile is in force from here on. What is remembered of the pairs stays; what the profile
    /// calls them is looked up again.
    pub fn set_profile(&mut self, profile: Option<Arc<Compiled>>) {
        self.epoch = self.epoch.wrapping_add(1);
        self.associations.rename(|key| {
            let master = Endpoint { host: key.master, port: 0 };
            let server = Endpoint { host: key.server, port: key.service };
            profile.as_deref().map(|p| p.pair(master, server, key.protocol, key.station))
        });
        self.thresholds = thresholds_of(profile.as_deref());
        self.selects.set_timeout((self.thresholds.select_timeout * 1e9) as u64);
        self.profile = profile;
    }

    /// When [`Detector::tick`] has something to do, if nothing comes before.
    pub fn next_due(&self) -> Option<Timestamp> {
        // Sweeps that are under way are looked at every second.
        if self.scans.is_active() { Some(Timestamp(0)) } else { self.associations.next_wake() }
    }

    /// The tap lost frames at about `now`.
    pub fn dropped(&mut self, now: Timestamp) {
        self.last_drop = Some(now);
    }

    /// Selects that could not be remembered because the table was full.
    pub fn selects_overflowed(&self) -> u64 {
        self.selects.overflowed
    }

    /// Commanded points that were not remembered, and controls whose end was not waited for, because
    /// the tables of their pairs were full.
    pub fn controls_overflowed(&self) -> (u64, u64) {
        (self.control.points.get(), self.control.controls.get())
    }

    /// Pairs that could not be remembered because the table was full.
    pub fn associations_overflowed(&self) -> u64 {
        self.associations.overflowed()
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
        self.pulse.tick(now, seen);
        // Of the frames, not of `now`: a sensor that looks more often must come to the same.
        self.scans.begin(seen);
    }

    /// What is due falls due.
    pub fn fall_due(&mut self, now: Timestamp, sink: &mut dyn FindingSink) {
        let sink = &mut Weighed::new(self.profile.as_deref(), sink);
        let site = SiteView {
            profile: self.profile.as_deref(),
            thresholds: &self.thresholds,
            last_drop: self.last_drop,
            pulse: &self.pulse,
            epoch: self.epoch,
            control: &self.control,
        };
        self.scans.tick(now, site, sink);
        while let Some((id, _)) = self.associations.next_due(now) {
            let site = SiteView {
                profile: self.profile.as_deref(),
                thresholds: &self.thresholds,
                last_drop: self.last_drop,
                pulse: &self.pulse,
                epoch: self.epoch,
                control: &self.control,
            };
            let Some(association) = self.associations.get(id) else { continue };
            if let Some(at) = due(association, now, site, &mut self.timing, sink) {
                // Never at once again: a detection that errs must not hold up the sensor.
                self.associations.wake(id, at.max(now.plus(1)));
            }
        }
    }

    /// The end: tell of the controls that are still under way. No findings: what did not come may come.
    pub fn finish(&mut self, sink: &mut dyn FindingSink) {
        let site = SiteView {
            profile: self.profile.as_deref(),
            thresholds: &self.thresholds,
            last_drop: self.last_drop,
            pulse: &self.pulse,
            epoch: self.epoch,
            control: &self.control,
        };
        for association in self.associations.iter_mut() {
            control::finish(association, site, sink);
        }
    }

    /// Judge an operation.
    #[inline]
    pub fn operation(
        &mut self,
        context: &mut FlowContext,
        operation: &Operation<'_>,
        sink: &mut dyn FindingSink,
    ) -> Judged {
        let profile = self.profile.as_deref();
        let partner = context.partners.of(profile, self.epoch, &mut self.associations, operation);
        let pair = partner.pair;
        let verdict = self.profile.as_deref().zip(pair).map(|(profile, pair)| profile.judge(pair, operation));
        let allowed = verdict.as_ref().map(Verdict::is_allowed);
        let rule = match &verdict {
            Some(Verdict::Allowed(rule)) => *rule,
            Some(Verdict::Denied(anomaly)) => anomaly.nearest,
            None => None,
        };
        let no_select =
            || self.profile.as_ref().is_some_and(|p| policy::needs_no_select(p, pair, rule, operation));
        let missing = self.selects.request(operation).filter(|_| allowed != Some(true) || !no_select());
        let anomaly = verdict.as_ref().and_then(Verdict::anomaly).map(|anomaly| anomaly.kind);
        let site = SiteView {
            profile,
            thresholds: &self.thresholds,
            last_drop: self.last_drop,
            pulse: &self.pulse,
            epoch: self.epoch,
            control: &self.control,
        };
        let scanned = scan::Verdict { allowed, anomaly };
        let scanned_sink = &mut Weighed::of(profile, operation, sink);
        let swept = self.scans.operation(context, operation, scanned, site, scanned_sink);
        let asks = operation.exchange == Exchange::Request && operation.from_master;
        let suspicious = allowed == Some(false)
            || missing.is_some()
            || (asks && !operation.action.is_plain_read() && allowed != Some(true));
        if suspicious {
            // What is part of a sweep that has been told of is no news, unless it moves something.
            use AnomalyKind::{Function, Range, UnknownClient, UnknownStation};
            let looks = matches!(anomaly, Some(UnknownClient | UnknownStation | Function | Range));
            let verdict = verdict.as_ref().filter(|_| !(swept && looks));
            self.report(context, operation, (verdict, allowed), pair, missing, sink);
        }
        let judged = Judged { allowed, pair, rule };
        if let Some(id) = partner.association {
            self.remember(context, operation, judged, id, sink);
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
        let sink = &mut Weighed::of(self.profile.as_deref(), operation, sink);
        let Some(association) = self.associations.get(id) else { return };
        association.note(operation.flow, operation.origin.at);
        let site = SiteView {
            profile: self.profile.as_deref(),
            thresholds: &self.thresholds,
            last_drop: self.last_drop,
            pulse: &self.pulse,
            epoch: self.epoch,
            control: &self.control,
        };
        let seen = Seen { operation, judged, context, site };
        if let Some(at) = shown(association, &seen, &mut self.timing, sink) {
            self.associations.wake(id, at);
        }
    }

    #[cold]
    fn report(
        &self,
        context: &FlowContext,
        operation: &Operation<'_>,
        (verdict, allowed): (Option<&Verdict<'_>>, Option<bool>),
        pair: Option<Pair>,
        missing: Option<Missing>,
        sink: &mut dyn FindingSink,
    ) {
        let sink = &mut Weighed::of(self.profile.as_deref(), operation, sink);
        let subject = Subject::of_operation(operation, self.profile.as_deref());
        let coverage = context.blindness.at(operation.flow, operation.origin.at, self.last_drop);
        let frames = Frames::of_operation(operation);
        let function = operation.function;
        let blank = subject.finding(coverage, &frames);
        let asks = operation.exchange == Exchange::Request && operation.from_master;
        if let Some(Verdict::Denied(anomaly)) = verdict {
            let kind = match anomaly.kind {
                AnomalyKind::Control => FindingKind::UnprofiledControl,
                AnomalyKind::UnknownClient => FindingKind::UnprofiledClient,
                AnomalyKind::UnknownStation => FindingKind::UnprofiledStation,
                AnomalyKind::Function => FindingKind::UnprofiledFunction,
                AnomalyKind::Range => FindingKind::UnprofiledRange,
                AnomalyKind::Denied => FindingKind::Denied,
                AnomalyKind::Value => FindingKind::SetpointOutsideRule,
                AnomalyKind::Schedule => FindingKind::OutsideSchedule,
            };
            let fold_key = raise::policy_fold_key(kind, operation);
            sink.finding(&Finding {
                kind,
                expected: format_args!("{}", anomaly.expected()),
                observed: format_args!("{}", anomaly.observed()),
                rule: anomaly.nearest_name(),
                severity: anomaly.severity(),
                fold_key,
                ..blank
            });
            if let Some((profile, pair)) = self.profile.as_ref().zip(pair).filter(|_| asks) {
                policy::overrun(profile, pair, operation, &blank, sink);
            }
        }
        if !asks {
            return;
        }
        if let Some(kind) = commands::dangerous(operation, allowed) {
            sink.finding(&Finding {
                kind,
                expected: format_args!(
                    "no such command without a rule or a maintenance window that names it"
                ),
                observed: format_args!("{}", raise::Asked(operation)),
                fold_key: u64::from(function.code) << 16 | u64::from(function.sub.unwrap_or(0)),
                ..blank
            });
        }
        // With a profile, that it was by broadcast is told with what the profile does not allow of it.
        if operation.broadcast && !operation.action.is_plain_read() && allowed.is_none() {
            sink.finding(&Finding {
                kind: FindingKind::BroadcastControl,
                expected: format_args!("commands addressed to one station"),
                observed: format_args!("{}, addressed to all", raise::Asked(operation)),
                fold_key: u64::from(function.code),
                ..blank
            });
        }
        if allowed != Some(true) && commands::sets_deadband(operation) {
            sink.finding(&Finding {
                kind: FindingKind::DeadbandChange,
                expected: format_args!(
                    "dead-bands as they are: what changes by less is not reported any more"
                ),
                observed: format_args!("{}", raise::Asked(operation)),
                ..blank
            });
        }
        if let Some(missing) = missing {
            if missing == Missing::Forgotten {
                return sink.withheld(FindingKind::OperateWithoutSelect);
            }
            let finding = Finding {
                kind: FindingKind::OperateWithoutSelect,
                expected: format_args!(
                    "a select of the same objects by the same master just before, at most {} s ago",
                    self.selects.timeout_ns() / 1_000_000_000
                ),
                observed: format_args!("{}, {}", raise::Asked(operation), raise::Why(missing)),
                fold_key: raise::policy_fold_key(FindingKind::UnprofiledControl, operation),
                ..blank
            };
            Self::unless_blind(&finding, sink);
        }
    }

    /// Turn a parser's defect into a finding. Returns the station's name in the profile.
    pub fn defect(
        &mut self,
        context: &mut FlowContext,
        defect: &Defect<'_>,
        sink: &mut dyn FindingSink,
    ) -> Option<&str> {
        let sink = &mut Weighed::new(self.profile.as_deref(), sink);
        let subject = Subject::of_defect(defect, self.profile.as_deref());
        let name = self.profile.as_deref().and_then(|profile| subject.name_in(profile));
        let Some(kind) = defects::finding(defect.kind) else { return name };
        if self.scans.defect(context, defect) {
            return name;
        }
        match kind {
            FindingKind::ForeignProtocol => context.foreign = true,
            // The octets of a foreign protocol fit no framing; that has been said.
            FindingKind::BrokenFraming if context.foreign => return name,
            _ => {}
        }
        let words = [kind.name(), kind.id(), defect.check];
        if self.profile.as_deref().is_some_and(|profile| subject.has_quirk(profile, &words)) {
            return name;
        }
        let coverage = context.blindness.at(defect.flow, defect.origin.at, self.last_drop);
        let frames = Frames::of_origin(&defect.origin);
        let function = defect.function.map_or(0, |f| u64::from(f.code) + 1);
        let finding = Finding {
            kind,
            expected: defect.expected,
            observed: defect.observed,
            check: defect.check,
            octets: defect.octets,
            fold_key: raise::name_key(defect.check) ^ function.rotate_left(48),
            ..subject.finding(coverage, &frames)
        };
        Self::unless_blind(&finding, sink);
        name
    }

    /// Two segments disagree about the same octets of a stream.
    pub fn overlap(
        &self,
        context: Option<&FlowContext>,
        flow: &FlowInfo,
        overlap: &Overlap<'_>,
        sink: &mut dyn FindingSink,
    ) {
        let now = overlap.new_origin.at;
        let coverage = match context {
            Some(context) => context.blindness.at(flow, now, self.last_drop),
            // Nobody keeps times for what no protocol speaks.
            None => Coverage { drops: coverage::is_recent(self.last_drop, now), ..flow.coverage },
        };
        let frames = Frames::of_pair(overlap.old_origin.as_ref(), &overlap.new_origin);
        let mut subject = Subject::of_flow(flow, now, self.profile.as_deref());
        subject.protocol = context.map(|c| c.protocol);
        sink.finding(&Finding {
            kind: FindingKind::ConflictingOverlap,
            expected: format_args!("a retransmission to carry the same octets"),
            observed: format_args!(
                "{} octets sent again with other content ({} first, then {})",
                overlap.new.len(),
                raise::Hex(overlap.old),
                raise::Hex(overlap.new)
            ),
            octets: overlap.new,
            ..subject.finding(coverage, &frames)
        });
    }

    /// A RST came whose numbers do not fit its flow.
    pub fn reset_ignored(
        &mut self,
        context: &FlowContext,
        flow: &FlowInfo,
        origin: &Origin,
        sink: &mut dyn FindingSink,
    ) {
        let site = SiteView {
            profile: self.profile.as_deref(),
            thresholds: &self.thresholds,
            last_drop: self.last_drop,
            pulse: &self.pulse,
            epoch: self.epoch,
            control: &self.control,
        };
        self.scans.reset(context, flow, origin, site, sink);
    }

    /// A control protocol was recognised on a port where nobody expects it.
    pub fn unexpected_port(
        &self,
        context: &FlowContext,
        flow: &FlowInfo,
        chunk: &Chunk<'_>,
        sink: &mut dyn FindingSink,
    ) {
        let Some(piece) = chunk.pieces.last() else { return };
        let mut subject = Subject::of_flow(flow, piece.at, self.profile.as_deref());
        subject.protocol = Some(context.protocol);
        if self.profile.as_deref().is_some_and(|p| expects_port(p, flow, context.protocol)) {
            return;
        }
        let origin = parsers::Origin::of(piece);
        let frames = Frames::of_origin(&origin);
        let coverage = context.blindness.at(flow, piece.at, self.last_drop);
        sink.finding(&Finding {
            kind: FindingKind::UnexpectedPort,
            expected: format_args!("{} on its own ports only", context.protocol.name()),
            observed: format_args!("{} between {} and {}", context.protocol.name(), flow.client, flow.server),
            octets: chunk.bytes,
            fold_key: u64::from(flow.server.port),
            ..subject.finding(coverage, &frames)
        });
    }

    /// The encapsulation of a frame looks like evasion.
    pub fn encapsulation(&self, anomaly: &Anomaly, sink: &mut dyn FindingSink) {
        let ends = match (anomaly.ip, anomaly.mac) {
            (Some((from, to)), _) => [Host::Ip(from), Host::Ip(to)],
            (None, Some((from, to))) => [Host::Mac(from), Host::Mac(to)],
            (None, None) => [Host::Mac(MacAddr::default()); 2],
        };
        let [client, server] = ends.map(|host| Endpoint { host, port: 0 });
        let drops = coverage::is_recent(self.last_drop, anomaly.at);
        sink.finding(&Finding {
            at: anomaly.at,
            kind: FindingKind::EncapsulationAnomaly,
            severity: None,
            flow: None,
            protocol: None,
            client,
            server,
            station: StationAddress::None,
            station_name: None,
            client_name: self.profile.as_deref().and_then(|p| p.host_name(client.host)),
            by_station: false,
            function: None,
            ranges: &[],
            expected: format_args!("{}", anomaly.kind.expected()),
            observed: format_args!("{}", anomaly.kind.observed()),
            check: "",
            rule: None,
            frames: &[anomaly.frame],
            octets: &[],
            coverage: Coverage { drops, ..Coverage::default() },
            fold_key: anomaly.kind as u64,
        });
    }

    fn unless_blind(finding: &Finding<'_>, sink: &mut dyn FindingSink) {
        if !coverage::bears(finding.kind, finding.coverage) {
            sink.withheld(finding.kind);
            return;
        }
        sink.finding(finding);
    }
}

fn thresholds_of(profile: Option<&Compiled>) -> Thresholds {
    profile.map(|p| p.thresholds().clone()).unwrap_or_default()
}

/// Whether a station of the profile is to be reached on this very port.
fn expects_port(profile: &Compiled, flow: &FlowInfo, protocol: Protocol) -> bool {
    let expects = |end: Endpoint| {
        let Host::Ip(address) = end.host else { return false };
        let profile = profile.profile();
        profile.stations.iter().filter(|s| s.protocol == protocol && s.port == Some(end.port)).any(|s| {
            profile.hosts.get(s.host).is_some_and(|h| h.addresses.iter().any(|net| net.contains(&address)))
        })
    };
    expects(flow.server) || expects(flow.client)
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
