//! Where the reading thread and the workers meet: batches that wait to be worked on, and batches that are done.
//!
//! A lock is taken a few times for each batch, never for a packet. A group's batches are taken in their order, and by
//! one worker at a time.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::batch::Batch;
use super::workers::{Shared, lock};

pub(super) struct Board {
    queue: Mutex<Queue>,
    /// There may be something to do.
    work: Condvar,
    /// Something is done.
    done: Condvar,
}

struct Queue {
    /// Batches that nobody has taken yet and their groups, oldest first.
    waiting: VecDeque<(usize, Batch)>,
    /// Groups that a worker has.
    taken: Vec<bool>,
    /// Batches that are done, by group, oldest first.
    done: Vec<VecDeque<Batch>>,
    /// Workers that found nothing to do.
    idle: usize,
    /// The reading thread waits.
    is_awaited: bool,
    /// No more will come.
    is_closed: bool,
    /// A worker has panicked.
    has_lost: bool,
}

/// Tells the reading thread when a worker ends in a panic: it would wait for ever.
struct Watched<'a>(&'a Board);

impl Drop for Watched<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.queue().has_lost = true;
            self.0.done.notify_all();
        }
    }
}

impl Board {
    /// A board for so many groups.
    pub(super) fn new(groups: usize) -> Board {
        let queue = Queue {
            waiting: VecDeque::new(),
            taken: vec![false; groups],
            done: (0..groups).map(|_| VecDeque::new()).collect(),
            idle: 0,
            is_awaited: false,
            is_closed: false,
            has_lost: false,
        };
        Board { queue: Mutex::new(queue), work: Condvar::new(), done: Condvar::new() }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        // Nothing panics while it is held.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Put batches up, each with its group, all at once.
    pub(super) fn hand(&self, each: impl FnOnce(&mut dyn FnMut(usize, Batch))) {
        let mut queue = self.queue();
        each(&mut |group, batch| queue.waiting.push_back((group, batch)));
        let wake = queue.idle > 0 && !queue.waiting.is_empty();
        drop(queue);
        if wake {
            self.work.notify_all();
        }
    }

    /// The oldest batch of a group that is done; `None` if there is none, or if none will ever come
    /// ([`Board::has_lost`]).
    pub(super) fn take(&self, group: usize, wait: bool) -> Option<Batch> {
        let mut queue = self.queue();
        loop {
            if let Some(batch) = queue.done.get_mut(group)?.pop_front() {
                return Some(batch);
            }
            if !wait || queue.has_lost {
                return None;
            }
            queue.is_awaited = true;
            queue = self.done.wait(queue).unwrap_or_else(PoisonError::into_inner);
            queue.is_awaited = false;
        }
    }

    /// Whether a worker has panicked.
    pub(super) fn has_lost(&self) -> bool {
        self.queue().has_lost
    }

    /// No more will come: the workers end when nothing waits any more.
    pub(super) fn close(&self) {
        self.queue().is_closed = true;
        self.work.notify_all();
    }

    /// A worker's thread: batches in, the same batches out.
    pub(super) fn work(&self, crews: &[Shared]) {
        let _watched = Watched(self);
        let mut queue = self.queue();
        loop {
            let Some((group, mut batch)) = queue.next() else {
                if queue.is_closed || queue.has_lost {
                    return;
                }
                queue.idle += 1;
                queue = self.work.wait(queue).unwrap_or_else(PoisonError::into_inner);
                queue.idle -= 1;
                continue;
            };
            drop(queue);
            if let Some(crew) = crews.get(group) {
                batch.work(&mut lock(crew));
            }
            queue = self.queue();
            queue.put_back(group, batch);
            if queue.is_awaited {
                self.done.notify_one();
            }
            // The group's next batch may be what another has waited for.
            if queue.idle > 0 && !queue.waiting.is_empty() {
                self.work.notify_one();
            }
        }
    }
}

impl Queue {
    /// The oldest batch of a group that nobody has.
    fn next(&mut self) -> Option<(usize, Batch)> {
        let free = |group: usize| self.taken.get(group).is_some_and(|taken| !taken);
        let place = self.waiting.iter().position(|(group, _)| free(*group))?;
        let (group, batch) = self.waiting.remove(place)?;
        if let Some(taken) = self.taken.get_mut(group) {
            *taken = true;
        }
        Some((group, batch))
    }

    fn put_back(&mut self, group: usize, batch: Batch) {
        if let Some(taken) = self.taken.get_mut(group) {
            *taken = false;
        }
        if let Some(done) = self.done.get_mut(group) {
            done.push_back(batch);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use parsers::Timestamp;

    /// A batch that can be told from others by its length.
    fn batch(steps: u64) -> Batch {
        let mut batch = Batch::default();
        (0..steps).for_each(|act| batch.finish(act, Timestamp(0)));
        batch
    }

    fn put_up(board: &Board, batches: &[(usize, u64)]) {
        board.hand(|hand| batches.iter().for_each(|(group, steps)| hand(*group, batch(*steps))));
    }

    #[test]
    fn batches_of_a_group_are_taken_one_after_the_other_and_those_of_others_meanwhile() {
        let board = Board::new(2);
        put_up(&board, &[(0, 1), (0, 2), (1, 3)]);
        let mut queue = board.queue();
        let (first, one) = queue.next().unwrap();
        assert_eq!((first, one.len()), (0, 1));
        let (second, other) = queue.next().unwrap();
        assert_eq!((second, other.len()), (1, 3), "somebody has group 0");
        assert!(queue.next().is_none());
        queue.put_back(0, one);
        assert_eq!(queue.next().map(|(group, batch)| (group, batch.len())), Some((0, 2)));
        queue.put_back(1, other);
        drop(queue);
        assert_eq!(board.take(0, true).map(|batch| batch.len()), Some(1));
        assert!(board.take(0, false).is_none(), "its second batch is not done");
        assert_eq!(board.take(1, true).map(|batch| batch.len()), Some(3));
    }

    #[test]
    fn a_worker_that_panics_leaves_nobody_waiting() {
        let board = Board::new(1);
        std::thread::scope(|scope| {
            let waits = scope.spawn(|| board.take(0, true).is_none());
            let panics = scope.spawn(|| {
                let _watched = Watched(&board);
                std::panic::resume_unwind(Box::new("as if an operation could not be judged"));
            });
            assert!(panics.join().is_err());
            assert!(waits.join().unwrap());
        });
        assert!(board.has_lost());
        board.work(&[]);
    }

    #[test]
    fn workers_end_when_the_board_is_closed() {
        let board = Board::new(1);
        std::thread::scope(|scope| {
            let works = scope.spawn(|| board.work(&[]));
            put_up(&board, &[(0, 1)]);
            assert!(board.take(0, true).is_some());
            board.close();
            works.join().unwrap();
        });
    }
}
