//! IEC 60870-5-104, from octets on the wire to the words in the event log.

mod interrogations;
mod searches;
mod types;

use gridtap::report::catalogue::FindingKind as K;
use serde_json::Value;
use simulators::wire::{Line, Side, TcpTalk, TimedFrame};

use super::support::judge::{Outcome, address, judged, judged_changing, midstream, one_way};

const SECOND: u64 = 1_000_000_000;

const PROFILE: &str = r#"
[profile]
name = "North substation"
[hosts.scada]
address = "10.10.0.1"
[hosts.rtu]
address = "10.10.0.20"
[stations.bay]
protocol = "iec104"
host = "rtu"
common_address = 10
[stations.bay.points.breaker]
point = "information_object 4500"
state = "information_object 100"
tags = ["breaker"]
operate_within = "5 s"
[stations.bay.points.current]
point = "information_object 300"
range = [0, 400]
[[rules]]
name = "scada controls"
from = "scada"
to = "bay"
allow = ["read", "report", "time", "select", "operate", "direct_operate", "cancel"]
points = ["information_object 1-4999"]
"#;

/// A controlling and a controlled station: numbers and lengths are kept here, line by line.
#[derive(Clone, Default)]
struct Talk {
    lines: Vec<Line>,
    sent: [u16; 2],
}

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(core::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

impl Talk {
    /// Transfer is started.
    fn started() -> Talk {
        Talk::default().control(Side::Client, "680407000000").control(Side::Server, "68040b000000")
    }

    fn line(mut self, side: Side, octets: Vec<u8>, after_ns: u64) -> Talk {
        let line = if side == Side::Client { Line::client(octets) } else { Line::server(octets) };
        self.lines.push(line.after(after_ns));
        self
    }

    fn control(self, side: Side, octets: &str) -> Talk {
        self.line(side, hex(octets), 20_000_000)
    }

    /// An I frame of one side.
    fn say(mut self, side: Side, after_ns: u64, asdu: &str) -> Talk {
        let asdu = hex(asdu);
        let (own, other) = if side == Side::Client { (0, 1) } else { (1, 0) };
        let [sent, received] = [self.sent[own] << 1, self.sent[other] << 1].map(u16::to_le_bytes);
        self.sent[own] += 1;
        let octets = [&[0x68, asdu.len() as u8 + 4], &sent[..], &received[..], &asdu[..]].concat();
        self.line(side, octets, after_ns)
    }

    fn ask(self, after_ns: u64, asdu: &str) -> Talk {
        self.say(Side::Client, after_ns, asdu)
    }

    fn tell(self, after_ns: u64, asdu: &str) -> Talk {
        self.say(Side::Server, after_ns, asdu)
    }

    /// A command to an object, and its confirmation.
    fn command(self, after_ns: u64, object: &str, octet: &str) -> Talk {
        self.ask(after_ns, &format!("2d0106000a00{object}{octet}"))
            .tell(20_000_000, &format!("2d0107000a00{object}{octet}"))
    }

    fn talk(self) -> TcpTalk {
        TcpTalk::new(address(1, 40_000), address(20, 2404), self.lines)
    }

    fn judged(self, profile: Option<&str>) -> Outcome {
        judged(&self.talk().frames(), profile, "iec104.pcap")
    }
}

fn words(finding: &Value) -> &str {
    finding["explanation"].as_str().unwrap()
}

fn controls(outcome: &Outcome) -> Vec<Value> {
    outcome
        .text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|line| line["what"] == "control_completed")
        .collect()
}

const BREAKER: &str = "941100";

#[test]
fn what_the_profile_allows_raises_nothing() {
    let outcome = Talk::started()
        .tell(SECOND, "460104000a0000000000")
        .ask(SECOND, "640106000a0000000014")
        .tell(20_000_000, "640107000a0000000014")
        .tell(20_000_000, "010114000a0064000001")
        .tell(20_000_000, "64010a000a0000000014")
        .control(Side::Client, "680401000800")
        .command(SECOND, BREAKER, "00")
        .tell(SECOND, "01010b000a0064000000")
        .tell(20_000_000, "2d010a000a0094110000")
        .control(Side::Client, "680401000e00")
        .control(Side::Client, "680443000000")
        .control(Side::Server, "680483000000")
        .judged(Some(PROFILE));
    assert_eq!(outcome.kinds(), Vec::<&str>::new(), "{}", outcome.text);
}

