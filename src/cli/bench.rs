//! `gridtap bench`: what the full pipeline costs on a capture.
//!
//! One thread, the whole way of `gridtap replay` without an event log: read, decapsulate, reassemble, decode every
//! value, pair, judge, detect, count. The values are added up into a checksum that is printed, so that nothing can
//! be left out.

use std::sync::Arc;
use std::time::Duration;

use parsers::{DefectKind, Protocol};

use super::exit::say;
use super::{BenchArguments, Exit};
use crate::capture::file::open_files;
use crate::monitor::{Sensor, SensorOptions};
use crate::pipeline;
use crate::report::catalogue::CATALOGUE;
use crate::report::record::OperationsLog;
use crate::report::sinks::SinksConfig;

pub(super) fn bench(arguments: &BenchArguments) -> Exit {
    let profile = match super::profile::load(arguments.profile.as_deref()) {
        Ok(profile) => profile,
        Err(exit) => return exit,
    };
    let mut source = match open_files(std::slice::from_ref(&arguments.file)) {
        Ok(source) => source,
        Err(error) => return Exit::failed(error),
    };
    let config = SinksConfig {
        identity: super::replay::identity("bench", profile.as_ref(), Vec::new()),
        operations: OperationsLog::None,
        writer: None,
        published: None,
    };
    let mut sensor = Sensor::new(&SensorOptions::default(), profile.map(Arc::new), config);
    sensor.sum_values();
    let started = cpu_time();
    let wall = std::time::Instant::now();
    if let Err(error) = pipeline::run(&mut source, &mut sensor, |_, _| true) {
        return Exit::failed(error);
    }
    let cpu = cpu_time().saturating_sub(started);
    let wall = wall.elapsed();
    let damaged = super::replay::report_trouble(&mut source);
    let frames = sensor.counters().frames;
    let sums = sensor.checksum();
    let counters = &sensor.tally().counters;
    let findings: u64 = CATALOGUE.iter().map(|kind| counters.findings_of(*kind)).sum();
    let all = |kind: &DefectKind| Protocol::ALL.iter().map(|p| counters.defects(*p, *kind)).sum::<u64>();
    let defects: u64 = DefectKind::ALL.iter().map(all).sum();
    let memory = peak_memory();
    let lines = [
        format!("packets      {frames}"),
        format!("operations   {}", sums.operations),
        format!("points       {}", sums.points),
        format!("defects      {defects}"),
        format!("findings     {findings}"),
        format!("checksum     {:016x}", sums.sum),
        format!("cpu          {:.3} s", cpu.as_secs_f64()),
        format!("wall         {:.3} s", wall.as_secs_f64()),
        format!("ns a packet  {:.1}", cpu.as_secs_f64() * 1e9 / frames.max(1) as f64),
        format!("packets/s    {:.0}", frames as f64 / cpu.as_secs_f64().max(1e-9)),
        format!("peak memory  {} KiB resident at most, {} KiB anonymous at the end", memory.0, memory.1),
    ];
    let done = if damaged > 0 { Exit::Damaged } else { Exit::Done };
    say(lines.join("\n")).err().unwrap_or(done)
}

fn cpu_time() -> Duration {
    // SAFETY: getrusage fills the struct it is given; a zeroed one is valid.
    let usage = unsafe {
        let mut usage: libc::rusage = core::mem::zeroed();
        libc::getrusage(libc::RUSAGE_SELF, &raw mut usage);
        usage
    };
    let of = |t: libc::timeval| {
        Duration::from_secs(t.tv_sec.unsigned_abs()) + Duration::from_micros(t.tv_usec.unsigned_abs())
    };
    of(usage.ru_utime) + of(usage.ru_stime)
}

/// Peak resident memory and anonymous memory now, in KiB, as the kernel tells (0 where it does not).
fn peak_memory() -> (u64, u64) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let field = |name: &str| {
        status
            .lines()
            .find_map(|line| line.strip_prefix(name))
            .and_then(|rest| rest.split_whitespace().next())
            .and_then(|number| number.parse().ok())
            .unwrap_or(0)
    };
    (field("VmHWM:"), field("RssAnon:"))
}
