//! Points that a pair commands, and what they are seen to do.

use parsers::{Operation, Point, PointKind, Protocol, Timestamp};

use super::rhythm::Rhythm;
use crate::report::control::{Level, Order};

/// Commanded points remembered of a pair that the profile names. Beyond: followed without memory, counted.
pub const POINTS: usize = 256;
/// The same, of other pairs: anybody can make those.
pub const POINTS_UNPROFILED: usize = 64;
/// Outputs by index of which the state is known before they are first commanded.
const OUTPUTS: u32 = 256;

/// The last command to a point.
#[derive(Debug, Copy, Clone)]
pub(super) struct LastOrder {
    pub(super) order: Order,
    pub(super) at: Timestamp,
    /// The station refused it.
    pub(super) refused: bool,
}

/// A point that was commanded.
#[derive(Debug)]
pub(super) struct Tracked {
    pub(super) kind: PointKind,
    pub(super) address: u32,
    /// State last seen, and when.
    pub(super) seen: Option<(Level, Timestamp)>,
    /// How often its state was seen, up to 255.
    pub(super) readings: u8,
    /// How often it was seen to move as commanded, up to 255.
    pub(super) follows: u8,
    /// Operated after a select that was accepted.
    pub(super) selected: bool,
    pub(super) first: Timestamp,
    pub(super) last: Option<LastOrder>,
    pub(super) rhythm: Rhythm,
}

/// Where a point stands in the table.
pub(super) type Row = u16;

/// All of them, with two ways in: by the point, and by the point that shows its state.
#[derive(Debug, Default)]
pub(super) struct PointTable {
    rows: Vec<Tracked>,
    by_point: Vec<(PointKind, u32, Row)>,
    by_state: Vec<(PointKind, u32, Row)>,
    outputs: Outputs,
}

impl PointTable {
    /// The row of a point, made if there is room.
    pub(super) fn admit(
        &mut self,
        (kind, address): (PointKind, u32),
        state: Option<(PointKind, u32)>,
        limit: usize,
        now: Timestamp,
    ) -> Option<Row> {
        let place = match self.by_point.binary_search_by_key(&(kind, address), |e| (e.0, e.1)) {
            Ok(place) => return self.by_point.get(place).map(|entry| entry.2),
            Err(place) => place,
        };
        if self.rows.len() >= limit {
            return None;
        }
        let row = self.rows.len() as Row;
        let known = if state.is_none() { self.outputs.get(kind, address) } else { None };
        self.rows.push(Tracked {
            kind,
            address,
            seen: known.map(|level| (level, now)),
            readings: u8::from(known.is_some()),
            follows: 0,
            selected: false,
            first: now,
            last: None,
            rhythm: Rhythm::default(),
        });
        self.by_point.insert(place, (kind, address, row));
        let (kind, address) = state.unwrap_or((kind, address));
        let place = self.by_state.partition_point(|e| (e.0, e.1) < (kind, address));
        self.by_state.insert(place, (kind, address, row));
        Some(row)
    }

    /// Where the states of the points are seen, anew.
    pub(super) fn learn_states(&mut self, state: impl Fn(PointKind, u32) -> Option<(PointKind, u32)>) {
        for entry in &mut self.by_state {
            let Some(row) = self.rows.get(usize::from(entry.2)) else { continue };
            (entry.0, entry.1) = state(row.kind, row.address).unwrap_or((row.kind, row.address));
        }
        self.by_state.sort_unstable();
    }

    /// The row of a point, if it was commanded.
    pub(super) fn get(&mut self, row: Row) -> Option<&mut Tracked> {
        self.rows.get_mut(usize::from(row))
    }

    /// Whether an answer may show the state of a commanded point.
    pub(super) fn concerns(&self, operation: &Operation<'_>) -> bool {
        if operation.more_ranges {
            return !self.by_state.is_empty();
        }
        operation.ranges.iter().any(|range| {
            let from = (range.kind(), range.first());
            let place = self.by_state.partition_point(|e| (e.0, e.1) < from);
            self.by_state.get(place).is_some_and(|e| e.0 == range.kind() && e.1 <= range.last())
        })
    }

