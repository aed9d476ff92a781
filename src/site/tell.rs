//! The findings of the site's owner, in words.

use core::fmt;
use core::net::{IpAddr, Ipv4Addr};

use parsers::{Coverage, Endpoint, Host, MacAddr, StationAddress};
use profiles::{DurationText, Services, Thresholds};

use super::Now;
use super::contacts::{Scan, ScanKind};
use super::plan::{Forbidden, Plan};
use super::services::Service;
use crate::detect::{FindingSink, coverage};
use crate::report::catalogue::{FindingKind, Severity};
use crate::report::finding::Finding;
use crate::report::words::{Counted, Span};

/// What a finding needs beside its subject.
#[derive(Copy, Clone)]
pub(super) struct View<'a> {
    pub(super) now: Now,
    pub(super) plan: &'a Plan,
    pub(super) thresholds: &'a Thresholds,
    pub(super) coverage: Coverage,
}

type Words<'a> = (fmt::Arguments<'a>, fmt::Arguments<'a>);

fn end(ip: IpAddr, port: u16) -> Endpoint {
    Endpoint { host: Host::Ip(ip), port }
}

fn device(mac: MacAddr) -> Endpoint {
    Endpoint { host: Host::Mac(mac), port: 0 }
}

impl View<'_> {
    /// A finding about two ends.
    fn tell(
        self,
        kind: FindingKind,
        (client, server): (Endpoint, Endpoint),
        (expected, observed): Words<'_>,
        fold_key: u64,
        sink: &mut dyn FindingSink,
    ) {
        self.weighed(kind, None, (client, server), (expected, observed), fold_key, sink);
    }

    fn weighed(
        self,
        kind: FindingKind,
        severity: Option<Severity>,
        (client, server): (Endpoint, Endpoint),
        (expected, observed): Words<'_>,
        fold_key: u64,
        sink: &mut dyn FindingSink,
    ) {
        if !coverage::bears(kind, self.coverage) {
            return sink.withheld(kind);
        }
        let plain = severity.unwrap_or_else(|| kind.severity());
        let raised = self.plan.weighs_more([client.host, server.host]).then(|| plain.raised());
        let severity = raised.or(severity);
        sink.finding(&Finding {
            kind,
            severity,
            client_name: self.plan.name(client.host),
            expected,
            observed,
            frames: &[self.now.frame],
            coverage: self.coverage,
            fold_key,
            ..Finding::about(self.now.at, client, server, StationAddress::None)
        });
    }

    /// "10 min".
    fn learning(&self) -> Minutes {
        Minutes(self.thresholds.host_learning)
    }
}

struct Minutes(f64);

impl fmt::Display for Minutes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.0} min", self.0 / 60.0)
    }
}

pub(super) fn new_host(view: View<'_>, ip: IpAddr, mac: Option<MacAddr>, sink: &mut dyn FindingSink) {
    let or = if view.plan.is_given { "that the profile names, or " } else { "" };
    let expected = format_args!("hosts {or}that were there in the first {}", view.learning());
    let ends = (end(ip, 0), mac.map_or(end(ip, 0), device));
    match mac {
        Some(mac) => view.tell(
            FindingKind::NewHost,
            ends,
            (expected, format_args!("{ip} with Ethernet address {mac}")),
            0,
            sink,
        ),
        None => view.tell(FindingKind::NewHost, ends, (expected, format_args!("{ip}")), 0, sink),
    }
}

fn addresses(count: u32) -> &'static str {
    if count == 1 { "address" } else { "addresses" }
}

pub(super) fn address_flood(
    view: View<'_>,
    ip: IpAddr,
    (hosts, macs): (u32, u32),
    sink: &mut dyn FindingSink,
) {
    let words = (
        format_args!("fewer than {} new addresses a minute", view.thresholds.address_flood),
        format_args!(
            "{hosts} new IP {} and {macs} new Ethernet {}, {ip} the last of them",
            addresses(hosts),
            addresses(macs)
        ),
    );
    view.tell(FindingKind::AddressFlood, (end(ip, 0), end(ip, 0)), words, 0, sink);
}

