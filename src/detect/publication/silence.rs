//! Publishers that have fallen silent.

use parsers::Timestamp;

use super::stream::Said;
use super::table::{Silence, Stream};
use super::tell::{self, Text, Way};
use super::{SECOND, hash};
use crate::detect::{FindingSink, SiteView};
use crate::report::catalogue::{FindingKind, Severity};
use crate::report::finding::Finding;
use crate::report::publication::{Happened, PublicationEvent};

/// How much longer than it allows itself a publisher may be silent: jitter of the network and the tap.
const JITTER_NS: u64 = 50_000_000;

/// When a publisher counts as silent.
pub(super) fn deadline(said: &Said) -> Option<Timestamp> {
    (said.allowed_ns > 0).then(|| said.at.plus(said.allowed_ns + JITTER_NS))
}

/// Whether the publisher has been silent for too long. Returns when to look again.
pub(super) fn silence(
    stream: &mut Stream,
    now: Timestamp,
    site: SiteView<'_>,
    sink: &mut dyn FindingSink,
) -> Option<Timestamp> {
    let trusted = stream.trusted.as_ref()?;
    let late = deadline(trusted)?;
    let lasting = trusted.at.plus((site.thresholds.goose_silence.max(0.0) * 1e9) as u64).max(late);
    let due = match stream.silent {
        Silence::None => late,
        Silence::Late => lasting,
        Silence::Lasting => return None,
    };
    if now < due {
        return Some(due);
    }
    // Where nobody was heard, the tap itself may have been blind.
    let heard = site.pulse.clock(trusted.scale(), now).saturating_sub(trusted.clock);
    let wanted = due.since(trusted.at);
    if heard < wanted {
        return Some(now.plus(wanted - heard));
    }
    let lasts = due == lasting;
    stream.silent = if lasts { Silence::Lasting } else { Silence::Late };
    let drops = site.losses.bear_on(now);
    let name = stream.key.1.zip(site.profile).and_then(|(index, profile)| profile.publisher_name(index));
    let allowed = trusted.allowed_ns / 1_000_000;
    let block = &stream.key.0;
    let finding = Finding {
        kind: FindingKind::GooseSilent,
        expected: format_args!(
            "the next message of {} within {allowed} ms, as the last one says",
            Text(block)
        ),
        observed: format_args!(
            "none for {} s; the last was state {}, sqNum {}",
            wanted / SECOND,
            trusted.state,
            trusted.sequence
        ),
        severity: (!lasts).then_some(Severity::Low),
        ..tell::of_nobody(
            due,
            &trusted.path,
            drops,
            core::slice::from_ref(&trusted.frame),
            hash(block) ^ u64::from(lasts),
            name,
        )
    };
    if drops {
        sink.withheld(FindingKind::GooseSilent);
    } else {
        sink.finding(&finding);
    }
    if lasts && lasting > late {
        return None;
    }
    let path = Way(&trusted.path);
    sink.publication(&PublicationEvent {
        at: due,
        what: Happened::Silent,
        protocol: parsers::Protocol::Goose,
        publisher: path.publisher(),
        group: path.group(),
        name,
        control_block: block,
        application: trusted.path.application,
        vlan: trusted.path.vlan,
        state: trusted.state,
        sequence: trusted.sequence,
        frame: trusted.frame,
        changes: None,
        differing: None,
    });
    (!lasts).then_some(lasting)
}
