//! The worker threads, and the rounds in which they work.
//!
//! ```text
//! reading thread                     workers
//!   round n+1: filling
//!   round n    --a batch each-->     shards of worker 0, of worker 1, ...
//!   round n-1: all back? merge  <--  the same batches, with what was said
//! ```
//!
//! A round is a run of acts, split by worker. Its batches come back to the reading thread, which takes
//! rounds one after the other and within a round everything by its place: the order of the packets,
//! whatever the number of workers and the length of a round. The number of batches is fixed and they go
//! round, so nothing is allocated in the steady state and no queue can grow: when the workers cannot keep
//! up, the reading thread waits (live, the ring of the tap takes what comes meanwhile).

use std::collections::VecDeque;
use std::io;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use parsers::{FrameRef, Timestamp};

use super::Seconds;
use super::batch::Batch;
use crate::decap::Packet;
use crate::monitor::Monitor;
use crate::pipeline::Crew;
use crate::report::output::Output;
use crate::report::sinks::Sinks;

/// Workers at most.
pub const MAX_WORKERS: usize = 16;

/// Rounds that are being worked on while the next one is filled.
const ROUNDS: usize = 3;

/// Octets of payload at which a round is handed over though it has few packets.
const ROUND_OCTETS: usize = 1 << 20;

type Shared = Arc<Mutex<Crew<Monitor>>>;

/// The threads that work on the shards.
pub struct Workers {
    workers: Vec<Worker>,
    /// What the reading thread itself said in the round being filled stands in its own output.
    rounds: VecDeque<Round>,
    spare: Vec<Round>,
    packets: usize,
    limit: usize,
    limit_ns: Option<u64>,
    /// Time of the first packet in the round being filled, and of the last.
    times: Option<(Timestamp, Timestamp)>,
}

struct Worker {
    crew: Shared,
    thread: Option<Thread>,
    filling: Batch,
    spare: Vec<Batch>,
}

struct Thread {
    inbox: SyncSender<Batch>,
    outbox: Receiver<Batch>,
    handle: JoinHandle<()>,
}

/// A round that the workers have.
#[derive(Default)]
struct Round {
    /// By worker: nothing was sent, sent, or back.
    batches: Vec<State>,
    own: Output,
}

enum State {
    None,
    Sent,
    Back(Batch),
}

impl Workers {
    /// Workers for these crews, not started yet.
    pub fn new(crews: Vec<Crew<Monitor>>, round: usize, round_ns: Option<u64>) -> Workers {
        let worker = |crew| Worker {
            crew: Arc::new(Mutex::new(crew)),
            thread: None,
            filling: Batch::default(),
            spare: (0..ROUNDS).map(|_| Batch::default()).collect(),
        };
        Workers {
            workers: crews.into_iter().map(worker).collect(),
            rounds: VecDeque::new(),
            spare: Vec::new(),
            packets: 0,
            limit: round.max(1),
            limit_ns: round_ns,
            times: None,
        }
    }

    /// Start the threads, if they are not running.
    ///
    /// # Errors
    /// A thread cannot be started.
    pub fn start(&mut self) -> io::Result<()> {
        for (n, worker) in self.workers.iter_mut().enumerate() {
            if worker.thread.is_some() {
                continue;
            }
            let (inbox, to_do) = sync_channel(ROUNDS);
            let (done, outbox) = sync_channel(ROUNDS);
            let crew = Arc::clone(&worker.crew);
            let handle = std::thread::Builder::new()
                .name(format!("worker-{n}"))
                .spawn(move || work(&crew, &to_do, &done))?;
            worker.thread = Some(Thread { inbox, outbox, handle });
        }
        Ok(())
    }

    /// A packet for the worker that has the shard.
    #[inline]
    pub fn packet(&mut self, act: u64, shard: usize, frame: FrameRef, at: Timestamp, packet: &Packet<'_>) {
        let count = self.workers.len();
        let Some(worker) = self.workers.get_mut(shard % count) else { return };
        worker.filling.packet(act, shard, frame, at, packet);
        self.packets += 1;
        self.packets += self.limit * usize::from(worker.filling.octets() > ROUND_OCTETS);
        self.times = Some((self.times.map_or(at, |(first, _)| first), at));
    }

    /// Whole seconds have passed, for all shards.
    pub fn seconds(&mut self, seconds: &Seconds) {
        self.workers.iter_mut().for_each(|worker| worker.filling.seconds(*seconds));
        // Time that passes without packets fills rounds too.
        self.packets += 1;
    }

    /// The capture is over.
    pub fn finish(&mut self, act: u64, now: Timestamp) {
        self.workers.iter_mut().for_each(|worker| worker.filling.finish(act, now));
    }

    /// Whether it is time to hand over the round.
    #[inline]
    pub fn is_round_full(&self) -> bool {
        self.packets >= self.limit
            || self.limit_ns.zip(self.times).is_some_and(|(limit, (first, last))| last.since(first) >= limit)
    }

