//! The requests of one flow that wait for their answers.
//!
//! At most [`crate::contract::Limits::pending_requests`], in the order of arrival. What they are looked up
//! by stands apart, in eight octets each: a flow has one request open or a few, and looking through the
//! keys of the sixty-four allowed is cheaper than keeping indices in order at every request and answer.
//!
//! ```text
//! exact   same transaction id, unit and function     the normal match, while the client may still wait
//! id      same transaction id                        late answers, and answers that contradict
//! shape   same unit and function                     gateways that do not echo the transaction id
//! age     all                                        time-outs, and eviction when the table is full
//! ```

use crate::contract::{Action, Direction, Function, Origin, PointRange, Timestamp};
use crate::tight;

/// Ranges kept with a request. More occur only in file requests, whose answer then says `more_ranges`.
pub(crate) const RANGES: usize = 4;
/// The most slots a table has, whatever the limits say: slots are numbered with 16 bits.
const MOST: usize = 0xFFF0;

/// A request that waits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pending {
    pub(crate) transaction: u16,
    pub(crate) unit: u8,
    pub(crate) function: Function,
    pub(crate) action: Action,
    pub(crate) origin: Origin,
    pub(crate) direction: Direction,
    /// When it is overdue.
    pub(crate) due: Timestamp,
    /// When it is forgotten.
    pub(crate) forgotten: Timestamp,
    /// The octets that an echo repeats, condensed (see [`digest`]).
    pub(crate) echo: u64,
    /// Bits or registers asked for.
    pub(crate) quantity: u16,
    /// Read device identification code.
    pub(crate) identification: u8,
    pub(crate) ranges: [Option<PointRange>; RANGES],
    pub(crate) more_ranges: bool,
    pub(crate) wants_answer: bool,
    pub(crate) broadcast: bool,
}

/// Some octets in 64 bits, to tell an echo from another text. Short ones are kept whole.
pub(crate) fn digest(octets: &[u8]) -> u64 {
    if octets.len() < 8 {
        let length = octets.len() as u64;
        return octets.iter().fold(length, |sum, o| sum << 8 | u64::from(*o));
    }
    // FNV-1a.
    octets
        .iter()
        .fold(0xCBF2_9CE4_8422_2325, |sum, o| (sum ^ u64::from(*o)).wrapping_mul(0x0000_0100_0000_01B3))
}

/// What a waiting request is looked up by.
#[derive(Debug, Clone, Copy)]
struct Waiting {
    transaction: u16,
    unit: u8,
    code: u8,
    slot: u16,
    /// Not the first choice for an answer any more: overdue, or the client has asked again since.
    retired: bool,
}

/// A place in the table, valid until the table changes.
#[derive(Debug, Clone, Copy, Eq, PartialEq)]
pub(crate) struct Place(usize);

/// The table.
#[derive(Debug)]
pub(crate) struct Pairing {
    /// Oldest first.
    waiting: Vec<Waiting>,
    slots: Vec<Pending>,
    free: Vec<u16>,
    /// So many of the oldest have had their silence reported.
    told: usize,
    /// So many are not retired.
    active: usize,
    limit: usize,
}

impl Pairing {
    /// An empty table for `limit` requests. Allocates as requests come.
    pub(crate) fn new(limit: usize) -> Pairing {
        Pairing {
            waiting: Vec::new(),
            slots: Vec::new(),
            free: Vec::new(),
            told: 0,
            active: 0,
            limit: limit.clamp(1, MOST),
        }
    }

    /// Requests that wait.
    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether exactly one request waits that is not retired.
    pub(crate) fn one_active(&self) -> bool {
        self.active == 1
    }

    /// The limit.
    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    /// Heap octets.
    pub(crate) fn memory(&self) -> usize {
        self.waiting.capacity() * size_of::<Waiting>()
            + self.slots.capacity() * size_of::<Pending>()
            + self.free.capacity() * size_of::<u16>()
    }

    /// The request at a place.
    pub(crate) fn get(&self, place: Place) -> Option<&Pending> {
        self.slots.get(usize::from(self.waiting.get(place.0)?.slot))
    }

    /// Whether the request at a place is the first choice for an answer no more.
    pub(crate) fn is_retired(&self, place: Place) -> bool {
        self.waiting.get(place.0).is_none_or(|w| w.retired)
    }

    /// Remember a request. If the table is full the oldest is forgotten for it; returns whether one was.
    pub(crate) fn insert(&mut self, pending: Pending) -> bool {
        let full = self.waiting.len() >= self.limit;
        if full {
            self.remove(0);
        }
        let (transaction, unit, code) = (pending.transaction, pending.unit, pending.function.code);
        let slot = if let Some(slot) = self.free.pop() {
            self.slots[usize::from(slot)] = pending;
            slot
        } else {
            tight::push(&mut self.slots, pending);
            (self.slots.len() - 1) as u16
        };
        let waiting = Waiting { transaction, unit, code, slot, retired: false };
        tight::push(&mut self.waiting, waiting);
        self.active += 1;
        full
    }

    /// Forget a request and return it.
    pub(crate) fn take(&mut self, place: Place) -> Option<&Pending> {
        let slot = self.remove(place.0)?;
        self.slots.get(usize::from(slot))
    }

    fn remove(&mut self, at: usize) -> Option<u16> {
        if at >= self.waiting.len() {
            return None;
        }
        let gone = self.waiting.remove(at);
        self.told -= usize::from(at < self.told);
        self.active -= usize::from(!gone.retired);
        self.free.push(gone.slot);
        Some(gone.slot)
    }

    /// Leave a request to late answers only: [`Pairing::exact`] does not return it any more.
    pub(crate) fn retire(&mut self, place: Place) {
        if let Some(waiting) = self.waiting.get_mut(place.0)
            && !core::mem::replace(&mut waiting.retired, true)
        {
            self.active -= 1;
        }
    }

