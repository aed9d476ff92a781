//! Flows: who talks to whom, and TCP streams put in order.
//!
//! Third step of the way from wire to metric (RFC 9293 for sequence numbers, RFC 5961 for what a receiver
//! does with blindly injected segments).
//!
//! ```text
//! Packet --> FlowTable --> Flow --> Stream (one a direction) --> FlowHandler
//!            key, lists    roles    next | tail | held | history
//!
//!   history          next                  held
//!   [ delivered ]    |     hole     [ 1 ] [ 2 ]   out of order, waiting for the hole
//!          [ tail ]  |                            delivered, but not consumed by the session
//! ```
//!
//! Rules:
//!
//! - In-order bytes are handed out in place. Only the unconsumed tail and out-of-order segments are copied.
//! - **Causal order**: a segment that acknowledges bytes of the other direction which have not been seen
//!   is held until they come (taps and span ports swap the directions), so a response never overtakes
//!   its request. Where they do not come, a gap is reported first.
//! - First-seen policy: bytes once accepted stay; different bytes for the same place are an [`Overlap`].
//! - Nothing an outsider injects makes the stream run away for good: implausible segments are counted and
//!   ignored, and bytes for a place that was given up as a gap take the stream back there.
//! - A flow is `opened` with its first payload, so scans and floods cost no session, and roles learned
//!   from a late SYN are still right.
//! - All time is packet time; the same packets give the same calls in the same order.

use parsers::{Chunk, Direction, FlowInfo, FrameRef, Gap, Origin, Piece, Progress, Timestamp};

mod ethernet;
mod gaps;
mod held;
mod history;
mod idle;
mod key;
mod limits;
mod pieces;
mod reassembly;
mod smooth;
mod table;
mod tcp;
mod timeout;
mod waiting;

#[cfg(test)]
mod tests;

pub use key::PortSet;
pub use limits::{FlowCounters, FlowLimits};
pub use smooth::Spot;
pub use table::FlowTable;

/// What the worker does with flows. All calls for one flow come in order; between flows, in packet order.
pub trait FlowHandler {
    /// What the worker hangs on a flow (the protocol's session).
    type State;

    /// The flow is about to carry its first payload. (Flows that never do are only counted.)
    fn opened(&mut self, info: &mut FlowInfo) -> Self::State;

