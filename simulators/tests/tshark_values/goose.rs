//! What tshark's GOOSE dissector should show for a frame.

use std::collections::BTreeSet;

use simulators::encode::goose::{Data, Frame, UtcTime};
use simulators::tshark::{self, hex};
use simulators::vectors::goose::{all, frames};
use simulators::wire::LINKTYPE_ETHERNET;

use crate::{Readings, unknown};

const FIELDS: &[&str] = &[
    "eth.dst",
    "eth.src",
    "vlan.id",
    "vlan.priority",
    "ieee8021ad.id",
    "goose.appid",
    "goose.length",
    "goose.reserve1",
    "goose.reserve1.s_bit",
    "goose.reserve2",
    "goose.gocbRef",
    "goose.timeAllowedtoLive",
    "goose.datSet",
    "goose.goID",
    "goose.t",
    "goose.stNum",
    "goose.sqNum",
    "goose.simulation",
    "goose.confRev",
    "goose.ndsCom",
    "goose.numDatSetEntries",
    "goose.allData",
    "goose.array",
    "goose.structure",
    "goose.boolean",
    "goose.bit_string",
    "goose.integer",
    "goose.unsigned",
    "goose.floating_point",
    "goose.float_value",
    "goose.real",
    "goose.octet_string",
    "goose.visible_string",
    "goose.binary_time",
    "goose.bcd",
    "goose.booleanArray",
    "goose.mMSString",
    "goose.utc_time",
    "_ws.malformed",
];

fn clean(field: &str, text: &str) -> String {
    let number = |text: &str| text.parse::<f64>().map_or_else(|_| text.to_owned(), |x| format!("{x:.4e}"));
    match field {
        "goose.float_value" | "goose.real" => number(text),
        "goose.octet_string" if text == "<MISSING>" => String::new(),
        _ => match text.strip_prefix("0x") {
            Some(digits) => u64::from_str_radix(digits, 16).unwrap().to_string(),
            None => text.to_owned(),
        },
    }
}

fn expect(frame: &Frame) -> Readings {
    let mut readings: Readings = FIELDS.iter().map(|field| (*field, Vec::new())).collect();
    let mut put = |field: &'static str, text: String| readings.get_mut(field).unwrap().push(text);
    let mac = |mac: [u8; 6]| mac.map(|octet| format!("{octet:02x}")).join(":");
    let flag = |flag: bool| u8::from(flag).to_string();
    put("eth.dst", mac(frame.destination));
    put("eth.src", mac(frame.source));
    for tag in &frame.tags {
        if tag.tpid == 0x88a8 {
            put("ieee8021ad.id", tag.id.to_string());
        } else {
            put("vlan.id", tag.id.to_string());
            put("vlan.priority", tag.priority.to_string());
        }
    }
    let pdu = &frame.pdu;
    put("goose.appid", frame.appid.to_string());
    put("goose.length", (8 + pdu.encode().len()).to_string());
    put("goose.reserve1", frame.reserved1.to_string());
    put("goose.reserve1.s_bit", flag(frame.reserved1 & 0x8000 != 0));
    put("goose.reserve2", frame.reserved2.to_string());
    put("goose.gocbRef", pdu.control_block.clone());
    put("goose.timeAllowedtoLive", pdu.time_allowed_to_live.to_string());
    put("goose.datSet", pdu.data_set.clone());
    // An empty string is an empty cell.
    pdu.id.iter().filter(|id| !id.is_empty()).for_each(|id| put("goose.goID", id.clone()));
    put("goose.t", date(pdu.time));
    put("goose.stNum", pdu.state.to_string());
    put("goose.sqNum", pdu.sequence.to_string());
    put("goose.simulation", flag(pdu.simulation));
    put("goose.confRev", pdu.revision.to_string());
    put("goose.ndsCom", flag(pdu.needs_commissioning));
    put("goose.numDatSetEntries", pdu.data.len().to_string());
    put("goose.allData", pdu.data.len().to_string());
    pdu.data.iter().for_each(|data| member(data, &mut put));
    readings
}

