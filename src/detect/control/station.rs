//! What a station and its master do beside controls: restarts, the clock, unsolicited reports; and controls
//! that come after a station was restarted or silenced.

use parsers::{Action, Exchange, Operation, PointKind, Protocol, Timestamp, Value};

use super::{Scene, point_key};
use crate::detect::association::Association;
use crate::detect::raise::{self, Asked, Frames, Subject};
use crate::detect::{FindingSink, Seen, commands};
use crate::report::catalogue::{FindingKind, Severity};
use crate::report::control::Lasted;
use crate::report::finding::Finding;
use crate::site::restarts::{Evidence, Restart, RestartSign};

const SECOND_NS: u64 = 1_000_000_000;
/// A report may have been on its way when it was forbidden.
const ON_ITS_WAY_NS: u64 = 2 * SECOND_NS;
/// Classes 1 to 3.
const ALL_CLASSES: u8 = 0b111;
/// DNP3 functions.
const ENABLE_UNSOLICITED: u8 = 20;
const DISABLE_UNSOLICITED: u8 = 21;
const RECORD_CURRENT_TIME: u8 = 24;
/// IEC 104: M_EI_NA_1.
const END_OF_INITIALISATION: u8 = 70;
/// What a station has said on a connection from which on its start is over.
const SETTLED_REPORTS: u32 = 8;
/// Octets of a message kept as evidence of a restart.
const OCTETS: usize = 64;

/// What is remembered of a station.
#[derive(Debug, Default)]
pub(super) struct Station {
    /// Whether its last answer had IIN1.7 (device restart) set.
    restarted: Option<bool>,
    /// Classes of which unsolicited reports are off, and since when.
    silenced: u8,
    silenced_at: Timestamp,
    /// When the master had the current time recorded.
    recorded: Option<Timestamp>,
    /// Difference of the time it set last to the packet time, in milliseconds.
    offset_ms: Option<i64>,
    /// IEC 104: what it has said on its last connection.
    said: (u64, u32),
    /// A command that restarts, stops or silences.
    denied: Option<(Timestamp, FindingKind)>,
}

impl Station {
    /// How much the station has said on a connection.
    fn reports_on(&self, flow: u64) -> u32 {
        if self.said.0 == flow { self.said.1 } else { 0 }
    }

    /// A request that is no read.
    pub(super) fn asked(&mut self, scene: &Scene<'_>, seen: &Seen<'_>, sink: &mut dyn FindingSink) {
        let operation = seen.operation;
        let now = operation.origin.at;
        let allowed = seen.judged.allowed;
        if operation.action.is_control() && allowed == Some(false) {
            self.after_denial(scene, operation, sink);
        }
        if let Some(kind) = commands::dangerous(operation, None).filter(|kind| denies(*kind)) {
            self.denied = Some((now, kind));
            if kind == FindingKind::RestartCommand {
                sink.restart(RestartSign { at: now, key: scene.key, what: Restart::Commanded });
            }
        }
        if operation.protocol == Protocol::Iec104 && operation.action == Action::Time {
            self.time(scene, operation, sink);
        }
        // Behind STOPDT transfer starts anew, and a station may say that it is initialised.
        if operation.protocol == Protocol::Iec104 && operation.function.code == 0 {
            self.said = (operation.flow.id, 0);
        }
        if operation.protocol != Protocol::Dnp3 {
            return;
        }
        match operation.function.code {
            ENABLE_UNSOLICITED => self.silenced &= !classes(operation),
            DISABLE_UNSOLICITED => {
                self.silenced |= classes(operation);
                self.silenced_at = now;
            }
            RECORD_CURRENT_TIME => self.recorded = Some(now),
            _ if operation.action == Action::Time => self.time(scene, operation, sink),
            _ => {}
        }
    }

