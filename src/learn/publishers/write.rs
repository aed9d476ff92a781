//! Publishers as TOML, new or beside those of an old profile.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use parsers::Host;
use profiles::Publisher;
use profiles::write::differences;

use super::super::decide::LeftOut;
use super::super::words::{FromTo, times};
use super::super::write::comment;
use super::Learnt;

/// Longest name that is made from a reference.
const NAME_CHARS: usize = 90;

/// Sections `[publishers.NAME]`, under names that are not `taken` (in small letters).
pub(in crate::learn) fn sections(text: &mut String, learned: &[Learnt], mut taken: BTreeSet<String>) {
    for publisher in learned {
        let plain = name(&publisher.block);
        let mut name = plain.clone();
        for number in 2.. {
            // Names must differ in more than case.
            if taken.insert(name.to_lowercase()) {
                break;
            }
            name = format!("{plain}-{number}");
        }
        section(text, &name, publisher);
    }
}

/// A name that is made from a reference: `BAY1-LLN0-GO-gcb1` for `BAY1/LLN0$GO$gcb1`.
#[must_use]
pub fn name(block: &str) -> String {
    let words: Vec<&str> = block
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
        .collect();
    let name: String = words.join("-").chars().take(NAME_CHARS).collect();
    let name = name.trim_matches('-');
    if name.is_empty() { "publisher".to_owned() } else { name.to_owned() }
}

fn section(text: &mut String, name: &str, own: &Learnt) {
    text.push('\n');
    let seen = &own.seen;
    _ = writeln!(text, "# {}, {}", times(seen.count), FromTo(seen.first, seen.last));
    own.remarks.iter().for_each(|remark| comment(text, "# REVIEW: ", remark));
    own.comments.iter().for_each(|line| comment(text, "#   ", line));
    profiles::write::publisher(text, &of(name, own));
}

/// A publisher as a profile has it.
fn of(name: &str, own: &Learnt) -> Publisher {
    Publisher {
        name: name.to_owned(),
        control_block: own.block.clone(),
        application: Some(own.application),
        source: vec![own.source],
        destination: Some(own.destination),
        vlan: own.vlan,
        data_set: own.data_set.clone(),
        identifier: own.identifier.clone(),
        revision: own.revision,
        entries: own.entries,
        subscribers: Vec::new(),
        simulation: false,
        comment: None,
    }
}

/// Take out what an old profile has already: how many of them it knows as they are. Those that it has in another way
/// are told and not added, since a control block has one publisher.
pub(in crate::learn) fn merge(
    learned: &mut Vec<Learnt>,
    left: &mut Vec<LeftOut>,
    old: &[Publisher],
) -> usize {
    let mut known = 0;
    learned.retain(|own| {
        let mut same = old.iter().filter(|other| other.control_block == own.block).peekable();
        let Some(first) = same.peek().copied() else { return true };
        if same.any(|other| differs(other, own).is_none()) {
            known += 1;
        } else if let Some(what) = differs(first, own) {
            left.push(LeftOut {
                client: Host::Mac(own.source),
                what: format!(
                    "published '{}', but the profile's publisher '{}' has {what}",
                    own.block, first.name
                ),
                count: own.seen.count,
                first: own.seen.first,
                last: own.seen.last,
            });
        }
        false
    });
    known
}

/// The first thing that the profile says otherwise, in words. What it leaves open is none.
fn differs(old: &Publisher, own: &Learnt) -> Option<String> {
    differences(old, &of("", own)).into_iter().find_map(|difference| {
        Some(format!("{} = {} and not {}", difference.key, difference.ours?, difference.theirs))
    })
}
