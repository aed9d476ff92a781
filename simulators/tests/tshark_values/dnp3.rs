//! What tshark's DNP3 dissector should show for a vector's line.

use simulators::Value;
use simulators::tshark::hex;
use simulators::vectors::{Expected, ExpectedPoint, Vector};

use crate::Readings;

pub(crate) const FIELDS: &[&str] = &[
    "dnp3.al.func",
    "dnp3.al.iin",
    "dnp3.al.seq",
    "dnp3.al.obj",
    "dnp3.al.index",
    "dnp3.al.point_index",
    "dnp3.al.bit",
    "dnp3.al.2bit",
    "dnp3.al.cnt",
    "dnp3.al.ana.int",
    "dnp3.al.ana.float",
    "dnp3.al.ana.double",
    "dnp3.al.anaout.int",
    "dnp3.al.anaout.float",
    "dnp3.al.anaout.double",
    "dnp3.al.timestamp",
    "dnp3.al.reltimestamp",
    "dnp3.al.time_delay",
    "dnp3.al.ctrlstatus",
    "dnp3.al.bocs",
    "dnp3.al.count",
    "dnp3.al.on_time",
    "dnp3.al.off_time",
    "dnp3.ctl.op",
    "dnp3.ctl.clr",
    "dnp3.ctl.trip",
    "dnp3.al.octet_string",
    "dnp3.al.da.uint16",
    "dnp3.al.da.int16",
    "dnp3.al.da.float",
    "dnp3.al.da.double",
    "dnp3.al.da.value",
    "dnp3.al.biq.b0",
    "dnp3.al.biq.b1",
    "dnp3.al.biq.b2",
    "dnp3.al.biq.b3",
    "dnp3.al.biq.b4",
    "dnp3.al.biq.b5",
    "dnp3.al.biq.b6",
    "dnp3.al.biq.b7",
    "dnp3.al.boq.b0",
    "dnp3.al.boq.b1",
    "dnp3.al.boq.b2",
    "dnp3.al.boq.b3",
    "dnp3.al.boq.b4",
    "dnp3.al.boq.b5",
    "dnp3.al.boq.b6",
    "dnp3.al.boq.b7",
    "dnp3.al.ctrq.b0",
    "dnp3.al.ctrq.b1",
    "dnp3.al.ctrq.b2",
    "dnp3.al.ctrq.b3",
    "dnp3.al.ctrq.b4",
    "dnp3.al.ctrq.b5",
    "dnp3.al.ctrq.b6",
    "dnp3.al.ctrq.b7",
    "dnp3.al.aiq.b0",
    "dnp3.al.aiq.b1",
    "dnp3.al.aiq.b2",
    "dnp3.al.aiq.b3",
    "dnp3.al.aiq.b4",
    "dnp3.al.aiq.b5",
    "dnp3.al.aiq.b6",
    "dnp3.al.aiq.b7",
    "dnp3.al.aoq.b0",
    "dnp3.al.aoq.b1",
    "dnp3.al.aoq.b2",
    "dnp3.al.aoq.b3",
    "dnp3.al.aoq.b4",
    "dnp3.al.aoq.b5",
    "dnp3.al.aoq.b6",
    "dnp3.al.aoq.b7",
];

/// Numbers in one form.
pub(crate) fn clean(field: &str, text: &str) -> String {
    if field.contains(".float") {
        return text.parse::<f32>().map_or_else(|_| text.to_owned(), |x| format!("{x:.5e}"));
    }
    if field.contains(".double") {
        return text.parse::<f64>().map_or_else(|_| text.to_owned(), |x| format!("{x:.9e}"));
    }
    if field == "dnp3.al.octet_string" {
        return text.replace(':', "");
    }
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).unwrap().to_string(),
        None => text.to_owned(),
    }
}

pub(crate) fn expect(name: &str, expected: &Expected, _line: usize, _vector: &Vector) -> Readings {
    let mut readings = Readings::new();
    let mut put = |field, text: String| readings.entry(field).or_default().push(text);
    put("dnp3.al.func", expected.function.to_string());
    put("dnp3.al.seq", expected.sequence.to_string());
    if let Some(iin) = expected.iin {
        put("dnp3.al.iin", iin.to_string());
    }
    if expected.loose {
        return readings;
    }
    let mut last = None;
    for point in &expected.points {
        let Some((group, variation)) = point.object else { continue };
        if last != Some((group, variation)) {
            // Of octet strings tshark names the group alone; their variation is the length.
            let shown = if matches!(group, 110..=113) { 0 } else { variation };
            put("dnp3.al.obj", (u32::from(group) << 8 | u32::from(shown)).to_string());
            last = Some((group, variation));
        }
        // A device attribute has no index of its own.
        if let Some(address) = point.address.filter(|_| group != 0) {
            // The index is a field where it is on the wire, and worked out where it is not.
            let ranged = ["qualifier 00", "qualifier 01", "qualifier 02", "g80v1", "400 points"];
            let worked_out = ranged.iter().any(|r| name.contains(r));
            put(if worked_out { "dnp3.al.point_index" } else { "dnp3.al.index" }, address.to_string());
        }
        if group == 0 {
            attribute(point, &mut put);
        } else {
            value(group, variation, point, &mut put);
        }
    }
    readings
}

