//! Activations that wait for their confirmation, and selects that wait for their execute.

use crate::contract::{Action, Direction, Origin, Timestamp};

/// Selects of one connection that are remembered; the oldest makes room.
const SELECTS: usize = 16;
/// How long what was lost may still be missed: longer than the time-outs of stations.
const LOST_NS: u64 = 30_000_000_000;
/// The global common address.
pub(super) const GLOBAL: u16 = 0xFFFF;

/// What an activation is known by: it has no number.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub(super) struct Key {
    pub common: u16,
    pub type_id: u8,
    /// Its first object, or the qualifier of an interrogation.
    pub object: u32,
}

impl Key {
    /// Whether this activation asked the station of `answer`.
    fn asked(self, answer: Key) -> bool {
        (self.type_id, self.object) == (answer.type_id, answer.object)
            && (self.common == answer.common || self.common == GLOBAL)
    }
}

/// An activation.
#[derive(Debug, Copy, Clone)]
pub(super) struct Row {
    pub key: Key,
    pub direction: Direction,
    pub origin: Origin,
    pub sub: Option<u16>,
    pub action: Action,
    /// Of its body, to hold the mirror against.
    pub digest: u64,
    /// The digest of the one sent before, which has not come to its end, and whether that was confirmed.
    pub earlier: Option<(u64, bool)>,
    pub deadline: Timestamp,
    /// Confirmed: it waits for its end alone.
    pub confirmed: bool,
    /// Its time has run out, and this was told.
    pub expired: bool,
    /// How often it was sent without having come to its end: masters send interrogations on top of each other.
    pub times: u8,
}

/// All of one connection.
#[derive(Debug)]
pub(super) struct Pending {
    rows: Vec<Row>,
    limit: usize,
    timeout_ns: u64,
    late_ns: u64,
    /// Nothing is due before.
    due: Option<Timestamp>,
    /// When something was lost or had to make room: what seems to be asked by nobody may have been.
    lost_at: Option<Timestamp>,
    selects: [Option<Key>; SELECTS],
    next_select: usize,
    /// The master selects before it executes, at times at least.
    uses_selects: bool,
    /// It was told that there are too many; until half are at their end.
    told_full: bool,
}

impl Row {
    /// Whether an ASDU repeats what was sent: this activation, or the one before that still has this to say.
    pub(super) fn mirrors(&mut self, digest: u64, ends: bool) -> bool {
        if digest == self.digest {
            return true;
        }
        let Some((earlier, confirmed)) = &mut self.earlier else { return false };
        if ends {
            return self.times > 2 || *earlier == digest;
        }
        // Each is confirmed once.
        *earlier == digest && !core::mem::replace(confirmed, true)
    }
}

impl Pending {
    pub(super) fn set_timeout(&mut self, ns: u64) {
        self.timeout_ns = ns;
    }

    pub(super) fn new(limit: usize, timeout_ns: u64, late_ns: u64) -> Pending {
        let (rows, limit) = (Vec::new(), limit.max(1));
        let (selects, next_select) = ([None; SELECTS], 0);
        Pending {
            rows,
            limit,
            timeout_ns,
            late_ns,
            due: None,
            lost_at: None,
            selects,
            next_select,
            uses_selects: false,
            told_full: false,
        }
    }

    /// How many are remembered at most.
    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    /// Remember an activation. Whether it is the first for which one that was still waited for had to make room, since
    /// half of them were at their end.
    pub(super) fn activate(&mut self, row: Row) -> bool {
        let evicted = self.insert(row);
        if !evicted {
            let waiting = || self.rows.iter().filter(|row| !(row.confirmed || row.expired)).count();
            self.told_full = self.told_full && waiting() > self.limit / 2;
            return false;
        }
        !core::mem::replace(&mut self.told_full, true)
    }

