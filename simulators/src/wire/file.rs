//! Capture files: pcap in both byte orders with micro- or nanoseconds, and pcapng with several
//! interfaces, each with a time resolution of its own.

use super::TimedFrame;

/// Byte order of a file's headers.
#[derive(Debug, Clone, Copy, Eq, PartialEq)]
pub enum ByteOrder {
    /// Least significant octet first.
    Little,
    /// Most significant octet first.
    Big,
}

/// Resolution of a pcap file's time stamps.
#[derive(Debug, Clone, Copy, Eq, PartialEq)]
pub enum Resolution {
    /// Microseconds; what lies below is cut off.
    Micro,
    /// Nanoseconds.
    Nano,
}

/// An interface of a pcapng file.
#[derive(Debug, Clone)]
pub struct Interface {
    /// Its name (`if_name`).
    pub name: String,
    /// Link type.
    pub link_type: u32,
    /// Decimal digits of its time stamps: 6 for microseconds, 9 for nanoseconds (`if_tsresol`). `None`
    /// leaves the option out, which means 6.
    pub digits: Option<u8>,
    /// Snap length; 0 for none. Frames are cut to it.
    pub snap_length: u32,
}

impl Interface {
    /// An interface with nanoseconds and no snap length.
    pub fn new(name: &str, link_type: u32) -> Interface {
        Interface { name: name.to_owned(), link_type, digits: Some(9), snap_length: 0 }
    }
}

impl ByteOrder {
    fn u16(self, value: u16) -> [u8; 2] {
        if self == ByteOrder::Little { value.to_le_bytes() } else { value.to_be_bytes() }
    }

    fn u32(self, value: u32) -> [u8; 4] {
        if self == ByteOrder::Little { value.to_le_bytes() } else { value.to_be_bytes() }
    }
}

/// A pcap file with these frames, cut at `snap_length` octets.
pub fn pcap(
    frames: &[TimedFrame],
    link_type: u32,
    order: ByteOrder,
    resolution: Resolution,
    snap_length: u32,
) -> Vec<u8> {
    let (magic, unit) = match resolution {
        Resolution::Micro => (0xa1b2_c3d4, 1_000),
        Resolution::Nano => (0xa1b2_3c4d, 1),
    };
    let mut out = Vec::new();
    out.extend_from_slice(&order.u32(magic));
    out.extend_from_slice(&order.u16(2));
    out.extend_from_slice(&order.u16(4));
    for field in [0, 0, snap_length, link_type] {
        out.extend_from_slice(&order.u32(field));
    }
    for frame in frames {
        let kept = frame.bytes.len().min(snap_length as usize);
        let seconds = (frame.at_ns / 1_000_000_000) as u32;
        let fraction = (frame.at_ns % 1_000_000_000 / unit) as u32;
        for field in [seconds, fraction, kept as u32, frame.bytes.len() as u32] {
            out.extend_from_slice(&order.u32(field));
        }
        out.extend_from_slice(&frame.bytes[..kept]);
    }
    out
}

/// A pcapng file: one section, the interfaces, then the frames, each with the index of its interface.
pub fn pcapng(interfaces: &[Interface], frames: &[(usize, TimedFrame)], order: ByteOrder) -> Vec<u8> {
    let mut header = Vec::new();
    header.extend_from_slice(&order.u32(0x1a2b_3c4d));
    header.extend_from_slice(&order.u16(1));
    header.extend_from_slice(&order.u16(0));
    header.extend_from_slice(&[0xff; 8]); // section length: not given
    let mut out = block(order, 0x0a0d_0d0a, &header);
    for interface in interfaces {
        let mut body = Vec::new();
        body.extend_from_slice(&order.u16(interface.link_type as u16));
        body.extend_from_slice(&order.u16(0));
        body.extend_from_slice(&order.u32(interface.snap_length));
        option(&mut body, order, 2, interface.name.as_bytes());
        if let Some(digits) = interface.digits {
            option(&mut body, order, 9, &[digits]);
        }
        option(&mut body, order, 0, &[]);
        out.extend_from_slice(&block(order, 1, &body));
    }
    for (index, frame) in frames {
        let Some(interface) = interfaces.get(*index) else { continue };
        out.extend_from_slice(&block(order, 6, &enhanced_packet(order, *index, interface, frame)));
    }
    out
}

fn enhanced_packet(order: ByteOrder, index: usize, interface: &Interface, frame: &TimedFrame) -> Vec<u8> {
    let digits = interface.digits.unwrap_or(6).min(9);
    let stamp = frame.at_ns / 10_u64.pow(9 - u32::from(digits));
    let snap = if interface.snap_length == 0 { usize::MAX } else { interface.snap_length as usize };
    let kept = frame.bytes.len().min(snap);
    let mut body = Vec::new();
    for field in [index as u32, (stamp >> 32) as u32, stamp as u32, kept as u32, frame.bytes.len() as u32] {
        body.extend_from_slice(&order.u32(field));
    }
    body.extend_from_slice(&frame.bytes[..kept]);
    pad(&mut body);
    body
}

fn block(order: ByteOrder, kind: u32, body: &[u8]) -> Vec<u8> {
    let total = (12 + body.len()) as u32;
    let mut out = Vec::with_capacity(total as usize);
    out.extend_from_slice(&order.u32(kind));
    out.extend_from_slice(&order.u32(total));
    out.extend_from_slice(body);
    out.extend_from_slice(&order.u32(total));
    out
}

fn option(body: &mut Vec<u8>, order: ByteOrder, code: u16, value: &[u8]) {
    body.extend_from_slice(&order.u16(code));
    body.extend_from_slice(&order.u16(value.len() as u16));
    body.extend_from_slice(value);
    pad(body);
}

fn pad(bytes: &mut Vec<u8>) {
    while !bytes.len().is_multiple_of(4) {
        bytes.push(0);
    }
}
