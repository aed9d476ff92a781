//! Command to consequence: the one line per control, and what is found in how controls are given.

mod effects;
mod given;
mod lines;

use gridtap::report::catalogue::FindingKind as K;
use serde_json::Value;
use simulators::encode::dnp3::{self, Header, Prefix, Range, Sample, object};
use simulators::encode::modbus::{Request, Response};
use simulators::value::Value as Datum;
use simulators::wire::{Line, START_NS, Side, TcpTalk, TimedFrame};

use crate::support::judge::{
    Outcome, address, answer, ask, command, crob, dnp3 as over_dnp3, judged, judged_by, midstream, modbus,
    one_way, report,
};

const SECOND: u64 = 1_000_000_000;
const TRIP: u8 = 0x81;
const CLOSE: u8 = 0x41;
const LATCH_ON: u8 = 3;
const LATCH_OFF: u8 = 4;
const SELECT: u8 = 3;
const OPERATE: u8 = 4;
const DIRECT: u8 = 5;
const DIRECT_NO_ACK: u8 = 6;
const LOCAL: u8 = 7;

const PROFILE: &str = crate::substation!(
    r#"
[stations.FDR-12]
protocol = "dnp3"
host = "rtu"
link_address = 10
[stations.pump]
protocol = "modbus"
host = "rtu"
unit_id = 5
[[rules]]
name = "scada controls"
from = "scada"
to = ["FDR-12", "pump"]
allow = ["read", "report", "write", "select", "operate", "direct_operate", "time", "configure", "confirm"]
"#
);

/// A DNP3 master and its outstation 10, line by line.
#[derive(Default)]
struct Talk {
    lines: Vec<Line>,
    sequence: u8,
    iin: [u8; 2],
}

impl Talk {
    fn new() -> Talk {
        Talk::default()
    }

    /// A request without an answer.
    fn ask(mut self, after_ns: u64, function: u8, objects: &[u8]) -> Talk {
        self.sequence = (self.sequence + 1) % 16;
        self.lines.push(command(10, &dnp3::request(self.sequence, function, objects)).after(after_ns));
        self
    }

    /// The answer to the last request, 20 ms later.
    fn answer(mut self, objects: &[u8]) -> Talk {
        let fragment = dnp3::response(self.sequence, self.iin, objects);
        self.lines.push(report(10, &fragment).after(20_000_000));
        self
    }

    /// A request and its answer.
    fn exchange(self, after_ns: u64, function: u8, objects: &[u8], answer: &[u8]) -> Talk {
        self.ask(after_ns, function, objects).answer(answer)
    }

    /// A control of output 3 that is accepted.
    fn control(self, after_ns: u64, function: u8, code: u8) -> Talk {
        let order = crob(3, code);
        self.exchange(after_ns, function, &order, &order)
    }

    fn select_operate(self, after_ns: u64, code: u8) -> Talk {
        self.control(after_ns, SELECT, code).control(SECOND, OPERATE, code)
    }

    /// A poll of the states of outputs 0 to 3; output 3 is `on`.
    fn poll(self, after_ns: u64, on: bool) -> Talk {
        let ask = Header::new(10, 0, Range::All).encode();
        let state = |on| {
            object(10, 2, &Sample { value: Datum::Bit(on), flags: 1, status: 0, time_ms: 0, base_ms: 0 })
        };
        let states = [Header::new(10, 2, Range::Points8(2, 3)).encode(), state(false), state(on)].concat();
        self.exchange(after_ns, 1, &ask, &states)
    }

    /// Polls, one a second.
    fn polls(self, seconds: usize, on: bool) -> Talk {
        (0..seconds).fold(self, |talk, _| talk.poll(SECOND, on))
    }

    /// Time passes, and the master polls something else.
    fn later(self, seconds: u64) -> Talk {
        let classes = Header::new(60, 2, Range::All).encode();
        self.exchange(seconds * SECOND, 1, &classes, &[])
    }

    fn talk(self) -> TcpTalk {
        over_dnp3(self.lines)
    }

    fn frames(self) -> Vec<TimedFrame> {
        self.talk().frames()
    }

    fn judged(self) -> Outcome {
        judged(&self.frames(), None, "a.pcap")
    }
}

/// A control whose answer has this status octet.
fn refused(index: u8, code: u8, status: u8) -> Vec<u8> {
    let sample = Sample { value: Datum::Crob(code, 1, 100, 0), flags: 1, status, time_ms: 0, base_ms: 0 };
    let header = Header::prefixed(12, 1, Prefix::Index8, Range::Count8(1));
    [header.encode(), vec![index], object(12, 1, &sample)].concat()
}

fn controls(outcome: &Outcome) -> Vec<Value> {
    outcome
        .text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|line| line["what"] == "control_completed")
        .collect()
}

fn messages(outcome: &Outcome) -> Vec<String> {
    controls(outcome).iter().map(|line| line["message"].as_str().unwrap().to_owned()).collect()
}

fn outcomes(outcome: &Outcome) -> Vec<String> {
    controls(outcome).iter().map(|line| line["outcome"].as_str().unwrap().to_owned()).collect()
}

fn says(outcome: &Outcome, kind: K) -> Vec<String> {
    outcome.of(kind).iter().map(|f| f["explanation"].as_str().unwrap().to_owned()).collect()
}

/// Nothing of medium or higher.
fn quiet(outcome: &Outcome) {
    let loud: Vec<_> = outcome
        .findings
        .iter()
        .filter(|f| !matches!(f["severity"].as_str(), Some("info" | "low")))
        .map(|f| f["explanation"].to_string())
        .collect();
    assert!(loud.is_empty(), "{loud:#?}");
}

/// Frames lost by the tap, counted from 0.
fn without(mut frames: Vec<TimedFrame>, lost: usize) -> Vec<TimedFrame> {
    frames.remove(lost);
    frames
}
