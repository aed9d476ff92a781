//! Splitting, shuffling, repeating and losing segments: what the monitor decodes must not depend on how a
//! stream was cut, and what was lost must be said (the whole pipeline, decapsulation included).
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use gridtap::capture::LinkType;
use support::{OwnedFrame, Random, Seen, SeenUnit, captures, corpus, plain_options, read, run};

/// Where the TCP parts of a plain Ethernet frame stand.
struct Layout {
    ip: usize,
    v6: bool,
    tcp: usize,
    payload: usize,
    end: usize,
}

/// The layout of an Ethernet frame with TCP in it, at most one VLAN tag; `None` for anything else.
fn layout(frame: &OwnedFrame) -> Option<Layout> {
    let b = &frame.bytes;
    if frame.link != LinkType::Ethernet || frame.wire_len as usize != b.len() {
        return None;
    }
    let kind = |at: usize| Some(u16::from_be_bytes([*b.get(at)?, *b.get(at + 1)?]));
    let (kind, ip) = match kind(12)? {
        0x8100 => (kind(16)?, 18),
        other => (other, 14),
    };
    let (v6, tcp, end) = match kind {
        0x0800 if b.get(ip + 9) == Some(&6) && (b.get(ip + 6)? & 0x3f) == 0 && b.get(ip + 7) == Some(&0) => {
            let total = usize::from(u16::from_be_bytes([b[ip + 2], b[ip + 3]]));
            (false, ip + usize::from(b[ip] & 15) * 4, ip + total)
        }
        0x86dd if b.get(ip + 6) == Some(&6) => {
            let length = usize::from(u16::from_be_bytes([b[ip + 4], b[ip + 5]]));
            (true, ip + 40, ip + 40 + length)
        }
        _ => return None,
    };
    let payload = tcp + usize::from(b.get(tcp + 12)? >> 4) * 4;
    (payload <= end && end <= b.len()).then_some(Layout { ip, v6, tcp, payload, end })
}

/// A frame with a part of another one's payload.
fn part(frame: &OwnedFrame, at: &Layout, from: usize, to: usize, last: bool) -> OwnedFrame {
    let mut bytes = frame.bytes[..at.payload].to_vec();
    bytes.extend_from_slice(&frame.bytes[at.payload + from..at.payload + to]);
    let length = bytes.len() - at.ip;
    let (offset, value) = if at.v6 { (4, length - 40) } else { (2, length) };
    bytes[at.ip + offset..at.ip + offset + 2].copy_from_slice(&u16::try_from(value).unwrap().to_be_bytes());
    let seq = u32::from_be_bytes(bytes[at.tcp + 4..at.tcp + 8].try_into().unwrap());
    bytes[at.tcp + 4..at.tcp + 8]
        .copy_from_slice(&seq.wrapping_add(u32::try_from(from).unwrap()).to_be_bytes());
    if !last {
        // FIN and RST belong to the last part; so does SYN to the first, which has no payload here.
        bytes[at.tcp + 13] &= !0x05;
    }
    OwnedFrame { wire_len: u32::try_from(bytes.len()).unwrap(), bytes, ..frame.clone() }
}

/// Cut every TCP payload; `cut` says how long the next part is.
fn resegment(frames: &[OwnedFrame], mut cut: impl FnMut(usize) -> usize) -> Vec<OwnedFrame> {
    let mut out = Vec::new();
    for frame in frames {
        let Some(at) = layout(frame).filter(|at| at.end - at.payload > 1) else {
            out.push(frame.clone());
            continue;
        };
        let whole = at.end - at.payload;
        let mut from = 0;
        while from < whole {
            let to = (from + cut(whole - from).max(1)).min(whole);
            out.push(part(frame, &at, from, to, to == whole));
            from = to;
        }
    }
    number(&mut out);
    out
}

fn number(frames: &mut [OwnedFrame]) {
    for (n, frame) in frames.iter_mut().enumerate() {
        frame.number = n as u64 + 1;
    }
}

