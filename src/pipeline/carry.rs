//! The unfinished bytes that a session left over when a probed beginning was replayed into it.
//!
//! The flow layer handed those bytes over and forgot them, so they are kept here until the session has
//! taken the last of them; from then on the flow layer keeps the tail as always.

use parsers::{Chunk, Direction, Piece, Progress};

#[derive(Default)]
pub(super) struct Carry {
    bytes: Vec<u8>,
    pieces: Vec<Piece>,
}

impl Carry {
    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The bytes kept, as a chunk.
    pub(super) fn chunk(&self, direction: Direction) -> Chunk<'_> {
        Chunk { direction, bytes: &self.bytes, pieces: &self.pieces }
    }

    /// Feed what is kept and then `chunk`. Returns the progress in terms of `chunk`.
    pub(super) fn feed(&mut self, chunk: &Chunk<'_>, feed: impl FnOnce(&Chunk<'_>) -> Progress) -> Progress {
        let before = self.bytes.len();
        self.bytes.extend_from_slice(chunk.bytes);
        self.pieces.extend(chunk.pieces.iter().map(|p| Piece { end: p.end + before, ..*p }));
        let progress = feed(&self.chunk(chunk.direction));
        if progress.consumed >= before {
            *self = Carry::default();
            return Progress { consumed: progress.consumed - before, needed: progress.needed };
        }
        self.bytes.drain(..progress.consumed);
        self.pieces.retain_mut(|piece| {
            let keep = piece.end > progress.consumed;
            piece.end = piece.end.saturating_sub(progress.consumed);
            keep
        });
        Progress::all(chunk)
    }

    /// Feed a replayed chunk: what the session leaves over stays here.
    pub(super) fn replay(&mut self, chunk: &Chunk<'_>, feed: impl FnOnce(&Chunk<'_>) -> Progress) {
        let progress = self.feed(chunk, feed);
        if progress.consumed < chunk.bytes.len() {
            self.bytes = chunk.bytes[progress.consumed..].to_vec();
            self.pieces = chunk
                .pieces
                .iter()
                .filter(|p| p.end > progress.consumed)
                .map(|p| Piece { end: p.end - progress.consumed, ..*p })
                .collect();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use parsers::{FrameRef, Timestamp};

    /// Takes whole groups of four bytes.
    fn fours(out: &mut Vec<u8>, chunk: &Chunk<'_>) -> Progress {
        let consumed = chunk.bytes.len() / 4 * 4;
        out.extend_from_slice(&chunk.bytes[..consumed]);
        assert_eq!(chunk.pieces.last().map(|p| p.end), Some(chunk.bytes.len()));
        Progress { consumed, needed: 4 }
    }

    #[test]
    fn nothing_is_lost_or_doubled_between_replay_and_the_flow_layer() {
        let stream: Vec<u8> = (0..40).collect();
        for first in 1..12 {
            for second in 1..12 {
                let (mut out, mut carry) = (Vec::new(), Carry::default());
                let cuts = [&stream[..first], &stream[first..first + second]];
                for (n, bytes) in cuts.into_iter().enumerate() {
                    let frame = FrameRef { tap: 0, number: n as u64 };
                    let pieces = [Piece { end: bytes.len(), frame, at: Timestamp(0) }];
                    let chunk = Chunk { direction: Direction::ToServer, bytes, pieces: &pieces };
                    carry.replay(&chunk, |c| fours(&mut out, c));
                }
                // Now the flow layer's turn, with its own tail.
                let mut at = first + second;
                let mut end = at;
                while end < stream.len() {
                    end += 1;
                    let bytes = &stream[at..end];
                    let pieces = [Piece { end: bytes.len(), frame: FrameRef::default(), at: Timestamp(0) }];
                    let chunk = Chunk { direction: Direction::ToServer, bytes, pieces: &pieces };
                    let progress = if carry.is_empty() {
                        fours(&mut out, &chunk)
                    } else {
                        carry.feed(&chunk, |c| fours(&mut out, c))
                    };
                    at += progress.consumed;
                }
                assert_eq!(out, stream, "cut at {first} and {second}");
            }
        }
    }
}
