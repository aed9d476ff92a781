//! VAL-05, VAL-06: what points do, commanded or not. SEQ-10, SEQ-12, DEN-13: what stations do.

use super::*;
use crate::timing::together;

// ---- VAL-05, VAL-06 ----

/// Output 3 has followed two commands.
fn obedient() -> Talk {
    Talk::new()
        .poll(SECOND, false)
        .control(SECOND, DIRECT, LATCH_ON)
        .polls(2, true)
        .control(60 * SECOND, DIRECT, LATCH_OFF)
        .polls(2, false)
        .later(60)
}

#[test]
fn a_point_that_stays_in_spite_of_an_accepted_command_is_told() {
    let stays = || obedient().control(SECOND, DIRECT, LATCH_ON).polls(18, false);
    let outcome = stays().judged();
    assert_eq!(
        says(&outcome, K::CommandWithoutEffect),
        [
            "Command without effect: 10.10.0.1 sent direct operate (function 5) to link 10 at 10.10.0.20 for binary output 3; expected binary output 3 on within 15.0 s of the command, observed off after 15.8 s, read 15 times since."
        ]
    );
    assert_eq!(outcomes(&outcome), ["done", "done", "no_effect"]);
    let moves = obedient().control(SECOND, DIRECT, LATCH_ON).polls(13, false).polls(5, true).judged();
    assert_eq!(outcomes(&moves), ["done"; 3]);
    quiet(&moves);
    let unread = obedient().control(SECOND, DIRECT, LATCH_ON).later(40).judged();
    assert_eq!(outcomes(&unread), ["done", "done", "not_confirmed"]);
    quiet(&unread);
    let frames = stays().frames();
    let lost = frames.len() - 20;
    let blind = judged(&without(frames, lost), None, "a.pcap");
    assert!(blind.of(K::CommandWithoutEffect).is_empty());
    assert_eq!(blind.withheld(K::CommandWithoutEffect), 1);
    assert_eq!(outcomes(&blind), ["done", "done", "not_confirmed"]);
}

#[test]
fn a_point_that_has_never_followed_is_not_held_to_its_commands() {
    let outcome = Talk::new().poll(SECOND, false).control(SECOND, DIRECT, LATCH_ON).polls(18, false).judged();
    assert_eq!(outcomes(&outcome), ["not_confirmed"]);
    quiet(&outcome);
}

#[test]
fn a_point_that_moves_without_a_command_is_told() {
    let outcome = obedient().polls(2, false).polls(2, true).judged();
    assert_eq!(
        says(&outcome, K::MovedWithoutCommand),
        [
            "Point moved without a command: link 10 at 10.10.0.20 answered read (function 1) to 10.10.0.1; expected binary output 3 off, as it was seen before, until it is commanded, observed on; the last command was 65.1 s ago."
        ]
    );
    quiet(&obedient().polls(20, false).judged());
    // It falls back by itself a moment after its command: a pulse.
    let pulse = obedient().control(SECOND, DIRECT, LATCH_ON).polls(2, true).polls(20, false).judged();
    quiet(&pulse);
    let frames = obedient().polls(2, false).polls(2, true).frames();
    let lost = frames.len() - 9;
    let blind = judged(&without(frames, lost), None, "a.pcap");
    assert!(blind.of(K::MovedWithoutCommand).is_empty());
    assert_eq!(blind.withheld(K::MovedWithoutCommand), 1);
}

#[test]
fn a_move_is_not_held_against_a_station_that_another_host_may_command() {
    let two = PROFILE
        .replace("[hosts.rtu]", "[hosts.backup]\naddress = \"10.10.0.2\"\n[hosts.rtu]")
        .replace("from = \"scada\"", "from = [\"scada\", \"backup\"]");
    let outcome = judged(&obedient().polls(2, false).polls(2, true).frames(), Some(&two), "a.pcap");
    quiet(&outcome);
    assert_eq!(outcome.withheld(K::MovedWithoutCommand), 1);
}

// ---- SEQ-10, SEQ-12, DEN-13 ----

fn classes() -> Vec<u8> {
    [2, 3, 4].iter().flat_map(|v| Header::new(60, *v, Range::All).encode()).collect()
}

fn unsolicited(mut talk: Talk, after_ns: u64) -> Talk {
    let sample = Sample { value: Datum::Bit(true), flags: 1, status: 0, time_ms: 0, base_ms: 0 };
    let header = Header::prefixed(2, 1, Prefix::Index8, Range::Count8(1)).encode();
    let event = [header, vec![4], object(2, 1, &sample)].concat();
    talk.lines.push(report(10, &dnp3::unsolicited(0, [0, 0], &event)).after(after_ns));
    talk.lines.push(command(10, &dnp3::confirm(0, true)));
    talk
}

#[test]
fn unsolicited_reports_while_they_are_disabled_are_told() {
    let disabled = || Talk::new().exchange(SECOND, 21, &classes(), &[]);
    let outcome = unsolicited(disabled(), 30 * SECOND).judged();
    assert_eq!(
        says(&outcome, K::UnsolicitedBeforeEnable),
        [
            "Unsolicited report while disabled: link 10 at 10.10.0.20 sent unsolicited response (function 130) to 10.10.0.1; expected no unsolicited reports of events until the master enables them, observed one 30.0 s after they were disabled."
        ]
    );
    let enabled = disabled().exchange(SECOND, 20, &classes(), &[]);
    quiet(&unsolicited(enabled, 30 * SECOND).judged());
    let one_class = Talk::new().exchange(SECOND, 21, &Header::new(60, 2, Range::All).encode(), &[]);
    quiet(&unsolicited(one_class, 30 * SECOND).judged());
    quiet(&unsolicited(disabled(), SECOND).judged());
    // The enabling may have been in the gap.
    let gap = unsolicited(disabled().exchange(SECOND, 20, &classes(), &[]).later(1), 5 * SECOND).frames();
    let blind = judged(&without(gap, 5), None, "a.pcap");
    assert!(blind.of(K::UnsolicitedBeforeEnable).is_empty());
    assert_eq!(blind.withheld(K::UnsolicitedBeforeEnable), 1);
}

