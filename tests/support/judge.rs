//! From scripts of lines to what the event log says of them: the tests of findings speak this.
#![allow(clippy::indexing_slicing)]

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use gridtap::capture::{Frame, LinkType, Trouble, TroubleKind};
use gridtap::learn::{Learned, Learner};
use gridtap::monitor::{Sensor, SensorOptions};
use gridtap::pipeline::{Pipeline, PipelineOptions};
use gridtap::report::catalogue::{CATALOGUE, FindingKind};
use gridtap::report::record::OperationsLog;
use gridtap::report::sinks::SinksConfig;
use gridtap::report::writer::{Destination, LogWriter, Stream, WhenFull};
use gridtap::report::{Identity, ProfileId};
use parsers::{FrameRef, Timestamp};
use profiles::Compiled;
use serde_json::Value;
use simulators::encode::dnp3::{self, Header, Prefix, Range, Sample, control, object};
use simulators::encode::modbus::{Request, Response, mbap};
use simulators::value::Value as Datum;
use simulators::wire::{Line, Side, TcpTalk, TimedFrame};

/// A profile of the substation of these tests: its master 10.10.0.1, its host 10.10.0.20, and more.
#[macro_export]
macro_rules! substation {
    ($more:literal) => {
        concat!(
            "[profile]\nname = \"North substation\"\n",
            "[hosts.scada]\naddress = \"10.10.0.1\"\n[hosts.rtu]\naddress = \"10.10.0.20\"\n",
            $more
        )
    };
}

/// A pump and a feeder behind its host, and one rule, so that everything else is denied.
pub const PUMP_AND_FEEDER: &str = crate::substation!(
    r#"
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
points = ["holding_register 0-99", "class_data 0-3"]
"#
);

pub fn address(last: u8, port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 10, 0, last)), port)
}

// ---- What is said ----

pub fn ask(transaction: u16, unit: u8, request: &Request) -> Line {
    Line::client(mbap(transaction, unit, &request.pdu()))
}

pub fn answer(transaction: u16, unit: u8, response: &Response) -> Line {
    Line::server(mbap(transaction, unit, &response.pdu()))
}

pub fn command(station: u16, fragment: &[u8]) -> Line {
    Line::client(dnp3::frames(control::MASTER_DATA, station, 1, fragment))
}

pub fn report(station: u16, fragment: &[u8]) -> Line {
    Line::server(dnp3::frames(control::OUTSTATION_DATA, 1, station, fragment))
}

/// A control of one point: 0x41 closes, 0x81 trips.
pub fn crob(index: u8, code: u8) -> Vec<u8> {
    let sample = Sample { value: Datum::Crob(code, 1, 100, 0), flags: 1, status: 0, time_ms: 0, base_ms: 0 };
    let header = Header::prefixed(12, 1, Prefix::Index8, Range::Count8(1));
    [header.encode(), vec![index], object(12, 1, &sample)].concat()
}

pub fn class_1() -> Vec<u8> {
    Header::new(60, 2, Range::All).encode()
}

// ---- How it is carried ----

pub fn modbus(script: Vec<Line>) -> TcpTalk {
    TcpTalk::new(address(1, 40_000), address(20, 502), script)
}

pub fn dnp3(script: Vec<Line>) -> TcpTalk {
    TcpTalk::new(address(1, 40_000), address(20, 20_000), script)
}

/// The capture begins in the middle.
pub fn midstream(talk: TcpTalk) -> Vec<TimedFrame> {
    TcpTalk { handshake: false, ..talk }.frames()
}

/// Only what this side sends is seen.
pub fn one_way(talk: &TcpTalk, side: Side) -> Vec<TimedFrame> {
    let from = if side == Side::Client { talk.client } else { talk.server };
    let IpAddr::V4(ip) = from.ip() else { panic!("IPv4 only") };
    talk.frames().into_iter().filter(|f| f.bytes[26..30] == ip.octets()).collect()
}

// ---- What comes out ----

#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    pub fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Everything is logged, and the log can be read.
pub fn sinks(capture: &str, profile: Option<&Compiled>) -> (Log, SinksConfig) {
    let log = Log::default();
    let stream: Box<dyn Destination> = Box::new(Stream(log.clone()));
    let config = SinksConfig {
        identity: Identity {
            sensor: "test".into(),
            captures: vec![capture.into()],
            profile: ProfileId::of(profile),
        },
        operations: OperationsLog::All,
        writer: Some(LogWriter::start(stream, 1 << 20, WhenFull::Block).unwrap()),
        ..SinksConfig::default()
    };
    (log, config)
}

pub struct Outcome {
    /// First lines of findings; the summaries of folded repeats are left out.
    pub findings: Vec<Value>,
    /// The whole log.
    pub text: String,
    pub withheld: Vec<(FindingKind, u64)>,
    /// How often each was raised, repeats included.
    pub raised: Vec<(FindingKind, u64)>,
}

