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
