//! Deciding: of what was seen, what is ordinary and goes into rules, and what is left out, and why.
//!
//! Ordinary is what runs through the capture. What occurs for a while, once, or without success may be an
//! attack that was going on while the capture was made; allowing it would hide its return. So it is left out
//! and listed, and an engineer decides. A capture too short to tell (see [`Judge::enough`]) is learned whole,
//! apart from what is dangerous by itself or never succeeded.

mod backup;
mod client;
mod control;
mod dangerous;
mod functions;
mod ranges;
mod sizes;

use std::collections::{BTreeMap, BTreeSet};

use parsers::{FieldSizes, Host, MacAddr, PointRange, Timestamp};
use profiles::Services;

use super::clock::{Clock, Seen};
use super::collect::{Learner, MACS_OF_HOST};
use super::intervals::Period;
use super::names::{StationKey, station_of};
use super::pair::{FunctionKey, Pair, PairKey, RangeKey, join};
use super::publishers::{self, Learnt};
use super::rules;
use super::values::Reading;
use super::words::station_text;
use super::written::Limits;

/// Requests, and slices of time with traffic, from which on a capture tells what is ordinary.
const ENOUGH_REQUESTS: u64 = 200;
const ENOUGH_SLICES: u32 = 16;

/// Requests from which on it tells which hosts belong there.
const ENOUGH_FOR_HOSTS: u64 = 50;

/// What was learned.
#[derive(Debug, Default)]
pub struct Draft {
    /// What goes into rules.
    pub grants: Vec<Grant>,
    /// What does not.
    pub left_out: Vec<LeftOut>,
    /// What stations do all the time that would be a finding elsewhere: kind of finding, and why.
    pub quirks: BTreeMap<PairKey, Vec<(&'static str, String)>>,
    /// Masters that took over while another was silent, with that other.
    pub backups: BTreeMap<Host, Host>,
    /// Ethernet addresses that hosts use all the time.
    pub macs: BTreeMap<Host, Vec<MacAddr>>,
    /// Services that hosts use, and that they offer; a host that is not here was not seen.
    pub services: BTreeMap<Host, [Services; 2]>,
    /// Values that stations told, by station and point.
    pub readings: BTreeMap<StationKey, BTreeMap<(parsers::PointKind, u32), Reading>>,
    /// Controls in a minute of points whose station refuses them all the time: they are not allowed, but what
    /// comes again and again is no storm.
    pub refused_rates: BTreeMap<PairKey, BTreeMap<(parsers::PointKind, u32), u32>>,
    /// Sizes of fields of the stations behind a host, where they are not those of IEC 104.
    pub sizes: BTreeMap<Host, FieldSizes>,
    /// How long stations fall silent again and again, in nanoseconds.
    pub silence_ns: Option<u64>,
    /// Pairs of which only one direction was seen.
    pub one_way: usize,
    /// Publishers.
    pub publishers: Vec<Learnt>,
}

/// What sort of thing a rule is about.
#[derive(Debug, Clone, Copy, Eq, PartialEq, Ord, PartialOrd)]
pub enum Class {
    /// Reading and reports.
    Reads,
    /// Writing and controls.
    Controls,
    /// Clocks, reporting, identification and the like.
    Upkeep,
}

/// What one client may do with one station, of one class.
#[derive(Debug, Clone)]
pub struct Grant {
    /// Who and whom.
    pub key: PairKey,
    /// Of what sort.
    pub class: Class,
    /// The functions, with the standard's names.
    pub functions: BTreeMap<FunctionKey, &'static str>,
    /// On which points; `None`: all.
    pub points: Option<Vec<PointRange>>,
    /// How often the station reported by itself.
    pub reported: u64,
    /// Confirmations and link traffic are all there is.
    pub link: bool,
    /// By broadcast.
    pub broadcast: bool,
    /// Requests.
    pub seen: Seen,
    /// How many of them were refused.
    pub refused: u64,
    /// By function and range.
    pub details: BTreeMap<(FunctionKey, RangeKey), Detail>,
    /// Limits that all written values keep.
    pub values: Option<(f64, f64)>,
    /// Limits of written values, point by point.
    pub limits: BTreeMap<(parsers::PointKind, u32), Limits>,
    /// Controls in a minute, at most, point by point.
    pub rates: BTreeMap<(parsers::PointKind, u32), u32>,
    /// What an engineer should look at.
    pub remarks: Vec<String>,
}

/// Use of a range, for the comments.
#[derive(Debug, Clone, Default)]
pub struct Detail {
    /// Requests.
    pub count: u64,
    /// How often.
    pub period: Option<Period>,
    /// Lowest and highest value read.
    pub values: Option<(f64, f64)>,
}

impl Detail {
    fn join(&mut self, other: &Detail) {
        self.count += other.count;
        self.values = join(self.values, other.values);
        self.period = match (self.period, other.period) {
            (Some(a), Some(b)) if a.period_ns.abs_diff(b.period_ns) * 10 <= a.period_ns => {
                Some(Period { spread_percent: a.spread_percent.max(b.spread_percent), ..a })
            }
            _ => None,
        };
    }
}

/// Something suspicious that was not learned.
#[derive(Debug, Clone)]
pub struct LeftOut {
    /// Who did it.
    pub client: Host,
    /// What, and why it is left out: a sentence without the client and the full stop.
    pub what: String,
    /// How often.
    pub count: u64,
    /// First time.
    pub first: Timestamp,
    /// Last time.
    pub last: Timestamp,
}

/// Says what is ordinary.
pub(super) struct Judge<'a> {
    pub(super) clock: &'a Clock,
    enough: bool,
    hosts: bool,
}

