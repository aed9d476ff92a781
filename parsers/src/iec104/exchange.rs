//! From frames to operations: who commands whom, and which answer belongs to which activation.

use super::apci::{self, Head, Kind, function};
use super::asdu::Asdu;
use super::cause;
use super::checks;
use super::detail::View;
use super::element::{self, SELECT};
use super::fields::Fields;
use super::link::Link;
use super::pending::{GLOBAL, Key, Pending, Row, digest};
use super::types::{self, Form, Size, Tag, Way};
use crate::contract::*;
use crate::scene::Scene;

/// Ranges of one operation that are listed.
const RANGES: usize = 64;
/// Octets of a body that can have been changed here: no ASDU is longer.
const BODY: usize = 256;

/// One frame.
pub(super) struct Frame<'a> {
    pub direction: Direction,
    pub origin: Origin,
    pub recovered: bool,
    pub head: Head,
    pub octets: &'a [u8],
}

/// Everything above the framing on one flow.
pub(super) struct Exchanges {
    link: Link,
    pub fields: Fields,
    pending: Pending,
    /// Which way the controlling station sends, told by what was sent.
    role: Option<Direction>,
    /// The common address of a station behind the connection, for what concerns all of it, and whether the station
    /// itself has said it. Until then it is what it is asked by.
    common: Option<(u16, bool)>,
    ranges: Vec<PointRange>,
    body: [u8; BODY],
}

/// What an ASDU is in an exchange.
struct Part {
    exchange: Exchange,
    action: Action,
    outcome: Outcome,
    answers: Option<Answered>,
    requested: Option<Function>,
}

impl Exchanges {
    pub(super) fn set_answer_timeout(&mut self, ns: u64) {
        self.pending.set_timeout(ns);
    }

    pub(super) fn new(flow: &FlowInfo, limits: &Limits) -> Exchanges {
        Exchanges {
            link: Link::new(flow),
            fields: Fields::new(),
            pending: Pending::new(limits.pending_requests, limits.answer_timeout_ns, limits.late_answer_ns),
            role: None,
            common: None,
            ranges: Vec::with_capacity(RANGES),
            body: [0; BODY],
        }
    }

    /// Which way the controlling station sends. Without a start, and before anything tells it, the side with
    /// the port is the controlled one.
    fn commands(&self, flow: &FlowInfo) -> Direction {
        self.link.started_by.or(self.role).or(flow.port_side).unwrap_or(Direction::ToServer)
    }

    /// Take a frame.
    pub(super) fn frame(&mut self, flow: &FlowInfo, frame: &Frame<'_>, observer: &mut dyn Observer) {
        self.expire(flow, frame.origin.at, observer);
        let mut scene = Scene::new(Protocol::Iec104, flow, frame.direction, frame.origin, frame.octets);
        let asdu_octets = frame.octets.get(apci::HEAD..).unwrap_or_default();
        let information = matches!(frame.head.kind, Kind::Information { .. });
        if information && self.fields.look(asdu_octets) {
            let sizes = self.fields.sizes;
            let (expected, observed) = (
                format_args!("fields of 2, 2 and 3 octets for cause, common and object address"),
                format_args!(
                    "{}, {} and {}, as IEC 60870-5-101 allows",
                    sizes.cause, sizes.common, sizes.object
                ),
            );
            scene.at(apci::HEAD).report(observer, (DefectKind::Peculiar, "CNF-08"), expected, observed);
        }
        let asdu = Asdu::new(asdu_octets, self.fields.sizes).filter(|_| information);
        if let Some(asdu) = &asdu {
            self.deduce(frame.direction, asdu);
        }
        let from_master = self.commands(flow) == frame.direction;
        scene.from_master = Some(from_master);
        if let Some(asdu) = &asdu {
            scene.station = StationAddress::Common(asdu.common);
            scene.function = Some(types::function(asdu.type_id, qualifier(asdu)));
            self.note_common(asdu, from_master);
        }
        let begun = if information { asdu_octets } else { &[] };
        let view = View { octets: frame.octets, head: frame.head, asdu, begun };
        observer.unit(&Unit {
            flow,
            direction: frame.direction,
            origin: frame.origin,
            head: frame.origin,
            protocol: Protocol::Iec104,
            recovered: frame.recovered,
            opens: frame.head.kind == Kind::Unnumbered(function::STARTDT_ACT),
            detail: &view,
        });
        control_field(&scene, frame.head, observer);
        match frame.head.kind {
            Kind::Information { sent, received } => {
                self.link.information(&scene, sent, observer);
                self.link.acknowledge(&scene, received, observer);
                match &asdu {
                    Some(asdu) => self.asdu(&scene, frame, asdu, &view, observer),
                    None => headless(&scene, asdu_octets.len(), observer),
                }
            }
            Kind::Supervisory { received } => self.link.acknowledge(&scene, received, observer),
            Kind::Unnumbered(bits) => {
                self.link.unnumbered(&scene, bits, observer);
                if bits == function::STOPDT_ACT {
                    self.stop(&scene, frame, &view, observer);
                }
            }
        }
    }

