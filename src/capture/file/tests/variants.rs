//! Every variant of the two formats and of their packing.

use std::io::Write;

use super::writer::Writer;
use super::*;
use crate::capture::file::bytes::ByteOrder;

const ORDERS: [ByteOrder; 2] = [ByteOrder::Little, ByteOrder::Big];
const FRAME: [u8; 5] = [0xde, 0xad, 0xbe, 0xef, 0x05];

/// Three frames of different length in a pcap file.
pub(super) fn small_pcap() -> Vec<u8> {
    let mut w = Writer::pcap(ByteOrder::Little, 0xa1b2_c3d4, 1);
    w.record(10, 1, 3, &[1, 2, 3]).record(10, 2, 0, &[]).record(11, 0, 60, &FRAME);
    w.out
}

#[test]
fn pcap_is_read_in_both_byte_orders_and_every_unit_of_time() {
    for order in ORDERS {
        for (magic, fraction, extra) in
            [(0xa1b2_c3d4, 7_000, 0), (0xa1b2_3c4d, 7, 0), (0xa1b2_cd34, 7_000, 8)]
        {
            let mut w = Writer::pcap(order, magic, 1);
            // seconds 100, fraction 7, captured 5, on the wire 1500
            w.u32(100).u32(7).u32(5).u32(1500).raw(&[0; 8][..extra]).raw(&FRAME);
            w.u32(99).u32(8).u32(5).u32(5).raw(&[0; 8][..extra]).raw(&FRAME);
            let (frames, trouble) = read(&w.out);
            assert!(trouble.is_empty(), "{order:?} {magic:08x}: {trouble:?}");
            assert_eq!(frames.len(), 2, "{order:?} {magic:08x}");
            let expected = Kept {
                at: 100_000_000_000 + fraction,
                tap: 0,
                number: 1,
                link: LinkType::Ethernet,
                wire_len: 1500,
                bytes: FRAME.to_vec(),
            };
            assert_eq!(frames[0], expected, "{order:?} {magic:08x}");
            assert_eq!(frames[1].number, 2, "a file keeps its own order even if its clock went back");
            assert_eq!(read_by_drips(&w.out).0, frames);
        }
    }
}

#[test]
fn link_types_are_recognised_and_the_check_sequence_bits_masked() {
    let link_of = |number| {
        let mut w = Writer::pcap(ByteOrder::Big, 0xa1b2_c3d4, number);
        w.record(0, 0, 5, &FRAME);
        read(&w.out).0[0].link
    };
    assert_eq!(link_of(1), LinkType::Ethernet);
    assert_eq!(link_of(0x2400_0001), LinkType::Ethernet, "FCS length 2, flag set");
    for raw in [12, 14, 101, 228, 229] {
        assert_eq!(link_of(raw), LinkType::RawIp);
    }
    assert_eq!(link_of(113), LinkType::LinuxCooked);
    assert_eq!(link_of(276), LinkType::LinuxCooked2);
    assert_eq!(link_of(0), LinkType::BsdLoopback);
    assert_eq!(link_of(108), LinkType::BsdLoopback);
    assert_eq!(link_of(147), LinkType::Other(147));
}

#[test]
fn old_pcap_versions_give_the_lengths_the_other_way_round() {
    for (minor, first, second) in [(2_u16, 60, 5), (3, 60, 5), (3, 5, 60)] {
        let mut w = Writer::new(ByteOrder::Little);
        w.u32(0xa1b2_c3d4).u16(2).u16(minor).u32(0).u32(0).u32(96).u32(1);
        w.u32(1).u32(0).u32(first).u32(second).raw(&FRAME);
        let (frames, trouble) = read(&w.out);
        assert!(trouble.is_empty(), "{trouble:?}");
        assert_eq!((frames[0].bytes.len(), frames[0].wire_len), (5, 60));
    }
}

#[test]
fn pcapng_is_read_in_both_byte_orders_with_sections_interfaces_and_unknown_blocks() {
    let mut file = Vec::new();
    for order in ORDERS {
        let mut w = Writer::new(order);
        let mut unknown = Writer::new(order);
        unknown.raw(&vec![0x55; 3_000_001]);
        w.section()
            .interface(1, 0, &[])
            .interface(101, 0, &[(2, b"eth1"), (9, &[9])])
            .block(0x0bad, &unknown)
            .enhanced(1, 1_000_000_007, &FRAME, &[])
            .enhanced(0, 2_000_007, &[1, 2, 3, 4], &[(1, b"comment")]);
        file.extend(w.out);
    }
    let (frames, trouble) = read(&file);
    assert!(trouble.is_empty(), "{trouble:?}");
    let seen: Vec<_> = frames.iter().map(|f| (f.number, f.at, f.link, f.bytes.len(), f.wire_len)).collect();
    assert_eq!(
        seen,
        [
            (1, 1_000_000_007, LinkType::RawIp, 5, 5),
            (2, 2_000_007_000, LinkType::Ethernet, 4, 4),
            (3, 1_000_000_007, LinkType::RawIp, 5, 5),
            (4, 2_000_007_000, LinkType::Ethernet, 4, 4),
        ]
    );
    assert_eq!(read_by_drips(&file).0, frames);
}

