//! Sweeps, scans, identification, forged ends, storms.

use gridtap::report::catalogue::FindingKind as K;
use simulators::encode::dnp3::{self, Header, Range, control};
use simulators::encode::modbus::{Request, Response};
use simulators::wire::{Layer, Line, Side, Tcp, TcpTalk, TimedFrame, build};

use super::support::judge::{
    Outcome, address, answer, ask, class_1, command, judged, midstream, modbus, one_way, report,
};

const SECOND: u64 = 1_000_000_000;

/// The master may read what it always reads.
const SITE: &str = crate::substation!(
    r#"
[stations.pump]
protocol = "modbus"
host = "rtu"
unit_id = 5
[[rules]]
name = "scada polls"
from = "scada"
to = "pump"
allow = "read"
points = ["holding_register 0-99"]
"#
);

/// One exchange: a request and its answer.
fn exchange(transaction: u16, unit: u8, request: &Request, response: &Response) -> [Line; 2] {
    [ask(transaction, unit, request), answer(transaction, unit, response)]
}

/// A poll of two registers.
fn poll(transaction: u16, unit: u8, first: u16) -> [Line; 2] {
    exchange(transaction, unit, &Request::Read(3, first, 2), &Response::Registers(3, vec![1, 2]))
}

/// Polls every ten seconds until what a master does counts as usual.
fn established() -> Vec<Line> {
    (0..32)
        .flat_map(|n| {
            let [question, reply] = poll(1000 + n, 5, 0);
            [question.after(10 * SECOND), reply]
        })
        .collect()
}

fn all(script: &[Vec<Line>]) -> Vec<Line> {
    script.concat()
}

fn says(outcome: &Outcome, kind: K) -> Vec<&str> {
    outcome.of(kind).iter().map(|f| f["explanation"].as_str().unwrap()).collect()
}

fn refused(unit: u8, requests: &[Request]) -> Vec<Line> {
    (1..)
        .zip(requests)
        .flat_map(|(n, r)| exchange(n, unit, r, &Response::Exception(r.function(), 1)))
        .collect()
}

/// Functions 1 to `last`, each refused.
fn functions(last: u8) -> Vec<Line> {
    let requests: Vec<_> = (1..=last).map(|f| Request::Other(f, vec![0, 0, 0, 1])).collect();
    refused(5, &requests)
}

// ---- REC-01 ----

#[test]
fn functions_that_nobody_uses_are_a_sweep_with_its_extent() {
    let outcome = judged(&modbus(functions(30)).frames(), None, "a.pcap");
    assert_eq!(
        says(&outcome, K::FunctionSweep),
        [
            "Sweep over function codes: 10.10.0.1 talked to 10.10.0.20; expected the functions that a master uses, observed 5 functions (1 to 5) in 5 requests within less than 0.1 s, 5 refused.",
            "Sweep over function codes: 10.10.0.1 talked to 10.10.0.20; expected the functions that a master uses, observed 20 functions (1 to 20) in 20 requests within less than 0.1 s, 19 refused; 6 other findings are part of it.",
        ]
    );
}

#[test]
fn a_sweep_that_is_over_is_told_with_its_whole_extent() {
    let script = all(&[functions(40), established()]);
    let outcome = judged(&modbus(script).frames(), None, "a.pcap");
    let told = says(&outcome, K::FunctionSweep);
    assert_eq!(told.len(), 3, "{told:#?}");
    assert!(told[2].contains("40 functions (1 to 40)") && told[2].contains("; it is over"), "{}", told[2]);
}

#[test]
fn everyday_functions_and_few_refusals_are_no_sweep() {
    let everyday = [
        Request::Read(1, 0, 8),
        Request::Read(2, 0, 8),
        Request::Read(3, 0, 2),
        Request::Read(4, 0, 2),
        Request::WriteCoil(1, 0xff00),
        Request::WriteRegister(1, 7),
        Request::WriteCoils(1, vec![true]),
        Request::WriteRegisters(1, vec![7]),
        Request::ReportServerId,
        Request::ExceptionStatus,
    ];
    let talk: Vec<Line> = (1..).zip(&everyday).map(|(n, r)| ask(n, 5, r)).collect();
    let script = all(&[talk, functions(4)]);
    let outcome = judged(&modbus(script).frames(), None, "a.pcap");
    assert_eq!(says(&outcome, K::FunctionSweep), [""; 0]);
}

