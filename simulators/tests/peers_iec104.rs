//! Our IEC 104 station and master against the client and the server of `c104`, each a process of its own.
//! `scripts/setup.sh` installs it into target/peers.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

/// The Python with the peers, or `None` after saying that the test is skipped.
fn python(test: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/peers/bin/python");
    let there = |path: &Path| {
        Command::new(path).args(["-c", "import c104"]).output().is_ok_and(|o| o.status.success())
    };
    if there(&path) {
        return Some(path);
    }
    skip(test, "c104 is not installed, see scripts/setup.sh");
    None
}

fn skip(test: &str, why: &str) {
    assert!(std::env::var_os("GRIDTAP_NO_SKIP").is_none(), "{test} may not be skipped here: {why}");
    println!("SKIPPED {test}: {why}");
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers").join(name)
}

/// A process that is ended, and waited for, with the value.
struct Process(Child);

impl Process {
    /// Started, and a line that begins so has been said.
    fn start(command: &mut Command, ready: &str) -> Process {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
        let said = lines.map_while(Result::ok).any(|line| line.starts_with(ready));
        let process = Process(child);
        assert!(said, "{command:?} ended before it said `{ready}`");
        process
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

/// The site on addresses of its own, as a file, and its station's address.
fn site(number: u32) -> (PathBuf, String) {
    let net = (std::process::id() + number) % 250 + 1;
    let text = std::fs::read_to_string(script("iec104.toml")).unwrap().replace("NET", &net.to_string());
    let file = std::env::temp_dir().join(format!("gridtap-peers-104-{}-{number}.toml", std::process::id()));
    std::fs::write(&file, text).unwrap();
    (file, format!("127.{net}.7.14"))
}

fn simulator(file: &Path, part: &str, seconds: u32) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gridtap-sim"));
    command.arg("run").arg(file).args(["--only", part, "--for", &format!("{seconds}s")]);
    command
}

fn last_line(output: &std::process::Output) -> Value {
    let text = String::from_utf8_lossy(&output.stdout);
    let last = text.lines().last().unwrap_or_default();
    let trouble = String::from_utf8_lossy(&output.stderr);
    serde_json::from_str(last).unwrap_or_else(|e| panic!("{e}: {text}\n{trouble}"))
}

#[test]
fn a_client_of_c104_reads_and_switches_our_controlled_station() {
    let Some(python) = python("a_client_of_c104_reads_and_switches_our_controlled_station") else { return };
    let (file, address) = site(0);
    let station = Process::start(&mut simulator(&file, "stations", 60), "a sensor may listen");
    let client =
        Command::new(python).arg(script("client_c104.py")).args([&address, "2404"]).output().unwrap();
    drop(station);
    std::fs::remove_file(file).unwrap();
    let seen = last_line(&client);
    for done in ["connected", "interrogation", "counters", "clock", "read", "open", "single"] {
        assert_eq!(seen[done], true, "{done}: {seen}");
    }
    for refused in ["unknown", "without_select"] {
        assert_eq!(seen[refused], false, "{refused}: {seen}");
    }
    // The breaker opened for the command, and the current fell to nothing.
    assert_eq!((&seen["breaker"], &seen["current"]), (&"Double.OFF".into(), &0.0.into()), "{seen}");
    let causes = |object: &str| -> Vec<String> {
        let all = seen["seen"][object].as_array().unwrap_or_else(|| panic!("{object}: {seen}"));
        all.iter().map(|one| one[0].as_str().unwrap().to_owned()).collect()
    };
    assert!(causes("1").contains(&"RETURN_INFO_REMOTE".to_owned()), "{seen}");
    for cause in ["PERIODIC", "INTERROGATED_BY_STATION", "REQUEST"] {
        assert!(causes("201").contains(&cause.to_owned()), "{cause}: {seen}");
    }
    assert!(causes("401").contains(&"REQUESTED_BY_GENERAL_COUNTER".to_owned()), "{seen}");
}

#[test]
fn our_master_reads_and_switches_a_server_of_c104() {
    let Some(python) = python("our_master_reads_and_switches_a_server_of_c104") else { return };
    let (file, address) = site(1);
    let mut server = Command::new(python);
    server.arg("-u").arg(script("server_c104.py")).args([&address, "2404", "10"]);
    let mut child = server.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let server = Process(child);
    assert_eq!(lines.next().unwrap().unwrap(), "ready");
    let master = simulator(&file, "masters", 7).output().unwrap();
    assert!(master.status.success());
    let text = lines.map_while(Result::ok).last().unwrap();
    drop(server);
    std::fs::remove_file(file).unwrap();
    let asked: Value = serde_json::from_str(&text).unwrap();
    let asked = asked.as_array().unwrap();
    let count = |what: Value| asked.iter().filter(|one| **one == what).count();
    // Clock synchronisation once; interrogation at the start and every 2 s; counters every 3 s; reads every second.
    assert_eq!(count(serde_json::json!(["type", 103, 6])), 1, "{text}");
    assert!(count(serde_json::json!(["type", 100, 6])) >= 3, "{text}");
    assert!(count(serde_json::json!(["type", 101, 6])) >= 2, "{text}");
    assert!(count(serde_json::json!(["type", 102, 5])) >= 4, "{text}");
    // Select and execute, and the point was told once.
    assert_eq!(count(serde_json::json!(["type", 46, 6])), 2, "{text}");
    assert_eq!(count(serde_json::json!([1001, "ACTIVATION", false, "Double.OFF"])), 1, "{text}");
}
