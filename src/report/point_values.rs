//! The last values of the points that the profile selects for `/metrics`.

use foldhash::quality::RandomState;
use hashbrown::HashMap;
use parsers::Timestamp;

use super::roster::{Roster, SelectedPoint};

/// A value of a point.
#[derive(Debug, Copy, Clone, PartialEq)]
pub struct PointReading {
    /// In the unit of the profile.
    pub value: f64,
    /// The station vouches for it.
    pub good: bool,
    /// Packet time.
    pub at: Timestamp,
}

/// The last reading of every selected point, in the order of the roster.
#[derive(Debug, Default)]
pub struct PointValues(Vec<Option<PointReading>>);

impl PointValues {
    /// Room for the points of a roster.
    pub fn new(roster: &Roster) -> PointValues {
        PointValues(vec![None; roster.points().len()])
    }

    /// A point was read.
    #[inline]
    pub fn read(&mut self, place: usize, reading: PointReading) {
        if let Some(last) = self.0.get_mut(place) {
            *last = Some(reading);
        }
    }

    /// Take what another shard has read later.
    pub fn combine(&mut self, other: &PointValues) {
        for (mine, theirs) in self.0.iter_mut().zip(&other.0) {
            if theirs.is_some_and(|theirs| mine.is_none_or(|mine| theirs.at >= mine.at)) {
                *mine = *theirs;
            }
        }
    }

    /// Forget all values.
    pub fn reset(&mut self) {
        self.0.fill(None);
    }

    /// The same values in the places of another roster; points that it does not select are forgotten.
    pub fn moved(&self, old: &Roster, new: &Roster) -> PointValues {
        let read = old.points().iter().zip(&self.0).filter_map(|(point, reading)| Some((point, (*reading)?)));
        let read: HashMap<&SelectedPoint, PointReading, RandomState> = read.collect();
        PointValues(new.points().iter().map(|point| read.get(point).copied()).collect())
    }

    /// The readings, in the order of the roster.
    pub fn iter(&self) -> impl Iterator<Item = Option<PointReading>> {
        self.0.iter().copied()
    }
}
