//! The monitor: what the shards find is judged, counted and logged.
//!
//! ```text
//! Sensor      the reading thread: frames, the site's owner, the order of the log
//!  +- Monitor one a worker: judges the operations of its shards
//! ```

mod checksum;
mod sensor;
mod vitals;

pub use checksum::Checksum;
pub use sensor::{Sensor, SensorOptions};

use std::sync::Arc;

use foldhash::fast::FixedState;
use hashbrown::HashSet;
use parsers::{
    Chunk, Defect, FieldSizes, FlowInfo, Gap, Host, Operation, Origin, Protocol, StationAddress, Timestamp,
    Unit,
};
use profiles::Compiled;

use crate::detect::{DetectLimits, Detector, Judged};
use crate::dispatch::{Place, SHARDS};
use crate::flow::{Forged, Overlap};
use crate::pipeline::{Blind, Consumer, FlowContext};
use crate::report::event_log::{Journal, ShardLog, ToLog};
use crate::report::output::Item;
use crate::report::record::{Judgement, StationEvent, Verdict};
use crate::report::roster::Roster;
use crate::site::Fact;

/// Stations that a shard remembers to have told the owner of. When they are more, all are forgotten: the
/// owner, which remembers more, is then told again.
const STATIONS_KEPT: usize = 1024;

/// Selects, associations, rhythms, scans, commanded points, controls and publishers that full tables could not remember.
pub(crate) type Forgotten = [u64; 7];

/// Judges, counts and logs what shards `first`, `first + step` and so on find.
pub struct Monitor {
    parts: Vec<Part>,
    first: usize,
    step: usize,
    /// Place in `parts` of the shard entered.
    entered: usize,
    pub(crate) journal: Journal,
    /// The sum of all values, if somebody wants it.
    checksum: Option<Box<Checksum>>,
}

/// A shard's part.
struct Part {
    detector: Detector,
    log: ShardLog,
    told: HashSet<(Host, Protocol, StationAddress), FixedState>,
    /// What full tables could not remember, as far as the owner was told.
    forgotten: Forgotten,
}

impl Monitor {
    /// A monitor for its part of the shards.
    pub(crate) fn new(
        profile: Option<&Arc<Compiled>>,
        limits: DetectLimits,
        journal: Journal,
        windows: usize,
        (first, step): (usize, usize),
    ) -> Monitor {
        let roster = Arc::new(Roster::of(profile.map(|p| &**p)));
        let part = |_| Part {
            detector: Detector::limited(profile.cloned(), limits),
            log: ShardLog::new(Arc::clone(&roster)).with_windows(windows),
            told: HashSet::default(),
            forgotten: Forgotten::default(),
        };
        Monitor {
            parts: (first..SHARDS).step_by(step).map(part).collect(),
            first,
            step,
            entered: 0,
            journal,
            checksum: None,
        }
    }

    /// Add up every value from here on.
    pub(crate) fn sum_values(&mut self) {
        self.checksum = Some(Box::default());
    }

    /// What all values come to, if they are added up.
    pub(crate) fn checksum(&self) -> Option<&Checksum> {
        self.checksum.as_deref()
    }

    /// Another profile is in force from here on, in all shards.
    pub(crate) fn set_profile(&mut self, profile: Option<&Arc<Compiled>>, roster: &Arc<Roster>) {
        self.journal.set_profile(profile.map(Arc::as_ref));
        for part in &mut self.parts {
            part.detector.set_profile(profile.cloned());
            part.log.set_roster(Arc::clone(roster));
        }
    }

    /// The taps lost frames at about `now`.
    pub(crate) fn dropped(&mut self, now: Timestamp) {
        self.parts.iter_mut().for_each(|part| part.detector.dropped(now));
    }

    /// The log of a shard, if it is one of this monitor's.
    pub(crate) fn log(&self, shard: usize) -> Option<&ShardLog> {
        let place = shard.checked_sub(self.first).filter(|n| n.is_multiple_of(self.step))?;
        self.parts.get(place / self.step).map(|part| &part.log)
    }

    /// What full tables could not remember.
    pub(crate) fn forgotten(&self) -> Forgotten {
        let mut sum = Forgotten::default();
        for part in &self.parts {
            sum.iter_mut().zip(part.forgotten()).for_each(|(sum, count)| *sum += count);
        }
        sum
    }

    fn split(&mut self) -> (&mut Detector, ToLog<'_>) {
        let Part { detector, log, .. } = &mut self.parts[self.entered];
        (detector, ToLog { log, journal: &mut self.journal })
    }

    fn tell_station(&mut self, operation: &Operation<'_>, judged: &Judged) {
        let Part { detector, told, .. } = &mut self.parts[self.entered];
        let server = operation.station_endpoint();
        let key = (server.host, operation.protocol, operation.station);
        if told.contains(&key) {
            return;
        }
        if told.len() >= STATIONS_KEPT {
            told.clear();
        }
        told.insert(key);
        let name = detector.profile().zip(judged.pair).and_then(|(p, pair)| p.station_name(pair));
        let event = StationEvent {
            at: operation.origin.at,
            what: "first_seen",
            protocol: operation.protocol,
            server,
            station: operation.station,
            station_name: None,
            unanswered: None,
        };
        self.journal.out.tell(Item::Fact(Fact::Station { event, name: name.map(Box::from) }));
    }
}

