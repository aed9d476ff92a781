//! Learning: from traffic to a profile that an engineer reviews.
//!
//! ```text
//! Pipeline -> Learner            who asked whom for what, within limits      collect, pair, written
//!             -> Draft           what is ordinary, what is left out          decide
//!                -> Learned      as TOML, new or added to an old profile     rules, names, write
//! ```
//! Packet time drives it, nothing depends on chance: the same captures give the same text.

mod clock;
mod collect;
mod decide;
mod intervals;
mod limits;
mod merge;
mod names;
mod pair;
mod publishers;
mod rules;
mod values;
mod words;
mod write;
mod written;

use parsers::Timestamp;

pub use collect::Learner;
pub use decide::{Draft, Grant, LeftOut};
pub use merge::Merged;
pub use publishers::{Learnt, name as publisher_name};

/// What was learned, and from what.
#[derive(Debug)]
pub struct Learned {
    /// Name of the profile.
    pub name: String,
    /// The captures.
    pub sources: Vec<String>,
    /// Their packets.
    pub packets: u64,
    /// Operations in them.
    pub operations: u64,
    /// From when to when.
    pub span: (Timestamp, Timestamp),
    /// What was learned.
    pub draft: Draft,
    /// What an engineer should know of the learning itself.
    pub remarks: Vec<String>,
}

impl Learned {
    /// Decide what of it is ordinary.
    pub fn new(learner: &Learner, name: String, sources: Vec<String>, packets: u64) -> Learned {
        let draft = decide::decide(learner);
        let mut remarks = learner.overflow().lines();
        if learner.recovered > 0 {
            remarks.push(format!("{} operations behind lost octets were not looked at", learner.recovered));
        }
        if learner.misfits > 0 {
            remarks.push(format!(
                "{} operations whose length does not fit their type were not looked at",
                learner.misfits
            ));
        }
        if learner.unnamed > 0 {
            remarks.push(format!(
                "{} operations of hosts without an IP address were not looked at",
                learner.unnamed
            ));
        }
        for (backup, primary) in &draft.backups {
            remarks.push(format!(
                "{backup} came only while {primary} was silent, and did the same: learned as its backup. An \
                 attacker who silences a master and takes its place looks like this, too"
            ));
        }
        if draft.one_way > 0 {
            remarks.push(format!(
                "only one direction was seen of {} of client and station: whether these requests succeed is not known",
                names::number_of(draft.one_way, "pair")
            ));
        }
        Learned {
            name: fitting(&name),
            sources: sources.iter().map(|source| profiles::shown(source)).collect(),
            packets,
            operations: learner.operations,
            span: learner.clock().span(),
            draft,
            remarks,
        }
    }

    /// Whether anything was learned.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.draft.grants.is_empty() && self.draft.publishers.is_empty()
    }

    /// The profile as TOML.
    pub fn to_toml(&self) -> String {
        write::file(self)
    }

    /// Add to an old profile what it does not allow; its text stays as it is. `old` is what it says.
    #[must_use]
    pub fn merge_into(mut self, text: &str, old: &profiles::Profile) -> Merged {
        merge::merge(&mut self, text, old)
    }

    /// What was left out, one sentence each.
    pub fn left_out(&self) -> Vec<String> {
        self.draft.left_out.iter().map(write::left_out_line).collect()
    }
}

/// Longest name that is given, in characters: numbers that tell it from others still fit.
const NAME_CHARS: usize = 80;

/// A name as a profile may have it, made from any text: a file's, say.
fn fitting(name: &str) -> String {
    let shown: String = profiles::shown(name).trim().chars().take(NAME_CHARS).collect();
    let name = shown.trim();
    if name.is_empty() { "learned".to_owned() } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::fitting;

    #[test]
    fn any_text_becomes_a_name() {
        assert_eq!(fitting(" a\n[profile]\u{202e}b "), "a\u{fffd}[profile]\u{fffd}b");
        assert_eq!(fitting(" "), "learned");
        assert_eq!(fitting(&"x".repeat(500)).len(), 80);
    }
}
