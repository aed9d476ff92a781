//! The table of flows: finds a packet's flow, keeps the table within its limits, tells the time.

use core::net::IpAddr;

use foldhash::quality::RandomState;
use hashbrown::HashTable;
use parsers::{Chunk, Coverage, Direction, Endpoint, FlowInfo, FrameRef, Host, Piece, Timestamp, Transport};

use super::key::Key;
use super::tcp::{ACK, After, Arrived, Connection, SYN};
use super::timeout::{CLASSES, Class, Clock, Deadlines, Link, List, NEVER, NONE};
use super::{CloseReason, FlowCounters, FlowHandler, FlowLimits, Out, PortSet, Source, Spot};
use crate::decap::{Datagram, Packet, Payload, Segment};

pub(super) struct Flow<S> {
    key: Key,
    pub(super) link: Link,
    /// The entry in [`Deadlines`] that holds, or [`NEVER`].
    pub(super) due: Timestamp,
    client_is_low: bool,
    pub(super) connection: Connection<S>,
}

/// All flows of one shard.
pub struct FlowTable<S> {
    pub(super) limits: FlowLimits,
    ports: PortSet,
    pub(super) counters: FlowCounters,
    /// Seeded at random against chosen collisions. Nothing ever walks the table in its order.
    seed: RandomState,
    index: HashTable<u32>,
    pub(super) slots: Vec<Option<Box<Flow<S>>>>,
    free: Vec<u32>,
    pub(super) lists: [List; CLASSES],
    pub(super) deadlines: Deadlines,
    pub(super) clock: Clock,
    /// Packet time at which something may be due.
    pub(super) next_check: Timestamp,
    next_id: u64,
    id_step: u64,
}

impl<S> FlowTable<S> {
    /// An empty table. `ports` tell the server's side of a flow without SYN.
    #[must_use]
    pub fn new(limits: FlowLimits, ports: PortSet) -> FlowTable<S> {
        FlowTable {
            limits,
            ports,
            counters: FlowCounters::default(),
            seed: RandomState::default(),
            index: HashTable::new(),
            slots: Vec::new(),
            free: Vec::new(),
            lists: [List::EMPTY; CLASSES],
            deadlines: Deadlines::default(),
            clock: Clock::default(),
            next_check: Timestamp(0),
            next_id: 0,
            id_step: 1,
        }
    }

    /// Number flows `first`, `first + step`, ..., so that the tables of several shards use no number twice.
    #[must_use]
    pub fn numbered(self, first: u64, step: u64) -> FlowTable<S> {
        FlowTable { next_id: first, id_step: step, ..self }
    }

