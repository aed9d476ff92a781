//! What a session learns about the flow its bytes belong to.

use core::fmt;
use core::hash::{Hash, Hasher};
use core::net::IpAddr;
use core::ops::Range;

use super::{FrameRef, Origin, Piece, origin_of};

/// How the bytes travel.
#[derive(Debug, Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash)]
pub enum Transport {
    /// A reassembled TCP stream.
    Tcp,
    /// UDP: every chunk is one whole datagram.
    Udp,
    /// Ethernet payload without IP (GOOSE, SV): every chunk is one whole frame payload.
    Ethernet,
    /// A serial line.
    Serial,
}

impl Transport {
    /// Lower-case name, as in events.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Transport::Tcp => "tcp",
            Transport::Udp => "udp",
            Transport::Ethernet => "ethernet",
            Transport::Serial => "serial",
        }
    }

    /// Whether every chunk is whole in itself, so that bytes missing at its end will never come.
    #[must_use]
    pub fn is_datagram(self) -> bool {
        matches!(self, Transport::Udp | Transport::Ethernet)
    }
}

/// An Ethernet address.
#[derive(Debug, Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash, Default)]
pub struct MacAddr(pub [u8; 6]);

impl fmt::Display for MacAddr {
    #[allow(clippy::many_single_char_names)]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

/// Who speaks: an IP address, or a MAC address where there is no IP.
#[derive(Debug, Copy, Clone, Eq, PartialEq, Ord, PartialOrd)]
pub enum Host {
    /// IPv4 or IPv6 address.
    Ip(IpAddr),
    /// Ethernet address.
    Mac(MacAddr),
    /// A side of a serial line, numbered by the tap.
    Serial(u16),
}

/// As one number: what is derived would hash kind, length and octets one after the other, and tables are searched
/// by hosts for every operation.
impl Hash for Host {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        const KIND: u32 = 56;
        match self {
            Host::Ip(IpAddr::V4(ip)) => state.write_u64(1 << KIND | u64::from(ip.to_bits())),
            Host::Ip(IpAddr::V6(ip)) => state.write_u128(ip.to_bits()),
            Host::Mac(MacAddr(octets)) => {
                let bits = octets.iter().fold(0, |bits, octet| bits << 8 | u64::from(*octet));
                state.write_u64(2 << KIND | bits);
            }
            Host::Serial(line) => state.write_u64(3 << KIND | u64::from(*line)),
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Host::Ip(ip) => ip.fmt(f),
            Host::Mac(mac) => mac.fmt(f),
            Host::Serial(line) => write!(f, "serial{line}"),
        }
    }
}

/// A host and its port (0 where the transport has none).
#[derive(Debug, Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash)]
pub struct Endpoint {
    /// The host.
    pub host: Host,
    /// TCP or UDP port; 0 where there is none.
    pub port: u16,
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.host, self.port) {
            (Host::Ip(IpAddr::V6(ip)), port) if port != 0 => write!(f, "[{ip}]:{port}"),
            (host, 0) => host.fmt(f),
            (host, port) => write!(f, "{host}:{port}"),
        }
    }
}

/// Which way bytes travel on a flow. `client` is who opened it (see [`FlowInfo`]).
#[derive(Debug, Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash)]
pub enum Direction {
    /// From the client to the server.
    ToServer,
    /// From the server to the client.
    ToClient,
}

impl Direction {
    /// The other way.
    #[must_use]
    pub fn reverse(self) -> Direction {
        match self {
            Direction::ToServer => Direction::ToClient,
            Direction::ToClient => Direction::ToServer,
        }
    }

    /// 0 for to-server, 1 for to-client: an index for per-direction state.
    #[must_use]
    pub fn index(self) -> usize {
        match self {
            Direction::ToServer => 0,
            Direction::ToClient => 1,
        }
    }
}

/// Up to four VLAN ids, outermost first. Deeper stacks keep the first four and count the rest.
#[derive(Debug, Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash, Default)]
pub struct VlanStack {
    ids: [u16; 4],
    depth: u8,
}

impl VlanStack {
    /// Add the next inner VLAN id (12 bits).
    pub fn push(&mut self, id: u16) {
        if let Some(slot) = self.ids.get_mut(self.depth as usize) {
            *slot = id;
        }
        self.depth = self.depth.saturating_add(1);
    }

