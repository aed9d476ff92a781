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
//! itself, and three messages in a row continued each other. So a poisoned message does not make the true
//! publisher alarm for ever, and who forged it is not adopted while the true one speaks.

mod differing;
mod judge;
mod marks;
mod silence;
mod stream;
mod table;
mod tell;

use std::collections::HashMap;

use parsers::{MacAddr, Operation, Publication, Timestamp, VlanStack};
use profiles::{Compiled, Published, Publisher, Publishing};

use super::raise::{Frames, Subject};
use super::{FindingSink, SiteView};
use crate::pipeline::FlowContext;
use crate::report::catalogue::FindingKind;
use crate::report::finding::Finding;
use silence::silence;
use stream::{Message, Path};
pub use table::STREAM_LIMIT;
use table::Table;

const SECOND: u64 = 1_000_000_000;

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

    /// Another profile is in force. Publishers whose row says the same are followed on; the others begin anew.
    pub fn rename(&mut self, old: Option<&Compiled>, new: Option<&Compiled>) {
        fn rows(profile: Option<&Compiled>) -> &[Publisher] {
            profile.map_or(&[], |profile| &profile.profile().publishers)
        }
        let (old, new) = (rows(old), rows(new));
        let mut blocks: HashMap<&[u8], Vec<u32>> = HashMap::new();
        for (place, row) in new.iter().enumerate() {
            blocks.entry(row.control_block.as_bytes()).or_default().push(place as u32);
        }
        self.table.rename(|(block, named)| {
            let places = blocks.get(&**block).map_or(&[][..], Vec::as_slice);
            let Some(named) = named else {
                // It had no row. Where publishers are judged, it has one now or is nobody's.
                return new.is_empty().then_some(None);
            };
            let row = old.get(*named as usize)?;
            let same = |place: &&u32| new.get(**place as usize).is_some_and(|new| new.judges_as(row));
            places.iter().find(same).map(|place| Some(*place))
        });
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
        let stream = slot.and_then(|slot| self.table.get(slot));
        teller.policy(&published, &path, stream, sink);
        teller.marks(&published, sink);
        let allowed = published.allowed();
        let (Some(state), Some(sequence), true) = (said.state, said.sequence, said.sound) else {
            return allowed;
        };
        let at = operation.origin.at;
        let drops = site.losses.bear_on(at);
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

    /// The end: tell of what has not ended.
    pub fn finish(&self, site: SiteView<'_>, sink: &mut dyn FindingSink) {
        for stream in self.table.streams() {
            differing::finish(stream, site, sink);
        }
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
    let coverage = context.blindness.at(operation.flow, operation.origin.at, &site.losses);
    sink.finding(&Finding {
        kind: FindingKind::GseManagement,
        expected: format_args!("GOOSE alone in operation"),
        observed: format_args!("GSE management, {} octets", operation.body.len()),
        ..subject.finding(coverage, &frames)
    });
}
