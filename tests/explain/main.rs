//! `gridtap profile explain`: for every kind of policy finding, the change that it proposes is applied and the
//! capture replayed: that finding is gone, every other is still there, and what is next to it stays forbidden.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod publishers;
#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::process::Command;

use gridtap::explain::{Change, Event, Explained, apply, explain};
use gridtap::report::catalogue::FindingKind as K;
use serde_json::Value;
use simulators::encode::dnp3;
use simulators::encode::modbus::{Request, Response};
use simulators::wire::{Line, TcpTalk, TimedFrame};
use support::judge::{Outcome, address, answer, ask, class_1, command, crob, judged, modbus, report};

/// Generated captures begin at 2023-11-14T22:13:20Z.
const SITE: &str = r#"# The pump station.
[profile]
name = "site"
[hosts.scada]
address = "10.10.0.1"
[hosts.rtu]
address = "10.10.0.20"
[stations.pump]
protocol = "modbus"
host = "rtu"
unit_id = 5
[stations.pump.points.speed]
point = "holding_register 20"
scale = 0.1
unit = "Hz"
[stations.feeder]
protocol = "dnp3"
host = "rtu"
link_address = 10
[schedules.night]
hours = "00:00-01:00"
[[rules]]
name = "scada reads"
from = "scada"
to = "pump"
allow = ["read"]
points = ["holding_register 0-99"]
[[rules]]
name = "scada polls"
from = "scada"
to = "feeder"
allow = ["read"]
"#;

const WRITES: &str = r#"[[rules]]
name = "scada sets"   # the pump only
from = "scada"
to = "pump"
allow = ["write"]
"#;

fn write(transaction: u16, register: u16, value: u16) -> Vec<Line> {
    let request = Request::WriteRegister(register, value);
    vec![ask(transaction, 5, &request), answer(transaction, 5, &Response::Echo(Box::new(request)))]
}

fn read(transaction: u16, unit: u8, first: u16) -> Vec<Line> {
    let values = Response::Registers(3, vec![1, 2]);
    vec![ask(transaction, unit, &Request::Read(3, first, 2)), answer(transaction, unit, &values)]
}

fn talk(host: u8, server: u8, lines: Vec<Line>) -> Vec<TimedFrame> {
    TcpTalk::new(address(host, 40_000), address(server, 502), lines).frames()
}

fn scada(lines: Vec<Vec<Line>>) -> Vec<TimedFrame> {
    modbus(lines.concat()).frames()
}

/// What a finding is about, whatever the profile is called or says of it.
fn subject(finding: &Value) -> String {
    let of = |key: &str| finding[key].to_string();
    let parts = ["kind", "client", "server", "station_address", "function", "points"].map(of);
    parts.join(" ")
}

fn subjects(outcome: &Outcome) -> BTreeMap<String, usize> {
    let mut subjects = BTreeMap::new();
    outcome.findings.iter().for_each(|finding| *subjects.entry(subject(finding)).or_insert(0) += 1);
    subjects
}

/// The first finding of a kind, as its last line tells it.
fn event(outcome: &Outcome, kind: K) -> (Event, String) {
    let found = outcome.of(kind);
    let first = found.first().unwrap_or_else(|| panic!("no {}: {:?}", kind.name(), outcome.kinds()));
    let mut lines = outcome.text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let last = lines.rfind(|line| line["uid"] == first["uid"]).unwrap();
    (Event::read(&last).unwrap(), subject(first))
}

fn proposed(event: &Event, profile: &str) -> (Vec<String>, Change) {
    let profile = profiles::parse(profile, "site.toml").unwrap_or_else(|errors| panic!("{errors}"));
    match explain(event, &profile) {
        Explained::Policy { why, change } => (why, change.unwrap()),
        Explained::Advice(lines) => panic!("{lines:?}"),
    }
}

struct Case<'c> {
    kind: K,
    profile: &'c str,
    frames: Vec<TimedFrame>,
    /// Raises the second kind after the change too.
    near: Vec<(Vec<TimedFrame>, K)>,
    /// Kinds that go with it because they say the same.
    with: &'c [K],
}

