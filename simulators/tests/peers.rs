//! Our stations and masters against implementations by others, each a process of its own: pymodbus, mbpoll, dnp3py
//! and dnp3-outstation. `scripts/setup.sh` installs them; the Python ones live in target/peers.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

const MODBUS: u16 = 1502;
const DNP3: u16 = 20_000;
/// The site that meets it.
const LEVEL_1: u32 = 4;

/// The Python with the peers, or `None` after saying that the test is skipped.
fn python(test: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/peers/bin/python");
    let there = path.exists() && Command::new("mbpoll").arg("-V").output().is_ok();
    if there {
        return Some(path);
    }
    assert!(
        std::env::var_os("GRIDTAP_NO_SKIP").is_none(),
        "{test} may not be skipped here: run scripts/setup.sh"
    );
    println!("SKIPPED {test}: the peers are not installed, see scripts/setup.sh");
    None
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers")
}

/// A program that is killed when the test ends before it.
struct Process {
    child: Child,
    out: BufReader<std::process::ChildStdout>,
}

impl Process {
    /// Start it and wait for a line that begins so.
    fn start(command: &mut Command, ready: &str) -> Process {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        while !line.starts_with(ready) {
            line.clear();
            if out.read_line(&mut line).unwrap() == 0 {
                let mut why = String::new();
                child.stderr.take().unwrap().read_to_string(&mut why).unwrap();
                panic!("{command:?} ended: {why}");
            }
        }
        Process { child, out }
    }

    /// The last line it says.
    fn last(mut self, limit: Duration) -> String {
        let begun = Instant::now();
        while self.child.try_wait().unwrap().is_none() {
            assert!(begun.elapsed() < limit, "it does not end");
            std::thread::sleep(Duration::from_millis(50));
        }
        let mut text = String::new();
        self.out.read_to_string(&mut text).unwrap();
        let mut why = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut why).unwrap();
        assert!(self.child.wait().unwrap().success(), "{why}");
        text.lines().last().unwrap_or_default().to_owned()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// The site on addresses of this test alone: `host` is the last number of a station's.
struct Site {
    file: PathBuf,
    net: u32,
}

impl Site {
    fn new(number: u32) -> Site {
        let net = (std::process::id() + number) % 250 + 1;
        let text = std::fs::read_to_string(folder().join("site.toml")).unwrap();
        let file = std::env::temp_dir().join(format!("gridtap-peers-{}-{number}.toml", std::process::id()));
        // The Level 1 outstation knows nothing of unsolicited responses.
        let unsolicited = if number == LEVEL_1 { "unsolicited = false" } else { "unsolicited = true" };
        let text = text.replace("unsolicited = true", unsolicited);
        std::fs::write(&file, text.replace("NET", &net.to_string())).unwrap();
        Site { file, net }
    }

    fn host(&self, host: u8) -> String {
        format!("127.{}.7.{host}", self.net)
    }

    fn run(&self, only: &str, seconds: u32) -> Process {
        self.run_with(only, seconds, &[])
    }

