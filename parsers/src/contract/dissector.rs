//! How a protocol registers, and how the monitor drives it.

use super::{
    Chunk, Defect, Direction, FlowInfo, Gap, Operation, Progress, Protocol, Timestamp, Transport, Unit,
};

/// Receives what a session finds.
pub trait Observer {
    /// A PDU as on the wire. Called before the operation it completes, if it completes one.
    fn unit(&mut self, _unit: &Unit<'_>) {}
    /// An operation.
    fn operation(&mut self, operation: &Operation<'_>);
    /// Trouble.
    fn defect(&mut self, defect: &Defect<'_>);
}

/// One protocol's state on one flow. Sessions are made by a [`Dissector`].
///
/// The rules are in the module's head; above all, splitting the input changes nothing.
pub trait Session: Send {
    /// Take the bytes at hand. On a datagram transport the chunk is whole: what it lacks is missing for
    /// good, and everything is consumed.
    fn feed(&mut self, flow: &FlowInfo, chunk: &Chunk<'_>, observer: &mut dyn Observer) -> Progress;

    /// Bytes of one direction were never seen. What comes next may begin inside a PDU.
    fn gap(&mut self, flow: &FlowInfo, gap: &Gap<'_>, observer: &mut dyn Observer);

    /// Packet time has come to `now`: report what was due before. Called now and then, in order of time.
    fn tick(&mut self, flow: &FlowInfo, now: Timestamp, observer: &mut dyn Observer);

    /// The flow is over. `tails` are the unfinished bytes of both directions, by [`Direction::index`].
    /// Requests still open are not reported: nobody knows whether they would have been answered.
    fn finish(&mut self, flow: &FlowInfo, tails: [Chunk<'_>; 2], observer: &mut dyn Observer);

    /// Heap bytes held by this session, for the memory accounts.
    fn memory(&self) -> usize;

    /// When the oldest open request is due, if any: lets the monitor skip `tick`.
    fn deadline(&self) -> Option<Timestamp>;
}

/// What the first bytes of a flow say about its protocol.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub enum Probe {
    /// It is this protocol.
    Yes,
    /// It cannot be.
    No,
    /// It may be; more bytes would tell.
    More,
}

/// The beginning of a flow, for probing by content.
#[derive(Debug, Copy, Clone)]
pub struct Beginning<'a> {
    /// First bytes of each direction, by [`Direction::index`]; at most [`Limits::probe_bytes`].
    pub bytes: [&'a [u8]; 2],
    /// How they travel.
    pub transport: Transport,
}

impl Beginning<'_> {
    /// First bytes of one direction.
    #[must_use]
    pub fn of(&self, direction: Direction) -> &[u8] {
        self.bytes[direction.index()]
    }
}

/// Limits of a session. Every table and buffer has one; reaching it is a defect.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Requests remembered per flow while they wait for their answers.
    pub pending_requests: usize,
    /// Nanoseconds a request may stay unanswered.
    pub answer_timeout_ns: u64,
    /// Nanoseconds for which an expired request is still matched, so that a late answer is known as such.
    pub late_answer_ns: u64,
    /// Bytes of one reassembled application fragment (DNP3).
    pub fragment_bytes: usize,
    /// Address pairs followed per flow (DNP3 multi-drop).
    pub links: usize,
    /// Bytes of each direction kept for probing a flow on an unknown port.
    pub probe_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            pending_requests: 64,
            answer_timeout_ns: 10_000_000_000,
            late_answer_ns: 30_000_000_000,
            fragment_bytes: 65_536,
            links: 64,
            probe_bytes: 512,
        }
    }
}

/// A protocol's entry in the registry.
pub struct Dissector {
    /// The protocol.
    pub protocol: Protocol,
    /// TCP ports on which it is expected without being asked.
    pub tcp_ports: &'static [u16],
    /// UDP ports on which it is expected without being asked.
    pub udp_ports: &'static [u16],
    /// Recognise it by content on a flow of any port. Must be strict: a yes puts the flow into this
    /// protocol's hands.
    pub probe: fn(&Beginning<'_>) -> Probe,
    /// Make a session for a flow.
    pub open: fn(&FlowInfo, &Limits) -> Box<dyn Session>,
}
