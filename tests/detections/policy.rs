//! What a profile says beyond "this rule allows it": denials, values, schedules, rates, maintenance windows,
//! tags, quirks, exceptions from select before operate; and a site described by roles alone.

use std::fmt::Write as _;

use gridtap::report::catalogue::FindingKind as K;
use serde_json::Value;
use simulators::encode::dnp3;
use simulators::encode::modbus::{Request, Response};
use simulators::scenario::Scenario;
use simulators::wire::{Line, TimedFrame};

use crate::support::judge::{
    Outcome, address, answer, ask, class_1, command, crob, dnp3 as dnp3_talk, judged, modbus, report,
};

/// Generated captures begin at 2023-11-14T22:13:20Z, a Tuesday; 16:13 in Chicago.
const SITE: &str = r#"
[profile]
name = "site"
timezone = "America/Chicago"
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
[schedules.office]
days = "mon-fri"
hours = "07:00-18:00"
[[rules]]
name = "scada reads and sets"
from = "scada"
to = "pump"
allow = ["read", "write"]
[[rules]]
name = "scada switches"
from = "scada"
to = "feeder"
allow = ["read", "select", "operate", "direct_operate"]
"#;

fn write(transaction: u16, register: u16, value: u16) -> Vec<Line> {
    let request = Request::WriteRegister(register, value);
    let asked = ask(transaction, 5, &request);
    vec![asked, answer(transaction, 5, &Response::Echo(Box::new(request)))]
}

fn only(outcome: &Outcome, kind: K) -> &Value {
    assert_eq!(outcome.kinds(), [kind.name()], "{}", outcome.text);
    &outcome.findings[0]
}

fn said(outcome: &Outcome, kind: K) -> (&str, &str) {
    let finding = only(outcome, kind);
    (finding["severity"].as_str().unwrap(), finding["explanation"].as_str().unwrap())
}

fn through(lines: Vec<Line>, more: &str) -> Outcome {
    judged(&modbus(lines).frames(), Some(&format!("{SITE}{more}")), "a.pcap")
}

#[test]
fn a_denial_wins_over_a_rule_and_has_its_own_severity() {
    let deny = "[[deny]]\nname = \"nobody sets the speed\"\noperations = \"write\"\npoints = \"holding_register 20\"\nseverity = \"medium\"\n";
    assert_eq!(
        said(&through(write(1, 20, 7), deny), K::Denied),
        (
            "medium",
            "Operation that the profile forbids: scada (10.10.0.1) sent write single register (function 6) to pump (unit 5 at 10.10.0.20) for holding register 20; expected no such operation, because rule 'nobody sets the speed' forbids write of holding_register 20, observed write single register (function 6) of holding_register 20."
        )
    );
    assert!(through(write(1, 21, 7), deny).findings.is_empty());
}

#[test]
fn a_value_outside_the_limits_of_the_rule_is_told_in_its_unit() {
    let limited = SITE.replace(
        "allow = [\"read\", \"write\"]",
        "allow = [\"read\", \"write\"]\nvalues = { min = 0, max = 50 }",
    );
    let set = |value| judged(&modbus(write(1, 20, value)).frames(), Some(&limited), "a.pcap");
    assert_eq!(
        said(&set(501), K::SetpointOutsideRule),
        (
            "high",
            "Value that the profile does not allow: scada (10.10.0.1) sent write single register (function 6) to pump (unit 5 at 10.10.0.20) for holding register 20; expected values from 0 to 50 Hz, by rule 'scada reads and sets', observed write single register (function 6) of holding_register 20, 50.1 for 'speed'."
        )
    );
    assert!(set(500).findings.is_empty());
}

#[test]
fn an_operation_outside_its_schedule_is_told_with_its_time() {
    let timed = |zone: &str| {
        let text = SITE.replace("[\"read\", \"write\"]", "[\"read\", \"write\"]\nschedule = \"office\"");
        judged(&modbus(write(1, 20, 7)).frames(), Some(&text.replace("America/Chicago", zone)), "a.pcap")
    };
    assert_eq!(
        said(&timed("UTC"), K::OutsideSchedule),
        (
            "medium",
            "Operation outside its schedule: scada (10.10.0.1) sent write single register (function 6) to pump (unit 5 at 10.10.0.20) for holding register 20; expected this within the schedule 'office' of rule 'scada reads and sets', observed write single register (function 6) of holding_register 20 at 2023-11-14T22:13:20Z."
        )
    );
    assert!(timed("America/Chicago").findings.is_empty());
}

