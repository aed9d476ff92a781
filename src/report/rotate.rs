//! A log file that is changed over to a new one when it is large or old enough.
//!
//! The file being written keeps its name (`events.jsonl`). On change-over it is renamed to
//! `events-<UTC time>-<number>.jsonl`, and of the renamed ones the newest `keep` stay. Lines are never
//! split over two files.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use parsers::Timestamp;

use super::json::to_the_second;
use super::writer::Destination;

/// When to change over, and how many old files to keep.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub struct Rotation {
    /// Octets after which a new file is begun.
    pub max_bytes: u64,
    /// Age, by the sensor's clock, after which a new file is begun.
    pub max_age: Duration,
    /// Old files kept beside the current one.
    pub keep: usize,
}

impl Default for Rotation {
    fn default() -> Self {
        Rotation { max_bytes: 256 << 20, max_age: Duration::from_hours(24), keep: 30 }
    }
}

/// Permissions of a log that is begun: its owner writes, its group reads, others do not see what a plant does.
const MODE: u32 = 0o640;

/// The log file.
#[derive(Debug)]
pub struct RotatingFile {
    path: PathBuf,
    file: File,
    size: u64,
    begun: SystemTime,
    rotation: Option<Rotation>,
    number: u64,
}

impl RotatingFile {
    /// Open for appending, or begin the file. Without a rotation the file grows without end (replay).
    pub fn open(path: &Path, rotation: Option<Rotation>) -> io::Result<RotatingFile> {
        let (file, size, begun) = begin(path)?;
        let number = old_files(path)?.last().map_or(0, |(number, _)| *number);
        Ok(RotatingFile { path: path.to_owned(), file, size, begun, rotation, number })
    }

    /// Begin the file anew, throwing away what it held (replay: the log is of this run).
    pub fn create(path: &Path) -> io::Result<RotatingFile> {
        // Opened once, and for writing alone: whoever reads a pipe would take a second opening for its end, and a
        // writer that also reads never learns that nobody else does.
        let file = OpenOptions::new().append(true).create(true).mode(MODE).open(path)?;
        if file.metadata()?.is_file() {
            claim(&file)?;
            file.set_len(0)?;
        }
        let begun = SystemTime::now();
        Ok(RotatingFile { path: path.to_owned(), file, size: 0, begun, rotation: None, number: 0 })
    }

    fn change_over(&mut self, rotation: Rotation) -> io::Result<()> {
        self.file.sync_data()?;
        let stamp = to_the_second(now().0 / 1_000_000_000);
        // 2023-11-14T22:13:20 without what a file name should not hold.
        let stamp: String =
            stamp.iter().filter(|c| !matches!(c, b'-' | b':')).map(|c| char::from(*c)).collect();
        self.number += 1;
        let (stem, ending) = parts(&self.path);
        let name = format!("{stem}-{stamp}Z-{:06}{ending}", self.number);
        match fs::rename(&self.path, self.path.with_file_name(name)) {
            // Somebody has moved or removed it: nothing is left to rename, and a new one is begun all the same.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            renamed => renamed?,
        }
        (self.file, self.size, self.begun) = begin(&self.path)?;
        let old = old_files(&self.path)?;
        for (_, path) in old.iter().take(old.len().saturating_sub(rotation.keep)) {
            tracing::info!(path = %path.display(), keep = rotation.keep, "removing the oldest event log");
            // One that cannot be removed must not keep the log from being written, nor the others.
            if let Err(error) = fs::remove_file(path) {
                tracing::warn!(path = %path.display(), %error, "an old event log cannot be removed");
            }
        }
        Ok(())
    }
}

impl Destination for RotatingFile {
    fn prepare(&mut self, lines: &[u8]) -> io::Result<usize> {
        let Some(rotation) = self.rotation else { return Ok(lines.len()) };
        let first_line = lines.iter().position(|&b| b == b'\n').map_or(lines.len(), |end| end + 1);
        let old = self.begun.elapsed().is_ok_and(|age| age >= rotation.max_age);
        let full = self.size + first_line as u64 > rotation.max_bytes;
        if self.size > 0 && (old || full) {
            self.change_over(rotation)?;
        }
        let room = usize::try_from(rotation.max_bytes.saturating_sub(self.size)).unwrap_or(usize::MAX);
        if lines.len() <= room {
            return Ok(lines.len());
        }
        let whole = lines[..room].iter().rposition(|&b| b == b'\n').map_or(0, |end| end + 1);
        Ok(whole.max(first_line))
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.size += written as u64;
        Ok(written)
    }
}

