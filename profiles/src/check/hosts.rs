//! Checks of `[hosts]`: addresses, and that none belongs to two hosts.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::ops::Range;

use ipnet::IpNet;
use parsers::MacAddr;

use crate::file::{At, HostEntry as FileHost};
use crate::profile::HostEntry;
use crate::roles::Role;
use crate::services::{SERVICES, Services, service_by_key};
use diagnostics::Reporter;

/// Hosts as they are gathered: those of the file, then addresses that stations name.
#[derive(Default)]
pub(super) struct Hosts {
    pub(super) entries: Vec<HostEntry>,
    by_name: HashMap<String, usize>,
    /// First address, last address, host, place in the file.
    spans: Vec<(IpAddr, IpAddr, usize, Range<usize>)>,
    by_start: BTreeMap<IpAddr, (IpAddr, usize)>,
}

impl Hosts {
    pub(super) fn add(&mut self, entry: &FileHost, reporter: &mut Reporter<'_>) {
        let index = self.entries.len();
        let mut addresses = Vec::with_capacity(entry.address.len());
        for text in &entry.address {
            if let Some(net) = network(text, reporter) {
                addresses.push(net);
                self.spans.push((net.network(), net.broadcast(), index, text.span.clone()));
            }
        }
        self.by_name.insert(entry.name.value.clone(), index);
        self.entries.push(HostEntry {
            name: entry.name.value.clone(),
            addresses,
            macs: entry.mac.iter().filter_map(|text| mac(text, reporter)).collect(),
            vlans: entry.vlan.iter().filter_map(|number| vlan(number, reporter)).collect(),
            role: entry.role.as_ref().and_then(|text| role(text, reporter)),
            tags: entry.tags.iter().filter_map(|tag| super::word(tag, "tag", reporter)).collect(),
            uses: entry.uses.as_ref().map(|names| services(names, reporter)),
            offers: entry.offers.as_ref().map(|names| services(names, reporter)),
            comment: entry.comment.clone(),
        });
    }

    /// No address may belong to two hosts, nor stand twice in one.
    pub(super) fn overlaps(&mut self, reporter: &mut Reporter<'_>) {
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
    pub(super) fn of_station(&mut self, text: &At<String>, reporter: &mut Reporter<'_>) -> Option<usize> {
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
            self.entries.push(HostEntry {
                name,
                addresses: vec![IpNet::from(address)],
                macs: Vec::new(),
                vlans: Vec::new(),
                role: None,
                tags: Vec::new(),
                uses: None,
                offers: None,
                comment: None,
            });
            self.by_name.insert(text.value.clone(), index);
            self.by_start.insert(address, (address, index));
            return Some(index);
        }
        let meant = reporter.meant(&text.value, self.entries.iter().map(|h| h.name.as_str()));
        let error = reporter.error(&text.span, format!("no host has the name `{}`", text.value));
        if let Some(meant) = meant {
            error.label(format!("did you mean `{meant}`?"));
        }
        error.help("name a host of this file ([hosts.NAME]), or write its address");
        None
    }
}

/// `10.0.0.1` for `010.000.0.1`, which some read as octal. Four numbers and nothing else.
fn without_leading_zeros(text: &str) -> Option<IpAddr> {
    let mut octets = [0; 4];
    let mut parts = text.split('.');
    for octet in &mut octets {
        let part = parts.next().filter(|part| !part.is_empty())?;
        *octet = part.bytes().try_fold(0_u8, |number, digit| {
            let digit = digit.is_ascii_digit().then(|| digit - b'0')?;
            number.checked_mul(10)?.checked_add(digit)
        })?;
    }
    parts.next().is_none().then(|| IpAddr::from(octets))
}

/// The address in front of a port: `10.0.0.5:502`, `[fd00::5]:502`.
fn without_port(text: &str) -> Option<IpAddr> {
    let (address, port) = text.rsplit_once(':')?;
    if port.is_empty() || !port.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let bracketed = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    bracketed.unwrap_or(address).parse().ok()
}

