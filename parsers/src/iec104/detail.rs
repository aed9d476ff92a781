//! The content of a frame, decoded when somebody asks.

use super::apci::{self, HEAD, Head, Kind};
use super::asdu::{Asdu, Object};
use super::cause;
use super::element::{self, TimeTag};
use super::time::{Time, Within};
use super::types;
use crate::contract::{Detail, FieldSink, FieldSizes, Leaf, Point, PointKind, PointSink, Value};

/// A frame as far as it was understood.
pub(super) struct View<'a> {
    pub octets: &'a [u8],
    pub head: Head,
    pub asdu: Option<Asdu<'a>>,
    /// What there is of an ASDU whose header is not whole.
    pub begun: &'a [u8],
}

impl Detail for View<'_> {
    fn octets(&self) -> &[u8] {
        self.octets
    }

    fn points(&self, visit: &mut dyn FnMut(&Point<'_>)) {
        let Some(asdu) = &self.asdu else { return };
        for object in asdu.objects() {
            visit(&element::point(asdu, &object));
        }
    }

    fn values(&self, sink: &mut dyn PointSink) {
        let Some(asdu) = &self.asdu else { return };
        let (first, last) = asdu.reach();
        if sink.wants(PointKind::InformationObject, first, last) {
            asdu.objects().for_each(|object| sink.point(&element::point(asdu, &object)));
        }
    }

    fn field_sizes(&self) -> Option<FieldSizes> {
        self.asdu.as_ref().map(|asdu| asdu.sizes)
    }

    fn misfits(&self) -> bool {
        self.asdu.as_ref().is_some_and(Asdu::misfits)
    }

    fn fields(&self, sink: &mut dyn FieldSink) {
        self.control(sink);
        let Some(asdu) = &self.asdu else {
            self.names(sink);
            if matches!(self.head.kind, Kind::Information { .. }) {
                sink.open_list("ioas");
                sink.close();
            }
            begun(self.begun, sink);
            if let Some(rest) = self.octets.get(HEAD..).filter(|rest| !rest.is_empty()) {
                sink.leaf("not_decoded", Leaf::Bytes(rest), Some(HEAD..self.octets.len()));
            }
            return;
        };
        header(asdu, sink);
        self.names(sink);
        sink.name("type_name", types::of(asdu.type_id).map_or("unknown", |row| row.name));
        sink.name("cause_name", cause::name(asdu.cause));
        objects(asdu, sink);
    }
}

fn number(sink: &mut dyn FieldSink, name: &'static str, value: u64, from: usize, octets: usize) {
    sink.leaf(name, Leaf::Unsigned(value), Some(from..from + octets));
}

impl View<'_> {
    fn control(&self, sink: &mut dyn FieldSink) {
        let (apdu, sent, received, function) = match self.head.kind {
            Kind::Information { sent, received } => ("I", Some(sent), Some(received), None),
            Kind::Supervisory { received } => ("S", None, Some(received), None),
            Kind::Unnumbered(bits) => ("U", None, None, Some(bits >> 2)),
        };
        sink.name("apdu", apdu);
        number(sink, "length", self.head.length.into(), 1, 1);
        let leaf = |value: Option<u16>| value.map_or(Leaf::Null, |value| Leaf::Unsigned(value.into()));
        sink.leaf("ns", leaf(sent), Some(2..4));
        sink.leaf("nr", leaf(received), Some(4..6));
        sink.leaf("u_type", leaf(function.map(u16::from)), Some(2..3));
    }

    fn names(&self, sink: &mut dyn FieldSink) {
        if let Kind::Unnumbered(bits) = self.head.kind {
            sink.name("u_name", apci::function_name(bits));
        }
    }
}

/// The fields of an ASDU's header that are there where it is not whole, by the sizes of 104.
fn begun(octets: &[u8], sink: &mut dyn FieldSink) {
    let Some((type_id, rest)) = octets.split_first() else { return };
    number(sink, "type_id", (*type_id).into(), HEAD, 1);
    let Some((variable, rest)) = rest.split_first() else { return };
    sink.leaf("sq", Leaf::Bool(variable & 0x80 != 0), Some(HEAD + 1..HEAD + 2));
    number(sink, "num_objects", (variable & 0x7F).into(), HEAD + 1, 1);
    let Some((cause, rest)) = rest.split_first() else { return };
    number(sink, "cot", (cause & 0x3F).into(), HEAD + 2, 1);
    sink.leaf("negative", Leaf::Bool(cause & 0x40 != 0), Some(HEAD + 2..HEAD + 3));
    sink.leaf("test", Leaf::Bool(cause & 0x80 != 0), Some(HEAD + 2..HEAD + 3));
    if let Some(originator) = rest.first() {
        number(sink, "originator", (*originator).into(), HEAD + 3, 1);
    }
}

