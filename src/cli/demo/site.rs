//! The demo's site: its scenario and profile, rounds of attacks, and what is said of them beforehand.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, TcpListener};
use std::time::{Duration, Instant};

use profiles::Compiled;
use simulators::attack::{self, Attack, Behaviour};
use simulators::scenario::{Scenario, Span};
use simulators::sockets::{self, Ports};

const SCENARIO: &str = include_str!("../../../simulators/scenarios/demo.toml");
const ATTACKS: &str = include_str!("../../../simulators/scenarios/demo.attacks.toml");
const PROFILE: &str = include_str!("../../../profiles/examples/demo.toml");

/// A round of attacks begins so often.
const ROUND: Duration = Duration::from_mins(3);
/// As many rounds as a day has.
const ROUNDS: u32 = 480;
/// An attack is announced so long before.
const AHEAD: Duration = Duration::from_secs(20);

/// Something to say at a moment.
pub(super) struct Announcement {
    pub(super) at: Instant,
    pub(super) text: String,
}

pub(super) struct Site {
    pub(super) scenario: Scenario,
    pub(super) attacks: Vec<Attack>,
    pub(super) ports: Ports,
    /// Addresses that are others on the loopback.
    moved: BTreeMap<Ipv4Addr, Ipv4Addr>,
    begun: Instant,
}

impl Site {
    pub(super) fn new() -> Result<Site, String> {
        let wrong = |error: simulators::scenario::Diagnostics| error.to_string();
        let scenario = Scenario::parse(SCENARIO, "demo.toml").map_err(wrong)?;
        let round = attack::parse(ATTACKS, "demo.attacks.toml", &scenario).map_err(wrong)?;
        let later = |attack: &Attack, round: u32| {
            let shift = u64::try_from((ROUND * round).as_nanos()).unwrap_or(0);
            Attack { at: Span::from_ns(attack.at.ns() + shift), ..attack.clone() }
        };
        let attacks = (0..ROUNDS).flat_map(|n| round.iter().map(move |a| later(a, n))).collect();
        let begun = Instant::now();
        Ok(Site { scenario, attacks, ports: Ports::default(), moved: BTreeMap::new(), begun })
    }

    /// Give all hosts addresses on the loopback, and the stations ports that may be listened on.
    pub(super) fn onto_loopback(&mut self) -> Result<(), String> {
        self.moved = sockets::onto_loopback(&mut self.scenario, &mut self.attacks)?;
        let host = self.scenario.stations.values().next().map(|station| station.address);
        if let Some(host) = host
            && let Err(error) = TcpListener::bind((host, self.ports.modbus))
            && error.kind() == std::io::ErrorKind::PermissionDenied
        {
            self.ports.modbus = 1502;
        }
        self.ports.set(&mut self.scenario, &mut self.attacks);
        Ok(())
    }

    /// From this moment on the times of the attacks count.
    pub(super) fn begin_now(&mut self) {
        self.begun = Instant::now();
    }

    pub(super) fn begun(&self) -> Instant {
        self.begun
    }

    pub(super) fn profile(&self) -> Result<Compiled, String> {
        let mut text = PROFILE.to_owned();
        for (old, new) in &self.moved {
            text = text.replace(&format!("\"{old}\""), &format!("\"{new}\""));
        }
        profiles::parse(&text, "demo.toml").map_err(|errors| errors.to_string())
    }

    /// What will happen, twice each: some time before, and when it does.
    pub(super) fn announcements(&self) -> Vec<Announcement> {
        let mut all = Vec::new();
        for attack in &self.attacks {
            let after = Duration::from_nanos(attack.at.ns());
            let (what, technique) = (said(attack), attack.behaviour.technique());
            let ahead = after.min(AHEAD);
            let soon = format!("in {} s {} will {what} ({technique})", ahead.as_secs(), attack.actor);
            all.push(Announcement { at: self.begun + after.saturating_sub(ahead), text: soon });
            let now = format!("now: {what}");
            all.push(Announcement { at: self.begun + after, text: now });
        }
        all.sort_by_key(|announcement| announcement.at);
        all
    }
}

/// What an attacker does, behind "will".
fn said(attack: &Attack) -> String {
    let target = &attack.target;
    let first = attack.first.unwrap_or(0);
    match attack.behaviour {
        Behaviour::Identification => format!("ask {target} what it is"),
        Behaviour::RegisterSweep => {
            format!(
                "read the registers of {target} one by one, from {first} to {}",
                attack.last.unwrap_or(first)
            )
        }
        Behaviour::RogueMaster => format!("poll {target} as if it were a master"),
        Behaviour::UnauthorisedControl => {
            let (command, point) = (attack.command.as_deref(), attack.point.as_deref());
            format!("{} {} at {target}", command.unwrap_or("set"), point.unwrap_or("a point"))
        }
        Behaviour::ForcedSetpoints => {
            format!("write {} into register {first} of {target} again and again", attack.value.unwrap_or(0.0))
        }
        Behaviour::Restart => format!("restart {target}"),
        other => format!("attack {target} ({})", other.name()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_site_is_sound_and_the_first_attack_comes_within_ten_seconds() {
        let mut site = Site::new().unwrap();
        assert_eq!(site.profile().unwrap().name(), "Demo");
        let announcements = site.announcements();
        assert!(announcements[0].at <= site.begun() + Duration::from_secs(10));
        assert!(announcements.iter().all(|a| !a.text.contains("attack ")), "every behaviour has its words");
        // Addresses on the loopback go into the profile, too.
        site.onto_loopback().unwrap();
        let profile = site.profile().unwrap();
        for station in site.scenario.stations.values() {
            assert!(station.address.is_loopback());
            assert!(profile.host_index(parsers::Host::Ip(station.address.into())).is_some());
        }
    }
}
