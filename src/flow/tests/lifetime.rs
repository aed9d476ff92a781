//! Flows begin, end, make room for others; time passes.

use super::*;
use crate::decap::Datagram;

const C: Direction = Direction::ToServer;

fn open(tap: &mut Tap) {
    tap.handshake(100, 500);
    tap.send(&to_server(100, 500, b"ask"));
    tap.send(&to_client(500, 103, b"answer"));
}

#[test]
fn fin_of_both_sides_ends_a_flow_after_a_moment_and_late_repetitions_open_none() {
    let mut tap = Tap::new();
    open(&mut tap);
    tap.send(&flagged(FIN | ACK, to_server(103, 506, b"")));
    tap.send(&flagged(FIN | ACK, to_client(506, 104, b"")));
    tap.send(&flagged(ACK, to_server(104, 507, b"")));
    tap.send(&to_client(500, 103, b"answer"));
    tap.wait(6 * SECOND);
    assert_eq!(tap.seen.events.last(), Some(&Event::Closed(0, CloseReason::Fin, [0, 0])));
    tap.send(&flagged(ACK, to_server(104, 507, b"")));
    assert_eq!((tap.counters().flows_opened, tap.counters().strays), (1, 1));
    tap.finish();
}

#[test]
fn a_plausible_reset_ends_a_flow_and_hands_over_the_tails() {
    let mut tap = Tap::new();
    tap.seen.size = 4;
    open(&mut tap);
    tap.send(&flagged(RST, to_server(103, 0, b"")));
    tap.wait(6 * SECOND);
    assert_eq!(tap.seen.events.last(), Some(&Event::Closed(0, CloseReason::Reset, [3, 2])));
    tap.finish();
}

#[test]
fn a_reset_outside_the_window_is_ignored_and_counted() {
    let mut tap = Tap::new();
    open(&mut tap);
    tap.send(&flagged(RST, to_server(103 + 1_000_000, 0, b"")));
    tap.send(&flagged(RST, to_server(50, 0, b"")));
    tap.wait(6 * SECOND);
    tap.send(&to_server(103, 506, b"more"));
    assert_eq!(tap.text(C), "askmore");
    assert_eq!((tap.counters().resets_ignored, tap.counters().closed_reset), (2, 0));
    tap.finish();
}

#[test]
fn data_after_a_forged_reset_is_still_seen() {
    let mut tap = Tap::new();
    open(&mut tap);
    tap.send(&flagged(RST, to_server(103 + 10, 0, b"")));
    tap.send(&to_server(103, 506, b"more"));
    tap.wait(10 * SECOND);
    tap.send(&to_server(107, 506, b"again"));
    assert_eq!(tap.text(C), "askmoreagain");
    assert_eq!((tap.counters().data_after_end, tap.counters().flows_opened), (1, 1));
    tap.finish();
}

#[test]
fn a_repetition_after_the_end_is_compared_at_the_right_place() {
    let mut tap = Tap::new();
    tap.handshake(100, 900);
    tap.send(&flagged(ACK | FIN, to_server(100, 900, b"last")));
    tap.send(&to_server(100, 900, b"last"));
    assert_eq!(tap.counters().conflicting_overlaps, 0, "the same bytes");
    tap.send(&to_server(100, 900, b"lost"));
    assert_eq!(tap.counters().conflicting_overlaps, 1, "other bytes");
    tap.finish();
    assert_eq!(tap.text(Direction::ToServer), "last");
}

#[test]
fn bytes_in_the_place_of_a_forged_fin_are_seen_once() {
    let mut tap = Tap::new();
    tap.handshake(100, 900);
    tap.send(&flagged(ACK | FIN, to_server(100, 900, b"abcd")));
    tap.send(&to_server(104, 900, b"efgh"));
    tap.send(&to_server(104, 900, b"efgh"));
    assert_eq!(tap.text(Direction::ToServer), "abcdefgh");
    assert_eq!(tap.counters().rewinds, 0);
    tap.finish();
}

#[test]
fn bytes_behind_a_forged_fin_do_not_hide_those_in_its_place() {
    let mut tap = Tap::new();
    tap.handshake(100, 900);
    tap.send(&flagged(ACK | FIN, to_server(100, 900, b"abcd")));
    tap.send(&to_server(105, 900, b"?"));
    tap.send(&to_server(104, 900, b"efgh"));
    tap.finish();
    assert_eq!(tap.text(Direction::ToServer), "abcd?|efgh");
    assert_eq!(tap.counters().rewinds, 1, "and it is counted");
}

#[test]
fn data_after_a_forged_fin_is_still_seen() {
    let mut tap = Tap::new();
    open(&mut tap);
    tap.send(&flagged(FIN | ACK, to_server(103, 506, b"")));
    tap.send(&to_server(103, 506, b"more"));
    tap.send(&to_server(107, 506, b"again"));
    assert_eq!(tap.text(C), "askmoreagain");
    tap.finish();
}

