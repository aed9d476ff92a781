//! Names that rules refer to: hosts, stations, and groups of either.

use std::collections::{HashMap, HashSet};

use parsers::Protocol;

use super::rules::protocols_of;
use crate::file::{At, File, GroupEntry};
use crate::limits::{Budget, MAX_COMPARISONS, MAX_NAMED, Taken, grouped};
use crate::profile::{Group, HostEntry, Station};
use crate::roles::Role;
use crate::write::key;
use diagnostics::Reporter;

/// What the names of a file mean.
pub(super) struct Names<'a> {
    by_host: HashMap<&'a str, usize>,
    /// Stations of the file by name, with the index of those that are sound.
    by_station: HashMap<&'a str, Option<usize>>,
    /// Stations that stand for hosts with the role of a station, by the host's name.
    by_role: HashMap<&'a str, Vec<usize>>,
    groups: HashMap<String, Group>,
    /// Groups that could not be resolved; naming one is not a second error.
    broken: HashSet<String>,
    pub(super) stations: &'a [Station],
    /// The protocols of all stations.
    pub(super) spoken: Vec<Protocol>,
    /// Hosts and stations that lists may still name.
    left: Budget,
    /// Points of all stations.
    pub(super) points: usize,
    /// Comparisons of points that may still be made.
    pub(super) comparisons: Budget,
}

/// Which names a list may hold.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
enum Side {
    Hosts,
    Stations,
}

impl<'a> Names<'a> {
    /// `stations` are all stations, the first `listed` of them those of the file.
    pub(super) fn new(
        file: &'a File,
        hosts: &'a [HostEntry],
        stations: &'a [Station],
        listed: usize,
    ) -> Names<'a> {
        // A station with an error of its own is still a name: naming it is not a second error.
        let broken = file.stations.iter().map(|s| (s.name.value.as_str(), None));
        let sound = stations.iter().enumerate().take(listed).map(|(i, s)| (s.name.as_str(), Some(i)));
        let mut by_role: HashMap<&str, Vec<usize>> = HashMap::new();
        for (i, station) in stations.iter().enumerate().skip(listed) {
            by_role.entry(station.name.as_str()).or_default().push(i);
        }
        // A host with such a role stands for the stations behind it, listed or not.
        for (i, station) in stations.iter().enumerate().take(listed) {
            let host = hosts.get(station.host).filter(|_| station.host < file.hosts.len());
            if let Some(host) = host.filter(|host| host.role.is_some_and(Role::is_station)) {
                by_role.entry(host.name.as_str()).or_default().push(i);
            }
        }
        Names {
            by_host: hosts
                .iter()
                .enumerate()
                .take(file.hosts.len())
                .map(|(i, h)| (h.name.as_str(), i))
                .collect(),
            by_station: broken.chain(sound).collect(),
            by_role,
            groups: HashMap::new(),
            broken: HashSet::new(),
            stations,
            spoken: protocols_of(stations.iter()),
            left: Budget::new(MAX_NAMED),
            points: stations.iter().map(|station| 1 + station.points.len()).sum(),
            comparisons: Budget::new(MAX_COMPARISONS),
        }
    }

    /// Whether a list may name so many more.
    fn room(&self, amount: usize, text: &At<String>, reporter: &mut Reporter<'_>) -> bool {
        match self.left.take(amount) {
            Taken::Yes => true,
            Taken::Told => false,
            Taken::Beyond => {
                let message = format!(
                    "groups and rules name more than {} hosts and stations in all",
                    grouped(MAX_NAMED)
                );
                reporter
                    .error(&text.span, message)
                    .label(format!("{} with this one", grouped(amount)))
                    .help("a host can have a network as its address: \"10.0.1.0/24\"; or split the site");
                false
            }
        }
    }

    /// The hosts that a list names.
    pub(super) fn hosts(&self, texts: &[At<String>], reporter: &mut Reporter<'_>) -> Vec<usize> {
        let mut found = Found::default();
        for text in texts {
            let name = text.value.as_str();
            let members = self.groups.get(name).map_or(1, |group| group.hosts.len() + group.stations.len());
            if !self.room(members, text, reporter) {
                break;
            }
            if let Some(index) = self.by_host.get(name) {
                found.add(*index, text, reporter);
            } else if let Some(group) = self.groups.get(name) {
                if group.hosts.is_empty() && !group.stations.is_empty() {
                    let message = format!("the group `{name}` is one of stations");
                    reporter.error(&text.span, message).label("here, hosts are named");
                }
                found.extend(&group.hosts);
            } else if !self.broken.contains(name) {
                self.no_host(text, reporter);
            }
        }
        found.list
    }

    /// The stations that a list names.
    pub(super) fn stations(&self, texts: &[At<String>], reporter: &mut Reporter<'_>) -> Vec<usize> {
        let mut found = Found::default();
        for text in texts {
            let name = text.value.as_str();
            let members = self.groups.get(name).map_or(1, |group| group.hosts.len() + group.stations.len());
            if !self.room(members, text, reporter) {
                break;
            }
            if let Some(index) = self.by_station.get(name) {
                if let Some(index) = index {
                    found.add(*index, text, reporter);
                }
            } else if let Some(stations) = self.by_role.get(name) {
                found.extend(stations);
            } else if let Some(group) = self.groups.get(name) {
                if group.stations.is_empty() && !group.hosts.is_empty() {
                    let message = format!("the group `{name}` is one of hosts");
                    reporter.error(&text.span, message).label("here, stations are named");
                }
                found.extend(&group.stations);
            } else if !self.broken.contains(name) {
                self.no_station(text, reporter);
            }
        }
        found.list
    }

    /// The same, where `"any"` and nothing at all mean everybody.
    pub(super) fn hosts_or_any(
        &self,
        texts: Option<&[At<String>]>,
        reporter: &mut Reporter<'_>,
    ) -> Option<Vec<usize>> {
        let texts = texts?;
        (!any(texts, reporter)).then(|| self.hosts(texts, reporter))
    }

    /// The same for stations.
    pub(super) fn stations_or_any(
        &self,
        texts: Option<&[At<String>]>,
        reporter: &mut Reporter<'_>,
    ) -> Option<Vec<usize>> {
        let texts = texts?;
        (!any(texts, reporter)).then(|| self.stations(texts, reporter))
    }

    fn no_host(&self, text: &At<String>, reporter: &mut Reporter<'_>) {
        let names = || sorted(self.by_host.keys().copied().chain(self.groups.keys().map(String::as_str)));
        let meant = if reporter.can_guess() { reporter.meant(&text.value, names()) } else { None };
        let error = reporter.error(&text.span, format!("no host has the name `{}`", text.value));
        if text.value == "any" {
            error.label("a rule names its hosts");
            return;
        }
        if self.by_station.contains_key(text.value.as_str()) {
            error.label("this is a station; here, hosts are named");
            return;
        }
        if let Some(meant) = meant {
            error.label(format!("did you mean `{meant}`?"));
        }
        error.help(format!(
            "define it:\n             [hosts.{}]\n             address = \"...\"",
            key(&text.value)
        ));
    }

    fn no_station(&self, text: &At<String>, reporter: &mut Reporter<'_>) {
        let stations = self.stations.iter().map(|s| s.name.as_str());
        let names = || sorted(stations.chain(self.groups.keys().map(String::as_str)));
        let meant = if reporter.can_guess() { reporter.meant(&text.value, names()) } else { None };
        let error = reporter.error(&text.span, format!("no station has the name `{}`", text.value));
        if text.value == "any" {
            error.label("a rule names its stations");
            return;
        }
        if self.by_host.contains_key(text.value.as_str()) {
            error.label("this is a host; `to` names stations");
            return;
        }
        if let Some(meant) = meant {
            error.label(format!("did you mean `{meant}`?"));
        }
        error.help(format!(
            "define it:\n             [stations.{}]\n             protocol = \"modbus\"\n             host = \"...\"\n             unit_id = 1",
            key(&text.value)
        ));
    }

    /// Whether a name of a group's member is one of a host or of a station; `None`: of neither.
    fn side(&self, name: &str) -> Option<Side> {
        if self.by_station.contains_key(name) {
            Some(Side::Stations)
        } else if self.by_host.contains_key(name) {
            Some(Side::Hosts)
        } else {
            None
        }
    }
}

