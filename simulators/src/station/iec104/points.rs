//! The point list of a controlled station, and its values as information objects.

use crate::encode::iec104::{Element, Time, octets, type_id as id};
use crate::grid::{Control, Grid, Quantity};
use crate::scenario::Station;

/// Addresses of the first object of each kind. What a command switches is reported 1000 lower.
pub(crate) mod address {
    pub(crate) const DOUBLE: u32 = 1;
    pub(crate) const SINGLE: u32 = 101;
    /// Local control: always off.
    pub(crate) const LOCAL: u32 = 151;
    /// Reclosing is on.
    pub(crate) const RECLOSING: u32 = 152;
    pub(crate) const FLOAT: u32 = 201;
    pub(crate) const TAP: u32 = 301;
    pub(crate) const SETTING: u32 = 381;
    pub(crate) const FREQUENCY: u32 = 391;
    pub(crate) const COUNTER: u32 = 401;
    pub(crate) const BREAKER_COMMAND: u32 = 1001;
    pub(crate) const RECLOSING_COMMAND: u32 = 1152;
    pub(crate) const STEP_COMMAND: u32 = 1301;
    pub(crate) const SETTING_COMMAND: u32 = 1381;
}
use address::{
    BREAKER_COMMAND, COUNTER, DOUBLE, FLOAT, FREQUENCY, LOCAL, RECLOSING, RECLOSING_COMMAND, SETTING,
    SETTING_COMMAND, SINGLE, STEP_COMMAND, TAP,
};

/// How a value is reported.
#[derive(Debug, Clone, Copy, Eq, PartialEq)]
pub(super) enum Kind {
    Double,
    Single,
    Step,
    Float,
    Counter,
}

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Source {
    Grid(Quantity, f64),
    Reclosing,
    Setting,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Point {
    pub(super) address: u32,
    pub(super) kind: Kind,
    pub(super) source: Source,
    /// Changes below this are not told; of a float also not below 3 percent.
    pub(super) threshold: f64,
}

/// What a command does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Target {
    Breaker(usize),
    Reclosing,
    Tap(usize),
    Setting,
    /// Limit of a generator in percent.
    Limit(usize),
}

#[derive(Debug, Clone, Default)]
pub(super) struct Points {
    pub(super) points: Vec<Point>,
    pub(super) commands: Vec<(u32, Target)>,
}

/// The point list of a station.
pub(super) fn points(station: &Station, grid: &Grid) -> Points {
    let mut list = Points::default();
    let mut add = |address, kind, source, threshold| {
        list.points.push(Point { address, kind, source, threshold });
    };
    let plain = |quantity| Source::Grid(quantity, 1.0);
    let breakers: Vec<usize> = station.breakers.iter().filter_map(|n| grid.breaker(n)).collect();
    let lines: Vec<usize> = station.lines.iter().filter_map(|n| grid.branch(n)).collect();
    let buses: Vec<usize> = station.buses.iter().filter_map(|n| grid.bus(n)).collect();
    let transformer = station.transformer.as_deref().and_then(|n| grid.branch(n));
    let generator = station.generator.as_deref().and_then(|n| grid.generator(n));
    for (address, breaker) in (DOUBLE..).zip(&breakers) {
        add(address, Kind::Double, plain(Quantity::Closed(*breaker)), 0.0);
    }
    for (address, bus) in (SINGLE..).zip(&buses) {
        add(address, Kind::Single, plain(Quantity::Energised(*bus)), 0.0);
    }
    add(LOCAL, Kind::Single, plain(Quantity::Constant(0.0)), 0.0);
    add(RECLOSING, Kind::Single, Source::Reclosing, 0.0);
    let mut address = FLOAT;
    for line in &lines {
        for (quantity, threshold) in [
            (Quantity::Current(*line), 5.0),
            (Quantity::Active(*line), 100.0),
            (Quantity::Reactive(*line), 100.0),
        ] {
            add(address, Kind::Float, plain(quantity), threshold);
            address += 1;
        }
    }
    for bus in &buses {
        add(address, Kind::Float, plain(Quantity::Voltage(*bus)), 0.2);
        address += 1;
    }
    if let Some(generator) = generator {
        add(address, Kind::Float, plain(Quantity::Generation(generator)), 100.0);
    }
    if let Some(branch) = transformer {
        add(TAP, Kind::Step, plain(Quantity::Tap(branch)), 0.0);
    }
    let setting = generator.map_or(Source::Setting, |g| plain(Quantity::Limit(g)));
    add(SETTING, Kind::Float, setting, 0.1);
    add(FREQUENCY, Kind::Float, plain(Quantity::Frequency), 0.02);
    let counts = breakers.iter().map(|b| Quantity::Operations(*b));
    for (address, quantity) in (COUNTER..).zip(counts.chain(lines.iter().map(|l| Quantity::Energy(*l)))) {
        add(address, Kind::Counter, plain(quantity), 0.0);
    }

    list.commands.extend((BREAKER_COMMAND..).zip(breakers.iter().map(|b| Target::Breaker(*b))));
    list.commands.push((RECLOSING_COMMAND, Target::Reclosing));
    list.commands.extend(transformer.map(|branch| (STEP_COMMAND, Target::Tap(branch))));
    list.commands.push((SETTING_COMMAND, generator.map_or(Target::Setting, Target::Limit)));
    list
}

