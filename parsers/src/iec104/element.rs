//! Elements: what is in the octets of an object (IEC 60870-5-101, 7.2.6).

use nom::IResult;
use nom::number::complete::{le_f32, le_i16, le_i32, le_u8, le_u16, le_u24, le_u32};

use super::asdu::{Asdu, Object};
use super::time::{self, Time, Within};
use super::types::{self, Form, Tag};
use crate::contract::{Point, PointKind, Value};

/// Quality bits of SIQ and DIQ; QDS has the overflow beside them.
const OF_STATES: u8 = 0xF0;
const OF_VALUES: u8 = 0xF1;
/// Of protection equipment: the elapsed time may be invalid.
const OF_PROTECTION: u8 = 0xF8;
const INVALID: u8 = 0x80;
/// Select bit of SCO, DCO, RCO and QOS.
pub(super) const SELECT: u8 = 0x80;

/// An element taken apart.
#[derive(Debug, Copy, Clone, PartialEq)]
pub(super) struct Element<'a> {
    pub value: Value<'a>,
    /// The bits of its quality descriptor, and nothing else.
    pub quality: Option<u8>,
    /// QU or QL, the select bit left out.
    pub qualifier: Option<u8>,
    /// Of a command that can be selected.
    pub select: Option<bool>,
    /// Other fields, in wire order.
    pub extra: [Option<(&'static str, u32)>; 4],
    /// Time of the event.
    pub tag: TimeTag,
}

/// The time behind an element.
#[derive(Debug, Copy, Clone, PartialEq)]
pub(super) enum TimeTag {
    None,
    Short(Within),
    Long(Time),
}

impl<'a> Element<'a> {
    fn of(value: Value<'a>) -> Element<'a> {
        Element { value, quality: None, qualifier: None, select: None, extra: [None; 4], tag: TimeTag::None }
    }

    fn with_quality(value: Value<'a>, quality: u8) -> Element<'a> {
        Element { quality: Some(quality), ..Element::of(value) }
    }

    fn command(value: Value<'a>, octet: u8, mask: u8, shift: u8) -> Element<'a> {
        let (qualifier, select) = (Some((octet & mask) >> shift), Some(octet & SELECT != 0));
        Element { qualifier, select, ..Element::of(value) }
    }
}

type Parsed<'a> = IResult<&'a [u8], Element<'a>>;

/// Value, quality and time of the elements that nearly all reports carry: a state or a measurement, with a long time or
/// none. `None` of all others; [`element`] reads these as well.
#[inline]
pub(super) fn plain(row: &types::Type, octets: &[u8]) -> Option<(Value<'static>, u8, Option<Time>)> {
    let (octets, time) = match row.tag {
        Tag::None => (octets, None),
        Tag::Short => return None,
        Tag::Long => {
            let (octets, time) = octets.split_last_chunk::<7>()?;
            (octets, Some(time))
        }
    };
    let (value, quality) = match (row.form, octets) {
        (Form::Single, [siq]) => (Value::Bit(siq & 1 != 0), siq & OF_STATES),
        (Form::Double, [diq]) => (Value::DoubleBit(diq & 3), diq & OF_STATES),
        (Form::Float, [a, b, c, d, quality]) => {
            (Value::Float32(f32::from_le_bytes([*a, *b, *c, *d])), quality & OF_VALUES)
        }
        (Form::Scaled, [a, b, quality]) => {
            (Value::Signed(i16::from_le_bytes([*a, *b]).into()), quality & OF_VALUES)
        }
        (Form::Normalised, [a, b, quality]) => {
            (of_normalised(i16::from_le_bytes([*a, *b])), quality & OF_VALUES)
        }
        _ => return None,
    };
    let time = match time {
        Some(octets) => Some(time::time(octets).ok()?.1),
        None => None,
    };
    Some((value, quality, time))
}

/// Take an element apart. `None` if its octets are too few, or its form is not known here.
pub(super) fn element(type_id: u8, octets: &[u8]) -> Option<Element<'_>> {
    let row = types::of(type_id)?;
    let (rest, mut element) = form(row.form, octets).ok()?;
    element.tag = match row.tag {
        Tag::None => TimeTag::None,
        Tag::Short => TimeTag::Short(time::within(rest).ok()?.1),
        Tag::Long => TimeTag::Long(time::time(rest).ok()?.1),
    };
    if let (Form::Clock, TimeTag::Long(time)) = (row.form, element.tag) {
        element.value = time.since_1970().map_or(Value::Bytes(octets), Value::TimeMs);
    }
    Some(element)
}

fn form(form: Form, input: &[u8]) -> Parsed<'_> {
    match form {
        Form::Single => single(input),
        Form::Double => double(input),
        Form::Step => step(input),
        Form::Bits => bits(input),
        Form::Normalised => normalised(input),
        Form::NormalisedBare => le_i16(input).map(|(rest, raw)| (rest, Element::of(of_normalised(raw)))),
        Form::Scaled => scaled(input),
        Form::Float => float(input),
        Form::Counter => counter(input),
        Form::ProtectionEvent => protection_event(input),
        Form::ProtectionStart | Form::ProtectionOutput => protection(input),
        Form::PackedSingle => packed(input),
        Form::Statistics => statistics(input),
        Form::SingleCommand => single_command(input),
        Form::DoubleCommand | Form::StepCommand => double_command(input, form == Form::StepCommand),
        Form::SetNormalised | Form::SetScaled | Form::SetFloat => set_point(input, form),
        Form::SetBits => le_u32(input).map(|(rest, bits)| (rest, Element::of(Value::Unsigned(bits.into())))),
        Form::Qualifier => {
            le_u8(input).map(|(rest, octet)| (rest, Element::of(Value::Unsigned(octet.into()))))
        }
        Form::Nothing | Form::Clock => Ok((input, Element::of(Value::None))),
        Form::TestPattern | Form::Delay | Form::TestCounter => {
            le_u16(input).map(|(rest, word)| (rest, Element::of(Value::Unsigned(word.into()))))
        }
        Form::ParameterNormalised | Form::ParameterScaled | Form::ParameterFloat => parameter(input, form),
        Form::FileReady => file_ready(input),
        Form::SectionReady => section_ready(input),
        Form::CallFile | Form::AckFile => call_file(input),
        Form::LastSection => last_section(input),
        Form::Segment => segment(input),
        Form::Directory => directory(input),
        Form::QueryLog => query_log(input),
        Form::Opaque => Ok((&[], Element::of(Value::Bytes(input)))),
    }
}

fn of_normalised(raw: i16) -> Value<'static> {
    Value::Float32(f32::from(raw) / 32768.0)
}

fn single(input: &[u8]) -> Parsed<'_> {
    let (input, siq) = le_u8(input)?;
    Ok((input, Element::with_quality(Value::Bit(siq & 1 != 0), siq & OF_STATES)))
}

