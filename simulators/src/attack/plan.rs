//! From a behaviour to its steps: what does not depend on the protocol.

use std::net::Ipv4Addr;

use super::steps::{Place, Step};
use super::{Attack, Behaviour, plan_dnp3, plan_iec104, plan_modbus};
use crate::engine::{Body, World};
use crate::wire::Prng;

const MS: u64 = 1_000_000;

/// What is known when an attack is planned.
pub(super) struct Target<'a> {
    pub(super) attack: &'a Attack,
    pub(super) place: Place,
    /// Unit id, link address or common address.
    pub(super) number: u16,
    pub(super) spec: &'a crate::scenario::Station,
    /// When it begins.
    pub(super) begin: u64,
    pub(super) prng: Prng,
}

impl Target<'_> {
    pub(super) fn every(&self, default_ms: u64) -> u64 {
        self.attack.every.map_or(default_ms * MS, crate::scenario::Span::ns)
    }

    pub(super) fn count(&self) -> u32 {
        self.attack.count.unwrap_or(1)
    }

    pub(super) fn numbers(&self) -> std::ops::RangeInclusive<u16> {
        let first = self.attack.first.unwrap_or(0);
        first..=self.attack.last.unwrap_or(first)
    }

    pub(super) fn link_address(&self) -> u16 {
        self.attack.link_address.unwrap_or(1)
    }

    /// How many rounds fit into the length.
    pub(super) fn rounds(&self, default_ms: u64) -> u64 {
        let length = self.attack.length.map_or(0, crate::scenario::Span::ns);
        length / self.every(default_ms).max(1) + 1
    }
}

/// Asked one after the other with pauses, then closed.
pub(super) fn asked(place: Place, every: u64, requests: impl IntoIterator<Item = Vec<u8>>) -> Vec<Step> {
    let mut steps = Vec::new();
    for request in requests {
        steps.push(Step::Ask(place, request));
        steps.push(Step::Wait(every));
    }
    steps.push(Step::Close);
    steps
}

impl World<'_> {
    /// The steps of an attack, and the host it comes from.
    pub(super) fn plan(&mut self, attack: &Attack, begin: u64, prng: Prng) -> (u32, Vec<Step>) {
        let scenario = self.scenario;
        let actor = self.host(attack.actor_address(scenario), false);
        if attack.behaviour == Behaviour::HostSweep {
            return (actor, self.host_sweep(attack));
        }
        if attack.behaviour.is_goose() {
            let publisher = self.publisher(&attack.target).map(|(place, _)| place);
            return (actor, publisher.map(|p| super::goose::steps(attack, p)).unwrap_or_default());
        }
        let Some(station) = self.stations.iter().position(|s| s.name == attack.target) else {
            return (actor, Vec::new());
        };
        let state = &self.stations[station];
        let target = Target {
            attack,
            place: (state.host, state.port),
            number: state.number,
            spec: &scenario.stations[&attack.target],
            begin,
            prng,
        };
        let victim = attack.victim.as_ref().and_then(|v| scenario.masters.get(v)).map(|m| m.address);
        let victim = victim.and_then(|address| self.known_host(address)).unwrap_or(actor);
        let length = attack.length.map_or(0, crate::scenario::Span::ns);
        let steps = match attack.behaviour {
            Behaviour::ValueSpoofing | Behaviour::FrozenValues => {
                let factor =
                    (attack.behaviour == Behaviour::ValueSpoofing).then(|| attack.value.unwrap_or(1.0));
                vec![Step::Spoof { station, factor }, Step::Wait(length), Step::Honest { station }]
            }
            Behaviour::ResponseInjection => {
                vec![Step::Inject { client: actor, station, until: begin + length }, Step::Wait(length)]
            }
            Behaviour::UnsolicitedStorm => repeated(&Step::Storm { station }, &target, 20),
            Behaviour::Replay => vec![Step::Replay { station }, Step::Wait(500 * MS), Step::Close],
            Behaviour::ArpSpoofing => {
                let lie = Step::Poison { client: victim, station };
                let rounds = target.rounds(2000);
                let mut steps: Vec<Step> =
                    (0..rounds).flat_map(|_| [lie.clone(), Step::Wait(target.every(2000))]).collect();
                steps.push(Step::Heal { client: victim, station });
                steps
            }
            Behaviour::TcpReset => repeated(&Step::Reset { client: victim, station }, &target, 5000),
            Behaviour::Stop if matches!(state.body, Body::Iec104(_)) => {
                let step = |on| Step::Transfer { client: actor, station, on };
                vec![step(false), Step::Wait(length.max(60_000 * MS)), step(true)]
            }
            _ => match self.stations[station].body {
                Body::Modbus(_) => plan_modbus::steps(target),
                Body::Dnp3(_) => plan_dnp3::steps(target),
                Body::Iec104(_) => plan_iec104::steps(target),
            },
        };
        (actor, steps)
    }

    fn host_sweep(&mut self, attack: &Attack) -> Vec<Step> {
        let first = u32::from(attack.address.unwrap_or(Ipv4Addr::LOCALHOST));
        let every = attack.every.map_or(50 * MS, crate::scenario::Span::ns);
        let port = attack.port.unwrap_or(502);
        let mut steps = Vec::new();
        for number in first..first.saturating_add(attack.count.unwrap_or(1)) {
            let address = Ipv4Addr::from(number);
            let host = self.known_host(address).unwrap_or_else(|| {
                let host = self.host(address, true);
                self.hosts[host as usize].exists = false;
                host
            });
            steps.extend([Step::Probe((host, port)), Step::Wait(every)]);
        }
        steps
    }
}

fn repeated(step: &Step, target: &Target<'_>, default_ms: u64) -> Vec<Step> {
    let every = target.every(default_ms);
    (0..target.count()).flat_map(|_| [step.clone(), Step::Wait(every)]).collect()
}