/// A device that keeps the field sizes of 101 and is only ever commanded.
#[test]
fn a_link_with_other_field_sizes_is_judged_by_those_of_the_profile_also_after_a_reload() {
    let sized = PROFILE.replace("common_address = 10\n", "common_address = 10\nfield_sizes = [1, 1, 2]\n");
    let talk = |first: u64| {
        (0..6).fold(Talk::started(), |talk, n| {
            let pause = if n == 0 { first } else { SECOND };
            talk.ask(pause, "2d 01 06 0a 8813 01").tell(20_000_000, "2d 01 07 0a 8813 01")
        })
    };
    let without = talk(SECOND).judged(Some(PROFILE));
    assert!(words(without.of(K::UnprofiledControl)[0]).contains("CA 5000"), "{}", without.text);
    assert!(!without.of(K::MalformedPdu).is_empty(), "{}", without.text);
    let with = talk(SECOND).judged(Some(&sized));
    assert_eq!(with.of(K::UnprofiledControl).len(), 1, "{}", with.text);
    assert!(words(with.of(K::UnprofiledControl)[0]).contains("5000"), "{}", with.text);
    assert!(with.of(K::MalformedPdu).is_empty(), "{:?}", with.kinds());
    let peculiar: Vec<&str> = with.of(K::Peculiar).into_iter().map(words).collect();
    assert!(peculiar.iter().all(|words| !words.contains("fields of")), "{peculiar:?}");
    let frames = talk(60 * SECOND).talk().frames();
    let when = frames[0].at_ns + 30 * SECOND;
    let reloaded = judged_changing(&[(when, &sized)], &[], &frames, Some(PROFILE), "iec104.pcap");
    assert_eq!(reloaded.of(K::UnprofiledControl).len(), 1, "{}", reloaded.text);
    assert!(reloaded.of(K::MalformedPdu).is_empty(), "{}", reloaded.text);
}

#[test]
fn a_control_is_one_line_from_activation_to_point_change() {
    let outcome = Talk::started()
        .tell(SECOND, "010103000a0064000001")
        .command(SECOND, BREAKER, "80")
        .command(SECOND, BREAKER, "00")
        .tell(SECOND, "01010b000a0064000000")
        .tell(20_000_000, "2d010a000a0094110000")
        .control(Side::Client, "680401000a00")
        .judged(Some(PROFILE));
    let lines = controls(&outcome);
    assert_eq!(lines.len(), 1, "{}", outcome.text);
    assert_eq!(
        (&lines[0]["outcome"], &lines[0]["method"]),
        (&"done".into(), &"select_operate".into()),
        "{}",
        lines[0]
    );
    assert_eq!(
        lines[0]["message"],
        "scada (10.10.0.1) switched off bay breaker at 22:13:23.060: select-operate, accepted, off after 1.0 s."
    );
    assert_eq!(outcome.kinds(), Vec::<&str>::new());
}

#[test]
fn a_negative_confirmation_is_a_refusal() {
    let outcome = Talk::started()
        .ask(SECOND, "2d0106000a0094110001")
        .tell(20_000_000, "2d0147000a0094110001")
        .judged(Some(PROFILE));
    let lines = controls(&outcome);
    assert_eq!(lines[0]["outcome"], "refused", "{}", lines[0]);
    assert!(lines[0].to_string().contains("negative_confirmation"), "{}", lines[0]);
}

#[test]
fn a_command_to_an_object_that_no_rule_names_is_told() {
    let outcome = Talk::started().command(SECOND, "881300", "01").judged(Some(PROFILE));
    let found = outcome.of(K::UnprofiledControl);
    assert_eq!(found.len(), 1, "{}", outcome.text);
    assert!(words(found[0]).contains("C_SC_NA_1"), "{}", words(found[0]));
    assert!(words(found[0]).contains("information object 5000"), "{}", words(found[0]));
    assert!(words(found[0]).contains("bay (CA 10 at 10.10.0.20)"), "{}", words(found[0]));
}

