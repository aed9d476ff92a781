//! Where flows were met last: what keeps the way of a plain segment to its flow to one look.
//!
//! A place holds one direction of a flow by its addresses and ports: the shard, and the spot in its table. It is
//! no more than a hint: the table makes sure that the flow is still there ([`crate::flow::FlowTable::next`]).
//! Two that share a place cost a longer look, no more.

use crate::decap::Bare;
use crate::flow::Spot;

/// Places: 256 KiB.
const PLACES: usize = 8192;

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
}

impl Spots {
    /// None are kept unless addresses and ports make the flow.
    pub(super) fn new(kept: bool) -> Spots {
        let places = if kept { PLACES } else { 0 };
        Spots { places: vec![Entry::default(); places].into_boxed_slice() }
    }

    /// The shard, its table, and the spot in that.
    #[inline(always)]
    pub(super) fn of(&self, segment: &Bare<'_>) -> Option<&Entry> {
        let (addresses, ports) = (segment.addresses, segment.ports);
        let entry = self.places.get(place(addresses, ports))?;
        (entry.addresses == addresses && entry.ports == ports && entry.is_set).then_some(entry)
    }

    pub(super) fn put(&mut self, segment: &Bare<'_>, (shard, table): (usize, usize), spot: Spot) {
        let (addresses, ports) = (segment.addresses, segment.ports);
        if let Some(entry) = self.places.get_mut(place(addresses, ports)) {
            *entry = Entry { addresses, ports, is_set: true, shard: shard as u8, table: table as u8, spot };
        }
    }
}

#[inline(always)]
fn place(addresses: u64, ports: u32) -> usize {
    let hash = (addresses ^ u64::from(ports) << 20).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (hash >> 48) as usize % PLACES
}
