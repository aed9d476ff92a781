//! Packets on their way to a worker: copied once, one behind the other, into memory that is used again.

use parsers::{FrameRef, Timestamp};

use super::Seconds;
use crate::decap::{Datagram, Packet, Payload, Segment};
use crate::monitor::Monitor;
use crate::pipeline::Crew;
use crate::report::output::Output;

/// Memory of a batch that is kept for the next round.
const KEPT_OCTETS: usize = 1 << 19;

/// What a worker does next.
enum Step {
    Packet(Carried),
    Seconds(Seconds),
    Finish(u64, Timestamp),
}

/// A packet whose payload lies in the batch.
struct Carried {
    act: u64,
    at: Timestamp,
    frame: FrameRef,
    packet: Packet<'static>,
    /// Octets of payload, behind those of the packet before.
    length: u32,
    shard: u8,
}

/// Steps for one worker, and what it had to say to them.
#[derive(Default)]
pub(super) struct Batch {
    steps: Vec<Step>,
    octets: Vec<u8>,
    pub(super) out: Output,
}

impl Batch {
    pub(super) fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.steps.len()
    }

    #[inline]
    pub(super) fn packet(
        &mut self,
        act: u64,
        shard: usize,
        frame: FrameRef,
        at: Timestamp,
        packet: &Packet<'_>,
    ) {
        let octets = payload(packet);
        self.octets.extend_from_slice(octets);
        self.steps.push(Step::Packet(Carried {
            act,
            at,
            frame,
            packet: with_payload(packet, &[]),
            length: octets.len() as u32,
            shard: shard as u8,
        }));
    }

    pub(super) fn seconds(&mut self, seconds: Seconds) {
        self.steps.push(Step::Seconds(seconds));
    }

    pub(super) fn finish(&mut self, act: u64, now: Timestamp) {
        self.steps.push(Step::Finish(act, now));
    }

    /// Octets of payload in it.
    pub(super) fn octets(&self) -> usize {
        self.octets.len()
    }

    /// Do all of it.
    pub(super) fn work(&mut self, crew: &mut Crew<Monitor>) {
        core::mem::swap(&mut self.out, &mut crew.consumer().journal.out);
        let mut start = 0;
        for step in &self.steps {
            match step {
                Step::Packet(carried) => {
                    let end = start + carried.length as usize;
                    let octets = self.octets.get(start..end).unwrap_or_default();
                    start = end;
                    let packet = with_payload(&carried.packet, octets);
                    crew.packet(carried.act, carried.shard.into(), carried.frame, carried.at, &packet);
                }
                Step::Seconds(seconds) => crew.seconds(seconds),
                Step::Finish(act, now) => crew.finish(*act, *now),
            }
        }
        core::mem::swap(&mut self.out, &mut crew.consumer().journal.out);
    }

    /// Ready for the next round.
    pub(super) fn clear(&mut self) {
        self.steps.clear();
        self.octets.clear();
        if self.octets.capacity() > KEPT_OCTETS {
            self.octets = Vec::new();
        }
        self.out.clear();
    }
}

#[inline]
fn payload<'a>(packet: &Packet<'a>) -> &'a [u8] {
    match packet.payload {
        Payload::Tcp(Segment { bytes, .. })
        | Payload::Udp(Datagram { bytes, .. })
        | Payload::Ethernet { bytes, .. }
        | Payload::Ip { bytes, .. } => bytes,
    }
}

#[inline]
fn with_payload<'a>(packet: &Packet<'_>, bytes: &'a [u8]) -> Packet<'a> {
    let payload = match packet.payload {
        Payload::Tcp(segment) => Payload::Tcp(Segment { bytes, ..segment }),
        Payload::Udp(datagram) => Payload::Udp(Datagram { bytes, ..datagram }),
        Payload::Ethernet { ethertype, wire_len, .. } => Payload::Ethernet { ethertype, bytes, wire_len },
        Payload::Ip { protocol, .. } => Payload::Ip { protocol, bytes },
    };
    Packet { payload, ..*packet }
}
