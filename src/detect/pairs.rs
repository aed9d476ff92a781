//! The profile's answer to "who commands whom", kept with the flow.
//!
//! A flow has one or few stations behind it, so a handful of entries spares nearly every look-up.

use parsers::{Direction, Operation, StationAddress};
use profiles::{Compiled, Pair};

/// Stations of one flow whose pair is kept. More take turns.
const KEPT: usize = 4;

/// Pairs looked up for a flow.
#[derive(Debug, Clone, Copy, Default)]
pub struct Pairs {
    entries: [Option<(Direction, StationAddress, Pair)>; KEPT],
    next: u8,
}

impl Pairs {
    /// The pair of an operation's master and station.
    #[inline]
    pub fn of(&mut self, profile: &Compiled, operation: &Operation<'_>) -> Pair {
        let commands =
            if operation.from_master { operation.direction } else { operation.direction.reverse() };
        for (direction, station, pair) in self.entries.iter().flatten() {
            if *station == operation.station && *direction == commands {
                return *pair;
            }
        }
        let pair = profile.pair(
            operation.master_endpoint(),
            operation.station_endpoint(),
            operation.protocol,
            operation.station,
        );
        self.entries[usize::from(self.next) % KEPT] = Some((commands, operation.station, pair));
        self.next = (self.next + 1) % KEPT as u8;
        pair
    }
}
