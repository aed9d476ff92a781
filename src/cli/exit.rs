//! How a command ends.

use std::fmt::Display;
use std::io::{ErrorKind, Write, stderr, stdout};
use std::path::Path;
use std::process::ExitCode;

/// The documented exit statuses.
#[derive(Debug)]
pub enum Exit {
    /// 0: done.
    Done,
    /// 1: could not be done.
    Failed(String),
    /// 2: usage or configuration is wrong.
    Usage(String),
    /// 3: the input was damaged and read as far as possible. What was wrong has been said.
    Damaged,
    /// 4: there was nothing to do: `learn` learned nothing. That has been said.
    Nothing,
}

impl Exit {
    /// Could not be done, because of `what`.
    pub fn failed(what: impl Display) -> Exit {
        Exit::Failed(what.to_string())
    }

    /// Say on standard error what there is to say, and give the status.
    pub fn report(self) -> ExitCode {
        let (status, text) = match self {
            Exit::Done => (0, None),
            Exit::Failed(text) => (1, Some(text)),
            Exit::Usage(text) => (2, Some(text)),
            Exit::Damaged => (3, None),
            Exit::Nothing => (4, None),
        };
        if let Some(text) = text {
            complain(format_args!("gridtap: {}", text.trim_end()));
        }
        ExitCode::from(status)
    }
}

/// A file that an argument names is there; else what was meant and where it was looked for.
pub(super) fn present(argument: &str, path: &Path) -> Result<(), Exit> {
    if !matches!(path.try_exists(), Ok(false)) {
        return Ok(());
    }
    let from = match std::env::current_dir() {
        Ok(folder) if path.is_relative() => format!(", which is relative to the folder {}", folder.display()),
        _ => String::new(),
    };
    Err(Exit::failed(format_args!(
        "{argument} {}: there is no such file; check the path{from}",
        path.display()
    )))
}

/// Say something to people on standard output. It may quote a file or the wire, whose author is not to write on
/// the terminal. A reader that has had enough is no trouble; a full disk is.
pub(super) fn say(what: impl Display) -> Result<(), Exit> {
    give(profiles::shown_lines(&what.to_string()))
}

/// Give programs data on standard output, as it is: JSON, or a file.
pub(super) fn give(what: impl Display) -> Result<(), Exit> {
    match writeln!(stdout(), "{what}") {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Exit::failed(format!("standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// Say something to people on standard error, as [`say`] does; if nobody listens there, nobody can be told.
pub(super) fn complain(what: impl Display) {
    _ = writeln!(stderr(), "{}", profiles::shown_lines(&what.to_string()));
}
