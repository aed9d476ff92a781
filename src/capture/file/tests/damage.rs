//! What is left of a damaged file is read, the damage is told with its offset, and nothing panics.

use super::variants::{gzip, small_pcap, zstandard};
use super::writer::Writer;
use super::*;
use crate::capture::file::bytes::ByteOrder;
use crate::capture::file::{MAX_FRAME, open_files};
use std::io::Write as _;

fn small_pcapng() -> Vec<u8> {
    let mut w = Writer::new(ByteOrder::Little);
    let mut unknown = Writer::new(ByteOrder::Little);
    unknown.raw(&[9; 20]);
    w.section().interface(1, 0, &[(9, &[9])]).enhanced(0, 5, &[1, 2, 3], &[(1, b"x")]);
    w.block(77, &unknown).enhanced(0, 6, &[4, 5, 6, 7], &[]).statistics(0, &[(5, 1)]);
    w.out
}

fn damage(trouble: &[Trouble]) -> Option<(u64, &str)> {
    trouble.iter().find_map(|trouble| match &trouble.kind {
        TroubleKind::Damaged { offset, reason } => Some((*offset, reason.as_str())),
        _ => None,
    })
}

/// Offsets at which a record or block ends.
fn borders(file: &[u8]) -> Vec<usize> {
    let word = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap()) as usize;
    let pcapng = file[0] == 0x0a;
    let mut at = if pcapng { 0 } else { 24 };
    let mut borders = vec![at];
    while at < file.len() {
        at += if pcapng { word(at + 4) } else { 16 + word(at + 8) };
        borders.push(at);
    }
    borders
}

#[test]
fn a_file_cut_at_any_offset_gives_what_is_before_and_names_where_the_rest_began() {
    for file in [small_pcap(), small_pcapng()] {
        let (whole, trouble) = read(&file);
        assert_eq!(damage(&trouble), None, "{trouble:?}");
        let borders = borders(&file);
        for end in 4..=file.len() {
            let (frames, trouble) = read(&file[..end]);
            assert_eq!(frames, whole[..frames.len()], "cut at {end}");
            let begun = borders.iter().rev().find(|border| **border <= end).copied().unwrap_or(0);
            if end == begun {
                assert_eq!(damage(&trouble), None, "cut at the border {end}");
            } else {
                let (offset, reason) = damage(&trouble).expect("damage is told");
                assert_eq!(offset, begun as u64, "cut at {end}");
                assert!(reason.starts_with("the file ends within"), "{reason}");
            }
            assert_eq!((frames, trouble), read_by_drips(&file[..end]), "cut at {end}, by drips");
        }
        assert_eq!(read(&file).0.len(), whole.len());
    }
}

#[test]
fn every_octet_may_be_anything_without_a_panic() {
    for file in [small_pcap(), small_pcapng()] {
        for at in 0..file.len() {
            for value in [0x00, 0x01, 0x7f, 0x80, 0xff] {
                let mut changed = file.clone();
                changed[at] = value;
                if let Ok(source) = open(&[&changed]) {
                    let (frames, _) = drain(source);
                    assert!(frames.len() < 10);
                }
            }
        }
    }
}

#[test]
fn a_record_longer_than_the_limit_is_damage_and_one_at_the_limit_is_not() {
    let file = |length: u32| {
        let mut w = Writer::pcap(ByteOrder::Big, 0xa1b2_c3d4, 1);
        w.record(1, 0, 3, &[1, 2, 3]);
        w.record(2, 0, length, &vec![7; length as usize]).record(3, 0, 1, &[8]);
        w.out
    };
    let (frames, trouble) = read(&file(MAX_FRAME));
    assert_eq!((frames.len(), trouble.len()), (3, 0));
    assert_eq!(frames[1].bytes.len(), MAX_FRAME as usize);
    let (frames, trouble) = read(&file(MAX_FRAME + 1));
    assert_eq!(frames.len(), 1);
    let (offset, reason) = damage(&trouble).unwrap();
    assert_eq!(offset, 24 + 16 + 3);
    assert!(reason.contains("262145") && reason.contains("262144"), "{reason}");
}

