//! Command to consequence: the one line per control, and what is found in how controls are given.

use gridtap::report::catalogue::FindingKind as K;
use serde_json::Value;
use simulators::encode::dnp3::{self, Header, Prefix, Range, Sample, object};
use simulators::encode::modbus::{Request, Response};
use simulators::value::Value as Datum;
use simulators::wire::{Line, START_NS, Side, TcpTalk, TimedFrame};

use super::support::judge::{
    Outcome, answer, ask, command, crob, dnp3 as over_dnp3, judged, midstream, modbus, one_way, report,
};

const SECOND: u64 = 1_000_000_000;
const TRIP: u8 = 0x81;
const CLOSE: u8 = 0x41;
const LATCH_ON: u8 = 3;
const LATCH_OFF: u8 = 4;
const SELECT: u8 = 3;
const OPERATE: u8 = 4;
const DIRECT: u8 = 5;
const DIRECT_NO_ACK: u8 = 6;
const LOCAL: u8 = 7;

const PROFILE: &str = r#"
[profile]
name = "North substation"
[hosts.scada]
address = "10.10.0.1"
[hosts.rtu]
address = "10.10.0.20"
[stations.FDR-12]
protocol = "dnp3"
host = "rtu"
link_address = 10
[stations.pump]
protocol = "modbus"
host = "rtu"
unit_id = 5
[[rules]]
name = "scada controls"
from = "scada"
to = ["FDR-12", "pump"]
allow = ["read", "report", "write", "select", "operate", "direct_operate", "time", "configure", "confirm"]
"#;

/// A DNP3 master and its outstation 10, line by line.
#[derive(Default)]
struct Talk {
    lines: Vec<Line>,
    sequence: u8,
    iin: [u8; 2],
}

impl Talk {
    fn new() -> Talk {
        Talk::default()
    }

    /// A request without an answer.
    fn ask(mut self, after_ns: u64, function: u8, objects: &[u8]) -> Talk {
        self.sequence = (self.sequence + 1) % 16;
        self.lines.push(command(10, &dnp3::request(self.sequence, function, objects)).after(after_ns));
        self
    }

    /// The answer to the last request, 20 ms later.
    fn answer(mut self, objects: &[u8]) -> Talk {
        let fragment = dnp3::response(self.sequence, self.iin, objects);
        self.lines.push(report(10, &fragment).after(20_000_000));
        self
    }

    /// A request and its answer.
    fn exchange(self, after_ns: u64, function: u8, objects: &[u8], answer: &[u8]) -> Talk {
        self.ask(after_ns, function, objects).answer(answer)
    }

    /// A control of output 3 that is accepted.
    fn control(self, after_ns: u64, function: u8, code: u8) -> Talk {
        let order = crob(3, code);
        self.exchange(after_ns, function, &order, &order)
    }

    fn select_operate(self, after_ns: u64, code: u8) -> Talk {
        self.control(after_ns, SELECT, code).control(SECOND, OPERATE, code)
    }

    /// A poll of the states of outputs 0 to 3; output 3 is `on`.
    fn poll(self, after_ns: u64, on: bool) -> Talk {
        let ask = Header::new(10, 0, Range::All).encode();
        let state = |on| {
            object(10, 2, &Sample { value: Datum::Bit(on), flags: 1, status: 0, time_ms: 0, base_ms: 0 })
        };
        let states = [Header::new(10, 2, Range::Points8(2, 3)).encode(), state(false), state(on)].concat();
        self.exchange(after_ns, 1, &ask, &states)
    }

    /// Polls, one a second.
    fn polls(self, seconds: usize, on: bool) -> Talk {
        (0..seconds).fold(self, |talk, _| talk.poll(SECOND, on))
    }

    /// Time passes, and the master polls something else.
    fn later(self, seconds: u64) -> Talk {
        let classes = Header::new(60, 2, Range::All).encode();
        self.exchange(seconds * SECOND, 1, &classes, &[])
    }

    fn talk(self) -> TcpTalk {
        over_dnp3(self.lines)
    }

    fn frames(self) -> Vec<TimedFrame> {
        self.talk().frames()
    }

    fn judged(self) -> Outcome {
        judged(&self.frames(), None, "a.pcap")
    }
}

