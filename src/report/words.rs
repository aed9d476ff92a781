//! Counts and spans of time as people say them.

use core::fmt;

/// A span of time in nanoseconds: "250 ms", "2.0 s", "5 min 3 s", "2 h 10 min", "30 d 4 h". Nobody counts days in
/// seconds.
pub(crate) struct Span(pub(crate) u64);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MILLI: u64 = 1_000_000;
        const SECOND: u64 = 1000 * MILLI;
        let ns = self.0;
        let whole = ns / SECOND;
        let mut two = |(many, unit): (u64, &str), (few, part): (u64, &str)| {
            write!(f, "{many} {unit}")?;
            if few == 0 { Ok(()) } else { write!(f, " {few} {part}") }
        };
        match ns {
            0..MILLI => write!(f, "{:.1} ms", ns as f64 / 1e6),
            MILLI..SECOND => write!(f, "{} ms", ns / MILLI),
            _ if whole < 120 => write!(f, "{:.1} s", (ns / (SECOND / 10)) as f64 / 10.0),
            _ if whole < 7200 => two((whole / 60, "min"), (whole % 60, "s")),
            _ if whole < 2 * 86_400 => two((whole / 3600, "h"), (whole / 60 % 60, "min")),
            _ => two((whole / 86_400, "d"), (whole / 3600 % 24, "h")),
        }
    }
}

/// A count of what the text names; `{s}` in it is the ending of the plural: "1 hole in", "2 holes in".
pub(crate) struct Counted<'a>(pub(crate) u64, pub(crate) &'a str);

impl fmt::Display for Counted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.0, Numbered(self.0, self.1))
    }
}

/// The same without the count.
pub(crate) struct Numbered<'a>(pub(crate) u64, pub(crate) &'a str);

impl fmt::Display for Numbered<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, part) in self.1.split("{s}").enumerate() {
            f.write_str(if place > 0 && self.0 != 1 { "s" } else { "" })?;
            f.write_str(part)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_the_units_that_fit_them() {
        const SECOND: u64 = 1_000_000_000;
        for (ns, text) in [
            (0, "0.0 ms"),
            (250_000_000, "250 ms"),
            (SECOND, "1.0 s"),
            (119_990_000_000, "119.9 s"),
            (120 * SECOND, "2 min"),
            (303 * SECOND, "5 min 3 s"),
            (7260 * SECOND, "2 h 1 min"),
            (48 * 3600 * SECOND, "2 d"),
            (63_147_606 * SECOND, "730 d 21 h"),
            (u64::MAX, "213503 d 23 h"),
        ] {
            assert_eq!(Span(ns).to_string(), text);
        }
    }

    #[test]
    fn one_is_no_plural() {
        assert_eq!(Counted(1, "hole{s} in stream{s}").to_string(), "1 hole in stream");
        assert_eq!(Counted(0, "hole{s}").to_string(), "0 holes");
        assert_eq!(Numbered(2, "time{s} of it").to_string(), "times of it");
    }
}
