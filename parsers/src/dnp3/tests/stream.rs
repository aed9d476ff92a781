//! The octets around the frames: junk, holes, other protocols, cuts.

use proptest::prelude::*;

use super::build::*;
use super::rows::{OWN, SIZED, fixed};
use crate::contract::*;
use crate::testing::{Wire, flow, hex, to_hex};

const READ: &str = "c0 01 3c 02 06";

#[test]
fn junk_is_skipped_counted_and_what_follows_is_recovered() {
    let mut wire = tcp();
    wire.send(UP, &[hex("01 02 03 05 06"), request(READ)].concat());
    assert_eq!(wire.seen.kinds, [(DefectKind::Resynchronised, "", 5)]);
    assert!(wire.seen.operations[0].contains("recovered"));
    assert!(wire.seen.lines.iter().any(|l| l.contains("octets=0102030506")));
    // Trust comes back with a row of good frames.
    for n in 1..=16 {
        wire.send(UP, &request(&format!("c{:x} 01 3c 02 06", n % 16)));
        assert_eq!(wire.seen.operations[n].contains("recovered"), n < 16, "{n}");
    }
}

#[test]
fn frame_with_a_broken_header_costs_only_itself() {
    let mut wire = tcp();
    let mut bad = request("c0 01 3c 02 06");
    bad[4] ^= 0x40;
    wire.send(UP, &[request(READ), bad.clone(), request("c1 0d")].concat());
    assert_eq!(wire.seen.operations.len(), 2);
    assert!(
        wire.seen.operations[1].contains("cold_restart") && wire.seen.operations[1].contains("recovered")
    );
    assert_eq!(wire.seen.skipped, bad.len() as u64);
    assert_eq!(wire.seen.count(DefectKind::BadChecksum), 1);
}

#[test]
fn tls_http_and_others_are_called_foreign_once_and_the_search_goes_on() {
    let tls = [hex("16 03 01 02 00 01 00 01 fc 03 03"), vec![0xAB; 600]].concat();
    let http = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec();
    let other = vec![0x11; 600];
    for (octets, name) in [(tls, "TLS"), (http, "HTTP"), (other, "an unknown protocol")] {
        let mut wire = tcp();
        wire.send(UP, &octets);
        wire.send(UP, &octets);
        assert_eq!(wire.seen.count(DefectKind::ForeignProtocol), 1, "{name}");
        assert!(wire.seen.defects[0].contains(name), "{:?}", wire.seen.defects);
        wire.send(UP, &request(READ));
        assert_eq!(wire.seen.operations.len(), 1, "{name}");
        assert_eq!(wire.seen.skipped, 2 * octets.len() as u64);
    }
    let mut wire = tcp();
    wire.send(UP, &[vec![0x11; 100], request(READ)].concat());
    assert_eq!(wire.seen.count(DefectKind::ForeignProtocol), 0);
}

#[test]
fn hole_ends_the_unfinished_frame_and_the_next_one_is_found() {
    let mut wire = tcp();
    let frame = request(READ);
    wire.send(UP, &frame[..12]);
    wire.lose(UP, Some(100));
    wire.send(UP, &[frame[5..].to_vec(), request("c1 0d")].concat());
    assert!(wire.seen.has(DefectKind::Truncated, ""));
    assert!(wire.seen.has(DefectKind::Resynchronised, ""));
    assert!(
        wire.seen.operations[0].contains("cold_restart") && wire.seen.operations[0].contains("recovered")
    );
    assert_eq!(wire.seen.skipped, 12 + frame.len() as u64 - 5);
}

#[test]
fn end_of_the_flow_reports_what_is_unfinished() {
    let mut wire = tcp();
    wire.send(UP, &request(READ)[..12]);
    wire.send(DOWN, &hex("aa bb"));
    wire.finish();
    assert_eq!(wire.seen.kinds, [(DefectKind::Truncated, "", 12), (DefectKind::Resynchronised, "", 2)]);
}

