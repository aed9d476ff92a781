//! Publications (GOOSE): whether each continues what its publisher said before.
//!
//! ```text
//! message -> profile   does it name this publisher?                     policy
//!         -> stream    of its control block: trusted | suspect          table, stream
//!              continues trusted        trusted goes on
//!              continues what was before the last change: that change was forged, or this is
//!              anything else            a finding, and the suspect goes on: never the baseline
//! ```
//! What is suspect is believed only after the trusted publisher has been silent for longer than it allows
//! itself, and [`CONSISTENT`] messages in a row continued each other. So a poisoned message does not make the true
//! publisher alarm for ever, and who forged it is not adopted while the true one speaks.

mod stream;
mod table;
mod tell;

use parsers::{MacAddr, Operation, Publication, Timestamp, VlanStack};
use profiles::{Published, Publishing};

use super::coverage;
use super::raise::{Frames, Subject};
use super::{FindingSink, SiteView};
use crate::pipeline::FlowContext;
use crate::report::catalogue::{FindingKind, Severity};
use crate::report::finding::Finding;
use crate::report::publication::{Happened, PublicationEvent};
use stream::{Break, Message, Path, Said, Step};
pub use table::STREAM_LIMIT;
use table::{Silence, Stream, Table};
use tell::{Changes, Text, Way};

const SECOND: u64 = 1_000_000_000;

/// Messages in a row that continue each other, before a suspect is believed.
const CONSISTENT: u8 = 3;
/// The same message so many times in a row is told.
const REPEATS: u8 = 3;
/// How much longer than it allows itself a publisher may be silent: jitter of the network and the tap.
const JITTER_NS: u64 = 50_000_000;
/// A clock may differ by this much between two changes of state.
const CLOCK_NS: u64 = 10 * SECOND;
/// Behind a change this old, what went before does not go on any more by chance of the network.
const OVERTAKEN_NS: u64 = 20_000_000;

/// The publishers of one shard.
#[derive(Default)]
pub struct Publications {
    table: Table,
}

/// What is needed to tell of a message.
struct Teller<'a> {
    operation: &'a Operation<'a>,
    said: &'a Publication<'a>,
    context: &'a FlowContext,
    site: SiteView<'a>,
    name: Option<&'a str>,
}

impl Publications {
    /// Control blocks that could not be followed because the table was full.
    #[must_use]
    pub fn overflowed(&self) -> u64 {
        self.table.overflowed
    }

    /// Another profile is in force.
    pub fn forget(&mut self) {
        self.table.clear();
    }

    /// When [`Publications::due`] has something to do.
    #[must_use]
    pub fn next_wake(&self) -> Option<Timestamp> {
        self.table.next_wake()
    }

    /// A message. Returns whether the profile allows it; `None` where it says nothing of publishers.
    pub fn message(
        &mut self,
        context: &FlowContext,
        operation: &Operation<'_>,
        site: SiteView<'_>,
        sink: &mut dyn FindingSink,
    ) -> Option<bool> {
        let Some(said) = operation.detail.publication() else {
            management(context, operation, site, sink);
            return None;
        };
        let path = path_of(operation, &said);
        let published = site.profile.map_or(Published::Unjudged, |profile| {
            let (source, destination, vlan) = (path.source, path.destination, path.vlan);
            profile.published(&Publishing { source, destination, vlan, said: &said })
        });
        let name = published.name();
        let teller = Teller { operation, said: &said, context, site, name };
        let slot = self.table.admit(said.control_block, published.index(), operation.origin.at);
        if let Some(stream) = slot.and_then(|slot| self.table.get(slot)) {
            stream.last = operation.origin.at;
            teller.rate(stream, sink);
        }
        teller.policy(&published, sink);
        teller.marks(&published, sink);
        let allowed = published.allowed();
        let (Some(state), Some(sequence), true) = (said.state, said.sequence, said.sound) else {
            return allowed;
        };
        let at = operation.origin.at;
        let drops = coverage::is_recent(site.last_drop, at);
        let frame = operation.origin.frame;
        let message = Message { said: &said, path, state, sequence, at, frame, drops };
        if let Some(slot) = slot
            && let Some(stream) = self.table.get(slot)
        {
            let fits = allowed != Some(false);
            if let Some(at) = teller.judge(stream, &message, fits, sink) {
                self.table.wake(slot, at);
            }
        }
        allowed
    }

