//! The tables of label sets with stations, one a family.

use core::ops::{Index, IndexMut};

use super::metric_table::Metric;
use super::series::{SERIES_PER_FAMILY, SeriesTable};

/// A family whose labels name stations.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub(crate) enum Family {
    /// Operations by function.
    Operations,
    /// Controls by class and outcome.
    Controls,
    /// Refusals by reason.
    Exceptions,
    /// Requests without an answer.
    Unanswered,
    /// When a station last sent, in nanoseconds since 1970.
    LastSeen,
    /// Stations that are silent now.
    Silent,
    /// How often a station is polled, in nanoseconds.
    PollInterval,
    /// How often it should be, in nanoseconds.
    PollBaseline,
    /// Polls that did not come.
    PollsMissed,
    /// Findings by kind.
    Findings,
}

/// What becomes of the values of one label set in several shards.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
enum Merge {
    Sum,
    /// The latest.
    Most,
    /// The fastest of several masters; 0 is none yet.
    Least,
}

impl Family {
    /// All of them, in the order of the exposition.
    pub(crate) const ALL: [Family; 10] = [
        Family::Operations,
        Family::Controls,
        Family::Exceptions,
        Family::Unanswered,
        Family::LastSeen,
        Family::Silent,
        Family::PollInterval,
        Family::PollBaseline,
        Family::PollsMissed,
        Family::Findings,
    ];

    /// Its place in the catalogue.
    pub(crate) fn metric(self) -> Metric {
        match self {
            Family::Operations => Metric::Operations,
            Family::Controls => Metric::ControlCommands,
            Family::Exceptions => Metric::Exceptions,
            Family::Unanswered => Metric::Unanswered,
            Family::LastSeen => Metric::StationLastSeen,
            Family::Silent => Metric::StationSilent,
            Family::PollInterval => Metric::StationPollInterval,
            Family::PollBaseline => Metric::StationPollBaseline,
            Family::PollsMissed => Metric::StationPollsMissed,
            Family::Findings => Metric::StationAnomalies,
        }
    }

    fn merge(self) -> Merge {
        match self {
            Family::LastSeen => Merge::Most,
            Family::PollInterval | Family::PollBaseline => Merge::Least,
            _ => Merge::Sum,
        }
    }

    /// Whether values are nanoseconds, shown as seconds.
    pub(crate) fn is_time(self) -> bool {
        self.merge() != Merge::Sum
    }
}

/// All tables.
#[derive(Debug)]
pub(crate) struct StationTables([SeriesTable; Family::ALL.len()]);

impl Index<Family> for StationTables {
    type Output = SeriesTable;
    fn index(&self, family: Family) -> &SeriesTable {
        &self.0[family as usize]
    }
}

impl IndexMut<Family> for StationTables {
    fn index_mut(&mut self, family: Family) -> &mut SeriesTable {
        &mut self.0[family as usize]
    }
}

impl StationTables {
    /// Empty tables with the room of a shard.
    pub(crate) fn new() -> StationTables {
        StationTables(core::array::from_fn(|_| SeriesTable::new(SERIES_PER_FAMILY)))
    }

    /// The limits of the exposition: `each` family's, or those of the catalogue.
    pub(crate) fn limit(&mut self, each: Option<usize>) {
        for family in Family::ALL {
            self[family].set_limit(each.or(family.metric().info().limit).unwrap_or(SERIES_PER_FAMILY));
        }
    }

    /// All values to zero; label sets keep their places.
    pub(crate) fn reset(&mut self) {
        self.0.iter_mut().for_each(SeriesTable::reset);
    }

    /// Forget stations that are not kept.
    pub(crate) fn retain(&mut self, kept: impl Fn(&str) -> bool) {
        self.0.iter_mut().for_each(|table| table.retain(&kept));
    }

    /// Add the values of another shard.
    pub(crate) fn add(&mut self, other: &StationTables) {
        for family in Family::ALL {
            let (mine, theirs) = (&mut self[family], &other[family]);
            match family.merge() {
                Merge::Sum => mine.add_all(theirs),
                Merge::Most => mine.combine(theirs, u64::max),
                Merge::Least => mine.combine(theirs, |mine, theirs| match (mine, theirs) {
                    (0, some) | (some, 0) => some,
                    _ => mine.min(theirs),
                }),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_family_stands_at_its_own_place() {
        for (place, family) in Family::ALL.into_iter().enumerate() {
            assert_eq!(family as usize, place);
            let info = family.metric().info();
            assert_eq!(info.labels.first(), Some(&"station"), "{}", info.name);
            assert!(info.limit.is_some(), "{} needs a limit", info.name);
        }
    }
}