/// Nobody else may write to the log: lines of two sensors would be mixed, and each would rename it under the other.
fn claim(file: &File) -> io::Result<()> {
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Err(io::Error::new(
            io::ErrorKind::ResourceBusy,
            "another gridtap writes to it: stop that one, or give each a file of its own",
        )),
        // A file system without locks: as good as it gets.
        Err(TryLockError::Error(_)) | Ok(()) => Ok(()),
    }
}

/// Open the file for appending: the file, its size, and when it was begun. A line that a crash left
/// unfinished is ended, so that the next one stands alone.
fn begin(path: &Path) -> io::Result<(File, u64, SystemTime)> {
    let mut file = OpenOptions::new().read(true).append(true).create(true).mode(MODE).open(path)?;
    let facts = file.metadata()?;
    if facts.is_file() {
        claim(&file)?;
    }
    let begun = facts.created().or_else(|_| facts.modified()).unwrap_or_else(|_| SystemTime::now());
    let mut size = facts.len();
    if size > 0 && facts.is_file() {
        let mut last = [0];
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
        if last != *b"\n" {
            file.write_all(b"\n")?;
            size += 1;
        }
    }
    Ok((file, size, begun))
}

fn parts(path: &Path) -> (String, String) {
    let text = |part: Option<&std::ffi::OsStr>| part.map(|p| p.to_string_lossy().into_owned());
    let stem = text(path.file_stem()).unwrap_or_default();
    let ending = text(path.extension()).map_or(String::new(), |ending| format!(".{ending}"));
    (stem, ending)
}

/// Renamed files of this log with their numbers, oldest first.
fn old_files(path: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let (stem, ending) = parts(path);
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    // Something that is no plain file (a pipe, /dev/stdout) has no old ones.
    if !path.is_file() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some(middle) = name.strip_prefix(&stem).and_then(|rest| rest.strip_suffix(&ending)) else {
            continue;
        };
        if let Some(number) = number_of(middle) {
            found.push((number, entry.path()));
        }
    }
    found.sort();
    Ok(found)
}

/// The number in `-20231114T221320Z-000042`.
fn number_of(middle: &str) -> Option<u64> {
    let (stamp, number) = middle.strip_prefix('-')?.split_once('-')?;
    let shaped = stamp.len() == 16 && stamp.as_bytes()[8] == b'T' && stamp.ends_with('Z');
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if !shaped || !digits(number) || !digits(&stamp[..8]) { None } else { number.parse().ok() }
}

fn now() -> Timestamp {
    Timestamp(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as u64))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_log_has_one_writer_and_is_not_for_everybody() {
        let folder = std::env::temp_dir().join(format!("gridtap-rotate-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("events.jsonl");
        let mut first = RotatingFile::open(&path, None).unwrap();
        first.write(b"{}\n").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o137, 0);
        for second in [RotatingFile::open(&path, None), RotatingFile::create(&path)] {
            assert!(second.unwrap_err().to_string().contains("another gridtap writes to it"));
        }
        assert_eq!(fs::read(&path).unwrap(), b"{}\n");
        drop(first);
        RotatingFile::open(&path, None).unwrap();
        // What cannot be removed, here because it is a folder, does not keep the log from going on.
        fs::create_dir_all(folder.join("events-20200101T000000Z-000001.jsonl/in")).unwrap();
        fs::write(folder.join("events-20200101T000000Z-000002.jsonl"), "").unwrap();
        let rotation = Rotation { max_bytes: 1, keep: 1, ..Rotation::default() };
        let mut log = RotatingFile::open(&path, Some(rotation)).unwrap();
        log.prepare(b"{}\n").unwrap();
        log.write(b"{}\n").unwrap();
        assert!(!folder.join("events-20200101T000000Z-000002.jsonl").exists());
        fs::remove_dir_all(folder).unwrap();
    }
}
