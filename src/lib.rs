//! gridtap: a passive monitor for power-grid control networks.
//!
//! The way from wire to metric, one direction only:
//!
//! ```text
//! capture   frames from files and interfaces
//! decap     the innermost packet; dedup: frames seen twice
//! dispatch  its shard, and the worker that has it
//! flow      TCP streams put in order, UDP, raw Ethernet
//! (parsers) a protocol's session: operations and defects
//! detect    profile verdicts and detections: findings; site: those that span pairs of hosts
//! report    event log, counters, summary
//! serve     /metrics, /healthz, /readyz
//! ```

pub mod blindness;
pub mod capture;
pub mod cli;
pub mod config;
pub mod decap;
pub mod dedup;
pub mod detect;
pub mod dispatch;
pub mod explain;
pub mod flow;
pub mod learn;
pub mod monitor;
pub mod pipeline;
pub mod report;
pub mod scl;
pub mod score;
pub mod serve;
pub mod site;

#[cfg(test)]
pub(crate) mod testing;
