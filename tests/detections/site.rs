//! Hosts: new ones, their Ethernet addresses, their parts; scans and floods of connections.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use gridtap::report::catalogue::FindingKind as K;
use simulators::encode::modbus::{Request, Response};
use simulators::wire::{Ipv4, Layer, Line, START_NS, Tcp, TcpTalk, TimedFrame, build};

use super::support::judge::{Outcome, address, answer, ask, judged, judged_losing, modbus};

pub(super) const SECOND: u64 = 1_000_000_000;
/// Longer than the time in which everything is learned.
pub(super) const LATER: u64 = START_NS + 700 * SECOND;

pub(super) fn ip(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 10, 0, last)
}

fn mac(last: u8) -> [u8; 6] {
    [2, 0, 0, 0, 0, last]
}

pub(super) fn says(outcome: &Outcome, kind: K) -> Vec<&str> {
    outcome.of(kind).iter().map(|f| f["explanation"].as_str().unwrap()).collect()
}

pub(super) fn at(at_ns: u64, bytes: Vec<u8>) -> TimedFrame {
    TimedFrame { at_ns, bytes }
}

/// In the order of time.
pub(super) fn sorted(parts: &[Vec<TimedFrame>]) -> Vec<TimedFrame> {
    let mut frames = parts.concat();
    frames.sort_by_key(|frame| frame.at_ns);
    frames
}

/// A master polls a station every ten seconds for `seconds`.
pub(super) fn polls(client: SocketAddr, server: SocketAddr, start_ns: u64, seconds: u64) -> Vec<TimedFrame> {
    let script = (0..seconds / 10)
        .flat_map(|n| {
            let n = u16::try_from(n).unwrap();
            let question = ask(n, 5, &Request::Read(3, 0, 2)).after(10 * SECOND);
            [question, answer(n, 5, &Response::Registers(3, vec![1, 2]))]
        })
        .collect();
    let macs = |end: SocketAddr| match end.ip() {
        IpAddr::V4(ip) => mac(ip.octets()[3]),
        IpAddr::V6(_) => mac(0),
    };
    let outer = vec![Layer::Ethernet { dst: macs(server), src: macs(client) }];
    TcpTalk { start_ns, outer, ..TcpTalk::new(client, server, script) }.frames()
}

/// The site as it always is: 10.10.0.1 polls 10.10.0.20.
pub(super) fn site(seconds: u64) -> Vec<TimedFrame> {
    polls(address(1, 40_000), address(20, 502), START_NS, seconds)
}

/// A segment without payload.
pub(super) fn segment(at_ns: u64, from: (u8, u16), to: (u8, u16), flags: u8) -> TimedFrame {
    let layers = [
        Layer::Ethernet { dst: mac(to.0), src: mac(from.0) },
        Layer::Ipv4(Ipv4 { id: (at_ns / 1000) as u16, ..Ipv4::new(ip(from.0), ip(to.0)) }),
        Layer::Tcp(Tcp { src: from.1, dst: to.1, seq: at_ns as u32, flags, ..Tcp::default() }),
    ];
    at(at_ns, build(&layers, &[]))
}

pub(super) const SYN: u8 = 2;
pub(super) const RST: u8 = 0x14;

/// ARP: 1 asks, 2 answers.
pub(super) fn arp(
    at_ns: u64,
    operation: u8,
    source: u8,
    (sender_mac, sender): (u8, u8),
    target: u8,
) -> TimedFrame {
    let to = if operation == 1 { [0xff; 6] } else { mac(target) };
    let mut bytes = [&to[..], &mac(source), &[8, 6, 0, 1, 8, 0, 6, 4, 0, operation]].concat();
    bytes.extend([&mac(sender_mac)[..], &ip(sender).octets(), &[0; 6], &ip(target).octets()].concat());
    bytes.resize(60, 0);
    at(at_ns, bytes)
}

// ---- Inventory ----

