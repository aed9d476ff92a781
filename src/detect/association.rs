//! What outlives a connection: a master and a station, above TCP.
//!
//! One [`Association`] per master host, station host with its service port, protocol and station address.
//! It is found with one look-up and cached in the flow ([`super::partners`]); detections keep their state of
//! a pair in it, a field each. The table is bounded: pairs that the profile knows always have room (the
//! profile bounds their number), others up to a limit; what finds no room is counted and judged without
//! memory.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use parsers::{Coverage, Defect, Direction, FlowInfo, Host, Operation, Protocol, StationAddress, Timestamp};
use profiles::Pair;

use super::coverage::Losses;
use super::known::Known;
use super::policy::Rates;
use super::timing::Timing;
use super::value::Values;

/// How long a pair without a name in the profile is kept after its last operation when room is short.
const IDLE_NS: u64 = 3600 * 1_000_000_000;
/// How often room is looked for at most.
const SWEEP_NS: u64 = 60 * 1_000_000_000;

/// Who talks to whom, whatever the connection.
#[derive(Debug, Copy, Clone, Eq, PartialEq, Hash, Ord, PartialOrd)]
pub struct AssociationKey {
    /// The commanding host.
    pub master: Host,
    /// The host that the station stands behind.
    pub server: Host,
    /// The port at which the protocol is spoken, whoever opened the connection.
    pub service: u16,
    /// The protocol.
    pub protocol: Protocol,
    /// The station's address in it.
    pub station: StationAddress,
}

impl AssociationKey {
    /// The key of an operation.
    #[must_use]
    pub fn of(operation: &Operation<'_>) -> AssociationKey {
        AssociationKey {
            master: operation.master_endpoint().host,
            server: operation.station_endpoint().host,
            service: service_port(operation.flow),
            protocol: operation.protocol,
            station: operation.station,
        }
    }

    /// The key of a request that something is wrong with, if it is known who sent it.
    #[must_use]
    pub fn of_request(defect: &Defect<'_>) -> Option<AssociationKey> {
        (defect.from_master == Some(true)).then(|| AssociationKey {
            master: defect.flow.sender(defect.direction).host,
            server: defect.flow.receiver(defect.direction).host,
            service: service_port(defect.flow),
            protocol: defect.protocol,
            station: defect.station,
        })
    }
}

/// The port at which a flow's protocol is spoken: the configured one, else that of the side connected to.
#[must_use]
pub fn service_port(flow: &FlowInfo) -> u16 {
    match flow.port_side {
        Some(Direction::ToClient) => flow.client.port,
        Some(Direction::ToServer) | None => flow.server.port,
    }
}

/// A master and a station.
#[derive(Debug)]
pub struct Association {
    /// Who they are.
    pub key: AssociationKey,
    /// What the profile calls them.
    pub pair: Option<Pair>,
    /// Packet time of the first operation.
    pub first_seen: Timestamp,
    /// Packet time of the last operation, either way.
    pub last_seen: Timestamp,
    /// Values of its points that the profile names.
    pub values: Values,
    /// Reads whose judgement stands.
    pub(super) known: Known,
    /// Its controls.
    pub(super) control: super::control::Control,
    /// What could not be seen on the flow of the last operation.
    coverage: Coverage,
    last_gap: Option<Timestamp>,
    wake: Option<Timestamp>,
    /// Poll timing and silence.
    pub(super) timing: Timing,
    /// How often rules with a rate were used.
    pub(super) rates: Rates,
}

impl Association {
    fn new(key: AssociationKey, pair: Option<Pair>, now: Timestamp) -> Association {
        Association {
            key,
            pair,
            first_seen: now,
            last_seen: now,
            values: Values::default(),
            known: Known::default(),
            control: super::control::Control::default(),
            coverage: Coverage::default(),
            last_gap: None,
            wake: None,
            timing: Timing::default(),
            rates: Rates::default(),
        }
    }

    /// Note an operation's time and what its flow could not see.
    #[inline]
    pub(super) fn note(&mut self, flow: &FlowInfo, now: Timestamp) {
        self.last_seen = self.last_seen.max(now);
        if flow.coverage.gaps > self.coverage.gaps {
            self.last_gap = Some(now);
        }
        self.coverage = flow.coverage;
    }

    /// A hole in one of its streams.
    pub(super) fn gap(&mut self, now: Timestamp) {
        self.last_gap = Some(now);
    }

    /// Whether one of its streams had a hole in the last `ns` nanoseconds before `now`.
    #[must_use]
    pub fn has_gap_within(&self, now: Timestamp, ns: u64) -> bool {
        self.last_gap.is_some_and(|gap| now.since(gap) <= ns)
    }

