//! Code, documents, rules and dashboards agree: every metric and label that is asked for is in the catalogue, every
//! alert has its page, every technique is in the table.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use gridtap::report::attack::attack;
use gridtap::report::catalogue::{CATALOGUE, Severity};
use gridtap::report::metric_table::{Metric, MetricType};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &str, ending: &str) -> Vec<(PathBuf, String)> {
    let mut found: Vec<_> = std::fs::read_dir(root().join(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_string_lossy().ends_with(ending))
        .map(|path| (path.clone(), std::fs::read_to_string(&path).unwrap()))
        .collect();
    found.sort();
    assert!(!found.is_empty(), "{folder} has no {ending}");
    found
}

fn rules() -> Vec<(PathBuf, String)> {
    files("grafana/prometheus/rules", ".yml")
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b':'
}

/// Names of metrics in a text, those of recorded ones with their colons, each with what follows it.
fn metrics(text: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices("gridtap_") {
        let start = text[..at].bytes().rposition(|byte| !is_word(byte)).map_or(0, |n| n + 1);
        let end = at + text[at..].bytes().position(|byte| !is_word(byte)).unwrap_or(text.len() - at);
        // A colon behind a name ends a clause, not a name.
        found.push((text[start..end].trim_end_matches(':'), &text[end..]));
    }
    found
}

/// The family of a name as it stands in queries.
fn family(name: &str) -> Option<Metric> {
    let is = |metric: &Metric| {
        let info = metric.info();
        let part = name.strip_prefix(info.name);
        let histogram = info.kind == MetricType::Histogram;
        part == Some("") || histogram && matches!(part, Some("_bucket" | "_count" | "_sum"))
    };
    Metric::ALL.iter().copied().find(is)
}

/// Values after a key of YAML.
fn values<'t>(text: &'t str, key: &'t str) -> impl Iterator<Item = &'t str> {
    text.lines().filter_map(move |line| {
        line.trim().trim_start_matches("- ").strip_prefix(key)?.strip_prefix(": ").map(str::trim)
    })
}

fn recorded() -> BTreeSet<String> {
    rules().iter().flat_map(|(_, text)| values(text, "record").map(str::to_owned)).collect()
}

/// What Prometheus adds to every series, and to histograms.
const ADDED: [&str; 3] = ["instance", "job", "le"];

#[test]
fn every_metric_and_label_in_rules_and_dashboards_is_in_the_catalogue() {
    let recorded = recorded();
    let (mut names, mut selectors) = (0, 0);
    let texts = [rules(), files("grafana/prometheus/tests", ".yml"), files("grafana/dashboards", ".json")];
    for (path, text) in texts.concat() {
        for (name, rest) in metrics(&text) {
            names += 1;
            if recorded.contains(name) {
                continue;
            }
            // The part of a name that label_replace cuts off.
            if name == "gridtap_" {
                continue;
            }
            let Some(metric) = family(name) else { panic!("{}: {name} is no metric", path.display()) };
            let Some(selector) = rest.strip_prefix('{').and_then(|rest| rest.split('}').next()) else {
                continue;
            };
            selectors += 1;
            let known = metric.info().labels;
            for part in selector.replace("\\\"", "\"").split("\",").flat_map(|part| part.split("\", ")) {
                let label = part.trim().split(['=', '!']).next().unwrap().trim();
                let is_known = known.contains(&label) || ADDED.contains(&label) || label.is_empty();
                assert!(is_known, "{}: {name} has no label {label}", path.display());
            }
        }
    }
    assert!(names > 150 && selectors > 100, "{names} names and {selectors} selectors only");
}

#[test]
fn every_alert_has_its_page_its_test_and_known_techniques() {
    let tests = std::fs::read_to_string(root().join("grafana/prometheus/tests/alerts_test.yml")).unwrap();
    let index = std::fs::read_to_string(root().join("docs/runbooks/README.md")).unwrap();
    let mut alerts = BTreeSet::new();
    for (path, text) in rules() {
        for alert in text.split("- alert: ").skip(1) {
            let name = alert.lines().next().unwrap().trim();
            alerts.insert(name.to_owned());
            let at = format!("{}: {name}", path.display());
            for key in ["severity", "team", "summary", "description", "dashboard"] {
                assert_eq!(values(alert, key).count(), 1, "{at} needs one {key}");
            }
            let page = values(alert, "runbook_url").next().unwrap_or_default();
            assert!(page.ends_with(&format!("/{name}.md")), "{at}: {page}");
            let runbook = std::fs::read_to_string(root().join(format!("docs/runbooks/{name}.md")));
            let runbook = runbook.unwrap_or_else(|error| panic!("{at} has no runbook: {error}"));
            for head in ["## What it means", "## What to check first", "## How to silence it properly"] {
                assert!(runbook.contains(head), "{at}: its runbook lacks {head}");
            }
            assert!(
                index.contains(&format!("[{name}]({name}.md)")),
                "{at} is not in docs/runbooks/README.md"
            );
            assert!(tests.contains(&format!("alertname: {name}\n")), "{at} has no test");
            for technique in values(alert, "technique") {
                let known =
                    attack().find(technique).unwrap_or_else(|| panic!("{at}: {technique} is unknown"));
                let tactic = values(alert, "tactic").next().unwrap();
                let words: Vec<String> =
                    known.tactics.iter().map(|t| t.to_lowercase().replace(' ', "-")).collect();
                assert!(
                    words.iter().any(|word| word == tactic),
                    "{at}: {technique} serves {words:?}, not {tactic}"
                );
            }
            if let Some(kinds) = alert.split("kind=~\"").nth(1) {
                for kind in kinds.split('"').next().unwrap().split('|') {
                    let known = CATALOGUE.iter().any(|k| k.name() == kind);
                    assert!(known, "{at}: {kind} is no kind of finding");
                }
            }
        }
    }
    assert!(alerts.len() >= 23);
    for (path, _) in files("docs/runbooks", ".md") {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        assert!(name == "README" || alerts.contains(&name), "{name} is the page of no alert");
    }
}

/// Kinds of high or critical severity that no rule names, and why.
const TOLD_OTHERWISE: [(&str, &str); 1] =
    [("station_silent", "GridtapStationSilent asks gridtap_station_silent")];

#[test]
fn every_kind_of_high_severity_stands_in_an_alert() {
    let rules = rules();
    let named: BTreeSet<&str> = rules
        .iter()
        .flat_map(|(_, text)| text.split("kind=~\"").skip(1))
        .flat_map(|rest| rest.split('"').next().unwrap().split('|'))
        .collect();
    for kind in CATALOGUE.iter().filter(|kind| kind.severity() >= Severity::High) {
        let otherwise = TOLD_OTHERWISE.iter().any(|(name, _)| *name == kind.name());
        assert!(
            named.contains(kind.name()) != otherwise,
            "{} stands in no rule, or in one and the list",
            kind.name()
        );
    }
}

#[test]
fn every_metric_in_runbooks_and_guides_is_in_the_catalogue() {
    let recorded = recorded();
    let texts = [files("docs/runbooks", ".md"), files("grafana", ".md"), files("docs", ".md")];
    for (path, text) in texts.concat() {
        for (name, _) in metrics(&text) {
            // Names of crates, files and prefixes end so.
            let prefix = name.ends_with('_');
            assert!(
                prefix || family(name).is_some() || recorded.contains(name),
                "{}: {name} is no metric",
                path.display()
            );
        }
    }
}