    fn note_common(&mut self, asdu: &Asdu<'_>, from_master: bool) {
        let names_one = !matches!(asdu.common, 0 | GLOBAL) && !cause::UNKNOWN.contains(&asdu.cause);
        if names_one && self.common.is_none_or(|(_, said)| !said && !from_master) {
            self.common = Some((asdu.common, !from_master));
        }
    }

    /// What an ASDU says of who commands, as long as no start has said it.
    fn deduce(&mut self, direction: Direction, asdu: &Asdu<'_>) {
        if self.role.is_none() && self.link.started_by.is_none() {
            // What does not fit its type says nothing for sure, and would turn round all that follows.
            self.role = match suggested(asdu).filter(|_| asdu.fits()) {
                Some(true) => Some(direction),
                Some(false) => Some(direction.reverse()),
                None => None,
            };
        }
    }

    fn asdu(
        &mut self,
        scene: &Scene<'_>,
        frame: &Frame<'_>,
        asdu: &Asdu<'_>,
        view: &View<'_>,
        observer: &mut dyn Observer,
    ) {
        let from_master = scene.from_master == Some(true);
        let reversed = suggested(asdu).is_some_and(|commands| commands != from_master);
        if reversed {
            let (expected, observed) = if from_master {
                (
                    format_args!("commands from the controlling station"),
                    format_args!("what a controlled station sends"),
                )
            } else {
                (format_args!("answers and reports from the controlled station"), format_args!("a command"))
            };
            scene.at(apci::HEAD).report(observer, (DefectKind::RoleReversal, "I4-C11"), expected, observed);
        }
        checks::asdu(scene, asdu, observer);
        self.list_ranges(asdu);
        let body = self.comparable(asdu);
        let part = if reversed {
            misplaced(asdu)
        } else {
            self.part(scene, frame, asdu, (from_master, body), observer)
        };
        let asks = part.exchange == Exchange::Request && !reversed;
        let function = types::function(asdu.type_id, qualifier(asdu));
        let monitors = types::way(asdu.type_id) == Way::Monitor;
        let shown = if monitors { asdu.body } else { self.body.get(..body).unwrap_or_default() };
        observer.operation(&Operation {
            flow: scene.flow,
            direction: frame.direction,
            origin: frame.origin,
            protocol: Protocol::Iec104,
            exchange: part.exchange,
            from_master,
            station: StationAddress::Common(asdu.common),
            master: StationAddress::None,
            action: part.action,
            function,
            requested: part.requested,
            ranges: &self.ranges,
            more_ranges: self.ranges.len() >= RANGES,
            outcome: part.outcome,
            answers: part.answers,
            sequence: 0,
            broadcast: asks && asdu.common == GLOBAL,
            wants_answer: asks && is_answered(asdu),
            body: shown,
            recovered: frame.recovered,
            detail: view,
        });
        if asks && is_answered(asdu) {
            self.activate(scene, frame, asdu, (part.action, body), observer);
        }
    }

