//! Geneve, TZSP, GTP, PPP in its many places, provider backbones, EtherIP, redundancy tags, Cisco's metadata.

use super::tunnels::{INNER_MAC, inner_frame, leads_to_the_request, request};
use super::*;

/// A datagram to this port in an Ethernet frame.
fn datagram(port: u16, parts: &[&[u8]]) -> Vec<u8> {
    ether(0x0800, &ipv4(17, &udp_bytes(50000, port, &parts.concat())))
}

/// Assert that the datagram is shown as it is, with nothing counted but this.
fn stays_udp(port: u16, payload: &[u8], counted: &[(&str, u64)]) {
    let bytes = datagram(port, &[payload]);
    let (packet, counters) = once(LinkType::Ethernet, &bytes);
    let packet = packet.unwrap();
    assert_eq!((udp(&packet).bytes, packet.tunnels), (payload, Tunnels::default()));
    assert_counted(&counters, &[&[("frames", 1), ("udp", 1)], counted].concat());
}

#[test]
fn geneve_with_and_without_options() {
    for options in ["00 00 65 58 | 00 00 01 00", "02 00 65 58 | 00 00 01 00 | 01 02 03 01 | de ad be ef"] {
        let bytes = datagram(6081, &[&hex(options), &inner_frame()]);
        assert_eq!(leads_to_the_request(&bytes, &["geneve"], &[("geneve", 1)]).1, INNER_MAC);
    }
    let bytes = datagram(6081, &[&hex("00 00 08 00 | 00 00 01 00"), &request()]);
    leads_to_the_request(&bytes, &["geneve"], &[("geneve", 1)]);
    stays_udp(6081, &hex("40 00 65 58 | 00 00 01 00 | 00"), &[]); // version 1
    stays_udp(6081, &hex("00 00 1a 44 | 00 00 01 00 | 00 01"), &[]); // a type that nobody knows
    stays_udp(6081, &hex("3f 00 65 58 | 00 00 01 00 | 00"), &[]); // options beyond the end
    stays_udp(6081, &hex("00 00 65 58 | 00 00 01 00 | 00"), &[("geneve", 1), ("malformed_ethernet", 1)]);
}

#[test]
fn label_stacks_in_datagrams() {
    let bytes = datagram(6635, &[&hex("00 01 00 40 | 00 01 11 40"), &request()]);
    leads_to_the_request(&bytes, &["mpls"], &[("mpls", 1)]);
    // Answers of Modbus/UDP to a client that happens to have this port.
    stays_udp(6635, &hex("0001 0000 0005 01 03 02 1234"), &[]);
    stays_udp(6635, &[&hex("0001 0000 0053 02 03 50")[..], &[0; 80]].concat(), &[]);
}

#[test]
fn tzsp_with_its_tags() {
    for tags in ["01", "00 0a 01 c0 0b 02 00 00 01"] {
        let bytes = datagram(37008, &[&hex("01 00 00 01"), &hex(tags), &inner_frame()]);
        assert_eq!(leads_to_the_request(&bytes, &["tzsp"], &[("tzsp", 1)]).1, INNER_MAC);
    }
    stays_udp(37008, &hex("01 04 00 00 01"), &[]); // kept alive
    stays_udp(37008, &hex("01 00 00 12 01 00"), &[]); // IEEE 802.11
    stays_udp(37008, &[&hex("01 00 00 01")[..], &[0; 64]].concat(), &[]); // tags without end
}

#[test]
fn gtp_with_and_without_extensions() {
    for header in [
        "30 ff 00 00 | 00 00 00 01",
        "32 ff 00 00 | 00 00 00 01 | 00 01 00 00",
        "34 ff 00 00 | 00 00 00 01 | 00 00 00 85 | 01 10 01 00",
    ] {
        let bytes = datagram(2152, &[&hex(header), &request()]);
        leads_to_the_request(&bytes, &["gtp"], &[("gtp", 1)]);
    }
    stays_udp(2152, &hex("32 01 00 04 | 00 00 00 00 | 00 01 00 00"), &[]); // echo request
    stays_udp(2152, &hex("34 ff 00 08 | 00 00 00 01 | 00 00 00 85 | 00 10 01 00"), &[]); // no length
}

#[test]
fn ppp_over_ethernet_in_gre_and_in_l2tp() {
    let length = |octets: usize| (octets as u16).to_be_bytes();
    let ip = request();
    let bytes = ether(0x8864, &[&hex("11 00 00 01")[..], &length(ip.len() + 2), &[0, 0x21], &ip].concat());
    leads_to_the_request(&bytes, &["ppp"], &[("ppp", 1)]);
    let six = ipv6(6, &tcp_bytes(&REQUEST));
    let bytes = ether(0x8864, &[&hex("11 00 00 01")[..], &length(six.len() + 1), &[0x57], &six].concat());
    leads_to_the_request(&bytes, &["ppp"], &[("ppp", 1)]);

    // with a sequence number; then with one that is acknowledged, too
    for (flags, numbers) in [("30 01", "00 00 00 07"), ("30 81", "00 00 00 07 00 00 00 06")] {
        let frame = [&hex("ff 03 00 21")[..], &ip].concat();
        let header = [hex(flags), hex("88 0b"), length(frame.len()).to_vec(), hex("00 01"), hex(numbers)];
        let bytes = ether(0x0800, &ipv4(47, &[header.concat(), frame].concat()));
        leads_to_the_request(&bytes, &["ppp"], &[("ppp", 1), ("gre_pptp", 1)]);
    }
    for header in ["00 02 | 00 01 00 01", "4a 02 | 00 99 | 00 01 00 01 | 00 00 00 00 | 00 01 00"] {
        let bytes = datagram(1701, &[&hex(header), &hex("ff 03 00 21"), &ip]);
        leads_to_the_request(&bytes, &["ppp"], &[("ppp", 1)]);
    }
    stays_udp(1701, &hex("c8 02 00 0c 00 00 00 00 00 00 00 00"), &[]); // controls the tunnel
}

