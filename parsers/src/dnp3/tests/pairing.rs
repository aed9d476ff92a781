//! Who answers whom.

use super::build::*;
use crate::contract::{DefectKind, Limits, Transport};
use crate::testing::{Wire, flow};

const SECOND: u64 = 1_000_000_000;

fn quiet(wire: &Wire) {
    assert_eq!(wire.seen.defects, [""; 0], "{:?}", wire.seen.lines);
}

fn last(wire: &Wire) -> &str {
    wire.seen.operations.last().unwrap()
}

#[test]
fn response_knows_its_request() {
    let mut wire = tcp();
    wire.send(UP, &request("c3 01 1e 00 00 05 09"));
    assert!(last(&wire).contains("seq=3 analog_input[5..9] wants_answer from_master"));
    wire.send(DOWN, &response("c3 81 0000 1e 02 00 05 05 01 0a00"));
    assert!(last(&wire).contains("response report 129/None response"), "a read brings a report");
    assert!(last(&wire).contains("analog_input[5..5] ok answers=1@1001000000"), "{}", last(&wire));
    quiet(&wire);
}

#[test]
fn empty_response_inherits_the_points_of_its_request() {
    let mut wire = tcp();
    wire.send(UP, &request("c0 07 14 00 00 02 04"));
    wire.send(DOWN, &response("c0 81 0000"));
    assert!(last(&wire).contains("response freeze 129/None"), "{}", last(&wire));
    assert!(last(&wire).contains("counter[2..4] ok answers=1@"), "{}", last(&wire));
    quiet(&wire);
}

#[test]
fn response_without_request_is_a_defect() {
    let mut wire = tcp();
    wire.send(DOWN, &response("c3 81 0000"));
    assert!(wire.seen.has(DefectKind::AnswerWithoutRequest, "DN-C15"));
    assert!(!last(&wire).contains("answers"));
}

#[test]
fn second_response_to_one_request_is_a_defect() {
    let mut wire = tcp();
    wire.send(UP, &request("c0 01 3c 02 06"));
    wire.send(DOWN, &response("c0 81 0000"));
    quiet(&wire);
    wire.send(DOWN, &response("c0 81 0000"));
    assert!(wire.seen.has(DefectKind::AnswerWithoutRequest, "DN-C15"));
}

#[test]
fn response_with_another_number_contradicts_its_request() {
    let mut wire = tcp();
    wire.send(UP, &request("c4 01 3c 02 06"));
    wire.send(DOWN, &response("c5 81 0000"));
    assert_eq!(wire.seen.defects, ["contradicting_answer DN-C15: sequence 5 (expected sequence 4)"]);
    wire.send(DOWN, &response("c4 81 0000"));
    assert!(last(&wire).contains("answers=1@"), "the right one is still known");
}

#[test]
fn refusals_carry_code_and_name() {
    for (iin2, text) in [
        ("01", "refused=1:no_func_code_support"),
        ("02", "refused=2:object_unknown"),
        ("04", "refused=4:parameter_error"),
        ("10", "refused=16:already_executing"),
        ("08", " ok"),
        ("20", " ok"),
    ] {
        let mut wire = tcp();
        wire.send(UP, &request("c0 01 3c 02 06"));
        wire.send(DOWN, &response(&format!("c0 81 00{iin2}")));
        assert!(last(&wire).contains(text), "{}", last(&wire));
    }
    let mut wire = tcp();
    wire.send(UP, &request("c0 05 0c 01 17 01 05 41 01 64000000 00000000 00"));
    wire.send(DOWN, &response("c0 81 0000 0c 01 17 01 05 41 01 64000000 00000000 02"));
    assert!(last(&wire).contains("response direct_operate"), "{}", last(&wire));
    assert!(last(&wire).contains("refused=2:no_select"), "{}", last(&wire));
    quiet(&wire);
    let mut wire = tcp();
    wire.send(
        UP,
        &request("c0 19 46 03 5b 01 1b00 1a00 0100 000000000000 a401 00000000 0a000000 0100 0004 0700 66"),
    );
    wire.send(DOWN, &response("c0 81 0000 46 04 5b 01 0d00 00000000 00000000 0000 0700 03"));
    assert!(last(&wire).contains("refused=3:file_not_found"), "{}", last(&wire));
    quiet(&wire);
}

