//! Writing and controls: learned when they run through the capture; a single write amid ordinary traffic is
//! what an attack looks like.

use std::collections::{BTreeMap, BTreeSet};

use parsers::Action;

use super::ranges::{detail, holds, merge};
use super::{Class, Detail, Draft, Grant, Judge, LeftOut};
use crate::learn::clock::Seen;
use crate::learn::pair::{Asked, FunctionKey, Pair, PairKey, Range, RangeKey, WrittenKey, join, written_key};
use crate::learn::words::{FunctionText, ValueText, station_text, times};
use crate::learn::written::{Limits, Written};

/// Different controls, and how often all together, from which on an operator seems to be at work who
/// controls now this and now that.
const OPERATOR_CONTROLS: usize = 5;
const OPERATOR_TIMES: u64 = 10;
const OPERATOR_SLICES: u32 = 5;

/// The same for a client, over all its stations.
const CLIENT_TIMES: u64 = 20;
const CLIENT_SLICES: u32 = 8;

/// Rare controls of a function that are remarked one by one.
const REMARKS: usize = 12;

/// Rules with different limits that one function of a pair may become.
const RULES_OF_FUNCTION: usize = 8;

/// In a capture too short to tell what runs through it, so many times are one-off.
const ONE_OFF: u64 = 2;

/// From where to where the points lie, by kind, that a function controls more than once or twice. Select and
/// operate are one control.
fn hull(action: Action, controls: &[(FunctionKey, &Asked)]) -> BTreeMap<parsers::PointKind, (u32, u32)> {
    let sides = |action| if action == Action::Select { Action::Operate } else { action };
    let same = controls.iter().filter(|(function, _)| sides(function.action) == sides(action));
    let ranges = same.flat_map(|(_, asked)| asked.ranges.iter());
    let mut hull: BTreeMap<parsers::PointKind, (u32, u32)> = BTreeMap::new();
    for (range, _) in ranges.filter(|(_, seen)| seen.seen.count > ONE_OFF) {
        let (first, last) = hull.entry(range.0).or_insert((range.1, range.2));
        (*first, *last) = ((*first).min(range.1), (*last).max(range.2));
    }
    hull
}

type Control<'a> = (FunctionKey, &'a Asked, RangeKey, &'a Range);

/// Sort the controls of a pair.
pub(super) fn controls(
    key: PairKey,
    controls: &[(FunctionKey, &Asked)],
    pair: &Pair,
    operated: &BTreeSet<FunctionKey>,
    judge: &Judge<'_>,
    draft: &mut Draft,
) {
    let mut rare: Vec<Control<'_>> = Vec::new();
    let mut learned: BTreeMap<FunctionKey, Vec<RangeKey>> = BTreeMap::new();
    for (function, asked) in controls {
        let own = learned.entry(*function).or_default();
        let hull = hull(function.action, controls);
        for (range, seen) in &asked.ranges {
            let ordinary = if judge.enough() {
                judge.steady(&seen.seen)
            } else {
                let amid = |(first, last): &(u32, u32)| *first <= range.1 && range.2 <= *last;
                !judge.enough_for_hosts() || seen.seen.count > ONE_OFF || hull.get(&range.0).is_some_and(amid)
            };
            if ordinary {
                own.push(*range);
            } else {
                rare.push((*function, asked, *range, seen));
            }
        }
    }
    rare.retain(|(function, _, range, _)| {
        let own = learned.get(function).map(|own| merge(own.iter().map(|r| Range::of(*r)).collect()));
        !own.is_some_and(|own| holds(&own, *range))
    });
    let mut remarks: BTreeMap<FunctionKey, Vec<String>> = BTreeMap::new();
    for (function, asked) in controls {
        let own: Vec<_> = rare.iter().filter(|control| control.0 == *function).copied().collect();
        let (own, refused): (Vec<_>, Vec<_>) = own.into_iter().partition(|control| accepted(control.3, pair));
        leave(key, asked, &refused, judge, draft);
        // Nobody operates more points than are remembered: that is a sweep.
        if asked.lost == 0 && (operated.contains(function) || operator(&own, judge)) {
            learned.entry(*function).or_default().extend(own.iter().map(|control| control.2));
            remarks.entry(*function).or_default().extend(review(&own));
            continue;
        }
        // A select is told with its operate.
        let operated_too = |control: &&Control<'_>| {
            control.0.action != Action::Select
                || !rare.iter().any(|other| other.0.action == Action::Operate && other.2 == control.2)
        };
        let own: Vec<_> = own.iter().filter(operated_too).copied().collect();
        leave(key, asked, &own, judge, draft);
    }
    for (function, asked) in controls {
        let ranges = learned.remove(function).unwrap_or_default();
        let without_points = asked.ranges.is_empty() && (!judge.enough() || judge.steady(&asked.seen));
        if ranges.is_empty() && !without_points {
            continue;
        }
        let mut remarks = remarks.remove(function).unwrap_or_default();
        for (ranges, values) in by_limits(&ranges, pair, function.code) {
            let mut grant = grant((key, *function), asked, &ranges, pair, judge);
            grant.values = values;
            grant.remarks.append(&mut remarks);
            draft.grants.push(grant);
        }
    }
}

