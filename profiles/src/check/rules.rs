//! Checks of `[[rules]]`: whom they name, what they allow, which points, when.

use parsers::{PointRange, Protocol};

use super::groups::Names;
use super::operations::operations;
use super::times::Times;
use crate::file::{At, File, RuleEntry};
use crate::limits::{Budget, MAX_LINKS, Taken, grouped};
use crate::points;
use crate::profile::{Allow, Limits, Poll, Rule, Station, merge};
use diagnostics::Reporter;

/// Most uses in the time of a rule's rate: so many times are remembered for a pair.
const MOST_USES: u32 = 1024;

/// Check all rules.
pub(super) fn rules(file: &File, names: &Names<'_>, times: &Times, reporter: &mut Reporter<'_>) -> Vec<Rule> {
    let links = Budget::new(MAX_LINKS);
    let mut rules = Vec::with_capacity(file.rules.len());
    for entry in &file.rules {
        let rule = rule(entry, names, times, reporter);
        let (hosts, stations) = (rule.from.len(), rule.to.len());
        rules.push(rule);
        if let (Taken::Beyond, Some(at)) = (links.take(hosts.saturating_mul(stations)), entry.to.first()) {
            let most = grouped(MAX_LINKS);
            reporter
                .error(&at.span, format!("rules connect more than {most} pairs of host and station"))
                .label(format!("this one {} hosts with {} stations", grouped(hosts), grouped(stations)))
                .help(NARROWER);
            break;
        }
    }
    rules
}

/// What to do about too many pairs.
pub(super) const NARROWER: &str = "name fewer hosts: the masters that really poll; a network can be one host \
                                   (address = \"10.0.1.0/24\"); or split the site";

/// The protocols that stations speak.
pub(super) fn protocols_of<'s>(stations: impl Iterator<Item = &'s Station>) -> Vec<Protocol> {
    let mut spoken = Protocol::ALL.map(|protocol| (protocol, false));
    for station in stations {
        for (protocol, found) in &mut spoken {
            *found |= *protocol == station.protocol;
        }
    }
    spoken.iter().filter(|(_, found)| *found).map(|(protocol, _)| *protocol).collect()
}

fn rule(entry: &RuleEntry, names: &Names<'_>, times: &Times, reporter: &mut Reporter<'_>) -> Rule {
    let from = names.hosts(&entry.from, reporter);
    let to = names.stations(&entry.to, reporter);
    let protocols = protocols_of(to.iter().filter_map(|s| names.stations.get(*s)));
    let allow = operations(&entry.allow, &protocols, reporter);
    let (points, named_points) = points(entry.points.as_deref(), &protocols, &to, false, names, reporter);
    useless(entry, &allow, reporter);
    Rule {
        name: entry.name.value.clone(),
        from,
        to,
        allow,
        points,
        named_points,
        values: entry.values.as_ref().map(|at| Limits {
            min: at.value.0.unwrap_or(f64::NEG_INFINITY),
            max: at.value.1.unwrap_or(f64::INFINITY),
        }),
        rate: entry.rate.as_ref().map(|at| at.value),
        schedule: entry.schedule.as_ref().and_then(|name| times.schedule(name, reporter)),
        select_before_operate: entry.select_before_operate.as_ref().map(|at| at.value),
        poll: entry.poll.as_ref().map(|at| Poll { period_ns: at.value.0, tolerance: at.value.1 }),
        expires: entry.expires.as_ref().and_then(|date| times.time(date, reporter)),
        broadcast: entry.broadcast,
        from_role: false,
        owner: entry.owner.clone(),
        comment: entry.comment.clone(),
    }
}

