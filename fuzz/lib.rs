//! The layers under test, and nothing of what stands on them: an instrumented build of the whole sensor
//! with its HTTP server takes a quarter of an hour, this one less than a minute.
#![allow(dead_code, unreachable_pub)]

#[path = "../src/capture/mod.rs"]
pub mod capture;
#[path = "../src/decap/mod.rs"]
pub mod decap;
#[path = "../src/dedup.rs"]
pub mod dedup;
#[path = "../src/flow/mod.rs"]
pub mod flow;

#[path = "../src/scl/mod.rs"]
pub mod scl;

/// Only what the targets compare with.
#[path = "../src/report"]
pub mod report {
    pub mod escape;
    pub mod json;
    pub mod json_fields;
}
