//! What decapsulation met, counted: nothing is given up in silence.
//!
//! Plain numbers of one decapsulator; whoever owns several adds them up.

macro_rules! counters {
    ($($(#[$doc:meta])* $field:ident),+ $(,)?) => {
        /// What a [`super::Decapsulator`] met. Every frame counts in `frames` and in exactly one of the
        /// outcomes `tcp`, `udp`, `other_ip`, `other_ethernet`, `fragments_held`, `duplicate_fragments`,
        /// `checksum_discarded` and `undecodable`; the rest gives reasons and details.
        #[derive(Debug, Clone, Copy, Default, Eq, PartialEq)]
        pub struct DecapCounters { $($(#[$doc])* pub $field: u64),+ }

        impl DecapCounters {
            /// The counters' names, in the order of [`DecapCounters::values`].
            pub const NAMES: &'static [&'static str] = &[$(stringify!($field)),+];

            /// All counters, in the order of [`DecapCounters::NAMES`].
            pub fn values(&self) -> impl Iterator<Item = u64> {
                [$(self.$field),+].into_iter()
            }

            /// Add another decapsulator's counters to these.
            pub fn add(&mut self, other: &DecapCounters) {
                $(self.$field += other.$field;)+
            }
        }
    };
}

counters! {
    /// Frames handed in.
    frames,
    /// Outcome: a TCP segment.
    tcp,
    /// Outcome: a UDP datagram.
    udp,
    /// Outcome: IP with another protocol, or a tunnel that could not be followed.
    other_ip,
    /// Outcome: Ethernet without IP.
    other_ethernet,
    /// Outcome: a fragment kept until its datagram is complete, or dropped with it.
    fragments_held,
    /// Outcome: a fragment that was seen a moment before (double span, redundant rings).
    duplicate_fragments,
    /// Outcome: thrown away for a wrong checksum, by configuration.
    checksum_discarded,
    /// Outcome: nothing could be made of it; the reason is counted too.
    undecodable,

    /// Frames of which the snap length cut something off.
    truncated,
    /// Headers that the snap length cut, so that the frame ended there.
    headers_truncated,
    /// Frames of a link type that is not supported.
    unsupported_link,
    /// Frames with more encapsulations, VLAN tags, labels or extension headers than the limits allow.
    too_deep,
    /// Ethertypes that are neither IP nor known from control networks.
    unknown_ethertype,
    /// Encapsulations that are known but not followed (MACsec, NSH, TRILL, FabricPath, VN-Tag, B.A.T.M.A.N., L2TP
    /// version 3, LISP, CAPWAP, Teredo, PPP that is compressed or encrypted).
    not_followed,

    /// Malformed Ethernet or LLC headers.
    malformed_ethernet,
    /// Malformed VLAN, HSR or MPLS tags.
    malformed_tag,
    /// Malformed Linux cooked or BSD loopback headers.
    malformed_link,
    /// Malformed IPv4 headers.
    malformed_ipv4,
    /// Malformed IPv6 headers or extension headers.
    malformed_ipv6,
    /// Malformed TCP headers.
    malformed_tcp,
    /// Malformed UDP headers.
    malformed_udp,
    /// Malformed GRE, ERSPAN or VXLAN headers.
    malformed_tunnel,
    /// IP or UDP lengths that claim more than was on the wire; what was there has been used.
    length_lies,
    /// IPv4 headers without a total length or IPv6 headers without a payload length: segmentation
    /// offload, measured by what was captured.
    offload_lengths,
    /// IP payloads longer than the UDP datagram they carry.
    udp_trailing,

    /// Wrong IPv4 header checksums (only when verified).
    bad_ip_checksum,
    /// Wrong TCP checksums (only when verified).
    bad_tcp_checksum,
    /// Wrong UDP checksums (only when verified).
    bad_udp_checksum,
    /// Checksums that could not be verified because octets are missing (only when verified).
    unverified_checksum,

    /// Frames with at least one VLAN tag.
    vlan,
    /// 802.3 frames with LLC, SNAP included.
    llc,
    /// HSR tags removed.
    hsr,
    /// PRP trailers recognised.
    prp,
    /// MPLS label stacks.
    mpls,
    /// MPLS payloads that are neither IP nor Ethernet.
    mpls_unknown,
    /// GRE headers followed.
    gre,
    /// GRE version 1 (PPTP).
    gre_pptp,
    /// GRE with source routing or of an unknown version or payload, not followed.
    gre_unknown,
    /// ERSPAN headers, types I, II and III.
    erspan,
    /// ERSPAN frames that the switch says it cut.
    erspan_truncated,
    /// VXLAN headers.
    vxlan,
    /// Datagrams on a VXLAN port that are not VXLAN; shown as UDP.
    vxlan_unknown,
    /// Geneve headers.
    geneve,
    /// Frames mirrored with TZSP.
    tzsp,
    /// Packets in GTP-U.
    gtp,
    /// Packets in PPP: over Ethernet, in GRE, in L2TP, or on a link of that kind.
    ppp,
    /// I-TAGs of provider backbone bridges.
    backbone,
    /// Ethernet frames in IP.
    ether_ip,
    /// Redundancy tags of IEEE 802.1CB removed.
    r_tag,
    /// IP in IP, any pair of versions.
    ip_in_ip,
    /// IPsec authentication headers passed.
    ipsec_ah,
    /// IPsec encrypted payloads: opaque.
    ipsec_esp,
    /// IPv6 jumbograms.
    jumbograms,

    /// IP fragments seen.
    fragments,
    /// Datagrams reassembled.
    fragments_reassembled,
    /// Datagrams given up because their fragments did not come in time.
    fragments_expired,
    /// Datagrams given up because a table limit was reached.
    fragments_evicted,
    /// Fragments refused because their datagram has too many pieces or gets too long.
    fragments_limit,
    /// Fragments the snap length cut; useless for reassembly.
    fragments_truncated,
    /// Fragments that overlap others of the same datagram.
    fragments_overlapping,
    /// Overlaps with different octets, or contradicting ends: an evasion attempt.
    fragments_conflicting,
    /// First fragments too small for the transport header (RFC 1858): an evasion attempt.
    fragments_tiny,
    /// Fragments with impossible offsets or lengths.
    fragments_malformed,
}

impl DecapCounters {
    /// Frames with anything that hints at evasion: for the finding CNF-10.
    pub fn anomalies(&self) -> u64 {
        self.by_anomaly().iter().sum()
    }

    /// The same by kind, in the order of [`super::AnomalyKind`].
    pub(super) fn by_anomaly(&self) -> [u64; 4] {
        [self.fragments_conflicting, self.fragments_tiny, self.fragments_malformed, self.too_deep]
    }
}

/// The layer whose header is malformed.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub(super) enum Layer {
    Ethernet,
    Tag,
    Link,
    Ipv4,
    Ipv6,
    Tcp,
    Udp,
    Tunnel,
}

impl DecapCounters {
    pub(super) fn malformed(&mut self, layer: Layer) -> &mut u64 {
        match layer {
            Layer::Ethernet => &mut self.malformed_ethernet,
            Layer::Tag => &mut self.malformed_tag,
            Layer::Link => &mut self.malformed_link,
            Layer::Ipv4 => &mut self.malformed_ipv4,
            Layer::Ipv6 => &mut self.malformed_ipv6,
            Layer::Tcp => &mut self.malformed_tcp,
            Layer::Udp => &mut self.malformed_udp,
            Layer::Tunnel => &mut self.malformed_tunnel,
        }
    }
}
