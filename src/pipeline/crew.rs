//! The shards that one thread works on.

use parsers::{FrameRef, Timestamp};

use super::spots::Spots;
use super::{Consumer, FlowState, PipelineOptions, Worker, WorkerCounters};
use crate::capture::Frame;
use crate::decap::{Bare, Packet, Plain};
use crate::dispatch::{SECOND, SHARDS, Seconds, shard_of};
use crate::flow::{FlowCounters, FlowTable};

/// Seconds of one leap of packet time in which shards are called one by one. A longer leap ends with one
/// call: whatever is due by then is due at once.
pub(crate) const SECONDS_AT_MOST: u64 = 100_000;

/// What the tables of a shard could not see or hold, so far.
pub type Blind = [u64; 4];

/// Shards `first`, `first + step` and so on, with their flows, sessions and consumer.
pub struct Crew<C> {
    tables: Vec<FlowTable<FlowState>>,
    first: usize,
    step: usize,
    worker: Worker<C>,
    /// Where flows were met last.
    spots: Spots,
    /// What the consumer has been told of, by table.
    told: Vec<Blind>,
}

impl<C: Consumer> Crew<C> {
    /// A crew for its part of the shards.
    pub fn new(options: &PipelineOptions, consumer: C, first: usize, step: usize) -> Crew<C> {
        let limits = options.flows.of_shard(SHARDS);
        let ports = options.ports.all_ports();
        let spots = Spots::new(!limits.vlan_in_key, step);
        let table = |shard: usize| {
            FlowTable::new(limits.clone(), ports.clone()).numbered(shard as u64, SHARDS as u64)
        };
        let tables: Vec<_> = (first..SHARDS).step_by(step).map(table).collect();
        Crew {
            told: vec![Blind::default(); tables.len()],
            spots,
            tables,
            first,
            step,
            worker: Worker::new(options.ports.clone(), options.sessions, consumer),
        }
    }

    /// Requests from here on may stay unanswered for so long.
    pub fn set_answer_timeout(&mut self, ns: u64) {
        self.worker.set_answer_timeout(ns);
        let states = self.tables.iter_mut().flat_map(FlowTable::states);
        states.for_each(|(_, state)| state.set_answer_timeout(ns));
    }

    /// What the consumer knows of the flows may have changed.
    pub fn ask_again(&mut self) {
        let states = self.tables.iter_mut().flat_map(FlowTable::states);
        states.for_each(|(flow, state)| self.worker.ask_again(flow, state));
    }

    /// A plain segment, whichever its shard is. In a flow that was met lately, and next in order, it goes straight
    /// to its session; any other goes the way of all packets.
    #[inline(always)]
    pub(crate) fn plain(&mut self, act: u64, frame: &Frame<'_>, plain: &Plain<'_>) {
        if !self.short(act, frame.place, frame.at, &plain.bare) {
            let packet = plain.packet(frame.place);
            self.usual(act, shard_of(&packet), frame.place, frame.at, &packet);
        }
    }

    /// A packet of one of its shards.
    pub fn packet(&mut self, act: u64, shard: usize, frame: FrameRef, at: Timestamp, packet: &Packet<'_>) {
        if !packet.bare().is_some_and(|bare| self.short(act, frame, at, &bare)) {
            self.usual(act, shard, frame, at, packet);
        }
    }

    /// Whether a plain segment was next in a flow that was met lately; otherwise nothing has become of it.
    // not inlined: the registers are needed
    #[inline(never)]
    fn short(&mut self, act: u64, frame: FrameRef, at: Timestamp, segment: &Bare<'_>) -> bool {
        let Some(entry) = self.spots.of(segment) else { return false };
        let Some(table) = self.tables.get_mut(usize::from(entry.table)) else { return false };
        self.worker.consumer().enter(usize::from(entry.shard), act);
        table.next(frame, at, entry.spot, segment, &mut self.worker)
    }

