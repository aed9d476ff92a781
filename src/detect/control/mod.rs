//! Command to consequence: a control is followed from its select or request over its answer to what the
//! points did, above connections. Each ends in one event; what is wrong with it is a finding.
//!
//! ```text
//! order.rs      a request taken apart: which points, what is ordered of them
//! points.rs     points that were commanded, what they are seen to do (bounded)
//! pending.rs    controls under way (bounded)
//! follow.rs     request, answer, reading, time-out: how they go on and how they end
//! rhythm.rs     storms and contradictions
//! tell.rs       what is told of them
//! station.rs    restarts, time, unsolicited reports, commands after a restart
//! ```

mod follow;
mod order;
mod pending;
mod points;
mod rhythm;
mod station;
mod tell;

use core::cell::Cell;
use core::fmt;

use parsers::{
    Action, Coverage, Endpoint, Exchange, FlowInfo, FrameRef, Function, PointKind, PointRange, Timestamp,
};
use profiles::{Allow, Pair, PointSpec, Rate};

use super::association::{Association, AssociationKey};
use super::{Detector, FindingSink, Seen, SiteView};
use crate::report::finding::Finding;
use crate::site::redundancy::Did;

pub use pending::PENDING;
pub use points::{POINTS, POINTS_UNPROFILED};

/// What could not be followed, over all pairs of a shard.
#[derive(Debug, Default)]
pub struct Shortage {
    /// Commanded points that were not remembered, because the pair's table was full.
    pub points: Cell<u64>,
    /// Controls whose end was not waited for, because too many were under way.
    pub controls: Cell<u64>,
}

impl Shortage {
    fn add(cell: &Cell<u64>) {
        cell.set(cell.get().saturating_add(1));
    }
}

/// What is remembered of a pair.
#[derive(Debug, Default)]
pub struct Control {
    station: station::Station,
    /// Reads by this master.
    reads: u32,
    /// What the profile says of its points is known.
    named: bool,
    /// Made when there is something to remember.
    follow: Option<Box<follow::Follow>>,
}

impl Control {
    /// Another profile is in force.
    pub(super) fn forget_names(&mut self) {
        self.named = false;
    }
}

/// Who, when, and what was not seen: what findings and events of a pair have in common.
#[derive(Copy, Clone)]
struct Scene<'a> {
    key: AssociationKey,
    pair: Option<Pair>,
    first_seen: Timestamp,
    last_seen: Timestamp,
    now: Timestamp,
    coverage: Coverage,
    site: SiteView<'a>,
    flow: Option<&'a FlowInfo>,
}

impl<'a> Scene<'a> {
    fn client_name(&self) -> Option<&'a str> {
        self.site.profile?.host_name(self.key.master)
    }

    fn station_name(&self) -> Option<&'a str> {
        self.site.profile?.station_name(self.pair?)
    }

    fn client(&self) -> Endpoint {
        Endpoint { host: self.key.master, port: 0 }
    }

    fn server(&self) -> Endpoint {
        Endpoint { host: self.key.server, port: self.key.service }
    }

    /// A finding with everything but its kind and its words.
    fn finding<'f>(&self, frames: &'f [FrameRef], ranges: &'f [PointRange]) -> Finding<'f>
    where
        'a: 'f,
    {
        Finding {
            flow: self.flow,
            protocol: Some(self.key.protocol),
            station_name: self.station_name(),
            client_name: self.client_name(),
            ranges,
            frames,
            coverage: self.coverage,
            ..Finding::about(self.now, self.client(), self.server(), self.key.station)
        }
    }

    fn names(&self) -> Names<'a> {
        Names { site: self.site, pair: self.pair }
    }
}

/// Raise a finding, unless what was seen does not bear it.
fn raise(finding: &Finding<'_>, sink: &mut dyn FindingSink) {
    Detector::unless_blind(finding, sink);
}

