//! Sites as captures: the seed decides, and tshark reads an hour of every scenario without complaint.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use simulators::scenario::Scenario;
use simulators::site;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("scenarios")
}

/// Every scenario, by name.
fn scenarios() -> Vec<(String, Scenario)> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| !path.to_string_lossy().ends_with(".attacks.toml"));
    files.sort();
    let load = |path: PathBuf| {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        (name, Scenario::load(&path).unwrap_or_else(|e| panic!("{e}")))
    };
    files.into_iter().map(load).collect()
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
    for (name, scenario) in scenarios() {
        let run = |seed| site::capture(&scenario, &[], seed, Duration::from_mins(2)).0;
        let first = run(7);
        assert!(first.len() > 10_000, "{name} has traffic");
        assert_eq!(first, run(7), "{name}");
        assert_ne!(first, run(8), "{name}");
    }
}

#[test]
fn tshark_finds_nothing_wrong_in_an_hour_of_any_benign_scenario() {
    let name = "tshark_finds_nothing_wrong_in_an_hour_of_any_benign_scenario";
    if Command::new("tshark").arg("--version").output().is_err() {
        assert!(
            std::env::var_os("GRIDTAP_NO_SKIP").is_none_or(|v| v != "1"),
            "{name}: tshark is not installed, and GRIDTAP_NO_SKIP=1 forbids to skip"
        );
        println!("SKIPPED {name}: tshark is not installed");
        return;
    }
    for (name, scenario) in scenarios() {
        // The large site says in ten minutes what the others say in an hour.
        let minutes = if scenario.stations.len() > 100 { 10 } else { 60 };
        let (capture, _) = site::capture(&scenario, &[], 7, Duration::from_mins(minutes));
        assert_eq!(complaints(&name, &capture), "", "{name}");
    }
}

/// What tshark finds wrong: malformed packets, errors and warnings, checksums, anomalies of TCP.
fn complaints(name: &str, capture: &[u8]) -> String {
    let file = std::env::temp_dir().join(format!("gridtap-site-{}-{name}.pcap", std::process::id()));
    std::fs::write(&file, capture).unwrap();
    let wrong = "_ws.malformed or _ws.expert.severity >= 6291456 or tcp.analysis.flags or \
                 tcp.checksum.status == 0 or ip.checksum.status == 0 or udp.checksum.status == 0";
    let output = Command::new("tshark")
        .args(["-n", "-r"])
        .arg(&file)
        .args([
            "-o",
            "ip.check_checksum:TRUE",
            "-o",
            "tcp.check_checksum:TRUE",
            "-o",
            "udp.check_checksum:TRUE",
        ])
        .args(["-Y", wrong])
        .output()
        .unwrap();
    std::fs::remove_file(&file).unwrap();
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).lines().take(5).collect::<Vec<_>>().join("\n")
}
