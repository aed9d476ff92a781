//! Polls at another pace, doubled, slow; outages of many stations at once; bursts and floods.

use super::*;

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

const BURST: &str = "Burst of requests: 10.10.0.1 talked to unit 5 at 10.10.0.20; expected at most 1 request in a second, the most so far, observed 51 in the second of 22:14:31.490 UTC, and perhaps more.";

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
    // Near miss: as many and as quick, and one answer in the middle.
    let mut answered = Script::default();
    (0..980).for_each(|n| answered.read(50 * MS * n, 0, n == 0 || n == 490));
    assert_eq!(outcome(&answered.frames()).of(K::UnansweredFlood).len(), 0);
    alive.extend(one_way(&talk, Side::Client));
    let blind = outcome(&together([alive]));
    assert_eq!(told(&blind), [""; 0]);
    assert_eq!(blind.withheld(K::UnansweredFlood), 1);
}
