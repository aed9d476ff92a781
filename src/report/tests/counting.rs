//! Counters, their exposition and the summary.

use super::super::catalogue::Severity;
use super::super::record::{StationChange, Verdict};
use super::super::series::UNPROFILED;
use super::super::snapshot::Published;
use super::super::vitals::TapVitals;
use super::*;
use crate::detect::association::AssociationKey;
use crate::serve::metrics;
use crate::site::restarts::{RESTARTS_KEPT, Restart};

fn sinks() -> EventLog {
    let writer = Some(Collected::default().writer());
    let config = SinksConfig { identity: identity(), writer, ..SinksConfig::default() };
    EventLog::with(config, &["pump", "valve"])
}

fn vitals() -> Vitals {
    Vitals {
        taps: vec![TapVitals {
            name: "eth0".into(),
            packets: 1000,
            bytes: 70_000,
            dropped_kernel: 3,
            damaged: 1,
            last_packet: Some(Timestamp(T0)),
            ..TapVitals::default()
        }],
        decap_layers: vec![("vlan", 9)],
        undecoded: vec![("other_link_type", 2)],
        flows: vec![("modbus", 4), ("dnp3", 0)],
        flow_capacity: 65_536,
        flow_evictions: vec![("idle", 1), ("closed", 2), ("capacity", 0)],
        gaps: vec![("modbus", 1), ("dnp3", 0)],
        gap_bytes: 1460,
        one_way_flows: 1,
        one_way_open: 1,
        midstream_flows: 2,
        reassembly_dropped: vec![("flow_limit", 0)],
        tables_full: vec![("selects_not_remembered", 0)],
        profile_reloads: vec![("changed", 1), ("refused", 0)],
        profile_sound: Some(true),
        assets: vec![("profiled", 2), ("unprofiled", 0)],
        ..Vitals::default()
    }
}

fn text_of(sinks: &mut EventLog) -> String {
    let published = Arc::new(Published::new());
    published.publish(sinks.snapshot(&vitals()));
    let registry = metrics::registry(published).unwrap();
    // What is new is 0 at first.
    metrics::exposition(&registry).unwrap();
    metrics::exposition(&registry).unwrap()
}

/// The value of a line of the exposition.
fn value(text: &str, series: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {series} in\n{text}")).parse().unwrap()
}

const PUMP: Judgement<'_> = Judgement {
    verdict: Verdict::Allowed,
    rule: None,
    station: Some(0),
    station_name: Some("pump"),
    client_name: None,
};

fn answer<'a>(
    flow: &'a FlowInfo,
    detail: &'a dyn Detail,
    outcome: Outcome,
    latency_ns: u64,
) -> Operation<'a> {
    Operation {
        exchange: Exchange::Response,
        direction: Direction::ToClient,
        from_master: false,
        outcome,
        answers: Some(Answered { at: Timestamp(T0 - latency_ns), frame: frame(3) }),
        ..write_coil(flow, detail, T0)
    }
}

#[test]
fn operations_and_their_answers_are_counted_once() {
    let (flow, detail) = (flow(1), Content(&[]));
    let mut sinks = sinks();
    let request = write_coil(&flow, &detail, T0);
    sinks.operation(&request, &PUMP);
    sinks.operation(&request, &Judgement::default());
    sinks.operation(&answer(&flow, &detail, Outcome::Success, 4_000_000), &PUMP);
    let refused = Outcome::Refused { code: 2, name: "illegal_data_address" };
    sinks.operation(&answer(&flow, &detail, refused, 20_000_000), &PUMP);
    let text = text_of(&mut sinks);
    let count = |series: &str| value(&text, series);
    let series = |station: &str| {
        format!(
            "gridtap_operations_total{{station=\"{station}\",protocol=\"modbus\",operation=\"write_single_coil\"}}"
        )
    };
    assert_eq!(count(&series("pump")), 1);
    assert_eq!(count(&series(UNPROFILED)), 1);
    let controls = |outcome: &str| {
        format!(
            "gridtap_control_commands_total{{station=\"pump\",protocol=\"modbus\",command=\"write\",outcome=\"{outcome}\"}}"
        )
    };
    assert_eq!(count(&controls("confirmed")), 1);
    assert_eq!(count(&controls("rejected")), 1);
    let exceptions =
        "gridtap_exceptions_total{station=\"pump\",protocol=\"modbus\",code=\"illegal_data_address\"}";
    assert_eq!(count(exceptions), 1);
    let bucket = |bound: &str| {
        format!("gridtap_response_latency_seconds_bucket{{protocol=\"modbus\",le=\"{bound}\"}}")
    };
    assert_eq!([count(&bucket("0.0025")), count(&bucket("0.005")), count(&bucket("+Inf"))], [0, 1, 2]);
    let seen = "gridtap_station_last_seen_timestamp_seconds{station=\"pump\",protocol=\"modbus\"}";
    assert_eq!(count(seen), 1_700_000_000);
}

