//! What is said of pace: bursts, floods, slow answers, machine-like commands, masters and polls that come
//! when nobody expects them.

use parsers::{FrameRef, Operation, Timestamp};
use profiles::Thresholds;

use super::Party;
use super::latency::Slow;
use super::rate::Burst;
use super::rhythm::Even;
use super::words::{Clock, Recurrent, Span};
use crate::detect::{FindingSink, coverage};
use crate::report::catalogue::FindingKind;
use crate::report::finding::Finding;
use crate::report::words::Counted;

/// Tells of one operation.
pub(super) struct Teller<'a> {
    pub(super) party: &'a Party<'a>,
    pub(super) operation: &'a Operation<'a>,
    pub(super) thresholds: &'a Thresholds,
}

impl Teller<'_> {
    fn at(&self) -> Timestamp {
        self.operation.origin.at
    }

    fn tell(
        &self,
        kind: FindingKind,
        expected: core::fmt::Arguments<'_>,
        observed: core::fmt::Arguments<'_>,
        sink: &mut dyn FindingSink,
    ) {
        if !coverage::bears(kind, self.party.coverage) {
            return sink.withheld(kind);
        }
        let operation = self.operation;
        let frames: [FrameRef; 1] = [operation.origin.frame];
        let single = kind == FindingKind::MachineRhythm || kind == FindingKind::OffSchedulePoll;
        sink.finding(&Finding {
            flow: Some(operation.flow),
            function: single.then_some(operation.function),
            ranges: if single { operation.ranges } else { &[] },
            expected,
            observed,
            frames: &frames,
            ..self.party.finding(kind, self.at())
        });
    }

    pub(super) fn burst(&self, burst: Burst, sink: &mut dyn FindingSink) {
        self.tell(
            FindingKind::RequestBurst,
            format_args!("at most {} in a second, the most so far", Counted(burst.peak.into(), "request{s}")),
            format_args!("{} in the second of {}, and perhaps more", burst.count, Clock(self.at())),
            sink,
        );
    }

    pub(super) fn flood(&self, count: u32, span: u64, sink: &mut dyn FindingSink) {
        self.tell(
            FindingKind::UnansweredFlood,
            format_args!("a master that waits when nobody answers"),
            format_args!("{count} requests without any answer in {}", Span(span)),
            sink,
        );
    }

    pub(super) fn slow(&self, slow: Slow, sink: &mut dyn FindingSink) {
        self.tell(
            FindingKind::SlowAnswers,
            format_args!("95 of 100 answers within {}, as at first", Span(slow.usual_ns)),
            format_args!("within {} since {}", Span(slow.now_ns), Clock(slow.since)),
            sink,
        );
    }

    pub(super) fn even(&self, even: Even, sink: &mut dyn FindingSink) {
        self.tell(
            FindingKind::MachineRhythm,
            format_args!("commands by hand, or by a scheme that has run before"),
            format_args!(
                "{} commands to {} objects, one every {}, the gaps differing by {:.1} %",
                even.commands,
                even.objects,
                Span(even.spacing_ns),
                even.variation * 100.0
            ),
            sink,
        );
    }

    pub(super) fn idle(&self, idle: u64, sink: &mut dyn FindingSink) {
        self.tell(
            FindingKind::IdleMasterBack,
            format_args!("no request after {} without any", Span((self.thresholds.idle_master * 1e9) as u64)),
            format_args!("one after {}", Span(idle)),
            sink,
        );
    }

    pub(super) fn off_schedule(
        &self,
        what: Recurrent,
        period: u64,
        interval: u64,
        sink: &mut dyn FindingSink,
    ) {
        self.tell(
            FindingKind::OffSchedulePoll,
            format_args!("{what} every {}", Span(period)),
            format_args!("one {} after the last", Span(interval)),
            sink,
        );
    }
}
