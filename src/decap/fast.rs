//! The short way for what nearly all frames are: Ethernet, at most one VLAN tag, IPv4 without options
//! or fragments, TCP or UDP, nothing wrong with it.
//!
//! The walk would come to the same packet, and a test holds it to that; but here every field goes
//! straight from the frame into the packet, which makes it three times as fast. Whatever is unusual is
//! left to the walk: nothing is counted or judged here.

use core::net::{IpAddr, Ipv4Addr};

use parsers::{MacAddr, VlanStack};

use super::{Checksums, Datagram, DecapOptions, Packet, Payload, Segment, Tunnels, ethernet};
use crate::capture::{Frame, LinkType};

/// The fields of an ordinary frame. No enums: they would be copied in pieces that do not match the
/// stores before them, which stalls the processor longer than all the rest takes.
pub(super) struct Ordinary<'a> {
    ethernet: &'a [u8; 14],
    vlan: VlanStack,
    tunnels: Tunnels,
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
    let mut vlan = VlanStack::default();
    let mut tunnels = Tunnels::default();
    if ethertype == ethernet::VLAN {
        let (&[i0, i1, t0, t1], inner) = rest.split_first_chunk::<4>()?;
        vlan.push(u16::from_be_bytes([i0, i1]) & 0x0FFF);
        tunnels.insert(Tunnels::VLAN);
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
    if vi != 0x45 || [f0 & 0xBF, f1] != [0, 0] || total + 6 <= rest.len() {
        return None;
    }
    let body = rest.get(20..total)?;
    Some(Ordinary { ethernet, vlan, tunnels, ip, body })
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
        self.tunnels.contains(Tunnels::VLAN)
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
    pub(super) fn packet(&self, frame: &Frame<'a>, payload: Payload<'a>) -> Packet<'a> {
        let [d0, d1, d2, d3, d4, d5, s0, s1, s2, s3, s4, s5, ..] = *self.ethernet;
        let [_, _, _, _, i0, i1, _, _, _, _, _, _, a0, a1, a2, a3, b0, b1, b2, b3] = *self.ip;
        Packet {
            src_mac: Some(MacAddr([s0, s1, s2, s3, s4, s5])),
            dst_mac: Some(MacAddr([d0, d1, d2, d3, d4, d5])),
            vlan: self.vlan,
            ip: Some((IpAddr::V4(Ipv4Addr::new(a0, a1, a2, a3)), IpAddr::V4(Ipv4Addr::new(b0, b1, b2, b3)))),
            ip_id: u16::from_be_bytes([i0, i1]),
            redundancy: None,
            tunnels: self.tunnels,
            first_frame: frame.place,
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
    let is_ordinary = usize::from(u16::from_be_bytes([l0, l1])) == body.len() && !options.is_vxlan(dst_port);
    is_ordinary.then_some(Datagram {
        src_port: u16::from_be_bytes([s0, s1]),
        dst_port,
        bytes,
        wire_len: bytes.len() as u32,
    })
}
