//! CRC-16/MODBUS, which closes every RTU frame (Serial Line V1.02, clause 6.2.2).
//!
//! Polynomial 0x8005 reflected (0xA001), start 0xFFFF, no final exclusive-or, low octet first on the wire.

const TABLE: [u16; 256] = table();

const fn table() -> [u16; 256] {
    let mut table = [0u16; 256];
    let mut octet = 0;
    while octet < 256 {
        let mut crc = octet as u16;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xA001 } else { crc >> 1 };
            bit += 1;
        }
        table[octet] = crc;
        octet += 1;
    }
    table
}

/// The start value.
pub(crate) const START: u16 = 0xFFFF;

/// The checksum after one more octet.
pub(crate) fn add(crc: u16, octet: u8) -> u16 {
    let [low, high] = crc.to_le_bytes();
    u16::from(high) ^ TABLE[usize::from(low ^ octet)]
}

/// The checksum of some octets.
pub(crate) fn crc(octets: &[u8]) -> u16 {
    octets.iter().fold(START, |crc, octet| add(crc, *octet))
}

/// Whether the last two octets are the checksum of what precedes them.
pub(crate) fn closes(frame: &[u8]) -> bool {
    let Some((body, check)) = frame.split_last_chunk::<2>() else { return false };
    crc(body) == u16::from_le_bytes(*check)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standard_check_value_comes_out() {
        assert_eq!(crc(b"123456789"), 0x4B37);
    }

    #[test]
    fn a_frame_closes_with_the_low_octet_first() {
        assert!(closes(&[0x01, 0x03, 0x00, 0x00, 0x00, 0x1E, 0xC5, 0xC2]));
        assert!(!closes(&[0x01, 0x03, 0x00, 0x00, 0x00, 0x1E, 0xC2, 0xC5]));
        assert!(!closes(&[0x01]));
    }
}
