//! What a change of a profile changes: operations gained and lost, not text.
//!
//! Both profiles are taken apart into what each host may do with each station: one class or function, on
//! which points, under which conditions. Names of rules, order, groups, templates and files do not matter.

use std::collections::BTreeMap;
use std::fmt;

use parsers::PointRange;

use crate::points::RangesText;
use crate::profile::{Profile, Rule, merge};
use crate::units::DurationText;

/// One operation under its conditions.
#[derive(Debug, Clone, Eq, PartialEq, Ord, PartialOrd)]
struct Permission {
    operation: String,
    /// " by broadcast, only with values from 0 to 100"; empty if there are none.
    conditions: String,
}

/// `None`: all points.
type Points = Option<Vec<PointRange>>;
/// Host and station.
type Place = (String, String);
/// Points, and the stations of every host that are concerned.
type Group = (Points, BTreeMap<String, Vec<String>>);

/// What is different in the second of two profiles.
#[derive(Debug, Default)]
pub struct Difference {
    gained: Vec<Change>,
    lost: Vec<Change>,
    /// Other lines, as they are shown.
    other: Vec<String>,
}

#[derive(Debug)]
struct Change {
    permission: Permission,
    points: Points,
    /// Host and stations, sorted.
    places: BTreeMap<Vec<String>, Vec<String>>,
}

impl Difference {
    /// Whether both profiles allow the same.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.gained.is_empty() && self.lost.is_empty() && self.other.is_empty()
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("both profiles allow the same");
        }
        let mut lines: Vec<String> = Vec::new();
        for (sign, word, changes) in [("+", "may now", &self.gained), ("-", "may no longer", &self.lost)] {
            for change in changes {
                for (stations, hosts) in &change.places {
                    let Permission { operation, conditions } = &change.permission;
                    let points = match &change.points {
                        Some(points) => format!(" {}", RangesText(points, false)),
                        None => String::new(),
                    };
                    let (hosts, stations) = (listed(hosts), listed(stations));
                    lines
                        .push(format!("{sign} {hosts} {word} {operation}{points} at {stations}{conditions}"));
                }
            }
        }
        lines.extend(self.other.iter().cloned());
        f.write_str(&lines.join("\n"))
    }
}

/// Names written out before "and N more".
const SHOWN_NAMES: usize = 6;

fn listed(names: &[String]) -> String {
    match names.len().saturating_sub(SHOWN_NAMES) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names.get(..SHOWN_NAMES).unwrap_or(names).join(", ")),
    }
}

/// Compare two profiles.
#[must_use]
pub fn diff(old: &Profile, new: &Profile) -> Difference {
    let (before, after) = (permissions(old), permissions(new));
    Difference {
        gained: changes(&after, &before),
        lost: changes(&before, &after),
        other: [hosts(old, new), denials(old, new), rest(old, new)].concat(),
    }
}

type Permissions = BTreeMap<(Permission, Place), Points>;

fn permissions(profile: &Profile) -> Permissions {
    let mut found: Permissions = BTreeMap::new();
    for rule in &profile.rules {
        let conditions = conditions(rule, profile);
        for station in &rule.to {
            let points = rule.points_at(profile, *station);
            let Some(to) = profile.stations.get(*station) else { continue };
            for host in rule.from.iter().filter_map(|h| profile.hosts.get(*h)) {
                for allow in &rule.allow {
                    let permission =
                        Permission { operation: allow.to_string(), conditions: conditions.clone() };
                    let place = (host.name.clone(), to.name.clone());
                    let entry = found.entry((permission, place)).or_insert_with(|| Some(Vec::new()));
                    *entry = match (entry.take(), &points) {
                        (Some(some), Some(more)) => Some(merge([some.as_slice(), more].concat())),
                        _ => None,
                    };
                }
            }
        }
    }
    found
}

fn conditions(rule: &Rule, profile: &Profile) -> String {
    let mut parts = Vec::new();
    if rule.broadcast {
        parts.push("also by broadcast".to_owned());
    }
    if let Some(limits) = rule.values {
        parts.push(format!("only with values {limits}"));
    }
    if let Some(rate) = rule.rate {
        parts.push(format!("at most {rate}"));
    }
    if let Some(schedule) = rule.schedule.and_then(|s| profile.schedules.get(s)) {
        parts.push(format!("only within schedule {}", schedule.name));
    }
    if let Some(end) = rule.expires {
        let end = jiff::Timestamp::from_second((end.0 / 1_000_000_000) as i64).unwrap_or_default();
        parts.push(format!("until {end}"));
    }
    if let Some(needed) = rule.select_before_operate {
        parts.push(if needed { "with a select" } else { "without a select" }.to_owned());
    }
    if let Some(poll) = rule.poll {
        let tolerance =
            poll.tolerance.map_or(String::new(), |t| format!(", tolerance {} %", (t * 1e4).round() / 1e2));
        parts.push(format!("polled every {}{tolerance}", DurationText(poll.period_ns)));
    }
    if parts.is_empty() { String::new() } else { format!(", {}", parts.join(", ")) }
}

