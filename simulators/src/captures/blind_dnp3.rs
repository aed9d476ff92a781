//! Blind spots 1 to 8: DNP3.

use super::Scenario;
use super::talks::{Story, analogs, classes, crob, master, merged, one, online, station};
use crate::encode::dnp3::{
    self, Header, Prefix, Range, control, link_frame, object, pack_double_bits, segments,
};
use crate::value::Value;
use crate::wire::{IpStyle, LINKTYPE_ETHERNET, Line, Side, TcpTalk, TimedFrame, datagrams, ethernet};

const OUTSTATION: u16 = 10;

pub(super) fn all() -> Vec<Scenario> {
    vec![
        link_only_frames(),
        analog_output(),
        double_bit_event(),
        bad_crc(),
        outstation_opens(),
        unsolicited_rows(),
        udp_and_resynchronisation(),
        addresses_with_values(),
    ]
}

fn over_tcp(name: &'static str, description: &'static str, story: &Story) -> Scenario {
    let talk = TcpTalk::new(master(40010), station(20000), story.script.clone());
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
        forbidden: vec!["malformed_pdu", "broken_framing", "unknown_object", "answer_without_request"],
    }
}

fn link(control: u8, from_master: bool) -> Vec<u8> {
    let (to, from) = if from_master { (OUTSTATION, 1) } else { (1, OUTSTATION) };
    link_frame(control, to, from, &[])
}

fn request(sequence: u8, function: u8, objects: &[u8]) -> Vec<u8> {
    dnp3::request(sequence, function, objects)
}

fn response(sequence: u8, objects: &[u8]) -> Vec<u8> {
    dnp3::response(sequence, [0, 0], objects)
}

/// 1. Link status and acknowledgements before a TRIP, each in a segment of its own and together.
fn link_only_frames() -> Scenario {
    let mut story = Story::default();
    story
        .raw(Side::Client, link(control::RESET_LINK, true))
        .raw(Side::Server, link(control::ACK, false))
        .raw(Side::Client, link(control::LINK_STATUS_REQUEST, true))
        .raw(Side::Server, link(control::LINK_STATUS, false))
        .command(Side::Client, OUTSTATION, &request(1, 5, &crob(5, 0x81)))
        .report(Side::Server, OUTSTATION, &response(1, &crob(5, 0x81)))
        .command(Side::Client, OUTSTATION, &request(2, 1, &classes()))
        .report(Side::Server, OUTSTATION, &response(2, &analogs(0, 3)));
    // Now the status request and the next command share a segment.
    story.command(Side::Client, OUTSTATION, &request(3, 5, &crob(6, 0x81)));
    if let Some(last) = story.script.last_mut() {
        last.bytes = [link(control::LINK_STATUS_REQUEST, true), last.bytes.clone()].concat();
    }
    story.report(Side::Server, OUTSTATION, &response(3, &crob(6, 0x81)));
    over_tcp("blind_01_link_only_frames", "link-only frames hide nothing behind them", &story)
}

/// 2. Analog outputs and dead-bands, then a restart, silence and a new time.
fn analog_output() -> Scenario {
    let set_point = one(41, 2, 3, Value::Signed(500));
    let silence: Vec<u8> = [2, 3, 4].iter().flat_map(|v| Header::new(60, *v, Range::All).encode()).collect();
    let time = [
        Header::new(50, 1, Range::Count8(1)).encode(),
        object(50, 1, &online(Value::TimeMs(1_700_000_000_000))),
    ]
    .concat();
    let delay =
        [Header::new(52, 1, Range::Count8(1)).encode(), object(52, 1, &online(Value::Unsigned(30)))].concat();
    let mut story = Story::default();
    let steps: [(u8, Vec<u8>, Vec<u8>); 6] = [
        (3, set_point.clone(), set_point.clone()),
        (4, set_point.clone(), set_point),
        (2, one(34, 1, 2, Value::Unsigned(25)), vec![]),
        (13, vec![], delay),
        (21, silence, vec![]),
        (2, time, vec![]),
    ];
    for (sequence, (function, objects, answer)) in steps.iter().enumerate() {
        let sequence = sequence as u8 + 1;
        story.command(Side::Client, OUTSTATION, &request(sequence, *function, objects)).report(
            Side::Server,
            OUTSTATION,
            &response(sequence, answer),
        );
    }
    let mut scenario = over_tcp(
        "blind_02_analog_output",
        "select and operate of g41 and a write of g34 end nothing: the restart behind them is seen",
        &story,
    );
    scenario.findings = vec!["restart_command"];
    scenario.forbidden.push("operate_without_select");
    scenario
}

