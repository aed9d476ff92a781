//! Pairing over time: pipelines, constant and unechoed transaction ids, silence, late answers, limits.

use super::*;
use Direction::{ToClient, ToServer};

const SECOND: u64 = 1_000_000_000;

#[test]
fn a_pipeline_with_a_constant_transaction_id_is_answered_in_order() {
    let mut wire = tcp();
    wire.send(ToServer, &adu(0, 1, "03 0000 0001"));
    wire.send(ToServer, &adu(0, 1, "03 0064 0001"));
    wire.send(ToClient, &adu(0, 1, "03 02 0007"));
    wire.send(ToClient, &adu(0, 1, "03 02 0008"));
    assert_eq!(wire.seen.points[2].join(" "), "holding_register[0]=Unsigned(7)");
    assert_eq!(wire.seen.points[3].join(" "), "holding_register[100]=Unsigned(8)");
    assert!(wire.seen.operations[2].contains("answers=1@"));
    assert!(wire.seen.operations[3].contains("answers=2@"));
}

#[test]
fn after_a_loss_a_constant_transaction_id_does_not_shift_all_answers() {
    let mut wire = tcp();
    wire.send(ToServer, &adu(0, 1, "03 0000 0001")); // never answered
    wire.wait(SECOND);
    wire.send(ToServer, &adu(0, 1, "03 0064 0001"));
    wire.send(ToClient, &adu(0, 1, "03 02 0008"));
    assert_eq!(wire.seen.points[2].join(" "), "holding_register[100]=Unsigned(8)");
    wire.wait(20 * SECOND);
    assert_eq!(wire.seen.count(DefectKind::UnansweredRequest), 1, "{:?}", wire.seen.defects);
}

#[test]
fn answers_out_of_order_find_their_requests_by_id() {
    let mut wire = tcp();
    wire.send(ToServer, &adu(1, 1, "03 0000 0001"));
    wire.send(ToServer, &adu(2, 1, "03 0064 0001"));
    wire.send(ToClient, &adu(2, 1, "03 02 0008"));
    wire.send(ToClient, &adu(1, 1, "03 02 0007"));
    assert_eq!(wire.seen.points[2].join(" "), "holding_register[100]=Unsigned(8)");
    assert_eq!(wire.seen.points[3].join(" "), "holding_register[0]=Unsigned(7)");
    assert_eq!(wire.seen.defects, [""; 0]);
}

#[test]
fn a_gateway_that_does_not_echo_ids_is_paired_in_order_and_told_once() {
    let mut wire = tcp();
    for id in 1..=5_u16 {
        wire.send(ToServer, &adu(id, 1, &format!("03 {id:04x} 0001")));
        wire.send(ToClient, &adu(id + 100, 1, "03 02 0007"));
        let point = wire.seen.points.last().unwrap().join(" ");
        assert_eq!(point, format!("holding_register[{id}]=Unsigned(7)"));
    }
    assert_eq!(wire.seen.count(DefectKind::Peculiar), 1, "{:?}", wire.seen.defects);
    assert_eq!(wire.seen.defects.len(), 1);
}

#[test]
fn a_server_known_to_echo_ids_gets_no_such_credit() {
    let mut wire = tcp();
    for id in 1..=2 {
        wire.send(ToServer, &adu(id, 1, "03 0000 0001"));
        wire.send(ToClient, &adu(id, 1, "03 02 0007"));
    }
    wire.send(ToServer, &adu(3, 1, "03 0000 0001"));
    wire.send(ToClient, &adu(99, 1, "03 02 0007"));
    assert!(wire.seen.has(DefectKind::AnswerWithoutRequest, "MB-C13"), "{:?}", wire.seen.defects);
}

#[test]
fn midstream_the_answers_to_unseen_requests_are_not_forced_on_seen_ones() {
    let mut wire = tcp();
    wire.flow.coverage.midstream = true;
    wire.send(ToServer, &adu(7, 1, "04 0000 0002"));
    wire.send(ToClient, &adu(5, 1, "04 04 0001 0001"));
    wire.send(ToClient, &adu(6, 1, "04 04 0001 0001"));
    wire.send(ToClient, &adu(7, 1, "04 04 0001 0001"));
    assert_eq!(wire.seen.count(DefectKind::AnswerWithoutRequest), 2);
    assert!(wire.seen.operations[3].contains("answers=1@"), "{}", wire.seen.operations[3]);
}

#[test]
fn silence_is_reported_at_its_deadline_with_the_frame_of_the_request() {
    let mut wire = tcp();
    wire.send(ToServer, &adu(1, 1, "03 0000 0001"));
    wire.wait(9 * SECOND);
    assert_eq!(wire.seen.defects, [""; 0], "not yet due");
    assert!(wire.session.deadline().is_some());
    wire.wait(2 * SECOND);
    assert_eq!(wire.seen.count(DefectKind::UnansweredRequest), 1);
    assert!(wire.seen.lines.last().unwrap().contains("frame 1 at 11001000000"), "{:?}", wire.seen.lines);
    wire.wait(20 * SECOND);
    assert_eq!(wire.seen.defects.len(), 1, "told once");
}

#[test]
fn silence_is_found_by_the_next_pdu_too() {
    let mut wire = tcp();
    wire.send(ToServer, &adu(1, 1, "03 0000 0001"));
    wire.now = wire.now.plus(11 * SECOND);
    wire.send(ToServer, &adu(2, 1, "03 0000 0001"));
    assert_eq!(wire.seen.count(DefectKind::UnansweredRequest), 1);
}

