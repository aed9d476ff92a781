//! The block-structured capture file, draft-ietf-opsawg-pcapng.
//!
//! ```text
//! | type 4 | total length 4 | body, padded to 4 | total length 4 |
//!
//! 0a0d0d0a section    | byte order 1a2b3c4d 4 | major 2 | minor 2 | section length 8 | options |
//! 1 interface         | link type 2 | reserved 2 | snap length 4 | options |
//! 6 enhanced packet   | interface 4 | time high 4 | low 4 | captured 4 | on wire 4 | frame | options |
//! 2 packet (obsolete) | interface 2 | drops 2 | time high 4 | low 4 | captured 4 | on wire 4 | frame | .. |
//! 3 simple packet     | on wire 4 | frame |
//! 5 statistics        | interface 4 | time high 4 | low 4 | options |
//! ```
//!
//! Other blocks are passed over, whatever their length. Interfaces are numbered anew in every section.

use super::bytes::{ByteOrder, u16_at, u32_at, u64_at};
use super::timescale::Timescale;
use super::window::{MAX_RECORD, Window};
use super::{Head, MAX_FRAME, Step, cut_short};
use crate::capture::LinkType;
use parsers::Timestamp;

const SECTION: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const OBSOLETE_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const STATISTICS: u32 = 5;
const ENHANCED_PACKET: u32 = 6;

const OPTION_IF_TSRESOL: u16 = 9;
const OPTION_IF_TSOFFSET: u16 = 14;
const OPTION_EPB_DROPCOUNT: u16 = 4;
const OPTION_ISB_IFDROP: u16 = 5;
const OPTION_ISB_OSDROP: u16 = 7;

/// Interfaces kept per section; a file that describes more is taken for damaged. Bounds memory.
const MAX_INTERFACES: usize = 4096;

/// State of reading one pcapng file.
#[derive(Debug)]
pub(super) struct PcapNg {
    order: ByteOrder,
    interfaces: Vec<Interface>,
    /// Time of the last packet that had one: simple packets have none.
    last: Timestamp,
    /// Frames lost according to the file, not reported yet.
    pub(super) drops: u64,
}

#[derive(Debug, Copy, Clone)]
struct Interface {
    link: LinkType,
    snap_length: u32,
    timescale: Timescale,
    /// Drops known so far, so that those told with packets are not counted again from the totals.
    drops: u64,
}

/// The fixed fields of a packet block.
struct Packet {
    interface: u32,
    stamp: u64,
    captured: u32,
    wire_len: u32,
}

impl PcapNg {
    /// Whether a file with these first four octets is pcapng.
    pub(super) fn recognises(magic: [u8; 4]) -> bool {
        magic == SECTION.to_be_bytes()
    }

    /// A reader at the start of the file; the section header is read by the first `advance`.
    pub(super) fn new() -> PcapNg {
        PcapNg { order: ByteOrder::Little, interfaces: Vec::new(), last: Timestamp(0), drops: 0 }
    }

    /// Reads on to the next packet; its frame is in the window then.
    #[inline]
    pub(super) fn advance(&mut self, window: &mut Window, head: &mut Head) -> Step {
        loop {
            let offset = window.offset();
            let Some(header) = window.need(8) else {
                return if window.unread().is_empty() && window.failure().is_none() {
                    Step::End
                } else {
                    Step::damaged(offset, cut_short(window, "a block header"))
                };
            };
            let order = self.order;
            let kind = u32_at(header, 0, order);
            // The section header's type reads the same both ways round; its order is inside.
            let outcome = match kind {
                SECTION => self.section(window),
                ENHANCED_PACKET | OBSOLETE_PACKET | SIMPLE_PACKET => match self.packet(window, kind, head) {
                    Ok(()) => return Step::Frame,
                    Err(reason) => Err(reason),
                },
                INTERFACE => whole(window, order, 20).and_then(|block| self.interface(block)),
                STATISTICS => whole(window, order, 24).and_then(|block| self.statistics(block)),
                _ => pass_over(window, order),
            };
            let consumed = match outcome {
                Ok(length) => length,
                Err(reason) => return Step::damaged(offset, reason),
            };
            window.consume(consumed);
        }
    }

