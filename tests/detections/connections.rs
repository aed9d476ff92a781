//! Who tries to reach whom: scans, sweeps over hosts, floods of connections, sessions taken over.

use gridtap::report::catalogue::FindingKind as K;
use simulators::wire::{START_NS, TimedFrame};

use super::site::*;
use super::support::judge::{address, judged, judged_losing};

#[test]
fn ports_that_refuse_are_a_scan_with_its_extent() {
    let probes = |count: u16| -> Vec<TimedFrame> {
        (0..count)
            .flat_map(|n| {
                let start = START_NS + u64::from(n) * SECOND / 10;
                [
                    segment(start, (9, 4000), (20, 20 + n), SYN),
                    segment(start + 1000, (20, 20 + n), (9, 4000), RST),
                ]
            })
            .collect()
    };
    assert_eq!(
        says(&judged(&probes(40), None, "a.pcap"), K::PortScan),
        [
            "Port scan: 10.10.0.9 talked to 10.10.0.20; expected fewer than 10 refused or unanswered connections within 60 s, observed 10 of them, 10 refused, at 1 host (10.10.0.20) and 10 ports (20 to 29) within 900 ms.",
            "Port scan: 10.10.0.9 talked to 10.10.0.20; expected fewer than 10 refused or unanswered connections within 60 s, observed 40 of them, 40 refused, at 1 host (10.10.0.20) and 40 ports (20 to 59) within 3.9 s.",
        ]
    );
    assert_eq!(judged(&probes(9), None, "a.pcap").kinds(), [""; 0]);
    // What happens to the host of a protection relay weighs more.
    let severity = |tags: &str| {
        let site = DEVICES.replacen("unit_id = 5\n", &format!("unit_id = 5\ntags = \"{tags}\"\n"), 1);
        judged(&probes(40), Some(&site), "a.pcap").of(K::PortScan)[0]["severity"].clone()
    };
    assert_eq!([severity("protection"), severity("old")], ["high", "medium"]);
}

#[test]
fn connections_never_answered_are_a_scan_unless_the_other_direction_is_not_seen() {
    let probe =
        |n: u8| segment(START_NS + u64::from(n) * SECOND, (9, 4000 + u16::from(n)), (20 + n, 502), SYN);
    let outcome = judged(&(0..20).map(probe).collect::<Vec<_>>(), None, "a.pcap");
    assert_eq!(
        says(&outcome, K::PortScan),
        [
            "Port scan: 10.10.0.9 talked to 10.10.0.20; expected fewer than 10 refused or unanswered connections within 60 s, observed 10 of them, 0 refused, at 10 hosts (10.10.0.20 to 10.10.0.29) and 1 port (502) within 9.0 s."
        ]
    );
    let patient = "[profile]\nname = \"x\"\n[thresholds]\nscan_answer = \"1 h\"\n";
    let outcome = judged(&(0..20).map(probe).collect::<Vec<_>>(), Some(patient), "a.pcap");
    assert_eq!(outcome.of(K::PortScan).len(), 0);
    // Who goes on after the SYN was answered, whether the tap saw it or not.
    let goes_on = |n: u8| {
        let start = START_NS + u64::from(n) * SECOND;
        let from = (9, 4000 + u16::from(n));
        [segment(start, from, (20 + n, 502), SYN), segment(start + 1000, from, (20 + n, 502), 16)]
    };
    assert_eq!(judged(&(0..20).flat_map(goes_on).collect::<Vec<_>>(), None, "a.pcap").kinds(), [""; 0]);
}

