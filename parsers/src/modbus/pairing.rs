//! The requests of one flow that wait for their answers.
//!
//! A slab of slots, at most [`crate::contract::Limits::pending_requests`], in four lists at once, each in
//! the order of arrival:
//!
//! ```text
//! exact   same transaction id, unit and function     the normal match, while the client may still wait
//! id      same transaction id                        late answers, and answers that contradict
//! shape   same unit and function                     gateways that do not echo the transaction id
//! age     all                                        time-outs, and eviction when the slab is full
//! ```
//!
//! The first three are hash chains. Insert, match and evict cost the same whether one request waits or
//! thousands were never answered; a chain is followed for [`CHAIN`] steps at most, so that colliding keys
//! gain an attacker nothing.

use crate::contract::{Action, Direction, Function, Origin, PointRange, Timestamp};
use crate::tight;

/// How far a hash chain is followed.
const CHAIN: usize = 16;
/// Ranges kept with a request. More occur only in file requests, whose answer then says `more_ranges`.
pub(crate) const RANGES: usize = 4;
/// The most slots a table has, whatever the limits say: links are 16 bits wide.
const MOST: usize = 0xFFF0;

const NONE: u16 = u16::MAX;

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
    /// Whether its silence has been reported.
    pub(crate) overdue: bool,
    /// Not the first choice for an answer any more: overdue, or the client has asked again since.
    pub(crate) retired: bool,
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

const EXACT: usize = 0;
const ID: usize = 1;
const SHAPE: usize = 2;
const AGE: usize = 3;

#[derive(Debug, Clone, Copy)]
struct Link {
    before: u16,
    after: u16,
}

#[derive(Debug, Clone, Copy)]
struct Ends {
    first: u16,
    last: u16,
}

const EMPTY: Ends = Ends { first: NONE, last: NONE };

#[derive(Debug, Clone, Copy)]
struct Slot {
    pending: Pending,
    links: [Link; 4],
}

/// A place in the table, valid until the request there is taken or forgotten.
#[derive(Debug, Clone, Copy, Eq, PartialEq)]
pub(crate) struct Place(u16);

/// The table.
#[derive(Debug)]
pub(crate) struct Pairing {
    slots: Vec<Slot>,
    free: Vec<u16>,
    /// Ends of the chains, three lists for each hash value.
    chains: Vec<[Ends; 3]>,
    age: Ends,
    /// The oldest request whose silence has not been reported: everything older has been.
    undue: u16,
    limit: usize,
    waiting: usize,
    /// Of these, not retired.
    active: usize,
}

impl Pairing {
    /// An empty table for `limit` requests. Allocates when the first one comes.
    pub(crate) fn new(limit: usize) -> Pairing {
        Pairing {
            slots: Vec::new(),
            free: Vec::new(),
            chains: Vec::new(),
            age: EMPTY,
            undue: NONE,
            limit: limit.clamp(1, MOST),
            waiting: 0,
            active: 0,
        }
    }

    /// Requests that wait.
    pub(crate) fn len(&self) -> usize {
        self.waiting
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
        self.slots.capacity() * size_of::<Slot>()
            + self.free.capacity() * size_of::<u16>()
            + self.chains.capacity() * size_of::<[Ends; 3]>()
    }

    /// The request at a place.
    pub(crate) fn get(&self, place: Place) -> Option<&Pending> {
        self.slots.get(usize::from(place.0)).map(|s| &s.pending)
    }

    /// Twice as many chains, and all requests in them anew, the oldest first.
    #[cold]
    fn widen(&mut self) {
        let most = self.limit.next_power_of_two().min(1024);
        let chains = (self.chains.len() * 2).clamp(1, most);
        self.chains.clear();
        self.chains.reserve_exact(chains);
        self.chains.resize(chains, [EMPTY; 3]);
        let mut place = self.age.first;
        while let Some(pending) = self.get(Place(place)) {
            let first = if pending.retired { ID } else { EXACT };
            for list in first..AGE {
                self.append(list, place);
            }
            place = self.after(AGE, place);
        }
    }

    /// Remember a request. If the table is full the oldest is forgotten for it and returned.
    pub(crate) fn insert(&mut self, pending: Pending) -> Option<Pending> {
        if self.waiting >= self.chains.len() && (self.chains.len() < self.limit.min(1024)) {
            self.widen();
        }
        let evicted = if self.waiting >= self.limit { self.take(Place(self.age.first)) } else { None };
        let slot = Slot { pending, links: [Link { before: NONE, after: NONE }; 4] };
        let place = if let Some(place) = self.free.pop() {
            self.slots[usize::from(place)] = slot;
            place
        } else {
            tight::push(&mut self.slots, slot);
            (self.slots.len() - 1) as u16
        };
        for list in [EXACT, ID, SHAPE, AGE] {
            self.append(list, place);
        }
        if self.undue == NONE {
            self.undue = place;
        }
        self.waiting += 1;
        self.active += usize::from(!pending.retired);
        evicted
    }

    /// Forget a request and return it.
    pub(crate) fn take(&mut self, place: Place) -> Option<Pending> {
        let pending = *self.get(place)?;
        if self.undue == place.0 {
            self.undue = self.after(AGE, place.0);
        }
        if !pending.retired {
            self.unlink(EXACT, place.0);
            self.active -= 1;
        }
        for list in [ID, SHAPE, AGE] {
            self.unlink(list, place.0);
        }
        self.free.push(place.0);
        self.waiting -= 1;
        Some(pending)
    }

