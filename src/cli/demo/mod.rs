//! `gridtap demo`: a small simulated site on this machine, attacked every three minutes, and the sensor that
//! watches it.
//!
//! Live when the loopback can be watched: the simulators then talk over real sockets there, and the sensor
//! sees them as it would see a mirror port. Otherwise a generated capture is played in real time. It says
//! which. Nothing leaves the machine.
//!
//! ```text
//! site.rs    the scenario, the rounds of attacks, what is said of them     screen.rs      event lines to read
//! played.rs  a capture in memory as a source of frames, in real time       prometheus.rs  --prometheus
//! ```

mod played;
mod prometheus;
mod screen;
mod site;

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use parsers::Protocol;
use simulators::sockets;

use super::Exit;
use super::run::{self, Duty, stopped};
use crate::capture::live::{LiveSource, TapCounters};
use crate::config::{Capture, Config, ConfigLimits, Events, Operations, Ports, Protocols, Sensor, Serve};
use crate::report::writer::{LogWriter, WhenFull};
use crate::serve::Server;
use played::Played;
use prometheus::Prometheus;
use screen::Screen;
use site::{Announcement, Site};

/// Room for events that wait for the terminal.
const QUEUE: usize = 4 << 20;
/// The stations must listen by then.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(clap::Args)]
pub(super) struct DemoArguments {
    /// Address and port of /metrics
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9817")]
    listen: SocketAddr,
    /// Start a Prometheus, too: the program `prometheus` from the path, with the rules of this repository
    #[arg(long)]
    prometheus: bool,
    /// End after this time, such as 90 (seconds) or "5 min"; without it on Ctrl-C
    #[arg(long = "for", value_name = "TIME", value_parser = length)]
    length: Option<Duration>,
    /// Play a generated capture even where the loopback could be watched
    #[arg(long)]
    played: bool,
    /// Seed of the site: another one gives other values and moments
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// A length of time; a plain number is seconds.
fn length(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<u32>().ok().map(|seconds| Duration::from_secs(seconds.into()));
    let length = seconds.or_else(|| profiles::duration(text).map(Duration::from_nanos));
    length.filter(|length| !length.is_zero()).ok_or_else(|| "write 90, \"90 s\" or \"5 min\"".to_owned())
}

pub(super) fn demo(arguments: &DemoArguments) -> Exit {
    run::stop_on_signals();
    match start(arguments) {
        Ok(()) => Exit::Done,
        Err(exit) => exit,
    }
}

fn start(arguments: &DemoArguments) -> Result<(), Exit> {
    let screen = Screen::new();
    screen.heading("gridtap demo: a small site with five stations, watched by a sensor");
    let ends = arguments.length.map(|length| Instant::now() + length);
    let live = if arguments.played { Err("as asked".to_owned()) } else { Live::start(arguments.seed, ends) };
    let mut helper = None;
    match live {
        Ok(Live { site, source, simulation, stop }) => {
            screen.say("Live: stations, a master and an attacker talk over real sockets on the loopback.");
            let told = |address| helper = tell(&screen, &site, address, arguments, ends);
            let config = config(&site, arguments);
            let result =
                duty(&site, &screen, &config).and_then(|duty| run::live(source, &config, duty, told));
            drop(stop);
            _ = simulation.join();
            result
        }
        Err(why) => {
            screen.say(&format!("Not live ({why}): a generated capture is played in real time."));
            let mut site = Site::new().map_err(Exit::failed)?;
            site.begin_now();
            let source = Played::new(&site, arguments.seed, ends);
            let counters: Arc<[TapCounters]> = Arc::from([TapCounters::default()]);
            let config = config(&site, arguments);
            let duty = duty(&site, &screen, &config)?;
            let told = |address| helper = tell(&screen, &site, address, arguments, ends);
            run::watch(source, counters, &config, duty, told, |_, _| {}, |_| Ok(()))
        }
    }
}

/// A site that talks over the loopback, and the sensor's eyes on it.
struct Live {
    site: Site,
    source: LiveSource,
    simulation: JoinHandle<()>,
    /// Dropping it ends the simulation.
    stop: tokio::sync::oneshot::Sender<()>,
}

impl Live {
    /// Or why it cannot be.
    fn start(seed: u64, ends: Option<Instant>) -> Result<Live, String> {
        let mut site = Site::new()?;
        site.onto_loopback()?;
        let options = run::live_options(&config_of(&site));
        // The sensor listens first: it shall see every connection from its beginning.
        let source = LiveSource::open(&options).map_err(|error| error.to_string())?;
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let (tell, told) = mpsc::channel();
        let (scenario, attacks) = (site.scenario.clone(), site.attacks.clone());
        let simulation = std::thread::Builder::new()
            .name("simulation".to_owned())
            .spawn(move || {
                let ready = tell.clone();
                let ready = move |_: &[_]| _ = ready.send(Ok(()));
                let length = ends.map(|ends| ends.saturating_duration_since(Instant::now()));
                let options = sockets::Options { seed, length, ..Default::default() };
                let until = async { _ = stopped.await };
                if let Err(error) = sockets::run(&scenario, &attacks, &options, ready, until) {
                    _ = tell.send(Err(error.to_string()));
                } else if ends.is_some() {
                    run::stop();
                }
            })
            .map_err(|error| error.to_string())?;
        match told.recv_timeout(PATIENCE) {
            Ok(Ok(())) => {
                site.begin_now();
                Ok(Live { site, source, simulation, stop })
            }
            Ok(Err(why)) => Err(why),
            Err(_) => Err("the stations did not start in time".to_owned()),
        }
    }
}

/// Where to look, and what will happen. A Prometheus, if one was asked for, which ends when it is dropped.
fn tell(
    screen: &Screen,
    site: &Site,
    address: SocketAddr,
    arguments: &DemoArguments,
    ends: Option<Instant>,
) -> Option<Prometheus> {
    let asked = arguments.listen;
    if asked.port() != 0 && asked != address {
        screen.say(&format!("{asked} is taken, perhaps by a sensor: the metrics are at another port."));
    }
    screen.say(&format!("Metrics: http://{address}/metrics, health: http://{address}/healthz"));
    let prometheus = arguments.prometheus.then(|| Prometheus::start(address));
    let prometheus = match prometheus.transpose() {
        Ok(started) => started.inspect(|p| screen.say(&p.said())),
        Err(why) => {
            screen.say(&format!("No Prometheus: {why}"));
            None
        }
    };
    screen.say("Dashboards and alerts for Grafana and Prometheus: see the folder grafana/.");
    screen.say("What the attacker will do is announced (>>); what the sensor says follows. Ctrl-C ends it.");
    screen.gap();
    let (screen, announcements) = (screen.clone(), site.announcements());
    // Ends with the program; it only prints.
    _ = std::thread::Builder::new().name("announcer".to_owned()).spawn(move || {
        for Announcement { at, text } in announcements {
            while Instant::now() < at {
                if stopped() || ends.is_some_and(|ends| Instant::now() >= ends) {
                    return;
                }
                std::thread::sleep(Duration::from_millis(50));
            }
            screen.announce(&text);
        }
    });
    prometheus
}

fn duty(site: &Site, screen: &Screen, config: &Config) -> Result<Duty, Exit> {
    let profile = site.profile().map_err(Exit::failed)?;
    let writer = LogWriter::start(Box::new(screen.clone()), QUEUE, WhenFull::Drop).map_err(Exit::failed)?;
    let web = Server::bind(config.serve.listen).map_err(Exit::failed)?;
    Ok(Duty { profile: Some(profile), writer, reload: None, web })
}

fn config(site: &Site, arguments: &DemoArguments) -> Config {
    let mut config = config_of(site);
    config.serve.listen = arguments.listen;
    // The usual place may be that of a sensor on this machine.
    let taken = |error: std::io::Error| error.kind() == std::io::ErrorKind::AddrInUse;
    if TcpListener::bind(arguments.listen).is_err_and(taken) {
        config.serve.listen.set_port(0);
    }
    config
}

/// What a configuration file would say.
fn config_of(site: &Site) -> Config {
    let ports = |port| Ports { tcp_ports: Some(vec![port]), udp_ports: None };
    Config {
        sensor: Sensor { name: "demo".to_owned(), ..Sensor::default() },
        // Whatever else goes over the loopback is nobody's business.
        capture: Capture { interfaces: vec!["lo".to_owned()], prefilter: true, ..Capture::default() },
        protocols: Protocols {
            ports: vec![
                (Protocol::Modbus, ports(site.ports.modbus)),
                (Protocol::Dnp3, ports(site.ports.dnp3)),
            ],
        },
        profile: None,
        events: Events { operations: Operations::Control, ..Events::default() },
        serve: Serve::default(),
        limits: ConfigLimits::default(),
    }
}