impl Judge<'_> {
    /// Whether the capture is long enough to tell what is ordinary.
    pub(super) fn enough(&self) -> bool {
        self.enough
    }

    /// Whether it is long enough to tell which hosts belong there, and that something happened once.
    pub(super) fn enough_for_hosts(&self) -> bool {
        self.hosts
    }

    /// It runs through the capture: in a third of its slices, or three times over half of its length.
    pub(super) fn steady(&self, seen: &Seen) -> bool {
        seen.slices(self.clock) * 3 >= self.clock.active().max(3)
            || (seen.count >= 3 && seen.span_ns() * 2 >= self.clock.length_ns())
    }

    /// It occurred for a while: in less than a quarter of the capture and of its slices.
    pub(super) fn for_a_while(&self, seen: &Seen) -> bool {
        self.hosts
            && !self.steady(seen)
            && seen.slices(self.clock) * 4 < self.clock.active()
            && seen.span_ns() / 4 * 16 < self.clock.length_ns()
    }
}

/// Sort what was seen into what is allowed and what is left out.
pub(super) fn decide(learner: &Learner) -> Draft {
    let pairs = learner.pairs();
    let clock = learner.clock();
    let requests: u64 = pairs.values().map(|pair| pair.requests.count).sum();
    let one_way = pairs.values().filter(|pair| pair.one_way && pair.answers.both() == 0).count();
    let enough = requests >= ENOUGH_REQUESTS && clock.active() >= ENOUGH_SLICES;
    let hosts = requests >= ENOUGH_FOR_HOSTS && clock.active() >= ENOUGH_SLICES;
    let judge = Judge { clock, enough, hosts };
    let mut draft = Draft { one_way, ..Draft::default() };
    let pairs = sizes::of_one_size(pairs, &mut draft);
    let mut clients: BTreeMap<Host, Vec<(PairKey, &Pair)>> = BTreeMap::new();
    for (key, pair) in pairs {
        clients.entry(key.client).or_default().push((key, pair));
    }
    for (client, pairs) in &clients {
        for (key, pair) in pairs.iter().filter(|(_, pair)| !pair.readings.is_empty()) {
            let own = draft.readings.entry(station_of(key)).or_default();
            for (point, reading) in &pair.readings {
                // Of several masters, the one that reads it most often tells most.
                if own.get(point).is_none_or(|other: &Reading| other.count < reading.count) {
                    own.insert(*point, (**reading).clone());
                }
            }
        }
        match backup::stands_in_for(*client, &clients, learner, &judge) {
            Some(primary) => _ = draft.backups.insert(*client, primary),
            None => client::client(*client, pairs, &judge, &mut draft),
        }
    }
    backup::grants(&clients, &judge, &mut draft);
    addressable(&mut draft);
    macs(learner, &judge, &mut draft);
    services(learner, &judge, &mut draft);
    let learned = draft.grants.iter().map(|grant| grant.key);
    draft.silence_ns = learned
        .filter_map(|key| clients.get(&key.client)?.iter().find(|(k, _)| *k == key))
        .filter_map(|(_, pair)| pair.silence_ns())
        .max();
    draft.grants = together(draft.grants);
    let messages = learner.publishers.messages();
    let judge = Judge { hosts: messages >= ENOUGH_FOR_HOSTS && clock.active() >= ENOUGH_SLICES, ..judge };
    draft.publishers = publishers::decide(&learner.publishers, &judge, &mut draft.left_out);
    draft
}

