//! What a run came to, for people and as one JSON object.

use core::fmt;

use parsers::{DefectKind, Protocol};

use super::catalogue::{CATALOGUE, FindingKind, Severity};
use super::counters::Counters;
use super::event::Identity;
use super::json::Json;
use super::series::Series;
use super::sinks::Tally;
use super::station_tables::Family;
use super::vitals::Vitals;
use super::words::Numbered;
use super::writer::WriterFigures;

/// Everything that was counted in a run.
#[derive(Debug, Clone, Default)]
pub struct Summary {
    /// The profile's name; empty without one.
    pub profile: String,
    /// The figures below the protocols.
    pub vitals: Vitals,
    /// PDUs by protocol.
    pub pdus: Vec<(&'static str, u64)>,
    /// Operations by protocol and function, most frequent first.
    pub operations: Vec<(String, String, u64)>,
    /// Findings by kind, worst first: kind, all occurrences, of which folded.
    pub findings: Vec<(FindingKind, u64, u64)>,
    /// The same by the severity that they were raised with, worst first.
    pub severities: Vec<(FindingKind, Severity, u64)>,
    /// Findings withheld for want of coverage, by kind.
    pub withheld: Vec<(FindingKind, u64)>,
    /// Defects by protocol and kind, most frequent first.
    pub defects: Vec<(&'static str, &'static str, u64)>,
    /// The event log, if one was kept.
    pub events: Option<WriterFigures>,
    /// Windows of folded repeats that ended early.
    pub folds_evicted: u64,
}

impl Summary {
    pub(super) fn of(
        tally: &Tally,
        vitals: &Vitals,
        identity: &Identity,
        events: Option<WriterFigures>,
    ) -> Summary {
        let counters = &tally.counters;
        let mut findings: Vec<_> = CATALOGUE
            .iter()
            .map(|&kind| (kind, counters.findings_of(kind), counters.folded_of(kind)))
            .filter(|(_, count, _)| *count > 0)
            .collect();
        findings.sort_by_key(|(kind, count, _)| (core::cmp::Reverse((kind.severity(), *count)), *kind));
        let mut severities: Vec<_> = CATALOGUE
            .iter()
            .flat_map(|&kind| Severity::ALL.iter().map(move |&severity| (kind, severity)))
            .map(|(kind, severity)| (kind, severity, counters.findings_at(kind, severity)))
            .filter(|(_, _, count)| *count > 0)
            .collect();
        severities.sort_by_key(|(kind, severity, count)| (core::cmp::Reverse((*severity, *count)), *kind));
        Summary {
            severities,
            profile: identity.profile.name.clone(),
            vitals: vitals.clone(),
            pdus: Protocol::ALL.into_iter().map(|p| (p.name(), counters.pdus(p))).collect(),
            operations: operations(counters),
            findings,
            withheld: CATALOGUE
                .iter()
                .map(|&kind| (kind, counters.withheld_of(kind)))
                .filter(|(_, count)| *count > 0)
                .collect(),
            defects: defects(counters),
            events,
            folds_evicted: tally.folds_evicted,
        }
    }

    /// One JSON object; the keys are described in `docs/events.md`.
    pub fn to_json(&self) -> String {
        let mut json = Json::new();
        json.open_object();
        json.key("packets");
        json.unsigned(self.vitals.packets());
        json.key("bytes");
        json.unsigned(self.vitals.taps.iter().map(|tap| tap.bytes).sum());
        json.key("profile");
        json.text(&self.profile);
        pairs(&mut json, "pdus", self.pdus.iter().copied());
        json.key("operations");
        grouped(&mut json, self.operations.iter().map(|(p, f, n)| (p.as_str(), f.as_str(), *n)));
        pairs(&mut json, "findings", self.findings_by_id().into_iter());
        json.key("finding_kinds");
        json.open_object();
        for (kind, count, folded) in &self.findings {
            json.key(kind.name());
            json.open_object();
            json.key("id");
            json.word(kind.id());
            json.key("severity");
            json.word(self.worst(*kind).name());
            json.key("count");
            json.unsigned(*count);
            json.key("folded");
            json.unsigned(*folded);
            json.close_object();
        }
        json.close_object();
        json.key("defects");
        grouped(&mut json, self.defects.iter().copied());
        self.coverage_json(&mut json);
        if let Some(events) = self.events {
            json.key("events");
            json.open_object();
            json.key("written");
            json.unsigned(events.written);
            json.key("dropped");
            json.unsigned(events.dropped_queue_full + events.dropped_error);
            json.close_object();
        }
        json.close_object();
        String::from_utf8(json.take()).unwrap_or_default()
    }

