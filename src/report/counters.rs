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
use super::point_values::{PointReading, PointValues};
use super::record::{Judgement, StationChange, StationState};
use super::roster::Roster;
use super::series::{LabelSet, SERIES_PER_FAMILY, SeriesTable, UNPROFILED};
use super::station_tables::{Family, StationTables};

/// Functions whose place in the table of operations is remembered; wire-chosen codes could otherwise
/// fill memory.
const FUNCTIONS_KEPT: usize = 65_536;

/// Label sets of [`Metric::StationAnomalies`](super::metric_table::Metric::StationAnomalies) that are there
/// from the start, the worst kinds first: as many kinds for every station as fit.
pub const FINDINGS_BEGUN: usize = 1_000;

/// Outcomes of commands that were seen, as labels.
const CONTROL_OUTCOMES: [&str; 3] = ["confirmed", "rejected", "none_expected"];

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

/// A station, a protocol and a function (none for the station as such) as one number.
fn key_of(station: Option<u32>, protocol: Protocol, function: Option<Function>) -> u64 {
    let sub = function.and_then(|f| f.sub).map_or(0, |sub| u64::from(sub) + 1);
    let code = function.map_or(0, |f| u64::from(f.code));
    let station = station.map_or(0, |station| u64::from(station) + 1);
    station << 28 | (protocol as u64) << 25 | code << 17 | sub
}

/// Places in a table, by [`key_of`]; those asked for last cost one comparison.
#[derive(Debug)]
struct Places {
    all: HashMap<u64, u32, RandomState>,
    recent: [(u64, u32); PLACES_RECENT],
    limit: usize,
}

/// Places at hand without a look into the table; a power of two.
const PLACES_RECENT: usize = 64;
/// No key.
const NO_KEY: u64 = u64::MAX;

impl Places {
    fn new(limit: usize) -> Places {
        Places { all: HashMap::default(), recent: [(NO_KEY, 0); PLACES_RECENT], limit }
    }

    #[inline]
    fn get(&mut self, key: u64) -> Option<u32> {
        let hash = key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 58;
        let recent = &mut self.recent[hash as usize % PLACES_RECENT];
        if recent.0 != key {
            *recent = (key, *self.all.get(&key)?);
        }
        Some(recent.1)
    }

    /// The place of a label set that is not at hand, remembered by its key if it has one of its own.
    #[cold]
    fn settle(&mut self, key: Option<u64>, table: &mut SeriesTable, labels: &[&str]) -> u32 {
        let Some(place) = table.place(labels) else { return table.overflow(labels) };
        if let Some(key) = key.filter(|_| self.all.len() < self.limit) {
            self.all.insert(key, place);
        }
        place
    }

    fn clear(&mut self) {
        self.all.clear();
        self.recent = [(NO_KEY, 0); PLACES_RECENT];
    }
}

/// All counters.
#[derive(Debug)]
pub struct Counters {
    roster: Arc<Roster>,
    pdus: [u64; Protocol::ALL.len()],
    defects: Vec<[u64; Protocol::ALL.len()]>,
    latency: [Latency; Protocol::ALL.len()],
    pub(super) tables: StationTables,
    operation_places: Places,
    last_seen_places: Places,
    control_places: Places,
    finding_places: Places,
    points: PointValues,
    /// By kind and severity.
    findings: Vec<[u64; Severity::ALL.len()]>,
    /// The same places: a number that rises from one that is counted for the first time to the next.
    findings_born: Vec<[u64; Severity::ALL.len()]>,
    /// When a station's pair fell silent last, in packet time; by the labels of [`Family::Silent`].
    silences: SeriesTable,
    folded: Vec<u64>,
    withheld: Vec<u64>,
    quirks: Vec<u64>,
    /// Class of every function code seen in a request, so that a request that was never answered can be
    /// counted under its class.
    actions: Vec<[Option<Action>; 256]>,
}

impl Counters {
    /// Counters at zero, for the stations of a profile, by [`Judgement::station`].
    pub fn new(roster: Arc<Roster>) -> Counters {
        Counters {
            pdus: Default::default(),
            defects: vec![Default::default(); DefectKind::ALL.len()],
            latency: Default::default(),
            tables: StationTables::new(),
            operation_places: Places::new(FUNCTIONS_KEPT),
            last_seen_places: Places::new(usize::MAX),
            control_places: Places::new(usize::MAX),
            finding_places: Places::new(CATALOGUE.len()),
            points: PointValues::new(&roster),
            findings: vec![[0; Severity::ALL.len()]; CATALOGUE.len()],
            findings_born: vec![[0; Severity::ALL.len()]; CATALOGUE.len()],
            silences: SeriesTable::new(SERIES_PER_FAMILY),
            folded: vec![0; CATALOGUE.len()],
            withheld: vec![0; CATALOGUE.len()],
            quirks: vec![0; CATALOGUE.len()],
            actions: vec![[None; 256]; Protocol::ALL.len()],
            roster,
        }
    }

