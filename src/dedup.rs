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
//! each packet in the window). The first copy's time counts, so a packet repeated forever is judged
//! again after each window.

use core::hash::{BuildHasher, Hasher};
use core::net::IpAddr;

use foldhash::SharedSeed;
use foldhash::quality::SeedableRandomState;
use parsers::Timestamp;

use crate::decap::{Packet, Payload};

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
    /// Hashes pushed out while their window was still open: duplicates of them are not recognised.
    pub(crate) pushed_out: u64,
}

impl Recent {
    /// A table for `packets`, rounded up to a power of two.
    pub(crate) fn new(packets: usize) -> Recent {
        // the operating system's randomness, read once
        let seed = std::hash::RandomState::new().hash_one(0u8);
        let sets = packets.div_ceil(WAYS).next_power_of_two();
        Recent {
            sets: vec![Set::default(); sets].into_boxed_slice(),
            hasher: SeedableRandomState::with_seed(seed, SharedSeed::global_random()),
            pushed_out: 0,
        }
    }

    /// A hasher under this table's key.
    #[inline]
    pub(crate) fn hasher(&self) -> impl Hasher + use<> {
        self.hasher.build_hasher()
    }

    /// Whether this hash was seen within `window` before or after (taps are not in perfect order);
    /// remembers it if not.
    #[inline]
    pub(crate) fn seen(&mut self, at: Timestamp, hash: u64, window: u64) -> bool {
        // an empty way has hash 0
        let hash = hash | 1;
        let index = (hash >> 32) as usize & (self.sets.len() - 1);
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

    /// Whether this packet is a copy of one seen a moment before. Counts it.
    #[inline]
    pub fn is_duplicate(&mut self, at: Timestamp, packet: &Packet<'_>) -> bool {
        let mut hasher = self.recent.hasher();
        let window = identity(packet, &mut hasher);
        let is_duplicate = self.recent.seen(at, hasher.finish(), window);
        self.duplicates += u64::from(is_duplicate);
        is_duplicate
    }
}

/// Hash all of a packet that its copies share; returns the window that its identification allows.
#[inline]
fn identity(packet: &Packet<'_>, hasher: &mut impl Hasher) -> u64 {
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
    // one of a redundant pair may have lost its trailer, but never its IPv4 identification
    let identification = match (packet.ip_id, packet.redundancy) {
        (0, None) => 0,
        (0, Some(sequence)) => 1 << 16 | u64::from(sequence),
        (id, _) => u64::from(id),
    };
    hasher.write_u64(identification);
    let bytes = match packet.payload {
        Payload::Tcp(s) => {
            hasher.write_u64(u64::from(s.seq) << 32 | u64::from(s.ack));
            let ports = u64::from(s.src_port) << 32 | u64::from(s.dst_port) << 16;
            hasher.write_u64(6 << 56 | u64::from(s.flags) << 48 | ports);
            hasher.write_u64(u64::from(s.wire_len));
            s.bytes
        }
        Payload::Udp(d) => {
            let ports = u64::from(d.src_port) << 48 | u64::from(d.dst_port) << 32;
            hasher.write_u64(ports | u64::from(d.wire_len));
            d.bytes
        }
        Payload::Ip { protocol, bytes } => {
            hasher.write_u64(1 << 56 | u64::from(protocol));
            bytes
        }
        Payload::Ethernet { ethertype, bytes } => {
            hasher.write_u64(2 << 56 | u64::from(ethertype));
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
    if identification == 0 { ANONYMOUS_WINDOW_NS } else { IDENTIFIED_WINDOW_NS }
}
