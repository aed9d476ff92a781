//! Somebody who chooses every byte: nothing grows without limit, nothing goes blind for good.

use super::*;

const C: Direction = Direction::ToServer;

#[test]
fn segments_injected_ahead_do_not_blind_the_tap() {
    let mut tap = Tap::new();
    tap.handshake(100, 500);
    tap.send(&to_server(5000, 500, b"injected"));
    let mut expected = String::new();
    for n in 0..50 {
        tap.send(&to_server(100 + n * 4, 500, b"real"));
        tap.wait(5 * SECOND);
        expected.push_str("real");
    }
    assert_eq!(tap.text(C), expected);
    tap.finish();
}

#[test]
fn segments_far_outside_the_window_are_ignored_and_counted() {
    let mut tap = Tap::new();
    tap.handshake(100, 500);
    tap.send(&to_server(100, 500, b"ab"));
    tap.send(&flagged(ACK, to_client(500, 102, b"")));
    for n in 0..10 {
        tap.send(&to_server(0x8000_0000 + n, 500, b"x"));
    }
    tap.send(&to_server(102, 500, b"cd"));
    assert_eq!(tap.text(C), "abcd");
    assert_eq!((tap.counters().out_of_window, tap.counters().gaps), (10, 0));
    tap.finish();
}

#[test]
fn a_stream_that_really_goes_on_elsewhere_is_taken_up_there() {
    let mut tap = Tap::new();
    tap.send(&flagged(SYN, to_server(99, 0, b"")));
    tap.send(&to_server(100, 500, b"ab"));
    for n in 0..4 {
        tap.send(&to_server(0x8000_0000 + n, 500, b"x"));
    }
    assert_eq!(tap.text(C), "ab|xx");
    assert!(tap.seen.events.contains(&Event::Gap(0, C, None, 0)));
    tap.finish();
}

#[test]
fn a_forged_acknowledgement_does_not_move_the_stream() {
    let mut tap = Tap::new();
    tap.handshake(100, 500);
    tap.send(&to_client(500, 9000, b"forged"));
    tap.wait(SECOND);
    tap.send(&to_server(100, 500, b"real"));
    tap.send(&to_server(104, 500, b"more"));
    assert_eq!(tap.text(C), "|realmore");
    tap.finish();
}

#[test]
fn a_session_that_never_has_enough_loses_its_tail_at_the_limit() {
    let mut tap = Tap::new();
    tap.seen.size = 1_000_000;
    tap.handshake(100, 500);
    let mut seq = 100;
    for _ in 0..100 {
        tap.send(&to_server(seq, 500, &[7; 1400]));
        seq += 1400;
        assert!(tap.counters().buffered_bytes < 256 * 1024);
    }
    assert_eq!(tap.counters().tail_overflows, 2);
    assert!(tap.seen.events.iter().any(|e| matches!(e, Event::Gap(0, C, Some(0), 65_536..))));
    tap.finish();
}

#[test]
fn what_is_held_for_holes_is_bounded_in_segments_bytes_and_in_total() {
    let limits = FlowLimits { total_bytes: 1 << 20, ..FlowLimits::default() };
    let mut tap = Tap::with(limits);
    for port in 0..500_u16 {
        tap.send_on(port, &flagged(SYN, to_server(99, 0, b"")));
        tap.send_on(port, &flagged(SYN | ACK, to_client(499, 100, b"")));
        for n in 0..100 {
            tap.send_on(port, &to_server(200 + n * 3000, 500, &[7; 1400]));
        }
        assert!(tap.counters().buffered_bytes <= (1 << 20) + 8192, "{}", tap.counters().buffered_bytes);
    }
    assert!(tap.counters().held_overflows > 0);
    assert!(tap.table.memory() < 5 << 20, "{}", tap.table.memory());
    tap.finish();
}

