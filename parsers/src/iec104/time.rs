//! Times in three octets (within the hour) and in seven (IEC 60870-5-101, 7.2.6.18 and 7.2.6.20). Whether they are
//! local or universal is agreed on site; here they are read as they stand.

use nom::IResult;
use nom::number::complete::{le_u8, le_u16};

/// Minutes and milliseconds.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub(super) struct Within {
    /// Seconds and milliseconds, 0 to 59,999.
    pub milliseconds: u16,
    pub minute: u8,
    /// Put in by a later station (GEN).
    pub substituted: bool,
    pub invalid: bool,
}

/// The whole time.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub(super) struct Time {
    pub within: Within,
    pub hour: u8,
    pub summer: bool,
    pub day: u8,
    pub weekday: u8,
    pub month: u8,
    /// Within a century, 0 to 99; of which, [`Time::full_year`] says.
    pub year: u8,
}

pub(super) fn within(input: &[u8]) -> IResult<&[u8], Within> {
    let (input, milliseconds) = le_u16(input)?;
    let (input, minute) = le_u8(input)?;
    let (substituted, invalid) = (minute & 0x40 != 0, minute & 0x80 != 0);
    Ok((input, Within { milliseconds, minute: minute & 0x3F, substituted, invalid }))
}

pub(super) fn time(input: &[u8]) -> IResult<&[u8], Time> {
    let (input, within) = within(input)?;
    let (input, hour) = le_u8(input)?;
    let (input, day) = le_u8(input)?;
    let (input, month) = le_u8(input)?;
    let (input, year) = le_u8(input)?;
    let time = Time {
        within,
        hour: hour & 0x1F,
        summer: hour & 0x80 != 0,
        day: day & 0x1F,
        weekday: day >> 5,
        month: month & 0x0F,
        year: year & 0x7F,
    };
    Ok((input, time))
}

impl Within {
    pub(super) fn is_sound(self) -> bool {
        self.milliseconds <= 59_999 && self.minute <= 59
    }
}

impl Time {
    /// Whether it is a date there can be.
    pub(super) fn is_sound(&self) -> bool {
        let date = (1..=12).contains(&self.month) && (1..=31).contains(&self.day) && self.year <= 99;
        self.within.is_sound() && self.hour <= 23 && date
    }

    /// The year with its century, which the standard leaves open (7.2.6.18: 0 to 99). From 70 on it is the last one,
    /// as elsewhere: a clock that was never set begins with 1970.
    pub(super) fn full_year(&self) -> u16 {
        if self.year < 70 { 2000 + u16::from(self.year) } else { 1900 + u16::from(self.year) }
    }

    /// Milliseconds since 1970.
    pub(super) fn since_1970(&self) -> Option<u64> {
        if !self.is_sound() {
            return None;
        }
        // Days from the civil date, counted from March so that the leap day is the last of its year.
        let (year, month) = (u64::from(self.full_year()), u64::from(self.month));
        let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
        let days =
            365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + u64::from(self.day) - 1;
        let days = days - 719_468;
        let minutes = (days * 24 + u64::from(self.hour)) * 60 + u64::from(self.within.minute);
        Some(minutes * 60_000 + u64::from(self.within.milliseconds))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::testing::hex;

    fn of(text: &str) -> Time {
        time(&hex(text)).unwrap().1
    }

    #[test]
    fn a_time_of_seven_octets() {
        let time = of("a0 14 1e 0a 56 0b 18");
        assert_eq!((time.day, time.month, time.year, time.hour, time.weekday), (22, 11, 24, 10, 2));
        // 2024-11-22T10:30:05.280Z
        assert_eq!(time.since_1970(), Some(1_732_271_405_280));
        assert_eq!(of("00 00 00 00 01 01 00").since_1970(), Some(946_684_800_000), "2000-01-01");
        assert_eq!(
            of("00 00 00 00 1d 02 18").since_1970(),
            Some(1_709_164_800_000),
            "a leap day, 2024-02-29"
        );
    }

    #[test]
    fn a_clock_that_was_never_set_begins_with_1970() {
        assert_eq!(of("00 00 00 00 01 01 46").since_1970(), Some(0), "1970-01-01");
        assert_eq!(of("00 00 00 00 01 01 63").since_1970(), Some(915_148_800_000), "1999-01-01");
        assert_eq!(of("00 00 00 00 01 01 45").since_1970(), Some(3_124_224_000_000), "2069-01-01");
        assert_eq!(of("00 00 00 00 01 01 64").since_1970(), None, "the year 100");
    }

    #[test]
    fn flags_are_no_part_of_the_numbers() {
        let time = of("a0 14 de 8a 56 0b 18");
        assert!(time.within.invalid && time.within.substituted && time.summer);
        assert_eq!((time.within.minute, time.hour), (30, 10));
    }

    #[test]
    fn impossible_times_are_told_apart() {
        for text in [
            "60 ea 00 00 01 01 00", // 60 s
            "00 00 3c 00 01 01 00", // minute 60
            "00 00 00 18 01 01 00", // hour 24
            "00 00 00 00 00 01 00", // day 0
            "00 00 00 00 01 00 00", // month 0
            "00 00 00 00 01 0d 00", // month 13
        ] {
            assert_eq!(of(text).since_1970(), None, "{text}");
        }
    }
}
