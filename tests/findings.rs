//! Every kind of finding, from octets on the wire to the words in the event log: one conversation that
//! raises it, one of the same kind that does not, and, where it is drawn from something absent, one that the
//! tap saw only in part, for which it is withheld.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use std::net::SocketAddr;

use gridtap::report::catalogue::{CATALOGUE, FindingKind};
use simulators::encode::dnp3::{self, Header, Prefix, Range, Sample, control, object};
use simulators::encode::modbus::{Request, Response};
use simulators::value::Value as Datum;
use simulators::wire::{Disturbance, IpStyle, Line, Overlap, Side, TcpTalk, TimedFrame, datagrams, ethernet};
use support::judge::{
    Outcome, PUMP_AND_FEEDER as STRICT, address, answer, ask, class_1, command, crob, dnp3, judged,
    judged_losing, midstream, modbus, one_way, report,
};
use support::kinds;

use FindingKind as K;

/// The same site, and everything is allowed that is dangerous by itself.
fn permissive() -> String {
    let all = [
        "read",
        "report",
        "write",
        "select",
        "operate",
        "direct_operate",
        "confirm",
        "link",
        "direct_operate_nr",
        "cold_restart",
        "initialize_data",
        "stop_appl",
        "force_listen_only_mode",
        "clear_counters_and_diagnostic_register",
        "firmware_replacement",
    ];
    let allow = format!("allow = {all:?}\nbroadcast = true");
    let rule = STRICT.replace("allow = \"read\"", &allow);
    rule.lines().filter(|line| !line.starts_with("points")).collect::<Vec<_>>().join("\n")
}

/// Silence, then an ordinary exchange: time passes.
fn later(seconds: u64) -> [Line; 2] {
    let read = Request::Read(3, 0, 2);
    [ask(900, 5, &read).after(seconds * 1_000_000_000), answer(900, 5, &Response::Registers(3, vec![1, 2]))]
}

fn good_modbus() -> Vec<Line> {
    (1..=5_u16)
        .flat_map(|n| [ask(n, 5, &Request::Read(3, n, 2)), answer(n, 5, &Response::Registers(3, vec![n, 7]))])
        .chain(later(60))
        .collect()
}

fn good_dnp3() -> Vec<Line> {
    let poll =
        |n: u8| [command(10, &dnp3::request(n, 1, &class_1())), report(10, &dnp3::response(n, [0, 0], &[]))];
    let mut lines: Vec<Line> = (1..=3).flat_map(poll).collect();
    let [question, reply] = poll(4);
    lines.extend([question.after(30_000_000_000), reply]);
    lines
}

fn selected_control() -> Vec<Line> {
    let close = crob(5, 0x41);
    vec![
        command(10, &dnp3::request(1, 3, &close)),
        report(10, &dnp3::response(1, [0, 0], &close)),
        command(10, &dnp3::request(2, 4, &close)),
        report(10, &dnp3::response(2, [0, 0], &close)),
    ]
}

// ---- The table ----

struct Case {
    kind: FindingKind,
    /// Raises it.
    frames: Vec<TimedFrame>,
    profile: Option<&'static str>,
    /// Where the first one shows.
    shown: &'static [u64],
    /// What the first one says.
    says: &'static str,
    /// Raises none, with this profile.
    quiet: (Vec<TimedFrame>, Option<String>),
    /// The tap sees only a part: withheld.
    blind: Vec<Vec<TimedFrame>>,
}

impl Case {
    fn new(kind: FindingKind, talk: &TcpTalk, shown: &'static [u64], says: &'static str) -> Case {
        let quiet = if talk.server.port() == 20_000 { dnp3(good_dnp3()) } else { modbus(good_modbus()) };
        Case {
            kind,
            frames: talk.frames(),
            profile: None,
            shown,
            says,
            quiet: (quiet.frames(), None),
            blind: Vec::new(),
        }
    }

    /// Judged with the strict profile.
    fn denied(self) -> Case {
        Case { profile: Some(STRICT), quiet: (self.quiet.0, Some(STRICT.to_owned())), ..self }
    }

    /// A near miss of its own, judged with the same profile.
    fn near(self, talk: &TcpTalk) -> Case {
        self.near_frames(talk.frames())
    }

