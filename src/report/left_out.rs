//! What the kinds of findings have to do with the detection catalogue beyond their ids: why some share one, and
//! which entries have no kind of their own.

use std::fmt::Write as _;
use std::sync::OnceLock;

use serde::Deserialize;

/// Ids that several kinds share, and why one entry of the catalogue is more than one kind here.
pub(crate) const SHARED: &[(&str, &str)] = &[
    (
        "POL-01",
        "Both are operations that must not be: one that no rule allows, and one that a `deny` rule forbids.",
    ),
    ("POL-02", "Either side of a pair may be the one that the profile does not know."),
    (
        "POL-18",
        "All three tell when an allowed operation may come: at which times, how often, until which end of the work.",
    ),
    ("CNF-02", "What the standard does not define is a function or, in DNP3, an object."),
    ("TIM-01", "Another rhythm of the same polls: slower or faster, or twice."),
    ("TIM-02", "What is missing is all polling of a station, or one poll of several."),
    ("TIM-05", "A burst is told by its rate; where nothing answers, by what is left unanswered."),
    ("VAL-01", "A value beyond its limits was read, or written."),
    ("TOP-07", "Attacks on the network below IP: frames with another VLAN's tag, or a flood of addresses."),
    ("TOP-08", "A device that only answered begins to command another, or talks to another in any protocol."),
    ("REC-03", "A sweep over stations behind one host, or over the hosts themselves."),
    (
        "SEQ-12",
        "A restart that nobody announced: a station tells it by its indications, a publisher by its numbers.",
    ),
    ("GO-01", "A second speaker is known by its address, or by what it says where it forges the address."),
];

/// An entry of the catalogue without a kind of its own.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    id: String,
    title: String,
    state: State,
    why: String,
}

/// How far it is told all the same.
#[derive(Debug, Copy, Clone, Deserialize)]
#[serde(rename_all = "snake_case")]
enum State {
    /// By another kind, an event or a metric.
    Elsewhere,
    /// Some of it.
    Partly,
    /// Not at all.
    Absent,
}

impl State {
    fn words(self) -> &'static str {
        match self {
            State::Elsewhere => "told elsewhere",
            State::Partly => "told in part",
            State::Absent => "not told",
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    entry: Vec<Entry>,
}

fn entries() -> &'static [Entry] {
    static TABLE: OnceLock<File> = OnceLock::new();
    // The text is part of the program and read by a test, so this cannot fail at a user's.
    &TABLE.get_or_init(|| toml::from_str(include_str!("left_out.toml")).unwrap_or_default()).entry
}

/// Why kinds share ids, as a section of the document.
pub(crate) fn shared() -> String {
    let mut text = String::from(
        "\nThe name of a kind is unique; its id is that of an entry of the detection catalogue, and says which kinds \
         belong\ntogether. A quirk or a filter with an id concerns all of them, one with a name that kind alone. \
         These ids stand for\nseveral kinds:\n\n| id | why |\n|---|---|\n",
    );
    for (id, why) in SHARED {
        let _ = writeln!(text, "| {id} | {why} |");
    }
    text
}

/// What has no kind, as a section of the document.
pub(crate) fn markdown() -> String {
    let mut text = String::from(
        "\n## What the catalogue has beyond this\n\nEntries of the detection catalogue without a kind of finding of \
         their own, and why.\n\n| id | what | | why |\n|---|---|---|---|\n",
    );
    for Entry { id, title, state, why } in entries() {
        let _ = writeln!(text, "| {id} | {title} | {} | {why} |", state.words());
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::report::catalogue::CATALOGUE;

    /// The groups of the catalogue and how many entries each has.
    const GROUPS: &[(&str, u32)] = &[
        ("POL", 21),
        ("CNF", 10),
        ("SEQ", 20),
        ("TIM", 13),
        ("VAL", 15),
        ("TOP", 15),
        ("REC", 14),
        ("DEN", 14),
        ("CAP", 14),
        ("GO", 19),
    ];

    #[test]
    fn every_entry_of_the_catalogue_is_a_kind_or_is_listed() {
        let file: File = toml::from_str(include_str!("left_out.toml")).unwrap();
        let listed: Vec<&str> = file.entry.iter().map(|entry| entry.id.as_str()).collect();
        let groups =
            GROUPS.iter().flat_map(|(group, last)| (1..=*last).map(move |n| format!("{group}-{n:02}")));
        let all: Vec<String> = groups.collect();
        for id in &all {
            let is_kind = CATALOGUE.iter().any(|kind| kind.id() == id);
            let times = listed.iter().filter(|listed| *listed == id).count();
            assert_eq!(usize::from(is_kind) + times, 1, "{id}");
        }
        for id in listed.iter().copied().chain(CATALOGUE.iter().map(|kind| kind.id())) {
            assert!(
                all.iter().any(|known| known == id) || id == "CH-1",
                "{id} is in no group of the catalogue"
            );
        }
        for entry in entries() {
            assert!(entry.why.ends_with('.') && !entry.title.ends_with('.'), "{}", entry.id);
        }
    }

    #[test]
    fn ids_that_several_kinds_share_are_explained_and_no_others() {
        let shares = |id: &str| CATALOGUE.iter().filter(|kind| kind.id() == id).count() > 1;
        for kind in CATALOGUE {
            assert_eq!(shares(kind.id()), SHARED.iter().any(|(id, _)| *id == kind.id()), "{}", kind.id());
        }
        assert!(SHARED.iter().all(|(id, _)| shares(id)));
    }

    #[test]
    fn what_the_reasons_name_exists() {
        let words =
            entries().iter().flat_map(|entry| entry.why.split(|c: char| !(c.is_alphanumeric() || c == '-')));
        let ids = words.filter(|word| {
            GROUPS.iter().any(|(group, _)| word.strip_prefix(group).is_some_and(|rest| rest.starts_with('-')))
        });
        for id in ids {
            assert!(CATALOGUE.iter().any(|kind| kind.id() == id), "{id}");
        }
    }
}
