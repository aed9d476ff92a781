//! A publisher that is not what the profile says: one fact, told once. What follows is counted, and the end tells how
//! many messages there were.

use parsers::{FrameRef, MacAddr, Timestamp};
use profiles::{Field, Published};

use super::stream::Path;
use super::table::Stream;
use super::tell::Way;
use super::{SECOND, Teller};
use crate::detect::raise::Frames;
use crate::detect::{FindingSink, SiteView};
use crate::report::catalogue::FindingKind;
use crate::report::finding::Finding;
use crate::report::publication::{Happened, PublicationEvent};

/// Of whom it was told, and how it goes on.
#[derive(Debug)]
pub(super) struct Differing {
    /// In what, and whether it was planned work: another difference is told anew.
    told: (Field, bool),
    /// Messages that differed.
    count: u32,
    path: Path,
    at: Timestamp,
    frame: FrameRef,
    state: u32,
    sequence: u32,
    /// How long subscribers were to wait for the next message.
    allowed_ns: u64,
}

/// Beyond the time that a message itself allows, a publisher that began anew would long be back.
const BACK_NS: u64 = 60 * SECOND;

impl Differing {
    /// Whether the sender has stopped: who still sent would have been heard. A publisher repeats itself within the
    /// time allowed to live (IEC 61850-8-1, 18.1.2.5); half an hour is believed at most, since a forger may say
    /// anything.
    fn has_stopped(&self, now: Timestamp) -> bool {
        now.since(self.at) > self.allowed_ns.min(1800 * SECOND) + BACK_NS
    }

    fn source(&self) -> MacAddr {
        self.path.source
    }
}

impl Teller<'_> {
    /// What the profile says of the publisher.
    pub(super) fn policy(
        &self,
        published: &Published<'_>,
        path: &Path,
        stream: Option<&mut Stream>,
        sink: &mut dyn FindingSink,
    ) {
        let known = match published {
            Published::Fits { .. } => return self.fits(path, stream, sink),
            Published::Differs { field, .. } => {
                stream.is_some_and(|stream| self.differs(*field, path, stream))
            }
            _ => false,
        };
        let (Some(expected), Some(observed)) = (published.expected(), published.observed()) else { return };
        let kind = match published {
            Published::Unknown { .. } => FindingKind::UnprofiledPublisher,
            _ => FindingKind::PublisherDiffers,
        };
        let frames = Frames::of_operation(self.operation);
        let finding = Finding {
            kind,
            expected: format_args!("{expected}"),
            observed: format_args!("{observed}"),
            ..self.blank(&frames)
        };
        if known {
            sink.repeated(&finding);
        } else {
            sink.finding(&finding);
        }
    }

    /// Note a message that differs. Whether that was told. Where several differ in the same control block, this
    /// follows the first of them; the others are told as often as the log folds them.
    fn differs(&self, field: Field, path: &Path, stream: &mut Stream) -> bool {
        let origin = &self.operation.origin;
        let planned =
            self.site.profile.is_some_and(|p| p.publisher_maintenance(origin.at, self.name).is_some());
        let told = (field, planned);
        let (state, sequence) = (self.said.state.unwrap_or_default(), self.said.sequence.unwrap_or_default());
        let allowed_ns = u64::from(self.said.allowed_to_live_ms.unwrap_or(0)) * 1_000_000;
        let now = Differing {
            told,
            count: 1,
            path: *path,
            at: origin.at,
            frame: origin.frame,
            state,
            sequence,
            allowed_ns,
        };
        match &mut stream.differing {
            None => {
                stream.differing = Some(Box::new(now));
                false
            }
            Some(known) if known.source() == path.source => {
                let same = known.told == told;
                **known = Differing { count: known.count.saturating_add(1), ..now };
                same
            }
            Some(known) if known.has_stopped(origin.at) => {
                **known = now;
                false
            }
            Some(_) => false,
        }
    }

    /// A message as the profile says. That of another sender ends nothing.
    #[inline]
    fn fits(&self, path: &Path, stream: Option<&mut Stream>, sink: &mut dyn FindingSink) {
        let Some(stream) = stream else { return };
        let Some(known) = stream.differing.take_if(|known| known.source() == path.source) else { return };
        let origin = &self.operation.origin;
        let said = self.said;
        let ended = Differing {
            path: *path,
            at: origin.at,
            frame: origin.frame,
            state: said.state.unwrap_or_default(),
            sequence: said.sequence.unwrap_or_default(),
            ..*known
        };
        tell(&stream.key.0, &ended, Happened::AsProfiled, self.name, sink);
    }
}

/// The sensor stops. One that has been silent for long differs no more, as far as anybody knows.
pub(super) fn finish(stream: &Stream, site: SiteView<'_>, sink: &mut dyn FindingSink) {
    let Some(differing) = stream.differing.as_deref().filter(|differing| differing.count > 1) else { return };
    if differing.has_stopped(stream.last) {
        return;
    }
    let name = stream.key.1.zip(site.profile).and_then(|(index, profile)| profile.publisher_name(index));
    tell(&stream.key.0, differing, Happened::StillDiffers, name, sink);
}

fn tell(block: &[u8], differing: &Differing, what: Happened, name: Option<&str>, sink: &mut dyn FindingSink) {
    let way = Way(&differing.path);
    sink.publication(&PublicationEvent {
        at: differing.at,
        what,
        protocol: parsers::Protocol::Goose,
        publisher: way.publisher(),
        group: way.group(),
        name,
        control_block: block,
        application: differing.path.application,
        vlan: differing.path.vlan,
        state: differing.state,
        sequence: differing.sequence,
        frame: differing.frame,
        changes: None,
        differing: Some(differing.count),
    });
}
