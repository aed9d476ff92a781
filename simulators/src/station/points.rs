//! The point lists of each kind of station, and the command behind an operator's words.

use crate::grid::{Control, Grid, Quantity};
use crate::scenario::{Station, StationKind};

/// Where a point's value comes from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Source {
    /// The process, times a scale.
    Grid(Quantity, f64),
    /// A latch of the station.
    Latch(usize),
}

/// What a control does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Target {
    /// A breaker of the grid.
    Breaker(usize),
    /// A latch of the station.
    Latch(usize),
    /// Steps a tap.
    Step(usize, i32),
}

/// Point list of a DNP3 station.
#[derive(Debug, Clone, Default)]
pub(crate) struct Dnp3Points {
    pub(crate) binary: Vec<Source>,
    pub(crate) outputs: Vec<Target>,
    pub(crate) analog: Vec<Source>,
    pub(crate) counters: Vec<Source>,
    pub(crate) settings: Vec<f64>,
}

fn some<T>(names: &[String], find: impl Fn(&str) -> Option<T>) -> Vec<T> {
    names.iter().filter_map(|name| find(name)).collect()
}

/// The point list of a DNP3 station.
pub(crate) fn dnp3(station: &Station, grid: &Grid) -> Dnp3Points {
    let breakers = some(&station.breakers, |n| grid.breaker(n));
    let lines = some(&station.lines, |n| grid.branch(n));
    let buses = some(&station.buses, |n| grid.bus(n));
    let plain = |quantity| Source::Grid(quantity, 1.0);
    let recloser = station.kind == StationKind::Recloser;
    let transformer = station.transformer.as_deref().and_then(|n| grid.branch(n));

    let mut points = Dnp3Points { settings: vec![600.0], ..Dnp3Points::default() };
    points.binary.extend(breakers.iter().map(|b| plain(Quantity::Closed(*b))));
    points.binary.extend(buses.iter().map(|b| plain(Quantity::Energised(*b))));
    points.outputs.extend(breakers.iter().map(|b| Target::Breaker(*b)));
    if recloser {
        points.binary.push(Source::Latch(0));
        points.outputs.push(Target::Latch(0));
    }
    points.binary.push(plain(Quantity::Constant(0.0)));
    for line in &lines {
        points.analog.extend(
            [Quantity::Current(*line), Quantity::Active(*line), Quantity::Reactive(*line)].map(plain),
        );
    }
    points.analog.extend(buses.iter().map(|b| Source::Grid(Quantity::Voltage(*b), 1000.0)));
    if let Some(branch) = transformer {
        points.outputs.extend([Target::Step(branch, 1), Target::Step(branch, -1)]);
        points.analog.push(plain(Quantity::Tap(branch)));
    }
    if station.kind == StationKind::SubstationRtu {
        points.analog.push(Source::Grid(Quantity::Frequency, 1000.0));
    }
    points.counters.extend(breakers.iter().map(|b| plain(Quantity::Operations(*b))));
    points.counters.extend(lines.iter().map(|l| plain(Quantity::Energy(*l))));
    points
}

/// A command in the words of the protocol.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Command {
    /// DNP3 control relay output block: index and control code.
    Crob(u8, u8),
    /// DNP3 analog output, 32-bit float: index and value.
    Analog(u8, f32),
    /// Modbus coil.
    Coil(u16, bool),
    /// Modbus holding register.
    Register(u16, u16),
    /// IEC 104: type, address of the object, and its octets as an execute has them, at most five.
    Asdu(u8, u32, [u8; 5]),
}

