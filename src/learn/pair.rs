//! What was seen of a pair: a client, a station, and what the one asked of the other.

use std::collections::BTreeMap;

use parsers::{
    Action, DefectKind, FieldSizes, Host, PointKind, PointRange, Protocol, StationAddress, Timestamp,
};

use super::clock::{BySlice, Clock, Seen};
use super::collect::Room;
use super::intervals::{Intervals, Period};
use super::limits::{FUNCTIONS_OF_PAIR, RANGES, RANGES_OF_FUNCTION, READ, READ_OF_PAIR};
use super::values::Reading;
use super::written::{Written, usual_high};

/// Requests without an answer from which on a station is silent.
const SILENT_REQUESTS: u32 = 3;

/// Slices of the capture with silences from which on they are ordinary.
const SILENCES: usize = 3;

/// Who commands whom.
#[derive(Debug, Clone, Copy, Eq, PartialEq, Ord, PartialOrd, Hash)]
pub struct PairKey {
    /// The commanding host.
    pub client: Host,
    /// The station's host.
    pub server: Host,
    /// The port it listens on; 0 where it opened the connection itself.
    pub port: u16,
    /// The protocol.
    pub protocol: Protocol,
    /// The station's address in it.
    pub station: StationAddress,
}

/// A function as it was used: DNP3 `write` sets clocks, indications or points.
#[derive(Debug, Clone, Copy, Eq, PartialEq, Ord, PartialOrd)]
pub struct FunctionKey {
    /// Its class.
    pub action: Action,
    /// Its code.
    pub code: u8,
    /// Its sub-function.
    pub sub: Option<u16>,
    /// Asked of all stations at once.
    pub broadcast: bool,
}

/// Kind and address of a written point, and by which function where that says how the value stands there: the set-point
/// and the double command with one address in IEC 104 have no limits in common.
pub(super) type WrittenKey = (PointKind, u32, u8);

/// The key of what a function writes.
pub(super) fn written_key(kind: PointKind, address: u32, code: u8) -> WrittenKey {
    (kind, address, if kind == PointKind::InformationObject { code } else { 0 })
}

/// Kind of point, first and last address.
pub(super) type RangeKey = (PointKind, u32, u32);

/// How requests were answered.
#[derive(Debug, Clone, Default)]
pub(super) struct Answers {
    /// Accepted.
    pub accepted: u64,
    /// Refused.
    pub refused: u64,
}

/// A pair of client and station.
#[derive(Debug, Clone, Default)]
pub(super) struct Pair {
    /// Requests.
    pub requests: Seen,
    /// Their answers.
    pub answers: Answers,
    /// Requests that ask for no answer.
    pub unasked: u64,
    /// Reports nobody asked for.
    pub reports: Seen,
    /// Confirmations and link traffic of the client.
    pub upkeep: Seen,
    /// The tap saw only one direction.
    pub one_way: bool,
    /// On a port where nobody expects the protocol.
    pub unexpected_port: bool,
    /// The sizes of fields by which it was read last.
    pub sizes: Option<FieldSizes>,
    /// The master's own address.
    pub master: Option<u32>,
    /// What was asked.
    pub functions: BTreeMap<FunctionKey, Asked>,
    /// Trouble with what the client sent or left out, by kind.
    pub defects: BTreeMap<DefectKind, Seen>,
    /// Written points.
    pub(super) written: BTreeMap<WrittenKey, Box<Written>>,
    /// Read points.
    pub(super) readings: BTreeMap<(PointKind, u32), Box<Reading>>,
    /// Requests since the last answer, when that was, and how long it took when several were not answered.
    waiting: u32,
    answered: Option<Timestamp>,
    silences: BySlice<u64>,
    /// The request that an answer with ranges of its own answers.
    last: Option<(Timestamp, FunctionKey, Vec<RangeKey>)>,
}

/// Use of a function.
#[derive(Debug, Clone, Default)]
pub(super) struct Asked {
    /// The standard's name.
    pub name: &'static str,
    /// Requests.
    pub seen: Seen,
    /// Their answers.
    pub answers: Answers,
    /// How it was refused last.
    pub refusal: Option<&'static str>,
    /// By ranges of points.
    pub ranges: BTreeMap<RangeKey, Range>,
    /// Requests with more ranges than are listed.
    pub more: u64,
    /// Ranges that could not be remembered.
    pub lost: u64,
}

/// Use of a range of points by a function.
#[derive(Debug, Clone, Default)]
pub(super) struct Range {
    /// Requests.
    pub seen: Seen,
    /// Their answers.
    pub answers: Answers,
    /// Lowest and highest value answered.
    pub values: Option<(f64, f64)>,
    intervals: Intervals,
}

/// How many entries there are in all pairs together.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Used {
    pub(super) ranges: usize,
    pub(super) written: usize,
    pub(super) read: usize,
}

impl Range {
    /// How often it is asked for, if regularly.
    pub(super) fn period(&self) -> Option<Period> {
        self.intervals.period()
    }