/// Applies what is proposed and replays. What is said, and the new profile.
fn silenced(case: &Case<'_>) -> (Vec<String>, Change, String) {
    let before = judged(&case.frames, Some(case.profile), "a.pcap");
    let (event, about) = event(&before, case.kind);
    let (why, change) = proposed(&event, case.profile);
    let changed = apply(case.profile, &change).unwrap_or_else(|edit| panic!("no entry for {edit}"));
    let after = judged(&case.frames, Some(&changed), "a.pcap");
    let mut expected = subjects(&before);
    let with = |text: &str| case.with.iter().any(|kind| text.starts_with(&format!("\"{}\"", kind.name())));
    expected.retain(|text, _| *text != about && !with(text));
    assert_eq!(subjects(&after), expected, "{}:\n{changed}", case.kind.name());
    for (frames, kind) in &case.near {
        let near = judged(frames, Some(&changed), "b.pcap");
        assert!(!near.of(*kind).is_empty(), "{}: {:?}\n{changed}", case.kind.name(), near.kinds());
    }
    (why, change, changed)
}

#[test]
fn a_control_that_no_rule_allows() {
    let (why, change, _) = silenced(&Case {
        kind: K::UnprofiledControl,
        profile: SITE,
        frames: scada(vec![write(1, 12, 7), write(2, 13, 7), read(3, 5, 200)]),
        near: vec![
            (scada(vec![write(1, 11, 7)]), K::UnprofiledControl),
            (talk(9, 20, write(1, 12, 7)), K::UnprofiledControl),
        ],
        with: &[],
    });
    assert_eq!(
        why,
        [
            "the nearest: rule 'scada reads' allows read of holding_register 0-99",
            "  fails: allow: has not the function"
        ]
    );
    assert_eq!(
        change.append,
        "\n[[rules]]\nname = \"scada: write_single_register at pump\"\nfrom = [\"scada\"]\nto = [\"pump\"]\nallow = [\"write_single_register\"]\npoints = [\"holding_register 12\"]\n"
    );
    assert_eq!(change.notes, ["host 'scada' exists", "station 'pump' exists"]);
}

#[test]
fn who_answers_for_a_rule_and_what_people_wrote_is_told() {
    const WRITTEN: &str = crate::substation!(
        r#"comment = "rack 3, \u001b[31mkey at the gate"
[stations.pump]
protocol = "modbus"
host = "rtu"
unit_id = 5
comment = "drinking water"
[[rules]]
name = "scada reads"
from = "scada"
to = "pump"
allow = "read"
owner = "control room, 555-0100"
comment = "agreed in May"
[[deny]]
name = "no identification"
operations = "identify"
owner = "security"
[[maintenance]]
name = "drive replaced"
reference = "WO-4711"
comment = "ask the vendor"
from = "scada"
to = "pump"
allow = ["write"]
start = 2020-01-01T00:00:00Z
end = 2023-11-14T22:13:00Z
"#
    );
    let frames = scada(vec![write(1, 12, 7), vec![ask(2, 5, &Request::ReportServerId)]]);
    let outcome = judged(&frames, Some(WRITTEN), "a.pcap");
    let said = |kind: K| outcome.of(kind)[0]["explanation"].as_str().unwrap().to_owned();
    assert_eq!(
        said(K::UnprofiledControl),
        "Control that the profile does not allow: scada (10.10.0.1) sent write single register (function 6) to pump (unit 5 at 10.10.0.20) for holding register 12; expected what rule 'scada reads' allows (read), observed write single register (function 6) of holding_register 12. Rule 'scada reads' is owned by control room, 555-0100."
    );
    assert_eq!(outcome.of(K::UnprofiledControl)[0]["rule_owner"], "control room, 555-0100");
    assert!(said(K::Denied).ends_with(". Rule 'no identification' is owned by security."));
    assert!(outcome.of(K::MaintenanceOverrun)[0]["rule_owner"].is_null());
    let why = |kind: K| {
        let profile = profiles::parse(WRITTEN, "site.toml").unwrap_or_else(|errors| panic!("{errors}"));
        match explain(&event(&outcome, kind).0, &profile) {
            Explained::Policy { why, .. } | Explained::Advice(why) => why,
        }
    };
    let written = ["station 'pump': drinking water", "host 'rtu': rack 3, \u{1b}[31mkey at the gate"];
    assert_eq!(
        why(K::UnprofiledControl)[2..],
        [&["  owner: control room, 555-0100", "  comment: agreed in May"], &written[..]].concat()
    );
    assert_eq!(why(K::Denied)[1..], [&["  owner: security"], &written[..]].concat());
    assert_eq!(
        why(K::MaintenanceOverrun)[1..],
        [&["  reference: WO-4711", "  comment: ask the vendor"], &written[..]].concat()
    );
}

