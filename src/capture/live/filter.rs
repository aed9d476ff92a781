//! A classic BPF program for the kernel: pass only frames that could carry one of the given ports.
//!
//! The program drops a frame only if it is certain: an unfragmented IPv4 or IPv6 packet directly behind
//! the Ethernet header, TCP or UDP directly behind the IP header, and neither port wanted. Everything else
//! passes: other Ethertypes (ARP, GOOSE, further VLAN tags, MPLS), other protocols (GRE, ICMP, IPv6
//! extension headers), fragments, malformed and short headers. The kernel takes the outer VLAN tag off
//! before the filter runs, so tagged frames are judged by what they carry.
//!
//! ```text
//!  0 |dst mac 6|src mac 6|type 2| 14 |IPv4: ver/ihl 1 .. fragment 2 at 20 .. protocol at 23 .. |ports
//!                                 14 |IPv6: version 1 .. next header at 20 .. addresses ..  54 |ports
//! ```

use libc::sock_filter;

use crate::decap::TUNNEL_PORTS;

/// Most ports a filter may name, those of the tunnels included; the program's jumps reach no further.
pub const MAX_FILTER_PORTS: usize = 64;

/// UDP ports of VXLAN (RFC 7348), its Generic Protocol Extension, and Linux's older one.
const VXLAN_PORTS: [u16; 3] = [4789, 4790, 8472];

/// Ethernet header.
const ETHERNET: u32 = 14;

const LOAD_HALF: u16 = (libc::BPF_LD | libc::BPF_H | libc::BPF_ABS) as u16;
const LOAD_BYTE: u16 = (libc::BPF_LD | libc::BPF_B | libc::BPF_ABS) as u16;
const LOAD_HALF_AT_X: u16 = (libc::BPF_LD | libc::BPF_H | libc::BPF_IND) as u16;
const LOAD_LENGTH: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_LEN) as u16;
const LOAD_X_IHL: u16 = (libc::BPF_LDX | libc::BPF_B | libc::BPF_MSH) as u16;
const X_TO_A: u16 = (libc::BPF_MISC | libc::BPF_TXA) as u16;
const A_TO_X: u16 = (libc::BPF_MISC | libc::BPF_TAX) as u16;
const ADD: u16 = (libc::BPF_ALU | libc::BPF_ADD | libc::BPF_K) as u16;
const JUMP_EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
const JUMP_GREATER: u16 = (libc::BPF_JMP | libc::BPF_JGT | libc::BPF_K) as u16;
const JUMP_AT_LEAST: u16 = (libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K) as u16;
const JUMP_AT_LEAST_X: u16 = (libc::BPF_JMP | libc::BPF_JGE | libc::BPF_X) as u16;
const JUMP_ANY_BIT: u16 = (libc::BPF_JMP | libc::BPF_JSET | libc::BPF_K) as u16;
const JUMP: u16 = (libc::BPF_JMP | libc::BPF_JA) as u16;
const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;

/// A program that passes everything, cut to `snaplen` octets.
pub(super) fn pass_all(snaplen: u32) -> Vec<sock_filter> {
    vec![op(RETURN, snaplen)]
}

/// The ports a filter for `ports` lets through, in order, or `None` if they are too many for one.
pub(super) fn ports_passed(ports: &[u16]) -> Option<Vec<u16>> {
    let mut all: Vec<u16> = ports.iter().copied().chain(VXLAN_PORTS).chain(TUNNEL_PORTS).collect();
    all.sort_unstable();
    all.dedup();
    (all.len() <= MAX_FILTER_PORTS).then_some(all)
}

