//! The sensor on a mirror port, in network namespaces of the test's own: real Modbus traffic between a
//! master and a station, a switch that mirrors it, and `gridtap run` behind the mirror.
//!
//! ```text
//! master --- switch (bridge) --- station
//!               | tc mirred: a copy of every frame
//!            sensor: gridtap run, and dumpcap for the replay
//! ```
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use simulators::{attack, live, scenario, sockets};
use support::net::{Folder, Namespace, Process, json_lines, missing, wait};
use support::skip;

const GRIDTAP: &str = env!("CARGO_BIN_EXE_gridtap");
const STATION: &str = "10.77.0.2:502";
const WEB: &str = "127.0.0.1:9817";

/// Reads are allowed, and writes of one register; not of several, and not of coils.
const PROFILE: &str = r#"
[profile]
name = "Bench"

[hosts.master]
address = "10.77.0.1"

[hosts.rtu]
address = "10.77.0.2"

[stations.RTU-1]
protocol = "modbus"
host = "rtu"
unit_id = 1

[[rules]]
name = "master polls"
from = ["master"]
to = ["RTU-1"]
allow = ["read", "write_single_register"]
"#;

/// The networks. Dropping it takes all of them away.
struct Site {
    master: Namespace,
    station: Namespace,
    switch: Namespace,
    sensor: Namespace,
}

impl Site {
    fn new(test: &str) -> Site {
        let named = |role: &str| Namespace::new(&format!("{test}-{role}"));
        let site = Site {
            master: named("master"),
            station: named("station"),
            switch: named("switch"),
            sensor: named("sensor"),
        };
        let switch = &site.switch;
        switch.run("ip link add br0 type bridge stp_state 0 mcast_snooping 0");
        switch.run("ip link set br0 up");
        for (port, end, interface) in [
            ("to-master", &site.master, "eth0"),
            ("to-station", &site.station, "eth0"),
            ("mirror", &site.sensor, "watch0"),
        ] {
            let peer = format!("{interface} netns {}", end.name());
            switch.run(&format!("ip link add {port} type veth peer name {peer}"));
            switch.run(&format!("ip link set {port} up"));
            end.run(&format!("ip link set {interface} up"));
        }
        for port in ["to-master", "to-station"] {
            switch.run(&format!("ip link set {port} master br0"));
            switch.run(&format!("tc qdisc add dev {port} clsact"));
            // Every frame that enters the switch here also leaves it at the mirror port.
            switch.run(&format!(
                "tc filter add dev {port} ingress protocol all u32 match u32 0 0 action mirred egress mirror dev mirror"
            ));
        }
        site.master.run("ip address add 10.77.0.1/24 dev eth0");
        site.station.run("ip address add 10.77.0.2/24 dev eth0");
        site
    }

    /// The sensor with these lines in its configuration, once it is ready.
    fn sensor(&self, folder: &Folder, more: &str) -> Process {
        folder.write("profile.toml", PROFILE);
        let config = format!(
            "sensor.name = \"mirror\"\nprofile.path = \"profile.toml\"\nserve.listen = \"{WEB}\"\n\
             events.path = \"live.jsonl\"\nevents.operations = \"all\"\n{more}\n"
        );
        let config = folder.write("gridtap.toml", config);
        let mut command = self.sensor.command(GRIDTAP);
        let mut process =
            Process::start(command.args(["run", "--config"]).arg(config), folder.file("gridtap.stderr"));
        let ready = wait(Duration::from_secs(20), || {
            assert!(process.ended().is_none(), "{}", process.errors());
            self.sensor.get(WEB, "/readyz").0 == 200
        });
        assert!(ready, "{}", process.errors());
        process
    }

    /// Traffic for so long; the number of operations.
    fn traffic(&self, time: Duration, seed: u64) -> u64 {
        let station = self.station.spawn(move || live::station(STATION.parse().unwrap(), time * 2));
        std::thread::sleep(Duration::from_millis(300));
        let count = self.master.inside(move || live::master(STATION.parse().unwrap(), time, seed).unwrap());
        drop(station);
        count
    }
}