#[test]
fn pcapng_time_stamps_follow_the_resolution_and_offset_of_their_interface() {
    let at = |resolution: Option<u8>, offset: Option<i64>, stamp: u64| {
        let mut w = Writer::new(ByteOrder::Little);
        let (resolution, offset) = (resolution.map(|r| [r]), offset.map(i64::to_le_bytes));
        let mut options: Vec<(u16, &[u8])> = Vec::new();
        options.extend(resolution.as_ref().map(|r| (9, r.as_slice())));
        options.extend(offset.as_ref().map(|o| (14, o.as_slice())));
        w.section().interface(1, 0, &options).enhanced(0, stamp, &FRAME, &[]);
        read(&w.out).0[0].at
    };
    assert_eq!(at(None, None, 5), 5_000, "microseconds by default");
    assert_eq!(at(Some(0), None, 5), 5_000_000_000);
    assert_eq!(at(Some(3), None, 5), 5_000_000);
    assert_eq!(at(Some(9), None, 5), 5);
    assert_eq!(at(Some(12), None, 5_999), 5, "picoseconds are cut to nanoseconds");
    assert_eq!(at(Some(0x8a), None, 1536), 1_500_000_000, "1024ths of a second");
    assert_eq!(at(Some(0x80), None, 3), 3_000_000_000);
    assert_eq!(at(None, Some(100), 5), 100_000_005_000);
    assert_eq!(at(Some(9), Some(-2), 5_000_000_000), 3_000_000_000);
    // Out of range: cut, no panic.
    assert_eq!(at(Some(9), Some(-10), 5), 0);
    assert_eq!(at(Some(0), None, u64::MAX), u64::MAX);
    assert_eq!(at(Some(0), Some(i64::MAX), u64::MAX), u64::MAX);
    assert_eq!(at(Some(0x7f), None, u64::MAX), 0);
    assert_eq!(at(Some(0xff), None, u64::MAX), 0);
    assert_eq!(at(None, Some(i64::MIN), u64::MAX), 0);
}

#[test]
fn simple_packets_are_cut_at_the_snap_length_and_take_the_last_time() {
    for order in ORDERS {
        let mut w = Writer::new(order);
        let mut simple = Writer::new(order);
        simple.u32(1500).raw(&FRAME);
        w.section().interface(1, 5, &[]).enhanced(0, 77, &FRAME, &[]).block(3, &simple);
        let (frames, trouble) = read(&w.out);
        assert!(trouble.is_empty(), "{trouble:?}");
        assert_eq!(frames[1].bytes, FRAME);
        assert_eq!((frames[1].wire_len, frames[1].at, frames[1].number), (1500, 77_000, 2));
    }
}

#[test]
fn obsolete_packets_are_read_with_their_drop_counts() {
    for order in ORDERS {
        let mut w = Writer::new(order);
        w.section().interface(1, 0, &[]);
        for drops in [3, 0xffff, 2] {
            let mut body = Writer::new(order);
            body.u16(0).u16(drops).u32(1).u32(0).u32(5).u32(64).raw(&FRAME);
            w.block(2, &body);
        }
        let (frames, trouble) = read(&w.out);
        assert_eq!(frames.len(), 3);
        assert_eq!((frames[0].at, frames[0].wire_len), ((1 << 32) * 1000, 64));
        assert_eq!(trouble, [Trouble { tap: 0, kind: TroubleKind::KernelDrops(5) }], "65535 is unknown");
    }
}

#[test]
fn drops_told_with_packets_and_in_the_statistics_are_counted_once() {
    for order in ORDERS {
        let mut w = Writer::new(order);
        let mut lost = Writer::new(order);
        lost.u64(4);
        w.section().interface(1, 0, &[]).interface(1, 0, &[]);
        w.enhanced(0, 1, &FRAME, &[(4, &lost.out)]); // 4 lost before this packet
        w.statistics(0, &[(4, 1000), (5, 6), (7, 1)]); // 7 lost in all, of 1000
        w.statistics(0, &[(5, 6), (7, 1)]); // the same told again
        w.statistics(1, &[(5, 2)]);
        let (_, trouble) = read(&w.out);
        assert_eq!(trouble, [Trouble { tap: 0, kind: TroubleKind::KernelDrops(9) }]);
    }
}

#[test]
fn statistics_without_drops_are_no_trouble() {
    let mut w = Writer::new(ByteOrder::Little);
    w.section().interface(1, 0, &[]).statistics(0, &[(4, 1000), (5, 0)]);
    assert_eq!(read(&w.out), (vec![], vec![]));
}

pub(super) fn gzip(octets: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(octets).unwrap();
    encoder.finish().unwrap()
}

pub(super) fn zstandard(octets: &[u8]) -> Vec<u8> {
    zstd::encode_all(octets, 1).unwrap()
}

#[test]
fn compressed_files_are_read_whatever_their_name_members_and_frames() {
    let plain = small_pcap();
    let expected = read(&plain);
    assert_eq!(expected.0.len(), 3);
    for (what, compress) in [("gzip", gzip as fn(&[u8]) -> Vec<u8>), ("zstd", zstandard)] {
        let one = compress(&plain);
        let mut several = compress(&plain[..31]);
        several.extend(compress(&plain[31..50]));
        several.extend(compress(&[]));
        several.extend(compress(&plain[50..]));
        for file in [one, several] {
            assert_eq!(read(&file), expected, "{what}");
            assert_eq!(read_by_drips(&file), expected, "{what} by drips");
        }
    }
    // A skippable frame in front, as some tools write it.
    let mut skippable = vec![0x50, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 0xaa, 0xbb];
    skippable.extend(zstandard(&plain));
    assert_eq!(read(&skippable), expected);
}