#[test]
fn a_host_that_comes_later_is_new() {
    let new = |start| polls(address(9, 40_001), address(20, 502), start, 10);
    let outcome = judged(&sorted(&[site(900), new(LATER)]), None, "a.pcap");
    assert_eq!(
        says(&outcome, K::NewHost),
        [
            "New host: between 10.10.0.9 and 02:00:00:00:00:09; expected hosts that were there in the first 10 min, observed 10.10.0.9 with Ethernet address 02:00:00:00:00:09."
        ]
    );
    assert_eq!(
        says(&outcome, K::NewMaster),
        [
            "New master of a station: 10.10.0.9 talked to 10.10.0.20; expected commands by the hosts that sent them in the first 10 min, observed requests by 10.10.0.9, beside 1 other master."
        ]
    );
    let outcome = judged(&sorted(&[site(900), new(START_NS + 60 * SECOND)]), None, "a.pcap");
    assert_eq!(outcome.kinds(), [""; 0]);
}

#[test]
fn a_station_that_begins_to_command_has_changed_its_part() {
    let second = polls(address(1, 40_009), address(21, 502), START_NS + SECOND, 900);
    let reversed = polls(address(20, 40_001), address(21, 502), LATER, 10);
    let outcome = judged(&sorted(&[site(900), second.clone(), reversed]), None, "a.pcap");
    assert_eq!(
        says(&outcome, K::HostRoleChange),
        [
            "Station that begins to command: 10.10.0.20 talked to 10.10.0.21; expected 10.10.0.20 to answer, as it did for more than 10 min, observed requests from it to 10.10.0.21:502."
        ]
    );
    // A gateway does both from the beginning.
    let gateway = polls(address(20, 40_001), address(21, 502), START_NS + 5 * SECOND, 900);
    let outcome = judged(&sorted(&[site(900), second, gateway]), None, "a.pcap");
    assert_eq!(says(&outcome, K::HostRoleChange), [""; 0]);
}

#[test]
fn a_service_never_used_before_is_new() {
    let web = |start_ns| {
        let lines = vec![Line::client(&b"GET / HTTP/1.1\r\n\r\n"[..])];
        let outer = vec![Layer::Ethernet { dst: mac(30), src: mac(1) }];
        TcpTalk { start_ns, outer, ..TcpTalk::new(address(1, 40_005), address(30, 80), lines) }.frames()
    };
    let outcome = judged(&sorted(&[site(900), web(LATER)]), None, "a.pcap");
    assert_eq!(
        says(&outcome, K::NewProtocol),
        [
            "Service never used before: at 10.10.0.1; expected what 10.10.0.1 used and offered in the first 10 min, observed it uses HTTP for the first time."
        ]
    );
    let outcome = judged(&sorted(&[site(900), web(START_NS + SECOND), web(LATER)]), None, "a.pcap");
    assert_eq!(says(&outcome, K::NewProtocol), [""; 0]);
}

#[test]
fn the_internet_has_no_business_with_a_station() {
    let peer = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(8, 8, 8, 8)), 53);
    let talk = |asset| {
        let lines = vec![Line::client(&b"hello"[..])];
        TcpTalk { start_ns: START_NS + 20 * SECOND, ..TcpTalk::new(asset, peer, lines) }.frames()
    };
    let outcome = judged(&sorted(&[site(60), talk(address(20, 40_000))]), None, "a.pcap");
    assert_eq!(
        says(&outcome, K::ExternalTraffic),
        [
            "Traffic between the internet and the process: 10.10.0.20 talked to 8.8.8.8; expected no traffic between the internet and hosts that control the process, observed packets from 10.10.0.20 to 8.8.8.8.",
        ]
    );
    let outcome = judged(&sorted(&[site(60), talk(address(77, 40_000))]), None, "a.pcap");
    assert_eq!(says(&outcome, K::ExternalTraffic), [""; 0], "an office computer is no asset");
}

// ---- Ethernet addresses ----

/// What the master's device says of itself.
fn known(start: u64) -> Vec<TimedFrame> {
    vec![arp(start, 1, 1, (1, 1), 20), arp(start + 1000, 2, 20, (20, 20), 1)]
}

