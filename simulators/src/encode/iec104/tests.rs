//! Octets from the standard's layouts, written out by hand.

use super::*;
use crate::tshark::hex;

fn apdu(send: u16, receive: u16, asdu: &Asdu) -> String {
    hex(&frame_i(send, receive, &asdu.encode()))
}

#[test]
fn frames_are_those_of_the_standard() {
    assert_eq!(hex(&frame_u(u::STARTDT_ACT)), "680407000000");
    assert_eq!(hex(&frame_u(u::TESTFR_CON)), "680483000000");
    assert_eq!(hex(&frame_s(5)), "680401000a00");
    // Numbers have 15 bits: 32767 is the last.
    assert_eq!(hex(&frame_s(32767)), "68040100feff");
    assert_eq!(hex(&frame_s(32768)), "680401000000");
}

#[test]
fn asdus_are_laid_out_object_by_object() {
    let interrogation = Asdu::new(100, 6, 10, 0, octets(&[Element::Qoi(20)]));
    assert_eq!(apdu(0, 0, &interrogation), "680e00000000640106000a0000000014");
    let refused = Asdu::new(46, 6, 10, 1, vec![1]).answer(cause::ACTIVATION_CON, true);
    assert_eq!(apdu(4, 4, &refused), "680e080008002e0147000a0001000001");
    let objects = (1..5).map(|n| (n, vec![u8::from(n % 2 == 0) | if n == 4 { 0x80 } else { 0 }])).collect();
    let answer = Asdu { type_id: 1, sequence: true, cause: 20, address: 10, objects, ..Asdu::default() };
    assert_eq!(apdu(1, 1, &answer), "681102000200018414000a0001000000010081");
    let float = |ioa, value| (ioa, octets(&[Element::R32(value), Element::Qds(0)]));
    let objects = vec![float(1300, 100.0), float(1301, 200.0)];
    let measured = Asdu { type_id: 13, cause: 3, address: 10, objects, ..Asdu::default() };
    assert_eq!(apdu(2, 1, &measured), "681a040002000d0203000a001405000000c842001505000000484300");
}

#[test]
fn times_are_cut_into_minutes_hours_and_dates() {
    // 2024-11-22 10:30:05.280.
    let ms = 1_732_271_405_280;
    assert_eq!(hex(&octets(&[Element::Cp56(Time::at(ms))])), "a0141e0a160b18");
    let full = Time { ms, invalid: true, substituted: true, summer: true, weekday: 5 };
    assert_eq!(hex(&octets(&[Element::Cp56(full)])), "a014de8ab60b18");
    assert_eq!(hex(&octets(&[Element::Cp24(Time::at(ms))])), "a0141e");
    // The last day of a leap year's February: 2024-02-29 23:59:59.999.
    assert_eq!(hex(&octets(&[Element::Cp56(Time::at(1_709_251_199_999))])), "5fea3b171d0218");
}

#[test]
fn what_was_written_is_read_back_and_cut_frames_wait_for_more() {
    for (id, name, layout) in TYPES {
        for sequence in [false, true] {
            let object = |n: usize| {
                let all: Vec<Element> =
                    layout.iter().map(|k| element(*k, n, Time::at(1_700_000_000_000))).collect();
                (100 + n as u32, octets(&all))
            };
            let objects = (0..5).map(object).collect();
            let asdu = Asdu { type_id: *id, sequence, cause: 3, address: 7, objects, ..Asdu::default() };
            assert_eq!(Asdu::parse(&asdu.encode()), Some(asdu.clone()), "{name}");
            let bytes = frame_i(1, 2, &asdu.encode());
            for end in 0..bytes.len() {
                assert_eq!(unframe(&bytes[..end]), Unframed::More, "{name} at {end}");
            }
            let whole = Unframed::Frame(Frame::I(1, 2, asdu.encode()), bytes.len());
            assert_eq!(unframe(&bytes), whole, "{name}");
        }
    }
}

#[test]
fn what_is_no_apdu_is_refused() {
    assert_eq!(unframe(&[0x67]), Unframed::Wrong);
    assert_eq!(unframe(&[0x68, 3, 0, 0, 0]), Unframed::Wrong);
    assert_eq!(unframe(&[0x68, 254]), Unframed::Wrong);
    assert_eq!(unframe(&[0x68, 5, 1, 0, 0, 0, 0]), Unframed::Wrong);
    assert_eq!(Asdu::parse(&[1, 2, 3, 0, 1, 0, 0, 0, 0, 1]), None, "one object of two");
    assert_eq!(Asdu::parse(&[1, 0, 3, 0, 1, 0]), None, "no object");
    assert_eq!(Asdu::parse(&[]), None);
}
