//! Community ID, version 1: one text for a flow that other tools compute alike, to join their logs.
//!
//! ```text
//! "1:" base64(sha1( seed u16 | addr a | addr b | IP protocol u8 | 0 | port a u16 | port b u16 ))
//! ```
//! The end with the smaller address (then port) comes first, so both directions give the same text.

use core::net::IpAddr;

use parsers::{Endpoint, Host, Transport};
use sha1::{Digest, Sha1};

/// Length of every Community ID of version 1.
pub const COMMUNITY_ID_LEN: usize = 30;

/// The Community ID of a flow between two endpoints; `None` without IP, TCP or UDP.
pub fn community_id(
    a: Endpoint,
    b: Endpoint,
    transport: Transport,
    seed: u16,
) -> Option<[u8; COMMUNITY_ID_LEN]> {
    let protocol = match transport {
        Transport::Tcp => 6,
        Transport::Udp => 17,
        Transport::Ethernet | Transport::Serial => return None,
    };
    let (Host::Ip(ip_a), Host::Ip(ip_b)) = (a.host, b.host) else { return None };
    if ip_a.is_ipv4() != ip_b.is_ipv4() {
        return None;
    }
    let ((first, first_port), (second, second_port)) = if (ip_a, a.port) <= (ip_b, b.port) {
        ((ip_a, a.port), (ip_b, b.port))
    } else {
        ((ip_b, b.port), (ip_a, a.port))
    };
    let mut hash = Sha1::new();
    hash.update(seed.to_be_bytes());
    for ip in [first, second] {
        match ip {
            IpAddr::V4(ip) => hash.update(ip.octets()),
            IpAddr::V6(ip) => hash.update(ip.octets()),
        }
    }
    hash.update([protocol, 0]);
    hash.update(first_port.to_be_bytes());
    hash.update(second_port.to_be_bytes());
    Some(text(&hash.finalize().into()))
}

/// `1:` and 20 octets in base64 (RFC 4648), which is 28 characters, the last of them padding.
fn text(digest: &[u8; 20]) -> [u8; COMMUNITY_ID_LEN] {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = [b'='; COMMUNITY_ID_LEN];
    out[0] = b'1';
    out[1] = b':';
    for (group, octets) in digest.chunks(3).enumerate() {
        let mut padded = [0; 4];
        padded[1..=octets.len()].copy_from_slice(octets);
        let bits = u32::from_be_bytes(padded);
        // n octets fill n + 1 characters; the rest stays padding.
        for place in 0..=octets.len() {
            let index = (bits >> (18 - 6 * place)) & 63;
            out[2 + group * 4 + place] = ALPHABET[index as usize];
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn end(ip: &str, port: u16) -> Endpoint {
        Endpoint { host: Host::Ip(ip.parse().unwrap()), port }
    }

    fn id(a: Endpoint, b: Endpoint, transport: Transport) -> String {
        String::from_utf8(community_id(a, b, transport, 0).unwrap().to_vec()).unwrap()
    }

    #[test]
    fn published_vectors_agree_in_both_directions() {
        let (a, b) = (end("128.232.110.120", 34855), end("66.35.250.204", 80));
        assert_eq!(id(a, b, Transport::Tcp), "1:LQU9qZlK+B5F3KDmev6m5PMibrg=");
        assert_eq!(id(b, a, Transport::Tcp), "1:LQU9qZlK+B5F3KDmev6m5PMibrg=");
        let (a, b) = (end("192.168.1.52", 54585), end("8.8.8.8", 53));
        assert_eq!(id(a, b, Transport::Udp), "1:d/FP5EW3wiY1vCndhwleRRKHowQ=");
    }

    #[test]
    fn without_ip_there_is_no_id() {
        let mac = Endpoint { host: Host::Mac(parsers::MacAddr([1; 6])), port: 0 };
        assert_eq!(community_id(mac, mac, Transport::Ethernet, 0), None);
    }
}
