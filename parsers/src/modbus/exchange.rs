//! Questions and answers of one flow: which request a response answers, and whether it fits it (fact
//! sheet, section 5 and checks MB-C11 to MB-C13, MB-C18, MB-C19).

use crate::contract::{Action, DefectKind, Function, Limits, Observer, PointRange, Timestamp, Wait};

use super::detail::Framing;
use super::fit::{agrees, contradicts_request, echoed, fits_request};
use super::function::{self, FORCE_LISTEN_ONLY};
use super::pairing::{Pairing, Pending, Place, RANGES, digest};
use super::pdu::{Pdu, Role};
use super::site::Site;

/// A client that asks the same thing with the same transaction id so long after has given up the first
/// question. Without this a constant transaction id would shift all answers by one after a single loss.
const GIVEN_UP_NS: u64 = 500_000_000;

/// So many answers in a row must carry a foreign transaction id before the server is believed not to copy
/// it, on a flow that was not seen whole.
const MISSES: u8 = 3;

/// Whether the server copies transaction ids, as it must.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
enum Echo {
    Unknown,
    Yes,
    No,
}

/// How a request stands.
#[derive(Debug, Copy, Clone)]
pub(crate) struct Asked {
    pub(crate) wants_answer: bool,
    pub(crate) broadcast: bool,
}

/// The state of all exchanges on a flow.
#[derive(Debug)]
pub(crate) struct Exchanges {
    table: Pairing,
    echo: Echo,
    last_id: Option<u16>,
    /// Two requests had different transaction ids: an id means something.
    ids_vary: bool,
    /// Unit 0 has answered, so it is the device itself and no broadcast.
    unit_0_answers: bool,
    /// Answers in a row that only their shape ties to a request.
    misses: u8,
    told_reuse: bool,
    told_full: bool,
}

/// What a response is to the requests before it.
#[derive(Debug)]
pub(crate) enum Answer {
    /// The answer to this one.
    To(Pending),
    /// The answer to this one, with another transaction id.
    WithoutEcho(Pending),
    /// It has the transaction id of this one, but another unit or function.
    Contradicts(Pending),
    /// Nobody asked.
    Unasked,
}

impl Answer {
    /// The request it answers.
    pub(crate) fn request(&self) -> Option<&Pending> {
        match self {
            Answer::To(pending) | Answer::WithoutEcho(pending) => Some(pending),
            Answer::Contradicts(_) | Answer::Unasked => None,
        }
    }
}

enum Match {
    Exact(Place),
    /// By unit and function alone.
    ByShape(Place),
    /// The id is known, but unit or function are not what was asked.
    Contradicts(Place),
    None,
}

impl Exchanges {
    pub(crate) fn new(limits: &Limits) -> Exchanges {
        Exchanges {
            table: Pairing::new(limits.pending_requests),
            echo: Echo::Unknown,
            last_id: None,
            ids_vary: false,
            unit_0_answers: false,
            misses: 0,
            told_reuse: false,
            told_full: false,
        }
    }

    pub(crate) fn memory(&self) -> usize {
        self.table.memory()
    }

    pub(crate) fn deadline(&self) -> Option<Timestamp> {
        self.table.deadline()
    }

    /// Whether a request with these waits: proof that a header in doubt is an answer.
    pub(crate) fn expects(&self, transaction: u16, unit: u8, code: u8) -> bool {
        self.table.exact(transaction, unit, code).next().is_some()
    }

    /// How a request would stand, before it is remembered.
    pub(crate) fn asked(&self, pdu: &Pdu<'_>, framing: Framing) -> Asked {
        let serial = matches!(framing, Framing::Rtu { .. });
        let to_all = framing.unit() == 0 && (serial || !self.unit_0_answers);
        let silenced = pdu.diagnostic == Some(FORCE_LISTEN_ONLY);
        Asked { wants_answer: !to_all && !silenced, broadcast: to_all && function::writes(pdu.code) }
    }

    /// Remember a request.
    pub(crate) fn request(
        &mut self,
        pdu: &Pdu<'_>,
        framing: Framing,
        ranges: &[PointRange],
        site: &Site<'_>,
        limits: &Limits,
        observer: &mut dyn Observer,
    ) {
        let Asked { wants_answer, broadcast } = self.asked(pdu, framing);
        let due = site.origin.at.plus(limits.answer_timeout_ns);
        let sub = pdu.sub();
        let mut kept = [None; RANGES];
        kept.iter_mut().zip(ranges).for_each(|(slot, range)| *slot = Some(*range));
        let pending = Pending {
            transaction: framing.transaction(),
            unit: framing.unit(),
            function: function::function(pdu.code, sub),
            action: function::action(pdu.code, sub),
            origin: site.origin,
            direction: site.direction,
            due,
            forgotten: due.plus(limits.late_answer_ns),
            echo: digest(echoed(pdu)),
            quantity: pdu.read_quantity.or(pdu.quantity).unwrap_or(0),
            identification: pdu.identification.code.unwrap_or(0),
            ranges: kept,
            more_ranges: ranges.len() > RANGES,
            wants_answer,
            broadcast,
        };
        self.note_id(&pending, matches!(framing, Framing::Rtu { .. }), site, observer);
        let evicted = self.table.insert(pending);
        if evicted && !self.told_full {
            self.told_full = true;
            let limit = self.table.limit();
            site.report(
                observer,
                (DefectKind::LimitReached, ""),
                0,
                format_args!("at most {limit} requests waiting for answers (pending_requests)"),
                format_args!("one more; the oldest is forgotten, and so on until half are answered"),
            );
        }
        if self.table.len() <= self.table.limit() / 2 {
            self.told_full = false;
        }
    }

