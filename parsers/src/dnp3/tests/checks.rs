//! Every check of the fact sheet's section 12: one vector that raises it, one near miss that does not.

use super::build::*;
use crate::contract::{DefectKind, Direction, Timestamp};
use crate::testing::{Wire, hex};

const NOW: Timestamp = Timestamp(1_700_000_000_000_000_000);

fn play(frames: &[(Direction, Vec<u8>)]) -> Wire {
    let mut wire = tcp();
    wire.now = NOW;
    for (direction, frame) in frames {
        wire.send(*direction, frame);
    }
    wire
}

/// Only the check in question may be raised: whatever else is wrong is a fault of the vector.
fn raises(kind: DefectKind, check: &str, frames: &[(Direction, Vec<u8>)]) {
    let wire = play(frames);
    assert!(wire.seen.has(kind, check), "{check} in {:?}", wire.seen.lines);
    let stray: Vec<_> = wire.seen.kinds.iter().filter(|(_, c, _)| !c.is_empty() && *c != check).collect();
    assert!(stray.is_empty(), "{check}: {:?}", wire.seen.defects);
}

fn silent(frames: &[(Direction, Vec<u8>)]) {
    let wire = play(frames);
    assert_eq!(wire.seen.defects, [""; 0], "{:?}", wire.seen.lines);
}

fn up(fragment: &str) -> (Direction, Vec<u8>) {
    (UP, request(fragment))
}

fn down(fragment: &str) -> (Direction, Vec<u8>) {
    (DOWN, response(fragment))
}

const READ: &str = "c0 01 3c 02 06";

#[test]
fn c01_wrong_header_crc() {
    let mut bad = request(READ);
    bad[8] ^= 1;
    raises(DefectKind::BadChecksum, "DN-C01", &[(UP, bad), up(READ)]);
    silent(&[up(READ)]);
}

