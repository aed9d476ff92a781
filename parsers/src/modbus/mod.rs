//! Modbus: Modbus/TCP on TCP and UDP, and RTU frames in either.
//!
//! ```text
//! octets -> judge    where an ADU begins and ends: mbap, rtu, crc, foreign
//!        -> pdu      its fields; check: what is wrong with them
//!        -> exchange which request it answers: pairing; fit: whether it fits
//!        -> session  Unit, Operation, Defect; detail, points: the content on demand
//! ```
//!
//! After MODBUS Application Protocol V1.1b3, Messaging on TCP/IP V1.0b and Serial Line V1.02.

mod check;
mod crc;
mod datagram;
mod detail;
mod everyday;
mod exchange;
mod file;
mod fit;
mod foreign;
mod function;
mod judge;
mod mbap;
mod names;
mod pairing;
mod pdu;
mod points;
mod probe;
mod rtu;
mod session;
mod site;
mod stream;
#[cfg(test)]
mod tests;

use crate::contract::{AddressTerms, Dissector, PointKind, Protocol, SelectRule, StationAddress};

/// The registration row.
pub const DISSECTOR: Dissector = Dissector {
    protocol: Protocol::Modbus,
    functions: names::FUNCTIONS,
    codes: 1..=127,
    function: function::function,
    action: function::action,
    is_everyday: |code| matches!(code, 1..=6 | 15 | 16),
    measures: |_, kind| matches!(kind, PointKind::HoldingRegister | PointKind::InputRegister),
    address: AddressTerms {
        key: "unit_id",
        what: "unit id",
        plural: "unit ids",
        stations: 0..=255,
        broadcasts: None,
        address: |unit| StationAddress::Unit(unit as u8),
    },
    select: SelectRule::NextSequence,
    device: "plc",
    tcp_ports: &[502],
    udp_ports: &[502],
    ethertypes: &[],
    subject: |payload| payload,
    probe: probe::probe,
    open: |_, limits| Box::new(session::ModbusSession::new(limits)),
};