    fn near_frames(self, frames: Vec<TimedFrame>) -> Case {
        Case { quiet: (frames, self.quiet.1), ..self }
    }

    /// Silent if the rule of the strict profile allows this, at all points.
    fn if_allowed(self, operations: &str) -> Case {
        let rule = STRICT.replace("allow = \"read\"", &format!("allow = {operations}"));
        let everywhere = rule.lines().filter(|line| !line.starts_with("points"));
        Case { quiet: (self.frames.clone(), Some(everywhere.collect::<Vec<_>>().join("\n"))), ..self }
    }

    /// Silent if a profile allows it.
    fn unless_allowed(self) -> Case {
        Case { quiet: (self.frames.clone(), Some(permissive())), ..self }
    }

    fn blind(mut self, frames: Vec<TimedFrame>) -> Case {
        self.blind.push(frames);
        self
    }
}

fn policy() -> Vec<Case> {
    let read = Request::Read(3, 0, 2);
    let write = Request::WriteRegister(12, 4711);
    let stranger = TcpTalk::new(address(9, 40_000), address(20, 502), vec![ask(1, 5, &read)]);
    vec![
        Case::new(K::UnprofiledControl, &modbus(vec![ask(1, 5, &write)]), &[4], "Control that the profile does not allow: scada (10.10.0.1) sent write single register (function 6) to pump (unit 5 at 10.10.0.20) for holding register 12; expected what rule 'scada polls' allows (read of holding_register 0-99, class_data), observed write single register (function 6) of holding_register 12.").denied().if_allowed("[\"read\", \"write\"]"),
        Case::new(K::UnprofiledClient, &stranger, &[4], "Host that no rule lets command this station: 10.10.0.9 sent read holding registers (function 3) to pump (unit 5 at 10.10.0.20) for holding register 0 to 1; expected a client that the profile knows; rule 'scada polls' allows this to 'scada', observed read holding registers (function 3) of holding_register 0-1 by 10.10.0.9.").denied().near(&modbus(vec![ask(1, 5, &read)])),
        Case::new(K::UnprofiledStation, &modbus(vec![ask(1, 6, &read)]), &[4], "Station that the profile does not know: scada (10.10.0.1) sent read holding registers (function 3) to unit 6 at 10.10.0.20 for holding register 0 to 1; expected a station that the profile knows behind host 'rtu', observed read holding registers (function 3) of holding_register 0-1 at 10.10.0.20:502 unit 6.").denied().near(&modbus(vec![ask(1, 5, &read)])),
        Case::new(K::UnprofiledFunction, &modbus(vec![ask(1, 5, &Request::DeviceId(1, 0))]), &[4], "Function that the profile does not allow: scada (10.10.0.1) sent read device identification (function 43, sub-function 14) to pump (unit 5 at 10.10.0.20); expected what rule 'scada polls' allows (read of holding_register 0-99, class_data), observed read device identification (function 43/14).")
            .denied().if_allowed("[\"read\", \"read_device_identification\"]"),
        Case::new(K::UnprofiledRange, &modbus(vec![ask(1, 5, &Request::Read(3, 98, 3))]), &[4], "Points that the profile does not allow: scada (10.10.0.1) sent read holding registers (function 3) to pump (unit 5 at 10.10.0.20) for holding register 98 to 100; expected what rule 'scada polls' allows (read of holding_register 0-99, class_data), observed read holding registers (function 3) of holding_register 98-100.").denied().near(&modbus(vec![ask(1, 5, &Request::Read(3, 97, 3))])),
    ]
}

