//! Errors of TOML itself, in the words of an engineer.

use std::cell::OnceCell;
use std::ops::Range;

use toml::de::Error;
use toml_parser::parser::{Event, EventKind, parse_document};

use crate::reporter::Reporter;

/// How many errors before one are looked at for the same one.
const NEAR: usize = 100;

/// Report what the TOML parser found. `forms` says how lists and sections are written in such a file. False if the
/// rest of the file cannot be made sense of; a name that is defined twice does not hinder the other checks.
pub fn report(text: &str, forms: &str, errors: &[Error], reporter: &mut Reporter<'_>) -> bool {
    report_at(text, 0, forms, errors, reporter)
}

/// The same for a file whose first character has the offset `base`.
pub fn report_at(
    text: &str,
    base: usize,
    forms: &str,
    errors: &[Error],
    reporter: &mut Reporter<'_>,
) -> bool {
    let mut understandable = true;
    // Where the section ends that stands there a second time: of its keys nothing more is to be said.
    let mut again = 0;
    let headers = OnceCell::new();
    for (place, error) in errors.iter().enumerate() {
        if reporter.is_full() && !understandable {
            break;
        }
        // The parser tells of some errors twice, one soon after the other.
        let same = |other: &Error| other.span() == error.span() && other.message() == error.message();
        if errors.get(place.saturating_sub(NEAR)..place).unwrap_or(&[]).iter().any(same) {
            continue;
        }
        let local = error.span().unwrap_or(text.len()..text.len());
        let span = local.start + base..local.end + base;
        if error.message() == "duplicate key" {
            if local.start < again {
                continue;
            }
            let name = text.get(local.clone()).unwrap_or("");
            let headers: &Vec<Range<usize>> = headers.get_or_init(|| headers_of(text));
            let next = headers.partition_point(|header| header.start <= local.start);
            let own = next.checked_sub(1).and_then(|own| headers.get(own));
            let help = if own.is_some_and(|header| local.start < header.end) {
                again = headers.get(next).map_or(text.len(), |header| header.start);
                "give one of them another name, or put both into one"
            } else {
                "take one of them out"
            };
            reporter
                .error(&span, format!("`{name}` is defined twice"))
                .label("defined here again")
                .help(help);
        } else {
            understandable = false;
            let found = reporter.error(&span, format!("not TOML: {}", error.message()));
            if let Some(what) = error.message().strip_prefix("invalid date, expected ") {
                found
                    .label(format!("there is no such day: {what}"))
                    .help("write a date as 2027-01-31, without quotes");
                continue;
            } else if let Some(word) = unquoted(text, local.start) {
                found.label(format!("text stands in quotes: \"{word}\""));
            } else if let Some(header) = unquoted_header(text, local.start) {
                found.label(format!("such a name stands in quotes: {header}"));
            }
            found.help(forms);
            if ["unclosed", "missing comma"].iter().any(|open| error.message().starts_with(open)) {
                // What follows an open bracket is read as part of it; its errors are only echoes.
                break;
            }
        }
    }
    understandable
}

/// Where the headers of sections stand, from the first bracket to the last, in the order of the text. A bracket at
/// the beginning of a line may as well belong to a list of several lines or to a text.
fn headers_of(text: &str) -> Vec<Range<usize>> {
    let tokens = toml_parser::Source::new(text).lex().into_vec();
    let mut headers: Vec<Range<usize>> = Vec::new();
    let mut found = |event: Event| match event.kind() {
        EventKind::StdTableOpen | EventKind::ArrayTableOpen => {
            headers.push(event.span().start()..event.span().end());
        }
        EventKind::StdTableClose | EventKind::ArrayTableClose => {
            if let Some(header) = headers.last_mut() {
                header.end = event.span().end();
            }
        }
        _ => {}
    };
    parse_document(&tokens, &mut found, &mut ());
    headers
}

