//! Conversations in which nothing is new: what keeps the cost of a packet to one look into a small table.
//!
//! A place holds one conversation in one direction, with its addresses and ports. While it is fresh, packets
//! of it change nothing that [`super::Site`] remembers. Each may be in either of two places; a collision of three
//! costs a longer look, no more.

use core::net::IpAddr;

use parsers::{MacAddr, Timestamp};

/// Places at first: 256 KiB.
const PLACES: usize = 4096;
/// Places when conversations are many: 4 MiB. Powers of two.
const PLACES_AT_MOST: usize = 65_536;
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

    /// Whether it is the same, whenever it was noted.
    #[inline(always)]
    fn is_of(&self, other: &Conversation) -> bool {
        // One comparison after the other would cost a branch each.
        let hosts = (self.from ^ other.from) | (self.to ^ other.to);
        let rest = (self.link ^ other.link)
            | u64::from(self.ports ^ other.ports)
            | u64::from(self.vlan ^ other.vlan);
        (hosts as u64 | (hosts >> 64) as u64 | rest) == 0
    }

    /// Whether it is the same, and nothing is new about it.
    #[inline(always)]
    fn is_fresh(&self, at: Timestamp, other: &Conversation, epoch: u32) -> bool {
        // Before `until`, and not so long before that the clock must have gone back.
        let left = self.until.wrapping_sub(at.0);
        self.is_of(other) && self.epoch == epoch && left.wrapping_sub(1) < FRESH_NS
    }

    #[inline(always)]
    fn hash(&self) -> usize {
        let fold = |word: u128| word as u64 ^ (word >> 64) as u64;
        let mut hash = fold(self.from) ^ fold(self.to).rotate_left(32) ^ self.link;
        hash = (hash ^ u64::from(self.ports)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        hash ^= hash >> 29;
        (hash.wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 40) as usize
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
    /// Conversations noted of late, and for how many of them a fresh one had to make room.
    noted: usize,
    crowded: usize,
}

impl Default for Seen {
    fn default() -> Self {
        Seen {
            places: vec![Conversation::default(); PLACES].into_boxed_slice(),
            epoch: 1,
            noted: 0,
            crowded: 0,
        }
    }
}

impl Seen {
    /// Whether nothing is new about this conversation; otherwise it is fresh from now on.
    #[inline(always)]
    pub(super) fn is_fresh(&mut self, at: Timestamp, conversation: &Conversation) -> bool {
        let place = self.place(conversation);
        let is = |place: usize| {
            self.places.get(place).is_some_and(|kept| kept.is_fresh(at, conversation, self.epoch))
        };
        if is(place) || is(place ^ 1) {
            return true;
        }
        self.note(at, place, conversation);
        false
    }

    /// It is fresh from now on, in the place whose conversation was noted longer ago.
    #[cold]
    fn note(&mut self, at: Timestamp, place: usize, conversation: &Conversation) {
        let epoch = self.epoch;
        let until =
            |place: usize| self.places.get(place).filter(|kept| kept.epoch == epoch).map(|kept| kept.until);
        let is = |place: usize| self.places.get(place).is_some_and(|kept| kept.is_of(conversation));
        // Never in both.
        let older = if until(place ^ 1) < until(place) { place ^ 1 } else { place };
        let place = [place, place ^ 1].into_iter().find(|place| is(*place)).unwrap_or(older);
        if let Some(kept) = self.places.get_mut(place) {
            let is_pushed_out = kept.epoch == epoch && kept.until > at.0 && !kept.is_of(conversation);
            self.crowded += usize::from(is_pushed_out);
            *kept = Conversation { epoch, until: at.plus(FRESH_NS).0, ..*conversation };
        }
        self.noted += 1;
        if self.noted > self.places.len() {
            self.grow();
        }
    }

    /// Twice the places if conversations crowd each other out. None is fresh then.
    fn grow(&mut self) {
        let is_crowded = self.crowded * 4 > self.noted;
        (self.noted, self.crowded) = (0, 0);
        if is_crowded && self.places.len() < PLACES_AT_MOST {
            self.places = vec![Conversation::default(); 2 * self.places.len()].into_boxed_slice();
        }
    }

    #[inline(always)]
    fn place(&self, conversation: &Conversation) -> usize {
        conversation.hash() & self.places.len().wrapping_sub(1)
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

    #[test]
    fn two_conversations_with_the_same_place_are_fresh_side_by_side_and_the_older_makes_room() {
        let of = |port| {
            let ip = |n| IpAddr::V4(Ipv4Addr::new(10, 0, 0, n));
            Conversation::new((ip(1), ip(2)), (None, 0), 1, (port, 502))
        };
        let mut seen = Seen::default();
        let place = seen.place(&of(0));
        let alike: Vec<_> = (1..).map(of).filter(|other| seen.place(other) == place).take(2).collect();
        assert!(!seen.is_fresh(Timestamp(10), &of(0)) && !seen.is_fresh(Timestamp(11), &alike[0]));
        assert!(seen.is_fresh(Timestamp(12), &of(0)) && seen.is_fresh(Timestamp(12), &alike[0]));
        assert!(!seen.is_fresh(Timestamp(13), &alike[1]));
        assert!(seen.is_fresh(Timestamp(14), &alike[0]) && seen.is_fresh(Timestamp(14), &alike[1]));
        assert!(!seen.is_fresh(Timestamp(15), &of(0)));
    }

    #[test]
    fn many_conversations_get_more_places_up_to_a_limit() {
        let of = |n: u32| {
            let ip = |n| IpAddr::V4(Ipv4Addr::from_bits(n));
            Conversation::new((ip(n), ip(1)), (None, 0), 1, (4000, 502))
        };
        let fresh = |seen: &mut Seen, count: u32| {
            (0..count).filter(|n| seen.is_fresh(Timestamp(10), &of(*n))).count()
        };
        let mut seen = Seen::default();
        // Few enough stay as they are.
        let few = PLACES as u32 / 4;
        for _ in 0..9 {
            fresh(&mut seen, few);
        }
        assert_eq!(seen.places.len(), PLACES);
        let many = 4 * PLACES as u32;
        for _ in 0..9 {
            fresh(&mut seen, many);
        }
        assert!(seen.places.len() >= 4 * PLACES, "{}", seen.places.len());
        assert!(fresh(&mut seen, many) * 10 > many as usize * 9);
        for _ in 0..4 {
            fresh(&mut seen, 8 * PLACES_AT_MOST as u32);
        }
        assert_eq!(seen.places.len(), PLACES_AT_MOST);
    }
}
