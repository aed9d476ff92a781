//! Select before operate, over connections and time (IEEE 1815-2012, 4.4.3; IEC 60870-5-101, 6.8).
//!
//! An OPERATE is accepted by an outstation only if the SELECT of the same master came just before it: the
//! next application sequence number, the same object octets, within the select time-out, and no other
//! request of that master in between. The table follows masters and outstations, not TCP connections: a
//! select on one connection and the operate on the next one belong together.

use super::coverage::Losses;
use crate::pipeline::FlowContext;
use hashbrown::HashMap;
use parsers::{Action, Endpoint, Exchange, Host, Operation, Protocol, SelectRule, StationAddress, Timestamp};
use sha2::{Digest as _, Sha256};

/// Which master and outstation; ports left out, so that a reconnect changes nothing. Where selects of several
/// objects may wait at a time, the object too.
type Key = (Host, Host, StationAddress, StationAddress, u32);

/// Octets of a select that are kept as they are. Longer ones are kept as a digest.
const KEPT: usize = 128;

/// The octets of a select.
enum Body {
    Octets(Vec<u8>),
    /// An attacker chooses the octets, so two different bodies must not pass for one.
    Digest([u8; 32]),
}

impl Body {
    fn of(octets: &[u8]) -> Body {
        if octets.len() > KEPT { Body::Digest(digest(octets)) } else { Body::Octets(octets.to_vec()) }
    }

    /// The octets of another select, in the room of this one's.
    fn set(&mut self, octets: &[u8]) {
        match self {
            Body::Octets(kept) if octets.len() <= KEPT => {
                kept.clear();
                kept.extend_from_slice(octets);
            }
            body => *body = Body::of(octets),
        }
    }

    fn is(&self, octets: &[u8]) -> bool {
        match self {
            Body::Octets(kept) => kept == octets,
            Body::Digest(kept) => octets.len() > KEPT && *kept == digest(octets),
        }
    }
}

struct Selected {
    at: Timestamp,
    sequence: u16,
    body: Body,
    live: bool,
    /// The operate that used this select, so that its retry (same sequence) is known as one.
    operated: Option<u16>,
}

/// Selects that wait for their operate.
pub struct SelectTable {
    table: HashMap<Key, Selected, foldhash::fast::FixedState>,
    limit: usize,
    /// Selects in the table that may still be used.
    live: usize,
    timeout_ns: u64,
    /// Selects not remembered because the table was full.
    pub overflowed: u64,
    overflowed_at: Option<Timestamp>,
}

/// Whether an execute without a select may have had one before the tap began to see the connection. Only where the
/// execute itself does not say (IEC 104); DNP3 has functions for both.
#[must_use]
pub fn may_be_unseen(context: &FlowContext, operation: &Operation<'_>, losses: &Losses) -> bool {
    let by_object =
        parsers::dissector(operation.protocol).is_some_and(|d| d.select == SelectRule::SameObject);
    by_object
        && operation.action == Action::DirectOperate
        && operation.exchange == Exchange::Request
        && context.blindness.at(operation.flow, operation.origin.at, losses).midstream
}

/// Why an operate has no valid select.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub enum Missing {
    /// None was seen.
    NoSelect,
    /// It came too long ago, in nanoseconds.
    Expired(u64),
    /// Another request came in between.
    Cancelled,
    /// Its objects were others.
    OtherObjects,
    /// Its sequence number is not the one before.
    Sequence {
        /// The select's.
        selected: u16,
    },
    /// A select may have been there, but the table was full and kept none.
    Forgotten,
}

impl SelectTable {
    /// A table of at most `limit` pairs; a select is good for `timeout_ns`.
    #[must_use]
    pub fn new(limit: usize, timeout_ns: u64) -> SelectTable {
        SelectTable {
            table: HashMap::default(),
            limit,
            live: 0,
            timeout_ns,
            overflowed: 0,
            overflowed_at: None,
        }
    }

    /// Another profile, another time-out.
    pub fn set_timeout(&mut self, timeout_ns: u64) {
        self.timeout_ns = timeout_ns;
    }

    /// How long a select is good for, in nanoseconds.
    #[must_use]
    pub fn timeout_ns(&self) -> u64 {
        self.timeout_ns
    }

    /// Take a read or an answer: a read of DNP3 between select and operate cancels the select, and no other
    /// protocol's reads bear on it.
    #[inline]
    pub fn passed(&mut self, operation: &Operation<'_>) {
        if self.live > 0 && operation.protocol == Protocol::Dnp3 {
            let missing = self.request(operation);
            debug_assert_eq!(missing, None, "only an operate misses its select");
        }
    }

