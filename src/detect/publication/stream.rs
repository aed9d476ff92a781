//! What a publisher said last, and whether what comes continues it (IEC 61850-8-1 clause 18.1.2).
//!
//! ```text
//! stNum   +1 with every change of a value; sqNum begins again at 0      4294967295 is followed by 1
//! sqNum   +1 with every repetition within a state                       4294967295 is followed by 1
//! t       when the state began: changes with stNum and never else
//! restart stNum 1, sqNum 1 (or 0)
//! ```

use parsers::{FrameRef, MacAddr, Publication, Timestamp};

use crate::detect::pulse::Scale;

/// Repetitions that come within this time behind later ones were overtaken on the way.
const OVERTAKEN_NS: u64 = 20_000_000;
/// No publisher repeats itself faster, so no more messages than this allows can have been missed.
const FASTEST_NS: u64 = 1_000_000;
/// A device that stamps every message moves its time on as the messages come, within this.
const STAMP_NS: u64 = 1_000_000_000;

/// Which way publications take.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub(crate) struct Path {
    pub(crate) source: MacAddr,
    pub(crate) destination: MacAddr,
    pub(crate) application: u16,
    /// The innermost VLAN id that is not 0; mirror ports take tags away, so none is no other than any.
    pub(crate) vlan: Option<u16>,
}

impl Path {
    /// Whether both may be the same publisher's.
    pub(crate) fn agrees(&self, other: &Path) -> bool {
        let vlan = self.vlan.is_none() || other.vlan.is_none() || self.vlan == other.vlan;
        vlan && Path { vlan: None, ..*self } == Path { vlan: None, ..*other }
    }
}

/// The state that a publisher is in.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) path: Path,
    pub(crate) state: u32,
    pub(crate) sequence: u32,
    /// Nanoseconds since 1970, by the publisher's clock.
    pub(crate) changed_at: Option<u64>,
    pub(crate) revision: Option<u32>,
    pub(crate) entries: Option<u32>,
    data_set: u64,
    /// Members and their types.
    shape: (u32, u64),
    pub(crate) members: Vec<u8>,
    /// When the last message of the state came, and which frame brought it.
    pub(crate) at: Timestamp,
    pub(crate) frame: FrameRef,
    /// The tap's own clock then; see [`crate::detect::pulse::Pulse::clock`].
    pub(crate) clock: u64,
    /// How long the publisher may be silent, in nanoseconds; 0 if it does not say.
    pub(crate) allowed_ns: u64,
    /// Time between the last two messages.
    interval_ns: u64,
    /// The same number came again so many times in a row.
    pub(crate) repeats: u8,
    /// Sent by a test set.
    pub(crate) simulated: bool,
    /// When a repetition told values that no new state had announced yet.
    pub(crate) early: Option<Timestamp>,
}

/// How a message continues what was said.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub(crate) enum Step {
    /// The next repetition.
    Next,
    /// The next repetition, with a new time of the state: some devices stamp every message.
    Restamped,
    /// The same once more, or one that was overtaken.
    Again,
    /// The next state.
    Change,
    /// So many messages were missed in between, and possibly a change.
    Missed(u32),
    /// The publisher has started again.
    Restart,
    /// It does not.
    Break(Break),
}

/// Why it does not.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub(crate) enum Break {
    /// Another publisher, or another way.
    Path,
    /// Another revision of the configuration.
    Revision,
    /// Another data set, or members of other types.
    DataSet,
    /// A state that is over.
    OldState,
    /// A repetition that was already there.
    OldSequence,
    /// The state began before the one that is over.
    OldTime,
    /// States that cannot have been missed.
    StateJump,
    /// Other values, or another time, within the same state.
    SameState,
    /// Other values within the same state, in the next message of a publisher that stamps every message.
    SameStateStamped,
    /// Repetitions that cannot have been missed.
    SequenceJump,
}