    fn section(&mut self, window: &mut Window) -> Result<usize, String> {
        let Some(header) = window.need(12) else {
            return Err(cut_short(window, "a section header"));
        };
        self.order = match header.get(8..12) {
            Some([0x4d, 0x3c, 0x2b, 0x1a]) => ByteOrder::Little,
            Some([0x1a, 0x2b, 0x3c, 0x4d]) => ByteOrder::Big,
            _ => return Err("a section header without the byte-order magic".to_owned()),
        };
        let block = whole(window, self.order, 28)?;
        let major = u16_at(block, 12, self.order);
        if major != 1 {
            return Err(format!("a section of pcapng version {major}, only version 1 is known"));
        }
        self.interfaces.clear();
        Ok(block.len())
    }

    fn interface(&mut self, block: &[u8]) -> Result<usize, String> {
        if self.interfaces.len() >= MAX_INTERFACES {
            return Err(format!("a section describes more than {MAX_INTERFACES} interfaces"));
        }
        let order = self.order;
        let mut resolution = 6;
        let mut offset = 0_i64;
        for_options(block, 16, order, |code, value| match (code, value) {
            (OPTION_IF_TSRESOL, [octet, ..]) => resolution = *octet,
            (OPTION_IF_TSOFFSET, [_, _, _, _, _, _, _, _, ..]) => {
                offset = u64_at(value, 0, order).cast_signed();
            }
            _ => {}
        });
        self.interfaces.push(Interface {
            link: LinkType::from_number(u32::from(u16_at(block, 8, order))),
            snap_length: u32_at(block, 12, order),
            timescale: Timescale::new(resolution, offset),
            drops: 0,
        });
        Ok(block.len())
    }

    fn statistics(&mut self, block: &[u8]) -> Result<usize, String> {
        let order = self.order;
        let mut total = 0_u64;
        for_options(block, 20, order, |code, value| {
            if matches!(code, OPTION_ISB_IFDROP | OPTION_ISB_OSDROP) && value.len() >= 8 {
                total = total.saturating_add(u64_at(value, 0, order));
            }
        });
        let number = u32_at(block, 8, order);
        let interface = self.interfaces.get_mut(number as usize).ok_or_else(|| no_interface(number))?;
        let new = total.saturating_sub(interface.drops);
        interface.drops = interface.drops.max(total);
        self.drops = self.drops.saturating_add(new);
        Ok(block.len())
    }

    #[inline]
    fn packet(&mut self, window: &mut Window, kind: u32, head: &mut Head) -> Result<(), String> {
        let order = self.order;
        let fixed = if kind == SIMPLE_PACKET { 12 } else { 28 };
        let block = whole(window, order, fixed + 4)?;
        let room = block.len() - fixed - 4;
        let packet = match kind {
            SIMPLE_PACKET => {
                let wire_len = u32_at(block, 8, order);
                let snap_length = match self.interfaces.first() {
                    Some(Interface { snap_length: 1.., .. }) => self.interfaces[0].snap_length,
                    _ => u32::MAX,
                };
                let captured = wire_len.min(snap_length).min(u32::try_from(room).unwrap_or(u32::MAX));
                Packet { interface: 0, stamp: 0, captured, wire_len }
            }
            _ => Packet {
                interface: match kind {
                    ENHANCED_PACKET => u32_at(block, 8, order),
                    _ => u32::from(u16_at(block, 8, order)),
                },
                stamp: u64::from(u32_at(block, 12, order)) << 32 | u64::from(u32_at(block, 16, order)),
                captured: u32_at(block, 20, order),
                wire_len: u32_at(block, 24, order),
            },
        };
        if packet.captured > MAX_FRAME {
            let captured = packet.captured;
            return Err(format!(
                "a packet claims {captured} captured octets, more than the limit of {MAX_FRAME}"
            ));
        }
        let captured = packet.captured as usize;
        if captured > room {
            return Err(format!("a packet claims {captured} captured octets, its block has {room}"));
        }
        let interface = self
            .interfaces
            .get_mut(packet.interface as usize)
            .ok_or_else(|| no_interface(packet.interface))?;
        if kind != SIMPLE_PACKET {
            self.last = interface.timescale.time(packet.stamp);
        }
        let lost = match kind {
            OBSOLETE_PACKET => match u16_at(block, 10, order) {
                u16::MAX => 0,
                lost => u64::from(lost),
            },
            ENHANCED_PACKET if room >= captured.next_multiple_of(4) + 4 => {
                dropcount(block, fixed + captured.next_multiple_of(4), order)
            }
            _ => 0,
        };
        if lost > 0 {
            interface.drops = interface.drops.saturating_add(lost);
            self.drops = self.drops.saturating_add(lost);
        }
        head.at = self.last;
        head.link = interface.link;
        head.wire_len = packet.wire_len.max(packet.captured);
        head.start = fixed as u32;
        head.captured = packet.captured;
        head.record = block.len() as u32;
        Ok(())
    }
}

