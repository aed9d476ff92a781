//! What is counted about operations, defects and findings.
//!
//! One thread counts, in plain memory: no atomics, no locks, and in the steady state no allocation. About
//! once a second the figures are copied into a snapshot for whoever asks (see [`super::snapshot`]).

use std::sync::Arc;

use foldhash::quality::RandomState;
use hashbrown::HashMap;
use parsers::{Action, Defect, DefectKind, Exchange, Function, Operation, Outcome, Protocol, Unit};

use super::catalogue::{CATALOGUE, FindingKind, Severity};
use super::finding::Finding;
use super::record::{Judgement, StationChange, StationState};
use super::series::{SERIES_PER_FAMILY, SeriesTable, UNPROFILED};

/// Functions whose place in the table of operations is remembered; wire-chosen codes could otherwise
/// fill memory.
const FUNCTIONS_KEPT: usize = 65_536;

/// Upper bounds of the latency histogram in nanoseconds.
pub const LATENCY_BOUNDS_NS: [u64; 12] = [
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    25_000_000,
    50_000_000,
    100_000_000,
    250_000_000,
    500_000_000,
    1_000_000_000,
    2_500_000_000,
    10_000_000_000,
];

/// Counts by size, with the sum of the sizes.
#[derive(Debug, Copy, Clone, Default, Eq, PartialEq)]
pub struct Latency {
    /// Answers no slower than the bound of the same place, and slower than the one before; the last place
    /// is for slower ones.
    pub counts: [u64; LATENCY_BOUNDS_NS.len() + 1],
    /// Sum of all latencies in nanoseconds.
    pub sum_ns: u64,
}

impl Latency {
    #[inline]
    fn add(&mut self, ns: u64) {
        let place =
            LATENCY_BOUNDS_NS.iter().position(|&bound| ns <= bound).unwrap_or(LATENCY_BOUNDS_NS.len());
        self.counts[place] += 1;
        self.sum_ns = self.sum_ns.saturating_add(ns);
    }
}

#[derive(Debug, Copy, Clone, Eq, PartialEq, Hash)]
struct FunctionKey {
    station: Option<u32>,
    protocol: Protocol,
    code: u8,
    sub: Option<u16>,
}

/// All counters.
#[derive(Debug)]
pub struct Counters {
    stations: Arc<[String]>,
    pdus: [u64; Protocol::ALL.len()],
    defects: Vec<[u64; Protocol::ALL.len()]>,
    latency: [Latency; Protocol::ALL.len()],
    pub(super) operations: SeriesTable,
    operation_places: HashMap<FunctionKey, u32, RandomState>,
    pub(super) controls: SeriesTable,
    pub(super) exceptions: SeriesTable,
    pub(super) unanswered: SeriesTable,
    /// Value: nanoseconds since 1970.
    pub(super) last_seen: SeriesTable,
    last_seen_places: HashMap<(Option<u32>, Protocol), u32, RandomState>,
    /// Stations that are silent now.
    pub(super) silent: SeriesTable,
    pub(super) polls_missed: SeriesTable,
    /// Value: nanoseconds.
    pub(super) poll_period: SeriesTable,
    /// By kind and severity.
    findings: Vec<[u64; Severity::ALL.len()]>,
    pub(super) station_findings: SeriesTable,
    folded: Vec<u64>,
    withheld: Vec<u64>,
    quirks: Vec<u64>,
    /// Class of every function code seen in a request, so that a request that was never answered can be
    /// counted under its class.
    actions: Vec<[Option<Action>; 256]>,
}

impl Counters {
    /// Counters at zero. `stations` are the names of the profile's stations, by [`Judgement::station`].
    pub fn new(stations: Arc<[String]>) -> Counters {
        let table = || SeriesTable::new(SERIES_PER_FAMILY);
        Counters {
            stations,
            pdus: Default::default(),
            defects: vec![Default::default(); DefectKind::ALL.len()],
            latency: Default::default(),
            operations: table(),
            operation_places: HashMap::default(),
            controls: table(),
            exceptions: table(),
            unanswered: table(),
            last_seen: table(),
            last_seen_places: HashMap::default(),
            silent: table(),
            polls_missed: table(),
            poll_period: table(),
            findings: vec![[0; Severity::ALL.len()]; CATALOGUE.len()],
            station_findings: table(),
            folded: vec![0; CATALOGUE.len()],
            withheld: vec![0; CATALOGUE.len()],
            quirks: vec![0; CATALOGUE.len()],
            actions: vec![[None; 256]; Protocol::ALL.len()],
        }
    }

    /// Another profile is in force: these are its stations.
    pub fn set_stations(&mut self, stations: Arc<[String]>) {
        self.stations = stations;
        self.operation_places.clear();
        self.last_seen_places.clear();
    }

