//! What a session makes of octets.
#![allow(clippy::unwrap_used)]

mod commands;
mod golden;
mod links;
mod streams;

use super::DISSECTOR;
use crate::contract::*;
use crate::testing::{Wire, flow};

/// A session from the start of its connection.
fn wire() -> Wire {
    Wire::new(&DISSECTOR, flow(Transport::Tcp, 2404), &Limits::default())
}

/// A session that the tap met in its middle: numbers and states are not known.
fn midstream() -> Wire {
    let mut flow = flow(Transport::Tcp, 2404);
    flow.coverage.midstream = true;
    Wire::new(&DISSECTOR, flow, &Limits::default())
}

/// A session in which transfer has been started.
fn started() -> Wire {
    let mut wire = wire();
    wire.up("680407000000");
    wire.down("68040b000000");
    wire
}

/// An I frame around an ASDU.
fn frame(sent: u16, received: u16, asdu: &str) -> String {
    let octets = crate::testing::hex(asdu).len() + 4;
    let [s, r] = [sent << 1, received << 1].map(u16::swap_bytes);
    format!("68{octets:02x}{s:04x}{r:04x}{asdu}")
}