/// In an order that does not hang on a hash.
fn sorted<'n>(names: impl Iterator<Item = &'n str>) -> Vec<&'n str> {
    let mut names: Vec<_> = names.collect();
    names.sort_unstable();
    names
}

/// Whether a list is `"any"` and nothing else.
pub(super) fn any(texts: &[At<String>], reporter: &mut Reporter<'_>) -> bool {
    let Some(text) = texts.iter().find(|text| text.value == "any") else { return false };
    if texts.len() > 1 {
        reporter.error(&text.span, "`any` stands beside other names").label("take out `any`, or the others");
    }
    true
}

/// Indexes without repetition, in the order they were named.
#[derive(Default)]
struct Found {
    list: Vec<usize>,
    seen: HashSet<usize>,
    named: HashSet<usize>,
}

impl Found {
    /// One that is named by itself: twice is an error.
    fn add(&mut self, index: usize, text: &At<String>, reporter: &mut Reporter<'_>) {
        if !self.named.insert(index) {
            reporter.error(&text.span, format!("`{}` stands here twice", text.value)).label("take it out");
        } else if self.seen.insert(index) {
            self.list.push(index);
        }
    }

    /// Members of a group, which may overlap with others.
    fn extend(&mut self, indexes: &[usize]) {
        for index in indexes {
            if self.seen.insert(*index) {
                self.list.push(*index);
            }
        }
    }
}

