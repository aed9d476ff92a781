//! Scoring: how many of the labelled attacks the findings found, how many findings were right, how fast.
//!
//! An attack has a time and hosts. A finding of severity medium or higher **finds** it when it names one of
//! its hosts within its time, or later and shows a frame between the attack's first and last (labels that give
//! frames). Every such finding that finds no attack is false.

pub mod findings;
pub mod labels;
mod table;

use std::collections::BTreeMap;

use parsers::Timestamp;
use serde::Serialize;

pub use findings::Said;
pub use labels::Attack;

/// How well findings agree with labels.
#[derive(Debug, Serialize)]
pub struct Score {
    /// Labelled attacks.
    pub attacks: usize,
    /// Those that were found.
    pub found: usize,
    /// `found / attacks`; `None` without attacks.
    pub recall: Option<f64>,
    /// Findings of severity medium or higher; repeats folded into one count once.
    pub findings: usize,
    /// Those that find an attack.
    pub right: usize,
    /// `right / findings`; `None` without findings.
    pub precision: Option<f64>,
    /// By technique.
    pub techniques: Vec<Technique>,
    /// Attacks that were not found.
    pub missed: Vec<Missed>,
    /// Kinds of false findings, with their number.
    pub false_kinds: BTreeMap<String, usize>,
}

/// The attacks of one technique.
#[derive(Debug, Serialize)]
pub struct Technique {
    /// Its id, or what the label says.
    pub technique: String,
    /// Attacks.
    pub attacks: usize,
    /// Found.
    pub found: usize,
    /// Seconds from an attack's begin to its first finding: the median of the found ones.
    pub median_seconds: Option<f64>,
    /// The longest.
    pub longest_seconds: Option<f64>,
    /// Kinds of findings that found them first, with their number.
    pub first_kinds: BTreeMap<String, usize>,
}

/// An attack that no finding names.
#[derive(Debug, Serialize)]
pub struct Missed {
    /// Its technique.
    pub technique: String,
    /// When it began, seconds since 1970.
    pub from_seconds: f64,
    /// Its hosts.
    pub hosts: Vec<String>,
    /// Frames that carry it.
    pub frames: u64,
}

/// Compare findings with labels.
pub fn score(attacks: &[Attack], said: &[Said]) -> Score {
    let said: Vec<&Said> = said.iter().filter(|s| s.counts()).collect();
    let mut right = vec![false; said.len()];
    let mut techniques: BTreeMap<&str, Vec<Option<(u64, &str)>>> = BTreeMap::new();
    let mut missed = Vec::new();
    for attack in attacks {
        let mut first: Option<(Timestamp, &str)> = None;
        for (finding, right) in said.iter().zip(&mut right) {
            let Some(at) = finding.within(attack) else { continue };
            *right = true;
            if first.is_none_or(|(before, _)| at < before) {
                first = Some((at, &finding.kind));
            }
        }
        let found = first.map(|(at, kind)| (at.since(attack.from), kind));
        techniques.entry(&attack.technique).or_default().push(found);
        if found.is_none() {
            missed.push(Missed {
                technique: attack.technique.clone(),
                from_seconds: seconds(attack.from.0),
                hosts: attack.hosts.clone(),
                frames: attack.frames,
            });
        }
    }
    let right_count = right.iter().filter(|right| **right).count();
    let mut false_kinds = BTreeMap::new();
    for (finding, _) in said.iter().zip(&right).filter(|(_, right)| !**right) {
        *false_kinds.entry(format!("{} {}", finding.id, finding.kind)).or_default() += 1;
    }
    let found = attacks.len() - missed.len();
    Score {
        attacks: attacks.len(),
        found,
        recall: ratio(found, attacks.len()),
        findings: said.len(),
        right: right_count,
        precision: ratio(right_count, said.len()),
        techniques: techniques.into_iter().map(|(name, found)| technique(name, &found)).collect(),
        missed,
        false_kinds,
    }
}

fn technique(name: &str, found: &[Option<(u64, &str)>]) -> Technique {
    let mut delays: Vec<u64> = found.iter().flatten().map(|(delay, _)| *delay).collect();
    delays.sort_unstable();
    let mut first_kinds = BTreeMap::new();
    for (_, kind) in found.iter().flatten() {
        *first_kinds.entry((*kind).to_owned()).or_default() += 1;
    }
    Technique {
        technique: name.to_owned(),
        attacks: found.len(),
        found: delays.len(),
        median_seconds: delays.get(delays.len().saturating_sub(1) / 2).map(|ns| seconds(*ns)),
        longest_seconds: delays.last().map(|ns| seconds(*ns)),
        first_kinds,
    }
}

fn ratio(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

fn seconds(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e9
}

#[cfg(test)]
mod tests;