#[test]
fn a_command_that_was_never_answered_is_counted_by_its_class() {
    let (flow, detail) = (flow(1), Content(&[]));
    let mut sinks = sinks();
    let request = write_coil(&flow, &detail, T0);
    sinks.operation(&request, &PUMP);
    let mut silent = Defect {
        flow: &flow,
        direction: Direction::ToServer,
        origin: request.origin,
        protocol: Protocol::Modbus,
        kind: DefectKind::UnansweredRequest,
        check: "",
        station: request.station,
        from_master: Some(true),
        function: Some(request.function),
        expected: format_args!(""),
        observed: format_args!(""),
        octets: &[],
        skipped: 0,
        offset: 0,
    };
    sinks.defect(&silent, Some("pump"));
    // A read that was never answered is no command.
    silent.function = Some(Function { code: 3, sub: None, name: "read_holding_registers" });
    sinks.defect(&silent, Some("pump"));
    let text = text_of(&mut sinks);
    let series = "gridtap_control_commands_total{station=\"pump\",protocol=\"modbus\",command=\"write\",outcome=\"unanswered\"}";
    assert_eq!(value(&text, series), 1);
    assert_eq!(value(&text, "gridtap_unanswered_requests_total{station=\"pump\",protocol=\"modbus\"}"), 2);
    let errors = "gridtap_decode_errors_total{protocol=\"modbus\",reason=\"unanswered_request\"}";
    assert_eq!(value(&text, errors), 2);
}

#[test]
fn stations_known_by_name_only_stay_apart() {
    let (flow, detail) = (flow(1), Content(&[]));
    let mut sinks = sinks();
    for name in ["a", "b", "a"] {
        let judgement = Judgement { station_name: Some(name), ..Judgement::default() };
        sinks.operation(&write_coil(&flow, &detail, T0), &judgement);
    }
    let text = text_of(&mut sinks);
    let series = |name: &str| {
        format!(
            "gridtap_operations_total{{station=\"{name}\",protocol=\"modbus\",operation=\"write_single_coil\"}}"
        )
    };
    assert_eq!([value(&text, &series("a")), value(&text, &series("b"))], [2, 1]);
}

#[test]
fn two_hundred_thousand_spoofed_stations_are_one_series() {
    let (flow, detail) = (flow(1), Content(&[]));
    let mut sinks = sinks();
    for n in 0..200_000u32 {
        let mut operation = write_coil(&flow, &detail, T0);
        operation.station = StationAddress::Link((n % 65_536) as u16);
        operation.function.code = (n % 256) as u8;
        operation.function.sub = Some((n / 3 % 65_536) as u16);
        operation.function.name = "unknown";
        sinks.operation(&operation, &Judgement::default());
    }
    let text = text_of(&mut sinks);
    let lines: Vec<_> = text.lines().filter(|line| line.starts_with("gridtap_operations_total")).collect();
    assert_eq!(
        lines,
        [
            "gridtap_operations_total{station=\"_unprofiled\",protocol=\"modbus\",operation=\"unknown\"} 200000"
        ]
    );
}

#[test]
fn label_sets_that_concatenate_alike_are_exposed_apart() {
    let (flow, detail) = (flow(1), Content(&[]));
    let mut sinks = sinks();
    for (station, name) in [("1", "16"), ("11", "6")] {
        let mut operation = write_coil(&flow, &detail, T0);
        operation.function.name = name;
        let judgement = Judgement { station_name: Some(station), ..Judgement::default() };
        sinks.operation(&operation, &judgement);
    }
    let text = text_of(&mut sinks);
    let series = "gridtap_operations_total{station=\"1\",protocol=\"modbus\",operation=\"16\"}";
    assert_eq!(value(&text, series), 1);
    let series = "gridtap_operations_total{station=\"11\",protocol=\"modbus\",operation=\"6\"}";
    assert_eq!(value(&text, series), 1);
}

