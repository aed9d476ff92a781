//! Where flows were met last: what keeps the way of a plain segment to its flow to one look.
//!
//! A place holds one direction of a flow by its addresses and ports: the shard, and the spot in its table. It is
//! no more than a hint: the table makes sure that the flow is still there ([`crate::flow::FlowTable::next`]).
//! Two that share a place cost a longer look, no more.

use crate::decap::Bare;
use crate::flow::Spot;

/// Places at first, of all crews together: 256 KiB.
const PLACES: usize = 8192;
/// Places when flows are many, of all crews together: 2 MiB. Powers of two.
const PLACES_AT_MOST: usize = 65_536;

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Entry {
    addresses: u64,
    ports: u32,
    is_set: bool,
    pub(super) shard: u8,
    /// Place of the shard's table in its crew.
    pub(super) table: u8,
    pub(super) spot: Spot,
}

/// The spots of flows met lately.
pub(super) struct Spots {
    places: Box<[Entry]>,
    /// Places when flows are many.
    most: usize,
    /// Flows put of late, and how many of them took the place of another.
    put: usize,
    crowded: usize,
}

impl Spots {
    /// Those of one of so many crews. None are kept unless addresses and ports make the flow.
    pub(super) fn new(kept: bool, crews: usize) -> Spots {
        let share = |places: usize| (places / crews.max(1)).next_power_of_two();
        let places = if kept { share(PLACES) } else { 0 };
        let places = vec![Entry::default(); places].into_boxed_slice();
        Spots { places, most: share(PLACES_AT_MOST), put: 0, crowded: 0 }
    }

    /// The shard, its table, and the spot in that.
    #[inline(always)]
    pub(super) fn of(&self, segment: &Bare<'_>) -> Option<&Entry> {
        let (addresses, ports) = (segment.addresses, segment.ports);
        let entry = self.places.get(self.place(addresses, ports))?;
        (entry.addresses == addresses && entry.ports == ports && entry.is_set).then_some(entry)
    }

    pub(super) fn put(&mut self, segment: &Bare<'_>, (shard, table): (usize, usize), spot: Spot) {
        let (addresses, ports) = (segment.addresses, segment.ports);
        let place = self.place(addresses, ports);
        if let Some(entry) = self.places.get_mut(place) {
            let is_taken = entry.is_set && (entry.addresses != addresses || entry.ports != ports);
            self.crowded += usize::from(is_taken);
            *entry = Entry { addresses, ports, is_set: true, shard: shard as u8, table: table as u8, spot };
        }
        self.put += 1;
        if self.put > self.places.len() {
            self.grow();
        }
    }

    /// Twice the places if flows crowd each other out. All are met anew, which costs each a longer look.
    #[cold]
    fn grow(&mut self) {
        let is_crowded = self.crowded * 4 > self.put;
        (self.put, self.crowded) = (0, 0);
        if is_crowded && self.places.len() < self.most {
            self.places = vec![Entry::default(); 2 * self.places.len()].into_boxed_slice();
        }
    }

    #[inline(always)]
    fn place(&self, addresses: u64, ports: u32) -> usize {
        let hash = (addresses ^ u64::from(ports) << 20).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        (hash >> 48) as usize & self.places.len().wrapping_sub(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn met(spots: &mut Spots, count: u64) -> usize {
        let segment = |n: u64| Bare { addresses: n << 32 | 7, ports: 502, seq: 0, ack: 0, bytes: &[] };
        let mut met = 0;
        for segment in (0..count).map(segment) {
            match spots.of(&segment) {
                Some(_) => met += 1,
                None => spots.put(&segment, (0, 0), Spot::default()),
            }
        }
        met
    }

    #[test]
    fn many_flows_get_more_places_up_to_a_limit() {
        let mut spots = Spots::new(true, 1);
        let few = PLACES as u64 / 8;
        met(&mut spots, few);
        assert!(met(&mut spots, few) * 10 > few as usize * 8);
        assert_eq!(spots.places.len(), PLACES);
        let many = 4 * PLACES as u64;
        for _ in 0..9 {
            met(&mut spots, many);
        }
        assert!(spots.places.len() > PLACES);
        for _ in 0..9 {
            met(&mut spots, 4 * PLACES_AT_MOST as u64);
        }
        assert_eq!(spots.places.len(), PLACES_AT_MOST);
    }

    #[test]
    fn nothing_is_kept_where_addresses_and_ports_do_not_make_the_flow() {
        let mut spots = Spots::new(false, 1);
        assert_eq!((met(&mut spots, 100), met(&mut spots, 100)), (0, 0));
        assert_eq!(spots.places.len(), 0);
    }
}
