//! Counts by label values, with a limit on how many label sets there may be.
//!
//! Label sets are compared whole. (The `*Vec` types of the crate `prometheus` are not used: they tell
//! label sets apart by a hash over their concatenation, so that `1`, `16` and `11`, `6` become one.)

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use foldhash::quality::RandomState;
use hashbrown::{Equivalent, HashMap};

/// Label sets of one family in a shard. What is exposed is the sum of the shards, whose limit is that of the
/// family ([`super::metric_table::MetricInfo::limit`]); further ones are counted under [`OTHER`].
pub const SERIES_PER_FAMILY: usize = 20_000;
/// Label value of what exceeds the limit.
pub const OTHER: &str = "_other";
/// Station label of stations that the profile does not know.
pub const UNPROFILED: &str = "_unprofiled";

/// Label values, in the order of the family's labels.
#[derive(Debug, Clone, Eq, PartialEq)]
pub struct LabelSet(Arc<[Box<str>]>);

impl LabelSet {
    /// A label set of these values.
    pub fn new(values: &[&str]) -> LabelSet {
        LabelSet(values.iter().map(|value| Box::from(*value)).collect())
    }

    /// The values.
    pub fn values(&self) -> &[Box<str>] {
        &self.0
    }
}

impl Hash for LabelSet {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // A string's hash ends with an octet that no string holds, so values cannot run together.
        self.0.iter().for_each(|value| value.hash(state));
    }
}

struct Query<'a>(&'a [&'a str]);

impl Hash for Query<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.iter().for_each(|value| value.hash(state));
    }
}

impl Equivalent<LabelSet> for Query<'_> {
    fn equivalent(&self, set: &LabelSet) -> bool {
        self.0.len() == set.0.len() && self.0.iter().zip(set.0.iter()).all(|(a, b)| **a == **b)
    }
}

/// A label set with its value.
#[derive(Debug, Clone)]
pub struct Series {
    /// Label values.
    pub labels: LabelSet,
    /// Its value.
    pub value: u64,
    /// Rises from one new label set of the table to the next, so that the exposition can tell new ones.
    pub born: u64,
}

/// Values of one family by label set.
#[derive(Debug)]
pub struct SeriesTable {
    places: HashMap<LabelSet, u32, RandomState>,
    series: Vec<Series>,
    limit: usize,
    born: u64,
    dropped: u64,
}

impl SeriesTable {
    /// A table of at most `limit` label sets.
    pub fn new(limit: usize) -> SeriesTable {
        SeriesTable { places: HashMap::default(), series: Vec::new(), limit, born: 0, dropped: 0 }
    }

