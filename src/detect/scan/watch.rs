//! What is remembered of one master host, one station host and a protocol: functions, points and stations
//! asked for, and the sweeps over them.

use std::collections::VecDeque;

use parsers::{
    Coverage, Exchange, Function, Operation, Outcome, PointKind, PointRange, Protocol, StationAddress,
    Timestamp,
};
use profiles::Thresholds;

use super::ranges::RangeSet;
use super::recent::{REMEMBERED, Recent, Within};
use super::sweep::{NUMBERS, Running};
use super::table::WatchKey;
use crate::detect::coverage::{Blindness, Losses};

/// Without a profile, where nothing tells of each request by itself: requests below which no number of addresses
/// is a sweep. One read of a large block is none.
const FEWEST_REQUESTS: usize = 5;
/// The same of the slow form: an operator opens a new display now and then.
const FEWEST_REQUESTS_A_DAY: usize = 20;
/// Functions beside those of everyday that a sweep without a profile must contain.
const FEWEST_UNUSUAL: u64 = 3;
/// Without a profile: how long a station may take to answer before it counts as one that does not.
const ANSWER_NS: u64 = 5_000_000_000;
/// Where answers cannot be seen, but the asking side acknowledges frames by number: how long a station may take to be
/// acknowledged. Each of these numbers says what had come by then.
const ACKNOWLEDGED_NS: u64 = 2_000_000_000;
/// Where acknowledgements stand in for answers, so many times as many stations as usual make a sweep.
const BY_ACKNOWLEDGEMENT: usize = 2;
const DAY_NS: u64 = 24 * 3600 * 1_000_000_000;

/// The three sweeps.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub(super) enum Over {
    /// Function codes.
    Functions,
    /// Addresses of points.
    Points,
    /// Stations behind the host.
    Stations,
}

impl Over {
    /// All of them.
    pub(super) const ALL: [Over; 3] = [Over::Functions, Over::Points, Over::Stations];
}

/// A master host, a station host and a protocol.
#[derive(Debug)]
pub(super) struct Watch {
    pub(super) key: WatchKey,
    pub(super) first_seen: Timestamp,
    pub(super) last_seen: Timestamp,
    /// Functions asked for while learning, or once, outside a sweep.
    functions: Vec<(u8, Option<u16>)>,
    new_functions: Recent,
    refused_functions: Recent,
    points: RangeSet,
    new_points: Recent,
    /// The ranges of `new_points`.
    new_ranges: VecDeque<(Timestamp, PointRange)>,
    refused_points: Recent,
    refused_ranges: VecDeque<(Timestamp, PointRange)>,
    /// Stations that answered.
    answering: RangeSet,
    asked: Recent,
    /// What the master acknowledges on its last connection (N(R) of IEC 104), and the first request that said so.
    acknowledged: Option<(u64, u16, Timestamp)>,
    sweeps: [Option<Box<Running>>; 3],
    /// Stations are asked with functions of the link layer.
    pub(super) by_link: bool,
    pub(super) identified: bool,
    pub(super) integrity_polled: bool,
    pub(super) self_addressed: bool,
    pub(super) is_active: bool,
    pub(super) unsolicited: Burst,
    /// The last interrogation.
    pub(super) interrogated: Option<Timestamp>,
    pub(super) resets: Recent,
}

/// How many came within a fixed time.
#[derive(Debug, Default)]
pub(super) struct Burst {
    began: Timestamp,
    count: u32,
}

impl Burst {
    /// Count one.
    pub(super) fn count(&mut self, now: Timestamp, window: u64) -> u32 {
        if now.since(self.began) >= window || self.count == 0 {
            self.began = now;
            self.count = 0;
        }
        self.count = self.count.saturating_add(1);
        self.count
    }
}

/// A request or an answer, with what bears on it.
pub(super) struct Step<'a> {
    pub(super) operation: &'a Operation<'a>,
    /// By the profile.
    pub(super) allowed: Option<bool>,
    pub(super) thresholds: &'a Thresholds,
    /// What the flow has missed.
    pub(super) blindness: &'a Blindness,
    /// What the taps lost.
    pub(super) losses: Losses,
    /// Points that the profile lets this master ask for with this function; 0 if it lets it ask for none.
    pub(super) usual_points: u64,
}

