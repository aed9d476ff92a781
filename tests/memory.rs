//! State is bounded: 200,000 conversations between hosts, units and links drawn at random, each with a request
//! that nobody answers, twice as many as the flow table has room for. What the sensor holds stays within what
//! its limits allow, and what found no room is told in the event log and in the metrics.
//!
//! The allocator counts, so nothing else may run in this process: one test only.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::io;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use gridtap::capture::{Frame, LinkType};
use gridtap::monitor::{Sensor, SensorOptions};
use gridtap::report::Identity;
use gridtap::report::record::OperationsLog;
use gridtap::report::sinks::SinksConfig;
use gridtap::report::snapshot::Published;
use gridtap::report::writer::{Destination, LogWriter, Stream, WhenFull};
use gridtap::serve::metrics::{exposition, registry};
use parsers::{FrameRef, Timestamp};
use simulators::encode::dnp3::{self, Header, Range, control};
use simulators::encode::modbus::{Request, mbap};
use simulators::wire::{Ipv4, Layer, START_NS, Tcp, build};

/// Octets allocated now, and the most there were.
static NOW: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

struct Counting;

fn grown(octets: usize) {
    let now = NOW.fetch_add(octets, Relaxed) + octets;
    PEAK.fetch_max(now, Relaxed);
}

// SAFETY: hands everything on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        grown(layout.size());
        // SAFETY: the caller's promise is handed on.
        unsafe { System.alloc(layout) }
    }
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        grown(layout.size());
        // SAFETY: the caller's promise is handed on.
        unsafe { System.alloc_zeroed(layout) }
    }
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        grown(size);
        NOW.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller's promise is handed on.
        unsafe { System.realloc(pointer, layout, size) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller's promise is handed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// Conversations; the flow table holds half as many.
const CONVERSATIONS: u64 = 200_000;
/// What a flow with one open request may cost, with its place in all tables.
const FLOW_OCTETS: usize = 2304;
/// What all other tables may hold together when they are full: pairs, watches, hosts, callers, series.
const TABLES_OCTETS: usize = 96 << 20;

/// Numbers as random as the test needs, the same every time.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }
}

/// A connection of one random host to another, with a request to a random unit or link address.
fn conversation(n: u64, random: &mut Random) -> [Vec<u8>; 2] {
    let [a, b, c] = [random.next(), random.next(), random.next()];
    let client = Ipv4Addr::from(0x0a00_0000 | (a as u32 & 0x00ff_ffff));
    let server = Ipv4Addr::from(0xac10_0000 | (b as u32 & 0x000f_ffff));
    let (port, request) = if n.is_multiple_of(2) {
        (502, mbap(c as u16, (c >> 16) as u8, &Request::Read(3, (c >> 24) as u16, 10).pdu()))
    } else {
        let classes = Header::new(60, 2, Range::All).encode();
        let fragment = dnp3::request((c >> 16) as u8 % 16, 1, &classes);
        (20_000, dnp3::frames(control::MASTER_DATA, c as u16 % 65_000, 1, &fragment))
    };
    let segment = |seq: u32, flags: u8, payload: &[u8]| {
        let mac = |ip: Ipv4Addr| [2, 0, ip.octets()[0], ip.octets()[1], ip.octets()[2], ip.octets()[3]];
        let layers = [
            Layer::Ethernet { dst: mac(server), src: mac(client) },
            Layer::Ipv4(Ipv4 { id: n as u16, ..Ipv4::new(client, server) }),
            Layer::Tcp(Tcp {
                src: 1024 + (a >> 24) as u16 % 60_000,
                dst: port,
                seq,
                flags,
                ..Tcp::default()
            }),
        ];
        build(&layers, payload)
    };
    [segment(1000, 2, &[]), segment(1001, 0x18, &request)]
}

/// Keeps what the sensor says of itself.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<String>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut kept = self.0.lock().unwrap();
        for line in String::from_utf8_lossy(bytes).lines().filter(|l| l.contains("\"event\":\"sensor\"")) {
            kept.push_str(line);
            kept.push('\n');
        }
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn hosts_and_units_without_end_stay_within_the_limits_and_are_told() {
    let log = Log::default();
    let stream: Box<dyn Destination> = Box::new(Stream(log.clone()));
    let published = Arc::new(Published::new());
    let config = SinksConfig {
        identity: Identity { sensor: "test".into(), captures: vec!["random".into()], ..Identity::default() },
        operations: OperationsLog::None,
        writer: Some(LogWriter::start(stream, 1 << 20, WhenFull::Block).unwrap()),
        published: Some(Arc::clone(&published)),
    };
    let options = SensorOptions::default();
    let flows = options.pipeline.flows.flows;
    assert!(CONVERSATIONS >= 2 * flows as u64);
    let before = NOW.load(Relaxed);
    let mut sensor = Sensor::new(&options, None, config);
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let mut number = 0;
    let mut half = 0;
    for n in 0..CONVERSATIONS {
        if n == flows as u64 / 2 {
            half = NOW.load(Relaxed);
        }
        for bytes in conversation(n, &mut random) {
            number += 1;
            sensor.frame(&Frame {
                at: Timestamp(START_NS + number * 500_000),
                place: FrameRef { tap: 0, number },
                link: LinkType::Ethernet,
                wire_len: u32::try_from(bytes.len()).unwrap(),
                bytes: &bytes,
            });
        }
    }
    let (now, peak) = (NOW.load(Relaxed) - before, PEAK.load(Relaxed) - before);
    println!("{} octets, {} at the most; {} with {} flows", now, peak, half - before, flows / 2);
    let most = flows * FLOW_OCTETS + TABLES_OCTETS;
    assert!(peak <= most, "{peak} octets at the most, {most} allowed");
    let vitals = sensor.vitals(Vec::new());
    sensor.publish(&vitals);
    let metrics = exposition(&registry(published).unwrap()).unwrap();
    sensor.finish();
    let vitals = sensor.vitals(Vec::new());
    sensor.close(&vitals).1.unwrap();
    let log = log.0.lock().unwrap();
    for told in ["flows_evicted", "associations_forgotten", "scans_unwatched", "hosts_forgotten"] {
        assert!(log.contains(&format!("\"{told}\"")), "{told} is not told:\n{log}");
    }
    let value = |series: &str| -> f64 {
        let line = metrics.lines().find_map(|line| line.strip_prefix(series));
        line.unwrap_or_else(|| panic!("no {series} in\n{metrics}")).trim().parse().unwrap()
    };
    let evicted = value("gridtap_flow_evictions_total{reason=\"capacity\"}");
    assert!(evicted >= (CONVERSATIONS - flows as u64) as f64 * 0.9, "{evicted}");
    for table in ["associations_not_remembered", "scans_not_watched", "hosts_not_remembered"] {
        assert!(value(&format!("gridtap_tables_full_total{{table=\"{table}\"}}")) > 0.0, "{table}");
    }
}
