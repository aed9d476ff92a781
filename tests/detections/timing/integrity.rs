//! Integrity polls between their times: told once, unless a reason of IEEE 1815 explains them.

use simulators::encode::dnp3::{self, Header, Range};
use simulators::wire::{Line, TcpTalk, TimedFrame};

use super::{MS, SECOND, outcome, s, together, told};
use crate::support::judge::{address, class_1, command, report};

const EARLY: &str = "Integrity poll off its schedule: 10.10.0.1 sent read (function 1) to link 10 at 10.10.0.20 for class data 0; expected read of class data 0 every 60.0 s, observed one 20.0 s after the last.";
const RESTART: [u8; 2] = [0x80, 0];
const OVERFLOW: [u8; 2] = [0, 0x08];

/// An hour of integrity polls, one a minute, and then what a test adds; as lines at moments.
struct Day {
    lines: Vec<(u64, Line)>,
    sequence: u8,
}

impl Day {
    fn new() -> Day {
        let mut day = Day { lines: Vec::new(), sequence: 0 };
        (1..=60).for_each(|minute| day.poll(60 * minute, [0, 0]));
        day
    }

    /// An integrity poll at that second, and its answer.
    fn poll(&mut self, second: u64, iin: [u8; 2]) {
        self.read(second, &Header::new(60, 1, Range::All).encode(), Some(iin));
    }

    fn read(&mut self, second: u64, objects: &[u8], iin: Option<[u8; 2]>) {
        let at = s(second);
        self.sequence = (self.sequence + 1) % 16;
        self.lines.push((at, command(10, &dnp3::request(self.sequence, 1, objects))));
        if let Some(iin) = iin {
            self.lines.push((at + 20 * MS, report(10, &dnp3::response(self.sequence, iin, &[]))));
        }
    }

    /// The polls that keep the beat of the first hour.
    fn goes_on(mut self) -> Day {
        (61..=70).for_each(|minute| self.poll(60 * minute, [0, 0]));
        self
    }

    fn frames(self, port: u16) -> Vec<TimedFrame> {
        let mut before = 0;
        let mut lines = self.lines;
        lines.sort_by_key(|(at, _)| *at);
        let script = lines.into_iter().map(|(at, line)| {
            let delay = at - before;
            before = at;
            line.after(delay)
        });
        let talk = TcpTalk::new(address(1, port), address(20, 20_000), script.collect());
        TcpTalk { close: false, ..talk }.frames()
    }

    fn told(self) -> Vec<String> {
        told(&outcome(&self.frames(40_000)))
    }
}

/// The hour is over at 3600 s.
const EXTRA: u64 = 3620;

#[test]
fn an_integrity_poll_between_its_times_is_told_once() {
    let mut day = Day::new();
    day.poll(EXTRA, [0, 0]);
    assert_eq!(day.goes_on().told(), [EARLY]);
    assert_eq!(Day::new().goes_on().told(), [""; 0]);
}

#[test]
fn a_new_connection_begins_with_an_integrity_poll() {
    // In the first and in the second half of a period: then the poll that keeps the beat comes early behind it.
    for extra in [EXTRA, 3650] {
        let mut second = Day { lines: Vec::new(), sequence: 0 };
        second.poll(extra, [0, 0]);
        let frames = together([Day::new().frames(40_000), second.goes_on().frames(40_001)]);
        assert_eq!(told(&outcome(&frames)), [""; 0]);
    }
    // One, not two.
    let mut second = Day { lines: Vec::new(), sequence: 0 };
    second.poll(3605, [0, 0]);
    second.poll(3605 + 20, [0, 0]);
    let frames = together([Day::new().frames(40_000), second.goes_on().frames(40_001)]);
    assert_eq!(told(&outcome(&frames)), [EARLY]);
}

#[test]
fn a_restart_or_an_overflow_that_is_indicated_explains_an_integrity_poll() {
    for iin in [RESTART, OVERFLOW] {
        let mut day = Day::new();
        day.read(EXTRA - 1, &class_1(), Some(iin));
        day.poll(EXTRA, iin);
        assert_eq!(day.goes_on().told(), [""; 0]);
        // A station that has indicated it all the time explains nothing.
        let mut day = Day::new();
        day.lines.clear();
        (1..=60).for_each(|minute| day.poll(60 * minute, iin));
        day.poll(EXTRA, iin);
        assert_eq!(day.goes_on().told(), [EARLY]);
    }
    // Other indications, events of class 1 to be fetched, are no reason.
    let mut day = Day::new();
    day.read(EXTRA - 1, &class_1(), Some([0x02, 0]));
    day.poll(EXTRA, [0, 0]);
    assert_eq!(day.goes_on().told(), [EARLY]);
}

#[test]
fn an_answer_that_failed_to_come_explains_an_integrity_poll() {
    let mut day = Day::new();
    day.read(EXTRA - 5, &class_1(), None);
    day.poll(EXTRA, [0, 0]);
    assert_eq!(day.goes_on().told(), [""; 0]);
    // A request that is still under way has not timed out.
    let mut day = Day::new();
    let sequence = 9;
    day.lines.push((s(EXTRA) - SECOND / 2, command(10, &dnp3::request(sequence, 1, &class_1()))));
    day.poll(EXTRA, [0, 0]);
    assert_eq!(day.goes_on().told(), [EARLY]);
}
