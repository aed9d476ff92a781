//! What spans pairs of hosts: one owner on the reading thread, beside the shards.
//!
//! [`Site`] sees every packet that is not a copy, in order, before its shard does, and the whole seconds of
//! packet time; its findings go into the log at the place of that packet. A shard that has something for more
//! than its pair of hosts tells a [`Fact`]; facts come to [`crate::report::sinks`] in the order of the packets,
//! but any time after the packet itself has been seen here: what is drawn from facts must not depend on
//! packets that came later, or it would depend on the number of workers.
//!
//! ```text
//! packet -> Seen (nothing new: done) -> Hosts (inventory, Ethernet addresses, services, masters)
//!           ARP -> claims on addresses    SYN, RST, ICMP -> Callers (port scans, sweeps, floods)
//! ```
//!
//! Nothing is learned ahead of time. Without a profile, hosts and services that are there in the first
//! minutes of packet time (`host_learning`) are the site; what comes later is new, and the finding says so.

mod arp;
mod contacts;
mod external;
mod hosts;
mod identity;
mod plan;
pub mod redundancy;
pub mod restarts;
mod seen;
mod services;
mod tell;
mod traffic;
mod volume;

use core::net::IpAddr;
use parsers::{Coverage, FrameRef, MacAddr, Timestamp, Transport};
use profiles::{Compiled, Thresholds};

use crate::capture::Frame;
use crate::decap::{Packet, Payload, Plain};
use crate::detect::FindingSink;
use crate::detect::coverage::{self, Losses};
use crate::pipeline::PortTable;
use crate::report::record::StationEvent;
use arp::Arp;
pub use contacts::CALLER_LIMIT;
use contacts::Callers;
use hosts::Hosts;
pub use hosts::{HOST_LIMIT, MAC_LIMIT};
use identity::Questions;
use plan::Plan;
use seen::{Conversation, Seen};
pub use traffic::MASTER_LIMIT;

/// Of the kinds of conversations: TCP.
const TCP: u8 = 1;

const FIN: u8 = 1;
const SYN: u8 = 2;
const RST: u8 = 4;
const ACK: u8 = 16;

/// First of the ports that a client of some service has.
pub(crate) const CLIENT_PORTS: u16 = 1024;

/// Findings of one kind about new hosts or addresses that are told one by one within a minute.
const TOLD_A_MINUTE: u32 = 16;
const MINUTE_NS: u64 = 60_000_000_000;
/// A pause of all traffic after which the site is learned anew.
const PAUSE_NS: u64 = 3600 * 1_000_000_000;

/// Something a shard has learned that concerns more than a pair of hosts.
#[derive(Debug)]
pub enum Fact {
    /// A station answered, for the first time as far as this shard remembers.
    Station {
        /// Which and when; the name is beside it.
        event: StationEvent<'static>,
        /// Its name in the profile, if it has one.
        name: Option<Box<str>>,
    },
    /// A master of a redundancy group.
    Sign(redundancy::Sign),
    /// A restart of a station, or a command to restart.
    Restart(Box<restarts::RestartSign>),
}

/// What is known of all hosts together.
pub struct Site {
    plan: Plan,
    thresholds: Thresholds,
    ports: PortTable,
    losses: Losses,
    /// Packet time of the first packet, or of the first after a long pause.
    began: Option<Timestamp>,
    looked: Timestamp,
    seen: Seen,
    hosts: Hosts,
    callers: Callers,
    questions: Questions,
    masters: traffic::Masters,
    fresh: Fresh,
    volume: volume::Volume,
}

/// What is new in the current minute.
#[derive(Debug, Default)]
struct Fresh {
    since: Timestamp,
    hosts: u32,
    macs: u32,
    flooded: bool,
}

/// A packet's time and place.
#[derive(Debug, Copy, Clone)]
struct Now {
    at: Timestamp,
    frame: FrameRef,
}

impl Site {
    /// Nothing seen yet.
    pub fn new(profile: Option<&Compiled>, ports: PortTable) -> Site {
        Site {
            thresholds: profile.map(|p| p.thresholds().clone()).unwrap_or_default(),
            plan: Plan::new(profile),
            ports,
            losses: Losses::none(&profile.map(|p| p.thresholds().clone()).unwrap_or_default()),
            began: None,
            looked: Timestamp::default(),
            seen: Seen::default(),
            hosts: Hosts::default(),
            callers: Callers::default(),
            questions: Questions::default(),
            masters: traffic::Masters::default(),
            fresh: Fresh::default(),
            volume: volume::Volume::default(),
        }
    }

