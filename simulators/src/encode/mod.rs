//! Encoders, one a protocol, written from the standards.

pub mod dnp3;
pub mod modbus;
