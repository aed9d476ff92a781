//! The short way for what nearly all frames are: Ethernet, at most one VLAN tag, IPv4 without options
//! or fragments, TCP or UDP, nothing wrong with it.
//!
//! The walk would come to the same packet, and a test holds it to that; but here every field goes
//! straight from the frame into the packet, which makes it three times as fast. Whatever is unusual is
//! left to the walk: nothing is counted or judged here.

use core::net::{IpAddr, Ipv4Addr};

use parsers::{FrameRef, MacAddr, VlanStack};

use super::{Checksums, Datagram, DecapOptions, Packet, Payload, Segment, Tunnels, ethernet, protocol};
use crate::capture::{Frame, LinkType};

/// A TCP segment that acknowledges, opens and ends nothing, and of which nothing was cut off: what its flow has
/// to know. Few words, so that they are handed on in registers or a line of the cache.
pub(crate) struct Bare<'a> {
    /// Source in the upper half, destination in the lower.
    pub(crate) addresses: u64,
    /// The same of the ports.
    pub(crate) ports: u32,
    pub(crate) seq: u32,
    pub(crate) ack: u32,
    pub(crate) bytes: &'a [u8],
}

/// What nearly all frames of a control network are: an ordinary frame with such a segment. Whether it is next in
/// its flow, the flow has to find out.
pub struct Plain<'a> {
    pub(crate) bare: Bare<'a>,
    ethernet: &'a [u8; 14],
    /// IPv4 and TCP, without options of the first.
    head: &'a [u8; 40],
    vlan: u16,
    is_tagged: bool,
}

const FIN_SYN_RST_ACK: u8 = 0x17;
const ACK: u8 = 0x10;

#[inline(always)]
fn word<const N: usize>(head: &[u8; 40]) -> u32 {
    u32::from_be_bytes([head[N], head[N + 1], head[N + 2], head[N + 3]])
}

/// The plain segment in a frame.
#[inline(always)]
pub(super) fn plain<'a>(options: &DecapOptions, frame: &Frame<'a>) -> Option<Plain<'a>> {
    if frame.link != LinkType::Ethernet
        || frame.wire_len as usize != frame.bytes.len()
        || options.checksums != Checksums::Ignore
    {
        return None;
    }
    let (ethernet, mut rest) = frame.bytes.split_first_chunk::<14>()?;
    let mut ethertype = u16::from_be_bytes([ethernet[12], ethernet[13]]);
    let (mut vlan, mut is_tagged) = (0, false);
    if ethertype == ethernet::VLAN {
        let (&[i0, i1, t0, t1], inner) = rest.split_first_chunk::<4>()?;
        (vlan, is_tagged) = (u16::from_be_bytes([i0, i1]) & 0x0FFF, true);
        ethertype = u16::from_be_bytes([t0, t1]);
        rest = inner;
    }
    let (head, _) = rest.split_first_chunk::<40>()?;
    let begin = word::<0>(head);
    // version, header length, all about fragments but the flag that forbids them, protocol
    if ethertype != ethernet::IPV4
        || begin >> 24 != 0x45
        || word::<4>(head) & 0xBFFF != 0
        || head[9] != protocol::TCP
        || head[33] & FIN_SYN_RST_ACK != ACK
    {
        return None;
    }
    let total = (begin & 0xFFFF) as usize;
    let offset = 20 + usize::from(head[32] >> 4) * 4;
    // what is padded to the least length of a frame ends in anything but this
    if offset < 40 || (total + 6 <= rest.len() && rest.ends_with(&ethernet::PRP_SUFFIX.to_be_bytes())) {
        return None;
    }
    let bytes = rest.get(offset..total)?;
    let addresses = u64::from(word::<12>(head)) << 32 | u64::from(word::<16>(head));
    let bare =
        Bare { addresses, ports: word::<20>(head), seq: word::<24>(head), ack: word::<28>(head), bytes };
    Some(Plain { bare, ethernet, head, vlan, is_tagged })
}

impl<'a> Plain<'a> {
    /// Source and destination address.
    #[inline(always)]
    pub fn addresses(&self) -> (Ipv4Addr, Ipv4Addr) {
        let addresses = self.bare.addresses;
        (Ipv4Addr::from_bits((addresses >> 32) as u32), Ipv4Addr::from_bits(addresses as u32))
    }

