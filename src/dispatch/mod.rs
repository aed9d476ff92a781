//! Which shard a packet belongs to, and the order that does not depend on who works on it.
//!
//! ```text
//! Frame --> Packet --> shard (of 64, by the unordered inner pair of hosts) --> group of shards --> an idle worker
//!                      or, without IP, by what the payload is about (GOOSE: the control block)
//! ```
//!
//! Everything between two hosts meets in one shard: flows, sessions, associations, the limits of their
//! tables, the windows of repeated findings. A shard sees its own packets and the whole seconds at which
//! something of its own is due, nothing else, so what it does cannot depend on the number of workers, on
//! how packets are batched, or on other hosts' traffic. What shards say carries its [`Place`] and is put
//! together in that order by one owner ([`crate::report::sinks`]).

mod batch;
mod board;
mod workers;

pub use workers::{MAX_WORKERS, Workers, groups_for};

use core::net::IpAddr;

use parsers::{MacAddr, Timestamp};

use crate::decap::{Packet, Payload};

/// Shards of the state of all pairs of hosts, whatever the number of workers.
pub const SHARDS: usize = 64;

/// Where something stands in the order of a run.
#[derive(Debug, Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Default)]
pub struct Place {
    /// Number of the act: a frame, a whole second, an order of the owner.
    pub act: u64,
    /// Within an act: the reading thread before the shards, the shards in their order, the reading thread
    /// after them.
    pub part: u8,
}

impl Place {
    /// The reading thread, before the shards.
    #[must_use]
    pub fn before(act: u64) -> Place {
        Place { act, part: 0 }
    }

    /// A shard.
    #[must_use]
    pub fn of_shard(act: u64, shard: usize) -> Place {
        Place { act, part: shard as u8 + 1 }
    }

    /// The reading thread, after the shards.
    #[must_use]
    pub fn after(act: u64) -> Place {
        Place { act, part: u8::MAX }
    }
}

/// Whole seconds that packet time has passed, each an act of its own.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub struct Seconds {
    /// The first of them.
    pub first: Timestamp,
    /// The last of them.
    pub last: Timestamp,
    /// Number of the first one's act.
    pub act: u64,
    /// When the last frame before them came, from any tap.
    pub seen: Timestamp,
}

/// A second in nanoseconds.
pub const SECOND: u64 = 1_000_000_000;

impl Seconds {
    /// How many there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.last.since(self.first) / SECOND + 1
    }

    /// The act of one of them.
    #[must_use]
    pub fn act_of(&self, second: Timestamp) -> u64 {
        self.act + second.since(self.first) / SECOND
    }

    /// The first of them at or after `due`, if one is left from `from` on.
    #[must_use]
    pub fn at_or_after(&self, due: Timestamp, from: Timestamp) -> Option<Timestamp> {
        let second = Timestamp(due.0.div_ceil(SECOND).saturating_mul(SECOND)).max(from);
        (second <= self.last).then_some(second)
    }
}

/// The shard of a packet: a fixed hash of the unordered pair of its innermost hosts. VLANs are left out, as
/// mirror ports tag the two directions differently.
#[inline]
#[must_use]
pub fn shard_of(packet: &Packet<'_>) -> usize {
    let (one, other) = match (packet.ip, packet.payload) {
        (Some((one, other)), _) => (of_address(one), of_address(other)),
        (None, Payload::Ethernet { ethertype, bytes, .. }) => {
            match parsers::dissector_of_ethertype(ethertype) {
                // All that publish the same meet in one shard: the forger beside the true publisher.
                Some(dissector) => (of_octets((dissector.subject)(bytes)), u64::from(ethertype)),
                None => (of_mac(packet.src_mac), of_mac(packet.dst_mac)),
            }
        }
        (None, _) => (of_mac(packet.src_mac), of_mac(packet.dst_mac)),
    };
    let mixed = mix(one.min(other)) ^ one.max(other);
    (mix(mixed) >> 58) as usize % SHARDS
}

