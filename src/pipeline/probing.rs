//! Flows on ports that nobody configured: what do they speak?
//!
//! A port is no proof. The first bytes of both directions are kept, in the order in which they came, until
//! a protocol's probe recognises them or all have declined; then they are replayed into the session, or
//! dropped. Bounded by the probes' limit of bytes and by [`ATTEMPTS`].

use parsers::{Beginning, Chunk, DISSECTORS, Direction, Dissector, Piece, Probe, Transport};

/// How many segments (or datagrams) of a flow are looked at before it is left alone. More than one,
/// because a flow may be joined in the middle of something.
const ATTEMPTS: u32 = 12;

/// The beginning of a flow whose protocol is not known yet.
pub(super) struct Probing {
    bytes: [Vec<u8>; 2],
    log: Vec<Entry>,
    attempts: u32,
    octets: u64,
}

struct Entry {
    direction: Direction,
    end: usize,
    pieces: Vec<Piece>,
}

/// What probing came to.
pub(super) enum Verdict {
    /// Not settled yet.
    Undecided,
    /// This protocol.
    Found(&'static Dissector),
    /// None.
    Nothing,
}

impl Probing {
    pub(super) fn new() -> Probing {
        Probing { bytes: [Vec::new(), Vec::new()], log: Vec::new(), attempts: 0, octets: 0 }
    }

    /// Take a chunk that is wholly new (the flow layer keeps nothing while probing).
    pub(super) fn add(&mut self, chunk: &Chunk<'_>, transport: Transport, limit: usize) -> Verdict {
        self.attempts += 1;
        self.octets += chunk.bytes.len() as u64;
        let kept = &mut self.bytes[chunk.direction.index()];
        kept.extend_from_slice(chunk.bytes);
        self.log.push(Entry { direction: chunk.direction, end: kept.len(), pieces: chunk.pieces.to_vec() });
        let full = self.bytes.iter().any(|b| b.len() > limit);
        match probe(&self.bytes, transport, limit) {
            Verdict::Undecided if full || self.attempts >= ATTEMPTS => Verdict::Nothing,
            Verdict::Nothing if self.attempts < ATTEMPTS => {
                // The segment may have begun inside a PDU: begin again with the next one.
                self.bytes = [Vec::new(), Vec::new()];
                self.log.clear();
                Verdict::Undecided
            }
            verdict => verdict,
        }
    }

    /// Octets looked at so far.
    pub(super) fn octets(&self) -> u64 {
        self.octets
    }

    /// Give back what was kept, in the order in which it came, as chunks of new bytes.
    pub(super) fn replay(&self, mut feed: impl FnMut(&Chunk<'_>)) {
        let mut start = [0; 2];
        for entry in &self.log {
            let side = entry.direction.index();
            let bytes = &self.bytes[side][start[side]..entry.end];
            start[side] = entry.end;
            feed(&Chunk { direction: entry.direction, bytes, pieces: &entry.pieces });
        }
    }
}

fn probe(bytes: &[Vec<u8>; 2], transport: Transport, limit: usize) -> Verdict {
    let first = &bytes[0][..bytes[0].len().min(limit)];
    let second = &bytes[1][..bytes[1].len().min(limit)];
    let beginning = Beginning { bytes: [first, second], transport };
    let mut open = false;
    for dissector in DISSECTORS {
        match (dissector.probe)(&beginning) {
            Probe::Yes => return Verdict::Found(dissector),
            Probe::More => open = true,
            Probe::No => {}
        }
    }
    if open { Verdict::Undecided } else { Verdict::Nothing }
}

/// Another protocol than `expected` that recognises this very first chunk, if any: DNP3 on port 502.
pub(super) fn other_than(
    expected: &Dissector,
    chunk: &Chunk<'_>,
    transport: Transport,
) -> Option<&'static Dissector> {
    let mut bytes: [&[u8]; 2] = [&[], &[]];
    bytes[chunk.direction.index()] = chunk.bytes;
    let beginning = Beginning { bytes, transport };
    DISSECTORS
        .iter()
        .filter(|d| d.protocol != expected.protocol)
        .find(|d| (d.probe)(&beginning) == Probe::Yes)
}
