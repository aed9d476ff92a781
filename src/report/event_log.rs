//! The event log of a shard: findings, operations and stations become lines of JSON; repeats are folded.
//!
//! Rendered on the thread that works on the shard, into its [`Output`]. What lines have in common is in the
//! thread's [`Journal`]; what belongs to pairs of hosts (counters, windows of repeats, identities of findings)
//! in the [`ShardLog`], so that nothing of it depends on other shards.

use std::sync::Arc;

use foldhash::quality::RandomState;
use hashbrown::HashMap;
use parsers::{Action, Defect, Endpoint, Host, Operation, StationAddress, Timestamp, Unit};
use profiles::Compiled;
use sha2::{Digest, Sha256};

use super::catalogue::FindingKind;
use super::control::ControlEvent;
use super::counters::Counters;
use super::event::{Common, Identity, ProfileId, finding_body, head, sensor_line, station_line};
use super::event_control::control_line;
use super::event_operation::{FlowParts, is_logged, operation_line};
use super::finding::Finding;
use super::fold::{FOLD_WINDOW_NS, FOLD_WINDOWS, FoldTable, Window};
use super::json::Json;
use super::output::{Item, Output};
use super::point_values::PointReading;
use super::publication::{PublicationEvent, publication_line};
use super::record::{Judgement, OperationsLog, SensorEvent, StationEvent, StationState};
use super::roster::Roster;
use super::writer::Weight;
use crate::detect::FindingSink;
use crate::site::Fact;
use crate::site::redundancy::Sign;
use crate::site::restarts::RestartSign;

/// Findings of a shard whose identity is remembered, so that equal ones are told apart.
const UIDS_KEPT: usize = 1024;

/// What became of a finding.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub enum Folded {
    /// The first of its kind in its window; it was written.
    First,
    /// A repeat; it was counted.
    Repeat,
}

/// What the lines of one thread have in common, and where they go.
#[derive(Debug)]
pub struct Journal {
    pub(super) common: Arc<Common>,
    /// Whether lines go anywhere; otherwise repeats are folded and counted only.
    kept: bool,
    operations: OperationsLog,
    /// What was said.
    pub out: Output,
    scratch: Json,
}

impl Journal {
    pub(super) fn new(common: Arc<Common>, kept: bool, operations: OperationsLog) -> Journal {
        Journal { common, kept, operations, out: Output::default(), scratch: Json::new() }
    }

    /// Whether an operation of this class becomes a line.
    #[inline]
    pub(crate) fn logs(&self, action: Action) -> bool {
        self.kept && is_logged(self.operations, action)
    }

    /// Another profile is in force.
    pub fn set_profile(&mut self, profile: Option<&Compiled>) {
        let identity = Identity { profile: ProfileId::of(profile), ..self.common.identity.clone() };
        self.common = Arc::new(Common::new(identity));
    }

    /// Write something about a station.
    fn station(&mut self, event: &StationEvent<'_>) {
        if self.kept {
            station_line(self.out.json(), &self.common, event);
            self.out.line_done(Weight::Common);
        }
    }

    /// Whether what became of a control becomes a line.
    fn logs_controls(&self) -> bool {
        self.kept && self.operations != OperationsLog::None
    }

    /// Write what became of a control, unless operations are not logged.
    pub fn control(&mut self, event: &ControlEvent<'_>) {
        if self.logs_controls() {
            control_line(self.out.json(), &self.common, event);
            self.out.line_done(Weight::Common);
        }
    }

    /// Write what happened to a publisher, unless operations are not logged.
    pub fn publication(&mut self, event: &PublicationEvent<'_>) {
        if self.kept && self.operations != OperationsLog::None {
            publication_line(self.out.json(), &self.common, event);
            self.out.line_done(Weight::Common);
        }
    }

    /// Write something about the sensor itself.
    pub fn sensor(&mut self, event: &SensorEvent<'_>) {
        if self.kept {
            sensor_line(self.out.json(), &self.common, event);
            self.out.line_done(Weight::Precious);
        }
    }
}

/// What is kept of a shard's events and counted in it.
#[derive(Debug)]
pub struct ShardLog {
    counters: Counters,
    flows: FlowParts,
    folds: FoldTable,
    uids: HashMap<[u8; 16], u32, RandomState>,
}

impl ShardLog {
    /// Nothing seen yet; for the stations of a profile, by [`Judgement::station`].
    pub fn new(roster: Arc<Roster>) -> ShardLog {
        ShardLog {
            counters: Counters::new(roster),
            flows: FlowParts::new(),
            folds: FoldTable::new(FOLD_WINDOWS, FOLD_WINDOW_NS),
            uids: HashMap::default(),
        }
    }

