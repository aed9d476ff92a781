//! IEC 60870-5-104: measured values that a station reports, and set-points.

use simulators::encode::iec104::{Asdu, Element, Time, frame_i, frame_s, frame_u, octets, u};
use simulators::wire::{Line, START_NS, Side, TcpTalk, TimedFrame};

use super::{SECOND, learned, serious, socket, sound};

const SPONTANEOUS: u8 = 3;
const ACTIVATION: u8 = 6;
const CONFIRMATION: u8 = 7;
const TERMINATION: u8 = 10;
const INTERROGATED: u8 = 20;
/// Quality: invalid.
const INVALID: u8 = 0x80;

/// A controlling and a controlled station, with the numbers of what they send.
#[derive(Default)]
struct Talk {
    lines: Vec<Line>,
    sent: [u16; 2],
    at_ns: u64,
}

impl Talk {
    fn line(&mut self, line: Line, wait: u64) {
        self.at_ns += wait;
        self.lines.push(line.after(wait));
    }

    fn say(&mut self, side: Side, wait: u64, asdu: &Asdu) {
        let (own, other) = if side == Side::Client { (0, 1) } else { (1, 0) };
        let bytes = frame_i(self.sent[own], self.sent[other], &asdu.encode());
        self.sent[own] += 1;
        let line = if side == Side::Client { Line::client(bytes) } else { Line::server(bytes) };
        self.line(line, wait);
    }

    fn report(&mut self, type_id: u8, object: u32, elements: &[Element]) {
        self.say(Side::Server, 1_000_000, &Asdu::new(type_id, SPONTANEOUS, 7, object, octets(elements)));
    }

    /// Asked and confirmed.
    fn ask(&mut self, asdu: &Asdu) {
        self.say(Side::Client, 1_000_000, asdu);
        self.say(Side::Server, 1_000_000, &asdu.answer(CONFIRMATION, false));
    }
}

/// A station reports every two seconds, and its set-point 500 is set to between 40 and 54 every 20 s. `forged` are the
/// seconds at which it is set to 9000.
fn talk(seconds: u64, forged: &[u64]) -> Vec<TimedFrame> {
    let mut talk = Talk::default();
    talk.line(Line::client(frame_u(u::STARTDT_ACT)), 1_000_000);
    talk.line(Line::server(frame_u(u::STARTDT_CON)), 1_000_000);
    let interrogation = Asdu::new(100, ACTIVATION, 7, 0, octets(&[Element::Qoi(20)]));
    for second in 1..seconds {
        talk.line(Line::client(frame_s(talk.sent[1])), second * SECOND - talk.at_ns);
        let n = second as f32;
        if second % 60 == 1 {
            talk.ask(&interrogation);
            let value = octets(&[Element::Sva(-5), Element::Qds(0)]);
            talk.say(Side::Server, 1_000_000, &Asdu::new(11, INTERROGATED, 7, 701, value));
            talk.say(Side::Server, 1_000_000, &interrogation.answer(TERMINATION, false));
        }
        if second % 2 == 0 {
            let time = Element::Cp56(Time::at((START_NS + second * SECOND) / 1_000_000));
            let quality = if second % 40 == 0 { INVALID } else { 0 };
            let value = if quality == 0 { 230.5 + n % 11.0 } else { -1e6 };
            talk.report(36, 700, &[Element::R32(value), Element::Qds(quality), time]);
            let scaled = i16::try_from(second % 20).unwrap() - 10;
            talk.report(11, 701, &[Element::Sva(scaled), Element::Qds(0)]);
            talk.report(21, 702, &[Element::Nva(if second % 4 == 0 { 0x4000 } else { 0x2000 })]);
            talk.report(1, 710, &[Element::Siq { on: second % 4 == 0, quality: 0 }]);
            let position = i8::try_from(second % 5).unwrap();
            talk.report(5, 711, &[Element::Vti { position, transient: false }, Element::Qds(0)]);
            talk.report(7, 712, &[Element::Bsi(second as u32), Element::Qds(0)]);
            talk.report(15, 713, &[Element::Bcr { count: second as i32, sequence: 0, flags: 0 }]);
        }
        let value = if forged.contains(&second) { Some(9000.0) } else { None };
        if let Some(value) = value.or((second % 20 == 0).then(|| 40.0 + (second * 7 % 21) as f32)) {
            let elements = [Element::R32(value), Element::Qos { qualifier: 0, select: false }];
            talk.ask(&Asdu::new(50, ACTIVATION, 7, 500, octets(&elements)));
        }
    }
    TcpTalk::new(socket([10, 0, 0, 1], 40_000), socket([10, 0, 0, 2], 2404), talk.lines).frames()
}

fn half(frames: Vec<TimedFrame>, second: bool) -> Vec<TimedFrame> {
    let middle = START_NS + 900 * SECOND;
    frames.into_iter().filter(|frame| (frame.at_ns >= middle) == second).collect()
}

#[test]
fn reported_measured_values_are_proposed_and_others_are_not() {
    let (text, profile) = sound(&learned(&half(talk(1800, &[]), false)));
    let proposed: Vec<&str> = text.lines().filter(|line| line.contains("{ point")).collect();
    let expected = [
        "information-object-500 = { point = \"information_object 500\", set_range = [38, 56] }",
        "# information-object-700 = { point = \"information_object 700\", range = [229.5, 241.5], \
         rate_of_change = \"6.8 per second\", stuck_after = \"12 s\" } # seen 230.5 to 240.5",
        "# information-object-701 = { point = \"information_object 701\", range = [-12, 10], \
         rate_of_change = \"14 per second\", stuck_after = \"6 s\" } # seen -10 to 8",
        "# information-object-702 = { point = \"information_object 702\", range = [0.225, 0.525], \
         rate_of_change = \"0.19 per second\", stuck_after = \"6 s\" } # seen 0.25 to 0.5",
    ];
    assert_eq!(proposed, expected, "states, steps, bits, counters and invalid values are none");
    let points = &profile.profile().stations[0].points;
    assert_eq!(points.len(), 1, "what is proposed is not in force: {points:?}");
    let taken: String = text
        .lines()
        .map(|line| match line.strip_prefix("# ") {
            Some(own) if own.starts_with("[stations") || own.contains("{ point") => format!("{own}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    profiles::parse(&taken, "taken.toml").unwrap_or_else(|errors| panic!("{errors}\n{taken}"));
    assert_eq!(serious(&taken, &half(talk(1800, &[]), true)), [], "{taken}");
}

#[test]
fn a_forged_set_point_of_a_control_center_does_not_widen_the_limits() {
    let attacked = talk(1800, &[301, 303, 1501]);
    let profile = learned(&half(attacked.clone(), false)).to_toml();
    assert!(profile.contains("values = { min = 38, max = 56 }"), "{profile}");
    assert!(
        profile.contains("information_object 500: 9000 was written, far from all other values"),
        "{profile}"
    );
    assert_eq!(serious(&profile, &half(talk(1800, &[]), true)), [], "the benign second half is silent");
    let found = serious(&profile, &half(attacked, true));
    assert!(!found.is_empty());
    for (kind, client, server, at) in &found {
        assert_eq!((client.as_str(), server.as_str()), ("10.0.0.1", "10.0.0.2"), "{kind}");
        assert!((START_NS + 1500 * SECOND..START_NS + 1503 * SECOND).contains(at), "{kind} at {at}");
    }
}
