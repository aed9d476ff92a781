//! Addresses seen, as sorted ranges that do not touch.

use parsers::{PointKind, PointRange};

/// Ranges kept. Beyond, two neighbours become one with what lies between them.
pub(crate) const RANGES: usize = 256;

/// A set of points.
#[derive(Debug, Default)]
pub(crate) struct RangeSet {
    ranges: Vec<PointRange>,
    merged: bool,
}

impl RangeSet {
    /// Whether all of a range is in the set.
    #[inline]
    pub(crate) fn holds(&self, range: &PointRange) -> bool {
        let behind = self.ranges.partition_point(|r| (r.kind(), r.first()) <= (range.kind(), range.first()));
        let before = behind.checked_sub(1).and_then(|i| self.ranges.get(i));
        before.is_some_and(|r| r.kind() == range.kind() && range.last() <= r.last())
    }

    /// How many of a range's points are not in the set.
    pub(crate) fn missing(&self, range: &PointRange) -> u64 {
        let all = u64::from(range.last()) - u64::from(range.first()) + 1;
        let held: u64 = self
            .ranges
            .iter()
            .filter(|r| r.kind() == range.kind() && r.first() <= range.last() && r.last() >= range.first())
            .map(|r| u64::from(r.last().min(range.last())) - u64::from(r.first().max(range.first())) + 1)
            .sum();
        all - held
    }

    /// Add a range.
    pub(crate) fn add(&mut self, range: &PointRange) {
        if self.holds(range) {
            return;
        }
        let (mut first, mut last) = (range.first(), range.last());
        self.ranges.retain(|r| {
            let touches = r.kind() == range.kind()
                && r.first() <= last.saturating_add(1)
                && first <= r.last().saturating_add(1);
            if touches {
                first = first.min(r.first());
                last = last.max(r.last());
            }
            !touches
        });
        let at = self.ranges.partition_point(|r| (r.kind(), r.first()) < (range.kind(), first));
        self.ranges.insert(at, PointRange::new(range.kind(), first, last));
        if self.ranges.len() > RANGES {
            self.merge();
        }
    }

    /// Points in the set; more than were added once neighbours had to be joined.
    pub(crate) fn points(&self) -> u64 {
        self.ranges.iter().map(|r| u64::from(r.last()) - u64::from(r.first()) + 1).sum()
    }

    /// Whether neighbours had to be joined: then the set holds points that were never added.
    pub(crate) fn is_coarse(&self) -> bool {
        self.merged
    }

    /// Lowest and highest address of the kind that has most points.
    pub(crate) fn extent(&self) -> Option<(PointKind, u32, u32)> {
        let of = |kind: PointKind| {
            let ranges = || self.ranges.iter().filter(move |r| r.kind() == kind);
            let points: u64 = ranges().map(|r| u64::from(r.last()) - u64::from(r.first()) + 1).sum();
            let first = ranges().map(PointRange::first).min()?;
            let last = ranges().map(PointRange::last).max()?;
            Some((points, kind, first, last))
        };
        let mut best: Option<(u64, PointKind, u32, u32)> = None;
        for range in &self.ranges {
            if best.is_some_and(|(_, kind, ..)| kind == range.kind()) {
                continue;
            }
            let next = of(range.kind());
            if next.map(|n| n.0) > best.map(|b| b.0) {
                best = next;
            }
        }
        best.map(|(_, kind, first, last)| (kind, first, last))
    }

    /// Join the two neighbours of one kind with the smallest hole between them.
    fn merge(&mut self) {
        self.merged = true;
        let hole = |i: usize| {
            let (a, b) = (self.ranges.get(i)?, self.ranges.get(i + 1)?);
            (a.kind() == b.kind()).then(|| b.first() - a.last())
        };
        let Some(i) = (0..self.ranges.len()).filter(|i| hole(*i).is_some()).min_by_key(|i| hole(*i)) else {
            self.ranges.pop();
            return;
        };
        let b = self.ranges.remove(i + 1);
        if let Some(a) = self.ranges.get_mut(i) {
            *a = PointRange::new(a.kind(), a.first(), b.last());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use PointKind::{Coil, HoldingRegister};

    #[test]
    fn ranges_that_touch_become_one_and_missing_points_are_counted() {
        let mut set = RangeSet::default();
        set.add(&PointRange::new(HoldingRegister, 0, 9));
        set.add(&PointRange::new(HoldingRegister, 20, 29));
        set.add(&PointRange::new(Coil, 5, 5));
        assert_eq!(set.missing(&PointRange::new(HoldingRegister, 5, 24)), 10);
        assert!(!set.holds(&PointRange::new(HoldingRegister, 5, 24)));
        set.add(&PointRange::new(HoldingRegister, 10, 19));
        assert!(set.holds(&PointRange::new(HoldingRegister, 0, 29)));
        assert_eq!((set.points(), set.ranges.len()), (31, 2));
        assert_eq!(set.extent(), Some((HoldingRegister, 0, 29)));
        set.add(&PointRange::new(Coil, 0, u32::MAX));
        assert_eq!(set.missing(&PointRange::new(Coil, 7, 8)), 0);
    }

    #[test]
    fn a_full_set_joins_neighbours_and_never_forgets() {
        let mut set = RangeSet::default();
        for n in 0..5000 {
            set.add(&PointRange::one(Coil, n * 10));
        }
        assert!(set.ranges.len() <= RANGES && set.is_coarse());
        assert!((0..5000).all(|n| set.holds(&PointRange::one(Coil, n * 10))));
    }
}
