//! Everything that comes out of the pipeline goes through here: counted, logged, summed up.

use std::io;
use std::sync::Arc;

use parsers::{Defect, Operation, Timestamp, Unit};

use super::catalogue::FindingKind;
use super::control::ControlEvent;
use super::counters::Counters;
use super::event::Identity;
use super::event_log::{EventLog, Folded};
use super::event_operation::is_logged;
use super::finding::Finding;
use super::record::{Judgement, OperationsLog, SensorEvent, StationEvent, StationState};
use super::snapshot::{Published, Snapshot};
use super::summary::Summary;
use super::vitals::Vitals;
use super::writer::LogWriter;

/// What the sinks need to know at the start.
#[derive(Debug, Default)]
pub struct SinksConfig {
    /// Sensor, profile and taps.
    pub identity: Identity,
    /// Names of the profile's stations, by [`Judgement::station`].
    pub stations: Vec<String>,
    /// Which operations are logged.
    pub operations: OperationsLog,
    /// The writer of the event log; without one no events are written.
    pub writer: Option<LogWriter>,
    /// Where snapshots are published for `/metrics`, if anybody may ask.
    pub published: Option<Arc<Published>>,
}

/// The sinks of one pipeline.
#[derive(Debug)]
pub struct Sinks {
    counters: Counters,
    log: EventLog,
    operations: OperationsLog,
    published: Option<Arc<Published>>,
    identity: Identity,
}

impl Sinks {
    /// Sinks with all counters at zero.
    pub fn new(config: SinksConfig) -> Sinks {
        Sinks {
            counters: Counters::new(config.stations),
            log: EventLog::new(config.identity.clone(), config.writer),
            operations: config.operations,
            published: config.published,
            identity: config.identity,
        }
    }

    /// Names of the taps, once they are known.
    pub fn set_captures(&mut self, captures: Vec<String>) {
        self.log.set_captures(captures.clone());
        self.identity.captures = captures;
    }

    /// A PDU was seen.
    #[inline]
    pub fn unit(&mut self, unit: &Unit<'_>) {
        self.counters.unit(unit);
    }

    /// An operation was seen and judged.
    #[inline]
    pub fn operation(&mut self, operation: &Operation<'_>, judgement: &Judgement<'_>) {
        self.counters.operation(operation, judgement);
        if self.log.is_kept() && is_logged(self.operations, operation.action) {
            self.log.operation(operation, judgement);
        }
    }

    /// A control has come to its end. Logged unless operations are not.
    pub fn control(&mut self, event: &ControlEvent<'_>) {
        if self.operations != OperationsLog::None {
            self.log.control(event);
        }
    }

    /// A defect was seen; `station` is the station's name in the profile, if it has one. Only counts: the
    /// finding made of it comes by [`Sinks::finding`].
    pub fn defect(&mut self, defect: &Defect<'_>, station: Option<&str>) {
        self.counters.defect(defect, station);
    }

    /// A finding was raised.
    pub fn finding(&mut self, finding: &Finding<'_>) {
        self.counters.finding(finding);
        if self.log.finding(finding) == Folded::Repeat {
            self.counters.folded(finding.kind);
        }
    }

    /// A finding was withheld because the coverage does not bear it.
    pub fn withheld(&mut self, kind: FindingKind) {
        self.counters.withheld(kind);
    }

    /// Something about a station.
    pub fn station(&mut self, event: &StationEvent<'_>) {
        self.log.station(event);
    }

    /// A station's polling changed: counted, and logged where it is an event.
    pub fn station_state(&mut self, state: &StationState<'_>) {
        self.counters.station_state(state);
        let StationState { at, protocol, server, station, station_name, change } = *state;
        if let Some(what) = change.name() {
            self.log.station(&StationEvent { at, what, protocol, server, station, station_name });
        }
    }

    /// Something about the sensor.
    pub fn sensor(&mut self, event: &SensorEvent<'_>) {
        self.log.sensor(event);
    }

    /// Packet time has come to `now`: fold windows that are over end. Cheap; call now and then.
    pub fn tick(&mut self, now: Timestamp) {
        self.log.tick(now);
    }

    /// Hand waiting lines to the writer. Live: at every pause and about once a second.
    pub fn flush(&mut self) {
        self.log.flush();
    }

    /// Publish the figures for `/metrics`. About once a second.
    pub fn publish(&self, vitals: &Vitals) {
        if let Some(published) = &self.published {
            published.publish(self.snapshot(vitals));
        }
    }

    /// The figures now.
    pub fn snapshot(&self, vitals: &Vitals) -> Snapshot {
        Snapshot::take(&self.counters, vitals, &self.identity, &self.log)
    }

    /// The counters.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Whether the event log was given up for good (a closed pipe): a replay may stop.
    pub fn log_failed(&self) -> bool {
        self.log.has_failed()
    }

    /// End: write the summaries of folded findings and everything that waits, and sum up. The error is
    /// that of the event log.
    pub fn finish(self, now: Timestamp, vitals: &Vitals) -> (Summary, io::Result<()>) {
        let folds_evicted = self.log.folds_evicted();
        let (figures, result) = self.log.finish(now);
        (Summary::of(&self.counters, vitals, &self.identity, figures, folds_evicted), result)
    }
}