    /// The ids kept, outermost first.
    #[must_use]
    pub fn ids(&self) -> &[u16] {
        &self.ids[..(self.depth as usize).min(self.ids.len())]
    }

    /// How many tags the frame carried.
    #[must_use]
    pub fn depth(&self) -> u8 {
        self.depth
    }
}

/// What the tap could not see of a flow so far. A finding drawn from something *absent* is withheld
/// while any of this holds.
#[derive(Debug, Copy, Clone, Eq, PartialEq, Default)]
pub struct Coverage {
    /// The flow's beginning was not captured.
    pub midstream: bool,
    /// Bytes were missing at some time.
    pub gaps: u32,
    /// Only one direction has been seen so far.
    pub one_way: bool,
    /// Frames were cut by the snap length.
    pub truncated: bool,
    /// The tap lost frames lately.
    pub drops: bool,
}

impl Coverage {
    /// Whether everything was seen, so that absence means something.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        *self == Coverage::default()
    }
}

/// What is known about a flow. The monitor owns it and keeps it up to date.
#[derive(Debug, Clone)]
pub struct FlowInfo {
    /// A number for the flow, unique within a run and the same in every replay.
    pub id: u64,
    /// Who opened the flow: the sender of the SYN; without one, the side opposite the well-known port;
    /// without that, who spoke first.
    pub client: Endpoint,
    /// The other side.
    pub server: Endpoint,
    /// How the bytes travel.
    pub transport: Transport,
    /// The Ethertype of [`Transport::Ethernet`]; 0 for others.
    pub ethertype: u16,
    /// VLAN ids of the frame that opened the flow.
    pub vlan: VlanStack,
    /// Ethernet address of the client, if the link has one.
    pub client_mac: Option<MacAddr>,
    /// Ethernet address of the server, if the link has one.
    pub server_mac: Option<MacAddr>,
    /// The direction that leads to the side with a port configured for this protocol, if exactly one side
    /// has one: `ToServer` when it is `server`, `ToClient` when it is `client`.
    pub port_side: Option<Direction>,
    /// What has not been seen.
    pub coverage: Coverage,
    /// The frame that last brought octets out of turn: behind others of its direction, or after the other
    /// side had acknowledged them.
    pub late: Option<FrameRef>,
    /// The frame that last brought octets from before the end of a segment which was not believed: a reader that
    /// believes all segments takes them for repetitions.
    pub passed: Option<FrameRef>,
}

impl FlowInfo {
    /// Who sends in this direction.
    #[must_use]
    pub fn sender(&self, direction: Direction) -> Endpoint {
        match direction {
            Direction::ToServer => self.client,
            Direction::ToClient => self.server,
        }
    }

    /// Who receives in this direction.
    #[must_use]
    pub fn receiver(&self, direction: Direction) -> Endpoint {
        self.sender(direction.reverse())
    }
}

/// Consecutive bytes of one direction, with the frames that brought them.
#[derive(Debug, Copy, Clone)]
pub struct Chunk<'a> {
    /// Which way they travel.
    pub direction: Direction,
    /// The bytes: what `feed` left over before, then what is new.
    pub bytes: &'a [u8],
    /// Which frame brought which run; never empty when `bytes` is not.
    pub pieces: &'a [Piece],
}

impl Chunk<'_> {
    /// Frames and time of a span of the bytes.
    #[must_use]
    pub fn origin(&self, span: Range<usize>) -> Origin {
        origin_of(self.pieces, span)
    }
}

/// What `feed` did with a chunk.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub struct Progress {
    /// Bytes done with; the rest comes again in front of the next ones.
    pub consumed: usize,
    /// How many bytes, counted from behind `consumed`, the session wants before it is called again.
    /// 0 means: as soon as there is anything.
    pub needed: usize,
}

impl Progress {
    /// Everything was consumed.
    #[must_use]
    pub fn all(chunk: &Chunk<'_>) -> Progress {
        Progress { consumed: chunk.bytes.len(), needed: 0 }
    }
}

/// Bytes of a direction that the tap never saw.
#[derive(Debug, Copy, Clone)]
pub struct Gap<'a> {
    /// The direction with the hole.
    pub direction: Direction,
    /// How many bytes are missing; `None` if unknown (a sequence jump beyond reason).
    pub missing: Option<u64>,
    /// The unfinished bytes before the hole, which will never be completed.
    pub tail: Chunk<'a>,
    /// Where the hole was noticed.
    pub origin: Origin,
}