    /// Whether one that was still waited for had to make room.
    fn insert(&mut self, mut row: Row) -> bool {
        row.deadline = row.origin.at.plus(self.timeout_ns);
        self.due = Some(self.due.map_or(row.deadline, |due| due.min(row.deadline)));
        if let Some(same) = self.rows.iter_mut().find(|r| r.key == row.key) {
            let times = if same.expired { 1 } else { same.times.saturating_add(1) };
            *same = Row { times, earlier: Some((same.digest, same.confirmed)), ..row };
            return false;
        }
        if self.rows.len() < self.limit {
            self.rows.push(row);
            return false;
        }
        let done = self.rows.iter().position(|r| r.confirmed || r.expired);
        self.rows.remove(done.unwrap_or(0));
        self.rows.push(row);
        if done.is_none() {
            self.lost_at = Some(row.origin.at);
        }
        done.is_none()
    }

    /// The activation that an ASDU confirms, refuses or ends: the last one sent, for that to all stations stays.
    pub(super) fn answered_by(&mut self, key: Key) -> Option<&mut Row> {
        self.rows.iter_mut().filter(|row| row.key.asked(key)).max_by_key(|row| row.origin.at)
    }

    /// An activation has come to its end.
    pub(super) fn end(&mut self, key: Key) {
        self.rows.retain_mut(|row| {
            if !row.key.asked(key) || row.key.common == GLOBAL {
                return true;
            }
            row.times = row.times.saturating_sub(1);
            row.times > 0
        });
    }

    /// The next activation that was not confirmed in time.
    pub(super) fn next_due(&mut self, now: Timestamp) -> Option<Row> {
        if self.due.is_none_or(|due| due >= now) {
            return None;
        }
        let late_ns = self.late_ns;
        self.rows.retain(|row| !row.expired || row.deadline.plus(late_ns) >= now);
        let due = self.rows.iter_mut().filter(|row| !row.confirmed && !row.expired && row.deadline < now);
        if let Some(row) = due.min_by_key(|row| (row.deadline, row.origin.frame)) {
            row.expired = true;
            return Some(*row);
        }
        self.due =
            self.rows.iter().filter(|row| !row.confirmed && !row.expired).map(|row| row.deadline).min();
        None
    }

    pub(super) fn deadline(&self) -> Option<Timestamp> {
        self.due
    }

    /// Octets were not seen: nothing that waits can be waited for.
    pub(super) fn interrupt(&mut self, at: Timestamp) {
        self.rows.clear();
        self.due = None;
        self.lost_at = Some(at);
    }

    /// Whether an activation may have been lost that is answered now.
    pub(super) fn forgot(&self, now: Timestamp) -> bool {
        self.lost_at.is_some_and(|at| now.since(at) <= self.late_ns.max(LOST_NS))
    }

    /// Whether the select of an execute may have been lost.
    pub(super) fn may_have_lost_select(&self, now: Timestamp) -> bool {
        self.uses_selects && self.lost_at.is_some_and(|at| now.since(at) <= LOST_NS)
    }

    /// A select was sent.
    pub(super) fn select(&mut self, key: Key, now: Timestamp) {
        self.uses_selects = true;
        if self.selects.contains(&Some(key)) {
            return;
        }
        let free = self.selects.iter().position(Option::is_none);
        if free.is_none() {
            self.lost_at = Some(now);
        }
        let place = free.unwrap_or(self.next_select % SELECTS);
        self.next_select = place + 1;
        self.selects[place] = Some(key);
    }

    /// Take a select out: it is executed or cancelled. Whether there was one.
    pub(super) fn take_select(&mut self, key: Key) -> bool {
        let found = self.selects.iter_mut().find(|select| **select == Some(key));
        found.map(|select| *select = None).is_some()
    }

    pub(super) fn memory(&self) -> usize {
        self.rows.capacity() * size_of::<Row>()
    }
}

/// A digest of octets, to know a mirror that differs.
pub(super) fn digest(octets: &[u8]) -> u64 {
    octets.iter().fold(0xCBF2_9CE4_8422_2325u64, |sum, octet| {
        (sum ^ u64::from(*octet)).wrapping_mul(0x0000_0100_0000_01B3)
    })
}
