//! Ethernet II, IEEE 802.3 with LLC and SNAP, VLAN tags (IEEE 802.1Q), HSR tags and PRP trailers
//! (IEC 62439-3), redundancy tags (IEEE 802.1CB), Cisco's metadata.
//!
//! ```text
//! destination 6 | source 6 | [ TPID 2 | TCI 2 ]* | Ethertype 2 | payload        Ethernet II
//!                                                | length 2    | LLC, payload   802.3
//! TCI: priority 3 bits | DEI 1 | VLAN id 12
//! HSR tag behind Ethertype 0x892F: path 4 bits | LSDU size 12 | sequence 2 | Ethertype 2
//! R-TAG behind Ethertype 0xF1C1: reserved 2 | sequence 2 | Ethertype 2
//! metadata behind Ethertype 0x8909: version 1 (1) | length 1, in 4 octets | options | Ethertype 2
//! PRP trailer, last in the frame:  sequence 2 | LAN 4 bits (A, B) | LSDU size 12 | 0x88FB
//! ```

use parsers::MacAddr;

use super::Tunnels;
use super::counters::Layer;
use super::options::MAX_VLAN_TAGS;
use super::walk::{Outcome, View, Walk};

pub(super) const IPV4: u16 = 0x0800;
pub(super) const IPV6: u16 = 0x86DD;
pub(super) const MPLS: u16 = 0x8847;
pub(super) const MPLS_UPSTREAM: u16 = 0x8848;
pub(super) const VLAN: u16 = 0x8100;
pub(super) const PPPOE: u16 = 0x8864;
const HSR: u16 = 0x892F;
const R_TAG: u16 = 0xF1C1;
const CISCO_METADATA: u16 = 0x8909;
const BACKBONE: u16 = 0x88E7;
pub(super) const PRP_SUFFIX: u16 = 0x88FB;
/// Values up to this are a length (IEEE 802.3 clause 3.2.6).
const MAX_LENGTH: u16 = 1500;
/// Values from this on are an Ethertype.
const MIN_ETHERTYPE: u16 = 0x0600;

/// Whether the Ethertype announces a VLAN tag: customer, service (802.1ad), and older QinQ values.
#[inline]
pub(super) fn is_vlan(ethertype: u16) -> bool {
    matches!(ethertype, VLAN | 0x88A8 | 0x9100 | 0x9200 | 0x9300)
}

/// Whether the Ethertype carries further packets that are not looked into.
fn is_not_followed(ethertype: u16) -> bool {
    // PPPoE, MACsec, network service header, TRILL, FabricPath, VN-Tag, B.A.T.M.A.N.
    matches!(ethertype, 0x8863 | PPPOE | 0x88E5 | 0x894F | 0x22F3 | 0x8903 | 0x8926 | 0x4305)
}

/// Whether the Ethertype is one that control networks are known to carry.
pub(super) fn is_known(ethertype: u16) -> bool {
    matches!(
        ethertype,
        // ARP, reverse ARP, wake on LAN, pause, slow protocols, EAPOL, PROFINET, POWERLINK, EtherCAT
        0x0806 | 0x8035 | 0x0842 | 0x8808 | 0x8809 | 0x888E | 0x8892 | 0x88AB | 0x88A4
        // GOOSE, GSE management, SV, LLDP, SERCOS, MRP, MVRP, PTP, PRP supervision, CFM, ECTP
        | 0x88B8 | 0x88B9 | 0x88BA | 0x88CC | 0x88CD | 0x88E3 | 0x88F5 | 0x88F7 | 0x88FB | 0x8902 | 0x9000
    )
}

impl<'a> Walk<'a> {
    /// An Ethernet frame, outermost or within a tunnel.
    #[inline]
    pub(super) fn ethernet(&mut self, view: View<'a>) -> Outcome {
        let Some((header, _)) = view.bytes.split_first_chunk::<14>() else {
            return self.short(view, 14, Layer::Ethernet);
        };
        let [d0, d1, d2, d3, d4, d5, s0, s1, s2, s3, s4, s5, t0, t1] = *header;
        self.packet.dst_mac = Some(MacAddr([d0, d1, d2, d3, d4, d5]));
        self.packet.src_mac = Some(MacAddr([s0, s1, s2, s3, s4, s5]));
        self.ethertype(u16::from_be_bytes([t0, t1]), view.skip(14))
    }

    /// What follows an Ethertype or length field, wherever that stood.
    #[inline]
    pub(super) fn ethertype(&mut self, ethertype: u16, view: View<'a>) -> Outcome {
        match ethertype {
            IPV4 => self.ipv4(view),
            IPV6 => self.ipv6(view),
            VLAN => self.vlan(view),
            other => self.other_ethertype(other, view),
        }
    }

    /// VLAN tags. `view` begins behind the first TPID.
    fn vlan(&mut self, mut view: View<'a>) -> Outcome {
        self.packet.tunnels.insert(Tunnels::VLAN);
        for _ in 0..MAX_VLAN_TAGS {
            let Some((&[i0, i1, t0, t1], _)) = view.bytes.split_first_chunk::<4>() else {
                return self.short(view, 4, Layer::Tag);
            };
            // id 0 is a priority tag: kept, it is what was on the wire
            self.packet.vlan.push(u16::from_be_bytes([i0, i1]) & 0x0FFF);
            view = view.skip(4);
            match u16::from_be_bytes([t0, t1]) {
                IPV4 => return self.ipv4(view),
                IPV6 => return self.ipv6(view),
                tpid if is_vlan(tpid) => {}
                other => return self.other_ethertype(other, view),
            }
        }
        self.too_deep()
    }

