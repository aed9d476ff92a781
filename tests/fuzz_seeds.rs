//! The fuzz targets' bodies on their seeds: what the simulators say, mutations of it, and every input that
//! once went wrong (`fuzz/seeds/`).
//!
//! With `GRIDTAP_FUZZ_CORPUS=fuzz/corpus` the generated seeds are written there for `cargo fuzz run`.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::Path;

use simulators::wire::Prng;

mod fuzzing;
#[path = "fuzzing/seeds.rs"]
mod seeds;

/// Mutations of each target's seeds.
const MUTATIONS: usize = 600;

fn run(target: &str, seeds: &[Vec<u8>], check: fn(&[u8])) {
    assert!(seeds.len() > 20, "{} seeds for {target}", seeds.len());
    if let Some(corpus) = std::env::var_os("GRIDTAP_FUZZ_CORPUS") {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(corpus).join(target);
        std::fs::create_dir_all(&folder).unwrap();
        for (n, seed) in seeds.iter().enumerate() {
            std::fs::write(folder.join(format!("seed-{n:04}")), seed).unwrap();
        }
    }
    for (name, input) in kept(target) {
        attempt(&format!("fuzz/seeds/{target}/{name}"), &input, check);
    }
    for (n, seed) in seeds.iter().enumerate() {
        attempt(&format!("{target} seed {n}"), seed, check);
    }
    let mut prng = Prng::new(2);
    for n in 0..MUTATIONS {
        let mut input = seeds[prng.below(seeds.len() as u64) as usize].clone();
        let other = &seeds[prng.below(seeds.len() as u64) as usize];
        for _ in 0..=prng.below(4) {
            mutate(&mut input, other, &mut prng);
        }
        attempt(&format!("{target} mutation {n}"), &input, check);
    }
}

/// Say which input it was.
fn attempt(name: &str, input: &[u8], check: fn(&[u8])) {
    let result = std::panic::catch_unwind(|| check(input));
    assert!(result.is_ok(), "{name}: {}", hex(input));
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Inputs that once went wrong, by name.
fn kept(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target);
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut inputs: Vec<_> = entries
        .map(|entry| {
            let path = entry.unwrap().path();
            (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(&path).unwrap())
        })
        .collect();
    inputs.sort();
    inputs
}

fn mutate(input: &mut Vec<u8>, other: &[u8], prng: &mut Prng) {
    if input.is_empty() {
        input.push(0);
    }
    let at = prng.below(input.len() as u64) as usize;
    match prng.below(7) {
        0 => input[at] ^= 1 << prng.below(8),
        1 => input[at] = [0, 1, 0x7f, 0x80, 0xff][prng.below(5) as usize],
        2 => input[at] = prng.next_u64() as u8,
        3 => input.insert(at, prng.next_u64() as u8),
        4 => drop(input.drain(at..input.len().min(at + 1 + prng.below(8) as usize))),
        5 => {
            let end = input.len().min(at + 1 + prng.below(30) as usize);
            let part = input[at..end].to_vec();
            input.splice(at..at, part);
        }
        _ => {
            let from = prng.below(other.len().max(1) as u64) as usize;
            input.splice(at.., other[from.min(other.len())..].iter().copied());
        }
    }
}

#[test]
fn modbus_seeds_and_mutations() {
    run("modbus", &seeds::modbus(), |data| {
        fuzzing::session::check(&parsers::modbus::DISSECTOR, data);
    });
}

#[test]
fn dnp3_seeds_and_mutations() {
    run("dnp3", &seeds::dnp3(), |data| fuzzing::session::check(&parsers::dnp3::DISSECTOR, data));
}

#[test]
fn iec104_seeds_and_mutations() {
    run("iec104", &seeds::iec104(), |data| fuzzing::session::check(&parsers::iec104::DISSECTOR, data));
}

#[test]
fn goose_seeds_and_mutations() {
    run("goose", &seeds::goose(), fuzzing::goose::check);
}

#[test]
fn reassembly_seeds_and_mutations() {
    run("reassembly", &seeds::reassembly(), fuzzing::reassembly::check);
}

#[test]
fn scl_seeds_and_mutations() {
    run("scl", &seeds::scl(), fuzzing::scl::check);
}

#[test]
fn file_seeds_and_mutations() {
    run("files", &seeds::files(), fuzzing::files::check);
}
