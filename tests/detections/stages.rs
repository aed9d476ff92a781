//! Stages of an attack on IEC 60870-5-104 in captures that others wrote, and captures of ordinary operation.

use super::support::{self, judge::judged};
use simulators::wire::TimedFrame;

fn frames(path: &std::path::Path) -> Vec<TimedFrame> {
    let read = support::read(path).into_iter();
    read.map(|frame| TimedFrame { at_ns: frame.at.0, bytes: frame.bytes }).collect()
}

/// Kinds of medium or higher.
fn serious(frames: &[TimedFrame], profile: Option<&str>) -> Vec<String> {
    let outcome = judged(frames, profile, "a.pcap");
    let serious =
        outcome.findings.iter().filter(|f| !["info", "low"].contains(&f["severity"].as_str().unwrap()));
    serious.map(|f| f["kind"].as_str().unwrap().to_owned()).collect()
}

/// One capture each, written by a program: everything comes from one side, and only that direction is seen. The operator
/// of the site is another host; in the second profile the attacker has the operator's own, which may interrogate one
/// station.
#[test]
fn stages_of_an_attack_are_found_as_what_they_are() {
    let Some(corpus) = support::corpus("stages_of_an_attack_are_found_as_what_they_are") else { return };
    let site = |operator: &str| {
        format!(
            "[profile]\nname = \"stages\"\n[hosts.operator]\naddress = \"{operator}\"\n[hosts.rtu]\n\
             address = \"10.0.1.200\"\n[stations.bay]\nprotocol = \"iec104\"\nhost = \"rtu\"\n\
             common_address = 1\n[[rules]]\nname = \"operator reads\"\nfrom = \"operator\"\nto = \"bay\"\n\
             allow = [\"read\", \"report\"]\n"
        )
    };
    let (strange, own) = (site("10.0.1.10"), site("10.0.1.100"));
    for (stage, alone, by_stranger, by_operator) in [
        ("1-T0888", "station_sweep", "unprofiled_client", "station_sweep"),
        ("4-T0869", "role_reversal", "unprofiled_client", "unprofiled_control"),
        ("5-T0806", "machine_rhythm", "unprofiled_control", "unprofiled_control"),
        ("6-T0836", "role_reversal", "unprofiled_control", "unprofiled_control"),
    ] {
        let frames = frames(&corpus.join(format!("attack/resequenced-iec104-stage-{stage}.pcap")));
        for (profile, expected) in [(None, alone), (Some(&strange), by_stranger), (Some(&own), by_operator)] {
            let kinds = serious(&frames, profile.map(String::as_str));
            assert!(kinds.iter().any(|kind| kind == expected), "{stage}: {expected} is not in {kinds:?}");
        }
    }
}

/// Nor are they taken for a search where only one of their sides is seen.
#[test]
fn ordinary_operation_is_no_search_for_stations() {
    let Some(corpus) = support::corpus("ordinary_operation_is_no_search_for_stations") else { return };
    for name in ["ndpi-short", "trex-exchange", "zeek-iec104-session"] {
        let frames = frames(&corpus.join(format!("iec104/{name}.pcap")));
        assert_eq!(serious(&frames, None), [""; 0], "{name}");
        for to_server in [true, false] {
            // Ethernet, IPv4, TCP: who sends to port 2404.
            let port = |f: &TimedFrame| f.bytes.get(36..38).is_some_and(|port| port == 2404u16.to_be_bytes());
            let half: Vec<_> = frames.iter().filter(|f| port(f) == to_server).cloned().collect();
            let kinds = serious(&half, None);
            assert!(!kinds.iter().any(|kind| kind == "station_sweep"), "{name}: {kinds:?}");
        }
    }
}