#[test]
fn a_rule_is_not_used_more_often_than_its_rate() {
    let rated = SITE.replace("[\"read\", \"write\"]", "[\"read\", \"write\"]\nrate = \"2 per minute\"");
    let writes = |count: u16, pause: u64| {
        let lines = (0..count).flat_map(|n| {
            let mut lines = write(n, 20, 7);
            lines[0] = lines[0].clone().after(pause * 1_000_000_000);
            lines
        });
        judged(&modbus(lines.collect()).frames(), Some(&rated), "a.pcap")
    };
    assert_eq!(
        said(&writes(3, 1), K::RateExceeded),
        (
            "high",
            "Operation more often than the profile allows: scada (10.10.0.1) sent write single register (function 6) to pump (unit 5 at 10.10.0.20) for holding register 20; expected at most 2 per minute by rule 'scada reads and sets', observed write single register (function 6) of holding register 20, number 3 within 1 min."
        )
    );
    assert!(writes(2, 1).of(K::RateExceeded).is_empty());
    assert!(writes(5, 31).of(K::RateExceeded).is_empty(), "two a minute for minutes");
}

fn window(start: &str, end: &str) -> String {
    let text = SITE.replace("[\"read\", \"write\"]", "\"read\"");
    format!(
        "{text}[[maintenance]]\nname = \"pump test\"\nfrom = \"scada\"\nto = \"pump\"\nallow = \"write\"\nstart = {start}\nend = {end}\nreference = \"WO-4711\"\n"
    )
}

#[test]
fn planned_work_is_for_information_and_told_when_it_goes_on() {
    let work = |profile: &str| judged(&modbus(write(1, 20, 7)).frames(), Some(profile), "a.pcap");
    let planned = work(&window("2023-11-14T22:00:00Z", "2023-11-14T23:00:00Z"));
    assert_eq!(said(&planned, K::UnprofiledControl).0, "info");
    let late = work(&window("2023-11-14T21:00:00Z", "2023-11-14T22:00:00Z"));
    assert_eq!(late.kinds(), ["unprofiled_control", "maintenance_overrun"]);
    assert_eq!(late.findings[0]["severity"], "critical");
    assert_eq!(late.findings[1]["severity"], "medium");
    assert_eq!(
        late.findings[1]["explanation"],
        "Work goes on after its maintenance window: scada (10.10.0.1) sent write single register (function 6) to pump (unit 5 at 10.10.0.20) for holding register 20; expected the work 'pump test' (WO-4711) to be over, observed write single register (function 6) of holding register 20 13 min 20 s after its end."
    );
    let long_ago = work(&window("2023-11-10T08:00:00Z", "2023-11-10T16:00:00Z"));
    assert_eq!(long_ago.kinds(), ["unprofiled_control"]);
    let before = work(&window("2023-11-15T08:00:00Z", "2023-11-15T16:00:00Z"));
    assert_eq!(before.kinds(), ["unprofiled_control"]);
}

#[test]
fn tags_of_a_station_or_of_a_point_raise_the_severity() {
    let deny = "[[deny]]\nname = \"x\"\noperations = \"write\"\nseverity = \"medium\"\n";
    let severity = |more: &str| said(&through(write(1, 20, 7), more), K::Denied).0.to_owned();
    assert_eq!(severity(deny), "medium");
    let tagged = |tags: &str| SITE.replace("unit_id = 5", &format!("unit_id = 5\ntags = \"{tags}\"")) + deny;
    let of = |profile: &str| {
        let outcome = judged(&modbus(write(1, 20, 7)).frames(), Some(profile), "a.pcap");
        said(&outcome, K::Denied).0.to_owned()
    };
    assert_eq!(of(&tagged("protection")), "high");
    assert_eq!(of(&tagged("breaker")), "high");
    assert_eq!(of(&tagged("old")), "medium");
    assert_eq!(of(&(SITE.replace("unit = \"Hz\"", "unit = \"Hz\"\ntags = \"breaker\"") + deny)), "high");
    let host = |tags: &str| {
        let address = "[hosts.rtu]\naddress = \"10.10.0.20\"";
        assert!(SITE.contains(address));
        SITE.replace(address, &format!("{address}\ntags = \"{tags}\"")) + deny
    };
    assert_eq!(of(&host("protection")), "high");
    assert_eq!(of(&host("old")), "medium");
}