/// 3. Double-bit events without time, then a trip.
fn double_bit_event() -> Scenario {
    let events = [
        Header::prefixed(4, 1, Prefix::Index8, Range::Count8(2)).encode(),
        vec![3, 0x81, 4, 0x41],
        Header::new(3, 1, Range::Points8(0, 3)).encode(),
        pack_double_bits(&[1, 2, 1, 2]),
    ]
    .concat();
    let mut story = Story::default();
    story
        .command(Side::Client, OUTSTATION, &request(1, 1, &classes()))
        .report(Side::Server, OUTSTATION, &response(1, &events))
        .command(Side::Client, OUTSTATION, &request(2, 5, &crob(5, 0x81)))
        .report(Side::Server, OUTSTATION, &response(2, &crob(5, 0x81)));
    over_tcp("blind_03_double_bit_event", "a g4v1 event ends nothing", &story)
}

/// 4. A frame with a wrong block checksum each way; everything else is seen.
fn bad_crc() -> Scenario {
    let spoiled = |from_master: bool, fragment: &[u8]| {
        let (control, to, from) = if from_master {
            (control::MASTER_DATA, OUTSTATION, 1)
        } else {
            (control::OUTSTATION_DATA, 1, OUTSTATION)
        };
        let mut frame = dnp3::frames(control, to, from, fragment);
        if let Some(last) = frame.last_mut() {
            *last ^= 0x55;
        }
        frame
    };
    let mut story = Story::default();
    story
        .command(Side::Client, OUTSTATION, &request(1, 1, &classes()))
        .report(Side::Server, OUTSTATION, &response(1, &analogs(0, 2)))
        .raw(Side::Client, spoiled(true, &request(2, 1, &classes())))
        .raw(Side::Server, spoiled(false, &response(2, &analogs(0, 2))))
        .command(Side::Client, OUTSTATION, &request(3, 5, &crob(5, 0x81)))
        .report(Side::Server, OUTSTATION, &response(3, &crob(5, 0x81)));
    let mut scenario =
        over_tcp("blind_04_bad_crc", "a wrong checksum costs one frame, and is reported", &story);
    scenario.findings = vec!["bad_checksum"];
    scenario.forbidden = vec!["unknown_object"];
    scenario
}

/// 5. The outstation calls the master; roles follow the DIR bit.
fn outstation_opens() -> Scenario {
    let control = crob(7, 0x41);
    let mut story = Story::default();
    story
        .report(Side::Client, OUTSTATION, &dnp3::unsolicited(0, [0x80, 0], &[]))
        .command(Side::Server, OUTSTATION, &dnp3::confirm(0, true))
        .command(Side::Server, OUTSTATION, &request(1, 3, &control))
        .report(Side::Client, OUTSTATION, &response(1, &control))
        .command(Side::Server, OUTSTATION, &request(2, 4, &control))
        .report(Side::Client, OUTSTATION, &response(2, &control));
    // The outstation has the ephemeral port, the master listens on 20000.
    let talk = TcpTalk::new(station(40011), master(20000), story.script.clone());
    let mut scenario = finished(
        "blind_05_outstation_opens",
        "the outstation opens the connection; its commands are not read as responses",
        talk.frames(),
        &story,
    );
    scenario.forbidden.extend(["role_reversal", "operate_without_select"]);
    scenario
}

