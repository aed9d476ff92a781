//! The outstation against IEEE 1815, fragment by fragment.

use super::super::View;
use super::*;
use crate::encode::dnp3::unframe;
use crate::grid::{Control, Grid};
use crate::scenario::Scenario;
use crate::wire::Prng;

const SITE: &str = r#"
[site]
name = "test"
start = "2026-06-15T12:00:00Z"
[buses]
A = { kv = 20 }
B = { kv = 20 }
[lines]
L = { from = "A", to = "B" }
[generators]
G = { bus = "A", kind = "grid" }
[loads]
D = { bus = "B", mw = 2, curve = "flat", noise_percent = 0 }
[breakers]
CB = { in = "L" }
[stations.R]
kind = "recloser"
address = "10.0.0.2"
link_address = 10
breakers = ["CB"]
lines = ["L"]
buses = ["B"]
unsolicited = true
event_buffer = 12
"#;

const SECOND: u64 = 1_000_000_000;
const CLASSES: [u8; 9] = [60, 2, 6, 60, 3, 6, 60, 4, 6];
/// Close with a pulse, index 0.
const CROB: [u8; 16] = [12, 1, 0x17, 1, 0, 0x41, 1, 100, 0, 0, 0, 0, 0, 0, 0, 0];

struct Bench {
    grid: Grid,
    outstation: Outstation,
    now: u64,
    outcome: Outcome,
}

impl Bench {
    fn new(cold: bool) -> Bench {
        let scenario = Scenario::parse(SITE, "test").expect("it is right");
        let grid = Grid::new(&scenario, 1);
        let now = 1_000 * SECOND;
        let outstation = Outstation::new(&scenario.stations["R"], &grid, Prng::new(1), now, cold);
        Bench { grid, outstation, now, outcome: Outcome::default() }
    }

    /// Ask as master 1 on connection 0; what it answers, link layer taken off.
    fn ask(&mut self, sequence: u8, function: u8, objects: &[u8]) -> Vec<u8> {
        let fragment = [&[0xc0 | sequence, function], objects].concat();
        self.tell(&fragment)
    }

    fn tell(&mut self, fragment: &[u8]) -> Vec<u8> {
        let view = View { grid: &self.grid, spoof: None };
        self.outcome = self.outstation.receive(1, 0, fragment, false, &view, self.now);
        self.said()
    }

    fn said(&self) -> Vec<u8> {
        let sent = self.outcome.sent.first();
        sent.and_then(|s| unframe(&s.bytes)).map(|u| u.fragment).unwrap_or_default()
    }

    fn observe(&mut self) -> Vec<u8> {
        self.outcome = Outcome::default();
        let view = View { grid: &self.grid, spoof: None };
        self.outstation.observe(&view, self.now, &mut self.outcome);
        self.said()
    }

    fn trip(&mut self, closed: bool) {
        self.grid.apply(Control::Breaker(0, closed));
        self.now += SECOND;
    }
}

#[test]
fn a_cold_outstation_tells_of_its_restart_and_asks_for_the_time_until_both_are_dealt_with() {
    let mut bench = Bench::new(true);
    let mut outcome = Outcome::default();
    bench.outstation.connected(1, 0, bench.now, &mut outcome);
    let hello = unframe(&outcome.sent[0].bytes).expect("link frames").fragment;
    assert_eq!(hello, [0xf0, 130, 0x90, 0], "a null unsolicited response");
    assert_eq!(bench.ask(0, 1, &CLASSES), [0xc0, 129, 0x90, 0]);
    assert_eq!(bench.ask(1, 2, &[80, 1, 0, 7, 7, 0]), [0xc1, 129, 0x10, 0]);
    assert_eq!(bench.ask(2, 2, &[50, 3, 7, 1, 0, 0, 0, 0, 0, 0])[3], iin::PARAMETER, "nothing was recorded");
    bench.ask(3, 24, &[]);
    assert_eq!(bench.ask(4, 2, &[50, 3, 7, 1, 0, 0, 0, 0, 0, 0]), [0xc4, 129, 0, 0]);
}

#[test]
fn an_integrity_poll_answers_every_point() {
    let mut bench = Bench::new(false);
    let answer = bench.ask(5, 1, &[60, 2, 6, 60, 3, 6, 60, 4, 6, 60, 1, 6]);
    assert_eq!(answer[..4], [0xc5, 129, 0, 0]);
    // Breaker closed, bus energised, reclosing on, not local.
    assert_eq!(answer[4..13], [1, 2, 0, 0, 3, 0x81, 0x81, 0x81, 0x01]);
    assert_eq!(answer[13..20], [10, 2, 0, 0, 1, 0x81, 0x81]);
    assert_eq!(answer[20..25], [20, 1, 0, 0, 1]);
    let analog = &answer[35..];
    assert_eq!(analog[..5], [30, 1, 0, 0, 3]);
    let active = i32::from_le_bytes([analog[11], analog[12], analog[13], analog[14]]);
    assert_eq!(active, 2000, "kW on the line");
}

