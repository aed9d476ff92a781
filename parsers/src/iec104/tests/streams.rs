//! Frames in streams: cut, joined, behind junk and holes; other field sizes.

use super::*;
use crate::testing::hex;

const STREAM: &str = "680443000000 680e00000000640106000a0000000014 680401000000 68150e000c003a0106000a0095110001a0141e0a560b18";

#[test]
fn splitting_changes_nothing() {
    let junk = [STREAM, "00ff68 02 6899", STREAM, "6804", STREAM].concat();
    for octets in [hex(STREAM), hex(&junk)] {
        let mut whole = wire();
        whole.send(Direction::ToServer, &octets);
        whole.finish();
        let all: Vec<usize> = (1..octets.len()).collect();
        let mut single = wire();
        single.send_split(Direction::ToServer, &octets, &all);
        single.finish();
        assert_eq!(whole.seen.lines, single.seen.lines);
        for cut in 1..octets.len() {
            let mut split = wire();
            split.send_split(Direction::ToServer, &octets, &[cut]);
            split.finish();
            assert_eq!(whole.seen.lines, split.seen.lines, "cut at {cut}");
        }
        assert_eq!(
            whole.seen.unit_octets as u64 + whole.seen.skipped,
            octets.len() as u64,
            "every octet is accounted for"
        );
    }
}

#[test]
fn behind_junk_a_frame_must_be_sound() {
    let mut wire = started();
    wire.up(&format!("00 68 10 68 {}", frame(0, 0, "64 01 06 00 0a00 000000 14")));
    wire.finish();
    assert!(wire.seen.has(DefectKind::Resynchronised, "I4-C01"));
    assert_eq!((wire.seen.units.len(), wire.seen.skipped), (5, 4), "what may have been frames is shown");
    assert!(wire.seen.lines.iter().any(|line| line.contains("recovered")));
}

#[test]
fn a_length_that_no_frame_has_is_skipped() {
    for bad in ["6803", "6800"] {
        let mut wire = started();
        wire.up(&format!("{bad} 680443000000"));
        assert_eq!((wire.seen.units.len(), wire.seen.skipped), (3, 2), "{bad}");
    }
}

/// No frame may be longer than 253 (IEC 60870-5-104, 5.1), but receivers read what the length says, and so does
/// the reference: what stands in it is no frame of its own.
#[test]
fn a_length_above_what_is_allowed_is_believed_and_told() {
    for length in [254, 255] {
        let mut wire = started();
        let asdu = format!("c8 01 03 00 0100 010000 {}", "68".repeat(length - 13));
        wire.up(&format!("68{length:02x}00000000{asdu} 680443000000"));
        wire.finish();
        assert_eq!((wire.seen.units.len(), wire.seen.skipped), (4, 0), "{length}");
        assert!(wire.seen.has(DefectKind::Malformed, "I4-C01"), "{:?}", wire.seen.defects);
    }
    let mut wire = started();
    wire.up(&frame(0, 0, &format!("c8 01 03 00 0100 010000 {}", "00".repeat(240))));
    assert_eq!(wire.seen.count(DefectKind::Malformed), 0, "253");
}

#[test]
fn a_lone_frame_that_does_not_fit_is_shown_when_nothing_follows() {
    let mut wire = midstream();
    wire.up(&frame(3, 1, "2d 02 06 00 0a00 941100 81"));
    wire.finish();
    assert_eq!((wire.seen.units.len(), wire.seen.operations.len()), (1, 0), "nothing follows from it");
    assert!(wire.seen.units[0].contains("\"ns\":3,\"nr\":1,"), "{}", wire.seen.units[0]);
    assert!(wire.seen.has(DefectKind::Resynchronised, "I4-C01"));
}

