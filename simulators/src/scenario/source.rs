//! A file as a tree whose values know their places, and from there to typed sections: all mistakes of a file at
//! once, in the form in which profiles tell theirs.
//!
//! `serde` stops at the first mistake. So what it stumbled over is taken out of the tree, and it is asked again.

use std::ops::Range;

use diagnostics::{Diagnostic, Reporter};
use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue, Deserializer};

use super::wording::{self, Trouble};

/// Largest file that is read, in octets.
pub(crate) const MAX_FILE_BYTES: u64 = 4 << 20;
/// Most names that an error lists.
const MAX_LISTED: usize = 20;

/// One step on the way to a value.
#[derive(Debug, Clone, Eq, PartialEq)]
pub(super) enum Step {
    Key(String),
    Item(usize),
}

/// A file and its mistakes so far.
pub(crate) struct Source<'a> {
    pub(crate) reporter: Reporter<'a>,
    pub(super) root: DeTable<'a>,
}

impl<'a> Source<'a> {
    /// False beside the mistakes: it is no TOML. `forms` says how lists and sections are written in such a file.
    pub(crate) fn read(text: &'a str, file: &'a str, forms: &str) -> (Source<'a>, bool) {
        let mut reporter = Reporter::new(text, file);
        let (root, errors) = DeTable::parse_recoverable(text);
        let sound = diagnostics::report_syntax(text, forms, &errors, &mut reporter);
        (Source { reporter, root: root.into_inner() }, sound)
    }

    /// The whole file as a type; `None` when something was wrong but unknown keys.
    pub(crate) fn typed<T: DeserializeOwned>(&mut self) -> Option<T> {
        let mut rest = self.root.clone();
        let mut sound = true;
        // Keys that were taken out of tables: that they are missing is no news.
        let mut taken: Vec<(Range<usize>, String)> = Vec::new();
        while !self.reporter.is_full() {
            let whole = Deserializer::from(Spanned::new(0..0, rest.clone()));
            let error = match T::deserialize(whole) {
                Ok(value) => return sound.then_some(value),
                Err(error) => error,
            };
            let trouble = Trouble::read(error.message());
            let place = error.span().unwrap_or(0..0);
            let path = path_of(&rest, &place).unwrap_or_default();
            let known = matches!(&trouble, Trouble::Missing(key) if taken.contains(&(place.clone(), (*key).to_owned())));
            if !known {
                // Items are counted as they stand in the file.
                let written = path_of(&self.root, &place).unwrap_or_default();
                wording::tell(&trouble, &written, value_at(&self.root, &written), &place, &mut self.reporter);
            }
            sound &= matches!(trouble, Trouble::UnknownKey(..));
            let (last, parent) = path.split_last()?;
            match last {
                Step::Key(key) => {
                    taken.push((value_at(&rest, parent).map_or(0..0, Spanned::span), key.clone()));
                }
                // A pair is nothing without one of its two.
                Step::Item(_) if matches!(parent.last(), Some(Step::Item(_))) => {
                    remove(&mut rest, parent);
                    continue;
                }
                Step::Item(_) => {}
            }
            remove(&mut rest, &path);
        }
        None
    }

    /// Where something stands: keys, and numbers of items. What is left out is looked for at what has it not.
    pub(crate) fn place(&self, path: &[&str]) -> Range<usize> {
        let Some((first, rest)) = path.split_first() else { return 0..0 };
        let Some((_, mut value)) = self.root.get_key_value(*first) else { return 0..0 };
        for step in rest {
            let next = match value.get_ref() {
                DeValue::Table(table) => table.get(*step),
                DeValue::Array(items) => step.parse::<usize>().ok().and_then(|at| items.get(at)),
                _ => None,
            };
            let Some(next) = next else { break };
            value = next;
        }
        value.span()
    }

    /// A mistake at a place.
    pub(crate) fn error(&mut self, path: &[&str], message: String) -> &mut Diagnostic {
        let place = self.place(path);
        self.reporter.error(&place, message)
    }

    /// A name of something that is not there; `what` are the things it could be.
    pub(crate) fn stranger<'c>(
        &mut self,
        path: &[&str],
        message: String,
        word: &str,
        what: &str,
        there: impl Iterator<Item = &'c str> + Clone,
    ) {
        let meant = self.reporter.meant(word, there.clone());
        let names: Vec<&str> = there.clone().take(MAX_LISTED).collect();
        let more = if there.count() > MAX_LISTED { ", ..." } else { "" };
        let error = self.error(path, message);
        if let Some(meant) = meant {
            error.label(format!("did you mean `{meant}`?"));
        }
        if names.is_empty() {
            error.help(format!("there are no {what}"));
        } else {
            error.help(format!("the {what} are: {}{more}", names.join(", ")));
        }
    }
}

/// The way to the key or value that stands at a place.
fn path_of(root: &DeTable<'_>, place: &Range<usize>) -> Option<Vec<Step>> {
    for (key, value) in root {
        let step = || Step::Key(key.get_ref().to_string());
        if key.span() == *place {
            return Some(vec![step()]);
        }
        if let Some(mut path) = within(value, place) {
            path.insert(0, step());
            return Some(path);
        }
    }
    None
}

fn within(value: &Spanned<DeValue<'_>>, place: &Range<usize>) -> Option<Vec<Step>> {
    if value.span() == *place {
        return Some(Vec::new());
    }
    match value.get_ref() {
        DeValue::Table(table) => path_of(table, place),
        DeValue::Array(items) => items.iter().enumerate().find_map(|(at, item)| {
            let mut path = within(item, place)?;
            path.insert(0, Step::Item(at));
            Some(path)
        }),
        _ => None,
    }
}

fn value_at<'v, 'a>(root: &'v DeTable<'a>, path: &[Step]) -> Option<&'v Spanned<DeValue<'a>>> {
    let (Step::Key(first), rest) = path.split_first()? else { return None };
    let mut value = root.get(first.as_str())?;
    for step in rest {
        value = match (value.get_ref(), step) {
            (DeValue::Table(table), Step::Key(key)) => table.get(key.as_str())?,
            (DeValue::Array(items), Step::Item(at)) => items.get(*at)?,
            _ => return None,
        };
    }
    Some(value)
}

fn remove(root: &mut DeTable<'_>, path: &[Step]) {
    let (Some((Step::Key(first), rest)), mut value) = (path.split_first(), None::<&mut DeValue<'_>>) else {
        return;
    };
    let Some((last, middle)) = rest.split_last() else {
        root.remove(first.as_str());
        return;
    };
    if let Some(found) = root.get_mut(first.as_str()) {
        value = Some(found.get_mut());
    }
    for step in middle {
        value = match (value, step) {
            (Some(DeValue::Table(table)), Step::Key(key)) => {
                table.get_mut(key.as_str()).map(Spanned::get_mut)
            }
            (Some(DeValue::Array(items)), Step::Item(at)) => items.get_mut(*at).map(Spanned::get_mut),
            _ => None,
        };
    }
    match (value, last) {
        (Some(DeValue::Table(table)), Step::Key(key)) => drop(table.remove(key.as_str())),
        (Some(DeValue::Array(items)), Step::Item(at)) => {
            let all = std::mem::replace(items, DeArray::new());
            for (_, item) in all.into_iter().enumerate().filter(|(place, _)| place != at) {
                items.push(item);
            }
        }
        _ => {}
    }
}