    fn coverage_json(&self, json: &mut Json) {
        let vitals = &self.vitals;
        json.key("coverage");
        json.open_object();
        json.key("complete");
        json.boolean(self.unseen().is_empty());
        for (name, value) in [
            ("gaps", total(&vitals.gaps)),
            ("gap_bytes", vitals.gap_bytes),
            ("one_way_flows", vitals.one_way_flows),
            ("midstream_flows", vitals.midstream_flows),
            ("truncated_packets", vitals.taps.iter().map(|tap| tap.truncated).sum()),
            ("dropped_packets", vitals.dropped()),
            ("damaged", vitals.taps.iter().map(|tap| tap.damaged).sum()),
            ("duplicate_packets", vitals.duplicates),
            ("flows_without_protocol", vitals.unknown_flows),
            ("evicted_flows", named(&vitals.flow_evictions, "capacity")),
            ("packets_without_ip", vitals.without_ip),
        ] {
            json.key(name);
            json.unsigned(value);
        }
        pairs(json, "undecoded_packets", vitals.undecoded.iter().copied().filter(|(_, n)| *n > 0));
        pairs(json, "reassembly_given_up", vitals.reassembly_dropped.iter().copied());
        pairs(json, "tables_full", vitals.tables_full.iter().copied());
        pairs(json, "withheld_findings", self.withheld.iter().map(|(kind, n)| (kind.name(), *n)));
        json.close_object();
    }

    /// The worst severity that a kind was raised with.
    fn worst(&self, kind: FindingKind) -> Severity {
        let first = self.severities.iter().find(|(k, _, _)| *k == kind);
        first.map_or_else(|| kind.severity(), |(_, severity, _)| *severity)
    }

