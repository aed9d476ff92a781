//! What a profile does not allow, with enough to explain it. The texts are made only when printed.

use std::fmt;

use parsers::{Action, Endpoint, Exchange, Function, PointKind, PointRange, StationAddress, Timestamp};

use crate::compiled::{PointId, RuleId};
use crate::points::{RangeText, RangesText};
use crate::profile::{Deny, PointSpec, Profile, Rule, Severity};

/// What is not allowed, in the terms of the detection catalogue.
#[derive(Debug, Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash)]
pub enum AnomalyKind {
    /// A host that the profile does not know, or that has no rule for this station (POL-02).
    UnknownClient,
    /// A station that the profile does not know (POL-02).
    UnknownStation,
    /// A function that no rule of the pair allows (POL-03).
    Function,
    /// The function is allowed, but not on these points (POL-04).
    Range,
    /// An order that changes the process, not allowed for whatever reason (POL-01).
    Control,
    /// A denial forbids it (POL-01).
    Denied,
    /// It is allowed, but not with this value (POL-08).
    Value,
    /// It is allowed, but not at this time (POL-18).
    Schedule,
}

/// Which condition failed.
#[derive(Debug, Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash)]
pub enum Reason {
    /// No host of the profile has the client's address.
    UnknownClient,
    /// No station of the profile has this address.
    UnknownStation,
    /// Both are known, but no rule connects them.
    NoRule,
    /// No rule that connects them allows the function.
    Function,
    /// A rule allows the function, but not on these points.
    Range,
    /// Sent to all stations, and no rule with `broadcast = true` is there.
    Broadcast,
    /// A denial forbids it.
    Denied,
    /// The rule that allows it has ended.
    Expired,
    /// The rule that allows it holds at other times.
    Schedule,
    /// The rule that allows it does so for other values.
    Value,
    /// The rule that allows it does so after a select alone.
    Select,
}

/// A written value outside the limits.
#[derive(Debug, Copy, Clone, PartialEq)]
pub struct BadValue {
    /// What kind of point.
    pub kind: PointKind,
    /// Its address.
    pub address: u32,
    /// The value: raw, or in the unit of the named point.
    pub value: f64,
    /// The point, if the profile names it.
    pub point: Option<PointId>,
    /// How many values beside the first one are outside.
    pub further: u32,
    /// The lowest and the highest of all that are outside; NaN if one of them is no number.
    pub span: (f64, f64),
}

/// An operation that the profile does not allow. Displayed as
/// `what rule 'x' allows (read of holding_register 0-99); asked was write multiple registers (function 16) of holding_register 100-101`.
#[derive(Debug, Copy, Clone)]
pub struct Anomaly<'a> {
    /// What, in the terms of the catalogue.
    pub kind: AnomalyKind,
    /// Which condition failed; differs from `kind` for [`AnomalyKind::Control`].
    pub reason: Reason,
    /// Name of the commanding host, if the profile knows it.
    pub client: Option<&'a str>,
    /// Name of the station, if the profile knows it.
    pub station: Option<&'a str>,
    /// Name of the host that the station stands behind, if the profile knows it.
    pub station_host: Option<&'a str>,
    /// The rule that comes nearest to allowing it.
    pub nearest: Option<RuleId>,
    /// The denial that forbids it, when that is what failed.
    pub denial: Option<&'a Deny>,
    /// The first range outside the nearest rule's, when that is what failed.
    pub offending: Option<PointRange>,
    /// The first value outside the nearest rule's limits, when that is what failed.
    pub value: Option<BadValue>,
    pub(crate) profile: &'a Profile,
    pub(crate) at: Timestamp,
    pub(crate) master: Endpoint,
    pub(crate) server: Endpoint,
    pub(crate) address: StationAddress,
    pub(crate) exchange: Exchange,
    pub(crate) action: Action,
    pub(crate) function: Function,
    pub(crate) ranges: &'a [PointRange],
    pub(crate) more_ranges: bool,
    pub(crate) broadcast: bool,
}

