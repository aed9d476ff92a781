//! Checks of named points, those of stations and those of shared maps.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use parsers::{PointKind, Protocol};

use super::{good_name, word};
use crate::file::{At, MapEntry, PointEntry, StationEntry};
use crate::language::{DATA_TYPES, WORD_ORDERS};
use crate::points;
use crate::profile::{DataType, PointSpec, WordOrder};
use diagnostics::Reporter;

/// The point maps of a file.
pub(super) struct Maps<'f> {
    by_name: HashMap<&'f str, Map>,
}

/// A checked map.
struct Map {
    points: Vec<Arc<PointSpec>>,
    protocols: Vec<Protocol>,
}

impl<'f> Maps<'f> {
    pub(super) fn new(entries: &'f [MapEntry], reporter: &mut Reporter<'_>) -> Maps<'f> {
        let mut by_name = HashMap::new();
        for entry in entries {
            let points = points(&entry.points, &Protocol::ALL, reporter);
            let mut protocols: Vec<_> = points.iter().map(|p| p.kind.protocol()).collect();
            protocols.sort_unstable();
            protocols.dedup();
            by_name.insert(entry.name.value.as_str(), Map { points, protocols });
        }
        Maps { by_name }
    }

    /// The points of a station: those of its map, then its own.
    pub(super) fn points_of(
        &self,
        entry: &StationEntry,
        protocol: Option<Protocol>,
        reporter: &mut Reporter<'_>,
    ) -> Vec<Arc<PointSpec>> {
        let spoken: &[Protocol] = match &protocol {
            Some(protocol) => std::slice::from_ref(protocol),
            None => &Protocol::ALL,
        };
        let own = points(&entry.points, spoken, reporter);
        let Some(name) = &entry.map else { return own };
        let Some(map) = self.by_name.get(name.value.as_str()) else {
            let names = || {
                let mut names: Vec<_> = self.by_name.keys().copied().collect();
                names.sort_unstable();
                names
            };
            let meant = if reporter.can_guess() { reporter.meant(&name.value, names()) } else { None };
            let error = reporter.error(&name.span, format!("no point map has the name `{}`", name.value));
            if let Some(meant) = meant {
                error.label(format!("did you mean `{meant}`?"));
            }
            error.help(format!("define its points: [maps.{}.NAME]", name.value));
            return own;
        };
        if let Some(other) = map.protocols.iter().find(|p| !spoken.contains(p)) {
            let message = format!("the map `{}` has points of {}", name.value, other.name());
            let speaks = spoken.first().map_or("", |p| p.name());
            reporter.error(&name.span, message).label(format!("the station speaks {speaks}"));
            return own;
        }
        // A station may say more of a point than its map, or something else.
        let replaced: HashSet<&str> = own.iter().map(|point| point.name.as_str()).collect();
        let mut all: Vec<_> =
            map.points.iter().filter(|p| !replaced.contains(p.name.as_str())).cloned().collect();
        let places: HashMap<&str, &At<String>> =
            entry.points.iter().map(|p| (p.name.value.as_str(), &p.name)).collect();
        let mut by_address: Vec<_> = all.iter().collect();
        by_address.sort_by_key(|point| (point.kind, point.address));
        for point in &own {
            let last = point.addresses().last();
            let behind = by_address.partition_point(|p| (p.kind, p.address) <= (point.kind, last));
            let clash = behind.checked_sub(1).and_then(|i| by_address.get(i)).filter(|p| overlap(p, point));
            if let (Some(clash), Some(at)) = (clash, places.get(point.name.as_str())) {
                let message =
                    format!("the point `{}` has addresses of `{}` of the map", point.name, clash.name);
                reporter.error(&at.span, message).label("give it the name of the map's to replace it");
            }
        }
        all.extend(own.iter().cloned());
        all
    }
}

fn overlap(one: &PointSpec, two: &PointSpec) -> bool {
    let (a, b) = (one.addresses(), two.addresses());
    a.kind() == b.kind() && a.first() <= b.last() && b.first() <= a.last()
}

