//! What the profile says of hosts: their names, their Ethernet addresses, who may talk to whom.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use foldhash::fast::FixedState;
use hashbrown::HashSet;
use parsers::{Host, MacAddr};
use profiles::{Compiled, Services};

use crate::detect::policy::RAISING;

/// The profile, as far as it concerns hosts.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// There is a profile that says who may command what.
    pub(super) is_given: bool,
    /// First address, last address, host; sorted, without overlap.
    addresses: Vec<(IpAddr, IpAddr, u32)>,
    hosts: Vec<Named>,
    /// Commanding host and station's host of every rule.
    allowed: HashSet<(u32, u32), FixedState>,
}

/// A host of the profile.
#[derive(Debug)]
struct Named {
    name: String,
    macs: Vec<MacAddr>,
    vlans: Vec<u16>,
    commands: bool,
    has_stations: bool,
    /// It, or a station behind it, is tagged so that what happens to it weighs more.
    weighs_more: bool,
    uses: Option<Services>,
    never_uses: Services,
    offers: Option<Services>,
    role: Option<&'static str>,
}

/// Why a host may not use or offer a service.
#[derive(Debug, Copy, Clone)]
pub(super) enum Forbidden<'a> {
    /// The profile lists what it may.
    NotListed(Services),
    /// No device of its role does.
    Role(&'a str),
}

impl Plan {
    pub(super) fn new(profile: Option<&Compiled>) -> Plan {
        let Some(model) = profile.map(Compiled::profile) else { return Plan::default() };
        let named = |host: &profiles::HostEntry| Named {
            name: host.name.clone(),
            macs: host.macs.clone(),
            vlans: host.vlans.clone(),
            commands: false,
            has_stations: false,
            weighs_more: RAISING.iter().any(|tag| host.tags.iter().any(|t| t == tag)),
            uses: host.uses,
            never_uses: host.role.map(profiles::Role::never_uses).unwrap_or_default(),
            offers: host.offers,
            role: host.role.map(|role| role.title.as_str()),
        };
        let nets = |(n, host): (usize, &profiles::HostEntry)| -> Vec<_> {
            host.addresses.iter().map(|net| (net.network(), net.broadcast(), n as u32)).collect()
        };
        let mut plan = Plan {
            is_given: model.judges_operations(),
            addresses: model.hosts.iter().enumerate().flat_map(nets).collect(),
            hosts: model.hosts.iter().map(named).collect(),
            allowed: HashSet::default(),
        };
        plan.addresses.sort_unstable();
        for station in &model.stations {
            let Some(host) = plan.hosts.get_mut(station.host) else { continue };
            host.has_stations = true;
            host.weighs_more |= RAISING.iter().any(|tag| station.has_tag(tag));
        }
        for rule in &model.rules {
            for from in &rule.from {
                plan.hosts.get_mut(*from).into_iter().for_each(|host| host.commands = true);
                let stations = rule.to.iter().filter_map(|n| model.stations.get(*n));
                plan.allowed.extend(stations.map(|station| (*from as u32, station.host as u32)));
            }
        }
        plan
    }

    fn index(&self, ip: IpAddr) -> Option<u32> {
        let behind = self.addresses.partition_point(|(first, _, _)| *first <= ip);
        let (_, last, host) = self.addresses.get(behind.checked_sub(1)?)?;
        (ip <= *last).then_some(*host)
    }

    /// Whether a finding about one of these weighs more: a tag says so.
    pub(super) fn weighs_more(&self, ends: [Host; 2]) -> bool {
        let tagged = |end: Host| match end {
            Host::Ip(ip) => self.host(ip).is_some_and(|host| host.weighs_more),
            Host::Mac(_) | Host::Serial(_) => false,
        };
        self.is_given && ends.into_iter().any(tagged)
    }

    fn host(&self, ip: IpAddr) -> Option<&Named> {
        self.hosts.get(self.index(ip)? as usize)
    }

    /// The name of a host.
    pub(super) fn name(&self, host: Host) -> Option<&str> {
        let Host::Ip(ip) = host else { return None };
        self.host(ip).map(|host| host.name.as_str())
    }

    /// Whether the profile names this host.
    pub(super) fn names(&self, ip: IpAddr) -> bool {
        self.host(ip).is_some()
    }

