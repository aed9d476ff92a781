//! A finding as one sentence for people.

use core::fmt::{self, Display as _};

use parsers::{Function, PointKind, PointRange, Protocol, StationAddress};

use super::catalogue::Actor;
use super::finding::Finding;

/// One sentence that can be read aloud: what, who, to whom, expected, observed.
pub(super) struct Explanation<'a>(pub(super) &'a Finding<'a>);

impl fmt::Display for Explanation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let finding = self.0;
        write!(f, "{}: ", finding.kind.title())?;
        // Nobody asks a publisher.
        let actor = match finding.kind.actor() {
            Actor::Client if finding.protocol == Some(Protocol::Goose) => Actor::Station,
            actor => actor,
        };
        match actor {
            Actor::Client if finding.by_station => {
                addressee(f, finding)?;
                match finding.function {
                    Some(function) if is_answer(function) => write!(f, " sent {} to ", Words(function))?,
                    Some(function) => write!(f, " answered {} to ", Words(function))?,
                    None => f.write_str(" talked to ")?,
                }
                client(f, finding)?;
                points(f, finding.ranges)?;
            }
            Actor::Client => {
                client(f, finding)?;
                match finding.function {
                    Some(function) => write!(f, " sent {} to ", Words(function))?,
                    None => f.write_str(" talked to ")?,
                }
                addressee(f, finding)?;
                points(f, finding.ranges)?;
            }
            Actor::Station => {
                addressee(f, finding)?;
                match finding.function {
                    Some(function) if is_answer(function) && finding.protocol != Some(Protocol::Modbus) => {
                        write!(f, " sent {} to ", Words(function))?;
                    }
                    Some(function) => write!(f, " answered {} to ", Words(function))?,
                    None if finding.protocol == Some(Protocol::Goose) => f.write_str(" published to ")?,
                    None => f.write_str(" reported to ")?,
                }
                client(f, finding)?;
            }
            Actor::Nobody => {
                // What is about one host alone is between nobody.
                if finding.client.host == finding.server.host && finding.station == StationAddress::None {
                    f.write_str("at ")?;
                    client(f, finding)?;
                } else {
                    f.write_str("between ")?;
                    client(f, finding)?;
                    f.write_str(" and ")?;
                    addressee(f, finding)?;
                }
                if let Some(function) = finding.function {
                    write!(f, " in {}", Words(function))?;
                }
            }
        }
        if finding.expected.as_str() != Some("") {
            write!(f, "; expected {}", finding.expected)?;
        }
        if finding.observed.as_str() != Some("") {
            let joint = if finding.expected.as_str() == Some("") { ";" } else { "," };
            write!(f, "{joint} observed {}", finding.observed)?;
        }
        f.write_str(".")?;
        match (finding.rule, finding.owner) {
            (Some(rule), Some(owner)) => write!(f, " Rule '{rule}' is owned by {owner}."),
            _ => Ok(()),
        }
    }
}

/// A function that names an answer or a report itself: those of DNP3, which Modbus leaves to exceptions.
fn is_answer(function: Function) -> bool {
    function.code == 0 || function.code > 128
}

fn client(f: &mut fmt::Formatter<'_>, finding: &Finding<'_>) -> fmt::Result {
    match finding.client_name {
        Some(name) => write!(f, "{name} ({})", finding.client.host),
        None => finding.client.host.fmt(f),
    }
}

fn addressee(f: &mut fmt::Formatter<'_>, finding: &Finding<'_>) -> fmt::Result {
    let host = finding.server.host;
    match (finding.station_name, finding.station) {
        (_, address) if address.is_broadcast() => {
            let number = address.number().unwrap_or_default();
            write!(f, "all outstations (broadcast {number}) at {host}")
        }
        (Some(name), StationAddress::None) => write!(f, "{name} ({host})"),
        (Some(name), address) => write!(f, "{name} ({address} at {host})"),
        (None, StationAddress::None) => host.fmt(f),
        (None, address) => write!(f, "{address} at {host}"),
    }
}

/// At most three ranges, for a sentence; the event has them all.
fn points(f: &mut fmt::Formatter<'_>, ranges: &[PointRange]) -> fmt::Result {
    for (place, range) in ranges.iter().take(3).enumerate() {
        let all = (range.first(), range.last()) == (0, u32::MAX);
        f.write_str(if place == 0 { " for " } else { ", " })?;
        f.write_str(if all { "all of " } else { "" })?;
        spaced(f, range.kind().name())?;
        if let PointKind::Object(group) = range.kind() {
            write!(f, " group {group}")?;
        }
        match (range.first(), range.last()) {
            _ if all => {}
            (first, last) if first == last => write!(f, " {first}")?,
            (first, last) => write!(f, " {first} to {last}")?,
        }
    }
    if ranges.len() > 3 {
        write!(f, " and {} more", ranges.len() - 3)?;
    }
    Ok(())
}

/// A function as words: `write single coil (function 5)`.
struct Words(Function);

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.name == "unknown" {
            f.write_str("an unknown function")?;
        } else {
            spaced(f, self.0.name)?;
        }
        match self.0.sub {
            Some(sub) => write!(f, " (function {}, sub-function {sub})", self.0.code),
            None => write!(f, " (function {})", self.0.code),
        }
    }
}

fn spaced(f: &mut fmt::Formatter<'_>, name: &str) -> fmt::Result {
    write!(f, "{}", parsers::Spaced(name))
}
