//! A rule that allows one host one function on one station's points, and the host and the station where the
//! profile does not know them.

use std::fmt::Write as _;

use parsers::{Action, Exchange, PointKind, Protocol};
use profiles::write::{key, list, quoted};
use profiles::{Compiled, HostEntry, RangeText, function_by_name};
use toml_edit::Value;

use super::change::Change;
use super::{Event, nearest};
use crate::report::catalogue::FindingKind as K;

/// Characters of a rule's name before it is cut.
const NAME_CHARS: usize = 80;

/// The rule's name, and what to append.
pub(super) fn narrow(event: &Event, profile: &Compiled) -> Result<(String, Change), String> {
    let protocol = event.protocol.ok_or("the finding names no protocol")?;
    let mut change = Change::default();
    let from = client(event, profile, &mut change)?;
    let allow = word(event, protocol)?;
    let to = station(event, profile, protocol, allow.starts_with("fc:"), &mut change)?;
    let spoken = event.function.map_or(allow.as_str(), |function| function.name);
    let name = unused(&format!("{from}: {spoken} at {to}"), |name| {
        let profile = profile.profile();
        profile.rules.iter().any(|r| r.name == name) || profile.denials.iter().any(|d| d.name == name)
    });
    let text = &mut change.append;
    // Writing to a string does not fail.
    let _ = writeln!(text, "\n[[rules]]\nname = {}", quoted(&name));
    let _ = writeln!(text, "from = {}\nto = {}\nallow = {}", list([from]), list([to]), list([allow]));
    if let Some(points) = points(event) {
        let _ = writeln!(text, "points = {points}");
    } else if event.more_points {
        change
            .notes
            .push("it named more points than the event lists, so the rule is for all points".to_owned());
    }
    if let Some(limits) = values(event, profile) {
        let _ = writeln!(text, "values = {limits}");
    }
    if event.is_broadcast() {
        text.push_str("broadcast = true\n");
    }
    if event.count > 1 {
        change.notes.push(format!(
            "{} occurrences are folded into this finding; the change allows the one that it tells of",
            event.count
        ));
    }
    Ok((name, change))
}

/// The commanding host's name; a new host if there is none.
fn client(event: &Event, profile: &Compiled, change: &mut Change) -> Result<String, String> {
    let endpoint =
        event.client.ok_or("the commanding side has no IP address, and hosts are named by theirs")?;
    if let Some(host) = nearest::client(event, profile).and_then(|i| profile.profile().hosts.get(i)) {
        change.notes.push(format!("host '{}' exists", host.name));
        return Ok(host.name.clone());
    }
    let name = new_name(&format!("host-{}", plain(&endpoint.host.to_string())), profile, &change.append);
    let address = quoted(&endpoint.host.to_string());
    let _ = writeln!(change.append, "\n[hosts.{}]\naddress = {address}", key(&name));
    change
        .notes
        .push("naming the host also silences what was found because it was unknown (new_host)".to_owned());
    Ok(name)
}

/// The station's name; a new station if there is none. `by_number`: the rule names the function by a number,
/// which means nothing for a name that stands for stations of two protocols.
fn station(
    event: &Event,
    profile: &Compiled,
    protocol: Protocol,
    by_number: bool,
    change: &mut Change,
) -> Result<String, String> {
    let endpoint = event.server.ok_or("the station has no IP address, and hosts are named by theirs")?;
    let model = profile.profile();
    let host = profile.host_index(endpoint.host).map(|index| index as usize);
    let known = if event.is_broadcast() {
        // A broadcast belongs to no station: any of its host and protocol stands for them.
        let behind = |s: &&profiles::Station| {
            Some(s.host) == host && s.protocol == protocol && s.port.is_none_or(|port| port == endpoint.port)
        };
        model.stations.iter().find(behind)
    } else {
        nearest::station(event, profile).and_then(|index| model.stations.get(index))
    };
    if let Some(station) = known {
        change.notes.push(format!("station '{}' exists", station.name));
        let other = |s: &profiles::Station| s.host == station.host && s.from_role && s.protocol != protocol;
        if by_number
            && station.from_role
            && model.stations.iter().any(other)
            && let Some(host) = model.hosts.get(station.host)
        {
            let own = keep_implied(station.host, host, profile, change);
            let own = own.into_iter().find(|(spoken, _)| *spoken == protocol);
            return own.map(|(_, name)| name).ok_or_else(|| "the station has no protocol".to_owned());
        }
        if event.is_broadcast() {
            change.notes.push(
                "the rule also allows it at the station itself: broadcasts have no rules of their own"
                    .to_owned(),
            );
        }
        return Ok(station.name.clone());
    }
    let (Some(text), Some(terms)) = (event.station.number(), terms(protocol)) else {
        return Err("the finding names no station address".to_owned());
    };
    if !u16::try_from(text).is_ok_and(|number| terms.stations.contains(&number)) {
        return Err("the profile knows no station behind this host: name one first".to_owned());
    }
    let number = terms.key;
    let entry = host.and_then(|index| model.hosts.get(index));
    if let (Some(index), Some(entry)) = (host, entry) {
        keep_implied(index, entry, profile, change);
    }
    let behind = entry.map_or_else(|| endpoint.host.to_string(), |entry| entry.name.clone());
    let base = format!("{}-{}", plain(&behind), event.station.number().unwrap_or_default());
    let name = new_name(&base, profile, &change.append);
    let _ = writeln!(
        change.append,
        "\n[stations.{}]\nprotocol = \"{}\"\nhost = {}\n{number} = {text}",
        key(&name),
        protocol.name(),
        quoted(&behind)
    );
    let same = |s: &profiles::Station| {
        Some(s.host) == host && s.protocol == protocol && s.address == Some(event.station) && s.port.is_some()
    };
    if model.stations.iter().any(same) {
        let _ = writeln!(change.append, "port = {}", endpoint.port);
    }
    match entry {
        Some(entry) => change.notes.push(format!("host '{}' exists", entry.name)),
        None => change.notes.push(format!("no host has the address {behind}; the station names it")),
    }
    Ok(name)
}