#[test]
fn with_a_profile_only_functions_that_it_does_not_allow_count() {
    let eight: Vec<Line> = (0..8).flat_map(|n| poll(n, 5, n)).collect();
    assert_eq!(judged(&modbus(eight).frames(), Some(SITE), "a.pcap").kinds(), [""; 0]);
    let requests = [
        Request::Read(1, 0, 8),
        Request::Read(2, 0, 8),
        Request::WriteCoil(1, 0xff00),
        Request::WriteRegister(1, 7),
        Request::WriteCoils(1, vec![true]),
        Request::WriteRegisters(1, vec![7]),
        Request::ReportServerId,
        Request::DeviceId(1, 0),
    ];
    let seven = (1..).zip(&requests[..7]).map(|(n, r)| ask(n, 5, r)).collect();
    assert_eq!(says(&judged(&modbus(seven).frames(), Some(SITE), "a.pcap"), K::FunctionSweep), [""; 0]);
    let eight = (1..).zip(&requests).map(|(n, r)| ask(n, 5, r)).collect();
    assert_eq!(
        says(&judged(&modbus(eight).frames(), Some(SITE), "a.pcap"), K::FunctionSweep),
        [
            "Sweep over function codes: scada (10.10.0.1) talked to 10.10.0.20; expected requests for the functions that the profile allows, observed 8 functions (1 to 43) in 8 requests within less than 0.1 s, 0 refused."
        ]
    );
}

// ---- REC-02 ----

fn new_points(count: u16, apart_ns: u64) -> Vec<Line> {
    (0..count)
        .flat_map(|n| {
            let [question, reply] = poll(n, 5, 100 + 4 * n);
            [question.after(apart_ns), reply]
        })
        .collect()
}

#[test]
fn points_never_asked_for_before_are_a_sweep() {
    let script = all(&[established(), new_points(12, SECOND)]);
    let outcome = judged(&modbus(script).frames(), None, "a.pcap");
    assert_eq!(
        says(&outcome, K::PointSweep),
        [
            "Sweep over point addresses: 10.10.0.1 talked to 10.10.0.20; expected points that this master has asked for before (those of its first 5 min count), observed 20 points (holding register 100 to 137) in 10 requests within 9.0 s, 0 refused."
        ]
    );
}

#[test]
fn the_first_polls_of_a_master_and_a_single_large_read_are_no_sweep() {
    let outcome = judged(&modbus(new_points(60, SECOND)).frames(), None, "a.pcap");
    assert_eq!(outcome.kinds(), [""; 0]);
    let large = exchange(1, 5, &Request::Read(3, 500, 100), &Response::Registers(3, vec![0; 100]));
    let outcome = judged(&modbus(all(&[established(), large.to_vec()])).frames(), None, "a.pcap");
    assert_eq!(outcome.kinds(), [""; 0]);
}

#[test]
fn points_asked_for_slowly_are_a_sweep_of_the_day() {
    let slow = new_points(30, 600 * SECOND);
    let outcome = judged(&modbus(all(&[established(), slow])).frames(), None, "a.pcap");
    let told = says(&outcome, K::PointSweep);
    assert!(told[0].contains("observed 50 points (holding register 100 to 197) in 25 requests"), "{told:#?}");
}

/// The profile tells of each poll that it does not allow; a handful of them is a new list of polls.
#[test]
fn a_few_new_polls_are_told_by_the_profile_alone_and_many_are_a_sweep() {
    let pages = |count: u16| {
        let read = |n: u16| {
            let request = Request::Read(3, 200 + 30 * n, 30);
            exchange(n, 5, &request, &Response::Registers(3, vec![0; 30])).to_vec()
        };
        let script: Vec<_> = (0..count).map(read).collect();
        judged(&modbus(all(&[established(), all(&script)])).frames(), Some(SITE), "a.pcap")
    };
    assert_eq!(pages(9).kinds(), [K::UnprofiledRange.name()]);
    assert_eq!(
        says(&pages(10), K::PointSweep),
        [
            "Sweep over point addresses: scada (10.10.0.1) talked to 10.10.0.20; expected requests for the points that the profile allows, observed 300 points (holding register 200 to 499) in 10 requests within less than 0.1 s, 0 refused."
        ]
    );
}

