//! Reassembly of IPv4 (RFC 791, RFC 1858) and IPv6 (RFC 8200 clause 4.5, RFC 5722) fragments.
//!
//! A datagram keeps its octets in the order they came, and a list of pieces in the order they belong:
//! memory follows what was received, not what an offset claims. Everything has a limit; the oldest
//! datagram makes room for a new one, so that the result does not depend on table order.
//!
//! **Overlaps.** IPv4: what was seen first stays, different octets are counted as a conflict. IPv6: an
//! overlap condemns the datagram, including its fragments still to come. A repeated fragment is neither.

use core::hash::Hasher;
use core::net::Ipv6Addr;

use hashbrown::HashMap;
use parsers::{FrameRef, Timestamp};

use super::options::FragmentLimits;
use super::walk::{Outcome, View, Walk};
use super::{DecapCounters, Tunnels, protocol};
use crate::dedup::{IDENTIFIED_WINDOW_NS, Recent, mix};

/// Fragments remembered, to tell copies (double span) from the fragments of a new datagram.
const REMEMBERED_FRAGMENTS: usize = 2048;

/// Buffers kept for the next datagram, and the largest worth keeping.
const SPARE_BUFFERS: usize = 32;
const SPARE_BYTES: usize = 16 * 1024;

/// What the fragments of one datagram share. IPv4 addresses are mapped into IPv6.
#[derive(Debug, Copy, Clone, Eq, PartialEq, Hash)]
pub(super) struct FragmentKey {
    pub(super) src: Ipv6Addr,
    pub(super) dst: Ipv6Addr,
    pub(super) id: u32,
    /// IPv4 only; IPv6 takes the protocol from the first fragment.
    pub(super) protocol: Option<u8>,
}

/// One fragment's header fields.
#[derive(Debug, Copy, Clone)]
pub(super) struct Fragment {
    pub(super) key: FragmentKey,
    /// In octets.
    pub(super) offset: u32,
    /// More fragments follow.
    pub(super) more: bool,
    /// The protocol (IPv4) or next header (IPv6) it names.
    pub(super) protocol: u8,
}

impl Fragment {
    fn is_v4(&self) -> bool {
        self.key.protocol.is_some()
    }
}

/// Octets `start..end` of the datagram; they stand at `position` in the buffer.
#[derive(Debug, Copy, Clone)]
struct Piece {
    start: u32,
    end: u32,
    position: usize,
}

#[derive(Debug, Default)]
struct Partial {
    /// Order of creation.
    serial: u64,
    since: Timestamp,
    first_frame: FrameRef,
    protocol: u8,
    /// Length of the whole, known from the last fragment.
    total: Option<u32>,
    /// Sorted, disjoint.
    pieces: Vec<Piece>,
    received: u32,
    bytes: Vec<u8>,
    /// An IPv6 overlap was seen: nothing of it is used any more.
    is_condemned: bool,
}

impl Partial {
    fn is_complete(&self) -> bool {
        !self.is_condemned && self.total == Some(self.received)
    }

    /// The stored octets of a piece's part.
    fn stored(&self, piece: &Piece, start: u32, end: u32) -> &[u8] {
        let from = piece.position + (start - piece.start) as usize;
        self.bytes.get(from..from + (end - start) as usize).unwrap_or_default()
    }
}

/// How a fragment met those that came before it.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
enum Overlap {
    None,
    Same,
    Conflict,
}

/// Incomplete datagrams.
#[derive(Debug)]
pub(super) struct FragmentTable {
    limits: FragmentLimits,
    partials: HashMap<FragmentKey, Partial, foldhash::quality::RandomState>,
    recent: Recent,
    next_serial: u64,
    /// Octets held by all datagrams.
    held: usize,
    /// No datagram expires before this time.
    next_expiry: Timestamp,
    spare: Vec<Partial>,
}

impl FragmentTable {
    pub(super) fn new(limits: FragmentLimits) -> FragmentTable {
        FragmentTable {
            limits,
            partials: HashMap::default(),
            recent: Recent::new(REMEMBERED_FRAGMENTS),
            next_serial: 1,
            held: 0,
            next_expiry: Timestamp(u64::MAX),
            spare: Vec::new(),
        }
    }

    pub(super) fn memory(&self) -> usize {
        let buffers = |p: &Partial| p.bytes.capacity() + p.pieces.capacity() * size_of::<Piece>();
        self.partials.allocation_size()
            + self.partials.values().map(buffers).sum::<usize>()
            + self.spare.iter().map(buffers).sum::<usize>()
    }

