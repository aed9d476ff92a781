//! Blind spots 9 to 15: Modbus.

use core::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::talks::{Framing, Story, master, merged, modbus_poll, station};
use super::{ExpectedOperation, Scenario};
use crate::encode::modbus::{FilePart, Request, Response, mbap_raw};
use crate::wire::{LINKTYPE_ETHERNET, START_NS, Side, TcpTalk, TimedFrame};

pub(super) fn all() -> Vec<Scenario> {
    vec![
        unrelated_connections_end(),
        bad_pdus(),
        constant_transaction(),
        two_units(),
        other_ports(),
        valid_reads(),
        long_sessions(),
    ]
}

fn over_tcp(name: &'static str, description: &'static str, story: &Story) -> Scenario {
    let talk = TcpTalk::new(master(40020), station(502), story.script.clone());
    finished(name, description, talk.frames(), story)
}

fn finished(
    name: &'static str,
    description: &'static str,
    frames: Vec<TimedFrame>,
    story: &Story,
) -> Scenario {
    Scenario {
        name,
        description,
        link_type: LINKTYPE_ETHERNET,
        frames,
        operations: story.operations.clone(),
        findings: vec![],
        forbidden: vec![
            "malformed_pdu",
            "broken_framing",
            "answer_without_request",
            "contradicting_answer",
            "unanswered_request",
        ],
    }
}

fn echo(request: &Request) -> Response {
    Response::Echo(Box::new(request.clone()))
}

/// 9. Twenty unrelated short connections a second; each request of the long one is open while some end.
fn unrelated_connections_end() -> Scenario {
    let mut story = Story::default();
    for transaction in 1..=20_u16 {
        story
            .ask(transaction, 5, &Request::Read(3, transaction * 10, 2))
            .line_after(100_000_000)
            .answer(transaction, 5, &Response::Registers(3, vec![transaction, 7]))
            .line_after(200_000_000);
    }
    let long = TcpTalk::new(master(40020), station(502), story.script.clone());
    let mut talks = vec![long.frames()];
    let mut short = Story::default();
    short.ask(1, 1, &Request::Read(4, 0, 1)).answer(1, 1, &Response::Registers(4, vec![99]));
    for i in 0..120_u16 {
        let other = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 10, 3, 30)), 50000 + i);
        let far = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 10, 4, 40)), 502);
        let talk = TcpTalk {
            start_ns: START_NS + u64::from(i) * 50_000_000,
            ..TcpTalk::new(other, far, short.script.clone())
        };
        talks.push(talk.frames());
        story.operations.extend(short.operations.iter().copied());
    }
    finished(
        "blind_09_unrelated_connections_end",
        "the end of other connections does not part answers from their requests",
        merged(talks),
        &story,
    )
}

/// 10. A PDU that contradicts itself, a foreign protocol id, a valid two-part file read; then a write.
fn bad_pdus() -> Scenario {
    let mut story = Story::default();
    story.ask(1, 5, &Request::Read(3, 0, 2)).answer(1, 5, &Response::Registers(3, vec![1, 2]));
    // The byte count says 10, but two registers follow.
    story.ask(2, 5, &Request::Read(3, 0, 2)).answer(2, 5, &Response::Other(3, vec![10, 0, 1, 0, 2]));
    // Protocol id 7 is not Modbus; it is shown all the same, and flagged.
    story.raw(Side::Client, mbap_raw(3, 7, 6, 5, &Request::Read(3, 0, 2).pdu()));
    story.operations.push(ExpectedOperation {
        protocol: "modbus",
        function: 3,
        station: 5,
        exchange: "request",
    });
    let parts = vec![FilePart { file: 4, record: 1, length: 2 }, FilePart { file: 3, record: 9, length: 2 }];
    let file = Response::File(vec![vec![1, 2], vec![3, 4]]);
    story.ask(4, 5, &Request::ReadFile(parts)).answer(4, 5, &file);
    let write = Request::WriteCoil(7, 0xff00);
    story.ask(5, 5, &write).answer(5, 5, &echo(&write));
    let mut scenario =
        over_tcp("blind_10_bad_pdus", "what is damaged is reported, and what follows is seen", &story);
    scenario.findings = vec!["malformed_pdu", "field_range"];
    scenario.forbidden = vec![];
    scenario
}

/// 11. Transaction id 0 throughout, two requests open at a time.
fn constant_transaction() -> Scenario {
    let mut story = Story::default();
    for round in 0..5_u16 {
        let (low, high) = (round * 100, round * 100 + 50);
        story
            .ask(0, 5, &Request::Read(3, low, 1))
            .ask(0, 5, &Request::Read(3, high, 1))
            .answer(0, 5, &Response::Registers(3, vec![low]))
            .answer(0, 5, &Response::Registers(3, vec![high]));
    }
    over_tcp(
        "blind_11_constant_transaction",
        "answers go to their own requests in order; every value equals its address",
        &story,
    )
}

