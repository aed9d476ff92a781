//! TOML as a tree of values that know their place. It is our own, not the parser's, because templates make
//! values that stand in no file, and because a profile may be spread over several files.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use toml::value::Datetime;

/// A value and its place.
#[derive(Debug, Clone)]
pub(crate) struct At<T> {
    pub(crate) value: T,
    pub(crate) span: Range<usize>,
}

impl<T> At<T> {
    pub(crate) fn map<U>(&self, value: U) -> At<U> {
        At { value, span: self.span.clone() }
    }
}

/// A value of the file.
pub(crate) type Node = At<Tree>;

/// What a value is.
#[derive(Debug, Clone)]
pub(crate) enum Tree {
    Text(String),
    /// `None`: beyond 64 bits.
    Whole(Option<i64>),
    Fraction(f64),
    Flag(bool),
    Date(Datetime),
    List(Vec<Node>),
    Table(Table),
}

impl Tree {
    /// What it is, in the words of an engineer.
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Tree::Text(_) => "text",
            Tree::Whole(_) => "a number",
            Tree::Fraction(_) => "a number with a fraction",
            Tree::Flag(_) => "true or false",
            Tree::Date(_) => "a date",
            Tree::List(_) => "a list",
            Tree::Table(_) => "a table",
        }
    }

    /// Values in it, itself counted.
    fn count(&self) -> usize {
        match self {
            Tree::List(items) => 1 + items.iter().map(|item| item.value.count()).sum::<usize>(),
            Tree::Table(table) => 1 + table.count(),
            _ => 1,
        }
    }

    pub(crate) fn as_text(&self) -> Option<&str> {
        match self {
            Tree::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// Keys and values in the order of the file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Table {
    pub(crate) entries: Vec<(At<String>, Node)>,
}

impl Table {
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.entries.iter().find(|(name, _)| name.value == key).map(|(_, node)| node)
    }

    /// Values in it, those within others too.
    pub(crate) fn count(&self) -> usize {
        self.entries.iter().map(|(_, node)| node.value.count()).sum()
    }
}

/// The tree of a parsed file whose first character has the offset `base`.
pub(crate) fn table(parsed: &DeTable<'_>, base: usize) -> Table {
    let entry = |(key, value): (&Spanned<std::borrow::Cow<'_, str>>, &Spanned<DeValue<'_>>)| {
        (At { value: key.get_ref().to_string(), span: moved(key.span(), base) }, node(value, base))
    };
    let mut entries: Vec<_> = parsed.iter().map(entry).collect();
    entries.sort_by_key(|(key, _)| key.span.start);
    Table { entries }
}

fn moved(span: Range<usize>, by: usize) -> Range<usize> {
    span.start + by..span.end + by
}

fn node(value: &Spanned<DeValue<'_>>, base: usize) -> Node {
    let tree = match value.get_ref() {
        DeValue::String(text) => Tree::Text(text.to_string()),
        DeValue::Integer(number) => Tree::Whole(i64::from_str_radix(number.as_str(), number.radix()).ok()),
        DeValue::Float(number) => Tree::Fraction(number.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Boolean(flag) => Tree::Flag(*flag),
        DeValue::Datetime(date) => Tree::Date(*date),
        DeValue::Array(items) => Tree::List(items.iter().map(|item| node(item, base)).collect()),
        DeValue::Table(inner) => Tree::Table(table(inner, base)),
    };
    At { value: tree, span: moved(value.span(), base) }
}
