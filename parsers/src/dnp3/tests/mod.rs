//! Tests of the whole protocol: octets in, units, operations and defects out.
#![allow(clippy::unwrap_used, clippy::panic)]

mod build;
mod checks;
mod golden;
mod objects;
mod pairing;
mod rows;
mod stream;
mod transport;
