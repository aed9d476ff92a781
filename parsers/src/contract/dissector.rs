//! How a protocol registers, and how the monitor drives it.

use core::ops::RangeInclusive;

use super::{
    Action, Chunk, Defect, Direction, FieldSizes, FlowInfo, Function, Gap, Operation, PointKind, Progress,
    Protocol, StationAddress, Timestamp, Transport, Unit,
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

    /// Requests from here on may stay unanswered for so long (see [`Limits::answer_timeout_ns`]). Those that
    /// wait already keep their time; what is asked after them is not told as overdue before they are.
    fn set_answer_timeout(&mut self, _ns: u64) {}

    /// The sizes of fields that somebody knows of this flow, from here on; `None`: the session finds out.
    fn set_field_sizes(&mut self, _sizes: Option<FieldSizes>) {}
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

/// How a select and its operate belong together.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub enum SelectRule {
    /// The operate has the next sequence number and the same objects, and no other request comes between
    /// (IEEE 1815, 4.4.3).
    NextSequence,
    /// The operate has the same object; selects of several points may wait at a time (IEC 60870-5-101, 6.8).
    SameObject,
}

/// How a protocol addresses the stations behind a host.
pub struct AddressTerms {
    /// The key of a profile that gives the number: `unit_id`.
    pub key: &'static str,
    /// What it is called: `unit id`.
    pub what: &'static str,
    /// Several of them: `unit ids`.
    pub plural: &'static str,
    /// The numbers a station can have.
    pub stations: RangeInclusive<u16>,
    /// The numbers that stand for all stations, if there are any.
    pub broadcasts: Option<RangeInclusive<u16>>,
    /// An address from its number.
    pub address: fn(u16) -> StationAddress,
}

/// A function that has a name: code, sub-function, name in `snake_case`.
pub type FunctionRow = (u8, Option<u16>, &'static str);

/// A protocol's entry in the registry: all that the rest of the program has to know of it.
pub struct Dissector {
    /// The protocol.
    pub protocol: Protocol,
    /// The functions that have names, which are those that operations carry. `None` as sub-function stands for
    /// all that have no row of their own.
    pub functions: &'static [FunctionRow],
    /// The function codes there can be.
    pub codes: RangeInclusive<u8>,
    /// A function with its name; `"unknown"` for a code without one.
    pub function: fn(u8, Option<u16>) -> Function,
    /// The class of a function by its code alone. What a function is about can make it another.
    pub action: fn(u8, Option<u16>) -> Action,
    /// Whether ordinary masters read, write, control or start up with a function (by its code). A sweep over
    /// functions must contain others.
    pub is_everyday: fn(u8) -> bool,
    /// Whether what a function (by its code) carries of this kind of points are measured values, whose range says
    /// something: not states, counters, texts or files.
    pub measures: fn(u8, PointKind) -> bool,
    /// How stations are addressed.
    pub address: AddressTerms,
    /// How a select and its operate belong together.
    pub select: SelectRule,
    /// What an ordinary station of the protocol is called, as a name begins.
    pub device: &'static str,
    /// TCP ports on which it is expected without being asked.
    pub tcp_ports: &'static [u16],
    /// UDP ports on which it is expected without being asked.
    pub udp_ports: &'static [u16],
    /// Ethertypes under which it stands in a frame without IP.
    pub ethertypes: &'static [u16],
    /// The octets of an Ethernet payload that say what it is about: payloads with the same are judged in one
    /// place, whoever sends them. Only for protocols with Ethertypes.
    pub subject: fn(&[u8]) -> &[u8],
    /// Recognise it by content on a flow of any port. Must be strict: a yes puts the flow into this
    /// protocol's hands.
    pub probe: fn(&Beginning<'_>) -> Probe,
    /// Make a session for a flow.
    pub open: fn(&FlowInfo, &Limits) -> Box<dyn Session>,
}
