#![allow(clippy::unwrap_used)]
use super::*;
use crate::score::labels::{Marked, is_json_lines, read_json_lines};
use std::path::PathBuf;

fn file(name: &str, text: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("gridtap-score-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

fn finding(uid: &str, severity: &str, first: &str, last: &str, client: &str) -> String {
    format!(
        r#"{{"event":"finding","uid":"{uid}","id":"POL-02","kind":"unprofiled_client","severity":"{severity}","first":"{first}","last":"{last}","client_ip":"{client}","server_ip":"10.0.0.2"}}"#
    )
}

const LABELS: &str = r#"{"from":"2026-01-01T00:00:10Z","to":"2026-01-01T00:00:20Z","technique":"T0846","behaviour":"sweep","actor":"laptop","target":"rtu","actor_ip":"10.0.0.66","target_ip":"10.0.0.2","frames":[4,5]}
{"from":"2026-01-01T00:01:00Z","to":"2026-01-01T00:01:05Z","technique":"T0855","actor_ip":"10.0.0.5","target_ip":["10.0.0.3"],"frames":2}
{"from":"2026-01-01T00:02:00Z","to":"2026-01-01T00:02:05Z","technique":null,"actor_ip":"10.0.0.5","target_ip":"10.0.0.2","frames":[]}
"#;

#[test]
fn precision_recall_and_time_to_detect_are_counted_by_attack_and_finding() {
    let labels = file("labels.jsonl", LABELS);
    assert!(is_json_lines(&labels).unwrap());
    let attacks = read_json_lines(&labels).unwrap();
    assert_eq!(attacks.len(), 2, "a line without a technique is no attack");
    let events = [
        finding("a", "high", "2026-01-01T00:00:12.5Z", "2026-01-01T00:00:12.5Z", "10.0.0.66"),
        finding("a", "high", "2026-01-01T00:00:12.5Z", "2026-01-01T00:00:19Z", "10.0.0.66"),
        finding("b", "high", "2026-01-01T00:00:30Z", "2026-01-01T00:00:30Z", "10.0.0.66"),
        finding("c", "low", "2026-01-01T00:01:01Z", "2026-01-01T00:01:01Z", "10.0.0.5"),
        r#"{"event":"station","what":"first_seen"}"#.to_owned(),
    ];
    let (said, torn) =
        findings::read(&file("events.jsonl", &(events.join("\n") + "\n{\"event\":\"fin"))).unwrap();
    assert!(torn, "the last line is not whole");
    assert_eq!(said.len(), 3, "a later line with the same uid takes the place of the earlier one");
    let score = score(&attacks, &said);
    assert_eq!((score.attacks, score.found, score.recall), (2, 1, Some(0.5)));
    assert_eq!((score.findings, score.right, score.precision), (2, 1, Some(0.5)));
    assert_eq!(score.techniques[0].median_seconds, Some(2.5));
    assert_eq!(score.techniques[1].found, 0, "a finding of severity low does not count");
    assert_eq!(score.missed[0].technique, "T0855");
    assert_eq!(score.false_kinds["POL-02 unprofiled_client"], 1, "late findings are false");
}

#[test]
fn what_is_told_later_counts_by_the_frames_that_it_shows() {
    let attacks = read_json_lines(&file("framed.jsonl", LABELS)).unwrap();
    let late = |uid: &str, frames: &str, client: &str| {
        let line = finding(uid, "high", "2026-01-01T00:00:30Z", "2026-01-01T00:00:30Z", client);
        line.replace(r#""event":"finding","#, &format!(r#""event":"finding","frames":{frames},"#))
    };
    let events =
        [late("a", "[2,5]", "10.0.0.66"), late("b", "[6]", "10.0.0.66"), late("c", "[5]", "10.0.0.9")];
    let (said, _) =
        findings::read(&file("late.jsonl", &events.join("\n").replace("10.0.0.2", "10.0.0.7"))).unwrap();
    let score = score(&attacks, &said);
    assert_eq!(
        (score.found, score.findings, score.right),
        (1, 3, 1),
        "frame 6 and host 9 have no part in it"
    );
    assert_eq!(score.techniques[0].median_seconds, Some(20.0));
}

#[test]
fn marks_are_read_with_either_line_end_and_nothing_else() {
    let marked = Marked::read(&file("marks.csv", "1;0\r\n2;1\r\n3;1\n")).unwrap();
    assert_eq!([1, 2, 3, 4].map(|n| marked.contains(n)), [false, true, true, false]);
    let error = Marked::read(&file("wrong.csv", "1;0\nframe;mark\n")).unwrap_err();
    assert!(error.ends_with("wrong.csv:2: no line `frame;1` or `frame;0`: frame;mark"), "{error}");
}
