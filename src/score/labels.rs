//! Labels: what was an attack.
//!
//! Two forms: JSON lines, an attack each, as the simulators write them; and lines `frame;1` that mark single
//! frames of a capture. Of the latter, an attack is a run of marked frames between the same two hosts with
//! pauses below a minute.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use parsers::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::capture::file::open_files;
use crate::capture::{FrameSource, Next};
use crate::decap::{DecapOptions, Decapsulator};

/// A pause of marked frames from which on they are two attacks, in nanoseconds.
pub const PAUSE_NS: u64 = 60_000_000_000;

/// Longest line of labels or of an event log that is read, in octets.
const MAX_LINE_OCTETS: u64 = 1 << 20;
/// Most octets of a file of labels or of an event log.
const MAX_OCTETS: u64 = 1 << 30;

/// An attack.
#[derive(Debug, Clone)]
pub struct Attack {
    /// When it begins.
    pub from: Timestamp,
    /// When it ends.
    pub to: Timestamp,
    /// Its technique; empty if the labels do not say.
    pub technique: String,
    /// The hosts that take part, as text.
    pub hosts: Vec<String>,
    /// Frames that carry it.
    pub frames: u64,
    /// The first and the last of them, where the labels say.
    pub range: Option<(u64, u64)>,
}

/// Frames that are marked as malicious.
#[derive(Debug, Clone, Default)]
pub struct Marked(Vec<u64>);

impl Marked {
    /// Read lines `frame;1` (malicious) and `frame;0`.
    pub fn read(path: &Path) -> Result<Marked, String> {
        let mut frames = Vec::new();
        for (number, line) in lines(path)? {
            let fields = line.split_once(';').map(|(frame, mark)| (frame.trim().parse(), mark.trim()));
            match fields {
                Some((Ok(frame), "1")) => frames.push(frame),
                Some((Ok(_), "0")) => {}
                _ => {
                    return Err(format!(
                        "{}:{number}: no line `frame;1` or `frame;0`: {line}",
                        path.display()
                    ));
                }
            }
        }
        frames.sort_unstable();
        Ok(Marked(frames))
    }

    /// Whether a frame is marked.
    pub fn contains(&self, frame: u64) -> bool {
        self.0.binary_search(&frame).is_ok()
    }

    /// The attacks in the capture that these marks belong to.
    pub fn attacks(&self, capture: &Path) -> Result<Vec<Attack>, String> {
        let wrong = |error: std::io::Error| format!("{}: {error}", capture.display());
        let mut source = open_files(&[capture.to_owned()]).map_err(wrong)?;
        let mut decap = Decapsulator::new(DecapOptions::default());
        let mut runs: BTreeMap<[String; 2], Vec<Attack>> = BTreeMap::new();
        loop {
            let frame = match source.next().map_err(wrong)? {
                Next::Frame(frame) => frame,
                Next::Idle(_) => continue,
                Next::End => break,
            };
            let Some(packet) = decap.decapsulate(&frame) else { continue };
            if !self.contains(frame.place.number) {
                continue;
            }
            let mut hosts = match (packet.ip, packet.src_mac, packet.dst_mac) {
                (Some((from, to)), ..) => [from.to_string(), to.to_string()],
                (None, Some(from), Some(to)) => [from.to_string(), to.to_string()],
                _ => continue,
            };
            hosts.sort();
            let runs = runs.entry(hosts.clone()).or_default();
            match runs.last_mut() {
                Some(run) if frame.at.since(run.to) < PAUSE_NS => {
                    run.to = run.to.max(frame.at);
                    run.frames += 1;
                }
                _ => runs.push(Attack {
                    from: frame.at,
                    to: frame.at,
                    technique: String::new(),
                    hosts: hosts.to_vec(),
                    frames: 1,
                    range: None,
                }),
            }
        }
        let mut attacks: Vec<Attack> = runs.into_values().flatten().collect();
        attacks.sort_by(|a, b| (a.from, &a.hosts).cmp(&(b.from, &b.hosts)));
        Ok(attacks)
    }
}

#[derive(Deserialize)]
struct Line {
    from: Value,
    to: Value,
    technique: Option<String>,
    actor_ip: Option<Value>,
    target_ip: Option<Value>,
    frames: Option<Value>,
}

/// Read JSON lines. A line without a technique is no attack.
pub fn read_json_lines(path: &Path) -> Result<Vec<Attack>, String> {
    let mut attacks = Vec::new();
    for (number, text) in lines(path)? {
        let wrong = |what: String| format!("{}:{number}: {what}", path.display());
        let line: Line = serde_json::from_str(&text).map_err(|e| wrong(format!("no label: {e}")))?;
        let Some(technique) = line.technique.filter(|technique| !technique.is_empty()) else { continue };
        let at = |value: &Value| time(value).ok_or_else(|| wrong(format!("no time: {value}")));
        let hosts = [line.actor_ip, line.target_ip].iter().flatten().flat_map(texts).collect();
        let (frames, range) = match line.frames {
            // The first and the last frame.
            Some(Value::Array(ends)) => {
                match (ends.first().and_then(Value::as_u64), ends.last().and_then(Value::as_u64)) {
                    (Some(first), Some(last)) => (last.saturating_sub(first) + 1, Some((first, last))),
                    _ => (0, None),
                }
            }
            Some(Value::Number(number)) => (number.as_u64().unwrap_or(0), None),
            _ => (0, None),
        };
        attacks.push(Attack { from: at(&line.from)?, to: at(&line.to)?, technique, hosts, frames, range });
    }
    Ok(attacks)
}

/// Whether a label file has the form of JSON lines: its first line begins with a brace.
pub fn is_json_lines(path: &Path) -> Result<bool, String> {
    Ok(lines(path)?.first().is_some_and(|(_, line)| line.starts_with('{')))
}

/// A text, or several.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(list) => list.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

/// RFC 3339, or nanoseconds since 1970.
pub(super) fn time(value: &Value) -> Option<Timestamp> {
    match value {
        Value::Number(number) => number.as_u64().map(Timestamp),
        Value::String(text) => {
            let time: jiff::Timestamp = text.parse().ok()?;
            u64::try_from(time.as_nanosecond()).ok().map(Timestamp)
        }
        _ => None,
    }
}

/// The lines of a file that are not empty, with their numbers.
pub(super) fn lines(path: &Path) -> Result<Vec<(usize, String)>, String> {
    let wrong = |error: std::io::Error| format!("{}: {error}", path.display());
    let file = std::fs::File::open(path).map_err(wrong)?;
    let mut file = BufReader::new(file);
    let (mut kept, mut octets) = (Vec::new(), 0);
    for index in 0.. {
        let mut line = String::new();
        let read = (&mut file).take(MAX_LINE_OCTETS + 1).read_line(&mut line).map_err(wrong)? as u64;
        if read == 0 {
            break;
        }
        octets += read;
        if read > MAX_LINE_OCTETS || octets > MAX_OCTETS {
            let (line, all) = (MAX_LINE_OCTETS >> 20, MAX_OCTETS >> 20);
            return Err(format!(
                "{}:{}: more than {line} MiB in a line, or {all} MiB in all",
                path.display(),
                index + 1
            ));
        }
        if !line.trim().is_empty() {
            kept.push((index + 1, line.trim().to_owned()));
        }
    }
    Ok(kept)
}
