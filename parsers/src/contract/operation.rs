//! An operation: who asked whom to do what, with which points, and how it was answered.

use super::{
    Action, Detail, Direction, Endpoint, FlowInfo, FrameRef, Function, Origin, PointRange, Protocol,
    Timestamp,
};

/// The part an operation plays in an exchange.
#[derive(Debug, Copy, Clone, Eq, PartialEq, Hash)]
pub enum Exchange {
    /// A question or an order.
    Request,
    /// The answer to a request.
    Response,
    /// A report nobody asked for.
    Unsolicited,
    /// A confirmation of receipt.
    Confirm,
    /// Link-layer traffic.
    Link,
    /// Said to all who listen; nobody asks and nobody answers.
    Publication,
}

impl Exchange {
    /// Lower-case name, as in events.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Exchange::Request => "request",
            Exchange::Response => "response",
            Exchange::Unsolicited => "unsolicited",
            Exchange::Confirm => "confirm",
            Exchange::Link => "link",
            Exchange::Publication => "publication",
        }
    }
}

/// The address a protocol gives a station behind an endpoint.
#[derive(Debug, Copy, Clone, Eq, PartialEq, Ord, PartialOrd)]
pub enum StationAddress {
    /// The protocol has none.
    None,
    /// Modbus unit id.
    Unit(u8),
    /// DNP3 link address.
    Link(u16),
    /// IEC 60870-5 common address of ASDU.
    Common(u16),
}

/// As one number, as of [`super::Host`].
impl core::hash::Hash for StationAddress {
    #[inline]
    fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
        state.write_u32(match self {
            StationAddress::None => 0,
            StationAddress::Unit(n) => 1 << 16 | u32::from(*n),
            StationAddress::Link(n) => 2 << 16 | u32::from(*n),
            StationAddress::Common(n) => 3 << 16 | u32::from(*n),
        });
    }
}

impl StationAddress {
    /// The number, if there is one.
    #[must_use]
    pub fn number(self) -> Option<u32> {
        match self {
            StationAddress::None => None,
            StationAddress::Unit(n) => Some(n.into()),
            StationAddress::Link(n) | StationAddress::Common(n) => Some(n.into()),
        }
    }

    /// The short word before the number in sentences: `unit 5`, `link 10`, `CA 3`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            StationAddress::None => "",
            StationAddress::Unit(_) => "unit",
            StationAddress::Link(_) => "link",
            StationAddress::Common(_) => "CA",
        }
    }

    /// The whole word: `unit`, `link address`, `common address`.
    #[must_use]
    pub fn long_word(self) -> &'static str {
        match self {
            StationAddress::Link(_) => "link address",
            StationAddress::Common(_) => "common address",
            _ => self.word(),
        }
    }

    /// Whether it stands for all stations behind its host: the broadcast addresses of DNP3 (IEEE 1815, 9.2.4.1.3)
    /// and the global common address (IEC 60870-5-101, 7.2.4). Modbus has no broadcast over TCP.
    #[must_use]
    pub fn is_broadcast(self) -> bool {
        matches!(self, StationAddress::Link(0xFFFD..) | StationAddress::Common(0xFFFF))
    }
}

/// `unit 5`; nothing for [`StationAddress::None`].
impl core::fmt::Display for StationAddress {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self.number() {
            Some(number) => write!(f, "{} {number}", self.word()),
            None => Ok(()),
        }
    }
}

/// How a request was answered.
#[derive(Debug, Copy, Clone, Eq, PartialEq, Hash)]
pub enum Outcome {
    /// Not an answer.
    None,
    /// Accepted.
    Success,
    /// Refused or failed, with the protocol's code (Modbus exception, DNP3 command status, DNP3 IIN2 bits).
    Refused {
        /// The raw code.
        code: u16,
        /// Its name in the standard, `snake_case`.
        name: &'static str,
    },
}

/// The request that a response answers.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub struct Answered {
    /// When the request was complete on the tap.
    pub at: Timestamp,
    /// The frame that completed it.
    pub frame: FrameRef,
}

/// A protocol-neutral operation. Borrowed from the session for the time of the call.
#[derive(Copy, Clone)]
pub struct Operation<'a> {
    /// The flow it was seen on.
    pub flow: &'a FlowInfo,
    /// Which way it travelled.
    pub direction: Direction,
    /// Frames and time.
    pub origin: Origin,
    /// The protocol.
    pub protocol: Protocol,
    /// Its part in an exchange.
    pub exchange: Exchange,
    /// Whether the sender is the commanding side (client, master). False for station to master.
    pub from_master: bool,
    /// The station asked, or reporting.
    pub station: StationAddress,
    /// The master's own address, where the protocol has one.
    pub master: StationAddress,
    /// Its class. A response has the class of its request.
    pub action: Action,
    /// Its function. A DNP3 response carries function 129 here; see `requested`.
    pub function: Function,
    /// The function of the request that this answers, if it was seen.
    pub requested: Option<Function>,
    /// The points concerned; a response inherits those of its request where the wire gives none.
    pub ranges: &'a [PointRange],
    /// Whether `ranges` is only a beginning, because there were more than the limit or because the rest could
    /// not be read.
    pub more_ranges: bool,
    /// How it was answered.
    pub outcome: Outcome,
    /// The request that this answers, if it was seen.
    pub answers: Option<Answered>,
    /// Number that ties question and answer: Modbus transaction id, DNP3 application sequence. 0 in IEC 104,
    /// which has none.
    pub sequence: u16,
    /// Addressed to all stations.
    pub broadcast: bool,
    /// Whether an answer is due.
    pub wants_answer: bool,
    /// The octets behind the function code (and IIN); select and operate must agree in them. IEC 104: of a
    /// command, its object without the select bit and the time.
    pub body: &'a [u8],
    /// Found after resynchronising.
    pub recovered: bool,
    /// The content.
    pub detail: &'a dyn Detail,
}

impl Operation<'_> {
    /// Who sent it.
    #[must_use]
    pub fn from(&self) -> Endpoint {
        self.flow.sender(self.direction)
    }

    /// Who was to receive it.
    #[must_use]
    pub fn to(&self) -> Endpoint {
        self.flow.receiver(self.direction)
    }

    /// The commanding endpoint, whoever sent this.
    #[must_use]
    pub fn master_endpoint(&self) -> Endpoint {
        if self.from_master { self.from() } else { self.to() }
    }

    /// The station's endpoint, whoever sent this.
    #[must_use]
    pub fn station_endpoint(&self) -> Endpoint {
        if self.from_master { self.to() } else { self.from() }
    }

    /// Nanoseconds between the request and this answer.
    #[must_use]
    pub fn latency_ns(&self) -> Option<u64> {
        self.answers.map(|a| self.origin.at.since(a.at))
    }
}

/// One protocol data unit as on the wire: a Modbus ADU, a DNP3 link frame. Every PDU is reported as a
/// unit; most, but not all, are operations too (a DNP3 fragment of three link frames: three units, one
/// operation).
#[derive(Copy, Clone)]
pub struct Unit<'a> {
    /// The flow it was seen on.
    pub flow: &'a FlowInfo,
    /// Which way it travelled.
    pub direction: Direction,
    /// Frames and time.
    pub origin: Origin,
    /// Frames and time of the header alone.
    pub head: Origin,
    /// The protocol.
    pub protocol: Protocol,
    /// Found after resynchronising.
    pub recovered: bool,
    /// It asks the other side to begin sending what it has (IEC 104: STARTDT act, IEC 60870-5-104, 5.3). No station
    /// behind the connection is named.
    pub opens: bool,
    /// The content.
    pub detail: &'a dyn Detail,
}
