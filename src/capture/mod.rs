//! Where frames come from: capture files and live interfaces.
//!
//! First step of the way from wire to metric. A source hands out one frame at a time, borrowed from its
//! own buffer (the mapped file, the kernel's ring); nothing is copied here.

pub mod file;
pub mod live;

use parsers::{FrameRef, Timestamp};

/// How a frame begins.
#[derive(Debug, Copy, Clone, Eq, PartialEq, Hash)]
pub enum LinkType {
    /// Ethernet (LINKTYPE 1).
    Ethernet,
    /// Bare IPv4 or IPv6 (LINKTYPE 12, 14, 101, 228, 229).
    RawIp,
    /// Linux cooked capture v1 (LINKTYPE 113).
    LinuxCooked,
    /// Linux cooked capture v2 (LINKTYPE 276).
    LinuxCooked2,
    /// BSD loopback, address family in the capturing host's byte order (LINKTYPE 0), or in network order
    /// (LINKTYPE 108); both are recognised.
    BsdLoopback,
    /// PPP, or Cisco's HDLC: the address octet tells (LINKTYPE 9, 50, 104).
    Ppp,
    /// The same behind an octet for the direction (LINKTYPE 204, 205).
    PppWithDirection,
    /// PPP over Ethernet, without the Ethernet header (LINKTYPE 51).
    Pppoe,
    /// Anything else; frames are counted as not decodable.
    Other(u32),
}

impl LinkType {
    /// From the LINKTYPE_ registry's number, as capture files give it.
    #[must_use]
    pub fn from_number(number: u32) -> LinkType {
        match number {
            1 => LinkType::Ethernet,
            // 12 and 14 are DLT_RAW of several systems, written to files by old libpcap.
            12 | 14 | 101 | 228 | 229 => LinkType::RawIp,
            113 => LinkType::LinuxCooked,
            276 => LinkType::LinuxCooked2,
            0 | 108 => LinkType::BsdLoopback,
            9 | 50 | 104 => LinkType::Ppp,
            204 | 205 => LinkType::PppWithDirection,
            51 => LinkType::Pppoe,
            other => LinkType::Other(other),
        }
    }
}

/// One frame as the tap gave it.
#[derive(Debug, Copy, Clone)]
pub struct Frame<'a> {
    /// When the tap saw it.
    pub at: Timestamp,
    /// Which tap or file, and its number there.
    pub place: FrameRef,
    /// How it begins.
    pub link: LinkType,
    /// Its length on the wire; more than `bytes.len()` if the snap length cut it.
    pub wire_len: u32,
    /// What was captured of it.
    pub bytes: &'a [u8],
}

/// What a source has to say next.
#[derive(Debug)]
pub enum Next<'a> {
    /// A frame.
    Frame(Frame<'a>),
    /// Nothing came for a while (live only); the sensor's clock says so.
    Idle(Timestamp),
    /// Nothing will come any more.
    End,
}

/// A supply of frames, in order of time as far as the taps allow.
pub trait FrameSource {
    /// The next frame. An error ends the supply.
    fn next(&mut self) -> std::io::Result<Next<'_>>;
    /// The taps (interface or file names) by [`FrameRef::tap`].
    fn taps(&self) -> &[String];
    /// Trouble since the last call (damaged records, kernel drops); cleared by the call.
    fn take_trouble(&mut self) -> Vec<Trouble>;
    /// How far a file has been read, in octets: done and whole. `None` for live taps and pipes.
    fn progress(&self) -> Option<(u64, u64)> {
        None
    }
}

/// What went wrong at a tap.
#[derive(Debug, Clone, Eq, PartialEq)]
pub struct Trouble {
    /// Index of the tap.
    pub tap: u16,
    /// What it was.
    pub kind: TroubleKind,
}

/// Kinds of trouble at a tap.
#[derive(Debug, Clone, Eq, PartialEq)]
pub enum TroubleKind {
    /// A file is damaged or cut short at this offset; what was before it has been handed out.
    Damaged {
        /// Offset in the (decompressed) file.
        offset: u64,
        /// What is wrong there, in a sentence.
        reason: String,
    },
    /// The kernel dropped frames because the ring was full.
    KernelDrops(u64),
    /// The interface went down or vanished.
    TapLost(String),
}

/// Adds to the list of troubles; drops of one tap are summed and repetitions left out, so that the list
/// stays short even if nobody asks for it.
#[cold]
pub(crate) fn tell(troubles: &mut Vec<Trouble>, new: Trouble) {
    if let TroubleKind::KernelDrops(more) = new.kind {
        for trouble in troubles.iter_mut().filter(|trouble| trouble.tap == new.tap) {
            if let TroubleKind::KernelDrops(count) = &mut trouble.kind {
                *count = count.saturating_add(more);
                return;
            }
        }
    }
    if !troubles.contains(&new) {
        troubles.push(new);
    }
}