/// A message on its way in.
pub(crate) struct Message<'a> {
    pub(crate) said: &'a Publication<'a>,
    pub(crate) path: Path,
    pub(crate) state: u32,
    pub(crate) sequence: u32,
    pub(crate) at: Timestamp,
    pub(crate) frame: FrameRef,
    /// The tap lost frames lately.
    pub(crate) drops: bool,
}

impl Message<'_> {
    fn changed_at(&self) -> Option<u64> {
        self.said.changed_at.map(|t| t.ns)
    }
}

impl Said {
    pub(crate) fn of(message: &Message<'_>, clock: u64) -> Said {
        let mut said = Said {
            path: message.path,
            state: 0,
            sequence: 0,
            changed_at: None,
            revision: None,
            entries: None,
            data_set: 0,
            shape: (0, 0),
            members: Vec::new(),
            at: message.at,
            frame: message.frame,
            clock,
            allowed_ns: 0,
            interval_ns: 0,
            repeats: 0,
            simulated: false,
            early: None,
        };
        said.take(message, clock);
        said
    }

    /// What was said is this message now.
    pub(crate) fn take(&mut self, message: &Message<'_>, clock: u64) {
        let said = message.said;
        let vlan = message.path.vlan.or(self.path.vlan);
        if self.state != message.state {
            self.early = None;
        }
        if self.state != message.state || self.members != said.members {
            self.members.clear();
            self.members.extend_from_slice(said.members);
            self.shape = (said.shape)(said.members);
        }
        self.path = Path { vlan, ..message.path };
        self.interval_ns = message.at.since(self.at);
        (self.state, self.sequence) = (message.state, message.sequence);
        self.changed_at = message.changed_at();
        (self.revision, self.entries) = (said.revision, said.entries);
        self.data_set = super::hash(said.data_set);
        (self.at, self.frame, self.clock) = (message.at, message.frame, clock);
        self.allowed_ns = u64::from(said.allowed_to_live_ms.unwrap_or(0)) * 1_000_000;
        self.repeats = 0;
        self.simulated = said.simulated;
    }

    /// The scale at which the tap's silence is no silence of the publisher.
    pub(crate) fn scale(&self) -> Scale {
        Scale::of(self.allowed_ns)
    }

    /// Whether it was silent for longer than it says, at `at`.
    pub(crate) fn is_overdue(&self, at: Timestamp) -> bool {
        self.allowed_ns == 0 || at.since(self.at) > self.allowed_ns
    }

    /// Whether the values and what belongs to them are the same.
    fn is_same_state(&self, message: &Message<'_>) -> bool {
        self.changed_at == message.changed_at() && self.members == message.said.members
    }

    /// How a message continues this.
    pub(crate) fn follow(&self, message: &Message<'_>) -> Step {
        if !self.path.agrees(&message.path) {
            return Step::Break(Break::Path);
        }
        let said = message.said;
        if self.revision != said.revision {
            return Step::Break(Break::Revision);
        }
        let same_members = self.members == said.members;
        if self.data_set != super::hash(said.data_set)
            || self.entries != said.entries
            || (!same_members && self.shape != (said.shape)(said.members))
        {
            return Step::Break(Break::DataSet);
        }
        let overdue = self.is_overdue(message.at);
        let first = message.state == 1 && message.sequence <= 1;
        if first && ((overdue && !self.continues(message)) || self.is_begun_anew(message)) {
            return Step::Restart;
        }
        let elapsed = message.at.since(self.at);
        if message.state == self.state {
            return self.within_state(message, elapsed);
        }
        let states = after(self.state, message.state);
        if states > u32::MAX / 2 {
            return Step::Break(Break::OldState);
        }
        if self.changed_at.zip(message.changed_at()).is_some_and(|(before, now)| now < before) {
            return Step::Break(Break::OldTime);
        }
        let possible = elapsed / FASTEST_NS + 1;
        if states > 1 && (!(overdue || message.drops) || u64::from(states) > possible) {
            return Step::Break(Break::StateJump);
        }
        if u64::from(message.sequence) > possible {
            return Step::Break(Break::SequenceJump);
        }
        match (states - 1).saturating_add(message.sequence.saturating_sub(1)) {
            0 => Step::Change,
            missed => Step::Missed(missed),
        }
    }

