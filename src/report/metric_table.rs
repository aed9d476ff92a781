//! Every metric, once: name, type, labels, limit, help. `docs/metrics.md` is made from this table, and a test
//! holds the rules and dashboards in `grafana/` to it.
//!
//! Labels hold names from closed sets (protocols, kinds, actions) or from the configuration (stations,
//! interfaces), never addresses or values of the wire. Families whose labels name stations have a limit.

/// What a metric is.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub enum MetricType {
    /// Only rises.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts by size.
    Histogram,
}

impl MetricType {
    /// Lower-case name.
    pub fn name(self) -> &'static str {
        match self {
            MetricType::Counter => "counter",
            MetricType::Gauge => "gauge",
            MetricType::Histogram => "histogram",
        }
    }
}

/// One family of metrics.
#[derive(Debug)]
pub struct MetricInfo {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub kind: MetricType,
    /// Names of its labels.
    pub labels: &'static [&'static str],
    /// Most label sets it exposes, if it is not bounded by closed sets and the configured interfaces. Label
    /// sets beyond are counted under station `_other`.
    pub limit: Option<usize>,
    /// A sentence for people.
    pub help: &'static str,
}

macro_rules! metrics {
    ($($variant:ident, $kind:ident, $name:literal, [$($label:literal),*], $limit:expr, $help:literal;)+) => {
        /// Every family of metrics.
        #[derive(Debug, Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash)]
        pub enum Metric { $(#[doc = $help] $variant),+ }

        impl Metric {
            /// All families, in the order of the exposition.
            pub const ALL: &'static [Metric] = &[$(Metric::$variant),+];

            /// What is known about it.
            pub fn info(self) -> &'static MetricInfo {
                match self {
                    $(Metric::$variant => &MetricInfo {
                        name: $name, kind: MetricType::$kind, labels: &[$($label),*], limit: $limit,
                        help: $help,
                    }),+
                }
            }
        }
    };
}

metrics! {
    BuildInfo, Gauge, "gridtap_build_info", ["version"], None, "Facts about the program; always 1.";
    ProfileInfo, Gauge, "gridtap_profile_info", ["profile", "profile_version", "sha256", "mode"], None, "The profile in force; mode is monitoring, or none without a profile; always 1.";
    ProfileReloadSuccess, Gauge, "gridtap_profile_last_reload_success", [], None, "1 if the profile's files, as they are now, are sound and in force; 0 if they have errors and an older profile is. Only where there is a profile.";
    ProfileReloads, Counter, "gridtap_profile_reloads_total", ["result"], None, "Changes of the profile while running; result is changed, or refused for one with errors.";

    CapturePackets, Counter, "gridtap_capture_packets_total", ["interface"], None, "Packets read from the tap or file.";
    CaptureBytes, Counter, "gridtap_capture_bytes_total", ["interface"], None, "Bytes of captured packets, as long as they were on the wire.";
    CaptureDropped, Counter, "gridtap_capture_dropped_packets_total", ["interface", "reason"], None, "Packets lost before they were decoded; reason is kernel (the ring was full), interface (it had no room for them) or queue.";
    CaptureDamaged, Counter, "gridtap_capture_damaged_total", ["interface"], None, "Places at which a capture file was damaged or cut short, or a tap failed.";
    CaptureLastPacket, Gauge, "gridtap_capture_last_packet_timestamp_seconds", ["interface"], None, "Unix time of the last packet read, by the packet's own stamp.";
    CaptureTruncated, Counter, "gridtap_capture_truncated_packets_total", ["interface"], None, "Packets that the snap length cut.";

    CaptureUp, Gauge, "gridtap_capture_up", ["interface"], None, "1 while the tap is listened on, 0 while it is down or gone.";

    DecapLayers, Counter, "gridtap_decap_layers_total", ["layer"], None, "Headers taken off, by layer (vlan, mpls, gre, erspan, vxlan, fragment and so on).";
    DecapUndecoded, Counter, "gridtap_decap_undecoded_packets_total", ["reason"], None, "Packets that could not be taken apart down to a payload, by reason.";
    DuplicateFrames, Counter, "gridtap_duplicate_packets_total", [], None, "Packets seen twice (double span, loopback, redundant network) and judged once.";
    WithoutIp, Counter, "gridtap_decap_without_ip_total", [], None, "Ethernet frames without IP that were read: GOOSE (decoded; see gridtap_pdus_total), ARP (read for the inventory), others such as LLDP.";

    Flows, Gauge, "gridtap_flows", ["protocol"], None, "Flows now in the flow table.";
    FlowCapacity, Gauge, "gridtap_flow_table_capacity", [], None, "Most flows that the flow table holds.";
    FlowEvictions, Counter, "gridtap_flow_evictions_total", ["reason"], None, "Flows removed from the table; reason is idle, closed or capacity.";
    FlowsOneWay, Counter, "gridtap_one_way_flows_total", [], None, "Flows of which only one direction was seen.";
    FlowsOneWayNow, Gauge, "gridtap_one_way_flows", [], None, "Flows now in the flow table of which only one direction was seen, after enough segments to tell.";
    FlowsMidstream, Counter, "gridtap_midstream_flows_total", [], None, "Flows whose beginning was not seen.";
    ReassemblyGaps, Counter, "gridtap_reassembly_gaps_total", ["protocol"], None, "Holes in streams given up on: bytes never seen.";
    ReassemblyBuffered, Gauge, "gridtap_reassembly_buffered_bytes", [], None, "Bytes held for reassembly.";
    ReassemblyGivenUp, Counter, "gridtap_reassembly_given_up_total", ["reason"], None, "Times that reassembly gave something up, by reason.";

    Pdus, Counter, "gridtap_pdus_total", ["protocol"], None, "Protocol data units seen.";
    DecodeErrors, Counter, "gridtap_decode_errors_total", ["protocol", "reason"], None, "Defects found while decoding and pairing, by kind.";
    Operations, Counter, "gridtap_operations_total", ["station", "protocol", "operation"], Some(6_000), "Operations by station and function; an answer is not counted again beside its request.";
    ControlCommands, Counter, "gridtap_control_commands_total", ["station", "protocol", "command", "outcome"], Some(3_000), "Commands that change something, by class; outcome is confirmed, rejected, unanswered or none_expected.";
    Exceptions, Counter, "gridtap_exceptions_total", ["station", "protocol", "code"], Some(2_000), "Requests that a station refused, by the name of its reason.";
    Unanswered, Counter, "gridtap_unanswered_requests_total", ["station", "protocol"], Some(2_000), "Requests without an answer in time.";
    ResponseLatency, Histogram, "gridtap_response_latency_seconds", ["protocol"], None, "Time from request to answer, as the tap saw them.";
    StationInfo, Gauge, "gridtap_station_info", ["station", "protocol", "address", "role", "site"], Some(2_000), "Facts of the profile about a station, for joins: the address of its host, its role, the name of the site; always 1.";
    StationLastSeen, Gauge, "gridtap_station_last_seen_timestamp_seconds", ["station", "protocol"], Some(2_000), "Unix time of the last operation sent by the station.";
    StationSilent, Gauge, "gridtap_station_silent", ["station", "protocol"], Some(2_000), "1 while the station is silent although it used to answer or report, to whomever; pairs with stations without a name are added up.";
    StationPollInterval, Gauge, "gridtap_station_poll_interval_seconds", ["station", "protocol"], Some(2_000), "Time between two of the station's fastest polls: the median of the last 16.";
    StationPollBaseline, Gauge, "gridtap_station_poll_interval_baseline_seconds", ["station", "protocol"], Some(2_000), "What that time should be: by the profile's poll, or as it was at first.";
    StationPollsMissed, Counter, "gridtap_station_polls_missed_total", ["station", "protocol"], Some(2_000), "Polls of a known period that did not come.";

    PointValue, Gauge, "gridtap_point_value", ["station", "point"], Some(2_000), "Last value of a point that the profile selects (metric = true), in its unit.";
    PointQuality, Gauge, "gridtap_point_quality_good", ["station", "point"], Some(2_000), "1 if the station vouched for that value: DNP3 flags say online and not restarted. Modbus has no flags.";
    PointInfo, Gauge, "gridtap_point_info", ["station", "point", "unit"], Some(2_000), "Unit of a selected point, for joins; always 1.";
    Assets, Gauge, "gridtap_assets", ["state"], None, "Hosts that have sent something; state is profiled or unprofiled.";

    Anomalies, Counter, "gridtap_anomalies_total", ["kind", "severity"], None, "Findings, repeats included, by kind.";
    StationAnomalies, Counter, "gridtap_station_anomalies_total", ["station", "kind"], Some(6_000), "Findings, repeats included, by station.";
    AnomalyKindInfo, Gauge, "gridtap_anomaly_kind_info", ["kind", "severity", "id", "technique", "technique_v19", "technique_name", "tactic"], None, "What a kind of finding means: its catalogue id and first ATT&CK for ICS technique; always 1.";
    AnomaliesSuppressed, Counter, "gridtap_anomalies_suppressed_total", ["kind", "reason"], None, "Findings not written on their own; reason is duplicate (folded into an earlier one), coverage (withheld because something was not seen) or quirk (a known deviation of the station, by the profile).";
    FoldsEvicted, Counter, "gridtap_fold_evictions_total", [], None, "Windows of repeats that ended early because the table was full.";
    TablesFull, Counter, "gridtap_tables_full_total", ["table"], None, "What could not be remembered because a table of the detections was full.";

    EventsEmitted, Counter, "gridtap_events_emitted_total", ["sink"], None, "Events written.";
    EventsDropped, Counter, "gridtap_events_dropped_total", ["sink", "reason"], None, "Events lost; reason is queue_full or error.";
    EventErrors, Counter, "gridtap_event_write_errors_total", ["sink"], None, "Attempts to write events that failed.";
    EventQueue, Gauge, "gridtap_event_queue_length", ["sink"], None, "Events that wait for the writer, in bytes.";
    EventQueueCapacity, Gauge, "gridtap_event_queue_capacity", ["sink"], None, "Most bytes of events that may wait for the writer.";
    EventLastSuccess, Gauge, "gridtap_event_sink_last_success_timestamp_seconds", ["sink"], None, "Unix time of the last successful write.";

    MetricSeries, Gauge, "gridtap_metric_series", ["family"], None, "Label sets that a family with station labels exposes now.";
    MetricSeriesDropped, Counter, "gridtap_metric_series_dropped_total", ["family"], None, "Updates counted under station _other because the family was full; of gridtap_station_info and gridtap_point_value: stations and points left out.";
}

/// The table as Markdown, the content of `docs/metrics.md`.
pub fn markdown() -> String {
    use core::fmt::Write as _;
    let mut text = String::from(
        "# Metrics\n\n\
         Made from the table in `src/report/metric_table.rs`; a test keeps the two alike.\n\n\
         Station labels are names from the profile. Stations without one are counted together as\n\
         `_unprofiled`; what exceeds a family's limit is counted as `_other` and shown by\n\
         `gridtap_metric_series_dropped_total`. Addresses and values are in the event log only.\n\n\
         A label set of a counter that was not there before is exposed as 0 for one scrape, then counts, so that\n\
         `increase()` sees the first event. With two Prometheus servers only the first to come sees that 0; the\n\
         fleet-wide families and the worst kinds of every station (as many as fit into 1,000 label sets) are\n\
         there from the start.\n\n\
         | metric | type | labels | limit | meaning |\n|---|---|---|---|---|\n",
    );
    for metric in Metric::ALL {
        let info = metric.info();
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "| `{}` | {} | {} | {} | {} |",
            info.name,
            info.kind.name(),
            info.labels.join(", "),
            info.limit.map_or_else(String::new, |limit| limit.to_string()),
            info.help
        );
    }
    text.push_str(FOOT);
    text
}

const FOOT: &str = include_str!("metrics-foot.md");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_is_made_from_the_table() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/metrics.md");
        if std::env::var_os("GRIDTAP_WRITE_DOCS").is_some() {
            let _ = std::fs::write(path, markdown());
        }
        let document = std::fs::read_to_string(path).unwrap_or_default();
        assert!(document == markdown(), "run the tests with GRIDTAP_WRITE_DOCS=1 to write docs/metrics.md");
    }

    #[test]
    fn names_are_unique_and_follow_the_rules() {
        let mut names: Vec<&str> = Metric::ALL.iter().map(|m| m.info().name).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
        for metric in Metric::ALL {
            let info = metric.info();
            assert!(info.name.starts_with("gridtap_"));
            assert_eq!(info.name.ends_with("_total"), info.kind == MetricType::Counter, "{}", info.name);
            assert!(info.help.ends_with('.'));
            let of_stations = info.labels.contains(&"station");
            assert_eq!(of_stations, info.limit.is_some(), "{}: stations need a limit", info.name);
        }
    }
}
