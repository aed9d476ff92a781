//! The event log: findings, operations, stations and the sensor itself, as lines of JSON.
//!
//! Lines are rendered on the pipeline's thread into one buffer and handed to the writer in batches. A
//! batch goes when it is large enough, and at every [`EventLog::flush`], so that a quiet sensor does not
//! sit on a finding.

use std::io;

use foldhash::quality::RandomState;
use hashbrown::HashMap;
use parsers::{Endpoint, Host, Operation, StationAddress, Timestamp};
use sha2::{Digest, Sha256};

use super::control::ControlEvent;
use super::event::{Common, Identity, finding_body, head, sensor_line, station_line};
use super::event_control::control_line;
use super::event_operation::{FlowParts, operation_line};
use super::finding::Finding;
use super::fold::{FOLD_WINDOW_NS, FOLD_WINDOWS, FoldTable, Window};
use super::json::Json;
use super::record::{Judgement, SensorEvent, StationEvent};
use super::writer::{LogWriter, Weight, WriterFigures};

/// Octets after which a batch goes to the writer.
pub const BATCH_BYTES: usize = 64 << 10;
/// Findings whose identity is remembered, so that equal ones are told apart.
const UIDS_KEPT: usize = 65_536;

/// What became of a finding.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub enum Folded {
    /// The first of its kind in its window; it was written.
    First,
    /// A repeat; it was counted.
    Repeat,
}

/// Renders events and folds findings. Without a writer it only folds.
#[derive(Debug)]
pub struct EventLog {
    common: Common,
    writer: Option<LogWriter>,
    batch: Json,
    lines: u64,
    weight: Weight,
    flows: FlowParts,
    folds: FoldTable,
    scratch: Json,
    uids: HashMap<[u8; 16], u32, RandomState>,
    reported_drops: u64,
    now: Timestamp,
}

impl EventLog {
    /// An event log that writes to `writer`, if there is one.
    pub fn new(identity: Identity, writer: Option<LogWriter>) -> EventLog {
        EventLog {
            common: Common::new(identity),
            writer,
            batch: Json::new(),
            lines: 0,
            weight: Weight::Common,
            flows: FlowParts::new(),
            folds: FoldTable::new(FOLD_WINDOWS, FOLD_WINDOW_NS),
            scratch: Json::new(),
            uids: HashMap::default(),
            reported_drops: 0,
            now: Timestamp::default(),
        }
    }

    /// Use another fold window or table size (tests, configuration). Only before the first finding.
    pub fn with_folding(mut self, windows: usize, window_ns: u64) -> EventLog {
        self.folds = FoldTable::new(windows, window_ns);
        self
    }

    /// Names of the taps, once they are known.
    pub fn set_captures(&mut self, captures: Vec<String>) {
        self.common = Common::new(Identity { captures, ..core::mem::take(&mut self.common.identity) });
    }

    /// Whether lines go anywhere.
    pub fn is_kept(&self) -> bool {
        self.writer.is_some()
    }

    /// Take a finding: write it, or fold it into an earlier one.
    pub fn finding(&mut self, finding: &Finding<'_>) -> Folded {
        self.expire(finding.at);
        if self.folds.repeat(finding) {
            return Folded::Repeat;
        }
        while let Some(window) = self.folds.make_room(finding) {
            summarise(&mut self.batch, &self.common, &mut self.lines, &mut self.weight, window);
        }
        let uid = self.uid(finding);
        self.scratch.clear();
        if self.writer.is_none() {
            self.folds.open(finding, uid, &[]);
            return Folded::First;
        }
        finding_body(&mut self.scratch, &self.common, finding);
        let window = self.folds.open(finding, uid, self.scratch.bytes());
        finding_line(&mut self.batch, &self.common, finding.at, window);
        self.weight = Weight::Precious;
        self.line_done();
        Folded::First
    }

    /// Write an operation.
    pub fn operation(&mut self, operation: &Operation<'_>, judgement: &Judgement<'_>) {
        if self.writer.is_none() {
            return;
        }
        operation_line(&mut self.batch, &self.common, &mut self.flows, operation, judgement);
        self.line_done();
    }

    /// Write what became of a control.
    pub fn control(&mut self, event: &ControlEvent<'_>) {
        if self.writer.is_none() {
            return;
        }
        control_line(&mut self.batch, &self.common, event);
        self.line_done();
    }

    /// Write something about the sensor itself.
    pub fn sensor(&mut self, event: &SensorEvent<'_>) {
        if self.writer.is_none() {
            return;
        }
        sensor_line(&mut self.batch, &self.common, event);
        self.weight = Weight::Precious;
        self.line_done();
    }

