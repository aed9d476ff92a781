//! What comes out: findings, the event log, counters, the summary.
//!
//! ```text
//!             a shard                              one owner
//! Finding ---+
//! Operation -+-> event_log -> (fold) -> output -> sinks::Sinks -> writer thread -> file, stdout
//! Defect ----+            -> counters ---------> (sum) -> snapshot -> crate::serve, summary
//! ```

pub mod attack;
pub mod catalogue;
pub mod community_id;
pub mod control;
pub mod counters;
pub mod detections;
mod escape;
mod event;
mod event_control;
pub mod event_log;
mod event_operation;
mod explanation;
pub mod finding;
pub mod fold;
pub mod json;
pub mod json_fields;
mod left_out;
pub mod metric_table;
pub mod output;
mod point_list;
pub mod point_values;
pub mod publication;
pub mod record;
pub mod roster;
pub mod rotate;
pub mod series;
pub mod sinks;
pub mod snapshot;
mod station_tables;
pub mod summary;
pub mod vitals;
pub(crate) mod words;
pub mod writer;

#[cfg(test)]
mod tests;

pub use event::{EVENT_FRAMES, EVENT_RANGES, EVIDENCE_OCTETS, Identity, ProfileId, SCHEMA_VERSION};
pub use event_operation::{event_name, is_logged};
pub use point_list::{EVENT_POINTS, VALUE_OCTETS};
