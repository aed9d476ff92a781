//! How a control goes on: request, answer, reading, time-out; and how it ends.

use parsers::{Operation, Outcome, Point, PointKind, PointSink, Protocol, Timestamp, Value};

use super::order::{self, Orders};
use super::pending::{PENDING, Pending, Stage, Target};
use super::points::{self, LastOrder, POINTS, POINTS_UNPROFILED, PointTable, Row};
use super::rhythm::{self, Storm};
use super::tell::{self, Said, finish};
use super::{Known, Scene, Shortage};
use crate::detect::{FindingSink, Seen};
use crate::report::catalogue::{FindingKind, Severity};
use crate::report::control::{ControlOutcome, Lasted, Level, Method};
use crate::report::finding::Finding;

/// How long an answer is waited for: as long as the parsers do.
const ANSWER_NS: u64 = 10 * 1_000_000_000;
/// How long a silent pair is waited for before an absence is concluded.
const SILENCE_NS: u64 = 30 * 1_000_000_000;
/// How often what is waited for longer is looked at.
const LOOK_NS: u64 = 2 * 1_000_000_000;
/// How much longer than its time a point is waited for while it is read too seldom.
const PATIENCE: u64 = 4;

/// What is followed of a pair.
#[derive(Debug, Default)]
// Controls are large and go from hand to hand.
#[allow(clippy::vec_box)]
pub(super) struct Follow {
    points: PointTable,
    pending: Vec<Box<Pending>>,
    /// Room for controls to come.
    spare: Vec<Box<Pending>>,
    abandoned: (Timestamp, u32),
}

impl Follow {
    /// What the profile says of the points: where their states are seen, and which are watched from the
    /// beginning.
    pub(super) fn learn_names(&mut self, scene: &Scene<'_>) {
        let names = scene.names();
        self.points.learn_states(|kind, address| names.of(kind, address).state);
        for spec in names.controls() {
            if self.points.admit((spec.kind, spec.address), spec.state, POINTS, scene.now).is_none() {
                Shortage::add(&scene.site.control.points);
            }
        }
    }

