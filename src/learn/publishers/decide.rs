//! Which publishers are learned.
//!
//! A control block has one publisher. Where it was sent in several ways, the one that sent most is learned if it sent
//! ten times as much as all others; otherwise none is, and they are told.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use parsers::{Host, MacAddr};

use super::super::clock::Seen;
use super::super::decide::{Judge, LeftOut};
use super::super::words::{Span, times};
use super::tally::Tally;
use super::{Publishers, Said, Way};

/// How much more the true publisher must have sent than all others.
const FAR_MORE: u64 = 10;
/// Fewer messages make no publisher, if the capture is long enough to tell.
const FEW: u64 = 3;

/// A publisher that was learned. What is `None` was not seen, or not always the same.
#[derive(Debug, Clone)]
pub struct Learnt {
    /// Reference of the control block.
    pub block: String,
    /// APPID.
    pub application: u16,
    /// Ethernet address of the sender.
    pub source: MacAddr,
    /// Where it sends to.
    pub destination: MacAddr,
    /// VLAN, if the messages had a tag with one.
    pub vlan: Option<u16>,
    /// Reference of the data set.
    pub data_set: Option<String>,
    /// goID.
    pub identifier: Option<String>,
    /// confRev.
    pub revision: Option<u32>,
    /// Members of the data set.
    pub entries: Option<u32>,
    /// Messages.
    pub seen: Seen,
    /// The IP address that the sender has, too.
    pub host: Option<IpAddr>,
    /// What an engineer may want to know, a line each.
    pub comments: Vec<String>,
    /// What an engineer should look at.
    pub remarks: Vec<String>,
}

/// Text of the wire for people and for a profile; `None`: it cannot stand in a profile.
fn text(octets: &[u8]) -> Option<String> {
    let fits = !octets.is_empty() && octets.len() <= 129 && octets.iter().all(|o| (0x20..0x7F).contains(o));
    fits.then(|| String::from_utf8_lossy(octets).into_owned())
}

fn shown(octets: &[u8]) -> String {
    let octets = octets.get(..129).unwrap_or(octets);
    octets.iter().map(|o| if (0x20..0x7F).contains(o) { char::from(*o) } else { '\u{FFFD}' }).collect()
}

impl Way {
    fn left_out(&self, why: &str, seen: &Seen) -> LeftOut {
        let Way { block, source, destination, application } = self;
        let block = shown(block);
        let what = format!("published '{block}' to {destination}, APPID {application:#06x}: {why}");
        let (client, count, first, last) = (Host::Mac(*source), seen.count, seen.first, seen.last);
        LeftOut { client, what, count, first, last }
    }
}

/// Sort publishers into those that are learned and what is left out.
pub(in crate::learn) fn decide(all: &Publishers, judge: &Judge<'_>, left: &mut Vec<LeftOut>) -> Vec<Learnt> {
    let mut blocks: BTreeMap<&[u8], Vec<(&Way, &Said)>> = BTreeMap::new();
    for (way, said) in &all.ways {
        suspicions(way, said, judge, left);
        if said.seen.count > 0 {
            blocks.entry(&way.block).or_default().push((way, said));
        }
    }
    for (source, seen) in &all.management {
        left.push(LeftOut {
            client: Host::Mac(*source),
            what: "sent GSE management, which nobody needs in operation".to_owned(),
            count: seen.count,
            first: seen.first,
            last: seen.last,
        });
    }
    blocks.into_values().filter_map(|ways| publisher(all, ways, judge, left)).collect()
}

/// What the detections would have told of.
fn suspicions(way: &Way, said: &Said, judge: &Judge<'_>, left: &mut Vec<LeftOut>) {
    let mut seen = said.told.values();
    let Some(first) = seen.next() else { return };
    let all = seen.fold(first.clone(), |all, next| all.and(next, judge.clock));
    let why: Vec<String> =
        said.told.iter().map(|(kind, seen)| format!("{} ({})", kind.title(), times(seen.count))).collect();
    left.push(way.left_out(&why.join(", "), &all));
}

fn publisher(
    all: &Publishers,
    mut ways: Vec<(&Way, &Said)>,
    judge: &Judge<'_>,
    left: &mut Vec<LeftOut>,
) -> Option<Learnt> {
    ways.sort_by_key(|(_, said)| std::cmp::Reverse(said.seen.count));
    let ((way, said), others) = ways.split_first()?;
    let more: u64 = others.iter().map(|(_, said)| said.seen.count).sum();
    if more.saturating_mul(FAR_MORE) > said.seen.count {
        let why = "others publish it, too, or it does so in several ways; none of them was learned";
        left.extend(ways.iter().map(|(way, said)| way.left_out(why, &said.seen)));
        return None;
    }
    let another = format!("{} publishes it, far more often, in another way", way.source);
    left.extend(others.iter().map(|(other, said)| other.left_out(&another, &said.seen)));
    let Some(block) = text(&way.block) else {
        left.push(way.left_out("no profile can name such a control block", &said.seen));
        return None;
    };
    if judge.enough_for_hosts() && (said.seen.count < FEW || judge.for_a_while(&said.seen)) {
        left.push(way.left_out("for a while only", &said.seen));
        return None;
    }
    let host = all.hosts.get(&way.source).filter(|ips| ips.len() == 1).and_then(BTreeSet::first).copied();
    let mut learnt = Learnt {
        block,
        application: way.application,
        source: way.source,
        destination: way.destination,
        vlan: said.vlan.usual().copied(),
        data_set: said.data_set.usual().and_then(|value| text(value)),
        identifier: said.identifier.usual().and_then(|value| text(value)),
        revision: said.revision.usual().copied(),
        entries: said.entries.usual().copied(),
        seen: said.seen.clone(),
        host,
        comments: comments(said),
        remarks: Vec::new(),
    };
    let octets = |value: &Vec<u8>| format!("'{}'", shown(value));
    let remarks = &mut learnt.remarks;
    varied(remarks, "VLAN", &said.vlan, ToString::to_string);
    varied(remarks, "data_set", &said.data_set, octets);
    varied(remarks, "go_id", &said.identifier, octets);
    varied(remarks, "conf_rev", &said.revision, ToString::to_string);
    varied(remarks, "entries", &said.entries, ToString::to_string);
    if let Some(host) = host {
        learnt.comments.push(format!("{} is the Ethernet address of {host}, too", way.source));
    }
    Some(learnt)
}

/// A value that was not always the same.
fn varied<T>(remarks: &mut Vec<String>, what: &str, tally: &Tally<T>, word: impl Fn(&T) -> String) {
    let values = tally.values();
    if values.len() < 2 {
        return;
    }
    let words: Vec<String> = values.into_iter().map(word).collect();
    let then = if tally.usual().is_some() { "the first was learned" } else { "it is not judged" };
    remarks.push(format!("{what} was {}: {then}", words.join(" and ")));
}

fn comments(said: &Said) -> Vec<String> {
    let mut words = vec![match said.changes {
        0 => "one state all the time".to_owned(),
        n => format!("the state changed {}", times(n)),
    }];
    match said.allowed_ms {
        Some((least, most)) if least == most => words.push(format!("timeAllowedtoLive {least} ms")),
        Some((least, most)) => words.push(format!("timeAllowedtoLive {least} to {most} ms")),
        None => {}
    }
    if said.seen.count > 1 {
        words.push(format!("longest pause {}", Span(said.pause_ns)));
    }
    vec![words.join(", ")]
}
