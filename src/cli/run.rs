//! `gridtap run`: the sensor on live interfaces.
//!
//! Three threads: the capture thread runs the whole pipeline under a filter that refuses to send; the event
//! log's writer; the web server for `/metrics`. With more than one worker the capture thread has as many
//! helpers, under the same filter. Everything is opened before the filter is in force.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use parsers::Timestamp;
use profiles::Compiled;

use super::Exit;
use super::exit::{complain, say};
use super::reload::Reload;
use super::replay::{identity, operations_log, same_file};
use crate::capture::live::{Filtering, LiveOptions, LiveSource, TapCounters, forbid_sending};
use crate::capture::{FrameSource, Trouble, TroubleKind};
use crate::config::Config;
use crate::monitor::{Sensor, SensorOptions};
use crate::pipeline;
use crate::report::record::SensorEvent;
use crate::report::rotate::{RotatingFile, Rotation};
use crate::report::sinks::SinksConfig;
use crate::report::snapshot::Published;
use crate::report::vitals::TapVitals;
use crate::report::writer::{Destination, LogWriter, Stream, WhenFull};
use crate::serve::Server;

/// How often figures are published.
const PACE: Duration = Duration::from_secs(1);

/// How often lines that wait are handed to the writer of the event log.
const FLUSH: Duration = Duration::from_millis(250);

/// Packet time after which packets are handed to the workers though they are few.
const ROUND_NS: u64 = 50_000_000;

static STOP: AtomicBool = AtomicBool::new(false);

extern "C" fn on_signal(_: libc::c_int) {
    STOP.store(true, Ordering::Relaxed);
}

/// Check a configuration and the profile it names.
pub(super) fn check(file: &Path) -> Exit {
    let (config, profile) = match read(file) {
        Ok(both) => both,
        Err(exit) => return exit,
    };
    let said = say(format_args!(
        "{}: sound; listens on {}, {}, events to {}, metrics on http://{}/metrics",
        file.display(),
        config.capture.interfaces.join(", "),
        profile.map_or_else(|| "no profile".to_owned(), |p| format!("profile \"{}\"", p.name())),
        config.events.path.display(),
        config.serve.listen
    ));
    said.err().unwrap_or(Exit::Done)
}

fn read(file: &Path) -> Result<(Config, Option<Compiled>), Exit> {
    let config = Config::load(file).map_err(|error| Exit::Usage(error.to_string()))?;
    let profile_path = config.profile.as_ref().map(|p| p.path.as_path());
    let inputs = [Some(file), profile_path];
    if let Some(input) = inputs.into_iter().flatten().find(|input| same_file(&config.events.path, input)) {
        return Err(Exit::Usage(format!(
            "{}: the events would go into {}; write another path under [events]",
            file.display(),
            input.display()
        )));
    }
    let profile = super::profile::load(profile_path)?;
    let mut included = profile.iter().flat_map(Compiled::files);
    if let Some(input) = included.find(|input| same_file(&config.events.path, Path::new(input))) {
        return Err(Exit::Usage(format!(
            "{}: the events would go into {input}; write another path under [events]",
            file.display()
        )));
    }
    Ok((config, profile))
}

pub(super) fn run(file: &Path) -> Exit {
    match start(file) {
        Ok(()) => Exit::Done,
        Err(exit) => exit,
    }
}

fn start(file: &Path) -> Result<(), Exit> {
    let (config, profile) = read(file)?;
    stop_on_signals();
    outlive_hangups();
    // First what can be refused without a trace: the event log is begun last.
    let web = Server::bind(config.serve.listen).map_err(Exit::failed)?;
    let source = LiveSource::open(&live_options(&config)).map_err(Exit::failed)?;
    let reload = match (&config.profile, &profile) {
        (Some(place), Some(profile)) => Some(Reload::watch(&place.path, profile).map_err(Exit::failed)?),
        _ => None,
    };
    let writer = writer(&config)?;
    let told = |address| {
        tracing::info!(
            "listening on {}; metrics on http://{address}/metrics; events to {}",
            config.capture.interfaces.join(", "),
            config.events.path.display()
        );
    };
    live(source, &config, Duty { profile, writer, reload, web }, told)
}

/// SIGINT and SIGTERM end the sensor.
pub(super) fn stop_on_signals() {
    // SAFETY: the handler only stores into an atomic, which is allowed in a signal handler.
    unsafe {
        let handler = on_signal as extern "C" fn(libc::c_int) as libc::sighandler_t;
        libc::signal(libc::SIGINT, handler);
        libc::signal(libc::SIGTERM, handler);
    }
}