    /// Findings by catalogue id, repeats included, in the order of the catalogue.
    pub fn findings_by_id(&self) -> Vec<(&'static str, u64)> {
        let mut sums: Vec<(&'static str, u64)> = Vec::new();
        for &kind in CATALOGUE {
            let Some((_, count, _)) = self.findings.iter().find(|(k, _, _)| *k == kind) else { continue };
            match sums.iter_mut().find(|(id, _)| *id == kind.id()) {
                Some((_, sum)) => *sum += count,
                None => sums.push((kind.id(), *count)),
            }
        }
        sums
    }

    /// What could not be seen: a figure and a sentence each.
    pub fn unseen(&self) -> Vec<(u64, String)> {
        let vitals = &self.vitals;
        let mut out = Vec::new();
        let mut say = |count: u64, text: String| {
            if count > 0 {
                out.push((count, Numbered(count, &text).to_string()));
            }
        };
        say(vitals.dropped(), "packet{s} lost at the tap before being read".into());
        for tap in &vitals.taps {
            say(tap.damaged, format!("damaged place{{s}} in {}; what follows them was not read", tap.name));
        }
        let truncated = vitals.taps.iter().map(|tap| tap.truncated).sum();
        say(truncated, "packet{s} cut by the snap length".into());
        for (reason, count) in &vitals.undecoded {
            say(*count, format!("packet{{s}} not taken apart: {}", reason.replace('_', " ")));
        }
        say(
            total(&vitals.gaps),
            format!("hole{{s}} in TCP streams ({} octets never seen)", vitals.gap_bytes),
        );
        for (reason, count) in &vitals.reassembly_dropped {
            say(*count, format!("time{{s}} reassembly gave something up: {}", reason.replace('_', " ")));
        }
        say(vitals.one_way_flows, "flow{s} of which only one direction was seen".into());
        say(vitals.midstream_flows, "flow{s} whose beginning was not seen".into());
        let evicted = named(&vitals.flow_evictions, "capacity");
        say(evicted, "flow{s} given up because the flow table was full".into());
        say(vitals.unknown_flows, "flow{s} of none of the known protocols".into());
        for (what, count) in &vitals.tables_full {
            say(*count, format!("{}, because a table was full", what.replace('_', " ")));
        }
        for (kind, count) in &self.withheld {
            say(
                *count,
                format!("finding{{s}} withheld for want of coverage: {}", kind.title().to_lowercase()),
            );
        }
        if let Some(events) = self.events {
            let dropped = events.dropped_queue_full + events.dropped_error;
            say(dropped, "event{s} not written because the log could not keep up or failed".into());
        }
        out
    }
}

fn operations(counters: &Counters) -> Vec<(String, String, u64)> {
    let mut sums: std::collections::BTreeMap<(String, String), u64> = std::collections::BTreeMap::new();
    for Series { labels, value: count, .. } in counters.tables[Family::Operations].iter() {
        if let [_, protocol, function] = labels.values() {
            *sums.entry((protocol.to_string(), function.to_string())).or_default() += count;
        }
    }
    let mut list: Vec<_> = sums.into_iter().map(|((p, f), n)| (p, f, n)).collect();
    list.sort_by(|a, b| b.2.cmp(&a.2).then_with(|| a.cmp(b)));
    list
}

fn defects(counters: &Counters) -> Vec<(&'static str, &'static str, u64)> {
    let mut list: Vec<_> = Protocol::ALL
        .into_iter()
        .flat_map(|p| DefectKind::ALL.iter().map(move |&kind| (p, kind)))
        .map(|(p, kind)| (p.name(), kind.name(), counters.defects(p, kind)))
        .filter(|(_, _, count)| *count > 0)
        .collect();
    list.sort_by_key(|(_, _, count)| core::cmp::Reverse(*count));
    list
}

fn total(list: &[(&'static str, u64)]) -> u64 {
    list.iter().map(|(_, count)| count).sum()
}

fn named(list: &[(&'static str, u64)], name: &str) -> u64 {
    list.iter().filter(|(n, _)| *n == name).map(|(_, count)| count).sum()
}

fn pairs<'a>(json: &mut Json, key: &str, list: impl Iterator<Item = (&'a str, u64)>) {
    json.key(key);
    json.open_object();
    for (name, value) in list {
        json.key(name);
        json.unsigned(value);
    }
    json.close_object();
}

/// `{group: {name: count}}`
fn grouped<'a>(json: &mut Json, list: impl Iterator<Item = (&'a str, &'a str, u64)>) {
    let mut groups: std::collections::BTreeMap<&str, Vec<(&str, u64)>> = std::collections::BTreeMap::new();
    for (group, name, count) in list {
        groups.entry(group).or_default().push((name, count));
    }
    json.open_object();
    for (group, members) in groups {
        pairs(json, group, members.into_iter());
    }
    json.close_object();
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes: u64 = self.vitals.taps.iter().map(|tap| tap.bytes).sum();
        let mut head = vec![(self.vitals.packets(), format!("packets ({bytes} octets)"))];
        head.extend(self.pdus.iter().map(|(protocol, count)| (*count, format!("{protocol} PDUs"))));
        if self.vitals.duplicates > 0 {
            head.push((self.vitals.duplicates, "packets seen twice and judged once".into()));
        }
        if self.vitals.without_ip > 0 {
            head.push((
                self.vitals.without_ip,
                "packets without IP (GOOSE, which is decoded, ARP and others)".into(),
            ));
        }
        section(f, "Seen", &head, "")?;
        let operations: Vec<_> = self
            .operations
            .iter()
            .map(|(protocol, function, count)| (*count, format!("{protocol} {}", function.replace('_', " "))))
            .collect();
        section(f, "Operations", &operations, "none")?;
        let findings: Vec<_> = self
            .severities
            .iter()
            .map(|(kind, severity, count)| {
                (*count, format!("{:<8}  {}  {}", severity.name(), kind.id(), kind.title()))
            })
            .collect();
        let none = if self.profile.is_empty() { "none (no profile was given)" } else { "none" };
        section(f, "Findings", &findings, none)?;
        let defects: Vec<_> =
            self.defects.iter().map(|(p, kind, n)| (*n, format!("{p} {}", kind.replace('_', " ")))).collect();
        if !defects.is_empty() {
            section(f, "Defects in the traffic", &defects, "")?;
        }
        // A capture of what is not decoded must not pass for one in which all is well.
        let all = match self.vitals.without_ip {
            0 => "nothing: all that was captured was read",
            _ => {
                "nothing of IP and GOOSE: all that was captured was read; what else is without IP is not decoded"
            }
        };
        section(f, "What could not be seen", &self.unseen(), all)
    }
}

/// A heading and figures with their sentences, the figures flush right.
fn section(f: &mut fmt::Formatter<'_>, title: &str, lines: &[(u64, String)], none: &str) -> fmt::Result {
    writeln!(f, "{title}")?;
    if lines.is_empty() && !none.is_empty() {
        writeln!(f, "  {none}")?;
    }
    let width = lines.iter().map(|(count, _)| count.to_string().len()).max().unwrap_or(0).max(8);
    for (count, text) in lines {
        writeln!(f, "  {count:>width$}  {text}")?;
    }
    Ok(())
}
