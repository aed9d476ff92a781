//! Errors of TOML itself, in the words of an engineer.

use toml::de::Error;

use crate::reporter::Reporter;

/// How many errors before one are looked at for the same one.
const NEAR: usize = 100;

/// Report what the TOML parser found. False if the rest of the file cannot be made sense of; a name that
/// is defined twice does not hinder the other checks.
pub fn report(text: &str, errors: &[Error], reporter: &mut Reporter<'_>) -> bool {
    report_at(text, 0, errors, reporter)
}

/// The same for a file whose first character has the offset `base`.
pub fn report_at(text: &str, base: usize, errors: &[Error], reporter: &mut Reporter<'_>) -> bool {
    let mut understandable = true;
    // Where the section ends that stands there a second time: of its keys nothing more is to be said.
    let mut again = 0;
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
            let head = text.get(..local.start).unwrap_or("");
            let help = if current_line(head).trim_start().starts_with('[') {
                let rest = text.get(local.start..).unwrap_or("");
                again = rest.find("\n[").map_or(text.len(), |end| local.start + end);
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
            found.help("lists stand in [ ], a section begins with [section.name], a rule with [[rules]]");
            if ["unclosed", "missing comma"].iter().any(|open| error.message().starts_with(open)) {
                // What follows an open bracket is read as part of it; its errors are only echoes.
                break;
            }
        }
    }
    understandable
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
