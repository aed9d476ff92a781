//! `[stations.NAME]`: what kind of device, where it is on the network, and what of the grid it sees.

use std::net::Ipv4Addr;

use serde::Deserialize;

use super::time::Span;

/// Kinds of stations. Each has a fixed point list, see [`crate::station`].
#[derive(Debug, Clone, Copy, Eq, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StationKind {
    /// Modbus: solar inverter with a SunSpec map from register 40000.
    Inverter,
    /// Modbus: energy meter.
    Meter,
    /// Modbus: remote terminal unit with coils for breakers.
    ModbusRtu,
    /// Modbus: controller of a transformer's tap changer.
    TapChanger,
    /// DNP3: recloser controller.
    Recloser,
    /// DNP3: feeder protection relay.
    FeederRelay,
    /// DNP3: remote terminal unit of a substation.
    SubstationRtu,
    /// IEC 104: controlled station.
    Iec104,
}

/// What a station speaks.
#[derive(Debug, Clone, Copy, Eq, PartialEq)]
pub enum Language {
    /// Modbus/TCP.
    Modbus,
    /// DNP3 over TCP.
    Dnp3,
    /// IEC 60870-5-104.
    Iec104,
}

impl std::fmt::Display for Language {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Language::Modbus => "Modbus",
            Language::Dnp3 => "DNP3",
            Language::Iec104 => "IEC 104",
        })
    }
}

impl StationKind {
    /// What it speaks.
    pub fn language(self) -> Language {
        match self {
            StationKind::Recloser | StationKind::FeederRelay | StationKind::SubstationRtu => Language::Dnp3,
            StationKind::Iec104 => Language::Iec104,
            _ => Language::Modbus,
        }
    }

    /// Speaks DNP3.
    pub fn is_dnp3(self) -> bool {
        self.language() == Language::Dnp3
    }
}

/// `[stations.NAME]`. Stations with the same address stand behind one gateway.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Station {
    /// What it is.
    pub kind: StationKind,
    /// Where it answers.
    pub address: Ipv4Addr,
    /// Port; 502, 20000 or 2404 if left out.
    pub port: Option<u16>,
    /// Modbus unit id.
    pub unit_id: Option<u8>,
    /// DNP3 link address.
    pub link_address: Option<u16>,
    /// IEC 104: common address; 1 if left out.
    pub common_address: Option<u16>,
    /// IEC 104: breakers, taps and set-points must be selected before they are executed.
    #[serde(default = "Station::yes")]
    pub select_first: bool,
    /// IEC 104: measurements are reported this often besides; 0 for never.
    #[serde(default = "Station::periodic")]
    pub periodic_every: Span,
    /// Breakers it switches, in the order of their point numbers.
    #[serde(default)]
    pub breakers: Vec<String>,
    /// Lines or transformers it measures.
    #[serde(default)]
    pub lines: Vec<String>,
    /// Buses it measures.
    #[serde(default)]
    pub buses: Vec<String>,
    /// Transformer whose taps it steps.
    pub transformer: Option<String>,
    /// Generator it controls.
    pub generator: Option<String>,
    /// Holding registers from 200 that hold what is written to them and mean nothing.
    #[serde(default)]
    pub spare_registers: u16,
    /// Shortest time it takes to answer; the longest is three times as much.
    #[serde(default = "Station::answer_time")]
    pub answer_time: Span,
    /// DNP3: sends unsolicited responses.
    #[serde(default)]
    pub unsolicited: bool,
    /// DNP3: events it keeps for each master.
    #[serde(default = "Station::event_buffer")]
    pub event_buffer: usize,
    /// DNP3 and IEC 104: a selection holds this long.
    #[serde(default = "Station::select_timeout")]
    pub select_timeout: Span,
    /// DNP3: asks for the time this often.
    #[serde(default = "Station::time_every")]
    pub need_time_every: Span,
    /// Out of service after a restart for this long.
    #[serde(default = "Station::restart_time")]
    pub restart_time: Span,
}

impl Station {
    fn yes() -> bool {
        true
    }

    fn periodic() -> Span {
        Span::from_ms(10_000)
    }

    fn answer_time() -> Span {
        Span::from_ms(6)
    }

    fn event_buffer() -> usize {
        100
    }

    fn select_timeout() -> Span {
        Span::from_ms(10_000)
    }

    fn time_every() -> Span {
        Span::from_ms(6 * 3_600_000)
    }

    fn restart_time() -> Span {
        Span::from_ms(20_000)
    }

    /// The port it listens on.
    pub fn service_port(&self) -> u16 {
        self.port.unwrap_or(match self.kind.language() {
            Language::Modbus => 502,
            Language::Dnp3 => 20_000,
            Language::Iec104 => 2404,
        })
    }
}
