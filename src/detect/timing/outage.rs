//! Stations that fall silent together, by master and host: the first two are told by themselves, then the
//! host as a whole, when a third joins and when all are gone.

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use parsers::Host;

use crate::detect::association::AssociationKey;

/// Pairs of hosts whose stations are counted. Beyond, every station is told by itself.
pub(super) const HOST_PAIRS: usize = 65_536;
/// Stations told by themselves.
const SINGLY: u32 = 2;

/// How to tell that one more station is silent.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub(super) enum Extent {
    /// By itself.
    One,
    /// As one of many.
    Several {
        /// Stations silent now.
        silent: u32,
        /// Stations whose rhythm is known.
        known: u32,
    },
    /// Not again.
    Folded,
}

#[derive(Debug, Default)]
struct Count {
    known: u32,
    lost: u32,
}

/// Silent stations by pair of hosts.
#[derive(Debug, Default)]
pub(super) struct Outages {
    hosts: HashMap<(Host, Host, u16), Count, FixedState>,
}

impl Outages {
    fn of(&mut self, key: &AssociationKey) -> Option<&mut Count> {
        let pair = (key.master, key.server, key.service);
        if self.hosts.len() >= HOST_PAIRS && !self.hosts.contains_key(&pair) {
            return None;
        }
        Some(self.hosts.entry(pair).or_default())
    }

    /// The rhythm of one more station is known.
    pub(super) fn know(&mut self, key: &AssociationKey) {
        if let Some(count) = self.of(key) {
            count.known += 1;
        }
    }

    /// One more station is lost.
    pub(super) fn begin(&mut self, key: &AssociationKey) -> Extent {
        let Some(count) = self.of(key) else { return Extent::One };
        count.lost += 1;
        match count.lost {
            0..=SINGLY => Extent::One,
            lost if lost == SINGLY + 1 || lost == count.known => {
                Extent::Several { silent: lost, known: count.known.max(lost) }
            }
            _ => Extent::Folded,
        }
    }

    /// One is back.
    pub(super) fn end(&mut self, key: &AssociationKey) {
        if let Some(count) = self.of(key) {
            count.lost = count.lost.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use parsers::{MacAddr, Protocol, StationAddress};

    #[test]
    fn many_stations_behind_a_host_are_told_in_four_findings() {
        let key = |unit| AssociationKey {
            master: Host::Mac(MacAddr([2, 0, 0, 0, 0, 1])),
            server: Host::Mac(MacAddr([2, 0, 0, 0, 0, 2])),
            service: 502,
            protocol: Protocol::Modbus,
            station: StationAddress::Unit(unit),
        };
        let mut outages = Outages::default();
        (1..=40).for_each(|unit| outages.know(&key(unit)));
        let told: Vec<Extent> = (1..=40).map(|unit| outages.begin(&key(unit))).collect();
        assert_eq!(told[0..2], [Extent::One, Extent::One]);
        assert_eq!(told[2], Extent::Several { silent: 3, known: 40 });
        assert_eq!(told[39], Extent::Several { silent: 40, known: 40 });
        assert_eq!(told.iter().filter(|extent| **extent == Extent::Folded).count(), 36);
        (1..=40).for_each(|unit| outages.end(&key(unit)));
        assert_eq!(outages.begin(&key(7)), Extent::One);
    }
}