impl Step<'_> {
    fn now(&self) -> Timestamp {
        self.operation.origin.at
    }
    fn window(&self) -> u64 {
        nanoseconds(self.thresholds.sweep_window)
    }
    /// What could not be seen that bears on this.
    pub(super) fn coverage(&self) -> Coverage {
        self.blindness.at(self.operation.flow, self.now(), &self.losses)
    }
}

/// What a step led to.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub(super) enum Found {
    /// Nothing, or part of what is normal.
    Nothing,
    /// A sweep goes on, or begins; perhaps it is time to tell.
    Sweep,
    /// It would be one, but what was not seen may be what is missing.
    Unseen,
}

pub(super) fn nanoseconds(seconds: f64) -> u64 {
    (seconds.max(0.0) * 1e9) as u64
}

impl Watch {
    pub(super) fn new(key: WatchKey, now: Timestamp) -> Watch {
        Watch {
            key,
            first_seen: now,
            last_seen: now,
            functions: Vec::new(),
            new_functions: Recent::default(),
            refused_functions: Recent::default(),
            points: RangeSet::default(),
            new_points: Recent::default(),
            new_ranges: VecDeque::new(),
            refused_points: Recent::default(),
            refused_ranges: VecDeque::new(),
            answering: RangeSet::default(),
            asked: Recent::default(),
            acknowledged: None,
            sweeps: [None, None, None],
            by_link: false,
            identified: false,
            integrity_polled: false,
            self_addressed: false,
            is_active: false,
            unsolicited: Burst::default(),
            interrogated: None,
            resets: Recent::default(),
        }
    }

    /// A sweep that goes on.
    pub(super) fn sweep(&mut self, over: Over) -> &mut Option<Box<Running>> {
        &mut self.sweeps[over as usize]
    }

    /// Whether any sweep goes on.
    pub(super) fn is_swept(&self) -> bool {
        self.sweeps.iter().any(Option::is_some)
    }

    /// Whether what this pair does still counts as what it always does. Only without a profile.
    fn is_learning(&self, step: &Step<'_>) -> bool {
        step.allowed.is_none()
            && step.now().since(self.first_seen) < nanoseconds(step.thresholds.sweep_learning)
    }

    /// A request: was this function asked for before?
    pub(super) fn function(&mut self, step: &Step<'_>) -> Found {
        let function = step.operation.function;
        let name = distinct(function);
        let learns = step.allowed.is_none();
        if step.allowed == Some(true)
            || step.operation.exchange != Exchange::Request
            || (learns && self.functions.contains(&name))
        {
            return Found::Nothing;
        }
        let (now, window) = (step.now(), step.window());
        let running = self.sweeps[Over::Functions as usize].is_some();
        if learns && !running && self.functions.len() < 64 {
            self.functions.push(name);
        }
        let unusual = !learns || !is_everyday(step.operation);
        self.new_functions.note(now, function_key(name), u32::from(unusual), window);
        let within = self.new_functions.within(now, window, |_, _| true);
        let enough =
            within.count >= step.thresholds.sweep_functions as usize && within.weight >= FEWEST_UNUSUAL;
        if !enough && !running {
            return Found::Nothing;
        }
        let seed = self.new_functions.keys(now, window);
        let sweep = begin(&mut self.sweeps[Over::Functions as usize], step, within, seed.map(code_of));
        sweep.request(&step.operation.origin);
        sweep.cover(code_of(function_key(name)));
        Found::Sweep
    }

    /// A refusal: "illegal function".
    fn refused_function(&mut self, step: &Step<'_>) -> Found {
        let function = step.operation.requested.unwrap_or(step.operation.function);
        let key = function_key(distinct(function));
        let (now, window) = (step.now(), step.window());
        if step.allowed.is_some() && !self.new_functions.holds(now, key, window) {
            return Found::Nothing;
        }
        let running = self.sweeps[Over::Functions as usize].is_some();
        self.refused_functions.note(now, key, 1, window);
        let within = self.refused_functions.within(now, window, |_, _| true);
        if !running && within.count < step.thresholds.sweep_functions_refused as usize {
            return Found::Nothing;
        }
        let asked = self.new_functions.keys(now, window).chain(self.refused_functions.keys(now, window));
        let sweep = begin(&mut self.sweeps[Over::Functions as usize], step, within, asked.map(code_of));
        sweep.refused = if running { sweep.refused + 1 } else { within.count as u64 };
        sweep.requests = sweep.requests.max(sweep.refused);
        sweep.last = sweep.last.max(now);
        Found::Sweep
    }

