//! TCP: ADUs one behind the other, and what is done when they are not.
//!
//! Nothing after a bad octet is lost: the stream is searched for the next ADU, what was passed over is
//! counted, and what is found is marked until the next ADU confirms it. A length that no device accepts
//! is not waited for.

use crate::contract::*;

use super::foreign;
use super::function;
use super::judge::{self, Hunt, Verdict};
use super::mbap::{self, Header, JUDGED};
use super::pdu::Role;
use super::rtu::{self, Frame};
use super::session::{Adu, Kind, ModbusSession};
use super::site::Site;

/// With no ADU in so many octets (two of the longest) a stream seen from its middle speaks something else.
const HOPELESS: u64 = 520;

/// An ADU found by hunting is marked, and so is the next: the first could be an accident, the second bears
/// it out. The same holds for what follows a header of another protocol id, behind which the reference
/// does not look.
const DOUBT: u8 = 2;

/// How one direction stands.
#[derive(Debug, Copy, Clone, Eq, PartialEq, Default)]
enum Mode {
    /// At the first octet of the stream.
    #[default]
    Start,
    /// At the first octet seen after something was not.
    BehindGap,
    /// Behind an ADU.
    InStep(Kind),
    /// Looking for the next ADU.
    Hunt,
}

/// The state of one direction.
#[derive(Debug, Default)]
pub(crate) struct Side {
    mode: Mode,
    /// So many ADUs must follow each other before what is found is believed to be in step.
    doubt: u8,
    /// An ADU was seen in this direction.
    seen: bool,
    /// A foreign protocol has been reported.
    told_foreign: bool,
    /// It speaks a foreign protocol, so one ADU proves nothing.
    foreign: bool,
    /// Octets still to come that an impossible length has claimed. The reference takes them for a part of
    /// that PDU, so what is found among them counts as recovered.
    disputed: u64,
    /// Octets passed over since the last ADU, and where.
    skipped: u64,
    lost: Option<Origin>,
}

impl Side {
    /// Whether it is in step and nothing about it is in doubt.
    #[inline]
    pub(super) fn is_steady(&self) -> bool {
        self.mode == Mode::InStep(Kind::Mbap) && self.doubt == 0 && self.disputed == 0 && self.lost.is_none()
    }
}

/// What a step did.
enum Step {
    Used(usize),
    Need(usize),
}

impl ModbusSession {
    /// Take the octets at hand.
    pub(super) fn stream(
        &mut self,
        flow: &FlowInfo,
        chunk: &Chunk<'_>,
        observer: &mut dyn Observer,
    ) -> Progress {
        let (consumed, needed) = self.drive(flow, chunk, false, observer);
        // In doubt, look again with every octet: what the other direction shows meanwhile can settle it,
        // and must do so at the same place however the octets are cut.
        let sure = self.sides[chunk.direction.index()].mode == Mode::InStep(Kind::Mbap);
        let header = chunk.bytes.get(consumed..).and_then(Header::at);
        let plain = header.is_some_and(|h| h.protocol == 0 && h.length_is_legal());
        Progress { consumed, needed: if sure && plain { needed } else { 0 } }
    }

    /// Step through a chunk. Returns how many octets are done with, and how many are wanted behind them.
    fn drive(
        &mut self,
        flow: &FlowInfo,
        chunk: &Chunk<'_>,
        ended: bool,
        observer: &mut dyn Observer,
    ) -> (usize, usize) {
        let mut at = 0;
        loop {
            if at >= chunk.bytes.len() {
                return (at, 0);
            }
            if let Some(length) = self.everyday(flow, chunk, at, observer) {
                at += length;
                continue;
            }
            match self.step(flow, chunk, at, ended, observer) {
                Step::Used(n) => at += n,
                Step::Need(n) => return (at, n),
            }
        }
    }

    fn step(
        &mut self,
        flow: &FlowInfo,
        chunk: &Chunk<'_>,
        at: usize,
        ended: bool,
        observer: &mut dyn Observer,
    ) -> Step {
        let rest = chunk.bytes.get(at..).unwrap_or_default();
        let roles = self.roles(flow, chunk.direction);
        let side = &mut self.sides[chunk.direction.index()];
        if side.mode == Mode::Start && flow.coverage.midstream {
            side.mode = Mode::BehindGap;
        }
        match side.mode {
            Mode::Start => match judge::at_start(rest, roles) {
                Verdict::Not => self.lose(flow, chunk, at, observer),
                verdict => self.take(flow, chunk, at, verdict, false, observer),
            },
            Mode::BehindGap => match judge::behind_gap(rest, roles) {
                Verdict::Not => self.give_up_alignment(flow, chunk, at, observer),
                verdict => self.take(flow, chunk, at, verdict, true, observer),
            },
            Mode::InStep(Kind::Mbap) => match judge::in_step(rest, roles) {
                Verdict::Not => self.lose(flow, chunk, at, observer),
                verdict => {
                    let in_doubt = side.doubt > 0;
                    self.take(flow, chunk, at, verdict, in_doubt, observer)
                }
            },
            Mode::InStep(Kind::Rtu) => self.step_rtu(flow, chunk, at, roles, observer),
            Mode::Hunt => self.step_hunt(flow, chunk, at, roles, ended, observer),
        }
    }

