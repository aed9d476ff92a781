//! What nearly all operations are: a read that this pair has asked for before, and its answer.
//!
//! What the profile and the watches for scans made of such a read is remembered, where it cannot turn out
//! otherwise the next time: the rule asks for nothing but function and points, and the watch knows the
//! function, the points and the station. Then judging it is one look here. Whatever depends on time, on numbers
//! or on other operations (polling, controls, values) is not remembered and sees every operation.
//!
//! | protocol | reads | answers | confirmations |
//! |---|---|---|---|
//! | Modbus | functions 1 to 4, of one range | of these reads, if they refuse nothing | |
//! | DNP3 | READ of classes, or of one range of process points | all that refuse nothing | all |

use parsers::{Exchange, Operation, Outcome, PointKind, PointRange, Protocol};
use profiles::{Compiled, Pair, RuleId};

use super::Judged;
use super::scan::WatchId;

/// Reads remembered of a pair; others are judged each time.
pub const READS_KNOWN: usize = 48;

/// The reads of a pair whose judgement stands.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// The profile that judged, and the watch that knows them.
    epoch: u32,
    watch: Option<WatchId>,
    /// The watch knows that the station answers.
    answers: bool,
    /// The same of a confirmation by the master.
    confirms: bool,
    /// Place of the one that came last.
    latest: u8,
    reads: Vec<Read>,
}

#[derive(Debug)]
struct Read {
    key: u64,
    rule: Standing,
}

/// The rule that allows a read whenever it comes; without a profile there is none.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub(super) struct Standing(pub(super) Option<RuleId>);

/// An operation that may be known.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub(super) enum Plain {
    /// A read, by its function and its points.
    Asked(u64),
    /// An answer, with what was asked for.
    Answered,
    /// The master has an answer or a report.
    Confirmed,
}

/// Function code of a DNP3 read.
const READ: u8 = 1;

impl Plain {
    /// If it is one.
    #[inline]
    pub(super) fn of(operation: &Operation<'_>) -> Option<Plain> {
        match operation.protocol {
            Protocol::Modbus => Plain::of_modbus(operation),
            Protocol::Dnp3 => Plain::of_dnp3(operation),
            Protocol::Iec104 | Protocol::Goose => None,
        }
    }

    #[inline]
    fn of_dnp3(operation: &Operation<'_>) -> Option<Plain> {
        match operation.exchange {
            _ if operation.broadcast => None,
            Exchange::Request if operation.from_master => {
                let is_read = operation.function.code == READ
                    && operation.action.is_plain_read()
                    && !operation.more_ranges;
                if is_read { objects(operation.ranges).map(Plain::Asked) } else { None }
            }
            Exchange::Confirm => operation.from_master.then_some(Plain::Confirmed),
            Exchange::Response if !operation.from_master && operation.answers.is_some() => {
                (operation.requested.is_some() && operation.outcome == Outcome::Success)
                    .then_some(Plain::Answered)
            }
            _ => None,
        }
    }

    #[inline]
    fn of_modbus(operation: &Operation<'_>) -> Option<Plain> {
        let [range] = operation.ranges else { return None };
        let code = operation.function.code;
        let is_read = matches!(code, 1..=4)
            && operation.action.is_plain_read()
            && !operation.more_ranges
            && !operation.broadcast;
        match operation.exchange {
            _ if !is_read => None,
            Exchange::Request if operation.from_master => Some(Plain::Asked(key(code, range))),
            Exchange::Response if !operation.from_master && operation.answers.is_some() => {
                (operation.requested.is_some() && operation.outcome == Outcome::Success)
                    .then_some(Plain::Answered)
            }
            _ => None,
        }
    }
}

/// Function and points of a Modbus read as one number, which no other read has: the function says the kind.
#[inline]
fn key(code: u8, range: &PointRange) -> u64 {
    u64::from(code) << 34 | u64::from(range.first()) << 17 | u64::from(range.last())
}