    /// Everything but the plain cases.
    #[inline(never)]
    fn other_ethertype(&mut self, ethertype: u16, view: View<'a>) -> Outcome {
        match ethertype {
            tpid if is_vlan(tpid) => self.vlan(view),
            ..MIN_ETHERTYPE if ethertype <= MAX_LENGTH => self.llc(ethertype, view),
            ..MIN_ETHERTYPE => self.malformed(Layer::Ethernet),
            MPLS | MPLS_UPSTREAM => self.mpls(ethertype, view),
            HSR => self.hsr(view),
            R_TAG => self.r_tag(view),
            BACKBONE => self.backbone(view),
            PPPOE => self.pppoe(view),
            CISCO_METADATA => self.metadata(view),
            _ => self.unfollowed(ethertype, view),
        }
    }

    /// Ethernet payload that is handed out as it is.
    pub(super) fn unfollowed(&mut self, ethertype: u16, view: View<'a>) -> Outcome {
        if is_not_followed(ethertype) {
            self.counters.not_followed += 1;
        } else if !is_known(ethertype) {
            self.counters.unknown_ethertype += 1;
        }
        let view = self.without_prp_trailer(view);
        self.packet.ip = None;
        self.done(view.payload(ethertype))
    }

    /// 802.3: the length field ends the payload, LLC says what it is. Only SNAP leads on.
    fn llc(&mut self, length: u16, view: View<'a>) -> Outcome {
        self.counters.llc += 1;
        let length = usize::from(length);
        if length > view.wire {
            self.counters.length_lies += 1;
        }
        let inner = view.limit(length);
        // DSAP AA, SSAP AA, UI, then the organisation: RFC 1042, or 802.1H bridges
        if let [0xAA, 0xAA, 0x03, 0x00, 0x00, 0x00 | 0xF8, t0, t1, ..] = *inner.bytes {
            let ethertype = u16::from_be_bytes([t0, t1]);
            if ethertype >= MIN_ETHERTYPE && self.enter() {
                return self.ethertype(ethertype, inner.skip(8));
            }
        }
        if inner.bytes.len() < 3 {
            return self.short(inner, 3, Layer::Ethernet);
        }
        self.packet.ip = None;
        self.done(inner.payload(length as u16))
    }

    /// High-availability seamless redundancy: the same frame comes over both sides of the ring.
    fn hsr(&mut self, view: View<'a>) -> Outcome {
        let Some((&[_, _, n0, n1, t0, t1], _)) = view.bytes.split_first_chunk::<6>() else {
            return self.short(view, 6, Layer::Tag);
        };
        if !self.enter() {
            return self.too_deep();
        }
        self.counters.hsr += 1;
        self.packet.redundancy = Some(u16::from_be_bytes([n0, n1]));
        self.ethertype(u16::from_be_bytes([t0, t1]), view.skip(6))
    }

    /// Frame replication for reliability: the same frame comes over several paths.
    fn r_tag(&mut self, view: View<'a>) -> Outcome {
        let Some((&[_, _, n0, n1, t0, t1], _)) = view.bytes.split_first_chunk::<6>() else {
            return self.short(view, 6, Layer::Tag);
        };
        if !self.enter() {
            return self.too_deep();
        }
        self.counters.r_tag += 1;
        self.packet.redundancy = Some(u16::from_be_bytes([n0, n1]));
        self.ethertype(u16::from_be_bytes([t0, t1]), view.skip(6))
    }

    /// What Cisco's switches write about a frame before its own Ethertype.
    fn metadata(&mut self, view: View<'a>) -> Outcome {
        let [1, length, ..] = *view.bytes else { return self.unfollowed(CISCO_METADATA, view) };
        let inner = view.skip(2 + usize::from(length) * 4);
        let Some((&[t0, t1], _)) = inner.bytes.split_first_chunk::<2>() else {
            return self.short(view, 4 + usize::from(length) * 4, Layer::Tag);
        };
        if !self.enter() {
            return self.too_deep();
        }
        self.ethertype(u16::from_be_bytes([t0, t1]), inner.skip(2))
    }

    /// Parallel redundancy protocol: the trailer behind the payload goes, its sequence number is kept.
    /// The LSDU size must fit, for the suffix alone may be chance.
    pub(super) fn without_prp_trailer(&mut self, view: View<'a>) -> View<'a> {
        let &[.., n0, n1, l0, l1, s0, s1] = view.bytes else { return view };
        let lan_and_size = u16::from_be_bytes([l0, l1]);
        let is_trailer = !view.is_cut()
            && u16::from_be_bytes([s0, s1]) == PRP_SUFFIX
            && matches!(lan_and_size >> 12, 0xA | 0xB)
            && usize::from(lan_and_size & 0x0FFF) == view.bytes.len();
        if !is_trailer {
            return view;
        }
        self.counters.prp += 1;
        self.packet.redundancy = Some(u16::from_be_bytes([n0, n1]));
        view.limit(view.bytes.len() - 6)
    }
}
