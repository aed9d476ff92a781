//! How a record becomes a line of the event log: keys, order, wording.
//!
//! `docs/events.md` says what every key means, `docs/event.schema.json` how every line must look. Keys
//! that change when repeats are folded come first, so that the rest of a finding's line can be kept as
//! text and written again.

use parsers::{
    Coverage, Endpoint, FlowInfo, FrameRef, Function, Host, PointKind, PointRange, StationAddress, Timestamp,
};
use profiles::Compiled;

use super::attack::attack;
use super::catalogue::FindingKind;
use super::community_id::community_id;
use super::explanation::Explanation;
use super::finding::Finding;
use super::json::{Json, key};
use super::record::{SensorEvent, StationEvent};

/// Version of the event schema. Rises when a key changes its meaning or goes away, not when one is added.
pub const SCHEMA_VERSION: u64 = 1;
/// Octets of evidence in an event.
pub const EVIDENCE_OCTETS: usize = 64;
/// Point ranges in an event; the rest are counted.
pub const EVENT_RANGES: usize = 32;
/// Frame numbers in an event; the rest are counted.
pub const EVENT_FRAMES: usize = 32;

/// What every line says about its origin.
#[derive(Debug, Clone, Default)]
pub struct Identity {
    /// The sensor's name.
    pub sensor: String,
    /// The profile in force.
    pub profile: ProfileId,
    /// Taps or files, by [`FrameRef::tap`].
    pub captures: Vec<String>,
}

/// Which profile is in force; all texts are empty without one.
#[derive(Debug, Clone, Default)]
pub struct ProfileId {
    /// Name of the site.
    pub name: String,
    /// As its authors number it.
    pub version: String,
    /// SHA-256 of all its files, in hex.
    pub hash: String,
}

impl ProfileId {
    /// Of this profile.
    #[must_use]
    pub fn of(profile: Option<&Compiled>) -> ProfileId {
        let texts = profile.map_or([""; 3], |p| [p.name(), p.version(), p.sha256()]);
        let [name, version, hash] = texts.map(str::to_owned);
        ProfileId { name, version, hash }
    }
}

/// What the lines of a run have in common, rendered once.
#[derive(Debug)]
pub(super) struct Common {
    pub(super) identity: Identity,
    /// `"version":1,"sensor":"...","profile":{...}`
    origin: Vec<u8>,
    /// `"capture":"..."`, by tap.
    captures: Vec<Vec<u8>>,
}

impl Common {
    pub(super) fn new(identity: Identity) -> Common {
        let mut json = Json::new();
        json.key("version");
        json.unsigned(SCHEMA_VERSION);
        json.key("sensor");
        json.text(&identity.sensor);
        let ProfileId { name, version, hash } = &identity.profile;
        json.key("profile");
        json.open_object();
        for (key, text) in [("name", name), ("version", version), ("hash", hash)] {
            json.key(key);
            json.text(text);
        }
        json.close_object();
        let origin = json.take();
        let render = |name: &String| {
            json.key("capture");
            json.text(name);
            json.take()
        };
        let captures = identity.captures.iter().map(render).collect();
        Common { identity, origin, captures }
    }

    /// The name of a tap.
    pub(super) fn capture(&self, tap: u16) -> &str {
        self.identity.captures.get(usize::from(tap)).map_or("unknown", String::as_str)
    }

    /// `capture` as a member.
    pub(super) fn capture_member(&self, json: &mut Json, tap: u16) {
        match self.captures.get(usize::from(tap)) {
            Some(member) => json.raw_members(member),
            None => json.raw_members(b"\"capture\":\"unknown\""),
        }
    }
}

/// The beginning of every line.
pub(super) fn head(json: &mut Json, common: &Common, at: Timestamp, event: &'static str) {
    json.open_object();
    json.member(key!("time"));
    json.time(at);
    json.member(key!("event"));
    json.word(event);
    json.raw_members(&common.origin);
}

