//! MPLS, GRE, ERSPAN, VXLAN, IP in IP, and nesting without end.

use super::*;

pub(super) fn request() -> Vec<u8> {
    ipv4(6, &tcp_bytes(&REQUEST))
}

/// An Ethernet frame with other addresses, to tell the innermost from the outermost.
pub(super) fn inner_frame() -> Vec<u8> {
    [&hex("02 00 00 00 00 22 | 02 00 00 00 00 11 | 08 00")[..], &request()].concat()
}

/// Assert that the frame leads to the request, and through which tunnels; returns the packet.
pub(super) fn leads_to_the_request(
    bytes: &[u8],
    tunnels: &[&str],
    counted: &[(&str, u64)],
) -> (Vec<u16>, Option<MacAddr>) {
    let (packet, counters) = once(LinkType::Ethernet, bytes);
    let packet = packet.unwrap_or_else(|| panic!("no packet: {counters:?}"));
    assert_eq!(tcp(&packet).bytes, REQUEST);
    assert_eq!(packet.tunnels.names().collect::<Vec<_>>(), tunnels);
    assert_counted(&counters, &[&[("frames", 1), ("tcp", 1)], counted].concat());
    (packet.vlan.ids().to_vec(), packet.src_mac)
}

pub(super) const INNER_MAC: Option<MacAddr> = Some(MacAddr([2, 0, 0, 0, 0, 0x11]));

#[test]
fn mpls_carries_ip_below_the_bottom_label() {
    let labels = hex("00 01 00 ff | 00 02 01 ff"); // the second is the bottom
    let bytes = ether(0x8847, &[labels.clone(), request()].concat());
    leads_to_the_request(&bytes, &["mpls"], &[("mpls", 1)]);
    let bytes = ether(0x8848, &[labels, ipv6(6, &tcp_bytes(&REQUEST))].concat());
    leads_to_the_request(&bytes, &["mpls"], &[("mpls", 1)]);
}

#[test]
fn mpls_carries_ethernet_with_and_without_control_word() {
    for control_word in ["", "00 00 00 07"] {
        let body = [hex("00 01 01 ff"), hex(control_word), inner_frame()].concat();
        let bytes = ether(0x8847, &body);
        let (_, mac) = leads_to_the_request(&bytes, &["mpls"], &[("mpls", 1)]);
        assert_eq!(mac, INNER_MAC);
    }
}

#[test]
fn mpls_with_an_ethernet_address_that_looks_like_ip_is_ethernet() {
    for first in [0x45, 0x60] {
        let mut frame = inner_frame();
        frame[0] = first;
        let bytes = ether(0x8847, &[hex("00 01 01 ff"), frame].concat());
        let (_, mac) = leads_to_the_request(&bytes, &["mpls"], &[("mpls", 1)]);
        assert_eq!(mac, INNER_MAC);
    }
}

#[test]
fn mpls_with_anything_else_is_shown_with_its_labels() {
    let body = hex("00 01 01 ff | 10 00 00 21 de ad"); // an associated channel
    let bytes = ether(0x8847, &body);
    let (packet, counters) = once(LinkType::Ethernet, &bytes);
    assert_eq!(
        packet.unwrap().payload,
        Payload::Ethernet { ethertype: 0x8847, bytes: &body, wire_len: body.len() as u32 }
    );
    assert_counted(&counters, &[("frames", 1), ("other_ethernet", 1), ("mpls", 1), ("mpls_unknown", 1)]);
}

#[test]
fn an_endless_label_stack_is_too_deep() {
    let bytes = ether(0x8847, &[hex("00 01 00 ff").repeat(17), request()].concat());
    let (packet, counters) = once(LinkType::Ethernet, &bytes);
    assert_eq!(packet, None);
    assert_counted(&counters, &[("frames", 1), ("undecodable", 1), ("too_deep", 1)]);
}

#[test]
fn gre_with_every_optional_field() {
    for (header, what) in [
        ("00 00 08 00", "none"),
        ("80 00 08 00 | 12 34 00 00", "checksum"),
        ("20 00 08 00 | 00 00 00 01", "key"),
        ("10 00 08 00 | 00 00 00 09", "sequence"),
        ("b0 00 08 00 | 12 34 00 00 | 00 00 00 01 | 00 00 00 09", "all"),
    ] {
        let bytes = ether(0x0800, &ipv4(47, &[hex(header), request()].concat()));
        let (_, mac) = leads_to_the_request(&bytes, &["gre"], &[("gre", 1)]);
        assert_eq!(mac, Some(MacAddr([2, 0, 0, 0, 0, 1])), "{what}");
    }
}

