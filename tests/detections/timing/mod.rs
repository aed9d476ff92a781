//! Poll timing: changed, doubled and missing polls, silent stations; and all that looks like it and is not.

mod integrity;
mod pace;
mod silence;

use std::net::SocketAddr;

use gridtap::report::catalogue::FindingKind as K;
use serde_json::Value;
use simulators::encode::dnp3;
use simulators::encode::modbus::{Request, Response};
use simulators::wire::{IpStyle, Line, Side, TcpTalk, TimedFrame, datagrams, ethernet};

use crate::support::judge::{
    self, Outcome, address, answer, ask, class_1, command, crob, judged, judged_losing, one_way, report,
};

pub(crate) const MS: u64 = 1_000_000;
pub(crate) const SECOND: u64 = 1000 * MS;

/// Lines at moments, as they fall due, in nanoseconds from the start.
#[derive(Default)]
pub(crate) struct Script(pub(crate) Vec<(u64, Line)>);

impl Script {
    /// A read of `range` by unit 5 (or another), answered 20 ms later unless it is not.
    fn read(&mut self, at: u64, range: u16, answered: bool) {
        self.read_of(5, at, range, answered);
    }

    fn read_of(&mut self, unit: u8, at: u64, range: u16, answered: bool) {
        let transaction = self.0.len() as u16;
        self.0.push((at, ask(transaction, unit, &Request::Read(3, range, 2))));
        if answered {
            self.0.push((at + 20 * MS, answer(transaction, unit, &Response::Registers(3, vec![1, 2]))));
        }
    }

    /// A poll every `period` over `span`.
    pub(crate) fn polls(mut self, span: core::ops::Range<u64>, period: u64, range: u16) -> Script {
        let mut at = span.start;
        while at < span.end {
            self.read(at, range, true);
            at += period;
        }
        self
    }

    fn unanswered(mut self, span: core::ops::Range<u64>, period: u64, range: u16) -> Script {
        let mut at = span.start;
        while at < span.end {
            self.read(at, range, false);
            at += period;
        }
        self
    }

    pub(crate) fn talk(self, client: u16, server: u8) -> TcpTalk {
        self.talk_of(address(1, client), server)
    }

    pub(crate) fn talk_of(mut self, client: SocketAddr, server: u8) -> TcpTalk {
        self.0.sort_by_key(|(at, _)| *at);
        let mut before = 0;
        let lines = self.0.into_iter().map(|(at, line)| {
            let delay = at - before;
            before = at;
            line.after(delay)
        });
        TcpTalk { close: false, ..TcpTalk::new(client, address(server, 502), lines.collect()) }
    }

    pub(crate) fn frames(self) -> Vec<TimedFrame> {
        self.talk(40_000, 20).frames()
    }
}

/// Another station, polled every second all the time: the tap is alive.
pub(crate) fn alive(span: core::ops::Range<u64>) -> Vec<TimedFrame> {
    Script::default().polls(span, SECOND, 40).talk(50_000, 30).frames()
}

pub(crate) fn together(parts: impl IntoIterator<Item = Vec<TimedFrame>>) -> Vec<TimedFrame> {
    let mut frames: Vec<TimedFrame> = parts.into_iter().flatten().collect();
    frames.sort_by_key(|frame| frame.at_ns);
    frames
}

pub(crate) fn s(seconds: u64) -> u64 {
    seconds * SECOND
}

fn outcome(frames: &[TimedFrame]) -> Outcome {
    judged(frames, None, "timing.pcap")
}

/// The findings of this file's kinds, as they are read aloud.
fn told(outcome: &Outcome) -> Vec<String> {
    let timing = |f: &&Value| f["id"].as_str().unwrap().starts_with("TIM-");
    outcome.findings.iter().filter(timing).map(|f| f["explanation"].as_str().unwrap().to_owned()).collect()
}

