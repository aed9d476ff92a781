//! A flow's session: finds the frames in the octets and hands them to the layers above.
//!
//! ```text
//! chunk -> link::scan -> frame -> transport series -> fragment -> exchange -> operation
//! ```

use super::exchange::Exchanges;
use super::link::{self, Scan, UserData};
use crate::contract::*;
use crate::scene::Scene;
use crate::sync::{Sync, Words};

/// How the state of a direction speaks.
const WORDS: Words = Words { protocol: Protocol::Dnp3, name: "DNP3", frame: "a link frame", check: "" };

/// Octets of user data in a short frame.
const FEW: usize = 32;

/// State of DNP3 on one flow.
pub(super) struct Dnp3 {
    /// By [`Direction::index`].
    sync: [Sync; 2],
    exchanges: Exchanges,
}

impl Dnp3 {
    /// A session for a flow.
    pub(super) fn open(_flow: &FlowInfo, limits: &Limits) -> Box<dyn Session> {
        Box::new(Dnp3 { sync: [Sync::new(&WORDS), Sync::new(&WORDS)], exchanges: Exchanges::new(limits) })
    }

    /// One good header with all of its octets, of which only `kept` are its own if another frame begins
    /// among them.
    fn frame(
        &mut self,
        flow: &FlowInfo,
        chunk: &Chunk<'_>,
        at: usize,
        (header, kept): (link::Header, usize),
        (user_data, good): (&[u8], bool),
        observer: &mut dyn Observer,
    ) {
        let origin = chunk.origin(at..at + header.wire());
        let octets = chunk.bytes.get(at..at + kept).unwrap_or_default();
        let sync = &mut self.sync[chunk.direction.index()];
        sync.found(flow, chunk.direction, observer);
        let recovered = sync.recovered();
        let frame = super::exchange::Frame { direction: chunk.direction, origin, recovered, header, octets };
        self.exchanges.frame(flow, &frame, (user_data, good), observer);
    }

    /// Octets at the end that no more will follow.
    fn cut_off(&mut self, flow: &FlowInfo, tail: &Chunk<'_>, observer: &mut dyn Observer) {
        let sync = &mut self.sync[tail.direction.index()];
        sync.found(flow, tail.direction, observer);
        if tail.bytes.is_empty() {
            return;
        }
        let origin = tail.origin(0..tail.bytes.len());
        let mut scene = Scene::new(Protocol::Dnp3, flow, tail.direction, origin, tail.bytes);
        scene.skipped = tail.bytes.len() as u64;
        if let Some(header) = link::header(tail.bytes) {
            unaccepted(flow, tail, 0..tail.bytes.len(), (header, true), observer);
            scene.from_master = Some(header.control.dir());
            let station = if header.control.dir() { header.destination } else { header.source };
            scene.station = StationAddress::Link(station);
            let wire = header.wire();
            let there = tail.bytes.len();
            let (expected, observed) =
                (format_args!("a frame of {wire} octets"), format_args!("{there} octets"));
            scene.report(observer, (DefectKind::Truncated, ""), expected, observed);
        } else {
            if let Some(header) = link::nearly(tail.bytes) {
                unaccepted(flow, tail, 0..tail.bytes.len(), (header, false), observer);
            }
            let there = tail.bytes.len();
            let (expected, observed) = (format_args!("a whole link header"), format_args!("{there} octets"));
            scene.report(observer, (DefectKind::Truncated, ""), expected, observed);
        }
    }

    /// Go through the octets at hand; gives how many are done with and how many are wanted.
    /// `last`: no more will follow.
    fn run(
        &mut self,
        flow: &FlowInfo,
        chunk: &Chunk<'_>,
        last: bool,
        observer: &mut dyn Observer,
    ) -> Progress {
        let mut at = 0;
        loop {
            let rest = chunk.bytes.get(at..).unwrap_or_default();
            match link::scan(rest) {
                Scan::Need(needed) => return Progress { consumed: at, needed },
                Scan::Junk(octets) => {
                    self.skip(flow, chunk, at, octets, observer);
                    at += octets;
                }
                Scan::BadHeader => {
                    if let Some(header) = self.rejected(chunk.direction, rest) {
                        if rest.len() < header.wire() && !last {
                            return Progress { consumed: at, needed: header.wire() };
                        }
                        let end = chunk.bytes.len().min(at + header.wire());
                        unaccepted(flow, chunk, at..end, (header, false), observer);
                    }
                    bad_header(flow, chunk, at, observer);
                    self.skip(flow, chunk, at, link::START.len(), observer);
                    at += link::START.len();
                }
                Scan::Short(header) => {
                    short(flow, chunk, at, header, observer);
                    self.skip(flow, chunk, at, link::HEADER, observer);
                    at += link::HEADER;
                }
                Scan::Frame(header) => {
                    let whole = rest.get(..header.wire()).unwrap_or_default();
                    let kept = match link::only_block(whole) {
                        Some(user_data) => {
                            self.frame(flow, chunk, at, (header, whole.len()), (user_data, true), observer);
                            Ok(whole.len())
                        }
                        None => self.blocks(flow, chunk, at, (header, last), observer),
                    };
                    match kept {
                        Ok(kept) => at += kept,
                        Err(needed) => return Progress { consumed: at, needed },
                    }
                }
            }
        }
    }

