//! CRC of the data link layer, IEEE 1815 clause 9.2.
//!
//! Polynomial 0x3D65 (reflected 0xA6BC), initial value 0, complemented, sent low octet first. It covers
//! the eight octets of the link header and then every block of up to 16 octets of user data.

/// Octets of user data that one CRC covers at most.
pub(super) const BLOCK: usize = 16;

const REFLECTED: u16 = 0xA6BC;

/// `TABLES[n][b]`: what octet `b` contributes when `n` more octets follow it. Because the initial value
/// is 0 the contributions of a block's octets are independent of each other and are simply XORed, so
/// the processor looks them up in parallel.
static TABLES: [[u16; 256]; BLOCK] = tables();

const fn tables() -> [[u16; 256]; BLOCK] {
    let mut tables = [[0u16; 256]; BLOCK];
    let mut octet = 0;
    while octet < 256 {
        let mut value = octet as u16;
        let mut bit = 0;
        while bit < 8 {
            value = if value & 1 == 1 { (value >> 1) ^ REFLECTED } else { value >> 1 };
            bit += 1;
        }
        tables[0][octet] = value;
        octet += 1;
    }
    let mut distance = 1;
    while distance < BLOCK {
        let mut octet = 0;
        while octet < 256 {
            let before = tables[distance - 1][octet];
            tables[distance][octet] = (before >> 8) ^ tables[0][(before & 0xFF) as usize];
            octet += 1;
        }
        distance += 1;
    }
    tables
}

/// CRC of a block of at most [`BLOCK`] octets; octets beyond are not looked at.
#[inline]
pub(super) fn crc(block: &[u8]) -> u16 {
    if let Ok(full) = <&[u8; BLOCK]>::try_from(block) {
        return !contributions(full);
    }
    if let Ok(header) = <&[u8; 8]>::try_from(block) {
        return !contributions(header);
    }
    let sum = TABLES.iter().zip(block.iter().take(BLOCK).rev()).fold(0, |s, (t, o)| s ^ t[usize::from(*o)]);
    !sum
}

/// What `N` octets, at most [`BLOCK`], contribute together.
#[inline(always)]
fn contributions<const N: usize>(octets: &[u8; N]) -> u16 {
    let mut sum = 0;
    for at in 0..N {
        sum ^= TABLES[N - 1 - at][usize::from(octets[at])];
    }
    sum
}

/// Whether `check`, as it stood on the wire, is the CRC of `block`.
#[inline]
pub(super) fn holds(block: &[u8], check: [u8; 2]) -> bool {
    crc(block) == u16::from_le_bytes(check)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bit by bit, as the standard describes it.
    fn slow(block: &[u8]) -> u16 {
        let mut value = 0u16;
        for octet in block {
            value ^= u16::from(*octet);
            for _ in 0..8 {
                value = if value & 1 == 1 { (value >> 1) ^ 0xA6BC } else { value >> 1 };
            }
        }
        !value
    }

    #[test]
    fn check_values_of_the_standard_come_out() {
        assert_eq!(crc(b"123456789"), 0xEA82);
        assert_eq!(crc(&[0x05, 0x64, 0x05, 0xC0, 0x01, 0x00, 0x00, 0x04]), 0x21E9);
    }

    #[test]
    fn tables_agree_with_the_bitwise_definition_at_every_length() {
        let block: Vec<u8> = (0..16u8).map(|i| i.wrapping_mul(37) ^ 0x5A).collect();
        for length in 0..=block.len() {
            assert_eq!(crc(&block[..length]), slow(&block[..length]), "length {length}");
        }
        for octet in 0..=255u8 {
            assert_eq!(crc(&[octet; 16]), slow(&[octet; 16]));
        }
    }

    #[test]
    fn one_wrong_bit_breaks_the_crc() {
        let good = crc(b"123456789").to_le_bytes();
        assert!(holds(b"123456789", good));
        assert!(!holds(b"123456788", good));
        assert!(!holds(b"123456789", [good[0] ^ 1, good[1]]));
    }
}
