//! Requests that go unanswered, one after the other, are one fact: it is told once, what follows is counted, and
//! the end tells how many there were.
//!
//! The fact is known from the first of them that is told (SEQ-07), from the silence of the station (TIM-03), or
//! from the order that silences it (DEN-03); it ends with the station's next sign of life.

use parsers::{Coverage, Defect, DefectKind, Exchange, FrameRef, Operation};

use super::silence::Lost;
use super::{Party, is_of_gateway};
use crate::detect::association::{Association, AssociationKey, AssociationTable};
use crate::detect::{FindingSink, Seen, SiteView};
use crate::report::record::StationChange;

/// What has been told of a pair's unanswered requests.
#[derive(Debug, Copy, Clone, Default)]
pub(super) struct Story {
    told: bool,
    /// Requests before the pair's exchanges are counted.
    early: u8,
    /// Findings that were not raised again.
    folded: u32,
    /// The frame with which the last such story ended.
    ended: Option<FrameRef>,
}

impl Story {
    /// Whether an answer would end something.
    #[inline]
    pub(super) fn is_open(&self) -> bool {
        self.told || self.early > 0
    }

    /// One of the first requests of a pair.
    pub(super) fn early(&mut self, operation: &Operation<'_>) {
        self.early += u8::from(operation.from_master && operation.wants_answer);
    }

    fn tell(&mut self) {
        self.told = true;
    }

    /// Whether a request that went unanswered is part of what was told.
    fn folds(&mut self, request: FrameRef) -> bool {
        if self.told {
            self.folded = self.folded.saturating_add(1);
            return true;
        }
        // Sent before the station was heard again, though its time is over only now.
        self.ended.is_some_and(|ended| ended.tap == request.tap && request.number < ended.number)
    }
}

/// Whether this defect is an unanswered request that has been told of with others.
pub(crate) fn is_known(table: &mut AssociationTable, defect: &Defect<'_>) -> bool {
    of_request(table, defect).is_some_and(|of| of.timing.story.folds(defect.origin.frame))
}

/// An unanswered request was told.
pub(crate) fn told(table: &mut AssociationTable, defect: &Defect<'_>) {
    if let Some(association) = of_request(table, defect) {
        association.timing.story.tell();
    }
}

fn of_request<'t>(table: &'t mut AssociationTable, defect: &Defect<'_>) -> Option<&'t mut Association> {
    if defect.kind != DefectKind::UnansweredRequest {
        return None;
    }
    AssociationKey::of_request(defect).and_then(|key| table.find(&key))
}

/// It was told that the station is silent, or is ordered to be.
pub(crate) fn silenced(association: &mut Association) {
    association.timing.story.tell();
}

/// The station is heard again.
#[cold]
pub(super) fn answered(association: &mut Association, seen: &Seen<'_>, sink: &mut dyn FindingSink) {
    let operation = seen.operation;
    if is_of_gateway(operation) {
        return;
    }
    let at = operation.origin.at;
    let Story { folded, early, .. } = core::mem::replace(
        &mut association.timing.story,
        Story { ended: Some(operation.origin.frame), ..Story::default() },
    );
    let state = association.timing.state.as_deref();
    // The end of a silence is told by itself.
    if folded == 0 || state.is_some_and(|state| state.lost == Some(Lost::Silent)) {
        return;
    }
    let answered = u32::from(operation.exchange == Exchange::Response);
    let asked = unanswered_of(association, early).saturating_sub(answered);
    let party = Party::of(association, Coverage::default(), seen.site.profile);
    sink.station(&party.changed(StationChange::Replies(asked), at));
}

fn unanswered_of(association: &Association, early: u8) -> u32 {
    let counted = association.timing.state.as_deref().map_or(0, |state| state.exchanges.unanswered);
    counted.saturating_add(early.into())
}

/// The end of what is watched: tell what has not ended.
pub(crate) fn finish(association: &Association, site: SiteView<'_>, sink: &mut dyn FindingSink) {
    let Story { told, folded, early, .. } = association.timing.story;
    if !told || folded == 0 {
        return;
    }
    let asked = unanswered_of(association, early);
    let party = Party::of(association, Coverage::default(), site.profile);
    sink.station(&party.changed(StationChange::StillUnanswered(asked), association.last_seen));
}
