//! Which host has which Ethernet address, by what it sends and by what ARP says.
//!
//! - A host may have two addresses in turn (a pair of network cards); both are learned.
//! - Behind a router many hosts share one address, and when routers change over they all change at once: an
//!   address with three hosts or more is a router's, and what changes there is a path, not a host.
//! - Addresses of VRRP, HSRP and GLBP belong to whoever serves at the moment.

use core::net::IpAddr;

use parsers::{MacAddr, Timestamp};

use super::arp::{self, Arp};
use super::hosts::{Binding, Bindings};
use super::{Now, Site, plan, tell};
use crate::detect::FindingSink;
use crate::report::catalogue::FindingKind;

/// Hosts behind one Ethernet address that make it a router's.
const ROUTER: u32 = 3;
/// Within this time a question by ARP is answered.
const ANSWER_NS: u64 = 5_000_000_000;
/// Questions by ARP that are remembered.
const QUESTIONS: usize = 256;

/// The last questions by ARP: an answer to none of them is unasked for.
#[derive(Debug, Default)]
pub(super) struct Questions {
    asked: Vec<(IpAddr, IpAddr, Timestamp)>,
    next: usize,
}

impl Questions {
    fn ask(&mut self, from: IpAddr, about: IpAddr, at: Timestamp) {
        if let Some(same) = self.asked.iter_mut().find(|q| (q.0, q.1) == (from, about)) {
            same.2 = at;
            return;
        }
        if self.asked.len() < QUESTIONS {
            self.asked.push((from, about, at));
            return;
        }
        if let Some(oldest) = self.asked.get_mut(self.next) {
            *oldest = (from, about, at);
        }
        self.next = (self.next + 1) % QUESTIONS;
    }

    fn was_asked(&self, from: IpAddr, about: IpAddr, at: Timestamp) -> bool {
        self.asked.iter().any(|q| (q.0, q.1) == (from, about) && at.since(q.2) <= ANSWER_NS)
    }
}

/// What an ARP message is, as evidence.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub(super) enum Claim {
    /// A question, or an answer to one.
    Ordinary,
    /// It says itself that nobody asked.
    Gratuitous,
    /// An answer to a question that was not seen.
    Unasked,
    /// The same of somebody who is never seen to send anything: the tap may not see that side.
    Unseen,
}

impl Claim {
    /// Whether it came of its own accord, as far as can be seen.
    fn is_unbidden(self) -> bool {
        self != Claim::Ordinary
    }
}

/// What a binding came to.
enum Change {
    Nothing,
    /// A new address instead of one that was known.
    New {
        old: Binding,
    },
    /// Back to the other address.
    Flip {
        old: MacAddr,
        flips: u32,
    },
}

impl Bindings {
    fn bind(&mut self, mac: MacAddr, at: Timestamp, window: u64) -> Change {
        let known = self.slots.iter().position(|b| b.is_some_and(|b| b.mac == mac));
        let current = usize::from(self.current);
        let old = self.slots.get(current).copied().flatten();
        if let Some(place) = known {
            if let Some(binding) = self.slots.get_mut(place).and_then(Option::as_mut) {
                binding.last = binding.last.max(at);
            }
            self.current = place as u8;
            let Some(old) = old.filter(|_| place != current) else { return Change::Nothing };
            self.flips = if at.since(self.flipped) <= window { self.flips + 1 } else { 1 };
            self.flipped = at;
            return Change::Flip { old: old.mac, flips: self.flips };
        }
        let place = if old.is_none() { current } else { 1 - current.min(1) };
        if let Some(slot) = self.slots.get_mut(place) {
            *slot = Some(Binding { mac, last: at });
        }
        self.current = place as u8;
        old.map_or(Change::Nothing, |old| Change::New { old })
    }
}

