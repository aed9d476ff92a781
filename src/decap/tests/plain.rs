//! Ethernet, VLAN, IPv4, IPv6, TCP, UDP, and the other ways a frame begins.

use super::*;

#[test]
fn a_tcp_segment_in_plain_ethernet() {
    let bytes = hex("02 00 00 00 00 02 | 02 00 00 00 00 01 | 08 00  # MACs, IPv4
        45 00 00 34 | 12 34 40 00 | 40 06 00 00                     # 52 octets, identification, TCP
        0a 00 00 01 | 0a 00 00 02
        c0 00 01 f6 | 00 00 00 07 | 00 00 00 09 | 50 18 10 00 | 00 00 00 00
        00 01 00 00 00 06 01 03 00 00 00 02                         # Modbus");
    let (packet, counters) = once(LinkType::Ethernet, &bytes);
    let packet = packet.unwrap();
    assert_eq!(packet.dst_mac, Some(MacAddr([2, 0, 0, 0, 0, 2])));
    assert_eq!(packet.src_mac, Some(MacAddr([2, 0, 0, 0, 0, 1])));
    assert_eq!(packet.ip, Some(("10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap())));
    assert_eq!(packet.ip_id, 0x1234);
    let segment = tcp(&packet);
    assert_eq!((segment.src_port, segment.dst_port), (49152, 502));
    assert_eq!((segment.seq, segment.ack, segment.flags), (7, 9, 0x18));
    assert_eq!(segment.bytes, REQUEST);
    assert_eq!(segment.wire_len, 12);
    assert_counted(&counters, &[("frames", 1), ("tcp", 1)]);
}

#[test]
fn ethernet_padding_is_not_payload() {
    let mut bytes = ether(0x0800, &ipv4(6, &tcp_bytes(&[])));
    bytes.resize(60, 0xEE);
    let packet = ethernet(&bytes);
    assert_eq!(tcp(&packet).bytes, b"");
    assert_eq!(tcp(&packet).wire_len, 0);
}

#[test]
fn what_the_snap_length_cut_is_in_wire_len() {
    let whole = ether(0x0800, &ipv4(6, &tcp_bytes(&[7; 100])));
    let mut cut = frame(LinkType::Ethernet, 1, &whole[..64]);
    cut.wire_len = whole.len() as u32;
    let mut decapsulator = new();
    let packet = decapsulator.decapsulate(&cut).unwrap();
    assert_eq!(tcp(&packet).bytes, [7; 10]);
    assert_eq!(tcp(&packet).wire_len, 100);
    assert_counted(decapsulator.counters(), &[("frames", 1), ("tcp", 1), ("truncated", 1)]);
}

#[test]
fn vlan_ids_of_all_tags_are_kept_outermost_first() {
    let inner = ipv4(17, &udp_bytes(20000, 20000, &[1, 2]));
    let tagged = [&hex("88a8 | 20 64 | 81 00 | 60 c8 | 08 00")[2..], &inner].concat();
    let bytes = ether(0x88A8, &tagged);
    let (packet, counters) = once(LinkType::Ethernet, &bytes);
    let packet = packet.unwrap();
    assert_eq!(packet.vlan.ids(), [100, 200]);
    assert_eq!(udp(&packet).bytes, [1, 2]);
    assert_counted(&counters, &[("frames", 1), ("udp", 1), ("vlan", 1)]);
}

#[test]
fn ipv6_carries_tcp() {
    let bytes = ether(0x86DD, &ipv6(6, &tcp_bytes(&REQUEST)));
    let packet = ethernet(&bytes);
    assert_eq!(packet.ip, Some(("fd00::1".parse().unwrap(), "fd00::2".parse().unwrap())));
    assert_eq!(tcp(&packet).bytes, REQUEST);
}

#[test]
fn a_priority_tag_is_a_tag_with_id_0() {
    let bytes = ether(0x8100, &[&hex("80 00 | 88 b8")[..], &[1, 2, 3]].concat());
    let (packet, counters) = once(LinkType::Ethernet, &bytes);
    let packet = packet.unwrap();
    assert_eq!((packet.vlan.ids(), packet.vlan.depth()), (&[0][..], 1));
    assert_eq!(packet.payload, Payload::Ethernet { ethertype: 0x88B8, bytes: &[1, 2, 3], wire_len: 3 });
    assert_counted(&counters, &[("frames", 1), ("other_ethernet", 1), ("vlan", 1)]);
}

#[test]
fn sixteen_vlan_tags_are_passed_and_seventeen_are_too_deep() {
    let inner = ipv4(6, &tcp_bytes(&REQUEST));
    let tags = |count: usize| {
        let mut body = Vec::new();
        for left in (0..count).rev() {
            body.extend_from_slice(&hex("00 05"));
            body.extend_from_slice(&if left == 0 { [0x08, 0x00] } else { [0x81, 0x00] });
        }
        ether(0x8100, &[body, inner.clone()].concat())
    };
    let bytes = tags(16);
    let packet = ethernet(&bytes);
    assert_eq!((packet.vlan.depth(), tcp(&packet).bytes), (16, &REQUEST[..]));
    let bytes = tags(17);
    let (packet, counters) = once(LinkType::Ethernet, &bytes);
    assert_eq!(packet, None);
    assert_counted(&counters, &[("frames", 1), ("undecodable", 1), ("too_deep", 1), ("vlan", 1)]);
}

#[test]
fn ipv4_options_are_passed() {
    let mut ip = ipv4(6, &tcp_bytes(&REQUEST));
    ip[0] = 0x46;
    ip[3] += 4;
    ip.splice(20..20, [0x94, 0x04, 0, 0]); // router alert
    let bytes = ether(0x0800, &ip);
    assert_eq!(tcp(&ethernet(&bytes)).bytes, REQUEST);
}

#[test]
fn a_total_length_of_0_is_segmentation_offload_and_means_what_was_captured() {
    let mut ip = ipv4(6, &tcp_bytes(&REQUEST));
    ip[2..4].fill(0);
    let bytes = ether(0x0800, &ip);
    let (packet, counters) = once(LinkType::Ethernet, &bytes);
    assert_eq!(tcp(&packet.unwrap()).bytes, REQUEST);
    assert_counted(&counters, &[("frames", 1), ("tcp", 1), ("offload_lengths", 1)]);
}

#[test]
fn a_total_length_beyond_the_wire_is_a_lie_and_what_is_there_is_used() {
    let mut ip = ipv4(6, &tcp_bytes(&REQUEST));
    ip[2] = 1; // 256 octets more
    let bytes = ether(0x0800, &ip);
    let (packet, counters) = once(LinkType::Ethernet, &bytes);
    let segment = tcp(&packet.unwrap());
    assert_eq!((segment.bytes, segment.wire_len), (&REQUEST[..], 12));
    assert_counted(&counters, &[("frames", 1), ("tcp", 1), ("length_lies", 1)]);
}

#[test]
fn impossible_header_lengths_are_malformed() {
    let cases: [(&str, usize, u8, &str); 5] = [
        ("IHL of 16 octets", 14, 0x44, "malformed_ipv4"),
        ("IHL beyond the packet", 14, 0x4F, "malformed_ipv4"),
        ("version 5", 14, 0x55, "malformed_ipv4"),
        ("data offset of 16 octets", 14 + 20 + 12, 0x40, "malformed_tcp"),
        ("data offset beyond the packet", 14 + 20 + 12, 0xF0, "malformed_tcp"),
    ];
    for (what, at, value, counter) in cases {
        let mut bytes = ether(0x0800, &ipv4(6, &tcp_bytes(&[1, 2])));
        bytes[at] = value;
        let (packet, counters) = once(LinkType::Ethernet, &bytes);
        assert_eq!(packet, None, "{what}");
        assert_counted(&counters, &[("frames", 1), ("undecodable", 1), (counter, 1)]);
    }
}

#[test]
fn a_header_cut_by_the_snap_length_is_not_malformed() {
    let whole = ether(0x0800, &ipv4(6, &tcp_bytes(&REQUEST)));
    let mut cut = frame(LinkType::Ethernet, 1, &whole[..40]);
    cut.wire_len = whole.len() as u32;
    let mut decapsulator = new();
    assert_eq!(decapsulator.decapsulate(&cut), None);
    assert_counted(
        decapsulator.counters(),
        &[("frames", 1), ("undecodable", 1), ("truncated", 1), ("headers_truncated", 1)],
    );
}

#[test]
fn tcp_options_cut_by_the_snap_length_leave_an_empty_segment_of_known_length() {
    let mut segment = tcp_bytes(&[0; 12]);
    segment[12] = 0x80; // 12 octets of options
    segment.extend_from_slice(&REQUEST);
    let whole = ether(0x0800, &ipv4(6, &segment));
    let mut cut = frame(LinkType::Ethernet, 1, &whole[..60]);
    cut.wire_len = whole.len() as u32;
    let mut decapsulator = new();
    let segment = tcp(&decapsulator.decapsulate(&cut).unwrap());
    assert_eq!((segment.bytes, segment.wire_len), (&[][..], 12));
}

#[test]
fn udp_lengths_are_held_against_the_ip_packet() {
    let with_length = |length: u8| {
        let mut datagram = udp_bytes(1, 502, &REQUEST);
        datagram[5] = length;
        ether(0x0800, &ipv4(17, &datagram))
    };
    // (length field, payload octets, counter)
    for (length, payload, counter) in [(12, 4, "udp_trailing"), (99, 12, "length_lies")] {
        let bytes = with_length(length);
        let (packet, counters) = once(LinkType::Ethernet, &bytes);
        assert_eq!(udp(&packet.unwrap()).bytes, &REQUEST[..payload]);
        assert_counted(&counters, &[("frames", 1), ("udp", 1), (counter, 1)]);
    }
    let bytes = with_length(0);
    assert_eq!(udp(&ethernet(&bytes)).bytes, REQUEST, "no length: offload");
    let bytes = with_length(7);
    let (packet, counters) = once(LinkType::Ethernet, &bytes);
    assert_eq!(packet, None);
    assert_counted(&counters, &[("frames", 1), ("undecodable", 1), ("malformed_udp", 1)]);
}

#[test]
fn ipv6_extension_headers_are_passed() {
    let body = [
        &hex("2b 00 | 05 02 00 00 00 00")[..], // hop-by-hop: router alert; next routing
        &hex("3c 00 | 00 00 00 00 00 00"),     // routing; next destination options
        &hex("33 01 | 01 0c 00 00 00 00 00 00 00 00 00 00 00 00"), // options of 16 octets; next AH
        &hex("2c 04 | 00 00 00 00 00 01 00 00 00 01 00 00 00 00 00 00 00 00 00 00 00 00"), // AH of 24
        &hex("06 00 | 00 00 | 00 00 00 01"),   // fragment header of a whole datagram (RFC 6946)
        &tcp_bytes(&REQUEST),
    ]
    .concat();
    let bytes = ether(0x86DD, &ipv6(0, &body));
    let (packet, counters) = once(LinkType::Ethernet, &bytes);
    assert_eq!(tcp(&packet.unwrap()).bytes, REQUEST);
    assert_counted(&counters, &[("frames", 1), ("tcp", 1), ("ipsec_ah", 1)]);
}

#[test]
fn endless_extension_headers_are_too_deep() {
    let body = [&hex("3c 00 01 04 00 00 00 00").repeat(13)[..], &tcp_bytes(&REQUEST)].concat();
    let bytes = ether(0x86DD, &ipv6(60, &body));
    let (packet, counters) = once(LinkType::Ethernet, &bytes);
    assert_eq!(packet, None);
    assert_counted(&counters, &[("frames", 1), ("undecodable", 1), ("too_deep", 1)]);
}

#[test]
fn encrypted_and_empty_ipv6_payloads_are_shown_as_they_are() {
    let bytes = ether(0x86DD, &ipv6(50, &[1, 2, 3, 4]));
    let (packet, counters) = once(LinkType::Ethernet, &bytes);
    assert_eq!(packet.unwrap().payload, Payload::Ip { protocol: 50, bytes: &[1, 2, 3, 4] });
    assert_counted(&counters, &[("frames", 1), ("other_ip", 1), ("ipsec_esp", 1)]);
    let bytes = ether(0x86DD, &ipv6(59, &[]));
    assert_eq!(ethernet(&bytes).payload, Payload::Ip { protocol: 59, bytes: &[] });
}

#[test]
fn a_jumbogram_is_as_long_as_the_frame() {
    let mut ip = ipv6(0, &[&hex("06 00 c2 04 00 00 00 28")[..], &tcp_bytes(&REQUEST)].concat());
    ip[4..6].fill(0);
    let bytes = ether(0x86DD, &ip);
    let (packet, counters) = once(LinkType::Ethernet, &bytes);
    assert_eq!(tcp(&packet.unwrap()).bytes, REQUEST);
    assert_counted(&counters, &[("frames", 1), ("tcp", 1), ("jumbograms", 1)]);
}

#[test]
fn unknown_ethertypes_and_protocols_are_shown_and_counted() {
    let bytes = ether(0x1234, &[9, 9]);
    let (packet, counters) = once(LinkType::Ethernet, &bytes);
    assert_eq!(packet.unwrap().payload, Payload::Ethernet { ethertype: 0x1234, bytes: &[9, 9], wire_len: 2 });
    assert_counted(&counters, &[("frames", 1), ("other_ethernet", 1), ("unknown_ethertype", 1)]);
    let bytes = ether(0x0806, &[9, 9]);
    assert_counted(&once(LinkType::Ethernet, &bytes).1, &[("frames", 1), ("other_ethernet", 1)]);
    let bytes = ether(0x894F, &[9, 9]);
    let counters = once(LinkType::Ethernet, &bytes).1;
    assert_counted(&counters, &[("frames", 1), ("other_ethernet", 1), ("not_followed", 1)]);
    let bytes = ether(0x0800, &ipv4(132, &[9]));
    assert_eq!(ethernet(&bytes).payload, Payload::Ip { protocol: 132, bytes: &[9] });
}

#[test]
fn wrong_checksums_are_ignored_counted_or_discarded_as_configured() {
    // checksums 0x1234: wrong in all three places
    let mut tcp_frame = ether(0x0800, &ipv4(6, &tcp_bytes(&REQUEST)));
    tcp_frame[14 + 20 + 16..][..2].copy_from_slice(&[0x12, 0x34]);
    let mut udp_frame = ether(0x0800, &ipv4(17, &udp_bytes(1, 502, &REQUEST)));
    udp_frame[14 + 20 + 6..][..2].copy_from_slice(&[0x12, 0x34]);
    let run = |checksums: Checksums| {
        let mut decapsulator = Decapsulator::new(DecapOptions { checksums, ..DecapOptions::default() });
        let seen = [&tcp_frame, &udp_frame]
            .map(|bytes| decapsulator.decapsulate(&frame(LinkType::Ethernet, 1, bytes)).is_some());
        (seen, *decapsulator.counters())
    };
    let (seen, counters) = run(Checksums::Ignore);
    assert_eq!(seen, [true, true]);
    assert_counted(&counters, &[("frames", 2), ("tcp", 1), ("udp", 1)]);
    let (seen, counters) = run(Checksums::Count);
    assert_eq!(seen, [true, true]);
    assert_counted(
        &counters,
        &[
            ("frames", 2),
            ("tcp", 1),
            ("udp", 1),
            ("bad_ip_checksum", 2),
            ("bad_tcp_checksum", 1),
            ("bad_udp_checksum", 1),
        ],
    );
    let (seen, counters) = run(Checksums::Discard);
    assert_eq!(seen, [false, false]);
    assert_counted(&counters, &[("frames", 2), ("checksum_discarded", 2), ("bad_ip_checksum", 2)]);
}

#[test]
fn the_outcomes_add_up_to_the_frames() {
    let frames = [
        ether(0x0800, &ipv4(6, &tcp_bytes(&REQUEST))),
        ether(0x0800, &ipv4(17, &udp_bytes(1, 2, &REQUEST))),
        ether(0x0800, &ipv4(1, &REQUEST)),
        ether(0x0800, &ipv4_fragment(17, 1, 0x2000, &[0; 8])),
        ether(0x0806, &REQUEST),
        ether(0x0800, &[]),
    ];
    let mut decapsulator = new();
    for bytes in &frames {
        let _ = decapsulator.decapsulate(&frame(LinkType::Ethernet, 1, bytes));
    }
    let c = decapsulator.counters();
    assert_eq!(c.frames, 6);
    assert_eq!(
        (c.tcp, c.udp, c.other_ip, c.other_ethernet, c.fragments_held, c.undecodable),
        (1, 1, 1, 1, 1, 1)
    );
}
