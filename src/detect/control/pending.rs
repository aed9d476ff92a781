//! Controls under way.

use parsers::{FrameRef, Function, PointKind, PointRange, Timestamp};

use super::order::{FOLLOWED, PointOrder};
use super::points::Row;
use crate::report::control::{ControlOutcome, ControlPoint, Level, Method, Order};

/// Controls of one pair that are under way at a time; the oldest makes room and is counted.
pub const PENDING: usize = 8;
/// Frames kept as evidence of a control.
const FRAMES: usize = 8;

/// How far it has come.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub(super) enum Stage {
    /// Selected, not answered.
    Selecting,
    /// Selected and accepted.
    Selected,
    /// Sent, not answered.
    Sent,
    /// Accepted; what comes of it is awaited.
    Accepted,
}

/// A point of a control under way.
#[derive(Debug, Copy, Clone)]
pub(super) struct Target {
    pub(super) kind: PointKind,
    pub(super) address: u32,
    pub(super) order: Order,
    pub(super) row: Option<Row>,
    pub(super) status: Option<u8>,
    pub(super) before: Option<Level>,
    pub(super) after: Option<Level>,
    /// When it was first seen as commanded.
    pub(super) effect: Option<Timestamp>,
    /// How often it was read since.
    pub(super) readings: u8,
    /// Its state is worth waiting for: the profile names where it is seen, or it has followed before.
    pub(super) trusted: bool,
}

impl Target {
    pub(super) fn of(order: &PointOrder) -> Target {
        Target {
            kind: order.kind,
            address: order.address,
            order: order.order,
            row: None,
            status: None,
            before: None,
            after: None,
            effect: None,
            readings: 0,
            trusted: false,
        }
    }

    /// Whether it is as commanded, or says nothing that could be.
    pub(super) fn is_done(&self) -> bool {
        self.is_already() || self.effect.is_some()
    }

    /// Whether it was as commanded before.
    pub(super) fn is_already(&self) -> bool {
        self.before.is_some() && self.before == self.order.wanted()
    }
}

/// A control under way.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) stage: Stage,
    pub(super) method: Method,
    pub(super) function: Function,
    pub(super) sequence: u16,
    pub(super) body: u64,
    pub(super) selected: Option<Timestamp>,
    pub(super) sent: Timestamp,
    pub(super) frame: FrameRef,
    pub(super) answered: Option<Timestamp>,
    pub(super) wants_answer: bool,
    pub(super) broadcast: bool,
    pub(super) deadline: Timestamp,
    /// When it is looked at next.
    pub(super) look_at: Timestamp,
    /// When the points must have followed.
    pub(super) follow_by: Timestamp,
    pub(super) refusal: Option<(u16, &'static str)>,
    targets: [Target; FOLLOWED],
    len: usize,
    pub(super) more: u32,
    frames: [FrameRef; FRAMES],
    frames_len: usize,
}

/// Nothing.
impl Default for Pending {
    fn default() -> Pending {
        let none = PointOrder { kind: PointKind::DeviceData, address: 0, order: Order::Other };
        let never = Timestamp::default();
        Pending {
            stage: Stage::Sent,
            method: Method::Write,
            function: Function { code: 0, sub: None, name: "" },
            sequence: 0,
            body: 0,
            selected: None,
            sent: never,
            frame: FrameRef::default(),
            answered: None,
            wants_answer: true,
            broadcast: false,
            deadline: never,
            look_at: never,
            follow_by: never,
            refusal: None,
            targets: [Target::of(&none); FOLLOWED],
            len: 0,
            more: 0,
            frames: [FrameRef::default(); FRAMES],
            frames_len: 0,
        }
    }
}

