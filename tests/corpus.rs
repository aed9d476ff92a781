//! Every capture of the corpus, whatever it holds, goes through the whole pipeline: no panic, no frame
//! unaccounted for, memory within its limits.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use gridtap::pipeline::{Pipeline, PipelineOptions};
use support::{Recorder, captures, corpus, read};

#[test]
fn every_capture_replays_within_the_limits() {
    let Some(corpus) = corpus("every_capture_replays_within_the_limits") else { return };
    let options = PipelineOptions::default();
    for path in captures(&corpus, &[]) {
        let frames = read(&path);
        let mut pipeline = Pipeline::new(&options, Recorder::new(None));
        for frame in &frames {
            pipeline.frame(&frame.as_frame());
        }
        pipeline.finish();
        let name = path.display();
        let (flow, decap) = (pipeline.flow_counters(), pipeline.decap_counters());
        assert_eq!(pipeline.counters().frames, frames.len() as u64, "{name}");
        assert_eq!(decap.frames, frames.len() as u64, "{name}");
        let outcomes = decap.tcp
            + decap.udp
            + decap.other_ip
            + decap.other_ethernet
            + decap.fragments_held
            + decap.duplicate_fragments
            + decap.checksum_discarded
            + decap.undecodable;
        assert_eq!(outcomes, decap.frames, "{name}: every frame has one outcome");
        assert!(flow.buffered_peak <= options.flows.total_bytes as u64, "{name}");
        assert!(flow.flows_peak <= options.flows.flows as u64, "{name}");
        assert_eq!(flow.flows_open, 0, "{name}: flows left open");
    }
}

/// Nothing but what we decode is taken for one of its protocols.
#[test]
fn other_protocols_are_not_taken_for_ours() {
    let Some(corpus) = corpus("other_protocols_are_not_taken_for_ours") else { return };
    let ours: Vec<_> = captures(&corpus, &["modbus", "dnp3", "iec104", "goose"]);
    for path in captures(&corpus, &[]).into_iter().filter(|p| !ours.contains(p)) {
        let seen = support::run(&read(&path), &PipelineOptions::default());
        assert!(seen.units.is_empty(), "{}: {:?}", path.display(), seen.units.first());
    }
}