#[test]
fn ppp_that_carries_something_else_is_shown_and_counted_if_it_hides_packets() {
    for (protocol, counted) in [("c0 21", None), ("00 fd", Some(("not_followed", 1)))] {
        let body = [hex("11 00 00 01 | 00 04"), hex(protocol), vec![1, 2]].concat();
        let bytes = ether(0x8864, &body);
        let (packet, counters) = once(LinkType::Ethernet, &bytes);
        let Payload::Ethernet { ethertype: 0x8864, .. } = packet.unwrap().payload else { panic!() };
        let always = [("frames", 1), ("other_ethernet", 1)];
        assert_counted(&counters, &always.into_iter().chain(counted).collect::<Vec<_>>());
    }
    let (_, counters) = once(LinkType::Ethernet, &ether(0x8863, &hex("11 09 00 00 | 00 00")));
    assert_counted(&counters, &[("frames", 1), ("other_ethernet", 1), ("not_followed", 1)]);
}

#[test]
fn ppp_and_hdlc_as_the_link() {
    let cases = [
        (9, "ff 03 00 21", 1),
        (9, "21", 1),
        (50, "ff 03 00 21", 1),
        (50, "0f 00 08 00", 0), // Cisco's HDLC
        (104, "8f 00 08 00", 0),
        (204, "01 ff 03 00 21", 1),
        (51, "11 00 00 01 00 36 00 21", 1),
    ];
    for (number, header, ppp) in cases {
        let bytes = [hex(header), request()].concat();
        let (packet, counters) = once(LinkType::from_number(number), &bytes);
        assert_eq!(tcp(&packet.unwrap_or_else(|| panic!("{number} {header}"))).bytes, REQUEST);
        assert_eq!((counters.ppp, counters.tcp), (ppp, 1));
    }
}

#[test]
fn provider_backbones_and_ethernet_in_ip() {
    let counted = [("backbone", 1)];
    let bytes = ether(0x88E7, &[hex("00 00 00 01"), inner_frame()].concat());
    assert_eq!(leads_to_the_request(&bytes, &["backbone"], &counted).1, INNER_MAC);
    let bytes = ether(0x88A8, &[hex("00 05 | 88 e7 | 00 00 00 01"), inner_frame()].concat());
    let (vlan, mac) = leads_to_the_request(&bytes, &["vlan", "backbone"], &[("vlan", 1), ("backbone", 1)]);
    assert_eq!((vlan, mac), (vec![5], INNER_MAC));
    let bytes = ether(0x0800, &ipv4(97, &[hex("30 00"), inner_frame()].concat()));
    assert_eq!(leads_to_the_request(&bytes, &["ether_ip"], &[("ether_ip", 1)]).1, INNER_MAC);
    let bytes = ether(0x0800, &ipv4(97, &[hex("40 00"), inner_frame()].concat()));
    assert_counted(&once(LinkType::Ethernet, &bytes).1, &[("frames", 1), ("other_ip", 1)]);
}

#[test]
fn redundancy_tags_and_metadata_go_and_the_sequence_number_stays() {
    let bytes = ether(0xF1C1, &[hex("00 00 ab cd | 08 00"), request()].concat());
    leads_to_the_request(&bytes, &[], &[("r_tag", 1)]);
    assert_eq!(ethernet(&bytes).redundancy, Some(0xABCD));
    let bytes = ether(0x8909, &[hex("01 01 | 00 01 00 05 | 08 00"), request()].concat());
    leads_to_the_request(&bytes, &[], &[]);
}

#[test]
fn what_is_cut_or_nested_without_end_ends() {
    let whole = [
        datagram(6081, &[&hex("01 00 65 58 | 00 00 01 00 | 00 00 00 00"), &inner_frame()]),
        datagram(37008, &[&hex("01 00 00 01 0a 01 c0 01"), &inner_frame()]),
        datagram(2152, &[&hex("34 ff 00 00 | 00 00 00 01 | 00 00 00 85 | 01 10 01 00"), &request()]),
        datagram(1701, &[&hex("4a 02 00 99 00 01 00 01 00 00 00 00 00 01 00 ff 03 00 21"), &request()]),
        ether(0x8864, &[hex("11 00 00 01 00 40 00 21"), request()].concat()),
        ether(0x88E7, &[hex("00 00 00 01"), inner_frame()].concat()),
        ether(0xF1C1, &[hex("00 00 ab cd | 08 00"), request()].concat()),
        ether(0x8909, &[hex("01 01 | 00 01 00 05 | 08 00"), request()].concat()),
    ];
    for bytes in &whole {
        for end in 0..bytes.len() {
            let counters = once(LinkType::Ethernet, &bytes[..end]).1;
            assert_eq!(counters.frames, 1);
        }
    }
    let tags = ether(0xF1C1, &hex("00 00 00 01 f1 c1").repeat(100));
    assert_eq!(once(LinkType::Ethernet, &tags).1.too_deep, 1);
    let backbone = (0..100).fold(inner_frame(), |inner, _| ether(0x88E7, &[&[0; 4][..], &inner].concat()));
    assert_eq!(once(LinkType::Ethernet, &backbone).1.too_deep, 1);
}
