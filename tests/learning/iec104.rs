//! IEC 60870-5-104: measured values that a station reports, and set-points.

use simulators::encode::iec104::{Asdu, Element, Time, frame_i, frame_s, frame_u, octets, u};
use simulators::wire::{Line, START_NS, Side, TcpTalk, TimedFrame};

use super::{SECOND, judged, learned, serious, socket, sound};

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
    /// Fields of 1, 1 and 2 octets.
    of_101: bool,
    /// Another client than 10.0.0.1: this much above it.
    other: u8,
}

/// With the fields that IEC 60870-5-101 allows: one octet each for cause and common address, two for the object's.
fn of_101(asdu: &Asdu) -> Vec<u8> {
    let cause = asdu.cause | u8::from(asdu.negative) << 6;
    let mut out = vec![asdu.type_id, asdu.objects.len() as u8, cause, asdu.address as u8];
    for (address, octets) in &asdu.objects {
        out.extend_from_slice(&(*address as u16).to_le_bytes());
        out.extend_from_slice(octets);
    }
    out
}

impl Talk {
    fn line(&mut self, line: Line, wait: u64) {
        self.at_ns += wait;
        self.lines.push(line.after(wait));
    }

    fn say(&mut self, side: Side, wait: u64, asdu: &Asdu) {
        let (own, other) = if side == Side::Client { (0, 1) } else { (1, 0) };
        let octets = if self.of_101 { of_101(asdu) } else { asdu.encode() };
        let bytes = frame_i(self.sent[own], self.sent[other], &octets);
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
    talk_of(Talk::default(), seconds, forged)
}

fn talk_of(mut talk: Talk, seconds: u64, forged: &[u64]) -> Vec<TimedFrame> {
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
    let client = socket([10, 0, 0, 1 + talk.other], 40_000);
    TcpTalk::new(client, socket([10, 0, 0, 2], 2404), talk.lines).frames()
}

/// A talk of these commands, each confirmed, with a wait before each.
fn commands(all: impl IntoIterator<Item = (u64, Asdu)>) -> Vec<TimedFrame> {
    let mut talk = Talk::default();
    talk.line(Line::client(frame_u(u::STARTDT_ACT)), 1_000_000);
    talk.line(Line::server(frame_u(u::STARTDT_CON)), 1_000_000);
    for (wait, asdu) in all {
        talk.line(Line::client(frame_s(talk.sent[1])), wait);
        talk.ask(&asdu);
    }
    TcpTalk::new(socket([10, 0, 0, 1], 40_000), socket([10, 0, 0, 2], 2404), talk.lines).frames()
}

fn single(object: u32, on: bool, select: bool) -> Asdu {
    Asdu::new(45, ACTIVATION, 7, object, octets(&[Element::Sco { on, qualifier: 0, select }]))
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

#[test]
fn a_link_with_the_fields_of_101_is_written_with_its_sizes() {
    let of_101 = |seconds| talk_of(Talk { of_101: true, ..Talk::default() }, seconds, &[]);
    let taught = learned(&half(of_101(1800), false));
    let (text, profile) = sound(&taught);
    let section = "[stations.rtu-2-ca-7]\nprotocol = \"iec104\"\nhost = \"rtu-2\"\ncommon_address = 7\n\
                   # Octets of cause, common address and object address; 104 has 2, 2, 3\nfield_sizes = [1, 1, 2]\n";
    assert!(text.contains(section), "{text}");
    assert_eq!(profile.profile().stations.len(), 1, "what was misread at first makes no station: {text}");
    let told = "operations whose length does not fit their type were not looked at";
    assert!(text.contains(told), "{text}");
    assert!(
        text.contains("range = [229.5, 241.5]") && text.contains("values = { min = 38, max = 56 }"),
        "{text}"
    );
    // A new connection is read from its first ASDU on, and nothing is said of it.
    let next = of_101(600);
    let kinds = |profile: &str| {
        let outcome = judged(&next, Some(profile), "next.pcap");
        outcome.kinds().into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(kinds(&text), [""; 0]);
    let without = text.replace("field_sizes = [1, 1, 2]\n", "");
    assert!(kinds(&without).iter().any(|kind| kind == "malformed_pdu"), "{:?}", kinds(&without));
    // Who gave sizes for the host already keeps them.
    let old = "[profile]\nname = \"x\"\n[hosts.rtu]\naddress = \"10.0.0.2\"\n[stations.other]\nprotocol = \"iec104\"\n\
               host = \"rtu\"\ncommon_address = 8\nfield_sizes = [1, 2, 2]\n";
    let profile = profiles::parse(old, "old.toml").unwrap();
    let merged = learned(&next).merge_into(old, profile.profile());
    assert!(merged.text.contains("common_address = 7\n"), "{}", merged.text);
    profiles::parse(&merged.text, "merged.toml").unwrap_or_else(|errors| panic!("{errors}\n{}", merged.text));
}

#[test]
fn a_host_has_one_size_of_fields_and_who_speaks_with_others_is_left_out() {
    let mut frames = talk(600, &[]);
    frames.extend(talk_of(Talk { of_101: true, other: 8, ..Talk::default() }, 500, &[]));
    frames.sort_by_key(|frame| frame.at_ns);
    let taught = learned(&frames);
    let (text, _) = sound(&taught);
    assert!(!text.contains("field_sizes") && !text.contains("\"10.0.0.9\""), "{text}");
    let told = "10.0.0.9 spoke with 10.0.0.2 common address 7 in fields of 1, 1, 2 octets (cause, common address, \
                object address), where 2, 2, 3 are usual";
    assert!(taught.left_out().iter().any(|line| line.starts_with(told)), "{:?}", taught.left_out());
}

#[test]
fn a_select_and_its_execute_are_one_rule_and_types_with_one_address_have_their_own_values() {
    let set = |value| {
        let elements = [Element::R32(value), Element::Qos { qualifier: 0, select: false }];
        Asdu::new(50, ACTIVATION, 7, 500, octets(&elements))
    };
    let all = (0..60_u8).flat_map(|n| {
        let on = n % 2 == 0;
        let switched = [single(400, on, true), single(400, on, false), single(500, on, false)];
        switched
            .into_iter()
            .chain([set(300.0 + f32::from(n % 5))])
            .map(|asdu| (5 * SECOND, asdu))
            .collect::<Vec<_>>()
    });
    let frames = commands(all);
    let (text, _) = sound(&learned(&frames));
    let rules: Vec<&str> = text.split("\n\n").filter(|part| part.contains("[[rules]]")).collect();
    let lines = |part: &str| part.lines().skip(1).map(str::trim_end).map(str::to_owned).collect::<Vec<_>>();
    let expected = [
        "#   c_sc_na_1 (select) information_object 400: 60 times, every 20 s \u{b1} 0 %, values 0 to 1",
        "#   c_sc_na_1 (operate) information_object 400: 60 times, every 20 s \u{b1} 0 %, values 0 to 1",
        "#   c_sc_na_1 (direct_operate) information_object 500: 60 times, every 20 s \u{b1} 0 %, values 0 to 1",
        "#   one point at most 3 times a minute",
        "[[rules]]",
        "name = \"master-1 controls rtu-2-ca-7\"",
        "from = [\"master-1\"]",
        "to = [\"rtu-2-ca-7\"]",
        "allow = [\"c_sc_na_1\"]",
        "points = [\"information_object 400, 500\"]",
    ];
    assert_eq!(lines(rules[0]), expected, "{text}");
    assert!(rules[1].contains("c_se_nc_1 information_object 500: 60 times") && rules.len() == 2, "{text}");
    assert!(
        rules[1].contains("values 300 to 304") && rules[1].contains("values = { min = 299, max = 305 }"),
        "{text}"
    );
    // A point with one address has one set_range, so it has none here.
    assert!(!text.contains("set_range"), "{text}");
    assert_eq!(serious(&text, &frames), []);
}

#[test]
fn a_sweep_of_commands_through_the_whole_capture_is_no_operator() {
    let sweep = commands((0..1100).map(|n| (SECOND, single(100 + n, true, false))));
    let taught = learned(&sweep);
    assert!(taught.is_empty(), "{}", taught.to_toml());
    let told = "10.0.0.1 c_sc_na_1 of more than 1024 ranges to 10.0.0.2 common address 7, each now and then only: \
                information_object 100-1123 (";
    assert!(taught.left_out().iter().any(|line| line.starts_with(told)), "{:?}", taught.left_out());
    // Who switches now this and now that is one; what is rare is one line to review.
    let operator = commands((0..400_u32).map(|n| (SECOND, single(100 + n * 37 % 200, true, false))));
    let (text, _) = sound(&learned(&operator));
    assert_eq!(text.matches("# REVIEW").count(), 1, "{text}");
    let remark = "# REVIEW: 200 ranges, each controlled now and then only: information_object 100-299\n";
    assert!(text.contains(remark), "{text}");
}

// ---- Rules, and attacks in both halves ----

/// A benign half hour with attacks on both halves: a second master that asks for everything, a command to an object that
/// nobody commands, and a search for common addresses, each at so many seconds.
fn attacked(rogue: &[u64], forged: &[u64], searched: &[u64]) -> Vec<TimedFrame> {
    let mut frames = talk(1800, &[]);
    let other = |last: u8, port: u16, at: u64, asdus: &[Asdu]| {
        let mut talk = Talk::default();
        talk.line(Line::client(frame_u(u::STARTDT_ACT)), 1_000_000);
        talk.line(Line::server(frame_u(u::STARTDT_CON)), 1_000_000);
        for asdu in asdus {
            talk.say(Side::Client, SECOND / 10, asdu);
            talk.say(
                Side::Server,
                1_000_000,
                &asdu.answer(if asdu.address == 7 { CONFIRMATION } else { 46 }, asdu.address != 7),
            );
        }
        let tcp = TcpTalk::new(socket([10, 0, 0, last], port), socket([10, 0, 0, 2], 2404), talk.lines);
        TcpTalk { start_ns: START_NS + at * SECOND, ..tcp }.frames()
    };
    let interrogation = |common| Asdu::new(100, ACTIVATION, common, 0, octets(&[Element::Qoi(20)]));
    for (n, at) in (0..).zip(rogue) {
        frames.extend(other(66, 50_000 + n, *at, &[interrogation(7)]));
    }
    for (n, at) in (0..).zip(forged) {
        let trip = octets(&[Element::Sco { on: false, qualifier: 0, select: false }]);
        frames.extend(other(1, 51_000 + n, *at, &[Asdu::new(45, ACTIVATION, 7, 6000, trip)]));
    }
    for (n, at) in (0..).zip(searched) {
        let all: Vec<_> = (100..130).map(interrogation).collect();
        frames.extend(other(1, 52_000 + n, *at, &all));
    }
    frames.sort_by_key(|frame| frame.at_ns);
    frames
}

#[test]
fn attacks_in_both_halves_are_not_learned_and_found_in_the_second() {
    let all = attacked(&[200, 1100], &[400, 1300], &[600, 1500]);
    let taught = learned(&half(all.clone(), false));
    let (text, _) = sound(&taught);
    let left = taught.left_out().join("\n");
    for what in ["10.0.0.66 ", "c_sc_na_1 of information_object 6000", "common address 100"] {
        assert!(left.contains(what), "{what}: {left}");
    }
    assert!(!text.contains("\"10.0.0.66\""), "one interrogation makes no backup master: {text}");
    assert_eq!(serious(&text, &half(talk(1800, &[]), true)), [], "the benign second half is silent");
    let found = serious(&text, &half(all, true));
    for (what, client, from) in
        [("rogue", "10.0.0.66", 1100), ("forged", "10.0.0.1", 1300), ("searched", "10.0.0.1", 1500)]
    {
        let within = START_NS + from * SECOND..START_NS + (from + 10) * SECOND;
        assert!(
            found.iter().any(|f| f.1 == client && f.2 == "10.0.0.2" && within.contains(&f.3)),
            "{what}: {found:?}"
        );
    }
    assert!(found.iter().all(|f| f.3 < START_NS + 1600 * SECOND), "{found:?}");
}