#[test]
fn a_master_that_polls_more_in_its_own_style_is_a_sweep_when_it_goes_beyond_what_it_may() {
    let site = SITE.replace("holding_register 0-99", "holding_register 0-999");
    let pages = |count: u16, refused: bool| {
        let read = |n: u16| {
            let values = Response::Registers(3, vec![0; 30]);
            let response = if refused { Response::Exception(3, 2) } else { values };
            exchange(n, 5, &Request::Read(3, 2000 + 30 * n, 30), &response).to_vec()
        };
        let script: Vec<_> = (0..count).map(read).collect();
        judged(&modbus(all(&[established(), all(&script)])).frames(), Some(&site), "a.pcap")
    };
    assert_eq!(pages(33, false).kinds(), [K::UnprofiledRange.name()]);
    assert_eq!(pages(34, false).of(K::PointSweep).len(), 1);
    // What the device does not have is looked for, however little it is.
    assert_eq!(pages(10, true).of(K::PointSweep).len(), 1);
}

#[test]
fn refused_addresses_are_a_sweep_even_of_a_new_master() {
    let deny = |n: u16| exchange(n, 5, &Request::Read(3, 1000 + n, 1), &Response::Exception(3, 2)).to_vec();
    let nine: Vec<_> = (0..9).map(deny).collect();
    assert_eq!(says(&judged(&modbus(all(&nine)).frames(), None, "a.pcap"), K::PointSweep), [""; 0]);
    let ten: Vec<_> = (0..10).map(deny).collect();
    assert_eq!(
        says(&judged(&modbus(all(&ten)).frames(), None, "a.pcap"), K::PointSweep),
        [
            "Sweep over point addresses: 10.10.0.1 talked to 10.10.0.20; expected points that this master has asked for before (those of its first 5 min count), observed 10 points (holding register 1000 to 1009) in 10 requests within less than 0.1 s, 10 refused."
        ]
    );
    // The same wrong address again and again is a mistake, not a sweep.
    let same: Vec<_> = (0..30).map(|_| deny(0)).collect();
    assert_eq!(says(&judged(&modbus(all(&same)).frames(), None, "a.pcap"), K::PointSweep), [""; 0]);
}

// ---- REC-03 ----

fn units(answered: bool) -> Vec<Line> {
    (10..20)
        .flat_map(|unit| {
            let [question, reply] = poll(unit.into(), unit, 0);
            if answered { vec![question, reply] } else { vec![question.after(2 * SECOND)] }
        })
        .collect()
}

#[test]
fn unit_ids_that_do_not_answer_are_a_sweep() {
    let talk = modbus(units(false));
    let outcome = judged(&talk.frames(), None, "a.pcap");
    assert_eq!(
        says(&outcome, K::StationSweep),
        [
            "Sweep over station addresses: 10.10.0.1 talked to 10.10.0.20; expected unit ids that answer, or were asked for in its first 5 min, observed 8 unit ids (10 to 17) in 5 requests within 14 s, 0 answered."
        ]
    );
    for blind in [midstream(talk.clone()), one_way(&talk, Side::Client)] {
        let outcome = judged(&blind, None, "a.pcap");
        assert_eq!(says(&outcome, K::StationSweep), [""; 0]);
        assert!(outcome.withheld(K::StationSweep) > 0);
    }
}

#[test]
fn polled_stations_whose_answers_the_tap_never_sees_are_no_sweep() {
    let round = |n: u16| {
        let polls = (10..18).flat_map(move |unit| poll(n * 8 + u16::from(unit), unit, 0));
        polls.enumerate().map(|(k, line)| if k == 0 { line.after(20 * SECOND) } else { line })
    };
    let talk = modbus((0..30).flat_map(round).collect());
    let outcome = judged(&one_way(&talk, Side::Client), None, "a.pcap");
    assert_eq!(says(&outcome, K::StationSweep), [""; 0]);
    assert!(outcome.withheld(K::StationSweep) > 0);
    // With a profile it is no matter of answers.
    let outcome = judged(&one_way(&talk, Side::Client), Some(SITE), "a.pcap");
    assert_eq!(outcome.of(K::StationSweep).len(), 1);
}

#[test]
fn a_gateway_with_many_units_is_no_sweep_unless_they_are_new() {
    assert_eq!(judged(&modbus(units(true)).frames(), None, "a.pcap").kinds(), [""; 0]);
    let outcome = judged(&modbus(all(&[established(), units(true)])).frames(), None, "a.pcap");
    let told = says(&outcome, K::StationSweep);
    assert!(
        told[0].contains("observed 5 unit ids (10 to 14) in 5 requests within less than 0.1 s, 0 answered"),
        "{told:#?}"
    );
}

