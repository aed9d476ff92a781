//! UDP headers (RFC 768).
//!
//! ```text
//! source port 2 | destination port 2 | length 2 (header included) | checksum 2
//! ```

use super::counters::Layer;
use super::walk::{Outcome, View, Walk};
use super::{Checksums, Datagram, Payload, protocol};

impl<'a> Walk<'a> {
    /// A UDP datagram.
    #[inline]
    pub(super) fn udp(&mut self, view: View<'a>) -> Outcome {
        let Some((&[s0, s1, d0, d1, l0, l1, c0, c1], _)) = view.bytes.split_first_chunk::<8>() else {
            return self.short(view, 8, Layer::Udp);
        };
        let mut length = usize::from(u16::from_be_bytes([l0, l1]));
        if length == 0 {
            // a jumbogram (RFC 2675) or segmentation offload
            length = view.wire;
        }
        if length < 8 {
            return self.malformed(Layer::Udp);
        }
        if length > view.wire {
            self.counters.length_lies += 1;
        } else if length < view.wire {
            self.counters.udp_trailing += 1;
        }
        let datagram = view.limit(length);
        // a checksum of zero says that there is none
        if self.options.checksums != Checksums::Ignore
            && [c0, c1] != [0, 0]
            && !self.verify_transport(protocol::UDP, datagram)
        {
            return Outcome::Discarded;
        }
        let payload = datagram.skip(8);
        let dst_port = u16::from_be_bytes([d0, d1]);
        self.packet.payload = Payload::Udp(Datagram {
            src_port: u16::from_be_bytes([s0, s1]),
            dst_port,
            bytes: payload.bytes,
            wire_len: payload.wire as u32,
        });
        if self.options.is_vxlan(dst_port) {
            return self.vxlan(dst_port, payload);
        }
        Outcome::Done
    }
}
