//! A client as a whole, then station by station.

use std::collections::BTreeSet;

use parsers::{DefectKind, Host, StationAddress};

use super::control::operated;
use super::dangerous::dangerous;
use super::functions::functions;
use super::{Class, Draft, Grant, Judge, LeftOut};
use crate::learn::clock::Seen;
use crate::learn::pair::{FunctionKey, Pair, PairKey};
use crate::learn::words::{FunctionText, Span, server_text, station_text};

/// Stations without success from which on they are a sweep.
const SWEPT_STATIONS: usize = 5;

/// Stations named in a sentence.
const NAMED_STATIONS: usize = 4;

type Pairs<'a> = [(PairKey, &'a Pair)];

/// Sort what a client did.
pub(super) fn client(client: Host, pairs: &Pairs<'_>, judge: &Judge<'_>, draft: &mut Draft) {
    defects(client, pairs, judge, draft);
    let all = pairs
        .iter()
        .fold(Seen::default(), |sum, (key, pair)| sum.and(&active(key, pair, judge), judge.clock));
    if all.count == 0 {
        return;
    }
    let leave = |draft: &mut Draft, what: String, seen: &Seen| {
        draft.left_out.push(LeftOut { client, what, count: seen.count, first: seen.first, last: seen.last });
    };
    let alive = pairs.iter().copied().filter(|(key, pair)| active(key, pair, judge).count > 0);
    let (failed, rest): (Vec<_>, Vec<_>) = alive.partition(|(_, pair)| in_vain(pair, judge));
    if rest.is_empty() {
        let what = format!("only tried: {} never answered or refused all", several(&failed));
        return leave(draft, what, &all);
    }
    if judge.for_a_while(&all) {
        let what = format!(
            "was active for {} of {} only, at {}",
            Span(all.span_ns()),
            Span(judge.clock.length_ns()),
            several(&rest)
        );
        leave(draft, what, &all);
        for (key, pair) in &rest {
            dangers(*key, pair, draft);
        }
        return;
    }
    let sum = |pairs: &Pairs<'_>| {
        pairs.iter().fold(Seen::default(), |sum, (_, pair)| sum.and(&pair.requests, judge.clock))
    };
    let brief: Vec<_> =
        rest.iter().filter(|(key, pair)| judge.for_a_while(&active(key, pair, judge))).copied().collect();
    if failed.len() + brief.len() >= SWEPT_STATIONS {
        let swept: Vec<_> = failed.iter().chain(&brief).copied().collect();
        leave(draft, format!("swept {}: they were asked once or in vain", several(&swept)), &sum(&swept));
    } else {
        for (key, pair) in &failed {
            let how = if pair.answers.refused > 0 { "refused all" } else { "never answered" };
            leave(draft, format!("asked {}, which {how}", station_text(key)), &pair.requests);
        }
        for (key, pair) in &brief {
            let seen = active(key, pair, judge);
            let (span, length) = (Span(seen.span_ns()), Span(judge.clock.length_ns()));
            leave(draft, format!("spoke with {} for {span} of {length} only", station_text(key)), &seen);
        }
    }
    let operated = operated(&rest, judge);
    for (key, pair) in &rest {
        if brief.iter().all(|(other, _)| other != key) {
            station(*key, pair, &operated, judge, draft);
        }
    }
}

/// Everything a pair did by which it can be told whether it belongs there. What is never learned tells nothing: a
/// stranger who polled for a minute is not there for longer because he restarted the station much later.
fn active(key: &PairKey, pair: &Pair, judge: &Judge<'_>) -> Seen {
    let learnable = |function: &FunctionKey| dangerous(key.protocol, function).is_none();
    let ordinary = pair.functions.iter().filter(|(function, _)| learnable(function));
    let ordinary = ordinary.fold(Seen::default(), |sum, (_, asked)| sum.and(&asked.seen, judge.clock));
    let all_learnable = pair.functions.keys().all(learnable);
    let requests = if all_learnable || ordinary.count == 0 { &pair.requests } else { &ordinary };
    requests.and(&pair.reports, judge.clock).and(&pair.upkeep, judge.clock)
}

/// What is never learned, of a client that is left out as a whole.
fn dangers(key: PairKey, pair: &Pair, draft: &mut Draft) {
    for (function, asked) in &pair.functions {
        let Some(why) = dangerous(key.protocol, function) else { continue };
        draft.left_out.push(LeftOut {
            client: key.client,
            what: format!("{} to {}: it {why}", FunctionText(function, asked.name), station_text(&key)),
            count: asked.seen.count,
            first: asked.seen.first,
            last: asked.seen.last,
        });
    }
}

