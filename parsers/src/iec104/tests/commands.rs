//! Activations, confirmations, terminations; selects and executes; reads; what is refused.

use super::*;

#[test]
fn a_direct_command_from_activation_to_termination() {
    let mut wire = started();
    wire.up(&frame(0, 0, "2d 01 06 00 0a00 941100 01"));
    wire.down(&frame(0, 1, "2d 01 07 00 0a00 941100 01"));
    wire.down(&frame(1, 1, "01 01 0b 00 0a00 941100 01"));
    wire.down(&frame(2, 1, "2d 01 0a 00 0a00 941100 01"));
    assert!(wire.seen.defects.is_empty(), "{:?}", wire.seen.defects);
    let operations = &wire.seen.operations;
    assert!(operations[0].starts_with("> request direct_operate 45/None c_sc_na_1 station=Some(10)"));
    assert!(operations[0].contains("information_object[4500..4500] wants_answer from_master"));
    assert!(
        operations[1].starts_with("< response direct_operate 45") && operations[1].contains(" ok answers=3@")
    );
    assert!(operations[2].starts_with("< unsolicited report 1/None m_sp_na_1"));
    assert!(operations[3].starts_with("< response direct_operate 45") && !operations[3].contains("answers="));
    assert_eq!(wire.seen.points[0], ["information_object[4500]=Bit(true)"]);
    assert_eq!(wire.seen.points[2], ["information_object[4500]=Bit(true) flags=0"]);
}

#[test]
fn an_execute_behind_its_select_is_an_operate() {
    let mut wire = started();
    wire.up(&frame(0, 0, "2d 01 06 00 0a00 941100 81"));
    wire.down(&frame(0, 1, "2d 01 07 00 0a00 941100 81"));
    wire.up(&frame(1, 1, "2d 01 06 00 0a00 941100 01"));
    wire.down(&frame(1, 2, "2d 01 07 00 0a00 941100 01"));
    wire.up(&frame(2, 2, "2d 01 06 00 0a00 941100 01"));
    let actions: Vec<_> = wire.seen.operations.iter().map(|o| o.split(' ').nth(2).unwrap()).collect();
    assert_eq!(actions, ["select", "select", "operate", "operate", "direct_operate"]);
    let body = |n: usize| wire.seen.operations[n].split("body=").nth(1).unwrap().to_owned();
    assert_eq!(body(0), body(2), "select and execute agree without the select bit");
}

#[test]
fn times_do_not_part_a_select_from_its_execute() {
    let mut wire = started();
    wire.up(&frame(0, 0, "3a 01 06 00 0a00 951100 81 a0141e0a560b18"));
    wire.up(&frame(1, 0, "3a 01 06 00 0a00 951100 01 b0141e0a560b18"));
    let body = |n: usize| wire.seen.operations[n].split("body=").nth(1).unwrap().to_owned();
    assert_eq!(body(0), body(1));
    assert!(wire.seen.operations[1].contains(" operate 58"));
}

#[test]
fn a_deactivation_cancels_the_select() {
    let mut wire = started();
    wire.up(&frame(0, 0, "2e 01 06 00 0a00 010000 81"));
    wire.up(&frame(1, 0, "2e 01 08 00 0a00 010000 81"));
    wire.up(&frame(2, 0, "2e 01 06 00 0a00 010000 01"));
    let actions: Vec<_> = wire.seen.operations.iter().map(|o| o.split(' ').nth(2).unwrap()).collect();
    assert_eq!(actions, ["select", "cancel", "direct_operate"]);
}

#[test]
fn refusals_say_why() {
    for (cause, name) in [
        ("47", "negative_confirmation"),
        ("6c", "unknown_type_id"),
        ("6e", "unknown_common_address"),
        ("6f", "unknown_object_address"),
    ] {
        let mut wire = started();
        wire.up(&frame(0, 0, "2d 01 06 00 0a00 0f2700 01"));
        wire.down(&frame(0, 1, &format!("2d 01 {cause} 00 0a00 0f2700 01")));
        let answer = &wire.seen.operations[1];
        assert!(answer.contains(&format!(":{name} answers=3")), "{answer}");
        assert!(wire.seen.defects.is_empty());
    }
}

