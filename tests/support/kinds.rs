//! The table of kinds and their tests (`tests/kinds.toml`), and what the tests that it names look like.

use std::collections::BTreeMap;
use std::path::Path;

use gridtap::detect::coverage::{may_rest_on_absence, rests_on_absence};
use gridtap::report::catalogue::FindingKind;
use serde::Deserialize;

/// The tests of a kind, by the names of their functions.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    raises: Option<String>,
    near_miss: Option<String>,
    blind: Option<String>,
}

pub fn table() -> BTreeMap<String, Row> {
    toml::from_str(include_str!("../kinds.toml")).unwrap()
}

/// The source of the tests.
pub struct Tests {
    detections: String,
    all: String,
}

impl Tests {
    pub fn read() -> Tests {
        let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
        let detections = text_below(&tests.join("detections"));
        let all = detections.clone() + &text_below(&tests.join("findings.rs"));
        Tests { detections, all }
    }

    /// What a kind lacks: with a case of its own, and with one in which the tap is blind.
    pub fn missing(&self, kind: FindingKind, row: Option<&Row>, case: bool, blind_case: bool) -> Vec<String> {
        let mut missing = Vec::new();
        let mut lacks = |what: &str| missing.push(format!("{}: {what}", kind.name()));
        let raises = row.and_then(|row| row.raises.as_deref());
        let near_miss = row.and_then(|row| row.near_miss.as_deref());
        let blind = row.and_then(|row| row.blind.as_deref());
        if case == raises.is_some() || case == near_miss.is_some() {
            lacks("either a case or a test that raises it and one that nearly does");
        }
        for test in [raises, near_miss, blind].into_iter().flatten() {
            if self.body(test).is_none() {
                lacks(&format!("no test {test}"));
            }
        }
        if raises.and_then(|test| self.body(test)).is_some_and(|body| !self.speaks_of(body, kind)) {
            lacks("the test that raises it does not speak of it");
        }
        if !self.all.contains(&format!("\"{}: ", kind.title())) {
            lacks("its sentence stands in no test");
        }
        let needs_blind = rests_on_absence(kind) || may_rest_on_absence(kind);
        if needs_blind != (blind.is_some() || blind_case) {
            lacks("a test in which the tap is blind, where and only where something absent is the evidence");
        }
        let withheld = format!("withheld(K::{kind:?})");
        if blind.and_then(|test| self.body(test)).is_some_and(|body| !body.contains(&withheld)) {
            lacks("its test of the blind tap does not look whether it is withheld");
        }
        missing
    }

    fn body(&self, test: &str) -> Option<&str> {
        let (_, behind) = self.detections.split_once(&format!("#[test]\nfn {test}() {{\n"))?;
        behind.split_once("\n}\n").map(|(body, _)| body)
    }

    /// By its name, its sentence, or a constant that holds its sentence.
    fn speaks_of(&self, body: &str, kind: FindingKind) -> bool {
        let words = format!("\"{}: ", kind.title());
        let sentence = format!(": &str = {words}");
        let mut constants = self.detections.split("const ").filter_map(|text| {
            let (name, behind) = text.split_at_checked(text.find(':')?)?;
            behind.starts_with(&sentence).then_some(name)
        });
        [format!("K::{kind:?}"), words].iter().any(|text| body.contains(text))
            || constants.any(|name| body.contains(name))
    }
}

/// All files in a folder and its folders, one after the other.
fn text_below(path: &Path) -> String {
    if path.is_file() {
        return std::fs::read_to_string(path).unwrap();
    }
    std::fs::read_dir(path).unwrap().map(|entry| text_below(&entry.unwrap().path())).collect()
}
