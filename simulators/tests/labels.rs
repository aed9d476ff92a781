//! The labels of simulated attacks are true: at least nine of ten are found again by a script that knows nothing but
//! tshark's reading of the capture.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use simulators::scenario::{Scenario, Span};
use simulators::{attack, site};

/// The script takes what happens until then for usual.
const QUIET_S: u64 = 300;

fn there(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok()
}

#[test]
fn nine_of_ten_labels_are_found_again_by_what_tshark_reads() {
    let test = "nine_of_ten_labels_are_found_again_by_what_tshark_reads";
    if !there("tshark") || !there("python3") {
        assert!(std::env::var_os("GRIDTAP_NO_SKIP").is_none(), "{test} may not be skipped here");
        println!("SKIPPED {test}: tshark or python3 is not installed");
        return;
    }
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let (mut labels, mut found, mut missed) = (0, 0, Vec::new());
    for name in ["lab", "roles", "solar", "feeders", "substation", "transmission"] {
        let scenario = Scenario::load(&folder.join(format!("scenarios/{name}.toml"))).unwrap();
        let mut attacks =
            attack::load(&folder.join(format!("scenarios/{name}.attacks.toml")), &scenario).unwrap();
        // An attack day in a quarter of the time.
        for attack in &mut attacks {
            attack.at = Span::from_ns(QUIET_S * 1_000_000_000 + attack.at.ns() / 4);
            attack.every = attack.every.map(|every| every.min(Span::from_ms(15_000)));
        }
        let last = attacks.iter().map(|a| a.at.ns()).max().unwrap() / 1_000_000_000;
        let (capture, truth) = site::capture(&scenario, &attacks, 7, Duration::from_secs(last + 720));
        let file = |end: &str| {
            std::env::temp_dir().join(format!("gridtap-labels-{}-{name}.{end}", std::process::id()))
        };
        std::fs::write(file("pcap"), capture).unwrap();
        std::fs::write(file("jsonl"), attack::to_lines(&truth)).unwrap();
        let mut command = Command::new("python3");
        command.arg(folder.join("tests/labels/derive.py")).arg(file("pcap")).arg(file("jsonl"));
        let output = command.output().unwrap();
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        let result: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(result["labels"], truth.len());
        labels += truth.len() as u64;
        found += result["found"].as_u64().unwrap();
        missed.extend(result["missed"].as_array().unwrap().iter().map(|m| format!("{name}: {m}")));
        std::fs::remove_file(file("pcap")).unwrap();
        std::fs::remove_file(file("jsonl")).unwrap();
    }
    println!("{found} of {labels} labels found again; missed:\n{}", missed.join("\n"));
    assert!(labels >= 90 && found * 10 >= labels * 9, "{found} of {labels}:\n{}", missed.join("\n"));
}
