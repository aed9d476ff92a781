//! What was seen, in words and numbers for people.

use core::fmt;

use parsers::{StationAddress, Timestamp};

use super::pair::{FunctionKey, PairKey};

/// `read_holding_registers`, or `function 8/30` where there is no name.
pub(super) struct FunctionText<'a>(pub(super) &'a FunctionKey, pub(super) &'static str);

impl fmt::Display for FunctionText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.1, self.0.sub) {
            ("unknown" | "", Some(sub)) => write!(f, "function {}/{sub}", self.0.code),
            ("unknown" | "", None) => write!(f, "function {}", self.0.code),
            (name, _) => f.write_str(name),
        }
    }
}

/// `10.0.0.2 unit 5`
pub(super) fn station_text(key: &PairKey) -> String {
    match key.station {
        StationAddress::None => key.server.to_string(),
        address => {
            format!("{} {} {}", key.server, address.long_word(), address.number().unwrap_or_default())
        }
    }
}

/// `10.0.0.2 port 502`
pub(super) fn server_text(key: &PairKey) -> String {
    match key.port {
        0 => key.server.to_string(),
        port => format!("{} port {port}", key.server),
    }
}

/// A length of time: `850 ms`, `12 s`, `4 min`, `3 h`, `9 days`.
pub(super) struct Span(pub(super) u64);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = self.0 / 1_000_000;
        match ms {
            0..=9_999 if ms.is_multiple_of(1000) => write!(f, "{} s", ms / 1000),
            0..=9_999 => write!(f, "{ms} ms"),
            10_000..=119_999 => write!(f, "{} s", ms / 1000),
            120_000..=7_199_999 => write!(f, "{} min", ms / 60_000),
            7_200_000..=172_799_999 => write!(f, "{} h", ms / 3_600_000),
            _ => write!(f, "{} days", ms / 86_400_000),
        }
    }
}

/// A period, rounded to what matters: `200 ms`, `2 s`, `2.5 s`, `90 s`.
pub(super) struct PeriodText(pub(super) u64);

impl fmt::Display for PeriodText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = (self.0 + 500_000) / 1_000_000;
        match ms {
            0..=999 => write!(f, "{} ms", ms.max(1)),
            1_000..=9_999 => {
                let tenths = (ms + 50) / 100;
                if tenths.is_multiple_of(10) {
                    write!(f, "{} s", tenths / 10)
                } else {
                    write!(f, "{}.{} s", tenths / 10, tenths % 10)
                }
            }
            _ => write!(f, "{} s", (ms + 500) / 1000),
        }
    }
}

/// UTC to the second.
pub(super) struct When(pub(super) Timestamp);

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = i64::try_from(self.0.0 / 1_000_000_000).unwrap_or(i64::MAX);
        match jiff::Timestamp::from_second(seconds) {
            Ok(time) => time.fmt(f),
            Err(_) => write!(f, "{seconds} s after 1970"),
        }
    }
}

/// `from` one time `to` another, or `at` it where both are the same second.
pub(super) struct FromTo(pub(super) Timestamp, pub(super) Timestamp);

impl fmt::Display for FromTo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.0 / 1_000_000_000 == self.1.0 / 1_000_000_000 {
            write!(f, "at {}", When(self.0))
        } else {
            write!(f, "from {} to {}", When(self.0), When(self.1))
        }
    }
}

/// A number with thousands apart.
pub(super) struct Number(pub(super) u64);

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && (digits.len() - index).is_multiple_of(3) {
                f.write_str(",")?;
            }
            write!(f, "{digit}")?;
        }
        Ok(())
    }
}

/// `once`, `twice`, `1,000 times`
pub(super) fn times(count: u64) -> String {
    match count {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        n => format!("{} times", Number(n)),
    }
}

/// A value without needless digits.
pub(super) struct ValueText(pub(super) f64);

impl fmt::Display for ValueText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.0;
        if value.fract() == 0.0 && value.abs() < 1e15 {
            return write!(f, "{}", value as i64);
        }
        if value.abs() >= 1e-3 && value.abs() < 1e9 {
            let text = format!("{value:.4}");
            return f.write_str(text.trim_end_matches('0').trim_end_matches('.'));
        }
        write!(f, "{value:e}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_times_are_for_people() {
        assert_eq!(Number(1_234_567).to_string(), "1,234,567");
        assert_eq!(Number(12).to_string(), "12");
        assert_eq!(Span(850_000_000).to_string(), "850 ms");
        assert_eq!(Span(7_300_000_000_000).to_string(), "2 h");
        assert_eq!(PeriodText(2_000_400_000).to_string(), "2 s");
        assert_eq!(PeriodText(2_480_000_000).to_string(), "2.5 s");
        assert_eq!(PeriodText(199_800_000).to_string(), "200 ms");
        assert_eq!(ValueText(0.5).to_string(), "0.5");
        assert_eq!(ValueText(-40.0).to_string(), "-40");
        assert_eq!(When(Timestamp(1_700_000_000_900_000_000)).to_string(), "2023-11-14T22:13:20Z");
    }
}