#[test]
fn an_execute_that_differs_from_its_select_is_told() {
    let outcome = Talk::started().command(SECOND, BREAKER, "81").command(SECOND, BREAKER, "00").judged(None);
    let found = outcome.of(K::OperateWithoutSelect);
    assert_eq!(found.len(), 1, "{}", outcome.text);
    assert!(words(found[0]).contains("other objects"), "{}", words(found[0]));
    let same = Talk::started().command(SECOND, BREAKER, "81").command(SECOND, BREAKER, "01").judged(None);
    assert!(same.of(K::OperateWithoutSelect).is_empty());
}

#[test]
fn an_execute_of_a_point_that_was_selected_before_is_told() {
    let outcome = Talk::started()
        .command(SECOND, BREAKER, "81")
        .command(SECOND, BREAKER, "01")
        .command(60 * SECOND, BREAKER, "01")
        .judged(None);
    let found = outcome.of(K::DirectOperateOfSelected);
    assert_eq!(found.len(), 1, "{}", outcome.text);
    assert!(words(found[0]).contains("selected before it is operated, as before"), "{}", words(found[0]));
}

#[test]
fn on_and_off_in_turns_is_told() {
    let outcome = Talk::started()
        .command(SECOND, BREAKER, "01")
        .command(SECOND, BREAKER, "00")
        .command(SECOND, BREAKER, "01")
        .judged(Some(PROFILE));
    let found = outcome.of(K::ContradictoryCommand);
    assert!(!found.is_empty(), "{}", outcome.text);
    assert!(words(found[0]).contains("off 1.0 s after on"), "{}", words(found[0]));
    let near = Talk::started()
        .command(SECOND, BREAKER, "01")
        .command(600 * SECOND, BREAKER, "00")
        .judged(Some(PROFILE));
    assert!(near.of(K::ContradictoryCommand).is_empty());
}

#[test]
fn a_process_is_reset_and_a_file_deleted() {
    let outcome = Talk::started()
        .ask(SECOND, "690106000a0000000001")
        .tell(20_000_000, "690107000a0000000001")
        .ask(SECOND, "7a010d000a0001000001000004")
        .judged(None);
    assert!(words(outcome.of(K::RestartCommand)[0]).contains("reset process"), "{}", outcome.text);
    assert!(words(outcome.of(K::ClearCommand)[0]).contains("delete file"), "{}", outcome.text);
    let selects = Talk::started().ask(SECOND, "7a010d000a0001000001000001").judged(None);
    assert!(selects.of(K::ClearCommand).is_empty(), "a file is selected");
}

#[test]
fn transfer_is_stopped_by_one_who_may_not() {
    let talk = || Talk::started().tell(SECOND, "010103000a0064000001").control(Side::Client, "680413000000");
    let outcome = talk().judged(Some(PROFILE));
    let found = outcome.of(K::SilenceCommand);
    assert_eq!(found.len(), 1, "{}", outcome.text);
    assert!(words(found[0]).contains("stopdt act"), "{}", words(found[0]));
    let allowed = PROFILE.replace("\"cancel\"]", "\"cancel\", \"stopdt_act\"]");
    assert!(talk().judged(Some(&allowed)).of(K::SilenceCommand).is_empty());
    assert!(talk().judged(None).of(K::SilenceCommand).is_empty(), "change-overs stop transfer");
}

#[test]
fn a_clock_set_wrong_is_told() {
    // 2023-11-14T22:13:20Z is the capture's beginning; the clock is set to 2024-11-22 10:30:05.
    let outcome = Talk::started()
        .ask(SECOND, "670106000a00000000a0141e0a560b18")
        .tell(20_000_000, "670107000a00000000a0141e0a560b18")
        .judged(Some(PROFILE));
    let found = outcome.of(K::TimeSetAnomaly);
    assert_eq!(found.len(), 1, "{}", outcome.text);
    assert!(words(found[0]).contains("ahead of that of the packets"), "{}", words(found[0]));
}

#[test]
fn numbers_that_jump_are_told_unless_the_tap_was_blind() {
    let jump = |talk: Talk| {
        let mut talk = talk.tell(SECOND, "010103000a0064000001");
        talk.sent[1] += 5;
        talk.tell(SECOND, "010103000a0064000000").talk()
    };
    let talk = jump(Talk::started());
    let outcome = judged(&talk.frames(), None, "iec104.pcap");
    let found = outcome.of(K::SequenceAnomaly);
    assert_eq!(found.len(), 1, "{}", outcome.text);
    assert!(words(found[0]).contains("expected N(S) 1, observed N(S) 6"), "{}", words(found[0]));
    let blind = judged(&one_way(&talk, Side::Server), None, "iec104.pcap");
    assert!(blind.of(K::SequenceAnomaly).is_empty());
    assert_eq!(blind.withheld(K::SequenceAnomaly), 1);
}