#[test]
fn an_event_stays_until_it_is_confirmed() {
    let mut bench = Bench::new(false);
    bench.ask(0, 1, &CLASSES);
    bench.trip(false);
    bench.observe();
    let first = bench.ask(1, 1, &CLASSES);
    assert_eq!(first[0], 0xe1, "a confirmation is wanted");
    assert_eq!(first[4..9], [2, 2, 0x17, 2, 0], "breaker and bus changed");
    assert_eq!(bench.ask(2, 1, &CLASSES)[4..], first[4..], "not confirmed: told again");
    assert!(bench.tell(&[0xc2, 0]).is_empty());
    assert_eq!(bench.ask(3, 1, &CLASSES), [0xc3, 129, 0, 0]);
}

#[test]
fn a_master_that_never_asks_for_events_gets_no_overflow() {
    let mut bench = Bench::new(false);
    bench.ask(0, 1, &[30, 0, 6]);
    for round in 0..10 {
        bench.trip(round % 2 == 1);
        bench.observe();
    }
    assert_eq!(bench.ask(1, 1, &[30, 0, 6])[3], 0);
}

#[test]
fn more_events_than_the_buffer_holds_set_the_overflow_indication() {
    let mut bench = Bench::new(false);
    bench.ask(0, 1, &CLASSES);
    for round in 0..10 {
        bench.trip(round % 2 == 1);
        bench.observe();
    }
    let answer = bench.ask(1, 1, &[60, 1, 6]);
    assert_eq!(answer[3], iin::OVERFLOW);
    assert_ne!(answer[2] & 0x0e, 0, "and events wait");
    bench.ask(2, 1, &CLASSES);
    bench.tell(&[0xc2, 0]);
    assert_eq!(bench.ask(3, 1, &CLASSES)[3], 0);
}

#[test]
fn operate_after_select_moves_the_breaker_and_nothing_else_does() {
    let mut bench = Bench::new(false);
    let selected = bench.ask(3, function::SELECT, &CROB);
    assert_eq!(selected[4..], CROB, "status 0");
    assert!(bench.outcome.effects.is_empty(), "a selection moves nothing");
    let operated = bench.ask(4, function::OPERATE, &CROB);
    assert_eq!(operated[4..], CROB);
    assert_eq!(bench.outcome.effects[0].control, Control::Breaker(0, true));

    let status = |answer: Vec<u8>| answer.last().copied();
    assert_eq!(status(bench.ask(5, function::OPERATE, &CROB)), Some(2), "the selection was used up");
    bench.ask(6, function::SELECT, &CROB);
    assert_eq!(status(bench.ask(8, function::OPERATE, &CROB)), Some(2), "not the next number");
    bench.ask(9, function::SELECT, &CROB);
    let mut other = CROB;
    other[5] = 0x81;
    assert_eq!(status(bench.ask(10, function::OPERATE, &other)), Some(2), "not the same objects");
    bench.ask(11, function::SELECT, &CROB);
    bench.ask(12, function::READ, &CLASSES);
    assert_eq!(status(bench.ask(12, function::OPERATE, &CROB)), Some(2), "another request came between");
    bench.ask(13, function::SELECT, &CROB);
    bench.now += 11 * SECOND;
    assert_eq!(status(bench.ask(14, function::OPERATE, &CROB)), Some(1), "too late");
    assert!(bench.outcome.effects.is_empty());
    let mut unknown = CROB;
    unknown[4] = 9;
    assert_eq!(status(bench.ask(15, function::DIRECT_OPERATE, &unknown)), Some(4), "no such point");
}

#[test]
fn unsolicited_responses_come_when_enabled_are_repeated_and_given_up() {
    let mut bench = Bench::new(false);
    bench.trip(false);
    assert!(bench.observe().is_empty(), "nobody enabled them");
    bench.ask(0, function::ENABLE_UNSOLICITED, &CLASSES);
    bench.trip(true);
    let told = bench.observe();
    assert_eq!(told[..2], [0xf0, 130]);
    assert!(bench.observe().is_empty(), "the confirmation may still come");
    for _ in 0..2 {
        bench.now += 6 * SECOND;
        assert_eq!(bench.observe(), told, "the same again");
    }
    bench.now += 6 * SECOND;
    assert!(bench.observe().is_empty(), "given up");
    assert_eq!(bench.observe()[0], 0xf0, "tried anew");
    bench.tell(&[0xd0, 0]);
    assert!(bench.observe().is_empty(), "confirmed");
    bench.trip(false);
    assert_eq!(bench.observe()[0], 0xf1, "the next number");
    bench.tell(&[0xd1, 0]);
    bench.ask(1, function::DISABLE_UNSOLICITED, &CLASSES);
    bench.trip(true);
    assert!(bench.observe().is_empty(), "disabled");
}

#[test]
fn what_it_does_not_know_it_says() {
    let mut bench = Bench::new(false);
    assert_eq!(bench.ask(0, 99, &[])[3], iin::NO_FUNCTION);
    assert_eq!(bench.ask(1, 1, &[110, 0, 6])[3], iin::OBJECT_UNKNOWN);
    assert_eq!(bench.ask(2, 1, &[30, 0, 0, 0, 99])[3], iin::PARAMETER);
}

#[test]
fn a_cold_restart_says_how_long_and_forgets_everything() {
    let mut bench = Bench::new(false);
    assert_eq!(bench.ask(0, function::COLD_RESTART, &[])[4..], [52, 1, 7, 1, 20, 0]);
    assert!(bench.outcome.restart);
    bench.outstation.restart();
    assert_eq!(bench.ask(1, 1, &CLASSES)[2] & iin::RESTART, iin::RESTART);
}
