//! Whether an attack can be carried out at all: its parameters, its target, who does it.

use std::net::Ipv4Addr;

use super::{Attack, Behaviour};
use crate::scenario::{Language, Scenario, Source, Span};

/// Most tries of one attack: all its steps are kept until they are done.
const MAX_TRIES: u32 = 1_000_000;

/// Time between two tries where a file leaves it open; some behaviours take longer.
const EVERY_NS: u64 = 2_000_000_000;

pub(super) fn check(attack: &Attack, at: usize, scenario: &Scenario, source: &mut Source<'_>) {
    let number = at.to_string();
    let mut check = Check { attack, scenario, source, number: &number };
    check.parameters();
    check.target();
    check.people();
    check.bounds();
}

struct Check<'s, 'a> {
    attack: &'s Attack,
    scenario: &'s Scenario,
    source: &'s mut Source<'a>,
    number: &'s str,
}

impl Check<'_, '_> {
    fn wrong(&mut self, key: &str, message: &str) -> &mut diagnostics::Diagnostic {
        let message = format!("attack {}: {message}", self.name());
        self.source.error(&["attacks", self.number, key], message)
    }

    fn name(&self) -> String {
        let number = self.number.parse::<usize>().unwrap_or(0) + 1;
        format!("{number} ({})", self.attack.behaviour.name())
    }

    fn parameters(&mut self) {
        let known = self.attack.behaviour.parameters();
        let name = self.attack.behaviour.name();
        let given = self.attack.given();
        for key in &given {
            if !known.iter().any(|k| k.trim_start_matches('*') == *key) {
                let help = match known {
                    [] => format!("{name} has no parameters of its own"),
                    _ => format!("{name} has the parameters: {}", known.join(", ").replace('*', "")),
                };
                self.wrong(key, &format!("`{key}` means nothing here")).label("leave it out").help(help);
            }
        }
        for key in known.iter().filter_map(|k| k.strip_prefix('*')).filter(|k| !given.contains(k)) {
            self.wrong("behaviour", &format!("`{key}` is missing")).label(format!("write `{key} = ...` too"));
        }
    }

    fn target(&mut self) {
        let (attack, scenario) = (self.attack, self.scenario);
        let (target, behaviour) = (&attack.target, attack.behaviour);
        if behaviour == Behaviour::HostSweep {
            return;
        }
        let path = ["attacks", self.number, "target"];
        let what = if behaviour.is_goose() { "publisher" } else { "station" };
        let message = match target.as_str() {
            "" => format!("attack {}: `target` is missing; it is aimed at a {what}", self.name()),
            _ => format!("attack {}: the target `{target}` is no {what}", self.name()),
        };
        if behaviour.is_goose() {
            if !scenario.publishers.contains_key(target) {
                let there = scenario.publishers.keys().map(String::as_str);
                self.source.stranger(&path, message, target, "publishers", there);
            }
            return;
        }
        let Some(station) = scenario.stations.get(target) else {
            let there = scenario.stations.keys().map(String::as_str);
            self.source.stranger(&path, message, target, "stations", there);
            return;
        };
        let speaks = station.kind.language();
        if !behaviour.languages().contains(&speaks) {
            let message = format!("`{target}` speaks {speaks}, which has nothing of the kind");
            let can: Vec<String> = behaviour.languages().iter().map(Language::to_string).collect();
            self.wrong("target", &message)
                .help(format!("it can be aimed at stations that speak {}", can.join(" or ")));
        } else if let Some(point) = &attack.point {
            let cycling = behaviour == Behaviour::BreakerCycling;
            let word = if cycling { "open" } else { attack.command.as_deref().unwrap_or("") };
            if let Err(why) = crate::master::command(station, point, word, attack.value) {
                self.wrong("point", &why).help(crate::master::commands(station));
            }
        }
        let inside = behaviour == Behaviour::Stop && speaks == Language::Iec104;
        if (inside || behaviour == Behaviour::ResponseInjection)
            && !scenario.masters.contains_key(&attack.actor)
        {
            self.wrong("actor", "the actor must be a master that talks with the target")
                .label("write the name of a master");
        }
    }

    fn people(&mut self) {
        let scenario = self.scenario;
        let masters = scenario.masters.keys().map(String::as_str);
        let actor = &self.attack.actor;
        if actor.parse::<Ipv4Addr>().is_err() && !scenario.masters.contains_key(actor) {
            let message = format!("attack {}: the actor `{actor}` is no address and no master", self.name());
            self.source.stranger(
                &["attacks", self.number, "actor"],
                message,
                actor,
                "masters",
                masters.clone(),
            );
        }
        if let Some(victim) = self.attack.victim.as_ref().filter(|v| !scenario.masters.contains_key(*v)) {
            let message = format!("attack {}: the victim `{victim}` is no master", self.name());
            self.source.stranger(&["attacks", self.number, "victim"], message, victim, "masters", masters);
        }
    }

    fn bounds(&mut self) {
        let attack = self.attack;
        if let (Some(first), Some(last)) = (attack.first, attack.last)
            && first > last
        {
            self.wrong("last", "it ends before it begins").label(format!("{first} or more is needed"));
        }
        if attack.count.is_some_and(|count| count == 0 || count > MAX_TRIES) {
            self.wrong("count", "`count` is out of bounds").label(format!("1 to {MAX_TRIES}"));
        }
        if attack.length.is_some_and(|length| length.ns() == 0) {
            self.wrong("for", "`for` is no time at all").label("write \"10 s\"");
        }
        let every = attack.every.map_or(EVERY_NS, Span::ns).max(1);
        if attack.behaviour.parameters().contains(&"every")
            && attack.length.is_some_and(|length| length.ns() / every >= u64::from(MAX_TRIES))
        {
            let key = if attack.every.is_some() { "every" } else { "for" };
            self.wrong(key, "it is tried too often")
                .label(format!("at most {MAX_TRIES} times: make `every` longer or `for` shorter"));
        }
        if attack.value.is_some_and(|value| !value.is_finite()) {
            self.wrong("value", "`value` is no number");
        }
        if attack.text.as_ref().is_some_and(String::is_empty) {
            self.wrong("text", "`text` is empty");
        }
    }
}