type Bounds = Option<(f64, f64)>;

type Point = (parsers::PointKind, u32);

/// What a function wrote, by point.
fn written(pair: &Pair, code: u8) -> impl Iterator<Item = (Point, &Written)> {
    let own = move |key: &WrittenKey| *key == written_key(key.0, key.1, code);
    pair.written.iter().filter(move |(key, _)| own(key)).map(|(key, written)| ((key.0, key.1), &**written))
}

/// Whether all functions write a point in one form: limits of the point hold for what each of them writes.
fn of_one_form(pair: &Pair, (kind, address): Point) -> bool {
    pair.written.range((kind, address, 0)..=(kind, address, u8::MAX)).count() == 1
}

/// Ranges that share points belong together; those with the same limits are one rule. So limits are as
/// narrow as they can be while one rule allows each request.
fn by_limits(ranges: &[RangeKey], pair: &Pair, code: u8) -> Vec<(Vec<RangeKey>, Bounds)> {
    let mut sorted = ranges.to_vec();
    sorted.sort_unstable();
    let mut parts: Vec<(Vec<RangeKey>, u32)> = Vec::new();
    for range in sorted {
        match parts.last_mut() {
            Some((part, end)) if part[0].0 == range.0 && range.1 <= *end => {
                *end = range.2.max(*end);
                part.push(range);
            }
            _ => parts.push((vec![range], range.2)),
        }
    }
    let mut rules: Vec<(Vec<RangeKey>, Bounds)> = Vec::new();
    for (part, _) in parts {
        let bounds = bounds(&part, pair, code);
        match rules.iter_mut().find(|rule| rule.1 == bounds) {
            Some(rule) => rule.0.extend(part),
            None => rules.push((part, bounds)),
        }
    }
    if rules.len() > RULES_OF_FUNCTION {
        let (limited, mut free): (Vec<_>, Vec<_>) = rules.into_iter().partition(|rule| rule.1.is_some());
        let all = limited.into_iter().reduce(|mut all, rule| {
            all.0.extend(rule.0);
            (all.0, join(all.1, rule.1))
        });
        free.extend(all);
        rules = free;
    }
    if rules.is_empty() {
        rules.push((Vec::new(), None));
    }
    rules
}

/// Limits that hold for everything that a function wrote to some ranges; `None` if a point has none.
fn bounds(part: &[RangeKey], pair: &Pair, code: u8) -> Bounds {
    let inside =
        |point: Point| part.iter().any(|range| range.0 == point.0 && (range.1..=range.2).contains(&point.1));
    let mut all = None;
    for (_, written) in written(pair, code).filter(|(point, _)| inside(*point)) {
        let limits = written.limits()?;
        all = join(all, Some((limits.min, limits.max)));
    }
    all
}

