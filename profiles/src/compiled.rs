//! Third layer: the profile as an index for judging.
//!
//! ```text
//! (client address, station address, port, unit)  --pair()-->  Pair   once per flow and unit
//! (Pair, Operation)                              --judge()->  Verdict    a few comparisons
//! ```
//!
//! Station pairs that fall under the same rules share one table. Nothing here allocates once it is built.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;

use foldhash::fast::FixedState;
use parsers::{Action, Endpoint, Function, Host, PointKind, PointRange, Protocol, StationAddress};

use crate::profile::{Allow, Profile, Rule};

/// Hashing without a random seed: the keys come from the profile, so nobody outside chooses them.
type Map<K, V> = HashMap<K, V, FixedState>;

/// Index of a rule in [`Profile::rules`].
#[derive(Debug, Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash)]
pub struct RuleId(pub u32);

/// A commanding host and a station, looked up once and kept with the flow. Valid for the
/// [`Compiled`] that made it, and only for it.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub struct Pair {
    pub(crate) client: Option<u32>,
    pub(crate) station: Option<u32>,
    /// Host of the station, known or not as a station.
    pub(crate) host: Option<u32>,
    /// Rules for requests to the station; 0 is the empty table.
    pub(crate) table: u32,
    /// Rules for requests to the broadcast address behind the station's host.
    pub(crate) broadcast: u32,
}

impl Pair {
    /// Whether the profile names the commanding host.
    #[must_use]
    pub fn knows_client(&self) -> bool {
        self.client.is_some()
    }

    /// The station's place in [`Compiled::stations`].
    #[must_use]
    pub fn station_index(&self) -> Option<u32> {
        self.station
    }

    /// Whether the profile names the station.
    #[must_use]
    pub fn knows_station(&self) -> bool {
        self.station.is_some()
    }
}

/// What a rule allows, ready for comparison.
#[derive(Debug)]
pub(crate) struct Grant {
    /// One bit per [`Action`], by its place in [`Action::ALL`].
    actions: u32,
    /// One bit per function code, for each protocol.
    codes: [[u64; 4]; Protocol::ALL.len()],
    subs: Box<[(Protocol, u8, u16)]>,
    /// Sorted and merged; `None` for all points.
    points: Option<Box<[PointRange]>>,
}

fn action_bit(action: Action) -> u32 {
    1 << (action as u32)
}

fn slot(protocol: Protocol) -> usize {
    match protocol {
        Protocol::Modbus => 0,
        Protocol::Dnp3 => 1,
    }
}

impl Grant {
    fn new(rule: &Rule) -> Grant {
        let mut grant = Grant {
            actions: 0,
            codes: [[0; 4]; Protocol::ALL.len()],
            subs: Box::default(),
            points: rule.points.clone().map(Vec::into_boxed_slice),
        };
        let mut subs = Vec::new();
        for allow in &rule.allow {
            match *allow {
                Allow::Action(action) => grant.actions |= action_bit(action),
                Allow::Function { protocol, code, sub: None } => {
                    grant.codes[slot(protocol)][usize::from(code >> 6)] |= 1 << (code & 63);
                }
                Allow::Function { protocol, code, sub: Some(sub) } => subs.push((protocol, code, sub)),
            }
        }
        grant.subs = subs.into_boxed_slice();
        grant
    }

    /// Whether it allows this function on some points.
    pub(crate) fn allows(&self, protocol: Protocol, action: Action, function: Function) -> bool {
        let code = function.code;
        self.actions & action_bit(action) != 0
            || self.codes[slot(protocol)][usize::from(code >> 6)] & (1 << (code & 63)) != 0
            || function.sub.is_some_and(|sub| self.subs.contains(&(protocol, code, sub)))
    }

    pub(crate) fn allows_action(&self, action: Action) -> bool {
        self.actions & action_bit(action) != 0
    }

    pub(crate) fn allows_all_points(&self) -> bool {
        self.points.is_none()
    }

    /// The first range that is not allowed. Device data has no address, so the function decides alone.
    pub(crate) fn outside(&self, ranges: &[PointRange]) -> Option<PointRange> {
        let points = self.points.as_deref()?;
        ranges.iter().find(|r| r.kind() != PointKind::DeviceData && !holds(points, r)).copied()
    }
}

/// Whether sorted, merged ranges hold all of `wanted`.
fn holds(points: &[PointRange], wanted: &PointRange) -> bool {
    let behind = points.partition_point(|p| (p.kind(), p.first()) <= (wanted.kind(), wanted.first()));
    let before = behind.checked_sub(1).and_then(|i| points.get(i));
    before.is_some_and(|p| p.kind() == wanted.kind() && wanted.last() <= p.last())
}