    /// Source and destination port.
    #[inline(always)]
    pub fn ports(&self) -> (u16, u16) {
        ((self.bare.ports >> 16) as u16, self.bare.ports as u16)
    }

    /// The flags of TCP.
    #[inline(always)]
    pub fn flags(&self) -> u8 {
        self.head[33]
    }

    /// Identification of the IPv4 header.
    #[inline(always)]
    pub fn ip_id(&self) -> u16 {
        (word::<4>(self.head) >> 16) as u16
    }

    /// Ethernet source.
    #[inline(always)]
    pub fn src_mac(&self) -> MacAddr {
        let [_, _, _, _, _, _, s0, s1, s2, s3, s4, s5, ..] = *self.ethernet;
        MacAddr([s0, s1, s2, s3, s4, s5])
    }

    /// VLAN id; 0 without a tag, and of a tag for the priority alone.
    #[inline(always)]
    pub fn vlan(&self) -> u16 {
        self.vlan
    }

    /// Whether it had a VLAN tag.
    #[inline(always)]
    pub(super) fn is_tagged(&self) -> bool {
        self.is_tagged
    }

    /// The packet, for whoever needs all of it.
    #[inline]
    pub fn packet(&self, place: FrameRef) -> Packet<'a> {
        let (src_port, dst_port) = self.ports();
        let Bare { seq, ack, bytes, .. } = self.bare;
        let flags = self.flags();
        let segment = Segment { src_port, dst_port, seq, ack, flags, bytes, wire_len: bytes.len() as u32 };
        let (mut vlan, mut tunnels) = (VlanStack::default(), Tunnels::default());
        if self.is_tagged {
            vlan.push(self.vlan);
            tunnels.insert(Tunnels::VLAN);
        }
        let [d0, d1, d2, d3, d4, d5, ..] = *self.ethernet;
        let (from, to) = self.addresses();
        Packet {
            src_mac: Some(self.src_mac()),
            dst_mac: Some(MacAddr([d0, d1, d2, d3, d4, d5])),
            vlan,
            ip: Some((IpAddr::V4(from), IpAddr::V4(to))),
            ip_id: self.ip_id(),
            redundancy: None,
            tunnels,
            first_frame: place,
            payload: Payload::Tcp(segment),
        }
    }
}

impl<'a> Packet<'a> {
    /// The segment, if it is such a one over IPv4, whatever its wrappings.
    #[inline]
    pub(crate) fn bare(&self) -> Option<Bare<'a>> {
        let (Payload::Tcp(segment), Some((IpAddr::V4(from), IpAddr::V4(to)))) = (&self.payload, self.ip)
        else {
            return None;
        };
        let is_bare =
            segment.flags & FIN_SYN_RST_ACK == ACK && segment.wire_len as usize == segment.bytes.len();
        is_bare.then(|| Bare {
            addresses: u64::from(from.to_bits()) << 32 | u64::from(to.to_bits()),
            ports: u32::from(segment.src_port) << 16 | u32::from(segment.dst_port),
            seq: segment.seq,
            ack: segment.ack,
            bytes: segment.bytes,
        })
    }
}

/// The fields of an ordinary frame. No enums: they would be copied in pieces that do not match the
/// stores before them, which stalls the processor longer than all the rest takes.
pub(super) struct Ordinary<'a> {
    ethernet: &'a [u8; 14],
    /// VLAN id, if there is a tag; otherwise 0.
    vlan: u16,
    is_tagged: bool,
    ip: &'a [u8; 20],
    /// The IP payload.
    body: &'a [u8],
}