    /// Flows that the table holds at most.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.limits.flows
    }

    /// When [`FlowTable::advance`] has something to do, if nothing comes before: a wait ends, a session is
    /// due, a flow has been idle for long enough.
    #[must_use]
    pub fn next_due(&self) -> Option<Timestamp> {
        (self.counters.flows_open > 0).then_some(self.next_check)
    }

    /// What was seen so far.
    #[must_use]
    pub fn counters(&self) -> &FlowCounters {
        &self.counters
    }

    /// The flows, and what hangs on them.
    pub fn states(&mut self) -> impl Iterator<Item = (&FlowInfo, &mut S)> {
        let connections = self.slots.iter_mut().flatten().map(|flow| &mut flow.connection);
        connections.filter_map(|connection| Some((&connection.info, connection.state.as_mut()?)))
    }

    /// Bytes held by the table, without what hangs on the sessions. Walks all flows.
    #[must_use]
    pub fn memory(&self) -> usize {
        let flows: usize = self
            .slots
            .iter()
            .flatten()
            .map(|flow| {
                size_of::<Flow<S>>()
                    + flow
                        .connection
                        .streams
                        .iter()
                        .map(super::reassembly::Stream::capacity_bytes)
                        .sum::<usize>()
            })
            .sum();
        flows
            + self.slots.capacity() * size_of::<Option<Box<Flow<S>>>>()
            + self.free.capacity() * size_of::<u32>()
            + self.index.allocation_size()
            + self.deadlines.capacity_bytes()
    }

    /// A packet, captured at `at`. Returns where its flow is, if [`FlowTable::next`] may take what follows.
    pub fn packet<H: FlowHandler<State = S>>(
        &mut self,
        place: FrameRef,
        at: Timestamp,
        packet: &Packet<'_>,
        handler: &mut H,
    ) -> Option<Spot> {
        self.counters.packets += 1;
        self.advance(at, handler);
        let source = Source { at, frame: place };
        match (&packet.payload, &packet.ip) {
            (Payload::Tcp(segment), Some(ips)) => return self.tcp(source, packet, ips, segment, handler),
            (Payload::Udp(datagram), Some(ips)) => self.udp(source, packet, ips, datagram, handler),
            (Payload::Ethernet { ethertype, bytes, wire_len }, None)
                if self.ports.contains(Transport::Ethernet, *ethertype) =>
            {
                self.ethernet(source, packet, (*ethertype, bytes, *wire_len), handler);
            }
            _ => self.counters.other_payloads += 1,
        }
        None
    }

    fn tcp<H: FlowHandler<State = S>>(
        &mut self,
        source: Source,
        packet: &Packet<'_>,
        ips: &(IpAddr, IpAddr),
        segment: &Segment<'_>,
        handler: &mut H,
    ) -> Option<Spot> {
        self.counters.tcp_segments += 1;
        self.counters.payload_bytes += segment.bytes.len() as u64;
        let vlan = self.limits.vlan_in_key.then_some(packet.vlan);
        let (key, from_low) = Key::new(Transport::Tcp, ips, (segment.src_port, segment.dst_port), vlan);
        let slot = if let Some(slot) = self.find(&key) {
            slot
        } else {
            if segment.flags & SYN == 0 && segment.wire_len == 0 && segment.bytes.is_empty() {
                self.counters.strays += 1;
                return None;
            }
            let syn = (segment.flags & SYN != 0).then_some(segment.flags & ACK == 0);
            let ports = (segment.src_port, segment.dst_port);
            self.insert(key, from_low, Transport::Tcp, ips, ports, packet, syn, handler)
        };
        let mut flow = self.slots[slot as usize].take()?;
        if flow.connection.state.is_none() && segment.flags & SYN != 0 {
            // Now it is known who opens.
            let client_is_low = from_low == (segment.flags & ACK == 0);
            if client_is_low != flow.client_is_low {
                flow.connection.swap();
                flow.client_is_low = client_is_low;
            }
        }
        let mut direction = flow.direction(from_low);
        flow.fill_mac(direction, packet);
        let arrived = Arrived { direction, segment, source };
        let mut after = flow.connection.segment(arrived, &mut self.counters, &self.limits, handler);
        let mut slot = slot;
        if let After::Reuse(syn) = after {
            let reason = flow.connection.ended.unwrap_or(CloseReason::Reused);
            let opener_is_low = syn.map(|(side, _)| (side == Direction::ToServer) == flow.client_is_low);
            self.slots[slot as usize] = Some(flow);
            self.close(slot, reason, handler);
            let opens = opener_is_low.map_or(segment.flags & ACK == 0, |low| low == from_low);
            let ports = (segment.src_port, segment.dst_port);
            slot = self.insert(key, from_low, Transport::Tcp, ips, ports, packet, Some(opens), handler);
            let mut fresh = self.slots[slot as usize].take()?;
            if let Some((_, isn)) = syn {
                fresh.connection.begun(Direction::ToServer, isn);
            }
            direction = fresh.direction(from_low);
            let arrived = Arrived { direction, segment, source };
            after = fresh.connection.segment(arrived, &mut self.counters, &self.limits, handler);
            debug_assert_eq!(after, After::Stay, "a fresh flow cannot be reused at once");
            flow = fresh;
        }
        self.check_one_way(&mut flow.connection, false, handler);
        self.schedule(slot, &mut flow, handler);
        let class = flow.tcp_class();
        let smooth = flow.connection.settle();
        let spot = smooth.then_some(Spot {
            flow: flow.connection.info.id,
            slot,
            direction: direction.index() as u8,
        });
        self.slots[slot as usize] = Some(flow);
        self.touch(slot, class);
        spot
    }

    fn udp<H: FlowHandler<State = S>>(
        &mut self,
        source: Source,
        packet: &Packet<'_>,
        ips: &(IpAddr, IpAddr),
        datagram: &Datagram<'_>,
        handler: &mut H,
    ) {
        self.counters.udp_datagrams += 1;
        self.counters.payload_bytes += datagram.bytes.len() as u64;
        let ports = (datagram.src_port, datagram.dst_port);
        let vlan = self.limits.vlan_in_key.then_some(packet.vlan);
        let (key, from_low) = Key::new(Transport::Udp, ips, ports, vlan);
        let slot = match self.find(&key) {
            Some(slot) => slot,
            None => self.insert(key, from_low, Transport::Udp, ips, ports, packet, None, handler),
        };
        let Some(mut flow) = self.slots[slot as usize].take() else { return };
        let direction = flow.direction(from_low);
        flow.fill_mac(direction, packet);
        flow.connection.see(direction, &mut self.counters);
        let Connection { info, state, data_segments, .. } = &mut flow.connection;
        *data_segments = data_segments.saturating_add(1);
        if datagram.wire_len as usize > datagram.bytes.len() {
            self.counters.truncated += 1;
            info.coverage.truncated = true;
        }
        let pieces = [Piece { end: datagram.bytes.len(), frame: source.frame, at: source.at }];
        let mut out = Out { handler, info, state, counters: &mut self.counters, limits: &self.limits };
        out.data(&Chunk { direction, bytes: datagram.bytes, pieces: &pieces });
        self.check_one_way(&mut flow.connection, false, handler);
        self.schedule(slot, &mut flow, handler);
        self.slots[slot as usize] = Some(flow);
        self.touch(slot, Class::Datagram);
    }

    #[inline]
    pub(super) fn find(&self, key: &Key) -> Option<u32> {
        let hash = key.hash(&self.seed);
        let same = |slot: &u32| self.slots[*slot as usize].as_ref().is_some_and(|flow| flow.key == *key);
        self.index.find(hash, same).copied()
    }

    /// A new flow. `opens` says whether the sender is the client, where a SYN tells.
    #[allow(clippy::too_many_arguments)]
    fn insert<H: FlowHandler<State = S>>(
        &mut self,
        key: Key,
        from_low: bool,
        transport: Transport,
        ips: &(IpAddr, IpAddr),
        ports: (u16, u16),
        packet: &Packet<'_>,
        opens: Option<bool>,
        handler: &mut H,
    ) -> u32 {
        let known = [ports.0, ports.1].map(|port| self.ports.contains(transport, port));
        let sender_is_client = opens.unwrap_or(!known[0] || known[1]);
        let sender = Endpoint { host: Host::Ip(ips.0), port: ports.0 };
        let receiver = Endpoint { host: Host::Ip(ips.1), port: ports.1 };
        let (client, server) = if sender_is_client { (sender, receiver) } else { (receiver, sender) };
        let (client_mac, server_mac) = if sender_is_client {
            (packet.src_mac, packet.dst_mac)
        } else {
            (packet.dst_mac, packet.src_mac)
        };
        let port_side = match known {
            [true, false] if sender_is_client => Some(Direction::ToServer),
            [true, false] => Some(Direction::ToClient),
            [false, true] if sender_is_client => Some(Direction::ToClient),
            [false, true] => Some(Direction::ToServer),
            _ => None,
        };
        let midstream = transport == Transport::Tcp && opens.is_none();
        let coverage = Coverage { midstream, one_way: true, ..Coverage::default() };
        let info = FlowInfo {
            id: self.next_id(),
            client,
            server,
            transport,
            ethertype: 0,
            vlan: packet.vlan,
            client_mac,
            server_mac,
            port_side,
            coverage,
            late: None,
            passed: None,
        };
        let class = if transport == Transport::Tcp { Class::Embryonic } else { Class::Datagram };
        self.admit(key, from_low == sender_is_client, class, info, handler)
    }

    /// The number of the next flow.
    pub(super) fn next_id(&mut self) -> u64 {
        let id = self.next_id;
        self.next_id += self.id_step;
        id
    }

    /// Take a flow into the table; makes room if there is none.
    pub(super) fn admit<H: FlowHandler<State = S>>(
        &mut self,
        key: Key,
        client_is_low: bool,
        class: Class,
        info: FlowInfo,
        handler: &mut H,
    ) -> u32 {
        if self.counters.flows_open >= self.limits.flows.max(1) as u64 {
            self.evict(handler);
        }
        let flow = Box::new(Flow {
            key,
            link: Link { before: NONE, after: NONE, class, stamp: self.clock.elapsed },
            due: NEVER,
            client_is_low,
            connection: Connection::new(info),
        });
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            (self.slots.len() - 1) as u32
        });
        self.slots[slot as usize] = Some(flow);
        let (seed, slots) = (&self.seed, &self.slots);
        let rehash = |slot: &u32| slots[*slot as usize].as_ref().map_or(0, |flow| flow.key.hash(seed));
        self.index.insert_unique(key.hash(seed), slot, rehash);
        self.append(slot);
        self.counters.flows_opened += 1;
        self.counters.flows_open += 1;
        self.counters.flows_peak = self.counters.flows_peak.max(self.counters.flows_open);
        slot
    }

    /// End a flow and tell its handler.
    pub(super) fn close<H: FlowHandler<State = S>>(
        &mut self,
        slot: u32,
        reason: CloseReason,
        handler: &mut H,
    ) {
        let Some(key) = self.slots[slot as usize].as_ref().map(|flow| flow.key) else { return };
        if let Ok(entry) = self.index.find_entry(key.hash(&self.seed), |other| *other == slot) {
            entry.remove();
        }
        self.unlink(slot);
        let Some(mut flow) = self.slots[slot as usize].take() else { return };
        self.free.push(slot);
        let connection = &mut flow.connection;
        connection.flush(self.clock.now, &mut self.counters, &self.limits, handler);
        self.check_one_way(connection, true, handler);
        self.counters.one_way_open -= u64::from(connection.is_told_one_way());
        let counter = match reason {
            CloseReason::Fin => &mut self.counters.closed_fin,
            CloseReason::Reset => &mut self.counters.closed_reset,
            CloseReason::Idle => &mut self.counters.closed_idle,
            CloseReason::Evicted => &mut self.counters.closed_evicted,
            CloseReason::Reused => &mut self.counters.closed_reused,
            CloseReason::End => &mut self.counters.closed_end,
        };
        *counter += 1;
        self.counters.flows_open -= 1;
        for stream in &connection.streams {
            stream.release(&mut self.counters);
        }
        if let Some(state) = connection.state.take() {
            let tails = [
                connection.streams[0].tail(Direction::ToServer),
                connection.streams[1].tail(Direction::ToClient),
            ];
            handler.closed(&mut connection.info, state, tails, reason);
        }
    }

    /// The capture is over: end all flows, in the order in which they began.
    pub fn finish<H: FlowHandler<State = S>>(&mut self, handler: &mut H) {
        let mut open: Vec<(u64, u32)> = self
            .slots
            .iter()
            .enumerate()
            .filter_map(|(slot, flow)| flow.as_ref().map(|flow| (flow.connection.info.id, slot as u32)))
            .collect();
        open.sort_unstable();
        for (_, slot) in open {
            let ended = self.slots[slot as usize].as_ref().and_then(|flow| flow.connection.ended);
            self.close(slot, ended.unwrap_or(CloseReason::End), handler);
        }
    }

    fn check_one_way<H: FlowHandler<State = S>>(
        &mut self,
        connection: &mut Connection<S>,
        at_end: bool,
        handler: &mut H,
    ) {
        let enough = at_end || connection.data_segments >= self.limits.one_way_segments;
        if !enough || connection.one_way_told || !connection.info.coverage.one_way {
            return;
        }
        let Some(state) = &mut connection.state else { return };
        connection.one_way_told = true;
        self.counters.one_way_flows += 1;
        self.counters.one_way_open += 1;
        handler.one_way(&mut connection.info, state);
    }
}

impl<S> Flow<S> {
    #[inline]
    fn direction(&self, from_low: bool) -> Direction {
        if from_low == self.client_is_low { Direction::ToServer } else { Direction::ToClient }
    }

    /// The sender's own address is surer than what others sent to it.
    #[inline]
    fn fill_mac(&mut self, direction: Direction, packet: &Packet<'_>) {
        if self.connection.streams[direction.index()].seen {
            return;
        }
        let info = &mut self.connection.info;
        let mac = match direction {
            Direction::ToServer => &mut info.client_mac,
            Direction::ToClient => &mut info.server_mac,
        };
        *mac = packet.src_mac.or(*mac);
    }

    #[inline]
    fn tcp_class(&self) -> Class {
        if self.connection.ended.is_some() {
            Class::Closing
        } else if self.connection.data_segments == 0 {
            Class::Embryonic
        } else {
            Class::Hot
        }
    }
}