    fn run_with(&self, only: &str, seconds: u32, more: &[&Path]) -> Process {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gridtap-sim"));
        command.arg("run").arg(&self.file).args(["--only", only, "--for", &format!("{seconds}s")]).args(more);
        command.args(["--modbus-port", &MODBUS.to_string(), "--dnp3-port", &DNP3.to_string()]);
        Process::start(&mut command, "a sensor may listen")
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        _ = std::fs::remove_file(&self.file);
    }
}

fn said(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{command:?}: {text}\n{}", String::from_utf8_lossy(&output.stderr));
    text
}

#[test]
fn pymodbus_and_mbpoll_read_and_switch_our_modbus_stations() {
    let Some(python) = python("pymodbus_and_mbpoll_read_and_switch_our_modbus_stations") else { return };
    let site = Site::new(0);
    let _stations = site.run("stations", 60);
    let (rtu, port) = (site.host(12), MODBUS.to_string());
    let script = folder().join("client_pymodbus.py");
    let text = said(Command::new(&python).arg(script).args([&rtu, &site.host(13), &port]));
    assert_eq!(text.lines().count(), 2, "{text}");

    let mbpoll = |more: &[&str]| {
        let mut command = Command::new("mbpoll");
        command.args(["-m", "tcp", "-a", "1", "-1", "-p", &port]).args(more);
        said(&mut command)
    };
    let text = mbpoll(&["-t", "4", "-r", "1", &rtu, "4242"]);
    assert!(text.contains("Written 1 references"), "{text}");
    let text = mbpoll(&["-t", "4", "-r", "1", "-c", "2", &rtu]);
    assert!(text.contains("[1]: \t4242") && text.contains("[2]: \t0"), "{text}");
    let text = mbpoll(&["-t", "1", "-r", "1", "-c", "1", &rtu]);
    assert!(text.contains("[1]: \t1"), "the breaker is closed: {text}");
}

#[test]
fn our_master_reads_and_writes_servers_of_pymodbus() {
    let Some(python) = python("our_master_reads_and_writes_servers_of_pymodbus") else { return };
    let site = Site::new(1);
    let server = |host: u8| {
        let mut command = Command::new(&python);
        command.arg(folder().join("server_pymodbus.py")).args([&site.host(host), &MODBUS.to_string(), "11"]);
        Process::start(&mut command, "listening")
    };
    let servers = [server(12), server(13)];
    let masters = site.run("masters", 8);
    let [rtu, meter] =
        servers.map(|s| serde_json::from_str::<Value>(&s.last(Duration::from_secs(30))).unwrap());
    masters.last(Duration::from_secs(20));
    // Every half second for some 7 s, and the operators' two writes.
    for function in ["1", "2", "3", "4"] {
        assert!(rtu["requests"][function].as_u64().unwrap() >= 8, "{rtu}");
    }
    let writes = rtu["writes"].as_array().unwrap();
    assert_eq!(writes.len(), 2, "{rtu}");
    assert!(writes.contains(&serde_json::json!([5, 0, false])), "{rtu}");
    assert!(writes.contains(&serde_json::json!([6, 0, 77])), "{rtu}");
    assert!(meter["requests"]["43"].as_u64().unwrap() >= 8, "{meter}");
    assert_eq!((&rtu["refused"], &meter["refused"]), (&0.into(), &0.into()), "{rtu} {meter}");
}

#[test]
fn dnp3py_gets_everything_from_our_outstation() {
    let Some(python) = python("dnp3py_gets_everything_from_our_outstation") else { return };
    let site = Site::new(2);
    let _stations = site.run("stations", 90);
    let script = folder().join("master_dnp3py.py");
    let text = said(Command::new(python).arg(script).args([&site.host(11), &DNP3.to_string(), "11"]));
    assert_eq!(text.lines().last(), Some("restart"), "{text}");
}

#[test]
fn our_master_does_everything_with_an_outstation_of_dnp3py() {
    let Some(python) = python("our_master_does_everything_with_an_outstation_of_dnp3py") else { return };
    let site = Site::new(3);
    let mut command = Command::new(python);
    command.arg(folder().join("outstation_dnp3py.py")).args([&site.host(11), &DNP3.to_string(), "14"]);
    let outstation = Process::start(&mut command, "listening");
    let attacks = site.file.with_extension("attacks");
    let restart =
        "[[attacks]]\nbehaviour = \"restart\"\nat = \"8s\"\nactor = \"scada\"\ntarget = \"RECLOSER\"\n";
    std::fs::write(&attacks, restart).unwrap();
    let masters = site.run_with("masters", 11, &[Path::new("--attacks"), &attacks]);
    let seen: Value = serde_json::from_str(&outstation.last(Duration::from_secs(40))).unwrap();
    masters.last(Duration::from_secs(20));
    std::fs::remove_file(attacks).unwrap();
    let count = |function: &str| seen["requests"][function].as_u64().unwrap_or(0);
    // Polls every half second; restart indication cleared and clock set by writes after a recorded time, at the start
    // and after the restart; unsolicited enabled; an operator opens with select and operate, and closes with direct
    // operate.
    assert!(count("1") >= 10 && count("20") >= 1, "{seen}");
    assert_eq!((count("2"), count("24"), count("23")), (4, 2, 0), "{seen}");
    assert_eq!((count("3"), count("4"), count("5")), (1, 1, 1), "{seen}");
    assert_eq!(seen["selected"], seen["operated"], "{seen}");
    assert_eq!((count("13"), &seen["restarts"]), (1, &1.into()), "{seen}");
    assert_eq!((&seen["restart"], &seen["need_time"]), (&false.into(), &false.into()), "{seen}");
    // One change was polled, whose answer dnp3py wants no confirmation for, and one told unsolicited and confirmed.
    assert_eq!((&seen["events"], &seen["unsolicited"], count("0")), (&2.into(), &1.into(), 1), "{seen}");
    assert_eq!((&seen["events_left"], &seen["unconfirmed"]), (&0.into(), &false.into()), "{seen}");
}

#[test]
fn our_master_measures_the_delay_before_it_sets_the_clock_of_dnp3py() {
    let Some(python) = python("our_master_measures_the_delay_before_it_sets_the_clock_of_dnp3py") else {
        return;
    };
    let site = Site::new(5);
    let text = std::fs::read_to_string(&site.file).unwrap();
    let text = text.replace("operators_late =", "time_sync = \"serial\"\noperators_late =");
    std::fs::write(&site.file, text).unwrap();
    let mut command = Command::new(python);
    command.arg(folder().join("outstation_dnp3py.py")).args([&site.host(11), &DNP3.to_string(), "6"]);
    let outstation = Process::start(&mut command, "listening");
    let masters = site.run("masters", 3);
    let seen: Value = serde_json::from_str(&outstation.last(Duration::from_secs(40))).unwrap();
    masters.last(Duration::from_secs(20));
    let count = |function: &str| seen["requests"][function].as_u64().unwrap_or(0);
    assert_eq!((count("23"), count("24"), count("2")), (1, 0, 2), "{seen}");
    assert_eq!(seen["need_time"], false, "{seen}");
}

#[test]
fn our_master_polls_the_level_1_outstation_of_others() {
    let Some(python) = python("our_master_polls_the_level_1_outstation_of_others") else { return };
    let site = Site::new(LEVEL_1);
    let mut command = Command::new(python);
    command.arg(folder().join("outstation_level1.py")).args([&site.host(11), &DNP3.to_string(), "9"]);
    let outstation = Process::start(&mut command, "listening");
    let masters = site.run("masters", 7);
    let seen: Value = serde_json::from_str(&outstation.last(Duration::from_secs(30))).unwrap();
    masters.last(Duration::from_secs(20));
    assert!(seen["answered"].as_u64().unwrap() >= 8, "{seen}");
}

/// Segments that the kernel has sent again in the namespaces of a site.
fn repeated_by_the_kernel(site: &str) -> usize {
    let names = said(Command::new("ip").args(["netns", "list"]));
    let of_site =
        names.lines().filter_map(|line| line.split(' ').next()).filter(|name| name.starts_with(site));
    let counts = of_site.map(|name| {
        let figures = said(Command::new("ip").args(["netns", "exec", name, "cat", "/proc/net/snmp"]));
        let tcp: Vec<_> =
            figures.lines().filter(|line| line.starts_with("Tcp:")).map(str::split_whitespace).collect();
        let [titles, values] = <[_; 2]>::try_from(tcp).unwrap();
        let (_, count) = titles.zip(values).find(|(title, _)| *title == "RetransSegs").unwrap();
        count.parse::<usize>().unwrap()
    });
    counts.sum()
}

#[test]
fn tshark_finds_nothing_wrong_in_live_traffic() {
    let test = "tshark_finds_nothing_wrong_in_live_traffic";
    // SAFETY: no pointers, cannot fail.
    let root = unsafe { libc::geteuid() } == 0;
    let there = |program: &str| Command::new(program).arg("--version").output().is_ok();
    if !root || !["dumpcap", "tshark", "ip", "ethtool"].into_iter().all(there) {
        assert!(std::env::var_os("GRIDTAP_NO_SKIP").is_none(), "{test} may not be skipped here");
        println!("SKIPPED {test}: needs root, dumpcap, tshark, ip and ethtool");
        return;
    }
    let name = format!("gts{}", std::process::id() % 100_000);
    let scenarios = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let file = std::env::temp_dir().join(format!("gridtap-live-{}.pcapng", std::process::id()));
    let mut command = Command::new(env!("CARGO_BIN_EXE_gridtap-sim"));
    command
        .arg("run")
        .arg(scenarios.join("demo.toml"))
        .arg("--attacks")
        .arg(scenarios.join("demo.attacks.toml"));
    command.args(["--netns", &name, "--for", "35s"]);
    let site = Process::start(&mut command, "a sensor may listen");
    let mut dumpcap = Command::new("dumpcap");
    dumpcap.args(["-q", "-i", &name, "-a", "duration:25", "-w"]).arg(&file);
    let output = dumpcap.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let repeated = repeated_by_the_kernel(&name);
    site.last(Duration::from_mins(1));
    let tshark = |filter: &str| {
        let mut command = Command::new("tshark");
        command.args(["-n", "-r"]).arg(&file).args(["-o", "ip.check_checksum:TRUE"]);
        command.args(["-o", "tcp.check_checksum:TRUE", "-Y", filter, "-T", "fields", "-E", "header=y"]);
        let columns = ["frame.number", "frame.time_relative", "_ws.col.Info", "_ws.expert.message"];
        said(command.args(columns.iter().flat_map(|column| ["-e", column])))
            .lines()
            .skip(1)
            .collect::<Vec<_>>()
            .join("\n")
    };
    // What the kernel sends again, having seen no acknowledgement in time, is its own doing on a machine that stood
    // still; it counts how often it did. Nothing else may be flagged, and no more than that.
    let again =
        "(tcp.analysis.retransmission or tcp.analysis.spurious_retransmission or tcp.analysis.duplicate_ack)";
    let wrong = format!(
        "_ws.malformed or (_ws.expert.severity >= 6291456 and not {again}) or \
         (tcp.analysis.flags and not {again}) or tcp.checksum.status == 0 or ip.checksum.status == 0"
    );
    assert_eq!(tshark(&wrong), "");
    let again = tshark(again);
    assert!(
        again.lines().count() <= 2 * repeated,
        "the kernel sent {repeated} segments again, seen were:\n{again}"
    );
    let spoken = tshark("modbus or dnp3").lines().count();
    assert!(spoken > 150, "{spoken} frames of Modbus and DNP3");
    let left = Command::new("ip").args(["netns", "list"]).output().unwrap();
    assert!(!String::from_utf8_lossy(&left.stdout).contains(&name), "nothing is left behind");
    std::fs::remove_file(file).unwrap();
}
