//! What a line costs; run by hand: `cargo test --release -p gridtap --lib cost -- --ignored --nocapture`.

use super::super::event_log::EventLog;
use super::super::record::Judgement;
use super::super::sinks::{Sinks, SinksConfig};
use super::*;

struct Nowhere;

impl Destination for Nowhere {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }
}

/// Processor time of this thread: what else runs on the machine does not count.
fn thread_cpu_ns() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is valid for the call.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

fn per_call(name: &str, calls: u64, mut call: impl FnMut(u64)) {
    let begun = thread_cpu_ns();
    (0..calls).for_each(&mut call);
    println!("{name}: {:.0} ns", (thread_cpu_ns() - begun) as f64 / calls as f64);
}

#[test]
#[ignore = "a measurement, not a check"]
fn cost_of_a_line() {
    let writer = || Some(LogWriter::start(Box::new(Nowhere), 1 << 24, WhenFull::Block).unwrap());
    let points: Vec<_> =
        (0..2).map(|n| Point::new(PointKind::HoldingRegister, Some(n), Value::Unsigned(4711))).collect();
    let detail = Content(&points);
    let flows: Vec<_> = (0..100).map(flow).collect();
    let mut log = EventLog::new(identity(), writer());
    per_call("operation line", 1_000_000, |n| {
        log.operation(&write_coil(&flows[(n % 100) as usize], &detail, T0 + n), &Judgement::default());
    });
    let mut log = EventLog::new(identity(), writer());
    per_call("folded finding", 1_000_000, |n| {
        log.finding(&Finding { fold_key: n % 50, ..finding(None, FindingKind::UnprofiledControl, T0) });
    });
    per_call("first finding", 100_000, |n| {
        log.finding(&Finding { fold_key: 100 + n, ..finding(None, FindingKind::UnprofiledControl, T0) });
    });
    let mut sinks = Sinks::new(SinksConfig { stations: vec!["pump".into()], ..SinksConfig::default() });
    let judgement = Judgement { station: Some(0), station_name: Some("pump"), ..Judgement::default() };
    per_call("counting an operation", 10_000_000, |n| {
        let mut operation = write_coil(&flows[(n % 100) as usize], &detail, T0 + n);
        operation.action = Action::Read;
        operation.function.code = (n % 8) as u8;
        sinks.operation(&operation, &judgement);
    });
    per_call("a snapshot", 1000, |_| {
        std::hint::black_box(sinks.snapshot(&super::super::vitals::Vitals::default()));
    });
}