    /// A request: were these points asked for before?
    pub(super) fn ranges(&mut self, step: &Step<'_>) -> Found {
        if step.allowed == Some(true) || step.operation.exchange != Exchange::Request {
            return Found::Nothing;
        }
        if step.operation.ranges.iter().all(|r| !is_address(r) || self.points.holds(r)) {
            return Found::Nothing;
        }
        let learning = self.is_learning(step);
        let (now, window) = (step.now(), step.window());
        for range in step.operation.ranges.iter().filter(|r| is_address(r)) {
            let missing = self.points.missing(range);
            self.points.add(range);
            if missing > 0 && !learning {
                let weight = missing.min(u32::MAX.into()) as u32;
                if self.new_points.note(now, range_key(range), weight, DAY_NS) {
                    self.new_ranges.truncate(REMEMBERED - 1);
                    self.new_ranges.push_front((now, *range));
                }
                if let Some(sweep) = &mut self.sweeps[Over::Points as usize] {
                    sweep.covered.add(range);
                }
            }
        }
        if learning {
            return Found::Nothing;
        }
        let running = self.sweeps[Over::Points as usize].is_some();
        let within = self.new_points.within(now, window, |_, _| true);
        let today = self.new_points.within(now, DAY_NS, |_, _| true);
        let (few, few_a_day) = match step.allowed {
            Some(_) => (step.thresholds.sweep_requests as usize, step.thresholds.sweep_requests as usize),
            None => (FEWEST_REQUESTS, FEWEST_REQUESTS_A_DAY),
        };
        let fast = within.weight >= step.usual_points.max(step.thresholds.sweep_points as u64)
            && within.count >= few;
        let slow = today.weight >= step.usual_points.max(step.thresholds.sweep_points_day as u64)
            && today.count >= few_a_day;
        if !running && !fast && !slow {
            return Found::Nothing;
        }
        let (within, since) = if fast || running { (within, window) } else { (today, DAY_NS) };
        let sweep = begin(&mut self.sweeps[Over::Points as usize], step, within, core::iter::empty());
        for range in step.operation.ranges.iter().filter(|r| is_address(r)) {
            sweep.covered.add(range);
        }
        if !running {
            let led = self.new_ranges.iter().filter(|(at, _)| now.since(*at) <= since);
            led.for_each(|(_, range)| sweep.covered.add(range));
        }
        sweep.request(&step.operation.origin);
        if !running {
            sweep.requests = within.count as u64;
        }
        Found::Sweep
    }

    /// A refusal: "illegal address".
    fn refused_range(&mut self, step: &Step<'_>) -> Found {
        let Some(first) = step.operation.ranges.iter().find(|r| is_address(r)) else { return Found::Nothing };
        let (now, window) = (step.now(), step.window());
        let key = range_key(first);
        let was_told = self.refused_ranges.iter().any(|(at, r)| r == first && now.since(*at) <= window);
        if !was_told {
            self.refused_ranges.truncate(REMEMBERED - 1);
            self.refused_ranges.push_front((now, *first));
        }
        if step.allowed.is_some() && !self.new_points.holds(now, key, window) {
            return Found::Nothing;
        }
        let running = self.sweeps[Over::Points as usize].is_some();
        self.refused_points.note(now, key, 1, window);
        let within = self.refused_points.within(now, window, |_, _| true);
        if !running && within.count < step.thresholds.sweep_points_refused as usize {
            return Found::Nothing;
        }
        let sweep = begin(&mut self.sweeps[Over::Points as usize], step, within, core::iter::empty());
        sweep.covered.add(first);
        if !running {
            let led = self.refused_ranges.iter().filter(|(at, _)| now.since(*at) <= window);
            led.for_each(|(_, range)| sweep.covered.add(range));
        }
        sweep.refused = if running { sweep.refused + 1 } else { within.count as u64 };
        sweep.requests = sweep.requests.max(sweep.refused);
        sweep.last = sweep.last.max(now);
        Found::Sweep
    }

