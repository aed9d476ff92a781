//! Publishers (GOOSE): who published what, within limits.
//!
//! Messages are followed by the detections that follow them when the sensor runs (`detect::publication`), without a
//! profile. What they would tell of is listed; what a publisher said nearly always is learned.

mod decide;
mod tally;
mod write;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use parsers::{MacAddr, Operation, Publication};

pub use decide::Learnt;
pub(super) use decide::decide;
pub use write::name;
pub(super) use write::{merge, sections};

use super::clock::{Clock, Seen};
use super::limits::PUBLISHERS;
use crate::decap::Packet;
use crate::detect::control::Shortage;
use crate::detect::coverage::Losses;
use crate::detect::publication::Publications;
use crate::detect::pulse::Pulse;
use crate::detect::{FindingSink, SiteView};
use crate::pipeline::FlowContext;
use crate::report::catalogue::{FindingKind, Severity};
use crate::report::finding::Finding;
use tally::Tally;

/// A control block and the way that its messages took.
#[derive(Debug, Clone, Eq, PartialEq, Ord, PartialOrd)]
pub(super) struct Way {
    block: Vec<u8>,
    source: MacAddr,
    destination: MacAddr,
    application: u16,
}

/// What was said of a control block on one way.
#[derive(Debug, Default)]
struct Said {
    /// Messages that are neither simulated nor broken.
    seen: Seen,
    vlan: Tally<u16>,
    data_set: Tally<Vec<u8>>,
    identifier: Tally<Vec<u8>>,
    revision: Tally<u32>,
    entries: Tally<u32>,
    /// Shortest and longest time allowed to live, in milliseconds.
    allowed_ms: Option<(u32, u32)>,
    /// The longest time between two messages, in nanoseconds.
    pause_ns: u64,
    /// Changes of the number of the state, and the last one.
    changes: u64,
    state: Option<u32>,
    /// What detections would have told.
    told: BTreeMap<FindingKind, Seen>,
}

/// All that was published.
#[derive(Default)]
pub(super) struct Publishers {
    ways: BTreeMap<Way, Said>,
    /// IP addresses of the publishers' Ethernet addresses; more than one says that it is a router's.
    hosts: BTreeMap<MacAddr, BTreeSet<IpAddr>>,
    /// GSE management, by who sent it.
    management: BTreeMap<MacAddr, Seen>,
    detections: Publications,
    pulse: Pulse,
    shortage: Shortage,
    thresholds: profiles::Thresholds,
    /// Messages beyond [`PUBLISHERS`].
    pub(super) overflow: u64,
}

/// Kinds of findings that make a message suspicious.
const SUSPICIOUS: [FindingKind; 12] = [
    FindingKind::GooseSecondPublisher,
    FindingKind::GooseTwoSequences,
    FindingKind::GooseReplay,
    FindingKind::GooseStateJump,
    FindingKind::GooseStateContradicted,
    FindingKind::GooseEmptyChange,
    FindingKind::GooseSequence,
    FindingKind::GooseTime,
    FindingKind::GooseFlood,
    FindingKind::GooseSimulation,
    FindingKind::GooseConfiguration,
    FindingKind::GooseDataSet,
];

/// The kinds that one message raised.
#[derive(Default)]
struct Kinds(BTreeSet<FindingKind>);

impl FindingSink for Kinds {
    fn finding(&mut self, finding: &Finding<'_>) {
        let serious = finding.severity.is_none_or(|s| s >= Severity::Medium);
        if serious && SUSPICIOUS.contains(&finding.kind) {
            self.0.insert(finding.kind);
        }
    }
}

impl Publishers {
    /// Messages that count.
    pub(super) fn messages(&self) -> u64 {
        self.ways.values().map(|said| said.seen.count).sum()
    }

    /// A message.
    pub(super) fn message(&mut self, context: &FlowContext, operation: &Operation<'_>, clock: &mut Clock) {
        let at = operation.origin.at;
        let Some(said) = operation.detail.publication() else {
            let source = operation.flow.client_mac.unwrap_or_default();
            if self.management.len() < PUBLISHERS || self.management.contains_key(&source) {
                self.management.entry(source).or_default().note(at, clock);
            }
            return;
        };
        let kinds = self.follow(context, operation);
        let way = Way {
            block: said.control_block.to_vec(),
            source: operation.flow.client_mac.unwrap_or_default(),
            destination: operation.flow.server_mac.unwrap_or_default(),
            application: said.application,
        };
        if !self.ways.contains_key(&way) && self.ways.len() >= PUBLISHERS {
            self.overflow += 1;
            return;
        }
        self.hosts.entry(way.source).or_default();
        let own = self.ways.entry(way).or_default();
        for kind in kinds.0 {
            own.told.entry(kind).or_default().note(at, clock);
        }
        if said.simulated || !said.sound {
            return;
        }
        if own.seen.count > 0 {
            own.pause_ns = own.pause_ns.max(at.since(own.seen.last));
        }
        own.seen.note(at, clock);
        let vlan = operation.flow.vlan.ids().iter().rev().copied();
        own.take(&said, vlan.into_iter().find(|id| (1..=4094).contains(id)));
    }

    /// What the detections would tell of the message.
    fn follow(&mut self, context: &FlowContext, operation: &Operation<'_>) -> Kinds {
        let mut kinds = Kinds::default();
        let site = SiteView {
            profile: None,
            thresholds: &self.thresholds,
            losses: Losses::none(&self.thresholds),
            pulse: &self.pulse,
            epoch: 0,
            control: &self.shortage,
        };
        self.detections.due(operation.origin.at, site, &mut Kinds::default());
        self.detections.message(context, operation, site, &mut kinds);
        kinds
    }

    /// Who speaks with a publisher's Ethernet address beside GOOSE.
    pub(super) fn packet(&mut self, packet: &Packet<'_>) {
        let (Some(mac), Some((ip, _))) = (packet.src_mac, packet.ip) else { return };
        let Some(ips) = self.hosts.get_mut(&mac) else { return };
        if ips.len() < 2 {
            ips.insert(ip);
        }
    }
}

impl Said {
    fn take(&mut self, said: &Publication<'_>, vlan: Option<u16>) {
        if let Some(vlan) = vlan {
            self.vlan.note(|own| *own == vlan, || vlan);
        }
        self.data_set.note(|own| own == said.data_set, || said.data_set.to_vec());
        // A message without one says nothing of it, and is not judged by it.
        if !said.identifier.is_empty() {
            self.identifier.note(|own| own == said.identifier, || said.identifier.to_vec());
        }
        if let Some(revision) = said.revision {
            self.revision.note(|own| *own == revision, || revision);
        }
        if let Some(entries) = said.entries {
            self.entries.note(|own| *own == entries, || entries);
        }
        if let Some(ms) = said.allowed_to_live_ms {
            let (least, most) = self.allowed_ms.unwrap_or((ms, ms));
            self.allowed_ms = Some((least.min(ms), most.max(ms)));
        }
        self.changes += u64::from(self.state.is_some() && self.state != said.state);
        self.state = said.state.or(self.state);
    }
}
