//! Where ADUs begin and end: TCP in and out of step, RTU, UDP, other protocols.

use super::*;
use DefectKind::*;
use Direction::{ToClient, ToServer};

const READ: &str = "03 0000 0001";

#[test]
fn several_pdus_in_one_segment_and_one_over_several() {
    let mut wire = tcp();
    let two = [adu(1, 1, READ), adu(2, 1, "06 0001 0003")].concat();
    wire.send(ToServer, &two);
    assert_eq!(wire.seen.units.len(), 2);
    let third = adu(3, 1, READ);
    wire.send(ToServer, &third[..5]);
    wire.send(ToServer, &third[5..9]);
    assert_eq!(wire.seen.units.len(), 2);
    wire.send(ToServer, &third[9..]);
    assert!(
        wire.seen.lines.iter().any(|l| l.starts_with("unit > frame 4 first 2 ")),
        "{:?}",
        wire.seen.lines
    );
}

#[test]
fn a_foreign_protocol_id_is_shown_with_its_pdu_and_what_follows_is_not_lost() {
    let mut wire = tcp();
    wire.send(ToServer, &adu(1, 1, READ));
    wire.up("0002 0001 0006 01 03 0000 0001"); // protocol id 1
    wire.send(ToServer, &adu(3, 1, "05 0003 ff00"));
    assert!(wire.seen.has(FieldRange, "MB-C01"));
    wire.send(ToServer, &[adu(4, 1, READ), adu(5, 1, READ)].concat());
    assert_eq!(wire.seen.units.len(), 5);
    assert!(wire.seen.operations[1].contains(" recovered "), "{}", wire.seen.operations[1]);
    assert!(!wire.seen.operations[4].contains(" recovered "), "in step again");
    assert_eq!(wire.seen.defects.len(), 1);
}

#[test]
fn a_length_that_no_device_accepts_hides_nothing() {
    let mut wire = tcp();
    wire.send(ToServer, &adu(1, 1, READ));
    wire.up("0002 0000 ffff 01 03 0000 0001"); // claims 65535
    for id in 3..6 {
        wire.send(ToServer, &adu(id, 1, READ));
    }
    assert!(wire.seen.has(Malformed, "MB-C02"));
    assert_eq!(wire.seen.units.len(), 5);
    // The reference waits for 64 KiB; to it these are inside the claimed PDU.
    assert!(
        wire.seen.operations[1..].iter().all(|o| o.contains(" recovered ")),
        "{:?}",
        wire.seen.operations
    );
    assert_eq!(wire.seen.skipped, 0);
}

#[test]
fn a_length_a_little_too_long_is_taken_at_its_word_where_only_it_tells() {
    // Seen on real controllers: UMAS frames with length 255.
    let mut wire = tcp();
    let umas = format!("0007 0000 00ff 00 5a 00 0a {}", "aa".repeat(251));
    wire.up(&umas);
    wire.send(ToServer, &adu(8, 0, "5a 00 02"));
    assert_eq!(wire.seen.units.len(), 2);
    assert!(wire.seen.has(Malformed, "MB-C02"));
    assert!(!wire.seen.operations[0].contains(" recovered "));
    assert_eq!(wire.seen.skipped, 0);
}

#[test]
fn a_zero_length_is_passed_over_and_counted() {
    let mut wire = tcp();
    wire.send(ToServer, &adu(1, 1, READ));
    wire.up("0002 0000 0000");
    wire.send(ToServer, &adu(3, 1, READ));
    wire.send(ToServer, &adu(4, 1, READ));
    assert!(wire.seen.has(Malformed, "MB-C02"));
    assert!(wire.seen.kinds.contains(&(Resynchronised, "", 6)), "{:?}", wire.seen.kinds);
    wire.send(ToServer, &adu(5, 1, READ));
    assert!(wire.seen.operations[1].contains(" recovered "), "found by search");
    assert!(wire.seen.operations[2].contains(" recovered "), "bears it out");
    assert!(!wire.seen.operations[3].contains(" recovered "), "in step again");
}

#[test]
fn octets_between_pdus_are_passed_over_and_counted() {
    let mut wire = tcp();
    wire.send(ToServer, &adu(1, 1, READ));
    wire.up("aaaaaaaa aaaaaaaa aaaaaaaa");
    wire.send(ToServer, &adu(3, 1, "10 0001 0002 04 000a 0102"));
    assert!(wire.seen.kinds.contains(&(Resynchronised, "", 12)), "{:?}", wire.seen.kinds);
    assert_eq!(wire.seen.units.len(), 2);
}