#[test]
fn a_host_that_the_profile_does_not_know() {
    let (_, change, _) = silenced(&Case {
        kind: K::UnprofiledClient,
        profile: SITE,
        frames: [talk(9, 20, read(1, 5, 0)), talk(8, 20, read(1, 5, 0))].concat(),
        near: vec![
            (talk(8, 20, read(1, 5, 0)), K::UnprofiledClient),
            (talk(9, 20, read(1, 5, 2)), K::UnprofiledRange),
        ],
        with: &[],
    });
    assert!(change.append.contains("[hosts.host-10-10-0-9]\naddress = \"10.10.0.9\"\n"), "{}", change.append);
}

#[test]
fn a_station_that_the_profile_does_not_know_behind_a_host_it_knows_or_not() {
    for server in [20, 77] {
        silenced(&Case {
            kind: K::UnprofiledStation,
            profile: SITE,
            frames: talk(1, server, [read(1, 6, 0), read(2, 7, 0)].concat()),
            near: vec![(talk(1, server, read(1, 7, 0)), K::UnprofiledStation)],
            with: &[],
        });
    }
}

#[test]
fn a_function_that_no_rule_allows() {
    silenced(&Case {
        kind: K::UnprofiledFunction,
        profile: SITE,
        frames: scada(vec![
            vec![ask(1, 5, &Request::DeviceId(1, 0))],
            vec![ask(2, 5, &Request::Other(17, vec![]))],
        ]),
        near: vec![(scada(vec![vec![ask(2, 5, &Request::Other(17, vec![]))]]), K::UnprofiledFunction)],
        with: &[],
    });
}

/// A direct operate is a control without a select: another rule that allows just this one silences it.
#[test]
fn a_rule_that_wants_a_select() {
    let profile = format!(
        "{SITE}[[rules]]\nname = \"scada switches\"\nfrom = \"scada\"\nto = \"feeder\"\nallow = [\"select\", \"operate\", \"direct_operate\"]\nselect_before_operate = true\n"
    );
    let direct = |point: u8| {
        let order = crob(point, 0x41);
        let lines =
            vec![command(10, &dnp3::request(1, 5, &order)), report(10, &dnp3::response(1, [0, 0], &order))];
        support::judge::dnp3(lines).frames()
    };
    let (why, change, _) = silenced(&Case {
        kind: K::UnprofiledControl,
        profile: &profile,
        frames: direct(3),
        near: vec![(direct(4), K::UnprofiledControl)],
        with: &[],
    });
    assert!(why.iter().any(|line| line.contains("select")), "{why:?}");
    assert!(
        change.append.contains("allow = [\"fc:5\"]") && !change.append.contains("select_before"),
        "{}",
        change.append
    );
}

#[test]
fn a_service_that_the_host_does_not_list_or_its_role_never_uses() {
    for line in ["uses = [\"https\"] # as agreed", "role = \"rtu\""] {
        let scada = "[hosts.scada]\naddress = \"10.10.0.1\"\n";
        let profile = SITE.replace(scada, &format!("{scada}{line}\n"));
        let to = |server: u8, port: u16| {
            let lines = vec![Line::client(&b"question"[..])];
            TcpTalk::new(address(1, 40_000), address(server, port), lines).frames()
        };
        let (_, change, _) = silenced(&Case {
            kind: K::UnprofiledService,
            profile: &profile,
            frames: [to(30, 445), to(31, 22)].concat(),
            near: vec![(to(30, 3389), K::UnprofiledService)],
            with: &[],
        });
        assert!(change.edits[0].to_string().contains("\"smb\""), "{}", change.edits[0]);
    }
}

#[test]
fn points_that_no_rule_allows() {
    let (why, ..) = silenced(&Case {
        kind: K::UnprofiledRange,
        profile: SITE,
        frames: scada(vec![read(1, 5, 99), write(2, 99, 1)]),
        near: vec![(scada(vec![read(1, 5, 100)]), K::UnprofiledRange)],
        with: &[],
    });
    assert_eq!(why[1], "  fails: points: have not holding_register 99-100");
}

