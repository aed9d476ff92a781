//! Every check raised, and beside it what is nearly the same and raises nothing.

use super::*;
use DefectKind::*;

/// Check, kind, a request that raises it, a request that does not.
const REQUESTS: &[(&str, DefectKind, &str, &str)] = &[
    ("MB-C03", Malformed, "03 006b 0003 00", "03 006b 0003"),
    ("MB-C03", Malformed, "03 006b 00", "03 006b 0003"),
    ("MB-C03", Malformed, "10 0001 0001 02 00", "10 0001 0001 02 0000"),
    ("MB-C03", Malformed, "14 08 06 0004 0001 0002 06", "14 07 06 0004 0001 0002"),
    ("MB-C03", Malformed, "08 0002 0000 00", "08 0000 0000 00"), // an echo may be longer
    ("MB-C04", UnknownFunction, "00 01", "01 0000 0001"),
    ("MB-C04", UnknownFunction, "83 02 00", "03 0000 0001"),
    ("", UnknownFunction, "09 01", "5a 00 02"),
    ("", UnknownFunction, "08 0013 0000", "08 0012 0000"), // 19 reserved, 18 not
    ("", UnknownFunction, "08 0015 0000", "08 0014 0000"), // 21 reserved, 20 not
    ("MB-C05", FieldRange, "01 0000 0000", "01 0000 0001"),
    ("MB-C05", FieldRange, "01 0000 07d1", "01 0000 07d0"),
    ("MB-C05", FieldRange, "03 0000 007e", "03 0000 007d"),
    ("MB-C05", FieldRange, "17 0000 007e 0000 0001 02 0000", "17 0000 007d 0000 0001 02 0000"),
    ("MB-C05", FieldRange, "17 0000 0001 0000 0000 00", "17 0000 0001 0000 0001 02 0000"),
    ("MB-C06", Malformed, "10 0001 0002 02 0000", "10 0001 0001 02 0000"),
    ("MB-C06", Malformed, "0f 0001 0009 01 00", "0f 0001 0008 01 00"),
    ("MB-C06", Malformed, "14 00", "14 07 06 0004 0001 0002"),
    ("MB-C07", FieldRange, "03 ffff 0002", "03 ffff 0001"),
    ("MB-C08", FieldRange, "05 0000 0001", "05 0000 ff00"),
    ("MB-C09", FieldRange, "14 07 05 0004 0001 0002", "14 07 06 0004 0001 0002"),
    ("MB-C09", FieldRange, "14 07 06 0000 0001 0002", "14 07 06 0001 0001 0002"),
    ("MB-C09", FieldRange, "14 07 06 0001 2710 0002", "14 07 06 0001 270f 0002"),
    ("MB-C16", UnknownFunction, "2b 0f 01", "2b 0d 01"),
    ("MB-C16", FieldRange, "2b 0e 05 00", "2b 0e 04 00"),
    ("MB-C20", Peculiar, "0f 0000 0003 01 08", "0f 0000 0003 01 07"),
    ("", FieldRange, "08 0001 0001", "08 0001 ff00"),
    ("MB-C14", RoleReversal, "83 02", "03 0000 0001"),
    ("MB-C14", RoleReversal, "03 04 022b 0064", "03 0402 002b"),
];

#[test]
fn each_check_of_a_request_is_raised_by_its_trespass_and_not_by_the_next_best() {
    for (check, kind, bad, good) in REQUESTS {
        let mut wire = tcp();
        wire.send(Direction::ToServer, &adu(1, 1, bad));
        assert!(wire.seen.has(*kind, check), "{check} {bad}: {:?}", wire.seen.defects);
        assert_eq!(wire.seen.units.len(), 1, "the PDU is shown all the same: {bad}");
        assert_eq!(wire.seen.operations.len(), 1, "{bad}");
        let mut wire = tcp();
        wire.send(Direction::ToServer, &adu(1, 1, good));
        assert_eq!(wire.seen.defects, [""; 0], "{check} {good}");
    }
}