/// SIGHUP asks for the profile to be read again; where there is none, or not yet, it must not end the sensor.
fn outlive_hangups() {
    // SAFETY: ignoring a signal runs no code.
    unsafe {
        libc::signal(libc::SIGHUP, libc::SIG_IGN);
    }
}

/// As if a signal had come.
#[cfg(feature = "demo")]
pub(super) fn stop() {
    STOP.store(true, Ordering::Relaxed);
}

/// Whether a signal has come.
pub(super) fn stopped() -> bool {
    STOP.load(Ordering::Relaxed)
}

/// What a sensor judges by and writes to.
pub(super) struct Duty {
    pub(super) profile: Option<Compiled>,
    pub(super) writer: LogWriter,
    pub(super) reload: Option<Reload>,
    /// Where the metrics are asked for.
    pub(super) web: TcpListener,
}

/// Watch interfaces until a signal comes. `told` is given the address of the web server.
pub(super) fn live(
    source: LiveSource,
    config: &Config,
    duty: Duty,
    told: impl FnOnce(SocketAddr),
) -> Result<(), Exit> {
    let counters = source.counters();
    watch(source, counters, config, duty, told, tell_start, |source| {
        source.read_counters();
        if stopped() { Ok(()) } else { Err("no interface is left to listen on".to_owned()) }
    })
}

/// The sensor on a source: `begin` and `end` are called on the capture thread.
pub(super) fn watch<S: FrameSource + Send + 'static>(
    source: S,
    counters: Arc<[TapCounters]>,
    config: &Config,
    duty: Duty,
    told: impl FnOnce(SocketAddr),
    begin: impl FnOnce(&mut Sensor, &S) + Send + 'static,
    end: impl FnOnce(&mut S) -> Result<(), String> + Send + 'static,
) -> Result<(), Exit> {
    let Duty { profile, writer, reload, web } = duty;
    let published = Arc::new(Published::new());
    let server = Server::start(web, Arc::clone(&published)).map_err(Exit::failed)?;
    let sinks = SinksConfig {
        identity: identity(&config.sensor.name, profile.as_ref(), source.taps().to_vec()),
        operations: operations_log(config.events.operations),
        writer: Some(writer),
        published: Some(Arc::clone(&published)),
    };
    let options = SensorOptions {
        pipeline: config.pipeline(),
        workers: config.sensor.workers,
        round_ns: Some(ROUND_NS),
        series_per_family: config.serve.series_per_family,
        ..SensorOptions::default()
    };
    let sensor = Sensor::new(&options, profile.map(Arc::new), sinks);
    told(server.address());
    let watch = Watch::new(source.taps().to_vec(), counters, published, reload);
    let capture = std::thread::Builder::new()
        .name("capture".to_owned())
        .spawn(move || capture(source, sensor, watch, begin, end))
        .map_err(Exit::failed)?;
    let end = capture.join().map_err(|_| Exit::failed("the capture thread ended unexpectedly"))?;
    server.stop();
    end.map_err(Exit::failed)
}

/// The capture thread: from here on this thread cannot send.
fn capture<S: FrameSource>(
    mut source: S,
    mut sensor: Sensor,
    mut watch: Watch,
    begin: impl FnOnce(&mut Sensor, &S),
    end: impl FnOnce(&mut S) -> Result<(), String>,
) -> Result<(), String> {
    forbid_sending().map_err(|error| format!("sending cannot be forbidden: {error}"))?;
    // Threads started from here on cannot send either.
    sensor.start().map_err(|error| format!("a worker thread cannot be started: {error}"))?;
    begin(&mut sensor, &source);
    let result = pipeline::run(&mut source, &mut sensor, |source, sensor| {
        watch.look(source, sensor);
        !stopped()
    });
    let ended = end(&mut source);
    watch.take_trouble(&mut source, &mut sensor);
    let vitals = sensor.vitals(watch.vitals(&sensor));
    sensor.tell(&SensorEvent {
        at: sensor.now().max(clock()),
        what: "stopped",
        capture: None,
        message: format_args!("the sensor stops"),
        figures: &[("packets", vitals.packets()), ("dropped_packets", vitals.dropped())],
    });
    let (summary, written) = sensor.close(&vitals);
    complain(&summary);
    result.map_err(|error| error.to_string())?;
    written.map_err(|error| format!("the event log could not be written: {error}"))?;
    ended
}

