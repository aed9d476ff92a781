//! Repeats of a finding are folded: the first is written at once, the others only counted, and a summary
//! follows when the window has passed.
//!
//! Repeats are the same kind between the same hosts at the same station with the same fold key. A window
//! is measured in packet time from the first occurrence. A repeat costs one look-up: no text, no
//! allocation. The table has a limit; when it is full the oldest window ends early, which is counted.

use std::collections::VecDeque;

use foldhash::quality::RandomState;
use hashbrown::HashMap;
use parsers::{FrameRef, Host, StationAddress, Timestamp};

use super::catalogue::{FindingKind, Severity};
use super::finding::Finding;

/// Nanoseconds of packet time over which repeats are folded.
pub const FOLD_WINDOW_NS: u64 = 60_000_000_000;
/// Windows open at a time in each shard. Each keeps the text of its finding, about 1.5 KiB.
pub const FOLD_WINDOWS: usize = 512;
/// Octets of kept text of a shard at which its oldest windows end early.
pub const FOLD_TEXT_OCTETS: usize = 1 << 20;
/// A closed window's buffer up to this size is kept for the next one.
const BUFFER_KEPT: usize = 4096;

#[derive(Debug, Copy, Clone, Eq, PartialEq, Hash)]
struct Key {
    kind: FindingKind,
    client: Host,
    server: Host,
    station: StationAddress,
    /// What is lowered by a maintenance window must not stand for what comes after its end.
    severity: Severity,
    fold_key: u64,
}

impl Key {
    fn of(finding: &Finding<'_>) -> Key {
        Key {
            kind: finding.kind,
            client: finding.client.host,
            server: finding.server.host,
            station: finding.station,
            severity: finding.severity(),
            fold_key: finding.fold_key,
        }
    }
}

/// An open window.
#[derive(Debug)]
pub struct Window {
    key: Key,
    opened: Timestamp,
    generation: u64,
    /// Identity of the finding, the same on every line about it.
    pub uid: [u8; 16],
    /// Packet time of the first occurrence.
    pub first: Timestamp,
    /// Packet time of the last occurrence.
    pub last: Timestamp,
    /// The frame of the last occurrence.
    pub last_frame: Option<FrameRef>,
    /// Occurrences.
    pub count: u64,
    /// The unchanging part of the line, as JSON members; empty when no log is kept.
    pub body: Vec<u8>,
}

/// The windows that are open.
#[derive(Debug)]
pub struct FoldTable {
    map: HashMap<Key, u32, RandomState>,
    windows: Vec<Window>,
    free: Vec<u32>,
    /// Windows by age, oldest first. An entry whose generation is not the window's is stale.
    order: VecDeque<(u32, u64)>,
    generations: u64,
    capacity: usize,
    /// Octets of text in open windows.
    text: usize,
    window_ns: u64,
    evicted: u64,
}

impl FoldTable {
    /// A table of at most `capacity` windows (at least one) of `window_ns` nanoseconds.
    pub fn new(capacity: usize, window_ns: u64) -> FoldTable {
        FoldTable {
            map: HashMap::default(),
            windows: Vec::new(),
            free: Vec::new(),
            order: VecDeque::new(),
            generations: 0,
            capacity: capacity.max(1),
            text: 0,
            window_ns,
            evicted: 0,
        }
    }

    /// Count a finding if its window is open. False: it is a first occurrence.
    pub fn repeat(&mut self, finding: &Finding<'_>) -> bool {
        let Some(&place) = self.map.get(&Key::of(finding)) else { return false };
        let window = &mut self.windows[place as usize];
        if finding.at.since(window.opened) >= self.window_ns {
            return false;
        }
        window.count += 1;
        window.first = window.first.min(finding.at);
        if finding.at >= window.last {
            window.last = finding.at;
            window.last_frame = finding.frames.last().copied();
        }
        true
    }

    /// Open a window for a first occurrence with the text of its line. Call [`FoldTable::make_room`]
    /// before until it is silent.
    pub fn open(&mut self, finding: &Finding<'_>, uid: [u8; 16], text: &[u8]) -> &Window {
        let key = Key::of(finding);
        self.generations += 1;
        let generation = self.generations;
        let fresh = Window {
            key,
            opened: finding.at,
            generation,
            uid,
            first: finding.at,
            last: finding.at,
            last_frame: finding.frames.last().copied(),
            count: 1,
            body: Vec::new(),
        };
        let place = if let Some(place) = self.free.pop() {
            let old = &mut self.windows[place as usize];
            let mut body = core::mem::take(&mut old.body);
            if body.capacity() > BUFFER_KEPT {
                body = Vec::new();
            }
            body.clear();
            *old = Window { body, ..fresh };
            place
        } else {
            self.windows.push(fresh);
            (self.windows.len() - 1) as u32
        };
        self.map.insert(key, place);
        self.order.push_back((place, generation));
        self.text += text.len();
        let window = &mut self.windows[place as usize];
        window.body.reserve_exact(text.len());
        window.body.extend_from_slice(text);
        window
    }

    /// Close the oldest window if its time is over at `now`.
    pub fn close_expired(&mut self, now: Timestamp) -> Option<&Window> {
        let place = self.oldest()?;
        if now.since(self.windows[place as usize].opened) < self.window_ns {
            return None;
        }
        Some(self.close(place))
    }

    /// When the oldest window's time is over.
    pub fn next_end(&self) -> Option<Timestamp> {
        // An entry of a window that was closed is looked at too: it is older than the oldest that is open,
        // and makes for one look too many.
        let (place, _) = self.order.front()?;
        let window = &self.windows[*place as usize];
        (!self.map.is_empty()).then(|| window.opened.plus(self.window_ns))
    }

    /// Close what stands in the way of a window for `finding`: an expired one of the same key, or the
    /// oldest of a full table.
    pub fn make_room(&mut self, finding: &Finding<'_>) -> Option<&Window> {
        if let Some(&place) = self.map.get(&Key::of(finding)) {
            return Some(self.close(place));
        }
        if self.map.len() < self.capacity && self.text < FOLD_TEXT_OCTETS {
            return None;
        }
        let place = self.oldest()?;
        self.evicted += 1;
        Some(self.close(place))
    }

    /// Close the oldest window, whatever its time.
    pub fn close_oldest(&mut self) -> Option<&Window> {
        let place = self.oldest()?;
        Some(self.close(place))
    }

    fn oldest(&mut self) -> Option<u32> {
        while let Some(&(place, generation)) = self.order.front() {
            let window = &self.windows[place as usize];
            if window.generation == generation && window.count > 0 {
                return Some(place);
            }
            self.order.pop_front();
        }
        None
    }

    fn close(&mut self, place: u32) -> &Window {
        let window = &mut self.windows[place as usize];
        self.map.remove(&window.key);
        self.text -= window.body.len();
        // A new generation makes the window's entry in the order stale.
        self.generations += 1;
        window.generation = self.generations;
        self.free.push(place);
        &self.windows[place as usize]
    }

    /// Windows open now.
    pub fn len(&self) -> usize {
        self.map.len()
    }

    /// Whether no window is open.
    pub fn is_empty(&self) -> bool {
        self.map.is_empty()
    }

    /// Windows that ended early because the table was full.
    pub fn evicted(&self) -> u64 {
        self.evicted
    }
}
