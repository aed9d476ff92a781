//! Questions and answers: what a fragment means for the requests that wait.
//!
//! An answer carries the sequence number of its request; the fragments of a long answer count on from
//! there. Unsolicited responses and their confirmations count by themselves.

use super::application::Fragment;
use super::association::{Association, Unconfirmed};
use super::echo;
use super::function;
use super::link;
use super::pairing::{self, Pending, Request, Row};
use super::survey::{self, Survey};
use crate::contract::*;
use crate::scene::Scene;

/// How long a broadcast or an order for silence is remembered, in nanoseconds: as long as a station
/// that answers in spite of it may take.
const SILENCE_NS: u64 = 10_000_000_000;

/// The last broadcast of any master on the flow.
#[derive(Debug, Copy, Clone)]
pub(super) struct Broadcast {
    master: u16,
    sequence: u8,
    at: Timestamp,
}

/// What a fragment answers.
#[derive(Debug, Copy, Clone, Default)]
pub(super) struct Match {
    pub requested: Option<u8>,
    pub action: Option<Action>,
    pub answers: Option<Answered>,
    pub more_ranges: bool,
}

/// The tables, with the pair at hand.
pub(super) struct Table<'a> {
    pub pair: &'a mut Association,
    pub index: usize,
    pub pending: &'a mut Pending,
    pub broadcast: &'a mut Option<Broadcast>,
    pub ranges: &'a mut Vec<PointRange>,
}

/// Whether an answer is due.
pub(super) fn wants_answer(outstation: u16, code: u8, survey: &Survey) -> bool {
    let silent =
        function::is_no_response(code) || code == function::CONFIRM || link::is_broadcast(outstation);
    // An authentication reply is answered by the answer to the request that was challenged.
    let reply = code == function::AUTHENTICATE_REQ && survey.reply;
    !silent && !reply
}

