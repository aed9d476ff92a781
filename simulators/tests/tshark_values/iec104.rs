//! What tshark's dissectors of IEC 104 and its ASDUs should show for a vector's line.

use simulators::encode::iec104::{Asdu, Element, Frame, Time};
use simulators::tshark::hex;
use simulators::vectors::{Expected, Vector};

use crate::Readings;

pub(crate) const FIELDS: &[&str] = &[
    "iec60870_104.apdulen",
    "iec60870_104.type",
    "iec60870_104.utype",
    "iec60870_104.tx",
    "iec60870_104.rx",
    "iec60870_asdu.typeid",
    "iec60870_asdu.sq",
    "iec60870_asdu.numix",
    "iec60870_asdu.causetx",
    "iec60870_asdu.nega",
    "iec60870_asdu.test",
    "iec60870_asdu.oa",
    "iec60870_asdu.addr",
    "iec60870_asdu.ioa",
    "iec60870_asdu.siq.spi",
    "iec60870_asdu.siq.bl",
    "iec60870_asdu.siq.sb",
    "iec60870_asdu.siq.nt",
    "iec60870_asdu.siq.iv",
    "iec60870_asdu.diq.dpi",
    "iec60870_asdu.diq.bl",
    "iec60870_asdu.diq.sb",
    "iec60870_asdu.diq.nt",
    "iec60870_asdu.diq.iv",
    "iec60870_asdu.qds.ov",
    "iec60870_asdu.qds.bl",
    "iec60870_asdu.qds.sb",
    "iec60870_asdu.qds.nt",
    "iec60870_asdu.qds.iv",
    "iec60870_asdu.vti.v",
    "iec60870_asdu.vti.t",
    "iec60870_asdu.bitstring",
    "iec60870_asdu.normval",
    "iec60870_asdu.scalval",
    "iec60870_asdu.float",
    "iec60870_asdu.bcr.count",
    "iec60870_asdu.bcr.sq",
    "iec60870_asdu.bcr.cy",
    "iec60870_asdu.bcr.ca",
    "iec60870_asdu.bcr.iv",
    "iec60870_asdu.sco.on",
    "iec60870_asdu.sco.qu",
    "iec60870_asdu.sco.se",
    "iec60870_asdu.dco.on",
    "iec60870_asdu.dco.qu",
    "iec60870_asdu.dco.se",
    "iec60870_asdu.rco.up",
    "iec60870_asdu.rco.qu",
    "iec60870_asdu.rco.se",
    "iec60870_asdu.qos.ql",
    "iec60870_asdu.qos.se",
    "iec60870_asdu.qpm.kpa",
    "iec60870_asdu.qpm.lpc",
    "iec60870_asdu.qpm.pop",
    "iec60870_asdu.coi_r",
    "iec60870_asdu.coi_i",
    "iec60870_asdu.qoi",
    "iec60870_asdu.rqt",
    "iec60870_asdu.frz",
    "iec60870_asdu.qrp",
    "iec60870_asdu.cp24time.ms",
    "iec60870_asdu.cp24time.min",
    "iec60870_asdu.cp24time.iv",
    "iec60870_asdu.cp56time.ms",
    "iec60870_asdu.cp56time.min",
    "iec60870_asdu.cp56time.gen",
    "iec60870_asdu.cp56time.iv",
    "iec60870_asdu.cp56time.hour",
    "iec60870_asdu.cp56time.su",
    "iec60870_asdu.cp56time.day",
    "iec60870_asdu.cp56time.dow",
    "iec60870_asdu.cp56time.month",
    "iec60870_asdu.cp56time.year",
    "iec60870_asdu.rawdata",
];

/// Types whose objects tshark shows as octets from the first object on.
fn is_raw(id: u8) -> bool {
    matches!(id, 17..=20 | 38..=41 | 104 | 106 | 107 | 113 | 120..=127)
}

/// Numbers in one form.
pub(crate) fn clean(field: &str, text: &str) -> String {
    if matches!(field, "iec60870_asdu.float" | "iec60870_asdu.normval") {
        return text.parse::<f32>().map_or_else(|_| text.to_owned(), |x| format!("{x:.4e}"));
    }
    if field.ends_with(".rawdata") {
        return text.replace(':', "");
    }
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).unwrap().to_string(),
        None => text.to_owned(),
    }
}

pub(crate) fn expect(_name: &str, expected: &Expected, _line: usize, _vector: &Vector) -> Readings {
    let mut readings: Readings = FIELDS.iter().map(|field| (*field, Vec::new())).collect();
    let mut put = |field: &str, text: String| {
        let (_, values) = readings.iter_mut().find(|(f, _)| f.ends_with(field)).unwrap();
        values.push(text);
    };
    let apdu = expected.apdu.as_ref().unwrap();
    let length = match &apdu.frame {
        Frame::I(_, _, asdu) => 4 + asdu.len(),
        _ => 4,
    };
    put("104.apdulen", length.to_string());
    match &apdu.frame {
        Frame::I(send, receive, _) => {
            put("104.type", "0".to_owned());
            put("104.tx", send.to_string());
            put("104.rx", receive.to_string());
        }
        Frame::S(receive) => {
            put("104.type", "1".to_owned());
            put("104.rx", receive.to_string());
        }
        Frame::U(function) => {
            put("104.type", "3".to_owned());
            put("104.utype", (function >> 2).to_string());
        }
    }
    if let Some(asdu) = &apdu.asdu {
        header(asdu, &mut put);
        let known = apdu.elements.iter().flatten().all(|e| !matches!(e, Element::Raw(_)));
        if is_raw(asdu.type_id) || !known {
            put(".ioa", asdu.objects[0].0.to_string());
            put(".rawdata", hex(&asdu.encode()[9..]));
            return readings;
        }
        for (place, elements) in apdu.elements.iter().enumerate() {
            put(".ioa", asdu.objects[place].0.to_string());
            for element in elements {
                value(element, &mut put);
            }
        }
    }
    readings
}

