//! IEC 104: a master stops the transfer of data (STOPDT, IEC 60870-5-104, 5.3) and nobody starts it again. That is
//! how a change-over begins, and how one who sits at a master blinds it. TIM-02, since the station is then as good
//! as not polled: all it would report waits.

use parsers::{Exchange, FrameRef, Operation, Protocol, Timestamp};
use profiles::Thresholds;

use super::words::{Clock, Span};
use super::{Party, State};
use crate::detect::FindingSink;
use crate::report::catalogue::FindingKind;
use crate::report::finding::Finding;

/// U frames have no function of their own: code 0.
const UNNUMBERED: u8 = 0;
/// What the station said before it knew.
const ON_ITS_WAY_NS: u64 = 2_000_000_000;

/// An operation: it stops the transfer, or shows that it goes on. STARTDT is no operation, what follows it is.
#[inline]
pub(super) fn noted(state: &mut State, operation: &Operation<'_>, thresholds: &Thresholds) {
    if operation.protocol != Protocol::Iec104 {
        return;
    }
    let at = operation.origin.at;
    if operation.function.code == UNNUMBERED {
        if operation.from_master && operation.exchange == Exchange::Request {
            state.stopped = Some(at);
            state.takeover = Some(at.plus((thresholds.takeover_within * 1e9) as u64));
        }
    } else if state.stopped.is_some_and(|since| at.since(since) > ON_ITS_WAY_NS) {
        state.stopped = None;
        state.takeover = None;
    }
}

/// Nobody has started it again, and no other master of a group could.
pub(super) fn not_started(
    party: &Party<'_>,
    since: Timestamp,
    now: Timestamp,
    frame: FrameRef,
    sink: &mut dyn FindingSink,
) {
    sink.finding(&Finding {
        expected: format_args!("data transfer again soon after it was stopped"),
        observed: format_args!("none since STOPDT at {}, for {}", Clock(since), Span(now.since(since))),
        frames: &[frame],
        ..party.finding(FindingKind::StationNotPolled, now)
    });
}
