//! Which session gets which flow's bytes.

use parsers::{
    Chunk, DISSECTORS, Defect, Direction, Dissector, FieldSizes, FlowInfo, Gap, Limits, Observer, Operation,
    Origin, Progress, Protocol, Session, StationAddress, Timestamp, Transport, Unit,
};

use super::by_segment::{self, SegmentReader};
use super::carry::Carry;
use super::crew::Blind;
use super::probing::{Probing, Verdict, other_than};
use crate::decap::{Anomaly, Packet};
use crate::detect::coverage::Blindness;
use crate::detect::partners::Partners;
use crate::flow::{CloseReason, FlowHandler, Forged, Overlap, PortSet};

/// Ports on which a protocol is expected.
#[derive(Debug, Clone)]
pub struct PortTable {
    tcp: Vec<(u16, Protocol)>,
    udp: Vec<(u16, Protocol)>,
}

impl Default for PortTable {
    /// The ports of the standards.
    fn default() -> Self {
        let mut table = PortTable { tcp: Vec::new(), udp: Vec::new() };
        for dissector in DISSECTORS {
            table.tcp.extend(dissector.tcp_ports.iter().map(|p| (*p, dissector.protocol)));
            table.udp.extend(dissector.udp_ports.iter().map(|p| (*p, dissector.protocol)));
        }
        table
    }
}

impl PortTable {
    /// Use these ports for a protocol instead of the standard's.
    pub fn set(&mut self, protocol: Protocol, tcp: &[u16], udp: &[u16]) {
        self.tcp.retain(|(_, p)| *p != protocol);
        self.udp.retain(|(_, p)| *p != protocol);
        self.tcp.extend(tcp.iter().map(|port| (*port, protocol)));
        self.udp.extend(udp.iter().map(|port| (*port, protocol)));
    }

    pub(crate) fn protocol(&self, transport: Transport, port: u16) -> Option<Protocol> {
        let ports = match transport {
            Transport::Tcp => &self.tcp,
            Transport::Udp => &self.udp,
            Transport::Ethernet | Transport::Serial => return None,
        };
        ports.iter().find(|(p, _)| *p == port).map(|(_, protocol)| *protocol)
    }

    /// All port numbers, TCP and UDP together.
    pub fn numbers(&self) -> Vec<u16> {
        let mut numbers: Vec<_> = self.tcp.iter().chain(&self.udp).map(|(port, _)| *port).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }

    /// All of them, for the flow layer.
    pub fn all_ports(&self) -> PortSet {
        let ports = |list: &[(u16, Protocol)]| list.iter().map(|(port, _)| *port).collect::<Vec<_>>();
        let ethertypes: Vec<_> = DISSECTORS.iter().flat_map(|d| d.ethertypes).copied().collect();
        PortSet::new(&ports(&self.tcp), &ports(&self.udp)).with_ethertypes(&ethertypes)
    }
}

/// What a consumer may keep about a flow, beside the session.
pub struct FlowContext {
    /// The protocol the flow speaks.
    pub protocol: Protocol,
    /// It was recognised by content on a port where nobody expects it.
    pub unexpected_port: bool,
    /// What the tap missed and when.
    pub blindness: Blindness,
    /// Who the flow's stations and masters are.
    pub partners: Partners,
    /// Where the flow's hosts are watched for scans.
    pub scan: crate::detect::scan::Cached,
    /// Directions, by [`Direction::index`], whose numbering jumped or went back: a receiver may not have
    /// followed, so what is decoded from there on counts as recovered.
    pub renumbered: [bool; 2],
    /// How far one who reads each segment for itself has come, by [`Direction::index`]; only if somebody
    /// wants to know.
    by_segment: Option<Box<[SegmentReader; 2]>>,
    /// The flow was found to speak something else; further stray octets are no news.
    pub foreign: bool,
    /// The station that answered last.
    pub last_station: Option<StationAddress>,
}

impl FlowContext {
    /// How far those have come who read each segment for itself, by [`Direction::index`].
    pub fn by_segment(&mut self) -> &mut [SegmentReader; 2] {
        self.by_segment.get_or_insert_default()
    }
}