fn header(asdu: &Asdu, put: &mut impl FnMut(&str, String)) {
    put("asdu.typeid", asdu.type_id.to_string());
    put("asdu.sq", u8::from(asdu.sequence).to_string());
    put("asdu.numix", asdu.objects.len().to_string());
    put("asdu.causetx", asdu.cause.to_string());
    put("asdu.nega", u8::from(asdu.negative).to_string());
    put("asdu.test", u8::from(asdu.test).to_string());
    put("asdu.oa", asdu.originator.to_string());
    put("asdu.addr", asdu.address.to_string());
}

fn value(element: &Element, put: &mut impl FnMut(&str, String)) {
    let bit = |octet: &u8, place: u8| (octet >> place & 1).to_string();
    let flag = |flag: &bool| u8::from(*flag).to_string();
    match element {
        Element::Siq { on, quality } => {
            put("siq.spi", flag(on));
            for (name, place) in [("siq.bl", 4), ("siq.sb", 5), ("siq.nt", 6), ("siq.iv", 7)] {
                put(name, bit(quality, place));
            }
        }
        Element::Diq { state, quality } => {
            put("diq.dpi", state.to_string());
            for (name, place) in [("diq.bl", 4), ("diq.sb", 5), ("diq.nt", 6), ("diq.iv", 7)] {
                put(name, bit(quality, place));
            }
        }
        Element::Qds(quality) => {
            for (name, place) in [("qds.ov", 0), ("qds.bl", 4), ("qds.sb", 5), ("qds.nt", 6), ("qds.iv", 7)] {
                put(name, bit(quality, place));
            }
        }
        Element::Vti { position, transient } => {
            put("vti.v", position.to_string());
            put("vti.t", flag(transient));
        }
        // tshark shows the octets in the order of the wire.
        Element::Bsi(bits) => put(".bitstring", bits.swap_bytes().to_string()),
        Element::Nva(raw) => put(".normval", format!("{:.4e}", f32::from(*raw) / 32768.0)),
        Element::Sva(raw) => put(".scalval", raw.to_string()),
        Element::R32(number) => put("asdu.float", format!("{number:.4e}")),
        Element::Bcr { count, sequence, flags } => {
            put("bcr.count", count.to_string());
            put("bcr.sq", sequence.to_string());
            for (name, place) in [("bcr.cy", 5), ("bcr.ca", 6), ("bcr.iv", 7)] {
                put(name, bit(flags, place));
            }
        }
        Element::Sco { on, qualifier, select } => {
            put("sco.on", flag(on));
            put("sco.qu", qualifier.to_string());
            put("sco.se", flag(select));
        }
        Element::Dco { state, qualifier, select } => {
            put("dco.on", state.to_string());
            put("dco.qu", qualifier.to_string());
            put("dco.se", flag(select));
        }
        Element::Rco { step, qualifier, select } => {
            put("rco.up", step.to_string());
            put("rco.qu", qualifier.to_string());
            put("rco.se", flag(select));
        }
        Element::Qos { qualifier, select } => {
            put("qos.ql", qualifier.to_string());
            put("qos.se", flag(select));
        }
        Element::Qpm { kind, local, inactive } => {
            put("qpm.kpa", kind.to_string());
            put("qpm.lpc", flag(local));
            put("qpm.pop", flag(inactive));
        }
        Element::Coi { cause, changed } => {
            put(".coi_r", cause.to_string());
            put(".coi_i", flag(changed));
        }
        Element::Qoi(octet) => put(".qoi", octet.to_string()),
        Element::Qcc { request, freeze } => {
            put(".rqt", request.to_string());
            put(".frz", freeze.to_string());
        }
        Element::Qrp(octet) => put(".qrp", octet.to_string()),
        Element::Cp24(time) => {
            put("cp24time.ms", time.millisecond().to_string());
            put("cp24time.min", (time.ms / 60_000 % 60).to_string());
            put("cp24time.iv", flag(&time.invalid));
        }
        Element::Cp56(time) => long_time(time, put),
        _ => panic!("{element:?} should be among the types that are shown raw"),
    }
}

fn long_time(time: &Time, put: &mut impl FnMut(&str, String)) {
    // The calendar by another hand than the encoder's.
    let date = jiff::Timestamp::from_millisecond(time.ms as i64).unwrap().to_zoned(jiff::tz::TimeZone::UTC);
    let flag = |flag: bool| u8::from(flag).to_string();
    put("cp56time.ms", time.millisecond().to_string());
    put("cp56time.min", date.minute().to_string());
    put("cp56time.gen", flag(time.substituted));
    put("cp56time.iv", flag(time.invalid));
    put("cp56time.hour", date.hour().to_string());
    put("cp56time.su", flag(time.summer));
    put("cp56time.day", date.day().to_string());
    put("cp56time.dow", time.weekday.to_string());
    put("cp56time.month", date.month().to_string());
    put("cp56time.year", (date.year() % 100).to_string());
}
