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

#[test]
fn a_held_segment_wins_over_later_bytes_for_its_place() {
    let mut tap = Tap::new();
    tap.handshake(100, 500);
    tap.send(&to_server(103, 500, b"def")); // frame 3, first for its place
    tap.send(&to_server(100, 500, b"abcDEFghi")); // frame 4
    assert_eq!(tap.text(C), "abcdefghi");
    let overlap = Event::Overlap(C, 3, b"def".to_vec(), b"DEF".to_vec(), Some(3), 4);
    assert!(tap.seen.events.contains(&overlap), "{:?}", tap.seen.events);
    tap.finish();
}

#[test]
fn different_bytes_for_delivered_ones_are_a_conflict() {
    let mut tap = Tap::new();
    tap.handshake(100, 500);
    tap.send(&to_server(100, 500, b"read coils"));
    tap.send(&to_server(105, 500, b"trips more"));
    assert_eq!(tap.text(C), "read coils more");
    let overlap = Event::Overlap(C, 5, b"coils".to_vec(), b"trips".to_vec(), Some(3), 4);
    assert!(tap.seen.events.contains(&overlap), "{:?}", tap.seen.events);
    tap.finish();
}

#[test]
fn the_same_bytes_in_other_cuts_are_no_conflict() {
    let mut tap = Tap::new();
    tap.handshake(100, 500);
    tap.send(&to_server(100, 500, b"abcd"));
    tap.send(&to_server(108, 500, b"ijkl"));
    tap.send(&to_server(102, 500, b"cdefghij"));
    tap.send(&to_server(100, 500, b"abcdefghijklmn"));
    assert_eq!(tap.text(C), "abcdefghijklmn");
    assert_eq!(tap.counters().conflicting_overlaps, 0);
    tap.finish();
}

#[test]
fn sequence_numbers_come_round() {
    let mut tap = Tap::new();
    let start = u32::MAX - 4;
    tap.handshake(start, start);
    tap.send(&to_server(start.wrapping_add(8), start, b"ijkl"));
    tap.send(&to_server(start, start, b"abcd"));
    tap.send(&to_server(start.wrapping_add(4), start, b"efgh"));
    tap.send(&to_server(start.wrapping_add(4), start, b"efgh"));
    assert_eq!(tap.text(C), "abcdefghijkl");
    assert_eq!(tap.counters().retransmitted, 1);
    tap.finish();
}

#[test]
fn an_answer_never_overtakes_its_request() {
    let mut tap = Tap::new();
    tap.handshake(100, 500);
    tap.send(&to_client(500, 103, b"answer"));
    assert_eq!(tap.text(S), "");
    tap.send(&to_server(100, 500, b"ask"));
    assert_eq!(tap.frames(), [4, 3]);
    assert_eq!(tap.counters().held_for_ack, 1);
    tap.finish();
}

#[test]
fn a_request_the_tap_missed_is_a_gap_before_its_answer() {
    let mut tap = Tap::new();
    tap.handshake(100, 500);
    tap.send(&to_client(500, 112, b"answer"));
    tap.wait(SECOND);
    let told: Vec<_> = tap.seen.events[1..].to_vec();
    assert_eq!(told, [Event::Gap(0, C, Some(12), 0), Event::Record(0, S, b"answer".to_vec(), 3)]);
    // What follows goes on behind the hole at once, and the hole is not told twice.
    tap.send(&to_server(112, 506, b"next"));
    assert_eq!(tap.text(C), "|next");
    assert_eq!((tap.counters().gaps, tap.counters().gap_bytes), (1, 12));
    tap.finish();
}

#[test]
fn a_hole_the_receiver_has_not_is_waited_for() {
    let mut tap = Tap::new();
    tap.handshake(100, 500);
    tap.send(&to_server(103, 500, b"def"));
    tap.send(&flagged(ACK, to_client(500, 100, b"")));
    tap.wait(2 * SECOND);
    assert_eq!(tap.text(C), "");
    tap.send(&to_server(100, 500, b"abc"));
    assert_eq!(tap.text(C), "abcdef");
    assert_eq!(tap.counters().gaps, 0);
    tap.finish();
}

#[test]
fn a_hole_the_receiver_has_is_a_gap_after_a_moment() {
    let mut tap = Tap::new();
    tap.handshake(100, 500);
    tap.send(&to_server(100, 500, b"ab"));
    tap.send(&to_server(105, 500, b"fg"));
    tap.send(&flagged(ACK, to_client(500, 107, b"")));
    assert_eq!(tap.text(C), "ab");
    tap.wait(300 * MS);
    assert_eq!(tap.text(C), "ab|fg");
    assert_eq!(tap.counters().gap_bytes, 3);
    tap.finish();
}

#[test]
fn on_a_one_way_tap_a_hole_is_a_gap_after_seconds() {
    let mut tap = Tap::new();
    tap.send(&flagged(SYN, to_server(99, 0, b"")));
    tap.send(&to_server(105, 500, b"fg"));
    tap.wait(2 * SECOND);
    assert_eq!(tap.text(C), "");
    tap.wait(2 * SECOND);
    assert_eq!(tap.text(C), "|fg");
    tap.finish();
}

