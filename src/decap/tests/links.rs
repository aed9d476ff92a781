//! The other ways a frame begins: cooked, loopback, bare IP, LLC, HSR and PRP.

use super::*;

#[test]
fn linux_cooked_version_1() {
    let bytes =
        [&hex("00 00 | 00 01 | 00 06 | 02 00 00 00 00 01 00 00 | 08 00")[..], &ipv4(6, &tcp_bytes(&REQUEST))]
            .concat();
    let (packet, counters) = once(LinkType::LinuxCooked, &bytes);
    let packet = packet.unwrap();
    assert_eq!((packet.src_mac, packet.dst_mac), (Some(MacAddr([2, 0, 0, 0, 0, 1])), None));
    assert_eq!(tcp(&packet).bytes, REQUEST);
    assert_counted(&counters, &[("frames", 1), ("tcp", 1)]);
}

#[test]
fn linux_cooked_version_2_with_a_vlan_tag() {
    let bytes = [
        &hex("81 00 | 00 00 | 00 00 00 02 | 00 01 | 04 | 06 | 02 00 00 00 00 01 00 00")[..],
        &hex("00 07 | 86 dd"),
        &ipv6(17, &udp_bytes(20000, 20000, &REQUEST)),
    ]
    .concat();
    let (packet, counters) = once(LinkType::LinuxCooked2, &bytes);
    let packet = packet.unwrap();
    assert_eq!(packet.src_mac, Some(MacAddr([2, 0, 0, 0, 0, 1])));
    assert_eq!(packet.vlan.ids(), [7]);
    assert_eq!(udp(&packet).bytes, REQUEST);
    assert_counted(&counters, &[("frames", 1), ("udp", 1), ("vlan", 1)]);
}

#[test]
fn linux_cooked_llc_and_netlink_are_shown() {
    let llc =
        [&hex("00 00 | 00 01 | 00 06 | 02 00 00 00 00 01 00 00 | 00 04")[..], &[0x42, 0x42, 3, 0]].concat();
    let (packet, counters) = once(LinkType::LinuxCooked, &llc);
    assert_eq!(
        packet.unwrap().payload,
        Payload::Ethernet { ethertype: 4, bytes: &[0x42, 0x42, 3, 0], wire_len: 4 }
    );
    assert_counted(&counters, &[("frames", 1), ("other_ethernet", 1), ("llc", 1)]);
    let netlink = [&hex("00 00 | 03 38 | 00 00 | 00 00 00 00 00 00 00 00 | 08 00")[..], &[1]].concat();
    let (packet, counters) = once(LinkType::LinuxCooked, &netlink);
    assert_eq!(packet.unwrap().payload, Payload::Ethernet { ethertype: 0x0800, bytes: &[1], wire_len: 1 });
    assert_eq!(counters.unknown_ethertype, 1);
}

#[test]
fn bsd_loopback_in_both_byte_orders() {
    let ip = ipv4(6, &tcp_bytes(&REQUEST));
    for family in ["02 00 00 00", "00 00 00 02"] {
        let bytes = [&hex(family)[..], &ip].concat();
        assert_eq!(tcp(&once(LinkType::BsdLoopback, &bytes).0.unwrap()).bytes, REQUEST);
    }
    let ip = ipv6(6, &tcp_bytes(&REQUEST));
    for family in ["18 00 00 00", "1c 00 00 00", "00 00 00 1e", "0a 00 00 00"] {
        let bytes = [&hex(family)[..], &ip].concat();
        assert_eq!(tcp(&once(LinkType::BsdLoopback, &bytes).0.unwrap()).bytes, REQUEST);
    }
    let (packet, counters) = once(LinkType::BsdLoopback, &[0, 0, 0, 77, 0x45]);
    assert_eq!(packet, None);
    assert_counted(&counters, &[("frames", 1), ("undecodable", 1), ("malformed_link", 1)]);
}

#[test]
fn bare_ip_says_its_version_itself() {
    let bytes = ipv4(6, &tcp_bytes(&REQUEST));
    let packet = once(LinkType::RawIp, &bytes).0.unwrap();
    assert_eq!((tcp(&packet).bytes, packet.src_mac), (&REQUEST[..], None));
    let bytes = ipv6(6, &tcp_bytes(&REQUEST));
    assert_eq!(tcp(&once(LinkType::RawIp, &bytes).0.unwrap()).bytes, REQUEST);
    let (packet, counters) = once(LinkType::RawIp, &[0x15; 40]);
    assert_eq!(packet, None);
    assert_counted(&counters, &[("frames", 1), ("undecodable", 1), ("malformed_ipv4", 1)]);
}