#[test]
fn echo_with_other_objects_is_a_defect_but_not_another_status() {
    let select = "c0 03 0c 01 17 01 05 41 01 64000000 00000000 00";
    let mut wire = tcp();
    wire.send(UP, &request(select));
    wire.send(DOWN, &response("c0 81 0000 0c 01 17 01 06 41 01 64000000 00000000 00"));
    assert_eq!(
        wire.seen.defects,
        ["contradicting_answer DN-C21: others, from octet 8 on (expected the objects of the select)"]
    );
    let mut wire = tcp();
    wire.send(UP, &request(select));
    wire.send(DOWN, &response("c0 81 0000 0c 01 17 01 05 41 01 64000000 00000000 07"));
    quiet(&wire);
    // Analog outputs carry their status behind the value.
    for (echo, good) in [("00004842 01", true), ("00004843 00", false)] {
        let mut wire = tcp();
        wire.send(UP, &request("c0 04 29 03 17 01 02 00004842 00"));
        wire.send(DOWN, &response(&format!("c0 81 0000 29 03 17 01 02 {echo}")));
        assert_eq!(wire.seen.has(DefectKind::ContradictingAnswer, "DN-C21"), !good, "{echo}");
    }
    // An object missing in the echo.
    let mut wire = tcp();
    wire.send(UP, &request("c0 04 29 02 17 02 02 0100 00 03 0200 00"));
    wire.send(DOWN, &response("c0 81 0000 29 02 17 01 02 0100 00"));
    assert!(wire.seen.has(DefectKind::ContradictingAnswer, "DN-C21"));
    // A refusal without objects is no echo.
    let mut wire = tcp();
    wire.send(UP, &request(select));
    wire.send(DOWN, &response("c0 81 0004"));
    quiet(&wire);
}

#[test]
fn answer_to_an_order_for_silence_is_a_defect() {
    let mut wire = tcp();
    wire.send(UP, &request("c0 06 0c 01 17 01 05 41 01 64000000 00000000 00"));
    assert!(!last(&wire).contains("wants_answer"));
    wire.send(DOWN, &response("c0 81 0000"));
    assert!(wire.seen.has(DefectKind::ContradictingAnswer, "DN-C20"));
    let mut wire = tcp();
    wire.send(UP, &request("c0 05 0c 01 17 01 05 41 01 64000000 00000000 00"));
    wire.send(DOWN, &response("c0 81 0000 0c 01 17 01 05 41 01 64000000 00000000 00"));
    quiet(&wire);
}

#[test]
fn answer_to_a_broadcast_is_a_defect() {
    let mut wire = tcp();
    wire.send(UP, &frame(0xC4, 0xFFFF, 1, &[0xC0, 0xC2, 0x0D]));
    assert!(last(&wire).contains("station=Some(65535)") && last(&wire).contains(" broadcast "));
    assert!(!last(&wire).contains("wants_answer"));
    wire.send(DOWN, &response("c2 81 0000"));
    assert!(wire.seen.has(DefectKind::ContradictingAnswer, "DN-C20"));
    // With another number it answers something else.
    let mut wire = tcp();
    wire.send(UP, &frame(0xC4, 0xFFFF, 1, &[0xC0, 0xC2, 0x0D]));
    wire.send(DOWN, &response("c3 81 0000"));
    assert!(wire.seen.has(DefectKind::AnswerWithoutRequest, "DN-C15"));
}

