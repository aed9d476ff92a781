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

pub use labels::{Label, to_lines};
pub(crate) use play::{Injection, Running};

use crate::scenario::{Scenario, ScenarioError, Span};

/// What an attacker does.
#[derive(Debug, Clone, Copy, Eq, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Behaviour {
    /// Tries addresses of hosts: `address`, `count`, `port`, `every`.
    HostSweep,
    /// Tries Modbus units: `first`, `last`, `every`.
    UnitSweep,
    /// Tries function codes, or IEC 104 types: `first`, `last`, `every`.
    FunctionSweep,
    /// Tries holding registers, analog inputs or IEC 104 objects one by one: `first`, `last`, `every`.
    RegisterSweep,
    /// Tries DNP3 link addresses, or interrogates IEC 104 common addresses: `first`, `last`, `every`.
    LinkAddressSweep,
    /// Asks a station what it is.
    Identification,
    /// Polls like a master: `every`, `for`.
    RogueMaster,
    /// One control: `point`, `command` or `value`.
    UnauthorisedControl,
    /// Opens and closes: `point`, `count`, `every`.
    BreakerCycling,
    /// Writes registers, or an IEC 104 set-point at `first`, again and again: `first`, `last`, `value`, `count`,
    /// `every`.
    ForcedSetpoints,
    /// Restarts the station: DNP3 cold restart, Modbus restart communications, IEC 104 reset process.
    Restart,
    /// Stops it: DNP3 stop application, Modbus force listen-only mode; an IEC 104 master that is in the wrong
    /// hands stops the transfer: `for`.
    Stop,
    /// Switches unsolicited responses off.
    DisableUnsolicited,
    /// Sets the clock wrong by `value` seconds.
    TimeManipulation,
    /// The station reports its measurements times `value`: `for`.
    ValueSpoofing,
    /// The station goes on reporting what was when it began: `for`.
    FrozenValues,
    /// Answers to the actor (a master) are forged before the true ones: `for`.
    ResponseInjection,
    /// The outstation or controlled station reports invented events: `count`, `every`.
    UnsolicitedStorm,
    /// Requests that are none: `count`, `every`.
    MalformedFlood,
    /// A text hidden in registers nobody uses: `first`, `text`, `every`.
    CovertChannel,
    /// Commands seen before are sent again.
    Replay,
    /// Traffic between `victim` (a master) and the target is drawn over the actor: `every`, `for`.
    ArpSpoofing,
    /// Resets the connection between `victim` (a master) and the target: `count`, `every`.
    TcpReset,
    /// IEC 104 thresholds of measurements are changed: `first` (object), `value`.
    ParameterChange,
    /// IEC 104 I frames with numbers that are not in order: `count`, `every`.
    SequenceTampering,
    /// GOOSE with the publisher's address and a state number far ahead: `count`, `every`.
    GoosePoison,
    /// GOOSE with the next state number and a trip: `count`, `every`.
    GooseForgedTrip,
    /// GOOSE of an earlier state once more: `count`, `every`.
    GooseReplay,
    /// GOOSE of the same control block from the actor's address: `count`, `every`.
    GooseSecondPublisher,
    /// GOOSE in masses: `count`, `every`.
    GooseFlood,
    /// GOOSE marked as simulated: `count`, `every`.
    GooseSimulation,
    /// GOOSE with another configuration revision and data set: `count`, `every`.
    GooseRevision,
    /// The publisher is kept busy until it says nothing: `every`, `for`.
    GooseSilence,
    /// A write hidden behind a read at the same place of the stream: `point`, `command`.
    OverlapEvasion,
}

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