    /// Take what a verdict found, once it is all there.
    fn take(
        &mut self,
        flow: &FlowInfo,
        chunk: &Chunk<'_>,
        at: usize,
        verdict: Verdict,
        recovered: bool,
        observer: &mut dyn Observer,
    ) -> Step {
        let (length, beyond, kind) = match verdict {
            Verdict::Mbap { length, beyond } => (length, beyond, Kind::Mbap),
            Verdict::Rtu(length) => (length, 0, Kind::Rtu),
            Verdict::Need(n) => return Step::Need(n),
            Verdict::Not => return Step::Need(0),
        };
        if chunk.bytes.len() - at < length {
            return Step::Need(length);
        }
        self.found(flow, chunk, at, observer);
        let side = &mut self.sides[chunk.direction.index()];
        let in_dispute = side.disputed > 0;
        side.pass(length);
        side.seen = true;
        side.foreign = false;
        let header = chunk.bytes.get(at..).and_then(Header::at);
        let sound = kind == Kind::Rtu || (beyond == 0 && header.is_some_and(|h| h.protocol == 0));
        side.doubt = if sound { side.doubt.saturating_sub(1) } else { DOUBT };
        side.mode = Mode::InStep(kind);
        if beyond > 0 {
            side.disputed = beyond;
            side.mode = Mode::Hunt;
        }
        self.speaks = Some(kind);
        let recovered = recovered || in_dispute || beyond > 0;
        let adu = Adu { span: at..at + length, kind, recovered, missing: 0 };
        self.adu(flow, chunk, &adu, observer);
        Step::Used(length)
    }

    /// An RTU frame behind an RTU frame.
    fn step_rtu(
        &mut self,
        flow: &FlowInfo,
        chunk: &Chunk<'_>,
        at: usize,
        roles: &[Role],
        observer: &mut dyn Observer,
    ) -> Step {
        let rest = chunk.bytes.get(at..).unwrap_or_default();
        let known = match rtu::frame(rest, roles) {
            // Its function has no layout: let the checksum find the end.
            Frame::Not if rest.first().is_some_and(|address| *address <= 247) => rtu::opaque_frame(rest),
            other => other,
        };
        match known {
            Frame::Whole(length) => self.take(flow, chunk, at, Verdict::Rtu(length), false, observer),
            Frame::More(n) => Step::Need(n),
            Frame::Spoilt(length) => {
                bad_checksum(flow, chunk, at, length, observer);
                self.sides[chunk.direction.index()].mode = Mode::Hunt;
                self.pass_over(flow, chunk, at, 1, observer)
            }
            Frame::Not if rest.len() < foreign::LOOKED_AT => Step::Need(foreign::LOOKED_AT),
            Frame::Not => self.lose(flow, chunk, at, observer),
        }
    }

    fn step_hunt(
        &mut self,
        flow: &FlowInfo,
        chunk: &Chunk<'_>,
        at: usize,
        roles: &[Role],
        ended: bool,
        observer: &mut dyn Observer,
    ) -> Step {
        let rest = chunk.bytes.get(at..).unwrap_or_default();
        let side = &self.sides[chunk.direction.index()];
        // Stop where patience ends, wherever the chunk does.
        let limit = match HOPELESS.saturating_sub(side.skipped) {
            0 => usize::MAX,
            left => usize::try_from(left).unwrap_or(usize::MAX),
        };
        let how = Hunt {
            roles,
            rtu: self.speaks != Some(Kind::Mbap),
            mbap: self.speaks != Some(Kind::Rtu),
            strict: side.foreign,
            ended,
            waited_for: &|id, unit, code| self.exchanges.expects(id, unit, code),
        };
        let (passed, verdict) = judge::hunt(rest, limit, how);
        if passed > 0 {
            return self.pass_over(flow, chunk, at, passed, observer);
        }
        self.take(flow, chunk, at, verdict, true, observer)
    }

