//! How often a point is commanded, and whether it is sent to and fro.

use parsers::{PointKind, Timestamp};

use super::points::{LastOrder, Tracked};
use super::{Known, Scene};
use crate::report::catalogue::Severity;
use crate::report::control::Order;

/// Commands whose times are kept.
const KEPT: usize = 8;
const MINUTE_NS: u64 = 60 * 1_000_000_000;

/// When a point was commanded.
#[derive(Debug, Default)]
pub(super) struct Rhythm {
    times: [Timestamp; KEPT],
    next: u8,
    len: u8,
    /// For rates beyond what is kept: commands since `since`.
    since: Timestamp,
    count: u32,
}

impl Rhythm {
    /// Note a command. Returns how many there were in the last minute, and since when.
    fn note(&mut self, now: Timestamp) -> (u32, Timestamp) {
        if self.count == 0 || now.since(self.since) > MINUTE_NS {
            (self.since, self.count) = (now, 0);
        }
        self.count = self.count.saturating_add(1);
        if let Some(slot) = self.times.get_mut(usize::from(self.next)) {
            *slot = now;
        }
        self.next = (self.next + 1) % KEPT as u8;
        self.len = (self.len + 1).min(KEPT as u8);
        let mut recent = (0, now);
        for at in self.times.iter().take(usize::from(self.len)).filter(|at| now.since(**at) <= MINUTE_NS) {
            recent = (recent.0 + 1, recent.1.min(*at));
        }
        if self.count > recent.0 { (self.count, self.since) } else { recent }
    }
}

/// Too many commands.
#[derive(Debug, Copy, Clone)]
pub(super) struct Storm {
    pub(super) count: u32,
    pub(super) within_ns: u64,
    pub(super) limit: f64,
    pub(super) severity: Severity,
}

/// Note a command to a point; too many of them in a minute are a storm.
///
/// Switching counts, setting does not, unless the profile gives the point a rate. For coils, which masters
/// refresh with every cycle, only a change of the commanded state counts, and what has gone on from the
/// start, beside reads, is the point's ordinary life (a heartbeat, outputs of a controller's cycle). A rate in the profile (of the point, else of
/// the rule) takes the place of the default.
pub(super) fn storm(
    scene: &Scene<'_>,
    point: &mut Tracked,
    known: &Known<'_>,
    order: Order,
    (reads, ruled): (u32, Option<f64>),
) -> Option<Storm> {
    let thresholds = scene.site.thresholds;
    let coil = point.kind == PointKind::Coil;
    if known.max_rate.is_none() && !order.switches() {
        return None;
    }
    if coil && point.last.is_some_and(|last| last.order == order) {
        return None;
    }
    let (count, since) = point.rhythm.note(scene.now);
    let (medium, critical) = if let Some(rate) = known.max_rate {
        (rate, rate * 2.0)
    } else {
        let ruled = ruled.unwrap_or(0.0);
        (thresholds.command_rate.max(ruled), thresholds.command_storm.max(ruled * 2.0))
    };
    let severity = match f64::from(count) {
        n if n > critical => Severity::Critical,
        n if n > medium => Severity::Medium,
        _ => return None,
    };
    let within_ns = scene.now.since(since);
    if !coil || known.max_rate.is_some() || known.breaker {
        let limit = if severity == Severity::Critical { critical } else { medium };
        return Some(Storm { count, within_ns, limit, severity });
    }
    // An unnamed coil may be anything: only what exceeds the higher limit is told, and with less weight.
    let from_start = point.first.since(scene.first_seen) <= MINUTE_NS && reads.saturating_mul(2) >= count;
    if severity != Severity::Critical || from_start {
        return None;
    }
    Some(Storm { count, within_ns, limit: critical, severity: Severity::Medium })
}

/// The command before, if this one contradicts it: the same point is sent the other way before it can have
/// come to rest. A coil that is set and reset is a push button, so coils must be named as breakers.
pub(super) fn contradicted(
    scene: &Scene<'_>,
    point: &Tracked,
    known: &Known<'_>,
    order: Order,
) -> Option<LastOrder> {
    let last = point.last.filter(|last| !last.refused)?;
    let within = scene.site.thresholds.contradiction_within;
    if !last.order.wanted()?.is_opposite(order.wanted()?) {
        return None;
    }
    if scene.now.since(last.at) as f64 > within * 1e9 || known.recloser {
        return None;
    }
    if point.kind != PointKind::BinaryOutput && !known.breaker {
        return None;
    }
    // What may be commanded so often may be commanded to and fro.
    if known.max_rate.is_some_and(|rate| rate * within > 60.0) {
        return None;
    }
    Some(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn commands_of_the_last_minute_are_counted_also_beyond_what_is_kept() {
        let mut rhythm = Rhythm::default();
        let counts: Vec<_> = [0, 10, 20, 65, 90].map(|s| rhythm.note(Timestamp((100 + s) * SECOND)).0).into();
        assert_eq!(counts, [1, 2, 3, 3, 2]);
        let mut rhythm = Rhythm::default();
        let last = (0..30).map(|s| rhythm.note(Timestamp((100 + s) * SECOND)).0).last();
        assert_eq!(last, Some(30));
    }
}
