//! Third layer: the profile as an index for judging.
//!
//! ```text
//! (client address, station address, port, unit)  --pair()-->  Pair   once per flow and unit
//! (Pair, Operation)                              --judge()->  Verdict    a few comparisons
//! ```
//!
//! Station pairs that fall under the same rules share one table. Nothing here allocates once it is built.

mod access;
mod denial;
mod grant;
mod windows;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::net::IpAddr;

use foldhash::fast::FixedState;
use parsers::{Endpoint, FieldSizes, Host, PointRange, Protocol, StationAddress};

use crate::profile::{Profile, Published, Publishing, Rule};
pub use access::PointId;
use access::Points;
use denial::Denials;
use diagnostics::Diagnostic;
use diagnostics::Quirks;
pub(crate) use grant::{Grant, Operations};
use windows::Windows;

/// Hashing without a random seed: the keys come from the profile, so nobody outside chooses them.
type Map<K, V> = HashMap<K, V, FixedState>;
type Set<K> = HashSet<K, FixedState>;

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

    /// The commanding host's place in [`Profile::hosts`].
    #[must_use]
    pub fn client_index(&self) -> Option<u32> {
        self.client
    }

    /// The place in [`Profile::hosts`] of the host that the station stands behind.
    #[must_use]
    pub fn host_index(&self) -> Option<u32> {
        self.host
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
    grants: Vec<Grant>,
    pub(crate) denials: Denials,
    /// Grants in the order of their rules; table 0 is empty.
    tables: Vec<Box<[GrantId]>>,
    /// (client, station) to table.
    pairs: Map<(u32, u32), u32>,
    /// (client, host, protocol, port of its stations) to table.
    broadcasts: Map<(u32, u32, Protocol, Option<u16>), u32>,
    /// Grants at a station, for telling what comes nearest.
    station_grants: Vec<Vec<GrantId>>,
    /// (host, port of its stations) to the sizes of fields on their connections.
    field_sizes: Map<(u32, Option<u16>), FieldSizes>,
    /// Points of every station.
    points: Vec<Points>,
    /// The redundancy group of every host.
    redundancy: Vec<Option<u32>>,
    /// Which hosts some rule lets command a station behind a host, by a protocol.
    lines: Set<(u32, u32, Protocol)>,
    /// Places of the publishers of each control block.
    publishers: Map<Box<[u8]>, Vec<u32>>,
    warnings: Vec<Diagnostic>,
    quirks: Quirks,
    files: Vec<String>,
    windows: Windows,
}

/// Index of a grant.
pub(crate) type GrantId = u32;

/// Collects which rules hold for which pair, then makes one table for each distinct set.
#[derive(Default)]
struct Tables {
    by_grants: Map<BTreeSet<u32>, u32>,
    tables: Vec<Box<[GrantId]>>,
}

impl Tables {
    fn number(&mut self, grants: BTreeSet<u32>) -> u32 {
        if let Some(number) = self.by_grants.get(&grants) {
            return *number;
        }
        let number = self.tables.len() as u32;
        self.tables.push(grants.iter().copied().collect());
        self.by_grants.insert(grants, number);
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
        let granted = Granted::new(&profile);
        let pairs = pairs(&profile, &granted, &mut tables);
        let broadcasts = broadcasts(&profile, &granted, &mut tables);
        let mut station_grants = vec![Vec::new(); profile.stations.len()];
        for (i, rule) in profile.rules.iter().enumerate() {
            for station in &rule.to {
                station_grants[*station].push(granted.at(i, *station));
            }
        }
        let mut redundancy = vec![None; profile.hosts.len()];
        for (i, group) in profile.redundancy.iter().enumerate() {
            group.hosts.iter().for_each(|host| redundancy[*host] = Some(i as u32));
        }
        Compiled {
            denials: Denials::new(&profile),
            grants: granted.grants,
            sha256,
            addresses,
            places,
            ports: profile.stations.iter().any(|s| s.port.is_some()),
            tables: tables.tables,
            lines: lines(&profile, &pairs),
            pairs,
            broadcasts,
            station_grants,
            field_sizes: field_sizes(&profile),
            points: profile.stations.iter().map(Points::new).collect(),
            redundancy,
            publishers: publishers(&profile),
            warnings: Vec::new(),
            quirks: Quirks::new(),
            files: Vec::new(),
            windows: Windows::new(&profile),
            profile,
        }
    }

