//! Collecting: a consumer of the pipeline that remembers, within limits, who asked whom for what.

use std::collections::BTreeMap;
use std::net::IpAddr;

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use parsers::{
    Action, Defect, DefectKind, Direction, Endpoint, Exchange, FieldSizes, FlowInfo, Host, MacAddr,
    Operation, Outcome, StationAddress, Timestamp, Transport,
};

use super::clock::{Clock, Seen};
use super::limits::{Overflow, PAIRS, WRITTEN, WRITTEN_OF_PAIR};
use super::pair::{FunctionKey, Pair, PairKey, Used, join, written_key};
use super::publishers::Publishers;
use super::written::number;
use crate::decap::{Packet, Payload};
use crate::pipeline::{Consumer, FlowContext, PortTable};
use crate::site::CLIENT_PORTS;

/// Pauses kept of a client.
const PAUSES_OF_CLIENT: usize = 8;

/// How far a change-over from one master to another may overlap.
const CHANGE_OVER_NS: u64 = 60_000_000_000;

/// Ethernet addresses kept of a host; one more says that it is not the host's own.
pub(super) const MACS_OF_HOST: usize = 4;

/// A silence is so many times as long as the pauses that a client makes anyway.
const SILENCE: u64 = 3;

/// The longest times in which nothing was said between a client and its stations: who only listens to reports is there.
#[derive(Debug, Default)]
pub(super) struct Pauses {
    last: Option<Timestamp>,
    longest: Vec<(Timestamp, Timestamp)>,
}

impl Pauses {
    fn note(&mut self, at: Timestamp) {
        if let Some(last) = self.last.replace(at) {
            self.longest.push((last, at));
            if self.longest.len() > PAUSES_OF_CLIENT {
                let shortest = self.longest.iter().enumerate().min_by_key(|(_, (from, to))| to.since(*from));
                if let Some(index) = shortest.map(|(index, _)| index) {
                    self.longest.swap_remove(index);
                }
            }
        }
    }

    /// Whether the client was silent while something else was `seen`, apart from a minute at either end.
    pub(super) fn hold(&self, seen: &Seen) -> bool {
        let lengths = self.longest.iter().map(|(from, to)| to.since(*from));
        let usual = if self.longest.len() < PAUSES_OF_CLIENT { None } else { lengths.min() };
        let silence = CHANGE_OVER_NS.max(usual.unwrap_or(0).saturating_mul(SILENCE));
        self.longest.iter().filter(|(from, to)| to.since(*from) >= silence).any(|(from, to)| {
            seen.first.plus(CHANGE_OVER_NS) >= *from
                && to.plus(CHANGE_OVER_NS) >= seen.last
                && to.since(*from) / 4 * 5 >= seen.span_ns()
        })
    }
}

/// What was seen.
#[derive(Default)]
pub struct Learner {
    /// Sizes of IEC 104's fields where somebody knows them; else each connection finds out its own.
    field_sizes: Option<FieldSizes>,
    pairs: HashMap<PairKey, Box<Pair>, FixedState>,
    macs: HashMap<Host, Vec<(MacAddr, Seen)>, FixedState>,
    pauses: HashMap<Host, Pauses, FixedState>,
    ports: PortTable,
    /// Services that hosts use, and that they offer.
    services: HashMap<(IpAddr, bool), Vec<(u8, Seen)>, FixedState>,
    pub(super) room: Room,
    pub(super) publishers: Publishers,
    /// Operations looked at.
    pub operations: u64,
    /// Operations found after resynchronising: nothing is learned from them.
    pub recovered: u64,
    /// Operations whose octets do not fit what they say they are: nothing is learned from them either.
    pub misfits: u64,
    /// Operations of hosts without an IP address, which a profile cannot name.
    pub unnamed: u64,
}

/// Time and limits, common to all pairs.
#[derive(Default)]
pub(super) struct Room {
    pub(super) clock: Clock,
    pub(super) used: Used,
    pub(super) overflow: Overflow,
}

impl Learner {
    /// One that reads IEC 104 with fields of these sizes, if they are known.
    #[must_use]
    pub fn reading(field_sizes: Option<FieldSizes>) -> Learner {
        Learner { field_sizes, ..Learner::default() }
    }

    /// The pairs, in order.
    pub(super) fn pairs(&self) -> BTreeMap<PairKey, &Pair> {
        self.pairs.iter().map(|(key, pair)| (*key, pair.as_ref())).collect()
    }

    /// What did not fit.
    pub fn overflow(&self) -> Overflow {
        Overflow { publishers: self.publishers.overflow, ..self.room.overflow }
    }

