//! Packet time and the place of a frame in its capture.

use core::fmt;
use core::ops::Range;

/// Packet time: nanoseconds since 1970-01-01T00:00:00Z, as the tap stamped it.
#[derive(Debug, Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash, Default)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// Nanoseconds from `earlier` to here; 0 when the capture's clock went backwards.
    #[must_use]
    pub fn since(self, earlier: Timestamp) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// This time plus `nanoseconds`, saturating.
    #[must_use]
    pub fn plus(self, nanoseconds: u64) -> Timestamp {
        Timestamp(self.0.saturating_add(nanoseconds))
    }
}

/// A wait in nanoseconds, in words: "10 s", "2.5 s", "250 ms".
#[derive(Debug, Copy, Clone)]
pub struct Wait(pub u64);

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 / 1_000_000 {
            ms @ ..1000 => write!(f, "{ms} ms"),
            ms if ms % 1000 == 0 => write!(f, "{} s", ms / 1000),
            ms => write!(f, "{}.{} s", ms / 1000, ms % 1000 / 100),
        }
    }
}

/// A frame's place: which tap or file, and its number there, counted from 1.
#[derive(Debug, Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash, Default)]
pub struct FrameRef {
    /// Index of the tap or capture file.
    pub tap: u16,
    /// Number of the frame on that tap, from 1.
    pub number: u64,
}

/// Where bytes came from: the frame that brought the last missing one, and the first frame involved.
#[derive(Debug, Copy, Clone, Eq, PartialEq, Default)]
pub struct Origin {
    /// Packet time of `frame`.
    pub at: Timestamp,
    /// The frame that brought the last missing octet (the latest one on the tap).
    pub frame: FrameRef,
    /// The earliest frame that brought any of the octets.
    pub first_frame: FrameRef,
}

impl Origin {
    /// An origin within one frame.
    #[must_use]
    pub fn of(piece: &Piece) -> Origin {
        Origin { at: piece.at, frame: piece.frame, first_frame: piece.frame }
    }

    /// The origin of both parts taken together.
    #[must_use]
    pub fn join(self, other: Origin) -> Origin {
        let (at, frame) = if (other.at, other.frame) > (self.at, self.frame) {
            (other.at, other.frame)
        } else {
            (self.at, self.frame)
        };
        Origin { at, frame, first_frame: self.first_frame.min(other.first_frame) }
    }
}

/// A run of a chunk's bytes that one frame brought. `end` is the offset just behind the run.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub struct Piece {
    /// Offset in the chunk just behind the run's last byte.
    pub end: usize,
    /// The frame that brought the run.
    pub frame: FrameRef,
    /// Packet time of that frame.
    pub at: Timestamp,
}

/// The origin of `span` within a chunk made of `pieces` (ordered by `end`). An empty span is taken as
/// the byte at its start, and a span past the end as the last byte.
#[must_use]
pub fn origin_of(pieces: &[Piece], span: Range<usize>) -> Origin {
    if let [only] = pieces {
        return Origin::of(only);
    }
    let mut origin: Option<Origin> = None;
    let mut start = 0;
    for piece in pieces {
        let covers = piece.end > span.start && (start < span.end || start <= span.start);
        if covers {
            origin = Some(origin.map_or(Origin::of(piece), |o| o.join(Origin::of(piece))));
        }
        if piece.end >= span.end.max(span.start + 1) {
            break;
        }
        start = piece.end;
    }
    origin.or_else(|| pieces.last().map(Origin::of)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(end: usize, number: u64) -> Piece {
        Piece { end, frame: FrameRef { tap: 0, number }, at: Timestamp(number * 10) }
    }

    #[test]
    fn origin_names_the_latest_and_the_earliest_frame_of_a_span() {
        let pieces = [piece(4, 7), piece(8, 5), piece(12, 9)];
        let numbers = |span| {
            let o = origin_of(&pieces, span);
            (o.frame.number, o.first_frame.number)
        };
        assert_eq!(numbers(0..4), (7, 7));
        assert_eq!(numbers(0..8), (7, 5));
        assert_eq!(numbers(4..8), (5, 5));
        assert_eq!(numbers(5..12), (9, 5));
        assert_eq!(numbers(8..8), (9, 9), "an empty span is the byte at its start");
        assert_eq!(numbers(20..30), (9, 9));
    }
}