    /// Use another table size. Only before the first finding.
    pub fn with_windows(mut self, windows: usize) -> ShardLog {
        self.folds = FoldTable::new(windows, FOLD_WINDOW_NS);
        self
    }

    /// A PDU was seen.
    #[inline]
    pub fn unit(&mut self, unit: &Unit<'_>) {
        self.counters.unit(unit);
    }

    /// An operation was seen and judged.
    #[inline]
    pub fn operation(&mut self, journal: &mut Journal, operation: &Operation<'_>, judgement: &Judgement<'_>) {
        self.counters.operation(operation, judgement);
        if journal.logs(operation.action) {
            operation_line(journal.out.json(), &journal.common, &mut self.flows, operation, judgement);
            journal.out.line_done(Weight::Common);
        }
    }

    /// A defect was seen; `station` is the station's name in the profile, if it has one. Only counts: the
    /// finding made of it comes by [`ShardLog::finding`].
    pub fn defect(&mut self, defect: &Defect<'_>, station: Option<&str>) {
        self.counters.defect(defect, station);
    }

    /// A station's polling changed: counted, and logged where it is an event.
    pub fn station_state(&mut self, journal: &mut Journal, state: &StationState<'_>) {
        self.counters.station_state(state);
        let StationState { at, protocol, server, station, station_name, change } = *state;
        if let Some(what) = change.name() {
            let unanswered = change.unanswered();
            journal.station(&StationEvent { at, what, protocol, server, station, station_name, unanswered });
        }
    }

    /// A finding was withheld because the coverage does not bear it.
    pub fn withheld(&mut self, kind: FindingKind) {
        self.counters.withheld(kind);
    }

    /// A finding is a known deviation of its station.
    pub fn quirk(&mut self, kind: FindingKind) {
        self.counters.quirk(kind);
    }

    /// A finding that is part of what was told before.
    pub fn repeated(&mut self, finding: &Finding<'_>) {
        self.counters.finding(finding);
        self.counters.folded(finding.kind);
    }

    /// A finding was raised: write it, or fold it into an earlier one.
    pub fn finding(&mut self, journal: &mut Journal, finding: &Finding<'_>) -> Folded {
        self.counters.finding(finding);
        if self.folds.repeat(finding) {
            self.counters.folded(finding.kind);
            return Folded::Repeat;
        }
        while let Some(window) = self.folds.make_room(finding) {
            summarise(journal, window);
        }
        let uid = self.uid(&journal.common.identity.profile.hash, finding);
        let Journal { common, kept, out, scratch, .. } = journal;
        scratch.clear();
        if *kept {
            finding_body(scratch, common, finding);
        }
        let window = self.folds.open(finding, uid, scratch.bytes());
        if *kept {
            finding_line(out.json(), common, finding.at, window);
            out.line_done(Weight::Precious);
        }
        Folded::First
    }

    /// When [`ShardLog::tick`] has something to do.
    #[inline]
    pub fn due(&self) -> Option<Timestamp> {
        self.folds.next_end()
    }

    /// Packet time has come to `now`: end the windows that are over.
    pub fn tick(&mut self, journal: &mut Journal, now: Timestamp) {
        while let Some(window) = self.folds.close_expired(now) {
            summarise(journal, window);
        }
    }

    /// End all windows in order.
    pub fn end(&mut self, journal: &mut Journal) {
        while let Some(window) = self.folds.close_oldest() {
            summarise(journal, window);
        }
    }

    /// What was counted.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Windows that ended early because the table was full.
    pub fn folds_evicted(&self) -> u64 {
        self.folds.evicted()
    }

    /// Another profile is in force: these are its stations.
    pub fn set_roster(&mut self, roster: Arc<Roster>) {
        self.counters.set_roster(roster);
    }

    /// A point that the profile selects was read.
    #[inline]
    pub fn point(&mut self, station: u32, point: u32, reading: PointReading) {
        self.counters.point(station, point, reading);
    }

