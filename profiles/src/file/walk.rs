//! Values of a section by key, each with the type it must have. What is wrong is reported here, so that
//! a reader gets the value or nothing.

use std::ops::Range;

use toml::value::Datetime;

use super::{At, Number};
use crate::language::{MAY_BE_EMPTY, Section as Kind};
use crate::tree::{Node, Table, Tree};
use crate::units::{self, Rate};
use diagnostics::Diagnostic;
use diagnostics::Reporter;

/// Keys that take any text: a number in quotes is right for them.
const FREE_TEXTS: &[&str] = &["name", "version", "comment", "owner", "unit", "reference"];

/// A table with what it is called in errors.
pub(super) struct Section<'t> {
    /// "host `scada-a`"
    pub(super) what: String,
    pub(super) span: Range<usize>,
    pub(super) table: &'t Table,
    /// Keys that were meant by unknown ones: they are not missing as well.
    pub(super) meant: Vec<&'static str>,
}

pub(super) struct Walk<'r, 'a> {
    pub(super) reporter: &'r mut Reporter<'a>,
}

impl Walk<'_, '_> {
    /// Take `node` for a section of a kind; its unknown keys are reported.
    pub(super) fn section<'t>(
        &mut self,
        what: String,
        span: &Range<usize>,
        node: &'t Node,
        kind: &'static Kind,
    ) -> Option<Section<'t>> {
        let Tree::Table(table) = &node.value else {
            self.wrong_type(&node.span, &what, "a table", &node.value).help(format!(
                "{} has the keys: {}",
                kind.called,
                kind.listed()
            ));
            return None;
        };
        Some(self.section_of(what, span, table, kind))
    }

    pub(super) fn section_of<'t>(
        &mut self,
        what: String,
        span: &Range<usize>,
        table: &'t Table,
        kind: &'static Kind,
    ) -> Section<'t> {
        let mut section = Section { what, span: span.clone(), table, meant: Vec::new() };
        for (key, _) in &table.entries {
            let word = key.value.as_str();
            if kind.key_names().any(|known| known == word) {
                continue;
            }
            let meant = self.reporter.meant(word, kind.key_names());
            let error = self.reporter.error(&key.span, format!("unknown key `{word}` in {}", section.what));
            if let Some(meant) = meant {
                error.label(format!("did you mean `{meant}`?"));
                section.meant.push(meant);
            }
            error.help(format!("{} has the keys: {}", kind.called, kind.listed()));
        }
        section
    }

    /// The tables of `[hosts.NAME]` and the like, in the order of the file.
    pub(super) fn named<'t>(
        &mut self,
        table: &'t Table,
        key: &str,
        header: &str,
        example: &str,
    ) -> &'t [(At<String>, Node)] {
        let Some(node) = table.get(key) else { return &[] };
        let Tree::Table(inner) = &node.value else {
            self.wrong_type(&node.span, &format!("`{key}`"), "a table", &node.value).help(format!(
                "write every one as a section of its own:\n             [{header}]\n             {example}"
            ));
            return &[];
        };
        &inner.entries
    }

    /// The tables of `[[rules]]` and the like.
    pub(super) fn list_of<'t>(&mut self, table: &'t Table, key: &str) -> &'t [Node] {
        let Some(node) = table.get(key) else { return &[] };
        let Tree::List(items) = &node.value else {
            self.wrong_type(&node.span, &format!("`{key}`"), "a list of tables", &node.value)
                .help(format!("begin every {} with [[{key}]]", key.trim_end_matches('s')));
            return &[];
        };
        items
    }

    pub(super) fn wrong_type(
        &mut self,
        span: &Range<usize>,
        what: &str,
        expected: &str,
        found: &Tree,
    ) -> &mut Diagnostic {
        self.reporter.error(span, format!("{what} must be {expected}, not {}", found.type_name()))
    }

    fn wrong_value(
        &mut self,
        section: &Section<'_>,
        key: &str,
        expected: &str,
        node: &Node,
    ) -> &mut Diagnostic {
        self.wrong_type(&node.span, &format!("`{key}` of {}", section.what), expected, &node.value)
    }

    pub(super) fn missing(&mut self, section: &Section<'_>, key: &str, example: &str) {
        if section.meant.contains(&key) {
            return;
        }
        let message = format!("{} has no `{key}`", section.what);
        self.reporter.error(&section.span, message).label(format!("add {key} = {example}"));
    }

    pub(super) fn text(&mut self, section: &Section<'_>, key: &str) -> Option<At<String>> {
        let node = section.table.get(key)?;
        if let Tree::Text(text) = &node.value {
            return Some(node.map(text.clone()));
        }
        let error = self.wrong_value(section, key, "text", node);
        if let (Tree::Whole(Some(number)), true) = (&node.value, FREE_TEXTS.contains(&key)) {
            error.label(format!("write \"{number}\""));
        }
        None
    }

    /// One of a few words. That a number in quotes would be none of them is said at once.
    pub(super) fn word(&mut self, section: &Section<'_>, key: &str, words: &[&str]) -> Option<At<String>> {
        let node = section.table.get(key)?;
        if let Tree::Text(text) = &node.value {
            return Some(node.map(text.clone()));
        }
        let listed: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
        self.wrong_value(section, key, "a word", node).label(format!("write one of: {}", listed.join(", ")));
        None
    }

    pub(super) fn plain_text(&mut self, section: &Section<'_>, key: &str) -> Option<String> {
        self.text(section, key).map(|text| text.value)
    }

    pub(super) fn required_text(
        &mut self,
        section: &Section<'_>,
        key: &str,
        example: &str,
    ) -> Option<At<String>> {
        if section.table.get(key).is_none() {
            self.missing(section, key, example);
            return None;
        }
        let text = self.text(section, key)?;
        if text.value.trim().is_empty() {
            let message = format!("`{key}` of {} is empty", section.what);
            self.reporter.error(&text.span, message).label(format!("write {example}"));
            return None;
        }
        Some(text)
    }

    pub(super) fn flag(&mut self, section: &Section<'_>, key: &str) -> Option<At<bool>> {
        let node = section.table.get(key)?;
        if let Tree::Flag(flag) = node.value {
            return Some(node.map(flag));
        }
        self.wrong_value(section, key, "true or false", node).label("no quotes");
        None
    }

    /// A whole number, or "any" where that is said.
    pub(super) fn number(&mut self, section: &Section<'_>, key: &str, any: bool) -> Option<At<Number>> {
        let node = section.table.get(key)?;
        match &node.value {
            Tree::Whole(Some(number)) => return Some(node.map(Number::Is(*number))),
            Tree::Text(text) if any && text == "any" => return Some(node.map(Number::Any)),
            _ => {}
        }
        let expected = if any { "a number or \"any\"" } else { "a number" };
        let error = self.wrong_value(section, key, expected, node);
        if node.value.as_text().is_some_and(|text| text.parse::<i64>().is_ok()) {
            error.label("no quotes");
        }
        None
    }

    pub(super) fn wholes(&mut self, section: &Section<'_>, key: &str) -> Vec<At<i64>> {
        let Some(node) = section.table.get(key) else { return Vec::new() };
        let items = match &node.value {
            Tree::List(items) => items.as_slice(),
            Tree::Whole(Some(_)) => std::slice::from_ref(node),
            _ => {
                self.wrong_value(section, key, "a number, or a list of numbers", node);
                return Vec::new();
            }
        };
        if items.is_empty() {
            let message = format!("`{key}` of {} is empty", section.what);
            self.reporter
                .error(&node.span, message)
                .label(format!("name at least one, or leave `{key}` out"));
        }
        let mut numbers = Vec::with_capacity(items.len());
        for item in items {
            if let Tree::Whole(Some(number)) = item.value {
                numbers.push(item.map(number));
            } else {
                let what = format!("every item of `{key}` of {}", section.what);
                self.wrong_type(&item.span, &what, "a number", &item.value);
            }
        }
        numbers
    }

    pub(super) fn real(&mut self, section: &Section<'_>, key: &str) -> Option<At<f64>> {
        let node = section.table.get(key)?;
        if let Some(number) = real(node) {
            return Some(node.map(number));
        }
        self.wrong_value(section, key, "a number", node);
        None
    }

    /// `[lowest, highest]`
    pub(super) fn bounds(&mut self, section: &Section<'_>, key: &str) -> Option<At<(f64, f64)>> {
        let node = section.table.get(key)?;
        let pair = match &node.value {
            Tree::List(items) => match items.as_slice() {
                [low, high] => real(low).zip(real(high)),
                _ => None,
            },
            _ => None,
        };
        let Some((low, high)) = pair else {
            let message = format!("`{key}` of {} must be two numbers", section.what);
            self.reporter.error(&node.span, message).label("write [lowest, highest]");
            return None;
        };
        if low > high {
            let message = format!("`{key}` of {} ends before it starts", section.what);
            self.reporter.error(&node.span, message).label(format!("write [{high}, {low}]"));
            return None;
        }
        Some(node.map((low, high)))
    }

    /// A text with a unit.
    fn measured<T>(
        &mut self,
        section: &Section<'_>,
        key: &str,
        read: impl Fn(&str) -> Option<T>,
        example: &str,
    ) -> Option<At<T>> {
        let node = section.table.get(key)?;
        if let Some(value) = node.value.as_text().and_then(read) {
            return Some(node.map(value));
        }
        let what = format!("`{key}` of {}", section.what);
        match node.value.as_text() {
            Some(text) => self.reporter.error(&node.span, format!("{what} cannot be read: `{text}`")),
            None => self.wrong_type(&node.span, &what, "text with a unit", &node.value),
        }
        .label(format!("write it as in {example}"));
        None
    }

    pub(super) fn duration(&mut self, section: &Section<'_>, key: &str) -> Option<At<u64>> {
        self.measured(section, key, units::duration, "\"2 s\", \"10 min\" or \"1 h 30 min\"")
    }

    pub(super) fn percent(&mut self, section: &Section<'_>, key: &str) -> Option<At<f64>> {
        self.measured(section, key, units::percent, "\"50 %\"")
    }

    pub(super) fn rate(&mut self, section: &Section<'_>, key: &str) -> Option<At<Rate>> {
        self.measured(section, key, units::rate, "\"6 per minute\" or \"1 per 10 s\"")
    }

    /// A rate of change, in units a second.
    pub(super) fn change(&mut self, section: &Section<'_>, key: &str) -> Option<At<f64>> {
        let per_second = |text: &str| units::per_time(text).map(|(n, ns)| n * 1e9 / ns as f64);
        self.measured(section, key, per_second, "\"50 per second\"")
    }

    pub(super) fn date(&mut self, section: &Section<'_>, key: &str) -> Option<At<Datetime>> {
        let node = section.table.get(key)?;
        match &node.value {
            Tree::Date(date) if date.date.is_some() => return Some(node.map(*date)),
            // A template can only make texts.
            Tree::Text(text) => {
                if let Ok(date) = text.parse::<Datetime>()
                    && date.date.is_some()
                {
                    return Some(node.map(date));
                }
            }
            _ => {}
        }
        let label = "write 2027-01-31 or 2027-01-31T08:00:00Z, without quotes";
        match node.value.as_text() {
            // It looks like a date, but there is no such day.
            Some(text) if text.starts_with(|c: char| c.is_ascii_digit()) => {
                let said = match units::date_in_other_order(text) {
                    Some(date) => format!("the year stands first: write {date}, without quotes"),
                    None if units::begins_with_year(text) => "there is no such month, day or hour".to_owned(),
                    None => "a date is the year, the month and the day, with hyphens".to_owned(),
                };
                self.reporter
                    .error(&node.span, format!("`{key}` of {} is no date: `{text}`", section.what))
                    .label(said)
                    .help(label)
            }
            _ => self.wrong_value(section, key, "a date", node).label(label),
        };
        None
    }

    /// A list of text; one text may stand without brackets.
    pub(super) fn required_list(&mut self, section: &Section<'_>, key: &str) -> Vec<At<String>> {
        if section.table.get(key).is_none() {
            let example = match key {
                "address" => "\"10.0.0.5\" or [\"10.0.0.5\", \"10.0.1.0/28\"]",
                "from" | "hosts" => "[\"name of a host\"]",
                "to" => "[\"name of a station\"]",
                "operations" => "[\"restart\"]",
                "parameters" => "[\"n\"]",
                _ => "[\"read\"]",
            };
            self.missing(section, key, example);
        }
        self.list(section, key).unwrap_or_default()
    }

    pub(super) fn list(&mut self, section: &Section<'_>, key: &str) -> Option<Vec<At<String>>> {
        let node = section.table.get(key)?;
        let what = format!("`{key}` of {}", section.what);
        Some(self.texts(&what, key, node))
    }

    pub(super) fn texts(&mut self, what: &str, key: &str, node: &Node) -> Vec<At<String>> {
        let items = match &node.value {
            Tree::List(items) => items,
            Tree::Text(text) => return vec![node.map(text.clone())],
            other => {
                self.wrong_type(&node.span, what, "text, or a list of texts", other);
                return Vec::new();
            }
        };
        if items.is_empty() && !MAY_BE_EMPTY.contains(&key) {
            let remedy =
                if key == "points" { "leave `points` out to allow all points" } else { "name at least one" };
            self.reporter.error(&node.span, format!("{what} is empty")).label(remedy);
        }
        let mut texts = Vec::with_capacity(items.len());
        for item in items {
            if let Tree::Text(text) = &item.value {
                texts.push(item.map(text.clone()));
                continue;
            }
            let error = self.wrong_type(&item.span, &format!("every item of {what}"), "text", &item.value);
            let function = key == "allow" || key == "operations";
            if let Tree::Whole(Some(number)) = item.value
                && (!function || (0..=255).contains(&number))
            {
                let form = if function { "fc:" } else { "" };
                error.label(format!("write \"{form}{number}\""));
            }
        }
        texts
    }
}

fn real(node: &Node) -> Option<f64> {
    match node.value {
        Tree::Whole(Some(number)) => Some(number as f64),
        Tree::Fraction(number) if number.is_finite() => Some(number),
        _ => None,
    }
}
