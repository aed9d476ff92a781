//! Whether what a scenario names exists, and whether addresses are unique. All mistakes at once.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::ops::Range;

use super::{Action, GeneratorKind, Language, MasterRole, Scenario, Source, StationKind, bounds, matches};
use crate::master::Read;

pub(super) fn check(scenario: &Scenario, source: &mut Source<'_>) {
    let mut check = Check { scenario, source };
    check.grid();
    check.stations();
    check.masters();
    check.goose();
    check.addresses();
    bounds::check(scenario, source);
}

struct Check<'s, 'a> {
    scenario: &'s Scenario,
    source: &'s mut Source<'a>,
}

/// Path of a key or an item of a file.
type Path<'p> = &'p [&'p str];

impl Check<'_, '_> {
    fn bus(&mut self, path: Path<'_>, name: &str, message: String) {
        if !self.scenario.buses.contains_key(name) {
            self.source.stranger(
                path,
                message,
                name,
                "buses",
                self.scenario.buses.keys().map(String::as_str),
            );
        }
    }

    fn breaker(&mut self, path: Path<'_>, name: &str, message: String) {
        let breakers = &self.scenario.breakers;
        if !breakers.contains_key(name) {
            self.source.stranger(path, message, name, "breakers", breakers.keys().map(String::as_str));
        }
    }

    fn branch(&mut self, path: Path<'_>, name: &str, message: String) {
        let s = self.scenario;
        if !s.lines.contains_key(name) && !s.transformers.contains_key(name) {
            let there = s.lines.keys().chain(s.transformers.keys()).map(String::as_str);
            self.source.stranger(path, message, name, "lines and transformers", there);
        }
    }

    fn grid(&mut self) {
        let s = self.scenario;
        let ends = s.lines.iter().map(|(n, l)| ("lines", n, &l.from, &l.to));
        let ends = ends.chain(s.transformers.iter().map(|(n, t)| ("transformers", n, &t.from, &t.to)));
        for (section, name, from, to) in ends {
            for (key, bus) in [("from", from), ("to", to)] {
                let message = format!("`{name}` ends at bus `{bus}`, which does not exist");
                self.bus(&[section, name, key], bus, message);
            }
            if from == to {
                let message = format!("`{name}` begins and ends at bus `{from}`");
                self.source.error(&[section, name, "to"], message).label("name another bus");
            }
        }
        for name in s.lines.keys().filter(|name| s.transformers.contains_key(*name)) {
            let message = format!("`{name}` is a line and a transformer");
            self.source.error(&["lines", name], message).label("give one of them another name");
        }
        for (name, load) in &s.loads {
            let message = format!("load `{name}` stands at bus `{}`, which does not exist", load.bus);
            self.bus(&["loads", name, "bus"], &load.bus, message);
        }
        for (name, generator) in &s.generators {
            let message =
                format!("generator `{name}` stands at bus `{}`, which does not exist", generator.bus);
            self.bus(&["generators", name, "bus"], &generator.bus, message);
        }
        for (name, breaker) in &s.breakers {
            let branch = &breaker.branch;
            let message = format!("breaker `{name}` is in `{branch}`, which is no line or transformer");
            self.branch(&["breakers", name, "in"], branch, message);
        }
        for (at, fault) in s.faults.iter().enumerate() {
            let message = format!("a fault trips breaker `{}`, which does not exist", fault.breaker);
            self.breaker(&["faults", &at.to_string(), "breaker"], &fault.breaker, message);
        }
        if !s.buses.is_empty() && !s.generators.values().any(|g| g.kind == GeneratorKind::Grid) {
            self.source
                .error(
                    &["generators"],
                    "no generator is of kind \"grid\": nothing would be energised".to_owned(),
                )
                .help("write [generators.GRID] with `bus = \"...\"` and `kind = \"grid\"`");
        }
    }

    fn stations(&mut self) {
        let s = self.scenario;
        let mut seen: BTreeMap<_, &str> = BTreeMap::new();
        for (name, station) in &s.stations {
            let path = |key| ["stations", name.as_str(), key];
            for (at, breaker) in station.breakers.iter().enumerate() {
                let message = format!("station `{name}` switches breaker `{breaker}`, which does not exist");
                self.breaker(&["stations", name, "breakers", &at.to_string()], breaker, message);
            }
            for (at, line) in station.lines.iter().enumerate() {
                let message = format!("station `{name}` measures `{line}`, which is no line or transformer");
                self.branch(&["stations", name, "lines", &at.to_string()], line, message);
            }
            for (at, bus) in station.buses.iter().enumerate() {
                let message = format!("station `{name}` measures bus `{bus}`, which does not exist");
                self.bus(&["stations", name, "buses", &at.to_string()], bus, message);
            }
            let language = station.kind.language();
            let own = [
                (station.unit_id.is_some(), Language::Modbus, "unit_id"),
                (station.link_address.is_some(), Language::Dnp3, "link_address"),
                (station.common_address.is_some(), Language::Iec104, "common_address"),
            ];
            for (given, of, key) in own {
                if given && of != language {
                    let message = format!("station `{name}` speaks {language} and has a {key}");
                    self.source.error(&path(key), message).label(format!("leave it out; it belongs to {of}"));
                }
            }
            let number = match language {
                Language::Dnp3 => {
                    if station.link_address.is_none_or(|a| a >= 0xfff0) {
                        let message = format!("station `{name}` needs a link_address below 65520");
                        self.source
                            .error(&path("link_address"), message)
                            .label("write `link_address = 11`, another for each station of an address");
                    }
                    station.link_address.map(u32::from)
                }
                Language::Modbus => Some(u32::from(station.unit_id.unwrap_or(1))),
                Language::Iec104 => {
                    if station.common_address.is_some_and(|a| !(1..0xffff).contains(&a)) {
                        let message = format!("station `{name}` needs a common_address from 1 to 65534");
                        self.source.error(&path("common_address"), message);
                    }
                    // A connection leads to one station.
                    None
                }
            };
            let place = (station.address, station.service_port(), number);
            if let Some(other) = seen.insert(place, name) {
                let first = self.source.place(&["stations", other, "address"]);
                let message =
                    format!("stations `{other}` and `{name}` have the same address, port and number");
                let here = self.source.place(&path("address"));
                self.source.reporter.error_with(&here, message, &first, "the other one").help(
                    match language {
                        Language::Modbus => {
                            "give them different addresses, or a different unit_id behind one gateway"
                        }
                        Language::Dnp3 => {
                            "give them different addresses, or a different link_address behind one gateway"
                        }
                        Language::Iec104 => "give them different addresses or ports",
                    },
                );
            }
            self.devices(name);
        }
    }

    fn devices(&mut self, name: &str) {
        let s = self.scenario;
        let Some(station) = s.stations.get(name) else { return };
        let path = |key| ["stations", name, key];
        if station.kind == StationKind::Inverter || station.generator.is_some() {
            let word = station.generator.as_deref().unwrap_or("");
            if !s.generators.contains_key(word) {
                let message = match word {
                    "" => format!("inverter `{name}` needs a generator"),
                    _ => format!("station `{name}` controls generator `{word}`, which does not exist"),
                };
                let there = s.generators.keys().map(String::as_str);
                self.source.stranger(&path("generator"), message, word, "generators", there);
            }
        }
        if station.kind == StationKind::TapChanger || station.transformer.is_some() {
            let word = station.transformer.as_deref().unwrap_or("");
            if !s.transformers.contains_key(word) {
                let message = match word {
                    "" => format!("tap changer `{name}` needs a transformer"),
                    _ => format!("station `{name}` steps transformer `{word}`, which does not exist"),
                };
                let there = s.transformers.keys().map(String::as_str);
                self.source.stranger(&path("transformer"), message, word, "transformers", there);
            }
        }
        let (lines, buses) = match station.kind {
            StationKind::Meter => (true, true),
            StationKind::Inverter => (false, true),
            _ => (false, false),
        };
        if lines && station.lines.is_empty() {
            self.source
                .error(&path("lines"), format!("meter `{name}` needs a line to measure"))
                .label("write `lines = [\"...\"]`");
        }
        if buses && station.buses.is_empty() {
            self.source
                .error(&path("buses"), format!("station `{name}` needs a bus to measure"))
                .label("write `buses = [\"...\"]`");
        }
    }

    fn masters(&mut self) {
        let s = self.scenario;
        for (name, master) in &s.masters {
            let backup = master.role == MasterRole::Backup;
            if let Some(other) = &master.standby_for
                && (other == name || !s.masters.contains_key(other))
            {
                let message = format!("master `{name}` stands by for `{other}`, which is no other master");
                let there = s.masters.keys().filter(|n| *n != name).map(String::as_str);
                self.source.stranger(
                    &["masters", name, "standby_for"],
                    message,
                    other,
                    "other masters",
                    there,
                );
            }
            if backup != master.standby_for.is_some() {
                let key = if backup { "role" } else { "standby_for" };
                let message = format!("master `{name}`: role = \"backup\" and standby_for belong together");
                let remedy = if backup {
                    "say for whom: `standby_for = \"...\"`"
                } else {
                    "write `role = \"backup\"` too"
                };
                self.source.error(&["masters", name, key], message).label(remedy);
            }
            for at in 0..master.polls.len() {
                self.poll(name, at);
            }
            for (at, action) in master.actions.iter().enumerate() {
                self.action(name, at, action);
            }
        }
    }

    fn poll(&mut self, name: &str, at: usize) {
        let s = self.scenario;
        let poll = &s.masters[name].polls[at];
        let number = at.to_string();
        let path = |key| ["masters", name, "polls", number.as_str(), key];
        if poll.every.ns() == 0 {
            self.source
                .error(&path("every"), format!("a poll of `{name}` has no period"))
                .label("write \"2 s\"");
        } else if poll.jitter >= poll.every {
            self.source
                .error(&path("jitter"), format!("a poll of `{name}` has a jitter as long as its period"))
                .label("make it shorter than `every`");
        }
        for (item, pattern) in poll.stations.iter().enumerate() {
            if !s.stations.keys().any(|n| matches(pattern, n)) {
                let message = format!("master `{name}` polls `{pattern}`, and no station is called so");
                let item = item.to_string();
                let path = ["masters", name, "polls", &number, "stations", &item];
                self.source.stranger(
                    &path,
                    message,
                    pattern,
                    "stations",
                    s.stations.keys().map(String::as_str),
                );
            }
        }
        let asked = s.matching(&poll.stations);
        for (item, text) in poll.read.iter().enumerate() {
            let item = item.to_string();
            let path = ["masters", name, "polls", &number, "read", &item];
            let Ok(read) = text.parse::<Read>() else {
                let message = format!("master `{name}` reads `{text}`, which is not understood");
                let error = self.source.error(&path, message);
                error.help(
                    "write \"holding_register 0-9\" (at most 125), \"coil 0-7\" (at most 2000), \"identification\"; \
                     \"events\", \"integrity\", \"class 1\"; \"interrogation\", \"object 201\"; docs/scenarios.md lists all",
                );
                continue;
            };
            let other = asked.iter().find(|station| s.stations[**station].kind.language() != read.language());
            if let Some(station) = other {
                let speaks = s.stations[*station].kind.language();
                let message =
                    format!("master `{name}` reads `{text}` from `{station}`, which speaks {speaks}");
                self.source
                    .error(&path, message)
                    .label(format!("this is {}; make a poll of its own for each protocol", read.language()));
            }
        }
    }

    fn action(&mut self, master: &str, at: usize, action: &Action) {
        let station = &action.station;
        let at = at.to_string();
        let path = |key| ["masters", master, "actions", at.as_str(), key];
        if let Some(known) = self.scenario.stations.get(station) {
            let command = crate::master::command(known, &action.point, &action.command, action.value);
            if let Err(why) = command {
                self.source
                    .error(&path("point"), format!("master `{master}` at `{station}`: {why}"))
                    .help(crate::master::commands(known));
            }
        } else {
            let message = format!("master `{master}` acts on `{station}`, which does not exist");
            let there = self.scenario.stations.keys().map(String::as_str);
            self.source.stranger(&path("station"), message, station, "stations", there);
        }
    }

    fn goose(&mut self) {
        let s = self.scenario;
        for (name, publisher) in &s.publishers {
            let path = |key| ["publishers", name.as_str(), key];
            for (at, breaker) in publisher.breakers.iter().enumerate() {
                let message = format!("publisher `{name}` reports breaker `{breaker}`, which does not exist");
                self.breaker(&["publishers", name, "breakers", &at.to_string()], breaker, message);
            }
            for (at, line) in publisher.lines.iter().enumerate() {
                let message =
                    format!("publisher `{name}` measures `{line}`, which is no line or transformer");
                self.branch(&["publishers", name, "lines", &at.to_string()], line, message);
            }
            if publisher.destination.0[0] & 1 == 0 {
                self.source
                    .error(
                        &path("destination"),
                        format!("publisher `{name}` needs a group address as destination"),
                    )
                    .label("write \"01:0c:cd:01:00:01\"");
            }
        }
        for (name, subscriber) in &s.subscribers {
            let publisher = &subscriber.publisher;
            if !s.publishers.contains_key(publisher) {
                let message = format!("subscriber `{name}` listens to `{publisher}`, which does not exist");
                let there = s.publishers.keys().map(String::as_str);
                self.source.stranger(
                    &["subscribers", name, "publisher"],
                    message,
                    publisher,
                    "publishers",
                    there,
                );
            }
            let message =
                format!("subscriber `{name}` opens breaker `{}`, which does not exist", subscriber.breaker);
            self.breaker(&["subscribers", name, "breaker"], &subscriber.breaker, message);
        }
    }

    /// A host has one address, and an address one host; stations behind a gateway share one.
    fn addresses(&mut self) {
        let s = self.scenario;
        let mut masters: BTreeMap<Ipv4Addr, (&str, Range<usize>)> = BTreeMap::new();
        let hosts = s.stations.iter().map(|(name, station)| ("stations", name, station.address));
        for (section, name, address) in hosts.chain(s.masters.iter().map(|(n, m)| ("masters", n, m.address)))
        {
            let here = self.source.place(&[section, name, "address"]);
            let of_a_host = !address.is_unspecified() && !address.is_multicast() && !address.is_broadcast();
            if !of_a_host {
                let message = format!("`{name}` has the address {address}, which no host can have");
                self.source.reporter.error(&here, message);
            }
            if section == "masters"
                && let Some((other, first)) = masters.insert(address, (name, here.clone()))
            {
                let message = format!("masters `{other}` and `{name}` have the same address");
                self.source
                    .reporter
                    .error_with(&here, message, &first, "the other one")
                    .help("give them different addresses");
            }
        }
        for (name, station) in &s.stations {
            if let Some((master, first)) = masters.get(&station.address).cloned() {
                let here = self.source.place(&["stations", name, "address"]);
                let message = format!("station `{name}` and master `{master}` have the same address");
                self.source
                    .reporter
                    .error_with(&here, message, &first, "the master")
                    .help("give them different addresses");
            }
        }
    }
}