#[test]
fn pcapng_blocks_that_contradict_themselves_are_damage() {
    let start = |change: &dyn Fn(&mut Writer)| {
        let mut w = Writer::new(ByteOrder::Little);
        w.section().interface(1, 0, &[]).enhanced(0, 1, &[1, 2, 3], &[]);
        let offset = w.out.len() as u64;
        change(&mut w);
        let (frames, trouble) = read(&w.out);
        assert_eq!(frames.len(), 1);
        let (at, reason) = damage(&trouble).expect("damage");
        assert_eq!(at, offset);
        reason.to_owned()
    };
    let reason = start(&|w| _ = w.enhanced(1, 1, &[1], &[]));
    assert!(reason.contains("names interface 1"), "{reason}");
    let reason = start(&|w| _ = w.statistics(9, &[]));
    assert!(reason.contains("names interface 9"), "{reason}");
    for (kind, length) in [(6, 8), (6, 28), (6, 35), (77, 11), (77, 0), (1, 12), (0x0a0d_0d0a, 16)] {
        let reason = start(&|w| _ = w.u32(kind).u32(length).u32(0x1a2b_3c4d).raw(&[0; 64]));
        assert!(reason.contains(&format!("length of {length} octets")), "{reason}");
    }
    for kind in [6, 77] {
        let reason = start(&|w| _ = w.u32(kind).u32(40).raw(&[0; 28]).u32(44).raw(&[0; 40]));
        assert!(reason.contains("two lengths differ: 40 and 44"), "{reason}");
    }
    let reason = start(&|w| _ = w.u32(6).u32(0x7fff_fff0).raw(&[0; 64]));
    assert!(reason.contains("more than the limit"), "{reason}");
    let reason = start(&|w| {
        let mut body = Writer::new(ByteOrder::Little);
        body.u32(0).u64(0).u32(200).u32(200).raw(&[0; 100]);
        w.block(6, &body);
    });
    assert!(reason.contains("claims 200 captured octets, its block has 100"), "{reason}");
    let reason = start(&|w| {
        let mut body = Writer::new(ByteOrder::Little);
        body.u32(0xdead_beef).u16(1).u16(0).u64(0);
        w.block(0x0a0d_0d0a, &body);
    });
    assert!(reason.contains("byte-order magic"), "{reason}");
}

#[test]
fn damaged_compression_gives_what_could_be_decompressed() {
    // Enough that the compressors hand out a part before the cut.
    let mut w = Writer::pcap(ByteOrder::Little, 0xa1b2_c3d4, 1);
    for number in 0_u32..40_000 {
        let noise = number.wrapping_mul(0x9e37_79b9).to_le_bytes();
        w.record(number, 0, 4, &noise);
    }
    let (whole, _) = read(&w.out);
    for compressed in [gzip(&w.out), zstandard(&w.out)] {
        let (frames, trouble) = read(&compressed[..compressed.len() * 3 / 4]);
        assert!(frames.len() > 1000 && frames.len() < whole.len(), "{}", frames.len());
        assert_eq!(frames, whole[..frames.len()]);
        let (offset, reason) = damage(&trouble).unwrap();
        assert_eq!(offset, 24 + 20 * frames.len() as u64, "in the decompressed file");
        assert!(reason.contains("reading failed"), "{reason}");
    }
}

#[test]
fn damage_within_gzip_loses_little_of_what_came_before_it() {
    let mut w = Writer::pcap(ByteOrder::Little, 0xa1b2_c3d4, 1);
    for number in 0_u32..40_000 {
        w.record(number, 0, 4, &number.wrapping_mul(0x9e37_79b9).to_le_bytes());
    }
    // Flushed, so that the next octet begins a block, and then a type of block that does not exist.
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(&w.out).unwrap();
    encoder.flush().unwrap();
    let mut damaged = encoder.get_ref().clone();
    damaged.extend([0xff; 64]);
    let (frames, trouble) = read(&damaged);
    let octets = 24 + 20 * frames.len();
    assert!(damage(&trouble).is_some());
    assert!(octets + 512 + 20 > w.out.len(), "{octets} of {} octets were read", w.out.len());
}

#[test]
fn what_is_no_capture_is_an_error_that_says_what_was_expected() {
    let error = |file: &[u8]| open(&[file]).err().expect("an error").to_string();
    for (file, found) in [
        (&b""[..], "file0: is empty"),
        (b"ab", "file0: is not a capture file (it begins with 61 62)"),
        (b"hello world, this is no capture", "it begins with 68 65 6c 6c"),
        (&gzip(b"hello world"), "it begins with 68 65 6c 6c"),
        (&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xff, 0xff, 0xff], "file0: cannot be read"),
    ] {
        let error = error(file);
        assert!(error.contains(found) && error.contains("expected a pcap or pcapng"), "{error}");
    }
    let missing = open_files(&["/nonexistent/a.pcap".into()]).err().unwrap();
    assert!(missing.to_string().contains("/nonexistent/a.pcap"), "{missing}");
    assert_eq!(missing.kind(), io::ErrorKind::NotFound);
    let directory = open_files(&["/".into()]).err().unwrap();
    assert!(directory.to_string().contains("is a directory"), "{directory}");
    let twice = open_files(&["-".into(), "-".into()]).err().unwrap();
    assert!(twice.to_string().contains("once"), "{twice}");
}
