//! Checks of denials, redundancy groups and maintenance windows.

use std::collections::HashMap;

use parsers::Protocol;

use super::groups::{Names, any};
use super::operations::operations;
use super::rules::{points, protocols_of};
use super::times::Times;
use crate::file::{At, DenyEntry, File, MaintenanceEntry};
use crate::language::SEVERITIES;
use crate::profile::{Deny, HostEntry, Maintenance, Publisher, Redundancy, Rule, Severity};
use diagnostics::Reporter;

pub(super) fn denials(
    file: &File,
    names: &Names<'_>,
    rules: &[Rule],
    reporter: &mut Reporter<'_>,
) -> Vec<Deny> {
    let by_name: HashMap<&str, usize> = rules.iter().enumerate().map(|(i, r)| (r.name.as_str(), i)).collect();
    let everybody: Vec<usize> = (0..names.stations.len()).collect();
    file.deny.iter().map(|entry| denial(entry, names, (rules, &by_name), &everybody, reporter)).collect()
}

/// The rules that go before a denial.
fn exceptions(
    entry: &DenyEntry,
    (rules, by_name): (&[Rule], &HashMap<&str, usize>),
    reporter: &mut Reporter<'_>,
) -> Vec<usize> {
    let mut found = Vec::with_capacity(entry.except.len());
    for text in &entry.except {
        if let Some(place) = by_name.get(text.value.as_str()) {
            found.push(*place);
            continue;
        }
        let meant = reporter.meant(&text.value, rules.iter().map(|rule| rule.name.as_str()));
        let error = reporter.error(&text.span, format!("no rule has the name `{}`", text.value));
        if let Some(meant) = meant {
            error.label(format!("did you mean `{meant}`?"));
        }
        error.help("`except` names rules, [[rules]], that allow what the denial else forbids");
    }
    found
}

fn denial(
    entry: &DenyEntry,
    names: &Names<'_>,
    rules: (&[Rule], &HashMap<&str, usize>),
    everybody: &[usize],
    reporter: &mut Reporter<'_>,
) -> Deny {
    let from = names.hosts_or_any(entry.from.as_deref(), reporter);
    let to = names.stations_or_any(entry.to.as_deref(), reporter);
    let protocols = spoken(to.as_deref(), names);
    let stations = to.as_deref().unwrap_or(everybody);
    let (points, named_points) =
        points(entry.points.as_deref(), &protocols, stations, to.is_none(), names, reporter);
    let severity = entry.severity.as_ref().and_then(|text| {
        let found = Severity::from_name(&text.value);
        if found.is_none() {
            let meant = reporter.meant(&text.value, SEVERITIES.iter().copied());
            let error = reporter.error(&text.span, format!("unknown severity `{}`", text.value));
            if let Some(meant) = meant {
                error.label(format!("did you mean `{meant}`?"));
            }
            error.help(format!("severities are: {}", SEVERITIES.join(", ")));
        }
        found
    });
    Deny {
        name: entry.name.value.clone(),
        operations: operations(&entry.operations, &protocols, reporter),
        from,
        to,
        points,
        named_points,
        except: exceptions(entry, rules, reporter),
        severity,
        from_role: false,
        owner: entry.owner.clone(),
        comment: entry.comment.clone(),
    }
}

/// The protocols of the stations concerned; `None`: of all stations of the profile.
fn spoken(to: Option<&[usize]>, names: &Names<'_>) -> Vec<Protocol> {
    let Some(to) = to else {
        return if names.spoken.is_empty() { Protocol::ALL.to_vec() } else { names.spoken.clone() };
    };
    protocols_of(to.iter().filter_map(|s| names.stations.get(*s)))
}

