//! GPRS tunnelling protocol, user plane (3GPP TS 29.281): what mobile networks carry to remote stations.
//!
//! ```text
//! version 3 bits (1) | PT 1 (1) | 0 | E 1 | S 1 | PN 1 | type 1 (255: a packet) | length 2 | TEID 4
//! [ sequence 2 | N-PDU 1 | next extension 1 ] if E, S or PN
//! extension: length 1, in 4 octets | content | next extension 1
//! ```

use super::Tunnels;
use super::walk::{Outcome, View, Walk};

/// The UDP port it is sent to.
pub(super) const PORT: u16 = 2152;

const PACKET: u8 = 255;
/// Extension headers of one packet; the standard knows five kinds.
const MAX_EXTENSIONS: usize = 8;

impl<'a> Walk<'a> {
    /// The payload of a datagram to the port; `None` if it carries no packet.
    pub(super) fn gtp(&mut self, view: View<'a>) -> Option<Outcome> {
        let (&[flags, kind, ..], _) = view.bytes.split_first_chunk::<8>()?;
        if flags >> 4 != 0b0011 || kind != PACKET {
            return None;
        }
        let mut inner = view.skip(8);
        if flags & 0x07 != 0 {
            let (&[_, _, _, mut next], _) = inner.bytes.split_first_chunk::<4>()?;
            inner = inner.skip(4);
            if flags & 0x04 == 0 {
                next = 0;
            }
            for _ in 0..MAX_EXTENSIONS {
                if next == 0 {
                    break;
                }
                let length = usize::from(*inner.bytes.first()?) * 4;
                next = *inner.bytes.get(length.checked_sub(1)?)?;
                inner = inner.skip(length);
            }
            if next != 0 {
                return None;
            }
        }
        if !inner.bytes.first().is_some_and(|first| matches!(first >> 4, 4 | 6)) {
            return None;
        }
        self.counters.gtp += 1;
        self.packet.tunnels.insert(Tunnels::GTP);
        Some(self.raw_ip(inner))
    }
}
