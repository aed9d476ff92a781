//! From a description to hosts and publishers as a profile names them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};

use parsers::MacAddr;
use profiles::Publisher;

use super::members::{self, Steps};
use super::{Block, BlockKey, Description, Listens, Member};

/// Longest name, in characters; numbers that tell it from others still fit into what a profile allows.
const NAME_CHARS: usize = 80;
/// Longest words of an engineer that go into the profile, in characters.
const WORDS_CHARS: usize = 200;
/// Longest reference of a control block and of a data set, in octets (IEC 61850-8-1).
const REFERENCE_OCTETS: usize = 129;
/// Members of a data set that are named in a comment.
const MEMBERS_NAMED: usize = 32;
/// Octets of all comments on publishers; what comes after them has none.
const NOTES_OCTETS: usize = 4 << 20;
/// Listeners that are found by the values that they take.
const INFERRED: usize = 200_000;
/// Control blocks of other files that are named.
const ELSEWHERE: usize = 100;

/// What a profile can say.
#[derive(Debug)]
pub struct Draft {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) edition: String,
    pub(super) file: String,
    pub(super) ieds: usize,
    pub(super) hosts: Vec<Host>,
    pub(super) publishers: Vec<(Publisher, Vec<String>)>,
    /// Control blocks that somebody listens to, and that stand in another file: IED, device, name.
    pub(super) elsewhere: BTreeSet<String>,
}

/// An IED with an address.
#[derive(Debug)]
pub(super) struct Host {
    pub(super) name: String,
    pub(super) addresses: Vec<IpAddr>,
    pub(super) macs: Vec<MacAddr>,
    pub(super) words: String,
}

pub(super) fn draft(description: &mut Description, file: &str) -> Draft {
    let file = profiles::shown(file);
    let stem = file.rsplit_once('.').map_or(file.as_str(), |(stem, _)| stem);
    let name = [description.id.as_str(), stem, "substation"].map(|text| fitting(text, NAME_CHARS));
    let mut elsewhere = BTreeSet::new();
    let listeners = listeners(description, &mut elsewhere);
    Draft {
        name: name.into_iter().find(|name| !name.is_empty()).unwrap_or_default(),
        version: fitting(&description.version, NAME_CHARS),
        edition: fitting(&description.edition, NAME_CHARS),
        ieds: description.ieds.values().filter(|ied| ied.described).count(),
        hosts: hosts(description),
        publishers: publishers(description, &listeners),
        elsewhere,
        file,
    }
}

/// A text of the file in one line, of so many characters at most.
fn fitting(text: &str, most: usize) -> String {
    let shown: String = profiles::shown(text).trim().chars().take(most).collect();
    shown.trim().to_owned()
}

fn hosts(description: &mut Description) -> Vec<Host> {
    let mut owners: BTreeMap<IpAddr, String> = BTreeMap::new();
    let mut hosts = Vec::new();
    let mut names = Names::default();
    let mut troubles = Vec::new();
    for (ied, entry) in &description.ieds {
        let mut addresses = Vec::new();
        for (&address, &at) in &entry.addresses {
            if address.is_multicast() || address == IpAddr::V4(Ipv4Addr::BROADCAST) {
                troubles.push((at, format!("{address} is the address of a group"), "it is left out"));
                continue;
            }
            // Descriptions of spare devices often repeat one.
            if let Some(owner) = owners.get(&address) {
                let what = format!("{address} is an address of `{owner}` and of `{}`", fitting(ied, 60));
                troubles.push((at, what, "an address belongs to one host; the first one keeps it"));
            } else {
                owners.insert(address, fitting(ied, 60));
                addresses.push(address);
            }
        }
        if !addresses.is_empty() {
            let macs = entry.macs.iter().copied().collect();
            let words = fitting(&entry.words, WORDS_CHARS);
            hosts.push(Host { name: names.give(host_name(ied)), addresses, macs, words });
        }
    }
    for (at, what, remedy) in troubles {
        description.trouble(at, what, remedy);
    }
    hosts
}

/// A host's name: the IED's, unless the language gives it another meaning.
fn host_name(ied: &str) -> String {
    let name = fitting(ied, NAME_CHARS);
    let taken = ["any", "all", ""].contains(&name.as_str());
    // Networks, too: `10.0.0.0/8`.
    let address = name.split('/').next().is_some_and(|first| first.parse::<IpAddr>().is_ok());
    if taken || address { format!("IED {name}").trim_end().to_owned() } else { name }
}