#[inline]
fn of_address(address: IpAddr) -> u64 {
    match address {
        IpAddr::V4(address) => u64::from(address.to_bits()),
        IpAddr::V6(address) => {
            let bits = address.to_bits();
            mix((bits >> 64) as u64) ^ bits as u64
        }
    }
}

fn of_mac(mac: Option<MacAddr>) -> u64 {
    mac.map_or(0, |mac| mac.0.iter().fold(1, |bits, octet| bits << 8 | u64::from(*octet)))
}

fn of_octets(octets: &[u8]) -> u64 {
    let (words, rest) = octets.as_chunks::<8>();
    let all = words.iter().fold(octets.len() as u64, |all, word| mix(all) ^ u64::from_be_bytes(*word));
    let last = rest.iter().fold(0, |bits, octet| bits << 8 | u64::from(*octet));
    if rest.is_empty() { all } else { mix(all) ^ last }
}

#[inline]
fn mix(word: u64) -> u64 {
    let word = (word ^ word >> 32).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (word ^ word >> 29).wrapping_mul(0xBF58_476D_1CE4_E5B9)
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::net::Ipv4Addr;

    fn between(one: u32, other: u32) -> usize {
        let ip = |bits| IpAddr::V4(Ipv4Addr::from_bits(bits));
        shard_of(&Packet { ip: Some((ip(one), ip(other))), ..Packet::default() })
    }

    #[test]
    fn both_directions_meet_in_one_shard_and_pairs_are_spread_evenly() {
        let mut counts = [0_u32; SHARDS];
        for station in 0..6400_u32 {
            let (master, station) = (0x0a00_0001, 0x0a00_0100 + station);
            assert_eq!(between(master, station), between(station, master));
            counts[between(master, station)] += 1;
        }
        assert!(counts.iter().all(|count| (60..=140).contains(count)), "{counts:?}");
    }

    #[test]
    fn all_that_publish_one_control_block_meet_in_one_shard() {
        let publishes = |from: u8, block: &[u8]| {
            let mut bytes = vec![0, 1, 0, 8 + 4 + block.len() as u8, 0, 0, 0, 0, 0x61, block.len() as u8 + 2];
            bytes.extend([0x80, block.len() as u8]);
            bytes.extend(block);
            let payload =
                Payload::Ethernet { ethertype: 0x88B8, bytes: &bytes, wire_len: bytes.len() as u32 };
            shard_of(&Packet { src_mac: Some(MacAddr([2, 0, 0, 0, 0, from])), payload, ..Packet::default() })
        };
        assert_eq!(publishes(1, b"IED1/LLN0$GO$gcb1"), publishes(9, b"IED1/LLN0$GO$gcb1"));
        let spread: std::collections::BTreeSet<_> =
            (b'a'..=b'z').map(|n| publishes(1, &[b'I', n, b'/', b'g'])).collect();
        assert!(spread.len() > 15, "{spread:?}");
    }

    #[test]
    fn the_shard_of_a_pair_never_changes() {
        // A change would move limits from one pair to another: findings of a full table would differ.
        assert_eq!([between(0x0a00_0001, 0x0a00_0002), between(1, 2), between(7, 7)], [18, 2, 56]);
    }

    #[test]
    fn seconds_are_acts_of_their_own_and_what_is_due_falls_on_the_next_one() {
        let at = |second: u64| Timestamp(second * SECOND);
        let seconds = Seconds { first: at(10), last: at(14), act: 100, seen: at(9) };
        assert_eq!((seconds.count(), seconds.act_of(at(13))), (5, 103));
        assert_eq!(seconds.at_or_after(Timestamp(12 * SECOND + 1), at(10)), Some(at(13)));
        assert_eq!(seconds.at_or_after(at(12), at(10)), Some(at(12)));
        assert_eq!(seconds.at_or_after(at(3), at(11)), Some(at(11)));
        assert_eq!(seconds.at_or_after(Timestamp(14 * SECOND + 1), at(10)), None);
    }
}
