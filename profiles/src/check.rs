//! From the file to the checked model: references are resolved, names and addresses must not overlap,
//! numbers must be within the protocol's bounds. Every error is reported; a profile only comes out when
//! there is none.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::ops::Range;

use ipnet::IpNet;
use parsers::{Protocol, StationAddress};

use crate::check_rules::rules;
use crate::diagnostics::{Reporter, nearest};
use crate::file::{At, File, HostEntry as FileHost, Number, StationEntry};
use crate::profile::{HostEntry, Profile, Station};

/// Longest name, in characters: names become metric labels.
const NAME_CHARS: usize = 100;
/// First DNP3 address that is no individual one, IEEE 1815 clause 9.2.4.1.3.
const DNP3_RESERVED: i64 = 0xFFF0;
/// First DNP3 broadcast address.
const DNP3_BROADCAST: i64 = 0xFFFD;

/// Check everything.
pub(crate) fn check(file: File, reporter: &mut Reporter<'_>) -> Option<Profile> {
    names(&file, reporter);
    let mut hosts = Hosts::default();
    for entry in &file.hosts {
        hosts.add(entry, reporter);
    }
    hosts.overlaps(reporter);
    let mut stations = Vec::with_capacity(file.stations.len());
    let mut places = Places::new();
    for entry in &file.stations {
        if let Some(station) = station(entry, &mut hosts, reporter) {
            same_place(entry, &station, &mut places, reporter);
            stations.push(station);
        }
    }
    let known_hosts: Vec<&str> = file.hosts.iter().map(|h| h.name.value.as_str()).collect();
    let rules = rules(&file, &known_hosts, &stations, reporter);
    reporter.is_clean().then(|| Profile {
        name: file.name.map(|n| n.value).unwrap_or_default(),
        version: file.version.map(|v| v.value).unwrap_or_default(),
        hosts: hosts.entries,
        stations,
        rules,
    })
}

/// A name means one thing in the whole file. Names that differ in nothing but case would be mixed up.
fn names(file: &File, reporter: &mut Reporter<'_>) {
    let hosts = file.hosts.iter().map(|h| (&h.name, "host"));
    let stations = file.stations.iter().map(|s| (&s.name, "station"));
    let mut seen: HashMap<String, (&At<String>, &str)> = HashMap::new();
    for (name, kind) in hosts.chain(stations) {
        good_name(name, kind, reporter);
        match seen.get(&name.value.to_lowercase()) {
            Some((first, first_kind)) => {
                let other =
                    if first.value == name.value { "" } else { " (names must differ in more than case)" };
                reporter
                    .error_with(
                        &name.span,
                        format!("the {kind} `{}` has the name of a {first_kind}{other}", name.value),
                        &first.span,
                        &format!("the {first_kind} `{}`", first.value),
                    )
                    .label("give it another name")
                    .help("hosts and stations share one set of names, so that a finding names one thing");
            }
            None => {
                seen.insert(name.value.to_lowercase(), (name, kind));
            }
        }
    }
    let mut rule_names: HashMap<&str, &At<String>> = HashMap::new();
    for rule in file.rules.iter().filter(|r| !r.name.value.is_empty()) {
        good_name(&rule.name, "rule", reporter);
        match rule_names.get(rule.name.value.as_str()) {
            Some(first) => {
                let message = format!("two rules have the name `{}`", rule.name.value);
                reporter
                    .error_with(&rule.name.span, message, &first.span, "the first one")
                    .label("give it another name: findings name the rule");
            }
            None => {
                rule_names.insert(&rule.name.value, &rule.name);
            }
        }
    }
}

fn good_name(name: &At<String>, kind: &str, reporter: &mut Reporter<'_>) {
    let text = name.value.as_str();
    let trouble = if text.trim() != text || text.is_empty() {
        "is empty or begins or ends with a space"
    } else if text.chars().count() > NAME_CHARS {
        "is longer than 100 characters"
    } else if text.chars().any(char::is_control) {
        "contains a control character"
    } else if kind != "rule" && (text.parse::<IpAddr>().is_ok() || text.parse::<IpNet>().is_ok()) {
        "is an address"
    } else if kind != "rule" && (text == "any" || text == "all") {
        "is a word of the profile language"
    } else {
        return;
    };
    reporter.error(&name.span, format!("the name of a {kind} {trouble}")).label("give it another name");
}

