//! What is told of controls: the one line at the end of each, and what is wrong with them.

use parsers::{Coverage, Operation, PointRange, Protocol};

use super::order::FOLLOWED;
use super::pending::{Pending, Target};
use super::points::LastOrder;
use super::rhythm::Storm;
use super::{Known, PointName, Scene, point_key};
use crate::detect::FindingSink;
use crate::detect::raise::{Asked, Frames, Subject};
use crate::report::catalogue::{FindingKind, Severity};
use crate::report::control::{ControlEvent, ControlOutcome, ControlPoint, Lasted, Level, Order};
use crate::report::finding::Finding;

/// VAL-05: accepted, and a point that is read and follows its commands stayed. False if withheld.
pub(super) fn without_effect(scene: &Scene<'_>, pending: &Pending, sink: &mut dyn FindingSink) -> bool {
    let Some(target) = pending.disobeyed() else { return false };
    let known = scene.names().of(target.kind, target.address);
    let ranges = [PointRange::one(target.kind, target.address)];
    let within = Lasted(pending.follow_by.since(pending.sent));
    let name = PointName(known, target.kind, target.address);
    let wanted = target.order.wanted().map(|level| target.order.state(level));
    let after = target.after.map(|level| target.order.state(level));
    let (Some(wanted), Some(after)) = (wanted, after) else { return false };
    let finding = Finding {
        kind: FindingKind::CommandWithoutEffect,
        function: Some(pending.function),
        expected: format_args!("{name} {wanted} within {within} of the command"),
        observed: format_args!(
            "{after} after {}, read {} times since",
            Lasted(scene.now.since(pending.sent)),
            target.readings
        ),
        fold_key: point_key(target.kind, target.address),
        ..scene.finding(pending.frames(), &ranges)
    };
    super::raise(&finding, sink);
    scene.coverage.is_complete()
}

/// VAL-06: a point moved, and nobody was seen to command it.
pub(super) fn moved_alone(
    scene: &Scene<'_>,
    operation: &Operation<'_>,
    (kind, address): (parsers::PointKind, u32),
    known: &Known<'_>,
    (before, after, last): (Level, Level, Option<LastOrder>),
    sink: &mut dyn FindingSink,
) {
    let order = last.map_or(if known.breaker { Order::Close } else { Order::On }, |last| last.order);
    let ranges = [PointRange::one(kind, address)];
    let frames = Frames::of_operation(operation);
    let name = PointName(*known, kind, address);
    let (was, is) = (order.state(before), order.state(after));
    let finding = Finding {
        kind: FindingKind::MovedWithoutCommand,
        by_station: true,
        function: Some(super::requested(operation)),
        expected: format_args!("{name} {was}, as it was seen before, until it is commanded"),
        observed: format_args!("{is}; {}", LastCommand(last.map(|last| scene.now.since(last.at)))),
        fold_key: point_key(kind, address),
        ..scene.finding(frames.as_slice(), &ranges)
    };
    if super::others_may_command(scene) {
        return sink.withheld(FindingKind::MovedWithoutCommand);
    }
    super::raise(&finding, sink);
}

/// When a point was commanded last.
struct LastCommand(Option<u64>);

impl core::fmt::Display for LastCommand {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self.0 {
            Some(ago) => write!(f, "the last command was {} ago", Lasted(ago)),
            None => f.write_str("no command to it was seen"),
        }
    }
}

/// What is said of one point of a request.
pub(super) struct Said<'s, 'a> {
    pub(super) scene: &'s Scene<'a>,
    pub(super) operation: &'s Operation<'s>,
    pub(super) known: &'s Known<'a>,
    pub(super) target: &'s Target,
}

