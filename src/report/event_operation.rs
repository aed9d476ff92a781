//! The line of an operation: the one part of the event log that may run at the pace of the traffic.
//!
//! What a flow's lines have in common (its ends, VLAN, Community ID) is rendered once and kept.

use parsers::{Action, FlowInfo, Operation, Outcome, StationAddress};

use super::event::{Common, flow_members, function_object, head, parties, station};
use super::json::{Json, key};
use super::point_list::points;
use super::record::{Judgement, OperationsLog};
use crate::dispatch::SHARDS;

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
    json.member(key!("protocol"));
    json.word(operation.protocol.name());
    json.member(key!("exchange"));
    json.word(operation.exchange.name());
    let client_is_master = operation.master_endpoint() == operation.flow.client;
    json.raw_members(flows.of(operation.flow, client_is_master));
    if let Some(name) = judgement.client_name {
        json.member(key!("client_name"));
        json.text(name);
    }
    station(json, operation.station, judgement.station_name, operation.station_endpoint());
    if let Some(address) = master_address(operation.master) {
        json.member(key!("master_address"));
        json.unsigned(address);
    }
    json.member(key!("action"));
    json.word(operation.action.name());
    json.member(key!("function"));
    function_object(json, operation.function);
    if let Some(requested) = operation.requested
        && requested != operation.function
    {
        json.member(key!("requested"));
        function_object(json, requested);
    }
    points(json, operation);
    answer(json, operation);
    json.member(key!("sequence"));
    json.unsigned(operation.sequence.into());
    if operation.broadcast {
        json.member(key!("broadcast"));
        json.boolean(true);
    }
    if operation.recovered {
        json.member(key!("recovered"));
        json.boolean(true);
    }
    json.member(key!("verdict"));
    json.word(judgement.verdict.name());
    if let Some(rule) = judgement.rule {
        json.member(key!("rule"));
        json.text(rule);
    }
    common.capture_member(json, operation.origin.frame.tap);
    json.member(key!("frame"));
    json.unsigned(operation.origin.frame.number);
    if operation.origin.first_frame.number != operation.origin.frame.number {
        json.member(key!("first_frame"));
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
            json.member(key!("outcome"));
            json.word("success");
        }
        Outcome::Refused { code, name } => {
            json.member(key!("outcome"));
            json.word("refused");
            json.member(key!("outcome_code"));
            json.unsigned(code.into());
            json.member(key!("outcome_name"));
            json.word(name);
        }
    }
    if let (Some(answered), Some(latency)) = (operation.answers, operation.latency_ns()) {
        json.member(key!("latency_ms"));
        json.milliseconds(latency);
        json.member(key!("answers_frame"));
        json.unsigned(answered.frame.number);
    }
}
