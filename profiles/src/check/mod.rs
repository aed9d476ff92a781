//! From the file to the checked model: references are resolved, names and addresses must not overlap,
//! numbers must be within the protocol's bounds. Every error is reported; a profile only comes out when
//! there is none.

mod groups;
mod hosts;
mod operations;
mod points;
mod policy;
mod publishers;
mod rules;
mod stations;
mod times;

use std::collections::HashMap;
use std::net::IpAddr;

use ipnet::IpNet;

use crate::file::{At, File};
use crate::limits::{Budget, MAX_LINKS, MAX_POINTS, Taken, grouped};
use crate::profile::Profile;
use crate::roles;
use crate::thresholds::Thresholds;
use diagnostics::Reporter;
use diagnostics::deceives;
use groups::Names;
use hosts::Hosts;
use points::Maps;
use times::Times;

/// Longest name, in characters: names become metric labels.
const NAME_CHARS: usize = 100;

/// Check everything.
pub(crate) fn check(file: File, reporter: &mut Reporter<'_>) -> Option<Profile> {
    unique_names(&file, reporter);
    let mut hosts = Hosts::default();
    for entry in &file.hosts {
        hosts.add(entry, reporter);
    }
    hosts.overlaps(reporter);
    let maps = Maps::new(&file.maps, reporter);
    let mut checked = Vec::with_capacity(file.stations.len());
    let mut places = stations::Places::new();
    let mut sizes = stations::Sizes::new();
    let points = Budget::new(MAX_POINTS);
    for entry in &file.stations {
        let before = checked.len();
        if let Some(station) = stations::station(entry, &mut hosts, &maps, reporter) {
            stations::same_place(entry, &station, &mut places, reporter);
            stations::same_sizes(entry, &station, &mut sizes, reporter);
            checked.push(station);
        }
        let more = checked.get(before).map_or(0, |station| station.points.len());
        if points.take(more) == Taken::Beyond {
            let message = format!("stations have more than {} points in all", grouped(MAX_POINTS));
            reporter
                .error(&entry.name.span, message)
                .label(format!("with the {} of this one", grouped(more)))
                .help("name the points that rules or detections need; or split the site");
            break;
        }
    }
    let listed = checked.len();
    roles::stations(&hosts.entries, &mut checked);
    let mut names = Names::new(&file, &hosts.entries, &checked, listed);
    let groups = groups::resolve(&file.groups, &mut names, reporter);
    let times = Times::new(&file, reporter);
    let mut rules = rules::rules(&file, &names, &times, reporter);
    let mut denials = policy::denials(&file, &names, &rules, reporter);
    let redundancy = policy::redundancy(&file, &hosts.entries, &names, reporter);
    let publishers = publishers::publishers(&file, reporter);
    let maintenance = policy::maintenance(&file, &names, &times, &publishers, reporter);
    let mut thresholds = Thresholds::default();
    for (name, value) in &file.thresholds {
        thresholds.set(&name.value, *value);
    }
    unused_learning(&file, reporter);
    if !reporter.is_clean() {
        return None;
    }
    drop(names);
    if let Err(too_many) = roles::expand(&hosts.entries, &checked, &mut rules, &mut denials) {
        let role = file.hosts.iter().filter_map(|host| host.role.as_ref());
        let role = role.into_iter().find(|role| role.value == too_many.role)?;
        let most = grouped(MAX_LINKS);
        let (hosts, stations) = (grouped(too_many.hosts), grouped(too_many.stations));
        reporter
            .error(&role.span, format!("the roles connect more than {most} pairs of host and station"))
            .label(format!(
                "{hosts} hosts have this role, and {stations} stations are commanded by such a host"
            ))
            .help(rules::NARROWER);
        return None;
    }
    Some(Profile {
        name: file.name.map(|n| n.value).unwrap_or_default(),
        version: file.version.map(|v| v.value).unwrap_or_default(),
        timezone: times.zone_name,
        hosts: hosts.entries,
        groups,
        stations: checked,
        schedules: times.schedules,
        rules,
        denials,
        redundancy,
        maintenance,
        publishers,
        thresholds,
        sets_thresholds: !file.thresholds.is_empty(),
    })
}

/// Nothing is learned of masters where the profile says what they may do.
fn unused_learning(file: &File, reporter: &mut Reporter<'_>) {
    let judges =
        !(file.hosts.is_empty() && file.stations.is_empty() && file.rules.is_empty() && file.deny.is_empty());
    let learning = file.thresholds.iter().find(|(name, _)| name.value == "sweep_learning");
    if let Some((name, _)) = learning.filter(|_| judges) {
        reporter
            .warning(&name.span, "`sweep_learning` has no effect here")
            .label("nothing is learned of masters: the profile says what they may ask for")
            .help(
                "take it out. What a master may ask for is a rule, and how many other requests make a sweep are \
                 `sweep_requests`, `sweep_points`, `sweep_functions` and `sweep_stations`",
            );
    }
}

