//! Adding what was learned to a profile that people have edited: their text stays as it is, to the letter;
//! what it does not allow yet is added at its end.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use parsers::{Function, Host, PointRange, StationAddress};
use profiles::{Deny, Profile};

use super::Learned;
use super::decide::{Draft, Grant, LeftOut};
use super::names::{self, StationKey, station_of};
use super::pair::{FunctionKey, PairKey};
use super::publishers;
use super::words::{FunctionText, When, station_text};
use super::write::{Names, body, left_out};

/// What a merge came to.
#[derive(Debug)]
pub struct Merged {
    /// The whole text.
    pub text: String,
    /// Pairs and classes of functions, and publishers, that the old profile allowed already.
    pub known: usize,
    /// Those that were added.
    pub added: usize,
    /// Pairs and classes of functions that were not, because the old profile denies them.
    pub denied: usize,
    /// What those that were added are called: rules, and the hosts, stations and publishers that the profile did not name.
    pub names: Vec<String>,
}

/// Add to an old profile what it does not allow. `old` is what `text` says.
pub(super) fn merge(learned: &mut Learned, text: &str, old: &Profile) -> Merged {
    let all = std::mem::take(&mut learned.draft.grants);
    let (known, new): (Vec<_>, Vec<_>) = all.into_iter().partition(|grant| is_allowed(grant, old));
    // What people forbid is not proposed again.
    let (forbidden, new): (Vec<_>, Vec<_>) =
        new.into_iter().partition(|grant| denial_of(grant, old).is_some());
    let (mut known, mut added) = (known.len(), new.len());
    let draft = &mut learned.draft;
    draft.grants = new;
    draft.left_out.extend(forbidden.iter().filter_map(|grant| Some(left_to(denial_of(grant, old)?, grant))));
    known += publishers::merge(&mut draft.publishers, &mut draft.left_out, &old.publishers);
    added += draft.publishers.len();
    let mut out = text.trim_end().to_owned();
    out.push('\n');
    let (first, last) = learned.span;
    // What stands there from the last time need not stand there twice.
    let mut not_learned = String::new();
    left_out(&mut not_learned, &learned.draft.left_out);
    let is_news = !not_learned.is_empty() && !text.contains(not_learned.trim());
    if added > 0 || is_news {
        let sources = learned.sources.join(", ");
        _ = writeln!(out, "\n# Added by gridtap learn from {sources}, {} to {}", When(first), When(last));
    }
    // Stations behind one connection have the same; those that people wrote stay.
    let given =
        old.stations.iter().filter(|station| station.field_sizes.is_some()).map(|station| station.host);
    let given: BTreeSet<usize> = given.collect();
    learned.draft.sizes.retain(|host, _| host_of(old, *host).is_none_or(|host| !given.contains(&host)));
    let (names, hosts, stations) = names_in(&learned.draft, old);
    let denials = old.denials.iter().map(|denial| denial.name.clone());
    let rules = old.rules.iter().map(|rule| rule.name.clone()).chain(denials).collect();
    body(&mut out, learned, &names, (&hosts, &stations), rules);
    let taken = old.publishers.iter().map(|publisher| publisher.name.to_lowercase()).collect();
    publishers::sections(&mut out, &learned.draft.publishers, taken);
    if is_news {
        out.push_str(&not_learned);
    }
    let names = headings(&out[text.trim_end().len()..]);
    Merged { text: out, known, added, denied: forbidden.len(), names }
}

/// What is named in sections of a profile.
fn headings(text: &str) -> Vec<String> {
    let Ok(table) = text.parse::<toml::Table>() else { return Vec::new() };
    let of = |section: &str| table.get(section);
    let rules = of("rules").and_then(toml::Value::as_array).into_iter().flatten();
    let rules = rules.filter_map(|rule| Some(format!("rule '{}'", rule.get("name")?.as_str()?)));
    let named = [("hosts", "host"), ("stations", "station"), ("publishers", "publisher")];
    let named = named.into_iter().flat_map(|(section, what)| {
        let entries = of(section).and_then(toml::Value::as_table).into_iter().flat_map(toml::Table::keys);
        entries.map(move |name| format!("{what} '{name}'"))
    });
    rules.chain(named).collect()
}

/// A denial that people wrote and that forbids all of it, whatever the points.
fn denial_of<'p>(grant: &Grant, old: &'p Profile) -> Option<&'p Deny> {
    let PairKey { client, protocol, .. } = grant.key;
    let (client, station) = (host_of(old, client), station_in(old, &station_of(&grant.key)));
    let among = |list: &Option<Vec<usize>>, one: Option<usize>| {
        list.as_ref().is_none_or(|list| one.is_some_and(|one| list.contains(&one)))
    };
    old.denials.iter().find(|denial| {
        let forbids = |key: &FunctionKey| {
            let function = Function { code: key.code, sub: key.sub, name: "" };
            denial.operations.iter().any(|allow| allow.holds(protocol, key.action, function))
        };
        !denial.from_role
            && denial.except.is_empty()
            && denial.points.is_none()
            && among(&denial.from, client)
            && among(&denial.to, station)
            && !grant.functions.is_empty()
            && grant.functions.keys().all(forbids)
    })
}

