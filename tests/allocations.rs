//! In the steady state the whole way from frame to verdict allocates nothing: not per packet, not per
//! operation, not per value; whether segments bring whole PDUs or single octets.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::net::SocketAddr;

use gridtap::capture::{Frame, LinkType};
use gridtap::detect::{Detector, FindingSink};
use gridtap::pipeline::{Consumer, FlowContext, Pipeline, PipelineOptions};
use gridtap::report::finding::Finding;
use parsers::{Defect, FrameRef, Operation, Timestamp, Value};
use simulators::encode::dnp3::{self, Header, Prefix, Range, Sample, control, object};
use simulators::encode::modbus::{Request, Response, mbap};
use simulators::wire::{Disturbance, Line, Segmentation, TcpTalk, TimedFrame};

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

struct Counting;

fn count() {
    ALLOCATIONS.with(|n| n.set(n.get() + 1));
}

// SAFETY: hands everything on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promise is handed on.
        unsafe { System.alloc(layout) }
    }
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promise is handed on.
        unsafe { System.alloc_zeroed(layout) }
    }
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller's promise is handed on.
        unsafe { System.realloc(pointer, layout, size) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is handed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

const PROFILE: &str = r#"
[profile]
name = "polls"
version = "1"

[hosts.master]
address = "10.0.0.1"

[stations.METER]
protocol = "modbus"
host = "10.0.0.2"
unit_id = 5

[stations.FEEDER]
protocol = "dnp3"
host = "10.0.0.2"
link_address = 10

[stations.FEEDER.points.breaker]
point = "binary_output 5"
max_rate = "1000 per second"

[[rules]]
name = "everything"
from = "master"
to = ["METER", "FEEDER"]
allow = ["read", "report", "write", "direct_operate"]
"#;

/// Judges, looks at every value, and keeps nothing.
struct Judge {
    detector: Detector,
    sums: Sums,
}

#[derive(Default, Clone, Copy, Debug)]
struct Sums {
    operations: u64,
    points: u64,
    defects: u64,
    findings: u64,
    checksum: u64,
}

impl FindingSink for Sums {
    fn finding(&mut self, _: &Finding<'_>) {
        self.findings += 1;
    }
}

impl Consumer for Judge {
    fn operation(&mut self, context: &mut FlowContext, operation: &Operation<'_>) {
        self.sums.operations += 1;
        let sums = &mut self.sums;
        operation.detail.points(&mut |point| {
            sums.points += 1;
            if let Value::Unsigned(value) = point.value {
                sums.checksum = sums.checksum.wrapping_mul(31).wrapping_add(value);
            }
        });
        self.detector.operation(context, operation, &mut self.sums);
    }

    fn defect(&mut self, context: &mut FlowContext, defect: &Defect<'_>) {
        self.sums.defects += 1;
        self.detector.defect(context, defect, &mut self.sums);
    }
}

fn modbus_round(n: u16) -> Vec<Line> {
    let write = Request::WriteRegister(12, 4711);
    let exchanges = [
        (Request::Read(3, 100, 60), Response::Registers(3, (0..60).collect())),
        (write.clone(), Response::Echo(Box::new(write))),
        (Request::WriteRegisters(40, vec![1, 2, 3]), Response::Written(16, 40, 3)),
        (Request::Read(4, 0, 125), Response::Registers(4, vec![n; 125])),
    ];
    let mut lines = Vec::new();
    for (i, (request, response)) in exchanges.iter().enumerate() {
        let transaction = n.wrapping_mul(4).wrapping_add(i as u16);
        lines.push(Line::client(mbap(transaction, 5, &request.pdu())));
        lines.push(Line::server(mbap(transaction, 5, &response.pdu())));
    }
    lines
}

fn dnp3_round(n: u16) -> Vec<Line> {
    let sample = |value| Sample { value, flags: 1, status: 0, time_ms: 0, base_ms: 0 };
    let classes: Vec<u8> =
        [2, 3, 4, 1].iter().flat_map(|v| Header::new(60, *v, Range::All).encode()).collect();
    // Several link frames and transport segments.
    let mut analogs = Header::new(30, 1, Range::Points16(0, 119)).encode();
    for i in 0..120 {
        analogs.extend_from_slice(&object(30, 1, &sample(simulators::Value::Signed(i * 1000))));
    }
    let mut crob = Header::prefixed(12, 1, Prefix::Index8, Range::Count8(1)).encode();
    crob.push(5);
    crob.extend_from_slice(&object(12, 1, &sample(simulators::Value::Crob(0x41, 1, 100, 0))));
    let (first, second) = ((n * 2 % 16) as u8, (n * 2 % 16) as u8 + 1);
    let ask = |fragment: Vec<u8>| Line::client(dnp3::frames(control::MASTER_DATA, 10, 1, &fragment));
    let answer = |fragment: Vec<u8>| Line::server(dnp3::frames(control::OUTSTATION_DATA, 1, 10, &fragment));
    vec![
        ask(dnp3::request(first, 1, &classes)),
        answer(dnp3::response(first, [0, 0], &analogs)),
        ask(dnp3::request(second, 5, &crob)),
        answer(dnp3::response(second, [0, 0], &crob)),
    ]
}

/// `rounds` rounds of both protocols, cut as told.
fn frames(rounds: u16, segmentation: Segmentation) -> Vec<TimedFrame> {
    let disturbance = Disturbance { segmentation, ..Disturbance::default() };
    let talk = |client: u16, server: u16, script: Vec<Line>| {
        let ends = [(1, client), (2, server)].map(|(host, port)| SocketAddr::from(([10, 0, 0, host], port)));
        TcpTalk { disturbance, close: false, ..TcpTalk::new(ends[0], ends[1], script) }.frames()
    };
    let mut all = talk(40_001, 502, (0..rounds).flat_map(modbus_round).collect());
    // Half as many lines: twice the time between them.
    let dnp3 = (0..rounds).flat_map(dnp3_round).map(|line| line.after(2_000_000)).collect();
    all.extend(talk(40_002, 20_000, dnp3));
    all.sort_by_key(|frame| frame.at_ns);
    all
}

/// Allocations and sums of what comes after the warm-up.
fn allocations_after(warm_up: u16, rounds: u16, segmentation: Segmentation) -> (u64, Sums, usize) {
    let profile = profiles::parse(PROFILE, "polls.toml").unwrap_or_else(|d| panic!("{d}"));
    let judge = Judge { detector: Detector::new(Some(profile)), sums: Sums::default() };
    let mut pipeline = Pipeline::new(&PipelineOptions::default(), judge);
    let frames = frames(warm_up + rounds, segmentation);
    let split = frames.len() * usize::from(warm_up) / usize::from(warm_up + rounds);
    let mut before = (0, Sums::default());
    for (n, frame) in frames.iter().enumerate() {
        if n == split {
            before = (ALLOCATIONS.with(Cell::get), pipeline.consumer().sums);
        }
        pipeline.frame(&Frame {
            at: Timestamp(frame.at_ns),
            place: FrameRef { tap: 0, number: n as u64 + 1 },
            link: LinkType::from_number(1),
            wire_len: frame.bytes.len() as u32,
            bytes: &frame.bytes,
        });
    }
    let allocations = ALLOCATIONS.with(Cell::get) - before.0;
    assert!(before.0 > 0, "the counter counts");
    let mut sums = pipeline.consumer().sums;
    assert_eq!((sums.defects, sums.findings), (0, 0), "everything is allowed and sound: {sums:?}");
    assert_eq!(pipeline.flow_counters().gaps, 0);
    sums.operations -= before.1.operations;
    sums.points -= before.1.points;
    (allocations, sums, frames.len() - split)
}

fn check(segmentation: Segmentation) {
    let (allocations, sums, packets) = allocations_after(200, 400, segmentation);
    assert!(sums.operations > 400 * 11, "{sums:?}");
    assert!(sums.points > 400 * 300, "{sums:?}");
    assert_eq!(allocations, 0, "in {packets} packets and {} operations", sums.operations);
}

#[test]
fn whole_pdus_allocate_nothing() {
    check(Segmentation::Lines);
}

#[test]
fn pdus_in_pieces_allocate_nothing() {
    check(Segmentation::Size(11));
}

#[test]
fn single_octets_allocate_nothing() {
    check(Segmentation::Size(1));
}
