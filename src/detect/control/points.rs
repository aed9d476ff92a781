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

    /// Where the entries of points from `first` on begin that show states.
    pub(super) fn states_from(&self, kind: PointKind, first: u32) -> usize {
        self.by_state.partition_point(|e| (e.0, e.1) < (kind, first))
    }

    /// An entry of a point that shows a state: kind, address, and the row of the point whose state it is.
    pub(super) fn state(&self, place: usize) -> Option<(PointKind, u32, Row)> {
        self.by_state.get(place).copied()
    }

    /// Whether states of these points matter.
    pub(super) fn wants(&self, kind: PointKind, first: u32, last: u32) -> bool {
        let shows = |e: (PointKind, u32, Row)| e.0 == kind && e.1 <= last;
        (is_output(kind) && first < OUTPUTS) || self.state(self.states_from(kind, first)).is_some_and(shows)
    }

    /// Note the states of outputs with consecutive addresses.
    pub(super) fn note_outputs(&mut self, kind: PointKind, first: u32, octets: &[u8], count: usize) {
        self.outputs.set_run(kind, first, octets, count);
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

fn is_output(kind: PointKind) -> bool {
    matches!(kind, PointKind::Coil | PointKind::BinaryOutput)
}

/// The states of the first outputs of a station, two bits each.
#[derive(Debug, Default)]
struct Outputs {
    known: [u64; OUTPUTS as usize / 64],
    on: [u64; OUTPUTS as usize / 64],
}

impl Outputs {
    fn place(kind: PointKind, address: u32) -> Option<(usize, u64)> {
        (is_output(kind) && address < OUTPUTS).then_some((address as usize / 64, 1 << (address % 64)))
    }

    fn get(&self, kind: PointKind, address: u32) -> Option<Level> {
        let (word, bit) = Outputs::place(kind, address)?;
        if self.known.get(word)? & bit == 0 {
            return None;
        }
        Some(if self.on.get(word)? & bit == 0 { Level::Off } else { Level::On })
    }

    /// Eight at a time.
    fn set_run(&mut self, kind: PointKind, first: u32, octets: &[u8], count: usize) {
        if !is_output(kind) {
            return;
        }
        for (n, octet) in octets.iter().enumerate() {
            let left = count.saturating_sub(8 * n).min(8);
            let Some(address) = first.checked_add(8 * n as u32).filter(|a| left > 0 && *a < OUTPUTS) else {
                return;
            };
            let mask = (1_u128 << left) - 1;
            let shift = address % 64;
            let (mask, on) = (mask << shift, (u128::from(*octet) & mask) << shift);
            for half in 0..2_usize {
                let word = address as usize / 64 + half;
                let (mask, on) = ((mask >> (64 * half)) as u64, (on >> (64 * half)) as u64);
                if let (Some(known), Some(states)) = (self.known.get_mut(word), self.on.get_mut(word)) {
                    *known |= mask;
                    *states = *states & !mask | on;
                }
            }
        }
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
        let shown_by = |kind, address| {
            let entry = table.state(table.states_from(kind, address));
            entry.filter(|e| (e.0, e.1) == (kind, address)).map(|e| e.2)
        };
        assert_eq!(shown_by(PointKind::DiscreteInput, 7), Some(1));
        assert_eq!(shown_by(COIL, 9), Some(0));
        assert_eq!(shown_by(COIL, 3), None, "its state is seen elsewhere");
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

    #[test]
    fn a_run_of_outputs_is_noted_as_one_by_one() {
        let octets = [0xA5, 0x0F, 0xFF, 0x33, 0x5A, 0x01, 0x80, 0xC3, 0x3C];
        for first in [0, 1, 7, 8, 60, 63, 64, 190, 250, 255, 256, 300, u32::MAX - 3] {
            for count in [0, 1, 7, 8, 9, 31, 64, 70, 72] {
                let (mut one, mut run) = (Outputs::default(), Outputs::default());
                for n in 0..count {
                    let level = if octets[n / 8] >> (n % 8) & 1 == 1 { Level::On } else { Level::Off };
                    one.set(COIL, first.saturating_add(n as u32), level);
                }
                run.set_run(COIL, first, &octets, count);
                assert_eq!((one.known, one.on), (run.known, run.on), "{count} from {first}");
            }
        }
    }
}
