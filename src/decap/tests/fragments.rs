//! Fragments: put together in any order, with overlaps, gaps, copies and floods.

use super::*;

/// A UDP datagram of 40 octets with the request at its end.
fn datagram() -> Vec<u8> {
    udp_bytes(20000, 502, &[&[0xAA; 20][..], &REQUEST].concat())
}

/// Fragment `start..end` of a datagram over IPv4, in Ethernet.
fn v4(id: u16, whole: &[u8], start: usize, end: usize, more: bool) -> Vec<u8> {
    let flags = (start / 8) as u16 | if more { 0x2000 } else { 0 };
    ether(0x0800, &ipv4_fragment(17, id, flags, &whole[start..end]))
}

/// The same over IPv6.
fn v6(id: u8, whole: &[u8], start: usize, end: usize, more: bool) -> Vec<u8> {
    let offset = (start as u16) | u16::from(more);
    let mut header = vec![17, 0];
    header.extend_from_slice(&offset.to_be_bytes());
    header.extend_from_slice(&[0, 0, 0, id]);
    header.extend_from_slice(&whole[start..end]);
    ether(0x86DD, &ipv6(44, &header))
}

struct Run {
    decapsulator: Decapsulator,
    number: u64,
}

impl Run {
    fn new(options: DecapOptions) -> Run {
        Run { decapsulator: Decapsulator::new(options), number: 0 }
    }

    /// One frame, a second after the one before; returns the UDP payload if there is one.
    fn feed(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        self.number += 1;
        self.feed_at(bytes, self.number * 1_000_000_000)
    }

    fn feed_at(&mut self, bytes: &[u8], at: u64) -> Option<Vec<u8>> {
        let mut frame = frame(LinkType::Ethernet, self.number, bytes);
        frame.at = Timestamp(at);
        self.decapsulator.decapsulate(&frame).map(|p| udp(&p).bytes.to_vec())
    }

    fn counters(&self) -> DecapCounters {
        *self.decapsulator.counters()
    }
}

fn run() -> Run {
    Run::new(DecapOptions::default())
}

#[test]
fn fragments_are_put_together_in_any_order() {
    let whole = datagram();
    let parts = [(0, 16, true), (16, 32, true), (32, 40, false)];
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        for make in [|w: &[u8], (s, e, m)| v4(7, w, s, e, m), |w: &[u8], (s, e, m)| v6(7, w, s, e, m)] {
            let mut run = run();
            assert_eq!(run.feed(&make(&whole, parts[order[0]])), None);
            assert_eq!(run.feed(&make(&whole, parts[order[1]])), None);
            assert_eq!(run.feed(&make(&whole, parts[order[2]])).unwrap(), whole[8..], "{order:?}");
            assert_counted(
                &run.counters(),
                &[
                    ("frames", 3),
                    ("fragments", 3),
                    ("fragments_held", 2),
                    ("fragments_reassembled", 1),
                    ("udp", 1),
                ],
            );
        }
    }
}

#[test]
fn a_reassembled_packet_names_its_first_frame() {
    let whole = datagram();
    let (first, last) = (v4(7, &whole, 0, 16, true), v4(7, &whole, 16, 40, false));
    let mut decapsulator = new();
    assert_eq!(decapsulator.decapsulate(&frame(LinkType::Ethernet, 3, &last)), None);
    let second = frame(LinkType::Ethernet, 9, &first);
    let packet = decapsulator.decapsulate(&second).unwrap();
    assert_eq!(packet.first_frame.number, 3);
    assert!(packet.tunnels.contains(Tunnels::FRAGMENTS));
    assert_eq!(packet.ip_id, 7);
}