fn conformance() -> Vec<Case> {
    let read = Request::Read(3, 0, 2);
    let odd = TcpTalk::new(address(1, 40_000), address(20, 1502), good_modbus());
    let surplus = modbus(vec![ask(1, 5, &Request::Other(7, vec![1]))]);
    let undefined = modbus(vec![ask(1, 5, &Request::Other(29, vec![]))]);
    let group_200 = dnp3(vec![command(10, &dnp3::request(1, 1, &[200, 1, 6]))]);
    let coil = modbus(vec![ask(1, 5, &Request::WriteCoil(7, 1))]);
    let whole = dnp3::frames(control::MASTER_DATA, 10, 1, &dnp3::request(1, 1, &class_1()));
    let mut spoilt = whole.clone();
    *spoilt.last_mut().unwrap() ^= 0x55;
    let mut rubbish = good_dnp3();
    rubbish.insert(2, Line::client(vec![0xaa; 23]));
    let indicating = |second: u8| {
        let reply = report(10, &dnp3::response(1, [0, second], &[]));
        dnp3(vec![command(10, &dnp3::request(1, 1, &class_1())), reply])
    };
    let overlap = Disturbance { overlap: Overlap::Conflicting, ..Disturbance::default() };
    let repeat = Disturbance { overlap: Overlap::Consistent, ..Disturbance::default() };
    let poll = dnp3::request(1, 1, &class_1());
    let as_data = |control| dnp3(vec![Line::client(dnp3::frames(control, 10, 1, &poll))]);
    let get = || vec![Line::client(&b"GET /index.html HTTP/1.1\r\nHost: plc\r\n\r\n"[..])];
    // The same question to a web server, beside a poll.
    let web_server = TcpTalk::new(address(1, 40_001), address(20, 80), get());
    let beside = [web_server.frames(), modbus(good_modbus()).frames()].concat();
    let in_pieces = |size| TcpTalk {
        ip: IpStyle { fragment_size: Some(size), ..IpStyle::default() },
        ..modbus(vec![ask(1, 5, &read)])
    };
    vec![
        Case::new(K::UnexpectedPort, &odd, &[5], "Control protocol on an unexpected port: between 10.10.0.1 and 10.10.0.20; expected modbus on its own ports only, observed modbus between 10.10.0.1:40000 and 10.10.0.20:1502."),
        Case::new(K::MalformedPdu, &surplus, &[4], "Malformed PDU: between 10.10.0.1 and unit 5 at 10.10.0.20 in read exception status (function 7); expected a PDU of 1 octet by the layout of function 7, observed 1 octet more.").near(&modbus(vec![ask(1, 5, &Request::Other(7, vec![]))])),
        Case::new(K::UnknownFunction, &undefined, &[4], "Undefined function: between 10.10.0.1 and unit 5 at 10.10.0.20 in an unknown function (function 29); expected a public function code, observed function code 29 (unknown).").near(&modbus(vec![ask(1, 5, &Request::Other(24, vec![0, 4]))])),
        Case::new(K::UnknownObject, &group_200, &[4], "Undefined object: between 10.10.0.1 and link 10 at 10.10.0.20 in read (function 1); expected a defined object, observed group 200 variation 1.").near(&dnp3(vec![command(10, &dnp3::request(1, 1, &[20, 1, 6]))])),
        Case::new(K::FieldRange, &coil, &[4], "Field outside its range: between 10.10.0.1 and unit 5 at 10.10.0.20 in write single coil (function 5); expected 0x0000 or 0xFF00, observed 0x0001.").near(&modbus(vec![ask(
            1,
            5,
            &Request::WriteCoil(7, 0xff00),
        )])),
        Case::new(K::BadChecksum, &dnp3(vec![Line::client(spoilt)]), &[4], "Checksum failure: between 10.10.0.1 and link 10 at 10.10.0.20; expected good block CRCs, observed a wrong CRC in the block at 10.").near(&dnp3(vec![Line::client(whole)])),
        Case::new(K::BrokenFraming, &dnp3(rubbish.clone()), &[6], "Broken framing: between 10.10.0.1 and 10.10.0.20; expected a link frame, observed 23 octets that fit none.").blind(midstream(dnp3(rubbish))),
        Case::new(K::ReservedBits, &indicating(0x40), &[5], "Reserved bits or illegal flags: between 10.10.0.1 and link 10 at 10.10.0.20 in response (function 129); expected IIN2.6 and IIN2.7 clear, observed set.").near(&indicating(0x20)),
        Case::new(
            K::ConflictingOverlap,
            &TcpTalk { disturbance: overlap, ..modbus(good_modbus()) },
            &[4, 5],
            "TCP segments overlap with different content: between 10.10.0.1 and 10.10.0.20; expected a retransmission to carry the same octets, observed 11 octets sent again with other content (00 01 00 00 00 06 05 03 ... first, then ff fe ff ff ff f9 fa fc ...).",
        )
        .near(&TcpTalk { disturbance: repeat, ..modbus(good_modbus()) }),
        Case::new(K::Peculiar, &as_data(control::MASTER_CONFIRMED), &[4], "Unusual but harmless form: between 10.10.0.1 and link 10 at 10.10.0.20; expected unconfirmed user data over TCP, observed confirmed user data.").near(&as_data(control::MASTER_DATA)),
        Case::new(K::ForeignProtocol, &modbus(get()), &[4], "Other traffic on a control protocol's port: between 10.10.0.1 and 10.10.0.20; expected Modbus, observed HTTP request.").near_frames(beside),
        Case::new(K::EncapsulationAnomaly, &in_pieces(8), &[4], "Encapsulation anomaly: between 10.10.0.1 and 10.10.0.20; expected a first fragment that holds the transport header, observed one that hides or rewrites it.").near(&in_pieces(24)),
    ]
}

