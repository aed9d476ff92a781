//! Learning, as it is accepted: what the first half of a benign capture taught holds for the second, and
//! attacks that were going on in both halves are found in the second all the same.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod iec104;
#[path = "../support/mod.rs"]
mod support;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use gridtap::capture::LinkType;
use gridtap::learn::{Learned, Learner};
use gridtap::pipeline::{Pipeline, PipelineOptions};
use serde_json::Value;
use simulators::encode::dnp3::{self, control};
use simulators::encode::modbus::{Request, Response, mbap};
use simulators::wire::{Line, START_NS, TcpTalk, TimedFrame};
use support::judge::{answer, ask, crob, judged, learned};

const SECOND: u64 = 1_000_000_000;

/// Findings of severity medium or higher: kind, client, server, time.
fn serious(profile: &str, frames: &[TimedFrame]) -> Vec<(String, String, String, u64)> {
    let outcome = judged(frames, Some(profile), "test.pcap");
    let text = |value: &Value, key: &str| value[key].as_str().unwrap_or_default().to_owned();
    outcome
        .findings
        .iter()
        .filter(|f| ["medium", "high", "critical"].contains(&f["severity"].as_str().unwrap()))
        .map(|f| {
            let time: jiff::Timestamp = f["time"].as_str().unwrap().parse().unwrap();
            let at = u64::try_from(time.as_nanosecond()).unwrap();
            (text(f, "kind"), text(f, "client_ip"), text(f, "server_ip"), at)
        })
        .collect()
}

/// A long benign capture, a master and a station in both halves of it, and what in the second half is new
/// and therefore rightly found.
struct Benign {
    path: &'static str,
    master: [u8; 4],
    /// A station of the first and of the second half.
    stations: [[u8; 4]; 2],
    /// Unit id, or link addresses of station and master.
    station: u16,
    own: u16,
    /// Kind and server of what may be said of what is new.
    new: &'static [(&'static str, &'static str)],
}

const BENIGN: [Benign; 5] = [
    Benign {
        path: "modbus/plc-polling-16000pdu.pcap",
        master: [141, 81, 0, 10],
        stations: [[141, 81, 0, 66]; 2],
        station: 255,
        own: 0,
        // From 11:03:45 on the master reads input registers 207 to 326 of this station, as never before: 120
        // addresses that no rule allows, which is also what a sweep looks like.
        new: &[("point_sweep", "141.81.0.46"), ("unprofiled_range", "141.81.0.46")],
    },
    Benign {
        path: "modbus/plc-polling-4000pdu.pcap",
        master: [192, 168, 0, 21],
        stations: [[192, 168, 0, 20]; 2],
        station: 1,
        own: 0,
        new: &[],
    },
    // Two stations are worked through one after the other: the second half is the other station.
    Benign {
        path: "dnp3/meter-ab1400-poll-long.pcap",
        master: [10, 0, 0, 3],
        stations: [[10, 0, 0, 12], [10, 0, 0, 2]],
        station: 10,
        own: 1,
        new: &[
            ("command_storm", "10.0.0.2"),
            ("unprofiled_control", "10.0.0.2"),
            ("unprofiled_station", "10.0.0.2"),
        ],
    },
    Benign {
        path: "dnp3/relay-sel751-poll.pcap",
        master: [10, 0, 0, 3],
        stations: [[10, 0, 0, 1], [10, 0, 0, 2]],
        station: 10,
        own: 1,
        new: &[
            ("command_storm", "10.0.0.2"),
            ("contradictory_command", "10.0.0.2"),
            ("station_not_polled", "10.0.0.1"),
            ("unprofiled_control", "10.0.0.2"),
            ("unprofiled_station", "10.0.0.2"),
        ],
    },
    Benign {
        path: "dnp3/icsnpp-example.pcap",
        master: [10, 10, 20, 5],
        stations: [[10, 10, 20, 8]; 2],
        station: 5,
        own: 1,
        // A script controls one output after the other every 40 ms, and that is what is said of it. It begins
        // five seconds before the first half ends, too late to show how often each point is controlled.
        new: &[("command_storm", "10.10.20.8"), ("machine_rhythm", "10.10.20.8")],
    },
];