#[test]
fn identification_addresses_and_protocol_keep_datagrams_apart() {
    let whole = datagram();
    let mut run = run();
    assert_eq!(run.feed(&v4(7, &whole, 0, 16, true)), None);
    assert_eq!(run.feed(&v4(8, &whole, 16, 40, false)), None);
    let mut other = v4(7, &whole, 16, 40, false);
    other[14 + 15] = 9; // another sender
    assert_eq!(run.feed(&other), None);
    assert!(run.feed(&v4(7, &whole, 16, 40, false)).is_some());
}

#[test]
fn extension_headers_within_the_fragmented_part_are_passed() {
    // destination options, then UDP: the fragment header names destination options
    let whole = [&hex("11 00 01 04 00 00 00 00")[..], &datagram()].concat();
    let mut first = v6(7, &whole, 0, 24, true);
    let mut last = v6(7, &whole, 24, 48, false);
    first[14 + 40] = 60;
    last[14 + 40] = 60;
    let mut run = run();
    assert_eq!(run.feed(&first), None);
    assert_eq!(run.feed(&last).unwrap(), datagram()[8..]);
}

#[test]
fn copies_within_the_window_are_counted_and_start_nothing() {
    let whole = datagram();
    let mut run = run();
    let (first, last) = (v4(7, &whole, 0, 16, true), v4(7, &whole, 16, 40, false));
    let at = 1_000_000_000;
    assert_eq!(run.feed_at(&first, at), None);
    assert_eq!(run.feed_at(&first, at + 5), None);
    assert!(run.feed_at(&last, at + 10).is_some());
    assert_eq!(run.feed_at(&last, at + 15), None);
    run.decapsulator.finish();
    let c = run.counters();
    assert_eq!((c.duplicate_fragments, c.fragments_expired, c.fragments_overlapping), (2, 0, 0));
}

#[test]
fn ipv4_overlaps_keep_what_was_seen_first_and_conflicts_are_counted() {
    let whole = datagram();
    let mut evil = whole.clone();
    evil[16..24].fill(0xEE);
    // octets 16..24 come twice: the same, then different
    for (second, conflicts) in [(&whole, 0), (&evil, 1)] {
        let mut run = run();
        assert_eq!(run.feed(&v4(7, &whole, 0, 24, true)), None);
        assert_eq!(run.feed(&v4(7, second, 16, 40, false)).unwrap(), whole[8..]);
        let c = run.counters();
        assert_eq!((c.fragments_overlapping, c.fragments_conflicting), (1, conflicts));
        assert_eq!(c.anomalies(), conflicts);
    }
}

#[test]
fn an_ipv4_fragment_around_others_fills_only_the_gaps() {
    let whole = datagram();
    let mut around = whole.clone();
    around[8..16].fill(0xEE);
    around[24..32].fill(0xEE);
    let mut run = run();
    assert_eq!(run.feed(&v4(7, &whole, 8, 16, true)), None);
    assert_eq!(run.feed(&v4(7, &whole, 24, 32, true)), None);
    assert_eq!(run.feed(&v4(7, &around, 0, 32, true)), None);
    assert_eq!(run.feed(&v4(7, &whole, 32, 40, false)).unwrap(), whole[8..]);
    assert_eq!(run.counters().fragments_conflicting, 1);
}

#[test]
fn an_ipv6_overlap_condemns_the_datagram_with_all_that_follows() {
    let whole = datagram();
    let mut run = run();
    assert_eq!(run.feed(&v6(7, &whole, 0, 24, true)), None);
    assert_eq!(run.feed(&v6(7, &whole, 16, 32, true)), None); // overlaps by 8
    assert_eq!(run.feed(&v6(7, &whole, 32, 40, false)), None);
    assert_eq!(run.feed(&v6(7, &whole, 24, 32, true)), None);
    let c = run.counters();
    assert_eq!((c.fragments_overlapping, c.fragments_reassembled), (1, 0));
}

#[test]
fn an_ipv6_fragment_repeated_later_is_no_overlap() {
    let whole = datagram();
    let mut run = run();
    assert_eq!(run.feed(&v6(7, &whole, 0, 24, true)), None);
    assert_eq!(run.feed(&v6(7, &whole, 0, 24, true)), None);
    assert!(run.feed(&v6(7, &whole, 24, 40, false)).is_some());
}