/// What a DNP3 read asks for as one number, which no other read has: classes in whatever order, or one range.
#[inline]
fn objects(ranges: &[PointRange]) -> Option<u64> {
    /// Addresses below this are told apart; a range may also go on to the end.
    const END: u32 = 0xFF_FFFF;
    let class = |range: &PointRange| {
        let one = range.kind() == PointKind::ClassData && range.first() == range.last() && range.first() < 4;
        one.then(|| 1_u64 << range.first())
    };
    if let Some(classes) = ranges.iter().try_fold(0, |mask, range| Some(mask | class(range)?)) {
        return (classes != 0).then_some(1 << 62 | classes);
    }
    let [range] = ranges else { return None };
    if range.first() >= END {
        return None;
    }
    let last = match range.last() {
        u32::MAX => END,
        last => Some(last).filter(|last| *last < END)?,
    };
    let kind = match range.kind() {
        PointKind::BinaryInput => 0,
        PointKind::DoubleBitInput => 1,
        PointKind::BinaryOutput => 2,
        PointKind::Counter => 3,
        PointKind::FrozenCounter => 4,
        PointKind::AnalogInput => 5,
        PointKind::FrozenAnalogInput => 6,
        PointKind::AnalogDeadband => 7,
        PointKind::AnalogOutput => 8,
        _ => return None,
    };
    Some(kind << 48 | u64::from(range.first()) << 24 | u64::from(last))
}

impl Known {
    /// How an operation was judged, if that stands.
    #[inline]
    pub(super) fn judged(
        &mut self,
        plain: Plain,
        (epoch, watch): (u32, WatchId),
        allowed: Option<bool>,
        pair: Option<Pair>,
    ) -> Option<Judged> {
        if self.watch != Some(watch) || self.epoch != epoch {
            return None;
        }
        let rule = match plain {
            Plain::Answered => self.answers.then_some(Standing(None)),
            Plain::Asked(key) => self.read(key),
            Plain::Confirmed => self.confirms.then_some(Standing(None)),
        };
        rule.map(|Standing(rule)| Judged { allowed, pair, rule })
    }

    /// Reads come in turns: most often the next, or the same again.
    #[inline]
    fn read(&mut self, key: u64) -> Option<Standing> {
        let is = |place: usize| self.reads.get(place).is_some_and(|read| read.key == key);
        let before = usize::from(self.latest);
        let next = if before + 1 < self.reads.len() { before + 1 } else { 0 };
        let place = if is(next) {
            next
        } else if is(before) {
            before
        } else {
            self.reads.iter().position(|read| read.key == key)?
        };
        self.latest = place as u8;
        self.reads.get(place).map(|read| read.rule)
    }

    /// Remember how one was judged, which will stand.
    pub(super) fn learn(
        &mut self,
        plain: Plain,
        (epoch, watch): (u32, WatchId),
        rule: Standing,
        limit: usize,
    ) {
        if self.watch != Some(watch) || self.epoch != epoch {
            *self = Known { epoch, watch: Some(watch), ..Known::default() };
        }
        match plain {
            Plain::Answered => self.answers = limit > 0,
            Plain::Confirmed => self.confirms = limit > 0,
            Plain::Asked(key) => {
                if self.reads.len() < limit && self.reads.iter().all(|read| read.key != key) {
                    self.reads.push(Read { key, rule });
                }
            }
        }
    }
}

/// The rule that allows a read now and ever. `None`: it must be judged each time.
pub(super) fn standing_rule(
    profile: Option<&Compiled>,
    judged: &Judged,
    operation: &Operation<'_>,
) -> Option<Standing> {
    match (profile, judged.pair) {
        (None, _) => Some(Standing(None)),
        (Some(profile), Some(pair)) => {
            profile.standing_rule(pair, operation).map(|rule| Standing(Some(rule)))
        }
        (Some(_), None) => None,
    }
}
