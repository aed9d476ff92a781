//! VXLAN (RFC 7348) and its Generic Protocol Extension.
//!
//! ```text
//! VXLAN: flags 1 (I = 0x08) | reserved 3 | VNI 3 | reserved 1 | Ethernet
//! GPE:   flags 1 (I = 0x08, P = 0x04) | reserved 2 | next protocol 1 | VNI 3 | reserved 1
//! ```
//! Receivers ignore reserved bits, so only the I flag is asked for. What is not VXLAN after all is shown
//! as the UDP datagram it is.

use super::walk::{Outcome, View, Walk};
use super::{Tunnels, ethernet};

const VALID_VNI: u8 = 0x08;
const NEXT_PROTOCOL: u8 = 0x04;

impl<'a> Walk<'a> {
    /// The payload of a UDP datagram to a VXLAN port. The datagram itself stands in `packet.payload`.
    pub(super) fn vxlan(&mut self, port: u16, view: View<'a>) -> Outcome {
        let Some((&[flags, _, _, next, _, _, _, _], _)) = view.bytes.split_first_chunk::<8>() else {
            return self.not_vxlan();
        };
        if flags & VALID_VNI == 0 {
            return self.not_vxlan();
        }
        if !self.enter() {
            return self.too_deep();
        }
        let datagram = self.packet;
        self.packet.tunnels.insert(Tunnels::VXLAN);
        self.counters.vxlan += 1;
        let inner = view.skip(8);
        let extended = flags & NEXT_PROTOCOL != 0 && self.options.vxlan_gpe_ports.contains(&port);
        let outcome = match (extended, next) {
            (false, _) | (true, 3) => self.ethernet(inner),
            (true, 1) => self.ipv4(inner),
            (true, 2) => self.ipv6(inner),
            (true, 5) => self.mpls(ethernet::MPLS, inner),
            (true, _) => {
                self.counters.not_followed += 1;
                self.packet = datagram;
                return Outcome::Done;
            }
        };
        if outcome == Outcome::Undecodable {
            // the reason has been counted; the datagram is better than nothing
            self.packet = datagram;
            return Outcome::Done;
        }
        outcome
    }

    fn not_vxlan(&mut self) -> Outcome {
        self.counters.vxlan_unknown += 1;
        Outcome::Done
    }
}
