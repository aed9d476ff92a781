//! Errors in a profile, told like a good compiler: where, what, and what to write instead.
//!
//! ```text
//! error: unknown key `adress` in host `scada-a`
//!   --> site.toml:6:1
//!    |
//!  6 | adress = "10.0.0.5"
//!    | ^^^^^^ did you mean `address`?
//!    = help: a host has the keys: address, comment
//! ```
//!
//! All errors of a file are collected before anything is shown.

use std::fmt;
use std::ops::Range;

/// Longest part of a source line that is shown, in characters.
const SHOWN_CHARS: usize = 120;
/// Characters shown in front of the error in a line that is cut.
const LEAD_CHARS: usize = 40;
/// What some editors put in front of a file; it is no character of the first line.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// One error.
#[derive(Debug, Clone, Eq, PartialEq)]
pub struct Diagnostic {
    /// What is wrong, in one line.
    pub message: String,
    /// Line, from 1; 0 when the error concerns the file as a whole.
    pub line: usize,
    /// Column in characters, from 1; 0 when the error concerns the file as a whole.
    pub column: usize,
    /// The offending octets of the file.
    pub span: Range<usize>,
    /// Text beside the underline: most often what to write instead. May be empty.
    pub label: String,
    /// What is allowed here, or how to mend it.
    pub help: Option<String>,
    /// Another place that matters, as "line 4: first defined here".
    pub note: Option<String>,
    source_line: String,
    indent: usize,
    underline: usize,
}

impl Diagnostic {
    /// An error that concerns a file as a whole (it cannot be read).
    fn of_file(message: String, help: &str) -> Diagnostic {
        Diagnostic {
            message,
            line: 0,
            column: 0,
            span: 0..0,
            label: String::new(),
            help: Some(help.to_owned()),
            note: None,
            source_line: String::new(),
            indent: 0,
            underline: 0,
        }
    }

    /// Set the text beside the underline.
    pub fn label(&mut self, text: impl Into<String>) -> &mut Diagnostic {
        self.label = text.into();
        self
    }

    /// Set what is allowed here, or how to mend it.
    pub fn help(&mut self, text: impl Into<String>) -> &mut Diagnostic {
        self.help = Some(text.into());
        self
    }

    fn render(&self, file: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "error: {}", self.message)?;
        if self.line == 0 {
            writeln!(f, "  --> {file}")?;
        } else {
            let number = self.line.to_string();
            let margin = " ".repeat(number.len());
            writeln!(f, " {margin}--> {file}:{}:{}", self.line, self.column)?;
            writeln!(f, " {margin} |")?;
            writeln!(f, " {number} | {}", self.source_line)?;
            let (indent, carets) = (" ".repeat(self.indent), "^".repeat(self.underline));
            writeln!(
                f,
                "{}",
                format_args!(" {margin} | {indent}{carets} {}", self.label).to_string().trim_end()
            )?;
        }
        let margin = " ".repeat(self.line.to_string().len());
        if let Some(note) = &self.note {
            writeln!(f, " {margin} = note: {note}")?;
        }
        if let Some(help) = &self.help {
            writeln!(f, " {margin} = help: {help}")?;
        }
        Ok(())
    }
}

/// Every error of one file, in the order of the file. Never empty.
#[derive(Debug, Clone, Eq, PartialEq)]
pub struct Diagnostics {
    /// The file, as it was named to [`crate::load`] or [`crate::parse`].
    pub file: String,
    /// The errors.
    pub errors: Vec<Diagnostic>,
}

impl Diagnostics {
    /// One error that concerns a file as a whole (it cannot be read).
    pub fn of_file(file: &str, message: String, help: &str) -> Diagnostics {
        Diagnostics { file: file.to_owned(), errors: vec![Diagnostic::of_file(message, help)] }
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for error in &self.errors {
            error.render(&self.file, f)?;
            writeln!(f)?;
        }
        let count = self.errors.len();
        write!(f, "{}: {count} error{}", self.file, if count == 1 { "" } else { "s" })
    }
}

impl std::error::Error for Diagnostics {}

/// Collects errors while a file is read. The sensor's configuration is read with it, too, so that both
/// files speak of their errors in the same way.
pub struct Reporter<'a> {
    text: &'a str,
    file: &'a str,
    line_starts: Vec<usize>,
    errors: Vec<Diagnostic>,
}

