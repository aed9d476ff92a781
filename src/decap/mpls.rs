//! MPLS label stacks (RFC 3032) and what they carry.
//!
//! ```text
//! label 20 bits | traffic class 3 | bottom of stack 1 | TTL 8          as often as needed
//! [ 0000 | flags, fragmentation, length | sequence 2 ]                pseudowire control word (RFC 4385)
//! ```
//! Nothing on the wire says what follows the bottom label. The first nibble of IP is its version, that
//! of a control word 0; an Ethernet pseudowire without one begins with an address, which may begin with
//! any of these. So a guess must be confirmed by what follows it.

use super::counters::Layer;
use super::options::MAX_MPLS_LABELS;
use super::walk::{Outcome, View, Walk};
use super::{Tunnels, ethernet};

impl<'a> Walk<'a> {
    /// A label stack, announced by `ethertype`.
    pub(super) fn mpls(&mut self, ethertype: u16, view: View<'a>) -> Outcome {
        let mut inner = view;
        let mut is_bottom = false;
        for _ in 0..MAX_MPLS_LABELS {
            let Some((&[_, _, bottom, _], _)) = inner.bytes.split_first_chunk::<4>() else {
                return self.short(inner, 4, Layer::Tag);
            };
            inner = inner.skip(4);
            is_bottom = bottom & 1 != 0;
            if is_bottom {
                break;
            }
        }
        if !is_bottom || !self.enter() {
            return self.too_deep();
        }
        self.counters.mpls += 1;
        let outer = self.packet;
        self.packet.tunnels.insert(Tunnels::MPLS);
        if is_ipv4(inner) {
            return self.ipv4(inner);
        }
        if is_ipv6(inner) {
            return self.ipv6(inner);
        }
        // a control word first: its zeros would make an unlikely, though possible, Ethernet address
        if inner.bytes.first().is_some_and(|b| b >> 4 == 0) && is_ethernet(inner.skip(4)) {
            return self.ethernet(inner.skip(4));
        }
        if is_ethernet(inner) {
            return self.ethernet(inner);
        }
        self.counters.mpls_unknown += 1;
        self.packet = outer;
        // also where the stack came in IP: the label stack's Ethertype names it best
        self.done(view.payload(ethertype))
    }
}

/// Whether a sound IPv4 header stands here.
fn is_ipv4(view: View<'_>) -> bool {
    let [vi, _, l0, l1, ..] = *view.bytes else { return false };
    let header = usize::from(vi & 0x0F) * 4;
    let total = usize::from(u16::from_be_bytes([l0, l1]));
    vi >> 4 == 4 && header >= 20 && total >= header && total <= view.wire
}

/// Whether a sound IPv6 header stands here.
fn is_ipv6(view: View<'_>) -> bool {
    let [first, _, _, _, l0, l1, ..] = *view.bytes else { return false };
    first >> 4 == 6 && view.wire >= 40 + usize::from(u16::from_be_bytes([l0, l1]))
}

/// Whether an Ethernet header with a known type or a fitting length stands here.
fn is_ethernet(view: View<'_>) -> bool {
    let Some(&[t0, t1]) = view.bytes.get(12..14) else { return false };
    let ethertype = u16::from_be_bytes([t0, t1]);
    match ethertype {
        ethernet::IPV4 => is_ipv4(view.skip(14)),
        ethernet::IPV6 => is_ipv6(view.skip(14)),
        ethernet::MPLS | ethernet::MPLS_UPSTREAM => true,
        0..=1500 => usize::from(ethertype) >= 3 && usize::from(ethertype) <= view.wire - 14,
        other => ethernet::is_vlan(other) || ethernet::is_known(other),
    }
}
