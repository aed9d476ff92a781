//! Maintenance windows of publishers: what comes of work at an IED, and work that goes on.

use profiles::Compiled;

use super::over;
use crate::detect::{FindingSink, raise};
use crate::report::catalogue::FindingKind;
use crate::report::finding::Finding;

/// What comes of loading, testing or restarting an IED. What only a forger does (a second publisher, a replay, a
/// state that is contradicted) keeps its weight in a window, too.
fn comes_of_work(kind: FindingKind) -> bool {
    is_work(kind)
        || matches!(
            kind,
            FindingKind::UnprofiledPublisher
                | FindingKind::PublisherDiffers
                | FindingKind::GooseSilent
                | FindingKind::GooseTime
                | FindingKind::GooseEmptyChange
                | FindingKind::GooseSequence
        )
}

/// What shows that work goes on. That a publisher still differs from the profile is told by itself.
fn is_work(kind: FindingKind) -> bool {
    matches!(
        kind,
        FindingKind::GooseConfiguration
            | FindingKind::GooseDataSet
            | FindingKind::GooseSimulation
            | FindingKind::GooseRestart
    )
}

/// Whether a window that is open names the publisher of this finding.
pub(super) fn is_planned(profile: &Compiled, finding: &Finding<'_>) -> bool {
    comes_of_work(finding.kind) && profile.publisher_maintenance(finding.at, finding.station_name).is_some()
}

/// Work at a publisher after the end of its window.
pub(super) fn overrun(profile: &Compiled, finding: &Finding<'_>, sink: &mut dyn FindingSink) {
    let (now, name) = (finding.at, finding.station_name);
    if !is_work(finding.kind) || profile.publisher_maintenance(now, name).is_some() {
        return;
    }
    let within = (profile.thresholds().maintenance_overrun * 1e9) as u64;
    let Some(window) = profile.publisher_maintenance_over(now, within, name) else { return };
    over(window, finding, &format_args!("{}", raise::Lower(finding.kind.title())), sink);
}