#[test]
fn a_gap_hands_over_the_unfinished_tail() {
    let mut tap = Tap::new();
    tap.seen.size = 4;
    tap.handshake(100, 500);
    tap.send(&to_server(100, 500, b"aaaabb"));
    tap.send(&to_server(110, 500, b"cccc"));
    tap.send(&flagged(ACK, to_client(500, 114, b"")));
    tap.wait(SECOND);
    assert_eq!(tap.text(C), "aaaa|cccc");
    assert!(tap.seen.events.contains(&Event::Gap(0, C, Some(4), 2)));
    tap.finish();
}

#[test]
fn bytes_for_a_gap_given_up_are_still_seen() {
    let mut tap = Tap::new();
    tap.handshake(100, 500);
    tap.send(&to_server(105, 500, b"fg"));
    tap.send(&flagged(ACK, to_client(500, 107, b"")));
    tap.wait(SECOND);
    tap.send(&to_server(100, 500, b"abcde"));
    assert_eq!(tap.text(C), "|fg|abcde");
    assert_eq!(tap.counters().rewinds, 1);
    tap.finish();
}

#[test]
fn a_segment_cut_by_the_snap_length_is_what_is_there_and_a_gap() {
    let mut tap = Tap::new();
    tap.handshake(100, 500);
    tap.send(&Seg { cut: 6, ..to_server(100, 500, b"head") });
    tap.send(&to_server(110, 500, b"next"));
    tap.send(&Seg { cut: 6, ..to_server(100, 500, b"head") });
    assert_eq!(tap.text(C), "head|next");
    tap.finish();
    let info = tap.seen.infos.last().unwrap();
    assert!(info.coverage.truncated);
    assert_eq!(info.coverage.gaps, 1);
}

#[test]
fn keep_alive_probes_are_no_conflict() {
    let mut tap = Tap::new();
    tap.handshake(100, 500);
    tap.send(&to_server(100, 500, b"abc"));
    tap.send(&flagged(ACK, to_client(500, 103, b"")));
    tap.send(&to_server(102, 500, b"\0"));
    tap.send(&flagged(ACK, to_server(102, 500, b"")));
    tap.send(&to_server(103, 500, b"def"));
    assert_eq!(tap.text(C), "abcdef");
    assert_eq!((tap.counters().keep_alives, tap.counters().conflicting_overlaps), (1, 0));
    tap.finish();
}

#[test]
fn one_octet_replaced_before_it_is_acknowledged_is_no_keep_alive() {
    let mut tap = Tap::new();
    tap.handshake(100, 500);
    tap.send(&flagged(ACK, to_client(500, 100, b"")));
    tap.send(&to_server(100, 500, b"a"));
    tap.send(&to_server(100, 500, b"X"));
    assert_eq!(tap.text(C), "a");
    assert_eq!(tap.counters().conflicting_overlaps, 1);
    tap.finish();
}

#[test]
fn a_flow_without_syn_begins_at_its_earliest_segment_although_it_comes_later() {
    let mut tap = Tap::new();
    tap.send(&to_server(103, 500, b"def"));
    tap.send(&to_server(106, 500, b"ghi"));
    tap.send(&to_server(100, 500, b"abc"));
    assert_eq!(tap.text(C), "", "nobody knows yet where it begins");
    tap.send(&to_client(500, 109, b"answer"));
    assert_eq!(tap.text(C), "abcdefghi");
    assert_eq!(tap.text(S), "answer");
    assert!(tap.seen.infos[0].coverage.midstream);
    assert_eq!(tap.counters().midstream_flows, 1);
    tap.finish();
}

#[test]
fn a_lone_first_segment_is_handed_out_after_a_moment() {
    let mut tap = Tap::new();
    tap.send(&to_server(100, 500, b"abc"));
    tap.wait(300 * MS);
    assert_eq!(tap.text(C), "abc");
    tap.finish();
}

#[test]
fn an_answer_seen_before_its_request_without_syn_comes_after_it() {
    let mut tap = Tap::new();
    tap.send(&to_client(500, 103, b"answer"));
    tap.send(&to_server(100, 500, b"ask"));
    assert_eq!(tap.frames(), [2, 1]);
    assert_eq!(tap.seen.infos[0].client.port, CLIENT, "the side opposite the known port");
    tap.finish();
}

#[test]
fn a_syn_overtaken_by_data_still_names_the_client_and_the_beginning() {
    let mut tap = Tap::new();
    tap.table = FlowTable::new(FlowLimits::default(), PortSet::new(&[], &[]));
    tap.usual.0 = FlowTable::new(FlowLimits::default(), PortSet::new(&[], &[]));
    tap.send(&to_client(500, 103, b"answer"));
    tap.send(&flagged(SYN, to_server(99, 0, b"")));
    tap.send(&flagged(SYN | ACK, to_client(499, 100, b"")));
    tap.send(&to_server(100, 500, b"ask"));
    assert_eq!(tap.frames(), [4, 1]);
    let info = &tap.seen.infos[0];
    assert_eq!((info.client.port, info.server.port), (CLIENT, SERVER));
    assert_eq!(info.client_mac.map(|mac| mac.0[5]), Some(1));
    assert!(!info.coverage.midstream);
    tap.finish();
}