    /// Give up what is older than the limit allows.
    pub(super) fn expire(&mut self, now: Timestamp, counters: &mut DecapCounters) {
        while now > self.next_expiry {
            let Some((key, since)) = self.oldest() else {
                self.next_expiry = Timestamp(u64::MAX);
                return;
            };
            self.next_expiry = since.plus(self.limits.age_ns);
            if now > self.next_expiry {
                self.remove(&key);
                counters.fragments_expired += 1;
            }
        }
    }

    pub(super) fn give_up_all(&mut self, counters: &mut DecapCounters) {
        counters.fragments_expired += self.partials.len() as u64;
        self.partials.clear();
        self.held = 0;
    }

    /// The datagram begun first.
    fn oldest(&self) -> Option<(FragmentKey, Timestamp)> {
        self.partials.iter().min_by_key(|(_, p)| p.serial).map(|(key, p)| (*key, p.since))
    }

    fn remove(&mut self, key: &FragmentKey) {
        let Some(mut partial) = self.partials.remove(key) else { return };
        self.held -= partial.bytes.len();
        if self.spare.len() < SPARE_BUFFERS && partial.bytes.capacity() <= SPARE_BYTES {
            partial.bytes.clear();
            partial.pieces.clear();
            self.spare.push(partial);
        }
    }

    /// Make room for `more` octets, and for one more datagram if this one is new.
    fn make_room(&mut self, key: &FragmentKey, more: usize, counters: &mut DecapCounters) {
        let is_new = !self.partials.contains_key(key);
        while (is_new && self.partials.len() >= self.limits.datagrams)
            || (self.held + more > self.limits.total_bytes && !self.partials.is_empty())
        {
            let Some((oldest, _)) = self.oldest() else { return };
            self.remove(&oldest);
            counters.fragments_evicted += 1;
        }
    }

    /// Whether this very fragment was seen a moment ago.
    fn is_copy(&mut self, at: Timestamp, fragment: &Fragment, bytes: &[u8]) -> bool {
        let mut hasher = self.recent.hasher();
        hasher.write_u128(fragment.key.src.to_bits());
        hasher.write_u128(fragment.key.dst.to_bits());
        hasher.write_u64(u64::from(fragment.key.id) << 32 | u64::from(fragment.offset));
        hasher.write_u16(u16::from(fragment.protocol) << 8 | u16::from(fragment.more));
        hasher.write_usize(bytes.len());
        hasher.write(bytes);
        let place = mix(u64::from(fragment.key.id) << 32 | u64::from(fragment.offset), bytes.len() as u64);
        self.recent.seen(at, place, hasher.finish(), IDENTIFIED_WINDOW_NS)
    }
}

impl<'a> Walk<'a> {
    /// A fragment. Leads on when it completes its datagram.
    #[cold]
    pub(super) fn fragment(&mut self, fragment: &Fragment, view: View<'a>) -> Outcome {
        self.counters.fragments += 1;
        self.fragments.expire(self.at, self.counters);
        if view.is_cut() {
            self.counters.fragments_truncated += 1;
            return Outcome::Held;
        }
        if self.fragments.is_copy(self.at, fragment, view.bytes) {
            return Outcome::Duplicate;
        }
        let Some(view) = self.sound(fragment, view) else { return Outcome::Held };
        let Some(scratch) = self.scratch.next() else {
            return self.too_deep();
        };
        let Some(partial) = self.store(fragment, view.bytes) else { return Outcome::Held };
        let (protocol, first_frame) = (partial.protocol, partial.first_frame);
        scratch.clear();
        for piece in &partial.pieces {
            scratch.extend_from_slice(partial.stored(piece, piece.start, piece.end));
        }
        self.fragments.remove(&fragment.key);
        self.counters.fragments_reassembled += 1;
        self.packet.tunnels.insert(Tunnels::FRAGMENTS);
        self.packet.first_frame = self.packet.first_frame.min(first_frame);
        let whole: &'a [u8] = scratch;
        self.after_reassembly(protocol, View::whole(whole))
    }

