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

use serde::Deserialize;

pub use behaviour::Behaviour;
pub use labels::{Label, to_lines};
pub(crate) use play::{Injection, Running};

use crate::scenario::{Scenario, ScenarioError, Span};

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
pub fn load(path: &Path, scenario: &Scenario) -> Result<Vec<Attack>, ScenarioError> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|e| ScenarioError::Read(name.clone(), e))?;
    parse(&text, &name, scenario)
}

/// Read a text; `name` is what errors call it.
pub fn parse(text: &str, name: &str, scenario: &Scenario) -> Result<Vec<Attack>, ScenarioError> {
    let file: File = toml::from_str(text).map_err(|e| ScenarioError::Form(format!("{name}: {e}")))?;
    let mut mistakes = Vec::new();
    for (index, attack) in file.attacks.iter().enumerate() {
        let what = format!("{name}: attack {} ({})", index + 1, attack.behaviour.name());
        mistakes.extend(attack.mistakes(scenario).into_iter().map(|m| format!("{what}: {m}")));
    }
    if mistakes.is_empty() { Ok(file.attacks) } else { Err(ScenarioError::Meaning(mistakes)) }
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

    fn mistakes(&self, scenario: &Scenario) -> Vec<String> {
        let mut out = Vec::new();
        let known = self.behaviour.parameters();
        let given = self.given();
        for name in &given {
            if !known.iter().any(|k| k.trim_start_matches('*') == *name) {
                out.push(format!(
                    "`{name}` means nothing here; it has {}",
                    known.join(", ").replace('*', "")
                ));
            }
        }
        for name in known.iter().filter_map(|k| k.strip_prefix('*')).filter(|k| !given.contains(k)) {
            out.push(format!("`{name}` is missing"));
        }
        if self.behaviour.is_goose() {
            if !scenario.publishers.contains_key(&self.target) {
                out.push(format!("the target `{}` is no publisher", self.target));
            }
        } else if self.behaviour != Behaviour::HostSweep && !scenario.stations.contains_key(&self.target) {
            out.push(format!("the target `{}` is no station", self.target));
        }
        if self.actor.parse::<Ipv4Addr>().is_err() && !scenario.masters.contains_key(&self.actor) {
            out.push(format!("the actor `{}` is no address and no master", self.actor));
        }
        if let Some(victim) = self.victim.as_ref().filter(|v| !scenario.masters.contains_key(*v)) {
            out.push(format!("the victim `{victim}` is no master"));
        }
        if let (Some(point), Some(station)) = (&self.point, scenario.stations.get(&self.target)) {
            let cycling = self.behaviour == Behaviour::BreakerCycling;
            let word = if cycling { "open" } else { self.command.as_deref().unwrap_or("") };
            out.extend(crate::master::command(station, point, word, self.value).err());
        }
        out
    }

    /// The address behind `actor`.
    pub(crate) fn actor_address(&self, scenario: &Scenario) -> Ipv4Addr {
        let named = scenario.masters.get(&self.actor).map(|m| m.address);
        named.or_else(|| self.actor.parse().ok()).unwrap_or(Ipv4Addr::UNSPECIFIED)
    }
}