#[test]
fn unsupported_link_types_are_counted() {
    let (packet, counters) = once(LinkType::Other(147), &[1, 2, 3]);
    assert_eq!(packet, None);
    assert_counted(&counters, &[("frames", 1), ("undecodable", 1), ("unsupported_link", 1)]);
}

#[test]
fn snap_leads_on_and_its_length_field_cuts_the_padding() {
    let ip = ipv4(17, &udp_bytes(1, 502, &REQUEST));
    let llc = [&hex("aa aa 03 | 00 00 00 | 08 00")[..], &ip].concat();
    let mut bytes = ether(llc.len() as u16, &llc);
    bytes.resize(100, 0);
    let (packet, counters) = once(LinkType::Ethernet, &bytes);
    assert_eq!(udp(&packet.unwrap()).bytes, REQUEST);
    assert_counted(&counters, &[("frames", 1), ("udp", 1), ("llc", 1)]);
}

#[test]
fn other_llc_is_shown_and_ethertypes_between_length_and_type_are_malformed() {
    // spanning tree: length 3, then padding
    let bytes = ether(3, &hex("42 42 03 00 00 00 00 00"));
    let (packet, counters) = once(LinkType::Ethernet, &bytes);
    assert_eq!(
        packet.unwrap().payload,
        Payload::Ethernet { ethertype: 3, bytes: &[0x42, 0x42, 3], wire_len: 3 }
    );
    assert_counted(&counters, &[("frames", 1), ("other_ethernet", 1), ("llc", 1)]);
    let bytes = ether(0x05FF, &[0; 60]);
    let (packet, counters) = once(LinkType::Ethernet, &bytes);
    assert_eq!(packet, None);
    assert_counted(&counters, &[("frames", 1), ("undecodable", 1), ("malformed_ethernet", 1)]);
}

#[test]
fn the_hsr_tag_goes_and_its_sequence_number_stays() {
    let goose = [0x00, 0x01, 0x00, 0x0C, 0, 0, 0, 0, 0x61, 0x80];
    let bytes = ether(0x892F, &[&hex("10 12 | ab cd | 88 b8")[..], &goose].concat());
    let (packet, counters) = once(LinkType::Ethernet, &bytes);
    let packet = packet.unwrap();
    assert_eq!(packet.redundancy, Some(0xABCD));
    assert_eq!(
        packet.payload,
        Payload::Ethernet { ethertype: 0x88B8, bytes: &goose, wire_len: goose.len() as u32 }
    );
    assert_counted(&counters, &[("frames", 1), ("other_ethernet", 1), ("hsr", 1)]);
}

#[test]
fn the_prp_trailer_goes_and_its_sequence_number_stays() {
    let goose = [0x00, 0x01, 0x00, 0x0C, 0, 0, 0, 0, 0x61, 0x80];
    // sequence 7, LAN A, 16 octets with the trailer
    let bytes = ether(0x88B8, &[&goose[..], &hex("00 07 | a0 10 | 88 fb")].concat());
    let (packet, counters) = once(LinkType::Ethernet, &bytes);
    let packet = packet.unwrap();
    assert_eq!(packet.redundancy, Some(7));
    assert_eq!(
        packet.payload,
        Payload::Ethernet { ethertype: 0x88B8, bytes: &goose, wire_len: goose.len() as u32 }
    );
    assert_counted(&counters, &[("frames", 1), ("other_ethernet", 1), ("prp", 1)]);
}

#[test]
fn the_prp_trailer_behind_an_ip_packet_is_seen() {
    let ip = ipv4(17, &udp_bytes(1, 502, &REQUEST));
    let trailer = hex("00 07 | b0 2e | 88 fb"); // 40 and 6 octets
    let bytes = ether(0x0800, &[ip, trailer].concat());
    let (packet, counters) = once(LinkType::Ethernet, &bytes);
    let packet = packet.unwrap();
    assert_eq!((packet.redundancy, udp(&packet).bytes), (Some(7), &REQUEST[..]));
    assert_counted(&counters, &[("frames", 1), ("udp", 1), ("prp", 1)]);
}

#[test]
fn a_payload_that_only_ends_like_a_prp_trailer_stays_whole() {
    // near misses: wrong size, wrong LAN, wrong suffix
    for end in ["00 07 a0 11 88 fb", "00 07 c0 10 88 fb", "00 07 a0 10 88 fc"] {
        let body = [&[1; 10][..], &hex(end)].concat();
        let bytes = ether(0x88B8, &body);
        let packet = ethernet(&bytes);
        assert_eq!(
            packet.payload,
            Payload::Ethernet { ethertype: 0x88B8, bytes: &body, wire_len: body.len() as u32 }
        );
        assert_eq!(packet.redundancy, None);
    }
}
