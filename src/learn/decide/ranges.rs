//! Ranges of points that a function reads.

use parsers::PointRange;

use super::{Class, Detail, Draft, Grant, Judge, LeftOut};
use crate::learn::clock::Seen;
use crate::learn::pair::{Asked, FunctionKey, PairKey, Range, RangeKey};
use crate::learn::words::{FunctionText, station_text, times};

/// Ranges read now and then from which on they are a sweep.
const SWEPT_RANGES: usize = 5;

/// Sort ranges by kind and address, and join those that overlap or touch.
pub(in crate::learn) fn merge(mut ranges: Vec<PointRange>) -> Vec<PointRange> {
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

/// Whether one of the ranges holds another.
pub(super) fn holds(ranges: &[PointRange], key: RangeKey) -> bool {
    ranges.iter().any(|r| r.kind() == key.0 && r.first() <= key.1 && key.2 <= r.last())
}

/// What the comments say of a range.
pub(super) fn detail(range: &Range) -> Detail {
    Detail { count: range.seen.count, period: range.period(), values: range.values }
}

/// Learn the ranges that a function of no effect asks for.
pub(super) fn reads(
    key: PairKey,
    class: Class,
    function: FunctionKey,
    asked: &Asked,
    judge: &Judge<'_>,
    draft: &mut Draft,
) {
    let (steady, rare): (Vec<_>, Vec<_>) =
        asked.ranges.iter().partition(|(_, range)| !judge.enough() || judge.steady(&range.seen));
    let mut points = merge(steady.iter().map(|(range, _)| Range::of(**range)).collect());
    let rare: Vec<_> = rare.into_iter().filter(|(range, _)| !holds(&points, **range)).collect();
    let (vain, rare): (Vec<_>, Vec<_>) =
        rare.into_iter().partition(|(_, range)| range.answers.accepted == 0 && range.answers.refused > 0);
    let mut grant = Grant {
        broadcast: function.broadcast,
        seen: asked.seen.clone(),
        refused: asked.answers.refused,
        functions: [(function, asked.name)].into(),
        ..Grant::new(key, class)
    };
    let swept = vain.len() + rare.len() >= SWEPT_RANGES || asked.lost > 0;
    let mut left = |what: String, ranges: &[(&RangeKey, &Range)]| {
        let seen = ranges.iter().fold(Seen::default(), |sum, (_, range)| sum.and(&range.seen, judge.clock));
        let (count, first, last) = (seen.count, seen.first, seen.last);
        draft.left_out.push(LeftOut { client: key.client, what, count, first, last });
    };
    let name = FunctionText(&function, asked.name);
    let station = station_text(&key);
    if swept {
        let all: Vec<_> = vain.iter().chain(&rare).copied().collect();
        let hull = super::ranges::merge(all.iter().map(|(range, _)| Range::of(**range)).collect());
        let shown: Vec<String> = hull.iter().take(3).map(|r| profiles::RangeText(*r).to_string()).collect();
        let and = if hull.len() > 3 { " and others" } else { "" };
        let more = if asked.lost > 0 { "more than " } else { "" };
        let number = all.len();
        let what = format!(
            "{name} of {more}{number} ranges that are not part of the ordinary traffic, to {station}: {}{and}",
            shown.join(", ")
        );
        left(what, &all);
    } else {
        for item in &vain {
            let range = profiles::RangeText(Range::of(*item.0));
            left(format!("{name} of {range} to {station}: always refused"), &[*item]);
        }
        for (range, seen) in &rare {
            points.push(Range::of(**range));
            let what = profiles::RangeText(Range::of(**range));
            grant.remarks.push(format!("{what}: asked for {} only; is it ordinary?", times(seen.seen.count)));
        }
        points = merge(points);
    }
    let nothing = points.is_empty() && !asked.ranges.is_empty();
    if nothing && asked.more == 0 {
        return;
    }
    for (range, seen) in asked.ranges.iter().filter(|(range, _)| holds(&points, **range)) {
        grant.details.insert((function, *range), detail(seen));
    }
    grant.points = Some(points);
    if asked.more * 2 >= asked.seen.count && asked.more > 0 {
        grant.points = None;
        grant.remarks.push("asked for more ranges at once than are listed: all points".to_owned());
    }
    draft.grants.push(grant);
}
