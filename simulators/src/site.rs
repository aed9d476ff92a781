//! A site's traffic as a capture: the library's way in.
//!
//! The same scenario, attacks, seed and duration give the same bytes, on every machine.

use std::io::{self, Write};
use std::time::Duration;

use crate::attack::{Attack, Label};
use crate::engine::World;
pub use crate::engine::sink::Format;
use crate::engine::sink::Sink;
use crate::scenario::Scenario;

/// What a run gave.
#[derive(Debug, Clone)]
pub struct Summary {
    /// Frames written.
    pub frames: u64,
    /// What is true about the attacks, in the order of their file.
    pub labels: Vec<Label>,
    /// Attacks that left no frame, by behaviour and target: they began too late, or found no victim.
    pub without_trace: Vec<String>,
}

/// Write a site's traffic into a capture.
pub fn write(
    scenario: &Scenario,
    attacks: &[Attack],
    seed: u64,
    duration: Duration,
    format: Format,
    out: Box<dyn Write + '_>,
) -> io::Result<Summary> {
    let length = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX / 2);
    let mut world = World::new(scenario, seed, None, length, Sink::new(out, format));
    world.add_attacks(attacks, seed);
    world.run();
    let (labels, without_trace) = (world.labels(), world.without_trace());
    let frames = world.sink.finish()?;
    Ok(Summary { frames, labels, without_trace })
}

/// A site's traffic as a pcap file in memory, with the labels of its attacks.
pub fn capture(
    scenario: &Scenario,
    attacks: &[Attack],
    seed: u64,
    duration: Duration,
) -> (Vec<u8>, Vec<Label>) {
    let mut bytes = Vec::new();
    let run = write(scenario, attacks, seed, duration, Format::Pcap, Box::new(&mut bytes));
    // Writing into memory does not fail.
    let labels = run.map(|summary| summary.labels).unwrap_or_default();
    (bytes, labels)
}