    /// The Ethernet addresses that the profile gives it; none: not pinned.
    pub(super) fn macs(&self, ip: IpAddr) -> &[MacAddr] {
        self.host(ip).map_or(&[], |host| &host.macs)
    }

    /// The VLANs that the profile gives it; none: it may be in any.
    pub(super) fn vlans(&self, ip: IpAddr) -> &[u16] {
        self.host(ip).map_or(&[], |host| &host.vlans)
    }

    /// Whether some rule lets `from` command a station of `to`.
    pub(super) fn allows(&self, from: IpAddr, to: IpAddr) -> bool {
        self.index(from).zip(self.index(to)).is_some_and(|pair| self.allowed.contains(&pair))
    }

    /// Whether the profile says what services it uses, or offers.
    pub(super) fn lists_services(&self, ip: IpAddr, offers: bool) -> bool {
        self.host(ip).is_some_and(|host| if offers { host.offers.is_some() } else { host.uses.is_some() })
    }

    /// Why a host may not use, or offer, the service at this place of [`profiles::SERVICES`], if it may not.
    pub(super) fn forbids(&self, ip: IpAddr, place: usize, offers: bool) -> Option<Forbidden<'_>> {
        let host = self.host(ip)?;
        match if offers { host.offers } else { host.uses } {
            Some(listed) => (!listed.contains(place)).then_some(Forbidden::NotListed(listed)),
            None if !offers && host.never_uses.contains(place) => host.role.map(Forbidden::Role),
            None => None,
        }
    }

    /// Whether some rule lets it command.
    pub(super) fn may_command(&self, ip: IpAddr) -> bool {
        self.host(ip).is_some_and(|host| host.commands)
    }

    /// Whether both are devices that only answer, and have nothing to say to each other.
    pub(super) fn are_strangers(&self, one: IpAddr, other: IpAddr) -> bool {
        let answers = |ip| self.host(ip).is_some_and(|host| host.has_stations && !host.commands);
        answers(one) && answers(other) && self.index(one) != self.index(other)
    }

    /// Whether the profile has stations at this host: then it judges who may command them.
    pub(super) fn has_stations(&self, ip: IpAddr) -> bool {
        self.host(ip).is_some_and(|host| host.has_stations)
    }
}

/// Whether an address belongs to the internet, not to a site's own plan (RFC 6890).
pub(super) fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => ip.to_ipv4_mapped().map_or_else(|| is_public_v6(ip), is_public_v4),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let own = ip.is_private() || ip.is_loopback() || ip.is_link_local() || ip.is_documentation();
    // Shared address space, protocol assignments, benchmarks, multicast and reserved.
    let special =
        a == 0 || (a == 100 && b & 0xC0 == 64) || (a, b, c) == (192, 0, 0) || (a, b & 0xFE) == (198, 18);
    !own && !special && a < 224
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    // Global unicast is 2000::/3; 2001:db8::/32 is for documentation.
    let [first, second, ..] = ip.segments();
    first & 0xE000 == 0x2000 && (first, second) != (0x2001, 0x0db8)
}

/// Whether an address can be that of one host.
pub(super) fn is_host(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            !ip.is_unspecified() && !ip.is_multicast() && !ip.is_broadcast() && !ip.is_loopback()
        }
        IpAddr::V6(ip) => !ip.is_unspecified() && !ip.is_multicast() && !ip.is_loopback(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn private_and_special_addresses_are_not_public() {
        for ip in
            ["10.1.2.3", "192.168.0.1", "172.31.0.1", "169.254.1.1", "100.64.0.1", "224.0.0.1", "fd00::1"]
        {
            assert!(!is_public(ip.parse().unwrap()), "{ip}");
        }
        for ip in ["fe80::1", "2001:db8::1", "::1", "::ffff:10.0.0.1", "198.18.0.1", "192.0.2.7", "0.0.0.0"] {
            assert!(!is_public(ip.parse().unwrap()), "{ip}");
        }
        for ip in ["8.8.8.8", "172.32.0.1", "100.128.0.1", "2a00::1", "::ffff:8.8.8.8"] {
            assert!(is_public(ip.parse().unwrap()), "{ip}");
        }
    }
}
