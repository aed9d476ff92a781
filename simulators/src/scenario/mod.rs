//! A scenario file (TOML): the grid, the stations that measure and switch it, the masters that poll
//! them, and the noise around. Read, expanded and checked here; nothing runs.
//!
//! ```text
//! text -> tree with places (source.rs) -> repeats made (repeat.rs) -> typed -> checked (check.rs, bounds.rs)
//! ```

mod bounds;
mod check;
mod goose;
mod grid;
mod masters;
mod repeat;
mod source;
mod stations;
mod time;
mod wording;

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::path::Path;

pub use diagnostics::Diagnostics;
use serde::Deserialize;

pub use goose::{Mac, Publisher, Subscriber};
pub use grid::{Breaker, Bus, Curve, Fault, Generator, GeneratorKind, Line, Load, Transformer};
pub use masters::{Action, Master, MasterRole, Mode, Poll, TimeSync};
pub use repeat::Repeat;
pub(crate) use source::Source;
pub use stations::{Language, Station, StationKind};
pub use time::{ClockTime, Span};

/// How lists and sections of a scenario are written.
const FORMS: &str = "lists stand in [ ], a section begins with [stations.NAME], a fault with [[faults]]";

/// A whole scenario.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What and when.
    pub site: Site,
    /// Nodes of the grid.
    #[serde(default)]
    pub buses: BTreeMap<String, Bus>,
    /// Lines and cables.
    #[serde(default)]
    pub lines: BTreeMap<String, Line>,
    /// Transformers, with taps.
    #[serde(default)]
    pub transformers: BTreeMap<String, Transformer>,
    /// Consumers.
    #[serde(default)]
    pub loads: BTreeMap<String, Load>,
    /// Generators and the grid's infeed.
    #[serde(default)]
    pub generators: BTreeMap<String, Generator>,
    /// Breakers in lines and transformers.
    #[serde(default)]
    pub breakers: BTreeMap<String, Breaker>,
    /// Faults that protection clears by itself.
    #[serde(default)]
    pub faults: Vec<Fault>,
    /// Stations on the network.
    #[serde(default)]
    pub stations: BTreeMap<String, Station>,
    /// GOOSE control blocks of IEDs.
    #[serde(default)]
    pub publishers: BTreeMap<String, Publisher>,
    /// IEDs that listen to them.
    #[serde(default)]
    pub subscribers: BTreeMap<String, Subscriber>,
    /// Whoever polls them.
    #[serde(default)]
    pub masters: BTreeMap<String, Master>,
    /// Traffic that has nothing to do with control.
    #[serde(default)]
    pub noise: Noise,
    /// What the network does to packets.
    #[serde(default)]
    pub network: Network,
    /// Parts written once and made many times.
    #[serde(default)]
    pub repeat: Vec<Repeat>,
}

/// `[site]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Site {
    /// Name of the site.
    pub name: String,
    /// When the simulated time begins.
    #[serde(deserialize_with = "time::timestamp")]
    pub start: jiff::Timestamp,
    /// How often the process is worked out anew.
    #[serde(default = "Site::tick")]
    pub tick: Span,
    /// The outstations have just been switched on: they ask for the time and tell of their restart.
    #[serde(default)]
    pub cold_start: bool,
}

impl Default for Site {
    fn default() -> Site {
        Site {
            name: String::new(),
            start: jiff::Timestamp::UNIX_EPOCH,
            tick: Site::tick(),
            cold_start: false,
        }
    }
}

impl Site {
    fn tick() -> Span {
        Span::from_ms(1000)
    }

    /// Begin at another time of the same day.
    pub fn begin_at(&mut self, time: ClockTime) {
        const DAY_NS: i128 = 86_400_000_000_000;
        let midnight = self.start.as_nanosecond().div_euclid(DAY_NS) * DAY_NS;
        let moment = jiff::Timestamp::from_nanosecond(midnight + i128::from(time.ns()));
        self.start = moment.unwrap_or(self.start);
    }
}

/// `[noise]`: ordinary IT traffic between the named hosts.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Noise {
    /// The host that answers DNS and HTTP; without one there is neither.
    pub server: Option<std::net::Ipv4Addr>,
    /// Hosts that ask it.
    #[serde(default)]
    pub clients: Vec<std::net::Ipv4Addr>,
    /// Mean time between the questions of one client.
    pub every: Option<Span>,
}

/// `[network]`
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Network {
    /// Lost segments in a million; each is sent again after the retransmission time.
    #[serde(default)]
    pub lost_per_million: u32,
    /// Bursts of several segments in a million of which two change places.
    #[serde(default)]
    pub reordered_per_million: u32,
    /// VLAN tag of all frames.
    pub vlan: Option<u16>,
}

impl Scenario {
    /// Read a file.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with its place.
    pub fn load(path: &Path) -> Result<Scenario, Diagnostics> {
        let name = path.display().to_string();
        let text = read_text(path, "scenario")?;
        Scenario::parse(&text, &name)
    }

    /// Read a text; `name` is what errors call it.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with its place.
    pub fn parse(text: &str, name: &str) -> Result<Scenario, Diagnostics> {
        let numbers = OnceCell::new();
        let (mut source, sound) = Source::read(text, name, FORMS);
        if !sound {
            return Err(source.reporter.into_diagnostics());
        }
        // What is not sound before it is repeated would only be wrong many times.
        let scenario: Option<Scenario> = source.typed();
        let scenario = match scenario {
            Some(scenario) if !scenario.repeat.is_empty() => {
                let made = source.reporter.is_clean() && source.repeat(&scenario.repeat, &numbers);
                made.then(|| source.typed()).flatten()
            }
            other => other,
        };
        if let Some(scenario) = &scenario {
            check::check(scenario, &mut source);
        }
        match scenario {
            Some(scenario) if source.reporter.is_clean() => Ok(scenario),
            _ => Err(source.reporter.into_diagnostics()),
        }
    }

    /// The stations whose names match one of the patterns (`*` stands for any ending), by name.
    pub fn matching(&self, patterns: &[String]) -> Vec<&str> {
        let hit = |name: &str| patterns.iter().any(|p| matches(p, name));
        self.stations.keys().map(String::as_str).filter(|name| hit(name)).collect()
    }
}

/// The text of a file that is called `what`.
pub(crate) fn read_text(path: &Path, what: &str) -> Result<String, Diagnostics> {
    let wrong =
        |(message, help): (String, &str)| Diagnostics::of_file(&path.display().to_string(), message, help);
    diagnostics::read_text(path, what, source::MAX_FILE_BYTES).map_err(wrong)
}

pub(crate) fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        Some((head, tail)) => {
            name.len() >= head.len() + tail.len() && name.starts_with(head) && name.ends_with(tail)
        }
        None => pattern == name,
    }
}

#[cfg(test)]
mod tests;
