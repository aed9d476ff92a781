//! Numbers, windows, start and stop, tests, roles.

use super::*;

const SPONTANEOUS: &str = "01 01 03 00 0100 010000 01";

#[test]
fn numbers_follow_one_another_and_a_jump_is_told_once() {
    let mut wire = started();
    wire.down(&frame(0, 0, SPONTANEOUS));
    wire.down(&frame(1, 0, SPONTANEOUS));
    wire.up("680401000400"); // N(R) 2
    assert!(wire.seen.defects.is_empty());
    wire.down(&frame(5, 0, SPONTANEOUS));
    wire.down(&frame(6, 0, SPONTANEOUS));
    assert_eq!(wire.seen.defects, ["sequence_error I4-C06: N(S) 5 (expected N(S) 2)"]);
}

#[test]
fn numbers_wrap_behind_15_bits() {
    let mut wire = midstream();
    wire.down(&frame(32_766, 0, SPONTANEOUS));
    wire.down(&frame(32_767, 0, SPONTANEOUS));
    wire.up("680401000000"); // N(R) 0
    wire.down(&frame(0, 0, SPONTANEOUS));
    assert!(wire.seen.defects.is_empty(), "{:?}", wire.seen.defects);
}

#[test]
fn more_cannot_be_acknowledged_than_was_sent() {
    let mut wire = started();
    wire.down(&frame(0, 0, SPONTANEOUS));
    wire.up("680401000400"); // N(R) 2
    assert_eq!(wire.seen.defects, ["sequence_error I4-C06: N(R) 2 (expected N(R) 0 to 1)"]);
}

#[test]
fn a_hole_forgives_numbers() {
    let mut wire = started();
    wire.down(&frame(0, 0, SPONTANEOUS));
    wire.lose(Direction::ToClient, Some(100));
    wire.down(&frame(9, 0, SPONTANEOUS));
    wire.up("680401001400"); // N(R) 10
    assert!(wire.seen.defects.is_empty(), "{:?}", wire.seen.defects);
}

#[test]
fn a_window_that_is_exceeded_is_told_once() {
    let mut wire = started();
    for n in 0..20 {
        wire.down(&frame(n, 0, SPONTANEOUS));
    }
    assert_eq!(
        wire.seen.defects,
        ["peculiar I4-C07: 13 (expected at most 12 I frames without an acknowledgement)"]
    );
}

#[test]
fn what_is_not_acknowledged_in_time_is_told() {
    let mut wire = started();
    wire.down(&frame(0, 0, SPONTANEOUS));
    wire.wait(14_000_000_000);
    assert!(wire.seen.defects.is_empty());
    wire.wait(2_000_000_000);
    assert_eq!(wire.seen.defects.len(), 1);
    assert!(wire.seen.has(DefectKind::Peculiar, "I4-C07"));
    let mut wire = started();
    wire.down(&frame(0, 0, SPONTANEOUS));
    wire.up("680401000200");
    wire.wait(60_000_000_000);
    assert!(wire.seen.defects.is_empty(), "acknowledged");
}

#[test]
fn data_waits_for_the_start() {
    let mut wire = wire();
    wire.down(&frame(0, 0, SPONTANEOUS));
    wire.down(&frame(1, 0, SPONTANEOUS));
    assert_eq!(
        wire.seen.defects,
        ["not_started I4-C04: an I frame (expected no data before transfer is started)"]
    );
    let mut wire = started();
    wire.up("680413000000");
    wire.down(&frame(0, 0, SPONTANEOUS)); // on its way
    wire.down("680423000000");
    assert!(wire.seen.defects.is_empty());
    wire.down(&frame(1, 0, SPONTANEOUS));
    assert!(wire.seen.has(DefectKind::NotStarted, "I4-C04"));
    let mut wire = midstream();
    wire.down(&frame(7, 0, SPONTANEOUS));
    assert!(wire.seen.defects.is_empty(), "nobody knows");
}

#[test]
fn tests_are_confirmed_in_time() {
    let mut wire = started();
    wire.up("680443000000");
    wire.down("680483000000");
    wire.wait(60_000_000_000);
    assert!(wire.seen.defects.is_empty());
    wire.up("680443000000");
    wire.wait(16_000_000_000);
    assert_eq!(wire.seen.defects, ["unanswered_request I4-C08: none (expected TESTFR con within 15 s)"]);
    wire.down("680483000000");
    assert!(wire.seen.has(DefectKind::AnswerWithoutRequest, "I4-C08"));
}

#[test]
fn the_one_who_starts_commands_whoever_opened_the_connection() {
    let mut wire = wire();
    wire.down("680407000000");
    wire.up("68040b000000");
    wire.down(&frame(0, 0, "64 01 06 00 0100 000000 14"));
    wire.up(&frame(0, 1, "64 01 07 00 0100 000000 14"));
    assert!(wire.seen.defects.is_empty(), "{:?}", wire.seen.defects);
    assert!(wire.seen.operations[0].starts_with("< request read 100/Some(20) station_interrogation"));
    assert!(wire.seen.operations[0].contains("from_master"));
    assert!(wire.seen.operations[1].starts_with("> response read"));
}

#[test]
fn without_a_start_the_first_cause_tells_who_commands() {
    let mut wire = midstream();
    wire.up(&frame(3, 0, SPONTANEOUS));
    assert!(wire.seen.operations[0].starts_with("> unsolicited report 1/None m_sp_na_1"));
    assert!(wire.seen.defects.is_empty(), "the client is the controlled station");
}

