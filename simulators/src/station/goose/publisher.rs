//! GOOSE publishers: IEDs that tell the state of breakers and measurements to whoever listens, and IEDs that
//! listen and trip.
//!
//! A change of state is told at once, then again after growing pauses up to the longest (IEC 61850-8-1,
//! clause 18.1).

use crate::encode::goose::{Data, Frame, Numbers, Pdu, Tag, UtcTime};
use crate::grid::{Grid, Quantity};
use crate::scenario::Publisher;

/// A publisher at work.
#[derive(Debug, Clone)]
pub(crate) struct Publishing {
    pub(crate) name: String,
    /// The frame as it goes out next.
    pub(crate) frame: Frame,
    breakers: Vec<usize>,
    lines: Vec<usize>,
    shortest: u64,
    longest: u64,
    /// Pause before the next repetition.
    pause: u64,
    /// When it goes out; events planned for another time are void.
    pub(crate) due: u64,
    /// A trip is on until then.
    trip_until: u64,
    /// Silenced until then.
    pub(crate) silent_until: u64,
    /// Frames of the past: of each state the last one.
    pub(crate) past: Vec<Vec<u8>>,
}

/// States remembered for whoever replays them.
const MOST_PAST: usize = 8;
/// How long a trip stays on.
const TRIP_NS: u64 = 120_000_000;

impl Publishing {
    pub(crate) fn new(name: &str, spec: &Publisher, grid: &Grid, now: u64) -> Publishing {
        let mut own = Publishing {
            name: name.to_owned(),
            frame: Frame {
                destination: spec.destination.0,
                source: spec.source.0,
                tags: spec.vlan.map(|id| Tag::new(id, spec.priority)).into_iter().collect(),
                appid: spec.appid,
                reserved1: 0,
                reserved2: 0,
                pdu: Pdu {
                    control_block: spec.control_block.clone(),
                    data_set: spec.data_set.clone(),
                    id: spec.id.clone(),
                    time: UtcTime::at(now),
                    state: 1,
                    sequence: 0,
                    revision: spec.revision,
                    numbers: if spec.fixed_length { Numbers::Fixed } else { Numbers::Shortest },
                    ..Pdu::default()
                },
            },
            breakers: spec.breakers.iter().filter_map(|n| grid.breaker(n)).collect(),
            lines: spec.lines.iter().filter_map(|n| grid.branch(n)).collect(),
            shortest: spec.shortest.ns().max(1_000_000),
            longest: spec.longest.ns().max(1_000_000),
            pause: spec.longest.ns(),
            due: now,
            trip_until: 0,
            silent_until: 0,
            past: Vec::new(),
        };
        // In service for a while.
        own.frame.pdu.sequence = 1;
        own.frame.pdu.data = own.data(grid, now);
        own
    }

    /// A trip, a position and its quality for each breaker; a current for each line, in steps.
    fn data(&self, grid: &Grid, now: u64) -> Vec<Data> {
        let mut out = vec![Data::Boolean(now < self.trip_until)];
        for breaker in &self.breakers {
            let closed = grid.value(Quantity::Closed(*breaker)) > 0.5;
            out.extend([Data::position(if closed { 2 } else { 1 }), Data::quality(0)]);
        }
        for line in &self.lines {
            let current = grid.value(Quantity::Current(*line));
            out.extend([Data::Float32((current / 50.0).round() as f32 * 50.0), Data::quality(0)]);
        }
        out
    }

    /// Protection trips.
    pub(crate) fn trip(&mut self, now: u64) {
        self.trip_until = now + TRIP_NS;
    }

    /// Until when a trip is on.
    pub(crate) fn trip_until(&self) -> u64 {
        self.trip_until
    }

    pub(crate) fn switches(&self, breaker: usize) -> bool {
        self.breakers.contains(&breaker)
    }

    /// Look at the process: whether a new state begins.
    pub(crate) fn observe(&mut self, grid: &Grid, now: u64) -> bool {
        let data = self.data(grid, now);
        if data == self.frame.pdu.data {
            return false;
        }
        let pdu = &mut self.frame.pdu;
        pdu.data = data;
        pdu.state = pdu.state.checked_add(1).unwrap_or(1);
        pdu.sequence = 0;
        pdu.time = UtcTime::at(now);
        self.pause = self.shortest;
        self.due = now;
        true
    }

    /// The frame that is due, and plan the next: pauses double up to the longest.
    pub(crate) fn next_frame(&mut self, now: u64) -> Vec<u8> {
        let pause = self.pause;
        // Twice the pause to come, as subscribers expect.
        self.frame.pdu.time_allowed_to_live = (2 * pause / 1_000_000).max(10) as u32;
        let bytes = self.frame.encode();
        if self.frame.pdu.sequence == 0 {
            if self.past.len() == MOST_PAST {
                self.past.remove(0);
            }
            self.past.push(bytes.clone());
        }
        self.frame.pdu.sequence = self.frame.pdu.sequence.checked_add(1).unwrap_or(1);
        self.due = now + pause;
        self.pause = (2 * pause).min(self.longest);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encode::goose::parse;
    use crate::grid::Control;
    use crate::scenario::Scenario;

    const MS: u64 = 1_000_000;

    #[test]
    fn a_change_is_told_at_once_then_after_pauses_that_double_up_to_the_longest() {
        let text = "[site]\nname = \"t\"\nstart = \"2026-06-15T00:00:00Z\"\n[buses]\nA = { kv = 110 }\nB = { kv = 110 }\n\
            [lines]\nL = { from = \"A\", to = \"B\" }\n[breakers]\nQ = { in = \"L\" }\n\
            [loads]\nX = { bus = \"B\", mw = 10 }\n[generators]\nG = { bus = \"A\", kind = \"grid\" }\n\
            [publishers.P]\nsource = \"02:00:00:00:00:01\"\ndestination = \"01:0c:cd:01:00:01\"\nappid = 1\n\
            control_block = \"C\"\ndata_set = \"D\"\nbreakers = [\"Q\"]\nlongest = \"50 ms\"\n";
        let scenario = Scenario::parse(text, "t").expect("a scenario");
        let mut grid = Grid::new(&scenario, 1);
        let mut own = Publishing::new("P", &scenario.publishers["P"], &grid, 0);
        let heard = |own: &mut Publishing, at: u64| {
            let frame = parse(&own.next_frame(at)).expect("a frame");
            (frame.state, frame.sequence, frame.time_allowed_to_live, (own.due - at) / MS)
        };
        assert_eq!(heard(&mut own, 0), (1, 1, 100, 50));
        assert!(!own.observe(&grid, MS), "nothing has changed");
        assert!(grid.apply(Control::Breaker(0, false)));
        assert!(own.observe(&grid, 10 * MS));
        let rhythm: Vec<_> = (0..6)
            .map(|_| {
                let due = own.due;
                heard(&mut own, due)
            })
            .collect();
        assert_eq!(
            rhythm,
            [(2, 0, 10, 4), (2, 1, 16, 8), (2, 2, 32, 16), (2, 3, 64, 32), (2, 4, 100, 50), (2, 5, 100, 50)]
        );
        // A trip comes and goes: two more states.
        own.trip(200 * MS);
        assert!(own.observe(&grid, 200 * MS) && own.observe(&grid, own.trip_until()));
        assert_eq!(own.frame.pdu.state, 4);
    }
}
