//! One TCP stream: order, repetition, overlap, gaps.

use super::*;

const C: Direction = Direction::ToServer;
const S: Direction = Direction::ToClient;

#[test]
fn in_order_segments_of_both_directions_come_as_they_are() {
    let mut tap = Tap::new();
    tap.handshake(100, 500);
    tap.send(&to_server(100, 500, b"ask"));
    tap.send(&to_client(500, 103, b"answer"));
    tap.send(&to_server(103, 506, b"more"));
    assert_eq!(tap.text(C), "askmore");
    assert_eq!(tap.text(S), "answer");
    assert_eq!(tap.frames(), [3, 4, 5]);
    let info = &tap.seen.infos[0];
    assert_eq!((info.client.port, info.server.port), (CLIENT, SERVER));
    assert!(!info.coverage.midstream && !info.coverage.one_way);
    assert_eq!(info.port_side, Some(S));
    tap.finish();
}

#[test]
fn out_of_order_segments_keep_the_frame_that_brought_them() {
    let mut tap = Tap::new();
    tap.seen.size = 4;
    tap.handshake(100, 500);
    tap.send(&to_server(108, 500, b"cccc")); // frame 3
    tap.send(&to_server(104, 500, b"bbbb")); // frame 4
    assert_eq!(tap.text(C), "");
    tap.send(&to_server(100, 500, b"aaaa")); // frame 5
    assert_eq!(tap.text(C), "aaaabbbbcccc");
    assert_eq!(tap.frames(), [5, 4, 3]);
    assert_eq!(tap.counters().out_of_order, 2);
    tap.finish();
}

#[test]
fn a_record_over_several_frames_names_the_one_with_the_last_missing_octet() {
    let mut tap = Tap::new();
    tap.seen.size = 6;
    tap.handshake(100, 500);
    tap.send(&to_server(100, 500, b"aa")); // frame 3
    tap.send(&to_server(104, 500, b"aabb")); // frame 4
    tap.send(&to_server(102, 500, b"aa")); // frame 5 completes the first record
    tap.send(&to_server(108, 500, b"bbbb")); // frame 6 the second
    assert_eq!(tap.text(C), "aaaaaabbbbbb");
    assert_eq!(tap.frames(), [5, 6]);
    tap.finish();
}

#[test]
fn retransmissions_are_ignored_and_counted() {
    let mut tap = Tap::new();
    tap.handshake(100, 500);
    tap.send(&to_server(100, 500, b"abcdef"));
    tap.send(&to_server(100, 500, b"abcdef"));
    tap.send(&to_server(103, 500, b"defghi"));
    assert_eq!(tap.text(C), "abcdefghi");
    assert_eq!((tap.counters().retransmitted, tap.counters().overlaps), (1, 1));
    assert_eq!(tap.counters().conflicting_overlaps, 0);
    tap.finish();
}