#[test]
fn a_quirk_of_a_station_does_not_alarm_and_is_counted() {
    let unanswered = vec![ask(1, 5, &Request::Read(3, 0, 1)), ask(2, 5, &Request::Read(3, 1, 1))];
    let with = |quirk: &str| {
        let profile = SITE.replace("unit_id = 5", &format!("unit_id = 5\nquirks = [{quirk}]"));
        judged(&modbus(unanswered.clone()).frames(), Some(&profile), "a.pcap")
    };
    assert_eq!(with("\"CNF-06\"").of(K::UnansweredRequest).len(), 1);
    assert!(with("\"SEQ-07\"").of(K::UnansweredRequest).is_empty(), "by id");
    assert!(with("\"CNF-06\", \"unanswered_request\"").of(K::UnansweredRequest).is_empty(), "by kind");
}

fn operate(index: u8) -> Vec<Line> {
    let operate = dnp3::request(0, 4, &crob(index, 0x41));
    vec![command(10, &operate), report(10, &dnp3::response(0, [0, 0], &crob(index, 0x41)))]
}

#[test]
fn a_rule_or_a_point_may_do_without_a_select() {
    let with = |from: &str, to: &str| {
        let profile = SITE.replace(from, to);
        assert_eq!(profile == SITE, from == to);
        judged(&dnp3_talk(operate(3)).frames(), Some(&profile), "a.pcap").of(K::OperateWithoutSelect).len()
    };
    assert_eq!(with("", ""), 1);
    let rule = "name = \"scada switches\"";
    assert_eq!(with(rule, &format!("{rule}\nselect_before_operate = false")), 0);
    assert_eq!(with(rule, &format!("{rule}\nselect_before_operate = true")), 1);
    let point = |direct: bool, at: u8| {
        let point = format!(
            "link_address = 10\n[stations.feeder.points.breaker]\npoint = \"binary_output {at}\"\ndirect_operate = {direct}"
        );
        with("link_address = 10", &point)
    };
    assert_eq!((point(true, 3), point(false, 3), point(true, 4)), (0, 1, 1));
}

const DIRECT: &str = "Control that the profile does not allow: scada (10.10.0.1) sent direct operate (function 5) to feeder (link 10 at 10.10.0.20) for binary output 3; expected a select and then an operate, as rule 'scada switches' asks, observed direct operate (function 5) of binary_output 3.";

#[test]
fn a_rule_that_wants_a_select_forbids_a_direct_operate() {
    let rule = "name = \"scada switches\"";
    let strict = SITE.replace(rule, &format!("{rule}\nselect_before_operate = true"));
    let close = crob(3, 0x41);
    let exchange = |sequence: u8, function: u8| {
        let answer = report(10, &dnp3::response(sequence, [0, 0], &close));
        [command(10, &dnp3::request(sequence, function, &close)), answer]
    };
    let through =
        |lines: Vec<Line>, profile: &str| judged(&dnp3_talk(lines).frames(), Some(profile), "a.pcap");
    let direct = through(exchange(1, 5).to_vec(), &strict);
    assert_eq!(said(&direct, K::UnprofiledControl), ("critical", DIRECT));
    // A select and its operate are what the rule asks for; without the rule's word, both ways are allowed.
    let selected = [exchange(1, 3), exchange(2, 4)].concat();
    assert_eq!(through(selected.clone(), &strict).kinds(), [""; 0]);
    assert_eq!(through(exchange(1, 5).to_vec(), SITE).kinds(), [""; 0]);
    // The operate of another point has no select.
    let mut other = selected;
    other[2] = command(10, &dnp3::request(2, 4, &crob(4, 0x41)));
    other[3] = report(10, &dnp3::response(2, [0, 0], &crob(4, 0x41)));
    assert_eq!(through(other, &strict).of(K::OperateWithoutSelect).len(), 1);
    // Another rule may allow it on its own.
    let twice = format!(
        "{strict}[[rules]]\nname = \"by hand\"\nfrom = \"scada\"\nto = \"feeder\"\nallow = \"direct_operate\"\npoints = \"binary_output 3\"\n"
    );
    assert_eq!(through(exchange(1, 5).to_vec(), &twice).kinds(), [""; 0]);
}

// ---- Roles alone ----

