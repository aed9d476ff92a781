//! Collects errors while files are read, and knows where in which file an offset is.
//!
//! Places are offsets in all files taken together, one behind the other, so that a place is one range of
//! numbers everywhere in this crate. An instance of a template has offsets of its own that stand for the
//! same text, so that its errors can say which instance they are about.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::ops::Range;

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::nearest::nearest;
use crate::text::shown_char;

/// Most words that are compared with a wrong one, all errors together, to say which was probably meant.
const MAX_GUESSES: usize = 300_000;
/// Errors, and warnings, that are told in full; further ones are counted.
const MAX_TOLD: usize = 1000;
/// Longest part of a source line that is shown, in characters.
const SHOWN_CHARS: usize = 120;
/// Characters shown in front of the error in a line that is cut.
const LEAD_CHARS: usize = 40;
/// What some editors put in front of a file; it is no character of the first line.
const BYTE_ORDER_MARK: char = '\u{feff}';

struct Source<'a> {
    file: Cow<'a, str>,
    text: Cow<'a, str>,
    line_starts: Vec<usize>,
}

impl<'a> Source<'a> {
    fn new(text: Cow<'a, str>, file: Cow<'a, str>) -> Source<'a> {
        let newlines = text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(at, _)| at + 1);
        let line_starts = std::iter::once(0).chain(newlines).collect();
        Source { file, text, line_starts }
    }

    /// Line number, from 1.
    fn line_of(&self, offset: usize) -> usize {
        self.line_starts.partition_point(|start| *start <= offset)
    }

    fn line_text(&self, line: usize) -> (usize, &str) {
        let start = self.line_starts.get(line.saturating_sub(1)).copied().unwrap_or(0);
        let end = self.line_starts.get(line).copied().unwrap_or(self.text.len());
        let text = self.text.get(start..end).unwrap_or("");
        let (start, text) = match text.strip_prefix(BYTE_ORDER_MARK) {
            Some(rest) => (start + BYTE_ORDER_MARK.len_utf8(), rest),
            None => (start, text),
        };
        (start, text.trim_end_matches(['\n', '\r']))
    }
}

/// A run of offsets: a file, or a file once more for an instance of a template.
struct Region {
    start: usize,
    source: usize,
    /// Which instance, in words.
    instance: Option<String>,
}

/// Quirks of stations, each with where it stands first, and how often it stands.
pub type Quirks = Vec<(String, Diagnostic, usize)>;

/// Collects errors. The sensor's configuration is read with it, too, so that both files speak of their
/// errors in the same way.
pub struct Reporter<'a> {
    sources: Vec<Source<'a>>,
    regions: Vec<Region>,
    end: usize,
    errors: Vec<Diagnostic>,
    warnings: Vec<Diagnostic>,
    /// Words compared with those that were probably meant, so far.
    guessed: Cell<usize>,
    /// Words that only the detections understand, each where it stands first, and how often it stands.
    quirks: BTreeMap<String, (Diagnostic, usize)>,
    /// Words that were looked for in the files, and whether they are there.
    mentioned: BTreeMap<&'static str, bool>,
    /// Errors and warnings beyond those that are told, and the place where the next one is written and lost.
    further: (usize, usize),
    lost: Diagnostic,
}

