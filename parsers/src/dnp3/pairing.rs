//! Requests that wait for their answers, IEEE 1815 clause 4.2.2.5 (sequence numbers).
//!
//! All requests of a flow share one table of limited size. Its rows hang in two lists, open and
//! expired, each in the order of their deadlines, so time-outs cost nothing per packet, and in the
//! queue of their pair. Stations answer in the order in which they were asked, so an answer belongs to
//! the first request in the queue that expects its number; the requests before that one have been
//! passed over. A request never overwrites another one that still waits.

use crate::contract::{Action, Direction, Origin, PointKind, PointRange, Timestamp};
use crate::tight;

/// Ranges kept with a request, for answers that carry none.
pub(super) const KEPT_RANGES: usize = 8;
/// Octets of a control request kept to hold its echo against.
pub(super) const KEPT_BODY: usize = super::application::USUAL_FRAGMENT;

/// No row.
pub(super) const NONE: u16 = u16::MAX;

/// A request that waits.
pub(super) struct Row {
    /// Index of the pair in whose queue it stands, if it still can be answered.
    pair: Option<usize>,
    pub master: u16,
    pub outstation: u16,
    pub direction: Direction,
    /// Sequence number of the request.
    pub sequence: u8,
    /// Sequence number of the next fragment of the answer.
    pub expected: u8,
    pub function: u8,
    pub action: Action,
    /// Frames of the request.
    pub origin: Origin,
    pub deadline: Timestamp,
    /// Its time has run out, and this was reported.
    pub expired: bool,
    /// Fragments of the answer so far.
    pub fragments: u32,
    /// Digest and length of the objects, to know a retry.
    pub digest: (u64, usize),
    /// The objects of a control request, up to [`KEPT_BODY`].
    pub body: Vec<u8>,
    ranges: [PointRange; KEPT_RANGES],
    /// How many of them.
    range_count: u8,
    pub more_ranges: bool,
    previous: u16,
    next: u16,
    ahead: u16,
    behind: u16,
}

impl Row {
    /// The ranges kept.
    pub(super) fn ranges(&self) -> impl Iterator<Item = PointRange> {
        self.ranges.iter().copied().take(self.range_count.into())
    }
}

/// What is known of a request when it is put into the table.
pub(super) struct Request<'a> {
    /// Index of the pair.
    pub pair: usize,
    pub master: u16,
    pub outstation: u16,
    pub direction: Direction,
    pub sequence: u8,
    pub function: u8,
    pub action: Action,
    pub origin: Origin,
    pub digest: (u64, usize),
    /// Octets to hold an echo against; empty if none is due.
    pub body: &'a [u8],
    pub ranges: &'a [PointRange],
    pub more_ranges: bool,
}

#[derive(Debug, Copy, Clone)]
struct List {
    first: u16,
    last: u16,
}

const EMPTY: List = List { first: NONE, last: NONE };

/// The requests of one pair, oldest first, and how many of them expect each number.
#[derive(Clone)]
struct Queue {
    rows: List,
    expecting: [u16; 16],
}

/// The table.
pub(super) struct Pending {
    rows: Vec<Row>,
    free: Vec<u16>,
    open: List,
    expired: List,
    /// By the index of the pair.
    queues: Vec<Queue>,
    limit: usize,
    timeout_ns: u64,
    late_ns: u64,
    /// It was told that there are too many; until half are gone.
    told_full: bool,
}

impl Pending {
    pub(super) fn new(limit: usize, timeout_ns: u64, late_ns: u64) -> Pending {
        let limit = limit.clamp(1, usize::from(NONE) - 1);
        Pending {
            rows: Vec::new(),
            free: Vec::new(),
            open: EMPTY,
            expired: EMPTY,
            queues: Vec::new(),
            limit,
            timeout_ns,
            late_ns,
            told_full: false,
        }
    }

    /// How many are remembered at most.
    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    /// One that is still waited for is forgotten. Whether it is the first since half of them were gone.
    pub(super) fn tell_full(&mut self) -> bool {
        !core::mem::replace(&mut self.told_full, true)
    }

    pub(super) fn set_timeout(&mut self, ns: u64) {
        self.timeout_ns = ns;
    }

    pub(super) fn get(&self, row: u16) -> Option<&Row> {
        self.rows.get(usize::from(row))
    }

    pub(super) fn get_mut(&mut self, row: u16) -> Option<&mut Row> {
        self.rows.get_mut(usize::from(row))
    }

    /// The oldest row, if the table is full: it has to go before the next can come.
    pub(super) fn crowded_out(&self) -> Option<u16> {
        let full = self.free.is_empty() && self.rows.len() >= self.limit;
        let oldest = if self.expired.first == NONE { self.open.first } else { self.expired.first };
        full.then_some(oldest)
    }