    /// The header at hand makes no sense: say so, and hunt.
    fn lose(&mut self, flow: &FlowInfo, chunk: &Chunk<'_>, at: usize, observer: &mut dyn Observer) -> Step {
        let rest = chunk.bytes.get(at..).unwrap_or_default();
        let octets = rest.get(..foreign::LOOKED_AT).unwrap_or(rest);
        let site = Site::new(flow, chunk.direction, chunk.origin(at..at + octets.len()), octets);
        let side = &mut self.sides[chunk.direction.index()];
        side.mode = Mode::Hunt;
        side.doubt = DOUBT;
        let speaks = foreign::recognise(octets);
        let header = Header::at(octets);
        let is_modbus = side.seen || header.is_some_and(|h| h.protocol == 0);
        if speaks.is_some() || !is_modbus {
            side.tell_foreign(&site, speaks.unwrap_or("octets that are no Modbus"), observer);
            return Step::Used(0);
        }
        match header {
            Some(header) if self.speaks != Some(Kind::Rtu) => {
                bad_header(&site, header, observer);
            }
            _ => site.report(
                observer,
                (DefectKind::Malformed, "MB-C03"),
                0,
                format_args!("an RTU frame"),
                format_args!("octets that fit none"),
            ),
        }
        Step::Used(0)
    }

    /// The first octets behind a gap are no ADU: they are the end of one, unless they are known for
    /// something else.
    fn give_up_alignment(
        &mut self,
        flow: &FlowInfo,
        chunk: &Chunk<'_>,
        at: usize,
        observer: &mut dyn Observer,
    ) -> Step {
        let rest = chunk.bytes.get(at..).unwrap_or_default();
        let octets = rest.get(..foreign::LOOKED_AT).unwrap_or(rest);
        let site = Site::new(flow, chunk.direction, chunk.origin(at..at + octets.len()), octets);
        let side = &mut self.sides[chunk.direction.index()];
        side.mode = Mode::Hunt;
        side.doubt = DOUBT;
        if let Some(name) = foreign::recognise(octets) {
            side.tell_foreign(&site, name, observer);
        }
        Step::Used(0)
    }

    /// Pass over octets that are no ADU.
    fn pass_over(
        &mut self,
        flow: &FlowInfo,
        chunk: &Chunk<'_>,
        at: usize,
        count: usize,
        observer: &mut dyn Observer,
    ) -> Step {
        let origin = chunk.origin(at..at + count);
        let side = &mut self.sides[chunk.direction.index()];
        let had_hope = side.skipped < HOPELESS;
        side.pass(count);
        side.skipped += count as u64;
        side.lost = Some(side.lost.map_or(origin, |lost| lost.join(origin)));
        if had_hope && side.skipped >= HOPELESS && !side.seen {
            let site = Site::new(flow, chunk.direction, origin, &[]);
            side.tell_foreign(&site, "no Modbus in the first octets seen", observer);
        }
        Step::Used(count)
    }

    /// An ADU was found, or the stream has ended: say what was passed over before it.
    fn found(&mut self, flow: &FlowInfo, chunk: &Chunk<'_>, at: usize, observer: &mut dyn Observer) {
        let side = &mut self.sides[chunk.direction.index()];
        let Some(origin) = side.lost.take() else { return };
        let skipped = core::mem::take(&mut side.skipped);
        let site = Site { skipped, ..Site::new(flow, chunk.direction, origin, &[]) };
        let end = if at < chunk.bytes.len() { "before the next PDU" } else { "and no PDU behind them" };
        site.report(
            observer,
            (DefectKind::Resynchronised, ""),
            0,
            format_args!("a Modbus PDU"),
            format_args!("{skipped} octets that fit none, {end}"),
        );
    }

    /// Octets were not seen. What is left in front of them stays unfinished.
    pub(super) fn stream_gap(&mut self, flow: &FlowInfo, gap: &Gap<'_>, observer: &mut dyn Observer) {
        self.unfinished(flow, &gap.tail, true, observer);
        let side = &mut self.sides[gap.direction.index()];
        side.disputed = gap.missing.map_or(0, |n| side.disputed.saturating_sub(n));
        side.mode = Mode::BehindGap;
        side.doubt = DOUBT;
    }

    /// The flow has ended.
    pub(super) fn stream_end(&mut self, flow: &FlowInfo, tail: &Chunk<'_>, observer: &mut dyn Observer) {
        self.unfinished(flow, tail, false, observer);
    }

