//! Capture files: pcap and pcapng, compressed or not, one or several merged by time.
//!
//! ```text
//! input      file or standard input, decompressed
//! window     a moving buffer, records parsed in place
//! pcap(ng)   one record at a time
//! here       the file whose next frame is the earliest comes next
//! ```
//!
//! A file that is damaged or cut short gives everything before the damage, then a
//! [`TroubleKind::Damaged`] with the offset, and ends; other files go on. There is no search for a
//! plausible record behind the damage: frames found by guessing are no evidence.

mod bytes;
mod input;
mod pcap;
mod pcapng;
#[cfg(test)]
mod tests;
mod timescale;
mod window;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::{self, ErrorKind, Read};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use self::input::Input;
use self::pcap::Pcap;
use self::pcapng::PcapNg;
use self::window::Window;
use super::{Frame, FrameSource, LinkType, Next, Trouble, TroubleKind, tell};
use parsers::{FrameRef, Timestamp};

/// Largest capture length a record may claim, in octets; more is taken for damage, as Wireshark does.
/// Bounds the buffer.
pub const MAX_FRAME: u32 = 262_144;

/// Most files read at once: taps are numbered with 16 bits.
pub const MAX_FILES: usize = 65_535;

/// Opens capture files for reading in order of time; `-` is standard input. An error names the file and
/// what was expected; damage further on in a file is told as [`Trouble`] while reading.
pub fn open_files(paths: &[PathBuf]) -> io::Result<FileSource> {
    if paths.iter().filter(|path| path.as_os_str() == "-").count() > 1 {
        return Err(io::Error::new(ErrorKind::InvalidInput, "standard input (-) can be given once only"));
    }
    let mut inputs = Vec::with_capacity(paths.len());
    for path in paths {
        let name = path.display().to_string();
        let input = Input::open(path).map_err(|error| with_name(&name, &error))?;
        inputs.push((name, input));
    }
    FileSource::new(inputs)
}

fn with_name(name: &str, error: &io::Error) -> io::Error {
    let remedy = match error.raw_os_error() {
        Some(libc::EMFILE | libc::ENFILE) => {
            "; raise the limit on open files (ulimit -n) or give fewer files"
        }
        Some(libc::ENOENT) => "; check the path of the capture",
        Some(libc::EACCES) => "; check who may read the capture",
        _ => "",
    };
    io::Error::new(error.kind(), format!("{name}: {error}{remedy}"))
}

/// Frames of one or several capture files, merged by time. Equal times: the file given first comes first.
/// Within one file the order is always the file's own, whatever its time stamps say.
pub struct FileSource {
    names: Vec<String>,
    files: Vec<CaptureFile>,
    /// The file the last frame came from.
    current: Option<usize>,
    /// The other files that have a frame ready, earliest first.
    waiting: BinaryHeap<Reverse<(Timestamp, usize)>>,
    trouble: Vec<Trouble>,
}

impl FileSource {
    /// Reads captures from readers instead of paths, each under a name; they may be compressed.
    pub fn from_readers(readers: Vec<(String, Box<dyn Read + Send>)>) -> io::Result<FileSource> {
        let mut inputs = Vec::with_capacity(readers.len());
        for (name, reader) in readers {
            let input = Input::from_reader(reader, None).map_err(|error| with_name(&name, &error))?;
            inputs.push((name, input));
        }
        FileSource::new(inputs)
    }

    fn new(inputs: Vec<(String, Input)>) -> io::Result<FileSource> {
        if inputs.len() > MAX_FILES {
            let message = format!("{} capture files, more than the limit of {MAX_FILES}", inputs.len());
            return Err(io::Error::new(ErrorKind::InvalidInput, message));
        }
        let mut source = FileSource {
            names: Vec::with_capacity(inputs.len()),
            files: Vec::with_capacity(inputs.len()),
            current: None,
            waiting: BinaryHeap::new(),
            trouble: Vec::new(),
        };
        for (index, (name, input)) in inputs.into_iter().enumerate() {
            let tap = u16::try_from(index).unwrap_or(u16::MAX);
            let mut file = CaptureFile::new(tap, input).map_err(|error| with_name(&name, &error))?;
            if let Some(at) = file.advance(&mut source.trouble) {
                source.waiting.push(Reverse((at, index)));
            }
            source.files.push(file);
            source.names.push(name);
        }
        Ok(source)
    }