#[test]
fn connections_whose_answers_the_tap_may_have_lost_are_no_scan() {
    let probe =
        |n: u8| segment(START_NS + u64::from(n) * SECOND, (9, 4000 + u16::from(n)), (20 + n, 502), SYN);
    let frames: Vec<_> = (0..20).map(probe).collect();
    let outcome = judged_losing(&[START_NS + 5 * SECOND], &frames, None, "a.pcap");
    assert_eq!((outcome.of(K::PortScan).len(), outcome.withheld(K::PortScan)), (0, 1));
    // Refusals were seen, whatever else was lost.
    let refused = |n: u8| {
        let start = START_NS + u64::from(n) * SECOND;
        let from = (9, 4000 + u16::from(n));
        [segment(start, from, (20 + n, 502), SYN), segment(start + 1000, (20 + n, 502), from, RST)]
    };
    let frames: Vec<_> = (0..20).flat_map(refused).collect();
    let outcome = judged_losing(&[START_NS + 5 * SECOND], &frames, None, "a.pcap");
    assert_eq!((outcome.of(K::PortScan).len(), outcome.withheld(K::PortScan)), (1, 0));
}

#[test]
fn a_host_that_asks_many_stations_for_the_first_time_is_a_sweep() {
    let sweep = |start: u64| -> Vec<TimedFrame> {
        (0..8_u8)
            .flat_map(|n| {
                let port = 41_000 + u16::from(n);
                polls(address(1, port), address(100 + n, 502), start + u64::from(n) * SECOND, 10)
            })
            .collect()
    };
    let outcome = judged(&sorted(&[site(900), sweep(LATER)]), None, "a.pcap");
    assert_eq!(
        says(&outcome, K::HostSweep),
        [
            "Sweep over stations' hosts: 10.10.0.1 talked to 10.10.0.100; expected fewer than 5 stations' hosts asked for the first time within 60 s, observed 5 (10.10.0.100 to 10.10.0.104) within 4.0 s.",
            "Sweep over stations' hosts: 10.10.0.1 talked to 10.10.0.100; expected fewer than 5 stations' hosts asked for the first time within 60 s, observed 8 (10.10.0.100 to 10.10.0.107) within 7.0 s; it is over.",
        ]
    );
    let outcome = judged(&sorted(&[site(900), sweep(START_NS + SECOND)]), None, "a.pcap");
    assert_eq!(says(&outcome, K::HostSweep), [""; 0]);
}

#[test]
fn addresses_asked_for_that_nobody_has_are_a_scan() {
    let ask = |n: u64| arp(START_NS + n * SECOND / 10, 1, 9, (9, 9), 100 + n as u8);
    assert_eq!(
        says(&judged(&(0..40).map(ask).collect::<Vec<_>>(), None, "a.pcap"), K::ArpScan),
        [
            "Scan for addresses: 10.10.0.9 talked to 10.10.0.100; expected fewer than 30 addresses that nobody has asked for within 60 s, observed 30 (10.10.0.100 to 10.10.0.129) within 2.9 s."
        ]
    );
    // Those that answer are there.
    let answered = |n: u64| {
        let host = 100 + n as u8;
        [ask(n), arp(START_NS + n * SECOND / 10 + 1000, 2, host, (host, host), 9)]
    };
    assert_eq!(judged(&(0..40).flat_map(answered).collect::<Vec<_>>(), None, "a.pcap").kinds(), [""; 0]);
}

#[test]
fn addresses_that_nobody_has_count_for_who_tries_others_too() {
    let tries = |refusing: u64| -> Vec<TimedFrame> {
        let refused = (0..refusing).flat_map(|n| {
            let (start, to) = (START_NS + n * SECOND / 10, (20 + n as u8, 502));
            [segment(start, (9, 4000), to, SYN), segment(start + 1000, to, (9, 4000), RST)]
        });
        let nobody = (0..10).map(|n| arp(START_NS + SECOND + n * SECOND / 10, 1, 9, (9, 9), 100 + n as u8));
        refused.chain(nobody).collect()
    };
    assert_eq!(
        says(&judged(&tries(3), None, "a.pcap"), K::PortScan),
        [
            "Port scan: 10.10.0.9 talked to 10.10.0.20; expected fewer than 10 refused or unanswered connections within 60 s, observed 10 of them, 3 refused, at 10 hosts (10.10.0.20 to 10.10.0.106) and 1 port (502) within 1.5 s."
        ]
    );
    // Two that are out of order and some that are gone: a program that looks for what it knew.
    assert_eq!(judged(&tries(2), None, "a.pcap").kinds(), [""; 0]);
}

