//! The sensor's configuration file, `gridtap.toml`.
//!
//! Every key has a default but the interfaces. Unknown keys are errors: a misspelt limit must not pass
//! for a set one. Relative paths are taken from the folder of the file.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use parsers::{Limits, Protocol};
use serde::Deserialize;

use crate::capture::live::MAX_INTERFACES;
use crate::pipeline::PipelineOptions;

/// The whole file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Who this sensor is.
    #[serde(default)]
    pub sensor: Sensor,
    /// What it listens to.
    pub capture: Capture,
    /// Ports of the protocols.
    #[serde(default)]
    pub protocols: Protocols,
    /// What is allowed.
    #[serde(default)]
    pub profile: Option<ProfilePath>,
    /// The event log.
    #[serde(default)]
    pub events: Events,
    /// Metrics and health.
    #[serde(default)]
    pub serve: Serve,
    /// Limits of tables and buffers.
    #[serde(default)]
    pub limits: ConfigLimits,
}

/// Who this sensor is.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sensor {
    /// Name in every event.
    pub name: String,
}

impl Default for Sensor {
    fn default() -> Self {
        Sensor { name: "gridtap".to_owned() }
    }
}

/// What the sensor listens to.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Capture {
    /// Interfaces that receive the mirrored traffic.
    pub interfaces: Vec<String>,
    /// Size of the ring shared with the kernel, per interface, in MiB.
    #[serde(default = "ring_mib")]
    pub ring_mib: usize,
    /// Take frames addressed to others. On for a mirror port.
    #[serde(default = "yes")]
    pub promiscuous: bool,
    /// Let the kernel pass only the protocols' ports (and encapsulations that may hold them). Cheaper, but
    /// a protocol on another port is then not seen; a `sensor` event says so at the start.
    #[serde(default)]
    pub prefilter: bool,
    /// Longest part of a frame that is captured, in octets.
    #[serde(default = "snap_length")]
    pub snap_length: u32,
    /// Verify IP, TCP and UDP checksums and leave out what fails (off: offloading makes good frames look bad).
    #[serde(default)]
    pub verify_checksums: bool,
    /// Keep the same addresses in different VLANs apart. Off: mirror ports tag the two directions differently.
    #[serde(default)]
    pub vlan_in_flow_key: bool,
    /// Judge a frame that the tap shows twice (double mirror, PRP) only once.
    #[serde(default = "yes")]
    pub deduplicate: bool,
}

fn yes() -> bool {
    true
}
fn ring_mib() -> usize {
    32
}
fn snap_length() -> u32 {
    65_535
}

/// Ports of the protocols.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Protocols {
    /// Modbus; 502 unless set.
    pub modbus: Option<Ports>,
    /// DNP3; 20000 unless set.
    pub dnp3: Option<Ports>,
}

/// Ports of one protocol.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Ports {
    /// TCP ports.
    pub tcp_ports: Vec<u16>,
    /// UDP ports.
    pub udp_ports: Vec<u16>,
}

/// Where the profile is.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProfilePath {
    /// The file.
    pub path: PathBuf,
}

/// Which operations go into the event log.
#[derive(Debug, Copy, Clone, Default, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Operations {
    /// Every operation.
    All,
    /// Everything but plain reads and their answers.
    #[default]
    Control,
    /// None.
    None,
}

/// The event log.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Events {
    /// File, or `-` for standard output.
    pub path: PathBuf,
    /// Which operations are logged.
    pub operations: Operations,
    /// Begin a new file at this size, in MiB.
    pub rotate_mib: u64,
    /// Begin a new file at this age, in hours.
    pub rotate_hours: u64,
    /// How many old files are kept.
    pub keep: usize,
    /// Room for events that wait to be written, in MiB.
    pub queue_mib: usize,
}

impl Default for Events {
    fn default() -> Self {
        Events {
            path: PathBuf::from("events.jsonl"),
            operations: Operations::Control,
            rotate_mib: 100,
            rotate_hours: 24,
            keep: 30,
            queue_mib: 16,
        }
    }
}

/// Metrics and health.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Serve {
    /// Address and port of `/metrics`, `/healthz` and `/readyz`.
    pub listen: SocketAddr,
}

impl Default for Serve {
    fn default() -> Self {
        Serve { listen: SocketAddr::from(([127, 0, 0, 1], 9817)) }
    }
}

/// Limits of tables and buffers.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConfigLimits {
    /// Flows followed at the same time.
    pub flows: usize,
    /// Out-of-order and unfinished octets held, all flows together, in MiB.
    pub buffer_mib: usize,
    /// Requests remembered per flow while they wait for an answer.
    pub pending_requests: usize,
    /// How long a request may stay unanswered, in milliseconds.
    pub answer_timeout_ms: u64,
    /// Longest application fragment put together (DNP3), in octets.
    pub fragment_octets: usize,
}