/// A host with the role of a station stands for all stations behind it, until one is listed. Listing one must
/// not make the others unknown. Their names, by protocol.
fn keep_implied(
    index: usize,
    host: &HostEntry,
    profile: &Compiled,
    change: &mut Change,
) -> Vec<(Protocol, String)> {
    let mut names = Vec::new();
    let stations = &profile.profile().stations;
    for station in stations.iter().filter(|s| s.host == index && s.from_role) {
        let number = terms(station.protocol).map_or("unit_id", |terms| terms.key);
        let base = format!("{}-{}", plain(&host.name), station.protocol.name());
        let name = new_name(&base, profile, &change.append);
        let _ = writeln!(
            change.append,
            "\n# As soon as one station of {} is listed, the others have to be.\n[stations.{}]\nprotocol = \"{}\"\nhost = {}\n{number} = \"any\"",
            plain(&host.name),
            key(&name),
            station.protocol.name(),
            quoted(&host.name)
        );
        names.push((station.protocol, name));
    }
    names
}

/// The function as `allow` names it: by its name where that is no class too, else by its number.
fn word(event: &Event, protocol: Protocol) -> Result<String, String> {
    let function = event.function.ok_or("the finding names no function")?;
    match event.exchange() {
        Exchange::Unsolicited => return Ok("report".to_owned()),
        Exchange::Confirm => return Ok("confirm".to_owned()),
        Exchange::Link => return Ok("link".to_owned()),
        _ => {}
    }
    let (code, sub) = (function.code, function.sub);
    let by_name = function_by_name(protocol, function.name) == Some((code, sub));
    if by_name && Action::from_name(function.name).is_none() {
        return Ok(function.name.to_owned());
    }
    let dissector = parsers::dissector(protocol);
    if dissector.is_some_and(|d| !d.codes.contains(&code)) {
        return Ok(Action::Unknown.name().to_owned());
    }
    let has_subs = dissector.is_some_and(|d| d.functions.iter().any(|row| row.1.is_some()));
    match sub.filter(|_| has_subs) {
        Some(sub) => Ok(format!("fc:{code}/{sub}")),
        None => Ok(format!("fc:{code}")),
    }
}

/// How the stations of a protocol are addressed.
fn terms(protocol: Protocol) -> Option<&'static parsers::AddressTerms> {
    parsers::dissector(protocol).map(|dissector| &dissector.address)
}

/// The points of an order; `None`: they are not judged, have no addresses, or are not all known.
fn points(event: &Event) -> Option<String> {
    let addressed = event.points.iter().filter(|range| range.kind() != PointKind::DeviceData);
    let texts: Vec<String> = addressed.map(|range| RangeText(*range).to_string()).collect();
    let judged = matches!(event.exchange(), Exchange::Request | Exchange::Response);
    (judged && !texts.is_empty() && !event.more_points).then(|| list(texts))
}

/// The limits of the new rule: the value that was written, and for an operation at the wrong time those of
/// the rule that allows it at others.
fn values(event: &Event, profile: &Compiled) -> Option<String> {
    let old = nearest::rule(event, profile).and_then(|rule| rule.values);
    let (min, max) = match event.kind {
        K::SetpointOutsideRule => {
            let (low, high) = event.values().filter(|(low, high)| low.is_finite() && high.is_finite())?;
            let one = matches!(event.points.as_slice(), [range] if range.first() == range.last());
            let old = old.filter(|_| !one);
            // What else was written with them lies within the old limits.
            old.map_or((low, high), |old| (old.min.min(low), old.max.max(high)))
        }
        K::OutsideSchedule => old.map(|old| (old.min, old.max))?,
        _ => return None,
    };
    let ends = [("min", min), ("max", max)].into_iter().filter(|(_, end)| end.is_finite());
    let ends: Vec<String> = ends.map(|(word, end)| format!("{word} = {}", Value::from(end))).collect();
    (!ends.is_empty()).then(|| format!("{{ {} }}", ends.join(", ")))
}

/// A name that no host, station or group has, in any case of letters.
fn new_name(base: &str, profile: &Compiled, appended: &str) -> String {
    let model = profile.profile();
    unused(base, |name| {
        let hosts = model.hosts.iter().map(|host| &host.name);
        let stations = model.stations.iter().map(|station| &station.name);
        let groups = model.groups.iter().map(|group| &group.name);
        hosts.chain(stations).chain(groups).any(|taken| taken.eq_ignore_ascii_case(name))
            || appended.to_ascii_lowercase().contains(&format!(".{}]", name.to_ascii_lowercase()))
    })
}

/// The name, or with the first number that makes it unused.
pub(super) fn unused(base: &str, taken: impl Fn(&str) -> bool) -> String {
    let base: String = base.chars().take(NAME_CHARS).collect();
    if !taken(&base) {
        return base;
    }
    let numbered = (2_u32..).map(|number| format!("{base}-{number}"));
    numbered.into_iter().find(|name| !taken(name)).unwrap_or(base)
}

/// A name without anything that would have to be quoted.
fn plain(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' }).collect()
}
