//! Tests of the whole protocol: octets in, units, operations and defects out.
#![allow(dead_code, clippy::unwrap_used, clippy::panic)]

mod build;
mod golden;
