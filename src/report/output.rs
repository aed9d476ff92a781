//! What shards say, on its way to the one owner of the order.
//!
//! Lines are rendered where they arise, one behind the other into one buffer; what the owner has to think
//! about itself stands between them. Everything has its place, so that the outputs of several workers can be
//! put together in the order of the packets.

use parsers::Timestamp;

use super::json::Json;
use super::writer::Weight;
use crate::dispatch::Place;
use crate::monitor::Forgotten;
use crate::pipeline::Blind;
use crate::site::Fact;

/// Memory of an output that is kept for the next batch.
const KEPT_OCTETS: usize = 1 << 20;

/// Something said.
#[derive(Debug)]
pub(crate) enum Item {
    /// The next whole lines of the event log in the buffer.
    Lines {
        /// How many octets they are.
        length: usize,
        /// How many they are.
        lines: u64,
        /// How much of the writer's queue they may use.
        weight: Weight,
    },
    /// Something that concerns more than a pair of hosts.
    Fact(Fact),
    /// What a shard could not see or hold since the last time: of its flows; selects,
    /// associations, rhythms, scans, commanded points and controls.
    Blind(Timestamp, Blind, Forgotten),
    /// What the reading thread could not see, so far: silence of the taps, frames cut, undecodable frames, fragments lost,
    /// packets forgotten.
    Front(Timestamp, [u64; 6]),
}

/// Lines and facts in the order of their places.
#[derive(Debug, Default)]
pub struct Output {
    json: Json,
    items: Vec<(Place, Item)>,
    place: Place,
    facts: usize,
    /// Octets of whole lines.
    written: usize,
}

impl Output {
    /// What comes next belongs here. Places only rise.
    #[inline]
    pub fn enter(&mut self, place: Place) {
        self.place = place;
    }

    /// To write one line into; then comes [`Output::line_done`].
    #[inline]
    pub(crate) fn json(&mut self) -> &mut Json {
        &mut self.json
    }

    /// A line is whole.
    pub(crate) fn line_done(&mut self, line: Weight) {
        let written = self.json.bytes().len() - self.written;
        self.written += written;
        if let Some((place, Item::Lines { length, lines, weight })) = self.items.last_mut()
            && *place == self.place
        {
            *length += written;
            *lines += 1;
            *weight = line.max(*weight);
            return;
        }
        self.items.push((self.place, Item::Lines { length: written, lines: 1, weight: line }));
    }

    /// Something for the owner.
    pub(crate) fn tell(&mut self, item: Item) {
        self.facts += 1;
        self.items.push((self.place, item));
    }

    /// Whether the owner should take it now: there is something to think about, or enough to write.
    #[inline]
    #[must_use]
    pub fn is_urgent(&self, octets: usize) -> bool {
        self.facts > 0 || self.json.bytes().len() >= octets
    }

    /// Whether there is more in it than lines.
    pub(crate) fn has_facts(&self) -> bool {
        self.facts > 0
    }

    /// Whether nothing was said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    pub(crate) fn items(&self) -> &[(Place, Item)] {
        &self.items
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.json.bytes()
    }

    /// Forget what was said, keep the memory unless it is unusually much.
    pub(crate) fn clear(&mut self) {
        self.json.clear();
        if self.json.capacity() > KEPT_OCTETS {
            self.json = Json::new();
        }
        self.items.clear();
        self.facts = 0;
        self.written = 0;
    }
}
