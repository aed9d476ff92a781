//! Judging: is an operation allowed? Deny by default.
//!
//! | exchange | allowed when |
//! |---|---|
//! | request | no denial forbids it, and one rule from the client to the station allows its function, all of its points, its values, at this time |
//! | request by broadcast | the same, by a rule with `broadcast = true` for a station of that host |
//! | response to a request that was seen | always: the request was judged |
//! | other response, confirm, link | some rule connects the client and the station |
//! | unsolicited | a rule that connects them allows `report` or `read` |
//!
//! In this order: denials of the file, rules of the file, denials of the roles, rules of the roles.

use parsers::{Action, Exchange, Operation, PointRange};

use crate::anomaly::{Anomaly, AnomalyKind, BadValue, Reason};
use crate::compiled::{Compiled, Grant, GrantId, Pair, RuleId};
use crate::values;

/// Rules looked through to find the nearest one for a client that has none. Telling what is near must
/// not become expensive when somebody makes a great deal of traffic that is denied.
const NEAREST_RULES: usize = 64;

/// Function code of a DNP3 unsolicited response, IEEE 1815 clause 4.4.
const UNSOLICITED: parsers::Function =
    parsers::Function { code: 130, sub: None, name: "unsolicited_response" };

/// The profile's word on an operation.
#[derive(Debug, Copy, Clone)]
// Judging must not allocate, so the rare variant is not boxed.
#[allow(clippy::large_enum_variant)]
pub enum Verdict<'a> {
    /// Allowed: by this rule, or because no rule of its own is needed (an answer, a confirmation).
    Allowed(Option<RuleId>),
    /// Not allowed, and why.
    Denied(Anomaly<'a>),
}

impl<'a> Verdict<'a> {
    /// Whether it is allowed.
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        matches!(self, Verdict::Allowed(_))
    }

    /// What is wrong, if anything.
    #[must_use]
    pub fn anomaly(&self) -> Option<&Anomaly<'a>> {
        match self {
            Verdict::Allowed(_) => None,
            Verdict::Denied(anomaly) => Some(anomaly),
        }
    }
}

/// Why a request does not pass, with the rule that comes nearest.
struct Miss {
    reason: Reason,
    nearest: Option<RuleId>,
    offending: Option<PointRange>,
    value: Option<BadValue>,
    /// Place in [`crate::Profile::denials`].
    denial: Option<u32>,
}

impl Miss {
    fn of(reason: Reason, nearest: Option<RuleId>) -> Miss {
        Miss { reason, nearest, offending: None, value: None, denial: None }
    }
}

impl Compiled {
    /// Judge an operation of a pair, as found by [`Compiled::pair`] for its master, its station's
    /// endpoint, its protocol and its station address. Allocates nothing.
    #[must_use]
    pub fn judge<'a>(&'a self, pair: Pair, operation: &Operation<'a>) -> Verdict<'a> {
        let result = match operation.exchange {
            Exchange::Request => self.request(pair, operation).map(Some),
            Exchange::Response if operation.answers.is_some() => Ok(None),
            Exchange::Response | Exchange::Confirm | Exchange::Link => {
                self.connected(pair, operation).map(|_| None)
            }
            Exchange::Unsolicited => self.report(pair, operation).map(Some),
            // It has no partner; its publisher is judged.
            Exchange::Publication => Ok(None),
        };
        match result {
            Ok(rule) => Verdict::Allowed(rule),
            Err(miss) => Verdict::Denied(self.anomaly(pair, operation, &miss)),
        }
    }

    fn request(&self, pair: Pair, operation: &Operation<'_>) -> Result<RuleId, Miss> {
        let (protocol, action, function) = (operation.protocol, operation.action, operation.function);
        if self.denials.of_file.hold(protocol, action, function)
            && let Some(denial) =
                self.denials.find(pair, operation, false, |denial| self.excepted(denial, pair, operation))
        {
            return Err(Miss { denial: Some(denial), ..Miss::of(Reason::Denied, None) });
        }
        let found = self.request_by_rules(pair, operation);
        if !self.denials.of_roles.hold(protocol, action, function) || pair.client.is_none() {
            return found.map(|grant| grant.rule);
        }
        // What a rule of the file says of these points goes before the roles.
        let by_file = match &found {
            Ok(grant) => !grant.from_role,
            Err(miss) => !matches!(miss.reason, Reason::Function | Reason::NoRule | Reason::Broadcast),
        };
        match self.denials.find(pair, operation, true, |_| false).filter(|_| !by_file) {
            Some(denial) => Err(Miss { denial: Some(denial), ..Miss::of(Reason::Denied, None) }),
            None => found.map(|grant| grant.rule),
        }
    }

