//! From a frame to the innermost packet: VLAN, MPLS, GRE, ERSPAN, VXLAN, IP fragments.
//!
//! Second step of the way from wire to metric.

use core::net::IpAddr;

use parsers::{MacAddr, VlanStack};

/// A packet without its wrappings.
#[derive(Debug, Copy, Clone)]
pub struct Packet<'a> {
    /// Ethernet source of the innermost Ethernet header.
    pub src_mac: Option<MacAddr>,
    /// Ethernet destination of the innermost Ethernet header.
    pub dst_mac: Option<MacAddr>,
    /// VLAN ids of all layers passed, outermost first.
    pub vlan: VlanStack,
    /// Innermost IP addresses; `None` without IP.
    pub ip: Option<(IpAddr, IpAddr)>,
    /// What it carries.
    pub payload: Payload<'a>,
}

/// What a packet carries.
#[derive(Debug, Copy, Clone)]
pub enum Payload<'a> {
    /// A TCP segment.
    Tcp(Segment<'a>),
    /// A UDP datagram.
    Udp(Datagram<'a>),
    /// Ethernet payload of another type.
    Ethernet {
        /// The Ethertype.
        ethertype: u16,
        /// What follows it.
        bytes: &'a [u8],
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
#[derive(Debug, Copy, Clone)]
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
#[derive(Debug, Copy, Clone)]
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