#[test]
fn a_confirmation_that_nobody_asked_for_and_one_that_differs() {
    let mut wire = started();
    wire.down(&frame(0, 0, "2d 01 07 00 0a00 941100 01"));
    assert!(wire.seen.has(DefectKind::AnswerWithoutRequest, "I4-C18"));
    let mut wire = started();
    wire.up(&frame(0, 0, "2d 01 06 00 0a00 941100 01"));
    wire.down(&frame(0, 1, "2d 01 07 00 0a00 941100 00"));
    assert!(wire.seen.has(DefectKind::ContradictingAnswer, "I4-C18"));
}

#[test]
fn what_is_never_confirmed_is_told_in_its_time() {
    let mut wire = started();
    wire.up(&frame(0, 0, "2d 01 06 00 0a00 941100 01"));
    wire.down("680401000200");
    wire.wait(11_000_000_000);
    assert_eq!(
        wire.seen.defects,
        ["unanswered_request : none to c_sc_na_1 of common address 10 (expected a confirmation within 10 s)"]
    );
    wire.down(&frame(0, 1, "2d 01 07 00 0a00 941100 01"));
    assert_eq!(wire.seen.defects.len(), 1, "late, but an answer");
}

#[test]
fn a_read_is_answered_by_the_object() {
    let mut wire = started();
    wire.up(&frame(0, 0, "66 01 05 00 0a00 050000"));
    wire.down(&frame(0, 1, "0d 01 05 00 0a00 050000 0000c842 00"));
    assert!(wire.seen.operations[0].starts_with("> request read 102/None c_rd_na_1"));
    assert!(wire.seen.operations[1].starts_with("< response read 13/None m_me_nc_1"));
    assert!(wire.seen.operations[1].contains("answers=3"));
    assert_eq!(wire.seen.points[1], ["information_object[5]=Float32(100.0) flags=0"]);
}

#[test]
fn an_interrogation_of_all_stations_is_answered_by_each() {
    let mut wire = started();
    wire.up(&frame(0, 0, "64 01 06 00 ffff 000000 14"));
    wire.down(&frame(0, 1, "64 01 07 00 0100 000000 14"));
    wire.down(&frame(1, 1, "64 01 07 00 0200 000000 14"));
    assert!(wire.seen.defects.is_empty(), "{:?}", wire.seen.defects);
    assert!(wire.seen.operations[0].contains(" broadcast "));
    assert!(wire.seen.operations[2].contains("answers=3"));
}

#[test]
fn interrogations_on_top_of_each_other_are_each_confirmed_and_ended() {
    let mut wire = started();
    let of = |n, cause: &str| frame(n, 0, &format!("64 01 {cause} 00 0a00 000000 14"));
    wire.up(&of(0, "06"));
    wire.up(&of(1, "06"));
    for (n, cause) in ["07", "0a", "07", "0a"].into_iter().enumerate() {
        wire.down(&of(n as u16, cause));
    }
    assert!(wire.seen.defects.is_empty(), "{:?}", wire.seen.defects);
    wire.down(&of(4, "0a"));
    assert!(wire.seen.has(DefectKind::AnswerWithoutRequest, "I4-C18"));
}

#[test]
fn more_activations_than_the_limit_cost_the_oldest() {
    let mut wire = started();
    for n in 0..65_u16 {
        wire.up(&frame(n, 0, &format!("2d 01 06 00 0a00 {n:02x}0100 01")));
    }
    assert_eq!(wire.seen.count(DefectKind::LimitReached), 1);
    for n in 65..200_u16 {
        wire.up(&frame(n, 0, &format!("2d 01 06 00 0a00 {n:02x}0100 01")));
    }
    assert_eq!(wire.seen.count(DefectKind::LimitReached), 1, "one fact, told once");
    wire.down(&frame(0, 0, "2d 01 07 00 0a00 000100 01"));
    assert_eq!(wire.seen.count(DefectKind::AnswerWithoutRequest), 0, "it may have been among the forgotten");
}

#[test]
fn many_objects_are_ranges() {
    let mut wire = started();
    wire.down(&frame(0, 0, "01 04 03 00 0100 010000 01 020000 00 030000 01 090000 01"));
    assert!(wire.seen.operations[0].contains(" information_object[1..3] information_object[9..9] "));
}

#[test]
fn what_nobody_waits_for_may_be_refused() {
    let mut wire = started();
    wire.up(&frame(0, 0, "7a 01 0d 00 0a00 010000 0100 00 01"));
    wire.down(&frame(0, 1, "7a 01 6c 00 0a00 010000 0100 00 01"));
    assert!(wire.seen.defects.is_empty(), "{:?}", wire.seen.defects);
    assert!(wire.seen.operations[0].starts_with("> request file 122/Some(1) f_sc_na_1"));
    assert!(wire.seen.operations[1].contains("refused=44:unknown_type_id"));
}

