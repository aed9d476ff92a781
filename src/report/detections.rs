//! Every kind of finding as a table for people and for machines: `gridtap detections`, and
//! `docs/detections.md` is made from it.

use std::fmt::Write as _;
use std::sync::OnceLock;

use profiles::{ThresholdInfo, Thresholds, Unit};
use serde::{Deserialize, Serialize};

use super::attack::attack;
use super::catalogue::{CATALOGUE, FindingKind};
use super::left_out;
use crate::detect::coverage;

/// What an engineer is told about a kind of finding.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Advice {
    /// Name of the kind.
    kind: String,
    /// What it means.
    pub means: String,
    /// What to look at first.
    pub check: String,
    /// How it is silenced properly where it is no trouble.
    pub quiet: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct AdviceFile {
    #[serde(default)]
    advice: Vec<Advice>,
}

/// The advice for a kind.
pub fn advice(kind: FindingKind) -> Option<&'static Advice> {
    static TABLE: OnceLock<AdviceFile> = OnceLock::new();
    // The text is part of the program and read by a test, so this cannot fail at a user's.
    let table = TABLE.get_or_init(|| toml::from_str(include_str!("advice.toml")).unwrap_or_default());
    table.advice.iter().find(|advice| advice.kind == kind.name())
}

/// The thresholds that a kind depends on: those whose description begins with its id or its name
/// (where kinds share an id), and of what is drawn from
/// absence how long it is withheld.
pub(crate) fn thresholds(kind: FindingKind) -> impl Iterator<Item = &'static ThresholdInfo> {
    Thresholds::ALL.iter().filter(move |info| {
        let ids = info.doc.split(':').next().unwrap_or_default();
        let absent = info.name == "blind_time"
            && (coverage::rests_on_absence(kind) || coverage::may_rest_on_absence(kind));
        absent || ids.split(',').map(str::trim).any(|id| id == kind.id() || id == kind.name())
    })
}

/// A threshold's default as it is written in a profile.
pub(crate) fn default_of(info: &ThresholdInfo) -> String {
    match info.unit {
        Unit::Seconds => format!("\"{} s\"", info.default),
        Unit::Count | Unit::Ratio | Unit::PerSecond | Unit::PerMinute => info.default.to_string(),
    }
}

/// One row, as JSON.
#[derive(Debug, Serialize)]
struct Row {
    id: &'static str,
    kind: &'static str,
    severity: &'static str,
    title: &'static str,
    techniques: &'static [&'static str],
    techniques_v19: Vec<&'static str>,
    thresholds: Vec<(&'static str, f64)>,
    means: Option<&'static str>,
    check: Option<&'static str>,
    quiet: Option<&'static str>,
}

/// Every kind, as one JSON array.
///
/// # Errors
/// None that is known: the table is made of texts and numbers.
pub fn json() -> serde_json::Result<String> {
    let rows: Vec<_> = CATALOGUE
        .iter()
        .map(|kind| {
            let told = advice(*kind);
            Row {
                id: kind.id(),
                kind: kind.name(),
                severity: kind.severity().name(),
                title: kind.title(),
                techniques: kind.techniques(),
                techniques_v19: kind.techniques().iter().map(|id| newer(id)).collect(),
                thresholds: thresholds(*kind).map(|info| (info.name, info.default)).collect(),
                means: told.map(|a| a.means.as_str()),
                check: told.map(|a| a.check.as_str()),
                quiet: told.map(|a| a.quiet.as_str()),
            }
        })
        .collect();
    serde_json::to_string_pretty(&rows)
}

fn newer(id: &'static str) -> &'static str {
    attack().find(id).and_then(|technique| technique.id_v19.as_deref()).unwrap_or(id)
}

/// Every kind on a line, for a terminal.
pub fn text() -> String {
    let mut text = String::new();
    for kind in CATALOGUE {
        let techniques = kind.techniques().join(" ");
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "{:<7} {:<9} {:<26} {}{}{techniques}",
            kind.id(),
            kind.severity().name(),
            kind.name(),
            kind.title(),
            if techniques.is_empty() { "" } else { "  " },
        );
    }
    text
}

/// The content of `docs/detections.md`.
pub fn markdown() -> String {
    let mut text = format!("{HEAD}{}", left_out::shared());
    let mut groups: Vec<&str> = Vec::new();
    for kind in CATALOGUE {
        if !groups.contains(&group(*kind)) {
            groups.push(group(*kind));
        }
    }
    for prefix in groups {
        let _ = write!(text, "\n## {prefix}: {}\n", group_name(prefix));
        let mut kinds: Vec<_> = CATALOGUE.iter().filter(|kind| group(**kind) == prefix).collect();
        kinds.sort_by_key(|kind| kind.id());
        for kind in kinds {
            section(&mut text, *kind);
        }
    }
    text.push_str(&left_out::markdown());
    text
}

