//! The stations of the profile in force, and the points that it selects, as the metrics name them.

use foldhash::fast::FixedState;
use foldhash::quality::RandomState;
use hashbrown::{HashMap, HashSet};
use parsers::Protocol;
use profiles::Compiled;

/// Points whose values are exported; the profile may select more, which are counted and left out.
pub const POINTS_EXPORTED: usize = 2_000;

/// A station of the profile.
#[derive(Debug, Clone, Eq, PartialEq)]
pub struct RosterStation {
    /// Its name.
    pub name: String,
    /// The protocol it speaks.
    pub protocol: Protocol,
    /// The address of its host as the profile has it; empty where it has several.
    pub address: String,
    /// What kind of device it is; empty if the profile does not say.
    pub role: &'static str,
}

/// A point whose value is exported.
#[derive(Debug, Clone, Eq, PartialEq, Hash)]
pub struct SelectedPoint {
    /// The name of its station.
    pub station: String,
    /// Its name.
    pub name: String,
    /// The unit of its value; empty if the profile names none.
    pub unit: String,
}

/// The stations of a profile, by [`super::record::Judgement::station`], and its selected points.
#[derive(Debug, Default)]
pub struct Roster {
    site: String,
    stations: Vec<RosterStation>,
    names: HashSet<String, RandomState>,
    points: Vec<SelectedPoint>,
    /// Place in `points` by station and place of the point in it.
    places: HashMap<(u32, u32), u32, FixedState>,
    left_out: usize,
}

impl Roster {
    /// The stations and selected points of a profile.
    #[must_use]
    pub fn of(profile: Option<&Compiled>) -> Roster {
        let Some(profile) = profile.map(Compiled::profile) else { return Roster::default() };
        let mut roster = Roster { site: profile.name.clone(), ..Roster::default() };
        for (number, station) in (0..).zip(&profile.stations) {
            let host = profile.hosts.get(station.host);
            let address = match host.map(|host| host.addresses.as_slice()) {
                Some([only]) => only.addr().to_string(),
                _ => String::new(),
            };
            roster.names.insert(station.name.clone());
            roster.stations.push(RosterStation {
                name: station.name.clone(),
                protocol: station.protocol,
                address,
                role: station.role.map_or("", |role| role.name.as_str()),
            });
            for (place, point) in (0..).zip(&station.points).filter(|(_, point)| point.metric) {
                if roster.points.len() >= POINTS_EXPORTED {
                    roster.left_out += 1;
                    continue;
                }
                roster.places.insert((number, place), roster.points.len() as u32);
                roster.points.push(SelectedPoint {
                    station: station.name.clone(),
                    name: point.name.clone(),
                    unit: point.unit.clone().unwrap_or_default(),
                });
            }
        }
        roster
    }

    /// Stations of these names that speak Modbus, without points.
    #[must_use]
    pub fn named(names: &[&str]) -> Roster {
        let station = |name: &&str| RosterStation {
            name: (*name).to_owned(),
            protocol: Protocol::Modbus,
            address: String::new(),
            role: "",
        };
        Roster {
            stations: names.iter().map(station).collect(),
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            ..Roster::default()
        }
    }

    /// The name of the site.
    #[must_use]
    pub fn site(&self) -> &str {
        &self.site
    }

    /// All stations.
    #[must_use]
    pub fn stations(&self) -> &[RosterStation] {
        &self.stations
    }

    /// The name of a station.
    #[inline]
    #[must_use]
    pub fn name(&self, station: u32) -> Option<&str> {
        self.stations.get(station as usize).map(|station| station.name.as_str())
    }

    /// Whether a station has this name.
    #[must_use]
    pub fn knows(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    /// The selected points.
    #[must_use]
    pub fn points(&self) -> &[SelectedPoint] {
        &self.points
    }

    /// Place of a station's point among the selected ones.
    #[must_use]
    pub fn place(&self, station: u32, point: u32) -> Option<usize> {
        self.places.get(&(station, point)).map(|&place| place as usize)
    }

    /// Selected points beyond [`POINTS_EXPORTED`].
    #[must_use]
    pub fn left_out(&self) -> usize {
        self.left_out
    }
}