/// A name means one thing in the whole file. Names that differ in nothing but case would be mixed up.
fn unique_names(file: &File, reporter: &mut Reporter<'_>) {
    for (name, kind) in [(&file.name, "site"), (&file.version, "version")] {
        if let Some(name) = name {
            good_name(name, kind, reporter);
        }
    }
    let hosts = file.hosts.iter().map(|h| (&h.name, "host"));
    let stations = file.stations.iter().map(|s| (&s.name, "station"));
    let groups = file.groups.iter().map(|g| (&g.name, "group"));
    let mut seen: HashMap<String, (&At<String>, &str)> = HashMap::new();
    for (name, kind) in hosts.chain(stations).chain(groups) {
        good_name(name, kind, reporter);
        match seen.get(&name.value.to_lowercase()) {
            // A group may be written in several places.
            Some((first, "group")) if kind == "group" && first.value == name.value => {}
            Some((first, first_kind)) => {
                let other =
                    if first.value == name.value { "" } else { " (names must differ in more than case)" };
                reporter
                    .error_with(
                        &name.span,
                        format!("the {kind} `{}` has the name of a {first_kind}{other}", name.value),
                        &first.span,
                        &format!("the {first_kind} `{}`", first.value),
                    )
                    .label("give it another name")
                    .help("hosts, stations and groups share one set of names, so that a finding names one thing");
            }
            None => {
                seen.insert(name.value.to_lowercase(), (name, kind));
            }
        }
    }
    let rules = file.rules.iter().map(|r| (&r.name, "rule"));
    let denials = file.deny.iter().map(|d| (&d.name, "denial"));
    all_different(rules.chain(denials), "findings name the rule", reporter);
    all_different(
        file.maintenance.iter().map(|m| (&m.name, "maintenance window")),
        "findings name it",
        reporter,
    );
    all_different(
        file.redundancy.iter().map(|r| (&r.name, "redundancy group")),
        "findings name it",
        reporter,
    );
    all_different(file.publishers.iter().map(|p| (&p.name, "publisher")), "findings name it", reporter);
    all_different(file.maps.iter().map(|m| (&m.name, "map")), "stations name it", reporter);
    all_different(file.schedules.iter().map(|s| (&s.name, "schedule")), "rules name it", reporter);
}

fn all_different<'f>(
    names: impl Iterator<Item = (&'f At<String>, &'static str)>,
    why: &str,
    reporter: &mut Reporter<'_>,
) {
    let mut seen: HashMap<&str, (&At<String>, &str)> = HashMap::new();
    for (name, kind) in names.filter(|(name, _)| !name.value.is_empty()) {
        good_name(name, kind, reporter);
        match seen.get(name.value.as_str()) {
            Some((first, first_kind)) => {
                let message = if kind == *first_kind {
                    format!("two {kind}s have the name `{}`", name.value)
                } else {
                    format!("the {kind} `{}` has the name of a {first_kind}", name.value)
                };
                reporter
                    .error_with(&name.span, message, &first.span, "the first one")
                    .label(format!("give it another name: {why}"));
            }
            None => {
                seen.insert(&name.value, (name, kind));
            }
        }
    }
}

/// Kinds of names that nothing in the file refers to in a list of names, so that they are free text.
const FREE: &[&str] = &["rule", "denial", "maintenance window", "point", "site", "version"];

fn good_name(name: &At<String>, kind: &str, reporter: &mut Reporter<'_>) {
    let text = name.value.as_str();
    let free = FREE.contains(&kind);
    let trouble = if text.trim() != text || text.is_empty() {
        "is empty or begins or ends with a space"
    } else if text.chars().count() > NAME_CHARS {
        "is longer than 100 characters"
    } else if text.chars().any(char::is_control) {
        "contains a control character"
    } else if text.chars().any(deceives) {
        "contains a character that cannot be seen, or that turns the text about"
    } else if !free && (text.parse::<IpAddr>().is_ok() || text.parse::<IpNet>().is_ok()) {
        "is an address"
    } else if !free && (text == "any" || text == "all") {
        "is a word of the profile language"
    } else if kind == "station" && text.starts_with('_') {
        "begins with _, which metrics keep for `_other` and `_unprofiled`"
    } else {
        return;
    };
    reporter.error(&name.span, format!("the name of a {kind} {trouble}")).label("give it another name");
}

/// A tag or a quirk: one word.
fn word(text: &At<String>, what: &str, reporter: &mut Reporter<'_>) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    if !text.value.is_empty() && text.value.chars().all(plain) && text.value.len() <= NAME_CHARS {
        return Some(text.value.clone());
    }
    reporter
        .error(&text.span, format!("`{}` is no {what}", text.value))
        .label("write one word of letters, digits, - and _");
    None
}
