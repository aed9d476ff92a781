//! The classic capture file, draft-ietf-opsawg-pcap.
//!
//! ```text
//! file header, 24 octets                        record header, 16 octets
//! | magic 4 | major 2 | minor 2 | zone 4 |      | seconds 4 | fraction 4 | captured 4 | on wire 4 |
//! | sigfigs 4 | snap length 4 | link type 4 |   | frame: `captured` octets                        |
//! ```
//!
//! The magic gives byte order and the unit of `fraction`: a1b2c3d4 microseconds, a1b23c4d nanoseconds,
//! a1b2cd34 a variant of old Linux systems whose record header has 8 more octets (interface, protocol,
//! packet type). The snap length is not relied on: files exist whose records are longer.

use super::bytes::{ByteOrder, u16_at, u32_at};
use super::window::Window;
use super::{Head, MAX_FRAME, Step, cut_short};
use crate::capture::LinkType;
use parsers::Timestamp;

pub(super) const FILE_HEADER: usize = 24;
const RECORD_HEADER: usize = 16;
const MODIFIED_RECORD_HEADER: usize = 24;

/// State of reading one pcap file.
#[derive(Debug)]
pub(super) struct Pcap {
    order: ByteOrder,
    record_header: usize,
    /// Nanoseconds in one unit of the fraction.
    unit: u64,
    link: LinkType,
    lengths: Lengths,
}

/// Old writers disagreed on which of the two lengths comes first.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
enum Lengths {
    /// Captured, then on the wire (version 2.4).
    CapturedFirst,
    /// The other way round (before 2.3).
    WireFirst,
    /// Either: the smaller one is the captured (2.3).
    Unknown,
}

impl Pcap {
    /// Whether a file with these first four octets is pcap.
    pub(super) fn recognises(magic: [u8; 4]) -> bool {
        Pcap::form(magic).is_some()
    }

    fn form(magic: [u8; 4]) -> Option<(ByteOrder, usize, u64)> {
        let by_order = |order: ByteOrder| match order.u32(magic) {
            0xa1b2_c3d4 => Some((order, RECORD_HEADER, 1_000)),
            0xa1b2_3c4d => Some((order, RECORD_HEADER, 1)),
            0xa1b2_cd34 => Some((order, MODIFIED_RECORD_HEADER, 1_000)),
            _ => None,
        };
        by_order(ByteOrder::Little).or_else(|| by_order(ByteOrder::Big))
    }

    /// Reads the file header.
    pub(super) fn open(window: &mut Window) -> Result<Pcap, String> {
        let Some(header) = window.need(FILE_HEADER) else {
            return Err(cut_short(window, "the pcap file header"));
        };
        let magic = header.first_chunk::<4>().copied().unwrap_or_default();
        let (order, record_header, unit) = Pcap::form(magic).ok_or("not a pcap file header")?;
        let (major, minor) = (u16_at(header, 4, order), u16_at(header, 6, order));
        let lengths = match (major, minor) {
            (2, 0..=2) => Lengths::WireFirst,
            (2, 3) => Lengths::Unknown,
            _ => Lengths::CapturedFirst,
        };
        // The upper bits tell whether frames end in a check sequence (FCS) and how long it is.
        let link = LinkType::from_number(u32_at(header, 20, order) & 0x03ff_ffff);
        window.consume(FILE_HEADER);
        Ok(Pcap { order, record_header, unit, link, lengths })
    }

    /// Takes the next record if it is an ordinary one that has been read ahead; otherwise it is left to
    /// [`Pcap::advance`], which would come to the same.
    #[inline(always)]
    pub(super) fn next(&self, unread: &[u8], head: &mut Head) -> bool {
        let Some((header, frame)) = unread.split_first_chunk::<RECORD_HEADER>() else { return false };
        let [seconds, fraction, captured, wire_len] = header.as_chunks::<4>().0 else { return false };
        let [seconds, fraction, captured, wire_len] =
            [seconds, fraction, captured, wire_len].map(|word| self.order.u32(*word));
        let is_ordinary = self.record_header == RECORD_HEADER && self.lengths == Lengths::CapturedFirst;
        if !is_ordinary || captured > MAX_FRAME || captured as usize > frame.len() {
            return false;
        }
        head.at = Timestamp(u64::from(seconds) * 1_000_000_000 + u64::from(fraction) * self.unit);
        head.link = self.link;
        head.wire_len = wire_len.max(captured);
        head.start = RECORD_HEADER as u32;
        head.captured = captured;
        head.record = RECORD_HEADER as u32 + captured;
        true
    }

    /// Reads the next record; its frame is in the window then.
    pub(super) fn advance(&mut self, window: &mut Window, head: &mut Head) -> Step {
        let Some(unread) = window.need(self.record_header) else {
            return Pcap::end(window);
        };
        let Some(header) = unread.first_chunk::<RECORD_HEADER>() else {
            return Step::End;
        };
        let seconds = u32_at(header, 0, self.order);
        let fraction = u32_at(header, 4, self.order);
        let (mut captured, mut wire_len) = (u32_at(header, 8, self.order), u32_at(header, 12, self.order));
        if self.lengths != Lengths::CapturedFirst
            && (self.lengths == Lengths::WireFirst || captured > wire_len)
        {
            (captured, wire_len) = (wire_len, captured);
        }
        if captured > MAX_FRAME {
            return Pcap::too_long(window, captured);
        }
        let length = self.record_header + captured as usize;
        if unread.len() < length && window.need(length).is_none() {
            return Pcap::cut(window);
        }
        head.at = Timestamp(u64::from(seconds) * 1_000_000_000 + u64::from(fraction) * self.unit);
        head.link = self.link;
        head.wire_len = wire_len.max(captured);
        head.start = self.record_header as u32;
        head.captured = captured;
        head.record = length as u32;
        Step::Frame
    }

    #[cold]
    fn too_long(window: &Window, captured: u32) -> Step {
        let reason =
            format!("a record claims {captured} captured octets, more than the limit of {MAX_FRAME}");
        Step::damaged(window.offset(), reason)
    }

    #[cold]
    fn cut(window: &Window) -> Step {
        Step::damaged(window.offset(), cut_short(window, "a record"))
    }

    #[cold]
    fn end(window: &Window) -> Step {
        if window.unread().is_empty() && window.failure().is_none() {
            return Step::End;
        }
        Step::damaged(window.offset(), cut_short(window, "a record header"))
    }
}
