//! Simulated time: events in order, hosts and connections, the grid, the stations, the masters, the
//! attackers. Everything random comes from the seed; no clock is asked.
//!
//! ```text
//! queue.rs  what happens next          tcp.rs      connections        frame.rs, sink.rs  the capture
//! serve.rs  stations answer            noise.rs    everything else
//! ../master links and operators        ../attack   scripts
//! ```

pub(crate) mod frame;
mod goose;
mod iec104;
mod noise;
pub(crate) mod queue;
mod serve;
pub(crate) mod sink;
pub(crate) mod tcp;

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use crate::attack::{Injection, Running};
use crate::grid::Grid;
use crate::master::{Link, MasterState};
use crate::scenario::{Network, Scenario};
use crate::sockets::{Net, RawSocket, Wire};
use crate::station::goose::{Listening, Publishing};
use crate::wire::{Prng, Side};
use frame::{Framer, Mac, mac};
use queue::{Event, Queue};
pub(crate) use serve::{Body, StationState};
use sink::Sink;
use tcp::{Conn, Owner};

/// A host on the network.
#[derive(Debug, Clone)]
pub(crate) struct Host {
    pub(crate) address: Ipv4Addr,
    pub(crate) mac: Mac,
    pub(crate) ttl: u8,
    pub(crate) window: u16,
    pub(crate) ack_delay: u64,
    /// False for an address that nobody has.
    pub(crate) exists: bool,
    id: u16,
    port: u16,
}

impl Host {
    fn new(address: Ipv4Addr, device: bool, prng: &mut Prng) -> Host {
        Host {
            address,
            mac: mac(address),
            ttl: if device { 255 } else { 64 },
            window: if device { 8192 } else { 64_240 },
            ack_delay: if device { 100_000_000 } else { 40_000_000 },
            exists: true,
            id: prng.next_u64() as u16,
            port: 32_768 + prng.below(20_000) as u16,
        }
    }

    pub(crate) fn next_id(&mut self) -> u16 {
        self.id = self.id.wrapping_add(1);
        self.id
    }

    pub(crate) fn ephemeral(&mut self) -> u16 {
        self.port = if self.port >= 60_999 { 32_768 } else { self.port + 1 };
        self.port
    }
}

/// Frames between two hosts that pass a third.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Poison {
    pub(crate) pair: (Ipv4Addr, Ipv4Addr),
    pub(crate) mac: Mac,
}

/// Everything there is.
pub(crate) struct World<'a> {
    pub(crate) now: u64,
    pub(crate) end: u64,
    /// By how much the time on the wire is ahead of the scenario's own; not 0 only when live.
    pub(crate) ahead: u64,
    /// Real sockets, when live: then nothing is written into `sink`.
    pub(crate) net: Option<Net>,
    pub(crate) queue: Queue,
    pub(crate) sink: Sink<'a>,
    pub(crate) framer: Framer,
    pub(crate) prng: Prng,
    pub(crate) network: Network,
    pub(crate) hosts: Vec<Host>,
    host_numbers: BTreeMap<Ipv4Addr, u32>,
    pub(crate) arp_known: BTreeSet<(u32, u32)>,
    pub(crate) poison: Option<Poison>,
    pub(crate) conns: Vec<Conn>,
    pub(crate) grid: Grid,
    tick_ns: u64,
    pub(crate) stations: Vec<StationState>,
    pub(crate) services: BTreeMap<(u32, u16), Vec<usize>>,
    pub(crate) masters: Vec<MasterState>,
    pub(crate) links: Vec<Link>,
    pub(crate) publishers: Vec<Publishing>,
    pub(crate) subscribers: Vec<Listening>,
    /// Where GOOSE goes when live.
    pub(crate) raw: Option<RawSocket>,
    /// Live, in networks of the site's own: frames that sockets do not send.
    pub(crate) wire: Option<Wire>,
    pub(crate) attacks: Vec<Running>,
    pub(crate) injection: Option<Injection>,
    pub(crate) scenario: &'a Scenario,
    /// When the last frame was written, and its number from 1.
    pub(crate) last_frame: (u64, u64),
}

