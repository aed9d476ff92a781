//! The walk from the outermost header inwards: the state that all layers share.

use core::slice::IterMut;

use parsers::{FrameRef, Timestamp};

use super::counters::Layer;
use super::fragments::FragmentTable;
use super::options::MAX_ENCAPSULATIONS;
use super::{DecapCounters, DecapOptions, Packet, Payload};

/// How the walk ended.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub(super) enum Outcome {
    /// The innermost packet stands in [`Walk::packet`].
    Done,
    /// A fragment went into its datagram, which is not complete yet, or was dropped with it.
    Held,
    /// A fragment that was seen before.
    Duplicate,
    /// Thrown away for its checksum.
    Discarded,
    /// A header was malformed, cut or too deep; the reason has been counted.
    Undecodable,
}

/// The rest of the frame from some header on: what was captured, and how much there was on the wire.
#[derive(Debug, Copy, Clone)]
pub(super) struct View<'a> {
    /// What was captured.
    pub(super) bytes: &'a [u8],
    /// Its length on the wire; at least `bytes.len()`.
    pub(super) wire: usize,
}

impl<'a> View<'a> {
    /// A view of bytes that are all there.
    pub(super) fn whole(bytes: &'a [u8]) -> View<'a> {
        View { bytes, wire: bytes.len() }
    }

    /// What follows the first `count` octets.
    #[inline]
    pub(super) fn skip(self, count: usize) -> View<'a> {
        View { bytes: self.bytes.get(count..).unwrap_or_default(), wire: self.wire.saturating_sub(count) }
    }

    /// The first `count` octets.
    #[inline]
    pub(super) fn limit(self, count: usize) -> View<'a> {
        View { bytes: self.bytes.get(..count).unwrap_or(self.bytes), wire: self.wire.min(count) }
    }

    /// What is left, as the payload of this Ethertype.
    pub(super) fn payload(self, ethertype: u16) -> Payload<'a> {
        Payload::Ethernet { ethertype, bytes: self.bytes, wire_len: self.wire as u32 }
    }

    /// Whether the snap length cut something off.
    #[inline]
    pub(super) fn is_cut(self) -> bool {
        self.wire > self.bytes.len()
    }
}

/// State of one frame's walk.
pub(super) struct Walk<'a> {
    /// The frame's time.
    pub(super) at: Timestamp,
    /// The frame's place.
    pub(super) place: FrameRef,
    pub(super) options: &'a DecapOptions,
    pub(super) counters: &'a mut DecapCounters,
    pub(super) fragments: &'a mut FragmentTable,
    /// Buffers for reassembled datagrams; each is lent once per frame.
    pub(super) scratch: IterMut<'a, Vec<u8>>,
    /// Encapsulations passed.
    pub(super) depth: u8,
    /// What is known of the innermost packet so far.
    pub(super) packet: Packet<'a>,
}

impl<'a> Walk<'a> {
    /// Finish with this payload.
    #[inline]
    pub(super) fn done(&mut self, payload: Payload<'a>) -> Outcome {
        self.packet.payload = payload;
        Outcome::Done
    }

    /// A header contradicts itself.
    #[cold]
    pub(super) fn malformed(&mut self, layer: Layer) -> Outcome {
        *self.counters.malformed(layer) += 1;
        Outcome::Undecodable
    }

    /// A header of `needed` octets is not all there: cut by the snap length, or malformed.
    #[cold]
    pub(super) fn short(&mut self, view: View<'a>, needed: usize, layer: Layer) -> Outcome {
        if view.is_cut() && needed <= view.wire {
            self.counters.headers_truncated += 1;
            return Outcome::Undecodable;
        }
        self.malformed(layer)
    }

    /// A limit of depth was reached.
    #[cold]
    pub(super) fn too_deep(&mut self) -> Outcome {
        self.counters.too_deep += 1;
        Outcome::Undecodable
    }

    /// Enter one more encapsulation; false if there are too many.
    pub(super) fn enter(&mut self) -> bool {
        self.depth += 1;
        self.depth <= MAX_ENCAPSULATIONS
    }
}
