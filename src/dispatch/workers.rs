//! The worker threads, and the rounds in which they work.
//!
//! ```text
//! reading thread                     board                      workers
//!   round n+1: filling
//!   round n    --a batch a group-->  waiting, oldest first -->  whoever is idle takes one of a group
//!   round n-1: all back? merge  <--  done, by group        <--  that nobody else has
//! ```
//!
//! A round is a run of acts, split by group of shards. Groups are several times as many as workers, and no worker has
//! a group for good: shards are not equally busy, and one worker would wait for the other. The batches come back to the
//! reading thread, which takes rounds one after the other and within a round everything by its place: the order of
//! the packets, whatever the number of workers and the length of a round. The number of batches is fixed and they go
//! round, so nothing is allocated in the steady state and no queue can grow: when the workers cannot keep
//! up, the reading thread waits (live, the ring of the tap takes what comes meanwhile).

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use parsers::{FrameRef, Timestamp};

use super::batch::Batch;
use super::board::Board;
use super::{SHARDS, Seconds};
use crate::decap::Packet;
use crate::monitor::Monitor;
use crate::pipeline::Crew;
use crate::report::output::Output;
use crate::report::sinks::Sinks;

/// Workers at most.
pub const MAX_WORKERS: usize = 16;

/// Groups of shards for each worker.
const GROUPS_EACH: usize = 4;

/// Rounds that are being worked on while the next one is filled.
const ROUNDS: usize = 3;

/// Octets of payload of one group at which a round is handed over though it has few packets.
const ROUND_OCTETS: usize = 1 << 19;

/// Groups that the shards are in, for so many workers.
#[must_use]
pub fn groups_for(workers: usize) -> usize {
    (workers * GROUPS_EACH).min(SHARDS)
}

pub(super) type Shared = Arc<Mutex<Crew<Monitor>>>;

/// The threads that work on the shards.
pub struct Workers {
    groups: Vec<Group>,
    board: Arc<Board>,
    threads: Vec<JoinHandle<()>>,
    wanted: usize,
    /// That threads are missing was told.
    told: bool,
    /// What the reading thread itself said in the round being filled stands in its own output.
    rounds: VecDeque<Round>,
    spare: Vec<Round>,
    packets: usize,
    limit: usize,
    limit_ns: Option<u64>,
    /// Time of the first packet in the round being filled, and of the last.
    times: Option<(Timestamp, Timestamp)>,
}

/// Shards that are worked on together.
struct Group {
    crew: Shared,
    filling: Batch,
    spare: Vec<Batch>,
}

/// A round that the workers have.
#[derive(Default)]
struct Round {
    /// By group: nothing was sent, sent, or back.
    batches: Vec<State>,
    own: Output,
}

enum State {
    None,
    Sent,
    Back(Batch),
}

impl Workers {
    /// So many workers for these crews, a group of shards each; not started yet.
    pub fn new(crews: Vec<Crew<Monitor>>, workers: usize, round: usize, round_ns: Option<u64>) -> Workers {
        let group = |crew| Group {
            crew: Arc::new(Mutex::new(crew)),
            filling: Batch::default(),
            spare: (0..ROUNDS).map(|_| Batch::default()).collect(),
        };
        let groups: Vec<_> = crews.into_iter().map(group).collect();
        Workers {
            board: Arc::new(Board::new(groups.len())),
            groups,
            threads: Vec::new(),
            wanted: workers,
            told: false,
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
        for n in self.threads.len()..self.wanted {
            let board = Arc::clone(&self.board);
            let crews: Vec<_> = self.groups.iter().map(|group| Arc::clone(&group.crew)).collect();
            let thread = std::thread::Builder::new().name(format!("worker-{n}"));
            self.threads.push(thread.spawn(move || board.work(&crews))?);
        }
        Ok(())
    }

    /// A packet for the group that the shard is in.
    #[inline]
    pub fn packet(&mut self, act: u64, shard: usize, frame: FrameRef, at: Timestamp, packet: &Packet<'_>) {
        let count = self.groups.len();
        let Some(group) = self.groups.get_mut(shard % count) else { return };
        group.filling.packet(act, shard, frame, at, packet);
        self.packets += 1;
        self.packets += self.limit * usize::from(group.filling.octets() > ROUND_OCTETS);
        self.times = Some((self.times.map_or(at, |(first, _)| first), at));
    }

    /// Whole seconds have passed, for all shards.
    pub fn seconds(&mut self, seconds: &Seconds) {
        self.groups.iter_mut().for_each(|group| group.filling.seconds(*seconds));
        // Time that passes without packets fills rounds too.
        self.packets += 1;
    }

    /// The capture is over.
    pub fn finish(&mut self, act: u64, now: Timestamp) {
        self.groups.iter_mut().for_each(|group| group.filling.finish(act, now));
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
        if let Err(error) = self.start()
            && !core::mem::replace(&mut self.told, true)
        {
            // Without threads the work is done here, one group after the other: slower, and the same.
            tracing::error!("a worker thread cannot be started: {error}; going on without it");
        }
        while self.rounds.len() >= ROUNDS {
            self.take_first(sinks, true);
        }
        let mut round = self.spare.pop().unwrap_or_default();
        core::mem::swap(&mut round.own, own);
        let has_threads = !self.threads.is_empty();
        self.board.hand(|hand| {
            for (n, group) in self.groups.iter_mut().enumerate() {
                round.batches.push(match group.fill() {
                    None => State::None,
                    Some(mut batch) if !has_threads => {
                        batch.work(&mut lock(&group.crew));
                        State::Back(batch)
                    }
                    Some(batch) => {
                        hand(n, batch);
                        State::Sent
                    }
                });
            }
        });
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
        !own.is_empty() || self.groups.iter().any(|group| !group.filling.is_empty())
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
        for (n, state) in round.batches.iter_mut().enumerate() {
            if matches!(state, State::Sent) {
                match self.board.take(n, wait) {
                    Some(batch) => *state = State::Back(batch),
                    None if self.board.has_lost() => self.mourn(),
                    None => return false,
                }
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
        for (group, state) in self.groups.iter_mut().zip(round.batches.drain(..)) {
            if let State::Back(mut batch) = state {
                batch.clear();
                group.spare.push(batch);
            }
        }
        round.own.clear();
        self.spare.push(round);
        true
    }

    /// A thread has ended though it was not told to: it panicked, and what it knew is lost. That must not
    /// pass for silence on the network.
    fn mourn(&mut self) -> ! {
        self.board.close();
        for thread in self.threads.drain(..) {
            if let Err(panic) = thread.join() {
                std::panic::resume_unwind(panic);
            }
        }
        unreachable!("a worker is lost, and none has panicked")
    }

    /// The crews, between two of their batches.
    pub fn lock(&self) -> Vec<MutexGuard<'_, Crew<Monitor>>> {
        self.groups.iter().map(|group| lock(&group.crew)).collect()
    }
}

impl Group {
    /// What was filled, if anything.
    fn fill(&mut self) -> Option<Batch> {
        if self.filling.is_empty() {
            return None;
        }
        let fresh = self.spare.pop().unwrap_or_default();
        Some(core::mem::replace(&mut self.filling, fresh))
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.board.close();
        for thread in self.threads.drain(..) {
            // Its panic, if there was one, is on standard error.
            let _ = thread.join();
        }
    }
}

pub(super) fn lock(crew: &Shared) -> MutexGuard<'_, Crew<Monitor>> {
    // After a panic the reading thread ends too (`Workers::mourn`).
    crew.lock().unwrap_or_else(PoisonError::into_inner)
}