/// A station as metrics and events name it.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub struct StationLabel<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its protocol.
    pub protocol: Protocol,
}

/// A station's place: host, protocol, address (`None`: any), port (`None`: any).
type Place = (u32, Protocol, Option<StationAddress>, Option<u16>);

/// A profile, ready to judge.
#[derive(Debug)]
pub struct Compiled {
    profile: Profile,
    sha256: String,
    /// First address, last address, host; sorted, without overlap.
    addresses: Vec<(IpAddr, IpAddr, u32)>,
    places: Map<Place, u32>,
    /// Whether any station asks for a port; most profiles have none, which spares look-ups.
    ports: bool,
    pub(crate) grants: Vec<Grant>,
    /// Rules in the order of the file; table 0 is empty.
    tables: Vec<Box<[RuleId]>>,
    /// (client, station) to table.
    pairs: Map<(u32, u32), u32>,
    /// (client, host, protocol, port of its stations) to table.
    broadcasts: Map<(u32, u32, Protocol, Option<u16>), u32>,
    /// Rules that name a station, for telling what comes nearest.
    station_rules: Vec<Vec<RuleId>>,
}

/// Collects which rules hold for which pair, then makes one table for each distinct set.
#[derive(Default)]
struct Tables {
    by_rules: Map<BTreeSet<u32>, u32>,
    tables: Vec<Box<[RuleId]>>,
}

impl Tables {
    fn number(&mut self, rules: BTreeSet<u32>) -> u32 {
        if let Some(number) = self.by_rules.get(&rules) {
            return *number;
        }
        let number = self.tables.len() as u32;
        self.tables.push(rules.iter().copied().map(RuleId).collect());
        self.by_rules.insert(rules, number);
        number
    }
}

impl Compiled {
    /// Build the index. `sha256` is the hash of the file's octets, in hex.
    #[must_use]
    pub fn new(profile: Profile, sha256: String) -> Compiled {
        let mut addresses: Vec<_> = profile
            .hosts
            .iter()
            .enumerate()
            .flat_map(|(i, h)| h.addresses.iter().map(move |net| (net.network(), net.broadcast(), i as u32)))
            .collect();
        addresses.sort_unstable();
        let places = profile
            .stations
            .iter()
            .enumerate()
            .map(|(i, s)| ((s.host as u32, s.protocol, s.address, s.port), i as u32))
            .collect();
        let mut tables = Tables::default();
        tables.number(BTreeSet::new());
        let pairs = pairs(&profile, &mut tables);
        let broadcasts = broadcasts(&profile, &mut tables);
        let mut station_rules = vec![Vec::new(); profile.stations.len()];
        for (i, rule) in profile.rules.iter().enumerate() {
            for station in &rule.to {
                station_rules[*station].push(RuleId(i as u32));
            }
        }
        Compiled {
            grants: profile.rules.iter().map(Grant::new).collect(),
            sha256,
            addresses,
            places,
            ports: profile.stations.iter().any(|s| s.port.is_some()),
            tables: tables.tables,
            pairs,
            broadcasts,
            station_rules,
            profile,
        }
    }

    /// Look up who commands whom. Keep the result with the flow: an operation is then judged without
    /// another look-up.
    #[must_use]
    pub fn pair(
        &self,
        master: Endpoint,
        station: Endpoint,
        protocol: Protocol,
        address: StationAddress,
    ) -> Pair {
        let client = self.host(master.host);
        let host = self.host(station.host);
        let found = host.and_then(|host| self.station(host, protocol, address, station.port));
        let table = client.zip(found).and_then(|key| self.pairs.get(&key)).copied().unwrap_or(0);
        let broadcast = client.zip(host).and_then(|(client, host)| {
            let on = |port| self.broadcasts.get(&(client, host, protocol, port));
            on(Some(station.port)).or_else(|| on(None))
        });
        Pair { client, station: found, host, table, broadcast: broadcast.copied().unwrap_or(0) }
    }

    fn host(&self, host: Host) -> Option<u32> {
        let Host::Ip(address) = host else { return None };
        let behind = self.addresses.partition_point(|(first, _, _)| *first <= address);
        let (_, last, host) = self.addresses.get(behind.checked_sub(1)?)?;
        (address <= *last).then_some(*host)
    }