    /// Put a request in. There must be room (see [`Pending::crowded_out`]).
    pub(super) fn insert(&mut self, request: &Request<'_>) -> u16 {
        let index = if let Some(index) = self.free.pop() {
            index
        } else {
            let Ok(index) = u16::try_from(self.rows.len()) else { return NONE };
            tight::push(&mut self.rows, blank());
            index
        };
        let deadline = request.origin.at.plus(self.timeout_ns);
        let Some(row) = self.rows.get_mut(usize::from(index)) else { return NONE };
        (row.master, row.outstation) = (request.master, request.outstation);
        row.direction = request.direction;
        (row.sequence, row.expected) = (request.sequence, request.sequence);
        (row.function, row.action) = (request.function, request.action);
        (row.origin, row.deadline) = (request.origin, deadline);
        (row.expired, row.fragments) = (false, 0);
        row.digest = request.digest;
        row.body.clear();
        row.body.extend_from_slice(request.body.get(..KEPT_BODY).unwrap_or(request.body));
        row.ranges.iter_mut().zip(request.ranges).for_each(|(slot, range)| *slot = *range);
        row.range_count = request.ranges.len().min(KEPT_RANGES) as u8;
        row.more_ranges = request.more_ranges || request.ranges.len() > KEPT_RANGES;
        self.append(index);
        self.pass_over_reused(request.pair, request.sequence);
        self.enqueue(index, request.pair);
        index
    }

    /// A master uses a number again when it has given up its last request with it: what has expired with
    /// this number, and everything before, is not answered any more. Otherwise, after a time without answers
    /// (or without sight of them), every answer would be taken for that to the request one round before.
    fn pass_over_reused(&mut self, pair: usize, sequence: u8) {
        let Some(queue) = self.queues.get(pair) else { return };
        if queue.expecting.get(usize::from(sequence)).is_none_or(|count| *count == 0) {
            return;
        }
        let (mut index, mut reused) = (queue.rows.first, NONE);
        while let Some(row) = self.get(index).filter(|row| row.expired) {
            if row.expected == sequence {
                reused = index;
            }
            index = row.behind;
        }
        if reused == NONE {
            return;
        }
        loop {
            let Some(first) = self.queues.get(pair).map(|queue| queue.rows.first) else { return };
            self.dequeue(first);
            if first == reused {
                return;
            }
        }
    }

    /// Take a row out.
    pub(super) fn remove(&mut self, index: u16) {
        self.dequeue(index);
        self.unlink(index);
        self.free.push(index);
        self.told_full &= self.rows.len() - self.free.len() > self.limit / 2;
    }

    /// Give a row its full time again, from `origin` on.
    pub(super) fn rearm(&mut self, index: u16, at: Timestamp) {
        self.unlink(index);
        let deadline = at.plus(self.timeout_ns);
        if let Some(row) = self.get_mut(index) {
            (row.deadline, row.expired) = (deadline, false);
        }
        self.append(index);
    }

    /// The next request whose time has run out by `now`; it moves to the expired ones.
    pub(super) fn next_due(&mut self, now: Timestamp) -> Option<u16> {
        let index = self.open.first;
        let due = self.get(index).is_some_and(|row| row.deadline < now);
        if !due {
            return None;
        }
        self.unlink(index);
        if let Some(row) = self.get_mut(index) {
            row.expired = true;
        }
        self.append(index);
        Some(index)
    }

    /// The next expired request that is too old even for a late answer.
    pub(super) fn next_forgotten(&self, now: Timestamp) -> Option<u16> {
        let index = self.expired.first;
        let old = |row: &Row| row.deadline.plus(self.late_ns) < now;
        self.get(index).is_some_and(old).then_some(index)
    }

    /// When the oldest open request is due.
    pub(super) fn deadline(&self) -> Option<Timestamp> {
        self.get(self.open.first).map(|row| row.deadline)
    }

    fn list(&mut self, expired: bool) -> &mut List {
        if expired { &mut self.expired } else { &mut self.open }
    }

    fn append(&mut self, index: u16) {
        let Some(expired) = self.get(index).map(|row| row.expired) else { return };
        let last = self.list(expired).last;
        if let Some(row) = self.get_mut(index) {
            (row.previous, row.next) = (last, NONE);
        }
        match self.get_mut(last) {
            Some(row) => row.next = index,
            None => self.list(expired).first = index,
        }
        self.list(expired).last = index;
    }

    fn unlink(&mut self, index: u16) {
        let Some((previous, next, expired)) = self.get(index).map(|r| (r.previous, r.next, r.expired)) else {
            return;
        };
        match self.get_mut(previous) {
            Some(row) => row.next = next,
            None => self.list(expired).first = next,
        }
        match self.get_mut(next) {
            Some(row) => row.previous = previous,
            None => self.list(expired).last = previous,
        }
    }