#[test]
fn datagram_holds_several_frames_and_is_whole_in_itself() {
    let mut wire = udp();
    wire.send(UP, &[request(READ), request("c1 0d")].concat());
    wire.send(UP, &request(READ)[..14]);
    wire.send(UP, &[hex("ff ff"), request("c2 0d")].concat());
    wire.send(UP, &request("c3 0d"));
    assert_eq!(wire.seen.operations.len(), 4);
    assert_eq!(wire.seen.kinds, [(DefectKind::Truncated, "", 14), (DefectKind::Resynchronised, "", 2)]);
    assert!(wire.seen.operations[2].contains("recovered"));
    assert!(!wire.seen.operations[3].contains("recovered"), "a datagram is a fresh start");
}

#[test]
fn session_waits_for_no_more_than_a_frame() {
    let mut wire = tcp();
    let octets: Vec<u8> = (0..3000u32).map(|n| (n * 7 % 251) as u8).collect();
    for octet in &octets {
        wire.send(UP, &[*octet]);
    }
    assert!(wire.longest_tail <= 292, "{}", wire.longest_tail);
}

/// A stream with something of everything.
fn medley() -> Vec<(Direction, Vec<u8>)> {
    let mut all = vec![
        (UP, hex("05 05 64 00")),
        (UP, request(READ)),
        (DOWN, response("c0 81 9000")),
        (UP, frame(0xC9, 10, 1, &[])),
        (DOWN, frame(0x0B, 1, 10, &[])),
        (UP, hex("05 64 05 c0 05 64")),
        (UP, request("c1 05 0c 01 17 01 05 81 01 64000000 00000000 00")),
        (DOWN, response("c1 81 0000 0c 01 17 01 06 81 01 64000000 00000000 04")),
    ];
    for row in fixed().iter().chain(OWN) {
        let object = to_hex(&row.octets());
        all.push((DOWN, response(&format!("f0 82 0000 {:02x} {:02x} 07 01 {object}", row.0, row.1))));
    }
    for row in SIZED {
        let octets = row.octets();
        let object = to_hex(&octets);
        all.push((
            UP,
            request(&format!("c2 02 {:02x} {:02x} 4b 01 {:02x} {object}", row.0, row.1, octets.len())),
        ));
    }
    let long: Vec<u8> = [hex("c2 81 0000 14 06 01 0000 2b01"), vec![0x05; 600]].concat();
    all.extend(segmented(0x44, (1, 10), &long, 249, 62).into_iter().map(|f| (DOWN, f)));
    let mut bad = request(READ);
    bad[12] ^= 0x10;
    all.push((UP, bad));
    all.push((UP, vec![0x05; 40]));
    all.push((UP, request(READ)));
    all
}

fn play(transport: Transport, cuts: &dyn Fn(usize, usize) -> Vec<usize>) -> Wire {
    let mut wire = Wire::new(&super::super::DISSECTOR, flow(transport, 20000), &Limits::default());
    for (n, (direction, octets)) in medley().iter().enumerate() {
        wire.send_split(*direction, octets, &cuts(n, octets.len()));
    }
    wire.finish();
    wire
}

#[test]
fn byte_by_byte_gives_the_same() {
    let whole = play(Transport::Tcp, &|_, _| Vec::new());
    let bytes = play(Transport::Tcp, &|_, length| (0..length).collect());
    assert_eq!(whole.seen.lines, bytes.seen.lines);
    assert!(whole.seen.operations.len() > 150 && whole.seen.defects.len() > 5);
}

/// Everything that was fed is in a unit or was reported as skipped.
fn accounted(wire: &Wire, fed: usize) {
    assert_eq!(wire.seen.unit_octets as u64 + wire.seen.skipped, fed as u64, "{:?}", wire.seen.defects);
}

#[test]
fn every_octet_is_in_a_unit_or_was_skipped_aloud() {
    let fed = medley().iter().map(|(_, octets)| octets.len()).sum();
    accounted(&play(Transport::Tcp, &|_, _| Vec::new()), fed);
    accounted(&play(Transport::Udp, &|_, _| Vec::new()), fed);
}