    /// What is due at `now`.
    pub fn due(&mut self, now: Timestamp, site: SiteView<'_>, sink: &mut dyn FindingSink) {
        while let Some(slot) = self.table.due(now) {
            if self.table.forget_if_old(slot, now) {
                continue;
            }
            let Some(stream) = self.table.get(slot) else { continue };
            let next = silence(stream, now, site, sink).unwrap_or_else(|| Table::later(now));
            self.table.wake(slot, next.max(now.plus(1)));
        }
    }
}

/// The innermost id that is not 0: priority tags name no VLAN.
fn vlan_of(stack: &VlanStack) -> Option<u16> {
    stack.ids().iter().rev().copied().find(|id| *id != 0)
}

fn path_of(operation: &Operation<'_>, said: &Publication<'_>) -> Path {
    Path {
        source: operation.flow.client_mac.unwrap_or_default(),
        destination: operation.flow.server_mac.unwrap_or_default(),
        application: said.application,
        vlan: vlan_of(&operation.flow.vlan),
    }
}

/// A number for octets of the wire; FNV-1a. It only keeps findings apart and saves comparing names.
fn hash(octets: &[u8]) -> u64 {
    octets.iter().fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(*b)).wrapping_mul(0x0100_0000_01b3))
}

fn mac_key(mac: MacAddr) -> u64 {
    mac.0.iter().fold(0, |bits, octet| bits << 8 | u64::from(*octet))
}

/// GSE management serves engineering; nobody needs it in operation.
fn management(
    context: &FlowContext,
    operation: &Operation<'_>,
    site: SiteView<'_>,
    sink: &mut dyn FindingSink,
) {
    let subject = Subject::of_operation(operation, site.profile);
    let frames = Frames::of_operation(operation);
    let coverage = context.blindness.at(operation.flow, operation.origin.at, site.last_drop);
    sink.finding(&Finding {
        kind: FindingKind::GseManagement,
        expected: format_args!("GOOSE alone in operation"),
        observed: format_args!("GSE management, {} octets", operation.body.len()),
        ..subject.finding(coverage, &frames)
    });
}