/// Hosts as they are gathered: those of the file, then addresses that stations name.
#[derive(Default)]
struct Hosts {
    entries: Vec<HostEntry>,
    by_name: HashMap<String, usize>,
    /// First address, last address, host, place in the file.
    spans: Vec<(IpAddr, IpAddr, usize, Range<usize>)>,
    by_start: BTreeMap<IpAddr, (IpAddr, usize)>,
}

impl Hosts {
    fn add(&mut self, entry: &FileHost, reporter: &mut Reporter<'_>) {
        let index = self.entries.len();
        let mut addresses = Vec::with_capacity(entry.address.len());
        for text in &entry.address {
            if let Some(net) = network(text, reporter) {
                addresses.push(net);
                self.spans.push((net.network(), net.broadcast(), index, text.span.clone()));
            }
        }
        self.by_name.insert(entry.name.value.clone(), index);
        let (name, comment) = (entry.name.value.clone(), entry.comment.clone());
        self.entries.push(HostEntry { name, addresses, comment });
    }

    /// No address may belong to two hosts, nor stand twice in one.
    fn overlaps(&mut self, reporter: &mut Reporter<'_>) {
        let mut order: Vec<_> = self.spans.clone();
        order.sort_by_key(|(first, last, _, span)| (*first, std::cmp::Reverse(*last), span.start));
        let mut widest: Option<&(IpAddr, IpAddr, usize, Range<usize>)> = None;
        for current in &order {
            match widest {
                Some(other) if current.0 <= other.1 => {
                    let (one, two) =
                        if other.3.start < current.3.start { (other, current) } else { (current, other) };
                    let message = if one.2 == two.2 {
                        format!("an address of host `{}` is written twice", self.entries[two.2].name)
                    } else {
                        let (a, b) = (&self.entries[two.2].name, &self.entries[one.2].name);
                        format!("an address of host `{a}` also belongs to host `{b}`")
                    };
                    let note = format!("the other address, of host `{}`", self.entries[one.2].name);
                    reporter
                        .error_with(&two.3, message, &one.3, &note)
                        .label("an address belongs to one host")
                        .help("take it out of one of them, or split the network");
                }
                _ => {
                    self.by_start.insert(current.0, (current.1, current.2));
                    widest = Some(current);
                }
            }
        }
    }

    fn holder(&self, address: IpAddr) -> Option<&HostEntry> {
        let (_, (last, host)) = self.by_start.range(..=address).next_back()?;
        (address <= *last).then(|| self.entries.get(*host)).flatten()
    }

    /// The host a station stands behind: by name, or by an address that no named host has.
    fn of_station(&mut self, text: &At<String>, reporter: &mut Reporter<'_>) -> Option<usize> {
        if let Some(index) = self.by_name.get(&text.value) {
            return Some(*index);
        }
        if let Ok(address) = text.value.parse::<IpAddr>() {
            if let Some(holder) = self.holder(address) {
                let message = format!("{address} is an address of the host `{}`", holder.name);
                reporter.error(&text.span, message).label(format!("write \"{}\"", holder.name));
                return None;
            }
            let index = self.entries.len();
            let name = address.to_string();
            self.entries.push(HostEntry { name, addresses: vec![IpNet::from(address)], comment: None });
            self.by_name.insert(text.value.clone(), index);
            self.by_start.insert(address, (address, index));
            return Some(index);
        }
        let error = reporter.error(&text.span, format!("no host has the name `{}`", text.value));
        if let Some(meant) = nearest(&text.value, self.entries.iter().map(|h| h.name.as_str())) {
            error.label(format!("did you mean `{meant}`?"));
        }
        error.help("name a host of this file ([hosts.NAME]), or write its address");
        None
    }
}

fn network(text: &At<String>, reporter: &mut Reporter<'_>) -> Option<IpNet> {
    if let Ok(address) = text.value.parse::<IpAddr>() {
        return Some(IpNet::from(address));
    }
    let Ok(net) = text.value.parse::<IpNet>() else {
        let error = reporter.error(&text.span, format!("`{}` is no address", text.value));
        let help = "write an IPv4 or IPv6 address (10.0.0.5, fd00::5) or a network (10.0.1.0/28)";
        if let Some((address, length)) = text.value.split_once('/')
            && let Ok(address) = address.parse::<IpAddr>()
        {
            let longest = if address.is_ipv4() { 32 } else { 128 };
            error.label(format!("`{length}` is no prefix length: 0 to {longest}"));
        } else if let Some((address, _)) = text.value.rsplit_once(':')
            && address.parse::<IpAddr>().is_ok()
        {
            error.label(format!("a host has no port: write \"{address}\""));
        }
        error.help(help);
        return None;
    };
    if net.addr() != net.network() {
        reporter.error(&text.span, format!("`{net}` names a host within a network")).label(format!(
            "write \"{}\" for the network, or \"{}\" for the host",
            net.trunc(),
            net.addr()
        ));
        return None;
    }
    Some(net)
}