/// What the profile says of a point.
#[derive(Debug, Copy, Clone, Default)]
struct Known<'a> {
    name: Option<&'a str>,
    /// Where its state is seen.
    state: Option<(PointKind, u32)>,
    direct_operate: Option<bool>,
    operate_within: Option<u64>,
    /// Commands a minute.
    max_rate: Option<f64>,
    /// Tagged as a breaker or as protection, itself or its station.
    breaker: bool,
    /// It opens and closes by itself.
    recloser: bool,
}

/// The points of one station, as the profile knows them.
#[derive(Copy, Clone)]
struct Names<'a> {
    site: SiteView<'a>,
    pair: Option<Pair>,
}

impl<'a> Names<'a> {
    fn of(&self, kind: PointKind, address: u32) -> Known<'a> {
        let Some(profile) = self.site.profile else { return Known::default() };
        let Some(index) = self.pair.and_then(|pair| pair.station_index()) else { return Known::default() };
        let Some(station) = profile.station(index) else { return Known::default() };
        let recloser =
            station.role.is_some_and(|role| role.name == "recloser") || station.has_tag("recloser");
        let breaker = station.has_tag("breaker") || station.has_tag("protection");
        let Some((_, spec)) = profile.point(index, kind, address) else {
            return Known { breaker, recloser, ..Known::default() };
        };
        let tagged = spec.has_tag("breaker") || spec.has_tag("protection");
        Known {
            name: Some(&spec.name),
            state: spec.state,
            direct_operate: spec.direct_operate,
            operate_within: spec.operate_within,
            max_rate: spec.max_rate.map(per_minute),
            breaker: breaker || tagged,
            recloser: recloser || spec.has_tag("recloser"),
        }
    }

    /// The controls of the station whose state the profile says where to see.
    fn controls(&self) -> impl Iterator<Item = &'a PointSpec> {
        let station = self.site.profile.zip(self.pair.and_then(|pair| pair.station_index()));
        let station = station.and_then(|(profile, index)| profile.station(index));
        let points = station.map_or(&[][..], |station| &station.points);
        points.iter().map(AsRef::as_ref).filter(|spec| spec.state.is_some())
    }
}

fn per_minute(rate: Rate) -> f64 {
    f64::from(rate.count) * 60e9 / rate.per_ns.max(1) as f64
}

/// Whether another host may command this station, by the profile: what it commands is not seen here.
#[cold]
fn others_may_command(scene: &Scene<'_>) -> bool {
    let Some((profile, station)) = scene.site.profile.zip(scene.pair.and_then(|p| p.station_index())) else {
        return false;
    };
    let controls = |allow: &Allow| match *allow {
        Allow::Action(action) => action.is_control(),
        Allow::Function { .. } => true,
    };
    let client = scene.pair.and_then(|pair| pair.client_index());
    profile.profile().rules.iter().any(|rule| {
        rule.to.contains(&(station as usize))
            && rule.allow.iter().any(controls)
            && rule.from.iter().any(|host| client != Some(*host as u32))
    })
}

/// Show an operation. Returns when to be called.
#[inline]
pub fn shown(
    association: &mut Association,
    seen: &Seen<'_>,
    sink: &mut dyn FindingSink,
) -> Option<Timestamp> {
    let operation = seen.operation;
    let from_master = operation.from_master;
    if !association.control.named {
        learn_names(association, seen);
    }
    match operation.exchange {
        Exchange::Request if from_master && operation.action == Action::Read => {
            association.control.reads = association.control.reads.saturating_add(1);
            None
        }
        Exchange::Request if from_master => asked(association, seen, sink),
        Exchange::Response | Exchange::Unsolicited if !from_master => told(association, seen, sink),
        _ => None,
    }
}

/// What the profile says of the station's controls, once.
#[cold]
fn learn_names(association: &mut Association, seen: &Seen<'_>) {
    association.control.named = true;
    let scene = scene(association, seen);
    let follow = &mut association.control.follow;
    if follow.is_none() && scene.names().controls().next().is_none() {
        return;
    }
    follow.get_or_insert_default().learn_names(&scene);
}

