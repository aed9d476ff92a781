//! The last delivered bytes of a stream, to compare retransmissions with.
//!
//! Without it, whoever sends the same sequence numbers twice with different bytes decides which version
//! the tap sees and which the receiver. The ring starts at [`SMALL`] bytes and grows to twice the largest
//! segment, so that one whole segment and the one before it can be compared.

use parsers::{FrameRef, Origin, Timestamp};

use super::Source;

/// First size of the ring: covers the last few polls of a control protocol.
const SMALL: usize = 256;
/// Segments whose frame is remembered.
const MARKS: usize = 4;

#[derive(Debug, Copy, Clone, Default)]
struct Mark {
    /// Stream offset just behind the segment.
    end: u64,
    at: Timestamp,
    frame: FrameRef,
}

#[derive(Debug)]
pub(super) struct History {
    /// Ring; its length is a power of two, and a byte at stream offset `o` lies at `o % length`.
    ring: Box<[u8]>,
    /// Stream offset behind the newest byte.
    end: u64,
    /// How many bytes before `end` are valid.
    valid: usize,
    marks: [Mark; MARKS],
    newest: u8,
}

/// Where repeated bytes differ from the first seen.
pub(super) struct Difference<'a> {
    /// Offset of the first differing byte within what was compared.
    pub(super) at: usize,
    /// First-seen bytes from there on, as far as they are contiguous in memory.
    pub(super) old: &'a [u8],
    pub(super) old_origin: Option<Origin>,
}

impl History {
    pub(super) fn new() -> History {
        History {
            ring: vec![0; SMALL].into_boxed_slice(),
            end: 0,
            valid: 0,
            marks: [Mark::default(); MARKS],
            newest: 0,
        }
    }

    /// Whether the ring is large enough for segments of this length.
    #[inline]
    pub(super) fn has_room(&self, length: usize) -> bool {
        length * 2 <= self.ring.len()
    }

    /// Remember bytes delivered at stream offset `offset`.
    #[inline]
    pub(super) fn push(&mut self, offset: u64, bytes: &[u8], source: Source) {
        if offset != self.end {
            self.valid = 0;
        }
        let size = self.ring.len();
        let end = offset + bytes.len() as u64;
        let from = (offset & (size as u64 - 1)) as usize;
        match self.ring.get_mut(from..from + bytes.len()) {
            Some(place) => place.copy_from_slice(bytes),
            None => self.wrap(end, bytes),
        }
        self.valid = (self.valid + bytes.len()).min(size);
        self.end = end;
        self.newest = (self.newest + 1) % MARKS as u8;
        self.marks[usize::from(self.newest)] = Mark { end, at: source.at, frame: source.frame };
    }

    /// The bytes reach beyond the end of the ring.
    #[inline(never)]
    fn wrap(&mut self, end: u64, bytes: &[u8]) {
        let size = self.ring.len();
        let kept = &bytes[bytes.len().saturating_sub(size)..];
        let from = ((end - kept.len() as u64) & (size as u64 - 1)) as usize;
        let first = kept.len().min(size - from);
        self.ring[from..from + first].copy_from_slice(&kept[..first]);
        self.ring[..kept.len() - first].copy_from_slice(&kept[first..]);
    }

    /// What was delivered has nothing to do with what comes now.
    pub(super) fn clear(&mut self) {
        self.valid = 0;
    }

    /// Make room for segments of this length, up to `limit` bytes.
    pub(super) fn grow(&mut self, length: usize, limit: usize) {
        let mut size = self.ring.len();
        while size < length * 2 && size * 2 <= limit {
            size *= 2;
        }
        if size == self.ring.len() {
            return;
        }
        let mut ring = vec![0; size].into_boxed_slice();
        for offset in self.end - self.valid as u64..self.end {
            ring[(offset & (size as u64 - 1)) as usize] = self.at(offset);
        }
        self.ring = ring;
    }

    #[inline]
    fn at(&self, offset: u64) -> u8 {
        self.ring[(offset & (self.ring.len() as u64 - 1)) as usize]
    }

    /// Compare repeated bytes, the first of them at stream offset `offset`. The difference, and whether
    /// all of them could be compared.
    pub(super) fn compare(&self, offset: u64, bytes: &[u8]) -> (Option<Difference<'_>>, bool) {
        let oldest = self.end - self.valid as u64;
        let before = usize::try_from(oldest.saturating_sub(offset)).unwrap_or(usize::MAX).min(bytes.len());
        let mut compared = 0;
        for (i, byte) in bytes.iter().enumerate().skip(before) {
            let at = offset + i as u64;
            if at >= self.end {
                break;
            }
            compared += 1;
            if self.at(at) != *byte {
                let from = (at & (self.ring.len() as u64 - 1)) as usize;
                let run =
                    ((self.end - at).min((bytes.len() - i) as u64) as usize).min(self.ring.len() - from);
                let old = &self.ring[from..from + run];
                return (Some(Difference { at: i, old, old_origin: self.origin(at) }), false);
            }
        }
        (None, compared == bytes.len())
    }

    /// Which frame brought the byte, if one of the last few segments did.
    fn origin(&self, offset: u64) -> Option<Origin> {
        let mut best: Option<&Mark> = None;
        let mut oldest = u64::MAX;
        for mark in self.marks.iter().filter(|mark| mark.end > 0) {
            oldest = oldest.min(mark.end);
            if mark.end > offset && best.is_none_or(|b| mark.end < b.end) {
                best = Some(mark);
            }
        }
        // The oldest mark's beginning is unknown, unless it is the first there ever was.
        let best = best.filter(|mark| mark.end != oldest || self.valid as u64 == self.end)?;
        Some(Source { at: best.at, frame: best.frame }.origin())
    }

    pub(super) fn capacity_bytes(&self) -> usize {
        self.ring.len() + size_of::<History>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(number: u64) -> Source {
        Source { at: Timestamp(number), frame: FrameRef { tap: 0, number } }
    }

    #[test]
    fn repeated_bytes_are_compared_as_far_as_they_are_kept() {
        let mut history = History::new();
        let stream: Vec<u8> = (0..2000_u32).map(|n| (n * 7 % 251) as u8).collect();
        let mut offset = 0;
        for (number, part) in stream.chunks(100).enumerate() {
            history.push(offset as u64, part, source(number as u64 + 1));
            offset += part.len();
        }
        assert!(matches!(history.compare(1800, &stream[1800..1950]), (None, true)));
        assert!(matches!(history.compare(100, &stream[100..200]), (None, false)), "too old to compare");
        let mut forged = stream[1800..1950].to_vec();
        forged[30] ^= 1;
        let (difference, _) = history.compare(1800, &forged);
        let difference = difference.expect("a difference");
        assert_eq!(difference.at, 30);
        assert_eq!(difference.old[0], stream[1830]);
        assert_eq!(difference.old_origin.map(|o| o.frame.number), Some(19));
    }

    #[test]
    fn the_ring_grows_for_large_segments_and_keeps_what_it_has() {
        let mut history = History::new();
        history.push(0, &[1; 200], source(1));
        history.grow(1460, 4096);
        history.push(200, &[2; 1460], source(2));
        assert!(matches!(history.compare(0, &[1; 200]), (None, true)));
        assert!(matches!(history.compare(200, &[2; 1460]), (None, true)));
        history.grow(9000, 4096);
        history.push(1660, &[3; 9000], source(3));
        assert_eq!(history.ring.len(), 4096);
        assert!(matches!(history.compare(1660 + 9000 - 4096, &[3; 4096]), (None, true)));
    }
}
