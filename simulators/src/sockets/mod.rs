//! A site in real time, on real sockets: the same process, stations, masters and attackers as in a capture.
//!
//! ```text
//! place.rs    which addresses and ports          netns.rs    a network of its own for every host
//! net.rs      sockets and the tasks behind them  world.rs    what they tell the simulated world
//! raw.rs      frames of layer 2 on an interface  wire.rs   frames of an attacker's own making
//! modbus.rs   stations as tokio-modbus servers   framing.rs  where a message ends in a stream
//! ```
//!
//! The world runs on one thread and is told what sockets do by messages. Times on the wire are true; the
//! scenario's own clock begins where the scenario says and runs along.

mod framing;
mod modbus;
mod net;
mod netns;
mod place;
mod raw;
mod wire;
mod world;

use std::io;
use std::net::SocketAddrV4;
use std::pin::pin;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

pub(crate) use net::Net;
pub use netns::Namespaces;
pub use place::{Ports, onto_loopback};
pub use raw::RawSocket;
pub(crate) use wire::Wire;

use crate::attack::{Attack, Label};
use crate::engine::World;
use crate::engine::sink::{Format, Sink};
use crate::scenario::Scenario;

/// What operators do, and when masters are out of service, is planned this far ahead.
const PLANNED: Duration = Duration::from_hours(31 * 24);
/// Ethertype of GOOSE.
const GOOSE: u16 = 0x88b8;
/// Messages of sockets taken at a time.
const BATCH: usize = 64;
/// Messages of sockets that may wait.
const WAITING: usize = 4096;

/// What of a site runs here.
#[derive(Debug, Clone, Copy, Default, Eq, PartialEq)]
pub enum Part {
    /// All of it.
    #[default]
    All,
    /// Stations only: masters are elsewhere.
    Stations,
    /// Masters and attackers only: stations are elsewhere.
    Masters,
}

impl Part {
    /// Leave out of a scenario what is elsewhere and would act by itself.
    pub fn cut(self, scenario: &mut Scenario) {
        if self == Part::Stations {
            for master in scenario.masters.values_mut() {
                master.polls.clear();
                master.actions.clear();
            }
        }
    }
}

/// How a site is run live.
#[derive(Debug, Default)]
pub struct Options {
    /// Everything random depends on it; what the kernel and the clock add does not.
    pub seed: u64,
    /// Ends after this time; without it, when it is stopped.
    pub length: Option<Duration>,
    /// Where its hosts are; `None`: on the loopback, with the addresses the scenario gives.
    pub namespaces: Option<Namespaces>,
    /// What runs here.
    pub part: Part,
    /// The interface on which publishers send GOOSE; without one they send on the switch of the namespaces, and are
    /// silent on the loopback.
    pub goose: Option<String>,
}

/// What a live run gave.
#[derive(Debug, Clone)]
pub struct Summary {
    /// What is true about the attacks that were carried out.
    pub labels: Vec<Label>,
    /// Connections opened and accepted.
    pub connections: usize,
    /// Messages sent, by masters, stations that speak DNP3, and attackers.
    pub messages: u64,
    /// Answers of Modbus stations.
    pub answers: u64,
    /// Why sockets could not be opened, the first few.
    pub troubles: Vec<String>,
}

/// Attacks that can be carried out live, and those that cannot. `networks`: hosts have networks of their own, where
/// frames may be sent as they are; `goose`: there is an interface for GOOSE.
pub fn over_sockets(attacks: Vec<Attack>, networks: bool, goose: bool) -> (Vec<Attack>, Vec<Attack>) {
    let can = |attack: &Attack| {
        let behaviour = attack.behaviour;
        networks || !behaviour.needs_frames() || (goose && behaviour.is_goose())
    };
    attacks.into_iter().partition(can)
}

