//! What the detections ask a profile for, beside the verdict. Nothing here allocates.

use parsers::{Action, Function, PointKind, PointRange, Protocol, Timestamp};

use super::{Compiled, Pair};
use crate::profile::{HostEntry, Maintenance, PointSpec, Redundancy, Station};
use crate::roles::Role;
use crate::thresholds::Thresholds;
use diagnostics::Diagnostic;
use diagnostics::nearest;

/// A point that the profile names: its station and its place among the station's points.
#[derive(Debug, Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash)]
pub struct PointId {
    /// Place in [`crate::Profile::stations`].
    pub station: u32,
    /// Place in [`Station::points`].
    pub index: u32,
}

/// A station's points by address: kind, first, last, place. Sorted, without overlap.
#[derive(Debug)]
pub(super) struct Points(Box<[(PointKind, u32, u32, u32)]>);

impl Points {
    pub(super) fn new(station: &Station) -> Points {
        let mut points: Vec<_> = station
            .points
            .iter()
            .enumerate()
            .map(|(i, p)| (p.kind, p.addresses().first(), p.addresses().last(), i as u32))
            .collect();
        points.sort_unstable();
        Points(points.into_boxed_slice())
    }

    fn at(&self, kind: PointKind, address: u32) -> Option<u32> {
        let behind = self.0.partition_point(|(k, first, ..)| (*k, *first) <= (kind, address));
        let (found, _, last, index) = self.0.get(behind.checked_sub(1)?)?;
        (*found == kind && address <= *last).then_some(*index)
    }

    fn within(&self, range: &PointRange) -> &[(PointKind, u32, u32, u32)] {
        let from = self.0.partition_point(|(k, _, last, _)| (*k, *last) < (range.kind(), range.first()));
        let until = self.0.partition_point(|(k, first, ..)| (*k, *first) <= (range.kind(), range.last()));
        self.0.get(from..until).unwrap_or(&[])
    }
}

impl Compiled {
    /// Thresholds in force at the site.
    #[must_use]
    pub fn thresholds(&self) -> &Thresholds {
        &self.profile.thresholds
    }

    /// A station by its place in [`crate::Profile::stations`].
    #[must_use]
    pub fn station(&self, index: u32) -> Option<&Station> {
        self.profile.stations.get(index as usize)
    }

    /// A host by its place in [`crate::Profile::hosts`].
    #[must_use]
    pub fn host(&self, index: u32) -> Option<&HostEntry> {
        self.profile.hosts.get(index as usize)
    }