#[test]
fn what_a_denial_forbids_is_allowed_by_an_exception_of_its_own() {
    let profile = format!("{SITE}{WRITES}[[deny]]\nname = \"nobody sets\" # ever\noperations = \"write\"\n");
    let (why, change, changed) = silenced(&Case {
        kind: K::Denied,
        profile: &profile,
        frames: scada(vec![write(1, 20, 7), read(3, 5, 200)]),
        near: vec![(scada(vec![write(1, 21, 7)]), K::Denied), (talk(9, 20, write(1, 20, 7)), K::Denied)],
        with: &[],
    });
    assert_eq!(why, ["the denial: rule 'nobody sets' forbids write"]);
    assert_eq!(change.edits[0].to_string(), "except = [\"scada: write_single_register at pump\"]");
    assert!(changed.contains("name = \"nobody sets\" # ever"));
}

#[test]
fn a_value_outside_the_limits() {
    let profile = format!("{SITE}{WRITES}values = {{ min = 0, max = 50 }}\n");
    let (why, change, _) = silenced(&Case {
        kind: K::SetpointOutsideRule,
        profile: &profile,
        frames: scada(vec![write(1, 20, 501), read(3, 5, 200)]),
        near: vec![
            (scada(vec![write(1, 20, 502)]), K::SetpointOutsideRule),
            (scada(vec![write(1, 21, 501)]), K::SetpointOutsideRule),
        ],
        with: &[],
    });
    assert_eq!(why[1], "  fails: values: from 0 to 50, written was 50.1");
    assert!(change.append.ends_with("values = { min = 50.1, max = 50.1 }\n"), "{}", change.append);
}

#[test]
fn an_operation_outside_its_schedule() {
    let profile = format!("{SITE}{WRITES}schedule = \"night\"\n");
    silenced(&Case {
        kind: K::OutsideSchedule,
        profile: &profile,
        frames: scada(vec![write(1, 20, 7), read(3, 5, 200)]),
        near: vec![(scada(vec![write(1, 21, 7)]), K::OutsideSchedule)],
        with: &[],
    });
}

#[test]
fn a_rate_that_is_exceeded_becomes_the_rate_that_was_seen() {
    let profile = format!("{SITE}{WRITES}rate = \"2 per minute\"   # by the manual\n");
    let writes = |count: u16| scada((0..count).map(|n| write(n, 20, 7)).collect());
    let (why, change, changed) = silenced(&Case {
        kind: K::RateExceeded,
        profile: &profile,
        frames: writes(5),
        near: vec![(writes(6), K::RateExceeded)],
        with: &[],
    });
    assert_eq!(why[1], "  fails: rate: 2 per minute");
    assert_eq!(change.edits[0].to_string(), "rate = \"5 per minute\"");
    assert!(changed.contains("rate = \"5 per minute\"   # by the manual\n"), "{changed}");
}

#[test]
fn a_maintenance_window_is_extended_to_the_last_work_that_was_seen() {
    let profile = format!(
        "{SITE}[[maintenance]]\nname = \"pump test\"\nfrom = \"scada\"\nto = \"pump\"\nallow = \"write\"\nstart = 2023-11-14T21:00:00Z\nend = 2023-11-14T22:00:00Z\n"
    );
    let mut later = write(1, 20, 7);
    later.insert(0, read(7, 5, 0)[0].clone());
    later[1] = later[1].clone().after(5_000_000_000);
    let (_, change, _) = silenced(&Case {
        kind: K::MaintenanceOverrun,
        profile: &profile,
        frames: scada(vec![write(1, 20, 7)]),
        near: vec![(scada(vec![later]), K::MaintenanceOverrun)],
        with: &[],
    });
    assert_eq!(change.edits[0].to_string(), "end = 2023-11-14T22:13:21Z");
}

#[test]
fn a_window_that_was_extended_meanwhile_is_not_shortened() {
    let until = |end: &str| {
        format!(
            "{SITE}[[maintenance]]\nname = \"pump test\"\nfrom = \"scada\"\nto = \"pump\"\nallow = \"write\"\nstart = 2023-11-14T21:00:00Z\nend = {end}\n"
        )
    };
    let outcome = judged(&scada(vec![write(1, 20, 7)]), Some(&until("2023-11-14T22:00:00Z")), "a.pcap");
    let extended = profiles::parse(&until("2023-11-15T06:00:00Z"), "site.toml").unwrap();
    let Explained::Policy { change, .. } = explain(&event(&outcome, K::MaintenanceOverrun).0, &extended)
    else {
        panic!("advice");
    };
    assert_eq!(change.unwrap_err(), "the window ends later than the last of this work by now");
}

