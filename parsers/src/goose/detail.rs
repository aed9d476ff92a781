//! A message's content on demand: the fields in wire order, under the names of the reference reading first.

use core::ops::Range;

use super::ber::Element;
use super::data::{self, Step};
use super::header::Header;
use super::pdu::{NAMES, Pdu};
use super::time;
use crate::contract::*;

/// The content of one message.
pub(super) struct Content<'a> {
    /// Header and APDU.
    pub(super) octets: &'a [u8],
    pub(super) header: Option<Header>,
    /// The APDU, if it is a goosePdu.
    pub(super) pdu: Option<&'a Pdu<'a>>,
    /// What follows the header, if it is no goosePdu.
    pub(super) other: Option<Element<'a>>,
    /// Nothing is wrong with it that changes its meaning.
    pub(super) sound: bool,
}

impl Content<'_> {
    fn span(&self, part: &[u8]) -> Option<Range<usize>> {
        let start = (part.as_ptr() as usize).checked_sub(self.octets.as_ptr() as usize)?;
        (start + part.len() <= self.octets.len()).then_some(start..start + part.len())
    }

    fn leaf(&self, sink: &mut dyn FieldSink, name: &'static str, number: usize, value: Option<Leaf<'_>>) {
        let Some(element) = self.pdu.and_then(|pdu| pdu.element(number)) else {
            return sink.leaf(name, Leaf::Null, None);
        };
        sink.leaf(name, value.unwrap_or(Leaf::Null), self.span(element.octets));
        if value.is_none() {
            // What cannot be read as what it should be is shown as it is.
            sink.leaf("unreadable", Leaf::Bytes(element.octets), self.span(element.octets));
        }
    }

    fn time(&self, sink: &mut dyn FieldSink, pdu: &Pdu<'_>) {
        let Some(element) = pdu.element(4) else { return sink.leaf("t", Leaf::Null, None) };
        sink.open("t");
        match pdu.t() {
            Some(t) => {
                sink.number("seconds", t.ns / 1_000_000_000);
                sink.number("nanoseconds", t.ns % 1_000_000_000);
                let quality = element.value.last().copied().unwrap_or_default();
                sink.flag("leap_seconds_known", quality & 0x80 != 0);
                sink.flag("clock_failure", t.failed);
                sink.flag("clock_not_synchronised", t.unsynchronised);
                sink.number("accuracy_bits", t.accuracy_bits.into());
            }
            None => sink.leaf("unreadable", Leaf::Bytes(element.value), self.span(element.value)),
        }
        sink.close();
    }

    fn elements(&self, sink: &mut dyn FieldSink, pdu: &Pdu<'_>) {
        let text = Leaf::Ascii;
        let number = |n: u32| Leaf::Unsigned(n.into());
        self.leaf(sink, "gocb_ref", 0, pdu.gocb_ref().map(text));
        // Where a minus is on the wire it is shown; the check tells that it must not be.
        self.leaf(sink, "time_allowed_to_live", 1, pdu.integer(1).map(Leaf::Signed));
        self.leaf(sink, "dat_set", 2, pdu.dat_set().map(text));
        self.leaf(sink, "go_id", 3, pdu.go_id().map(text));
        self.time(sink, pdu);
        self.leaf(sink, "st_num", 5, pdu.st_num().map(number));
        self.leaf(sink, "sq_num", 6, pdu.sq_num().map(number));
        self.leaf(sink, "simulation", 7, pdu.simulation().map(Leaf::Bool));
        self.leaf(sink, "conf_rev", 8, pdu.integer(8).map(Leaf::Signed));
        self.leaf(sink, "nds_com", 9, pdu.nds_com().map(Leaf::Bool));
        self.leaf(sink, "num_dat_set_entries", 10, pdu.integer(10).map(Leaf::Signed));
        if let Some(all_data) = pdu.all_data() {
            self.members(sink, all_data);
        }
        if let Some(security) = pdu.element(12).filter(|_| pdu.has_security()) {
            sink.leaf(NAMES[12], Leaf::Bytes(security.value), self.span(security.octets));
        }
        if let Some(unknown) = pdu.unknown {
            sink.number("unknown_elements", pdu.unknowns.into());
            sink.leaf("unknown_element", Leaf::Bytes(unknown.octets), self.span(unknown.octets));
        }
        if let Some((_, rest)) = pdu.broken {
            sink.leaf("rest", Leaf::Bytes(rest), self.span(rest));
        }
    }

    fn members(&self, sink: &mut dyn FieldSink, all_data: &[u8]) {
        sink.open_list("all_data");
        data::walk(all_data, &mut |step| match step {
            Step::Open(is_array) => {
                sink.open("");
                sink.name("kind", if is_array { "array" } else { "structure" });
                sink.open_list("members");
            }
            Step::Close => {
                sink.close();
                sink.close();
            }
            Step::Value(element) => {
                sink.open("");
                sink.name("kind", data::name(&element));
                self.value(sink, &element);
                sink.close();
            }
            Step::Broken(rest) => {
                sink.open("");
                sink.leaf("rest", Leaf::Bytes(rest), self.span(rest));
                sink.close();
            }
            Step::Limit => {
                sink.open("");
                sink.name("kind", "more_than_the_limit");
                sink.close();
            }
        });
        sink.close();
    }

    fn value(&self, sink: &mut dyn FieldSink, element: &Element<'_>) {
        let span = self.span(element.octets);
        let known = data::is_sound(element);
        match (data::name(element), element.value) {
            ("bit_string" | "boolean_array", [unused, bits @ ..]) if known => {
                sink.number("bits", (bits.len() * 8).saturating_sub(usize::from(*unused)) as u64);
                sink.leaf("value", Leaf::Bytes(bits), span);
            }
            ("utc_time", octets) if known => match time::utc(octets) {
                Some(t) => {
                    sink.leaf("value_ns", Leaf::Unsigned(t.ns), span);
                    sink.flag("clock_failure", t.failed);
                    sink.flag("clock_not_synchronised", t.unsynchronised);
                }
                None => sink.leaf("value", Leaf::Bytes(octets), span),
            },
            ("unknown", _) => sink.leaf("octets", Leaf::Bytes(element.octets), span),
            _ => {
                let leaf = match data::value(element) {
                    Value::Bit(bit) => Leaf::Bool(bit),
                    Value::Signed(number) => Leaf::Signed(number),
                    Value::Unsigned(number) => Leaf::Unsigned(number),
                    Value::Float32(number) => Leaf::Float(number.into()),
                    Value::Float64(number) => Leaf::Float(number),
                    Value::Text(text) => Leaf::Text(text),
                    Value::TimeMs(ms) => Leaf::Unsigned(ms),
                    _ => Leaf::Bytes(element.value),
                };
                sink.leaf("value", leaf, span);
            }
        }
        if element.missing > 0 {
            sink.number("octets_missing", element.missing as u64);
        }
    }
}

