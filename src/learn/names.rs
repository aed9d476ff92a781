//! Names for hosts and stations: what they do, and as much of the address as tells them apart.

use std::collections::{BTreeMap, BTreeSet};

use parsers::{Host, Protocol, StationAddress};

use super::decide::{Class, Draft, Grant};
use super::pair::PairKey;

/// A station, whoever asks it.
pub(super) type StationKey = (Host, u16, Protocol, StationAddress);

/// The station of a pair.
pub(super) fn station_of(key: &PairKey) -> StationKey {
    (key.server, key.port, key.protocol, key.station)
}

/// What a host seems to be.
#[derive(Debug, Clone, Eq, PartialEq)]
pub(super) struct Guess {
    /// First part of its name.
    pub(super) prefix: &'static str,
    /// The role to propose.
    pub(super) role: &'static str,
    /// Why.
    pub(super) why: String,
}

/// What the hosts of the grants seem to be.
pub(super) fn guesses(draft: &Draft) -> BTreeMap<Host, Guess> {
    let Draft { grants, backups, .. } = draft;
    let hosts: BTreeSet<Host> = grants.iter().flat_map(|g| [g.key.client, g.key.server]).collect();
    let guess = |host: Host| match backups.get(&host) {
        Some(primary) => Guess {
            prefix: "backup",
            role: "backup_master",
            why: format!("came only while {primary} was silent, and did the same"),
        },
        None => guess(host, grants),
    };
    hosts.into_iter().map(|host| (host, publishes(host, guess(host), draft))).collect()
}

/// Who publishes GOOSE and is a station besides protects a bay.
fn publishes(host: Host, guess: Guess, draft: &Draft) -> Guess {
    let own = draft.publishers.iter().filter(|own| own.host.map(Host::Ip) == Some(host)).count();
    if own == 0 {
        return guess;
    }
    let why = format!("{}, publishes {}", guess.why, number_of(own, "GOOSE control block"));
    if guess.role == "rtu" {
        Guess { prefix: "ied", role: "feeder_relay", why }
    } else {
        Guess { why, ..guess }
    }
}

fn guess(host: Host, grants: &[Grant]) -> Guess {
    let asks: Vec<&Grant> = grants.iter().filter(|g| g.key.client == host).collect();
    let answers: Vec<&Grant> = grants.iter().filter(|g| g.key.server == host).collect();
    let asked: BTreeSet<_> = asks.iter().map(|g| station_of(&g.key)).collect();
    let controlled: BTreeSet<_> =
        asks.iter().filter(|g| g.class == Class::Controls).map(|g| station_of(&g.key)).collect();
    let own: BTreeSet<_> = answers.iter().map(|g| station_of(&g.key)).collect();
    let to_itself = asks.iter().all(|g| g.key.server == host);
    if !asks.is_empty() && !answers.is_empty() && !to_itself {
        return Guess {
            prefix: "gateway",
            role: "protocol_gateway",
            why: format!("asks {} and answers itself", number_of(asked.len(), "station")),
        };
    }
    if !asks.is_empty() {
        if !controlled.is_empty() {
            let why = format!("asks {}, controls {}", number_of(asked.len(), "station"), controlled.len());
            return Guess { prefix: "master", role: "scada_master", why };
        }
        let other = |g: &&Grant| {
            g.key.client != host && g.class == Class::Controls && asked.contains(&station_of(&g.key))
        };
        let why = format!("asks {}, controls none", number_of(asked.len(), "station"));
        return if grants.iter().any(|g| other(&g)) {
            Guess { prefix: "reader", role: "historian", why: format!("{why}; another host controls them") }
        } else {
            Guess { prefix: "master", role: "scada_master", why }
        };
    }
    if own.len() > 1 && own.iter().all(|s| s.2 == Protocol::Modbus) {
        let why = format!("{} behind one address", number_of(own.len(), "station"));
        return Guess { prefix: "gateway", role: "serial_gateway", why };
    }
    let of_all = own.iter().filter_map(|s| parsers::dissector(s.2)).map(|d| d.device);
    let prefix = of_all.max().unwrap_or("plc");
    Guess { prefix, role: "rtu", why: format!("answers as {}", number_of(own.len(), "station")) }
}

/// `1 station`, `2 stations`
pub(super) fn number_of(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// Names of hosts. `taken` are names that other things have, in small letters.
pub(super) fn hosts(guesses: &BTreeMap<Host, Guess>, taken: &BTreeSet<String>) -> BTreeMap<Host, String> {
    for parts in 1..=8 {
        let names: BTreeMap<Host, String> = guesses
            .iter()
            .map(|(host, guess)| (*host, format!("{}-{}", guess.prefix, tail(*host, parts))))
            .collect();
        let different: BTreeSet<&String> = names.values().collect();
        let last = parts == 8;
        let free = different.iter().all(|name| !taken.contains(*name));
        if different.len() == names.len() && free {
            return names;
        }
        if last {
            return numbered(names, taken);
        }
    }
    BTreeMap::new()
}

/// The same names, with a number where another thing has it.
fn numbered(mut names: BTreeMap<Host, String>, taken: &BTreeSet<String>) -> BTreeMap<Host, String> {
    let mut used = taken.clone();
    for name in names.values_mut() {
        let plain = name.clone();
        for number in 2.. {
            if used.insert(name.clone()) {
                break;
            }
            *name = format!("{plain}-{number}");
        }
    }
    names
}

/// The last parts of an address, as few as asked for.
fn tail(host: Host, parts: usize) -> String {
    let all: Vec<String> = match host {
        Host::Ip(std::net::IpAddr::V4(ip)) => ip.octets().iter().map(u8::to_string).collect(),
        Host::Ip(std::net::IpAddr::V6(ip)) => ip.segments().iter().map(|s| format!("{s:x}")).collect(),
        other => vec![other.to_string().replace(':', "")],
    };
    all[all.len().saturating_sub(parts)..].join("-")
}

/// Name of a station behind a host of this name.
pub(super) fn station(key: &StationKey, host: &str, with_port: bool) -> String {
    let port = if with_port { format!("-port-{}", key.1) } else { String::new() };
    match key.3 {
        StationAddress::None => format!("{host}{port}-{}", key.2.name()),
        address => {
            let word = address.word().to_lowercase();
            format!("{host}{port}-{word}-{}", address.number().unwrap_or_default())
        }
    }
}