    /// Whether nothing is to be told of a request: there is room for it, or it was told that there is none; and no
    /// open request has its numbers, or that was told, or it asks the same once more.
    #[inline]
    pub(crate) fn is_plain_request(&self, new: &Pending) -> bool {
        if self.table.len() >= self.table.limit() && !self.told_full {
            return false;
        }
        let Some(oldest) = self.table.exact(new.transaction, new.unit, new.function.code).next() else {
            return true;
        };
        let is_told = self.told_reuse && !self.ids_vary && self.last_id == Some(new.transaction);
        self.table.get(oldest).is_some_and(|old| {
            new.origin.at.since(old.origin.at) < GIVEN_UP_NS
                && (is_told || (old.echo == new.echo && old.quantity == new.quantity))
        })
    }

    /// Remember a request that [`Exchanges::is_plain_request`].
    #[inline]
    pub(crate) fn remember_plain(&mut self, pending: Pending) {
        self.ids_vary |= self.last_id.is_some_and(|id| id != pending.transaction);
        self.last_id = Some(pending.transaction);
        self.table.insert(pending);
        if self.table.len() <= self.table.limit() / 2 {
            self.told_full = false;
        }
    }

    /// The request that an answer belongs to beyond doubt, taken from the table; `None`, and nothing has changed, if
    /// there is more to say of it.
    #[inline]
    pub(crate) fn take_plain(
        &mut self,
        transaction: u16,
        unit: u8,
        code: u8,
        fits: impl Fn(&Pending) -> bool,
    ) -> Option<&Pending> {
        if self.echo == Echo::No {
            return None;
        }
        let place = self.table.exact(transaction, unit, code).next()?;
        let plain = |p: &Pending| p.wants_answer && p.ranges[0].is_some() && p.ranges[1].is_none() && fits(p);
        self.table.get(place).filter(|p| plain(p))?;
        self.misses = 0;
        if self.ids_vary && self.echo == Echo::Unknown {
            self.echo = Echo::Yes;
        }
        self.table.take(place)
    }

    /// MB-C18, and requests that this one replaces.
    fn note_id(&mut self, new: &Pending, serial: bool, site: &Site<'_>, observer: &mut dyn Observer) {
        self.ids_vary |= self.last_id.is_some_and(|id| id != new.transaction);
        self.last_id = Some(new.transaction);
        let Some(oldest) = self.table.exact(new.transaction, new.unit, new.function.code).next() else {
            return;
        };
        let Some(old) = self.table.get(oldest) else { return };
        let retry = old.echo == new.echo && old.quantity == new.quantity;
        let apart = new.origin.at.since(old.origin.at);
        // A line carries one question at a time.
        if serial || apart >= GIVEN_UP_NS {
            self.table.retire(oldest);
        }
        if serial || retry || (self.told_reuse && !self.ids_vary) {
            return;
        }
        self.told_reuse = true;
        site.report(
            observer,
            (DefectKind::SequenceError, "MB-C18"),
            0,
            format_args!("a transaction id that no unanswered request has"),
            format_args!("id {} again after {}", new.transaction, Wait(apart)),
        );
    }

    /// Find the request that a response answers. It is taken from the table, unless it is contradicted: if
    /// this answer is forged, the true one is still to come.
    ///
    /// `complete` says that the flow was seen from its beginning and without gaps.
    pub(crate) fn answer(&mut self, pdu: &Pdu<'_>, framing: Framing, complete: bool) -> Answer {
        match self.find(pdu, framing) {
            Match::Exact(place) => {
                self.misses = 0;
                if self.ids_vary && self.echo == Echo::Unknown {
                    self.echo = Echo::Yes;
                }
                self.table.take(place).copied().map_or(Answer::Unasked, Answer::To)
            }
            Match::ByShape(place) => {
                // With something unseen the answer may well belong to a request that was not seen.
                let proof = if complete { 1 } else { MISSES };
                self.misses = self.misses.saturating_add(1);
                if self.echo != Echo::No && self.misses < proof {
                    return Answer::Unasked;
                }
                self.table.take(place).copied().map_or(Answer::Unasked, Answer::WithoutEcho)
            }
            Match::Contradicts(place) => {
                self.table.get(place).copied().map_or(Answer::Unasked, Answer::Contradicts)
            }
            Match::None => Answer::Unasked,
        }
    }

