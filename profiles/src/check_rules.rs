//! Checks of `[[rules]]`: whom they name, what they allow, which points.

use std::collections::{HashMap, HashSet};

use parsers::{Action, Protocol};

use crate::diagnostics::{Reporter, nearest};
use crate::file::{At, File, RuleEntry};
use crate::functions::{function_by_name, function_names};
use crate::points;
use crate::profile::{Allow, Rule, Station, merge};

/// Names a rule can refer to.
struct Names<'a> {
    /// Hosts of the file, in its order.
    hosts: &'a [&'a str],
    by_host: HashMap<&'a str, usize>,
    /// Stations of the file by name, with the index of those that are sound.
    by_station: HashMap<&'a str, Option<usize>>,
    stations: &'a [Station],
}

/// Check all rules. `hosts` are the names of the file's hosts in their order.
pub(crate) fn rules(
    file: &File,
    hosts: &[&str],
    stations: &[Station],
    reporter: &mut Reporter<'_>,
) -> Vec<Rule> {
    // A station with an error of its own is still a name: naming it is not a second error.
    let broken = file.stations.iter().map(|s| (s.name.value.as_str(), None));
    let sound = stations.iter().enumerate().map(|(i, s)| (s.name.as_str(), Some(i)));
    let names = Names {
        hosts,
        by_host: hosts.iter().enumerate().map(|(i, name)| (*name, i)).collect(),
        by_station: broken.chain(sound).collect(),
        stations,
    };
    file.rules.iter().map(|entry| rule(entry, &names, reporter)).collect()
}

fn rule(entry: &RuleEntry, names: &Names<'_>, reporter: &mut Reporter<'_>) -> Rule {
    let from = from(entry, names, reporter);
    let to = to(entry, names, reporter);
    let mut protocols: Vec<Protocol> =
        to.iter().filter_map(|i| names.stations.get(*i)).map(|s| s.protocol).collect();
    protocols.sort_unstable();
    protocols.dedup();
    let mut allow = Vec::with_capacity(entry.allow.len());
    for text in &entry.allow {
        match allowed(text, &protocols, reporter) {
            Some(one) if allow.contains(&one) => {
                reporter
                    .error(&text.span, format!("`{}` stands here twice", text.value))
                    .label("take it out");
            }
            Some(one) => allow.push(one),
            None => {}
        }
    }
    Rule {
        name: entry.name.value.clone(),
        from,
        to,
        allow,
        points: ranges(entry, &protocols, reporter),
        broadcast: entry.broadcast,
        owner: entry.owner.clone(),
        comment: entry.comment.clone(),
    }
}

fn from(entry: &RuleEntry, names: &Names<'_>, reporter: &mut Reporter<'_>) -> Vec<usize> {
    let mut found = Found::default();
    for text in &entry.from {
        if let Some(index) = names.by_host.get(text.value.as_str()) {
            found.add(*index, text, reporter);
        } else {
            let error = reporter.error(&text.span, format!("no host has the name `{}`", text.value));
            if names.by_station.contains_key(text.value.as_str()) {
                error.label("this is a station; `from` names the hosts that command it");
                continue;
            }
            if let Some(meant) = nearest(&text.value, names.hosts.iter().copied()) {
                error.label(format!("did you mean `{meant}`?"));
            }
            error.help(format!(
                "define it:\n             [hosts.{}]\n             address = \"...\"",
                key(&text.value)
            ));
        }
    }
    found.list
}

fn to(entry: &RuleEntry, names: &Names<'_>, reporter: &mut Reporter<'_>) -> Vec<usize> {
    let mut found = Found::default();
    for text in &entry.to {
        match names.by_station.get(text.value.as_str()) {
            Some(Some(index)) => found.add(*index, text, reporter),
            Some(None) => {}
            None => {
                let error = reporter.error(&text.span, format!("no station has the name `{}`", text.value));
                let stations = names.stations.iter().map(|s| s.name.as_str());
                if names.by_host.contains_key(text.value.as_str()) {
                    error.label("this is a host; `to` names stations");
                    continue;
                }
                if let Some(meant) = nearest(&text.value, stations) {
                    error.label(format!("did you mean `{meant}`?"));
                }
                error.help(format!(
                    "define it:\n             [stations.{}]\n             protocol = \"modbus\"\n             host = \"...\"\n             unit_id = 1",
                    key(&text.value)
                ));
            }
        }
    }
    found.list
}

/// A name as a TOML key.
fn key(name: &str) -> String {
    let bare = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if bare { name.to_owned() } else { format!("{name:?}") }
}

