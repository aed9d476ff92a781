//! When absence means nothing.
//!
//! "Answer without a request" or "operate without select" are drawn from something that was *not* seen.
//! While the tap has holes, such a finding is withheld and counted: it would accuse a station of what the
//! tap did.

use parsers::{Coverage, FlowInfo, Timestamp};
use profiles::Thresholds;

use crate::report::catalogue::FindingKind;

/// Losses of the taps, and how long a loss bears on what is absent.
#[derive(Debug, Clone, Copy)]
pub struct Losses {
    /// When the taps lost packets last.
    pub last: Option<Timestamp>,
    /// How long after a hole, or after a late start, absence proves nothing: longer than the time-outs of the
    /// exchanges concerned (`blind_time` of the profile).
    pub blind_ns: u64,
}

impl Losses {
    /// Nothing was lost.
    #[must_use]
    pub fn none(thresholds: &Thresholds) -> Losses {
        Losses { last: None, blind_ns: blind_ns(thresholds) }
    }

    /// Whether what the taps lost still bears on what is absent at `now`.
    #[must_use]
    pub fn bear_on(&self, now: Timestamp) -> bool {
        self.is_recent(self.last, now)
    }

    /// Whether something at `then` still bears on what is absent at `now`.
    #[must_use]
    pub fn is_recent(&self, then: Option<Timestamp>, now: Timestamp) -> bool {
        then.is_some_and(|then| now.since(then) <= self.blind_ns)
    }
}

/// How long after a hole absence proves nothing.
#[must_use]
pub fn blind_ns(thresholds: &Thresholds) -> u64 {
    (thresholds.blind_time * 1e9) as u64
}

/// What a flow has missed and when. Kept beside the session.
#[derive(Debug, Clone, Copy, Default)]
pub struct Blindness {
    first_seen: Option<Timestamp>,
    last_gap: Option<Timestamp>,
    gaps_known: u32,
}

impl Blindness {
    /// Note the flow's state at `now`.
    pub fn note(&mut self, flow: &FlowInfo, now: Timestamp) {
        self.first_seen.get_or_insert(now);
        if flow.coverage.gaps > self.gaps_known {
            self.gaps_known = flow.coverage.gaps;
            self.last_gap = Some(now);
        }
    }

    /// The coverage to print with a finding at `now`: what bears on that time.
    #[must_use]
    pub fn at(&self, flow: &FlowInfo, now: Timestamp, losses: &Losses) -> Coverage {
        let recent = |t| losses.is_recent(t, now);
        Coverage {
            midstream: flow.coverage.midstream && recent(self.first_seen),
            gaps: if recent(self.last_gap) { flow.coverage.gaps } else { 0 },
            one_way: flow.coverage.one_way,
            truncated: flow.coverage.truncated,
            drops: losses.bear_on(now),
        }
    }
}

/// Whether what was seen bears a finding of this kind.
#[must_use]
pub fn bears(kind: FindingKind, coverage: Coverage) -> bool {
    // What was lost may have held the answer to the request that seems to be contradicted, and a later request of
    // the same number. The other way not being seen contradicts nothing.
    if kind == FindingKind::ContradictingAnswer {
        return coverage.gaps == 0 && !coverage.drops;
    }
    // A select travels the way its operate does: that the other way is not seen hides none. Otherwise one
    // datagram with an operate, to a station that keeps silent, would go unnoticed.
    let one_way = coverage.one_way && kind != FindingKind::OperateWithoutSelect;
    !rests_on_absence(kind) || Coverage { one_way, ..coverage }.is_complete()
}

/// Whether a finding of this kind is drawn from something absent.
#[must_use]
pub fn rests_on_absence(kind: FindingKind) -> bool {
    matches!(
        kind,
        FindingKind::AnswerWithoutRequest
            | FindingKind::UnansweredRequest
            | FindingKind::OperateWithoutSelect
            | FindingKind::SelectAbandoned
            | FindingKind::UnsolicitedBeforeEnable
            | FindingKind::RestartSeen
            | FindingKind::CommandWithoutEffect
            | FindingKind::MovedWithoutCommand
            | FindingKind::SequenceAnomaly
            | FindingKind::NotStarted
            | FindingKind::BrokenFraming
            | FindingKind::PollPeriodChanged
            | FindingKind::StationNotPolled
            | FindingKind::PollStopped
            | FindingKind::StationSilent
            | FindingKind::UnansweredFlood
            | FindingKind::IdleMasterBack
            // What was set before may have been set where the tap was blind.
            | FindingKind::SetPointJump
            | FindingKind::TcpTeardown
            | FindingKind::TrafficVanished
    )
}

/// Whether some findings of this kind are drawn from something absent, and others not: the detection itself
/// tells them apart.
#[must_use]
pub fn may_rest_on_absence(kind: FindingKind) -> bool {
    matches!(
        kind,
        // Stations that do not answer; those that were never asked for before are seen.
        FindingKind::StationSweep
            | FindingKind::LinkScan
            // A select that was not seen makes an execute look direct.
            | FindingKind::UnprofiledControl
            // Of IEC 104, where only a select tells that an execute is no direct one.
            | FindingKind::DirectOperateOfSelected
            // Connections left open; those refused are seen.
            | FindingKind::PortScan
            | FindingKind::ConnectionFlood
            | FindingKind::GooseSilent
            // Messages that are missing; numbers that cannot follow are seen.
            | FindingKind::GooseSequence
            // Whose request may be another one that was lost.
            | FindingKind::ContradictingAnswer
            // An answer that nobody asked for; what is gratuitous says so itself.
            | FindingKind::ArpSpoofing
    )
}
