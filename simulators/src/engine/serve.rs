//! Stations as hosts: what listens, what answers after which time, what restarts.

use super::queue::Event;
use super::tcp::State;
use super::{World, prng};
use crate::encode::dnp3::{control, link_frame, unframe};
use crate::encode::modbus::{Response, mbap};
use crate::grid::Quantity;
use crate::scenario::Language;
use crate::station::dnp3::{Outcome, Outstation, Sent};
use crate::station::iec104::Controlled;
use crate::station::modbus::Unit;
use crate::station::{Effect, Spoof, View};
use crate::wire::{Prng, Side};

/// A gateway gives up on a silent unit after this.
const GATEWAY_NS: u64 = 400_000_000;

pub(crate) enum Body {
    Modbus(Unit),
    Dnp3(Outstation),
    Iec104(Controlled),
}

/// A station at work.
pub(crate) struct StationState {
    pub(crate) name: String,
    pub(crate) host: u32,
    pub(crate) port: u16,
    /// Unit id, link address or common address.
    pub(crate) number: u16,
    pub(crate) body: Body,
    pub(crate) spoof: Option<Spoof>,
    /// The attack behind it.
    pub(crate) spoofed_by: Option<u32>,
    /// The last commands of masters, as they were sent.
    pub(crate) commands: Vec<Vec<u8>>,
    /// IEC 104: nothing is sent before this, so that numbers stay in order.
    pub(super) free_ns: u64,
    pub(super) answer_ns: u64,
    restart_ns: u64,
    down_until: u64,
    pub(super) prng: Prng,
}