/// Stations that a profile cannot name: what is sent to all of them belongs to one that was learned behind the
/// same host; the rest is left out.
fn addressable(draft: &mut Draft) {
    let is_one = |key: &PairKey| {
        let number = key.station.number().and_then(|number| u16::try_from(number).ok());
        let terms = parsers::dissector(key.protocol).map(|d| &d.address);
        number.zip(terms).is_some_and(|(number, terms)| terms.stations.contains(&number))
    };
    let (mut kept, others): (Vec<Grant>, Vec<Grant>) =
        std::mem::take(&mut draft.grants).into_iter().partition(|grant| is_one(&grant.key));
    for mut grant in others {
        let behind = |other: &&Grant| {
            (other.key.client, other.key.server) == (grant.key.client, grant.key.server)
                && (other.key.port, other.key.protocol) == (grant.key.port, grant.key.protocol)
        };
        match kept.iter().find(behind).map(|other| other.key).filter(|_| grant.broadcast) {
            Some(key) => {
                grant.key = key;
                grant.details.clear();
                kept.push(grant);
            }
            None => draft.left_out.push(LeftOut {
                client: grant.key.client,
                what: format!("spoke to {}, which is no station's address", station_text(&grant.key)),
                count: grant.seen.count,
                first: grant.seen.first,
                last: grant.seen.last,
            }),
        }
    }
    draft.grants = kept;
}

/// Ethernet addresses of the learned hosts: those that are theirs all the time, and not a router's, that is,
/// not of other hosts too. What was used for a while is left out and told.
fn macs(learner: &Learner, judge: &Judge<'_>, draft: &mut Draft) {
    let all = learner.macs();
    let steady = |seen: &Seen| !judge.for_a_while(seen);
    let mut users: BTreeMap<MacAddr, u32> = BTreeMap::new();
    for (mac, seen) in all.values().flat_map(|macs| macs.iter()) {
        *users.entry(*mac).or_default() += u32::from(steady(seen));
    }
    let hosts: BTreeSet<Host> = draft.grants.iter().flat_map(|g| [g.key.client, g.key.server]).collect();
    for host in hosts {
        let Some(macs) = all.get(&host) else { continue };
        let mut own: Vec<MacAddr> =
            macs.iter().filter(|(_, seen)| steady(seen)).map(|(mac, _)| *mac).collect();
        own.sort_unstable();
        for (mac, seen) in macs.iter().filter(|(_, seen)| !steady(seen)) {
            draft.left_out.push(LeftOut {
                client: host,
                what: format!("used the Ethernet address {mac} for a while only"),
                count: seen.count,
                first: seen.first,
                last: seen.last,
            });
        }
        if macs.len() < MACS_OF_HOST && own.iter().all(|mac| users.get(mac) == Some(&1)) {
            draft.macs.insert(host, own);
        }
    }
}

