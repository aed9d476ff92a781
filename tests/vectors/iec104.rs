//! IEC 104: every frame, header and element as the encoder wrote it.

use core::ops::Range;

use parsers::{Defect, FieldSink, Leaf, Observer, Operation, Protocol, Unit};
use simulators::encode::iec104::{Asdu, Element, Frame, Time};
use simulators::vectors::Vector;
use simulators::vectors::iec104::Apdu;

/// Names and values of an object, or of a header.
type Fields = Vec<(String, String)>;

/// One frame as it was read.
#[derive(Debug, Default, Clone, PartialEq)]
struct Read {
    header: Fields,
    objects: Vec<Fields>,
    /// Lists and tables that are open, by name.
    open: Vec<&'static str>,
    /// Octets that are shown raw anywhere.
    raw: Vec<Vec<u8>>,
}

#[derive(Debug, Default, PartialEq)]
struct Frames {
    units: Vec<Read>,
    defects: Vec<String>,
}

impl Observer for Frames {
    fn unit(&mut self, unit: &Unit<'_>) {
        let mut read = Read::default();
        unit.detail.fields(&mut read);
        self.units.push(read);
    }
    fn operation(&mut self, _: &Operation<'_>) {}
    fn defect(&mut self, defect: &Defect<'_>) {
        self.defects
            .push(format!("{} expected {}, observed {}", defect.check, defect.expected, defect.observed));
    }
}

impl FieldSink for Read {
    fn leaf(&mut self, name: &'static str, value: Leaf<'_>, _: Option<Range<usize>>) {
        if let Leaf::Bytes(octets) = value {
            self.raw.push(octets.to_vec());
        }
        let text = match value {
            Leaf::Bool(flag) => u8::from(flag).to_string(),
            Leaf::Unsigned(number) => number.to_string(),
            Leaf::Signed(number) => number.to_string(),
            Leaf::Float(number) => format!("{number:e}"),
            Leaf::Bytes(octets) => format!("{octets:02x?}"),
            // Names are words for what stands beside them.
            _ => return,
        };
        match self.open.as_slice() {
            [] => self.header.push((name.to_owned(), text)),
            ["objects", ""] => self.push(name.to_owned(), text),
            ["objects", "", "time"] => self.push(format!("time.{name}"), text),
            _ => {}
        }
    }
    fn open(&mut self, name: &'static str) {
        if self.open == ["objects"] {
            self.objects.push(Fields::new());
        }
        self.open.push(name);
    }
    fn open_list(&mut self, name: &'static str) {
        self.open.push(name);
    }
    fn close(&mut self) {
        self.open.pop();
    }
}

impl Read {
    fn push(&mut self, name: String, value: String) {
        self.objects.last_mut().unwrap().push((name, value));
    }

