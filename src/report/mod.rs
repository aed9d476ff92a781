//! What comes out: findings, the event log, counters, the summary.

pub mod catalogue;
pub mod finding;