    /// Take a request from a master. Returns what is wrong if it is an operate without a valid select.
    pub fn request(&mut self, operation: &Operation<'_>) -> Option<Missing> {
        if operation.exchange != Exchange::Request || !operation.from_master {
            return None;
        }
        let controls = matches!(operation.action, Action::Select | Action::Operate);
        if !controls && self.live == 0 {
            return None;
        }
        let rule = parsers::dissector(operation.protocol).map_or(SelectRule::NextSequence, |d| d.select);
        let by_object = rule == SelectRule::SameObject;
        match operation.action {
            Action::Select => self.select(key(operation, by_object), operation),
            Action::Operate => return self.operate(key(operation, by_object), operation, by_object),
            action if by_object && action != Action::Cancel => {}
            _ => {
                if let Some(selected) = self.table.get_mut(&key(operation, by_object)) {
                    self.live -= usize::from(core::mem::replace(&mut selected.live, false));
                }
            }
        }
        None
    }

    fn select(&mut self, key: Key, operation: &Operation<'_>) {
        let (at, sequence) = (operation.origin.at, operation.sequence);
        if let Some(selected) = self.table.get_mut(&key) {
            self.live += usize::from(!selected.live);
            selected.body.set(operation.body);
            (selected.at, selected.sequence) = (at, sequence);
            (selected.live, selected.operated) = (true, None);
            return;
        }
        if self.table.len() >= self.limit {
            self.forget_expired(at);
        }
        if self.table.len() >= self.limit {
            self.overflowed += 1;
            self.overflowed_at = Some(at);
            return;
        }
        let body = Body::of(operation.body);
        self.live += 1;
        self.table.insert(key, Selected { at, sequence, body, live: true, operated: None });
    }

    fn operate(&mut self, key: Key, operation: &Operation<'_>, by_object: bool) -> Option<Missing> {
        let now = operation.origin.at;
        let Some(selected) = self.table.get_mut(&key) else {
            let forgot = self.overflowed_at.is_some_and(|at| now.since(at) <= self.timeout_ns);
            return Some(if forgot { Missing::Forgotten } else { Missing::NoSelect });
        };
        let same = selected.body.is(operation.body);
        if selected.operated == Some(operation.sequence) && same && !by_object {
            return None;
        }
        let age = now.since(selected.at);
        if !selected.live {
            return Some(Missing::Cancelled);
        }
        selected.live = false;
        self.live -= 1;
        if age > self.timeout_ns {
            return Some(Missing::Expired(age));
        }
        if !same {
            return Some(Missing::OtherObjects);
        }
        if !by_object && operation.sequence != (selected.sequence + 1) % 16 {
            return Some(Missing::Sequence { selected: selected.sequence });
        }
        selected.operated = Some(operation.sequence);
        None
    }

    fn forget_expired(&mut self, now: Timestamp) {
        let SelectTable { table, live, timeout_ns, .. } = self;
        table.retain(|_, selected| {
            let good = now.since(selected.at) <= *timeout_ns;
            *live -= usize::from(!good && selected.live);
            good
        });
    }
}

fn key(operation: &Operation<'_>, by_object: bool) -> Key {
    let object = operation.ranges.first().filter(|_| by_object).map_or(0, parsers::PointRange::first);
    let (master, station): (Endpoint, Endpoint) = (operation.master_endpoint(), operation.station_endpoint());
    (master.host, station.host, operation.master, operation.station, object)
}

fn digest(octets: &[u8]) -> [u8; 32] {
    Sha256::digest(octets).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_itself_and_no_other_however_long() {
        let octets: Vec<u8> = (0..=255).collect();
        for length in [0, 1, KEPT - 1, KEPT, KEPT + 1, 255] {
            let mut body = Body::of(&octets[..length]);
            for other in [0, 1, KEPT - 1, KEPT, KEPT + 1, 255] {
                assert_eq!(body.is(&octets[..other]), other == length, "{length} and {other}");
            }
            for place in 0..length {
                let mut other = octets[..length].to_vec();
                other[place] ^= 1;
                assert!(!body.is(&other), "octet {place} of {length}");
            }
            for next in [3, 255, KEPT] {
                body.set(&octets[..next]);
                assert!(body.is(&octets[..next]) && !body.is(&octets[..next - 1]));
            }
        }
    }
}
