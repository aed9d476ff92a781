//! Poll timing: changed, doubled and missing polls, silent stations; and all that looks like it and is not.

use std::net::SocketAddr;

use gridtap::report::catalogue::FindingKind as K;
use serde_json::Value;
use simulators::encode::dnp3::{self, Header, Range};
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

const SILENT: &str = "Station silent, loss of view: between 10.10.0.1 and unit 5 at 10.10.0.20; expected answers to read holding registers of holding register 0 to 1, asked about every 1.0 s, never missing for 5.0 s, observed nothing from it since 22:14:19.020 UTC, for 6.9 s; 6 requests went unanswered.";

#[test]
fn a_station_that_stops_answering_is_told_once_and_when_it_is_back() {
    let script = Script::default().polls(0..s(60), SECOND, 0).unanswered(s(60)..s(600), SECOND, 0).polls(
        s(600)..s(660),
        SECOND,
        0,
    );
    let outcome = outcome(&together([script.frames(), alive(0..s(660))]));
    assert_eq!(told(&outcome), [SILENT]);
    assert_eq!(
        events(&outcome),
        ["silent \"10.10.0.20:502\" \"unit 5\"", "answers_again \"10.10.0.20:502\" \"unit 5\""]
    );
}

#[test]
fn a_master_that_gives_up_asking_hides_no_silent_station() {
    let script = Script::default().polls(0..s(60), SECOND, 0).unanswered(s(60)..s(61), SECOND, 0);
    let outcome = outcome(&together([script.frames(), alive(0..s(90))]));
    assert_eq!(outcome.of(K::StationSilent).len(), 1);
    assert_eq!(told(&outcome).len(), 1);
}

#[test]
fn a_gateway_that_answers_for_a_station_does_not_make_it_alive() {
    let mut script = Script::default().polls(0..s(60), SECOND, 0);
    for n in 60..90 {
        script.0.push((s(n), ask(n as u16, 5, &Request::Read(3, 0, 2))));
        script.0.push((s(n) + 500 * MS, answer(n as u16, 5, &Response::Exception(3, 11))));
    }
    let outcome = outcome(&together([script.frames(), alive(0..s(90))]));
    assert_eq!(outcome.of(K::StationSilent).len(), 1);
}

#[test]
fn late_and_single_missing_answers_are_no_silence() {
    let mut script = Script::default();
    for n in 0..120 {
        // A jitter of up to 300 ms, and every twentieth request goes unanswered.
        script.read(s(n) + n * 7919 % 300 * MS, 0, n % 20 != 19);
    }
    let outcome = outcome(&together([script.frames(), alive(0..s(120))]));
    assert_eq!(told(&outcome), [""; 0]);
}

#[test]
fn silence_is_withheld_when_the_tap_no_longer_sees_that_side() {
    // The station answers all along, and the master acknowledges it, but the tap lost that fibre.
    let frames = Script::default().polls(0..s(120), SECOND, 0).frames();
    let start = frames[0].at_ns;
    let seen = |f: &TimedFrame| f.at_ns < start + s(60) || !is_from(f, 20);
    let frames = frames.into_iter().filter(seen).collect();
    let outcome = outcome(&together([frames, alive(0..s(120))]));
    assert_eq!(told(&outcome), [""; 0]);
    assert_eq!(outcome.withheld(K::StationSilent), 1);
}

#[test]
fn a_lost_fibre_is_no_silence_of_stations_that_are_polled_rarely_either() {
    let frames = Script::default().polls(0..s(7200), 60 * SECOND, 0).frames();
    let start = frames[0].at_ns;
    let lost = start + s(3600)..start + s(5400);
    let seen = |f: &TimedFrame| !lost.contains(&f.at_ns) || !is_from(f, 20);
    let frames = frames.into_iter().filter(seen).collect();
    let outcome = outcome(&together([frames, alive(0..s(7200))]));
    assert_eq!(told(&outcome), [""; 0]);
    assert_eq!(outcome.withheld(K::StationSilent), 1);
}