    /// Back to zero; label sets keep their places, so that what exceeds a limit is the same every time the
    /// counters of all shards are added up.
    pub fn reset(&mut self) {
        self.pdus = Default::default();
        self.defects.fill(Default::default());
        self.latency = Default::default();
        self.findings.fill(Default::default());
        self.folded.fill(0);
        self.withheld.fill(0);
        self.quirks.fill(0);
        for table in self.tables() {
            table.reset();
        }
    }

    fn tables(&mut self) -> [&mut SeriesTable; 9] {
        [
            &mut self.operations,
            &mut self.controls,
            &mut self.exceptions,
            &mut self.unanswered,
            &mut self.station_findings,
            &mut self.last_seen,
            &mut self.silent,
            &mut self.polls_missed,
            &mut self.poll_period,
        ]
    }

    /// Add what another shard has counted.
    pub fn add(&mut self, other: &Counters) {
        add(&mut self.pdus, &other.pdus);
        for (mine, theirs) in self.defects.iter_mut().zip(&other.defects) {
            add(mine, theirs);
        }
        for (mine, theirs) in self.latency.iter_mut().zip(&other.latency) {
            add(&mut mine.counts, &theirs.counts);
            mine.sum_ns = mine.sum_ns.saturating_add(theirs.sum_ns);
        }
        for (mine, theirs) in self.findings.iter_mut().zip(&other.findings) {
            add(mine, theirs);
        }
        add(&mut self.folded, &other.folded);
        add(&mut self.withheld, &other.withheld);
        add(&mut self.quirks, &other.quirks);
        self.operations.add_all(&other.operations);
        self.controls.add_all(&other.controls);
        self.exceptions.add_all(&other.exceptions);
        self.unanswered.add_all(&other.unanswered);
        self.station_findings.add_all(&other.station_findings);
        self.silent.add_all(&other.silent);
        self.polls_missed.add_all(&other.polls_missed);
        self.last_seen.combine(&other.last_seen, u64::max);
        // The fastest of several masters; 0 is none yet.
        self.poll_period.combine(&other.poll_period, |mine, theirs| match mine {
            0 => theirs,
            _ => mine.min(theirs),
        });
    }

    /// Count a PDU.
    #[inline]
    pub fn unit(&mut self, unit: &Unit<'_>) {
        self.pdus[unit.protocol as usize] += 1;
    }

    /// Count an operation.
    pub fn operation(&mut self, operation: &Operation<'_>, judgement: &Judgement<'_>) {
        let protocol = operation.protocol;
        if operation.exchange == Exchange::Request {
            self.actions[protocol as usize][usize::from(operation.function.code)] = Some(operation.action);
        }
        let answers = operation.answers.is_some() && operation.exchange == Exchange::Response;
        if !answers {
            let place = self.operation_place(operation, judgement);
            *self.operations.at(place) += 1;
        }
        if let Some(ns) = operation.latency_ns() {
            self.latency[protocol as usize].add(ns);
        }
        if !operation.from_master {
            let place = self.last_seen_place(protocol, judgement);
            let last = self.last_seen.at(place);
            *last = (*last).max(operation.origin.at.0);
        }
        if operation.action.is_plain_read() && !matches!(operation.outcome, Outcome::Refused { .. }) {
            return;
        }
        self.outcome(operation, judgement);
    }

    fn outcome(&mut self, operation: &Operation<'_>, judgement: &Judgement<'_>) {
        let station = station_name(&self.stations, judgement);
        let protocol = operation.protocol.name();
        if let Outcome::Refused { name, .. } = operation.outcome {
            self.exceptions.add_to(&[station, protocol, name], 1);
        }
        let outcome = match operation.outcome {
            Outcome::Success => "confirmed",
            Outcome::Refused { .. } => "rejected",
            Outcome::None if operation.exchange == Exchange::Request && !operation.wants_answer => {
                "none_expected"
            }
            Outcome::None => return,
        };
        if is_command(operation.action) {
            self.controls.add_to(&[station, protocol, operation.action.name(), outcome], 1);
        }
    }

    fn operation_place(&mut self, operation: &Operation<'_>, judgement: &Judgement<'_>) -> u32 {
        let Function { code, sub, name } = operation.function;
        let key = FunctionKey { station: judgement.station, protocol: operation.protocol, code, sub };
        let kept = has_key(judgement);
        if kept && let Some(&place) = self.operation_places.get(&key) {
            return place;
        }
        let labels = [station_name(&self.stations, judgement), operation.protocol.name(), name];
        match self.operations.place(&labels) {
            Some(place) => {
                if kept && self.operation_places.len() < FUNCTIONS_KEPT {
                    self.operation_places.insert(key, place);
                }
                place
            }
            None => self.operations.overflow(&labels),
        }
    }

    fn last_seen_place(&mut self, protocol: Protocol, judgement: &Judgement<'_>) -> u32 {
        let key = (judgement.station, protocol);
        let kept = has_key(judgement);
        if kept && let Some(&place) = self.last_seen_places.get(&key) {
            return place;
        }
        let labels = [station_name(&self.stations, judgement), protocol.name()];
        match self.last_seen.place(&labels) {
            Some(place) => {
                if kept {
                    self.last_seen_places.insert(key, place);
                }
                place
            }
            None => self.last_seen.overflow(&labels),
        }
    }