/// The whole word around a place behind an equals sign or in a list, if it looks like text without quotes.
fn unquoted(text: &str, at: usize) -> Option<&str> {
    let ends = |c: char| c.is_whitespace() || "=,[]{}#\"'".contains(c);
    let before = text.get(..at)?;
    let start = before.rfind(ends).map_or(0, |i| i + before[i..].chars().next().map_or(1, char::len_utf8));
    let word = text.get(start..)?.split(ends).next()?;
    let lead = before.get(..start)?.trim_end_matches([' ', '\t']);
    let is_value = lead.ends_with(['=', ',']) || (lead.ends_with('[') && current_line(lead).contains('='));
    (is_value && !word.is_empty()).then_some(word)
}

fn current_line(text: &str) -> &str {
    text.rsplit('\n').next().unwrap_or(text)
}

/// `[stations.FDR 12]` as it should have been written, if the place is behind the space of such a header.
fn unquoted_header(text: &str, at: usize) -> Option<String> {
    let start = text.get(..at)?.rfind('\n').map_or(0, |i| i + 1);
    let line = text.get(start..)?.lines().next()?.trim();
    let inner = line.strip_prefix('[')?.strip_suffix(']')?;
    let (section, name) = inner.split_once('.')?;
    // The last part of a longer one, as in [templates.feeder.hosts.relay-{n}], is the name.
    let (before, name) = name
        .rsplit_once('.')
        .map_or((section.to_owned(), name), |(more, name)| (format!("{section}.{more}"), name));
    let bare = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    let known = |c: char| c.is_alphanumeric() || "-_ {}/:+()&#".contains(c);
    let to_quote =
        before.chars().all(|c| bare(c) || c == '.') && name.chars().all(known) && !name.chars().all(bare);
    to_quote.then(|| format!("[{before}.\"{name}\"]"))
}

#[cfg(test)]
mod tests {
    use toml::de::DeTable;

    use super::*;

    /// `LINE: message | help` of each error.
    fn told(text: &str) -> Vec<String> {
        let (_, errors) = DeTable::parse_recoverable(text);
        let mut reporter = Reporter::new(text, "f.toml");
        report(text, "so it is written", &errors, &mut reporter);
        let errors = reporter.into_diagnostics().errors;
        errors
            .iter()
            .map(|e| format!("{}: {} | {}", e.line, e.message, e.help.as_deref().unwrap_or("")))
            .collect()
    }

    const NAME: &str = "give one of them another name, or put both into one";
    const OUT: &str = "take one of them out";

    #[test]
    fn a_section_that_stands_twice_ends_at_the_next_header_however_it_is_indented() {
        let twice = format!("4: `b` is defined twice | {NAME}");
        let later = format!("8: `z` is defined twice | {OUT}");
        for header in ["[a.c]", "  [a.c]", "\t[[a.d]]", "[ a . c ] # x"] {
            let text = format!("[a.b]\nx = 1\ny = 2\n[a.b]\nx = 3\n{header}\nz = 1\nz = 2\n");
            assert_eq!(told(&text), [twice.clone(), later.clone()], "{header}");
        }
    }

    #[test]
    fn a_bracket_at_the_beginning_of_a_line_is_no_header_in_a_list_or_a_text() {
        for value in ["[\n[1],\n]", "\"\"\"\n[c]\n\"\"\"", "'''\n[[c]]\n'''"] {
            let text = format!("[a.b]\nx = 1\nz = 1\n[a.b]\ny = {value}\nx = 3\nz = 3\n");
            assert_eq!(told(&text), [format!("4: `b` is defined twice | {NAME}")], "{value}");
        }
        // Nor is a table in a list a section.
        assert_eq!(told("x = [\n[{ a = 1, a = 2 }],\n]\n"), [format!("2: `a` is defined twice | {OUT}")]);
        assert_eq!(told("x = [\n[{ a = 1,\na = 2 }],\n]\n"), [format!("3: `a` is defined twice | {OUT}")]);
    }

    #[test]
    fn how_sections_are_written_is_said_by_the_caller() {
        assert_eq!(
            told("a = b\n"),
            ["1: not TOML: string values must be quoted, expected literal string | so it is written"]
        );
    }
}
