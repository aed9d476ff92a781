//! The profile as text, for an engineer to read and change.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use parsers::{Host, PointKind, PointRange, Protocol};
use profiles::write::{key, list, quoted};

use super::Learned;
use super::decide::{Detail, Draft, Grant, LeftOut};
use super::names::{self, Guess, StationKey, number_of, station_of};
use super::pair::{FunctionKey, RangeKey};
use super::publishers;
use super::rules::{Rule, allow, points, rules, verb};
use super::words::{FromTo, FunctionText, Number, PeriodText, Span, ValueText, When, times};

/// Lines of comment that a rule gets for its ranges.
const LINES_OF_RULE: usize = 24;

/// Points written with a station.
const POINTS_OF_STATION: usize = 128;

/// Points whose read values are proposed for a station.
const READINGS_OF_STATION: usize = 32;

/// Controls a minute from which on a point gets a rate of its own: the default alarms soon above it.
const TELLING_RATE: u32 = 2;

/// Longest silence of a station that learning takes for ordinary, in seconds.
const LONGEST_SILENCE: f64 = 120.0;

/// Longest line of comment.
const WIDTH: usize = 110;

/// What the profile calls things.
pub(super) struct Names {
    pub(super) guesses: BTreeMap<Host, Guess>,
    pub(super) hosts: BTreeMap<Host, String>,
    pub(super) stations: BTreeMap<StationKey, String>,
    /// The ports that stations are written with.
    pub(super) ports: BTreeMap<StationKey, u16>,
}

impl Names {
    pub(super) fn new(draft: &Draft) -> Names {
        let guesses = names::guesses(draft);
        let hosts = names::hosts(&guesses, &BTreeSet::new());
        Names::of(&draft.grants, guesses, hosts)
    }

    /// Names of the stations behind hosts with names.
    pub(super) fn of(
        grants: &[Grant],
        guesses: BTreeMap<Host, Guess>,
        hosts: BTreeMap<Host, String>,
    ) -> Names {
        let keys: BTreeSet<StationKey> = grants.iter().map(|g| station_of(&g.key)).collect();
        let mut ports: BTreeMap<_, BTreeSet<u16>> = BTreeMap::new();
        for key in &keys {
            ports.entry((key.0, key.2, key.3)).or_default().insert(key.1);
        }
        // On several ports they are several stations, if the port of each is known.
        let apart = |key: &StationKey| {
            ports.get(&(key.0, key.2, key.3)).is_some_and(|ports| ports.len() > 1 && !ports.contains(&0))
        };
        let name =
            |key: &StationKey| names::station(key, hosts.get(&key.0).map_or("", String::as_str), apart(key));
        let stations = keys.iter().map(|key| (*key, name(key))).collect();
        let listen = |key: &&StationKey| {
            let anywhere = ports.get(&(key.0, key.2, key.3)).is_some_and(|ports| ports.contains(&0));
            let usual = parsers::dissector(key.2).is_some_and(|d| d.tcp_ports.contains(&key.1));
            apart(key) || !(anywhere || usual)
        };
        let ports = keys.iter().filter(listen).map(|key| (*key, key.1)).collect();
        Names { guesses, hosts, stations, ports }
    }

    fn host(&self, host: Host) -> &str {
        self.hosts.get(&host).map_or("", String::as_str)
    }
}

/// The whole file.
pub(super) fn file(learned: &Learned) -> String {
    let mut text = String::new();
    head(&mut text, learned);
    thresholds(&mut text, learned);
    let names = Names::new(&learned.draft);
    redundancy(&mut text, learned, &names);
    body(&mut text, learned, &names, (&BTreeSet::new(), &BTreeSet::new()), BTreeSet::new());
    publishers::sections(&mut text, &learned.draft.publishers, BTreeSet::new());
    left_out(&mut text, &learned.draft.left_out);
    text
}

