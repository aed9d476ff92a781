//! The loop: frame in, packet out of its wrappings, flow, session, consumer.
//!
//! ```text
//! Frame --> Front (counted, unwrapped, seen twice?) --> shard --> Crew (flows, sessions) --> Consumer
//!            plain segment of a known flow, next in order -----> the same flow, without all that stands between
//! ```
//!
//! A [`Pipeline`] runs all of it on the thread that reads the frames, for one consumer: nothing is queued
//! between the layers and nothing is copied but what arrives out of order. What is done with operations is
//! the [`Consumer`]'s business: `dissect` prints them, `learn` collects them. The monitor
//! ([`crate::monitor::Sensor`]) judges them, on one thread or on several, with the same parts.

mod by_segment;
mod carry;
mod crew;
mod front;
mod probing;
mod spots;
mod worker;

pub use by_segment::SegmentReader;
pub(crate) use crew::SECONDS_AT_MOST;
pub use crew::{Blind, Crew};
pub use front::FrameCounters;
pub(crate) use front::Front;
pub use worker::{Consumer, FlowContext, FlowState, PortTable, Worker, WorkerCounters};

use parsers::Timestamp;

use crate::capture::{Frame, FrameSource, Next};
use crate::decap::DecapOptions;
use crate::dispatch::shard_of;
use crate::flow::FlowLimits;

/// How the pipeline is set up.
#[derive(Debug, Clone)]
pub struct PipelineOptions {
    /// Ports on which a protocol is expected.
    pub ports: PortTable,
    /// Limits of the flow tables, all shards together.
    pub flows: FlowLimits,
    /// Limits of a session.
    pub sessions: parsers::Limits,
    /// Decapsulation.
    pub decap: DecapOptions,
    /// Recognise frames seen twice and judge them once.
    pub deduplicate: bool,
}

impl Default for PipelineOptions {
    fn default() -> Self {
        PipelineOptions {
            ports: PortTable::default(),
            flows: FlowLimits::default(),
            sessions: parsers::Limits::default(),
            decap: DecapOptions::default(),
            deduplicate: true,
        }
    }
}

/// Takes frames.
pub trait Intake {
    /// Take one frame through the whole way.
    fn frame(&mut self, frame: &Frame<'_>);
    /// Nothing came until `now`: let what is due fall due.
    fn idle(&mut self, now: Timestamp);
    /// No frames will come any more.
    fn finish(&mut self);
}

/// From frames to a consumer, on one thread.
pub struct Pipeline<C: Consumer> {
    front: Front,
    crew: Crew<C>,
}

impl<C: Consumer> Pipeline<C> {
    /// A pipeline that hands everything to `consumer`.
    pub fn new(options: &PipelineOptions, consumer: C) -> Pipeline<C> {
        Pipeline { front: Front::new(options), crew: Crew::new(options, consumer, 0, 1) }
    }

    /// Take one frame through the whole way.
    // not inlined: beside the reader there are not registers enough
    #[inline(never)]
    pub fn frame(&mut self, frame: &Frame<'_>) {
        if let Some(seconds) = self.front.arrived(frame) {
            self.crew.seconds(&seconds);
        }
        let act = self.front.next_act();
        let Some(plain) = &self.front.plain(frame) else { return self.other(act, frame) };
        if self.front.is_copy(frame.at, plain) {
            return;
        }
        if self.crew.consumer_ref().reads_packets() {
            self.crew.consumer().packet(frame.at, &plain.packet(frame.place));
        }
        self.crew.plain(act, frame, plain);
    }

    /// A frame that is no plain one.
    #[inline(never)]
    fn other(&mut self, act: u64, frame: &Frame<'_>) {
        if let Some(packet) = &self.front.packet(frame) {
            self.crew.consumer().packet(frame.at, packet);
            self.crew.packet(act, shard_of(packet), frame.place, frame.at, packet);
        }
        if let Some(anomaly) = self.front.take_anomaly() {
            self.crew.consumer().encapsulation(&anomaly);
        }
    }

    /// Nothing came until `now`: let what is due fall due.
    pub fn idle(&mut self, now: Timestamp) {
        if let Some(seconds) = self.front.paused(now) {
            self.crew.seconds(&seconds);
        }
    }

    /// Close every flow.
    pub fn finish(&mut self) {
        self.front.finish();
        let act = self.front.next_act();
        self.crew.finish(act, self.front.now());
    }

    /// Frames read from one tap.
    pub fn tap(&self, tap: usize) -> FrameCounters {
        self.front.tap(tap)
    }

    /// The time it is in the pipeline: of the last frame, or of the last pause if that was later.
    pub fn now(&self) -> Timestamp {
        self.front.now()
    }

    /// The consumer.
    pub fn consumer(&mut self) -> &mut C {
        self.crew.consumer()
    }

    /// The consumer, to look at.
    pub fn consumer_ref(&self) -> &C {
        self.crew.consumer_ref()
    }

    /// Frames read.
    pub fn counters(&self) -> &FrameCounters {
        self.front.counters()
    }

    /// Counters of decapsulation.
    pub fn decap_counters(&self) -> &crate::decap::DecapCounters {
        self.front.decap_counters()
    }

    /// Counters of the flow tables.
    pub fn flow_counters(&self) -> crate::flow::FlowCounters {
        self.crew.flow_counters()
    }

    /// Counters of sessions and probing.
    pub fn worker_counters(&self) -> &WorkerCounters {
        self.crew.worker_counters()
    }

    /// The consumer, when all is done.
    pub fn into_consumer(self) -> C {
        self.crew.into_consumer()
    }
}

impl<C: Consumer> Intake for Pipeline<C> {
    #[inline]
    fn frame(&mut self, frame: &Frame<'_>) {
        Pipeline::frame(self, frame);
    }
    fn idle(&mut self, now: Timestamp) {
        Pipeline::idle(self, now);
    }
    fn finish(&mut self) {
        Pipeline::finish(self);
    }
}

/// Read a source to its end. `after` is called now and then (progress, trouble), at least every
/// `PACE` frames and whenever the source is idle; it returns false to stop.
///
/// # Errors
/// What the source reports.
pub fn run<S: FrameSource, I: Intake>(
    source: &mut S,
    intake: &mut I,
    mut after: impl FnMut(&mut S, &mut I) -> bool,
) -> std::io::Result<()> {
    /// Frames between two calls of `after`.
    const PACE: u32 = 4096;
    let mut until = PACE;
    loop {
        match source.next()? {
            Next::Frame(frame) => {
                intake.frame(&frame);
                until -= 1;
                if until > 0 {
                    continue;
                }
            }
            Next::Idle(now) => intake.idle(now),
            Next::End => break,
        }
        until = PACE;
        if !after(source, intake) {
            break;
        }
    }
    after(source, intake);
    intake.finish();
    Ok(())
}