pub(super) fn new_master(
    view: View<'_>,
    ip: IpAddr,
    to: (IpAddr, u16),
    others: u32,
    sink: &mut dyn FindingSink,
) {
    let words = (
        format_args!("commands by the hosts that sent them in the first {}", view.learning()),
        format_args!("requests by {ip}, beside {}", Counted(others.into(), "other master{s}")),
    );
    view.tell(FindingKind::NewMaster, (end(ip, 0), end(to.0, to.1)), words, 0, sink);
}

pub(super) fn takeover(
    view: View<'_>,
    ip: IpAddr,
    to: (IpAddr, u16),
    whose: IpAddr,
    after_ns: u64,
    sink: &mut dyn FindingSink,
) {
    let words = (
        format_args!("no other master in the place of {whose}"),
        format_args!(
            "requests by {ip} for the first time, {:.1} s after a connection of {whose} was reset",
            after_ns as f64 / 1e9
        ),
    );
    view.tell(FindingKind::SessionTakeover, (end(ip, 0), end(to.0, to.1)), words, 0, sink);
}

pub(super) fn role_change(view: View<'_>, ip: IpAddr, to: (IpAddr, u16), sink: &mut dyn FindingSink) {
    let words = (
        format_args!("{ip} to answer, as it did for more than {}", view.learning()),
        format_args!("requests from it to {}", end(to.0, to.1)),
    );
    view.tell(FindingKind::HostRoleChange, (end(ip, 0), end(to.0, to.1)), words, 0, sink);
}

pub(super) fn stations_connected(
    view: View<'_>,
    from: (IpAddr, u16),
    to: (IpAddr, u16),
    sink: &mut dyn FindingSink,
) {
    // One story, whichever of the two was heard first.
    let (one, other) = if from.0 <= to.0 { (from, to) } else { (to, from) };
    let words = (
        format_args!("devices that only answer their masters to have nothing to say to each other"),
        format_args!("a TCP connection between {} and {}", end(one.0, one.1), end(other.0, other.1)),
    );
    view.tell(FindingKind::StationsConnected, (end(one.0, 0), end(other.0, 0)), words, 0, sink);
}

pub(super) fn new_protocol(view: View<'_>, ip: IpAddr, name: &str, offers: bool, sink: &mut dyn FindingSink) {
    let verb = if offers { "it answers on the port of" } else { "it uses" };
    let words = (
        format_args!("what {ip} used and offered in the first {}", view.learning()),
        format_args!("{verb} {name} for the first time"),
    );
    let key = name.bytes().fold(u64::from(offers), |key, b| key.wrapping_mul(31).wrapping_add(b.into()));
    view.tell(FindingKind::NewProtocol, (end(ip, 0), end(ip, 0)), words, key, sink);
}

pub(super) fn unprofiled_service(
    view: View<'_>,
    ip: IpAddr,
    to: (IpAddr, u16),
    service: Service,
    (why, offers): (Forbidden<'_>, bool),
    sink: &mut dyn FindingSink,
) {
    let (verb, preposition) = if offers { ("offers", "to") } else { ("uses", "with") };
    let observed = format_args!("it {verb} {} {preposition} {}", service.name, to.0);
    let ends = (end(ip, 0), end(to.0, if offers { 0 } else { to.1 }));
    let key = service.place.map_or(0, |place| place as u64) << 1 | u64::from(offers);
    let kind = FindingKind::UnprofiledService;
    match why {
        Forbidden::NotListed(listed) => {
            let expected = format_args!("{ip} {verb} {} beside the control protocols", Listed(listed));
            view.tell(kind, ends, (expected, observed), key, sink);
        }
        Forbidden::Role(role) => {
            let expected = format_args!("no {} by a device with the role '{role}'", service.name);
            view.tell(kind, ends, (expected, observed), key, sink);
        }
    }
}

/// "nothing", "SSH, HTTPS".
struct Listed(Services);

impl fmt::Display for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut names = self.0.iter().map(|service| service.name);
        let Some(first) = names.next() else { return f.write_str("nothing") };
        f.write_str(first)?;
        names.try_for_each(|name| write!(f, ", {name}"))
    }
}

pub(super) fn external(
    view: View<'_>,
    (peer, asset): (IpAddr, IpAddr),
    outward: bool,
    sink: &mut dyn FindingSink,
) {
    // One story for both directions: the repeat is folded.
    let ends = (end(asset, 0), end(peer, 0));
    let (from, to) = if outward { (asset, peer) } else { (peer, asset) };
    let words = (
        format_args!("no traffic between the internet and hosts that control the process"),
        format_args!("packets from {from} to {to}"),
    );
    view.tell(FindingKind::ExternalTraffic, ends, words, 0, sink);
}