pub(super) fn redundancy(
    file: &File,
    hosts: &[HostEntry],
    names: &Names<'_>,
    reporter: &mut Reporter<'_>,
) -> Vec<Redundancy> {
    let mut groups: Vec<Redundancy> = Vec::with_capacity(file.redundancy.len());
    let mut group_of: HashMap<usize, usize> = HashMap::new();
    for entry in &file.redundancy {
        let hosts = names.hosts(&entry.hosts, reporter);
        if hosts.len() == 1 {
            let message = format!("the redundancy group `{}` has one host only", entry.name.value);
            reporter.error(&entry.name.span, message).label("name the others, or take it out");
        }
        let other = hosts.iter().find_map(|host| group_of.get(host)).and_then(|place| groups.get(*place));
        if let Some(other) = other {
            let message =
                format!("the redundancy groups `{}` and `{}` share a host", other.name, entry.name.value);
            reporter.error(&entry.name.span, message).label("a host is in one group at most");
        }
        group_of.extend(hosts.iter().map(|host| (*host, groups.len())));
        groups.push(Redundancy { name: entry.name.value.clone(), hosts });
    }
    groups.extend(
        by_role(hosts)
            .into_iter()
            .filter(|group| !group.hosts.iter().any(|host| group_of.contains_key(host))),
    );
    groups
}

/// What a backup master stands in for needs no saying where there is one SCADA master.
fn by_role(hosts: &[HostEntry]) -> Option<Redundancy> {
    let with = |role: &str| -> Vec<usize> {
        let has = |host: &HostEntry| host.role.is_some_and(|r| r.name == role);
        hosts.iter().enumerate().filter(|(_, host)| has(host)).map(|(at, _)| at).collect()
    };
    let (masters, backups) = (with("scada_master"), with("backup_master"));
    (masters.len() == 1 && !backups.is_empty()).then(|| Redundancy {
        name: "SCADA and backup master".to_owned(),
        hosts: [masters, backups].concat(),
    })
}

pub(super) fn maintenance(
    file: &File,
    names: &Names<'_>,
    times: &Times,
    publishers: &[Publisher],
    reporter: &mut Reporter<'_>,
) -> Vec<Maintenance> {
    let places: HashMap<&str, usize> =
        publishers.iter().enumerate().map(|(n, p)| (p.name.as_str(), n)).collect();
    let windows = file.maintenance.iter();
    windows.filter_map(|entry| window(entry, names, times, &places, reporter)).collect()
}

fn window(
    entry: &MaintenanceEntry,
    names: &Names<'_>,
    times: &Times,
    places: &HashMap<&str, usize>,
    reporter: &mut Reporter<'_>,
) -> Option<Maintenance> {
    let from = names.hosts_or_any(Some(&entry.from), reporter);
    let to = names.stations_or_any(Some(&entry.to), reporter);
    let protocols = spoken(to.as_deref(), names);
    let allow = if entry.publishers.is_some() && entry.allow.is_empty() {
        Vec::new()
    } else {
        operations(&entry.allow, &protocols, reporter)
    };
    let publishers = match entry.publishers.as_deref() {
        None => Some(Vec::new()),
        Some(texts) if any(texts, reporter) => None,
        Some(texts) => Some(texts.iter().filter_map(|text| publisher(text, places, reporter)).collect()),
    };
    let start = entry.start.as_ref().and_then(|date| times.time(date, reporter));
    let end = entry.end.as_ref().and_then(|date| times.time(date, reporter));
    let (start, end) = start.zip(end)?;
    if end <= start
        && let Some(at) = &entry.end
    {
        let message = format!("the maintenance window `{}` ends before it starts", entry.name.value);
        reporter.error(&at.span, message).label("this is not after `start`");
    }
    Some(Maintenance {
        name: entry.name.value.clone(),
        from,
        to,
        allow,
        publishers,
        start,
        end,
        reference: entry.reference.clone(),
        comment: entry.comment.clone(),
    })
}

fn publisher(text: &At<String>, places: &HashMap<&str, usize>, reporter: &mut Reporter<'_>) -> Option<usize> {
    let place = places.get(text.value.as_str()).copied();
    if place.is_none() {
        let mut names: Vec<&str> = places.keys().copied().collect();
        names.sort_unstable();
        let meant = reporter.meant(&text.value, names);
        let error = reporter.error(&text.span, format!("no publisher has the name `{}`", text.value));
        match meant {
            Some(meant) => error.label(format!("did you mean `{meant}`?")),
            None => error.label("not found"),
        };
    }
    place
}