/// Conditions that concern nothing the rule allows are a mistake.
fn useless(entry: &RuleEntry, allow: &[Allow], reporter: &mut Reporter<'_>) {
    use parsers::Action::{DirectOperate, Operate, Read, Report, Select, Write};
    let only = |actions: &[parsers::Action]| {
        !allow.is_empty() && allow.iter().all(|a| matches!(a, Allow::Action(a) if actions.contains(a)))
    };
    if let Some(at) = entry.values.as_ref().filter(|_| only(&[Read, Report])) {
        reporter
            .warning(&at.span, format!("`values` of rule `{}` limits nothing", entry.name.value))
            .label("they are limits on what is written; the rule allows reading only")
            .help("limits on what is read are `range` of a point: [stations.S.points.P]");
    }
    if let Some(at) = entry.select_before_operate.as_ref().filter(|_| only(&[Read, Report, Write, Select])) {
        let message = format!("`select_before_operate` of rule `{}` concerns nothing", entry.name.value);
        reporter.warning(&at.span, message).label("the rule allows no operate");
    }
    if let Some(at) = entry.rate.as_ref().filter(|rate| rate.value.count > MOST_USES) {
        let message = format!("`rate` of rule `{}` counts to more than {MOST_USES}", entry.name.value);
        reporter.error(&at.span, message).label("write it for a shorter time: \"50 per second\"");
    }
    if let Some(at) = entry.poll.as_ref().filter(|_| only(&[Write, Select, Operate, DirectOperate])) {
        let message = format!("`poll` of rule `{}` concerns nothing", entry.name.value);
        reporter.warning(&at.span, message).label("the rule allows no reading");
    }
}

/// Points by kind and address (`None`: all), and points by name. `any`: of those stations that have them.
pub(super) fn points(
    texts: Option<&[At<String>]>,
    protocols: &[Protocol],
    stations: &[usize],
    any: bool,
    names: &Names<'_>,
    reporter: &mut Reporter<'_>,
) -> (Option<Vec<PointRange>>, Vec<String>) {
    let Some(texts) = texts else { return (None, Vec::new()) };
    let mut all = false;
    let mut ranges = Vec::with_capacity(texts.len());
    let mut named = Vec::new();
    for text in texts {
        let word = text.value.trim();
        if word == "all" {
            all = true;
            if texts.len() > 1 {
                reporter
                    .error(&text.span, "`all` stands beside other points")
                    .label("take out `all`, or the others");
            }
            continue;
        }
        if compared(stations, any, text, names, reporter)
            && known_point(word, text, stations, any, names, reporter)
        {
            named.push(word.to_owned());
            continue;
        }
        match points::parse(word, protocols, !reporter.is_full()) {
            Ok(mut parsed) => {
                points::warn_of_manual_numbers(word, &text.span, reporter);
                ranges.append(&mut parsed);
            }
            // It may be the name of a point of a station that has an error of its own.
            Err(_) if stations.is_empty() && !word.contains(' ') => {}
            Err(mut trouble) => {
                let points = stations.iter().filter_map(|s| names.stations.get(*s)).flat_map(|s| &s.points);
                let points = points.take(GUESSES);
                let meant = reporter.meant(word, points.map(|p| p.name.as_str()));
                if let Some(meant) = meant.filter(|_| trouble.label.is_empty()) {
                    trouble.label = format!("did you mean the point `{meant}`?");
                }
                trouble.report(&text.span, reporter);
            }
        }
    }
    if all { (None, Vec::new()) } else { (Some(merge(ranges)), named) }
}

/// Names of points that are looked at to guess which one was meant.
const GUESSES: usize = 1000;

/// Whether a word may still be compared with the points of these stations.
fn compared(
    stations: &[usize],
    any: bool,
    text: &At<String>,
    names: &Names<'_>,
    reporter: &mut Reporter<'_>,
) -> bool {
    let points = |station: &usize| names.stations.get(*station).map_or(0, |s| s.points.len());
    let count = if any { names.points } else { stations.iter().map(points).sum::<usize>() + stations.len() };
    if names.comparisons.take(count) == Taken::Beyond {
        reporter
            .error(&text.span, "rules compare too many points with those of their stations")
            .label(format!("{} with this one", grouped(count)))
            .help("name points by kind and address, as in \"holding_register 10\", or in fewer rules");
    }
    names.comparisons.is_left()
}

/// Whether a word is the name of a point. All stations must have it, or it would mean nothing at some.
fn known_point(
    word: &str,
    text: &At<String>,
    stations: &[usize],
    any: bool,
    names: &Names<'_>,
    reporter: &mut Reporter<'_>,
) -> bool {
    let stations = stations.iter().filter_map(|s| names.stations.get(*s));
    let (with, without): (Vec<_>, Vec<_>) = stations.partition(|s| s.point(word).is_some());
    if with.is_empty() {
        return false;
    }
    if let Some(station) = without.first().filter(|_| !any) {
        reporter
            .error(&text.span, format!("station `{}` has no point `{word}`", station.name))
            .label(match without.len() {
                1 => "every station of the rule must have it".to_owned(),
                n => format!("every station of the rule must have it; {n} do not"),
            })
            .help("name the point at each station, or give the stations a shared point map");
    }
    true
}