    /// What bears on the time `now`, for findings without a flow (something did not come).
    #[must_use]
    pub fn coverage(&self, now: Timestamp, losses: &Losses) -> Coverage {
        Coverage {
            midstream: false,
            gaps: if losses.is_recent(self.last_gap, now) { self.coverage.gaps.max(1) } else { 0 },
            one_way: self.coverage.one_way,
            truncated: self.coverage.truncated,
            drops: losses.bear_on(now),
        }
    }
}

/// Place of an association in its table.
#[derive(Debug, Copy, Clone, Eq, PartialEq, Ord, PartialOrd)]
pub struct AssociationId {
    index: u32,
    generation: u32,
}

#[derive(Debug, Default)]
struct Slot {
    generation: u32,
    association: Option<Box<Association>>,
}

/// All associations of a shard.
#[derive(Debug)]
pub struct AssociationTable {
    slots: Vec<Slot>,
    free: Vec<u32>,
    map: HashMap<AssociationKey, AssociationId, FixedState>,
    due: BinaryHeap<Reverse<(Timestamp, AssociationId)>>,
    limit: usize,
    unprofiled: usize,
    overflowed: u64,
    swept: Timestamp,
}

impl AssociationTable {
    /// A table with room for `limit` pairs that the profile does not name.
    #[must_use]
    pub fn new(limit: usize) -> AssociationTable {
        AssociationTable {
            slots: Vec::new(),
            free: Vec::new(),
            map: HashMap::default(),
            due: BinaryHeap::new(),
            limit,
            unprofiled: 0,
            overflowed: 0,
            swept: Timestamp::default(),
        }
    }

    /// The association of an operation, made if there is room.
    pub fn admit(&mut self, operation: &Operation<'_>, pair: Option<Pair>) -> Option<AssociationId> {
        self.enter(AssociationKey::of(operation), pair, operation.origin.at)
    }

    fn enter(&mut self, key: AssociationKey, pair: Option<Pair>, now: Timestamp) -> Option<AssociationId> {
        if let Some(id) = self.map.get(&key) {
            return Some(*id);
        }
        let profiled = is_profiled(pair);
        if !profiled && self.unprofiled >= self.limit {
            self.sweep(now);
            if self.unprofiled >= self.limit {
                self.overflowed += 1;
                return None;
            }
        }
        self.unprofiled += usize::from(!profiled);
        let index = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot::default());
            (self.slots.len() - 1) as u32
        });
        let slot = &mut self.slots[index as usize];
        slot.association = Some(Box::new(Association::new(key, pair, now)));
        let id = AssociationId { index, generation: slot.generation };
        self.map.insert(key, id);
        Some(id)
    }

    /// An association, unless it was given up since.
    #[inline]
    pub fn get(&mut self, id: AssociationId) -> Option<&mut Association> {
        let slot = self.slots.get_mut(id.index as usize)?;
        if slot.generation != id.generation {
            return None;
        }
        slot.association.as_deref_mut()
    }

    /// The association of these two, if there is one.
    pub fn find(&mut self, key: &AssociationKey) -> Option<&mut Association> {
        let id = *self.map.get(key)?;
        self.get(id)
    }

    /// Have an association called at packet time `at` (or at the first whole second after it). An earlier
    /// call that is already agreed stands: it comes first, and whoever is called says when again.
    pub fn wake(&mut self, id: AssociationId, at: Timestamp) {
        let Some(association) = self.get(id) else { return };
        if association.wake.is_some_and(|agreed| agreed <= at) {
            return;
        }
        association.wake = Some(at);
        if self.due.len() > 4 * (self.map.len() + 16) {
            self.forget_stale();
        }
        self.due.push(Reverse((at, id)));
    }

    /// The next association that is due at `now`, and when it was.
    pub fn next_due(&mut self, now: Timestamp) -> Option<(AssociationId, Timestamp)> {
        while let Some(&Reverse((at, id))) = self.due.peek() {
            if at > now {
                return None;
            }
            self.due.pop();
            if let Some(association) = self.get(id)
                && association.wake == Some(at)
            {
                association.wake = None;
                return Some((id, at));
            }
        }
        None
    }

    /// All that are remembered, in the order of their places.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Association> {
        self.slots.iter_mut().filter_map(|slot| slot.association.as_deref_mut())
    }

    /// When the next association is due, at the earliest.
    #[must_use]
    pub fn next_wake(&self) -> Option<Timestamp> {
        self.due.peek().map(|Reverse((at, _))| *at)
    }

    /// Operations judged without memory, because their pair found no room.
    #[must_use]
    pub fn overflowed(&self) -> u64 {
        self.overflowed
    }

    /// Pairs remembered now.
    #[must_use]
    pub fn len(&self) -> usize {
        self.map.len()
    }

    /// Whether no pair is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.map.is_empty()
    }

    /// Another profile is in force: what it calls the pairs is looked up again.
    pub fn rename(&mut self, mut pair: impl FnMut(&AssociationKey) -> Option<Pair>) {
        self.unprofiled = 0;
        for association in self.slots.iter_mut().filter_map(|slot| slot.association.as_deref_mut()) {
            association.pair = pair(&association.key);
            association.control.forget_names();
            self.unprofiled += usize::from(!is_profiled(association.pair));
        }
    }

    fn forget_stale(&mut self) {
        let due = core::mem::take(&mut self.due);
        self.due = due
            .into_iter()
            .filter(|Reverse((at, id))| self.get(*id).is_some_and(|a| a.wake == Some(*at)))
            .collect();
    }

    /// Give up unprofiled pairs that have been idle for long.
    fn sweep(&mut self, now: Timestamp) {
        if now.since(self.swept) < SWEEP_NS {
            return;
        }
        self.swept = now;
        for (index, slot) in self.slots.iter_mut().enumerate() {
            let idle = slot
                .association
                .as_deref()
                .is_some_and(|a| !is_profiled(a.pair) && now.since(a.last_seen) > IDLE_NS);
            if idle && let Some(association) = slot.association.take() {
                slot.generation = slot.generation.wrapping_add(1);
                self.map.remove(&association.key);
                self.free.push(index as u32);
                self.unprofiled -= 1;
            }
        }
    }
}

