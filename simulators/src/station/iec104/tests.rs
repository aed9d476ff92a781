//! What a controlled station says, octet by octet where it matters.

use super::{Controlled, Outcome};
use crate::encode::iec104::{Asdu, Frame, Unframed, frame_i, unframe};
use crate::grid::{Control, Grid};
use crate::scenario::Scenario;
use crate::station::View;
use crate::wire::Prng;

const S: u64 = 1_000_000_000;
const CONN: u32 = 7;

struct Bench {
    grid: Grid,
    station: Controlled,
    now: u64,
    sent: u16,
    seen: u16,
}

impl Bench {
    /// A station whose transfer has been started.
    fn new() -> Bench {
        let text = "[site]\nname = \"t\"\nstart = \"2026-06-15T00:00:00Z\"\n[buses]\nA = { kv = 110 }\nB = { kv = 110 }\n\
            [lines]\nL = { from = \"A\", to = \"B\" }\n[breakers]\nQ = { in = \"L\" }\n\
            [loads]\nX = { bus = \"B\", mw = 10 }\n[generators]\nG = { bus = \"A\", kind = \"grid\" }\n\
            [stations.R]\nkind = \"iec104\"\naddress = \"10.0.0.1\"\ncommon_address = 9\nbreakers = [\"Q\"]\n\
            lines = [\"L\"]\nbuses = [\"B\"]\n";
        let scenario = Scenario::parse(text, "t").expect("a scenario");
        let grid = Grid::new(&scenario, 1);
        let now = u64::try_from(scenario.site.start.as_nanosecond()).unwrap_or(0);
        let mut station = Controlled::new(&scenario.stations["R"], &grid, Prng::new(1), now, false);
        station.connected(CONN, now, &mut Outcome::default());
        let mut bench = Bench { grid, station, now, sent: 0, seen: 0 };
        let (answer, _) = bench.raw(&[0x68, 4, 7, 0, 0, 0]);
        assert_eq!(answer, [], "STARTDT con and no ASDU");
        bench
    }

    fn raw(&mut self, bytes: &[u8]) -> (Vec<Asdu>, Outcome) {
        let mut outcome = Outcome::default();
        let view = View { grid: &self.grid, spoof: None };
        self.station.receive(CONN, bytes, &view, self.now, &mut outcome);
        (self.read(&outcome), outcome)
    }

    /// ASDUs among what was sent.
    fn read(&mut self, outcome: &Outcome) -> Vec<Asdu> {
        let mut out = Vec::new();
        for (_, bytes, _) in &outcome.sent {
            let mut rest = bytes.as_slice();
            while let Unframed::Frame(frame, length) = unframe(rest) {
                rest = &rest[length..];
                if let Frame::I(send, _, asdu) = frame {
                    assert_eq!(send, self.seen, "numbers are in order");
                    self.seen += 1;
                    out.extend(Asdu::parse(&asdu));
                }
            }
            assert!(rest.is_empty());
        }
        out
    }

    fn ask(&mut self, asdu: &Asdu) -> (Vec<Asdu>, Outcome) {
        let bytes = frame_i(self.sent, self.seen, &asdu.encode());
        self.sent += 1;
        self.raw(&bytes)
    }

    fn observe(&mut self) -> Vec<Asdu> {
        let mut outcome = Outcome::default();
        let view = View { grid: &self.grid, spoof: None };
        self.station.observe(&view, self.now, &mut outcome);
        self.read(&outcome)
    }
}

/// Type, cause, negative.
fn short(asdus: &[Asdu]) -> Vec<(u8, u8, bool)> {
    asdus.iter().map(|a| (a.type_id, a.cause, a.negative)).collect()
}

fn breaker(octet: u8) -> Asdu {
    Asdu::new(46, 6, 9, 1001, vec![octet])
}

#[test]
fn an_interrogation_is_confirmed_answered_and_terminated() {
    let mut bench = Bench::new();
    let (answer, _) = bench.ask(&Asdu::new(100, 6, 9, 0, vec![20]));
    assert_eq!(short(&answer)[0], (100, 7, false));
    assert_eq!(short(&answer).last(), Some(&(100, 10, false)));
    let between = &answer[1..answer.len() - 1];
    assert!(between.iter().all(|a| a.cause == 20 && a.address == 9));
    let double = between.iter().find(|a| a.type_id == 3).expect("a double point");
    assert_eq!(double.objects, [(1, vec![2])], "the breaker is closed");
    // By broadcast it is the same under the own address; another group is refused.
    let (answer, _) = bench.ask(&Asdu::new(100, 6, 0xffff, 0, vec![20]));
    assert_eq!(answer[0].address, 9);
    let (answer, _) = bench.ask(&Asdu::new(100, 6, 9, 0, vec![21]));
    assert_eq!(short(&answer), [(100, 7, true)]);
}

#[test]
fn a_breaker_is_selected_executed_reported_and_terminated() {
    let mut bench = Bench::new();
    let (answer, outcome) = bench.ask(&breaker(0x81));
    assert_eq!((short(&answer), outcome.effects.len()), (vec![(46, 7, false)], 0));
    let (answer, outcome) = bench.ask(&breaker(0x01));
    assert_eq!(short(&answer), [(46, 7, false)]);
    assert_eq!(outcome.effects[0].control, Control::Breaker(0, false));
    assert!(bench.grid.apply(Control::Breaker(0, false)));
    bench.now += S / 10;
    let told = bench.observe();
    // Return information with a time tag, then the termination; measurements fall by themselves.
    let double = told.iter().find(|a| a.type_id == 31).expect("the breaker");
    assert_eq!((double.cause, double.objects[0].0, double.objects[0].1[0]), (11, 1, 1));
    assert!(short(&told).contains(&(46, 10, false)));
    assert!(told.iter().any(|a| a.type_id == 36 && a.cause == 3), "the current is spontaneous");
}

