//! Linux cooked captures, version 1 (LINKTYPE 113) and 2 (LINKTYPE 276).
//!
//! ```text
//! v1: packet type 2 | ARPHRD 2 | address length 2 | address 8 | protocol 2
//! v2: protocol 2 | reserved 2 | interface 4 | ARPHRD 2 | packet type 1 | address length 1 | address 8
//! ```
//! The protocol is an Ethertype for the link types that matter here; 1 and 4 announce 802.3 and LLC.

use parsers::MacAddr;

use super::counters::Layer;
use super::walk::{Outcome, View, Walk};

const NETLINK: u16 = 824;
const GRE: u16 = 778;
const IEEE_802_3: u16 = 1;
const IEEE_802_2: u16 = 4;

impl<'a> Walk<'a> {
    /// Version 1.
    pub(super) fn cooked(&mut self, view: View<'a>) -> Outcome {
        let Some((header, _)) = view.bytes.split_first_chunk::<16>() else {
            return self.short(view, 16, Layer::Link);
        };
        let [_, _, h0, h1, l0, l1, a0, a1, a2, a3, a4, a5, _, _, p0, p1] = *header;
        if [l0, l1] == [0, 6] {
            self.packet.src_mac = Some(MacAddr([a0, a1, a2, a3, a4, a5]));
        }
        self.cooked_payload(u16::from_be_bytes([h0, h1]), u16::from_be_bytes([p0, p1]), view.skip(16))
    }

    /// Version 2.
    pub(super) fn cooked2(&mut self, view: View<'a>) -> Outcome {
        let Some((header, _)) = view.bytes.split_first_chunk::<20>() else {
            return self.short(view, 20, Layer::Link);
        };
        let [p0, p1, _, _, _, _, _, _, h0, h1, _, length, a0, a1, a2, a3, a4, a5, _, _] = *header;
        if length == 6 {
            self.packet.src_mac = Some(MacAddr([a0, a1, a2, a3, a4, a5]));
        }
        self.cooked_payload(u16::from_be_bytes([h0, h1]), u16::from_be_bytes([p0, p1]), view.skip(20))
    }

    fn cooked_payload(&mut self, hardware: u16, protocol: u16, view: View<'a>) -> Outcome {
        match (hardware, protocol) {
            (NETLINK, _) => {
                self.counters.unknown_ethertype += 1;
                self.done(view.payload(protocol))
            }
            // the protocol field is that of the GRE header, which for bridging is not an Ethertype
            (GRE, 0x6558) => self.ethernet(view),
            // both announce LLC without a length field
            (_, IEEE_802_3 | IEEE_802_2) => {
                let length = view.wire.min(1500) as u16;
                self.ethertype(length, view)
            }
            _ => self.ethertype(protocol, view),
        }
    }
}