    /// What an ASDU of the right side is.
    fn part(
        &mut self,
        scene: &Scene<'_>,
        frame: &Frame<'_>,
        asdu: &Asdu<'_>,
        (from_master, body): (bool, usize),
        observer: &mut dyn Observer,
    ) -> Part {
        let plain = |exchange, action| Part {
            exchange,
            action,
            outcome: Outcome::None,
            answers: None,
            requested: None,
        };
        if from_master {
            return plain(Exchange::Request, self.asked(asdu, frame.origin.at));
        }
        let mirrors =
            matches!(asdu.cause, cause::ACTIVATION_CON | cause::DEACTIVATION_CON | cause::TERMINATION)
                || cause::UNKNOWN.contains(&asdu.cause);
        let read = asdu.cause == cause::REQUEST && types::way(asdu.type_id) == Way::Monitor;
        if !mirrors && !read {
            let action = match types::action(asdu.type_id, None) {
                action @ (Action::File | Action::Authenticate | Action::Unknown) => action,
                _ => Action::Report,
            };
            return plain(Exchange::Unsolicited, action);
        }
        let mut key = key(asdu);
        if read {
            key.type_id = 102;
        }
        let digest = digest(self.body.get(..body).unwrap_or_default());
        let row = self.pending.answered_by(key).map(|row| {
            let before = (*row, row.confirmed);
            row.confirmed = true;
            (before, row.mirrors(digest, asdu.cause == cause::TERMINATION))
        });
        let Some(((row, confirmed), same)) = row else {
            if read {
                return plain(Exchange::Unsolicited, Action::Report);
            }
            let awaited = types::way(asdu.type_id) == Way::Control && asdu.fits();
            if awaited && !self.pending.forgot(frame.origin.at) && !frame.recovered {
                let (expected, observed) =
                    (format_args!("an activation before"), format_args!("{}", cause::name(asdu.cause)));
                let at = scene.at(apci::HEAD + 2);
                at.report(observer, (DefectKind::AnswerWithoutRequest, "I4-C18"), expected, observed);
            }
            return Part { outcome: outcome(asdu), ..plain(Exchange::Response, mirrored(asdu)) };
        };
        // A station may confirm a clock with its own time.
        let repeats = !read && !matches!(asdu.type_id, 103 | 106);
        if repeats && !same && asdu.fits() && row.key.common == asdu.common {
            let (expected, observed) = (format_args!("the object as it was sent"), format_args!("another"));
            let at = scene.at(apci::HEAD + asdu.sizes.head());
            at.report(observer, (DefectKind::ContradictingAnswer, "I4-C18"), expected, observed);
        }
        let ended =
            asdu.cause == cause::TERMINATION || asdu.negative || read || cause::UNKNOWN.contains(&asdu.cause);
        if ended {
            self.pending.end(key);
        }
        // The end of an activation is no second answer: it is not what the master waited for.
        let answers = Answered { at: row.origin.at, frame: row.origin.frame };
        let first = !(confirmed && asdu.cause == cause::TERMINATION);
        Part {
            exchange: Exchange::Response,
            action: row.action,
            outcome: outcome(asdu),
            answers: first.then_some(answers),
            requested: Some(types::function(row.key.type_id, row.sub)),
        }
    }

    /// The class of a request. Whether an execute had a select is known from the selects before.
    fn asked(&mut self, asdu: &Asdu<'_>, now: Timestamp) -> Action {
        let commands = types::of(asdu.type_id).is_some_and(|row| row.form.commands());
        let key = key(asdu);
        if asdu.cause == cause::DEACTIVATION {
            self.pending.take_select(key);
            return Action::Cancel;
        }
        if !commands {
            return types::action(asdu.type_id, qualifier(asdu));
        }
        if selects(asdu) {
            self.pending.select(key, now);
            Action::Select
        } else if self.pending.take_select(key) || self.pending.may_have_lost_select(now) {
            Action::Operate
        } else {
            Action::DirectOperate
        }
    }

    fn activate(
        &mut self,
        scene: &Scene<'_>,
        frame: &Frame<'_>,
        asdu: &Asdu<'_>,
        (action, body): (Action, usize),
        observer: &mut dyn Observer,
    ) {
        let row = Row {
            key: key(asdu),
            direction: frame.direction,
            origin: frame.origin,
            sub: qualifier(asdu),
            action,
            digest: digest(self.body.get(..body).unwrap_or_default()),
            earlier: None,
            deadline: frame.origin.at,
            confirmed: false,
            expired: false,
            times: 1,
        };
        if self.pending.activate(row) {
            let limit = self.pending.limit();
            scene.report(
                observer,
                (DefectKind::LimitReached, ""),
                format_args!(
                    "at most {limit} activations waiting for their confirmations (pending_requests)"
                ),
                format_args!("one more; the oldest is forgotten, and so on until half are confirmed"),
            );
        }
    }

    /// Transfer is stopped: the station keeps everything to itself.
    fn stop(&mut self, scene: &Scene<'_>, frame: &Frame<'_>, view: &View<'_>, observer: &mut dyn Observer) {
        let Some((common, _)) = self.common else { return };
        let from_master = scene.from_master == Some(true);
        observer.operation(&Operation {
            flow: scene.flow,
            direction: frame.direction,
            origin: frame.origin,
            protocol: Protocol::Iec104,
            exchange: Exchange::Request,
            from_master,
            station: StationAddress::Common(common),
            master: StationAddress::None,
            action: Action::Configure,
            function: types::function(0, Some(function::STOPDT_ACT.into())),
            requested: None,
            ranges: &[],
            more_ranges: false,
            outcome: Outcome::None,
            answers: None,
            sequence: 0,
            broadcast: false,
            wants_answer: false,
            body: &[],
            recovered: frame.recovered,
            detail: view,
        });
    }