fn double(input: &[u8]) -> Parsed<'_> {
    let (input, diq) = le_u8(input)?;
    Ok((input, Element::with_quality(Value::DoubleBit(diq & 3), diq & OF_STATES)))
}

fn step(input: &[u8]) -> Parsed<'_> {
    let (input, vti) = le_u8(input)?;
    let (input, quality) = le_u8(input)?;
    // Seven bits with sign.
    let position = i64::from((vti << 1) as i8 >> 1);
    let mut element = Element::with_quality(Value::Signed(position), quality & OF_VALUES);
    element.extra[0] = Some(("transient", (vti >> 7).into()));
    Ok((input, element))
}

fn bits(input: &[u8]) -> Parsed<'_> {
    let (input, bits) = le_u32(input)?;
    let (input, quality) = le_u8(input)?;
    Ok((input, Element::with_quality(Value::Unsigned(bits.into()), quality & OF_VALUES)))
}

fn normalised(input: &[u8]) -> Parsed<'_> {
    let (input, raw) = le_i16(input)?;
    let (input, quality) = le_u8(input)?;
    Ok((input, Element::with_quality(of_normalised(raw), quality & OF_VALUES)))
}

fn scaled(input: &[u8]) -> Parsed<'_> {
    let (input, value) = le_i16(input)?;
    let (input, quality) = le_u8(input)?;
    Ok((input, Element::with_quality(Value::Signed(value.into()), quality & OF_VALUES)))
}

fn float(input: &[u8]) -> Parsed<'_> {
    let (input, value) = le_f32(input)?;
    let (input, quality) = le_u8(input)?;
    Ok((input, Element::with_quality(Value::Float32(value), quality & OF_VALUES)))
}

