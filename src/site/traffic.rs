//! Connections and services: who offers what, who commands whom, who tries to reach what.

use core::net::IpAddr;

use parsers::{Timestamp, Transport};

use super::contacts::{Due, Limit, ScanKind};
use super::services::{self, Service};
use super::{ACK, CLIENT_PORTS, Now, RST, SYN, Site, plan, tell};
use crate::decap::{Packet, Segment};
use crate::detect::FindingSink;

/// Connections that came to nothing from which on somebody scans rather than looks for a host that is gone.
const SCANS: usize = 3;
const DAY_NS: u64 = 24 * 3600 * 1_000_000_000;

fn nanoseconds(seconds: f64) -> u64 {
    (seconds.max(0.0) * 1e9) as u64
}

impl Site {
    /// SYN, FIN or RST.
    #[inline(never)]
    pub(super) fn control(
        &mut self,
        now: Now,
        packet: &Packet<'_>,
        segment: &Segment<'_>,
        sink: &mut dyn FindingSink,
    ) {
        let Some((from, to)) = packet.ip else { return };
        if !plan::is_host(from) || !plan::is_host(to) {
            return;
        }
        match segment.flags & (SYN | RST | ACK) {
            SYN => self.asks(now, from, (to, segment.dst_port), sink),
            flags if flags & SYN != 0 => {
                if let Some(caller) = self.callers.get(to) {
                    caller.agreed((from, segment.src_port));
                }
            }
            flags if flags & RST != 0 => {
                if self.callers.get(to).is_some_and(|c| c.refused((from, segment.src_port))) {
                    self.failed(now, to, (from, segment.src_port), true, sink);
                } else {
                    self.torn(now.at, (from, segment.src_port), (to, segment.dst_port));
                }
            }
            _ => {}
        }
    }

    /// A SYN.
    fn asks(&mut self, now: Now, from: IpAddr, to: (IpAddr, u16), sink: &mut dyn FindingSink) {
        if let Some(caller) = self.callers.admit(from, now.at) {
            caller.ask(now.at, now.frame, to);
        }
        let window = nanoseconds(self.thresholds.flood_window);
        let limits = (self.thresholds.flood_half_open as u32, self.thresholds.flood_connections as u32);
        let Some(host) = self.hosts.get(to.0) else { return };
        if now.at.since(host.window) >= window {
            (host.window, host.asked, host.begun) = (now.at, 0, 0);
        }
        host.asked = host.asked.saturating_add(1);
        let counts = (host.asked, host.begun);
        let open = counts.0.saturating_sub(counts.1);
        if open == limits.0 || counts.0 == limits.1 {
            tell::connection_flood(self.view(now), from, to, counts, window, sink);
        }
    }

    /// A caller sends more than a SYN: it was answered.
    pub(super) fn goes_on(&mut self, from: IpAddr, to: (IpAddr, u16)) {
        if !self.callers.get(from).is_some_and(|caller| caller.goes_on(to)) {
            return;
        }
        if let Some(host) = self.hosts.get(to.0) {
            host.begun = host.begun.saturating_add(1);
        }
    }

    /// A RST that ends something: whose control connection to which station's host?
    fn torn(&mut self, at: Timestamp, from: (IpAddr, u16), to: (IpAddr, u16)) {
        let serves =
            |port| services::of_port(&self.ports, Transport::Tcp, port).is_some_and(|s| s.control.is_some());
        let (server, client) = if serves(from.1) { (from.0, to.0) } else { (to.0, from.0) };
        if !serves(from.1) && !serves(to.1) {
            return;
        }
        if let Some(host) = self.hosts.get(server) {
            host.torn = Some((at, client));
        }
    }

