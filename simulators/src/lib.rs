//! Stations, masters and captures for testing and demonstrating the monitor.
//!
//! ```text
//! encode/   Modbus and DNP3 octets, from the standards
//! vectors/  every function code and object, with what a reader must find in it
//! wire/     frames, TCP conversations, capture files
//! ```
//!
//! This crate knows nothing of the decoders: it encodes the protocols independently, so that one
//! misreading of a standard cannot pass on both sides.

pub mod captures;
pub mod encode;
pub mod live;
pub mod tshark;
pub mod value;
pub mod vectors;
pub mod wire;

pub use value::Value;