/// The first segments of flows whose SYN was not captured: where such a stream begins is not known, so
/// putting its first segments out of order changes where it is taken to begin.
fn beginnings(frames: &[OwnedFrame]) -> BTreeSet<u64> {
    const FIRST: usize = 16;
    let mut flows: BTreeMap<Vec<[u8; 18]>, (bool, usize)> = BTreeMap::new();
    let mut held = BTreeSet::new();
    for frame in frames {
        let Some(at) = layout(frame) else { continue };
        let addresses = if at.v6 { at.ip + 8..at.ip + 40 } else { at.ip + 12..at.ip + 20 };
        let half = addresses.len() / 2;
        let mut ends = [[0; 18]; 2];
        for (n, end) in ends.iter_mut().enumerate() {
            let address = &frame.bytes[addresses.start + n * half..addresses.start + (n + 1) * half];
            end[..half].copy_from_slice(address);
            end[16..].copy_from_slice(&frame.bytes[at.tcp + 2 * n..at.tcp + 2 * n + 2]);
        }
        ends.sort_unstable();
        let (syn, count) = flows.entry(ends.to_vec()).or_default();
        *syn |= frame.bytes[at.tcp + 13] & 2 != 0;
        *count += usize::from(at.end > at.payload);
        if !*syn && *count <= FIRST {
            held.insert(frame.number);
        }
    }
    held
}

/// How far apart in time two frames are that a tap may hand out the wrong way round.
const NEAR_NS: u64 = 100_000_000;

/// Swap frames with payload within a window, keeping the times in place, as a tap with several queues does.
/// Frames without payload (SYN, FIN, bare ACK) stay, since a handshake is not reordered against its data.
fn shuffle(frames: &[OwnedFrame], window: usize, random: &mut Random) -> Vec<OwnedFrame> {
    let mut out = frames.to_vec();
    let held = beginnings(frames);
    let movable = |f: &OwnedFrame| {
        layout(f).is_some_and(|l| l.end > l.payload && f.bytes[l.tcp + 13] & 7 == 0)
            && !held.contains(&f.number)
    };
    let mut start = 0;
    while start < out.len() {
        let first = out[start].at;
        let near = |f: &OwnedFrame| movable(f) && f.at.since(first) <= NEAR_NS;
        let run = out[start..].iter().take(window).take_while(|f| near(f)).count();
        for i in (1..run).rev() {
            out.swap(start + i, start + random.below(i + 1));
        }
        start += run.max(1);
    }
    let times: Vec<_> = frames.iter().map(|f| f.at).collect();
    for (frame, at) in out.iter_mut().zip(times) {
        frame.at = at;
    }
    number(&mut out);
    out
}

/// What must be the same however the stream was cut: the content of the units and operations of every
/// flow and sender, in order.
fn content(seen: &Seen) -> BTreeMap<(String, String), Vec<String>> {
    let mut content: BTreeMap<_, Vec<String>> = BTreeMap::new();
    for unit in &seen.units {
        content.entry((unit.flow.clone(), unit.sender.clone())).or_default().push(unit.json.clone());
    }
    for op in &seen.operations {
        let text = format!(
            "{} {} {:?} {:?} paired {} {:?} {:?}",
            op.protocol, op.exchange, op.station, op.function, op.paired, op.ranges, op.points
        );
        content.entry((op.flow.clone() + " operations", op.sender.clone())).or_default().push(text);
    }
    content
}

fn assert_same(path: &Path, how: &str, original: &Seen, other: &Seen) {
    let (a, b) = (content(original), content(other));
    for (key, list) in &a {
        let found = b.get(key).map_or(&[][..], Vec::as_slice);
        for (n, expected) in list.iter().enumerate() {
            let short = |s: &String| s.chars().take(300).collect::<String>();
            assert!(
                Some(expected) == found.get(n),
                "{} {how}: {key:?} item {n} of {} (found {}): {} became {:?}",
                path.display(),
                list.len(),
                found.len(),
                short(expected),
                found.get(n).map(short)
            );
        }
        assert_eq!(list.len(), found.len(), "{} {how}: {key:?}", path.display());
    }
    assert_eq!(a.len(), b.len(), "{} {how}: flows", path.display());
}

/// Long captures add nothing here but time.
const MOST_FRAMES: usize = 3000;

fn each(test: &str, mut check: impl FnMut(&Path, &[OwnedFrame], &Seen)) {
    let Some(corpus) = corpus(test) else { return };
    for path in captures(&corpus, &["modbus", "dnp3", "iec104"]) {
        // Its TCP headers are fuzzed, sequence numbers above all: where a stream like that is taken up again
        // rests on how many segments say so, and so on the cut.
        if path.ends_with("modbus-fuzz-72.pcap") {
            continue;
        }
        let mut frames = read(&path);
        frames.truncate(MOST_FRAMES);
        let original = run(&frames, &plain_options());
        check(&path, &frames, &original);
    }
}

