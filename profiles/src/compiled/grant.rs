//! What a rule allows or a denial forbids, ready for comparison.

use parsers::{Action, Function, PointKind, PointRange, Protocol};

use super::RuleId;
use crate::profile::Allow;

/// Operations as bits.
#[derive(Debug, Default, Clone)]
pub(crate) struct Operations {
    /// One bit per [`Action`], by its place in [`Action::ALL`].
    actions: u32,
    /// One bit per function code, for each protocol.
    codes: [[u64; 4]; Protocol::ALL.len()],
    subs: Box<[(Protocol, u8, u16)]>,
}

fn action_bit(action: Action) -> u32 {
    1 << (action as u32)
}

fn slot(protocol: Protocol) -> usize {
    protocol as usize
}

impl Operations {
    pub(crate) fn new<'a>(list: impl IntoIterator<Item = &'a Allow>) -> Operations {
        let mut operations = Operations::default();
        let mut subs = Vec::new();
        for allow in list {
            match *allow {
                Allow::Action(action) => operations.actions |= action_bit(action),
                Allow::Function { protocol, code, sub: None } => {
                    operations.codes[slot(protocol)][usize::from(code >> 6)] |= 1 << (code & 63);
                }
                Allow::Function { protocol, code, sub: Some(sub) } => subs.push((protocol, code, sub)),
            }
        }
        operations.subs = subs.into_boxed_slice();
        operations
    }

    /// Whether an operation is among them.
    #[inline]
    pub(crate) fn hold(&self, protocol: Protocol, action: Action, function: Function) -> bool {
        let code = function.code;
        self.actions & action_bit(action) != 0
            || self.codes[slot(protocol)][usize::from(code >> 6)] & (1 << (code & 63)) != 0
            || function.sub.is_some_and(|sub| self.subs.contains(&(protocol, code, sub)))
    }

    /// Whether an operation of this class is among them, by the class or by one of its functions.
    pub(crate) fn hold_some_of(&self, protocol: Protocol, action: Action) -> bool {
        let named = || {
            let dissector = parsers::dissector(protocol)?;
            let mut functions =
                dissector.functions.iter().filter(|row| (dissector.action)(row.0, row.1) == action);
            functions.find(|row| self.hold(protocol, action, (dissector.function)(row.0, row.1)))
        };
        self.hold_action(action) || named().is_some()
    }

    pub(crate) fn hold_action(&self, action: Action) -> bool {
        self.actions & action_bit(action) != 0
    }
}

/// What a rule allows at some of its stations. Points with names may differ from station to station.
#[derive(Debug)]
pub(crate) struct Grant {
    pub(crate) rule: RuleId,
    pub(crate) operations: Operations,
    /// Sorted and merged; `None` for all points.
    points: Option<Box<[PointRange]>>,
    /// The rule has limits, a schedule, an end, or wants a select, so that there is more to ask.
    pub(crate) conditional: bool,
    pub(crate) from_role: bool,
}

impl Grant {
    pub(crate) fn new(
        rule: RuleId,
        operations: Operations,
        points: Option<Vec<PointRange>>,
        conditional: bool,
        from_role: bool,
    ) -> Grant {
        Grant { rule, operations, points: points.map(Vec::into_boxed_slice), conditional, from_role }
    }

    pub(crate) fn allows_all_points(&self) -> bool {
        self.points.is_none()
    }

    /// The first range that is not allowed. Device data has no address, so the function decides alone.
    #[inline]
    pub(crate) fn outside(&self, ranges: &[PointRange]) -> Option<PointRange> {
        let points = self.points.as_deref()?;
        ranges.iter().find(|r| r.kind() != PointKind::DeviceData && !holds(points, r)).copied()
    }
}

/// Whether sorted, merged ranges hold all of `wanted`.
fn holds(points: &[PointRange], wanted: &PointRange) -> bool {
    let behind = points.partition_point(|p| (p.kind(), p.first()) <= (wanted.kind(), wanted.first()));
    let before = behind.checked_sub(1).and_then(|i| points.get(i));
    before.is_some_and(|p| p.kind() == wanted.kind() && wanted.last() <= p.last())
}

/// Whether any of the points is among `ranges`.
pub(crate) fn touch(points: &[PointRange], ranges: &[PointRange]) -> bool {
    let meet = |p: &PointRange, r: &PointRange| {
        p.kind() == r.kind() && p.first() <= r.last() && r.first() <= p.last()
    };
    ranges.iter().any(|r| points.iter().any(|p| meet(p, r)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_has_a_bit_of_its_own() {
        let all = Action::ALL.iter().fold(0_u32, |bits, a| bits | action_bit(*a));
        assert_eq!(all.count_ones() as usize, Action::ALL.len());
    }
}