    fn of_header(&self, name: &str) -> Option<&str> {
        self.header.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

/// What the header of a frame says.
fn header(apdu: &Apdu) -> Vec<(&'static str, u64)> {
    let mut wanted = match &apdu.frame {
        Frame::I(send, receive, _) => vec![("ns", u64::from(*send)), ("nr", u64::from(*receive))],
        Frame::S(receive) => vec![("length", 4), ("nr", u64::from(*receive))],
        Frame::U(function) => vec![("length", 4), ("u_type", u64::from(function >> 2))],
    };
    if let Some(asdu) = &apdu.asdu {
        wanted.extend([
            ("type_id", u64::from(asdu.type_id)),
            ("sq", u64::from(asdu.sequence)),
            ("num_objects", asdu.objects.len() as u64),
            ("cot", u64::from(asdu.cause)),
            ("negative", u64::from(asdu.negative)),
            ("test", u64::from(asdu.test)),
            ("originator", u64::from(asdu.originator)),
            ("common_address", u64::from(asdu.address)),
        ]);
    }
    wanted
}

/// What an object says.
fn object(asdu: &Asdu, place: usize, elements: &[Element]) -> Fields {
    let mut fields = Fields::new();
    let mut put = |name: &str, value: String| fields.push((name.to_owned(), value));
    put("address", asdu.objects[place].0.to_string());
    // Octets of files: their names in the order of the type.
    let mut octets = match asdu.type_id {
        120 => ["file_ready_qualifier"].iter(),
        121 => ["section", "section_ready_qualifier"].iter(),
        122 | 124 => ["section", "file_qualifier"].iter(),
        123 => ["section", "last_section_qualifier", "checksum"].iter(),
        125 => ["section", "length"].iter(),
        _ => ["status_of_file"].iter(),
    };
    let flag = |flag: bool| u8::from(flag).to_string();
    let times = elements.iter().filter(|e| matches!(e, Element::Cp56(_))).count();
    let mut time = 0;
    for (n, element) in elements.iter().enumerate() {
        match element {
            Element::Siq { on, quality } => {
                put("value", flag(*on));
                put("quality", (quality & 0xF0).to_string());
            }
            Element::Diq { state, quality } => {
                put("value", state.to_string());
                put("quality", (quality & 0xF0).to_string());
            }
            Element::Sep { state, quality } => {
                put("value", state.to_string());
                put("quality", (quality & 0xF8).to_string());
            }
            Element::Qds(quality) => put("quality", (quality & 0xF1).to_string()),
            Element::Qdp(quality) => put("quality", (quality & 0xF8).to_string()),
            Element::Vti { position, transient } => {
                put("value", position.to_string());
                put("transient", flag(*transient));
            }
            Element::Bsi(bits) => put("value", bits.to_string()),
            Element::Nva(raw) => put("value", format!("{:e}", f64::from(*raw) / 32768.0)),
            Element::Sva(number) => put("value", number.to_string()),
            Element::R32(number) => put("value", format!("{:e}", f64::from(*number))),
            Element::Bcr { count, sequence, flags } => {
                put("value", count.to_string());
                put("counter_sequence", sequence.to_string());
                put("carry", (flags >> 5 & 1).to_string());
                put("adjusted", (flags >> 6 & 1).to_string());
                put("quality", (flags & 0x80).to_string());
            }
            Element::Spe(bits) | Element::Oci(bits) => put("value", bits.to_string()),
            Element::Scd { states, changes } => {
                put("value", states.to_string());
                put("changes", changes.to_string());
            }
            Element::Sco { on, qualifier, select } => {
                put("value", flag(*on));
                put("qualifier", qualifier.to_string());
                put("select", flag(*select));
            }
            Element::Dco { state: two, qualifier, select }
            | Element::Rco { step: two, qualifier, select } => {
                put("value", two.to_string());
                put("qualifier", qualifier.to_string());
                put("select", flag(*select));
            }
            Element::Qos { qualifier, select } => {
                put("qualifier", qualifier.to_string());
                put("select", flag(*select));
            }
            Element::Qpm { kind, local, inactive } => {
                put("parameter_kind", kind.to_string());
                put("local_change", flag(*local));
                put("not_in_operation", flag(*inactive));
            }
            Element::Qpa(octet) | Element::Qoi(octet) | Element::Qrp(octet) => {
                put("value", octet.to_string());
            }
            Element::Coi { cause, changed } => put("value", (cause | u8::from(*changed) << 7).to_string()),
            Element::Qcc { request, freeze } => put("value", (request | freeze << 6).to_string()),
            Element::Fbp(word) | Element::Tsc(word) => put("value", word.to_string()),
            Element::Cp16(ms) => {
                let name = match elements.first() {
                    Some(Element::Sep { .. }) => "elapsed_ms",
                    _ if n == 0 => "value",
                    _ => "duration_ms",
                };
                put(name, ms.to_string());
            }
            Element::Cp24(time) => short(time, &mut put),
            Element::Cp56(tag) => {
                time += 1;
                // A query of a log has two; the second one is read.
                if time == times {
                    short(tag, &mut put);
                    long(tag, &mut put);
                }
                if asdu.type_id == 103 {
                    put("value", tag.ms.to_string());
                }
            }
            Element::Nof(name) => put(if asdu.type_id == 125 { "file" } else { "value" }, name.to_string()),
            Element::Lof(length) => put("length", length.to_string()),
            Element::File(octet) => put(octets.next().unwrap(), octet.to_string()),
            Element::Aid(id) => put("association_id", id.to_string()),
            Element::Raw(octets) => put("value", format!("{octets:02x?}")),
        }
    }
    fields
}

fn short(time: &Time, put: &mut dyn FnMut(&str, String)) {
    put("time.milliseconds", time.millisecond().to_string());
    put("time.minute", (time.ms / 60_000 % 60).to_string());
    put("time.time_invalid", u8::from(time.invalid).to_string());
    put("time.time_substituted", u8::from(time.substituted).to_string());
}

fn long(time: &Time, put: &mut dyn FnMut(&str, String)) {
    // The calendar by another hand than the encoder's and the parser's.
    let date = jiff::Timestamp::from_millisecond(time.ms as i64).unwrap().to_zoned(jiff::tz::TimeZone::UTC);
    put("time.hour", date.hour().to_string());
    put("time.summer", u8::from(time.summer).to_string());
    put("time.day", date.day().to_string());
    put("time.day_of_week", time.weekday.to_string());
    put("time.month", date.month().to_string());
    put("time.year", (date.year() % 100).to_string());
    put("time_ms", time.ms.to_string());
}

fn read(vector: &Vector, cut: &mut dyn FnMut() -> usize) -> Frames {
    let mut frames = Frames::default();
    super::decode_for(&mut frames, Protocol::Iec104, 2404, vector, cut);
    frames
}

#[test]
fn every_iec104_vector_is_decoded_as_it_was_encoded() {
    let vectors = simulators::vectors::iec104::all();
    let (mut wrong, mut compared) = (Vec::new(), 0);
    for vector in &vectors {
        let name = &vector.name;
        let whole = read(vector, &mut || usize::MAX);
        if whole.units.len() != vector.expected.len() {
            wrong.push(format!("{name}: {} frames, not {}", whole.units.len(), vector.expected.len()));
        }
        for (line, (expected, seen)) in vector.expected.iter().zip(&whole.units).enumerate() {
            let apdu = expected.apdu.as_ref().unwrap();
            for (field, wanted) in header(apdu) {
                compared += 1;
                if seen.of_header(field) != Some(wanted.to_string().as_str()) {
                    wrong.push(format!(
                        "{name}, line {line}: {field} is {:?}, not {wanted}",
                        seen.of_header(field)
                    ));
                }
            }
            let Some(asdu) = &apdu.asdu else { continue };
            if let [[Element::Raw(octets)]] =
                apdu.elements.iter().map(Vec::as_slice).collect::<Vec<_>>().as_slice()
            {
                compared += 1;
                if !seen.raw.iter().any(|raw| raw.ends_with(octets)) {
                    wrong.push(format!("{name}: octets without a layout are not shown"));
                }
                continue;
            }
            if seen.objects.len() != apdu.elements.len() {
                wrong.push(format!(
                    "{name}, line {line}: {} objects, not {}",
                    seen.objects.len(),
                    apdu.elements.len()
                ));
            }
            for (place, (elements, seen)) in apdu.elements.iter().zip(&seen.objects).enumerate() {
                let (mut wanted, mut seen) = (object(asdu, place, elements), seen.clone());
                wanted.sort();
                seen.sort();
                compared += wanted.len();
                if wanted != seen {
                    wrong.push(format!("{name}, line {line}, object {place}: {seen:?}, not {wanted:?}"));
                }
            }
        }
        // What a station reports is sound in every form; that it has started is about no object (I4-C16).
        let mut defects = whole.defects.iter().peekable();
        let about_object =
            |apdu: &Apdu| apdu.asdu.as_ref().is_some_and(|a| a.type_id == 70 && a.objects[0].0 != 0);
        if vector.expected.iter().filter_map(|e| e.apdu.as_ref()).any(about_object)
            && !defects.next().is_some_and(|defect| defect.starts_with("I4-C16"))
        {
            wrong.push(format!("{name}: that the end of an initialisation names an object is not told"));
        }
        if name.starts_with("M_") && defects.peek().is_some() {
            wrong.push(format!("{name}: {:?}", whole.defects));
        }
        if read(vector, &mut || 1) != whole {
            wrong.push(format!("{name}: octet by octet it reads differently"));
        }
    }
    println!("{} vectors, {compared} values", vectors.len());
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong[..wrong.len().min(40)].join("\n"));
    assert!(compared > 20_000, "{compared} values are too few to mean anything");
}
