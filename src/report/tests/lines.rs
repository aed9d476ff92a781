//! Every kind of line keeps to the schema and says what it should.

use super::super::catalogue::CATALOGUE;
use super::super::record::{OperationsLog, Verdict};
use super::*;

fn schema() -> JsonValue {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/event.schema.json"));
    serde_json::from_str(&text.unwrap()).unwrap()
}

/// Check lines against the schema, and that the schema knows every key that is used.
fn check(lines: &[JsonValue]) {
    let schema = schema();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    for line in lines {
        if let Err(error) = validator.validate(line) {
            panic!("{error} at {} in {line}", error.instance_path());
        }
        let definition = match line["event"].as_str().unwrap() {
            "finding" => "finding",
            "station" => "station_event",
            "sensor" => "sensor_event",
            "control" if line["what"].is_string() => "control_event",
            _ => "operation",
        };
        for key in line.as_object().unwrap().keys() {
            let known = schema["properties"].get(key).is_some()
                || schema["$defs"][definition]["properties"].get(key).is_some();
            assert!(known, "the schema does not know {key} of {definition}");
        }
        for point in line["points"].as_array().into_iter().flatten() {
            let definition = match definition {
                "finding" => "range",
                "control_event" => "control_point",
                _ => "point",
            };
            for key in point.as_object().unwrap().keys() {
                assert!(schema["$defs"][definition]["properties"].get(key).is_some(), "{key}");
            }
        }
    }
}

fn log_of(write: impl FnOnce(&mut EventLog)) -> Vec<JsonValue> {
    let out = Collected::default();
    let mut log = EventLog::new(identity(), Some(out.writer()));
    write(&mut log);
    log.finish(Timestamp(T0)).1.unwrap();
    let lines = out.lines();
    check(&lines);
    lines
}

#[test]
fn every_kind_of_finding_keeps_to_the_schema() {
    let flow = flow(1);
    let lines = log_of(|log| {
        for &kind in CATALOGUE {
            log.finding(&finding(Some(&flow), kind, T0));
        }
    });
    assert_eq!(lines.len(), CATALOGUE.len());
    for (line, kind) in lines.iter().zip(CATALOGUE) {
        assert_eq!(line["id"], kind.id());
        assert_eq!(line["severity"], kind.severity().name());
        let explanation = line["explanation"].as_str().unwrap();
        assert!(explanation.ends_with('.') && explanation.contains("10.0.0.1"), "{explanation}");
        assert!(explanation.contains("expected no control"), "{explanation}");
        assert!(explanation.contains("observed coil 3 switched on"), "{explanation}");
    }
}

#[test]
fn a_finding_says_who_what_where_and_shows_its_evidence() {
    let flow = flow(1);
    let lines = log_of(|log| {
        let mut raised = finding(Some(&flow), FindingKind::UnprofiledControl, T0);
        raised.station_name = Some("pump \"A\"");
        raised.client_name = Some("hmi");
        raised.rule = Some("reads only");
        raised.check = "MB-C03";
        log.finding(&raised);
    });
    let line = &lines[0];
    assert_eq!(line["time"], "2023-11-14T22:13:20.000000000Z");
    assert_eq!(line["sensor"], "bay 1 \"north\"");
    assert_eq!(line["client"], "10.0.0.1:40000");
    assert_eq!(line["server"], "10.0.0.2:502");
    assert_eq!((line["server_ip"].as_str(), line["server_port"].as_u64()), (Some("10.0.0.2"), Some(502)));
    assert_eq!(line["station"], "pump \"A\"");
    assert_eq!(line["station_address"], 7);
    assert_eq!(line["techniques"], serde_json::json!(["T0855", "T1692.001", "T0831"]));
    assert_eq!(line["frames"], serde_json::json!([3, 4]));
    assert_eq!(line["capture"], "a.pcap");
    assert_eq!(line["bytes"].as_str().unwrap(), "ab".repeat(64));
    assert_eq!(line["bytes_omitted"], 6);
    assert_eq!(line["community_id"].as_str().unwrap().len(), 30);
    assert_eq!(line["profile"], serde_json::json!({"name": "substation", "version": "7", "hash": "00ff"}));
    assert_eq!(line["count"], 1);
    assert_eq!(
        line["explanation"],
        "Control that the profile does not allow: hmi (10.0.0.1) sent write single coil (function 5) to \
         pump \"A\" (unit 7 at 10.0.0.2) for coil 3; expected no control from this host, observed coil 3 \
         switched on."
    );
}

