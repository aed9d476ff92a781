//! `gridtap replay`: capture files through the whole pipeline, then a summary.

use std::io::IsTerminal;
use std::num::NonZero;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use profiles::Compiled;

use super::exit::{complain, give, say};
use super::{Exit, ReplayArguments};
use crate::capture::file::open_files;
use crate::capture::{FrameSource, TroubleKind};
use crate::config::Operations;
use crate::decap::Checksums;
use crate::monitor::{Sensor, SensorOptions};
use crate::pipeline;
use crate::report::record::OperationsLog;
use crate::report::rotate::RotatingFile;
use crate::report::sinks::SinksConfig;
use crate::report::vitals::TapVitals;
use crate::report::writer::{Destination, LogWriter, QUEUE_BYTES, Stream, WhenFull};
use crate::report::{Identity, ProfileId};

pub(super) fn replay(arguments: &ReplayArguments) -> Exit {
    let to_stdout = arguments.events.as_deref() == Some(Path::new("-"));
    if to_stdout && arguments.json {
        return Exit::Usage(
            "--events - and --json both write to standard output; give --events a file instead".into(),
        );
    }
    if let Some(events) = &arguments.events
        && let Some(input) =
            arguments.files.iter().chain(&arguments.profile).find(|input| same_file(events, input))
    {
        return Exit::Usage(format!(
            "--events {} would overwrite the input {}; write the events to another file",
            events.display(),
            input.display()
        ));
    }
    let profile = match super::profile::load(arguments.profile.as_deref()) {
        Ok(profile) => profile,
        Err(exit) => return exit,
    };
    // What the profile includes is known only now; nothing has been opened for writing yet.
    let included = profile.iter().flat_map(profiles::Compiled::files);
    if let Some(events) = &arguments.events
        && let Some(file) = included.into_iter().find(|file| same_file(events, Path::new(file)))
    {
        return Exit::Usage(format!(
            "--events {} would overwrite {file}, which the profile includes; write the events to another file",
            events.display()
        ));
    }
    let mut source = match open_files(&arguments.files) {
        Ok(source) => source,
        Err(error) => return Exit::failed(error),
    };
    let writer = match arguments.events.as_deref().map(|path| writer(path, to_stdout)).transpose() {
        Ok(writer) => writer,
        Err(exit) => return exit,
    };
    let config = SinksConfig {
        identity: identity(&arguments.sensor, profile.as_ref(), source.taps().to_vec()),
        operations: operations_log(arguments.operations),
        writer,
        published: None,
    };
    let mut options = SensorOptions { workers: workers(arguments.workers), ..SensorOptions::default() };
    options.pipeline.flows.vlan_in_key = arguments.vlan_in_flow_key;
    if arguments.verify_checksums {
        options.pipeline.decap.checksums = Checksums::Discard;
    }
    let mut sensor = Sensor::new(&options, profile.map(Arc::new), config);
    let bar = progress_bar(&source);
    let mut damaged = vec![0_u64; source.taps().len()];
    let mut lost = vec![0_u64; source.taps().len()];
    let mut shown = Instant::now();
    let started = Instant::now();
    let read = pipeline::run(&mut source, &mut sensor, |source, sensor| {
        let troubles = source.take_trouble();
        count(&troubles, &mut damaged, &mut lost);
        sensor.tell_trouble(source.taps(), &troubles);
        if let Some(bar) = &bar
            && shown.elapsed() > Duration::from_millis(200)
        {
            shown = Instant::now();
            bar.set_position(source.progress().map_or(0, |(done, _)| done));
            let rate = sensor.counters().frames as f64 / started.elapsed().as_secs_f64().max(1e-3);
            bar.set_message(format!("{} packets, {rate:.0}/s", sensor.counters().frames));
        }
        !sensor.log_failed()
    });
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    if let Err(error) = read {
        return Exit::failed(error);
    }
    let taps = tap_vitals(source.taps(), &sensor, &damaged, &lost);
    let vitals = sensor.vitals(taps);
    let (summary, written) = sensor.close(&vitals);
    match written {
        // The reader of the pipe has had enough: nothing is wrong.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => return Exit::Done,
        Err(error) => return Exit::failed(format!("the event log could not be written: {error}")),
        Ok(()) => {}
    }
    let said = if arguments.json {
        give(summary.to_json())
    } else if to_stdout {
        complain(&summary);
        Ok(())
    } else {
        say(&summary)
    };
    if let Err(exit) = said {
        return exit;
    }
    if damaged.iter().any(|n| *n > 0) { Exit::Damaged } else { Exit::Done }
}