/// Indexes without repetition, in the order they were named.
#[derive(Default)]
struct Found {
    list: Vec<usize>,
    seen: HashSet<usize>,
}

impl Found {
    fn add(&mut self, index: usize, text: &At<String>, reporter: &mut Reporter<'_>) {
        if self.seen.insert(index) {
            self.list.push(index);
        } else {
            reporter.error(&text.span, format!("`{}` stands here twice", text.value)).label("take it out");
        }
    }
}

fn allowed(text: &At<String>, protocols: &[Protocol], reporter: &mut Reporter<'_>) -> Option<Allow> {
    let word = text.value.as_str();
    if let Some(action) = Action::from_name(word) {
        return Some(Allow::Action(action));
    }
    if let Some(number) = word.strip_prefix("fc:") {
        return function_number(text, number, protocols, reporter);
    }
    // With no sound station the protocol is not known: any function's name will do.
    let spoken = if protocols.is_empty() { &Protocol::ALL } else { protocols };
    for protocol in spoken {
        if let Some((code, sub)) = function_by_name(*protocol, word) {
            return Some(Allow::Function { protocol: *protocol, code, sub });
        }
    }
    if let Some(other) = Protocol::ALL.into_iter().find(|p| function_by_name(*p, word).is_some()) {
        let spoken = spoken.first().map_or("", |p| p.name());
        reporter
            .error(&text.span, format!("`{word}` is a function of {}", other.name()))
            .label(format!("the rule's stations speak {spoken}"));
        return None;
    }
    let actions = Action::ALL.iter().map(|a| a.name());
    let functions = spoken.iter().flat_map(|p| function_names(*p));
    let error = reporter.error(&text.span, format!("unknown operation `{word}`"));
    if word.parse::<u16>().is_ok() {
        error.label(format!("for a function code write \"fc:{word}\""));
    } else if let Some(meant) = nearest(word, actions.clone().chain(functions)) {
        error.label(format!("did you mean `{meant}`?"));
    }
    let classes = actions.collect::<Vec<_>>().join(", ");
    error.help(format!(
        "write a class of operations ({classes}), a function's name in the standard (write_single_coil, cold_restart) or its number (fc:16, fc:8/4)"
    ));
    None
}

/// `fc:16`, `fc:8/4`.
fn function_number(
    text: &At<String>,
    number: &str,
    protocols: &[Protocol],
    reporter: &mut Reporter<'_>,
) -> Option<Allow> {
    let (code, sub) = match number.split_once('/') {
        Some((code, sub)) => (code, Some(sub)),
        None => (number, None),
    };
    let sub_number = sub.map(str::parse::<u16>);
    let (Ok(code), None | Some(Ok(_))) = (code.parse::<u8>(), &sub_number) else {
        reporter
            .error(&text.span, format!("`{}` is no function number", text.value))
            .label("write fc:CODE (0 to 255) or fc:CODE/SUBFUNCTION (0 to 65535)");
        return None;
    };
    let sub = sub_number.and_then(Result::ok);
    match protocols {
        [] => None,
        [Protocol::Dnp3] if sub.is_some() => {
            reporter
                .error(&text.span, "dnp3 functions have no sub-functions")
                .label(format!("write \"fc:{code}\""));
            None
        }
        [Protocol::Modbus] if code == 0 || code > 127 => {
            reporter
                .error(&text.span, format!("modbus has no function {code}"))
                .label("function codes are 1 to 127");
            None
        }
        [protocol] => Some(Allow::Function { protocol: *protocol, code, sub }),
        _ => {
            reporter
                .error(&text.span, format!("`{}` means another function in each protocol", text.value))
                .label("the rule's stations speak more than one: use the function's name, or two rules");
            None
        }
    }
}

fn ranges(
    entry: &RuleEntry,
    protocols: &[Protocol],
    reporter: &mut Reporter<'_>,
) -> Option<Vec<parsers::PointRange>> {
    let texts = entry.points.as_ref()?;
    let mut all = false;
    let mut ranges = Vec::with_capacity(texts.len());
    for text in texts {
        if text.value.trim() == "all" {
            all = true;
            if texts.len() > 1 {
                reporter
                    .error(&text.span, "`all` stands beside other points")
                    .label("take out `all`, or the others");
            }
            continue;
        }
        match points::parse(&text.value, protocols) {
            Ok(mut parsed) => ranges.append(&mut parsed),
            Err(trouble) => {
                let error = reporter.error(&text.span, trouble.message).label(trouble.label);
                if let Some(help) = trouble.help {
                    error.help(help);
                }
            }
        }
    }
    (!all).then(|| merge(ranges))
}
