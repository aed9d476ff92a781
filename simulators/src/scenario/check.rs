//! Whether what a scenario names exists, and whether addresses are unique. All mistakes at once.

use std::collections::BTreeMap;

use super::{Action, GeneratorKind, Language, MasterRole, Scenario, StationKind, matches};
use crate::master::Read;

pub(super) fn mistakes(scenario: &Scenario) -> Vec<String> {
    let mut check = Check { scenario, out: Vec::new() };
    check.grid();
    check.stations();
    check.masters();
    check.goose();
    check.out
}

struct Check<'a> {
    scenario: &'a Scenario,
    out: Vec<String>,
}

impl Check<'_> {
    fn need(&mut self, there: bool, message: impl FnOnce() -> String) {
        if !there {
            self.out.push(message());
        }
    }

    fn branch(&self, name: &str) -> bool {
        self.scenario.lines.contains_key(name) || self.scenario.transformers.contains_key(name)
    }

    fn grid(&mut self) {
        let s = self.scenario;
        let ends = s.lines.iter().map(|(n, l)| (n, &l.from, &l.to));
        let ends = ends.chain(s.transformers.iter().map(|(n, t)| (n, &t.from, &t.to)));
        for (name, from, to) in ends {
            for bus in [from, to] {
                self.need(s.buses.contains_key(bus), || {
                    format!("`{name}` ends at bus `{bus}`, which does not exist")
                });
            }
            self.need(from != to, || format!("`{name}` begins and ends at bus `{from}`"));
        }
        for name in s.lines.keys() {
            self.need(!s.transformers.contains_key(name), || format!("`{name}` is a line and a transformer"));
        }
        let at =
            s.loads.iter().map(|(n, l)| (n, &l.bus)).chain(s.generators.iter().map(|(n, g)| (n, &g.bus)));
        for (name, bus) in at {
            self.need(s.buses.contains_key(bus), || {
                format!("`{name}` stands at bus `{bus}`, which does not exist")
            });
        }
        for (name, breaker) in &s.breakers {
            self.need(self.branch(&breaker.branch), || {
                format!("breaker `{name}` is in `{}`, which is no line or transformer", breaker.branch)
            });
        }
        for fault in &s.faults {
            let name = &fault.breaker;
            self.need(s.breakers.contains_key(name), || {
                format!("a fault trips `{name}`, which does not exist")
            });
        }
        let infeed = s.generators.values().any(|g| g.kind == GeneratorKind::Grid);
        self.need(s.buses.is_empty() || infeed, || {
            "no generator is of kind \"grid\": nothing would be energised".to_owned()
        });
    }

    fn stations(&mut self) {
        let s = self.scenario;
        let mut seen = BTreeMap::new();
        for (name, station) in &s.stations {
            for breaker in &station.breakers {
                self.need(s.breakers.contains_key(breaker), || {
                    format!("station `{name}` switches breaker `{breaker}`, which does not exist")
                });
            }
            for line in &station.lines {
                self.need(self.branch(line), || {
                    format!("station `{name}` measures `{line}`, which is no line or transformer")
                });
            }
            for bus in &station.buses {
                self.need(s.buses.contains_key(bus), || {
                    format!("station `{name}` measures bus `{bus}`, which does not exist")
                });
            }
            let language = station.kind.language();
            let own = [
                (station.unit_id.is_some(), Language::Modbus, "unit_id"),
                (station.link_address.is_some(), Language::Dnp3, "link_address"),
                (station.common_address.is_some(), Language::Iec104, "common_address"),
            ];
            for (given, of, key) in own {
                self.need(!given || of == language, || {
                    format!("station `{name}` speaks {language:?} and has a {key}")
                });
            }
            let number = match language {
                Language::Dnp3 => {
                    self.need(station.link_address.is_some_and(|a| a < 0xfff0), || {
                        format!("station `{name}` needs a link_address below 65520")
                    });
                    station.link_address.map(u32::from)
                }
                Language::Modbus => Some(u32::from(station.unit_id.unwrap_or(1))),
                Language::Iec104 => {
                    self.need(station.common_address.is_none_or(|a| (1..0xffff).contains(&a)), || {
                        format!("station `{name}` needs a common_address from 1 to 65534")
                    });
                    // A connection leads to one station.
                    None
                }
            };
            let place = (station.address, station.service_port(), number);
            if let Some(other) = seen.insert(place, name) {
                self.out
                    .push(format!("stations `{other}` and `{name}` have the same address, port and number"));
            }
            self.devices(name);
        }
    }

    fn devices(&mut self, name: &str) {
        let s = self.scenario;
        let Some(station) = s.stations.get(name) else { return };
        match station.kind {
            StationKind::Inverter => {
                let there = station.generator.as_ref().is_some_and(|g| s.generators.contains_key(g));
                self.need(there, || format!("inverter `{name}` needs a generator that exists"));
                self.need(!station.buses.is_empty(), || format!("inverter `{name}` needs a bus to measure"));
            }
            StationKind::TapChanger => {
                let there = station.transformer.as_ref().is_some_and(|t| s.transformers.contains_key(t));
                self.need(there, || format!("tap changer `{name}` needs a transformer that exists"));
            }
            StationKind::Meter => {
                let enough = !station.lines.is_empty() && !station.buses.is_empty();
                self.need(enough, || format!("meter `{name}` needs a line and a bus to measure"));
            }
            _ => {}
        }
    }

    fn masters(&mut self) {
        let s = self.scenario;
        for (name, master) in &s.masters {
            let backup = master.role == MasterRole::Backup;
            let there = master.standby_for.as_ref().is_none_or(|m| s.masters.contains_key(m) && m != name);
            self.need(there, || format!("master `{name}` stands by for a master that does not exist"));
            self.need(backup == master.standby_for.is_some(), || {
                format!("master `{name}`: role = \"backup\" and standby_for belong together")
            });
            for poll in &master.polls {
                self.need(poll.every.ns() > 0, || format!("a poll of `{name}` has no period"));
                self.need(poll.jitter.ns() < poll.every.ns().max(1), || {
                    format!("a poll of `{name}` has a jitter as long as its period")
                });
                for read in &poll.read {
                    self.need(read.parse::<Read>().is_ok(), || {
                        format!("master `{name}` reads `{read}`, which is not understood; write \"events\", \"integrity\" or \"holding_register 0-9\"")
                    });
                }
                for pattern in &poll.stations {
                    self.need(s.stations.keys().any(|n| matches(pattern, n)), || {
                        format!("master `{name}` polls `{pattern}`, and no station is called so")
                    });
                }
                for station in s.matching(&poll.stations) {
                    let language = s.stations[station].kind.language();
                    let fits = |r: &String| r.parse::<Read>().is_ok_and(|r| r.language() == language);
                    self.need(poll.read.iter().all(fits), || {
                        format!("master `{name}` reads from `{station}` what its protocol does not have")
                    });
                }
            }
            for action in &master.actions {
                self.action(name, action);
            }
        }
    }

    fn goose(&mut self) {
        let s = self.scenario;
        for (name, publisher) in &s.publishers {
            for breaker in &publisher.breakers {
                self.need(s.breakers.contains_key(breaker), || {
                    format!("publisher `{name}` reports breaker `{breaker}`, which does not exist")
                });
            }
            for line in &publisher.lines {
                self.need(self.branch(line), || {
                    format!("publisher `{name}` measures `{line}`, which is no line or transformer")
                });
            }
            self.need(publisher.destination.0[0] & 1 == 1, || {
                format!("publisher `{name}` needs a group address as destination")
            });
            self.need(publisher.priority < 8 && publisher.vlan.is_none_or(|vlan| vlan < 4095), || {
                format!("publisher `{name}` needs a VLAN below 4095 and a priority below 8")
            });
        }
        for (name, subscriber) in &s.subscribers {
            self.need(s.publishers.contains_key(&subscriber.publisher), || {
                format!("subscriber `{name}` listens to `{}`, which does not exist", subscriber.publisher)
            });
            self.need(s.breakers.contains_key(&subscriber.breaker), || {
                format!("subscriber `{name}` opens breaker `{}`, which does not exist", subscriber.breaker)
            });
        }
    }

    fn action(&mut self, master: &str, action: &Action) {
        let station = &action.station;
        if let Some(known) = self.scenario.stations.get(station) {
            let command = crate::master::command(known, &action.point, &action.command, action.value);
            if let Err(why) = command {
                self.out.push(format!("master `{master}` at `{station}`: {why}"));
            }
        } else {
            self.out.push(format!("master `{master}` acts on `{station}`, which does not exist"));
        }
    }
}
