//! The line of an operation: the one part of the event log that may run at the pace of the traffic.
//!
//! What a flow's lines have in common (its ends, VLAN, Community ID) is rendered once and kept.

use parsers::{Action, FlowInfo, Operation, Outcome, Point, StationAddress, Value};

use super::event::{Common, flow_members, function_object, head, parties, point_kind, station};
use super::json::Json;
use super::record::{Judgement, OperationsLog};
use crate::dispatch::SHARDS;

/// Points with values in an event; the rest are counted.
pub const EVENT_POINTS: usize = 128;
/// Octets of a value without a known meaning that an event shows; the rest are counted.
pub const VALUE_OCTETS: usize = 256;
/// Flows of a shard whose rendered part is kept. The place is taken from the flow's number, which rises by
/// the number of shards.
const FLOWS_KEPT: usize = 64;

/// `control` for what changes something in or at a station, `operation` for the rest.
pub fn event_name(action: Action) -> &'static str {
    match action {
        Action::Write
        | Action::Select
        | Action::Operate
        | Action::DirectOperate
        | Action::Freeze
        | Action::Time
        | Action::File
        | Action::Program
        | Action::Restart
        | Action::Configure => "control",
        _ => "operation",
    }
}

/// Whether the log holds operations of this class.
pub fn is_logged(choice: OperationsLog, action: Action) -> bool {
    match choice {
        OperationsLog::All => true,
        OperationsLog::Control => !action.is_plain_read(),
        OperationsLog::None => false,
    }
}

#[derive(Debug, Clone, Default)]
struct Kept {
    /// Flow number and whether its client is the master; `None` while the place is free.
    key: Option<(u64, bool)>,
    members: Vec<u8>,
}

/// The rendered parts of flows, direct-mapped.
#[derive(Debug)]
pub(super) struct FlowParts {
    kept: Vec<Kept>,
    scratch: Json,
}

impl FlowParts {
    pub(super) fn new() -> FlowParts {
        FlowParts { kept: Vec::new(), scratch: Json::new() }
    }

    fn of(&mut self, flow: &FlowInfo, client_is_master: bool) -> &[u8] {
        let place = flow.id as usize / SHARDS % FLOWS_KEPT;
        if self.kept.is_empty() {
            self.kept.resize(FLOWS_KEPT, Kept::default());
        }
        let kept = &mut self.kept[place];
        let key = Some((flow.id, client_is_master));
        if kept.key != key {
            self.scratch.clear();
            let (master, station) =
                if client_is_master { (flow.client, flow.server) } else { (flow.server, flow.client) };
            parties(&mut self.scratch, master, station);
            flow_members(&mut self.scratch, flow);
            kept.members.clear();
            kept.members.extend_from_slice(self.scratch.bytes());
            kept.key = key;
        }
        &kept.members
    }
}

/// A whole line about an operation.
pub(super) fn operation_line(
    json: &mut Json,
    common: &Common,
    flows: &mut FlowParts,
    operation: &Operation<'_>,
    judgement: &Judgement<'_>,
) {
    head(json, common, operation.origin.at, event_name(operation.action));
    json.key("protocol");
    json.word(operation.protocol.name());
    json.key("exchange");
    json.word(operation.exchange.name());
    let client_is_master = operation.master_endpoint() == operation.flow.client;
    json.raw_members(flows.of(operation.flow, client_is_master));
    if let Some(name) = judgement.client_name {
        json.key("client_name");
        json.text(name);
    }
    station(json, operation.station, judgement.station_name, operation.station_endpoint());
    if let Some(address) = master_address(operation.master) {
        json.key("master_address");
        json.unsigned(address);
    }
    json.key("action");
    json.word(operation.action.name());
    json.key("function");
    function_object(json, operation.function);
    if let Some(requested) = operation.requested
        && requested != operation.function
    {
        json.key("requested");
        function_object(json, requested);
    }
    points(json, operation);
    answer(json, operation);
    json.key("sequence");
    json.unsigned(operation.sequence.into());
    if operation.broadcast {
        json.key("broadcast");
        json.boolean(true);
    }
    if operation.recovered {
        json.key("recovered");
        json.boolean(true);
    }
    json.key("verdict");
    json.word(judgement.verdict.name());
    if let Some(rule) = judgement.rule {
        json.key("rule");
        json.text(rule);
    }
    common.capture_member(json, operation.origin.frame.tap);
    json.key("frame");
    json.unsigned(operation.origin.frame.number);
    if operation.origin.first_frame.number != operation.origin.frame.number {
        json.key("first_frame");
        json.unsigned(operation.origin.first_frame.number);
    }
    json.close_object();
    json.newline();
}

fn master_address(address: StationAddress) -> Option<u64> {
    address.number().map(u64::from)
}