#[test]
fn a_late_answer_still_finds_its_request_and_a_later_one_does_not() {
    for (seconds, found) in [(30, true), (45, false)] {
        let mut wire = tcp();
        wire.send(ToServer, &adu(1, 1, "03 0005 0001"));
        wire.wait(seconds * SECOND);
        wire.send(ToClient, &adu(1, 1, "03 02 0007"));
        assert_eq!(wire.seen.operations[1].contains("answers=1@"), found, "{seconds}");
        assert_eq!(wire.seen.count(DefectKind::AnswerWithoutRequest), usize::from(!found));
    }
}

#[test]
fn an_id_in_use_is_a_defect_but_a_retry_is_not() {
    let mut wire = tcp();
    wire.send(ToServer, &adu(1, 1, "03 0000 0001"));
    wire.send(ToServer, &adu(1, 1, "03 0000 0001"));
    assert_eq!(wire.seen.defects, [""; 0]);
    wire.send(ToServer, &adu(1, 1, "03 0001 0001"));
    assert!(wire.seen.has(DefectKind::SequenceError, "MB-C18"));
}

#[test]
fn a_client_with_one_id_for_all_is_told_once() {
    let mut wire = tcp();
    for address in 0..10 {
        wire.send(ToServer, &adu(0, 1, &format!("03 {address:04x} 0001")));
    }
    assert_eq!(wire.seen.count(DefectKind::SequenceError), 1);
}

#[test]
fn a_full_table_forgets_the_oldest_and_says_so_once() {
    let limits = Limits { pending_requests: 4, ..Limits::default() };
    let mut wire = Wire::new(&DISSECTOR, flow(Transport::Tcp, 502), &limits);
    for id in 0..4 {
        wire.send(ToServer, &adu(id, 1, "03 0000 0001"));
    }
    assert_eq!(wire.seen.defects, [""; 0], "as many as the limit");
    for id in 4..20 {
        wire.send(ToServer, &adu(id, 1, "03 0000 0001"));
    }
    assert_eq!(wire.seen.count(DefectKind::LimitReached), 1);
    wire.send(ToClient, &adu(19, 1, "03 02 0007"));
    assert!(wire.seen.operations.last().unwrap().contains("answers=20@"));
    wire.send(ToClient, &adu(1, 1, "03 02 0007"));
    assert!(!wire.seen.operations.last().unwrap().contains("answers="), "forgotten");
    assert!(wire.session.memory() < 4096, "{}", wire.session.memory());
}

#[test]
fn requests_that_are_never_answered_cost_no_memory_beyond_the_limit() {
    let mut wire = tcp();
    for id in 0..2000 {
        wire.send(ToServer, &adu(id, 1, "03 0000 0001"));
    }
    let memory = wire.session.memory();
    for id in 2000..4000 {
        wire.send(ToServer, &adu(id, 1, "03 0000 0001"));
    }
    assert_eq!(wire.session.memory(), memory);
    assert!(memory < 32 * 1024, "{memory}");
}

#[test]
fn a_write_to_unit_0_is_a_broadcast_until_unit_0_answers() {
    let mut wire = tcp();
    wire.send(ToServer, &adu(1, 0, "06 0001 0003"));
    assert!(wire.seen.operations[0].contains(" broadcast from_master"), "{}", wire.seen.operations[0]);
    wire.send(ToServer, &adu(2, 0, "03 0001 0001"));
    assert!(!wire.seen.operations[1].contains("broadcast"), "a read is none");
    assert!(!wire.seen.operations[1].contains("wants_answer"));
    wire.send(ToClient, &adu(1, 0, "06 0001 0003"));
    assert!(wire.seen.has(DefectKind::Peculiar, "MB-C19"), "{:?}", wire.seen.defects);
    wire.send(ToServer, &adu(3, 0, "06 0001 0003"));
    assert!(wire.seen.operations[3].contains(" wants_answer from_master"), "{}", wire.seen.operations[3]);
    wire.wait(60 * SECOND);
    assert_eq!(wire.seen.count(DefectKind::UnansweredRequest), 1, "only the one that wants an answer");
}

#[test]
fn force_listen_only_wants_no_answer() {
    let mut wire = tcp();
    wire.send(ToServer, &adu(1, 1, "08 0004 0000"));
    assert!(wire.seen.operations[0].contains("restart 8/Some(4) force_listen_only_mode"));
    assert!(!wire.seen.operations[0].contains("wants_answer"));
    wire.wait(60 * SECOND);
    assert_eq!(wire.seen.defects, [""; 0]);
}

#[test]
fn the_end_of_a_flow_leaves_open_requests_unjudged() {
    let mut wire = tcp();
    wire.send(ToServer, &adu(1, 1, "03 0000 0001"));
    wire.finish();
    assert_eq!(wire.seen.defects, [""; 0]);
}

#[test]
fn without_a_port_the_content_says_who_asks() {
    let mut wire = tcp();
    wire.flow.port_side = None;
    // Seen from its middle, the flow took the station for the client.
    wire.send(ToServer, &adu(1, 1, "83 02"));
    wire.send(ToClient, &adu(2, 1, "06 0001 0003"));
    wire.send(ToServer, &adu(2, 1, "06 0001 0003"));
    let lines = &wire.seen.operations;
    assert!(lines[0].starts_with("> response") && lines[1].starts_with("< request"), "{lines:?}");
    assert!(lines[2].starts_with("> response") && lines[2].contains("answers=2@"), "{lines:?}");
    assert!(!wire.seen.has(DefectKind::RoleReversal, "MB-C14"));
}
