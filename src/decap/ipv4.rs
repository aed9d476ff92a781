//! IPv4 (RFC 791).
//!
//! ```text
//! version 4 bits | IHL 4 | TOS 1 | total length 2
//! identification 2 | flags 3 bits | fragment offset 13 (in 8 octets)
//! TTL 1 | protocol 1 | header checksum 2
//! source 4 | destination 4 | options (IHL - 5) x 4
//! ```

use core::net::{IpAddr, Ipv4Addr};

use super::counters::Layer;
use super::fragments::{Fragment, FragmentKey};
use super::walk::{Outcome, View, Walk};
use super::{Checksums, checksum};

const MORE_FRAGMENTS: u16 = 0x2000;
const OFFSET: u16 = 0x1FFF;

impl<'a> Walk<'a> {
    /// Bare IP: the first nibble says which.
    pub(super) fn raw_ip(&mut self, view: View<'a>) -> Outcome {
        match view.bytes.first().map(|b| b >> 4) {
            Some(4) => self.ipv4(view),
            Some(6) => self.ipv6(view),
            Some(_) => self.malformed(Layer::Ipv4),
            None => self.short(view, 1, Layer::Ipv4),
        }
    }

    /// An IPv4 packet.
    #[inline]
    pub(super) fn ipv4(&mut self, view: View<'a>) -> Outcome {
        let Some((header, _)) = view.bytes.split_first_chunk::<20>() else {
            return self.short(view, 20, Layer::Ipv4);
        };
        let [vi, _, l0, l1, i0, i1, f0, f1, _, protocol, _, _, s0, s1, s2, s3, d0, d1, d2, d3] = *header;
        let header_length = usize::from(vi & 0x0F) * 4;
        if vi >> 4 != 4 || header_length < 20 {
            return self.malformed(Layer::Ipv4);
        }
        let mut total = usize::from(u16::from_be_bytes([l0, l1]));
        if total == 0 {
            // segmentation offload: the capturing host had not split it yet
            self.counters.offload_lengths += 1;
            total = view.wire;
        }
        if total > view.wire {
            self.counters.length_lies += 1;
        }
        if total + 6 <= view.wire {
            self.without_prp_trailer(view);
        }
        let packet = view.limit(total);
        if total < header_length || packet.bytes.len() < header_length {
            return self.short(packet, header_length, Layer::Ipv4);
        }
        if self.options.checksums != Checksums::Ignore && !self.verify_header(&packet.bytes[..header_length])
        {
            return Outcome::Discarded;
        }
        let identification = u16::from_be_bytes([i0, i1]);
        let src = Ipv4Addr::new(s0, s1, s2, s3);
        let dst = Ipv4Addr::new(d0, d1, d2, d3);
        self.packet.ip = Some((IpAddr::V4(src), IpAddr::V4(dst)));
        self.packet.ip_id = identification;
        let body = packet.skip(header_length);
        let flags = u16::from_be_bytes([f0, f1]);
        if flags & (MORE_FRAGMENTS | OFFSET) == 0 {
            return self.protocol(protocol, body);
        }
        let fragment = Fragment {
            key: FragmentKey {
                src: src.to_ipv6_mapped(),
                dst: dst.to_ipv6_mapped(),
                id: u32::from(identification),
                protocol: Some(protocol),
            },
            offset: u32::from(flags & OFFSET) * 8,
            more: flags & MORE_FRAGMENTS != 0,
            protocol,
        };
        self.fragment(&fragment, body)
    }

    /// Verify the header checksum; false if the packet is to be discarded.
    #[inline(never)]
    fn verify_header(&mut self, header: &[u8]) -> bool {
        if checksum::header_is_right(header) {
            return true;
        }
        self.counters.bad_ip_checksum += 1;
        self.options.checksums != Checksums::Discard
    }
}
