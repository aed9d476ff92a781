//! Bodies of the fuzz targets. They live here so that `cargo test` runs their seed corpora with the very same
//! code (`tests/fuzz_seeds.rs`), and `fuzz/` runs them under libFuzzer.
//!
//! They assert more than "no panic": every byte is accounted for, memory stays within the limits, and
//! splitting the input changes nothing.
#![allow(dead_code, clippy::unwrap_used, clippy::panic, missing_docs, unreachable_pub)]

pub mod conversation;
pub mod files;
pub mod frames;
pub mod goose;
pub mod reassembly;
pub mod scl;
pub mod session;
