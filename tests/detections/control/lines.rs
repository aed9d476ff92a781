//! One line per control.

use super::*;

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
