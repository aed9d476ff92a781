//! What a port stands for: control protocols by the configuration, others by habit.

use parsers::{Protocol, Transport};
use profiles::SERVICES;

use crate::pipeline::PortTable;

/// A service as one bit.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub(super) struct Service {
    pub(super) bit: u32,
    pub(super) name: &'static str,
    /// One of the control protocols that are decoded here.
    pub(super) control: Option<Protocol>,
    /// Its place in [`SERVICES`], if it is none of those.
    pub(super) place: Option<usize>,
}

/// First bits are those of the control protocols.
const OFFSET: usize = Protocol::ALL.len();

/// The service that a port stands for.
pub(super) fn of_port(ports: &PortTable, transport: Transport, port: u16) -> Option<Service> {
    if let Some(protocol) = ports.protocol(transport, port) {
        return Some(Service {
            bit: 1 << (protocol as usize),
            name: protocol.name(),
            control: Some(protocol),
            place: None,
        });
    }
    let place = profiles::service_by_port(port)?;
    let name = SERVICES.get(place)?.name;
    Some(Service { bit: 1 << (OFFSET + place), name, control: None, place: Some(place) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_service_has_a_bit() {
        assert!(OFFSET + SERVICES.len() <= 32);
        let table = PortTable::default();
        let modbus = of_port(&table, Transport::Tcp, 502);
        assert!(modbus.is_some_and(|s| s.control == Some(Protocol::Modbus) && s.bit == 1));
        assert_eq!(of_port(&table, Transport::Udp, 53), None);
    }
}