    /// When something is due, if anything is.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        self.pending.iter().map(|pending| pending.look_at).min()
    }

    /// A request that commands.
    pub(super) fn asked(
        &mut self,
        scene: &Scene<'_>,
        seen: &Seen<'_>,
        reads: u32,
        sink: &mut dyn FindingSink,
    ) {
        let operation = seen.operation;
        let orders = Orders::of(operation);
        if orders.as_slice().is_empty() {
            return;
        }
        let (sequence, body) = (operation.sequence, order::body_key(operation));
        let method = order::method(operation);
        if let Some(retried) = self.retried(operation, body) {
            // The answer will be that of the request sent last.
            retried.frame = operation.origin.frame;
            retried.add_frame(operation.origin.frame);
            return;
        }
        if method == Method::Operate
            && let Some(place) = self.selected(body)
        {
            let mut pending = self.pending.remove(place);
            pending.selected = Some(pending.sent);
            pending.method = Method::SelectOperate;
            pending.function = operation.function;
            pending.sequence = sequence;
            pending.answered = None;
            self.send(scene, seen, pending, reads, sink);
            return;
        }
        self.displace(scene, &orders, sink);
        let stage = if method == Method::Select { Stage::Selecting } else { Stage::Sent };
        let mut pending = self.spare.pop().unwrap_or_default();
        pending.begin((stage, method, operation.function), (sequence, body), scene.now, &orders);
        if method == Method::Select {
            return self.push(scene, operation, pending, ANSWER_NS, sink);
        }
        self.send(scene, seen, pending, reads, sink);
    }

    fn retried(&mut self, operation: &Operation<'_>, body: u64) -> Option<&mut Pending> {
        // IEC 104 numbers no commands, and selects and executes have the same octets: it never retries.
        if operation.protocol == Protocol::Iec104 {
            return None;
        }
        self.pending.iter_mut().map(|p| &mut **p).find(|p| {
            let waits = matches!(p.stage, Stage::Selecting | Stage::Sent);
            waits && (p.sequence, p.body, p.function) == (operation.sequence, body, operation.function)
        })
    }

    fn selected(&self, body: u64) -> Option<usize> {
        let waits = |p: &Pending| matches!(p.stage, Stage::Selecting | Stage::Selected);
        self.pending.iter().rposition(|p| waits(p) && p.body == body)
    }

    /// A newer command to the same points ends what was under way for them.
    fn displace(&mut self, scene: &Scene<'_>, orders: &Orders, sink: &mut dyn FindingSink) {
        while let Some(place) = self.pending.iter().position(|p| p.shares(orders.as_slice())) {
            let pending = self.pending.remove(place);
            if pending.stage == Stage::Selected {
                self.abandon(scene, &pending, sink);
            }
            let outcome = match pending.stage {
                Stage::Sent | Stage::Accepted if !pending.is_done() => ControlOutcome::NotConfirmed,
                _ => pending.fate(),
            };
            finish(scene, &pending, outcome, sink);
            self.spare.push(pending);
        }
    }

    /// The moment at which a control is to take effect.
    fn send(
        &mut self,
        scene: &Scene<'_>,
        seen: &Seen<'_>,
        mut pending: Box<Pending>,
        reads: u32,
        sink: &mut dyn FindingSink,
    ) {
        let operation = seen.operation;
        let names = scene.names();
        let limit =
            if seen.judged.pair.is_some_and(|p| p.knows_station()) { POINTS } else { POINTS_UNPROFILED };
        let ruled = rule_rate(seen);
        let mut told = (false, false);
        let mut within = 0;
        let direct = matches!(pending.method, Method::DirectOperate | Method::DirectOperateNoAck);
        let mut worst: Option<(Storm, Known<'_>, usize)> = None;
        for (n, target) in pending.targets_mut().iter_mut().enumerate() {
            let known = names.of(target.kind, target.address);
            within = within.max(known.operate_within.unwrap_or(0));
            target.row = self.points.admit((target.kind, target.address), known.state, limit, scene.now);
            let Some(point) = target.row.and_then(|row| self.points.get(row)) else {
                Shortage::add(&scene.site.control.points);
                continue;
            };
            target.before = point.seen.map(|(level, _)| level);
            // A register may also be written by the station's own program: it must be named to be trusted.
            let plain = target.order.switches() || known.name.is_some();
            target.trusted = known.state.is_some() || (plain && point.follows >= TRUSTED);
            let said = Said { scene, operation, known: &known, target };
            // One story for a request, however many points it names.
            if direct && !told.0 {
                told.0 = said.unselected(point.selected, sink);
            }
            if let Some(last) = rhythm::contradicted(scene, point, &known, target.order).filter(|_| !told.1) {
                said.contradiction(&last, sink);
                told.1 = true;
            }
            if let Some(storm) = rhythm::storm(scene, point, &known, target.order, (reads, ruled))
                && worst.as_ref().is_none_or(|(w, ..)| w.severity < storm.severity)
            {
                worst = Some((storm, known, n));
            }
            point.last = Some(LastOrder { order: target.order, at: scene.now, refused: false });
        }
        if let Some((storm, known, n)) = worst
            && let Some(target) = pending.targets().get(n)
        {
            Said { scene, operation, known: &known, target }.storm(storm, sink);
        }
        pending.stage = Stage::Sent;
        pending.sent = scene.now;
        pending.wants_answer = operation.wants_answer;
        pending.broadcast = operation.broadcast;
        if within == 0 {
            within = (scene.site.thresholds.operate_within * 1e9) as u64;
        }
        pending.follow_by = scene.now.plus(within);
        let wait = if pending.wants_answer { ANSWER_NS } else { within };
        if pending.broadcast || (!pending.wants_answer && !pending.is_watched()) {
            pending.add_frame(operation.origin.frame);
            finish(scene, &pending, pending.fate(), sink);
            self.spare.push(pending);
            return;
        }
        self.push(scene, operation, pending, wait, sink);
    }

    fn push(
        &mut self,
        scene: &Scene<'_>,
        operation: &Operation<'_>,
        mut pending: Box<Pending>,
        wait: u64,
        sink: &mut dyn FindingSink,
    ) {
        if self.pending.len() >= PENDING {
            let oldest = self.pending.remove(0);
            Shortage::add(&scene.site.control.controls);
            finish(scene, &oldest, oldest.fate(), sink);
            self.spare.push(oldest);
        }
        pending.frame = operation.origin.frame;
        pending.add_frame(operation.origin.frame);
        pending.wait_until(scene.now.plus(wait));
        self.pending.push(pending);
    }

    /// Whether an answer or a report bears on what was commanded.
    #[inline]
    pub(super) fn concerns(&self, operation: &Operation<'_>) -> bool {
        operation.action.is_control() || self.points.concerns(operation)
    }

    /// An answer or a report that bears on what was commanded, or shows outputs.
    pub(super) fn told(&mut self, scene: &Scene<'_>, seen: &Seen<'_>, sink: &mut dyn FindingSink) {
        let operation = seen.operation;
        if operation.action.is_control() {
            self.answered(scene, operation, sink);
            /// Modbus read/write multiple registers: the answer brings what was read.
            const READ_WRITE: u8 = 23;
            if operation.function.code != READ_WRITE {
                return;
            }
        }
        if points::holds_outputs(operation) || self.points.concerns(operation) {
            self.read(scene, operation, sink);
        }
    }

    fn answered(&mut self, scene: &Scene<'_>, operation: &Operation<'_>, sink: &mut dyn FindingSink) {
        /// DNP3 AUTHENTICATE_RESP: a challenge, not yet an answer.
        const CHALLENGE: u8 = 131;
        let Some(request) = operation.answers else { return self.terminated(scene, operation, sink) };
        if operation.function.code == CHALLENGE {
            return;
        }
        // Several commands of IEC 104, which have no number, may share a frame.
        let orders = (operation.protocol == Protocol::Iec104).then(|| Orders::of(operation));
        let concerns = |p: &Pending| {
            orders.as_ref().is_none_or(|orders| orders.as_slice().is_empty() || p.shares(orders.as_slice()))
        };
        let Some(place) = self.pending.iter().rposition(|p| {
            p.frame == request.frame
                && p.sequence == operation.sequence
                && concerns(p)
                && matches!(p.stage, Stage::Selecting | Stage::Sent)
        }) else {
            return;
        };
        let Some(pending) = self.pending.get_mut(place) else { return };
        pending.answered = Some(scene.now);
        pending.add_frame(operation.origin.frame);
        operation.detail.points(&mut |point| {
            let target = pending
                .targets_mut()
                .iter_mut()
                .find(|t| Some(t.address) == point.address && t.kind == point.kind);
            if let (Some(target), Some(status)) = (target, point.status) {
                target.status = Some(status);
            }
        });
        if let Outcome::Refused { code, name } = operation.outcome {
            pending.refusal = Some((code, name));
            let pending = self.pending.remove(place);
            for target in pending.targets() {
                if let Some(last) = self.tracked(target.row).and_then(|point| point.last.as_mut()) {
                    last.refused = true;
                }
            }
            finish(scene, &pending, ControlOutcome::Refused, sink);
            self.spare.push(pending);
            return;
        }
        if pending.stage == Stage::Selecting {
            pending.stage = Stage::Selected;
            pending.wait_until(pending.sent.plus((scene.site.thresholds.select_timeout * 1e9) as u64));
            return;
        }
        pending.stage = Stage::Accepted;
        pending.wait_until(pending.follow_by);
        let selected = pending.method == Method::SelectOperate;
        if selected {
            for target in pending.targets() {
                if let Some(point) = target.row.and_then(|row| self.points.get(row)) {
                    point.selected = true;
                }
            }
        }
        let watched = pending.is_watched() && is_read(&mut self.points, pending);
        if pending.is_done() || !watched {
            let pending = self.pending.remove(place);
            finish(scene, &pending, pending.fate(), sink);
            self.spare.push(pending);
        }
    }

    /// The end of an activation that was confirmed (IEC 60870-5-101, 6.8): a negative one says that the station gave
    /// it up after all.
    fn terminated(&mut self, scene: &Scene<'_>, operation: &Operation<'_>, sink: &mut dyn FindingSink) {
        let Outcome::Refused { code, name } = operation.outcome else { return };
        if operation.protocol != Protocol::Iec104 {
            return;
        }
        let orders = Orders::of(operation);
        let place = self
            .pending
            .iter()
            .rposition(|pending| pending.stage == Stage::Accepted && pending.shares(orders.as_slice()));
        let Some(place) = place else { return };
        let mut pending = self.pending.remove(place);
        pending.refusal = Some((code, name));
        pending.add_frame(operation.origin.frame);
        finish(scene, &pending, ControlOutcome::Refused, sink);
    }

    fn tracked(&mut self, row: Option<Row>) -> Option<&mut points::Tracked> {
        self.points.get(row?)
    }

    /// A report: what the commanded points did.
    fn read(&mut self, scene: &Scene<'_>, operation: &Operation<'_>, sink: &mut dyn FindingSink) {
        let Follow { points, pending, .. } = self;
        let mut states = States { scene, operation, points, pending, done: false, sink: &mut *sink };
        operation.detail.values(&mut states);
        if !states.done {
            return;
        }
        let mut place = 0;
        while let Some(pending) = self.pending.get(place) {
            if pending.stage == Stage::Accepted && pending.is_done() {
                let mut pending = self.pending.remove(place);
                pending.add_frame(operation.origin.frame);
                finish(scene, &pending, ControlOutcome::Done, sink);
                self.spare.push(pending);
            } else {
                place += 1;
            }
        }
    }

    /// What is due.
    pub(super) fn due(&mut self, scene: &Scene<'_>, sink: &mut dyn FindingSink) {
        let mut place = 0;
        while let Some(pending) = self.pending.get_mut(place) {
            if pending.look_at > scene.now {
                place += 1;
                continue;
            }
            // A hole is known only when something comes behind it.
            if scene.last_seen < pending.deadline && scene.now < pending.deadline.plus(SILENCE_NS) {
                pending.look_at = scene.now.plus(LOOK_NS);
                place += 1;
                continue;
            }
            let waits = matches!(pending.stage, Stage::Accepted) || !pending.wants_answer;
            let within = pending.follow_by.since(pending.sent);
            let patience = pending.sent.plus(within.saturating_mul(PATIENCE));
            let too_seldom = pending.targets().iter().any(|t| t.trusted && !t.is_done() && t.readings > 0);
            if waits && too_seldom && pending.disobeyed().is_none() && scene.now < patience {
                pending.look_at = scene.now.plus(LOOK_NS).min(patience);
                place += 1;
                continue;
            }
            let pending = self.pending.remove(place);
            let mut outcome = pending.fate();
            if pending.stage == Stage::Selected {
                self.abandon(scene, &pending, sink);
            }
            if outcome == ControlOutcome::NoEffect && !tell::without_effect(scene, &pending, sink) {
                outcome = ControlOutcome::NotConfirmed;
            }
            finish(scene, &pending, outcome, sink);
            self.spare.push(pending);
        }
    }

    /// The end: tell what is under way.
    pub(super) fn end(&mut self, scene: &Scene<'_>, sink: &mut dyn FindingSink) {
        for pending in core::mem::take(&mut self.pending) {
            let outcome = match pending.fate() {
                ControlOutcome::NoEffect => ControlOutcome::NotConfirmed,
                fate => fate,
            };
            finish(scene, &pending, outcome, sink);
        }
    }

    /// SEQ-02: selected, accepted, and no operate came.
    fn abandon(&mut self, scene: &Scene<'_>, pending: &Pending, sink: &mut dyn FindingSink) {
        let window = (scene.site.thresholds.selects_window * 1e9) as u64;
        if scene.now.since(self.abandoned.0) > window {
            self.abandoned = (scene.now, 0);
        }
        self.abandoned.1 = self.abandoned.1.saturating_add(1);
        let often = f64::from(self.abandoned.1) >= scene.site.thresholds.selects_abandoned;
        let (ranges, len) = pending.ranges();
        let timeout = (scene.site.thresholds.select_timeout * 1e9) as u64;
        let count = self.abandoned.1;
        super::raise(
            &Finding {
                kind: FindingKind::SelectAbandoned,
                severity: (!often).then_some(Severity::Low),
                function: Some(pending.function),
                expected: format_args!("an operate of the same objects within {}", Lasted(timeout)),
                observed: format_args!("none; {count} in the last {}", profiles::DurationText(window)),
                fold_key: u64::from(often),
                ..scene.finding(pending.frames(), ranges.get(..len).unwrap_or_default())
            },
            sink,
        );
    }
}

