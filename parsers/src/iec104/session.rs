//! A flow's session: finds the frames in the octets.
//!
//! Where a frame is due, start octet and length are believed. Where none is (behind a hole, in the middle of a
//! stream, behind octets that are no frame), one must be sound in itself or be followed by another.

use super::apci::{self, Scan};
use super::asdu::Asdu;
use super::detail::View;
use super::exchange::{Exchanges, Frame};
use crate::contract::*;
use crate::scene::Scene;
use crate::sync::{Sync, Words};

/// How the state of a direction speaks.
const WORDS: Words =
    Words { protocol: Protocol::Iec104, name: "IEC 60870-5-104", frame: "an APDU", check: "I4-C01" };

/// State of IEC 104 on one flow.
pub(super) struct Iec104 {
    /// By [`Direction::index`].
    sync: [Sync; 2],
    /// A frame is due at the next octet.
    due: [bool; 2],
    exchanges: Exchanges,
}

impl Iec104 {
    /// A session for a flow.
    pub(super) fn open(flow: &FlowInfo, limits: &Limits) -> Box<dyn Session> {
        let mut sync = [Sync::new(&WORDS), Sync::new(&WORDS)];
        if flow.coverage.midstream {
            sync.iter_mut().for_each(Sync::lose);
        }
        let due = [!flow.coverage.midstream; 2];
        Box::new(Iec104 { sync, due, exchanges: Exchanges::new(flow, limits) })
    }

    fn scan(&self, direction: Direction, octets: &[u8]) -> Scan {
        if self.due[direction.index()] {
            apci::due(octets)
        } else {
            apci::found(octets, self.exchanges.fields.sizes)
        }
    }

    /// Go through the octets at hand; gives how many are done with and how many are wanted. `last`: no more will
    /// follow.
    fn run(
        &mut self,
        flow: &FlowInfo,
        chunk: &Chunk<'_>,
        last: bool,
        observer: &mut dyn Observer,
    ) -> Progress {
        let side = chunk.direction.index();
        let mut at = 0;
        loop {
            let rest = chunk.bytes.get(at..).unwrap_or_default();
            if rest.is_empty() {
                return Progress { consumed: at, needed: 0 };
            }
            match self.scan(chunk.direction, rest) {
                // What would have to be borne out by octets that do not come is no frame.
                Scan::Need(needed) if !last || self.due[side] => return Progress { consumed: at, needed },
                Scan::Frame(octets) => {
                    self.frame(flow, chunk, at..at + octets, observer);
                    self.due[side] = true;
                    at += octets;
                }
                Scan::Unsound(_) | Scan::Need(_) | Scan::Junk => {
                    self.due[side] = false;
                    if let Some(octets) = apci::shown(rest) {
                        self.unsound(flow, chunk, at..at + octets, observer);
                    }
                    self.skip(flow, chunk, at, junk(rest), observer);
                    at += junk(rest);
                }
            }
        }
    }

    fn frame(
        &mut self,
        flow: &FlowInfo,
        chunk: &Chunk<'_>,
        span: core::ops::Range<usize>,
        observer: &mut dyn Observer,
    ) {
        let octets = chunk.bytes.get(span.clone()).unwrap_or_default();
        let Some(head) = apci::head(octets) else { return };
        let sync = &mut self.sync[chunk.direction.index()];
        sync.found(flow, chunk.direction, observer);
        let recovered = sync.recovered();
        let origin = chunk.origin(span);
        let frame = Frame { direction: chunk.direction, origin, recovered, head, octets };
        self.exchanges.frame(flow, &frame, observer);
    }