    /// A request, or a question of the link layer: is this a station that answers?
    pub(super) fn station(&mut self, step: &Step<'_>) -> Found {
        let operation = step.operation;
        let Some(number) = operation.station.number() else { return Found::Nothing };
        if step.allowed == Some(true) || operation.broadcast || self.answers(number) {
            return Found::Nothing;
        }
        let (now, window) = (step.now(), step.window());
        let by_link = operation.exchange == Exchange::Link;
        let quiet_since = self.acknowledge(operation);
        let fresh = self.asked.note(now, number.into(), u32::from(by_link), window);
        let running = self.sweeps[Over::Stations as usize].is_some();
        let few = step.thresholds.sweep_stations as usize;
        if !running && self.asked.len() < few {
            return Found::Nothing;
        }
        let learning = self.is_learning(step);
        let answering = &self.answering;
        let silent = |at: Timestamp, key: u64| {
            now.since(at) >= ANSWER_NS && !answering.holds(&PointRange::one(NUMBERS, key as u32))
        };
        let mut within = self.asked.within(now, window, |at, key| !learning || silent(at, key));
        // Without a profile all rests on which stations answer; where answers are never seen none is known to.
        let coverage = step.coverage();
        let unseen = if learning { !coverage.is_complete() } else { coverage.one_way };
        let mut acknowledges_none = false;
        if step.allowed.is_none() && !running && unseen {
            let unheard = |at: Timestamp, _| {
                quiet_since.is_some_and(|since| at >= since) && now.since(at) >= ACKNOWLEDGED_NS
            };
            acknowledges_none = self.asked.within(now, window, unheard).count >= BY_ACKNOWLEDGEMENT * few;
            if !acknowledges_none {
                return if within.count < few { Found::Nothing } else { Found::Unseen };
            }
            within = self.asked.within(now, window, |_, _| true);
        }
        if !running && within.count < few {
            return Found::Nothing;
        }
        self.by_link = within.weight * 2 > within.count as u64;
        let seed = self.asked.keys(now, window).map(|key| key as u32);
        let sweep = begin(&mut self.sweeps[Over::Stations as usize], step, within, seed);
        sweep.acknowledges_none |= acknowledges_none;
        sweep.cover(number);
        if fresh || !running {
            sweep.request(&operation.origin);
        }
        if !running {
            sweep.requests = within.count as u64;
        }
        Found::Sweep
    }

    /// Whether the function, the points and the station are all known, of a read that no profile judges; of an
    /// answer or a confirmation, whether the station is known to answer. What is known once stays so.
    pub(super) fn knows(&self, operation: &Operation<'_>) -> bool {
        let asks = operation.from_master && operation.exchange == Exchange::Request;
        let asked = || {
            self.functions.contains(&distinct(operation.function))
                && operation.ranges.iter().all(|range| !is_address(range) || self.points.holds(range))
        };
        operation.station.number().is_some_and(|number| self.answers(number)) && (!asks || asked())
    }

    /// Note what a master acknowledges with a request: since when it has received nothing more, if its protocol tells.
    /// Each connection counts for itself, so another one says nothing of what came on those before.
    fn acknowledge(&mut self, operation: &Operation<'_>) -> Option<Timestamp> {
        let now = (operation.flow.id, received(operation)?);
        if self.acknowledged.is_none_or(|(flow, number, _)| (flow, number) != now) {
            self.acknowledged = Some((now.0, now.1, operation.origin.at));
        }
        self.acknowledged.map(|(_, _, since)| since)
    }

    #[inline]
    fn answers(&self, number: u32) -> bool {
        self.answering.holds(&PointRange::one(NUMBERS, number))
    }

    /// Something a station said without having been asked, as far as was seen.
    pub(super) fn heard(&mut self, step: &Step<'_>) -> Found {
        if step.operation.exchange != Exchange::Link
            && matches!(step.operation.outcome, Outcome::Refused { .. })
        {
            return Found::Nothing;
        }
        self.answer(step)
    }

