//! DNP3, IEEE 1815.
//!
//! ```text
//! crc.rs          checksums
//! link.rs         frames: header, CONTROL, user data out of its blocks
//! transport.rs    segments to fragments
//! application.rs  a fragment's header and internal indications
//! function.rs     function codes; names.rs their table
//! object/         object headers, layouts, values
//! survey.rs       one look at all objects of a fragment: ranges, checks
//! checks.rs       what a link or application header alone can get wrong
//! association.rs  the pairs of master and outstation on a flow
//! pairing.rs      the requests that wait
//! matching.rs     questions and answers
//! echo.rs         what the answer to a control has to repeat
//! exchange.rs     from frames to operations
//! emit.rs         frames and segments as the observer is told of them
//! session.rs      octets to frames
//! detail.rs       content on demand
//! probe.rs        recognition on any port
//! ```

mod application;
mod association;
mod checks;
mod crc;
mod detail;
mod echo;
mod emit;
mod exchange;
mod function;
mod link;
mod matching;
mod names;
mod object;
mod pairing;
mod probe;
mod session;
mod survey;
mod transport;

#[cfg(test)]
mod tests;

use crate::contract::{AddressTerms, Dissector, PointKind, Protocol, SelectRule, StationAddress};

/// The registration row.
pub const DISSECTOR: Dissector = Dissector {
    protocol: Protocol::Dnp3,
    functions: names::FUNCTIONS,
    codes: 0..=255,
    function: |code, _| function::function(code),
    action: |code, _| function::action(code),
    is_everyday: |code| matches!(code, 0..=5 | 7 | 9 | 20 | 21 | 23 | 24),
    measures: |_, kind| {
        matches!(kind, PointKind::AnalogInput | PointKind::AnalogOutput | PointKind::FrozenAnalogInput)
    },
    address: AddressTerms {
        key: "link_address",
        what: "link address",
        plural: "link addresses",
        stations: 0..=0xFFEF,
        broadcasts: Some(0xFFFD..=0xFFFF),
        address: StationAddress::Link,
    },
    select: SelectRule::NextSequence,
    device: "rtu",
    tcp_ports: &[20000],
    udp_ports: &[20000],
    ethertypes: &[],
    subject: |payload| payload,
    probe: probe::probe,
    open: session::Dnp3::open,
};