/// Whether controls that are rare one by one are an operator's work: many, again and again, and not all at
/// one time.
fn operator(controls: &[Control<'_>], judge: &Judge<'_>) -> bool {
    let all = seen(controls, judge);
    controls.len() >= OPERATOR_CONTROLS
        && all.count >= OPERATOR_TIMES
        && judge.steady(&all)
        && all.slices(judge.clock) >= OPERATOR_SLICES
}

/// Functions by which a client controls now this station and now that, all through the capture.
pub(super) fn operated(pairs: &[(PairKey, &Pair)], judge: &Judge<'_>) -> BTreeSet<FunctionKey> {
    let mut rare: BTreeMap<FunctionKey, Seen> = BTreeMap::new();
    for (_, pair) in pairs {
        for (function, asked) in pair.functions.iter().filter(|(f, _)| f.action.is_control() && !f.broadcast)
        {
            for range in asked.ranges.values().filter(|r| !judge.steady(&r.seen) && accepted(r, pair)) {
                let sum = rare.entry(*function).or_default();
                *sum = sum.and(&range.seen, judge.clock);
            }
        }
    }
    rare.retain(|_, all| {
        all.count >= CLIENT_TIMES && judge.steady(all) && all.slices(judge.clock) >= CLIENT_SLICES
    });
    rare.into_keys().collect()
}

fn accepted(range: &Range, pair: &Pair) -> bool {
    range.answers.accepted > 0 || pair.one_way
}

fn seen(controls: &[Control<'_>], judge: &Judge<'_>) -> Seen {
    controls.iter().fold(Seen::default(), |sum, control| sum.and(&control.3.seen, judge.clock))
}

/// What an engineer should look at of controls that are rare one by one.
fn review(controls: &[Control<'_>]) -> Vec<String> {
    if controls.len() <= REMARKS {
        let each = controls.iter().map(|(_, _, range, seen)| {
            let text = profiles::RangeText(Range::of(*range));
            format!("{text}: controlled {} only", times(seen.seen.count))
        });
        return each.collect();
    }
    vec![format!("{} ranges, each controlled now and then only: {}", controls.len(), shown(controls))]
}

/// The first few of the ranges of controls.
fn shown(controls: &[Control<'_>]) -> String {
    let ranges = merge(controls.iter().map(|control| Range::of(control.2)).collect());
    let shown: Vec<String> = ranges.iter().take(3).map(|r| profiles::RangeText(*r).to_string()).collect();
    let and = if ranges.len() > 3 { " and others" } else { "" };
    format!("{}{and}", shown.join(", "))
}

/// List controls that are not learned.
fn leave(key: PairKey, asked: &Asked, controls: &[Control<'_>], judge: &Judge<'_>, draft: &mut Draft) {
    let Some(first) = controls.first() else { return };
    let name = FunctionText(&first.0, asked.name);
    let station = station_text(&key);
    let mut tell = |what: String, seen: &Seen| {
        let (count, first, last) = (seen.count, seen.first, seen.last);
        draft.left_out.push(LeftOut { client: key.client, what, count, first, last });
    };
    if controls.len() < OPERATOR_CONTROLS {
        for (_, _, range, seen) in controls {
            let text = profiles::RangeText(Range::of(*range));
            let count = times(seen.seen.count);
            tell(format!("{name} of {text} to {station}: {count} amid ordinary traffic"), &seen.seen);
        }
        return;
    }
    let more = if asked.lost > 0 { "more than " } else { "" };
    let number = controls.len();
    let what =
        format!("{name} of {more}{number} ranges to {station}, each now and then only: {}", shown(controls));
    tell(what, &seen(controls, judge));
}

/// Values that were left out of the limits of a point.
fn far(point: (parsers::PointKind, u32), limits: Limits) -> Option<String> {
    let (low, high) = limits.left_out?;
    let point = profiles::RangeText(Range::of((point.0, point.1, point.1)));
    let far = if high > limits.max { high } else { low };
    Some(format!("{point}: {} was written, far from all other values; it is not allowed", ValueText(far)))
}

fn grant(
    (key, function): (PairKey, FunctionKey),
    asked: &Asked,
    ranges: &[RangeKey],
    pair: &Pair,
    judge: &Judge<'_>,
) -> Grant {
    let points = merge(ranges.iter().map(|range| Range::of(*range)).collect());
    let own = |point: Point| holds(&points, (point.0, point.1, point.1));
    let written = || written(pair, function.code).filter(|(point, _)| own(*point));
    let all_points = asked.more * 2 >= asked.seen.count && asked.more > 0;
    Grant {
        functions: [(function, asked.name)].into(),
        seen: asked.seen.clone(),
        refused: asked.answers.refused,
        details: asked
            .ranges
            .iter()
            .filter(|(range, _)| holds(&points, **range))
            .map(|(range, seen)| {
                let inside = |point: Point| point.0 == range.0 && (range.1..=range.2).contains(&point.1);
                let values = written().filter(|(point, _)| inside(*point));
                let values = values.fold(None, |sum, (_, written)| join(sum, written.values()));
                ((function, *range), Detail { values, ..detail(seen) })
            })
            .collect(),
        limits: written()
            .filter(|(point, _)| of_one_form(pair, *point))
            .filter_map(|(point, written)| Some((point, written.limits()?)))
            .collect(),
        remarks: written().filter_map(|(point, written)| far(point, written.limits()?)).collect(),
        rates: written().map(|(point, written)| (point, written.rate_per_minute(judge.clock))).collect(),
        points: if all_points { None } else { Some(points.clone()) },
        ..Grant::new(key, Class::Controls)
    }
}