/// What `ours` has and `theirs` has not.
fn changes(ours: &Permissions, theirs: &Permissions) -> Vec<Change> {
    // By permission and points; in it stations by host.
    let mut grouped: BTreeMap<(Permission, String), Group> = BTreeMap::new();
    for (key, points) in ours {
        let left = match (points, theirs.get(key)) {
            (_, Some(None)) => continue,
            (None, _) => None,
            (Some(points), None) => Some(points.clone()),
            (Some(points), Some(Some(other))) => {
                let left = without(points, other);
                // A rule that allows an operation on no point at all changes nothing.
                if left.is_empty() {
                    continue;
                }
                Some(left)
            }
        };
        let (permission, (host, station)) = key;
        let shown = left.as_ref().map_or(String::new(), |left| format!("{left:?}"));
        let group = grouped.entry((permission.clone(), shown)).or_insert_with(|| (left, BTreeMap::new()));
        group.1.entry(host.clone()).or_default().push(station.clone());
    }
    grouped
        .into_iter()
        .map(|((permission, _), (points, by_host))| {
            let mut places: BTreeMap<Vec<String>, Vec<String>> = BTreeMap::new();
            for (host, stations) in by_host {
                places.entry(stations).or_default().push(host);
            }
            Change { permission, points, places }
        })
        .collect()
}

/// The ranges of `points` that `other` does not hold. Both are sorted and merged.
fn without(points: &[PointRange], other: &[PointRange]) -> Vec<PointRange> {
    let mut left = Vec::new();
    for range in points {
        let mut first = u64::from(range.first());
        for taken in other.iter().filter(|o| o.kind() == range.kind()) {
            if u64::from(taken.last()) < first || taken.first() > range.last() {
                continue;
            }
            if u64::from(taken.first()) > first {
                left.push(PointRange::new(range.kind(), first as u32, taken.first() - 1));
            }
            first = u64::from(taken.last()) + 1;
        }
        if first <= u64::from(range.last()) {
            left.push(PointRange::new(range.kind(), first as u32, range.last()));
        }
    }
    left
}

fn hosts(old: &Profile, new: &Profile) -> Vec<String> {
    let of = |profile: &Profile| -> BTreeMap<String, String> {
        let text = |h: &crate::HostEntry| {
            let mut nets: Vec<_> = h.addresses.iter().map(ToString::to_string).collect();
            nets.sort_unstable();
            nets.extend(h.macs.iter().map(ToString::to_string));
            nets.extend(h.vlans.iter().map(|vlan| format!("VLAN {vlan}")));
            nets.extend(h.role.map(|role| format!("role {}", role.name)));
            for (verb, services) in [("uses", h.uses), ("offers", h.offers)] {
                let Some(services) = services else { continue };
                let keys: Vec<_> = services.iter().map(|service| service.key).collect();
                let keys = if keys.is_empty() { "nothing".to_owned() } else { keys.join(" and ") };
                nets.push(format!("{verb} {keys}"));
            }
            if !h.tags.is_empty() {
                nets.push(format!("tags {}", h.tags.join(", ")));
            }
            nets.join(", ")
        };
        profile.hosts.iter().map(|h| (h.name.clone(), text(h))).collect()
    };
    compared("host", &of(old), &of(new))
}

fn denials(old: &Profile, new: &Profile) -> Vec<String> {
    let of = |profile: &Profile| -> BTreeMap<String, String> {
        let names = |list: &Option<Vec<usize>>, name: &dyn Fn(usize) -> String| match list {
            Some(list) => list.iter().map(|i| name(*i)).collect::<Vec<_>>().join(", "),
            None => "any".to_owned(),
        };
        let host = |i: usize| profile.hosts.get(i).map_or(String::new(), |h| h.name.clone());
        let station = |i: usize| profile.stations.get(i).map_or(String::new(), |s| s.name.clone());
        let text = |d: &crate::Deny| {
            let severity = d.severity.map_or("", crate::Severity::name);
            let (from, to) = (names(&d.from, &host), names(&d.to, &station));
            let rules = d.except.iter().filter_map(|i| profile.rules.get(*i)).map(|rule| rule.name.as_str());
            let except = rules.fold(String::new(), |list, name| format!("{list} except '{name}'"));
            let what = operations(&d.operations);
            let ranges = d.points.iter().flatten().map(|range| crate::points::RangeText(*range).to_string());
            let points: Vec<_> = ranges.chain(d.named_points.iter().cloned()).collect();
            let of = if d.points.is_some() { format!(" of {}", points.join(", ")) } else { String::new() };
            format!("{what}{of} from {from} to {to}{except} {severity}").trim_end().to_owned()
        };
        profile.denials.iter().map(|d| (d.name.clone(), text(d))).collect()
    };
    compared("denial", &of(old), &of(new))
}

