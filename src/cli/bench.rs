//! `gridtap bench`: what the full pipeline costs on a capture.
//!
//! One thread, the whole way: read, decapsulate, reassemble, decode every value, pair, judge, count. The
//! values are added up into a checksum that is printed, so that nothing can be left out.

use std::time::Duration;

use parsers::{Defect, Operation, Point, PointKind, PointSink, Value};

use super::{BenchArguments, Exit};
use crate::capture::file::open_files;
use crate::detect::{Detector, FindingSink};
use crate::pipeline::{self, Consumer, FlowContext, Pipeline, PipelineOptions};
use crate::report::finding::Finding;

pub(super) fn bench(arguments: &BenchArguments) -> Exit {
    let profile = match super::profile::load(arguments.profile.as_deref()) {
        Ok(profile) => profile,
        Err(exit) => return exit,
    };
    let mut source = match open_files(std::slice::from_ref(&arguments.file)) {
        Ok(source) => source,
        Err(error) => return Exit::failed(error),
    };
    let counter = Counter { detector: Detector::new(profile), sums: Sums::default() };
    let mut pipeline = Pipeline::new(&PipelineOptions::default(), counter);
    let started = cpu_time();
    let wall = std::time::Instant::now();
    if let Err(error) = pipeline::run(&mut source, &mut pipeline, |_, _| true) {
        return Exit::failed(error);
    }
    let cpu = cpu_time().saturating_sub(started);
    let frames = pipeline.counters().frames;
    let sums = pipeline.into_consumer().sums;
    println!("packets      {frames}");
    println!("operations   {}", sums.operations);
    println!("points       {}", sums.points);
    println!("defects      {}", sums.defects);
    println!("findings     {}", sums.findings);
    println!("checksum     {:016x}", sums.checksum);
    println!("cpu          {:.3} s", cpu.as_secs_f64());
    println!("wall         {:.3} s", wall.elapsed().as_secs_f64());
    println!("ns a packet  {:.1}", cpu.as_secs_f64() * 1e9 / frames.max(1) as f64);
    println!("packets/s    {:.0}", frames as f64 / cpu.as_secs_f64().max(1e-9));
    let memory = peak_memory();
    println!("peak memory  {} KiB resident at most, {} KiB anonymous at the end", memory.0, memory.1);
    Exit::Done
}

#[derive(Default)]
struct Sums {
    operations: u64,
    points: u64,
    defects: u64,
    findings: u64,
    checksum: u64,
}

impl Sums {
    fn add(&mut self, value: u64) {
        self.checksum = (self.checksum.rotate_left(5) ^ value).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}

impl PointSink for Sums {
    fn point(&mut self, point: &Point<'_>) {
        self.points += 1;
        self.add(u64::from(point.address.unwrap_or(u32::MAX)));
        let value = match point.value {
            Value::None => 0,
            Value::Bit(bit) => u64::from(bit),
            Value::DoubleBit(state) => u64::from(state),
            Value::Unsigned(value) | Value::TimeMs(value) => value,
            Value::Signed(value) => value.cast_unsigned(),
            Value::Float32(value) => u64::from(value.to_bits()),
            Value::Float64(value) => value.to_bits(),
            Value::Crob(crob) => {
                u64::from(crob.code) << 8 | u64::from(crob.count) | u64::from(crob.on_time_ms) << 16
            }
            Value::Mask { and, or } => u64::from(and) << 16 | u64::from(or),
            Value::Text(bytes) | Value::Bytes(bytes) => {
                bytes.iter().fold(0_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(*byte)))
            }
        };
        self.add(value);
        self.add(point.time_ms.unwrap_or(0) << 16 | u64::from(point.flags.unwrap_or(0)) << 8);
    }

    fn registers(&mut self, _kind: PointKind, first: Option<u32>, words: &[[u8; 2]]) {
        self.points += words.len() as u64;
        let all = words
            .iter()
            .fold(0_u64, |sum, word| sum.wrapping_mul(31).wrapping_add(u64::from(u16::from_be_bytes(*word))));
        self.add(u64::from(first.unwrap_or(u32::MAX)) << 32 | words.len() as u64);
        self.add(all);
    }

    fn bits(&mut self, _kind: PointKind, first: Option<u32>, octets: &[u8], count: usize) {
        self.points += count as u64;
        let all = (0..count).fold(0_u64, |sum, at| {
            let bit = octets.get(at / 8).map_or(0, |octet| octet >> (at % 8) & 1);
            sum.wrapping_mul(31).wrapping_add(u64::from(bit))
        });
        self.add(u64::from(first.unwrap_or(u32::MAX)) << 32 | count as u64);
        self.add(all);
    }

    fn addresses(&mut self, _kind: PointKind, first: u32, count: u32) {
        self.points += u64::from(count);
        self.add(u64::from(first) << 32 | u64::from(count));
    }
}

struct Counter {
    detector: Detector,
    sums: Sums,
}

impl FindingSink for Sums {
    fn finding(&mut self, finding: &Finding<'_>) {
        self.findings += 1;
        self.add(finding.kind as u64);
    }
}

impl Consumer for Counter {
    fn operation(&mut self, context: &mut FlowContext, operation: &Operation<'_>) {
        self.sums.operations += 1;
        self.sums.add(u64::from(operation.function.code) << 16 | u64::from(operation.sequence));
        operation.detail.values(&mut self.sums);
        self.detector.operation(context, operation, &mut self.sums);
    }

    fn defect(&mut self, context: &mut FlowContext, defect: &Defect<'_>) {
        self.sums.defects += 1;
        self.sums.add(defect.kind as u64);
        self.detector.defect(context, defect, &mut self.sums);
    }
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
