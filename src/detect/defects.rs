//! From a parser's defect to the kind of finding it is.

use parsers::DefectKind;

use crate::report::catalogue::FindingKind;

/// The finding for a defect; `None` for what is blindness or bookkeeping rather than bad traffic (it is
/// counted all the same).
#[must_use]
pub fn finding(kind: DefectKind) -> Option<FindingKind> {
    Some(match kind {
        DefectKind::Malformed => FindingKind::MalformedPdu,
        DefectKind::FieldRange => FindingKind::FieldRange,
        DefectKind::UnknownFunction => FindingKind::UnknownFunction,
        DefectKind::UnknownObject => FindingKind::UnknownObject,
        DefectKind::ReservedBits => FindingKind::ReservedBits,
        DefectKind::BadChecksum => FindingKind::BadChecksum,
        DefectKind::Resynchronised => FindingKind::BrokenFraming,
        DefectKind::ForeignProtocol => FindingKind::ForeignProtocol,
        DefectKind::AnswerWithoutRequest => FindingKind::AnswerWithoutRequest,
        DefectKind::UnansweredRequest => FindingKind::UnansweredRequest,
        DefectKind::ContradictingAnswer => FindingKind::ContradictingAnswer,
        DefectKind::SequenceError | DefectKind::IncompleteFragment => FindingKind::SequenceAnomaly,
        DefectKind::NotStarted => FindingKind::NotStarted,
        DefectKind::TestMode => FindingKind::TestMode,
        DefectKind::RoleReversal => FindingKind::RoleReversal,
        DefectKind::LimitReached => FindingKind::LimitReached,
        DefectKind::Peculiar => FindingKind::Peculiar,
        DefectKind::Truncated => return None,
    })
}