fn exchanges() -> Vec<Case> {
    let read = Request::Read(3, 0, 2);
    let registers = Response::Registers(3, vec![1, 2]);
    let operate = dnp3(vec![command(10, &dnp3::request(2, 4, &crob(5, 0x81)))]);
    let unasked: Vec<Line> = [answer(7, 5, &registers)].into_iter().chain(later(1)).collect();
    let unanswered: Vec<Line> = [ask(7, 5, &read)].into_iter().chain(later(12)).collect();
    let asked: Vec<Line> = [ask(7, 5, &read), answer(7, 5, &registers)].into_iter().chain(later(1)).collect();
    let late = answer(7, 5, &registers).after(9_000_000_000);
    let answered: Vec<Line> = [ask(7, 5, &read), late].into_iter().chain(later(12)).collect();
    let with_values_of =
        |function| modbus(vec![ask(7, 5, &read), answer(7, 5, &Response::Registers(function, vec![1, 2]))]);
    let reused =
        [ask(6, 5, &read), answer(6, 5, &registers), ask(7, 5, &read), ask(7, 5, &Request::Read(3, 50, 2))];
    let mut reused_behind_its_answer = reused.to_vec();
    reused_behind_its_answer.insert(3, answer(7, 5, &registers));
    let poll = dnp3::request(1, 1, &class_1());
    let reversed = dnp3(vec![Line::server(dnp3::frames(control::OUTSTATION_DATA, 1, 10, &poll))]);
    let many = |count| modbus((0..count).map(|n| ask(n, 5, &read)).collect());
    vec![
        Case::new(K::OperateWithoutSelect, &operate, &[4], "Operate without select: 10.10.0.1 sent operate (function 4) to link 10 at 10.10.0.20 for binary output 5; expected a select of the same objects by the same master just before, at most 10 s ago, observed operate (function 4) of binary output 5, with no select before it.")
            .near(&dnp3(selected_control()))
            .blind(midstream(operate.clone())),
        Case::new(K::AnswerWithoutRequest, &modbus(unasked.clone()), &[4], "Answer without a request: unit 5 at 10.10.0.20 answered read holding registers (function 3) to 10.10.0.1; expected a request before it, observed an answer to function 3 of unit 5, transaction 7.")
            .blind(midstream(modbus(unasked.clone())))
            .near(&modbus(asked))
            .blind(one_way(&modbus(unasked), Side::Server)),
        Case::new(K::UnansweredRequest, &modbus(unanswered.clone()), &[4], "Request never answered: 10.10.0.1 sent read holding registers (function 3) to unit 5 at 10.10.0.20; expected an answer within 10 s, observed none to read holding registers of unit 5.")
            .blind(midstream(modbus(unanswered.clone())))
            .near(&modbus(answered))
            .blind(one_way(&modbus(unanswered), Side::Client)),
        Case::new(K::ContradictingAnswer, &with_values_of(4), &[5], "Answer contradicts its request: unit 5 at 10.10.0.20 answered read input registers (function 4) to 10.10.0.1; expected unit 5 and function 3, observed unit 5 and function 4, transaction 7.").near(&with_values_of(3)),
        Case::new(K::SequenceAnomaly, &modbus(reused.to_vec()), &[7], "Sequence number anomaly: between 10.10.0.1 and unit 5 at 10.10.0.20 in read holding registers (function 3); expected a transaction id that no unanswered request has, observed id 7 again after 1 ms.")
            .near(&modbus(reused_behind_its_answer))
            .blind(midstream(modbus(reused.to_vec()))),
        Case::new(K::RoleReversal, &reversed, &[4], "Roles of master and station reversed: between 10.10.0.1 and link 10 at 10.10.0.20 in read (function 1); expected a response from an outstation, observed a request.").near(&dnp3(vec![command(10, &poll)])),
        Case::new(K::LimitReached, &many(65), &[68], "A limit of the sensor was reached: between 10.10.0.1 and unit 5 at 10.10.0.20 in read holding registers (function 3); expected at most 64 requests waiting for answers (pending_requests), observed one more; the oldest is forgotten, and so on until half are answered.").near(&many(64)),
    ]
}

