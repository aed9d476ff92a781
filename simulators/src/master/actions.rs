//! Masters with their links, their operators, and the times at which they are out of service.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::command;
use super::link::{Job, Kind, Link, Peer};
use crate::encode::dnp3::{Header, Prefix, Range, Sample, object};
use crate::encode::iec104::{Element, size};
use crate::encode::modbus::Request;
use crate::engine::queue::Event;
use crate::engine::{World, prng};
use crate::scenario::{Language, MasterRole, Mode};
use crate::station::dnp3::function as fc;
use crate::station::points::Command;
use crate::value::Value;

/// A pulse is this long.
const PULSE_MS: u32 = 100;

/// A master at work.
#[derive(Debug)]
pub(crate) struct MasterState {
    pub(crate) name: String,
    pub(crate) host: u32,
    pub(crate) role: MasterRole,
    pub(crate) link_address: u16,
    pub(crate) originator: u8,
    pub(crate) enable_unsolicited: bool,
    pub(crate) time_sync: crate::scenario::TimeSync,
    pub(crate) reconnect_ns: Option<u64>,
    pub(crate) timeout_ns: u64,
}

impl World<'_> {
    pub(crate) fn build_masters(&mut self, seed: u64) {
        let scenario = self.scenario;
        for (index, (name, master)) in scenario.masters.iter().enumerate() {
            let host = self.host(master.address, false);
            self.masters.push(MasterState {
                name: name.clone(),
                host,
                role: master.role,
                link_address: master.link_address,
                originator: master.originator,
                enable_unsolicited: master.enable_unsolicited && master.role != MasterRole::Historian,
                time_sync: master.time_sync,
                reconnect_ns: master.reconnect_every.map(|r| r.ns().max(1_000_000_000)),
                timeout_ns: master.timeout.ns(),
            });
            self.build_links(seed, index, name);
            self.plan_days(seed, index, name);
        }
    }

    fn build_links(&mut self, seed: u64, master: usize, name: &str) {
        let scenario = self.scenario;
        let mut numbers: BTreeMap<(u32, u16), u32> = BTreeMap::new();
        let own = &scenario.masters[name];
        let asked = own.polls.iter().flat_map(|poll| {
            scenario.matching(&poll.stations).into_iter().map(move |station| (station, Some(poll)))
        });
        let acted = own.actions.iter().map(|action| (action.station.as_str(), None));
        for (station, poll) in asked.chain(acted) {
            let Some(place) = self.stations.iter().position(|s| s.name == station) else { continue };
            let known = &self.stations[place];
            let (host, port, number) = (known.host, known.port, known.number);
            let spec = &scenario.stations[station];
            let link = *numbers.entry((host, port)).or_insert_with(|| {
                let own = prng(seed, &format!("link {name} {host} {port}"));
                self.links.push(Link::new(master, host, port, spec.kind.language(), own));
                self.links.len() as u32 - 1
            });
            let state = &mut self.links[link as usize];
            let peer = state.peers.iter().position(|p| p.station == place).unwrap_or_else(|| {
                state.peers.push(Peer {
                    station: place,
                    number,
                    sequence: 0,
                    transport: 0,
                    unsolicited: spec.unsolicited,
                    clearing: false,
                    timing: false,
                });
                state.peers.len() - 1
            });
            if let Some(poll) = poll {
                state.add_poll(peer, &poll.read, poll.every.ns(), poll.jitter.ns(), self.now);
            }
        }
        for link in numbers.values() {
            self.start_link(*link);
        }
    }

    fn plan_days(&mut self, seed: u64, index: usize, name: &str) {
        let master = &self.scenario.masters[name];
        let mut late = prng(seed, &format!("operator {name}"));
        let index = index as u32;
        for (number, action) in master.actions.iter().enumerate() {
            for at in self.daily(action.at.ns()) {
                let at = at + late.below(master.operators_late.ns().max(1));
                self.queue.push(at, Event::Act { master: index, action: number as u32 });
            }
        }
        let outages = match &master.standby_for {
            Some(primary) => self.scenario.masters.get(primary).map_or(&[][..], |m| &m.outages),
            None => &master.outages,
        };
        for (number, (begin, length)) in outages.iter().enumerate() {
            // The backup notices late and goes early.
            let shift = if master.role == MasterRole::Backup { 8_000_000_000 } else { 0 };
            for at in self.daily(begin.ns()) {
                let outage = number as u32;
                self.queue.push(at + shift, Event::Outage { master: index, outage, begins: true });
                self.queue.push(
                    (at + length.ns()).saturating_sub(shift),
                    Event::Outage { master: index, outage, begins: false },
                );
            }
        }
    }

    pub(crate) fn outage(&mut self, master: u32, _outage: u32, begins: bool) {
        let backup = self.masters[master as usize].role == MasterRole::Backup;
        for link in 0..self.links.len() {
            if self.links[link].master != master as usize {
                continue;
            }
            self.links[link].active = begins == backup;
            let number = link as u32;
            if self.links[link].active {
                let at = self.now + self.links[link].prng.below(2_000_000_000);
                self.queue.push(at, Event::Connect { link: number });
            } else {
                self.links[link].queue.clear();
                self.hang_up_when_idle(number);
            }
        }
    }

    pub(crate) fn act(&mut self, master: u32, action: u32) {
        let scenario = self.scenario;
        let action = &scenario.masters[&self.masters[master as usize].name].actions[action as usize];
        let spec = &scenario.stations[&action.station];
        let Ok(command) = command(spec, &action.point, &action.command, action.value) else { return };
        for link in 0..self.links.len() {
            let state = &mut self.links[link];
            let here = |peer: &Peer| self.stations[peer.station].name == action.station;
            if state.master != master as usize || !state.active {
                continue;
            }
            let Some(peer) = state.peers.iter().position(here) else { continue };
            let select = action.mode == Mode::Select;
            let body = command_body(command, if select { fc::SELECT } else { fc::DIRECT_OPERATE });
            let kind = if select && state.language != Language::Modbus { Kind::Select } else { Kind::Plain };
            state.queue.push_front(Job { peer, body: Rc::from(body), kind });
            if state.open {
                self.next_request(link as u32);
            } else {
                self.connect_link(link as u32);
            }
        }
    }
}

