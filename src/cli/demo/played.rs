//! Generated captures as a source of frames, each handed out when its time has come: an hour, and when that is
//! over the next one.

use std::io;
use std::time::{Duration, Instant};

use parsers::{FrameRef, Timestamp};
use simulators::attack::Attack;
use simulators::scenario::{Scenario, Span};

use super::super::run::clock;
use super::site::Site;
use crate::capture::{Frame, FrameSource, LinkType, Next, Trouble};

/// So much time is generated at once.
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
    scenario: Scenario,
    attacks: Vec<Attack>,
    seed: u64,
    /// Which hour this is.
    hour: u32,
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
        let (scenario, attacks) = (site.scenario.clone(), site.attacks.clone());
        let capture = hour(&scenario, &attacks, seed, 0, wanted.min(LENGTH));
        let start = u64::try_from(site.scenario.site.start.as_nanosecond()).unwrap_or(0);
        let late = u64::try_from(site.begun().elapsed().as_nanos()).unwrap_or(0);
        let shift = clock().0.saturating_sub(start + late);
        let names = vec!["played".to_owned()];
        Played { names, scenario, attacks, seed, hour: 0, capture, at: FILE_HEADER, number: 0, shift, ends }
    }

    /// The next hour, whose connections are new ones.
    fn go_on(&mut self) {
        self.hour += 1;
        self.capture = hour(&self.scenario, &self.attacks, self.seed, self.hour, LENGTH);
        self.at = FILE_HEADER;
    }
}

impl FrameSource for Played {
    fn next(&mut self) -> io::Result<Next<'_>> {
        if self.ends.is_some_and(|ends| Instant::now() >= ends) {
            return Ok(Next::End);
        }
        if self.at >= self.capture.len() {
            self.go_on();
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

/// The traffic of an hour of the demo, counted from 0: the site's clock has gone on, and so have the attacks.
fn hour(scenario: &Scenario, attacks: &[Attack], seed: u64, hour: u32, length: Duration) -> Vec<u8> {
    let begin = LENGTH * hour;
    let nanoseconds = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    let (from, to) = (nanoseconds(begin), nanoseconds(begin + length));
    let mut scenario = scenario.clone();
    scenario.site.start += begin;
    let of_hour = attacks.iter().filter(|attack| (from..to).contains(&attack.at.ns()));
    let moved = of_hour.map(|a| Attack { at: Span::from_ns(a.at.ns() - from), ..a.clone() });
    let attacks: Vec<Attack> = moved.collect();
    simulators::site::capture(&scenario, &attacks, seed.wrapping_add(u64::from(hour)), length).0
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_hour_after_the_first_goes_on_with_its_time_and_its_attacks() {
        let site = Site::new().unwrap();
        let start = u64::try_from(site.scenario.site.start.as_nanosecond()).unwrap();
        let hours = [0, 1].map(|n| hour(&site.scenario, &site.attacks, 7, n, Duration::from_mins(2)));
        let first = |capture: &[u8]| {
            let word = |at: usize| u32::from_le_bytes(capture[at..at + 4].try_into().unwrap());
            u64::from(word(FILE_HEADER)) * 1_000_000_000 + u64::from(word(FILE_HEADER + 4))
        };
        let second = 1_000_000_000;
        assert!((start..start + 2 * second).contains(&first(&hours[0])));
        assert!((start + 3600 * second..start + 3602 * second).contains(&first(&hours[1])));
        let benign = hour(&site.scenario, &[], 7, 1, Duration::from_mins(2));
        assert!(hours[1].len() > benign.len(), "attacks come in the second hour, too");
    }
}
