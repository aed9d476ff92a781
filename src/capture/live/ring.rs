//! The ring shared with the kernel, TPACKET_V3 (Linux, Documentation/networking/packet_mmap).
//!
//! ```text
//! ring    | block 0 | block 1 | ... |      owned by the kernel or by us, as each block's status says
//! block   | descriptor 48 | packet | packet | ... |
//! packet  | header 48 | address 20 | room | frame .. | -> next by offset
//! ```
//!
//! The kernel hands over a block when it is full or [`RETIRE_MS`] after its first packet. Frames are read
//! where they lie; a block goes back when the frame behind its last one is asked for.

use std::io::{self, ErrorKind};
use std::mem;
use std::os::fd::{AsRawFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering};

use libc::{tpacket_block_desc, tpacket_hdr_v1, tpacket3_hdr};

use super::{socket, vlan};

/// Octets in a block. Holds the largest frame the card may merge (GRO) and many small ones.
const BLOCK: usize = 256 * 1024;

/// Fewest blocks: one being read while others fill.
const MIN_BLOCKS: usize = 4;

/// Most blocks: 1 GiB of ring, the most that the configuration accepts (`capture.ring_mib`).
const MAX_BLOCKS: usize = 4096;

/// A block that is not full is handed over after so many milliseconds. Short, since findings wait for it; not shorter,
/// since each block begins with cold caches: at 5,000 packets a second it holds 100.
pub(super) const RETIRE_MS: u32 = 20;

/// A frame in the ring.
#[derive(Debug, Copy, Clone)]
pub(super) struct Head {
    /// Nanoseconds since 1970.
    pub(super) at: u64,
    /// Length on the wire.
    pub(super) wire_len: u32,
    /// Offset in the ring.
    start: usize,
    captured: usize,
}

/// One interface's ring.
pub(super) struct Ring {
    map: NonNull<u8>,
    blocks: usize,
    /// The block in hand, or the next to come.
    block: usize,
    in_hand: bool,
    /// Packets of the block in hand not read yet.
    left: u32,
    /// Offset of the next packet header in the block.
    next: usize,
    /// Whether frames begin with Ethernet addresses, so that a VLAN tag can be put back.
    ethernet: bool,
    pub(super) fd: OwnedFd,
}

// SAFETY: the mapping belongs to this value alone and is reached through it only.
unsafe impl Send for Ring {}

impl Ring {
    /// Sets up a ring of about `octets` on a packet socket that is not bound yet.
    pub(super) fn new(fd: OwnedFd, octets: usize, ethernet: bool) -> io::Result<Ring> {
        let blocks = (octets / BLOCK).clamp(MIN_BLOCKS, MAX_BLOCKS);
        let version = libc::tpacket_versions::TPACKET_V3 as libc::c_int;
        socket::set(&fd, libc::SOL_PACKET, libc::PACKET_VERSION, &version)?;
        socket::set(&fd, libc::SOL_PACKET, libc::PACKET_RESERVE, &socket::RESERVE)?;
        let frame = 2048;
        let request = libc::tpacket_req3 {
            tp_block_size: BLOCK as u32,
            tp_block_nr: blocks as u32,
            // Of no meaning in this version, but it must be plausible.
            tp_frame_size: frame,
            tp_frame_nr: (BLOCK * blocks) as u32 / frame,
            tp_retire_blk_tov: RETIRE_MS,
            tp_sizeof_priv: 0,
            tp_feature_req_word: 0,
        };
        let ring = socket::set(&fd, libc::SOL_PACKET, libc::PACKET_RX_RING, &request);
        ring.map_err(|error| too_large(&error, BLOCK * blocks))?;
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: a new mapping of a descriptor we hold; the result is checked.
        let map = unsafe {
            let null = std::ptr::null_mut();
            libc::mmap(null, BLOCK * blocks, protection, libc::MAP_SHARED, fd.as_raw_fd(), 0)
        };
        if map == libc::MAP_FAILED {
            return Err(too_large(&io::Error::last_os_error(), BLOCK * blocks));
        }
        let map = NonNull::new(map.cast()).ok_or_else(|| io::Error::other("the ring is mapped at 0"))?;
        Ok(Ring { map, blocks, block: 0, in_hand: false, left: 0, next: 0, ethernet, fd })
    }