/// `outcome`, `outcome_code`, `latency_ms`, `answers_frame`.
fn answer(json: &mut Json, operation: &Operation<'_>) {
    match operation.outcome {
        Outcome::None => {}
        Outcome::Success => {
            json.key("outcome");
            json.word("success");
        }
        Outcome::Refused { code, name } => {
            json.key("outcome");
            json.word("refused");
            json.key("outcome_code");
            json.unsigned(code.into());
            json.key("outcome_name");
            json.word(name);
        }
    }
    if let (Some(answered), Some(latency)) = (operation.answers, operation.latency_ns()) {
        json.key("latency_ms");
        json.milliseconds(latency);
        json.key("answers_frame");
        json.unsigned(answered.frame.number);
    }
}

fn points(json: &mut Json, operation: &Operation<'_>) {
    json.key("points");
    json.open_list();
    let mut seen = 0usize;
    operation.detail.points(&mut |point| {
        seen += 1;
        if seen <= EVENT_POINTS {
            one_point(json, point);
        }
    });
    json.close_list();
    if seen > EVENT_POINTS {
        json.key("points_omitted");
        json.unsigned((seen - EVENT_POINTS) as u64);
    }
    if seen > 0 || operation.ranges.is_empty() {
        return;
    }
    // No values (a read request): the ranges say what it is about.
    json.key("ranges");
    super::event::ranges(json, operation.ranges);
    if operation.more_ranges {
        json.key("more_ranges");
        json.boolean(true);
    }
}

/// `{kind, address, object, value..., flags, flag_names, status, time}`
pub(super) fn one_point(json: &mut Json, point: &Point<'_>) {
    json.open_object();
    json.key("kind");
    point_kind(json, point.kind);
    if let Some(address) = point.address {
        json.key("address");
        json.unsigned(address.into());
    }
    if let Some((group, variation)) = point.object {
        json.key("group");
        json.unsigned(group.into());
        json.key("variation");
        json.unsigned(variation.into());
    }
    value(json, &point.value);
    if let Some(flags) = point.flags {
        json.key("flags");
        json.unsigned(flags.into());
        json.key("flag_names");
        json.open_list();
        for bit in 0..8 {
            if flags & (1 << bit) != 0
                && let Some(name) = point.kind.flag_name(bit)
            {
                json.word(name);
            }
        }
        json.close_list();
    }
    if let Some(status) = point.status {
        json.key("status");
        json.unsigned(status.into());
    }
    if let Some(time_ms) = point.time_ms {
        json.key("time");
        point_time(json, time_ms);
    }
    json.close_object();
}

/// RFC 3339 where the time lies in the range of packet times, else the milliseconds as a number.
fn point_time(json: &mut Json, time_ms: u64) {
    match time_ms.checked_mul(1_000_000) {
        Some(ns) => json.time(parsers::Timestamp(ns)),
        None => json.unsigned(time_ms),
    }
}

fn value(json: &mut Json, value: &Value<'_>) {
    if matches!(value, Value::None) {
        return;
    }
    json.key("value");
    match *value {
        Value::None => {}
        Value::Bit(bit) => json.boolean(bit),
        Value::DoubleBit(0) => json.word("intermediate"),
        Value::DoubleBit(1) => json.word("off"),
        Value::DoubleBit(2) => json.word("on"),
        Value::DoubleBit(3) => json.word("indeterminate"),
        Value::DoubleBit(other) => json.unsigned(other.into()),
        Value::Unsigned(number) => json.unsigned(number),
        Value::Signed(number) => json.signed(number),
        Value::Float32(number) => json.float32(number),
        Value::Float64(number) => json.float(number),
        Value::TimeMs(time) => point_time(json, time),
        Value::Crob(crob) => {
            json.open_object();
            for (name, number) in [
                ("code", crob.code.into()),
                ("count", crob.count.into()),
                ("on_time_ms", crob.on_time_ms.into()),
                ("off_time_ms", crob.off_time_ms.into()),
            ] {
                json.key(name);
                json.unsigned(number);
            }
            json.close_object();
        }
        Value::Mask { and, or } => {
            json.open_object();
            json.key("and");
            json.unsigned(and.into());
            json.key("or");
            json.unsigned(or.into());
            json.close_object();
        }
        Value::Text(text) => {
            let shown = text.get(..VALUE_OCTETS).unwrap_or(text);
            if json.wire_text(shown) {
                json.key("value_hex");
                json.hex(shown);
            }
            omitted(json, text.len());
        }
        Value::Bytes(bytes) => {
            json.hex(bytes.get(..VALUE_OCTETS).unwrap_or(bytes));
            omitted(json, bytes.len());
        }
    }
}

fn omitted(json: &mut Json, length: usize) {
    if length > VALUE_OCTETS {
        json.key("value_octets_omitted");
        json.unsigned((length - VALUE_OCTETS) as u64);
    }
}
