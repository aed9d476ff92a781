//! What comes out does not depend on who does the work: the event log, octet for octet, and the summary are
//! the same with one worker and with many, whatever is handed over together, live or replayed, also while
//! tables overflow.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use std::net::SocketAddr;
use std::sync::Arc;

use gridtap::capture::{Trouble, TroubleKind};
use gridtap::detect::DetectLimits;
use gridtap::monitor::{Sensor, SensorOptions};
use gridtap::report::sinks::SinksConfig;
use gridtap::report::vitals::Vitals;
use parsers::Timestamp;
use profiles::Compiled;
use proptest::prelude::*;
use simulators::encode::dnp3;
use simulators::encode::modbus::{Request, Response};
use simulators::wire::{Disturbance, Line, Segmentation, TcpTalk, TimedFrame};
use support::judge::{self, answer, ask, class_1, command, crob, report};
use support::{OwnedFrame, Random, captures, corpus, read};

const PROFILE: &str = r#"
[profile]
name = "site"
[hosts.scada]
address = "10.0.1.1"
[hosts.rtu]
address = "10.0.2.1"
[stations.pump]
protocol = "modbus"
host = "rtu"
unit_id = 5
[stations.feeder]
protocol = "dnp3"
host = "rtu"
link_address = 10
[[rules]]
name = "scada polls"
from = "scada"
to = ["pump", "feeder"]
allow = "read"
"#;

fn profile(text: &str) -> Arc<Compiled> {
    Arc::new(profiles::parse(text, "site.toml").unwrap_or_else(|errors| panic!("{errors}")))
}

#[derive(Debug, PartialEq)]
struct Outcome {
    log: String,
    summary: String,
    /// What the figures for `/metrics` rest on.
    vitals: Vitals,
}

/// What happens between two frames, by the number of the next one.
type Between<'a> = &'a dyn Fn(&mut Sensor, usize, &OwnedFrame);

fn nothing(_: &mut Sensor, _: usize, _: &OwnedFrame) {}

fn outcome(
    frames: &[OwnedFrame],
    options: &SensorOptions,
    allowed: Option<Arc<Compiled>>,
    between: Between<'_>,
) -> Outcome {
    let (log, config) = judge::sinks("a.pcap", allowed.as_deref());
    let mut sensor = Sensor::new(options, allowed, config);
    for (number, frame) in frames.iter().enumerate() {
        between(&mut sensor, number, frame);
        sensor.frame(&frame.as_frame());
    }
    sensor.finish();
    let vitals = sensor.vitals(Vec::new());
    let (summary, result) = sensor.close(&vitals);
    result.unwrap();
    Outcome { log: log.text(), summary: summary.to_json(), vitals }
}

fn with_workers(workers: usize) -> SensorOptions {
    SensorOptions { workers, ..SensorOptions::default() }
}

/// Everything small, so that a few hundred conversations overflow it.
fn tight(workers: usize) -> SensorOptions {
    let mut options = with_workers(workers);
    options.pipeline.flows.flows = 128;
    options.pipeline.flows.held_segments = 2;
    options.pipeline.sessions.pending_requests = 2;
    options.detect = DetectLimits { selects: 1, associations: 1, ..DetectLimits::default() };
    options.windows = 2;
    options
}