fn halves(path: &std::path::Path) -> [Vec<TimedFrame>; 2] {
    let frames: Vec<TimedFrame> = support::read(path)
        .into_iter()
        .inspect(|frame| assert_eq!(frame.link, LinkType::Ethernet))
        .map(|frame| TimedFrame { at_ns: frame.at.0, bytes: frame.bytes })
        .collect();
    let second = frames[frames.len() / 2..].to_vec();
    [frames[..frames.len() / 2].to_vec(), second]
}

#[test]
fn the_second_half_of_a_benign_capture_raises_only_what_is_new() {
    let Some(corpus) = support::corpus("the_second_half_of_a_benign_capture_raises_only_what_is_new") else {
        return;
    };
    for benign in &BENIGN {
        let [first, second] = halves(&corpus.join(benign.path));
        let profile = learned(&first).to_toml();
        let mut found: Vec<_> = serious(&profile, &second).into_iter().map(|f| (f.0, f.2)).collect();
        found.sort();
        found.dedup();
        let new: Vec<_> = benign.new.iter().map(|n| (n.0.to_owned(), n.1.to_owned())).collect();
        assert!(found.iter().all(|one| new.contains(one)), "{}: {found:?}", benign.path);
        assert_eq!(found.is_empty(), new.is_empty(), "{}: {found:?}", benign.path);
    }
}

// ---- Attacks ----

const ROGUE: [u8; 4] = [10, 99, 0, 66];

fn socket(ip: [u8; 4], port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::from(ip)), port)
}

struct Attack {
    what: &'static str,
    actor: [u8; 4],
    /// In hundredths of the half's length.
    at: u64,
    script: Vec<Line>,
}

fn modbus_attacks(benign: &Benign) -> Vec<Attack> {
    let unit = benign.station as u8;
    let exchange = |n: u16, unit: u8, request: Request, response: Response| {
        [ask(n, unit, &request).after(100_000_000), answer(n, unit, &response)]
    };
    let poll = |n| exchange(n, unit, Request::Read(4, 0, 2), Response::Registers(4, vec![1, 2]));
    let units = |n: u16| exchange(n, 100 + n as u8, Request::Read(3, 0, 1), Response::Exception(3, 11));
    let registers = |n: u16| {
        let response =
            if n.is_multiple_of(4) { Response::Registers(3, vec![n]) } else { Response::Exception(3, 2) };
        exchange(n, unit, Request::Read(3, 5000 + n, 1), response)
    };
    let write = Request::WriteRegister(7777, 1);
    let coil = Request::WriteCoil(4000, 0xFF00);
    vec![
        Attack { what: "rogue master", actor: ROGUE, at: 15, script: (1..=20).flat_map(poll).collect() },
        Attack {
            what: "unit sweep",
            actor: benign.master,
            at: 30,
            script: (1..=30).flat_map(units).collect(),
        },
        Attack {
            what: "register sweep",
            actor: benign.master,
            at: 45,
            script: (1..=40).flat_map(registers).collect(),
        },
        Attack {
            what: "forged register",
            actor: benign.master,
            at: 60,
            script: exchange(1, unit, write.clone(), Response::Echo(Box::new(write))).into(),
        },
        Attack {
            what: "forged coil",
            actor: benign.master,
            at: 75,
            script: exchange(1, unit, coil.clone(), Response::Echo(Box::new(coil))).into(),
        },
    ]
}

