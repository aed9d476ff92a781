//! IP protocol numbers and what stands behind them.

use super::counters::Layer;
use super::walk::{Outcome, View, Walk};
use super::{Payload, Tunnels};

pub(super) const IP_IN_IP: u8 = 4;
pub(super) const TCP: u8 = 6;
pub(super) const UDP: u8 = 17;
pub(super) const IPV6_IN_IP: u8 = 41;
pub(super) const FRAGMENT: u8 = 44;
pub(super) const GRE: u8 = 47;
pub(super) const ESP: u8 = 50;
pub(super) const AH: u8 = 51;
pub(super) const NO_NEXT_HEADER: u8 = 59;
pub(super) const ETHER_IP: u8 = 97;
pub(super) const L2TP_3: u8 = 115;
pub(super) const MPLS_IN_IP: u8 = 137;

impl<'a> Walk<'a> {
    /// The payload of an IP packet.
    #[inline]
    pub(super) fn protocol(&mut self, protocol: u8, view: View<'a>) -> Outcome {
        match protocol {
            TCP => self.tcp(view),
            UDP => self.udp(view),
            other => self.other_protocol(other, view),
        }
    }

    #[inline(never)]
    fn other_protocol(&mut self, protocol: u8, view: View<'a>) -> Outcome {
        match protocol {
            IP_IN_IP | IPV6_IN_IP => {
                self.counters.ip_in_ip += 1;
                self.packet.tunnels.insert(Tunnels::IP_IN_IP);
                match (self.enter(), protocol) {
                    (false, _) => self.too_deep(),
                    (true, IP_IN_IP) => self.ipv4(view),
                    (true, _) => self.ipv6(view),
                }
            }
            GRE => self.gre(view),
            AH => self.authentication_header(view),
            ETHER_IP => self.ether_ip(view),
            L2TP_3 => {
                self.counters.not_followed += 1;
                self.opaque(protocol, view)
            }
            MPLS_IN_IP if self.enter() => self.mpls(super::ethernet::MPLS, view),
            MPLS_IN_IP => self.too_deep(),
            ESP => {
                self.counters.ipsec_esp += 1;
                self.opaque(protocol, view)
            }
            _ => self.opaque(protocol, view),
        }
    }

    /// IP payload that is handed out as it is.
    pub(super) fn opaque(&mut self, protocol: u8, view: View<'a>) -> Outcome {
        self.done(Payload::Ip { protocol, bytes: view.bytes })
    }

    /// IPsec authentication header (RFC 4302): what it authenticates stands behind it in the clear.
    fn authentication_header(&mut self, view: View<'a>) -> Outcome {
        let [next, length, ..] = *view.bytes else {
            return self.short(view, 2, Layer::Tunnel);
        };
        let length = (usize::from(length) + 2) * 4;
        if length < 12 {
            return self.malformed(Layer::Tunnel);
        }
        if length > view.bytes.len() {
            return self.short(view, length, Layer::Tunnel);
        }
        if !self.enter() {
            return self.too_deep();
        }
        self.counters.ipsec_ah += 1;
        self.after_reassembly(next, view.skip(length))
    }
}