fn commands() -> Vec<Case> {
    let ask_5 = |request: Request| modbus(vec![ask(1, 5, &request)]);
    let order = |code, objects: &[u8]| dnp3(vec![command(10, &dnp3::request(1, code, objects))]);
    let to_all = dnp3(vec![command(0xffff, &dnp3::request(1, 5, &crob(5, 0x81)))]);
    let cases = vec![
        Case::new(
            K::NoResponseControl,
            &order(6, &crob(5, 0x81)),
            &[4],
            "Control that forbids an answer: 10.10.0.1 sent direct operate nr (function 6) to link 10 at 10.10.0.20 for binary output 5; expected no such command without a rule or a maintenance window that names it, observed direct operate nr (function 6) of binary output 5.",
        ),
        Case::new(
            K::BroadcastControl,
            &to_all,
            &[4],
            "Control by broadcast: 10.10.0.1 sent direct operate (function 5) to all outstations (broadcast 65535) at 10.10.0.20 for binary output 5; expected commands addressed to one station, observed direct operate (function 5) of binary output 5, addressed to all.",
        ),
        Case::new(
            K::RestartCommand,
            &order(13, &[]),
            &[4],
            "Restart command: 10.10.0.1 sent cold restart (function 13) to link 10 at 10.10.0.20; expected no such command without a rule or a maintenance window that names it, observed cold restart (function 13).",
        ),
        Case::new(
            K::StopCommand,
            &order(18, &[]),
            &[4],
            "Stop command: 10.10.0.1 sent stop appl (function 18) to link 10 at 10.10.0.20; expected no such command without a rule or a maintenance window that names it, observed stop appl (function 18).",
        ),
        Case::new(
            K::SilenceCommand,
            &ask_5(Request::Diagnostics(4, vec![0, 0])),
            &[4],
            "Command that silences a station: 10.10.0.1 sent force listen only mode (function 8, sub-function 4) to unit 5 at 10.10.0.20; expected no such command without a rule or a maintenance window that names it, observed force listen only mode (function 8/4).",
        ),
        Case::new(
            K::ClearCommand,
            &order(15, &[]),
            &[4],
            "Delete or clear command: 10.10.0.1 sent initialize data (function 15) to link 10 at 10.10.0.20; expected no such command without a rule or a maintenance window that names it, observed initialize data (function 15).",
        ),
        Case::new(
            K::LogErase,
            &ask_5(Request::Diagnostics(10, vec![0, 0])),
            &[4],
            "Log or counters erased: 10.10.0.1 sent clear counters and diagnostic register (function 8, sub-function 10) to unit 5 at 10.10.0.20; expected no such command without a rule or a maintenance window that names it, observed clear counters and diagnostic register (function 8/10).",
        ),
        Case::new(
            K::FirmwareUpdate,
            &ask_5(Request::Other(125, vec![1, 2, 3])),
            &[4],
            "Firmware update: 10.10.0.1 sent firmware replacement (function 125) to unit 5 at 10.10.0.20; expected no such command without a rule or a maintenance window that names it, observed firmware replacement (function 125).",
        ),
    ];
    cases.into_iter().map(Case::unless_allowed).collect()
}

fn cases() -> Vec<Case> {
    [policy(), conformance(), exchanges(), commands()].into_iter().flatten().collect()
}