#[test]
fn an_address_taken_over_by_arp_while_its_device_is_alive_is_spoofing() {
    let lie = |delay| vec![arp(START_NS + 30 * SECOND + delay, 2, 66, (66, 20), 1)];
    let outcome = judged(&sorted(&[site(100), known(START_NS), lie(0)]), None, "a.pcap");
    assert_eq!(
        says(&outcome, K::ArpSpoofing),
        [
            "ARP spoofing: between 10.10.0.20 and 02:00:00:00:00:42; expected 10.10.0.20 at 02:00:00:00:00:14, which was heard of within the last 1 min, observed 02:00:00:00:00:42 says by ARP, unasked, that it has the address."
        ]
    );
    // The same device says it again, unasked: nothing new.
    let same = vec![arp(START_NS + 30 * SECOND, 2, 20, (20, 20), 1)];
    assert_eq!(judged(&sorted(&[site(100), known(START_NS), same]), None, "a.pcap").kinds(), [""; 0]);
    // A virtual address of VRRP moves between routers.
    let mut virtual_router = arp(START_NS + 30 * SECOND, 2, 20, (20, 20), 1);
    virtual_router.bytes[22..28].copy_from_slice(&[0, 0, 0x5e, 0, 1, 7]);
    let outcome = judged(&sorted(&[site(100), known(START_NS), vec![virtual_router]]), None, "a.pcap");
    assert_eq!(outcome.kinds(), [""; 0]);
}

#[test]
fn an_answer_by_arp_is_not_unasked_where_the_question_may_have_been_missed() {
    let lie = |target| vec![arp(START_NS + 30 * SECOND, 2, 66, (66, 20), target)];
    let frames = sorted(&[site(100), known(START_NS), lie(1)]);
    let lost = judged_losing(&[START_NS + 20 * SECOND], &frames, None, "a.pcap");
    assert_eq!((lost.of(K::ArpSpoofing).len(), lost.withheld(K::ArpSpoofing)), (0, 1));
    // Packets that were lost long ago excuse nobody.
    let long_ago = judged_losing(&[START_NS - 20 * SECOND], &frames, None, "a.pcap");
    assert_eq!(long_ago.of(K::ArpSpoofing).len(), 1);
    // Nothing is seen of what host 77 sends: its question was not seen, either.
    let one_way = judged(&sorted(&[site(100), known(START_NS), lie(77)]), None, "a.pcap");
    assert_eq!((one_way.of(K::ArpSpoofing).len(), one_way.withheld(K::ArpSpoofing)), (0, 1));
    // What is gratuitous says itself that nobody asked, whatever was lost.
    let frames = sorted(&[site(100), known(START_NS), lie(20)]);
    let gratuitous = judged_losing(&[START_NS + 20 * SECOND], &frames, None, "a.pcap");
    assert_eq!((gratuitous.of(K::ArpSpoofing).len(), gratuitous.withheld(K::ArpSpoofing)), (1, 0));
}

#[test]
fn two_devices_that_claim_an_address_by_turns_conflict_and_then_spoof() {
    let turn = |n: u64| {
        let device = if n.is_multiple_of(2) { 66 } else { 20 };
        arp(START_NS + (10 + 2 * n) * SECOND, 1, device, (device, 20), 1)
    };
    let outcome = judged(&sorted(&[known(START_NS), (0..4).map(turn).collect()]), None, "a.pcap");
    assert_eq!(
        says(&outcome, K::AddressConflict),
        [
            "Two devices with one address: at 10.10.0.20; expected one device with the address 10.10.0.20, observed 02:00:00:00:00:42 and 02:00:00:00:00:14 claim it by turns."
        ]
    );
    assert_eq!(
        says(&outcome, K::ArpSpoofing),
        [
            "ARP spoofing: at 10.10.0.20; expected 10.10.0.20 to stay where it is, observed 3 changes in a row between 02:00:00:00:00:42 and 02:00:00:00:00:14 by ARP."
        ]
    );
    let outcome = judged(&sorted(&[known(START_NS), (0..1).map(turn).collect()]), None, "a.pcap");
    assert_eq!(outcome.kinds(), [""; 0], "one change while everything is learned is none");
}

#[test]
fn a_message_in_the_name_of_another_device_is_spoofing() {
    let outcome = judged(&[arp(START_NS, 1, 66, (20, 20), 1)], None, "a.pcap");
    assert_eq!(
        says(&outcome, K::ArpSpoofing),
        [
            "ARP spoofing: between 10.10.0.20 and 02:00:00:00:00:42; expected ARP messages that name the device that sends them, observed 02:00:00:00:00:42 says that 10.10.0.20 is at 02:00:00:00:00:14."
        ]
    );
}