/// Services of the learned hosts. What was used for a while is left out and told.
fn services(learner: &Learner, judge: &Judge<'_>, draft: &mut Draft) {
    let hosts: BTreeSet<Host> = draft.grants.iter().flat_map(|g| [g.key.client, g.key.server]).collect();
    for host in hosts {
        let Host::Ip(ip) = host else { continue };
        let mut own = [Services::default(); 2];
        for (set, offers) in own.iter_mut().zip([false, true]) {
            let mut seen: Vec<_> = learner.services_of(ip, offers).iter().collect();
            seen.sort_unstable_by_key(|(place, _)| *place);
            for (place, seen) in seen {
                let place = usize::from(*place);
                if !judge.for_a_while(seen) {
                    set.insert(place);
                    continue;
                }
                let name = profiles::SERVICES.get(place).map_or("", |service| service.name);
                let verb = if offers { "offered" } else { "used" };
                draft.left_out.push(LeftOut {
                    client: host,
                    what: format!("{verb} {name} for a while only"),
                    count: seen.count,
                    first: seen.first,
                    last: seen.last,
                });
            }
        }
        draft.services.insert(host, own);
    }
}

/// Grants of one pair and class that differ in nothing but their functions become one; so do those whose functions a rule
/// calls by the same names, and that differ in their points alone (a select and its operate in IEC 104).
fn together(grants: Vec<Grant>) -> Vec<Grant> {
    let mut kept: Vec<Grant> = Vec::with_capacity(grants.len());
    for grant in grants {
        let same = |other: &&mut Grant| {
            (other.key, other.class, other.broadcast) == (grant.key, grant.class, grant.broadcast)
                && (&other.points, other.values) == (&grant.points, grant.values)
        };
        let allow = rules::allow(&grant);
        let same_functions = |other: &&mut Grant| {
            (other.class, other.broadcast, other.values) == (grant.class, grant.broadcast, grant.values)
                && rules::allow(other) == allow
        };
        if let Some(other) = kept.iter_mut().rev().take_while(|g| g.key == grant.key).find(same) {
            other.add(grant);
        } else if let Some(other) =
            kept.iter_mut().rev().take_while(|g| g.key == grant.key).find(same_functions)
        {
            let points = other.points.take().zip(grant.points.clone());
            other.points = points.map(|(own, more)| ranges::merge([own, more].concat()));
            other.add(grant);
        } else {
            kept.push(grant);
        }
    }
    kept
}

impl Grant {
    pub(super) fn new(key: PairKey, class: Class) -> Grant {
        Grant {
            key,
            class,
            functions: BTreeMap::new(),
            points: Some(Vec::new()),
            reported: 0,
            link: false,
            broadcast: false,
            seen: Seen::default(),
            refused: 0,
            details: BTreeMap::new(),
            values: None,
            limits: BTreeMap::new(),
            rates: BTreeMap::new(),
            remarks: Vec::new(),
        }
    }

    /// The period of all its ranges, if they have one.
    pub(super) fn poll(&self) -> Option<Period> {
        let mut common: Option<Period> = None;
        for detail in self.details.values() {
            let own = detail.period?;
            common = Some(match common {
                None => own,
                Some(period) if period.period_ns.abs_diff(own.period_ns) * 4 <= period.period_ns => {
                    Period { spread_percent: period.spread_percent.max(own.spread_percent), ..period }
                }
                Some(_) => return None,
            });
        }
        common.filter(|_| self.class == Class::Reads)
    }

    /// Take in another that allows the same points.
    pub(super) fn add(&mut self, other: Grant) {
        self.functions.extend(other.functions);
        self.reported += other.reported;
        self.link |= other.link;
        self.seen.count += other.seen.count;
        self.seen.first = self.seen.first.min(other.seen.first);
        self.seen.last = self.seen.last.max(other.seen.last);
        self.refused += other.refused;
        for (point, rate) in other.rates {
            let own = self.rates.entry(point).or_default();
            *own = rate.max(*own);
        }
        for (key, detail) in other.details {
            match self.details.get_mut(&key) {
                Some(own) => own.join(&detail),
                None => {
                    self.details.insert(key, detail);
                }
            }
        }
        self.limits.extend(other.limits);
        for remark in other.remarks {
            if !self.remarks.contains(&remark) {
                self.remarks.push(remark);
            }
        }
    }
}
