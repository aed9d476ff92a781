//! A pcapng interface's clock: resolution (`if_tsresol`) and offset (`if_tsoffset`).

use parsers::Timestamp;

const NANOSECONDS: u64 = 1_000_000_000;

/// Turns an interface's time stamps into packet time.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub(super) struct Timescale {
    unit: Unit,
    /// Nanoseconds to add.
    offset: i128,
}

#[derive(Debug, Copy, Clone, Eq, PartialEq)]
enum Unit {
    /// A unit is so many nanoseconds.
    Coarse(u64),
    /// So many units are a nanosecond.
    Fine(u64),
    /// A unit is 2^-n seconds.
    Binary(u8),
    /// Finer than a time stamp can hold a nanosecond of.
    Vanishing,
}

impl Timescale {
    /// `resolution` as in `if_tsresol`: top bit clear, 10^-n seconds; set, 2^-n. `offset` in seconds.
    pub(super) fn new(resolution: u8, offset: i64) -> Timescale {
        let exponent = resolution & 0x7f;
        let unit = match (resolution & 0x80, exponent) {
            (0, 0..=9) => Unit::Coarse(10_u64.pow(9 - u32::from(exponent))),
            (0, _) => 10_u64.checked_pow(u32::from(exponent) - 9).map_or(Unit::Vanishing, Unit::Fine),
            _ => Unit::Binary(exponent),
        };
        Timescale { unit, offset: i128::from(offset) * i128::from(NANOSECONDS) }
    }

    /// Packet time of a stamp, cut to what a [`Timestamp`] can hold (1970 to 2554).
    #[inline]
    pub(super) fn time(self, stamp: u64) -> Timestamp {
        let since = match self.unit {
            Unit::Coarse(factor) => u128::from(stamp) * u128::from(factor),
            Unit::Fine(divisor) => u128::from(stamp / divisor),
            Unit::Binary(exponent) => (u128::from(stamp) * u128::from(NANOSECONDS)) >> exponent,
            Unit::Vanishing => 0,
        };
        if self.offset == 0 {
            return Timestamp(u64::try_from(since).unwrap_or(u64::MAX));
        }
        let shifted = since.cast_signed().saturating_add(self.offset).max(0);
        Timestamp(u64::try_from(shifted).unwrap_or(u64::MAX))
    }
}