#[test]
fn long_answer_counts_on_and_every_fragment_knows_the_request() {
    let mut wire = tcp();
    wire.send(UP, &request("ce 01 3c 02 06"));
    wire.send(DOWN, &response("ae 81 0000 14 06 00 00 00 0100"));
    wire.send(UP, &request("ce 00"));
    wire.send(DOWN, &response("2f 81 0000 14 06 00 01 01 0100"));
    wire.send(UP, &request("cf 00"));
    wire.send(DOWN, &response("60 81 0000 14 06 00 02 02 0100"));
    wire.send(UP, &request("c0 00"));
    quiet(&wire);
    for n in [1, 3, 5] {
        assert!(wire.seen.operations[n].contains("answers=1@1001000000"), "{}", wire.seen.operations[n]);
    }
    for n in [2, 4, 6] {
        let confirm = &wire.seen.operations[n];
        assert!(confirm.contains("confirm confirm 0/None"), "{confirm}");
        assert!(confirm.contains(&format!("answers={n}@")), "{confirm}");
    }
    // Now nothing waits any more.
    wire.wait(60 * SECOND);
    quiet(&wire);
}

#[test]
fn fragment_that_leaves_a_number_out_is_a_defect() {
    let mut wire = tcp();
    wire.send(UP, &request("c0 01 3c 02 06"));
    wire.send(DOWN, &response("80 81 0000"));
    wire.send(DOWN, &response("42 81 0000"));
    assert_eq!(wire.seen.defects, ["contradicting_answer DN-C15: sequence 2 (expected sequence 1)"]);
    wire.wait(11 * SECOND);
    assert!(wire.seen.has(DefectKind::IncompleteFragment, "DN-C15"), "{:?}", wire.seen.defects);
}

#[test]
fn later_fragment_without_a_first_one_is_a_defect() {
    let mut wire = tcp();
    wire.send(UP, &request("c0 01 3c 02 06"));
    wire.send(DOWN, &response("40 81 0000"));
    assert!(wire.seen.has(DefectKind::SequenceError, "DN-C15"));
}

#[test]
fn unsolicited_responses_count_by_themselves() {
    let mut wire = tcp();
    wire.send(UP, &request("c3 01 3c 02 06"));
    wire.send(DOWN, &response("f3 82 0000 02 01 17 01 05 81"));
    assert!(last(&wire).contains("< unsolicited report 130/None"), "{}", last(&wire));
    assert!(last(&wire).contains("binary_input[5..5]") && !last(&wire).contains("answers"));
    wire.send(UP, &request("d3 00"));
    assert!(last(&wire).contains("confirm") && last(&wire).contains("answers=2@"), "{}", last(&wire));
    wire.send(DOWN, &response("c3 81 0000"));
    assert!(last(&wire).contains("answers=1@"), "the request still waited: {}", last(&wire));
    quiet(&wire);
    wire.send(UP, &request("d4 00"));
    assert!(wire.seen.has(DefectKind::SequenceError, "DN-C15"), "a confirmation of nothing");
}

#[test]
fn request_without_an_answer_is_reported_at_its_deadline() {
    let mut wire = tcp();
    wire.send(UP, &request("c3 01 3c 02 06"));
    assert_eq!(wire.session.deadline().map(|t| t.0), Some(1_001_000_000 + 10 * SECOND));
    wire.wait(9 * SECOND);
    quiet(&wire);
    wire.wait(2 * SECOND);
    assert_eq!(wire.seen.defects, ["unanswered_request : none (expected an answer to sequence 3)"]);
    let line = wire.seen.lines.iter().find(|l| l.starts_with("defect")).unwrap();
    assert!(
        line.contains("defect > ")
            && line.contains("frame 1 at 11001000000 station=Some(10) master=Some(true) function=Some(1)")
    );
    assert_eq!(wire.session.deadline(), None);
    wire.wait(2 * SECOND);
    assert_eq!(wire.seen.defects.len(), 1, "once");
    // The late answer is known as one.
    wire.send(DOWN, &response("c3 81 0000"));
    assert!(wire.seen.has(DefectKind::Peculiar, "DN-C15"));
    assert!(last(&wire).contains("answers=1@"));
}

