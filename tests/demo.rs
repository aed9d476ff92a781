//! `gridtap demo` as a newcomer meets it: the first event soon, the attacks in the events and in the metrics, a
//! clean end.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// The first event must come within this time of the program's start.
const FIRST: Duration = Duration::from_secs(15);

struct Demo {
    child: Child,
    begun: Instant,
    lines: Receiver<(Instant, String)>,
    seen: Vec<(Duration, String)>,
}

impl Demo {
    fn start(arguments: &[&str]) -> Demo {
        let begun = Instant::now();
        let mut child = Command::new(env!("CARGO_BIN_EXE_gridtap"))
            .arg("demo")
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (tell, lines) = channel();
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                _ = tell.send((Instant::now(), line));
            }
        });
        Demo { child, begun, lines, seen: Vec::new() }
    }

    /// The first line that fits, and when it came after the start.
    fn line(&mut self, limit: Duration, fits: impl Fn(&str) -> bool) -> (Duration, String) {
        if let Some((at, line)) = self.seen.iter().find(|(_, line)| fits(line)) {
            return (*at, line.clone());
        }
        loop {
            let left = limit.saturating_sub(self.begun.elapsed());
            let Ok((at, line)) = self.lines.recv_timeout(left) else {
                let seen: Vec<&str> = self.seen.iter().map(|(_, line)| line.as_str()).collect();
                panic!("nothing fits within {limit:?}:\n{}", seen.join("\n"));
            };
            let after = at - self.begun;
            self.seen.push((after, line.clone()));
            if fits(&line) {
                return (after, line);
            }
        }
    }

    /// Where the metrics are, as the program says.
    fn metrics(&mut self) -> String {
        let (_, line) = self.line(FIRST, |line| line.starts_with("Metrics: "));
        line.split('/').nth(2).unwrap().to_owned()
    }

    /// A signal, and the end: status, standard error.
    fn stop(mut self, signal: libc::c_int) -> (Option<i32>, String) {
        // SAFETY: no pointers; the process is our child and has not been waited for.
        assert_eq!(unsafe { libc::kill(i32::try_from(self.child.id()).unwrap(), signal) }, 0);
        let asked = Instant::now();
        while self.child.try_wait().unwrap().is_none() {
            assert!(asked.elapsed() < Duration::from_secs(5), "does not end");
            std::thread::sleep(Duration::from_millis(20));
        }
        let mut errors = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
        (self.child.wait().unwrap().code(), errors)
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

fn get(address: &str, path: &str) -> String {
    let output = Command::new("curl").args(["-s", &format!("http://{address}{path}")]).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

fn watch(arguments: &[&str], beginning: &str) {
    let mut demo = Demo::start(arguments);
    demo.line(FIRST, |line| line.starts_with(beginning));
    let address = demo.metrics();
    let (event, _) = demo.line(FIRST, |line| line.contains("  station   "));
    assert!(event < FIRST);
    demo.line(FIRST, |line| line.starts_with(">> in ") && line.contains("will ask RTU what it is (T0888)"));
    let (finding, line) = demo.line(Duration::from_secs(25), |line| line.contains("  HIGH "));
    assert!(line.contains("POL-02") && line.contains("read device identification"), "{line}");
    demo.line(Duration::from_mins(1), |line| line.contains("REC-02"));
    // Figures are published about once a second.
    std::thread::sleep(Duration::from_millis(1500));
    let metrics = get(&address, "/metrics");
    let counted = |line: &str| line.starts_with("gridtap_anomalies_total{") && !line.ends_with(" 0");
    let sweep = metrics.lines().any(|line| counted(line) && line.contains("kind=\"point_sweep\""));
    assert!(sweep, "{metrics}");
    let (status, errors) = demo.stop(libc::SIGINT);
    assert_eq!(status, Some(0), "{errors}");
    // The summary and nothing else.
    assert!(errors.starts_with("Seen\n") && errors.contains("REC-02"), "{errors}");
    for word in ["panic", "error", "ERROR", "WARN"] {
        assert!(!errors.contains(word), "{errors}");
    }
    eprintln!("{beginning} first event after {event:?}, first finding after {finding:?}");
}

#[test]
fn a_capture_is_played_in_real_time() {
    watch(&["--played", "--listen", "127.0.0.1:0"], "Not live (as asked)");
}

#[test]
fn live_where_the_loopback_may_be_watched() {
    // SAFETY: no pointers, cannot fail.
    if unsafe { libc::geteuid() } != 0 {
        let test = "live_where_the_loopback_may_be_watched";
        return support::skip(test, "needs root to watch the loopback");
    }
    watch(&["--listen", "127.0.0.1:0"], "Live: ");
}

#[test]
fn it_ends_by_itself_when_asked_to_and_prometheus_ends_with_it() {
    let mut demo = Demo::start(&["--played", "--for", "4", "--prometheus", "--listen", "127.0.0.1:0"]);
    demo.line(FIRST, |line| line.starts_with("Prometheus: http://"));
    let begun = Instant::now();
    while demo.child.try_wait().unwrap().is_none() {
        assert!(begun.elapsed() < Duration::from_secs(15), "does not end");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(demo.child.wait().unwrap().success());
    let left = std::env::temp_dir().join(format!("gridtap-demo-{}", demo.child.id()));
    assert!(!left.exists(), "{} is left behind", left.display());
}

#[test]
fn a_taken_port_is_told_and_another_one_taken() {
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = other.local_addr().unwrap();
    let mut demo = Demo::start(&["--played", "--for", "2 s", "--listen", &taken.to_string()]);
    demo.line(FIRST, |line| line.starts_with(&format!("{taken} is taken")));
    let (_, place) = demo.line(FIRST, |line| line.starts_with("Metrics: http://127.0.0.1:"));
    assert!(!place.contains(&taken.to_string()), "{place}");
    assert!(demo.child.wait().unwrap().success());
}