/// Each kind has its tests: a case of this file, or those that `tests/kinds.toml` names.
#[test]
fn every_kind_has_its_tests() {
    let named = kinds::table();
    let tests = kinds::Tests::read();
    let (cases, mut wrong) = (cases(), Vec::new());
    for kind in CATALOGUE.iter().copied() {
        let case = cases.iter().find(|case| case.kind == kind);
        let row = named.get(kind.name());
        let blind_case = case.is_some_and(|case| !case.blind.is_empty());
        wrong.extend(tests.missing(kind, row, case.is_some(), blind_case));
    }
    let unknown = named.keys().filter(|name| CATALOGUE.iter().all(|kind| kind.name() != **name));
    wrong.extend(unknown.map(|name| format!("{name}: no such kind")));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_kind_is_raised_and_says_so_in_these_words() {
    let mut wrong = Vec::new();
    for case in cases() {
        let outcome = judged(&case.frames, case.profile, "a.pcap");
        let found = outcome.of(case.kind);
        let Some(first) = found.first() else {
            wrong.push(format!("{}: not raised; {:?}", case.kind.name(), outcome.kinds()));
            continue;
        };
        let frames: Vec<u64> =
            first["frames"].as_array().unwrap().iter().map(|n| n.as_u64().unwrap()).collect();
        let says = first["explanation"].as_str().unwrap();
        if says != case.says || frames != case.shown {
            wrong.push(format!("{}: {frames:?}\n    {says}", case.kind.name()));
        }
        assert_eq!(first["id"], case.kind.id());
        assert_eq!(first["severity"], case.kind.severity().name());
        assert_eq!(first["capture"], "a.pcap");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn good_traffic_of_the_same_kind_raises_none() {
    for case in cases() {
        let (frames, profile) = &case.quiet;
        let outcome = judged(frames, profile.as_deref(), "a.pcap");
        let name = case.kind.name();
        assert!(outcome.of(case.kind).is_empty(), "{name}: {:#?}", outcome.of(case.kind));
        assert_eq!(outcome.withheld(case.kind), 0, "{name} would have been raised by a clearer view");
        assert!(outcome.text.contains("\"exchange\":\"request\""), "{name}: the traffic is read at all");
    }
}

#[test]
fn what_rests_on_absence_is_withheld_where_the_tap_is_blind() {
    for case in cases() {
        let needs = gridtap::detect::coverage::rests_on_absence(case.kind);
        assert_eq!(!case.blind.is_empty(), needs, "{}", case.kind.name());
        for (n, frames) in case.blind.iter().enumerate() {
            let outcome = judged(frames, case.profile, "a.pcap");
            assert!(outcome.of(case.kind).is_empty(), "{} {n}", case.kind.name());
            assert!(outcome.withheld(case.kind) > 0, "{} {n}: counted as withheld", case.kind.name());
        }
    }
}

#[test]
fn one_datagram_with_an_operate_is_not_excused_by_the_silence_of_the_station() {
    let operate = [command(10, &dnp3::request(2, 4, &crob(5, 0x81)))];
    let frames =
        datagrams(address(1, 20_000), address(20, 20_000), &operate, &[ethernet()], &IpStyle::default());
    assert_eq!(judged(&frames, None, "a.pcap").of(K::OperateWithoutSelect).len(), 1);
    let talk = dnp3(operate.to_vec());
    let requests_only = one_way(&talk, Side::Client);
    assert_eq!(judged(&requests_only, None, "a.pcap").of(K::OperateWithoutSelect).len(), 1);
}

#[test]
fn select_and_operate_on_two_connections_belong_together() {
    let lines = selected_control();
    let first = dnp3(lines[..2].to_vec());
    let mut second = dnp3(lines[2..].to_vec());
    second.client = address(1, 40_001);
    second.start_ns += 2_000_000_000;
    let frames = [first.frames(), second.frames()].concat();
    let outcome = judged(&frames, None, "a.pcap");
    assert!(outcome.of(K::OperateWithoutSelect).is_empty(), "{:?}", outcome.kinds());
    // of another master it is none
    second.client = address(2, 40_001);
    let frames = [dnp3(lines[..2].to_vec()).frames(), second.frames()].concat();
    assert_eq!(judged(&frames, None, "a.pcap").of(K::OperateWithoutSelect).len(), 1);
}

#[test]
fn controls_of_different_objects_are_told_one_by_one() {
    let set_point = |index: u8| {
        let header = Header::prefixed(41, 2, Prefix::Index8, Range::Count8(1));
        let sample = Sample { value: Datum::Signed(7), flags: 1, status: 0, time_ms: 0, base_ms: 0 };
        [header.encode(), vec![index], object(41, 2, &sample)].concat()
    };
    let both = [crob(5, 0x41), crob(6, 0x41)].concat();
    // the same numbers, but an output of another kind, and a second point behind the first
    let orders = [crob(5, 0x41), set_point(5), both, crob(5, 0x81)];
    let script = (1_u8..).zip(&orders).map(|(n, order)| command(10, &dnp3::request(n, 5, order))).collect();
    let outcome = judged(&dnp3(script).frames(), Some(STRICT), "a.pcap");
    let shown: Vec<_> = outcome.of(K::UnprofiledControl).iter().map(|f| f["frames"][0].clone()).collect();
    assert_eq!(shown, [4, 5, 6], "the last repeats the first");
}

#[test]
fn what_a_station_sends_unbidden_is_not_laid_at_its_masters_door() {
    let unsolicited = report(11, &dnp3::unsolicited(0, [0, 0], &[]));
    let outcome = judged(&dnp3(vec![unsolicited]).frames(), Some(STRICT), "a.pcap");
    let found = outcome.of(K::UnprofiledStation);
    assert_eq!(
        found[0]["explanation"],
        "Station that the profile does not know: link 11 at 10.10.0.20 sent unsolicited response (function \
         130) to scada (10.10.0.1); expected a station that the profile knows behind host 'rtu', observed an \
         unsolicited report, unsolicited response (function 130) at 10.10.0.20:20000 link address 11."
    );
    let outcome =
        judged(&dnp3(vec![report(10, &dnp3::unsolicited(0, [0, 0], &[]))]).frames(), Some(STRICT), "a");
    assert!(outcome.findings.is_empty(), "a rule for reading allows reports: {:?}", outcome.kinds());
    let unasked =
        modbus([answer(7, 6, &Response::Registers(3, vec![1]))].into_iter().chain(later(1)).collect());
    let outcome = judged(&unasked.frames(), Some(STRICT), "a.pcap");
    let says = outcome.of(K::UnprofiledStation)[0]["explanation"].as_str().unwrap().to_owned();
    assert!(
        says.contains(": unit 6 at 10.10.0.20 answered read holding registers (function 3) to scada"),
        "{says}"
    );
}

#[test]
fn a_gap_withholds_what_may_have_been_in_it() {
    let script: Vec<Line> =
        [ask(7, 5, &Request::Read(3, 0, 2)), answer(7, 5, &Response::Registers(3, vec![1, 2]))]
            .into_iter()
            .chain(later(2))
            .chain(later(12))
            .collect();
    let mut frames = modbus(script).frames();
    // the request is lost: its answer has none, and an answer is lost: its request has none
    frames.remove(3);
    let outcome = judged(&frames, None, "a.pcap");
    assert!(outcome.findings.is_empty(), "{:?}", outcome.kinds());
    assert_eq!(outcome.withheld(K::AnswerWithoutRequest), 1);
}

/// Whoever reads a finding learns whether the tap saw all of what it is drawn from.
#[test]
fn a_finding_says_what_the_tap_did_not_see() {
    let write = Request::WriteRegister(20, 7);
    let mut script: Vec<Line> = good_modbus().into_iter().take(10).collect();
    script.extend([ask(8, 5, &write).after(1_000_000_000), answer(8, 5, &Response::Echo(Box::new(write)))]);
    let talk = modbus(script);
    let said = |outcome: &Outcome| {
        let found = outcome.of(K::UnprofiledControl)[0]["coverage"].clone();
        ["drops", "one_way", "midstream"].map(|key| found[key].as_bool().unwrap())
    };
    let frames = talk.frames();
    let losing = judged_losing(&[frames[0].at_ns + 500_000_000], &frames, Some(STRICT), "a.pcap");
    assert_eq!(said(&judged(&frames, Some(STRICT), "a.pcap")), [false; 3]);
    assert_eq!(said(&losing), [true, false, false]);
    assert_eq!(said(&judged(&one_way(&talk, Side::Client), Some(STRICT), "a.pcap")), [false, true, false]);
    assert_eq!(said(&judged(&midstream(talk), Some(STRICT), "a.pcap")), [false, false, true]);
}

#[test]
fn overlaps_on_flows_of_no_known_protocol_say_what_was_not_seen() {
    let overlap = Disturbance { overlap: Overlap::Conflicting, ..Disturbance::default() };
    let script = vec![Line::client(&b"SSH-2.0-OpenSSH_9.2\r\n"[..]), Line::client(vec![0x55; 64])];
    let talk = TcpTalk { disturbance: overlap, ..TcpTalk::new(address(1, 40_000), address(20, 22), script) };
    let outcome = judged(&midstream(talk), None, "a.pcap");
    let found = outcome.of(K::ConflictingOverlap);
    assert_eq!(found[0]["coverage"]["midstream"], true);
}

#[test]
fn replays_give_the_same_lines_and_the_name_of_the_capture_changes_no_uid() {
    for case in cases() {
        let first = judged(&case.frames, case.profile, "a.pcap");
        let again = judged(&case.frames, case.profile, "a.pcap");
        assert_eq!(first.text, again.text, "{}", case.kind.name());
        let renamed = judged(&case.frames, case.profile, "b.pcap");
        assert_eq!(first.text.replace("a.pcap", "b.pcap"), renamed.text, "{}", case.kind.name());
        let mut uids: Vec<_> = first.findings.iter().map(|f| f["uid"].to_string()).collect();
        let count = uids.len();
        uids.sort_unstable();
        uids.dedup();
        assert_eq!(uids.len(), count, "{}: unique", case.kind.name());
    }
}

#[test]
fn flows_in_ipv6_are_written_with_brackets_and_read_without() {
    let end = |last: u16, port| {
        SocketAddr::new(std::net::Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, last).into(), port)
    };
    let talk =
        TcpTalk::new(end(1, 40_000), end(0x20, 502), vec![ask(1, 5, &Request::Diagnostics(4, vec![0, 0]))]);
    let outcome = judged(&talk.frames(), None, "a.pcap");
    let found = outcome.of(K::SilenceCommand)[0];
    assert_eq!((&found["client"], &found["server"]), (&"[fd00::1]:40000".into(), &"[fd00::20]:502".into()));
    let says = found["explanation"].as_str().unwrap();
    assert!(
        says.contains(
            ": fd00::1 sent force listen only mode (function 8, sub-function 4) to unit 5 at fd00::20;"
        ),
        "{says}"
    );
}

#[test]
fn a_connection_that_is_given_up_leaves_its_requests_unanswered() {
    let script = vec![ask(7, 5, &Request::Read(3, 0, 2)), ask(8, 5, &Request::Read(3, 4, 2))];
    let outcome = judged(&modbus(script.clone()).frames(), None, "a.pcap");
    assert_eq!(outcome.of(K::UnansweredRequest).len(), 1, "and the other one folded: {:?}", outcome.kinds());
    assert!(
        outcome.text.contains("\"what\":\"still_unanswered\"") && outcome.text.contains("\"unanswered\":2")
    );
    let select = command(10, &dnp3::request(1, 3, &crob(5, 0x81)));
    let outcome = judged(&dnp3(vec![select]).frames(), None, "a.pcap");
    assert_eq!(outcome.of(K::UnansweredRequest).len(), 1, "{:?}", outcome.kinds());
    // the capture ends, the connection does not: the answer may be on its way
    let open = TcpTalk { close: false, ..modbus(script) };
    assert!(judged(&open.frames(), None, "a.pcap").findings.is_empty());
}

/// Packed bits are decoded in runs, which do not carry their object; the log of operations says it all the same.
#[test]
fn points_of_the_log_say_which_object_they_come_from() {
    // Binary inputs 3 to 5, packed (group 1 variation 1): 1, 0, 1.
    let packed = [1, 1, 0x00, 3, 5, 0b101];
    let asked = command(10, &dnp3::request(1, 1, &class_1()));
    let told = report(10, &dnp3::response(1, [0, 0], &packed));
    let text = judged(&dnp3(vec![asked, told]).frames(), None, "a.pcap").text;
    for (address, value) in [(3, true), (4, false), (5, true)] {
        let point = format!(
            "{{\"kind\":\"binary_input\",\"address\":{address},\"group\":1,\"variation\":1,\"value\":{value}}}"
        );
        assert!(text.contains(&point), "{point} in {text}");
    }
}
