//! The sensor: the reading thread of the monitor, with one worker or many.

use std::io;
use std::sync::Arc;

use parsers::Timestamp;
use profiles::{Compiled, Thresholds};

use super::{Checksum, Forgotten, Monitor};
use crate::capture::{Frame, Trouble, TroubleKind};
use crate::detect::{DetectLimits, Detector};
use crate::dispatch::{MAX_WORKERS, Place, SECOND, SHARDS, Seconds, Workers, groups_for, shard_of};
use crate::flow::FlowCounters;
use crate::pipeline::{Crew, FrameCounters, Front, Intake, PipelineOptions, SECONDS_AT_MOST, WorkerCounters};
use crate::report::event_log::{Journal, ShardLog, ToLog};
use crate::report::fold::FOLD_WINDOWS;
use crate::report::output::Item;
use crate::report::record::SensorEvent;
use crate::report::roster::Roster;
use crate::report::sinks::{BATCH_BYTES, Sinks, SinksConfig, Tally};
use crate::report::summary::Summary;
use crate::report::vitals::Vitals;
use crate::site::Site;

/// How a sensor is set up.
#[derive(Debug, Clone)]
pub struct SensorOptions {
    /// From frames to operations.
    pub pipeline: PipelineOptions,
    /// Limits of a shard's detections.
    pub detect: DetectLimits,
    /// Windows of repeated findings of a shard.
    pub windows: usize,
    /// Threads that work on the shards, besides the one that reads; with one, the reading thread does it.
    pub workers: usize,
    /// Packets that are handed to the workers together.
    pub round: usize,
    /// Packet time in nanoseconds after which they are handed over though they are fewer (live).
    pub round_ns: Option<u64>,
    /// Label sets that a family of metrics with stations exposes at most, where that is not the limit of the
    /// catalogue.
    pub series_per_family: Option<usize>,
}

impl Default for SensorOptions {
    fn default() -> Self {
        SensorOptions {
            pipeline: PipelineOptions::default(),
            detect: DetectLimits::default(),
            windows: FOLD_WINDOWS,
            workers: 1,
            round: 2048,
            round_ns: None,
            series_per_family: None,
        }
    }
}

/// From frames to findings, the event log and the figures.
pub struct Sensor {
    front: Front,
    hands: Hands,
    site: Site,
    desk: Desk,
    sinks: Sinks,
    tally: Tally,
    profile: Option<Arc<Compiled>>,
    /// What the reading thread could not see, as far as the sinks were told.
    told: [u64; 6],
    finished: bool,
}

/// Who works on the shards.
enum Hands {
    /// The reading thread itself: nothing is queued and nothing copied.
    Own(Box<Crew<Monitor>>),
    /// Threads.
    Workers(Box<Workers>),
}

/// What the reading thread itself finds.
struct Desk {
    detector: Detector,
    log: ShardLog,
    journal: Journal,
}

impl Desk {
    fn sink(&mut self) -> ToLog<'_> {
        ToLog { log: &mut self.log, journal: &mut self.journal }
    }
}

/// How long a request may stay unanswered: `answer_timeout` of the profile, at least 10 ms.
fn answer_timeout_ns(profile: Option<&Compiled>) -> u64 {
    let seconds =
        profile.map_or_else(|| Thresholds::default().answer_timeout, |p| p.thresholds().answer_timeout);
    (seconds.max(0.01) * 1e9) as u64
}

impl Sensor {
    /// A sensor that judges with `profile`; without one only findings that need none are raised. Its workers
    /// begin with the first frame, or with [`Sensor::start`].
    pub fn new(options: &SensorOptions, profile: Option<Arc<Compiled>>, config: SinksConfig) -> Sensor {
        let mut sinks = Sinks::new(config);
        let roster = Arc::new(Roster::of(profile.as_deref()));
        sinks.set_site(profile.clone(), Arc::clone(&roster));
        let workers = options.workers.clamp(1, MAX_WORKERS);
        let mut pipeline = options.pipeline.clone();
        pipeline.sessions.answer_timeout_ns = answer_timeout_ns(profile.as_deref());
        let crew = |first: usize, step: usize| {
            let part = (first, step);
            let monitor =
                Monitor::new(profile.as_ref(), options.detect, sinks.journal(), options.windows, part);
            Crew::new(&pipeline, monitor, first, step)
        };
        let hands = if workers == 1 {
            Hands::Own(Box::new(crew(0, 1)))
        } else {
            let groups = groups_for(workers);
            let crews = (0..groups).map(|group| crew(group, groups)).collect();
            Hands::Workers(Box::new(Workers::new(crews, workers, options.round, options.round_ns)))
        };
        let desk = Desk {
            detector: Detector::limited(profile.clone(), options.detect),
            log: ShardLog::new(Arc::clone(&roster)).with_windows(options.windows),
            journal: sinks.journal(),
        };
        Sensor {
            front: Front::new(&options.pipeline),
            hands,
            site: Site::new(profile.as_deref(), options.pipeline.ports.clone()),
            desk,
            sinks,
            tally: Tally::new(roster, options.series_per_family),
            profile,
            told: [0; 6],
            finished: false,
        }
    }

