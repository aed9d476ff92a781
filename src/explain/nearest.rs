//! The rule that comes nearest to allowing a finding's operation, and which of its conditions fail.

use parsers::{Exchange, PointKind, PointRange};
use profiles::{Compiled, Pair, RangeText, Rule};

use super::Event;
use crate::report::catalogue::FindingKind as K;

/// Whom the finding is about, as the profile knows them.
pub(super) fn pair(event: &Event, profile: &Compiled) -> Option<Pair> {
    Some(profile.pair(event.client?, event.server?, event.protocol?, event.station))
}

/// The place of the commanding host in the profile.
pub(super) fn client(event: &Event, profile: &Compiled) -> Option<usize> {
    event.client.and_then(|client| profile.host_index(client.host)).map(|index| index as usize)
}

/// The place of the station in the profile.
pub(super) fn station(event: &Event, profile: &Compiled) -> Option<usize> {
    pair(event, profile)?.station_index().map(|index| index as usize)
}

/// The rule that a finding names; denials and maintenance windows are none.
pub(super) fn rule<'p>(event: &Event, profile: &'p Compiled) -> Option<&'p Rule> {
    let name = event.rule.as_deref()?;
    profile.profile().rules.iter().find(|rule| rule.name == name)
}

/// What there is to say of the nearest rule, a line each.
pub(super) fn why(event: &Event, profile: &Compiled) -> Vec<String> {
    let model = profile.profile();
    let named = event.rule.as_deref().unwrap_or_default();
    match event.kind {
        K::Denied => {
            let denial = model.denials.iter().find(|denial| denial.name == named);
            let origin = if denial.is_some_and(|d| d.from_role) { " (of a role)" } else { "" };
            let says = denial.map_or(format!("rule '{named}'"), ToString::to_string);
            let mut lines = vec![format!("the denial{origin}: {says}")];
            if let Some(denial) = denial {
                lines.extend(said(denial.owner.as_deref(), denial.comment.as_deref()));
            }
            lines.extend(comments(event, profile));
            return lines;
        }
        K::MaintenanceOverrun => {
            let window = model.maintenance.iter().find(|window| window.name == named);
            let mut lines = vec![format!("the maintenance window '{named}' has ended (end)")];
            if let Some(window) = window {
                lines.extend(window.reference.iter().map(|text| format!("  reference: {text}")));
                lines.extend(said(None, window.comment.as_deref()));
            }
            lines.extend(comments(event, profile));
            return lines;
        }
        _ => {}
    }
    let Some(rule) = rule(event, profile) else {
        let mut lines = vec!["no rule comes near".to_owned()];
        lines.extend(comments(event, profile));
        return lines;
    };
    let mut lines = vec![format!("the nearest: {rule}")];
    lines.extend(failed(event, profile, rule).into_iter().map(|text| format!("  fails: {text}")));
    lines.extend(said(rule.owner.as_deref(), rule.comment.as_deref()));
    lines.extend(comments(event, profile));
    lines
}

/// What people wrote beside a rule: whom to ask, and why it is there.
fn said(owner: Option<&str>, comment: Option<&str>) -> impl Iterator<Item = String> {
    let line = |what: &str, text: Option<&str>| text.map(|text| format!("  {what}: {text}"));
    [line("owner", owner), line("comment", comment)].into_iter().flatten()
}

/// What people wrote beside the host that commands, the station, and the host it stands behind.
pub(super) fn comments(event: &Event, profile: &Compiled) -> Vec<String> {
    let model = profile.profile();
    let line = |what: &str, name: &str, comment: Option<&str>| {
        comment.map(|comment| format!("{what} '{name}': {comment}"))
    };
    let host = |host| {
        let entry = model.hosts.get(profile.host_index(host)? as usize)?;
        line("host", &entry.name, entry.comment.as_deref())
    };
    let station = station(event, profile).and_then(|index| model.stations.get(index));
    let sides = [event.client, event.server].map(|side| side.and_then(|side| host(side.host)));
    let station = station.and_then(|station| line("station", &station.name, station.comment.as_deref()));
    let [client, server] = sides;
    [client, station, server].into_iter().flatten().collect()
}

/// The conditions of a rule that the operation does not meet.
fn failed(event: &Event, profile: &Compiled, rule: &Rule) -> Vec<String> {
    let (client, station) = (client(event, profile), station(event, profile));
    let host = || event.client.map_or("?".to_owned(), |client| client.host.to_string());
    let mut failed = Vec::new();
    if !client.is_some_and(|client| rule.from.contains(&client)) {
        let name = client.and_then(|i| profile.profile().hosts.get(i)).map(|host| host.name.clone());
        failed.push(format!("from: does not name {}", name.unwrap_or_else(host)));
    }
    if event.is_broadcast() && !rule.broadcast {
        failed.push("broadcast: is not true".to_owned());
    } else if !event.is_broadcast() && !station.is_some_and(|station| rule.to.contains(&station)) {
        failed.push("to: does not name the station".to_owned());
    }
    if !allows(event, rule) {
        failed.push("allow: has not the function".to_owned());
    }
    for range in outside(event, profile, rule, station) {
        failed.push(format!("points: have not {}", RangeText(range)));
    }
    if rule.expires.is_some_and(|end| event.first >= end) {
        failed.push("expires: the rule has ended".to_owned());
    }
    match (event.kind, rule.values, rule.rate) {
        (K::SetpointOutsideRule, Some(limits), _) => {
            let value = event.value().map_or(String::new(), |value| format!(", written was {value}"));
            failed.push(format!("values: {limits}{value}"));
        }
        (K::RateExceeded, _, Some(rate)) => failed.push(format!("rate: {rate}")),
        (K::OutsideSchedule, ..) => {
            let schedule = rule.schedule.and_then(|i| profile.profile().schedules.get(i));
            failed.push(format!("schedule: '{}' does not hold then", schedule.map_or("", |s| &s.name)));
        }
        _ => {}
    }
    failed
}

/// Whether a rule allows the function. Where the kind of finding tells, it goes before the class that the
/// code has, which in DNP3 depends on the objects too.
fn allows(event: &Event, rule: &Rule) -> bool {
    let (Some(protocol), Some(function)) = (event.protocol, event.function) else { return false };
    if matches!(
        event.kind,
        K::UnprofiledRange | K::SetpointOutsideRule | K::OutsideSchedule | K::RateExceeded
    ) {
        return true;
    }
    let action = match event.exchange() {
        Exchange::Unsolicited => parsers::Action::Report,
        Exchange::Confirm => parsers::Action::Confirm,
        Exchange::Link => parsers::Action::Link,
        _ => parsers::action_of(protocol, function.code, function.sub),
    };
    rule.allow.iter().any(|allow| allow.holds(protocol, action, function))
}

/// The points that a rule does not allow.
fn outside(event: &Event, profile: &Compiled, rule: &Rule, station: Option<usize>) -> Vec<PointRange> {
    /// Ranges that are told.
    const TOLD: usize = 8;
    let allowed = station.map_or(rule.points.clone(), |station| rule.points_at(profile.profile(), station));
    let Some(allowed) = allowed else { return Vec::new() };
    let holds = |range: &&PointRange| {
        range.kind() == PointKind::DeviceData
            || allowed
                .iter()
                .any(|a| a.kind() == range.kind() && a.first() <= range.first() && range.last() <= a.last())
    };
    event.points.iter().filter(|range| !holds(range)).take(TOLD).copied().collect()
}
