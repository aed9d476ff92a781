//! The inventory: every host that sent something, with its Ethernet addresses, services and part.
//!
//! Bounded: when the table is full, hosts that were silent for long and that no profile names make room;
//! what finds none is counted and judged without memory.

use core::net::IpAddr;

use foldhash::quality::RandomState;
use hashbrown::HashMap;
use parsers::{MacAddr, Timestamp};

/// Hosts remembered.
pub const HOST_LIMIT: usize = 65_536;
/// Ethernet addresses remembered.
pub const MAC_LIMIT: usize = 32_768;
/// How long a host is kept after its last packet when room is short.
const IDLE_NS: u64 = 3600 * 1_000_000_000;
/// How often room is looked for at most.
const SWEEP_NS: u64 = 60 * 1_000_000_000;

/// An Ethernet address of a host.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Binding {
    pub(super) mac: MacAddr,
    pub(super) last: Timestamp,
}

/// The addresses that a host uses; most have one.
#[derive(Debug, Default)]
pub(super) struct Bindings {
    pub(super) slots: [Option<Binding>; 2],
    /// Place of the one used last.
    pub(super) current: u8,
    /// When it went back to the other address, and how often in a row.
    pub(super) flips: u32,
    pub(super) flipped: Timestamp,
}

impl Bindings {
    /// The one used last.
    pub(super) fn last(&self) -> Option<Binding> {
        self.slots.get(usize::from(self.current)).copied().flatten()
    }
}

/// A host.
#[derive(Debug)]
pub(super) struct Host {
    pub(super) ip: IpAddr,
    pub(super) first: Timestamp,
    pub(super) last: Timestamp,
    /// The profile names it.
    pub(super) named: bool,
    /// Where its packets come from: a router, perhaps.
    pub(super) path: Bindings,
    /// Where ARP says that it is.
    pub(super) claims: Bindings,
    /// Services it uses, and offers; see [`super::services`].
    pub(super) uses: u32,
    pub(super) offers: u32,
    /// Since when it offers a control protocol.
    pub(super) serves_since: Option<Timestamp>,
    /// Since when it commands.
    pub(super) commands_since: Option<Timestamp>,
    /// Hosts that command it.
    pub(super) masters: u32,
    /// When a control connection to it was torn down last, and whose it was.
    pub(super) torn: Option<(Timestamp, IpAddr)>,
    /// Connections asked of it, and begun, within the current window.
    pub(super) asked: u32,
    pub(super) begun: u32,
    pub(super) window: Timestamp,
    /// Public addresses that were told to talk to it.
    pub(super) externals: u32,
}

impl Host {
    fn new(ip: IpAddr, named: bool, now: Timestamp) -> Host {
        Host {
            ip,
            first: now,
            last: now,
            named,
            path: Bindings::default(),
            claims: Bindings::default(),
            uses: 0,
            offers: 0,
            serves_since: None,
            commands_since: None,
            masters: 0,
            torn: None,
            asked: 0,
            begun: 0,
            window: Timestamp::default(),
            externals: 0,
        }
    }

    /// Whether it has a part in the control of the process.
    pub(super) fn is_asset(&self) -> bool {
        self.named || self.serves_since.is_some() || self.commands_since.is_some()
    }
}

/// A device by its Ethernet address.
#[derive(Debug, Clone, Copy)]
pub(super) struct Device {
    /// Hosts that used it first: a router has many.
    pub(super) hosts: u32,
}

/// All hosts.
#[derive(Debug, Default)]
pub(super) struct Hosts {
    slots: Vec<Host>,
    map: HashMap<IpAddr, u32, RandomState>,
    devices: HashMap<MacAddr, Device, RandomState>,
    swept: Timestamp,
    /// Hosts that the profile names.
    named: usize,
    /// Packets of hosts, and addresses, that found no room.
    pub(super) overflowed: u64,
}

impl Hosts {
    /// A host that is known.
    #[inline]
    pub(super) fn get(&mut self, ip: IpAddr) -> Option<&mut Host> {
        let place = *self.map.get(&ip)?;
        self.slots.get_mut(place as usize)
    }