fn points(entries: &[PointEntry], spoken: &[Protocol], reporter: &mut Reporter<'_>) -> Vec<Arc<PointSpec>> {
    let mut sound: Vec<(Arc<PointSpec>, &At<String>)> = Vec::with_capacity(entries.len());
    for entry in entries {
        good_name(&entry.name, "point", reporter);
        // In a rule, a name must not be taken for a kind of point.
        if PointKind::from_name(&entry.name.value).is_some() || entry.name.value == "all" {
            let message = format!("the point `{}` has the name of a kind of point", entry.name.value);
            reporter.error(&entry.name.span, message).label("give it another name");
        }
        if let Some(point) = point(entry, spoken, reporter) {
            sound.push((Arc::new(point), &entry.name));
        }
    }
    let mut order: Vec<_> = sound.iter().collect();
    order.sort_by_key(|(point, name)| (point.kind, point.address, name.span.start));
    for pair in order.windows(2) {
        let [(one, one_name), (two, two_name)] = pair else { continue };
        if overlap(one, two) {
            let (first, second) = if one_name.span.start < two_name.span.start {
                (one_name, two_name)
            } else {
                (two_name, one_name)
            };
            let message = format!("the points `{}` and `{}` share addresses", first.value, second.value);
            reporter
                .error_with(&second.span, message, &first.span, &format!("the point `{}`", first.value))
                .label("one address is one point")
                .help("a value of 32 bits takes two registers, one of 64 bits takes four");
        }
    }
    sound.into_iter().map(|(point, _)| point).collect()
}

fn point(entry: &PointEntry, spoken: &[Protocol], reporter: &mut Reporter<'_>) -> Option<PointSpec> {
    let place = entry.point.as_ref().and_then(|text| one_point(text, spoken, reporter));
    let state = entry.state.as_ref().and_then(|text| one_point(text, spoken, reporter));
    let data_type = match &entry.data_type {
        Some(text) => DataType::from_name(&text.value).or_else(|| choice(text, "type", DATA_TYPES, reporter)),
        None => Some(DataType::Uint16),
    };
    let word_order = match entry.word_order.as_ref().map(|text| (text.value.as_str(), text)) {
        None | Some(("big", _)) => Some(WordOrder::Big),
        Some(("little", _)) => Some(WordOrder::Little),
        Some((_, text)) => choice(text, "word order", WORD_ORDERS, reporter),
    };
    let tags = entry.tags.iter().filter_map(|tag| word(tag, "tag", reporter)).collect();
    positive(entry.max_step.as_ref(), "max_step", reporter);
    if let Some(scale) = entry.scale.as_ref().filter(|scale| scale.value == 0.0) {
        reporter
            .error(&scale.span, "a scale of 0 makes every value 0")
            .label("leave it out for the raw value");
    }
    let (kind, address) = place?;
    let registers = matches!(kind, PointKind::HoldingRegister | PointKind::InputRegister);
    if !registers {
        for (key, at) in [("type", &entry.data_type), ("word_order", &entry.word_order)] {
            if let Some(at) = at {
                let message = format!("`{key}` is for registers, not for a {}", kind.name());
                reporter.error(&at.span, message).label("take it out");
            }
        }
    }
    let spec = PointSpec {
        name: entry.name.value.clone(),
        kind,
        address,
        data_type: data_type?,
        word_order: word_order?,
        scale: entry.scale.as_ref().map_or(1.0, |v| v.value),
        offset: entry.offset.as_ref().map_or(0.0, |v| v.value),
        unit: entry.unit.clone(),
        range: entry.range.as_ref().map(|v| v.value),
        set_range: entry.set_range.as_ref().map(|v| v.value),
        max_step: entry.max_step.as_ref().map(|v| v.value),
        rate_of_change: entry.rate_of_change.as_ref().map(|v| v.value),
        stuck_after: entry.stuck_after.as_ref().map(|v| v.value),
        monotonic: entry.monotonic.as_ref().is_some_and(|v| v.value),
        state,
        direct_operate: entry.direct_operate.as_ref().map(|v| v.value),
        operate_within: entry.operate_within.as_ref().map(|v| v.value),
        max_rate: entry.max_rate.as_ref().map(|v| v.value),
        metric: entry.metric.as_ref().is_some_and(|v| v.value),
        tags,
        comment: entry.comment.clone(),
    };
    if registers {
        for (key, range) in [("range", &entry.range), ("set_range", &entry.set_range)] {
            if let Some(range) = range {
                beyond_type(key, range, &spec, reporter);
            }
        }
    }
    if address.checked_add(spec.width() - 1).is_none_or(|last| last > kind.highest())
        && let Some(text) = &entry.point
    {
        let message =
            format!("a {} does not fit at {} {address}", DATA_TYPES[data_type? as usize], kind.name());
        reporter.error(&text.span, message);
        return None;
    }
    Some(spec)
}