    /// Steps to the file whose next frame is the earliest.
    #[inline(always)]
    fn step(&mut self) -> Option<usize> {
        let ready = match self.current {
            Some(index) => self.files[index].advance(&mut self.trouble).map(|at| (at, index)),
            None => None,
        };
        if ready.is_some() && self.waiting.is_empty() {
            return self.current;
        }
        self.turn(ready)
    }

    /// The same with several files, or at an end.
    #[inline(never)]
    fn turn(&mut self, ready: Option<(Timestamp, usize)>) -> Option<usize> {
        self.current = match (ready, self.waiting.peek_mut()) {
            (Some(mine), Some(mut other)) if other.0 < mine => {
                let index = other.0.1;
                other.0 = mine;
                Some(index)
            }
            (Some((_, index)), _) => Some(index),
            (None, Some(other)) => {
                let Reverse((_, index)) = std::collections::binary_heap::PeekMut::pop(other);
                Some(index)
            }
            (None, None) => None,
        };
        self.current
    }
}

impl FrameSource for FileSource {
    #[inline(always)]
    fn next(&mut self) -> io::Result<Next<'_>> {
        match self.step() {
            Some(index) => Ok(Next::Frame(self.files[index].frame())),
            None => Ok(Next::End),
        }
    }

    fn taps(&self) -> &[String] {
        &self.names
    }

    fn take_trouble(&mut self) -> Vec<Trouble> {
        std::mem::take(&mut self.trouble)
    }

    fn progress(&self) -> Option<(u64, u64)> {
        let mut sum = (0, 0);
        for file in &self.files {
            sum.0 += file.done.load(Ordering::Relaxed);
            sum.1 += file.size?;
        }
        Some(sum)
    }
}

/// What a format's reader found.
enum Step {
    /// A frame, now in the window.
    Frame,
    /// The file ended at a record's border.
    End,
    /// It did not, or what is there is no record.
    Damaged(Box<Damage>),
}

/// The offset of the record that is none, and why.
struct Damage {
    offset: u64,
    reason: String,
}

impl Step {
    #[cold]
    fn damaged(offset: u64, reason: String) -> Step {
        Step::Damaged(Box::new(Damage { offset, reason }))
    }
}

/// A frame at the window's start.
#[derive(Debug, Copy, Clone)]
struct Head {
    at: Timestamp,
    link: LinkType,
    wire_len: u32,
    /// Offset of the frame in its record.
    start: u32,
    captured: u32,
    /// Length of the record.
    record: u32,
}

const NO_FRAME: Head =
    Head { at: Timestamp(0), link: LinkType::Ethernet, wire_len: 0, start: 0, captured: 0, record: 0 };

enum Format {
    Pcap(Pcap),
    PcapNg(PcapNg),
    /// Nothing more is read from this file.
    Ended,
}

struct CaptureFile {
    tap: u16,
    window: Window,
    format: Format,
    head: Head,
    /// Number of the frame in `head`.
    number: u64,
    done: Arc<AtomicU64>,
    size: Option<u64>,
    /// Why the file header could not be read, until it is told.
    damaged: Option<String>,
}