    /// With what was warned of, the quirks with their places, and the files it was read from.
    pub(crate) fn with(mut self, warnings: Vec<Diagnostic>, quirks: Quirks, files: Vec<String>) -> Compiled {
        self.warnings = warnings;
        self.quirks = quirks;
        self.files = files;
        self
    }

    /// What the profile says of a publication.
    #[must_use]
    pub fn published<'a>(&'a self, it: &Publishing<'a>) -> Published<'a> {
        if self.profile.publishers.is_empty() {
            return Published::Unjudged;
        }
        let Some(places) = self.publishers.get(it.said.control_block) else {
            return Published::Unknown { publishing: *it };
        };
        let mut first = None;
        for index in places {
            let Some(publisher) = self.profile.publishers.get(*index as usize) else { continue };
            match publisher.differs(it) {
                None => return Published::Fits { publisher, index: *index },
                Some(field) => {
                    first.get_or_insert(Published::Differs {
                        publisher,
                        index: *index,
                        field,
                        publishing: *it,
                    });
                }
            }
        }
        first.unwrap_or(Published::Unknown { publishing: *it })
    }

    /// The name of a publisher by its place.
    #[must_use]
    pub fn publisher_name(&self, index: u32) -> Option<&str> {
        self.profile.publishers.get(index as usize).map(|publisher| publisher.name.as_str())
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
        let client = self.host_index(master.host);
        let host = self.host_index(station.host);
        let found = host.and_then(|host| self.station_at(host, protocol, address, station.port));
        let table = client.zip(found).and_then(|key| self.pairs.get(&key)).copied().unwrap_or(0);
        let broadcast = client.zip(host).and_then(|(client, host)| {
            let on = |port| self.broadcasts.get(&(client, host, protocol, port));
            on(Some(station.port)).or_else(|| on(None))
        });
        Pair { client, station: found, host, table, broadcast: broadcast.copied().unwrap_or(0) }
    }

    /// The sizes of fields on the connections of the stations at an end, if the profile gives them (IEC 104).
    #[must_use]
    pub fn field_sizes(&self, end: Endpoint) -> Option<FieldSizes> {
        if self.field_sizes.is_empty() {
            return None;
        }
        let host = self.host_index(end.host)?;
        let on = |port| self.field_sizes.get(&(host, port)).copied();
        on(Some(end.port)).or_else(|| on(None))
    }

    /// Whether a rule lets one host command any station behind another.
    #[must_use]
    pub fn is_line(&self, master: Host, station: Host, protocol: Protocol) -> bool {
        let hosts = self.host_index(master).zip(self.host_index(station));
        hosts.is_some_and(|(master, station)| self.lines.contains(&(master, station, protocol)))
    }

    /// The place in [`Profile::hosts`] of the host with an address.
    #[must_use]
    pub fn host_index(&self, host: Host) -> Option<u32> {
        let Host::Ip(address) = host else { return None };
        let behind = self.addresses.partition_point(|(first, _, _)| *first <= address);
        let (_, last, host) = self.addresses.get(behind.checked_sub(1)?)?;
        (address <= *last).then_some(*host)
    }

    fn station_at(&self, host: u32, protocol: Protocol, address: StationAddress, port: u16) -> Option<u32> {
        let at = |address, port| self.places.get(&(host, protocol, address, port)).copied();
        let at_port = |address| if self.ports { at(address, Some(port)) } else { None };
        at_port(Some(address))
            .or_else(|| at(Some(address), None))
            .or_else(|| at_port(None))
            .or_else(|| at(None, None))
    }

    pub(crate) fn table(&self, number: u32) -> &[GrantId] {
        self.tables.get(number as usize).map_or(&[], |table| table)
    }

    pub(crate) fn grant(&self, grant: GrantId) -> Option<&Grant> {
        self.grants.get(grant as usize)
    }

    pub(crate) fn grants_of_station(&self, station: u32) -> &[GrantId] {
        self.station_grants.get(station as usize).map_or(&[], Vec::as_slice)
    }