/// A control whose answer has this status octet.
fn refused(index: u8, code: u8, status: u8) -> Vec<u8> {
    let sample = Sample { value: Datum::Crob(code, 1, 100, 0), flags: 1, status, time_ms: 0, base_ms: 0 };
    let header = Header::prefixed(12, 1, Prefix::Index8, Range::Count8(1));
    [header.encode(), vec![index], object(12, 1, &sample)].concat()
}

fn controls(outcome: &Outcome) -> Vec<Value> {
    outcome
        .text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|line| line["what"] == "control_completed")
        .collect()
}

fn messages(outcome: &Outcome) -> Vec<String> {
    controls(outcome).iter().map(|line| line["message"].as_str().unwrap().to_owned()).collect()
}

fn outcomes(outcome: &Outcome) -> Vec<String> {
    controls(outcome).iter().map(|line| line["outcome"].as_str().unwrap().to_owned()).collect()
}

fn says(outcome: &Outcome, kind: K) -> Vec<String> {
    outcome.of(kind).iter().map(|f| f["explanation"].as_str().unwrap().to_owned()).collect()
}

/// Nothing of medium or higher.
fn quiet(outcome: &Outcome) {
    let loud: Vec<_> = outcome
        .findings
        .iter()
        .filter(|f| !matches!(f["severity"].as_str(), Some("info" | "low")))
        .map(|f| f["explanation"].to_string())
        .collect();
    assert!(loud.is_empty(), "{loud:#?}");
}

/// Frames lost by the tap, counted from 0.
fn without(mut frames: Vec<TimedFrame>, lost: usize) -> Vec<TimedFrame> {
    frames.remove(lost);
    frames
}

// ---- One line per control ----

#[test]
fn a_trip_is_told_from_select_to_consequence() {
    let talk = Talk::new().poll(SECOND, true).select_operate(SECOND, TRIP).poll(64_000_000, false);
    let outcome = judged(&talk.frames(), Some(PROFILE), "a.pcap");
    quiet(&outcome);
    let lines = controls(&outcome);
    assert_eq!(
        messages(&outcome),
        [
            "scada (10.10.0.1) tripped FDR-12 binary output 3 at 22:13:23.040: select-operate, accepted, open after 104 ms."
        ]
    );
    let line = &lines[0];
    assert_eq!((&line["outcome"], &line["method"]), (&"done".into(), &"select_operate".into()));
    assert_eq!((&line["latency_ms"], &line["effect_ms"]), (&20.into(), &104.into()));
    assert_eq!(line["frames"], serde_json::json!([6, 7, 8, 9, 11]));
    assert_eq!((&line["points"][0]["before"], &line["points"][0]["after"]), (&true.into(), &false.into()));
}

#[test]
fn what_becomes_of_a_control_has_its_words() {
    let refusal = Talk::new().exchange(SECOND, DIRECT, &crob(3, TRIP), &refused(3, TRIP, LOCAL));
    let selected = Talk::new().exchange(SECOND, SELECT, &crob(3, TRIP), &refused(3, TRIP, LOCAL));
    let cases = [
        (
            refusal,
            "10.10.0.1 tried to trip binary output 3 of link 10 at 10.10.0.20 at 22:13:21.000: direct operate, refused: local.",
        ),
        (
            selected,
            "10.10.0.1 selected binary output 3 of link 10 at 10.10.0.20 at 22:13:21.000: select, refused: local.",
        ),
        (
            Talk::new().ask(SECOND, DIRECT, &crob(3, CLOSE)).later(12),
            "10.10.0.1 tried to close binary output 3 of link 10 at 10.10.0.20 at 22:13:21.000: direct operate, no answer.",
        ),
        (
            Talk::new().control(SECOND, SELECT, CLOSE).later(12),
            "10.10.0.1 selected binary output 3 of link 10 at 10.10.0.20 at 22:13:21.000: select, accepted, never operated.",
        ),
        (
            Talk::new().control(SECOND, DIRECT, CLOSE).later(16),
            "10.10.0.1 closed binary output 3 of link 10 at 10.10.0.20 at 22:13:21.000: direct operate, accepted, effect not seen.",
        ),
        (
            Talk::new().poll(SECOND, true).control(SECOND, DIRECT, CLOSE),
            "10.10.0.1 closed binary output 3 of link 10 at 10.10.0.20 at 22:13:22.020: direct operate, accepted, already closed.",
        ),
        (
            Talk::new().poll(SECOND, false).control(SECOND, DIRECT, LATCH_ON).polls(17, false),
            "10.10.0.1 switched on binary output 3 of link 10 at 10.10.0.20 at 22:13:22.020: direct operate, accepted, still off after 16.0 s.",
        ),
        (
            Talk::new().poll(SECOND, false).ask(SECOND, DIRECT_NO_ACK, &crob(3, LATCH_ON)).polls(2, true),
            "10.10.0.1 switched on binary output 3 of link 10 at 10.10.0.20 at 22:13:22.020: direct operate, no acknowledgement wanted, on after 1.0 s.",
        ),
        (
            Talk::new().control(SECOND, DIRECT, 1),
            "10.10.0.1 pulsed on binary output 3 of link 10 at 10.10.0.20 at 22:13:21.000: direct operate, accepted, effect not seen.",
        ),
    ];
    for (talk, expected) in cases {
        assert_eq!(messages(&talk.judged()), [expected]);
    }
}