    /// Another profile is in force from here on.
    pub fn set_profile(&mut self, profile: Option<&Compiled>) {
        self.thresholds = profile.map(|p| p.thresholds().clone()).unwrap_or_default();
        self.losses.blind_ns = coverage::blind_ns(&self.thresholds);
        self.plan = Plan::new(profile);
        let plan = &self.plan;
        self.hosts.rename(|ip| plan.names(ip));
        self.seen.forget();
    }

    /// The taps lost packets at about `now`.
    pub fn dropped(&mut self, now: Timestamp) {
        self.losses.last = Some(now);
    }

    /// Packets of hosts, Ethernet addresses, callers and masters that found no room.
    pub fn overflowed(&self) -> u64 {
        self.hosts.overflowed + self.callers.overflowed + self.masters.overflowed
    }

    /// Hosts known.
    pub fn hosts(&self) -> usize {
        self.hosts.len()
    }

    /// Hosts that the profile names, and others.
    pub fn hosts_by_name(&self) -> (usize, usize) {
        let named = self.hosts.named();
        (named, self.hosts.len() - named)
    }

    /// A plain segment.
    #[inline(always)]
    pub(crate) fn plain(&mut self, frame: &Frame<'_>, plain: &Plain<'_>, sink: &mut dyn FindingSink) {
        let (at, place) = (frame.at, frame.place);
        self.volume.count(at, place, &self.plan, &self.thresholds, &self.losses, sink);
        let (from, to) = plain.addresses();
        let ips = (IpAddr::V4(from), IpAddr::V4(to));
        let ports = plain.ports();
        let kind = TCP | u8::from(!plain.bare.bytes.is_empty()) << 1;
        let conversation = Conversation::new(ips, (Some(plain.src_mac()), plain.vlan()), kind, ports);
        if !self.seen.is_fresh(at, &conversation) {
            self.conversation(Now { at, frame: place }, &plain.packet(place), ips, kind, ports, sink);
        }
    }

    /// A packet.
    pub fn packet(
        &mut self,
        at: Timestamp,
        frame: FrameRef,
        packet: &Packet<'_>,
        sink: &mut dyn FindingSink,
    ) {
        let now = Now { at, frame };
        self.volume.count(at, frame, &self.plan, &self.thresholds, &self.losses, sink);
        let (kind, ports) = match &packet.payload {
            Payload::Tcp(segment) => {
                if segment.flags & (SYN | RST | FIN) != 0 {
                    self.control(now, packet, segment, sink);
                }
                let control = u8::from(segment.flags & (SYN | RST) != 0);
                (
                    TCP | u8::from(segment.wire_len > 0) << 1 | control << 4,
                    (segment.src_port, segment.dst_port),
                )
            }
            Payload::Udp(datagram) => (4, (datagram.src_port, datagram.dst_port)),
            Payload::Ip { protocol, bytes } => {
                if *protocol == 1 {
                    self.unreachable(now, packet, bytes, sink);
                }
                (8, (0, 0))
            }
            Payload::Ethernet { ethertype, bytes, .. } => {
                return self.without_ip(now, packet, *ethertype, bytes, sink);
            }
        };
        let Some(ips) = packet.ip else { return };
        let vlan = packet.vlan.ids().last().copied().unwrap_or(0);
        let conversation = Conversation::new(ips, (packet.src_mac, vlan), kind, ports);
        if !self.seen.is_fresh(at, &conversation) {
            self.conversation(now, packet, ips, kind, ports, sink);
        }
    }

    /// When [`Site::tick`] is wanted, if at all; it is called at the first whole second at or after that.
    #[inline]
    pub fn next_due(&self) -> Option<Timestamp> {
        self.callers.is_waiting().then_some(Timestamp(0))
    }

    /// Packet time has passed the whole second `now`.
    pub fn tick(&mut self, now: Timestamp, sink: &mut dyn FindingSink) {
        self.due(now, sink);
    }

