//! What all findings have in common: who, to whom, which frames; and the words for what was asked.

use core::fmt;

pub(super) use parsers::Spaced;
use parsers::{
    Coverage, Defect, Endpoint, FlowInfo, FrameRef, Function, Operation, Origin, PointRange, Protocol,
    StationAddress, Timestamp, Unit,
};
use profiles::Compiled;

use super::select::Missing;
use crate::report::catalogue::FindingKind;
use crate::report::finding::Finding;
use crate::report::words::Span;

/// Frames that show a finding, without repeats; a request, its answer, and where each began.
pub(super) struct Frames {
    list: [FrameRef; 4],
    len: usize,
}

impl Frames {
    fn new() -> Frames {
        Frames { list: [FrameRef::default(); 4], len: 0 }
    }

    fn add(mut self, frame: FrameRef) -> Frames {
        if !self.as_slice().contains(&frame)
            && let Some(slot) = self.list.get_mut(self.len)
        {
            *slot = frame;
            self.len += 1;
        }
        self
    }

    pub(super) fn of_origin(origin: &Origin) -> Frames {
        Frames::new().add(origin.first_frame).add(origin.frame)
    }

    pub(super) fn of_pair(first: Option<&Origin>, second: &Origin) -> Frames {
        let frames = match first {
            Some(first) => Frames::new().add(first.first_frame).add(first.frame),
            None => Frames::new(),
        };
        frames.add(second.first_frame).add(second.frame)
    }

    pub(super) fn of_operation(operation: &Operation<'_>) -> Frames {
        let frames = match operation.answers {
            Some(request) => Frames::new().add(request.frame),
            None => Frames::new(),
        };
        frames.add(operation.origin.first_frame).add(operation.origin.frame)
    }

    pub(super) fn as_slice(&self) -> &[FrameRef] {
        &self.list[..self.len]
    }
}

/// Whom a finding is about.
pub(super) struct Subject<'a> {
    at: Timestamp,
    flow: &'a FlowInfo,
    pub(super) protocol: Option<Protocol>,
    client: Endpoint,
    server: Endpoint,
    station: StationAddress,
    station_name: Option<&'a str>,
    client_name: Option<&'a str>,
    by_station: bool,
    function: Option<Function>,
    ranges: &'a [PointRange],
    octets: &'a [u8],
}

impl<'a> Subject<'a> {
    pub(super) fn of_operation(operation: &Operation<'a>, profile: Option<&'a Compiled>) -> Subject<'a> {
        let (client, server) = (operation.master_endpoint(), operation.station_endpoint());
        Subject {
            at: operation.origin.at,
            flow: operation.flow,
            protocol: Some(operation.protocol),
            client,
            server,
            station: operation.station,
            station_name: station_name(profile, client, server, operation.protocol, operation.station),
            client_name: profile.and_then(|p| p.host_name(client.host)),
            by_station: !operation.from_master,
            function: Some(operation.requested.unwrap_or(operation.function)),
            ranges: operation.ranges,
            octets: operation.detail.octets(),
        }
    }

    pub(super) fn of_defect(defect: &Defect<'a>, profile: Option<&'a Compiled>) -> Subject<'a> {
        let flow = defect.flow;
        let (sender, receiver) = (flow.sender(defect.direction), flow.receiver(defect.direction));
        let (client, server) = match defect.from_master {
            Some(true) => (sender, receiver),
            Some(false) => (receiver, sender),
            None => (flow.client, flow.server),
        };
        Subject {
            at: defect.origin.at,
            flow,
            protocol: Some(defect.protocol),
            client,
            server,
            station: defect.station,
            station_name: station_name(profile, client, server, defect.protocol, defect.station),
            client_name: profile.and_then(|p| p.host_name(client.host)),
            by_station: defect.from_master == Some(false),
            function: defect.function,
            ranges: &[],
            octets: defect.octets,
        }
    }

    /// A PDU that asks for something, without a station of its own.
    pub(super) fn of_unit(unit: &Unit<'a>, profile: Option<&'a Compiled>) -> Subject<'a> {
        let client = unit.flow.sender(unit.direction);
        Subject {
            protocol: Some(unit.protocol),
            client,
            server: unit.flow.receiver(unit.direction),
            client_name: profile.and_then(|p| p.host_name(client.host)),
            octets: unit.detail.octets(),
            ..Subject::of_flow(unit.flow, unit.origin.at, None)
        }
    }

    pub(super) fn of_flow(flow: &'a FlowInfo, at: Timestamp, profile: Option<&'a Compiled>) -> Subject<'a> {
        Subject {
            at,
            flow,
            protocol: None,
            client: flow.client,
            server: flow.server,
            station: StationAddress::None,
            station_name: None,
            client_name: profile.and_then(|p| p.host_name(flow.client.host)),
            by_station: false,
            function: None,
            ranges: &[],
            octets: &[],
        }
    }

    /// The station's name in the profile.
    pub(super) fn name_in<'p>(&self, profile: &'p Compiled) -> Option<&'p str> {
        station_name(Some(profile), self.client, self.server, self.protocol?, self.station)
    }

    /// Whether the profile says that the station is known for one of these.
    pub(super) fn has_quirk(&self, profile: &Compiled, words: &[&str]) -> bool {
        let Some(protocol) = self.protocol else { return false };
        let pair = profile.pair(self.client, self.server, protocol, self.station);
        pair.station_index().is_some_and(|station| profile.is_quirk(station, words))
    }

    /// The same without frames and function, for messages whose function says nothing.
    pub(super) fn bare(&self, coverage: Coverage) -> Finding<'a> {
        Finding {
            flow: Some(self.flow),
            protocol: self.protocol,
            station_name: self.station_name,
            client_name: self.client_name,
            by_station: self.by_station,
            ranges: self.ranges,
            octets: self.octets,
            coverage,
            ..Finding::about(self.at, self.client, self.server, self.station)
        }
    }

    /// A finding with everything but its kind and its words, to be completed with `..`.
    pub(super) fn finding<'f>(&'f self, coverage: Coverage, frames: &'f Frames) -> Finding<'f> {
        Finding { function: self.function, frames: frames.as_slice(), ..self.bare(coverage) }
    }
}

