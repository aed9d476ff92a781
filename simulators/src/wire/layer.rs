//! Layers of a frame. [`build`] stacks them around a payload and fills in what follows from the
//! neighbours: Ethertypes, protocol numbers, lengths, checksums.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::transport::{gre_packet, internet_checksum, tcp_packet, udp_packet};

/// IPv4 header fields that are not worked out.
#[derive(Debug, Clone)]
pub struct Ipv4 {
    /// Source.
    pub src: Ipv4Addr,
    /// Destination.
    pub dst: Ipv4Addr,
    /// Identification.
    pub id: u16,
    /// Options, padded to a multiple of four by the builder with end-of-list octets.
    pub options: Vec<u8>,
    /// Fragment offset in octets (a multiple of eight).
    pub offset: usize,
    /// More fragments follow.
    pub more: bool,
}

impl Ipv4 {
    /// A header without options, not fragmented.
    pub fn new(src: Ipv4Addr, dst: Ipv4Addr) -> Ipv4 {
        Ipv4 { src, dst, id: 1, options: Vec::new(), offset: 0, more: false }
    }
}

/// An IPv6 extension header.
#[derive(Debug, Clone)]
pub enum Extension {
    /// Hop-by-hop options (0), holding one `PadN` option.
    HopByHop,
    /// Destination options (60), holding one `PadN` option.
    Destination,
    /// Routing header (43), type 4 (segment routing) with one segment, no segments left.
    Routing,
    /// Fragment header (44).
    Fragment {
        /// Identification.
        id: u32,
        /// Offset in octets (a multiple of eight).
        offset: usize,
        /// More fragments follow.
        more: bool,
    },
}

impl Extension {
    fn number(&self) -> u8 {
        match self {
            Extension::HopByHop => 0,
            Extension::Routing => 43,
            Extension::Fragment { .. } => 44,
            Extension::Destination => 60,
        }
    }

    fn encode(&self, next: u8) -> Vec<u8> {
        match self {
            Extension::HopByHop | Extension::Destination => vec![next, 0, 1, 4, 0, 0, 0, 0],
            Extension::Routing => {
                let mut bytes = vec![next, 2, 4, 0, 0, 0, 0, 0];
                bytes.extend_from_slice(&"fd00::99".parse().map_or([0; 16], |ip: Ipv6Addr| ip.octets()));
                bytes
            }
            Extension::Fragment { id, offset, more } => {
                let field = (*offset as u16 & 0xfff8) | u16::from(*more);
                let mut bytes = vec![next, 0];
                bytes.extend_from_slice(&field.to_be_bytes());
                bytes.extend_from_slice(&id.to_be_bytes());
                bytes
            }
        }
    }
}

/// IPv6 header fields that are not worked out.
#[derive(Debug, Clone)]
pub struct Ipv6 {
    /// Source.
    pub src: Ipv6Addr,
    /// Destination.
    pub dst: Ipv6Addr,
    /// Extension headers in wire order.
    pub extensions: Vec<Extension>,
}

/// GRE header options (RFC 2784, RFC 2890).
#[derive(Debug, Clone, Copy, Default)]
pub struct Gre {
    /// Checksum present.
    pub checksum: bool,
    /// Key.
    pub key: Option<u32>,
    /// Sequence number.
    pub sequence: Option<u32>,
}

/// TCP header fields that are not worked out.
#[derive(Debug, Clone, Default)]
pub struct Tcp {
    /// Source port.
    pub src: u16,
    /// Destination port.
    pub dst: u16,
    /// Sequence number.
    pub seq: u32,
    /// Acknowledgement number.
    pub ack: u32,
    /// Flags: FIN 1, SYN 2, RST 4, PSH 8, ACK 16.
    pub flags: u8,
    /// Options, padded to a multiple of four by the builder with no-operation octets.
    pub options: Vec<u8>,
}

/// What to put in a UDP checksum field.
#[derive(Debug, Clone, Copy, Eq, PartialEq)]
pub enum UdpChecksum {
    /// The right one.
    Right,
    /// Zero: not computed (allowed over IPv4, and for tunnels over IPv6).
    Zero,
}