impl World<'_> {
    pub(super) fn build_stations(&mut self, seed: u64) {
        let scenario = self.scenario;
        for (name, station) in &scenario.stations {
            let host = self.host(station.address, true);
            let port = station.service_port();
            let own = prng(seed, &format!("station {name}"));
            let cold = scenario.site.cold_start;
            let (body, number) = match station.kind.language() {
                Language::Dnp3 => {
                    let outstation = Outstation::new(station, &self.grid, own.clone(), self.now, cold);
                    let number = outstation.address;
                    (Body::Dnp3(outstation), number)
                }
                Language::Iec104 => {
                    let controlled = Controlled::new(station, &self.grid, own.clone(), self.now, cold);
                    let number = controlled.address;
                    (Body::Iec104(controlled), number)
                }
                Language::Modbus => {
                    let unit = Unit::new(name, station, &self.grid, own.clone());
                    (Body::Modbus(unit), u16::from(station.unit_id.unwrap_or(1)))
                }
            };
            self.services.entry((host, port)).or_default().push(self.stations.len());
            self.stations.push(StationState {
                name: name.clone(),
                host,
                port,
                number,
                body,
                spoof: None,
                spoofed_by: None,
                commands: Vec::new(),
                free_ns: 0,
                answer_ns: station.answer_time.ns(),
                restart_ns: station.restart_time.ns(),
                down_until: 0,
                prng: own,
            });
        }
    }

    pub(crate) fn listens(&self, host: u32, port: u16) -> bool {
        if self.is_noise_server(host, port) {
            return true;
        }
        let up = |index: &usize| self.stations[*index].down_until <= self.now;
        self.services.get(&(host, port)).is_some_and(|stations| stations.iter().all(up))
    }

    /// A request reached a station's host.
    pub(super) fn serve(&mut self, conn: u32, bytes: &[u8]) {
        let state = &self.conns[conn as usize];
        if self.is_noise_server(state.hosts[1], state.ports[1]) {
            return self.noise_answer(conn, bytes);
        }
        let Some(stations) = self.services.get(&(state.hosts[1], state.ports[1])).cloned() else { return };
        match self.stations[stations[0]].body {
            Body::Modbus(_) => self.serve_modbus(conn, &stations, bytes),
            Body::Dnp3(_) => self.serve_dnp3(conn, &stations, bytes),
            Body::Iec104(_) => self.serve_iec104(conn, stations[0], bytes),
        }
    }

    fn serve_modbus(&mut self, conn: u32, stations: &[usize], mut bytes: &[u8]) {
        let mut delay = 0;
        while let [t1, t2, 0, 0, l1, l2, unit, ..] = bytes {
            let (transaction, unit) = (u16::from_be_bytes([*t1, *t2]), *unit);
            let end = 6 + usize::from(u16::from_be_bytes([*l1, *l2]));
            let Some(pdu) = bytes.get(7..end).filter(|pdu| !pdu.is_empty()) else { return };
            let (found, answer) = self.modbus_answer(stations, unit, pdu, &mut delay);
            if let Some(answer) = answer {
                let bytes = mbap(transaction, unit, &answer);
                if let Some(station) = found {
                    self.forge(conn, station, &bytes, delay);
                }
                self.queue.push(self.now + delay, Event::Send { conn, from: Side::Server, bytes });
            }
            bytes = &bytes[end..];
        }
    }

    /// The station of a unit and what it answers to a PDU that is not empty, if anything; `delay` grows by
    /// the time it takes.
    pub(crate) fn modbus_answer(
        &mut self,
        stations: &[usize],
        unit: u8,
        pdu: &[u8],
        delay: &mut u64,
    ) -> (Option<usize>, Option<Vec<u8>>) {
        let Some(station) = stations.iter().copied().find(|s| self.stations[*s].number == u16::from(unit))
        else {
            *delay += GATEWAY_NS;
            return (None, Some(Response::Exception(pdu[0] & 0x7f, 0x0b).pdu()));
        };
        let state = &mut self.stations[station];
        *delay += state.answer_ns + state.prng.below(2 * state.answer_ns + 1);
        let view = View { grid: &self.grid, spoof: state.spoof.as_ref() };
        let Body::Modbus(machine) = &mut state.body else { return (Some(station), None) };
        let outcome = machine.answer(pdu, &view);
        self.effects(&outcome.effects, *delay);
        if outcome.restart {
            self.restart(station, *delay);
        }
        (Some(station), outcome.pdu)
    }

    fn serve_dnp3(&mut self, conn: u32, stations: &[usize], bytes: &[u8]) {
        let Some(frame) = unframe(bytes) else { return };
        let broadcast = frame.destination >= 0xfffd;
        for index in stations {
            let state = &mut self.stations[*index];
            if !broadcast && state.number != frame.destination {
                continue;
            }
            let delay = state.answer_ns + state.prng.below(2 * state.answer_ns + 1);
            // Confirmed user data is acknowledged, and means what unconfirmed means.
            let reply = match frame.control & 0x4f {
                0x49 => Some(control::LINK_STATUS),
                0x40 | 0x42 | 0x43 => Some(control::ACK),
                0x44 => None,
                _ => continue,
            };
            if let Some(code) = reply {
                let bytes = link_frame(code, frame.source, state.number, &[]);
                self.queue.push(self.now + delay / 2, Event::Send { conn, from: Side::Server, bytes });
                if frame.control & 0x0f != 3 {
                    continue;
                }
            }
            let view = View { grid: &self.grid, spoof: state.spoof.as_ref() };
            let Body::Dnp3(outstation) = &mut state.body else { continue };
            let outcome = outstation.receive(frame.source, conn, &frame.fragment, broadcast, &view, self.now);
            self.carry_out(*index, outcome, delay);
        }
    }

    fn carry_out(&mut self, station: usize, outcome: Outcome, delay: u64) {
        self.effects(&outcome.effects, delay);
        for sent in outcome.sent {
            let state = &mut self.stations[station];
            let wait = if sent.unsolicited { state.prng.below(300_000_000) } else { delay };
            let event = Event::Send { conn: sent.connection, from: Side::Server, bytes: sent.bytes };
            self.queue.push(self.now + wait, event);
        }
        if outcome.restart {
            self.restart(station, delay);
        }
    }

    pub(super) fn effects(&mut self, effects: &[Effect], delay: u64) {
        for effect in effects {
            self.queue.push(self.now + delay + effect.after_ns, Event::Effect(effect.control));
        }
    }

    /// Answer first, then go down: connections are closed, new ones refused until it is back.
    pub(super) fn restart(&mut self, station: usize, delay: u64) {
        let state = &mut self.stations[station];
        state.down_until = self.now + state.restart_ns;
        let (host, port) = (state.host, state.port);
        match &mut state.body {
            Body::Dnp3(outstation) => outstation.restart(),
            Body::Iec104(controlled) => controlled.restart(),
            Body::Modbus(_) => {}
        }
        let at = self.now + delay + 50_000_000;
        for conn in 0..self.conns.len() {
            let state = &self.conns[conn];
            if state.state == State::Open && (state.hosts[1], state.ports[1]) == (host, port) {
                let step = super::queue::Step::Close(Side::Server);
                self.queue.push(at, Event::Tcp { conn: conn as u32, step });
            }
        }
    }

    /// A connection was accepted: outstations that report by themselves say hello to the master.
    pub(crate) fn accepted(&mut self, conn: u32) {
        let state = &self.conns[conn as usize];
        let (host, port, client) =
            (state.hosts[1], state.ports[1], self.hosts[state.hosts[0] as usize].address);
        let Some(stations) = self.services.get(&(host, port)).cloned() else { return };
        self.iec104_accepted(conn, stations[0]);
        let Some(master) = self.scenario.masters.values().find(|m| m.address == client) else { return };
        for index in stations {
            if let Body::Dnp3(outstation) = &mut self.stations[index].body
                && master.enable_unsolicited
            {
                let mut outcome = Outcome::default();
                outstation.connected(master.link_address, conn, self.now, &mut outcome);
                self.carry_out(index, outcome, 0);
            }
        }
    }

    pub(super) fn service_lost(&mut self, conn: u32) {
        let state = &self.conns[conn as usize];
        let Some(stations) = self.services.get(&(state.hosts[1], state.ports[1])).cloned() else { return };
        for index in stations {
            match &mut self.stations[index].body {
                Body::Dnp3(outstation) => outstation.disconnected(conn),
                Body::Iec104(controlled) => controlled.disconnected(conn),
                Body::Modbus(_) => {}
            }
        }
    }

    /// Outstations look at the process.
    pub(crate) fn observe(&mut self) {
        self.observe_goose();
        for index in 0..self.stations.len() {
            let state = &mut self.stations[index];
            if state.down_until > self.now {
                continue;
            }
            if let Body::Iec104(_) = state.body {
                self.observe_iec104(index);
            } else if let Body::Dnp3(outstation) = &mut state.body {
                let mut outcome = Outcome::default();
                let view = View { grid: &self.grid, spoof: state.spoof.as_ref() };
                outstation.observe(&view, self.now, &mut outcome);
                if !outcome.sent.is_empty() {
                    self.carry_out(index, outcome, 0);
                }
            }
        }
    }

    /// Invented events of an outstation, for everybody.
    pub(crate) fn storm_messages(&mut self, station: usize) -> Vec<Sent> {
        let mut outcome = Outcome::default();
        if let Body::Dnp3(outstation) = &mut self.stations[station].body {
            outstation.storm(self.now, &mut outcome);
        }
        outcome.sent
    }

    /// Keep a command of a master: an attacker may have listened.
    pub(crate) fn record(&mut self, station: usize, bytes: &[u8]) {
        const MOST: usize = 4;
        let commands = &mut self.stations[station].commands;
        if commands.len() == MOST {
            commands.remove(0);
        }
        commands.push(bytes.to_vec());
    }

    /// The process as a station would report it now.
    pub(crate) fn snapshot(&self, station: usize) -> Vec<(Quantity, f64)> {
        let quantities = match &self.stations[station].body {
            Body::Modbus(unit) => unit.quantities(),
            Body::Dnp3(outstation) => outstation.quantities(),
            Body::Iec104(controlled) => controlled.quantities(),
        };
        quantities.into_iter().map(|q| (q, self.grid.value(q))).collect()
    }

    /// The open connection between a host and a station, if there is one.
    pub(crate) fn between(&self, client: u32, station: usize) -> Option<u32> {
        let (host, port) = (self.stations[station].host, self.stations[station].port);
        let fits =
            |c: &super::tcp::Conn| c.state == State::Open && c.hosts == [client, host] && c.ports[1] == port;
        self.conns.iter().rposition(fits).map(|place| place as u32)
    }
}
