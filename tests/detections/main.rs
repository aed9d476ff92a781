//! Detections that remember, from octets on the wire to the words in the event log: each is raised once with
//! its explanation, each has a near miss, and what is drawn from something absent is withheld where the tap
//! is blind. One file a group.
#![allow(clippy::unwrap_used, clippy::panic)]

mod connections;
mod differing;
mod gaps;
mod goose;
mod messages;
mod policy;
mod redundancy;
mod scan;
mod services;
mod site;
mod stages;
#[path = "../support/mod.rs"]
mod support;
mod thresholds;
mod words;

mod control;
mod iec104;
mod teardown;
mod timing;
mod value;