/// A generator of its own for each part, so that one part's use does not disturb another's.
pub(crate) fn prng(seed: u64, name: &str) -> Prng {
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    Prng::new(Prng::new(seed ^ hash).next_u64())
}

impl<'a> World<'a> {
    /// Begins at `start`, or if that is `None` when the scenario says.
    pub(crate) fn new(
        scenario: &'a Scenario,
        seed: u64,
        start: Option<u64>,
        length_ns: u64,
        sink: Sink<'a>,
    ) -> World<'a> {
        let own_start = u64::try_from(scenario.site.start.as_nanosecond()).unwrap_or(0);
        let start = start.map_or(own_start, |start| start.max(own_start));
        let grid = Grid::new(scenario, prng(seed, "grid").next_u64());
        let mut world = World {
            now: start,
            end: start + length_ns,
            ahead: start - own_start,
            net: None,
            queue: Queue::default(),
            sink,
            framer: Framer { vlan: scenario.network.vlan, ..Framer::default() },
            prng: prng(seed, "network"),
            network: scenario.network,
            hosts: Vec::new(),
            host_numbers: BTreeMap::new(),
            arp_known: BTreeSet::new(),
            poison: None,
            conns: Vec::new(),
            grid,
            tick_ns: scenario.site.tick.ns().max(10_000_000),
            stations: Vec::new(),
            services: BTreeMap::new(),
            masters: Vec::new(),
            links: Vec::new(),
            publishers: Vec::new(),
            subscribers: Vec::new(),
            raw: None,
            wire: None,
            attacks: Vec::new(),
            injection: None,
            scenario,
            last_frame: (start, 0),
        };
        world.build_stations(seed);
        world.build_masters(seed);
        world.build_goose();
        world.build_noise();
        world.plan_faults();
        world.queue.push(start + world.tick_ns, Event::Tick);
        world
    }

    /// The host of an address; made on first mention.
    pub(crate) fn host(&mut self, address: Ipv4Addr, device: bool) -> u32 {
        if let Some(number) = self.host_numbers.get(&address) {
            return *number;
        }
        let mut own = prng(u64::from(u32::from(address)), "host");
        self.hosts.push(Host::new(address, device, &mut own));
        let number = self.hosts.len() as u32 - 1;
        self.host_numbers.insert(address, number);
        number
    }

    pub(crate) fn known_host(&self, address: Ipv4Addr) -> Option<u32> {
        self.host_numbers.get(&address).copied()
    }

    fn plan_faults(&mut self) {
        for (index, fault) in self.scenario.faults.iter().enumerate() {
            for at in self.daily(fault.at.ns()) {
                self.queue.push(at, Event::Fault(index as u32));
            }
        }
    }

    /// Write the frame under construction.
    pub(crate) fn emit_frame(&mut self) {
        if self.net.is_some() {
            self.last_frame = (self.now, 0);
            return;
        }
        let at = self.sink.frame(self.now, &self.framer.bytes);
        self.last_frame = (at, self.sink.frames);
    }

    pub(crate) fn run(&mut self) {
        while let Some((at, event)) = self.queue.pop() {
            if at >= self.end || self.sink.error.is_some() {
                break;
            }
            self.now = at;
            self.happen(event);
        }
    }

    pub(crate) fn happen(&mut self, event: Event) {
        match event {
            Event::Tick => {
                self.queue.push(self.now + self.tick_ns, Event::Tick);
                self.grid.advance(self.now - self.ahead);
                self.observe();
                self.tend_listeners();
            }
            Event::Send { conn, from, bytes } => self.send(conn, from, bytes),
            Event::Arrive { conn, to, bytes, segments } => self.arrive(conn, to, bytes, segments),
            Event::Resend { conn, from, seq, bytes } => self.resend(conn, from, seq, bytes),
            Event::Ack { conn, side } => self.ack_due(conn, side),
            Event::Tcp { conn, step } => self.step(conn, step),
            Event::ArpReply { from, to } => self.arp_reply(from, to),
            Event::Poll { link, poll, round } => self.poll_due(link, poll, round),
            Event::Next { link } => self.next_request(link),
            Event::Timeout { link, serial } => self.request_timeout(link, serial),
            Event::Connect { link } => self.connect_link(link),
            Event::Reopen { link } => self.reopen_link(link),
            Event::HangUp { link } => self.hang_up_when_idle(link),
            Event::Act { master, action } => self.act(master, action),
            Event::Outage { master, outage, begins } => self.outage(master, outage, begins),
            Event::Effect(control) => {
                if self.grid.apply(control) {
                    self.observe();
                }
            }
            Event::Publish { publisher, due } => self.publish(publisher, due),
            Event::Look => self.observe_goose(),
            Event::Alarm { conn, side: Side::Server, due } => self.station_alarm(conn, due),
            Event::Alarm { conn, side: Side::Client, due } => self.link_alarm(conn, due),
            Event::Fault(index) => self.fault(index),
            Event::Noise(client) => self.make_noise(client),
            Event::Datagram { from, to, ports, payload } => self.datagram(from, to, ports, &payload),
            Event::Attack { attack } => self.attack_goes_on(attack),
            Event::Forged { conn, attack, bytes } => self.forged(conn, attack, &bytes),
            Event::AttackTimeout { attack, serial } => self.attack_timeout(attack, serial),
            // Nobody waits any more when the connection has gone.
            Event::Reply { to, pdu } => _ = to.send(pdu),
        }
    }

    /// When it is this time of day in the scenario, as long as it runs.
    pub(crate) fn daily(&self, time_of_day: u64) -> impl Iterator<Item = u64> + use<> {
        let ahead = self.ahead;
        daily(self.now - ahead, self.end - ahead, time_of_day).map(move |at| at + ahead)
    }

    fn fault(&mut self, index: u32) {
        let scenario = self.scenario;
        let fault = &scenario.faults[index as usize];
        let Some(breaker) = self.grid.breaker(&fault.breaker) else { return };
        if self.grid.apply(crate::grid::Control::Breaker(breaker, false)) {
            self.tell_trip(breaker);
            self.observe();
            if let Some(after) = fault.reclose_after {
                let close = crate::grid::Control::Breaker(breaker, true);
                self.queue.push(self.now + after.ns(), Event::Effect(close));
            }
        }
    }

    /// Bytes for an application.
    pub(crate) fn received(&mut self, conn: u32, to: Side, bytes: Vec<u8>) {
        match (to, self.conns[conn as usize].owner) {
            (Side::Server, Owner::Noise) => self.noise_answer(conn, &bytes),
            (Side::Server, _) => self.serve(conn, &bytes),
            (Side::Client, Owner::Peer) => {}
            (Side::Client, Owner::Link(link)) => self.link_received(link, conn, &bytes),
            (Side::Client, Owner::Attack(attack)) => self.attack_received(attack, &bytes),
            (Side::Client, Owner::Noise) => self.noise_done(conn),
        }
    }

    /// A connection stands, as its client sees it.
    pub(crate) fn connected(&mut self, conn: u32) {
        match self.conns[conn as usize].owner {
            Owner::Link(link) => self.link_connected(link, conn),
            Owner::Attack(attack) => self.attack_connected(attack, conn),
            Owner::Noise => self.noise_connected(conn),
            Owner::Peer => {}
        }
    }

    /// A connection is gone or refused, as one side sees it.
    pub(crate) fn disconnected(&mut self, conn: u32, side: Side) {
        if side == Side::Server {
            return self.service_lost(conn);
        }
        match self.conns[conn as usize].owner {
            Owner::Link(link) => self.link_lost(link, conn),
            Owner::Attack(attack) => self.attack_lost(attack, conn),
            Owner::Noise | Owner::Peer => {}
        }
    }
}

/// The moments between `start` and `end` at this time of day.
fn daily(start: u64, end: u64, time_of_day: u64) -> impl Iterator<Item = u64> {
    const DAY_NS: u64 = 86_400_000_000_000;
    let midnight = start - start % DAY_NS;
    (0..)
        .map(move |day| midnight + day * DAY_NS + time_of_day)
        .skip_while(move |at| *at < start)
        .take_while(move |at| *at < end)
}