impl Part {
    fn forgotten(&self) -> Forgotten {
        let detector = &self.detector;
        let (points, controls) = detector.controls_overflowed();
        [
            detector.selects_overflowed(),
            detector.associations_overflowed(),
            detector.polls_unfollowed(),
            detector.watches_overflowed(),
            points,
            controls,
            detector.publishers_overflowed(),
        ]
    }
}

impl Consumer for Monitor {
    /// As the profile says, whichever side is the station.
    fn field_sizes(&self, flow: &FlowInfo) -> Option<FieldSizes> {
        let profile = self.parts.first()?.detector.profile()?;
        profile.field_sizes(flow.server).or_else(|| profile.field_sizes(flow.client))
    }

    #[inline]
    fn enter(&mut self, shard: usize, act: u64) {
        // Nothing is divided where one worker has all shards.
        self.entered = if self.step == 1 { shard - self.first } else { (shard - self.first) / self.step };
        self.journal.out.enter(Place::of_shard(act, shard));
    }

    #[inline]
    fn unit(&mut self, context: &mut FlowContext, unit: &Unit<'_>) {
        if unit.opens {
            let (detector, mut sink) = self.split();
            detector.opened(context, unit, &mut sink);
        }
        self.parts[self.entered].log.unit(unit);
    }

    fn operation(&mut self, context: &mut FlowContext, operation: &Operation<'_>) {
        if let Some(checksum) = &mut self.checksum {
            checksum.operation(operation);
        }
        let (detector, mut sink) = self.split();
        let judged = detector.operation(context, operation, &mut sink);
        let verdict = match judged.allowed {
            Some(true) => Verdict::Allowed,
            Some(false) => Verdict::Denied,
            None => Verdict::Unjudged,
        };
        let station = judged.pair.and_then(|pair| pair.station_index());
        let mut judgement = Judgement { verdict, station, ..Judgement::default() };
        // Only lines have names; what is counted goes by the station's number.
        if sink.journal.logs(operation.action) {
            let profile = detector.profile();
            let named = profile.zip(judged.pair);
            judgement.rule =
                profile.zip(judged.rule).and_then(|(p, id)| p.rule(id)).map(|rule| rule.name.as_str());
            judgement.station_name = named.and_then(|(p, pair)| p.station_name(pair));
            judgement.client_name = named.and_then(|(p, pair)| p.client_name(pair));
        }
        sink.log.operation(sink.journal, operation, &judgement);
        if !operation.from_master && context.last_station != Some(operation.station) {
            context.last_station = Some(operation.station);
            self.tell_station(operation, &judged);
        }
    }

    fn defect(&mut self, context: &mut FlowContext, defect: &Defect<'_>) {
        let (detector, mut sink) = self.split();
        let name = detector.defect(context, defect, &mut sink);
        sink.log.defect(defect, name);
    }

    fn overlap(&mut self, context: Option<&mut FlowContext>, flow: &FlowInfo, overlap: &Overlap<'_>) {
        let (detector, mut sink) = self.split();
        detector.overlap(context.as_deref(), flow, overlap, &mut sink);
    }

    fn unexpected_port(&mut self, context: &mut FlowContext, flow: &FlowInfo, chunk: &Chunk<'_>) {
        let (detector, mut sink) = self.split();
        detector.unexpected_port(context, flow, chunk, &mut sink);
    }

    fn gap(&mut self, context: Option<&mut FlowContext>, _: &FlowInfo, gap: &Gap<'_>) {
        if let Some(context) = context {
            self.parts[self.entered].detector.gap(context, gap.origin.at);
        }
    }

    fn reset_forged(&mut self, context: &mut FlowContext, flow: &FlowInfo, sign: Forged, origin: &Origin) {
        let (detector, mut sink) = self.split();
        detector.reset_forged(context, flow, sign, origin, &mut sink);
    }

    fn due(&self, shard: usize) -> Option<Timestamp> {
        let part = &self.parts[(shard - self.first) / self.step];
        let news = (part.forgotten() != part.forgotten).then_some(Timestamp(0));
        [part.detector.next_due(), part.log.due(), news].into_iter().flatten().min()
    }

    fn tick(&mut self, now: Timestamp, seen: Timestamp) {
        self.parts.iter_mut().for_each(|part| part.detector.pulse(now, seen));
    }

    fn shard_tick(&mut self, now: Timestamp) {
        let (detector, mut sink) = self.split();
        detector.fall_due(now, &mut sink);
        sink.log.tick(sink.journal, now);
        self.tell_forgotten(now, Blind::default());
    }

    fn blind(&mut self, now: Timestamp, fresh: Blind) {
        self.tell_forgotten(now, fresh);
    }

    fn shard_end(&mut self, now: Timestamp) {
        let (detector, mut sink) = self.split();
        detector.finish(&mut sink);
        sink.log.end(sink.journal);
        self.tell_forgotten(now, Blind::default());
    }
}

impl Monitor {
    fn tell_forgotten(&mut self, now: Timestamp, flows: Blind) {
        let part = &mut self.parts[self.entered];
        let mut fresh = part.forgotten();
        let before = core::mem::replace(&mut part.forgotten, fresh);
        fresh.iter_mut().zip(before).for_each(|(count, before)| *count -= before);
        if fresh != Forgotten::default() || flows != Blind::default() {
            self.journal.out.tell(Item::Blind(now, flows, fresh));
        }
    }
}
