//! Stations, masters and captures for testing and demonstrating the monitor.
//!
//! ```text
//! encode/   octets of Modbus, DNP3, IEC 104 and GOOSE, from the standards
//! vectors/  every function code and object, with what a reader must find in it
//! scenario/ a grid, its stations, masters and noise, from a file
//! grid/     the process: power flow, loads over the day, breakers, taps
//! station/  what stands behind the points and answers for them
//! apci.rs   one end of an IEC 104 connection
//! master/   who polls and operates
//! attack/   who should not be there
//! engine/   simulated time: events, connections, the capture
//! sockets/  the same in real time, on real sockets
//! wire/     frames, TCP conversations, capture files
//! ```
//!
//! This crate knows nothing of the decoders: it encodes the protocols independently, so that one
//! misreading of a standard cannot pass on both sides.

mod apci;
pub mod attack;
pub mod captures;
pub mod encode;
mod engine;
pub mod grid;
pub mod live;
pub mod master;
pub mod scenario;
pub mod site;
pub mod sockets;
mod station;
pub mod tshark;
pub mod value;
pub mod vectors;
pub mod wire;

pub use value::Value;
