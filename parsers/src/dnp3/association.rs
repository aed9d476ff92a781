//! The pairs of master and outstation on a flow. Several may share one connection (multi-drop).

use super::transport::Series;
use crate::contract::{Answered, Direction, Timestamp};
use crate::tight;

/// A master and an outstation, and the side of the flow the master sits on.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub(super) struct Key {
    pub master: u16,
    pub outstation: u16,
    pub master_sends: Direction,
}

impl Key {
    /// The same addresses on the same sides, with the roles exchanged.
    pub(super) fn reversed(self) -> Key {
        Key { master: self.outstation, outstation: self.master, master_sends: self.master_sends.reverse() }
    }
}

/// A fragment that asked to be confirmed.
#[derive(Debug, Copy, Clone)]
pub(super) struct Unconfirmed {
    pub sequence: u8,
    pub function: u8,
    pub answered: Answered,
}

/// What is known of one pair.
pub(super) struct Association {
    pub key: Key,
    /// Open transport series: from the master, from the outstation.
    pub series: [Series; 2],
    /// Sequence, function and time of the last request that forbids an answer.
    pub silent: Option<(u8, u8, Timestamp)>,
    /// The last solicited and the last unsolicited response that wait for a CONFIRM.
    pub unconfirmed: [Option<Unconfirmed>; 2],
    /// The addresses were seen before with the roles exchanged.
    pub reversed: bool,
    used: u64,
}

/// The table of pairs.
pub(super) struct Associations {
    /// Keys beside the pairs, so that the search touches little memory.
    keys: Vec<Key>,
    pairs: Vec<Association>,
    latest: [usize; 2],
    clock: u64,
    limit: usize,
    /// It was told that there are too many.
    told_full: bool,
}

/// What happened when a pair was looked up.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub(super) enum Lookup {
    Known(usize),
    New(usize),
    /// New, in the place of the pair unused for longest.
    InPlace(usize),
}

impl Associations {
    pub(super) fn new(limit: usize) -> Associations {
        let (keys, pairs, limit) = (Vec::new(), Vec::new(), limit.max(1));
        Associations { keys, pairs, latest: [0; 2], clock: 0, limit, told_full: false }
    }

    /// How many are remembered at most.
    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    /// One had to make room. Whether it is the first.
    pub(super) fn tell_full(&mut self) -> bool {
        !core::mem::replace(&mut self.told_full, true)
    }

    /// Find a pair or make it. `side` is the direction of the frame, `whole` whether its flow was seen
    /// from the beginning.
    pub(super) fn look_up(&mut self, key: Key, side: Direction, whole: bool) -> Lookup {
        self.clock += 1;
        let latest = self.latest[side.index()];
        let known = match self.keys.get(latest) {
            Some(k) if *k == key => Some(latest),
            _ => self.keys.iter().position(|k| *k == key),
        };
        if let Some(index) = known {
            self.latest[side.index()] = index;
            if let Some(pair) = self.pairs.get_mut(index) {
                pair.used = self.clock;
            }
            return Lookup::Known(index);
        }
        let reversed = self.keys.contains(&key.reversed());
        let fresh = fresh(key, whole, reversed, self.clock);
        if self.pairs.len() < self.limit {
            tight::push(&mut self.keys, key);
            tight::push(&mut self.pairs, fresh);
            self.latest[side.index()] = self.pairs.len() - 1;
            return Lookup::New(self.pairs.len() - 1);
        }
        let oldest = (0..self.pairs.len()).min_by_key(|i| self.pairs[*i].used).unwrap_or(0);
        self.pairs[oldest] = fresh;
        self.keys[oldest] = key;
        self.latest[side.index()] = oldest;
        Lookup::InPlace(oldest)
    }

    pub(super) fn get_mut(&mut self, index: usize) -> Option<&mut Association> {
        self.pairs.get_mut(index)
    }

    pub(super) fn all_mut(&mut self) -> impl Iterator<Item = &mut Association> {
        self.pairs.iter_mut()
    }

    /// Heap octets held.
    pub(super) fn memory(&self) -> usize {
        let series: usize = self.pairs.iter().flat_map(|p| &p.series).map(Series::memory).sum();
        self.pairs.capacity() * size_of::<Association>() + self.keys.capacity() * size_of::<Key>() + series
    }
}

fn fresh(key: Key, whole: bool, reversed: bool, clock: u64) -> Association {
    Association {
        key,
        series: [Series::new(whole), Series::new(whole)],
        silent: None,
        unconfirmed: [None; 2],
        reversed,
        used: clock,
    }
}
