//! Conversations keep their content whatever the network does to them, and capture files of every form
//! are read by tshark.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::process::Command;

use simulators::captures::encapsulations;
use simulators::encode::modbus::{Request, mbap};
use simulators::tshark;
use simulators::wire::{
    ByteOrder, Disturbance, Interface, LINKTYPE_ETHERNET, LINKTYPE_RAW, Line, Overlap, Resolution, Segment,
    Segmentation, Side, TcpTalk, TimedFrame, pcap, pcapng,
};

fn talk(disturbance: Disturbance) -> TcpTalk {
    let request = |i: u16| Line::client(mbap(i, 1, &Request::WriteRegisters(0, vec![i; 100]).pdu()));
    let response = |i: u16| Line::server(mbap(i, 1, &[16, 0, 0, 0, 100]));
    let script = (0..30).flat_map(|i| [request(i), response(i)]).collect();
    let ends = ["10.0.0.1:40000", "10.0.0.2:502"].map(|e| e.parse().unwrap());
    TcpTalk { disturbance, ..TcpTalk::new(ends[0], ends[1], script) }
}

/// What a receiver makes of segments, the first octet seen at a place standing.
fn reassemble(segments: &[Segment], side: Side) -> Vec<Option<u8>> {
    let mut stream = Vec::new();
    for segment in segments.iter().filter(|s| s.from == side) {
        for (i, octet) in segment.bytes.iter().enumerate() {
            let place = segment.offset + i;
            stream.resize(stream.len().max(place + 1), None);
            stream[place].get_or_insert(*octet);
        }
    }
    stream
}

#[test]
fn splitting_shuffling_repeating_and_overlapping_keep_the_streams() {
    for (segmentation, overlap) in [
        (Segmentation::Size(1), Overlap::None),
        (Segmentation::Random(60), Overlap::Consistent),
        (Segmentation::Lines, Overlap::Conflicting),
    ] {
        // A conflicting copy must not overtake its original, or the first seen would be the wrong one.
        let window = if overlap == Overlap::Conflicting { 0 } else { 8 };
        let rules =
            Disturbance { seed: 5, segmentation, window, duplicate_percent: 30, overlap, drop_percent: 0 };
        let talk = talk(rules);
        let (segments, lost) = talk.segments();
        assert!(lost.is_empty());
        assert!(segments.is_sorted_by_key(|s| s.at_ns), "{segmentation:?}: the tap's clock runs forward");
        for side in [Side::Client, Side::Server] {
            let whole: Vec<_> = talk.stream(side).into_iter().map(Some).collect();
            assert_eq!(reassemble(&segments, side), whole, "{segmentation:?} {side:?}");
        }
        assert_eq!(talk.frames(), talk.clone().frames(), "the seed decides");
    }
}

#[test]
fn shuffling_really_changes_the_order_and_conflicts_really_conflict() {
    let rules = Disturbance { segmentation: Segmentation::Size(20), window: 6, ..Disturbance::default() };
    let data: Vec<_> = talk(rules).segments().0.into_iter().filter(|s| s.from == Side::Client).collect();
    assert!(!data.is_sorted_by_key(|s| s.offset));
    let rules = Disturbance { overlap: Overlap::Conflicting, ..Disturbance::default() };
    let segments = talk(rules).segments().0;
    let conflict = |a: &Segment, b: &Segment| {
        a.from == b.from && a.offset == b.offset && a.bytes.iter().zip(&b.bytes).any(|(x, y)| x != y)
    };
    assert!(segments.windows(2).any(|pair| conflict(&pair[0], &pair[1])));
}

#[test]
fn what_the_tap_misses_is_named() {
    let rules = Disturbance { seed: 3, drop_percent: 20, ..Disturbance::default() };
    let talk = talk(rules);
    let (seen, lost) = talk.segments();
    assert!(!lost.is_empty());
    for side in [Side::Client, Side::Server] {
        let mut stream = reassemble(&seen, side);
        let whole = talk.stream(side);
        stream.resize(whole.len(), None);
        for (place, octet) in stream.iter().enumerate() {
            let missing =
                lost.iter().any(|s| s.from == side && (s.offset..s.offset + s.bytes.len()).contains(&place));
            assert_eq!(*octet, (!missing).then(|| whole[place]), "{side:?} {place}");
        }
    }
}

/// Lines that tshark prints of a capture's frames.
fn tshark_lines(name: &str, capture: &[u8]) -> Option<Vec<String>> {
    // Whether tshark may be missing is decided in one place.
    tshark::run(name, &[], LINKTYPE_ETHERNET, &[], &["frame.number"])?;
    let path = std::env::temp_dir().join(format!("gridtap-{}-{name}", std::process::id()));
    std::fs::write(&path, capture).unwrap();
    let mut command = Command::new("tshark");
    command.args(["-n", "-T", "fields", "-e", "frame.time_epoch", "-e", "modbus.func_code", "-r"]).arg(&path);
    let output = command.output().unwrap();
    std::fs::remove_file(&path).unwrap();
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect())
}

fn epoch(frame: &TimedFrame) -> String {
    format!("{}.{:09}", frame.at_ns / 1_000_000_000, frame.at_ns % 1_000_000_000)
}

#[test]
fn tshark_reads_every_form_of_capture_file() {
    let frames: Vec<TimedFrame> = talk(Disturbance::default())
        .frames()
        .into_iter()
        .map(|f| TimedFrame { at_ns: f.at_ns + 123_000, ..f })
        .collect();
    let raw = encapsulations().into_iter().find(|s| s.name == "raw_ip").unwrap().frames;
    let mut files = Vec::new();
    for order in [ByteOrder::Little, ByteOrder::Big] {
        for resolution in [Resolution::Micro, Resolution::Nano] {
            files.push(pcap(&frames, LINKTYPE_ETHERNET, order, resolution, 65_535));
        }
        files.push(pcapng(
            &[Interface::new("span0", LINKTYPE_ETHERNET)],
            &frames.iter().map(|f| (0, f.clone())).collect::<Vec<_>>(),
            order,
        ));
    }
    for (index, file) in files.iter().enumerate() {
        let Some(lines) = tshark_lines(&format!("form{index}"), file) else { return };
        let times: Vec<_> = lines.iter().map(|l| l.split('\t').next().unwrap().to_owned()).collect();
        assert_eq!(times, frames.iter().map(epoch).collect::<Vec<_>>(), "file {index}");
        assert_eq!(lines.iter().filter(|l| l.ends_with("\t16")).count(), 60, "file {index}");
    }
    // Two interfaces with link types and resolutions of their own.
    let coarse = Interface { digits: None, ..Interface::new("any", LINKTYPE_RAW) };
    let both: Vec<_> =
        frames.iter().map(|f| (0, f.clone())).chain(raw.iter().map(|f| (1, f.clone()))).collect();
    let file = pcapng(&[Interface::new("span0", LINKTYPE_ETHERNET), coarse], &both, ByteOrder::Little);
    let Some(lines) = tshark_lines("two", &file) else { return };
    assert_eq!(lines.len(), both.len());
    assert_eq!(lines.iter().filter(|l| !l.ends_with('\t')).count(), 66);
}
