//! VAL-*: values of the points that the profile names.

use gridtap::report::catalogue::FindingKind as K;
use serde_json::Value as Json;
use simulators::encode::dnp3::{self, Header, Range, Sample, object};
use simulators::encode::modbus::{Request, Response};
use simulators::value::Value as Datum;
use simulators::wire::{Line, Side};

use crate::support::judge::{
    Outcome, answer, ask, command, dnp3 as dnp3_talk, judged, modbus, one_way, report,
};

const SECOND: u64 = 1_000_000_000;

/// A meter with named points; everything is allowed, so that only values are judged.
const SITE: &str = crate::substation!(
    r#"
[stations.meter]
protocol = "modbus"
host = "rtu"
unit_id = 5
[stations.meter.points.voltage]
point = "holding_register 100"
scale = 0.1
unit = "V"
range = [200, 260]
rate_of_change = "5 per second"
[stations.meter.points.power]
point = "holding_register 102"
type = "float32"
unit = "kW"
range = [0, 500]
[stations.meter.points.setpoint]
point = "holding_register 110"
unit = "kW"
set_range = [0, 400]
max_step = 50
[stations.meter.points.energy]
point = "holding_register 120"
type = "uint32"
monotonic = true
[stations.meter.points.current]
point = "holding_register 130"
stuck_after = "60 s"
[stations.feeder]
protocol = "dnp3"
host = "rtu"
link_address = 10
[stations.feeder.points.current]
point = "analog_input 3"
unit = "A"
range = [0, 600]
[[rules]]
name = "scada reads and writes"
from = "scada"
to = ["meter", "feeder"]
allow = ["read", "report", "write", "confirm", "link"]
"#
);

/// Reads of `words` at `address`, a second apart unless said otherwise.
fn polls(address: u16, readings: &[&[u16]]) -> Vec<Line> {
    polls_each(SECOND, address, readings)
}

fn polls_each(pause: u64, address: u16, readings: &[&[u16]]) -> Vec<Line> {
    let mut script = Vec::new();
    for (n, words) in readings.iter().enumerate() {
        let (id, quantity) = (n as u16 + 1, words.len() as u16);
        script.push(ask(id, 5, &Request::Read(3, address, quantity)).after(pause));
        script.push(answer(id, 5, &Response::Registers(3, words.to_vec())));
    }
    script
}

fn writes(address: u16, values: &[u16]) -> Vec<Line> {
    let mut script = Vec::new();
    for (n, value) in values.iter().enumerate() {
        let id = n as u16 + 1;
        let request = Request::WriteRegister(address, *value);
        script.push(ask(id, 5, &request).after(SECOND));
        script.push(answer(id, 5, &Response::Echo(Box::new(request))));
    }
    script
}

fn run(script: Vec<Line>) -> Outcome {
    judged(&modbus(script).frames(), Some(SITE), "meter.pcap")
}

#[track_caller]
fn only(outcome: &Outcome, kind: K, explanation: &str) {
    assert_eq!(outcome.kinds(), [kind.name()], "{}", outcome.text);
    assert_eq!(outcome.findings[0]["explanation"], Json::from(explanation));
}

#[track_caller]
fn silent(outcome: &Outcome) {
    assert!(outcome.findings.is_empty(), "{:?}", outcome.findings);
}

#[test]
fn a_value_outside_its_range_is_told_when_it_leaves_and_when_it_leaves_again() {
    let outcome = run(polls(100, &[&[2300], &[2601], &[2610], &[2600], &[2602]]));
    assert_eq!(outcome.of(K::ValueLimit).len(), 1, "the second time is folded into the first");
    assert!(outcome.text.contains("\"count\":2"), "{}", outcome.text);
    let outcome = run(polls(100, &[&[2560], &[2601]]));
    only(
        &outcome,
        K::ValueLimit,
        "Value outside its range: meter (unit 5 at 10.10.0.20) answered read holding registers (function 3) \
         to scada (10.10.0.1); expected voltage from 200 V to 260 V, observed 260.1 V in holding register 100.",
    );
    silent(&run(polls(100, &[&[2000], &[2040], &[2080]])));
}

#[test]
fn a_value_of_two_registers_is_judged_as_a_whole_and_only_when_both_were_read() {
    let words = |value: f32| [(value.to_bits() >> 16) as u16, value.to_bits() as u16];
    let outcome = run(polls(102, &[&words(499.5), &words(500.5)]));
    only(
        &outcome,
        K::ValueLimit,
        "Value outside its range: meter (unit 5 at 10.10.0.20) answered read holding registers (function 3) \
         to scada (10.10.0.1); expected power from 0 kW to 500 kW, observed 500.5 kW in holding register 102.",
    );
    silent(&run(polls(102, &[&[words(500.5)[0]]])));
    let outcome = run(polls(101, &[&[9, words(-3.25)[0], words(-3.25)[1], 7]]));
    assert_eq!(outcome.kinds(), ["value_limit"]);
}

#[test]
fn a_float_that_is_no_number_is_told_once() {
    let nan = [0x7FC0, 0];
    let outcome = run(polls(102, &[&nan, &nan, &nan]));
    only(
        &outcome,
        K::NotANumber,
        "Value is no number: meter (unit 5 at 10.10.0.20) answered read holding registers (function 3) \
         to scada (10.10.0.1); expected power to be a number, observed NaN in holding register 102.",
    );
    assert!(!outcome.text.contains("\"count\":2"), "a state that lasts is told once");
    // One of its two registers alone is none, and the number that follows the last bit is one.
    silent(&run(polls(102, &[&nan[..1]])));
    silent(&run(polls(102, &[&[0x43FA, 0], &[0x0000, 0x0001]])));
}