fn counter(input: &[u8]) -> Parsed<'_> {
    let (input, count) = le_i32(input)?;
    let (input, notes) = le_u8(input)?;
    let mut element = Element::with_quality(Value::Signed(count.into()), notes & INVALID);
    element.extra[0] = Some(("counter_sequence", (notes & 0x1F).into()));
    element.extra[1] = Some(("carry", (notes >> 5 & 1).into()));
    element.extra[2] = Some(("adjusted", (notes >> 6 & 1).into()));
    Ok((input, element))
}

fn protection_event(input: &[u8]) -> Parsed<'_> {
    let (input, sep) = le_u8(input)?;
    let (input, elapsed) = le_u16(input)?;
    let mut element = Element::with_quality(Value::DoubleBit(sep & 3), sep & OF_PROTECTION);
    element.extra[0] = Some(("elapsed_ms", elapsed.into()));
    Ok((input, element))
}

fn protection(input: &[u8]) -> Parsed<'_> {
    let (input, bits) = le_u8(input)?;
    let (input, quality) = le_u8(input)?;
    let (input, duration) = le_u16(input)?;
    let mut element = Element::with_quality(Value::Unsigned(bits.into()), quality & OF_PROTECTION);
    element.extra[0] = Some(("duration_ms", duration.into()));
    Ok((input, element))
}

fn packed(input: &[u8]) -> Parsed<'_> {
    let (input, states) = le_u16(input)?;
    let (input, changes) = le_u16(input)?;
    let (input, quality) = le_u8(input)?;
    let mut element = Element::with_quality(Value::Unsigned(states.into()), quality & OF_VALUES);
    element.extra[0] = Some(("changes", changes.into()));
    Ok((input, element))
}

fn statistics(input: &[u8]) -> Parsed<'_> {
    let (input, association) = le_u16(input)?;
    let (input, mut element) = counter(input)?;
    element.extra[3] = Some(("association_id", association.into()));
    Ok((input, element))
}

fn single_command(input: &[u8]) -> Parsed<'_> {
    let (input, sco) = le_u8(input)?;
    Ok((input, Element::command(Value::Bit(sco & 1 != 0), sco, 0x7C, 2)))
}

fn double_command(input: &[u8], step: bool) -> Parsed<'_> {
    let (input, octet) = le_u8(input)?;
    let value = if step { Value::Unsigned((octet & 3).into()) } else { Value::DoubleBit(octet & 3) };
    Ok((input, Element::command(value, octet, 0x7C, 2)))
}

fn set_point(input: &[u8], form: Form) -> Parsed<'_> {
    let (input, value) = number(input, form)?;
    let (input, qos) = le_u8(input)?;
    Ok((input, Element::command(value, qos, 0x7F, 0)))
}

fn number(input: &[u8], form: Form) -> IResult<&[u8], Value<'_>> {
    match form {
        Form::SetNormalised | Form::ParameterNormalised => {
            le_i16(input).map(|(rest, raw)| (rest, of_normalised(raw)))
        }
        Form::SetScaled | Form::ParameterScaled => {
            le_i16(input).map(|(rest, value)| (rest, Value::Signed(value.into())))
        }
        _ => le_f32(input).map(|(rest, value)| (rest, Value::Float32(value))),
    }
}

fn parameter(input: &[u8], form: Form) -> Parsed<'_> {
    let (input, value) = number(input, form)?;
    let (input, qpm) = le_u8(input)?;
    let mut element = Element::of(value);
    element.extra[0] = Some(("parameter_kind", (qpm & 0x3F).into()));
    element.extra[1] = Some(("local_change", (qpm >> 6 & 1).into()));
    element.extra[2] = Some(("not_in_operation", (qpm >> 7).into()));
    Ok((input, element))
}

/// The name of a file is the value of what concerns it.
fn file<'a>(name: u16, extra: [Option<(&'static str, u32)>; 4]) -> Element<'a> {
    Element { extra, ..Element::of(Value::Unsigned(name.into())) }
}

fn file_ready(input: &[u8]) -> Parsed<'_> {
    let (input, name) = le_u16(input)?;
    let (input, length) = le_u24(input)?;
    let (input, frq) = le_u8(input)?;
    Ok((
        input,
        file(name, [Some(("length", length)), Some(("file_ready_qualifier", frq.into())), None, None]),
    ))
}