#[test]
fn behind_a_gap_the_end_of_a_cut_pdu_is_passed_over() {
    let mut wire = tcp();
    wire.send(ToServer, &adu(1, 1, READ));
    wire.send(ToServer, &adu(2, 1, READ)[..7]);
    wire.lose(ToServer, Some(100));
    wire.up("0304 0506 0708"); // the end of something
    wire.send(ToServer, &adu(9, 1, READ));
    assert!(wire.seen.kinds.contains(&(Truncated, "", 7)), "{:?}", wire.seen.kinds);
    assert!(wire.seen.kinds.contains(&(Resynchronised, "", 6)), "{:?}", wire.seen.kinds);
    assert_eq!(wire.seen.units.len(), 2);
}

#[test]
fn behind_a_gap_an_aligned_pdu_is_taken_at_once() {
    let mut wire = tcp();
    wire.send(ToServer, &adu(1, 1, READ));
    wire.lose(ToServer, Some(12));
    wire.send(ToServer, &adu(3, 1, "41 0102"));
    assert_eq!(wire.seen.units.len(), 2, "even one whose function has no layout");
    assert_eq!(wire.seen.skipped, 0);
}

#[test]
fn the_end_of_a_flow_inside_a_pdu_is_told() {
    let mut wire = tcp();
    wire.send(ToServer, &adu(1, 1, READ));
    wire.send(ToServer, &adu(2, 1, READ)[..9]);
    wire.finish();
    assert!(wire.seen.kinds.contains(&(Truncated, "", 9)), "{:?}", wire.seen.kinds);
    let mut wire = tcp();
    wire.send(ToServer, &adu(1, 1, READ));
    wire.finish();
    assert_eq!(wire.seen.defects, [""; 0]);
}

#[test]
fn other_protocols_on_the_port_are_named_once_and_make_no_pdu() {
    let tls = "1603 0102 0001 0001 fc03 03aa bbcc ddee ff00 1122 3344 5566 7788";
    for (octets, name) in [
        (hex(tls), "TLS client hello"),
        (b"GET / HTTP/1.1\r\nHost: plc\r\n\r\n".to_vec(), "HTTP request"),
        (b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), "HTTP response"),
        (b"SSH-2.0-OpenSSH_9.2\r\n".to_vec(), "SSH"),
        (hex("0000 0085 ff53 4d42 7200 0000 0018 53c8"), "SMB"),
        (hex("0300 0016 11e0 0000 0014 00c1 0201 00c2"), "ISO transport (S7, MMS or RDP)"),
        (hex("0564 05c0 0100 0a00 e07f"), "DNP3"),
        (hex("abcd 1234 5678 9abc def0 1234"), "octets that are no Modbus"),
    ] {
        let mut wire = tcp();
        for _ in 0..5 {
            wire.send(ToServer, &octets);
        }
        wire.finish();
        assert_eq!(wire.seen.units, [""; 0], "{name}");
        assert_eq!(wire.seen.count(ForeignProtocol), 1, "{name}");
        assert!(wire.seen.defects[0].contains(name), "{:?}", wire.seen.defects);
        assert_eq!(wire.seen.skipped, 5 * octets.len() as u64, "{name}: every octet is accounted for");
    }
}

#[test]
fn modbus_behind_another_protocol_is_still_seen() {
    let mut wire = tcp();
    wire.send(ToServer, b"GET / HTTP/1.1\r\n\r\n");
    wire.send(ToServer, &adu(1, 1, READ));
    wire.send(ToServer, &adu(2, 1, READ));
    wire.send(ToServer, &adu(3, 1, READ));
    assert_eq!(wire.seen.units.len(), 3, "{:?}", wire.seen.lines);
    // In the other direction one answer is enough, since it was asked for.
    wire.send(ToClient, b"HTTP/1.1 400 Bad Request\r\n\r\n");
    wire.send(ToClient, &adu(1, 1, "03 02 0007"));
    assert_eq!(wire.seen.units.len(), 4);
}

#[test]
fn a_flow_seen_from_its_middle_that_never_shows_modbus_is_told() {
    let mut wire = tcp();
    wire.flow.coverage.midstream = true;
    wire.send(ToServer, &[0xAB; 600]);
    assert_eq!(wire.seen.count(ForeignProtocol), 1);
    let mut wire = tcp();
    wire.flow.coverage.midstream = true;
    wire.send(ToServer, &[0xAB; 100]);
    wire.send(ToServer, &adu(1, 1, READ));
    assert_eq!(wire.seen.count(ForeignProtocol), 0);
    assert_eq!(wire.seen.units.len(), 1);
}

