//! TaZmen sniffer protocol: frames that an access point or router mirrors over UDP.
//!
//! ```text
//! version 1 (1) | type 1 | encapsulated protocol 2 (1: Ethernet) | tags | frame
//! tag: type 1 (0 padding, 1 end: nothing follows) | length 1 | value
//! ```

use super::Tunnels;
use super::walk::{Outcome, View, Walk};

/// The UDP port it is sent to.
pub(super) const PORT: u16 = 37_008;

const RECEIVED: u8 = 0;
const TO_TRANSMIT: u8 = 1;
const ETHERNET: [u8; 2] = [0, 1];
const TAG_PADDING: u8 = 0;
const TAG_END: u8 = 1;
/// Tags of one frame; nobody needs more than a dozen.
const MAX_TAGS: usize = 32;

impl<'a> Walk<'a> {
    /// The payload of a datagram to the port; `None` if it is no mirrored Ethernet frame.
    pub(super) fn tzsp(&mut self, view: View<'a>) -> Option<Outcome> {
        let (&[version, kind, p0, p1], _) = view.bytes.split_first_chunk::<4>()?;
        if version != 1 || !matches!(kind, RECEIVED | TO_TRANSMIT) || [p0, p1] != ETHERNET {
            return None;
        }
        let mut rest = view.skip(4);
        for _ in 0..MAX_TAGS {
            match *rest.bytes {
                [TAG_END, ..] => {
                    self.counters.tzsp += 1;
                    self.packet.tunnels.insert(Tunnels::TZSP);
                    return Some(self.ethernet(rest.skip(1)));
                }
                [TAG_PADDING, ..] => rest = rest.skip(1),
                [_, length, ..] => rest = rest.skip(2 + usize::from(length)),
                _ => return None,
            }
        }
        None
    }
}