    /// The capture's time.
    pub fn clock(&self) -> &Clock {
        &self.room.clock
    }

    /// Ethernet addresses of the hosts, with when they were seen, in order.
    pub(super) fn macs(&self) -> BTreeMap<Host, &[(MacAddr, Seen)]> {
        self.macs.iter().map(|(host, macs)| (*host, macs.as_slice())).collect()
    }

    /// Places in [`profiles::SERVICES`] of what a host used, or offered.
    pub(super) fn services_of(&self, host: IpAddr, offers: bool) -> &[(u8, Seen)] {
        self.services.get(&(host, offers)).map_or(&[], Vec::as_slice)
    }

    fn service(&mut self, host: IpAddr, place: usize, offers: bool, at: Timestamp) {
        let key = (host, offers);
        if !self.services.contains_key(&key) && self.services.len() >= PAIRS {
            self.room.overflow.services += 1;
            return;
        }
        let place = place as u8;
        let services = self.services.entry(key).or_default();
        let slot = services.iter().position(|(own, _)| *own == place).unwrap_or_else(|| {
            services.push((place, Seen::default()));
            services.len() - 1
        });
        if let Some((_, seen)) = services.get_mut(slot) {
            seen.note(at, &mut self.room.clock);
        }
    }

    /// When a client asked nothing.
    pub(super) fn pauses_of(&self, client: Host) -> Option<&Pauses> {
        self.pauses.get(&client)
    }

    /// The pair, or a new one if there is room for it.
    fn pair(&mut self, key: PairKey) -> Option<(&mut Pair, &mut Room)> {
        if !self.pairs.contains_key(&key) && self.pairs.len() >= PAIRS {
            self.room.overflow.pairs += 1;
            return None;
        }
        Some((self.pairs.entry(key).or_default(), &mut self.room))
    }

    fn host(&mut self, end: Endpoint, mac: Option<MacAddr>, at: Timestamp) {
        let Some(mac) = mac else { return };
        if !self.macs.contains_key(&end.host) && self.macs.len() >= PAIRS {
            return;
        }
        let macs = self.macs.entry(end.host).or_default();
        if let Some((_, seen)) = macs.iter_mut().find(|(own, _)| *own == mac) {
            seen.note(at, &mut self.room.clock);
        } else if macs.len() < MACS_OF_HOST {
            let mut seen = Seen::default();
            seen.note(at, &mut self.room.clock);
            macs.push((mac, seen));
        }
    }
}

fn key_of(operation: &Operation<'_>) -> PairKey {
    let station = operation.station_endpoint();
    let listens = operation.flow.server == station;
    PairKey {
        client: operation.master_endpoint().host,
        server: station.host,
        port: if listens { station.port } else { 0 },
        protocol: operation.protocol,
        station: operation.station,
    }
}

fn request(pair: &mut Pair, operation: &Operation<'_>, room: &mut Room) {
    let at = operation.origin.at;
    let function = FunctionKey {
        action: operation.action,
        code: operation.function.code,
        sub: operation.function.sub,
        broadcast: operation.broadcast,
    };
    pair.unasked += u64::from(!operation.wants_answer);
    pair.master = operation.master.number().or(pair.master);
    pair.request(at, function, operation.function.name, (operation.ranges, operation.more_ranges), room);
    // A select moves nothing; its operate counts.
    if !operation.action.is_control() || operation.action == Action::Select {
        return;
    }
    operation.detail.points(&mut |point| {
        let Some(address) = point.address else { return };
        let key = written_key(point.kind, address, function.code);
        if !pair.written.contains_key(&key) {
            if pair.written.len() >= WRITTEN_OF_PAIR || room.used.written >= WRITTEN {
                room.overflow.written += 1;
                return;
            }
            room.used.written += 1;
        }
        pair.written.entry(key).or_default().note(at, &point.value, &mut room.clock);
    });
}

/// The measured values that an answer or a report tells, point by point. What the station itself does not vouch for
/// says nothing of the plant.
fn readings(pair: &mut Pair, operation: &Operation<'_>, room: &mut Room) {
    let Some(dissector) = parsers::dissector(operation.protocol) else { return };
    let at = operation.origin.at;
    operation.detail.points(&mut |point| {
        if point.flags.is_some_and(|flags| !point.kind.vouches(flags))
            || !(dissector.measures)(operation.function.code, point.kind)
        {
            return;
        }
        if let (Some(address), Some(value)) = (point.address, number(&point.value)) {
            pair.read(at, (point.kind, address), value, &mut room.used);
        }
    });
}