fn section(text: &mut String, kind: FindingKind) {
    let _ = write!(text, "\n### {} `{}`: {}\n\n", kind.id(), kind.name(), kind.title());
    let techniques: Vec<_> = kind
        .techniques()
        .iter()
        .map(|id| {
            let name = attack().find(id).map_or("", |technique| technique.name.as_str());
            let newer = newer(id);
            if newer == *id { format!("{id} {name}") } else { format!("{id} ({newer}) {name}") }
        })
        .collect();
    let _ = write!(text, "Severity {}", kind.severity().name());
    if !techniques.is_empty() {
        let _ = write!(text, "; ATT&CK for ICS {}", techniques.join(", "));
    }
    text.push_str(".\n");
    if let Some(advice) = advice(kind) {
        let _ = write!(text, "\n{}", advice.means.trim());
        if coverage::rests_on_absence(kind) {
            text.push_str(" Drawn from something absent: withheld and counted while the tap is blind there.");
        } else if coverage::may_rest_on_absence(kind) {
            text.push_str(
                " Withheld and counted where it is drawn from something absent and the tap is blind.",
            );
        }
        text.push_str("\n\n");
        let _ = write!(
            text,
            "- **Look first:** {}\n- **To silence it:** {}\n",
            advice.check.trim(),
            advice.quiet.trim()
        );
    }
    let thresholds: Vec<_> = thresholds(kind).collect();
    if !thresholds.is_empty() {
        text.push_str("\n| threshold | default | meaning |\n|---|---|---|\n");
        for info in thresholds {
            let meaning = info.doc.split_once(": ").map_or(info.doc, |(_, meaning)| meaning);
            let _ = writeln!(text, "| `{}` | {} | {meaning} |", info.name, default_of(info));
        }
    }
}

fn group(kind: FindingKind) -> &'static str {
    kind.id().split_once('-').map_or(kind.id(), |(prefix, _)| prefix)
}

fn group_name(prefix: &str) -> &'static str {
    match prefix {
        "POL" => "what the profile does not allow",
        "CNF" => "conformance to the protocol",
        "SEQ" => "state and sequence",
        "TIM" => "timing and periodicity",
        "VAL" => "values",
        "TOP" => "topology and identity",
        "REC" => "reconnaissance",
        "DEN" => "denial and destruction",
        "GO" => "publishers (GOOSE)",
        _ => "the sensor itself",
    }
}

const HEAD: &str = "\
# Detections

Made from the program's own table (`gridtap detections --markdown`); a test holds it to this text.

Every finding has one of these kinds. The severity is the kind's own: it is raised one step where the station,
the point or the host is tagged `protection` or `breaker`, and lowered to `info` by a maintenance window of the
profile that names the work. Some findings have another severity where they mean less or more; their text says so.
A station's `quirks` silence a kind, an id or a check for that station. Thresholds are set in the profile's
`[thresholds]`.
";

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_document_is_that_of_the_table() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/detections.md");
        if std::env::var_os("GRIDTAP_WRITE_DOCS").is_some() {
            std::fs::write(path, markdown()).unwrap();
        }
        let document = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            document == markdown(),
            "run the tests with GRIDTAP_WRITE_DOCS=1 to write docs/detections.md"
        );
    }

    #[test]
    fn advice_is_given_for_every_kind_and_for_nothing_else() {
        let file: AdviceFile = toml::from_str(include_str!("advice.toml")).unwrap();
        let mut named: Vec<_> = file.advice.iter().map(|advice| advice.kind.as_str()).collect();
        let mut kinds: Vec<_> = CATALOGUE.iter().map(|kind| kind.name()).collect();
        named.sort_unstable();
        kinds.sort_unstable();
        assert_eq!(named, kinds);
        for advice in &file.advice {
            for text in [&advice.means, &advice.check, &advice.quiet] {
                assert!(text.trim().ends_with(['.', '?']), "{}: {text}", advice.kind);
            }
        }
    }

    #[test]
    fn every_threshold_belongs_to_a_kind() {
        let known: Vec<_> =
            CATALOGUE.iter().flat_map(|kind| thresholds(*kind)).map(|info| info.name).collect();
        for info in Thresholds::ALL {
            assert!(known.contains(&info.name), "{}: {}", info.name, info.doc);
        }
    }
}
