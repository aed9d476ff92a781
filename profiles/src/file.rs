//! First layer: the TOML text as a walk over spanned tables. What comes out is a [`File`]: the right
//! keys with the right types, every value with its place. What the values mean is checked by
//! [`crate::check`]. The walk is by hand and not by `serde` derive because serde stops at the first
//! error, and an engineer wants all of them.
//!
//! A new section or key of the language is one entry in a key list and one line in its reader.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::diagnostics::{Reporter, nearest};
use crate::syntax;

/// A value and its place in the file.
#[derive(Debug, Clone)]
pub(crate) struct At<T> {
    pub(crate) value: T,
    pub(crate) span: Range<usize>,
}

/// What the file says, well typed but not yet understood.
#[derive(Debug, Default)]
pub(crate) struct File {
    pub(crate) name: Option<At<String>>,
    pub(crate) version: Option<At<String>>,
    pub(crate) hosts: Vec<HostEntry>,
    pub(crate) stations: Vec<StationEntry>,
    pub(crate) rules: Vec<RuleEntry>,
}

#[derive(Debug)]
pub(crate) struct HostEntry {
    pub(crate) name: At<String>,
    pub(crate) address: Vec<At<String>>,
    pub(crate) comment: Option<String>,
}

#[derive(Debug)]
pub(crate) struct StationEntry {
    pub(crate) name: At<String>,
    pub(crate) protocol: Option<At<String>>,
    pub(crate) host: Option<At<String>>,
    pub(crate) unit_id: Option<At<Number>>,
    pub(crate) link_address: Option<At<Number>>,
    pub(crate) port: Option<At<Number>>,
    pub(crate) comment: Option<String>,
}

#[derive(Debug)]
pub(crate) struct RuleEntry {
    pub(crate) name: At<String>,
    pub(crate) from: Vec<At<String>>,
    pub(crate) to: Vec<At<String>>,
    pub(crate) allow: Vec<At<String>>,
    /// `None`: all points.
    pub(crate) points: Option<Vec<At<String>>>,
    pub(crate) broadcast: bool,
    pub(crate) owner: Option<String>,
    pub(crate) comment: Option<String>,
}

/// An address of a station.
#[derive(Debug, Clone, Eq, PartialEq)]
pub(crate) enum Number {
    /// `"any"`.
    Any,
    /// A number, as written.
    Is(i64),
}

const FILE_KEYS: &[&str] = &["profile", "hosts", "stations", "rules"];

/// What a section is called in errors, and its keys.
type Kind = (&'static str, &'static [&'static str]);
const PROFILE: Kind = ("[profile]", &["name", "version", "comment"]);
const HOST: Kind = ("a host", &["address", "comment"]);
const STATION: Kind = ("a station", &["protocol", "host", "unit_id", "link_address", "port", "comment"]);
const RULE: Kind = ("a rule", &["name", "from", "to", "allow", "points", "broadcast", "owner", "comment"]);

/// Read the text. Errors go to the reporter; entries that are broken beyond use are left out.
pub(crate) fn read(text: &str, reporter: &mut Reporter<'_>) -> File {
    let (root, errors) = DeTable::parse_recoverable(text);
    let understandable = syntax::report(text, &errors, reporter);
    if !understandable {
        // What was recovered from broken TOML would only raise errors that are not there.
        return File::default();
    }
    let root_span = root.span();
    Walk { reporter }.file(root.get_ref(), &root_span)
}

/// A table with what it is called in errors.
struct Section<'t> {
    /// "host `scada-a`"
    what: String,
    /// "a host"
    kind: &'static str,
    span: Range<usize>,
    table: &'t DeTable<'t>,
    keys: &'static [&'static str],
}

struct Walk<'r, 'a> {
    reporter: &'r mut Reporter<'a>,
}

