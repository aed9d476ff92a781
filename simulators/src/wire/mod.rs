//! The wire: builds frames octet by octet, writes capture files, and acts out TCP conversations.
//!
//! ```text
//! script of payloads -> TcpTalk -> segments -> Stack of layers -> frames -> pcap or pcapng
//! ```
//!
//! Nothing here shares code with the decoders: lengths, checksums and protocol numbers are worked out
//! again from the RFCs, so that a mistake cannot hide by being made on both sides.

mod file;
mod fragment;
mod layer;
mod link;
mod prng;
mod script;
mod talk;
mod transport;

pub use file::{ByteOrder, Interface, Resolution, pcap, pcapng};
pub use fragment::fragments;
pub use layer::{Extension, Gre, Ipv4, Ipv6, Layer, Tcp, UdpChecksum, build};
pub use link::{LINKTYPE_ETHERNET, LINKTYPE_LOOP, LINKTYPE_NULL, LINKTYPE_RAW, LINKTYPE_SLL, LINKTYPE_SLL2};
pub use prng::Prng;
pub use script::{Disturbance, Line, Overlap, Segmentation, Side};
pub use talk::{IpStyle, Segment, TcpTalk, datagrams, ethernet};
pub use transport::internet_checksum;

/// A frame and the moment at which a tap would have seen it.
#[derive(Debug, Clone, Eq, PartialEq)]
pub struct TimedFrame {
    /// Nanoseconds since 1970-01-01T00:00:00Z.
    pub at_ns: u64,
    /// The octets, link header included.
    pub bytes: Vec<u8>,
}

/// When generated captures begin: 2023-11-14T22:13:20Z.
pub const START_NS: u64 = 1_700_000_000_000_000_000;
