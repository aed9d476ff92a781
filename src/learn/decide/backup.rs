//! A master that stands in for another: it comes only while the other is silent, and does nothing that the
//! other does not do.

use std::collections::BTreeMap;

use parsers::Host;

use super::dangerous::belongs_to_start;
use super::ranges::reads;
use super::{Class, Draft, Grant, Judge};
use crate::learn::clock::Seen;
use crate::learn::collect::Learner;
use crate::learn::pair::{Pair, PairKey};

type Clients<'a> = BTreeMap<Host, Vec<(PairKey, &'a Pair)>>;

/// The master that a client was there instead of, if it was for a while only.
pub(super) fn stands_in_for(
    client: Host,
    clients: &Clients<'_>,
    learner: &Learner,
    judge: &Judge<'_>,
) -> Option<Host> {
    let own = clients.get(&client)?;
    let seen = requests(own, judge);
    if seen.count == 0 || !judge.for_a_while(&seen) {
        return None;
    }
    let does_the_same = |pairs: &[(PairKey, &Pair)]| {
        own.iter().filter(|(_, pair)| pair.requests.count > 0).all(|(key, pair)| {
            let of_primary = pairs.iter().find(|(k, _)| PairKey { client, ..*k } == *key);
            of_primary.is_some_and(|(_, primary)| does_no_more(key, pair, primary))
        })
    };
    let primary = clients.iter().filter(|(host, _)| **host != client).find(|(host, pairs)| {
        judge.steady(&requests(pairs, judge))
            && learner.pauses_of(**host).is_some_and(|pauses| pauses.hold(&seen))
            && does_the_same(pairs)
    });
    primary.map(|(host, _)| *host)
}

fn requests(pairs: &[(PairKey, &Pair)], judge: &Judge<'_>) -> Seen {
    pairs.iter().fold(Seen::default(), |sum, (_, pair)| sum.and(&pair.requests, judge.clock))
}

/// Every range of every function of one is a range of the other, apart from what belongs to a start.
fn does_no_more(key: &PairKey, pair: &Pair, primary: &Pair) -> bool {
    let other = pair.functions.iter().filter(|(function, _)| !belongs_to_start(key.protocol, function));
    pair.answers.accepted > 0
        && other.into_iter().all(|(function, asked)| {
            let other = primary.functions.get(function);
            other.is_some_and(|other| asked.ranges.keys().all(|range| other.ranges.contains_key(range)))
        })
}

/// A backup may read and keep up what its primary may; controls are an engineer's decision.
pub(super) fn grants(clients: &Clients<'_>, judge: &Judge<'_>, draft: &mut Draft) {
    let mut more: Vec<Grant> = Vec::new();
    for (backup, primary) in &draft.backups {
        let Some(pairs) = clients.get(backup) else { continue };
        for (key, pair) in pairs {
            let same = PairKey { client: *primary, ..*key };
            let of_primary = draft.grants.iter().filter(|g| g.key == same && g.class != Class::Controls);
            for grant in of_primary {
                let seen = pair.requests.clone();
                let remark = format!("{backup} came only while {primary} was silent; is it its backup?");
                more.push(Grant {
                    key: *key,
                    seen,
                    refused: 0,
                    details: BTreeMap::new(),
                    remarks: vec![remark],
                    ..grant.clone()
                });
            }
        }
    }
    draft.grants.extend(more);
    let start = draft.backups.keys().filter_map(|backup| clients.get(backup)).flatten().collect::<Vec<_>>();
    for (key, pair) in start {
        for (function, asked) in &pair.functions {
            let known = |g: &Grant| g.key == *key && g.functions.contains_key(function);
            if belongs_to_start(key.protocol, function)
                && asked.answers.refused == 0
                && !draft.grants.iter().any(known)
            {
                reads(*key, Class::Upkeep, *function, asked, judge, draft);
            }
        }
    }
}