    /// The next frame, if the kernel has handed one over. What `frame` gave before is void then.
    #[inline]
    pub(super) fn advance(&mut self) -> Option<Head> {
        loop {
            while self.left == 0 {
                self.give_back();
                if !self.take() {
                    return None;
                }
            }
            self.left -= 1;
            if let Some(head) = self.packet() {
                return Some(head);
            }
        }
    }

    /// The frame of a head that `advance` gave last.
    #[inline]
    pub(super) fn frame(&self, head: &Head) -> &[u8] {
        // SAFETY: `packet` checked that the range lies in the block in hand, which the kernel leaves alone
        // until `give_back`; that needs `&mut self`.
        unsafe { std::slice::from_raw_parts(self.map.as_ptr().add(head.start), head.captured) }
    }

    fn block_start(&self) -> *mut u8 {
        // SAFETY: `block` is less than `blocks`, so this stays within the mapping.
        unsafe { self.map.as_ptr().add(self.block * BLOCK) }
    }

    fn status(&self) -> &AtomicU32 {
        let offset = mem::offset_of!(tpacket_block_desc, hdr) + mem::offset_of!(tpacket_hdr_v1, block_status);
        // SAFETY: within the mapping and aligned: blocks are page aligned and the offset is 8. The kernel
        // changes it concurrently, hence atomic.
        unsafe { AtomicU32::from_ptr(self.block_start().add(offset).cast()) }
    }

    /// Takes the next block if it is ours.
    fn take(&mut self) -> bool {
        if self.status().load(Ordering::Acquire) & libc::TP_STATUS_USER == 0 {
            return false;
        }
        // SAFETY: the block is ours; its descriptor is at its start and made of plain integers.
        let header = unsafe { self.block_start().cast::<tpacket_block_desc>().read_unaligned().hdr.bh1 };
        self.in_hand = true;
        self.left = header.num_pkts;
        self.next = header.offset_to_first_pkt as usize;
        true
    }

    fn give_back(&mut self) {
        if self.in_hand {
            self.in_hand = false;
            self.status().store(libc::TP_STATUS_KERNEL, Ordering::Release);
            self.block = (self.block + 1) % self.blocks;
        }
    }

    /// Reads the packet header at `next` and steps on. `None` if it does not fit its block, which the
    /// kernel never makes; the rest of the block is left then.
    #[inline]
    fn packet(&mut self) -> Option<Head> {
        let at = self.next;
        if at + mem::size_of::<tpacket3_hdr>() > BLOCK {
            self.left = 0;
            return None;
        }
        // SAFETY: the header lies within the block in hand; plain integers, read whatever the alignment.
        let header = unsafe { self.block_start().add(at).cast::<tpacket3_hdr>().read_unaligned() };
        self.next = at + header.tp_next_offset as usize;
        let mut start = at + usize::from(header.tp_mac);
        let mut captured = header.tp_snaplen as usize;
        let mut wire_len = header.tp_len;
        if start + captured > BLOCK || usize::from(header.tp_mac) < mem::size_of::<tpacket3_hdr>() {
            self.left = 0;
            return None;
        }
        let (tci, tpid) = (header.hv1.tp_vlan_tci, header.hv1.tp_vlan_tpid);
        if self.ethernet
            && let Some(tag) = vlan::stripped_tag(header.tp_status, tci, tpid)
        {
            // SAFETY: the four octets in front are room the ring leaves (`RESERVE`), behind the header; the
            // range lies in the block in hand, and nobody else holds a reference into it (`&mut self`).
            let area = unsafe {
                let from = self.block_start().add(start - vlan::TAG);
                std::slice::from_raw_parts_mut(from, captured + vlan::TAG)
            };
            if vlan::put_back(area, tag) {
                start -= vlan::TAG;
                captured += vlan::TAG;
                wire_len = wire_len.saturating_add(vlan::TAG as u32);
            }
        }
        let at = u64::from(header.tp_sec) * 1_000_000_000 + u64::from(header.tp_nsec);
        Some(Head { at, wire_len, start: self.block * BLOCK + start, captured })
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        // SAFETY: unmaps exactly what `new` mapped; no slice of it outlives `self`.
        unsafe { libc::munmap(self.map.as_ptr().cast(), BLOCK * self.blocks) };
    }
}

fn too_large(error: &io::Error, octets: usize) -> io::Error {
    let message = format!("no ring of {octets} octets ({error}); try a smaller one");
    io::Error::new(ErrorKind::OutOfMemory, message)
}
