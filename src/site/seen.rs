//! Conversations in which nothing is new: what keeps the cost of a packet to one look into a small table.
//!
//! A place holds one conversation in one direction, with its addresses and ports. While it is fresh, packets
//! of it change nothing that [`super::Site`] remembers. A collision costs a longer look, no more.

use core::net::IpAddr;

use parsers::{MacAddr, Timestamp};

/// Places: 256 KiB.
const PLACES: usize = 4096;
/// How long a conversation is fresh.
pub(super) const FRESH_NS: u64 = 5_000_000_000;

/// One direction of a conversation.
#[derive(Debug, Clone, Copy, Eq, PartialEq, Default)]
#[repr(align(64))]
pub(super) struct Conversation {
    from: u128,
    to: u128,
    /// Source MAC, transport, family, whether there is payload.
    link: u64,
    ports: u32,
    /// Of the innermost tag.
    vlan: u16,
    epoch: u32,
    until: u64,
}

impl Conversation {
    #[inline(always)]
    pub(super) fn new(
        (from, to): (IpAddr, IpAddr),
        (mac, vlan): (Option<MacAddr>, u16),
        kind: u8,
        (from_port, to_port): (u16, u16),
    ) -> Conversation {
        let (from, family) = bits(from);
        let (to, _) = bits(to);
        let mut link = [0; 8];
        link[0] = kind | family;
        link[2..].copy_from_slice(&mac.map_or([0; 6], |mac| mac.0));
        let link = u64::from_be_bytes(link);
        let ports = u32::from(from_port) << 16 | u32::from(to_port);
        Conversation { from, to, link, ports, vlan, epoch: 0, until: 0 }
    }

    #[inline(always)]
    fn place(&self) -> usize {
        let fold = |word: u128| word as u64 ^ (word >> 64) as u64;
        let mut hash = fold(self.from) ^ fold(self.to).rotate_left(32) ^ self.link;
        hash = (hash ^ u64::from(self.ports)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        hash ^= hash >> 29;
        (hash.wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 40) as usize % PLACES
    }
}

#[inline]
fn bits(ip: IpAddr) -> (u128, u8) {
    match ip {
        IpAddr::V4(ip) => (u128::from(u32::from(ip)), 0),
        IpAddr::V6(ip) => (u128::from(ip), 0x80),
    }
}

/// The conversations that are fresh.
#[derive(Debug)]
pub(super) struct Seen {
    places: Box<[Conversation]>,
    epoch: u32,
}

impl Default for Seen {
    fn default() -> Self {
        Seen { places: vec![Conversation::default(); PLACES].into_boxed_slice(), epoch: 1 }
    }
}

impl Seen {
    /// Whether nothing is new about this conversation; otherwise it is fresh from now on.
    #[inline(always)]
    pub(super) fn is_fresh(&mut self, at: Timestamp, conversation: &Conversation) -> bool {
        let Some(place) = self.places.get_mut(conversation.place()) else { return false };
        // One comparison after the other would cost a branch each.
        let hosts = (place.from ^ conversation.from) | (place.to ^ conversation.to);
        let rest = (place.link ^ conversation.link)
            | u64::from(place.ports ^ conversation.ports)
            | u64::from(place.vlan ^ conversation.vlan)
            | u64::from(place.epoch ^ self.epoch);
        let is_same = (hosts as u64 | (hosts >> 64) as u64 | rest) == 0;
        // Before `until`, and not so long before that the clock must have gone back.
        let left = place.until.wrapping_sub(at.0);
        if is_same && left.wrapping_sub(1) < FRESH_NS {
            return true;
        }
        *place = Conversation { epoch: self.epoch, until: at.plus(FRESH_NS).0, ..*conversation };
        false
    }

    /// Something is wrong: look at everything again.
    pub(super) fn forget(&mut self) {
        self.epoch = self.epoch.wrapping_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::net::Ipv4Addr;

    #[test]
    fn a_conversation_is_fresh_for_a_while_and_only_with_the_same_mac() {
        let ip = |n| IpAddr::V4(Ipv4Addr::new(10, 0, 0, n));
        let tagged = |mac, vlan| {
            Conversation::new((ip(1), ip(2)), (Some(MacAddr([2, 0, 0, 0, 0, mac])), vlan), 1, (4000, 502))
        };
        let of = |mac| tagged(mac, 0);
        let mut seen = Seen::default();
        assert!(!seen.is_fresh(Timestamp(10), &of(1)));
        assert!(seen.is_fresh(Timestamp(11), &of(1)));
        assert!(!seen.is_fresh(Timestamp(12), &of(2)));
        assert!(!seen.is_fresh(Timestamp(10 + FRESH_NS), &of(1)));
        assert!(!seen.is_fresh(Timestamp(0), &of(1)), "the clock went back");
        assert!(seen.is_fresh(Timestamp(1), &of(1)) && !seen.is_fresh(Timestamp(1), &tagged(1, 7)), "a tag");
        seen.forget();
        assert!(!seen.is_fresh(Timestamp(1), &of(1)));
    }
}
