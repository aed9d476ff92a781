//! Denials, ready for comparison. An operation that no denial concerns costs one comparison of bits.

use parsers::{Operation, PointRange};

use super::grant::touch;
use super::{Map, Operations, Pair};
use crate::profile::{Deny, Profile};

/// All denials of a profile.
#[derive(Debug)]
pub(crate) struct Denials {
    /// What any denial of the file forbids, taken together.
    pub(crate) of_file: Operations,
    /// What any denial of the roles forbids, taken together.
    pub(crate) of_roles: Operations,
    list: Vec<Denial>,
}

#[derive(Debug)]
struct Denial {
    operations: Operations,
    /// Sorted; `None`: anybody.
    from: Option<Box<[u32]>>,
    /// Sorted; `None`: every station.
    to: Option<Box<[u32]>>,
    points: Option<Box<[PointRange]>>,
    /// Addresses of the named points, by station.
    named: Map<u32, Box<[PointRange]>>,
    from_role: bool,
}

impl Denials {
    pub(super) fn new(profile: &Profile) -> Denials {
        let operations = |from_role: bool| {
            let denials = profile.denials.iter().filter(|d| d.from_role == from_role);
            Operations::new(denials.flat_map(|d| &d.operations))
        };
        Denials {
            of_file: operations(false),
            of_roles: operations(true),
            list: profile.denials.iter().map(|deny| Denial::new(deny, profile)).collect(),
        }
    }

    /// The first denial that forbids an operation: of the file, or of the roles. Its place in
    /// [`Profile::denials`]. `excepted` tells of a denial that concerns the operation whether a rule goes
    /// before it.
    #[cold]
    pub(crate) fn find(
        &self,
        pair: Pair,
        operation: &Operation<'_>,
        of_roles: bool,
        excepted: impl Fn(u32) -> bool,
    ) -> Option<u32> {
        let mut places = (0_u32..).zip(&self.list);
        let forbids = |(place, d): &(u32, &Denial)| {
            d.from_role == of_roles && d.forbids(pair, operation) && !excepted(*place)
        };
        places.find(forbids).map(|(place, _)| place)
    }
}

impl Denial {
    fn new(deny: &Deny, profile: &Profile) -> Denial {
        let sorted = |list: &Option<Vec<usize>>| {
            let mut list: Vec<u32> = list.as_ref()?.iter().map(|i| *i as u32).collect();
            list.sort_unstable();
            Some(list.into_boxed_slice())
        };
        let mut named: Map<u32, Box<[PointRange]>> = Map::default();
        if !deny.named_points.is_empty() {
            for (i, station) in profile.stations.iter().enumerate() {
                let points = deny.named_points.iter().filter_map(|name| station.point(name));
                named.insert(i as u32, points.map(crate::profile::PointSpec::addresses).collect());
            }
        }
        Denial {
            operations: Operations::new(&deny.operations),
            from: sorted(&deny.from),
            to: sorted(&deny.to),
            points: deny.points.clone().map(Vec::into_boxed_slice),
            named,
            from_role: deny.from_role,
        }
    }

    fn forbids(&self, pair: Pair, operation: &Operation<'_>) -> bool {
        let among = |list: &Option<Box<[u32]>>, one: Option<u32>| match list {
            Some(list) => one.is_some_and(|one| list.binary_search(&one).is_ok()),
            None => true,
        };
        if !self.operations.hold(operation.protocol, operation.action, operation.function)
            || !among(&self.from, pair.client)
            || !among(&self.to, pair.station)
        {
            return false;
        }
        let Some(points) = self.points.as_deref() else { return true };
        let named = pair.station.and_then(|station| self.named.get(&station));
        // What is not listed may be what is forbidden.
        operation.more_ranges
            || touch(points, operation.ranges)
            || named.is_some_and(|named| touch(named, operation.ranges))
    }
}
