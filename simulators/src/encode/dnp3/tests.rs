//! Golden link frames: master 1, outstation 10.

use super::*;
use crate::value::Value;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

fn master(fragment: &[u8], transport: u8) -> String {
    hex(&frames_from(control::MASTER_DATA, 10, 1, fragment, transport))
}

fn outstation(fragment: &[u8], transport: u8) -> String {
    hex(&frames_from(control::OUTSTATION_DATA, 1, 10, fragment, transport))
}

fn all(group: u8, variation: u8) -> Vec<u8> {
    Header::new(group, variation, Range::All).encode()
}

fn sample(value: Value) -> Sample {
    Sample { value, flags: 1, status: 0, time_ms: 1_700_000_000_000, base_ms: 0 }
}

fn indexed(header: Header, index: u32, value: Value) -> Vec<u8> {
    let content = object(header.group, header.variation, &sample(value));
    [header.encode(), header.prefix.encode(index), content].concat()
}

#[test]
fn the_crc_of_123456789_is_ea82_and_goes_low_octet_first() {
    assert_eq!(crc(b"123456789"), 0xea82);
    assert_eq!(crc(&[0x05, 0x64, 0x05, 0xc0, 0x01, 0x00, 0x00, 0x04]), 0x21e9);
}

#[test]
fn link_frames_without_user_data_are_the_golden_ones() {
    assert_eq!(hex(&link_frame(control::RESET_LINK, 10, 1, &[])), "056405c00a000100b1ac");
    assert_eq!(hex(&link_frame(control::ACK, 1, 10, &[])), "0564050001000a002edd");
    assert_eq!(hex(&link_frame(control::LINK_STATUS_REQUEST, 10, 1, &[])), "056405c90a000100feda");
    assert_eq!(hex(&link_frame(control::LINK_STATUS, 1, 10, &[])), "0564050b01000a006ded");
}

#[test]
fn reads_and_administration_are_the_golden_ones() {
    let classes = [all(60, 2), all(60, 3), all(60, 4)].concat();
    let integrity = [classes.clone(), all(60, 1)].concat();
    assert_eq!(
        master(&request(0, 1, &integrity), 0),
        "056414c40a0001008fedc0c0013c02063c03063c04063c01068a51"
    );
    assert_eq!(outstation(&response(0, [0x80, 0], &[]), 0), "05640a4401000a006e25c0c0818000b3f3");
    assert_eq!(outstation(&unsolicited(0, [0x80, 0], &[]), 0), "05640a4401000a006e25c0f08280006b7d");
    assert_eq!(master(&confirm(0, true), 0), "056408c40a000100fc42c0d0001b49");
    let clear = [Header::new(80, 1, Range::Points8(7, 7)).encode(), pack_bits(&[false])].concat();
    assert_eq!(master(&request(1, 2, &clear), 0), "05640ec40a0001002529c0c1025001000707003e5f");
    assert_eq!(master(&request(8, 13, &[]), 0), "056408c40a000100fc42c0c80d08e9");
    assert_eq!(master(&request(9, 20, &classes), 0), "056411c40a0001000615c0c9143c02063c03063c04068634");
    assert_eq!(master(&request(10, 21, &classes), 0), "056411c40a0001000615c0ca153c02063c03063c040676cc");
    let assign = [all(60, 3), Header::new(30, 0, Range::Points8(0, 9)).encode()].concat();
    assert_eq!(master(&request(11, 22, &assign), 0), "056410c40a000100e1a0c0cb163c03061e0000000956ca");
    assert_eq!(master(&request(12, 9, &all(20, 0)), 0), "05640bc40a000100acd1c0cc0914000684fa");
    assert_eq!(master(&request(13, 23, &[]), 0), "056408c40a000100fc42c0cd17d254");
    assert_eq!(master(&request(14, 24, &[]), 0), "056408c40a000100fc42c0ce186a98");
    let attributes = Header::new(0, 254, Range::Points8(0, 0)).encode();
    assert_eq!(master(&request(15, 1, &attributes), 0), "05640dc40a00010075bac0cf0100fe000000a30f");
}

#[test]
fn controls_are_the_golden_ones() {
    let close = Value::Crob(0x41, 1, 100, 0);
    let wide = Header::prefixed(12, 1, Prefix::Index16, Range::Count16(1));
    let narrow = |group, variation| Header::prefixed(group, variation, Prefix::Index8, Range::Count8(1));
    assert_eq!(
        master(&request(2, 3, &indexed(wide, 5, close.clone())), 0),
        "05641ac40a0001008a1cc0c2030c0128010005004101640000005d710000000000ffff"
    );
    assert_eq!(
        master(&request(3, 4, &indexed(wide, 5, close)), 0),
        "05641ac40a0001008a1cc0c3040c01280100050041016400000095a70000000000ffff"
    );
    assert_eq!(
        master(&request(4, 5, &indexed(narrow(12, 1), 5, Value::Crob(0x81, 1, 100, 0))), 0),
        "056418c40a0001003d3ac0c4050c0117010581016400000000008fcc000000ffff"
    );
    assert_eq!(
        master(&request(5, 6, &indexed(narrow(12, 1), 5, Value::Crob(3, 1, 0, 0))), 0),
        "056418c40a0001003d3ac0c5060c01170105030100000000000083f0000000ffff"
    );
    assert_eq!(
        master(&request(6, 5, &indexed(narrow(41, 3), 2, Value::Float32(50.0))), 0),
        "056412c40a0001005686c0c605290317010200004842006615"
    );
}

