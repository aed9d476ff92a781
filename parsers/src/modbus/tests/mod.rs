//! Tests of the whole dissector, in hex.
#![allow(clippy::unwrap_used, clippy::panic)]

mod checks;
mod everyday;
mod exchanges;
mod framings;
mod probing;
mod splitting;
mod vectors;

use super::{DISSECTOR, crc};
use crate::contract::*;
use crate::testing::{Wire, flow, hex};

/// A Modbus/TCP flow on port 502.
fn tcp() -> Wire {
    Wire::new(&DISSECTOR, flow(Transport::Tcp, 502), &Limits::default())
}

/// A Modbus/UDP flow on port 502.
fn udp() -> Wire {
    Wire::new(&DISSECTOR, flow(Transport::Udp, 502), &Limits::default())
}

/// A PDU behind an MBAP header.
fn adu(transaction: u16, unit: u8, pdu: &str) -> Vec<u8> {
    let pdu = hex(pdu);
    let mut adu = transaction.to_be_bytes().to_vec();
    adu.extend([0, 0]);
    adu.extend(u16::try_from(pdu.len() + 1).unwrap().to_be_bytes());
    adu.push(unit);
    adu.extend(pdu);
    adu
}

/// A PDU in an RTU frame.
fn frame(address: u8, pdu: &str) -> Vec<u8> {
    let mut frame = vec![address];
    frame.extend(hex(pdu));
    frame.extend(crc::crc(&frame).to_le_bytes());
    frame
}

/// Send a request and its response with transaction id 1, unit 1.
fn exchange(request: &str, response: &str) -> Wire {
    let mut wire = tcp();
    wire.send(Direction::ToServer, &adu(1, 1, request));
    wire.send(Direction::ToClient, &adu(1, 1, response));
    wire
}
