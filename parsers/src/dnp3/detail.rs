//! The content of a frame or fragment, decoded when somebody asks.

use super::application::{Fragment, iin_names};
use super::function;
use super::link;
use super::object::header::Item;
use super::object::{ObjectHeader, Range, layout, names, structured, value};
use super::transport;
use crate::contract::{Crob, Detail, EachPoint, FieldSink, Leaf, Point, PointSink, Value};

/// A link frame as far as it was understood.
#[derive(Copy, Clone)]
pub(super) struct LinkView<'a> {
    /// The frame as on the wire.
    pub octets: &'a [u8],
    /// Its header.
    pub header: link::Header,
    /// Whether the header's CRC holds.
    pub header_crc_ok: bool,
    /// Whether the CRCs of the user data hold; `None` without user data.
    pub data_crc_ok: Option<bool>,
    /// The transport octet, if the frame carries one.
    pub transport: Option<transport::Header>,
}

/// The content of a [`crate::contract::Unit`] or [`crate::contract::Operation`].
pub(super) struct View<'a> {
    pub link: LinkView<'a>,
    /// The fragment that the frame completed.
    pub fragment: Option<Fragment<'a>>,
    /// Whether [`Detail::octets`] are those of the fragment (an operation) or of the frame (a unit).
    pub of_fragment: bool,
}

impl Detail for View<'_> {
    fn octets(&self) -> &[u8] {
        match &self.fragment {
            Some(fragment) if self.of_fragment => fragment.octets,
            _ => self.link.octets,
        }
    }

    fn points(&self, visit: &mut dyn FnMut(&Point<'_>)) {
        if let Some(fragment) = &self.fragment {
            each_run(fragment, false, &mut EachPoint(visit));
        }
    }

    fn values(&self, sink: &mut dyn PointSink) {
        if let Some(fragment) = &self.fragment {
            each_run(fragment, true, sink);
        }
    }

    fn fields(&self, sink: &mut dyn FieldSink) {
        self.link_fields(sink);
        if let Some(fragment) = &self.fragment {
            application_fields(fragment, sink);
        }
        sink.name("link_function_name", self.link.header.control.function_name());
        if let Some(fragment) = &self.fragment {
            content(fragment, sink);
        }
    }
}

impl View<'_> {
    fn link_fields(&self, sink: &mut dyn FieldSink) {
        let LinkView { header, data_crc_ok, transport, .. } = self.link;
        let layer = match (self.fragment, transport) {
            (Some(_), _) => "application",
            (None, Some(_)) => "transport",
            (None, None) => "link",
        };
        // Byte spans are those of the frame, so an operation, whose octets are the fragment, has none.
        let span = |from, to| (!self.of_fragment).then_some(from..to);
        let control = header.control;
        let mut number = |name, value: u64, from, to| sink.leaf(name, Leaf::Unsigned(value), span(from, to));
        sink_layer(&mut number, header, control);
        sink.name("layer", layer);
        sink.flag("link_crc_ok", self.link.header_crc_ok);
        sink.leaf("data_crc_ok", data_crc_ok.map_or(Leaf::Null, Leaf::Bool), None);
        let Some(transport) = transport else {
            for name in ["transport_fir", "transport_fin", "transport_seq"] {
                sink.leaf(name, Leaf::Null, None);
            }
            return;
        };
        sink.leaf("transport_fir", Leaf::Bool(transport.fir()), span(10, 11));
        sink.leaf("transport_fin", Leaf::Bool(transport.fin()), span(10, 11));
        sink.leaf("transport_seq", Leaf::Unsigned(transport.sequence().into()), span(10, 11));
    }
}

