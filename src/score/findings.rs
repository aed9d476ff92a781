//! Findings as the event log tells them.

use std::collections::BTreeMap;
use std::path::Path;

use parsers::Timestamp;
use serde::Deserialize;

use super::labels::{Attack, lines, time};

/// A finding.
#[derive(Debug, Clone)]
pub struct Said {
    /// Stable id.
    pub id: String,
    /// Kind.
    pub kind: String,
    /// `info` to `critical`.
    pub severity: String,
    /// First occurrence.
    pub first: Timestamp,
    /// Last occurrence folded into it.
    pub last: Timestamp,
    /// The hosts it names, as text.
    pub hosts: Vec<String>,
    /// The frames that it shows.
    pub frames: Vec<u64>,
}

#[derive(Deserialize)]
struct Line {
    event: String,
    #[serde(default)]
    uid: String,
    #[serde(default)]
    id: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    severity: String,
    first: Option<String>,
    last: Option<String>,
    client_ip: Option<String>,
    client_mac: Option<String>,
    server_ip: Option<String>,
    server_mac: Option<String>,
    #[serde(default)]
    frames: Vec<u64>,
}

impl Said {
    /// Whether it is of severity medium or higher.
    pub fn counts(&self) -> bool {
        matches!(self.severity.as_str(), "medium" | "high" | "critical")
    }

    /// When it names a host of an attack, within the attack's time or later with one of its frames as evidence: that
    /// something is over, or was never answered, can be told only afterwards.
    pub(super) fn within(&self, attack: &Attack) -> Option<Timestamp> {
        if !self.hosts.iter().any(|host| attack.hosts.contains(host)) {
            return None;
        }
        let within = [self.first, self.last].into_iter().find(|at| (attack.from..=attack.to).contains(at));
        let shown =
            |(first, last): (u64, u64)| self.frames.iter().any(|frame| (first..=last).contains(frame));
        within.or_else(|| (self.first > attack.to && attack.range.is_some_and(shown)).then_some(self.first))
    }
}

/// Read the findings of an event log. Of lines with the same uid the last one holds. A last line that a crash left
/// unfinished is left out; whether that is so is told beside them.
pub fn read(path: &Path) -> Result<(Vec<Said>, bool), String> {
    let mut all: BTreeMap<String, Said> = BTreeMap::new();
    let mut order: Vec<String> = Vec::new();
    let lines = lines(path)?;
    let last = lines.len();
    let mut torn = false;
    for (place, (number, text)) in lines.into_iter().enumerate() {
        let wrong = |what: String| format!("{}:{number}: {what}", path.display());
        let line: Line = match serde_json::from_str(&text) {
            Ok(line) => line,
            Err(error) if error.is_eof() && place > 0 && place + 1 == last => {
                torn = true;
                continue;
            }
            Err(error) => return Err(wrong(format!("no line of an event log: {error}"))),
        };
        if line.event != "finding" {
            continue;
        }
        let at = |text: &Option<String>| {
            let text = text.as_deref().unwrap_or_default();
            time(&serde_json::Value::String(text.to_owned()))
                .ok_or_else(|| wrong(format!("no time: `{text}`")))
        };
        let said = Said {
            first: at(&line.first)?,
            last: at(&line.last)?,
            hosts: [line.client_ip, line.client_mac, line.server_ip, line.server_mac]
                .into_iter()
                .flatten()
                .collect(),
            frames: line.frames,
            id: line.id,
            kind: line.kind,
            severity: line.severity,
        };
        if all.insert(line.uid.clone(), said).is_none() {
            order.push(line.uid);
        }
    }
    Ok((order.iter().filter_map(|uid| all.remove(uid)).collect(), torn))
}