impl Table<'_> {
    /// A request: note it, so that its answer is known.
    pub(super) fn request(
        &mut self,
        scene: &Scene<'_>,
        (outstation, master): (u16, u16),
        fragment: &Fragment<'_>,
        survey: &Survey,
        observer: &mut dyn Observer,
    ) -> Match {
        let (code, sequence) = (fragment.function, fragment.control.sequence());
        if !wants_answer(outstation, code, survey) {
            let at = scene.origin.at;
            if link::is_broadcast(outstation) {
                *self.broadcast = Some(Broadcast { master, sequence, at });
            } else if function::is_no_response(code) {
                self.pair.silent = Some((sequence, code, at));
            }
            return Match::default();
        }
        let digest = pairing::digest(fragment.body());
        if let Some(row) = self.retried(code, sequence, digest) {
            self.pending.rearm(row, scene.origin.at);
            if let Some(row) = self.pending.get_mut(row) {
                row.origin = scene.origin;
            }
            return Match::default();
        }
        self.make_room(scene, observer);
        self.pending.insert(&Request {
            pair: self.index,
            master,
            outstation,
            direction: scene.direction,
            sequence,
            function: code,
            action: survey::request_action(code, survey),
            origin: scene.origin,
            digest,
            body: if function::is_control(code) { fragment.body() } else { &[] },
            ranges: self.ranges,
            more_ranges: survey.more_ranges,
        });
        Match::default()
    }

    /// The request sent last, unless it was answered.
    fn newest(&self) -> Option<&Row> {
        self.pending.newest(self.index).and_then(|index| self.pending.get(index))
    }

    /// A retry keeps the number and the octets of the request before it.
    fn retried(&self, code: u8, sequence: u8, digest: (u64, usize)) -> Option<u16> {
        let index = self.pending.newest(self.index)?;
        let row = self.pending.get(index)?;
        let same = (row.function, row.sequence, row.digest, row.fragments) == (code, sequence, digest, 0);
        same.then_some(index)
    }

    fn make_room(&mut self, scene: &Scene<'_>, observer: &mut dyn Observer) {
        let Some(oldest) = self.pending.crowded_out() else { return };
        let waits = self.pending.get(oldest).is_some_and(|row| !row.expired);
        if waits && self.pending.tell_full() {
            let limit = self.pending.limit();
            scene.report(
                observer,
                (DefectKind::LimitReached, ""),
                format_args!("at most {limit} requests waiting for answers (pending_requests)"),
                format_args!("one more; the oldest is forgotten, and so on until half are answered"),
            );
        }
        self.pending.remove(oldest);
    }

    /// A solicited or authentication response.
    pub(super) fn response(
        &mut self,
        scene: &Scene<'_>,
        fragment: &Fragment<'_>,
        survey: &Survey,
        observer: &mut dyn Observer,
    ) -> Match {
        let control = fragment.control;
        self.await_confirm(0, scene, fragment);
        let Some(index) = self.pending.answered_by(self.index, control.sequence()) else {
            self.unasked(scene, control.sequence(), observer);
            return Match::default();
        };
        let Some(row) = self.pending.get(index) else { return Match::default() };
        let found = Match {
            requested: Some(row.function),
            action: Some(row.action),
            answers: Some(Answered { at: row.origin.at, frame: row.origin.frame }),
            more_ranges: self.ranges.is_empty() && row.more_ranges,
        };
        if row.expired {
            let late = Wait(scene.origin.at.since(row.origin.at));
            let texts = (format_args!("an answer in time"), format_args!("one after {late}"));
            scene.report(observer, (DefectKind::Peculiar, "DN-C15"), texts.0, texts.1);
        }
        if control.fir() != (row.fragments == 0) {
            let texts = (
                format_args!("FIR in the first fragment of an answer alone"),
                format_args!("FIR {}", control.fir()),
            );
            scene.report(observer, (DefectKind::SequenceError, "DN-C15"), texts.0, texts.1);
        }
        if function::is_control(row.function) && !fragment.body().is_empty() && !survey.challenge {
            echo::check(scene, row, fragment, observer);
        }
        if self.ranges.is_empty() {
            let row = self.pending.get(index);
            self.ranges.extend(row.into_iter().flat_map(Row::ranges));
        }
        self.advance(index, scene, fragment, survey);
        found
    }

    /// What comes after this fragment of the answer.
    fn advance(&mut self, index: u16, scene: &Scene<'_>, fragment: &Fragment<'_>, survey: &Survey) {
        let control = fragment.control;
        if survey.challenge {
            // The answer proper comes when the challenge was met.
            self.pending.rearm(index, scene.origin.at);
        } else if control.fin() {
            self.pending.remove(index);
        } else {
            self.pending.advance(index, scene.origin.at);
        }
    }

    /// An answer whose number nobody waits for.
    fn unasked(&mut self, scene: &Scene<'_>, sequence: u8, observer: &mut dyn Observer) {
        let now = scene.origin.at;
        let silent = self.pair.silent.filter(|(s, _, at)| *s == sequence && now.since(*at) <= SILENCE_NS);
        let broadcast = self.broadcast.filter(|b| {
            b.master == self.pair.key.master && b.sequence == sequence && now.since(b.at) <= SILENCE_NS
        });
        if let Some((_, code, _)) = silent {
            let name = function::function(code).name;
            let texts = (format_args!("silence after {name}"), format_args!("an answer"));
            return scene.report(observer, (DefectKind::ContradictingAnswer, "DN-C20"), texts.0, texts.1);
        }
        if let Some(open) = self.newest().filter(|row| !row.expired) {
            let texts = (format_args!("sequence {}", open.expected), format_args!("sequence {sequence}"));
            return scene.report(observer, (DefectKind::ContradictingAnswer, "DN-C15"), texts.0, texts.1);
        }
        if broadcast.is_some() {
            let texts = (format_args!("silence after a broadcast"), format_args!("an answer"));
            return scene.report(observer, (DefectKind::ContradictingAnswer, "DN-C20"), texts.0, texts.1);
        }
        let texts = (format_args!("a request before it"), format_args!("an answer with sequence {sequence}"));
        scene.report(observer, (DefectKind::AnswerWithoutRequest, "DN-C15"), texts.0, texts.1);
    }

    /// An unsolicited response.
    pub(super) fn unsolicited(&mut self, scene: &Scene<'_>, fragment: &Fragment<'_>) -> Match {
        self.await_confirm(1, scene, fragment);
        Match::default()
    }

    fn await_confirm(&mut self, which: usize, scene: &Scene<'_>, fragment: &Fragment<'_>) {
        if !fragment.control.con() {
            return;
        }
        let answered = Answered { at: scene.origin.at, frame: scene.origin.frame };
        let waiting =
            Unconfirmed { sequence: fragment.control.sequence(), function: fragment.function, answered };
        if let Some(place) = self.pair.unconfirmed.get_mut(which) {
            *place = Some(waiting);
        }
    }

    /// A CONFIRM: it repeats SEQ and UNS of what it confirms.
    pub(super) fn confirm(
        &mut self,
        scene: &Scene<'_>,
        fragment: &Fragment<'_>,
        observer: &mut dyn Observer,
    ) -> Match {
        let sequence = fragment.control.sequence();
        let Some(place) = self.pair.unconfirmed.get_mut(usize::from(fragment.control.uns())) else {
            return Match::default();
        };
        match place.take() {
            Some(waiting) if waiting.sequence == sequence => {
                let answers = Some(waiting.answered);
                Match { requested: Some(waiting.function), answers, ..Match::default() }
            }
            Some(waiting) => {
                let expected = waiting.sequence;
                *place = Some(waiting);
                let texts = (format_args!("sequence {expected}"), format_args!("sequence {sequence}"));
                scene.report(observer, (DefectKind::SequenceError, "DN-C15"), texts.0, texts.1);
                Match::default()
            }
            None => {
                let texts =
                    (format_args!("a response that wants it"), format_args!("a confirmation of {sequence}"));
                scene.report(observer, (DefectKind::SequenceError, "DN-C15"), texts.0, texts.1);
                Match::default()
            }
        }
    }
}

/// Report a request whose time has run out.
pub(super) fn unanswered(flow: &FlowInfo, pending: &Pending, index: u16, observer: &mut dyn Observer) {
    let Some(row) = pending.get(index) else { return };
    let origin = Origin { at: row.deadline, ..row.origin };
    let mut scene = Scene::new(Protocol::Dnp3, flow, row.direction, origin, &row.body);
    scene.station = StationAddress::Link(row.outstation);
    scene.from_master = Some(true);
    scene.function = Some(function::function(row.function));
    let sequence = row.sequence;
    if row.fragments > 0 {
        let texts = (
            format_args!("the last fragment of the answer to sequence {sequence}"),
            format_args!("{} fragments", row.fragments),
        );
        return scene.report(observer, (DefectKind::IncompleteFragment, "DN-C15"), texts.0, texts.1);
    }
    let texts = (format_args!("an answer to sequence {sequence}"), format_args!("none"));
    scene.report(observer, (DefectKind::UnansweredRequest, ""), texts.0, texts.1);
}
