//! The state of a connection: numbers, windows, start and stop, tests (IEC 60870-5-104, clause 5).
//!
//! Numbers are 15 bits and count I frames of one direction from the start of the TCP connection.

use super::apci::function;
use crate::contract::*;
use crate::scene::Scene;

/// Most I frames that may wait for an acknowledgement (k). Installations may agree on more, so what exceeds it is
/// a peculiarity.
const WINDOW: u16 = 12;
/// How long an I frame, or a test, may wait (t1), in nanoseconds.
const T1_NS: u64 = 15_000_000_000;
/// How long a frame out of turn makes numbers doubtful.
const LATE_NS: u64 = 30_000_000_000;
/// Numbers wrap behind 15 bits.
const MASK: u16 = 0x7FFF;

/// Whether data may flow.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
enum Transfer {
    /// The beginning was not seen.
    Unknown,
    Stopped,
    Starting,
    Started,
    Stopping,
}

/// What one direction has sent.
#[derive(Debug, Default)]
struct Side {
    /// Number of its next I frame; `None` while that cannot be known.
    next: Option<u16>,
    /// What the other side has acknowledged: the number it expects.
    acknowledged: Option<u16>,
    /// Since when an I frame waits for its acknowledgement.
    waits: Option<Origin>,
    /// The window was exceeded, and that was told.
    told_window: bool,
    /// A test that waits for its confirmation.
    test: Option<Origin>,
    /// I frames while transfer was stopped were told.
    told_stopped: bool,
}

/// All of it.
#[derive(Debug)]
pub(super) struct Link {
    sides: [Side; 2],
    transfer: Transfer,
    /// The frame that came out of turn last, and when this was noticed.
    late: (Option<FrameRef>, Timestamp),
    /// Confirmations that starts and stops wait for.
    owed: [u8; 2],
    /// Which way the controlling station sends, if a start has told it.
    pub started_by: Option<Direction>,
}

fn ahead(from: u16, to: u16) -> u16 {
    to.wrapping_sub(from) & MASK
}

impl Link {
    pub(super) fn new(flow: &FlowInfo) -> Link {
        let midstream = flow.coverage.midstream;
        let side = || Side {
            next: (!midstream).then_some(0),
            acknowledged: (!midstream).then_some(0),
            ..Side::default()
        };
        let transfer = if midstream { Transfer::Unknown } else { Transfer::Stopped };
        Link {
            sides: [side(), side()],
            transfer,
            late: (flow.late, Timestamp::default()),
            owed: [0; 2],
            started_by: None,
        }
    }

    /// Octets of a direction were not seen: its numbers start anew with the next frame.
    pub(super) fn interrupt(&mut self, direction: Direction) {
        let side = &mut self.sides[direction.index()];
        (side.next, side.acknowledged, side.waits, side.test) = (None, None, None, None);
        // What the other side acknowledges is in the hole too, or was.
        let other = &mut self.sides[direction.reverse().index()];
        (other.waits, other.test) = (None, None);
        (self.transfer, self.owed) = (Transfer::Unknown, [0; 2]);
    }

    /// An I frame.
    pub(super) fn information(&mut self, scene: &Scene<'_>, sent: u16, observer: &mut dyn Observer) {
        let from_controlling = self.started_by == Some(scene.direction);
        let early = match self.transfer {
            Transfer::Unknown | Transfer::Started => false,
            Transfer::Stopped => true,
            // What a side sent before it heard of the start or the stop may still be on its way.
            Transfer::Starting => !from_controlling,
            Transfer::Stopping => from_controlling,
        };
        let side = &mut self.sides[scene.direction.index()];
        if early && !core::mem::replace(&mut side.told_stopped, true) {
            let (expected, observed) =
                (format_args!("no data before transfer is started"), format_args!("an I frame"));
            scene.at(2).report(observer, (DefectKind::NotStarted, "I4-C04"), expected, observed);
        }
        if let Some(expected) = side.next.filter(|expected| *expected != sent) {
            let (expected, observed) = (format_args!("N(S) {expected}"), format_args!("N(S) {sent}"));
            scene.at(2).report(observer, (DefectKind::SequenceError, "I4-C06"), expected, observed);
            // What was to be acknowledged is not known any more.
            side.acknowledged = None;
        }
        side.next = Some(sent.wrapping_add(1) & MASK);
        side.waits.get_or_insert(scene.origin);
        let Some(acknowledged) = side.acknowledged else { return };
        let waiting = ahead(acknowledged, side.next.unwrap_or(0));
        if waiting > WINDOW && !side.told_window && !scene.flow.coverage.one_way {
            side.told_window = true;
            let (expected, observed) = (
                format_args!("at most {WINDOW} I frames without an acknowledgement"),
                format_args!("{waiting}"),
            );
            scene.at(2).report(observer, (DefectKind::Peculiar, "I4-C07"), expected, observed);
        }
    }