impl<'a> Anomaly<'a> {
    /// The rule that comes nearest to allowing it.
    #[must_use]
    pub fn nearest_rule(&self) -> Option<&'a Rule> {
        self.profile.rules.get(self.nearest?.0 as usize)
    }

    /// Name of the rule that comes nearest, or of the denial.
    #[must_use]
    pub fn nearest_name(&self) -> Option<&'a str> {
        let denial = self.denial.map(|denial| denial.name.as_str());
        denial.or_else(|| self.nearest_rule().map(|rule| rule.name.as_str()))
    }

    /// Who answers for that rule or denial.
    #[must_use]
    pub fn nearest_owner(&self) -> Option<&'a str> {
        match self.denial {
            Some(denial) => denial.owner.as_deref(),
            None => self.nearest_rule()?.owner.as_deref(),
        }
    }

    /// The severity that the profile gives, where it gives one.
    #[must_use]
    pub fn severity(&self) -> Option<Severity> {
        let by_kind = if self.action.is_control() { Severity::Critical } else { Severity::High };
        Some(self.denial?.severity.unwrap_or(by_kind))
    }

    fn point(&self, id: PointId) -> Option<&'a PointSpec> {
        let station = self.profile.stations.get(id.station as usize)?;
        station.points.get(id.index as usize).map(AsRef::as_ref)
    }

    /// What the profile expects, for a finding's `expected`.
    #[must_use]
    pub fn expected(&self) -> Expected<'_, 'a> {
        Expected(self)
    }

    /// What was there instead, for a finding's `observed`.
    #[must_use]
    pub fn observed(&self) -> Observed<'_, 'a> {
        Observed(self)
    }
}

impl fmt::Display for Anomaly<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = if self.exchange == Exchange::Request { "asked" } else { "seen" };
        write!(f, "{}; {verb} was {}", self.expected(), self.observed())
    }
}

/// Displays what the profile expects.
pub struct Expected<'s, 'a>(&'s Anomaly<'a>);

impl fmt::Display for Expected<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Anomaly { profile, client, station, station_host, .. } = *self.0;
        let (client, host) = (client.unwrap_or("?"), station_host.unwrap_or("?"));
        match self.0.reason {
            Reason::UnknownClient => f.write_str("a client that the profile knows")?,
            Reason::UnknownStation if station_host.is_some() => {
                return write!(f, "a station that the profile knows behind host '{host}'");
            }
            Reason::UnknownStation => return f.write_str("a station that the profile knows"),
            Reason::NoRule => write!(f, "a rule from '{client}' to '{}'", station.unwrap_or("?"))?,
            Reason::Broadcast => {
                return write!(f, "a rule with broadcast = true from '{client}' to a station of '{host}'");
            }
            Reason::Function | Reason::Range => {
                return self
                    .0
                    .nearest_rule()
                    .map_or(Ok(()), |rule| write!(f, "what rule '{}' allows ({})", rule.name, rule.what()));
            }
            Reason::Denied => {
                let Some(denial) = self.0.denial else { return Ok(()) };
                return write!(f, "no such operation, because {denial}");
            }
            Reason::Expired => return self.expired(f),
            Reason::Schedule => return self.schedule(f),
            Reason::Value => return self.values(f),
            Reason::Select => {
                let rule = self.0.nearest_rule().map_or("", |rule| rule.name.as_str());
                return write!(f, "a select and then an operate, as rule '{rule}' asks");
            }
        }
        let Some(rule) = self.0.nearest_rule() else { return Ok(()) };
        write!(f, "; rule '{}' allows this to ", rule.name)?;
        for (i, host) in rule.from.iter().take(SHOWN_HOSTS).filter_map(|h| profile.hosts.get(*h)).enumerate()
        {
            write!(f, "{}'{}'", if i > 0 { ", " } else { "" }, host.name)?;
        }
        match rule.from.len().saturating_sub(SHOWN_HOSTS) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

