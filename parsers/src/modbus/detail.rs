//! A PDU's content, decoded on demand: the fields in wire order under the names of the reference reading,
//! then names, values and points.

use crate::contract::{Detail, EachPoint, FieldSink, Leaf, Point, PointSink, Value};

use super::file;
use super::function::{self, ENCAPSULATED, UMAS};
use super::mbap::Header;
use super::pdu::{Pdu, Role, decode_beneath};
use super::points::{self, Requested};

/// What stands around the PDU.
#[derive(Debug, Copy, Clone)]
pub(crate) enum Framing {
    /// Modbus/TCP, also over UDP.
    Mbap(Header),
    /// RTU; address and PDU between a checksum.
    Rtu {
        /// The address octet.
        address: u8,
    },
}

impl Framing {
    /// Unit id, or the address of RTU.
    pub(crate) fn unit(&self) -> u8 {
        match self {
            Framing::Mbap(header) => header.unit,
            Framing::Rtu { address } => *address,
        }
    }

    /// The transaction id; RTU has none.
    pub(crate) fn transaction(&self) -> u16 {
        match self {
            Framing::Mbap(header) => header.transaction,
            Framing::Rtu { .. } => 0,
        }
    }

    /// Where the function code stands in the ADU.
    pub(crate) fn base(&self) -> usize {
        match self {
            Framing::Mbap(_) => super::mbap::HEADER,
            Framing::Rtu { .. } => super::rtu::HEAD,
        }
    }
}

/// The content of one ADU.
pub(crate) struct Content<'a> {
    pub(crate) adu: &'a [u8],
    pub(crate) framing: Framing,
    pub(crate) pdu: &'a Pdu<'a>,
    pub(crate) requested: Requested<'a>,
    /// Name and code of the function; for a response to a UMAS request, the request's.
    pub(crate) function: crate::contract::Function,
}

impl Detail for Content<'_> {
    fn octets(&self) -> &[u8] {
        self.adu
    }

    fn points(&self, visit: &mut dyn FnMut(&Point<'_>)) {
        points::visit(self.pdu, self.requested, &mut EachPoint(visit));
    }

    fn values(&self, sink: &mut dyn PointSink) {
        points::visit(self.pdu, self.requested, sink);
    }

    fn fields(&self, sink: &mut dyn FieldSink) {
        self.header(sink);
        self.keys(sink);
        self.names(sink);
        self.content(sink);
        if let (Framing::Rtu { .. }, Some((_, check))) = (self.framing, self.adu.split_last_chunk::<2>()) {
            let end = self.adu.len();
            sink.leaf("crc", Leaf::Unsigned(u16::from_le_bytes(*check).into()), Some(end - 2..end));
        }
    }
}