fn section_ready(input: &[u8]) -> Parsed<'_> {
    let (input, name) = le_u16(input)?;
    let (input, section) = le_u8(input)?;
    let (input, length) = le_u24(input)?;
    let (input, srq) = le_u8(input)?;
    let (section, srq) = (("section", section.into()), ("section_ready_qualifier", srq.into()));
    Ok((input, file(name, [Some(section), Some(("length", length)), Some(srq), None])))
}

/// F_SC and F_AF differ in the meaning of their last octet alone.
fn call_file(input: &[u8]) -> Parsed<'_> {
    let (input, name) = le_u16(input)?;
    let (input, section) = le_u8(input)?;
    let (input, qualifier) = le_u8(input)?;
    Ok((
        input,
        file(
            name,
            [Some(("section", section.into())), Some(("file_qualifier", qualifier.into())), None, None],
        ),
    ))
}

fn last_section(input: &[u8]) -> Parsed<'_> {
    let (input, name) = le_u16(input)?;
    let (input, section) = le_u8(input)?;
    let (input, lsq) = le_u8(input)?;
    let (input, sum) = le_u8(input)?;
    let last = Some(("last_section_qualifier", lsq.into()));
    Ok((input, file(name, [Some(("section", section.into())), last, Some(("checksum", sum.into())), None])))
}

fn segment(input: &[u8]) -> Parsed<'_> {
    let (input, name) = le_u16(input)?;
    let (input, section) = le_u8(input)?;
    let (input, length) = le_u8(input)?;
    let (_, data) = nom::bytes::complete::take(length)(input)?;
    let extra = [
        Some(("file", name.into())),
        Some(("section", section.into())),
        Some(("length", length.into())),
        None,
    ];
    Ok((&[], Element { extra, ..Element::of(Value::Bytes(data)) }))
}

fn directory(input: &[u8]) -> Parsed<'_> {
    let (input, name) = le_u16(input)?;
    let (input, length) = le_u24(input)?;
    let (input, sof) = le_u8(input)?;
    Ok((input, file(name, [Some(("length", length)), Some(("status_of_file", sof.into())), None, None])))
}

fn query_log(input: &[u8]) -> Parsed<'_> {
    let (input, name) = le_u16(input)?;
    let (input, _from) = time::time(input)?;
    Ok((input, file(name, [None; 4])))
}

/// A time that the station vouches for.
fn told_at(time: &Time) -> Option<u64> {
    time.since_1970().filter(|_| !time.within.invalid)
}