/// Nothing came of it: never answered although the tap would have seen it, or refused every time without
/// running through the capture.
fn in_vain(pair: &Pair, judge: &Judge<'_>) -> bool {
    let asked = pair.requests.count > pair.unasked;
    if !asked || pair.answers.accepted > 0 || pair.reports.count > 0 {
        return false;
    }
    if pair.answers.refused > 0 { !judge.steady(&pair.requests) } else { !pair.one_way }
}

/// Requests without an answer from which on they are a habit of the station.
const HABIT_REQUESTS: u64 = 10;

/// What a station does all the time need not be told all the time: a share of requests stays unanswered.
/// That it falls silent altogether is another finding.
fn quirks(key: PairKey, pair: &Pair, judge: &Judge<'_>, draft: &mut Draft) {
    let Some(seen) = pair.defects.get(&DefectKind::UnansweredRequest) else { return };
    let asked = pair.requests.count.saturating_sub(pair.unasked).max(1);
    let habit = judge.enough()
        && judge.steady(seen)
        && seen.count >= HABIT_REQUESTS
        && seen.count * 100 >= asked
        && pair.answers.accepted * 4 >= asked;
    if habit {
        let why = format!("{} of {} requests were not answered, all the time", seen.count, asked);
        draft.quirks.entry(key).or_default().push(("unanswered_request", why));
    }
}

fn station(
    key: PairKey,
    pair: &Pair,
    operated: &BTreeSet<FunctionKey>,
    judge: &Judge<'_>,
    draft: &mut Draft,
) {
    functions(key, pair, operated, judge, draft);
    quirks(key, pair, judge, draft);
    let learned = draft.grants.iter().any(|grant| grant.key == key);
    if pair.reports.count > 0 {
        match draft.grants.iter_mut().find(|grant| grant.key == key && grant.class == Class::Reads) {
            Some(grant) => grant.reported = pair.reports.count,
            None => draft.grants.push(Grant {
                reported: pair.reports.count,
                seen: pair.reports.clone(),
                ..Grant::new(key, Class::Reads)
            }),
        }
    } else if !learned && pair.upkeep.count > 0 && pair.requests.count == 0 {
        draft.grants.push(Grant { link: true, seen: pair.upkeep.clone(), ..Grant::new(key, Class::Upkeep) });
    }
}

/// Trouble that makes one wonder what the client was about.
fn defects(client: Host, pairs: &Pairs<'_>, judge: &Judge<'_>, draft: &mut Draft) {
    use DefectKind as D;
    let told = [
        (D::Malformed, "exchanged malformed PDUs with"),
        (D::FieldRange, "exchanged fields outside their range with"),
        (D::UnknownFunction, "exchanged undefined functions with"),
        (D::UnknownObject, "exchanged undefined objects with"),
        (D::BadChecksum, "exchanged wrong checksums with"),
        (D::Resynchronised, "exchanged octets that are no PDU with"),
        (D::ForeignProtocol, "spoke another protocol on the port of"),
        (D::RoleReversal, "reversed roles with"),
        (D::ContradictingAnswer, "got answers that contradict its request from"),
    ];
    for (kind, words) in told {
        for (key, pair) in pairs {
            let Some(seen) = pair.defects.get(&kind) else { continue };
            let what = match key.station {
                StationAddress::None => format!("{words} {}", server_text(key)),
                _ => format!("{words} {}", station_text(key)),
            };
            let steady = if judge.enough() && judge.steady(seen) { ", all the time" } else { "" };
            draft.left_out.push(LeftOut {
                client,
                what: format!("{what}{steady}"),
                count: seen.count,
                first: seen.first,
                last: seen.last,
            });
        }
    }
}

fn several(pairs: &Pairs<'_>) -> String {
    let mut names: Vec<String> =
        pairs.iter().take(NAMED_STATIONS).map(|(key, _)| station_text(key)).collect();
    let more = pairs.len() - names.len();
    if more > 0 {
        names.push(format!("{more} more"));
    }
    let last = names.pop().unwrap_or_default();
    if names.is_empty() { last } else { format!("{} and {last}", names.join(", ")) }
}