/// 12. The same addresses in two units, and writes between the reads.
fn two_units() -> Scenario {
    let mut story = Story::default();
    for round in 0..4_u16 {
        for unit in [1_u8, 2] {
            let transaction = round * 10 + u16::from(unit);
            let value = u16::from(unit) * 1000 + round;
            let write = Request::WriteRegister(9, value);
            story
                .ask(transaction, unit, &Request::Read(3, 8, 2))
                .answer(transaction, unit, &Response::Registers(3, vec![u16::from(unit), value]))
                .ask(transaction + 100, unit, &write)
                .answer(transaction + 100, unit, &echo(&write));
        }
    }
    over_tcp("blind_12_two_units", "points belong to a unit, not to an address alone", &story)
}

/// 13. Modbus on 1502; TLS and HTTP on 502.
fn other_ports() -> Scenario {
    let mut story = modbus_poll(Framing::Mbap);
    // Enough to be sure of the protocol by content.
    for transaction in 4..=10_u16 {
        story.ask(transaction, 5, &Request::Read(3, 100, 2)).answer(
            transaction,
            5,
            &Response::Registers(3, vec![transaction, 50]),
        );
    }
    let odd = TcpTalk::new(master(40021), station(1502), story.script.clone());
    let mut tls = Story::default();
    let hello = [
        &[0x16, 3, 1, 0, 0x31, 1, 0, 0, 0x2d, 3, 3][..],
        &[0x5a; 32],
        &[0, 0, 4, 0x13, 1, 0, 0xff, 1, 0, 0, 0],
    ];
    let server = [&[0x16, 3, 3, 0, 0x2c, 2, 0, 0, 0x28, 3, 3][..], &[0xa5; 32], &[0, 0x13, 1, 0, 0, 0]];
    tls.raw(Side::Client, hello.concat()).raw(Side::Server, server.concat());
    tls.raw(Side::Client, [&[0x17, 3, 3, 0, 40][..], &[0xc3; 40]].concat());
    let mut http = Story::default();
    http.raw(Side::Client, b"GET / HTTP/1.1\r\nHost: relay-7\r\nAccept: */*\r\n\r\n".to_vec());
    http.raw(Side::Server, b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello".to_vec());
    let tls = TcpTalk::new(master(40022), station(502), tls.script);
    let http = TcpTalk::new(master(40023), station(502), http.script);
    let mut scenario = finished(
        "blind_13_other_ports",
        "Modbus is found on port 1502, and TLS and HTTP on port 502 are not taken for it",
        merged(vec![odd.frames(), tls.frames(), http.frames()]),
        &story,
    );
    scenario.findings = vec!["unexpected_port", "foreign_protocol"];
    // What is no PDU may be reported as such besides.
    scenario.forbidden.retain(|kind| *kind != "broken_framing");
    scenario
}

/// 14. Reads of every size, all sound: no finding at all.
fn valid_reads() -> Scenario {
    let mut story = Story::default();
    for quantity in [1_u16, 2, 3, 7, 8, 9, 16, 63, 64, 124, 125] {
        for function in [3_u8, 4] {
            let transaction = quantity * 10 + u16::from(function);
            story.ask(transaction, 5, &Request::Read(function, 0, quantity)).answer(
                transaction,
                5,
                &Response::Registers(function, vec![0x0101; quantity.into()]),
            );
        }
        for function in [1_u8, 2] {
            let transaction = quantity * 10 + u16::from(function);
            story.ask(transaction, 5, &Request::Read(function, 0, quantity)).answer(
                transaction,
                5,
                &Response::Bits(function, vec![true; quantity.into()]),
            );
        }
    }
    let mut scenario = over_tcp("blind_14_valid_reads", "sound answers raise nothing", &story);
    scenario.forbidden.extend(["field_range", "peculiar", "reserved_bits", "sequence_anomaly"]);
    scenario
}

/// 15. More than a mebibyte each way on one connection, then a write.
fn long_sessions() -> Scenario {
    let mut story = Story::default();
    // 260 octets a response, 259 a write: 4200 exchanges of both carry over a mebibyte each way.
    let values = vec![0x1234; 123];
    for round in 0..4200_u16 {
        let transaction = round.wrapping_mul(2);
        story
            .ask(transaction, 5, &Request::WriteRegisters(0, values.clone()))
            .answer(transaction, 5, &Response::Written(16, 0, 123))
            .ask(transaction + 1, 5, &Request::Read(3, 0, 125))
            .answer(transaction + 1, 5, &Response::Registers(3, vec![round; 125]));
    }
    let write = Request::WriteCoil(1, 0xff00);
    story.ask(9999, 5, &write).answer(9999, 5, &echo(&write));
    over_tcp("blind_15_long_sessions", "the last write behind a mebibyte each way is seen", &story)
}
