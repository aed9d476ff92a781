//! `gridtap profile explain`: why a finding was raised, and the smallest change of the profile that would
//! allow what it tells of.
//!
//! ```text
//! line of the event log -> Event -> nearest.rs: rule and failed conditions
//!                                -> change.rs:  what to append, what to edit; publisher.rs: for GOOSE
//!                                   apply.rs:   the profile's text with it
//! ```

mod apply;
mod change;
mod event;
mod nearest;
mod publisher;
mod rule;

use profiles::{Compiled, ThresholdInfo};

use crate::report::catalogue::FindingKind;
use crate::report::detections;

pub use apply::{apply, holds};
pub use change::{Change, Edit, NewValue};
pub use event::Event;

/// What there is to say of a finding.
#[derive(Debug, Clone)]
pub enum Explained {
    /// It is about the profile's rules: what failed, and the change.
    Policy {
        /// A line each.
        why: Vec<String>,
        /// The change, or why there is none.
        change: Result<Change, String>,
    },
    /// No rule would silence it; this would.
    Advice(Vec<String>),
}

/// Explain a finding by the profile that raised it.
#[must_use]
pub fn explain(event: &Event, profile: &Compiled) -> Explained {
    if !is_policy(event.kind) {
        let mut lines = advice(event.kind);
        lines.extend(nearest::comments(event, profile));
        return Explained::Advice(lines);
    }
    if matches!(event.kind, FindingKind::UnprofiledPublisher | FindingKind::PublisherDiffers) {
        return Explained::Policy {
            why: publisher::why(event, profile),
            change: publisher::change(event, profile),
        };
    }
    if event.kind == FindingKind::UnprofiledService {
        let why = vec![event.explanation.clone()];
        return Explained::Policy { why, change: change::change(event, profile) };
    }
    Explained::Policy { why: nearest::why(event, profile), change: change::change(event, profile) }
}

/// Whether findings of a kind are about what the profile allows.
#[must_use]
pub fn is_policy(kind: FindingKind) -> bool {
    use FindingKind::{
        Denied, MaintenanceOverrun, OutsideSchedule, PublisherDiffers, RateExceeded, SetpointOutsideRule,
        UnprofiledClient, UnprofiledControl, UnprofiledFunction, UnprofiledPublisher, UnprofiledRange,
        UnprofiledService, UnprofiledStation,
    };
    matches!(
        kind,
        Denied
            | MaintenanceOverrun
            | OutsideSchedule
            | PublisherDiffers
            | RateExceeded
            | SetpointOutsideRule
            | UnprofiledClient
            | UnprofiledControl
            | UnprofiledFunction
            | UnprofiledPublisher
            | UnprofiledRange
            | UnprofiledService
            | UnprofiledStation
    )
}

fn advice(kind: FindingKind) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(advice) = detections::advice(kind) {
        lines.push(format!("look first: {}", advice.check.trim()));
        lines.push(format!("to silence it: {}", advice.quiet.trim()));
    }
    let threshold = |info: &ThresholdInfo| {
        let meaning = info.doc.split_once(": ").map_or(info.doc, |(_, meaning)| meaning);
        format!("threshold `{}` = {}: {meaning}", info.name, detections::default_of(info))
    };
    lines.extend(detections::thresholds(kind).map(threshold));
    lines.push(format!("for a known deviation of one station: quirks = [\"{}\"]", kind.name()));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_matter_of_rules_is_told_how_to_be_silenced() {
        let lines = advice(FindingKind::CommandStorm);
        assert!(lines.iter().any(|line| line.starts_with("to silence it: ")), "{lines:?}");
        assert!(lines.iter().any(|line| line.starts_with("threshold `")), "{lines:?}");
        assert!(is_policy(FindingKind::Denied) && !is_policy(FindingKind::NewHost));
    }
}