#[test]
fn every_kind_of_anomaly_is_there_from_the_start() {
    let text = text_of(&mut sinks());
    assert_eq!(value(&text, "gridtap_anomalies_total{kind=\"unprofiled_control\",severity=\"critical\"}"), 0);
    let count = |prefix: &str| text.lines().filter(|line| line.starts_with(prefix)).count();
    let kinds = super::super::catalogue::CATALOGUE.len();
    assert_eq!(count("gridtap_anomalies_total{"), kinds);
    assert_eq!(count("gridtap_anomaly_kind_info{"), kinds);
    // Repeats, want of coverage, quirks.
    assert_eq!(count("gridtap_anomalies_suppressed_total{"), 3 * kinds);
}

#[test]
fn findings_are_counted_with_their_repeats() {
    let mut sinks = sinks();
    let raised = Finding { station_name: Some("pump"), ..finding(None, FindingKind::UnprofiledControl, T0) };
    for _ in 0..5 {
        sinks.finding(&raised);
    }
    sinks.withheld(FindingKind::UnansweredRequest);
    let text = text_of(&mut sinks);
    assert_eq!(value(&text, "gridtap_anomalies_total{kind=\"unprofiled_control\",severity=\"critical\"}"), 5);
    let series = "gridtap_anomalies_suppressed_total{kind=\"unprofiled_control\",reason=\"duplicate\"}";
    assert_eq!(value(&text, series), 4);
    let series = "gridtap_anomalies_suppressed_total{kind=\"unanswered_request\",reason=\"coverage\"}";
    assert_eq!(value(&text, series), 1);
    let series = "gridtap_station_anomalies_total{station=\"pump\",kind=\"unprofiled_control\"}";
    assert_eq!(value(&text, series), 5);
}

#[test]
fn a_finding_above_its_kinds_severity_increases_from_zero() {
    let mut sinks = sinks();
    let published = Arc::new(Published::new());
    let registry = metrics::registry(Arc::clone(&published)).unwrap();
    let scrape = |sinks: &mut EventLog| {
        published.publish(sinks.snapshot(&vitals()));
        metrics::exposition(&registry).unwrap()
    };
    let series = "gridtap_anomalies_total{kind=\"stuck_value\",severity=\"critical\"}";
    assert!(!scrape(&mut sinks).contains(series));
    let kind = FindingKind::StuckValue;
    sinks.finding(&Finding { severity: Some(Severity::Critical), ..finding(None, kind, T0) });
    assert_eq!(value(&scrape(&mut sinks), series), 0);
    assert_eq!(value(&scrape(&mut sinks), series), 1);
}

/// The pump's polling changed.
fn pump_is(change: StationChange) -> StationState<'static> {
    let server = flow(1).server;
    let (protocol, station) = (Protocol::Modbus, StationAddress::Unit(1));
    StationState { at: Timestamp(T0), protocol, server, station, station_name: Some("pump"), change }
}

