//! The kernel's filter program, interpreted here, against a plain statement of what it must pass.

use libc::sock_filter;

use crate::capture::live::filter::{MAX_FILTER_PORTS, pass_all, pass_ports, ports_passed};

const SNAP: u32 = 2048;

/// Runs a classic BPF program as the kernel does: a load beyond the frame drops it.
fn run(program: &[sock_filter], frame: &[u8]) -> u32 {
    let load = |at: u32, size: usize| -> Option<u32> {
        let octets = frame.get(at as usize..)?.get(..size)?;
        Some(octets.iter().fold(0, |value, octet| value << 8 | u32::from(*octet)))
    };
    let (mut a, mut x, mut pc) = (0_u32, 0_u32, 0_usize);
    loop {
        let op = program[pc];
        pc += 1;
        let branch = |taken: bool| usize::from(if taken { op.jt } else { op.jf });
        let loaded = match op.code {
            0x30 => load(op.k, 1),              // ldb [k]
            0x28 => load(op.k, 2),              // ldh [k]
            0x48 => load(op.k + x, 2),          // ldh [x + k]
            0x80 => Some(frame.len() as u32),   // ld #len
            0x87 => Some(x),                    // txa
            0x04 => Some(a.wrapping_add(op.k)), // add #k
            0xb1 => {
                // ldxb 4*([k]&0xf)
                let Some(octet) = load(op.k, 1) else { return 0 };
                x = 4 * (octet & 15);
                continue;
            }
            0x07 => {
                x = a; // tax
                continue;
            }
            0x05 => {
                pc += op.k as usize; // ja
                continue;
            }
            0x06 => return op.k, // ret #k
            code => {
                pc += match code {
                    0x15 => branch(a == op.k),
                    0x25 => branch(a > op.k),
                    0x35 => branch(a >= op.k),
                    0x3d => branch(a >= x),
                    0x45 => branch(a & op.k != 0),
                    other => panic!("code {other:#x}"),
                };
                continue;
            }
        };
        let Some(value) = loaded else { return 0 };
        a = value;
    }
}

fn ethernet(ethertype: u16, payload: &[u8]) -> Vec<u8> {
    [&[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2], &ethertype.to_be_bytes()[..], payload].concat()
}

fn ports(src: u16, dst: u16) -> Vec<u8> {
    [src.to_be_bytes(), dst.to_be_bytes(), [0, 8], [0, 0]].concat()
}

/// IPv4 with `words` of header, a fragment field and a protocol.
fn ipv4(words: u8, fragment: u16, protocol: u8, payload: &[u8]) -> Vec<u8> {
    let [high, low] = fragment.to_be_bytes();
    let mut packet = vec![0x40 | words, 0, 0, 0, 0, 0, high, low, 64, protocol, 0, 0];
    packet.resize(usize::from(words.max(5)) * 4, 1);
    packet.extend(payload);
    ethernet(0x0800, &packet)
}

fn ipv6(next: u8, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x60, 0, 0, 0, 0, 0, next, 64];
    packet.resize(40, 2);
    packet.extend(payload);
    ethernet(0x86dd, &packet)
}

fn modbus_filter() -> Vec<sock_filter> {
    pass_ports(&ports_passed(&[502, 20_000]).unwrap(), SNAP)
}

#[test]
fn wanted_ports_pass_in_either_direction_and_others_do_not() {
    let program = modbus_filter();
    for protocol in [6, 17] {
        for wanted in [502, 20_000, 1701, 2152, 4789, 4790, 6081, 6635, 8472, 37_008] {
            for pair in [ports(wanted, 50_000), ports(50_000, wanted)] {
                assert_eq!(run(&program, &ipv4(5, 0, protocol, &pair)), SNAP);
                assert_eq!(
                    run(&program, &ipv4(15, 0x4000, protocol, &pair)),
                    SNAP,
                    "options, do not fragment"
                );
                assert_eq!(run(&program, &ipv6(protocol, &pair)), SNAP);
            }
        }
        for other in [0, 501, 503, 4788, 19_999, 65_535] {
            let pair = ports(other, 50_000);
            for words in 5..=15 {
                assert_eq!(run(&program, &ipv4(words, 0, protocol, &pair)), 0, "{other}, {words} words");
            }
            assert_eq!(run(&program, &ipv6(protocol, &pair)), 0, "{other}");
        }
    }
}