#[test]
fn another_ethernet_address_later_on_is_told() {
    let other = |start_ns| {
        let outer = vec![Layer::Ethernet { dst: mac(20), src: [2, 9, 9, 9, 9, 9] }];
        TcpTalk { start_ns, outer, ..modbus(vec![ask(1, 5, &Request::Read(3, 0, 2))]) }.frames()
    };
    let outcome = judged(&sorted(&[site(900), other(LATER)]), None, "a.pcap");
    assert_eq!(
        says(&outcome, K::MacChange),
        [
            "Another Ethernet address: between 10.10.0.1 and 02:09:09:09:09:09; expected 10.10.0.1 at 02:00:00:00:00:01, observed it at 02:09:09:09:09:09."
        ]
    );
    assert_eq!(
        says(&judged(&sorted(&[site(900), other(START_NS + SECOND)]), None, "a.pcap"), K::MacChange),
        [""; 0]
    );
}

#[test]
fn many_hosts_behind_a_router_are_no_change() {
    let behind = |router: u8, start: u64| -> Vec<TimedFrame> {
        (100..104)
            .flat_map(|host| {
                let lines = vec![Line::client(&b"hello"[..])];
                let outer = vec![Layer::Ethernet { dst: mac(20), src: [2, 7, 7, 7, router, router] }];
                TcpTalk {
                    start_ns: start,
                    outer,
                    ..TcpTalk::new(address(host, 4000), address(20, 9999), lines)
                }
                .frames()
            })
            .collect()
    };
    let outcome = judged(&sorted(&[site(900), behind(1, START_NS), behind(2, LATER)]), None, "a.pcap");
    assert_eq!(says(&outcome, K::MacChange), [""; 0]);
}

#[test]
fn a_pinned_address_must_not_be_claimed_by_another_device() {
    let profile = crate::substation!(
        r#"
mac = "02:00:00:00:00:14"
[stations.pump]
protocol = "modbus"
host = "rtu"
unit_id = 5
[[rules]]
name = "scada polls"
from = "scada"
to = "pump"
allow = "read"
"#
    );
    let lie = vec![arp(START_NS + SECOND, 1, 66, (66, 20), 1)];
    let outcome = judged(&sorted(&[known(START_NS), lie]), Some(profile), "a.pcap");
    assert_eq!(
        says(&outcome, K::ArpSpoofing),
        [
            "ARP spoofing: between rtu (10.10.0.20) and 02:00:00:00:00:42; expected 10.10.0.20 at 02:00:00:00:00:14, as the profile says, observed ARP says 02:00:00:00:00:42."
        ]
    );
    assert_eq!(judged(&known(START_NS), Some(profile), "a.pcap").kinds(), [""; 0]);
}

#[test]
fn a_flood_of_addresses_is_one_story() {
    let frames = |count: u64| -> Vec<TimedFrame> {
        (0..count)
            .map(|n| {
                let from = Ipv4Addr::from(0x0a20_0000 + u32::try_from(n).unwrap());
                let layers = [
                    Layer::Ethernet { dst: mac(20), src: mac(1) },
                    Layer::Ipv4(Ipv4::new(from, ip(20))),
                    Layer::Tcp(Tcp { src: 4000, dst: 9999, flags: 16, ..Tcp::default() }),
                ];
                at(START_NS + n * 1_000_000, build(&layers, &[]))
            })
            .collect()
    };
    assert_eq!(
        says(&judged(&frames(3000), None, "a.pcap"), K::AddressFlood),
        [
            "Flood of addresses: at 10.32.3.231; expected fewer than 1000 new addresses a minute, observed 1000 new IP addresses and 1 new Ethernet address, 10.32.3.231 the last of them."
        ]
    );
    assert_eq!(judged(&frames(999), None, "a.pcap").kinds(), [""; 0]);
}

// ---- The sensor ----

#[test]
fn a_clock_that_goes_back_is_told() {
    let mut frames = site(60);
    let last = frames.last_mut().unwrap();
    last.at_ns -= 5 * SECOND;
    let outcome = judged(&frames, None, "a.pcap");
    assert_eq!(
        says(&outcome, K::ClockJump),
        [
            "Clock of a tap goes back: at serial0; expected packet time that goes on, observed a packet 4.9 s older than the one before on tap 0."
        ]
    );
    frames.last_mut().unwrap().at_ns += 9 * SECOND / 2;
    assert_eq!(says(&judged(&frames, None, "a.pcap"), K::ClockJump), [""; 0]);
}

