//! A Prometheus beside the demo, with the rules of this repository, which the program carries in itself.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Where it answers; another port if this one is taken.
const ADDRESS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9090);
/// Files of rules.
const RULES: [(&str, &str); 4] = [
    ("operations.yml", include_str!("../../../grafana/prometheus/rules/operations.yml")),
    ("recording.yml", include_str!("../../../grafana/prometheus/rules/recording.yml")),
    ("security.yml", include_str!("../../../grafana/prometheus/rules/security.yml")),
    ("sensor.yml", include_str!("../../../grafana/prometheus/rules/sensor.yml")),
];
/// It is given so long to end.
const GRACE: Duration = Duration::from_secs(5);

/// A running Prometheus; ends and leaves nothing behind when dropped.
pub(super) struct Prometheus {
    child: Child,
    folder: PathBuf,
    address: SocketAddr,
}

impl Prometheus {
    /// Start `prometheus`; it scrapes `sensor`.
    pub(super) fn start(sensor: SocketAddr) -> io::Result<Prometheus> {
        let folder = std::env::temp_dir().join(format!("gridtap-demo-{}", std::process::id()));
        // Nobody else's: a folder that is there already could hold links to other people's files.
        fs::DirBuilder::new().mode(0o700).create(&folder)?;
        for (name, text) in RULES {
            fs::write(folder.join(name), text)?;
        }
        fs::write(folder.join("prometheus.yml"), configuration(sensor))?;
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
        let mut prometheus = Prometheus { child, folder, address };
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
        format!("Prometheus: http://{}/alerts, with {} files of rules", self.address, RULES.len())
    }
}

/// Names of rules without a path are those beside it.
fn configuration(sensor: SocketAddr) -> String {
    let rules = RULES.map(|(name, _)| format!("  - {name}\n")).concat();
    format!(
        "global:\n  scrape_interval: 5s\n  evaluation_interval: 5s\nrule_files:\n{rules}scrape_configs:\n  \
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_file_of_rules_is_carried() {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("grafana/prometheus/rules");
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        let mut there: Vec<String> = entries.map(|name| name.into_string().unwrap()).collect();
        there.retain(|name| PathBuf::from(name).extension().is_some_and(|end| end == "yml"));
        there.sort();
        assert_eq!(there, RULES.map(|(name, _)| name));
        let text = configuration(ADDRESS);
        assert!(RULES.iter().all(|(name, _)| text.contains(&format!("\n  - {name}\n"))), "{text}");
    }
}