#[test]
fn a_write_is_followed_to_what_is_read_back() {
    let coil = Request::WriteCoil(7, 0xff00);
    let read = |on| {
        [
            ask(9, 5, &Request::Read(1, 0, 16)),
            answer(9, 5, &Response::Bits(1, (0..16).map(|n| n == 7 && on).collect())),
        ]
    };
    let mut script: Vec<Line> = read(false).into();
    script.extend([ask(1, 5, &coil).after(SECOND), answer(1, 5, &Response::Echo(Box::new(coil)))]);
    script.extend(read(true));
    let set = Request::WriteRegisters(100, vec![4711, 2]);
    script.extend([ask(2, 5, &set).after(SECOND), answer(2, 5, &Response::Written(16, 100, 2))]);
    script.extend([
        ask(3, 5, &Request::Read(3, 90, 20)).after(SECOND / 2),
        answer(
            3,
            5,
            &Response::Registers(
                3,
                (90..110)
                    .map(|n| match n {
                        100 => 4711,
                        101 => 2,
                        _ => 0,
                    })
                    .collect(),
            ),
        ),
    ]);
    let again = Request::WriteRegister(200, 1);
    script.extend([ask(4, 5, &again), answer(4, 5, &Response::Exception(6, 2))]);
    let outcome = judged(&modbus(script).frames(), Some(PROFILE), "a.pcap");
    quiet(&outcome);
    assert_eq!(
        messages(&outcome),
        [
            "scada (10.10.0.1) switched on pump coil 7 at 22:13:21.002: write single coil, accepted, on after 3 ms.",
            "scada (10.10.0.1) set pump holding register 100 and 1 more at 22:13:22.005: write multiple registers, accepted, all as commanded after 502 ms.",
            "scada (10.10.0.1) tried to set pump holding register 200 to 1 at 22:13:22.508: write single register, refused: illegal data address.",
        ]
    );
}

#[test]
fn a_retry_is_no_second_control_and_a_newer_command_ends_the_older() {
    let order = crob(3, TRIP);
    let mut talk = Talk::new().ask(SECOND, DIRECT, &order);
    let retry = talk.lines[0].clone();
    talk.lines.push(retry);
    let outcome = talk.answer(&order).later(20).judged();
    assert_eq!(outcomes(&outcome), ["not_confirmed"]);
    let talk =
        Talk::new().control(SECOND, DIRECT, LATCH_ON).control(40 * SECOND, DIRECT, LATCH_OFF).later(20);
    assert_eq!(outcomes(&talk.judged()), ["not_confirmed", "not_confirmed"]);
}

#[test]
fn a_control_on_two_connections_is_one() {
    let lines = Talk::new().poll(SECOND, true).select_operate(SECOND, TRIP).poll(SECOND, false).lines;
    let mut talks = lines.chunks(2).enumerate().map(|(n, lines)| {
        let mut talk = over_dnp3(lines.to_vec());
        talk.client.set_port(40_000 + n as u16);
        talk.start_ns = START_NS + n as u64 * 3 * SECOND;
        talk.frames()
    });
    let frames = (0..4).flat_map(|_| talks.next().unwrap()).collect::<Vec<_>>();
    let outcome = judged(&frames, None, "a.pcap");
    assert_eq!(outcomes(&outcome), ["done"], "{:?}", messages(&outcome));
    quiet(&outcome);
}