    /// Identity of a finding: what it is, when, and between whom. File names, frame numbers and the
    /// sensor are left out, so that the same traffic gives the same uid wherever it is replayed from. A
    /// number tells equal ones apart.
    fn uid(&mut self, profile_hash: &str, finding: &Finding<'_>) -> [u8; 16] {
        let mut hash = Sha256::new();
        let mut field = |bytes: &[u8]| {
            hash.update((bytes.len() as u32).to_be_bytes());
            hash.update(bytes);
        };
        field(b"gridtap finding 1");
        field(profile_hash.as_bytes());
        field(finding.kind.id().as_bytes());
        field(finding.kind.name().as_bytes());
        field(&finding.at.0.to_be_bytes());
        field(finding.flow.map_or("", |flow| flow.transport.name()).as_bytes());
        field(finding.protocol.map_or("", |protocol| protocol.name()).as_bytes());
        for end in [finding.client, finding.server] {
            endpoint(&mut field, end);
        }
        match finding.station {
            StationAddress::None => field(b"none"),
            StationAddress::Unit(unit) => field(&[b'u', unit]),
            StationAddress::Link(link) => field(&[b'l', (link >> 8) as u8, link as u8]),
            StationAddress::Common(common) => field(&[b'c', (common >> 8) as u8, common as u8]),
        }
        if let Some(function) = finding.function {
            field(&[function.code]);
            field(&function.sub.map_or([0; 3], |sub| [1, (sub >> 8) as u8, sub as u8]));
        }
        field(finding.check.as_bytes());
        field(&finding.fold_key.to_be_bytes());
        let base = first_16(&hash.clone().finalize());
        // Equal findings come close together; forgetting all of them now and then keeps this bounded.
        if self.uids.len() >= UIDS_KEPT {
            self.uids.clear();
        }
        let occurrence = self.uids.entry(base).or_insert(0);
        *occurrence += 1;
        if *occurrence == 1 {
            return base;
        }
        hash.update(occurrence.to_be_bytes());
        first_16(&hash.finalize())
    }
}

/// Takes a shard's findings into its log.
pub struct ToLog<'a> {
    /// The shard's log.
    pub log: &'a mut ShardLog,
    /// The thread's journal.
    pub journal: &'a mut Journal,
}

impl FindingSink for ToLog<'_> {
    fn finding(&mut self, finding: &Finding<'_>) {
        self.log.finding(self.journal, finding);
    }
    fn repeated(&mut self, finding: &Finding<'_>) {
        self.log.repeated(finding);
    }
    fn withheld(&mut self, kind: FindingKind) {
        self.log.withheld(kind);
    }
    fn quirk(&mut self, kind: FindingKind) {
        self.log.quirk(kind);
    }
    fn point(&mut self, station: u32, point: u32, reading: PointReading) {
        self.log.point(station, point, reading);
    }
    fn station(&mut self, state: &StationState<'_>) {
        self.log.station_state(self.journal, state);
    }
    fn wants_controls(&self) -> bool {
        self.journal.logs_controls()
    }
    fn control(&mut self, event: &ControlEvent<'_>) {
        self.journal.control(event);
    }
    fn sign(&mut self, sign: &Sign) {
        self.journal.out.tell(Item::Fact(Fact::Sign(*sign)));
    }
    fn restart(&mut self, sign: RestartSign) {
        self.journal.out.tell(Item::Fact(Fact::Restart(Box::new(sign))));
    }
    fn publication(&mut self, event: &PublicationEvent<'_>) {
        self.journal.publication(event);
    }
}

fn endpoint(field: &mut impl FnMut(&[u8]), end: Endpoint) {
    match end.host {
        Host::Ip(core::net::IpAddr::V4(ip)) => field(&ip.octets()),
        Host::Ip(core::net::IpAddr::V6(ip)) => field(&ip.octets()),
        Host::Mac(mac) => field(&mac.0),
        Host::Serial(line) => field(&line.to_be_bytes()),
    }
    field(&end.port.to_be_bytes());
}

fn first_16(digest: &[u8]) -> [u8; 16] {
    let mut out = [0; 16];
    out.copy_from_slice(&digest[..16]);
    out
}

/// A finding's line, first or summary; they differ only in time, count, first and last.
fn finding_line(json: &mut Json, common: &Common, at: Timestamp, window: &Window) {
    head(json, common, at, "finding");
    json.key("uid");
    json.hex(&window.uid);
    json.key("count");
    json.unsigned(window.count);
    json.key("first");
    json.time(window.first);
    json.key("last");
    json.time(window.last);
    if window.count > 1
        && let Some(frame) = window.last_frame
    {
        json.key("last_frame");
        json.unsigned(frame.number);
        json.key("last_capture");
        json.text(common.capture(frame.tap));
    }
    json.raw_members(&window.body);
    json.close_object();
    json.newline();
}

/// The line at the end of a window, if there is something to add to the first one.
fn summarise(journal: &mut Journal, window: &Window) {
    if window.count < 2 || window.body.is_empty() {
        return;
    }
    finding_line(journal.out.json(), &journal.common, window.last, window);
    journal.out.line_done(Weight::Precious);
}