    /// Another profile is in force: these are its stations. Those that are no longer among them are
    /// forgotten; a station that is only silent never is.
    pub fn set_roster(&mut self, roster: Arc<Roster>) {
        self.operation_places.clear();
        self.last_seen_places.clear();
        self.control_places.clear();
        self.finding_places.clear();
        self.points = self.points.moved(&self.roster, &roster);
        self.roster = roster;
        let roster = &self.roster;
        self.tables.retain(|station| roster.knows(station));
        self.silences.retain(|station| roster.knows(station));
    }

    /// These counters are exposed: the limits of the families hold, and label sets whose first increase must
    /// not be missed are there from the start.
    pub fn expose(&mut self, series_per_family: Option<usize>) {
        self.tables.limit(series_per_family);
        let stations = self.roster.stations();
        for station in stations {
            let labels = [station.name.as_str(), station.protocol.name()];
            self.tables[Family::Unanswered].begin(&labels);
            self.tables[Family::PollsMissed].begin(&labels);
        }
        let room = FINDINGS_BEGUN.min(series_per_family.unwrap_or(usize::MAX));
        let mut worst_first: Vec<FindingKind> = CATALOGUE.to_vec();
        worst_first.sort_by_key(|kind| core::cmp::Reverse(kind.severity()));
        for kind in worst_first.into_iter().take(room / stations.len().max(1)) {
            for station in stations {
                self.tables[Family::Findings].begin(&[&station.name, kind.name()]);
            }
        }
    }

    /// The stations of the profile in force.
    pub fn roster(&self) -> &Roster {
        &self.roster
    }

    /// The last readings of the selected points, in the order of the roster.
    pub fn points(&self) -> impl Iterator<Item = Option<PointReading>> {
        self.points.iter()
    }

    /// A point that the profile names was read.
    #[inline]
    pub fn point(&mut self, station: u32, point: u32, reading: PointReading) {
        if let Some(place) = self.roster.place(station, point) {
            self.points.read(place, reading);
        }
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
        self.tables.reset();
        self.silences.reset();
        self.points.reset();
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
        self.number_new_findings();
        add(&mut self.folded, &other.folded);
        add(&mut self.withheld, &other.withheld);
        add(&mut self.quirks, &other.quirks);
        self.tables.add(&other.tables);
        self.silences.combine(&other.silences, u64::max);
        self.points.combine(&other.points);
    }

