//! Figures that other parts of the pipeline keep for themselves and hand over now and then.
//!
//! All are totals since the start unless said otherwise. The pipeline fills them in about once a second,
//! before it publishes, and once at the end; nothing here is touched per packet.

use parsers::Timestamp;

/// Figures of one tap or file.
#[derive(Debug, Clone, Default, Eq, PartialEq)]
pub struct TapVitals {
    /// Interface or file name.
    pub name: String,
    /// Packets read.
    pub packets: u64,
    /// Octets of those packets, as long as they were on the wire.
    pub bytes: u64,
    /// Packets that the snap length cut.
    pub truncated: u64,
    /// Packets the kernel dropped because the ring was full.
    pub dropped_kernel: u64,
    /// Packets the interface dropped.
    pub dropped_interface: u64,
    /// Packets dropped between capture and decoding.
    pub dropped_queue: u64,
    /// Damaged places, or failures of the tap.
    pub damaged: u64,
    /// It is down or gone.
    pub lost: bool,
    /// Stamp of the last packet.
    pub last_packet: Option<Timestamp>,
}

/// Figures of everything below the protocols. Lists of pairs go by name; names are `snake_case`, from a
/// closed set, and unique within their list.
#[derive(Debug, Clone, Default, Eq, PartialEq)]
pub struct Vitals {
    /// The taps.
    pub taps: Vec<TapVitals>,
    /// Headers taken off, by layer.
    pub decap_layers: Vec<(&'static str, u64)>,
    /// Packets not taken apart down to a payload, by reason.
    pub undecoded: Vec<(&'static str, u64)>,
    /// Ethernet frames without IP that were read: GOOSE, which is decoded, ARP, which the inventory reads, and others.
    pub without_ip: u64,
    /// Packets seen twice.
    pub duplicates: u64,
    /// Flows in the table now, by protocol (`other` for those without one).
    pub flows: Vec<(&'static str, u64)>,
    /// Most flows the table holds.
    pub flow_capacity: u64,
    /// Flows removed, by reason: `idle`, `closed`, `capacity`.
    pub flow_evictions: Vec<(&'static str, u64)>,
    /// Flows of which only one direction was seen: those that ended so and those that are so now.
    pub one_way_flows: u64,
    /// Flows in the table now of which only one direction was seen so far.
    pub one_way_open: u64,
    /// Flows whose beginning was not seen.
    pub midstream_flows: u64,
    /// Holes in streams, by protocol (`other` for flows without one).
    pub gaps: Vec<(&'static str, u64)>,
    /// Octets in those holes, as far as known.
    pub gap_bytes: u64,
    /// Octets held for reassembly now.
    pub buffered_bytes: u64,
    /// Times that reassembly gave something up, by reason.
    pub reassembly_dropped: Vec<(&'static str, u64)>,
    /// Flows judged to be none of the known protocols.
    pub unknown_flows: u64,
    /// What detection could not remember because a table was full, by kind.
    pub tables_full: Vec<(&'static str, u64)>,
    /// Hosts that have sent something, by state: `profiled`, `unprofiled`.
    pub assets: Vec<(&'static str, u64)>,
    /// Whether the profile's files as they are now are in force. `None` where there is no profile to change.
    pub profile_sound: Option<bool>,
    /// Changes of the profile while running, by result: `changed`, `refused`. Empty where there is none to change.
    pub profile_reloads: Vec<(&'static str, u64)>,
}

impl Vitals {
    /// Packets read from all taps.
    pub fn packets(&self) -> u64 {
        self.taps.iter().map(|tap| tap.packets).sum()
    }

    /// Packets lost at all taps.
    pub fn dropped(&self) -> u64 {
        self.taps.iter().map(|tap| tap.dropped_kernel + tap.dropped_interface + tap.dropped_queue).sum()
    }
}
