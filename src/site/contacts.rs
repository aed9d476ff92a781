//! Who tries to reach whom: connections asked for, refused, left open; stations' hosts reached for the first
//! time; addresses asked for by ARP.
//!
//! One [`Caller`] for each host that opens connections or asks by ARP. Bounded; the one silent for longest is
//! given up when room is short.

use core::net::IpAddr;
use std::collections::VecDeque;

use foldhash::quality::RandomState;
use hashbrown::HashMap;
use parsers::{FrameRef, PointKind, PointRange, Timestamp};

use crate::detect::scan::ranges::RangeSet;
use crate::detect::scan::recent::Recent;

/// Hosts that are watched for scans.
pub const CALLER_LIMIT: usize = 4096;
/// Connections of one host that are waited for.
const WAITING: usize = 64;
/// A scan without anything new for so long is over.
const OVER_NS: u64 = 60_000_000_000;
/// It is told again when it has so many times more targets.
const AGAIN: u64 = 4;

/// A connection asked for.
#[derive(Debug, Clone, Copy)]
struct Asked {
    to: IpAddr,
    port: u16,
    at: Timestamp,
    frame: FrameRef,
    /// The other side agreed; the caller has not gone on yet.
    agreed: bool,
}

/// When, where, which target, and whether it refused.
type Tried = (Timestamp, FrameRef, (IpAddr, u16), bool);

/// A scan that goes on.
#[derive(Debug, Default)]
pub(super) struct Scan {
    pub(super) began: Timestamp,
    pub(super) last: Timestamp,
    pub(super) frames: [FrameRef; 2],
    /// Targets: hosts with ports, hosts alone.
    pub(super) targets: u64,
    pub(super) refused: u64,
    hosts: RangeSet,
    ports: RangeSet,
    /// Hosts without an IPv4 address.
    others: u64,
    /// One of them, for the finding.
    pub(super) to: Option<(IpAddr, u16)>,
    told: u64,
    pub(super) times: u64,
}

impl Scan {
    fn add(&mut self, at: Timestamp, frame: FrameRef, (to, port): (IpAddr, u16), refused: bool) {
        if self.targets == 0 {
            (self.began, self.frames[0]) = (at, frame);
            self.to = Some((to, port));
        }
        self.targets += 1;
        self.refused += u64::from(refused);
        (self.last, self.frames[1]) = (at.max(self.last), frame);
        // An address that nobody has was never asked for a port.
        if port != 0 {
            self.ports.add(&PointRange::one(PointKind::DeviceData, port.into()));
        }
        match to {
            IpAddr::V4(ip) => self.hosts.add(&PointRange::one(PointKind::DeviceData, ip.into())),
            IpAddr::V6(_) => self.others += 1,
        }
    }

    /// Hosts, at most; lowest and highest IPv4 address.
    pub(super) fn hosts(&self) -> (u64, Option<(u32, u32)>) {
        let extent = self.hosts.extent().map(|(_, first, last)| (first, last));
        (self.hosts.points() + self.others, extent)
    }

    /// Ports; lowest and highest.
    pub(super) fn ports(&self) -> (u64, u32, u32) {
        let (_, first, last) = self.ports.extent().unwrap_or((PointKind::DeviceData, 0, 0));
        (self.ports.points(), first, last)
    }

    /// Whether the numbers of hosts or ports are upper bounds.
    pub(super) fn is_coarse(&self) -> bool {
        self.hosts.is_coarse() || self.ports.is_coarse()
    }

    /// Whether it has reached the threshold, or has grown since it was told of.
    fn grown(&mut self) -> bool {
        if self.times > 0 && self.targets < self.told.saturating_mul(AGAIN) {
            return false;
        }
        self.told = self.targets;
        self.times += 1;
        true
    }
}

/// The scans that are told apart.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub(super) enum ScanKind {
    /// Ports that are closed or do not answer.
    Ports,
    /// Hosts of stations, never reached before.
    Stations,
    /// Addresses asked for by ARP that nobody has.
    Addresses,
}

impl ScanKind {
    pub(super) const ALL: [ScanKind; 3] = [ScanKind::Ports, ScanKind::Stations, ScanKind::Addresses];
}

/// A host that tries to reach others.
#[derive(Debug)]
pub(super) struct Caller {
    pub(super) ip: IpAddr,
    last: Timestamp,
    waiting: VecDeque<Asked>,
    tried: [Recent; 3],
    /// What was tried lately, to begin a scan with.
    trail: [VecDeque<Tried>; 3],
    scans: [Option<Box<Scan>>; 3],
    /// Stations' hosts that answered on the port of a control protocol.
    pub(super) reached: u32,
    /// Stations' hosts that did not.
    silent: Recent,
    is_active: bool,
}