    /// The request of a pair sent last.
    pub(super) fn newest(&self, pair: usize) -> Option<u16> {
        self.queues.get(pair).map(|queue| queue.rows.last).filter(|index| *index != NONE)
    }

    /// The request that an answer with this number belongs to. Those before it are passed over: they
    /// stay open until their time runs out, but nothing answers them any more.
    pub(super) fn answered_by(&mut self, pair: usize, sequence: u8) -> Option<u16> {
        let queue = self.queues.get(pair)?;
        if queue.expecting.get(usize::from(sequence)).is_none_or(|count| *count == 0) {
            return None;
        }
        loop {
            let index = self.queues.get(pair)?.rows.first;
            if self.get(index)?.expected == sequence {
                return Some(index);
            }
            self.dequeue(index);
        }
    }

    /// A fragment of the answer came, and more will.
    pub(super) fn advance(&mut self, index: u16, at: Timestamp) {
        let Some(row) = self.get_mut(index) else { return };
        let (pair, before, next) = (row.pair, row.expected, (row.expected + 1) & 0x0F);
        row.expected = next;
        row.fragments = row.fragments.saturating_add(1);
        if let Some(queue) = pair.and_then(|pair| self.queues.get_mut(pair)) {
            queue.expecting[usize::from(before & 0x0F)] -= 1;
            queue.expecting[usize::from(next)] += 1;
        }
        self.rearm(index, at);
    }

    /// Nothing answers this pair's requests any more.
    pub(super) fn abandon(&mut self, pair: usize) {
        while let Some(index) = self.queues.get(pair).map(|queue| queue.rows.first).filter(|i| *i != NONE) {
            self.dequeue(index);
        }
    }

    fn enqueue(&mut self, index: u16, pair: usize) {
        if self.queues.len() <= pair {
            // Pairs come one by one.
            let empty = || Queue { rows: EMPTY, expecting: [0; 16] };
            while self.queues.len() <= pair {
                tight::push(&mut self.queues, empty());
            }
        }
        let Some(queue) = self.queues.get_mut(pair) else { return };
        let Some(row) = self.rows.get_mut(usize::from(index)) else { return };
        (row.pair, row.ahead, row.behind) = (Some(pair), queue.rows.last, NONE);
        queue.expecting[usize::from(row.expected & 0x0F)] += 1;
        match self.rows.get_mut(usize::from(queue.rows.last)) {
            Some(row) => row.behind = index,
            None => queue.rows.first = index,
        }
        queue.rows.last = index;
    }

    fn dequeue(&mut self, index: u16) {
        let Some(row) = self.rows.get_mut(usize::from(index)) else { return };
        let (ahead, behind, expected) = (row.ahead, row.behind, row.expected);
        let Some(queue) = row.pair.take().and_then(|pair| self.queues.get_mut(pair)) else { return };
        queue.expecting[usize::from(expected & 0x0F)] -= 1;
        match self.rows.get_mut(usize::from(ahead)) {
            Some(row) => row.behind = behind,
            None => queue.rows.first = behind,
        }
        match self.rows.get_mut(usize::from(behind)) {
            Some(row) => row.ahead = ahead,
            None => queue.rows.last = ahead,
        }
    }

    /// Heap octets held.
    pub(super) fn memory(&self) -> usize {
        let bodies: usize = self.rows.iter().map(|row| row.body.capacity()).sum();
        let queues = self.queues.capacity() * size_of::<Queue>();
        queues + self.rows.capacity() * size_of::<Row>() + self.free.capacity() * 2 + bodies
    }
}

fn blank() -> Row {
    Row {
        pair: None,
        master: 0,
        outstation: 0,
        direction: Direction::ToServer,
        sequence: 0,
        expected: 0,
        function: 0,
        action: Action::Unknown,
        origin: Origin::default(),
        deadline: Timestamp(0),
        expired: false,
        fragments: 0,
        digest: (0, 0),
        body: Vec::new(),
        ranges: [const { PointRange::one(PointKind::DeviceData, 0) }; KEPT_RANGES],
        range_count: 0,
        more_ranges: false,
        previous: NONE,
        next: NONE,
        ahead: NONE,
        behind: NONE,
    }
}

/// A digest of octets, to know a repetition. Nothing but the word "retry" hangs on it.
pub(super) fn digest(octets: &[u8]) -> (u64, usize) {
    let mut sum = 0xCBF2_9CE4_8422_2325u64;
    let mut words = octets.chunks_exact(8);
    for word in &mut words {
        let mut eight = [0; 8];
        eight.copy_from_slice(word);
        sum = (sum ^ u64::from_le_bytes(eight)).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29);
    }
    for octet in words.remainder() {
        sum = (sum ^ u64::from(*octet)).wrapping_mul(0x0000_0100_0000_01B3);
    }
    (sum, octets.len())
}
