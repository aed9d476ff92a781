//! One flow: octets in, units, operations and defects out.
//!
//! ```text
//!            start, behind a gap                    header makes no sense
//! octets ---> judge::at_start ---> in step ------------------------------> hunt
//!             judge::behind_gap     ^   judge::in_step, rtu::frame          | judge::hunt
//!                                   +---------------------------------------+
//!                                            an ADU, marked `recovered`
//! ```
//!
//! [`stream`](super::stream) drives this over TCP, [`datagram`](super::datagram) over UDP. Here is what
//! both share: from an ADU's octets to the calls of the observer.

use core::ops::Range;

use crate::contract::*;

use super::check;
use super::detail::{Content, Framing};
use super::exchange::{Answer, Asked, Exchanges, class};
use super::function;
use super::mbap::{self, Header, JUDGED};
use super::pairing::Pending;
use super::pdu::{Pdu, Role, Shape, decode, fits, shape};
use super::points::{self, Requested};
use super::rtu;
use super::site::Site;
use super::stream::Side;

/// The state of a flow.
pub(crate) struct ModbusSession {
    pub(super) limits: Limits,
    pub(super) exchanges: Exchanges,
    pub(super) sides: [Side; 2],
    /// What the flow was last seen to speak.
    pub(super) speaks: Option<Kind>,
    /// The way requests travel, once content has shown it; a configured port overrules it.
    pub(super) requests_travel: Option<Direction>,
    /// Everyday ADUs take the short way. Only tests hold the long way against it.
    pub(super) shortcut: bool,
    /// Ranges of the PDU in hand, and of the request it answers. Kept for their memory.
    named: Vec<PointRange>,
    inherited: Vec<PointRange>,
}

/// How PDUs are framed.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub(crate) enum Kind {
    Mbap,
    Rtu,
}

/// An ADU in a chunk.
#[derive(Debug, Clone)]
pub(super) struct Adu {
    pub(super) span: Range<usize>,
    pub(super) kind: Kind,
    /// Found by hunting, or where the reference would not look.
    pub(super) recovered: bool,
    /// Octets of the ADU that are not there and never will be.
    pub(super) missing: usize,
}

impl ModbusSession {
    pub(crate) fn new(limits: &Limits) -> ModbusSession {
        ModbusSession {
            limits: *limits,
            exchanges: Exchanges::new(limits),
            sides: [Side::default(), Side::default()],
            speaks: None,
            requests_travel: None,
            shortcut: true,
            named: Vec::new(),
            inherited: Vec::new(),
        }
    }

