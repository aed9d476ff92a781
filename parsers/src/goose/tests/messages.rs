//! Whole messages: header, elements, what is missing or doubled.

use super::*;

#[test]
fn a_message_is_a_unit_and_a_publication() {
    let wire = see(&hex("0001 0060 0000 0000              ; APPID, Length, Reserved
         61 56                            ; goosePdu
         80 15 4241593150524f542f4c4c4e3024474f2467636231
         81 02 0fa0                       ; timeAllowedtoLive 4000
         82 08 42415931 50524f54          ; (short data set name)
         83 09 424159315f54524950         ; goID
         84 08 65a00000 800000 0a         ; t
         85 01 01  86 01 05               ; stNum, sqNum
         87 01 00  88 01 01  89 01 00     ; simulation, confRev, ndsCom
         8a 01 02  ab 08 83 01 00 84 03 03 0000"));
    let unit = &wire.seen.units[0];
    assert!(
        unit.starts_with("{\"appid\":1,\"length\":96,\"reserved1\":0,\"s_bit\":false,\"reserved2\":0,"),
        "{unit}"
    );
    for part in [
        "\"gocb_ref\":\"BAY1PROT/LLN0$GO$gcb1\"",
        "\"time_allowed_to_live\":4000",
        "\"go_id\":\"BAY1_TRIP\"",
        "\"t\":{\"seconds\":1704984576,\"nanoseconds\":500000000,",
        "\"st_num\":1,\"sq_num\":5,\"simulation\":false,\"conf_rev\":1,\"nds_com\":false,\"num_dat_set_entries\":2",
        "\"all_data\":[{\"kind\":\"boolean\",\"value\":false},{\"kind\":\"bit_string\",\"bits\":13,\"value\":\"0000\"}]",
    ] {
        assert!(unit.contains(part), "{part} in {unit}");
    }
    assert!(
        wire.seen.operations[0].starts_with("> publication report 1/None goose"),
        "{}",
        wire.seen.operations[0]
    );
    assert_eq!(wire.seen.points[0], ["data_set_member[0]=Bit(false)", "data_set_member[1]=Bytes([3, 0, 0])"]);
    assert_eq!(wire.seen.defects, Vec::<String>::new());
}

#[test]
fn padding_behind_the_length_is_no_part_of_it() {
    let mut octets = payload(&elements());
    let length = octets.len();
    octets.extend([0; 20]);
    let wire = see(&octets);
    assert!(wire.seen.defects.is_empty(), "{:?}", wire.seen.defects);
    assert_eq!(wire.seen.unit_octets, length);
}

#[test]
fn a_wrong_length_in_the_header_is_malformed() {
    let mut octets = payload(&elements());
    octets[3] += 1;
    let wire = see(&octets);
    assert!(wire.seen.defects[0].starts_with("malformed GO-C01: length"), "{:?}", wire.seen.defects);
    assert_eq!(wire.seen.operations.len(), 1, "it is decoded all the same");
}

#[test]
fn every_element_that_is_missing_is_named_and_the_others_are_decoded() {
    for (left_out, name) in [
        (1, "timeAllowedtoLive"),
        (2, "datSet"),
        (4, "t"),
        (5, "stNum"),
        (6, "sqNum"),
        (8, "confRev"),
        (11, "allData"),
    ] {
        let mut elements = elements();
        elements.remove(left_out);
        let wire = see(&payload(&elements));
        let expected =
            format!("malformed GO-C05: no {name} (expected all elements that a message must have)");
        assert_eq!(wire.seen.defects, [expected]);
        assert!(wire.seen.units[0].contains("\"gocb_ref\":\"BAY1PROT"));
        assert_eq!(wire.seen.operations.len(), 1);
    }
    for left_out in [3, 7, 9] {
        let mut elements = elements();
        elements.remove(left_out);
        assert_eq!(see(&payload(&elements)).seen.defects, Vec::<String>::new(), "optional: {left_out}");
    }
}

#[test]
fn without_a_control_block_there_is_no_operation() {
    let wire = see(&payload(&elements()[1..]));
    assert_eq!(wire.seen.units.len(), 1);
    assert!(wire.seen.operations.is_empty());
    assert!(wire.seen.has(DefectKind::Malformed, "GO-C05"));
}

#[test]
fn of_an_element_that_comes_twice_the_first_counts() {
    let mut elements = elements();
    elements.insert(6, (0x85, hex("63")));
    let wire = see(&payload(&elements));
    assert!(wire.seen.units[0].contains("\"st_num\":1,"), "{}", wire.seen.units[0]);
    assert!(wire.seen.defects[0].contains("stNum more than once"), "{:?}", wire.seen.defects);
}

#[test]
fn elements_out_of_order_and_unknown_ones_are_told_and_shown() {
    let mut swapped = elements();
    swapped.swap(5, 6);
    let wire = see(&payload(&swapped));
    assert!(wire.seen.units[0].contains("\"st_num\":1,\"sq_num\":5"));
    assert!(wire.seen.defects[0].contains("stNum behind later ones"), "{:?}", wire.seen.defects);

    let mut unknown = elements();
    unknown.push((0x8D, hex("0102")));
    let wire = see(&payload(&unknown));
    assert!(wire.seen.units[0].contains("\"unknown_element\":\"8d020102\""), "{}", wire.seen.units[0]);
    assert!(wire.seen.has(DefectKind::UnknownObject, "GO-C07"));
}

#[test]
fn octets_that_end_too_early_are_shown_as_far_as_they_go() {
    let octets = payload(&elements());
    for end in 0..octets.len() {
        let wire = see(&octets[..end]);
        assert_eq!(wire.seen.units.len(), 1, "after {end}");
        assert!(wire.seen.count(DefectKind::Malformed) > 0, "after {end}");
    }
    let cut = see(&octets[..octets.len() - 3]);
    assert!(cut.seen.units[0].contains("\"conf_rev\":1"));
}

#[test]
fn of_a_header_that_is_cut_the_appid_is_shown() {
    assert!(see(&hex("3001 00")).seen.units[0].starts_with("{\"appid\":12289,\"octets\":"));
    assert!(see(&hex("30")).seen.units[0].starts_with("{\"octets\":"));
}

/// ITU-T X.690, 8.3.3: an INTEGER is two's complement whatever its length. The reference keeps these three in 32
/// bits, so 00 FF FF FF FF is -1 to it, and 4294967295 by the octets.
#[test]
fn integers_are_shown_with_their_sign() {
    for (place, key) in [(1, "time_allowed_to_live"), (8, "conf_rev"), (10, "num_dat_set_entries")] {
        for (octets, value) in [("FF", "-1"), ("C8", "-56"), ("00C8", "200"), ("00FFFFFFFF", "4294967295")] {
            let mut elements = elements();
            elements[place].1 = hex(octets);
            let wire = see(&payload(&elements));
            let part = format!("\"{key}\":{value},");
            assert!(wire.seen.units[0].contains(&part), "{part} in {}", wire.seen.units[0]);
            assert!(wire.seen.defects.iter().any(|d| d.starts_with("malformed")) || !value.starts_with('-'));
        }
    }
}

#[test]
fn a_frame_that_the_tap_cut_is_not_the_publishers_fault() {
    let octets = payload(&elements());
    let mut flow = FlowInfo { ethertype: super::super::ETHERTYPE, ..flow(Transport::Ethernet, 0) };
    flow.coverage.truncated = true;
    let mut wire = Wire::new(&DISSECTOR, flow, &Limits::default());
    wire.send(Direction::ToServer, &octets[..octets.len() - 3]);
    assert_eq!(wire.seen.count(DefectKind::Truncated), 1, "{:?}", wire.seen.defects);
    assert_eq!(wire.seen.count(DefectKind::Malformed), 0, "{:?}", wire.seen.defects);
}

#[test]
fn the_s_bit_and_reserved_bits_stand_in_reserved_1() {
    let mut octets = payload(&elements());
    octets[4] = 0x80;
    assert!(see(&octets).seen.units[0].contains("\"s_bit\":true"));
    assert!(see(&octets).seen.defects.is_empty());
    octets[4] = 0x40;
    assert!(see(&octets).seen.has(DefectKind::ReservedBits, "GO-C02"));
}

#[test]
fn gse_management_and_other_apdus_are_shown_raw() {
    let wire = see(&hex("0001 000c 0000 0000 60 02 8001"));
    assert!(wire.seen.units[0].contains("\"apdu_tag\":0,\"apdu\":\"8001\""), "{}", wire.seen.units[0]);
    assert!(wire.seen.operations[0].contains("gse_management"));
    let wire = see(&hex("0001 000c 0000 0000 62 02 8001"));
    assert!(wire.seen.has(DefectKind::UnknownFunction, "GO-C07"));
    assert!(wire.seen.operations.is_empty());
}

#[test]
fn gse_management_under_its_own_ethertype_is_told_and_is_no_pdu_of_goose() {
    let flow = FlowInfo { ethertype: super::super::ETHERTYPE_MANAGEMENT, ..flow(Transport::Ethernet, 0) };
    let mut wire = Wire::new(&DISSECTOR, flow, &Limits::default());
    wire.up("0001 000c 0000 0000 60 02 8001");
    assert!(wire.seen.units.is_empty());
    assert!(wire.seen.has(DefectKind::UnknownFunction, "GO-C09"));
}

#[test]
fn what_a_frame_is_about_is_its_control_block() {
    assert_eq!(super::super::subject(&payload(&elements())), b"BAY1PROT/LLN0$GO$gcb1");
    assert_eq!(super::super::subject(b""), b"");
}

/// What was right is not looked at again; nothing may hide behind it.
#[test]
fn a_repeated_message_is_checked_as_if_it_came_alone() {
    let sound = payload(&elements());
    let mut defective = 0;
    for place in 0..sound.len() {
        for octet in [0x00, 0x01, 0x7F, 0x80, 0xFF] {
            let mut other = sound.clone();
            other[place] = octet;
            let alone = see(&other).seen;
            let mut wire = see(&sound);
            wire.send(Direction::ToServer, &sound);
            assert!(wire.seen.defects.is_empty());
            wire.seen = Recorder::default();
            wire.send(Direction::ToServer, &other);
            let seen = (&wire.seen.units, &wire.seen.operations, &wire.seen.points, &wire.seen.defects);
            let expected = (&alone.units, &alone.operations, &alone.points, &alone.defects);
            assert_eq!(seen, expected, "octet {place} as {octet:#04x}");
            defective += usize::from(!alone.defects.is_empty());
        }
    }
    assert!(defective > 100);
}
