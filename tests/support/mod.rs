//! What the end-to-end tests share: running frames through the pipeline and keeping what came out.
#![allow(dead_code, clippy::unwrap_used, clippy::panic, missing_docs, unreachable_pub)]

pub mod judge;
pub mod kinds;
pub mod net;

use std::path::{Path, PathBuf};

use gridtap::capture::file::open_files;
use gridtap::capture::{Frame, FrameSource, LinkType, Next};
use gridtap::detect::{Detector, FindingSink};
use gridtap::flow::Overlap;
use gridtap::pipeline::{Consumer, FlowContext, Pipeline, PipelineOptions};
use gridtap::report::finding::Finding;
use gridtap::report::json::{Json, JsonFields};
use parsers::{Defect, Direction, FlowInfo, FrameRef, Gap, Operation, Timestamp, Unit};

/// A frame that owns its bytes.
#[derive(Clone, Debug)]
pub struct OwnedFrame {
    pub at: Timestamp,
    pub number: u64,
    pub link: LinkType,
    pub wire_len: u32,
    pub bytes: Vec<u8>,
}

impl OwnedFrame {
    pub fn as_frame(&self) -> Frame<'_> {
        Frame {
            at: self.at,
            place: FrameRef { tap: 0, number: self.number },
            link: self.link,
            wire_len: self.wire_len,
            bytes: &self.bytes,
        }
    }
}

/// A unit as text, with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenUnit {
    pub flow: String,
    pub sender: String,
    pub direction: Direction,
    pub first_frame: u64,
    pub frame: u64,
    pub recovered: bool,
    pub json: String,
}

/// An operation in short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenOperation {
    pub flow: String,
    pub sender: String,
    pub direction: Direction,
    pub first_frame: u64,
    pub frame: u64,
    pub protocol: &'static str,
    pub exchange: &'static str,
    pub station: Option<u32>,
    pub function: (u8, Option<u16>),
    pub name: &'static str,
    pub action: &'static str,
    pub paired: bool,
    pub ranges: Vec<(String, u32, u32)>,
    pub points: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenDefect {
    pub kind: &'static str,
    pub check: &'static str,
    pub frame: u64,
    pub skipped: u64,
    pub text: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenFinding {
    pub kind: &'static str,
    pub id: &'static str,
    pub at: Timestamp,
    pub client: String,
    pub server: String,
    pub station: Option<u32>,
    pub frames: Vec<u64>,
    pub expected: String,
    pub observed: String,
}

/// Everything that came out.
#[derive(Default, Clone, Debug)]
pub struct Seen {
    pub units: Vec<SeenUnit>,
    pub operations: Vec<SeenOperation>,
    pub defects: Vec<SeenDefect>,
    pub findings: Vec<SeenFinding>,
    pub overlaps: usize,
    pub gaps: usize,
    pub one_way: usize,
    pub unexpected_ports: usize,
}

pub struct Recorder {
    pub detector: Detector,
    pub seen: Seen,
    json: Json,
}

impl Recorder {
    /// A recorder that judges with `profile`, if there is one.
    pub fn new(profile: Option<profiles::Compiled>) -> Recorder {
        Recorder { detector: Detector::new(profile), seen: Seen::default(), json: Json::new() }
    }
}

struct Findings<'a>(&'a mut Vec<SeenFinding>);

impl FindingSink for Findings<'_> {
    fn finding(&mut self, finding: &Finding<'_>) {
        self.0.push(SeenFinding {
            kind: finding.kind.name(),
            id: finding.kind.id(),
            at: finding.at,
            client: finding.client.to_string(),
            server: finding.server.to_string(),
            station: finding.station.number(),
            frames: finding.frames.iter().map(|f| f.number).collect(),
            expected: finding.expected.to_string(),
            observed: finding.observed.to_string(),
        });
    }
}

fn flow_name(flow: &FlowInfo) -> String {
    let mut ends = [flow.client.to_string(), flow.server.to_string()];
    ends.sort();
    ends.join(" ")
}

impl Consumer for Recorder {
    fn unit(&mut self, _: &mut FlowContext, unit: &Unit<'_>) {
        self.json.clear();
        self.json.open_object();
        let mut fields = JsonFields::new(&mut self.json);
        unit.detail.fields(&mut fields);
        fields.finish();
        self.json.close_object();
        self.seen.units.push(SeenUnit {
            flow: flow_name(unit.flow),
            sender: unit.flow.sender(unit.direction).to_string(),
            direction: unit.direction,
            first_frame: unit.origin.first_frame.number,
            frame: unit.origin.frame.number,
            recovered: unit.recovered,
            json: String::from_utf8(self.json.bytes().to_vec()).unwrap(),
        });
    }