    /// The roles that a PDU of this direction can have: one, if ports or content have told.
    pub(super) fn roles(&self, flow: &FlowInfo, direction: Direction) -> &'static [Role] {
        match flow.port_side.or(self.requests_travel) {
            None => &[Role::Request, Role::Response],
            Some(way) if way == direction => &[Role::Request],
            Some(_) => &[Role::Response],
        }
    }

    /// The role of a PDU, and whether its shape says the opposite beyond doubt.
    fn role(&mut self, flow: &FlowInfo, direction: Direction, pdu: &[u8]) -> (Role, bool) {
        let told = flow.port_side.or(self.requests_travel);
        if let Some(way) = told {
            let role = if way == direction { Role::Request } else { Role::Response };
            if fits(pdu, role) {
                return (role, false);
            }
        }
        let shape = shape(pdu);
        let way = match (told, shape) {
            (Some(way), _) => way,
            (None, Shape::Request) => *self.requests_travel.insert(direction),
            (None, Shape::Response) => *self.requests_travel.insert(direction.reverse()),
            (None, Shape::Open) => Direction::ToServer,
        };
        let role = if way == direction { Role::Request } else { Role::Response };
        (role, is_reversed(role, shape, pdu))
    }

    /// Report an ADU: the unit, its operation, and what is wrong with it.
    pub(super) fn adu(&mut self, flow: &FlowInfo, chunk: &Chunk<'_>, adu: &Adu, observer: &mut dyn Observer) {
        let octets = chunk.bytes.get(adu.span.clone()).unwrap_or_default();
        let Some((framing, inner)) = unwrap(octets, adu.kind) else { return };
        let origin = chunk.origin(adu.span.clone());
        self.expire(flow, origin.at, observer);
        let (role, reversed) = self.role(flow, chunk.direction, inner);
        let pdu = decode(inner, role);
        // A swapped role makes nothing of the exchange: neither question nor answer to one.
        let answer = match role {
            Role::Response if !reversed => {
                let complete = !flow.coverage.midstream && flow.coverage.gaps == 0;
                Some(self.exchanges.answer(&pdu, framing, complete))
            }
            _ => None,
        };
        let site = Site {
            unit: Some(framing.unit()),
            from_master: Some(role == Role::Request),
            function: Some(function::function(pdu.code, pdu.sub())),
            ..Site::new(flow, chunk.direction, origin, octets)
        };
        let recovered = adu.recovered || pdu.lacks_identity() || is_other_protocol(framing);
        let asked = self.exchanges.asked(&pdu, framing);
        let head = chunk.origin(adu.span.start..adu.span.end.min(adu.span.start + JUDGED));
        self.tell(&site, &pdu, framing, answer.as_ref(), asked, (head, recovered), observer);
        header_defects(&site, framing, observer);
        let on_udp = flow.transport.is_datagram();
        if adu.missing > 0 {
            site.report(
                observer,
                (DefectKind::Truncated, "MB-C03"),
                octets.len(),
                format_args!("{} octets more by the header", adu.missing),
                format_args!(
                    "{}",
                    if on_udp { "the end of the datagram" } else { "octets that the tap did not see" }
                ),
            );
        } else if reversed {
            role_reversal(&site, role, framing.base(), observer);
        } else {
            let asked = answer.as_ref().is_some_and(|a| a.request().is_some());
            check::check(&pdu, asked, &site, framing.base(), observer);
        }
        match (&answer, role) {
            (Some(answer), _) => self.exchanges.judge(answer, &pdu, framing, &site, observer),
            (None, Role::Request) if !reversed && !pdu.exception => {
                let named = core::mem::take(&mut self.named);
                self.exchanges.request(&pdu, framing, &named, &site, &self.limits, observer);
                self.named = named;
            }
            _ => {}
        }
    }

    /// Unit and operation.
    #[allow(clippy::too_many_arguments)]
    fn tell(
        &mut self,
        site: &Site<'_>,
        pdu: &Pdu<'_>,
        framing: Framing,
        answer: Option<&Answer>,
        asked: Asked,
        (head, recovered): (Origin, bool),
        observer: &mut dyn Observer,
    ) {
        let pending = answer.and_then(Answer::request);
        points::named_ranges(pdu, &mut self.named);
        self.inherited.clear();
        if let Some(pending) = pending {
            self.inherited.extend(pending.ranges.iter().flatten());
        }
        let (action, function) = class(pdu, pending);
        let requested = Requested { ranges: &self.inherited, quantity: pending.map(|p| p.quantity) };
        let detail = Content { adu: site.octets, framing, pdu, requested, function };
        observer.unit(&Unit {
            flow: site.flow,
            direction: site.direction,
            origin: site.origin,
            head,
            protocol: Protocol::Modbus,
            recovered,
            opens: false,
            detail: &detail,
        });
        let is_request = pdu.role == Role::Request;
        let inherits = self.named.is_empty() && !is_request;
        observer.operation(&Operation {
            flow: site.flow,
            direction: site.direction,
            origin: site.origin,
            protocol: Protocol::Modbus,
            exchange: if is_request { Exchange::Request } else { Exchange::Response },
            from_master: is_request,
            station: StationAddress::Unit(framing.unit()),
            master: StationAddress::None,
            action,
            function,
            requested: pending.map(|p| p.function),
            ranges: if inherits { &self.inherited } else { &self.named },
            more_ranges: inherits && pending.is_some_and(|p| p.more_ranges),
            outcome: outcome(pdu),
            answers: pending.map(|p| Answered { at: p.origin.at, frame: p.origin.frame }),
            sequence: framing.transaction(),
            broadcast: is_request && asked.broadcast,
            wants_answer: is_request && asked.wants_answer,
            body: pdu.body(),
            recovered,
            detail: &detail,
        });
    }

    /// Report requests whose answer is overdue.
    pub(super) fn expire(&mut self, flow: &FlowInfo, now: Timestamp, observer: &mut dyn Observer) {
        self.exchanges.expire(now, |pending| unanswered(flow, pending, observer));
    }
}

impl Session for ModbusSession {
    fn feed(&mut self, flow: &FlowInfo, chunk: &Chunk<'_>, observer: &mut dyn Observer) -> Progress {
        if flow.transport.is_datagram() {
            self.datagram(flow, chunk, observer);
            return Progress::all(chunk);
        }
        self.stream(flow, chunk, observer)
    }

    fn gap(&mut self, flow: &FlowInfo, gap: &Gap<'_>, observer: &mut dyn Observer) {
        self.stream_gap(flow, gap, observer);
    }

