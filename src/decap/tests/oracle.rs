//! Against an independent decoder, against itself, and cut at every octet.

use etherparse::{LaxSlicedPacket, PacketBuilder, TransportSlice};
use proptest::prelude::*;

use super::*;

/// A frame with random addresses, tags, extension headers, ports and payload, built by etherparse.
fn built() -> impl Strategy<Value = Vec<u8>> {
    let tags = prop_oneof![
        Just(vec![]),
        (0u16..4096).prop_map(|id| vec![id]),
        (0u16..4096, 0u16..4096).prop_map(|(a, b)| vec![a, b])
    ];
    let payload = prop::collection::vec(any::<u8>(), 0..80);
    (any::<[u8; 32]>(), tags, any::<bool>(), any::<bool>(), any::<(u16, u16)>(), payload).prop_map(
        |(address, tags, is_v6, is_tcp, (src, dst), payload)| {
            let [a @ .., _, _, _, _, _, _, _, _, _, _, _, _] = address;
            let ethernet = PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2]);
            let id = |i: usize| etherparse::VlanId::try_new(tags[i]).unwrap();
            let mut bytes = Vec::new();
            macro_rules! finish {
                ($step:expr) => {{
                    let step = if is_v6 {
                        let mut dst = [0xFD; 16];
                        dst[..4].copy_from_slice(&a[..4]);
                        $step.ipv6(a[..16].try_into().unwrap(), dst, 64)
                    } else {
                        $step.ipv4([a[0], a[1], a[2], a[3]], [a[4], a[5], a[6], a[7]], 64)
                    };
                    if is_tcp {
                        step.tcp(src, dst, 77, 1000).ack(5).write(&mut bytes, &payload).unwrap();
                    } else {
                        step.udp(src, dst).write(&mut bytes, &payload).unwrap();
                    }
                }};
            }
            match tags.len() {
                0 => finish!(ethernet),
                1 => finish!(ethernet.single_vlan(id(0))),
                _ => finish!(ethernet.double_vlan(id(0), id(1))),
            }
            bytes
        },
    )
}

/// Ports and payload as etherparse reads them, if it finds TCP or UDP.
fn reference(bytes: &[u8]) -> Option<(u16, u16, Vec<u8>)> {
    let sliced = LaxSlicedPacket::from_ethernet(bytes).ok()?;
    match sliced.transport? {
        TransportSlice::Tcp(t) => Some((t.source_port(), t.destination_port(), t.payload().to_vec())),
        TransportSlice::Udp(u) => Some((u.source_port(), u.destination_port(), u.payload().to_vec())),
        _ => None,
    }
}

fn ours(packet: &Packet<'_>) -> Option<(u16, u16, Vec<u8>)> {
    match packet.payload {
        Payload::Tcp(s) => Some((s.src_port, s.dst_port, s.bytes.to_vec())),
        Payload::Udp(d) => Some((d.src_port, d.dst_port, d.bytes.to_vec())),
        _ => None,
    }
}