/// Run a site until `stop` is done or its time is over. `ready` is told where stations listen, before the
/// first master connects.
///
/// # Errors
/// A station's port cannot be listened on; the runtime cannot be started.
pub fn run(
    scenario: &Scenario,
    attacks: &[Attack],
    options: &Options,
    ready: impl FnOnce(&[SocketAddrV4]),
    stop: impl Future<Output = ()>,
) -> io::Result<Summary> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let result = runtime.block_on(drive(scenario, attacks, options, ready, stop));
    // Tasks that wait for their sockets are not waited for.
    runtime.shutdown_background();
    result
}

async fn drive(
    scenario: &Scenario,
    attacks: &[Attack],
    options: &Options,
    ready: impl FnOnce(&[SocketAddrV4]),
    stop: impl Future<Output = ()>,
) -> io::Result<Summary> {
    let (tell, mut told) = tokio::sync::mpsc::channel(WAITING);
    let mut net = Net::new(tell, options.namespaces.as_ref());
    let clock = Clock::start();
    let length = options.length.unwrap_or(PLANNED);
    let length_ns = u64::try_from(length.as_nanos()).unwrap_or(u64::MAX / 4);
    let sink = Sink::new(Box::new(io::sink()), Format::Pcap);
    let mut world = World::new(scenario, options.seed, Some(clock.now()), length_ns, sink);
    let listening = if options.part == Part::Masters { Vec::new() } else { net.listen(&world)? };
    world.net = Some(net);
    world.raw = match (&options.goose, &options.namespaces) {
        (Some(interface), _) => Some(RawSocket::open(interface, GOOSE)?),
        (None, Some(networks)) if !world.publishers.is_empty() => {
            let port = || RawSocket::open("eth0", GOOSE);
            Some(networks.entrances().within(netns::OUTSIDER, port)?)
        }
        _ => None,
    };
    world.wire = match &options.namespaces {
        Some(networks) if attacks.iter().any(|a| a.behaviour.needs_frames()) => {
            Some(Wire::open(networks.mirror(), networks.entrances())?)
        }
        _ => None,
    };
    // The networks have no tags.
    world.framer.vlan = None;
    world.add_attacks(attacks, options.seed);
    ready(&listening);

    let mut stop = pin!(stop);
    let mut batch = Vec::with_capacity(BATCH);
    loop {
        let next = world.catch_up(&clock);
        if world.now >= world.end && options.length.is_some() {
            break;
        }
        tokio::select! {
            biased;
            () = &mut stop => break,
            _ = told.recv_many(&mut batch, BATCH) => {
                world.now = clock.now();
                batch.drain(..).for_each(|message| world.take(message));
            }
            () = tokio::time::sleep_until(clock.instant(next)) => {}
        }
    }
    let connections = world.conns.len();
    let labels = world.labels();
    let net = world.net.take();
    let (messages, answers, troubles) = net.map(Net::finish).unwrap_or_default();
    Ok(Summary { labels, connections, messages, answers, troubles })
}

/// True time that never goes back.
struct Clock {
    begun: Instant,
    begun_ns: u64,
}

impl Clock {
    fn start() -> Clock {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Clock { begun: Instant::now(), begun_ns: u64::try_from(since.as_nanos()).unwrap_or(0) }
    }

    fn now(&self) -> u64 {
        self.begun_ns + u64::try_from(self.begun.elapsed().as_nanos()).unwrap_or(0)
    }

    fn instant(&self, at_ns: u64) -> tokio::time::Instant {
        (self.begun + Duration::from_nanos(at_ns.saturating_sub(self.begun_ns))).into()
    }
}

impl World<'_> {
    /// Let everything happen that is due; when the next thing is.
    fn catch_up(&mut self, clock: &Clock) -> u64 {
        loop {
            let now = clock.now();
            match self.queue.next_at() {
                Some(at) if at <= now && at < self.end => {
                    let Some((_, event)) = self.queue.pop() else { return now };
                    self.now = now;
                    self.happen(event);
                }
                Some(at) => {
                    self.now = now;
                    return at.min(self.end);
                }
                None => {
                    self.now = now;
                    return self.end;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
