//! Opens what a capture is read from: a file or standard input, compressed or not.
//!
//! Compression is told by the first octets, never by the name: gzip (RFC 1952, several members),
//! Zstandard (RFC 8878, several frames).

use std::fs::File;
use std::io::{self, Cursor, ErrorKind, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::read::MultiGzDecoder;

/// Largest window a Zstandard frame may ask for, as a power of two: 128 MiB, the format's usual maximum.
/// It bounds the memory that a file from an untrusted hand can claim.
const ZSTD_WINDOW_LOG_MAX: u32 = 27;

/// A capture's octets, decompressed.
pub(super) struct Input {
    pub(super) reader: Box<dyn Read + Send>,
    /// Octets read so far of the file as it lies on the disk.
    pub(super) done: Arc<AtomicU64>,
    /// Its size; `None` if it is no regular file.
    pub(super) size: Option<u64>,
}

impl Input {
    /// Opens `path`; `-` is standard input.
    pub(super) fn open(path: &Path) -> io::Result<Input> {
        if path.as_os_str() == "-" {
            return Input::from_reader(Box::new(io::stdin()), None);
        }
        let file = File::open(path)?;
        let meta = file.metadata()?;
        if meta.is_dir() {
            return Err(io::Error::new(ErrorKind::IsADirectory, "is a directory, not a capture file"));
        }
        let size = meta.is_file().then_some(meta.len());
        Input::from_reader(Box::new(file), size)
    }

    /// Wraps `raw`, decompressing if its first octets say so.
    pub(super) fn from_reader(raw: Box<dyn Read + Send>, size: Option<u64>) -> io::Result<Input> {
        let done = Arc::new(AtomicU64::new(0));
        let mut raw = Counted { inner: raw, done: Arc::clone(&done) };
        let mut magic = Vec::with_capacity(4);
        raw.by_ref().take(4).read_to_end(&mut magic)?;
        let compressed = compression(&magic);
        let whole = Cursor::new(magic).chain(raw);
        let reader: Box<dyn Read + Send> = match compressed {
            Compression::None => Box::new(whole),
            Compression::Gzip => Box::new(BySmallSteps(MultiGzDecoder::new(whole))),
            Compression::Zstd => {
                let mut decoder = zstd::stream::read::Decoder::new(whole)?;
                decoder.window_log_max(ZSTD_WINDOW_LOG_MAX)?;
                Box::new(decoder)
            }
        };
        Ok(Input { reader, done, size })
    }
}

/// Octets asked of the decompressor at a time. What it had decoded in the call that fails is lost, so a
/// damaged file loses less than this before the damage.
const STEP: usize = 512;

/// Reads in small steps.
struct BySmallSteps<R>(R);

impl<R: Read> Read for BySmallSteps<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let step = buf.len().min(STEP);
        self.0.read(&mut buf[..step])
    }
}

enum Compression {
    None,
    Gzip,
    Zstd,
}

fn compression(magic: &[u8]) -> Compression {
    match magic {
        [0x1f, 0x8b, ..] => Compression::Gzip,
        [0x28, 0xb5, 0x2f, 0xfd] => Compression::Zstd,
        // A skippable frame may come first.
        [0x50..=0x5f, 0x2a, 0x4d, 0x18] => Compression::Zstd,
        _ => Compression::None,
    }
}

/// Counts what is read, for the progress bar.
struct Counted {
    inner: Box<dyn Read + Send>,
    done: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buf)?;
        self.done.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}
