//! What the pipeline hands to the sinks besides findings, operations and defects.

use core::fmt;

use parsers::{Endpoint, Protocol, StationAddress, Timestamp};

/// What the profile says about an operation.
#[derive(Debug, Copy, Clone, Eq, PartialEq, Default)]
pub enum Verdict {
    /// A rule allows it.
    Allowed,
    /// No rule allows it; a finding was raised.
    Denied,
    /// Not judged: no profile, or nothing to judge (an answer).
    #[default]
    Unjudged,
}

impl Verdict {
    /// Lower-case name, as in events.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Allowed => "allowed",
            Verdict::Denied => "denied",
            Verdict::Unjudged => "unjudged",
        }
    }
}

/// What the profile knows about an operation. The default knows nothing.
#[derive(Debug, Copy, Clone, Default)]
pub struct Judgement<'a> {
    /// Allowed or not.
    pub verdict: Verdict,
    /// The rule that allows it, or comes nearest to allowing it.
    pub rule: Option<&'a str>,
    /// The station's place among the profile's stations, if the profile knows it.
    pub station: Option<u32>,
    /// The station's name in the profile.
    pub station_name: Option<&'a str>,
    /// The commanding host's name in the profile.
    pub client_name: Option<&'a str>,
}

/// Which operations the event log holds.
#[derive(Debug, Copy, Clone, Eq, PartialEq, Default)]
pub enum OperationsLog {
    /// All of them.
    All,
    /// Everything but plain reads.
    #[default]
    Control,
    /// None.
    None,
}

impl OperationsLog {
    /// The choice with this name: `all`, `control` or `none`.
    pub fn from_name(name: &str) -> Option<OperationsLog> {
        match name {
            "all" => Some(OperationsLog::All),
            "control" => Some(OperationsLog::Control),
            "none" => Some(OperationsLog::None),
            _ => None,
        }
    }
}

/// Something the sensor has to say about itself.
#[derive(Copy, Clone)]
pub struct SensorEvent<'a> {
    /// Packet time (or the sensor's clock where there is no packet).
    pub at: Timestamp,
    /// What happened, `snake_case`: `started`, `stopped`, `capture_damaged`, `frames_dropped`,
    /// `tap_lost`, `events_dropped`, `limit_reached`.
    pub what: &'static str,
    /// The tap or file concerned.
    pub capture: Option<&'a str>,
    /// A sentence for people.
    pub message: fmt::Arguments<'a>,
    /// Figures, by `snake_case` name with the unit last.
    pub figures: &'a [(&'static str, u64)],
}

/// Something about a station.
#[derive(Debug, Copy, Clone)]
pub struct StationEvent<'a> {
    /// Packet time.
    pub at: Timestamp,
    /// What happened, `snake_case`: `first_seen`, and the changes of [`StationChange::name`].
    pub what: &'static str,
    /// The protocol it speaks.
    pub protocol: Protocol,
    /// Where it is.
    pub server: Endpoint,
    /// Its address in the protocol.
    pub station: StationAddress,
    /// Its name in the profile.
    pub station_name: Option<&'a str>,
    /// Requests to it that went unanswered, where that is what the event is about.
    pub unanswered: Option<u32>,
}

/// A change in a station's polling, for the event log and the metrics.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub enum StationChange {
    /// It fell silent.
    Silent,
    /// It answers again, after so many requests that it did not answer.
    AnswersAgain(u32),
    /// It answers again although it was never called silent: so many requests went unanswered.
    Replies(u32),
    /// The end of what is watched, and it still does not answer: so many requests went unanswered.
    StillUnanswered(u32),
    /// Its master asks no more.
    NotPolled,
    /// Its master asks again.
    PolledAgain,
    /// Its fastest poll is expected every so many nanoseconds, by the profile or by what was seen at first.
    Period(u64),
    /// Its fastest poll now comes every so many nanoseconds.
    Interval(u64),
    /// So many polls did not come.
    Missed(u64),
}

impl StationChange {
    /// Name in events; figures have none, they are metrics only.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        match self {
            StationChange::Silent => Some("silent"),
            StationChange::AnswersAgain(_) | StationChange::Replies(_) => Some("answers_again"),
            StationChange::StillUnanswered(_) => Some("still_unanswered"),
            StationChange::NotPolled => Some("not_polled"),
            StationChange::PolledAgain => Some("polled_again"),
            StationChange::Period(_) | StationChange::Interval(_) | StationChange::Missed(_) => None,
        }
    }

    /// How many requests went unanswered, where the change is about that.
    #[must_use]
    pub fn unanswered(self) -> Option<u32> {
        match self {
            StationChange::AnswersAgain(n)
            | StationChange::Replies(n)
            | StationChange::StillUnanswered(n) => Some(n),
            _ => None,
        }
    }
}

/// A station whose polling changed.
#[derive(Debug, Copy, Clone)]
pub struct StationState<'a> {
    /// Packet time.
    pub at: Timestamp,
    /// The protocol it speaks.
    pub protocol: Protocol,
    /// Where it is.
    pub server: Endpoint,
    /// Its address in the protocol.
    pub station: StationAddress,
    /// Its name in the profile.
    pub station_name: Option<&'a str>,
    /// What changed.
    pub change: StationChange,
}