fn head(text: &mut String, learned: &Learned) {
    let (first, last) = learned.span;
    _ = writeln!(
        text,
        "# Learned by gridtap {} from {}",
        env!("CARGO_PKG_VERSION"),
        learned.sources.join(", ")
    );
    _ = writeln!(
        text,
        "# {} to {} ({}), {} packets, {} operations.",
        When(first),
        When(last),
        Span(last.since(first)),
        Number(learned.packets),
        Number(learned.operations)
    );
    text.push_str(if learned.draft.grants.is_empty() && !learned.draft.publishers.is_empty() {
        "# No rules: Modbus, DNP3 and IEC 104 are judged as without a profile; a publisher that is not here is told.\n\
         # Read it, name things as you call them, and\n"
    } else {
        "# Everything is denied that no rule here allows. Read it, name things as you call them, and\n"
    });
    text.push_str(
        "# remove what should not be. What looked suspicious was left out; it stands at the end.\n",
    );
    for remark in &learned.remarks {
        comment(text, "# CAUTION: ", remark);
    }
    _ = writeln!(text, "\n[profile]\nname = {}", quoted(&learned.name));
    let day = When(last).to_string();
    _ = writeln!(text, "version = {}", quoted(day.get(..10).unwrap_or(&day)));
}

/// Masters that stand in for each other.
fn redundancy(text: &mut String, learned: &Learned, names: &Names) {
    let mut groups: BTreeMap<Host, BTreeSet<Host>> = BTreeMap::new();
    for (backup, primary) in &learned.draft.backups {
        groups.entry(*primary).or_default().insert(*backup);
    }
    for (primary, backups) in groups {
        let hosts = std::iter::once(primary).chain(backups);
        let hosts: Vec<String> = hosts.filter_map(|host| names.hosts.get(&host).cloned()).collect();
        if let [first, _, ..] = hosts.as_slice() {
            let name = key(&format!("{first}-and-backup"));
            _ = writeln!(text, "\n[redundancy.{name}]\nhosts = {}", list(&hosts));
        }
    }
}

/// Thresholds that the defaults do not fit.
fn thresholds(text: &mut String, learned: &Learned) {
    let default = profiles::Thresholds::default().silence_floor;
    let Some(silence) = learned.draft.silence_ns.map(|ns| ns as f64 / 1e9 * 1.5).filter(|s| *s > default)
    else {
        return;
    };
    let seconds = silence.min(LONGEST_SILENCE).ceil();
    text.push_str("\n[thresholds]\n");
    let usual = Span(learned.draft.silence_ns.unwrap_or(0));
    comment(text, "# ", &format!("Stations fall silent again and again for up to {usual}"));
    _ = writeln!(text, "silence_floor = \"{seconds} s\"");
}

