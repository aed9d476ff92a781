//! Repeats are folded, identities stay the same, and the table stays bounded.

use super::*;

const SECOND: u64 = 1_000_000_000;

fn log_of(windows: usize, write: impl FnOnce(&mut EventLog)) -> Vec<JsonValue> {
    let out = Collected::default();
    let mut log = EventLog::new(identity(), Some(out.writer())).with_windows(windows);
    write(&mut log);
    log.finish(Timestamp(T0 + 1000 * SECOND)).1.unwrap();
    out.lines()
}

fn raised(second: u64, fold_key: u64) -> Finding<'static> {
    Finding { fold_key, ..finding(None, FindingKind::UnprofiledControl, T0 + second * SECOND) }
}

#[test]
fn repeats_within_the_window_are_folded_into_one_summary_with_the_same_uid() {
    let lines = log_of(10, |log| {
        assert_eq!(log.finding(&raised(0, 1)), Folded::First);
        assert_eq!(log.finding(&raised(10, 1)), Folded::Repeat);
        let last = [frame(99)];
        assert_eq!(log.finding(&Finding { frames: &last, ..raised(59, 1) }), Folded::Repeat);
        log.tick(Timestamp(T0 + 60 * SECOND));
    });
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0]["uid"], lines[1]["uid"]);
    assert_eq!((lines[0]["count"].as_u64(), lines[1]["count"].as_u64()), (Some(1), Some(3)));
    assert_eq!(lines[1]["first"], lines[0]["time"]);
    assert_eq!(lines[1]["last"], "2023-11-14T22:14:19.000000000Z");
    assert_eq!(lines[1]["time"], lines[1]["last"]);
    assert_eq!(lines[1]["last_frame"], 99);
    assert_eq!(lines[1]["frames"], lines[0]["frames"], "the first evidence stays");
}

#[test]
fn a_finding_that_is_not_repeated_has_one_line() {
    let lines = log_of(10, |log| {
        log.finding(&raised(0, 1));
    });
    assert_eq!(lines.len(), 1);
}

#[test]
fn after_the_window_a_repeat_is_a_new_finding_with_its_own_uid() {
    let lines = log_of(10, |log| {
        assert_eq!(log.finding(&raised(0, 1)), Folded::First);
        assert_eq!(log.finding(&raised(60, 1)), Folded::First);
    });
    assert_eq!(lines.len(), 2);
    assert_ne!(lines[0]["uid"], lines[1]["uid"]);
}

#[test]
fn another_key_host_station_or_kind_is_not_folded() {
    let lines = log_of(10, |log| {
        let other_ports = Finding { client: end(1, 55), ..raised(0, 1) };
        assert_eq!(log.finding(&raised(0, 1)), Folded::First);
        assert_eq!(log.finding(&other_ports), Folded::Repeat, "another port of the same host");
        assert_eq!(log.finding(&raised(0, 2)), Folded::First);
        assert_eq!(log.finding(&Finding { client: end(3, 1), ..raised(0, 1) }), Folded::First);
        let other_unit = Finding { station: StationAddress::Unit(8), ..raised(0, 1) };
        assert_eq!(log.finding(&other_unit), Folded::First);
        let other_kind = Finding { kind: FindingKind::UnprofiledRange, ..raised(0, 1) };
        assert_eq!(log.finding(&other_kind), Folded::First);
    });
    assert_eq!(lines.len(), 6);
}

#[test]
fn a_full_table_ends_its_oldest_window_and_counts_it() {
    let lines = log_of(2, |log| {
        log.finding(&raised(0, 1));
        log.finding(&raised(1, 1));
        log.finding(&raised(2, 2));
        assert_eq!(log.folds_evicted(), 0);
        log.finding(&raised(3, 3));
        assert_eq!(log.folds_evicted(), 1);
        assert_eq!(log.finding(&raised(4, 1)), Folded::First, "its window was given up");
    });
    let counts: Vec<_> = lines.iter().map(|line| line["count"].as_u64().unwrap()).collect();
    assert_eq!(counts, [1, 1, 2, 1, 1], "the summary of the first comes when its window is given up");
}

#[test]
fn summaries_at_the_end_come_in_order_of_their_first_occurrence() {
    let lines = log_of(100, |log| {
        for round in 0..2 {
            for key in [9, 3, 7, 1] {
                log.finding(&raised(round, key));
            }
        }
    });
    let uid = |line: &JsonValue| line["uid"].as_str().unwrap().to_owned();
    let firsts: Vec<_> = lines[..4].iter().map(uid).collect();
    let summaries: Vec<_> = lines[4..].iter().map(uid).collect();
    assert_eq!(firsts, summaries);
}

#[test]
fn an_attacker_with_many_addresses_cannot_fill_memory() {
    let out = Collected::default();
    let mut log = EventLog::new(identity(), Some(out.writer())).with_windows(100);
    for n in 0..20_000u32 {
        let client = Endpoint { host: Host::Ip(core::net::Ipv4Addr::from(n).into()), port: 1 };
        log.finding(&Finding { client, ..raised(0, 1) });
    }
    assert_eq!(log.folds_evicted(), 19_900);
    log.finish(Timestamp(T0)).1.unwrap();
    assert_eq!(out.lines().len(), 20_000, "every first occurrence is written");
}

#[test]
fn long_texts_end_windows_early_so_that_memory_stays_bounded() {
    let mut log = EventLog::new(identity(), Some(Collected::default().writer())).with_windows(10_000);
    let long = "\u{1b}".repeat(5000);
    for key in 0..4000 {
        log.finding(&Finding { expected: format_args!("{long}"), ..raised(0, key) });
    }
    // Each text is some 14 KiB: control characters become six characters, in the sentence once more.
    assert!(log.folds_evicted() > 1000, "{}", log.folds_evicted());
}

#[test]
fn the_uid_depends_on_the_traffic_and_the_profile_and_on_nothing_else() {
    let uid_with = |change: &dyn Fn(&mut Identity), frames: &[FrameRef]| {
        let mut identity = identity();
        change(&mut identity);
        let out = Collected::default();
        let mut log = EventLog::new(identity, Some(out.writer()));
        log.finding(&Finding { frames, ..raised(0, 1) });
        log.finish(Timestamp(T0)).1.unwrap();
        out.lines()[0]["uid"].as_str().unwrap().to_owned()
    };
    let usual = uid_with(&|_| {}, &[frame(3)]);
    assert_eq!(usual, uid_with(&|_| {}, &[frame(3)]));
    assert_eq!(usual, uid_with(&|i| i.captures = vec!["elsewhere/copy.pcap.gz".into()], &[frame(3)]));
    assert_eq!(usual, uid_with(&|i| i.sensor = "laboratory".into(), &[frame(3)]));
    assert_eq!(usual, uid_with(&|_| {}, &[frame(1003)]), "a capture may be cut and joined");
    assert_ne!(usual, uid_with(&|i| i.profile.hash = "11".into(), &[frame(3)]));
    assert_eq!(usual, "6c6b7c1f8ebc5845fc1cb2d71b2cdfab", "the recipe must not change unnoticed");
}

#[test]
fn equal_findings_that_are_not_folded_have_different_uids() {
    let lines = log_of(1, |log| {
        for key in [1, 2, 1, 2, 1] {
            log.finding(&raised(0, key));
        }
    });
    let mut uids: Vec<_> = lines.iter().map(|line| line["uid"].as_str().unwrap()).collect();
    uids.sort_unstable();
    uids.dedup();
    assert_eq!(uids.len(), 5);
}
