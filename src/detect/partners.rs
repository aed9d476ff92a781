//! Who the two sides of an operation are, kept with the flow: what the profile calls them and where their
//! association is.
//!
//! A flow has one or few stations behind it, so a handful of entries spares nearly every look-up.

use parsers::{Direction, Operation, StationAddress, Timestamp};
use profiles::{Compiled, Pair};

use super::association::{AssociationId, AssociationTable};

/// Stations of one flow whose partner is kept. More take turns.
const KEPT: usize = 4;

/// A master and a station, looked up.
#[derive(Debug, Clone, Copy)]
pub struct Partner {
    commands: Direction,
    station: StationAddress,
    epoch: u32,
    /// What the profile calls them; `None` without a profile.
    pub pair: Option<Pair>,
    /// Their association; `None` if there was no room for one.
    pub association: Option<AssociationId>,
}

/// Partners looked up for a flow.
#[derive(Debug, Default)]
pub struct Partners {
    /// Most flows have one.
    first: Option<Partner>,
    others: Option<Box<[Option<Partner>; KEPT - 1]>>,
    next: u8,
}

impl Partners {
    /// The partner of an operation's master and station. `epoch` changes with the profile.
    #[inline]
    pub fn of(
        &mut self,
        profile: Option<&Compiled>,
        epoch: u32,
        table: &mut AssociationTable,
        operation: &Operation<'_>,
    ) -> Partner {
        let commands =
            if operation.from_master { operation.direction } else { operation.direction.reverse() };
        let mut is = |partner: &Partner| {
            partner.station == operation.station
                && partner.commands == commands
                && partner.epoch == epoch
                && partner.association.is_some_and(|id| table.get(id).is_some())
        };
        if let Some(first) = self.first.filter(|first| is(first)) {
            return first;
        }
        let other = self.all().find(|partner| is(partner)).copied();
        match other {
            Some(partner) => partner,
            None => self.look_up(profile, epoch, table, operation, commands),
        }
    }

    fn look_up(
        &mut self,
        profile: Option<&Compiled>,
        epoch: u32,
        table: &mut AssociationTable,
        operation: &Operation<'_>,
        commands: Direction,
    ) -> Partner {
        let pair = profile.map(|profile| {
            profile.pair(
                operation.master_endpoint(),
                operation.station_endpoint(),
                operation.protocol,
                operation.station,
            )
        });
        let association = table.admit(operation, pair);
        let partner = Partner { commands, station: operation.station, epoch, pair, association };
        match usize::from(self.next).checked_sub(1) {
            None => self.first = Some(partner),
            Some(place) => {
                if let Some(slot) = self.others.get_or_insert_default().get_mut(place) {
                    *slot = Some(partner);
                }
            }
        }
        self.next = (self.next + 1) % KEPT as u8;
        partner
    }

    #[inline]
    fn all(&self) -> impl Iterator<Item = &Partner> {
        self.first.iter().chain(self.others.iter().flat_map(|others| others.iter().flatten()))
    }

    /// The flow lost octets: note it with its partners.
    pub fn gap(&self, table: &mut AssociationTable, now: Timestamp) {
        for partner in self.all() {
            if let Some(association) = partner.association.and_then(|id| table.get(id)) {
                association.gap(now);
            }
        }
    }
}