#[test]
fn frames_of_several_captures_name_each_capture() {
    let frames = [FrameRef { tap: 0, number: 3 }, FrameRef { tap: 1, number: 1 }];
    let lines = log_of(|log| {
        let mut raised = finding(None, FindingKind::SequenceAnomaly, T0);
        raised.frames = &frames;
        raised.client = Endpoint { host: Host::Mac(MacAddr([2, 0, 0, 0, 0, 1])), port: 0 };
        log.finding(&raised);
    });
    assert_eq!(lines[0]["frame_captures"], serde_json::json!(["a.pcap", "b.pcap"]));
    assert_eq!(lines[0]["client_mac"], "02:00:00:00:00:01");
    assert!(lines[0].get("client_port").is_none() && lines[0].get("community_id").is_none());
}

#[test]
fn an_operation_shows_every_kind_of_value() {
    let values = [
        Value::None,
        Value::Bit(true),
        Value::DoubleBit(2),
        Value::Unsigned(u64::MAX),
        Value::Signed(-5),
        Value::Float32(1.5),
        Value::Float64(f64::NAN),
        Value::TimeMs(1_700_000_000_000),
        Value::TimeMs(u64::MAX),
        Value::Crob(Crob { code: 0x41, count: 1, on_time_ms: 100, off_time_ms: 0 }),
        Value::Mask { and: 1, or: 2 },
        Value::Text(b"r\xffelay"),
        Value::Bytes(&[0xde; 300]),
    ];
    let points: Vec<Point<'_>> = values
        .into_iter()
        .map(|value| Point {
            flags: Some(0b1000_0001),
            status: Some(4),
            time_ms: Some(1_700_000_000_123),
            object: Some((2, 2)),
            ..Point::new(PointKind::BinaryInput, Some(12), value)
        })
        .collect();
    let flow = flow(1);
    let detail = Content(&points);
    let lines = log_of(|log| {
        let mut operation = write_coil(&flow, &detail, T0);
        operation.exchange = Exchange::Response;
        operation.direction = Direction::ToClient;
        operation.from_master = false;
        operation.outcome = Outcome::Refused { code: 2, name: "illegal_data_address" };
        operation.answers = Some(Answered { at: Timestamp(T0 - 1_500_000), frame: frame(3) });
        operation.recovered = true;
        operation.broadcast = true;
        operation.master = StationAddress::Link(1);
        operation.requested = Some(Function { code: 8, sub: Some(1), name: "restart" });
        let judgement = Judgement {
            verdict: Verdict::Denied,
            rule: Some("r1"),
            station_name: Some("pump"),
            client_name: Some("hmi"),
            station: None,
        };
        log.operation(&operation, &judgement);
    });
    let line = &lines[0];
    assert_eq!((line["event"].as_str(), line["latency_ms"].as_f64()), (Some("control"), Some(1.5)));
    assert_eq!(line["client"], "10.0.0.1:40000", "the client is who commands, whoever sent this");
    assert_eq!(line["outcome_name"], "illegal_data_address");
    let shown: Vec<JsonValue> = line["points"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| p.get("value").cloned().unwrap_or_default())
        .collect();
    assert_eq!(shown[1..6], serde_json::json!([true, "on", u64::MAX, -5, 1.5]).as_array().unwrap()[..]);
    assert_eq!(shown[6], "NaN");
    assert_eq!(shown[7], "2023-11-14T22:13:20.000000000Z");
    assert_eq!(shown[8], u64::MAX, "a time beyond the calendar stays a number");
    assert_eq!(shown[11], "r\u{fffd}elay");
    let points = line["points"].as_array().unwrap();
    assert_eq!(points[11]["value_hex"], "72ff656c6179");
    assert_eq!(points[12]["value_octets_omitted"], 300 - 256);
    assert_eq!(points[0]["flag_names"], serde_json::json!(["online", "state"]));
    assert_eq!(points[0]["time"], "2023-11-14T22:13:20.123000000Z");
}

#[test]
fn more_points_than_the_limit_are_counted() {
    let points = vec![Point::new(PointKind::Object(87), None, Value::None); 200];
    let (flow, detail) = (flow(1), Content(&points));
    let lines = log_of(|log| log.operation(&write_coil(&flow, &detail, T0), &Judgement::default()));
    assert_eq!(lines[0]["points"].as_array().unwrap().len(), 128);
    assert_eq!(lines[0]["points_omitted"], 72);
    assert_eq!(lines[0]["points"][0]["kind"], "object_87");
}

#[test]
fn a_request_without_values_shows_its_ranges() {
    let (flow, detail) = (flow(1), Content(&[]));
    let lines = log_of(|log| log.operation(&write_coil(&flow, &detail, T0), &Judgement::default()));
    assert_eq!(lines[0]["ranges"], serde_json::json!([{"kind": "coil", "first": 3, "last": 3}]));
}

