//! GOOSE from learning to judging: what a capture teaches of its publishers, what it does not, and what holds with the
//! profile afterwards.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;

use gridtap::learn::Learned;
use simulators::encode::goose::{Data, Frame, Pdu, Tag, UtcTime};
use simulators::encode::modbus::{Request, Response};
use simulators::wire::{START_NS, TcpTalk, TimedFrame};
use support::judge::{answer, ask, judged, learned};

const SECOND: u64 = 1_000_000_000;
const MS: u64 = 1_000_000;

fn sound(taught: &Learned) -> (String, profiles::Compiled) {
    let text = taught.to_toml();
    let profile = profiles::parse(&text, "learned.toml").unwrap_or_else(|e| panic!("{e}\n{text}"));
    (text, profile)
}

/// Kinds of medium or higher, with who sent it and when, in seconds from the start.
fn serious(profile: &str, frames: &[TimedFrame]) -> Vec<(String, String, f64)> {
    let outcome = judged(frames, Some(profile), "test.pcap");
    let serious =
        |f: &&serde_json::Value| ["medium", "high", "critical"].contains(&f["severity"].as_str().unwrap());
    let row = |f: &serde_json::Value| {
        let at: jiff::Timestamp = f["time"].as_str().unwrap().parse().unwrap();
        let text = |key: &str| f[key].as_str().unwrap_or_default().to_owned();
        (text("kind"), text("server"), (at.as_nanosecond() - i128::from(START_NS)) as f64 / 1e9)
    };
    outcome.findings.iter().filter(serious).map(row).collect()
}

fn kinds(profile: &str, frames: &[TimedFrame]) -> Vec<String> {
    let mut kinds: Vec<_> = serious(profile, frames).into_iter().map(|found| found.0).collect();
    kinds.sort();
    kinds.dedup();
    kinds
}

/// A message of bay `n`, at milliseconds from the start.
fn message(n: u8, at_ms: u64, state: u32, sequence: u32) -> (u64, Frame) {
    let pdu = Pdu {
        control_block: format!("BAY{n}/LLN0$GO$gcb1"),
        time_allowed_to_live: 2000,
        data_set: format!("BAY{n}/LLN0$Trip"),
        id: Some(format!("BAY{n}_TRIP")),
        time: UtcTime::at(START_NS),
        state,
        sequence,
        revision: 3,
        data: vec![Data::Boolean(state.is_multiple_of(2)), Data::Boolean(false)],
        ..Pdu::default()
    };
    let frame = Frame {
        destination: [1, 0x0c, 0xcd, 1, 0, n],
        source: [2, 0, 0, 0, 0, n],
        tags: vec![Tag::new(12, 4)],
        appid: 0x1000 + u16::from(n),
        pdu,
        ..Frame::default()
    };
    (START_NS + at_ms * MS, frame)
}

type Messages = Vec<(u64, Frame)>;

/// A message a second, and a new state every 100 seconds, at once and repeated quickly.
fn bay(n: u8, from: u64, to: u64) -> Messages {
    let mut all = Messages::new();
    let (mut state, mut sequence, mut since) =
        (1 + u32::try_from(from / 100).unwrap(), 500, from - from % 100);
    for second in from..to {
        let begins = second % 100 == 0 && second > from;
        if begins {
            (state, sequence, since) = (state + 1, 0, second);
        }
        for ms in if begins { &[0, 4, 12, 28][..] } else { &[0] } {
            let (at, mut frame) = message(n, second * 1000 + u64::from(n) + ms, state, sequence);
            frame.pdu.time = UtcTime::at(START_NS + since * SECOND);
            sequence += 1;
            all.push((at, frame));
        }
    }
    all
}

fn frames(parts: &[Messages]) -> Vec<TimedFrame> {
    let mut frames: Vec<TimedFrame> = parts
        .concat()
        .iter()
        .map(|(at_ns, frame)| TimedFrame { at_ns: *at_ns, bytes: frame.encode() })
        .collect();
    frames.sort_by_key(|frame| frame.at_ns);
    frames
}

/// Twenty minutes of three bays.
fn normal() -> Vec<Messages> {
    (1..=3).map(|n| bay(n, 0, 1200)).collect()
}

