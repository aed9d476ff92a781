//! Several interfaces served by one thread, their frames in the order of time.
//!
//! The kernel hands over each interface's frames in blocks, up to [`HOLD`] late. If several interfaces
//! are watched, a frame is held until every other interface has shown a later one or has had that long to
//! do so: the two directions of a link are often tapped by one interface each, and an answer must not
//! overtake its question. With one interface nothing is held.

use std::io::{self, ErrorKind};
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::ring::{Head, RETIRE_MS, Ring};
use super::{Filtering, LiveOptions, MAX_INTERFACES, filter, socket};
use crate::capture::{Frame, FrameSource, LinkType, Next, Trouble, TroubleKind, tell};
use parsers::{FrameRef, Timestamp};

const MILLISECOND: u64 = 1_000_000;

/// Longest a frame waits for frames of other interfaces, in nanoseconds: a block may be handed over up to
/// two periods after its first packet.
const HOLD: u64 = (2 * RETIRE_MS as u64 + 10) * MILLISECOND;

/// Without frames, the caller hears of it so often.
const IDLE: u64 = 100 * MILLISECOND;

/// The kernel's drop counters are read so often.
const STATISTICS: u64 = 1_000 * MILLISECOND;

/// What the kernel counted at a tap, for metrics; kept up to date about every second.
#[derive(Debug, Default)]
pub struct TapCounters {
    /// Frames that reached the tap and passed its filter, dropped ones included.
    pub packets: AtomicU64,
    /// Frames among them that the ring had no room for.
    pub drops: AtomicU64,
}

/// Frames of one or several interfaces.
pub struct LiveSource {
    names: Vec<String>,
    taps: Vec<Tap>,
    filtering: Vec<Filtering>,
    counters: Arc<[TapCounters]>,
    /// The tap the last frame came from.
    current: Option<usize>,
    /// The clock when it was last looked at.
    now: u64,
    /// When the drop counters were last read.
    counted: u64,
    /// When the caller last heard of the time.
    told: u64,
    trouble: Vec<Trouble>,
    polled: Vec<libc::pollfd>,
}

struct Tap {
    ring: Ring,
    index: libc::c_int,
    link: LinkType,
    /// The next frame, unless none is there.
    head: Option<Head>,
    /// Number of the frame in `head`.
    number: u64,
    /// When the interface was found gone for good.
    lost: Option<u64>,
}

impl LiveSource {
    /// Starts watching. The taps are named after the interfaces. Errors name the interface and a remedy.
    pub fn open(options: &LiveOptions) -> io::Result<LiveSource> {
        let names = &options.interfaces;
        let usage = |message: String| Err(io::Error::new(ErrorKind::InvalidInput, message));
        if names.is_empty() {
            return usage("no interface to watch was named".to_owned());
        }
        if names.len() > MAX_INTERFACES {
            return usage(format!("{} interfaces, more than the limit of {MAX_INTERFACES}", names.len()));
        }
        if let Some(twice) = names.iter().enumerate().find(|(at, name)| names[..*at].contains(name)) {
            return usage(format!("interface {} is named twice", twice.1));
        }
        let mut source = LiveSource {
            names: names.clone(),
            taps: Vec::with_capacity(names.len()),
            filtering: Vec::with_capacity(names.len()),
            counters: names.iter().map(|_| TapCounters::default()).collect(),
            current: None,
            now: now(),
            counted: now(),
            told: now(),
            trouble: Vec::new(),
            polled: Vec::with_capacity(names.len()),
        };
        let mut failures: Vec<io::Error> = Vec::new();
        for name in names {
            match Tap::open(name, options) {
                Ok((tap, filtering)) => {
                    source.taps.push(tap);
                    source.filtering.push(filtering);
                }
                Err(error) => {
                    failures.push(io::Error::new(error.kind(), format!("interface {name}: {error}")));
                }
            }
        }
        // All that is wrong at once, so that nobody repairs one interface after the other.
        let Some(first) = failures.first() else { return Ok(source) };
        let texts: Vec<String> = failures.iter().map(ToString::to_string).collect();
        Err(io::Error::new(first.kind(), texts.join("\n")))
    }

    /// What the kernel holds back at each tap.
    pub fn filtering(&self) -> &[Filtering] {
        &self.filtering
    }