    /// The rule that allows a request whenever it comes, and however often: no denial concerns its function, and
    /// no rule before this one, nor this one, asks for more than function and points.
    #[must_use]
    pub fn standing_rule(&self, pair: Pair, operation: &Operation<'_>) -> Option<RuleId> {
        let (protocol, action, function) = (operation.protocol, operation.action, operation.function);
        let denied = [&self.denials.of_file, &self.denials.of_roles];
        if operation.exchange != Exchange::Request
            || operation.broadcast
            || denied.iter().any(|denied| denied.hold(protocol, action, function))
        {
            return None;
        }
        pair.client?;
        pair.station?;
        let mut grants = self.grants_of(self.table(pair.table)).filter(|grant| {
            grant.operations.hold(protocol, action, function)
                && grant.outside(operation.ranges).is_none()
                && (!operation.more_ranges || grant.allows_all_points())
        });
        let first = grants.next().filter(|grant| !grant.conditional)?;
        self.rule(first.rule).filter(|rule| rule.rate.is_none()).map(|_| first.rule)
    }

    /// Whether a rule that goes before a denial allows all of the operation.
    fn excepted(&self, denial: u32, pair: Pair, operation: &Operation<'_>) -> bool {
        let Some(denial) = self.profile().denials.get(denial as usize) else { return false };
        if denial.except.is_empty() {
            return false;
        }
        let by_broadcast = operation.broadcast && !self.names_exactly(pair, operation);
        let table = self.table(if by_broadcast { pair.broadcast } else { pair.table });
        self.grants_of(table).filter(|grant| denial.except.contains(&(grant.rule.0 as usize))).any(|grant| {
            grant.operations.hold(operation.protocol, operation.action, operation.function)
                && grant.outside(operation.ranges).is_none()
                && (!operation.more_ranges || grant.allows_all_points())
                && (!grant.conditional || self.conditions(grant.rule, pair, operation).is_ok())
        })
    }

    fn request_by_rules(&self, pair: Pair, operation: &Operation<'_>) -> Result<&Grant, Miss> {
        if pair.client.is_none() {
            let nearest = self.nearest_elsewhere(pair, operation);
            return Err(Miss::of(Reason::UnknownClient, nearest));
        }
        if operation.broadcast && !self.names_exactly(pair, operation) {
            return self.broadcast(pair, operation);
        }
        if pair.station.is_none() {
            return Err(Miss::of(Reason::UnknownStation, None));
        }
        let table = self.table(pair.table);
        if table.is_empty() {
            return Err(Miss::of(Reason::NoRule, self.nearest_elsewhere(pair, operation)));
        }
        self.search(table, pair, operation)
    }

    /// A profile may name the unit that a protocol takes for "all" (Modbus unit 0 is often the gateway
    /// itself); then it is a station like any other.
    fn names_exactly(&self, pair: Pair, operation: &Operation<'_>) -> bool {
        let station = pair.station.and_then(|s| self.profile().stations.get(s as usize));
        station.is_some_and(|s| s.address == Some(operation.station))
    }

    fn broadcast(&self, pair: Pair, operation: &Operation<'_>) -> Result<&Grant, Miss> {
        if pair.host.is_none() {
            return Err(Miss::of(Reason::UnknownStation, None));
        }
        let table = self.table(pair.broadcast);
        if table.is_empty() {
            return Err(Miss::of(Reason::Broadcast, None));
        }
        self.search(table, pair, operation)
    }

