//! The functions that a client used with a station.

use std::collections::BTreeSet;

use parsers::Action;

use super::dangerous::{belongs_to_start, dangerous};
use super::ranges::reads;
use super::{Class, Draft, Grant, Judge, LeftOut, control};
use crate::learn::clock::Seen;
use crate::learn::pair::{Asked, FunctionKey, Pair, PairKey};
use crate::learn::words::{FunctionText, station_text};

/// Functions tried once or in vain from which on they are a sweep.
const SWEPT_FUNCTIONS: usize = 4;

/// Code of DNP3 enable and disable unsolicited.
const ENABLE: u8 = 20;
const DISABLE: u8 = 21;

/// Sort the functions of a pair.
pub(super) fn functions(
    key: PairKey,
    pair: &Pair,
    operated: &BTreeSet<FunctionKey>,
    judge: &Judge<'_>,
    draft: &mut Draft,
) {
    let mut left: Vec<(&FunctionKey, &Asked, String)> = Vec::new();
    let mut controls = Vec::new();
    let mut others = Vec::new();
    for (function, asked) in &pair.functions {
        if let Some(why) = refuse(key, function, asked, pair, judge) {
            left.push((function, asked, why));
        } else if function.action.is_control() {
            controls.push((*function, asked));
        } else {
            others.push((*function, asked));
        }
    }
    let tried: Vec<_> = left.iter().filter(|(_, asked, _)| !judge.steady(&asked.seen)).collect();
    if judge.enough() && tried.len() >= SWEPT_FUNCTIONS {
        let names: Vec<String> = tried.iter().map(|(f, a, _)| FunctionText(f, a.name).to_string()).collect();
        let seen = tried.iter().fold(Seen::default(), |sum, (_, asked, _)| sum.and(&asked.seen, judge.clock));
        draft.left_out.push(LeftOut {
            client: key.client,
            what: format!("tried {} functions on {}: {}", names.len(), station_text(&key), names.join(", ")),
            count: seen.count,
            first: seen.first,
            last: seen.last,
        });
        left.retain(|(_, asked, _)| judge.steady(&asked.seen));
    }
    for (function, asked, why) in left {
        refused_rates(key, pair, (function, asked), judge, draft);
        draft.left_out.push(LeftOut {
            client: key.client,
            what: format!("{} to {}: {why}", FunctionText(function, asked.name), station_text(&key)),
            count: asked.seen.count,
            first: asked.seen.first,
            last: asked.seen.last,
        });
    }
    for (function, asked) in others {
        let class = if function.action == Action::Read { Class::Reads } else { Class::Upkeep };
        reads(key, class, function, asked, judge, draft);
    }
    merge_reads(key, draft);
    control::controls(key, &controls, pair, operated, judge, draft);
}

/// How often the points of a control are commanded that the station refuses, and not for a while only.
fn refused_rates(
    key: PairKey,
    pair: &Pair,
    (function, asked): (&FunctionKey, &Asked),
    judge: &Judge<'_>,
    draft: &mut Draft,
) {
    let habit = asked.answers.refused > 0 && asked.answers.accepted == 0 && !judge.for_a_while(&asked.seen);
    if !function.action.is_control() || !judge.enough() || !habit {
        return;
    }
    for (point, written) in &pair.written {
        let commanded = asked.ranges.keys().any(|r| r.0 == point.0 && (r.1..=r.2).contains(&point.1));
        if commanded {
            let rate = written.rate_per_minute(judge.clock);
            let own = draft.refused_rates.entry(key).or_default().entry((point.0, point.1)).or_default();
            *own = rate.max(*own);
        }
    }
}

/// Reading functions of a pair are one rule, whatever points each reads.
fn merge_reads(key: PairKey, draft: &mut Draft) {
    let mut merged: Option<Grant> = None;
    let mut kept = Vec::with_capacity(draft.grants.len());
    for grant in draft.grants.drain(..) {
        if grant.key != key || grant.class != Class::Reads {
            kept.push(grant);
            continue;
        }
        merged = Some(match merged {
            None => grant,
            Some(mut all) => {
                let points = all.points.take().zip(grant.points.clone());
                all.points = points.map(|(mut points, more)| {
                    points.extend(more);
                    super::ranges::merge(points)
                });
                all.add(grant);
                all
            }
        });
    }
    kept.extend(merged);
    draft.grants = kept;
}

/// Why a function of a pair is not learned at all, if it is not.
fn refuse(
    key: PairKey,
    function: &FunctionKey,
    asked: &Asked,
    pair: &Pair,
    judge: &Judge<'_>,
) -> Option<String> {
    if parsers::dissector(key.protocol).is_some_and(|d| !d.codes.contains(&function.code)) {
        return Some("the protocol has no such function".to_owned());
    }
    if let Some(why) = dangerous(key.protocol, function) {
        return Some(format!("it {why}"));
    }
    let steady = judge.steady(&asked.seen) && (judge.enough() || asked.answers.accepted > 0);
    if function.broadcast && (function.action.is_control() || !steady) {
        return Some("addressed to all stations at once".to_owned());
    }
    let silent = asked.answers.both() == 0 && !pair.one_way && pair.unasked == 0;
    if silent && !function.broadcast {
        return Some("never answered".to_owned());
    }
    // A standing poll of something that is not there is a fault, but ordinary; a control never is.
    let standing = steady && judge.enough() && !function.action.is_control();
    if asked.answers.accepted == 0 && asked.answers.refused > 0 && !standing {
        return Some(format!("always refused ({})", asked.refusal.unwrap_or("no reason known")));
    }
    if key.protocol == parsers::Protocol::Dnp3 && function.code == DISABLE {
        return silences(pair);
    }
    let plain = function.action == Action::Read || function.action.is_control();
    let start = belongs_to_start(key.protocol, function);
    if judge.enough() && !plain && !start && !steady {
        return Some("not part of the ordinary traffic".to_owned());
    }
    None
}

/// Silencing a station belongs to a master's start-up, which then enables reports again.
fn silences(pair: &Pair) -> Option<String> {
    let of = |code: u8| pair.functions.iter().find(|(key, _)| key.code == code).map(|(_, asked)| &asked.seen);
    let (Some(disabled), Some(enabled)) = (of(DISABLE), of(ENABLE)) else {
        return Some("it silences the station and nothing lets it speak again".to_owned());
    };
    let follows = enabled.count >= disabled.count && enabled.last >= disabled.last;
    (!follows).then(|| "it silences the station and not every time lets it speak again".to_owned())
}