#[test]
fn half_open_connections_without_end_are_a_flood() {
    let flood = |count: u32| -> Vec<TimedFrame> {
        (0..count)
            .map(|n| {
                let start = START_NS + 30 * SECOND + u64::from(n) * 1_000_000;
                segment(start, (9, 10_000 + n as u16), (20, 502), SYN)
            })
            .collect()
    };
    let outcome = judged(&sorted(&[site(60), flood(250)]), None, "a.pcap");
    assert_eq!(
        says(&outcome, K::ConnectionFlood),
        [
            "Flood of connections: 10.10.0.9 talked to 10.10.0.20; expected fewer than 500 connections, and fewer than 200 left open, within 10 s, observed 200 asked for, 0 begun, 10.10.0.9 the last to ask."
        ]
    );
    assert_eq!(says(&judged(&sorted(&[site(60), flood(199)]), None, "a.pcap"), K::ConnectionFlood), [""; 0]);
    let shorter = "[profile]\nname = \"x\"\n[thresholds]\nflood_window = \"100 ms\"\n";
    let outcome = judged(&sorted(&[site(60), flood(250)]), Some(shorter), "a.pcap");
    assert_eq!(says(&outcome, K::ConnectionFlood), [""; 0]);
}

#[test]
fn half_open_connections_are_no_flood_while_the_tap_loses_packets() {
    let flood = |count: u32| -> Vec<TimedFrame> {
        let at = |n: u32| START_NS + 30 * SECOND + u64::from(n) * 1_000_000;
        (0..count).map(|n| segment(at(n), (9, 10_000 + n as u16), (20, 502), SYN)).collect()
    };
    let lossy = |count| {
        let frames = sorted(&[site(60), flood(count)]);
        judged_losing(&[START_NS + 29 * SECOND], &frames, None, "a.pcap")
    };
    let half_open = lossy(250);
    assert_eq!((half_open.of(K::ConnectionFlood).len(), half_open.withheld(K::ConnectionFlood)), (0, 1));
    // So many were asked for, whoever answered.
    let asked = lossy(600);
    assert_eq!((asked.of(K::ConnectionFlood).len(), asked.withheld(K::ConnectionFlood)), (1, 1));
}

#[test]
fn a_master_that_takes_the_place_of_one_whose_connection_was_reset_is_told() {
    let reset = vec![segment(LATER, (1, 40_000), (20, 502), 4)];
    let new = |delay| polls(address(9, 40_001), address(20, 502), LATER + delay, 10);
    let near = |delay: u64| {
        let mut talk = new(delay);
        // The first request comes at once, not after ten seconds.
        let first = talk.iter().position(|f| f.bytes.len() > 60).unwrap();
        talk.truncate(first + 1);
        talk[first].at_ns = LATER + delay + SECOND;
        talk
    };
    let outcome = judged(&sorted(&[site(690), reset.clone(), near(SECOND)]), None, "a.pcap");
    assert_eq!(
        says(&outcome, K::SessionTakeover),
        [
            "Session taken over: 10.10.0.9 talked to 10.10.0.20; expected no other master in the place of 10.10.0.1, observed requests by 10.10.0.9 for the first time, 2.0 s after a connection of 10.10.0.1 was reset."
        ]
    );
    let outcome = judged(&sorted(&[site(690), reset, near(10 * SECOND)]), None, "a.pcap");
    assert_eq!((says(&outcome, K::SessionTakeover).len(), says(&outcome, K::NewMaster).len()), (0, 1));
}
