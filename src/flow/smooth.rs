//! The short way of nearly all segments: next in order, on a flow of which nothing is unusual.
//!
//! ```text
//!             is the flow smooth?   does it acknowledge what was seen?   payload: is it next?
//! segment --> state of both streams --> other.next -----------------------> own.next --> session
//!                    | no                  | no                                | no
//!                    +---------------------+-----------------------------------+--> FlowTable::packet
//! ```
//!
//! Here everything is left out that [`super::tcp`] finds to be nothing: what opens, ends, waits, or was doubted.
//! A segment that is declined has changed nothing, and goes the way of all packets; a test holds both ways to
//! the same calls and counters.

use parsers::{Chunk, Direction, FrameRef, Piece, Timestamp};

use super::reassembly::{WINDOW, ahead};
use super::table::FlowTable;
use super::tcp::Connection;
use super::timeout::Class;
use super::{FlowHandler, Out, Source};
use crate::decap::Bare;

/// Where the flow of a packet is in its table, and which way the packet went.
#[derive(Debug, Clone, Copy, Default)]
pub struct Spot {
    /// The flow's number, which no other has.
    pub(super) flow: u64,
    pub(super) slot: u32,
    /// [`Direction::index`].
    pub(super) direction: u8,
}

impl<S> Connection<S> {
    /// Nothing of the flow is unusual: both streams are followed and have no end in sight, nothing waits, and
    /// nobody doubts anything. Whatever changes that comes through [`FlowTable::packet`], which asks anew.
    fn is_smooth(&self) -> bool {
        let is_usual = self.streams.iter().all(|stream| {
            stream.seen
                && stream.started
                && !stream.has_fin
                && !stream.finished
                && !stream.is_told
                && !stream.is_passed
                && !stream.is_holding()
        });
        is_usual
            && self.state.is_some()
            && self.ended.is_none()
            && self.reset.is_none()
            && self.doubted.is_none()
            && self.data_segments > 0
            && !self.info.coverage.one_way
    }

    /// A packet went the usual way: note whether the next may take the short one.
    pub(super) fn settle(&mut self) -> bool {
        self.smooth = self.is_smooth();
        self.smooth
    }
}

impl<S> FlowTable<S> {
    /// A segment without SYN, FIN and RST, with ACK, nothing of it cut off, of the flow that was met at `spot`
    /// with the same addresses and ports. False: it must be given to [`FlowTable::packet`].
    #[inline(always)]
    pub(crate) fn next<H: FlowHandler<State = S>>(
        &mut self,
        place: FrameRef,
        at: Timestamp,
        spot: Spot,
        segment: &Bare<'_>,
        handler: &mut H,
    ) -> bool {
        self.advance(at, handler);
        let Some(Some(flow)) = self.slots.get_mut(spot.slot as usize) else { return false };
        let connection = &mut flow.connection;
        if !connection.smooth || connection.info.id != spot.flow {
            return false;
        }
        let (direction, own, other) = match &mut connection.streams {
            [own, other] if spot.direction == 0 => (Direction::ToServer, own, other),
            [other, own] => (Direction::ToClient, own, other),
        };
        // Far back it would not count as an acknowledgement; ahead, the segment waits for what it acknowledges.
        if !(-WINDOW..=0).contains(&ahead(segment.ack, other.next)) {
            return false;
        }
        let length = segment.bytes.len();
        // What was acknowledged before it came is late, and that is told.
        let is_late = own.is_acked && ahead(own.acked, own.next) > 0;
        if segment.seq != own.next || (length > 0 && is_late) {
            return false;
        }
        self.counters.packets += 1;
        self.counters.tcp_segments += 1;
        other.is_acked = true;
        other.acked = segment.ack;
        let mut stale = self.clock.elapsed - flow.link.stamp >= super::idle::STAMP_NS;
        stale |= flow.link.class != Class::Hot;
        if length > 0 {
            self.counters.payload_bytes += length as u64;
            connection.data_segments = connection.data_segments.saturating_add(1);
            let source = Source { at, frame: place };
            own.moved(segment.bytes, source, &mut self.counters, &self.limits);
            let mut consumed = None;
            if own.is_wanted(length)
                && let Some(state) = &mut connection.state
            {
                let pieces = [Piece { end: length, frame: place, at }];
                let chunk = Chunk { direction, bytes: segment.bytes, pieces: &pieces };
                let progress = handler.data(&mut connection.info, state, &chunk);
                consumed = Some(own.note(progress, length));
            }
            if consumed != Some(length) {
                let (info, state) = (&mut connection.info, &mut connection.state);
                let (counters, limits) = (&mut self.counters, &self.limits);
                let mut out = Out { handler, info, state, counters, limits };
                own.leave(direction, segment.bytes, consumed, source, &mut out);
            }
            if let Some(at) = connection.state.as_ref().and_then(|state| handler.deadline(state))
                && at < flow.due
            {
                self.due_at(spot.slot, at);
            }
        }
        if stale {
            self.touch(spot.slot, Class::Hot);
        }
        true
    }
}
