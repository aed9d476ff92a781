//! Encoders, one a protocol, written from the standards.

pub mod dnp3;
pub mod goose;
pub mod iec104;
pub mod modbus;
