//! Rules, denials, redundancy, planned work.

use std::fmt;

use parsers::{Action, Function, PointRange, Protocol, Timestamp};

use super::Profile;
use crate::functions::function_name;
use crate::points::RangesText;
use crate::units::Rate;

/// Something a rule allows or a denial forbids.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub enum Allow {
    /// Every operation of a class.
    Action(Action),
    /// One function.
    Function {
        /// The protocol it belongs to.
        protocol: Protocol,
        /// Its code.
        code: u8,
        /// Its sub-function (Modbus 8, 43, 90); `None` for all of them.
        sub: Option<u16>,
    },
}

impl Allow {
    /// Whether an operation falls under it.
    #[must_use]
    pub fn holds(&self, protocol: Protocol, action: Action, function: Function) -> bool {
        match *self {
            Allow::Action(allowed) => allowed == action,
            Allow::Function { protocol: of, code, sub } => {
                of == protocol && code == function.code && (sub.is_none() || sub == function.sub)
            }
        }
    }
}

impl fmt::Display for Allow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Allow::Action(action) => f.write_str(action.name()),
            Allow::Function { protocol, code, sub } => {
                write!(f, "function {code}")?;
                if let Some(sub) = sub {
                    write!(f, "/{sub}")?;
                }
                function_name(protocol, code, sub).map_or(Ok(()), |name| write!(f, " {name}"))
            }
        }
    }
}

/// Limits on written values, both included: raw, or in the unit of a point that has one.
#[derive(Debug, Copy, Clone, PartialEq)]
pub struct Limits {
    /// Lowest; minus infinity if there is none.
    pub min: f64,
    /// Highest; infinity if there is none.
    pub max: f64,
}

impl Limits {
    /// Whether a value lies within. NaN does not.
    #[must_use]
    pub fn hold(&self, value: f64) -> bool {
        self.min <= value && value <= self.max
    }
}

impl fmt::Display for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.min.is_finite(), self.max.is_finite()) {
            (true, true) => write!(f, "from {} to {}", self.min, self.max),
            (true, false) => write!(f, "of at least {}", self.min),
            (false, true) => write!(f, "of at most {}", self.max),
            (false, false) => f.write_str("of any size"),
        }
    }
}

/// The polling that a rule expects.
#[derive(Debug, Copy, Clone, PartialEq)]
pub struct Poll {
    /// Nanoseconds from one poll to the next.
    pub period_ns: u64,
    /// How far a period may be off, as a share of it; `None`: the threshold's.
    pub tolerance: Option<f64>,
}

/// What some hosts may do with some stations. An operation is allowed when **one** rule allows all of it.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Its name, unique in the profile.
    pub name: String,
    /// Indexes of the commanding hosts in [`Profile::hosts`].
    pub from: Vec<usize>,
    /// Indexes of the stations in [`Profile::stations`].
    pub to: Vec<usize>,
    /// What it allows.
    pub allow: Vec<Allow>,
    /// The points it allows by kind and address, sorted and merged; `None` for all points. See
    /// [`Rule::points_at`] for those that it names.
    pub points: Option<Vec<PointRange>>,
    /// The points it allows by the names that its stations give them.
    pub named_points: Vec<String>,
    /// Limits on what may be written.
    pub values: Option<Limits>,
    /// How often it may be used, for each host and station.
    pub rate: Option<Rate>,
    /// Index of its schedule in [`Profile::schedules`]; `None`: always.
    pub schedule: Option<usize>,
    /// Whether a control needs a select before it; `None`: as the catalogue says.
    pub select_before_operate: Option<bool>,
    /// The polling to expect.
    pub poll: Option<Poll>,
    /// From then on it allows nothing.
    pub expires: Option<Timestamp>,
    /// Whether it also allows requests to the broadcast address of its stations' hosts.
    pub broadcast: bool,
    /// Made from the roles of hosts; the file's own rules and denials go first.
    pub from_role: bool,
    /// Who answers for it.
    pub owner: Option<String>,
    /// The engineer's comment.
    pub comment: Option<String>,
}

impl Rule {
    /// All points that it allows at a station, sorted and merged; `None` for all.
    #[must_use]
    pub fn points_at(&self, profile: &Profile, station: usize) -> Option<Vec<PointRange>> {
        let mut ranges = self.points.clone()?;
        if let Some(station) = profile.stations.get(station) {
            ranges.extend(self.named_points.iter().filter_map(|name| Some(station.point(name)?.addresses())));
        }
        Some(super::merge(ranges))
    }

    /// What it allows, to be shown.
    #[must_use]
    pub fn what(&self) -> What<'_> {
        What { operations: &self.allow, points: self.points.as_deref(), named_points: &self.named_points }
    }
}

impl fmt::Display for Rule {
    /// `rule 'scada polls' allows read, report of holding_register 0-99`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rule '{}' allows {}", self.name, self.what())
    }
}