impl Pending {
    /// Begin a control, in the room of one that is over.
    pub(super) fn begin(
        &mut self,
        (stage, method, function): (Stage, Method, Function),
        (sequence, body): (u16, u64),
        sent: Timestamp,
        orders: &super::order::Orders,
    ) {
        (self.stage, self.method, self.function) = (stage, method, function);
        (self.sequence, self.body) = (sequence, body);
        (self.selected, self.answered, self.refusal) = (None, None, None);
        (self.sent, self.deadline, self.look_at, self.follow_by) = (sent, sent, sent, sent);
        self.frame = FrameRef::default();
        (self.wants_answer, self.broadcast) = (true, false);
        for (slot, order) in self.targets.iter_mut().zip(orders.as_slice()) {
            *slot = Target::of(order);
        }
        self.len = orders.as_slice().len().min(FOLLOWED);
        self.more = orders.more;
        self.frames_len = 0;
    }

    pub(super) fn wait_until(&mut self, deadline: Timestamp) {
        (self.deadline, self.look_at) = (deadline, deadline);
    }

    pub(super) fn add_frame(&mut self, frame: FrameRef) {
        if !self.frames().contains(&frame)
            && let Some(slot) = self.frames.get_mut(self.frames_len)
        {
            *slot = frame;
            self.frames_len += 1;
        }
    }

    pub(super) fn frames(&self) -> &[FrameRef] {
        self.frames.get(..self.frames_len).unwrap_or_default()
    }

    pub(super) fn targets(&self) -> &[Target] {
        self.targets.get(..self.len).unwrap_or_default()
    }

    pub(super) fn targets_mut(&mut self) -> &mut [Target] {
        self.targets.get_mut(..self.len).unwrap_or_default()
    }

    /// Whether it commands one of these points.
    pub(super) fn shares(&self, orders: &[PointOrder]) -> bool {
        let same = |t: &Target, o: &PointOrder| t.kind == o.kind && t.address == o.address;
        self.targets().iter().any(|target| orders.iter().any(|order| same(target, order)))
    }

    /// Whether every point is as commanded.
    pub(super) fn is_done(&self) -> bool {
        self.more == 0 && self.targets().iter().all(Target::is_done)
    }

    /// Whether a trusted point was read often enough and is not as commanded.
    pub(super) fn disobeyed(&self) -> Option<&Target> {
        /// Readings that show a point to have stayed.
        const ENOUGH: u8 = 3;
        self.targets().iter().find(|t| {
            t.trusted
                && !t.is_done()
                && t.readings >= ENOUGH
                && t.after.is_some()
                && t.order.wanted().is_some()
        })
    }

    /// Whether any reading is worth waiting for.
    pub(super) fn is_watched(&self) -> bool {
        self.targets().iter().any(|t| t.order.wanted().is_some() && !t.is_done())
    }

    /// Its points as ranges, for findings.
    pub(super) fn ranges(&self) -> ([PointRange; FOLLOWED], usize) {
        let mut ranges = [PointRange::one(PointKind::DeviceData, 0); FOLLOWED];
        for (slot, target) in ranges.iter_mut().zip(self.targets()) {
            *slot = PointRange::one(target.kind, target.address);
        }
        (ranges, self.len)
    }

    /// What to call its end when nothing more comes.
    pub(super) fn fate(&self) -> ControlOutcome {
        match self.stage {
            _ if self.refusal.is_some() => ControlOutcome::Refused,
            Stage::Selected => ControlOutcome::NotOperated,
            Stage::Selecting => ControlOutcome::NoAnswer,
            Stage::Sent if self.is_done() && self.targets().iter().any(|t| t.effect.is_some()) => {
                ControlOutcome::Done
            }
            Stage::Sent if self.wants_answer => ControlOutcome::NoAnswer,
            _ if self.is_done() => ControlOutcome::Done,
            _ if self.disobeyed().is_some() => ControlOutcome::NoEffect,
            _ => ControlOutcome::NotConfirmed,
        }
    }

    /// A point as the event shows it.
    pub(super) fn told<'a>(&self, target: &Target, name: Option<&'a str>) -> ControlPoint<'a> {
        ControlPoint {
            kind: target.kind,
            address: target.address,
            name,
            order: target.order,
            status: target.status,
            before: target.before,
            after: target.after.or(if target.is_already() { target.before } else { None }),
            effect_ns: target.effect.map(|at| at.since(self.sent)),
        }
    }
}
