//! Thresholds that a profile sets take effect: each tips one conversation over, or keeps it quiet.

use gridtap::report::catalogue::FindingKind as K;
use serde_json::Value;
use simulators::encode::dnp3::unsolicited;
use simulators::encode::modbus::{Request, Response};
use simulators::wire::{Line, TimedFrame};

use super::support::judge::{
    Outcome, PUMP_AND_FEEDER as SITE, answer, ask, dnp3, judged, judged_changing, midstream, modbus, report,
};

const SECOND: u64 = 1_000_000_000;

/// Judged with a threshold of the site's.
fn with(frames: &[TimedFrame], threshold: &str) -> Outcome {
    judged(frames, Some(&format!("{SITE}[thresholds]\n{threshold}\n")), "a.pcap")
}

fn read(transaction: u16) -> Line {
    ask(transaction, 5, &Request::Read(3, 0, 2))
}

fn values(transaction: u16) -> Line {
    answer(transaction, 5, &Response::Registers(3, vec![1, 2]))
}

#[test]
fn how_long_a_request_may_stay_unanswered_is_the_profiles() {
    // Answered after four seconds, and a poll afterwards.
    let script = [read(1), values(1).after(4 * SECOND), read(2).after(SECOND), values(2)];
    let frames = modbus(script.to_vec()).frames();
    assert_eq!(judged(&frames, Some(SITE), "a.pcap").kinds(), [""; 0]);
    let late = with(&frames, "answer_timeout = \"3 s\"");
    let told: Vec<_> = late.of(K::UnansweredRequest).iter().map(|f| f["observed"].to_string()).collect();
    assert_eq!(told.len(), 1, "{:?}", late.kinds());
}

#[test]
fn sessions_that_are_open_follow_a_new_profile() {
    // One connection; each poll is answered after four seconds.
    let poll = |n| [read(n).after(SECOND), values(n).after(4 * SECOND)];
    let frames = modbus((1..=4).flat_map(poll).collect()).frames();
    let strict = format!("{SITE}[thresholds]\nanswer_timeout = \"3 s\"\n");
    let told = |first: &str, then: &str| {
        let change = (frames[0].at_ns + 8 * SECOND, then);
        let outcome = judged_changing(&[change], &[], &frames, Some(first), "a.pcap");
        let lines = outcome.text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let of_kind = lines.filter(|line| line["kind"] == K::UnansweredRequest.name());
        of_kind.map(|line| line["count"].as_u64().unwrap()).max().unwrap_or(0)
    };
    assert_eq!((told(SITE, SITE), told(&strict, &strict)), (0, 4));
    // The request of 6 s is on its way when the profile changes: it keeps the time that it was sent with.
    assert_eq!((told(SITE, &strict), told(&strict, SITE)), (2, 2));
}

#[test]
fn how_long_nothing_is_drawn_from_absence_is_the_profiles() {
    // The capture begins in the middle; forty seconds later an answer comes that nobody asked for.
    let script = [read(1), values(1), values(7).after(40 * SECOND)];
    let frames = midstream(modbus(script.to_vec()));
    assert_eq!(judged(&frames, Some(SITE), "a.pcap").kinds(), [K::AnswerWithoutRequest.name()]);
    let outcome = with(&frames, "blind_time = \"1 min\"");
    assert_eq!(outcome.kinds(), [""; 0]);
    assert_eq!(outcome.withheld(K::AnswerWithoutRequest), 1);
}

#[test]
fn how_many_requests_make_a_sweep_is_the_profiles() {
    let page = |n: u16| {
        let request = Request::Read(3, 200 + 30 * n, 30);
        [ask(n, 5, &request), answer(n, 5, &Response::Registers(3, vec![0; 30]))]
    };
    let frames = modbus((0..10).flat_map(page).collect()).frames();
    assert_eq!(judged(&frames, Some(SITE), "a.pcap").of(K::PointSweep).len(), 1);
    assert_eq!(with(&frames, "sweep_requests = 11").of(K::PointSweep).len(), 0);
}

#[test]
fn thresholds_alone_tune_what_needs_no_profile() {
    let page = |n: u16| {
        let request = Request::Read(3, 200 + 30 * n, 30);
        [ask(n, 5, &request).after(10 * SECOND), answer(n, 5, &Response::Registers(3, vec![0; 30]))]
    };
    // The same two registers for 40 s, and then one page after the other.
    let usual = |n: u16| [read(1000 + n).after(10 * SECOND), values(1000 + n)];
    let frames = modbus((0..4).flat_map(usual).chain((0..10).flat_map(page)).collect()).frames();
    let alone = |thresholds: &str| {
        let profile = format!("[profile]\nname = \"x\"\n[thresholds]\n{thresholds}\n");
        judged(&frames, Some(&profile), "a.pcap")
    };
    assert_eq!(judged(&frames, None, "a.pcap").kinds(), [""; 0]);
    assert_eq!(alone("sweep_points = 20").kinds(), [""; 0], "nobody is a stranger where nobody is named");
    let told = alone("sweep_learning = \"30 s\"");
    assert_eq!(told.kinds(), [K::PointSweep.name()]);
    assert_eq!(
        told.findings[0]["explanation"],
        "Sweep over point addresses: 10.10.0.1 talked to 10.10.0.20; expected points that this master has asked for before (those of its first 30 s count), observed 150 points (holding register 200 to 349) in 5 requests within 40 s, 0 refused."
    );
}

#[test]
fn the_time_in_which_reports_are_counted_is_the_profiles() {
    let one = |n: u8| report(10, &unsolicited(n % 16, [0, 0], &[])).after(SECOND / 8);
    let talk = dnp3((0..100).map(one).collect());
    // Eight a second are few over ten seconds, and many where four are.
    let count = |threshold: &str| with(&talk.frames(), threshold).of(K::UnsolicitedStorm).len();
    assert_eq!(count("unsolicited_rate = \"9 per second\""), 0);
    assert_eq!(count("unsolicited_rate = \"7 per second\"\nunsolicited_window = \"30 s\""), 0);
    assert_eq!(count("unsolicited_rate = \"7 per second\"\nunsolicited_window = \"5 s\""), 1);
}
