//! Whom a finding about time is about: a master and a station, by address and by name.

use core::fmt;

use parsers::{Coverage, Endpoint, StationAddress, Timestamp};
use profiles::Compiled;

use crate::detect::association::{Association, AssociationKey};
use crate::report::catalogue::FindingKind;
use crate::report::finding::Finding;
use crate::report::record::{StationChange, StationState};

/// Whom a finding is about.
pub(super) struct Party<'a> {
    pub(super) key: AssociationKey,
    client_name: Option<&'a str>,
    station_name: Option<&'a str>,
    /// Those that may take over from the master.
    pub(super) stand_ins: Option<&'a str>,
    pub(super) coverage: Coverage,
}

impl<'a> Party<'a> {
    pub(super) fn of(
        association: &Association,
        coverage: Coverage,
        profile: Option<&'a Compiled>,
    ) -> Party<'a> {
        let named = profile.zip(association.pair);
        Party {
            key: association.key,
            client_name: named.and_then(|(profile, pair)| profile.client_name(pair)),
            station_name: named.and_then(|(profile, pair)| profile.station_name(pair)),
            stand_ins: named.and_then(|(profile, pair)| {
                let group = profile.redundancy_of(pair.client_index()?)?;
                (group.hosts.len() > 1).then_some(group.name.as_str())
            }),
            coverage,
        }
    }

    pub(super) fn endpoints(&self) -> (Endpoint, Endpoint) {
        let (master, server) = (self.key.master, self.key.server);
        (Endpoint { host: master, port: 0 }, Endpoint { host: server, port: self.key.service })
    }

    pub(super) fn finding(&self, kind: FindingKind, now: Timestamp) -> Finding<'_> {
        let (client, server) = self.endpoints();
        Finding {
            kind,
            protocol: Some(self.key.protocol),
            station_name: self.station_name,
            client_name: self.client_name,
            coverage: self.coverage,
            ..Finding::about(now, client, server, self.key.station)
        }
    }

    pub(super) fn changed(&self, change: StationChange, now: Timestamp) -> StationState<'a> {
        StationState {
            at: now,
            protocol: self.key.protocol,
            server: self.endpoints().1,
            station: self.key.station,
            station_name: self.station_name,
            change,
        }
    }

    /// The station as one would name it beside its host.
    pub(super) fn station_words(&self) -> StationWords<'a> {
        StationWords(self.station_name, self.key.station)
    }
}

pub(super) struct StationWords<'a>(Option<&'a str>, StationAddress);

impl fmt::Display for StationWords<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0, self.1) {
            (Some(name), _) => f.write_str(name),
            (None, StationAddress::None) => f.write_str("the host itself"),
            (None, address) => address.fmt(f),
        }
    }
}
