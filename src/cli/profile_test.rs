//! `gridtap profile test`: the exact findings that a profile gives on captures, for continuous integration;
//! with `--against`, those that a change of the profile adds and removes.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use profiles::{Compiled, Severity};
use serde_json::Value;

use super::Exit;
use super::exit::say;
use super::replay::identity;
use crate::capture::file::open_files;
use crate::capture::{FrameSource, TroubleKind};
use crate::monitor::{Sensor, SensorOptions};
use crate::pipeline;
use crate::report::record::OperationsLog;
use crate::report::sinks::SinksConfig;
use crate::report::writer::{Destination, LogWriter, QUEUE_BYTES, Stream, WhenFull};

/// Arguments of `gridtap profile test`.
#[derive(clap::Args)]
pub(super) struct TestArguments {
    /// The profile
    #[arg(value_name = "PROFILE")]
    profile: PathBuf,
    /// Captures: pcap or pcapng, also .gz and .zst. Several are merged by time
    #[arg(required = true, value_name = "CAPTURE")]
    captures: Vec<PathBuf>,
    /// The profile before: show what the change adds and removes; the exit status is about what it adds
    #[arg(long, value_name = "PROFILE")]
    against: Option<PathBuf>,
}

/// A finding without its time: severity, place in the catalogue, explanation.
type Key = (std::cmp::Reverse<Severity>, String, String);

pub(super) fn test(arguments: &TestArguments) -> Exit {
    match tested(arguments) {
        Ok(exit) => exit,
        Err(exit) => exit,
    }
}

fn tested(arguments: &TestArguments) -> Result<Exit, Exit> {
    let load = |path: &Path| -> Result<Compiled, Exit> {
        super::profile::load(Some(path))?.ok_or_else(|| Exit::failed("no profile"))
    };
    if arguments.against.is_some() && arguments.captures.iter().any(|capture| capture.as_os_str() == "-") {
        let why = "`-` cannot be read twice, as `--against` has to: save it as a file first";
        return Err(Exit::Usage(why.to_owned()));
    }
    let (new, old) = (load(&arguments.profile)?, arguments.against.as_deref().map(load).transpose()?);
    let (found, damaged) = findings(new, &arguments.captures)?;
    let Some(old) = old else {
        for (key, count) in &found {
            say(line("", key, *count))?;
        }
        return Ok(status(found.keys(), damaged, ""));
    };
    let (before, _) = findings(old, &arguments.captures)?;
    let added: Vec<_> = found.iter().filter(|(key, _)| !before.contains_key(*key)).collect();
    for (key, count) in &added {
        say(line("+ ", key, **count))?;
    }
    for (key, count) in before.iter().filter(|(key, _)| !found.contains_key(*key)) {
        say(line("- ", key, *count))?;
    }
    let same = found.len() - added.len();
    say(format_args!("{same} {} the same", if same == 1 { "finding is" } else { "findings are" }))?;
    Ok(status(added.into_iter().map(|(key, _)| key), damaged, " added"))
}

fn line(sign: &str, (severity, id, explanation): &Key, count: u64) -> String {
    let times = if count > 1 { format!(" ({count} times)") } else { String::new() };
    format!("{sign}{:<8}  {id}  {explanation}{times}", severity.0.name())
}

fn status<'k>(keys: impl Iterator<Item = &'k Key>, damaged: usize, what: &str) -> Exit {
    let bad = keys.filter(|(severity, ..)| severity.0 >= Severity::Medium).count();
    match (bad, damaged) {
        (0, 0) => Exit::Done,
        (0, _) => Exit::Damaged,
        (bad, _) => {
            let plural = if bad == 1 { "" } else { "s" };
            Exit::failed(format_args!("{bad} finding{plural}{what} of medium severity or higher"))
        }
    }
}

/// The event log in memory.
#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<u8>>>);

impl io::Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut log = self.0.lock().map_err(|_| io::Error::other("the log's lock is broken"))?;
        log.extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What a profile gives on captures, with how often; and how many places of the captures are damaged.
fn findings(profile: Compiled, captures: &[PathBuf]) -> Result<(BTreeMap<Key, u64>, usize), Exit> {
    let mut source = open_files(captures).map_err(Exit::failed)?;
    let log = Memory::default();
    let destination: Box<dyn Destination> = Box::new(Stream(log.clone()));
    let writer = LogWriter::start(destination, QUEUE_BYTES, WhenFull::Block).map_err(Exit::failed)?;
    let config = SinksConfig {
        identity: identity("profile-test", Some(&profile), source.taps().to_vec()),
        operations: OperationsLog::None,
        writer: Some(writer),
        ..SinksConfig::default()
    };
    let mut sensor = Sensor::new(&SensorOptions::default(), Some(Arc::new(profile)), config);
    let mut damaged = 0;
    pipeline::run(&mut source, &mut sensor, |source, sensor| {
        let troubles = source.take_trouble();
        damaged += troubles.iter().filter(|t| matches!(t.kind, TroubleKind::Damaged { .. })).count();
        sensor.tell_trouble(source.taps(), &troubles);
        !sensor.log_failed()
    })
    .map_err(Exit::failed)?;
    let vitals = sensor.vitals(Vec::new());
    sensor.close(&vitals).1.map_err(Exit::failed)?;
    let text = log.0.lock().map(|log| String::from_utf8_lossy(&log).into_owned()).unwrap_or_default();
    Ok((counted(&text), damaged))
}

/// The findings of an event log. The first of a kind is a line of its own; a later line tells of repeats,
/// the first among them.
fn counted(log: &str) -> BTreeMap<Key, u64> {
    let mut found = BTreeMap::new();
    for event in log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
        if event["event"] != "finding" {
            continue;
        }
        let text = |key: &str| event[key].as_str().unwrap_or("").to_owned();
        let severity = Severity::from_name(&text("severity")).unwrap_or(Severity::Info);
        let count = event["count"].as_u64().unwrap_or(1);
        let key = (std::cmp::Reverse(severity), text("id"), text("explanation"));
        *found.entry(key).or_insert(0) += if count > 1 { count - 1 } else { 1 };
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeats_are_counted_with_the_first_of_them() {
        let line = |count, severity| {
            format!(
                "{{\"event\":\"finding\",\"id\":\"POL-01\",\"severity\":\"{severity}\",\"explanation\":\"x\",\"count\":{count}}}\n"
            )
        };
        let log =
            format!("{}{}{{\"event\":\"sensor\"}}\n{}", line(1, "high"), line(5, "high"), line(1, "low"));
        let found = counted(&log);
        let shown: Vec<_> = found.iter().map(|(key, count)| super::line("", key, *count)).collect();
        assert_eq!(shown, ["high      POL-01  x (5 times)", "low       POL-01  x"]);
        assert!(matches!(status(found.keys(), 0, ""), Exit::Failed(_)));
        let low = found.keys().filter(|(severity, ..)| severity.0 == Severity::Low);
        assert!(matches!(status(low, 0, ""), Exit::Done));
    }
}
