//! Event lines for people: in colour on a terminal, plain elsewhere.

use std::io::{self, IsTerminal, Write};

use serde_json::Value;

use crate::report::writer::Destination;

const RESET: &str = "\x1b[0m";
const BOLD: &str = "\x1b[1m";
const DIM: &str = "\x1b[2m";
const CYAN: &str = "\x1b[1;36m";

/// Standard output. Copies write to the same; a line at a time.
#[derive(Clone)]
pub(super) struct Screen {
    colour: bool,
}

impl Screen {
    pub(super) fn new() -> Screen {
        Screen { colour: io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none() }
    }

    /// A line; if nobody reads, nobody can be told.
    fn line(&self, style: &str, text: &str) {
        let text = profiles::shown(text);
        let mut out = io::stdout().lock();
        _ = if self.colour { writeln!(out, "{style}{text}{RESET}") } else { writeln!(out, "{text}") };
        _ = out.flush();
    }

    pub(super) fn heading(&self, text: &str) {
        self.line(BOLD, text);
    }

    pub(super) fn say(&self, text: &str) {
        self.line("", text);
    }

    pub(super) fn gap(&self) {
        self.line("", "");
    }

    pub(super) fn announce(&self, text: &str) {
        self.line(CYAN, &format!(">> {text}"));
    }

    fn event(&self, event: &Value) {
        if let Some((style, text)) = words(event) {
            self.line(style, &text);
        }
    }
}

/// How an event is shown, if it is.
fn words(event: &Value) -> Option<(&'static str, String)> {
    let text = |key: &str| event[key].as_str().unwrap_or_default();
    let time = text("time").get(11..19).unwrap_or_default();
    let style = match text("severity") {
        "critical" => "\x1b[1;31m",
        "high" => "\x1b[31m",
        "medium" => "\x1b[33m",
        _ => DIM,
    };
    match text("event") {
        "finding" => {
            let again = match event["count"].as_u64() {
                Some(count) if count > 1 => format!(" [{count} times]"),
                _ => String::new(),
            };
            let severity = text("severity").to_uppercase();
            Some((style, format!("{time}  {severity:<8}  {}  {}{again}", text("id"), text("explanation"))))
        }
        "station" => {
            let (name, place, what) = (text("station"), text("server"), text("what").replace('_', " "));
            let protocol = text("protocol");
            Some((DIM, format!("{time}  station   {name} ({protocol} at {place}): {what}")))
        }
        // Plain operations are too many to read.
        "operation" => None,
        other if !text("message").is_empty() => {
            Some((DIM, format!("{time}  {other:<8}  {}", text("message"))))
        }
        _ => None,
    }
}

impl Destination for Screen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Whole lines are handed over.
        for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            if let Ok(event) = serde_json::from_slice(line) {
                self.event(&event);
            }
        }
        Ok(bytes.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_stations_and_messages_are_shown_and_operations_are_not() {
        let show = |text: &str| serde_json::from_str(text).ok().and_then(|event| words(&event));
        let finding = r#"{"time":"2026-06-15T08:15:00.0Z","event":"finding","id":"POL-02","severity":"high","count":3,"explanation":"Why."}"#;
        assert_eq!(
            show(finding),
            Some(("\x1b[31m", "08:15:00  HIGH      POL-02  Why. [3 times]".to_owned()))
        );
        let station = r#"{"time":"2026-06-15T08:15:00.0Z","event":"station","what":"first_seen","protocol":"modbus","server":"127.1.1.1:502","station":"rtu"}"#;
        let shown = show(station).map(|(_, text)| text);
        assert_eq!(shown.as_deref(), Some("08:15:00  station   rtu (modbus at 127.1.1.1:502): first seen"));
        let control = r#"{"time":"2026-06-15T08:15:00.0Z","event":"control","message":"opened"}"#;
        assert!(show(control).is_some_and(|(_, text)| text == "08:15:00  control   opened"));
        assert_eq!(show(r#"{"event":"operation","message":"x"}"#), None);
        assert_eq!(show(r#"{"event":"control"}"#), None);
        assert_eq!(show("{}"), None);
    }
}
