//! Frames sent at one end of a cable are seen at the other.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::namespace::{Sender, ip, numbered, wait_until_up, with_cable};
use crate::capture::live::{Filtering, LiveOptions, LiveSource};
use crate::capture::{FrameSource, LinkType, Next, TroubleKind};

fn options(interfaces: &[&str]) -> LiveOptions {
    let interfaces = interfaces.iter().map(|name| (*name).to_owned()).collect();
    LiveOptions { interfaces, ..LiveOptions::default() }
}

/// A frame, kept: tap, number, length on the wire, octets.
type Kept = (u16, u64, u32, Vec<u8>);

/// Reads until nothing comes for a while, and all that came before it was called was handed out.
fn drain(source: &mut LiveSource) -> Vec<Kept> {
    let begun = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos() as u64;
    let mut frames = Vec::new();
    let mut last = 0;
    let mut idle = 0;
    while idle < 2 {
        match source.next().unwrap() {
            Next::Frame(frame) => {
                assert!(frame.at.0 >= last, "frames come in the order of time");
                assert_eq!(frame.link, LinkType::Ethernet);
                last = frame.at.0;
                frames.push((frame.place.tap, frame.place.number, frame.wire_len, frame.bytes.to_vec()));
            }
            Next::Idle(handed_out) => idle += u32::from(handed_out.0 > begun),
            Next::End => break,
        }
    }
    frames
}

#[test]
fn frames_of_a_wire_are_seen_complete_and_in_order() {
    with_cable("frames_of_a_wire_are_seen_complete_and_in_order", || {
        let mut source = LiveSource::open(&options(&["right"])).unwrap();
        assert_eq!(source.filtering(), [Filtering::None]);
        let sender = Sender::new("left");
        let sent: Vec<_> = (0..5000).map(|number| numbered(number, 60 + number as usize % 1400)).collect();
        for frame in &sent {
            sender.send(frame);
        }
        let frames = drain(&mut source);
        assert_eq!(frames.len(), sent.len());
        for (index, (frame, sent)) in frames.iter().zip(&sent).enumerate() {
            assert_eq!(frame, &(0, index as u64 + 1, sent.len() as u32, sent.clone()));
        }
        source.read_counters();
        assert_eq!(source.counters()[0].packets.load(Ordering::Relaxed), 5000);
        assert_eq!(source.counters()[0].drops.load(Ordering::Relaxed), 0);
        assert!(source.take_trouble().is_empty());
    });
}

#[test]
fn frames_of_two_interfaces_come_in_the_order_of_time() {
    with_cable("frames_of_two_interfaces_come_in_the_order_of_time", || {
        let mut source = LiveSource::open(&options(&["left", "right"])).unwrap();
        let (left, right) = (Sender::new("left"), Sender::new("right"));
        for number in 0..500 {
            if number % 3 == 0 { &left } else { &right }.send(&numbered(number, 60));
            if number % 100 == 0 {
                std::thread::sleep(Duration::from_millis(15));
            }
        }
        // Each is seen at both ends: going out, coming in. `drain` checks the order.
        let frames = drain(&mut source);
        let of = |tap| frames.iter().filter(|frame| frame.0 == tap).map(|frame| frame.1).collect::<Vec<_>>();
        assert_eq!(of(0), (1..=500).collect::<Vec<_>>(), "numbers count per tap");
        assert_eq!(of(1), (1..=500).collect::<Vec<_>>());
        for pair in frames.chunks(2) {
            assert_eq!(pair[0].3, pair[1].3, "going out and coming in follow each other");
        }
    });
}

