//! What the profile says beyond the verdict: how much a finding weighs, how often a rule may be used, which
//! controls need no select, and work that goes on after its maintenance window.

mod publishing;
mod rate;
mod weight;

use core::fmt;

use parsers::{Exchange, Operation, PointRange};
use profiles::{Compiled, DurationText, Maintenance, Pair, RuleId};

pub use rate::Rates;
pub(crate) use weight::RAISING;
pub use weight::Weighed;

use super::association::Association;
use super::raise::{self, Frames, Subject};
use super::{FindingSink, Seen};
use crate::report::catalogue::{FindingKind, Severity};
use crate::report::finding::Finding;

/// Count an allowed request against the rate of its rule. Most rules have none.
#[inline]
pub fn shown(association: &mut Association, seen: &Seen<'_>, sink: &mut dyn FindingSink) {
    let operation = seen.operation;
    if operation.exchange != Exchange::Request || seen.judged.allowed != Some(true) {
        return;
    }
    let (Some(profile), Some(id)) = (seen.site.profile, seen.judged.rule) else { return };
    let Some(rule) = profile.rule(id) else { return };
    let Some(rate) = rule.rate else { return };
    let Some(times) = association.rates.exceeded(id, rate, operation.origin.at) else { return };
    let subject = Subject::of_operation(operation, Some(profile));
    let frames = Frames::of_operation(operation);
    let control = operation.action.is_control().then_some(Severity::High);
    sink.finding(&Finding {
        kind: FindingKind::RateExceeded,
        severity: control,
        expected: format_args!("at most {rate} by rule '{}'", rule.name),
        observed: format_args!(
            "{}, number {times} within {}",
            raise::Asked(operation),
            DurationText(rate.per_ns)
        ),
        rule: Some(&rule.name),
        owner: rule.owner.as_deref(),
        fold_key: u64::from(id.0),
        ..subject.finding(seen.coverage(), &frames)
    });
}

/// Whether the profile lets this operate stand without a select: by the rule that allows it, or by every
/// point that it names.
pub fn needs_no_select(
    profile: &Compiled,
    pair: Option<Pair>,
    rule: Option<RuleId>,
    operation: &Operation<'_>,
) -> bool {
    if let Some(needed) = rule.and_then(|id| profile.rule(id)).and_then(|rule| rule.select_before_operate) {
        return !needed;
    }
    let Some(station) = pair.and_then(|pair| pair.station_index()) else { return false };
    let direct = |range: &PointRange| {
        let mut addresses = range.first()..=range.last();
        // No request names so many controls; a range of everything is no list of exceptions.
        range.last() - range.first() < 1024
            && addresses.all(|at| {
                let point = profile.point(station, range.kind(), at);
                point.is_some_and(|(_, spec)| spec.direct_operate == Some(true))
            })
    };
    !operation.ranges.is_empty() && !operation.more_ranges && operation.ranges.iter().all(direct)
}

/// A request that is not allowed, but was until its maintenance window ended.
pub(super) fn overrun(
    profile: &Compiled,
    pair: Pair,
    operation: &Operation<'_>,
    blank: &Finding<'_>,
    sink: &mut dyn FindingSink,
) {
    let what = (operation.protocol, operation.action, operation.function);
    let within = (profile.thresholds().maintenance_overrun * 1e9) as u64;
    let now = operation.origin.at;
    if profile.maintenance(now, pair, what).is_some() {
        return;
    }
    let Some(window) = profile.maintenance_over(now, within, pair, what) else { return };
    over(window, blank, &raise::Asked(operation), sink);
}

/// What is done after the end of this window.
fn over(window: &Maintenance, blank: &Finding<'_>, done: &dyn fmt::Display, sink: &mut dyn FindingSink) {
    let reference = window.reference.as_deref().map_or(String::new(), |text| format!(" ({text})"));
    sink.finding(&Finding {
        kind: FindingKind::MaintenanceOverrun,
        severity: None,
        expected: format_args!("the work '{}'{reference} to be over", window.name),
        observed: format_args!(
            "{done} {} after its end",
            DurationText(blank.at.since(window.end) / 1_000_000_000 * 1_000_000_000)
        ),
        rule: Some(&window.name),
        fold_key: raise::name_key(&window.name),
        ..*blank
    });
}