/// One layer of a frame.
#[derive(Debug, Clone)]
pub enum Layer {
    /// Ethernet II.
    Ethernet {
        /// Destination address.
        dst: [u8; 6],
        /// Source address.
        src: [u8; 6],
    },
    /// IEEE 802.1Q or 802.1ad tag.
    Vlan {
        /// 0x8100 (C-tag), 0x88a8 (S-tag) or 0x9100 (old `QinQ`).
        tpid: u16,
        /// VLAN id, 12 bits.
        id: u16,
        /// Priority, 3 bits.
        priority: u8,
    },
    /// MPLS label; bottom of stack is set when the next layer is no label.
    Mpls {
        /// Label, 20 bits.
        label: u32,
    },
    /// Pseudowire control word (RFC 4385), between MPLS and Ethernet.
    ControlWord,
    /// IPv4.
    Ipv4(Ipv4),
    /// IPv6.
    Ipv6(Ipv6),
    /// GRE.
    Gre(Gre),
    /// ERSPAN type I: the Ethernet frame follows GRE (without sequence number) directly; no octets.
    Erspan1,
    /// ERSPAN type II: 8 octets.
    Erspan2 {
        /// VLAN of the mirrored frame.
        vlan: u16,
        /// Session id, 10 bits.
        session: u16,
    },
    /// ERSPAN type III: 12 octets, and 8 more with the platform sub-header.
    Erspan3 {
        /// VLAN of the mirrored frame.
        vlan: u16,
        /// Session id, 10 bits.
        session: u16,
        /// Add the platform specific sub-header.
        platform: bool,
    },
    /// VXLAN.
    Vxlan {
        /// Network identifier, 24 bits.
        vni: u32,
    },
    /// UDP.
    Udp {
        /// Source port.
        src: u16,
        /// Destination port.
        dst: u16,
        /// Checksum.
        checksum: UdpChecksum,
    },
    /// TCP.
    Tcp(Tcp),
    /// Linux cooked capture v1.
    Sll,
    /// Linux cooked capture v2.
    Sll2,
    /// BSD loopback header.
    BsdLoopback {
        /// Address family in big-endian order instead of little-endian.
        big_endian: bool,
    },
}

/// The frame made of `layers`, outermost first, around `payload`.
pub fn build(layers: &[Layer], payload: &[u8]) -> Vec<u8> {
    build_around(layers, None, payload)
}

/// As [`build`], but the innermost layer announces `next`, whose octets are already in `payload`.
pub(super) fn build_around(layers: &[Layer], next: Option<&Layer>, payload: &[u8]) -> Vec<u8> {
    let mut body = payload.to_vec();
    for (index, layer) in layers.iter().enumerate().rev() {
        let addresses = layers[..index].iter().rev().find_map(addresses);
        body = wrap(layer, layers.get(index + 1).or(next), addresses, &body);
    }
    body
}

fn addresses(layer: &Layer) -> Option<(IpAddr, IpAddr)> {
    match layer {
        Layer::Ipv4(ip) => Some((ip.src.into(), ip.dst.into())),
        Layer::Ipv6(ip) => Some((ip.src.into(), ip.dst.into())),
        _ => None,
    }
}

/// Ethertype that announces a layer.
fn ethertype(layer: Option<&Layer>) -> u16 {
    match layer {
        Some(Layer::Vlan { tpid, .. }) => *tpid,
        Some(Layer::Mpls { .. }) => 0x8847,
        Some(Layer::Ipv4(_)) => 0x0800,
        Some(Layer::Ipv6(_)) => 0x86dd,
        Some(Layer::Ethernet { .. }) => 0x6558,
        Some(Layer::Erspan1 | Layer::Erspan2 { .. }) => 0x88be,
        Some(Layer::Erspan3 { .. }) => 0x22eb,
        _ => 0x88b5,
    }
}

/// IP protocol number that announces a layer.
fn protocol(layer: Option<&Layer>) -> u8 {
    match layer {
        Some(Layer::Tcp(_)) => 6,
        Some(Layer::Udp { .. }) => 17,
        Some(Layer::Gre(_)) => 47,
        Some(Layer::Ipv4(_)) => 4,
        Some(Layer::Ipv6(_)) => 41,
        Some(Layer::Mpls { .. }) => 137,
        _ => 253,
    }
}

