//! The table of watches: one for each master host, station host and protocol. Bounded; when room is short,
//! pairs that have been silent for long are given up.

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use parsers::{Host, Operation, Protocol, Timestamp};

use super::watch::Watch;

/// Pairs of hosts watched for scans. More than the limit of one shard's associations would not help.
pub const WATCH_LIMIT: usize = 1024;
/// How long a pair is kept after its last operation when room is short.
const IDLE_NS: u64 = 3600 * 1_000_000_000;
/// How often room is looked for at most.
const SWEEP_NS: u64 = 60 * 1_000_000_000;

/// Who asks whom.
#[derive(Debug, Copy, Clone, Eq, PartialEq, Hash)]
pub(super) struct WatchKey {
    /// The commanding host.
    pub(super) master: Host,
    /// The host that the stations stand behind.
    pub(super) server: Host,
    /// The protocol.
    pub(super) protocol: Protocol,
}

impl WatchKey {
    pub(super) fn of(operation: &Operation<'_>) -> WatchKey {
        WatchKey {
            master: operation.master_endpoint().host,
            server: operation.station_endpoint().host,
            protocol: operation.protocol,
        }
    }
}

/// Place of a watch in its table.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub struct WatchId {
    index: u32,
    generation: u32,
}

#[derive(Debug, Default)]
struct Slot {
    generation: u32,
    watch: Option<Box<Watch>>,
}

/// All watches of a shard.
#[derive(Debug, Default)]
pub(super) struct WatchTable {
    slots: Vec<Slot>,
    free: Vec<u32>,
    map: HashMap<WatchKey, WatchId, FixedState>,
    swept: Timestamp,
    pub(super) overflowed: u64,
}

impl WatchTable {
    /// The watch of a pair, made if there is room.
    pub(super) fn admit(&mut self, key: WatchKey, now: Timestamp) -> Option<WatchId> {
        if let Some(id) = self.map.get(&key) {
            return Some(*id);
        }
        if self.map.len() >= WATCH_LIMIT {
            self.sweep(now);
        }
        if self.map.len() >= WATCH_LIMIT {
            self.overflowed += 1;
            return None;
        }
        let index = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot::default());
            (self.slots.len() - 1) as u32
        });
        let slot = self.slots.get_mut(index as usize)?;
        slot.watch = Some(Box::new(Watch::new(key, now)));
        let id = WatchId { index, generation: slot.generation };
        self.map.insert(key, id);
        Some(id)
    }

    /// A watch, unless it was given up since.
    #[inline]
    pub(super) fn get(&mut self, id: WatchId) -> Option<&mut Watch> {
        let slot = self.slots.get_mut(id.index as usize)?;
        if slot.generation != id.generation {
            return None;
        }
        slot.watch.as_deref_mut()
    }

    fn sweep(&mut self, now: Timestamp) {
        if now.since(self.swept) < SWEEP_NS {
            return;
        }
        self.swept = now;
        for (index, slot) in self.slots.iter_mut().enumerate() {
            let idle = slot.watch.as_deref().is_some_and(|w| now.since(w.last_seen) > IDLE_NS);
            if idle && let Some(watch) = slot.watch.take() {
                slot.generation = slot.generation.wrapping_add(1);
                self.map.remove(&watch.key);
                self.free.push(index as u32);
            }
        }
    }
}
