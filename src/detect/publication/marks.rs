//! What a message shows by itself: what the profile says of it, the marks that it bears, how many there are.

use profiles::Published;

use super::table::Stream;
use super::tell::Text;
use super::{SECOND, Teller, hash};
use crate::detect::FindingSink;
use crate::detect::raise::{Frames, Subject};
use crate::report::catalogue::FindingKind;
use crate::report::finding::Finding;

impl Teller<'_> {
    /// Raise a finding about this message.
    pub(super) fn tell(
        &self,
        kind: FindingKind,
        expected: core::fmt::Arguments<'_>,
        observed: core::fmt::Arguments<'_>,
        sink: &mut dyn FindingSink,
    ) {
        sink.finding(&Finding {
            kind,
            expected,
            observed,
            ..self.blank(&Frames::of_operation(self.operation))
        });
    }

    pub(super) fn blank<'f>(&'f self, frames: &'f Frames) -> Finding<'f> {
        let (operation, site) = (self.operation, self.site);
        let subject = Subject::of_operation(operation, site.profile);
        let coverage = self.context.blindness.at(operation.flow, operation.origin.at, &site.losses);
        let flow = operation.flow;
        Finding {
            at: operation.origin.at,
            flow: Some(flow),
            station_name: self.name,
            octets: operation.detail.octets(),
            frames: frames.as_slice(),
            fold_key: hash(self.said.control_block),
            ..subject.bare(coverage)
        }
    }

    /// Too many messages in a second.
    pub(super) fn rate(&self, stream: &mut Stream, sink: &mut dyn FindingSink) {
        let second = self.operation.origin.at.0 / SECOND;
        if stream.second.0 != second {
            stream.second = (second, 0);
        }
        stream.second.1 += 1;
        let most = self.site.thresholds.goose_flood;
        if f64::from(stream.second.1) > most {
            // Once a second: the number grows with every message.
            if f64::from(stream.second.1 - 1) <= most {
                self.tell(
                    FindingKind::GooseFlood,
                    format_args!("at most {most} messages of {} in a second", Text(self.said.control_block)),
                    format_args!("more than {most}"),
                    sink,
                );
            }
        }
    }

    /// Marks that stand in the message itself.
    pub(super) fn marks(&self, published: &Published<'_>, sink: &mut dyn FindingSink) {
        let said = self.said;
        if said.simulated && !published.may_simulate() {
            self.tell(
                FindingKind::GooseSimulation,
                format_args!("no simulated or test messages in operation"),
                format_args!("{} with the simulation or test bit", Text(said.control_block)),
                sink,
            );
        }
        if said.needs_commissioning {
            self.tell(
                FindingKind::GooseConfiguration,
                format_args!("a publisher whose configuration is complete"),
                format_args!("{} says that it needs commissioning", Text(said.control_block)),
                sink,
            );
        }
        if said.changed_at.is_some_and(|t| t.failed) {
            self.tell(
                FindingKind::GooseTime,
                format_args!("a clock that works"),
                format_args!("{} says that its clock has failed", Text(said.control_block)),
                sink,
            );
        }
    }
}