fn wrap(layer: &Layer, next: Option<&Layer>, ends: Option<(IpAddr, IpAddr)>, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len() + 40);
    match layer {
        Layer::Ethernet { dst, src } => {
            out.extend_from_slice(dst);
            out.extend_from_slice(src);
            out.extend_from_slice(&ethertype(next).to_be_bytes());
        }
        Layer::Vlan { id, priority, .. } => {
            let tci = (u16::from(*priority) << 13) | (id & 0x0fff);
            out.extend_from_slice(&tci.to_be_bytes());
            out.extend_from_slice(&ethertype(next).to_be_bytes());
        }
        Layer::Mpls { label } => {
            let bottom = !matches!(next, Some(Layer::Mpls { .. }));
            let word = (label << 12) | (u32::from(bottom) << 8) | 64;
            out.extend_from_slice(&word.to_be_bytes());
        }
        Layer::ControlWord => out.extend_from_slice(&[0; 4]),
        Layer::Ipv4(ip) => out = ipv4_header(ip, protocol(next), body.len()),
        Layer::Ipv6(ip) => out = ipv6_header(ip, protocol(next), body.len()),
        Layer::Gre(gre) => return gre_packet(gre, ethertype(next), body),
        Layer::Erspan1 => {}
        Layer::Erspan2 { vlan, session } => {
            out.extend_from_slice(&(0x1000 | (vlan & 0x0fff)).to_be_bytes());
            // Encapsulation 3: the VLAN tag is kept in the frame.
            out.extend_from_slice(&(0x1800 | (session & 0x03ff)).to_be_bytes());
            out.extend_from_slice(&[0, 0, 0, 7]);
        }
        Layer::Erspan3 { vlan, session, platform } => {
            out.extend_from_slice(&(0x2000 | (vlan & 0x0fff)).to_be_bytes());
            out.extend_from_slice(&(session & 0x03ff).to_be_bytes());
            out.extend_from_slice(&[0x12, 0x34, 0x56, 0x78, 0, 0]);
            // P 0, frame type 0 (Ethernet), hardware id 1, direction 0, granularity 2, optional bit.
            out.extend_from_slice(&(0x0010_u16 | 0x0004 | u16::from(*platform)).to_be_bytes());
            if *platform {
                out.extend_from_slice(&[0x0c, 0, 0, 1, 0, 0, 0, 2]);
            }
        }
        Layer::Vxlan { vni } => {
            out.extend_from_slice(&[8, 0, 0, 0]);
            out.extend_from_slice(&(vni << 8).to_be_bytes());
        }
        Layer::Udp { src, dst, checksum } => return udp_packet(*src, *dst, *checksum, ends, body),
        Layer::Tcp(tcp) => return tcp_packet(tcp, ends, body),
        Layer::Sll => {
            out.extend_from_slice(&[0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0]);
            out.extend_from_slice(&ethertype(next).to_be_bytes());
        }
        Layer::Sll2 => {
            out.extend_from_slice(&ethertype(next).to_be_bytes());
            out.extend_from_slice(&[0, 0, 0, 0, 0, 3, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0]);
        }
        Layer::BsdLoopback { big_endian } => {
            // AF_INET is 2 everywhere; AF_INET6 is 24, 28 or 30: 30 is Darwin's.
            let family: u32 = if matches!(next, Some(Layer::Ipv6(_))) { 30 } else { 2 };
            let bytes = if *big_endian { family.to_be_bytes() } else { family.to_le_bytes() };
            out.extend_from_slice(&bytes);
        }
    }
    out.extend_from_slice(body);
    out
}

fn ipv4_header(ip: &Ipv4, protocol: u8, body: usize) -> Vec<u8> {
    let mut options = ip.options.clone();
    while !options.len().is_multiple_of(4) {
        options.push(0);
    }
    let words = 5 + options.len() / 4;
    let total = (words * 4 + body) as u16;
    let fragment = (u16::from(ip.more) << 13) | (ip.offset / 8) as u16;
    let mut out = vec![0x40 | words as u8, 0];
    out.extend_from_slice(&total.to_be_bytes());
    out.extend_from_slice(&ip.id.to_be_bytes());
    out.extend_from_slice(&fragment.to_be_bytes());
    out.extend_from_slice(&[64, protocol, 0, 0]);
    out.extend_from_slice(&ip.src.octets());
    out.extend_from_slice(&ip.dst.octets());
    out.extend_from_slice(&options);
    let sum = internet_checksum(&[&out]);
    out[10..12].copy_from_slice(&sum.to_be_bytes());
    out
}

fn ipv6_header(ip: &Ipv6, protocol: u8, body: usize) -> Vec<u8> {
    let mut chain = Vec::new();
    for (index, extension) in ip.extensions.iter().enumerate() {
        let next = ip.extensions.get(index + 1).map_or(protocol, Extension::number);
        chain.extend_from_slice(&extension.encode(next));
    }
    let first = ip.extensions.first().map_or(protocol, Extension::number);
    let mut out = vec![0x60, 0, 0, 0];
    out.extend_from_slice(&((chain.len() + body) as u16).to_be_bytes());
    out.extend_from_slice(&[first, 64]);
    out.extend_from_slice(&ip.src.octets());
    out.extend_from_slice(&ip.dst.octets());
    out.extend_from_slice(&chain);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_with_its_checksum_sums_to_zero() {
        let ip = Ipv4::new(Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(10, 0, 0, 2));
        assert_eq!(internet_checksum(&[&ipv4_header(&ip, 6, 20)]), 0);
    }
}