    /// Start the workers, on threads that may do what this one may (its seccomp filters are theirs).
    ///
    /// # Errors
    /// A thread cannot be started.
    pub fn start(&mut self) -> io::Result<()> {
        match &mut self.hands {
            Hands::Own(_) => Ok(()),
            Hands::Workers(workers) => workers.start(),
        }
    }

    /// Take one frame through the whole way.
    // not inlined: beside the reader there are not registers enough
    #[inline(never)]
    pub fn frame(&mut self, frame: &Frame<'_>) {
        if let Some(seconds) = self.front.arrived(frame) {
            self.seconds(&seconds);
        }
        let act = self.front.next_act();
        if let Some(plain) = &self.front.plain(frame) {
            if self.front.is_copy(frame.at, plain) {
                return;
            }
            self.desk.journal.out.enter(Place::before(act));
            self.site.plain(frame, plain, &mut self.desk.sink());
            match &mut self.hands {
                Hands::Own(crew) => crew.plain(act, frame, plain),
                Hands::Workers(workers) => {
                    let packet = plain.packet(frame.place);
                    workers.packet(act, shard_of(&packet), frame.place, frame.at, &packet);
                }
            }
        } else {
            self.other(act, frame);
        }
        self.settle();
    }

    /// A frame that is no plain one.
    #[inline(never)]
    fn other(&mut self, act: u64, frame: &Frame<'_>) {
        if let Some(packet) = &self.front.packet(frame) {
            self.desk.journal.out.enter(Place::before(act));
            self.site.packet(frame.at, frame.place, packet, &mut self.desk.sink());
            let shard = shard_of(packet);
            match &mut self.hands {
                Hands::Own(crew) => crew.packet(act, shard, frame.place, frame.at, packet),
                Hands::Workers(workers) => workers.packet(act, shard, frame.place, frame.at, packet),
            }
        }
        if let Some(anomaly) = self.front.take_anomaly() {
            self.desk.journal.out.enter(Place::after(act));
            let Desk { detector, log, journal } = &mut self.desk;
            detector.encapsulation(&anomaly, &mut ToLog { log, journal });
        }
    }

    /// Nothing came until `now`: let what is due fall due, and what waits be done.
    pub fn idle(&mut self, now: Timestamp) {
        if let Some(seconds) = self.front.paused(now) {
            self.seconds(&seconds);
        }
        self.drain();
    }

    /// Packet time has passed whole seconds.
    #[cold]
    fn seconds(&mut self, seconds: &Seconds) {
        self.tell_front(seconds.act, seconds.first);
        // Time that jumps by years passes at once, as it does in the shards.
        let mut from = if seconds.count() > SECONDS_AT_MOST { seconds.last } else { seconds.first };
        let due = |site: &Site, desk: &Desk, front: &Front| {
            let all = [site.next_due(), desk.log.due(), front.pause_told_at()];
            all.into_iter().flatten().min().unwrap_or(Timestamp(u64::MAX))
        };
        while let Some(second) = seconds.at_or_after(due(&self.site, &self.desk, &self.front), from) {
            if self.front.pause_told_at().is_some_and(|at| at <= second) {
                self.front.count_pause();
                self.tell_front(seconds.act_of(second), second);
            }
            self.desk.journal.out.enter(Place::before(seconds.act_of(second)));
            let Desk { log, journal, .. } = &mut self.desk;
            self.site.tick(second, &mut ToLog { log, journal });
            log.tick(journal, second);
            from = second.plus(SECOND);
        }
        self.sinks.time(seconds.last);
        match &mut self.hands {
            Hands::Own(crew) => crew.seconds(seconds),
            Hands::Workers(workers) => workers.seconds(seconds),
        }
        self.settle();
    }

    /// Let the sinks know what the reading thread could not see.
    fn tell_front(&mut self, act: u64, now: Timestamp) {
        let decap = self.front.decap_counters();
        let counts = [
            self.front.counters().pauses,
            self.front.counters().truncated,
            decap.undecodable,
            decap.fragments_expired + decap.fragments_evicted + decap.fragments_limit,
            self.front.duplicates_forgotten(),
            self.site.overflowed(),
        ];
        if counts != self.told {
            self.told = counts;
            self.desk.journal.out.enter(Place::before(act));
            self.desk.journal.out.tell(Item::Front(now, counts));
        }
    }