#[test]
fn byte_by_byte_gives_the_same_operations() {
    each("byte_by_byte_gives_the_same_operations", |path, frames, original| {
        let seen = run(&resegment(frames, |_| 1), &plain_options());
        assert_same(path, "byte by byte", original, &seen);
    });
}

#[test]
fn random_cuts_give_the_same_operations() {
    each("random_cuts_give_the_same_operations", |path, frames, original| {
        for seed in 1..4 {
            let mut random = Random::new(seed);
            let cut = resegment(frames, |rest| 1 + random.below(rest.min(40)));
            assert_same(path, &format!("cut, seed {seed}"), original, &run(&cut, &plain_options()));
        }
    });
}

#[test]
fn repeated_segments_change_nothing() {
    each("repeated_segments_change_nothing", |path, frames, original| {
        let mut random = Random::new(11);
        let mut doubled = Vec::new();
        for frame in frames {
            doubled.push(frame.clone());
            if layout(frame).is_some_and(|l| l.end > l.payload) && random.below(3) == 0 {
                doubled.push(frame.clone());
            }
        }
        number(&mut doubled);
        assert_same(path, "repeated", original, &run(&doubled, &plain_options()));
    });
}

#[test]
fn segments_shuffled_within_a_window_give_the_same_operations() {
    each("segments_shuffled_within_a_window_give_the_same_operations", |path, frames, original| {
        for seed in 1..4 {
            let mut random = Random::new(seed);
            let cut = resegment(frames, |rest| 1 + random.below(rest.min(60)));
            let shuffled = shuffle(&cut, 4, &mut random);
            assert_same(path, &format!("shuffled, seed {seed}"), original, &run(&shuffled, &plain_options()));
        }
    });
}

#[test]
fn lost_segments_cost_only_what_they_carried_and_are_reported() {
    each("lost_segments_cost_only_what_they_carried_and_are_reported", |path, frames, original| {
        let mut random = Random::new(5);
        let mut lost = Vec::new();
        let kept: Vec<OwnedFrame> = frames
            .iter()
            .filter(|frame| {
                let take = layout(frame).is_some_and(|l| l.end > l.payload) && random.below(40) == 0;
                if take {
                    lost.push(frame.number);
                }
                !take
            })
            .cloned()
            .collect();
        let seen = run(&kept, &plain_options());
        let hit = |u: &SeenUnit| lost.iter().any(|n| (u.first_frame..=u.frame).contains(n));
        for unit in original.units.iter().filter(|u| !hit(u)) {
            // A DNP3 segment whose fragment lost another one shows its link layer only.
            let found = seen.units.iter().any(|o| {
                o.flow == unit.flow && o.sender == unit.sender && o.frame == unit.frame && same(unit, o)
            });
            assert!(found, "{}: frame {} not hit, yet lost: {}", path.display(), unit.frame, unit.json);
        }
        let inside = lost.iter().any(|n| {
            let unit = original.units.iter().find(|u| u.frame == *n);
            unit.is_some_and(|u| {
                let other = |o: &&SeenUnit| o.flow == u.flow && o.sender == u.sender;
                seen.units.iter().filter(other).any(|o| o.frame < *n)
                    && seen.units.iter().filter(other).filter(|o| o.frame > *n).count() > 2
            })
        });
        let tcp = original.units.iter().any(|u| !u.flow.is_empty()) && !path.ends_with("zeek-udp-read.pcap");
        assert!(!(inside && tcp) || seen.gaps > 0, "{}: {lost:?} lost, no gap reported", path.display());
    });
}

/// The same octets: the decoded content behind the headers rests on the request, which may be lost, and a
/// DNP3 link frame on the rest of its fragment.
fn same(unit: &SeenUnit, other: &SeenUnit) -> bool {
    let before = |json: &str, key: &str| json.split(key).next().map(str::to_owned);
    let link = |json: &str| json.split("\"link_src\"").nth(1).map(|s| s.chars().take(60).collect::<String>());
    if unit.json.contains("\"framing\"") {
        return before(&unit.json, "\"framing\"") == before(&other.json, "\"framing\"");
    }
    unit.json == other.json || (link(&unit.json).is_some() && link(&unit.json) == link(&other.json))
}
