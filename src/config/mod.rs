//! The sensor's configuration file, `gridtap.toml`.
//!
//! Every key has a default but the interfaces. Unknown keys are errors: a misspelt limit must not pass
//! for a set one. Relative paths are taken from the folder of the file. Reading and checking: `read.rs`.

mod read;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::Read;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use parsers::{Limits, Protocol};
use profiles::Diagnostics;

use crate::pipeline::PipelineOptions;

/// The whole file.
#[derive(Debug, Clone)]
pub struct Config {
    /// Who this sensor is.
    pub sensor: Sensor,
    /// What it listens to.
    pub capture: Capture,
    /// Ports of the protocols.
    pub protocols: Protocols,
    /// What is allowed.
    pub profile: Option<ProfilePath>,
    /// The event log.
    pub events: Events,
    /// Metrics and health.
    pub serve: Serve,
    /// Limits of tables and buffers.
    pub limits: ConfigLimits,
}

/// Who this sensor is.
#[derive(Debug, Clone)]
pub struct Sensor {
    /// Name in every event.
    pub name: String,
    /// Threads that work on the traffic; with 1 the capture thread does it.
    pub workers: usize,
}

impl Default for Sensor {
    fn default() -> Self {
        Sensor { name: "gridtap".to_owned(), workers: 1 }
    }
}

/// What the sensor listens to.
#[derive(Debug, Clone)]
pub struct Capture {
    /// Interfaces that receive the mirrored traffic.
    pub interfaces: Vec<String>,
    /// Size of the ring shared with the kernel, per interface, in MiB.
    pub ring_mib: usize,
    /// Take frames addressed to others. On for a mirror port.
    pub promiscuous: bool,
    /// Let the kernel pass only the protocols' ports (and encapsulations that may hold them). Cheaper, but
    /// a protocol on another port is then not seen; a `sensor` event says so at the start.
    pub prefilter: bool,
    /// Longest part of a frame that is captured, in octets.
    pub snap_length: u32,
    /// Verify IP, TCP and UDP checksums and leave out what fails (off: offloading makes good frames look bad).
    pub verify_checksums: bool,
    /// Keep the same addresses in different VLANs apart. Off: mirror ports tag the two directions differently.
    pub vlan_in_flow_key: bool,
    /// Judge a frame that the tap shows twice (double mirror, PRP) only once.
    pub deduplicate: bool,
}

impl Default for Capture {
    fn default() -> Self {
        Capture {
            interfaces: Vec::new(),
            ring_mib: 32,
            promiscuous: true,
            prefilter: false,
            snap_length: 65_535,
            verify_checksums: false,
            vlan_in_flow_key: false,
            deduplicate: true,
        }
    }
}

/// Ports of the protocols.
#[derive(Debug, Clone, Default)]
pub struct Protocols {
    /// By protocol; those of the registry unless set.
    pub ports: Vec<(Protocol, Ports)>,
}

/// Ports of one protocol; `None` is the standard's port, an empty list is none at all.
#[derive(Debug, Clone, Default)]
pub struct Ports {
    /// TCP ports.
    pub tcp_ports: Option<Vec<u16>>,
    /// UDP ports.
    pub udp_ports: Option<Vec<u16>>,
}

/// Where the profile is.
#[derive(Debug, Clone)]
pub struct ProfilePath {
    /// The file.
    pub path: PathBuf,
}

/// Which operations go into the event log.
#[derive(Debug, Copy, Clone, Default, PartialEq, Eq, clap::ValueEnum)]
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
#[derive(Debug, Clone)]
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
#[derive(Debug, Clone)]
pub struct Serve {
    /// Address and port of `/metrics`, `/healthz` and `/readyz`.
    pub listen: SocketAddr,
    /// Label sets that each family of metrics with stations exposes; `None`: as in the catalogue.
    pub series_per_family: Option<usize>,
}

impl Default for Serve {
    fn default() -> Self {
        Serve { listen: SocketAddr::from(([127, 0, 0, 1], 9817)), series_per_family: None }
    }
}

/// Limits of tables and buffers.
#[derive(Debug, Clone)]
pub struct ConfigLimits {
    /// Flows followed at the same time.
    pub flows: usize,
    /// Out-of-order and unfinished octets held, all flows together, in MiB.
    pub buffer_mib: usize,
    /// Requests remembered per flow while they wait for an answer.
    pub pending_requests: usize,
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
            fragment_octets: sessions.fragment_bytes,
        }
    }
}

/// Largest configuration that is read, in bytes: a wrong path must not fill the memory.
const MAX_FILE_BYTES: u64 = 1 << 20;

impl Config {
    /// Read and check a file.
    ///
    /// # Errors
    /// The file cannot be read, is no TOML, has unknown keys or values out of range. All errors at once,
    /// each with line and column and what to write instead.
    pub fn load(path: &Path) -> Result<Config, Diagnostics> {
        let name = path.display().to_string();
        let fail = |message: String, help: &str| Diagnostics::of_file(&name, message, help);
        let mut bytes = Vec::new();
        File::open(path).and_then(|file| file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)).map_err(
            |e| fail(format!("the configuration cannot be read: {e}"), "check the path and who may read it"),
        )?;
        if bytes.len() as u64 > MAX_FILE_BYTES {
            return Err(fail("the configuration is larger than 1 MiB".into(), "is this the right file?"));
        }
        let text = profiles::utf8(bytes, "configuration").map_err(|(message, help)| fail(message, help))?;
        let mut config = read::read(&text, &name)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        if config.events.path != Path::new("-") {
            config.events.path = folder.join(&config.events.path);
        }
        if let Some(profile) = &mut config.profile {
            profile.path = folder.join(&profile.path);
        }
        Ok(config)
    }

    /// The pipeline's options.
    pub fn pipeline(&self) -> PipelineOptions {
        let mut options = PipelineOptions { deduplicate: self.capture.deduplicate, ..Default::default() };
        for (protocol, ports) in &self.protocols.ports {
            let Some(standard) = parsers::dissector(*protocol) else { continue };
            options.ports.set(
                *protocol,
                ports.tcp_ports.as_deref().unwrap_or(standard.tcp_ports),
                ports.udp_ports.as_deref().unwrap_or(standard.udp_ports),
            );
        }
        options.sessions.pending_requests = self.limits.pending_requests;
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