    /// The checked profile.
    #[must_use]
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// See [`Profile::judges_operations`].
    #[must_use]
    pub fn judges_operations(&self) -> bool {
        self.profile.judges_operations()
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
        self.name_of_host(self.host_index(host)?)
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

/// Grants, and which of them a rule is at a station.
struct Granted {
    grants: Vec<Grant>,
    /// By rule: the grant for all stations, or for each station.
    by_rule: Vec<Result<GrantId, Map<usize, GrantId>>>,
}

impl Granted {
    fn new(profile: &Profile) -> Granted {
        let mut granted = Granted { grants: Vec::new(), by_rule: Vec::with_capacity(profile.rules.len()) };
        for (i, rule) in profile.rules.iter().enumerate() {
            if rule.named_points.is_empty() {
                let only = granted.add(i, rule, rule.points.clone());
                granted.by_rule.push(Ok(only));
                continue;
            }
            // Stations with the same addresses share a grant, however many there are.
            let mut same: BTreeMap<Vec<(parsers::PointKind, u32, u32)>, GrantId> = BTreeMap::new();
            let mut at = Map::default();
            for station in &rule.to {
                let points = rule.points_at(profile, *station).unwrap_or_default();
                let key = points.iter().map(|p| (p.kind(), p.first(), p.last())).collect();
                let grant = *same.entry(key).or_insert_with(|| granted.add(i, rule, Some(points)));
                at.insert(*station, grant);
            }
            granted.by_rule.push(Err(at));
        }
        granted
    }

    fn add(&mut self, index: usize, rule: &Rule, points: Option<Vec<PointRange>>) -> GrantId {
        let conditional = rule.values.is_some()
            || rule.schedule.is_some()
            || rule.expires.is_some()
            || rule.select_before_operate == Some(true);
        let operations = Operations::new(&rule.allow);
        let id = self.grants.len() as GrantId;
        self.grants.push(Grant::new(RuleId(index as u32), operations, points, conditional, rule.from_role));
        id
    }

    fn at(&self, rule: usize, station: usize) -> GrantId {
        match self.by_rule.get(rule) {
            Some(Ok(only)) => *only,
            Some(Err(at)) => at.get(&station).copied().unwrap_or_default(),
            None => 0,
        }
    }
}

/// The table of every client and station that some rule connects.
fn pairs(profile: &Profile, granted: &Granted, tables: &mut Tables) -> Map<(u32, u32), u32> {
    let mut grants: Map<(u32, u32), BTreeSet<u32>> = Map::default();
    for (i, rule) in profile.rules.iter().enumerate() {
        for station in &rule.to {
            let grant = granted.at(i, *station);
            for client in &rule.from {
                grants.entry((*client as u32, *station as u32)).or_default().insert(grant);
            }
        }
    }
    grants.into_iter().map(|(pair, grants)| (pair, tables.number(grants))).collect()
}

/// The table of every client and host with a broadcast rule. A rule for a station without a port holds
/// on every port.
fn broadcasts(
    profile: &Profile,
    granted: &Granted,
    tables: &mut Tables,
) -> Map<(u32, u32, Protocol, Option<u16>), u32> {
    let mut grants: Map<(u32, u32, Protocol, Option<u16>), BTreeSet<u32>> = Map::default();
    for (i, rule) in profile.rules.iter().enumerate().filter(|(_, rule)| rule.broadcast) {
        for (place, station) in rule.to.iter().filter_map(|s| Some((*s, profile.stations.get(*s)?))) {
            for client in &rule.from {
                let key = (*client as u32, station.host as u32, station.protocol, station.port);
                grants.entry(key).or_default().insert(granted.at(i, place));
            }
        }
    }
    let portless: Map<_, _> =
        grants.iter().filter(|(key, _)| key.3.is_none()).map(|(k, r)| ((k.0, k.1, k.2), r.clone())).collect();
    for (key, set) in &mut grants {
        if let Some(more) = portless.get(&(key.0, key.1, key.2)) {
            set.extend(more);
        }
    }
    grants.into_iter().map(|(key, grants)| (key, tables.number(grants))).collect()
}

fn lines(profile: &Profile, pairs: &Map<(u32, u32), u32>) -> Set<(u32, u32, Protocol)> {
    let line = |(client, station): &(u32, u32)| {
        let station = profile.stations.get(*station as usize)?;
        Some((*client, station.host as u32, station.protocol))
    };
    pairs.keys().filter_map(line).collect()
}

fn field_sizes(profile: &Profile) -> Map<(u32, Option<u16>), FieldSizes> {
    let given = profile.stations.iter().filter_map(|s| Some(((s.host as u32, s.port), s.field_sizes?)));
    given.collect()
}

fn publishers(profile: &Profile) -> Map<Box<[u8]>, Vec<u32>> {
    let mut places: Map<Box<[u8]>, Vec<u32>> = Map::default();
    for (place, publisher) in profile.publishers.iter().enumerate() {
        places.entry(publisher.control_block.as_bytes().into()).or_default().push(place as u32);
    }
    places
}
