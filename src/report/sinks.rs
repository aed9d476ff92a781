//! The one owner of the order: what all shards say comes together here, in the order of the packets.
//!
//! Lines are handed to the writer in batches: when a batch is large enough, and at every [`Sinks::flush`], so
//! that a quiet sensor does not sit on a finding. What spans shards is settled here: which stations were told
//! of, what could not be seen in all, the sums of all counters.

use std::io;
use std::sync::Arc;

use foldhash::fast::FixedState;
use hashbrown::HashSet;
use parsers::{Host, Protocol, StationAddress, Timestamp};
use profiles::Compiled;

use super::counters::Counters;
use super::event::{Common, Identity, sensor_line, station_line};
use super::event_log::{Journal, ShardLog, ToLog};
use super::json::Json;
use super::output::{Item, Output};
use super::record::{OperationsLog, SensorEvent, StationEvent};
use super::roster::Roster;
use super::snapshot::{Published, Snapshot};
use super::summary::Summary;
use super::vitals::Vitals;
use super::words::Counted;
use super::writer::{LogWriter, Weight, WriterFigures};
use crate::blindness::Blindspots;
use crate::dispatch::SHARDS;
use crate::site::Fact;
use crate::site::redundancy::{Groups, Sign};
use crate::site::restarts::{RestartSign, Restarts};

/// Octets after which a batch goes to the writer.
pub const BATCH_BYTES: usize = 64 << 10;

/// Stations whose first answer is remembered, so that it is told once. Beyond, no more are told; a
/// `sensor` event says so.
pub const STATIONS_TOLD: usize = 65_536;

/// What the sinks need to know at the start.
#[derive(Debug, Default)]
pub struct SinksConfig {
    /// Sensor, profile and taps.
    pub identity: Identity,
    /// Which operations are logged.
    pub operations: OperationsLog,
    /// The writer of the event log; without one no events are written.
    pub writer: Option<LogWriter>,
    /// Where snapshots are published for `/metrics`, if anybody may ask.
    pub published: Option<Arc<Published>>,
}

/// What all shards have counted.
#[derive(Debug)]
pub struct Tally {
    /// Their counters, added up.
    pub counters: Counters,
    /// Windows of repeated findings that ended early.
    pub folds_evicted: u64,
    series_per_family: Option<usize>,
}

impl Default for Tally {
    fn default() -> Self {
        Tally::new(Arc::default(), None)
    }
}

impl Tally {
    /// Nothing counted, for the stations of a profile. `series_per_family` takes the place of the limits in
    /// the catalogue.
    pub fn new(roster: Arc<Roster>, series_per_family: Option<usize>) -> Tally {
        let mut counters = Counters::new(roster);
        counters.expose(series_per_family);
        Tally { counters, folds_evicted: 0, series_per_family }
    }

    /// Another profile is in force.
    pub fn set_roster(&mut self, roster: Arc<Roster>) {
        self.counters.set_roster(roster);
        self.counters.expose(self.series_per_family);
    }

    /// Begin again. Shards must be added in the same order every time.
    pub fn reset(&mut self) {
        self.counters.reset();
        self.folds_evicted = 0;
    }

    /// Add a shard.
    pub fn add(&mut self, log: &ShardLog) {
        self.counters.add(log.counters());
        self.folds_evicted += log.folds_evicted();
    }
}

/// The sinks of a run.
#[derive(Debug)]
pub struct Sinks {
    common: Arc<Common>,
    operations: OperationsLog,
    writer: Option<LogWriter>,
    batch: Json,
    lines: u64,
    weight: Weight,
    published: Option<Arc<Published>>,
    told: HashSet<(Host, Protocol, StationAddress), FixedState>,
    untold: u64,
    blindspots: Blindspots,
    reported_drops: u64,
    now: Timestamp,
    groups: GroupDesk,
}

/// What is found of redundancy groups and of restarts, with a log of its own: no shard sees all masters of a
/// station.
#[derive(Debug)]
struct GroupDesk {
    groups: Groups,
    restarts: Restarts,
    profile: Option<Arc<Compiled>>,
    log: ShardLog,
    journal: Journal,
}

