//! IPv6 (RFC 8200) with its extension headers.
//!
//! ```text
//! version 4 bits | traffic class 8 | flow label 20
//! payload length 2 | next header 1 | hop limit 1 | source 16 | destination 16
//!
//! hop-by-hop, routing, destination options: next header 1 | length in 8 octets, less 1 | content
//! fragment (44): next header 1 | reserved 1 | offset 13 bits (in 8 octets) | 2 | M 1 | identification 4
//! authentication (51): next header 1 | length in 4 octets, less 2 | content
//! ```

use core::net::{IpAddr, Ipv6Addr};

use super::counters::Layer;
use super::fragments::{Fragment, FragmentKey};
use super::options::MAX_EXTENSION_HEADERS;
use super::protocol;
use super::walk::{Outcome, View, Walk};

const JUMBO_PAYLOAD: u8 = 0xC2;

impl<'a> Walk<'a> {
    /// An IPv6 packet.
    #[inline]
    pub(super) fn ipv6(&mut self, view: View<'a>) -> Outcome {
        let Some((header, _)) = view.bytes.split_first_chunk::<40>() else {
            return self.short(view, 40, Layer::Ipv6);
        };
        let [first, _, _, _, l0, l1, next, _, addresses @ ..] = *header;
        if first >> 4 != 6 {
            return self.malformed(Layer::Ipv6);
        }
        let ([src, dst], _) = addresses.as_chunks::<16>() else {
            return self.malformed(Layer::Ipv6);
        };
        let (src, dst) = (Ipv6Addr::from(*src), Ipv6Addr::from(*dst));
        self.packet.ip = Some((IpAddr::V6(src), IpAddr::V6(dst)));
        self.packet.ip_id = 0;
        let body = view.skip(40);
        let mut length = usize::from(u16::from_be_bytes([l0, l1]));
        if length == 0 && next != protocol::NO_NEXT_HEADER {
            // a jumbogram, or segmentation offload
            if is_jumbogram(next, body.bytes) {
                self.counters.jumbograms += 1;
            } else {
                self.counters.offload_lengths += 1;
            }
            length = body.wire;
        }
        if length > body.wire {
            self.counters.length_lies += 1;
        }
        if length + 6 <= body.wire {
            self.without_prp_trailer(view);
        }
        let body = body.limit(length);
        match next {
            protocol::TCP => self.tcp(body),
            protocol::UDP => self.udp(body),
            _ => self.extension_headers(next, body, src, dst),
        }
    }

    fn extension_headers(
        &mut self,
        mut next: u8,
        mut view: View<'a>,
        src: Ipv6Addr,
        dst: Ipv6Addr,
    ) -> Outcome {
        for _ in 0..MAX_EXTENSION_HEADERS {
            let length = match next {
                // hop-by-hop, routing, destination options, mobility, host identity, shim6
                0 | 43 | 60 | 135 | 139 | 140 => extension_length(view.bytes),
                protocol::FRAGMENT => Some(8),
                _ => return self.protocol(next, view),
            };
            let Some(length) = length.filter(|l| *l <= view.bytes.len()) else {
                return self.short(view, length.unwrap_or(2), Layer::Ipv6);
            };
            if next == protocol::FRAGMENT
                && let [following, _, o0, o1, i0, i1, i2, i3, ..] = *view.bytes
            {
                let offset = u16::from_be_bytes([o0, o1]);
                let more = offset & 1 != 0;
                // an "atomic" fragment is a whole datagram (RFC 6946)
                if offset & 0xFFF8 != 0 || more {
                    let fragment = Fragment {
                        key: FragmentKey {
                            src,
                            dst,
                            id: u32::from_be_bytes([i0, i1, i2, i3]),
                            protocol: None,
                        },
                        offset: u32::from(offset & 0xFFF8),
                        more,
                        protocol: following,
                    };
                    return self.fragment(&fragment, view.skip(8));
                }
            }
            next = view.bytes[0];
            view = view.skip(length);
        }
        self.too_deep()
    }

    /// Extension headers at the beginning of a reassembled datagram, or any other protocol.
    pub(super) fn after_reassembly(&mut self, next: u8, view: View<'a>) -> Outcome {
        match self.packet.ip {
            Some((IpAddr::V6(src), IpAddr::V6(dst))) => self.extension_headers(next, view, src, dst),
            _ => self.protocol(next, view),
        }
    }
}

/// Length of an extension header of the common form.
fn extension_length(bytes: &[u8]) -> Option<usize> {
    bytes.get(1).map(|l| (usize::from(*l) + 1) * 8)
}

/// Whether a hop-by-hop header begins with the jumbo payload option (RFC 2675).
fn is_jumbogram(next: u8, body: &[u8]) -> bool {
    next == 0 && matches!(body, [_, _, JUMBO_PAYLOAD, 4, ..])
}