/// Whether what becomes of a control may still be seen. A set-point that was written before and never
/// read back is not waited for.
fn is_read(points: &mut PointTable, pending: &Pending) -> bool {
    pending.targets().iter().any(|target| {
        let switches = target.order.switches();
        let point = target.row.and_then(|row| points.get(row));
        point.is_some_and(|p| switches || p.readings > 0 || p.first == pending.sent)
    })
}

/// Takes the states that a report shows.
struct States<'s, 'a> {
    scene: &'s Scene<'a>,
    operation: &'s Operation<'s>,
    points: &'s mut PointTable,
    pending: &'s mut [Box<Pending>],
    /// A control may have come to its end.
    done: bool,
    sink: &'s mut dyn FindingSink,
}

impl States<'_, '_> {
    /// A point that shows the states of some that were commanded.
    fn shows(&mut self, (kind, address): (PointKind, u32), level: Level) {
        let place = self.points.states_from(kind, address);
        self.show(place, (kind, address), level);
    }

    /// The same; its entries begin at `place`. Returns where they end.
    fn show(&mut self, mut place: usize, point: (PointKind, u32), level: Level) -> usize {
        /// At most a few controls share the point that shows their state.
        const SHARE: usize = 4;
        let begin = place;
        while let Some((.., row)) = self.points.state(place).filter(|e| (e.0, e.1) == point) {
            if place - begin < SHARE {
                let tables = (&mut *self.points, &mut *self.pending);
                self.done |= note(self.scene, tables, self.operation, row, level, self.sink);
            }
            place += 1;
        }
        place
    }