/// Octets that look like frames more often than chance would have it.
fn nearly_frames() -> impl Strategy<Value = Vec<u8>> {
    let user = proptest::collection::vec(any::<u8>(), 0..60);
    let objects =
        (any::<u8>(), proptest::collection::vec(any::<u8>(), 0..60)).prop_map(|(function, tail)| {
            let heads = [1u8, 2, 3, 5, 20, 129, 130, 131];
            [vec![0xC0, 0xC0, heads[usize::from(function) % heads.len()]], tail].concat()
        });
    let piece = prop_oneof![
        (any::<u8>(), 0..4u16, 0..4u16, user).prop_map(|(c, d, s, u)| frame(c, d, s, &u)),
        (0..4u16, 0..4u16, objects.clone()).prop_map(|(d, s, u)| frame(0xC4, d, s, &u)),
        (0..4u16, 0..4u16, objects).prop_map(|(d, s, u)| frame(0x44, d, s, &u)),
        proptest::collection::vec(prop_oneof![Just(0x05u8), Just(0x64u8), any::<u8>()], 0..30),
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn splitting_arbitrary_octets_changes_nothing(
        octets in nearly_frames(),
        cuts in proptest::collection::btree_set(0usize..700, 0..20),
    ) {
        let run = |cuts: &[usize]| {
            let mut wire = tcp();
            wire.send_split(UP, &octets, cuts);
            wire.finish();
            wire
        };
        let whole = run(&[]);
        accounted(&whole, octets.len());
        let cuts: Vec<usize> = cuts.into_iter().collect();
        prop_assert_eq!(&whole.seen.lines, &run(&cuts).seen.lines);
        let all: Vec<usize> = (0..octets.len()).collect();
        prop_assert_eq!(&whole.seen.lines, &run(&all).seen.lines);
    }

    #[test]
    fn arbitrary_fragments_never_panic_and_are_walked_within_bounds(
        function in any::<u8>(),
        body in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        let mut wire = tcp();
        for control in [0xC4, 0x44] {
            wire.send(UP, &frame(control, 1, 10, &[&[0xC0, 0xC0, function], body.as_slice()].concat()));
        }
        prop_assert_eq!(wire.seen.operations.len(), 2);
    }
}

fn probe(up: &[u8], down: &[u8]) -> Probe {
    (super::super::DISSECTOR.probe)(&Beginning { bytes: [up, down], transport: Transport::Tcp })
}

#[test]
fn probe_believes_checksums_only() {
    let good = request(READ);
    assert_eq!(probe(&good, &[]), Probe::Yes);
    assert_eq!(probe(&[], &response("c0 81 0000")), Probe::Yes);
    assert_eq!(probe(&good[..10], &[]), Probe::More);
    assert_eq!(probe(&[], &[]), Probe::More);
    let link = frame(0xC9, 10, 1, &[]);
    assert_eq!(probe(&link, &[]), Probe::More, "one header may be chance");
    assert_eq!(probe(&[link.clone(), link].concat(), &[]), Probe::Yes);
    for at in [8, 12, good.len() - 1] {
        let mut bad = good.clone();
        bad[at] ^= 1;
        assert_eq!(probe(&bad, &[]), Probe::No, "octet {at}");
    }
    assert_eq!(probe(b"GET / HTTP/1.1", &[]), Probe::No);
    assert_eq!(probe(&hex("00 01 00 00 00 06 01 03 00 00 00 01"), &[]), Probe::No);
    assert_eq!(probe(&good, b"HTTP"), Probe::Yes, "one good side is enough");
}

#[test]
fn frame_that_is_rejected_where_one_is_due_is_shown_and_nothing_follows_from_it() {
    let mut bad = request("c1 0d");
    bad[8] ^= 0x40;
    let octets = [request(READ), bad.clone(), request("c2 0e")].concat();
    for cut in [0, 30, bad.len() + 12] {
        let mut wire = tcp();
        wire.send_split(UP, &octets, &[cut]);
        assert_eq!(wire.seen.units.len(), 3);
        assert!(wire.seen.units[1].contains(r#""link_crc_ok":false,"data_crc_ok":true"#));
        assert!(wire.seen.units[1].contains(r#""function":13"#));
        assert_eq!(
            wire.seen.lines.iter().filter(|l| l.starts_with("unit") && l.contains("recovered")).count(),
            2
        );
        assert_eq!(wire.seen.operations.len(), 2, "a restart that nobody accepts is none");
        assert_eq!(wire.seen.count(DefectKind::BadChecksum), 1);
    }
    // Where no frame is due, start octets prove nothing.
    let mut wire = tcp();
    wire.send(UP, &[hex("01 02"), bad, request("c2 0e")].concat());
    assert_eq!(wire.seen.units.len(), 1);
}

#[test]
fn rejected_header_cannot_swallow_the_frames_behind_it() {
    let mut bad = request("c1 0d");
    bad[2] = 0xFF; // LENGTH: 292 octets that never come
    let mut wire = tcp();
    wire.send(UP, &[request(READ), bad, request("c2 0e")].concat());
    wire.finish();
    assert_eq!(wire.seen.operations.len(), 2);
    assert!(wire.seen.operations[1].contains("warm_restart"));
}

#[test]
fn what_is_there_of_a_frame_that_was_cut_off_is_shown() {
    let long = response("c0 81 00 00 1e 02 00 00 05 01 0000 01 0000 01 0000 01 0000 01 0000 01 0000");
    for (there, seen) in [
        (12, r#""layer":"transport","link_crc_ok":true,"data_crc_ok":null,"transport_fir":true"#),
        (29, r#""layer":"transport","link_crc_ok":true,"data_crc_ok":true,"transport_fir":true"#),
    ] {
        let mut wire = tcp();
        wire.send(DOWN, &long[..there]);
        wire.lose(DOWN, Some(5));
        assert!(wire.seen.units[0].contains(seen), "{}", wire.seen.units[0]);
        assert!(wire.seen.lines[0].contains("recovered"));
        assert!(wire.seen.has(DefectKind::Truncated, "") && wire.seen.operations.is_empty());
    }
    // Without its CRC a header is shown as what it says; with less there is nothing to show.
    for (there, units) in [(8, 1), (7, 0)] {
        let mut wire = tcp();
        wire.send(DOWN, &long[..there]);
        wire.lose(DOWN, Some(5));
        assert_eq!(wire.seen.units.len(), units);
        assert!(wire.seen.units.iter().all(|unit| unit.contains(r#""link_crc_ok":false"#)));
    }
}

#[test]
fn headers_behind_an_impossible_one_are_listed_but_nothing_is_concluded_from_them() {
    for impossible in ["01 02 00 05 04", "01 02 0a", "01 02 77 00"] {
        let mut wire = tcp();
        wire.send(UP, &request(&format!("c0 02 {impossible} 0c 01 06")));
        assert!(
            wire.seen.units[0].contains(r#""group":12,"variation":1,"prefix":0,"range":6"#),
            "{impossible}"
        );
        assert_eq!(wire.seen.defects.len(), 1, "{impossible}");
        assert!(wire.seen.units[0].contains(r#""not_decoded":"0c0106""#), "{}", wire.seen.units[0]);
    }
}

#[test]
fn frame_that_lost_an_octet_does_not_take_the_next_one_with_it() {
    let mut cut = request("c0 01 3c 02 06 3c 03 06 3c 04 06");
    cut.remove(20);
    let octets = [cut.clone(), request("c2 0e"), request(READ)].concat();
    for at in 0..octets.len() {
        let mut wire = tcp();
        wire.send_split(UP, &octets, &[at]);
        assert_eq!(wire.seen.operations.len(), 2, "{at}");
        assert!(wire.seen.operations[0].contains("warm_restart"), "{at}");
        assert!(wire.seen.operations[0].contains("recovered"), "{at}");
        assert_eq!(wire.seen.unit_octets, octets.len(), "{at}");
    }
    // Damage alone moves nothing.
    let mut bad = request("c0 01 3c 02 06 3c 03 06 3c 04 06");
    bad[20] ^= 1;
    let mut wire = tcp();
    wire.send(UP, &[bad, request("c2 0e")].concat());
    assert!(!wire.seen.operations[0].contains("recovered"));
}