#[test]
fn while_a_sweep_goes_on_its_requests_are_not_told_one_by_one() {
    let sweep = (10..200).map(|unit| poll(u16::from(unit), unit, 0)[0].clone()).collect();
    let outcome = judged(&modbus(sweep).frames(), Some(SITE), "a.pcap");
    assert_eq!(outcome.of(K::UnprofiledStation).len(), 4);
    let told = says(&outcome, K::StationSweep);
    assert_eq!(told.len(), 3, "{told:#?}");
    assert!(told[2].contains("80 unit ids (10 to 89) in 80 requests"), "{}", told[2]);
    // But a control is told whatever goes on.
    let write = ask(999, 5, &Request::WriteRegister(12, 4711));
    let script = (10..40).map(|unit| poll(u16::from(unit), unit, 0)[0].clone()).chain([write]).collect();
    assert_eq!(judged(&modbus(script).frames(), Some(SITE), "a.pcap").of(K::UnprofiledControl).len(), 1);
}

// ---- REC-04 to REC-06 ----

#[test]
fn asking_what_a_device_is_is_told_and_weighs_little_at_the_beginning() {
    let who = vec![ask(1, 5, &Request::DeviceId(1, 0))];
    let early = judged(&modbus(who.clone()).frames(), None, "a.pcap");
    assert_eq!(
        says(&early, K::DeviceIdentification),
        [
            "Device identification: 10.10.0.1 sent read device identification (function 43, sub-function 14) to unit 5 at 10.10.0.20; expected such a question only from an inventory tool that the profile names, observed read device identification (function 43/14)."
        ]
    );
    assert_eq!(early.of(K::DeviceIdentification)[0]["severity"], "low");
    let late = judged(&modbus(all(&[established(), who])).frames(), None, "a.pcap");
    assert_eq!(late.of(K::DeviceIdentification)[0]["severity"], "medium");
    let other = modbus(vec![ask(1, 5, &Request::ExceptionStatus)]);
    assert_eq!(says(&judged(&other.frames(), None, "a.pcap"), K::DeviceIdentification), [""; 0]);
}

fn link_status(station: u16) -> Line {
    Line::client(dnp3::link_frame(control::LINK_STATUS_REQUEST, station, 1, &[]))
}

fn dnp3_talk(script: Vec<Line>) -> TcpTalk {
    super::support::judge::dnp3(script)
}

#[test]
fn link_status_asked_of_many_addresses_is_a_scan() {
    let scan: Vec<Line> = (1..12).map(|n| link_status(100 + n).after(SECOND)).collect();
    let outcome = judged(&dnp3_talk(scan.clone()).frames(), None, "a.pcap");
    assert_eq!(
        says(&outcome, K::LinkScan),
        [
            "Scan for stations on the link layer: 10.10.0.1 talked to 10.10.0.20; expected link addresses that answer, or were asked for in its first 5 min, observed 10 link addresses (101 to 110) in 5 requests within 9 s, 0 answered."
        ]
    );
    let outcome = judged(&midstream(dnp3_talk(scan)), None, "a.pcap");
    assert_eq!(says(&outcome, K::LinkScan), [""; 0]);
    assert!(outcome.withheld(K::LinkScan) > 0);
    let same: Vec<Line> = (0..20).map(|_| link_status(10).after(SECOND)).collect();
    assert_eq!(says(&judged(&dnp3_talk(same).frames(), None, "a.pcap"), K::LinkScan), [""; 0]);
}

#[test]
fn the_self_address_is_told_at_once() {
    let outcome = judged(&dnp3_talk(vec![link_status(0xfffc)]).frames(), None, "a.pcap");
    assert_eq!(
        says(&outcome, K::LinkScan),
        [
            "Scan for stations on the link layer: 10.10.0.1 sent request link status (function 9) to link 65532 at 10.10.0.20; expected a station's own link address, observed the self-address 65532, to which any station may answer."
        ]
    );
}

fn class_poll(sequence: u8) -> [Line; 2] {
    [command(10, &dnp3::request(sequence, 1, &class_1())), report(10, &dnp3::response(sequence, [0, 0], &[]))]
}

