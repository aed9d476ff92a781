//! Tests of what comes out, and what they share.
#![allow(clippy::unwrap_used, clippy::panic)]

mod counting;
mod folding;
mod lines;
mod writing;

use core::net::Ipv4Addr;
use std::io;
use std::sync::{Arc, Mutex};

use parsers::*;
use serde_json::Value as JsonValue;

use super::catalogue::FindingKind;
use super::control::ControlEvent;
use super::event::{Identity, ProfileId};
use super::event_log::{Folded, Journal, ShardLog};
use super::finding::Finding;
use super::output::Item;
use super::record::{Judgement, SensorEvent, StationEvent, StationState};
use super::roster::Roster;
use super::sinks::{Sinks, SinksConfig, Tally};
use super::snapshot::Snapshot;
use super::summary::Summary;
use super::vitals::Vitals;
use super::writer::{Destination, LogWriter, Stream, WhenFull, WriterFigures};
use crate::dispatch::Place;
use crate::site::Fact;
use crate::site::restarts::RestartSign;

pub(super) const T0: u64 = 1_700_000_000_000_000_000;

pub(super) fn end(last: u8, port: u16) -> Endpoint {
    Endpoint { host: Host::Ip(Ipv4Addr::new(10, 0, 0, last).into()), port }
}

pub(super) fn flow(id: u64) -> FlowInfo {
    FlowInfo {
        id,
        client: end(1, 40_000),
        server: end(2, 502),
        transport: Transport::Tcp,
        vlan: VlanStack::default(),
        client_mac: None,
        server_mac: None,
        port_side: Some(Direction::ToClient),
        coverage: Coverage::default(),
        late: None,
        passed: None,
        ethertype: 0,
    }
}

pub(super) fn identity() -> Identity {
    Identity {
        sensor: "bay 1 \"north\"".into(),
        profile: ProfileId { name: "substation".into(), version: "7".into(), hash: "00ff".into() },
        captures: vec!["a.pcap".into(), "b.pcap".into()],
    }
}

pub(super) struct Content<'a>(pub(super) &'a [Point<'a>]);

impl Detail for Content<'_> {
    fn octets(&self) -> &[u8] {
        &[0x05, 0x00, 0x03, 0xff, 0x00]
    }
    fn points(&self, visit: &mut dyn FnMut(&Point<'_>)) {
        self.0.iter().for_each(visit);
    }
    fn fields(&self, _sink: &mut dyn FieldSink) {}
}

pub(super) fn frame(number: u64) -> FrameRef {
    FrameRef { tap: 0, number }
}

/// A request by the flow's client to write a coil of unit 7.
pub(super) fn write_coil<'a>(flow: &'a FlowInfo, detail: &'a dyn Detail, at: u64) -> Operation<'a> {
    static COIL_3: [PointRange; 1] = [PointRange::one(PointKind::Coil, 3)];
    Operation {
        flow,
        direction: Direction::ToServer,
        origin: Origin { at: Timestamp(at), frame: frame(4), first_frame: frame(4) },
        protocol: Protocol::Modbus,
        exchange: Exchange::Request,
        from_master: true,
        station: StationAddress::Unit(7),
        master: StationAddress::None,
        action: Action::Write,
        function: Function { code: 5, sub: None, name: "write_single_coil" },
        requested: None,
        ranges: &COIL_3,
        more_ranges: false,
        outcome: Outcome::None,
        answers: None,
        sequence: 9,
        broadcast: false,
        wants_answer: true,
        body: &[],
        recovered: false,
        detail,
    }
}

/// A finding with everything set.
pub(super) fn finding(flow: Option<&FlowInfo>, kind: FindingKind, at: u64) -> Finding<'_> {
    static RANGES: [PointRange; 1] = [PointRange::one(PointKind::Coil, 3)];
    static FRAMES: [FrameRef; 2] = [FrameRef { tap: 0, number: 3 }, FrameRef { tap: 0, number: 4 }];
    Finding {
        kind,
        flow,
        protocol: Some(Protocol::Modbus),
        function: Some(Function { code: 5, sub: None, name: "write_single_coil" }),
        ranges: &RANGES,
        expected: format_args!("no control from this host"),
        observed: format_args!("coil 3 switched on"),
        frames: &FRAMES,
        octets: &[0xab; 70],
        fold_key: 5,
        ..Finding::about(Timestamp(at), end(1, 40_000), end(2, 502), StationAddress::Unit(7))
    }
}

/// One shard, its journal and the sinks, as on one thread.
pub(super) struct EventLog {
    shard: ShardLog,
    journal: Journal,
    sinks: Sinks,
    tally: Tally,
    act: u64,
}

impl EventLog {
    pub(super) fn new(identity: Identity, writer: Option<LogWriter>) -> EventLog {
        EventLog::with(SinksConfig { identity, writer, ..SinksConfig::default() }, &[])
    }