/// 6. Unsolicited responses with rows, and a request that nobody answers before the next one.
fn unsolicited_rows() -> Scenario {
    let events = [
        Header::prefixed(2, 2, Prefix::Index8, Range::Count8(1)).encode(),
        vec![7],
        object(2, 2, &online(Value::Bit(true))),
        Header::prefixed(32, 3, Prefix::Index16, Range::Count16(1)).encode(),
        vec![9, 0],
        object(32, 3, &online(Value::Signed(-5000))),
    ]
    .concat();
    let minute = 60_000_000_000;
    let mut story = Story::default();
    story
        .report(Side::Server, OUTSTATION, &dnp3::unsolicited(3, [0, 0], &events))
        .command(Side::Client, OUTSTATION, &dnp3::confirm(3, true))
        .command(Side::Client, OUTSTATION, &request(1, 1, &classes()))
        .command(Side::Client, OUTSTATION, &request(2, 1, &classes()))
        .line_after(minute)
        .report(Side::Server, OUTSTATION, &response(2, &analogs(0, 2)))
        .command(Side::Client, OUTSTATION, &request(3, 1, &classes()))
        .line_after(minute)
        .report(Side::Server, OUTSTATION, &response(3, &analogs(0, 2)));
    let mut scenario = over_tcp(
        "blind_06_unsolicited_rows",
        "unsolicited values are kept, and an unanswered request is not overwritten by the next",
        &story,
    );
    scenario.findings = vec!["unanswered_request"];
    scenario
}

/// 7. UDP, then TCP with rubbish and a spoilt start octet between frames.
fn udp_and_resynchronisation() -> Scenario {
    let mut datagram = Story::default();
    datagram
        .raw(Side::Client, link(control::LINK_STATUS_REQUEST, true))
        .raw(Side::Server, link(control::LINK_STATUS, false))
        .command(Side::Client, OUTSTATION, &request(1, 5, &crob(5, 0x41)))
        .report(Side::Server, OUTSTATION, &response(1, &crob(5, 0x41)));
    let mut stream = Story::default();
    stream.command(Side::Client, OUTSTATION, &request(1, 1, &classes())).report(
        Side::Server,
        OUTSTATION,
        &response(1, &analogs(0, 2)),
    );
    let mut spoilt = dnp3::frames(control::MASTER_DATA, OUTSTATION, 1, &request(2, 1, &classes()));
    spoilt[0] = 0x06;
    stream
        .raw(Side::Client, spoilt)
        .raw(Side::Server, vec![0x00, 0x05, 0x05, 0x64, 0xff, 0x00, 0x64])
        .command(Side::Client, OUTSTATION, &request(3, 5, &crob(5, 0x81)))
        .report(Side::Server, OUTSTATION, &response(3, &crob(5, 0x81)));
    let udp = datagrams(master(20000), station(20000), &datagram.script, &[ethernet()], &IpStyle::default());
    let tcp = TcpTalk::new(master(40012), station(20000), stream.script.clone());
    let mut story = datagram;
    story.operations.extend(stream.operations);
    let mut scenario = finished(
        "blind_07_udp_and_resynchronisation",
        "DNP3 over UDP, link control frames, and a stream that must be found again",
        merged(vec![udp, tcp.frames()]),
        &story,
    );
    scenario.findings = vec!["broken_framing"];
    scenario.forbidden = vec!["unknown_object"];
    scenario
}

/// 8. Two outstations behind one address, their fragments interleaved frame by frame.
fn addresses_with_values() -> Scenario {
    let mut story = Story::default();
    story.command(Side::Client, 10, &request(1, 1, &classes())).command(
        Side::Client,
        11,
        &request(1, 1, &classes()),
    );
    let fragments = [(10_u16, response(1, &analogs(0, 100))), (11, response(1, &analogs(500, 100)))];
    let parts: Vec<(u16, Vec<Vec<u8>>)> = fragments.iter().map(|(s, f)| (*s, segments(f, 5))).collect();
    let rows = parts[0].1.len();
    for row in 0..rows {
        for (outstation, segments) in &parts {
            let frame = link_frame(control::OUTSTATION_DATA, 1, *outstation, &segments[row]);
            story.script.push(Line::server(frame));
        }
    }
    for (outstation, _) in &parts {
        story.operations.push(super::ExpectedOperation {
            protocol: "dnp3",
            function: 129,
            station: *outstation,
            exchange: "response",
        });
    }
    over_tcp(
        "blind_08_addresses_with_values",
        "every value is reported with its outstation's address",
        &story,
    )
}
