//! Between the detections and the sinks: what a profile's tags, quirks and maintenance windows make of a
//! finding. The one place where a severity changes after a detection has given it.

use parsers::{Operation, PointRange};
use profiles::{Compiled, Pair};

use super::publishing;
use crate::detect::FindingSink;
use crate::report::catalogue::{FindingKind, Severity};
use crate::report::control::ControlEvent;
use crate::report::finding::Finding;
use crate::report::point_values::PointReading;
use crate::report::publication::PublicationEvent;
use crate::report::record::StationState;
use crate::site::redundancy::Sign;
use crate::site::restarts::RestartSign;

/// Tags that raise the severity of findings.
pub(crate) const RAISING: [&str; 2] = ["protection", "breaker"];
/// Points of a finding that are looked at for tags.
const POINTS_LOOKED_AT: usize = 64;

/// Hands findings on with the weight that the profile gives them.
pub struct Weighed<'a> {
    profile: Option<&'a Compiled>,
    operation: Option<&'a Operation<'a>>,
    sink: &'a mut dyn FindingSink,
}

impl<'a> Weighed<'a> {
    /// For findings that are about no operation.
    pub fn new(profile: Option<&'a Compiled>, sink: &'a mut dyn FindingSink) -> Weighed<'a> {
        Weighed { profile, operation: None, sink }
    }

    /// For findings about an operation, which a maintenance window may name.
    #[inline]
    pub fn of(
        profile: Option<&'a Compiled>,
        operation: &'a Operation<'a>,
        sink: &'a mut dyn FindingSink,
    ) -> Weighed<'a> {
        Weighed { profile, operation: Some(operation), sink }
    }
}

impl Weighed<'_> {
    /// Pass a finding on with its weight.
    #[inline]
    fn pass(&mut self, finding: &Finding<'_>, on: fn(&mut dyn FindingSink, &Finding<'_>)) {
        let Some(profile) = self.profile else { return on(self.sink, finding) };
        let pair = pair(profile, finding);
        let (id, name) = (finding.kind.id(), finding.kind.name());
        let quirk = |station| profile.is_quirk(station, &[id, name, finding.check]);
        let station = pair.and_then(|pair| pair.station_index());
        if station.is_some_and(quirk) {
            return self.sink.quirk(finding.kind);
        }
        let what = |o: &Operation<'_>| (o.protocol, o.action, o.requested.unwrap_or(o.function));
        let planned = pair.zip(self.operation).is_some_and(|(pair, operation)| {
            finding.kind != FindingKind::MaintenanceOverrun
                && profile.maintenance(finding.at, pair, what(operation)).is_some()
        });
        let planned = planned
            || publishing::is_planned(profile, finding)
            || (comes_of_restart(finding.kind)
                && station.is_some_and(|station| profile.expects_restart(finding.at, station)));
        publishing::overrun(profile, finding, &mut *self.sink);
        let severity = if planned {
            Severity::Info
        } else if !is_lowered(finding)
            && (is_of_weight(profile, finding) || is_raised(profile, station, finding.ranges))
        {
            finding.severity().raised()
        } else {
            return on(self.sink, finding);
        };
        on(self.sink, &Finding { severity: Some(severity), ..*finding });
    }
}

impl FindingSink for Weighed<'_> {
    fn finding(&mut self, finding: &Finding<'_>) {
        self.pass(finding, |sink, finding| sink.finding(finding));
    }

    fn repeated(&mut self, finding: &Finding<'_>) {
        self.pass(finding, |sink, finding| sink.repeated(finding));
    }

    fn withheld(&mut self, kind: FindingKind) {
        self.sink.withheld(kind);
    }

    fn quirk(&mut self, kind: FindingKind) {
        self.sink.quirk(kind);
    }

    fn station(&mut self, state: &StationState<'_>) {
        self.sink.station(state);
    }

    fn point(&mut self, station: u32, point: u32, reading: PointReading) {
        self.sink.point(station, point, reading);
    }

    fn wants_controls(&self) -> bool {
        self.sink.wants_controls()
    }

    fn control(&mut self, event: &ControlEvent<'_>) {
        self.sink.control(event);
    }

    fn sign(&mut self, sign: &Sign) {
        self.sink.sign(sign);
    }

    fn restart(&mut self, sign: RestartSign) {
        self.sink.restart(sign);
    }

    fn publication(&mut self, event: &PublicationEvent<'_>) {
        self.sink.publication(event);
    }
}

fn pair(profile: &Compiled, finding: &Finding<'_>) -> Option<Pair> {
    Some(profile.pair(finding.client, finding.server, finding.protocol?, finding.station))
}

/// What a station does that is restarted, or out of service for a while.
fn comes_of_restart(kind: FindingKind) -> bool {
    use FindingKind::{RestartSeen, StationSilent, UnansweredFlood, UnansweredRequest};
    matches!(kind, StationSilent | UnansweredRequest | UnansweredFlood | RestartSeen)
}

/// A change-over of masters is no news at a protection relay either.
fn is_lowered(finding: &Finding<'_>) -> bool {
    finding.kind == FindingKind::StationNotPolled
        && finding.severity.is_some_and(|severity| severity < finding.kind.severity())
}

/// Whether one of the two hosts is tagged.
fn is_of_weight(profile: &Compiled, finding: &Finding<'_>) -> bool {
    [finding.client.host, finding.server.host].into_iter().any(|host| {
        let entry = profile.host_index(host).and_then(|index| profile.host(index));
        entry.is_some_and(|entry| entry.tags.iter().any(|tag| RAISING.contains(&tag.as_str())))
    })
}

/// Whether the station, or a point that is concerned, is tagged.
fn is_raised(profile: &Compiled, station: Option<u32>, ranges: &[PointRange]) -> bool {
    let Some(index) = station else { return false };
    let Some(station) = profile.station(index) else { return false };
    if RAISING.iter().any(|tag| station.has_tag(tag)) {
        return true;
    }
    profile.has_points(index)
        && ranges
            .iter()
            .flat_map(|range| profile.points_within(index, *range))
            .take(POINTS_LOOKED_AT)
            .any(|(_, point)| RAISING.iter().any(|tag| point.has_tag(tag)))
}