#[test]
fn a_publisher_is_learned_with_all_that_is_judged_of_it() {
    let taught = learned(&frames(&normal()));
    let (text, profile) = sound(&taught);
    assert_eq!(taught.left_out(), [""; 0]);
    let section = "\n# 1,233 times, from 2023-11-14T22:13:20Z to 2023-11-14T22:33:19Z\n\
         #   the state changed 11 times, timeAllowedtoLive 2000 ms, longest pause 1 s\n\
         [publishers.BAY2-LLN0-GO-gcb1]\ncontrol_block = \"BAY2/LLN0$GO$gcb1\"\nappid = 0x1002\n\
         source = [\"02:00:00:00:00:02\"]\ndestination = \"01:0c:cd:01:00:02\"\nvlan = 12\n\
         data_set = \"BAY2/LLN0$Trip\"\ngo_id = \"BAY2_TRIP\"\nconf_rev = 3\nentries = 2\n";
    assert!(text.contains(section), "{text}");
    let head = "\n# No rules: Modbus, DNP3 and IEC 104 are judged as without a profile; a publisher that is not here is \
                told.\n# Read it,";
    assert!(text.contains(head) && !text.contains("Everything is denied"), "{text}");
    assert_eq!(profile.profile().publishers.len(), 3);
    assert_eq!(serious(&text, &frames(&normal())), []);
    assert_eq!(learned(&frames(&normal())).to_toml(), text, "the same every time");
}

#[test]
fn the_second_half_of_benign_traffic_is_silent() {
    let first = frames(&(1..=3).map(|n| bay(n, 0, 600)).collect::<Vec<_>>());
    let second = frames(&(1..=3).map(|n| bay(n, 600, 1200)).collect::<Vec<_>>());
    assert_eq!(serious(&sound(&learned(&first)).0, &second), []);
}

#[test]
fn a_go_id_is_learned_from_the_messages_that_have_one_and_judged_in_them_alone() {
    // As some publishers do: not in every message, and bay 3 in none.
    let some = |n: u8, from, to| -> Messages {
        let mut all = bay(n, from, to);
        let none = |at: usize| n == 3 || !at.is_multiple_of(3);
        all.iter_mut().enumerate().filter(|(at, _)| none(*at)).for_each(|(_, m)| m.1.pdu.id = None);
        all
    };
    let (text, profile) = sound(&learned(&frames(&[some(2, 0, 600), some(3, 0, 600)])));
    let go_ids: Vec<_> = profile.profile().publishers.iter().map(|p| p.identifier.as_deref()).collect();
    assert_eq!(go_ids, [Some("BAY2_TRIP"), None], "{text}");
    assert!(!text.contains("REVIEW"), "{text}");
    let mut second = vec![some(2, 600, 1200), some(3, 600, 1200)];
    assert_eq!(serious(&text, &frames(&second)), []);
    // Another one, be it the reference, is another configuration, which does not stand for the publisher's own.
    second[0].iter_mut().skip(300).for_each(|m| m.1.pdu.id = Some("BAY2/LLN0$GO$gcb1".to_owned()));
    assert_eq!(kinds(&text, &frames(&second)), ["goose_silent", "publisher_differs"]);
}