/// Warn of limits that no value in these registers can reach: the type or the scale is not what was meant, and the
/// limit is none.
fn beyond_type(key: &str, range: &At<(f64, f64)>, spec: &PointSpec, reporter: &mut Reporter<'_>) {
    let Some((least, most)) = spec.data_type.span() else { return };
    let scaled = |raw: f64| raw * spec.scale + spec.offset;
    let (least, most) = (scaled(least).min(scaled(most)), scaled(least).max(scaled(most)));
    let (low, high) = range.value;
    // Scales such as 0.1 have no exact value; a limit that is the highest value itself is not beyond it.
    let slack = (most - least) * 1e-9;
    if low >= least - slack && high <= most + slack {
        return;
    }
    let name = DATA_TYPES.get(spec.data_type as usize).copied().unwrap_or("register");
    let unit = spec.unit.as_deref().map_or(String::new(), |unit| format!(" {unit}"));
    let label = match (low.max(least), high.min(most)) {
        (low, high) if low < high => format!("write [{low}, {high}], or give it another `type` or `scale`"),
        _ => "give it another `type` or `scale`: no value is within".to_owned(),
    };
    reporter
        .warning(&range.span, format!("`{key}` of point `{}` is beyond what it can hold", spec.name))
        .label(label)
        .help(format!(
            "a {name} with scale {} and offset {} goes from {least} to {most}{unit}",
            spec.scale, spec.offset
        ));
}

fn positive(value: Option<&At<f64>>, key: &str, reporter: &mut Reporter<'_>) {
    if let Some(at) = value.filter(|at| at.value <= 0.0) {
        reporter.error(&at.span, format!("`{key}` must be greater than 0"));
    }
}

fn choice<T>(text: &At<String>, what: &str, words: &[&str], reporter: &mut Reporter<'_>) -> Option<T> {
    let meant = reporter.meant(&text.value, words.iter().copied());
    let error = reporter.error(&text.span, format!("unknown {what} `{}`", text.value));
    if let Some(meant) = meant {
        error.label(format!("did you mean `{meant}`?"));
    }
    error.help(format!("write one of: {}", words.join(", ")));
    None
}

/// A kind and one address.
fn one_point(
    text: &At<String>,
    spoken: &[Protocol],
    reporter: &mut Reporter<'_>,
) -> Option<(PointKind, u32)> {
    match points::parse(&text.value, spoken, !reporter.is_full()) {
        Ok(ranges) => match ranges.as_slice() {
            [one] if one.first() == one.last() => {
                points::warn_of_manual_numbers(&text.value, &text.span, reporter);
                Some((one.kind(), one.first()))
            }
            _ => {
                reporter
                    .error(&text.span, format!("`{}` is not one point", text.value))
                    .label("write a kind and one address, as in \"holding_register 10\"");
                None
            }
        },
        Err(trouble) => {
            trouble.report(&text.span, reporter);
            None
        }
    }
}
