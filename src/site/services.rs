//! What a port stands for: control protocols by the configuration, others by habit. Services without which
//! no network lives (names, time, addresses) say nothing about a host.

use parsers::{Protocol, Transport};

use crate::pipeline::PortTable;

/// A service as one bit.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub(super) struct Service {
    pub(super) bit: u32,
    pub(super) name: &'static str,
    /// One of the control protocols that are decoded here.
    pub(super) control: Option<Protocol>,
}

/// Services by port, TCP or UDP.
const SERVICES: &[(&[u16], &str)] = &[
    (&[2404, 19998], "IEC 60870-5-104"),
    (&[102], "ISO transport (MMS, S7)"),
    (&[44818, 2222], "EtherNet/IP"),
    (&[4840, 4843], "OPC UA"),
    (&[47808], "BACnet"),
    (&[4712, 4713], "C37.118"),
    (&[20], "FTP data"),
    (&[21], "FTP"),
    (&[22], "SSH"),
    (&[23], "Telnet"),
    (&[25, 465, 587], "mail"),
    (&[69], "TFTP"),
    (&[80, 8080], "HTTP"),
    (&[443, 8443], "HTTPS"),
    (&[135], "RPC"),
    (&[139, 445], "SMB"),
    (&[161], "SNMP"),
    (&[389, 636], "LDAP"),
    (&[1433, 1521, 3306, 5432], "a database"),
    (&[1502], "TriStation"),
    (&[3389], "remote desktop"),
    (&[5900, 5901], "VNC"),
    (&[5985, 5986], "remote management"),
    (&[1740, 1741, 1742, 1743, 2455, 11740], "CODESYS"),
    (&[27127], "EcoStruxure discovery"),
];

/// First bits are those of the control protocols.
const OFFSET: usize = Protocol::ALL.len();

/// The service that a port stands for.
pub(super) fn of_port(ports: &PortTable, transport: Transport, port: u16) -> Option<Service> {
    if let Some(protocol) = ports.protocol(transport, port) {
        return Some(Service {
            bit: 1 << (protocol as usize),
            name: protocol.name(),
            control: Some(protocol),
        });
    }
    let place = SERVICES.iter().position(|(numbers, _)| numbers.contains(&port))?;
    let (_, name) = SERVICES.get(place)?;
    Some(Service { bit: 1 << (OFFSET + place), name, control: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_service_has_a_bit_and_ports_of_its_own() {
        assert!(OFFSET + SERVICES.len() <= 32);
        let mut ports: Vec<u16> = SERVICES.iter().flat_map(|(ports, _)| ports.iter().copied()).collect();
        ports.sort_unstable();
        assert!(ports.windows(2).all(|two| two[0] != two[1]));
        let table = PortTable::default();
        let modbus = of_port(&table, Transport::Tcp, 502);
        assert!(modbus.is_some_and(|s| s.control == Some(Protocol::Modbus) && s.bit == 1));
        assert_eq!(of_port(&table, Transport::Udp, 53), None);
    }
}