fn one(number: usize, random: &mut Random) -> Vec<Line> {
    let read = Request::Read(3, (number % 90) as u16, 4);
    let unit = random.below(7) as u8 + 1;
    let close = crob(random.below(4) as u8, 0x41);
    let pause = random.below(8_000_000_000) as u64;
    match random.below(8) {
        0 => vec![ask(1, unit, &Request::WriteRegister(12, 4711)), ask(2, unit, &read).after(pause)],
        1 => vec![answer(1, unit, &Response::Registers(3, vec![1, 2]))],
        2 => vec![
            command(10, &dnp3::request(1, 3, &close)),
            report(10, &dnp3::response(1, [0, 0], &close)),
            command(10, &dnp3::request(2, 4, &close)).after(pause),
        ],
        3 => vec![command(10, &dnp3::request(1, 4, &close)), Line::client(vec![0x55; 40])],
        4 => (0..5).map(|n| command(10, &dnp3::request(n, 13, &[])).after(pause / 4)).collect(),
        5 => (0..6)
            .flat_map(|n| {
                let values = Response::Registers(3, vec![n; 4]);
                [ask(n, unit, &read).after(pause / 8), answer(n, unit, &values)]
            })
            .collect(),
        // Reads that become known, and one of them between a select and its operate.
        6 => known_reads(&close, random, pause),
        _ => vec![
            command(10, &dnp3::request(3, 1, &class_1())),
            report(10, &dnp3::response(3, [0x80, 0], &class_1())).after(pause),
        ],
    }
}

/// Reads that become known, and one of them between a select and its operate.
fn known_reads(close: &[u8], random: &mut Random, pause: u64) -> Vec<Line> {
    let mut lines = Vec::new();
    for n in 0..6 {
        let asked = [class_1(), inputs()][random.below(2)].clone();
        let restarted = [0, 0x80][random.below(2)];
        lines.push(command(10, &dnp3::request(n, 1, &asked)).after(pause / 8));
        lines.push(report(10, &dnp3::response(n, [restarted, 0], &[])));
        lines.push(command(10, &dnp3::request(n, 0, &[])));
    }
    let between = [1, 0][random.below(2)];
    lines.push(command(10, &dnp3::request(7, 3, close)));
    lines.push(command(10, &dnp3::request(8, between, &class_1())));
    lines.push(command(10, &dnp3::request([8, 9][random.below(2)], 4, close)));
    lines
}

/// All binary inputs: group 1, the variation that the station prefers, qualifier 06.
fn inputs() -> Vec<u8> {
    vec![1, 0, 6]
}

/// Many hosts that talk across each other, over a tap that loses, doubles and disorders.
fn crowd(seed: u64, talks: usize) -> Vec<OwnedFrame> {
    let mut random = Random::new(seed);
    let mut frames: Vec<TimedFrame> = Vec::new();
    for number in 0..talks {
        let (master, station) = (random.below(9) as u8 + 1, random.below(23) as u8 + 1);
        let script: Vec<Line> = (0..=random.below(3)).flat_map(|n| one(number + n, &mut random)).collect();
        let port = if random.below(2) == 0 { 502 } else { 20_000 };
        let client = SocketAddr::from(([10, 0, 1, master], 30_000 + number as u16));
        let talk = TcpTalk::new(client, SocketAddr::from(([10, 0, 2, station], port)), script);
        let disturbance = Disturbance {
            seed: random.next(),
            segmentation: [Segmentation::Lines, Segmentation::Size(7)][random.below(2)],
            window: random.below(4),
            duplicate_percent: 5,
            drop_percent: [0, 0, 10][random.below(3)],
            ..Disturbance::default()
        };
        // Some in the same seconds, some after silence of hours.
        let later = [0, 0, 0, 7_200_000_000_000][random.below(4)] + random.below(90_000_000_000) as u64;
        let talk = TcpTalk {
            disturbance,
            handshake: random.below(4) > 0,
            close: random.below(3) > 0,
            start_ns: talk.start_ns + later,
            ..talk
        };
        frames.extend(talk.frames());
    }
    frames.sort_by_key(|frame| frame.at_ns);
    let owned = |(n, frame): (usize, TimedFrame)| OwnedFrame {
        at: Timestamp(frame.at_ns),
        number: n as u64 + 1,
        link: gridtap::capture::LinkType::Ethernet,
        wire_len: frame.bytes.len() as u32,
        bytes: frame.bytes,
    };
    frames.into_iter().enumerate().map(owned).collect()
}

