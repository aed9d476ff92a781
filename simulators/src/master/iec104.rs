//! IEC 104 at the controlling station: start of transfer, what is asked first, answers to requests.

use std::rc::Rc;

use super::link::{Job, Kind};
use super::poll::asdu;
use crate::apci::{Apci, Heard, Limits};
use crate::encode::iec104::{Asdu, Element, Time, cause, octets, size, type_id as id};
use crate::engine::World;
use crate::engine::queue::Event;
use crate::engine::tcp::Owner;
use crate::scenario::{MasterRole, TimeSync};
use crate::wire::Side;

const MS: u64 = 1_000_000;

impl World<'_> {
    /// The connection stands: whoever is to command begins the transfer, the others stand by.
    pub(super) fn iec104_connected(&mut self, link: u32) {
        let state = &mut self.links[link as usize];
        state.apci = Some(Apci::new(true, Limits::default(), self.now));
        if state.active {
            self.start_transfer(link, true);
        } else {
            self.flush_link(link);
        }
    }

    pub(super) fn start_transfer(&mut self, link: u32, on: bool) {
        let now = self.now;
        if let Some(apci) = self.links[link as usize].apci.as_mut().filter(|apci| apci.started() != on) {
            apci.ask(on, now);
        }
        self.flush_link(link);
    }

    /// Send what is to be sent, and plan the next wake-up.
    fn flush_link(&mut self, link: u32) {
        let state = &mut self.links[link as usize];
        let (Some(apci), Some(conn)) = (&mut state.apci, state.conn) else { return };
        if let Some(bytes) = apci.take() {
            let at = self.now + 300_000 + state.prng.below(MS);
            state.free_ns = at.max(state.free_ns + 1);
            self.queue.push(state.free_ns, Event::Send { conn, from: Side::Client, bytes });
        }
        if let Some(due) = apci.plan() {
            self.queue.push(due, Event::Alarm { conn, side: Side::Client, due });
        }
    }

    /// Timers of this end of a connection.
    pub(crate) fn link_alarm(&mut self, conn: u32, due: u64) {
        let link = match self.conns[conn as usize].owner {
            Owner::Link(link) => link,
            Owner::Attack(attack) => return self.attack_alarm(attack, conn, due),
            _ => return,
        };
        let now = self.now;
        let state = &mut self.links[link as usize];
        let Some(apci) = state.apci.as_mut().filter(|_| state.conn == Some(conn)) else { return };
        if !apci.awake(due) {
            return;
        }
        let lost = apci.wake(now).is_some();
        self.flush_link(link);
        if lost {
            self.hang_up(link);
        }
    }

    /// The request under way goes out.
    pub(super) fn ask_iec104(&mut self, link: u32) {
        let now = self.now;
        let state = &mut self.links[link as usize];
        let (Some(current), Some(apci)) = (&state.current, &mut state.apci) else { return };
        let [type_id, cause, a, b, c, rest @ ..] = &*current.job.body else { return };
        let mut octets_sent = rest.to_vec();
        // Commands with a time say when they are sent.
        if matches!(*type_id, id::C_CS_NA_1 | id::C_TS_TA_1) {
            let from = octets_sent.len().saturating_sub(7);
            octets_sent.truncate(from);
            octets_sent.extend(octets(&[Element::Cp56(Time::at(now / MS))]));
        }
        let peer = &state.peers[current.job.peer];
        let (station, command) = (peer.station, matches!(*type_id, 45..=64));
        let request = Asdu {
            originator: self.masters[state.master].originator,
            ..Asdu::new(*type_id, *cause, peer.number, u32::from_le_bytes([*a, *b, *c, 0]), octets_sent)
        };
        let bytes = request.encode();
        if command {
            self.stations[station].commands.truncate(3);
            self.stations[station].commands.insert(0, bytes.clone());
        }
        apci.send(bytes, now);
        self.flush_link(link);
    }

    pub(super) fn iec104_received(&mut self, link: u32, bytes: &[u8]) {
        let now = self.now;
        let Some(apci) = &mut self.links[link as usize].apci else { return };
        let heard = apci.receive(bytes, now);
        self.flush_link(link);
        for heard in heard {
            match heard {
                Heard::Started => self.transfer_started(link),
                Heard::Stopped => self.links[link as usize].open = false,
                Heard::Asdu(asdu) => self.station_said(link, &asdu),
                Heard::Unreadable(_) => {}
                Heard::Lost(_) => return self.hang_up(link),
            }
        }
    }

    /// Transfer is on: the clock is set and everything is read once.
    fn transfer_started(&mut self, link: u32) {
        let state = &mut self.links[link as usize];
        state.open = true;
        let master = &self.masters[state.master];
        if master.role != MasterRole::Engineering {
            let mut first = Vec::new();
            if master.time_sync != TimeSync::Never && master.role != MasterRole::Historian {
                first.push(asdu(id::C_CS_NA_1, cause::ACTIVATION, 0, &[Element::Raw(vec![0; 7])]));
            }
            first.push(asdu(id::C_IC_NA_1, cause::ACTIVATION, 0, &[Element::Qoi(20)]));
            for (peer, body) in (0..state.peers.len()).flat_map(|p| first.iter().map(move |b| (p, b))) {
                let body = Rc::from(body.as_slice());
                state.queue.push_back(Job { peer, body, kind: Kind::Plain });
            }
        }
        self.queue.push(self.now + 2 * MS, Event::Next { link });
    }

    fn station_said(&mut self, link: u32, asdu: &Asdu) {
        let state = &mut self.links[link as usize];
        let Some(current) = &state.current else { return };
        let Some(peer) = state.peers.get(current.job.peer) else { return };
        if asdu.address != peer.number {
            return;
        }
        let wanted = current.job.body[0];
        if wanted == id::C_RD_NA_1 && asdu.cause == cause::REQUEST {
            return self.finished(link);
        }
        let object = || asdu.objects.first().map(|(object, _)| object.to_le_bytes());
        if asdu.type_id != wanted || object().is_some_and(|o| o[..3] != current.job.body[2..5]) {
            return;
        }
        let waits = matches!(wanted, 45..=64 | id::C_IC_NA_1 | id::C_CI_NA_1);
        let select = matches!(current.job.kind, Kind::Select);
        match asdu.cause {
            cause::ACTIVATION_CON if !asdu.negative && select => {
                let mut body = current.job.body.to_vec();
                let place = 4 + size(wanted).unwrap_or(1);
                body[place] &= 0x7f;
                let execute = Job { peer: current.job.peer, body: Rc::from(body), kind: Kind::Plain };
                state.queue.push_front(execute);
                self.finished(link);
            }
            cause::ACTIVATION_CON if !asdu.negative && waits => {}
            _ => self.finished(link),
        }
    }
}
