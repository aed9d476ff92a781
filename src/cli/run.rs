//! `gridtap run`: the sensor on live interfaces.
//!
//! Three threads: the capture thread runs the whole pipeline under a filter that refuses to send; the event
//! log's writer; the web server for `/metrics`. Everything is opened before the filter is in force.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use parsers::Timestamp;
use profiles::Compiled;

use super::Exit;
use super::replay::{identity, operations_log};
use crate::capture::FrameSource;
use crate::capture::live::{Filtering, LiveOptions, LiveSource, TapCounters, forbid_sending};
use crate::config::Config;
use crate::detect::Detector;
use crate::monitor::Monitor;
use crate::pipeline::{self, Pipeline};
use crate::report::record::SensorEvent;
use crate::report::rotate::{RotatingFile, Rotation};
use crate::report::sinks::{Sinks, SinksConfig};
use crate::report::snapshot::Published;
use crate::report::vitals::TapVitals;
use crate::report::writer::{Destination, LogWriter, Stream, WhenFull};
use crate::serve::Server;

/// How often figures are published and the log is flushed while traffic runs.
const PACE: Duration = Duration::from_secs(1);

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
    println!(
        "{}: sound; listens on {}, {}, events to {}, metrics on http://{}/metrics",
        file.display(),
        config.capture.interfaces.join(", "),
        profile.map_or_else(|| "no profile".to_owned(), |p| format!("profile \"{}\"", p.name())),
        config.events.path.display(),
        config.serve.listen
    );
    Exit::Done
}

fn read(file: &Path) -> Result<(Config, Option<Compiled>), Exit> {
    let config = Config::load(file).map_err(|error| Exit::Usage(error.to_string()))?;
    let profile = super::profile::load(config.profile.as_ref().map(|p| p.path.as_path()))?;
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
    // SAFETY: the handler only stores into an atomic, which is allowed in a signal handler.
    unsafe {
        let handler = on_signal as extern "C" fn(libc::c_int) as libc::sighandler_t;
        libc::signal(libc::SIGINT, handler);
        libc::signal(libc::SIGTERM, handler);
    }
    let source = LiveSource::open(&live_options(&config)).map_err(Exit::failed)?;
    let published = Arc::new(Published::new());
    let server = Server::start(config.serve.listen, Arc::clone(&published)).map_err(Exit::failed)?;
    let writer = writer(&config)?;
    let sinks = Sinks::new(SinksConfig {
        identity: identity(&config.sensor.name, profile.as_ref(), source.taps().to_vec()),
        stations: profile.iter().flat_map(Compiled::stations).map(|s| s.name.to_owned()).collect(),
        operations: operations_log(config.events.operations),
        writer: Some(writer),
        published: Some(Arc::clone(&published)),
    });
    let pipeline = Pipeline::new(&config.pipeline(), Monitor::new(Detector::new(profile), sinks));
    tracing::info!(
        "listening on {}; metrics on http://{}/metrics; events to {}",
        config.capture.interfaces.join(", "),
        server.address(),
        config.events.path.display()
    );
    let capture = std::thread::Builder::new()
        .name("capture".to_owned())
        .spawn(move || capture(source, pipeline, &published))
        .map_err(Exit::failed)?;
    let end = capture.join().map_err(|_| Exit::failed("the capture thread ended unexpectedly"))?;
    server.stop();
    end.map_err(Exit::failed)
}

/// The capture thread: from here on this thread cannot send.
fn capture(
    mut source: LiveSource,
    mut pipeline: Pipeline<Monitor>,
    published: &Published,
) -> Result<(), String> {
    forbid_sending().map_err(|error| format!("sending cannot be forbidden: {error}"))?;
    let counters = source.counters();
    let names = source.taps().to_vec();
    tell_start(&mut pipeline, &source, &names);
    published.set_waiting(Vec::new());
    let mut last = Instant::now();
    let mut first = true;
    let mut damaged = vec![0_u64; names.len()];
    let result = pipeline::run(&mut source, &mut pipeline, |source, pipeline| {
        let troubles = source.take_trouble();
        for trouble in &troubles {
            if matches!(trouble.kind, crate::capture::TroubleKind::TapLost(_)) {
                damaged[usize::from(trouble.tap)] += 1;
            }
        }
        pipeline.tell_trouble(&names, &troubles);
        published.alive();
        if first || last.elapsed() >= PACE {
            first = false;
            last = Instant::now();
            let vitals = pipeline.vitals(tap_vitals(&names, &counters, pipeline, &damaged));
            let now = pipeline.counters().last_frame;
            let sinks = pipeline.consumer().sinks();
            sinks.tick(now);
            sinks.flush();
            sinks.publish(&vitals);
        }
        !STOP.load(Ordering::Relaxed)
    });
    source.read_counters();
    let vitals = pipeline.vitals(tap_vitals(&names, &counters, &pipeline, &damaged));
    let end = pipeline.counters().last_frame;
    let mut sinks = pipeline.into_consumer().into_sinks();
    sinks.sensor(&SensorEvent {
        at: end.max(clock()),
        what: "stopped",
        capture: None,
        message: format_args!("the sensor stops"),
        figures: &[("packets", vitals.packets()), ("dropped_packets", vitals.dropped())],
    });
    let (summary, written) = sinks.finish(end, &vitals);
    eprintln!("{summary}");
    result.map_err(|error| error.to_string())?;
    written.map_err(|error| format!("the event log could not be written: {error}"))?;
    if STOP.load(Ordering::Relaxed) { Ok(()) } else { Err("no interface is left to listen on".to_owned()) }
}

fn tell_start(pipeline: &mut Pipeline<Monitor>, source: &LiveSource, names: &[String]) {
    let now = clock();
    let sinks = pipeline.consumer().sinks();
    for (name, filtering) in names.iter().zip(source.filtering()) {
        let event =
            |message| SensorEvent { at: now, what: "started", capture: Some(name), message, figures: &[] };
        match filtering {
            Filtering::None => sinks.sensor(&event(format_args!("listening on {name}, unfiltered"))),
            Filtering::Ports(ports) => sinks.sensor(&event(format_args!(
                "listening on {name}; only TCP and UDP ports {ports:?} are seen, other ports are not"
            ))),
            Filtering::TooManyPorts(count) => sinks.sensor(&event(format_args!(
                "listening on {name}, unfiltered, since {count} ports are too many for a filter"
            ))),
            Filtering::NotEthernet => sinks.sensor(&event(format_args!(
                "listening on {name}, unfiltered, since it has no Ethernet header"
            ))),
        }
    }
    sinks.flush();
}

fn live_options(config: &Config) -> LiveOptions {
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

fn tap_vitals(
    names: &[String],
    counters: &[TapCounters],
    pipeline: &Pipeline<Monitor>,
    damaged: &[u64],
) -> Vec<TapVitals> {
    let each = names.iter().zip(counters).zip(damaged).enumerate();
    each.map(|(n, ((name, counters), damaged))| {
        let tap = pipeline.tap(n);
        TapVitals {
            name: name.clone(),
            packets: tap.frames,
            bytes: tap.wire_octets,
            truncated: tap.truncated,
            dropped_kernel: counters.drops.load(Ordering::Relaxed),
            dropped_interface: 0,
            dropped_queue: 0,
            damaged: *damaged,
            last_packet: (tap.frames > 0).then_some(tap.last_frame),
        }
    })
    .collect()
}

/// The sensor's clock, for what it says of itself when no packet gives the time.
fn clock() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
}