#[test]
fn a_value_that_changes_faster_than_it_can_is_told() {
    let outcome = run(polls(100, &[&[2300], &[2360]]));
    only(
        &outcome,
        K::RateOfChange,
        "Value changes faster than it can: meter (unit 5 at 10.10.0.20) answered read holding registers \
         (function 3) to scada (10.10.0.1); expected voltage to change by 5 V a second at most, observed 230 V \
         to 236 V within 1.001 s in holding register 100.",
    );
    silent(&run(polls(100, &[&[2300], &[2350], &[2300]])));
}

#[test]
fn a_written_set_point_is_held_to_its_limits() {
    let outcome = run(writes(110, &[399, 401]));
    only(
        &outcome,
        K::SetPointLimit,
        "Set-point outside its limits: scada (10.10.0.1) sent write single register (function 6) to meter \
         (unit 5 at 10.10.0.20) for holding register 110; expected setpoint from 0 kW to 400 kW, observed \
         401 kW in holding register 110.",
    );
    silent(&run(writes(110, &[380, 400])));
}

#[test]
fn a_jump_of_a_set_point_is_told_but_not_where_a_write_between_may_have_been_missed() {
    let outcome = run(writes(110, &[100, 151]));
    only(
        &outcome,
        K::SetPointJump,
        "Set-point jump: scada (10.10.0.1) sent write single register (function 6) to meter (unit 5 at \
         10.10.0.20) for holding register 110; expected setpoint to be moved by 50 kW at most, observed 151 kW \
         after 100 kW in holding register 110.",
    );
    silent(&run(writes(110, &[100, 150, 100])));

    let frames = one_way(&modbus(writes(110, &[100, 151])), Side::Client);
    let outcome = judged(&frames, Some(SITE), "meter.pcap");
    assert!(outcome.of(K::SetPointJump).is_empty(), "{:?}", outcome.findings);
    assert_eq!(outcome.withheld(K::SetPointJump), 1);
}

#[test]
fn a_counter_that_runs_backwards_is_told_but_not_one_that_comes_to_its_end() {
    let outcome = run(polls(120, &[&[1, 500], &[1, 499]]));
    only(
        &outcome,
        K::CounterBackwards,
        "Counter runs backwards: meter (unit 5 at 10.10.0.20) answered read holding registers (function 3) \
         to scada (10.10.0.1); expected energy only to rise, observed 66035 after 66036 in holding register 120.",
    );
    silent(&run(polls(120, &[&[0xFFFF, 0xFFF0], &[0, 40]])));
}

#[test]
fn a_value_that_stays_the_same_for_too_long_is_told_once() {
    let same: Vec<&[u16]> = vec![&[77]; 10];
    let outcome = run(polls_each(10 * SECOND, 130, &same));
    only(
        &outcome,
        K::StuckValue,
        "Value does not change any more: meter (unit 5 at 10.10.0.20) answered read holding registers \
         (function 3) to scada (10.10.0.1); expected current to change within 60.0 s, observed 77 for 60.0 s in \
         holding register 130.",
    );
    let moving: Vec<Vec<u16>> = (0..10).map(|n| vec![77 + n / 5]).collect();
    silent(&run(polls_each(10 * SECOND, 130, &moving.iter().map(Vec::as_slice).collect::<Vec<_>>())));
}

/// An unsolicited report of analog input 3.
fn analog(sequence: u8, value: i64, flags: u8) -> Line {
    let sample = Sample { value: Datum::Signed(value), flags, status: 0, time_ms: 0, base_ms: 0 };
    let header = Header::new(30, 1, Range::Points8(3, 3));
    let objects = [header.encode(), object(30, 1, &sample)].concat();
    report(10, &dnp3::unsolicited(sequence, [0, 0], &objects)).after(SECOND)
}

#[test]
fn dnp3_values_count_while_the_station_vouches_for_them() {
    let outcome =
        judged(&dnp3_talk(vec![analog(0, 300, 1), analog(1, 601, 1)]).frames(), Some(SITE), "feeder.pcap");
    only(
        &outcome,
        K::ValueLimit,
        "Value outside its range: feeder (link 10 at 10.10.0.20) sent unsolicited response (function 130) \
         to scada (10.10.0.1); expected current from 0 A to 600 A, observed 601 A in analog input 3.",
    );
    let offline =
        judged(&dnp3_talk(vec![analog(0, 300, 1), analog(1, 601, 0)]).frames(), Some(SITE), "f.pcap");
    silent(&offline);
}

#[test]
fn a_dead_band_set_without_a_rule_for_it_is_told() {
    let sample = Sample { value: Datum::Unsigned(500), flags: 0, status: 0, time_ms: 0, base_ms: 0 };
    let objects = [Header::new(34, 1, Range::Points8(3, 3)).encode(), object(34, 1, &sample)].concat();
    let write = command(10, &dnp3::request(1, 2, &objects));
    let done = report(10, &dnp3::response(1, [0, 0], &[]));
    let frames = dnp3_talk(vec![write, done]).frames();
    only(
        &judged(&frames, None, "feeder.pcap"),
        K::DeadbandChange,
        "Analog dead-band changed: 10.10.0.1 sent write (function 2) to link 10 at 10.10.0.20 for analog \
         deadband 3; expected dead-bands as they are: what changes by less is not reported any more, observed \
         write (function 2) of analog deadband 3.",
    );
    silent(&judged(&frames, Some(SITE), "feeder.pcap"));
}
