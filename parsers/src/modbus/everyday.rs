//! What nearly every ADU is: a read of bits or registers, or its answer, in step and as the standard has it.
//!
//! Such an ADU is recognised by its octets and told of in one go. Whatever differs in the least takes the long way
//! ([`ModbusSession::adu`]), which would have told the same of these: `tests::everyday` holds one against the other.

use crate::contract::*;

use super::check::padding_is_clear;
use super::detail::{Content, Framing};
use super::function;
use super::mbap::{HEADER, Header, JUDGED, UNCOUNTED};
use super::pairing::Pending;
use super::pdu::{Role, decode};
use super::points::{self, Requested};
use super::session::{Kind, ModbusSession};

/// Octets of the ADU that asks for bits or registers.
const REQUEST: usize = HEADER + 5;

impl ModbusSession {
    /// Take the everyday ADU at the beginning of `chunk`, `at` octets in. Returns its octets; `None` if it is none,
    /// and nothing has changed.
    #[inline]
    pub(super) fn everyday(
        &mut self,
        flow: &FlowInfo,
        chunk: &Chunk<'_>,
        at: usize,
        observer: &mut dyn Observer,
    ) -> Option<usize> {
        let rest = chunk.bytes.get(at..)?;
        let &[t0, t1, 0, 0, high, low, unit @ 1..=255, code @ 1..=4, ..] = rest else { return None };
        let way = flow.port_side.or(self.requests_travel)?;
        let length = u16::from_be_bytes([high, low]);
        let adu = rest.get(..UNCOUNTED + usize::from(length))?;
        if !self.shortcut || !self.sides[chunk.direction.index()].is_steady() {
            return None;
        }
        let header = Header { transaction: u16::from_be_bytes([t0, t1]), protocol: 0, length, unit };
        let asks = way == chunk.direction;
        if asks {
            self.read(flow, chunk, at, (adu, header, code), observer)?;
        } else {
            self.answer(flow, chunk, at, (adu, header, code), observer)?;
        }
        self.speaks = Some(Kind::Mbap);
        Some(adu.len())
    }

    fn read(
        &mut self,
        flow: &FlowInfo,
        chunk: &Chunk<'_>,
        at: usize,
        (adu, header, code): (&[u8], Header, u8),
        observer: &mut dyn Observer,
    ) -> Option<()> {
        let &[_, _, _, _, _, _, _, _, a0, a1, q0, q1] = adu else { return None };
        let (address, quantity) = (u16::from_be_bytes([a0, a1]), u16::from_be_bytes([q0, q1]));
        let most = if code <= 2 { 2000 } else { 125 };
        if quantity == 0 || quantity > most || u32::from(address) + u32::from(quantity) > 65536 {
            return None;
        }
        let origin = chunk.origin(at..at + REQUEST);
        self.expire(flow, origin.at, observer);
        let Header { transaction, unit, .. } = header;
        let first = u32::from(address);
        let range = PointRange::new(points::kind(code), first, first + u32::from(quantity) - 1);
        let due = origin.at.plus(self.limits.answer_timeout_ns);
        let pending = Pending {
            transaction,
            unit,
            function: function::function(code, None),
            action: Action::Read,
            origin,
            direction: chunk.direction,
            due,
            forgotten: due.plus(self.limits.late_answer_ns),
            echo: 4 << 32 | u64::from(u32::from_be_bytes([a0, a1, q0, q1])),
            quantity,
            identification: 0,
            ranges: [Some(range), None, None, None],
            more_ranges: false,
            wants_answer: true,
            broadcast: false,
        };
        if !self.exchanges.is_plain_request(&pending) {
            return None;
        }
        let told = Told { flow, chunk, at, origin, adu, header, code };
        told.tell(Role::Request, &[range], quantity, None, observer);
        self.exchanges.remember_plain(pending);
        Some(())
    }