#[test]
fn rtu_frames_in_a_stream_are_told_by_their_checksum() {
    let mut wire = tcp();
    wire.send(ToServer, &frame(1, "03 006b 0003"));
    wire.send(ToClient, &frame(1, "03 06 022b 0000 0064"));
    wire.send(ToServer, &frame(1, "07"));
    wire.send(ToClient, &frame(1, "07 6d"));
    wire.send(ToServer, &[frame(1, "06 0001 0003"), frame(2, "83 02")].concat());
    wire.send(ToClient, &frame(1, "86 04"));
    wire.send(ToServer, &frame(1, "5a 00 02")); // no layout: the checksum ends it
    assert_eq!(wire.seen.points[1][0], "holding_register[107]=Unsigned(555)");
    assert!(wire.seen.operations[1].contains(" answers=1@"));
    assert!(wire.seen.operations[3].contains("response read 7/None"));
    assert!(wire.seen.lines[0].contains(r#""framing":"rtu","function":"read_holding_registers","crc":"#));
    assert!(wire.seen.units[0].starts_with(r#"{"unit_id":1,"direction":"request","function_code":3"#));
    assert_eq!(wire.seen.operations.len(), 8, "{:?}", wire.seen.lines);
    assert_eq!(wire.seen.kinds, [(RoleReversal, "MB-C14", 0)], "an exception from the client's side");
}

#[test]
fn a_spoilt_rtu_frame_is_no_operation_and_the_next_is_found() {
    let mut wire = tcp();
    wire.send(ToServer, &frame(1, READ));
    let mut spoilt = frame(1, "06 0001 0003");
    spoilt[4] ^= 1;
    wire.send(ToServer, &spoilt);
    wire.send(ToServer, &frame(1, "06 0001 0004"));
    assert!(wire.seen.has(BadChecksum, "MB-C21"));
    assert!(wire.seen.kinds.contains(&(Resynchronised, "", 8)));
    assert_eq!(wire.seen.operations.len(), 2, "{:?}", wire.seen.operations);
}

#[test]
fn an_rtu_read_from_address_0_is_not_taken_for_an_mbap_header() {
    // 01 03 | 00 00 | 00 1e | c5 | c2: transaction, protocol 0, length 30, unit, function 0x42.
    let mut wire = tcp();
    wire.up("01 03 0000 001e c5c2");
    assert!(wire.seen.lines[0].contains(r#""framing":"rtu""#), "{:?}", wire.seen.lines);
}

#[test]
fn an_rtu_broadcast_must_not_be_answered() {
    let mut wire = tcp();
    wire.send(ToServer, &frame(0, "06 0001 0003"));
    assert!(wire.seen.operations[0].contains(" broadcast "));
    wire.send(ToClient, &frame(0, "06 0001 0003"));
    assert!(wire.seen.has(ContradictingAnswer, "MB-C19"));
}

#[test]
fn a_serial_line_carries_one_question_at_a_time() {
    let mut wire = tcp();
    wire.send(ToServer, &frame(1, "03 0000 0001")); // lost on the line
    wire.send(ToServer, &frame(1, "03 0064 0001"));
    wire.send(ToClient, &frame(1, "03 02 0008"));
    assert_eq!(wire.seen.points[2].join(" "), "holding_register[100]=Unsigned(8)");
}

#[test]
fn a_datagram_holds_one_adu_or_several() {
    let mut wire = udp();
    wire.send(ToServer, &[adu(1, 1, READ), adu(2, 1, READ)].concat());
    wire.send(ToClient, &adu(2, 1, "03 02 0007"));
    wire.send(ToServer, &frame(1, READ));
    wire.send(ToServer, &frame(1, "5a 00 02"));
    assert_eq!(wire.seen.units.len(), 5, "{:?}", wire.seen.lines);
    assert!(wire.seen.operations[2].contains("answers=1@"));
}

#[test]
fn what_a_datagram_lacks_is_missing_for_good() {
    let mut wire = udp();
    wire.send(ToServer, &adu(1, 1, READ)[..10]);
    assert!(wire.seen.has(Truncated, "MB-C03"));
    assert_eq!(wire.seen.units.len(), 1, "what was there is shown");
    wire.send(ToServer, &[adu(2, 1, READ), vec![0, 3, 0]].concat());
    assert!(wire.seen.has(Malformed, "MB-C03"));
    assert_eq!(wire.seen.units.len(), 2);
    wire.send(ToServer, &hex("0001 0000 0000 01 03"));
    assert!(wire.seen.has(Malformed, "MB-C02"));
}

#[test]
fn datagrams_of_another_protocol_are_told_once() {
    let mut wire = udp();
    for _ in 0..3 {
        wire.up("1234 0100 0001 0000 0000 0000 0377 7777");
    }
    wire.finish();
    assert_eq!(wire.seen.count(ForeignProtocol), 1);
    assert_eq!(wire.seen.units, [""; 0]);
    assert_eq!(wire.seen.skipped, 48);
}

#[test]
fn a_pdu_cut_by_the_snap_length_is_shown_as_far_as_it_goes() {
    let mut wire = tcp();
    wire.up("0001 0000 0006 01 03 0000 0002");
    wire.down("0001 0000 0007 01 03 04 00"); // the tap kept 10 octets of 13
    wire.lose(ToClient, Some(3));
    assert_eq!(wire.seen.units.len(), 2);
    assert!(wire.seen.units[1].contains(r#""transaction_id":1,"#), "{}", wire.seen.units[1]);
    assert!(wire.seen.operations[1].contains(" recovered "), "{}", wire.seen.operations[1]);
    assert_eq!(wire.seen.kinds, [(Truncated, "MB-C03", 0)]);
    wire.send(ToClient, &adu(2, 1, "83 02"));
    assert_eq!(wire.seen.units.len(), 3, "what follows is in step");
}

#[test]
fn umas_longer_than_allowed_is_shown_as_far_as_it_goes_and_other_functions_are_not() {
    for (function, shown) in [("5a", 1), ("41", 0)] {
        let mut wire = tcp();
        wire.up(&format!("0001 0000 00ff 00 {function} 00 20 00 13"));
        wire.lose(ToServer, Some(249));
        assert_eq!(wire.seen.units.len(), shown, "{function}");
    }
}

#[test]
fn a_pdu_that_its_sender_never_finished_is_none() {
    let mut wire = tcp();
    wire.up("0001 0000 0006 01 06 0000");
    wire.finish();
    assert!(wire.seen.units.is_empty(), "the device never had it either");
    assert_eq!(wire.seen.kinds, [(Truncated, "", 10)]);
    let mut short = tcp();
    short.up("0001 0000 0006 01"); // no function code: nothing to show
    short.lose(ToServer, Some(5));
    assert!(short.seen.units.is_empty());
    assert_eq!(short.seen.kinds, [(Truncated, "", 7)]);
}

#[test]
fn the_last_pdu_behind_a_foreign_protocol_needs_nothing_behind_it() {
    let mut wire = tcp();
    wire.send(ToServer, b"GET / HTTP/1.0\r\n\r\n");
    wire.send(ToServer, &adu(1, 1, READ));
    assert!(wire.seen.units.is_empty(), "it could be the middle of anything");
    wire.finish();
    assert_eq!(wire.seen.units.len(), 1);
    let mut more = tcp();
    more.send(ToServer, b"GET / HTTP/1.0\r\n\r\n");
    more.send(ToServer, &[adu(1, 1, READ), vec![0x55]].concat());
    more.finish();
    assert!(more.seen.units.is_empty(), "an octet behind it: the length is an accident");
}

#[test]
fn a_layout_that_is_wrong_is_borne_out_by_the_header_behind_it() {
    let junk = [0x55; 9];
    let wrong = adu(1, 1, "15 00 00 00 01"); // file write without a sub-request, as scanners send it
    let mut wire = tcp();
    wire.flow.coverage.midstream = true;
    wire.send(ToServer, &[&junk[..], &wrong, &adu(2, 1, READ)].concat());
    assert_eq!(wire.seen.units.len(), 2);
    let mut alone = tcp();
    alone.flow.coverage.midstream = true;
    alone.send(ToServer, &[&junk[..], &wrong, &adu(2, 9, "15 00 00 00 01"), &junk].concat());
    assert!(alone.seen.units.is_empty(), "the header behind it is of another unit: {:?}", alone.seen.units);
}

#[test]
fn octets_that_claim_more_than_the_stream_has_hide_no_pdu_behind_them() {
    let mut wire = tcp();
    wire.flow.coverage.midstream = true;
    // What looks like the header of a PDU of 200 octets, and is a part of one.
    wire.up("aa 55 55 0000 00c8 55 55");
    wire.send(ToServer, &adu(7, 1, READ));
    wire.finish();
    assert_eq!(wire.seen.units.len(), 1);
    assert!(wire.seen.units[0].contains(r#""transaction_id":7,"#), "{}", wire.seen.units[0]);
}

#[test]
fn exception_code_0_is_no_exception_and_the_fields_beneath_are_shown() {
    let mut wire = tcp();
    wire.send(ToServer, &adu(1, 1, "85 00 13 ff 00")); // as scanners count function codes up
    let unit = &wire.seen.units[0];
    assert!(unit.contains(r#""function_code":5,"exception":false,"address":19,"#), "{unit}");
    let mut cut = tcp();
    cut.send(ToServer, &adu(1, 1, "88 00")); // no sub-function beneath
    cut.send(ToServer, &adu(2, 1, "88 00 01"));
    assert!(
        cut.seen.operations[0].contains(" recovered ") && !cut.seen.operations[1].contains(" recovered ")
    );
    let mut real = tcp();
    real.send(ToClient, &adu(1, 1, "85 02"));
    assert!(real.seen.units[0].contains(r#""exception":true,"exception_code":2,"#), "{}", real.seen.units[0]);
}