    /// Write something about a station.
    pub fn station(&mut self, event: &StationEvent<'_>) {
        if self.writer.is_none() {
            return;
        }
        station_line(&mut self.batch, &self.common, event);
        self.line_done();
    }

    /// Packet time has come to `now`: end the windows that are over.
    pub fn tick(&mut self, now: Timestamp) {
        self.expire(now);
    }

    /// Hand over what is waiting, and tell of lines that were dropped since.
    pub fn flush(&mut self) {
        self.hand_over();
        self.tell_drops(Weight::Precious);
    }

    /// The writer's figures.
    pub fn writer_figures(&self) -> Option<WriterFigures> {
        self.writer.as_ref().map(LogWriter::figures)
    }

    /// Whether the log was given up for good.
    pub fn has_failed(&self) -> bool {
        self.writer.as_ref().is_some_and(LogWriter::has_failed)
    }

    /// Windows of the fold table that ended early because it was full.
    pub fn folds_evicted(&self) -> u64 {
        self.folds.evicted()
    }

    /// End all windows in order, write what is left and end the writer.
    pub fn finish(mut self, now: Timestamp) -> (Option<WriterFigures>, io::Result<()>) {
        self.now = self.now.max(now);
        while let Some(window) = self.folds.close_oldest() {
            summarise(&mut self.batch, &self.common, &mut self.lines, &mut self.weight, window);
            if self.batch.bytes().len() >= BATCH_BYTES {
                self.hand_over();
            }
        }
        self.hand_over();
        self.tell_drops(Weight::Last);
        match self.writer.take() {
            None => (None, Ok(())),
            Some(writer) => {
                let (figures, result) = writer.close();
                (Some(figures), result)
            }
        }
    }

    fn expire(&mut self, now: Timestamp) {
        self.now = self.now.max(now);
        while let Some(window) = self.folds.close_expired(now) {
            summarise(&mut self.batch, &self.common, &mut self.lines, &mut self.weight, window);
        }
        if self.batch.bytes().len() >= BATCH_BYTES {
            self.hand_over();
        }
    }

    #[inline]
    fn line_done(&mut self) {
        self.lines += 1;
        if self.batch.bytes().len() >= BATCH_BYTES {
            self.hand_over();
        }
    }

    fn hand_over(&mut self) {
        let Some(writer) = &self.writer else {
            self.batch.clear();
            return;
        };
        if self.batch.bytes().is_empty() {
            return;
        }
        let (spare, _) = writer.push(self.batch.take(), self.lines, self.weight);
        self.batch.give(spare);
        self.lines = 0;
        self.weight = Weight::Common;
    }

    /// Tell of lines that were dropped, in a batch of its own so that it is known whether it was taken.
    fn tell_drops(&mut self, weight: Weight) {
        let Some(writer) = &self.writer else { return };
        let figures = writer.figures();
        let dropped = figures.dropped_queue_full + figures.dropped_error;
        if dropped == self.reported_drops || writer.has_failed() {
            return;
        }
        // While there is no room the report would only be one more line to drop.
        if weight < Weight::Last && figures.queued_bytes > figures.capacity_bytes / 2 {
            return;
        }
        let fresh = dropped - self.reported_drops;
        let event = SensorEvent {
            at: self.now,
            what: "events_dropped",
            capture: None,
            message: format_args!(
                "{fresh} events were not written because the log could not keep up; {dropped} since the start."
            ),
            figures: &[
                ("dropped", fresh),
                ("dropped_total", dropped),
                ("dropped_queue_full_total", figures.dropped_queue_full),
                ("dropped_error_total", figures.dropped_error),
            ],
        };
        let mut report = Json::new();
        sensor_line(&mut report, &self.common, &event);
        if writer.push(report.take(), 1, weight).1 {
            self.reported_drops = dropped;
        }
    }

    /// Identity of a finding: what it is, when, and between whom. File names, frame numbers and the
    /// sensor are left out, so that the same traffic gives the same uid wherever it is replayed from. A
    /// number tells equal ones apart.
    fn uid(&mut self, finding: &Finding<'_>) -> [u8; 16] {
        let mut hash = Sha256::new();
        let mut field = |bytes: &[u8]| {
            hash.update((bytes.len() as u32).to_be_bytes());
            hash.update(bytes);
        };
        field(b"gridtap finding 1");
        field(self.common.identity.profile_hash.as_bytes());
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
fn summarise(json: &mut Json, common: &Common, lines: &mut u64, weight: &mut Weight, window: &Window) {
    if window.count < 2 || window.body.is_empty() {
        return;
    }
    finding_line(json, common, window.last, window);
    *lines += 1;
    *weight = Weight::Precious;
}