    pub(super) fn with(config: SinksConfig, stations: &[&str]) -> EventLog {
        let sinks = Sinks::new(config);
        let roster = Arc::new(Roster::named(stations));
        EventLog {
            shard: ShardLog::new(Arc::clone(&roster)),
            journal: sinks.journal(),
            sinks,
            tally: Tally::new(roster, None),
            act: 0,
        }
    }

    pub(super) fn with_windows(self, windows: usize) -> EventLog {
        EventLog { shard: self.shard.with_windows(windows), ..self }
    }

    fn then<T>(&mut self, act: impl FnOnce(&mut ShardLog, &mut Journal) -> T) -> T {
        self.act += 1;
        self.journal.out.enter(Place::of_shard(self.act, 0));
        let result = act(&mut self.shard, &mut self.journal);
        self.sinks.take(&mut [&mut self.journal.out]);
        result
    }

    pub(super) fn unit(&mut self, unit: &Unit<'_>) {
        self.shard.unit(unit);
    }

    pub(super) fn finding(&mut self, finding: &Finding<'_>) -> Folded {
        self.then(|shard, journal| shard.finding(journal, finding))
    }

    pub(super) fn operation(&mut self, operation: &Operation<'_>, judgement: &Judgement<'_>) {
        self.then(|shard, journal| shard.operation(journal, operation, judgement));
    }

    pub(super) fn defect(&mut self, defect: &Defect<'_>, station: Option<&str>) {
        self.shard.defect(defect, station);
    }

    pub(super) fn withheld(&mut self, kind: FindingKind) {
        self.shard.withheld(kind);
    }

    pub(super) fn station(&mut self, event: &StationEvent<'_>) {
        let name = event.station_name.map(Box::from);
        let event = StationEvent { station_name: None, ..*event };
        self.then(|_, journal| journal.out.tell(Item::Fact(Fact::Station { event, name })));
    }

    pub(super) fn restart(&mut self, sign: RestartSign) {
        self.then(|_, journal| journal.out.tell(Item::Fact(Fact::Restart(Box::new(sign)))));
    }

    pub(super) fn set_roster(&mut self, stations: &[&str]) {
        let roster = Arc::new(Roster::named(stations));
        self.shard.set_roster(Arc::clone(&roster));
        self.tally.set_roster(roster);
    }

    pub(super) fn station_state(&mut self, state: &StationState<'_>) {
        self.then(|shard, journal| shard.station_state(journal, state));
    }

    pub(super) fn control(&mut self, event: &ControlEvent<'_>) {
        self.then(|_, journal| journal.control(event));
    }

    pub(super) fn sensor(&mut self, event: &SensorEvent<'_>) {
        self.then(|_, journal| journal.sensor(event));
    }

    pub(super) fn tick(&mut self, now: Timestamp) {
        self.then(|shard, journal| shard.tick(journal, now));
    }

    pub(super) fn flush(&mut self) {
        self.sinks.flush();
    }

    pub(super) fn counted(&mut self) -> &Tally {
        self.tally.reset();
        self.tally.add(&self.shard);
        &self.tally
    }

    pub(super) fn snapshot(&mut self, vitals: &Vitals) -> Snapshot {
        self.counted();
        self.sinks.snapshot(&self.tally, vitals)
    }

    pub(super) fn folds_evicted(&self) -> u64 {
        self.shard.folds_evicted()
    }

    pub(super) fn writer_figures(&self) -> Option<WriterFigures> {
        self.sinks.writer_figures()
    }

    pub(super) fn has_failed(&self) -> bool {
        self.sinks.log_failed()
    }

    pub(super) fn sum_up(mut self, now: Timestamp, vitals: &Vitals) -> (Summary, io::Result<()>) {
        self.then(ShardLog::end);
        self.counted();
        self.sinks.finish(now, &self.tally, vitals)
    }

    pub(super) fn finish(self, now: Timestamp) -> (Option<WriterFigures>, io::Result<()>) {
        let (summary, result) = self.sum_up(now, &Vitals::default());
        (summary.events, result)
    }
}

/// Collects what is written.
#[derive(Clone, Default)]
pub(super) struct Collected(Arc<Mutex<Vec<u8>>>);

impl Collected {
    pub(super) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
    pub(super) fn lines(&self) -> Vec<JsonValue> {
        let text = self.text();
        assert!(text.is_empty() || text.ends_with('\n'), "every line is ended");
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
    pub(super) fn writer(&self) -> LogWriter {
        let stream: Box<dyn Destination> = Box::new(Stream(self.clone()));
        LogWriter::start(stream, 1 << 20, WhenFull::Block).unwrap()
    }
}

impl io::Write for Collected {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