impl Sinks {
    /// Sinks that have seen nothing.
    pub fn new(config: SinksConfig) -> Sinks {
        let common = Arc::new(Common::new(config.identity));
        let journal = Journal::new(Arc::clone(&common), config.writer.is_some(), config.operations);
        Sinks {
            groups: GroupDesk {
                groups: Groups::default(),
                restarts: Restarts::default(),
                profile: None,
                log: ShardLog::new(Arc::default()),
                journal,
            },
            common,
            operations: config.operations,
            writer: config.writer,
            batch: Json::new(),
            lines: 0,
            weight: Weight::Common,
            published: config.published,
            told: HashSet::default(),
            untold: 0,
            blindspots: Blindspots::default(),
            reported_drops: 0,
            now: Timestamp::default(),
        }
    }

    /// A journal for one more thread.
    pub fn journal(&self) -> Journal {
        Journal::new(Arc::clone(&self.common), self.writer.is_some(), self.operations)
    }

    /// Another profile is in force.
    pub fn set_profile(&mut self, profile: Option<&Compiled>) {
        let mut journal = self.journal();
        journal.set_profile(profile);
        self.common = journal.common;
    }

    /// The same, for what is found here.
    pub fn set_site(&mut self, profile: Option<Arc<Compiled>>, roster: Arc<Roster>) {
        let GroupDesk { groups, profile: kept, log, journal, .. } = &mut self.groups;
        journal.common = Arc::clone(&self.common);
        log.set_roster(roster);
        kept.clone_from(&profile);
        groups.set_profile(profile);
    }

    /// The log of what is found here.
    pub fn group_log(&self) -> &ShardLog {
        &self.groups.log
    }

    /// A master of a redundancy group did something.
    fn sign(&mut self, sign: &Sign) {
        let GroupDesk { groups, log, journal, .. } = &mut self.groups;
        log.tick(journal, sign.at);
        groups.sign(sign, &mut ToLog { log, journal });
        self.take_own();
    }

    /// A station was told to restart, or says that it has.
    fn restart(&mut self, sign: &RestartSign) {
        let GroupDesk { restarts, profile, log, journal, .. } = &mut self.groups;
        log.tick(journal, sign.at);
        restarts.sign(profile.as_deref(), sign, &mut ToLog { log, journal });
        let forgotten = restarts.forgotten();
        self.blindspots.restarts_forgotten(sign.at, forgotten);
        self.take_own();
    }

    /// Commands to restart that were forgotten because too many stations were restarted.
    pub fn restarts_forgotten(&self) -> u64 {
        self.groups.restarts.forgotten()
    }

    /// No more will be said: end the windows of repeats.
    pub fn end(&mut self) {
        let GroupDesk { log, journal, .. } = &mut self.groups;
        log.end(journal);
        self.take_own();
    }

    /// Take what was found here.
    fn take_own(&mut self) {
        let out = &mut self.groups.journal.out;
        for (_, item) in out.items() {
            let Item::Lines { lines, weight, .. } = item else { continue };
            self.lines += lines;
            self.weight = self.weight.max(*weight);
        }
        self.batch.raw_lines(out.bytes());
        out.clear();
        self.hand_over_if_large();
    }

    /// Packet time has come to `now`.
    pub fn time(&mut self, now: Timestamp) {
        self.now = self.now.max(now);
    }

    /// Take what was said, in the order of its places: all that will ever be said up to the last of them.
    /// The outputs are empty afterwards.
    pub fn take(&mut self, outputs: &mut [&mut Output]) {
        if let [output] = outputs
            && self.take_whole(output)
        {
            return;
        }
        // At most one of each group of shards, and the reading thread's own.
        let mut next = [(0_usize, 0_usize); SHARDS + 1];
        debug_assert!(outputs.len() <= next.len(), "what is beyond would be lost");
        loop {
            let first = outputs.iter().zip(&next).enumerate().filter_map(|(n, (output, (item, _)))| {
                output.items().get(*item).map(|(place, _)| (*place, n))
            });
            let Some((place, n)) = first.min() else { break };
            let (item, start) = next[n];
            self.blindness_before(place.act);
            let length = self.item(&outputs[n].items()[item].1, &outputs[n].bytes()[start..], place.act);
            next[n] = (item + 1, start + length);
        }
        self.blindness_before(u64::MAX);
        for output in outputs {
            output.clear();
        }
    }

    /// A large output that holds nothing but lines goes to the writer as it is.
    fn take_whole(&mut self, output: &mut Output) -> bool {
        if output.is_empty() {
            return true;
        }
        if !output.is_urgent(BATCH_BYTES) || !self.batch.bytes().is_empty() || output.has_facts() {
            return false;
        }
        for (_, item) in output.items() {
            let Item::Lines { lines, weight, .. } = item else { continue };
            self.lines += lines;
            self.weight = self.weight.max(*weight);
        }
        core::mem::swap(&mut self.batch, output.json());
        self.hand_over();
        core::mem::swap(&mut self.batch, output.json());
        output.clear();
        true
    }