    /// Bytes of one direction, in stream order: what was left unconsumed, then what is new. For UDP, one
    /// datagram, and what is returned is ignored.
    fn data(&mut self, info: &mut FlowInfo, state: &mut Self::State, chunk: &Chunk<'_>) -> Progress;

    /// Bytes of one direction are missing. `coverage` is already updated. `missing` is `Some(0)` when
    /// nothing is missing but an unfinished tail outgrew its limit.
    fn gap(&mut self, info: &mut FlowInfo, state: &mut Self::State, gap: &Gap<'_>);

    /// A segment brought other bytes than were seen before for the same place. The first seen were used.
    fn overlap(&mut self, info: &mut FlowInfo, state: &mut Self::State, overlap: &Overlap<'_>);

    /// A segment came so far from what is expected that it is not taken for a part of the stream.
    fn disbelieved(&mut self, _info: &mut FlowInfo, _state: &mut Self::State, _chunk: &Chunk<'_>) {}

    /// A RST came that its sender can hardly have sent.
    fn reset_forged(
        &mut self,
        _info: &mut FlowInfo,
        _state: Option<&mut Self::State>,
        _sign: Forged,
        _origin: &Origin,
    ) {
    }

    /// Only one direction is being seen, after [`FlowLimits::one_way_segments`] segments with payload or at
    /// the flow's end. Once per flow.
    fn one_way(&mut self, info: &mut FlowInfo, state: &mut Self::State);

    /// Packet time reached `now`, at or after what `deadline` had named.
    fn tick(&mut self, info: &mut FlowInfo, state: &mut Self::State, now: Timestamp);

    /// When `tick` is wanted next, if at all. Asked after every call above.
    fn deadline(&self, state: &Self::State) -> Option<Timestamp>;

    /// The flow is over. `tails` are the unconsumed bytes, by [`Direction::index`].
    fn closed(&mut self, info: &mut FlowInfo, state: Self::State, tails: [Chunk<'_>; 2], reason: CloseReason);
}

/// Two versions of the same bytes: somebody shows the tap and the receiver different things.
#[derive(Debug, Copy, Clone)]
pub struct Overlap<'a> {
    /// The direction concerned.
    pub direction: Direction,
    /// Offset in the stream of the first differing byte, counted from the first byte seen.
    pub offset: u64,
    /// What was seen first and used, from the first differing byte; at most [`EXCERPT`] bytes.
    pub old: &'a [u8],
    /// What came later and was not used.
    pub new: &'a [u8],
    /// Frame that brought `old`, if still known.
    pub old_origin: Option<Origin>,
    /// Frame that brought `new`.
    pub new_origin: Origin,
}

/// What tells a forged RST from a true one.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub enum Forged {
    /// Its numbers do not fit the flow; it is not taken for the end.
    Numbers,
    /// The other side reset the connection just before. A RST is not answered, least of all by a RST (RFC 9293,
    /// 3.5.3), so somebody between sent both.
    BothSides,
    /// Its sender went on with new octets behind it.
    GoesOn,
}

/// Bytes shown of each side of a conflicting overlap.
pub const EXCERPT: usize = 64;

/// Why a flow ended.
#[derive(Debug, Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash)]
pub enum CloseReason {
    /// Both sides sent FIN.
    Fin,
    /// A plausible RST.
    Reset,
    /// Nothing came for the idle time-out.
    Idle,
    /// The table was full and this was the flow idle for longest.
    Evicted,
    /// A new connection uses the same addresses and ports.
    Reused,
    /// The capture ended.
    End,
}

/// Which frame brings bytes.
#[derive(Debug, Copy, Clone, Eq, PartialEq, Ord, PartialOrd)]
struct Source {
    at: Timestamp,
    frame: FrameRef,
}

impl Source {
    fn origin(self) -> Origin {
        Origin { at: self.at, frame: self.frame, first_frame: self.frame }
    }
}

/// The way out of a flow: its handler, and what has to be known and counted on the way.
struct Out<'a, H: FlowHandler> {
    handler: &'a mut H,
    info: &'a mut FlowInfo,
    state: &'a mut Option<H::State>,
    counters: &'a mut FlowCounters,
    limits: &'a FlowLimits,
}

impl<H: FlowHandler> Out<'_, H> {
    fn data(&mut self, chunk: &Chunk<'_>) -> Progress {
        let state = opened(self.handler, self.info, self.state, self.counters);
        self.handler.data(self.info, state, chunk)
    }

    fn gap(&mut self, gap: &Gap<'_>) {
        self.counters.gaps += 1;
        self.counters.gap_bytes += gap.missing.unwrap_or(0);
        self.info.coverage.gaps = self.info.coverage.gaps.saturating_add(1);
        let state = opened(self.handler, self.info, self.state, self.counters);
        self.handler.gap(self.info, state, gap);
    }

    #[cold]
    fn disbelieved(&mut self, direction: Direction, bytes: &[u8], source: Source) {
        if let Some(state) = self.state {
            let pieces = [Piece { end: bytes.len(), frame: source.frame, at: source.at }];
            self.handler.disbelieved(self.info, state, &Chunk { direction, bytes, pieces: &pieces });
        }
    }

    fn overlap(&mut self, overlap: &Overlap<'_>) {
        self.counters.conflicting_overlaps += 1;
        let state = opened(self.handler, self.info, self.state, self.counters);
        self.handler.overlap(self.info, state, overlap);
    }
}

#[inline]
fn opened<'a, H: FlowHandler>(
    handler: &mut H,
    info: &mut FlowInfo,
    state: &'a mut Option<H::State>,
    counters: &mut FlowCounters,
) -> &'a mut H::State {
    state.get_or_insert_with(|| {
        counters.sessions_opened += 1;
        counters.midstream_flows += u64::from(info.coverage.midstream);
        handler.opened(info)
    })
}
