//! What `serde` says of a mistake, in the words of an engineer, with what to write instead.

use std::ops::Range;

use diagnostics::{Reporter, type_name};
use toml::Spanned;
use toml::de::DeValue;

use super::source::Step;

/// A mistake, as `serde` tells it.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Trouble<'m> {
    /// The key, and those that are known.
    UnknownKey(&'m str, Vec<&'m str>),
    Missing(&'m str),
    /// The word, and those that are known.
    UnknownWord(&'m str, Vec<&'m str>),
    /// What should stand there.
    Type(&'m str),
    /// A list of the wrong length; what should stand there.
    Length(&'m str),
    /// The number, and what should stand there.
    Bounds(&'m str, &'m str),
    Other(&'m str),
}

impl<'m> Trouble<'m> {
    pub(super) fn read(message: &'m str) -> Trouble<'m> {
        let mut quoted = message.split('`').skip(1).step_by(2);
        let mut first = || quoted.next().unwrap_or("");
        let expected = message.rsplit_once(", expected ").map_or("", |(_, expected)| expected);
        if message.starts_with("unknown field") {
            Trouble::UnknownKey(first(), quoted.collect())
        } else if message.starts_with("missing field") {
            Trouble::Missing(first())
        } else if message.starts_with("unknown variant") {
            Trouble::UnknownWord(first(), quoted.collect())
        } else if message.starts_with("invalid length") {
            Trouble::Length(expected)
        } else if message.starts_with("invalid type") {
            Trouble::Type(expected)
        } else if message.starts_with("invalid value") && !expected.is_empty() {
            Trouble::Bounds(first(), expected)
        } else {
            Trouble::Other(message)
        }
    }
}

/// A section as a file writes it, and the key in it.
fn section(path: &[Step]) -> String {
    let mut name = String::new();
    let mut number = None;
    for step in path {
        match step {
            Step::Key(key) => {
                if !name.is_empty() {
                    name.push('.');
                }
                name.push_str(key);
                number = None;
            }
            Step::Item(at) => number = Some(at + 1),
        }
    }
    match number {
        _ if name.is_empty() => "the file".to_owned(),
        Some(number) => format!("[[{name}]] {number}"),
        None => format!("[{name}]"),
    }
}

/// `kv` of [buses.A]
fn named(path: &[Step]) -> String {
    match path {
        [Step::Key(section)] => format!("`{section}`"),
        [parent @ .., Step::Key(key)] => format!("`{key}` of {}", section(parent)),
        [parent @ .., Step::Key(key), Step::Item(at)]
        | [parent @ .., Step::Key(key), Step::Item(at), Step::Item(_)]
            if !parent.is_empty() =>
        {
            format!("item {} of `{key}` of {}", at + 1, section(parent))
        }
        _ => section(path),
    }
}

/// What is expected, in words.
fn words(expected: &str) -> String {
    let whole = |most: &str| format!("a whole number from 0 to {most}");
    match expected {
        "f64" => "a number".to_owned(),
        "u8" => whole("255"),
        "u16" => whole("65535"),
        "u32" => whole("4294967295"),
        "usize" => "a whole number, not below 0".to_owned(),
        "i32" => "a whole number".to_owned(),
        "a boolean" => "true or false".to_owned(),
        "a string" | "a borrowed string" | "string or table" => "text in quotes".to_owned(),
        "IPv4 address" => "an address in quotes, such as \"10.0.0.1\"".to_owned(),
        "a sequence" => "a list in [ ]".to_owned(),
        "a map" => "a section".to_owned(),
        other if other.starts_with("struct ") => "a section or a table in { }".to_owned(),
        other if other.starts_with("a tuple of size 2") => {
            "a pair such as [\"09:00\", \"10 min\"]".to_owned()
        }
        other => other.to_owned(),
    }
}

/// Report it.
pub(super) fn tell(
    trouble: &Trouble<'_>,
    path: &[Step],
    value: Option<&Spanned<DeValue<'_>>>,
    place: &Range<usize>,
    reporter: &mut Reporter<'_>,
) {
    let parent = || section(path.split_last().map_or(&[][..], |(_, parent)| parent));
    match trouble {
        Trouble::UnknownKey(word, known) => {
            let home = parent();
            let what = if home == "the file" { "section" } else { "key" };
            let meant = reporter.meant(word, known.iter().copied());
            let error = reporter.error(place, format!("unknown {what} `{word}` in {home}"));
            if let Some(meant) = meant {
                error.label(format!("did you mean `{meant}`?"));
            }
            error.help(format!("{home} has the {what}s: {}", known.join(", ")));
        }
        Trouble::Missing(key) if path.is_empty() => {
            let error = reporter.error(&(0..0), format!("the section [{key}] is missing"));
            if *key == "site" {
                error.help("begin with\n             [site]\n             name = \"Yard\"\n             start = \"2026-06-15T00:00:00Z\"");
            }
        }
        Trouble::Missing(key) => {
            reporter
                .error(place, format!("{} has no `{key}`", section(path)))
                .label(format!("write `{key} = ...`"));
        }
        Trouble::UnknownWord(word, known) => {
            let meant = reporter.meant(word, known.iter().copied());
            let error = reporter.error(place, format!("{} cannot be \"{word}\"", named(path)));
            if let Some(meant) = meant {
                error.label(format!("did you mean \"{meant}\"?"));
            }
            error.help(format!("write one of: {}", known.join(", ")));
        }
        Trouble::Type(expected) => {
            let found = value.map_or("something else", |value| type_name(value.get_ref()));
            reporter
                .error(place, format!("{} cannot be {found}", named(path)))
                .label(format!("write {}", words(expected)));
        }
        Trouble::Length(expected) => {
            reporter
                .error(place, format!("{} has too many or too few items", named(path)))
                .label(format!("write {}", words(expected)));
        }
        Trouble::Bounds(number, expected) => {
            reporter
                .error(place, format!("{} is out of bounds: {number}", named(path)))
                .label(format!("write {}", words(expected)));
        }
        Trouble::Other("invalid IPv4 address syntax") => {
            reporter.error(place, format!("{} is no IPv4 address", named(path))).label("write \"10.0.0.1\"");
        }
        Trouble::Other(message) => {
            let (what, remedy) = message.split_once("; ").unwrap_or((message, ""));
            reporter.error(place, format!("{}: {what}", named(path))).label(remedy);
        }
    }
}
