//! The one thread that writes the event log, and the bounded queue in front of it.
//!
//! ```text
//! pipeline --batches of whole lines--> queue (bounded in octets) --writer thread--> file, stdout
//! ```
//!
//! A live sensor must not wait for a disk: when the queue is full, batches are dropped and counted. A
//! replay waits instead and loses nothing. What cannot be written is tried again; nothing is lost in
//! silence.

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Octets that may wait for the writer.
pub const QUEUE_BYTES: usize = 16 << 20;
/// Share of the queue, in quarters, open to [`Weight::Common`]: under pressure operations are given up
/// before findings.
const COMMON_QUARTERS: usize = 3;
/// Attempts to write in a replay, or when the log is being closed, before it is given up.
const ATTEMPTS: u32 = 5;
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How often a failure that lasts is reported.
const COMPLAINT_EVERY: Duration = Duration::from_mins(1);

/// What to do when the queue is full.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub enum WhenFull {
    /// Wait (replay).
    Block,
    /// Drop and count (live).
    Drop,
}

/// How much of the queue lines may use.
#[derive(Debug, Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Default)]
pub enum Weight {
    /// Three quarters: operations, stations.
    #[default]
    Common,
    /// All of it: findings, the sensor's own events.
    Precious,
    /// More than all: the last word of a log that is being closed.
    Last,
}

/// Where lines go.
pub trait Destination: Send {
    /// How many octets from the beginning of `lines` may be written now: whole lines, at least one. The
    /// place to change over to a new file.
    fn prepare(&mut self, lines: &[u8]) -> io::Result<usize> {
        Ok(lines.len())
    }
    /// Write; may write less than it is given.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize>;
    /// Everything was written for now.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Standard output, or anything that takes octets.
pub struct Stream<W>(pub W);

impl<W: io::Write + Send> Destination for Stream<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Figures of the writer, for metrics and the summary. Cumulative but for the first two.
#[derive(Debug, Copy, Clone, Default, Eq, PartialEq)]
pub struct WriterFigures {
    /// Octets waiting.
    pub queued_bytes: u64,
    /// Octets that may wait.
    pub capacity_bytes: u64,
    /// Lines written.
    pub written: u64,
    /// Lines dropped because the queue was full.
    pub dropped_queue_full: u64,
    /// Lines given up because they could not be written.
    pub dropped_error: u64,
    /// Attempts to write that failed.
    pub errors: u64,
    /// Unix time of the last success in nanoseconds, 0 before the first.
    pub last_success_ns: u64,
}

#[derive(Debug, Default)]
struct Figures {
    written: AtomicU64,
    dropped_queue_full: AtomicU64,
    dropped_error: AtomicU64,
    errors: AtomicU64,
    last_success_ns: AtomicU64,
}

#[derive(Debug)]
struct Batch {
    bytes: Vec<u8>,
    lines: u64,
}

#[derive(Debug, Default)]
struct Queue {
    batches: VecDeque<Batch>,
    /// Octets in `batches` and in the batch being written.
    bytes: usize,
    spare: Vec<Vec<u8>>,
    closing: bool,
    failed: Option<(io::ErrorKind, String)>,
}

#[derive(Debug)]
struct Shared {
    queue: Mutex<Queue>,
    filled: Condvar,
    drained: Condvar,
    figures: Figures,
    capacity: usize,
    when_full: WhenFull,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        // A panic elsewhere leaves the queue in order: every change is a single push or pop.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The pipeline's end of the event log.
#[derive(Debug)]
pub struct LogWriter {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl LogWriter {
    /// Start the writer thread. `queue_bytes` is the most that may wait ([`QUEUE_BYTES`]).
    pub fn start(
        destination: Box<dyn Destination>,
        queue_bytes: usize,
        when_full: WhenFull,
    ) -> io::Result<LogWriter> {
        let shared = Arc::new(Shared {
            queue: Mutex::default(),
            filled: Condvar::new(),
            drained: Condvar::new(),
            figures: Figures::default(),
            capacity: queue_bytes,
            when_full,
        });
        let theirs = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("event-log".to_owned())
            .spawn(move || run(&theirs, destination))?;
        Ok(LogWriter { shared, thread: Some(thread) })
    }