/// Resolve the groups of a file down to hosts or stations, and make their names known.
pub(super) fn resolve(
    entries: &[GroupEntry],
    names: &mut Names<'_>,
    reporter: &mut Reporter<'_>,
) -> Vec<Group> {
    // What several places say of a group is one group.
    let mut order: Vec<&str> = Vec::new();
    let mut members: HashMap<&str, (&At<String>, Vec<&At<String>>)> = HashMap::new();
    for entry in entries {
        let name = entry.name.value.as_str();
        let group = members.entry(name).or_insert_with(|| {
            order.push(name);
            (&entry.name, Vec::new())
        });
        group.1.extend(&entry.members);
    }
    for name in inner_first(&order, &members, names, reporter) {
        if let Some((at, listed)) = members.get(name) {
            group(at, listed, &members, names, reporter);
        }
    }
    order.iter().filter_map(|name| names.groups.get(*name).cloned()).collect()
}

/// What is said of groups: where a name stands first, and all members.
type Members<'e> = HashMap<&'e str, (&'e At<String>, Vec<&'e At<String>>)>;

/// The groups in an order in which each comes after those that it contains. A group that contains itself is
/// reported, and known as broken. Without recursion: how deep groups are nested is up to the file.
fn inner_first<'e>(
    order: &[&'e str],
    members: &Members<'e>,
    names: &mut Names<'_>,
    reporter: &mut Reporter<'_>,
) -> Vec<&'e str> {
    let mut sorted = Vec::with_capacity(order.len());
    // `false`: it is among those being looked at.
    let mut seen: HashMap<&str, bool> = HashMap::new();
    // Groups being looked at, outermost first, with the place of the next member.
    let mut open: Vec<(&str, usize)> = Vec::new();
    for outermost in order {
        if seen.contains_key(outermost) {
            continue;
        }
        seen.insert(outermost, false);
        open.push((outermost, 0));
        while let Some((name, next)) = open.last_mut() {
            let member = members.get(name).and_then(|(_, list)| list.get(*next));
            *next += 1;
            let Some(member) = member else {
                seen.insert(name, true);
                sorted.push(*name);
                open.pop();
                continue;
            };
            let Some((inner, _)) = members.get_key_value(member.value.as_str()) else { continue };
            match seen.get(inner) {
                Some(true) => {}
                Some(false) => {
                    reporter
                        .error(&member.span, format!("the group `{name}` contains itself"))
                        .label("groups must not contain each other in a circle");
                    names.broken.insert((*name).to_owned());
                }
                None => {
                    seen.insert(inner, false);
                    open.push((inner, 0));
                }
            }
        }
    }
    sorted
}

/// Resolve one group; those within it are resolved.
fn group(
    at: &At<String>,
    listed: &[&At<String>],
    groups: &Members<'_>,
    names: &mut Names<'_>,
    reporter: &mut Reporter<'_>,
) {
    let name = at.value.as_str();
    let (mut hosts, mut stations) = (Vec::new(), Vec::new());
    let mut sound = !names.broken.contains(name);
    for member in listed {
        let text = member.value.as_str();
        if groups.contains_key(text) {
            match names.groups.get(text) {
                Some(group) if group.hosts.is_empty() => stations.push(*member),
                Some(_) => hosts.push(*member),
                None => sound = false,
            }
            continue;
        }
        match names.side(text) {
            Some(Side::Hosts) => hosts.push(*member),
            Some(Side::Stations) => stations.push(*member),
            None => {
                sound = false;
                no_member(text, member, groups, names, reporter);
            }
        }
    }
    if let (Some(host), Some(station)) = (hosts.first(), stations.first()) {
        let (later, earlier) =
            if host.span.start > station.span.start { (host, station) } else { (station, host) };
        let message = format!("the group `{name}` mixes hosts and stations");
        reporter
            .error_with(&later.span, message, &earlier.span, &format!("`{}`", earlier.value))
            .label("make two groups");
        sound = false;
    }
    if !sound || !names.left.is_left() {
        names.broken.insert(name.to_owned());
        return;
    }
    let owned = |list: Vec<&At<String>>| list.into_iter().cloned().collect::<Vec<_>>();
    let group = Group {
        name: name.to_owned(),
        hosts: names.hosts(&owned(hosts), reporter),
        stations: names.stations(&owned(stations), reporter),
    };
    if names.left.is_left() {
        names.groups.insert(name.to_owned(), group);
    } else {
        names.broken.insert(name.to_owned());
    }
}

fn no_member(
    text: &str,
    member: &At<String>,
    groups: &Members<'_>,
    names: &Names<'_>,
    reporter: &mut Reporter<'_>,
) {
    let known = || names.by_host.keys().chain(names.by_station.keys()).chain(groups.keys()).copied();
    let meant = if reporter.can_guess() { reporter.meant(text, sorted(known())) } else { None };
    let error = reporter.error(&member.span, format!("no host, station or group has the name `{text}`"));
    if let Some(meant) = meant {
        error.label(format!("did you mean `{meant}`?"));
    }
}