#[test]
fn a_restart_that_nobody_commanded_is_told() {
    let restarts = |mut talk: Talk| {
        talk = talk.later(1);
        talk.iin = [0x80, 0];
        talk.later(1).later(1)
    };
    let outcome = restarts(Talk::new()).judged();
    assert_eq!(
        says(&outcome, K::RestartSeen),
        [
            "Restart without a command: link 10 at 10.10.0.20 answered read (function 1) to 10.10.0.1; expected a restart only after a command to restart, observed the indication of a restart (IIN1.7), and no such command in the last 10 min."
        ]
    );
    let commanded = restarts(Talk::new().later(1).exchange(SECOND, 13, &[], &[])).judged();
    assert!(commanded.of(K::RestartSeen).is_empty());
    let at_once = format!("{PROFILE}[thresholds]\nrestart_explained = \"100 ms\"\n");
    let late = restarts(Talk::new().later(1).exchange(SECOND, 13, &[], &[])).frames();
    // A rule that allows the command explains the restart that follows it, and no other.
    let allowed = PROFILE.replace("\"direct_operate\", ", "\"direct_operate\", \"restart\", ");
    assert_ne!(allowed, PROFILE);
    assert!(judged(&late, Some(&allowed), "a.pcap").kinds().iter().all(|kind| !kind.contains("restart")));
    let alone = judged(&restarts(Talk::new()).frames(), Some(&allowed), "a.pcap");
    assert_eq!(alone.of(K::RestartSeen).len(), 1);
    assert_eq!(judged(&late, Some(&at_once), "a.pcap").of(K::RestartSeen).len(), 1);
    // Restarted before the capture began.
    let mut before = Talk::new();
    before.iin = [0x80, 0];
    assert!(before.later(1).later(1).judged().of(K::RestartSeen).is_empty());
    // The command may have been in the gap.
    let gap = restarts(Talk::new().later(1).exchange(SECOND, 13, &[], &[]).later(1)).frames();
    let blind = judged(&without(gap, 5), None, "a.pcap");
    assert!(blind.of(K::RestartSeen).is_empty());
    assert_eq!(blind.withheld(K::RestartSeen), 1);
}

#[test]
fn a_restart_that_another_master_commanded_is_explained() {
    let polls = |mut talk: Talk| {
        talk = talk.later(3);
        talk.iin = [0x80, 0];
        talk.later(1).frames()
    };
    let by = |host: u8, station: u16, seconds: u64| {
        let lines = vec![
            command(station, &dnp3::request(1, 13, &[])).after(seconds * SECOND),
            report(station, &dnp3::response(1, [0, 0], &[])).after(20_000_000),
        ];
        TcpTalk::new(address(host, 40_001), address(20, 20_000), lines).frames()
    };
    let told = |other: Vec<TimedFrame>| {
        let frames = together([polls(Talk::new().later(1)), other]);
        let one = judged(&frames, None, "a.pcap");
        for workers in [2, 8] {
            assert_eq!(judged_by(workers, (&[], &[]), &frames, None, "a.pcap").text, one.text);
        }
        one.of(K::RestartSeen).len()
    };
    assert_eq!(told(by(2, 10, 2)), 0);
    // Another station behind the same host, or after it had restarted.
    assert_eq!(told(by(2, 11, 2)), 1);
    assert_eq!(told(by(2, 10, 6)), 1);
}

#[test]
fn a_control_that_is_not_allowed_after_a_restart_is_one_story() {
    let reads = PROFILE.replace("\"write\", \"select\", \"operate\", \"direct_operate\", ", "");
    let attack = |seconds| {
        let talk = Talk::new().exchange(SECOND, 13, &[], &[]).control(seconds * SECOND, DIRECT, TRIP);
        judged(&talk.frames(), Some(&reads), "a.pcap")
    };
    assert_eq!(
        says(&attack(40), K::ControlAfterDenial),
        [
            "Control after a restart or stop: scada (10.10.0.1) sent direct operate (function 5) to FDR-12 (link 10 at 10.10.0.20) for binary output 3; expected no control that the profile does not allow, observed direct operate (function 5) of binary output 3, 40.0 s after a restart command."
        ]
    );
    assert!(attack(700).of(K::ControlAfterDenial).is_empty());
    let talk = Talk::new().exchange(SECOND, 13, &[], &[]).control(40 * SECOND, DIRECT, TRIP);
    let allowed = judged(&talk.frames(), Some(PROFILE), "a.pcap");
    assert!(allowed.of(K::ControlAfterDenial).is_empty());
}

#[test]
fn half_a_conversation_makes_no_accusation() {
    let talk = || {
        obedient().control(SECOND, DIRECT, LATCH_ON).polls(18, false).control(SECOND, SELECT, TRIP).later(20)
    };
    for side in [Side::Client, Side::Server] {
        let outcome = judged(&one_way(&talk().talk(), side), None, "a.pcap");
        for kind in [K::CommandWithoutEffect, K::MovedWithoutCommand, K::SelectAbandoned] {
            assert!(outcome.of(kind).is_empty(), "{side:?} {}", kind.name());
        }
    }
}