    #[inline(never)]
    fn usual(&mut self, act: u64, shard: usize, frame: FrameRef, at: Timestamp, packet: &Packet<'_>) {
        self.worker.consumer().enter(shard, act);
        let n = (shard - self.first) / self.step;
        if let Some(table) = self.tables.get_mut(n)
            && let Some(spot) = table.packet(frame, at, packet, &mut self.worker)
            && let Some(segment) = packet.bare()
        {
            self.spots.put(&segment, (shard, n), spot);
        }
    }

    /// Packet time has passed whole seconds: shards are called at those at which something of theirs is due.
    pub fn seconds(&mut self, seconds: &Seconds) {
        let mut from = seconds.first;
        if seconds.count() > SECONDS_AT_MOST {
            from = seconds.last;
        }
        while let Some(second) = self.next_due(seconds, from) {
            self.worker.consumer().tick(second, seconds.seen);
            for n in 0..self.tables.len() {
                if self.due(n).is_some_and(|due| due <= second) {
                    self.second(n, seconds.act_of(second), second);
                }
            }
            from = second.plus(SECOND);
        }
        if from <= seconds.last {
            self.worker.consumer().tick(seconds.last, seconds.seen);
        }
    }

    fn next_due(&self, seconds: &Seconds, from: Timestamp) -> Option<Timestamp> {
        let due = (0..self.tables.len()).filter_map(|n| self.due(n)).min()?;
        seconds.at_or_after(due, from)
    }

    /// When shard number `n` of this crew has something to do, if no packet comes.
    fn due(&self, n: usize) -> Option<Timestamp> {
        let table = &self.tables[n];
        let consumer = self.worker.consumer_ref().due(self.shard(n));
        let news = (blind(table.counters()) != self.told[n]).then_some(Timestamp(0));
        [table.next_due(), consumer, news].into_iter().flatten().min()
    }

    fn second(&mut self, n: usize, act: u64, now: Timestamp) {
        let shard = self.shard(n);
        let table = &mut self.tables[n];
        self.worker.consumer().enter(shard, act);
        table.advance(now, &mut self.worker);
        self.worker.consumer().shard_tick(now);
        self.tell_blindness(n, now);
    }

    fn tell_blindness(&mut self, n: usize, now: Timestamp) {
        let blind = blind(self.tables[n].counters());
        let mut fresh = blind;
        for (fresh, told) in fresh.iter_mut().zip(&self.told[n]) {
            *fresh -= told;
        }
        self.told[n] = blind;
        if fresh != Blind::default() {
            self.worker.consumer().blind(now, fresh);
        }
    }

    /// The capture is over: end all flows, shard by shard, in the order in which they began.
    pub fn finish(&mut self, act: u64, now: Timestamp) {
        for n in 0..self.tables.len() {
            self.worker.consumer().enter(self.first + n * self.step, act);
            self.tables[n].finish(&mut self.worker);
            self.worker.consumer().shard_end(now);
            self.tell_blindness(n, now);
        }
    }

    fn shard(&self, n: usize) -> usize {
        self.first + n * self.step
    }

    /// The consumer.
    pub fn consumer(&mut self) -> &mut C {
        self.worker.consumer()
    }

    /// The consumer, to look at.
    pub fn consumer_ref(&self) -> &C {
        self.worker.consumer_ref()
    }

    /// The consumer, when all is done.
    pub fn into_consumer(self) -> C {
        self.worker.into_consumer()
    }

    /// Counters of the flow tables, added up.
    pub fn flow_counters(&self) -> FlowCounters {
        let mut sum = FlowCounters::default();
        self.tables.iter().for_each(|table| sum.add(table.counters()));
        sum
    }

    /// Counters of sessions and probing.
    pub fn worker_counters(&self) -> &WorkerCounters {
        self.worker.counters()
    }

    /// Flows that the tables hold at most.
    pub fn flow_capacity(&self) -> usize {
        self.tables.iter().map(FlowTable::capacity).sum()
    }
}

fn blind(flow: &FlowCounters) -> Blind {
    [flow.gaps, flow.one_way_flows, flow.closed_evicted, flow.tail_overflows + flow.held_overflows]
}