    /// SEQ-15: a clock is set to another time than that of the packets.
    fn time(&mut self, scene: &Scene<'_>, operation: &Operation<'_>, sink: &mut dyn FindingSink) {
        let mut set = None;
        operation.detail.points(&mut |point| {
            match (&point.value, point.object) {
                (Value::TimeMs(ms), Some((50, variation))) => set = Some((*ms, variation)),
                // The clock synchronisation of IEC 104.
                (Value::TimeMs(ms), None) => set = Some((*ms, 1)),
                _ => {}
            }
        });
        let Some((set_ms, variation)) = set else { return };
        // Variation 3 is the time at which the station was told to record.
        let recorded = self.recorded.take().filter(|_| variation == 3);
        let at = recorded.unwrap_or(operation.origin.at);
        let offset = i64::try_from(set_ms).unwrap_or(i64::MAX).saturating_sub((at.0 / 1_000_000) as i64);
        let tolerance = (scene.site.thresholds.time_set_tolerance * 1e3) as i64;
        let before = self.offset_ms.replace(offset);
        let moved = before.map_or(offset, |before| offset.saturating_sub(before));
        if moved.abs() <= tolerance {
            return;
        }
        // Clocks of installations are often set to local time: whole quarters of an hour are no attack.
        const QUARTER_MS: i64 = 900_000;
        const A_DAY_MS: i64 = 86_400_000;
        let from_quarter = (offset + QUARTER_MS / 2).rem_euclid(QUARTER_MS) - QUARTER_MS / 2;
        // Local time goes on or back by an hour twice a year.
        const HOUR_MS: i64 = 3_600_000;
        let summer = before.is_some() && (moved.abs() - HOUR_MS).abs() <= tolerance;
        let zone =
            (before.is_none() || summer) && offset.abs() <= A_DAY_MS && from_quarter.abs() <= tolerance;
        let (ahead, by) = (offset > 0, Lasted(offset.unsigned_abs().saturating_mul(1_000_000)));
        let tolerance = Lasted(tolerance.unsigned_abs().saturating_mul(1_000_000));
        let word = if ahead { "ahead of" } else { "behind" };
        let known = match before {
            Some(_) => "as before",
            None => "that of the packets",
        };
        let subject = Subject::of_operation(operation, scene.site.profile);
        let frames = Frames::of_operation(operation);
        super::raise(
            &Finding {
                kind: FindingKind::TimeSetAnomaly,
                severity: zone.then_some(Severity::Low),
                expected: format_args!("the time set to be {known} within {tolerance}"),
                observed: format_args!("a time {by} {word} that of the packets"),
                ranges: &[],
                fold_key: u64::from(zone) << u32::from(summer),
                ..subject.finding(scene.coverage, &frames)
            },
            sink,
        );
    }

    /// DEN-13: a control that is not allowed follows a command that restarts, stops or silences.
    fn after_denial(&self, scene: &Scene<'_>, operation: &Operation<'_>, sink: &mut dyn FindingSink) {
        let Some((at, kind)) = self.denied else { return };
        let ago = operation.origin.at.since(at);
        if ago as f64 > scene.site.thresholds.denial_chain * 1e9 {
            return;
        }
        let subject = Subject::of_operation(operation, scene.site.profile);
        let frames = Frames::of_operation(operation);
        let range = operation.ranges.first();
        super::raise(
            &Finding {
                kind: FindingKind::ControlAfterDenial,
                expected: format_args!("no control that the profile does not allow"),
                observed: format_args!(
                    "{}, {} after a {}",
                    Asked(operation),
                    Lasted(ago),
                    raise::Lower(kind.title())
                ),
                fold_key: range.map_or(0, |range| point_key(range.kind(), range.first())),
                ..subject.finding(scene.coverage, &frames)
            },
            sink,
        );
    }
}

