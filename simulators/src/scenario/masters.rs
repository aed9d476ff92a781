//! `[masters.NAME]`: whoever opens connections to stations, what it polls, and what operators do there.

use std::net::Ipv4Addr;

use serde::Deserialize;

use super::time::{ClockTime, Span};

/// What a master is for.
#[derive(Debug, Clone, Copy, Default, Eq, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MasterRole {
    /// Polls and commands all the time.
    #[default]
    Master,
    /// Polls only while the master it stands by for is out of service.
    Backup,
    /// Reads.
    Historian,
    /// Connects for each of its polls and goes away again.
    Engineering,
}

/// How the clock of a DNP3 outstation is set; at IEC 104 with a clock synchronisation command, or not at all.
#[derive(Debug, Clone, Copy, Default, Eq, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeSync {
    /// Record current time, then write group 50 variation 3.
    #[default]
    Lan,
    /// Measure the delay, then write group 50 variation 1.
    Serial,
    /// Not at all.
    Never,
}

/// `[masters.NAME]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Master {
    /// Its address.
    pub address: Ipv4Addr,
    /// What it is for.
    #[serde(default)]
    pub role: MasterRole,
    /// The master a backup stands by for.
    pub standby_for: Option<String>,
    /// DNP3 link address.
    #[serde(default = "Master::link_address")]
    pub link_address: u16,
    /// IEC 104: originator address.
    #[serde(default)]
    pub originator: u8,
    /// Enables unsolicited responses of the stations that send them.
    #[serde(default = "Master::yes")]
    pub enable_unsolicited: bool,
    /// How it sets clocks.
    #[serde(default)]
    pub time_sync: TimeSync,
    /// Mean time between two re-openings of a connection; without it, connections stay open.
    pub reconnect_every: Option<Span>,
    /// Waits this long for an answer.
    #[serde(default = "Master::timeout")]
    pub timeout: Span,
    /// Out of service at these times of day: begin and length.
    #[serde(default)]
    pub outages: Vec<(ClockTime, Span)>,
    /// Its operators act up to this much later than written, by the seed.
    #[serde(default = "Master::late")]
    pub operators_late: Span,
    /// What it reads.
    #[serde(default)]
    pub polls: Vec<Poll>,
    /// What its operators do.
    #[serde(default)]
    pub actions: Vec<Action>,
}

impl Master {
    fn link_address() -> u16 {
        1
    }

    fn late() -> Span {
        Span::from_ms(120_000)
    }

    fn yes() -> bool {
        true
    }

    fn timeout() -> Span {
        Span::from_ms(3000)
    }
}

/// `[[masters.NAME.polls]]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Poll {
    /// Stations by name; `*` stands for any ending.
    pub stations: Vec<String>,
    /// What: `"integrity"`, `"events"`, `"class 2"`, `"link_status"`, `"counters"` (DNP3);
    /// `"holding_register 0-9"`, `"input_register 0-3"`, `"coil 0-7"`, `"discrete_input 0-7"`,
    /// `"identification"` (Modbus); `"interrogation"`, `"counter interrogation"`, `"clock"`, `"test"`,
    /// `"object 201"` (IEC 104). Several are asked one after the other.
    pub read: Vec<String>,
    /// How often.
    pub every: Span,
    /// Each poll is earlier or later by up to this.
    #[serde(default)]
    pub jitter: Span,
}

/// How a control of DNP3 or IEC 104 is given.
#[derive(Debug, Clone, Copy, Default, Eq, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Select, then operate.
    #[default]
    Select,
    /// Direct operate, or execute alone.
    Direct,
}

/// `[[masters.NAME.actions]]`: done by an operator every day.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Action {
    /// Time of day, UTC; later by up to `operators_late`, by the seed.
    pub at: ClockTime,
    /// Where.
    pub station: String,
    /// What: a breaker's name, `"tap"`, `"limit"`, `"reclosing"`, `"setting"`.
    pub point: String,
    /// `"open"`, `"close"`, `"on"`, `"off"`, `"raise"`, `"lower"`; or a value for a set-point.
    #[serde(default)]
    pub command: String,
    /// Value of a set-point.
    pub value: Option<f64>,
    /// How a control of DNP3 or IEC 104 is given.
    #[serde(default)]
    pub mode: Mode,
}
