//! The forms that elements and members take.

use super::*;

#[test]
fn numbers_may_be_longer_than_they_must() {
    for (octets, number) in [
        ("07", 7_u32),
        ("0007", 7),
        ("00FFFFFFFF", 4_294_967_295),
        ("FFFFFFFF", 4_294_967_295),
        ("0000000001", 1),
    ] {
        let wire = with(0x85, octets);
        assert!(
            wire.seen.units[0].contains(&format!("\"st_num\":{number},")),
            "{octets}: {}",
            wire.seen.units[0]
        );
        assert_eq!(wire.seen.defects, Vec::<String>::new(), "{octets}");
    }
}

#[test]
fn a_negative_number_is_shown_and_outside_its_range() {
    let wire = with(0x88, "FF");
    assert!(wire.seen.units[0].contains("\"conf_rev\":-1,"), "{}", wire.seen.units[0]);
    assert!(wire.seen.has(DefectKind::Malformed, "GO-C08"));
    // The reference shows both as if they had a sign, whatever the leading 00 says (X.690 clause 8.3).
    let wire = with(0x88, "00 F3B37F32");
    assert!(wire.seen.units[0].contains("\"conf_rev\":4088626994,"), "{}", wire.seen.units[0]);
    assert!(wire.seen.defects.is_empty());
}

#[test]
fn a_number_without_octets_is_null_and_malformed() {
    let wire = with(0x85, "");
    assert!(wire.seen.units[0].contains("\"st_num\":null,\"unreadable\":\"8500\""), "{}", wire.seen.units[0]);
    assert!(wire.seen.has(DefectKind::Malformed, "GO-C08"));
}

#[test]
fn a_state_number_of_0_and_no_time_to_live_are_outside_their_range() {
    assert_eq!(with(0x85, "00").seen.defects, ["field_range GO-C08: 0 (expected a state number from 1)"]);
    assert_eq!(
        with(0x81, "00").seen.defects,
        ["field_range GO-C08: 0 ms (expected a time allowed to live above 0)"]
    );
}

#[test]
fn members_of_every_kind_have_their_value() {
    let wire = with_data(
        14,
        "83 01 FF              ; boolean
         84 02 06 40           ; bit string, two bits
         85 02 FF38            ; integer -200
         86 02 00C8            ; unsigned 200
         87 05 08 3FC00000     ; float 1.5
         88 01 00              ; real, as it is
         89 02 0102            ; octet string
         8A 02 4142            ; visible string
         8C 06 000003E8 0001   ; time of day
         8D 01 07              ; BCD
         90 01 C3              ; MMS string, any octets
         91 08 65A00000 800000 0A
         A2 06 83 01 00 85 01 01  ; structure
         A1 03 86 01 02        ; array",
    );
    assert_eq!(wire.seen.defects, Vec::<String>::new());
    let points = wire.seen.points[0].iter().map(String::as_str).collect::<Vec<_>>();
    assert_eq!(
        points,
        [
            "data_set_member[0]=Bit(true)",
            "data_set_member[1]=Bytes([6, 64])",
            "data_set_member[2]=Signed(-200)",
            "data_set_member[3]=Unsigned(200)",
            "data_set_member[4]=Float32(1.5)",
            "data_set_member[5]=Bytes([0])",
            "data_set_member[6]=Bytes([1, 2])",
            "data_set_member[7]=Text([65, 66])",
            "data_set_member[8]=TimeMs(441849601000)",
            "data_set_member[9]=Unsigned(7)",
            "data_set_member[10]=Text([195])",
            "data_set_member[11]=TimeMs(1704984576500)",
            "data_set_member[12]=Bit(false)",
            "data_set_member[12]=Signed(1)",
            "data_set_member[13]=Unsigned(2)",
        ]
    );
    let unit = &wire.seen.units[0];
    assert!(
        unit.contains("{\"kind\":\"structure\",\"members\":[{\"kind\":\"boolean\",\"value\":false},"),
        "{unit}"
    );
}

#[test]
fn members_of_unknown_kinds_are_shown_raw() {
    let wire = with_data(1, "9F 22 01 07");
    assert!(
        wire.seen.units[0].contains("{\"kind\":\"unknown\",\"octets\":\"9f220107\"}"),
        "{}",
        wire.seen.units[0]
    );
    assert!(wire.seen.has(DefectKind::UnknownObject, "GO-C07"));
}

#[test]
fn members_that_are_not_what_they_say_are_malformed() {
    for data in [
        "83 00",
        "83 02 0001",
        "84 00",
        "84 01 03",
        "84 02 08 00",
        "85 00",
        "87 04 3FC00000",
        "91 07 65A00000800000",
        "8C 05 0000000000",
    ] {
        let wire = with_data(1, data);
        assert!(wire.seen.has(DefectKind::Malformed, "GO-C08"), "{data}: {:?}", wire.seen.defects);
        assert_eq!(wire.seen.units.len(), 1);
    }
}

#[test]
fn the_number_of_members_must_be_what_is_said() {
    assert_eq!(
        with_data(3, "83 01 00 83 01 00").seen.defects,
        ["malformed GO-C05: 2 (expected 3 members, as numDatSetEntries says)"]
    );
    assert!(with_data(1, "A2 06 83 01 00 83 01 00").seen.defects.is_empty(), "a structure is one member");
}

#[test]
fn a_length_beyond_its_container_is_malformed() {
    let wire = with_data(1, "A2 09 83 01 00");
    assert!(wire.seen.count(DefectKind::Malformed) > 0, "{:?}", wire.seen.defects);
    let wire = with_data(1, "83");
    assert!(wire.seen.has(DefectKind::Malformed, "GO-C04"), "{:?}", wire.seen.defects);
}

#[test]
fn depth_and_number_of_members_have_limits() {
    let mut data = hex("83 01 00");
    for _ in 0..40 {
        data = element(0xA2, &data);
    }
    let mut parts = elements();
    parts[11].1 = data;
    let wire = see(&payload(&parts));
    assert_eq!(wire.seen.count(DefectKind::LimitReached), 1, "{:?}", wire.seen.defects);
    assert_eq!(wire.seen.units.len(), 1);
}