impl Walk<'_, '_> {
    fn file<'t>(&mut self, root: &'t DeTable<'t>, span: &Range<usize>) -> File {
        let whole = Section {
            what: "the file".to_owned(),
            kind: "a profile",
            span: span.clone(),
            table: root,
            keys: FILE_KEYS,
        };
        self.unknown_keys(&whole);
        let mut file = File::default();
        match root.get("profile") {
            Some(value) => self.profile(value, &mut file),
            None => {
                self.reporter.error(&(0..0), "the section [profile] is missing").help(
                    "begin the file with\n             [profile]\n             name = \"name of the site\"",
                );
            }
        }
        for (name, value) in self.named_tables(root, "hosts", "address = \"10.0.0.5\"") {
            if let Some(section) = self.section(format!("host `{}`", name.value), &name.span, value, HOST) {
                let entry = HostEntry {
                    address: self.required_list(&section, "address"),
                    comment: self.text(&section, "comment").map(|c| c.value),
                    name,
                };
                file.hosts.push(entry);
            }
        }
        for (name, value) in self.named_tables(root, "stations", "protocol = \"modbus\"") {
            if let Some(section) =
                self.section(format!("station `{}`", name.value), &name.span, value, STATION)
            {
                file.stations.push(self.station(name, &section));
            }
        }
        self.rules(root, &mut file);
        file
    }

    fn profile<'t>(&mut self, value: &'t Spanned<DeValue<'t>>, file: &mut File) {
        if let Some(section) = self.section("[profile]".to_owned(), &value.span(), value, PROFILE) {
            file.name = self.required_text(&section, "name", "\"name of the site\"");
            file.version = self.text(&section, "version");
            self.text(&section, "comment");
        }
    }

    fn station(&mut self, name: At<String>, section: &Section<'_>) -> StationEntry {
        StationEntry {
            protocol: self.required_text(section, "protocol", "\"modbus\" or \"dnp3\""),
            host: self.required_text(section, "host", "the name of a host, or an address"),
            unit_id: self.number(section, "unit_id"),
            link_address: self.number(section, "link_address"),
            port: self.number(section, "port"),
            comment: self.text(section, "comment").map(|c| c.value),
            name,
        }
    }

    fn rules<'t>(&mut self, root: &'t DeTable<'t>, file: &mut File) {
        let Some(value) = root.get("rules") else { return };
        let DeValue::Array(items) = value.get_ref() else {
            self.wrong_type(&value.span(), "`rules`", "a list of tables", value.get_ref())
                .help("begin every rule with [[rules]]");
            return;
        };
        for item in items {
            let what = match item.get_ref().get("name").and_then(|name| name.get_ref().as_str()) {
                Some(name) => format!("rule `{name}`"),
                None => "a rule".to_owned(),
            };
            let Some(section) = self.section(what, &item.span(), item, RULE) else { continue };
            let name = self.required_text(&section, "name", "\"what the rule is for\"");
            file.rules.push(RuleEntry {
                from: self.required_list(&section, "from"),
                to: self.required_list(&section, "to"),
                allow: self.required_list(&section, "allow"),
                points: section.table.get("points").map(|points| self.list(&section, "points", points)),
                broadcast: self.flag(&section, "broadcast"),
                owner: self.text(&section, "owner").map(|o| o.value),
                comment: self.text(&section, "comment").map(|c| c.value),
                name: name.unwrap_or(At { value: String::new(), span: item.span() }),
            });
        }
    }

    /// The tables of `[hosts.NAME]` and the like, in the order of the file.
    fn named_tables<'t>(
        &mut self,
        root: &'t DeTable<'t>,
        key: &str,
        example: &str,
    ) -> Vec<(At<String>, &'t Spanned<DeValue<'t>>)> {
        let Some(value) = root.get(key) else { return Vec::new() };
        let DeValue::Table(table) = value.get_ref() else {
            self.wrong_type(&value.span(), &format!("`{key}`"), "a table", value.get_ref()).help(format!(
                "write every one as a section of its own:\n             [{key}.NAME]\n             {example}"
            ));
            return Vec::new();
        };
        let mut entries: Vec<_> =
            table.iter().map(|(k, v)| (At { value: k.get_ref().to_string(), span: k.span() }, v)).collect();
        entries.sort_by_key(|(name, _)| name.span.start);
        entries
    }

    fn section<'t>(
        &mut self,
        what: String,
        span: &Range<usize>,
        value: &'t Spanned<DeValue<'t>>,
        (kind, keys): Kind,
    ) -> Option<Section<'t>> {
        let DeValue::Table(table) = value.get_ref() else {
            self.wrong_type(&value.span(), &what, "a table", value.get_ref())
                .help(format!("{kind} has the keys: {}", keys.join(", ")));
            return None;
        };
        let section = Section { what, kind, span: span.clone(), table, keys };
        self.unknown_keys(&section);
        Some(section)
    }

    fn unknown_keys(&mut self, section: &Section<'_>) {
        for (key, _) in section.table {
            let word: &str = key.get_ref();
            if section.keys.contains(&word) {
                continue;
            }
            let error = self.reporter.error(&key.span(), format!("unknown key `{word}` in {}", section.what));
            if let Some(meant) = nearest(word, section.keys.iter().copied()) {
                error.label(format!("did you mean `{meant}`?"));
            }
            error.help(format!("{} has the keys: {}", section.kind, section.keys.join(", ")));
        }
    }

    fn wrong_type(
        &mut self,
        span: &Range<usize>,
        what: &str,
        expected: &str,
        found: &DeValue<'_>,
    ) -> &mut crate::Diagnostic {
        let found = type_name(found);
        self.reporter.error(span, format!("{what} must be {expected}, not {found}"))
    }

    fn missing(&mut self, section: &Section<'_>, key: &str, example: &str) {
        let message = format!("{} has no `{key}`", section.what);
        self.reporter.error(&section.span, message).label(format!("add {key} = {example}"));
    }

    fn text(&mut self, section: &Section<'_>, key: &str) -> Option<At<String>> {
        let value = section.table.get(key)?;
        let span = value.span();
        match value.get_ref() {
            DeValue::String(text) => Some(At { value: text.to_string(), span }),
            other => {
                let what = format!("`{key}` of {}", section.what);
                let error = self.wrong_type(&span, &what, "text", other);
                if let DeValue::Integer(number) = other {
                    error.label(format!("write \"{number}\""));
                }
                None
            }
        }
    }

    fn required_text(&mut self, section: &Section<'_>, key: &str, example: &str) -> Option<At<String>> {
        if !section.table.contains_key(key) {
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

    fn flag(&mut self, section: &Section<'_>, key: &str) -> bool {
        let Some(value) = section.table.get(key) else { return false };
        if let DeValue::Boolean(flag) = value.get_ref() {
            return *flag;
        }
        let what = format!("`{key}` of {}", section.what);
        self.wrong_type(&value.span(), &what, "true or false", value.get_ref()).label("no quotes");
        false
    }

    fn number(&mut self, section: &Section<'_>, key: &str) -> Option<At<Number>> {
        let value = section.table.get(key)?;
        let span = value.span();
        let number = match value.get_ref() {
            DeValue::Integer(number) => {
                i64::from_str_radix(number.as_str(), number.radix()).ok().map(Number::Is)
            }
            DeValue::String(text) if text == "any" && key != "port" => Some(Number::Any),
            _ => None,
        };
        if number.is_none() {
            let what = format!("`{key}` of {}", section.what);
            let expected = if key == "port" { "a number" } else { "a number or \"any\"" };
            let error = self.wrong_type(&span, &what, expected, value.get_ref());
            if value.get_ref().as_str().is_some_and(|text| text.parse::<i64>().is_ok()) {
                error.label("no quotes");
            }
        }
        number.map(|value| At { value, span })
    }

    /// A list of text; one text may stand without brackets.
    fn required_list(&mut self, section: &Section<'_>, key: &str) -> Vec<At<String>> {
        let Some(value) = section.table.get(key) else {
            let example = match key {
                "address" => "\"10.0.0.5\" or [\"10.0.0.5\", \"10.0.1.0/28\"]",
                "from" => "[\"name of a host\"]",
                "to" => "[\"name of a station\"]",
                _ => "[\"read\"]",
            };
            self.missing(section, key, example);
            return Vec::new();
        };
        self.list(section, key, value)
    }

    fn list(&mut self, section: &Section<'_>, key: &str, value: &Spanned<DeValue<'_>>) -> Vec<At<String>> {
        let what = format!("`{key}` of {}", section.what);
        let items = match value.get_ref() {
            DeValue::Array(items) => items,
            DeValue::String(text) => return vec![At { value: text.to_string(), span: value.span() }],
            other => {
                self.wrong_type(&value.span(), &what, "text, or a list of texts", other);
                return Vec::new();
            }
        };
        if items.is_empty() {
            let remedy =
                if key == "points" { "leave `points` out to allow all points" } else { "name at least one" };
            self.reporter.error(&value.span(), format!("{what} is empty")).label(remedy);
        }
        let mut texts = Vec::with_capacity(items.len());
        for item in items {
            match item.get_ref() {
                DeValue::String(text) => texts.push(At { value: text.to_string(), span: item.span() }),
                other => {
                    let error =
                        self.wrong_type(&item.span(), &format!("every item of {what}"), "text", other);
                    if let DeValue::Integer(number) = other {
                        let form = if key == "allow" { "fc:" } else { "" };
                        error.label(format!("write \"{form}{number}\""));
                    }
                }
            }
        }
        texts
    }
}

/// What a value is, in the words of an engineer.
pub fn type_name(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) => "a number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
