//! Second layer: the profile as a checked model. Every reference is resolved, every number is within
//! its bounds. [`crate::Compiled`] is built from it; tools that show or compare profiles read it.

mod publisher;
mod rule;
mod schedule;
mod station;

use ipnet::IpNet;
use parsers::{MacAddr, PointRange};

pub use publisher::{Field, Published, Publisher, Publishing, Words};
pub use rule::{Allow, Deny, Limits, Maintenance, Poll, Redundancy, Rule, Severity, What};
pub use schedule::Schedule;
pub use station::{DataType, PointSpec, Station, WordOrder};

use crate::roles::Role;
use crate::services::Services;
use crate::thresholds::Thresholds;

/// What is allowed at a site.
#[derive(Debug, Clone)]
pub struct Profile {
    /// Name of the site.
    pub name: String,
    /// Version as the engineer wrote it; empty if none.
    pub version: String,
    /// IANA name of the time zone of schedules; `UTC` if the profile names none.
    pub timezone: String,
    /// Hosts in the order of the file, then addresses that stations name directly.
    pub hosts: Vec<HostEntry>,
    /// Groups in the order of the file, resolved down to hosts or stations.
    pub groups: Vec<Group>,
    /// Stations in the order of the file, then those that stand for hosts with the role of a station.
    pub stations: Vec<Station>,
    /// When rules hold.
    pub schedules: Vec<Schedule>,
    /// Rules in the order of the file, then those of the roles.
    pub rules: Vec<Rule>,
    /// What is forbidden, in the order of the file, then what the roles forbid.
    pub denials: Vec<Deny>,
    /// Masters that stand in for each other.
    pub redundancy: Vec<Redundancy>,
    /// Planned work.
    pub maintenance: Vec<Maintenance>,
    /// Who publishes, in the order of the file.
    pub publishers: Vec<Publisher>,
    /// Thresholds in force.
    pub thresholds: Thresholds,
    /// Some of them are written in it.
    pub sets_thresholds: bool,
}

impl Profile {
    /// Whether it says who may command what. One that only sets thresholds or names publishers does not; one that is
    /// empty does: nobody may anything.
    #[must_use]
    pub fn judges_operations(&self) -> bool {
        let names_nobody = self.hosts.is_empty()
            && self.stations.is_empty()
            && self.rules.is_empty()
            && self.denials.is_empty();
        !names_nobody || (self.publishers.is_empty() && !self.sets_thresholds)
    }
}

/// A host: one or more addresses or networks under a name. No address belongs to two hosts.
#[derive(Debug, Clone)]
pub struct HostEntry {
    /// Its name; the address itself for a host that a station names by address.
    pub name: String,
    /// Its addresses; a single address is a network of full length.
    pub addresses: Vec<IpNet>,
    /// Its Ethernet addresses; none: not pinned.
    pub macs: Vec<MacAddr>,
    /// The VLANs it is seen in; none: any.
    pub vlans: Vec<u16>,
    /// What kind of device it is.
    pub role: Option<&'static Role>,
    /// Words of the site; `protection` and `breaker` raise the severity of findings about the host.
    pub tags: Vec<String>,
    /// The services that it uses on other hosts, and no others; none given: what its role never uses.
    pub uses: Option<Services>,
    /// The services that it offers, and no others; none given: any.
    pub offers: Option<Services>,
    /// The engineer's comment.
    pub comment: Option<String>,
}

/// Hosts or stations under one name, those of groups within it too.
#[derive(Debug, Clone)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Indexes in [`Profile::hosts`]; empty for a group of stations.
    pub hosts: Vec<usize>,
    /// Indexes in [`Profile::stations`]; empty for a group of hosts.
    pub stations: Vec<usize>,
}

/// Sort ranges by kind and address, and join those that overlap or touch.
pub(crate) fn merge(mut ranges: Vec<PointRange>) -> Vec<PointRange> {
    ranges.sort_by_key(|r| (r.kind(), r.first(), r.last()));
    let mut merged: Vec<PointRange> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match merged.last_mut() {
            Some(last) if last.kind() == range.kind() && range.first() <= last.last().saturating_add(1) => {
                *last = PointRange::new(last.kind(), last.first(), last.last().max(range.last()));
            }
            _ => merged.push(range),
        }
    }
    merged
}