    /// What kind of device a host is.
    #[must_use]
    pub fn role_of_host(&self, host: u32) -> Option<&'static Role> {
        self.host(host)?.role
    }

    /// The point that an address of a station belongs to; an address within a value of several registers
    /// belongs to that value.
    #[must_use]
    pub fn point(&self, station: u32, kind: PointKind, address: u32) -> Option<(PointId, &PointSpec)> {
        let index = self.points.get(station as usize)?.at(kind, address)?;
        let spec = self.station(station)?.points.get(index as usize)?;
        Some((PointId { station, index }, spec))
    }

    /// The points of a station that have an address in a range, by address.
    pub fn points_within(
        &self,
        station: u32,
        range: PointRange,
    ) -> impl Iterator<Item = (PointId, &PointSpec)> {
        let found = self.points.get(station as usize).map_or(&[][..], |points| points.within(&range));
        found.iter().filter_map(move |(_, _, _, index)| {
            let spec = self.station(station)?.points.get(*index as usize)?;
            Some((PointId { station, index: *index }, spec.as_ref()))
        })
    }

    /// Whether the station has named points at all.
    #[must_use]
    pub fn has_points(&self, station: u32) -> bool {
        self.points.get(station as usize).is_some_and(|points| !points.0.is_empty())
    }

    /// A named point.
    #[must_use]
    pub fn spec(&self, id: PointId) -> Option<&PointSpec> {
        self.station(id.station)?.points.get(id.index as usize).map(AsRef::as_ref)
    }

    /// The masters that stand in for a host, itself among them.
    #[must_use]
    pub fn redundancy_of(&self, host: u32) -> Option<&Redundancy> {
        let group = (*self.redundancy.get(host as usize)?)?;
        self.profile.redundancy.get(group as usize)
    }

    /// The planned work that an operation at `now` belongs to.
    #[must_use]
    pub fn maintenance(
        &self,
        now: Timestamp,
        pair: Pair,
        (protocol, action, function): (Protocol, Action, Function),
    ) -> Option<&Maintenance> {
        self.windows(pair, (protocol, action, function)).find(|w| w.start <= now && now < w.end)
    }

    /// The planned work that such an operation belonged to, if it ended less than `within_ns` before `now`:
    /// that which ended last.
    #[must_use]
    pub fn maintenance_over(
        &self,
        now: Timestamp,
        within_ns: u64,
        pair: Pair,
        (protocol, action, function): (Protocol, Action, Function),
    ) -> Option<&Maintenance> {
        let over = |w: &&Maintenance| w.end <= now && now.since(w.end) <= within_ns;
        self.windows(pair, (protocol, action, function)).filter(over).max_by_key(|w| w.end)
    }

    /// Whether planned work at `now` expects a restart of this station, whoever does it.
    #[must_use]
    pub fn expects_restart(&self, now: Timestamp, station: u32) -> bool {
        let Some(protocol) = self.station(station).map(|station| station.protocol) else { return false };
        let places = self.windows.of_restart(station, protocol);
        let windows = places.filter_map(|place| self.profile.maintenance.get(place as usize));
        windows.into_iter().any(|w| w.start <= now && now < w.end)
    }

    /// The planned work at `now` that this publisher is worked on in; `None`: one that the profile does not name.
    #[must_use]
    pub fn publisher_maintenance(&self, now: Timestamp, publisher: Option<&str>) -> Option<&Maintenance> {
        self.publisher_windows(publisher).find(|w| w.start <= now && now < w.end)
    }

    /// The planned work on this publisher that ended last, if that is less than `within_ns` before `now`.
    #[must_use]
    pub fn publisher_maintenance_over(
        &self,
        now: Timestamp,
        within_ns: u64,
        publisher: Option<&str>,
    ) -> Option<&Maintenance> {
        let over = |w: &&Maintenance| w.end <= now && now.since(w.end) <= within_ns;
        self.publisher_windows(publisher).filter(over).max_by_key(|w| w.end)
    }

    fn publisher_windows(&self, publisher: Option<&str>) -> impl Iterator<Item = &Maintenance> {
        let places = self.windows.publishing().iter();
        let windows = places.filter_map(|place| self.profile.maintenance.get(*place as usize));
        windows.filter(move |window| {
            let Some(listed) = &window.publishers else { return true };
            let named = |place: &usize| self.profile.publishers.get(*place).map(|p| p.name.as_str());
            publisher.is_some() && listed.iter().any(|place| named(place) == publisher)
        })
    }

    fn windows(
        &self,
        pair: Pair,
        (protocol, action, function): (Protocol, Action, Function),
    ) -> impl Iterator<Item = &Maintenance> {
        let places = self.windows.of(pair, (protocol, action, function));
        places.filter_map(|place| self.profile.maintenance.get(place as usize))
    }

    /// Whether one of these words (a catalogue id, a check id, a kind of finding) is a known deviation of
    /// the station.
    #[must_use]
    pub fn is_quirk(&self, station: u32, words: &[&str]) -> bool {
        self.station(station).is_some_and(|s| s.quirks.iter().any(|quirk| words.contains(&quirk.as_str())))
    }

    /// Warnings of quirks that are none of the words that the detections understand: they silence nothing.
    /// `words` are those that may have been meant, `is_known` tells of any other that is understood.
    #[must_use]
    pub fn unknown_quirks(&self, words: &[&str], is_known: impl Fn(&str) -> bool) -> Vec<Diagnostic> {
        let unknown = |(quirk, place, count): &(String, Diagnostic, usize)| {
            if words.contains(&quirk.as_str()) || is_known(quirk) {
                return None;
            }
            let mut warning = place.clone();
            warning.message = format!("the quirk `{quirk}` is no id and no kind of finding");
            warning.label = nearest(quirk, words.iter().copied())
                .map_or_else(|| "it silences nothing".to_owned(), |meant| format!("did you mean `{meant}`?"));
            if *count > 1 {
                let at = warning.note.take().map_or(String::new(), |note| format!("{note}, and "));
                warning.note = Some(format!("{at}{} more of this word", count - 1));
            }
            Some(warning)
        };
        let mut warnings: Vec<_> = self.quirks.iter().filter_map(unknown).collect();
        warnings.sort_by_key(|warning| warning.span.start);
        warnings
    }

    /// What was warned of when the profile was read.
    #[must_use]
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.warnings
    }

    /// The files that the profile was read from, the main one first.
    #[must_use]
    pub fn files(&self) -> &[String] {
        &self.files
    }
}
