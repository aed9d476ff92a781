//! TCP headers (RFC 9293).
//!
//! ```text
//! source port 2 | destination port 2 | sequence 4 | acknowledgement 4
//! data offset 4 bits | reserved 4 | flags 8 | window 2 | checksum 2 | urgent 2 | options
//! ```

use super::counters::Layer;
use super::walk::{Outcome, View, Walk};
use super::{Checksums, Payload, Segment, checksum, protocol};

impl<'a> Walk<'a> {
    /// A TCP segment.
    #[inline]
    pub(super) fn tcp(&mut self, view: View<'a>) -> Outcome {
        let Some((header, _)) = view.bytes.split_first_chunk::<20>() else {
            return self.short(view, 20, Layer::Tcp);
        };
        let [s0, s1, d0, d1, q0, q1, q2, q3, a0, a1, a2, a3, offset, flags, _, _, _, _, _, _] = *header;
        let header_length = usize::from(offset >> 4) * 4;
        if header_length < 20 || header_length > view.wire {
            return self.malformed(Layer::Tcp);
        }
        if self.options.checksums != Checksums::Ignore && !self.verify_transport(protocol::TCP, view) {
            return Outcome::Discarded;
        }
        // options may have been cut by the snap length: the segment still counts, with nothing in it
        let payload = view.skip(header_length);
        self.done(Payload::Tcp(Segment {
            src_port: u16::from_be_bytes([s0, s1]),
            dst_port: u16::from_be_bytes([d0, d1]),
            seq: u32::from_be_bytes([q0, q1, q2, q3]),
            ack: u32::from_be_bytes([a0, a1, a2, a3]),
            flags,
            bytes: payload.bytes,
            wire_len: payload.wire as u32,
        }))
    }

    /// Verify a TCP or UDP checksum; false if the packet is to be discarded.
    #[inline(never)]
    pub(super) fn verify_transport(&mut self, protocol: u8, view: View<'a>) -> bool {
        let Some(addresses) = self.packet.ip.filter(|_| !view.is_cut()) else {
            self.counters.unverified_checksum += 1;
            return true;
        };
        if checksum::transport_is_right(addresses, protocol, view.bytes) {
            return true;
        }
        if protocol == protocol::TCP {
            self.counters.bad_tcp_checksum += 1;
        } else {
            self.counters.bad_udp_checksum += 1;
        }
        self.options.checksums != Checksums::Discard
    }
}
