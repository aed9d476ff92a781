//! Quantities as an engineer writes them: `"2 s"`, `"1 h 30 min"`, `"50 %"`, `"6 per minute"`.

use std::fmt;

/// Nanoseconds in a unit of time, by its names.
const TIMES: &[(&[&str], u64)] = &[
    (&["ns"], 1),
    (&["us"], 1_000),
    (&["ms"], 1_000_000),
    (&["s", "second", "seconds"], 1_000_000_000),
    (&["min", "minute", "minutes"], 60_000_000_000),
    (&["h", "hour", "hours"], 3_600_000_000_000),
    (&["d", "day", "days"], 86_400_000_000_000),
];

fn unit(word: &str) -> Option<u64> {
    TIMES.iter().find(|(names, _)| names.contains(&word)).map(|(_, ns)| *ns)
}

/// How often something may happen: `count` times in `per_ns` nanoseconds.
#[derive(Debug, Copy, Clone, PartialEq)]
pub struct Rate {
    /// How many times.
    pub count: u32,
    /// In how long, in nanoseconds.
    pub per_ns: u64,
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.per_ns {
            1_000_000_000 => "second",
            60_000_000_000 => "minute",
            3_600_000_000_000 => "hour",
            86_400_000_000_000 => "day",
            ns => return write!(f, "{} per {}", self.count, DurationText(ns)),
        };
        write!(f, "{} per {word}", self.count)
    }
}

/// A duration in nanoseconds as text: `2 s`, `1 min 30 s`, `250 ms`.
#[derive(Debug, Copy, Clone)]
pub struct DurationText(pub u64);

impl fmt::Display for DurationText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        let mut first = true;
        for (names, ns) in TIMES.iter().rev() {
            let n = rest / ns;
            if n > 0 {
                write!(f, "{}{n} {}", if first { "" } else { " " }, names[0])?;
                rest -= n * ns;
                first = false;
            }
        }
        if first { f.write_str("0 s") } else { Ok(()) }
    }
}

/// A duration, `"2 s"`, `"2s"`, `"1 h 30 min"`, `"1.5 s"`, in nanoseconds; `None`: it is none.
#[must_use]
pub fn duration(text: &str) -> Option<u64> {
    let mut rest = text.trim();
    let mut total = 0_f64;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest.get(..digits)?.parse().ok()?;
        rest = rest.get(digits..)?.trim_start();
        let letters = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        total += number * unit(rest.get(..letters)?)? as f64;
        rest = rest.get(letters..)?.trim_start();
    }
    (total.is_finite() && total < 1e18).then_some(total.round() as u64)
}

/// `"50 %"`, `"50%"`: a share of one.
pub(crate) fn percent(text: &str) -> Option<f64> {
    let number: f64 = text.trim().strip_suffix('%')?.trim().parse().ok()?;
    (number.is_finite() && number >= 0.0).then_some(number / 100.0)
}

/// `"6 per minute"`, `"6 per 10 s"`, `"6/min"`: how many, in how many nanoseconds.
pub(crate) fn per_time(text: &str) -> Option<(f64, u64)> {
    let (count, time) = text.split_once(" per ").or_else(|| text.split_once('/'))?;
    let count: f64 = count.trim().parse().ok()?;
    let time = time.trim();
    let ns = unit(time).or_else(|| duration(time))?;
    (count.is_finite() && count >= 0.0 && ns > 0).then_some((count, ns))
}

/// A rate of events.
pub(crate) fn rate(text: &str) -> Option<Rate> {
    let (count, per_ns) = per_time(text)?;
    let whole = (1.0..=1e9).contains(&count) && count.fract() == 0.0;
    whole.then_some(Rate { count: count as u32, per_ns })
}

/// Whether a text begins as dates do here: with a year of four digits and a hyphen.
pub(crate) fn begins_with_year(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.get(..4).is_some_and(|year| year.iter().all(u8::is_ascii_digit)) && bytes.get(4) == Some(&b'-')
}

/// `2027-02-01` for `01.02.2027` and `2027/02/01`. `None` where two orders are possible (`01/02/2027`), or there is
/// no such day.
pub(crate) fn date_in_other_order(text: &str) -> Option<String> {
    let separator = ['.', '/', '-'].into_iter().find(|c| text.matches(*c).count() == 2)?;
    let parts: Vec<&str> = text.split(separator).map(str::trim).collect();
    let &[first, second, third] = parts.as_slice() else { return None };
    let (year, month, day) = match (first.len(), third.len()) {
        (4, _) => (first, second, third),
        // With dots the day stands first everywhere; with strokes and hyphens that depends on the country.
        (_, 4) if separator == '.' || first == second => (third, second, first),
        _ => return None,
    };
    let date: jiff::civil::Date = format!("{year}-{month:0>2}-{day:0>2}").parse().ok()?;
    Some(date.to_string()).filter(|date| date != text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_read_as_they_are_written() {
        assert_eq!(duration("2 s"), Some(2_000_000_000));
        assert_eq!(duration("1 h 30 min"), Some(5_400_000_000_000));
        assert_eq!(duration("1.5s"), Some(1_500_000_000));
        assert_eq!(duration("250 ms"), Some(250_000_000));
        for wrong in ["", "2", "s", "2 parsecs", "-2 s", "2 s 3", "1e400 s", "9999999999 d"] {
            assert_eq!(duration(wrong), None, "{wrong}");
        }
        assert_eq!(percent("50 %"), Some(0.5));
        assert_eq!(percent("50"), None);
        assert_eq!(rate("6 per minute"), Some(Rate { count: 6, per_ns: 60_000_000_000 }));
        assert_eq!(rate("6 per 10 s"), Some(Rate { count: 6, per_ns: 10_000_000_000 }));
        assert_eq!(rate("6/min"), rate("6 per minute"));
        for wrong in ["6", "0 per minute", "1.5 per minute", "6 per", "6 per 0 s", "-1 per s"] {
            assert_eq!(rate(wrong), None, "{wrong}");
        }
        assert_eq!(per_time("0.5 per second"), Some((0.5, 1_000_000_000)));
    }

    #[test]
    fn what_is_shown_is_read_back() {
        for text in ["2 s", "1 min 30 s", "250 ms", "1 d 2 h", "0 s"] {
            let Some(ns) = duration(text) else { continue };
            assert_eq!(DurationText(ns).to_string(), text);
        }
        let Some(shown) = rate("6 per 10 s") else { return };
        assert_eq!(rate(&shown.to_string()), Some(shown));
        assert_eq!(Rate { count: 6, per_ns: 60_000_000_000 }.to_string(), "6 per minute");
    }
}
