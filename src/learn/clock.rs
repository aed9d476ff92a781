//! When something was seen: the capture's time cut into at most 64 slices, whatever its length, and for
//! everything counted a mask of the slices in which it occurred. What occurs all the time can so be told
//! from what occurred for a while, in 64 bits.

use parsers::Timestamp;

/// Width of a slice at the start; it doubles whenever the capture outgrows 64 of them.
const FIRST_SLICE_NS: u64 = 250_000_000;

/// The capture's time.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    start: Option<Timestamp>,
    end: Timestamp,
    /// How often the slices' width was doubled.
    doublings: u8,
    slices: u64,
}

impl Clock {
    /// It is `at`. The slice it falls in.
    fn slice(&mut self, at: Timestamp) -> u32 {
        let start = *self.start.get_or_insert(at);
        self.end = self.end.max(at);
        loop {
            let index = at.since(start) / self.slice_ns();
            if index < 64 {
                return index as u32;
            }
            self.doublings += 1;
            self.slices = halve(self.slices);
        }
    }

    /// Something was seen at `at`.
    pub(super) fn note(&mut self, at: Timestamp) {
        let slice = self.slice(at);
        self.slices |= 1 << slice;
    }

    /// Nanoseconds of a slice.
    pub fn slice_ns(&self) -> u64 {
        FIRST_SLICE_NS << self.doublings.min(36)
    }

    /// From when to when.
    pub fn span(&self) -> (Timestamp, Timestamp) {
        (self.start.unwrap_or_default(), self.end)
    }

    /// How long, in nanoseconds.
    pub fn length_ns(&self) -> u64 {
        self.end.since(self.start.unwrap_or(self.end))
    }

    /// Slices in which there was any traffic.
    pub fn active(&self) -> u32 {
        self.slices.count_ones()
    }
}

/// The mask in slices of twice the width.
fn halve(mask: u64) -> u64 {
    (0..32).fold(0, |sum, bit| sum | (u64::from(mask >> (2 * bit) & 3 != 0) << bit))
}

/// How often and when something was seen.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// How often.
    pub count: u64,
    /// First time.
    pub first: Timestamp,
    /// Last time.
    pub last: Timestamp,
    slices: u64,
    doublings: u8,
}

impl Seen {
    /// Seen at `at`. Returns the slice.
    pub(super) fn note(&mut self, at: Timestamp, clock: &mut Clock) -> u32 {
        let slice = clock.slice(at);
        self.catch_up(clock);
        if self.count == 0 || at < self.first {
            self.first = at;
        }
        self.last = self.last.max(at);
        self.count += 1;
        self.slices |= 1 << slice;
        slice
    }

    fn catch_up(&mut self, clock: &Clock) {
        while self.doublings < clock.doublings {
            self.slices = halve(self.slices);
            self.doublings += 1;
        }
    }

    /// The slices in which it was seen.
    pub fn mask(&self, clock: &Clock) -> u64 {
        let mut now = self.clone();
        now.catch_up(clock);
        now.slices
    }

    /// In how many slices it was seen.
    pub fn slices(&self, clock: &Clock) -> u32 {
        self.mask(clock).count_ones()
    }

    /// Nanoseconds from the first to the last time.
    pub fn span_ns(&self) -> u64 {
        self.last.since(self.first)
    }

    /// Both together.
    #[must_use]
    pub fn and(&self, other: &Seen, clock: &Clock) -> Seen {
        if self.count == 0 {
            return other.clone();
        }
        if other.count == 0 {
            return self.clone();
        }
        Seen {
            count: self.count + other.count,
            first: self.first.min(other.first),
            last: self.last.max(other.last),
            slices: self.mask(clock) | other.mask(clock),
            doublings: clock.doublings,
        }
    }
}

/// Something kept for every slice, joined when slices are joined.
#[derive(Debug, Clone)]
pub(super) struct BySlice<T> {
    slots: Vec<Option<T>>,
    doublings: u8,
}

impl<T> Default for BySlice<T> {
    fn default() -> Self {
        BySlice { slots: Vec::new(), doublings: 0 }
    }
}

impl<T: Copy> BySlice<T> {
    /// The slot of the slice of `at`; `join` puts two slots together.
    pub(super) fn at(
        &mut self,
        at: Timestamp,
        clock: &mut Clock,
        join: impl Fn(T, T) -> T,
    ) -> &mut Option<T> {
        let slice = clock.slice(at) as usize;
        while self.doublings < clock.doublings {
            let half = self.slots.len().div_ceil(2);
            for to in 0..half {
                let first = self.slots[2 * to];
                let second = self.slots.get(2 * to + 1).copied().flatten();
                self.slots[to] = match (first, second) {
                    (Some(a), Some(b)) => Some(join(a, b)),
                    (one, other) => one.or(other),
                };
            }
            self.slots.truncate(half);
            self.doublings += 1;
        }
        if self.slots.len() <= slice {
            self.slots.resize(slice + 1, None);
        }
        &mut self.slots[slice]
    }

    /// What is kept, in the order of time.
    pub(super) fn values(&self) -> impl Iterator<Item = T> {
        self.slots.iter().flatten().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn slices_grow_with_the_capture_and_masks_follow() {
        let (mut clock, mut always, mut once) = (Clock::default(), Seen::default(), Seen::default());
        once.note(Timestamp(SECOND), &mut clock);
        for second in 1..=3600 {
            clock.note(Timestamp(second * SECOND));
            always.note(Timestamp(second * SECOND), &mut clock);
        }
        assert_eq!(clock.slice_ns(), 64 * SECOND);
        assert_eq!(clock.active(), 57);
        assert_eq!(always.slices(&clock), 57);
        assert_eq!(once.slices(&clock), 1, "the mask of what was seen long ago is in today's slices");
    }

    #[test]
    fn what_is_kept_by_slice_is_joined_with_the_slices() {
        let (mut clock, mut most) = (Clock::default(), BySlice::default());
        for second in 0..1000_u64 {
            let slot = most.at(Timestamp(second * SECOND), &mut clock, u64::max);
            *slot = Some(slot.map_or(second, |s| s.max(second)));
        }
        let kept: Vec<u64> = most.values().collect();
        assert_eq!(kept.len(), 63);
        assert_eq!(&kept[..3], [15, 31, 47]);
    }
}