#[test]
fn tags_that_the_kernel_takes_off_are_put_back() {
    with_cable("tags_that_the_kernel_takes_off_are_put_back", || {
        let mut source = LiveSource::open(&options(&["right"])).unwrap();
        let sender = Sender::new("left");
        let plain = numbered(1, 80);
        let with = |tags: &[u8]| [&plain[..12], tags, &plain[12..]].concat();
        let sent = [
            plain.clone(),
            with(&[0x81, 0x00, 0x00, 0x05]), // 802.1Q, VLAN 5
            with(&[0x81, 0x00, 0x80, 0x00]), // priority tag
            with(&[0x88, 0xa8, 0x00, 0x07, 0x81, 0x00, 0x20, 0x09]), // QinQ
        ];
        for frame in &sent {
            sender.send(frame);
        }
        let frames = drain(&mut source);
        let seen: Vec<_> = frames.iter().map(|frame| (frame.2 as usize, frame.3.clone())).collect();
        let expected: Vec<_> = sent.iter().map(|frame| (frame.len(), frame.clone())).collect();
        assert_eq!(seen, expected);
    });
}

#[test]
fn frames_are_cut_at_the_snap_length_and_keep_their_length() {
    with_cable("frames_are_cut_at_the_snap_length_and_keep_their_length", || {
        let mut source = LiveSource::open(&LiveOptions { snaplen: 64, ..options(&["right"]) }).unwrap();
        Sender::new("left").send(&numbered(1, 1000));
        let frames = drain(&mut source);
        assert_eq!(frames, [(0, 1, 1000, numbered(1, 1000)[..64].to_vec())]);
    });
}

#[test]
fn what_the_ring_has_no_room_for_is_counted_to_the_frame() {
    with_cable("what_the_ring_has_no_room_for_is_counted_to_the_frame", || {
        let mut source = LiveSource::open(&LiveOptions { ring_bytes: 0, ..options(&["right"]) }).unwrap();
        let sender = Sender::new("left");
        let sent = 20_000;
        for number in 0..sent {
            sender.send(&numbered(number, 1000));
        }
        let frames = drain(&mut source);
        source.read_counters();
        let drops: u64 = source
            .take_trouble()
            .iter()
            .map(|trouble| match trouble.kind {
                TroubleKind::KernelDrops(count) => count,
                _ => panic!("{trouble:?}"),
            })
            .sum();
        assert!(drops > 0 && !frames.is_empty(), "{drops} dropped, {} read", frames.len());
        assert_eq!(frames.len() as u64 + drops, u64::from(sent));
        let counters = source.counters();
        assert_eq!(counters[0].packets.load(Ordering::Relaxed), u64::from(sent), "drops included");
        assert_eq!(counters[0].drops.load(Ordering::Relaxed), drops);
        source.read_counters();
        assert!(source.take_trouble().is_empty(), "drops are told once");
    });
}

#[test]
fn an_interface_that_goes_down_is_told_and_capture_goes_on_when_it_is_back() {
    with_cable("an_interface_that_goes_down_is_told_and_capture_goes_on_when_it_is_back", || {
        let mut source = LiveSource::open(&options(&["right"])).unwrap();
        ip("link set right down");
        assert!(drain(&mut source).is_empty());
        let trouble = source.take_trouble();
        assert!(
            matches!(&trouble[..], [only] if matches!(&only.kind, TroubleKind::TapLost(reason)
                if reason.contains("right") && reason.contains("ip link set right up"))),
            "{trouble:?}"
        );
        ip("link set right up");
        wait_until_up("left");
        wait_until_up("right");
        Sender::new("left").send(&numbered(1, 60));
        assert_eq!(drain(&mut source).len(), 1);
        assert!(source.take_trouble().is_empty());
    });
}