    fn answer(
        &mut self,
        flow: &FlowInfo,
        chunk: &Chunk<'_>,
        at: usize,
        (adu, header, code): (&[u8], Header, u8),
        observer: &mut dyn Observer,
    ) -> Option<()> {
        let [count @ 1..=250, data @ ..] = adu.get(JUDGED..)? else { return None };
        if data.len() != usize::from(*count) {
            return None;
        }
        let origin = chunk.origin(at..at + adu.len());
        self.expire(flow, origin.at, observer);
        let fits = |asked: &Pending| {
            let octets =
                if code <= 2 { asked.quantity.div_ceil(8) } else { asked.quantity.saturating_mul(2) };
            octets == u16::from(*count) && (code > 2 || padding_is_clear(data, asked.quantity))
        };
        let asked = self.exchanges.take_plain(header.transaction, header.unit, code, fits)?;
        let told = Told { flow, chunk, at, origin, adu, header, code };
        let answers = Answered { at: asked.origin.at, frame: asked.origin.frame };
        told.tell(Role::Response, asked.ranges[0].as_slice(), asked.quantity, Some(answers), observer);
        Some(())
    }
}

/// An everyday ADU and where it stands.
struct Told<'a> {
    flow: &'a FlowInfo,
    chunk: &'a Chunk<'a>,
    at: usize,
    origin: Origin,
    adu: &'a [u8],
    header: Header,
    code: u8,
}

impl Told<'_> {
    /// Unit and operation.
    #[inline]
    fn tell(
        &self,
        role: Role,
        ranges: &[PointRange],
        quantity: u16,
        answers: Option<Answered>,
        observer: &mut dyn Observer,
    ) {
        let Told { flow, chunk, at, origin, adu, header, code } = *self;
        let asks = role == Role::Request;
        let function = function::function(code, None);
        let requested =
            if asks { Requested::default() } else { Requested { ranges, quantity: Some(quantity) } };
        let detail = Plain { adu, header, role, code, requested, asked: (ranges, quantity) };
        observer.unit(&Unit {
            opens: false,
            flow,
            direction: chunk.direction,
            origin,
            head: chunk.origin(at..at + JUDGED),
            protocol: Protocol::Modbus,
            recovered: false,
            detail: &detail,
        });
        observer.operation(&Operation {
            flow,
            direction: chunk.direction,
            origin,
            protocol: Protocol::Modbus,
            exchange: if asks { Exchange::Request } else { Exchange::Response },
            from_master: asks,
            station: StationAddress::Unit(header.unit),
            master: StationAddress::None,
            action: Action::Read,
            function,
            requested: (!asks).then_some(function),
            ranges,
            more_ranges: false,
            outcome: if asks { Outcome::None } else { Outcome::Success },
            answers,
            sequence: header.transaction,
            broadcast: false,
            wants_answer: asks,
            body: adu.get(JUDGED..).unwrap_or_default(),
            recovered: false,
            detail: &detail,
        });
    }
}

/// The content of an everyday ADU.
struct Plain<'a> {
    adu: &'a [u8],
    header: Header,
    role: Role,
    code: u8,
    requested: Requested<'a>,
    /// The range and the quantity that are asked for.
    asked: (&'a [PointRange], u16),
}

impl Detail for Plain<'_> {
    fn octets(&self) -> &[u8] {
        self.adu
    }

    fn points(&self, visit: &mut dyn FnMut(&Point<'_>)) {
        self.values(&mut EachPoint(visit));
    }

    fn values(&self, sink: &mut dyn PointSink) {
        let ([range], quantity) = self.asked else { return };
        if !sink.wants(range.kind(), range.first(), range.last()) {
            return;
        }
        let data = self.adu.get(JUDGED + 1..).unwrap_or_default();
        match (self.role, self.code) {
            (Role::Request, _) => sink.addresses(range.kind(), range.first(), quantity.into()),
            (Role::Response, 1 | 2) => sink.bits(range.kind(), Some(range.first()), data, quantity.into()),
            (Role::Response, _) => {
                sink.registers(range.kind(), Some(range.first()), data.as_chunks::<2>().0);
            }
        }
    }

    #[cold]
    fn fields(&self, sink: &mut dyn FieldSink) {
        let pdu = decode(self.adu.get(HEADER..).unwrap_or_default(), self.role);
        let function = function::function(self.code, None);
        let framing = Framing::Mbap(self.header);
        Content { adu: self.adu, framing, pdu: &pdu, requested: self.requested, function }.fields(sink);
    }
}