impl Behaviour {
    /// Technique of ATT&CK for ICS that the label names.
    pub fn technique(self) -> &'static str {
        match self {
            Behaviour::HostSweep | Behaviour::UnitSweep | Behaviour::LinkAddressSweep => "T0846",
            Behaviour::FunctionSweep | Behaviour::Identification => "T0888",
            Behaviour::RegisterSweep => "T0861",
            Behaviour::RogueMaster => "T0848",
            Behaviour::UnauthorisedControl
            | Behaviour::Replay
            | Behaviour::GooseForgedTrip
            | Behaviour::GooseSimulation => "T0855",
            Behaviour::BreakerCycling => "T0806",
            Behaviour::ForcedSetpoints | Behaviour::ParameterChange => "T0836",
            Behaviour::Restart => "T0816",
            Behaviour::Stop
            | Behaviour::UnsolicitedStorm
            | Behaviour::MalformedFlood
            | Behaviour::SequenceTampering
            | Behaviour::GooseFlood => "T0814",
            Behaviour::DisableUnsolicited | Behaviour::GooseSilence => "T0804",
            Behaviour::GoosePoison
            | Behaviour::GooseReplay
            | Behaviour::GooseSecondPublisher
            | Behaviour::GooseRevision => "T0856",
            Behaviour::TimeManipulation | Behaviour::ValueSpoofing | Behaviour::FrozenValues => "T0856",
            Behaviour::ResponseInjection | Behaviour::ArpSpoofing => "T0830",
            Behaviour::CovertChannel => "T0885",
            Behaviour::TcpReset => "T0803",
            Behaviour::OverlapEvasion => "T0820",
        }
    }

    /// The name in files.
    pub fn name(self) -> String {
        let mut out = String::new();
        for letter in format!("{self:?}").chars() {
            if letter.is_ascii_uppercase() && !out.is_empty() {
                out.push('_');
            }
            out.push(letter.to_ascii_lowercase());
        }
        out
    }

    /// Needs frames of its own making, which sockets do not send: forged answers, ARP, resets, overlaps.
    pub fn needs_frames(self) -> bool {
        matches!(
            self,
            Behaviour::ResponseInjection
                | Behaviour::ArpSpoofing
                | Behaviour::TcpReset
                | Behaviour::OverlapEvasion
        ) || self.is_goose()
    }

    /// Concerns a GOOSE publisher and no station.
    pub fn is_goose(self) -> bool {
        matches!(
            self,
            Behaviour::GoosePoison
                | Behaviour::GooseForgedTrip
                | Behaviour::GooseReplay
                | Behaviour::GooseSecondPublisher
                | Behaviour::GooseFlood
                | Behaviour::GooseSimulation
                | Behaviour::GooseRevision
                | Behaviour::GooseSilence
        )
    }

    /// Parameters beside `behaviour`, `at`, `actor`, `target`; a star marks those that are needed.
    fn parameters(self) -> &'static [&'static str] {
        match self {
            Behaviour::HostSweep => &["*address", "*count", "*port", "every"],
            Behaviour::UnitSweep | Behaviour::FunctionSweep | Behaviour::RegisterSweep => {
                &["*first", "*last", "every", "link_address"]
            }
            Behaviour::LinkAddressSweep => &["*first", "*last", "every", "link_address"],
            Behaviour::RogueMaster => &["every", "*for", "link_address"],
            Behaviour::UnauthorisedControl => &["*point", "command", "value", "link_address", "select"],
            Behaviour::BreakerCycling => &["*point", "*count", "every", "link_address", "select"],
            Behaviour::ForcedSetpoints => &["*first", "last", "*value", "*count", "every"],
            Behaviour::Identification | Behaviour::Restart => &["link_address"],
            Behaviour::Stop => &["link_address", "for"],
            Behaviour::ParameterChange => &["*first", "*value"],
            Behaviour::SequenceTampering
            | Behaviour::GoosePoison
            | Behaviour::GooseForgedTrip
            | Behaviour::GooseReplay
            | Behaviour::GooseSecondPublisher
            | Behaviour::GooseFlood
            | Behaviour::GooseSimulation
            | Behaviour::GooseRevision => &["*count", "every"],
            Behaviour::GooseSilence => &["every", "*for"],
            Behaviour::DisableUnsolicited => &["link_address"],
            Behaviour::TimeManipulation => &["*value", "link_address"],
            Behaviour::ValueSpoofing => &["*value", "*for"],
            Behaviour::FrozenValues | Behaviour::ResponseInjection => &["*for"],
            Behaviour::UnsolicitedStorm | Behaviour::MalformedFlood => &["*count", "every", "link_address"],
            Behaviour::CovertChannel => &["*first", "*text", "every"],
            Behaviour::Replay => &[],
            Behaviour::ArpSpoofing => &["*victim", "every", "*for"],
            Behaviour::TcpReset => &["*victim", "*count", "every"],
            Behaviour::OverlapEvasion => &["*point", "*command"],
        }
    }
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