#[test]
fn nobody_is_to_blame_when_the_whole_tap_pauses_or_the_capture_ends() {
    let paused = || {
        let script = Script::default().polls(0..s(60), SECOND, 0).polls(s(600)..s(660), SECOND, 0);
        let alive = Script::default().polls(0..s(60), SECOND, 40).polls(s(600)..s(660), SECOND, 40);
        together([script.frames(), alive.talk(50_000, 30).frames()])
    };
    assert_eq!(told(&outcome(&paused())), [""; 0]);
    // And where a single station is all there is to hear.
    let alone = Script::default().polls(0..s(60), SECOND, 0).polls(s(600)..s(660), SECOND, 0);
    assert_eq!(told(&outcome(&alone.frames())), [""; 0]);
}

const NOT_POLLED: &str = "Station no longer polled: between 10.10.0.1 and unit 5 at 10.10.0.20; expected read holding registers of holding register 0 to 1 about every 2.0 s, never missing for 6.0 s, observed no request at all since 22:15:18.000 UTC, for 6.9 s, while the tap saw other traffic.";

#[test]
fn a_station_that_nobody_polls_any_more_is_told_once_and_when_it_is_polled_again() {
    let script = Script::default().polls(0..s(120), 2 * SECOND, 0).polls(s(900)..s(960), 2 * SECOND, 0);
    let outcome = outcome(&together([script.frames(), alive(0..s(960))]));
    assert_eq!(told(&outcome), [NOT_POLLED]);
    assert_eq!(
        events(&outcome),
        ["not_polled \"10.10.0.20:502\" \"unit 5\"", "polled_again \"10.10.0.20:502\" \"unit 5\""]
    );
}

#[test]
fn a_reconnect_with_another_phase_is_no_missing_poll() {
    let first = Script::default().polls(0..s(120), 2 * SECOND, 0).frames();
    let second = Script::default().polls(0..s(120), 2 * SECOND, 0);
    let mut second = second.talk(40_001, 20);
    second.start_ns += s(123) + 700 * MS;
    let outcome = outcome(&together([first, second.frames(), alive(0..s(243))]));
    assert_eq!(told(&outcome), [""; 0]);
}

#[test]
fn a_missing_poll_is_withheld_after_a_hole_in_the_stream() {
    let frames = Script::default().polls(0..s(120), 2 * SECOND, 0).frames();
    // The last request but two is lost on the tap, not on the network.
    let requests: Vec<u64> = frames.iter().filter(|f| is_from(f, 1)).map(|f| f.at_ns).collect();
    let lost = requests[requests.len() - 3];
    let frames = frames.into_iter().filter(|f| f.at_ns != lost).collect();
    let outcome = outcome(&together([frames, alive(0..s(140))]));
    assert_eq!(told(&outcome), [""; 0]);
    assert_eq!(outcome.withheld(K::StationNotPolled), 1);
}

const STOPPED: &str = "One poll among others stopped: between 10.10.0.1 and unit 5 at 10.10.0.20 in read holding registers (function 3); expected read holding registers of holding register 10 to 11 about every 2.0 s, observed none since 22:15:18.300 UTC, for 6.6 s, while other requests go on.";

#[test]
fn one_of_several_cycles_that_stops_is_told_as_what_it_is() {
    let script = Script::default().polls(0..s(300), SECOND, 0).polls(300 * MS..s(120), 2 * SECOND, 10).polls(
        500 * MS..s(300),
        10 * SECOND,
        20,
    );
    let outcome = outcome(&together([script.frames(), alive(0..s(300))]));
    assert_eq!(told(&outcome), [STOPPED]);
}

#[test]
fn cycles_that_overlap_in_one_range_and_reads_by_an_operator_are_no_news() {
    let mut script = Script::default()
        .polls(0..s(600), SECOND, 0)
        .polls(370 * MS..s(600), 10 * SECOND, 0)
        .polls(440 * MS..s(600), 3 * SECOND, 20);
    for n in [17, 19, 22, 23, 24, 101, 333, 334, 390, 391, 480] {
        script.read(s(n) + 130 * MS, 20, true);
        script.read(s(n) + 630 * MS, 70, true);
    }
    let outcome = outcome(&together([script.frames(), alive(0..s(600))]));
    assert_eq!(told(&outcome), [""; 0]);
}