    /// Check offset and length; returns the octets to use.
    fn sound(&mut self, fragment: &Fragment, view: View<'a>) -> Option<View<'a>> {
        let mut view = view;
        if fragment.more && !view.bytes.len().is_multiple_of(8) {
            // offsets count in eights: hosts cut IPv4 to that, and refuse IPv6
            self.counters.fragments_malformed += 1;
            if !fragment.is_v4() {
                return None;
            }
            view = view.limit(view.bytes.len() / 8 * 8);
        }
        let end = fragment.offset as usize + view.bytes.len();
        if view.bytes.is_empty() || end > 65_535 {
            self.counters.fragments_malformed += 1;
            return None;
        }
        if end > self.options.fragments.datagram_bytes {
            self.counters.fragments_limit += 1;
            return None;
        }
        let transport = match fragment.protocol {
            protocol::TCP => 20,
            protocol::UDP => 8,
            _ => 1,
        };
        let hides_header = fragment.offset == 0 && fragment.more && view.bytes.len() < transport;
        let rewrites_header = fragment.offset > 0 && (fragment.offset as usize) < transport;
        if hides_header || rewrites_header {
            self.counters.fragments_tiny += 1;
        }
        Some(view)
    }

    /// Put a fragment into its datagram; returns the datagram if that completes it.
    fn store(&mut self, fragment: &Fragment, bytes: &[u8]) -> Option<&Partial> {
        let Walk { fragments: table, counters, .. } = self;
        table.make_room(&fragment.key, bytes.len(), counters);
        let pieces_limit = table.limits.pieces;
        let next_serial = &mut table.next_serial;
        let spare = &mut table.spare;
        let (at, place) = (self.at, self.place);
        table.next_expiry = table.next_expiry.min(at.plus(table.limits.age_ns));
        let partial = table.partials.entry(fragment.key).or_insert_with(|| {
            let kept = spare.pop().unwrap_or_default();
            *next_serial += 1;
            Partial {
                serial: *next_serial,
                since: at,
                first_frame: place,
                protocol: fragment.protocol,
                pieces: kept.pieces,
                bytes: kept.bytes,
                ..Partial::default()
            }
        });
        if partial.is_condemned {
            return None;
        }
        partial.first_frame = partial.first_frame.min(place);
        if fragment.offset == 0 {
            partial.protocol = fragment.protocol;
        }
        let held = partial.bytes.len();
        add(partial, fragment, bytes, pieces_limit, counters);
        table.held = table.held + partial.bytes.len() - held;
        partial.is_complete().then_some(&*partial)
    }
}

/// Add a fragment's octets to its datagram.
fn add(
    partial: &mut Partial,
    fragment: &Fragment,
    bytes: &[u8],
    pieces_limit: usize,
    counters: &mut DecapCounters,
) {
    let start = fragment.offset;
    let end = start + bytes.len() as u32;
    let overlap = overlap_of(partial, start, end, bytes);
    let known_end = partial.pieces.last().map_or(0, |p| p.end);
    let contradicts = match partial.total {
        Some(total) => end > total || (!fragment.more && end != total),
        None => !fragment.more && known_end > end,
    };
    if overlap != Overlap::None {
        counters.fragments_overlapping += 1;
    }
    if overlap == Overlap::Conflict || contradicts {
        counters.fragments_conflicting += 1;
    }
    let is_repeated =
        overlap == Overlap::Same && partial.pieces.iter().any(|p| p.start == start && p.end == end);
    if !fragment.is_v4() && !is_repeated && (overlap != Overlap::None || contradicts) {
        partial.is_condemned = true;
        partial.pieces.clear();
        partial.bytes.clear();
        return;
    }
    if contradicts {
        return;
    }
    if partial.pieces.len() >= pieces_limit {
        counters.fragments_limit += 1;
        return;
    }
    if !fragment.more {
        partial.total = Some(end);
    }
    insert_missing(partial, start, end, bytes);
}

/// Compare a fragment with what is there.
fn overlap_of(partial: &Partial, start: u32, end: u32, bytes: &[u8]) -> Overlap {
    let mut overlap = Overlap::None;
    for piece in &partial.pieces {
        let (from, to) = (piece.start.max(start), piece.end.min(end));
        if from >= to {
            continue;
        }
        let new = bytes.get((from - start) as usize..(to - start) as usize);
        if new != Some(partial.stored(piece, from, to)) {
            return Overlap::Conflict;
        }
        overlap = Overlap::Same;
    }
    overlap
}

/// Insert those octets of a fragment that are not there yet.
fn insert_missing(partial: &mut Partial, start: u32, end: u32, bytes: &[u8]) {
    let mut cursor = start;
    let mut index = partial.pieces.partition_point(|p| p.end <= start);
    while cursor < end {
        let next = partial.pieces.get(index).copied();
        let gap_end = next.map_or(end, |p| p.start.min(end));
        if cursor < gap_end {
            let new = bytes.get((cursor - start) as usize..(gap_end - start) as usize).unwrap_or_default();
            let piece = Piece { start: cursor, end: gap_end, position: partial.bytes.len() };
            partial.bytes.extend_from_slice(new);
            partial.received += gap_end - cursor;
            partial.pieces.insert(index, piece);
            index += 1;
        }
        let Some(next) = next else { return };
        cursor = next.end.max(cursor);
        index += 1;
    }
}