impl Default for ConfigLimits {
    fn default() -> Self {
        let sessions = Limits::default();
        ConfigLimits {
            flows: 100_000,
            buffer_mib: 64,
            pending_requests: sessions.pending_requests,
            answer_timeout_ms: sessions.answer_timeout_ns / 1_000_000,
            fragment_octets: sessions.fragment_bytes,
        }
    }
}

/// Why a configuration cannot be used.
#[derive(Debug)]
pub struct ConfigError {
    file: PathBuf,
    text: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.file.display(), self.text.trim_end())
    }
}

impl std::error::Error for ConfigError {}

impl Config {
    /// Read and check a file.
    ///
    /// # Errors
    /// The file cannot be read, is no TOML, has unknown keys or values out of range; the text names line
    /// and column and says what to write.
    pub fn load(path: &Path) -> Result<Config, ConfigError> {
        let fail = |text: String| ConfigError { file: path.to_owned(), text };
        let text = std::fs::read_to_string(path).map_err(|e| fail(format!("cannot be read: {e}")))?;
        let mut config: Config = toml::from_str(&text).map_err(|e| fail(e.to_string()))?;
        config.check().map_err(fail)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        if config.events.path != Path::new("-") {
            config.events.path = folder.join(&config.events.path);
        }
        if let Some(profile) = &mut config.profile {
            profile.path = folder.join(&profile.path);
        }
        Ok(config)
    }

    fn check(&self) -> Result<(), String> {
        let positive = [
            (self.capture.ring_mib as u64, "capture.ring_mib", 1, 4096),
            (u64::from(self.capture.snap_length), "capture.snap_length", 64, 262_144),
            (self.limits.flows as u64, "limits.flows", 16, 10_000_000),
            (self.limits.buffer_mib as u64, "limits.buffer_mib", 1, 65_536),
            (self.limits.pending_requests as u64, "limits.pending_requests", 1, 4096),
            (self.limits.answer_timeout_ms, "limits.answer_timeout_ms", 10, 3_600_000),
            (self.limits.fragment_octets as u64, "limits.fragment_octets", 292, 1_048_576),
            (self.events.rotate_mib, "events.rotate_mib", 1, 1_048_576),
            (self.events.rotate_hours, "events.rotate_hours", 1, 8760),
            (self.events.queue_mib as u64, "events.queue_mib", 1, 4096),
        ];
        for (value, key, least, most) in positive {
            if value < least || value > most {
                return Err(format!("{key} = {value}: write a number from {least} to {most}"));
            }
        }
        if self.capture.interfaces.is_empty() {
            return Err(
                "capture.interfaces is empty: name the interface that gets the mirrored traffic".into()
            );
        }
        let names = &self.capture.interfaces;
        if names.len() > MAX_INTERFACES {
            return Err(format!(
                "capture.interfaces has {} names, more than the limit of {MAX_INTERFACES}; run a second sensor for the rest",
                names.len()
            ));
        }
        if let Some((_, twice)) = names.iter().enumerate().find(|(at, name)| names[..*at].contains(name)) {
            return Err(format!("capture.interfaces names {twice} twice; name it once"));
        }
        for (name, ports) in [("modbus", &self.protocols.modbus), ("dnp3", &self.protocols.dnp3)] {
            if let Some(ports) = ports
                && (ports.tcp_ports.contains(&0) || ports.udp_ports.contains(&0))
            {
                return Err(format!("protocols.{name}: port 0 does not exist; write 1 to 65535"));
            }
        }
        Ok(())
    }

    /// The pipeline's options.
    pub fn pipeline(&self) -> PipelineOptions {
        let mut options = PipelineOptions { deduplicate: self.capture.deduplicate, ..Default::default() };
        for (protocol, ports) in
            [(Protocol::Modbus, &self.protocols.modbus), (Protocol::Dnp3, &self.protocols.dnp3)]
        {
            if let Some(ports) = ports {
                options.ports.set(protocol, &ports.tcp_ports, &ports.udp_ports);
            }
        }
        options.sessions.pending_requests = self.limits.pending_requests;
        options.sessions.answer_timeout_ns = self.limits.answer_timeout_ms * 1_000_000;
        options.sessions.fragment_bytes = self.limits.fragment_octets;
        options.flows.flows = self.limits.flows;
        options.flows.total_bytes = self.limits.buffer_mib * 1024 * 1024;
        options.flows.vlan_in_key = self.capture.vlan_in_flow_key;
        if self.capture.verify_checksums {
            options.decap.checksums = crate::decap::Checksums::Discard;
        }
        options
    }
}