impl Outcome {
    pub fn of(&self, kind: FindingKind) -> Vec<&Value> {
        self.findings.iter().filter(|f| f["kind"] == kind.name()).collect()
    }
    pub fn withheld(&self, kind: FindingKind) -> u64 {
        self.withheld.iter().find(|(k, _)| *k == kind).map_or(0, |(_, count)| *count)
    }
    pub fn raised(&self, kind: FindingKind) -> u64 {
        self.raised.iter().find(|(k, _)| *k == kind).map_or(0, |(_, count)| *count)
    }
    pub fn kinds(&self) -> Vec<&str> {
        self.findings.iter().map(|f| f["kind"].as_str().unwrap()).collect()
    }
}

/// What these frames teach.
pub fn learned(frames: &[TimedFrame]) -> Learned {
    let mut pipeline = Pipeline::new(&PipelineOptions::default(), Learner::default());
    for (number, frame) in frames.iter().enumerate() {
        pipeline.frame(&Frame {
            at: Timestamp(frame.at_ns),
            place: FrameRef { tap: 0, number: number as u64 + 1 },
            link: LinkType::Ethernet,
            wire_len: u32::try_from(frame.bytes.len()).unwrap(),
            bytes: &frame.bytes,
        });
    }
    pipeline.finish();
    let learner = pipeline.into_consumer();
    Learned::new(&learner, "test".into(), vec!["test.pcap".into()], frames.len() as u64)
}

/// Through the whole pipeline, the monitor and the event log; the same with one worker and with several.
pub fn judged(frames: &[TimedFrame], profile: Option<&str>, capture: &str) -> Outcome {
    judged_losing(&[], frames, profile, capture)
}

/// The same, and the tap loses packets just before the first frame at or after each of these times.
pub fn judged_losing(drops: &[u64], frames: &[TimedFrame], profile: Option<&str>, capture: &str) -> Outcome {
    judged_changing(&[], drops, frames, profile, capture)
}

/// The same, and these profiles come into force just before the first frame at or after each of these times.
pub fn judged_changing(
    profiles: &[(u64, &str)],
    drops: &[u64],
    frames: &[TimedFrame],
    profile: Option<&str>,
    capture: &str,
) -> Outcome {
    let outcome = judged_by(1, (profiles, drops), frames, profile, capture);
    let again = judged_by(3, (profiles, drops), frames, profile, capture);
    assert_eq!(outcome.text, again.text, "the number of workers makes a difference");
    assert_eq!(outcome.withheld, again.withheld, "the number of workers makes a difference");
    assert_eq!(outcome.raised, again.raised, "the number of workers makes a difference");
    outcome
}

/// The same by so many workers.
pub fn judged_by(
    workers: usize,
    (profiles, drops): (&[(u64, &str)], &[u64]),
    frames: &[TimedFrame],
    profile: Option<&str>,
    capture: &str,
) -> Outcome {
    let (log, config) = sinks(capture, None);
    let parse = |text: &str| profiles::parse(text, "site.toml").unwrap_or_else(|errors| panic!("{errors}"));
    let profile = profile.map(parse);
    let options = SensorOptions { workers, ..SensorOptions::default() };
    let mut sensor = Sensor::new(&options, profile.map(Arc::new), config);
    let (mut drops, mut changes) = (drops.iter().peekable(), profiles.iter().peekable());
    for (number, frame) in frames.iter().enumerate() {
        while drops.next_if(|drop| **drop <= frame.at_ns).is_some() {
            let trouble = Trouble { tap: 0, kind: TroubleKind::KernelDrops(7) };
            sensor.tell_trouble(&[capture.to_owned()], &[trouble]);
        }
        while let Some((_, text)) = changes.next_if(|(at, _)| *at <= frame.at_ns) {
            sensor.set_profile(Some(Arc::new(parse(text))));
        }
        sensor.frame(&Frame {
            at: Timestamp(frame.at_ns),
            place: FrameRef { tap: 0, number: number as u64 + 1 },
            link: LinkType::Ethernet,
            wire_len: u32::try_from(frame.bytes.len()).unwrap(),
            bytes: &frame.bytes,
        });
    }
    sensor.finish();
    let vitals = sensor.vitals(Vec::new());
    let counters = &sensor.tally().counters;
    let withheld = CATALOGUE.iter().map(|kind| (*kind, counters.withheld_of(*kind))).collect();
    let raised = CATALOGUE.iter().map(|kind| (*kind, counters.findings_of(*kind))).collect();
    sensor.close(&vitals).1.unwrap();
    let text = log.text();
    let findings = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|line| line["event"] == "finding" && line["count"] == 1)
        .collect();
    Outcome { findings, text, withheld, raised }
}