const ROLES: &str = include_str!("../../profiles/examples/roles-only.toml");

fn from(host: u8, server: u8, lines: Vec<Line>) -> Vec<TimedFrame> {
    let mut talk = dnp3_talk(lines);
    (talk.client, talk.server) = (address(host, 40_000), address(server, 20_000));
    talk.frames()
}

fn bad(outcome: &Outcome) -> Vec<(&str, &str)> {
    let serious = |f: &&Value| !matches!(f["severity"].as_str(), Some("info" | "low"));
    outcome
        .findings
        .iter()
        .filter(serious)
        .map(|f| (f["kind"].as_str().unwrap(), f["severity"].as_str().unwrap()))
        .collect()
}

#[test]
fn roles_alone_find_a_rogue_master_a_forged_control_and_a_restart() {
    let poll = [command(10, &dnp3::request(0, 1, &class_1())), report(10, &dnp3::response(0, [0, 0], &[]))];
    let benign = from(1, 20, poll.to_vec());
    assert!(bad(&judged(&benign, Some(ROLES), "a.pcap")).is_empty());
    let rogue = judged(&from(99, 20, poll.to_vec()), Some(ROLES), "a.pcap");
    assert!(bad(&rogue).contains(&("unprofiled_client", "high")), "{:?}", bad(&rogue));
    let forged = judged(&from(3, 21, operate(0)), Some(ROLES), "a.pcap");
    assert!(bad(&forged).contains(&("denied", "critical")), "{:?}", bad(&forged));
    assert_eq!(
        forged.of(K::Denied)[0]["explanation"],
        "Operation that the profile forbids: historian (10.10.0.3) sent operate (function 4) to relay-1 (link 10 at 10.10.0.21) for binary output 0; expected no such operation, because rule 'role historian: never writes or controls' forbids write, select, operate, direct_operate, time, freeze, file, configure, observed operate (function 4) of binary_output 0."
    );
    let restart = vec![command(10, &dnp3::request(0, 13, &[]))];
    let restart = judged(&from(1, 22, restart), Some(ROLES), "a.pcap");
    assert!(bad(&restart).contains(&("denied", "critical")), "{:?}", bad(&restart));
    assert!(bad(&restart).contains(&("restart_command", "critical")));
    let write = ask(1, 5, &Request::WriteRegister(20, 7));
    let mut talk = modbus(vec![write]);
    talk.server = address(23, 502);
    let meter = judged(&talk.frames(), Some(ROLES), "a.pcap");
    assert_eq!(meter.of(K::UnprofiledControl).len(), 1, "nothing is written to a meter");
}

/// The frames of a pcap file in memory.
fn frames_of(pcap: &[u8]) -> Vec<TimedFrame> {
    let nanoseconds = pcap[..4] == 0xA1B2_3C4D_u32.to_le_bytes();
    let word = |at: usize| u32::from_le_bytes(pcap[at..at + 4].try_into().unwrap());
    let (mut at, mut frames) = (24, Vec::new());
    while at + 16 <= pcap.len() {
        let fraction = u64::from(word(at + 4)) * if nanoseconds { 1 } else { 1000 };
        let length = word(at + 8) as usize;
        let bytes = pcap[at + 16..at + 16 + length].to_vec();
        frames.push(TimedFrame { at_ns: u64::from(word(at)) * 1_000_000_000 + fraction, bytes });
        at += 16 + length;
    }
    frames
}

/// Two masters, a historian, a substation, six relays and six reclosers of the simulated feeder site, by their roles alone.
#[test]
fn an_hour_of_a_benign_site_described_by_roles_raises_nothing() {
    let scenario = include_str!("../../simulators/scenarios/feeders.toml");
    let scenario = Scenario::parse(scenario, "feeders.toml").unwrap();
    let hour = std::time::Duration::from_hours(1);
    let (pcap, _) = simulators::site::capture(&scenario, &[], 7, hour);
    let mut profile = "[profile]\nname = \"feeders\"\n[hosts.scada]\naddress = \"10.20.0.5\"\nrole = \"scada_master\"\n[hosts.backup]\naddress = \"10.20.0.6\"\nrole = \"backup_master\"\n[hosts.historian]\naddress = \"10.20.0.20\"\nrole = \"historian\"\n[hosts.substation]\naddress = \"10.20.1.2\"\nrole = \"rtu\"\n".to_owned();
    for n in 1..=6 {
        let at = n + 10;
        let _ = write!(profile, "[hosts.FDR-{n}]\naddress = \"10.20.1.{at}\"\nrole = \"feeder_relay\"\n");
        let _ = write!(profile, "[hosts.REC-{n}]\naddress = \"10.20.2.{at}\"\nrole = \"recloser\"\n");
    }
    let frames = frames_of(&pcap);
    assert!(frames.len() > 10_000, "{}", frames.len());
    let outcome = judged(&frames, Some(&profile), "a.pcap");
    assert!(bad(&outcome).is_empty(), "{:?}", bad(&outcome));
    let known = outcome.text.lines().filter(|line| line.contains("\"rule\":\"role scada_master: ")).count();
    assert!(known > 1000, "{known} operations were allowed by the role");
}