    fn continues(&self, message: &Message<'_>) -> bool {
        message.state == self.state
            && after(self.sequence, message.sequence) <= 1
            && self.is_same_state(message)
    }

    /// Whether a first message, within the time that the last one allows, belongs to a later run: it is none of
    /// those that come next, and its state began later. A replay of an earlier start has an earlier time.
    fn is_begun_anew(&self, message: &Message<'_>) -> bool {
        let next_state = after(self.state, message.state) == 1;
        let repeats = message.state == self.state && after(self.sequence, message.sequence) <= 1;
        let later = self.changed_at.zip(message.changed_at()).is_some_and(|(before, now)| now > before);
        later && !next_state && !repeats
    }

    /// Whether this is the next repetition of a publisher that stamps every message, with whatever values.
    pub(crate) fn is_next_stamped(&self, message: &Message<'_>) -> bool {
        message.state == self.state
            && after(self.sequence, message.sequence) == 1
            && self.is_stamp(message, message.at.since(self.at))
    }

    /// Whether the time has moved on as much as the message came later.
    fn is_stamp(&self, message: &Message<'_>, elapsed: u64) -> bool {
        let Some((before, now)) = self.changed_at.zip(message.changed_at()) else { return false };
        now.checked_sub(before).is_some_and(|moved| moved.abs_diff(elapsed) < STAMP_NS)
    }

    /// Whether the values are the same and the time has moved on as much as the message came later.
    fn is_restamped(&self, message: &Message<'_>, elapsed: u64) -> bool {
        self.members == message.said.members && self.is_stamp(message, elapsed)
    }

    fn within_state(&self, message: &Message<'_>, elapsed: u64) -> Step {
        if !self.is_same_state(message) {
            let next = after(self.sequence, message.sequence) == 1;
            return if next && self.is_restamped(message, elapsed) {
                Step::Restamped
            } else {
                Step::Break(Break::SameState)
            };
        }
        let steps = after(self.sequence, message.sequence);
        // Behind the last number comes 1, or 0 with some.
        match steps {
            0 => Step::Again,
            1 => Step::Next,
            _ if self.sequence == u32::MAX && message.sequence == 0 => Step::Next,
            _ if steps > u32::MAX - 4 && elapsed < OVERTAKEN_NS => Step::Again,
            _ if steps > u32::MAX / 2 => Step::Break(Break::OldSequence),
            _ => {
                // Within a state the time between repetitions only grows; half of it allows for jitter.
                let spacing = (self.interval_ns / 2).max(FASTEST_NS);
                let spacing = if message.drops { FASTEST_NS } else { spacing };
                if u64::from(steps) > elapsed / spacing + 1 {
                    Step::Break(Break::SequenceJump)
                } else {
                    Step::Missed(steps - 1)
                }
            }
        }
    }
}

/// Steps from one number to another, where 1 follows the last one.
fn after(from: u32, to: u32) -> u32 {
    if to >= from { to - from } else { (u32::MAX - from).saturating_add(to) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_on_with_1_behind_the_last() {
        assert_eq!(after(1, 2), 1);
        assert_eq!(after(u32::MAX, 1), 1);
        assert_eq!(after(u32::MAX - 1, 1), 2);
        assert!(after(5, 4) > u32::MAX / 2);
        assert_eq!(after(7, 7), 0);
    }

    #[test]
    fn a_missing_vlan_tag_is_no_other_way() {
        let path =
            |vlan| Path { source: MacAddr([1; 6]), destination: MacAddr([3; 6]), application: 1, vlan };
        assert!(path(None).agrees(&path(Some(5))) && path(Some(5)).agrees(&path(Some(5))));
        assert!(!path(Some(4)).agrees(&path(Some(5))));
        assert!(!path(None).agrees(&Path { application: 2, ..path(None) }));
    }
}
