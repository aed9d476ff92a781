//! Frames seen twice: double span, loopback, cross-tap pairs, PRP and HSR. Judged once.
//!
//! Between decapsulation and flows. A packet is a duplicate when all of it that survives switching,
//! routing and checksum offload (addresses, IPv4 identification, ports, TCP numbers and flags, payload)
//! was seen a moment before, whatever the tap, VLAN, tunnel, TTL and checksums.
//!
//! **Windows.** Senders give every packet a new identification, a retransmission too, so equal packets
//! with one are copies: 10 ms covers the queues of two mirror sessions and the skew of two rings.
//! Without one (IPv6, IPv4 that must not be fragmented, bare Ethernet) an equal packet may be a real
//! repetition, and only 100 microseconds are allowed, less than any device takes to repeat itself. A PRP
//! or HSR sequence number is an identification too.
//!
//! **Evasion.** All octets go into a 64-bit hash under a key drawn at start, so nobody outside can make
//! a packet that hides behind another one; the key decides no result except by a collision (2^-64 for
//! each packet in the window). Where in the table a packet is remembered does not depend on the key, so
//! that a full table forgets the same packets in every replay; who chooses packets that crowd each other
//! out only gets their copies judged again, which is counted. The first copy's time counts, so a packet repeated forever is judged
//! again after each window.

use core::hash::{BuildHasher, Hasher};
use core::net::IpAddr;

use foldhash::SharedSeed;
use foldhash::quality::SeedableRandomState;
use parsers::Timestamp;

use crate::decap::{Bare, Packet, Payload, Plain};

/// Time within which an equal packet with an identification is a duplicate, in nanoseconds.
pub const IDENTIFIED_WINDOW_NS: u64 = 10_000_000;

/// Time within which an equal packet without identification is a duplicate, in nanoseconds.
pub const ANONYMOUS_WINDOW_NS: u64 = 100_000;

/// Packets remembered: those of 10 ms at 800,000 a second, in 128 KiB, which a second-level cache holds.
pub const REMEMBERED_PACKETS: usize = 8192;

const WAYS: usize = 4;

/// One cache line: four packets whose hashes begin alike.
#[derive(Debug, Clone, Copy, Default)]
#[repr(align(64))]
struct Set {
    hashes: [u64; WAYS],
    times: [u64; WAYS],
}

/// Hashes seen a moment ago.
#[derive(Debug)]
pub(crate) struct Recent {
    sets: Box<[Set]>,
    hasher: SeedableRandomState,
    /// For segments: see [`of_segment`].
    key: [u64; 4],
    /// Hashes pushed out while their window was still open: duplicates of them are not recognised.
    pub(crate) pushed_out: u64,
}

impl Recent {
    /// A table for `packets`, rounded up to a power of two.
    pub(crate) fn new(packets: usize) -> Recent {
        // the operating system's randomness, read once
        let seed = std::hash::RandomState::new().hash_one(0u8);
        let sets = packets.div_ceil(WAYS).next_power_of_two();
        let hasher = SeedableRandomState::with_seed(seed, SharedSeed::global_random());
        Recent {
            sets: vec![Set::default(); sets].into_boxed_slice(),
            key: [1_u64, 2, 3, 4].map(|n| hasher.hash_one(n)),
            hasher,
            pushed_out: 0,
        }
    }

    /// A hasher under this table's key.
    #[inline]
    pub(crate) fn hasher(&self) -> impl Hasher + use<> {
        self.hasher.build_hasher()
    }

    /// Whether this hash was seen within `window` before or after (taps are not in perfect order);
    /// remembers it if not. `place` comes from [`mix`], and is the same for equal packets.
    #[inline]
    pub(crate) fn seen(&mut self, at: Timestamp, place: u64, hash: u64, window: u64) -> bool {
        // an empty way has hash 0
        let hash = hash | 1;
        let index = (place >> 40) as usize & (self.sets.len() - 1);
        let Some(set) = self.sets.get_mut(index) else { return false };
        for way in 0..WAYS {
            if set.hashes[way] == hash {
                if set.times[way].abs_diff(at.0) <= window {
                    return true;
                }
                set.times[way] = at.0;
                return false;
            }
        }
        let mut oldest = 0;
        for way in 1..WAYS {
            if set.times[way] < set.times[oldest] {
                oldest = way;
            }
        }
        let is_open = set.hashes[oldest] != 0 && set.times[oldest].abs_diff(at.0) <= window;
        self.pushed_out += u64::from(is_open);
        set.hashes[oldest] = hash;
        set.times[oldest] = at.0;
        false
    }
}