/// A capture of the mirror port by another program.
fn record(site: &Site, folder: &Folder) -> (Process, PathBuf) {
    let file = folder.file("mirror.pcapng");
    let mut command = site.sensor.command("dumpcap");
    let process =
        Process::start(command.args(["-q", "-i", "watch0", "-w"]).arg(&file), folder.file("dumpcap.stderr"));
    // The file is begun when the capture has begun.
    let begun = wait(Duration::from_secs(10), || std::fs::metadata(&file).is_ok_and(|m| m.len() > 0));
    assert!(begun, "{}", process.errors());
    std::thread::sleep(Duration::from_millis(300));
    (process, file)
}

/// What a capture of one's own decides: the file's name and numbers, the time, and what is made of it.
const OF_THE_CAPTURE: [&str; 11] = [
    "capture",
    "last_capture",
    "frame_captures",
    "frames",
    "frame",
    "last_frame",
    "time",
    "first",
    "last",
    "latency_ms",
    "uid",
];

/// Lines of some kinds of events, the time of each, and the rest without what the capture decides. The
/// kernel stamps a TCP segment from another namespace anew for every socket that watches, so the times of
/// two captures differ by microseconds, and with them the uid.
fn events(path: &Path, kinds: &[&str]) -> Vec<(jiff::Timestamp, Value)> {
    let mut lines = json_lines(path);
    lines.retain(|line| kinds.contains(&line["event"].as_str().unwrap()));
    let mut events = Vec::new();
    for mut line in lines {
        let time = line["time"].as_str().unwrap().parse().unwrap();
        for key in OF_THE_CAPTURE {
            line.as_object_mut().unwrap().remove(key);
        }
        if line["what"].as_str().is_some_and(|what| what.starts_with("control_")) {
            // They tell times themselves, to the microsecond.
            for key in ["sent", "effect_ms", "message", "points"] {
                line.as_object_mut().unwrap().remove(key);
            }
        }
        events.push((time, line));
    }
    events
}