#[test]
fn what_was_not_selected_or_selected_otherwise_is_refused() {
    let mut bench = Bench::new();
    assert_eq!(short(&bench.ask(&breaker(0x01)).0), [(46, 7, true)], "no select");
    bench.ask(&breaker(0x81));
    assert_eq!(short(&bench.ask(&breaker(0x02)).0), [(46, 7, true)], "another state");
    assert_eq!(short(&bench.ask(&breaker(0x01)).0), [(46, 7, false)], "the selection still stands");
    let mut bench = Bench::new();
    bench.ask(&breaker(0x81));
    bench.now += 11 * S;
    assert_eq!(short(&bench.ask(&breaker(0x01)).0), [(46, 7, true)], "too late");
    bench.ask(&breaker(0x81));
    let cancel = Asdu { cause: 8, ..breaker(0x81) };
    assert_eq!(short(&bench.ask(&cancel).0), [(46, 9, false)], "deselected");
    assert_eq!(short(&bench.ask(&breaker(0x01)).0), [(46, 7, true)]);
    assert_eq!(short(&bench.ask(&breaker(0x83)).0), [(46, 7, true)], "a state that is none");
}

#[test]
fn unknown_types_causes_addresses_and_objects_are_named_in_the_refusal() {
    let mut bench = Bench::new();
    let cases = [
        (Asdu::new(99, 6, 9, 1, vec![0]), 44),
        (Asdu::new(46, 3, 9, 1001, vec![1]), 45),
        (Asdu::new(46, 6, 10, 1001, vec![1]), 46),
        (Asdu::new(46, 6, 0xffff, 1001, vec![1]), 46),
        (Asdu::new(46, 6, 9, 5000, vec![1]), 47),
        (Asdu::new(102, 5, 9, 5000, vec![]), 47),
    ];
    for (asdu, cause) in cases {
        assert_eq!(short(&bench.ask(&asdu).0), [(asdu.type_id, cause, true)], "{asdu:?}");
    }
    let (answer, _) = bench.ask(&Asdu::new(102, 5, 9, 1, vec![]));
    assert_eq!((short(&answer), &answer[0].objects), (vec![(3, 5, false)], &vec![(1, vec![2])]));
}

#[test]
fn a_test_has_no_effect_and_a_clock_set_wrong_shows_in_time_tags() {
    let mut bench = Bench::new();
    bench.ask(&breaker(0x81));
    let (answer, outcome) = bench.ask(&Asdu { test: true, ..breaker(0x01) });
    assert_eq!((short(&answer), outcome.effects.len()), (vec![(46, 7, false), (46, 10, false)], 0));
    // 2026-06-14T22:00:00Z, two hours early.
    let (answer, _) = bench.ask(&Asdu::new(103, 6, 9, 0, vec![0, 0, 0, 22, 14, 6, 26]));
    assert_eq!(short(&answer), [(103, 7, false)]);
    assert!(bench.grid.apply(Control::Breaker(0, false)));
    let told = bench.observe();
    let double = told.iter().find(|a| a.type_id == 31).expect("the breaker");
    assert_eq!(double.objects[0].1[1..], [0, 0, 0, 22, 14, 6, 26]);
}

#[test]
fn events_wait_while_nobody_listens_and_after_a_reset_it_says_that_it_is_ready() {
    let mut bench = Bench::new();
    bench.raw(&[0x68, 4, 0x13, 0, 0, 0]);
    assert!(bench.grid.apply(Control::Breaker(0, false)));
    assert_eq!(bench.observe(), []);
    let (told, _) = bench.raw(&[0x68, 4, 7, 0, 0, 0]);
    assert!(short(&told).contains(&(31, 3, false)), "told when transfer is on again");
    let (answer, outcome) = bench.ask(&Asdu::new(105, 6, 9, 0, vec![1]));
    assert_eq!((short(&answer), outcome.restart), (vec![(105, 7, false)], true));
    bench.station.restart();
    bench.station.connected(CONN, bench.now, &mut Outcome::default());
    (bench.sent, bench.seen) = (0, 0);
    let (told, _) = bench.raw(&[0x68, 4, 7, 0, 0, 0]);
    assert_eq!((short(&told), &told[0].objects), (vec![(70, 4, false)], &vec![(0, vec![2])]));
}

#[test]
fn counters_are_read_and_frozen() {
    let mut bench = Bench::new();
    let (answer, _) = bench.ask(&Asdu::new(101, 6, 9, 0, vec![5]));
    assert_eq!(short(&answer), [(101, 7, false), (15, 37, false), (101, 10, false)]);
    let (answer, _) = bench.ask(&Asdu::new(101, 6, 9, 0, vec![0x45]));
    assert_eq!(answer[1].objects[0].1[4], 1, "the reading has a number");
    assert_eq!(short(&bench.ask(&Asdu::new(101, 6, 9, 0, vec![1])).0), [(101, 7, true)]);
}