/// Who listens to each control block, as far as the subscribers say so.
fn listeners(
    description: &Description,
    elsewhere: &mut BTreeSet<String>,
) -> BTreeMap<BlockKey, BTreeSet<String>> {
    let mut found: BTreeMap<BlockKey, BTreeSet<String>> = BTreeMap::new();
    // Edition 1 names the value only: it comes with a control block of the data set that holds it.
    let mut sets: HashMap<[&str; 4], Vec<(&BlockKey, &Member)>> = HashMap::new();
    for (key, set) in &description.sets {
        for member in &set.members {
            let value = [key.0.as_str(), &member.device, &member.node, &member.object];
            sets.entry(value).or_default().push((key, member));
        }
    }
    let mut blocks: HashMap<(&str, &str, &str), Vec<&BlockKey>> = HashMap::new();
    for (key, block) in &description.blocks {
        blocks.entry((&key.0, &key.1, &block.data_set)).or_default().push(key);
    }
    let mut left = INFERRED;
    for (ied, listens) in &description.listens {
        match listens {
            Listens::Block(key) if description.blocks.contains_key(key) => {
                found.entry(key.clone()).or_default().insert(ied.clone());
            }
            Listens::Block((from, device, name)) if elsewhere.len() < ELSEWHERE => {
                elsewhere.insert(fitting(&format!("{from}{device}/LLN0$GO${name}"), WORDS_CHARS));
            }
            Listens::Block(_) => {}
            Listens::Value(from, value) => {
                let key = [from.as_str(), &value.device, &value.node, &value.object];
                let fits = |member: &Member| {
                    [&member.attribute, &value.attribute].iter().any(|a| a.is_empty())
                        || member.attribute == value.attribute
                };
                for (set, member) in sets.get(&key).into_iter().flatten() {
                    left = left.saturating_sub(1);
                    if left == 0 || !fits(member) {
                        continue;
                    }
                    let of_set = blocks.get(&(set.0.as_str(), set.1.as_str(), set.2.as_str()));
                    for block in of_set.into_iter().flatten().take(left) {
                        left -= 1;
                        found.entry((*block).clone()).or_default().insert(ied.clone());
                    }
                }
            }
        }
    }
    found
}

fn publishers(
    description: &mut Description,
    listeners: &BTreeMap<BlockKey, BTreeSet<String>>,
) -> Vec<(Publisher, Vec<String>)> {
    let mut names = Names::default();
    let mut references: BTreeSet<String> = BTreeSet::new();
    let mut publishers = Vec::new();
    let mut troubles = Vec::new();
    let (mut steps, mut notes_left) = (Steps::default(), NOTES_OCTETS);
    for (key, block) in &description.blocks {
        let Some(control_block) = reference(&format!("{}/LLN0$GO${}", block.device, key.2)) else {
            let what = "the reference of the control block is no visible text of at most 129 characters";
            troubles.push((
                block.at,
                what.to_owned(),
                "give the IED, the device and the block shorter names",
            ));
            continue;
        };
        if !references.insert(control_block.clone()) {
            let what = format!("another control block is `{control_block}`, too");
            troubles.push((block.at, what, "give the logical devices names of their own (`ldName`)"));
            continue;
        }
        if !description.sent.contains_key(key) {
            let what = format!("the section Communication has no address for `{control_block}`");
            troubles.push((block.at, what, "where it is sent is not judged"));
        }
        let set = description.sets.get(&(key.0.clone(), key.1.clone(), block.data_set.clone()));
        if set.is_none() {
            let what = match block.data_set.as_str() {
                "" => format!("`{control_block}` has no data set"),
                set => format!("there is no data set `{}` beside `{control_block}`", fitting(set, 60)),
            };
            troubles.push((block.at, what, "how many members it has is not judged"));
        }
        let publisher = publisher(description, key, block, control_block, listeners.get(key), &mut names);
        let notes = if notes_left > 0 { notes(description, key, block, &mut steps) } else { Vec::new() };
        notes_left = notes_left.saturating_sub(notes.iter().map(String::len).sum());
        publishers.push((publisher, notes));
    }
    let unsent = description.sent.iter().filter(|(key, _)| !description.blocks.contains_key(*key));
    for (key, sent) in unsent {
        let what = format!(
            "there is no GOOSE control block `{}` in `{}{}`",
            fitting(&key.2, 60),
            fitting(&key.0, 60),
            fitting(&key.1, 60)
        );
        troubles.push((
            sent.at,
            what,
            "its address is left out; import the file that describes this IED, too",
        ));
    }
    for (at, what, remedy) in troubles {
        description.trouble(at, what, remedy);
    }
    publishers
}

