//! Objects with named parts: files (g70), authentication (g120) and others, walked into the decode tree.

use super::header::ObjectHeader;
use super::names;
use super::value::Fields;
use crate::contract::{FieldSink, Leaf};

/// Hand out the parts of a structured object; nothing if it has none. What the octets do not hold is
/// left out, what is left over is shown as `surplus`.
pub(in crate::dnp3) fn fields(header: &ObjectHeader<'_>, octets: &[u8], sink: &mut dyn FieldSink) {
    let table = layout(header.group, header.variation);
    if table.is_empty() || !header.has_objects || octets.is_empty() {
        return;
    }
    sink.open("parts");
    let mut parts = Parts { fields: Fields(octets), sizes: [0; 4], known: 0 };
    for part in table {
        if parts.one(*part, sink).is_none() {
            sink.name("defect", "the object ends before its last part");
            break;
        }
    }
    if !parts.fields.0.is_empty() {
        sink.bytes("surplus", parts.fields.0);
    }
    sink.close();
}

/// One part of an object.
#[derive(Copy, Clone)]
enum Part {
    U8(&'static str),
    U16(&'static str),
    U32(&'static str),
    Time(&'static str),
    /// A number with a name for each value.
    Code(&'static str, fn(u8) -> &'static str),
    /// Length of the next part of variable size that has none yet.
    Size(&'static str),
    /// Text of the length given before.
    Text(&'static str),
    /// Octets of the length given before.
    Octets(&'static str),
    /// Text up to the end.
    RestText(&'static str),
    /// Octets up to the end.
    Rest(&'static str),
    /// Block number of a file, whose highest bit marks the last block.
    Block,
}

struct Parts<'a> {
    fields: Fields<'a>,
    /// Lengths given and not used up yet, in the order of their parts.
    sizes: [u16; 4],
    known: usize,
}

impl<'a> Parts<'a> {
    fn one(&mut self, part: Part, sink: &mut dyn FieldSink) -> Option<()> {
        match part {
            Part::U8(name) => sink.number(name, self.fields.u8()?.into()),
            Part::U16(name) => sink.number(name, self.fields.u16()?.into()),
            Part::U32(name) => sink.number(name, self.fields.u32()?.into()),
            Part::Time(name) => sink.number(name, self.fields.time()?),
            Part::Code(name, names) => {
                let code = self.fields.u8()?;
                sink.number(name, code.into());
                sink.name("meaning", names(code));
            }
            Part::Size(name) => {
                let size = self.fields.u16()?;
                sink.number(name, size.into());
                *self.sizes.get_mut(self.known)? = size;
                self.known += 1;
            }
            Part::Text(name) => sink.leaf(name, Leaf::Text(self.sized()?), None),
            Part::Octets(name) => sink.leaf(name, Leaf::Bytes(self.sized()?), None),
            Part::RestText(name) => sink.leaf(name, Leaf::Text(core::mem::take(&mut self.fields.0)), None),
            Part::Rest(name) => sink.leaf(name, Leaf::Bytes(core::mem::take(&mut self.fields.0)), None),
            Part::Block => {
                let block = self.fields.u32()?;
                sink.number("block", (block & 0x7FFF_FFFF).into());
                sink.flag("last_block", block >> 31 != 0);
            }
        }
        Some(())
    }

    fn sized(&mut self) -> Option<&'a [u8]> {
        let size = *self.sizes.first()?;
        self.sizes.rotate_left(1);
        self.known = self.known.saturating_sub(1);
        self.fields.take(size.into())
    }
}

fn layout(group: u8, variation: u8) -> &'static [Part] {
    match group {
        0 => &[Part::Code("type", attribute_type), Part::U8("length"), Part::Rest("octets")],
        50 => match variation {
            2 => &[Part::Time("time_ms"), Part::U32("interval_ms")],
            4 => &[Part::Time("time_ms"), Part::U32("interval"), Part::Code("units", interval_units)],
            _ => &[],
        },
        70 => file(variation),
        81 => &[Part::U8("overflow"), Part::U8("group"), Part::U8("variation")],
        83 if variation == 1 => {
            &[Part::U32("vendor"), Part::U16("object_id"), Part::Size("length"), Part::Octets("octets")]
        }
        120 => authentication(variation),
        121 | 122 => &[Part::U8("flags"), Part::U16("association"), Part::U32("count"), Part::Rest("time")],
        _ => &[],
    }
}

/// File control, annex A.27.
fn file(variation: u8) -> &'static [Part] {
    match variation {
        2 => &[
            Part::U16("user_offset"),
            Part::Size("user_length"),
            Part::U16("password_offset"),
            Part::Size("password_length"),
            Part::U32("authentication_key"),
            Part::Text("user"),
            Part::Text("password"),
        ],
        3 => &[
            Part::U16("name_offset"),
            Part::Size("name_length"),
            Part::Time("created_ms"),
            Part::U16("permissions"),
            Part::U32("authentication_key"),
            Part::U32("file_size"),
            Part::U16("mode"),
            Part::U16("max_block"),
            Part::U16("request_id"),
            Part::Text("file_name"),
        ],
        4 => &[
            Part::U32("handle"),
            Part::U32("file_size"),
            Part::U16("max_block"),
            Part::U16("request_id"),
            Part::Code("file_status", names::file_status),
            Part::RestText("text"),
        ],
        5 => &[Part::U32("handle"), Part::Block, Part::Rest("octets")],
        6 => &[
            Part::U32("handle"),
            Part::Block,
            Part::Code("file_status", names::file_status),
            Part::RestText("text"),
        ],
        7 => &[
            Part::U16("name_offset"),
            Part::Size("name_length"),
            Part::U16("file_type"),
            Part::U32("file_size"),
            Part::Time("created_ms"),
            Part::U16("permissions"),
            Part::U16("request_id"),
            Part::Text("file_name"),
        ],
        8 => &[Part::RestText("file_name")],
        _ => &[],
    }
}

/// Authentication, annex A.45.
fn authentication(variation: u8) -> &'static [Part] {
    match variation {
        1 => &[
            Part::U32("sequence"),
            Part::U16("user"),
            Part::Code("mac_algorithm", names::mac_algorithm),
            Part::U8("reason"),
            Part::Rest("challenge"),
        ],
        2 => &[Part::U32("sequence"), Part::U16("user"), Part::Rest("mac")],
        3 => &[Part::U32("sequence"), Part::U16("user")],
        4 => &[Part::U16("user")],
        5 => &[
            Part::U32("key_sequence"),
            Part::U16("user"),
            Part::Code("key_wrap", names::key_wrap),
            Part::Code("key_status", names::key_status),
            Part::Code("mac_algorithm", names::mac_algorithm),
            Part::Size("challenge_length"),
            Part::Octets("challenge"),
            Part::Rest("mac"),
        ],
        6 => &[Part::U32("key_sequence"), Part::U16("user"), Part::Rest("wrapped_keys")],
        7 => &[
            Part::U32("sequence"),
            Part::U16("user"),
            Part::U16("association"),
            Part::Code("error", names::auth_error),
            Part::Time("time_ms"),
            Part::RestText("text"),
        ],
        8 => &[Part::U8("method"), Part::U8("certificate_type"), Part::Rest("certificate")],
        9 | 15 => &[Part::Rest("mac")],
        10 => &[
            Part::U8("method"),
            Part::U8("operation"),
            Part::U32("status_change_sequence"),
            Part::U16("role"),
            Part::U16("expiry"),
            Part::Size("name_length"),
            Part::Size("key_length"),
            Part::Size("certificate_length"),
            Part::Text("user_name"),
            Part::Octets("key"),
            Part::Octets("certificate"),
        ],
        11 => &[
            Part::U8("method"),
            Part::Size("name_length"),
            Part::Size("challenge_length"),
            Part::Text("user_name"),
            Part::Octets("challenge"),
        ],
        12 => {
            &[Part::U32("key_sequence"), Part::U16("user"), Part::Size("length"), Part::Octets("challenge")]
        }
        13 => &[
            Part::U32("key_sequence"),
            Part::U16("user"),
            Part::Size("length"),
            Part::Octets("encrypted_key"),
        ],
        14 => &[Part::Rest("signature")],
        _ => &[],
    }
}

fn attribute_type(code: u8) -> &'static str {
    match code {
        1 => "visible_string",
        2 => "unsigned",
        3 => "signed",
        4 => "float",
        5 => "octet_string",
        6 => "bit_string",
        7 => "time",
        8 => "unicode",
        254 => "list",
        255 => "extended_list",
        _ => "unknown",
    }
}

/// Units of the interval of group 50 variation 4.
fn interval_units(code: u8) -> &'static str {
    match code {
        0 => "no_repeat",
        1 => "milliseconds",
        2 => "seconds",
        3 => "minutes",
        4 => "hours",
        5 => "days",
        6 => "weeks",
        7 => "months_same_day",
        8 => "months_same_weekday_from_start",
        9 => "months_same_weekday_from_end",
        10 => "seasons",
        _ => "reserved",
    }
}
