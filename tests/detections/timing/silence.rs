//! Stations that are silent or no longer polled, and one poll that stops.

use super::*;

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