    /// Octets that look like a frame where nothing bears it out, or that are not all there: shown as far as they
    /// can be read, but nothing follows from them. They are accounted for as skipped.
    fn unsound(
        &mut self,
        flow: &FlowInfo,
        chunk: &Chunk<'_>,
        span: core::ops::Range<usize>,
        observer: &mut dyn Observer,
    ) {
        let octets = chunk.bytes.get(span.clone()).unwrap_or_default();
        let Some(head) = apci::head(octets) else { return };
        let information = matches!(head.kind, apci::Kind::Information { .. });
        let rest = octets.get(apci::HEAD..).filter(|_| information).unwrap_or_default();
        let asdu = Asdu::new(rest, self.exchanges.fields.sizes);
        let origin = chunk.origin(span);
        let view = View { octets: &[], head, asdu, begun: rest };
        observer.unit(&Unit {
            flow,
            direction: chunk.direction,
            origin,
            head: origin,
            protocol: Protocol::Iec104,
            recovered: true,
            opens: false,
            detail: &view,
        });
    }

    fn skip(
        &mut self,
        flow: &FlowInfo,
        chunk: &Chunk<'_>,
        at: usize,
        count: usize,
        observer: &mut dyn Observer,
    ) {
        let origin = chunk.origin(at..at + count);
        let octets = chunk.bytes.get(at..at + count).unwrap_or_default();
        self.sync[chunk.direction.index()].skip(flow, chunk.direction, octets, origin, observer);
    }

    /// The last octets before a hole or the end: what is whole in them, and what is not.
    fn end(&mut self, flow: &FlowInfo, chunk: &Chunk<'_>, observer: &mut dyn Observer) {
        let progress = self.run(flow, chunk, true, observer);
        let sync = &mut self.sync[chunk.direction.index()];
        sync.found(flow, chunk.direction, observer);
        let rest = chunk.bytes.get(progress.consumed..).unwrap_or_default();
        if rest.is_empty() {
            return;
        }
        if let Some(octets) = apci::shown(rest) {
            self.unsound(flow, chunk, progress.consumed..progress.consumed + octets, observer);
        }
        let mut scene = Scene::new(
            Protocol::Iec104,
            flow,
            chunk.direction,
            chunk.origin(progress.consumed..chunk.bytes.len()),
            rest,
        );
        scene.skipped = rest.len() as u64;
        let (expected, observed) =
            (format_args!("an APDU of {} octets", progress.needed), format_args!("{} octets", rest.len()));
        scene.report(observer, (DefectKind::Truncated, ""), expected, observed);
    }
}

/// Octets up to the next that can begin a frame.
fn junk(octets: &[u8]) -> usize {
    let next = octets.iter().skip(1).position(|octet| *octet == apci::START);
    next.map_or(octets.len(), |next| next + 1)
}

impl Session for Iec104 {
    fn feed(&mut self, flow: &FlowInfo, chunk: &Chunk<'_>, observer: &mut dyn Observer) -> Progress {
        if !flow.transport.is_datagram() {
            return self.run(flow, chunk, false, observer);
        }
        self.sync[chunk.direction.index()].restart();
        self.due[chunk.direction.index()] = true;
        self.end(flow, chunk, observer);
        Progress::all(chunk)
    }

    fn gap(&mut self, flow: &FlowInfo, gap: &Gap<'_>, observer: &mut dyn Observer) {
        self.end(flow, &gap.tail, observer);
        self.sync[gap.direction.index()].lose();
        self.due[gap.direction.index()] = false;
        self.exchanges.interrupt(gap.direction, gap.origin.at);
    }

    fn tick(&mut self, flow: &FlowInfo, now: Timestamp, observer: &mut dyn Observer) {
        self.exchanges.expire(flow, now, observer);
    }

    fn finish(&mut self, flow: &FlowInfo, tails: [Chunk<'_>; 2], observer: &mut dyn Observer) {
        for tail in &tails {
            self.end(flow, tail, observer);
        }
    }

    fn memory(&self) -> usize {
        size_of::<Iec104>() + self.exchanges.memory()
    }

    fn deadline(&self) -> Option<Timestamp> {
        self.exchanges.deadline()
    }

    fn set_answer_timeout(&mut self, ns: u64) {
        self.exchanges.set_answer_timeout(ns);
    }

    fn set_field_sizes(&mut self, sizes: Option<FieldSizes>) {
        self.exchanges.fields.give(sizes);
    }
}