/// Hosts, stations and rules; without hosts and stations that stand elsewhere already, and without names of
/// rules that do.
pub(super) fn body(
    text: &mut String,
    learned: &Learned,
    names: &Names,
    (known_hosts, known_stations): (&BTreeSet<Host>, &BTreeSet<StationKey>),
    mut used: BTreeSet<String>,
) {
    for (host, name) in names.hosts.iter().filter(|(host, _)| !known_hosts.contains(host)) {
        _ = writeln!(text, "\n[hosts.{}]\naddress = {}", key(name), quoted(&host.to_string()));
        let macs = learned.draft.macs.get(host).map_or(&[][..], Vec::as_slice);
        if !macs.is_empty() {
            _ = writeln!(text, "mac = {}", list(macs));
        }
        if let Some(services) = learned.draft.services.get(host) {
            for (word, set) in ["uses", "offers"].into_iter().zip(services) {
                let keys = set.iter().map(|service| service.key);
                _ = writeln!(text, "{word} = {}", list(keys));
            }
        }
        if let Some(guess) = names.guesses.get(host) {
            comment(text, "# ", &format!("Seems to be: role = {} ({})", quoted(guess.role), guess.why));
        }
    }
    let mut written = BTreeSet::new();
    for (station, name) in names.stations.iter().filter(|(station, _)| !known_stations.contains(station)) {
        if !written.insert(name) {
            // The same one, on a port that it opened itself.
            continue;
        }
        let (host, _, protocol, address) = *station;
        _ = writeln!(text, "\n[stations.{}]\nprotocol = {}", key(name), quoted(protocol.name()));
        _ = writeln!(text, "host = {}", quoted(names.host(host)));
        let dissector = parsers::dissector(protocol);
        if let (Some(number), Some(dissector)) = (address.number(), dissector) {
            _ = writeln!(text, "{} = {number}", dissector.address.key);
        }
        if let Some(port) = names.ports.get(station) {
            _ = writeln!(text, "port = {port}");
        }
        if let Some(sizes) = learned.draft.sizes.get(&host).filter(|_| protocol == Protocol::Iec104) {
            text.push_str("# Octets of cause, common address and object address; 104 has 2, 2, 3\n");
            _ = writeln!(text, "field_sizes = [{sizes}]");
        }
        quirks(text, learned, station);
        station_points(text, learned, name, station);
    }
    for rule in rules(&learned.draft.grants) {
        write_rule(text, &rule, names, &mut used);
    }
}

/// What the station does all the time.
fn quirks(text: &mut String, learned: &Learned, station: &StationKey) {
    let own = learned.draft.quirks.iter().filter(|(pair, _)| station_of(pair) == *station);
    let quirks: BTreeMap<&str, &String> =
        own.flat_map(|(_, list)| list.iter().map(|(k, w)| (*k, w))).collect();
    if quirks.is_empty() {
        return;
    }
    for why in quirks.values() {
        comment(text, "# ", why);
    }
    _ = writeln!(text, "quirks = {}", list(quirks.keys()));
}

/// Points that need more than a rule says: how often they are controlled, what is written to each.
fn station_points(text: &mut String, learned: &Learned, name: &str, station: &StationKey) {
    let mut points: BTreeMap<(PointKind, u32), More> = BTreeMap::new();
    let mut refused = false;
    let refused_rates = learned.draft.refused_rates.iter().filter(|(pair, _)| station_of(pair) == *station);
    for (_, rates) in refused_rates {
        refused |= add_rates(&mut points, rates);
    }
    for grant in learned.draft.grants.iter().filter(|grant| station_of(&grant.key) == *station) {
        add_rates(&mut points, &grant.rates);
        for (point, limits) in grant.limits.iter().filter(|_| grant.values.is_some()) {
            let entry = points.entry(*point).or_default();
            entry.1 = super::pair::join(entry.1, Some((limits.min, limits.max)));
        }
    }
    if points.is_empty() {
        return readings(text, learned, (name, station), &BTreeSet::new());
    }
    if refused {
        let why = "Some of these points are commanded all the time and refuse it: that is not allowed, but its \
                   rate is known";
        comment(text, "# ", why);
    }
    _ = writeln!(text, "[stations.{}.points]", key(name));
    for ((kind, address), (rate, limits)) in points.iter().take(POINTS_OF_STATION) {
        let range = profiles::RangeText(PointRange::one(*kind, *address)).to_string();
        _ = write!(text, "{} = {{ point = {}", key(&range.replace([' ', ':', '_'], "-")), quoted(&range));
        if let Some((min, max)) = limits {
            _ = write!(text, ", set_range = [{}, {}]", ValueText(*min), ValueText(*max));
        }
        if *rate > 0 {
            // Half as often again is nothing to speak of.
            _ = write!(text, ", max_rate = \"{} per minute\"", rate + rate.div_ceil(2));
        }
        text.push_str(" }\n");
    }
    if points.len() > POINTS_OF_STATION {
        _ = writeln!(text, "# {} more points are controlled", points.len() - POINTS_OF_STATION);
    }
    readings(text, learned, (name, station), &points.keys().copied().collect());
}

