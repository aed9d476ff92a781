//! Tests of the whole dissector, in hex.
#![allow(clippy::unwrap_used, clippy::panic)]

mod messages;
mod shapes;

use super::DISSECTOR;
use crate::contract::*;
use crate::testing::{Recorder, Wire, flow, hex};

/// A frame's payload, seen.
fn see(payload: &[u8]) -> Wire {
    let flow = FlowInfo { ethertype: super::ETHERTYPE, ..flow(Transport::Ethernet, 0) };
    let mut wire = Wire::new(&DISSECTOR, flow, &Limits::default());
    wire.send(Direction::ToServer, payload);
    wire
}

/// An element with a short length.
fn element(tag: u8, value: &[u8]) -> Vec<u8> {
    let mut octets = vec![tag, u8::try_from(value.len()).unwrap()];
    octets.extend(value);
    octets
}

/// The elements of a sound message with one boolean, by their tags.
fn elements() -> Vec<(u8, Vec<u8>)> {
    vec![
        (0x80, b"BAY1PROT/LLN0$GO$gcb1".to_vec()),
        (0x81, hex("0FA0")),
        (0x82, b"BAY1PROT/LLN0$Trip".to_vec()),
        (0x83, b"BAY1_TRIP".to_vec()),
        (0x84, hex("65A00000 800000 0A")),
        (0x85, hex("01")),
        (0x86, hex("05")),
        (0x87, hex("00")),
        (0x88, hex("01")),
        (0x89, hex("00")),
        (0x8A, hex("01")),
        (0xAB, hex("83 01 00")),
    ]
}

/// A payload with these elements.
fn payload(elements: &[(u8, Vec<u8>)]) -> Vec<u8> {
    let body: Vec<u8> = elements.iter().flat_map(|(tag, value)| element(*tag, value)).collect();
    let mut apdu = vec![0x61, 0x81, u8::try_from(body.len()).unwrap()];
    apdu.extend(body);
    let mut payload = hex("0001");
    payload.extend(u16::try_from(8 + apdu.len()).unwrap().to_be_bytes());
    payload.extend(hex("0000 0000"));
    payload.extend(apdu);
    payload
}

/// A message with one element replaced.
fn with(tag: u8, value: &str) -> Wire {
    let mut elements = elements();
    elements.iter_mut().find(|(t, _)| *t == tag).unwrap().1 = hex(value);
    see(&payload(&elements))
}

/// A message with these values in its data set, which are so many.
fn with_data(count: u8, data: &str) -> Wire {
    let mut elements = elements();
    elements[10].1 = vec![count];
    elements[11].1 = hex(data);
    see(&payload(&elements))
}
