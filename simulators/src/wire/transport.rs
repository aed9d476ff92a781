//! Packets whose checksum covers their payload: GRE, UDP, TCP.

use core::net::IpAddr;

use super::layer::{Gre, Tcp, UdpChecksum};

pub(super) fn gre_packet(gre: &Gre, ethertype: u16, body: &[u8]) -> Vec<u8> {
    let flags = (u16::from(gre.checksum) << 15)
        | (u16::from(gre.key.is_some()) << 13)
        | (u16::from(gre.sequence.is_some()) << 12);
    let mut out = flags.to_be_bytes().to_vec();
    out.extend_from_slice(&ethertype.to_be_bytes());
    if gre.checksum {
        out.extend_from_slice(&[0; 4]);
    }
    for word in [gre.key, gre.sequence].into_iter().flatten() {
        out.extend_from_slice(&word.to_be_bytes());
    }
    out.extend_from_slice(body);
    if gre.checksum {
        let sum = internet_checksum(&[&out]);
        out[4..6].copy_from_slice(&sum.to_be_bytes());
    }
    out
}

pub(super) fn udp_packet(
    src: u16,
    dst: u16,
    sum: UdpChecksum,
    ends: Option<(IpAddr, IpAddr)>,
    body: &[u8],
) -> Vec<u8> {
    let mut out = Vec::new();
    for field in [src, dst, (8 + body.len()) as u16, 0] {
        out.extend_from_slice(&field.to_be_bytes());
    }
    out.extend_from_slice(body);
    if sum == UdpChecksum::Right {
        // A sum of zero is sent as ones: zero means "not computed".
        let sum = match internet_checksum(&[&pseudo_header(ends, 17, out.len()), &out]) {
            0 => 0xffff,
            sum => sum,
        };
        out[6..8].copy_from_slice(&sum.to_be_bytes());
    }
    out
}

pub(super) fn tcp_packet(tcp: &Tcp, ends: Option<(IpAddr, IpAddr)>, body: &[u8]) -> Vec<u8> {
    let mut options = tcp.options.clone();
    while !options.len().is_multiple_of(4) {
        options.push(1);
    }
    let mut out = Vec::new();
    out.extend_from_slice(&tcp.src.to_be_bytes());
    out.extend_from_slice(&tcp.dst.to_be_bytes());
    out.extend_from_slice(&tcp.seq.to_be_bytes());
    out.extend_from_slice(&tcp.ack.to_be_bytes());
    out.push(((5 + options.len() / 4) as u8) << 4);
    out.push(tcp.flags);
    out.extend_from_slice(&[0xfa, 0xf0, 0, 0, 0, 0]);
    out.extend_from_slice(&options);
    out.extend_from_slice(body);
    let sum = internet_checksum(&[&pseudo_header(ends, 6, out.len()), &out]);
    out[16..18].copy_from_slice(&sum.to_be_bytes());
    out
}

fn pseudo_header(ends: Option<(IpAddr, IpAddr)>, protocol: u8, length: usize) -> Vec<u8> {
    let mut out = Vec::new();
    match ends {
        Some((IpAddr::V4(src), IpAddr::V4(dst))) => {
            out.extend_from_slice(&src.octets());
            out.extend_from_slice(&dst.octets());
            out.extend_from_slice(&[0, protocol]);
            out.extend_from_slice(&(length as u16).to_be_bytes());
        }
        Some((IpAddr::V6(src), IpAddr::V6(dst))) => {
            out.extend_from_slice(&src.octets());
            out.extend_from_slice(&dst.octets());
            out.extend_from_slice(&(length as u32).to_be_bytes());
            out.extend_from_slice(&[0, 0, 0, protocol]);
        }
        _ => {}
    }
    out
}

/// One's complement of the one's complement sum of 16-bit words (RFC 1071). Every part but the last must
/// have an even length.
pub fn internet_checksum(parts: &[&[u8]]) -> u16 {
    let mut sum: u32 = 0;
    for part in parts {
        for pair in part.chunks(2) {
            let low = pair.get(1).copied().unwrap_or(0);
            sum += u32::from(u16::from_be_bytes([pair[0], low]));
        }
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_rfc_1071() {
        // The example of RFC 1071, section 3: the sum is ddf2.
        assert_eq!(internet_checksum(&[&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]]), !0xddf2);
    }
}