impl Site {
    /// A host uses an Ethernet address, or says so by ARP (`claim`).
    pub(super) fn bind(
        &mut self,
        now: Now,
        ip: IpAddr,
        mac: MacAddr,
        claim: Option<Claim>,
        sink: &mut dyn FindingSink,
    ) {
        if let Some(pinned) = self.plan.macs(ip).first().copied() {
            if !self.plan.macs(ip).contains(&mac) {
                tell::not_pinned(self.view(now), ip, (pinned, mac), claim.is_some(), sink);
            }
            return;
        }
        if arp::is_virtual(mac) {
            return;
        }
        let window = (self.thresholds.arp_flip_window.max(0.0) * 1e9) as u64;
        let Some(host) = self.hosts.get(ip) else { return };
        let path = host.path.last();
        let bindings = if claim.is_some() { &mut host.claims } else { &mut host.path };
        let was_same = bindings.last().is_some_and(|last| last.mac == mac);
        let was_known = bindings.slots.iter().flatten().next().is_some();
        let change = bindings.bind(mac, now.at, window);
        if was_same {
            return;
        }
        let new_device = !self.hosts.knows_device(mac);
        if !matches!(change, Change::Flip { .. }) {
            self.hosts.device(mac);
        }
        if new_device {
            self.minute(now.at);
            self.fresh.macs = self.fresh.macs.saturating_add(1);
            self.flood_of_addresses(now, ip, sink);
        }
        match change {
            // The first claim, against what its packets showed.
            Change::Nothing if claim.is_some_and(Claim::is_unbidden) && !was_known => {
                if let Some(old) = path.filter(|path| path.mac != mac && self.hosts.behind(path.mac) < ROUTER)
                {
                    self.changed(now, ip, old, mac, claim, sink);
                }
            }
            Change::Nothing => {}
            Change::New { old } => self.changed(now, ip, old, mac, claim, sink),
            Change::Flip { old, flips } => self.flipped(now, ip, (old, mac), flips, claim, sink),
        }
    }

    fn changed(
        &mut self,
        now: Now,
        ip: IpAddr,
        old: Binding,
        mac: MacAddr,
        claim: Option<Claim>,
        sink: &mut dyn FindingSink,
    ) {
        // What was said of this host has to be looked at again, packet by packet.
        self.seen.forget();
        if claim.is_none() && (self.hosts.behind(old.mac) >= ROUTER || self.hosts.behind(mac) >= ROUTER) {
            return;
        }
        let alive = now.at.since(old.last) as f64 <= self.thresholds.arp_alive * 1e9;
        if let Some(claim) = claim.filter(|claim| claim.is_unbidden() && alive) {
            let view = self.view(now);
            let missed = claim == Claim::Unseen || claim == Claim::Unasked && !view.coverage.is_complete();
            if missed {
                return sink.withheld(FindingKind::ArpSpoofing);
            }
            return tell::taken_over(view, ip, (old.mac, mac), sink);
        }
        if !self.is_early(now.at) {
            tell::mac_change(self.view(now), ip, (old.mac, mac), sink);
        }
    }

    fn flipped(
        &mut self,
        now: Now,
        ip: IpAddr,
        macs: (MacAddr, MacAddr),
        flips: u32,
        claim: Option<Claim>,
        sink: &mut dyn FindingSink,
    ) {
        if claim.is_none() {
            // Packets take either path at any time; only what ARP says is a claim.
            return;
        }
        self.seen.forget();
        let limit = self.thresholds.arp_flips as u32;
        match flips {
            1 => tell::conflict(self.view(now), ip, macs, sink),
            flips if flips >= limit => tell::flip_flop(self.view(now), ip, macs, flips, sink),
            _ => {}
        }
    }

    /// An ARP message.
    pub(super) fn arp(
        &mut self,
        now: Now,
        source: Option<MacAddr>,
        message: &Arp,
        sink: &mut dyn FindingSink,
    ) {
        let (mac, sender) = message.sender;
        let (ip, target) = (IpAddr::V4(sender), IpAddr::V4(message.target));
        if !message.is_probe() && plan::is_host(ip) && arp::is_unicast(mac) {
            if let Some(source) = source
                && source != mac
                && !arp::is_virtual(mac)
                && !arp::is_virtual(source)
            {
                tell::sender_differs(self.view(now), ip, (source, mac), sink);
            }
            let claim = if message.is_gratuitous() {
                Claim::Gratuitous
            } else if !message.is_reply || self.questions.was_asked(target, ip, now.at) {
                Claim::Ordinary
            } else if self.hosts.knows(target) {
                Claim::Unasked
            } else {
                Claim::Unseen
            };
            if self.host(now, ip, Some(mac), sink) {
                self.bind(now, ip, mac, Some(claim), sink);
            }
        }
        if !message.is_reply && !message.is_gratuitous() && !message.is_probe() {
            self.questions.ask(ip, target, now.at);
            self.asked_for(now, ip, target, sink);
        }
    }
}