impl Said<'_, '_> {
    fn raise(
        &self,
        kind: FindingKind,
        severity: Option<Severity>,
        (expected, observed): (core::fmt::Arguments<'_>, core::fmt::Arguments<'_>),
        fold_key: u64,
        sink: &mut dyn FindingSink,
    ) {
        let subject = Subject::of_operation(self.operation, self.scene.site.profile);
        let frames = Frames::of_operation(self.operation);
        let finding = Finding {
            kind,
            severity,
            expected,
            observed,
            fold_key,
            ..subject.finding(self.scene.coverage, &frames)
        };
        super::raise(&finding, sink);
    }

    fn name(&self) -> PointName<'_> {
        PointName(*self.known, self.target.kind, self.target.address)
    }

    fn key(&self) -> u64 {
        point_key(self.target.kind, self.target.address)
    }

    /// SEQ-03. Whether it was raised.
    pub(super) fn unselected(&self, selected_before: bool, sink: &mut dyn FindingSink) -> bool {
        let name = self.name();
        let says = match (self.known.direct_operate, selected_before) {
            (Some(false), _) => "as the profile says",
            (None, true) => "as before",
            _ => return false,
        };
        // That an execute of IEC 104 is a direct one is told by the select that was not seen.
        let coverage = Coverage { one_way: false, ..self.scene.coverage };
        if self.operation.protocol == Protocol::Iec104 && !coverage.is_complete() {
            sink.withheld(FindingKind::DirectOperateOfSelected);
            return true;
        }
        let expected = format_args!("{name} selected before it is operated, {says}");
        let observed = format_args!("{} to {}", Asked(self.operation), self.target.order.name());
        self.raise(FindingKind::DirectOperateOfSelected, None, (expected, observed), self.key(), sink);
        true
    }

    /// SEQ-13.
    pub(super) fn contradiction(&self, last: &LastOrder, sink: &mut dyn FindingSink) {
        let name = self.name();
        let within = Lasted((self.scene.site.thresholds.contradiction_within * 1e9) as u64);
        let expected = format_args!("{name} left to rest for {within} after a command");
        let ago = Lasted(self.scene.now.since(last.at));
        let observed = format_args!("{} {ago} after {}", self.target.order.name(), last.order.name());
        self.raise(FindingKind::ContradictoryCommand, None, (expected, observed), self.key(), sink);
    }

    /// SEQ-14. One story for a master and a station, however many points it is about.
    pub(super) fn storm(&self, storm: Storm, sink: &mut dyn FindingSink) {
        let name = self.name();
        let expected = format_args!("at most {} commands a minute to {name}", storm.limit);
        let observed = format_args!("{} in {}", storm.count, Lasted(storm.within_ns));
        let kind = FindingKind::CommandStorm;
        self.raise(kind, Some(storm.severity), (expected, observed), storm.severity as u64, sink);
    }
}

/// Tell of a control that has come to its end.
pub(super) fn finish(
    scene: &Scene<'_>,
    pending: &Pending,
    outcome: ControlOutcome,
    sink: &mut dyn FindingSink,
) {
    if !sink.wants_controls() {
        return;
    }
    let names = scene.names();
    let Some(first) = pending.targets().first() else { return };
    let name = |target: &Target| names.of(target.kind, target.address).name;
    let mut points: [ControlPoint<'_>; FOLLOWED] = [pending.told(first, name(first)); FOLLOWED];
    for (slot, target) in points.iter_mut().zip(pending.targets()) {
        *slot = pending.told(target, name(target));
    }
    sink.control(&ControlEvent {
        at: scene.now,
        protocol: scene.key.protocol,
        client: scene.client(),
        server: scene.server(),
        station: scene.key.station,
        station_name: scene.station_name(),
        client_name: scene.client_name(),
        function: pending.function,
        method: pending.method,
        outcome,
        refusal: pending.refusal,
        selected: pending.selected,
        sent: pending.sent,
        answered: pending.answered,
        broadcast: pending.broadcast,
        wants_answer: pending.wants_answer,
        points: points.get(..pending.targets().len()).unwrap_or_default(),
        more_points: pending.more,
        frames: pending.frames(),
        coverage: scene.coverage,
    });
}
