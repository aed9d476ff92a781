//! Transport series, in frames.

use super::build::*;
use crate::contract::{Coverage, DefectKind, Limits, Transport};
use crate::testing::{Wire, flow, hex};

/// A response of 600 octets: counters 0 to 297, 16 bit without flags.
fn long_fragment(sequence: u8) -> Vec<u8> {
    let mut fragment = vec![0xC0 | sequence, 0x81, 0, 0, 0x14, 6, 1, 0, 0, 0x29, 1];
    for n in 0..298u16 {
        fragment.extend(n.to_le_bytes());
    }
    fragment
}

fn frames(first: u8) -> Vec<Vec<u8>> {
    segmented(0x44, (1, 10), &long_fragment(0), 249, first)
}

fn read(wire: &mut Wire) {
    wire.send(UP, &request("c0 01 14 00 06"));
}

#[test]
fn series_of_three_segments_becomes_one_fragment() {
    let mut wire = tcp();
    read(&mut wire);
    for frame in frames(5) {
        wire.send(DOWN, &frame);
    }
    assert_eq!((wire.seen.units.len(), wire.seen.operations.len()), (4, 2));
    assert!(wire.seen.units[1].contains(r#""layer":"transport""#));
    assert!(wire.seen.units[2].contains(r#""layer":"transport""#));
    assert!(wire.seen.units[3].contains(r#""layer":"application""#));
    assert!(wire.seen.units[3].contains(r#""start":0,"stop":297"#));
    assert_eq!(wire.seen.points[1].len(), 298);
    assert_eq!(wire.seen.points[1][297], "counter[297]=Unsigned(297) g20v6");
    assert_eq!(wire.seen.defects, [""; 0]);
    let unit = wire.seen.lines.iter().rfind(|l| l.starts_with("unit")).unwrap();
    assert!(unit.contains("frame 4 first 4"), "a unit is one frame: {unit}");
}

#[test]
fn series_goes_on_from_63_to_0() {
    // Reference decoders lose the fragment here.
    let mut wire = tcp();
    read(&mut wire);
    for frame in frames(63) {
        wire.send(DOWN, &frame);
    }
    assert_eq!(wire.seen.points[1].len(), 298);
    assert_eq!(wire.seen.defects, [""; 0]);
    // The same in octets made by hand: READ class 1, cut behind the function code, 63 then 0.
    let mut wire = tcp();
    wire.up("05 64 08 c4 0a 00 01 00 fc 42  7f c0 01 ; FIR, sequence 63: AC, READ
             00 00");
    assert!(wire.seen.has(DefectKind::BadChecksum, "DN-C02"), "a wrong CRC, to see that they count");
    let mut wire = tcp();
    wire.send(UP, &frame(0xC4, 10, 1, &hex("7f c0 01")));
    wire.send(UP, &frame(0xC4, 10, 1, &hex("80 3c 02 06")));
    assert!(wire.seen.operations[0].contains("class_data[1..1]"), "{:?}", wire.seen.lines);
    assert_eq!(wire.seen.defects, [""; 0]);
}

#[test]
fn repeated_segments_are_ignored() {
    let mut wire = tcp();
    read(&mut wire);
    for frame in frames(5) {
        wire.send(DOWN, &frame);
        wire.send(DOWN, &frame);
    }
    assert_eq!(wire.seen.operations.len(), 2);
    assert_eq!(wire.seen.points[1].len(), 298);
    assert_eq!(wire.seen.defects, [""; 0]);
}

#[test]
fn missing_segment_ends_the_series_once() {
    let mut wire = tcp();
    read(&mut wire);
    let all = segmented(0x44, (1, 10), &long_fragment(0), 100, 0);
    for (n, frame) in all.iter().enumerate() {
        if n != 2 {
            wire.send(DOWN, frame);
        }
    }
    assert_eq!(wire.seen.count(DefectKind::SequenceError), 1);
    assert_eq!(wire.seen.kinds.len(), 1, "{:?}", wire.seen.defects);
    assert_eq!(wire.seen.operations.len(), 1);
    // The next one is whole again.
    for frame in frames(40) {
        wire.send(DOWN, &frame);
    }
    assert_eq!(wire.seen.operations.len(), 2);
}

#[test]
fn same_number_with_other_octets_ends_the_series() {
    let mut wire = tcp();
    wire.send(UP, &frame(0xC4, 10, 1, &hex("41 c0 01")));
    wire.send(UP, &frame(0xC4, 10, 1, &hex("41 c0 02")));
    assert!(wire.seen.has(DefectKind::IncompleteFragment, "DN-C08"), "FIR again: a new series");
    wire.send(UP, &frame(0xC4, 10, 1, &hex("02 3c 02 06")));
    wire.send(UP, &frame(0xC4, 10, 1, &hex("02 3c 03 06")));
    assert!(wire.seen.has(DefectKind::SequenceError, "DN-C08"));
}

#[test]
fn first_segment_discards_an_unfinished_series() {
    let mut wire = tcp();
    wire.send(UP, &frame(0xC4, 10, 1, &hex("41 c0 01")));
    wire.send(UP, &request("c0 01 3c 02 06"));
    assert!(wire.seen.has(DefectKind::IncompleteFragment, "DN-C08"));
    assert_eq!(wire.seen.operations.len(), 1);
}

#[test]
fn segment_without_a_first_one_is_a_defect_unless_the_beginning_was_missed() {
    let mut wire = tcp();
    wire.send(UP, &frame(0xC4, 10, 1, &hex("81 3c 02 06")));
    assert!(wire.seen.has(DefectKind::IncompleteFragment, "DN-C08"));
    let mut late = flow(Transport::Tcp, 20000);
    late.coverage = Coverage { midstream: true, ..Coverage::default() };
    let mut wire = Wire::new(&super::super::DISSECTOR, late, &Limits::default());
    wire.send(UP, &frame(0xC4, 10, 1, &hex("81 3c 02 06")));
    assert_eq!(wire.seen.defects, [""; 0]);
    wire.send(UP, &request("c0 01 3c 02 06"));
    assert_eq!(wire.seen.operations.len(), 1);
}

#[test]
fn directions_and_addresses_have_series_of_their_own() {
    let mut wire = tcp();
    wire.send(UP, &frame(0xC4, 10, 1, &hex("41 c0 01")));
    wire.send(DOWN, &frame(0x44, 1, 10, &hex("42 f0 82")));
    wire.send(UP, &frame(0xC4, 11, 1, &hex("43 c0 01")));
    wire.send(UP, &frame(0xC4, 10, 1, &hex("82 3c 02 06")));
    wire.send(DOWN, &frame(0x44, 1, 10, &hex("83 00 00")));
    wire.send(UP, &frame(0xC4, 11, 1, &hex("84 3c 03 06")));
    assert_eq!(wire.seen.operations.len(), 3);
    assert_eq!(wire.seen.defects, [""; 0]);
}

/// Where the reference reading (tshark 4.0) parts from IEEE 1815-2012, 8.2: it puts segments in the order of
/// their numbers, keeps those of a series that a FIR or a wrong number has ended and joins them to later ones,
/// looks at the hosts and not at the link addresses, and gives a series up after 60 segments.
#[test]
fn series_are_those_of_the_standard_where_the_reference_joins_others() {
    // Two outstations behind one gateway, with equal numbers.
    let mut wire = tcp();
    read(&mut wire);
    let other = segmented(0x44, (1, 11), &long_fragment(0), 249, 5);
    for (ours, other) in frames(5).iter().zip(&other) {
        wire.send(DOWN, ours);
        wire.send(DOWN, other);
    }
    assert_eq!(wire.seen.operations.len(), 3);
    assert_eq!((wire.seen.points[1].len(), wire.seen.points[2].len()), (298, 298));
    // The second and the third segment change places.
    let mut wire = tcp();
    let all = frames(5);
    for frame in [&all[0], &all[2], &all[1]] {
        wire.send(DOWN, frame);
    }
    assert_eq!(wire.seen.operations.len(), 0);
    assert!(wire.seen.has(DefectKind::SequenceError, "DN-C08"));
    // What is left of a series that a FIR ended does not become part of the next with its numbers.
    let mut wire = tcp();
    wire.send(DOWN, &all[0]);
    wire.send(DOWN, &response("c1 81 0000"));
    wire.send(DOWN, &all[1]);
    wire.send(DOWN, &all[2]);
    assert_eq!(wire.seen.operations.len(), 1);
    // A hundred segments.
    let mut wire = tcp();
    for frame in segmented(0x44, (1, 10), &long_fragment(0), 607 / 100, 0) {
        wire.send(DOWN, &frame);
    }
    assert_eq!(wire.seen.points[0].len(), 298);
}

#[test]
fn over_long_series_is_given_up_and_said_once() {
    let limits = Limits { fragment_bytes: 1000, ..Limits::default() };
    let mut wire = Wire::new(&super::super::DISSECTOR, flow(Transport::Tcp, 20000), &limits);
    let fragment = vec![0xC0; 4000];
    for frame in segmented(0xC4, (10, 1), &fragment, 249, 0) {
        wire.send(UP, &frame);
    }
    assert_eq!(wire.seen.kinds.len(), 1, "{:?}", wire.seen.defects);
    assert!(wire.seen.has(DefectKind::LimitReached, "DN-C08"));
    assert!(wire.session.memory() < 64 * 1024, "{}", wire.session.memory());
    wire.send(UP, &request("c0 01 3c 02 06"));
    assert_eq!(wire.seen.operations.len(), 1);
    // As long as the limit allows is fine.
    let mut wire = Wire::new(&super::super::DISSECTOR, flow(Transport::Tcp, 20000), &limits);
    let mut fragment = hex("c0 02 6e ff 5b 01 00 00");
    fragment.resize(1000, 0);
    for frame in segmented(0xC4, (10, 1), &fragment, 249, 0) {
        wire.send(UP, &frame);
    }
    assert_eq!(wire.seen.count(DefectKind::LimitReached), 0);
    assert_eq!(wire.seen.operations.len(), 1);
}

#[test]
fn hole_in_the_octets_ends_the_series_and_the_next_segments_are_forgiven() {
    let mut wire = tcp();
    read(&mut wire);
    let all = frames(0);
    wire.send(DOWN, &all[0]);
    wire.lose(DOWN, Some(292));
    wire.send(DOWN, &all[2]);
    assert_eq!(wire.seen.kinds.len(), 1, "{:?}", wire.seen.defects);
    assert!(wire.seen.has(DefectKind::IncompleteFragment, ""));
}

#[test]
fn more_pairs_than_the_limit_displace_the_oldest() {
    let limits = Limits { links: 4, ..Limits::default() };
    let mut wire = Wire::new(&super::super::DISSECTOR, flow(Transport::Tcp, 20000), &limits);
    for station in 0..4 {
        wire.send(UP, &frame(0xC4, station, 1, &hex("c0 c0 01 3c 02 06")));
    }
    assert_eq!(wire.seen.defects, [""; 0]);
    wire.send(UP, &frame(0xC4, 4, 1, &hex("c0 c0 01 3c 02 06")));
    assert_eq!(wire.seen.count(DefectKind::LimitReached), 1);
    // Pair 3 is still known, pair 0 is not.
    wire.send(DOWN, &frame(0x44, 1, 3, &hex("c0 c0 81 00 00")));
    assert!(wire.seen.operations[5].contains("answers=4@"), "{}", wire.seen.operations[5]);
    wire.send(DOWN, &frame(0x44, 1, 0, &hex("c0 c0 81 00 00")));
    assert!(!wire.seen.operations[6].contains("answers"));
}

#[test]
fn fragment_that_does_not_go_on_is_told_of_once_and_taken_if_it_does_after_all() {
    let mut wire = tcp();
    read(&mut wire);
    let all = frames(0);
    wire.send(DOWN, &all[0]);
    wire.send(DOWN, &all[1]);
    let due = wire.session.deadline().unwrap();
    wire.wait(9_000_000_000);
    assert_eq!(wire.seen.count(DefectKind::IncompleteFragment), 0);
    wire.wait(2_000_000_000);
    assert!(due < wire.now);
    assert!(wire.seen.has(DefectKind::IncompleteFragment, "DN-C08"), "{:?}", wire.seen.defects);
    let text = wire.seen.defects.iter().find(|d| d.contains("without an end")).unwrap();
    assert!(text.contains("the last segment of a fragment within 10 s"), "{text}");
    wire.wait(20_000_000_000);
    assert_eq!(wire.seen.count(DefectKind::IncompleteFragment), 1);
    let before = wire.seen.operations.len();
    wire.send(DOWN, &all[2]);
    assert_eq!(wire.seen.operations.len(), before + 1);
    // Nothing is open now, and nothing is due.
    wire.wait(20_000_000_000);
    assert_eq!(wire.seen.count(DefectKind::IncompleteFragment), 1);
    assert_eq!(wire.session.deadline(), None);
}

#[test]
fn end_of_the_flow_in_a_fragment_longer_than_usual_is_told_of_and_in_a_short_one_is_not() {
    for (octets, reports) in [(2000, 0), (3000, 1)] {
        let mut wire = tcp();
        let mut all = segmented(0xC4, (10, 1), &vec![0xC0; octets], 249, 0);
        all.pop();
        for frame in all {
            wire.send(UP, &frame);
        }
        assert_eq!(wire.seen.count(DefectKind::IncompleteFragment), 0);
        wire.finish();
        assert_eq!(wire.seen.count(DefectKind::IncompleteFragment), reports, "{octets} octets");
    }
}
