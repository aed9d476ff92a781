//! What carries Ethernet as it is: provider backbone bridges (IEEE 802.1ah), EtherIP (RFC 3378).
//!
//! ```text
//! I-TAG behind Ethertype 0x88E7: priority, flags 1 | service 3 | Ethernet
//! EtherIP: version 4 bits (3) | reserved 12 (0) | Ethernet
//! ```

use super::counters::Layer;
use super::walk::{Outcome, View, Walk};
use super::{Tunnels, protocol};

impl<'a> Walk<'a> {
    /// The customer's frame behind an I-TAG.
    pub(super) fn backbone(&mut self, view: View<'a>) -> Outcome {
        if view.bytes.len() < 4 {
            return self.short(view, 4, Layer::Tag);
        }
        self.counters.backbone += 1;
        self.ethernet_within(Tunnels::BACKBONE, view.skip(4))
    }

    /// Ethernet in IP.
    pub(super) fn ether_ip(&mut self, view: View<'a>) -> Outcome {
        let [0x30, 0, ..] = *view.bytes else { return self.opaque(protocol::ETHER_IP, view) };
        self.counters.ether_ip += 1;
        self.ethernet_within(Tunnels::ETHER_IP, view.skip(2))
    }

    fn ethernet_within(&mut self, tunnel: Tunnels, view: View<'a>) -> Outcome {
        if !self.enter() {
            return self.too_deep();
        }
        self.packet.tunnels.insert(tunnel);
        self.ethernet(view)
    }
}
