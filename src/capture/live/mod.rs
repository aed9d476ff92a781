//! Live capture from network interfaces: AF_PACKET with a ring shared with the kernel (TPACKET_V3),
//! without libpcap.
//!
//! ```text
//! socket     a packet socket for one interface, its options, its errors put in words
//! ring       the kernel's blocks of frames, read in place
//! vlan       the tag that the kernel took off is put back
//! filter     a program for the kernel that lets only some ports through (an option)
//! source     several rings served by one thread, in the order of time
//! seccomp    the thread gives up every way of sending
//! ```

mod filter;
mod ring;
mod seccomp;
mod socket;
mod source;
#[cfg(test)]
mod tests;
mod vlan;

pub use filter::MAX_FILTER_PORTS;
pub use seccomp::forbid_sending;
pub use source::{LiveSource, TapCounters};

/// Most interfaces watched by one source.
pub const MAX_INTERFACES: usize = 64;

/// What to watch and how.
#[derive(Debug, Clone)]
pub struct LiveOptions {
    /// Names of the interfaces; their order gives [`parsers::FrameRef::tap`].
    pub interfaces: Vec<String>,
    /// Memory shared with the kernel per interface, in octets; rounded to whole blocks, at least 1 MiB.
    pub ring_bytes: usize,
    /// Octets kept of each frame. Less than a whole frame blinds the decoders to its rest.
    pub snaplen: u32,
    /// If not empty, the kernel drops TCP and UDP that neither comes from nor goes to one of these ports
    /// (fragments, tunnels and everything else pass; VXLAN on ports of one's own must be listed). This is deliberate blindness: a protocol on a port
    /// that is not listed is never seen. See [`LiveSource::filtering`].
    pub ports: Vec<u16>,
    /// Ask the interface for frames addressed to others too.
    pub promiscuous: bool,
}

impl Default for LiveOptions {
    fn default() -> LiveOptions {
        LiveOptions {
            interfaces: Vec::new(),
            ring_bytes: 32 * 1024 * 1024,
            snaplen: super::file::MAX_FRAME,
            ports: Vec::new(),
            promiscuous: true,
        }
    }
}

/// What the kernel holds back from the sensor at a tap.
#[derive(Debug, Clone, Eq, PartialEq)]
pub enum Filtering {
    /// Nothing.
    None,
    /// TCP and UDP on other ports than these, and than those of the tunnels that are looked into.
    Ports(Vec<u16>),
    /// Nothing, though a filter was asked for: so many ports are more than [`MAX_FILTER_PORTS`].
    TooManyPorts(usize),
    /// Nothing, though a filter was asked for: the interface has no Ethernet header.
    NotEthernet,
}