#[test]
fn teardrop_neither_panics_nor_reassembles_wrongly() {
    // the second fragment lies within the first: 0..24, then 8..16 as the last
    let whole = datagram();
    let mut run = run();
    assert_eq!(run.feed(&v4(7, &whole, 0, 24, true)), None);
    assert_eq!(run.feed(&v4(7, &whole, 8, 16, false)), None);
    assert_eq!(run.counters().fragments_conflicting, 1, "the end lies before what is there");
    assert!(run.feed(&v4(7, &whole, 24, 40, false)).is_some());
}

#[test]
fn a_second_end_is_a_conflict_and_the_first_stays() {
    let whole = [datagram(), vec![0; 8]].concat();
    let mut run = run();
    assert_eq!(run.feed(&v4(7, &whole, 16, 40, false)), None);
    assert_eq!(run.feed(&v4(7, &whole, 40, 48, false)), None);
    assert_eq!(run.feed(&v4(7, &whole, 0, 16, true)).unwrap(), whole[8..40]);
    assert_eq!(run.counters().fragments_conflicting, 1);
}

#[test]
fn tiny_first_fragments_are_an_anomaly_and_still_reassembled() {
    let whole = tcp_bytes(&REQUEST);
    let part = |start: usize, end: usize, more: bool| {
        let flags = (start / 8) as u16 | if more { 0x2000 } else { 0 };
        ether(0x0800, &ipv4_fragment(6, 7, flags, &whole[start..end]))
    };
    let mut decapsulator = new();
    let first = part(0, 8, true); // ports and sequence number only: the flags come next
    let second = part(8, 32, false);
    assert_eq!(decapsulator.decapsulate(&frame(LinkType::Ethernet, 1, &first)), None);
    let last = frame(LinkType::Ethernet, 2, &second);
    assert_eq!(tcp(&decapsulator.decapsulate(&last).unwrap()).bytes, REQUEST);
    assert_eq!(decapsulator.counters().fragments_tiny, 2);
    // near miss: a first fragment with the whole TCP header
    let mut decapsulator = new();
    let first = part(0, 24, true);
    assert_eq!(decapsulator.decapsulate(&frame(LinkType::Ethernet, 1, &first)), None);
    assert_eq!(decapsulator.counters().fragments_tiny, 0);
}

#[test]
fn impossible_fragments_are_malformed() {
    let whole = datagram();
    // ping of death: ends behind octet 65,535
    let flags = 0x1FFF;
    let mut run = run();
    assert_eq!(run.feed(&ether(0x0800, &ipv4_fragment(17, 7, flags, &whole))), None);
    // empty
    assert_eq!(run.feed(&ether(0x0800, &ipv4_fragment(17, 7, 0x2000, &[]))), None);
    // not the last, and no multiple of 8: IPv6 refuses, IPv4 cuts
    assert_eq!(run.feed(&v6(7, &whole, 0, 20, true)), None);
    assert_eq!(run.counters().fragments_malformed, 3);
    assert_eq!(run.decapsulator.fragments.memory(), run.decapsulator.memory());
    assert_eq!(run.feed(&v4(7, &whole, 0, 20, true)), None);
    assert_eq!(run.counters().fragments_malformed, 4);
    assert_eq!(run.feed(&v4(7, &whole, 16, 40, false)).unwrap(), whole[8..]);
}

#[test]
fn fragments_cut_by_the_snap_length_are_counted() {
    let bytes = v4(7, &datagram(), 0, 16, true);
    let mut cut = frame(LinkType::Ethernet, 1, &bytes[..40]);
    cut.wire_len = bytes.len() as u32;
    let mut decapsulator = new();
    assert_eq!(decapsulator.decapsulate(&cut), None);
    let c = decapsulator.counters();
    assert_eq!((c.fragments_truncated, c.fragments_held), (1, 1));
}