#[test]
fn who_changes_sides_is_told() {
    let mut wire = started();
    wire.down("680407000000");
    assert!(wire.seen.has(DefectKind::RoleReversal, "I4-C05"));
    let mut wire = started();
    wire.up(&frame(0, 0, SPONTANEOUS));
    wire.down(&frame(0, 1, "2d 01 06 00 0100 010000 01"));
    assert_eq!(wire.seen.kinds.iter().filter(|(_, check, _)| *check == "I4-C11").count(), 2);
}

#[test]
fn a_stop_is_an_order_to_the_station_behind_the_connection() {
    let mut wire = started();
    wire.up("680413000000");
    assert!(wire.seen.operations.is_empty(), "nothing was transferred yet");
    wire.up("680407000000");
    wire.down("68040b000000");
    wire.down(&frame(0, 0, "01 01 03 00 0700 010000 01"));
    wire.up("680413000000");
    assert!(wire.seen.operations[1].starts_with("> request configure 0/Some(16) stopdt_act station=Some(7)"));
}

#[test]
fn one_start_from_the_other_side_turns_nothing_round() {
    let mut wire = started();
    wire.down("680407000000");
    wire.up(&frame(0, 0, "2d 01 06 00 0100 010000 01"));
    assert!(wire.seen.operations[0].contains("from_master"), "{}", wire.seen.operations[0]);
    assert_eq!(wire.seen.defects.len(), 1, "{:?}", wire.seen.defects);
}

#[test]
fn a_start_of_what_is_started_stops_no_data() {
    let mut wire = started();
    wire.up("680407000000");
    wire.up("680407000000");
    wire.down(&frame(0, 0, SPONTANEOUS)); // on its way
    wire.down("68040b000000");
    wire.down("68040b000000");
    wire.down(&frame(1, 0, SPONTANEOUS));
    assert!(wire.seen.defects.is_empty(), "{:?}", wire.seen.defects);
    wire.down("68040b000000");
    assert!(wire.seen.has(DefectKind::AnswerWithoutRequest, "I4-C08"), "one more than was asked for");
}

#[test]
fn a_stop_is_for_a_station_that_is_there() {
    let stopped = |asdus: &[(Direction, &str)]| {
        let mut wire = started();
        let mut sent = [0, 0];
        for (direction, asdu) in asdus {
            let number = &mut sent[direction.index()];
            wire.send(*direction, &crate::testing::hex(&frame(*number, 0, asdu)));
            *number += 1;
        }
        wire.up("680413000000");
        wire.seen.operations.last().unwrap().clone()
    };
    let (up, down) = (Direction::ToServer, Direction::ToClient);
    let asked = (up, "64 01 06 00 ffff 000000 14");
    let line = stopped(&[asked, (down, "01 01 03 00 0700 010000 01")]);
    assert!(line.contains("stopdt_act station=Some(7)"), "{line}");
    let unknown = [(up, "64 01 06 00 0900 000000 14"), (down, "64 01 6e 00 0900 000000 14")];
    let line = stopped(&[&unknown[..], &[(down, "01 01 03 00 0700 010000 01")]].concat());
    assert!(line.contains("stopdt_act station=Some(7)"), "{line}");
    let line = stopped(&[(up, "64 01 06 00 0900 000000 14")]);
    assert!(line.contains("stopdt_act station=Some(9)"), "nobody has said better: {line}");
}

#[test]
fn a_window_is_not_counted_where_acknowledgements_are_not_seen() {
    let mut flow = flow(Transport::Tcp, 2404);
    flow.coverage.one_way = true;
    let mut wire = Wire::new(&DISSECTOR, flow, &Limits::default());
    wire.up("680407000000");
    (0..20).for_each(|n| wire.up(&frame(n, 0, "2d 01 06 00 0100 010000 01")));
    assert!(!wire.seen.has(DefectKind::Peculiar, "I4-C07"), "{:?}", wire.seen.defects);
}

#[test]
fn an_asdu_that_does_not_fit_turns_no_roles_round() {
    let mut wire = midstream();
    // A command from the station's side whose object is cut short.
    wire.down(&frame(0, 0, "2d0106000a009411"));
    // The station reports, the master commands.
    wire.down(&frame(1, 0, "010103000a0064000001"));
    wire.up(&frame(0, 2, "2d0106000a0094110001"));
    let reversed = wire.seen.defects.iter().filter(|d| d.starts_with("role_reversal")).count();
    assert_eq!(reversed, 1, "the one that came the wrong way: {:?}", wire.seen.defects);
    assert!(
        wire.seen.operations.iter().any(|o| o.starts_with("> request direct_operate")),
        "{:?}",
        wire.seen.operations
    );
}

/// Who sends both STARTDT act and con speaks for two; that it commands is what the act has told.
#[test]
fn a_confirmation_by_the_one_who_started_turns_no_roles_round() {
    let mut wire = midstream();
    wire.up("680407000000"); // STARTDT act
    wire.up("68040b000000"); // STARTDT con
    wire.up(&frame(0, 0, "64 01 06 00 0100 000000 14"));
    assert_eq!(
        wire.seen.defects,
        [
            "role_reversal I4-C05: STARTDT con (expected STARTDT con from the other side, which has the other role)"
        ]
    );
}