/// What is known of the taps beside their frames, and what is done with it now and then.
struct Watch {
    names: Vec<String>,
    counters: Arc<[TapCounters]>,
    /// What the interfaces themselves had dropped at the start, and since.
    dropped: Vec<(u64, u64)>,
    damaged: Vec<u64>,
    /// Why a tap gives nothing, and how many frames it had given when that was told.
    lost: Vec<Option<(String, u64)>>,
    published: Arc<Published>,
    flushed: Instant,
    /// When the figures were last published; never at first.
    shown: Option<Instant>,
    /// Other profiles, if there is one to change.
    reload: Option<Reload>,
}

impl Watch {
    fn new(
        names: Vec<String>,
        counters: Arc<[TapCounters]>,
        published: Arc<Published>,
        reload: Option<Reload>,
    ) -> Watch {
        let now = interface_drops(&names);
        Watch {
            counters,
            dropped: now.into_iter().map(|count| (count, 0)).collect(),
            damaged: vec![0; names.len()],
            lost: vec![None; names.len()],
            published,
            flushed: Instant::now(),
            shown: None,
            reload,
            names,
        }
    }

    /// Called many times a second, traffic or not.
    fn look(&mut self, source: &mut dyn FrameSource, sensor: &mut Sensor) {
        self.take_trouble(source, sensor);
        self.published.alive();
        if let Some(reload) = &mut self.reload {
            reload.apply(sensor, clock());
        }
        if self.flushed.elapsed() >= FLUSH {
            self.flushed = Instant::now();
            sensor.flush();
        }
        if self.shown.is_none_or(|last| last.elapsed() >= PACE) {
            self.shown = Some(Instant::now());
            self.count_interface_drops(sensor);
            let mut vitals = sensor.vitals(self.vitals(sensor));
            vitals.profile_reloads = self.reloads();
            vitals.profile_sound = self.reload.as_ref().map(Reload::is_sound);
            sensor.publish(&vitals);
            self.publish_readiness(sensor);
        }
    }

    fn reloads(&self) -> Vec<(&'static str, u64)> {
        let Some(reload) = &self.reload else { return Vec::new() };
        let [changed, refused] = reload.counts();
        vec![("changed", changed), ("refused", refused)]
    }

    fn take_trouble(&mut self, source: &mut dyn FrameSource, sensor: &mut Sensor) {
        let troubles = source.take_trouble();
        for trouble in &troubles {
            let tap = usize::from(trouble.tap);
            if let TroubleKind::TapLost(reason) = &trouble.kind {
                self.damaged[tap] += 1;
                self.lost[tap] = Some((reason.clone(), sensor.tap(tap).frames));
            }
        }
        sensor.tell_trouble(&self.names, &troubles);
    }

    /// What the interfaces themselves lost is as unseen as what the ring lost.
    fn count_interface_drops(&mut self, sensor: &mut Sensor) {
        let mut troubles = Vec::new();
        for (tap, count) in interface_drops(&self.names).into_iter().enumerate() {
            let (before, sum) = &mut self.dropped[tap];
            // A smaller count is that of an interface made anew.
            let fresh = count.saturating_sub(*before);
            *before = count;
            *sum += fresh;
            if fresh > 0 {
                let kind = TroubleKind::KernelDrops(fresh);
                troubles.push(Trouble { tap: u16::try_from(tap).unwrap_or(u16::MAX), kind });
            }
        }
        sensor.tell_trouble(&self.names, &troubles);
    }

    /// Ready is a sensor that listens on all its interfaces.
    fn publish_readiness(&mut self, sensor: &Sensor) {
        let mut waiting = Vec::new();
        for (tap, lost) in self.lost.iter_mut().enumerate() {
            if lost.as_ref().is_some_and(|(_, frames)| sensor.tap(tap).frames > *frames) {
                *lost = None;
            }
            if let Some((reason, _)) = lost {
                waiting.push(("capture", reason.clone()));
            }
        }
        self.published.set_waiting(waiting);
    }

    fn vitals(&self, sensor: &Sensor) -> Vec<TapVitals> {
        let vitals = |(n, name): (usize, &String)| {
            let tap = sensor.tap(n);
            TapVitals {
                name: name.clone(),
                packets: tap.frames,
                bytes: tap.wire_octets,
                truncated: tap.truncated,
                dropped_kernel: self.counters[n].drops.load(Ordering::Relaxed),
                dropped_interface: self.dropped[n].1,
                dropped_queue: 0,
                damaged: self.damaged[n],
                lost: self.lost[n].is_some(),
                last_packet: (tap.frames > 0).then_some(tap.last_frame),
            }
        };
        self.names.iter().enumerate().map(vitals).collect()
    }
}