/// What station events say, without the first sight of each.
fn events(outcome: &Outcome) -> Vec<String> {
    outcome
        .text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|line| line["event"] == "station" && line["what"] != "first_seen")
        .map(|line| format!("{} {} {}", line["what"].as_str().unwrap(), line["server"], line["station"]))
        .collect()
}

fn is_from(frame: &TimedFrame, last: u8) -> bool {
    frame.bytes[26..30] == [10, 10, 0, last]
}

const RHYTHM: &str = "Commands in a machine's rhythm: 10.10.0.1 sent direct operate (function 5) to link 10 at 10.10.0.20 for binary output 4; expected commands by hand, or by a scheme that has run before, observed 5 commands to 5 objects, one every 200 ms, the gaps differing by 0.0 %.";

fn controls(spacing: impl Fn(u64) -> u64) -> Outcome {
    let mut lines = Vec::new();
    for n in 0..8_u64 {
        let sequence = n as u8;
        let poll = [
            command(10, &dnp3::request(sequence, 1, &class_1())).after(s(1)),
            report(10, &dnp3::response(sequence, [0, 0], &[])),
        ];
        lines.extend(poll);
    }
    for n in 0..9_u64 {
        let (sequence, trip) = (8 + n as u8 % 8, crob(n as u8, 0x81));
        lines.push(command(10, &dnp3::request(sequence, 5, &trip)).after(spacing(n) - 20 * MS));
        lines.push(report(10, &dnp3::response(sequence, [0, 0], &trip)).after(20 * MS));
    }
    outcome(&judge::dnp3(lines).frames())
}

#[test]
fn commands_evenly_spaced_to_many_objects_are_a_machines() {
    assert_eq!(told(&controls(|_| 200 * MS)), [RHYTHM]);
    assert_eq!(told(&controls(|n| (300 + n * 7919 % 600) * MS)), [""; 0]);
}

#[test]
fn a_controller_that_writes_its_registers_in_cycles_is_no_news() {
    let mut script = Script::default().polls(0..s(200), SECOND, 0);
    for n in 0..200 {
        for register in 0..6_u16 {
            let at = s(n) + (200 + 50 * u64::from(register)) * MS;
            let transaction = (n * 6) as u16 + register;
            let write = Request::WriteRegister(register, 7);
            script.0.push((at, ask(transaction, 5, &write)));
            script.0.push((at + 10 * MS, answer(transaction, 5, &Response::Echo(Box::new(write)))));
        }
    }
    assert_eq!(told(&outcome(&script.frames())), [""; 0]);
}

const IDLE: &str = "Master back after a long silence: 10.10.0.1 talked to unit 5 at 10.10.0.20; expected no request after 30 d without any, observed one after 30 d 23 h.";

#[test]
fn a_master_that_comes_back_after_a_month_is_told_unless_the_tap_slept() {
    let day = s(86_400);
    let mut visit = Script::default();
    for n in 0..8 {
        visit.read(s(n), 0, true);
    }
    let mut again = Script::default().talk(40_001, 20);
    let mut second = Script::default();
    for n in 0..8 {
        second.read(s(n), 0, true);
    }
    again.script = second.talk(40_001, 20).script;
    again.start_ns += 31 * day;
    let both = [visit.frames(), again.frames()];
    assert_eq!(told(&outcome(&together(both.clone()))), [""; 0]);
    let others = Script::default().polls(0..31 * day, 12 * s(3600), 40).talk(50_000, 30).frames();
    let outcome = outcome(&together([both[0].clone(), both[1].clone(), others.clone()]));
    assert_eq!(told(&outcome), [IDLE]);
    // Back a day earlier than a month after.
    let sooner = both[1].iter().map(|f| TimedFrame { at_ns: f.at_ns - 2 * day, ..f.clone() }).collect();
    let within = judged(&together([both[0].clone(), sooner, others]), None, "timing.pcap");
    assert_eq!(told(&within), [""; 0]);
}

