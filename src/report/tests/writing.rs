//! The writer never loses a line in silence, and rotation never loses or splits one.

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use super::super::rotate::{RotatingFile, Rotation};
use super::super::writer::Weight;
use super::*;

/// Takes nothing until it is told to.
struct Gate {
    open: Receiver<()>,
    is_open: bool,
    out: Collected,
}

impl Gate {
    fn new(out: &Collected) -> (Box<Gate>, Sender<()>) {
        let (sender, open) = channel();
        (Box::new(Gate { open, is_open: false, out: out.clone() }), sender)
    }
}

impl Destination for Gate {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self.is_open {
            let _ = self.open.recv();
            self.is_open = true;
        }
        io::Write::write(&mut self.out, bytes)
    }
}

fn say(log: &mut EventLog, number: u64) {
    let message = "x".repeat(900);
    log.sensor(&SensorEvent {
        at: Timestamp(T0),
        what: "started",
        capture: None,
        message: format_args!("{message}"),
        figures: &[("number", number)],
    });
    log.flush();
}

#[test]
fn when_the_writer_cannot_keep_up_the_dropped_lines_are_counted_and_told() {
    let out = Collected::default();
    let (gate, open) = Gate::new(&out);
    let writer = LogWriter::start(gate, 100_000, WhenFull::Drop).unwrap();
    let mut log = EventLog::new(identity(), Some(writer));
    (0..1000).for_each(|number| say(&mut log, number));
    let blocked = log.writer_figures().unwrap();
    assert!(blocked.dropped_queue_full > 800, "{blocked:?}");
    assert!(blocked.queued_bytes <= 100_000);
    open.send(()).unwrap();
    while log.writer_figures().unwrap().queued_bytes > 0 {
        std::thread::sleep(Duration::from_millis(1));
    }
    say(&mut log, 1000);
    let (figures, result) = log.finish(Timestamp(T0));
    result.unwrap();
    let lines = out.lines();
    let written = lines.iter().filter(|line| line["what"] == "started").count() as u64;
    let told: u64 = lines
        .iter()
        .filter(|line| line["what"] == "events_dropped")
        .map(|line| line["figures"]["dropped"].as_u64().unwrap())
        .sum();
    assert_eq!(figures.unwrap().written, lines.len() as u64);
    assert_eq!(figures.unwrap().dropped_queue_full, told, "every lost line was told of");
    assert_eq!(written + told, 1001, "nothing else was lost");
    let last_total = lines.iter().rev().find_map(|line| line["figures"]["dropped_total"].as_u64());
    assert_eq!(last_total, Some(told));
}

#[test]
fn under_pressure_operations_are_given_up_before_findings() {
    let out = Collected::default();
    let (gate, open) = Gate::new(&out);
    let writer = LogWriter::start(gate, 1000, WhenFull::Drop).unwrap();
    let line = |fill: u8| [vec![fill; 99], b"\n".to_vec()].concat();
    let taken = |weight| (0..20).filter(|_| writer.push(line(b'o'), 1, weight).1).count();
    assert_eq!(taken(Weight::Common), 7, "three quarters of the queue");
    assert_eq!(taken(Weight::Precious), 3, "the last quarter");
    open.send(()).unwrap();
    assert_eq!(writer.close().0.written, 10);
}

#[test]
fn a_replay_waits_for_the_writer_and_loses_nothing() {
    let out = Collected::default();
    let (gate, open) = Gate::new(&out);
    let writer = LogWriter::start(gate, 5000, WhenFull::Block).unwrap();
    let pipeline = std::thread::spawn(move || {
        let mut log = EventLog::new(identity(), Some(writer));
        (0..500).for_each(|number| say(&mut log, number));
        log.finish(Timestamp(T0)).1.unwrap();
    });
    std::thread::sleep(Duration::from_millis(50));
    assert!(!pipeline.is_finished(), "it waits");
    open.send(()).unwrap();
    pipeline.join().unwrap();
    let numbers: Vec<_> = out.lines().iter().map(|l| l["figures"]["number"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (0..500).collect::<Vec<_>>());
}

/// Fails now and then, and takes only a few octets at a time.
struct Faulty {
    calls: usize,
    out: Collected,
}

impl Destination for Faulty {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.calls += 1;
        if self.calls.is_multiple_of(3) {
            return Err(io::Error::new(io::ErrorKind::StorageFull, "disk full"));
        }
        io::Write::write(&mut self.out, &bytes[..bytes.len().min(300)])
    }
}

