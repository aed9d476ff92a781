//! What one request tells by itself: it is not allowed, it is dangerous, it lacks its select.

use parsers::{Exchange, Operation};
use profiles::{AnomalyKind, Pair, Verdict};

use super::policy::{self, Weighed};
use super::raise::{self, Frames, Subject};
use super::select::Missing;
use super::{Detector, FindingSink, commands, coverage};
use crate::pipeline::FlowContext;
use crate::report::catalogue::FindingKind;
use crate::report::finding::Finding;

/// Whether a command that no rule allows is reported for what it is, without a denial and with its select: what
/// [`Detector::report`] looks for.
#[inline]
pub(super) fn speaks_for_itself(operation: &Operation<'_>, allowed: Option<bool>) -> bool {
    commands::dangerous(operation, allowed).is_some()
        || (operation.broadcast && allowed.is_none())
        || commands::sets_deadband(operation)
}

impl Detector {
    #[cold]
    pub(super) fn report(
        &self,
        context: &FlowContext,
        operation: &Operation<'_>,
        (verdict, allowed): (Option<&Verdict<'_>>, Option<bool>),
        pair: Option<Pair>,
        missing: Option<Missing>,
        sink: &mut dyn FindingSink,
    ) {
        let sink = &mut Weighed::of(self.common.profile.as_deref(), operation, sink);
        let subject = Subject::of_operation(operation, self.common.profile.as_deref());
        let coverage = context.blindness.at(operation.flow, operation.origin.at, &self.common.losses);
        let frames = Frames::of_operation(operation);
        let function = operation.function;
        let blank = subject.finding(coverage, &frames);
        let asks = operation.exchange == Exchange::Request && operation.from_master;
        if let Some(Verdict::Denied(anomaly)) = verdict {
            let kind = match anomaly.kind {
                AnomalyKind::Control => FindingKind::UnprofiledControl,
                AnomalyKind::UnknownClient => FindingKind::UnprofiledClient,
                AnomalyKind::UnknownStation => FindingKind::UnprofiledStation,
                AnomalyKind::Function => FindingKind::UnprofiledFunction,
                AnomalyKind::Range => FindingKind::UnprofiledRange,
                AnomalyKind::Denied => FindingKind::Denied,
                AnomalyKind::Value => FindingKind::SetpointOutsideRule,
                AnomalyKind::Schedule => FindingKind::OutsideSchedule,
            };
            let fold_key = raise::policy_fold_key(kind, operation);
            sink.finding(&Finding {
                kind,
                expected: format_args!("{}", anomaly.expected()),
                observed: format_args!("{}", anomaly.observed()),
                rule: anomaly.nearest_name(),
                owner: anomaly.nearest_owner(),
                severity: anomaly.severity(),
                fold_key,
                ..blank
            });
            if let Some((profile, pair)) = self.common.profile.as_ref().zip(pair).filter(|_| asks) {
                policy::overrun(profile, pair, operation, &blank, sink);
            }
        }
        if !asks {
            return;
        }
        if let Some(kind) = commands::dangerous(operation, allowed) {
            sink.finding(&Finding {
                kind,
                expected: format_args!(
                    "no such command without a rule or a maintenance window that names it"
                ),
                observed: format_args!("{}", raise::Asked(operation)),
                fold_key: u64::from(function.code) << 16 | u64::from(function.sub.unwrap_or(0)),
                ..blank
            });
        }
        // With a profile, that it was by broadcast is told with what the profile does not allow of it.
        if operation.broadcast && !operation.action.is_plain_read() && allowed.is_none() {
            sink.finding(&Finding {
                kind: FindingKind::BroadcastControl,
                expected: format_args!("commands addressed to one station"),
                observed: format_args!("{}, addressed to all", raise::Asked(operation)),
                fold_key: u64::from(function.code),
                ..blank
            });
        }
        if allowed != Some(true) && commands::sets_deadband(operation) {
            sink.finding(&Finding {
                kind: FindingKind::DeadbandChange,
                expected: format_args!(
                    "dead-bands as they are: what changes by less is not reported any more"
                ),
                observed: format_args!("{}", raise::Asked(operation)),
                ..blank
            });
        }
        if let Some(missing) = missing {
            if missing == Missing::Forgotten {
                return sink.withheld(FindingKind::OperateWithoutSelect);
            }
            let finding = Finding {
                kind: FindingKind::OperateWithoutSelect,
                expected: format_args!(
                    "a select of the same objects by the same master just before, at most {} s ago",
                    self.selects.timeout_ns() / 1_000_000_000
                ),
                observed: format_args!("{}, {}", raise::Asked(operation), raise::Why(missing)),
                fold_key: raise::policy_fold_key(FindingKind::UnprofiledControl, operation),
                ..blank
            };
            Self::unless_blind(&finding, sink);
        }
    }

    pub(super) fn unless_blind(finding: &Finding<'_>, sink: &mut dyn FindingSink) {
        if !coverage::bears(finding.kind, finding.coverage) {
            sink.withheld(finding.kind);
            return;
        }
        sink.finding(finding);
    }
}
