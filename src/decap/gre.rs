//! Generic routing encapsulation (RFC 2784, RFC 2890).
//!
//! ```text
//! C 1 bit | R 1 | K 1 | S 1 | s 1 | recursion 3 | reserved 5 | version 3 | protocol 2
//! [ checksum 2 | offset 2 ] if C or R   [ key 4 ] if K   [ sequence 4 ] if S
//! ```
//! The protocol is an Ethertype; 0x6558 is a bridged Ethernet frame, 0x88BE and 0x22EB are ERSPAN.
//! Version 1 (PPTP, RFC 2637) carries PPP. Source routing (RFC 1701) is counted and not followed.

use super::counters::Layer;
use super::walk::{Outcome, View, Walk};
use super::{Tunnels, ethernet, protocol};

const CHECKSUM: u16 = 0x8000;
const ROUTING: u16 = 0x4000;
const KEY: u16 = 0x2000;
const SEQUENCE: u16 = 0x1000;
const VERSION: u16 = 0x0007;

pub(super) const BRIDGED_ETHERNET: u16 = 0x6558;
const ERSPAN: u16 = 0x88BE;
const ERSPAN_III: u16 = 0x22EB;

impl<'a> Walk<'a> {
    /// GRE, carried by IP.
    pub(super) fn gre(&mut self, view: View<'a>) -> Outcome {
        let Some((&[f0, f1, p0, p1], _)) = view.bytes.split_first_chunk::<4>() else {
            return self.short(view, 4, Layer::Tunnel);
        };
        let flags = u16::from_be_bytes([f0, f1]);
        let carried = u16::from_be_bytes([p0, p1]);
        if flags & VERSION == 1 {
            self.counters.gre_pptp += 1;
            return self.pptp(view);
        }
        if flags & VERSION != 0 || flags & ROUTING != 0 {
            self.counters.gre_unknown += 1;
            return self.opaque(protocol::GRE, view);
        }
        let optional = [CHECKSUM, KEY, SEQUENCE].into_iter().filter(|bit| flags & bit != 0).count();
        let length = 4 + 4 * optional;
        if view.bytes.len() < length {
            return self.short(view, length, Layer::Tunnel);
        }
        if !self.enter() {
            return self.too_deep();
        }
        let inner = view.skip(length);
        let outer = self.packet;
        self.packet.tunnels.insert(Tunnels::GRE);
        self.counters.gre += 1;
        match carried {
            ethernet::IPV4 => self.ipv4(inner),
            ethernet::IPV6 => self.ipv6(inner),
            ethernet::MPLS | ethernet::MPLS_UPSTREAM => self.mpls(carried, inner),
            BRIDGED_ETHERNET => self.ethernet(inner),
            // type I has no header of its own, and no sequence number
            ERSPAN if flags & SEQUENCE == 0 => self.erspan_1(inner),
            ERSPAN => self.erspan_2(inner),
            ERSPAN_III => self.erspan_3(inner),
            tpid if ethernet::is_vlan(tpid) => self.ethertype(tpid, inner),
            _ => {
                self.counters.gre -= 1;
                self.counters.gre_unknown += 1;
                self.packet = outer;
                self.opaque(protocol::GRE, view)
            }
        }
    }
}