/// A publisher of GOOSE by others, on a wire of its own to the sensor.
#[test]
fn a_publisher_of_libiec61850_is_decoded_live() {
    let test = "a_publisher_of_libiec61850_is_decoded_live";
    if let Some(reason) = missing(&["ip"]) {
        return skip(test, &reason);
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = root.join("target/peers/bin/python");
    let import = Command::new(&python).args(["-c", "import pyiec61850.pyiec61850"]).output();
    if !import.is_ok_and(|output| output.status.success()) {
        return skip(test, "pyiec61850-ng is not installed, see scripts/setup.sh");
    }
    let (publisher, sensor) = (Namespace::new("goose-publisher"), Namespace::new("goose-sensor"));
    publisher.run(&format!("ip link add eth0 type veth peer name watch0 netns {}", sensor.name()));
    publisher.run("ip link set eth0 up");
    sensor.run("ip link set watch0 up");
    let folder = Folder::new("goose-peer");
    let config = format!(
        "capture.interfaces = [\"watch0\"]\nserve.listen = \"{WEB}\"\nevents.path = \"live.jsonl\"\n\
         events.operations = \"all\"\n"
    );
    let config = folder.write("gridtap.toml", config);
    let mut command = sensor.command(GRIDTAP);
    let mut gridtap =
        Process::start(command.args(["run", "--config"]).arg(config), folder.file("gridtap.stderr"));
    // The sensor has no address: the web server answers where the namespace has its loopback.
    let ready = wait(Duration::from_secs(20), || sensor.get(WEB, "/readyz").0 == 200);
    assert!(ready, "{}", gridtap.errors());
    let script = root.join("simulators/tests/peers/publisher_libiec61850.py");
    let said = publisher.command(&python).arg(script).arg("eth0").output().unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    std::thread::sleep(Duration::from_millis(300));
    let (status, _) = gridtap.stop(libc::SIGTERM);
    assert_eq!(status.code(), Some(0), "{}", gridtap.errors());
    // No protocol of this machine takes frames with a VLAN tag; the kernel counts them as dropped.
    assert!(!gridtap.errors().contains("lost"), "{}", gridtap.errors());

    let lines = json_lines(&folder.file("live.jsonl"));
    let said: Vec<&Value> = lines.iter().filter(|line| line["event"] == "operation").collect();
    let values = |line: &Value| {
        let points = line["points"].as_array().unwrap().iter().map(|point| point["value"].clone());
        points.collect::<Vec<_>>()
    };
    assert_eq!(said.len(), 9, "{lines:#?}");
    for (n, line) in said.iter().enumerate() {
        let state = n / 3;
        let wanted = serde_json::json!([
            state == 1,
            (state as i64 - 1) * 70_000,
            state as u64 * 2_000_000_000,
            1.5 * state as f64,
            format!("state {state}")
        ]);
        assert_eq!(Value::from(values(line)), wanted);
        assert_eq!((&line["vlan"], &line["client"]), (&serde_json::json!([7]), &"01:0c:cd:01:00:01".into()));
    }
    let first = lines.iter().find(|line| line["event"] == "publication").unwrap();
    assert_eq!((&first["control_block"], &first["appid"]), (&"IED1/LLN0$GO$gcb1".into(), &0x1000.into()));
    let states: Vec<&Value> =
        lines.iter().filter(|l| l["event"] == "publication").map(|l| &l["state"]).collect();
    assert_eq!(states, [1, 2, 3]);
    assert!(!lines.iter().any(|line| line["event"] == "finding" && line["severity"] != "info"), "{lines:#?}");
}

#[test]
fn live_findings_equal_those_of_a_replay_and_the_sensor_never_sends() {
    let test = "live_findings_equal_those_of_a_replay_and_the_sensor_never_sends";
    if let Some(reason) = missing(&["ip", "tc", "dumpcap"]) {
        return skip(test, &reason);
    }
    let folder = Folder::new("live");
    let site = Site::new("live");
    // Two workers live, one in the replay.
    let mut sensor = site.sensor(&folder, "sensor.workers = 2\ncapture.interfaces = [\"watch0\"]");
    let others = sensor.seccomp_filters("event-log").unwrap();
    for thread in ["capture", "worker-0", "worker-1"] {
        assert_eq!(sensor.seccomp_filters(thread), Some(others + 1), "{thread} is under the sensor's filter");
    }
    let (mut recorder, file) = record(&site, &folder);
    let count = site.traffic(Duration::from_secs(5), 7);
    assert!(count >= 80, "{count} operations only");
    // What the kernel still holds comes within its block time-out.
    std::thread::sleep(Duration::from_millis(300));
    let (status, took) = sensor.stop(libc::SIGTERM);
    assert_eq!(status.code(), Some(0), "{}", sensor.errors());
    assert!(took < Duration::from_secs(1), "stopping took {took:?}");
    recorder.stop(libc::SIGINT);

    let replayed = folder.file("replay.jsonl");
    let mut replay = Command::new(GRIDTAP);
    replay.args([
        "replay",
        "--json",
        "--workers",
        "1",
        "--sensor",
        "mirror",
        "--operations",
        "all",
        "--profile",
    ]);
    replay.arg(folder.file("profile.toml")).arg("--events").arg(&replayed).arg(&file);
    let output = replay.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(summary["pdus"]["modbus"], 2 * count, "a request and an answer each");

    let lived = folder.file("live.jsonl");
    let kinds = ["finding", "operation", "control", "station"];
    let (live, replay) = (events(&lived, &kinds), events(&replayed, &kinds));
    for ((lived_at, live), (replayed_at, replay)) in live.iter().zip(&replay) {
        assert_eq!(live, replay);
        let apart = lived_at.duration_since(*replayed_at).abs();
        assert!(apart < jiff::SignedDuration::from_millis(20), "{apart} apart: {live}");
    }
    assert_eq!(live.len(), replay.len());
    let live: Vec<_> = live.into_iter().map(|(_, line)| line).collect();
    let is_operation =
        |line: &&Value| line["event"] != "finding" && line["event"] != "station" && line["what"].is_null();
    let operations = live.iter().filter(is_operation);
    assert_eq!(operations.count() as u64, 2 * count);
    let denied: Vec<_> =
        live.iter().filter(|line| line["event"] == "finding" && line["id"] == "POL-01").collect();
    let has = |code: u64| denied.iter().any(|line| line["function"]["code"] == code);
    assert!(has(16) && has(5) && !has(6), "{denied:#?}");
    assert!(denied.iter().all(|line| line["coverage"]["drops"] == false), "{denied:#?}");

    assert_eq!(site.sensor.statistic("watch0", "tx_packets"), 0, "the sensor sent something");
    assert!(site.sensor.statistic("watch0", "rx_packets") >= 2 * count);
    let stopped = json_lines(&lived).into_iter().rfind(|line| line["what"] == "stopped").unwrap();
    assert_eq!(stopped["figures"]["dropped_packets"], 0, "{stopped}");
    eprintln!(
        "{count} operations, {} event lines alike, {} of them denied controls; stopped in {took:?}",
        live.len(),
        denied.len()
    );
}

#[test]
fn a_sensor_on_two_interfaces_is_quiet_when_idle_and_quick_when_not() {
    let test = "a_sensor_on_two_interfaces_is_quiet_when_idle_and_quick_when_not";
    if let Some(reason) = missing(&["ip", "tc"]) {
        return skip(test, &reason);
    }
    let folder = Folder::new("live-two");
    let site = Site::new("two");
    let lines = "capture.interfaces = [\"lo\", \"watch0\"]\ncapture.prefilter = true";
    let mut sensor = site.sensor(&folder, lines);
    let log = folder.file("live.jsonl");
    let has = |event: &str, key: &str, text: &str| {
        json_lines(&log)
            .iter()
            .any(|l| l["event"] == event && l[key].as_str().is_some_and(|value| value.contains(text)))
    };
    assert!(wait(Duration::from_secs(2), || has("sensor", "message", "watch0; only TCP and UDP ports")));
    assert!(has("sensor", "message", "other ports are not"), "what is filtered away is said");

    let before = sensor.cpu();
    assert!(!before.is_zero(), "the measure works");
    std::thread::sleep(Duration::from_secs(3));
    let used = sensor.cpu().saturating_sub(before);
    assert!(used <= Duration::from_millis(150), "{used:?} of processor time in 3 s without traffic");

    let traffic = std::thread::scope(|scope| {
        let traffic = scope.spawn(|| site.traffic(Duration::from_secs(4), 5));
        // The first denied command comes within 0.5 s of the start; its line stands before the traffic ends.
        assert!(wait(Duration::from_secs(3), || has("finding", "id", "POL-01")), "{}", sensor.errors());
        assert!(!traffic.is_finished());
        traffic.join().unwrap()
    });
    assert!(wait(Duration::from_secs(5), || {
        let (_, text) = site.sensor.get(WEB, "/metrics");
        text.contains(&format!("gridtap_pdus_total{{protocol=\"modbus\"}} {}\n", 2 * traffic))
    }));

    // An interface that goes away is told, and the other one is still watched.
    site.switch.run("ip link delete mirror");
    assert!(wait(Duration::from_secs(5), || {
        let (status, text) = site.sensor.get(WEB, "/readyz");
        status == 503 && text.contains("watch0 does not exist any more")
    }));
    assert!(wait(Duration::from_secs(2), || has("sensor", "what", "tap_lost")));
    assert!(sensor.ended().is_none(), "{}", sensor.errors());
    let (status, took) = sensor.stop(libc::SIGTERM);
    assert_eq!(status.code(), Some(0), "{}", sensor.errors());
    assert!(took < Duration::from_secs(1), "stopping took {took:?}");
    eprintln!("{used:?} of processor time in 3 s without traffic; stopped in {took:?}");
}

#[test]
fn learning_listens_until_it_is_told_to_stop_or_its_time_is_over_and_never_sends() {
    let test = "learning_listens_until_it_is_told_to_stop_or_its_time_is_over_and_never_sends";
    if let Some(reason) = missing(&["ip", "tc"]) {
        return skip(test, &reason);
    }
    let folder = Folder::new("live-learn");
    let site = Site::new("learn");
    let learn = |name: &str, more: &[&str]| {
        let mut command = site.sensor.command(GRIDTAP);
        command.args(["learn", "--live", "-i", "watch0", "-o"]).arg(folder.file(name)).args(more);
        let process = Process::start(&mut command, folder.file(&format!("{name}.stderr")));
        assert!(wait(Duration::from_secs(20), || process.errors().contains("listening on watch0")));
        process
    };
    let mut stopped = learn("stopped.toml", &[]);
    let mut timed = learn("timed.toml", &["--for", "6s"]);
    let others = stopped.seccomp_filters("gridtap").unwrap();
    assert_eq!(stopped.seccomp_filters("capture"), Some(others + 1), "the listening thread cannot send");
    site.traffic(Duration::from_secs(3), 7);
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(stopped.stop(libc::SIGINT).0.code(), Some(0), "{}", stopped.errors());
    assert!(wait(Duration::from_secs(10), || timed.ended().is_some()), "{}", timed.errors());
    assert_eq!(timed.ended().unwrap().code(), Some(0), "{}", timed.errors());
    for name in ["stopped.toml", "timed.toml"] {
        let profile = profiles::load(&folder.file(name)).unwrap_or_else(|e| panic!("{e}"));
        let stations: Vec<_> = profile.profile().stations.iter().map(|s| (s.host, s.address)).collect();
        assert!(stations.iter().any(|s| s.1 == Some(parsers::StationAddress::Unit(1))), "{stations:?}");
        assert!(!profile.profile().rules.is_empty());
    }
    assert_eq!(site.sensor.statistic("watch0", "tx_packets"), 0, "learning sent something");

    // Without traffic there is nothing to learn, and that is said.
    let mut nothing = learn("nothing.toml", &["--for", "500 ms"]);
    assert!(wait(Duration::from_secs(10), || nothing.ended().is_some()));
    assert_eq!(nothing.ended().unwrap().code(), Some(4));
    assert!(nothing.errors().contains("Nothing was learned"), "{}", nothing.errors());
    assert!(!nothing.errors().contains("review it"), "{}", nothing.errors());
}

#[test]
fn a_sensor_whose_last_interface_vanishes_ends_with_status_1() {
    let test = "a_sensor_whose_last_interface_vanishes_ends_with_status_1";
    if let Some(reason) = missing(&["ip", "tc"]) {
        return skip(test, &reason);
    }
    let folder = Folder::new("live-lost");
    let site = Site::new("lost");
    let mut sensor = site.sensor(&folder, "capture.interfaces = [\"watch0\"]");
    site.switch.run("ip link delete mirror");
    assert!(wait(Duration::from_secs(5), || sensor.ended().is_some()), "{}", sensor.errors());
    assert_eq!(sensor.ended().unwrap().code(), Some(1));
    let errors = sensor.errors();
    assert!(
        errors.contains("watch0 does not exist any more") && errors.contains("restart gridtap"),
        "{errors}"
    );
    assert!(errors.contains("gridtap: no interface is left to listen on"), "{errors}");
}

/// A bay that publishes the state of a breaker, and nothing else.
const BAY: &str = r#"
[site]
name = "bay"
start = "2026-06-15T00:00:00Z"
[buses]
A = { kv = 20 }
B = { kv = 20 }
[lines]
L = { from = "A", to = "B", x = 0.08 }
[breakers]
Q = { in = "L" }
[generators]
G = { bus = "A", kind = "grid" }
[publishers.PROT]
source = "02:a1:00:00:00:12"
destination = "01:0c:cd:01:00:12"
appid = 0x8012
control_block = "PROT/LLN0$GO$gcbTrip"
data_set = "PROT/LLN0$dsTrip"
breakers = ["Q"]
longest = "500 ms"
"#;

/// A publisher on a real interface, and somebody who sends a state number far ahead in its name.
#[test]
fn a_forged_goose_state_is_found_on_a_live_interface() {
    if let Some(reason) = missing(&["ip"]) {
        return skip("a_forged_goose_state_is_found_on_a_live_interface", &reason);
    }
    let folder = Folder::new("live-goose");
    let (bay, sensor) = (Namespace::new("forged-bay"), Namespace::new("forged-sensor"));
    bay.run(&format!("ip link add bus0 type veth peer name watch0 netns {}", sensor.name()));
    bay.run("ip link set bus0 up");
    sensor.run("ip link set watch0 up");
    folder.write(
        "profile.toml",
        "[profile]\nname = \"Bay\"\n[publishers.prot]\ncontrol_block = \"PROT/LLN0$GO$gcbTrip\"\n\
         appid = 0x8012\nsource = [\"02:a1:00:00:00:12\"]\ndestination = \"01:0c:cd:01:00:12\"\n",
    );
    let config = folder.write(
        "gridtap.toml",
        format!(
            "capture.interfaces = [\"watch0\"]\nprofile.path = \"profile.toml\"\nserve.listen = \"{WEB}\"\n\
             events.path = \"goose.jsonl\"\n"
        ),
    );
    let mut command = sensor.command(GRIDTAP);
    let mut process =
        Process::start(command.args(["run", "--config"]).arg(config), folder.file("gridtap.stderr"));
    let ready = wait(Duration::from_secs(20), || {
        assert!(process.ended().is_none(), "{}", process.errors());
        sensor.get(WEB, "/readyz").0 == 200
    });
    assert!(ready, "{}", process.errors());
    let labels = bay.inside(|| {
        let scenario = scenario::Scenario::parse(BAY, "bay.toml").unwrap();
        let attacks = "[[attacks]]\nbehaviour = \"goose_poison\"\nat = \"3s\"\nactor = \"10.0.0.66\"\n\
                       target = \"PROT\"\ncount = 2\nevery = \"100 ms\"\n";
        let attacks = attack::parse(attacks, "attacks", &scenario).unwrap();
        let (attacks, left_out) = sockets::over_sockets(attacks, false, true);
        assert!(left_out.is_empty());
        let options = sockets::Options {
            length: Some(Duration::from_secs(6)),
            goose: Some("bus0".into()),
            ..sockets::Options::default()
        };
        let stop = std::future::pending();
        sockets::run(&scenario, &attacks, &options, |_| {}, stop).unwrap().labels.len()
    });
    assert_eq!(labels, 1);
    let lines = || json_lines(&folder.file("goose.jsonl"));
    let told = |kind: &str| lines().iter().any(|line| line["kind"] == kind);
    assert!(wait(Duration::from_secs(10), || told("goose_state_jump")), "{:?}", lines());
    let (status, _) = process.stop(libc::SIGTERM);
    assert_eq!(status.code(), Some(0), "{}", process.errors());
    let lines = lines();
    let of = |kind: &str| lines.iter().filter(|line| line["kind"] == kind && line["count"] == 1).count();
    assert_eq!(of("goose_state_jump"), 1, "{lines:?}");
    // The true publisher goes on and is believed.
    assert_eq!((of("goose_replay"), of("goose_two_sequences")), (0, 0), "{lines:?}");
    let happened: Vec<_> = lines.iter().filter(|line| line["event"] == "publication").collect();
    assert!(happened.iter().any(|line| line["what"] == "first_seen"), "{lines:?}");
    assert!(happened.iter().all(|line| line["what"] != "adopted"), "{lines:?}");
    assert_eq!(sensor.statistic("watch0", "tx_packets"), 0, "the sensor sent something");
}

/// Attacks that need frames of their own making, on a live site behind a mirror port.
#[test]
fn forged_frames_on_a_live_site_are_found() {
    if let Some(reason) = missing(&["ip", "tc", "ethtool"]) {
        return skip("forged_frames_on_a_live_site_are_found", &reason);
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let scenario = scenario::Scenario::load(&root.join("simulators/scenarios/lab.toml")).unwrap();
    let attacks = r#"
        [[attacks]]
        behaviour = "overlap_evasion"
        at = "3s"
        actor = "192.168.7.66"
        target = "RTU"
        point = "CB-2"
        command = "open"

        [[attacks]]
        behaviour = "arp_spoofing"
        at = "5s"
        actor = "192.168.7.66"
        victim = "bench-a"
        target = "RECLOSER"
        every = "1 s"
        for = "4 s"

        [[attacks]]
        behaviour = "response_injection"
        at = "11s"
        actor = "bench-a"
        target = "RTU"
        for = "5 s"

        [[attacks]]
        behaviour = "tcp_reset"
        at = "18s"
        actor = "192.168.7.66"
        victim = "bench-a"
        target = "RTU"
        count = 4
        every = "2 s"
    "#;
    let attacks = attack::parse(attacks, "attacks", &scenario).unwrap();
    let (attacks, left_out) = sockets::over_sockets(attacks, true, false);
    assert!(left_out.is_empty());
    let folder = Folder::new("live-forged");
    let mirror = format!("gtf{}", std::process::id() % 100_000);
    let namespaces = sockets::Namespaces::new(&scenario, &attacks, &mirror).unwrap();
    let profile = root.join("profiles/examples/lab.toml");
    let config = folder.write(
        "gridtap.toml",
        format!(
            "capture.interfaces = [\"{mirror}\"]\nprofile.path = \"{}\"\nserve.listen = \"127.0.0.1:9837\"\n\
             events.path = \"forged.jsonl\"\n",
            profile.display()
        ),
    );
    let mut command = Command::new(GRIDTAP);
    let mut process =
        Process::start(command.args(["run", "--config"]).arg(config), folder.file("gridtap.stderr"));
    let options = sockets::Options {
        length: Some(Duration::from_secs(28)),
        namespaces: Some(namespaces),
        ..sockets::Options::default()
    };
    let stop = std::future::pending();
    let summary = sockets::run(&scenario, &attacks, &options, |_| {}, stop).unwrap();
    assert!(summary.troubles.is_empty(), "{:?}", summary.troubles);
    assert_eq!(summary.labels.len(), 4);
    let (status, _) = process.stop(libc::SIGTERM);
    assert_eq!(status.code(), Some(0));
    let lines = json_lines(&folder.file("forged.jsonl"));
    // Each within a moment of its label.
    for (label, kind) in summary.labels.iter().zip([
        "conflicting_overlap",
        "arp_spoofing",
        "conflicting_overlap",
        "tcp_teardown",
    ]) {
        let (from, to): (jiff::Timestamp, jiff::Timestamp) =
            (label.from.parse().unwrap(), label.to.parse().unwrap());
        let found = lines.iter().filter(|line| line["kind"] == kind).any(|line| {
            let at: jiff::Timestamp = line["time"].as_str().unwrap().parse().unwrap();
            (from..=to + jiff::SignedDuration::from_secs(3)).contains(&at)
        });
        assert!(found, "{}: {lines:?}", label.behaviour);
    }
}
