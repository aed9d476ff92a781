//! Point-to-point protocol (RFC 1661): over Ethernet (PPPoE, RFC 2516), in GRE version 1 (PPTP, RFC 2637), in UDP
//! (L2TP, RFC 2661), and as a capture's link, where Cisco's HDLC looks much alike.
//!
//! ```text
//! PPPoE: version 4 bits (1) | type 4 (1) | code 1 (0: session) | session 2 | length 2 | PPP
//! PPTP:  flags 2 | 0x880B | length 2 | call 2 | [ sequence 4 ] if S | [ acknowledgement 4 ] if A | PPP
//! L2TP:  T 1 bit (0) | L 1 | 0 2 | S 1 | 0 1 | O 1 | P 1 | 0 4 | version 4 (2)
//!        [ length 2 ] if L | tunnel 2 | session 2 | [ sequence 4 ] if S | [ size 2 | padding ] if O | PPP
//! PPP:   [ 0xFF 0x03 ] | protocol 1 or 2 (the last octet is odd) | payload
//! HDLC:  address 1 (0x0F, 0x8F) | control 1 | Ethertype 2 | payload
//! ```

use super::counters::Layer;
use super::walk::{Outcome, View, Walk};
use super::{Tunnels, ethernet, protocol};

const IPV4: u16 = 0x0021;
const IPV6: u16 = 0x0057;
const MPLS: u16 = 0x0281;
/// From here on protocols negotiate and carry nothing.
const CONTROL: u16 = 0x8000;
/// The UDP port of L2TP.
pub(super) const L2TP_PORT: u16 = 1701;
const L2TP_LENGTH: u16 = 0x4000;
const L2TP_SEQUENCE: u16 = 0x0800;
const L2TP_OFFSET: u16 = 0x0200;

const SEQUENCE: u8 = 0x10;
const ACKNOWLEDGEMENT: u8 = 0x80;

impl<'a> Walk<'a> {
    /// PPPoE, a session's frame.
    pub(super) fn pppoe(&mut self, view: View<'a>) -> Outcome {
        let Some((&[kind, code, _, _, l0, l1], _)) = view.bytes.split_first_chunk::<6>() else {
            return self.short(view, 6, Layer::Tunnel);
        };
        if kind != 0x11 || code != 0 {
            return self.unfollowed(ethernet::PPPOE, view);
        }
        let frame = view.skip(6).limit(usize::from(u16::from_be_bytes([l0, l1])));
        self.ppp(frame).unwrap_or_else(|| self.ppp_alone(view))
    }

    /// GRE version 1. Without a sequence number it carries nothing but an acknowledgement.
    pub(super) fn pptp(&mut self, view: View<'a>) -> Outcome {
        let Some((&[first, second, _, _, l0, l1, ..], _)) = view.bytes.split_first_chunk::<8>() else {
            return self.short(view, 8, Layer::Tunnel);
        };
        let length = usize::from(u16::from_be_bytes([l0, l1]));
        if first & SEQUENCE == 0 || length == 0 {
            return self.opaque(protocol::GRE, view);
        }
        let header = if second & ACKNOWLEDGEMENT == 0 { 12 } else { 16 };
        let frame = view.skip(header).limit(length);
        self.ppp(frame).unwrap_or_else(|| self.opaque(protocol::GRE, view))
    }

    /// The payload of a datagram to L2TP's port; `None` if it carries no frame, but controls the tunnel.
    pub(super) fn l2tp(&mut self, view: View<'a>) -> Option<Outcome> {
        let (&[f0, f1], _) = view.bytes.split_first_chunk::<2>()?;
        let flags = u16::from_be_bytes([f0, f1]);
        if flags & !(L2TP_LENGTH | L2TP_SEQUENCE | L2TP_OFFSET | 0x0100) != 2 {
            return None;
        }
        let present = |bit: u16, octets: usize| if flags & bit == 0 { 0 } else { octets };
        let mut inner = view.skip(6 + present(L2TP_LENGTH, 2) + present(L2TP_SEQUENCE, 4));
        if flags & L2TP_OFFSET != 0 {
            let (&[o0, o1], _) = inner.bytes.split_first_chunk::<2>()?;
            inner = inner.skip(2 + usize::from(u16::from_be_bytes([o0, o1])));
        }
        self.ppp(inner)
    }

    /// A PPP frame; `None` if it carries none of the packets that are looked into.
    fn ppp(&mut self, view: View<'a>) -> Option<Outcome> {
        let view = if view.bytes.starts_with(&[0xFF, 0x03]) { view.skip(2) } else { view };
        let (protocol, inner) = match *view.bytes {
            [only, ..] if only & 1 == 1 => (u16::from(only), view.skip(1)),
            [high, low, ..] => (u16::from_be_bytes([high, low]), view.skip(2)),
            _ => return None,
        };
        if !matches!(protocol, IPV4 | IPV6 | MPLS) {
            // compressed or encrypted, mostly
            self.counters.not_followed += u64::from(protocol < CONTROL);
            return None;
        }
        if !self.enter() {
            return Some(self.too_deep());
        }
        self.counters.ppp += 1;
        self.packet.tunnels.insert(Tunnels::PPP);
        Some(match protocol {
            IPV4 => self.ipv4(inner),
            IPV6 => self.ipv6(inner),
            _ => self.mpls(ethernet::MPLS, inner),
        })
    }

    /// A frame of which no more is known than that it is one of PPP.
    fn ppp_alone(&mut self, view: View<'a>) -> Outcome {
        self.packet.ip = None;
        self.done(view.payload(ethernet::PPPOE))
    }

    /// A link of PPP in HDLC frames, or of Cisco's HDLC.
    pub(super) fn hdlc(&mut self, view: View<'a>) -> Outcome {
        match *view.bytes {
            [0x0F | 0x8F, _, t0, t1, ..] => self.ethertype(u16::from_be_bytes([t0, t1]), view.skip(4)),
            _ => self.ppp(view).unwrap_or_else(|| self.ppp_alone(view)),
        }
    }
}
