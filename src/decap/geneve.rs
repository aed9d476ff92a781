//! Generic network virtualization encapsulation, Geneve (RFC 8926).
//!
//! ```text
//! version 2 bits | option length 6, in 4 octets | O 1 | C 1 | reserved 6 | Ethertype 2 | VNI 3 | reserved 1
//! options
//! ```

use super::walk::{Outcome, View, Walk};
use super::{Tunnels, ethernet, gre};

/// The UDP port it is sent to.
pub(super) const PORT: u16 = 6081;

impl<'a> Walk<'a> {
    /// The payload of a datagram to the port; `None` if it is no Geneve.
    pub(super) fn geneve(&mut self, view: View<'a>) -> Option<Outcome> {
        let (&[begin, _, t0, t1, ..], _) = view.bytes.split_first_chunk::<8>()?;
        let inner = view.skip(8 + usize::from(begin & 0x3F) * 4);
        if begin >> 6 != 0 || inner.bytes.is_empty() {
            return None;
        }
        let ethertype = u16::from_be_bytes([t0, t1]);
        let carries = matches!(ethertype, gre::BRIDGED_ETHERNET | ethernet::IPV4 | ethernet::IPV6);
        if !carries && !ethernet::is_known(ethertype) {
            return None;
        }
        self.counters.geneve += 1;
        self.packet.tunnels.insert(Tunnels::GENEVE);
        Some(if ethertype == gre::BRIDGED_ETHERNET {
            self.ethernet(inner)
        } else {
            self.ethertype(ethertype, inner)
        })
    }
}