#[test]
fn a_station_is_silent_until_it_answers_again_and_its_polls_have_a_period() {
    let mut sinks = sinks();
    let labels = "{station=\"pump\",protocol=\"modbus\"}";
    let read =
        |sinks: &mut EventLog, name: &str| value(&text_of(sinks), &format!("gridtap_station_{name}{labels}"));
    sinks.station_state(&pump_is(StationChange::Period(2_000_000_000)));
    assert_eq!(read(&mut sinks, "silent"), 0, "there before the first outage");
    sinks.station_state(&pump_is(StationChange::Missed(3)));
    sinks.station_state(&pump_is(StationChange::Silent));
    assert_eq!(read(&mut sinks, "silent"), 1);
    sinks.station_state(&pump_is(StationChange::AnswersAgain(7)));
    sinks.station_state(&pump_is(StationChange::Missed(1)));
    assert_eq!(read(&mut sinks, "silent"), 0);
    assert_eq!(read(&mut sinks, "polls_missed_total"), 4);
    assert_eq!(read(&mut sinks, "poll_interval_baseline_seconds"), 2);
    // Silent to one master, while another is answered: the station is not silent.
    sinks.station_state(&pump_is(StationChange::Silent));
    let (flow, detail) = (flow(1), Content(&[]));
    let answered = answer(&flow, &detail, Outcome::Success, 1);
    let origin = Origin { at: Timestamp(T0 + 1), ..answered.origin };
    sinks.operation(&Operation { origin, ..answered }, &PUMP);
    assert_eq!(read(&mut sinks, "silent"), 0);
    sinks.station_state(&StationState { at: Timestamp(T0 + 2), ..pump_is(StationChange::Silent) });
    assert_eq!(read(&mut sinks, "silent"), 1, "nor is the other any more");
    // Stations without a name are silent together, and have no period in common.
    let nameless = |change| StationState { station_name: None, ..pump_is(change) };
    sinks.station_state(&pump_is(StationChange::Interval(3_000_000_000)));
    assert_eq!(read(&mut sinks, "poll_interval_seconds"), 3);
    for change in
        [StationChange::Period(1), StationChange::Interval(1), StationChange::Silent, StationChange::Silent]
    {
        sinks.station_state(&nameless(change));
    }
    let text = text_of(&mut sinks);
    let labels = labels.replace("pump", "_unprofiled");
    assert_eq!(value(&text, &format!("gridtap_station_silent{labels}")), 2);
    assert!(!text.contains(&format!("gridtap_station_poll_interval_baseline_seconds{labels}")));
}

#[test]
fn no_family_has_the_same_labels_twice_and_every_family_can_be_exposed() {
    let (flow, detail) = (flow(1), Content(&[]));
    let mut sinks = sinks();
    let unit = Unit {
        flow: &flow,
        direction: Direction::ToServer,
        origin: Origin::default(),
        head: Origin::default(),
        protocol: Protocol::Dnp3,
        recovered: false,
        opens: false,
        detail: &detail,
    };
    sinks.unit(&unit);
    sinks.operation(&write_coil(&flow, &detail, T0), &PUMP);
    sinks.operation(&answer(&flow, &detail, Outcome::Success, 1), &PUMP);
    let refused = Outcome::Refused { code: 2, name: "illegal_data_address" };
    sinks.operation(&answer(&flow, &detail, refused, 1), &PUMP);
    sinks.finding(&finding(None, FindingKind::UnprofiledControl, T0));
    sinks.station_state(&pump_is(StationChange::Period(2_000_000_000)));
    sinks.station_state(&pump_is(StationChange::Interval(2_000_000_000)));
    let text = text_of(&mut sinks);
    let mut series: Vec<_> = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.rsplit_once(' ').unwrap().0)
        .collect();
    let count = series.len();
    series.sort_unstable();
    series.dedup();
    assert_eq!(series.len(), count);
    // The last success and the points have no sample here; all others have.
    for metric in super::super::metric_table::Metric::ALL {
        let name = metric.info().name;
        let optional = name.contains("point_") || name.contains("last_success");
        assert!(optional || text.contains(&format!("# TYPE {name} ")), "{name}");
    }
    promtool(&text);
}

/// Debian's promtool, where it is installed, has the last word.
fn promtool(text: &str) {
    use std::io::Write as _;
    use std::process::{Command, Stdio};
    let child = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut child) = child else {
        crate::testing::skip("promtool check metrics", "promtool is not installed");
        return;
    };
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said =
        String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.trim().is_empty(), "{said}");
}