const CHANGED: &str = "Polled at another pace: between 10.10.0.1 and unit 5 at 10.10.0.20 in read holding registers (function 3); expected read holding registers of holding register 0 to 1 about every 1.0 s, observed about every 3.0 s, the last 48 times.";

#[test]
fn a_poll_that_comes_at_another_pace_is_told_once() {
    let script = Script::default().polls(0..s(100), SECOND, 0).polls(s(100)..s(900), 3 * SECOND, 0);
    let outcome = outcome(&together([script.frames(), alive(0..s(900))]));
    assert_eq!(told(&outcome), [CHANGED]);
}

#[test]
fn a_poll_that_drifts_is_no_change() {
    let script = Script::default().polls(0..s(100), SECOND, 0).polls(s(100)..s(900), 1300 * MS, 0);
    let outcome = outcome(&together([script.frames(), alive(0..s(900))]));
    assert_eq!(told(&outcome), [""; 0]);
}

#[test]
fn a_poll_of_which_the_tap_loses_most_has_not_changed_its_pace() {
    // The master asks every second all along; from the hundredth on the tap sees one exchange in three.
    let talk = Script::default().polls(0..s(900), SECOND, 0).talk(40_000, 20);
    let seen = |frames: Vec<TimedFrame>| {
        let start = frames[0].at_ns;
        let is_seen =
            |f: &TimedFrame| f.at_ns - start < s(100) || ((f.at_ns - start) / SECOND).is_multiple_of(3);
        let seen = frames.into_iter().filter(is_seen).collect();
        (start, together([seen, alive(0..s(900))]))
    };
    // Over TCP every hole shows, and nothing is learned across one.
    assert_eq!(told(&outcome(&seen(talk.frames()).1)), [""; 0]);
    // Over UDP the count of lost packets alone tells.
    let style = IpStyle::default();
    let (start, frames) = seen(datagrams(talk.client, talk.server, &talk.script, &[ethernet()], &style));
    let drops: Vec<u64> = (100..900).step_by(10).map(|n| start + s(n)).collect();
    let outcome = judged_losing(&drops, &frames, None, "timing.pcap");
    assert_eq!(told(&outcome), [""; 0]);
    assert!(outcome.withheld(K::PollPeriodChanged) > 0);
}

#[test]
fn one_of_several_cycles_that_the_tap_loses_has_not_stopped() {
    let script = Script::default().polls(0..s(300), SECOND, 0).polls(300 * MS..s(300), 2 * SECOND, 10);
    let frames = script.frames();
    let start = frames[0].at_ns;
    // The exchanges of the second cycle are lost on the tap, 300 to 320 ms after every other second.
    let lost = |f: &TimedFrame| {
        let at = f.at_ns - start;
        at > s(120) && (290 * MS..400 * MS).contains(&(at % SECOND))
    };
    let frames = frames.into_iter().filter(|f| !lost(f)).collect();
    let outcome = outcome(&together([frames, alive(0..s(300))]));
    assert_eq!(told(&outcome), [""; 0]);
    assert_eq!(outcome.withheld(K::PollStopped), 1);
}

const DOUBLED: &str = "Polled twice by one master: between 10.10.0.1 and unit 5 at 10.10.0.20 in read holding registers (function 3); expected read holding registers of holding register 0 to 1 on one connection of this master, as before, observed two connections (client ports 40000 and 40001) that ask the same in turns.";

#[test]
fn a_second_connection_that_polls_the_same_is_told_once() {
    let first = Script::default().polls(0..s(300), SECOND, 0).frames();
    let second = Script::default().polls(s(150) + 400 * MS..s(300), SECOND, 0).talk(40_001, 20).frames();
    let outcome = outcome(&together([first, second, alive(0..s(300))]));
    assert_eq!(told(&outcome), [DOUBLED]);
}

