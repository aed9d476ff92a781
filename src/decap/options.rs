//! Options and limits of decapsulation.

/// What to do about IP, TCP and UDP checksums.
///
/// A host whose network card computes checksums shows wrong ones to a capture on the host itself, so
/// verification is off by default: it would blind the sensor.
#[derive(Debug, Copy, Clone, Eq, PartialEq, Default)]
pub enum Checksums {
    /// Do not look.
    #[default]
    Ignore,
    /// Count wrong ones, use the packet all the same.
    Count,
    /// Count wrong ones and throw the packet away, as its receiver would.
    Discard,
}

/// Limits of fragment reassembly.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub struct FragmentLimits {
    /// Incomplete datagrams kept; the oldest makes room for a new one.
    pub datagrams: usize,
    /// Fragments, after removal of overlaps, per datagram.
    pub pieces: usize,
    /// Octets of one reassembled datagram; IP allows 65,535.
    pub datagram_bytes: usize,
    /// Octets of all incomplete datagrams together; the oldest makes room for a new one.
    pub total_bytes: usize,
    /// Nanoseconds after its first fragment at which an incomplete datagram is given up.
    pub age_ns: u64,
}

impl Default for FragmentLimits {
    fn default() -> Self {
        // 65,535 octets in links of 576 octets make 119 pieces; 30 s is what common hosts wait.
        FragmentLimits {
            datagrams: 512,
            pieces: 128,
            datagram_bytes: 65_535,
            total_bytes: 8 << 20,
            age_ns: 30_000_000_000,
        }
    }
}

/// Options of a [`super::Decapsulator`].
#[derive(Debug, Clone, Eq, PartialEq)]
pub struct DecapOptions {
    /// What to do about checksums.
    pub checksums: Checksums,
    /// UDP destination ports that carry VXLAN (RFC 7348: 4789).
    pub vxlan_ports: Vec<u16>,
    /// UDP destination ports that carry VXLAN with the Generic Protocol Extension (4790).
    pub vxlan_gpe_ports: Vec<u16>,
    /// Limits of fragment reassembly.
    pub fragments: FragmentLimits,
}

impl Default for DecapOptions {
    fn default() -> Self {
        DecapOptions {
            checksums: Checksums::Ignore,
            vxlan_ports: vec![4789],
            vxlan_gpe_ports: vec![4790],
            fragments: FragmentLimits::default(),
        }
    }
}

impl DecapOptions {
    /// Whether datagrams to this port may carry further packets.
    #[inline]
    pub(super) fn is_tunnel(&self, port: u16) -> bool {
        self.is_vxlan(port) || super::udp::is_tunnel(port)
    }

    /// Whether datagrams to this port may carry VXLAN, extended or not.
    #[inline]
    pub(super) fn is_vxlan(&self, port: u16) -> bool {
        self.vxlan_ports.contains(&port) || self.vxlan_gpe_ports.contains(&port)
    }
}

/// Encapsulations passed on the way to the innermost packet. An attacker can nest them without end, so
/// there is one; real networks get by with three (ERSPAN in GRE in IP, with MPLS inside).
pub const MAX_ENCAPSULATIONS: u8 = 8;

/// VLAN tags directly behind each other in one Ethernet header; QinQ has two.
pub const MAX_VLAN_TAGS: u8 = 16;

/// Labels of one MPLS stack.
pub const MAX_MPLS_LABELS: usize = 16;

/// Extension headers of one IPv6 packet; RFC 8200 lists seven kinds.
pub const MAX_EXTENSION_HEADERS: u8 = 12;

/// Datagrams reassembled within one another for one frame (a fragmented tunnel carrying fragments).
pub const MAX_NESTED_REASSEMBLIES: usize = 2;