    /// Something a station said.
    pub(super) fn answer(&mut self, step: &Step<'_>) -> Found {
        let refusal = refusal(step.operation.outcome);
        if refusal == Some(Refusal::Gateway) {
            return Found::Nothing;
        }
        if let Some(number) = step.operation.station.number()
            && !self.answers(number)
        {
            self.answering.add(&PointRange::one(NUMBERS, number));
            let learning = self.is_learning(step);
            if let Some(sweep) = &mut self.sweeps[Over::Stations as usize] {
                sweep.answered += 1;
            } else if learning {
                self.asked.forget(number.into());
            }
        }
        match refusal {
            Some(Refusal::Function) => self.refused_function(step),
            Some(Refusal::Address) => self.refused_range(step),
            _ => Found::Nothing,
        }
    }
}

/// The sweep that goes on, or a new one with what led to it.
fn begin<'a>(
    slot: &'a mut Option<Box<Running>>,
    step: &Step<'_>,
    within: Within,
    seed: impl Iterator<Item = u32>,
) -> &'a mut Running {
    slot.get_or_insert_with(|| {
        let mut sweep = Running::new(&step.operation.origin, within.span_ns);
        seed.for_each(|number| sweep.cover(number));
        sweep.requests = (within.count as u64).saturating_sub(1);
        Box::new(sweep)
    })
}

/// How many frames the sender of a request has received, as it acknowledges (IEC 60870-5-104, 5.1: N(R) in the third and
/// fourth octet of the control field of an I frame).
fn received(operation: &Operation<'_>) -> Option<u16> {
    let octets = operation.detail.octets().get(4..6).filter(|_| operation.protocol == Protocol::Iec104)?;
    Some(u16::from_le_bytes([octets[0], octets[1]]) >> 1)
}

/// What an answer refuses.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
enum Refusal {
    Function,
    Address,
    /// There is no such station behind the gateway.
    Gateway,
}

fn refusal(outcome: Outcome) -> Option<Refusal> {
    let Outcome::Refused { name, .. } = outcome else { return None };
    match name {
        "illegal_function" | "no_func_code_support" | "unknown_type_id" => Some(Refusal::Function),
        "illegal_data_address" | "object_unknown" | "parameter_error" | "unknown_object_address" => {
            Some(Refusal::Address)
        }
        "gateway_path_unavailable" | "gateway_target_device_failed_to_respond" | "unknown_common_address" => {
            Some(Refusal::Gateway)
        }
        _ => None,
    }
}

/// Functions with which ordinary masters read, write, control and start up. A sweep without a profile must
/// contain others.
fn is_everyday(operation: &Operation<'_>) -> bool {
    parsers::dissector(operation.protocol).is_some_and(|d| (d.is_everyday)(operation.function.code))
}

/// Whether a range names addresses, not a class of data or all there is.
fn is_address(range: &PointRange) -> bool {
    let named = !matches!(
        range.kind(),
        PointKind::DeviceData | PointKind::ClassData | PointKind::DeviceAttribute | PointKind::FileRecord
    );
    named && range.last() != u32::MAX
}

fn range_key(range: &PointRange) -> u64 {
    let kind = crate::detect::raise::name_key(range.kind().name());
    (u64::from(range.first()) << 32 | u64::from(range.last())) ^ kind
}

fn function_key((code, sub): (u8, Option<u16>)) -> u64 {
    u64::from(code) << 16 | sub.map_or(0, |sub| u64::from(sub.min(0xFFFE)) + 1)
}

/// A function as it counts. The many services within UMAS (function 90) are one: every engineering tool uses
/// a dozen of them at once.
fn distinct(function: Function) -> (u8, Option<u16>) {
    (function.code, function.sub.filter(|_| function.code != 90))
}

/// A function as one number, its code in the upper half.
fn code_of(key: u64) -> u32 {
    key as u32
}

/// The address that every DNP3 outstation answers to, where that is enabled: IEEE 1815 clause 9.2.4.1.3.
pub(super) const SELF_ADDRESS: StationAddress = StationAddress::Link(0xFFFC);