    /// ICMP "destination unreachable" (RFC 792): it quotes the packet that found nobody.
    pub(super) fn unreachable(
        &mut self,
        now: Now,
        packet: &Packet<'_>,
        bytes: &[u8],
        sink: &mut dyn FindingSink,
    ) {
        let Some((_, to)) = packet.ip else { return };
        let [3, _, _, _, _, _, _, _, quoted @ ..] = bytes else { return };
        let Some(header) = quoted.first_chunk::<20>() else { return };
        let [vi, _, _, _, _, _, _, _, _, protocol, _, _, s0, s1, s2, s3, d0, d1, d2, d3] = *header;
        let length = usize::from(vi & 15) * 4;
        let Some(&[_, _, p0, p1]) = quoted.get(length..).and_then(|rest| rest.first_chunk::<4>()) else {
            return;
        };
        let (from, about) = (IpAddr::from([s0, s1, s2, s3]), IpAddr::from([d0, d1, d2, d3]));
        if vi >> 4 != 4 || !matches!(protocol, 6 | 17) || from != to || !plan::is_host(about) {
            return;
        }
        let target = (about, u16::from_be_bytes([p0, p1]));
        if let Some(caller) = self.callers.admit(from, now.at) {
            caller.refused(target);
        }
        self.failed(now, from, target, true, sink);
    }

    /// A connection that came to nothing.
    fn failed(
        &mut self,
        now: Now,
        from: IpAddr,
        to: (IpAddr, u16),
        refused: bool,
        sink: &mut dyn FindingSink,
    ) {
        if self.plan.allows(from, to.0) {
            return;
        }
        let service = services::of_port(&self.ports, Transport::Tcp, to.1);
        let is_control = service.is_some_and(|s| s.control.is_some());
        let limit = self.scan_limit();
        let Some(caller) = self.callers.get(from) else { return };
        // A master with stations that are out of order asks them again and again; it has others that answer.
        if is_control && caller.silent_stations(now.at, to) <= caller.reached as usize {
            return;
        }
        if caller.target(ScanKind::Ports, (now.at, now.frame), to, refused, limit, |_| true) {
            self.scan(now, from, ScanKind::Ports, false, sink);
        }
    }

    /// Somebody asks by ARP who has an address.
    pub(super) fn asked_for(&mut self, now: Now, from: IpAddr, target: IpAddr, sink: &mut dyn FindingSink) {
        if self.hosts.knows(target) || self.plan.names(target) {
            return;
        }
        let limit = Limit {
            count: self.thresholds.scan_addresses as usize,
            window: nanoseconds(self.thresholds.scan_window),
            slow: None,
        };
        let hosts = &self.hosts;
        let Some(caller) = self.callers.admit(from, now.at) else { return };
        let nobody = |k: u64| {
            let ip = core::net::Ipv4Addr::from((k >> 16) as u32);
            !hosts.knows(IpAddr::V4(ip))
        };
        if caller.target(ScanKind::Addresses, (now.at, now.frame), (target, 0), false, limit, nobody) {
            self.scan(now, from, ScanKind::Addresses, false, sink);
        }
        self.nobody_there(now, from, target, sink);
    }

    /// An address that nobody has is a host that does not answer, for one who tries others at the same time.
    fn nobody_there(&mut self, now: Now, from: IpAddr, target: IpAddr, sink: &mut dyn FindingSink) {
        let limit = self.scan_limit();
        let Some(caller) = self.callers.get(from) else { return };
        if caller.tries(ScanKind::Ports, now.at, limit.window) >= SCANS
            && caller.target(ScanKind::Ports, (now.at, now.frame), (target, 0), false, limit, |_| true)
        {
            self.scan(now, from, ScanKind::Ports, false, sink);
        }
    }

    /// How many hosts and ports that refuse or do not answer make a scan.
    fn scan_limit(&self) -> Limit {
        Limit {
            count: self.thresholds.scan_ports as usize,
            window: nanoseconds(self.thresholds.scan_window),
            slow: Some((self.thresholds.scan_ports_day as usize, DAY_NS)),
        }
    }