fn assert_same(one: &Outcome, other: &Outcome, what: &str) {
    let differs = one.log.lines().zip(other.log.lines()).position(|(a, b)| a != b);
    if let Some(line) = differs {
        let of = |outcome: &Outcome| outcome.log.lines().nth(line).unwrap_or_default().to_owned();
        panic!("{what}: line {line} differs:\n{}\n{}", of(one), of(other));
    }
    assert_eq!(one.log.len(), other.log.len(), "{what}: one log is longer");
    assert_eq!(one.summary, other.summary, "{what}");
    assert_eq!(one.vitals, other.vitals, "{what}");
}

#[test]
fn every_capture_gives_the_same_with_any_number_of_workers() {
    let Some(corpus) = corpus("every_capture_gives_the_same_with_any_number_of_workers") else { return };
    let (mut lines, mut findings) = (0, 0);
    for path in captures(&corpus, &[]) {
        let frames = read(&path);
        let of = |workers| outcome(&frames, &with_workers(workers), Some(profile(PROFILE)), &nothing);
        let alone = of(1);
        lines += alone.log.lines().count();
        findings += alone.log.matches("\"event\":\"finding\"").count();
        for workers in [2, 8] {
            assert_same(&alone, &of(workers), &format!("{} with {workers} workers", path.display()));
        }
    }
    assert!(lines > 10_000 && findings > 100, "{lines} lines, {findings} findings");
}

#[test]
fn full_tables_give_the_same_with_any_number_of_workers() {
    let frames = crowd(1, 900);
    let of = |workers| outcome(&frames, &tight(workers), Some(profile(PROFILE)), &nothing);
    let alone = of(1);
    // All of it really overflows.
    let full = |name: &str| {
        let lists =
            [&alone.vitals.tables_full, &alone.vitals.flow_evictions, &alone.vitals.reassembly_dropped];
        lists.into_iter().flatten().find(|(n, _)| *n == name).map_or(0, |(_, count)| *count)
    };
    for name in ["selects_not_remembered", "associations_not_remembered", "capacity", "held_overflow"] {
        assert!(full(name) > 0, "{name}: {:?}", alone.vitals);
    }
    for what in ["flows_evicted", "selects_forgotten", "stream_gaps", "one_way_flows"] {
        assert!(alone.log.contains(&format!("\"what\":\"{what}\"")), "{what} is told");
    }
    for workers in [2, 3, 8, 16] {
        assert_same(&alone, &of(workers), &format!("{workers} workers"));
    }
}

/// Every read judged, however often the same came before.
fn unremembered(options: SensorOptions) -> SensorOptions {
    let detect = DetectLimits { reads_known: 0, ..options.detect };
    SensorOptions { detect, ..options }
}

#[test]
fn a_read_that_is_known_comes_to_the_same_as_one_that_is_judged() {
    let Some(corpus) = corpus("a_read_that_is_known_comes_to_the_same_as_one_that_is_judged") else { return };
    for path in captures(&corpus, &["modbus", "dnp3", "iec104"]) {
        let frames = read(&path);
        for allowed in [None, Some(profile(PROFILE))] {
            let of = |options| outcome(&frames, &options, allowed.clone(), &nothing);
            let judged = of(unremembered(with_workers(1)));
            assert_same(&of(with_workers(1)), &judged, &format!("{}", path.display()));
        }
    }
}

#[test]
fn losses_and_another_profile_reach_all_shards_at_the_same_frame() {
    let frames = crowd(2, 300);
    let other = PROFILE.replace("\"read\"", "[\"read\", \"write\"]").replace("\"site\"", "\"site 2\"");
    let third = frames.len() / 3;
    let between = |sensor: &mut Sensor, number: usize, _: &OwnedFrame| {
        if number == third {
            let trouble = Trouble { tap: 0, kind: TroubleKind::KernelDrops(7) };
            sensor.tell_trouble(&["a.pcap".to_owned()], &[trouble]);
        }
        if number == 2 * third {
            sensor.set_profile(Some(profile(&other)));
        }
    };
    let of = |workers| outcome(&frames, &with_workers(workers), Some(profile(PROFILE)), &between);
    let alone = of(1);
    assert!(alone.log.contains("\"what\":\"frames_dropped\"") && alone.log.contains("\"drops\":true"));
    assert!(alone.log.contains("{\"name\":\"site\"") && alone.log.contains("{\"name\":\"site 2\""));
    for workers in [2, 8] {
        assert_same(&alone, &of(workers), &format!("{workers} workers"));
    }
}

