//! Judging: is an operation allowed? Deny by default.
//!
//! | exchange | allowed when |
//! |---|---|
//! | request | one rule from the client to the station allows its function and all of its points |
//! | request by broadcast | the same, by a rule with `broadcast = true` for a station of that host |
//! | response to a request that was seen | always: the request was judged |
//! | other response, confirm, link | some rule connects the client and the station |
//! | unsolicited | a rule that connects them allows `report` or `read` |

use parsers::{Exchange, Operation, PointRange};

use crate::anomaly::{Anomaly, AnomalyKind, Reason};
use crate::compiled::{Compiled, Grant, Pair, RuleId};

/// Rules looked through to find the nearest one for a client that has none. Telling what is near must
/// not become expensive when somebody makes a great deal of traffic that is denied.
const NEAREST_RULES: usize = 64;

/// Function code of a DNP3 unsolicited response, IEEE 1815 clause 4.4.
const UNSOLICITED: parsers::Function =
    parsers::Function { code: 130, sub: None, name: "unsolicited_response" };

/// The profile's word on an operation.
#[derive(Debug, Copy, Clone)]
pub enum Verdict<'a> {
    /// Allowed: by this rule, or because no rule of its own is needed (an answer, a confirmation).
    Allowed(Option<RuleId>),
    /// Not allowed.
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
}

impl Miss {
    fn of(reason: Reason, nearest: Option<RuleId>) -> Miss {
        Miss { reason, nearest, offending: None }
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
        };
        match result {
            Ok(rule) => Verdict::Allowed(rule),
            Err(miss) => Verdict::Denied(self.anomaly(pair, operation, &miss)),
        }
    }

    fn request(&self, pair: Pair, operation: &Operation<'_>) -> Result<RuleId, Miss> {
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
        self.search(table, operation)
    }

    /// A profile may name the unit that a protocol takes for "all" (Modbus unit 0 is often the gateway
    /// itself); then it is a station like any other.
    fn names_exactly(&self, pair: Pair, operation: &Operation<'_>) -> bool {
        let station = pair.station.and_then(|s| self.profile().stations.get(s as usize));
        station.is_some_and(|s| s.address == Some(operation.station))
    }

    fn broadcast(&self, pair: Pair, operation: &Operation<'_>) -> Result<RuleId, Miss> {
        if pair.host.is_none() {
            return Err(Miss::of(Reason::UnknownStation, None));
        }
        let table = self.table(pair.broadcast);
        if table.is_empty() {
            return Err(Miss::of(Reason::Broadcast, None));
        }
        self.search(table, operation)
    }

    /// The first rule that allows all of the operation, or the one that comes nearest.
    fn search(&self, table: &[RuleId], operation: &Operation<'_>) -> Result<RuleId, Miss> {
        let mut near: Option<(RuleId, Option<PointRange>)> = None;
        for (rule, grant) in self.grants_of(table) {
            if !grant.allows(operation.protocol, operation.action, operation.function) {
                continue;
            }
            let outside = grant.outside(operation.ranges);
            // What is not listed cannot be checked, so only a rule for all points allows it.
            if outside.is_none() && (!operation.more_ranges || grant.allows_all_points()) {
                return Ok(rule);
            }
            if near.is_none() {
                near = Some((rule, outside));
            }
        }
        if let Some((rule, offending)) = near {
            return Err(Miss { reason: Reason::Range, nearest: Some(rule), offending });
        }
        let same_points = self.grants_of(table).find(|(_, grant)| grant.outside(operation.ranges).is_none());
        let nearest = same_points.map(|(rule, _)| rule).or_else(|| table.first().copied());
        Err(Miss::of(Reason::Function, nearest))
    }

    /// The rules that connect a pair.
    fn connected(&self, pair: Pair, operation: &Operation<'_>) -> Result<&[RuleId], Miss> {
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
        let reports = |grant: &Grant| {
            grant.allows_action(Read) || grant.allows(operation.protocol, Report, UNSOLICITED)
        };
        match self.grants_of(table).find(|(_, grant)| reports(grant)) {
            Some((rule, _)) => Ok(rule),
            None => Err(Miss::of(Reason::Function, table.first().copied())),
        }
    }

    fn grants_of<'s>(&'s self, table: &'s [RuleId]) -> impl Iterator<Item = (RuleId, &'s Grant)> {
        table.iter().filter_map(|rule| Some((*rule, self.grant(*rule)?)))
    }

    /// A rule that would allow the operation, were it another client's.
    fn nearest_elsewhere(&self, pair: Pair, operation: &Operation<'_>) -> Option<RuleId> {
        let rules = self.rules_of_station(pair.station?);
        let rules = rules.get(..NEAREST_RULES).unwrap_or(rules);
        let allows = |grant: &Grant| grant.allows(operation.protocol, operation.action, operation.function);
        self.grants_of(rules).find(|(_, grant)| allows(grant)).map(|(rule, _)| rule)
    }

    fn anomaly<'a>(&'a self, pair: Pair, operation: &Operation<'a>, miss: &Miss) -> Anomaly<'a> {
        let order = operation.exchange == Exchange::Request && operation.action.is_control();
        let kind = match miss.reason {
            _ if order => AnomalyKind::Control,
            Reason::UnknownClient | Reason::NoRule => AnomalyKind::UnknownClient,
            Reason::UnknownStation => AnomalyKind::UnknownStation,
            Reason::Function | Reason::Broadcast => AnomalyKind::Function,
            Reason::Range => AnomalyKind::Range,
        };
        Anomaly {
            kind,
            reason: miss.reason,
            client: self.client_name(pair),
            station: self.station_name(pair),
            station_host: self.station_host_name(pair),
            nearest: miss.nearest,
            offending: miss.offending,
            profile: self.profile(),
            master: operation.master_endpoint(),
            server: operation.station_endpoint(),
            address: operation.station,
            exchange: operation.exchange,
            function: operation.function,
            ranges: operation.ranges,
            more_ranges: operation.more_ranges,
            broadcast: operation.broadcast,
        }
    }
}