// ---- Ethernet addresses ----

pub(super) fn not_pinned(
    view: View<'_>,
    ip: IpAddr,
    (pinned, mac): (MacAddr, MacAddr),
    by_arp: bool,
    sink: &mut dyn FindingSink,
) {
    let kind = if by_arp { FindingKind::ArpSpoofing } else { FindingKind::MacChange };
    let how = if by_arp { "ARP says" } else { "packets come from" };
    let words = (format_args!("{ip} at {pinned}, as the profile says"), format_args!("{how} {mac}"));
    view.tell(kind, (end(ip, 0), device(mac)), words, 0, sink);
}

pub(super) fn other_vlan(view: View<'_>, ip: IpAddr, vlan: u16, sink: &mut dyn FindingSink) {
    let expected: Vec<String> = view.plan.vlans(ip).iter().map(u16::to_string).collect();
    let words = (
        format_args!("{ip} in VLAN {}, as the profile says", expected.join(" or ")),
        format_args!("packets with the tag of VLAN {vlan}"),
    );
    view.tell(FindingKind::UnexpectedVlan, (end(ip, 0), end(ip, 0)), words, vlan.into(), sink);
}

pub(super) fn mac_change(
    view: View<'_>,
    ip: IpAddr,
    (old, new): (MacAddr, MacAddr),
    sink: &mut dyn FindingSink,
) {
    let words = (format_args!("{ip} at {old}"), format_args!("it at {new}"));
    // The next address of the same maker is most often the second card of a pair.
    let twin = old.0.first_chunk::<5>() == new.0.first_chunk::<5>();
    let severity = twin.then_some(Severity::Low);
    view.weighed(FindingKind::MacChange, severity, (end(ip, 0), device(new)), words, 0, sink);
}

pub(super) fn taken_over(
    view: View<'_>,
    ip: IpAddr,
    (old, new): (MacAddr, MacAddr),
    sink: &mut dyn FindingSink,
) {
    let alive = DurationText((view.thresholds.arp_alive * 1e9) as u64);
    let words = (
        format_args!("{ip} at {old}, which was heard of within the last {alive}"),
        format_args!("{new} says by ARP, unasked, that it has the address"),
    );
    view.tell(FindingKind::ArpSpoofing, (end(ip, 0), device(new)), words, 1, sink);
}

pub(super) fn conflict(
    view: View<'_>,
    ip: IpAddr,
    (one, other): (MacAddr, MacAddr),
    sink: &mut dyn FindingSink,
) {
    let words = (
        format_args!("one device with the address {ip}"),
        format_args!("{one} and {other} claim it by turns"),
    );
    view.tell(FindingKind::AddressConflict, (end(ip, 0), end(ip, 0)), words, 0, sink);
}

pub(super) fn flip_flop(
    view: View<'_>,
    ip: IpAddr,
    (one, other): (MacAddr, MacAddr),
    flips: u32,
    sink: &mut dyn FindingSink,
) {
    let words = (
        format_args!("{ip} to stay where it is"),
        format_args!("{flips} changes in a row between {one} and {other} by ARP"),
    );
    view.tell(FindingKind::ArpSpoofing, (end(ip, 0), end(ip, 0)), words, 2, sink);
}

pub(super) fn sender_differs(
    view: View<'_>,
    ip: IpAddr,
    (source, says): (MacAddr, MacAddr),
    sink: &mut dyn FindingSink,
) {
    let words = (
        format_args!("ARP messages that name the device that sends them"),
        format_args!("{source} says that {ip} is at {says}"),
    );
    view.tell(FindingKind::ArpSpoofing, (end(ip, 0), device(source)), words, 3, sink);
}

// ---- Scans and floods ----