    /// A packet with payload between two ports.
    pub(super) fn service(
        &mut self,
        now: Now,
        transport: Transport,
        from: (IpAddr, u16),
        to: (IpAddr, u16),
        sink: &mut dyn FindingSink,
    ) {
        let of = |port| services::of_port(&self.ports, transport, port);
        // Control protocols between them are the profile's business.
        let is_control = [from.1, to.1].into_iter().any(|port| of(port).is_some_and(|s| s.control.is_some()));
        if transport == Transport::Tcp && !is_control && self.plan.are_strangers(from.0, to.0) {
            return tell::stations_connected(self.view(now), from, to, sink);
        }
        // A control protocol is spoken from any port; an answer to a question for a name goes to any.
        let is_client = |service: Service, port| service.control.is_some() || port >= CLIENT_PORTS;
        match (of(from.1), of(to.1)) {
            (Some(service), None)
                if is_client(service, to.1) && !self.forbidden(now, from.0, to, service, true, sink) =>
            {
                self.offers(now, from.0, service, sink);
            }
            (None, Some(service))
                if is_client(service, from.1) && !self.forbidden(now, from.0, to, service, false, sink) =>
            {
                self.uses(now, from.0, to, service, sink);
            }
            // Both ends of some have the same port: names are asked for so.
            (Some(one), Some(other)) if one == other => {
                self.forbidden(now, from.0, to, one, false, sink);
            }
            // Both or none: nobody can say who serves whom.
            _ => {}
        }
    }

    /// Whether the profile says that a host does not use, or offer, a service; it is told.
    fn forbidden(
        &self,
        now: Now,
        ip: IpAddr,
        to: (IpAddr, u16),
        service: Service,
        offers: bool,
        sink: &mut dyn FindingSink,
    ) -> bool {
        let why = service.place.and_then(|place| self.plan.forbids(ip, place, offers));
        let Some(why) = why else { return false };
        tell::unprofiled_service(self.view(now), ip, to, service, (why, offers), sink);
        true
    }

    fn offers(&mut self, now: Now, ip: IpAddr, service: Service, sink: &mut dyn FindingSink) {
        let early = self.is_early(now.at);
        let learning = nanoseconds(self.thresholds.host_learning);
        let Some(host) = self.hosts.get(ip) else { return };
        // The first thing that is seen of its part in control is what it is, not what it has become.
        let was_asset = host.is_asset();
        if service.control.is_some() {
            host.serves_since.get_or_insert(now.at);
        }
        if host.offers & service.bit != 0 {
            return;
        }
        let is_old = now.at.since(host.first) >= learning;
        host.offers |= service.bit;
        let judged = match service.control {
            Some(_) => self.plan.has_stations(ip),
            None => self.plan.lists_services(ip, true),
        };
        if !early && is_old && was_asset && !judged {
            tell::new_protocol(self.view(now), ip, service.name, true, sink);
        }
    }

    fn uses(
        &mut self,
        now: Now,
        ip: IpAddr,
        to: (IpAddr, u16),
        service: Service,
        sink: &mut dyn FindingSink,
    ) {
        let early = self.is_early(now.at);
        let learning = nanoseconds(self.thresholds.host_learning);
        let Some(host) = self.hosts.get(ip) else { return };
        let is_new = host.uses & service.bit == 0;
        let is_old = now.at.since(host.first) >= learning;
        host.uses |= service.bit;
        if service.control.is_some() {
            return self.commands(now, ip, to, sink);
        }
        if is_new && !early && is_old && host.is_asset() && !self.plan.lists_services(ip, false) {
            tell::new_protocol(self.view(now), ip, service.name, false, sink);
        }
    }