#[test]
fn interrogations_of_different_groups_go_on_beside_one_another() {
    let mut wire = started();
    wire.up(&frame(0, 0, "64 01 06 00 0a00 000000 15"));
    wire.up(&frame(1, 0, "64 01 06 00 0a00 000000 16"));
    for (n, asdu) in ["64 01 07 00 0a00 000000 15", "64 01 07 00 0a00 000000 16"].iter().enumerate() {
        wire.down(&frame(n as u16, 2, asdu));
    }
    wire.down(&frame(2, 2, "64 01 0a 00 0a00 000000 15"));
    wire.down(&frame(3, 2, "64 01 0a 00 0a00 000000 16"));
    assert!(wire.seen.defects.is_empty(), "{:?}", wire.seen.defects);
    assert!(wire.seen.operations[2].contains("answers=3") && wire.seen.operations[3].contains("answers=4"));
}

#[test]
fn commands_on_top_of_each_other_are_each_mirrored_once() {
    let both = |wire: &mut Wire| {
        wire.up(&frame(0, 0, "2d 01 06 00 0a00 941100 01"));
        wire.up(&frame(1, 0, "2d 01 06 00 0a00 941100 00"));
    };
    let mut wire = started();
    both(&mut wire);
    for (n, asdu) in
        ["07 00 0a00 941100 01", "07 00 0a00 941100 00", "0a 00 0a00 941100 01"].iter().enumerate()
    {
        wire.down(&frame(n as u16, 2, &format!("2d 01 {asdu}")));
    }
    assert!(wire.seen.defects.is_empty(), "{:?}", wire.seen.defects);
    let mut wire = started();
    both(&mut wire);
    wire.down(&frame(0, 2, "2d 01 07 00 0a00 941100 01"));
    wire.down(&frame(1, 2, "2d 01 07 00 0a00 941100 01"));
    assert!(wire.seen.has(DefectKind::ContradictingAnswer, "I4-C18"), "the second was for off");
}

#[test]
fn a_select_in_a_hole_makes_no_direct_command() {
    let after = |wire: &mut Wire| wire.seen.operations.last().unwrap().split(' ').nth(2).unwrap().to_owned();
    let mut wire = started();
    wire.up(&frame(0, 0, "2d 01 06 00 0a00 941100 81"));
    wire.lose(Direction::ToServer, Some(16));
    wire.up(&frame(2, 0, "2d 01 06 00 0a00 951100 01"));
    assert_eq!(after(&mut wire), "operate", "its select may be in the hole");
    wire.wait(31_000_000_000);
    wire.up(&frame(3, 0, "2d 01 06 00 0a00 951100 01"));
    assert_eq!(after(&mut wire), "direct_operate", "no select lives that long");
    let mut wire = started();
    wire.lose(Direction::ToServer, Some(16));
    wire.up(&frame(2, 0, "2d 01 06 00 0a00 951100 01"));
    assert_eq!(after(&mut wire), "direct_operate", "this master selects nothing");
}

#[test]
fn an_answer_belongs_to_the_activation_sent_last() {
    let mut wire = started();
    wire.up(&frame(0, 0, "67 01 06 00 0a00 000000 00a0141e0a560b18"));
    wire.up(&frame(1, 0, "67 01 06 00 ffff 000000 00a0141e0a560b18"));
    wire.up(&frame(2, 0, "67 01 06 00 0a00 000000 00b0141e0a560b18"));
    wire.down(&frame(0, 3, "67 01 07 00 0a00 000000 00b0141e0a560b18"));
    assert!(wire.seen.operations[3].contains("answers=5"), "{}", wire.seen.operations[3]);
}

#[test]
fn a_hole_is_no_excuse_for_ever() {
    let mut wire = started();
    wire.lose(Direction::ToServer, Some(16));
    wire.up(&frame(1, 0, "2d 01 06 00 0a00 950000 01"));
    wire.down(&frame(0, 2, "2d 01 07 00 0a00 941100 01"));
    assert!(!wire.seen.has(DefectKind::AnswerWithoutRequest, "I4-C18"), "asked in the hole");
    wire.wait(31_000_000_000);
    wire.down(&frame(1, 2, "2d 01 07 00 0a00 941100 01"));
    assert!(wire.seen.has(DefectKind::AnswerWithoutRequest, "I4-C18"));
}