    /// The first rule that allows all of the operation, or the one that comes nearest: one whose values or
    /// time are wrong before one whose points are.
    fn search<'s>(
        &'s self,
        table: &'s [GrantId],
        pair: Pair,
        operation: &Operation<'_>,
    ) -> Result<&'s Grant, Miss> {
        let mut near: Option<Miss> = None;
        for grant in self.grants_of(table) {
            if !grant.operations.hold(operation.protocol, operation.action, operation.function) {
                continue;
            }
            let outside = grant.outside(operation.ranges);
            // What is not listed cannot be checked, so only a rule for all points allows it.
            if outside.is_some() || (operation.more_ranges && !grant.allows_all_points()) {
                if near.is_none() {
                    near = Some(Miss { offending: outside, ..Miss::of(Reason::Range, Some(grant.rule)) });
                }
                continue;
            }
            if !grant.conditional {
                return Ok(grant);
            }
            match self.conditions(grant.rule, pair, operation) {
                Ok(()) => return Ok(grant),
                Err(miss) if near.as_ref().is_none_or(|near| near.reason == Reason::Range) => {
                    near = Some(miss);
                }
                Err(_) => {}
            }
        }
        if let Some(near) = near {
            return Err(near);
        }
        let same_points = self.grants_of(table).find(|grant| grant.outside(operation.ranges).is_none());
        let first = || self.grants_of(table).next();
        let nearest = same_points.or_else(first).map(|grant| grant.rule);
        Err(Miss::of(Reason::Function, nearest))
    }

    /// What a rule asks beside operation and points.
    fn conditions(&self, id: RuleId, pair: Pair, operation: &Operation<'_>) -> Result<(), Miss> {
        let Some(rule) = self.rule(id) else { return Ok(()) };
        let now = operation.origin.at;
        if rule.expires.is_some_and(|end| now >= end) {
            return Err(Miss::of(Reason::Expired, Some(id)));
        }
        let schedule = rule.schedule.and_then(|s| self.profile().schedules.get(s));
        if schedule.is_some_and(|schedule| !schedule.holds(now)) {
            return Err(Miss::of(Reason::Schedule, Some(id)));
        }
        if rule.select_before_operate == Some(true) && operation.action == Action::DirectOperate {
            return Err(Miss::of(Reason::Select, Some(id)));
        }
        if let Some(limits) = rule.values
            && let Some(value) = values::outside(self, pair.station, operation, limits)
        {
            return Err(Miss { value: Some(value), ..Miss::of(Reason::Value, Some(id)) });
        }
        Ok(())
    }

    /// The rules that connect a pair.
    fn connected(&self, pair: Pair, operation: &Operation<'_>) -> Result<&[GrantId], Miss> {
        // The station speaks or is spoken to without an order, so an unknown station is the news.
        if operation.broadcast && !self.names_exactly(pair, operation) {
            return match (pair.client, self.table(pair.broadcast)) {
                (None, _) => Err(Miss::of(Reason::UnknownClient, None)),
                (_, []) => Err(Miss::of(Reason::Broadcast, None)),
                (_, table) => Ok(table),
            };
        }
        if pair.station.is_none() {
            return Err(Miss::of(Reason::UnknownStation, None));
        }
        if pair.client.is_none() {
            return Err(Miss::of(Reason::UnknownClient, None));
        }
        match self.table(pair.table) {
            [] => Err(Miss::of(Reason::NoRule, None)),
            table => Ok(table),
        }
    }

    fn report(&self, pair: Pair, operation: &Operation<'_>) -> Result<RuleId, Miss> {
        use parsers::Action::{Read, Report};
        let table = self.connected(pair, operation)?;
        let reports = |grant: &&Grant| {
            grant.operations.hold_action(Read)
                || grant.operations.hold(operation.protocol, Report, UNSOLICITED)
        };
        match self.grants_of(table).find(reports) {
            Some(grant) => Ok(grant.rule),
            None => Err(Miss::of(Reason::Function, self.grants_of(table).next().map(|grant| grant.rule))),
        }
    }

    fn grants_of<'s>(&'s self, table: &'s [GrantId]) -> impl Iterator<Item = &'s Grant> {
        table.iter().filter_map(|grant| self.grant(*grant))
    }

    /// A rule that would allow the operation, were it another client's.
    fn nearest_elsewhere(&self, pair: Pair, operation: &Operation<'_>) -> Option<RuleId> {
        let grants = self.grants_of_station(pair.station?);
        let grants = grants.get(..NEAREST_RULES).unwrap_or(grants);
        let allows =
            |grant: &&Grant| grant.operations.hold(operation.protocol, operation.action, operation.function);
        self.grants_of(grants).find(allows).map(|grant| grant.rule)
    }

    fn anomaly<'a>(&'a self, pair: Pair, operation: &Operation<'a>, miss: &Miss) -> Anomaly<'a> {
        let order = operation.exchange == Exchange::Request && operation.action.is_control();
        let kind = match miss.reason {
            Reason::Denied => AnomalyKind::Denied,
            Reason::Value => AnomalyKind::Value,
            Reason::Schedule => AnomalyKind::Schedule,
            _ if order => AnomalyKind::Control,
            Reason::UnknownClient | Reason::NoRule => AnomalyKind::UnknownClient,
            Reason::UnknownStation => AnomalyKind::UnknownStation,
            Reason::Function | Reason::Broadcast | Reason::Expired | Reason::Select => AnomalyKind::Function,
            Reason::Range => AnomalyKind::Range,
        };
        Anomaly {
            kind,
            reason: miss.reason,
            client: self.client_name(pair),
            station: self.station_name(pair),
            station_host: self.station_host_name(pair),
            nearest: miss.nearest,
            denial: miss.denial.and_then(|place| self.profile().denials.get(place as usize)),
            offending: miss.offending,
            value: miss.value,
            profile: self.profile(),
            at: operation.origin.at,
            master: operation.master_endpoint(),
            server: operation.station_endpoint(),
            address: operation.station,
            exchange: operation.exchange,
            action: operation.action,
            function: operation.function,
            ranges: operation.ranges,
            more_ranges: operation.more_ranges,
            broadcast: operation.broadcast,
        }
    }
}