    /// The objects of an ASDU as ranges, neighbours together.
    fn list_ranges(&mut self, asdu: &Asdu<'_>) {
        self.ranges.clear();
        if checks::is_for_station(asdu.type_id) || matches!(types::size(asdu.type_id), Size::Unknown) {
            return;
        }
        let kind = PointKind::InformationObject;
        for object in asdu.objects() {
            let (address, listed) = (object.address, self.ranges.len());
            match self.ranges.last_mut() {
                Some(last) if last.last().checked_add(1) == Some(address) => {
                    *last = PointRange::new(kind, last.first(), address);
                }
                _ if listed >= RANGES => return,
                _ => self.ranges.push(PointRange::one(kind, address)),
            }
        }
    }

    /// What a mirror or an execute has to repeat: the objects of a command without select bits and times; of
    /// everything else, all of the body. Gives its octets in `body`.
    fn comparable(&mut self, asdu: &Asdu<'_>) -> usize {
        if types::way(asdu.type_id) == Way::Monitor {
            return 0;
        }
        let commands = types::of(asdu.type_id).filter(|row| row.form.commands());
        let Some(row) = commands else {
            return put(&mut self.body, 0, asdu.body);
        };
        let timed = if row.tag == Tag::Long { 7 } else { 0 };
        let mut end = 0;
        for object in asdu.objects() {
            end = put(&mut self.body, end, &object.address.to_le_bytes());
            let element =
                object.element.get(..object.element.len().saturating_sub(timed)).unwrap_or_default();
            end = put(&mut self.body, end, element);
            if row.form != Form::SetBits
                && let Some(last) = self.body.get_mut(..end).and_then(<[u8]>::last_mut)
            {
                *last &= !SELECT;
            }
        }
        end
    }

    /// What is due by `now`.
    pub(super) fn expire(&mut self, flow: &FlowInfo, now: Timestamp, observer: &mut dyn Observer) {
        if self.deadline().is_none_or(|due| due >= now) {
            return;
        }
        while let Some(row) = self.pending.next_due(now) {
            let origin = Origin { at: row.deadline, ..row.origin };
            let mut scene = Scene::new(Protocol::Iec104, flow, row.direction, origin, &[]);
            scene.station = StationAddress::Common(row.key.common);
            scene.from_master = Some(true);
            let function = types::function(row.key.type_id, row.sub);
            scene.function = Some(function);
            let waited = Wait(row.deadline.since(row.origin.at));
            let (expected, observed) = (
                format_args!("a confirmation within {waited}"),
                format_args!("none to {} of common address {}", function.name, row.key.common),
            );
            scene.report(observer, (DefectKind::UnansweredRequest, ""), expected, observed);
        }
        self.link.expire(flow, now, observer);
    }

    pub(super) fn deadline(&self) -> Option<Timestamp> {
        match (self.pending.deadline(), self.link.deadline()) {
            (Some(answer), Some(link)) => Some(answer.min(link)),
            (answer, link) => answer.or(link),
        }
    }

    /// Octets of a direction were not seen.
    pub(super) fn interrupt(&mut self, direction: Direction, at: Timestamp) {
        self.link.interrupt(direction);
        self.pending.interrupt(at);
    }

    pub(super) fn memory(&self) -> usize {
        self.pending.memory() + self.ranges.capacity() * size_of::<PointRange>()
    }
}

fn put(buffer: &mut [u8; BODY], from: usize, octets: &[u8]) -> usize {
    let end = from.saturating_add(octets.len()).min(BODY);
    if let Some(room) = buffer.get_mut(from..end) {
        room.iter_mut().zip(octets).for_each(|(place, octet)| *place = *octet);
    }
    end
}

/// Whether only one side sends such an ASDU: true for the controlling, false for the controlled station.
fn suggested(asdu: &Asdu<'_>) -> Option<bool> {
    match types::way(asdu.type_id) {
        Way::Monitor => Some(false),
        Way::Control if cause::commands(asdu.cause) => Some(true),
        Way::Control if asdu.type_id == 102 && asdu.cause == cause::REQUEST => Some(true),
        Way::Control if cause::answers(asdu.cause) => Some(false),
        _ => None,
    }
}