#[test]
fn more_controls_than_are_followed_end_early_and_are_all_told() {
    let mut talk = Talk::new();
    for index in 0..12 {
        let order = crob(index, LATCH_ON);
        talk = talk.exchange(SECOND, DIRECT, &order, &order);
    }
    assert_eq!(outcomes(&talk.later(30).judged()), ["not_confirmed"; 12]);
}

#[test]
fn names_and_states_come_from_the_profile() {
    let named = format!(
        "{PROFILE}\n[stations.FDR-12.points.breaker]\npoint = \"binary_output 3\"\nstate = \"binary_input 7\"\ntags = [\"breaker\"]\n"
    );
    let state = |talk: Talk, after_ns, on| {
        let sample = Sample { value: Datum::Bit(on), flags: 1, status: 0, time_ms: 0, base_ms: 0 };
        let states = [Header::new(1, 2, Range::Points8(7, 7)).encode(), object(1, 2, &sample)].concat();
        talk.exchange(after_ns, 1, &Header::new(1, 0, Range::All).encode(), &states)
    };
    let talk = state(Talk::new(), SECOND, true).poll(SECOND, true).select_operate(SECOND, TRIP);
    let talk = state(talk.poll(10_000_000, true), 64_000_000, false);
    let trip = judged(&talk.frames(), Some(&named), "a.pcap");
    assert_eq!(
        messages(&trip),
        [
            "scada (10.10.0.1) tripped FDR-12 breaker at 22:13:24.060: select-operate, accepted, open after 134 ms."
        ]
    );
    assert_eq!(controls(&trip)[0]["points"][0]["name"], "breaker");
    quiet(&trip);
    // Watched from the beginning, also if nobody has commanded it.
    let talk = (0..3).fold(Talk::new(), |talk, _| state(talk, SECOND, true));
    let alone = judged(&state(talk, SECOND, false).frames(), Some(&named), "a.pcap");
    assert_eq!(
        says(&alone, K::MovedWithoutCommand),
        [
            "Point moved without a command: FDR-12 (link 10 at 10.10.0.20) answered read (function 1) to scada (10.10.0.1); expected breaker closed, as it was seen before, until it is commanded, observed open; no command to it was seen."
        ]
    );
    assert_eq!(alone.of(K::MovedWithoutCommand)[0]["severity"], "high", "a breaker");
}

#[test]
fn what_the_profile_says_of_a_point_overrides_the_defaults() {
    let with = |more: &str| {
        format!("{PROFILE}\n[stations.FDR-12.points.latch]\npoint = \"binary_output 3\"\n{more}\n")
    };
    let toggles = |n: u8, every: u64| {
        (0..n).fold(Talk::new(), |t, n| {
            t.control(every * SECOND, DIRECT, if n % 2 == 0 { LATCH_ON } else { LATCH_OFF })
        })
    };
    let judge = |talk: Talk, more: &str| judged(&talk.frames(), Some(&with(more)), "a.pcap");
    quiet(&judge(toggles(40, 5), "max_rate = \"13 per minute\""));
    let faster = judge(toggles(40, 3), "max_rate = \"13 per minute\"");
    assert_eq!(faster.of(K::CommandStorm)[0]["severity"], "medium");
    let fastest = judge(toggles(40, 1), "max_rate = \"13 per minute\"");
    assert_eq!(fastest.of(K::CommandStorm)[1]["severity"], "critical");
    quiet(&judge(toggles(2, 5), "tags = [\"recloser\"]"));
    let direct = judge(toggles(1, 5), "direct_operate = false");
    let words = says(&direct, K::DirectOperateOfSelected);
    assert!(
        words[0].contains("expected latch selected before it is operated, as the profile says"),
        "{words:?}"
    );
    let allowed = Talk::new().select_operate(SECOND, TRIP).control(60 * SECOND, DIRECT, CLOSE);
    quiet(&judge(allowed, "direct_operate = true"));
}

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

// ---- SEQ-02, SEQ-03 ----

