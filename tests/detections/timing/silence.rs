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

/// Findings about unanswered requests, how many of them the log folds, and how the stories end.
fn unanswered(outcome: &Outcome) -> (usize, usize, Vec<String>) {
    let lines = || outcome.text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let ends = lines()
        .filter(|line| line.get("unanswered").is_some())
        .map(|line| format!("{} {}", line["what"].as_str().unwrap(), line["unanswered"]));
    let of_kind = lines().filter(|line| line["kind"] == "unanswered_request").count();
    (outcome.of(K::UnansweredRequest).len(), of_kind, ends.collect())
}

#[test]
fn requests_to_a_station_that_is_known_to_be_silent_are_one_fact() {
    let quiet = |script: Script, span| script.unanswered(span, SECOND, 0);
    let script = quiet(Script::default().polls(0..s(60), SECOND, 0), s(60)..s(600));
    let script =
        quiet(script.polls(s(600)..s(660), SECOND, 0), s(660)..s(720)).polls(s(720)..s(780), SECOND, 0);
    let seen = outcome(&together([script.frames(), alive(0..s(780))]));
    // Told by its silence (TIM-03) before the first request is overdue, both times.
    assert_eq!(unanswered(&seen), (0, 0, vec!["answers_again 540".into(), "answers_again 60".into()]));
    // Whom nobody knows yet is told by the first request, once, and again after it was heard.
    let script = quiet(Script::default(), s(0)..s(300)).polls(s(300)..s(303), SECOND, 0);
    let script = quiet(script, s(303)..s(600));
    let seen = outcome(&together([script.frames(), alive(0..s(640))]));
    let (told, lines, ends) = unanswered(&seen);
    assert_eq!((told, lines), (2, 2), "{}", seen.text);
    assert_eq!(ends, ["answers_again 300", "still_unanswered 297"]);
}

#[test]
fn the_silence_of_a_station_that_is_worked_on_is_for_information() {
    let script = Script::default().polls(0..s(60), SECOND, 0).unanswered(s(60)..s(120), SECOND, 0);
    let frames = together([script.frames(), alive(0..s(120))]);
    let severity = |allow: &str, end: &str| {
        let profile = format!(
            "[profile]\nname = \"x\"\n[hosts.scada]\naddress = \"10.10.0.1\"\n[hosts.rtu]\naddress = \
             \"10.10.0.20\"\n[stations.pump]\nprotocol = \"modbus\"\nhost = \"rtu\"\nunit_id = 5\n\
             [[maintenance]]\nname = \"new firmware\"\nfrom = \"scada\"\nto = \"pump\"\nallow = \"{allow}\"\n\
             start = 2023-11-14T22:13:20Z\nend = {end}\n"
        );
        let outcome = judged(&frames, Some(&profile), "timing.pcap");
        outcome.of(K::StationSilent)[0]["severity"].as_str().unwrap().to_owned()
    };
    assert_eq!(severity("restart", "2023-11-14T22:20:00Z"), "info");
    assert_eq!(severity("restart_communications_option", "2023-11-14T22:20:00Z"), "info", "by its name");
    assert_eq!(severity("restart", "2023-11-14T22:14:00Z"), "high", "the window is over");
    assert_eq!(severity("write", "2023-11-14T22:20:00Z"), "high", "nobody is to restart it");
}

#[test]
fn an_order_to_listen_only_explains_what_goes_unanswered_until_the_station_is_heard() {
    let mut script = Script::default().polls(0..s(5), SECOND, 0);
    script.0.push((s(5), ask(999, 5, &Request::Diagnostics(4, vec![0, 0]))));
    let script = script.unanswered(s(6)..s(300), SECOND, 0).polls(s(300)..s(310), SECOND, 0);
    let script = script.unanswered(s(310)..s(340), 30 * SECOND, 0).polls(s(341)..s(360), SECOND, 0);
    let seen = outcome(&together([script.frames(), alive(0..s(400))]));
    assert_eq!(seen.of(K::SilenceCommand).len(), 1);
    let (told, _, ends) = unanswered(&seen);
    assert_eq!(
        (told, ends),
        (1, vec!["answers_again 294".into()]),
        "a single loss later is news: {}",
        seen.text
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

#[test]
fn what_no_rule_allows_is_no_poll_that_is_missed() {
    const POLLS: &str = "[profile]\nname = \"x\"\n[hosts.scada]\naddress = \"10.10.0.1\"\n\
        [stations.a]\nprotocol = \"modbus\"\nhost = \"10.10.0.20\"\nunit_id = 5\n\
        [stations.b]\nprotocol = \"modbus\"\nhost = \"10.10.0.30\"\nunit_id = 5\n\
        [[rules]]\nname = \"polls\"\nfrom = [\"scada\"]\nto = [\"a\", \"b\"]\nallow = [\"read\"]\n";
    let polls = || Script::default().polls(0..s(600), SECOND, 40).talk(40_000, 20).frames();
    // Thirty reads of somebody else, as regular as a poll, and then none.
    let stranger = |last: u8| {
        let script = Script::default().polls(s(60)..s(90), SECOND, 7);
        script.talk_of(address(last, 41_000), 20).frames()
    };
    let missed = |outcome: &Outcome| outcome.of(K::StationNotPolled).len();
    let denied = judged(&together([polls(), stranger(9), alive(0..s(600))]), Some(POLLS), "a.pcap");
    assert_eq!((denied.of(K::UnprofiledClient).len(), missed(&denied)), (1, 0), "{:?}", denied.kinds());
    // The same, of a host that may: there it is a poll.
    let both = POLLS.replace("address = \"10.10.0.1\"", "address = [\"10.10.0.1\", \"10.10.0.9\"]");
    let allowed = judged(&together([polls(), stranger(9), alive(0..s(600))]), Some(&both), "a.pcap");
    assert_eq!(missed(&allowed), 1, "{:?}", allowed.kinds());
}
