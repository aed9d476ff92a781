//! GO-14: a publisher that is not what the profile says, told once for as long as it lasts.

use gridtap::report::catalogue::FindingKind as K;
use serde_json::Value;

use super::messages::{BAY1, Goose, MS, SECOND, happened, says, seen_by, steady};
use super::support::judge::Outcome;

const PROFILE: &str = r#"
[profile]
name = "bay"
[publishers.bay1-trip]
control_block = "BAY1/LLN0$GO$gcb1"
appid = 0x0001
conf_rev = 1
"#;

/// Ten minutes of a publisher that has this APPID in these seconds.
fn with_appid(wrong: u16, seconds: core::ops::Range<u64>) -> Vec<Goose> {
    let mut messages = steady(0, 600, 1);
    for m in &mut messages {
        if seconds.contains(&(m.at / SECOND)) {
            m.appid = wrong;
        }
    }
    messages
}

#[test]
fn who_stopped_long_ago_is_forgotten() {
    let profile = format!("{PROFILE}source = [\"02:00:00:00:00:01\"]\n");
    let forged = |from: u8, seconds: core::ops::Range<u64>| {
        let mut messages = steady(0, 600, 1);
        messages.retain(|m| seconds.contains(&(m.at / SECOND)));
        for m in &mut messages {
            (m.from, m.at) = (from, m.at + 300 * MS);
        }
        messages
    };
    let told = |forged: &[Goose]| {
        let outcome = seen_by(&[], Some(&profile), &[&steady(0, 600, 1), forged].concat());
        let last = outcome.text.lines().rfind(|line| line.contains("still_differs")).map(str::to_owned);
        (story(&outcome).1, last)
    };
    // Heard to the end, or nearly.
    assert_eq!(told(&forged(9, 0..601)).0, [("still_differs".into(), 601)]);
    assert_eq!(told(&forged(9, 0..560)).0, [("still_differs".into(), 560)]);
    // Gone for minutes while the control block goes on being heard.
    assert_eq!(told(&forged(9, 0..300)).0, []);
    // Another one after it is followed in its place.
    let (story, last) = told(&[forged(9, 0..100), forged(8, 400..601)].concat());
    assert_eq!(story, [("still_differs".into(), 201)]);
    assert!(last.unwrap().contains("02:00:00:00:00:08"));
}

/// Lines of the log about it: as a finding, and how the story ends.
fn story(outcome: &Outcome) -> (usize, Vec<(String, u64)>) {
    let lines = || outcome.text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let findings = lines().filter(|line| line["kind"] == K::PublisherDiffers.name()).count();
    let end = |line: Value| Some((line["what"].as_str()?.to_owned(), line.get("differing")?.as_u64()?));
    (findings, lines().filter_map(end).collect())
}

#[test]
fn a_publisher_that_goes_on_differing_is_one_fact_with_an_end() {
    let outcome = seen_by(&[], Some(PROFILE), &with_appid(7, 0..601));
    assert_eq!(story(&outcome), (1, vec![("still_differs".into(), 601)]), "{}", outcome.text);
    assert_eq!(outcome.raised(K::PublisherDiffers), 601, "every message is counted");
    let outcome = seen_by(&[], Some(PROFILE), &with_appid(7, 100..500));
    assert_eq!(story(&outcome), (1, vec![("as_profiled".into(), 400)]), "{}", outcome.text);
    assert_eq!(happened(&outcome, BAY1).first().map(String::as_str), Some("first_seen"));
    let finding = outcome.of(K::PublisherDiffers)[0];
    assert!(says(finding).ends_with("with APPID 0x0001, observed APPID 0x0007."), "{}", says(finding));
    // Once, and it is over: an end, and no more.
    let once = seen_by(&[], Some(PROFILE), &with_appid(7, 100..101));
    assert_eq!(story(&once), (1, vec![("as_profiled".into(), 1)]));
    assert_eq!(story(&seen_by(&[], Some(PROFILE), &steady(0, 600, 1))), (0, vec![]));
}

#[test]
fn another_difference_and_another_sender_are_told_anew() {
    let mut messages = with_appid(7, 0..601);
    for m in &mut messages[300..] {
        (m.appid, m.revision) = (1, 9);
    }
    let outcome = seen_by(&[], Some(PROFILE), &messages);
    assert_eq!(outcome.of(K::PublisherDiffers).len(), 2, "{}", outcome.text);
    assert_eq!(story(&outcome).1, [("still_differs".into(), 601)]);
    // Beside the true one, which ends nothing.
    let profile = format!("{PROFILE}source = [\"02:00:00:00:00:01\"]\n");
    let mut forged = steady(0, 600, 1);
    for m in &mut forged {
        (m.from, m.at) = (9, m.at + 300 * MS);
    }
    let outcome = seen_by(&[], Some(&profile), &[steady(0, 600, 1), forged].concat());
    assert_eq!(story(&outcome), (1, vec![("still_differs".into(), 601)]), "{}", outcome.text);
}