/// All of them: what is compared must not be cut.
fn operations(allow: &[crate::Allow]) -> String {
    allow.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// Stations, maintenance windows, redundancy groups, thresholds.
fn rest(old: &Profile, new: &Profile) -> Vec<String> {
    let stations = |profile: &Profile| -> BTreeMap<String, String> {
        let text = |s: &crate::Station| {
            let host = profile.hosts.get(s.host).map_or("", |h| h.name.as_str());
            let address = s.address.and_then(|a| Some(format!("{} {}", a.word(), a.number()?)));
            let address = address.unwrap_or_else(|| "any address".to_owned());
            let port = s.port.map_or(String::new(), |p| format!(", port {p}"));
            let sizes = s.field_sizes.map_or(String::new(), |sizes| format!(", field sizes {sizes}"));
            let tags =
                if s.tags.is_empty() { String::new() } else { format!(", tags {}", s.tags.join(", ")) };
            let quirks =
                if s.quirks.is_empty() { String::new() } else { format!(", quirks {}", s.quirks.join(", ")) };
            format!(
                "{} at {host}, {address}{port}{sizes}{tags}{quirks}, {} named points",
                s.protocol.name(),
                s.points.len()
            )
        };
        profile.stations.iter().map(|s| (format!("{} ({})", s.name, s.protocol.name()), text(s))).collect()
    };
    let zone = |profile: &Profile| BTreeMap::from([("of schedules".to_owned(), profile.timezone.clone())]);
    let schedules = |profile: &Profile| -> BTreeMap<String, String> {
        profile.schedules.iter().map(|s| (s.name.clone(), schedule(s))).collect()
    };
    let points = |profile: &Profile| -> BTreeMap<String, String> {
        let of = |s: &crate::Station| {
            let name = s.name.clone();
            s.points.iter().map(move |p| (format!("{} of {name}", p.name), point(p))).collect::<Vec<_>>()
        };
        profile.stations.iter().flat_map(of).collect()
    };
    let publishers = |profile: &Profile| -> BTreeMap<String, String> {
        let text = |p: &crate::Publisher| {
            let optional =
                |what: &str, value: Option<String>| value.map_or(String::new(), |v| format!(", {what} {v}"));
            let sources = p.source.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            [
                p.control_block.clone(),
                optional("APPID", p.application.map(|a| format!("{a:#06x}"))),
                optional("from", (!sources.is_empty()).then_some(sources)),
                optional("to", p.destination.map(|d| d.to_string())),
                optional("VLAN", p.vlan.map(|v| v.to_string())),
                optional("data set", p.data_set.clone()),
                optional("goID", p.identifier.clone()),
                optional("confRev", p.revision.map(|r| r.to_string())),
                optional("members", p.entries.map(|n| n.to_string())),
                optional("simulation", p.simulation.then(|| "allowed".to_owned())),
            ]
            .concat()
        };
        profile.publishers.iter().map(|p| (p.name.clone(), text(p))).collect()
    };
    let windows = |profile: &Profile| -> BTreeMap<String, String> {
        let time = |at: parsers::Timestamp| {
            jiff::Timestamp::from_second((at.0 / 1_000_000_000) as i64).unwrap_or_default().to_string()
        };
        let worked_on = |window: &crate::Maintenance| match &window.publishers {
            None => ", any publisher".to_owned(),
            Some(places) if places.is_empty() => String::new(),
            Some(places) => {
                let named = places.iter().filter_map(|place| profile.publishers.get(*place));
                format!(", publishers {}", named.map(|p| p.name.clone()).collect::<Vec<_>>().join(", "))
            }
        };
        let names = |list: &Option<Vec<usize>>, name: &dyn Fn(usize) -> Option<String>| match list {
            Some(list) => list.iter().filter_map(|i| name(*i)).collect::<Vec<_>>().join(", "),
            None => "any".to_owned(),
        };
        let host = |i: usize| profile.hosts.get(i).map(|h| h.name.clone());
        let station = |i: usize| profile.stations.get(i).map(|s| s.name.clone());
        let text = |w: &crate::Maintenance| {
            // A window of publishers alone expects no operation.
            let work = match (names(&w.from, &host), names(&w.to, &station)) {
                _ if w.allow.is_empty() => String::new(),
                (from, to) => format!(", {} from {from} to {to}", operations(&w.allow)),
            };
            format!("{} to {}{}{work}", time(w.start), time(w.end), worked_on(w))
        };
        profile.maintenance.iter().map(|w| (w.name.clone(), text(w))).collect()
    };
    let thresholds = |profile: &Profile| -> BTreeMap<String, String> {
        let value = |name: &str| profile.thresholds.get(name).map_or(String::new(), |v| v.to_string());
        crate::Thresholds::ALL.iter().map(|info| (info.name.to_owned(), value(info.name))).collect()
    };
    let redundancy = |profile: &Profile| -> BTreeMap<String, String> {
        let hosts = |r: &crate::Redundancy| -> Vec<String> {
            r.hosts.iter().filter_map(|h| profile.hosts.get(*h)).map(|h| h.name.clone()).collect()
        };
        profile.redundancy.iter().map(|r| (r.name.clone(), hosts(r).join(", "))).collect()
    };
    [
        compared("station", &stations(old), &stations(new)),
        compared("point", &points(old), &points(new)),
        compared("time zone", &zone(old), &zone(new)),
        compared("schedule", &schedules(old), &schedules(new)),
        compared("publisher", &publishers(old), &publishers(new)),
        compared("redundancy group", &redundancy(old), &redundancy(new)),
        compared("maintenance window", &windows(old), &windows(new)),
        compared("threshold", &thresholds(old), &thresholds(new)),
    ]
    .concat()
}

/// `mon, tue 07:00-18:00`
fn schedule(schedule: &crate::Schedule) -> String {
    const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let days: Vec<&str> =
        DAYS.iter().zip(schedule.days).filter(|(_, holds)| *holds).map(|(day, _)| *day).collect();
    let clock = |minutes: u16| format!("{:02}:{:02}", minutes / 60, minutes % 60);
    let hours: Vec<String> =
        schedule.hours.iter().map(|(from, until)| format!("{}-{}", clock(*from), clock(*until))).collect();
    let hours = if hours.is_empty() { "all day".to_owned() } else { hours.join(", ") };
    format!("{}, {hours}", if days.len() == 7 { "every day".to_owned() } else { days.join(", ") })
}

/// All that is judged of a point.
fn point(point: &crate::PointSpec) -> String {
    let bounds = |word: &str, of: Option<(f64, f64)>| of.map(|(low, high)| format!("{word} {low} to {high}"));
    let time = |word: &str, of: Option<u64>| of.map(|ns| format!("{word} {}", DurationText(ns)));
    let state = point.state.map(|(kind, address)| format!("state at {}", one(kind, address)));
    let scaled = point.scale.total_cmp(&1.0).is_ne() || point.offset.total_cmp(&0.0).is_ne();
    let parts = [
        Some(one(point.kind, point.address)),
        Some(format!("{:?}", point.data_type).to_lowercase()),
        (point.width() > 1).then(|| format!("{:?} word first", point.word_order).to_lowercase()),
        scaled.then(|| format!("times {} plus {}", point.scale, point.offset)),
        point.unit.as_ref().map(|unit| format!("in {unit}")),
        bounds("plausible", point.range),
        bounds("may be set", point.set_range),
        point.max_step.map(|step| format!("in steps of at most {step}")),
        point.rate_of_change.map(|rate| format!("changes by at most {rate} per second")),
        time("stuck after", point.stuck_after),
        point.monotonic.then(|| "never runs backwards".to_owned()),
        state,
        point
            .direct_operate
            .map(|may| format!("direct operate {}", if may { "allowed" } else { "not allowed" })),
        time("follows within", point.operate_within),
        point.max_rate.map(|rate| format!("at most {rate}")),
        (!point.tags.is_empty()).then(|| format!("tags {}", point.tags.join(", "))),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn one(kind: parsers::PointKind, address: u32) -> String {
    crate::points::RangeText(PointRange::one(kind, address)).to_string()
}

fn compared(what: &str, old: &BTreeMap<String, String>, new: &BTreeMap<String, String>) -> Vec<String> {
    let mut lines = Vec::new();
    for (name, text) in new {
        match old.get(name) {
            None => lines.push(format!("+ {what} {name}: {text}")),
            Some(before) if before != text => lines.push(format!("~ {what} {name}: {text} (was: {before})")),
            Some(_) => {}
        }
    }
    let gone = old.iter().filter(|(name, _)| !new.contains_key(*name));
    lines.extend(gone.map(|(name, text)| format!("- {what} {name}: {text}")));
    lines
}

#[cfg(test)]
mod tests;
