//! The ways a packet can be wrapped, and the sixteen blind spots of other monitors (the last one, the cost,
//! is the benchmark's): each goes through the whole pipeline, and everything in it must be seen.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use std::collections::BTreeMap;

use gridtap::capture::LinkType;
use gridtap::pipeline::PipelineOptions;
use parsers::Timestamp;
use simulators::captures::{ExpectedOperation, Scenario, blind_spots, encapsulations};
use support::{OwnedFrame, Seen, run};

fn link(number: u32) -> LinkType {
    match number {
        0 | 108 => LinkType::BsdLoopback,
        1 => LinkType::Ethernet,
        12 | 14 | 101 | 228 | 229 => LinkType::RawIp,
        113 => LinkType::LinuxCooked,
        276 => LinkType::LinuxCooked2,
        other => LinkType::Other(other),
    }
}

fn frames(scenario: &Scenario) -> Vec<OwnedFrame> {
    scenario
        .frames
        .iter()
        .enumerate()
        .map(|(n, frame)| OwnedFrame {
            at: Timestamp(frame.at_ns),
            number: n as u64 + 1,
            link: link(scenario.link_type),
            wire_len: u32::try_from(frame.bytes.len()).unwrap(),
            bytes: frame.bytes.clone(),
        })
        .collect()
}

fn count<T: Ord>(list: impl Iterator<Item = T>) -> BTreeMap<T, usize> {
    let mut counts = BTreeMap::new();
    for item in list {
        *counts.entry(item).or_default() += 1;
    }
    counts
}

fn check(scenario: &Scenario) -> Seen {
    let seen = run(&frames(scenario), &PipelineOptions::default());
    let found =
        seen.operations.iter().filter(|o| o.exchange != "link").map(|o| {
            (o.protocol, o.function.0, o.station.map_or(0, |s| u16::try_from(s).unwrap()), o.exchange)
        });
    let expected =
        scenario.operations.iter().map(|&ExpectedOperation { protocol, function, station, exchange }| {
            (protocol, function, station, exchange)
        });
    assert_eq!(
        count(expected),
        count(found),
        "{}: {}\ndefects {:#?}",
        scenario.name,
        scenario.description,
        seen.defects
    );
    let kinds: Vec<_> = seen.findings.iter().map(|f| f.kind).collect();
    for kind in &scenario.findings {
        assert!(kinds.contains(kind), "{}: no {kind} among {kinds:?}", scenario.name);
    }
    for kind in &scenario.forbidden {
        assert!(!kinds.contains(kind), "{}: {kind} raised: {:#?}", scenario.name, seen.findings);
    }
    seen
}

fn named(list: Vec<Scenario>, name: &str) -> Scenario {
    list.into_iter().find(|s| s.name == name).unwrap_or_else(|| panic!("no scenario {name}"))
}

macro_rules! scenario_tests {
    ($all:ident $list:ident: $($name:ident)+) => {
        $(#[test] fn $name() { check(&named($list(), stringify!($name))); })+

        /// A scenario without a test of its name would go unseen.
        #[test]
        fn $all() {
            let names: Vec<_> = $list().iter().map(|s| s.name).collect();
            assert_eq!(names, [$(stringify!($name)),+]);
        }
    };
}

scenario_tests! {
    every_blind_spot_has_its_test blind_spots:
    blind_01_link_only_frames
    blind_02_analog_output
    blind_03_double_bit_event
    blind_04_bad_crc
    blind_05_outstation_opens
    blind_06_unsolicited_rows
    blind_07_udp_and_resynchronisation
    blind_08_addresses_with_values
    blind_09_unrelated_connections_end
    blind_10_bad_pdus
    blind_11_constant_transaction
    blind_12_two_units
    blind_13_other_ports
    blind_14_valid_reads
    blind_15_long_sessions
}

scenario_tests! {
    every_encapsulation_has_its_test encapsulations:
    plain
    linux_cooked
    linux_cooked_vlan
    linux_cooked_2
    bsd_loopback
    bsd_loopback_big_endian
    openbsd_loopback
    raw_ip
    raw_ip6
    vlan
    vlan_priority
    qinq
    qinq_9100
    vlan_three_tags
    vlan_by_direction
    mpls
    mpls_three_labels
    mpls_pseudowire
    vlan_mpls
    gre
    gre_key
    gre_all_options
    gre_ethernet
    gre_mpls
    erspan_1
    erspan_2
    erspan_2_vlan
    erspan_3
    erspan_3_platform
    vxlan
    vxlan_vlan
    ip_in_ip
    deep
    ipv6
    ipv6_extensions
    ipv4_options
    ipv4_fragments
    ipv4_fragments_reversed
    ipv6_fragments
    ipv6_fragments_reversed
    ipv6_fragments_extensions
    ipv6_in_ipv4
    gre_over_ipv6
    rtu_over_tcp
    rtu_over_tcp_4001
    modbus_udp
    dnp3_tcp
    dnp3_udp
    dnp3_udp_fragments
}
