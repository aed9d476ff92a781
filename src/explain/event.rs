//! A finding as its line in the event log tells it.

use std::net::IpAddr;

use parsers::{
    Endpoint, Exchange, Function, Host, PointKind, PointRange, Protocol, StationAddress, Timestamp,
};
use serde_json::Value;

use crate::report::catalogue::{CATALOGUE, FindingKind};

/// What `explain` reads of a finding.
#[derive(Debug, Clone)]
pub struct Event {
    /// Its uid.
    pub uid: String,
    /// What kind.
    pub kind: FindingKind,
    /// The sentence.
    pub explanation: String,
    /// What should have been there.
    pub expected: String,
    /// What was there.
    pub observed: String,
    /// The name that the profile has for the station or the publisher; its address where there is none.
    pub named: String,
    /// Ethernet addresses of the commanding side and of the station's, without IP.
    pub macs: [Option<String>; 2],
    /// VLAN ids, the outermost first.
    pub vlan: Vec<u16>,
    /// The rule, denial or window that it names.
    pub rule: Option<String>,
    /// The commanding side; `None`: it has no IP address.
    pub client: Option<Endpoint>,
    /// The station's side; `None`: it has no IP address.
    pub server: Option<Endpoint>,
    /// The protocol.
    pub protocol: Option<Protocol>,
    /// The station's address.
    pub station: StationAddress,
    /// The function; its name is the protocol crate's.
    pub function: Option<Function>,
    /// The points; empty if they have no address.
    pub points: Vec<PointRange>,
    /// There were more points than the line lists.
    pub more_points: bool,
    /// Occurrences.
    pub count: u64,
    /// The first one.
    pub first: Timestamp,
    /// The last one.
    pub last: Timestamp,
}

impl Event {
    /// From a line; `None` if it is no finding.
    #[must_use]
    pub fn read(line: &Value) -> Option<Event> {
        if line["event"] != "finding" {
            return None;
        }
        let text = |key: &str| line[key].as_str().unwrap_or("").to_owned();
        let kind = CATALOGUE.iter().copied().find(|kind| kind.name() == text("kind"))?;
        let protocol = Protocol::from_name(&text("protocol"));
        let time = |key: &str| line[key].as_str().and_then(timestamp);
        let at = time("time").unwrap_or_default();
        let observed = text("observed");
        Some(Event {
            uid: text("uid"),
            kind,
            explanation: text("explanation"),
            expected: text("expected"),
            named: text("station"),
            macs: ["client_mac", "server_mac"].map(|key| line[key].as_str().map(str::to_owned)),
            vlan: line["vlan"].as_array().map_or_else(Vec::new, |ids| ids.iter().filter_map(vlan).collect()),
            rule: line["rule"].as_str().map(str::to_owned),
            client: endpoint(line, "client_ip", "client_port"),
            server: endpoint(line, "server_ip", "server_port"),
            protocol,
            station: address(protocol, &line["station_address"]),
            function: protocol.and_then(|protocol| function(protocol, &line["function"])),
            points: line["points"].as_array().map(|list| list.iter().filter_map(range).collect())?,
            // The sentence says so where the operation itself named more than it could list.
            more_points: line["points_omitted"].as_u64().is_some()
                || observed.contains(" and more")
                || observed.contains(" or more others"),
            count: line["count"].as_u64().unwrap_or(1),
            first: time("first").unwrap_or(at),
            last: time("last").unwrap_or(at),
            observed,
        })
    }

    /// What was judged; an order if the sentence says nothing else.
    #[must_use]
    pub fn exchange(&self) -> Exchange {
        let begins = |word: &str| self.observed.starts_with(word);
        if begins("an answer to ") {
            Exchange::Response
        } else if begins("an unsolicited report, ") {
            Exchange::Unsolicited
        } else if begins("a confirmation, ") {
            Exchange::Confirm
        } else if begins("link traffic, ") {
            Exchange::Link
        } else {
            Exchange::Request
        }
    }

    /// Whether it went to all stations.
    #[must_use]
    pub fn is_broadcast(&self) -> bool {
        self.observed.contains(" by broadcast")
    }