    /// Hand the round to the workers, with what the reading thread itself said in it, and take the rounds
    /// that are done.
    pub fn hand_over(&mut self, own: &mut Output, sinks: &mut Sinks) {
        if let Err(error) = self.start() {
            // Without threads the work is done here, one worker after the other: slower, and the same.
            tracing::error!("a worker thread cannot be started: {error}; going on without it");
        }
        while self.rounds.len() >= ROUNDS {
            self.take_first(sinks, true);
        }
        let mut round = self.spare.pop().unwrap_or_default();
        core::mem::swap(&mut round.own, own);
        for worker in &mut self.workers {
            round.batches.push(worker.send());
        }
        self.rounds.push_back(round);
        self.packets = 0;
        self.times = None;
        self.collect(sinks);
    }

    /// Take the rounds that are done, without waiting.
    pub fn collect(&mut self, sinks: &mut Sinks) {
        while self.take_first(sinks, false) {}
    }

    /// Hand over what there is, without waiting for it.
    pub fn flush(&mut self, own: &mut Output, sinks: &mut Sinks) {
        if self.is_something_there(own) {
            self.hand_over(own, sinks);
        }
        self.collect(sinks);
    }

    fn is_something_there(&self, own: &Output) -> bool {
        !own.is_empty() || self.workers.iter().any(|worker| !worker.filling.is_empty())
    }

    /// Hand over what there is and wait until all of it is done.
    pub fn drain(&mut self, own: &mut Output, sinks: &mut Sinks) {
        if self.is_something_there(own) {
            self.hand_over(own, sinks);
        }
        while self.take_first(sinks, true) {}
    }

    /// Take the oldest round if it is done, or when it is.
    fn take_first(&mut self, sinks: &mut Sinks, wait: bool) -> bool {
        let Some(round) = self.rounds.front_mut() else { return false };
        for (worker, state) in self.workers.iter_mut().zip(&mut round.batches) {
            if matches!(state, State::Sent) {
                let Some(batch) = worker.receive(wait) else { return false };
                *state = State::Back(batch);
            }
        }
        let Some(mut round) = self.rounds.pop_front() else { return false };
        let backs = round.batches.iter_mut().filter_map(|state| match state {
            State::Back(batch) => Some(&mut batch.out),
            _ => None,
        });
        let mut outputs: Vec<&mut Output> =
            backs.chain([&mut round.own]).filter(|output| !output.is_empty()).collect();
        if !outputs.is_empty() {
            sinks.take(&mut outputs);
        }
        for (worker, state) in self.workers.iter_mut().zip(round.batches.drain(..)) {
            if let State::Back(mut batch) = state {
                batch.clear();
                worker.spare.push(batch);
            }
        }
        round.own.clear();
        self.spare.push(round);
        true
    }

    /// The crews, between two of their batches.
    pub fn lock(&self) -> Vec<MutexGuard<'_, Crew<Monitor>>> {
        self.workers.iter().map(|worker| lock(&worker.crew)).collect()
    }
}

impl Worker {
    /// Hand over what was filled.
    fn send(&mut self) -> State {
        if self.filling.is_empty() {
            return State::None;
        }
        let fresh = self.spare.pop().unwrap_or_default();
        let mut batch = core::mem::replace(&mut self.filling, fresh);
        let Some(thread) = &self.thread else {
            batch.work(&mut lock(&self.crew));
            return State::Back(batch);
        };
        if thread.inbox.send(batch).is_err() {
            self.mourn();
        }
        State::Sent
    }

    /// The oldest batch sent.
    fn receive(&mut self, wait: bool) -> Option<Batch> {
        let outbox = &self.thread.as_ref()?.outbox;
        let answer =
            if wait { outbox.recv().map_err(|_| TryRecvError::Disconnected) } else { outbox.try_recv() };
        match answer {
            Ok(batch) => Some(batch),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => {
                self.mourn();
                None
            }
        }
    }

    /// The thread has ended though it was not told to: it panicked, and what it knew is lost. That must not
    /// pass for silence on the network.
    fn mourn(&mut self) {
        if let Some(thread) = self.thread.take()
            && let Err(panic) = thread.handle.join()
        {
            std::panic::resume_unwind(panic);
        }
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        for worker in &mut self.workers {
            if let Some(Thread { inbox, outbox, handle }) = worker.thread.take() {
                drop((inbox, outbox));
                // Its panic, if there was one, is on standard error.
                let _ = handle.join();
            }
        }
    }
}

/// A worker's thread: batches in, the same batches out.
fn work(crew: &Shared, inbox: &Receiver<Batch>, outbox: &SyncSender<Batch>) {
    while let Ok(mut batch) = inbox.recv() {
        batch.work(&mut lock(crew));
        if outbox.send(batch).is_err() {
            return;
        }
    }
}

fn lock(crew: &Shared) -> MutexGuard<'_, Crew<Monitor>> {
    // After a panic the reading thread ends too (`Worker::mourn`).
    crew.lock().unwrap_or_else(PoisonError::into_inner)
}