/// The keys of the reference reading.
fn header(asdu: &Asdu<'_>, sink: &mut dyn FieldSink) {
    number(sink, "type_id", asdu.type_id.into(), HEAD, 1);
    sink.leaf("sq", Leaf::Bool(asdu.sequence), Some(HEAD + 1..HEAD + 2));
    number(sink, "num_objects", asdu.count.into(), HEAD + 1, 1);
    number(sink, "cot", asdu.cause.into(), HEAD + 2, 1);
    sink.leaf("negative", Leaf::Bool(asdu.negative), Some(HEAD + 2..HEAD + 3));
    sink.leaf("test", Leaf::Bool(asdu.test), Some(HEAD + 2..HEAD + 3));
    let originator = asdu.originator.map_or(Leaf::Null, |originator| Leaf::Unsigned(originator.into()));
    sink.leaf("originator", originator, None);
    let common = HEAD + 2 + usize::from(asdu.sizes.cause);
    number(sink, "common_address", asdu.common.into(), common, usize::from(asdu.sizes.common));
    sink.open_list("ioas");
    if is_listed(asdu.type_id) {
        asdu.objects().for_each(|object| sink.number("", object.address.into()));
    } else if let Some(first) = asdu.first_address() {
        sink.number("", first.into());
    }
    sink.close();
}

/// Types whose objects the reference reading lists; of all others it shows the first address alone. The content
/// has all of them.
fn is_listed(type_id: u8) -> bool {
    matches!(type_id, 1..=16 | 21 | 30..=37 | 45..=51 | 58..=64 | 70 | 100 | 101 | 103 | 105 | 110..=112)
}

fn objects(asdu: &Asdu<'_>, sink: &mut dyn FieldSink) {
    sink.open_list("objects");
    let mut walk = asdu.objects();
    for object in walk.by_ref() {
        one_object(asdu, &object, sink);
    }
    sink.close();
    let (rest, offset) = walk.rest();
    if !rest.is_empty() {
        sink.leaf("not_decoded", Leaf::Bytes(rest), Some(HEAD + offset..HEAD + offset + rest.len()));
    }
}

fn one_object(asdu: &Asdu<'_>, object: &Object<'_>, sink: &mut dyn FieldSink) {
    let span = Some(HEAD + object.offset..HEAD + object.offset + object.element.len());
    sink.open("");
    sink.number("address", object.address.into());
    let Some(element) = element::element(asdu.type_id, object.element) else {
        if !object.element.is_empty() {
            sink.leaf("value", Leaf::Bytes(object.element), span);
        }
        sink.close();
        return;
    };
    if element.value != Value::None {
        sink.leaf("value", leaf(element.value), span);
    }
    if let Some(quality) = element.quality {
        sink.number("quality", quality.into());
        sink.open_list("quality_names");
        let names = (0..8).filter(|bit| quality & (1 << bit) != 0);
        names
            .filter_map(|bit| PointKind::InformationObject.flag_name(bit))
            .for_each(|name| sink.name("", name));
        sink.close();
    }
    if let Some(select) = element.select {
        sink.flag("select", select);
    }
    if let Some(qualifier) = element.qualifier {
        sink.number("qualifier", qualifier.into());
    }
    element.extra.iter().flatten().for_each(|(name, value)| sink.number(name, u64::from(*value)));
    match element.tag {
        TimeTag::None => {}
        TimeTag::Short(within) => short(within, sink),
        TimeTag::Long(time) => long(&time, sink),
    }
    sink.close();
}

fn short(within: Within, sink: &mut dyn FieldSink) {
    sink.open("time");
    within_fields(within, sink);
    sink.close();
}

fn within_fields(within: Within, sink: &mut dyn FieldSink) {
    sink.number("milliseconds", within.milliseconds.into());
    sink.number("minute", within.minute.into());
    sink.flag("time_invalid", within.invalid);
    sink.flag("time_substituted", within.substituted);
}

fn long(time: &Time, sink: &mut dyn FieldSink) {
    sink.open("time");
    within_fields(time.within, sink);
    sink.number("hour", time.hour.into());
    sink.flag("summer", time.summer);
    sink.number("day", time.day.into());
    sink.number("day_of_week", time.weekday.into());
    sink.number("month", time.month.into());
    sink.number("year", time.year.into());
    sink.close();
    if let Some(ms) = time.since_1970() {
        sink.number("time_ms", ms);
    }
}

fn leaf(value: Value<'_>) -> Leaf<'_> {
    match value {
        Value::Bit(bit) => Leaf::Bool(bit),
        Value::DoubleBit(state) => Leaf::Unsigned(state.into()),
        Value::Unsigned(number) | Value::TimeMs(number) => Leaf::Unsigned(number),
        Value::Signed(number) => Leaf::Signed(number),
        Value::Float32(number) => Leaf::Float(number.into()),
        Value::Float64(number) => Leaf::Float(number),
        Value::Text(octets) | Value::Bytes(octets) => Leaf::Bytes(octets),
        Value::None | Value::Crob(_) | Value::Mask { .. } => Leaf::Null,
    }
}
