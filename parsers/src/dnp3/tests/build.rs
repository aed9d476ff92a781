//! An encoder of its own, so that the decoder is not tested against itself.

use crate::contract::*;
use crate::testing::{Wire, flow, hex};

/// Bit by bit, as the standard describes it.
pub(super) fn crc(octets: &[u8]) -> [u8; 2] {
    let mut value = 0u16;
    for octet in octets {
        value ^= u16::from(*octet);
        for _ in 0..8 {
            value = if value & 1 == 1 { (value >> 1) ^ 0xA6BC } else { value >> 1 };
        }
    }
    (!value).to_le_bytes()
}

/// A link frame with any user data.
pub(super) fn frame(control: u8, destination: u16, source: u16, user: &[u8]) -> Vec<u8> {
    let mut octets = vec![0x05, 0x64, u8::try_from(user.len() + 5).unwrap(), control];
    octets.extend(destination.to_le_bytes());
    octets.extend(source.to_le_bytes());
    octets.extend(crc(&octets));
    for block in user.chunks(16) {
        octets.extend(block);
        octets.extend(crc(block));
    }
    octets
}

/// A fragment in one frame from master 1 to outstation 10.
pub(super) fn request(fragment: &str) -> Vec<u8> {
    let user = [vec![0xC0], hex(fragment)].concat();
    frame(0xC4, 10, 1, &user)
}

/// A fragment in one frame from outstation 10 to master 1.
pub(super) fn response(fragment: &str) -> Vec<u8> {
    let user = [vec![0xC0], hex(fragment)].concat();
    frame(0x44, 1, 10, &user)
}

/// A fragment cut into segments of `size` octets, in as many frames; the first has transport number
/// `first`.
pub(super) fn segmented(
    control: u8,
    ends: (u16, u16),
    fragment: &[u8],
    size: usize,
    first: u8,
) -> Vec<Vec<u8>> {
    let count = fragment.len().div_ceil(size);
    let parts = fragment.chunks(size).enumerate();
    parts
        .map(|(i, part)| {
            let fir = if i == 0 { 0x40 } else { 0 };
            let fin = if i + 1 == count { 0x80 } else { 0 };
            let number = first.wrapping_add(u8::try_from(i % 64).unwrap()) & 0x3F;
            frame(control, ends.0, ends.1, &[&[fir | fin | number], part].concat())
        })
        .collect()
}

/// A session over TCP port 20000.
pub(super) fn tcp() -> Wire {
    Wire::new(&super::super::DISSECTOR, flow(Transport::Tcp, 20000), &Limits::default())
}

/// A session over UDP port 20000.
pub(super) fn udp() -> Wire {
    Wire::new(&super::super::DISSECTOR, flow(Transport::Udp, 20000), &Limits::default())
}

/// Master to outstation and back.
pub(super) const UP: Direction = Direction::ToServer;
/// See [`UP`].
pub(super) const DOWN: Direction = Direction::ToClient;