    fn station(&self, host: u32, protocol: Protocol, address: StationAddress, port: u16) -> Option<u32> {
        let at = |address, port| self.places.get(&(host, protocol, address, port)).copied();
        let at_port = |address| if self.ports { at(address, Some(port)) } else { None };
        at_port(Some(address))
            .or_else(|| at(Some(address), None))
            .or_else(|| at_port(None))
            .or_else(|| at(None, None))
    }

    pub(crate) fn table(&self, number: u32) -> &[RuleId] {
        self.tables.get(number as usize).map_or(&[], |table| table)
    }

    pub(crate) fn grant(&self, rule: RuleId) -> Option<&Grant> {
        self.grants.get(rule.0 as usize)
    }

    pub(crate) fn rules_of_station(&self, station: u32) -> &[RuleId] {
        self.station_rules.get(station as usize).map_or(&[], Vec::as_slice)
    }

    /// The checked profile.
    #[must_use]
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// Name of the site.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.profile.name
    }

    /// Version as the engineer wrote it; empty if none.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.profile.version
    }

    /// SHA-256 of the file's octets, in hex.
    #[must_use]
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// A rule.
    #[must_use]
    pub fn rule(&self, id: RuleId) -> Option<&Rule> {
        self.profile.rules.get(id.0 as usize)
    }

    /// The name of a host by its address, whatever its part.
    #[must_use]
    pub fn host_name(&self, host: Host) -> Option<&str> {
        self.name_of_host(self.host(host)?)
    }

    /// The name of the commanding host.
    #[must_use]
    pub fn client_name(&self, pair: Pair) -> Option<&str> {
        self.name_of_host(pair.client?)
    }

    /// The name of the station.
    #[must_use]
    pub fn station_name(&self, pair: Pair) -> Option<&str> {
        self.profile.stations.get(pair.station? as usize).map(|s| s.name.as_str())
    }

    /// The name of the host that the station stands behind, also when the station itself is unknown.
    #[must_use]
    pub fn station_host_name(&self, pair: Pair) -> Option<&str> {
        self.name_of_host(pair.host?)
    }

    fn name_of_host(&self, host: u32) -> Option<&str> {
        self.profile.hosts.get(host as usize).map(|h| h.name.as_str())
    }

    /// Every station, in the order of the file.
    pub fn stations(&self) -> impl Iterator<Item = StationLabel<'_>> {
        self.profile.stations.iter().map(|s| StationLabel { name: &s.name, protocol: s.protocol })
    }

    #[cfg(test)]
    pub(crate) fn work(&self) -> (usize, usize) {
        (self.pairs.len(), self.tables.len())
    }
}

/// The table of every client and station that some rule connects.
fn pairs(profile: &Profile, tables: &mut Tables) -> Map<(u32, u32), u32> {
    let mut rules: Map<(u32, u32), BTreeSet<u32>> = Map::default();
    for (i, rule) in profile.rules.iter().enumerate() {
        for client in &rule.from {
            for station in &rule.to {
                rules.entry((*client as u32, *station as u32)).or_default().insert(i as u32);
            }
        }
    }
    rules.into_iter().map(|(pair, rules)| (pair, tables.number(rules))).collect()
}

/// The table of every client and host with a broadcast rule. A rule for a station without a port holds
/// on every port.
fn broadcasts(profile: &Profile, tables: &mut Tables) -> Map<(u32, u32, Protocol, Option<u16>), u32> {
    let mut rules: Map<(u32, u32, Protocol, Option<u16>), BTreeSet<u32>> = Map::default();
    for (i, rule) in profile.rules.iter().enumerate().filter(|(_, rule)| rule.broadcast) {
        for station in rule.to.iter().filter_map(|s| profile.stations.get(*s)) {
            for client in &rule.from {
                let key = (*client as u32, station.host as u32, station.protocol, station.port);
                rules.entry(key).or_default().insert(i as u32);
            }
        }
    }
    let portless: Map<_, _> =
        rules.iter().filter(|(key, _)| key.3.is_none()).map(|(k, r)| ((k.0, k.1, k.2), r.clone())).collect();
    for (key, set) in &mut rules {
        if let Some(more) = portless.get(&(key.0, key.1, key.2)) {
            set.extend(more);
        }
    }
    rules.into_iter().map(|(key, rules)| (key, tables.number(rules))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_has_a_bit_of_its_own() {
        let all = Action::ALL.iter().fold(0_u32, |bits, a| bits | action_bit(*a));
        assert_eq!(all.count_ones() as usize, Action::ALL.len());
    }
}
