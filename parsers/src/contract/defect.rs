//! Bad traffic is a result, not an error: it is counted and reported, and parsing goes on.

use core::fmt;

use super::{Direction, FlowInfo, Function, Origin, Protocol, StationAddress};

macro_rules! defects {
    ($($(#[$doc:meta])* $variant:ident = $name:literal),+ $(,)?) => {
        /// What is wrong. Closed, so it is safe as a metric label.
        #[derive(Debug, Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash)]
        pub enum DefectKind { $($(#[$doc])* $variant),+ }

        impl DefectKind {
            /// All kinds.
            pub const ALL: &'static [DefectKind] = &[$(DefectKind::$variant),+];

            /// `snake_case` name, as in events and metrics.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(DefectKind::$variant => $name),+ }
            }
        }
    };
}

defects! {
    /// A PDU contradicts its own layout: lengths, counts, missing or surplus octets.
    Malformed = "malformed",
    /// A field has a value outside what the standard allows, the layout being sound.
    FieldRange = "field_range",
    /// A function code (or type) the standard does not define.
    UnknownFunction = "unknown_function",
    /// A DNP3 object this crate has no size for; what precedes it was decoded.
    UnknownObject = "unknown_object",
    /// Reserved bits set, illegal flags.
    ReservedBits = "reserved_bits",
    /// A checksum is wrong.
    BadChecksum = "bad_checksum",
    /// Octets that are no PDU were skipped to find the next one.
    Resynchronised = "resynchronised",
    /// The flow on this protocol's port speaks something else (TLS, HTTP, ...).
    ForeignProtocol = "foreign_protocol",
    /// Octets are missing because the tap did not see them or the datagram was cut.
    Truncated = "truncated",
    /// An answer that no request asked for.
    AnswerWithoutRequest = "answer_without_request",
    /// A request that was never answered.
    UnansweredRequest = "unanswered_request",
    /// An answer that does not fit its request: other function, unit, echo, quantity or objects.
    ContradictingAnswer = "contradicting_answer",
    /// A sequence number that does not follow.
    SequenceError = "sequence_error",
    /// Data without what has to come before: transfer that nobody started.
    NotStarted = "not_started",
    /// Marked as a test, in traffic that is operation.
    TestMode = "test_mode",
    /// A transport series or fragment that was never completed.
    IncompleteFragment = "incomplete_fragment",
    /// A request from a station, or a response from a master.
    RoleReversal = "role_reversal",
    /// A named limit was reached and something was given up for it.
    LimitReached = "limit_reached",
    /// A peculiarity worth knowing that harms nothing (transaction ids not echoed, unusual qualifier).
    Peculiar = "peculiar",
}

/// One piece of trouble. Borrowed for the time of the call; `expected` and `observed` cost nothing
/// unless they are printed.
#[derive(Copy, Clone)]
pub struct Defect<'a> {
    /// The flow it was seen on.
    pub flow: &'a FlowInfo,
    /// Which way the octets travelled.
    pub direction: Direction,
    /// Frames and time. For something that did not come: the request's frames, and the deadline as time.
    pub origin: Origin,
    /// The protocol.
    pub protocol: Protocol,
    /// What is wrong.
    pub kind: DefectKind,
    /// The check's id in the fact sheet (`MB-C03`, `DN-C02`), or "" where there is none.
    pub check: &'static str,
    /// The station concerned, if known.
    pub station: StationAddress,
    /// Whether the sender was the commanding side, if known.
    pub from_master: Option<bool>,
    /// The function concerned, if known.
    pub function: Option<Function>,
    /// What the standard or the request led one to expect.
    pub expected: fmt::Arguments<'a>,
    /// What was there instead.
    pub observed: fmt::Arguments<'a>,
    /// The octets concerned (as many as are at hand; consumers cut them).
    pub octets: &'a [u8],
    /// How many octets were skipped, for [`DefectKind::Resynchronised`] and the like.
    pub skipped: u64,
    /// Offset within `octets` at which the trouble begins.
    pub offset: usize,
}
