//! ARP over Ethernet for IPv4 (RFC 826): who says to have which address.
//!
//! ```text
//! hardware type 1 (2) | protocol 0x0800 (2) | 6 | 4 | operation (2) | sender MAC 6, IP 4 | target MAC 6, IP 4
//! ```

use core::net::Ipv4Addr;

use parsers::MacAddr;

/// Ethertype of ARP.
pub(super) const ETHERTYPE: u16 = 0x0806;

/// What a frame says.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub(super) struct Arp {
    /// An answer, not a question.
    pub(super) is_reply: bool,
    /// Who says it.
    pub(super) sender: (MacAddr, Ipv4Addr),
    /// Whom it asks for, or tells.
    pub(super) target: Ipv4Addr,
}

impl Arp {
    /// The message, if it is one of Ethernet and IPv4.
    pub(super) fn parse(bytes: &[u8]) -> Option<Arp> {
        let message = bytes.first_chunk::<28>()?;
        let (head, rest) = message.split_first_chunk::<8>()?;
        let [0, 1, 8, 0, 6, 4, 0, operation @ (1 | 2)] = *head else { return None };
        let (mac, rest) = rest.split_first_chunk::<6>()?;
        let (ip, rest) = rest.split_first_chunk::<4>()?;
        let target = rest.last_chunk::<4>()?;
        Some(Arp {
            is_reply: operation == 2,
            sender: (MacAddr(*mac), Ipv4Addr::from(*ip)),
            target: Ipv4Addr::from(*target),
        })
    }

    /// Whether it tells about the sender alone (RFC 5944, 4.6): nobody needs to have asked.
    pub(super) fn is_gratuitous(&self) -> bool {
        self.sender.1 == self.target
    }

    /// Whether it only asks if an address is free (RFC 5227): it claims nothing.
    pub(super) fn is_probe(&self) -> bool {
        self.sender.1.is_unspecified()
    }
}

/// MAC addresses that move between devices by design: VRRP (RFC 5798), HSRP 1 and 2, GLBP.
pub(super) fn is_virtual(mac: MacAddr) -> bool {
    matches!(
        mac.0,
        [0x00, 0x00, 0x5e, 0x00, 0x01 | 0x02, _]
            | [0x00, 0x00, 0x0c, 0x07, 0xac, _]
            | [0x00, 0x00, 0x0c, 0x9f, 0xf0..=0xff, _]
            | [0x00, 0x07, 0xb4, 0x00, _, _]
    )
}

/// Whether it is the address of one device: neither a group nor nothing.
pub(super) fn is_unicast(mac: MacAddr) -> bool {
    mac.0[0] & 1 == 0 && mac != MacAddr::default()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn message(operation: u8, sender: [u8; 4], target: [u8; 4]) -> Vec<u8> {
        let head = [0, 1, 8, 0, 6, 4, 0, operation];
        [&head[..], &[2, 0, 0, 0, 0, 7], &sender, &[0; 6], &target, &[0; 18]].concat()
    }

    #[test]
    fn a_message_is_read_and_anything_else_is_not() {
        let arp = Arp::parse(&message(1, [10, 0, 0, 1], [10, 0, 0, 2])).unwrap();
        assert_eq!(arp.sender, (MacAddr([2, 0, 0, 0, 0, 7]), Ipv4Addr::new(10, 0, 0, 1)));
        assert_eq!((arp.target, arp.is_reply), (Ipv4Addr::new(10, 0, 0, 2), false));
        assert!(!arp.is_gratuitous() && !arp.is_probe());
        assert!(Arp::parse(&message(2, [10, 0, 0, 1], [10, 0, 0, 1])).unwrap().is_gratuitous());
        assert!(Arp::parse(&message(1, [0; 4], [10, 0, 0, 1])).unwrap().is_probe());
        assert_eq!(Arp::parse(&message(3, [10, 0, 0, 1], [10, 0, 0, 2])), None);
        assert_eq!(Arp::parse(&message(1, [10, 0, 0, 1], [10, 0, 0, 2])[..27]), None);
    }

    #[test]
    fn addresses_that_move_by_design_are_known() {
        assert!(
            is_virtual(MacAddr([0, 0, 0x5e, 0, 1, 9])) && is_virtual(MacAddr([0, 0, 0x0c, 0x07, 0xac, 1]))
        );
        assert!(!is_virtual(MacAddr([0, 0, 0x5e, 0, 3, 9])) && !is_virtual(MacAddr([2, 0, 0, 0, 0, 1])));
        assert!(!is_unicast(MacAddr([1, 0, 0x5e, 0, 0, 1])) && !is_unicast(MacAddr::default()));
    }
}