#[test]
fn whatever_could_hide_a_wanted_port_passes() {
    let program = modbus_filter();
    let other = ports(1, 2);
    for ethertype in
        [0x0806, 0x8100, 0x88a8, 0x9100, 0x8847, 0x8848, 0x88b8, 0x88b9, 0x88ba, 0x88fb, 0x892f, 0x8864, 60]
    {
        assert_eq!(run(&program, &ethernet(ethertype, &[0; 46])), SNAP, "{ethertype:04x}");
    }
    for protocol in (0..=255).filter(|protocol| ![6, 17].contains(protocol)) {
        assert_eq!(run(&program, &ipv4(5, 0, protocol, &other)), SNAP, "IPv4 protocol {protocol}");
        assert_eq!(run(&program, &ipv6(protocol, &other)), SNAP, "IPv6 next header {protocol}");
    }
    for fragment in [0x2000, 0x2001, 0x0001, 0x1fff] {
        assert_eq!(run(&program, &ipv4(5, fragment, 6, &other)), SNAP, "fragment {fragment:04x}");
    }
    let mut wrong_version = ipv4(5, 0, 6, &other);
    for first in [0x44, 0x40, 0x55, 0x00, 0xf5] {
        wrong_version[14] = first;
        assert_eq!(run(&program, &wrong_version), SNAP, "malformed: {first:02x}");
    }
    let mut wrong_version = ipv6(6, &other);
    for first in [0x50, 0x70] {
        wrong_version[14] = first;
        assert_eq!(run(&program, &wrong_version), SNAP, "malformed: {first:02x}");
    }
}

#[test]
fn frames_too_short_for_their_ports_pass_at_every_length() {
    let program = modbus_filter();
    let other = ports(1, 2);
    for (frame, ports_end) in [
        (ipv4(5, 0, 6, &other), 14 + 20 + 4),
        (ipv4(15, 0, 17, &other), 14 + 60 + 4),
        (ipv6(6, &other), 14 + 40 + 4),
    ] {
        for length in 0..=frame.len() {
            let expected = if length < ports_end { SNAP } else { 0 };
            assert_eq!(run(&program, &frame[..length]), expected, "{length} octets");
        }
    }
}

#[test]
fn the_largest_filter_reaches_all_its_jumps_and_more_ports_are_refused() {
    let asked: Vec<u16> = (0..MAX_FILTER_PORTS as u16 - 8).map(|n| 10_000 + 7 * n).collect();
    let passed = ports_passed(&asked).unwrap();
    assert_eq!(passed.len(), MAX_FILTER_PORTS);
    let program = pass_ports(&passed, SNAP);
    for port in 4000..12_000 {
        let expected = if passed.contains(&port) { SNAP } else { 0 };
        for pair in [ports(port, 1), ports(1, port)] {
            assert_eq!(run(&program, &ipv4(5, 0, 6, &pair)), expected, "{port}");
            assert_eq!(run(&program, &ipv6(17, &pair)), expected, "{port}");
        }
    }
    let more: Vec<u16> = asked.iter().copied().chain([1]).collect();
    assert_eq!(ports_passed(&more), None);
    assert_eq!(
        ports_passed(&[502, 502, 4789]),
        Some(vec![502, 1701, 2152, 4789, 4790, 6081, 6635, 8472, 37_008])
    );
}

#[test]
fn a_filter_for_nothing_passes_everything() {
    assert_eq!(run(&pass_all(77), &[]), 77);
    assert_eq!(run(&pass_all(77), &ipv4(5, 0, 6, &ports(1, 2))), 77);
}