    /// Requests with this transaction id, unit and function that are not retired, oldest first.
    pub(crate) fn exact(&self, transaction: u16, unit: u8, code: u8) -> impl Iterator<Item = Place> {
        self.those(move |w| w.transaction == transaction && w.unit == unit && w.code == code && !w.retired)
    }

    /// Requests with this transaction id, oldest first.
    pub(crate) fn same_id(&self, transaction: u16) -> impl Iterator<Item = Place> {
        self.those(move |w| w.transaction == transaction)
    }

    /// Requests to this unit with this function, oldest first.
    pub(crate) fn same_shape(&self, unit: u8, code: u8) -> impl Iterator<Item = Place> {
        self.those(move |w| w.unit == unit && w.code == code)
    }

    fn those(&self, wanted: impl Fn(&Waiting) -> bool) -> impl Iterator<Item = Place> {
        self.waiting.iter().enumerate().filter(move |(_, w)| wanted(w)).map(|(at, _)| Place(at))
    }

    /// The next request that is overdue at `now` and has not been reported; it is marked as reported.
    pub(crate) fn next_overdue(&mut self, now: Timestamp) -> Option<Pending> {
        let place = Place(self.told);
        let pending = *self.get(place).filter(|p| p.due <= now)?;
        self.told += 1;
        self.retire(place);
        Some(pending)
    }

    /// Forget what is not matched any more at `now`.
    pub(crate) fn forget(&mut self, now: Timestamp) {
        while self.told > 0 && self.get(Place(0)).is_some_and(|oldest| oldest.forgotten <= now) {
            self.remove(0);
        }
    }

    /// When the next request is overdue.
    pub(crate) fn deadline(&self) -> Option<Timestamp> {
        self.get(Place(self.told)).map(|p| p.due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modbus::function::function;

    fn request(transaction: u16, unit: u8, code: u8, at: u64) -> Pending {
        Pending {
            transaction,
            unit,
            function: function(code, None),
            action: Action::Read,
            origin: Origin { at: Timestamp(at), ..Origin::default() },
            direction: Direction::ToServer,
            due: Timestamp(at + 10),
            forgotten: Timestamp(at + 30),
            echo: 0,
            quantity: 1,
            identification: 0,
            ranges: [None; RANGES],
            more_ranges: false,
            wants_answer: true,
            broadcast: false,
        }
    }

    fn at(table: &Pairing, place: Option<Place>) -> Option<u64> {
        place.and_then(|p| table.get(p)).map(|p| p.origin.at.0)
    }

    #[test]
    fn equal_keys_come_back_oldest_first() {
        let mut table = Pairing::new(64);
        for time in 1..=3 {
            table.insert(request(0, 1, 3, time));
        }
        table.insert(request(0, 2, 3, 4));
        let first = table.exact(0, 1, 3).next();
        assert_eq!(at(&table, first), Some(1));
        table.take(first.unwrap_or(Place(9)));
        let next = table.exact(0, 1, 3).next();
        assert_eq!(at(&table, next), Some(2));
        assert_eq!(table.same_id(0).count(), 3);
        assert_eq!(table.same_shape(2, 3).count(), 1);
    }

    #[test]
    fn a_full_table_gives_up_its_oldest_and_no_other() {
        let mut table = Pairing::new(2);
        assert!(!table.insert(request(1, 1, 3, 1)));
        assert!(!table.insert(request(2, 1, 3, 2)));
        assert!(table.insert(request(3, 1, 3, 3)));
        assert_eq!(table.len(), 2);
        assert_eq!(table.exact(1, 1, 3).next(), None);
        assert!(table.exact(2, 1, 3).next().is_some());
    }

    #[test]
    fn silence_is_told_once_and_remembered_for_a_late_answer() {
        let mut table = Pairing::new(8);
        table.insert(request(1, 1, 3, 100));
        table.insert(request(2, 1, 3, 105));
        assert!(table.next_overdue(Timestamp(109)).is_none());
        assert_eq!(table.deadline(), Some(Timestamp(110)));
        assert_eq!(table.next_overdue(Timestamp(112)).map(|p| p.transaction), Some(1));
        assert!(table.next_overdue(Timestamp(112)).is_none());
        table.forget(Timestamp(129));
        assert!(table.exact(1, 1, 3).next().is_none());
        assert!(table.same_id(1).next().is_some(), "a late answer still finds it");
        table.forget(Timestamp(130));
        assert!(table.same_id(1).next().is_none());
        assert_eq!(table.len(), 1);
    }

    #[test]
    fn the_table_agrees_with_a_plain_list_under_random_use() {
        let mut table = Pairing::new(16);
        let mut list: Vec<(u16, u8, u8, u64)> = Vec::new();
        let mut random = 12345_u32;
        for time in 0..20_000_u64 {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let (id, unit, code) =
                ((random >> 8) as u16 % 3, (random >> 16) as u8 % 3, (random >> 20) as u8 % 2);
            if random >> 30 == 0 {
                let place = table.exact(id, unit, code).next();
                let expected = list.iter().position(|r| (r.0, r.1, r.2) == (id, unit, code));
                assert_eq!(at(&table, place), expected.map(|i| list[i].3));
                if let (Some(place), Some(i)) = (place, expected) {
                    table.take(place);
                    list.remove(i);
                }
            } else {
                table.insert(request(id, unit, code, time));
                list.push((id, unit, code, time));
                if list.len() > 16 {
                    list.remove(0);
                }
            }
            assert_eq!(table.len(), list.len());
            assert!(table.memory() < 16 * 1024);
        }
    }
}