#[test]
fn gre_carries_bridged_ethernet_mpls_and_ipv6() {
    let bytes = ether(0x0800, &ipv4(47, &[hex("00 00 65 58"), inner_frame()].concat()));
    assert_eq!(leads_to_the_request(&bytes, &["gre"], &[("gre", 1)]).1, INNER_MAC);
    let bytes = ether(0x86DD, &ipv6(47, &[hex("00 00 88 47 | 00 01 01 ff"), request()].concat()));
    leads_to_the_request(&bytes, &["mpls", "gre"], &[("gre", 1), ("mpls", 1)]);
    let bytes = ether(0x0800, &ipv4(47, &[hex("00 00 86 dd"), ipv6(6, &tcp_bytes(&REQUEST))].concat()));
    leads_to_the_request(&bytes, &["gre"], &[("gre", 1)]);
}

#[test]
fn gre_that_is_not_followed_is_shown_and_counted() {
    for (header, counter) in [
        ("20 81 88 0b | 00 00 00 01 | 00 00 00 07", "gre_pptp"), // an acknowledgement alone
        ("40 00 08 00 | 00 00 00 00", "gre_unknown"),            // source routing
        ("00 05 08 00", "gre_unknown"),                          // version 5
        ("00 00 20 00", "gre_unknown"),                          // CDP
    ] {
        let body = [hex(header), request()].concat();
        let bytes = ether(0x0800, &ipv4(47, &body));
        let (packet, counters) = once(LinkType::Ethernet, &bytes);
        let packet = packet.unwrap();
        assert_eq!(packet.payload, Payload::Ip { protocol: 47, bytes: &body });
        assert_eq!(packet.tunnels, Tunnels::default());
        assert_counted(&counters, &[("frames", 1), ("other_ip", 1), (counter, 1)]);
    }
}

#[test]
fn erspan_type_1_has_no_header_of_its_own() {
    let bytes = ether(0x0800, &ipv4(47, &[hex("00 00 88 be"), inner_frame()].concat()));
    let (vlan, mac) = leads_to_the_request(&bytes, &["gre", "erspan"], &[("gre", 1), ("erspan", 1)]);
    assert_eq!((vlan, mac), (vec![], INNER_MAC));
}

#[test]
fn erspan_type_2_keeps_the_vlan_it_took_out() {
    // version 1, VLAN 100, En 2 (802.1Q tag taken out), session 5
    let header = hex("10 00 88 be | 00 00 00 01 | 10 64 10 05 00 00 00 03");
    let bytes = ether(0x0800, &ipv4(47, &[header, inner_frame()].concat()));
    let counted = [("gre", 1), ("erspan", 1), ("vlan", 1)];
    let (vlan, mac) = leads_to_the_request(&bytes, &["vlan", "gre", "erspan"], &counted);
    assert_eq!((vlan, mac), (vec![100], INNER_MAC));
    // En 0: the frame had no tag; T: the switch cut the frame
    let header = hex("10 00 88 be | 00 00 00 01 | 10 64 04 05 00 00 00 03");
    let bytes = ether(0x0800, &ipv4(47, &[header, inner_frame()].concat()));
    let counted = [("gre", 1), ("erspan", 1), ("erspan_truncated", 1)];
    assert_eq!(leads_to_the_request(&bytes, &["gre", "erspan"], &counted).0, Vec::<u16>::new());
}

#[test]
fn erspan_type_3_with_and_without_subheader() {
    let counted = [("gre", 1), ("erspan", 1), ("vlan", 1)];
    for (flags, subheader) in [("00 00", ""), ("00 01", "00 00 00 00 00 00 00 00")] {
        let header = hex("10 00 22 eb | 00 00 00 01 | 20 64 00 05 | 00 00 00 00 | 00 00");
        let bytes = [header, hex(flags), hex(subheader), inner_frame()].concat();
        let bytes = ether(0x0800, &ipv4(47, &bytes));
        let (vlan, mac) = leads_to_the_request(&bytes, &["vlan", "gre", "erspan"], &counted);
        assert_eq!((vlan, mac), (vec![100], INNER_MAC));
    }
    // frame type 2: IP
    let header = hex("10 00 22 eb | 00 00 00 01 | 20 64 00 05 | 00 00 00 00 | 00 00 08 00");
    let bytes = ether(0x0800, &ipv4(47, &[header, request()].concat()));
    leads_to_the_request(&bytes, &["vlan", "gre", "erspan"], &counted);
}

#[test]
fn an_erspan_header_of_another_version_is_malformed() {
    let header = hex("10 00 88 be | 00 00 00 01 | 30 64 10 05 00 00 00 03");
    let bytes = ether(0x0800, &ipv4(47, &[header, inner_frame()].concat()));
    let (packet, counters) = once(LinkType::Ethernet, &bytes);
    assert_eq!(packet, None);
    assert_counted(&counters, &[("frames", 1), ("undecodable", 1), ("gre", 1), ("malformed_tunnel", 1)]);
}

