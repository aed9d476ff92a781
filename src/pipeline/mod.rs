//! The loop: frame in, packet out of its wrappings, flow, session, consumer.
//!
//! One [`Pipeline`] runs on the thread that reads the frames; nothing is queued between the layers and
//! nothing is copied but what arrives out of order. What is done with operations is the [`Consumer`]'s
//! business: the monitor judges them, `dissect` prints them, the benchmark adds them up.

mod by_segment;
mod carry;
mod probing;
mod worker;

pub use by_segment::SegmentReader;
pub use worker::{Consumer, FlowContext, FlowState, PortTable, Worker, WorkerCounters};

use parsers::Timestamp;

use crate::capture::{Frame, FrameSource, Next};
use crate::decap::{DecapOptions, Decapsulator};
use crate::dedup::Deduplicator;
use crate::flow::{FlowLimits, FlowTable};

/// How the pipeline is set up.
#[derive(Debug, Clone)]
pub struct PipelineOptions {
    /// Ports on which a protocol is expected.
    pub ports: PortTable,
    /// Limits of the flow table.
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

/// From frames to a consumer.
pub struct Pipeline<C: Consumer> {
    decap: Decapsulator,
    dedup: Option<Deduplicator>,
    flows: FlowTable<FlowState>,
    worker: Worker<C>,
    counters: FrameCounters,
    taps: Vec<FrameCounters>,
    flow_capacity: usize,
    /// Time of the last pause.
    idle: Timestamp,
    /// The consumer is told when this is reached.
    next_second: Timestamp,
}

/// What the pipeline read, by frame.
#[derive(Debug, Clone, Copy, Default)]
pub struct FrameCounters {
    /// Frames read.
    pub frames: u64,
    /// Their octets on the wire.
    pub wire_octets: u64,
    /// Frames cut by the snap length.
    pub truncated: u64,
    /// Frames seen before and not judged again.
    pub duplicates: u64,
    /// Packet time of the last frame.
    pub last_frame: Timestamp,
    /// Times that no frame came for half a minute and for far longer than ever before.
    pub pauses: u64,
    /// The longest time without a frame, in nanoseconds.
    pub longest_pause_ns: u64,
}

impl FrameCounters {
    #[inline]
    fn add(&mut self, frame: &Frame<'_>) {
        self.frames += 1;
        self.wire_octets += u64::from(frame.wire_len);
        self.last_frame = frame.at;
        self.truncated += u64::from((frame.bytes.len() as u64) < u64::from(frame.wire_len));
    }

    /// No frame came from `seen` until `now`. Pauses that are usual at this tap are no news.
    fn pause(&mut self, seen: Timestamp, now: Timestamp) {
        const LONG_NS: u64 = 30_000_000_000;
        if seen == Timestamp::default() {
            return;
        }
        let pause = now.since(seen);
        self.pauses += u64::from(pause >= LONG_NS && pause / 3 > self.longest_pause_ns);
        self.longest_pause_ns = self.longest_pause_ns.max(pause);
    }
}

impl<C: Consumer> Pipeline<C> {
    /// A pipeline that hands everything to `consumer`.
    pub fn new(options: &PipelineOptions, consumer: C) -> Pipeline<C> {
        Pipeline {
            decap: Decapsulator::new(options.decap.clone()),
            dedup: options.deduplicate.then(Deduplicator::default),
            flows: FlowTable::new(options.flows.clone(), options.ports.all_ports()),
            worker: Worker::new(options.ports.clone(), options.sessions, consumer),
            counters: FrameCounters::default(),
            taps: Vec::new(),
            flow_capacity: options.flows.flows,
            idle: Timestamp::default(),
            next_second: Timestamp::default(),
        }
    }

    /// Take one frame through the whole way.
    #[inline]
    pub fn frame(&mut self, frame: &Frame<'_>) {
        let seen = self.counters.last_frame;
        self.counters.add(frame);
        let tap = usize::from(frame.place.tap);
        match self.taps.get_mut(tap) {
            Some(counters) => counters.add(frame),
            None => self.first_of_tap(tap, frame),
        }
        self.flows.advance(frame.at, &mut self.worker);
        if frame.at >= self.next_second {
            self.second(frame.at, seen);
        }
        self.packet(frame);
        if let Some(anomaly) = self.decap.take_anomaly() {
            self.worker.consumer().encapsulation(&anomaly);
        }
    }

    #[inline]
    fn packet(&mut self, frame: &Frame<'_>) {
        let Some(packet) = &self.decap.decapsulate(frame) else { return };
        if let Some(dedup) = &mut self.dedup
            && dedup.is_duplicate(frame.at, packet)
        {
            self.counters.duplicates += 1;
            return;
        }
        self.flows.packet(frame.place, frame.at, packet, &mut self.worker);
    }