    /// Leave a request to late answers only: [`Pairing::exact`] does not return it any more.
    pub(crate) fn retire(&mut self, place: Place) {
        if self.get(place).is_none_or(|p| p.retired) {
            return;
        }
        self.unlink(EXACT, place.0);
        self.active -= 1;
        self.slots[usize::from(place.0)].pending.retired = true;
    }

    /// Requests with this transaction id, unit and function that are not retired, oldest first.
    pub(crate) fn exact(&self, transaction: u16, unit: u8, code: u8) -> impl Iterator<Item = Place> {
        let matches =
            move |p: &Pending| p.transaction == transaction && p.unit == unit && p.function.code == code;
        self.chain(EXACT, self.bucket(EXACT, transaction, unit, code), matches)
    }

    /// Requests with this transaction id, oldest first.
    pub(crate) fn same_id(&self, transaction: u16) -> impl Iterator<Item = Place> {
        self.chain(ID, self.bucket(ID, transaction, 0, 0), move |p| p.transaction == transaction)
    }

    /// Requests to this unit with this function, oldest first.
    pub(crate) fn same_shape(&self, unit: u8, code: u8) -> impl Iterator<Item = Place> {
        let matches = move |p: &Pending| p.unit == unit && p.function.code == code;
        self.chain(SHAPE, self.bucket(SHAPE, 0, unit, code), matches)
    }

    /// The next request that is overdue at `now` and has not been reported; it is marked as reported.
    pub(crate) fn next_overdue(&mut self, now: Timestamp) -> Option<Pending> {
        let place = self.undue;
        let due = self.get(Place(place))?.due;
        if due > now {
            return None;
        }
        self.undue = self.after(AGE, place);
        self.retire(Place(place));
        let slot = self.slots.get_mut(usize::from(place))?;
        slot.pending.overdue = true;
        Some(slot.pending)
    }

    /// Forget what is not matched any more at `now`.
    pub(crate) fn forget(&mut self, now: Timestamp) {
        while let Some(oldest) = self.get(Place(self.age.first)) {
            if !oldest.overdue || oldest.forgotten > now {
                break;
            }
            self.take(Place(self.age.first));
        }
    }

    /// When the next request is overdue.
    pub(crate) fn deadline(&self) -> Option<Timestamp> {
        self.get(Place(self.undue)).map(|p| p.due)
    }

    fn bucket(&self, list: usize, transaction: u16, unit: u8, code: u8) -> usize {
        let key = match list {
            EXACT => u32::from(transaction) << 16 | u32::from(unit) << 8 | u32::from(code),
            ID => u32::from(transaction),
            _ => u32::from(unit) << 8 | u32::from(code),
        };
        let spread = key.wrapping_mul(0x9E37_79B1) >> 16;
        spread as usize & self.chains.len().saturating_sub(1)
    }

    fn chain(
        &self,
        list: usize,
        bucket: usize,
        matches: impl Fn(&Pending) -> bool,
    ) -> impl Iterator<Item = Place> {
        let first = self.chains.get(bucket).map_or(NONE, |ends| ends[list].first);
        core::iter::successors(Some(first), move |place| Some(self.after(list, *place)))
            .take_while(|place| *place != NONE)
            .take(CHAIN)
            .map(Place)
            .filter(move |place| self.get(*place).is_some_and(&matches))
    }

    fn after(&self, list: usize, place: u16) -> u16 {
        self.slots.get(usize::from(place)).map_or(NONE, |s| s.links[list].after)
    }

    fn ends(&mut self, list: usize, place: u16) -> &mut Ends {
        if list == AGE {
            return &mut self.age;
        }
        let p = &self.slots[usize::from(place)].pending;
        let bucket = self.bucket(list, p.transaction, p.unit, p.function.code);
        &mut self.chains[bucket][list]
    }

    fn append(&mut self, list: usize, place: u16) {
        let ends = self.ends(list, place);
        let before = core::mem::replace(&mut ends.last, place);
        if before == NONE {
            ends.first = place;
        } else {
            self.slots[usize::from(before)].links[list].after = place;
        }
        self.slots[usize::from(place)].links[list] = Link { before, after: NONE };
    }

    fn unlink(&mut self, list: usize, place: u16) {
        let Link { before, after } = self.slots[usize::from(place)].links[list];
        match before {
            NONE => self.ends(list, place).first = after,
            _ => self.slots[usize::from(before)].links[list].after = after,
        }
        match after {
            NONE => self.ends(list, place).last = before,
            _ => self.slots[usize::from(after)].links[list].before = before,
        }
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
            overdue: false,
            retired: false,
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
        table.take(first.unwrap_or(Place(NONE)));
        let next = table.exact(0, 1, 3).next();
        assert_eq!(at(&table, next), Some(2));
        assert_eq!(table.same_id(0).count(), 3);
        assert_eq!(table.same_shape(2, 3).count(), 1);
    }

    #[test]
    fn a_full_table_gives_up_its_oldest_and_no_other() {
        let mut table = Pairing::new(2);
        assert!(table.insert(request(1, 1, 3, 1)).is_none());
        assert!(table.insert(request(2, 1, 3, 2)).is_none());
        assert_eq!(table.insert(request(3, 1, 3, 3)).map(|p| p.transaction), Some(1));
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
