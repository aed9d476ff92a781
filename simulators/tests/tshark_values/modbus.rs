//! What tshark's Modbus dissector should show for a vector's line.

use simulators::Value;
use simulators::tshark::hex;
use simulators::vectors::{Expected, ExpectedPoint, Vector};

use crate::Readings;

pub(crate) const FIELDS: &[&str] = &[
    "mbtcp.trans_id",
    "mbtcp.unit_id",
    "modbus.func_code",
    "modbus.exception_code",
    "modbus.diagnostic_code",
    "modbus.mei",
    "modbus.bitnum",
    "modbus.bitval",
    "modbus.regnum16",
    "modbus.regval_uint16",
    "modbus.reference_num",
    "modbus.reference_num_32",
    "modbus.and_mask",
    "modbus.or_mask",
    "modbus.data",
    "modbus.ev_status",
    "modbus.ev_count",
    "modbus.ev_msg_count",
    "modbus.object_str_value",
    "modbus.read_reference_num",
    "modbus.write_reference_num",
    "modbus.diagnostic.return_query_data.request",
    "modbus.diagnostic.return_query_data.echo",
    "modbus.diagnostic.restart_communication_option",
    "modbus.diagnostic.ascii_input_delimiter",
    "modbus.diagnostic.return_diag_register",
    "modbus.diagnostic.bus_message_count",
    "modbus.diagnostic.bus_comm_error_count",
    "modbus.diagnostic.bus_exception_error_count",
    "modbus.diagnostic.slave_message_count",
    "modbus.diagnostic.no_slave_response_count",
    "modbus.diagnostic.slave_nak_count",
    "modbus.diagnostic.slave_busy_count",
    "modbus.diagnostic.bus_char_overrun_count",
];

/// Numbers in one form: hexadecimal ones as decimal, octets without colons.
pub(crate) fn clean(field: &str, text: &str) -> String {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).unwrap().to_string(),
        None if matches!(field, "modbus.data") || field.contains("query_data") => text.replace(':', ""),
        None => text.to_owned(),
    }
}

pub(crate) fn expect(_name: &str, expected: &Expected, line: usize, _vector: &Vector) -> Readings {
    let mut readings = Readings::new();
    readings.insert("mbtcp.trans_id", vec![expected.sequence.to_string()]);
    readings.insert("mbtcp.unit_id", vec![expected.station.to_string()]);
    readings.insert("modbus.func_code", vec![expected.function.to_string()]);
    let exception = expected.exception.iter().map(ToString::to_string).collect();
    readings.insert("modbus.exception_code", exception);
    // The example requests before an exception have their content checked elsewhere.
    let example = expected.loose && expected.points.is_empty();
    if expected.exception.is_some() || example {
        return readings;
    }
    let (points, request) = (expected.points.as_slice(), line == 0);
    match expected.function {
        1 | 2 if !request => {
            readings.insert("modbus.bitnum", addresses(points));
            readings.insert("modbus.bitval", numbers(points));
        }
        3 | 4 | 16 => {
            readings.insert("modbus.regnum16", addresses(points));
            readings.insert("modbus.regval_uint16", numbers(points));
        }
        5 | 6 => {
            readings.insert("modbus.reference_num", addresses(points));
            let full = |p: &ExpectedPoint| match p.value {
                Value::Bit(bit) => if bit { "ff00" } else { "0000" }.to_owned(),
                _ => words(std::slice::from_ref(p)),
            };
            readings.insert("modbus.data", points.iter().map(full).collect());
        }
        15 if request => {
            readings.insert("modbus.data", vec![packed(points)]);
        }
        20 | 21 if request && !expected.loose => parts(expected, &mut readings),
        22 => masks(points, &mut readings),
        23 | 24 if !points.is_empty() => {
            readings.insert("modbus.data", vec![words(points)]);
        }
        8 => diagnostics(expected, request, &mut readings),
        11 | 12 if !request => counters(points, &mut readings),
        43 if expected.sub == Some(14) => {
            let texts = octets(points).iter().map(|o| String::from_utf8_lossy(o).into_owned()).collect();
            readings.insert("modbus.object_str_value", texts);
        }
        function => rest(function, expected, request, &mut readings),
    }
    readings
}

fn addresses(points: &[ExpectedPoint]) -> Vec<String> {
    points.iter().map(|p| p.address.unwrap().to_string()).collect()
}

fn number(point: &ExpectedPoint) -> u64 {
    match point.value {
        Value::Bit(bit) => bit.into(),
        Value::Unsigned(n) => n,
        _ => panic!("{point:?} is no number"),
    }
}

fn numbers(points: &[ExpectedPoint]) -> Vec<String> {
    points.iter().map(|p| number(p).to_string()).collect()
}