    /// The kernel's counts per tap, to be read by another thread.
    pub fn counters(&self) -> Arc<[TapCounters]> {
        Arc::clone(&self.counters)
    }

    /// Reads the kernel's counters now; new drops become [`Trouble`]. Happens by itself every second.
    pub fn read_counters(&mut self) {
        self.counted = self.now;
        for (index, tap) in self.taps.iter().enumerate() {
            let Ok(new) = socket::statistics(&tap.ring.fd) else { continue };
            let Some(counters) = self.counters.get(index) else { continue };
            counters.packets.fetch_add(u64::from(new.tp_packets), Ordering::Relaxed);
            counters.drops.fetch_add(u64::from(new.tp_drops), Ordering::Relaxed);
            if new.tp_drops > 0 {
                let kind = TroubleKind::KernelDrops(u64::from(new.tp_drops));
                tell(&mut self.trouble, Trouble { tap: index as u16, kind });
            }
        }
    }

    /// The tap whose frame is the next in time, if that is certain by now; otherwise when it will be.
    #[inline]
    fn choose(&mut self) -> Result<usize, Option<u64>> {
        if let [only] = self.taps.as_mut_slice() {
            return if only.look() { Ok(0) } else { Err(None) };
        }
        let mut earliest: Option<(u64, usize)> = None;
        let mut missing = false;
        for (index, tap) in self.taps.iter_mut().enumerate() {
            if tap.look() {
                let at = tap.head.map_or(0, |head| head.at);
                earliest = Some(earliest.map_or((at, index), |other| other.min((at, index))));
            } else {
                missing |= tap.lost.is_none();
            }
        }
        let Some((at, index)) = earliest else { return Err(None) };
        let due = at.saturating_add(HOLD);
        if missing && due > self.now {
            self.now = now();
            // A frame from the future means that the clock was set back: do not wait for it.
            if due > self.now && at <= self.now {
                return Err(Some(due));
            }
        }
        Ok(index)
    }

    /// Waits for frames of the taps that have none, no longer than until `due`.
    fn wait(&mut self, due: Option<u64>) -> io::Result<()> {
        self.polled.clear();
        for tap in &self.taps {
            // Of a tap that has frames nothing is awaited: it would wake us at once. Negative is ignored.
            let awaited = tap.lost.is_none() && tap.head.is_none();
            let fd = if awaited { tap.ring.fd.as_raw_fd() } else { -1 };
            self.polled.push(libc::pollfd { fd, events: libc::POLLIN | libc::POLLERR, revents: 0 });
        }
        let limit = due.map_or(IDLE, |due| due.saturating_sub(self.now).min(IDLE));
        let timeout = libc::c_int::try_from(limit.div_ceil(MILLISECOND)).unwrap_or(100);
        // SAFETY: the array is valid for its length during the call.
        let ready = unsafe { libc::poll(self.polled.as_mut_ptr(), self.polled.len() as _, timeout) };
        self.now = now();
        if ready < 0 {
            let error = io::Error::last_os_error();
            return if error.kind() == ErrorKind::Interrupted { Ok(()) } else { Err(error) };
        }
        for index in 0..self.polled.len() {
            if self.polled[index].revents & (libc::POLLERR | libc::POLLHUP | libc::POLLNVAL) != 0 {
                self.failed(index);
            }
        }
        Ok(())
    }

    /// The time up to which all frames have been handed out. Not the clock's: frames that the kernel still
    /// holds must not come from the past, or the live run would judge otherwise than a replay.
    fn idle(&mut self) -> Next<'static> {
        self.told = self.now;
        Next::Idle(Timestamp(self.now.saturating_sub(HOLD)))
    }

    /// Whether every interface is gone, and for so long that the kernel has handed over the last frames.
    fn all_lost(&self) -> bool {
        self.taps.iter().all(|tap| tap.lost.is_some_and(|since| self.now > since.saturating_add(HOLD)))
    }

    /// The socket of a tap reports an error: the interface is down, or gone.
    #[cold]
    fn failed(&mut self, index: usize) {
        let (Some(tap), Some(name)) = (self.taps.get_mut(index), self.names.get(index)) else { return };
        let error = socket::pending_error(&tap.ring.fd);
        let reason = if socket::exists(&tap.ring.fd, tap.index) {
            match error {
                Some(error) => format!(
                    "interface {name}: {error}; capture goes on when it is up again (ip link set {name} up)"
                ),
                None => return,
            }
        } else {
            tap.lost = Some(self.now);
            format!("interface {name} does not exist any more; restart gridtap when it is back")
        };
        tell(&mut self.trouble, Trouble { tap: index as u16, kind: TroubleKind::TapLost(reason) });
    }
}