#[test]
fn traffic_that_nearly_stops_is_told() {
    let minute = |n: u64, count: u64| -> Vec<TimedFrame> {
        let start = (START_NS / (60 * SECOND) + 1 + n) * 60 * SECOND;
        let at = |k: u64| segment(start + k * 60 * SECOND / (count + 1), (1, 40_000), (20, 502), 16);
        (0..count).map(at).collect()
    };
    let quiet =
        |left: u64| (0..14).flat_map(|n| minute(n, if n < 11 { 700 } else { left })).collect::<Vec<_>>();
    assert_eq!(
        says(&judged(&quiet(20), None, "a.pcap"), K::TrafficVanished),
        [
            "Traffic nearly stopped: at serial0; expected about as many packets a minute as before, at least 700 in each of the last 10, observed 20."
        ]
    );
    assert_eq!(says(&judged(&quiet(200), None, "a.pcap"), K::TrafficVanished), [""; 0]);
    let with = |threshold: &str| {
        let site = format!("[profile]\nname = \"x\"\n[thresholds]\n{threshold}\n");
        judged(&quiet(20), Some(&site), "a.pcap").of(K::TrafficVanished).len()
    };
    // Eleven minutes are not twelve, and 700 packets are few where a thousand are wanted.
    assert_eq!(["traffic_minutes = 11", "traffic_minutes = 12", "traffic_floor = 1000"].map(with), [1, 0, 0]);
}

#[test]
fn traffic_that_the_tap_loses_has_not_vanished() {
    let minute = |n: u64| (START_NS / (60 * SECOND) + 1 + n) * 60 * SECOND;
    let packets = |n: u64, count: u64| -> Vec<TimedFrame> {
        let at = |k: u64| segment(minute(n) + k * 60 * SECOND / (count + 1), (1, 40_000), (20, 502), 16);
        (0..count).map(at).collect()
    };
    let frames: Vec<_> = (0..14).flat_map(|n| packets(n, if n < 11 { 700 } else { 20 })).collect();
    // Lost in each minute, at its beginning.
    let drops: Vec<u64> = (11..14).map(|n| minute(n) + SECOND).collect();
    let outcome = judged_losing(&drops, &frames, None, "a.pcap");
    assert_eq!((outcome.of(K::TrafficVanished).len(), outcome.withheld(K::TrafficVanished)), (0, 1));
}

/// Two devices of one master.
pub(super) const DEVICES: &str = r#"
[profile]
name = "North substation"
[hosts.scada]
address = "10.10.0.1"
[hosts.rtu-20]
address = "10.10.0.20"
[hosts.rtu-21]
address = "10.10.0.21"
[stations.pump]
protocol = "modbus"
host = "rtu-20"
unit_id = 5
[stations.valve]
protocol = "modbus"
host = "rtu-21"
unit_id = 5
[[rules]]
name = "scada polls"
from = "scada"
to = ["pump", "valve"]
allow = "read"
"#;

#[test]
fn devices_that_only_answer_do_not_talk_to_each_other() {
    let between = |from: SocketAddr, to: SocketAddr| {
        let script = vec![Line::client(b"hello".to_vec()), Line::server(b"hello".to_vec())];
        let talk = TcpTalk { start_ns: START_NS + 5 * SECOND, ..TcpTalk::new(from, to, script) };
        judged(&sorted(&[site(20), talk.frames()]), Some(DEVICES), "site.pcap")
    };
    let outcome = between(address(21, 1630), address(20, 4444));
    assert_eq!(
        says(&outcome, K::StationsConnected),
        [
            "Devices that talk to each other: between rtu-20 (10.10.0.20) and 10.10.0.21; expected devices that only \
          answer their masters to have nothing to say to each other, observed a TCP connection between \
          10.10.0.20:4444 and 10.10.0.21:1630."
        ]
    );
    // A master may have other business with a device.
    assert!(says(&between(address(1, 1630), address(20, 4444)), K::StationsConnected).is_empty());
}
