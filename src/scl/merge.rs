//! Adding a description to a profile that people have edited: their text stays as it is, to the letter. What it
//! does not have yet is added at its end, and what it says otherwise is told.

use std::fmt::Write as _;
use std::net::IpAddr;

use profiles::write::{Difference, differences};
use profiles::{Profile, Publisher};

use super::draft::{Draft, Host, Names};
use super::write::{write_host, write_publisher};

/// What a merge came to.
#[derive(Debug)]
pub struct Merged {
    /// The whole text.
    pub text: String,
    /// Hosts and publishers that the profile has already.
    pub known: usize,
    /// Those that were added.
    pub added: usize,
    /// What the profile says otherwise, one sentence each.
    pub differences: Vec<String>,
}

impl Draft {
    /// Add what an old profile does not have; `old` is what `text` says.
    #[must_use]
    pub fn merge_into(&self, text: &str, old: &Profile) -> Merged {
        let mut merged = Merged { text: String::new(), known: 0, added: 0, differences: Vec::new() };
        let mut out = String::new();
        let mut names = Names::default();
        let taken = old.hosts.iter().map(|host| &host.name).chain(old.stations.iter().map(|s| &s.name));
        for name in taken.chain(old.groups.iter().map(|group| &group.name)) {
            names.give(name.clone());
        }
        for host in &self.hosts {
            if merged.knows_host(host, old) {
                merged.known += 1;
            } else {
                merged.added += 1;
                write_host(&mut out, host, &names.give(host.name.clone()));
            }
        }
        let mut names = Names::default();
        for publisher in &old.publishers {
            names.give(publisher.name.clone());
        }
        for (publisher, notes) in &self.publishers {
            let known = old.publishers.iter().filter(|own| own.control_block == publisher.control_block);
            let mut known = known.peekable();
            if known.peek().is_none() {
                merged.added += 1;
                let name = names.give(publisher.name.clone());
                write_publisher(&mut out, &Publisher { name, ..publisher.clone() }, notes);
                continue;
            }
            merged.known += 1;
            for own in known {
                merged.compare(own, publisher);
            }
        }
        merged.text = format!("{}\n", text.trim_end());
        if merged.added > 0 {
            _ = writeln!(
                merged.text,
                "\n# Added by gridtap profile import from {}, SCL {}",
                self.file, self.edition
            );
            merged.text.push_str(&out);
            self.write_elsewhere(&mut merged.text);
        }
        merged
    }
}

impl Merged {
    /// Whether a host of the profile is this one: by address, or by name with another address.
    fn knows_host(&mut self, host: &Host, old: &Profile) -> bool {
        let holder =
            |ip: &IpAddr| old.hosts.iter().find(|own| own.addresses.iter().any(|net| net.contains(ip)));
        let holders: Vec<_> = host.addresses.iter().map(|ip| (ip, holder(ip))).collect();
        let by_name = old.hosts.iter().find(|own| own.name == host.name);
        if by_name.is_none() && holders.iter().all(|(_, own)| own.is_none()) {
            return false;
        }
        for (ip, own) in holders {
            match (own, by_name) {
                (None, _) => self.differences.push(format!(
                    "the description gives the IED `{}` the address {ip}, which the profile does not have",
                    host.name
                )),
                (Some(own), Some(named)) if own.name != named.name => self.differences.push(format!(
                    "the description gives the IED `{}` the address {ip}, the profile gives it to `{}`",
                    host.name, own.name
                )),
                _ => {}
            }
        }
        true
    }

    /// Tell what a publisher of the profile is said to be otherwise.
    fn compare(&mut self, own: &Publisher, new: &Publisher) {
        for Difference { key, ours, theirs } in differences(own, new) {
            let ours = ours.as_deref().unwrap_or("nothing");
            self.differences.push(format!(
                "publisher `{}`: the profile says {key} = {ours}, the description {theirs}",
                own.name
            ));
        }
    }
}
