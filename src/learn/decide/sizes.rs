//! Sizes of the fields of IEC 60870-5: those of 104, or those of 101 that some devices keep on TCP.
//!
//! All stations behind a host are read by the same ones, so that the profile can give them. What was read by others is
//! left out and told.

use std::collections::BTreeMap;

use parsers::{FieldSizes, Host};

use super::{Draft, LeftOut};
use crate::learn::pair::{Pair, PairKey};
use crate::learn::words::station_text;

/// The pairs whose station's host was read by the sizes that its pairs have most often.
pub(super) fn of_one_size<'a>(
    pairs: BTreeMap<PairKey, &'a Pair>,
    draft: &mut Draft,
) -> BTreeMap<PairKey, &'a Pair> {
    let mut seen: BTreeMap<Host, Vec<(FieldSizes, u64)>> = BTreeMap::new();
    for (key, pair) in &pairs {
        let Some(own) = pair.sizes else { continue };
        let all = seen.entry(key.server).or_default();
        let messages = pair.requests.count + pair.reports.count;
        match all.iter_mut().find(|(sizes, _)| *sizes == own) {
            Some((_, count)) => *count += messages,
            None => all.push((own, messages)),
        }
    }
    let usual: BTreeMap<Host, FieldSizes> = seen
        .into_iter()
        .filter_map(|(host, all)| Some((host, all.into_iter().max_by_key(|(_, count)| *count)?.0)))
        .collect();
    let others = |sizes: &FieldSizes| *sizes != FieldSizes::IEC104;
    draft.sizes = usual.iter().filter(|(_, sizes)| others(sizes)).map(|(host, s)| (*host, *s)).collect();
    let (kept, left): (BTreeMap<_, _>, BTreeMap<_, _>) = pairs
        .into_iter()
        .partition(|(key, pair)| pair.sizes.is_none_or(|own| usual.get(&key.server) == Some(&own)));
    for (key, pair) in left {
        let (Some(own), Some(usual)) = (pair.sizes, usual.get(&key.server)) else { continue };
        let seen = if pair.requests.count > 0 { &pair.requests } else { &pair.reports };
        draft.left_out.push(LeftOut {
            client: key.client,
            what: format!(
                "spoke with {} in fields of {own} octets (cause, common address, object address), where {usual} \
                 are usual",
                station_text(&key)
            ),
            count: seen.count,
            first: seen.first,
            last: seen.last,
        });
    }
    kept
}