fn station(entry: &StationEntry, hosts: &mut Hosts, reporter: &mut Reporter<'_>) -> Option<Station> {
    let protocol = entry.protocol.as_ref().and_then(|p| protocol(p, reporter));
    let host = entry.host.as_ref().and_then(|h| hosts.of_station(h, reporter));
    let port = match &entry.port {
        Some(At { value: Number::Is(port @ 1..=65535), .. }) => u16::try_from(*port).ok(),
        Some(port) => {
            reporter.error(&port.span, "a port is a number from 1 to 65535");
            None
        }
        None => None,
    };
    let address = address(entry, protocol?, reporter).ok()?;
    let (name, comment) = (entry.name.value.clone(), entry.comment.clone());
    Some(Station { name, protocol: protocol?, host: host?, address, port, comment })
}

fn protocol(text: &At<String>, reporter: &mut Reporter<'_>) -> Option<Protocol> {
    let found = Protocol::from_name(&text.value);
    if found.is_none() {
        let names = Protocol::ALL.map(Protocol::name);
        let error = reporter.error(&text.span, format!("unknown protocol `{}`", text.value));
        if let Some(meant) = nearest(&text.value, names) {
            error.label(format!("did you mean `{meant}`?"));
        }
        error.help(format!("protocols are: {}", names.join(", ")));
    }
    found
}

/// The station's address in its protocol; `Ok(None)` is "any". An error has been reported.
fn address(
    entry: &StationEntry,
    protocol: Protocol,
    reporter: &mut Reporter<'_>,
) -> Result<Option<StationAddress>, ()> {
    let (right, wrong, key, wrong_key) = match protocol {
        Protocol::Modbus => (&entry.unit_id, &entry.link_address, "unit_id", "link_address"),
        Protocol::Dnp3 => (&entry.link_address, &entry.unit_id, "link_address", "unit_id"),
    };
    if let Some(wrong) = wrong {
        reporter
            .error(&wrong.span, format!("a {} station has no `{wrong_key}`", protocol.name()))
            .label(format!("write `{key}`"));
    }
    let Some(At { value, span }) = right else {
        if wrong.is_none() {
            let message = format!("station `{}` has no `{key}`", entry.name.value);
            reporter.error(&entry.name.span, message).label(format!("add {key} = 1, or {key} = \"any\""));
        }
        return Err(());
    };
    let Number::Is(number) = *value else { return Ok(None) };
    let trouble = match (protocol, number) {
        (Protocol::Modbus, 0..=255) => return Ok(u8::try_from(number).ok().map(StationAddress::Unit)),
        (Protocol::Modbus, _) => "a unit id is a number from 0 to 255",
        (Protocol::Dnp3, 0..DNP3_RESERVED) => {
            return Ok(u16::try_from(number).ok().map(StationAddress::Link));
        }
        (Protocol::Dnp3, DNP3_BROADCAST..=0xFFFF) => {
            reporter
                .error(span, format!("{number} is a broadcast address, not a station"))
                .help("to allow broadcasts write `broadcast = true` in a rule for a station of that host");
            return Err(());
        }
        (Protocol::Dnp3, _) => "a link address is a number from 0 to 65519",
    };
    reporter.error(span, format!("{key} {number} is out of bounds")).label(trouble);
    Err(())
}

/// The stations at each host, protocol and address, with their ports.
type Places = HashMap<(usize, Protocol, Option<StationAddress>), Vec<(Option<u16>, At<String>)>>;

/// Two stations must not claim the same place, or nobody could say which one an operation concerns.
fn same_place(entry: &StationEntry, station: &Station, places: &mut Places, reporter: &mut Reporter<'_>) {
    let others = places.entry((station.host, station.protocol, station.address)).or_default();
    let clash =
        others.iter().find(|(port, _)| *port == station.port || port.is_none() || station.port.is_none());
    if let Some((_, other)) = clash {
        let message = format!(
            "the stations `{}` and `{}` have the same host and address",
            other.value, entry.name.value
        );
        reporter
            .error_with(&entry.name.span, message, &other.span, &format!("the station `{}`", other.value))
            .label("one of them must differ")
            .help("two lines behind one host can be told apart by `port`, when both stations have one");
    }
    others.push((station.port, entry.name.clone()));
}
