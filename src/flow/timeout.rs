//! Packet time: which flows have been idle for how long, and which wait for something.
//!
//! Idle times are the same for all flows of a class, so a list per class, ordered by the last packet, is
//! enough: the next to expire is at its head. Deadlines of sessions and of holes are in a heap.

use std::collections::BinaryHeap;

use core::cmp::Reverse;
use parsers::Timestamp;

/// No slot.
pub(super) const NONE: u32 = u32::MAX;

/// No deadline.
pub(super) const NEVER: Timestamp = Timestamp(u64::MAX);

/// A clock that steps back by more than this was set back; less is the jitter of several taps.
const STEP_NS: u64 = 60_000_000_000;

/// Packet time, and a count of nanoseconds that never goes back whatever the capture's clock does.
#[derive(Debug, Default)]
pub(super) struct Clock {
    pub(super) now: Timestamp,
    pub(super) elapsed: u64,
    started: bool,
}

impl Clock {
    /// Packet time is `at`. Whether the clock was set back.
    #[inline]
    pub(super) fn set(&mut self, at: Timestamp) -> bool {
        if !self.started {
            self.started = true;
            self.now = at;
            return true;
        }
        if at >= self.now {
            self.elapsed = self.elapsed.saturating_add(at.since(self.now));
            self.now = at;
            return false;
        }
        let back = self.now.since(at) > STEP_NS;
        if back {
            self.now = at;
        }
        back
    }
}

/// What decides how long a flow may be idle.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub(super) enum Class {
    /// TCP without payload so far.
    Embryonic,
    /// TCP after FIN or RST.
    Closing,
    /// TCP, active lately.
    Hot,
    /// TCP, idle, buffers given back.
    Cold,
    /// UDP.
    Datagram,
}

pub(super) const CLASSES: usize = 5;

impl Class {
    pub(super) const ALL: [Class; CLASSES] =
        [Class::Embryonic, Class::Closing, Class::Hot, Class::Cold, Class::Datagram];
}

/// A flow's place in the list of its class.
#[derive(Debug, Copy, Clone)]
pub(super) struct Link {
    pub(super) before: u32,
    pub(super) after: u32,
    pub(super) class: Class,
    /// [`Clock::elapsed`] when the last packet came (within a second).
    pub(super) stamp: u64,
}

/// One list; the head has been idle for longest.
#[derive(Debug, Copy, Clone)]
pub(super) struct List {
    pub(super) head: u32,
    pub(super) tail: u32,
}

impl List {
    pub(super) const EMPTY: List = List { head: NONE, tail: NONE };
}

/// When a flow wants to be called.
#[derive(Debug, Copy, Clone, Eq, PartialEq, Ord, PartialOrd)]
pub(super) struct Due {
    pub(super) at: Timestamp,
    /// The flow's number breaks ties, so that the order is the same in every run.
    pub(super) flow: u64,
    pub(super) slot: u32,
}

/// Deadlines, the nearest first.
#[derive(Debug, Default)]
pub(super) struct Deadlines(BinaryHeap<Reverse<Due>>);

impl Deadlines {
    pub(super) fn push(&mut self, due: Due) {
        self.0.push(Reverse(due));
    }

    pub(super) fn next(&self) -> Option<Timestamp> {
        self.0.peek().map(|Reverse(due)| due.at)
    }

    pub(super) fn pop(&mut self, now: Timestamp) -> Option<Due> {
        if self.next()? > now {
            return None;
        }
        self.0.pop().map(|Reverse(due)| due)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Drop entries that no longer hold.
    pub(super) fn retain(&mut self, mut holds: impl FnMut(&Due) -> bool) {
        self.0.retain(|Reverse(due)| holds(due));
    }

    pub(super) fn capacity_bytes(&self) -> usize {
        self.0.capacity() * size_of::<Due>()
    }
}