fn sink_layer(
    number: &mut dyn FnMut(&'static str, u64, usize, usize),
    header: link::Header,
    control: link::Control,
) {
    number("link_src", header.source.into(), 6, 8);
    number("link_dst", header.destination.into(), 4, 6);
    number("link_length", header.length.into(), 2, 3);
    number("link_control", control.0.into(), 3, 4);
    number("link_dir", control.dir().into(), 3, 4);
    number("link_prm", control.primary().into(), 3, 4);
    number("link_function", control.function().into(), 3, 4);
}

/// The keys of the reference reading for the application layer.
fn application_fields(fragment: &Fragment<'_>, sink: &mut dyn FieldSink) {
    let control = fragment.control;
    sink.number("function", fragment.function.into());
    sink.number("sequence", control.sequence().into());
    sink.flag("fir", control.fir());
    sink.flag("fin", control.fin());
    sink.flag("con", control.con());
    sink.flag("uns", control.uns());
    sink.leaf("iin", fragment.iin_number().map_or(Leaf::Null, |n| Leaf::Unsigned(n.into())), None);
    sink.open_list("objects");
    for header in fragment.objects().lenient().flatten() {
        object_fields(&header, sink);
    }
    sink.close();
}

fn object_fields(header: &ObjectHeader<'_>, sink: &mut dyn FieldSink) {
    let (start, stop, count) = match header.range {
        Range::Indices(start, stop) => (Some(start), Some(stop), None),
        Range::Count(count) => (None, None, Some(count)),
        Range::Addresses(..) | Range::All | Range::Reserved => (None, None, None),
    };
    // The variation of an octet string is its length. The reference reading shows it as 0 here; the content
    // has it as it stood on the wire.
    let variation = if matches!(header.group, 110 | 111) { 0 } else { header.variation };
    sink.open("");
    sink.number("group", header.group.into());
    sink.number("variation", variation.into());
    sink.number("prefix", header.prefix().into());
    sink.number("range", header.range_code().into());
    for (name, value) in [("start", start), ("stop", stop), ("count", count)] {
        sink.leaf(name, value.map_or(Leaf::Null, |v| Leaf::Unsigned(v.into())), None);
    }
    sink.close();
}

/// Everything else: names, values, what could not be walked.
fn content(fragment: &Fragment<'_>, sink: &mut dyn FieldSink) {
    sink.name("function_name", function::function(fragment.function).name);
    if let Some(iin) = fragment.iin {
        sink.open_list("iin_bits");
        iin_names(iin).for_each(|name| sink.name("", name));
        sink.close();
    }
    sink.open_list("content");
    let mut walk = fragment.objects();
    let mut common_time = None;
    for step in walk.by_ref() {
        let Ok(header) = step else { break };
        header_content(fragment, &header, &mut common_time, sink);
    }
    sink.close();
    let rest = walk.rest();
    if !rest.is_empty() {
        let offset = fragment.body().len() - rest.len();
        sink.leaf("not_decoded", Leaf::Bytes(rest), Some(fragment.span(offset, rest.len())));
    }
}

fn header_content(
    fragment: &Fragment<'_>,
    header: &ObjectHeader<'_>,
    common_time: &mut Option<u64>,
    sink: &mut dyn FieldSink,
) {
    sink.open("");
    sink.number("group", header.group.into());
    sink.number("variation", header.variation.into());
    sink.name("name", names::group(header.group));
    if let Range::Addresses(first, last) = header.range {
        sink.number("first_address", first.into());
        sink.number("last_address", last.into());
    }
    if let Some(trouble) = header.trouble {
        sink.name("defect", trouble.fault.words().observed);
    }
    sink.open_list("points");
    for item in header.items() {
        let point = value::point(header, &item, *common_time);
        note_common_time(header, &point, common_time);
        point_fields(fragment, header, &item, &point, sink);
    }
    sink.close();
    sink.close();
}

fn note_common_time(header: &ObjectHeader<'_>, point: &Point<'_>, common_time: &mut Option<u64>) {
    if let (51, Value::TimeMs(time)) = (header.group, point.value) {
        *common_time = Some(time);
    }
}

/// Visit the points of a fragment that the sink wants; packed bits in one call if they may be.
fn each_run(fragment: &Fragment<'_>, packed: bool, sink: &mut dyn PointSink) {
    let mut common_time = None;
    fragment.each_header(&mut |header| {
        let kind = layout::kind(header.group);
        let (first, last) = match header.range {
            Range::Indices(first, last) => (first, last),
            _ => (0, u32::MAX),
        };
        // The common time is none of the points, but those behind it need it.
        if header.group != 51 && header.group != 0 && !sink.wants(kind, first, last) {
            return;
        }
        if let (true, Range::Indices(..), Some(count)) = (packed, header.range, header.packed_states()) {
            sink.bits(kind, Some(first), header.data, count);
            return;
        }
        if header.group != 51 && value::each(header, common_time, &mut |point| sink.point(point)) {
            return;
        }
        for item in header.items() {
            let point = value::point(header, &item, common_time);
            note_common_time(header, &point, &mut common_time);
            sink.point(&point);
        }
    });
}

fn point_fields(
    fragment: &Fragment<'_>,
    header: &ObjectHeader<'_>,
    item: &Item<'_>,
    point: &Point<'_>,
    sink: &mut dyn FieldSink,
) {
    let object = (header.group, header.variation);
    let span = Some(fragment.span(item.offset, item.octets.len()));
    sink.open("");
    sink.leaf("index", item.index.map_or(Leaf::Null, |i| Leaf::Unsigned(i.into())), None);
    match point.value {
        Value::Crob(crob) => crob_fields(crob, sink),
        value => sink.leaf("value", leaf(value), span),
    }
    if let Value::DoubleBit(state) = point.value {
        sink.name("state", names::double_bit(state));
    }
    if let Some(flags) = point.flags {
        sink.number("flags", flags.into());
        sink.open_list("flag_names");
        names::flags(object, flags).for_each(|name| sink.name("", name));
        sink.close();
    }
    if let Some(status) = point.status {
        sink.number("status", status.into());
        sink.name("status_name", names::command_status(status));
    }
    if let Some(time) = point.time_ms {
        sink.number("time_ms", time);
    }
    structured::fields(header, item.octets, sink);
    sink.close();
}

fn leaf(value: Value<'_>) -> Leaf<'_> {
    match value {
        Value::Bit(bit) => Leaf::Bool(bit),
        Value::DoubleBit(state) => Leaf::Unsigned(state.into()),
        Value::Unsigned(number) | Value::TimeMs(number) => Leaf::Unsigned(number),
        Value::Signed(number) => Leaf::Signed(number),
        Value::Float32(number) => Leaf::Float(number.into()),
        Value::Float64(number) => Leaf::Float(number),
        Value::Text(text) => Leaf::Text(text),
        Value::Bytes(octets) => Leaf::Bytes(octets),
        // A control block has fields of its own; masks are Modbus's.
        Value::None | Value::Crob(_) | Value::Mask { .. } => Leaf::Null,
    }
}

fn crob_fields(crob: Crob, sink: &mut dyn FieldSink) {
    sink.open("value");
    sink.number("code", crob.code.into());
    sink.name("operation", names::operation_type(crob.code));
    sink.name("trip_close", names::trip_close(crob.code));
    sink.flag("queue", crob.code & 0x10 != 0);
    sink.flag("clear", crob.code & 0x20 != 0);
    sink.number("count", crob.count.into());
    sink.number("on_time_ms", crob.on_time_ms.into());
    sink.number("off_time_ms", crob.off_time_ms.into());
    sink.close();
}