#[test]
fn data_before_the_start_of_transfer_is_told_unless_the_start_may_be_in_a_hole() {
    let talk =
        || Talk::default().ask(SECOND, "2d0106000a0094110001").tell(SECOND, "2d0107000a0094110001").talk();
    let outcome = judged(&talk().frames(), None, "iec104.pcap");
    let found = outcome.of(K::NotStarted);
    assert!(!found.is_empty(), "{}", outcome.text);
    assert_eq!(
        words(found[0]),
        "Data before transfer is started: between 10.10.0.1 and CA 10 at 10.10.0.20 in C_SC_NA_1 (function 45); expected no data before transfer is started, observed an I frame."
    );
    let started = Talk::started().command(SECOND, BREAKER, "01").judged(None);
    assert!(started.of(K::NotStarted).is_empty());
    let blind = judged(&one_way(&talk(), Side::Client), None, "iec104.pcap");
    assert!(blind.of(K::NotStarted).is_empty(), "{}", blind.text);
    assert_eq!(blind.withheld(K::NotStarted), 1);
}

#[test]
fn the_test_bit_in_operation_is_told() {
    let outcome = Talk::started().ask(SECOND, "2d0186000a0094110001").judged(None);
    let found = outcome.of(K::TestMode);
    assert_eq!(found.len(), 1, "{}", outcome.text);
    assert_eq!(
        words(found[0]),
        "Marked as a test: between 10.10.0.1 and CA 10 at 10.10.0.20 in C_SC_NA_1 (function 45); expected operation, observed the test bit: nothing is to follow from it."
    );
    assert!(Talk::started().ask(SECOND, "2d0106000a0094110001").judged(None).of(K::TestMode).is_empty());
}

#[test]
fn a_station_that_sends_commands_is_told() {
    let outcome = Talk::started().tell(SECOND, "2d0106000a0094110001").judged(None);
    let found = outcome.of(K::RoleReversal);
    assert_eq!(found.len(), 1, "{}", outcome.text);
    assert!(words(found[0]).contains("observed a command"), "{}", words(found[0]));
}

#[test]
fn a_station_that_restarts_on_a_connection_in_use_is_told() {
    let reports =
        |count| (0..count).fold(Talk::started(), |talk, _| talk.tell(SECOND, "010103000a0064000001"));
    let outcome = reports(10).tell(SECOND, "460104000a0000000000").judged(None);
    let found = outcome.of(K::RestartSeen);
    assert_eq!(found.len(), 1, "{}", outcome.text);
    assert!(words(found[0]).contains("M_EI_NA_1"), "{}", words(found[0]));
    assert!(
        reports(1).tell(SECOND, "460104000a0000000000").judged(None).of(K::RestartSeen).is_empty(),
        "its start"
    );
}

#[test]
fn a_value_outside_its_range_is_told_unless_the_station_does_not_vouch_for_it() {
    let report = |quality: &str| {
        let valid = "0d0103000a002c010000000043".to_owned() + "00"; // 128.0
        let outside = format!("0d0103000a002c01000000fa43{quality}"); // 500.0
        Talk::started().tell(SECOND, &valid).tell(SECOND, &outside).judged(Some(PROFILE))
    };
    let outcome = report("00");
    let found = outcome.of(K::ValueLimit);
    assert_eq!(found.len(), 1, "{}", outcome.text);
    assert!(words(found[0]).contains("500"), "{}", words(found[0]));
    assert!(report("80").of(K::ValueLimit).is_empty(), "invalid");
}

#[test]
fn every_command_to_a_point_is_one_line_though_it_is_the_same() {
    let same = "2d0106000a0094110001";
    let outcome = Talk::started()
        .ask(SECOND, same)
        .ask(10_000_000, same)
        .tell(20_000_000, "2d0107000a0094110001")
        .judged(Some(PROFILE));
    assert_eq!(controls(&outcome).len(), 2, "{}", outcome.text);
}

