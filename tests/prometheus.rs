//! A real Prometheus scrapes a running sensor. Everything runs in a network namespace of the test's own, so
//! that the ports are free and the loopback carries nothing else.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use std::fmt::Write as _;
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use simulators::live;
use support::net::{Folder, Namespace, Process, json_lines, missing, wait};
use support::skip;

const WEB: &str = "127.0.0.1:9817";
const PROMETHEUS: &str = "127.0.0.1:9090";
const STATION: &str = "127.0.0.1:502";

const PROFILE: &str = r#"
[profile]
name = "Loopback"

[hosts.self]
address = "127.0.0.1"

[stations.RTU-1]
protocol = "modbus"
host = "self"
unit_id = 1

[[rules]]
name = "poll"
from = ["self"]
to = ["RTU-1"]
allow = ["read"]
"#;

const SCRAPE: &str = "\
global:
  scrape_interval: 1s
  scrape_timeout: 1s
scrape_configs:
  - job_name: gridtap
    static_configs:
      - targets: ['127.0.0.1:9817']
";

fn sensor(net: &Namespace, folder: &Folder) -> Process {
    folder.write("profile.toml", PROFILE);
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

fn prometheus(net: &Namespace, folder: &Folder) -> Process {
    let config = folder.write("prometheus.yml", SCRAPE);
    let mut command = net.command("prometheus");
    command.arg(format!("--config.file={}", config.display()));
    command.arg(format!("--storage.tsdb.path={}", folder.file("tsdb").display()));
    command.arg(format!("--web.listen-address={PROMETHEUS}"));
    let process = Process::start(&mut command, folder.file("prometheus.stderr"));
    let up = wait(Duration::from_secs(40), || net.get(PROMETHEUS, "/-/ready").0 == 200);
    assert!(up, "{}", process.errors());
    process
}

fn api(net: &Namespace, path: &str) -> Value {
    let (status, body) = net.get(PROMETHEUS, path);
    assert_eq!(status, 200, "{path}: {body}");
    let answer: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(answer["status"], "success", "{answer}");
    answer["data"].clone()
}

/// The value that Prometheus has for a query, if it has exactly one.
fn query(net: &Namespace, query: &str) -> Option<f64> {
    let mut escaped = String::new();
    for byte in query.bytes() {
        write!(escaped, "%{byte:02x}").unwrap();
    }
    let data = api(net, &format!("/api/v1/query?query={escaped}"));
    let [only] = data["result"].as_array()?.as_slice() else { return None };
    only["value"][1].as_str()?.parse().ok()
}

fn modbus(net: &Namespace, time: Duration) -> u64 {
    let station = net.spawn(move || live::station(STATION.parse().unwrap(), time + Duration::from_secs(1)));
    std::thread::sleep(Duration::from_millis(300));
    let count = net.inside(move || live::master(STATION.parse().unwrap(), time, 3).unwrap());
    station.join().unwrap().unwrap();
    count
}

fn promtool(text: &str) {
    let mut tool = Command::new("promtool");
    tool.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut tool = tool.spawn().unwrap();
    tool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = tool.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success() && said.is_empty(), "{}", String::from_utf8_lossy(&said));
}

#[test]
fn prometheus_scrapes_a_running_sensor() {
    if let Some(reason) = missing(&["ip", "prometheus", "promtool"]) {
        return skip("prometheus_scrapes_a_running_sensor", &reason);
    }
    let folder = Folder::new("prometheus");
    let net = Namespace::new("prometheus");
    let mut sensor = sensor(&net, &folder);
    assert_eq!(net.get(WEB, "/healthz"), (200, "ok\n".to_owned()));
    idle_sensor_shows_every_anomaly_at_zero(&net);

    let mut prometheus = prometheus(&net, &folder);
    let target_is_up = || {
        let targets = api(&net, "/api/v1/targets");
        targets["activeTargets"][0]["health"] == "up" && targets["activeTargets"][0]["lastError"] == ""
    };
    assert!(wait(Duration::from_secs(20), target_is_up), "{}", api(&net, "/api/v1/targets"));
    let pdus = "gridtap_pdus_total{protocol=\"modbus\"}";
    assert!(wait(Duration::from_secs(10), || query(&net, pdus) == Some(0.0)), "{:?}", query(&net, pdus));

    let count = modbus(&net, Duration::from_secs(3));
    assert!(count >= 40, "{count} operations only");
    let all_counted = || query(&net, pdus) == Some(2.0 * count as f64);
    assert!(wait(Duration::from_secs(15), all_counted), "{count} operations, {:?}", query(&net, pdus));
    assert_eq!(query(&net, "up{job=\"gridtap\"}"), Some(1.0));
    assert_eq!(query(&net, "gridtap_build_info"), Some(1.0));
    assert_eq!(query(&net, "gridtap_profile_info{profile=\"Loopback\",mode=\"monitoring\"}"), Some(1.0));
    let denied =
        query(&net, "gridtap_station_anomalies_total{station=\"RTU-1\",kind=\"unprofiled_control\"}");
    assert!(denied.is_some_and(|n| n >= 3.0), "{denied:?}");
    let dropped = query(&net, "sum(gridtap_capture_dropped_packets_total)");
    assert_eq!(dropped, Some(0.0));

    let (status, text) = net.get(WEB, "/metrics");
    assert_eq!(status, 200);
    promtool(&text);
    // A scraper that keeps its connection must not keep the sensor from stopping.
    let (status, took) = sensor.stop(libc::SIGTERM);
    assert_eq!(status.code(), Some(0), "{}", sensor.errors());
    assert!(took < Duration::from_secs(1), "stopping took {took:?}");
    prometheus.stop(libc::SIGTERM);
    let lines = json_lines(&folder.file("events.jsonl"));
    assert!(lines.iter().any(|line| line["event"] == "finding" && line["id"] == "POL-01"));
    assert_eq!(lines.iter().filter(|line| line["what"] == "stopped").count(), 1);
    eprintln!("{count} operations, all counted by Prometheus; {} lines of metrics", text.lines().count());
}

/// A counter that appears only when something has happened cannot be alerted on.
fn idle_sensor_shows_every_anomaly_at_zero(net: &Namespace) {
    let (_, text) = net.get(WEB, "/metrics");
    promtool(&text);
    let zero =
        text.lines().filter(|line| line.starts_with("gridtap_anomalies_total{") && line.ends_with(" 0"));
    assert_eq!(zero.count(), gridtap::report::catalogue::CATALOGUE.len());
}
