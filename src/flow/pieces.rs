//! Which frame brought which run of an unconsumed tail.

use parsers::Piece;

use super::Source;

/// Runs kept per tail: more than a Modbus ADU (260 octets) or DNP3 frame (292) has when it comes octet by
/// octet. Beyond, the oldest runs are merged and named by their latest frame.
pub(super) const PIECES: usize = 512;

/// Runs of a tail, in order.
#[derive(Debug, Default)]
pub(super) struct Pieces(Vec<Piece>);

impl Pieces {
    pub(super) fn as_slice(&self) -> &[Piece] {
        &self.0
    }

    /// The tail now ends at `end`, and this frame brought what is new.
    pub(super) fn push(&mut self, end: usize, source: Source) {
        if let Some(last) = self.0.last_mut()
            && last.frame == source.frame
        {
            last.end = end;
            return;
        }
        if self.0.len() >= PIECES {
            self.merge_oldest();
        }
        self.0.push(Piece { end, frame: source.frame, at: source.at });
    }

    /// The first `consumed` bytes of the tail are gone.
    pub(super) fn consume(&mut self, consumed: usize) {
        if consumed == 0 {
            return;
        }
        let gone = self.0.iter().take_while(|piece| piece.end <= consumed).count();
        self.0.drain(..gone);
        for piece in &mut self.0 {
            piece.end -= consumed;
        }
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn capacity_bytes(&self) -> usize {
        self.0.capacity() * size_of::<Piece>()
    }

    /// Merge the older half in pairs, so that the cost is spread over the pushes to come.
    fn merge_oldest(&mut self) {
        let half = self.0.len() / 2;
        for pair in 0..half / 2 {
            let (first, second) = (self.0[2 * pair], self.0[2 * pair + 1]);
            let later = if (first.at, first.frame) > (second.at, second.frame) { first } else { second };
            self.0[pair] = Piece { end: second.end, ..later };
        }
        self.0.drain(half / 2..half / 2 * 2);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use parsers::{FrameRef, Timestamp, origin_of};

    fn source(number: u64) -> Source {
        Source { at: Timestamp(number), frame: FrameRef { tap: 0, number } }
    }

    #[test]
    fn pieces_stay_bounded_and_merged_ones_name_the_later_frame() {
        let mut pieces = Pieces::default();
        for n in 1..=3000 {
            pieces.push(n, source(n as u64));
            assert!(pieces.as_slice().len() <= PIECES);
            assert!(pieces.as_slice().is_sorted_by(|a, b| a.end < b.end));
        }
        assert_eq!(pieces.as_slice().last().map(|p| p.end), Some(3000));
        assert_eq!(origin_of(pieces.as_slice(), 2900..2901).frame.number, 2901);
        assert!(origin_of(pieces.as_slice(), 0..1).frame.number >= 1);
    }

    #[test]
    fn consuming_shifts_what_is_left() {
        let mut pieces = Pieces::default();
        pieces.push(4, source(1));
        pieces.push(9, source(2));
        pieces.push(10, source(2));
        assert_eq!(pieces.as_slice().len(), 2);
        pieces.consume(4);
        assert_eq!(pieces.as_slice(), [Piece { end: 6, frame: source(2).frame, at: Timestamp(2) }]);
        pieces.consume(6);
        assert!(pieces.as_slice().is_empty());
    }
}
