//! Times and polls in words.

use core::fmt;

use parsers::{Function, PointRange, Timestamp};

use crate::detect::raise::{Range, Spaced};
pub(super) use crate::report::words::Span;

/// "22:13:20.500 UTC".
pub(super) struct Clock(pub(super) Timestamp);

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = self.0.0 / 1_000_000;
        let s = ms / 1000;
        write!(f, "{:02}:{:02}:{:02}.{:03} UTC", s / 3600 % 24, s / 60 % 60, s % 60, ms % 1000)
    }
}

/// What recurs: a function and the points it is about.
#[derive(Debug, Copy, Clone)]
pub(super) struct Recurrent {
    pub(super) function: Function,
    pub(super) range: Option<PointRange>,
    /// There are more ranges than this one.
    pub(super) more: bool,
    /// Sent by the station of its own accord.
    pub(super) by_station: bool,
}

/// "read holding registers of holding register 0 to 9".
impl fmt::Display for Recurrent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Spaced(self.function.name))?;
        if let Some(range) = &self.range {
            write!(f, " of {}", Range(range))?;
        }
        if self.more { f.write_str(" and more") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_as_precise_as_anybody_would_say_them() {
        let said = |ns| Span(ns).to_string();
        assert_eq!(said(250_000), "0.2 ms");
        assert_eq!(said(20_900_000), "20 ms");
        assert_eq!(said(1_000_000_000), "1.0 s");
        assert_eq!(said(9_999_999_999), "9.9 s");
        assert_eq!(said(300_000_000_000), "5 min");
        assert_eq!(said(301_000_000_000), "5 min 1 s");
        assert_eq!(said(7_800_000_000_000), "2 h 10 min");
    }

    #[test]
    fn times_of_day_are_in_utc() {
        assert_eq!(Clock(Timestamp(1_700_000_000_500_000_000)).to_string(), "22:13:20.500 UTC");
    }
}