fn publisher(
    description: &Description,
    key: &BlockKey,
    block: &Block,
    control_block: String,
    listeners: Option<&BTreeSet<String>>,
    names: &mut Names,
) -> Publisher {
    let sent = description.sent.get(key);
    let set = description.sets.get(&(key.0.clone(), key.1.clone(), block.data_set.clone()));
    let data_set = format!("{}/LLN0${}", block.device, block.data_set);
    let entries = set.filter(|set| !set.open).and_then(|set| u32::try_from(set.members.len()).ok());
    let subscribers: BTreeSet<String> = block
        .subscribers
        .iter()
        .chain(listeners.into_iter().flatten())
        .map(|name| fitting(name, NAME_CHARS))
        .filter(|name| !name.is_empty())
        .collect();
    let words = fitting(&block.words, WORDS_CHARS);
    Publisher {
        name: names.give(name(&format!("{}-{}", block.device, key.2))),
        application: sent.and_then(|sent| sent.appid),
        source: sent.into_iter().flat_map(|sent| sent.source.iter().copied()).collect(),
        destination: sent.and_then(|sent| sent.destination),
        // 0 is a priority without a VLAN.
        vlan: sent.and_then(|sent| sent.vlan).filter(|vlan| *vlan != 0),
        data_set: reference(&data_set).filter(|_| !block.data_set.is_empty()),
        identifier: reference(&block.identifier),
        revision: block.revision,
        // More than any message holds.
        entries: entries.filter(|entries| *entries <= 0xFFFF),
        subscribers: subscribers.into_iter().collect(),
        simulation: false,
        comment: (!words.is_empty()).then_some(words),
        control_block,
    }
}

/// A text as it may stand in a message.
fn reference(text: &str) -> Option<String> {
    let visible = text.bytes().all(|octet| (0x20..0x7F).contains(&octet));
    (visible && !text.is_empty() && text.len() <= REFERENCE_OCTETS).then(|| text.to_owned())
}

/// Names that are given, so that no two differ in nothing but case.
#[derive(Debug, Default)]
pub(super) struct Names(HashMap<String, u32>);

impl Names {
    /// This one, or with a number if it is taken.
    pub(super) fn give(&mut self, wanted: String) -> String {
        let lower = wanted.to_lowercase();
        let Some(mut number) = self.0.get(&lower).copied() else {
            self.0.insert(lower, 2);
            return wanted;
        };
        let name = loop {
            let name = format!("{wanted}-{number}");
            number += 1;
            if self.0.insert(name.to_lowercase(), 2).is_none() {
                break name;
            }
        };
        self.0.insert(lower, number);
        name
    }
}

/// A publisher's name: no character of it needs quotes.
fn name(wanted: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' };
    wanted.chars().take(NAME_CHARS).map(plain).collect()
}

/// What else an engineer wants to know of a publisher.
fn notes(description: &Description, key: &BlockKey, block: &Block, steps: &mut Steps) -> Vec<String> {
    let short = |text: &str| fitting(text, 60);
    let mut notes = Vec::new();
    let mut first = format!("IED {}", short(&key.0));
    if let Some(sent) = description.sent.get(key) {
        _ = write!(first, ", access point {}", short(&sent.access_point));
        if !sent.priority.is_empty() {
            _ = write!(first, ", VLAN priority {}", short(&sent.priority));
        }
        let [shortest, longest] = sent.pauses.each_ref().map(|pause| short(pause));
        notes.push(match (shortest.as_str(), longest.as_str()) {
            ("", "") => String::new(),
            (shortest, "") => format!("Repeated {shortest} after a change"),
            ("", longest) => format!("Repeated at the latest every {longest}"),
            (shortest, longest) => {
                format!("Repeated {shortest} after a change, at the latest every {longest}")
            }
        });
    }
    notes.insert(0, first);
    notes.retain(|note| !note.is_empty());
    let Some(set) = description.sets.get(&(key.0.clone(), key.1.clone(), block.data_set.clone())) else {
        return notes;
    };
    for (number, member) in set.members.iter().take(MEMBERS_NAMED).enumerate() {
        let of = members::type_of(description, &key.0, member, steps);
        let of = of.map(|of| format!(": {of}")).unwrap_or_default();
        notes.push(fitting(&format!("  {number} {}{of}", member.name()), WORDS_CHARS));
    }
    if set.members.len() > MEMBERS_NAMED {
        notes.push(format!("  and {} more members", set.members.len() - MEMBERS_NAMED));
    }
    notes
}