    /// N(R) of an I or S frame.
    pub(super) fn acknowledge(&mut self, scene: &Scene<'_>, received: u16, observer: &mut dyn Observer) {
        let out_of_turn = self.out_of_turn(scene);
        let side = &mut self.sides[scene.direction.reverse().index()];
        let Some(next) = side.next else {
            // The first number heard says where the other side must be, at least.
            side.acknowledged = None;
            return;
        };
        let Some(acknowledged) = side.acknowledged else {
            if ahead(received, next) <= MASK / 2 {
                side.acknowledge(received, next, scene.origin);
            }
            return;
        };
        if ahead(acknowledged, received) <= ahead(acknowledged, next) {
            side.acknowledge(received, next, scene.origin);
            return;
        }
        // A frame out of turn may have hidden what is acknowledged; with one direction alone nothing can be said.
        if !out_of_turn && !scene.flow.coverage.one_way {
            let (expected, observed) =
                (format_args!("N(R) {acknowledged} to {next}"), format_args!("N(R) {received}"));
            scene.at(4).report(observer, (DefectKind::SequenceError, "I4-C06"), expected, observed);
        }
        side.acknowledged = None;
        side.waits = None;
    }

    /// Whether frames came out of turn lately.
    fn out_of_turn(&mut self, scene: &Scene<'_>) -> bool {
        if scene.flow.late != self.late.0 {
            self.late = (scene.flow.late, scene.origin.at);
        }
        self.late.0.is_some() && scene.origin.at.since(self.late.1) <= LATE_NS
    }

    /// A U frame; `bits` is one function.
    pub(super) fn unnumbered(&mut self, scene: &Scene<'_>, bits: u8, observer: &mut dyn Observer) {
        let direction = scene.direction;
        match bits {
            function::STARTDT_ACT | function::STOPDT_ACT => {
                let start = bits == function::STARTDT_ACT;
                let owed = &mut self.owed[usize::from(start)];
                *owed = owed.saturating_add(1);
                // One act does not turn the roles of a connection round: what follows would be misread.
                if self.started_by.is_some_and(|by| by != direction) {
                    reversal(scene, bits, observer);
                } else {
                    self.started_by = Some(direction);
                    self.transfer = match (start, self.transfer) {
                        // A start of what is started changes nothing.
                        (true, Transfer::Started | Transfer::Unknown) => self.transfer,
                        (true, _) => Transfer::Starting,
                        (false, _) => Transfer::Stopping,
                    };
                }
            }
            function::STARTDT_CON => {
                self.confirm(scene, Transfer::Started, bits, observer);
            }
            function::STOPDT_CON => {
                self.confirm(scene, Transfer::Stopped, bits, observer);
            }
            function::TESTFR_ACT => {
                self.sides[direction.index()].test.get_or_insert(scene.origin);
            }
            function::TESTFR_CON => {
                let test = self.sides[direction.reverse().index()].test.take();
                if test.is_none() && self.transfer != Transfer::Unknown {
                    unasked(scene, "TESTFR act", "TESTFR con", observer);
                }
            }
            _ => {}
        }
        for side in &mut self.sides {
            side.told_stopped &= bits & (function::TESTFR_ACT | function::TESTFR_CON) != 0;
        }
    }

