//! Services beside the control protocols that a host may use or offer, by the ports they have by habit.
//! Those without which no network lives (names, time, addresses) say nothing about a host and are not here.

use std::sync::LazyLock;

/// A service.
#[derive(Debug)]
pub struct Service {
    /// Its name in a profile: `remote_desktop`.
    pub key: &'static str,
    /// Its name in a sentence.
    pub name: &'static str,
    /// Its ports, TCP or UDP.
    pub ports: &'static [u16],
}

macro_rules! services {
    ($($key:literal, $name:literal, [$($port:literal),+];)*) => {
        /// All of them. A set of services has a bit for each, in this order.
        pub const SERVICES: &[Service] = &[$(Service { key: $key, name: $name, ports: &[$($port),+] },)*];
    };
}

services! {
    "iec104_tls", "IEC 60870-5-104 over TLS", [19998];
    "iso_transport", "ISO transport (MMS, S7)", [102];
    "ethernet_ip", "EtherNet/IP", [44818, 2222];
    "opc_ua", "OPC UA", [4840, 4843];
    "bacnet", "BACnet", [47808];
    "c37_118", "C37.118", [4712, 4713];
    "ftp_data", "FTP data", [20];
    "ftp", "FTP", [21];
    "ssh", "SSH", [22];
    "telnet", "Telnet", [23];
    "mail", "mail", [25, 465, 587];
    "tftp", "TFTP", [69];
    "http", "HTTP", [80, 8080];
    "https", "HTTPS", [443, 8443];
    "rpc", "RPC", [135];
    "netbios", "NetBIOS names", [137, 138];
    "smb", "SMB", [139, 445];
    "snmp", "SNMP", [161];
    "ldap", "LDAP", [389, 636];
    "database", "a database", [1433, 1521, 3306, 5432];
    "tristation", "TriStation", [1502];
    "remote_desktop", "remote desktop", [3389];
    "vnc", "VNC", [5900, 5901];
    "remote_management", "remote management", [5985, 5986];
    "codesys", "CODESYS", [1740, 1741, 1742, 1743, 2455, 11740];
    "ecostruxure", "EcoStruxure discovery", [27127];
}

/// A set of services.
#[derive(Debug, Copy, Clone, Default, Eq, PartialEq)]
pub struct Services(u32);

impl Services {
    /// Add the service at this place of [`SERVICES`].
    pub fn insert(&mut self, place: usize) {
        self.0 |= 1 << place;
    }

    /// Whether the service at this place of [`SERVICES`] is one of them.
    #[must_use]
    pub fn contains(self, place: usize) -> bool {
        self.0 & 1 << place != 0
    }

    /// The services in it.
    pub fn iter(self) -> impl Iterator<Item = &'static Service> {
        SERVICES
            .iter()
            .enumerate()
            .filter(move |(place, _)| self.contains(*place))
            .map(|(_, service)| service)
    }
}

/// The place in [`SERVICES`] of the one that has this name.
#[must_use]
pub fn service_by_key(key: &str) -> Option<usize> {
    SERVICES.iter().position(|service| service.key == key)
}

/// The place in [`SERVICES`] of the one that has this port.
#[must_use]
#[inline]
pub fn service_by_port(port: u16) -> Option<usize> {
    /// By port: the place and one, or nought.
    static BY_PORT: LazyLock<Box<[u8]>> = LazyLock::new(|| {
        let mut places = vec![0; 1 << 16].into_boxed_slice();
        for (place, service) in SERVICES.iter().enumerate() {
            for port in service.ports {
                if let Some(slot) = places.get_mut(usize::from(*port)) {
                    *slot = place as u8 + 1;
                }
            }
        }
        places
    });
    usize::from(BY_PORT.get(usize::from(port)).copied().unwrap_or(0)).checked_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_service_has_a_bit_a_name_and_ports_of_its_own() {
        // The control protocols have bits of the same word where hosts are remembered.
        assert!(SERVICES.len() + 6 <= 32);
        let mut ports: Vec<u16> = SERVICES.iter().flat_map(|s| s.ports.iter().copied()).collect();
        ports.sort_unstable();
        assert!(ports.windows(2).all(|two| two[0] != two[1]));
        for (place, service) in SERVICES.iter().enumerate() {
            assert_eq!(service_by_key(service.key), Some(place), "{}", service.key);
            assert!(service.ports.iter().all(|port| service_by_port(*port) == Some(place)));
        }
        assert_eq!(service_by_port(53), None);
        let mut set = Services::default();
        set.insert(3);
        assert!(set.contains(3) && !set.contains(2) && set.iter().count() == 1);
    }
}
