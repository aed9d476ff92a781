//! Times as people write them: `"2 s"`, `"1h30m"`, `"09:30"`.

use serde::{Deserialize, Deserializer, de::Error};

/// The year 2200, in seconds since 1970.
const LATEST_S: i64 = 7_258_118_400;
/// Longest length of time, in nanoseconds: ten years. Sums of some of them are still numbers.
const LONGEST_NS: u64 = 3660 * 86_400_000_000_000;

/// A moment: `"2026-06-15T00:00:00Z"`.
pub(super) fn timestamp<'de, D: Deserializer<'de>>(from: D) -> Result<jiff::Timestamp, D::Error> {
    let text = String::deserialize(from)?;
    let wrong = |_| D::Error::custom(format!("`{text}` is no moment; write \"2026-06-15T00:00:00Z\""));
    let moment: jiff::Timestamp = text.parse().map_err(wrong)?;
    // Simulated time is in nanoseconds since 1970, and goes on for a while.
    let fits = (0..LATEST_S).contains(&moment.as_second());
    let unfit = || {
        D::Error::custom(format!("`{text}` is not in the years 1970 to 2199; write \"2026-06-15T00:00:00Z\""))
    };
    if fits { Ok(moment) } else { Err(unfit()) }
}

/// A length of time, written as numbers with units: `"250 ms"`, `"2 s"`, `"1h30m"`, `"1 d"`.
#[derive(Debug, Clone, Copy, Default, Eq, PartialEq, Ord, PartialOrd)]
pub struct Span(u64);

impl Span {
    /// So many nanoseconds.
    pub const fn from_ns(ns: u64) -> Span {
        Span(ns)
    }

    /// So many milliseconds.
    pub const fn from_ms(ms: u64) -> Span {
        Span(ms * 1_000_000)
    }

    /// In nanoseconds.
    pub const fn ns(self) -> u64 {
        self.0
    }
}

impl std::str::FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Span, String> {
        let wrong = || format!("`{text}` is no length of time; write \"250 ms\", \"2 s\" or \"1h30m\"");
        let compact: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let mut rest = compact.as_str();
        let mut total = 0_u64;
        if rest.is_empty() {
            return Err(wrong());
        }
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
            let number: u64 = rest[..digits].parse().map_err(|_| wrong())?;
            rest = &rest[digits..];
            let letters = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
            let unit = match &rest[..letters] {
                "ns" => 1,
                "us" => 1_000,
                "ms" => 1_000_000,
                "s" | "sec" => 1_000_000_000,
                "m" | "min" => 60_000_000_000,
                "h" => 3_600_000_000_000,
                "d" => 86_400_000_000_000,
                _ => return Err(wrong()),
            };
            total = number.checked_mul(unit).and_then(|ns| total.checked_add(ns)).ok_or_else(wrong)?;
            rest = &rest[letters..];
        }
        if total > LONGEST_NS {
            return Err(format!("`{text}` is longer than ten years; write \"250 ms\", \"2 s\" or \"1h30m\""));
        }
        Ok(Span(total))
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Span, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

/// A time of day, UTC: `"09:30"` or `"09:30:15"`.
#[derive(Debug, Clone, Copy, Eq, PartialEq)]
pub struct ClockTime(u64);

impl ClockTime {
    /// Nanoseconds since midnight.
    pub fn ns(self) -> u64 {
        self.0
    }
}

impl std::str::FromStr for ClockTime {
    type Err = String;

    fn from_str(text: &str) -> Result<ClockTime, String> {
        let wrong = || format!("`{text}` is no time of day; write \"09:30\" or \"09:30:15\"");
        // Digits alone: a number might also have a sign.
        let number = |part: &str| {
            let digits = (1..=2).contains(&part.len()) && part.bytes().all(|digit| digit.is_ascii_digit());
            digits.then(|| part.parse::<u64>().ok()).flatten()
        };
        let parts: Option<Vec<u64>> = text.split(':').map(number).collect();
        match parts.ok_or_else(wrong)?.as_slice() {
            [h, m] if *h < 24 && *m < 60 => Ok(ClockTime((h * 60 + m) * 60_000_000_000)),
            [h, m, s] if *h < 24 && *m < 60 && *s < 60 => {
                Ok(ClockTime(((h * 60 + m) * 60 + s) * 1_000_000_000))
            }
            _ => Err(wrong()),
        }
    }
}

impl<'de> Deserialize<'de> for ClockTime {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<ClockTime, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}