    /// Take one item whose lines, if it has some, begin `bytes`. Returns how many octets they are.
    fn item(&mut self, item: &Item, bytes: &[u8], act: u64) -> usize {
        match item {
            Item::Lines { length, lines, weight } => {
                self.batch.raw_lines(bytes.get(..*length).unwrap_or_default());
                self.lines += lines;
                self.weight = self.weight.max(*weight);
                self.hand_over_if_large();
                return *length;
            }
            Item::Fact(Fact::Station { event, name }) => {
                self.station(&StationEvent { station_name: name.as_deref(), ..*event });
            }
            Item::Fact(Fact::Sign(sign)) => self.sign(sign),
            Item::Fact(Fact::Restart(sign)) => self.restart(sign),
            Item::Blind(now, flow, tables) => self.blindspots.shard(act, *now, flow, tables),
            Item::Front(now, counts) => self.blindspots.front(act, *now, counts),
        }
        0
    }

    /// Tell what could not be seen up to this act.
    fn blindness_before(&mut self, act: u64) {
        while let Some(news) = self.blindspots.next(act) {
            self.sensor(&SensorEvent {
                at: news.at,
                what: news.what,
                capture: None,
                message: format_args!("{}", Counted(news.count, news.meaning)),
                figures: &[("count", news.count)],
            });
        }
    }

    /// A station answered for the first time in a shard: told unless another shard has.
    fn station(&mut self, event: &StationEvent<'_>) {
        let key = (event.server.host, event.protocol, event.station);
        if self.told.contains(&key) {
            return;
        }
        if self.told.len() >= STATIONS_TOLD {
            self.untold += 1;
            self.blindspots.untold(event.at, self.untold);
            return;
        }
        self.told.insert(key);
        if self.writer.is_some() {
            station_line(&mut self.batch, &self.common, event);
            self.line_done(Weight::Common);
        }
    }

    /// Write something about the sensor, behind all that was taken.
    pub fn sensor(&mut self, event: &SensorEvent<'_>) {
        if self.writer.is_some() {
            sensor_line(&mut self.batch, &self.common, event);
            self.line_done(Weight::Precious);
        }
    }

    /// Times a station was not told of because too many were.
    pub fn stations_untold(&self) -> u64 {
        self.untold
    }

    /// Hand waiting lines to the writer. Live: at every pause and about once a second.
    pub fn flush(&mut self) {
        self.hand_over();
        self.tell_drops(Weight::Precious);
    }

    /// Publish the figures for `/metrics`. About once a second.
    pub fn publish(&self, tally: &Tally, vitals: &Vitals) {
        if let Some(published) = &self.published {
            published.publish(self.snapshot(tally, vitals));
        }
    }

    /// The figures now.
    pub fn snapshot(&self, tally: &Tally, vitals: &Vitals) -> Snapshot {
        Snapshot::take(tally, vitals, &self.common.identity, self.writer_figures())
    }

    /// The writer's figures.
    pub fn writer_figures(&self) -> Option<WriterFigures> {
        self.writer.as_ref().map(LogWriter::figures)
    }

    /// Whether the event log was given up for good (a closed pipe): a replay may stop.
    pub fn log_failed(&self) -> bool {
        self.writer.as_ref().is_some_and(LogWriter::has_failed)
    }

    /// End: write everything that waits, and sum up. The error is that of the event log.
    pub fn finish(mut self, now: Timestamp, tally: &Tally, vitals: &Vitals) -> (Summary, io::Result<()>) {
        self.time(now);
        self.hand_over();
        self.tell_drops(Weight::Last);
        let (figures, result) = match self.writer.take() {
            None => (None, Ok(())),
            Some(writer) => {
                let (figures, result) = writer.close();
                (Some(figures), result)
            }
        };
        (Summary::of(tally, vitals, &self.common.identity, figures), result)
    }

    fn line_done(&mut self, weight: Weight) {
        self.lines += 1;
        self.weight = self.weight.max(weight);
        self.hand_over_if_large();
    }

    fn hand_over_if_large(&mut self) {
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
        // Room at once for all that comes until the next time, rather than twice as much again and again.
        self.batch.reserve(BATCH_BYTES + BATCH_BYTES / 4);
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
}