    /// A conversation that is new, or was not looked at for a while.
    #[inline(never)]
    fn conversation(
        &mut self,
        now: Now,
        packet: &Packet<'_>,
        (from, to): (IpAddr, IpAddr),
        kind: u8,
        ports: (u16, u16),
        sink: &mut dyn FindingSink,
    ) {
        self.goes_on_from(now.at);
        if !plan::is_host(from) {
            return;
        }
        let mac = packet.src_mac.filter(|mac| arp::is_unicast(*mac));
        if self.host(now, from, mac, sink) {
            if let Some(mac) = mac {
                self.bind(now, from, mac, None, sink);
            }
            self.vlan(now, from, packet.vlan.ids(), sink);
            self.external(now, (from, to), sink);
        }
        let (transport, has_payload) = match kind {
            4 => (Transport::Udp, true),
            kind if kind & 1 != 0 => (Transport::Tcp, kind & 2 != 0),
            _ => return,
        };
        if transport == Transport::Tcp && kind & 16 == 0 {
            self.goes_on(from, (to, ports.1));
        }
        if has_payload {
            self.service(now, transport, (from, ports.0), (to, ports.1), sink);
        }
    }

    /// A host sends in a VLAN. A frame without a tag says nothing: mirror ports may take tags off.
    fn vlan(&mut self, now: Now, ip: IpAddr, tags: &[u16], sink: &mut dyn FindingSink) {
        // VLAN 0 is a tag for the priority alone.
        let Some(vlan) = tags.last().copied().filter(|vlan| *vlan != 0) else { return };
        let expected = self.plan.vlans(ip);
        if !expected.is_empty() && !expected.contains(&vlan) {
            tell::other_vlan(self.view(now), ip, vlan, sink);
        }
    }

    /// Take in a host that sends; tell if it is new. True: it is known now.
    fn host(&mut self, now: Now, ip: IpAddr, mac: Option<MacAddr>, sink: &mut dyn FindingSink) -> bool {
        let plan = &self.plan;
        let Some(is_new) = self.hosts.admit(ip, now.at, || plan.names(ip)) else {
            self.flooded(now, ip, sink);
            return false;
        };
        if !is_new {
            return true;
        }
        self.flooded(now, ip, sink);
        let early = self.is_early(now.at);
        if !early && !self.plan.names(ip) && !plan::is_public(ip) && self.fresh.hosts <= TOLD_A_MINUTE {
            tell::new_host(self.view(now), ip, mac, sink);
        }
        true
    }

    /// Count a new host, or one that found no room. Too many at once are a story of their own.
    fn flooded(&mut self, now: Now, ip: IpAddr, sink: &mut dyn FindingSink) {
        self.minute(now.at);
        self.fresh.hosts = self.fresh.hosts.saturating_add(1);
        self.flood_of_addresses(now, ip, sink);
    }

    fn minute(&mut self, at: Timestamp) {
        if at.since(self.fresh.since) >= MINUTE_NS {
            self.fresh = Fresh { since: at, ..Fresh::default() };
        }
    }

    fn flood_of_addresses(&mut self, now: Now, ip: IpAddr, sink: &mut dyn FindingSink) {
        let limit = self.thresholds.address_flood;
        let count = self.fresh.hosts.max(self.fresh.macs);
        if f64::from(count) < limit || self.fresh.flooded {
            return;
        }
        self.fresh.flooded = true;
        let counts = (self.fresh.hosts, self.fresh.macs);
        tell::address_flood(self.view(now), ip, counts, sink);
    }

    /// Frames without IP: ARP speaks of hosts, others only show an Ethernet address.
    fn without_ip(
        &mut self,
        now: Now,
        packet: &Packet<'_>,
        ethertype: u16,
        bytes: &[u8],
        sink: &mut dyn FindingSink,
    ) {
        self.goes_on_from(now.at);
        if ethertype == arp::ETHERTYPE
            && let Some(message) = Arp::parse(bytes)
        {
            self.arp(now, packet.src_mac, &message, sink);
        }
    }

    /// Packet time has come to `at`. After a long pause of everything, what comes is no news: nobody looked.
    fn goes_on_from(&mut self, at: Timestamp) {
        if self.began.is_none() || at.since(self.looked) >= PAUSE_NS {
            self.began = Some(at);
        }
        self.looked = at;
    }

    /// Whether packet time is still so young that nothing is new.
    fn is_early(&self, at: Timestamp) -> bool {
        let learning = (self.thresholds.host_learning.max(0.0) * 1e9) as u64;
        self.began.is_none_or(|began| at.since(began) < learning)
    }

    fn view(&self, now: Now) -> tell::View<'_> {
        let drops = self.losses.bear_on(now.at);
        tell::View {
            now,
            plan: &self.plan,
            thresholds: &self.thresholds,
            coverage: Coverage { drops, ..Coverage::default() },
        }
    }
}