    /// Hand over whole lines. Returns a buffer to go on with, and whether the lines were taken.
    pub fn push(&self, bytes: Vec<u8>, lines: u64, weight: Weight) -> (Vec<u8>, bool) {
        let figures = &self.shared.figures;
        let mut queue = self.shared.lock();
        loop {
            if queue.failed.is_some() {
                figures.dropped_error.fetch_add(lines, Relaxed);
                return (bytes, false);
            }
            let capacity = self.shared.capacity;
            let limit = match (self.shared.when_full, weight) {
                (WhenFull::Drop, Weight::Common) => capacity / 4 * COMMON_QUARTERS,
                _ => capacity,
            };
            // An empty queue takes any batch, or one longer than the queue could never pass.
            if weight == Weight::Last || queue.bytes == 0 || queue.bytes + bytes.len() <= limit {
                break;
            }
            if self.shared.when_full == WhenFull::Drop {
                figures.dropped_queue_full.fetch_add(lines, Relaxed);
                return (bytes, false);
            }
            queue = self.shared.drained.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        queue.bytes += bytes.len();
        queue.batches.push_back(Batch { bytes, lines });
        let spare = queue.spare.pop().unwrap_or_default();
        drop(queue);
        self.shared.filled.notify_one();
        (spare, true)
    }

    /// The figures now.
    pub fn figures(&self) -> WriterFigures {
        let figures = &self.shared.figures;
        WriterFigures {
            queued_bytes: self.shared.lock().bytes as u64,
            capacity_bytes: self.shared.capacity as u64,
            written: figures.written.load(Relaxed),
            dropped_queue_full: figures.dropped_queue_full.load(Relaxed),
            dropped_error: figures.dropped_error.load(Relaxed),
            errors: figures.errors.load(Relaxed),
            last_success_ns: figures.last_success_ns.load(Relaxed),
        }
    }

    /// Whether writing was given up for good (a closed pipe, say): there is no use in going on.
    pub fn has_failed(&self) -> bool {
        self.shared.lock().failed.is_some()
    }

    /// Write what waits, end the thread, and say whether everything could be written.
    pub fn close(mut self) -> (WriterFigures, io::Result<()>) {
        self.stop();
        let result = match self.shared.lock().failed.take() {
            Some((kind, message)) => Err(io::Error::new(kind, message)),
            None => Ok(()),
        };
        (self.figures(), result)
    }

    fn stop(&mut self) {
        self.shared.lock().closing = true;
        self.shared.filled.notify_one();
        if let Some(thread) = self.thread.take() {
            // The writer thread does not panic; if it did, its panic message is on standard error.
            let _ = thread.join();
        }
    }
}

impl Drop for LogWriter {
    fn drop(&mut self) {
        self.stop();
    }
}

fn run(shared: &Shared, mut destination: Box<dyn Destination>) {
    loop {
        let mut queue = shared.lock();
        while queue.batches.is_empty() && !queue.closing {
            queue = shared.filled.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        let Some(batch) = queue.batches.pop_front() else { break };
        drop(queue);
        let length = batch.bytes.len();
        let result = write_batch(shared, destination.as_mut(), &batch.bytes);
        let mut queue = shared.lock();
        queue.bytes -= length;
        if let Err(error) = result {
            give_up(shared, &mut queue, batch.lines, &error);
        } else {
            shared.figures.written.fetch_add(batch.lines, Relaxed);
            shared.figures.last_success_ns.store(unix_ns(), Relaxed);
            let mut buffer = batch.bytes;
            buffer.clear();
            // Two buffers go round; more would only keep memory that a burst once needed.
            if queue.spare.len() < 2 {
                queue.spare.push(buffer);
            }
        }
        drop(queue);
        shared.drained.notify_one();
    }
    if let Err(error) = destination.flush() {
        let mut queue = shared.lock();
        give_up(shared, &mut queue, 0, &error);
    }
}

fn give_up(shared: &Shared, queue: &mut Queue, lines: u64, error: &io::Error) {
    let waiting: u64 = queue.batches.iter().map(|batch| batch.lines).sum();
    shared.figures.dropped_error.fetch_add(lines + waiting, Relaxed);
    queue.batches.clear();
    queue.bytes = 0;
    queue.failed = Some((error.kind(), error.to_string()));
    if error.kind() != io::ErrorKind::BrokenPipe {
        tracing::error!(%error, lost_lines = lines + waiting, "the event log could not be written");
    }
}

/// Write a batch, trying again after failures. An attempt goes on where the last one stopped, so no line
/// is split or written twice.
fn write_batch(shared: &Shared, destination: &mut dyn Destination, bytes: &[u8]) -> io::Result<()> {
    let mut done = 0;
    // End of the run of lines that the current file takes; it is settled before the run begins.
    let mut run_end = 0;
    let mut attempts = 0;
    let mut pause = FIRST_PAUSE;
    let mut complained: Option<Instant> = None;
    while done < bytes.len() {
        let step = if done == run_end {
            destination.prepare(&bytes[done..]).map(|length| {
                run_end = (done + length).min(bytes.len());
                0
            })
        } else {
            destination.write(&bytes[done..run_end]).and_then(|written| {
                if written == 0 { Err(io::ErrorKind::WriteZero.into()) } else { Ok(written) }
            })
        };
        match step {
            Ok(written) => {
                done += written;
                attempts = 0;
                if complained.take().is_some() {
                    tracing::info!("the event log can be written again");
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                attempts += 1;
                shared.figures.errors.fetch_add(1, Relaxed);
                let mortal = shared.when_full == WhenFull::Block || shared.lock().closing;
                if error.kind() == io::ErrorKind::BrokenPipe || (mortal && attempts >= ATTEMPTS) {
                    return Err(error);
                }
                if complained.is_none_or(|last| last.elapsed() >= COMPLAINT_EVERY) {
                    tracing::error!(%error, "the event log cannot be written; trying again");
                    complained = Some(Instant::now());
                }
                std::thread::sleep(pause);
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }
    destination.flush()
}

fn unix_ns() -> u64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| since.as_nanos() as u64)
}