fn words(points: &[ExpectedPoint]) -> String {
    let octets: Vec<u8> = points.iter().flat_map(|p| (number(p) as u16).to_be_bytes()).collect();
    hex(&octets)
}

/// Bits eight to an octet, the first lowest, as hexadecimal digits.
fn packed(points: &[ExpectedPoint]) -> String {
    let octet = |bits: &[ExpectedPoint]| bits.iter().enumerate().map(|(i, p)| (number(p) as u8) << i).sum();
    let octets: Vec<u8> = points.chunks(8).map(octet).collect();
    hex(&octets)
}

fn octets(points: &[ExpectedPoint]) -> Vec<&Vec<u8>> {
    let octets = |p| match p {
        &ExpectedPoint { value: Value::Octets(ref octets), .. } => Some(octets),
        _ => None,
    };
    points.iter().filter_map(octets).collect()
}

fn parts(expected: &Expected, readings: &mut Readings) {
    let mut starts: Vec<u32> = Vec::new();
    if let Some(ranges) = &expected.ranges {
        starts.extend(ranges.iter().map(|(_, first, _)| *first));
    }
    let mut previous = None;
    for address in expected.points.iter().filter_map(|p| p.address) {
        if previous.is_none_or(|p| address != p + 1) {
            starts.push(address);
        }
        previous = Some(address);
    }
    readings.insert("modbus.reference_num_32", starts.iter().map(ToString::to_string).collect());
}

fn masks(points: &[ExpectedPoint], readings: &mut Readings) {
    for point in points {
        if let Value::Mask(and, or) = point.value {
            readings.insert("modbus.reference_num", addresses(points));
            readings.insert("modbus.and_mask", vec![and.to_string()]);
            readings.insert("modbus.or_mask", vec![or.to_string()]);
        }
    }
}

fn diagnostics(expected: &Expected, request: bool, readings: &mut Readings) {
    let sub = expected.sub.unwrap();
    readings.insert("modbus.diagnostic_code", vec![sub.to_string()]);
    let Some(value) = expected.points.first().map(number) else { return };
    let (field, text) = match (sub, request) {
        (0, true) => ("modbus.diagnostic.return_query_data.request", format!("{value:04x}")),
        (0, false) => ("modbus.diagnostic.return_query_data.echo", format!("{value:04x}")),
        (1, _) => ("modbus.diagnostic.restart_communication_option", value.to_string()),
        (3, _) => ("modbus.diagnostic.ascii_input_delimiter", (value >> 8).to_string()),
        (2, false) => ("modbus.diagnostic.return_diag_register", value.to_string()),
        (11, false) => ("modbus.diagnostic.bus_message_count", value.to_string()),
        (12, false) => ("modbus.diagnostic.bus_comm_error_count", value.to_string()),
        (13, false) => ("modbus.diagnostic.bus_exception_error_count", value.to_string()),
        (14, false) => ("modbus.diagnostic.slave_message_count", value.to_string()),
        (15, false) => ("modbus.diagnostic.no_slave_response_count", value.to_string()),
        (16, false) => ("modbus.diagnostic.slave_nak_count", value.to_string()),
        (17, false) => ("modbus.diagnostic.slave_busy_count", value.to_string()),
        (18, false) => ("modbus.diagnostic.bus_char_overrun_count", value.to_string()),
        _ => return,
    };
    readings.insert(field, vec![text]);
}

fn counters(points: &[ExpectedPoint], readings: &mut Readings) {
    let fields = ["modbus.ev_status", "modbus.ev_count", "modbus.ev_msg_count"];
    for (field, point) in
        fields.into_iter().zip(points.iter().filter(|p| matches!(p.value, Value::Unsigned(_))))
    {
        readings.insert(field, vec![number(point).to_string()]);
    }
}

/// Functions whose octets tshark shows as they are.
fn rest(function: u8, expected: &Expected, request: bool, readings: &mut Readings) {
    let Some(point) = expected.points.first() else { return };
    let text = match (&point.value, function) {
        (Value::Unsigned(n), 7) => format!("{n:02x}"),
        // The byte count stands before them.
        (Value::Octets(o), 17) => format!("{:02x}{}", o.len(), hex(o)),
        (Value::Octets(o), 43) => format!("0d{}", hex(o)),
        // Session key and function or status.
        (Value::Octets(o), 90) if request => format!("07{:02x}{}", expected.sub.unwrap(), hex(o)),
        (Value::Octets(o), 90) => format!("07fe{}", hex(o)),
        (Value::Octets(o), _) => hex(o),
        _ => return,
    };
    readings.insert("modbus.data", vec![text]);
}
