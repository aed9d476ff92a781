//! Attacks at work: step after step, with a mark at every frame they cause.

use std::net::Ipv4Addr;

use super::steps::{Place, Step};
use super::{Attack, Label};
use crate::apci::{Apci, Heard, Limits};
use crate::engine::frame::{ACK, PSH, RST, Tcp};
use crate::engine::queue::{Event, Step as TcpStep};
use crate::engine::tcp::{Owner, State};
use crate::engine::{Body, Poison, World, prng};
use crate::station::Spoof;
use crate::wire::Side;

const MS: u64 = 1_000_000;
/// An attacker waits this long for an answer.
const PATIENCE_NS: u64 = 800 * MS;

/// An attack at work.
#[derive(Debug)]
pub(crate) struct Running {
    attack: Attack,
    host: u32,
    steps: std::vec::IntoIter<Step>,
    /// The step that waits for a connection.
    held: Option<Step>,
    conn: Option<(u32, Place)>,
    /// IEC 104: the attacker's end of the connection.
    apci: Option<Apci>,
    probing: bool,
    serial: u64,
    waiting: bool,
    /// Time and number of the first and the last frame.
    marks: Option<[(u64, u64); 2]>,
}

/// Answers of a station that are forged.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Injection {
    pub(crate) attack: u32,
    pub(crate) client: u32,
    pub(crate) station: usize,
    pub(crate) until: u64,
}