    fn tick(&mut self, flow: &FlowInfo, now: Timestamp, observer: &mut dyn Observer) {
        self.expire(flow, now, observer);
    }

    fn finish(&mut self, flow: &FlowInfo, tails: [Chunk<'_>; 2], observer: &mut dyn Observer) {
        for tail in &tails {
            self.stream_end(flow, tail, observer);
        }
    }

    fn memory(&self) -> usize {
        let ranges = self.named.capacity() + self.inherited.capacity();
        self.exchanges.memory() + ranges * size_of::<PointRange>()
    }

    fn deadline(&self) -> Option<Timestamp> {
        self.exchanges.deadline()
    }

    fn set_answer_timeout(&mut self, ns: u64) {
        self.limits.answer_timeout_ns = ns;
    }
}

/// MB-C01 and MB-C02.
fn header_defects(site: &Site<'_>, framing: Framing, observer: &mut dyn Observer) {
    let Framing::Mbap(header) = framing else { return };
    if header.protocol != 0 {
        site.report(
            observer,
            (DefectKind::FieldRange, "MB-C01"),
            2,
            format_args!("protocol id 0"),
            format_args!("protocol id {}", header.protocol),
        );
    }
    if !header.length_is_legal() {
        site.report(
            observer,
            (DefectKind::Malformed, "MB-C02"),
            4,
            format_args!("a length from 2 to {}", mbap::LONGEST),
            format_args!("length {}", header.length),
        );
    }
}

/// Whether a PDU's shape says beyond doubt that it has the other role. A request with octets too many or
/// too few can look like the answer to it, so only functions count whose answers look like nothing else.
fn is_reversed(role: Role, shape: Shape, pdu: &[u8]) -> bool {
    let code = pdu.first().copied().unwrap_or_default();
    match (role, shape) {
        (Role::Request, Shape::Response) => matches!(code, 1..=4 | 23 | 24 | 43 | 0x80..),
        (Role::Response, Shape::Request) => matches!(code, 1..=4 | 15 | 16 | 22..=24 | 43),
        _ => false,
    }
}

/// Split an ADU into framing and PDU.
fn unwrap(octets: &[u8], kind: Kind) -> Option<(Framing, &[u8])> {
    match kind {
        Kind::Mbap => {
            let header = Header::at(octets)?;
            Some((Framing::Mbap(header), octets.get(mbap::HEADER..)?))
        }
        Kind::Rtu => {
            let address = *octets.first()?;
            let end = octets.len().checked_sub(rtu::AROUND - rtu::HEAD)?;
            Some((Framing::Rtu { address }, octets.get(rtu::HEAD..end)?))
        }
    }
}

/// A header with another protocol id is no Modbus for the standard, nor for the reference reading. It is
/// shown, because a lenient device may act on it.
fn is_other_protocol(framing: Framing) -> bool {
    matches!(framing, Framing::Mbap(header) if header.protocol != 0)
}

fn outcome(pdu: &Pdu<'_>) -> Outcome {
    const UMAS_ERROR: u8 = 0xFD;
    if pdu.role == Role::Request {
        return Outcome::None;
    }
    if pdu.exception {
        let code = pdu.exception_code.unwrap_or_default();
        let name = function::exception_name(code).unwrap_or("unknown");
        return Outcome::Refused { code: code.into(), name };
    }
    if pdu.umas_code == Some(UMAS_ERROR) {
        return Outcome::Refused { code: UMAS_ERROR.into(), name: "umas_error" };
    }
    Outcome::Success
}

/// MB-C14.
fn role_reversal(site: &Site<'_>, role: Role, base: usize, observer: &mut dyn Observer) {
    let (expected, observed) = match role {
        Role::Request => ("a request: this is the client's side", "a response"),
        Role::Response => ("a response: this is the server's side", "a request"),
    };
    site.report(
        observer,
        (DefectKind::RoleReversal, "MB-C14"),
        base,
        format_args!("{expected}"),
        format_args!("{observed}"),
    );
}

fn unanswered(flow: &FlowInfo, pending: &Pending, observer: &mut dyn Observer) {
    let waited = pending.due.since(pending.origin.at);
    let origin = Origin { at: pending.due, ..pending.origin };
    let site = Site {
        unit: Some(pending.unit),
        from_master: Some(true),
        function: Some(pending.function),
        ..Site::new(flow, pending.direction, origin, &[])
    };
    site.report(
        observer,
        (DefectKind::UnansweredRequest, ""),
        0,
        format_args!("an answer within {}", Wait(waited)),
        format_args!("none to {} of unit {}", Spaced(pending.function.name), pending.unit),
    );
}