/// The command that an operator means.
pub(crate) fn command(
    station: &Station,
    point: &str,
    word: &str,
    value: Option<f64>,
) -> Result<Command, String> {
    let breaker = station.breakers.iter().position(|b| b == point);
    let count = station.breakers.len() as u8;
    let recloser = station.kind == StationKind::Recloser;
    let first_tap = count + u8::from(recloser);
    if station.kind == StationKind::Iec104 {
        return iec104(station, point, word, value);
    }
    match (station.kind, point, word, value) {
        (StationKind::ModbusRtu, _, "open" | "close", None) if breaker.is_some() => {
            Ok(Command::Coil(breaker.unwrap_or(0) as u16, word == "close"))
        }
        (StationKind::ModbusRtu, "setting", "", Some(value)) => Ok(Command::Register(0, value as u16)),
        (StationKind::TapChanger, "tap", "raise", None) => Ok(Command::Coil(5, true)),
        (StationKind::TapChanger, "tap", "lower", None) => Ok(Command::Coil(6, true)),
        (StationKind::TapChanger, "setting", "", Some(value)) => Ok(Command::Register(10, value as u16)),
        (StationKind::Inverter, "limit", "", Some(value)) => {
            Ok(Command::Register(super::sunspec::LIMIT, (value * 100.0) as u16))
        }
        (kind, _, "open", None) if kind.is_dnp3() && breaker.is_some() => {
            Ok(Command::Crob(breaker.unwrap_or(0) as u8, 0x81))
        }
        (kind, _, "close", None) if kind.is_dnp3() && breaker.is_some() => {
            Ok(Command::Crob(breaker.unwrap_or(0) as u8, 0x41))
        }
        (StationKind::Recloser, "reclosing", "on", None) => Ok(Command::Crob(count, 0x03)),
        (StationKind::Recloser, "reclosing", "off", None) => Ok(Command::Crob(count, 0x04)),
        (kind, "tap", "raise", None) if kind.is_dnp3() && station.transformer.is_some() => {
            Ok(Command::Crob(first_tap, 0x01))
        }
        (kind, "tap", "lower", None) if kind.is_dnp3() && station.transformer.is_some() => {
            Ok(Command::Crob(first_tap + 1, 0x01))
        }
        (kind, "setting", "", Some(value)) if kind.is_dnp3() => Ok(Command::Analog(0, value as f32)),
        _ => Err(no_command(point, word, value)),
    }
}

/// What may be commanded at a station, in words.
pub(crate) fn commands(station: &Station) -> String {
    let kind = station.kind;
    let breakers = kind.is_dnp3() || matches!(kind, StationKind::ModbusRtu | StationKind::Iec104);
    let mut out: Vec<String> = Vec::new();
    if breakers && !station.breakers.is_empty() {
        out.push(format!("{} with \"open\" or \"close\"", station.breakers.join(", ")));
    }
    let steps = station.transformer.is_some() && (kind.is_dnp3() || kind == StationKind::Iec104);
    if steps || kind == StationKind::TapChanger {
        out.push("\"tap\" with \"raise\" or \"lower\"".to_owned());
    }
    if matches!(kind, StationKind::Recloser | StationKind::Iec104) {
        out.push("\"reclosing\" with \"on\" or \"off\"".to_owned());
    }
    if matches!(kind, StationKind::Inverter | StationKind::Iec104) {
        out.push("\"limit\" with a value".to_owned());
    }
    if !matches!(kind, StationKind::Meter | StationKind::Inverter) {
        out.push("\"setting\" with a value".to_owned());
    }
    if out.is_empty() {
        "nothing can be commanded there".to_owned()
    } else {
        format!("its points are: {}", out.join("; "))
    }
}

fn no_command(point: &str, word: &str, value: Option<f64>) -> String {
    format!("point `{point}` has no command `{word}`{}", value.map_or("", |_| " with a value"))
}

/// Commands of a controlled station: double, single and step commands, a set-point.
fn iec104(station: &Station, point: &str, word: &str, value: Option<f64>) -> Result<Command, String> {
    use super::iec104::address;
    let breaker = station.breakers.iter().position(|b| b == point);
    let state = |two: u8| [two, 0, 0, 0, 0];
    match (point, word, value) {
        (_, "open" | "close", None) if breaker.is_some() => {
            let address = address::BREAKER_COMMAND + breaker.unwrap_or(0) as u32;
            Ok(Command::Asdu(46, address, state(if word == "close" { 2 } else { 1 })))
        }
        ("reclosing", "on" | "off", None) => {
            Ok(Command::Asdu(45, address::RECLOSING_COMMAND, state(u8::from(word == "on"))))
        }
        ("tap", "raise" | "lower", None) if station.transformer.is_some() => {
            Ok(Command::Asdu(47, address::STEP_COMMAND, state(if word == "raise" { 2 } else { 1 })))
        }
        ("setting" | "limit", "", Some(value)) => {
            let [a, b, c, d] = (value as f32).to_le_bytes();
            Ok(Command::Asdu(50, address::SETTING_COMMAND, [a, b, c, d, 0]))
        }
        _ => Err(no_command(point, word, value)),
    }
}

/// What a control block does to its target; `None` when the code has no meaning there.
pub(crate) fn crob(target: Target, code: u8) -> Option<Result<Control, (usize, bool)>> {
    let on = match code {
        0x41 | 0x01 | 0x03 => true,
        0x81 | 0x02 | 0x04 => false,
        _ => return None,
    };
    Some(match target {
        Target::Breaker(index) => Ok(Control::Breaker(index, on)),
        Target::Latch(index) => Err((index, on)),
        Target::Step(index, by) if on => Ok(Control::Step(index, by)),
        Target::Step(..) => return None,
    })
}