#[test]
fn values_and_times_are_the_golden_ones() {
    let time = indexed_none(50, 1, Value::TimeMs(0x9a01_65a5_bc00));
    assert_eq!(master(&request(7, 2, &time), 0), "056412c40a0001005686c0c7023201070100bca565019aaaf9");
    let delay = indexed_none(52, 1, Value::Unsigned(60));
    assert_eq!(outstation(&response(8, [0, 0], &delay), 0), "0564104401000a00c4e1c0c8810000340107013c0009d5");
    let mut bits = [true; 10];
    bits[9] = false;
    let values = [
        Header::new(1, 1, Range::Points8(0, 9)).encode(),
        pack_bits(&bits),
        Header::new(30, 2, Range::Points8(0, 1)).encode(),
        object(30, 2, &sample(Value::Signed(10_000))),
        object(30, 2, &sample(Value::Signed(-10_000))),
    ];
    assert_eq!(
        outstation(&response(13, [0, 0], &values.concat()), 0),
        "05641c4401000a007636c0cd8100000101000009ff011e020000e5870101102701f0d80857"
    );
    let event = Header::prefixed(2, 2, Prefix::Index8, Range::Count8(1));
    let stamped = Sample { time_ms: 0x018b_e53f_6800, ..sample(Value::Bit(true)) };
    let event = [event.encode(), vec![7], object(2, 2, &stamped)].concat();
    assert_eq!(
        outstation(&unsolicited(1, [0, 0], &event), 0),
        "0564164401000a001d8ac0f182000002021701078100683fe58b30e901a1c9"
    );
}

fn indexed_none(group: u8, variation: u8, value: Value) -> Vec<u8> {
    let header = Header::new(group, variation, Range::Count8(1)).encode();
    [header, object(group, variation, &sample(value))].concat()
}

#[test]
fn authentication_frames_are_those_of_the_field() {
    let sized = |variation, content: &[u8]| {
        let header = Header::prefixed(120, variation, Prefix::Size16, Range::Free(1));
        [header.encode(), header.prefix.encode(content.len() as u32), content.to_vec()].concat()
    };
    let question = [vec![0xc6, 131, 0x90, 0], sized(1, &challenge(3, 0, 4, 1, b"stev"))].concat();
    assert_eq!(
        hex(&frames_from(control::OUTSTATION_DATA, 3, 4, &question, 7)),
        "05641c440300040064bdc7c683900078015b010c0003000000009287000401737465768d5c"
    );
    let mac = [6, 0xfa, 0xe1, 0x91, 0x1a, 0x2c, 0xce, 0x2d, 0xda, 0x8a, 0xbf, 0xec, 0xe1, 0xca, 0xc8, 0xc4];
    let answer = request(6, 32, &sized(2, &keyed(3, 1, &mac)));
    assert_eq!(
        hex(&frames_from(control::MASTER_DATA, 4, 3, &answer, 8)),
        "056424c404000300849ec8c62078025b01160003000000010006c295fae1911a2cce2dda8abfece1cac8c414f5"
    );
    let mac =
        [0xba, 0x8d, 0xb4, 0x4d, 0x5e, 0x72, 0xcd, 0x0a, 0xd4, 0x18, 0xe5, 0xe4, 0x15, 0x25, 0x68, 0x67];
    let control_block = Header::prefixed(12, 1, Prefix::Index16, Range::Count16(1));
    let objects = [
        Header::new(120, 3, Range::Count8(1)).encode(),
        keyed(9, 1, &[]),
        indexed(control_block, 1, Value::Crob(3, 1, 100, 100)),
        sized(9, &mac),
    ];
    assert_eq!(
        hex(&frames_from(control::MASTER_DATA, 4, 3, &request(12, 5, &objects.concat()), 0x13)),
        "05643ac4040003004017d3cc05780307010900000001000c01281e6d0100010003016400000064000000\
         0078454b095b011000ba8db44d5e72cd0ad418e5a302e415256867bed2"
    );
}

#[test]
fn long_fragments_are_cut_at_249_octets_and_the_sequence_wraps_at_64() {
    let parts = segments(&[7; 600], 63);
    let heads: Vec<(u8, usize)> = parts.iter().map(|p| (p[0], p.len())).collect();
    assert_eq!(heads, [(0x40 | 63, 250), (0, 250), (0x80 | 1, 103)]);
    assert_eq!(link_frame(control::MASTER_DATA, 10, 1, &parts[0]).len(), 292, "the largest frame");
}