    /// Consecutive points, of which few show anything.
    fn run(&mut self, kind: PointKind, first: u32, count: usize, level: impl Fn(usize) -> Option<Level>) {
        let mut place = self.points.states_from(kind, first);
        while let Some((_, address, _)) = self.points.state(place).filter(|e| e.0 == kind) {
            let Some(at) = usize::try_from(address - first).ok().filter(|at| *at < count) else { return };
            let Some(level) = level(at) else { return };
            place = self.show(place, (kind, address), level);
        }
    }
}

impl PointSink for States<'_, '_> {
    fn wants(&self, kind: PointKind, first: u32, last: u32) -> bool {
        self.points.wants(kind, first, last)
    }

    fn point(&mut self, point: &Point<'_>) {
        let Some((kind, address, level)) = points::reading(point) else { return };
        self.points.note_output(kind, address, level);
        self.shows((kind, address), level);
    }

    fn registers(&mut self, kind: PointKind, first: Option<u32>, words: &[[u8; 2]]) {
        let Some(first) = first else { return };
        self.run(kind, first, words.len(), |at| {
            let word = words.get(at)?;
            Level::of(&Value::Unsigned(u16::from_be_bytes(*word).into()))
        });
    }

    fn bits(&mut self, kind: PointKind, first: Option<u32>, octets: &[u8], count: usize) {
        let Some(first) = first else { return };
        self.points.note_outputs(kind, first, octets, count);
        self.run(kind, first, count, |at| Level::of(&Value::Bit(octets.get(at / 8)? >> (at % 8) & 1 == 1)));
    }