/// What is done with units, operations and defects.
pub trait Consumer {
    /// Whether it wants to be shown packets.
    #[inline]
    fn reads_packets(&self) -> bool {
        false
    }
    /// A packet, before its flow sees it. Only [`super::Pipeline`] shows them.
    fn packet(&mut self, _at: Timestamp, _packet: &Packet<'_>) {}
    /// A PDU as on the wire.
    fn unit(&mut self, _context: &mut FlowContext, _unit: &Unit<'_>) {}
    /// An operation.
    fn operation(&mut self, context: &mut FlowContext, operation: &Operation<'_>);
    /// Trouble.
    fn defect(&mut self, context: &mut FlowContext, defect: &Defect<'_>);
    /// Two segments disagree about the same octets.
    fn overlap(&mut self, _context: Option<&mut FlowContext>, _flow: &FlowInfo, _overlap: &Overlap<'_>) {}
    /// Octets of a flow were never seen.
    fn gap(&mut self, _context: Option<&mut FlowContext>, _flow: &FlowInfo, _gap: &Gap<'_>) {}
    /// Only one direction of a flow is seen.
    fn one_way(&mut self, _context: Option<&mut FlowContext>, _flow: &FlowInfo) {}
    /// A RST came that its sender can hardly have sent.
    fn reset_forged(
        &mut self,
        _context: &mut FlowContext,
        _flow: &FlowInfo,
        _sign: Forged,
        _origin: &Origin,
    ) {
    }
    /// Whether it wants to be shown what a segment holds by itself where the stream is out of step.
    fn reads_segments(&self) -> bool {
        false
    }
    /// Sizes of fields that it knows of a flow.
    fn field_sizes(&self, _flow: &FlowInfo) -> Option<FieldSizes> {
        None
    }
    /// A flow was recognised by content on a port where nobody expects its protocol.
    fn unexpected_port(&mut self, _context: &mut FlowContext, _flow: &FlowInfo, _chunk: &Chunk<'_>) {}
    /// What comes next is of this shard and belongs to this act.
    fn enter(&mut self, _shard: usize, _act: u64) {}
    /// When the shard wants [`Consumer::shard_tick`], if at all.
    fn due(&self, _shard: usize) -> Option<Timestamp> {
        None
    }
    /// Packet time has passed the whole second `now`, and something of the shard entered is due. The same
    /// seconds whatever the number of workers.
    fn shard_tick(&mut self, _now: Timestamp) {}
    /// What the flows of the shard entered could not see or hold since the last time.
    fn blind(&mut self, _now: Timestamp, _fresh: Blind) {}
    /// All flows of the shard entered have ended.
    fn shard_end(&mut self, _now: Timestamp) {}
    /// Packet time has passed the whole second `now`, perhaps many at once; comes before the shards. The last
    /// frame from any tap before came at `seen`: when that is long ago, the tap itself was silent.
    fn tick(&mut self, _now: Timestamp, _seen: Timestamp) {}
    /// The encapsulation of a frame looks like evasion.
    fn encapsulation(&mut self, _anomaly: &Anomaly) {}
}

/// Counters of sessions and probing.
#[derive(Debug, Clone, Copy, Default)]
pub struct WorkerCounters {
    /// Flows whose protocol was known by port.
    pub by_port: u64,
    /// Flows recognised by content on an unexpected port.
    pub by_content: u64,
    /// Flows that speak none of the protocols.
    pub unrecognised: u64,
    /// Their octets.
    pub unrecognised_octets: u64,
    /// Flows open now, by [`Protocol`].
    pub open: [u64; Protocol::ALL.len()],
    /// Holes in streams, by [`Protocol`].
    pub gaps: [u64; Protocol::ALL.len()],
}

impl WorkerCounters {
    /// Add what another worker has counted.
    pub fn add(&mut self, other: &WorkerCounters) {
        self.by_port += other.by_port;
        self.by_content += other.by_content;
        self.unrecognised += other.unrecognised;
        self.unrecognised_octets += other.unrecognised_octets;
        for (mine, theirs) in self.open.iter_mut().zip(other.open) {
            *mine += theirs;
        }
        for (mine, theirs) in self.gaps.iter_mut().zip(other.gaps) {
            *mine += theirs;
        }
    }
}

/// What hangs on a flow: the session, or the probing that comes before it.
pub struct FlowState(State);

enum State {
    Probing(Box<Probing>),
    Speaking(Box<Speaking>),
    Other,
}

impl FlowState {
    pub(super) fn set_answer_timeout(&mut self, ns: u64) {
        if let State::Speaking(speaking) = &mut self.0 {
            speaking.session.set_answer_timeout(ns);
        }
    }

    fn set_field_sizes(&mut self, sizes: Option<FieldSizes>) {
        if let State::Speaking(speaking) = &mut self.0 {
            speaking.session.set_field_sizes(sizes);
        }
    }
}

struct Speaking {
    session: Box<dyn Session>,
    context: FlowContext,
    /// What was left over of a probed beginning, by [`Direction::index`]; few flows have any.
    carry: Option<Box<[Carry; 2]>>,
    /// Nothing was fed yet: the port's word has not been checked.
    fresh: bool,
}

/// Hands the flows' bytes to sessions and what comes out to the consumer.
pub struct Worker<C> {
    ports: PortTable,
    limits: Limits,
    consumer: C,
    counters: WorkerCounters,
}

/// Puts the flow's context beside what a session reports.
struct Tap<'a, C> {
    consumer: &'a mut C,
    context: &'a mut FlowContext,
}

impl<C: Consumer> Observer for Tap<'_, C> {
    #[inline]
    fn unit(&mut self, unit: &Unit<'_>) {
        if self.context.renumbered[unit.direction.index()] {
            self.consumer.unit(self.context, &Unit { recovered: true, ..*unit });
            return;
        }
        self.consumer.unit(self.context, unit);
    }
    fn operation(&mut self, operation: &Operation<'_>) {
        if self.context.renumbered[operation.direction.index()] {
            self.consumer.operation(self.context, &Operation { recovered: true, ..*operation });
            return;
        }
        self.consumer.operation(self.context, operation);
    }
    fn defect(&mut self, defect: &Defect<'_>) {
        self.consumer.defect(self.context, defect);
    }
}

impl<C: Consumer> Worker<C> {
    pub(crate) fn new(ports: PortTable, limits: Limits, consumer: C) -> Worker<C> {
        Worker { ports, limits, consumer, counters: WorkerCounters::default() }
    }

    /// Of the sessions that begin from here on.
    pub(super) fn set_answer_timeout(&mut self, ns: u64) {
        self.limits.answer_timeout_ns = ns;
    }

    /// What the consumer knows of a flow may have changed.
    pub(super) fn ask_again(&self, flow: &FlowInfo, state: &mut FlowState) {
        state.set_field_sizes(self.consumer.field_sizes(flow));
    }

    pub(super) fn consumer(&mut self) -> &mut C {
        &mut self.consumer
    }

    pub(super) fn consumer_ref(&self) -> &C {
        &self.consumer
    }

    pub(super) fn counters(&self) -> &WorkerCounters {
        &self.counters
    }

    pub(super) fn into_consumer(self) -> C {
        self.consumer
    }

    /// The dissector that the flow's ports promise, and the side that has the port.
    fn promised(&self, flow: &FlowInfo) -> Option<(&'static Dissector, Option<Direction>)> {
        if flow.transport == Transport::Ethernet {
            return parsers::dissector_of_ethertype(flow.ethertype).map(|d| (d, None));
        }
        let server = self.ports.protocol(flow.transport, flow.server.port);
        let client = self.ports.protocol(flow.transport, flow.client.port);
        let (protocol, side) = match (server, client) {
            (Some(s), Some(c)) if s == c => (s, None),
            (Some(s), _) => (s, Some(Direction::ToServer)),
            (None, Some(c)) => (c, Some(Direction::ToClient)),
            (None, None) => return None,
        };
        parsers::dissector(protocol).map(|d| (d, side))
    }

    fn speak(
        &mut self,
        flow: &FlowInfo,
        dissector: &'static Dissector,
        unexpected_port: bool,
    ) -> Box<Speaking> {
        let context = FlowContext {
            protocol: dissector.protocol,
            unexpected_port,
            blindness: Blindness::default(),
            partners: Partners::default(),
            scan: [None; 2],
            renumbered: [false; 2],
            by_segment: None,
            foreign: false,
            last_station: None,
        };
        let mut session = (dissector.open)(flow, &self.limits);
        session.set_field_sizes(self.consumer.field_sizes(flow));
        self.counters.open[dissector.protocol as usize] += 1;
        Box::new(Speaking { session, context, carry: None, fresh: true })
    }

    #[inline]
    fn feed(&mut self, flow: &mut FlowInfo, speaking: &mut Speaking, chunk: &Chunk<'_>) -> Progress {
        let Speaking { session, context, carry, .. } = speaking;
        if let Some(piece) = chunk.pieces.last() {
            context.blindness.note(flow, piece.at);
        }
        let mut tap = Tap { consumer: &mut self.consumer, context };
        let carry = carry.as_mut().map(|carry| &mut carry[chunk.direction.index()]);
        let progress = match carry.filter(|carry| !carry.is_empty()) {
            None => session.feed(flow, chunk, &mut tap),
            Some(carry) => carry.feed(chunk, |c| session.feed(flow, c, &mut tap)),
        };
        if self.consumer.reads_segments() && context.protocol == Protocol::Modbus {
            self.read_segments(flow, context, chunk);
            // Such a reader wants every segment as it comes, however long the stream waits.
            return Progress { needed: 0, ..progress };
        }
        progress
    }

    #[cold]
    fn read_segments(&mut self, flow: &FlowInfo, context: &mut FlowContext, chunk: &Chunk<'_>) {
        let mut reader = context.by_segment()[chunk.direction.index()];
        if flow.transport == Transport::Tcp {
            let consumer = &mut self.consumer;
            by_segment::read(flow, &mut reader, chunk, &self.limits, |unit| consumer.unit(context, unit));
        }
        context.by_segment()[chunk.direction.index()] = reader;
    }

    /// The port promised a protocol; look whether the first bytes plainly speak another one.
    fn check_promise(&mut self, flow: &mut FlowInfo, speaking: &mut Box<Speaking>, chunk: &Chunk<'_>) {
        speaking.fresh = false;
        let Some(expected) = parsers::dissector(speaking.context.protocol) else { return };
        // An Ethertype is no port that anybody may use for something else.
        if speaking.context.unexpected_port || flow.transport == Transport::Ethernet {
            return;
        }
        if let Some(other) = other_than(expected, chunk, flow.transport) {
            self.counters.by_port -= 1;
            self.counters.by_content += 1;
            flow.port_side = None;
            self.counters.open[expected.protocol as usize] -= 1;
            *speaking = self.speak(flow, other, true);
            speaking.fresh = false;
            self.consumer.unexpected_port(&mut speaking.context, flow, chunk);
        }
    }

    fn probe(&mut self, flow: &mut FlowInfo, state: &mut FlowState, chunk: &Chunk<'_>) {
        let State::Probing(probing) = &mut state.0 else { return };
        match probing.add(chunk, flow.transport, self.limits.probe_bytes) {
            Verdict::Undecided => {}
            Verdict::Nothing => {
                self.counters.unrecognised += 1;
                self.counters.unrecognised_octets += probing.octets();
                state.0 = State::Other;
            }
            Verdict::Found(dissector) => {
                self.counters.by_content += 1;
                let mut speaking = self.speak(flow, dissector, true);
                speaking.fresh = false;
                if let Some(piece) = chunk.pieces.last() {
                    speaking.context.blindness.note(flow, piece.at);
                }
                self.consumer.unexpected_port(&mut speaking.context, flow, chunk);
                let Speaking { session, context, carry, .. } = &mut *speaking;
                let mut tap = Tap { consumer: &mut self.consumer, context };
                let carry = carry.get_or_insert_default();
                probing.replay(|c| {
                    carry[c.direction.index()].replay(c, |c| session.feed(flow, c, &mut tap));
                });
                if speaking.carry.as_ref().is_some_and(|carry| carry.iter().all(Carry::is_empty)) {
                    speaking.carry = None;
                }
                state.0 = State::Speaking(speaking);
            }
        }
    }

    fn context(state: &mut FlowState) -> Option<&mut FlowContext> {
        match &mut state.0 {
            State::Speaking(speaking) => Some(&mut speaking.context),
            State::Probing(_) | State::Other => None,
        }
    }
}

impl<C: Consumer> FlowHandler for Worker<C> {
    type State = FlowState;

    fn opened(&mut self, flow: &mut FlowInfo) -> FlowState {
        match self.promised(flow) {
            Some((dissector, side)) => {
                self.counters.by_port += 1;
                flow.port_side = side;
                FlowState(State::Speaking(self.speak(flow, dissector, false)))
            }
            None => FlowState(State::Probing(Box::new(Probing::new()))),
        }
    }

    #[inline]
    fn data(&mut self, flow: &mut FlowInfo, state: &mut FlowState, chunk: &Chunk<'_>) -> Progress {
        match &mut state.0 {
            State::Speaking(speaking) => {
                if speaking.fresh {
                    self.check_promise(flow, speaking, chunk);
                }
                self.feed(flow, speaking, chunk)
            }
            State::Probing(_) => {
                self.probe(flow, state, chunk);
                Progress::all(chunk)
            }
            State::Other => {
                self.counters.unrecognised_octets += chunk.bytes.len() as u64;
                Progress::all(chunk)
            }
        }
    }

    fn gap(&mut self, flow: &mut FlowInfo, state: &mut FlowState, gap: &Gap<'_>) {
        match &mut state.0 {
            State::Speaking(speaking) => {
                let Speaking { session, context, carry, .. } = &mut **speaking;
                context.blindness.note(flow, gap.origin.at);
                self.counters.gaps[context.protocol as usize] += 1;
                context.renumbered[gap.direction.index()] |= gap.missing.is_none();
                let mut tap = Tap { consumer: &mut self.consumer, context };
                let carry = carry.as_mut().map(|carry| core::mem::take(&mut carry[gap.direction.index()]));
                match carry.filter(|carry| !carry.is_empty()) {
                    None => session.gap(flow, gap, &mut tap),
                    Some(carry) => {
                        session.gap(flow, &Gap { tail: carry.chunk(gap.direction), ..*gap }, &mut tap);
                    }
                }
            }
            State::Probing(probing) => **probing = Probing::new(),
            State::Other => {}
        }
        self.consumer.gap(Self::context(state), flow, gap);
    }

    fn overlap(&mut self, flow: &mut FlowInfo, state: &mut FlowState, overlap: &Overlap<'_>) {
        self.consumer.overlap(Self::context(state), flow, overlap);
    }

    fn disbelieved(&mut self, flow: &mut FlowInfo, state: &mut FlowState, chunk: &Chunk<'_>) {
        let Some(context) = Self::context(state) else { return };
        if !self.consumer.reads_segments() {
            return;
        }
        if context.protocol == Protocol::Modbus {
            context.by_segment()[chunk.direction.index()].stumble();
            self.read_segments(flow, context, chunk);
        } else {
            let (consumer, protocol) = (&mut self.consumer, context.protocol);
            by_segment::alone(flow, protocol, chunk, &self.limits, |unit| consumer.unit(context, unit));
        }
    }

    fn reset_forged(
        &mut self,
        flow: &mut FlowInfo,
        state: Option<&mut FlowState>,
        sign: Forged,
        origin: &Origin,
    ) {
        if let Some(context) = state.and_then(Self::context) {
            self.consumer.reset_forged(context, flow, sign, origin);
        }
    }

    fn one_way(&mut self, flow: &mut FlowInfo, state: &mut FlowState) {
        self.consumer.one_way(Self::context(state), flow);
    }

    fn tick(&mut self, flow: &mut FlowInfo, state: &mut FlowState, now: Timestamp) {
        let State::Speaking(speaking) = &mut state.0 else { return };
        let Speaking { session, context, .. } = &mut **speaking;
        let mut tap = Tap { consumer: &mut self.consumer, context };
        session.tick(flow, now, &mut tap);
    }

    fn deadline(&self, state: &FlowState) -> Option<Timestamp> {
        match &state.0 {
            State::Speaking(speaking) => speaking.session.deadline(),
            State::Probing(_) | State::Other => None,
        }
    }

    fn closed(
        &mut self,
        flow: &mut FlowInfo,
        mut state: FlowState,
        tails: [Chunk<'_>; 2],
        reason: CloseReason,
    ) {
        if let State::Probing(probing) = &state.0 {
            // It ended before it was known what it speaks: as unseen as what nobody recognised.
            let octets = probing.octets();
            self.counters.unrecognised += u64::from(octets > 0);
            self.counters.unrecognised_octets += octets;
        }
        let State::Speaking(speaking) = &mut state.0 else { return };
        let Speaking { session, context, carry, .. } = &mut **speaking;
        self.counters.open[context.protocol as usize] -= 1;
        let mut tap = Tap { consumer: &mut self.consumer, context };
        let carry = carry.as_deref();
        let tails = tails.map(|own| {
            let carried = carry.map(|carry| &carry[own.direction.index()]).filter(|carry| !carry.is_empty());
            carried.filter(|_| own.bytes.is_empty()).map_or(own, |carry| carry.chunk(own.direction))
        });
        session.finish(flow, tails, &mut tap);
        if matches!(reason, CloseReason::Fin | CloseReason::Reset | CloseReason::Reused) {
            // No answer can come any more, nor the rest of a fragment. A master that gives up sooner than the
            // time-out would otherwise hide that its station is silent.
            for _ in 0..=self.limits.pending_requests + 2 * self.limits.links {
                let Some(due) = session.deadline() else { break };
                session.tick(flow, due.plus(1), &mut tap);
            }
        }
    }
}
