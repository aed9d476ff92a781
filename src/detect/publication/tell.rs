//! The words for publications.

use core::fmt::{self, Write as _};

use parsers::{Coverage, Endpoint, FrameRef, Host, Protocol, Publication, StationAddress, Timestamp, Value};

use super::stream::{Break, Message, Path, Said};
use super::{Teller, mac_key};
use crate::detect::FindingSink;
use crate::detect::raise::Frames;
use crate::report::catalogue::{FindingKind, Severity};
use crate::report::finding::Finding;
use crate::report::words::Counted;

/// Text of the wire, in quotes, as far as a sentence has room.
pub(super) struct Text<'a>(pub(super) &'a [u8]);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// Octets shown; a reference has at most 129.
        const SHOWN: usize = 129;
        f.write_char('\'')?;
        for octet in self.0.iter().take(SHOWN) {
            let shown = if (0x20..0x7F).contains(octet) { char::from(*octet) } else { '\u{FFFD}' };
            f.write_char(shown)?;
        }
        f.write_char('\'')
    }
}

/// From where to where, in a sentence.
pub(super) struct Way<'a>(pub(super) &'a Path);

impl Way<'_> {
    pub(super) fn publisher(&self) -> Endpoint {
        Endpoint { host: Host::Mac(self.0.source), port: 0 }
    }

    pub(super) fn group(&self) -> Endpoint {
        Endpoint { host: Host::Mac(self.0.destination), port: 0 }
    }
}

impl fmt::Display for Way<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Path { source, destination, application, vlan } = self.0;
        write!(f, "from {source} to {destination}, APPID {application:#06x}")?;
        match vlan {
            Some(id) => write!(f, ", VLAN {id}"),
            None => Ok(()),
        }
    }
}

/// What differs between two states: "member 0: false to true, member 3: 1 to 2".
pub(super) struct Changes<'a> {
    pub(super) old: &'a [u8],
    pub(super) said: &'a Publication<'a>,
}

impl fmt::Display for Changes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// Members named; the rest is counted.
        const NAMED: usize = 8;
        // A change of state is rare, and this runs only when it is written down.
        let list = |octets: &[u8]| {
            let mut values = Vec::new();
            (self.said.points)(octets, &mut |point| {
                values.push((point.address.unwrap_or_default(), Shown(&point.value).to_string()));
            });
            values
        };
        let (old, new) = (list(self.old), list(self.said.members));
        let differ = old.iter().zip(&new).filter(|(old, new)| old.1 != new.1);
        let count = differ.clone().count() + old.len().abs_diff(new.len());
        for (n, ((member, old), (_, new))) in differ.take(NAMED).enumerate() {
            f.write_str(if n == 0 { "" } else { ", " })?;
            write!(f, "member {member}: {old} to {new}")?;
        }
        match count {
            0 => f.write_str("no value"),
            1..=NAMED => Ok(()),
            _ => write!(f, " and {} more", count - NAMED),
        }
    }
}

/// A value in a sentence.
struct Shown<'a>(&'a Value<'a>);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self.0 {
            Value::Bit(bit) => write!(f, "{bit}"),
            Value::Unsigned(number) => write!(f, "{number}"),
            Value::Signed(number) => write!(f, "{number}"),
            Value::Float32(number) => write!(f, "{number}"),
            Value::Float64(number) => write!(f, "{number}"),
            Value::TimeMs(ms) => write!(f, "{}.{:03} s", ms / 1000, ms % 1000),
            Value::Text(text) => write!(f, "{}", Text(text)),
            Value::Bytes(octets) => {
                f.write_str("0x")?;
                octets.iter().take(16).try_for_each(|octet| write!(f, "{octet:02x}"))
            }
            _ => f.write_str("a value"),
        }
    }
}

/// A finding about somebody who did not speak.
pub(super) fn of_nobody<'f>(
    at: Timestamp,
    path: &Path,
    drops: bool,
    frames: &'f [FrameRef],
    fold_key: u64,
    name: Option<&'f str>,
) -> Finding<'f> {
    let way = Way(path);
    Finding {
        kind: FindingKind::GooseSilent,
        protocol: Some(Protocol::Goose),
        station_name: name,
        by_station: true,
        frames,
        coverage: Coverage { drops, ..Coverage::default() },
        fold_key,
        ..Finding::about(at, way.group(), way.publisher(), StationAddress::None)
    }
}

impl Teller<'_> {
    /// Tell why a message does not continue what was said.
    pub(super) fn tell_break(
        &self,
        trusted: &Said,
        message: &Message<'_>,
        why: Break,
        sink: &mut dyn FindingSink,
    ) {
        let block = Text(self.said.control_block);
        let (state, sequence) = (message.state, message.sequence);
        let frames = Frames::of_operation(self.operation);
        let blank = self.blank(&frames);
        let fold_key = blank.fold_key ^ (why as u64).rotate_left(40) ^ mac_key(message.path.source);
        let last =
            format_args!("what follows state {}, sqNum {} of {block}", trusted.state, trusted.sequence);
        let mut raise = |kind, severity: Option<Severity>, expected, observed| {
            sink.finding(&Finding { kind, severity, expected, observed, fold_key, ..blank });
        };
        match why {
            Break::Path => raise(
                FindingKind::GooseSecondPublisher,
                None,
                format_args!("{block} only {}", Way(&trusted.path)),
                format_args!("the same {}, state {state}, sqNum {sequence}", Way(&message.path)),
            ),
            Break::Revision => raise(
                FindingKind::GooseConfiguration,
                None,
                format_args!("configuration revision {} of {block}", trusted.revision.unwrap_or_default()),
                format_args!("revision {}", self.said.revision.unwrap_or_default()),
            ),
            Break::DataSet => raise(
                FindingKind::GooseDataSet,
                None,
                format_args!(
                    "the data set of {block} as it was, with {}",
                    Counted(trusted.entries.unwrap_or_default().into(), "member{s}")
                ),
                format_args!(
                    "{} with {}, or members of other types, under the same revision",
                    Text(self.said.data_set),
                    Counted(self.said.entries.unwrap_or_default().into(), "member{s}")
                ),
            ),
            Break::OldState => raise(
                FindingKind::GooseReplay,
                None,
                last,
                format_args!("state {state}, sqNum {sequence}: a state that is over"),
            ),
            Break::OldSequence => raise(
                FindingKind::GooseReplay,
                None,
                last,
                format_args!("state {state}, sqNum {sequence}: a message that was there before"),
            ),
            Break::OldTime => raise(
                FindingKind::GooseTime,
                None,
                last,
                format_args!("state {state} that began before the one it follows"),
            ),
            Break::StateJump => raise(
                FindingKind::GooseStateJump,
                None,
                last,
                format_args!("state {state}, sqNum {sequence}: states that cannot all have been missed"),
            ),
            Break::SameState => raise(
                FindingKind::GooseStateContradicted,
                None,
                format_args!("the values and the time of state {} of {block} as they were", trusted.state),
                format_args!("others in the same state, sqNum {sequence}"),
            ),
            Break::SameStateStamped => raise(
                FindingKind::GooseStateContradicted,
                Some(Severity::Low),
                format_args!("a new state of {block} with every new value"),
                format_args!(
                    "other values and another time in state {state}, sqNum {sequence}, which comes next"
                ),
            ),
            Break::SequenceJump => raise(
                FindingKind::GooseSequence,
                Some(Severity::High),
                last,
                format_args!("state {state}, sqNum {sequence}: messages that cannot all have been missed"),
            ),
        }
    }
}