#[test]
fn c02_wrong_block_crc_hides_nothing_that_follows() {
    let mut bad = request(READ);
    let last = bad.len() - 1;
    bad[last] ^= 1;
    raises(DefectKind::BadChecksum, "DN-C02", &[(UP, bad.clone()), up(READ)]);
    let wire = play(&[(UP, bad), up(READ)]);
    assert!(wire.seen.units[0].contains(r#""layer":"transport""#), "its user data is not used");
    assert!(wire.seen.units[0].contains(r#""data_crc_ok":false"#));
    assert_eq!(wire.seen.operations.len(), 1, "the good frame behind it");
    assert!(!wire.seen.operations[0].contains("recovered"), "nothing was skipped");
}

#[test]
fn c03_length_and_user_data_that_do_not_fit_the_function() {
    let mut short = frame(0xC0, 10, 1, &[]);
    short[2] = 4;
    let sum = crc(&short[..8]);
    short[8..].copy_from_slice(&sum);
    raises(DefectKind::Malformed, "DN-C03", &[(UP, short), up(READ)]);
    raises(DefectKind::Malformed, "DN-C03", &[(UP, frame(0xC4, 10, 1, &[]))]);
    raises(DefectKind::Malformed, "DN-C03", &[(UP, frame(0xC9, 10, 1, &[1, 2, 3]))]);
    silent(&[(UP, frame(0xC9, 10, 1, &[]))]);
}

#[test]
fn c04_undefined_function_frame_count_and_reserved_bit() {
    raises(DefectKind::UnknownFunction, "DN-C04", &[(UP, frame(0xC5, 10, 1, &[]))]);
    raises(DefectKind::UnknownFunction, "DN-C04", &[(DOWN, frame(0x02, 1, 10, &[]))]);
    raises(DefectKind::ReservedBits, "DN-C04", &[(UP, frame(0xC2, 10, 1, &[]))]);
    raises(DefectKind::ReservedBits, "DN-C04", &[(UP, frame(0xD0, 10, 1, &[]))]);
    raises(DefectKind::ReservedBits, "DN-C04", &[(DOWN, frame(0x20, 1, 10, &[]))]);
    silent(&[(UP, frame(0xD2, 10, 1, &[])), (UP, frame(0xF2, 10, 1, &[])), (DOWN, frame(0x00, 1, 10, &[]))]);
}

#[test]
fn c05_addresses_that_no_station_has() {
    for source in [0xFFF0, 0xFFFC, 0xFFFD, 0xFFFF] {
        raises(DefectKind::FieldRange, "DN-C05", &[(UP, frame(0xC9, 10, source, &[]))]);
    }
    raises(DefectKind::FieldRange, "DN-C05", &[(UP, frame(0xC9, 0xFFFC, 1, &[]))]);
    raises(DefectKind::FieldRange, "DN-C05", &[(UP, frame(0xC9, 0xFFF5, 1, &[]))]);
    raises(DefectKind::FieldRange, "DN-C05", &[(DOWN, frame(0x49, 0xFFFF, 10, &[]))]);
    silent(&[(UP, frame(0xC9, 0xFFEF, 0xFFEE, &[])), (UP, frame(0xC9, 0xFFFF, 1, &[]))]);
}

#[test]
fn c06_dir_bit_against_the_role_that_was_learned() {
    // Outstation 10 answered; now it claims to be a master towards 1.
    let reversed = frame(0xC9, 1, 10, &[]);
    raises(DefectKind::RoleReversal, "DN-C06", &[up(READ), down("c0 81 0000"), (DOWN, reversed.clone())]);
    // Another pair of addresses may well be the other way round on the same flow.
    silent(&[up(READ), down("c0 81 0000"), (DOWN, frame(0xC9, 1, 11, &[]))]);
    // Who opened the connection says nothing: here the outstation did.
    silent(&[(DOWN, request(READ)), (UP, response("c0 81 0000"))]);
}

#[test]
fn c07_receive_buffers_full() {
    raises(DefectKind::Peculiar, "DN-C07", &[(DOWN, frame(0x10, 1, 10, &[]))]);
    silent(&[(DOWN, frame(0x00, 1, 10, &[]))]);
}

#[test]
fn c09_request_in_parts_or_with_bits_of_a_response() {
    raises(DefectKind::FieldRange, "DN-C09", &[up("80 01 3c 02 06")]);
    raises(DefectKind::FieldRange, "DN-C09", &[up("d0 01 3c 02 06")]);
    raises(DefectKind::FieldRange, "DN-C09", &[up("e0 01 3c 02 06")]);
    silent(&[up("e0 20 78 04 07 01 0100")]);
    silent(&[down("f0 82 0000"), up("d0 00")]);
}

#[test]
fn c10_undefined_functions_and_functions_of_the_other_side() {
    raises(DefectKind::UnknownFunction, "DN-C10", &[up("c0 46 01 02 03")]);
    raises(DefectKind::UnknownFunction, "DN-C10", &[down("c0 84 00 00")]);
    raises(DefectKind::RoleReversal, "DN-C10", &[up("c0 81 0000")]);
    raises(DefectKind::RoleReversal, "DN-C10", &[down("c0 01 3c 02 06")]);
    let wire = play(&[up("c0 46 01 02 03")]);
    assert!(wire.seen.operations[0].contains("unknown 70/None unknown"), "{}", wire.seen.operations[0]);
    assert!(wire.seen.operations[0].contains("body=010203"));
    assert!(wire.seen.units[0].contains(r#""not_decoded":"010203""#));
    silent(&[up("c0 21 78 04 07 01 0100")]);
}

#[test]
fn c11_objects_without_business_under_their_function() {
    raises(DefectKind::FieldRange, "DN-C11", &[up("c0 03 1e 02 17 01 05 01 0000")]);
    raises(DefectKind::FieldRange, "DN-C11", &[up("c0 07 01 00 06")]);
    raises(DefectKind::FieldRange, "DN-C11", &[up("c0 14 3c 01 06")]);
    raises(DefectKind::FieldRange, "DN-C11", &[up("c0 0d 3c 01 06")]);
    raises(DefectKind::UnknownObject, "DN-C11", &[up("c0 01 fa 01 06")]);
    raises(DefectKind::UnknownObject, "DN-C11", &[up("c0 02 fa 01 00 00 00 01")]);
    silent(&[up("c0 07 14 00 06"), up("c1 14 3c 02 06"), up("c2 0d"), up("c3 01 01 00 06")]);
}

#[test]
fn c12_reserved_qualifiers() {
    raises(DefectKind::FieldRange, "DN-C12", &[up("c0 01 1e 02 0a")]);
    raises(DefectKind::FieldRange, "DN-C12", &[up("c0 01 1e 02 77 01")]);
    raises(DefectKind::FieldRange, "DN-C12", &[up("c0 02 22 01 0c 00")]);
    raises(DefectKind::ReservedBits, "DN-C12", &[up("c0 01 1e 02 86")]);
    silent(&[up("c0 01 1e 02 06")]);
}

#[test]
fn c13_counts_ranges_and_ends_that_contradict_each_other() {
    let kind = DefectKind::Malformed;
    raises(kind, "DN-C13", &[up("c0 01 1e 02 00 05 04")]);
    raises(DefectKind::FieldRange, "DN-C13", &[up("c0 01 1e 02 17 00")]);
    raises(kind, "DN-C13", &[up("c0 02 22 01 17 02 00 0100 01")]);
    raises(kind, "DN-C13", &[up("c0 02 22 01 39 ffffffff")]);
    raises(kind, "DN-C13", &[up("c0 01 1e 02")]);
    raises(kind, "DN-C13", &[up("c0 01 1e 02 01 05")]);
    raises(kind, "DN-C13", &[up("c0 02 46 05 5b 01 0900 01")]);
    raises(kind, "DN-C13", &[up("c0 02 46 05 07 01 01")]);
    raises(kind, "DN-C13", &[up("c0 02 22 01 4b 01 03 010203")]);
    raises(kind, "DN-C13", &[up("c0")]);
    raises(kind, "DN-C13", &[up(READ), down("c0 81 00")]);
    silent(&[up("c0 01 1e 02 00 05 05"), up("c1 02 22 01 17 01 00 0100")]);
}

#[test]
fn what_fits_of_an_overrunning_list_is_kept() {
    let wire = play(&[up("c0 02 22 01 17 03 00 0100 01 0200 02 03")]);
    assert_eq!(
        wire.seen.points[0],
        ["analog_deadband[0]=Unsigned(1) g34v1", "analog_deadband[1]=Unsigned(2) g34v1"]
    );
}

#[test]
fn c14_controls_that_no_output_understands() {
    let crob = |code: &str| up(&format!("c0 05 0c 01 17 01 05 {code} 01 64000000 00000000 00"));
    raises(DefectKind::FieldRange, "DN-C14", &[crob("05")]);
    raises(DefectKind::FieldRange, "DN-C14", &[crob("c1")]);
    raises(DefectKind::FieldRange, "DN-C14", &[up("c0 05 29 03 17 01 02 0000c07f 00")]);
    raises(DefectKind::FieldRange, "DN-C14", &[up("c0 05 29 04 17 01 02 000000000000f07f 00")]);
    silent(&[crob("81"), up("c1 05 29 03 17 01 02 00004842 00")]);
}

#[test]
fn c16_unsolicited_response_without_its_bits() {
    raises(DefectKind::FieldRange, "DN-C16", &[down("e0 82 0000")]);
    raises(DefectKind::FieldRange, "DN-C16", &[down("d0 82 0000")]);
    raises(DefectKind::FieldRange, "DN-C16", &[up(READ), down("d0 81 0000")]);
    silent(&[down("f0 82 0000")]);
}

#[test]
fn c17_reserved_internal_indications() {
    raises(DefectKind::ReservedBits, "DN-C17", &[up(READ), down("c0 81 0040")]);
    silent(&[up(READ), down("c0 81 ff08")]);
}

#[test]
fn c18_relative_time_needs_a_common_time_before_it() {
    raises(DefectKind::Peculiar, "DN-C18", &[down("f0 82 0000 02 03 17 01 05 81 f401")]);
    silent(&[down("f0 82 0000 33 01 07 01 0068e5cf8b01 02 03 17 01 05 81 f401")]);
}

#[test]
fn c19_times_that_cannot_be() {
    raises(DefectKind::FieldRange, "DN-C19", &[up("c0 02 32 01 07 01 000000000000")]);
    // A day and a second ahead of packet time.
    raises(DefectKind::FieldRange, "DN-C19", &[up("c0 02 32 01 07 01 e80f0cd58b01")]);
    silent(&[up("c0 02 32 01 07 01 0068e5cf8b01")]);
}

#[test]
fn c22_confirmed_user_data_over_tcp() {
    let user = hex("c0 c0 01 3c 02 06");
    raises(DefectKind::Peculiar, "DN-C22", &[(UP, frame(0xD3, 10, 1, &user))]);
    let mut wire = udp();
    wire.send(UP, &frame(0xD3, 10, 1, &user));
    assert_eq!(wire.seen.defects, [""; 0]);
}

#[test]
fn function_that_carries_no_user_data_cannot_hide_a_command() {
    // Wireshark and careless stations look into it; here it is shown and flagged.
    let wire = play(&[(UP, frame(0xC2, 10, 1, &hex("c0 c0 0d")))]);
    assert!(wire.seen.has(DefectKind::Malformed, "DN-C03"));
    assert!(wire.seen.operations[0].contains("request restart 13/None cold_restart"));
}

#[test]
fn trouble_with_an_object_names_its_group_and_variation() {
    let observed = |fragment: &str| {
        let mut wire = tcp();
        wire.send(UP, &request(fragment));
        wire.seen.defects.join(" | ")
    };
    assert!(
        observed("c0 01 c801 06").contains("DN-C11: group 200 variation 1 ("),
        "{}",
        observed("c0 01 c801 06")
    );
    assert!(observed("c0 03 1e01 06").contains("group 30 variation 1"));
    assert!(observed("c0 01 1e02 00 05 04").contains("start > stop in group 30 variation 2"));
    assert!(
        observed("c0 01 1e02 0c")
            .contains("a reserved range specifier (qualifier 0x0c) in group 30 variation 2")
    );
    assert!(
        observed("c0 05 0c01 28 0100 0000 05").contains("objects that overrun it in group 12 variation 1")
    );
}