#[test]
fn a_host_in_another_vlan_than_the_profile_says_is_told() {
    use simulators::wire::{Layer, START_NS, TcpTalk};
    let profile = "[profile]\nname = \"x\"\n[hosts.scada]\naddress = \"10.10.0.1\"\nvlan = [40, 41]\n[hosts.rtu]\naddress = \
                   \"10.10.0.20\"\n[stations.pump]\nprotocol = \"modbus\"\nhost = \"rtu\"\nunit_id = 5\n[[rules]]\nname = \
                   \"r\"\nfrom = \"scada\"\nto = \"pump\"\nallow = \"read\"\n";
    let tagged = |start_ns: u64, tags: &[u16]| {
        let ethernet = Layer::Ethernet { dst: [2, 0, 0, 0, 0, 20], src: [2, 0, 0, 0, 0, 1] };
        let tags = tags.iter().map(|id| Layer::Vlan { tpid: 0x8100, id: *id, priority: 0 });
        let outer = std::iter::once(ethernet).chain(tags).collect();
        let lines =
            vec![ask(1, 5, &Request::Read(3, 0, 2)), answer(1, 5, &Response::Registers(3, vec![1, 2]))];
        TcpTalk { start_ns, outer, ..modbus(lines) }.frames()
    };
    let of = |frames: &[TimedFrame], profile| {
        let outcome = judged(frames, profile, "a.pcap");
        let found = outcome.of(K::UnexpectedVlan);
        found.iter().map(|f| f["explanation"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    // A conversation that was in its VLAN a moment ago.
    let hopped = [tagged(START_NS, &[40]), tagged(START_NS + 1_000_000_000, &[40, 7])].concat();
    assert_eq!(
        of(&hopped, Some(profile)),
        [
            "Host in another VLAN: at scada (10.10.0.1); expected 10.10.0.1 in VLAN 40 or 41, as the profile says, observed packets with the tag of VLAN 7."
        ]
    );
    assert_eq!(of(&hopped, None), [""; 0], "no profile says where it is");
    for fine in [&[40][..], &[7, 41], &[0], &[]] {
        assert_eq!(of(&tagged(START_NS, fine), Some(profile)), [""; 0], "{fine:?}");
    }
}

/// A station that restarted says so (IIN1.7) until its master writes 0 into it.
#[test]
fn a_master_clears_the_restart_flag_as_its_role_and_the_examples_allow() {
    let (flag, other) = ([80, 1, 0x00, 7, 7, 0], [80, 1, 0x00, 4, 4, 0]);
    let clears = |object: &[u8]| {
        let cleared = report(10, &dnp3::response(1, [0, 0], &[]));
        dnp3_talk(vec![command(10, &dnp3::request(1, 2, object)), cleared]).frames()
    };
    let roles = "[profile]\nname = \"x\"\n[hosts.scada]\naddress = \"10.10.0.1\"\nrole = \"scada_master\"\n\
                 [hosts.rtu]\naddress = \"10.10.0.20\"\nrole = \"rtu\"\n";
    let example = include_str!("../../profiles/examples/first-form.toml");
    let example = example.replace("\"10.0.0.5\"", "\"10.10.0.1\"").replace("\"10.0.2.12\"", "\"10.10.0.20\"");
    for profile in [roles, &example] {
        let outcome = judged(&clears(&flag), Some(profile), "a.pcap");
        assert!(bad(&outcome).is_empty(), "{:?}", bad(&outcome));
    }
    // Another indication is none that a master clears.
    assert!(!judged(&clears(&other), Some(&example), "a.pcap").findings.is_empty());
}