#[cold]
fn no_interface(number: u32) -> String {
    format!("a block names interface {number}, which the section does not describe")
}

#[cold]
fn dropcount(block: &[u8], options: usize, order: ByteOrder) -> u64 {
    let mut lost = 0;
    for_options(block, options, order, |code, value| {
        if code == OPTION_EPB_DROPCOUNT && value.len() >= 8 {
            lost = u64_at(value, 0, order);
        }
    });
    lost
}

/// The total length of the block the window stands at, once it is plausible.
#[inline]
fn total_length(window: &Window, order: ByteOrder, least: u32) -> Result<u32, String> {
    let total = u32_at(window.unread(), 4, order);
    if total < least || !total.is_multiple_of(4) {
        return Err(format!(
            "a block claims a length of {total} octets; expected a multiple of 4, at least {least}"
        ));
    }
    Ok(total)
}

/// The whole block the window stands at, both lengths checked.
#[inline]
fn whole(window: &mut Window, order: ByteOrder, least: usize) -> Result<&[u8], String> {
    let total = total_length(window, order, least as u32)? as usize;
    if total > MAX_RECORD {
        return Err(format!("a block claims {total} octets, more than the limit of {MAX_RECORD}"));
    }
    if window.need(total).is_none() {
        return Err(cut_short(window, "a block"));
    }
    let block = window.unread().get(..total).unwrap_or_default();
    let trailer = u32_at(block, total - 4, order);
    if trailer as usize != total {
        return Err(format!("a block's two lengths differ: {total} and {trailer}"));
    }
    Ok(block)
}

/// Passes over a block of a kind that is not read. Returns what is left to consume: nothing.
fn pass_over(window: &mut Window, order: ByteOrder) -> Result<usize, String> {
    let total = total_length(window, order, 12)?;
    if !window.skip(u64::from(total) - 4) {
        return Err(cut_short(window, "a block"));
    }
    let Some(trailer) = window.need(4) else {
        return Err(cut_short(window, "a block"));
    };
    let trailer = u32_at(trailer, 0, order);
    if trailer != total {
        return Err(format!("a block's two lengths differ: {total} and {trailer}"));
    }
    Ok(4)
}

/// Calls `each` with code and value of every option from `start` to the block's trailing length. Options
/// that overrun the block end the walk: they carry nothing a frame depends on.
fn for_options(block: &[u8], start: usize, order: ByteOrder, mut each: impl FnMut(u16, &[u8])) {
    let mut rest = block.get(start..block.len().saturating_sub(4)).unwrap_or_default();
    while rest.len() >= 4 {
        let code = u16_at(rest, 0, order);
        let length = usize::from(u16_at(rest, 2, order));
        let Some(value) = rest.get(4..4 + length) else { return };
        if code == 0 {
            return;
        }
        each(code, value);
        rest = rest.get(4 + length.next_multiple_of(4)..).unwrap_or_default();
    }
}