#[test]
fn of_a_frame_that_is_cut_off_its_beginning_is_shown() {
    for (octets, part) in [
        ("680e02000400", "\"ns\":1,\"nr\":2,"),
        ("680e02000400", "\"ioas\":[]"),
        ("680e02000400 64", "\"type_id\":100}"),
        ("680e02000400 64 01 47", "\"num_objects\":1,\"cot\":7,\"negative\":true,\"test\":false}"),
        ("680e02000400 64 01 06 00 0a00 000000", "\"common_address\":10,\"ioas\":"),
    ] {
        let mut wire = started();
        wire.up(octets);
        wire.finish();
        assert_eq!((wire.seen.units.len(), wire.seen.operations.len()), (3, 0), "{octets}");
        assert!(wire.seen.units[2].contains(part), "{part} in {}", wire.seen.units[2]);
        assert!(wire.seen.has(DefectKind::Truncated, ""), "{octets}");
    }
    let mut wire = started();
    wire.up("680e0200");
    wire.finish();
    assert_eq!(wire.seen.units.len(), 2, "no control field");
}

#[test]
fn the_middle_of_a_stream_begins_where_a_frame_is_sound() {
    let mut wire = midstream();
    wire.up(&format!("68 04 0a 00 00 00 14 {}", frame(9, 0, "64 01 06 00 0a00 000000 14")));
    wire.finish();
    assert_eq!((wire.seen.units.len(), wire.seen.operations.len()), (2, 1));
    assert_eq!(wire.seen.skipped, 7);
}

#[test]
fn a_tail_is_told_when_the_stream_ends() {
    let mut wire = started();
    wire.up("680e00000000640106");
    wire.finish();
    assert_eq!(wire.seen.defects, ["truncated : 9 octets (expected an APDU of 16 octets)"]);
}

#[test]
fn another_protocol_is_named() {
    let mut wire = wire();
    wire.send(Direction::ToServer, b"GET / HTTP/1.1\r\n\r\n");
    assert!(wire.seen.has(DefectKind::ForeignProtocol, ""));
    assert!(wire.seen.units.is_empty());
}

#[test]
fn the_field_sizes_of_101_are_found_out() {
    let mut wire = started();
    let points = "01 02 03 0a 0100 01 0500 00";
    for (n, asdu) in (0..).zip([points, "09 01 03 0a 0500 1027 00", points, points]) {
        wire.down(&frame(n, 0, asdu));
    }
    assert!(wire.seen.has(DefectKind::Peculiar, "CNF-08"));
    assert!(
        wire.seen.units[5].contains(r#""originator":null,"common_address":10,"ioas":[1,5]"#),
        "{}",
        wire.seen.units[5]
    );
    assert_eq!(wire.seen.count(DefectKind::Malformed), 2, "the first two were read by the sizes of 104");
}

#[test]
fn a_link_that_says_one_thing_only_is_read_by_the_sizes_that_are_given() {
    let say = |wire: &mut Wire, sent| wire.up(&frame(sent, 0, "2d 01 06 0a 9411 01"));
    let mut alone = started();
    (0..5).for_each(|sent| say(&mut alone, sent));
    assert_eq!(alone.seen.count(DefectKind::Malformed), 5, "three octets short of a command of 104");
    let mut told = started();
    told.session.set_field_sizes(FieldSizes::new([1, 1, 2]));
    (0..5).for_each(|sent| say(&mut told, sent));
    assert_eq!(told.seen.defects, Vec::<String>::new());
    assert!(told.seen.units[6].contains(r#""common_address":10,"ioas":[4500]"#), "{}", told.seen.units[6]);
}

#[test]
fn no_octets_make_it_stumble() {
    let mut seed = 7_u64;
    for _ in 0..300 {
        let mut octets = Vec::new();
        for _ in 0..200 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let octet = (seed >> 56) as u8;
            octets.push(match octet & 7 {
                0 | 1 => 0x68,
                2 => 4 + (octet >> 4),
                3 => 1,
                _ => octet,
            });
        }
        let mut whole = wire();
        whole.send(Direction::ToServer, &octets);
        whole.finish();
        let mut single = wire();
        let all: Vec<usize> = (1..octets.len()).collect();
        single.send_split(Direction::ToServer, &octets, &all);
        single.finish();
        assert_eq!(whole.seen.lines, single.seen.lines);
        assert_eq!(whole.seen.unit_octets as u64 + whole.seen.skipped, octets.len() as u64);
        assert!(single.longest_tail <= 257 + 2);
    }
}
