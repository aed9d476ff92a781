//! What makes packets belong to one flow: the unordered pair of addresses and ports, and the transport.

use core::hash::{BuildHasher, Hasher};
use core::net::IpAddr;
use std::sync::Arc;

use parsers::{MacAddr, Transport, VlanStack};

/// Both directions of a flow have the same key.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub(super) struct Key {
    low: u128,
    high: u128,
    /// Ports of low and high side, transport, address family.
    rest: u64,
    /// VLAN ids, if they are part of the key; otherwise 0.
    vlan: u64,
}

impl Key {
    /// The key, and whether the sender is the low side.
    #[inline]
    pub(super) fn new(
        transport: Transport,
        (src, dst): &(IpAddr, IpAddr),
        (src_port, dst_port): (u16, u16),
        vlan: Option<VlanStack>,
    ) -> (Key, bool) {
        let (a, family) = bits(src);
        let (b, _) = bits(dst);
        let from_low = (a, src_port) <= (b, dst_port);
        let (low, low_port, high, high_port) =
            if from_low { (a, src_port, b, dst_port) } else { (b, dst_port, a, src_port) };
        let kind = family | if transport == Transport::Tcp { 0 } else { 2 };
        let rest = u64::from(low_port) << 32 | u64::from(high_port) << 16 | kind;
        (Key { low, high, rest, vlan: vlan.map_or(0, vlan_bits) }, from_low)
    }

    /// The key of frames without IP, which have one direction.
    pub(super) fn of_ethernet(from: MacAddr, to: MacAddr, ethertype: u16, vlan: VlanStack) -> Key {
        let bits = |mac: MacAddr| mac.0.iter().fold(0, |bits, octet| bits << 8 | u128::from(*octet));
        Key { low: bits(from), high: bits(to), rest: u64::from(ethertype) << 32 | 4, vlan: vlan_bits(vlan) }
    }

    #[inline]
    pub(super) fn hash(&self, seed: &impl BuildHasher) -> u64 {
        let mut hasher = seed.build_hasher();
        hasher.write_u128(self.low);
        hasher.write_u128(self.high);
        hasher.write_u128(u128::from(self.rest) << 64 | u128::from(self.vlan));
        hasher.finish()
    }
}

fn vlan_bits(stack: VlanStack) -> u64 {
    stack.ids().iter().fold(u64::from(stack.depth()), |all, id| all << 13 | u64::from(*id))
}

/// Address as a number, and 1 for IPv6, so that an IPv4-mapped IPv6 address is not taken for IPv4.
#[inline]
fn bits(ip: &IpAddr) -> (u128, u64) {
    match ip {
        IpAddr::V4(ip) => (u128::from(u32::from(*ip)), 0),
        IpAddr::V6(ip) => (u128::from(*ip), 1),
    }
}

/// Ports and Ethertypes on which protocols are expected: they tell the server's side where no SYN was seen. A clone shares
/// the memory.
#[derive(Debug, Clone)]
pub struct PortSet {
    tcp: Arc<[u64]>,
    udp: Arc<[u64]>,
    ethertypes: Arc<[u16]>,
}

impl PortSet {
    /// A set of TCP and UDP ports.
    #[must_use]
    pub fn new(tcp: &[u16], udp: &[u16]) -> PortSet {
        PortSet { tcp: bitmap(tcp), udp: bitmap(udp), ethertypes: Arc::new([]) }
    }

    /// With these Ethertypes of frames without IP.
    #[must_use]
    pub fn with_ethertypes(self, ethertypes: &[u16]) -> PortSet {
        PortSet { ethertypes: ethertypes.into(), ..self }
    }

    /// Whether the port (over Ethernet: the Ethertype) is in the set. Never for transports without either.
    #[must_use]
    pub fn contains(&self, transport: Transport, port: u16) -> bool {
        let words = match transport {
            Transport::Tcp => &self.tcp,
            Transport::Udp => &self.udp,
            Transport::Ethernet => return self.ethertypes.contains(&port),
            Transport::Serial => return false,
        };
        words.get(usize::from(port / 64)).is_some_and(|word| word >> (port % 64) & 1 == 1)
    }
}

fn bitmap(ports: &[u16]) -> Arc<[u64]> {
    let mut words = [0_u64; 1024];
    for port in ports {
        words[usize::from(port / 64)] |= 1 << (port % 64);
    }
    Arc::new(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_directions_have_one_key_and_families_do_not_mix() {
        let a: IpAddr = "10.0.0.1".parse().expect("address");
        let b: IpAddr = "10.0.0.2".parse().expect("address");
        let (there, low) = Key::new(Transport::Tcp, &(a, b), (4000, 502), None);
        let (back, low_back) = Key::new(Transport::Tcp, &(b, a), (502, 4000), None);
        assert_eq!(there, back);
        assert_ne!(low, low_back);
        assert_ne!(there, Key::new(Transport::Udp, &(a, b), (4000, 502), None).0);
        let a6: IpAddr = "::10.0.0.1".parse().expect("address");
        let b6: IpAddr = "::10.0.0.2".parse().expect("address");
        assert_ne!(there, Key::new(Transport::Tcp, &(a6, b6), (4000, 502), None).0);
    }

    #[test]
    fn vlan_counts_only_where_it_is_given() {
        let a: IpAddr = "10.0.0.1".parse().expect("address");
        let mut vlan = VlanStack::default();
        vlan.push(7);
        let with = Key::new(Transport::Tcp, &(a, a), (1, 2), Some(vlan)).0;
        let untagged = Key::new(Transport::Tcp, &(a, a), (1, 2), Some(VlanStack::default())).0;
        assert_ne!(with, untagged);
        assert_eq!(untagged, Key::new(Transport::Tcp, &(a, a), (1, 2), None).0);
    }

    #[test]
    fn a_port_set_keeps_tcp_and_udp_apart() {
        let ports = PortSet::new(&[502, 65535], &[20000]);
        assert!(ports.contains(Transport::Tcp, 502) && ports.contains(Transport::Tcp, 65535));
        assert!(!ports.contains(Transport::Udp, 502) && ports.contains(Transport::Udp, 20000));
        assert!(!ports.contains(Transport::Tcp, 503) && !ports.contains(Transport::Serial, 502));
    }
}