    /// No more octets will come behind these.
    fn unfinished(&mut self, flow: &FlowInfo, tail: &Chunk<'_>, gap: bool, observer: &mut dyn Observer) {
        let (at, _) = self.drive(flow, tail, true, observer);
        let rest = tail.bytes.get(at..).unwrap_or_default();
        let hunting = self.sides[tail.direction.index()].mode == Mode::Hunt;
        if hunting && !rest.is_empty() {
            self.pass_over(flow, tail, at, rest.len(), observer);
        }
        self.found(flow, tail, tail.bytes.len(), observer);
        if hunting || rest.is_empty() {
            return;
        }
        if gap && self.cut_adu(flow, tail, at, observer) {
            return;
        }
        let cut_by = if gap { "octets that the tap did not see" } else { "the end of the flow" };
        let origin = tail.origin(at..tail.bytes.len());
        let site = Site { skipped: rest.len() as u64, ..Site::new(flow, tail.direction, origin, rest) };
        site.report(
            observer,
            (DefectKind::Truncated, ""),
            rest.len(),
            format_args!("the rest of a PDU"),
            format_args!("{cut_by} after {} octets", rest.len()),
        );
    }

    /// Where octets were not seen (a snap length is the usual cause), show what there is of the PDU in
    /// front of them: the receiver had it all.
    fn cut_adu(&mut self, flow: &FlowInfo, tail: &Chunk<'_>, at: usize, observer: &mut dyn Observer) -> bool {
        let rest = tail.bytes.get(at..).unwrap_or_default();
        let Some(header) = Header::at(rest).filter(|_| rest.len() >= JUDGED) else { return false };
        // UMAS is known for ADUs that are longer than the specification allows.
        let is_legal = header.length_is_legal() || rest.get(mbap::HEADER) == Some(&function::UMAS);
        if self.speaks == Some(Kind::Rtu) || header.protocol != 0 || !is_legal {
            return false;
        }
        let missing = header.adu().saturating_sub(rest.len());
        if missing == 0 {
            return false;
        }
        let adu = Adu { span: at..tail.bytes.len(), kind: Kind::Mbap, recovered: true, missing };
        self.adu(flow, tail, &adu, observer);
        true
    }
}

impl Side {
    /// Octets were done with.
    fn pass(&mut self, count: usize) {
        self.disputed = self.disputed.saturating_sub(count as u64);
    }

    /// MB-C17, once a direction.
    pub(super) fn tell_foreign(&mut self, site: &Site<'_>, speaks: &str, observer: &mut dyn Observer) {
        self.foreign = true;
        if core::mem::replace(&mut self.told_foreign, true) {
            return;
        }
        site.report(
            observer,
            (DefectKind::ForeignProtocol, "MB-C17"),
            0,
            format_args!("Modbus"),
            format_args!("{speaks}"),
        );
    }

    /// Octets that are no ADU, of which no more is to be said now.
    pub(super) fn count_skipped(&mut self, count: usize, origin: Origin) {
        self.skipped += count as u64;
        self.lost = Some(self.lost.map_or(origin, |lost| lost.join(origin)));
    }
}

/// MB-C21.
fn bad_checksum(flow: &FlowInfo, chunk: &Chunk<'_>, at: usize, length: usize, observer: &mut dyn Observer) {
    let span = at..at + length;
    let octets = chunk.bytes.get(span.clone()).unwrap_or_default();
    let Some((body, check)) = octets.split_last_chunk::<2>() else { return };
    let site = Site {
        unit: octets.first().copied(),
        ..Site::new(flow, chunk.direction, chunk.origin(span), octets)
    };
    site.report(
        observer,
        (DefectKind::BadChecksum, "MB-C21"),
        body.len(),
        format_args!("CRC {:#06x}", super::crc::crc(body)),
        format_args!("{:#06x}", u16::from_le_bytes(*check)),
    );
}

/// MB-C01 or MB-C02, of a header behind which no PDU can be made out.
pub(super) fn bad_header(site: &Site<'_>, header: Header, observer: &mut dyn Observer) {
    if header.protocol == 0 || header.length_is_legal() {
        let length = header.length;
        site.report(
            observer,
            (DefectKind::Malformed, "MB-C02"),
            4,
            format_args!("a header of protocol 0 with a length from 2 to 254, and a function code"),
            format_args!("protocol {}, length {length}", header.protocol),
        );
        return;
    }
    site.report(
        observer,
        (DefectKind::FieldRange, "MB-C01"),
        2,
        format_args!("protocol id 0 where a PDU should begin"),
        format_args!("protocol id {}, length {}", header.protocol, header.length),
    );
}
