//! Sweeps and scans by what is asked: functions, points, stations; device identification; forged ends of connections; storms.
//!
//! State belongs to a master host, a station host and a protocol ([`watch::Watch`]), above connections and
//! above stations, for a sweep goes over stations. With a profile, only what it does not allow counts.
//! Without one, what a master does in its first minutes (`sweep_learning`) counts as usual; so do stations
//! that answer.
//!
//! ```text
//! operation -> Watch: new function? new points? silent station? -> Recent (what was new lately)
//!                                             threshold reached -> Running (extent; told when it has grown)
//! ```

pub(crate) mod ranges;
pub(crate) mod recent;
mod sweep;
mod table;
mod tell;
mod watch;

use parsers::{
    Action, Defect, DefectKind, Direction, Exchange, FlowInfo, Operation, Origin, PointKind, Protocol,
    Timestamp,
};
use profiles::{AnomalyKind, RuleId};

use super::{FindingSink, SiteView};
use crate::flow::Forged;
use crate::pipeline::FlowContext;
use crate::report::catalogue::{FindingKind, Severity};
pub use table::{WATCH_LIMIT, WatchId};
use table::{WatchKey, WatchTable};
use watch::{Found, Over, SELF_ADDRESS, Step, Watch, nanoseconds};

/// Sweeps whose end is waited for. More are told of when they begin and grow, not when they end.
pub const ACTIVE_LIMIT: usize = 1024;

/// The watch of a flow's master and station hosts, by who commands whom
/// ([`parsers::Direction::index`] of the commands).
pub type Cached = [Option<WatchId>; 2];

/// Watches for scans.
#[derive(Debug, Default)]
pub struct Scans {
    table: WatchTable,
    active: Vec<WatchId>,
    /// The first whole second of packet time.
    began: Option<Timestamp>,
}

/// What the profile says of an operation, as far as scans are concerned.
#[derive(Debug, Copy, Clone)]
pub struct Verdict {
    /// Allowed or not; `None` without a profile.
    pub allowed: Option<bool>,
    /// Why not.
    pub anomaly: Option<AnomalyKind>,
    /// The rule that comes nearest.
    pub nearest: Option<RuleId>,
}

impl Scans {
    /// Pairs of hosts that were not watched because the table was full.
    #[must_use]
    pub fn overflowed(&self) -> u64 {
        self.table.overflowed
    }

    /// See an operation. True: it is part of a sweep that has been told of, so what the profile says of it
    /// need not be.
    #[inline]
    pub fn operation(
        &mut self,
        context: &mut FlowContext,
        operation: &Operation<'_>,
        verdict: Verdict,
        site: SiteView<'_>,
        sink: &mut dyn FindingSink,
    ) -> bool {
        let Some(id) = self.watch(context, operation) else { return false };
        let Some(watch) = self.table.get(id) else { return false };
        watch.last_seen = watch.last_seen.max(operation.origin.at);
        if operation.from_master && interrogates(operation) {
            watch.interrogated = Some(operation.origin.at);
        }
        if operation.from_master && verdict.allowed == Some(true) {
            return false;
        }
        let step = Step {
            operation,
            allowed: verdict.allowed,
            thresholds: site.thresholds,
            blindness: &context.blindness,
            losses: site.losses,
            usual_points: usual_points(operation, verdict, site),
        };
        let tell = Teller { step: &step, site, began: self.began, verdict };
        let found = if operation.from_master {
            tell.asked(watch, sink);
            [
                (Over::Functions, watch.function(&step)),
                (Over::Points, watch.ranges(&step)),
                (Over::Stations, watch.station(&step)),
            ]
        } else {
            if operation.exchange == Exchange::Unsolicited && !belongs(watch, &step) {
                tell.storm(watch, sink);
            }
            let over = if operation.requested.is_some() { watch.answer(&step) } else { watch.heard(&step) };
            [(Over::Functions, over), (Over::Points, Found::Nothing), (Over::Stations, Found::Nothing)]
        };
        if found.iter().all(|(_, f)| *f == Found::Nothing) {
            return false;
        }
        self.sweep(id, found, &step, site, sink)
    }

    /// Something belongs to a sweep: tell of it if it is time.
    #[cold]
    fn sweep(
        &mut self,
        id: WatchId,
        found: [(Over, Found); 3],
        step: &Step<'_>,
        site: SiteView<'_>,
        sink: &mut dyn FindingSink,
    ) -> bool {
        let Some(watch) = self.table.get(id) else { return false };
        if found.iter().any(|(_, f)| *f == Found::Unseen) {
            let by_link = step.operation.exchange == Exchange::Link;
            sink.withheld(if by_link { FindingKind::LinkScan } else { FindingKind::StationSweep });
        }
        let mut told = false;
        for over in Over::ALL {
            let Some(running) = watch.sweep(over) else { continue };
            told = true;
            if let Some(telling) = running.grown() {
                tell::sweep(watch, over, telling, step.operation.origin.at, Some(step), site, sink);
            }
        }
        if told && !watch.is_active && self.active.len() < ACTIVE_LIMIT {
            watch.is_active = true;
            self.active.push(id);
        }
        if told && step.allowed == Some(false) {
            fold(watch);
        }
        told
    }

