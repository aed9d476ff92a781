//! SEQ-02, SEQ-03, SEQ-13, SEQ-14, SEQ-15: how controls are given.

use super::*;

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
    // By an hour, as at the end of summer time.
    assert_eq!(moved.of(K::TimeSetAnomaly)[1]["severity"], "low");
    // The time recorded some seconds before it is sent.
    let recorded = Talk::new().exchange(SECOND, 24, &[], &[]).later(5);
    quiet(&set_time(recorded, now + 1002, 3).judged());
}
