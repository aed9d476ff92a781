//! Writes capture files for the tests, in every variant.

use crate::capture::file::bytes::ByteOrder;

/// Appends integers in a byte order.
#[derive(Clone)]
pub(super) struct Writer {
    pub(super) order: ByteOrder,
    pub(super) out: Vec<u8>,
}

impl Writer {
    pub(super) fn new(order: ByteOrder) -> Writer {
        Writer { order, out: Vec::new() }
    }

    pub(super) fn u16(&mut self, value: u16) -> &mut Writer {
        let octets = match self.order {
            ByteOrder::Little => value.to_le_bytes(),
            ByteOrder::Big => value.to_be_bytes(),
        };
        self.raw(&octets)
    }

    pub(super) fn u32(&mut self, value: u32) -> &mut Writer {
        let octets = match self.order {
            ByteOrder::Little => value.to_le_bytes(),
            ByteOrder::Big => value.to_be_bytes(),
        };
        self.raw(&octets)
    }

    pub(super) fn u64(&mut self, value: u64) -> &mut Writer {
        let octets = match self.order {
            ByteOrder::Little => value.to_le_bytes(),
            ByteOrder::Big => value.to_be_bytes(),
        };
        self.raw(&octets)
    }

    pub(super) fn raw(&mut self, octets: &[u8]) -> &mut Writer {
        self.out.extend_from_slice(octets);
        self
    }

    /// A pcap file header.
    pub(super) fn pcap(order: ByteOrder, magic: u32, link: u32) -> Writer {
        let mut w = Writer::new(order);
        w.u32(magic).u16(2).u16(4).u32(0).u32(0).u32(65_535).u32(link);
        w
    }

    /// A pcap record.
    pub(super) fn record(&mut self, seconds: u32, fraction: u32, wire_len: u32, frame: &[u8]) -> &mut Writer {
        self.u32(seconds).u32(fraction).u32(frame.len() as u32).u32(wire_len).raw(frame)
    }

    /// A pcapng block.
    pub(super) fn block(&mut self, kind: u32, body: &Writer) -> &mut Writer {
        let padding = vec![0; body.out.len().next_multiple_of(4) - body.out.len()];
        let total = (body.out.len() + padding.len() + 12) as u32;
        self.u32(kind).u32(total).raw(&body.out).raw(&padding).u32(total)
    }

    /// A pcapng section header.
    pub(super) fn section(&mut self) -> &mut Writer {
        let mut body = Writer::new(self.order);
        body.u32(0x1a2b_3c4d).u16(1).u16(0).u64(u64::MAX);
        self.block(0x0a0d_0d0a, &body)
    }

    /// An interface description; options as (code, value).
    pub(super) fn interface(&mut self, link: u16, snap_length: u32, options: &[(u16, &[u8])]) -> &mut Writer {
        let mut body = Writer::new(self.order);
        body.u16(link).u16(0).u32(snap_length).options(options);
        self.block(1, &body)
    }

    pub(super) fn options(&mut self, options: &[(u16, &[u8])]) -> &mut Writer {
        for (code, value) in options {
            self.u16(*code).u16(value.len() as u16).raw(value);
            self.out.resize(self.out.len() + value.len().next_multiple_of(4) - value.len(), 0);
        }
        if !options.is_empty() {
            self.u32(0);
        }
        self
    }

    /// An enhanced packet.
    pub(super) fn enhanced(
        &mut self,
        interface: u32,
        stamp: u64,
        frame: &[u8],
        options: &[(u16, &[u8])],
    ) -> &mut Writer {
        let mut body = Writer::new(self.order);
        let length = frame.len() as u32;
        body.u32(interface).u32((stamp >> 32) as u32).u32(stamp as u32).u32(length).u32(length).raw(frame);
        body.out.resize(body.out.len().next_multiple_of(4), 0);
        body.options(options);
        self.block(6, &body)
    }

    /// Interface statistics; options as (code, count).
    pub(super) fn statistics(&mut self, interface: u32, counts: &[(u16, u64)]) -> &mut Writer {
        let mut body = Writer::new(self.order);
        body.u32(interface).u64(0);
        for (code, count) in counts {
            body.u16(*code).u16(8).u64(*count);
        }
        self.block(5, &body)
    }
}