    fn operation(&mut self, context: &mut FlowContext, op: &Operation<'_>) {
        let mut points = Vec::new();
        op.detail.points(&mut |p| points.push(format!("{p:?}")));
        self.seen.operations.push(SeenOperation {
            flow: flow_name(op.flow),
            sender: op.flow.sender(op.direction).to_string(),
            direction: op.direction,
            first_frame: op.origin.first_frame.number,
            frame: op.origin.frame.number,
            protocol: op.protocol.name(),
            exchange: op.exchange.name(),
            station: op.station.number(),
            function: (op.function.code, op.function.sub),
            name: op.function.name,
            action: op.action.name(),
            paired: op.answers.is_some(),
            ranges: op.ranges.iter().map(|r| (r.kind().name().to_owned(), r.first(), r.last())).collect(),
            points,
        });
        self.detector.operation(context, op, &mut Findings(&mut self.seen.findings));
    }

    fn defect(&mut self, context: &mut FlowContext, defect: &Defect<'_>) {
        self.seen.defects.push(SeenDefect {
            kind: defect.kind.name(),
            check: defect.check,
            frame: defect.origin.frame.number,
            skipped: defect.skipped,
            text: format!("{} / {}", defect.expected, defect.observed),
        });
        self.detector.defect(context, defect, &mut Findings(&mut self.seen.findings));
    }

    fn overlap(&mut self, context: Option<&mut FlowContext>, flow: &FlowInfo, overlap: &Overlap<'_>) {
        self.seen.overlaps += 1;
        let findings = &mut Findings(&mut self.seen.findings);
        self.detector.overlap(context.as_deref(), flow, overlap, findings);
    }

    fn gap(&mut self, _: Option<&mut FlowContext>, _: &FlowInfo, _: &Gap<'_>) {
        self.seen.gaps += 1;
    }

    fn one_way(&mut self, _: Option<&mut FlowContext>, _: &FlowInfo) {
        self.seen.one_way += 1;
    }

    fn unexpected_port(&mut self, context: &mut FlowContext, flow: &FlowInfo, chunk: &parsers::Chunk<'_>) {
        self.seen.unexpected_ports += 1;
        self.detector.unexpected_port(context, flow, chunk, &mut Findings(&mut self.seen.findings));
    }
}

/// Run frames through the whole pipeline without a profile.
pub fn run(frames: &[OwnedFrame], options: &PipelineOptions) -> Seen {
    run_with(frames, options, None)
}

/// Run frames through the whole pipeline with a profile.
pub fn run_with(
    frames: &[OwnedFrame],
    options: &PipelineOptions,
    profile: Option<profiles::Compiled>,
) -> Seen {
    let mut pipeline = Pipeline::new(options, Recorder::new(profile));
    for frame in frames {
        pipeline.frame(&frame.as_frame());
    }
    pipeline.finish();
    pipeline.into_consumer().seen
}

/// Options for looking at units rather than judging: frames seen twice are shown twice.
pub fn plain_options() -> PipelineOptions {
    PipelineOptions { deduplicate: false, ..PipelineOptions::default() }
}

/// All frames of a capture.
pub fn read(path: &Path) -> Vec<OwnedFrame> {
    let mut source = open_files(&[path.to_owned()]).unwrap();
    let mut frames = Vec::new();
    loop {
        match source.next().unwrap() {
            Next::Frame(f) => frames.push(OwnedFrame {
                at: f.at,
                number: f.place.number,
                link: f.link,
                wire_len: f.wire_len,
                bytes: f.bytes.to_vec(),
            }),
            Next::Idle(_) => {}
            Next::End => return frames,
        }
    }
}

/// The corpus of real captures, or `None` after saying that the test is skipped.
pub fn corpus(test: &str) -> Option<PathBuf> {
    let path = std::env::var_os("GRIDTAP_CORPUS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus"), PathBuf::from);
    if path.join("MANIFEST.toml").exists() {
        return Some(path);
    }
    skip(test, &format!("no corpus at {} (set GRIDTAP_CORPUS)", path.display()));
    None
}

/// Say that a test cannot run here; a failure where nothing may be skipped.
pub fn skip(test: &str, reason: &str) {
    assert!(std::env::var_os("GRIDTAP_NO_SKIP").is_none(), "{test} may not be skipped here: {reason}");
    eprintln!("SKIPPED {test}: {reason}");
}

/// Paths of the corpus's captures that hold one of these protocols; all for an empty list.
pub fn captures(corpus: &Path, protocols: &[&str]) -> Vec<PathBuf> {
    let text = std::fs::read_to_string(corpus.join("MANIFEST.toml")).unwrap();
    let manifest: toml::Table = text.parse().unwrap();
    let mut paths = Vec::new();
    for entry in manifest["file"].as_array().unwrap() {
        let has = |p: &toml::Value| protocols.contains(&p.as_str().unwrap());
        if protocols.is_empty() || entry["protocols"].as_array().unwrap().iter().any(has) {
            paths.push(corpus.join(entry["path"].as_str().unwrap()));
        }
    }
    paths
}

/// A small generator of reproducible numbers (xorshift64*).
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }
    /// A number below `limit`.
    pub fn below(&mut self, limit: usize) -> usize {
        (self.next() >> 33) as usize % limit.max(1)
    }
}