/// How many make a scan, within how long.
#[derive(Debug, Copy, Clone)]
pub(super) struct Limit {
    pub(super) count: usize,
    pub(super) window: u64,
    /// The slow form.
    pub(super) slow: Option<(usize, u64)>,
}

impl Caller {
    fn new(ip: IpAddr, now: Timestamp) -> Caller {
        Caller {
            ip,
            last: now,
            waiting: VecDeque::new(),
            tried: Default::default(),
            trail: Default::default(),
            scans: [None, None, None],
            reached: 0,
            silent: Recent::default(),
            is_active: false,
        }
    }

    /// A SYN.
    pub(super) fn ask(&mut self, now: Timestamp, frame: FrameRef, (to, port): (IpAddr, u16)) {
        self.last = self.last.max(now);
        if self.waiting.iter().any(|a| (a.to, a.port) == (to, port)) {
            return;
        }
        if self.waiting.len() >= WAITING {
            self.waiting.pop_front();
        }
        self.waiting.push_back(Asked { to, port, at: now, frame, agreed: false });
    }

    /// The other side agreed.
    pub(super) fn agreed(&mut self, to: (IpAddr, u16)) {
        if let Some(asked) = self.waiting.iter_mut().find(|a| (a.to, a.port) == to) {
            asked.agreed = true;
        }
    }

    /// It goes on, so the other side has agreed, whether that was seen or not. True if it was waited for.
    pub(super) fn goes_on(&mut self, to: (IpAddr, u16)) -> bool {
        let place = self.waiting.iter().position(|a| (a.to, a.port) == to);
        place.and_then(|place| self.waiting.remove(place)).is_some()
    }

    /// The other side refused. True if it was asked.
    pub(super) fn refused(&mut self, to: (IpAddr, u16)) -> bool {
        let place = self.waiting.iter().position(|a| (a.to, a.port) == to && !a.agreed);
        place.and_then(|place| self.waiting.remove(place)).is_some()
    }

    /// A station's host did not answer. Returns how many did not, within a day.
    pub(super) fn silent_stations(&mut self, now: Timestamp, to: (IpAddr, u16)) -> usize {
        const DAY_NS: u64 = 24 * 3600 * 1_000_000_000;
        self.silent.note(now, key(to), 1, DAY_NS);
        self.silent.within(now, DAY_NS, |_, _| true).count
    }

    /// The connections not answered until `now`, nor within `patience` nanoseconds.
    fn left_open(&mut self, now: Timestamp, patience: u64) -> Option<(FrameRef, (IpAddr, u16))> {
        let place = self.waiting.iter().position(|a| now.since(a.at) >= patience)?;
        let asked = self.waiting.remove(place)?;
        // Agreed and then abandoned: that is how a half-open scan finds what is there.
        Some((asked.frame, (asked.to, asked.port)))
    }

    /// A target of a scan. True: it is time to tell.
    pub(super) fn target(
        &mut self,
        kind: ScanKind,
        (now, frame): (Timestamp, FrameRef),
        to: (IpAddr, u16),
        refused: bool,
        limit: Limit,
        counts: impl Fn(u64) -> bool,
    ) -> bool {
        self.last = self.last.max(now);
        let (n, key) = (kind as usize, key(to));
        let longest = limit.slow.map_or(limit.window, |(_, window)| window);
        if !self.tried[n].note(now, key, 1, longest) {
            return false;
        }
        if let Some(scan) = &mut self.scans[n] {
            scan.add(now, frame, to, refused);
            return scan.grown();
        }
        let trail = &mut self.trail[n];
        trail.truncate(crate::detect::scan::recent::REMEMBERED - 1);
        trail.push_front((now, frame, to, refused));
        let within = |window| self.tried[n].within(now, window, |_, key| counts(key)).count;
        let fast = within(limit.window) >= limit.count;
        let slow = limit.slow.filter(|(count, window)| within(*window) >= *count);
        if !fast && slow.is_none() {
            return false;
        }
        let since = if fast { limit.window } else { longest };
        let mut scan = Box::new(Scan::default());
        let led = self.trail[n].drain(..).rev().filter(|(at, ..)| now.since(*at) <= since);
        led.filter(|(_, _, to, _)| counts(self::key(*to)))
            .for_each(|(at, frame, to, refused)| scan.add(at, frame, to, refused));
        scan.grown();
        self.scans[n] = Some(scan);
        true
    }

    /// Different targets tried within a time.
    pub(super) fn tries(&mut self, kind: ScanKind, now: Timestamp, window: u64) -> usize {
        self.tried[kind as usize].within(now, window, |_, _| true).count
    }

