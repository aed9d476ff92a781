//! A network of its own for every host of a site, with a switch between them and a mirror port: what a
//! sensor would see in the field, with true Ethernet addresses and ARP. Needs root, `ip` and `tc`.
//!
//! ```text
//! host --- switch (bridge in a namespace of its own) --- host
//!            | tc mirred: a copy of every frame
//!          the mirror port, an interface here
//! ```

use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io;
use std::net::Ipv4Addr;
use std::os::fd::AsRawFd;
use std::process::Command;
use std::sync::Arc;

use crate::attack::Attack;
use crate::engine::frame::mac;
use crate::scenario::{Mac, Scenario};

/// In place of an address: the network of an attacker who is none of the hosts, a port of the switch.
pub(super) const OUTSIDER: Ipv4Addr = Ipv4Addr::UNSPECIFIED;

/// The networks of a site. Dropping it takes all of them away.
#[derive(Debug)]
pub struct Namespaces {
    names: Vec<String>,
    mirror: String,
    entrances: Entrances,
}

/// The ways into the networks of hosts.
#[derive(Debug, Clone)]
pub(super) struct Entrances {
    home: Arc<File>,
    hosts: HashMap<Ipv4Addr, Arc<File>>,
}

impl Namespaces {
    /// Make a network for every host of a scenario and its attackers. The mirror port is an interface with
    /// the name `mirror`; namespaces have names that begin so.
    ///
    /// # Errors
    /// A command failed: no privileges, no programs, or the name is taken.
    pub fn new(scenario: &Scenario, attacks: &[Attack], mirror: &str) -> io::Result<Namespaces> {
        let mut hosts: BTreeSet<Ipv4Addr> = scenario.stations.values().map(|s| s.address).collect();
        hosts.extend(scenario.masters.values().map(|m| m.address));
        hosts.extend(scenario.noise.server.iter().chain(&scenario.noise.clients));
        hosts.extend(attacks.iter().map(|a| a.actor_address(scenario)).filter(|a| !a.is_unspecified()));
        let home = Arc::new(File::open("/proc/thread-self/ns/net")?);
        let entrances = Entrances { home, hosts: HashMap::new() };
        let mut made = Namespaces { names: Vec::new(), mirror: mirror.to_owned(), entrances };
        let switch = made.add(&format!("{mirror}-switch"))?.0;
        ip(&switch, "link add br0 type bridge stp_state 0 mcast_snooping 0")?;
        ip(&switch, "link set br0 up")?;
        let here = std::process::id();
        ip(&switch, &format!("link add mirror type veth peer name {mirror} netns {here}"))?;
        ip(&switch, "link set mirror up")?;
        _ = std::fs::write(format!("/proc/sys/net/ipv6/conf/{mirror}/disable_ipv6"), "1");
        run("ip", &format!("link set {mirror} up"))?;
        let prefix = common_prefix(&hosts);
        let forgers: BTreeSet<Ipv4Addr> = attacks
            .iter()
            .filter(|attack| attack.behaviour.needs_frames())
            .map(|attack| attack.actor_address(scenario))
            .chain([OUTSIDER])
            .collect();
        for (number, host) in hosts.iter().chain([&OUTSIDER]).enumerate() {
            let (name, file) = made.add(&format!("{mirror}-{host}"))?;
            let port = format!("port{number}");
            ip(&switch, &format!("link add {port} type veth peer name eth0 netns {name}"))?;
            ip(&switch, &format!("link set {port} up master br0"))?;
            run("tc", &format!("-n {switch} qdisc add dev {port} clsact"))?;
            run(
                "tc",
                &format!(
                    "-n {switch} filter add dev {port} ingress protocol all u32 match u32 0 0 action mirred egress mirror dev mirror"
                ),
            )?;
            ip(&name, &format!("link set eth0 address {}", Mac(mac(*host))))?;
            // The switch does not learn from frames in the name of others where these are.
            if forgers.contains(host) {
                ip(&switch, &format!("link set {port} type bridge_slave learning off"))?;
            }
            if *host != OUTSIDER {
                ip(&name, &format!("address add {host}/{prefix} dev eth0"))?;
            }
            ip(&name, "link set eth0 up")?;
            // Sums are then worked out before the mirror sees a frame. Where ethtool is missing they are not.
            _ = run("ip", &format!("netns exec {name} ethtool -K eth0 tx off tso off gso off gro off"));
            made.entrances.hosts.insert(*host, Arc::new(file));
        }
        Ok(made)
    }

    /// Name of the mirror port.
    pub fn mirror(&self) -> &str {
        &self.mirror
    }

    /// Names of the namespaces, the switch first.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    pub(super) fn entrances(&self) -> Entrances {
        self.entrances.clone()
    }

    /// A namespace whose interfaces send nothing of themselves.
    fn add(&mut self, name: &str) -> io::Result<(String, File)> {
        run("ip", &format!("netns add {name}"))?;
        self.names.push(name.to_owned());
        let file = File::open(format!("/run/netns/{name}"))?;
        enter(&file)?;
        for which in ["all", "default"] {
            // Without IPv6 in the kernel there is no such file, and nothing to switch off.
            _ = std::fs::write(format!("/proc/sys/net/ipv6/conf/{which}/disable_ipv6"), "1");
        }
        enter(&self.entrances.home)?;
        ip(name, "link set lo up")?;
        Ok((name.to_owned(), file))
    }
}

impl Drop for Namespaces {
    fn drop(&mut self) {
        for name in &self.names {
            _ = run("ip", &format!("netns del {name}"));
        }
    }
}

impl Entrances {
    /// Do something in the network of a host.
    pub(super) fn within<T>(&self, host: Ipv4Addr, work: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let Some(file) = self.hosts.get(&host) else {
            return Err(io::Error::other(format!("{host} has no network")));
        };
        enter(file)?;
        let result = work();
        enter(&self.home)?;
        result
    }
}

/// This thread moves.
fn enter(namespace: &File) -> io::Result<()> {
    // SAFETY: no pointers; the descriptor is open; concerns this thread only.
    match unsafe { libc::setns(namespace.as_raw_fd(), libc::CLONE_NEWNET) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

fn ip(namespace: &str, words: &str) -> io::Result<()> {
    run("ip", &format!("-n {namespace} {words}"))
}

fn run(program: &str, words: &str) -> io::Result<()> {
    let output = Command::new(program).args(words.split(' ')).output();
    let output = output.map_err(|e| io::Error::other(format!("{program}: {e} (needed for namespaces)")))?;
    if output.status.success() {
        return Ok(());
    }
    let why = String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(format!("{program} {words}: {} (namespaces need root)", why.trim())))
}

/// Leading bits that all addresses share: they are neighbours.
fn common_prefix(hosts: &BTreeSet<Ipv4Addr>) -> u32 {
    let first = hosts.first().map_or(0, |a| u32::from(*a));
    let different = hosts.iter().fold(0, |bits, a| bits | (first ^ u32::from(*a)));
    // Two addresses more: that of the network and that of the broadcast are nobody's.
    different.leading_zeros().saturating_sub(1).min(24)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_hosts_are_neighbours() {
        let set = |all: &[[u8; 4]]| all.iter().map(|a| Ipv4Addr::from(*a)).collect();
        assert_eq!(common_prefix(&set(&[[192, 168, 7, 5], [192, 168, 7, 66]])), 24);
        assert_eq!(common_prefix(&set(&[[10, 10, 0, 5], [10, 10, 1, 11]])), 22);
        assert_eq!(common_prefix(&set(&[[10, 0, 0, 5], [192, 168, 1, 1]])), 0);
    }
}
