//! Whole sites, simulated, through the program: an hour of every benign site with its example profile raises
//! nothing of medium severity or higher, and the site that is described by roles alone finds its attackers.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use simulators::attack::{self, Attack, Label};
use simulators::scenario::Scenario;
use simulators::site;

const SITES: [&str; 8] =
    ["demo", "feeders", "lab", "roles", "solar", "substation", "transmission", "utility"];

fn file(folder: &str, name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).join(name)
}

fn scenario(name: &str) -> Scenario {
    let path = file("simulators/scenarios", &format!("{name}.toml"));
    Scenario::load(&path).unwrap_or_else(|e| panic!("{e}"))
}

fn attacks(name: &str, scenario: &Scenario) -> Vec<Attack> {
    let path = file("simulators/scenarios", &format!("{name}.attacks.toml"));
    attack::load(&path, scenario).unwrap_or_else(|e| panic!("{e}"))
}

/// The findings of a site's capture with its profile, and what is true about its attacks.
fn findings(name: &str, attacks: &[Attack], duration: Duration) -> (Vec<Value>, Vec<Label>) {
    let (capture, labels) = site::capture(&scenario(name), attacks, 7, duration);
    let kind = if attacks.is_empty() { "benign" } else { "attacked" };
    let path = std::env::temp_dir().join(format!("gridtap-{}-{name}-{kind}.pcap", std::process::id()));
    std::fs::write(&path, capture).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_gridtap"))
        .args(["replay", "--operations", "none", "--events", "-", "--profile"])
        .arg(file("profiles/examples", &format!("{name}.toml")))
        .arg(&path)
        .output()
        .unwrap();
    std::fs::remove_file(&path).unwrap();
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).unwrap();
    let events = lines.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    (events.filter(|e| e["event"] == "finding").collect(), labels)
}

fn serious(finding: &Value) -> bool {
    matches!(finding["severity"].as_str(), Some("medium" | "high" | "critical"))
}

#[test]
fn an_hour_of_every_benign_site_raises_nothing_serious_with_its_profile() {
    let mut noise = Vec::new();
    for name in SITES {
        // Three hundred stations say as much in ten minutes as the others in an hour.
        let minutes = if name == "utility" { 10 } else { 60 };
        let (findings, _) = findings(name, &[], Duration::from_mins(minutes));
        for finding in findings.iter().filter(|f| serious(f)) {
            noise.push(format!("{name}: {} {} {}", finding["time"], finding["kind"], finding["explanation"]));
        }
    }
    assert!(
        noise.is_empty(),
        "{} findings, the first:\n{}",
        noise.len(),
        noise[..noise.len().min(20)].join("\n")
    );
}

#[test]
fn ten_devices_with_roles_alone_find_a_rogue_master_a_forged_control_and_a_restart() {
    let scenario = scenario("roles");
    let attacks = attacks("roles", &scenario);
    let (findings, labels) = findings("roles", &attacks, Duration::from_hours(1));
    assert_eq!(labels.len(), 3);
    for label in &labels {
        let within = |f: &&Value| {
            let time = |text: &str| text.parse::<jiff::Timestamp>().unwrap();
            let at = time(f["time"].as_str().unwrap());
            serious(f)
                && f["client_ip"] == label.actor_ip.as_str()
                && f["server_ip"] == label.target_ip.as_str()
                && at >= time(&label.from)
                && at <= time(&label.to)
        };
        let kinds: Vec<&Value> = findings.iter().filter(within).map(|f| &f["kind"]).collect();
        assert!(!kinds.is_empty(), "{} by {} is not found", label.behaviour, label.actor);
    }
}