/// Attacks on bay 2 from this second on, each with what is told of it.
fn attacks(from: u64) -> [(&'static str, Messages); 6] {
    let at = |second: u64| (from + second) * 1000 + 300;
    let forged = |second: u64, n: u64, change: fn(&mut Frame)| {
        let (at, mut frame) = message(2, at(second) + n * 20, 40, u32::try_from(n).unwrap());
        change(&mut frame);
        (at, frame)
    };
    let many = |second: u64, change: fn(&mut Frame)| (0..5).map(|n| forged(second, n, change)).collect();
    [
        (
            "GOOSE state number jumps ahead",
            many(20, |frame| frame.pdu.time = UtcTime::at(START_NS + 1500 * SECOND)),
        ),
        ("Second publisher of one control block", many(120, |frame| frame.source[5] = 99)),
        ("Simulated or test GOOSE message", many(220, |frame| frame.pdu.simulation = true)),
        ("GOOSE configuration changed or incomplete", many(320, |frame| frame.pdu.revision = 9)),
        ("GOOSE data set changed", many(420, |frame| frame.pdu.data_set = "BAY2/LLN0$Other".into())),
        ("GOOSE message of a state that is over", many(520, |frame| frame.pdu.state = 1)),
    ]
}

#[test]
fn attacks_in_both_halves_are_told_not_learned_and_found_in_the_second() {
    // The first state is over in both halves.
    let half = |from: u64| -> Vec<Messages> {
        let bays = (1..=3).map(|n| bay(n, from, from + 600));
        bays.chain(attacks(from).into_iter().map(|(_, messages)| messages)).collect()
    };
    let taught = learned(&frames(&half(600)));
    let (text, profile) = sound(&taught);
    let left = taught.left_out().join("\n");
    for (what, _) in attacks(0) {
        assert!(left.contains(what), "{what}: {left}");
        assert!(text.contains("\n# Suspicious, and therefore not learned:\n"), "{text}");
    }
    let told = "02:00:00:00:00:63 published 'BAY2/LLN0$GO$gcb1' to 01:0c:cd:01:00:02, APPID 0x1002: Second publisher \
                of one control block (5 times) (5 times at 2023-11-14T22:25:20Z)";
    assert!(left.contains(told), "{left}");
    // The true publisher is learned as it is.
    let publishers = &profile.profile().publishers;
    assert_eq!(publishers.len(), 3);
    assert!(
        text.contains("source = [\"02:00:00:00:00:02\"]") && text.contains("data_set = \"BAY2/LLN0$Trip\"")
    );
    assert!(text.contains("# REVIEW: conf_rev was 3 and 9: the first was learned\n"), "{text}");
    assert!(publishers.iter().all(|p| p.revision == Some(3) && !p.simulation), "{text}");
    let found = serious(&text, &frames(&half(1200)));
    for (n, (what, _)) in attacks(1200).into_iter().enumerate() {
        let from = 1220.0 + 100.0 * n as f64;
        let during = |f: &&(String, String, f64)| (from..from + 2.0).contains(&f.2);
        assert!(found.iter().any(|f| during(&f)), "{what}: {found:?}");
    }
    let quiet = |f: &&(String, String, f64)| (f.2 - 1220.0).rem_euclid(100.0) > 3.0;
    assert_eq!(found.iter().find(quiet), None, "nothing is told of the true publishers");
}

#[test]
fn who_sends_as_much_as_the_other_makes_neither_the_publisher() {
    let mut other = bay(2, 0, 1200);
    for (_, frame) in &mut other {
        frame.source[5] = 99;
    }
    let taught = learned(&frames(&[bay(1, 0, 1200), bay(2, 0, 1200), other]));
    let (text, profile) = sound(&taught);
    assert_eq!(profile.profile().publishers.len(), 1, "{text}");
    let both = "others publish it, too, or it does so in several ways; none of them was learned";
    assert_eq!(taught.left_out().iter().filter(|line| line.contains(both)).count(), 2, "{text}");
    // A publisher that was there for a while only.
    let taught = learned(&frames(&[bay(1, 0, 1200), bay(2, 300, 320)]));
    assert_eq!(sound(&taught).1.profile().publishers.len(), 1);
    assert!(
        taught.left_out()[0].contains("APPID 0x1002: for a while only (20 times from "),
        "{:?}",
        taught.left_out()
    );
    // A capture too short to tell is learned whole.
    assert_eq!(sound(&learned(&frames(&[vec![message(1, 0, 1, 7)]]))).1.profile().publishers.len(), 1);
}

#[test]
fn what_people_wrote_of_publishers_stays_and_what_is_new_is_added() {
    let old = "# Ours.\n[profile]\nname = \"Bays\"\n\n[publishers.\"first bay\"]   # agreed\n\
               control_block = \"BAY1/LLN0$GO$gcb1\"\nsource = [\"02:00:00:00:00:01\"]\n\
               [publishers.bay2-LLN0-GO-gcb1]\ncontrol_block = \"BAY9/LLN0$GO$gcb1\"\n\
               [publishers.third]\ncontrol_block = \"BAY3/LLN0$GO$gcb1\"\nconf_rev = 4\n";
    let profile = profiles::parse(old, "old.toml").unwrap();
    let merged = learned(&frames(&normal())).merge_into(old, profile.profile());
    assert!(merged.text.starts_with(old), "{}", merged.text);
    assert_eq!((merged.known, merged.added), (1, 1));
    let added = &merged.text[old.len()..];
    assert!(
        added.contains("[publishers.BAY2-LLN0-GO-gcb1-2]\ncontrol_block = \"BAY2/LLN0$GO$gcb1\""),
        "{added}"
    );
    let told: String =
        added.lines().map(|line| line.trim_start_matches(['#', ' '])).collect::<Vec<_>>().join(" ");
    let conflict =
        "published 'BAY3/LLN0$GO$gcb1', but the profile's publisher 'third' has conf_rev = 4 and not 3";
    assert!(told.contains(conflict), "{added}");
    assert!(!added.contains("control_block = \"BAY3"), "{added}");
    let new = profiles::parse(&merged.text, "new.toml").unwrap_or_else(|e| panic!("{e}"));
    let again = learned(&frames(&normal())).merge_into(&merged.text, new.profile());
    assert_eq!((again.known, again.added), (2, 0));
}

#[test]
fn a_station_that_publishes_seems_to_be_a_relay() {
    let socket = |ip: [u8; 4], port| SocketAddr::new(IpAddr::V4(Ipv4Addr::from(ip)), port);
    let mut script = Vec::new();
    for n in 1..=300_u16 {
        script.push(ask(n, 1, &Request::Read(3, 0, 2)).after(SECOND));
        script.push(answer(n, 1, &Response::Registers(3, vec![n, 7])));
    }
    let talk = TcpTalk::new(socket([10, 0, 0, 1], 40_000), socket([10, 0, 0, 2], 502), script);
    let mut all = talk.frames();
    // What the station answers with is what the publisher sends from.
    let source: [u8; 6] = all[1].bytes[6..12].try_into().unwrap();
    let mut own = bay(1, 0, 300);
    for (_, frame) in &mut own {
        frame.source = source;
    }
    all.extend(frames(&[own]));
    all.sort_by_key(|frame| frame.at_ns);
    let (text, _) = sound(&learned(&all));
    let role =
        "# Seems to be: role = \"feeder_relay\" (answers as 1 station, publishes 1 GOOSE control block)";
    assert!(text.contains(role), "{text}");
    assert!(text.contains("is the Ethernet address of 10.0.0.2, too\n"), "{text}");
    assert_eq!(serious(&text, &all), []);
}

#[test]
fn names_that_a_forger_chose_and_too_many_of_them_do_no_harm() {
    let odd: Messages = (0..6000_u32)
        .map(|n| {
            let (at, mut frame) = message(1, u64::from(n), 1, 1);
            frame.pdu.control_block = format!("\n[hosts.x]\u{1b}\"{n}");
            (at, frame)
        })
        .collect();
    let taught = learned(&frames(&[bay(1, 0, 600), odd]));
    let (text, profile) = sound(&taught);
    assert_eq!(profile.profile().publishers.len(), 1);
    assert!(!text.contains('\x1b') && !text.contains("\n[hosts"), "{text}");
    assert!(
        taught.remarks.iter().any(|r| r.contains("GOOSE messages of publishers beyond the limit of 4096"))
    );
}

// ---- Captures of others ----

fn capture(path: &Path) -> Vec<TimedFrame> {
    let frames = support::read(path).into_iter();
    frames.map(|frame| TimedFrame { at_ns: frame.at.0, bytes: frame.bytes }).collect()
}

/// With a profile learned from the normal capture of a testbed, that capture and its legitimate trips are silent, and
/// its attacks are found as what they are.
#[test]
fn a_profile_learned_from_a_normal_capture_holds_for_trips_and_finds_attacks() {
    let Some(corpus) =
        support::corpus("a_profile_learned_from_a_normal_capture_holds_for_trips_and_finds_attacks")
    else {
        return;
    };
    let normal = capture(&corpus.join("goose/substation-normal.pcap"));
    let (text, profile) = sound(&learned(&normal));
    assert_eq!(profile.profile().publishers.len(), 4, "{text}");
    for benign in ["normal", "emergency-101-66bus1", "emergency-106-22bus2", "emergency-111-bfp-22bus1"] {
        let frames = capture(&corpus.join(format!("goose/substation-{benign}.pcap")));
        assert_eq!(kinds(&text, &frames), [""; 0], "{benign}");
    }
    for (attack, expected) in [
        ("trsf1-901", &["goose_state_contradicted"][..]),
        ("trsf1-902", &["goose_state_contradicted"]),
        ("trsf1-905", &["goose_second_publisher", "publisher_differs"]),
        ("crafted-all-data-primitives-fallbacks", &["unprofiled_publisher", "unknown_object"]),
        ("crafted-missing-all-data", &["malformed_pdu"]),
        ("crafted-missing-dataset", &["malformed_pdu"]),
        ("crafted-missing-go-id", &["unprofiled_publisher"]),
        ("crafted-truncated", &["malformed_pdu"]),
    ] {
        let found = kinds(&text, &capture(&corpus.join(format!("attack/goose-{attack}.pcap"))));
        assert!(expected.iter().all(|kind| found.contains(&(*kind).to_owned())), "{attack}: {found:?}");
    }
    let benign = capture(&corpus.join("goose/sample-vlan-451.pcap"));
    assert_eq!(kinds(&sound(&learned(&benign)).0, &benign), [""; 0], "devices that stamp every message");
}

/// Of the first half what is learned holds for the second.
#[test]
fn the_second_half_of_a_normal_capture_is_silent() {
    let Some(corpus) = support::corpus("the_second_half_of_a_normal_capture_is_silent") else { return };
    let frames = capture(&corpus.join("goose/substation-normal.pcap"));
    let (first, second) = frames.split_at(frames.len() / 2);
    assert_eq!(kinds(&sound(&learned(first)).0, second), [""; 0]);
}