    /// A host sends requests of a control protocol.
    fn commands(&mut self, now: Now, ip: IpAddr, to: (IpAddr, u16), sink: &mut dyn FindingSink) {
        let early = self.is_early(now.at);
        let learning = nanoseconds(self.thresholds.host_learning);
        let allowed = self.plan.allows(ip, to.0);
        let judged = self.plan.has_stations(to.0);
        let Some(host) = self.hosts.get(ip) else { return };
        let reversed = host.commands_since.is_none()
            && host.serves_since.is_some_and(|since| now.at.since(since) >= learning);
        host.commands_since.get_or_insert(now.at);
        if reversed && !self.plan.may_command(ip) {
            tell::role_change(self.view(now), ip, to, sink);
        }
        let Some(admitted) = self.masters.admit(ip, to.0) else { return };
        if !admitted {
            return;
        }
        if let Some(caller) = self.callers.get(ip) {
            caller.reached += 1;
        }
        let Some(server) = self.hosts.get(to.0) else { return };
        server.masters += 1;
        let (others, torn) = (server.masters - 1, server.torn);
        if allowed {
            return;
        }
        let soon = nanoseconds(self.thresholds.session_takeover);
        let taken = torn.filter(|(at, whose)| *whose != ip && now.at.since(*at) <= soon);
        if let Some((at, whose)) = taken
            && others > 0
            && (!early || judged)
        {
            tell::takeover(self.view(now), ip, to, whose, now.at.since(at), sink);
        } else if others > 0 && !early && !judged {
            tell::new_master(self.view(now), ip, to, others, sink);
        }
        if early && !self.plan.is_given {
            return;
        }
        let limit = Limit {
            count: self.thresholds.sweep_stations as usize,
            window: nanoseconds(self.thresholds.sweep_window),
            slow: None,
        };
        let Some(caller) = self.callers.admit(ip, now.at) else { return };
        if caller.target(ScanKind::Stations, (now.at, now.frame), to, false, limit, |_| true) {
            self.scan(now, ip, ScanKind::Stations, false, sink);
        }
    }

    fn scan(&mut self, now: Now, from: IpAddr, kind: ScanKind, over: bool, sink: &mut dyn FindingSink) {
        let view = self.view(now);
        // The view borrows all of the site; the caller is only read.
        if let Some(scan) = self.callers.peek(from).and_then(|caller| caller.scan(kind)) {
            tell::scan(view, from, kind, scan, over, sink);
        }
    }

    /// What waiting came to.
    pub(super) fn due(&mut self, at: Timestamp, sink: &mut dyn FindingSink) {
        let patience = (self.thresholds.scan_answer * 1e9) as u64;
        let mut place = 0;
        loop {
            let (ip, due) = self.callers.due(at, patience, &mut place);
            let Some(ip) = ip else { break };
            match due {
                Due::LeftOpen(frame, to) => self.failed(Now { at, frame }, ip, to, false, sink),
                Due::Over(kind) => {
                    let frame = self.callers.peek(ip).and_then(|c| c.scan(kind)).map(|s| s.frames[1]);
                    self.scan(Now { at, frame: frame.unwrap_or_default() }, ip, kind, true, sink);
                }
                Due::Nothing => break,
            }
        }
        self.callers.settle();
    }
}

/// Who commands whom, by host: bounded, and told once.
#[derive(Debug, Default)]
pub(super) struct Masters {
    pairs: hashbrown::HashSet<(IpAddr, IpAddr), foldhash::quality::RandomState>,
    pub(super) overflowed: u64,
}

/// Pairs of commanding host and station's host remembered.
pub const MASTER_LIMIT: usize = 65_536;

impl Masters {
    /// Whether this pair is new; `None` if there is no room.
    fn admit(&mut self, master: IpAddr, server: IpAddr) -> Option<bool> {
        if self.pairs.contains(&(master, server)) {
            return Some(false);
        }
        if self.pairs.len() >= MASTER_LIMIT {
            self.overflowed += 1;
            return None;
        }
        Some(self.pairs.insert((master, server)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site::contacts::key;

    #[test]
    fn targets_have_numbers_of_their_own() {
        let ip = |n| IpAddr::from([10, 0, 0, n]);
        assert_ne!(key((ip(1), 502)), key((ip(2), 502)));
        assert_ne!(key((ip(1), 502)), key((ip(1), 503)));
        assert_eq!(key((ip(9), 0)) >> 16, u64::from(u32::from_be_bytes([10, 0, 0, 9])));
    }
}