impl World<'_> {
    /// Plan the attacks of a file.
    pub(crate) fn add_attacks(&mut self, attacks: &[Attack], seed: u64) {
        for (index, attack) in attacks.iter().enumerate() {
            let begin = self.now + attack.at.ns();
            let own = prng(seed, &format!("attack {index}"));
            let (host, steps) = self.plan(attack, begin, own);
            self.attacks.push(Running {
                attack: attack.clone(),
                host,
                steps: steps.into_iter(),
                held: None,
                conn: None,
                apci: None,
                probing: false,
                serial: 0,
                waiting: false,
                marks: None,
            });
            self.queue.push(begin, Event::Attack { attack: index as u32 });
        }
    }

    /// The last frame belongs to this attack.
    pub(crate) fn mark(&mut self, attack: u32) {
        let last = self.last_frame;
        let marks = self.attacks[attack as usize].marks.get_or_insert([last, last]);
        marks[1] = last;
    }

    /// The address of an attack's actor.
    pub(super) fn attack_address(&self, attack: u32) -> Ipv4Addr {
        self.attacks[attack as usize].attack.actor_address(self.scenario)
    }

    /// Labels of the attacks that left a frame.
    pub(crate) fn labels(&self) -> Vec<Label> {
        self.attacks.iter().filter_map(|running| self.label(running)).collect()
    }

    fn label(&self, running: &Running) -> Option<Label> {
        let [first, last] = running.marks?;
        let attack = &running.attack;
        let time = |ns: u64| jiff::Timestamp::from_nanosecond(i128::from(ns)).ok().map(|t| t.to_string());
        let station = self.scenario.stations.get(&attack.target).map(|s| s.address);
        let target_ip = station.or(attack.address).unwrap_or(Ipv4Addr::UNSPECIFIED);
        let (mut actor_ip, mut target_ip) =
            (attack.actor_address(self.scenario).to_string(), target_ip.to_string());
        // GOOSE has no addresses but those of Ethernet.
        if let Some(publisher) = self.scenario.publishers.get(&attack.target) {
            let own = crate::engine::frame::mac(attack.actor_address(self.scenario));
            (actor_ip, target_ip) = (crate::scenario::Mac(own).to_string(), publisher.source.to_string());
        }
        Some(Label {
            from: time(first.0)?,
            to: time(last.0)?,
            technique: attack.behaviour.technique(),
            behaviour: attack.behaviour.name(),
            actor: attack.actor.clone(),
            target: if attack.target.is_empty() { target_ip.clone() } else { attack.target.clone() },
            actor_ip,
            target_ip,
            frames: (first.1 > 0).then_some([first.1, last.1]),
        })
    }

    pub(crate) fn attack_goes_on(&mut self, attack: u32) {
        let state = &mut self.attacks[attack as usize];
        state.waiting = false;
        state.serial += 1;
        let Some(step) = state.held.take().or_else(|| state.steps.next()) else { return };
        let again =
            |world: &mut Self, after: u64| world.queue.push(world.now + after, Event::Attack { attack });
        match step {
            Step::Wait(ns) => again(self, ns.max(200_000)),
            Step::Ask(place, _)
            | Step::Tell(place, _)
            | Step::Asdu(place, _)
            | Step::Overlap { place, .. }
                if !self.at(attack, place) =>
            {
                self.attacks[attack as usize].held = Some(step);
                self.approach(attack, place);
            }
            Step::Ask(_, bytes) => {
                self.say(attack, bytes);
                self.wait(attack);
            }
            Step::Asdu(_, asdu) => {
                let now = self.now;
                if let Some(apci) = &mut self.attacks[attack as usize].apci {
                    apci.send(asdu, now);
                }
                self.flush_attack(attack);
                self.wait(attack);
            }
            Step::Tell(_, bytes) => {
                self.say(attack, bytes);
                again(self, 100_000);
            }
            Step::Overlap { decoy, real, .. } => {
                self.decoy(attack, &decoy);
                self.say(attack, real);
                self.wait(attack);
            }
            Step::Probe(place) => {
                self.attacks[attack as usize].probing = true;
                self.approach(attack, place);
            }
            Step::Close => {
                self.attacks[attack as usize].apci = None;
                if let Some((conn, _)) = self.attacks[attack as usize].conn.take() {
                    self.close(conn, Side::Client);
                }
                again(self, MS);
            }
            Step::Replay { station } => {
                let place = (self.stations[station].host, self.stations[station].port);
                let recorded = std::mem::take(&mut self.stations[station].commands);
                let numbered = matches!(self.stations[station].body, Body::Iec104(_));
                let step = |bytes| if numbered { Step::Asdu(place, bytes) } else { Step::Ask(place, bytes) };
                let asked: Vec<Step> = recorded.into_iter().map(step).collect();
                let state = &mut self.attacks[attack as usize];
                let rest: Vec<Step> = std::mem::take(&mut state.steps).collect();
                state.steps = asked.into_iter().chain(rest).collect::<Vec<_>>().into_iter();
                again(self, MS);
            }
            step => {
                self.act_at_once(attack, &step);
                again(self, 100_000);
            }
        }
    }

    fn act_at_once(&mut self, attack: u32, step: &Step) {
        match *step {
            Step::Spoof { station, factor } => {
                let frozen = self.snapshot(station);
                let spoof = factor.map_or(Spoof::Frozen(frozen), Spoof::Factor);
                self.stations[station].spoof = Some(spoof);
                self.stations[station].spoofed_by = Some(attack);
            }
            Step::Honest { station } => {
                self.stations[station].spoof = None;
                self.stations[station].spoofed_by = None;
            }
            Step::Storm { station } => self.storm(attack, station),
            Step::Goose { publisher, number, until } => {
                let behaviour = self.attacks[attack as usize].attack.behaviour;
                self.forge_goose(attack, behaviour, publisher, number, until);
            }
            Step::Transfer { client, station, on } => self.transfer(attack, client, station, on),
            Step::Inject { client, station, until } => {
                self.injection = Some(Injection { attack, client, station, until });
            }
            Step::Poison { client, station } => self.poison(attack, client, station, true),
            Step::Heal { client, station } => self.poison(attack, client, station, false),
            Step::Reset { client, station } => self.reset(attack, client, station),
            _ => {}
        }
    }

    fn at(&self, attack: u32, place: Place) -> bool {
        self.attacks[attack as usize]
            .conn
            .is_some_and(|(conn, there)| there == place && self.conns[conn as usize].state == State::Open)
            && self.attacks[attack as usize].apci.as_ref().is_none_or(Apci::started)
    }

    fn approach(&mut self, attack: u32, place: Place) {
        // Where transfer is being started, there is nothing to do but wait.
        let under_way = |(conn, _): (u32, Place)| self.conns[conn as usize].state == State::Open;
        let state = &self.attacks[attack as usize];
        if state.apci.is_some() && state.conn.is_some_and(under_way) {
            return self.wait(attack);
        }
        let host = self.attacks[attack as usize].host;
        let conn = self.open(host, place.0, place.1, Owner::Attack(attack));
        self.attacks[attack as usize].conn = Some((conn, place));
        self.wait(attack);
    }

    fn wait(&mut self, attack: u32) {
        let state = &mut self.attacks[attack as usize];
        state.waiting = true;
        state.serial += 1;
        let serial = state.serial;
        self.queue.push(self.now + PATIENCE_NS, Event::AttackTimeout { attack, serial });
    }

    pub(crate) fn attack_timeout(&mut self, attack: u32, serial: u64) {
        let state = &mut self.attacks[attack as usize];
        if state.waiting && state.serial == serial {
            // Nobody answers there: not tried again.
            state.held = None;
            state.probing = false;
            self.attack_goes_on(attack);
        }
    }

    fn say(&mut self, attack: u32, bytes: Vec<u8>) {
        if let Some((conn, _)) = self.attacks[attack as usize].conn {
            self.send(conn, Side::Client, bytes);
        }
    }

    pub(crate) fn attack_received(&mut self, attack: u32, bytes: &[u8]) {
        let now = self.now;
        let state = &mut self.attacks[attack as usize];
        if let Some(apci) = &mut state.apci {
            let heard = apci.receive(bytes, now);
            self.flush_attack(attack);
            if !heard.iter().any(|heard| matches!(heard, Heard::Started | Heard::Asdu(_))) {
                return;
            }
        }
        if self.attacks[attack as usize].waiting {
            self.attack_goes_on(attack);
        }
    }

    fn flush_attack(&mut self, attack: u32) {
        let state = &mut self.attacks[attack as usize];
        let (Some(apci), Some((conn, _))) = (&mut state.apci, state.conn) else { return };
        let bytes = apci.take();
        if let Some(due) = apci.plan() {
            self.queue.push(due, Event::Alarm { conn, side: Side::Client, due });
        }
        if let Some(bytes) = bytes {
            self.send(conn, Side::Client, bytes);
        }
    }

    /// Timers of the attacker's end of an IEC 104 connection.
    pub(crate) fn attack_alarm(&mut self, attack: u32, conn: u32, due: u64) {
        let now = self.now;
        let state = &mut self.attacks[attack as usize];
        let Some(apci) = state.apci.as_mut().filter(|_| state.conn.is_some_and(|(own, _)| own == conn))
        else {
            return;
        };
        if !apci.awake(due) {
            return;
        }
        if apci.wake(now).is_some() {
            state.apci = None;
            return self.close(conn, Side::Client);
        }
        self.flush_attack(attack);
    }

    /// The actor's own link stops or starts the transfer.
    fn transfer(&mut self, attack: u32, client: u32, station: usize, on: bool) {
        let host = self.stations[station].host;
        let own = |link: &crate::master::Link| {
            link.host == host && self.masters[link.master].host == client && link.apci.is_some()
        };
        let Some(link) = self.links.iter().position(own) else { return };
        let now = self.now;
        let state = &mut self.links[link];
        let Some(conn) = state.conn else { return };
        state.open = false;
        let bytes = state.apci.as_mut().and_then(|apci| {
            apci.ask(on, now);
            apci.take()
        });
        if let Some(bytes) = bytes {
            self.send(conn, Side::Client, bytes);
            self.mark(attack);
        }
    }

    pub(crate) fn attack_connected(&mut self, attack: u32, conn: u32) {
        if std::mem::take(&mut self.attacks[attack as usize].probing) {
            self.attacks[attack as usize].conn = None;
            self.abort(conn);
        } else if self.is_iec104(conn) {
            let mut apci = Apci::new(true, Limits::default(), self.now);
            apci.ask(true, self.now);
            self.attacks[attack as usize].apci = Some(apci);
            return self.flush_attack(attack);
        }
        self.attack_goes_on(attack);
    }

    pub(crate) fn attack_lost(&mut self, attack: u32, conn: u32) {
        let state = &mut self.attacks[attack as usize];
        if state.conn.is_some_and(|(own, _)| own == conn) {
            state.conn = None;
            state.apci = None;
            if state.waiting {
                state.held = None;
                state.probing = false;
                self.attack_goes_on(attack);
            }
        }
    }

    /// A segment that looks like the next one of the stream but dies on its way.
    fn decoy(&mut self, attack: u32, bytes: &[u8]) {
        let Some((conn, _)) = self.attacks[attack as usize].conn else { return };
        let live = self.overhear(conn).is_some();
        let mut ends = self.ends(conn, Side::Client);
        ends.ttl = 1;
        // Live there is no router to stop it: it goes to an Ethernet address that nobody has.
        if live {
            ends.macs.1[0] ^= 0x40;
        }
        let state = &self.conns[conn as usize];
        let tcp = Tcp { seq: state.next[0], ack: state.expected[0], flags: PSH | ACK, window: 64_240 };
        self.framer.tcp(&ends, &tcp, bytes);
        self.emit_forged(attack, Some(self.attacks[attack as usize].host));
    }

    fn storm(&mut self, attack: u32, station: usize) {
        for (conn, bytes) in self.storm_iec104(station) {
            self.send(conn, Side::Server, bytes);
            self.mark(attack);
        }
        for sent in self.storm_messages(station) {
            self.send(sent.connection, Side::Server, sent.bytes);
            self.mark(attack);
        }
    }

    fn poison(&mut self, attack: u32, client: u32, station: usize, lie: bool) {
        let host = self.attacks[attack as usize].host;
        self.pass_on(host);
        let own = self.hosts[host as usize].mac;
        let ends = [client, self.stations[station].host].map(|h| self.hosts[h as usize].clone());
        for (told, about) in [(&ends[0], &ends[1]), (&ends[1], &ends[0])] {
            let mac = if lie { own } else { about.mac };
            self.framer.arp(told.mac, 2, (mac, about.address), (told.mac, told.address));
            self.emit_forged(attack, Some(host));
        }
        self.poison = lie.then_some(Poison { pair: (ends[0].address, ends[1].address), mac: own });
    }

    fn reset(&mut self, attack: u32, client: u32, station: usize) {
        let Some(conn) = self.between(client, station) else { return };
        if self.wire.is_some() && self.overhear(conn).is_none() {
            return;
        }
        for (side, felt) in [(Side::Server, Side::Client), (Side::Client, Side::Server)] {
            let own = crate::engine::tcp::index(side);
            let seq = self.conns[conn as usize].next[own];
            let mut ends = self.ends(conn, side);
            ends.ttl = 64;
            self.framer.tcp(&ends, &Tcp { seq, ack: 0, flags: RST, window: 0 }, &[]);
            self.emit_forged(attack, Some(self.attacks[attack as usize].host));
            // Live, sockets feel it.
            if self.wire.is_none() {
                self.queue.push(self.now + 100_000, Event::Tcp { conn, step: TcpStep::Reset(felt) });
            }
        }
    }

    /// Where answers are forged: the forgery that comes before this answer.
    pub(crate) fn forge(&mut self, conn: u32, station: usize, answer: &[u8], delay: u64) {
        let Some(injection) = self.injection else { return };
        let hosts = self.conns[conn as usize].hosts;
        if injection.until < self.now || injection.station != station || injection.client != hosts[0] {
            return;
        }
        // Every value is another one, the length stays.
        let mut bytes = answer.to_vec();
        let attack = injection.attack;
        if matches!(self.stations[station].body, Body::Iec104(_)) {
            if crate::attack::plan_iec104::falsify(&mut bytes) {
                self.queue.push(self.now + delay / 2, Event::Forged { conn, attack, bytes });
            }
            return;
        }
        if bytes.len() < 11 || !matches!(bytes[7], 3 | 4) {
            return;
        }
        for word in bytes[9..].chunks_exact_mut(2) {
            word[0] ^= 0x01;
            word[1] ^= 0x55;
        }
        self.queue.push(self.now + delay / 2, Event::Forged { conn, attack, bytes });
    }

    pub(crate) fn forged(&mut self, conn: u32, attack: u32, bytes: &[u8]) {
        if self.conns[conn as usize].state != State::Open {
            return;
        }
        if self.wire.is_some() && self.overhear(conn).is_none() {
            return;
        }
        let state = &self.conns[conn as usize];
        let tcp = Tcp { seq: state.next[1], ack: state.expected[1], flags: PSH | ACK, window: 8192 };
        let mut ends = self.ends(conn, Side::Server);
        ends.ttl = 64;
        self.framer.tcp(&ends, &tcp, bytes);
        self.emit_forged(attack, None);
    }

    /// What an attack is, for messages.
    pub(crate) fn without_trace(&self) -> Vec<String> {
        let none = self.attacks.iter().filter(|r| r.marks.is_none());
        none.map(|r| format!("{} on {}", r.attack.behaviour.name(), r.attack.target)).collect()
    }
}