#[test]
fn octets_held_one_by_one_are_accounted_with_their_overhead() {
    let mut tap = Tap::with(FlowLimits { total_bytes: 100_000, ..FlowLimits::default() });
    for port in 0..200_u16 {
        tap.send_on(port, &flagged(SYN, to_server(99, 0, b"")));
        tap.send_on(port, &flagged(SYN | ACK, to_client(499, 100, b"")));
        for n in 0..60 {
            tap.send_on(port, &to_server(200 + n * 2, 500, b"x"));
        }
    }
    assert!(tap.counters().buffered_peak < 110_000, "{}", tap.counters().buffered_peak);
    tap.finish();
}

#[test]
fn histories_are_bounded_in_total_and_say_so() {
    let limits = FlowLimits { history_total_bytes: 100_000, ..FlowLimits::default() };
    let mut tap = Tap::with(limits);
    for port in 0..500_u16 {
        tap.send_on(port, &flagged(SYN, to_server(99, 0, b"")));
        tap.send_on(port, &to_server(100, 500, &[7; 1400]));
    }
    assert!(tap.counters().history_bytes < 110_000);
    assert!(tap.counters().history_refused > 0);
    tap.send_on(499, &to_server(100, 500, &[8; 1400]));
    assert_eq!(tap.counters().overlaps_unverified, 1);
    tap.finish();
}

#[test]
fn an_idle_flow_is_small() {
    let mut tap = Tap::new();
    for port in 0..10_000_u16 {
        tap.send_on(port, &to_server(100, 500, b"hello"));
        tap.send_on(port, &to_client(500, 105, b"world"));
    }
    let hot = tap.table.memory() / 10_000;
    tap.wait(70 * SECOND);
    let idle = tap.table.memory() / 10_000;
    println!("bytes per flow: {hot} active, {idle} idle");
    assert!(idle < 640, "{idle}");
    assert!(hot < 2048, "{hot}");
    tap.finish();
}

#[test]
fn after_going_on_elsewhere_nothing_is_compared_with_what_was_before() {
    let mut tap = Tap::new();
    // Nobody acknowledges, so nothing contradicts the jump.
    tap.send(&flagged(SYN, to_server(99, 0, b"")));
    tap.send(&to_server(100, 900, b"before"));
    let far = 100 + (40 << 20);
    tap.send(&to_server(far, 900, b"1111"));
    tap.send(&to_server(far + 4, 900, b"2222"));
    tap.send(&to_server(far + 8, 900, b"3333"));
    assert_eq!(tap.counters().resynchronised, 1);
    tap.send(&to_server(far + 4, 900, b"22223333"));
    assert_eq!((tap.counters().conflicting_overlaps, tap.counters().overlaps_unverified), (0, 1));
    tap.finish();
    assert_eq!(tap.text(Direction::ToServer), "before|3333");
}

#[test]
fn bytes_from_an_announced_hole_do_not_hide_the_rest_of_it() {
    let mut tap = Tap::new();
    tap.handshake(100, 900);
    // An acknowledgement of bytes that are not there yet, waited for in vain.
    tap.send(&to_server(100, 950, b"ask"));
    tap.wait(SECOND);
    assert_eq!(tap.text(Direction::ToClient), "|");
    // Then some of them come, cut by the snap length, and the stream goes on behind.
    tap.send(&Seg { cut: 6, ..to_client(900, 103, b"early") });
    tap.send(&to_client(911, 103, b"late"));
    tap.finish();
    assert_eq!(tap.text(Direction::ToClient), "|early|late");
}

#[test]
fn bytes_from_before_the_start_are_not_compared_with_the_first() {
    let mut tap = Tap::new();
    tap.handshake(100, 900);
    tap.send(&to_server(100, 900, b"begin"));
    tap.send(&to_server(90, 900, b"old"));
    tap.send(&to_server(98, 900, b"??be"));
    let counters = tap.counters();
    assert_eq!((counters.conflicting_overlaps, counters.overlaps_unverified), (0, 2));
    tap.send(&to_server(98, 900, b"??be!?"));
    assert_eq!(tap.counters().conflicting_overlaps, 1, "where the streams meet, they are compared");
    tap.finish();
}