/// An answer or a report: what its internal indications say. IEEE 1815, 4.2.3: IIN1.7 is set from a restart
/// until the master clears it.
#[inline]
pub(super) fn told(association: &mut Association, seen: &Seen<'_>, sink: &mut dyn FindingSink) {
    const RESTART: u8 = 0x80;
    let operation = seen.operation;
    if operation.protocol == Protocol::Iec104 {
        if operation.function.code == END_OF_INITIALISATION {
            initialised(association, seen, sink);
        }
        let station = &mut association.control.station;
        let flow = operation.flow.id;
        station.said = (flow, station.reports_on(flow).saturating_add(1));
        return;
    }
    if operation.protocol != Protocol::Dnp3 {
        return;
    }
    let Some(iin) = operation.detail.octets().get(2) else { return };
    let restarted = iin & RESTART != 0;
    let before = association.control.station.restarted.replace(restarted);
    if restarted && before == Some(false) {
        restart_seen(association, seen, "the indication of a restart (IIN1.7)", sink);
    }
    let silenced = association.control.station.silenced == ALL_CLASSES;
    if silenced && operation.exchange == Exchange::Unsolicited {
        unsolicited(association, seen, sink);
    }
}

/// IEC 104: the end of an initialisation. A station sends it behind every start of transfer; in the middle of
/// one it has restarted.
#[cold]
fn initialised(association: &mut Association, seen: &Seen<'_>, sink: &mut dyn FindingSink) {
    let reports = association.control.station.reports_on(seen.operation.flow.id);
    if reports >= SETTLED_REPORTS {
        restart_seen(
            association,
            seen,
            "the end of an initialisation (M_EI_NA_1) on a connection in use",
            sink,
        );
    }
}

/// SEQ-12, unless somebody commanded it: which other masters did is known to `site::restarts`.
#[cold]
fn restart_seen(
    association: &mut Association,
    seen: &Seen<'_>,
    indication: &'static str,
    sink: &mut dyn FindingSink,
) {
    let operation = seen.operation;
    sink.restart(RestartSign {
        at: operation.origin.at,
        key: association.key,
        what: Restart::Seen(Box::new(Evidence {
            flow: operation.flow.clone(),
            function: operation.requested.unwrap_or(operation.function),
            frames: Frames::of_operation(operation).as_slice().to_vec(),
            octets: operation.detail.octets().iter().copied().take(OCTETS).collect(),
            indication,
            coverage: seen.coverage(),
        })),
    });
}

/// SEQ-10.
#[cold]
fn unsolicited(association: &mut Association, seen: &Seen<'_>, sink: &mut dyn FindingSink) {
    let operation = seen.operation;
    let scene = super::scene(association, seen);
    let station = &association.control.station;
    let since = scene.now.since(station.silenced_at);
    // A report without objects is how a station says that it has restarted.
    if operation.body.is_empty() || since <= ON_ITS_WAY_NS {
        return;
    }
    let subject = Subject::of_operation(operation, scene.site.profile);
    let frames = Frames::of_operation(operation);
    super::raise(
        &Finding {
            kind: FindingKind::UnsolicitedBeforeEnable,
            expected: format_args!("no unsolicited reports of events until the master enables them"),
            observed: format_args!("one {} after they were disabled", Lasted(since)),
            ..subject.finding(scene.coverage, &frames)
        },
        sink,
    );
}

/// Whether a station that obeys answers nothing any more (listen-only mode; Modbus Application Protocol V1.1b3,
/// 6.8). What forbids DNP3 or IEC 104 stations to report leaves their answers.
pub(super) fn is_silenced_by(operation: &Operation<'_>) -> bool {
    operation.protocol == Protocol::Modbus
        && commands::dangerous(operation, None) == Some(FindingKind::SilenceCommand)
}

fn denies(kind: FindingKind) -> bool {
    matches!(kind, FindingKind::RestartCommand | FindingKind::StopCommand | FindingKind::SilenceCommand)
    // Disabling unsolicited reports belongs to every start of a DNP3 master.
}

/// The classes that a request to enable or disable names.
fn classes(operation: &Operation<'_>) -> u8 {
    let class = |n: u32| if (1..=3).contains(&n) { 1_u8 << (n - 1) } else { 0 };
    let named = operation.ranges.iter().filter(|range| range.kind() == PointKind::ClassData);
    named.fold(0, |mask, range| (range.first()..=range.last().min(3)).fold(mask, |mask, n| mask | class(n)))
}
