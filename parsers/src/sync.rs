//! Finding the way back: what one direction skipped, and whether what follows is to be trusted.

use crate::contract::*;

/// Good frames in a row after which a direction counts as found again.
const CONFIRMED_AFTER: u32 = 16;
/// Octets kept of a run that was skipped.
const HEAD: usize = 32;
/// A run as long as this is reported although no frame has ended it yet.
const REPORT_EVERY: u64 = 65_536;
/// Octets without any frame at a flow's beginning that make it foreign, whatever they are.
const FOREIGN_AFTER: u64 = 512;
/// Octets that tell TLS, HTTP and SSH.
const SIGNATURE: usize = 4;

/// How a protocol speaks of what was skipped.
pub(crate) struct Words {
    pub protocol: Protocol,
    /// Its name in sentences.
    pub name: &'static str,
    /// What was looked for: `a link frame`.
    pub frame: &'static str,
    /// The id of the check that it is there.
    pub check: &'static str,
}

/// State of one direction.
pub(crate) struct Sync {
    words: &'static Words,
    /// Octets skipped since the last good frame or report.
    skipped: u64,
    head: [u8; HEAD],
    head_length: usize,
    origin: Option<Origin>,
    /// Frames found so far.
    frames: u64,
    /// Frames that still count as recovered.
    doubtful: u32,
    /// Octets skipped before the first frame.
    before_first: u64,
    foreign: bool,
}

impl Sync {
    /// At the first octet of a direction.
    pub(crate) fn new(words: &'static Words) -> Sync {
        Sync {
            words,
            skipped: 0,
            head: [0; HEAD],
            head_length: 0,
            origin: None,
            frames: 0,
            doubtful: 0,
            before_first: 0,
            foreign: false,
        }
    }

    /// These octets are no frame.
    pub(crate) fn skip(
        &mut self,
        flow: &FlowInfo,
        direction: Direction,
        octets: &[u8],
        origin: Origin,
        observer: &mut dyn Observer,
    ) {
        let mut octets = octets;
        while !octets.is_empty() {
            // Step by step to the marks at which something is decided, so that it does not matter how
            // the octets were cut.
            let to_mark = self.next_mark();
            let step = usize::try_from(to_mark).unwrap_or(usize::MAX).min(octets.len());
            let (now, later) = octets.split_at(step);
            octets = later;
            self.note(now, origin);
            self.judge(flow, direction, observer);
        }
    }

    fn next_mark(&self) -> u64 {
        let to_report = REPORT_EVERY - self.skipped;
        let marks = [SIGNATURE as u64, FOREIGN_AFTER];
        let to_foreign =
            marks.into_iter().filter_map(|m| m.checked_sub(self.before_first)).find(|left| *left > 0);
        to_foreign.map_or(to_report, |left| left.min(to_report)).max(1)
    }

    fn note(&mut self, octets: &[u8], origin: Origin) {
        if let Some(room) = self.head.get_mut(self.head_length..) {
            let kept = room.len().min(octets.len());
            room.iter_mut().zip(octets).for_each(|(place, octet)| *place = *octet);
            self.head_length += kept;
        }
        self.skipped += octets.len() as u64;
        if self.frames == 0 {
            self.before_first += octets.len() as u64;
        }
        self.origin = Some(self.origin.map_or(origin, |before| before.join(origin)));
        self.doubtful = CONFIRMED_AFTER;
    }

    fn judge(&mut self, flow: &FlowInfo, direction: Direction, observer: &mut dyn Observer) {
        if self.frames == 0 && !self.foreign {
            let known = (self.before_first == SIGNATURE as u64).then(|| signature(&self.head)).flatten();
            let other = (self.before_first == FOREIGN_AFTER).then_some("an unknown protocol");
            if let Some(name) = known.or(other) {
                self.foreign = true;
                let (expected, observed) = (format_args!("{}", self.words.name), format_args!("{name}"));
                self.tell(flow, direction, (DefectKind::ForeignProtocol, ""), (expected, observed), observer);
            }
        }
        if self.skipped >= REPORT_EVERY {
            self.report(flow, direction, observer);
        }
    }

    fn tell(
        &self,
        flow: &FlowInfo,
        direction: Direction,
        (kind, check): (DefectKind, &'static str),
        (expected, observed): (core::fmt::Arguments<'_>, core::fmt::Arguments<'_>),
        observer: &mut dyn Observer,
    ) {
        observer.defect(&Defect {
            flow,
            direction,
            origin: self.origin.unwrap_or_default(),
            protocol: self.words.protocol,
            kind,
            check,
            station: StationAddress::None,
            from_master: None,
            function: None,
            expected,
            observed,
            octets: self.head.get(..self.head_length).unwrap_or_default(),
            skipped: if kind == DefectKind::Resynchronised { self.skipped } else { 0 },
            offset: 0,
        });
    }

    fn report(&mut self, flow: &FlowInfo, direction: Direction, observer: &mut dyn Observer) {
        if self.skipped > 0 {
            let (expected, observed) =
                (format_args!("{}", self.words.frame), format_args!("{} octets that fit none", self.skipped));
            let kind = (DefectKind::Resynchronised, self.words.check);
            self.tell(flow, direction, kind, (expected, observed), observer);
        }
        (self.skipped, self.head_length, self.origin) = (0, 0, None);
    }

    /// A good frame stands here, or the octets end: report what was skipped before.
    pub(crate) fn found(&mut self, flow: &FlowInfo, direction: Direction, observer: &mut dyn Observer) {
        if self.skipped > 0 {
            self.report(flow, direction, observer);
        }
    }

    /// Whether the octets before were a frame, so that another is due here.
    pub(crate) fn in_step(&self) -> bool {
        self.frames > 0 && self.skipped == 0 && self.doubtful < CONFIRMED_AFTER
    }

    /// Count a frame; whether it counts as recovered.
    pub(crate) fn recovered(&mut self) -> bool {
        self.frames += 1;
        let recovered = self.doubtful > 0;
        self.doubtful = self.doubtful.saturating_sub(1);
        recovered
    }

    /// Octets were lost.
    pub(crate) fn lose(&mut self) {
        self.doubtful = CONFIRMED_AFTER;
    }

    /// A datagram begins.
    pub(crate) fn restart(&mut self) {
        self.doubtful = 0;
    }
}

/// What else the first octets of a flow may be.
fn signature(head: &[u8; HEAD]) -> Option<&'static str> {
    match head {
        [0x14..=0x17, 0x03, 0x00..=0x04, ..] => Some("TLS"),
        [b'G', b'E', b'T', b' ', ..] | [b'P', b'O', b'S', b'T', ..] | [b'H', b'T', b'T', b'P', ..] => {
            Some("HTTP")
        }
        [b'H', b'E', b'A', b'D', ..] | [b'P', b'U', b'T', b' ', ..] | [b'O', b'P', b'T', b'I', ..] => {
            Some("HTTP")
        }
        [b'S', b'S', b'H', b'-', ..] => Some("SSH"),
        _ => None,
    }
}