/// Whether a text looks like the name of a computer: parts of letters, digits and hyphens, the last of which begins
/// with a letter. Three numbers in it are an address with a slip in the fourth (10.0.0.x).
fn is_computer_name(text: &str) -> bool {
    let word = |part: &str| part.starts_with(|c: char| c.is_ascii_alphabetic());
    let known = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    let number = |part: &str| part.bytes().all(|digit| digit.is_ascii_digit());
    let numbers = text.split('.').filter(|part| number(part)).count();
    text.split('.').all(known) && text.rsplit('.').next().is_some_and(word) && numbers < 3
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
            && length.bytes().all(|digit| digit.is_ascii_digit())
        {
            let longest = if address.is_ipv4() { 32 } else { 128 };
            error.label(format!("`{length}` is no prefix length: 0 to {longest}"));
        } else if let Some(address) = without_port(&text.value) {
            error.label(format!("a host has no port: write \"{address}\""));
        } else if let Some(plain) = without_leading_zeros(&text.value) {
            error.label(format!("no zeros in front: write \"{plain}\""));
        } else if let Some((first, last)) = text.value.split_once('-')
            && first.trim().parse::<IpAddr>().is_ok()
            && last.trim().parse::<IpAddr>().is_ok()
        {
            error.label("list the addresses, or write the network");
        } else if is_computer_name(&text.value) {
            error.label("names are not looked up: write the address");
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

/// `00:11:22:33:44:55`, or with hyphens.
pub(super) fn mac(text: &At<String>, reporter: &mut Reporter<'_>) -> Option<MacAddr> {
    let mut octets = [0; 6];
    let parts: Vec<&str> = text.value.split([':', '-']).collect();
    let digits = |part: &str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_hexdigit());
    if parts.len() == 6 && parts.iter().all(|part| digits(part)) {
        for (octet, part) in octets.iter_mut().zip(&parts) {
            *octet = u8::from_str_radix(part, 16).unwrap_or(0);
        }
        return Some(MacAddr(octets));
    }
    reporter
        .error(&text.span, format!("`{}` is no Ethernet address", text.value))
        .label("write it as in \"00:11:22:33:44:55\"");
    None
}

pub(super) fn vlan(number: &At<i64>, reporter: &mut Reporter<'_>) -> Option<u16> {
    if (0..=4094).contains(&number.value) {
        return u16::try_from(number.value).ok();
    }
    reporter
        .error(&number.span, format!("{} is no VLAN", number.value))
        .label("VLANs are 0 (untagged) to 4094");
    None
}

/// Services by name.
fn services(names: &[At<String>], reporter: &mut Reporter<'_>) -> Services {
    let mut set = Services::default();
    for text in names {
        if let Some(place) = service_by_key(&text.value) {
            set.insert(place);
            continue;
        }
        let keys = SERVICES.iter().map(|service| service.key);
        let meant = reporter.meant(&text.value, keys.clone());
        let error = reporter.error(&text.span, format!("unknown service `{}`", text.value));
        if let Some(meant) = meant {
            error.label(format!("did you mean `{meant}`?"));
        }
        error.help(format!("services are: {}", keys.collect::<Vec<_>>().join(", ")));
    }
    set
}

/// A role of the library.
pub(super) fn role(text: &At<String>, reporter: &mut Reporter<'_>) -> Option<&'static Role> {
    let found = Role::from_name(&text.value);
    if found.is_none() {
        let names = Role::all().iter().map(|role| role.name.as_str());
        let meant = reporter.meant(&text.value, names.clone());
        let error = reporter.error(&text.span, format!("unknown role `{}`", text.value));
        if let Some(meant) = meant {
            error.label(format!("did you mean `{meant}`?"));
        }
        error.help(format!("roles are: {}", names.collect::<Vec<_>>().join(", ")));
    }
    found
}