    fn addresses(&mut self, _: PointKind, _: u32, _: u32) {}
}

/// The rate that the rule in force gives the master, in commands a minute.
fn rule_rate(seen: &Seen<'_>) -> Option<f64> {
    let rule = seen.site.profile?.rule(seen.judged.rule?)?;
    rule.rate.filter(|_| seen.judged.allowed == Some(true)).map(super::per_minute)
}

/// How often a point must have followed its commands to be trusted to.
const TRUSTED: u8 = 2;

/// A reading of a commanded point. True if a control may have come to its end.
fn note(
    scene: &Scene<'_>,
    (points, pending): (&mut PointTable, &mut [Box<Pending>]),
    operation: &Operation<'_>,
    row: Row,
    level: Level,
    sink: &mut dyn FindingSink,
) -> bool {
    let Some(point) = points.get(row) else { return false };
    let before = point.seen.replace((level, scene.now));
    point.readings = point.readings.saturating_add(1);
    let (kind, address) = (point.kind, point.address);
    let mine = |t: &&mut Target| t.row == Some(row);
    let under_way = pending.iter_mut().filter(|p| matches!(p.stage, Stage::Sent | Stage::Accepted));
    let mut done = false;
    let mut commanded = false;
    for target in under_way.filter_map(|p| p.targets_mut().iter_mut().find(mine)) {
        commanded = true;
        target.readings = target.readings.saturating_add(1);
        target.after = Some(level);
        if target.effect.is_none() && target.order.wanted() == Some(level) && !target.is_already() {
            target.effect = Some(scene.now);
            point.follows = point.follows.saturating_add(u8::from(target.before.is_some()));
            done = true;
        }
    }
    if commanded {
        return done;
    }
    let Some((before, _)) = before.filter(|(before, _)| before.is_opposite(level)) else { return false };
    let known = scene.names().of(kind, address);
    let within = known.operate_within.unwrap_or((scene.site.thresholds.operate_within * 1e9) as u64);
    let last = point.last;
    let recent = last.is_some_and(|last| scene.now.since(last.at) <= within);
    let late =
        last.is_some_and(|last| !last.refused && last.order.wanted() == Some(level) && point.follows == 0);
    let latched = kind == parsers::PointKind::BinaryOutput && point.follows > 0;
    if recent || late || !(latched || known.state.is_some() || known.breaker) || point.readings < 3 {
        return false;
    }
    tell::moved_alone(scene, operation, (kind, address), &known, (before, level, last), sink);
    false
}