    /// Report what is wrong with an answer.
    pub(crate) fn judge(
        &mut self,
        answer: &Answer,
        pdu: &Pdu<'_>,
        framing: Framing,
        site: &Site<'_>,
        observer: &mut dyn Observer,
    ) {
        let pending = match answer {
            Answer::To(pending) => pending,
            Answer::WithoutEcho(pending) => {
                self.note_missing_echo(pending, framing, site, observer);
                pending
            }
            Answer::Contradicts(asked) => return contradicts_request(asked, pdu, framing, site, observer),
            Answer::Unasked => {
                let (unit, id) = (framing.unit(), framing.transaction());
                site.report(
                    observer,
                    (DefectKind::AnswerWithoutRequest, "MB-C13"),
                    0,
                    format_args!("a request before it"),
                    format_args!("an answer to function {} of unit {unit}, transaction {id}", pdu.code),
                );
                return;
            }
        };
        self.answer_to_all(pending, pdu, framing, site, observer);
        fits_request(pending, pdu, site, framing.base(), observer);
    }

    fn find(&self, pdu: &Pdu<'_>, framing: Framing) -> Match {
        let (id, unit, code) = (framing.transaction(), framing.unit(), pdu.code);
        let consistent = |place: &Place| self.table.get(*place).is_some_and(|p| agrees(p, pdu));
        let waiting = |place: &Place| !self.table.is_retired(*place);
        if self.echo == Echo::No {
            let by_shape = self.table.same_shape(unit, code).filter(waiting).find(consistent);
            if let Some(place) = by_shape {
                return Match::ByShape(place);
            }
        }
        let mut exact = self.table.exact(id, unit, code);
        if let Some(first) = exact.next() {
            let best = if consistent(&first) { None } else { exact.find(consistent) };
            return Match::Exact(best.unwrap_or(first));
        }
        let asked_this =
            |place: &Place| self.table.get(*place).is_some_and(|p| p.unit == unit && p.function.code == code);
        if let Some(late) = self.table.same_id(id).find(asked_this) {
            return Match::Exact(late);
        }
        if let Some(place) = self.table.same_id(id).find(waiting) {
            return Match::Contradicts(place);
        }
        if self.echo == Echo::Unknown && matches!(framing, Framing::Mbap(_)) && self.table.one_active() {
            let by_shape = self.table.same_shape(unit, code).filter(waiting).find(consistent);
            if let Some(place) = by_shape {
                return Match::ByShape(place);
            }
        }
        Match::None
    }

    fn note_missing_echo(
        &mut self,
        pending: &Pending,
        framing: Framing,
        site: &Site<'_>,
        observer: &mut dyn Observer,
    ) {
        if core::mem::replace(&mut self.echo, Echo::No) == Echo::No {
            return;
        }
        site.report(
            observer,
            (DefectKind::Peculiar, ""),
            0,
            format_args!("transaction id {} of the request", pending.transaction),
            format_args!("{}: paired by unit, function and order", framing.transaction()),
        );
    }

    /// MB-C19.
    fn answer_to_all(
        &mut self,
        pending: &Pending,
        pdu: &Pdu<'_>,
        framing: Framing,
        site: &Site<'_>,
        observer: &mut dyn Observer,
    ) {
        if pending.wants_answer {
            return;
        }
        if pending.function.code == function::DIAGNOSTICS && pending.function.sub == Some(FORCE_LISTEN_ONLY) {
            // A device that refuses the order is not silenced.
            if !pdu.exception {
                site.report(
                    observer,
                    (DefectKind::ContradictingAnswer, "MB-C19"),
                    0,
                    format_args!("silence after force listen only mode"),
                    format_args!("an answer"),
                );
            }
            return;
        }
        if matches!(framing, Framing::Rtu { .. }) {
            site.report(
                observer,
                (DefectKind::ContradictingAnswer, "MB-C19"),
                0,
                format_args!("no answer to a broadcast"),
                format_args!("an answer from address 0"),
            );
            return;
        }
        if !core::mem::replace(&mut self.unit_0_answers, true) && pending.broadcast {
            site.report(
                observer,
                (DefectKind::Peculiar, "MB-C19"),
                0,
                format_args!("no answer to a broadcast"),
                format_args!("unit 0 answers: it is the device itself"),
            );
        }
    }

    /// Report what is overdue at `now`, and forget what is too old even for a late answer.
    pub(crate) fn expire(&mut self, now: Timestamp, mut report: impl FnMut(&Pending)) {
        if self.table.deadline().is_some_and(|due| due <= now) {
            while let Some(overdue) = self.table.next_overdue(now) {
                if overdue.wants_answer {
                    report(&overdue);
                }
            }
        }
        self.table.forget(now);
    }
}

/// The class and function of an operation: a response has those of its request.
pub(crate) fn class(pdu: &Pdu<'_>, pending: Option<&Pending>) -> (Action, Function) {
    let own = pdu.sub();
    match pending {
        Some(p) if pdu.role == Role::Response => {
            (p.action, function::function(pdu.code, own.or(p.function.sub)))
        }
        _ => (function::action(pdu.code, own), function::function(pdu.code, own)),
    }
}