#[test]
fn what_could_not_be_written_is_tried_again_and_goes_on_where_it_stopped() {
    let out = Collected::default();
    let writer =
        LogWriter::start(Box::new(Faulty { calls: 0, out: out.clone() }), 1 << 20, WhenFull::Block).unwrap();
    let mut log = EventLog::new(identity(), Some(writer));
    (0..3).for_each(|number| say(&mut log, number));
    let (figures, result) = log.finish(Timestamp(T0));
    result.unwrap();
    assert!(figures.unwrap().errors > 0);
    assert_eq!(out.lines().len(), 3);
}

struct Broken(io::ErrorKind);

impl Destination for Broken {
    fn write(&mut self, _bytes: &[u8]) -> io::Result<usize> {
        Err(io::Error::new(self.0, "no"))
    }
}

#[test]
fn a_log_that_stays_broken_ends_a_replay_with_an_error_and_a_count() {
    let writer =
        LogWriter::start(Box::new(Broken(io::ErrorKind::StorageFull)), 1 << 20, WhenFull::Block).unwrap();
    let mut log = EventLog::new(identity(), Some(writer));
    say(&mut log, 0);
    say(&mut log, 1);
    let (figures, result) = log.finish(Timestamp(T0));
    assert_eq!(result.unwrap_err().kind(), io::ErrorKind::StorageFull);
    assert_eq!(figures.unwrap().written, 0);
    assert!(figures.unwrap().dropped_error >= 2);
}

