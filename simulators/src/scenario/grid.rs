//! The sections of a scenario that describe the grid. Powers in MW, voltages in kV, impedances in per
//! unit of 100 MVA.

use serde::Deserialize;

use super::time::{ClockTime, Span};

/// `[buses.NAME]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bus {
    /// Nominal voltage.
    pub kv: f64,
}

/// `[lines.NAME]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// Bus at which flow towards `to` counts positive.
    pub from: String,
    /// The other end.
    pub to: String,
    /// Resistance.
    #[serde(default = "Line::r")]
    pub r: f64,
    /// Reactance.
    #[serde(default = "Line::x")]
    pub x: f64,
}

impl Line {
    fn r() -> f64 {
        0.02
    }

    fn x() -> f64 {
        0.05
    }
}

/// `[transformers.NAME]`: a branch whose ratio can be stepped under load.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transformer {
    /// Bus of the primary side.
    pub from: String,
    /// Bus of the secondary side.
    pub to: String,
    /// Reactance.
    #[serde(default = "Transformer::x")]
    pub x: f64,
    /// Tap position at the start.
    #[serde(default)]
    pub tap: i32,
    /// Positions go from minus this to plus this.
    #[serde(default = "Transformer::taps")]
    pub taps: i32,
    /// Change of the secondary voltage for one position, in percent.
    #[serde(default = "Transformer::step")]
    pub step_percent: f64,
}

impl Transformer {
    fn x() -> f64 {
        0.1
    }

    fn taps() -> i32 {
        8
    }

    fn step() -> f64 {
        1.25
    }
}

/// The course of a load over a day.
#[derive(Debug, Clone, Copy, Default, Eq, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Curve {
    /// Homes: morning and evening peaks.
    #[default]
    Residential,
    /// Industry: working hours.
    Industrial,
    /// The same all day.
    Flat,
}

/// `[loads.NAME]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Load {
    /// Where.
    pub bus: String,
    /// Highest active power.
    pub mw: f64,
    /// Course over the day.
    #[serde(default)]
    pub curve: Curve,
    /// Standard deviation of its noise, in percent.
    #[serde(default = "Load::noise")]
    pub noise_percent: f64,
}

impl Load {
    fn noise() -> f64 {
        1.0
    }
}

/// What a generator follows.
#[derive(Debug, Clone, Copy, Eq, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GeneratorKind {
    /// The grid behind: gives or takes whatever is missing.
    Grid,
    /// The sun.
    Solar,
    /// A constant power.
    Fixed,
}

/// `[generators.NAME]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Generator {
    /// Where.
    pub bus: String,
    /// What it follows.
    pub kind: GeneratorKind,
    /// Highest active power; of no meaning for the grid.
    #[serde(default)]
    pub mw: f64,
}

/// `[breakers.NAME]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Breaker {
    /// The line or transformer it opens.
    #[serde(rename = "in")]
    pub branch: String,
    /// Open at the start.
    #[serde(default)]
    pub open: bool,
}

/// `[[faults]]`: a fault that protection clears by itself, every day.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Time of day, UTC.
    pub at: ClockTime,
    /// The breaker that trips.
    pub breaker: String,
    /// Closed again after this; without it, it stays open.
    pub reclose_after: Option<Span>,
}