    /// Whether a defect is part of a sweep that has been told of: stations that do not answer, functions
    /// that nobody knows.
    pub fn defect(&mut self, context: &FlowContext, defect: &Defect<'_>) -> bool {
        if !matches!(defect.kind, DefectKind::UnansweredRequest | DefectKind::UnknownFunction) {
            return false;
        }
        let mut ids = context.scan.iter().flatten();
        ids.any(|id| self.table.get(*id).is_some_and(|w| w.is_swept() && fold(w)))
    }

    /// A RST came that its sender can hardly have sent. One whose numbers do not fit may be a stray; several
    /// are guesses.
    pub fn reset(
        &mut self,
        context: &FlowContext,
        flow: &FlowInfo,
        sign: Forged,
        origin: &Origin,
        site: SiteView<'_>,
        sink: &mut dyn FindingSink,
    ) {
        if sign != Forged::Numbers {
            return tell::torn(context, flow, sign, origin, site, sink);
        }
        let key = WatchKey { master: flow.client.host, server: flow.server.host, protocol: context.protocol };
        let Some(id) = self.table.admit(key, origin.at) else { return };
        let Some(watch) = self.table.get(id) else { return };
        let window = nanoseconds(site.thresholds.teardown_window);
        watch.resets.note(origin.at, origin.frame.number << 8 | u64::from(origin.frame.tap), 1, window);
        let within = watch.resets.within(origin.at, window, |_, _| true);
        if within.count >= site.thresholds.teardown_resets as usize {
            tell::teardown(context, flow, origin, within, site, sink);
        }
    }

    /// Frames came at `seen`: since the first of them there was something to see.
    pub fn begin(&mut self, seen: Timestamp) {
        if seen != Timestamp::default() {
            self.began.get_or_insert(seen);
        }
    }

    /// Whether sweeps are under way, so that [`Scans::tick`] is wanted.
    #[must_use]
    pub fn is_active(&self) -> bool {
        !self.active.is_empty()
    }

    /// Packet time has passed the whole second `now`: sweeps may be over.
    pub fn tick(&mut self, now: Timestamp, site: SiteView<'_>, sink: &mut dyn FindingSink) {
        let Scans { table, active, .. } = self;
        active.retain(|id| {
            let Some(watch) = table.get(*id) else { return false };
            for over in Over::ALL {
                let Some(running) = watch.sweep(over).as_deref() else { continue };
                if !running.is_over(now) {
                    continue;
                }
                if let Some(telling) = running.rest() {
                    tell::sweep(watch, over, telling, now, None, site, sink);
                }
                *watch.sweep(over) = None;
            }
            watch.is_active = watch.is_swept();
            watch.is_active
        });
    }

    /// An operation came that the watch of its hosts may know: that watch, if there is one.
    #[inline]
    pub fn seen(&mut self, context: &FlowContext, operation: &Operation<'_>) -> Option<WatchId> {
        let id = context.scan[commands(operation).index()]?;
        let watch = self.table.get(id)?;
        watch.last_seen = watch.last_seen.max(operation.origin.at);
        Some(id)
    }

    /// Whether a watch will never find anything in such a read, or in an answer to one.
    pub fn knows(&mut self, id: WatchId, operation: &Operation<'_>, allowed: Option<bool>) -> bool {
        let allowed = operation.from_master && allowed == Some(true);
        self.table.get(id).is_some_and(|watch| allowed || watch.knows(operation))
    }

    #[inline]
    fn watch(&mut self, context: &mut FlowContext, operation: &Operation<'_>) -> Option<WatchId> {
        let cached = &mut context.scan[commands(operation).index()];
        if let Some(id) = *cached
            && self.table.get(id).is_some()
        {
            return Some(id);
        }
        *cached = self.table.admit(WatchKey::of(operation), operation.origin.at);
        *cached
    }
}

/// Which way commands travel.
#[inline]
fn commands(operation: &Operation<'_>) -> Direction {
    if operation.from_master { operation.direction } else { operation.direction.reverse() }
}

/// The points that a master may ask for, where it asks with a function that a rule allows it: more polling in the
/// same style is told by itself (POL-04), and is a sweep when it goes beyond what it always asks for.
fn usual_points(operation: &Operation<'_>, verdict: Verdict, site: SiteView<'_>) -> u64 {
    if verdict.anomaly != Some(AnomalyKind::Range) {
        return 0;
    }
    let rule = verdict.nearest.zip(site.profile).and_then(|(id, profile)| profile.rule(id));
    let ranges = rule.and_then(|rule| rule.points.as_deref()).unwrap_or_default();
    let asked = |kind: PointKind| operation.ranges.iter().any(|range| range.kind() == kind);
    let of_kind = ranges.iter().filter(|range| asked(range.kind()));
    of_kind.map(|range| u64::from(range.last() - range.first()) + 1).sum()
}

