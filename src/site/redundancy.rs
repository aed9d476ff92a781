//! Masters that stand in for each other (the profile's redundancy groups), over all of their stations.
//!
//! Each master's traffic belongs to a shard of its own; what only both together show is found here: two that
//! command one station at once (POL-19, split brain), and that none of them asks a station any more (TIM-02).
//! Shards tell signs; they come in the order of their places, and what is concluded from one rests on those
//! before it alone, so the number of workers makes no difference.
//!
//! ```text
//! Alive     a master and a station of its exchange something (about every ten seconds)
//! Commands  a master commands a station
//! Unpolled  a master has not asked a station since it ought to, nor in the time of a change-over
//! ```
//!
//! Bounded by the profile: a state for each of its stations that a group commands.

use core::fmt;
use std::sync::Arc;

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use parsers::{Coverage, Endpoint, FrameRef, Function, Timestamp};
use profiles::{Compiled, DurationText, Redundancy};

use crate::detect::association::AssociationKey;
use crate::detect::policy::Weighed;
use crate::detect::{FindingSink, coverage};
use crate::report::catalogue::FindingKind;
use crate::report::finding::Finding;

/// How often a master and a station that exchange something are told of.
pub(crate) const ALIVE_NS: u64 = 10_000_000_000;
/// Commands by turns within this time are one story, told once.
const STORY_NS: u64 = 600 * 1_000_000_000;
/// Stations of a group without any master that are told one by one; then only at every doubling.
const TOLD: u32 = 2;

/// What a shard has seen of a master of a redundancy group.
#[derive(Debug, Copy, Clone)]
pub struct Sign {
    /// When.
    pub at: Timestamp,
    /// The frame that shows it.
    pub frame: FrameRef,
    /// Master and station.
    pub key: AssociationKey,
    /// The master's place in the profile.
    pub client: u32,
    /// The station's.
    pub station: u32,
    /// What could not be seen.
    pub coverage: Coverage,
    /// What it did.
    pub what: Did,
}

/// What a master of a redundancy group did.
#[derive(Debug, Copy, Clone)]
pub enum Did {
    /// It asked, or was answered.
    Alive,
    /// It commanded.
    Commands(Function),
    /// It has stopped asking, and no change-over takes so long; its last request came then.
    Unpolled(Timestamp),
}

/// A command of one of the masters.
#[derive(Debug, Copy, Clone)]
struct Command {
    client: u32,
    at: Timestamp,
    frame: FrameRef,
}

/// A station and the masters of one group.
#[derive(Debug, Default)]
struct Served {
    /// When each master was alive last.
    alive: Vec<(u32, Timestamp)>,
    /// The last command, and the last one of another master.
    last: Option<Command>,
    other: Option<Command>,
    /// When it was told that two command.
    told: Option<Timestamp>,
    /// No master asks it.
    lost: bool,
}

/// The groups of the profile.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    profile: Option<Arc<Compiled>>,
    /// By station, and by the first host of the group.
    served: HashMap<(u32, usize), Served, FixedState>,
    /// Stations lost, by the first host of the group.
    lost: HashMap<usize, u32, FixedState>,
}

impl Groups {
    /// The profile in force; places in another one mean nothing any more.
    pub(crate) fn set_profile(&mut self, profile: Option<Arc<Compiled>>) {
        *self = Groups { profile, ..Groups::default() };
    }

    /// A sign from a shard.
    pub(crate) fn sign(&mut self, sign: &Sign, sink: &mut dyn FindingSink) {
        let Some(profile) = self.profile.clone() else { return };
        let Some(group) = profile.redundancy_of(sign.client).filter(|group| group.hosts.len() > 1) else {
            return;
        };
        let first = group.hosts.first().copied().unwrap_or_default();
        let served = self.served.entry((sign.station, first)).or_default();
        let lost = self.lost.entry(first).or_default();
        let sink = &mut Weighed::new(Some(&profile), sink);
        let teller = Teller { profile: &profile, group, sign };
        match sign.what {
            Did::Alive => served.is_alive(sign, lost),
            Did::Commands(function) => {
                served.is_alive(sign, lost);
                served.commands(&teller, function, sink);
            }
            Did::Unpolled(since) => served.unpolled(&teller, since, lost, sink),
        }
    }
}

impl Served {
    fn is_alive(&mut self, sign: &Sign, lost: &mut u32) {
        match self.alive.iter_mut().find(|(client, _)| *client == sign.client) {
            Some((_, at)) => *at = sign.at.max(*at),
            None => self.alive.push((sign.client, sign.at)),
        }
        if core::mem::take(&mut self.lost) {
            *lost = lost.saturating_sub(1);
        }
    }