fn dnp3_attacks(benign: &Benign) -> Vec<Attack> {
    let (station, own) = (benign.station, benign.own);
    let say = |station: u16, own: u16, fragment: &[u8]| {
        Line::client(dnp3::frames(control::MASTER_DATA, station, own, fragment)).after(100_000_000)
    };
    let reply = |station: u16, own: u16, fragment: &[u8]| {
        Line::server(dnp3::frames(control::OUTSTATION_DATA, own, station, fragment))
    };
    let class_0 = [60, 1, 6];
    let poll = |n: u8| {
        [
            say(station, 77, &dnp3::request(n, 1, &class_0)),
            reply(station, 77, &dnp3::response(n, [0, 0], &[])),
        ]
    };
    let addresses = |n: u8| [say(200 + u16::from(n), own, &dnp3::request(n, 1, &class_0))];
    let trip = crob(99, 0x81);
    let forged = vec![
        say(station, own, &dnp3::request(1, 5, &trip)),
        reply(station, own, &dnp3::response(1, [0, 0], &trip)),
    ];
    vec![
        Attack { what: "rogue master", actor: ROGUE, at: 15, script: (1..=15).flat_map(poll).collect() },
        Attack {
            what: "address sweep",
            actor: benign.master,
            at: 40,
            script: (1..=15).flat_map(addresses).collect(),
        },
        Attack { what: "forged control", actor: benign.master, at: 65, script: forged },
    ]
}