/// tshark has a field for every type of attribute.
fn attribute(point: &ExpectedPoint, put: &mut impl FnMut(&'static str, String)) {
    match &point.value {
        Value::Unsigned(n) => put("dnp3.al.da.uint16", n.to_string()),
        Value::Signed(n) => put("dnp3.al.da.int16", n.to_string()),
        Value::Float32(x) => put("dnp3.al.da.float", format!("{x:.5e}")),
        Value::Float64(x) => put("dnp3.al.da.double", format!("{x:.9e}")),
        Value::TimeMs(ms) => put("dnp3.al.timestamp", date(*ms)),
        Value::Octets(octets) => put("dnp3.al.da.value", String::from_utf8_lossy(octets).into_owned()),
        _ => {}
    }
}

fn value(group: u8, variation: u8, point: &ExpectedPoint, put: &mut impl FnMut(&'static str, String)) {
    let output = matches!(group, 40..=43);
    match &point.value {
        Value::Bit(bit) => {
            let text = u8::from(*bit).to_string();
            match (group, variation) {
                (13, _) => put("dnp3.al.bocs", text),
                _ if point.flags.is_none() => put("dnp3.al.bit", text),
                _ => {}
            }
        }
        Value::DoubleBit(state) if point.flags.is_none() => put("dnp3.al.2bit", state.to_string()),
        Value::Unsigned(n) if group == 52 => put("dnp3.al.time_delay", n.to_string()),
        // tshark shows a dead-band as if it had a sign.
        Value::Unsigned(n) if (group, variation) == (34, 1) => {
            put("dnp3.al.ana.int", (*n as i16).to_string());
        }
        Value::Unsigned(n) if group == 34 => put("dnp3.al.ana.int", (*n as i32).to_string()),
        Value::Unsigned(n) => put("dnp3.al.cnt", n.to_string()),
        Value::Signed(n) if output => put("dnp3.al.anaout.int", n.to_string()),
        Value::Signed(n) => put("dnp3.al.ana.int", n.to_string()),
        Value::Float32(x) if output => put("dnp3.al.anaout.float", format!("{x:.5e}")),
        Value::Float32(x) => put("dnp3.al.ana.float", format!("{x:.5e}")),
        Value::Float64(x) if output => put("dnp3.al.anaout.double", format!("{x:.9e}")),
        Value::Float64(x) => put("dnp3.al.ana.double", format!("{x:.9e}")),
        Value::TimeMs(ms) => put("dnp3.al.timestamp", date(*ms)),
        Value::Crob(code, count, on, off) => {
            put("dnp3.ctl.op", (code & 0x0f).to_string());
            put("dnp3.ctl.clr", (code >> 4 & 3).to_string());
            put("dnp3.ctl.trip", (code >> 6).to_string());
            put("dnp3.al.count", count.to_string());
            put("dnp3.al.on_time", on.to_string());
            put("dnp3.al.off_time", off.to_string());
        }
        Value::Octets(octets) if matches!(group, 110..=113) => put("dnp3.al.octet_string", hex(octets)),
        _ => {}
    }
    if let Some(flags) = point.flags {
        quality(group, flags, put);
    }
    if let Some(status) = point.status {
        put("dnp3.al.ctrlstatus", status.to_string());
    }
    if let Some(ms) = point.time_ms {
        // A relative time is shown as it is on the wire: counted from the vectors' base.
        if variation == 3 && matches!(group, 2 | 4) {
            let offset = ms - 1_700_000_000_000;
            put("dnp3.al.reltimestamp", format!("{}.{:03}000000", offset / 1000, offset % 1000));
        } else {
            put("dnp3.al.timestamp", date(ms));
        }
    }
}

fn quality(group: u8, flags: u8, put: &mut impl FnMut(&'static str, String)) {
    let prefix = match group {
        1..=4 => "dnp3.al.biq",
        10 | 11 => "dnp3.al.boq",
        20..=23 => "dnp3.al.ctrq",
        30..=33 => "dnp3.al.aiq",
        40 | 42 => "dnp3.al.aoq",
        _ => return,
    };
    for field in FIELDS.iter().filter(|f| f.starts_with(prefix)) {
        let place = field.as_bytes()[field.len() - 1] - b'0';
        put(field, (flags >> place & 1).to_string());
    }
}

/// As tshark prints a time: `Nov 14, 2023 22:13:20.000000000 UTC`.
fn date(ms: u64) -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let time = jiff::Timestamp::from_millisecond(ms as i64).unwrap().to_zoned(jiff::tz::TimeZone::UTC);
    let month = MONTHS[time.month() as usize - 1];
    format!("{month} {:>2}, {} {}000000 UTC", time.day(), time.year(), time.strftime("%H:%M:%S%.3f"))
}
