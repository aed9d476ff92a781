//! A generated capture as a source of frames, each handed out when its time has come.

use std::io;
use std::time::{Duration, Instant};

use parsers::{FrameRef, Timestamp};

use super::super::run::clock;
use super::site::Site;
use crate::capture::{Frame, FrameSource, LinkType, Next, Trouble};

/// So much time is generated at most; the demo ends with it.
const LENGTH: Duration = Duration::from_hours(1);
/// What is generated beyond the end, since making it takes time too.
const SPARE: Duration = Duration::from_secs(30);
/// The caller hears of the time so often.
const IDLE: Duration = Duration::from_millis(100);
/// Octets before the first record of a pcap file, and before the octets of each.
const FILE_HEADER: usize = 24;
const RECORD_HEADER: usize = 16;

pub(super) struct Played {
    names: Vec<String>,
    /// A pcap with nanoseconds.
    capture: Vec<u8>,
    at: usize,
    number: u64,
    /// Between the capture's clock and the true one, in nanoseconds.
    shift: u64,
    ends: Option<Instant>,
}

impl Played {
    /// The site's traffic from now on.
    pub(super) fn new(site: &Site, seed: u64, ends: Option<Instant>) -> Played {
        let wanted = ends.map_or(LENGTH, |ends| ends.saturating_duration_since(Instant::now()) + SPARE);
        let (capture, _) = simulators::site::capture(&site.scenario, &site.attacks, seed, wanted.min(LENGTH));
        let start = u64::try_from(site.scenario.site.start.as_nanosecond()).unwrap_or(0);
        let late = u64::try_from(site.begun().elapsed().as_nanos()).unwrap_or(0);
        let shift = clock().0.saturating_sub(start + late);
        Played { names: vec!["played".to_owned()], capture, at: FILE_HEADER, number: 0, shift, ends }
    }
}

impl FrameSource for Played {
    fn next(&mut self) -> io::Result<Next<'_>> {
        if self.ends.is_some_and(|ends| Instant::now() >= ends) {
            return Ok(Next::End);
        }
        let Some(head) = self.capture.get(self.at..self.at + RECORD_HEADER) else { return Ok(Next::End) };
        let field = |n: usize| u32::from_le_bytes([head[n], head[n + 1], head[n + 2], head[n + 3]]);
        let at = u64::from(field(0)) * 1_000_000_000 + u64::from(field(4)) + self.shift;
        let length = field(8);
        let now = clock();
        if at > now.0 {
            let wait = Duration::from_nanos(at - now.0);
            std::thread::sleep(wait.min(IDLE));
            if wait > IDLE {
                return Ok(Next::Idle(clock()));
            }
        }
        let begin = self.at + RECORD_HEADER;
        self.at = begin + length as usize;
        self.number += 1;
        let bytes = self.capture.get(begin..self.at).unwrap_or_default();
        let place = FrameRef { tap: 0, number: self.number };
        Ok(Next::Frame(Frame { at: Timestamp(at), place, link: LinkType::Ethernet, wire_len: length, bytes }))
    }

    fn taps(&self) -> &[String] {
        &self.names
    }

    fn take_trouble(&mut self) -> Vec<Trouble> {
        Vec::new()
    }
}
