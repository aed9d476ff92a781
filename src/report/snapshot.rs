//! The figures of a moment, handed from the pipeline to whoever asks.
//!
//! The pipeline makes a snapshot about once a second and leaves it where the web server finds it. A scrape
//! takes the latest one and never touches the pipeline.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use parsers::{DefectKind, Protocol, Timestamp};

use super::attack::attack;
use super::catalogue::{CATALOGUE, Severity};
use super::counters::{Counters, Latency};
use super::event::{Identity, ProfileId};
use super::metric_table::Metric;
use super::roster::Roster;
use super::series::{LabelSet, OTHER, Series, UNPROFILED};
use super::sinks::Tally;
use super::station_tables::Family;
use super::vitals::Vitals;
use super::writer::WriterFigures;

/// Label of the event log among the sinks.
const SINK: &str = "event_log";

/// A value of a metric.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A counter or gauge.
    Number(f64),
    /// A histogram of latencies.
    Latency(Latency),
}

/// One label set of a family with its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// The family.
    pub metric: Metric,
    /// Label values, in the order of the family's labels.
    pub labels: LabelSet,
    /// The value.
    pub value: Value,
    /// Of a label set that may come while the sensor runs: rises from one to the next of its family. 0: it
    /// was there from the start.
    pub born: u64,
}

/// The figures of a moment.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// All samples; those of a family stand together.
    pub samples: Vec<Sample>,
}

impl Snapshot {
    pub(super) fn take(
        tally: &Tally,
        vitals: &Vitals,
        identity: &Identity,
        log: Option<WriterFigures>,
    ) -> Snapshot {
        let counters = &tally.counters;
        let mut out = Snapshot::default();
        out.information(identity);
        out.capture(vitals);
        out.flows(vitals);
        out.protocols(counters);
        out.findings(counters, tally.folds_evicted);
        out.log(log);
        out.series(counters);
        out
    }

    fn add(&mut self, metric: Metric, labels: &[&str], value: f64) {
        debug_assert_eq!(labels.len(), metric.info().labels.len());
        self.samples.push(Sample {
            metric,
            labels: LabelSet::new(labels),
            value: Value::Number(value),
            born: 0,
        });
    }

