//! `gridtap detections`: every kind of finding.

use super::Exit;
use super::exit::say;
use crate::report::detections;

/// How the table is printed.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub(super) enum Form {
    Text,
    Json,
    Markdown,
}

pub(super) fn list(form: Form) -> Exit {
    let text = match form {
        Form::Text => Ok(detections::text()),
        Form::Json => detections::json(),
        Form::Markdown => Ok(detections::markdown()),
    };
    match text {
        Ok(text) => say(text.trim_end()).err().unwrap_or(Exit::Done),
        Err(error) => Exit::failed(error),
    }
}