/// Controls a minute, limits of written values.
type More = (u32, Option<(f64, f64)>);

/// Note how often points are switched; whether any of it is worth telling.
fn add_rates(points: &mut BTreeMap<(PointKind, u32), More>, rates: &BTreeMap<(PointKind, u32), u32>) -> bool {
    let mut any = false;
    for (point, rate) in rates.iter().filter(|(point, rate)| switches(point.0) && **rate >= TELLING_RATE) {
        let entry = points.entry(*point).or_default();
        entry.0 = entry.0.max(*rate);
        any = true;
    }
    any
}

/// The largest number that a point of this kind is read as.
fn most(kind: PointKind) -> f64 {
    match kind {
        PointKind::HoldingRegister | PointKind::InputRegister => f64::from(u16::MAX),
        _ => f64::INFINITY,
    }
}

/// What could be asked of the values that were read, as comments: the engineer knows what else is plausible.
/// `written` are the points that stand there already.
fn readings(
    text: &mut String,
    learned: &Learned,
    (name, station): (&str, &StationKey),
    written: &BTreeSet<(PointKind, u32)>,
) {
    let Some(points) = learned.draft.readings.get(station) else { return };
    let proposals = points
        .iter()
        .filter(|(point, _)| !written.contains(*point))
        .filter_map(|(point, reading)| Some((*point, reading.proposed(most(point.0))?)));
    let proposals: Vec<_> = proposals.collect();
    if proposals.is_empty() {
        return;
    }
    let what = "Measured values, as they were read or reported. Take the # away where the device can do no more than it did:";
    comment(text, "# ", what);
    if written.is_empty() {
        _ = writeln!(text, "# [stations.{}.points]", key(name));
    }
    for ((kind, address), (keys, seen)) in proposals.iter().take(READINGS_OF_STATION) {
        let range = profiles::RangeText(PointRange::one(*kind, *address)).to_string();
        let name = key(&range.replace([' ', ':', '_'], "-"));
        _ = writeln!(text, "# {name} = {{ point = {}, {keys} }} # seen {seen}", quoted(&range));
    }
    if proposals.len() > READINGS_OF_STATION {
        _ = writeln!(text, "# (and {} more points)", proposals.len() - READINGS_OF_STATION);
    }
}

/// Kinds of points that are switched.
fn switches(kind: PointKind) -> bool {
    matches!(kind, PointKind::Coil | PointKind::BinaryOutput)
}

fn write_rule(text: &mut String, rule: &Rule, names: &Names, used: &mut BTreeSet<String>) {
    let Rule { pairs, grant } = rule;
    let stations: Vec<String> =
        pairs.iter().filter_map(|p| names.stations.get(&station_of(p)).cloned()).collect();
    let Some(first) = stations.first() else { return };
    let client = names.host(grant.key.client);
    let more = stations.len() - 1;
    let and = if more > 0 { format!(" and {more} more") } else { String::new() };
    let plain = super::fitting(&format!("{client} {} {first}{and}", verb(grant.class)));
    let mut name = plain.clone();
    for number in 2.. {
        if used.insert(name.clone()) {
            break;
        }
        name = format!("{plain} ({number})");
    }
    text.push('\n');
    comments(text, grant);
    _ = writeln!(text, "[[rules]]\nname = {}", quoted(&name));
    _ = writeln!(text, "from = {}", list([client]));
    _ = writeln!(text, "to = {}", list(&stations));
    _ = writeln!(text, "allow = {}", list(allow(grant)));
    if let Some(ranges) = grant.points.as_ref().filter(|ranges| !ranges.is_empty()) {
        _ = writeln!(text, "points = {}", list(points(ranges)));
    }
    if let Some((min, max)) = grant.values {
        _ = writeln!(text, "values = {{ min = {}, max = {} }}", ValueText(min), ValueText(max));
    }
    if let Some(poll) = grant.poll() {
        // Half a period late is what jitter may do; more if it was seen.
        let tolerance = (poll.spread_percent * 2).max(50);
        let period = PeriodText(poll.period_ns);
        _ = writeln!(text, "poll = {{ period = \"{period}\", tolerance = \"{tolerance} %\" }}");
    }
    if grant.broadcast {
        text.push_str("broadcast = true\n");
    }
}