#[test]
fn an_incomplete_datagram_expires_by_packet_time() {
    let whole = datagram();
    let mut run = run();
    let second = 1_000_000_000;
    assert_eq!(run.feed_at(&v4(7, &whole, 0, 16, true), second), None);
    run.decapsulator.tick(Timestamp(31 * second));
    assert_eq!(run.counters().fragments_expired, 0, "30 s have just passed");
    run.decapsulator.tick(Timestamp(31 * second + 1));
    assert_eq!(run.counters().fragments_expired, 1);
    assert_eq!(run.feed_at(&v4(7, &whole, 16, 40, false), 32 * second), None);
    run.decapsulator.finish();
    assert_eq!(run.counters().fragments_expired, 2);
}

#[test]
fn a_flood_stays_within_the_limits_and_the_oldest_goes_first() {
    let limits = FragmentLimits { datagrams: 16, total_bytes: 4096, ..FragmentLimits::default() };
    let mut run = Run::new(DecapOptions { fragments: limits, ..DecapOptions::default() });
    let whole = datagram();
    for id in 0..1000 {
        assert_eq!(run.feed_at(&v4(id, &whole, 0, 16, true), u64::from(id)), None);
    }
    assert_eq!(run.counters().fragments_evicted, 1000 - 16);
    assert!(run.decapsulator.memory() < 64 * 1024);
    assert_eq!(run.feed_at(&v4(983, &whole, 16, 40, false), 2000), None, "evicted");
    assert!(run.feed_at(&v4(999, &whole, 16, 40, false), 2000).is_some(), "among the newest");
}

#[test]
fn large_fragments_are_limited_by_octets() {
    let limits = FragmentLimits { total_bytes: 4096, ..FragmentLimits::default() };
    let mut run = Run::new(DecapOptions { fragments: limits, ..DecapOptions::default() });
    let big = vec![0; 1400];
    for id in 0..100 {
        let bytes = ether(0x0800, &ipv4_fragment(17, id, 0x3000, &big));
        assert_eq!(run.feed_at(&bytes, u64::from(id)), None);
    }
    assert_eq!(run.counters().fragments_evicted, 98, "two of 1,400 octets fit");
}

#[test]
fn too_many_pieces_and_too_long_datagrams_are_refused() {
    let limits = FragmentLimits { pieces: 4, datagram_bytes: 1000, ..FragmentLimits::default() };
    let mut run = Run::new(DecapOptions { fragments: limits, ..DecapOptions::default() });
    let whole = vec![0; 2000];
    for index in 0..5 {
        assert_eq!(run.feed(&v4(7, &whole, index * 16, index * 16 + 8, true)), None);
    }
    assert_eq!(run.counters().fragments_limit, 1);
    assert_eq!(run.feed(&v4(8, &whole, 992, 1008, false)), None);
    assert_eq!(run.counters().fragments_limit, 2);
}

#[test]
fn fragments_in_a_tunnel_whose_packets_are_fragments_too() {
    let whole = datagram();
    let inner_first = ipv4_fragment(17, 1, 0x2000, &whole[..16]);
    let inner_last = ipv4_fragment(17, 1, 2, &whole[16..]);
    let mut run = run();
    for (id, inner) in [(100, inner_first), (101, inner_last)] {
        let gre = [&hex("00 00 08 00")[..], &inner].concat();
        let first = ether(0x0800, &ipv4_fragment(47, id, 0x2000, &gre[..24]));
        let last = ether(0x0800, &ipv4_fragment(47, id, 3, &gre[24..]));
        assert_eq!(run.feed(&first), None);
        let done = run.feed(&last);
        assert_eq!(done.is_some(), id == 101);
        assert_eq!(done.unwrap_or(whole[8..].to_vec()), whole[8..]);
    }
    assert_eq!(run.counters().fragments_reassembled, 3);
}
