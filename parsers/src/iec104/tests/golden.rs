//! The golden vectors of the fact sheet: each is decoded, and nothing is wrong with it.

use super::*;

/// Octets, and part of what is shown.
const VECTORS: &[(&str, &str)] = &[
    (
        "680e00000000640106000a0000000014",
        r#""type_id":100,"sq":false,"num_objects":1,"cot":6,"negative":false,"test":false,"originator":0,"common_address":10,"ioas":[0]"#,
    ),
    ("681102000200018414000a0001000001000180", r#""ioas":[1,2,3,4]"#),
    ("681a040002000d0203000a001405000000c842001505000000484300", r#""ioas":[1300,1301]"#),
    (
        "680e06000c002e0106000a0001000001",
        r#""type_name":"c_dc_na_1","cause_name":"activation","objects":[{"address":1,"value":1,"select":false,"qualifier":0}]"#,
    ),
    ("680e080008002e0147000a0001000001", r#""cot":7,"negative":true"#),
    ("68120c000c00320106000a009d13000000484200", r#""address":5021,"value":50,"select":false"#),
    (
        "68150e000c003a0106000a0095110001a0141e0a560b18",
        r#""time":{"milliseconds":5280,"minute":30,"time_invalid":false,"time_substituted":false,"hour":10,"summer":false,"day":22,"day_of_week":2,"month":11,"year":24},"time_ms":1732271405280"#,
    ),
    ("68150a0010001e0103000a000d000001a0141e0a560b18", r#""address":13,"value":true,"quality":0"#),
    ("68190e001000240103000a000f00000000c84200a0141e0a560b18", r#""value":100,"quality":0"#),
    (
        "6812100010000f0125000a001000003930000005",
        r#""value":12345,"quality":0,"quality_names":[],"counter_sequence":5,"carry":0,"adjusted":0"#,
    ),
    ("680e12001000460104000a0000000002", r#""type_name":"m_ei_na_1","cause_name":"initialised""#),
    ("681410001200670106000a00000000a0141e0a560b18", r#""type_name":"c_cs_na_1""#),
    ("6816120012006b0106000a00000000aa55a0141e0a560b18", r#""value":21930"#),
    ("680e14001200690106000a0000000001", r#""type_name":"c_rp_na_1""#),
    (
        "680d16001200660105000a00050000",
        r#""ioas":[5],"type_name":"c_rd_na_1","cause_name":"request","objects":[{"address":5}]"#,
    ),
    ("680e18001200650106000a0000000005", r#""type_name":"c_ci_na_1""#),
    ("68111a0012007a010d000a0001000001000001", r#""value":1,"section":0,"file_qualifier":1"#),
    ("68121c001200700106000a002000000000204101", r#""value":10,"parameter_kind":1"#),
    ("680e1e00120064010600ffff00000014", r#""common_address":65535"#),
    (
        "681716001a00260103000a00300000026400a0141e0a560b18",
        r#""value":2,"quality":0,"quality_names":[],"elapsed_ms":100"#,
    ),
    ("681818001a00270103000a0031000001006400a0141e0a560b18", r#""duration_ms":100"#),
    ("68121a001a00140103000a003200000100010000", r#""value":1,"quality":0,"quality_names":[],"changes":1"#),
    ("68161c001a00200103000a003300000500a0141e0a560b18", r#""value":5,"quality":0"#),
];

#[test]
fn every_vector_is_shown_as_it_is() {
    for (octets, part) in VECTORS {
        let mut wire = midstream();
        wire.up(octets);
        wire.finish();
        assert_eq!(wire.seen.units.len(), 1, "{octets}");
        assert!(wire.seen.units[0].contains(part), "{octets}\n{}", wire.seen.units[0]);
        let wrong: Vec<_> = wire.seen.defects.iter().filter(|d| !d.starts_with("role_reversal")).collect();
        assert!(wrong.is_empty(), "{octets}: {wrong:?}");
    }
}

#[test]
fn control_frames_are_shown_by_their_kind() {
    let mut wire = wire();
    wire.up("680407000000");
    wire.down("68040b000000");
    wire.up("680401000000");
    assert!(
        wire.seen.units[0]
            .starts_with(r#"{"apdu":"U","length":4,"ns":null,"nr":null,"u_type":1,"u_name":"startdt_act"}"#)
    );
    assert!(wire.seen.units[2].starts_with(r#"{"apdu":"S","length":4,"ns":null,"nr":0,"u_type":null}"#));
    assert!(wire.seen.defects.is_empty() && wire.seen.operations.is_empty());
}

#[test]
fn a_private_type_is_shown_raw() {
    let mut wire = started();
    wire.down(&frame(0, 0, "c8 01 03 00 0100 010000 deadbeef"));
    assert!(wire.seen.units[2].contains(
        r#""type_name":"unknown","cause_name":"spontaneous","objects":[{"address":1,"value":"deadbeef"}]"#
    ));
    assert_eq!(wire.seen.defects, ["peculiar I4-C10: type 200 (expected a type of the standard)"]);
}

#[test]
fn fields_out_of_range_are_told_by_their_check() {
    for (asdu, check) in [
        ("2e 01 06 00 0100 010000 00", "I4-C14"),                  // DCS 0
        ("2f 01 06 00 0100 010000 03", "I4-C14"),                  // RCS 3
        ("2d 01 06 00 0100 010000 11", "I4-C14"),                  // QU 4
        ("2d 01 06 00 0000 010000 01", "I4-C15"),                  // CA 0
        ("2d 01 06 00 ffff 010000 01", "I4-C15"),                  // a command to all
        ("2d 01 06 00 0100 000000 01", "I4-C16"),                  // IOA 0
        ("64 01 06 00 0100 010000 14", "I4-C16"),                  // IOA of an interrogation
        ("67 01 06 00 0100 000000 0000 3c 00 01 01 18", "I4-C17"), // minute 60
        ("32 01 06 00 0100 010000 0000c07f 00", "I4-C19"),         // NaN
        ("2d 01 86 00 0100 010000 01", "I4-C20"),                  // test bit
        ("2d 01 06 00 0100 010000 01 00", "I4-C09"),               // one octet too many
        ("2d 02 06 00 0100 010000 01", "I4-C09"),                  // one object too few
        ("2d 00 06 00 0100", "I4-C13"),                            // none
        ("2d 81 06 00 0100 010000 01", "I4-C13"),                  // SQ in a command
        ("34 01 06 00 0100 010000 01", "I4-C10"),                  // reserved type
        ("2d 01 05 00 0100 010000 01", "I4-C12"),                  // a requested command
        ("2d 01", "I4-C09"),                                       // no header
    ] {
        let mut wire = started();
        wire.up(&frame(0, 0, asdu));
        let checks: Vec<_> = wire.seen.kinds.iter().map(|(_, check, _)| *check).collect();
        assert_eq!(checks, [check], "{asdu}: {:?}", wire.seen.defects);
    }
}

#[test]
fn control_fields_out_of_range_are_told_too() {
    for (octets, kind, check) in [
        ("680417000000", DefectKind::Malformed, "I4-C02"),
        ("680403000000", DefectKind::Malformed, "I4-C02"),
        ("680443000100", DefectKind::ReservedBits, "I4-C02"),
        ("680401000100", DefectKind::ReservedBits, "I4-C03"),
        ("6805010000 00 00", DefectKind::Malformed, "I4-C02"),
    ] {
        let mut wire = started();
        wire.up(octets);
        assert!(wire.seen.has(kind, check), "{octets}: {:?}", wire.seen.defects);
        assert_eq!(wire.seen.units.len(), 3);
    }
}