#[test]
fn a_master_that_has_always_polled_on_two_connections_is_no_news() {
    let first = Script::default().polls(0..s(300), SECOND, 0).frames();
    let second = Script::default().polls(400 * MS..s(300), SECOND, 0).talk(40_001, 20).frames();
    let outcome = outcome(&together([first, second, alive(0..s(300))]));
    assert_eq!(told(&outcome), [""; 0]);
}

#[test]
fn many_stations_behind_one_gateway_are_told_as_one_outage() {
    let mut script = Script::default();
    for n in 0..90 {
        for unit in 1..=30_u8 {
            script.read_of(unit, s(n) + u64::from(unit) * 30 * MS, 0, n < 60);
        }
    }
    let outcome = outcome(&together([script.frames(), alive(0..s(90))]));
    let told = told(&outcome);
    assert_eq!(told.len(), 4, "{told:#?}");
    assert_eq!(
        told[2],
        "Station silent, loss of view: between 10.10.0.1 and 10.10.0.20; expected answers from the 30 stations behind 10.10.0.20, observed 3 of them silent, the latest (unit 3) since 22:14:19.110 UTC."
    );
    assert_eq!(
        told[3],
        "Station silent, loss of view: between 10.10.0.1 and 10.10.0.20; expected answers from the 30 stations behind 10.10.0.20, observed 30 of them silent, the latest (unit 30) since 22:14:19.920 UTC."
    );
    assert_eq!(events(&outcome).len(), 30);
}

#[test]
fn an_outstation_that_reported_regularly_and_stops_is_silent() {
    let reports = |n: u64| {
        let lines = (0..n).map(|n| report(10, &dnp3::unsolicited(n as u8 % 16, [0, 0], &[])).after(s(10)));
        let talk = TcpTalk::new(address(1, 40_000), address(20, 20_000), lines.collect());
        TcpTalk { close: false, ..talk }.frames()
    };
    let silent = outcome(&together([reports(60), alive(0..s(660))]));
    assert_eq!(
        told(&silent),
        [
            "Station silent, loss of view: between 10.10.0.1 and link 10 at 10.10.0.20; expected unsolicited response by the station about every 10.0 s, never missing for 30.0 s, observed nothing from it since 22:23:20.000 UTC, for 30.9 s."
        ]
    );
    let going_on = outcome(&together([reports(60), alive(0..s(620))]));
    assert_eq!(told(&going_on), [""; 0]);
}

#[test]
fn polls_by_day_only_are_told_until_they_are_a_habit() {
    // Ten minutes of polls, ten minutes of night, over and over.
    let mut script = Script::default();
    for day in 0..8 {
        script = script.polls(s(day * 1200)..s(day * 1200 + 600), 2 * SECOND, 0);
    }
    let outcome = outcome(&together([script.frames(), alive(0..s(8 * 1200))]));
    assert_eq!(outcome.of(K::StationNotPolled).len(), 3);
}

const SLOW: &str = "Answers have become slow: between 10.10.0.1 and unit 5 at 10.10.0.20; expected 95 of 100 answers within 20 ms, as at first, observed within 400 ms since 22:19:36.020 UTC.";

fn answering(spans: &[(core::ops::Range<u64>, u64)]) -> Vec<TimedFrame> {
    let mut script = Script::default();
    for (span, delay) in spans {
        for n in span.clone().step_by(2) {
            let transaction = n as u16;
            script.0.push((s(n), ask(transaction, 5, &Request::Read(3, 0, 2))));
            let answer = answer(transaction, 5, &Response::Registers(3, vec![1, 2]));
            script.0.push((s(n) + delay * MS, answer));
        }
    }
    script.frames()
}