    /// Whether a host is known.
    pub(super) fn knows(&self, ip: IpAddr) -> bool {
        self.map.contains_key(&ip)
    }

    /// Take in a host that sends. True: it was not known.
    pub(super) fn admit(&mut self, ip: IpAddr, now: Timestamp, named: impl FnOnce() -> bool) -> Option<bool> {
        if let Some(place) = self.map.get(&ip) {
            if let Some(host) = self.slots.get_mut(*place as usize) {
                host.last = host.last.max(now);
            }
            return Some(false);
        }
        if self.map.len() >= HOST_LIMIT {
            self.sweep(now);
        }
        if self.map.len() >= HOST_LIMIT {
            self.overflowed += 1;
            return None;
        }
        self.map.insert(ip, self.slots.len() as u32);
        let named = named();
        self.named += usize::from(named);
        self.slots.push(Host::new(ip, named, now));
        Some(true)
    }

    /// A host uses an Ethernet address, for the first time. True: nobody did before.
    pub(super) fn device(&mut self, mac: MacAddr) -> bool {
        if let Some(device) = self.devices.get_mut(&mac) {
            device.hosts = device.hosts.saturating_add(1);
            return false;
        }
        if self.devices.len() >= MAC_LIMIT {
            self.overflowed += 1;
            return true;
        }
        self.devices.insert(mac, Device { hosts: 1 });
        true
    }

    /// Whether an Ethernet address is known.
    pub(super) fn knows_device(&self, mac: MacAddr) -> bool {
        self.devices.contains_key(&mac)
    }

    /// How many hosts use an Ethernet address.
    pub(super) fn behind(&self, mac: MacAddr) -> u32 {
        self.devices.get(&mac).map_or(0, |device| device.hosts)
    }

    /// Hosts known.
    pub(super) fn len(&self) -> usize {
        self.map.len()
    }

    /// Hosts known that the profile names; they are never given up.
    pub(super) fn named(&self) -> usize {
        self.named
    }

    /// Another profile is in force.
    pub(super) fn rename(&mut self, named: impl Fn(IpAddr) -> bool) {
        self.slots.iter_mut().for_each(|host| host.named = named(host.ip));
        self.named = self.slots.iter().filter(|host| host.named).count();
    }

    /// Give up hosts that have been silent for long.
    fn sweep(&mut self, now: Timestamp) {
        if now.since(self.swept) < SWEEP_NS {
            return;
        }
        self.swept = now;
        self.slots.retain(|host| host.named || now.since(host.last) <= IDLE_NS);
        self.map.clear();
        self.map.extend((0..).zip(&self.slots).map(|(place, host)| (host.ip, place)));
        if self.devices.len() >= MAC_LIMIT {
            self.devices.clear();
            for host in &self.slots {
                for binding in host.path.slots.iter().chain(&host.claims.slots).flatten() {
                    self.devices.entry(binding.mac).or_insert(Device { hosts: 0 }).hosts += 1;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::net::Ipv4Addr;

    #[test]
    fn a_full_inventory_counts_what_it_cannot_take_in_and_makes_room_of_the_silent() {
        let ip = |n: u32| IpAddr::V4(Ipv4Addr::from(0x0a00_0000 + n));
        let mut hosts = Hosts::default();
        for n in 0..HOST_LIMIT as u32 {
            assert_eq!(hosts.admit(ip(n), Timestamp(0), || n == 7), Some(true));
        }
        let new = ip(HOST_LIMIT as u32);
        assert_eq!(hosts.admit(new, Timestamp(IDLE_NS), || false), None);
        assert_eq!((hosts.overflowed, hosts.len()), (1, HOST_LIMIT));
        assert_eq!(hosts.admit(ip(9), Timestamp(IDLE_NS), || false), Some(false));
        let later = Timestamp(IDLE_NS + SWEEP_NS);
        assert_eq!(hosts.admit(new, later, || false), Some(true));
        assert_eq!(hosts.len(), 3, "who is named, who was not silent, who is new");
        assert!(hosts.knows(ip(7)) && hosts.knows(ip(9)) && hosts.knows(new));
    }
}