    fn confirm(&mut self, scene: &Scene<'_>, then: Transfer, bits: u8, observer: &mut dyn Observer) {
        let owed = &mut self.owed[usize::from(bits == function::STARTDT_CON)];
        let asked = *owed > 0;
        *owed = owed.saturating_sub(1);
        if !asked && self.transfer != Transfer::Unknown {
            let (act, con) = match bits {
                function::STARTDT_CON => ("STARTDT act", "STARTDT con"),
                _ => ("STOPDT act", "STOPDT con"),
            };
            unasked(scene, act, con, observer);
        } else if self.started_by == Some(scene.direction) {
            reversal(scene, bits, observer);
        }
        if self.transfer == Transfer::Unknown && bits == function::STARTDT_CON {
            // Nor does one confirmation turn round what an act has told.
            self.started_by.get_or_insert(scene.direction.reverse());
        }
        self.transfer = then;
    }

    /// What should have come by `now`.
    pub(super) fn expire(&mut self, flow: &FlowInfo, now: Timestamp, observer: &mut dyn Observer) {
        for direction in [Direction::ToServer, Direction::ToClient] {
            let by_controlling = self.started_by.map(|by| by == direction);
            let side = &mut self.sides[direction.index()];
            let overdue = |origin: &Origin| origin.at.plus(T1_NS) < now;
            let scene = |origin: Origin| {
                let origin = Origin { at: origin.at.plus(T1_NS), ..origin };
                let mut scene = Scene::new(Protocol::Iec104, flow, direction, origin, &[]);
                scene.from_master = by_controlling;
                scene
            };
            if let Some(origin) = side.test.take_if(|origin| overdue(origin)) {
                let (expected, observed) = (format_args!("TESTFR con within 15 s"), format_args!("none"));
                scene(origin).report(observer, (DefectKind::UnansweredRequest, "I4-C08"), expected, observed);
            }
            let late = side.waits.take_if(|origin| overdue(origin));
            if let Some(origin) = late.filter(|_| !flow.coverage.one_way) {
                let (expected, observed) =
                    (format_args!("an acknowledgement of an I frame within 15 s"), format_args!("none"));
                scene(origin).report(observer, (DefectKind::Peculiar, "I4-C07"), expected, observed);
            }
        }
    }

    /// When something is due next.
    pub(super) fn deadline(&self) -> Option<Timestamp> {
        let since = |origin: &Option<Origin>| origin.as_ref().map_or(Timestamp(u64::MAX), |origin| origin.at);
        let [one, other] = &self.sides;
        let first = since(&one.waits).min(since(&one.test)).min(since(&other.waits)).min(since(&other.test));
        (first.0 < u64::MAX).then(|| first.plus(T1_NS))
    }
}

impl Side {
    fn acknowledge(&mut self, received: u16, next: u16, at: Origin) {
        if self.acknowledged != Some(received) {
            self.waits = (received != next).then_some(at);
        }
        self.acknowledged = Some(received);
        self.told_window &= ahead(received, next) > WINDOW;
    }
}

fn reversal(scene: &Scene<'_>, bits: u8, observer: &mut dyn Observer) {
    let expected = format_args!("{} from the other side, which has the other role", Spoken(bits));
    let observed = format_args!("{}", Spoken(bits));
    scene.at(2).report(observer, (DefectKind::RoleReversal, "I4-C05"), expected, observed);
}

fn unasked(scene: &Scene<'_>, act: &str, con: &str, observer: &mut dyn Observer) {
    let (expected, observed) = (format_args!("{act} before"), format_args!("{con}"));
    scene.at(2).report(observer, (DefectKind::AnswerWithoutRequest, "I4-C08"), expected, observed);
}

/// A U function as the standard writes it.
struct Spoken(u8);

impl core::fmt::Display for Spoken {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self.0 {
            function::STARTDT_ACT => "STARTDT act",
            function::STARTDT_CON => "STARTDT con",
            function::STOPDT_ACT => "STOPDT act",
            _ => "STOPDT con",
        })
    }
}