#[test]
fn a_new_connection_on_an_ended_one_is_a_new_flow_at_once() {
    let mut tap = Tap::new();
    open(&mut tap);
    tap.send(&flagged(RST, to_server(103, 0, b"")));
    tap.handshake(900_000, 800_000);
    tap.send(&to_server(900_000, 800_000, b"new"));
    assert!(tap.seen.events.contains(&Event::Closed(0, CloseReason::Reset, [0, 0])));
    assert_eq!(tap.seen.events.last(), Some(&Event::Record(1, C, b"new".to_vec(), 8)));
    assert!(!tap.seen.infos.last().unwrap().coverage.midstream);
    tap.finish();
}

#[test]
fn an_answered_syn_on_a_live_flow_is_port_reuse() {
    let mut tap = Tap::new();
    open(&mut tap);
    tap.handshake(900_000, 800_000);
    tap.send(&to_server(900_000, 800_000, b"new"));
    assert!(tap.seen.events.contains(&Event::Closed(0, CloseReason::Reused, [0, 0])));
    assert_eq!(tap.seen.events.last(), Some(&Event::Record(1, C, b"new".to_vec(), 7)));
    let info = tap.seen.infos.last().unwrap();
    assert_eq!((info.client.port, info.coverage.midstream), (CLIENT, false));
    tap.finish();
}

#[test]
fn port_reuse_is_seen_on_a_one_way_tap_too() {
    let mut tap = Tap::new();
    tap.send(&flagged(SYN, to_server(99, 0, b"")));
    tap.send(&to_server(100, 500, b"old"));
    tap.send(&flagged(SYN, to_server(899_999, 0, b"")));
    tap.send(&to_server(900_000, 800_000, b"new"));
    assert_eq!(tap.seen.events.last(), Some(&Event::Record(1, C, b"new".to_vec(), 4)));
    tap.finish();
}

#[test]
fn a_repeated_or_forged_syn_does_not_end_a_flow() {
    let mut tap = Tap::new();
    open(&mut tap);
    tap.send(&flagged(SYN, to_server(99, 0, b"")));
    tap.send(&flagged(SYN, to_server(123_456_789, 0, b"")));
    tap.send(&to_server(103, 506, b"more"));
    assert_eq!(tap.text(C), "askmore");
    assert_eq!((tap.counters().flows_opened, tap.counters().syns_doubted), (1, 1));
    tap.finish();
}

#[test]
fn a_server_that_repeats_its_initial_number_has_a_new_connection_all_the_same() {
    let mut tap = Tap::new();
    open(&mut tap);
    tap.handshake(2000, 500);
    tap.send(&to_server(2000, 500, b"new"));
    tap.send(&to_client(500, 2003, b"other!"));
    assert_eq!((tap.text(C).as_str(), tap.text(C.reverse()).as_str()), ("asknew", "answerother!"));
    assert_eq!((tap.counters().closed_reused, tap.counters().conflicting_overlaps), (1, 0));
    tap.finish();
}

#[test]
fn what_a_syn_brings_that_does_not_belong_to_the_flow_is_not_taken() {
    let mut tap = Tap::new();
    open(&mut tap);
    tap.send(&flagged(SYN, to_server(102, 0, b"odd!")));
    tap.send(&to_server(103, 506, b"more"));
    assert_eq!(tap.text(C), "askmore");
    assert_eq!((tap.counters().syns_doubted, tap.counters().conflicting_overlaps), (1, 0));
    tap.finish();
}

#[test]
fn flows_that_carry_nothing_cost_no_session() {
    let mut tap = Tap::new();
    for port in 1000..1100 {
        tap.send_on(port, &flagged(SYN, to_server(99, 0, b"")));
        tap.send_on(port, &flagged(RST | ACK, to_client(0, 100, b"")));
    }
    assert_eq!(tap.counters().flows_open, 100);
    tap.wait(6 * SECOND);
    assert_eq!((tap.counters().flows_open, tap.counters().closed_reset), (0, 100));
    assert_eq!(tap.seen.events, []);
    tap.finish();
}

#[test]
fn idle_flows_end_and_cool_before() {
    let mut tap = Tap::new();
    open(&mut tap);
    let hot = tap.table.memory();
    tap.wait(61 * SECOND);
    assert_eq!(tap.counters().history_bytes, 0);
    assert!(tap.table.memory() < hot - 700, "{} {hot}", tap.table.memory());
    tap.send(&to_server(103, 506, b"more"));
    tap.wait(8000 * SECOND);
    assert_eq!(tap.counters().flows_open, 1);
    tap.wait(200 * SECOND);
    assert_eq!(tap.seen.events.last(), Some(&Event::Closed(0, CloseReason::Idle, [0, 0])));
    tap.finish();
}

#[test]
fn a_full_table_gives_up_the_flow_idle_for_longest() {
    let mut tap = Tap::with(FlowLimits { flows: 3, ..FlowLimits::default() });
    for port in 1..=3 {
        tap.send_on(port, &to_server(100, 500, b"a"));
        tap.wait(2 * SECOND);
    }
    tap.send_on(1, &to_server(101, 500, b"b"));
    tap.wait(2 * SECOND);
    tap.send_on(4, &to_server(100, 500, b"a"));
    let evicted: Vec<_> =
        tap.seen.events.iter().filter(|e| matches!(e, Event::Closed(_, CloseReason::Evicted, _))).collect();
    assert_eq!(evicted, [&Event::Closed(1, CloseReason::Evicted, [0, 0])]);
    assert_eq!((tap.counters().closed_evicted, tap.counters().flows_peak), (1, 3));
    tap.finish();
}

