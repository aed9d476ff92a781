//! The control blocks that are followed, within a limit, and when each wants to be looked at.

use core::cmp::Reverse;
use std::collections::BinaryHeap;

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use parsers::Timestamp;

use super::differing::Differing;
use super::stream::Said;

/// Control blocks that the profile does not name, that are followed at a time, in each shard.
pub const STREAM_LIMIT: usize = 1024;
/// Longer references are cut; the standard allows 129 octets.
pub(super) const REFERENCE_OCTETS: usize = 160;
/// A control block that the profile does not name is forgotten after this time without a message.
const FORGET_NS: u64 = 3_600_000_000_000;

/// A control block: its reference, and which publisher of the profile it is.
pub(super) type Key = (Box<[u8]>, Option<u32>);

/// What was told of a silence.
#[derive(Debug, Copy, Clone, Eq, PartialEq, Default)]
pub(super) enum Silence {
    /// Nothing.
    #[default]
    None,
    /// The publisher is late: its subscribers have noticed.
    Late,
    /// It lasts longer than a restart.
    Lasting,
}

/// One control block.
pub(super) struct Stream {
    pub(super) key: Key,
    /// What counts as said by the true publisher.
    pub(super) trusted: Option<Said>,
    /// The state before the present one.
    pub(super) before: Option<Said>,
    /// What somebody else said, or the publisher in a way that does not fit.
    pub(super) suspect: Option<Said>,
    /// Messages of the suspect in a row that continue each other.
    pub(super) run: u8,
    /// How long the publisher has been silent, as far as that was told.
    pub(super) silent: Silence,
    /// The publisher's clock against that of the tap, in nanoseconds, at the last change.
    pub(super) offset: Option<i64>,
    /// It has stamped a repetition: its time is that of the message, not of the state.
    pub(super) stamps: bool,
    /// It publishes in another way than the profile says.
    pub(super) differing: Option<Box<Differing>>,
    /// Messages in the present second.
    pub(super) second: (u64, u32),
    /// The last message of any kind.
    pub(super) last: Timestamp,
    waits: bool,
}

/// All of a shard.
#[derive(Default)]
pub(super) struct Table {
    slots: Vec<Option<Stream>>,
    free: Vec<u32>,
    index: HashMap<Key, u32, FixedState>,
    unnamed: usize,
    wakes: BinaryHeap<Reverse<(Timestamp, u32)>>,
    pub(super) overflowed: u64,
}

impl Table {
    /// The stream of a control block; `None` if there is no room.
    pub(super) fn admit(&mut self, reference: &[u8], named: Option<u32>, at: Timestamp) -> Option<u32> {
        let reference = reference.get(..REFERENCE_OCTETS).unwrap_or(reference);
        let probe = Borrowed(reference, named);
        if let Some(slot) = self.index.get(&probe) {
            return Some(*slot);
        }
        if named.is_none() && self.unnamed >= STREAM_LIMIT {
            self.overflowed += 1;
            return None;
        }
        self.unnamed += usize::from(named.is_none());
        let key: Key = (reference.into(), named);
        let stream = Stream {
            key: key.clone(),
            trusted: None,
            before: None,
            suspect: None,
            run: 0,
            silent: Silence::None,
            offset: None,
            stamps: false,
            differing: None,
            second: (0, 0),
            last: at,
            waits: false,
        };
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            (self.slots.len() - 1) as u32
        });
        self.slots[slot as usize] = Some(stream);
        self.index.insert(key, slot);
        Some(slot)
    }

    pub(super) fn get(&mut self, slot: u32) -> Option<&mut Stream> {
        self.slots.get_mut(slot as usize)?.as_mut()
    }

    /// All that are followed.
    pub(super) fn streams(&self) -> impl Iterator<Item = &Stream> {
        self.slots.iter().flatten()
    }

    /// Look at the stream at this time, unless it is going to be looked at before.
    pub(super) fn wake(&mut self, slot: u32, at: Timestamp) {
        let Some(stream) = self.slots.get_mut(slot as usize).and_then(Option::as_mut) else { return };
        if !stream.waits {
            stream.waits = true;
            self.wakes.push(Reverse((at, slot)));
        }
    }

    pub(super) fn next_wake(&self) -> Option<Timestamp> {
        self.wakes.peek().map(|Reverse((at, _))| *at)
    }

    /// The next stream that is due.
    pub(super) fn due(&mut self, now: Timestamp) -> Option<u32> {
        self.next_wake().filter(|at| *at <= now)?;
        let Reverse((_, slot)) = self.wakes.pop()?;
        self.get(slot)?.waits = false;
        Some(slot)
    }

    /// Forget a stream that nobody has spoken in for long and that the profile does not name.
    pub(super) fn forget_if_old(&mut self, slot: u32, now: Timestamp) -> bool {
        let Some(stream) = self.slots.get(slot as usize).and_then(Option::as_ref) else { return true };
        if stream.key.1.is_some() || now.since(stream.last) < FORGET_NS {
            return false;
        }
        if let Some(stream) = self.slots.get_mut(slot as usize).and_then(Option::take) {
            self.index.remove(&stream.key);
            self.free.push(slot);
            self.unnamed -= 1;
        }
        true
    }

    /// When an idle stream is looked at again, to be forgotten.
    pub(super) fn later(now: Timestamp) -> Timestamp {
        now.plus(FORGET_NS)
    }

    /// Another profile, whose publishers have other numbers: `place` tells the new one of each, or that it is to begin
    /// anew.
    pub(super) fn rename(&mut self, place: impl Fn(&Key) -> Option<Option<u32>>) {
        self.index.clear();
        for (slot, entry) in self.slots.iter_mut().enumerate() {
            let Some(stream) = entry else { continue };
            let slot = slot as u32;
            if let Some(named) = place(&stream.key) {
                stream.key.1 = named;
                self.index.insert(stream.key.clone(), slot);
            } else {
                self.unnamed -= usize::from(stream.key.1.is_none());
                *entry = None;
                self.free.push(slot);
            }
        }
        let slots = &self.slots;
        self.wakes.retain(|Reverse((_, slot))| slots.get(*slot as usize).is_some_and(Option::is_some));
    }
}

/// A key to look up with, without a copy.
struct Borrowed<'a>(&'a [u8], Option<u32>);

impl core::hash::Hash for Borrowed<'_> {
    fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
        self.0.hash(state);
        self.1.hash(state);
    }
}

impl hashbrown::Equivalent<Key> for Borrowed<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        *self.0 == *key.0 && self.1 == key.1
    }
}