    pub(super) fn scan(&self, kind: ScanKind) -> Option<&Scan> {
        self.scans[kind as usize].as_deref()
    }

    fn is_busy(&self) -> bool {
        !self.waiting.is_empty() || self.scans.iter().any(Option::is_some)
    }
}

/// A number for a target.
pub(super) fn key((to, port): (IpAddr, u16)) -> u64 {
    let address = match to {
        IpAddr::V4(ip) => u64::from(u32::from(ip)),
        IpAddr::V6(ip) => {
            let bits = u128::from(ip);
            (bits as u64 ^ (bits >> 64) as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1 << 63
        }
    };
    address << 16 ^ u64::from(port)
}

/// What waiting came to.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub(super) enum Due {
    /// A connection was not answered.
    LeftOpen(FrameRef, (IpAddr, u16)),
    /// A scan is over, and has more targets than were told of.
    Over(ScanKind),
    /// Nothing more.
    Nothing,
}

/// All callers.
#[derive(Debug, Default)]
pub(super) struct Callers {
    slots: Vec<Option<Box<Caller>>>,
    map: HashMap<IpAddr, u32, RandomState>,
    /// Those with something that may fall due.
    active: Vec<u32>,
    pub(super) overflowed: u64,
}

impl Callers {
    /// A caller that is known.
    pub(super) fn get(&mut self, ip: IpAddr) -> Option<&mut Caller> {
        let place = *self.map.get(&ip)?;
        self.slots.get_mut(place as usize)?.as_deref_mut()
    }

    /// A caller to look at.
    pub(super) fn peek(&self, ip: IpAddr) -> Option<&Caller> {
        let place = *self.map.get(&ip)?;
        self.slots.get(place as usize)?.as_deref()
    }

    /// A caller, made if there is room.
    pub(super) fn admit(&mut self, ip: IpAddr, now: Timestamp) -> Option<&mut Caller> {
        let place = if let Some(place) = self.map.get(&ip) {
            *place
        } else {
            let place = self.room()?;
            *self.slots.get_mut(place as usize)? = Some(Box::new(Caller::new(ip, now)));
            self.map.insert(ip, place);
            place
        };
        let caller = self.slots.get_mut(place as usize)?.as_deref_mut()?;
        if !caller.is_active {
            caller.is_active = true;
            self.active.push(place);
        }
        Some(caller)
    }

    fn room(&mut self) -> Option<u32> {
        if self.slots.len() < CALLER_LIMIT {
            self.slots.push(None);
            return Some((self.slots.len() - 1) as u32);
        }
        // The silent one for longest of those with nothing under way; all are looked through, so not often.
        self.overflowed += 1;
        if !self.overflowed.is_multiple_of(64) && self.overflowed > 1 {
            return None;
        }
        let idle = |caller: &Caller| !caller.is_active && caller.scans.iter().all(Option::is_none);
        let silent = self.slots.iter().enumerate().filter_map(|(n, slot)| {
            slot.as_deref().filter(|caller| idle(caller)).map(|caller| (caller.last, n))
        });
        let (_, place) = silent.min()?;
        let old = self.slots.get_mut(place)?.take()?;
        self.map.remove(&old.ip);
        Some(place as u32)
    }

    /// Whether something may fall due.
    pub(super) fn is_waiting(&self) -> bool {
        !self.active.is_empty()
    }

    /// The next thing that is due at `now`, of the callers from place `from` on. Call again until `Nothing`.
    pub(super) fn due(&mut self, now: Timestamp, patience: u64, from: &mut usize) -> (Option<IpAddr>, Due) {
        while let Some(place) = self.active.get(*from) {
            let Some(caller) = self.slots.get_mut(*place as usize).and_then(Option::as_deref_mut) else {
                *from += 1;
                continue;
            };
            if let Some((frame, to)) = caller.left_open(now, patience) {
                return (Some(caller.ip), Due::LeftOpen(frame, to));
            }
            for kind in ScanKind::ALL {
                let slot = &mut caller.scans[kind as usize];
                let Some(scan) = slot.as_deref_mut().filter(|s| now.since(s.last) >= OVER_NS) else {
                    continue;
                };
                if scan.targets > scan.told {
                    scan.told = scan.targets;
                    scan.times += 1;
                    return (Some(caller.ip), Due::Over(kind));
                }
                *slot = None;
            }
            *from += 1;
        }
        (None, Due::Nothing)
    }

    /// Forget who has nothing under way.
    pub(super) fn settle(&mut self) {
        let Callers { slots, active, .. } = self;
        active.retain(|place| {
            let Some(caller) = slots.get_mut(*place as usize).and_then(Option::as_deref_mut) else {
                return false;
            };
            caller.is_active = caller.is_busy();
            caller.is_active
        });
    }
}