/// What, who, from when to when.
type Injected = (&'static str, [u8; 4], u64, u64);

/// The half with the attacks among its frames, and when each goes on.
fn attacked(
    half: &[TimedFrame],
    station: [u8; 4],
    port: u16,
    attacks: Vec<Attack>,
) -> (Vec<TimedFrame>, Vec<Injected>) {
    let (start, end) = (half.first().unwrap().at_ns, half.last().unwrap().at_ns);
    let mut frames = half.to_vec();
    let mut times = Vec::new();
    for (number, attack) in attacks.into_iter().enumerate() {
        let at = start + (end - start) / 100 * attack.at;
        let from = socket(attack.actor, 61_000 + number as u16);
        let talk = TcpTalk { start_ns: at, ..TcpTalk::new(from, socket(station, port), attack.script) };
        let own = talk.frames();
        times.push((attack.what, attack.actor, at, own.last().unwrap().at_ns));
        frames.extend(own);
    }
    frames.sort_by_key(|frame| frame.at_ns);
    (frames, times)
}

#[test]
fn attacks_in_both_halves_are_found_in_the_second() {
    let Some(corpus) = support::corpus("attacks_in_both_halves_are_found_in_the_second") else { return };
    for benign in &BENIGN {
        let modbus = benign.path.starts_with("modbus");
        let port = if modbus { 502 } else { 20_000 };
        let attacks = || if modbus { modbus_attacks(benign) } else { dnp3_attacks(benign) };
        let [first, second] = halves(&corpus.join(benign.path));
        let (first, _) = attacked(&first, benign.stations[0], port, attacks());
        let taught = learned(&first);
        assert!(!taught.draft.left_out.is_empty(), "{}", benign.path);
        // The station that the attacks are on has to be one that the profile knows.
        let station = benign.stations[0];
        let (second, times) = attacked(&second, station, port, attacks());
        let found = serious(&taught.to_toml(), &second);
        for (what, actor, from, to) in times {
            let (actor, station) = (Ipv4Addr::from(actor).to_string(), Ipv4Addr::from(station).to_string());
            let raised = found.iter().any(|(kind, client, server, at)| {
                // That a request stays unanswered is no finding of an attack.
                *client == actor
                    && *server == station
                    && (from..=to).contains(at)
                    && kind != "unanswered_request"
            });
            assert!(raised, "{}: {what}: {found:?}\n{}", benign.path, taught.to_toml());
        }
    }
}

// ---- Set-points ----

/// A master reads ten registers every two seconds and sets one to between 40 and 54 every 20 s. `forged` are
/// the seconds at which it is set to 9000.
fn set_points(seconds: u64, forged: &[u64]) -> Vec<TimedFrame> {
    let mut script = Vec::new();
    let mut number = 0_u16;
    let mut last = 0;
    for second in 1..seconds {
        let mut say = |request: &Request, response: &Response| {
            number += 1;
            let wait = (second - last) * SECOND;
            last = second;
            script.push(ask(number, 1, request).after(wait.max(1_000_000)));
            script.push(answer(number, 1, response));
        };
        if second % 2 == 0 {
            say(&Request::Read(3, 0, 10), &Response::Registers(3, vec![7; 10]));
        }
        let value = if forged.contains(&second) { Some(9000) } else { None };
        let value = value.or((second % 20 == 0).then(|| 40 + (second * 7 % 21) as u16));
        if let Some(value) = value {
            let request = Request::WriteRegister(20, value);
            say(&request, &Response::Echo(Box::new(request.clone())));
        }
    }
    let (client, server) = (socket([10, 0, 0, 1], 40_000), socket([10, 0, 0, 2], 502));
    TcpTalk::new(client, server, script).frames()
}

#[test]
fn a_forged_set_point_in_the_learned_traffic_does_not_widen_the_limits() {
    let half = |frames: Vec<TimedFrame>, second: bool| -> Vec<TimedFrame> {
        let middle = START_NS + 900 * SECOND;
        frames.into_iter().filter(|frame| (frame.at_ns >= middle) == second).collect()
    };
    let attacked = set_points(1800, &[301, 303, 1501]);
    let taught = learned(&half(attacked.clone(), false));
    let profile = taught.to_toml();
    assert!(profile.contains("values = { min = 38, max = 56 }"), "{profile}");
    assert!(
        profile.contains("holding_register 20: 9000 was written, far from all other values"),
        "{profile}"
    );
    assert_eq!(serious(&profile, &half(set_points(1800, &[]), true)), [], "the benign second half is silent");
    let found = serious(&profile, &half(attacked, true));
    assert!(!found.is_empty());
    for (kind, client, server, at) in &found {
        assert_eq!((client.as_str(), server.as_str()), ("10.0.0.1", "10.0.0.2"), "{kind}");
        assert!((START_NS + 1500 * SECOND..START_NS + 1503 * SECOND).contains(at), "{kind} at {at}");
    }
}

#[test]
fn what_is_learned_is_sound_and_the_same_every_time() {
    let Some(corpus) = support::corpus("what_is_learned_is_sound_and_the_same_every_time") else { return };
    for path in support::captures(&corpus, &["modbus", "dnp3", "iec104", "goose"]) {
        let frames: Vec<TimedFrame> = support::read(&path)
            .into_iter()
            .filter(|frame| frame.link == LinkType::Ethernet)
            .map(|frame| TimedFrame { at_ns: frame.at.0, bytes: frame.bytes })
            .take(6000)
            .collect();
        let text = learned(&frames).to_toml();
        if let Err(errors) = profiles::parse(&text, "learned.toml") {
            panic!("{}: {errors}\n{text}", path.display());
        }
        assert_eq!(text, learned(&frames).to_toml(), "{}", path.display());
    }
}

#[test]
fn what_people_wrote_stays_to_the_letter_and_what_is_new_is_added() {
    let old = r#"# Our own words.
[profile]
name = "Pump house"   # not "test"

[hosts.scada]
address = "10.0.0.0/31"
[hosts.pump-plc]
address = "10.0.0.2"
[stations.pump]
protocol = "modbus"
host = "pump-plc"
unit_id = 1

[[rules]]
name = "scada reads the pump"   # agreed 2026-03-01
from = "scada"
to = "pump"
allow = "read"
"#;
    let frames = set_points(600, &[]);
    let profile = profiles::parse(old, "old.toml").unwrap();
    let merged = learned(&frames).merge_into(old, profile.profile());
    assert!(merged.text.starts_with(old.trim_end()), "{}", merged.text);
    assert_eq!((merged.known, merged.added), (1, 1), "reading is allowed already");
    assert_eq!(merged.names, ["rule 'scada controls pump'"]);
    let added = &merged.text[old.len()..];
    assert!(
        added.contains("from = [\"scada\"]\nto = [\"pump\"]\nallow = [\"write_single_register\"]"),
        "{added}"
    );
    assert!(!added.contains("[hosts.") && !added.contains("[stations."), "{added}");
    assert_eq!(serious(&merged.text, &frames), []);
    let again = profiles::parse(&merged.text, "new.toml").unwrap();
    let again = learned(&frames).merge_into(&merged.text, again.profile());
    assert_eq!(again.text, merged.text, "nothing is added twice");
    // What was taken out comes again, and is named; unless the profile forbids it.
    let denial = |operations: &str| {
        format!("{old}\n[[deny]]\nname = \"no writes\"\nto = \"pump\"\noperations = \"{operations}\"\n")
    };
    let merged = |text: &str| {
        let profile = profiles::parse(text, "denies.toml").unwrap();
        learned(&frames).merge_into(text, profile.profile())
    };
    let denied = merged(&denial("write"));
    assert_eq!((denied.known, denied.added, denied.denied, denied.names.len()), (1, 0, 1, 0));
    assert_eq!(merged(&denied.text).text, denied.text, "what was not learned is listed once");
    assert!(
        denied
            .text
            .contains("10.0.0.1 write_single_register to 10.0.0.2 unit 1: denied by 'no writes' (29 times"),
        "{}",
        denied.text
    );
    assert_eq!(merged(&denial("restart")).names.len(), 1);
}

#[test]
fn dangerous_functions_and_broadcasts_are_never_learned() {
    let mut script = Vec::new();
    for n in 1..=120_u16 {
        let read = Request::Read(3, 0, 4);
        script.push(ask(n, 1, &read).after(SECOND));
        script.push(answer(n, 1, &Response::Registers(3, vec![n; 4])));
        let restart = Request::Diagnostics(1, vec![0, 0]);
        script.push(ask(1000 + n, 1, &restart));
        script.push(answer(1000 + n, 1, &Response::Echo(Box::new(restart.clone()))));
        script.push(Line::client(mbap(2000 + n, 0, &Request::WriteRegister(5, n).pdu())));
    }
    let talk = TcpTalk::new(socket([10, 0, 0, 1], 40_000), socket([10, 0, 0, 2], 502), script);
    let taught = learned(&talk.frames());
    let left = taught.left_out();
    let told = |words: &str| left.iter().any(|line| line.contains(words));
    assert!(
        told("restart_communications_option to 10.0.0.2 unit 1: it restarts, stops or silences"),
        "{left:?}"
    );
    assert!(told("write_single_register to 10.0.0.2 unit 0: addressed to all stations at once"), "{left:?}");
    let allowed: Vec<String> =
        taught.to_toml().lines().filter(|l| l.starts_with("allow")).map(str::to_owned).collect();
    assert_eq!(allowed, ["allow = [\"read_holding_registers\"]"]);
}

fn sound(taught: &Learned) -> (String, profiles::Compiled) {
    let text = taught.to_toml();
    let profile = profiles::parse(&text, "learned.toml").unwrap_or_else(|e| panic!("{e}\n{text}"));
    (text, profile)
}

/// Requests and answers once a second; each of the ports is a line of its own behind one address.
fn on_ports(ports: &[u16], more: impl Fn(u16) -> Vec<Line>) -> Vec<TimedFrame> {
    let talk = |port: u16| {
        let mut script = Vec::new();
        for n in 1..=240_u16 {
            let read = Request::Read(3, 0, 2);
            script.push(ask(n, 1, &read).after(SECOND));
            script.push(answer(n, 1, &Response::Registers(3, vec![100 + n % 10, 7])));
            script.extend(more(n));
        }
        TcpTalk::new(socket([10, 0, 0, 1], 40_000 + port), socket([10, 0, 0, 2], port), script).frames()
    };
    let mut frames: Vec<_> = ports.iter().flat_map(|port| talk(*port)).collect();
    frames.sort_by_key(|frame| frame.at_ns);
    frames
}

#[test]
fn what_no_profile_can_say_is_left_out() {
    let odd = |n: u16| {
        let ask_for = |code| Line::client(mbap(1000 + n, 1, &[code, 0, 0]));
        let answer_to = |code| Line::server(mbap(1000 + n, 1, &[code, 0]));
        vec![ask_for(0), answer_to(0), ask_for(100), answer_to(100)]
    };
    let taught = learned(&on_ports(&[502], odd));
    sound(&taught);
    let name = "site\n[hosts.x]\u{202e}\x1b[31m".to_owned() + &"x".repeat(300);
    let text = taught.to_toml();
    assert!(!text.contains("fc:0"), "{text}");

    let mut pipeline = Pipeline::new(&PipelineOptions::default(), Learner::default());
    pipeline.finish();
    let taught = Learned::new(&pipeline.into_consumer(), name.clone(), vec![name], 0);
    let (text, _) = sound(&taught);
    assert!(!text.contains(['\x1b', '\u{202e}']) && !text.contains("\n[hosts"), "{text}");
    assert!(taught.is_empty());
}

#[test]
fn one_station_on_two_ports_is_two_stations() {
    let (text, profile) = sound(&learned(&on_ports(&[502, 1502], |_| Vec::new())));
    let ports: Vec<_> = profile.profile().stations.iter().map(|s| s.port).collect();
    assert_eq!(ports, [Some(502), Some(1502)], "{text}");
    assert_eq!(serious(&text, &on_ports(&[502, 1502], |_| Vec::new())), []);
    // A station that is on the other port already keeps it.
    let one = sound(&learned(&on_ports(&[1502], |_| Vec::new())));
    let merged = learned(&on_ports(&[502], |_| Vec::new())).merge_into(&one.0, one.1.profile());
    assert!(profiles::parse(&merged.text, "merged.toml").is_ok(), "{}", merged.text);
}

#[test]
fn a_broadcast_belongs_to_a_station_behind_the_same_host() {
    let clock = dnp3::request(0, 24, &[]);
    let mut script = Vec::new();
    for n in 0..240_u8 {
        let poll = dnp3::request(n & 15, 1, &support::judge::class_1());
        script.push(support::judge::command(10, &poll).after(SECOND));
        script.push(support::judge::report(10, &dnp3::response(n & 15, [0, 0], &[])));
        script.push(support::judge::command(0xffff, &clock));
    }
    let frames = TcpTalk::new(socket([10, 0, 0, 1], 40_000), socket([10, 0, 0, 2], 20_000), script).frames();
    let (text, profile) = sound(&learned(&frames));
    assert!(profile.profile().rules.iter().any(|rule| rule.broadcast), "{text}");
    assert_eq!(serious(&text, &frames), []);
}

#[test]
fn read_values_are_proposed_as_comments_that_hold() {
    let (text, before) = sound(&learned(&on_ports(&[502], |_| Vec::new())));
    let line = "# holding-register-0 = { point = \"holding_register 0\", range = [99, 110], \
                rate_of_change = \"14 per second\", stuck_after = \"3 s\" } # seen 100 to 109";
    assert!(text.lines().any(|l| l == line), "{text}");
    assert!(before.profile().stations[0].points.is_empty(), "nothing of it is in force");
    let taken: String = text
        .lines()
        .map(|l| match l.strip_prefix("# ").filter(|l| l.starts_with("[stations") || l.contains("{ point")) {
            Some(line) => format!("{line}\n"),
            None => format!("{l}\n"),
        })
        .collect();
    let after = profiles::parse(&taken, "taken.toml").unwrap_or_else(|e| panic!("{e}\n{taken}"));
    assert_eq!(after.profile().stations[0].points.len(), 2);
    assert_eq!(serious(&taken, &on_ports(&[502], |_| Vec::new())), []);
}

#[test]
fn what_a_station_refuses_all_the_time_is_not_allowed_but_no_storm() {
    let refused = |n: u16| {
        let close = Request::WriteCoil(5, if n.is_multiple_of(2) { 0xff00 } else { 0 });
        vec![ask(1000 + n, 1, &close), answer(1000 + n, 1, &Response::Exception(5, 4))]
    };
    let frames = on_ports(&[502], refused);
    let (text, _) = sound(&learned(&frames));
    assert!(text.contains("coil-5 = { point = \"coil 5\", max_rate = \"90 per minute\" }"), "{text}");
    let kinds: Vec<String> = serious(&text, &frames).into_iter().map(|found| found.0).collect();
    assert!(kinds.iter().any(|kind| kind == "unprofiled_control"), "{kinds:?}");
    assert!(kinds.iter().all(|kind| kind != "command_storm"), "{kinds:?}");
}

#[test]
fn marked_frames_become_attacks_by_pair_of_hosts() {
    let Some(corpus) = support::corpus("marked_frames_become_attacks_by_pair_of_hosts") else { return };
    for (name, expected) in [
        ("characterization-scan", vec![("192.168.1.101", "192.168.1.104", 6719)]),
        (
            "cnc-upload-exe",
            vec![
                ("192.168.1.100", "192.168.1.255", 1),
                ("192.168.1.100", "192.168.1.104", 22),
                ("192.168.1.101", "192.168.1.105", 98),
            ],
        ),
    ] {
        let base = corpus.join("attack").join(format!("modbus-lemay-{name}"));
        let marked = gridtap::score::labels::Marked::read(&base.with_extension("labels.csv")).unwrap();
        let attacks = marked.attacks(&base.with_extension("pcap")).unwrap();
        let seen: Vec<_> =
            attacks.iter().map(|a| (a.hosts[0].as_str(), a.hosts[1].as_str(), a.frames)).collect();
        assert_eq!(seen, expected);
    }
}

/// One read every two seconds, from and to these seconds.
fn polls(client: [u8; 4], from: u64, to: u64) -> Vec<TimedFrame> {
    let read = Request::Read(3, 0, 10);
    let exchange = |n: u64| {
        let number = n as u16;
        [ask(number, 1, &read).after(2 * SECOND), answer(number, 1, &Response::Registers(3, vec![7; 10]))]
    };
    let script = (0..(to - from) / 2).flat_map(exchange).collect();
    let talk = TcpTalk::new(socket(client, 40_000 + from as u16), socket([10, 0, 0, 2], 502), script);
    TcpTalk { start_ns: START_NS + from * SECOND, ..talk }.frames()
}

#[test]
fn a_master_that_comes_while_the_other_is_silent_is_its_backup_and_beside_it_a_stranger() {
    let (main, other) = ([10, 0, 0, 1], [10, 0, 0, 9]);
    let capture = |parts: &[([u8; 4], u64, u64)]| {
        let mut frames: Vec<TimedFrame> = parts.iter().flat_map(|p| polls(p.0, p.1, p.2)).collect();
        frames.sort_by_key(|frame| frame.at_ns);
        frames
    };
    let backup = learned(&capture(&[(main, 0, 600), (other, 620, 880), (main, 900, 1800)])).to_toml();
    assert!(
        backup.contains("[redundancy.master-1-and-backup]\nhosts = [\"master-1\", \"backup-9\"]"),
        "{backup}"
    );
    assert!(
        backup.contains("# REVIEW: 10.0.0.9 came only while 10.0.0.1 was silent; is it its backup?"),
        "{backup}"
    );
    profiles::parse(&backup, "backup.toml").unwrap_or_else(|errors| panic!("{errors}"));
    for (from, until) in [(620, 880), (620, 622), (30, 32)] {
        let stranger = learned(&capture(&[(main, 0, 1800), (other, from, until)]));
        assert!(stranger.left_out().iter().any(|line| line.starts_with("10.0.0.9 was active for")));
        let text = stranger.to_toml();
        assert!(!text.contains("\"10.0.0.9\""), "a second master beside the first is not learned: {text}");
    }
}

/// A minute of reads is not learned because of what the stranger did much later, which is never learned anyway.
#[test]
fn a_restart_long_after_its_polls_does_not_make_a_stranger_ordinary() {
    let stranger = |restarts: bool| {
        let read = Request::Read(3, 0, 10);
        let mut script: Vec<Line> = (0..30_u16)
            .flat_map(|n| {
                [ask(n, 1, &read).after(2 * SECOND), answer(n, 1, &Response::Registers(3, vec![7; 10]))]
            })
            .collect();
        if restarts {
            let restart = Request::Diagnostics(1, vec![0, 0]);
            script.push(ask(100, 1, &restart).after(1000 * SECOND));
            script.push(answer(100, 1, &Response::Echo(Box::new(restart))));
        }
        let talk = TcpTalk::new(socket([10, 0, 0, 9], 40_009), socket([10, 0, 0, 2], 502), script);
        TcpTalk { start_ns: START_NS + 1500 * SECOND, ..talk }.frames()
    };
    for restarts in [false, true] {
        let mut frames = polls([10, 0, 0, 1], 0, 3600);
        frames.extend(stranger(restarts));
        frames.sort_by_key(|frame| frame.at_ns);
        let taught = learned(&frames);
        let left = taught.left_out();
        let told = |words: &str| left.iter().any(|line| line.starts_with(words));
        assert!(told("10.0.0.9 was active for 58 s of 59 min only, at 10.0.0.2 unit 1"), "{left:?}");
        assert_eq!(told("10.0.0.9 restart_communications_option to 10.0.0.2 unit 1: it restarts"), restarts);
        let text = taught.to_toml();
        assert!(!text.contains("\"10.0.0.9\""), "{text}");
    }
}

// ---- What is written of it ----

/// Counts, first and last time of every rule, periods with their tolerance, roles.
#[test]
fn a_rule_says_how_often_it_was_seen_and_a_host_what_it_seems_to_be() {
    let (text, profile) = sound(&learned(&set_points(600, &[])));
    for part in [
        "\n# 299 times, from 2023-11-14T22:13:22Z to 2023-11-14T22:23:18Z\n#   read_holding_registers holding_register 0-9: \
         299 times, every 2 s ± 0 %, value 7\n[[rules]]\n",
        "\npoll = { period = \"2 s\", tolerance = \"50 %\" }\n",
        "\n# 29 times, from 2023-11-14T22:13:40Z to 2023-11-14T22:23:00Z\n",
        "# Seems to be: role = \"scada_master\" (asks 1 station, controls 1)\n",
        "# Seems to be: role = \"rtu\" (answers as 1 station)\n",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(profile.profile().hosts.iter().all(|host| host.role.is_none()), "the engineer confirms it");
}

/// A latch that the site switches twelve times a minute, or as often as `every` seconds say.
fn latch(every: u64, to: u64) -> Vec<TimedFrame> {
    let mut script = Vec::new();
    for n in 0..to / every {
        let sequence = (n & 15) as u8;
        let order = crob(3, if n.is_multiple_of(2) { 3 } else { 4 });
        script.push(support::judge::command(10, &dnp3::request(sequence, 5, &order)).after(every * SECOND));
        script.push(support::judge::report(10, &dnp3::response(sequence, [0, 0], &order)));
    }
    TcpTalk::new(socket([10, 0, 0, 1], 40_000), socket([10, 0, 0, 2], 20_000), script).frames()
}

#[test]
fn how_often_a_point_was_commanded_overrides_the_default() {
    let usual = latch(5, 1200);
    let (text, _) = sound(&learned(&usual));
    let storms = |profile: &str, frames: &[TimedFrame]| {
        judged(frames, Some(profile), "a.pcap")
            .of(gridtap::report::catalogue::FindingKind::CommandStorm)
            .len()
    };
    assert!(
        text.contains("binary-output-3 = { point = \"binary_output 3\", max_rate = \"18 per minute\" }"),
        "{text}"
    );
    assert_eq!(serious(&text, &usual), []);
    assert_eq!(storms(&text, &usual), 0);
    assert!(storms(&text, &latch(1, 240)) > 0, "five times as often");
    // Without what was learned of the point, the default holds from its first minute on.
    let forgotten = text.lines().filter(|l| !l.contains("max_rate")).collect::<Vec<_>>().join("\n");
    let later = |frame: TimedFrame| TimedFrame { at_ns: frame.at_ns + 700 * SECOND, ..frame };
    let quiet_first: Vec<_> =
        latch(60, 600).into_iter().chain(latch(5, 600).into_iter().map(later)).collect();
    assert!(storms(&forgotten, &quiet_first) > 0);
}
