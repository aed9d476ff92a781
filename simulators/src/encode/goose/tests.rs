//! Octets from the standard's layouts, written out by hand.

use super::*;
use crate::tshark::hex;

fn plain() -> Pdu {
    Pdu {
        control_block: "BAY1PROT/LLN0$GO$gcb1".to_owned(),
        time_allowed_to_live: 4000,
        data_set: "BAY1PROT/LLN0$dsTrip".to_owned(),
        id: Some("BAY1_TRIP".to_owned()),
        time: UtcTime { seconds: 0x65a0_0000, fraction: 0x80_0000, quality: 0x0a },
        state: 1,
        sequence: 5,
        revision: 1,
        data: vec![Data::Boolean(false), Data::quality(0)],
        ..Pdu::default()
    }
}

#[test]
fn a_frame_has_its_fields_in_the_order_of_the_standard() {
    let frame = Frame {
        destination: [1, 0x0c, 0xcd, 1, 0, 1],
        source: [0, 0x30, 0xa7, 0, 0, 1],
        tags: vec![Tag::new(1, 4)],
        appid: 1,
        pdu: plain(),
        ..Frame::default()
    };
    let expected = "010ccd0100010030a70000018100800188b80001006c00000000\
        616280154241593150524f542f4c4c4e3024474f246763623181020fa0\
        82144241593150524f542f4c4c4e3024647354726970\
        8309424159315f54524950840865a000008000000a8501018601058701008801018901008a0102ab08\
        8301008403030000";
    assert_eq!(hex(&frame.encode()), expected);
    let heard = parse(&frame.encode()).expect("a frame");
    assert_eq!((heard.appid, heard.state, heard.sequence, heard.time_allowed_to_live), (1, 1, 5, 4000));
    assert_eq!(hex(&heard.data), "8301008403030000");
    for end in 0..frame.encode().len() {
        assert_eq!(parse(&frame.encode()[..end]), None, "cut at {end}");
    }
}

#[test]
fn integers_take_as_few_octets_as_they_can_or_five() {
    let show = |value| hex(&signed(value, Numbers::Shortest));
    assert_eq!(show(0), "00");
    assert_eq!(show(127), "7f");
    assert_eq!(show(128), "0080");
    assert_eq!(show(-128), "80");
    assert_eq!(show(-129), "ff7f");
    assert_eq!(hex(&signed(-1, Numbers::Fixed)), "ffffffffff");
    assert_eq!(hex(&unsigned(u64::from(u32::MAX), Numbers::Shortest)), "00ffffffff");
    assert_eq!(hex(&unsigned(5, Numbers::Fixed)), "0000000005");
    assert_eq!(hex(&unsigned(u64::MAX, Numbers::Shortest)), "00ffffffffffffffff");
}

#[test]
fn lengths_have_one_two_or_three_octets() {
    assert_eq!(hex(&length(127)), "7f");
    assert_eq!(hex(&length(128)), "8180");
    assert_eq!(hex(&length(256)), "820100");
}

#[test]
fn data_are_tagged_by_their_type() {
    let show = |data: Data| hex(&data.encode(Numbers::Shortest));
    assert_eq!(show(Data::position(2)), "84020680");
    assert_eq!(show(Data::quality(0x1000)), "8403038000");
    assert_eq!(show(Data::Float32(1.5)), "8705083fc00000");
    assert_eq!(show(Data::Real(-3, -1)), "8803c0ff03");
    assert_eq!(show(Data::BinaryTime(1, Some(2))), "8c06000000010002");
    let parts = vec![Data::Boolean(true), Data::Structure(vec![Data::Integer(-1)])];
    assert_eq!(show(Data::Structure(parts)), "a2088301ffa2038501ff");
    // Half a second is half of 2^24.
    assert_eq!(hex(&UtcTime::at(1_500_000_000).octets()), "000000018000008a");
}
