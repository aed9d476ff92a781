//! Redundancy groups: a change-over, nobody left, two masters at once.

use gridtap::report::catalogue::FindingKind as K;
use simulators::encode::modbus::{Request, Response};
use simulators::wire::TimedFrame;

use crate::support::judge::{Outcome, address, answer, ask, judged, judged_losing};
use crate::timing::{SECOND, Script, alive, s, together};

/// Two masters that stand in for each other, and two stations, of which one is always polled.
const STAND_INS: &str = r#"
[profile]
name = "North substation"
[hosts.scada-a]
address = "10.10.0.1"
[hosts.scada-b]
address = "10.10.0.2"
[hosts.rtu]
address = "10.10.0.20"
[hosts.other]
address = "10.10.0.30"
[stations.pump]
protocol = "modbus"
host = "rtu"
unit_id = 5
[stations.tank]
protocol = "modbus"
host = "other"
unit_id = 5
[redundancy.masters]
hosts = ["scada-a", "scada-b"]
[[rules]]
name = "masters poll"
from = ["scada-a", "scada-b"]
to = ["pump", "tank"]
allow = ["read", "write"]
"#;

#[test]
fn a_master_of_a_redundancy_group_that_stops_polling_is_little_news() {
    let script = Script::default().polls(0..s(120), 2 * SECOND, 0);
    let frames = together([script.frames(), alive(0..s(180))]);
    // Not even at a protection relay.
    let tagged = STAND_INS.replacen("unit_id = 5", "unit_id = 5\ntags = [\"protection\"]", 1);
    for profile in [STAND_INS, &tagged] {
        let outcome = judged(&frames, Some(profile), "site.pcap");
        let [finding] = outcome.of(K::StationNotPolled)[..] else { panic!("{}", outcome.text) };
        assert_eq!(finding["severity"], "low");
        let explanation = finding["explanation"].as_str().unwrap();
        let end =
            "while the tap saw other traffic; another of the redundancy group 'masters' may have taken over.";
        assert!(explanation.ends_with(end), "{explanation}");
    }
}

/// What is said of station pump not being polled, with its severity.
fn unpolled(outcome: &Outcome) -> Vec<(&str, &str)> {
    let found = outcome.of(K::StationNotPolled);
    found.iter().map(|f| (f["severity"].as_str().unwrap(), f["explanation"].as_str().unwrap())).collect()
}

fn polled_by(host: u8, span: core::ops::Range<u64>) -> Vec<TimedFrame> {
    // The times of a script begin with its first line.
    let start = span.start;
    let mut talk =
        Script::default().polls(0..span.end - start, 2 * SECOND, 0).talk_of(address(host, 40_000), 20);
    talk.start_ns += start;
    talk.frames()
}

const NOBODY: &str = "Station no longer polled: between scada-a (10.10.0.1) and pump (unit 5 at 10.10.0.20); expected polls by a master of the redundancy group 'masters', observed none by any of them, the last one 1 min 6 s ago.";

#[test]
fn when_no_master_of_the_group_polls_it_is_a_loss_of_view_told_once() {
    let frames = together([polled_by(1, 0..s(120)), alive(0..s(400))]);
    let outcome = judged(&frames, Some(STAND_INS), "site.pcap");
    let [low, (severity, explanation)] = unpolled(&outcome)[..] else { panic!("{}", outcome.text) };
    assert_eq!((low.0, severity, explanation), ("low", "high", NOBODY));
    // Where packets are lost, those of the other master may be among them.
    let drops: Vec<u64> = (13..40).map(|n| frames[0].at_ns + s(10 * n)).collect();
    let lossy = judged_losing(&drops, &frames, Some(STAND_INS), "site.pcap");
    assert!(unpolled(&lossy).iter().all(|(severity, _)| *severity == "low"), "{:?}", unpolled(&lossy));
}

#[test]
fn a_master_that_takes_over_is_none_and_its_own_end_is() {
    let frames = [polled_by(1, 0..s(120)), polled_by(2, s(140)..s(400)), alive(0..s(700))];
    let severities = |frames: &[TimedFrame]| {
        let outcome = judged(frames, Some(STAND_INS), "site.pcap");
        unpolled(&outcome).iter().map(|(severity, _)| (*severity).to_owned()).collect::<Vec<_>>()
    };
    let together = together(frames);
    let until =
        |n| together.iter().filter(|f| f.at_ns < together[0].at_ns + s(n)).cloned().collect::<Vec<_>>();
    assert_eq!(severities(&until(400)), ["low"]);
    assert_eq!(severities(&together), ["low", "low", "high"]);
}

#[test]
fn two_that_poll_at_once_lose_the_station_only_when_both_stop() {
    let frames = together([polled_by(1, 0..s(120)), polled_by(2, s(1)..s(300)), alive(0..s(300))]);
    let outcome = judged(&frames, Some(STAND_INS), "site.pcap");
    assert_eq!(unpolled(&outcome).len(), 1, "{:?}", unpolled(&outcome));
}

/// Writes by hosts at seconds, on top of ordinary polls by both.
fn commanded(commands: &[(u8, u64)]) -> Outcome {
    let mut parts = vec![alive(0..s(400))];
    for host in [1, 2] {
        let mut script = Script::default().polls(0..s(400), 2 * SECOND, 0);
        for (n, (_, at)) in (5000..).zip(commands.iter().filter(|(by, _)| *by == host)) {
            let write = Request::WriteRegister(12, 7);
            script.0.push((s(*at) + SECOND / 2, ask(n, 5, &write)));
            script.0.push((s(*at) + SECOND / 2 + 1000, answer(n, 5, &Response::Echo(Box::new(write)))));
        }
        parts.push(script.talk_of(address(host, 40_000), 20).frames());
    }
    judged(&together(parts), Some(STAND_INS), "site.pcap")
}

const SPLIT: &str = "Two masters of a redundancy group command: scada-b (10.10.0.2) sent write single register (function 6) to pump (unit 5 at 10.10.0.20); expected one master of the redundancy group 'masters' to command at a time, observed commands by scada-b 3 s after one by scada-a.";

#[test]
fn two_masters_that_command_at_once_or_by_turns_are_told_once() {
    let told = |commands: &[(u8, u64)]| {
        let outcome = commanded(commands);
        let found = outcome.of(K::SplitBrain);
        found.iter().map(|f| f["explanation"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(told(&[(1, 50), (2, 53), (1, 57), (2, 60)]), [SPLIT]);
    assert_eq!(told(&[(1, 50), (2, 90), (1, 130)]).len(), 1, "back again");
    assert_eq!(told(&[(1, 50), (1, 52), (2, 90), (2, 92)]), [""; 0], "a change-over");
}