#[test]
fn much_too_late_answer_answers_nothing() {
    let mut wire = tcp();
    wire.send(UP, &request("c3 01 3c 02 06"));
    wire.wait(41 * SECOND);
    wire.send(DOWN, &response("c3 81 0000"));
    assert!(wire.seen.has(DefectKind::AnswerWithoutRequest, "DN-C15"));
}

#[test]
fn answer_that_comes_with_the_deadline_long_past_finds_the_timeout_reported_first() {
    let mut wire = tcp();
    wire.send(UP, &request("c3 01 3c 02 06"));
    wire.now = wire.now.plus(11 * SECOND);
    wire.send(DOWN, &response("c3 81 0000"));
    assert_eq!(wire.seen.kinds[0].0, DefectKind::UnansweredRequest);
    assert_eq!(wire.seen.kinds[1].0, DefectKind::Peculiar);
}

#[test]
fn retry_is_the_same_request_and_the_answer_belongs_to_it() {
    let mut wire = tcp();
    wire.send(UP, &request("c3 01 3c 02 06"));
    wire.send(UP, &request("c3 01 3c 02 06"));
    wire.send(DOWN, &response("c3 81 0000"));
    assert!(last(&wire).contains("answers=2@"), "{}", last(&wire));
    wire.wait(60 * SECOND);
    quiet(&wire);
}

#[test]
fn unanswered_request_is_not_overwritten_by_the_next() {
    let mut wire = tcp();
    wire.send(UP, &request("c3 01 3c 02 06"));
    wire.send(UP, &request("c3 01 3c 03 06"));
    wire.send(UP, &request("c4 01 3c 04 06"));
    wire.wait(11 * SECOND);
    assert_eq!(wire.seen.count(DefectKind::UnansweredRequest), 3);
}

#[test]
fn pipelined_requests_with_repeated_numbers_are_answered_in_order() {
    let mut wire = tcp();
    let crob = |ac: &str, code: &str, index: u8| {
        format!("{ac} {code} 0c 01 17 01 {index:02x} 42 01 f4010000 00000000 00")
    };
    for index in [8, 10, 12] {
        wire.send(UP, &request(&crob("c7", "03", index)));
        wire.send(UP, &request(&crob("c8", "04", index)));
    }
    for index in [8, 10, 12] {
        wire.send(DOWN, &response(&crob("c7", "810000", index)));
        wire.send(DOWN, &response(&crob("c8", "810000", index)));
    }
    quiet(&wire);
    for n in 0..6 {
        assert!(wire.seen.operations[6 + n].contains(&format!("answers={}@", n + 1)));
    }
}

#[test]
fn request_passed_over_takes_no_later_answer() {
    let mut wire = tcp();
    wire.send(UP, &request("c3 01 1e 00 00 01 01"));
    wire.send(UP, &request("c4 01 1e 00 00 02 02"));
    wire.send(DOWN, &response("c4 81 0000"));
    wire.send(UP, &request("c3 01 1e 00 00 03 03"));
    wire.send(DOWN, &response("c3 81 0000"));
    assert!(
        last(&wire).contains("answers=4@") && last(&wire).contains("analog_input[3..3]"),
        "{}",
        last(&wire)
    );
    quiet(&wire);
    wire.wait(11 * SECOND);
    assert_eq!(wire.seen.count(DefectKind::UnansweredRequest), 1, "the one passed over");
}

