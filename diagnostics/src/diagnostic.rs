//! One error, and all errors of a file. They are collected before anything is shown.

use std::fmt;
use std::ops::Range;

use crate::reporter::Reporter;
use crate::text::{cut_lines, shown};

/// Longest text of an error that is shown, in characters: the list of all thresholds fits.
const LONGEST: usize = 4000;

/// One error, or one warning.
#[derive(Debug, Clone, Default, Eq, PartialEq)]
pub struct Diagnostic {
    /// What is wrong, in one line.
    pub message: String,
    /// The file it is in, as it was named to the program or in an `include`.
    pub file: String,
    /// The file is read all the same.
    pub warning: bool,
    /// Line, from 1; 0 when the error concerns the file as a whole.
    pub line: usize,
    /// Column in characters, from 1; 0 when the error concerns the file as a whole.
    pub column: usize,
    /// The offending octets; places of included files come after those of the main file.
    pub span: Range<usize>,
    /// Text beside the underline: most often what to write instead. May be empty.
    pub label: String,
    /// What is allowed here, or how to mend it.
    pub help: Option<String>,
    /// Another place that matters, as "line 4: first defined here".
    pub note: Option<String>,
    pub(crate) source_line: String,
    pub(crate) indent: usize,
    pub(crate) underline: usize,
}

impl Diagnostic {
    /// An error at a line and column of a file that is not read as a whole: `text` stands there, around the octet
    /// `at` of it.
    #[must_use]
    pub fn of_line(file: &str, place: (usize, usize), text: &str, at: usize, message: String) -> Diagnostic {
        let mut reporter = Reporter::new(text, file);
        let shown = reporter.error(&(at..at + 1), message).clone();
        Diagnostic { line: place.0, column: place.1, ..shown }
    }

    /// An error that concerns a file as a whole (it cannot be read).
    #[must_use]
    pub fn of_file(file: &str, message: String) -> Diagnostic {
        Diagnostic {
            message,
            file: file.to_owned(),
            warning: false,
            line: 0,
            column: 0,
            span: 0..0,
            label: String::new(),
            help: None,
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

    fn render(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // All of it may quote the file, whose author is not to write on the terminal.
        let clean = |text: &str| cut_lines(text, LONGEST);
        let file = clean(&self.file);
        writeln!(f, "{}: {}", if self.warning { "warning" } else { "error" }, clean(&self.message))?;
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
                format_args!(" {margin} | {indent}{carets} {}", clean(&self.label)).to_string().trim_end()
            )?;
        }
        let margin = " ".repeat(self.line.to_string().len());
        if let Some(note) = &self.note {
            writeln!(f, " {margin} = note: {}", clean(note))?;
        }
        if let Some(help) = &self.help {
            writeln!(f, " {margin} = help: {}", clean(help))?;
        }
        Ok(())
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.render(f)
    }
}

/// Every error of a file and of those it includes, in the order of the text. Never empty.
#[derive(Debug, Clone, Eq, PartialEq)]
pub struct Diagnostics {
    /// The file, as it was named to the program.
    pub file: String,
    /// The errors.
    pub errors: Vec<Diagnostic>,
    /// What is allowed but most likely not meant.
    pub warnings: Vec<Diagnostic>,
    /// Errors and warnings that were found beyond those, and are only counted.
    pub further: (usize, usize),
}

impl Diagnostics {
    /// One error that concerns a file as a whole (it cannot be read).
    pub fn of_file(file: &str, message: String, help: &str) -> Diagnostics {
        let mut error = Diagnostic::of_file(file, message);
        error.help(help);
        Diagnostics { file: file.to_owned(), errors: vec![error], warnings: Vec::new(), further: (0, 0) }
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for one in self.errors.iter().chain(&self.warnings) {
            writeln!(f, "{one}")?;
        }
        let (errors, warnings) = self.further;
        write!(f, "{}: {}", shown(&self.file), number_of(self.errors.len() + errors, "error"))?;
        match self.warnings.len() + warnings {
            0 => {}
            n => write!(f, ", {}", number_of(n, "warning"))?,
        }
        if errors > 0 { write!(f, "; {errors} of the errors are not shown") } else { Ok(()) }
    }
}

fn number_of(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

impl std::error::Error for Diagnostics {}