    /// A command: has another master commanded just before, or do they command by turns?
    fn commands(&mut self, teller: &Teller<'_>, function: Function, sink: &mut dyn FindingSink) {
        let sign = teller.sign;
        let now = Command { client: sign.client, at: sign.at, frame: sign.frame };
        let before = self.last.replace(now);
        let Some(before) = before.filter(|before| before.client != sign.client) else { return };
        let turned = self.other.replace(before);
        let within = (teller.profile.thresholds().split_brain_within * 1e9) as u64;
        let at_once = sign.at.since(before.at) <= within;
        // One change-over is none; back again, it is two that both believe to be in command.
        let by_turns =
            turned.is_some_and(|turned| turned.client == sign.client && sign.at.since(turned.at) <= STORY_NS);
        if !(at_once || by_turns) || self.told.is_some_and(|told| sign.at.since(told) <= STORY_NS) {
            return;
        }
        self.told = Some(sign.at);
        teller.split(before, function, sink);
    }

    /// A master does not ask any more: does another one?
    fn unpolled(
        &mut self,
        teller: &Teller<'_>,
        since: Timestamp,
        lost: &mut u32,
        sink: &mut dyn FindingSink,
    ) {
        let sign = teller.sign;
        // Alive after it, and still: within half of the time for which this one has been silent, which is
        // some of its periods at the least.
        let recent = coverage::blind_ns(teller.profile.thresholds()).max(sign.at.since(since) / 2);
        let goes_on = |(client, at): &(u32, Timestamp)| {
            *client != sign.client && at.since(since) > ALIVE_NS && sign.at.since(*at) <= recent
        };
        if self.alive.iter().any(goes_on) || core::mem::replace(&mut self.lost, true) {
            return;
        }
        *lost += 1;
        if *lost <= TOLD || lost.is_power_of_two() {
            teller.nobody(since, *lost, sink);
        }
    }
}

/// Puts it into words.
struct Teller<'a> {
    profile: &'a Compiled,
    group: &'a Redundancy,
    sign: &'a Sign,
}

impl Teller<'_> {
    fn tell(
        &self,
        kind: FindingKind,
        (expected, observed): (fmt::Arguments<'_>, fmt::Arguments<'_>),
        (function, frames): (Option<Function>, &[FrameRef]),
        sink: &mut dyn FindingSink,
    ) {
        let key = self.sign.key;
        if !coverage::bears(kind, self.sign.coverage) {
            return sink.withheld(kind);
        }
        sink.finding(&Finding {
            kind,
            protocol: Some(key.protocol),
            station_name: self.profile.station(self.sign.station).map(|station| station.name.as_str()),
            client_name: self.name(self.sign.client),
            function,
            expected,
            observed,
            frames,
            coverage: self.sign.coverage,
            // Not one story with the master's own silence.
            fold_key: 1 << 32,
            ..Finding::about(
                self.sign.at,
                Endpoint { host: key.master, port: 0 },
                Endpoint { host: key.server, port: key.service },
                key.station,
            )
        });
    }

    fn name(&self, client: u32) -> Option<&str> {
        self.profile.host(client).map(|host| host.name.as_str())
    }

    /// POL-19.
    fn split(&self, before: Command, function: Function, sink: &mut dyn FindingSink) {
        let words = (
            format_args!("one master of the redundancy group '{}' to command at a time", self.group.name),
            format_args!(
                "commands by {} {} after one by {}",
                self.name(self.sign.client).unwrap_or("one"),
                DurationText(self.sign.at.since(before.at) / 1_000_000 * 1_000_000),
                self.name(before.client).unwrap_or("another")
            ),
        );
        let frames = [before.frame, self.sign.frame];
        self.tell(FindingKind::SplitBrain, words, (Some(function), &frames), sink);
    }

    /// TIM-02 of the group.
    fn nobody(&self, since: Timestamp, lost: u32, sink: &mut dyn FindingSink) {
        let quiet = DurationText(self.sign.at.since(since) / 1_000_000_000 * 1_000_000_000);
        let frames = [self.sign.frame];
        let expected = format_args!("polls by a master of the redundancy group '{}'", self.group.name);
        if lost == 1 {
            let words = (expected, format_args!("none by any of them, the last one {quiet} ago"));
            return self.tell(FindingKind::StationNotPolled, words, (None, &frames), sink);
        }
        let words = (
            expected,
            format_args!(
                "none by any of them, the last one {quiet} ago; {lost} stations are without a master"
            ),
        );
        self.tell(FindingKind::StationNotPolled, words, (None, &frames), sink);
    }
}
