//! Tests of decapsulation, in hex.
#![allow(clippy::unwrap_used, clippy::panic)]

mod fragments;
mod links;
mod oracle;
mod plain;
mod tunnels;
mod wrappings;

use parsers::{FrameRef, Timestamp};

use super::*;

/// Octets from spaced hex; `|` and line ends are for the eye, `#` begins a margin note.
pub(super) fn hex(text: &str) -> Vec<u8> {
    let digits: String = text
        .lines()
        .flat_map(|line| line.split('#').next().unwrap_or("").chars())
        .filter(char::is_ascii_hexdigit)
        .collect();
    digits
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(core::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

/// A frame that was captured whole.
pub(super) fn frame(link: LinkType, number: u64, bytes: &[u8]) -> Frame<'_> {
    Frame {
        at: Timestamp(number * 1_000_000_000),
        place: FrameRef { tap: 0, number },
        link,
        wire_len: bytes.len() as u32,
        bytes,
    }
}

pub(super) fn new() -> Decapsulator {
    Decapsulator::new(DecapOptions::default())
}

/// Decapsulate one frame with a fresh decapsulator; returns its counters too.
pub(super) fn once(link: LinkType, bytes: &[u8]) -> (Option<Packet<'_>>, DecapCounters) {
    let decapsulator = Box::leak(Box::new(new()));
    let packet = decapsulator.decapsulate(&frame(link, 1, bytes));
    // the packet borrows the decapsulator, so the counters come from a second run
    let mut second = new();
    let _ = second.decapsulate(&frame(link, 1, bytes));
    (packet, *second.counters())
}

/// The innermost packet of an Ethernet frame that must have one.
pub(super) fn ethernet(bytes: &[u8]) -> Packet<'_> {
    once(LinkType::Ethernet, bytes).0.unwrap()
}

/// Assert that exactly these counters are not zero.
pub(super) fn assert_counted(counters: &DecapCounters, expected: &[(&str, u64)]) {
    let seen: Vec<(&str, u64)> = DecapCounters::NAMES
        .iter()
        .copied()
        .zip(counters.values())
        .filter(|(_, value)| *value != 0)
        .collect();
    let mut expected = expected.to_vec();
    let order = |name: &str| DecapCounters::NAMES.iter().position(|n| *n == name).unwrap();
    expected.sort_by_key(|(name, _)| order(name));
    assert_eq!(seen, expected);
}

pub(super) fn tcp<'a>(packet: &Packet<'a>) -> Segment<'a> {
    let Payload::Tcp(segment) = packet.payload else { panic!("not TCP: {packet:?}") };
    segment
}

pub(super) fn udp<'a>(packet: &Packet<'a>) -> Datagram<'a> {
    let Payload::Udp(datagram) = packet.payload else { panic!("not UDP: {packet:?}") };
    datagram
}

pub(super) const MACS: &str = "02 00 00 00 00 02 | 02 00 00 00 00 01 |";

/// IPv4, 10.0.0.1 to 10.0.0.2, identification 0x1234, TTL 64.
pub(super) fn ipv4(protocol: u8, body: &[u8]) -> Vec<u8> {
    ipv4_fragment(protocol, 0x1234, 0, body)
}

/// The same with another identification and flags/offset field.
pub(super) fn ipv4_fragment(protocol: u8, id: u16, flags_offset: u16, body: &[u8]) -> Vec<u8> {
    let mut bytes = hex("45 00 00 00 | 00 00 00 00 | 40 00 00 00 | 0a 00 00 01 | 0a 00 00 02");
    bytes[2..4].copy_from_slice(&((20 + body.len()) as u16).to_be_bytes());
    bytes[4..6].copy_from_slice(&id.to_be_bytes());
    bytes[6..8].copy_from_slice(&flags_offset.to_be_bytes());
    bytes[9] = protocol;
    bytes.extend_from_slice(body);
    bytes
}

/// IPv6, fd00::1 to fd00::2.
pub(super) fn ipv6(next: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = hex("60 00 00 00 | 00 00 00 40
        fd 00 00 00 00 00 00 00 00 00 00 00 00 00 00 01
        fd 00 00 00 00 00 00 00 00 00 00 00 00 00 00 02");
    bytes[4..6].copy_from_slice(&(body.len() as u16).to_be_bytes());
    bytes[6] = next;
    bytes.extend_from_slice(body);
    bytes
}

/// TCP from 49152 to 502 with this payload, PSH and ACK.
pub(super) fn tcp_bytes(payload: &[u8]) -> Vec<u8> {
    let mut bytes = hex("c0 00 01 f6 | 00 00 00 07 | 00 00 00 09 | 50 18 10 00 | 00 00 00 00");
    bytes.extend_from_slice(payload);
    bytes
}

/// UDP between these ports with this payload.
pub(super) fn udp_bytes(src: u16, dst: u16, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for field in [src, dst, (8 + payload.len()) as u16, 0] {
        bytes.extend_from_slice(&field.to_be_bytes());
    }
    bytes.extend_from_slice(payload);
    bytes
}

/// An Ethernet frame of this type.
pub(super) fn ether(ethertype: u16, body: &[u8]) -> Vec<u8> {
    [&hex(MACS)[..], &ethertype.to_be_bytes(), body].concat()
}

/// A Modbus request to read two registers.
pub(super) const REQUEST: [u8; 12] = [0, 1, 0, 0, 0, 6, 1, 3, 0, 0, 0, 2];
