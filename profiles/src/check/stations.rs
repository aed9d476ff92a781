//! Checks of `[stations]`: protocol, host, address; and that no two claim the same place.

use std::collections::{BTreeMap, HashMap};

use parsers::{FieldSizes, Protocol, StationAddress};

use super::hosts::Hosts;
use super::points::Maps;
use super::word;
use crate::file::{At, Number, StationEntry};
use crate::profile::Station;
use diagnostics::Reporter;

/// Check one station. `maps` are the point maps of the file.
pub(super) fn station(
    entry: &StationEntry,
    hosts: &mut Hosts,
    maps: &Maps<'_>,
    reporter: &mut Reporter<'_>,
) -> Option<Station> {
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
    let role = entry.role.as_ref().and_then(|role| super::hosts::role(role, reporter));
    let quirks: Vec<_> = entry.quirks.iter().filter_map(|quirk| word(quirk, "quirk", reporter)).collect();
    for (word, at) in quirks.iter().zip(&entry.quirks).filter(|(word, at)| **word == at.value) {
        reporter.quirk(word, &at.span);
    }
    let tags = entry.tags.iter().filter_map(|tag| word(tag, "tag", reporter)).collect();
    let points = maps.points_of(entry, protocol, reporter);
    let field_sizes = field_sizes(entry, protocol, reporter);
    let address = address(entry, protocol?, reporter).ok()?;
    let role = role.or_else(|| hosts.entries.get(host?).and_then(|h| h.role));
    Some(Station {
        name: entry.name.value.clone(),
        protocol: protocol?,
        host: host?,
        address,
        port,
        field_sizes,
        role,
        tags,
        quirks,
        points,
        from_role: false,
        comment: entry.comment.clone(),
    })
}

/// The sizes of fields that a station of IEC 104 may have.
fn field_sizes(
    entry: &StationEntry,
    protocol: Option<Protocol>,
    reporter: &mut Reporter<'_>,
) -> Option<FieldSizes> {
    let first = entry.field_sizes.first()?;
    if let Some(protocol) = protocol.filter(|protocol| *protocol != Protocol::Iec104) {
        reporter
            .error(&first.span, format!("a {} station has no `field_sizes`", protocol.name()))
            .label("only IEC 104 has fields of different sizes");
        return None;
    }
    let sizes: Vec<i64> = entry.field_sizes.iter().map(|size| size.value).collect();
    let sizes = <[i64; 3]>::try_from(sizes).ok().and_then(FieldSizes::new);
    if sizes.is_none() {
        reporter.error(&first.span, "`field_sizes` are three numbers").help(
            "octets of cause of transmission (1 or 2), common address (1 or 2) and information object \
             address (1 to 3): field_sizes = [1, 1, 2]",
        );
    }
    sizes
}

fn protocol(text: &At<String>, reporter: &mut Reporter<'_>) -> Option<Protocol> {
    let found = Protocol::from_name(&text.value).filter(|protocol| protocol.has_stations());
    if found.is_none() {
        let names = crate::language::PROTOCOLS;
        let meant = reporter.meant(&text.value, names.iter().copied());
        let error = reporter.error(&text.span, format!("unknown protocol `{}`", text.value));
        if let Some(meant) = meant {
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
    let Some(dissector) = parsers::dissector(protocol) else {
        if let Some(at) = &entry.protocol {
            let message =
                format!("{} is not decoded by this version, so nothing can be judged", protocol.name());
            reporter.error(&at.span, message).label("take the station out");
        }
        return Err(());
    };
    let terms = &dissector.address;
    let key = terms.key;
    let right = entry.addresses.iter().find(|(name, _)| *name == key).map(|(_, number)| number);
    let wrong = entry.addresses.iter().find(|(name, _)| *name != key);
    if let Some((wrong_key, wrong)) = wrong {
        reporter
            .error(&wrong.span, format!("a {} station has no `{wrong_key}`", protocol.name()))
            .label(format!("write `{key}`"));
    }
    let Some(At { value, span }) = right else {
        if wrong.is_none() && !entry.bad_address {
            let message = format!("station `{}` has no `{key}`", entry.name.value);
            reporter.error(&entry.name.span, message).label(format!("add {key} = 1, or {key} = \"any\""));
        }
        return Err(());
    };
    let Number::Is(number) = *value else { return Ok(None) };
    let as_address = u16::try_from(number).ok();
    if let Some(number) = as_address.filter(|number| terms.stations.contains(number)) {
        return Ok(Some((terms.address)(number)));
    }
    let to_all = |number: u16| terms.broadcasts.as_ref().is_some_and(|all| all.contains(&number));
    if as_address.is_some_and(to_all) {
        reporter
            .error(span, format!("{number} is a broadcast address, not a station"))
            .help("to allow broadcasts write `broadcast = true` in a rule for a station of that host");
        return Err(());
    }
    let (first, last) = (terms.stations.start(), terms.stations.end());
    reporter
        .error(span, format!("{key} {number} is out of bounds"))
        .label(format!("a {} is a number from {first} to {last}", terms.what));
    Err(())
}

/// The stations at each host, protocol and address, with their ports.
pub(super) type Places =
    HashMap<(usize, Protocol, Option<StationAddress>), BTreeMap<Option<u16>, At<String>>>;

/// Two stations must not claim the same place, or nobody could say which one an operation concerns.
pub(super) fn same_place(
    entry: &StationEntry,
    station: &Station,
    places: &mut Places,
    reporter: &mut Reporter<'_>,
) {
    let others = places.entry((station.host, station.protocol, station.address)).or_default();
    let same = others.get(&station.port).or_else(|| others.get(&None));
    let clash = same.or_else(|| others.values().next().filter(|_| station.port.is_none()));
    if let Some(other) = clash {
        let message = format!(
            "the stations `{}` and `{}` have the same host and address",
            other.value, entry.name.value
        );
        reporter
            .error_with(&entry.name.span, message, &other.span, &format!("the station `{}`", other.value))
            .label("one of them must differ")
            .help("two lines behind one host can be told apart by `port`, when both stations have one");
    }
    others.entry(station.port).or_insert_with(|| entry.name.clone());
}

/// The sizes of fields by host and port, with the stations that gave them.
pub(super) type Sizes = HashMap<usize, BTreeMap<Option<u16>, (FieldSizes, At<String>)>>;

/// Stations behind one connection must not have different sizes of fields.
pub(super) fn same_sizes(
    entry: &StationEntry,
    station: &Station,
    sizes: &mut Sizes,
    reporter: &mut Reporter<'_>,
) {
    let Some(own) = station.field_sizes else { return };
    let others = sizes.entry(station.host).or_default();
    let clash = match others.get(&station.port) {
        Some(same) => Some(same).filter(|(theirs, _)| *theirs != own),
        None if station.port.is_none() => others.values().find(|(theirs, _)| *theirs != own),
        None => others.get(&None).filter(|(theirs, _)| *theirs != own),
    };
    if let Some((_, other)) = clash {
        let message = format!(
            "the stations `{}` and `{}` have different sizes of fields on one connection",
            other.value, entry.name.value
        );
        reporter
            .error_with(&entry.name.span, message, &other.span, &format!("the station `{}`", other.value))
            .label("write the same `field_sizes`, or give both stations a `port`");
    }
    others.entry(station.port).or_insert_with(|| (own, entry.name.clone()));
}
