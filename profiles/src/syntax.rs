//! Errors of TOML itself, in the words of an engineer.

use toml::de::Error;

use crate::diagnostics::Reporter;

/// Report what the TOML parser found. False if the rest of the file cannot be made sense of; a name that
/// is defined twice does not hinder the other checks.
pub(crate) fn report(text: &str, errors: &[Error], reporter: &mut Reporter<'_>) -> bool {
    let mut understandable = true;
    for error in errors {
        let span = error.span().unwrap_or(text.len()..text.len());
        if error.message() == "duplicate key" {
            let name = text.get(span.clone()).unwrap_or("");
            reporter
                .error(&span, format!("`{name}` is defined twice"))
                .label("defined here again")
                .help("give one of them another name, or put both into one");
        } else {
            understandable = false;
            let found = reporter.error(&span, format!("not TOML: {}", error.message()));
            if let Some(word) = unquoted(text, span.start) {
                found.label(format!("text stands in quotes: \"{word}\""));
            }
            found.help("lists stand in [ ], a section begins with [section.name], a rule with [[rules]]");
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
    let is_value = lead.ends_with(['=', ',']) || (lead.ends_with('[') && lead.contains('='));
    (is_value && !word.is_empty()).then_some(word)
}