    /// A frame with several blocks of user data, or one that does not hold. Gives the octets it takes, or how many are
    /// wanted to tell.
    fn blocks(
        &mut self,
        flow: &FlowInfo,
        chunk: &Chunk<'_>,
        at: usize,
        (header, last): (link::Header, bool),
        observer: &mut dyn Observer,
    ) -> Result<usize, usize> {
        let rest = chunk.bytes.get(at..).unwrap_or_default();
        let whole = rest.get(..header.wire()).unwrap_or_default();
        // Most are short, and clearing a large room costs more than the rest.
        let (mut few, mut many);
        let (user_data, good) = if header.user_data() <= FEW {
            few = UserData::<FEW>::new();
            let good = few.load(whole);
            (few.octets(), good)
        } else {
            many = UserData::<{ link::MAX_USER_DATA }>::new();
            let good = many.load(whole);
            (many.octets(), good)
        };
        let kept = if good { header.wire() } else { link::own_octets(rest, header, last)? };
        self.frame(flow, chunk, at, (header, kept), (user_data, good), observer);
        if kept < header.wire() {
            self.sync[chunk.direction.index()].lose();
        }
        Ok(kept)
    }

    /// The header of a frame that is due here and that everybody rejects, for its CRC is wrong.
    fn rejected(&self, direction: Direction, octets: &[u8]) -> Option<link::Header> {
        let in_step = self.sync[direction.index()].in_step();
        link::unchecked(octets).filter(|header| in_step && header.length >= link::MIN_LENGTH)
    }

    /// The last octets before a hole or the end: what is whole in them, and what is not.
    fn end(&mut self, flow: &FlowInfo, chunk: &Chunk<'_>, observer: &mut dyn Observer) {
        let progress = self.run(flow, chunk, true, observer);
        let end = chunk.bytes.len();
        let origin = chunk.origin(progress.consumed..end);
        let piece = [Piece { end: end - progress.consumed, frame: origin.frame, at: origin.at }];
        let bytes = chunk.bytes.get(progress.consumed..).unwrap_or_default();
        self.cut_off(flow, &Chunk { direction: chunk.direction, bytes, pieces: &piece }, observer);
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
}

impl Session for Dnp3 {
    fn feed(&mut self, flow: &FlowInfo, chunk: &Chunk<'_>, observer: &mut dyn Observer) -> Progress {
        if !flow.transport.is_datagram() {
            return self.run(flow, chunk, false, observer);
        }
        // A datagram is a fresh start: whatever went wrong in the one before is over.
        self.sync[chunk.direction.index()].restart();
        self.end(flow, chunk, observer);
        Progress::all(chunk)
    }

    fn gap(&mut self, flow: &FlowInfo, gap: &Gap<'_>, observer: &mut dyn Observer) {
        self.end(flow, &gap.tail, observer);
        self.sync[gap.direction.index()].lose();
        self.exchanges.interrupt(flow, gap, observer);
    }

    fn tick(&mut self, flow: &FlowInfo, now: Timestamp, observer: &mut dyn Observer) {
        self.exchanges.expire(flow, now, observer);
    }

    fn finish(&mut self, flow: &FlowInfo, tails: [Chunk<'_>; 2], observer: &mut dyn Observer) {
        for tail in &tails {
            self.end(flow, tail, observer);
        }
        self.exchanges.finish(flow, observer);
    }

    fn memory(&self) -> usize {
        size_of::<Dnp3>() + self.exchanges.memory()
    }

    fn deadline(&self) -> Option<Timestamp> {
        self.exchanges.deadline()
    }

    fn set_answer_timeout(&mut self, ns: u64) {
        self.exchanges.set_answer_timeout(ns);
    }
}

/// A frame that no station accepts, because its header's CRC is wrong or its end is missing: shown as far as
/// it can be read, but nothing follows from it.
fn unaccepted(
    flow: &FlowInfo,
    chunk: &Chunk<'_>,
    span: core::ops::Range<usize>,
    (header, header_crc_ok): (link::Header, bool),
    observer: &mut dyn Observer,
) {
    let origin = chunk.origin(span.clone());
    let octets = chunk.bytes.get(span).unwrap_or_default();
    let frame =
        super::exchange::Frame { direction: chunk.direction, origin, recovered: true, header, octets };
    super::emit::unaccepted(flow, &frame, header_crc_ok, observer);
}

/// Start octets with a wrong CRC behind them.
fn bad_header(flow: &FlowInfo, chunk: &Chunk<'_>, at: usize, observer: &mut dyn Observer) {
    let span = at..at + link::HEADER;
    let octets = chunk.bytes.get(span.clone()).unwrap_or_default();
    let mut scene = Scene::new(Protocol::Dnp3, flow, chunk.direction, chunk.origin(span), octets);
    scene.offset = 8;
    let right = super::crc::crc(octets.get(..8).unwrap_or_default());
    let there = octets.get(8..).map_or(0, super::object::header::little_endian);
    let (expected, observed) = (format_args!("header CRC {right:#06x}"), format_args!("{there:#06x}"));
    scene.report(observer, (DefectKind::BadChecksum, "DN-C01"), expected, observed);
}

/// A good header that cannot be one.
fn short(flow: &FlowInfo, chunk: &Chunk<'_>, at: usize, header: link::Header, observer: &mut dyn Observer) {
    let span = at..at + link::HEADER;
    let octets = chunk.bytes.get(span.clone()).unwrap_or_default();
    let mut scene = Scene::new(Protocol::Dnp3, flow, chunk.direction, chunk.origin(span), octets);
    scene.offset = 2;
    scene.from_master = Some(header.control.dir());
    let (expected, observed) = (format_args!("LENGTH 5 to 255"), format_args!("{}", header.length));
    scene.report(observer, (DefectKind::Malformed, "DN-C03"), expected, observed);
}
