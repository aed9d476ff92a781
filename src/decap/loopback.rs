//! BSD loopback (LINKTYPE 0 and 108): an address family of four octets, in the capturing host's byte
//! order or the network's, then IP.

use super::counters::Layer;
use super::walk::{Outcome, View, Walk};

impl<'a> Walk<'a> {
    /// The address family says which IP; its byte order does not matter, the values are small.
    pub(super) fn loopback(&mut self, view: View<'a>) -> Outcome {
        let Some((family, _)) = view.bytes.split_first_chunk::<4>() else {
            return self.short(view, 4, Layer::Link);
        };
        let family = u32::from_be_bytes(*family).min(u32::from_le_bytes(*family));
        match family {
            2 => self.ipv4(view.skip(4)),
            // Linux, Windows, NetBSD and OpenBSD, FreeBSD, Darwin
            10 | 23 | 24 | 28 | 30 => self.ipv6(view.skip(4)),
            _ => self.malformed(Layer::Link),
        }
    }
}
