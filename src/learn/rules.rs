//! From grants to rules: what a client may do alike with several stations is one rule.

use std::collections::BTreeMap;

use parsers::{Action, PointRange};

use super::decide::{Class, Grant};
use super::pair::{FunctionKey, PairKey};

/// A rule to be written.
#[derive(Debug)]
pub(super) struct Rule {
    /// The pairs it is for, all of one client.
    pub(super) pairs: Vec<PairKey>,
    /// What it allows, of all pairs together.
    pub(super) grant: Grant,
}

/// Join what is the same for several stations.
pub(super) fn rules(grants: &[Grant]) -> Vec<Rule> {
    let mut rules: Vec<Rule> = Vec::new();
    let mut alike: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for grant in grants {
        let same = format!(
            "{:?}",
            (
                (grant.key.client, grant.key.protocol, grant.class),
                (grant.functions.keys().collect::<Vec<_>>(), &grant.points, grant.values),
                (grant.broadcast, grant.reported > 0, grant.link, grant.poll().is_some()),
            )
        );
        let alike = alike.entry(same).or_default();
        let fits = |at: &&usize| rules.get(**at).is_some_and(|rule| in_step(&rule.grant, grant));
        if let Some(rule) = alike.iter().find(fits).copied().and_then(|at| rules.get_mut(at)) {
            rule.pairs.push(grant.key);
            rule.grant.add(grant.clone());
        } else {
            alike.push(rules.len());
            rules.push(Rule { pairs: vec![grant.key], grant: grant.clone() });
        }
    }
    rules
}

/// Whether both are polled alike, if at all.
fn in_step(one: &Grant, other: &Grant) -> bool {
    match (one.poll(), other.poll()) {
        (Some(a), Some(b)) => a.period_ns.abs_diff(b.period_ns) * 10 <= a.period_ns,
        (one, other) => one == other,
    }
}

/// The words of `allow`.
pub(super) fn allow(grant: &Grant) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut add = |word: String| {
        if !words.contains(&word) {
            words.push(word);
        }
    };
    for key in grant.functions.keys() {
        add(word(grant, key));
    }
    if grant.reported > 0 {
        add("report".to_owned());
    }
    if grant.link {
        add("link".to_owned());
    }
    words
}

/// The function by its name; by its class where the name is a class; by its number where it has no name.
fn word(grant: &Grant, key: &FunctionKey) -> String {
    let name = profiles::function_name(grant.key.protocol, key.code, key.sub);
    match name {
        Some(name) if Action::from_name(name).is_none() => name.to_owned(),
        Some(_) => key.action.name().to_owned(),
        None => match key.sub {
            Some(sub) => format!("fc:{}/{sub}", key.code),
            None => format!("fc:{}", key.code),
        },
    }
}

/// Points as a rule writes them: one text a kind.
pub(super) fn points(ranges: &[PointRange]) -> Vec<String> {
    let mut texts: Vec<(parsers::PointKind, String)> = Vec::new();
    for range in ranges {
        let text = profiles::RangeText(*range).to_string();
        match (texts.last_mut(), text.split_once(' ')) {
            (Some((kind, all)), Some((_, addresses))) if *kind == range.kind() => {
                all.push_str(", ");
                all.push_str(addresses);
            }
            _ => texts.push((range.kind(), text)),
        }
    }
    texts.into_iter().map(|(_, text)| text).collect()
}

/// What a class of rules is called.
pub(super) fn verb(class: Class) -> &'static str {
    match class {
        Class::Reads => "reads",
        Class::Controls => "controls",
        Class::Upkeep => "maintains",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use parsers::PointKind;

    #[test]
    fn points_of_a_kind_stand_in_one_text() {
        let range = |kind, first, last| PointRange::new(kind, first, last);
        let ranges = [
            range(PointKind::Coil, 0, 7),
            range(PointKind::Coil, 10, 10),
            range(PointKind::HoldingRegister, 0, 99),
            PointRange::all(PointKind::FileRecord),
        ];
        assert_eq!(points(&ranges), ["coil 0-7, 10", "holding_register 0-99", "file_record"]);
    }
}
