//! How long a station takes to answer, and when that has risen for minutes.
//!
//! The 95th percentile of the last answers, window by window of at least a minute; the first five windows
//! make what is usual.

use parsers::Timestamp;
use profiles::Thresholds;

/// Answers of a window that are kept: the last ones.
const KEPT: usize = 64;
/// Answers that a window has at least.
const LEAST: u32 = 20;
const WINDOW_NS: u64 = 60_000_000_000;
const WINDOWS_LEARNED: u8 = 5;
/// Windows in a row that must be slow, however long they are.
const SLOW_WINDOWS: u8 = 3;

/// Answers of the present window.
#[derive(Debug)]
pub(super) struct Latency {
    kept: [u32; KEPT],
    count: u32,
    began: Timestamp,
    windows: u8,
    /// Usual 95th percentile in microseconds.
    usual: u32,
    /// Since when every window was slow.
    slow_since: Option<Timestamp>,
    slow_windows: u8,
    told: bool,
}

/// Answers have become slow.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub(super) struct Slow {
    pub(super) usual_ns: u64,
    pub(super) now_ns: u64,
    pub(super) since: Timestamp,
}

impl Default for Latency {
    fn default() -> Latency {
        Latency {
            kept: [0; KEPT],
            count: 0,
            began: Timestamp::default(),
            windows: 0,
            usual: 0,
            slow_since: None,
            slow_windows: 0,
            told: false,
        }
    }
}

impl Latency {
    /// An answer took `ns`.
    #[inline]
    pub(super) fn answer(&mut self, at: Timestamp, ns: u64, thresholds: &Thresholds) -> Option<Slow> {
        if self.count == 0 {
            self.began = at;
        }
        self.kept[self.count as usize % KEPT] = (ns / 1000).min(u64::from(u32::MAX)) as u32;
        self.count = self.count.saturating_add(1);
        if self.count < LEAST || at.since(self.began) < WINDOW_NS {
            return None;
        }
        self.window(at, thresholds)
    }

    #[cold]
    fn window(&mut self, at: Timestamp, thresholds: &Thresholds) -> Option<Slow> {
        let count = (core::mem::take(&mut self.count) as usize).min(KEPT);
        let mut sorted = self.kept;
        let sorted = &mut sorted[..count];
        sorted.sort_unstable();
        // Never a single answer's word.
        let p95 = sorted[(count - 1) * 95 / 100];
        if self.windows < WINDOWS_LEARNED {
            self.windows += 1;
            self.usual = self.usual.max(p95);
            return None;
        }
        let ns = |us: u32| u64::from(us) * 1000;
        let slow = f64::from(p95) > f64::from(self.usual) * thresholds.latency_factor
            && ns(p95) as f64 > thresholds.latency_floor * 1e9;
        if !slow {
            self.slow_since = None;
            self.slow_windows = 0;
            self.told = false;
            return None;
        }
        let since = *self.slow_since.get_or_insert(self.began);
        self.slow_windows = self.slow_windows.saturating_add(1);
        if self.told
            || self.slow_windows < SLOW_WINDOWS
            || at.since(since) < (thresholds.latency_time * 1e9) as u64
        {
            return None;
        }
        self.told = true;
        Some(Slow { usual_ns: ns(self.usual), now_ns: ns(p95), since })
    }
}
