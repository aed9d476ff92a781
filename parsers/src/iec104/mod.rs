//! IEC 60870-5-104.
//!
//! ```text
//! apci.rs      frames: start, length, control field
//! session.rs   octets to frames
//! link.rs      numbers, windows, start and stop, tests
//! fields.rs    sizes of the fields that 101 leaves open
//! asdu.rs      the data unit: header, objects
//! types.rs     all types: names, layouts, what they do
//! cause.rs     causes of transmission
//! element.rs   what is in the octets of an object
//! time.rs      times in three and in seven octets
//! checks.rs    what a data unit can get wrong by itself
//! pending.rs   activations and selects that wait
//! exchange.rs  from frames to operations
//! detail.rs    content on demand
//! scene.rs     whom a defect is about
//! probe.rs     recognition on any port
//! ```

mod apci;
mod asdu;
mod cause;
mod checks;
mod detail;
mod element;
mod exchange;
mod fields;
mod link;
mod pending;
mod probe;
mod session;
mod time;
mod types;

#[cfg(test)]
mod tests;

use crate::contract::{AddressTerms, Dissector, Protocol, SelectRule, StationAddress};

/// The registration row.
pub const DISSECTOR: Dissector = Dissector {
    protocol: Protocol::Iec104,
    functions: types::FUNCTIONS,
    codes: 0..=255,
    function: types::function,
    action: types::action,
    is_everyday: types::is_everyday,
    measures: |code, _| types::measures(code),
    address: AddressTerms {
        key: "common_address",
        what: "common address",
        plural: "common addresses",
        stations: 1..=0xFFFE,
        broadcasts: Some(0xFFFF..=0xFFFF),
        address: StationAddress::Common,
    },
    select: SelectRule::SameObject,
    device: "rtu",
    tcp_ports: &[2404],
    udp_ports: &[],
    ethertypes: &[],
    subject: |payload| payload,
    probe: probe::probe,
    open: session::Iec104::open,
};