/// Frames that the interfaces received and lost before any program could see them, 0 where the system does not
/// tell. What Linux calls dropped is not among them: it counts every frame that no protocol of this machine takes as
/// well, such as all with a VLAN tag, although the tap has seen it.
fn interface_drops(names: &[String]) -> Vec<u64> {
    let table = std::fs::read_to_string("/proc/thread-self/net/dev").unwrap_or_default();
    names.iter().map(|name| missed(name).unwrap_or_else(|| overruns(&table, name))).collect()
}

/// Frames for which the interface had no room, by /sys; nothing where /sys is that of other interfaces, as in a network
/// namespace for which it was not mounted anew.
fn missed(name: &str) -> Option<u64> {
    let folder = Path::new("/sys/class/net").join(name);
    let read = |file: &str| std::fs::read_to_string(folder.join(file)).ok()?.trim().parse::<u64>().ok();
    let c_name = std::ffi::CString::new(name).ok()?;
    // SAFETY: a string that ends with 0, not kept by the call.
    let index = unsafe { libc::if_nametoindex(c_name.as_ptr()) };
    if read("ifindex")? != u64::from(index) {
        return None;
    }
    let missed = read("statistics/rx_missed_errors")?;
    Some(missed.saturating_add(read("statistics/rx_fifo_errors")?))
}

/// The overruns of an interface in a table such as /proc/net/dev, where frames missed for other reasons stand together
/// with those dropped.
fn overruns(table: &str, name: &str) -> u64 {
    let of = |line: &str| {
        // name: octets packets errors drops fifo ..
        let (interface, figures) = line.split_once(':')?;
        (interface.trim() == name).then(|| figures.split_whitespace().nth(4)?.parse().ok())?
    };
    table.lines().find_map(of).unwrap_or(0)
}

fn tell_start(sensor: &mut Sensor, source: &LiveSource) {
    let now = clock();
    for (name, filtering) in source.taps().iter().zip(source.filtering()) {
        let event =
            |message| SensorEvent { at: now, what: "started", capture: Some(name), message, figures: &[] };
        match filtering {
            Filtering::None => sensor.tell(&event(format_args!("listening on {name}, unfiltered"))),
            Filtering::Ports(ports) => sensor.tell(&event(format_args!(
                "listening on {name}; only TCP and UDP ports {ports:?} are seen, other ports are not"
            ))),
            Filtering::TooManyPorts(count) => sensor.tell(&event(format_args!(
                "listening on {name}, unfiltered, since {count} ports are too many for a filter"
            ))),
            Filtering::NotEthernet => sensor.tell(&event(format_args!(
                "listening on {name}, unfiltered, since it has no Ethernet header"
            ))),
        }
    }
    sensor.flush();
}

pub(super) fn live_options(config: &Config) -> LiveOptions {
    LiveOptions {
        interfaces: config.capture.interfaces.clone(),
        ring_bytes: config.capture.ring_mib << 20,
        snaplen: config.capture.snap_length,
        ports: if config.capture.prefilter { config.pipeline().ports.numbers() } else { Vec::new() },
        promiscuous: config.capture.promiscuous,
    }
}

fn writer(config: &Config) -> Result<LogWriter, Exit> {
    let events = &config.events;
    let destination: Box<dyn Destination> = if events.path == Path::new("-") {
        Box::new(Stream(std::io::stdout()))
    } else {
        let rotation = Rotation {
            max_bytes: events.rotate_mib << 20,
            max_age: Duration::from_secs(events.rotate_hours * 3600),
            keep: events.keep,
        };
        let file = RotatingFile::open(&events.path, Some(rotation)).map_err(|error| {
            Exit::failed(format!("{}: cannot be written: {error}", events.path.display()))
        })?;
        Box::new(file)
    };
    LogWriter::start(destination, events.queue_mib << 20, WhenFull::Drop).map_err(Exit::failed)
}

/// The sensor's clock, for what it says of itself when no packet gives the time.
pub(super) fn clock() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hangup_does_not_end_a_sensor_without_a_profile() {
        outlive_hangups();
        // SAFETY: a signal to this process, which would end it.
        assert_eq!(unsafe { libc::raise(libc::SIGHUP) }, 0);
    }

    #[test]
    fn frames_that_no_protocol_takes_are_not_lost() {
        let table = "Inter-|   Receive                                                |  Transmit\n \
            face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets\n  \
            eth0: 1440      18    1    9    2     0          0         0        0       0\n eth01: 1 1 1 1 1 0 0 0\n";
        assert_eq!(overruns(table, "eth0"), 2);
        assert_eq!(overruns(table, "eth2"), 0);
        assert_eq!(missed("no such interface"), None);
    }
}