/// The fields of an ordinary frame; `None` if the frame has to be walked.
#[inline(always)]
pub(super) fn ordinary<'a>(options: &DecapOptions, frame: &Frame<'a>) -> Option<Ordinary<'a>> {
    if frame.link != LinkType::Ethernet
        || frame.wire_len as usize != frame.bytes.len()
        || options.checksums != Checksums::Ignore
    {
        return None;
    }
    let (ethernet, mut rest) = frame.bytes.split_first_chunk::<14>()?;
    let mut ethertype = u16::from_be_bytes([ethernet[12], ethernet[13]]);
    let (mut vlan, mut is_tagged) = (0, false);
    if ethertype == ethernet::VLAN {
        let (&[i0, i1, t0, t1], inner) = rest.split_first_chunk::<4>()?;
        vlan = u16::from_be_bytes([i0, i1]) & 0x0FFF;
        is_tagged = true;
        ethertype = u16::from_be_bytes([t0, t1]);
        rest = inner;
    }
    if ethertype != ethernet::IPV4 {
        return None;
    }
    let (ip, _) = rest.split_first_chunk::<20>()?;
    let [vi, _, l0, l1, _, _, f0, f1, ..] = *ip;
    let total = usize::from(u16::from_be_bytes([l0, l1]));
    // 0xBF leaves out only the flag that forbids fragmentation
    if vi != 0x45 || [f0 & 0xBF, f1] != [0, 0] {
        return None;
    }
    // what is padded to the least length of a frame ends in anything but this
    if total + 6 <= rest.len() && rest.ends_with(&ethernet::PRP_SUFFIX.to_be_bytes()) {
        return None;
    }
    let body = rest.get(20..total)?;
    Some(Ordinary { ethernet, vlan, is_tagged, ip, body })
}

impl<'a> Ordinary<'a> {
    /// The IP protocol.
    #[inline(always)]
    pub(super) fn protocol(&self) -> u8 {
        self.ip[9]
    }

    /// Whether it had a VLAN tag.
    #[inline(always)]
    pub(super) fn is_tagged(&self) -> bool {
        self.is_tagged
    }

    /// The TCP segment, if it is an ordinary one.
    #[inline(always)]
    pub(super) fn segment(&self) -> Option<Segment<'a>> {
        segment(self.body)
    }

    /// The UDP datagram, if it is an ordinary one.
    #[inline(always)]
    pub(super) fn datagram(&self, options: &DecapOptions) -> Option<Datagram<'a>> {
        datagram(self.body, options)
    }

    /// The packet.
    #[inline(always)]
    pub(super) fn packet(&self, place: FrameRef, payload: Payload<'a>) -> Packet<'a> {
        let [d0, d1, d2, d3, d4, d5, s0, s1, s2, s3, s4, s5, ..] = *self.ethernet;
        let (mut vlan, mut tunnels) = (VlanStack::default(), Tunnels::default());
        if self.is_tagged {
            vlan.push(self.vlan);
            tunnels.insert(Tunnels::VLAN);
        }
        let [_, _, _, _, i0, i1, _, _, _, _, _, _, a0, a1, a2, a3, b0, b1, b2, b3] = *self.ip;
        Packet {
            src_mac: Some(MacAddr([s0, s1, s2, s3, s4, s5])),
            dst_mac: Some(MacAddr([d0, d1, d2, d3, d4, d5])),
            vlan,
            ip: Some((IpAddr::V4(Ipv4Addr::new(a0, a1, a2, a3)), IpAddr::V4(Ipv4Addr::new(b0, b1, b2, b3)))),
            ip_id: u16::from_be_bytes([i0, i1]),
            redundancy: None,
            tunnels,
            first_frame: place,
            payload,
        }
    }
}

#[inline(always)]
fn segment(body: &[u8]) -> Option<Segment<'_>> {
    let (header, _) = body.split_first_chunk::<20>()?;
    let [s0, s1, d0, d1, q0, q1, q2, q3, a0, a1, a2, a3, offset, flags, _, _, _, _, _, _] = *header;
    let length = usize::from(offset >> 4) * 4;
    if length < 20 {
        return None;
    }
    let bytes = body.get(length..)?;
    Some(Segment {
        src_port: u16::from_be_bytes([s0, s1]),
        dst_port: u16::from_be_bytes([d0, d1]),
        seq: u32::from_be_bytes([q0, q1, q2, q3]),
        ack: u32::from_be_bytes([a0, a1, a2, a3]),
        flags,
        bytes,
        wire_len: bytes.len() as u32,
    })
}

#[inline(always)]
fn datagram<'a>(body: &'a [u8], options: &DecapOptions) -> Option<Datagram<'a>> {
    let (&[s0, s1, d0, d1, l0, l1, _, _], bytes) = body.split_first_chunk::<8>()?;
    let dst_port = u16::from_be_bytes([d0, d1]);
    let is_ordinary = usize::from(u16::from_be_bytes([l0, l1])) == body.len() && !options.is_tunnel(dst_port);
    is_ordinary.then_some(Datagram {
        src_port: u16::from_be_bytes([s0, s1]),
        dst_port,
        bytes,
        wire_len: bytes.len() as u32,
    })
}