fn order(station: u16, code: u8, objects: &[u8]) -> Line {
    command(station, &dnp3::request(1, code, objects))
}

fn link(lines: Vec<Line>) -> Vec<TimedFrame> {
    support::judge::dnp3(lines).frames()
}

#[test]
fn a_control_by_broadcast() {
    let (_, change, _) = silenced(&Case {
        kind: K::UnprofiledControl,
        profile: SITE,
        frames: [link(vec![order(0xffff, 5, &crob(5, 0x81))]), scada(vec![write(1, 12, 7)])].concat(),
        near: vec![
            (link(vec![order(0xffff, 5, &crob(6, 0x81))]), K::UnprofiledControl),
            (talk(9, 20, write(1, 12, 7)), K::UnprofiledControl),
        ],
        with: &[],
    });
    assert!(change.append.ends_with("broadcast = true\n"), "{}", change.append);
}

/// Such a host is a station of either protocol under one name, for which a number of a function means nothing.
#[test]
fn a_control_of_a_host_that_has_two_protocols_by_its_role() {
    let profile = "[profile]\nname = \"site\"\n[hosts.scada]\naddress = \"10.10.0.1\"\n[hosts.rtu]\naddress = \
                   \"10.10.0.20\"\nrole = \"rtu\"\n";
    let reads = "[[rules]]\nname = \"reads\"\nfrom = \"scada\"\nto = \"rtu\"\nallow = \"read\"\n";
    for profile in [profile.to_owned(), format!("{profile}{reads}")] {
        let (_, change, _) = silenced(&Case {
            kind: K::UnprofiledControl,
            profile: &profile,
            frames: [link(vec![order(10, 5, &crob(5, 0x81))]), scada(vec![write(1, 12, 7)])].concat(),
            near: vec![
                (link(vec![order(10, 5, &crob(6, 0x81))]), K::UnprofiledControl),
                (scada(vec![write(1, 12, 7)]), K::UnprofiledControl),
            ],
            with: &[],
        });
        assert!(change.append.contains("[stations.rtu-modbus]\n"), "{}", change.append);
        assert!(change.append.contains("to = [\"rtu-dnp3\"]\nallow = [\"fc:5\"]"), "{}", change.append);
    }
}

#[test]
fn an_unsolicited_report_that_no_rule_allows() {
    let said = |station: u16| report(station, &dnp3::unsolicited(0, [0, 0], &[]));
    let time = "[[rules]]\nname = \"scada sets the clock\"\nfrom = \"scada\"\nto = \"feeder\"\nallow = [\"delay_measure\"]\n";
    let reads = SITE.find("[[rules]]\nname = \"scada polls\"").unwrap();
    for (rules, kind) in [("", K::UnprofiledClient), (time, K::UnprofiledFunction)] {
        let profile = format!("{}{rules}", &SITE[..reads]);
        let (_, change, _) = silenced(&Case {
            kind,
            profile: &profile,
            frames: [link(vec![said(10)]), scada(vec![read(3, 5, 200)])].concat(),
            near: vec![(link(vec![order(10, 1, &class_1())]), K::UnprofiledFunction)],
            with: &[],
        });
        assert!(change.append.contains("allow = [\"report\"]\n"), "{}", change.append);
    }
}

#[test]
fn several_values_outside_the_limits_of_one_write() {
    let profile = format!("{SITE}{WRITES}values = {{ min = 0, max = 50 }}\n");
    let several = |values: &[u16]| {
        let request = Request::WriteRegisters(30, values.to_vec());
        let echo = answer(1, 5, &Response::Echo(Box::new(Request::WriteRegisters(30, values.to_vec()))));
        scada(vec![vec![ask(1, 5, &request), echo], read(3, 5, 200)])
    };
    let (_, change, _) = silenced(&Case {
        kind: K::SetpointOutsideRule,
        profile: &profile,
        frames: several(&[70, 20, 90, 60]),
        near: vec![(several(&[70, 20, 91, 60]), K::SetpointOutsideRule)],
        with: &[],
    });
    assert!(change.append.ends_with("values = { min = 0.0, max = 90.0 }\n"), "{}", change.append);
}