#[test]
fn a_flood_of_syns_does_not_push_out_a_working_flow() {
    let mut tap = Tap::with(FlowLimits { flows: 50, ..FlowLimits::default() });
    open(&mut tap);
    for port in 1..2000 {
        tap.send_on(port, &flagged(SYN, to_server(99, 0, b"")));
    }
    tap.send(&to_server(103, 506, b"more"));
    assert_eq!(tap.text(C), "askmore");
    assert_eq!(tap.counters().flows_open, 50);
    tap.finish();
}

#[test]
fn one_way_flows_are_reported_once() {
    let mut tap = Tap::new();
    for n in 0..30 {
        tap.send(&to_server(100 + n, 500, b"x"));
        tap.wait(SECOND);
    }
    tap.send_on(7, &to_server(100, 500, b"short"));
    assert_eq!(tap.counters().one_way_open, 1, "the short one is too short to tell");
    tap.finish();
    assert_eq!(tap.counters().one_way_open, 0, "none is in the table any more");
    let one_way: Vec<_> = tap.seen.events.iter().filter(|e| matches!(e, Event::OneWay(_))).collect();
    assert_eq!(one_way, [&Event::OneWay(0), &Event::OneWay(1)]);
    assert_eq!(tap.counters().one_way_flows, 2);
}

#[test]
fn a_one_way_flow_is_one_no_longer_when_the_other_direction_comes() {
    let mut tap = Tap::new();
    for n in 0..30 {
        tap.send(&to_server(100 + n, 500, b"x"));
    }
    assert_eq!(tap.counters().one_way_open, 1);
    tap.send(&to_client(500, 130, b"y"));
    assert_eq!((tap.counters().one_way_open, tap.counters().one_way_flows), (0, 1));
    tap.send(&to_client(501, 130, b"y"));
    tap.finish();
    assert_eq!((tap.counters().one_way_open, tap.counters().one_way_flows), (0, 1));
}

#[test]
fn a_flow_seen_both_ways_is_not_reported_as_one_way() {
    let mut tap = Tap::new();
    tap.handshake(100, 500);
    for n in 0..30 {
        tap.send(&to_server(100 + n, 500, b"x"));
    }
    tap.finish();
    assert_eq!(tap.counters().one_way_flows, 0);
}

#[test]
fn sessions_are_called_when_they_are_due_in_order_of_time() {
    let mut tap = Tap::new();
    tap.seen.deadline = Some(tap.now + 5 * SECOND);
    open(&mut tap);
    tap.wait(4 * SECOND);
    assert!(!tap.seen.events.iter().any(|e| matches!(e, Event::Tick(..))));
    tap.wait(2 * SECOND);
    assert_eq!(tap.seen.events.last(), Some(&Event::Tick(0, tap.now)));
    tap.finish();
}

#[test]
fn a_clock_that_goes_back_does_no_harm() {
    let mut tap = Tap::new();
    open(&mut tap);
    tap.now += 1_000_000 * SECOND;
    tap.send(&to_server(103, 506, b"more"));
    tap.now -= 999_999 * SECOND;
    tap.send_on(7, &to_server(100, 500, b"x"));
    tap.wait(9000 * SECOND);
    assert_eq!(tap.counters().flows_open, 0);
    tap.finish();
}

#[test]
fn udp_datagrams_are_whole_chunks() {
    let mut tap = Tap::new();
    let datagram = |bytes, cut: u32| Datagram { src_port: 20_000, dst_port: 3333, bytes, wire_len: 4 + cut };
    tap.packet(Direction::ToClient, Payload::Udp(datagram(b"resp", 0)));
    let back = Datagram { src_port: 3333, dst_port: 20_000, bytes: b"poll", wire_len: 4 };
    tap.packet(Direction::ToServer, Payload::Udp(back));
    tap.packet(Direction::ToClient, Payload::Udp(datagram(b"cut!", 10)));
    assert_eq!(tap.frames(), [1, 2, 3]);
    assert_eq!((tap.text(C).as_str(), tap.text(Direction::ToClient).as_str()), ("poll", "respcut!"));
    assert_eq!(tap.seen.infos[0].server.port, 20_000);
    tap.wait(601 * SECOND);
    assert!(tap.seen.infos.last().unwrap().coverage.truncated);
    assert_eq!((tap.counters().closed_idle, tap.counters().truncated), (1, 1));
    tap.finish();
}

#[test]
fn other_payloads_are_counted() {
    let mut tap = Tap::new();
    tap.packet(C, Payload::Ethernet { ethertype: 0x88b8, bytes: b"goose", wire_len: 5 });
    assert_eq!((tap.counters().packets, tap.counters().other_payloads), (1, 1));
}