impl Point {
    /// Type without and with a time tag.
    pub(super) fn types(&self) -> (u8, u8) {
        match self.kind {
            Kind::Double => (id::M_DP_NA_1, id::M_DP_TB_1),
            Kind::Single => (id::M_SP_NA_1, id::M_SP_TB_1),
            Kind::Step => (id::M_ST_NA_1, id::M_ST_TB_1),
            Kind::Float => (id::M_ME_NC_1, id::M_ME_TF_1),
            Kind::Counter => (id::M_IT_NA_1, id::M_IT_TB_1),
        }
    }

    /// The object's octets; `freezes` is the number of a counter's reading.
    pub(super) fn octets(&self, value: f64, freezes: u8, time: Option<Time>) -> Vec<u8> {
        let mut elements = match self.kind {
            Kind::Double => vec![Element::Diq { state: if value > 0.5 { 2 } else { 1 }, quality: 0 }],
            Kind::Single => vec![Element::Siq { on: value > 0.5, quality: 0 }],
            Kind::Step => vec![Element::Vti { position: value as i8, transient: false }, Element::Qds(0)],
            Kind::Float => vec![Element::R32(value as f32), Element::Qds(0)],
            Kind::Counter => {
                vec![Element::Bcr { count: value as i64 as i32, sequence: freezes & 31, flags: 0 }]
            }
        };
        elements.extend(time.map(Element::Cp56));
        octets(&elements)
    }

    /// Whether a change is worth a word.
    pub(super) fn moved(&self, before: f64, now: f64) -> bool {
        let least = match self.kind {
            Kind::Float => {
                self.threshold.max(before.abs() * if self.address == FREQUENCY { 0.0 } else { 0.03 })
            }
            Kind::Counter => return false,
            _ => 0.0,
        };
        (now - before).abs() > least
    }
}

/// What a command's octets do to its target; `None` when they do not fit it.
pub(super) fn control(type_id: u8, target: Target, octets: &[u8]) -> Option<Order> {
    let first = *octets.first()?;
    let float = || octets.get(..4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
    Some(match (type_id, target) {
        (id::C_DC_NA_1 | id::C_DC_TA_1, Target::Breaker(index)) if matches!(first & 3, 1 | 2) => {
            Order::Grid(Control::Breaker(index, first & 3 == 2))
        }
        (id::C_SC_NA_1 | id::C_SC_TA_1, Target::Breaker(index)) => {
            Order::Grid(Control::Breaker(index, first & 1 == 1))
        }
        (id::C_SC_NA_1 | id::C_SC_TA_1, Target::Reclosing) => Order::Reclosing(first & 1 == 1),
        (id::C_RC_NA_1 | id::C_RC_TA_1, Target::Tap(branch)) if matches!(first & 3, 1 | 2) => {
            Order::Grid(Control::Step(branch, if first & 3 == 2 { 1 } else { -1 }))
        }
        (id::C_SE_NC_1 | id::C_SE_TC_1, Target::Setting) => Order::Setting(f64::from(float()?)),
        (id::C_SE_NC_1 | id::C_SE_TC_1, Target::Limit(generator)) => {
            Order::Grid(Control::Limit(generator, f64::from(float()?)))
        }
        _ => return None,
    })
}

/// What a command asks for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Order {
    Grid(Control),
    Reclosing(bool),
    Setting(f64),
}

/// Where the S/E bit of a command is: in its qualifier.
pub(super) fn selects(type_id: u8, octets: &[u8]) -> bool {
    let place = match type_id {
        id::C_SE_NC_1 | id::C_SE_TC_1 => 4,
        _ => 0,
    };
    octets.get(place).is_some_and(|octet| octet & 0x80 != 0)
}
