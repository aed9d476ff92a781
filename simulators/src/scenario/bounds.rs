//! Whether the numbers of a scenario are within what the process and the protocols allow.

use std::fmt::Display;

use super::{Scenario, Source};

/// First holding register of `spare_registers`.
const SPARE: u16 = 200;

pub(super) fn check(scenario: &Scenario, source: &mut Source<'_>) {
    let mut within = Within(source);
    let s = scenario;
    within.more_than_nothing(&["site", "tick"], s.site.tick.ns() as f64);
    within.at_most(&["network", "lost_per_million"], s.network.lost_per_million, 1_000_000);
    within.at_most(&["network", "reordered_per_million"], s.network.reordered_per_million, 1_000_000);
    within.at_most(&["network", "vlan"], s.network.vlan.unwrap_or(0), 4094);
    for (name, bus) in &s.buses {
        within.more_than_nothing(&["buses", name, "kv"], bus.kv);
    }
    for (name, line) in &s.lines {
        within.more_than_nothing(&["lines", name, "x"], line.x);
        within.not_negative(&["lines", name, "r"], line.r);
    }
    for (name, transformer) in &s.transformers {
        let path = |key| ["transformers", name.as_str(), key];
        within.more_than_nothing(&path("x"), transformer.x);
        within.not_negative(&path("taps"), transformer.taps.into());
        within.at_most(&path("taps"), transformer.taps, 100);
        within.at_most(&path("tap"), transformer.tap.unsigned_abs(), transformer.taps.unsigned_abs());
        within.not_negative(&path("step_percent"), transformer.step_percent);
        within.at_most(&path("step_percent"), transformer.step_percent, 10.0);
    }
    for (name, load) in &s.loads {
        within.not_negative(&["loads", name, "mw"], load.mw);
        within.not_negative(&["loads", name, "noise_percent"], load.noise_percent);
    }
    for (name, generator) in &s.generators {
        within.not_negative(&["generators", name, "mw"], generator.mw);
    }
    for (name, station) in &s.stations {
        let path = |key| ["stations", name.as_str(), key];
        within.at_most(&path("spare_registers"), station.spare_registers, u16::MAX - SPARE);
        within.at_most(&path("event_buffer"), station.event_buffer, 1_000_000);
        within.more_than_nothing(&path("event_buffer"), station.event_buffer as f64);
        within.more_than_nothing(&path("port"), station.service_port().into());
        within.more_than_nothing(&path("need_time_every"), station.need_time_every.ns() as f64);
    }
    for (name, master) in &s.masters {
        within.at_most(&["masters", name, "link_address"], master.link_address, 0xffef);
        within.more_than_nothing(&["masters", name, "timeout"], master.timeout.ns() as f64);
    }
    for (name, publisher) in &s.publishers {
        let path = |key| ["publishers", name.as_str(), key];
        within.at_most(&path("priority"), publisher.priority, 7);
        within.at_most(&path("vlan"), publisher.vlan.unwrap_or(0), 4094);
        within.more_than_nothing(&path("shortest"), publisher.shortest.ns() as f64);
        if publisher.longest < publisher.shortest {
            let message = format!("the longest pause of publisher `{name}` is shorter than its shortest");
            within.0.error(&path("longest"), message);
        }
    }
}

struct Within<'s, 'a>(&'s mut Source<'a>);

impl Within<'_, '_> {
    fn wrong(&mut self, path: &[&str], remedy: String) {
        let (key, of) = path.split_last().unwrap_or((&"", &[]));
        self.0.error(path, format!("`{key}` of [{}] is out of bounds", of.join("."))).label(remedy);
    }

    fn more_than_nothing(&mut self, path: &[&str], number: f64) {
        if !(number.is_finite() && number > 0.0) {
            self.wrong(path, "more than nothing is needed".to_owned());
        }
    }

    fn not_negative(&mut self, path: &[&str], number: f64) {
        if !(number.is_finite() && number >= 0.0) {
            self.wrong(path, "a number from 0 on is needed".to_owned());
        }
    }

    fn at_most<T: PartialOrd + Display>(&mut self, path: &[&str], number: T, most: T) {
        if number > most {
            self.wrong(path, format!("at most {most}"));
        }
    }
}