#[test]
fn a_class_poll_by_a_master_that_came_late_is_told() {
    let old: Vec<Line> = (0..14)
        .flat_map(|n| {
            let [question, reply] = class_poll(n);
            [question.after(50 * SECOND), reply]
        })
        .collect();
    let mut frames = dnp3_talk(old).frames();
    let start_ns = frames.last().unwrap().at_ns + SECOND;
    let new = TcpTalk::new(address(9, 40_001), address(20, 20_000), class_poll(1).to_vec());
    let late = TcpTalk { start_ns, ..new.clone() };
    frames.extend(late.frames());
    assert_eq!(
        says(&judged(&frames, None, "a.pcap"), K::IntegrityPoll),
        [
            "Class poll by a new master: 10.10.0.9 sent read (function 1) to link 10 at 10.10.0.20 for class data 1; expected polls by masters that were there in the first 10 min, observed read (function 1) of class data 1 as one of its first requests."
        ]
    );
    assert_eq!(judged(&new.frames(), None, "a.pcap").kinds(), [""; 0]);
}

// ---- DEN-08, DEN-09 ----

/// RST segments to the server whose sequence numbers are far off.
fn with_resets(count: u16, talk: &TcpTalk) -> Vec<TimedFrame> {
    let mut frames = talk.frames();
    let end = frames.pop().unwrap();
    let handshake_and_data = frames.len() - 2;
    for n in 0..count {
        let mut layers = vec![simulators::wire::ethernet()];
        let (IpPair(src), IpPair(dst)) = (IpPair::of(talk.client), IpPair::of(talk.server));
        layers.push(Layer::Ipv4(simulators::wire::Ipv4 {
            id: 900 + n,
            ..simulators::wire::Ipv4::new(src, dst)
        }));
        layers.push(Layer::Tcp(Tcp {
            src: talk.client.port(),
            dst: talk.server.port(),
            seq: 0x4000_0000 + u32::from(n) * 65_536,
            flags: 4,
            ..Tcp::default()
        }));
        let at_ns = frames[handshake_and_data - 1].at_ns + 1000 * u64::from(n + 1);
        frames.insert(handshake_and_data + usize::from(n), TimedFrame { at_ns, bytes: build(&layers, &[]) });
    }
    frames.push(end);
    frames
}

struct IpPair(std::net::Ipv4Addr);

impl IpPair {
    fn of(end: std::net::SocketAddr) -> IpPair {
        match end.ip() {
            std::net::IpAddr::V4(ip) => IpPair(ip),
            std::net::IpAddr::V6(_) => panic!("IPv4 only"),
        }
    }
}

#[test]
fn resets_that_fit_no_connection_are_told() {
    let talk = modbus((0..5).flat_map(|n| poll(n, 5, 0)).collect());
    assert_eq!(
        says(&judged(&with_resets(3, &talk), None, "a.pcap"), K::TcpTeardown),
        [
            "Forged ends of connections: between 10.10.0.1 and 10.10.0.20; expected RST segments with sequence numbers of their connection, observed 3 RST segments within less than 0.1 s that fit no connection."
        ]
    );
    assert_eq!(says(&judged(&with_resets(2, &talk), None, "a.pcap"), K::TcpTeardown), [""; 0]);
    let blind = TcpTalk { handshake: false, ..talk };
    let outcome = judged(&with_resets(3, &blind), None, "a.pcap");
    assert_eq!((says(&outcome, K::TcpTeardown).len(), outcome.withheld(K::TcpTeardown)), (0, 1));
}

#[test]
fn reports_without_end_are_a_storm() {
    let event = || Header::new(2, 1, Range::All).encode();
    let storm = |count: u8, apart| -> Vec<Line> {
        (0..count)
            .map(|n| report(10, &dnp3::unsolicited(n & 15, [0, 0], &event()[..0])).after(apart))
            .collect()
    };
    let mut script: Vec<Line> = class_poll(1).to_vec();
    script.extend(storm(100, SECOND / 100));
    assert_eq!(
        says(&judged(&dnp3_talk(script).frames(), None, "a.pcap"), K::UnsolicitedStorm),
        [
            "Storm of unsolicited reports: link 10 at 10.10.0.20 sent unsolicited response (function 130) to 10.10.0.1; expected at most 10 unsolicited reports a second, observed 100 within 10 s."
        ]
    );
    let slow = storm(100, SECOND / 8);
    assert_eq!(says(&judged(&dnp3_talk(slow).frames(), None, "a.pcap"), K::UnsolicitedStorm), [""; 0]);
}