impl FrameSource for LiveSource {
    #[inline]
    fn next(&mut self) -> io::Result<Next<'_>> {
        if let Some(index) = self.current.take() {
            self.taps[index].head = None;
        }
        let mut waited = false;
        let index = loop {
            match self.choose() {
                Ok(index) => break index,
                Err(due) => {
                    if self.all_lost() {
                        self.read_counters();
                        return Ok(Next::End);
                    }
                    if waited && due.is_none() {
                        return Ok(self.idle());
                    }
                    self.wait(due)?;
                    waited = true;
                    if self.now.saturating_sub(self.counted) >= STATISTICS {
                        self.read_counters();
                    }
                    // Steady traffic ends every wait early; the caller hears of the time all the same.
                    if self.now.abs_diff(self.told) >= IDLE {
                        return Ok(self.idle());
                    }
                }
            }
        };
        self.current = Some(index);
        let at = self.taps[index].head.map_or(0, |head| head.at);
        // Under load nothing is ever waited for, so the frames' own clock tells when to look.
        if at.saturating_sub(self.counted) >= STATISTICS {
            self.now = now();
            self.read_counters();
        }
        Ok(Next::Frame(self.taps[index].frame(index as u16)))
    }

    fn taps(&self) -> &[String] {
        &self.names
    }

    fn take_trouble(&mut self) -> Vec<Trouble> {
        std::mem::take(&mut self.trouble)
    }
}

impl Tap {
    fn open(name: &str, options: &LiveOptions) -> io::Result<(Tap, Filtering)> {
        let fd = socket::open()?;
        let index = socket::interface_index(name)?;
        let (link, loopback) = socket::hardware(&fd, name)?;
        let ethernet = link == LinkType::Ethernet;
        let ring = Ring::new(fd, options.ring_bytes, ethernet)?;
        let (mut program, filtering) = program(options, ethernet);
        socket::attach_filter(&ring.fd, &mut program)?;
        if loopback {
            // The loopback shows each frame twice, going out and coming in. Kernels before 4.20 cannot
            // leave one away; the pipeline recognises duplicates anyway.
            _ = socket::set(&ring.fd, libc::SOL_PACKET, libc::PACKET_IGNORE_OUTGOING, &1_i32);
        }
        socket::bind(&ring.fd, index)?;
        if options.promiscuous {
            socket::promiscuous(&ring.fd, index)?;
        }
        Ok((Tap { ring, index, link, head: None, number: 0, lost: None }, filtering))
    }

    /// Whether the tap has a frame ready in `head`.
    #[inline]
    fn look(&mut self) -> bool {
        if self.head.is_none() {
            self.head = self.ring.advance();
            self.number += u64::from(self.head.is_some());
        }
        self.head.is_some()
    }

    fn frame(&self, tap: u16) -> Frame<'_> {
        let (at, wire_len, bytes) = match &self.head {
            Some(head) => (head.at, head.wire_len, self.ring.frame(head)),
            None => (0, 0, &[][..]),
        };
        Frame {
            at: Timestamp(at),
            place: FrameRef { tap, number: self.number },
            link: self.link,
            wire_len,
            bytes,
        }
    }
}

/// The kernel program for the options.
fn program(options: &LiveOptions, ethernet: bool) -> (Vec<libc::sock_filter>, Filtering) {
    let all = filter::pass_all(options.snaplen);
    if options.ports.is_empty() {
        return (all, Filtering::None);
    }
    if !ethernet {
        return (all, Filtering::NotEthernet);
    }
    match filter::ports_passed(&options.ports) {
        Some(ports) => (filter::pass_ports(&ports, options.snaplen), Filtering::Ports(ports)),
        None => (all, Filtering::TooManyPorts(options.ports.len())),
    }
}

/// The real-time clock, which also stamps the frames, in nanoseconds since 1970.
fn now() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is valid for writing; this clock always exists.
    unsafe { libc::clock_gettime(libc::CLOCK_REALTIME, &raw mut time) };
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    seconds.saturating_mul(1_000_000_000).saturating_add(u64::try_from(time.tv_nsec).unwrap_or(0))
}
