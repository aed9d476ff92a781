//! Maintenance windows, ready for comparison: the windows of a station are found without looking at others, and
//! an operation that no window expects costs one comparison of bits.

use parsers::{Action, Function, Protocol};

use super::{Map, Operations, Pair};
use crate::profile::{Maintenance, Profile};

/// All maintenance windows of a profile.
#[derive(Debug)]
pub(super) struct Windows {
    /// What any of them expects, taken together.
    operations: Operations,
    list: Box<[Window]>,
    /// Places of the windows of a station, in the order of the file.
    by_station: Map<u32, Vec<u32>>,
    /// Places of those of every station.
    anywhere: Vec<u32>,
    /// Places of those that concern publishers.
    publishing: Vec<u32>,
}

#[derive(Debug)]
struct Window {
    operations: Operations,
    /// Sorted; `None`: anybody.
    from: Option<Box<[u32]>>,
}

impl Window {
    fn new(window: &Maintenance) -> Window {
        let from = window.from.as_ref().map(|hosts| {
            let mut hosts: Vec<u32> = hosts.iter().map(|host| *host as u32).collect();
            hosts.sort_unstable();
            hosts.into_boxed_slice()
        });
        Window { operations: Operations::new(&window.allow), from }
    }

    fn concerns(
        &self,
        client: Option<u32>,
        (protocol, action, function): (Protocol, Action, Function),
    ) -> bool {
        let by = |hosts: &[u32]| client.is_some_and(|client| hosts.binary_search(&client).is_ok());
        self.operations.hold(protocol, action, function) && self.from.as_deref().is_none_or(by)
    }
}

impl Windows {
    pub(super) fn new(profile: &Profile) -> Windows {
        let mut windows = Windows {
            operations: Operations::new(profile.maintenance.iter().flat_map(|window| &window.allow)),
            list: profile.maintenance.iter().map(Window::new).collect(),
            by_station: Map::default(),
            anywhere: Vec::new(),
            publishing: Vec::new(),
        };
        for (place, window) in (0_u32..).zip(&profile.maintenance) {
            if window.publishers.as_ref().is_none_or(|publishers| !publishers.is_empty()) {
                windows.publishing.push(place);
            }
            let Some(stations) = &window.to else {
                windows.anywhere.push(place);
                continue;
            };
            for station in stations {
                windows.by_station.entry(*station as u32).or_default().push(place);
            }
        }
        windows
    }

    /// Places in [`Profile::maintenance`] of the windows that expect a restart of this station, by whomever.
    pub(super) fn of_restart(&self, station: u32, protocol: Protocol) -> impl Iterator<Item = u32> {
        let here = self.by_station.get(&station).map_or(&[][..], Vec::as_slice);
        let expects = move |place: &u32| {
            let window = self.list.get(*place as usize);
            window.is_some_and(|window| window.operations.hold_some_of(protocol, Action::Restart))
        };
        here.iter().chain(&self.anywhere).copied().filter(expects)
    }

    /// Places in [`Profile::maintenance`] of the windows for publishers.
    pub(super) fn publishing(&self) -> &[u32] {
        &self.publishing
    }

    /// Places in [`Profile::maintenance`] of the windows that expect such an operation, whatever the time.
    pub(super) fn of(&self, pair: Pair, what: (Protocol, Action, Function)) -> impl Iterator<Item = u32> {
        let any = self.operations.hold(what.0, what.1, what.2);
        let here = pair.station.filter(|_| any).and_then(|station| self.by_station.get(&station));
        let (here, anywhere) = (here.map_or(&[][..], Vec::as_slice), self.anywhere.as_slice());
        let anywhere = if any { anywhere } else { &[] };
        let all = here.iter().chain(anywhere).copied();
        all.filter(move |place| {
            let window = self.list.get(*place as usize);
            window.is_some_and(|window| window.concerns(pair.client, what))
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::parse;

    const SITE: &str = r#"
[profile]
name = "x"
[hosts.a]
address = "10.0.0.1"
[hosts.b]
address = "10.0.0.2"
[hosts.c]
address = "10.0.0.3"
[stations.S]
protocol = "modbus"
host = "c"
unit_id = 1
[stations.T]
protocol = "modbus"
host = "c"
unit_id = 2
"#;

    /// What the profile says, read from the beginning every time.
    fn naive(profile: &Profile, pair: Pair, what: (Protocol, Action, Function)) -> Vec<u32> {
        let named = |list: &Option<Vec<usize>>, one: Option<u32>| {
            list.as_ref().is_none_or(|list| one.is_some_and(|one| list.contains(&(one as usize))))
        };
        let concerns = |window: &Maintenance| {
            named(&window.from, pair.client)
                && named(&window.to, pair.station)
                && window.allow.iter().any(|allow| allow.holds(what.0, what.1, what.2))
        };
        let all = (0_u32..).zip(&profile.maintenance);
        all.filter(|(_, window)| concerns(window)).map(|(place, _)| place).collect()
    }

    #[test]
    fn the_index_finds_what_reading_all_windows_finds() {
        let windows = [
            ("a", "S", "write"),
            ("any", "T", "fc:8/4"),
            ("b", "any", "diagnostics"),
            ("any", "any", "file"),
            ("b", "S", "write"),
        ];
        let windows = windows.iter().enumerate().map(|(n, (from, to, allow))| {
            format!(
                "[[maintenance]]\nname = \"{n}\"\nfrom = \"{from}\"\nto = \"{to}\"\nallow = \"{allow}\"\nstart = \
                 2026-01-01\nend = 2026-01-02\n"
            )
        });
        let profile = parse(&format!("{SITE}{}", windows.collect::<String>()), "x").unwrap();
        let profile = profile.profile();
        let index = Windows::new(profile);
        let mut found = 0;
        for client in [None, Some(0), Some(1), Some(2)] {
            for station in [None, Some(0), Some(1)] {
                let pair = Pair { client, station, host: Some(2), table: 0, broadcast: 0 };
                for (action, code, sub) in [
                    (Action::Write, 6, None),
                    (Action::Diagnose, 8, Some(4)),
                    (Action::Diagnose, 8, Some(5)),
                    (Action::File, 20, None),
                    (Action::Read, 3, None),
                ] {
                    let what = (Protocol::Modbus, action, Function { code, sub, name: "" });
                    let mut places: Vec<_> = index.of(pair, what).collect();
                    places.sort_unstable();
                    assert_eq!(places, naive(profile, pair, what), "{pair:?} {what:?}");
                    found += places.len();
                }
            }
        }
        // Any: 12 of file and 4 of T; b anywhere: 3 times 2; a and b at S: 1 each.
        assert_eq!(found, 12 + 4 + 6 + 2);
    }
}