#[test]
fn workers_are_threads_and_one_worker_needs_none() {
    let names = || {
        let tasks = std::fs::read_dir("/proc/self/task").unwrap();
        let name = |task: std::io::Result<std::fs::DirEntry>| {
            std::fs::read_to_string(task.ok()?.path().join("comm")).ok()
        };
        tasks.filter_map(name).collect::<Vec<_>>()
    };
    // Other tests of this program have workers too, but never the fifteenth.
    let runs = |names: &[String]| names.iter().any(|name| name.trim() == "worker-14");
    let mut alone = Sensor::new(&with_workers(1), None, SinksConfig::default());
    alone.start().unwrap();
    assert!(!runs(&names()));
    let mut many = Sensor::new(&with_workers(15), None, SinksConfig::default());
    many.start().unwrap();
    // A thread names itself when it begins to run.
    let begun = std::time::Instant::now();
    while !runs(&names()) && begun.elapsed().as_secs() < 10 {
        std::thread::yield_now();
    }
    assert!(runs(&names()));
    drop(many);
    assert!(!runs(&names()), "they end with their sensor");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Whatever came before, under a profile, another, and none; while tables overflow, and while they do not.
    #[test]
    fn reads_that_are_known_come_to_the_same_as_those_judged(seed in 1000_u64..2000, full in any::<bool>()) {
        let frames = crowd(seed, 120);
        let scheduled = format!("{PROFILE}schedule = \"early\"\n[schedules.early]\ndays = \"mon-sun\"\nhours = \"00:00-12:00\"\n");
        let half = frames.len() / 2;
        let between = |sensor: &mut Sensor, number: usize, _: &OwnedFrame| {
            if number == half {
                sensor.set_profile((seed % 3 > 0).then(|| profile(&scheduled)));
            }
        };
        let options = || if full { tight(1) } else { with_workers(1) };
        let first = (seed % 2 == 0).then(|| profile(PROFILE));
        let judged = outcome(&frames, &unremembered(options()), first.clone(), &between);
        assert_same(&outcome(&frames, &options(), first, &between), &judged, "known and judged");
    }

    /// Packets are handed over in rounds of any length, and a live sensor hears of pauses, is asked for its
    /// figures and flushed at any time.
    #[test]
    fn batches_and_pauses_change_nothing(
        seed in 0_u64..1000,
        workers in 1_usize..6,
        round in 1_usize..400,
        by_time in any::<bool>(),
        pauses in 1_usize..40,
    ) {
        let frames = crowd(seed, 60);
        let expected = outcome(&frames, &tight(1), Some(profile(PROFILE)), &nothing);
        let round_ns = by_time.then_some(50_000_000);
        let options = SensorOptions { round, round_ns, ..tight(workers) };
        let live = |sensor: &mut Sensor, number: usize, next: &OwnedFrame| {
            if !number.is_multiple_of(pauses) || number == 0 {
                return;
            }
            // All frames up to this time have been handed out.
            let before = frames[number - 1].at.0;
            let gap = next.at.0.saturating_sub(before);
            for part in 1..4 {
                sensor.idle(Timestamp(before + gap / 4 * part));
            }
            if number.is_multiple_of(3) {
                sensor.flush();
                let vitals = sensor.vitals(Vec::new());
                sensor.publish(&vitals);
            }
        };
        let seen = outcome(&frames, &options, Some(profile(PROFILE)), &live);
        assert_same(&expected, &seen, &format!("{workers} workers, rounds of {round}"));
    }
}