impl Teller<'_> {
    /// Raise a finding about this message.
    fn tell(
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

    fn blank<'f>(&'f self, frames: &'f Frames) -> Finding<'f> {
        let (operation, site) = (self.operation, self.site);
        let subject = Subject::of_operation(operation, site.profile);
        let coverage = self.context.blindness.at(operation.flow, operation.origin.at, site.last_drop);
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
    fn rate(&self, stream: &mut Stream, sink: &mut dyn FindingSink) {
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

    /// What the profile says of the publisher.
    fn policy(&self, published: &Published<'_>, sink: &mut dyn FindingSink) {
        let (expected, observed) = (published.expected(), published.observed());
        if let (Some(expected), Some(observed)) = (expected, observed) {
            let kind = match published {
                Published::Unknown { .. } => FindingKind::UnprofiledPublisher,
                _ => FindingKind::PublisherDiffers,
            };
            self.tell(kind, format_args!("{expected}"), format_args!("{observed}"), sink);
        }
    }

    /// Marks that stand in the message itself.
    fn marks(&self, published: &Published<'_>, sink: &mut dyn FindingSink) {
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

    /// Hold the message against what was said before. Returns when the stream wants to be looked at.
    fn judge(
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
        self.site.pulse.clock(super::pulse::Scale::of(allowed), message.at)
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
        let Stream { trusted: Some(trusted), before, .. } = stream else { return None };
        if step == Step::Again {
            return self.again(trusted, message, sink);
        }
        if let Step::Missed(missed) = step {
            self.missed(trusted, message, missed, sink);
        }
        if step == Step::Restamped {
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
            let what = format_args!("{} begins again with state 1", Text(self.said.control_block));
            self.tell(FindingKind::GooseRestart, format_args!("a publisher that runs on"), what, sink);
            return self.event(Happened::Restarted, message, old, sink);
        }
        let same = old.is_some_and(|old| old.members == self.said.members);
        if same && step == Step::Change {
            self.tell(
                FindingKind::GooseEmptyChange,
                format_args!("a new state with other values"),
                format_args!(
                    "state {} of {} with the same values",
                    message.state,
                    Text(self.said.control_block)
                ),
                sink,
            );
        }
        self.time(stream, message, sink);
        self.event(Happened::Changed, message, old, sink);
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
                    "t of state {} of {} is {} s {word} than its message",
                    message.state,
                    Text(self.said.control_block),
                    off / SECOND
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
            stream.offset = None;
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
        });
    }
}

/// Whether what was said before the last change goes on as if there had been none.
fn old_state_goes_on(stream: &Stream, message: &Message<'_>) -> bool {
    let (Some(before), Some(trusted)) = (&stream.before, &stream.trusted) else { return false };
    let began = message.at.since(trusted.at) > OVERTAKEN_NS || trusted.sequence > 0;
    let next =
        matches!(before.follow(message), Step::Next | Step::Change | Step::Restamped | Step::Missed(_));
    began
        && before.state != trusted.state
        && next
        && message.at.since(before.at) <= 2 * before.allowed_ns.max(SECOND)
}

/// When a publisher counts as silent.
fn deadline(said: &Said) -> Option<Timestamp> {
    (said.allowed_ns > 0).then(|| said.at.plus(said.allowed_ns + JITTER_NS))
}

/// Whether the publisher has been silent for too long. Returns when to look again.
fn silence(
    stream: &mut Stream,
    now: Timestamp,
    site: SiteView<'_>,
    sink: &mut dyn FindingSink,
) -> Option<Timestamp> {
    let trusted = stream.trusted.as_ref()?;
    let late = deadline(trusted)?;
    let lasting = trusted.at.plus((site.thresholds.goose_silence.max(0.0) * 1e9) as u64).max(late);
    let due = match stream.silent {
        Silence::None => late,
        Silence::Late => lasting,
        Silence::Lasting => return None,
    };
    if now < due {
        return Some(due);
    }
    // Where nobody was heard, the tap itself may have been blind.
    let heard = site.pulse.clock(trusted.scale(), now).saturating_sub(trusted.clock);
    let wanted = due.since(trusted.at);
    if heard < wanted {
        return Some(now.plus(wanted - heard));
    }
    let lasts = due == lasting;
    stream.silent = if lasts { Silence::Lasting } else { Silence::Late };
    let drops = coverage::is_recent(site.last_drop, now);
    let name = stream.key.1.zip(site.profile).and_then(|(index, profile)| profile.publisher_name(index));
    let allowed = trusted.allowed_ns / 1_000_000;
    let block = &stream.key.0;
    let finding = Finding {
        kind: FindingKind::GooseSilent,
        expected: format_args!(
            "the next message of {} within {allowed} ms, as the last one says",
            Text(block)
        ),
        observed: format_args!(
            "none for {} s; the last was state {}, sqNum {}",
            wanted / SECOND,
            trusted.state,
            trusted.sequence
        ),
        severity: (!lasts).then_some(Severity::Low),
        ..tell::of_nobody(
            due,
            &trusted.path,
            drops,
            core::slice::from_ref(&trusted.frame),
            hash(block) ^ u64::from(lasts),
            name,
        )
    };
    if drops {
        sink.withheld(FindingKind::GooseSilent);
    } else {
        sink.finding(&finding);
    }
    if lasts && lasting > late {
        return None;
    }
    let path = Way(&trusted.path);
    sink.publication(&PublicationEvent {
        at: due,
        what: Happened::Silent,
        protocol: parsers::Protocol::Goose,
        publisher: path.publisher(),
        group: path.group(),
        name,
        control_block: block,
        application: trusted.path.application,
        vlan: trusted.path.vlan,
        state: trusted.state,
        sequence: trusted.sequence,
        frame: trusted.frame,
        changes: None,
    });
    (!lasts).then_some(lasting)
}