/// The PDU, fragment or ASDU of a command; `function` is that of DNP3, whose select means that of IEC 104
/// too.
pub(crate) fn command_body(command: Command, function: u8) -> Vec<u8> {
    match command {
        Command::Coil(address, on) => Request::WriteCoil(address, if on { 0xff00 } else { 0 }).pdu(),
        Command::Register(address, value) => Request::WriteRegister(address, value).pdu(),
        Command::Asdu(type_id, object, octets) => {
            let length = size(type_id).unwrap_or(0);
            let mut octets = octets[..length].to_vec();
            if let Some(last) = octets.last_mut().filter(|_| function == fc::SELECT) {
                *last |= 0x80;
            }
            super::poll::asdu(type_id, 6, object, &[Element::Raw(octets)])
        }
        Command::Crob(index, code) => {
            let on = if matches!(code, 3 | 4) { 0 } else { PULSE_MS };
            let block = Value::Crob(code, 1, on, 0);
            [&[function], objects(12, 1, index, block).as_slice()].concat()
        }
        Command::Analog(index, value) => {
            [&[function], objects(41, 3, index, Value::Float32(value)).as_slice()].concat()
        }
    }
}

fn objects(group: u8, variation: u8, index: u8, value: Value) -> Vec<u8> {
    let mut out = Header::prefixed(group, variation, Prefix::Index8, Range::Count8(1)).encode();
    out.push(index);
    let sample = Sample { value, flags: 0, status: 0, time_ms: 0, base_ms: 0 };
    out.extend_from_slice(&object(group, variation, &sample));
    out
}
