//! What is wrong with a value, in words.

use core::fmt;

use parsers::PointRange;
use profiles::PointSpec;

use super::super::raise::{Frames, Spaced, Subject, name_key};
use super::super::{Detector, FindingSink, Seen};
use crate::report::catalogue::FindingKind;
use crate::report::finding::Finding;
use crate::report::words::Span;

/// What is wrong with a value.
#[derive(Debug, Copy, Clone)]
pub(super) enum Trouble {
    Limit { value: f64, least: f64, most: f64 },
    SetPoint { value: f64, least: f64, most: f64 },
    Jump { value: f64, before: f64, step: f64 },
    TooFast { value: f64, before: f64, seconds: f64, fastest: f64 },
    Stuck { value: f64, seconds: u64 },
    Backwards { value: f64, before: f64 },
    NotANumber { value: f64 },
}

impl Trouble {
    fn kind(self) -> FindingKind {
        match self {
            Trouble::Limit { .. } => FindingKind::ValueLimit,
            Trouble::SetPoint { .. } => FindingKind::SetPointLimit,
            Trouble::Jump { .. } => FindingKind::SetPointJump,
            Trouble::TooFast { .. } => FindingKind::RateOfChange,
            Trouble::Stuck { .. } => FindingKind::StuckValue,
            Trouble::Backwards { .. } => FindingKind::CounterBackwards,
            Trouble::NotANumber { .. } => FindingKind::NotANumber,
        }
    }
}

/// Raise a finding about a value of a named point.
#[cold]
pub(super) fn raise(seen: &Seen<'_>, spec: &PointSpec, trouble: Trouble, sink: &mut dyn FindingSink) {
    let subject = Subject::of_operation(seen.operation, seen.site.profile);
    let frames = Frames::of_operation(seen.operation);
    let ranges = [PointRange::one(spec.kind, spec.address)];
    let finding = Finding {
        kind: trouble.kind(),
        ranges: &ranges,
        expected: format_args!("{}", Expected(spec, trouble)),
        observed: format_args!("{}", Observed(spec, trouble)),
        fold_key: u64::from(spec.address) << 8 ^ name_key(spec.kind.name()),
        ..subject.finding(seen.coverage(), &frames)
    };
    Detector::unless_blind(&finding, sink);
}

/// A value with its unit, without digits that the wire did not give.
struct Amount<'a>(f64, &'a PointSpec);

impl fmt::Display for Amount<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Scaling by 0.1 must not print 12.300000000000001.
        let rounded = (self.0 * 1e6).round() / 1e6;
        write!(f, "{rounded}")?;
        match &self.1.unit {
            Some(unit) => write!(f, " {unit}"),
            None => Ok(()),
        }
    }
}

struct Expected<'a>(&'a PointSpec, Trouble);

impl fmt::Display for Expected<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let spec = self.0;
        let amount = |value| Amount(value, spec);
        match self.1 {
            Trouble::Limit { least, most, .. } | Trouble::SetPoint { least, most, .. } => {
                write!(f, "{} from {} to {}", spec.name, amount(least), amount(most))
            }
            Trouble::Jump { step, .. } => write!(f, "{} to be moved by {} at most", spec.name, amount(step)),
            Trouble::TooFast { fastest, .. } => {
                write!(f, "{} to change by {} a second at most", spec.name, amount(fastest))
            }
            Trouble::Stuck { .. } => {
                write!(f, "{} to change within {}", spec.name, Span(spec.stuck_after.unwrap_or_default()))
            }
            Trouble::Backwards { .. } => write!(f, "{} only to rise", spec.name),
            Trouble::NotANumber { .. } => write!(f, "{} to be a number", spec.name),
        }
    }
}

struct Observed<'a>(&'a PointSpec, Trouble);

impl fmt::Display for Observed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let spec = self.0;
        let amount = |value| Amount(value, spec);
        match self.1 {
            Trouble::Limit { value, .. } | Trouble::SetPoint { value, .. } => write!(f, "{}", amount(value)),
            Trouble::Jump { value, before, .. } | Trouble::Backwards { value, before } => {
                write!(f, "{} after {}", amount(value), amount(before))
            }
            Trouble::TooFast { value, before, seconds, .. } => {
                write!(f, "{} to {} within ", amount(before), amount(value))?;
                if seconds < 120.0 {
                    write!(f, "{seconds:.3} s")
                } else {
                    Span((seconds * 1e9) as u64).fmt(f)
                }
            }
            Trouble::Stuck { value, seconds } => {
                write!(f, "{} for {}", amount(value), Span(seconds.saturating_mul(1_000_000_000)))
            }
            Trouble::NotANumber { value } => write!(f, "{value}"),
        }?;
        write!(f, " in {} {}", Spaced(spec.kind.name()), spec.address)
    }
}