#[test]
fn the_summary_has_the_promised_keys_and_says_what_was_not_seen() {
    let (flow, detail) = (flow(1), Content(&[]));
    let mut sinks = sinks();
    sinks.operation(&write_coil(&flow, &detail, T0), &PUMP);
    for kind in
        [FindingKind::UnprofiledClient, FindingKind::UnprofiledStation, FindingKind::UnprofiledControl]
    {
        sinks.finding(&finding(None, kind, T0));
    }
    sinks.withheld(FindingKind::UnansweredRequest);
    let (summary, result) = sinks.sum_up(Timestamp(T0), &vitals());
    result.unwrap();
    let json: JsonValue = serde_json::from_str(&summary.to_json()).unwrap();
    assert_eq!(json["packets"], 1000);
    assert_eq!(json["pdus"], serde_json::json!({"modbus": 0, "dnp3": 0, "iec104": 0, "goose": 0}));
    assert_eq!(json["operations"]["modbus"]["write_single_coil"], 1);
    assert_eq!(json["findings"], serde_json::json!({"POL-01": 1, "POL-02": 2}));
    assert_eq!(json["coverage"]["gaps"], 1);
    assert_eq!(json["coverage"]["dropped_packets"], 3);
    assert_eq!(json["coverage"]["withheld_findings"]["unanswered_request"], 1);
    assert_eq!(json["coverage"]["complete"], false);
    let text = summary.to_string();
    let worst = text.find("critical  POL-01").unwrap();
    assert!(worst < text.find("high      POL-02").unwrap(), "the worst comes first\n{text}");
    assert!(text.contains("       3  packets lost at the tap"), "{text}");
    assert!(text.contains("1460 octets never seen"), "{text}");
}

#[test]
fn the_summary_always_says_what_could_not_be_seen() {
    let (summary, _) = EventLog::with(SinksConfig::default(), &[]).sum_up(Timestamp(T0), &Vitals::default());
    let text = summary.to_string();
    assert!(text.ends_with("What could not be seen\n  nothing: all that was captured was read\n"), "{text}");
    let json: JsonValue = serde_json::from_str(&summary.to_json()).unwrap();
    assert_eq!(json["coverage"]["complete"], true);
}

#[test]
fn a_summary_does_not_pass_frames_without_ip_for_decoded_ones() {
    let quiet = Vitals { taps: vec![TapVitals { packets: 7, ..TapVitals::default() }], ..Vitals::default() };
    let of = |vitals: &Vitals| sinks().sum_up(Timestamp(T0), vitals).0;
    let goose = of(&Vitals { without_ip: 7, ..quiet.clone() });
    assert!(goose.to_string().contains("7  packets without IP"), "{goose}");
    assert!(goose.to_string().contains("what else is without IP is not decoded"), "{goose}");
    assert!(goose.to_json().contains("\"packets_without_ip\":7"), "{goose}");
    let plain = of(&quiet).to_string();
    assert!(plain.contains("nothing: all that was captured was read"), "{plain}");
}

#[test]
fn a_full_table_of_detection_makes_a_run_incomplete() {
    let of = |count| {
        let tables_full = vec![("selects_not_remembered", count)];
        sinks().sum_up(Timestamp(T0), &Vitals { tables_full, ..Vitals::default() }).0
    };
    let full = of(3);
    assert!(full.to_string().contains("3  selects not remembered, because a table was full"), "{full}");
    assert!(full.to_json().contains("\"complete\":false"), "{full}");
    assert!(of(0).to_json().contains("\"complete\":true"));
}

/// What is new is exposed as 0 once, so that Prometheus sees it increase; what the profile and the catalogue
/// name is there before.
#[test]
fn a_new_label_set_of_a_counter_is_zero_for_one_scrape() {
    let (flow, detail) = (flow(1), Content(&[]));
    let mut sinks = sinks();
    let published = Arc::new(Published::new());
    let registry = metrics::registry(Arc::clone(&published)).unwrap();
    let scrape = |sinks: &mut EventLog| {
        published.publish(sinks.snapshot(&vitals()));
        metrics::exposition(&registry).unwrap()
    };
    let worst = "gridtap_station_anomalies_total{station=\"pump\",kind=\"unprofiled_control\"}";
    let unanswered = "gridtap_unanswered_requests_total{station=\"valve\",protocol=\"modbus\"}";
    let first = scrape(&mut sinks);
    assert_eq!([value(&first, worst), value(&first, unanswered)], [0, 0]);

    let series =
        "gridtap_operations_total{station=\"pump\",protocol=\"modbus\",operation=\"write_single_coil\"}";
    assert!(!first.contains(series));
    sinks.operation(&write_coil(&flow, &detail, T0), &PUMP);
    sinks.finding(&Finding {
        station_name: Some("pump"),
        ..finding(None, FindingKind::UnprofiledControl, T0)
    });
    let second = scrape(&mut sinks);
    assert_eq!([value(&second, worst), value(&second, series)], [1, 0], "known kinds count at once");
    assert_eq!(value(&scrape(&mut sinks), series), 1);
    // A gauge is what it is.
    sinks.station_state(&pump_is(StationChange::Period(2_000_000_000)));
    let baseline = "gridtap_station_poll_interval_baseline_seconds{station=\"pump\",protocol=\"modbus\"}";
    assert_eq!(value(&scrape(&mut sinks), baseline), 2);
}

