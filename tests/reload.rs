//! The profile is changed while the sensor runs: all or nothing.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use std::time::Duration;

use simulators::live;
use support::net::{Folder, Namespace, Process, json_lines, missing, wait};
use support::skip;

const WEB: &str = "127.0.0.1:9817";
const STATION: &str = "127.0.0.1:502";

/// A profile called `name` that allows `operations`.
fn profile(name: &str, operations: &str) -> String {
    format!(
        "[profile]\nname = \"{name}\"\nversion = \"of {name}\"\n[hosts.self]\naddress = \"127.0.0.1\"\n[stations.RTU-1]\n\
         protocol = \"modbus\"\nhost = \"self\"\nunit_id = 1\n[[rules]]\nname = \"poll\"\nfrom = \"self\"\n\
         to = \"RTU-1\"\nallow = {operations}\n"
    )
}

fn start(net: &Namespace, folder: &Folder) -> Process {
    folder.write("profile.toml", profile("First", "[\"read\"]"));
    let config =
        format!("capture.interfaces = [\"lo\"]\nprofile.path = \"profile.toml\"\nserve.listen = \"{WEB}\"\n");
    let config = folder.write("gridtap.toml", config);
    let mut command = net.command(env!("CARGO_BIN_EXE_gridtap"));
    let mut process =
        Process::start(command.args(["run", "--config"]).arg(config), folder.file("gridtap.stderr"));
    let ready = wait(Duration::from_secs(20), || {
        assert!(process.ended().is_none(), "{}", process.errors());
        net.get(WEB, "/readyz").0 == 200
    });
    assert!(ready, "{}", process.errors());
    process
}

/// The hash of the profile as it stands in the folder.
fn hash(folder: &Folder) -> String {
    profiles::load(&folder.file("profile.toml"))
        .unwrap_or_else(|errors| panic!("{errors}"))
        .sha256()
        .to_owned()
}

/// The lines of `/metrics` that begin so.
fn metric(net: &Namespace, name: &str) -> String {
    let (_, text) = net.get(WEB, "/metrics");
    text.lines().filter(|line| line.starts_with(name)).collect::<Vec<_>>().join("\n")
}

#[track_caller]
fn comes(net: &Namespace, name: &str, part: &str) {
    let there = || metric(net, name).contains(part);
    assert!(wait(Duration::from_secs(15), there), "{part} is not in: {}", metric(net, name));
}

/// A master reads and writes for a second.
fn traffic(net: &Namespace) {
    let time = Duration::from_secs(1);
    let station = net.spawn(move || live::station(STATION.parse().unwrap(), time + Duration::from_secs(1)));
    std::thread::sleep(Duration::from_millis(300));
    net.inside(move || live::master(STATION.parse().unwrap(), time, 3).unwrap());
    station.join().unwrap().unwrap();
}

#[test]
fn a_sound_profile_comes_into_force_and_one_with_errors_does_not() {
    if let Some(reason) = missing(&["ip"]) {
        return skip("a_sound_profile_comes_into_force_and_one_with_errors_does_not", &reason);
    }
    let folder = Folder::new("reload");
    let net = Namespace::new("reload");
    let mut sensor = start(&net, &folder);
    comes(&net, "gridtap_profile_info", "profile=\"First\"");

    let first = hash(&folder);
    folder.write("profile.toml", "[profile]\nname = \"Broken\"\n[[rules]]\nnme = \"x\"\n");
    comes(&net, "gridtap_profile_reloads_total", "result=\"refused\"} 1");
    comes(&net, "gridtap_profile_info", "profile=\"First\"");
    traffic(&net);

    folder.write("profile.toml", profile("Second", "[\"read\", \"write\"]"));
    let second = format!(
        "profile=\"Second\",profile_version=\"of Second\",sha256=\"{}\",mode=\"monitoring\"",
        hash(&folder)
    );
    comes(&net, "gridtap_profile_info", &second);
    comes(&net, "gridtap_profile_reloads_total", "result=\"changed\"} 1");
    traffic(&net);

    // The same file again, because somebody asks.
    // SAFETY: a signal to a child of this test.
    unsafe { libc::kill(sensor.id() as libc::pid_t, libc::SIGHUP) };
    comes(&net, "gridtap_profile_reloads_total", "result=\"changed\"} 2");

    let (status, _) = sensor.stop(libc::SIGTERM);
    assert_eq!(status.code(), Some(0));
    let lines = json_lines(&folder.file("events.jsonl"));
    let refused: Vec<_> = lines.iter().filter(|line| line["what"] == "profile_refused").collect();
    assert_eq!(refused.len(), 1);
    let message = refused[0]["message"].as_str().unwrap();
    assert!(message.contains("profile.toml:4:1") && message.contains("unknown key `nme`"), "{message}");
    assert_eq!(lines.iter().filter(|line| line["what"] == "profile_changed").count(), 2);

    let denied = |name: &str| {
        let by = |line: &&serde_json::Value| {
            line["kind"] == "unprofiled_control" && line["profile"]["name"] == name
        };
        lines.iter().filter(by).count()
    };
    let named = |name: &str, hash: &str| serde_json::json!({"name": name, "version": format!("of {name}"), "hash": hash});
    let (first, second) = (named("First", &first), named("Second", &hash(&folder)));
    let of = |event: &str, profile: &serde_json::Value| {
        lines.iter().filter(|line| line["event"] == event && line["profile"] == *profile).count()
    };
    for event in ["control", "sensor"] {
        assert!(of(event, &first) > 0 && of(event, &second) > 0, "{event}");
    }
    assert!(of("finding", &first) > 0 && of("station", &first) > 0);
    assert!(
        lines.iter().all(|line| line["profile"] == first || line["profile"] == second),
        "every event says it"
    );
    assert!(denied("First") > 0, "writes were denied by the first profile");
    assert_eq!(denied("Second"), 0, "and allowed by the second");
}