#[test]
fn an_interface_that_vanishes_ends_the_supply_without_turning_in_circles() {
    with_cable("an_interface_that_vanishes_ends_the_supply_without_turning_in_circles", || {
        let mut one = LiveSource::open(&options(&["right"])).unwrap();
        let mut both = LiveSource::open(&options(&["lo", "right"])).unwrap();
        Sender::new("left").send(&numbered(1, 60));
        ip("link delete left");
        // The frame that came before is not lost.
        assert_eq!(drain(&mut one).len(), 1);
        assert!(matches!(one.next().unwrap(), Next::End));
        assert!(matches!(one.next().unwrap(), Next::End));
        let trouble = one.take_trouble();
        assert!(trouble.iter().any(|trouble| matches!(&trouble.kind,
            TroubleKind::TapLost(reason) if reason.contains("does not exist any more"))));
        // With another interface it goes on, and waits instead of turning in circles.
        assert_eq!(drain(&mut both).len(), 1);
        assert!(both.take_trouble().iter().any(|trouble| trouble.tap == 1));
        let (start, mut turns) = (Instant::now(), 0);
        while start.elapsed() < Duration::from_millis(500) {
            assert!(matches!(both.next().unwrap(), Next::Idle(_)));
            turns += 1;
        }
        assert!((3..=8).contains(&turns), "{turns} turns in half a second");
    });
}

#[test]
fn frames_on_the_loopback_are_seen_once() {
    with_cable("frames_on_the_loopback_are_seen_once", || {
        ip("link set lo up");
        let mut source = LiveSource::open(&options(&["lo"])).unwrap();
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.send_to(b"once", socket.local_addr().unwrap()).unwrap();
        assert_eq!(drain(&mut source).len(), 1);
    });
}

#[test]
fn the_kernel_filters_by_port_and_the_source_says_so() {
    with_cable("the_kernel_filters_by_port_and_the_source_says_so", || {
        let mut source = LiveSource::open(&LiveOptions { ports: vec![502], ..options(&["right"]) }).unwrap();
        assert_eq!(
            source.filtering(),
            [Filtering::Ports(vec![502, 1701, 2152, 4789, 4790, 6081, 6635, 8472, 37_008])]
        );
        let sender = Sender::new("left");
        let udp = |port: u16, tags: &[u8]| {
            let mut frame = numbered(0, 60)[..12].to_vec();
            frame.extend(tags);
            frame.extend([0x08, 0x00, 0x45, 0, 0, 32, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
            frame.extend(50_000_u16.to_be_bytes());
            frame.extend(port.to_be_bytes());
            frame.resize(64, 0);
            frame
        };
        let vlan = [0x81, 0, 0, 5];
        let sent = [udp(502, &[]), udp(503, &[]), udp(502, &vlan), udp(503, &vlan), numbered(9, 60)];
        for frame in &sent {
            sender.send(frame);
        }
        let seen: Vec<_> = drain(&mut source).into_iter().map(|frame| frame.3).collect();
        assert_eq!(seen, [sent[0].clone(), sent[2].clone(), sent[4].clone()]);
    });
}

#[test]
fn what_cannot_be_opened_is_said_with_a_remedy() {
    with_cable("what_cannot_be_opened_is_said_with_a_remedy", || {
        let error = |options: &LiveOptions| LiveSource::open(options).err().unwrap().to_string();
        let unknown = error(&options(&["nosuch"]));
        assert!(unknown.contains("no interface nosuch") && unknown.contains("left"), "{unknown}");
        let long = error(&options(&["a-name-longer-than-interfaces-have"]));
        assert!(long.contains("no interface a-name"), "{long}");
        assert!(error(&options(&[])).contains("no interface to watch"));
        assert!(error(&options(&["left", "left"])).contains("named twice"));
        let many = LiveOptions { ports: (1..=100).collect(), ..options(&["left"]) };
        let source = LiveSource::open(&many).unwrap();
        assert_eq!(source.filtering(), [Filtering::TooManyPorts(100)]);
        // Without the capability.
        // SAFETY: concerns this thread only, which ends with the test.
        unsafe { libc::syscall(libc::SYS_setresuid, 65_534, 65_534, 65_534) };
        let refused = error(&options(&["left"]));
        assert!(refused.contains("setcap cap_net_raw+ep"), "{refused}");
    });
}
