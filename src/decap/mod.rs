//! From a frame to the innermost packet: VLAN, MPLS, PPP, GRE, ERSPAN, VXLAN and its like, IP fragments.
//!
//! Second step of the way from wire to metric. A file a layer, each an `impl` of the walk inwards:
//!
//! ```text
//! ethernet | cooked | loopback | ppp | raw IP    how the frame begins
//!   VLAN, HSR, R-TAG, SNAP, MPLS, PPPoE, PBB     what stands between
//!     ipv4 | ipv6 (protocol, fragments)
//!       gre -> erspan, ppp | IP in IP, EtherIP
//!       udp -> vxlan, geneve, tzsp, gtp, ppp     back to Ethernet or IP, a limited number of times
//!       tcp | udp                                the end
//! ```
//! The packet borrows from the frame; only a datagram put together from fragments is copied. What
//! cannot be followed is counted by its reason in [`DecapCounters`].

mod anomaly;
mod backbone;
mod checksum;
mod cooked;
mod counters;
mod erspan;
mod ethernet;
mod fast;
mod fragments;
mod geneve;
mod gre;
mod gtp;
mod ipv4;
mod ipv6;
mod loopback;
mod mpls;
mod options;
mod ppp;
mod protocol;
mod tcp;
#[cfg(test)]
mod tests;
mod tzsp;
mod udp;
mod vxlan;
mod walk;

use core::net::IpAddr;

use parsers::{FrameRef, MacAddr, Timestamp, VlanStack};

pub use anomaly::{Anomaly, AnomalyKind};
pub use counters::DecapCounters;
pub(crate) use fast::Bare;
pub use fast::Plain;
pub use options::*;
pub(crate) use udp::FOLLOWED as TUNNEL_PORTS;

use crate::capture::{Frame, LinkType};
use fragments::FragmentTable;
use walk::{Outcome, View, Walk};

/// A packet without its wrappings.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub struct Packet<'a> {
    /// Ethernet source of the innermost Ethernet header.
    pub src_mac: Option<MacAddr>,
    /// Ethernet destination of the innermost Ethernet header.
    pub dst_mac: Option<MacAddr>,
    /// VLAN ids of all layers passed, outermost first; a priority tag counts with its id 0.
    pub vlan: VlanStack,
    /// Innermost IP addresses; `None` without IP.
    pub ip: Option<(IpAddr, IpAddr)>,
    /// Identification of the innermost IPv4 header; 0 without one.
    pub ip_id: u16,
    /// Sequence number of a PRP trailer or HSR tag.
    pub redundancy: Option<u16>,
    /// The encapsulations passed.
    pub tunnels: Tunnels,
    /// The earliest frame that brought any of it: for a datagram put together from fragments the first
    /// of them, otherwise the frame itself.
    pub first_frame: FrameRef,
    /// What it carries.
    pub payload: Payload<'a>,
}

impl Default for Packet<'_> {
    fn default() -> Self {
        Packet {
            src_mac: None,
            dst_mac: None,
            vlan: VlanStack::default(),
            ip: None,
            ip_id: 0,
            redundancy: None,
            tunnels: Tunnels::default(),
            first_frame: FrameRef::default(),
            payload: Payload::Ethernet { ethertype: 0, bytes: &[], wire_len: 0 },
        }
    }
}

/// What a packet carries.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub enum Payload<'a> {
    /// A TCP segment.
    Tcp(Segment<'a>),
    /// A UDP datagram.
    Udp(Datagram<'a>),
    /// Ethernet payload of another type.
    Ethernet {
        /// The Ethertype; below 0x600 the length field of 802.3, and LLC follows.
        ethertype: u16,
        /// What follows it as far as captured, padding included.
        bytes: &'a [u8],
        /// Its length on the wire; more than `bytes.len()` if the snap length cut it.
        wire_len: u32,
    },
    /// IP payload of another protocol.
    Ip {
        /// The protocol number.
        protocol: u8,
        /// What follows the IP header.
        bytes: &'a [u8],
    },
}

/// A TCP segment.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub struct Segment<'a> {
    /// Source port.
    pub src_port: u16,
    /// Destination port.
    pub dst_port: u16,
    /// Sequence number.
    pub seq: u32,
    /// Acknowledgement number.
    pub ack: u32,
    /// Flags: FIN 1, SYN 2, RST 4, PSH 8, ACK 16.
    pub flags: u8,
    /// Payload as far as captured.
    pub bytes: &'a [u8],
    /// Payload length by the headers; more than `bytes.len()` if the snap length cut it.
    pub wire_len: u32,
}