#[test]
fn full_table_forgets_the_oldest_aloud() {
    let limits = Limits { pending_requests: 8, ..Limits::default() };
    let mut wire = Wire::new(&super::super::DISSECTOR, flow(Transport::Tcp, 20000), &limits);
    for n in 0..8 {
        wire.send(UP, &request(&format!("c{n} 01 3c 02 06")));
    }
    quiet(&wire);
    wire.send(UP, &request("c8 01 3c 02 06"));
    assert_eq!(wire.seen.count(DefectKind::LimitReached), 1);
    wire.send(DOWN, &response("c1 81 0000"));
    assert!(last(&wire).contains("answers=2@"), "only the oldest was forgotten");
    // Requests that nobody ever answers do not make the table grow.
    let before = wire.session.memory();
    for n in 0..10_000 {
        wire.send(UP, &request(&format!("c{:x} 01 3c 02 06", n % 16)));
    }
    assert_eq!(wire.session.memory(), before);
    assert!(wire.seen.count(DefectKind::LimitReached) <= 2, "told once until half are answered");
}

#[test]
fn challenged_request_is_answered_after_the_reply() {
    let mut wire = tcp();
    wire.send(UP, &request("c6 05 0c 01 17 01 05 41 01 64000000 00000000 00"));
    wire.send(DOWN, &response("c6 83 9000 78 01 5b 01 0c00 03000000 0000 04 01 73746576"));
    assert!(last(&wire).contains("response authenticate 131/None") && last(&wire).contains("answers=1@"));
    wire.send(UP, &request("c6 20 78 02 5b 01 0800 03000000 0100 0102"));
    wire.send(DOWN, &response("c6 81 9000 0c 01 17 01 05 41 01 64000000 00000000 00"));
    assert!(last(&wire).contains("response direct_operate 129") && last(&wire).contains("answers=1@"));
    quiet(&wire);
    wire.wait(60 * SECOND);
    quiet(&wire);
}

#[test]
fn link_frames_are_operations_of_their_own_and_hide_nothing() {
    let mut wire = tcp();
    wire.send(
        UP,
        &[frame(0xC9, 10, 1, &[]), request("c0 05 0c 01 17 01 05 81 01 64000000 00000000 00")].concat(),
    );
    wire.send(
        DOWN,
        &[frame(0x0B, 1, 10, &[]), response("c0 81 0000 0c 01 17 01 05 81 01 64000000 00000000 00")].concat(),
    );
    let words = [
        "> link link 9/None request_link_status",
        "> request direct_operate",
        "< link link 11/None link_status",
        "< response direct_operate",
    ];
    for (operation, word) in wire.seen.operations.iter().zip(words) {
        assert!(operation.starts_with(word), "{operation}");
    }
    assert_eq!(wire.seen.operations.len(), 4);
    quiet(&wire);
}

#[test]
fn analog_controls_and_double_bit_events_hide_nothing() {
    let mut wire = tcp();
    wire.send(UP, &request("c0 03 29 02 17 01 05 0100 00"));
    wire.send(DOWN, &response("c0 81 0000 29 02 17 01 05 0100 00"));
    wire.send(UP, &request("c1 02 22 01 00 00 00 0500"));
    wire.send(DOWN, &response("c1 81 0000"));
    wire.send(DOWN, &response("f0 82 0000 04 01 17 01 05 41"));
    wire.send(UP, &request("c2 0d"));
    wire.send(UP, &request("c3 15 3c 02 06"));
    assert_eq!(wire.seen.operations.len(), 7);
    quiet(&wire);
}

#[test]
fn answers_after_a_silence_belong_to_the_latest_requests_with_their_numbers() {
    let mut wire = tcp();
    let poll = |wire: &mut Wire, n: u8| wire.send(UP, &request(&format!("c{:x} 01 3c 02 06", n & 0x0F)));
    // Every 2 s for 50 s, unanswered: numbers come round before the oldest is forgotten.
    for n in 0..25 {
        poll(&mut wire, n);
        wire.wait(2 * SECOND);
    }
    for n in 25..45 {
        poll(&mut wire, n);
        wire.send(DOWN, &response(&format!("c{:x} 81 0000", n & 0x0F)));
        let frames = wire.seen.operations.len();
        let line = last(&wire);
        assert!(line.contains(&format!("answers={}@", frames - 1)), "request {n}: {line}");
        wire.wait(2 * SECOND);
    }
}