    /// Packet time passed a whole second, perhaps many at once. The last frame before came at `seen`.
    fn second(&mut self, now: Timestamp, seen: Timestamp) {
        const SECOND: u64 = 1_000_000_000;
        self.counters.pause(seen, now);
        let second = Timestamp(now.0 / SECOND * SECOND);
        self.next_second = second.plus(SECOND);
        self.worker.consumer().tick(second, seen);
    }

    #[cold]
    fn first_of_tap(&mut self, tap: usize, frame: &Frame<'_>) {
        self.taps.resize(tap + 1, FrameCounters::default());
        self.taps[tap].add(frame);
    }

    /// Frames read from one tap.
    pub fn tap(&self, tap: usize) -> FrameCounters {
        self.taps.get(tap).copied().unwrap_or_default()
    }

    /// Packets forgotten while a copy of them could still have come: it would be judged again.
    pub fn duplicates_forgotten(&self) -> u64 {
        self.dedup.as_ref().map_or(0, Deduplicator::forgotten)
    }

    /// How many flows the table holds at most.
    pub fn flow_capacity(&self) -> usize {
        self.flow_capacity
    }

    /// Nothing came until `now`: let what is due fall due.
    pub fn idle(&mut self, now: Timestamp) {
        self.idle = now;
        self.decap.tick(now);
        self.flows.advance(now, &mut self.worker);
        if now >= self.next_second {
            self.second(now, self.counters.last_frame);
        }
    }

    /// The time it is in the pipeline: of the last frame, or of the last pause if that was later.
    pub fn now(&self) -> Timestamp {
        self.counters.last_frame.max(self.idle)
    }

    /// Close every flow.
    pub fn finish(&mut self) {
        self.decap.finish();
        self.flows.finish(&mut self.worker);
    }

    /// The consumer.
    pub fn consumer(&mut self) -> &mut C {
        self.worker.consumer()
    }

    /// The consumer, to look at.
    pub fn consumer_ref(&self) -> &C {
        self.worker.consumer_ref()
    }

    /// Frames read.
    pub fn counters(&self) -> &FrameCounters {
        &self.counters
    }

    /// Counters of decapsulation.
    pub fn decap_counters(&self) -> &crate::decap::DecapCounters {
        self.decap.counters()
    }

    /// Counters of the flow table.
    pub fn flow_counters(&self) -> &crate::flow::FlowCounters {
        self.flows.counters()
    }

    /// Counters of sessions and probing.
    pub fn worker_counters(&self) -> &WorkerCounters {
        self.worker.counters()
    }

    /// The consumer, when all is done.
    pub fn into_consumer(self) -> C {
        self.worker.into_consumer()
    }
}

/// Read a source to its end. `after` is called now and then (progress, trouble), at least every
/// `PACE` frames and whenever the source is idle; it returns false to stop.
///
/// # Errors
/// What the source reports.
pub fn run<C: Consumer>(
    source: &mut dyn FrameSource,
    pipeline: &mut Pipeline<C>,
    mut after: impl FnMut(&mut dyn FrameSource, &mut Pipeline<C>) -> bool,
) -> std::io::Result<()> {
    /// Frames between two calls of `after`.
    const PACE: u32 = 4096;
    let mut until = PACE;
    loop {
        match source.next()? {
            Next::Frame(frame) => {
                pipeline.frame(&frame);
                until -= 1;
                if until > 0 {
                    continue;
                }
            }
            Next::Idle(now) => pipeline.idle(now),
            Next::End => break,
        }
        until = PACE;
        if !after(source, pipeline) {
            break;
        }
    }
    after(source, pipeline);
    pipeline.finish();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_of_the_whole_tap_is_told_when_it_is_far_longer_than_any_before() {
        let mut counters = FrameCounters::default();
        let at = |seconds: u64| Timestamp((1_700_000_000 + seconds) * 1_000_000_000);
        counters.pause(Timestamp::default(), at(0));
        let mut now = 0;
        let mut told = |seconds: u64| {
            counters.pause(at(now), at(now + seconds));
            now += seconds;
            counters.pauses
        };
        assert_eq!([1, 20, 1, 50].map(&mut told), [0, 0, 0, 0], "not yet, or not far longer than usual");
        assert_eq!([200, 200, 1, 599].map(&mut told), [1, 1, 1, 1]);
        assert_eq!([600, 1801].map(&mut told), [1, 2]);
    }
}
