//! When a rule holds: days and hours in the site's time zone.

use jiff::tz::TimeZone;
use parsers::Timestamp;

/// Days and hours.
#[derive(Debug, Clone)]
pub struct Schedule {
    /// Its name.
    pub name: String,
    /// From Monday to Sunday.
    pub days: [bool; 7],
    /// From and until, in minutes since midnight; the end is not included. One that ends before it starts
    /// runs over midnight and belongs to the day on which it starts. Empty: all day.
    pub hours: Vec<(u16, u16)>,
    pub(crate) zone: TimeZone,
}

impl Schedule {
    /// Whether it holds at a time. Allocates nothing.
    #[must_use]
    pub fn holds(&self, at: Timestamp) -> bool {
        let Ok(time) = jiff::Timestamp::from_nanosecond(i128::from(at.0)) else { return false };
        let local = self.zone.to_datetime(time);
        let today = local.weekday().to_monday_zero_offset() as usize;
        let minute = local.hour() as u16 * 60 + local.minute() as u16;
        let on = |day: usize| self.days.get(day).copied().unwrap_or(false);
        if self.hours.is_empty() {
            return on(today);
        }
        let yesterday = (today + 6) % 7;
        self.hours.iter().any(|(from, until)| {
            if from < until {
                on(today) && *from <= minute && minute < *until
            } else {
                (on(today) && *from <= minute) || (on(yesterday) && minute < *until)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn at(text: &str) -> Timestamp {
        let time: jiff::Timestamp = text.parse().unwrap();
        Timestamp(u64::try_from(time.as_nanosecond()).unwrap())
    }

    fn schedule(hours: Vec<(u16, u16)>) -> Schedule {
        Schedule {
            name: "x".to_owned(),
            days: [true, true, true, true, true, false, false],
            hours,
            zone: jiff::tz::TimeZoneDatabase::bundled().get("Europe/Zurich").unwrap(),
        }
    }

    #[test]
    fn hours_are_those_of_the_time_zone_in_winter_and_in_summer() {
        let office = schedule(vec![(7 * 60, 18 * 60)]);
        assert!(!office.holds(at("2026-01-14T05:59:59Z")), "06:59 in winter");
        assert!(office.holds(at("2026-01-14T06:00:00Z")), "07:00 in winter");
        assert!(office.holds(at("2026-07-15T05:00:00Z")), "07:00 in summer");
        assert!(!office.holds(at("2026-07-15T04:59:59Z")), "06:59 in summer");
        assert!(!office.holds(at("2026-07-15T16:00:00Z")), "18:00 is not included");
        assert!(!office.holds(at("2026-07-18T10:00:00Z")), "a Saturday");
    }

    #[test]
    fn a_night_belongs_to_the_day_on_which_it_starts() {
        let night = schedule(vec![(22 * 60, 6 * 60)]);
        assert!(night.holds(at("2026-01-16T22:00:00Z")), "Friday 23:00");
        assert!(night.holds(at("2026-01-17T04:00:00Z")), "Saturday 05:00, of Friday's night");
        assert!(!night.holds(at("2026-01-17T22:00:00Z")), "Saturday 23:00");
        assert!(!night.holds(at("2026-01-19T04:00:00Z")), "Monday 05:00 is Sunday's night");
        assert!(schedule(Vec::new()).holds(at("2026-01-16T12:00:00Z")));
    }
}