    fn number_new_findings(&mut self) {
        let mut youngest = self.findings_born.iter().flatten().copied().max().unwrap_or(0);
        let counts = self.findings.iter().flatten();
        for (count, born) in counts.zip(self.findings_born.iter_mut().flatten()) {
            if *count > 0 && *born == 0 {
                youngest += 1;
                *born = youngest;
            }
        }
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
            *self.tables[Family::Operations].at(place) += 1;
        }
        if let Some(ns) = operation.latency_ns() {
            self.latency[protocol as usize].add(ns);
        }
        if !operation.from_master {
            let place = self.last_seen_place(protocol, judgement);
            let last = self.tables[Family::LastSeen].at(place);
            *last = (*last).max(operation.origin.at.0);
        }
        if operation.action.is_plain_read() && !matches!(operation.outcome, Outcome::Refused { .. }) {
            return;
        }
        self.outcome(operation, judgement);
    }

    fn outcome(&mut self, operation: &Operation<'_>, judgement: &Judgement<'_>) {
        if let Outcome::Refused { name, .. } = operation.outcome {
            let labels = [station_name(&self.roster, judgement), operation.protocol.name(), name];
            self.tables[Family::Exceptions].add_to(&labels, 1);
        }
        let outcome = match operation.outcome {
            Outcome::Success => 0,
            Outcome::Refused { .. } => 1,
            Outcome::None if operation.exchange == Exchange::Request && !operation.wants_answer => 2,
            Outcome::None => return,
        };
        if is_command(operation.action) {
            let place = self.control_place(operation, outcome, judgement);
            *self.tables[Family::Controls].at(place) += 1;
        }
    }

    /// Where a command is counted, by the place of its outcome in [`CONTROL_OUTCOMES`].
    fn control_place(&mut self, operation: &Operation<'_>, outcome: u16, judgement: &Judgement<'_>) -> u32 {
        let (protocol, action) = (operation.protocol, operation.action);
        let class = Function { code: action as u8, sub: Some(outcome), name: "" };
        let key = key_of(judgement.station, protocol, Some(class));
        let kept = has_key(judgement);
        if kept && let Some(place) = self.control_places.get(key) {
            return place;
        }
        let outcome = CONTROL_OUTCOMES[usize::from(outcome)];
        let labels = [station_name(&self.roster, judgement), protocol.name(), action.name(), outcome];
        self.control_places.settle(kept.then_some(key), &mut self.tables[Family::Controls], &labels)
    }

    fn operation_place(&mut self, operation: &Operation<'_>, judgement: &Judgement<'_>) -> u32 {
        let key = key_of(judgement.station, operation.protocol, Some(operation.function));
        let kept = has_key(judgement);
        if kept && let Some(place) = self.operation_places.get(key) {
            return place;
        }
        let name = operation.function.name;
        let labels = [station_name(&self.roster, judgement), operation.protocol.name(), name];
        self.operation_places.settle(kept.then_some(key), &mut self.tables[Family::Operations], &labels)
    }

    fn last_seen_place(&mut self, protocol: Protocol, judgement: &Judgement<'_>) -> u32 {
        let key = key_of(judgement.station, protocol, None);
        let kept = has_key(judgement);
        if kept && let Some(place) = self.last_seen_places.get(key) {
            return place;
        }
        let labels = [station_name(&self.roster, judgement), protocol.name()];
        self.last_seen_places.settle(kept.then_some(key), &mut self.tables[Family::LastSeen], &labels)
    }

    /// Count a defect. `station` is the station's name in the profile, if it has one.
    pub fn defect(&mut self, defect: &Defect<'_>, station: Option<&str>) {
        self.defects[defect.kind as usize][defect.protocol as usize] += 1;
        if defect.kind != DefectKind::UnansweredRequest {
            return;
        }
        let station = station.unwrap_or(UNPROFILED);
        let protocol = defect.protocol.name();
        self.tables[Family::Unanswered].add_to(&[station, protocol], 1);
        let action = defect
            .function
            .and_then(|function| self.actions[defect.protocol as usize][usize::from(function.code)]);
        if let Some(action) = action.filter(|action| is_command(*action)) {
            self.tables[Family::Controls].add_to(&[station, protocol, action.name(), "unanswered"], 1);
        }
    }

    /// A station's polling changed.
    pub fn station_state(&mut self, state: &StationState<'_>) {
        let labels = [state.station_name.unwrap_or(UNPROFILED), state.protocol.name()];
        match state.change {
            StationChange::Silent => {
                self.tables[Family::Silent].add_to(&labels, 1);
                let place = self.silences.place(&labels);
                let place = place.unwrap_or_else(|| self.silences.overflow(&labels));
                let since = self.silences.at(place);
                *since = (*since).max(state.at.0);
            }
            StationChange::AnswersAgain(_) => {
                let place = self.tables[Family::Silent].place(&labels);
                let place = place.unwrap_or_else(|| self.tables[Family::Silent].overflow(&labels));
                let silent = self.tables[Family::Silent].at(place);
                *silent = silent.saturating_sub(1);
            }
            StationChange::Missed(count) => self.tables[Family::PollsMissed].add_to(&labels, count),
            // Stations without a name have no period in common.
            StationChange::Interval(ns) if state.station_name.is_some() => {
                self.gauge(Family::PollInterval, &labels, ns);
            }
            StationChange::Period(ns) if state.station_name.is_some() => {
                self.gauge(Family::PollBaseline, &labels, ns);
                self.tables[Family::Silent].add_to(&labels, 0);
                self.tables[Family::PollsMissed].add_to(&labels, 0);
            }
            StationChange::Period(_)
            | StationChange::Interval(_)
            | StationChange::NotPolled
            | StationChange::Replies(_)
            | StationChange::StillUnanswered(_)
            | StationChange::PolledAgain => {}
        }
    }

    fn gauge(&mut self, family: Family, labels: &[&str], value: u64) {
        if let Some(place) = self.tables[family].place(labels) {
            *self.tables[family].at(place) = value;
        }
    }

    /// Count a finding, first or repeat.
    pub fn finding(&mut self, finding: &Finding<'_>) {
        self.findings[finding.kind.index()][finding.severity() as usize] += 1;
        let place = self.finding_place(finding);
        *self.tables[Family::Findings].at(place) += 1;
    }

    fn finding_place(&mut self, finding: &Finding<'_>) -> u32 {
        // Those of stations that the profile does not know may come in thousands.
        let key = finding.station_name.is_none().then_some(finding.kind.index() as u64);
        if let Some(place) = key.and_then(|key| self.finding_places.get(key)) {
            return place;
        }
        let labels = [finding.station_name.unwrap_or(UNPROFILED), finding.kind.name()];
        self.finding_places.settle(key, &mut self.tables[Family::Findings], &labels)
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

    /// Rises from one kind and severity that is counted for the first time to the next; 0 for none yet.
    pub fn findings_born(&self, kind: FindingKind, severity: Severity) -> u64 {
        self.findings_born[kind.index()][severity as usize]
    }

    /// Whether a station answers nobody that it used to answer: a pair of it fell silent, and nothing came from
    /// it since. One master that left while another is answered makes no station silent.
    pub fn is_silent(&self, labels: &LabelSet) -> bool {
        let value = |table: &SeriesTable| table.get(labels).unwrap_or(0);
        value(&self.tables[Family::Silent]) > 0
            && value(&self.tables[Family::LastSeen]) <= value(&self.silences)
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

fn station_name<'a>(roster: &'a Roster, judgement: &Judgement<'a>) -> &'a str {
    let by_index = judgement.station.and_then(|place| roster.name(place));
    by_index.or(judgement.station_name).unwrap_or(UNPROFILED)
}