    /// An act is done: hand over what it brought, if it is time.
    #[inline]
    fn settle(&mut self) {
        match &mut self.hands {
            Hands::Own(crew) => {
                let out = &mut crew.consumer().journal.out;
                if self.desk.journal.out.is_empty() {
                    if out.is_urgent(BATCH_BYTES) {
                        self.sinks.take(&mut [out]);
                    }
                } else {
                    self.sinks.take(&mut [&mut self.desk.journal.out, out]);
                }
            }
            Hands::Workers(workers) => {
                if workers.is_round_full() {
                    workers.hand_over(&mut self.desk.journal.out, &mut self.sinks);
                }
            }
        }
    }

    /// Wait until everything read so far is done and taken by the sinks.
    fn drain(&mut self) {
        match &mut self.hands {
            Hands::Own(crew) => {
                self.sinks.take(&mut [&mut self.desk.journal.out, &mut crew.consumer().journal.out]);
            }
            Hands::Workers(workers) => workers.drain(&mut self.desk.journal.out, &mut self.sinks),
        }
    }

    /// Close every flow, end every window: all that is said now stands in the log.
    pub fn finish(&mut self) {
        self.finished = true;
        self.front.finish();
        let now = self.front.now();
        let act = self.front.next_act();
        self.tell_front(act, now);
        match &mut self.hands {
            Hands::Own(crew) => crew.finish(act, now),
            Hands::Workers(workers) => workers.finish(act, now),
        }
        self.desk.journal.out.enter(Place::after(act));
        self.desk.log.end(&mut self.desk.journal);
        self.drain();
        self.sinks.end();
    }

    /// Another profile is in force from the next frame on, in all shards alike.
    pub fn set_profile(&mut self, profile: Option<Arc<Compiled>>) {
        let roster = Arc::new(Roster::of(profile.as_deref()));
        // What was said before was said under the old name.
        self.drain();
        self.sinks.set_profile(profile.as_deref());
        self.sinks.set_site(profile.clone(), Arc::clone(&roster));
        self.desk.journal.set_profile(profile.as_deref());
        self.desk.log.set_roster(Arc::clone(&roster));
        self.tally.set_roster(Arc::clone(&roster));
        self.desk.detector.set_profile(profile.clone());
        self.site.set_profile(profile.as_deref());
        let timeout_ns = answer_timeout_ns(profile.as_deref());
        self.each_crew(|crew| {
            crew.consumer().set_profile(profile.as_ref(), &roster);
            crew.set_answer_timeout(timeout_ns);
            crew.ask_again();
        });
        self.profile = profile;
    }

    /// Add up every value that operations carry, from here on.
    pub fn sum_values(&mut self) {
        self.each_crew(|crew| crew.consumer().sum_values());
    }

    /// What all values come to, if they are added up: the same with any number of workers.
    pub fn checksum(&mut self) -> Checksum {
        let mut sum = Checksum::default();
        self.each_crew(|crew| {
            if let Some(checksum) = crew.consumer().checksum() {
                sum.add(checksum);
            }
        });
        sum
    }

    /// The profile in force.
    pub fn profile(&self) -> Option<&Arc<Compiled>> {
        self.profile.as_ref()
    }

    /// Hosts that sent, those that the profile names and the others.
    pub(super) fn hosts(&self) -> (usize, usize) {
        self.site.hosts_by_name()
    }

    /// Hosts judged without memory because the inventory was full.
    pub(super) fn hosts_forgotten(&self) -> u64 {
        self.site.overflowed()
    }

    /// The taps lost frames at about `now`: all shards know from the next frame on.
    fn dropped(&mut self, now: Timestamp) {
        self.drain();
        self.site.dropped(now);
        self.desk.detector.dropped(now);
        self.each_crew(|crew| crew.consumer().dropped(now));
    }

    /// Say what went wrong at the taps, on standard error and in the event log.
    pub fn tell_trouble(&mut self, taps: &[String], troubles: &[Trouble]) {
        let now = self.now();
        for trouble in troubles {
            let tap = taps.get(usize::from(trouble.tap)).map(String::as_str);
            let shown = tap.unwrap_or("?");
            let mut figures = [("", 0)];
            let (what, message) = match &trouble.kind {
                TroubleKind::Damaged { offset, reason } => {
                    tracing::warn!("{shown}: damaged at offset {offset}: {reason}; read up to there");
                    figures = [("offset_octets", *offset)];
                    ("capture_damaged", format!("the capture is damaged at offset {offset}: {reason}"))
                }
                TroubleKind::KernelDrops(count) => {
                    tracing::warn!("{shown}: {count} packets lost");
                    self.dropped(now);
                    figures = [("dropped_packets", *count)];
                    ("frames_dropped", format!("{count} packets were lost before gridtap could read them"))
                }
                TroubleKind::TapLost(reason) => {
                    tracing::error!("{shown}: lost: {reason}");
                    self.dropped(now);
                    ("tap_lost", format!("the tap is lost: {reason}"))
                }
            };
            let figures = if figures[0].0.is_empty() { &[] } else { &figures[..] };
            let message = format_args!("{message}");
            self.tell(&SensorEvent { at: now, what, capture: tap, message, figures });
        }
    }