#[test]
fn selects_that_are_never_operated_are_told_louder_when_they_repeat() {
    let selects =
        |n: u64| (0..n).fold(Talk::new(), |t, _| t.control(20 * SECOND, SELECT, TRIP).later(11).later(3));
    let once = selects(1).judged();
    let found = once.of(K::SelectAbandoned);
    assert_eq!(found[0]["severity"], "low");
    assert_eq!(
        found[0]["explanation"],
        "Select without operate: 10.10.0.1 sent select (function 3) to link 10 at 10.10.0.20 for binary output 3; expected an operate of the same objects within 10.0 s, observed none; 1 in the last 10 min."
    );
    let often = selects(3).judged();
    assert_eq!(often.of(K::SelectAbandoned).last().unwrap()["severity"], "medium");
    assert!(Talk::new().select_operate(SECOND, TRIP).later(20).judged().of(K::SelectAbandoned).is_empty());
    let blind = judged(&midstream(selects(1).talk()), None, "a.pcap");
    assert_eq!(
        (blind.of(K::SelectAbandoned).len(), blind.withheld(K::SelectAbandoned)),
        (1, 0),
        "30 s later"
    );
    let gap = without(selects(1).frames(), 5);
    let blind = judged(&gap, None, "a.pcap");
    assert!(blind.of(K::SelectAbandoned).is_empty(), "the operate may have been in the gap");
    assert_eq!(blind.withheld(K::SelectAbandoned), 1);
}

#[test]
fn a_direct_operate_of_a_point_that_is_selected_otherwise_is_told() {
    let outcome = Talk::new().select_operate(SECOND, TRIP).control(60 * SECOND, DIRECT, CLOSE).judged();
    assert_eq!(
        says(&outcome, K::DirectOperateOfSelected),
        [
            "Direct operate of a point that is selected first: 10.10.0.1 sent direct operate (function 5) to link 10 at 10.10.0.20 for binary output 3; expected binary output 3 selected before it is operated, as before, observed direct operate (function 5) of binary output 3 to close."
        ]
    );
    quiet(&Talk::new().control(SECOND, DIRECT, TRIP).control(60 * SECOND, DIRECT, CLOSE).judged());
}

// ---- SEQ-13, SEQ-14 ----

#[test]
fn a_command_against_the_one_before_is_told() {
    let outcome = Talk::new().control(SECOND, DIRECT, TRIP).control(12 * SECOND, DIRECT, CLOSE).judged();
    assert_eq!(
        says(&outcome, K::ContradictoryCommand),
        [
            "Command against the one before: 10.10.0.1 sent direct operate (function 5) to link 10 at 10.10.0.20 for binary output 3; expected binary output 3 left to rest for 30.0 s after a command, observed close 12.0 s after trip."
        ]
    );
    quiet(&Talk::new().control(SECOND, DIRECT, TRIP).control(31 * SECOND, DIRECT, CLOSE).judged());
    quiet(&Talk::new().control(SECOND, DIRECT, TRIP).control(12 * SECOND, DIRECT, TRIP).judged());
    let refusal = Talk::new().exchange(SECOND, DIRECT, &crob(3, TRIP), &refused(3, TRIP, LOCAL));
    quiet(&refusal.control(12 * SECOND, DIRECT, CLOSE).judged());
}

#[test]
fn too_many_commands_to_one_point_are_a_storm() {
    let pulses =
        |n: u64, every: u64| (0..n).fold(Talk::new(), |talk, _| talk.control(every * SECOND, DIRECT, 1));
    quiet(&pulses(3, 5).judged());
    quiet(&pulses(20, 21).judged());
    let outcome = pulses(7, 5).judged();
    assert_eq!(
        says(&outcome, K::CommandStorm),
        [
            "Too many commands to one point: 10.10.0.1 sent direct operate (function 5) to link 10 at 10.10.0.20 for binary output 3; expected at most 3 commands a minute to binary output 3, observed 4 in 15.1 s.",
            "Too many commands to one point: 10.10.0.1 sent direct operate (function 5) to link 10 at 10.10.0.20 for binary output 3; expected at most 6 commands a minute to binary output 3, observed 7 in 30.1 s.",
        ]
    );
    let severities: Vec<_> = outcome.of(K::CommandStorm).iter().map(|f| f["severity"].clone()).collect();
    assert_eq!(severities, ["medium", "critical"]);
}

