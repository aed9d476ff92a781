//! Holding a message against what its publisher said before.

use parsers::Timestamp;

use super::silence::deadline;
use super::stream::{Break, Message, Said, Step};
use super::table::{Silence, Stream, Table};
use super::tell::{Changes, Text};
use super::{SECOND, Teller};
use crate::detect::FindingSink;
use crate::detect::pulse::Scale;
use crate::detect::raise::Frames;
use crate::report::catalogue::{FindingKind, Severity};
use crate::report::finding::Finding;
use crate::report::publication::{Happened, PublicationEvent};
use crate::report::words::Span;

/// Messages in a row that continue each other, before a suspect is believed.
const CONSISTENT: u8 = 3;
/// The same message so many times in a row is told.
const REPEATS: u8 = 3;
/// A clock may differ by this much between two changes of state.
const CLOCK_NS: u64 = 10 * SECOND;
/// A repetition that is put together just before a new state goes out has the new values already; the new state
/// then follows within the device's own cycle.
const EARLY_NS: u64 = 100_000_000;
/// Behind a change this old, what went before does not go on any more by chance of the network.
const OVERTAKEN_NS: u64 = 20_000_000;

impl Teller<'_> {
    /// Hold the message against what was said before. Returns when the stream wants to be looked at.
    pub(super) fn judge(
        &self,
        stream: &mut Stream,
        message: &Message<'_>,
        fits: bool,
        sink: &mut dyn FindingSink,
    ) -> Option<Timestamp> {
        let Some(trusted) = &stream.trusted else {
            if fits {
                return self.first(stream, message, sink);
            }
            self.suspect(stream, message, false, sink);
            return Some(Table::later(message.at));
        };
        let step = trusted.follow(message);
        // A test set speaks beside the device that it stands for: its messages are told of by their mark.
        let exact = matches!(step, Step::Next | Step::Change | Step::Restamped);
        if self.said.simulated && !trusted.simulated && !exact {
            return None;
        }
        if !fits {
            // The true one is there: this is no device that took its place.
            if step == Step::Break(Break::Path) && !trusted.is_overdue(message.at) {
                self.tell_break(trusted, message, Break::Path, sink);
            }
            self.suspect(stream, message, false, sink);
            return None;
        }
        match step {
            Step::Break(why) => self.broken(stream, message, why, sink),
            _ => self.goes_on(stream, message, step, sink),
        }
    }

    fn clock(&self, message: &Message<'_>) -> u64 {
        let allowed = u64::from(self.said.allowed_to_live_ms.unwrap_or(0)) * 1_000_000;
        self.site.pulse.clock(Scale::of(allowed), message.at)
    }

    fn first(
        &self,
        stream: &mut Stream,
        message: &Message<'_>,
        sink: &mut dyn FindingSink,
    ) -> Option<Timestamp> {
        let said = Said::of(message, self.clock(message));
        let wake = deadline(&said);
        stream.trusted = Some(said);
        self.event(Happened::FirstSeen, message, None, sink);
        wake.or_else(|| Some(Table::later(message.at)))
    }

    /// The message continues what was said.
    fn goes_on(
        &self,
        stream: &mut Stream,
        message: &Message<'_>,
        step: Step,
        sink: &mut dyn FindingSink,
    ) -> Option<Timestamp> {
        let Stream { trusted: Some(trusted), before, stamps, .. } = stream else { return None };
        if step == Step::Again {
            return self.again(trusted, message, sink);
        }
        self.unannounced(trusted, message, sink);
        if let Step::Missed(missed) = step {
            self.missed(trusted, message, missed, sink);
        }
        if step == Step::Restamped {
            *stamps = true;
            self.restamped(message, sink);
        }
        let clock = self.clock(message);
        let changed = message.state != trusted.state || step == Step::Restart;
        if changed {
            // The old state keeps its place; the one before it gives its memory.
            let mut fresh = before.take().unwrap_or_else(|| Said::of(message, clock));
            core::mem::swap(trusted, &mut fresh);
            trusted.take(message, clock);
            *before = Some(fresh);
        } else {
            trusted.take(message, clock);
        }
        let was = core::mem::take(&mut stream.silent);
        if was != Silence::None {
            self.event(Happened::Back, message, None, sink);
        }
        if changed {
            let old = stream.before.take();
            self.changed(stream, message, step, old.as_ref(), sink);
            stream.before = old;
        }
        stream.trusted.as_ref().and_then(deadline)
    }

    /// The same number again: a copy that took another way, a publisher that does not count, a replay.
    fn again(
        &self,
        trusted: &mut Said,
        message: &Message<'_>,
        sink: &mut dyn FindingSink,
    ) -> Option<Timestamp> {
        trusted.repeats = trusted.repeats.saturating_add(1);
        if trusted.repeats < REPEATS {
            return None;
        }
        self.tell(
            FindingKind::GooseSequence,
            format_args!("sqNum one higher with every repetition"),
            format_args!(
                "state {}, sqNum {} of {}, {} times more in a row",
                message.state,
                message.sequence,
                Text(self.said.control_block),
                trusted.repeats
            ),
            sink,
        );
        // Somebody repeats it, whoever that is: its end would say nothing about the publisher.
        (trusted.at, trusted.clock) = (message.at, self.clock(message));
        None
    }

    /// The time of the state moved on without a change of values.
    fn restamped(&self, message: &Message<'_>, sink: &mut dyn FindingSink) {
        let frames = Frames::of_operation(self.operation);
        sink.finding(&Finding {
            kind: FindingKind::GooseTime,
            severity: Some(Severity::Low),
            expected: format_args!("t of state {} as it was when the state began", message.state),
            observed: format_args!("{} stamps every message", Text(self.said.control_block)),
            ..self.blank(&frames)
        });
    }

    /// Other values came in the same state, and the new state that would explain them does not follow.
    fn unannounced(&self, trusted: &mut Said, message: &Message<'_>, sink: &mut dyn FindingSink) {
        let Some(early) = trusted.early else { return };
        let announced = message.state != trusted.state && self.said.members == trusted.members;
        if announced || (message.state == trusted.state && message.at.since(early) <= EARLY_NS) {
            return;
        }
        trusted.early = None;
        let frames = Frames::of_operation(self.operation);
        let blank = self.blank(&frames);
        sink.finding(&Finding {
            kind: FindingKind::GooseStateContradicted,
            severity: Some(Severity::Medium),
            expected: format_args!(
                "a new state of {} that tells the values which a repetition of state {} told",
                Text(self.said.control_block),
                trusted.state
            ),
            observed: format_args!(
                "state {}, sqNum {}, {} ms after them",
                message.state,
                message.sequence,
                message.at.since(early) / 1_000_000
            ),
            fold_key: blank.fold_key ^ 1,
            ..blank
        });
    }

    fn missed(&self, trusted: &Said, message: &Message<'_>, missed: u32, sink: &mut dyn FindingSink) {
        let frames = Frames::of_operation(self.operation);
        let blank = self.blank(&frames);
        if message.drops || blank.coverage.truncated {
            return sink.withheld(FindingKind::GooseSequence);
        }
        sink.finding(&Finding {
            kind: FindingKind::GooseSequence,
            expected: format_args!(
                "state {}, sqNum {} of {} or the next state to follow",
                trusted.state,
                trusted.sequence.wrapping_add(1),
                Text(self.said.control_block)
            ),
            observed: format_args!(
                "state {}, sqNum {}: {missed} {} missing",
                message.state,
                message.sequence,
                if missed == 1 { "message" } else { "messages" }
            ),
            ..blank
        });
    }

    /// A new state.
    fn changed(
        &self,
        stream: &mut Stream,
        message: &Message<'_>,
        step: Step,
        old: Option<&Said>,
        sink: &mut dyn FindingSink,
    ) {
        if step == Step::Restart {
            self.restarted(message, old, sink);
            return self.event(Happened::Restarted, message, old, sink);
        }
        let same = old.is_some_and(|old| old.members == self.said.members);
        if same && step == Step::Change {
            let frames = Frames::of_operation(self.operation);
            // The last repetition of the old state told them already.
            let early = old.is_some_and(|old| old.early.is_some());
            sink.finding(&Finding {
                kind: FindingKind::GooseEmptyChange,
                severity: early.then_some(Severity::Low),
                expected: format_args!("a new state with other values"),
                observed: format_args!(
                    "state {} of {} with the same values",
                    message.state,
                    Text(self.said.control_block)
                ),
                ..self.blank(&frames)
            });
        }
        self.time(stream, message, sink);
        self.event(Happened::Changed, message, old, sink);
    }

    /// The states begin again. The standard asks for no silence before: enabling the control block anew is enough.
    /// A forged one looks the same, until the true publisher goes on; so without a silence it weighs more.
    fn restarted(&self, message: &Message<'_>, old: Option<&Said>, sink: &mut dyn FindingSink) {
        let block = Text(self.said.control_block);
        let expected = format_args!("a publisher that runs on");
        match old.filter(|old| !old.is_overdue(message.at)) {
            None => {
                let what = format_args!("{block} begins again with state 1");
                self.tell(FindingKind::GooseRestart, expected, what, sink);
            }
            Some(old) => {
                let frames = Frames::of_operation(self.operation);
                sink.finding(&Finding {
                    kind: FindingKind::GooseRestart,
                    severity: Some(Severity::Medium),
                    expected,
                    observed: format_args!(
                        "{block} begins again with state 1, {} ms after a message that allowed {} ms",
                        message.at.since(old.at) / 1_000_000,
                        old.allowed_ns / 1_000_000
                    ),
                    ..self.blank(&frames)
                });
            }
        }
    }

    /// The publisher's clock against the tap's, when a state has just begun.
    fn time(&self, stream: &mut Stream, message: &Message<'_>, sink: &mut dyn FindingSink) {
        let Some(t) = self.said.changed_at.filter(|t| t.ns > 0 && message.sequence <= 1) else { return };
        let offset = message.at.0.cast_signed().wrapping_sub(t.ns.cast_signed());
        let usual = stream.offset.replace(offset);
        // Without an earlier one a publisher that says it is synchronised must agree with the tap.
        let Some(usual) = usual.or((!t.unsynchronised && !t.failed).then_some(0)) else { return };
        let off = offset.abs_diff(usual);
        if off > CLOCK_NS {
            let word = if offset < usual { "later" } else { "earlier" };
            self.tell(
                FindingKind::GooseTime,
                format_args!("a state that begins when its message comes"),
                format_args!(
                    "t of state {} of {} is {} {word} than its message",
                    message.state,
                    Text(self.said.control_block),
                    Span(off)
                ),
                sink,
            );
        }
    }

    /// The message does not continue what was said.
    fn broken(
        &self,
        stream: &mut Stream,
        message: &Message<'_>,
        why: Break,
        sink: &mut dyn FindingSink,
    ) -> Option<Timestamp> {
        if old_state_goes_on(stream, message) {
            return self.two_sequences(stream, message, sink);
        }
        if let Some(trusted) = &stream.trusted
            && why == Break::SameState
            && stream.stamps
            && trusted.is_next_stamped(message)
        {
            // IEC 61850-8-1, 18.1.2: a new value begins a new state. Where this was injected, the true message with
            // the same number comes next, and contradicts it.
            self.tell_break(trusted, message, Break::SameStateStamped, sink);
            let wake = self.goes_on(stream, message, Step::Next, sink);
            if let Some(trusted) = &mut stream.trusted {
                trusted.early.get_or_insert(message.at);
            }
            return wake;
        }
        if let Some(trusted) = &stream.trusted {
            self.tell_break(trusted, message, why, sink);
        }
        self.suspect(stream, message, true, sink);
        stream.trusted.as_ref().and_then(deadline)
    }

    /// Both go on side by side: whichever is true, somebody else speaks in the publisher's name.
    fn two_sequences(
        &self,
        stream: &mut Stream,
        message: &Message<'_>,
        sink: &mut dyn FindingSink,
    ) -> Option<Timestamp> {
        let (Some(trusted), Some(before)) = (&mut stream.trusted, &mut stream.before) else { return None };
        self.tell(
            FindingKind::GooseTwoSequences,
            format_args!("one sequence of states of {}", Text(self.said.control_block)),
            format_args!(
                "state {}, sqNum {} goes on after state {} had begun",
                message.state, message.sequence, trusted.state
            ),
            sink,
        );
        core::mem::swap(trusted, before);
        trusted.take(message, self.clock(message));
        deadline(trusted)
    }

    /// The suspect goes on, or another begins. It is believed when the trusted one has fallen silent.
    fn suspect(
        &self,
        stream: &mut Stream,
        message: &Message<'_>,
        may_follow: bool,
        sink: &mut dyn FindingSink,
    ) {
        let clock = self.clock(message);
        let follows = stream.suspect.as_ref().map(|suspect| suspect.follow(message));
        let goes_on = matches!(follows, Some(Step::Next | Step::Change | Step::Restamped | Step::Missed(_)));
        stream.run = if goes_on { stream.run.saturating_add(1) } else { 1 };
        match &mut stream.suspect {
            Some(suspect) => suspect.take(message, clock),
            none => *none = Some(Said::of(message, clock)),
        }
        let overdue = stream.trusted.as_ref().is_some_and(|trusted| trusted.is_overdue(message.at));
        if may_follow && overdue && stream.run >= CONSISTENT {
            core::mem::swap(&mut stream.trusted, &mut stream.suspect);
            (stream.suspect, stream.before, stream.run, stream.silent) = (None, None, 0, Silence::None);
            (stream.offset, stream.stamps) = (None, false);
            self.event(Happened::Adopted, message, None, sink);
        }
    }

    fn event(&self, what: Happened, message: &Message<'_>, old: Option<&Said>, sink: &mut dyn FindingSink) {
        let changes = old.map(|old| Changes { old: &old.members, said: self.said });
        sink.publication(&PublicationEvent {
            at: message.at,
            what,
            protocol: self.operation.protocol,
            publisher: self.operation.from(),
            group: self.operation.to(),
            name: self.name,
            control_block: self.said.control_block,
            application: self.said.application,
            vlan: message.path.vlan,
            state: message.state,
            sequence: message.sequence,
            frame: message.frame,
            changes: changes.as_ref().map(|changes| changes as &dyn core::fmt::Display),
            differing: None,
        });
    }
}

/// Whether what was said before the last change goes on as if there had been none.
fn old_state_goes_on(stream: &Stream, message: &Message<'_>) -> bool {
    let (Some(before), Some(trusted)) = (&stream.before, &stream.trusted) else { return false };
    let began = message.at.since(trusted.at) > OVERTAKEN_NS || trusted.sequence > 0;
    // In the old state itself: a next one that follows it may as well be the present one, altered.
    let next = message.state == before.state
        && matches!(before.follow(message), Step::Next | Step::Restamped | Step::Missed(_));
    began
        && (before.state, before.changed_at) != (trusted.state, trusted.changed_at)
        && next
        && message.at.since(before.at) <= 2 * before.allowed_ns.max(SECOND)
}