impl Detail for Content<'_> {
    fn octets(&self) -> &[u8] {
        self.octets
    }

    fn points(&self, visit: &mut dyn FnMut(&Point<'_>)) {
        if let Some(all_data) = self.pdu.and_then(Pdu::all_data) {
            data::points(all_data, visit);
        }
    }

    fn values(&self, sink: &mut dyn PointSink) {
        if let Some(all_data) = self.pdu.and_then(Pdu::all_data)
            && sink.wants(PointKind::DataSetMember, 0, u32::MAX)
        {
            data::points(all_data, &mut |point| sink.point(point));
        }
    }

    fn publication(&self) -> Option<Publication<'_>> {
        let pdu = self.pdu?;
        let header = self.header?;
        Some(Publication {
            application: header.appid,
            control_block: pdu.gocb_ref()?,
            data_set: pdu.dat_set().unwrap_or_default(),
            identifier: pdu.go_id().unwrap_or_default(),
            allowed_to_live_ms: pdu.time_allowed_to_live(),
            changed_at: pdu.t(),
            state: pdu.st_num(),
            sequence: pdu.sq_num(),
            revision: pdu.conf_rev(),
            entries: pdu.num_dat_set_entries(),
            simulated: pdu.simulation().unwrap_or(false) || header.simulated(),
            needs_commissioning: pdu.nds_com().unwrap_or(false),
            members: pdu.all_data().unwrap_or_default(),
            sound: self.sound,
            points: data::points,
            shape: data::shape,
        })
    }

    fn fields(&self, sink: &mut dyn FieldSink) {
        if let Some(header) = self.header {
            sink.leaf("appid", Leaf::Unsigned(header.appid.into()), Some(0..2));
            sink.leaf("length", Leaf::Unsigned(header.length.into()), Some(2..4));
            sink.leaf("reserved1", Leaf::Unsigned(header.reserved1.into()), Some(4..6));
            sink.flag("s_bit", header.simulated());
            sink.leaf("reserved2", Leaf::Unsigned(header.reserved2.into()), Some(6..8));
        } else {
            // The tap or the sender cut it within the header.
            if let [a, b, ..] = *self.octets {
                sink.leaf("appid", Leaf::Unsigned(u16::from_be_bytes([a, b]).into()), Some(0..2));
            }
            sink.leaf("octets", Leaf::Bytes(self.octets), Some(0..self.octets.len()));
        }
        if let Some(pdu) = self.pdu {
            self.elements(sink, pdu);
        }
        if let Some(other) = &self.other {
            sink.number("apdu_tag", other.tag.number.into());
            sink.leaf("apdu", Leaf::Bytes(other.value), self.span(other.octets));
        }
    }
}