    /// The value that was outside the limits: `..., 50.1 for 'speed'`; and what follows if there were more.
    #[must_use]
    pub fn value(&self) -> Option<f64> {
        let (before, _) = self.observed.rsplit_once(" for ")?;
        before.rsplit_once(", ")?.1.parse().ok()
    }

    /// The lowest and the highest value outside the limits: `..., and 2 more outside: all from -3 to 90`. NaN
    /// if one of them is no number.
    #[must_use]
    pub fn values(&self) -> Option<(f64, f64)> {
        let Some((_, all)) = self.observed.rsplit_once(" more outside: all from ") else {
            return self.value().map(|value| (value, value));
        };
        let (low, behind) = all.split_once(" to ")?;
        let high = behind.split([',', ' ']).next()?;
        Some((low.parse().ok()?, high.parse().ok()?))
    }

    /// Which use of a rule within its time it was: `..., number 3 within 1 min`.
    #[must_use]
    pub fn number(&self) -> Option<u64> {
        let (_, behind) = self.observed.rsplit_once(", number ")?;
        behind.split_once(' ')?.0.parse().ok()
    }
}

fn vlan(id: &Value) -> Option<u16> {
    id.as_u64().and_then(|id| u16::try_from(id).ok())
}

fn endpoint(line: &Value, ip: &str, port: &str) -> Option<Endpoint> {
    let address: IpAddr = line[ip].as_str()?.parse().ok()?;
    let port = line[port].as_u64().and_then(|port| u16::try_from(port).ok()).unwrap_or(0);
    Some(Endpoint { host: Host::Ip(address), port })
}

fn address(protocol: Option<Protocol>, number: &Value) -> StationAddress {
    let number = number.as_u64().and_then(|n| u16::try_from(n).ok());
    match (protocol.and_then(parsers::dissector), number) {
        (Some(dissector), Some(number)) => (dissector.address.address)(number),
        _ => StationAddress::None,
    }
}

fn function(protocol: Protocol, function: &Value) -> Option<Function> {
    let code = function["code"].as_u64().and_then(|code| u8::try_from(code).ok())?;
    let sub = function["sub"].as_u64().and_then(|sub| u16::try_from(sub).ok());
    Some(parsers::function(protocol, code, sub))
}

fn range(range: &Value) -> Option<PointRange> {
    let name = range["kind"].as_str()?;
    let object = || name.strip_prefix("object_")?.parse().ok().map(PointKind::Object);
    let kind = PointKind::from_name(name).or_else(object)?;
    let end = |key: &str| range[key].as_u64().and_then(|n| u32::try_from(n).ok());
    Some(PointRange::new(kind, end("first")?, end("last")?))
}

fn timestamp(text: &str) -> Option<Timestamp> {
    let time: jiff::Timestamp = text.parse().ok()?;
    u64::try_from(time.as_nanosecond()).ok().map(Timestamp)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_line_is_read_with_what_its_sentence_tells() {
        let line = serde_json::json!({
            "event": "finding", "uid": "1", "kind": "setpoint_outside_rule", "protocol": "modbus",
            "time": "2023-11-14T22:13:20.000000000Z", "client_ip": "10.0.0.1", "client_port": 4,
            "server_ip": "10.0.0.2", "station_address": 5, "function": {"code": 6, "name": "x"},
            "points": [{"kind": "holding_register", "first": 1, "last": 2}, {"kind": "object_87", "first": 0, "last": 0}],
            "observed": "6 write_single_register of holding_register 20, 50.1 for 'speed'"
        });
        let event = Event::read(&line).unwrap();
        assert_eq!((event.value(), event.values()), (Some(50.1), Some((50.1, 50.1))));
        let observed = "x of holding_register 1-4, 50.1 for 'speed', and 2 more outside: all from -3 to 90";
        let several = Event { observed: observed.to_owned(), ..event.clone() };
        assert_eq!((several.value(), several.values()), (Some(50.1), Some((-3.0, 90.0))));
        assert_eq!(event.station, StationAddress::Unit(5));
        assert_eq!(event.function.unwrap().name, "write_single_register");
        assert_eq!(event.points.len(), 2);
        assert_eq!(event.first, Timestamp(1_700_000_000_000_000_000));
        assert_eq!((event.exchange(), event.is_broadcast()), (Exchange::Request, false));
        assert!(Event::read(&serde_json::json!({"event": "operation"})).is_none());
    }
}