#[test]
fn a_reader_that_went_away_is_noticed_at_once() {
    let writer =
        LogWriter::start(Box::new(Broken(io::ErrorKind::BrokenPipe)), 1 << 20, WhenFull::Block).unwrap();
    let mut log = EventLog::new(identity(), Some(writer));
    say(&mut log, 0);
    while !log.has_failed() {
        std::thread::sleep(Duration::from_millis(1));
    }
    say(&mut log, 1);
    let (figures, result) = log.finish(Timestamp(T0));
    assert_eq!(result.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    assert!(figures.unwrap().errors == 1, "it is not tried again");
}

#[test]
fn a_batch_longer_than_the_queue_passes_when_the_queue_is_empty() {
    let out = Collected::default();
    let stream = Box::new(Stream(out.clone()));
    let writer = LogWriter::start(stream, 10, WhenFull::Drop).unwrap();
    assert!(writer.push(vec![b'\n'; 100], 100, Weight::Common).1);
    assert_eq!(writer.close().0.written, 100);
}

fn folder(name: &str) -> std::path::PathBuf {
    let path = std::env::temp_dir().join(format!("gridtap-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).unwrap();
    path
}

/// Contents of all files of a log, oldest first, by name (the number in the name rises).
fn files(folder: &std::path::Path) -> Vec<String> {
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    // "events-..." sorts before "events.", the current one.
    paths.sort();
    paths.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect()
}

#[test]
fn rotation_by_size_loses_and_splits_no_line() {
    let folder = folder("size");
    let path = folder.join("events.jsonl");
    let rotation = Rotation { max_bytes: 3000, keep: 1000, ..Rotation::default() };
    let file = RotatingFile::open(&path, Some(rotation)).unwrap();
    let writer = LogWriter::start(Box::new(file), 1 << 20, WhenFull::Block).unwrap();
    let mut expected = String::new();
    for batch in 0..20 {
        // Batches of every length, most longer than a file may be.
        let lines: Vec<String> = (0..batch * 13).map(|line| format!("line {batch} {line}\n")).collect();
        let text = lines.concat();
        expected.push_str(&text);
        writer.push(text.into_bytes(), batch * 13, Weight::Common);
    }
    writer.close().1.unwrap();
    let files = files(&folder);
    assert!(files.len() > 5, "{}", files.len());
    assert!(files.iter().all(|text| text.len() <= 3000 && text.ends_with('\n')));
    assert_eq!(files.concat(), expected);
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_line_longer_than_a_file_may_be_is_written_whole() {
    let folder = folder("long");
    let rotation = Rotation { max_bytes: 10, keep: 1000, ..Rotation::default() };
    let file = RotatingFile::open(&folder.join("events.jsonl"), Some(rotation)).unwrap();
    let writer = LogWriter::start(Box::new(file), 1 << 20, WhenFull::Block).unwrap();
    let text = "short\na line that is longer than ten octets\nend\n";
    writer.push(text.as_bytes().to_vec(), 3, Weight::Common);
    writer.close().1.unwrap();
    assert_eq!(files(&folder), ["short\n", "a line that is longer than ten octets\n", "end\n"]);
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn rotation_by_age_and_the_number_of_files_kept() {
    let folder = folder("age");
    let path = folder.join("events.jsonl");
    // A file of somebody else, and one that only looks alike.
    std::fs::write(folder.join("events-backup.jsonl"), "mine\n").unwrap();
    let rotation = Rotation { max_age: Duration::ZERO, keep: 2, ..Rotation::default() };
    for number in 0..6 {
        let file = RotatingFile::open(&path, Some(rotation)).unwrap();
        let writer = LogWriter::start(Box::new(file), 1 << 20, WhenFull::Block).unwrap();
        writer.push(format!("{number}\n").into_bytes(), 1, Weight::Common);
        writer.close().1.unwrap();
    }
    assert_eq!(files(&folder), ["3\n", "4\n", "mine\n", "5\n"]);
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_line_cut_by_a_crash_does_not_spoil_the_next_one() {
    let folder = folder("crash");
    let path = folder.join("events.jsonl");
    std::fs::write(&path, "whole\ncut in the mid").unwrap();
    let writer =
        LogWriter::start(Box::new(RotatingFile::open(&path, None).unwrap()), 1 << 20, WhenFull::Block)
            .unwrap();
    writer.push(b"next\n".to_vec(), 1, Weight::Common);
    writer.close().1.unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "whole\ncut in the mid\nnext\n");
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_log_without_a_writer_still_folds() {
    let mut log = EventLog::new(identity(), None);
    let raised = finding(None, FindingKind::UnprofiledControl, T0);
    assert_eq!(log.finding(&raised), Folded::First);
    assert_eq!(log.finding(&raised), Folded::Repeat);
    let (figures, result) = log.finish(Timestamp(T0));
    assert!(figures.is_none() && result.is_ok());
}

#[test]
fn the_writer_thread_ends_when_the_log_is_dropped() {
    struct Ends(Arc<AtomicBool>);
    impl Drop for Ends {
        fn drop(&mut self) {
            self.0.store(true, SeqCst);
        }
    }
    impl Destination for Ends {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            Ok(bytes.len())
        }
    }
    let ended = Arc::new(AtomicBool::new(false));
    drop(LogWriter::start(Box::new(Ends(Arc::clone(&ended))), 10, WhenFull::Drop).unwrap());
    assert!(ended.load(SeqCst));
}

#[test]
fn a_log_that_was_moved_away_is_begun_anew() {
    let folder = std::env::temp_dir().join(format!("gridtap-moved-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("events.jsonl");
    let rotation = Rotation { max_bytes: 4, ..Rotation::default() };
    let mut file = RotatingFile::open(&path, Some(rotation)).unwrap();
    assert_eq!(file.prepare(b"one\n").unwrap(), 4);
    assert_eq!(file.write(b"one\n").unwrap(), 4);
    std::fs::rename(&path, folder.join("elsewhere")).unwrap();
    assert_eq!(file.prepare(b"two\n").unwrap(), 4);
    assert_eq!(file.write(b"two\n").unwrap(), 4);
    assert_eq!(std::fs::read(folder.join("elsewhere")).unwrap(), b"one\n");
    assert_eq!(std::fs::read(&path).unwrap(), b"two\n");
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn who_reads_a_pipe_gets_all_lines() {
    let path = std::env::temp_dir().join(format!("gridtap-pipe-{}", std::process::id()));
    let name = std::ffi::CString::new(path.to_str().unwrap()).unwrap();
    // SAFETY: a string that ends with 0, not kept by the call.
    assert_eq!(unsafe { libc::mkfifo(name.as_ptr(), 0o600) }, 0);
    let theirs = path.clone();
    let reader = std::thread::spawn(move || {
        let mut pipe = std::fs::File::open(theirs).unwrap();
        let mut first = [0; 4];
        io::Read::read_exact(&mut pipe, &mut first).unwrap();
        first
    });
    let mut file = RotatingFile::create(&path).unwrap();
    assert_eq!(file.write(b"one\n").unwrap(), 4);
    assert_eq!(reader.join().unwrap(), *b"one\n");
    // Nobody reads any more, and the writer learns it.
    assert_eq!(file.write(b"two\n").unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    std::fs::remove_file(path).unwrap();
}
