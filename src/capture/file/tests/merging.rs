//! Several files are one supply in the order of time.

use super::writer::Writer;
use super::*;
use crate::capture::file::bytes::ByteOrder;
use crate::capture::file::open_files;

fn file(seconds: &[u32]) -> Vec<u8> {
    let mut w = Writer::pcap(ByteOrder::Little, 0xa1b2_c3d4, 1);
    for second in seconds {
        w.record(*second, 0, 1, &[1]);
    }
    w.out
}

fn order(files: &[&[u8]]) -> (Vec<(u64, u16, u64)>, Vec<Trouble>) {
    let (frames, trouble) = drain(open(files).unwrap());
    (frames.iter().map(|f| (f.at / 1_000_000_000, f.tap, f.number)).collect(), trouble)
}

#[test]
fn files_are_merged_by_time_and_equal_times_by_their_order() {
    let (frames, _) = order(&[&file(&[1, 5, 5, 9]), &file(&[]), &file(&[2, 5, 10]), &file(&[0, 5])]);
    assert_eq!(
        frames,
        [(0, 3, 1), (1, 0, 1), (2, 2, 1), (5, 0, 2), (5, 0, 3), (5, 2, 2), (5, 3, 2), (9, 0, 4), (10, 2, 3)]
    );
}

#[test]
fn a_file_whose_clock_goes_back_keeps_its_own_order() {
    let (frames, _) = order(&[&file(&[5, 3, 8]), &file(&[4, 6])]);
    assert_eq!(frames, [(4, 1, 1), (5, 0, 1), (3, 0, 2), (6, 1, 2), (8, 0, 3)]);
}

#[test]
fn a_damaged_file_does_not_stop_the_others() {
    let mut cut = file(&[1, 3, 7]);
    cut.truncate(cut.len() - 1);
    let header_cut = &file(&[1])[..10];
    let (frames, trouble) = order(&[&cut, &file(&[2, 4, 6, 8]), header_cut]);
    assert_eq!(frames, [(1, 0, 1), (2, 1, 1), (3, 0, 2), (4, 1, 2), (6, 1, 3), (8, 1, 4)]);
    let taps: Vec<_> = trouble.iter().map(|trouble| trouble.tap).collect();
    assert_eq!(taps, [2, 0], "{trouble:?}");
}

#[test]
fn many_files_give_every_frame_in_order() {
    let files: Vec<Vec<u8>> =
        (0_u32..50).map(|f| file(&(0..40).map(|n| n * 7 + f * f % 13).collect::<Vec<_>>())).collect();
    let (frames, _) = order(&files.iter().map(Vec::as_slice).collect::<Vec<_>>());
    assert_eq!(frames.len(), 2000);
    assert!(frames.is_sorted_by_key(|(at, tap, _)| (*at, *tap)));
}

#[test]
fn progress_reaches_the_whole_and_pipes_have_none() {
    let path = std::env::temp_dir().join(format!("gridtap-progress-{}.pcap", std::process::id()));
    let octets = file(&[1; 100]);
    std::fs::write(&path, &octets).unwrap();
    let mut source = open_files(std::slice::from_ref(&path)).unwrap();
    assert_eq!(source.taps(), [path.display().to_string()]);
    while let Next::Frame(_) = source.next().unwrap() {}
    let size = octets.len() as u64;
    assert_eq!(source.progress(), Some((size, size)));
    std::fs::remove_file(&path).unwrap();
    assert_eq!(open(&[&octets]).unwrap().progress(), None);
}
