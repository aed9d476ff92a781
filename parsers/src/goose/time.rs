//! UtcTime (IEC 61850-8-1 clause 8.1.3.7).
//!
//! ```text
//! seconds since 1970 4 | fraction of a second 3 (2^-24) | quality 1
//! quality: leap seconds known | clock failure | clock not synchronised | accuracy in bits 5
//! ```

use crate::contract::ClockTime;

/// The time in 8 octets.
pub(super) fn utc(octets: &[u8]) -> Option<ClockTime> {
    let &[s0, s1, s2, s3, f0, f1, f2, quality] = octets else { return None };
    let seconds = u64::from(u32::from_be_bytes([s0, s1, s2, s3]));
    let fraction = u64::from(u32::from_be_bytes([0, f0, f1, f2]));
    // To the nearest nanosecond: a fraction has 2^24 steps of 60 ns.
    let nanoseconds = (fraction * 1_000_000_000 + (1 << 23)) >> 24;
    Some(ClockTime {
        ns: seconds * 1_000_000_000 + nanoseconds,
        failed: quality & 0x40 != 0,
        unsynchronised: quality & 0x20 != 0,
        accuracy_bits: quality & 0x1F,
    })
}

/// TimeOfDay: milliseconds since midnight, or since 1984-01-01 with the days (ISO 9506-2); as milliseconds since
/// 1970, or since midnight where there are no days.
pub(super) fn time_of_day(octets: &[u8]) -> Option<u64> {
    /// Days from 1970-01-01 to 1984-01-01.
    const DAYS: u64 = 5113;
    let milliseconds = |m: [u8; 4]| u64::from(u32::from_be_bytes(m));
    match *octets {
        [m0, m1, m2, m3] => Some(milliseconds([m0, m1, m2, m3])),
        [m0, m1, m2, m3, d0, d1] => {
            let days = u64::from(u16::from_be_bytes([d0, d1])) + DAYS;
            Some(days * 86_400_000 + milliseconds([m0, m1, m2, m3]))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::testing::hex;

    #[test]
    fn utc_time_has_a_fraction_of_two_to_the_24th_and_a_quality() {
        let time = utc(&hex("65A00000 800000 6A")).unwrap();
        assert_eq!(time.ns, 0x65A0_0000 * 1_000_000_000 + 500_000_000);
        assert!(time.failed && time.unsynchronised && time.accuracy_bits == 10);
        assert_eq!(utc(&hex("00000000 FFFFFF 00")).unwrap().ns, 999_999_940);
        assert_eq!(utc(&hex("65A00000 800000")), None);
    }

    #[test]
    fn time_of_day_counts_days_from_1984() {
        assert_eq!(time_of_day(&hex("00000001 0001")), Some(441_849_600_001));
        assert_eq!(time_of_day(&hex("00000001")), Some(1));
        assert_eq!(time_of_day(&hex("000001")), None);
    }
}