impl Content<'_> {
    fn header(&self, sink: &mut dyn FieldSink) {
        match self.framing {
            Framing::Mbap(header) => {
                sink.leaf("transaction_id", Leaf::Unsigned(header.transaction.into()), Some(0..2));
                sink.leaf("protocol_id", Leaf::Unsigned(header.protocol.into()), Some(2..4));
                sink.leaf("length", Leaf::Unsigned(header.length.into()), Some(4..6));
                sink.leaf("unit_id", Leaf::Unsigned(header.unit.into()), Some(6..7));
            }
            Framing::Rtu { address } => sink.leaf("unit_id", Leaf::Unsigned(address.into()), Some(0..1)),
        }
        let direction = match self.pdu.role {
            Role::Request => "request",
            Role::Response => "response",
        };
        sink.name("direction", direction);
    }

    /// A field of `width` octets, `offset` behind the function code; nothing if it was not reached.
    fn field(&self, sink: &mut dyn FieldSink, name: &'static str, value: Option<u64>, at: (usize, usize)) {
        if let Some(value) = value {
            let start = self.framing.base() + at.0;
            sink.leaf(name, Leaf::Unsigned(value), Some(start..start + at.1));
        }
    }

    /// The fields that the reference reading has, by its names.
    fn keys(&self, sink: &mut dyn FieldSink) {
        let beneath;
        let mut pdu = self.pdu;
        if pdu.exception && pdu.exception_code == Some(0) {
            // No exception has code 0, and the reference sees none then: it reads the fields of the function.
            beneath = decode_beneath(pdu.octets, pdu.role);
            pdu = &beneath;
        }
        let wide = |value: Option<u16>| value.map(u64::from);
        self.field(sink, "function_code", Some(pdu.code.into()), (0, 1));
        sink.flag("exception", pdu.exception);
        self.field(sink, "exception_code", pdu.exception_code.map(u64::from), (1, 1));
        if pdu.exception {
            return;
        }
        let count_at = match (pdu.code, pdu.role) {
            (15 | 16, _) => (5, 1),
            (23, Role::Request) => (9, 1),
            (24, _) => (1, 2),
            _ => (1, 1),
        };
        if matches!(pdu.code, 20 | 21) {
            self.field(sink, "byte_count", wide(pdu.byte_count), count_at);
            let with_values = pdu.code == 21;
            let named = with_values || pdu.role == Role::Request;
            if let Some(part) = file::sub_requests(pdu.data, with_values).next().filter(|_| named) {
                self.field(sink, "address", Some(part.address().into()), (3, 4));
                self.field(sink, "quantity", Some(part.registers.into()), (7, 2));
            }
            return;
        }
        self.field(sink, "address", wide(pdu.address), (1, 2));
        self.field(sink, "quantity", wide(pdu.quantity), (3, 2));
        self.field(sink, "read_address", wide(pdu.read_address), (1, 2));
        self.field(sink, "read_quantity", wide(pdu.read_quantity), (3, 2));
        self.field(sink, "write_address", wide(pdu.write_address), (5, 2));
        self.field(sink, "write_quantity", wide(pdu.write_quantity), (7, 2));
        // tshark shows no byte count of function 17; everything else that has one is named alike.
        self.field(sink, "byte_count", wide(pdu.byte_count), count_at);
        self.field(sink, "and_mask", wide(pdu.and_mask), (3, 2));
        self.field(sink, "or_mask", wide(pdu.or_mask), (5, 2));
        self.field(sink, "diagnostic_code", wide(pdu.diagnostic), (1, 2));
        self.field(sink, "mei", pdu.mei.map(u64::from), (1, 1));
    }

    fn names(&self, sink: &mut dyn FieldSink) {
        let framing = match self.framing {
            Framing::Mbap(_) => "mbap",
            Framing::Rtu { .. } => "rtu",
        };
        sink.name("framing", framing);
        sink.name("function", self.function.name);
        if let Some(code) = self.pdu.exception_code {
            sink.name("exception_name", function::exception_name(code).unwrap_or("unknown"));
        }
    }

    fn content(&self, sink: &mut dyn FieldSink) {
        let pdu = self.pdu;
        if pdu.exception {
            return;
        }
        match pdu.code {
            5 | 6 | 8 => self.field(sink, "value", pdu.value.map(u64::from), (3, 2)),
            7 => self.field(sink, "status", pdu.value.map(u64::from), (1, 1)),
            11 | 12 => {
                let base = if pdu.code == 12 { 2 } else { 1 };
                self.field(sink, "status", pdu.value.map(u64::from), (base, 2));
                self.field(sink, "event_count", pdu.event_count.map(u64::from), (base + 2, 2));
                self.field(sink, "message_count", pdu.message_count.map(u64::from), (base + 4, 2));
            }
            ENCAPSULATED => self.identification(sink),
            UMAS => {
                self.field(sink, "umas_key", pdu.umas_key.map(u64::from), (1, 1));
                let name = if pdu.role == Role::Request { "umas_function" } else { "umas_status" };
                self.field(sink, name, pdu.umas_code.map(u64::from), (2, 1));
            }
            20 | 21 => self.file_parts(sink),
            _ => {}
        }
        self.values(sink);
        if super::pdu::Fit::Surplus == pdu.fit {
            sink.bytes("surplus", pdu.octets.get(pdu.broke_at..).unwrap_or_default());
        }
    }

    fn identification(&self, sink: &mut dyn FieldSink) {
        let id = self.pdu.identification;
        let wide = |value: Option<u8>| value.map(u64::from);
        self.field(sink, "id_code", wide(id.code), (2, 1));
        self.field(sink, "object_id", wide(id.object), (3, 1));
        self.field(sink, "conformity", wide(id.conformity), (3, 1));
        self.field(sink, "more_follows", wide(id.more_follows), (4, 1));
        self.field(sink, "next_object_id", wide(id.next_object), (5, 1));
        self.field(sink, "object_count", wide(id.objects), (6, 1));
        if id.objects.is_none() {
            return;
        }
        sink.open_list("objects");
        for object in file::objects(self.pdu.data) {
            sink.open("");
            sink.number("id", object.id.into());
            sink.name("name", function::object_name(object.id));
            sink.leaf("value", Leaf::Text(object.value), None);
            sink.close();
        }
        sink.close();
    }

    fn file_parts(&self, sink: &mut dyn FieldSink) {
        let pdu = self.pdu;
        if pdu.code == 20 && pdu.role == Role::Response {
            sink.open_list("sub_responses");
            for part in file::sub_responses(pdu.data) {
                sink.open("");
                sink.number("length", part.length.into());
                sink.number("reference_type", part.reference.into());
                registers("values", part.values, sink);
                sink.close();
            }
            sink.close();
            return;
        }
        sink.open_list("sub_requests");
        for part in file::sub_requests(pdu.data, pdu.code == 21) {
            sink.open("");
            sink.number("reference_type", part.reference.into());
            sink.number("file", part.file.into());
            sink.number("record", part.record.into());
            sink.number("registers", part.registers.into());
            if pdu.code == 21 {
                registers("values", part.values, sink);
            }
            sink.close();
        }
        sink.close();
    }

    /// Values as a plain list, then as points. A read request has addresses only, which it has shown.
    fn values(&self, sink: &mut dyn FieldSink) {
        let pdu = self.pdu;
        let plain = match (pdu.code, pdu.role) {
            (3 | 4 | 23 | 24, Role::Response) | (16 | 23, Role::Request) => true,
            (1 | 2, Role::Response) | (15, Role::Request) => {
                self.bits(sink);
                false
            }
            _ => false,
        };
        if plain {
            registers("values", pdu.data, sink);
        }
        let opaque = !function::is_public(pdu.code)
            || matches!(pdu.code, 8 | 12 | 17)
            || (pdu.code == ENCAPSULATED && pdu.identification.code.is_none());
        if opaque && !pdu.data.is_empty() {
            sink.bytes("data", pdu.data);
        }
        let mut any = false;
        let mut each = |point: &Point<'_>| {
            if matches!(point.value, Value::None) {
                return;
            }
            if !core::mem::replace(&mut any, true) {
                sink.open_list("points");
            }
            show(point, sink);
        };
        points::visit(pdu, self.requested, &mut EachPoint(&mut each));
        if any {
            sink.close();
        }
    }

    fn bits(&self, sink: &mut dyn FieldSink) {
        let pdu = self.pdu;
        let quantity = pdu.quantity.or(self.requested.quantity);
        let there = pdu.data.len() * 8;
        let count = quantity.map_or(there, |q| usize::from(q).min(there));
        sink.open_list("values");
        let all = pdu.data.iter().flat_map(|octet| (0..8).map(move |place| octet >> place & 1));
        all.take(count).for_each(|bit| sink.number("", bit.into()));
        sink.close();
    }
}

fn registers(name: &'static str, data: &[u8], sink: &mut dyn FieldSink) {
    sink.open_list(name);
    points::words(data).for_each(|word| sink.number("", word.into()));
    sink.close();
}

fn show(point: &Point<'_>, sink: &mut dyn FieldSink) {
    sink.open("");
    sink.name("kind", point.kind.name());
    sink.leaf("address", point.address.map_or(Leaf::Null, |a| Leaf::Unsigned(a.into())), None);
    match point.value {
        Value::Bit(bit) => sink.flag("value", bit),
        Value::Unsigned(n) => sink.number("value", n),
        Value::Mask { and, or } => {
            sink.number("and", and.into());
            sink.number("or", or.into());
        }
        Value::Text(text) => sink.leaf("value", Leaf::Text(text), None),
        Value::Bytes(octets) => sink.bytes("value", octets),
        _ => sink.leaf("value", Leaf::Null, None),
    }
    sink.close();
}