#[test]
fn what_a_role_never_does_is_allowed_by_a_rule() {
    let profile = SITE.replace("[hosts.scada]", "[hosts.scada]\nrole = \"historian\"");
    let (why, ..) = silenced(&Case {
        kind: K::Denied,
        profile: &profile,
        frames: scada(vec![write(1, 120, 7), read(3, 5, 200)]),
        near: vec![(scada(vec![write(1, 121, 7)]), K::UnprofiledControl)],
        with: &[],
    });
    assert!(why[0].starts_with("the denial (of a role): "), "{why:?}");
}

fn gridtap(arguments: &[&str]) -> (bool, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_gridtap")).args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.success(), text(output.stdout), text(output.stderr))
}

#[test]
fn the_command_prints_the_change_writes_the_profile_and_says_where_an_entry_stands() {
    let folder = std::env::temp_dir().join(format!("gridtap-explain-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = |name: &str| folder.join(name).display().to_string();
    let rated = format!("{WRITES}rate = \"2 per minute\"\n");
    let frames = scada((0..3).map(|n| write(n, 20, 7)).chain([read(9, 5, 200)]).collect());
    let outcome = judged(&frames, Some(&format!("{SITE}{rated}")), "a.pcap");
    std::fs::write(path("events.jsonl"), &outcome.text).unwrap();
    std::fs::write(path("site.toml"), format!("{SITE}{rated}")).unwrap();
    let arguments = ["profile", "explain", &path("events.jsonl"), "--profile", &path("site.toml")];
    let (done, said, errors) = gridtap(&[&arguments[..], &["--apply", &path("new.toml")]].concat());
    assert!(done, "{errors}");
    assert!(
        said.contains("change in [[rules]] with name = \"scada sets\":\n\nrate = \"3 per minute\""),
        "{said}"
    );
    assert!(
        said.contains("append:\n\n[[rules]]\nname = \"scada: read_holding_registers at pump\""),
        "{said}"
    );
    assert!(gridtap(&["profile", "check", &path("new.toml")]).0);
    let new = std::fs::read_to_string(path("new.toml")).unwrap();
    assert!(
        new.starts_with("# The pump station.") && new.contains("\"scada sets\"   # the pump only"),
        "{new}"
    );

    // What no change of the profile allows: nothing is written, and that is said.
    let events: Vec<&str> = outcome.text.lines().collect();
    let rate = events.iter().rfind(|line| line.contains("rate_exceeded")).unwrap();
    let mut stuck: Value = serde_json::from_str(rate).unwrap();
    stuck["kind"] = K::ArpScan.name().into();
    stuck["uid"] = "another".into();
    std::fs::write(path("stuck.jsonl"), format!("{stuck}\n")).unwrap();
    let only = ["profile", "explain", &path("stuck.jsonl"), "--profile", &path("site.toml")];
    let (done, said, errors) = gridtap(&[&only[..], &["--apply", &path("same.toml")]].concat());
    assert!(!done && !said.contains("written:"), "{said}");
    let told = format!(
        "gridtap: nothing is changed, and {} is not written: no change of the profile allows this finding",
        path("same.toml")
    );
    assert!(errors.starts_with(&told), "{errors}");
    assert!(!std::path::Path::new(&path("same.toml")).exists());
    std::fs::write(path("both.jsonl"), format!("{stuck}\n{rate}\n")).unwrap();
    let both = ["profile", "explain", &path("both.jsonl"), "--profile", &path("site.toml")];
    let (done, said, errors) = gridtap(&[&both[..], &["--apply", &path("some.toml")]].concat());
    assert!(done && said.ends_with("findings that no change allows: 1 of 2\n"), "{said}{errors}");
    assert!(gridtap(&["profile", "check", &path("some.toml")]).0);

    std::fs::write(path("rules.toml"), &rated).unwrap();
    std::fs::write(path("site.toml"), format!("include = \"rules.toml\"\n{SITE}")).unwrap();
    let uid = outcome.of(K::RateExceeded)[0]["uid"].as_str().unwrap().to_owned();
    let one =
        ["profile", "explain", &uid, "--events", &path("events.jsonl"), "--profile", &path("site.toml")];
    let (done, said, errors) = gridtap(&[&one[..], &["--apply", &path("other.toml")]].concat());
    assert!(!done && errors.contains(&format!("stands in {}", path("rules.toml"))), "{said}{errors}");
    assert!(!std::path::Path::new(&path("other.toml")).exists());
    std::fs::remove_dir_all(&folder).unwrap();
}