#[test]
fn data_on_the_syn_and_on_the_fin_is_delivered() {
    let mut tap = Tap::new();
    tap.send(&flagged(SYN, to_server(99, 0, b"early")));
    tap.send(&flagged(SYN | ACK, to_client(499, 105, b"")));
    tap.send(&flagged(FIN | ACK, to_server(105, 500, b"late")));
    tap.send(&flagged(FIN | ACK, to_client(500, 110, b"bye")));
    assert_eq!((tap.text(C).as_str(), tap.text(S).as_str()), ("earlylate", "bye"));
    tap.wait(10 * SECOND);
    assert_eq!(tap.counters().closed_fin, 1);
    tap.finish();
}

#[test]
fn segments_out_of_turn_are_named_and_those_in_turn_are_not() {
    let late = |segments: &[Seg]| {
        let mut tap = Tap::new();
        tap.handshake(100, 500);
        for segment in segments {
            tap.send(segment);
        }
        tap.finish();
        tap.seen.infos.last().unwrap().late.map(|frame| frame.number)
    };
    let (ask, more) = (to_server(100, 500, b"ask"), to_server(103, 500, b"more"));
    let answer = to_client(500, 103, b"answer");
    assert_eq!(late(&[ask.clone(), answer.clone(), to_server(103, 506, b"more")]), None);
    assert_eq!(late(&[more, ask.clone()]), Some(4), "overtaken by its own direction");
    assert_eq!(late(&[answer.clone(), ask.clone()]), Some(4), "overtaken by its answer");
    assert_eq!(late(&[ask.clone(), answer, ask]), Some(5), "a repetition");
}

#[test]
fn each_of_several_reversed_segments_is_named_when_its_bytes_are_delivered() {
    let mut tap = Tap::new();
    tap.handshake(100, 500);
    for (seq, text) in [(109, b"ccc"), (106, b"bbb"), (103, b"aaa"), (100, b"ask")] {
        tap.send(&to_server(seq, 500, text));
    }
    tap.finish();
    assert_eq!(tap.text(C), "askaaabbbccc");
    // Frames 3 to 6; the last of the stream came first, so it was not late itself.
    assert_eq!(tap.seen.late, [Some(6), Some(5), Some(4), Some(4)]);
}

#[test]
fn what_comes_before_the_end_of_a_disbelieved_reset_is_named() {
    let mut tap = Tap::new();
    tap.handshake(100, 500);
    tap.send(&to_server(100, 500, b"ask"));
    tap.send(&flagged(RST, to_server(1_000_103, 0, b"")));
    tap.send(&to_server(103, 500, b"more"));
    tap.finish();
    let info = tap.seen.infos.last().unwrap();
    assert_eq!((info.passed.map(|frame| frame.number), info.late), (Some(5), None));
}

#[test]
fn what_an_acknowledgement_has_overtaken_is_named() {
    let mut tap = Tap::new();
    tap.handshake(100, 500);
    tap.send(&to_server(100, 500, b"ask"));
    tap.send(&to_client(500, 103, b"answer"));
    tap.send(&to_server(103, 506, b""));
    tap.send(&to_client(512, 103, b""));
    tap.send(&to_client(506, 103, b"answer"));
    tap.send(&to_client(512, 103, b"answer"));
    tap.finish();
    let info = tap.seen.infos.last().unwrap();
    assert_eq!((info.passed.map(|frame| frame.number), info.late), (Some(7), None));
    assert_eq!(tap.text(S), "answeransweranswer");
}

#[test]
fn segments_in_order_take_the_short_way_and_no_others() {
    let mut tap = Tap::new();
    tap.handshake(100, 500);
    let poll = |tap: &mut Tap, n: u32| {
        tap.send(&to_server(100 + 3 * n, 500 + 6 * n, b"ask"));
        tap.send(&to_client(500 + 6 * n, 103 + 3 * n, b"answer"));
        tap.send(&to_server(103 + 3 * n, 506 + 6 * n, b""));
    };
    // The first segment with payload of each direction finds the flow; the acknowledgement is the third.
    poll(&mut tap, 0);
    assert_eq!(tap.short, 1);
    (1..10).for_each(|n| poll(&mut tap, n));
    assert_eq!(tap.short, 28);
    // Too far ahead, repeated, acknowledging what was not seen, marked as the last: none of them is plain.
    tap.send(&to_server(140, 560, b"ahead"));
    tap.send(&to_server(127, 560, b"ask"));
    tap.send(&to_client(560, 131, b"early"));
    tap.send(&flagged(FIN | ACK, to_client(560, 130, b"")));
    assert_eq!(tap.short, 28);
    tap.finish();
}