/// Spread one more word over a place in the table; the upper bits are the good ones.
#[inline]
pub(crate) fn mix(place: u64, word: u64) -> u64 {
    (place.rotate_left(29) ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

/// The ends of a payload: enough to spread packets, not to tell them apart.
#[inline]
fn ends(bytes: &[u8]) -> u64 {
    let first = bytes.first_chunk().copied().map_or(0, u64::from_le_bytes);
    let last = bytes.last_chunk().copied().map_or(0, u64::from_le_bytes);
    first ^ last.rotate_left(32)
}

/// Recognises packets that were seen a moment before.
#[derive(Debug)]
pub struct Deduplicator {
    recent: Recent,
    duplicates: u64,
}

impl Default for Deduplicator {
    fn default() -> Self {
        Deduplicator { recent: Recent::new(REMEMBERED_PACKETS), duplicates: 0 }
    }
}

impl Deduplicator {
    /// Duplicates recognised.
    pub fn duplicates(&self) -> u64 {
        self.duplicates
    }

    /// Packets forgotten before their window closed because the table is full: their duplicates would
    /// be judged again.
    pub fn forgotten(&self) -> u64 {
        self.recent.pushed_out
    }

    /// The same of a plain segment.
    // not inlined: the registers are needed
    #[inline(never)]
    pub fn is_copy(&mut self, at: Timestamp, plain: &Plain<'_>) -> bool {
        let identification = u64::from(plain.ip_id());
        let wire_len = plain.bare.bytes.len() as u32;
        let (place, hash) =
            of_segment(&self.recent.key, identification, &plain.bare, plain.flags(), wire_len);
        let is_duplicate = self.recent.seen(at, place, hash, window(identification));
        self.duplicates += u64::from(is_duplicate);
        is_duplicate
    }

    /// Whether this packet is a copy of one seen a moment before. Counts it.
    pub fn is_duplicate(&mut self, at: Timestamp, packet: &Packet<'_>) -> bool {
        if let (Some((IpAddr::V4(src), IpAddr::V4(dst))), Payload::Tcp(s)) = (packet.ip, packet.payload) {
            let identification = identification(packet);
            let addresses = u64::from(src.to_bits()) << 32 | u64::from(dst.to_bits());
            let ports = u32::from(s.src_port) << 16 | u32::from(s.dst_port);
            let bare = Bare { addresses, ports, seq: s.seq, ack: s.ack, bytes: s.bytes };
            let (place, hash) = of_segment(&self.recent.key, identification, &bare, s.flags, s.wire_len);
            let is_duplicate = self.recent.seen(at, place, hash, window(identification));
            self.duplicates += u64::from(is_duplicate);
            return is_duplicate;
        }
        let mut hasher = self.recent.hasher();
        let (window, place) = identity(packet, &mut hasher);
        let is_duplicate = self.recent.seen(at, place, hasher.finish(), window);
        self.duplicates += u64::from(is_duplicate);
        is_duplicate
    }
}

/// The number that tells a packet from an equal one; 0 if it has none.
#[inline]
fn identification(packet: &Packet<'_>) -> u64 {
    // one of a redundant pair may have lost its trailer, but never its IPv4 identification
    match (packet.ip_id, packet.redundancy) {
        (0, None) => 0,
        (0, Some(sequence)) => 1 << 16 | u64::from(sequence),
        (id, _) => u64::from(id),
    }
}

#[inline]
fn window(identification: u64) -> u64 {
    if identification == 0 { ANONYMOUS_WINDOW_NS } else { IDENTIFIED_WINDOW_NS }
}

/// Both halves of the product, so that every bit of one word touches all of the other.
#[inline(always)]
fn fold(one: u64, other: u64) -> u64 {
    let product = u128::from(one) * u128::from(other);
    product as u64 ^ (product >> 64) as u64
}

/// Where to remember a TCP segment over IPv4, and its hash: nearly all packets are such, so they are hashed
/// in few steps, 16 octets at a time, every one under a word of the key.
#[inline(always)]
fn of_segment(
    key: &[u64; 4],
    identification: u64,
    segment: &Bare<'_>,
    flags: u8,
    wire_len: u32,
) -> (u64, u64) {
    let numbers = u64::from(segment.seq) << 32 | u64::from(segment.ack);
    let ports = u64::from(segment.ports) << 16;
    let place = mix(identification ^ ports, numbers);
    // 32 bits of ports, 8 of flags, 17 of identification
    let rest = ports << 16 | u64::from(flags) << 24 | identification;
    let lengths = u64::from(wire_len) << 32 | segment.bytes.len() as u64;
    let mut hash = fold(segment.addresses ^ key[0], numbers ^ key[1]);
    hash = fold(hash ^ rest, lengths ^ key[2]);
    (place, octets(key, hash, segment.bytes))
}

/// Hash octets whose number is hashed already.
#[inline(always)]
fn octets(key: &[u64; 4], mut hash: u64, bytes: &[u8]) -> u64 {
    let (blocks, _) = bytes.as_chunks::<16>();
    let both = |block: &[u8; 16]| {
        let word = u128::from_le_bytes(*block);
        (word as u64, (word >> 64) as u64)
    };
    let (pairs, single) = blocks.as_chunks::<2>();
    let mut second = hash ^ key[0];
    for [one, other] in pairs {
        let (low, high) = both(one);
        hash = fold(hash ^ low, high ^ key[3]);
        let (low, high) = both(other);
        second = fold(second ^ low, high ^ key[1]);
    }
    for block in single {
        let (low, high) = both(block);
        hash = fold(hash ^ low, high ^ key[3]);
    }
    // the last octets, some of them again if there were 16 or more
    let word = |octets: Option<&[u8; 8]>| octets.map_or(0, |octets| u64::from_le_bytes(*octets));
    let half = |octets: Option<&[u8; 4]>| octets.map_or(0, |octets| u64::from(u32::from_le_bytes(*octets)));
    let (low, high) = match bytes {
        [] => return fold(hash ^ key[2], second),
        [.., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] => bytes.last_chunk().map_or((0, 0), both),
        [_, _, _, _, _, _, _, _, ..] => (word(bytes.first_chunk()), word(bytes.last_chunk())),
        [_, _, _, _, ..] => (half(bytes.first_chunk()), half(bytes.last_chunk())),
        [first, .., last] => (u64::from(*first) << 8 | u64::from(bytes[bytes.len() / 2]), u64::from(*last)),
        [only] => (u64::from(*only), 0),
    };
    hash = fold(hash ^ low, high ^ key[3]);
    fold(hash ^ key[2], second)
}

/// Hash all of a packet that its copies share; returns the window that its identification allows, and
/// where to remember it.
#[inline]
fn identity(packet: &Packet<'_>, hasher: &mut impl Hasher) -> (u64, u64) {
    let is_ip = match packet.ip {
        Some((IpAddr::V4(src), IpAddr::V4(dst))) => {
            hasher.write_u64(u64::from(src.to_bits()) << 32 | u64::from(dst.to_bits()));
            true
        }
        Some((IpAddr::V6(src), IpAddr::V6(dst))) => {
            hasher.write_u128(src.to_bits());
            hasher.write_u128(dst.to_bits());
            true
        }
        _ => false,
    };
    let identification = identification(packet);
    hasher.write_u64(identification);
    let mut place = identification;
    let bytes = match packet.payload {
        Payload::Tcp(s) => {
            let numbers = u64::from(s.seq) << 32 | u64::from(s.ack);
            hasher.write_u64(numbers);
            let ports = u64::from(s.src_port) << 32 | u64::from(s.dst_port) << 16;
            place = mix(place ^ ports, numbers);
            hasher.write_u64(6 << 56 | u64::from(s.flags) << 48 | ports);
            hasher.write_u64(u64::from(s.wire_len));
            s.bytes
        }
        Payload::Udp(d) => {
            let ports = u64::from(d.src_port) << 48 | u64::from(d.dst_port) << 32;
            hasher.write_u64(ports | u64::from(d.wire_len));
            place = mix(place ^ ports, ends(d.bytes));
            d.bytes
        }
        Payload::Ip { protocol, bytes } => {
            hasher.write_u64(1 << 56 | u64::from(protocol));
            place = mix(place, ends(bytes));
            bytes
        }
        Payload::Ethernet { ethertype, bytes, .. } => {
            hasher.write_u64(2 << 56 | u64::from(ethertype));
            place = mix(place, ends(bytes));
            bytes
        }
    };
    if !is_ip {
        for mac in [packet.src_mac, packet.dst_mac] {
            hasher.write(&mac.unwrap_or_default().0);
        }
    }
    hasher.write_usize(bytes.len());
    hasher.write(bytes);
    (window(identification), place)
}

#[cfg(test)]
mod tests {
    use core::net::Ipv4Addr;

    use parsers::{FrameRef, MacAddr};

    use super::*;
    use crate::capture::{Frame, LinkType};
    use crate::decap::{Datagram, DecapOptions, Decapsulator, Segment};

    fn segment(bytes: &[u8]) -> Segment<'_> {
        let wire_len = bytes.len() as u32;
        Segment { src_port: 49152, dst_port: 502, seq: 7, ack: 9, flags: 0x18, bytes, wire_len }
    }

    fn tcp(ip_id: u16, bytes: &[u8]) -> Packet<'_> {
        Packet {
            src_mac: Some(MacAddr([2, 0, 0, 0, 0, 1])),
            dst_mac: Some(MacAddr([2, 0, 0, 0, 0, 2])),
            ip: Some((Ipv4Addr::new(10, 0, 0, 1).into(), Ipv4Addr::new(10, 0, 0, 2).into())),
            ip_id,
            payload: Payload::Tcp(segment(bytes)),
            ..Packet::default()
        }
    }

    /// Whether `second`, this long after `first`, is a duplicate.
    fn after(first: &Packet<'_>, second: &Packet<'_>, nanoseconds: u64) -> bool {
        let mut dedup = Deduplicator::default();
        let start = Timestamp(1_000_000_000);
        assert!(!dedup.is_duplicate(start, first), "the first is never a duplicate");
        let is_duplicate = dedup.is_duplicate(start.plus(nanoseconds), second);
        assert_eq!(dedup.duplicates(), u64::from(is_duplicate));
        is_duplicate
    }

    #[test]
    fn a_copy_within_the_window_is_a_duplicate_and_one_behind_it_is_not() {
        let packet = tcp(77, b"request");
        assert!(after(&packet, &packet, 0));
        assert!(after(&packet, &packet, IDENTIFIED_WINDOW_NS));
        assert!(!after(&packet, &packet, IDENTIFIED_WINDOW_NS + 1));
    }

    #[test]
    fn without_identification_the_window_is_short() {
        let packet = tcp(0, b"request");
        assert!(after(&packet, &packet, ANONYMOUS_WINDOW_NS));
        assert!(!after(&packet, &packet, ANONYMOUS_WINDOW_NS + 1));
    }

    #[test]
    fn copies_differ_in_tap_vlan_and_addresses_of_the_link() {
        let packet = tcp(77, b"request");
        let mut copy = packet;
        copy.vlan.push(5);
        copy.src_mac = None;
        copy.first_frame = FrameRef { tap: 3, number: 9 };
        assert!(after(&packet, &copy, 1000));
    }

    #[test]
    fn a_copy_is_recognised_whichever_way_either_was_read() {
        let mut bytes = vec![2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0, 0x45, 0, 0, 0, 0, 77, 0x40, 0, 64, 6];
        bytes.extend([0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 0xC0, 0, 1, 0xF6, 0, 0, 0, 7, 0, 0, 0, 9, 0x50, 0x18]);
        bytes.extend([0; 6]);
        let mut texts = Vec::new();
        for length in 0..70_u8 {
            let text = (0..length).map(|n| n.wrapping_mul(37) ^ length);
            texts.push([bytes.clone(), text.collect()].concat());
        }
        let mut short = Deduplicator::default();
        let mut long = Deduplicator::default();
        for bytes in &mut texts {
            let total = (bytes.len() - 14) as u16;
            bytes[16..18].copy_from_slice(&total.to_be_bytes());
            let (at, wire_len) = (Timestamp(1_000_000_000), bytes.len() as u32);
            let place = FrameRef::default();
            let frame = Frame { at, place, link: LinkType::Ethernet, wire_len, bytes };
            let mut decap = Decapsulator::new(DecapOptions::default());
            let plain = decap.plain(&frame).expect("a plain segment");
            let packet = plain.packet(place);
            assert!(!short.is_copy(at, &plain) && short.is_duplicate(at.plus(1), &packet));
            assert!(!long.is_duplicate(at, &packet) && long.is_copy(at.plus(1), &plain));
        }
    }

    #[test]
    fn retransmissions_and_keep_alives_are_no_duplicates() {
        // the retransmission has its own identification
        assert!(!after(&tcp(77, b"request"), &tcp(78, b"request"), 1000));
    }

    #[test]
    fn any_other_octet_makes_another_packet() {
        let packet = tcp(77, b"request with a long payload, longer than sixty-four octets, to its end.");
        let Payload::Tcp(segment) = packet.payload else { unreachable!() };
        let with = |segment: Segment<'static>| Packet { payload: Payload::Tcp(segment), ..packet };
        for other in [
            Segment {
                bytes: b"request with a long payload, longer than sixty-four Octets, to its end.",
                ..segment
            },
            Segment { bytes: &segment.bytes[1..], ..segment },
            Segment { seq: 8, ..segment },
            Segment { ack: 8, ..segment },
            Segment { flags: 0x19, ..segment },
            Segment { src_port: 1, ..segment },
            Segment { dst_port: 1, ..segment },
            Segment { wire_len: 9, ..segment },
        ] {
            assert!(!after(&packet, &with(other), 1000), "{other:?}");
        }
        let other = Packet {
            ip: Some((Ipv4Addr::new(10, 0, 0, 9).into(), Ipv4Addr::new(10, 0, 0, 2).into())),
            ..packet
        };
        assert!(!after(&packet, &other, 1000));
        let datagram =
            Datagram { src_port: 49152, dst_port: 502, bytes: segment.bytes, wire_len: segment.wire_len };
        assert!(!after(&packet, &Packet { payload: Payload::Udp(datagram), ..packet }, 1000));
    }

    #[test]
    fn bare_ethernet_is_told_apart_by_its_addresses() {
        let payload = Payload::Ethernet { ethertype: 0x88B8, bytes: &[1, 2, 3], wire_len: 3 };
        let goose = Packet { ip: None, ip_id: 0, payload, ..tcp(0, &[]) };
        assert!(after(&goose, &goose, ANONYMOUS_WINDOW_NS));
        let other = Packet { src_mac: Some(MacAddr([2, 0, 0, 0, 0, 9])), ..goose };
        assert!(!after(&goose, &other, 0));
    }

    #[test]
    fn both_frames_of_a_redundant_pair_are_one() {
        let payload = Payload::Ethernet { ethertype: 0x88B8, bytes: &[1, 2, 3], wire_len: 3 };
        let lan_a = Packet { ip: None, redundancy: Some(7), payload, ..tcp(0, &[]) };
        let next = Packet { redundancy: Some(8), ..lan_a };
        assert!(after(&lan_a, &lan_a, 5_000_000), "the other LAN is slower");
        assert!(!after(&lan_a, &next, 1000), "the next frame says the same");
        // an IP packet whose trailer was removed on one side
        let with_trailer = Packet { redundancy: Some(7), ..tcp(77, b"request") };
        assert!(after(&with_trailer, &tcp(77, b"request"), 1000));
    }

    #[test]
    fn taps_that_are_not_in_order_are_no_obstacle() {
        let packet = tcp(77, b"request");
        let mut dedup = Deduplicator::default();
        assert!(!dedup.is_duplicate(Timestamp(5_000_000), &packet));
        assert!(dedup.is_duplicate(Timestamp(4_000_000), &packet));
    }

    #[test]
    fn a_packet_repeated_without_end_is_judged_again_after_each_window() {
        let packet = tcp(77, b"request");
        let mut dedup = Deduplicator::default();
        let judged = (0..100u64)
            .filter(|i| !dedup.is_duplicate(Timestamp(1_000_000_000 + i * 1_000_000), &packet))
            .count();
        assert_eq!(judged, 10, "100 ms in windows of 10 ms, both ends included");
    }

    #[test]
    fn what_a_crowded_table_forgets_is_the_same_in_every_run() {
        let run = || {
            let mut dedup = Deduplicator::default();
            for round in 0..2_u64 {
                for n in 0..6000_u32 {
                    let Payload::Tcp(segment) = tcp(0, b"request").payload else { unreachable!() };
                    let segment = Segment { seq: n * 12, ack: n * 29, ..segment };
                    let packet = Packet { payload: Payload::Tcp(segment), ..tcp(1 + n as u16, &[]) };
                    dedup.is_duplicate(
                        Timestamp(1_000_000_000 + round * 3_000_000 + u64::from(n) * 400),
                        &packet,
                    );
                }
            }
            (dedup.duplicates(), dedup.forgotten())
        };
        let first = run();
        assert_eq!(first, run(), "each has a key of its own");
        assert!(first.1 > 0, "the table is crowded");
        assert!(first.0 > 4000, "most copies are recognised: {first:?}");
    }

    #[test]
    fn a_full_table_forgets_the_oldest_and_says_so() {
        let mut recent = Recent::new(4);
        let at = Timestamp(1_000_000_000);
        for hash in 1..=4u64 {
            assert!(!recent.seen(at.plus(hash), 0, hash * 2, 1000));
        }
        assert_eq!(recent.pushed_out, 0);
        assert!(!recent.seen(at.plus(5), 0, 100, 1000));
        assert_eq!(recent.pushed_out, 1);
        assert!(recent.seen(at.plus(6), 0, 4, 1000), "the second is still there");
        assert!(!recent.seen(at.plus(7), 0, 2, 1000), "the first is not");
    }
}