/// An object as the rest of the program sees it.
pub(super) fn point<'a>(asdu: &Asdu<'a>, object: &Object<'a>) -> Point<'a> {
    let mut point = Point::new(PointKind::InformationObject, Some(object.address), Value::None);
    if let Some((value, quality, time)) = types::of(asdu.type_id).and_then(|row| plain(row, object.element)) {
        (point.value, point.flags) = (value, Some(quality));
        point.time_ms = time.as_ref().and_then(told_at);
        return point;
    }
    let Some(element) = element(asdu.type_id, object.element) else {
        if !object.element.is_empty() {
            point.value = Value::Bytes(object.element);
        }
        return point;
    };
    point.value = element.value;
    point.flags = element.quality;
    if let TimeTag::Long(time) = element.tag {
        point.time_ms = told_at(&time);
    }
    point.ordered = types::way(asdu.type_id) == types::Way::Control;
    point
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::testing::hex;

    /// What nearly all elements are is read in a short way; it must say what the long one says.
    #[test]
    fn plain_elements_are_what_they_are_taken_apart_to() {
        let samples = [
            "000000000000000000000000",
            "ffffffffffffffffffffffff",
            "01807f02f1a0141e0a560b18",
            "0000c07f90a0149e0a560b18",
        ];
        let mut plain_ones = 0;
        for row in (0..=255).filter_map(types::of) {
            for octets in samples.iter().flat_map(|text| (0..=12).map(|length| hex(text)[..length].to_vec()))
            {
                let Some((value, quality, time)) = plain(row, &octets) else { continue };
                let element = element(row.id, &octets).unwrap();
                assert_eq!(format!("{:?}", element.value), format!("{value:?}"), "type {}", row.id);
                assert_eq!(
                    (element.quality, element.tag),
                    (Some(quality), time.map_or(TimeTag::None, TimeTag::Long))
                );
                assert_eq!(types::way(row.id), types::Way::Monitor);
                plain_ones += 1;
            }
        }
        assert_eq!(plain_ones, 10 * samples.len());
    }

    fn of(type_id: u8, text: &str) -> String {
        let octets = hex(text);
        let element = element(type_id, &octets).unwrap();
        let extra: Vec<_> = element.extra.iter().flatten().map(|(name, n)| format!("{name}={n}")).collect();
        let (quality, qualifier, select) = (element.quality, element.qualifier, element.select);
        format!("{:?} q={quality:?} qu={qualifier:?} s={select:?} {}", element.value, extra.join(" "))
    }

    #[test]
    fn states_and_their_quality() {
        assert_eq!(of(1, "81"), "Bit(true) q=Some(128) qu=None s=None ");
        assert_eq!(of(1, "70"), "Bit(false) q=Some(112) qu=None s=None ");
        assert_eq!(of(3, "12"), "DoubleBit(2) q=Some(16) qu=None s=None ");
        assert_eq!(of(5, "7f 01"), "Signed(-1) q=Some(1) qu=None s=None transient=0");
        assert_eq!(of(5, "c0 00"), "Signed(-64) q=Some(0) qu=None s=None transient=1");
        assert_eq!(of(20, "0100 0100 00"), "Unsigned(1) q=Some(0) qu=None s=None changes=1");
    }

    #[test]
    fn values_and_counters() {
        assert_eq!(of(9, "0040 00"), "Float32(0.5) q=Some(0) qu=None s=None ");
        assert_eq!(of(21, "0080"), "Float32(-1.0) q=None qu=None s=None ");
        assert_eq!(of(11, "ffff 80"), "Signed(-1) q=Some(128) qu=None s=None ");
        assert_eq!(of(13, "0000c842 00"), "Float32(100.0) q=Some(0) qu=None s=None ");
        assert_eq!(of(7, "78563412 00"), "Unsigned(305419896) q=Some(0) qu=None s=None ");
        assert_eq!(
            of(15, "39300000 e5"),
            "Signed(12345) q=Some(128) qu=None s=None counter_sequence=5 carry=1 adjusted=1"
        );
    }

    #[test]
    fn commands_have_a_qualifier_and_a_select_bit() {
        assert_eq!(of(45, "81"), "Bit(true) q=None qu=Some(0) s=Some(true) ");
        assert_eq!(of(46, "05"), "DoubleBit(1) q=None qu=Some(1) s=Some(false) ");
        assert_eq!(of(47, "02"), "Unsigned(2) q=None qu=Some(0) s=Some(false) ");
        assert_eq!(of(50, "00004842 00"), "Float32(50.0) q=None qu=Some(0) s=Some(false) ");
        assert_eq!(of(48, "0040 80"), "Float32(0.5) q=None qu=Some(0) s=Some(true) ");
        assert_eq!(of(51, "01000080"), "Unsigned(2147483649) q=None qu=None s=None ");
    }

    #[test]
    fn protection_equipment() {
        assert_eq!(of(38, "02 6400 a0141e0a560b18"), "DoubleBit(2) q=Some(0) qu=None s=None elapsed_ms=100");
        assert_eq!(
            of(39, "01 08 0a00 a0141e0a560b18"),
            "Unsigned(1) q=Some(8) qu=None s=None duration_ms=10"
        );
    }

    #[test]
    fn files_parameters_and_clocks() {
        assert_eq!(of(122, "0100 00 04"), "Unsigned(1) q=None qu=None s=None section=0 file_qualifier=4");
        assert_eq!(
            of(120, "0200 102000 00"),
            "Unsigned(2) q=None qu=None s=None length=8208 file_ready_qualifier=0"
        );
        assert_eq!(
            of(125, "0100 01 02 abcd"),
            "Bytes([171, 205]) q=None qu=None s=None file=1 section=1 length=2"
        );
        assert!(element(125, &hex("0100 01 03 abcd")).is_none(), "data cut off");
        assert_eq!(
            of(112, "00002041 41"),
            "Float32(10.0) q=None qu=None s=None parameter_kind=1 local_change=1 not_in_operation=0"
        );
        assert_eq!(of(103, "a0141e0a560b18"), "TimeMs(1732271405280) q=None qu=None s=None ");
        assert_eq!(
            of(41, "0500 39300000 01 a0141e0a560b18"),
            "Signed(12345) q=None qu=None s=None counter_sequence=1 carry=0 adjusted=0 association_id=5"
                .replace("q=None", "q=Some(0)")
        );
    }
}
