//! Protocol decoders for power-grid control networks.
//!
//! This crate turns the bytes of a flow into protocol-neutral [`Operation`]s and [`Defect`]s. It does
//! no I/O, reads no clock and knows nothing of sockets: the caller passes packet time with every
//! chunk. See [`contract`] for the rules that every protocol keeps.
//!
//! A protocol is one folder and one row in [`DISSECTORS`].

pub mod contract;
pub mod dnp3;
pub mod goose;
pub mod iec104;
pub mod modbus;
mod scene;
mod sync;
#[cfg(test)]
mod testing;
mod tight;

pub use contract::*;

/// A function of a protocol, with its name in the standard; `"unknown"` for a code without one.
#[must_use]
pub fn function(protocol: Protocol, code: u8, sub: Option<u16>) -> Function {
    match dissector(protocol) {
        Some(dissector) => (dissector.function)(code, sub),
        None => Function { code, sub, name: "unknown" },
    }
}

/// The class of a function by its code alone. In DNP3 what a read or a write is about can make it another
/// (a file, the time).
#[must_use]
pub fn action_of(protocol: Protocol, code: u8, sub: Option<u16>) -> Action {
    dissector(protocol).map_or(Action::Unknown, |dissector| (dissector.action)(code, sub))
}

/// Every protocol this build can decode. To add one: a folder beside `modbus`, and a row here.
pub static DISSECTORS: &[Dissector] =
    &[modbus::DISSECTOR, dnp3::DISSECTOR, iec104::DISSECTOR, goose::DISSECTOR];

/// The dissector of an Ethertype.
#[must_use]
pub fn dissector_of_ethertype(ethertype: u16) -> Option<&'static Dissector> {
    DISSECTORS.iter().find(|d| d.ethertypes.contains(&ethertype))
}

/// The dissector of a protocol.
#[must_use]
pub fn dissector(protocol: Protocol) -> Option<&'static Dissector> {
    DISSECTORS.iter().find(|d| d.protocol == protocol)
}