fn coils(times: &[u64], value: impl Fn(usize) -> bool) -> Outcome {
    let read = Request::Read(3, 0, 2);
    let mut script = vec![ask(900, 5, &read), answer(900, 5, &Response::Registers(3, vec![1, 2]))];
    for (n, after) in times.iter().enumerate() {
        let write = Request::WriteCoil(7, if value(n) { 0xff00 } else { 0 });
        let number = n as u16 * 2;
        script.extend([
            ask(number, 5, &write).after(*after * SECOND / 10),
            answer(number, 5, &Response::Echo(Box::new(write))),
            ask(number + 1, 5, &read),
            answer(number + 1, 5, &Response::Registers(3, vec![1, 2])),
        ]);
    }
    judged(&modbus(script).frames(), None, "a.pcap")
}

#[test]
fn what_has_gone_on_from_the_start_and_refreshed_states_are_no_storm_and_a_hand_is() {
    let toggle = |n: usize| n.is_multiple_of(2);
    quiet(&coils(&[10; 100], toggle));
    quiet(&coils(&[10; 100], |_| true));
    quiet(&coils(&[3, 20, 9, 16, 3, 30, 3, 11, 25, 3, 14, 2, 40, 9], toggle));
    let outcome = coils(&[700, 46, 92, 47, 65, 21, 90, 30], toggle);
    let found = outcome.of(K::CommandStorm);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["severity"], "medium");
    assert_eq!(
        found[0]["explanation"],
        "Too many commands to one point: 10.10.0.1 sent write single coil (function 5) to unit 5 at 10.10.0.20 for coil 7; expected at most 6 commands a minute to coil 7, observed 7 in 36.1 s."
    );
}

#[test]
fn set_points_written_in_a_cycle_are_no_storm() {
    let script = (0..200_u16)
        .flat_map(|n| {
            let write = Request::WriteRegister(40, n);
            [ask(n, 5, &write).after(12 * SECOND / 10), answer(n, 5, &Response::Echo(Box::new(write)))]
        })
        .collect();
    quiet(&judged(&modbus(script).frames(), None, "a.pcap"));
}

// ---- SEQ-15 ----

fn set_time(talk: Talk, ms: u64, variation: u8) -> Talk {
    let sample = Sample { value: Datum::TimeMs(ms), flags: 0, status: 0, time_ms: 0, base_ms: 0 };
    let objects =
        [Header::new(50, variation, Range::Count8(1)).encode(), object(50, variation, &sample)].concat();
    talk.exchange(SECOND, 2, &objects, &[])
}

#[test]
fn a_clock_set_to_another_time_is_told_once_and_when_it_changes() {
    let now = START_NS / 1_000_000;
    quiet(&set_time(Talk::new(), now + 1000, 1).judged());
    quiet(&set_time(Talk::new(), now - 500, 1).judged());
    let wrong = |talk, n: u64| set_time(talk, now + n * 1020 + 90_000, 1);
    let outcome = wrong(wrong(Talk::new(), 1), 2).judged();
    assert_eq!(
        says(&outcome, K::TimeSetAnomaly),
        [
            "Clock set to another time: 10.10.0.1 sent write (function 2) to link 10 at 10.10.0.20; expected the time set to be that of the packets within 2.0 s, observed a time 90.0 s ahead of that of the packets."
        ]
    );
    let zone = |talk| set_time(talk, now + 3_600_000 + 1000, 1);
    let local = zone(Talk::new()).judged();
    assert_eq!(local.of(K::TimeSetAnomaly)[0]["severity"], "low");
    let moved = set_time(zone(Talk::new()), now + 2000, 1).judged();
    assert_eq!(
        says(&moved, K::TimeSetAnomaly)[1],
        "Clock set to another time: 10.10.0.1 sent write (function 2) to link 10 at 10.10.0.20; expected the time set to be as before within 2.0 s, observed a time 20 ms behind that of the packets."
    );
    assert_eq!(moved.of(K::TimeSetAnomaly)[1]["severity"], "high");
    // The time recorded some seconds before it is sent.
    let recorded = Talk::new().exchange(SECOND, 24, &[], &[]).later(5);
    quiet(&set_time(recorded, now + 1002, 3).judged());
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
            "Unsolicited report while disabled: link 10 at 10.10.0.20 answered unsolicited response (function 130) to 10.10.0.1; expected no unsolicited reports of events until the master enables them, observed one 30.0 s after they were disabled."
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