#[test]
fn an_execute_before_the_confirmation_of_its_select_is_no_retry() {
    let outcome = Talk::started()
        .ask(SECOND, "2d0106000a0094110081")
        .ask(10_000_000, "2d0106000a0094110001")
        .tell(20_000_000, "2d0107000a0094110081")
        .tell(10_000_000, "2d0107000a0094110001")
        .judged(Some(PROFILE));
    let lines = controls(&outcome);
    assert_eq!(lines.len(), 1, "{}", outcome.text);
    assert_eq!(lines[0]["method"], "select_operate", "{}", lines[0]);
}

#[test]
fn commands_in_one_frame_get_their_own_answers() {
    let apdu = |n: u16, received: u16, asdu: &str| {
        let [n, r] = [n << 1, received << 1].map(u16::to_le_bytes);
        [&[0x68, 14][..], &n, &r, &hex(asdu)].concat()
    };
    let two = [apdu(0, 0, "2d0106000a0094110001"), apdu(1, 0, "2d0106000a0095110001")].concat();
    let outcome = Talk::started()
        .line(Side::Client, two, SECOND)
        .line(Side::Server, apdu(0, 2, "2d0147000a0094110001"), 20_000_000)
        .line(Side::Server, apdu(1, 2, "2d0107000a0095110001"), 20_000_000)
        .judged(Some(PROFILE));
    let mut ends: Vec<(u64, String)> = controls(&outcome)
        .iter()
        .map(|c| (c["points"][0]["address"].as_u64().unwrap(), c["outcome"].as_str().unwrap().to_owned()))
        .collect();
    ends.sort();
    assert_eq!(ends[0], (4500, "refused".to_owned()), "{}", outcome.text);
    assert_ne!(ends[1].1, "refused", "{}", outcome.text);
}

#[test]
fn a_station_that_says_so_behind_a_new_start_of_transfer_has_not_restarted() {
    let talk = (0..10).fold(Talk::started(), |talk, _| talk.tell(SECOND, "010103000a0064000001"));
    let outcome = talk
        .control(Side::Client, "680413000000")
        .control(Side::Server, "680423000000")
        .control(Side::Client, "680407000000")
        .control(Side::Server, "68040b000000")
        .tell(SECOND, "460104000a0000000000")
        .judged(None);
    assert!(outcome.of(K::RestartSeen).is_empty(), "{}", outcome.text);
}

#[test]
fn a_direct_command_is_withheld_where_its_select_may_have_been_missed() {
    let talk = Talk::started().command(SECOND, BREAKER, "81").command(SECOND, BREAKER, "01").command(
        60 * SECOND,
        BREAKER,
        "00",
    );
    let told = talk.talk();
    assert_eq!(judged(&told.frames(), None, "iec104.pcap").of(K::DirectOperateOfSelected).len(), 1);
    let direct = PROFILE.replace("tags = [\"breaker\"]", "tags = [\"breaker\"]\ndirect_operate = false");
    let talk = Talk::started().command(SECOND, BREAKER, "01").talk();
    assert_eq!(judged(&talk.frames(), Some(&direct), "a.pcap").of(K::DirectOperateOfSelected).len(), 1);
    let blind = judged(&midstream(talk), Some(&direct), "a.pcap");
    assert!(blind.of(K::DirectOperateOfSelected).is_empty(), "{}", blind.text);
    assert_eq!(blind.withheld(K::DirectOperateOfSelected), 1);
}