/// A UDP datagram.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub struct Datagram<'a> {
    /// Source port.
    pub src_port: u16,
    /// Destination port.
    pub dst_port: u16,
    /// Payload as far as captured.
    pub bytes: &'a [u8],
    /// Payload length by the headers; more than `bytes.len()` if the snap length cut it.
    pub wire_len: u32,
}

/// The encapsulations a packet came out of, as a set of bits.
#[derive(Debug, Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash, Default)]
pub struct Tunnels(u16);

impl Tunnels {
    /// VLAN tags.
    pub const VLAN: Tunnels = Tunnels(1);
    /// MPLS labels.
    pub const MPLS: Tunnels = Tunnels(2);
    /// GRE.
    pub const GRE: Tunnels = Tunnels(4);
    /// ERSPAN.
    pub const ERSPAN: Tunnels = Tunnels(8);
    /// VXLAN.
    pub const VXLAN: Tunnels = Tunnels(16);
    /// IP in IP.
    pub const IP_IN_IP: Tunnels = Tunnels(32);
    /// IP fragments, put together.
    pub const FRAGMENTS: Tunnels = Tunnels(64);
    /// Geneve.
    pub const GENEVE: Tunnels = Tunnels(128);
    /// TaZmen sniffer protocol.
    pub const TZSP: Tunnels = Tunnels(256);
    /// GPRS tunnelling protocol, user plane.
    pub const GTP: Tunnels = Tunnels(512);
    /// PPP, over Ethernet, in GRE or L2TP, or as the link itself.
    pub const PPP: Tunnels = Tunnels(1024);
    /// Provider backbone bridges.
    pub const BACKBONE: Tunnels = Tunnels(2048);
    /// Ethernet in IP.
    pub const ETHER_IP: Tunnels = Tunnels(4096);

    const NAMES: [(Tunnels, &'static str); 13] = [
        (Tunnels::VLAN, "vlan"),
        (Tunnels::MPLS, "mpls"),
        (Tunnels::GRE, "gre"),
        (Tunnels::ERSPAN, "erspan"),
        (Tunnels::VXLAN, "vxlan"),
        (Tunnels::IP_IN_IP, "ip_in_ip"),
        (Tunnels::FRAGMENTS, "fragments"),
        (Tunnels::GENEVE, "geneve"),
        (Tunnels::TZSP, "tzsp"),
        (Tunnels::GTP, "gtp"),
        (Tunnels::PPP, "ppp"),
        (Tunnels::BACKBONE, "backbone"),
        (Tunnels::ETHER_IP, "ether_ip"),
    ];

    /// Add one.
    #[inline]
    pub fn insert(&mut self, other: Tunnels) {
        self.0 |= other.0;
    }

    /// Whether all of `other` are in it.
    #[inline]
    pub fn contains(self, other: Tunnels) -> bool {
        self.0 & other.0 == other.0
    }

    /// Lower-case names of those in it.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Tunnels::NAMES.into_iter().filter(move |(t, _)| self.contains(*t)).map(|(_, name)| name)
    }
}

/// Takes the wrappings off frames. One for each reading thread; it remembers only fragments.
#[derive(Debug)]
pub struct Decapsulator {
    options: DecapOptions,
    counters: DecapCounters,
    fragments: FragmentTable,
    scratch: [Vec<u8>; MAX_NESTED_REASSEMBLIES],
    anomaly: Option<Anomaly>,
}

impl Decapsulator {
    /// A decapsulator that has seen nothing yet.
    pub fn new(options: DecapOptions) -> Decapsulator {
        Decapsulator {
            fragments: FragmentTable::new(options.fragments),
            counters: DecapCounters::default(),
            scratch: Default::default(),
            anomaly: None,
            options,
        }
    }

    /// What was suspicious about the frame taken last, if anything was.
    #[inline]
    pub fn take_anomaly(&mut self) -> Option<Anomaly> {
        self.anomaly.take()
    }

    /// What has been met so far.
    pub fn counters(&self) -> &DecapCounters {
        &self.counters
    }

    /// Heap bytes held for incomplete datagrams, for the memory accounts.
    pub fn memory(&self) -> usize {
        self.fragments.memory() + self.scratch.iter().map(Vec::capacity).sum::<usize>()
    }

    /// Packet time has come to `now`: give up fragments that are too old. Called now and then.
    pub fn tick(&mut self, now: Timestamp) {
        self.fragments.expire(now, &mut self.counters);
    }

    /// No frames will come any more: what is incomplete stays so, and is counted as expired.
    pub fn finish(&mut self) {
        self.fragments.give_up_all(&mut self.counters);
    }