fn answer(pair: &mut Pair, operation: &Operation<'_>) {
    let refusal = match operation.outcome {
        Outcome::Refused { name, .. } => Some(name),
        _ => None,
    };
    if let Some(answered) = operation.answers {
        let function = operation.requested.unwrap_or(operation.function);
        let values = &mut || {
            let mut values = None;
            operation.detail.points(&mut |point| {
                values = join(values, number(&point.value).map(|v| (v, v)));
            });
            values
        };
        let code = (function.code, function.sub);
        pair.answer(answered.at, code, refusal, operation.ranges, values);
    }
}

impl Consumer for Learner {
    fn reads_packets(&self) -> bool {
        true
    }

    fn field_sizes(&self, _: &FlowInfo) -> Option<FieldSizes> {
        self.field_sizes
    }

    /// Who uses and offers what beside the control protocols.
    fn packet(&mut self, at: Timestamp, packet: &Packet<'_>) {
        self.publishers.packet(packet);
        let (transport, from, to) = match &packet.payload {
            Payload::Tcp(segment) if segment.wire_len > 0 => {
                (Transport::Tcp, segment.src_port, segment.dst_port)
            }
            Payload::Udp(datagram) => (Transport::Udp, datagram.src_port, datagram.dst_port),
            _ => return,
        };
        let Some((host, _)) = packet.ip else { return };
        if [from, to].into_iter().any(|port| self.ports.protocol(transport, port).is_some()) {
            return;
        }
        match (profiles::service_by_port(from), profiles::service_by_port(to)) {
            (Some(place), None) if to >= CLIENT_PORTS => self.service(host, place, true, at),
            (None, Some(place)) if from >= CLIENT_PORTS => self.service(host, place, false, at),
            (Some(place), Some(other)) if place == other => self.service(host, place, false, at),
            _ => {}
        }
    }

    fn operation(&mut self, context: &mut FlowContext, operation: &Operation<'_>) {
        let at = operation.origin.at;
        self.operations += 1;
        self.room.clock.note(at);
        if operation.recovered {
            self.recovered += 1;
            return;
        }
        if operation.detail.misfits() {
            self.misfits += 1;
            return;
        }
        if operation.exchange == Exchange::Publication {
            self.publishers.message(context, operation, &mut self.room.clock);
            return;
        }
        let key = key_of(operation);
        if !matches!((key.client, key.server), (Host::Ip(_), Host::Ip(_))) {
            self.unnamed += 1;
            return;
        }
        self.host(operation.flow.client, operation.flow.client_mac, at);
        self.host(operation.flow.server, operation.flow.server_mac, at);
        if self.pauses.len() < PAIRS || self.pauses.contains_key(&key.client) {
            self.pauses.entry(key.client).or_default().note(at);
        }
        let Some((pair, room)) = self.pair(key) else { return };
        pair.one_way |= operation.flow.coverage.one_way;
        pair.unexpected_port |= context.unexpected_port;
        pair.sizes = operation.detail.field_sizes().or(pair.sizes);
        match operation.exchange {
            Exchange::Request if operation.from_master => request(pair, operation, room),
            Exchange::Response => {
                pair.alive(at, &mut room.clock);
                answer(pair, operation);
                if matches!(operation.action, Action::Read | Action::Report) {
                    readings(pair, operation, room);
                }
            }
            Exchange::Unsolicited => {
                pair.alive(at, &mut room.clock);
                pair.reports.note(at, &mut room.clock);
                readings(pair, operation, room);
            }
            Exchange::Confirm | Exchange::Link | Exchange::Request | Exchange::Publication => {
                pair.upkeep.note(at, &mut room.clock);
            }
        }
    }

    fn defect(&mut self, _: &mut FlowContext, defect: &Defect<'_>) {
        if defect.kind == DefectKind::LimitReached {
            return;
        }
        self.room.clock.note(defect.origin.at);
        let flow = defect.flow;
        // Who commands is not always known of what could not be read: then it is who called.
        let called = defect.from_master.is_none_or(|from| from == (defect.direction == Direction::ToServer));
        let (client, station) = if called { (flow.client, flow.server) } else { (flow.server, flow.client) };
        let key = PairKey {
            client: client.host,
            server: station.host,
            port: if called { station.port } else { 0 },
            protocol: defect.protocol,
            station: defect.station,
        };
        // What cannot be said of one station is said of the hosts.
        let key = if self.pairs.contains_key(&key) {
            key
        } else {
            PairKey { station: StationAddress::None, ..key }
        };
        let Some((pair, room)) = self.pair(key) else { return };
        pair.defects.entry(defect.kind).or_default().note(defect.origin.at, &mut room.clock);
        pair.one_way |= flow.coverage.one_way;
    }
}
