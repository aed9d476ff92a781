//! The Internet checksum (RFC 1071) and the pseudo header of TCP and UDP (RFC 9293, RFC 768, RFC 8200).

use core::net::IpAddr;

/// The ones' complement sum of `bytes` as 16-bit words, not yet folded. Two words are added at a time: folding
/// adds the upper one to the lower (RFC 1071, 2.C), and 64 bits hold the carries of 16 GiB.
fn sum(bytes: &[u8]) -> u64 {
    let (pairs, rest) = bytes.as_chunks::<4>();
    let (words, tail) = rest.as_chunks::<2>();
    let mut total: u64 = pairs.iter().map(|pair| u64::from(u32::from_be_bytes(*pair))).sum();
    total += words.iter().map(|word| u64::from(u16::from_be_bytes(*word))).sum::<u64>();
    if let [last] = tail {
        total += u64::from(*last) << 8;
    }
    total
}

/// Fold carries into 16 bits.
fn fold(mut total: u64) -> u16 {
    while total > 0xFFFF {
        total = (total & 0xFFFF) + (total >> 16);
    }
    total as u16
}

/// Whether a header that contains its own checksum sums up.
pub(super) fn header_is_right(header: &[u8]) -> bool {
    fold(sum(header)) == 0xFFFF
}

/// Whether a TCP segment or UDP datagram, checksum included, sums up with its pseudo header.
pub(super) fn transport_is_right((src, dst): (IpAddr, IpAddr), protocol: u8, body: &[u8]) -> bool {
    let address = |a: IpAddr| match a {
        IpAddr::V4(a) => sum(&a.octets()),
        IpAddr::V6(a) => sum(&a.octets()),
    };
    let length = body.len() as u64;
    let pseudo = address(src) + address(dst) + u64::from(protocol) + (length >> 16) + (length & 0xFFFF);
    fold(pseudo + sum(body)) == 0xFFFF
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc_1071_example_sums_up() {
        // 00 01 f2 03 f4 f5 f6 f7 sums to ddf2, so its checksum is 220d
        assert!(header_is_right(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7, 0x22, 0x0d]));
        assert!(!header_is_right(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7, 0x22, 0x0e]));
    }

    #[test]
    fn an_odd_octet_counts_as_the_high_half_of_a_word() {
        assert_eq!(sum(&[0x12, 0x34, 0x56]), 0x1234 + 0x5600);
    }

    #[test]
    fn two_words_at_a_time_sum_up_to_the_same() {
        let bytes: Vec<u8> = (0..1501_u32).map(|n| ((n * 151) >> 2) as u8).collect();
        for length in 0..bytes.len() {
            let word = |pair: &[u8]| u64::from(pair[0]) << 8 | u64::from(pair.get(1).copied().unwrap_or(0));
            let plain: u64 = bytes[..length].chunks(2).map(word).sum();
            assert_eq!(fold(sum(&bytes[..length])), fold(plain), "{length}");
        }
    }
}