fn is_profiled(pair: Option<Pair>) -> bool {
    pair.is_some_and(|pair| pair.knows_client() && pair.knows_station())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use parsers::MacAddr;

    const SECOND: u64 = 1_000_000_000;

    fn key(n: u8) -> AssociationKey {
        let host = |last| Host::Mac(MacAddr([2, 0, 0, 0, 0, last]));
        AssociationKey {
            master: host(n),
            server: host(200),
            service: 502,
            protocol: Protocol::Modbus,
            station: StationAddress::Unit(1),
        }
    }

    fn at(seconds: u64) -> Timestamp {
        Timestamp(seconds * SECOND)
    }

    #[test]
    fn a_full_table_counts_what_it_cannot_remember_and_makes_room_of_what_is_idle() {
        let mut table = AssociationTable::new(2);
        assert!(table.enter(key(1), None, at(0)).is_some());
        assert!(table.enter(key(2), None, at(3000)).is_some());
        assert_eq!(table.enter(key(3), None, at(3500)), None);
        assert_eq!((table.overflowed(), table.len()), (1, 2));
        // The first has been idle for more than an hour now; the second has not.
        let third = table.enter(key(3), None, at(3601));
        assert!(third.is_some());
        assert_eq!((table.overflowed(), table.len()), (1, 2));
        assert!(table.enter(key(2), None, at(3601)).is_some(), "what is known needs no room");
    }

    #[test]
    fn who_was_given_up_is_not_found_by_an_old_id() {
        let mut table = AssociationTable::new(1);
        let first = table.enter(key(1), None, at(0)).unwrap();
        let second = table.enter(key(2), None, at(4000)).unwrap();
        assert!(table.get(first).is_none());
        assert_eq!(table.get(second).unwrap().key, key(2));
    }

    #[test]
    fn the_earliest_call_agreed_stands_and_comes_once() {
        let mut table = AssociationTable::new(4);
        let id = table.enter(key(1), None, at(0)).unwrap();
        table.wake(id, at(9));
        table.wake(id, at(5));
        table.wake(id, at(7));
        assert_eq!(table.next_due(at(4)), None);
        assert_eq!(table.next_due(at(60)), Some((id, at(5))));
        assert_eq!(table.next_due(at(60)), None, "the others were withdrawn");
        table.wake(id, at(61));
        assert_eq!(table.next_due(at(61)), Some((id, at(61))));
    }

    #[test]
    fn calls_put_forward_again_and_again_do_not_pile_up() {
        let mut table = AssociationTable::new(4);
        let id = table.enter(key(1), None, at(0)).unwrap();
        for second in (0..10_000).rev() {
            table.wake(id, at(second));
        }
        assert!(table.due.len() <= 4 * 17 + 1, "{}", table.due.len());
        assert_eq!(table.next_due(at(10_000)), Some((id, at(0))));
    }
}