#[test]
fn a_transfer_that_is_stopped_and_not_started_again_leaves_the_station_unseen() {
    // Tests of the connection go on: the line is alive.
    let allowed = PROFILE.replace("\"time\", ", "\"time\", \"stopdt_act\", ");
    let told = |goes_on: bool| {
        let mut talk = (0..8).fold(Talk::started(), |talk, _| talk.tell(SECOND, "010103000a0064000001"));
        talk = talk.control(Side::Client, "680413000000").control(Side::Server, "680423000000");
        if goes_on {
            talk = talk
                .line(Side::Client, hex("680407000000"), 20 * SECOND)
                .control(Side::Server, "68040b000000");
            talk = talk.tell(SECOND, "010103000a0064000000");
        }
        for _ in 0..12 {
            talk = talk
                .line(Side::Client, hex("680443000000"), 10 * SECOND)
                .control(Side::Server, "680483000000");
        }
        let outcome = talk.judged(Some(&allowed));
        outcome.of(K::StationNotPolled).iter().map(|f| words(f).to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(
        told(false),
        [
            "Station no longer polled: between scada (10.10.0.1) and bay (CA 10 at 10.10.0.20); expected data transfer again soon after it was stopped, observed none since STOPDT at 22:13:28.060 UTC, for 60.9 s."
        ]
    );
    assert_eq!(told(true), [""; 0]);
}

/// Whoever starts the transfer gets all that a station reports.
#[test]
fn a_host_that_no_rule_names_is_told_when_it_starts_the_transfer() {
    let start = |host: u8| {
        let lines = Talk::started().lines;
        judged(
            &TcpTalk::new(address(host, 40_000), address(20, 2404), lines).frames(),
            Some(PROFILE),
            "a.pcap",
        )
    };
    let outcome = start(9);
    let found = outcome.of(K::UnprofiledClient);
    assert_eq!(found.len(), 1, "{}", outcome.text);
    assert_eq!(
        words(found[0]),
        "Host that no rule lets command this station: 10.10.0.9 talked to 10.10.0.20; expected a host that a rule lets \
         command a station behind 10.10.0.20, observed a start of transfer by 10.10.0.9."
    );
    assert!(start(1).of(K::UnprofiledClient).is_empty());
    let elsewhere = PROFILE.replace(
        "protocol = \"iec104\"\nhost = \"rtu\"\ncommon_address = 10",
        "protocol = \"iec104\"\nhost = \"scada\"\ncommon_address = 10",
    );
    let lines = Talk::started().lines;
    let talk = TcpTalk::new(address(1, 40_000), address(20, 2404), lines);
    assert!(!judged(&talk.frames(), Some(&elsewhere), "a.pcap").of(K::UnprofiledClient).is_empty());
}

#[test]
fn summer_time_is_of_low_severity() {
    // 22:13:21 and 22:13:41 of the capture's day; the second is an hour later than it should be.
    let set = |talk: Talk, time: &str| {
        talk.ask(20 * SECOND, &format!("670106000a00000000{time}"))
            .tell(20_000_000, &format!("670107000a00000000{time}"))
    };
    let severities = |second: &str| {
        let talk = set(set(Talk::started(), "409c0d160e0b17"), second);
        let outcome = talk.judged(Some(PROFILE));
        outcome.of(K::TimeSetAnomaly).iter().map(|f| f["severity"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(severities("00000e160e0b17"), Vec::<Value>::new());
    assert_eq!(severities("00000e170e0b17"), ["low"]);
    assert_ne!(severities("00001e170e0b17"), ["low"], "by an hour and 16 minutes");
}

/// A select that was sent before the tap began makes an execute look direct.
#[test]
fn an_execute_whose_select_may_be_unseen_is_not_held_against_the_rules() {
    let profile = PROFILE.replace("\"operate\", \"direct_operate\", ", "\"operate\", ");
    assert!(profile != PROFILE);
    let talk = || Talk::default().command(SECOND, BREAKER, "01");
    let kinds = |frames: &[TimedFrame]| judged(frames, Some(&profile), "a.pcap");
    assert!(!kinds(&talk().talk().frames()).of(K::UnprofiledControl).is_empty());
    let blind = kinds(&midstream(talk().talk()));
    assert!(blind.of(K::UnprofiledControl).is_empty(), "{}", blind.text);
    assert!(blind.withheld(K::UnprofiledControl) > 0);
    // What no rule allows in any way is told all the same.
    let other = Talk::default().command(SECOND, "881300", "01").talk();
    assert!(!kinds(&midstream(other)).of(K::UnprofiledControl).is_empty());
}

#[test]
fn a_command_that_is_given_up_at_its_end_is_refused() {
    let end = |cause: &str| {
        let outcome = Talk::started()
            .tell(SECOND, "01010b000a0064000001")
            .command(SECOND, BREAKER, "00")
            .tell(20_000_000, &format!("2d01{cause}000a0094110000"))
            .judged(Some(PROFILE));
        controls(&outcome)[0]["outcome"].as_str().unwrap().to_owned()
    };
    assert_eq!(end("4a"), "refused");
    assert_ne!(end("0a"), "refused");
}