fn left_to(denial: &Deny, grant: &Grant) -> LeftOut {
    let functions: Vec<_> =
        grant.functions.iter().map(|(key, name)| FunctionText(key, name).to_string()).collect();
    LeftOut {
        client: grant.key.client,
        what: format!(
            "{} to {}: denied by '{}'",
            functions.join(", "),
            station_text(&grant.key),
            denial.name
        ),
        count: grant.seen.count,
        first: grant.seen.first,
        last: grant.seen.last,
    }
}

fn host_of(old: &Profile, host: Host) -> Option<usize> {
    let Host::Ip(ip) = host else { return None };
    old.hosts.iter().position(|entry| entry.addresses.iter().any(|net| net.contains(&ip)))
}

fn station_in(old: &Profile, key: &StationKey) -> Option<usize> {
    let host = host_of(old, key.0)?;
    let stands = |port: Option<u16>, address: Option<StationAddress>| {
        port.is_none_or(|port| port == key.1) && address.is_none_or(|address| address == key.3)
    };
    old.stations
        .iter()
        .position(|s| s.host == host && s.protocol == key.2 && !s.from_role && stands(s.port, s.address))
}

/// Whether one rule of the old profile allows all of it.
fn is_allowed(grant: &Grant, old: &Profile) -> bool {
    let PairKey { client, protocol, .. } = grant.key;
    let (Some(client), Some(station)) = (host_of(old, client), station_in(old, &station_of(&grant.key)))
    else {
        return false;
    };
    old.rules.iter().any(|rule| {
        let functions = grant.functions.keys().all(|key| {
            let function = Function { code: key.code, sub: key.sub, name: "" };
            rule.allow.iter().any(|allow| allow.holds(protocol, key.action, function))
        });
        let points = match (rule.points_at(old, station), &grant.points) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(allowed), Some(asked)) => asked.iter().all(|range| holds(&allowed, *range)),
        };
        rule.from.contains(&client)
            && rule.to.contains(&station)
            && functions
            && points
            && (rule.broadcast || !grant.broadcast)
    })
}

fn holds(allowed: &[PointRange], range: PointRange) -> bool {
    allowed.iter().any(|a| a.kind() == range.kind() && a.first() <= range.first() && range.last() <= a.last())
}

/// Names for what is new, and those that the old profile gives to what is not.
fn names_in(draft: &Draft, old: &Profile) -> (Names, BTreeSet<Host>, BTreeSet<StationKey>) {
    let mut taken: BTreeSet<String> = old.hosts.iter().map(|host| host.name.clone()).collect();
    taken.extend(old.stations.iter().map(|station| station.name.clone()));
    taken.extend(old.groups.iter().map(|group| group.name.clone()));
    // Names must differ in more than case; those that are made here have small letters only.
    taken = taken.into_iter().map(|name| name.to_lowercase()).collect();
    let guesses = names::guesses(draft);
    let known: BTreeMap<Host, String> = guesses
        .keys()
        .filter_map(|host| Some((*host, old.hosts.get(host_of(old, *host)?)?.name.clone())))
        .collect();
    let unknown = guesses.iter().filter(|(host, _)| !known.contains_key(host));
    let mut hosts = names::hosts(&unknown.map(|(host, guess)| (*host, guess.clone())).collect(), &taken);
    hosts.extend(known.clone());
    let mut names = Names::of(&draft.grants, guesses, hosts);
    let mut known_stations = BTreeSet::new();
    for (key, name) in &mut names.stations {
        if let Some(station) = station_in(old, key).and_then(|at| old.stations.get(at)) {
            name.clone_from(&station.name);
            known_stations.insert(*key);
            continue;
        }
        // The old one is on another port, so this one needs its own.
        let elsewhere = |s: &profiles::Station| {
            Some(s.host) == host_of(old, key.0) && s.protocol == key.2 && s.address == Some(key.3)
        };
        if key.1 != 0 && old.stations.iter().any(elsewhere) {
            names.ports.insert(*key, key.1);
        }
        let plain = name.clone();
        for number in 2.. {
            if taken.insert(name.clone()) {
                break;
            }
            *name = format!("{plain}-{number}");
        }
    }
    (names, known.into_keys().collect(), known_stations)
}