#[test]
fn vxlan_on_its_port_carries_ethernet() {
    let body = [hex("08 00 00 00 | 00 00 2a 00"), inner_frame()].concat();
    let bytes = ether(0x0800, &ipv4(17, &udp_bytes(50000, 4789, &body)));
    assert_eq!(leads_to_the_request(&bytes, &["vxlan"], &[("vxlan", 1)]).1, INNER_MAC);
}

#[test]
fn vxlan_gpe_names_what_it_carries() {
    for (next, inner) in [("03", inner_frame()), ("01", request()), ("02", ipv6(6, &tcp_bytes(&REQUEST)))] {
        let body = [hex("0c 00 00"), hex(next), hex("00 00 2a 00"), inner].concat();
        let bytes = ether(0x0800, &ipv4(17, &udp_bytes(50000, 4790, &body)));
        leads_to_the_request(&bytes, &["vxlan"], &[("vxlan", 1)]);
    }
}

#[test]
fn what_is_not_vxlan_stays_udp() {
    let vxlan = [hex("08 00 00 00 | 00 00 2a 00"), inner_frame()].concat();
    type Case = (u16, Vec<u8>, &'static [(&'static str, u64)]);
    let cases: [Case; 4] = [
        (4788, vxlan, &[]),
        (4789, REQUEST.to_vec(), &[("vxlan_unknown", 1)]),
        (4789, vec![8, 0, 0], &[("vxlan_unknown", 1)]),
        (4789, hex("08 00 00 00 00 00 2a 00 | 01 02"), &[("vxlan", 1), ("malformed_ethernet", 1)]),
    ];
    for (port, body, counted) in cases {
        let bytes = ether(0x0800, &ipv4(17, &udp_bytes(50000, port, &body)));
        let (packet, counters) = once(LinkType::Ethernet, &bytes);
        let packet = packet.unwrap();
        assert_eq!((udp(&packet).bytes, packet.tunnels), (&body[..], Tunnels::default()));
        assert_counted(&counters, &[&[("frames", 1), ("udp", 1)], counted].concat());
    }
}

#[test]
fn ip_in_ip_in_all_four_pairs() {
    let v4 = request();
    let v6 = ipv6(6, &tcp_bytes(&REQUEST));
    for (ethertype, outer) in
        [(0x0800, ipv4(4, &v4)), (0x0800, ipv4(41, &v6)), (0x86DD, ipv6(4, &v4)), (0x86DD, ipv6(41, &v6))]
    {
        leads_to_the_request(&ether(ethertype, &outer), &["ip_in_ip"], &[("ip_in_ip", 1)]);
    }
}

#[test]
fn nesting_is_followed_eight_times_and_no_further() {
    let nested = |times: usize| (0..times).fold(request(), |inner, _| ipv4(4, &inner));
    leads_to_the_request(&ether(0x0800, &nested(8)), &["ip_in_ip"], &[("ip_in_ip", 8)]);
    let bytes = ether(0x0800, &nested(9));
    let (packet, counters) = once(LinkType::Ethernet, &bytes);
    assert_eq!(packet, None);
    assert_eq!((counters.too_deep, counters.undecodable), (1, 1));
    assert_eq!(counters.anomalies(), 1);
}

#[test]
fn bombs_of_every_kind_end() {
    let gre = |inner: Vec<u8>| ipv4(47, &[hex("00 00 08 00"), inner].concat());
    let mpls = |inner: Vec<u8>| ipv4(137, &[hex("00 01 01 ff"), inner].concat());
    let vxlan = |inner: Vec<u8>| {
        let body = [hex("08 00 00 00 00 00 2a 00"), ether(0x0800, &inner)].concat();
        ipv4(17, &udp_bytes(1, 4789, &body))
    };
    let snap = |inner: Vec<u8>| [hex("aa aa 03 00 00 00 08 00"), inner].concat();
    for layer in [&gre as &dyn Fn(Vec<u8>) -> Vec<u8>, &mpls, &vxlan] {
        let bytes = ether(0x0800, &(0..200).fold(request(), |inner, _| layer(inner)));
        let counters = once(LinkType::Ethernet, &bytes).1;
        assert_eq!(counters.too_deep, 1, "{counters:?}");
    }
    let bytes = ether(1400, &(0..100).fold(request(), |inner, _| snap(inner)));
    let _ = once(LinkType::Ethernet, &bytes);
    let hsr = ether(0x892F, &hex("10 12 00 01 89 2f").repeat(100));
    assert_eq!(once(LinkType::Ethernet, &hsr).1.too_deep, 1);
}