/// The part of a finding's line that folding does not change, as JSON members.
pub(super) fn finding_body(json: &mut Json, common: &Common, finding: &Finding<'_>) {
    let kind = finding.kind;
    json.key("id");
    json.word(kind.id());
    json.key("kind");
    json.word(kind.name());
    json.key("severity");
    json.word(finding.severity().name());
    json.key("title");
    json.text(kind.title());
    json.key("explanation");
    json.formatted(format_args!("{}", Explanation(finding)));
    json.key("expected");
    json.formatted(finding.expected);
    json.key("observed");
    json.formatted(finding.observed);
    json.key("protocol");
    match finding.protocol {
        Some(protocol) => json.word(protocol.name()),
        None => json.word("unknown"),
    }
    parties(json, finding.client, finding.server);
    if let Some(name) = finding.client_name {
        json.key("client_name");
        json.text(name);
    }
    station(json, finding.station, finding.station_name, finding.server);
    if let Some(function) = finding.function {
        json.key("function");
        function_object(json, function);
    }
    json.key("points");
    ranges(json, finding.ranges);
    techniques(json, kind);
    frames(json, common, finding.frames);
    evidence(json, finding.octets);
    json.key("coverage");
    coverage(json, finding.coverage);
    if let Some(flow) = finding.flow {
        flow_members(json, flow);
    }
    if !finding.check.is_empty() {
        json.key("check");
        json.text(finding.check);
    }
    if let Some(rule) = finding.rule {
        json.key("rule");
        json.text(rule);
    }
    if let Some(owner) = finding.owner {
        json.key("rule_owner");
        json.text(owner);
    }
}

/// A whole line about the sensor itself.
pub(super) fn sensor_line(json: &mut Json, common: &Common, event: &SensorEvent<'_>) {
    head(json, common, event.at, "sensor");
    json.key("what");
    json.word(event.what);
    json.key("message");
    json.formatted(event.message);
    if let Some(capture) = event.capture {
        json.key("capture");
        json.text(capture);
    }
    json.key("figures");
    json.open_object();
    for (name, value) in event.figures {
        json.key(name);
        json.unsigned(*value);
    }
    json.close_object();
    json.close_object();
    json.newline();
}

/// A whole line about a station.
pub(super) fn station_line(json: &mut Json, common: &Common, event: &StationEvent<'_>) {
    head(json, common, event.at, "station");
    json.key("what");
    json.word(event.what);
    json.key("protocol");
    json.word(event.protocol.name());
    end(json, "server", "server_ip", "server_mac", "server_port", event.server);
    station(json, event.station, event.station_name, event.server);
    json.key("profiled");
    json.boolean(event.station_name.is_some());
    if let Some(unanswered) = event.unanswered {
        json.key("unanswered");
        json.unsigned(unanswered.into());
    }
    json.close_object();
    json.newline();
}

/// `client` and `server`, whole and in parts.
pub(super) fn parties(json: &mut Json, client: Endpoint, server: Endpoint) {
    end(json, "client", "client_ip", "client_mac", "client_port", client);
    end(json, "server", "server_ip", "server_mac", "server_port", server);
}

fn end(json: &mut Json, whole: &str, ip: &str, mac: &str, port: &str, endpoint: Endpoint) {
    json.key(whole);
    json.formatted(format_args!("{endpoint}"));
    match endpoint.host {
        Host::Ip(address) => {
            json.key(ip);
            json.formatted(format_args!("{address}"));
        }
        Host::Mac(address) => {
            json.key(mac);
            json.formatted(format_args!("{address}"));
        }
        Host::Serial(_) => {}
    }
    if endpoint.port != 0 {
        json.key(port);
        json.unsigned(endpoint.port.into());
    }
}

/// `station` (its name in the profile, else its address, else its host) and `station_address` (a number, where the protocol has one).
pub(super) fn station(json: &mut Json, address: StationAddress, name: Option<&str>, server: Endpoint) {
    json.member(key!("station"));
    match (name, address) {
        (Some(name), _) => json.text(name),
        (None, StationAddress::Unit(unit)) => json.numbered("unit ", unit.into()),
        (None, StationAddress::Link(link)) => json.numbered("link ", link.into()),
        (None, StationAddress::Common(common)) => json.numbered("CA ", common.into()),
        (None, StationAddress::None) => json.formatted(format_args!("{}", server.host)),
    }
    if let Some(number) = address.number() {
        json.member(key!("station_address"));
        json.unsigned(number.into());
    }
}

/// `{code, sub, name}`
pub(super) fn function_object(json: &mut Json, function: Function) {
    json.open_object();
    json.member(key!("code"));
    json.unsigned(function.code.into());
    if let Some(sub) = function.sub {
        json.member(key!("sub"));
        json.unsigned(sub.into());
    }
    json.member(key!("name"));
    json.word(function.name);
    json.close_object();
}