    /// The points whose state this one shows.
    pub(super) fn shown_by(&self, kind: PointKind, address: u32) -> impl Iterator<Item = Row> + '_ {
        let place = self.by_state.partition_point(|e| (e.0, e.1) < (kind, address));
        let behind = self.by_state.get(place..).unwrap_or_default();
        behind.iter().take_while(move |e| (e.0, e.1) == (kind, address)).map(|e| e.2)
    }

    /// Note the state of an output.
    pub(super) fn note_output(&mut self, kind: PointKind, address: u32, level: Level) {
        self.outputs.set(kind, address, level);
    }
}

/// The state in a point of a report. What is commanded is no state, nor is what the station itself does not
/// trust (offline, communication lost).
pub(super) fn reading(point: &Point<'_>) -> Option<(PointKind, u32, Level)> {
    if point.ordered || point.flags.is_some_and(|flags| !point.kind.vouches(flags)) {
        return None;
    }
    Some((point.kind, point.address?, Level::of(&point.value)?))
}

/// Whether a report shows outputs whose state is kept. Long runs of coils are left out: they cost time, and
/// what is commanded among them is followed from its first command on.
pub(super) fn holds_outputs(operation: &Operation<'_>) -> bool {
    const LONGEST: u32 = 256;
    let Some(kind) = output_kind(operation.protocol) else { return false };
    operation.ranges.iter().any(|range| {
        range.kind() == kind && range.first() < OUTPUTS && range.last() - range.first() < LONGEST
    })
}

/// Points that are outputs by their kind alone; an information object may be anything.
fn output_kind(protocol: Protocol) -> Option<PointKind> {
    match protocol {
        Protocol::Modbus => Some(PointKind::Coil),
        Protocol::Dnp3 => Some(PointKind::BinaryOutput),
        Protocol::Iec104 | Protocol::Goose => None,
    }
}

/// The states of the first outputs of a station, two bits each.
#[derive(Debug, Default)]
struct Outputs {
    known: [u64; OUTPUTS as usize / 64],
    on: [u64; OUTPUTS as usize / 64],
}

impl Outputs {
    fn place(kind: PointKind, address: u32) -> Option<(usize, u64)> {
        let output = matches!(kind, PointKind::Coil | PointKind::BinaryOutput);
        (output && address < OUTPUTS).then_some((address as usize / 64, 1 << (address % 64)))
    }

    fn get(&self, kind: PointKind, address: u32) -> Option<Level> {
        let (word, bit) = Outputs::place(kind, address)?;
        if self.known.get(word)? & bit == 0 {
            return None;
        }
        Some(if self.on.get(word)? & bit == 0 { Level::Off } else { Level::On })
    }

    fn set(&mut self, kind: PointKind, address: u32, level: Level) {
        let Some((word, bit)) = Outputs::place(kind, address) else { return };
        let (Some(known), Some(on)) = (self.known.get_mut(word), self.on.get_mut(word)) else { return };
        *known |= bit;
        match level {
            Level::On => *on |= bit,
            Level::Off => *on &= !bit,
            Level::Between | Level::Number(_) => *known &= !bit,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const COIL: PointKind = PointKind::Coil;

    #[test]
    fn a_point_is_found_again_and_a_full_table_takes_no_more() {
        let mut table = PointTable::default();
        let at = Timestamp(1);
        assert_eq!(table.admit((COIL, 9), None, 2, at), Some(0));
        assert_eq!(table.admit((COIL, 3), Some((PointKind::DiscreteInput, 7)), 2, at), Some(1));
        assert_eq!(table.admit((COIL, 4), None, 2, at), None);
        assert_eq!(table.admit((COIL, 9), None, 2, at), Some(0), "what is known needs no room");
        assert_eq!(table.shown_by(PointKind::DiscreteInput, 7).collect::<Vec<_>>(), [1]);
        assert_eq!(table.shown_by(COIL, 9).collect::<Vec<_>>(), [0]);
        assert_eq!(table.shown_by(COIL, 3).count(), 0, "its state is seen elsewhere");
    }

    #[test]
    fn the_state_of_an_output_is_known_before_its_first_command() {
        let mut table = PointTable::default();
        table.note_output(COIL, 200, Level::On);
        table.note_output(COIL, 300, Level::On);
        let row = table.admit((COIL, 200), None, 8, Timestamp(5)).unwrap();
        assert_eq!(table.get(row).unwrap().seen, Some((Level::On, Timestamp(5))));
        let row = table.admit((COIL, 300), None, 8, Timestamp(5)).unwrap();
        assert_eq!(table.get(row).unwrap().seen, None, "beyond what is kept");
    }
}