#[test]
fn answers_that_stay_slow_for_minutes_are_told_once() {
    let slow = outcome(&answering(&[(0..420, 20), (420..1200, 400)]));
    assert_eq!(told(&slow), [SLOW]);
    let for_a_while = outcome(&answering(&[(0..420, 20), (420..600, 400), (600..1200, 20)]));
    assert_eq!(told(&for_a_while), [""; 0]);
    let quick_enough = outcome(&answering(&[(0..420, 20), (420..1200, 150)]));
    assert_eq!(told(&quick_enough), [""; 0]);
}

const BURST: &str = "Burst of requests: 10.10.0.1 talked to unit 5 at 10.10.0.20; expected at most 1 requests in a second, the most so far, observed 51 in the second of 22:14:31.490 UTC, and perhaps more.";

#[test]
fn a_burst_of_requests_is_told_and_a_page_of_reads_is_not() {
    let burst = |count: u64| {
        let mut script = Script::default().polls(0..s(90), SECOND, 0);
        (0..count).for_each(|n| script.read(s(71) + 10 * MS * n, 100 + n as u16, true));
        outcome(&script.frames())
    };
    assert_eq!(told(&burst(90)), [BURST]);
    assert_eq!(told(&burst(40)), [""; 0]);
}

const FLOOD: &str = "Flood of requests without answers: 10.10.0.1 talked to unit 5 at 10.10.0.20; expected a master that waits when nobody answers, observed 500 requests without any answer in 24.9 s.";

#[test]
fn a_flood_of_requests_that_nobody_answers_is_told_unless_that_side_is_not_seen() {
    let script = || Script::default().unanswered(0..s(60), 50 * MS, 0);
    let mut alive = alive(0..s(60));
    let mut greeting = Script::default();
    greeting.read(0, 0, true);
    let mut lines = greeting;
    lines.0.extend(script().0.into_iter().skip(1));
    let talk = lines.talk(40_000, 20);
    let flood = outcome(&together([talk.frames(), alive.clone()]));
    assert_eq!(told(&flood), [FLOOD]);
    alive.extend(one_way(&talk, Side::Client));
    let blind = outcome(&together([alive]));
    assert_eq!(told(&blind), [""; 0]);
    assert_eq!(blind.withheld(K::UnansweredFlood), 1);
}

const RHYTHM: &str = "Commands in a machine's rhythm: 10.10.0.1 sent direct operate (function 5) to link 10 at 10.10.0.20 for binary output 4; expected commands by hand, or by a scheme that has run before, observed 5 commands to 5 objects, one every 200 ms, even to 0.0 %.";

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

const IDLE: &str = "Master back after a long silence: 10.10.0.1 talked to unit 5 at 10.10.0.20; expected no request after 720 h 0 min without any, observed one after 743 h 59 min.";

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
    let outcome = outcome(&together([both[0].clone(), both[1].clone(), others]));
    assert_eq!(told(&outcome), [IDLE]);
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

const EARLY: &str = "Integrity poll off its schedule: 10.10.0.1 sent read (function 1) to link 10 at 10.10.0.20 for class data 0; expected read of class data 0 every 60.0 s, observed one 20.0 s after the last.";

#[test]
fn an_integrity_poll_between_its_times_is_told_once() {
    let integrity = || Header::new(60, 1, Range::All).encode();
    let polled = |extra: bool| {
        let mut lines = Vec::new();
        let mut poll = |after: u64| {
            let sequence = (lines.len() / 2) as u8 % 16;
            lines.push(command(10, &dnp3::request(sequence, 1, &integrity())).after(after - 20 * MS));
            lines.push(report(10, &dnp3::response(sequence, [0, 0], &[])).after(20 * MS));
        };
        (0..60).for_each(|_| poll(s(60)));
        if extra {
            poll(s(20));
            poll(s(40));
        }
        (0..10).for_each(|_| poll(s(60)));
        outcome(&judge::dnp3(lines).frames())
    };
    assert_eq!(told(&polled(true)), [EARLY]);
    assert_eq!(told(&polled(false)), [""; 0]);
}

const POLLED: &str = r#"
[profile]
name = "North substation"
[hosts.scada]
address = "10.10.0.1"
[hosts.rtu]
address = "10.10.0.20"
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
"#;

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