/// Check, kind, request, the response that raises it, the response that does not.
const RESPONSES: &[(&str, DefectKind, &str, &str, &str)] = &[
    ("MB-C03", Malformed, "03 0000 0002", "03 04 0001", "03 04 0001 0002"),
    ("MB-C03", Malformed, "14 07 06 0004 0001 0001", "14 05 04 06 0dfe 00", "14 04 03 06 0dfe"),
    (
        "MB-C03",
        Malformed,
        "2b 0e 01 00",
        "2b 0e 01 01 00 00 01 00 03 4142",
        "2b 0e 01 01 00 00 01 00 02 4142",
    ),
    ("MB-C05", FieldRange, "0f 0000 07b0 00", "0f 0000 07b1", "0f 0000 07b0"),
    ("MB-C06", Malformed, "03 0000 0001", "03 01 00", "03 02 0000"),
    ("MB-C06", Malformed, "0c", "0c 05 0000 0108 0121", "0c 06 0000 0108 0121"),
    ("MB-C10", FieldRange, "18 0000", "18 0002 0020", "18 0002 0000"),
    ("MB-C10", Malformed, "18 0000", "18 0004 0000 0000", "18 0004 0001 0000"),
    ("MB-C11", ContradictingAnswer, "03 0000 0002", "03 02 0001", "03 04 0001 0002"),
    ("MB-C11", ContradictingAnswer, "01 0000 0009", "01 01 00", "01 02 00 01"),
    ("MB-C11", ContradictingAnswer, "06 0001 0003", "06 0001 0004", "06 0001 0003"),
    ("MB-C11", ContradictingAnswer, "05 0001 ff00", "05 0002 ff00", "05 0001 ff00"),
    ("MB-C11", ContradictingAnswer, "10 0001 0001 02 0007", "10 0001 0002", "10 0001 0001"),
    ("MB-C11", ContradictingAnswer, "16 0004 00f2 0025", "16 0004 00f2 0024", "16 0004 00f2 0025"),
    ("MB-C11", ContradictingAnswer, "08 0000 a537", "08 0000 a538", "08 0000 a537"),
    ("MB-C11", ContradictingAnswer, "08 000b 0000", "08 000c 0000", "08 000b 0005"),
    ("MB-C11", ContradictingAnswer, "14 07 06 0004 0001 0002", "14 04 03 06 0dfe", "14 06 05 06 0dfe 0020"),
    ("MB-C11", ContradictingAnswer, "2b 0e 01 00", "2b 0e 02 01 00 00 00", "2b 0e 01 01 00 00 00"),
    ("MB-C11", ContradictingAnswer, "2b 0e 01 00", "2b 0d 02", "2b 0e 01 01 00 00 00"),
    (
        "MB-C11",
        ContradictingAnswer,
        "15 09 06 0004 0007 0001 06af",
        "15 09 06 0004 0007 0001 06ae",
        "15 09 06 0004 0007 0001 06af",
    ),
    ("MB-C12", ContradictingAnswer, "03 0000 0001", "04 02 0001", "03 02 0001"),
    ("MB-C12", ContradictingAnswer, "03 0000 0001", "84 02", "83 02"),
    ("MB-C15", FieldRange, "03 0000 0001", "83 09", "83 0a"),
    ("MB-C15", FieldRange, "03 0000 0001", "83 00", "83 0b"),
    ("MB-C16", FieldRange, "2b 0e 01 00", "2b 0e 01 04 00 00 00", "2b 0e 01 83 00 00 00"),
    ("MB-C16", FieldRange, "2b 0e 01 00", "2b 0e 01 01 01 00 00", "2b 0e 01 01 ff 03 00"),
    ("MB-C19", ContradictingAnswer, "08 0004 0000", "08 0004 0000", "88 01"),
    ("MB-C20", Peculiar, "01 0000 0003", "01 01 08", "01 01 07"),
    ("", FieldRange, "0b", "0b 0001 0000", "0b ffff 0000"),
    ("MB-C14", RoleReversal, "03 0000 0001", "03 0000 0001", "03 02 0001"),
];

#[test]
fn each_check_of_a_response_is_raised_by_its_trespass_and_not_by_the_next_best() {
    for (check, kind, request, bad, good) in RESPONSES {
        let wire = exchange(request, bad);
        assert!(wire.seen.has(*kind, check), "{check} {bad}: {:?}", wire.seen.defects);
        assert_eq!(wire.seen.units.len(), 2, "the PDU is shown all the same: {bad}");
        assert_eq!(wire.seen.operations.len(), 2, "{bad}");
        let own = exchange(request, good);
        let of_reply = own.seen.lines.iter().filter(|l| l.starts_with("defect <")).count();
        assert_eq!(of_reply, 0, "{check} {good}: {:?}", own.seen.defects);
    }
}

#[test]
fn a_unit_that_was_not_asked_contradicts() {
    let mut wire = tcp();
    wire.send(Direction::ToServer, &adu(1, 1, "03 0000 0001"));
    wire.send(Direction::ToClient, &adu(1, 2, "03 02 0001"));
    assert!(wire.seen.has(ContradictingAnswer, "MB-C12"), "{:?}", wire.seen.defects);
    wire.send(Direction::ToClient, &adu(1, 1, "03 02 0001"));
    assert!(wire.seen.operations[2].contains("answers=1@"), "the true answer still finds its request");
    assert_eq!(wire.seen.defects.len(), 1);
}

#[test]
fn a_cut_pdu_shows_what_was_reached() {
    let mut wire = tcp();
    wire.send(Direction::ToServer, &adu(1, 1, "0f 0000 0001"));
    assert!(wire.seen.units[0].contains(r#""address":0,"quantity":1,"framing""#), "{}", wire.seen.units[0]);
    assert!(wire.seen.operations[0].contains("write 15/None"), "{}", wire.seen.operations[0]);
    assert_eq!(
        wire.seen.defects,
        [
            "malformed MB-C03: the PDU ends after 5 octets (expected more octets: the layout of function 15 is longer)"
        ]
    );
}

#[test]
fn an_answer_to_a_request_nobody_saw_is_a_defect() {
    let mut wire = tcp();
    wire.send(Direction::ToClient, &adu(7, 1, "03 02 0001"));
    assert!(wire.seen.has(AnswerWithoutRequest, "MB-C13"));
    let wire = exchange("03 0000 0001", "03 02 0001");
    assert!(!wire.seen.has(AnswerWithoutRequest, "MB-C13"));
}

#[test]
fn a_defect_points_at_its_octets() {
    let mut wire = tcp();
    wire.send(Direction::ToServer, &adu(1, 3, "03 ffff 0002"));
    let line = wire.seen.lines.last().unwrap();
    assert!(
        line.contains("station=Some(3)") && line.contains("from_master=None")
            || line.contains("master=Some(true)")
    );
    assert!(line.contains("octets=0001000000060303ffff0002 skipped=0 offset=8"), "{line}");
}