fn member(data: &Data, put: &mut impl FnMut(&'static str, String)) {
    match data {
        Data::Array(parts) | Data::Structure(parts) => {
            let field = if matches!(data, Data::Array(_)) { "goose.array" } else { "goose.structure" };
            put(field, parts.len().to_string());
            for part in parts {
                member(part, put);
            }
        }
        Data::Boolean(value) => put("goose.boolean", u8::from(*value).to_string()),
        Data::BitString(octets, _) => put("goose.bit_string", hex(octets)),
        Data::Integer(value) => put("goose.integer", value.to_string()),
        Data::Unsigned(value) => put("goose.unsigned", value.to_string()),
        Data::Float32(value) => {
            put("goose.floating_point", format!("08{}", hex(&value.to_be_bytes())));
            let text = if value.is_finite() {
                format!("{value:.4e}")
            } else {
                clean("goose.real", &value.to_string().to_lowercase())
            };
            put("goose.float_value", text);
        }
        Data::Float64(value) => put("goose.floating_point", format!("0b{}", hex(&value.to_be_bytes()))),
        Data::Real(mantissa, exponent) => {
            let value = *mantissa as f64 * 2.0_f64.powi((*exponent).into());
            put("goose.real", format!("{value:.4e}"));
        }
        Data::OctetString(octets) => put("goose.octet_string", hex(octets)),
        Data::VisibleString(text) => put("goose.visible_string", text.clone()),
        Data::BinaryTime(ms, days) => {
            let days = days.map(|days| hex(&days.to_be_bytes())).unwrap_or_default();
            put("goose.binary_time", hex(&ms.to_be_bytes()) + &days);
        }
        Data::Bcd(value) => put("goose.bcd", value.to_string()),
        Data::BooleanArray(octets, _) => put("goose.booleanArray", hex(octets)),
        Data::MmsString(text) => put("goose.mMSString", text.clone()),
        Data::Utc(time) => put("goose.utc_time", date(*time)),
    }
}

/// As tshark prints a time, to the nanosecond.
fn date(time: UtcTime) -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let ns = (u64::from(time.fraction) * 1_000_000_000) >> 24;
    let at = jiff::Timestamp::new(i64::from(time.seconds), ns as i32).unwrap();
    let date = at.to_zoned(jiff::tz::TimeZone::UTC);
    let month = MONTHS[date.month() as usize - 1];
    format!("{month} {:>2}, {} {} UTC", date.day(), date.year(), date.strftime("%H:%M:%S%.9f"))
}

#[test]
fn tshark_reads_the_goose_vectors_as_they_were_written() {
    let vectors = all();
    let Some(rows) = tshark::run("goose vectors", &frames(&vectors), LINKTYPE_ETHERNET, &[], FIELDS) else {
        return;
    };
    assert_eq!(rows.len(), vectors.len(), "a row a frame");
    let (mut wrong, mut compared) = (Vec::new(), 0);
    let mut explained = BTreeSet::new();
    for (vector, row) in vectors.iter().zip(rows) {
        let expected = expect(&vector.frame);
        for (field, found) in FIELDS.iter().zip(row) {
            let found: Vec<String> = found.iter().map(|text| clean(field, text)).collect();
            let wanted: Vec<String> = expected[field].iter().map(|text| clean(field, text)).collect();
            if found == wanted {
                compared += wanted.len();
            } else if let Some(entry) = unknown::explanation(&vector.name, field) {
                explained.insert(entry);
            } else {
                wrong.push(format!("{}: {field} is {found:?}, not {wanted:?}", vector.name));
            }
        }
    }
    println!("goose vectors: {compared} values compared with tshark's");
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
    for (entry, (name, field, reason)) in unknown::KNOWN.iter().enumerate() {
        let concerned = FIELDS.iter().any(|f| f.starts_with(field)) && !field.is_empty();
        assert!(!concerned || explained.contains(&entry), "no longer needed: {name} {field}: {reason}");
    }
    assert!(compared > 2_000, "{compared} values are too few to mean anything");
}