/// A list of `{kind, first, last}`, then `points_omitted` if there were too many.
pub(super) fn ranges(json: &mut Json, ranges: &[PointRange]) {
    json.open_list();
    for range in ranges.iter().take(EVENT_RANGES) {
        json.open_object();
        json.member(key!("kind"));
        point_kind(json, range.kind());
        json.member(key!("first"));
        json.unsigned(range.first().into());
        json.member(key!("last"));
        json.unsigned(range.last().into());
        json.close_object();
    }
    json.close_list();
    if ranges.len() > EVENT_RANGES {
        json.member(key!("points_omitted"));
        json.unsigned((ranges.len() - EVENT_RANGES) as u64);
    }
}

/// The kind's name; `object_<group>` for DNP3 groups without one.
pub(super) fn point_kind(json: &mut Json, kind: PointKind) {
    match kind {
        PointKind::Object(group) => json.formatted(format_args!("object_{group}")),
        _ => json.word(kind.name()),
    }
}

fn techniques(json: &mut Json, kind: FindingKind) {
    json.key("techniques");
    json.open_list();
    for technique in kind.techniques().iter().filter_map(|id| attack().find(id)) {
        json.word(&technique.id);
        if let Some(newer) = &technique.id_v19 {
            json.word(newer);
        }
    }
    json.close_list();
    json.key("attack");
    json.open_list();
    for technique in kind.techniques().iter().filter_map(|id| attack().find(id)) {
        json.open_object();
        json.key("id");
        json.word(&technique.id);
        if let Some(newer) = &technique.id_v19 {
            json.key("id_v19");
            json.word(newer);
        }
        json.key("name");
        json.text(&technique.name);
        json.key("tactics");
        json.open_list();
        technique.tactics.iter().for_each(|tactic| json.text(tactic));
        json.close_list();
        json.close_object();
    }
    json.close_list();
}

/// `capture` and `frames`; `frame_captures` beside them when the frames come from several captures.
pub(super) fn frames(json: &mut Json, common: &Common, frames: &[FrameRef]) {
    json.key("frames");
    json.open_list();
    frames.iter().take(EVENT_FRAMES).for_each(|frame| json.unsigned(frame.number));
    json.close_list();
    if frames.len() > EVENT_FRAMES {
        json.key("frames_omitted");
        json.unsigned((frames.len() - EVENT_FRAMES) as u64);
    }
    let Some(first) = frames.first() else { return };
    common.capture_member(json, first.tap);
    if frames.iter().any(|frame| frame.tap != first.tap) {
        json.key("frame_captures");
        json.open_list();
        frames.iter().take(EVENT_FRAMES).for_each(|frame| json.text(common.capture(frame.tap)));
        json.close_list();
    }
}

fn evidence(json: &mut Json, octets: &[u8]) {
    json.key("bytes");
    json.hex(octets.get(..EVIDENCE_OCTETS).unwrap_or(octets));
    if octets.len() > EVIDENCE_OCTETS {
        json.key("bytes_omitted");
        json.unsigned((octets.len() - EVIDENCE_OCTETS) as u64);
    }
}

/// What could not be seen when it happened.
pub(super) fn coverage(json: &mut Json, coverage: Coverage) {
    json.open_object();
    json.key("gap");
    json.boolean(coverage.gaps > 0);
    json.key("gaps");
    json.unsigned(coverage.gaps.into());
    json.key("one_way");
    json.boolean(coverage.one_way);
    json.key("midstream");
    json.boolean(coverage.midstream);
    json.key("truncated");
    json.boolean(coverage.truncated);
    json.key("drops");
    json.boolean(coverage.drops);
    json.close_object();
}

/// `transport`, `vlan`, `community_id`.
pub(super) fn flow_members(json: &mut Json, flow: &FlowInfo) {
    json.key("transport");
    json.word(flow.transport.name());
    if flow.vlan.depth() > 0 {
        json.key("vlan");
        json.open_list();
        flow.vlan.ids().iter().for_each(|id| json.unsigned((*id).into()));
        json.close_list();
    }
    if let Some(id) = community_id(flow.client, flow.server, flow.transport, 0) {
        json.key("community_id");
        json.word(core::str::from_utf8(&id).unwrap_or(""));
    }
}