fn station_name(
    profile: Option<&Compiled>,
    client: Endpoint,
    server: Endpoint,
    protocol: Protocol,
    station: StationAddress,
) -> Option<&str> {
    let profile = profile?;
    profile.station_name(profile.pair(client, server, protocol, station))
}

/// What keeps repeats of a policy finding apart. Reads of many addresses are one story (a sweep), so their
/// function alone counts; for controls every set of points is a story of its own.
pub(super) fn policy_fold_key(kind: FindingKind, operation: &Operation<'_>) -> u64 {
    let function = operation.requested.unwrap_or(operation.function);
    let base = u64::from(function.code) << 48 | u64::from(function.sub.unwrap_or(0)) << 32;
    match kind {
        FindingKind::UnprofiledControl => operation.ranges.iter().fold(base, |key, range| {
            let points = u64::from(range.first()) << 32 | u64::from(range.last());
            let kind = name_key(range.kind().name());
            (key.rotate_left(9) ^ kind ^ points).wrapping_mul(0x9E37_79B9_7F4A_7C15)
        }),
        FindingKind::UnprofiledClient | FindingKind::UnprofiledStation => 0,
        _ => base,
    }
}

/// A number for a name of this program's own; FNV-1a.
pub(super) fn name_key(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3))
}

/// "write multiple registers (function 16) of holding register 100 to 101".
pub(super) struct Asked<'a>(pub(super) &'a Operation<'a>);

impl fmt::Display for Asked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operation = self.0;
        let function = operation.function;
        write!(f, "{} (function {}", Spaced(function.name), function.code)?;
        if let Some(sub) = function.sub {
            write!(f, "/{sub}")?;
        }
        f.write_str(")")?;
        /// Ranges named in a sentence before it says "and more".
        const NAMED: usize = 3;
        for (n, range) in operation.ranges.iter().take(NAMED).enumerate() {
            f.write_str(if n == 0 { " of " } else { ", " })?;
            write!(f, "{}", Range(range))?;
        }
        if operation.ranges.len() > NAMED || operation.more_ranges {
            f.write_str(" and more")?;
        }
        Ok(())
    }
}

/// "holding register 0 to 9".
pub(super) struct Range<'a>(pub(super) &'a PointRange);

impl fmt::Display for Range<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, first, last) = (Spaced(self.0.kind().name()), self.0.first(), self.0.last());
        match (first, last) {
            (0, u32::MAX) => write!(f, "every {name}"),
            _ if first == last => write!(f, "{name} {first}"),
            _ => write!(f, "{name} {first} to {last}"),
        }
    }
}

/// Why an operate has no valid select, in words.
pub(super) struct Why(pub(super) Missing);

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Missing::NoSelect => f.write_str("with no select before it"),
            Missing::Expired(ns) => write!(f, "with its select {} ago", Span(ns)),
            Missing::Cancelled => f.write_str("with another request since its select"),
            Missing::Forgotten => f.write_str("with no select that was kept"),
            Missing::OtherObjects => f.write_str("with other objects than its select"),
            Missing::Sequence { selected } => {
                write!(f, "with a sequence number that does not follow its select's {selected}")
            }
        }
    }
}

/// The first octets as hex.
pub(super) struct Hex<'a>(pub(super) &'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// Octets shown in a sentence.
        const SHOWN: usize = 8;
        for (n, octet) in self.0.iter().take(SHOWN).enumerate() {
            let space = if n == 0 { "" } else { " " };
            write!(f, "{space}{octet:02x}")?;
        }
        if self.0.len() > SHOWN { f.write_str(" ...") } else { Ok(()) }
    }
}

/// A title within a sentence.
pub(super) struct Lower(pub(super) &'static str);

impl fmt::Display for Lower {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // An abbreviation stays as it is: "GOOSE data set changed".
        let abbreviated = self.0.split(' ').next().is_some_and(|word| word.chars().all(char::is_uppercase));
        let mut letters = self.0.chars();
        if !abbreviated && let Some(first) = letters.next() {
            write!(f, "{}", first.to_lowercase())?;
        }
        f.write_str(letters.as_str())
    }
}