/// A program that passes frames that could carry one of `ports` (at most [`MAX_FILTER_PORTS`], see
/// [`ports_passed`]), cut to `snaplen` octets.
pub(super) fn pass_ports(ports: &[u16], snaplen: u32) -> Vec<sock_filter> {
    let v4 = ipv4(ports, snaplen);
    let mut program = vec![
        op(LOAD_LENGTH, 0),
        jump(JUMP_AT_LEAST, ETHERNET + 20, 1, 0),
        op(RETURN, snaplen),
        op(LOAD_HALF, 12),
        jump(JUMP_EQUAL, 0x0800, 3, 0),
        jump(JUMP_EQUAL, 0x86dd, 1, 0),
        op(RETURN, snaplen),
        // IPv6 lies behind IPv4.
        op(JUMP, v4.len() as u32),
    ];
    program.extend(v4);
    program.extend(ipv6(ports, snaplen));
    program
}

fn ipv4(ports: &[u16], snaplen: u32) -> Vec<sock_filter> {
    let mut program = vec![
        // Version 4, at least 5 words of header.
        op(LOAD_BYTE, ETHERNET),
        jump(JUMP_AT_LEAST, 0x45, 0, 1),
        jump(JUMP_GREATER, 0x4f, 0, 1),
        op(RETURN, snaplen),
        op(LOAD_BYTE, ETHERNET + 9),
        jump(JUMP_EQUAL, 6, 2, 0),
        jump(JUMP_EQUAL, 17, 1, 0),
        op(RETURN, snaplen),
        // More fragments, or a fragment offset.
        op(LOAD_HALF, ETHERNET + 6),
        jump(JUMP_ANY_BIT, 0x3fff, 0, 1),
        op(RETURN, snaplen),
        // Long enough for the ports, or reading them would drop the frame.
        op(LOAD_X_IHL, ETHERNET),
        op(X_TO_A, 0),
        op(ADD, ETHERNET + 4),
        op(A_TO_X, 0),
        op(LOAD_LENGTH, 0),
        jump(JUMP_AT_LEAST_X, 0, 1, 0),
        op(RETURN, snaplen),
        op(LOAD_X_IHL, ETHERNET),
    ];
    program.extend(either_port(
        ports,
        op(LOAD_HALF_AT_X, ETHERNET),
        op(LOAD_HALF_AT_X, ETHERNET + 2),
        snaplen,
    ));
    program
}

fn ipv6(ports: &[u16], snaplen: u32) -> Vec<sock_filter> {
    let mut program = vec![
        op(LOAD_BYTE, ETHERNET),
        jump(JUMP_AT_LEAST, 0x60, 0, 1),
        jump(JUMP_GREATER, 0x6f, 0, 1),
        op(RETURN, snaplen),
        op(LOAD_LENGTH, 0),
        jump(JUMP_AT_LEAST, ETHERNET + 40 + 4, 1, 0),
        op(RETURN, snaplen),
        op(LOAD_BYTE, ETHERNET + 6),
        jump(JUMP_EQUAL, 6, 2, 0),
        jump(JUMP_EQUAL, 17, 1, 0),
        op(RETURN, snaplen),
    ];
    let (src, dst) = (op(LOAD_HALF, ETHERNET + 40), op(LOAD_HALF, ETHERNET + 42));
    program.extend(either_port(ports, src, dst, snaplen));
    program
}

/// Passes if the source or the destination port is wanted, drops otherwise.
fn either_port(ports: &[u16], src: sock_filter, dst: sock_filter, snaplen: u32) -> Vec<sock_filter> {
    // load src | n tests | load dst | n tests | drop | pass
    let pass = 2 * ports.len() + 3;
    let mut program = Vec::with_capacity(pass + 1);
    for load in [src, dst] {
        program.push(load);
        for port in ports {
            let distance = u8::try_from(pass - program.len() - 1).unwrap_or(u8::MAX);
            program.push(jump(JUMP_EQUAL, u32::from(*port), distance, 0));
        }
    }
    program.push(op(RETURN, 0));
    program.push(op(RETURN, snaplen));
    program
}

fn op(code: u16, k: u32) -> sock_filter {
    sock_filter { code, jt: 0, jf: 0, k }
}

fn jump(code: u16, k: u32, if_true: u8, if_false: u8) -> sock_filter {
    sock_filter { code, jt: if_true, jf: if_false, k }
}