    /// Write something about the sensor itself, behind all that was said so far.
    pub fn tell(&mut self, event: &SensorEvent<'_>) {
        let act = self.front.next_act();
        self.desk.journal.out.enter(Place::before(act));
        self.desk.journal.sensor(event);
    }

    /// Hand what waits to the writer of the event log.
    pub fn flush(&mut self) {
        match &mut self.hands {
            Hands::Own(_) => self.drain(),
            Hands::Workers(workers) => workers.flush(&mut self.desk.journal.out, &mut self.sinks),
        }
        self.sinks.flush();
    }

    /// Publish the figures for `/metrics`. About once a second.
    pub fn publish(&mut self, vitals: &Vitals) {
        self.count();
        self.sinks.publish(&self.tally, vitals);
    }

    /// Whether the event log was given up for good.
    pub fn log_failed(&self) -> bool {
        self.sinks.log_failed()
    }

    /// Everything that was counted.
    pub fn tally(&mut self) -> &Tally {
        self.count();
        &self.tally
    }

    /// End: write everything that waits, and sum up. The error is that of the event log.
    pub fn close(mut self, vitals: &Vitals) -> (Summary, io::Result<()>) {
        if !self.finished {
            self.finish();
        }
        self.drain();
        self.count();
        let now = self.now();
        self.sinks.finish(now, &self.tally, vitals)
    }

    /// Add up what was counted, shard by shard.
    fn count(&mut self) {
        let tally = &mut self.tally;
        tally.reset();
        tally.add(&self.desk.log);
        tally.add(self.sinks.group_log());
        match &mut self.hands {
            Hands::Own(crew) => {
                let monitor = crew.consumer_ref();
                (0..SHARDS).filter_map(|shard| monitor.log(shard)).for_each(|log| tally.add(log));
            }
            Hands::Workers(workers) => {
                let crews = workers.lock();
                for shard in 0..SHARDS {
                    let logs = crews.iter().filter_map(|crew| crew.consumer_ref().log(shard));
                    logs.for_each(|log| tally.add(log));
                }
            }
        }
    }

    fn each_crew(&mut self, mut each: impl FnMut(&mut Crew<Monitor>)) {
        match &mut self.hands {
            Hands::Own(crew) => each(crew),
            Hands::Workers(workers) => workers.lock().iter_mut().for_each(|crew| each(crew)),
        }
    }

    /// Counters of the shards, added up; what full tables could not remember; and how many
    /// flows there is room for.
    pub(super) fn shards(&self) -> (FlowCounters, WorkerCounters, Forgotten, usize) {
        let mut sum = (FlowCounters::default(), WorkerCounters::default(), Forgotten::default(), 0);
        let mut add = |crew: &Crew<Monitor>| {
            sum.0.add(&crew.flow_counters());
            sum.1.add(crew.worker_counters());
            let forgotten = crew.consumer_ref().forgotten();
            sum.2.iter_mut().zip(forgotten).for_each(|(sum, count)| *sum += count);
            sum.3 += crew.flow_capacity();
        };
        match &self.hands {
            Hands::Own(crew) => add(crew),
            Hands::Workers(workers) => workers.lock().iter().for_each(|crew| add(crew)),
        }
        sum
    }

    pub(super) fn stations_untold(&self) -> u64 {
        self.sinks.stations_untold()
    }

    pub(super) fn restarts_forgotten(&self) -> u64 {
        self.sinks.restarts_forgotten()
    }

    /// The time it is: of the last frame, or of the last pause if that was later.
    pub fn now(&self) -> Timestamp {
        self.front.now()
    }

    /// Frames read.
    pub fn counters(&self) -> &FrameCounters {
        self.front.counters()
    }

    /// Frames read from one tap.
    pub fn tap(&self, tap: usize) -> FrameCounters {
        self.front.tap(tap)
    }

    /// Counters of decapsulation.
    pub fn decap_counters(&self) -> &crate::decap::DecapCounters {
        self.front.decap_counters()
    }
}

impl Intake for Sensor {
    #[inline]
    fn frame(&mut self, frame: &Frame<'_>) {
        Sensor::frame(self, frame);
    }
    fn idle(&mut self, now: Timestamp) {
        Sensor::idle(self, now);
    }
    fn finish(&mut self) {
        Sensor::finish(self);
    }
}
