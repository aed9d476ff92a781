//! Services beside the control protocols: what the profile lets a host use and offer, and what its role never does.

use gridtap::report::catalogue::FindingKind as K;
use simulators::encode::modbus::{Request, Response};
use simulators::wire::{IpStyle, Line, START_NS, TcpTalk, TimedFrame, datagrams, ethernet};

use crate::support::judge::{Outcome, address, answer, ask, judged};

/// The master uses HTTPS and offers nothing; nothing is said of the others but the RTU's role.
const SITE: &str = crate::substation!(
    r#"uses = []
[hosts.master]
address = "10.10.0.5"
uses = ["https"]
offers = []
[hosts.field]
address = "10.10.0.6"
role = "rtu"
[hosts.gateway]
address = "10.10.0.7"
role = "rtu"
uses = ["ssh"]
[hosts.office]
address = "10.10.0.8"
"#
);

/// A connection with one line in each direction.
fn talk(client: u8, server: u8, port: u16) -> Vec<TimedFrame> {
    let lines = vec![Line::client(&b"question"[..]), Line::server(&b"answer"[..])];
    TcpTalk::new(address(client, 40_000), address(server, port), lines).frames()
}

fn seen(frames: &[TimedFrame]) -> Outcome {
    judged(frames, Some(SITE), "a.pcap")
}

fn says(outcome: &Outcome) -> Vec<&str> {
    assert!(outcome.kinds().iter().all(|kind| *kind == K::UnprofiledService.name()), "{}", outcome.text);
    outcome.findings.iter().map(|f| f["explanation"].as_str().unwrap()).collect()
}

#[test]
fn a_service_that_the_profile_does_not_list_is_told() {
    let smb = seen(&talk(5, 8, 445));
    assert_eq!(
        says(&smb),
        [
            "Service that the profile does not allow: master (10.10.0.5) talked to 10.10.0.8; expected 10.10.0.5 uses HTTPS beside the control protocols, observed it uses SMB with 10.10.0.8."
        ]
    );
    assert_eq!(smb.findings[0]["severity"], "medium");
    assert_eq!(
        says(&seen(&talk(8, 5, 80))),
        [
            "Service that the profile does not allow: master (10.10.0.5) talked to 10.10.0.8; expected 10.10.0.5 offers nothing beside the control protocols, observed it offers HTTP to 10.10.0.8."
        ]
    );
    // What is listed, what gridtap does not know by its port, and hosts of which nothing is said.
    for (client, server, port) in [(5, 8, 443), (5, 8, 9999), (8, 9, 445), (9, 8, 22)] {
        assert_eq!(says(&seen(&talk(client, server, port))), [""; 0], "{client} {server} {port}");
    }
}

#[test]
fn what_a_role_never_uses_is_told_unless_the_host_lists_it() {
    assert_eq!(
        says(&seen(&talk(6, 8, 445))),
        [
            "Service that the profile does not allow: field (10.10.0.6) talked to 10.10.0.8; expected no SMB by a device with the role 'Remote terminal unit', observed it uses SMB with 10.10.0.8."
        ]
    );
    // It may report by web, and be worked on; another is listed.
    for (client, server, port) in [(6, 8, 443), (8, 6, 22), (7, 8, 22)] {
        assert_eq!(says(&seen(&talk(client, server, port))), [""; 0], "{client} {server} {port}");
    }
    assert_eq!(says(&seen(&talk(7, 8, 445))).len(), 1, "the list of the host, not the role");
}

#[test]
fn names_asked_for_from_port_to_port_and_clients_on_low_ports_are_taken_for_what_they_are() {
    let asks = |from: u16, to: u16| {
        let lines = [Line::client(&b"who is there"[..])];
        seen(&datagrams(address(5, from), address(8, to), &lines, &[ethernet()], &IpStyle::default()))
    };
    assert_eq!(says(&asks(137, 137)).len(), 1);
    assert_eq!(says(&asks(53, 445)), [""; 0], "an answer to a question for a name");
}

/// A station whose first answer is seen long after its host was: it was nothing before that it could have changed.
#[test]
fn a_station_whose_first_answer_comes_late_has_no_new_service() {
    let late = |port| {
        let start = START_NS + 700_000_000_000;
        let web = talk(9, 8, 80);
        let read = vec![ask(1, 5, &Request::Read(3, 0, 1)), answer(1, 5, &Response::Registers(3, vec![1]))];
        let poll = TcpTalk { start_ns: start, ..TcpTalk::new(address(9, 40_001), address(8, port), read) };
        judged(&[web, poll.frames()].concat(), None, "a.pcap")
    };
    assert_eq!(late(502).of(K::NewProtocol).len(), 0, "{}", late(502).text);
}