impl Expected<'_, '_> {
    fn expired(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(rule) = self.0.nearest_rule() else { return Ok(()) };
        write!(f, "a rule in force, but rule '{}' ended", rule.name)?;
        rule.expires.map_or(Ok(()), |end| write!(f, " at {}", Time(end)))
    }

    fn schedule(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(rule) = self.0.nearest_rule() else { return Ok(()) };
        let schedule = rule.schedule.and_then(|s| self.0.profile.schedules.get(s));
        let name = schedule.map_or("", |schedule| schedule.name.as_str());
        write!(f, "this within the schedule '{name}' of rule '{}'", rule.name)
    }

    fn values(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(rule) = self.0.nearest_rule() else { return Ok(()) };
        let Some(limits) = rule.values else { return Ok(()) };
        write!(f, "values {limits}")?;
        let point = self.0.value.and_then(|v| v.point).and_then(|id| self.0.point(id));
        if let Some(unit) = point.and_then(|p| p.unit.as_deref()) {
            write!(f, " {unit}")?;
        }
        write!(f, ", by rule '{}'", rule.name)
    }
}

/// A time in UTC, to the second.
struct Time(Timestamp);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = jiff::Timestamp::from_second((self.0.0 / 1_000_000_000) as i64).unwrap_or_default();
        time.fmt(f)
    }
}

/// Hosts of a rule that are written out.
const SHOWN_HOSTS: usize = 4;

/// Displays what was there instead.
pub struct Observed<'s, 'a>(&'s Anomaly<'a>);

impl fmt::Display for Observed<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let a = self.0;
        match a.exchange {
            Exchange::Request => {}
            Exchange::Response => f.write_str("an answer to ")?,
            Exchange::Unsolicited => f.write_str("an unsolicited report, ")?,
            Exchange::Confirm => f.write_str("a confirmation, ")?,
            Exchange::Link => f.write_str("link traffic, ")?,
            Exchange::Publication => f.write_str("a publication, ")?,
        }
        // The words of the standard, and the number beside them: a number in front reads as a count.
        let name = if a.function.name == "unknown" { "an unknown function" } else { a.function.name };
        write!(f, "{}", parsers::Spaced(name))?;
        match a.function.sub {
            Some(sub) => write!(f, " (function {}/{sub})", a.function.code)?,
            None => write!(f, " (function {})", a.function.code)?,
        }
        if !a.ranges.is_empty() {
            write!(f, " of {}", RangesText(a.ranges, a.more_ranges))?;
        }
        if a.broadcast {
            f.write_str(" by broadcast")?;
        }
        match a.reason {
            Reason::UnknownClient => write!(f, " by {}", a.master.host)?,
            Reason::UnknownStation => {
                write!(f, " at {}", a.server)?;
                if let Some(number) = a.address.number() {
                    write!(f, " {} {number}", a.address.long_word())?;
                }
            }
            Reason::Value => {
                if let Some(bad) = a.value {
                    let range = PointRange::one(bad.kind, bad.address);
                    let point = bad.point.and_then(|id| a.point(id));
                    match point {
                        Some(point) => write!(f, ", {} for '{}'", bad.value, point.name)?,
                        None => write!(f, ", {} for {}", bad.value, RangeText(range))?,
                    }
                    let (low, high) = bad.span;
                    match bad.further {
                        0 => {}
                        more => write!(f, ", and {more} more outside: all from {low} to {high}")?,
                    }
                }
            }
            Reason::Schedule | Reason::Expired => write!(f, " at {}", Time(a.at))?,
            _ => {}
        }
        match a.offending {
            Some(range) if a.ranges.len() > 1 => write!(f, " ({} is not allowed)", RangeText(range)),
            None if a.reason == Reason::Range => f.write_str(" (too many ranges to check)"),
            _ => Ok(()),
        }
    }
}
