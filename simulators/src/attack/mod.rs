//! Attackers: named behaviours with parameters, from a file, turned into steps before the start and
//! carried out among the benign traffic, each with a label of what is true.
//!
//! ```toml
//! [[attacks]]
//! behaviour = "unit_sweep"
//! at = "1h30m"              # after the start
//! actor = "10.0.0.66"       # or the name of a master, when it is one of the site's own hosts
//! target = "METER-1"        # a station
//! ```

mod behaviour;
mod check;
mod goose;
mod labels;
mod plan;
mod plan_dnp3;
mod plan_iec104;
mod plan_modbus;
mod play;
mod steps;

use std::net::Ipv4Addr;
use std::path::Path;

use diagnostics::Diagnostics;
use serde::Deserialize;

pub use behaviour::Behaviour;
pub use labels::{Label, to_lines};
pub(crate) use play::{Injection, Running};

use crate::scenario::{Scenario, Source, Span, read_text};

/// One attack of a file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attack {
    /// What is done.
    pub behaviour: Behaviour,
    /// When it begins, after the start.
    pub at: Span,
    /// Who: an address, or the name of a master.
    pub actor: String,
    /// A station, or a GOOSE publisher; of no meaning for a host sweep.
    #[serde(default)]
    pub target: String,
    /// How long.
    #[serde(rename = "for")]
    pub length: Option<Span>,
    /// Time between two tries.
    pub every: Option<Span>,
    /// How many.
    pub count: Option<u32>,
    /// First number tried.
    pub first: Option<u16>,
    /// Last number tried.
    pub last: Option<u16>,
    /// First address tried.
    pub address: Option<Ipv4Addr>,
    /// Port tried.
    pub port: Option<u16>,
    /// Point commanded.
    pub point: Option<String>,
    /// Command.
    pub command: Option<String>,
    /// Value, factor or seconds.
    pub value: Option<f64>,
    /// Text hidden.
    pub text: Option<String>,
    /// DNP3 link address the attacker gives as its own; 1 if left out.
    pub link_address: Option<u16>,
    /// Name of a master.
    pub victim: Option<String>,
    /// Control with select before operate.
    #[serde(default)]
    pub select: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    attacks: Vec<Attack>,
}

/// Read an attack file for a scenario.
///
/// # Errors
/// Everything that is wrong with it, each with its place.
pub fn load(path: &Path, scenario: &Scenario) -> Result<Vec<Attack>, Diagnostics> {
    let text = read_text(path, "attack file")?;
    parse(&text, &path.display().to_string(), scenario)
}

/// Read a text; `name` is what errors call it.
///
/// # Errors
/// Everything that is wrong with it, each with its place.
pub fn parse(text: &str, name: &str, scenario: &Scenario) -> Result<Vec<Attack>, Diagnostics> {
    let (mut source, sound) =
        Source::read(text, name, "an attack begins with [[attacks]], text stands in quotes");
    let file: Option<File> = sound.then(|| source.typed()).flatten();
    for (at, attack) in file.iter().flat_map(|file| &file.attacks).enumerate() {
        check::check(attack, at, scenario, &mut source);
    }
    match file {
        Some(file) if source.reporter.is_clean() => Ok(file.attacks),
        _ => Err(source.reporter.into_diagnostics()),
    }
}

impl Attack {
    fn given(&self) -> Vec<&'static str> {
        let all = [
            ("for", self.length.is_some()),
            ("every", self.every.is_some()),
            ("count", self.count.is_some()),
            ("first", self.first.is_some()),
            ("last", self.last.is_some()),
            ("address", self.address.is_some()),
            ("port", self.port.is_some()),
            ("point", self.point.is_some()),
            ("command", self.command.is_some()),
            ("value", self.value.is_some()),
            ("text", self.text.is_some()),
            ("link_address", self.link_address.is_some()),
            ("victim", self.victim.is_some()),
            ("select", self.select),
        ];
        all.into_iter().filter_map(|(name, there)| there.then_some(name)).collect()
    }

    /// The address behind `actor`.
    pub(crate) fn actor_address(&self, scenario: &Scenario) -> Ipv4Addr {
        let named = scenario.masters.get(&self.actor).map(|m| m.address);
        named.or_else(|| self.actor.parse().ok()).unwrap_or(Ipv4Addr::UNSPECIFIED)
    }
}

#[cfg(test)]
mod tests;