/// Displays operations and points: `read, report of holding_register 0-99`.
pub struct What<'r> {
    operations: &'r [Allow],
    points: Option<&'r [PointRange]>,
    named_points: &'r [String],
}

impl fmt::Display for What<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, allow) in self.operations.iter().enumerate() {
            write!(f, "{}{allow}", if i > 0 { ", " } else { "" })?;
        }
        let Some(ranges) = self.points else { return Ok(()) };
        f.write_str(" of ")?;
        if !ranges.is_empty() {
            write!(f, "{}", RangesText(ranges, false))?;
        }
        for (i, name) in self.named_points.iter().enumerate() {
            write!(f, "{}{name}", if i > 0 || !ranges.is_empty() { ", " } else { "" })?;
        }
        Ok(())
    }
}

macro_rules! severities {
    ($($(#[$doc:meta])* $variant:ident = $name:literal),+ $(,)?) => {
        /// How bad a finding is.
        #[derive(Debug, Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash)]
        pub enum Severity { $($(#[$doc])* $variant),+ }

        impl Severity {
            /// All of them, lowest first.
            pub const ALL: &'static [Severity] = &[$(Severity::$variant),+];

            /// Lower-case name.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Severity::$variant => $name),+ }
            }
        }
    };
}

severities! {
    /// For the inventory.
    Info = "info",
    /// Hygiene.
    Low = "low",
    /// Suspicious, most often a misconfiguration.
    Medium = "medium",
    /// An attempt, or the capability.
    High = "high",
    /// Field equipment or protection may be operating wrongly now.
    Critical = "critical",
}

impl Severity {
    /// The severity with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Severity> {
        Severity::ALL.iter().copied().find(|s| s.name() == name)
    }

    /// One step higher, if there is one.
    #[must_use]
    pub fn raised(self) -> Severity {
        match self {
            Severity::Info => Severity::Low,
            Severity::Low => Severity::Medium,
            Severity::Medium => Severity::High,
            Severity::High | Severity::Critical => Severity::Critical,
        }
    }
}

/// What is forbidden, whatever rules allow.
#[derive(Debug, Clone)]
pub struct Deny {
    /// Its name, unique among rules and denials.
    pub name: String,
    /// Indexes of hosts in [`Profile::hosts`]; `None`: anybody, known or not.
    pub from: Option<Vec<usize>>,
    /// Indexes of stations in [`Profile::stations`]; `None`: every station, known or not.
    pub to: Option<Vec<usize>>,
    /// What it forbids.
    pub operations: Vec<Allow>,
    /// The points by kind and address, sorted and merged; `None` for all points.
    pub points: Option<Vec<PointRange>>,
    /// The points by the names that stations give them.
    pub named_points: Vec<String>,
    /// Indexes in [`Profile::rules`] of the rules that go before it: what one of them allows, it does not
    /// forbid.
    pub except: Vec<usize>,
    /// Severity of the finding; `None`: critical for a control, else high.
    pub severity: Option<Severity>,
    /// Made from the roles of hosts; the file's own rules go before it.
    pub from_role: bool,
    /// Who answers for it.
    pub owner: Option<String>,
    /// The engineer's comment.
    pub comment: Option<String>,
}

impl Deny {
    /// What it forbids, to be shown.
    #[must_use]
    pub fn what(&self) -> What<'_> {
        let (operations, named_points) = (&self.operations, &self.named_points);
        What { operations, points: self.points.as_deref(), named_points }
    }
}

impl fmt::Display for Deny {
    /// `rule 'never restart relays' forbids restart`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rule '{}' forbids {}", self.name, self.what())
    }
}

/// Masters that stand in for each other: which of them commands is no news.
#[derive(Debug, Clone)]
pub struct Redundancy {
    /// Its name.
    pub name: String,
    /// Indexes in [`Profile::hosts`].
    pub hosts: Vec<usize>,
}

/// Planned work: its findings are for information. What goes on after the end is reported.
#[derive(Debug, Clone)]
pub struct Maintenance {
    /// What is done.
    pub name: String,
    /// Indexes of hosts in [`Profile::hosts`]; `None`: anybody.
    pub from: Option<Vec<usize>>,
    /// Indexes of stations in [`Profile::stations`]; `None`: every station.
    pub to: Option<Vec<usize>>,
    /// What is expected.
    pub allow: Vec<Allow>,
    /// Publishers that are worked on: indexes in [`Profile::publishers`]; `None`: all, also those that the profile
    /// does not name.
    pub publishers: Option<Vec<usize>>,
    /// From when.
    pub start: Timestamp,
    /// Until when, not included.
    pub end: Timestamp,
    /// Number of the work order.
    pub reference: Option<String>,
    /// The engineer's comment.
    pub comment: Option<String>,
}
