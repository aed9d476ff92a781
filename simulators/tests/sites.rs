//! Sites as captures: the seed decides, and tshark reads an hour of every scenario without complaint.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use simulators::attack;
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
    if !tshark_is_there("tshark_finds_nothing_wrong_in_an_hour_of_any_benign_scenario") {
        return;
    }
    for (name, scenario) in scenarios() {
        // The large site says in ten minutes what the others say in an hour.
        let minutes = if scenario.stations.len() > 100 { 10 } else { 60 };
        let (capture, _) = site::capture(&scenario, &[], 7, Duration::from_mins(minutes));
        assert_eq!(complaints(&name, &capture), "", "{name}");
    }
}

fn tshark_is_there(test: &str) -> bool {
    if Command::new("tshark").arg("--version").output().is_ok() {
        return true;
    }
    assert!(
        std::env::var_os("GRIDTAP_NO_SKIP").is_none_or(|v| v != "1"),
        "{test}: tshark is not installed, and GRIDTAP_NO_SKIP=1 forbids to skip"
    );
    println!("SKIPPED {test}: tshark is not installed");
    false
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

#[test]
fn every_attack_of_every_scenario_leaves_frames_where_its_label_says() {
    for (name, scenario) in scenarios() {
        let file = folder().join(format!("{name}.attacks.toml"));
        let mut attacks = attack::load(&file, &scenario).unwrap_or_else(|e| panic!("{e}"));
        // The slow ones late in the day are like the fast ones before.
        let minutes = if scenario.stations.len() > 100 { 31 } else { 601 };
        attacks.retain(|a| a.at.ns() < minutes * 60_000_000_000);
        let last = attacks.iter().map(|a| a.at.ns()).max().unwrap() / 1_000_000_000;
        let duration = Duration::from_secs(last + 120);
        let (capture, labels) = site::capture(&scenario, &attacks, 7, duration);
        assert_eq!(labels.len(), attacks.len(), "{name}: every attack was seen");
        let frames = times(&capture);
        for (label, attack) in labels.iter().zip(&attacks) {
            let what = format!("{name} {}", label.behaviour);
            let [first, last] = label.frames.unwrap().map(|n| frames[n as usize - 1]);
            assert!(first <= last, "{what}");
            let begin = u64::try_from(scenario.site.start.as_nanosecond()).unwrap() + attack.at.ns();
            assert!(first >= begin && first < begin + 120_000_000_000, "{what}: begins when it should");
            let stamp = |text: &str| text.parse::<jiff::Timestamp>().unwrap().as_nanosecond() as u64;
            assert_eq!(
                (stamp(&label.from), stamp(&label.to)),
                (first, last),
                "{what}: times are those of the frames"
            );
        }
    }
}

/// Time stamps of a pcap with nanoseconds.
fn times(capture: &[u8]) -> Vec<u64> {
    let word = |at: usize| u32::from_le_bytes(capture[at..at + 4].try_into().unwrap());
    let mut out = Vec::new();
    let mut at = 24;
    while at < capture.len() {
        out.push(u64::from(word(at)) * 1_000_000_000 + u64::from(word(at + 4)));
        at += 16 + word(at + 8) as usize;
    }
    assert!(out.is_sorted(), "the tap's clock runs forward");
    out
}

#[test]
fn attacks_do_not_change_the_benign_traffic_before_them() {
    let (_, scenario) = scenarios().into_iter().find(|(name, _)| name == "roles").unwrap();
    let attacks = attack::load(&folder().join("roles.attacks.toml"), &scenario).unwrap();
    let minutes = Duration::from_mins(31);
    let benign = site::capture(&scenario, &[], 7, minutes).0;
    assert_eq!(benign, site::capture(&scenario, &attacks, 7, minutes).0, "the first attack begins later");
}

#[test]
fn lost_and_reordered_segments_come_only_when_asked_for() {
    let (_, mut scenario) = scenarios().into_iter().find(|(name, _)| name == "feeders").unwrap();
    scenario.network.lost_per_million = 2000;
    scenario.network.reordered_per_million = 300_000;
    let name = "lost_and_reordered_segments_come_only_when_asked_for";
    let capture = site::capture(&scenario, &[], 7, Duration::from_mins(20)).0;
    if !tshark_is_there(name) {
        return;
    }
    let told = complaints(name, &capture);
    assert!(told.contains("TCP Retransmission"), "{told}");
}

#[test]
fn a_parameter_that_means_nothing_is_a_mistake() {
    let (_, scenario) = scenarios().into_iter().find(|(name, _)| name == "roles").unwrap();
    let text = "[[attacks]]\nbehaviour = \"restart\"\nat = \"1m\"\nactor = \"nobody\"\ntarget = \"RELAY\"\ncount = 3\n";
    let error = attack::parse(text, "a.toml", &scenario).unwrap_err().to_string();
    assert_eq!(
        error,
        "error: attack 1 (restart): the actor `nobody` is no address and no master\n  --> a.toml:4:9\n   |\n \
         4 | actor = \"nobody\"\n   |         ^^^^^^^^\n   = help: the masters are: historian, scada, scada-backup, \
         workstation\n\nerror: attack 1 (restart): `count` means nothing here\n  --> a.toml:6:9\n   |\n 6 | count = 3\n   \
         |         ^ leave it out\n   = help: restart has the parameters: link_address\n\na.toml: 2 errors"
    );
}