    fn list(&mut self, metric: Metric, list: &[(&'static str, u64)]) {
        for (name, value) in list {
            self.add(metric, &[name], *value as f64);
        }
    }

    fn family(&mut self, family: Family, counters: &Counters) {
        let sample = |series: &Series| Sample {
            metric: family.metric(),
            labels: series.labels.clone(),
            value: Value::Number(match family {
                _ if family.is_time() => seconds(Timestamp(series.value)),
                Family::Silent if names_a_station(&series.labels) => {
                    f64::from(u8::from(counters.is_silent(&series.labels)))
                }
                _ => series.value as f64,
            }),
            born: series.born,
        };
        self.samples.extend(counters.tables[family].iter().map(sample));
    }

    fn information(&mut self, identity: &Identity) {
        self.add(Metric::BuildInfo, &[env!("CARGO_PKG_VERSION")], 1.0);
        let ProfileId { name, version, hash } = &identity.profile;
        let mode = if hash.is_empty() { "none" } else { "monitoring" };
        self.add(Metric::ProfileInfo, &[name, version, hash, mode], 1.0);
    }

    fn capture(&mut self, vitals: &Vitals) {
        for tap in &vitals.taps {
            let name = tap.name.as_str();
            self.add(Metric::CapturePackets, &[name], tap.packets as f64);
            self.add(Metric::CaptureBytes, &[name], tap.bytes as f64);
            self.add(Metric::CaptureDropped, &[name, "kernel"], tap.dropped_kernel as f64);
            self.add(Metric::CaptureDropped, &[name, "interface"], tap.dropped_interface as f64);
            self.add(Metric::CaptureDropped, &[name, "queue"], tap.dropped_queue as f64);
            self.add(Metric::CaptureDamaged, &[name], tap.damaged as f64);
            self.add(Metric::CaptureTruncated, &[name], tap.truncated as f64);
            self.add(Metric::CaptureUp, &[name], f64::from(u8::from(!tap.lost)));
            if let Some(last) = tap.last_packet {
                self.add(Metric::CaptureLastPacket, &[name], seconds(last));
            }
        }
        self.list(Metric::DecapLayers, &vitals.decap_layers);
        self.list(Metric::DecapUndecoded, &vitals.undecoded);
        self.add(Metric::DuplicateFrames, &[], vitals.duplicates as f64);
        self.add(Metric::WithoutIp, &[], vitals.without_ip as f64);
        self.list(Metric::TablesFull, &vitals.tables_full);
        self.list(Metric::ProfileReloads, &vitals.profile_reloads);
        if let Some(sound) = vitals.profile_sound {
            self.add(Metric::ProfileReloadSuccess, &[], f64::from(u8::from(sound)));
        }
        self.list(Metric::Assets, &vitals.assets);
    }

    fn flows(&mut self, vitals: &Vitals) {
        self.list(Metric::Flows, &vitals.flows);
        self.add(Metric::FlowCapacity, &[], vitals.flow_capacity as f64);
        self.list(Metric::FlowEvictions, &vitals.flow_evictions);
        self.add(Metric::FlowsOneWay, &[], vitals.one_way_flows as f64);
        self.add(Metric::FlowsOneWayNow, &[], vitals.one_way_open as f64);
        self.add(Metric::FlowsMidstream, &[], vitals.midstream_flows as f64);
        self.list(Metric::ReassemblyGaps, &vitals.gaps);
        self.add(Metric::ReassemblyBuffered, &[], vitals.buffered_bytes as f64);
        self.list(Metric::ReassemblyGivenUp, &vitals.reassembly_dropped);
    }

    fn protocols(&mut self, counters: &Counters) {
        for protocol in Protocol::ALL {
            self.add(Metric::Pdus, &[protocol.name()], counters.pdus(protocol) as f64);
        }
        for protocol in Protocol::ALL {
            for kind in DefectKind::ALL {
                let count = counters.defects(protocol, *kind);
                self.add(Metric::DecodeErrors, &[protocol.name(), kind.name()], count as f64);
            }
        }
        for family in [Family::Operations, Family::Controls, Family::Exceptions, Family::Unanswered] {
            self.family(family, counters);
        }
        for protocol in Protocol::ALL {
            self.samples.push(Sample {
                metric: Metric::ResponseLatency,
                labels: LabelSet::new(&[protocol.name()]),
                value: Value::Latency(*counters.latency(protocol)),
                born: 0,
            });
        }
        self.stations(counters.roster());
        for family in [
            Family::LastSeen,
            Family::Silent,
            Family::PollInterval,
            Family::PollBaseline,
            Family::PollsMissed,
        ] {
            self.family(family, counters);
        }
        self.points(counters);
    }

    fn stations(&mut self, roster: &Roster) {
        for station in roster.stations().iter().take(Metric::StationInfo.info().limit.unwrap_or(0)) {
            let protocol = station.protocol.name();
            let labels = [&*station.name, protocol, &*station.address, station.role, roster.site()];
            self.add(Metric::StationInfo, &labels, 1.0);
        }
    }

    fn points(&mut self, counters: &Counters) {
        let points = counters.roster().points();
        let read = || points.iter().zip(counters.points()).filter_map(|(p, read)| Some((p, read?)));
        for (point, reading) in read() {
            self.add(Metric::PointValue, &[&point.station, &point.name], reading.value);
        }
        for (point, reading) in read() {
            let good = f64::from(u8::from(reading.good));
            self.add(Metric::PointQuality, &[&point.station, &point.name], good);
        }
        for point in points {
            self.add(Metric::PointInfo, &[&point.station, &point.name, &point.unit], 1.0);
        }
    }

    fn findings(&mut self, counters: &Counters, folds_evicted: u64) {
        for &kind in CATALOGUE {
            for &severity in Severity::ALL {
                let count = counters.findings_at(kind, severity);
                // The kind's own severity is there from the start, so that `increase()` sees the first.
                let own = severity == kind.severity();
                if count > 0 || own {
                    self.add(Metric::Anomalies, &[kind.name(), severity.name()], count as f64);
                    let born = if own { 0 } else { counters.findings_born(kind, severity) };
                    self.samples.last_mut().into_iter().for_each(|sample| sample.born = born);
                }
            }
        }
        self.family(Family::Findings, counters);
        for &kind in CATALOGUE {
            let first = kind.techniques().first().and_then(|id| attack().find(id));
            let newer = first.map_or("", |t| t.id_v19.as_deref().unwrap_or(&t.id));
            let tactic = first.and_then(|t| t.tactics.first()).map_or("", String::as_str);
            let (id, name) = first.map_or(("", ""), |t| (t.id.as_str(), t.name.as_str()));
            let labels = [kind.name(), kind.severity().name(), kind.id(), id, newer, name, tactic];
            self.add(Metric::AnomalyKindInfo, &labels, 1.0);
        }
        for &kind in CATALOGUE {
            let suppressed = Metric::AnomaliesSuppressed;
            self.add(suppressed, &[kind.name(), "duplicate"], counters.folded_of(kind) as f64);
            self.add(suppressed, &[kind.name(), "coverage"], counters.withheld_of(kind) as f64);
            self.add(suppressed, &[kind.name(), "quirk"], counters.quirks_of(kind) as f64);
        }
        self.add(Metric::FoldsEvicted, &[], folds_evicted as f64);
    }

    fn log(&mut self, figures: Option<WriterFigures>) {
        let Some(figures) = figures else { return };
        self.add(Metric::EventsEmitted, &[SINK], figures.written as f64);
        self.add(Metric::EventsDropped, &[SINK, "queue_full"], figures.dropped_queue_full as f64);
        self.add(Metric::EventsDropped, &[SINK, "error"], figures.dropped_error as f64);
        self.add(Metric::EventErrors, &[SINK], figures.errors as f64);
        self.add(Metric::EventQueue, &[SINK], figures.queued_bytes as f64);
        self.add(Metric::EventQueueCapacity, &[SINK], figures.capacity_bytes as f64);
        if figures.last_success_ns > 0 {
            self.add(Metric::EventLastSuccess, &[SINK], seconds(Timestamp(figures.last_success_ns)));
        }
    }

    fn series(&mut self, counters: &Counters) {
        let roster = counters.roster();
        let listed = Metric::StationInfo.info().limit.unwrap_or(0);
        let untold = roster.stations().len().saturating_sub(listed);
        let tables = Family::ALL.map(|family| {
            let table = &counters.tables[family];
            (family.metric(), table.len(), table.dropped())
        });
        let fixed = [
            (Metric::StationInfo, roster.stations().len() - untold, untold as u64),
            (Metric::PointValue, roster.points().len(), roster.left_out() as u64),
        ];
        let families = || tables.iter().chain(&fixed);
        for (metric, held, _) in families() {
            self.add(Metric::MetricSeries, &[metric.info().name], *held as f64);
        }
        for (metric, _, dropped) in families() {
            self.add(Metric::MetricSeriesDropped, &[metric.info().name], *dropped as f64);
        }
    }
}

/// Whether the first label is a station's name, and not where several are added up.
fn names_a_station(labels: &LabelSet) -> bool {
    labels.values().first().is_some_and(|station| &**station != UNPROFILED && &**station != OTHER)
}

fn seconds(at: Timestamp) -> f64 {
    at.0 as f64 / 1e9
}

/// Where the pipeline leaves its latest snapshot, and says whether it is ready.
#[derive(Debug)]
pub struct Published {
    latest: Mutex<Arc<Snapshot>>,
    /// What is not ready yet: name and reason.
    waiting: Mutex<Vec<(&'static str, String)>>,
    started: Instant,
    /// Milliseconds from `started` to the last sign of life.
    alive_ms: AtomicU64,
}

impl Default for Published {
    fn default() -> Self {
        Published::new()
    }
}

impl Published {
    /// Nothing published, nothing ready: the sensor says what it waits for.
    pub fn new() -> Published {
        Published {
            latest: Mutex::default(),
            waiting: Mutex::new(vec![("sensor", "starting".to_owned())]),
            started: Instant::now(),
            alive_ms: AtomicU64::new(0),
        }
    }

    /// Leave a snapshot. Also a sign of life.
    pub fn publish(&self, snapshot: Snapshot) {
        self.alive();
        let fresh = Arc::new(snapshot);
        let old = core::mem::replace(&mut *self.latest.lock().unwrap_or_else(PoisonError::into_inner), fresh);
        // The old one is freed here, outside the lock.
        drop(old);
    }

    /// The latest snapshot.
    pub fn latest(&self) -> Arc<Snapshot> {
        Arc::clone(&self.latest.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A sign of life of the pipeline.
    pub fn alive(&self) {
        self.alive_ms.store(self.started.elapsed().as_millis() as u64, Relaxed);
    }

    /// Time since the last sign of life.
    pub fn silent_for(&self) -> Duration {
        self.started.elapsed().saturating_sub(Duration::from_millis(self.alive_ms.load(Relaxed)))
    }

    /// Say what is not ready (part and reason); nothing when everything is.
    pub fn set_waiting(&self, waiting: Vec<(&'static str, String)>) {
        *self.waiting.lock().unwrap_or_else(PoisonError::into_inner) = waiting;
    }

    /// What is not ready.
    pub fn waiting(&self) -> Vec<(&'static str, String)> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