#[test]
fn a_master_whose_side_was_not_seen_for_a_month_was_not_silent() {
    let hour = s(3600);
    let frames = Script::default().polls(0..32 * 24 * hour, hour, 0).frames();
    let start = frames[0].at_ns;
    let others = Script::default().polls(0..32 * 24 * hour, hour / 2, 40).talk(50_000, 30).frames();
    // Only the station's answers are seen, from the second hour on to the last day.
    let dark = start + 8 * hour..start + 31 * 24 * hour;
    let seen = |f: &TimedFrame| !dark.contains(&f.at_ns) || !is_from(f, 1);
    let frames = frames.into_iter().filter(seen).collect();
    let outcome = outcome(&together([frames, others]));
    assert_eq!(outcome.of(K::IdleMasterBack).len(), 0);
    assert_eq!(outcome.withheld(K::IdleMasterBack), 1);
}

const POLLED: &str = crate::substation!(
    r#"
[stations.pump]
protocol = "modbus"
host = "rtu"
unit_id = 5
[[rules]]
name = "scada polls"
from = "scada"
to = ["pump"]
allow = "read"
poll = { period = "2 s", tolerance = "20 %" }
"#
);

const EXPECTED: &str = "Station no longer polled: between scada (10.10.0.1) and pump (unit 5 at 10.10.0.20); expected read holding registers of holding register 0 to 1 about every 2.0 s, never missing for 6.0 s, observed no request at all since 22:13:38.000 UTC, for 6.9 s, while the tap saw other traffic.";

#[test]
fn a_period_that_the_profile_expects_needs_no_learning() {
    let script = || Script::default().polls(0..s(20), 2 * SECOND, 0).frames();
    let frames = together([script(), alive(0..s(60))]);
    let of_pump = |profile: &str| {
        let outcome = judged(&frames, Some(profile), "timing.pcap");
        told(&outcome)
    };
    assert_eq!(of_pump(POLLED), [EXPECTED]);
    assert_eq!(told(&outcome(&frames)), [""; 0], "ten polls teach no period");
    // The site may wait longer.
    let patient = format!("{POLLED}[thresholds]\nmissed_polls = 30\n");
    assert_eq!(of_pump(&patient), [""; 0]);
}

const OFF: &str = "Polled at another pace: between scada (10.10.0.1) and pump (unit 5 at 10.10.0.20) in read holding registers (function 3); expected read holding registers of holding register 0 to 1 about every 2.0 s, observed about every 2.5 s, the last 48 times.";

#[test]
fn a_period_other_than_the_profile_expects_is_told_once() {
    let polled = |period: u64| {
        let frames = Script::default().polls(0..s(400), period, 0).frames();
        told(&judged(&frames, Some(POLLED), "timing.pcap"))
    };
    assert_eq!(polled(2500 * MS), [OFF]);
    assert_eq!(polled(2300 * MS), [""; 0]);
}

#[test]
fn a_line_that_loses_answers_now_and_then_is_no_outage_until_it_is_longer_than_ever() {
    let script = |outage: u64| {
        let mut script = Script::default();
        for n in 0..900 {
            // Seven seconds of silence in every twenty, and an outage at last.
            let lost = n % 20 < 7 || (600..600 + outage).contains(&n);
            script.read(s(n), 0, !lost);
        }
        outcome(&together([script.frames(), alive(0..s(900))]))
    };
    assert_eq!(script(0).of(K::StationSilent).len(), 0);
    assert_eq!(script(60).of(K::StationSilent).len(), 1);
}

#[test]
fn a_series_of_controls_that_ends_is_no_loss_of_view() {
    let mut lines = Vec::new();
    for n in 0..100_u64 {
        let (sequence, trip) = (n as u8 % 16, crob(1, 0x81));
        lines.push(command(10, &dnp3::request(sequence, 5, &trip)).after(s(1)));
        lines.push(report(10, &dnp3::response(sequence, [0, 0], &trip)));
    }
    let outcome = outcome(&together([judge::dnp3(lines).frames(), alive(0..s(200))]));
    assert_eq!(told(&outcome), [""; 0]);
}