    /// The plain segment in a frame. `None`: nothing was counted, the frame has to be decapsulated.
    #[inline(always)]
    pub(crate) fn plain<'a>(&mut self, frame: &Frame<'a>) -> Option<Plain<'a>> {
        let found = fast::plain(&self.options, frame);
        if let Some(plain) = &found {
            self.counters.frames += 1;
            self.counters.tcp += 1;
            self.counters.vlan += u64::from(plain.is_tagged());
        }
        found
    }

    /// The innermost packet of a frame. `None` when there is none yet (a fragment) or none at all; the
    /// reason has been counted.
    // not inlined: so the packet is written once, in place
    #[inline(never)]
    pub fn decapsulate<'a>(&'a mut self, frame: &Frame<'a>) -> Option<Packet<'a>> {
        self.counters.frames += 1;
        if let Some(ordinary) = fast::ordinary(&self.options, frame) {
            if ordinary.protocol() == protocol::TCP {
                if let Some(segment) = ordinary.segment() {
                    self.counters.tcp += 1;
                    self.counters.vlan += u64::from(ordinary.is_tagged());
                    return Some(ordinary.packet(frame.place, Payload::Tcp(segment)));
                }
            } else if ordinary.protocol() == protocol::UDP
                && let Some(datagram) = ordinary.datagram(&self.options)
            {
                self.counters.udp += 1;
                self.counters.vlan += u64::from(ordinary.is_tagged());
                return Some(ordinary.packet(frame.place, Payload::Udp(datagram)));
            }
        }
        self.walk(frame)
    }

    /// The way for all frames, layer by layer.
    #[inline(never)]
    fn walk<'a>(&'a mut self, frame: &Frame<'a>) -> Option<Packet<'a>> {
        let Decapsulator { options, counters, fragments, scratch, anomaly } = self;
        let before = counters.by_anomaly();
        let view = View { bytes: frame.bytes, wire: frame.bytes.len().max(frame.wire_len as usize) };
        counters.truncated += u64::from(view.is_cut());
        let mut walk = Walk {
            at: frame.at,
            place: frame.place,
            options,
            counters,
            fragments,
            scratch: scratch.iter_mut(),
            depth: 0,
            packet: Packet { first_frame: frame.place, ..Packet::default() },
        };
        let outcome = match frame.link {
            LinkType::Ethernet => walk.ethernet(view),
            other => walk.other_link(other, view),
        };
        walk.count(outcome);
        let after = walk.counters.by_anomaly();
        *anomaly = (0..after.len()).find(|n| after[*n] != before[*n]).map(|n| Anomaly {
            at: frame.at,
            frame: frame.place,
            kind: AnomalyKind::ALL[n],
            ip: walk.packet.ip,
            mac: walk.packet.src_mac.zip(walk.packet.dst_mac),
        });
        (outcome == Outcome::Done).then_some(walk.packet)
    }
}

impl<'a> Walk<'a> {
    #[inline(never)]
    fn other_link(&mut self, link: LinkType, view: View<'a>) -> Outcome {
        match link {
            LinkType::Ethernet => self.ethernet(view),
            LinkType::RawIp => self.raw_ip(view),
            LinkType::LinuxCooked => self.cooked(view),
            LinkType::LinuxCooked2 => self.cooked2(view),
            LinkType::BsdLoopback => self.loopback(view),
            LinkType::Ppp => self.hdlc(view),
            LinkType::PppWithDirection => self.hdlc(view.skip(1)),
            LinkType::Pppoe => self.pppoe(view),
            LinkType::Other(_) => {
                self.counters.unsupported_link += 1;
                Outcome::Undecodable
            }
        }
    }

    #[inline]
    fn count(&mut self, outcome: Outcome) {
        let counters = &mut *self.counters;
        counters.vlan += u64::from(self.packet.tunnels.contains(Tunnels::VLAN));
        let counter = match (outcome, &self.packet.payload) {
            (Outcome::Done, Payload::Tcp(_)) => &mut counters.tcp,
            (Outcome::Done, Payload::Udp(_)) => &mut counters.udp,
            (Outcome::Done, Payload::Ip { .. }) => &mut counters.other_ip,
            (Outcome::Done, Payload::Ethernet { .. }) => &mut counters.other_ethernet,
            (Outcome::Held, _) => &mut counters.fragments_held,
            (Outcome::Duplicate, _) => &mut counters.duplicate_fragments,
            (Outcome::Discarded, _) => &mut counters.checksum_discarded,
            (Outcome::Undecodable, _) => &mut counters.undecodable,
        };
        *counter += 1;
    }
}