#[test]
fn a_station_that_the_profile_drops_goes_and_a_silent_one_stays() {
    let (flow, detail) = (flow(1), Content(&[]));
    let mut sinks = sinks();
    sinks.operation(&write_coil(&flow, &detail, T0), &PUMP);
    sinks.operation(&write_coil(&flow, &detail, T0), &Judgement::default());
    let count = |text: &str, station: &str| {
        text.lines().filter(|line| line.contains(&format!("station=\"{station}\""))).count()
    };
    let text = text_of(&mut sinks);
    assert!(count(&text, "pump") > 0 && count(&text, "valve") > 0 && count(&text, UNPROFILED) > 0);
    sinks.set_roster(&["valve", "fan"]);
    let text = text_of(&mut sinks);
    assert_eq!(count(&text, "pump"), 0);
    assert!(count(&text, "valve") > 0 && count(&text, "fan") > 0 && count(&text, UNPROFILED) > 0);
}

#[test]
fn more_stations_than_a_family_has_room_for_are_counted_together() {
    let (flow, detail) = (flow(1), Content(&[]));
    let names: Vec<String> = (0..3_000).map(|n| format!("station-{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let writer = Some(Collected::default().writer());
    let mut sinks = EventLog::with(SinksConfig { writer, ..SinksConfig::default() }, &names);
    for station in 0..3_000 {
        let judgement = Judgement { station: Some(station), ..Judgement::default() };
        sinks.operation(&answer(&flow, &detail, Outcome::Success, 1), &judgement);
        sinks.operation(&write_coil(&flow, &detail, T0), &judgement);
    }
    let text = text_of(&mut sinks);
    let lines = |family: &str| text.lines().filter(|line| line.starts_with(&format!("{family}{{"))).count();
    assert_eq!(lines("gridtap_station_last_seen_timestamp_seconds"), 2_001);
    assert_eq!(lines("gridtap_station_info"), 2_000);
    assert_eq!(lines("gridtap_operations_total"), 3_000);
    let dropped =
        |family: &str| value(&text, &format!("gridtap_metric_series_dropped_total{{family=\"{family}\"}}"));
    assert_eq!(dropped("gridtap_station_last_seen_timestamp_seconds"), 1_000);
    assert_eq!(dropped("gridtap_station_info"), 1_000);
    assert_eq!(dropped("gridtap_operations_total"), 0);
}

#[test]
fn commands_to_restart_that_are_forgotten_are_told_in_the_log() {
    let collected = Collected::default();
    let config =
        SinksConfig { identity: identity(), writer: Some(collected.writer()), ..SinksConfig::default() };
    let mut log = EventLog::with(config, &[]);
    let mut command = |number: usize| {
        let key = AssociationKey {
            master: end(1, 0).host,
            server: end(2, 0).host,
            service: 20_000,
            protocol: Protocol::Dnp3,
            station: StationAddress::Link(number as u16),
        };
        log.restart(RestartSign { at: Timestamp(T0 + number as u64), key, what: Restart::Commanded });
    };
    (0..RESTARTS_KEPT).for_each(&mut command);
    command(0);
    // One more station than are remembered.
    command(RESTARTS_KEPT);
    let (_, written) = log.finish(Timestamp(T0 + 1_000_000));
    written.unwrap();
    let told: Vec<_> = collected
        .lines()
        .into_iter()
        .filter(|line| line["what"] == "restarts_forgotten")
        .map(|line| (line["figures"]["count"].clone(), line["time"].clone()))
        .collect();
    assert_eq!(told, [(1.into(), "2023-11-14T22:13:20.000004096Z".into())]);
}