impl<'a> Reporter<'a> {
    /// For a file's text; `file` is how errors name it.
    pub fn new(text: &'a str, file: &'a str) -> Reporter<'a> {
        let mut reporter = Reporter::empty();
        reporter.add(Source::new(Cow::Borrowed(text), Cow::Borrowed(file)));
        reporter
    }

    fn empty() -> Reporter<'a> {
        Reporter {
            sources: Vec::new(),
            regions: Vec::new(),
            end: 0,
            errors: Vec::new(),
            warnings: Vec::new(),
            guessed: Cell::new(0),
            quirks: BTreeMap::new(),
            mentioned: BTreeMap::new(),
            further: (0, 0),
            lost: Diagnostic::default(),
        }
    }

    fn add(&mut self, source: Source<'a>) -> usize {
        let start = self.end;
        // One more, so that the place behind the last character is still in this file.
        self.end += source.text.len() + 1;
        self.regions.push(Region { start, source: self.sources.len(), instance: None });
        self.sources.push(source);
        start
    }

    /// Another file. Returns the offset that its first character has from now on.
    pub fn add_file(&mut self, text: &str, file: &str) -> usize {
        self.add(Source::new(Cow::Owned(text.to_owned()), Cow::Owned(file.to_owned())))
    }

    /// An instance of a template that stands at `span`: how far its offsets are from the template's.
    pub fn add_instance(&mut self, span: &Range<usize>, instance: String) -> usize {
        let (template, source) = self.region(span.start).map_or((0, 0), |r| (r.start, r.source));
        let start = self.end;
        self.end += self.sources.get(source).map_or(0, |s| s.text.len()) + 1;
        self.regions.push(Region { start, source, instance: Some(instance) });
        start - template
    }

    /// A known deviation of a station. Whether there is such a finding is not known here.
    pub fn quirk(&mut self, word: &str, span: &Range<usize>) {
        if let Some((_, count)) = self.quirks.get_mut(word) {
            *count += 1;
        } else if self.quirks.len() < MAX_TOLD {
            let diagnostic = self.diagnostic(span, String::new());
            self.quirks.insert(word.to_owned(), (Diagnostic { warning: true, ..diagnostic }, 1));
        }
    }

    /// Whether it is worth while to gather candidates for [`Reporter::meant`].
    pub fn can_guess(&self) -> bool {
        !self.is_full() && self.guessed.get() < MAX_GUESSES
    }

    /// The word that was probably meant by one of an error that is reported next. Looked for only while errors
    /// are told, and among so many words in all: each takes time.
    pub fn meant<'c>(&self, word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
        let guessed = &self.guessed;
        let candidates = candidates.into_iter().inspect(|_| guessed.set(guessed.get() + 1));
        let left = if self.can_guess() { MAX_GUESSES - guessed.get() } else { 0 };
        nearest(word, candidates.take(left))
    }

    /// Whether a word stands anywhere in the files read so far; looked for once.
    pub fn mentions(&mut self, word: &'static str) -> bool {
        let found = || self.sources.iter().any(|source| source.text.contains(word));
        *self.mentioned.entry(word).or_insert_with(found)
    }

    /// The files, with their texts.
    pub fn sources(&self) -> impl Iterator<Item = (&str, &str)> {
        self.sources.iter().map(|source| (source.file.as_ref(), source.text.as_ref()))
    }

    fn region(&self, offset: usize) -> Option<&Region> {
        let behind = self.regions.partition_point(|r| r.start <= offset);
        self.regions.get(behind.checked_sub(1)?)
    }

    /// "line 4", or "feeders.toml, line 4" for another file than that of `from`.
    pub fn place(&self, offset: usize, from: usize) -> String {
        let Some(region) = self.region(offset) else { return String::new() };
        let Some(source) = self.sources.get(region.source) else { return String::new() };
        let line = source.line_of(offset - region.start);
        match self.region(from) {
            Some(other) if other.source == region.source => format!("line {line}"),
            _ => format!("{}, line {line}", source.file),
        }
    }

    /// Add an error about the octets of `span`.
    pub fn error(&mut self, span: &Range<usize>, message: impl Into<String>) -> &mut Diagnostic {
        if self.is_full() {
            self.further.0 += 1;
            return &mut self.lost;
        }
        let diagnostic = self.diagnostic(span, message.into());
        self.errors.push(diagnostic);
        let last = self.errors.len() - 1;
        &mut self.errors[last]
    }

    /// Add a warning: it is allowed, but most likely not meant.
    pub fn warning(&mut self, span: &Range<usize>, message: impl Into<String>) -> &mut Diagnostic {
        if self.warnings.len() >= MAX_TOLD {
            self.further.1 += 1;
            return &mut self.lost;
        }
        let diagnostic = self.diagnostic(span, message.into());
        self.warnings.push(Diagnostic { warning: true, ..diagnostic });
        let last = self.warnings.len() - 1;
        &mut self.warnings[last]
    }

    fn diagnostic(&self, global: &Range<usize>, message: String) -> Diagnostic {
        let region = self.region(global.start);
        let (base, instance) = region.map_or((0, None), |r| (r.start, r.instance.clone()));
        let span = global.start.saturating_sub(base)..global.end.saturating_sub(base);
        let empty = Source::new(Cow::Borrowed(""), Cow::Borrowed(""));
        let source = region.and_then(|r| self.sources.get(r.source)).unwrap_or(&empty);
        let line = source.line_of(span.start);
        let (start, text) = source.line_text(line);
        let head = text.get(..span.start.saturating_sub(start)).unwrap_or(text);
        let before = head.chars().count();
        let inside = source.text.get(span.clone()).and_then(|s| s.lines().next());
        let inside = inside.map_or(1, |s| s.chars().take(SHOWN_CHARS).count());
        let long = text.chars().nth(SHOWN_CHARS).is_some();
        let cut = if long { before.saturating_sub(LEAD_CHARS) } else { 0 };
        // Counted back from the place: a line may be as long as the file.
        let lead = head.char_indices().rev().nth((before - cut).saturating_sub(1)).map_or(0, |(at, _)| at);
        let lead = if before == cut { head.len() } else { lead };
        let shown: String =
            text.get(lead..).unwrap_or("").chars().map(shown_char).take(SHOWN_CHARS).collect();
        let room = (cut + SHOWN_CHARS).saturating_sub(before).max(1);
        Diagnostic {
            message,
            file: source.file.clone().into_owned(),
            warning: false,
            line,
            column: before + 1,
            span: global.clone(),
            label: String::new(),
            help: None,
            note: instance,
            source_line: shown.trim_end().to_owned(),
            indent: before - cut,
            underline: inside.max(1).min(room),
        }
    }

    /// Add an error that has to do with another place of the text too.
    pub fn error_with(
        &mut self,
        span: &Range<usize>,
        message: impl Into<String>,
        other: &Range<usize>,
        note: &str,
    ) -> &mut Diagnostic {
        let place = if self.is_full() { String::new() } else { self.place(other.start, span.start) };
        let error = self.error(span, message);
        let note = format!("{place}: {note}");
        error.note = Some(match error.note.take() {
            Some(instance) => format!("{note}; {instance}"),
            None => note,
        });
        error
    }

    /// So many errors that no further one is told: what would only make it more precise can be spared.
    pub fn is_full(&self) -> bool {
        self.errors.len() >= MAX_TOLD
    }

    /// Nothing wrong has been reported so far.
    pub fn is_clean(&self) -> bool {
        self.errors.is_empty()
    }

    /// All errors and warnings, in the order of the text. An error that many instances of a template share
    /// stands there once.
    pub fn into_diagnostics(mut self) -> Diagnostics {
        let file = self.sources.first().map_or(String::new(), |s| s.file.clone().into_owned());
        let (errors, warnings) = (std::mem::take(&mut self.errors), std::mem::take(&mut self.warnings));
        let (errors, warnings) = (self.once(errors), self.once(warnings));
        Diagnostics { file, errors, warnings, further: self.further }
    }

    /// Only the warnings, in the order of the text, and the quirks.
    pub fn into_warnings(mut self) -> (Vec<Diagnostic>, Quirks) {
        let (warnings, quirks) = (std::mem::take(&mut self.warnings), std::mem::take(&mut self.quirks));
        let quirks =
            quirks.into_iter().map(|(word, (diagnostic, count))| (word, diagnostic, count)).collect();
        (self.once(warnings), quirks)
    }

    fn once(&self, mut list: Vec<Diagnostic>) -> Vec<Diagnostic> {
        list.sort_by_key(|e| (e.span.start, e.span.end));
        let mut kept: Vec<(Diagnostic, usize)> = Vec::with_capacity(list.len());
        let mut seen = std::collections::HashMap::new();
        for one in list {
            let instance = self.region(one.span.start).is_some_and(|r| r.instance.is_some());
            let place = (one.file.clone(), one.line, one.column);
            match seen.get(&place) {
                Some((region, at)) if instance && *region != self.region(one.span.start).map(|r| r.start) => {
                    let at: usize = *at;
                    if let Some((_, more)) = kept.get_mut(at) {
                        *more += 1;
                    }
                }
                _ => {
                    if instance {
                        seen.insert(place, (self.region(one.span.start).map(|r| r.start), kept.len()));
                    }
                    kept.push((one, 0));
                }
            }
        }
        kept.into_iter()
            .map(|(mut one, more)| {
                if more > 0 {
                    let note = one.note.take().unwrap_or_default();
                    let plural = if more == 1 { "" } else { "s" };
                    one.note = Some(format!("{note}, and {more} more instance{plural}"));
                }
                one
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
