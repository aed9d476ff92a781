//! Checks of schedules and dates, in the site's time zone.

use std::collections::HashMap;

use jiff::tz::{TimeZone, TimeZoneDatabase};
use parsers::Timestamp;
use toml::value::Datetime;

use crate::file::{At, File, ScheduleEntry};
use crate::limits::MAX_HOURS;
use crate::profile::Schedule;
use diagnostics::Reporter;

/// Days of the week as they are written, Monday first.
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
/// Minutes of a day.
const DAY: u16 = 24 * 60;

/// The time zone, and the schedules in it.
pub(super) struct Times {
    pub(super) zone_name: String,
    pub(super) schedules: Vec<Schedule>,
    by_name: HashMap<String, usize>,
    zone: TimeZone,
}

impl Times {
    pub(super) fn new(file: &File, reporter: &mut Reporter<'_>) -> Times {
        let zone = file.timezone.as_ref().and_then(|name| zone(name, reporter)).unwrap_or(TimeZone::UTC);
        let zone_name = zone.iana_name().unwrap_or("UTC").to_owned();
        let schedules: Vec<_> = file.schedules.iter().map(|entry| schedule(entry, &zone, reporter)).collect();
        let by_name = schedules.iter().enumerate().map(|(i, s)| (s.name.clone(), i)).collect();
        Times { zone_name, schedules, by_name, zone }
    }

    /// The schedule with a name.
    pub(super) fn schedule(&self, name: &At<String>, reporter: &mut Reporter<'_>) -> Option<usize> {
        let found = self.by_name.get(&name.value).copied();
        if found.is_none() {
            let meant = reporter.meant(&name.value, self.schedules.iter().map(|s| s.name.as_str()));
            let error = reporter.error(&name.span, format!("no schedule has the name `{}`", name.value));
            if let Some(meant) = meant {
                error.label(format!("did you mean `{meant}`?"));
            }
            error.help(format!(
                "define it:\n             [schedules.{}]\n             days = [\"mon-fri\"]\n             hours = \"07:00-18:00\"",
                crate::write::key(&name.value)
            ));
        }
        found
    }

    /// A date as a time. A date without an hour is midnight, one without a zone is in that of the site.
    pub(super) fn time(&self, date: &At<Datetime>, reporter: &mut Reporter<'_>) -> Option<Timestamp> {
        let text = date.value.to_string();
        let time = if date.value.offset.is_some() {
            text.parse::<jiff::Timestamp>().ok()
        } else {
            let civil = text.parse::<jiff::civil::DateTime>().ok();
            civil.and_then(|civil| self.zone.to_timestamp(civil).ok())
        };
        let found = time.and_then(|time| u64::try_from(time.as_nanosecond()).ok()).map(Timestamp);
        if found.is_none() {
            reporter.error(&date.span, format!("`{text}` is no time from 1970 to 2554"));
        }
        found
    }
}

fn zone(name: &At<String>, reporter: &mut Reporter<'_>) -> Option<TimeZone> {
    // The bundled database, not the machine's: the same profile means the same everywhere.
    let database = TimeZoneDatabase::bundled();
    if let Ok(zone) = database.get(&name.value) {
        return Some(zone);
    }
    let names: Vec<String> = database.available().map(|name| name.to_string()).collect();
    let meant = reporter.meant(&name.value, names.iter().map(String::as_str));
    let error = reporter.error(&name.span, format!("unknown time zone `{}`", name.value));
    if let Some(meant) = meant {
        error.label(format!("did you mean `{meant}`?"));
    }
    error
        .help("write a name of the IANA time zone database: \"Europe/Zurich\", \"America/Chicago\", \"UTC\"");
    None
}

fn schedule(entry: &ScheduleEntry, zone: &TimeZone, reporter: &mut Reporter<'_>) -> Schedule {
    let mut days = [entry.days.is_empty(); 7];
    for text in &entry.days {
        match day_range(&text.value) {
            Some((from, until)) => {
                let mut day = from;
                loop {
                    days[day] = true;
                    if day == until {
                        break;
                    }
                    day = (day + 1) % 7;
                }
            }
            None => {
                reporter
                    .error(&text.span, format!("`{}` is no day", text.value))
                    .label("write \"mon\" or \"mon-fri\"")
                    .help(format!("days are: {}", DAYS.join(", ")));
            }
        }
    }
    if let Some(beyond) = entry.hours.get(MAX_HOURS) {
        let message =
            format!("the schedule `{}` has more than {MAX_HOURS} ranges of hours", entry.name.value);
        reporter.error(&beyond.span, message).label("join some of them");
    }
    let mut hours = Vec::with_capacity(entry.hours.len());
    for text in &entry.hours {
        match text.value.split_once('-').map(|(from, until)| (minutes(from), minutes(until))) {
            Some((Some(from), Some(until))) if from < DAY && from != until => hours.push((from, until)),
            _ => {
                reporter
                    .error(&text.span, format!("`{}` is no range of hours", text.value))
                    .label("write \"07:00-18:00\"; a night is \"22:00-06:00\"");
            }
        }
    }
    Schedule { name: entry.name.value.clone(), days, hours, zone: zone.clone() }
}

/// `mon`, `mon-fri`, `sat-mon`.
fn day_range(text: &str) -> Option<(usize, usize)> {
    let day = |word: &str| {
        let word = word.trim().to_lowercase();
        DAYS.iter().position(|day| {
            word == *day || (word.len() > 3 && word.starts_with(day) && word.ends_with("day"))
        })
    };
    match text.split_once('-') {
        Some((from, until)) => Some((day(from)?, day(until)?)),
        None => day(text).map(|day| (day, day)),
    }
}

/// `07:30` in minutes since midnight; `24:00` is the end of the day.
fn minutes(text: &str) -> Option<u16> {
    let (hour, minute) = text.trim().split_once(':')?;
    let digits = |text: &str| text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(hour) || !digits(minute) {
        return None;
    }
    let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    (minute < 60 && hour * 60 + minute <= DAY).then_some(hour * 60 + minute)
}