#[test]
fn the_rendered_part_of_a_flow_is_not_used_for_another_flow() {
    let (first, mut second, detail) = (flow(1), flow(1 + 1024), Content(&[]));
    second.client = end(9, 1);
    let lines = log_of(|log| {
        for flow in [&first, &second, &first] {
            log.operation(&write_coil(flow, &detail, T0), &Judgement::default());
        }
    });
    let clients: Vec<_> = lines.iter().map(|line| line["client"].as_str().unwrap()).collect();
    assert_eq!(clients, ["10.0.0.1:40000", "10.0.0.9:1", "10.0.0.1:40000"]);
}

#[test]
fn stations_and_the_sensor_keep_to_the_schema() {
    let lines = log_of(|log| {
        log.station(&StationEvent {
            at: Timestamp(T0),
            what: "first_seen",
            protocol: Protocol::Dnp3,
            server: end(2, 20_000),
            station: StationAddress::Link(10),
            station_name: None,
            unanswered: None,
        });
        log.sensor(&SensorEvent {
            at: Timestamp(T0),
            what: "frames_dropped",
            capture: Some("eth0"),
            message: format_args!("the kernel dropped 3 packets"),
            figures: &[("dropped", 3)],
        });
    });
    assert_eq!(lines[0]["station"], "link 10");
    assert_eq!(lines[0]["profiled"], false);
    assert_eq!(lines[1]["figures"]["dropped"], 3);
}

#[test]
fn the_choice_of_operations_is_kept() {
    let (flow, detail) = (flow(1), Content(&[]));
    let written = |choice| {
        let out = Collected::default();
        let config = SinksConfig {
            identity: identity(),
            operations: choice,
            writer: Some(out.writer()),
            ..SinksConfig::default()
        };
        let mut sinks = EventLog::with(config, &[]);
        for action in [Action::Read, Action::Write, Action::Identify, Action::Confirm] {
            let mut operation = write_coil(&flow, &detail, T0);
            operation.action = action;
            sinks.operation(&operation, &Judgement::default());
        }
        sinks.finish(Timestamp(T0)).1.unwrap();
        let lines = out.lines();
        check(&lines);
        lines.iter().map(|l| l["event"].as_str().unwrap().to_owned()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(written(OperationsLog::All), "operation control operation operation");
    assert_eq!(written(OperationsLog::Control), "control operation");
    assert_eq!(written(OperationsLog::None), "");
}

#[test]
fn a_control_is_told_in_one_line() {
    use super::super::control::{ControlEvent, ControlOutcome, ControlPoint, Level, Method, Order};
    let flow = flow(1);
    let end = |host| parsers::Endpoint { host, port: 0 };
    let point = ControlPoint {
        kind: parsers::PointKind::BinaryOutput,
        address: 3,
        name: Some("breaker"),
        order: Order::Trip,
        status: Some(0),
        before: Some(Level::On),
        after: Some(Level::Off),
        effect_ns: Some(84_000_000),
    };
    let set =
        ControlPoint { order: Order::Set(12.5), after: Some(Level::Number(7.0)), effect_ns: None, ..point };
    let event = |points, outcome| ControlEvent {
        at: Timestamp(T0 + 84_000_000),
        protocol: parsers::Protocol::Dnp3,
        client: end(flow.client.host),
        server: flow.server,
        station: parsers::StationAddress::Link(10),
        station_name: Some("FDR-12"),
        client_name: None,
        function: parsers::Function { code: 4, sub: None, name: "operate" },
        method: Method::SelectOperate,
        outcome,
        refusal: None,
        selected: Some(Timestamp(T0 - 1_000_000_000)),
        sent: Timestamp(T0),
        answered: Some(Timestamp(T0 + 20_500_000)),
        broadcast: false,
        wants_answer: true,
        points,
        more_points: 0,
        frames: &[parsers::FrameRef { tap: 0, number: 7 }],
        coverage: parsers::Coverage::default(),
    };
    let (one, two) = ([point], [set, point]);
    let lines = log_of(|log| {
        log.control(&event(&one, ControlOutcome::Done));
        log.control(&event(&two, ControlOutcome::NotConfirmed));
    });
    let says = lines[0]["message"].as_str().unwrap();
    assert!(says.starts_with("10.0.0.1 tripped FDR-12 breaker at 22:13:20.000: "), "{says}");
    assert!(says.ends_with(": select-operate, accepted, open after 84 ms."), "{says}");
    assert_eq!((&lines[0]["latency_ms"], &lines[0]["effect_ms"]), (&20.5.into(), &84.into()));
    assert_eq!(lines[0]["points"][0]["before"], true);
    assert_eq!((&lines[1]["points"][0]["value"], &lines[1]["points"][0]["after"]), (&12.5.into(), &7.into()));
    assert_eq!(lines[1].get("effect_ms"), None);
}