/// Whether two paths lead to the same file, through links as well.
pub(super) fn same_file(one: &Path, other: &Path) -> bool {
    let identity = |path: &Path| std::fs::metadata(path).map(|m| (m.dev(), m.ino()));
    match (identity(one), identity(other)) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}

/// As many workers as asked for, or as many as there are processors, up to 4.
fn workers(asked: Option<usize>) -> usize {
    let processors = || std::thread::available_parallelism().map_or(1, NonZero::get);
    asked.unwrap_or_else(|| processors().min(4))
}

/// Count damage and drops by file.
fn count(troubles: &[crate::capture::Trouble], damaged: &mut [u64], lost: &mut [u64]) {
    for trouble in troubles {
        let tap = usize::from(trouble.tap);
        match &trouble.kind {
            TroubleKind::Damaged { .. } => damaged[tap] += 1,
            TroubleKind::KernelDrops(count) => lost[tap] += count,
            TroubleKind::TapLost(_) => {}
        }
    }
}

fn tap_vitals(names: &[String], sensor: &Sensor, damaged: &[u64], lost: &[u64]) -> Vec<TapVitals> {
    names
        .iter()
        .enumerate()
        .map(|(n, name)| {
            let tap = sensor.tap(n);
            TapVitals {
                name: name.clone(),
                packets: tap.frames,
                bytes: tap.wire_octets,
                truncated: tap.truncated,
                dropped_kernel: lost[n],
                dropped_interface: 0,
                dropped_queue: 0,
                damaged: damaged[n],
                lost: false,
                last_packet: (tap.frames > 0).then_some(tap.last_frame),
            }
        })
        .collect()
}

fn progress_bar(source: &dyn FrameSource) -> Option<ProgressBar> {
    /// Below this size a bar only flickers.
    const LONG: u64 = 20 << 20;
    let (_, whole) = source.progress().filter(|(_, whole)| *whole >= LONG)?;
    if !std::io::stderr().is_terminal() {
        return None;
    }
    let bar = ProgressBar::new(whole);
    let style = "{bar:40} {percent}% {bytes_per_sec}, {msg}, {eta} left";
    bar.set_style(ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar()));
    Some(bar)
}

fn writer(path: &Path, to_stdout: bool) -> Result<LogWriter, Exit> {
    let destination: Box<dyn Destination> = if to_stdout {
        Box::new(Stream(std::io::stdout()))
    } else {
        let file = RotatingFile::create(path)
            .map_err(|error| Exit::failed(format!("{}: cannot be written: {error}", path.display())))?;
        Box::new(file)
    };
    LogWriter::start(destination, QUEUE_BYTES, WhenFull::Block).map_err(Exit::failed)
}

pub(super) fn identity(sensor: &str, profile: Option<&Compiled>, captures: Vec<String>) -> Identity {
    Identity { sensor: sensor.to_owned(), profile: ProfileId::of(profile), captures }
}

pub(super) fn operations_log(operations: Operations) -> OperationsLog {
    match operations {
        Operations::All => OperationsLog::All,
        Operations::Control => OperationsLog::Control,
        Operations::None => OperationsLog::None,
    }
}

/// Say what went wrong at the taps; returns how many places were damaged. For commands without an event log.
pub(super) fn report_trouble(source: &mut dyn FrameSource) -> usize {
    let mut damaged = 0;
    for trouble in source.take_trouble() {
        if let TroubleKind::Damaged { offset, reason } = &trouble.kind {
            damaged += 1;
            let name = source.taps().get(usize::from(trouble.tap)).map_or("?", String::as_str);
            tracing::warn!("{name}: damaged at offset {offset}: {reason}; read up to there");
        }
    }
    damaged
}
