//! `/metrics`: the latest snapshot in Prometheus' text format.
//!
//! The registry and the encoder are those of the crate `prometheus`; the samples come from the snapshot,
//! whose label sets were told apart exactly (see [`crate::report::series`]).
//!
//! A counter that appears at 1 has not increased, as Prometheus sees it. So a label set that comes while the
//! sensor runs is exposed as 0 once; its count comes with the next scrape.

use std::sync::{Arc, Mutex, PoisonError};

use prometheus::core::{Collector, Desc};
use prometheus::proto::{
    Bucket, Counter, Gauge, Histogram, LabelPair, Metric as Line, MetricFamily, MetricType,
};
use prometheus::{Registry, TextEncoder};

use crate::report::counters::{LATENCY_BOUNDS_NS, Latency};
use crate::report::metric_table::{self, Metric};
use crate::report::snapshot::{Published, Sample, Snapshot, Value};

/// Content type of the exposition.
pub const CONTENT_TYPE: &str = prometheus::TEXT_FORMAT;

/// Hands the published snapshot to a registry.
#[derive(Debug)]
pub struct SnapshotCollector {
    published: Arc<Published>,
    descriptions: Vec<Desc>,
    exposed: Mutex<Exposed>,
}

/// The youngest label set of every family that a scrape has seen.
type Exposed = [u64; Metric::ALL.len()];

impl SnapshotCollector {
    /// A collector for what is published here.
    pub fn new(published: Arc<Published>) -> prometheus::Result<SnapshotCollector> {
        let descriptions = Metric::ALL.iter().map(|metric| describe(*metric)).collect::<Result<_, _>>()?;
        Ok(SnapshotCollector { published, descriptions, exposed: Mutex::new([0; Metric::ALL.len()]) })
    }
}

fn describe(metric: Metric) -> prometheus::Result<Desc> {
    let info = metric.info();
    let labels = info.labels.iter().map(|label| (*label).to_owned()).collect();
    Desc::new(info.name.to_owned(), info.help.to_owned(), labels, std::collections::HashMap::default())
}

impl Collector for SnapshotCollector {
    fn desc(&self) -> Vec<&Desc> {
        self.descriptions.iter().collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let snapshot = self.published.latest();
        families(&snapshot, &mut self.exposed.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A registry that exposes what is published.
pub fn registry(published: Arc<Published>) -> prometheus::Result<Registry> {
    let registry = Registry::new();
    registry.register(Box::new(SnapshotCollector::new(published)?))?;
    Ok(registry)
}

/// The exposition of a registry.
pub fn exposition(registry: &Registry) -> prometheus::Result<String> {
    TextEncoder::new().encode_to_string(&registry.gather())
}

/// Samples of a family stand together in a snapshot; each run becomes a family. (The registry joins runs
/// of the same name.)
fn families(snapshot: &Snapshot, exposed: &mut Exposed) -> Vec<MetricFamily> {
    snapshot
        .samples
        .chunk_by(|a, b| a.metric == b.metric)
        .filter_map(|run| {
            let metric = run.first()?.metric;
            let youngest = &mut exposed[metric as usize];
            let family = family(metric, run, *youngest);
            *youngest = run.iter().map(|sample| sample.born).fold(*youngest, u64::max);
            Some(family)
        })
        .collect()
}

fn family(metric: Metric, samples: &[Sample], exposed: u64) -> MetricFamily {
    let info = metric.info();
    let mut family = MetricFamily::default();
    family.set_name(info.name.to_owned());
    family.set_help(info.help.to_owned());
    family.set_field_type(match info.kind {
        metric_table::MetricType::Counter => MetricType::COUNTER,
        metric_table::MetricType::Gauge => MetricType::GAUGE,
        metric_table::MetricType::Histogram => MetricType::HISTOGRAM,
    });
    family.set_metric(samples.iter().map(|sample| line(info, sample, sample.born > exposed)).collect());
    family
}

fn line(info: &metric_table::MetricInfo, sample: &Sample, new: bool) -> Line {
    let mut line = Line::default();
    let labels = info.labels.iter().zip(sample.labels.values()).map(|(name, value)| {
        let mut pair = LabelPair::default();
        pair.set_name((*name).to_owned());
        pair.set_value(value.to_string());
        pair
    });
    line.set_label(labels.collect());
    match (&sample.value, info.kind) {
        (Value::Latency(latency), _) => line.set_histogram(histogram(latency)),
        (Value::Number(number), metric_table::MetricType::Counter) => {
            let mut counter = Counter::default();
            counter.set_value(if new { 0.0 } else { *number });
            line.set_counter(counter);
        }
        (Value::Number(number), _) => {
            let mut gauge = Gauge::default();
            gauge.set_value(*number);
            line.set_gauge(gauge);
        }
    }
    line
}

fn histogram(latency: &Latency) -> Histogram {
    let mut total = 0;
    let mut buckets = Vec::with_capacity(LATENCY_BOUNDS_NS.len());
    for (count, bound) in latency.counts.iter().zip(LATENCY_BOUNDS_NS) {
        total += count;
        let mut bucket = Bucket::default();
        bucket.set_upper_bound(bound as f64 / 1e9);
        bucket.set_cumulative_count(total);
        buckets.push(bucket);
    }
    let mut histogram = Histogram::default();
    histogram.set_bucket(buckets);
    histogram.set_sample_count(latency.counts.iter().sum());
    histogram.set_sample_sum(latency.sum_ns as f64 / 1e9);
    histogram
}
