//! UDP headers (RFC 768).
//!
//! ```text
//! source port 2 | destination port 2 | length 2 (header included) | checksum 2
//! ```

use super::counters::Layer;
use super::options::MAX_MPLS_LABELS;
use super::walk::{Outcome, View, Walk};
use super::{Checksums, Datagram, Payload, ethernet, geneve, gtp, ppp, protocol, tzsp};

/// MPLS in UDP (RFC 7510).
const MPLS: u16 = 6635;

/// Whether datagrams to the port carry packets that are not looked into: Teredo, LISP, CAPWAP.
fn is_not_followed(port: u16) -> bool {
    matches!(port, 3544 | 4341 | 5247)
}

/// Ports of wrappings that are followed, VXLAN aside.
pub(crate) const FOLLOWED: [u16; 5] = [geneve::PORT, tzsp::PORT, gtp::PORT, ppp::L2TP_PORT, MPLS];

/// Whether a datagram to the port may carry a packet, VXLAN aside.
#[inline]
pub(super) fn is_tunnel(port: u16) -> bool {
    FOLLOWED.contains(&port) || is_not_followed(port)
}

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
        match dst_port {
            port if self.options.is_vxlan(port) => self.vxlan(port, payload),
            port if FOLLOWED.contains(&port) => self.tunnel(port, payload),
            port if is_not_followed(port) => {
                self.counters.not_followed += 1;
                Outcome::Done
            }
            _ => Outcome::Done,
        }
    }

    /// Wrappings other than VXLAN. What is none after all, or cannot be followed to its end, is shown as the
    /// datagram it is.
    fn tunnel(&mut self, port: u16, view: View<'a>) -> Outcome {
        let (datagram, depth) = (self.packet, self.depth);
        if !self.enter() {
            return self.too_deep();
        }
        let outcome = match port {
            geneve::PORT => self.geneve(view),
            tzsp::PORT => self.tzsp(view),
            gtp::PORT => self.gtp(view),
            ppp::L2TP_PORT => self.l2tp(view),
            _ => self.labelled(view),
        };
        match outcome {
            Some(outcome) if outcome != Outcome::Undecodable => outcome,
            _ => {
                self.depth = depth;
                self.packet = datagram;
                Outcome::Done
            }
        }
    }

    /// A label stack in a datagram. What shows no bottom of a stack, or nothing that is known behind it, is none.
    fn labelled(&mut self, view: View<'a>) -> Option<Outcome> {
        let labels = view.bytes.as_chunks::<4>().0.iter().take(MAX_MPLS_LABELS);
        labels.into_iter().find(|label| label[2] & 1 != 0)?;
        let (mpls, unknown) = (self.counters.mpls, self.counters.mpls_unknown);
        let outcome = self.mpls(ethernet::MPLS, view);
        if self.counters.mpls_unknown == unknown {
            return Some(outcome);
        }
        (self.counters.mpls, self.counters.mpls_unknown) = (mpls, unknown);
        None
    }
}