proptest! {
    #[test]
    fn an_independent_decoder_reads_the_same(bytes in built(), padding in 0usize..30) {
        let mut padded = bytes.clone();
        padded.resize(bytes.len() + padding, 0x55);
        let packet = ethernet(&padded);
        let expected = reference(&padded);
        prop_assert!(expected.is_some());
        prop_assert_eq!(ours(&packet), expected);
    }

    #[test]
    fn one_changed_octet_changes_nothing_that_the_independent_decoder_does_not_see(
        bytes in built(), at in any::<prop::sample::Index>(), value in any::<u8>(),
    ) {
        let mut bytes = bytes;
        let at = at.index(bytes.len());
        bytes[at] = value;
        let (packet, counters) = once(LinkType::Ethernet, &bytes);
        // where both find TCP or UDP they agree, unless a length lies (they differ in what they do then)
        if let (Some(ours), Some(reference)) = (packet.as_ref().and_then(ours), reference(&bytes))
            && counters.length_lies + counters.offload_lengths + counters.udp_trailing == 0
            && counters.vxlan == 0
        {
            prop_assert_eq!(ours, reference);
        }
    }

    #[test]
    fn the_short_way_and_the_walk_agree(
        bytes in built(), at in any::<prop::sample::Index>(), value in any::<u8>(), padding in 0usize..20,
        trailer in any::<bool>(),
    ) {
        let mut bytes = bytes;
        let at = at.index(bytes.len());
        bytes[at] = value;
        bytes.resize(bytes.len() + padding, 0);
        if trailer {
            // of PRP, if there is room for it
            bytes.extend([0x12, 0x34, 0xA0, 0, 0x88, 0xFB]);
            let size = bytes.len() - 14 - padding / 2;
            let at = bytes.len() - 4;
            bytes[at..at + 2].copy_from_slice(&(0xA000 | size as u16 & 0xFFF).to_be_bytes());
        }
        let frame = frame(LinkType::Ethernet, 1, &bytes);
        let (mut short, mut long) = (new(), new());
        let mut first = new();
        let plain = first.plain(&frame);
        let packets = (short.decapsulate(&frame), long.walk(&frame));
        if let Some(plain) = &plain {
            let packet = plain.packet(frame.place);
            let link = (Some(plain.src_mac()), plain.vlan());
            prop_assert_eq!(link, (packet.src_mac, packet.vlan.ids().last().copied().unwrap_or(0)));
            let (from, to) = plain.addresses();
            prop_assert_eq!((Some((from.into(), to.into())), plain.ip_id()), (packet.ip, packet.ip_id));
            prop_assert_eq!(Some(packet), packets.1);
        }
        prop_assert_eq!(packets.0, packets.1);
        long.counters.frames += 1;
        prop_assert_eq!(short.counters(), long.counters());
        if plain.is_some() {
            prop_assert_eq!(first.counters(), long.counters());
        } else {
            prop_assert_eq!(first.counters(), &DecapCounters::default());
        }
    }

    #[test]
    fn any_octets_at_all_neither_panic_nor_get_lost(
        bytes in prop::collection::vec(any::<u8>(), 0..200), kind in 0usize..5, missing in 0u32..100,
    ) {
        let link = [
            LinkType::Ethernet, LinkType::RawIp, LinkType::LinuxCooked, LinkType::LinuxCooked2,
            LinkType::BsdLoopback,
        ][kind];
        let mut frame = frame(link, 1, &bytes);
        frame.wire_len += missing;
        let mut decapsulator = new();
        let is_packet = decapsulator.decapsulate(&frame).is_some();
        let c = decapsulator.counters();
        prop_assert_eq!(is_packet, c.tcp + c.udp + c.other_ip + c.other_ethernet == 1);
        prop_assert_eq!(!is_packet, c.fragments_held + c.duplicate_fragments + c.undecodable == 1);
    }
}

/// Frames with every kind of wrapping.
fn wrapped() -> Vec<Vec<u8>> {
    let request = ipv4(6, &tcp_bytes(&REQUEST));
    let inner = ether(0x0800, &request);
    let v6 = ipv6(
        0,
        &[
            hex("3c 00 05 02 00 00 00 00 | 33 00 01 04 00 00 00 00"),
            hex("06 04"),
            vec![0; 22],
            tcp_bytes(&REQUEST),
        ]
        .concat(),
    );
    vec![
        ether(0x88A8, &[hex("00 64 81 00 00 c8 08 00"), request.clone()].concat()),
        ether(0x8847, &[hex("00 01 00 ff 00 02 01 ff 00 00 00 00"), inner.clone()].concat()),
        ether(
            0x0800,
            &ipv4(47, &[hex("b0 00 65 58 00 00 00 00 00 00 00 01 00 00 00 02"), inner.clone()].concat()),
        ),
        ether(
            0x0800,
            &ipv4(47, &[hex("10 00 88 be 00 00 00 01 10 64 10 05 00 00 00 03"), inner.clone()].concat()),
        ),
        ether(
            0x0800,
            &ipv4(
                47,
                &[
                    hex("10 00 22 eb 00 00 00 01 20 64 00 05 00 00 00 00 00 00 00 01"),
                    vec![0; 8],
                    inner.clone(),
                ]
                .concat(),
            ),
        ),
        ether(0x0800, &ipv4(17, &udp_bytes(1, 4789, &[hex("08 00 00 00 00 00 2a 00"), inner].concat()))),
        ether(0x86DD, &v6),
        ether(0x892F, &[hex("10 12 ab cd 08 00"), request.clone()].concat()),
        ether(60, &[hex("aa aa 03 00 00 00 08 00"), request].concat()),
    ]
}

#[test]
fn every_wrapping_leads_to_the_request_and_every_cut_is_accounted_for() {
    for whole in wrapped() {
        assert_eq!(tcp(&ethernet(&whole)).bytes, REQUEST, "{whole:02x?}");
        for length in 0..whole.len() {
            // cut by the snap length: never called malformed
            let mut cut = frame(LinkType::Ethernet, 1, &whole[..length]);
            cut.wire_len = whole.len() as u32;
            let mut decapsulator = new();
            let _ = decapsulator.decapsulate(&cut);
            let c = decapsulator.counters();
            let malformed: u64 = DecapCounters::NAMES
                .iter()
                .zip(c.values())
                .filter(|(name, _)| name.starts_with("malformed") || **name == "length_lies")
                .map(|(_, value)| value)
                .sum();
            assert_eq!((malformed, c.truncated), (0, 1), "{length} of {whole:02x?}: {c:?}");
            // cut on the wire: anything but a panic
            let _ = once(LinkType::Ethernet, &whole[..length]);
        }
    }
}
