//! A Prometheus beside the demo, with the rules of this repository where they are.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Where it answers; another port if this one is taken.
const ADDRESS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9090);
/// Rules, from the folder the demo is started in.
const RULES: &str = "grafana/prometheus/rules";
/// It is given so long to end.
const GRACE: Duration = Duration::from_secs(5);

/// A running Prometheus; ends and leaves nothing behind when dropped.
pub(super) struct Prometheus {
    child: Child,
    folder: PathBuf,
    address: SocketAddr,
    rules: usize,
}

impl Prometheus {
    /// Start `prometheus`; it scrapes `sensor`.
    pub(super) fn start(sensor: SocketAddr) -> io::Result<Prometheus> {
        let folder = std::env::temp_dir().join(format!("gridtap-demo-{}", std::process::id()));
        // Nobody else's: a folder that is there already could hold links to other people's files.
        fs::DirBuilder::new().mode(0o700).create(&folder)?;
        let rules: Vec<PathBuf> = fs::read_dir(RULES)
            .map(|entries| entries.filter_map(|e| e.ok()?.path().canonicalize().ok()).collect())
            .unwrap_or_default();
        let rules: Vec<PathBuf> =
            rules.into_iter().filter(|path| path.extension().is_some_and(|e| e == "yml")).collect();
        fs::write(folder.join("prometheus.yml"), configuration(sensor, &rules))?;
        let log = fs::File::create(folder.join("log"))?;
        let free = TcpListener::bind(ADDRESS).or_else(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
        let address = free.local_addr()?;
        drop(free);
        let child = Command::new("prometheus")
            .arg(format!("--config.file={}", folder.join("prometheus.yml").display()))
            .arg(format!("--storage.tsdb.path={}", folder.join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .map_err(|error| {
                _ = fs::remove_dir_all(&folder);
                io::Error::new(error.kind(), format!("prometheus cannot be started: {error}"))
            })?;
        let mut prometheus = Prometheus { child, folder, address, rules: rules.len() };
        // A taken port or a bad rule ends it at once.
        std::thread::sleep(Duration::from_millis(700));
        if let Ok(Some(status)) = prometheus.child.try_wait() {
            let log = fs::read_to_string(prometheus.folder.join("log")).unwrap_or_default();
            let last = log.lines().rev().find(|line| line.contains("err=")).unwrap_or_default();
            return Err(io::Error::other(format!("prometheus ended at once ({status}): {last}")));
        }
        Ok(prometheus)
    }

    /// Where it is, and what it knows of rules.
    pub(super) fn said(&self) -> String {
        let rules = match self.rules {
            0 => format!("without rules: there is no {RULES} below this folder"),
            1 => "with 1 file of rules".to_owned(),
            count => format!("with {count} files of rules"),
        };
        format!("Prometheus: http://{}/alerts, {rules}", self.address)
    }
}

fn configuration(sensor: SocketAddr, rules: &[PathBuf]) -> String {
    let quoted = |path: &Path| format!("  - '{}'\n", path.display().to_string().replace('\'', "''"));
    let rules: String = rules.iter().map(|path| quoted(path)).collect();
    let rules = if rules.is_empty() { String::new() } else { format!("rule_files:\n{rules}") };
    format!(
        "global:\n  scrape_interval: 5s\n  evaluation_interval: 5s\n{rules}scrape_configs:\n  \
         - job_name: gridtap\n    static_configs:\n      - targets: ['{sensor}']\n"
    )
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let pid = libc::pid_t::try_from(self.child.id()).unwrap_or(0);
        if pid > 0 {
            // SAFETY: no pointers; the process is our child and has not been waited for.
            _ = unsafe { libc::kill(pid, libc::SIGTERM) };
        }
        let begun = Instant::now();
        while begun.elapsed() < GRACE {
            if !matches!(self.child.try_wait(), Ok(None)) {
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        _ = self.child.kill();
        _ = self.child.wait();
        _ = fs::remove_dir_all(&self.folder);
    }
}