fn comments(text: &mut String, grant: &Grant) {
    let refused =
        if grant.refused > 0 { format!(", {} refused", Number(grant.refused)) } else { String::new() };
    _ = writeln!(
        text,
        "# {}{refused}, {}",
        times(grant.seen.count),
        FromTo(grant.seen.first, grant.seen.last)
    );
    for remark in &grant.remarks {
        comment(text, "# REVIEW: ", remark);
    }
    for (key, detail) in grant.details.iter().take(LINES_OF_RULE) {
        _ = writeln!(text, "#   {}", detail_line(grant, key, detail));
    }
    if grant.details.len() > LINES_OF_RULE {
        _ = writeln!(text, "#   and {} more", number_of(grant.details.len() - LINES_OF_RULE, "range"));
    }
    if grant.reported > 0 && !grant.functions.is_empty() {
        _ = writeln!(text, "#   report: {}", times(grant.reported));
    }
    if let Some(rate) = grant.rates.values().max() {
        _ = writeln!(text, "#   one point at most {} a minute", times((*rate).into()));
    }
}

fn detail_line(grant: &Grant, (function, range): &(FunctionKey, RangeKey), detail: &Detail) -> String {
    let name = grant.functions.get(function).copied().unwrap_or("");
    // One function, and another action by what it says: a select and its operate.
    let twice = |other: &&FunctionKey| (other.code, other.sub) == (function.code, function.sub);
    let twice = grant.functions.keys().filter(twice).count() > 1;
    let action = if twice { format!(" ({})", function.action.name()) } else { String::new() };
    let mut line = format!(
        "{}{action} {}: {}",
        FunctionText(function, name),
        profiles::RangeText(super::pair::Range::of(*range)),
        times(detail.count)
    );
    if let Some(period) = detail.period {
        _ = write!(line, ", every {} ± {} %", PeriodText(period.period_ns), period.spread_percent);
    }
    if let Some((low, high)) = detail.values {
        _ = match (ValueText(low).to_string(), ValueText(high).to_string()) {
            (low, high) if low == high => write!(line, ", value {low}"),
            (low, high) => write!(line, ", values {low} to {high}"),
        };
    }
    line
}

/// What was not learned.
pub(super) fn left_out(text: &mut String, left: &[LeftOut]) {
    if left.is_empty() {
        return;
    }
    text.push_str("\n# Suspicious, and therefore not learned:\n");
    for item in left {
        comment(text, "#  - ", &left_out_line(item));
    }
}

/// One thing that was not learned, as a sentence.
pub(super) fn left_out_line(item: &LeftOut) -> String {
    let when = FromTo(item.first, item.last).to_string();
    let when = if item.count > 1 { format!("{} {when}", times(item.count)) } else { when };
    format!("{} {} ({when})", item.client, item.what)
}

/// A comment, broken into lines.
pub(super) fn comment(text: &mut String, lead: &str, what: &str) {
    let mut line = lead.to_owned();
    let indent = format!("#{}", " ".repeat(lead.len().saturating_sub(1)));
    for word in what.split_whitespace() {
        if line.len() + word.len() > WIDTH && line.len() > lead.len() {
            text.push_str(line.trim_end());
            text.push('\n');
            line.clone_from(&indent);
        }
        line.push_str(word);
        line.push(' ');
    }
    text.push_str(line.trim_end());
    text.push('\n');
}
