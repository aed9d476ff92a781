//! Every vector read by tshark: its values are those that the encoder wrote, wherever tshark knows the
//! object. What it does not know, or reads wrongly, is listed in `unknown.rs`, with the reason.
#![allow(clippy::unwrap_used, clippy::panic)]

mod dnp3;
mod goose;
mod iec104;
mod modbus;
mod unknown;

use std::collections::{BTreeMap, BTreeSet};

use simulators::tshark;
use simulators::vectors::{Expected, Vector, VectorFrame, frames};
use simulators::wire::LINKTYPE_ETHERNET;

/// Values by field, in the order of the frame.
type Readings = BTreeMap<&'static str, Vec<String>>;

/// What one line should show, and what it shows.
fn compare_all(
    name: &str,
    vectors: &[Vector],
    port: u16,
    fields: &'static [&'static str],
    expect: impl Fn(&str, &Expected, usize, &Vector) -> Readings,
    clean: impl Fn(&str, &str) -> String,
) {
    let all = frames(vectors, port);
    let plain: Vec<_> = all.iter().map(|f| f.frame.clone()).collect();
    let Some(rows) = tshark::run(name, &plain, LINKTYPE_ETHERNET, &[], fields) else { return };
    assert_eq!(rows.len(), all.len(), "a row a frame");
    let mut wrong = Vec::new();
    let mut compared = 0;
    let mut explained = BTreeSet::new();
    for (VectorFrame { holds, .. }, row) in all.iter().zip(rows) {
        let Some((index, line)) = *holds else { continue };
        let vector = &vectors[index];
        let found: BTreeMap<&str, Vec<String>> = fields
            .iter()
            .zip(&row)
            .map(|(field, values)| (*field, values.iter().map(|v| clean(field, v)).collect()))
            .collect();
        for (field, expected) in expect(&vector.name, &vector.expected[line], line, vector) {
            if found[field] == expected {
                compared += expected.len();
            } else if let Some(entry) = unknown::explanation(&vector.name, field) {
                explained.insert(entry);
            } else {
                let found = &found[field];
                wrong.push(format!("{}, line {line}: {field} is {found:?}, not {expected:?}", vector.name));
            }
        }
    }
    println!("{name}: {compared} values compared with tshark's");
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
    assert!(compared > 10_000, "{compared} values are too few to mean anything");
    for (entry, (name, field, reason)) in unknown::KNOWN.iter().enumerate() {
        let concerned = vectors.iter().any(|v| v.name.starts_with(name))
            && (field.is_empty() || fields.iter().any(|f| f.starts_with(field)));
        assert!(!concerned || explained.contains(&entry), "no longer needed: {name} {field}: {reason}");
    }
}

#[test]
fn tshark_reads_the_modbus_vectors_as_they_were_written() {
    let vectors = simulators::vectors::modbus::all();
    compare_all("modbus vectors", &vectors, 502, modbus::FIELDS, modbus::expect, modbus::clean);
}

#[test]
fn tshark_reads_the_dnp3_vectors_as_they_were_written() {
    let vectors = simulators::vectors::dnp3::all();
    compare_all("dnp3 vectors", &vectors, 20000, dnp3::FIELDS, dnp3::expect, dnp3::clean);
}

#[test]
fn tshark_reads_the_iec104_vectors_as_they_were_written() {
    let vectors = simulators::vectors::iec104::all();
    compare_all("iec104 vectors", &vectors, 2404, iec104::FIELDS, iec104::expect, iec104::clean);
}
