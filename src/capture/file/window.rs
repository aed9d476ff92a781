//! The moving window through which a capture file is parsed in place.
//!
//! ```text
//! buf   |.. consumed ..|#### unread ####|.. free ..|
//!       0              start            end        buf.len()
//! ```
//!
//! Records are handed out as slices of this buffer, so a packet costs no copy. Only the unread rest (less
//! than one record) is moved when the buffer is refilled. The file is not memory mapped: a mapped file that
//! another process shortens kills the reader with SIGBUS, and reading 64 KiB at a time through a buffer
//! that stays in the cache measures no slower than the map's page faults.

use std::io::{ErrorKind, Read};

/// Octets read at a time. Stays in the cache; more is no faster, and a thousand files are open at once.
const BUFFER: usize = 64 * 1024;

/// The longest record any reader may ask for; bounds the buffer. A packet of the largest capture length
/// with its block and options fits.
pub(super) const MAX_RECORD: usize = 1024 * 1024;

/// Unread part of a (decompressed) file.
pub(super) struct Window {
    reader: Box<dyn Read + Send>,
    buf: Vec<u8>,
    start: usize,
    end: usize,
    /// Offset in the file of `buf[0]`.
    base: u64,
    /// No more will come: end of file or `failure`.
    ended: bool,
    /// The error that ended reading.
    failure: Option<String>,
}

impl Window {
    pub(super) fn new(reader: Box<dyn Read + Send>) -> Window {
        Window { reader, buf: vec![0; BUFFER], start: 0, end: 0, base: 0, ended: false, failure: None }
    }

    /// Offset in the file of the first unread octet.
    pub(super) fn offset(&self) -> u64 {
        self.base + self.start as u64
    }

    /// What has been read ahead.
    #[inline]
    pub(super) fn unread(&self) -> &[u8] {
        self.buf.get(self.start..self.end).unwrap_or_default()
    }

    /// The error that ended reading before the end of the file, if one did.
    pub(super) fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }

    /// The next `wanted` octets and whatever follows them in the buffer, or `None` if the file has fewer.
    #[inline]
    pub(super) fn need(&mut self, wanted: usize) -> Option<&[u8]> {
        if self.end - self.start < wanted && !self.fill(wanted) {
            return None;
        }
        Some(self.unread())
    }

    /// Takes `count` octets as read; no more than are unread.
    #[inline]
    pub(super) fn consume(&mut self, count: usize) {
        self.start = (self.start + count).min(self.end);
    }

    /// Passes over `count` octets without holding them all. `false` if the file ends before.
    pub(super) fn skip(&mut self, count: u64) -> bool {
        let mut left = count;
        loop {
            let here = self.end - self.start;
            if left <= here as u64 {
                self.start += left as usize;
                return true;
            }
            self.start = self.end;
            left -= here as u64;
            if !self.fill(1) {
                return false;
            }
        }
    }

    #[cold]
    fn fill(&mut self, wanted: usize) -> bool {
        if wanted > MAX_RECORD {
            return false;
        }
        self.buf.copy_within(self.start..self.end, 0);
        self.base += self.start as u64;
        self.end -= self.start;
        self.start = 0;
        if wanted > self.buf.len() {
            self.buf.resize(wanted, 0);
        }
        while self.end < wanted && !self.ended {
            match self.reader.read(&mut self.buf[self.end..]) {
                Ok(0) => self.ended = true,
                Ok(count) => self.end += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    self.ended = true;
                    self.failure = Some(error.to_string());
                }
            }
        }
        self.end >= wanted
    }
}
