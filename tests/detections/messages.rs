//! Publishers of the tests: messages octet by octet, and what is said of them.

use gridtap::report::catalogue::FindingKind as K;
use serde_json::Value;
use simulators::wire::{START_NS, TimedFrame};

use super::support::judge::{Outcome, judged, judged_changing, judged_losing};

pub(super) const SECOND: u64 = 1_000_000_000;
pub(super) const MS: u64 = 1_000_000;

/// One message and the frame around it.
#[derive(Clone)]
pub(super) struct Goose {
    pub(super) at: u64,
    pub(super) from: u8,
    pub(super) to: u8,
    pub(super) appid: u16,
    pub(super) vlan: Vec<u8>,
    pub(super) block: &'static str,
    pub(super) data_set: &'static str,
    pub(super) state: u32,
    pub(super) sequence: u32,
    /// Seconds of `t` against the start.
    pub(super) t: i64,
    pub(super) simulated: bool,
    pub(super) revision: u8,
    pub(super) commissioning: bool,
    pub(super) data: Vec<u8>,
    pub(super) allowed_ms: u16,
}

pub(super) const OFF: &[u8] = &[0x83, 1, 0];
pub(super) const ON: &[u8] = &[0x83, 1, 0xFF];

pub(super) fn goose(at: u64, state: u32, sequence: u32) -> Goose {
    Goose {
        at,
        from: 1,
        to: 1,
        appid: 0x0001,
        vlan: Vec::new(),
        block: "BAY1/LLN0$GO$gcb1",
        data_set: "BAY1/LLN0$Trip",
        state,
        sequence,
        t: 0,
        simulated: false,
        revision: 1,
        commissioning: false,
        data: OFF.to_vec(),
        allowed_ms: 2500,
    }
}

fn element(tag: u8, value: &[u8]) -> Vec<u8> {
    [&[tag, u8::try_from(value.len()).unwrap()], value].concat()
}

fn number(number: u32) -> Vec<u8> {
    let octets = number.to_be_bytes();
    [&[0], &octets[..]].concat()
}

impl Goose {
    pub(super) fn frame(&self) -> TimedFrame {
        let seconds = u32::try_from(i64::try_from(START_NS / SECOND).unwrap() + self.t).unwrap();
        let body = [
            element(0x80, self.block.as_bytes()),
            element(0x81, &self.allowed_ms.to_be_bytes()),
            element(0x82, self.data_set.as_bytes()),
            element(0x83, b"BAY1_TRIP"),
            element(0x84, &[&seconds.to_be_bytes()[..], &[0, 0, 0, 0x0A]].concat()),
            element(0x85, &number(self.state)),
            element(0x86, &number(self.sequence)),
            element(0x87, &[u8::from(self.simulated)]),
            element(0x88, &[self.revision]),
            element(0x89, &[u8::from(self.commissioning)]),
            element(0x8A, &[u8::try_from(self.data.len() / 3).unwrap()]),
            element(0xAB, &self.data),
        ]
        .concat();
        let apdu = [&[0x61, 0x81, u8::try_from(body.len()).unwrap()], &body[..]].concat();
        let length = u16::try_from(apdu.len() + 8).unwrap();
        let tags: Vec<u8> = self.vlan.iter().flat_map(|id| [0x81, 0, 0x80, *id]).collect();
        let bytes = [
            &[1, 0x0C, 0xCD, 1, 0, self.to, 2, 0, 0, 0, 0, self.from],
            &tags[..],
            &[0x88, 0xB8],
            &self.appid.to_be_bytes(),
            &length.to_be_bytes(),
            &[0; 4],
            &apdu,
        ]
        .concat();
        TimedFrame { at_ns: START_NS + self.at, bytes }
    }
}

/// A publisher that repeats its state every second.
pub(super) fn steady(first: u64, last: u64, state: u32) -> Vec<Goose> {
    (first..=last).map(|n| goose(n * SECOND, state, u32::try_from(n - first).unwrap())).collect()
}

/// Another publisher, so that the tap is never silent.
pub(super) fn other(seconds: u64) -> Vec<Goose> {
    let of_bay_2 = |n: u64| Goose {
        from: 2,
        to: 2,
        appid: 0x0002,
        block: "BAY2/LLN0$GO$gcb1",
        ..goose(n * SECOND + 500 * MS, 7, u32::try_from(n + 3).unwrap())
    };
    (0..seconds).map(of_bay_2).collect()
}

pub(super) fn seen(messages: &[Goose]) -> Outcome {
    seen_by(&[], None, messages)
}

pub(super) fn seen_by(drops: &[u64], profile: Option<&str>, messages: &[Goose]) -> Outcome {
    let mut frames: Vec<_> = messages.iter().map(Goose::frame).collect();
    frames.sort_by_key(|frame| frame.at_ns);
    if drops.is_empty() {
        return judged(&frames, profile, "goose");
    }
    let drops: Vec<_> = drops.iter().map(|at| START_NS + at).collect();
    judged_losing(&drops, &frames, profile, "goose")
}

/// Another profile comes into force after these seconds.
pub(super) fn seen_changing(second: u64, profiles: [&str; 2], messages: &[Goose]) -> Outcome {
    let mut frames: Vec<_> = messages.iter().map(Goose::frame).collect();
    frames.sort_by_key(|frame| frame.at_ns);
    let change = (START_NS + second * SECOND, profiles[1]);
    judged_changing(&[change], &[], &frames, Some(profiles[0]), "goose")
}

/// The one finding there is.
pub(super) fn only(outcome: &Outcome, kind: K) -> Value {
    assert_eq!(outcome.kinds(), [kind.name()], "{}", outcome.text);
    outcome.findings[0].clone()
}

/// The one finding there is, besides the missing number of a message that was altered on its way.
pub(super) fn altered(outcome: &Outcome, kind: K) -> Value {
    assert_eq!(outcome.kinds(), [kind.name(), "goose_sequence"], "{}", outcome.text);
    outcome.findings[0].clone()
}

pub(super) fn says(finding: &Value) -> &str {
    finding["explanation"].as_str().unwrap()
}

/// What happened to publishers, one word each.
pub(super) fn happened(outcome: &Outcome, block: &str) -> Vec<String> {
    let lines = outcome.text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines
        .filter(|line| line["event"] == "publication" && line["control_block"] == block)
        .map(|line| line["what"].as_str().unwrap().to_owned())
        .collect()
}

pub(super) const BAY1: &str = "BAY1/LLN0$GO$gcb1";

/// A trip, as it should be: the state changes, is repeated quickly, then ever more slowly.
pub(super) fn trip(at: u64, state: u32) -> Vec<Goose> {
    [0, 4, 12, 28, 60, 124, 252, 508, 1020, 2020, 3020]
        .into_iter()
        .zip(0..)
        .map(|(ms, sequence)| Goose {
            t: i64::try_from(at / SECOND).unwrap(),
            data: ON.to_vec(),
            ..goose(at + ms * MS, state, sequence)
        })
        .collect()
}