/// What a station tells later than this after an interrogation does not belong to it any more.
const INTERROGATION_NS: u64 = 120_000_000_000;

/// Whether an operation asks a station for all it has (IEC 60870-5-101, C_IC_NA_1 and C_CI_NA_1).
fn interrogates(operation: &Operation<'_>) -> bool {
    operation.protocol == Protocol::Iec104
        && operation.exchange == Exchange::Request
        && matches!(operation.function.code, 100 | 101)
}

/// Whether a report belongs to an interrogation that was seen, or that may have been sent unseen.
fn belongs(watch: &Watch, step: &Step<'_>) -> bool {
    let now = step.operation.origin.at;
    let lately = watch.interrogated.is_some_and(|at| now.since(at) <= INTERROGATION_NS);
    is_interrogated(step.operation) && (lately || !step.coverage().is_complete())
}

/// Whether a report says that it belongs to an interrogation: it has no request of its own, but was asked for (IEC
/// 60870-5-101, 7.2.3, causes 20 to 41).
fn is_interrogated(operation: &Operation<'_>) -> bool {
    /// Where the cause of transmission stands in an APDU, its upper two bits being flags.
    const CAUSE: (usize, u8) = (8, 0x3F);
    operation.protocol == Protocol::Iec104
        && operation.detail.octets().get(CAUSE.0).is_some_and(|cause| (20..=41).contains(&(cause & CAUSE.1)))
}

/// Count one more finding as part of the sweep that began last.
fn fold(watch: &mut Watch) -> bool {
    let last = Over::ALL.into_iter().rev().find(|over| watch.sweep(*over).is_some());
    if let Some(running) = last.and_then(|over| watch.sweep(over).as_deref_mut()) {
        running.folded += 1;
    }
    last.is_some()
}

/// Tells of single operations, with what is needed to judge them.
struct Teller<'a> {
    step: &'a Step<'a>,
    site: SiteView<'a>,
    began: Option<Timestamp>,
    verdict: Verdict,
}

impl Teller<'_> {
    fn now(&self) -> Timestamp {
        self.step.operation.origin.at
    }

    /// Whether the capture is still so young that nothing in it is new.
    fn is_early(&self) -> bool {
        let learning = nanoseconds(self.site.thresholds.host_learning);
        self.began.is_none_or(|began| self.now().since(began) < learning)
    }

    /// Questions that tell of somebody who looks around.
    fn asked(&self, watch: &mut Watch, sink: &mut dyn FindingSink) {
        let operation = self.step.operation;
        if operation.action == Action::Identify && self.verdict.allowed.is_none() && !watch.identified {
            let learning = nanoseconds(self.site.thresholds.sweep_learning);
            let early = self.now().since(watch.first_seen) < learning;
            watch.identified = true;
            tell::identification(self.step, early.then_some(Severity::Low), self.site, sink);
        }
        if operation.protocol == Protocol::Iec104 && matches!(operation.function.code, 100 | 101) {
            return self.integrity_poll(watch, sink);
        }
        if operation.protocol != Protocol::Dnp3 {
            return;
        }
        if operation.station == SELF_ADDRESS && !watch.self_addressed {
            watch.self_addressed = true;
            tell::self_address(self.step, self.site, sink);
        }
        let polls = || operation.ranges.iter().any(|r| r.kind() == PointKind::ClassData);
        if operation.action == Action::Read && polls() {
            self.integrity_poll(watch, sink);
        }
    }

    /// A poll of everything there is: a class poll of DNP3, an interrogation of IEC 104. The first of a pair tells.
    fn integrity_poll(&self, watch: &mut Watch, sink: &mut dyn FindingSink) {
        if !core::mem::replace(&mut watch.integrity_polled, true) {
            let stranger = match self.verdict.allowed {
                Some(_) => self.verdict.anomaly == Some(AnomalyKind::UnknownClient),
                None => !self.is_early() && self.now().since(watch.first_seen) < self.site.losses.blind_ns,
            };
            if stranger {
                tell::integrity_poll(self.step, self.site, sink);
            }
        }
    }

    /// More unsolicited reports than a station has to say.
    fn storm(&self, watch: &mut Watch, sink: &mut dyn FindingSink) {
        let window = nanoseconds(self.site.thresholds.unsolicited_window);
        let count = watch.unsolicited.count(self.now(), window);
        let limit = self.site.thresholds.unsolicited_rate * (window as f64 / 1e9);
        if f64::from(count) >= limit && f64::from(count - 1) < limit {
            tell::storm(self.step, count, window, self.site, sink);
        }
    }
}