/// What comes from the wrong side: neither question nor answer.
fn misplaced(asdu: &Asdu<'_>) -> Part {
    let asks = suggested(asdu) == Some(true);
    Part {
        exchange: if asks { Exchange::Request } else { Exchange::Unsolicited },
        action: if asks { types::action(asdu.type_id, qualifier(asdu)) } else { Action::Report },
        outcome: Outcome::None,
        answers: None,
        requested: None,
    }
}

/// Whether a request is confirmed or answered.
fn is_answered(asdu: &Asdu<'_>) -> bool {
    types::way(asdu.type_id) == Way::Control && asdu.count > 0
}

/// Whether a command is a select: the bit of its first object.
fn selects(asdu: &Asdu<'_>) -> bool {
    let first = asdu.objects().next();
    let element = first.as_ref().and_then(|object| element::element(asdu.type_id, object.element));
    element.and_then(|element| element.select) == Some(true)
}

/// The class of an answer to something that was not seen.
fn mirrored(asdu: &Asdu<'_>) -> Action {
    match asdu.cause {
        cause::DEACTIVATION_CON => Action::Cancel,
        _ if selects(asdu) => Action::Select,
        _ => types::action(asdu.type_id, qualifier(asdu)),
    }
}

fn outcome(asdu: &Asdu<'_>) -> Outcome {
    let unknown = cause::UNKNOWN.contains(&asdu.cause);
    if !asdu.negative && !unknown {
        return Outcome::Success;
    }
    let name = if unknown { cause::name(asdu.cause) } else { "negative_confirmation" };
    Outcome::Refused { code: asdu.cause.into(), name }
}

/// What an activation is known by. Interrogations of different groups go on beside one another.
fn key(asdu: &Asdu<'_>) -> Key {
    let object = match asdu.type_id {
        100 | 101 => qualifier(asdu).map(u32::from),
        _ => asdu.first_address(),
    };
    Key { common: asdu.common, type_id: asdu.type_id, object: object.unwrap_or(0) }
}

/// What a qualifier says of what is meant, in the types whose action depends on it.
fn qualifier(asdu: &Asdu<'_>) -> Option<u16> {
    /// QPM and the file qualifiers keep other things in their upper bits.
    const PARAMETER: u8 = 0x3F;
    const FILE: u8 = 0x0F;
    let octet = |offset: usize| asdu.body.get(asdu.sizes.of_object() + offset).copied();
    let number = match asdu.type_id {
        70 | 100 | 101 | 105 | 113 => octet(0)?,
        110 | 111 => octet(2)? & PARAMETER,
        112 => octet(4)? & PARAMETER,
        122 | 124 => octet(3)? & FILE,
        _ => return None,
    };
    Some(number.into())
}

/// I4-C02, I4-C03: the control field by itself.
fn control_field(scene: &Scene<'_>, head: Head, observer: &mut dyn Observer) {
    if head.reserved {
        let (check, texts) = match head.kind {
            Kind::Unnumbered(_) => {
                ("I4-C02", (format_args!("zeros behind a U function"), format_args!("other octets")))
            }
            _ => ("I4-C03", (format_args!("reserved bits of the control field at 0"), format_args!("set"))),
        };
        scene.at(2).report(observer, (DefectKind::ReservedBits, check), texts.0, texts.1);
    }
    if head.length > *apci::LENGTHS.end() {
        let texts = (format_args!("a length of 4 to 253"), format_args!("{}", head.length));
        scene.at(1).report(observer, (DefectKind::Malformed, "I4-C01"), texts.0, texts.1);
    }
    if matches!(head.kind, Kind::Information { .. }) {
        return;
    }
    if let Kind::Unnumbered(bits) = head.kind
        && !bits.is_power_of_two()
    {
        let texts = (format_args!("one function in a U frame"), format_args!("{}", bits.count_ones()));
        scene.at(2).report(observer, (DefectKind::Malformed, "I4-C02"), texts.0, texts.1);
    }
    if head.length != *apci::LENGTHS.start() {
        let texts = (format_args!("length 4 of an S or U frame"), format_args!("{}", head.length));
        scene.at(1).report(observer, (DefectKind::Malformed, "I4-C02"), texts.0, texts.1);
    }
}

/// I4-C09: an I frame without a whole ASDU header.
fn headless(scene: &Scene<'_>, octets: usize, observer: &mut dyn Observer) {
    let (expected, observed) = (format_args!("the header of an ASDU"), format_args!("{octets} octets"));
    scene.at(apci::HEAD).report(observer, (DefectKind::Malformed, "I4-C09"), expected, observed);
}