pub(super) fn scan(
    view: View<'_>,
    from: IpAddr,
    kind: ScanKind,
    scan: &Scan,
    over: bool,
    sink: &mut dyn FindingSink,
) {
    let (to, port) = scan.to.unwrap_or((from, 0));
    let seconds = view.thresholds.scan_window;
    let extent = Extent { kind, scan, over };
    let (finding, expected) = match kind {
        ScanKind::Ports => (
            FindingKind::PortScan,
            format_args!(
                "fewer than {} refused or unanswered connections within {seconds:.0} s",
                view.thresholds.scan_ports
            ),
        ),
        ScanKind::Stations => (
            FindingKind::HostSweep,
            format_args!(
                "fewer than {} stations' hosts asked for the first time within {:.0} s",
                view.thresholds.sweep_stations, view.thresholds.sweep_window
            ),
        ),
        ScanKind::Addresses => (
            FindingKind::ArpScan,
            format_args!(
                "fewer than {} addresses that nobody has asked for within {seconds:.0} s",
                view.thresholds.scan_addresses
            ),
        ),
    };
    // What was refused was seen; only what was not answered may have been missed.
    let bears = kind != ScanKind::Ports || scan.refused * 2 >= scan.targets;
    let kind_coverage = view.coverage;
    if !bears && !kind_coverage.is_complete() {
        return sink.withheld(finding);
    }
    view.tell(finding, (end(from, 0), end(to, port)), (expected, format_args!("{extent}")), scan.times, sink);
}

struct Extent<'a> {
    kind: ScanKind,
    scan: &'a Scan,
    over: bool,
}

impl fmt::Display for Extent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scan = self.scan;
        let (hosts, range) = scan.hosts();
        let most = if scan.is_coarse() { "up to " } else { "" };
        match self.kind {
            ScanKind::Ports => {
                write!(f, "{} of them, {} refused, at {most}", scan.targets, scan.refused)?;
                write!(f, "{}", Counted(hosts, "host{s}"))?;
            }
            ScanKind::Stations | ScanKind::Addresses => write!(f, "{most}{hosts}")?,
        }
        match range {
            Some((first, last)) if first == last => write!(f, " ({})", Ipv4Addr::from(first))?,
            Some((first, last)) => write!(f, " ({} to {})", Ipv4Addr::from(first), Ipv4Addr::from(last))?,
            None => {}
        }
        if self.kind == ScanKind::Ports {
            let (ports, first, last) = scan.ports();
            write!(f, " and {most}{}", Counted(ports, "port{s}"))?;
            if first == last {
                write!(f, " ({first})")?;
            } else {
                write!(f, " ({first} to {last})")?;
            }
        }
        write!(f, " within {}", Span(scan.last.since(scan.began)))?;
        if self.over { f.write_str("; it is over") } else { Ok(()) }
    }
}

pub(super) fn connection_flood(
    view: View<'_>,
    from: IpAddr,
    to: (IpAddr, u16),
    (asked, begun): (u32, u32),
    ns: u64,
    sink: &mut dyn FindingSink,
) {
    let words = (
        format_args!(
            "fewer than {} connections, and fewer than {} left open, within {} s",
            view.thresholds.flood_connections,
            view.thresholds.flood_half_open,
            ns / 1_000_000_000
        ),
        format_args!("{asked} asked for, {begun} begun, {from} the last to ask"),
    );
    // Those asked for were seen; those begun may have been missed.
    if f64::from(asked) < view.thresholds.flood_connections && !view.coverage.is_complete() {
        return sink.withheld(FindingKind::ConnectionFlood);
    }
    view.tell(FindingKind::ConnectionFlood, (end(from, 0), end(to.0, to.1)), words, 0, sink);
}

// ---- The sensor ----

fn tap(view: View<'_>) -> Endpoint {
    Endpoint { host: Host::Serial(view.now.frame.tap), port: 0 }
}

pub(super) fn clock(view: View<'_>, back_ns: u64, sink: &mut dyn FindingSink) {
    let words = (
        format_args!("packet time that goes on"),
        format_args!("a packet {} older than the one before on tap {}", Span(back_ns), view.now.frame.tap),
    );
    view.tell(FindingKind::ClockJump, (tap(view), tap(view)), words, 0, sink);
}

pub(super) fn vanished(view: View<'_>, count: u64, usual: u64, sink: &mut dyn FindingSink) {
    let words = (
        format_args!("about as many packets a minute as before, at least {usual} in each of the last 10"),
        format_args!("{count}"),
    );
    view.tell(FindingKind::TrafficVanished, (tap(view), tap(view)), words, 0, sink);
}