impl CaptureFile {
    fn new(tap: u16, input: Input) -> io::Result<CaptureFile> {
        let mut window = Window::new(input.reader);
        let magic = window.need(4).and_then(|octets| octets.first_chunk::<4>().copied());
        let mut damaged = None;
        let format = match magic {
            None => return Err(not_a_capture(&window)),
            Some(magic) if PcapNg::recognises(magic) => Format::PcapNg(PcapNg::new()),
            Some(magic) if Pcap::recognises(magic) => match Pcap::open(&mut window) {
                Ok(pcap) => Format::Pcap(pcap),
                Err(reason) => {
                    damaged = Some(reason);
                    Format::Ended
                }
            },
            Some(_) => return Err(not_a_capture(&window)),
        };
        let (done, size) = (input.done, input.size);
        Ok(CaptureFile { tap, window, format, head: NO_FRAME, number: 0, done, size, damaged })
    }

    /// Reads the next frame into `head`; its time, or `None` when the file has no more.
    #[inline(always)]
    fn advance(&mut self, trouble: &mut Vec<Trouble>) -> Option<Timestamp> {
        self.window.consume(self.head.record as usize);
        if let Format::Pcap(pcap) = &self.format
            && pcap.next(self.window.unread(), &mut self.head)
        {
            self.number += 1;
            return Some(self.head.at);
        }
        self.advance_slowly(trouble)
    }

    #[inline(never)]
    fn advance_slowly(&mut self, trouble: &mut Vec<Trouble>) -> Option<Timestamp> {
        self.head.record = 0;
        let step = match &mut self.format {
            Format::Pcap(pcap) => pcap.advance(&mut self.window, &mut self.head),
            Format::PcapNg(pcapng) => pcapng.advance(&mut self.window, &mut self.head),
            Format::Ended => Step::End,
        };
        if let Format::PcapNg(PcapNg { drops: 1.., .. }) = self.format {
            self.tell_drops(trouble);
        }
        if let Step::Frame = step {
            self.number += 1;
            return Some(self.head.at);
        }
        self.end(step, trouble);
        None
    }

    #[cold]
    fn tell_drops(&mut self, trouble: &mut Vec<Trouble>) {
        if let Format::PcapNg(pcapng) = &mut self.format {
            let kind = TroubleKind::KernelDrops(std::mem::take(&mut pcapng.drops));
            tell(trouble, Trouble { tap: self.tap, kind });
        }
    }

    #[cold]
    fn end(&mut self, step: Step, trouble: &mut Vec<Trouble>) {
        self.format = Format::Ended;
        let damage = match step {
            Step::Damaged(damage) => Some(*damage),
            _ => self.damaged.take().map(|reason| Damage { offset: 0, reason }),
        };
        if let Some(Damage { offset, reason }) = damage {
            let kind = TroubleKind::Damaged { offset, reason };
            tell(trouble, Trouble { tap: self.tap, kind });
        }
    }

    #[inline(always)]
    fn frame(&self) -> Frame<'_> {
        let head = &self.head;
        let bytes = self.window.unread().get(head.start as usize..);
        let bytes = bytes.and_then(|bytes| bytes.get(..head.captured as usize)).unwrap_or_default();
        Frame {
            at: head.at,
            place: FrameRef { tap: self.tap, number: self.number },
            link: head.link,
            wire_len: head.wire_len,
            bytes,
        }
    }
}

#[cold]
fn cut_short(window: &Window, what: &str) -> String {
    let rest = window.unread().len();
    match window.failure() {
        Some(error) => format!("reading failed within {what}: {error}"),
        None => format!("the file ends within {what}, {rest} octets after its start"),
    }
}

fn not_a_capture(window: &Window) -> io::Error {
    let found = match (window.unread(), window.failure()) {
        (_, Some(error)) => format!("cannot be read: {error}"),
        ([], None) => "is empty".to_owned(),
        (octets, None) => {
            let magic: Vec<_> = octets.iter().take(4).map(|octet| format!("{octet:02x}")).collect();
            format!("is not a capture file (it begins with {})", magic.join(" "))
        }
    };
    let message = format!("{found}; expected a pcap or pcapng file, plain or compressed with gzip or zstd");
    io::Error::new(ErrorKind::InvalidData, message)
}