    /// Count a defect. `station` is the station's name in the profile, if it has one.
    pub fn defect(&mut self, defect: &Defect<'_>, station: Option<&str>) {
        self.defects[defect.kind as usize][defect.protocol as usize] += 1;
        if defect.kind != DefectKind::UnansweredRequest {
            return;
        }
        let station = station.unwrap_or(UNPROFILED);
        let protocol = defect.protocol.name();
        self.unanswered.add_to(&[station, protocol], 1);
        let action = defect
            .function
            .and_then(|function| self.actions[defect.protocol as usize][usize::from(function.code)]);
        if let Some(action) = action.filter(|action| is_command(*action)) {
            self.controls.add_to(&[station, protocol, action.name(), "unanswered"], 1);
        }
    }

    /// A station's polling changed.
    pub fn station_state(&mut self, state: &StationState<'_>) {
        let labels = [state.station_name.unwrap_or(UNPROFILED), state.protocol.name()];
        match state.change {
            StationChange::Silent => self.silent.add_to(&labels, 1),
            StationChange::AnswersAgain => {
                let place = self.silent.place(&labels);
                let place = place.unwrap_or_else(|| self.silent.overflow(&labels));
                let silent = self.silent.at(place);
                *silent = silent.saturating_sub(1);
            }
            StationChange::Missed(count) => self.polls_missed.add_to(&labels, count),
            // Stations without a name have no period in common.
            StationChange::Period(ns) if state.station_name.is_some() => {
                if let Some(place) = self.poll_period.place(&labels) {
                    *self.poll_period.at(place) = ns;
                }
                self.silent.add_to(&labels, 0);
                self.polls_missed.add_to(&labels, 0);
            }
            StationChange::Period(_) | StationChange::NotPolled | StationChange::PolledAgain => {}
        }
    }

    /// Count a finding, first or repeat.
    pub fn finding(&mut self, finding: &Finding<'_>) {
        self.findings[finding.kind.index()][finding.severity() as usize] += 1;
        let station = finding.station_name.unwrap_or(UNPROFILED);
        self.station_findings.add_to(&[station, finding.kind.name()], 1);
    }

    /// Count a finding that was folded into an earlier one.
    pub fn folded(&mut self, kind: FindingKind) {
        self.folded[kind.index()] += 1;
    }

    /// Count a finding that was withheld because not everything was seen.
    pub fn withheld(&mut self, kind: FindingKind) {
        self.withheld[kind.index()] += 1;
    }

    /// Count a finding that is a known deviation of its station.
    pub fn quirk(&mut self, kind: FindingKind) {
        self.quirks[kind.index()] += 1;
    }

    /// PDUs of a protocol.
    pub fn pdus(&self, protocol: Protocol) -> u64 {
        self.pdus[protocol as usize]
    }

    /// Defects of a kind in a protocol.
    pub fn defects(&self, protocol: Protocol, kind: DefectKind) -> u64 {
        self.defects[kind as usize][protocol as usize]
    }

    /// Latencies of a protocol.
    pub fn latency(&self, protocol: Protocol) -> &Latency {
        &self.latency[protocol as usize]
    }

    /// Findings of a kind, repeats included.
    pub fn findings_of(&self, kind: FindingKind) -> u64 {
        self.findings[kind.index()].iter().sum()
    }

    /// Findings of a kind that were raised with this severity, repeats included.
    pub fn findings_at(&self, kind: FindingKind, severity: Severity) -> u64 {
        self.findings[kind.index()][severity as usize]
    }

    /// Findings of a kind that were folded.
    pub fn folded_of(&self, kind: FindingKind) -> u64 {
        self.folded[kind.index()]
    }

    /// Findings of a kind that were known deviations of their stations.
    pub fn quirks_of(&self, kind: FindingKind) -> u64 {
        self.quirks[kind.index()]
    }

    /// Findings of a kind that were withheld.
    pub fn withheld_of(&self, kind: FindingKind) -> u64 {
        self.withheld[kind.index()]
    }
}

fn add(mine: &mut [u64], theirs: &[u64]) {
    for (mine, theirs) in mine.iter_mut().zip(theirs) {
        *mine += theirs;
    }
}

/// Whether an action is a command: something changes when it is obeyed.
fn is_command(action: Action) -> bool {
    super::event_operation::event_name(action) == "control"
}

/// Whether the station's number says who it is. A name without a number must be looked up by the name.
fn has_key(judgement: &Judgement<'_>) -> bool {
    judgement.station.is_some() || judgement.station_name.is_none()
}

fn station_name<'a>(stations: &'a [String], judgement: &Judgement<'a>) -> &'a str {
    let by_index = judgement.station.and_then(|place| stations.get(place as usize));
    by_index.map(String::as_str).or(judgement.station_name).unwrap_or(UNPROFILED)
}