    /// Another limit, for label sets that come from here on.
    pub fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
    }

    /// The place of a label set, whose first label is the station. `None` when the table is full.
    pub fn place(&mut self, labels: &[&str]) -> Option<u32> {
        if let Some(&place) = self.places.get(&Query(labels)) {
            return Some(place);
        }
        (self.series.len() < self.limit).then(|| self.add(labels))
    }

    /// The place that a label set is counted at when [`SeriesTable::place`] has none for it. One update is
    /// counted as folded.
    pub fn overflow(&mut self, labels: &[&str]) -> u32 {
        self.dropped += 1;
        self.folded(labels)
    }

    fn folded(&mut self, labels: &[&str]) -> u32 {
        let mut moved = [OTHER; 8];
        let moved = &mut moved[..labels.len().min(8)];
        for (to, from) in moved.iter_mut().zip(labels).skip(1) {
            *to = from;
        }
        if let Some(&place) = self.places.get(&Query(moved)) {
            return place;
        }
        // The other labels come from closed sets, so this second limit is for the case of a mistake.
        if self.series.len() >= self.limit.saturating_mul(2) {
            moved.fill(OTHER);
            if let Some(&place) = self.places.get(&Query(moved)) {
                return place;
            }
        }
        self.add(moved)
    }

    fn add(&mut self, labels: &[&str]) -> u32 {
        self.insert(LabelSet::new(labels))
    }

    fn insert(&mut self, set: LabelSet) -> u32 {
        let place = self.series.len() as u32;
        self.places.insert(set.clone(), place);
        self.born += 1;
        self.series.push(Series { labels: set, value: 0, born: self.born });
        place
    }

    /// The value at a place.
    #[inline]
    pub fn at(&mut self, place: u32) -> &mut u64 {
        &mut self.series[place as usize].value
    }

    /// The value of a label set, if it has a place of its own.
    pub fn get(&self, labels: &LabelSet) -> Option<u64> {
        self.places.get(labels).map(|&place| self.series[place as usize].value)
    }

    /// Add to a label set, wherever it is counted.
    pub fn add_to(&mut self, labels: &[&str], amount: u64) {
        let place = match self.place(labels) {
            Some(place) => place,
            None => self.overflow(labels),
        };
        *self.at(place) += amount;
    }

    /// All values to zero.
    pub fn reset(&mut self) {
        self.dropped = 0;
        self.series.iter_mut().for_each(|series| series.value = 0);
    }

    /// Make room for a label set, at zero.
    pub fn begin(&mut self, labels: &[&str]) {
        let _ = self.place(labels);
    }

    /// Forget the label sets whose station (the first label) is not kept. Places change.
    pub fn retain(&mut self, kept: impl Fn(&str) -> bool) {
        let keep = |series: &Series| {
            let station = series.labels.values().first().map_or("", |label| &**label);
            station == OTHER || station == UNPROFILED || kept(station)
        };
        self.series.retain(keep);
        self.places.clear();
        self.places.extend(self.series.iter().map(|series| series.labels.clone()).zip(0..));
    }

    /// Add the values of another table: sums.
    pub fn add_all(&mut self, other: &SeriesTable) {
        for Series { labels, value, .. } in &other.series {
            let (place, folded) = self.like(labels);
            self.series[place as usize].value += value;
            // Every one of them was an update.
            self.dropped += if folded { *value } else { 0 };
        }
        self.dropped += other.dropped;
    }

    /// Combine with the values of another table.
    pub fn combine(&mut self, other: &SeriesTable, one_of: impl Fn(u64, u64) -> u64) {
        for Series { labels, value, .. } in &other.series {
            let (place, folded) = self.like(labels);
            let mine = &mut self.series[place as usize].value;
            *mine = one_of(*mine, *value);
            self.dropped += u64::from(folded);
        }
        self.dropped += other.dropped;
    }

    /// Where another table's label set is counted, and whether that is under [`OTHER`] for want of room.
    fn like(&mut self, set: &LabelSet) -> (u32, bool) {
        match self.places.get(set) {
            Some(&place) => (place, false),
            None if self.series.len() < self.limit => (self.insert(set.clone()), false),
            None => {
                let labels: Vec<&str> = set.values().iter().map(|label| &**label).collect();
                (self.folded(&labels), true)
            }
        }
    }

    /// All label sets with their values, in the order in which they came.
    pub fn iter(&self) -> impl Iterator<Item = &Series> {
        self.series.iter()
    }

    /// Label sets held.
    pub fn len(&self) -> usize {
        self.series.len()
    }

    /// Whether nothing was counted yet.
    pub fn is_empty(&self) -> bool {
        self.series.is_empty()
    }

    /// Updates counted under [`OTHER`].
    pub fn dropped(&self) -> u64 {
        self.dropped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn label_sets_that_concatenate_alike_stay_apart() {
        let mut table = SeriesTable::new(10);
        table.add_to(&["1", "16"], 1);
        table.add_to(&["11", "6"], 1);
        table.add_to(&["", "116"], 1);
        table.add_to(&["1", "16"], 1);
        let values: Vec<u64> = table.iter().map(|series| series.value).collect();
        assert_eq!(values, [2, 1, 1]);
    }

    #[test]
    fn what_exceeds_the_limit_is_counted_as_other() {
        let mut table = SeriesTable::new(100);
        for station in 0..200_000u32 {
            table.add_to(&[&station.to_string(), "read"], 1);
        }
        assert_eq!(table.len(), 101);
        assert_eq!(table.dropped(), 199_900);
        let other = table.iter().find(|series| &*series.labels.values()[0] == OTHER);
        assert_eq!(other.map(|series| series.value), Some(199_900));
    }

    #[test]
    fn even_labels_that_should_be_closed_cannot_grow_without_end() {
        let mut table = SeriesTable::new(10);
        for code in 0..1000u32 {
            table.add_to(&["station", &code.to_string()], 1);
        }
        assert_eq!(table.len(), 21);
        assert_eq!(table.iter().map(|series| series.value).sum::<u64>(), 1000);
    }

    #[test]
    fn what_a_sum_has_no_room_for_is_counted_as_other_with_all_its_updates() {
        let mut shard = SeriesTable::new(100);
        for station in ["a", "b", "c"] {
            shard.add_to(&[station, "read"], 7);
        }
        let mut sum = SeriesTable::new(2);
        for _ in 0..3 {
            sum.reset();
            sum.add_all(&shard);
            let values: Vec<_> = sum.iter().map(|s| (s.labels.values()[0].to_string(), s.value)).collect();
            assert_eq!(values, [("a".to_owned(), 7), ("b".to_owned(), 7), (OTHER.to_owned(), 7)]);
            assert_eq!(sum.dropped(), 7);
        }
    }

    #[test]
    fn stations_that_are_not_kept_go_and_come_back_as_new_ones() {
        let mut table = SeriesTable::new(10);
        for station in ["a", "b", UNPROFILED, OTHER] {
            table.add_to(&[station, "read"], 1);
        }
        table.retain(|station| station == "b");
        let names = |table: &SeriesTable| -> Vec<String> {
            table.iter().map(|series| series.labels.values()[0].to_string()).collect()
        };
        assert_eq!(names(&table), ["b", UNPROFILED, OTHER]);
        table.add_to(&["b", "read"], 1);
        table.add_to(&["a", "read"], 1);
        let all: Vec<_> = table.iter().map(|series| (series.value, series.born)).collect();
        assert_eq!(all, [(2, 2), (1, 3), (1, 4), (1, 5)]);
    }
}