impl<'a> Reporter<'a> {
    /// For a file's text; `file` is how errors name it.
    pub fn new(text: &'a str, file: &'a str) -> Reporter<'a> {
        let newlines = text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(at, _)| at + 1);
        Reporter { text, file, line_starts: std::iter::once(0).chain(newlines).collect(), errors: Vec::new() }
    }

    /// Line number, from 1.
    pub(crate) fn line_of(&self, offset: usize) -> usize {
        self.line_starts.partition_point(|start| *start <= offset)
    }

    fn line_text(&self, line: usize) -> (usize, &'a str) {
        let start = self.line_starts.get(line.saturating_sub(1)).copied().unwrap_or(0);
        let end = self.line_starts.get(line).copied().unwrap_or(self.text.len());
        let text = self.text.get(start..end).unwrap_or("");
        let (start, text) = match text.strip_prefix(BYTE_ORDER_MARK) {
            Some(rest) => (start + BYTE_ORDER_MARK.len_utf8(), rest),
            None => (start, text),
        };
        (start, text.trim_end_matches(['\n', '\r']))
    }

    /// Add an error about the octets of `span`.
    pub fn error(&mut self, span: &Range<usize>, message: impl Into<String>) -> &mut Diagnostic {
        let line = self.line_of(span.start);
        let (start, text) = self.line_text(line);
        let before =
            text.get(..span.start.saturating_sub(start)).map_or(text.chars().count(), |s| s.chars().count());
        let inside =
            self.text.get(span.clone()).map_or(1, |s| s.lines().next().unwrap_or("").chars().count());
        let total = text.chars().count();
        let cut = if total > SHOWN_CHARS { before.saturating_sub(LEAD_CHARS) } else { 0 };
        // A control character in the file must not reach the terminal.
        let shown = text.chars().map(|c| {
            if c == '\t' {
                ' '
            } else if c.is_control() {
                '\u{fffd}'
            } else {
                c
            }
        });
        let shown: String = shown.skip(cut).take(SHOWN_CHARS).collect();
        let room = (cut + SHOWN_CHARS).saturating_sub(before).max(1);
        self.errors.push(Diagnostic {
            message: message.into(),
            line,
            column: before + 1,
            span: span.clone(),
            label: String::new(),
            help: None,
            note: None,
            source_line: shown.trim_end().to_owned(),
            indent: before - cut,
            underline: inside.max(1).min(room),
        });
        let last = self.errors.len() - 1;
        &mut self.errors[last]
    }

    /// Add an error that has to do with another place of the file too.
    pub fn error_with(
        &mut self,
        span: &Range<usize>,
        message: impl Into<String>,
        other: &Range<usize>,
        note: &str,
    ) -> &mut Diagnostic {
        let line = self.line_of(other.start);
        let error = self.error(span, message);
        error.note = Some(format!("line {line}: {note}"));
        error
    }

    /// Nothing has been reported so far.
    pub fn is_clean(&self) -> bool {
        self.errors.is_empty()
    }

    /// All errors, in the order of the file.
    pub fn into_diagnostics(mut self) -> Diagnostics {
        self.errors.sort_by_key(|e| (e.span.start, e.span.end));
        Diagnostics { file: self.file.to_owned(), errors: self.errors }
    }
}

/// The candidate that was probably meant, if one is near enough.
pub fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let fold = |s: &str| s.trim().to_lowercase().replace(['-', ' '], "_");
    let word = fold(word);
    let allowance = (word.chars().count() / 3).clamp(1, 4);
    candidates
        .into_iter()
        .map(|candidate| (distance(&word, &fold(candidate)), candidate))
        .filter(|(distance, _)| *distance <= allowance)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Edits (insert, delete, replace, swap of neighbours) from one word to the other.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(80).collect(), b.chars().take(80).collect());
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            rows[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
                let swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
                let best = replaced.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
                if swapped { best.min(rows[i - 2][j - 2] + 1) } else { best }
            };
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_finds_typing_errors_and_leaves_strangers_alone() {
        let words = ["read", "report", "write", "direct_operate"];
        assert_eq!(nearest("raed", words), Some("read"));
        assert_eq!(nearest("Direct-Operate", words), Some("direct_operate"));
        assert_eq!(nearest("wirte", words), Some("write"));
        assert_eq!(nearest("banana", words), None);
    }

    #[test]
    fn long_and_hostile_lines_are_cut_and_cleaned() {
        let text = format!("x = \"{}\x1b[31mbad\" y", "a".repeat(200));
        let mut reporter = Reporter::new(&text, "f.toml");
        let at = text.find("bad").unwrap_or(0);
        reporter.error(&(at..at + 3), "no").label("here");
        let shown = reporter.into_diagnostics().to_string();
        assert!(!shown.contains('\x1b'), "{shown}");
        assert!(shown.lines().all(|l| l.chars().count() < 140), "{shown}");
        assert!(shown.contains("f.toml:1:211"), "{shown}");
    }

    #[test]
    fn an_error_at_the_end_of_the_file_is_rendered() {
        let mut reporter = Reporter::new("a = 1\n", "f.toml");
        reporter.error(&(6..6), "something is missing");
        let shown = reporter.into_diagnostics().to_string();
        assert_eq!(
            shown,
            "error: something is missing\n  --> f.toml:2:1\n   |\n 2 | \n   | ^\n\nf.toml: 1 error"
        );
    }
}
