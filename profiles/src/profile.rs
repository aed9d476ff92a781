//! Second layer: the profile as a checked model. Every reference is resolved, every number is within
//! its bounds. [`crate::Compiled`] is built from it; tools that show or compare profiles read it.

use std::fmt;

use ipnet::IpNet;
use parsers::{Action, PointRange, Protocol, StationAddress};

use crate::functions::function_name;
use crate::points::RangesText;

/// What is allowed at a site.
#[derive(Debug, Clone)]
pub struct Profile {
    /// Name of the site.
    pub name: String,
    /// Version as the engineer wrote it; empty if none.
    pub version: String,
    /// Hosts in the order of the file, then addresses that stations name directly.
    pub hosts: Vec<HostEntry>,
    /// Stations in the order of the file.
    pub stations: Vec<Station>,
    /// Rules in the order of the file.
    pub rules: Vec<Rule>,
}

/// A host: one or more addresses or networks under a name. No address belongs to two hosts.
#[derive(Debug, Clone)]
pub struct HostEntry {
    /// Its name; the address itself for a host that a station names by address.
    pub name: String,
    /// Its addresses; a single address is a network of full length.
    pub addresses: Vec<IpNet>,
    /// The engineer's comment.
    pub comment: Option<String>,
}

/// A station: a device that answers one protocol at one address behind one host.
#[derive(Debug, Clone)]
pub struct Station {
    /// Its name.
    pub name: String,
    /// The protocol it speaks.
    pub protocol: Protocol,
    /// Index of its host in [`Profile::hosts`].
    pub host: usize,
    /// Its address in the protocol; `None` for any address that no other station of the host has.
    pub address: Option<StationAddress>,
    /// The port it must be reached on, if the profile says so.
    pub port: Option<u16>,
    /// The engineer's comment.
    pub comment: Option<String>,
}

/// Something a rule allows.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub enum Allow {
    /// Every operation of a class.
    Action(Action),
    /// One function.
    Function {
        /// The protocol it belongs to.
        protocol: Protocol,
        /// Its code.
        code: u8,
        /// Its sub-function (Modbus 8, 43, 90); `None` for all of them.
        sub: Option<u16>,
    },
}

impl fmt::Display for Allow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Allow::Action(action) => f.write_str(action.name()),
            Allow::Function { protocol, code, sub } => {
                write!(f, "function {code}")?;
                if let Some(sub) = sub {
                    write!(f, "/{sub}")?;
                }
                function_name(protocol, code, sub).map_or(Ok(()), |name| write!(f, " {name}"))
            }
        }
    }
}

/// What some hosts may do with some stations. An operation is allowed when **one** rule allows all of it.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Its name, unique in the profile.
    pub name: String,
    /// Indexes of the commanding hosts in [`Profile::hosts`].
    pub from: Vec<usize>,
    /// Indexes of the stations in [`Profile::stations`].
    pub to: Vec<usize>,
    /// What it allows.
    pub allow: Vec<Allow>,
    /// The points it allows, sorted and merged; `None` for all points.
    pub points: Option<Vec<PointRange>>,
    /// Whether it also allows requests to the broadcast address of its stations' hosts.
    pub broadcast: bool,
    /// Who answers for it.
    pub owner: Option<String>,
    /// The engineer's comment.
    pub comment: Option<String>,
}

impl fmt::Display for Rule {
    /// `rule 'scada polls' allows read, report of holding_register 0-99`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rule '{}' allows ", self.name)?;
        for (i, allow) in self.allow.iter().enumerate() {
            write!(f, "{}{allow}", if i > 0 { ", " } else { "" })?;
        }
        match &self.points {
            Some(points) => write!(f, " of {}", RangesText(points, false)),
            None => Ok(()),
        }
    }
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