    /// The range.
    pub(super) fn of(key: RangeKey) -> PointRange {
        PointRange::new(key.0, key.1, key.2)
    }

    fn note(&mut self, at: Timestamp, clock: &mut Clock) {
        if self.seen.count > 0 {
            self.intervals.add(at.since(self.seen.last));
        }
        self.seen.note(at, clock);
    }
}

impl Pair {
    /// A request was seen.
    pub(super) fn request(
        &mut self,
        at: Timestamp,
        key: FunctionKey,
        name: &'static str,
        (ranges, more): (&[PointRange], bool),
        room: &mut Room,
    ) {
        let Room { clock, used, overflow } = room;
        self.requests.note(at, clock);
        self.waiting = self.waiting.saturating_add(1);
        if !self.functions.contains_key(&key) && self.functions.len() >= FUNCTIONS_OF_PAIR {
            overflow.functions += 1;
            return;
        }
        let asked = self.functions.entry(key).or_default();
        asked.name = name;
        asked.seen.note(at, clock);
        asked.more += u64::from(more);
        let last = self.last.get_or_insert_with(|| (at, key, Vec::new()));
        (last.0, last.1) = (at, key);
        last.2.clear();
        for range in ranges {
            let range = (range.kind(), range.first(), range.last());
            if !asked.ranges.contains_key(&range) {
                if asked.ranges.len() >= RANGES_OF_FUNCTION || used.ranges >= RANGES {
                    overflow.ranges += 1;
                    asked.lost += 1;
                    continue;
                }
                used.ranges += 1;
            }
            asked.ranges.entry(range).or_default().note(at, clock);
            last.2.push(range);
        }
    }

    /// Something came from the station.
    pub(super) fn alive(&mut self, at: Timestamp, clock: &mut Clock) {
        if self.waiting > SILENT_REQUESTS
            && let Some(before) = self.answered
        {
            let quiet = at.since(before);
            let slot = self.silences.at(at, clock, u64::max);
            *slot = Some(slot.map_or(quiet, |longest| longest.max(quiet)));
        }
        self.waiting = 0;
        self.answered = Some(at);
    }

    /// How long the station usually falls silent at most, if it does so again and again, in nanoseconds.
    pub(super) fn silence_ns(&self) -> Option<u64> {
        let silences: Vec<f64> = self.silences.values().map(|ns| ns as f64).collect();
        (silences.len() >= SILENCES).then(|| usual_high(&silences, 0) as u64)
    }

    /// An answer was seen to a request of `code` at `asked_at`.
    pub(super) fn answer(
        &mut self,
        asked_at: Timestamp,
        (code, sub): (u8, Option<u16>),
        refusal: Option<&'static str>,
        ranges: &[PointRange],
        values: &mut dyn FnMut() -> Option<(f64, f64)>,
    ) {
        self.answers.note(refusal.is_some());
        let key = match &self.last {
            Some((at, key, _)) if *at == asked_at && (key.code, key.sub) == (code, sub) => *key,
            _ => {
                let same = |key: &&FunctionKey| (key.code, key.sub) == (code, sub);
                match self.functions.keys().find(same) {
                    Some(key) => *key,
                    None => return,
                }
            }
        };
        let Some(asked) = self.functions.get_mut(&key) else { return };
        asked.answers.note(refusal.is_some());
        asked.refusal = refusal.or(asked.refusal);
        if let [one] = ranges
            && let Some(range) = asked.ranges.get_mut(&(one.kind(), one.first(), one.last()))
        {
            range.answers.note(refusal.is_some());
            if refusal.is_none() {
                range.values = join(range.values, values());
            }
            return;
        }
        let Some((at, _, own)) = &self.last else { return };
        if *at == asked_at {
            for range in own {
                if let Some(range) = asked.ranges.get_mut(range) {
                    range.answers.note(refusal.is_some());
                }
            }
        }
    }

    /// The station told the measured value of a point.
    pub(super) fn read(&mut self, at: Timestamp, point: (PointKind, u32), value: f64, used: &mut Used) {
        if let Some(reading) = self.readings.get_mut(&point) {
            reading.note(at, value);
        } else if self.readings.len() < READ_OF_PAIR && used.read < READ {
            used.read += 1;
            self.readings.insert(point, Box::new(Reading::new(at, value)));
        }
    }
}

impl Answers {
    fn note(&mut self, refused: bool) {
        if refused {
            self.refused += 1;
        } else {
            self.accepted += 1;
        }
    }

    /// Accepted and refused.
    pub(super) fn both(&self) -> u64 {
        self.accepted + self.refused
    }
}

pub(super) fn join(one: Option<(f64, f64)>, other: Option<(f64, f64)>) -> Option<(f64, f64)> {
    match (one, other) {
        (Some(a), Some(b)) => Some((a.0.min(b.0), a.1.max(b.1))),
        (one, other) => one.or(other),
    }
}