fn scene<'a>(association: &Association, seen: &Seen<'a>) -> Scene<'a> {
    Scene {
        key: association.key,
        pair: association.pair,
        first_seen: association.first_seen,
        last_seen: association.last_seen,
        now: seen.operation.origin.at,
        coverage: seen.coverage(),
        site: seen.site,
        flow: Some(seen.operation.flow),
    }
}

/// A request that is no read.
fn asked(association: &mut Association, seen: &Seen<'_>, sink: &mut dyn FindingSink) -> Option<Timestamp> {
    let scene = scene(association, seen);
    let operation = seen.operation;
    if operation.action.is_control() && operation.action != Action::Select {
        let (at, frame) = (operation.origin.at, operation.origin.frame);
        let did = Did::Commands(operation.function);
        super::timing::sign(association, seen.site, (at, frame), scene.coverage, did, sink);
    }
    if station::is_silenced_by(operation) && seen.judged.allowed != Some(true) {
        super::timing::unanswered::silenced(association);
    }
    let Control { station, reads, follow, .. } = &mut association.control;
    station.asked(&scene, seen, sink);
    if !seen.operation.action.is_control() {
        return None;
    }
    let follow = follow.get_or_insert_default();
    follow.asked(&scene, seen, *reads, sink);
    follow.next_due()
}

/// An answer or a report.
fn told(association: &mut Association, seen: &Seen<'_>, sink: &mut dyn FindingSink) -> Option<Timestamp> {
    let operation = seen.operation;
    station::told(association, seen, sink);
    let outputs = points::holds_outputs(operation);
    if association.control.follow.is_none() && !outputs {
        return None;
    }
    if !outputs
        && let Some(follow) = &association.control.follow
        && !follow.concerns(operation)
    {
        return follow.next_due();
    }
    let scene = scene(association, seen);
    let follow = association.control.follow.get_or_insert_default();
    follow.told(&scene, seen, sink);
    follow.next_due()
}

/// What is due at `now`. Returns when to be called again.
pub fn due(
    association: &mut Association,
    now: Timestamp,
    site: SiteView<'_>,
    sink: &mut dyn FindingSink,
) -> Option<Timestamp> {
    association.control.follow.as_ref()?.next_due()?;
    let scene = scene_at(association, now, site);
    let follow = association.control.follow.as_mut()?;
    follow.due(&scene, sink);
    follow.next_due()
}

/// The end: what is under way is told as far as it came.
pub fn finish(association: &mut Association, site: SiteView<'_>, sink: &mut dyn FindingSink) {
    let scene = scene_at(association, association.last_seen, site);
    if let Some(follow) = association.control.follow.as_mut() {
        follow.end(&scene, sink);
    }
}

/// Without an operation at hand.
fn scene_at<'a>(association: &Association, now: Timestamp, site: SiteView<'a>) -> Scene<'a> {
    Scene {
        key: association.key,
        pair: association.pair,
        first_seen: association.first_seen,
        last_seen: association.last_seen,
        now,
        coverage: association.coverage(now, &site.losses),
        site,
        flow: None,
    }
}

/// A point as findings name it: by its name in the profile, else by kind and address.
struct PointName<'a>(Known<'a>, PointKind, u32);

impl fmt::Display for PointName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.name {
            Some(name) => f.write_str(name),
            None => write!(f, "{} {}", super::raise::Spaced(self.1.name()), self.2),
        }
    }
}

/// A number for a point, to keep repeats apart.
fn point_key(kind: PointKind, address: u32) -> u64 {
    super::raise::name_key(kind.name()) ^ u64::from(address)
}

/// The function of a finding in words: those of requests.
fn requested(operation: &parsers::Operation<'_>) -> Function {
    operation.requested.unwrap_or(operation.function)
}
