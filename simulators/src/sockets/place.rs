//! Where the hosts of a scenario are when it runs live on one machine.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use crate::attack::Attack;
use crate::scenario::{Language, Scenario};

/// Ports of stations that name none; others than the standard's where those need privileges.
#[derive(Debug, Clone, Copy, Eq, PartialEq)]
pub struct Ports {
    /// Modbus.
    pub modbus: u16,
    /// DNP3.
    pub dnp3: u16,
}

impl Default for Ports {
    fn default() -> Ports {
        Ports { modbus: 502, dnp3: 20_000 }
    }
}

impl Ports {
    /// Give them to all stations that name none, and to attackers that try the standard's.
    pub fn set(self, scenario: &mut Scenario, attacks: &mut [Attack]) {
        for station in scenario.stations.values_mut() {
            let port = match station.kind.language() {
                Language::Modbus => self.modbus,
                Language::Dnp3 => self.dnp3,
                // That of the standard needs no privileges.
                Language::Iec104 => continue,
            };
            station.port.get_or_insert(port);
        }
        for attack in attacks {
            match &mut attack.port {
                Some(502) => attack.port = Some(self.modbus),
                Some(20_000) => attack.port = Some(self.dnp3),
                _ => {}
            }
        }
    }
}

/// 10.1.2.3 becomes 127.1.2.3.
fn loopback(address: Ipv4Addr) -> Ipv4Addr {
    let [_, b, c, d] = address.octets();
    Ipv4Addr::new(127, b, c, d)
}

/// Give every host an address on the loopback, 127 in place of its first octet. Returns old and new
/// addresses.
///
/// # Errors
/// Two hosts would have the same address.
pub fn onto_loopback(
    scenario: &mut Scenario,
    attacks: &mut [Attack],
) -> Result<BTreeMap<Ipv4Addr, Ipv4Addr>, String> {
    let mut moved: BTreeMap<Ipv4Addr, Ipv4Addr> = BTreeMap::new();
    let stations = scenario.stations.values_mut().map(|s| &mut s.address);
    let masters = scenario.masters.values_mut().map(|m| &mut m.address);
    let noise = scenario.noise.server.iter_mut().chain(&mut scenario.noise.clients);
    let swept = attacks.iter_mut().filter_map(|a| a.address.as_mut());
    for address in stations.chain(masters).chain(noise).chain(swept) {
        let new = loopback(*address);
        moved.insert(*address, new);
        *address = new;
    }
    for attack in attacks {
        if let Ok(address) = attack.actor.parse::<Ipv4Addr>() {
            let new = loopback(address);
            moved.insert(address, new);
            attack.actor = new.to_string();
        }
    }
    let mut back: BTreeMap<Ipv4Addr, Ipv4Addr> = BTreeMap::new();
    for (old, new) in &moved {
        if let Some(other) = back.insert(*new, *old) {
            return Err(format!("{other} and {old} would both be {new} on the loopback; use --netns"));
        }
    }
    Ok(moved)
}
