//! Values of the points that the profile names: limits, rate of change, set-point jumps, stuck values,
//! counters that run backwards, and floats that are no number.
//!
//! Only named points are looked at, so a station without any costs one comparison an operation. What is
//! remembered of a point is a fixed size; the profile bounds their number. A state that lasts (a value
//! outside its range, one that is stuck) is one finding when it begins, and again after it has ended.

mod raise;
mod reading;

use parsers::{Exchange, Operation, Outcome, Timestamp};
use profiles::{Compiled, PointSpec};

use super::{FindingSink, Seen};
use crate::report::point_values::PointReading;
use raise::{Trouble, raise};
use reading::Reading;

/// What is remembered of the named points of a pair's station.
#[derive(Debug, Default)]
pub struct Values {
    /// By the point's place in the station; made when the first named point is seen.
    points: Box<[History]>,
    /// Epoch of the profile whose places these are.
    epoch: u32,
}

/// What is remembered of a point.
#[derive(Debug, Default, Copy, Clone)]
struct History {
    /// Last value that was polled, and when.
    polled: Option<Past>,
    /// Last value with a time of the station's own clock, and that time.
    timed: Option<Past>,
    /// Last value read, polled or reported, by its bits.
    last_value: Option<u64>,
    /// Since when the value has been what it is.
    unchanged: Option<Timestamp>,
    /// Last value written.
    written: Option<f64>,
    /// A state that lasts and has been told.
    told: Told,
}

#[derive(Debug, Copy, Clone)]
struct Past {
    value: f64,
    at: Timestamp,
}

#[derive(Debug, Default, Copy, Clone)]
struct Told {
    outside: bool,
    stuck: bool,
    not_a_number: bool,
}

/// An operation with values of named points.
#[inline]
pub fn operation(values: &mut Values, seen: &Seen<'_>, sink: &mut dyn FindingSink) {
    let Some(profile) = seen.site.profile else { return };
    let Some(station) = seen.judged.pair.and_then(|pair| pair.station_index()) else { return };
    if profile.has_points(station) {
        points(values, profile, station, seen, sink);
    }
}

fn points(
    values: &mut Values,
    profile: &Compiled,
    station: u32,
    seen: &Seen<'_>,
    sink: &mut dyn FindingSink,
) {
    let operation = seen.operation;
    let written = is_written(operation);
    if !written && !is_read(operation) {
        return;
    }
    let count = profile.station(station).map_or(0, |station| station.points.len());
    if values.points.len() != count || values.epoch != seen.site.epoch {
        values.points = vec![History::default(); count].into_boxed_slice();
        values.epoch = seen.site.epoch;
    }
    reading::named_points(profile, station, operation, &mut |place, spec, reading| {
        let Some(history) = values.points.get_mut(place as usize) else { return };
        if written {
            write(history, spec, &reading, seen, sink);
        } else {
            if spec.metric {
                let good = reading.trusted && !reading.restarted && reading.value.is_finite();
                let (value, at) = (reading.value, operation.origin.at);
                sink.point(station, place, PointReading { value, good, at });
            }
            read(history, spec, &reading, seen, sink);
        }
    });
}

/// A request that would set points.
fn is_written(operation: &Operation<'_>) -> bool {
    use parsers::Action::{DirectOperate, Operate, Write};
    operation.exchange == Exchange::Request
        && operation.from_master
        && matches!(operation.action, Write | Operate | DirectOperate)
}

/// A report of the station, asked for or not.
fn is_read(operation: &Operation<'_>) -> bool {
    use parsers::Action::{Read, Report};
    !operation.from_master
        && matches!(operation.exchange, Exchange::Response | Exchange::Unsolicited)
        && matches!(operation.action, Read | Report)
        && !matches!(operation.outcome, Outcome::Refused { .. })
}

fn write(
    history: &mut History,
    spec: &PointSpec,
    reading: &Reading,
    seen: &Seen<'_>,
    sink: &mut dyn FindingSink,
) {
    let value = reading.value;
    if let Some((least, most)) = spec.set_range
        && !(least <= value && value <= most)
    {
        raise(seen, spec, Trouble::SetPoint { value, least, most }, sink);
    }
    // What a point was last set to, or what it was last read as: an operator moves it from there.
    let before = history.written.or(history.polled.map(|past| past.value));
    if let (Some(step), Some(before)) = (spec.max_step, before)
        && (value - before).abs() > step
    {
        raise(seen, spec, Trouble::Jump { value, before, step }, sink);
    }
    history.written = Some(value);
}

fn read(
    history: &mut History,
    spec: &PointSpec,
    reading: &Reading,
    seen: &Seen<'_>,
    sink: &mut dyn FindingSink,
) {
    if !reading.trusted {
        // The station itself says that it does not know the value.
        *history = History { written: history.written, told: history.told, ..History::default() };
        return;
    }
    let value = reading.value;
    if !value.is_finite() {
        if !core::mem::replace(&mut history.told.not_a_number, true) {
            raise(seen, spec, Trouble::NotANumber { value }, sink);
        }
        return;
    }
    history.told.not_a_number = false;
    limits(history, spec, value, seen, sink);
    let now = Past { value, at: reading.at.unwrap_or(seen.operation.origin.at) };
    // Times of the station's clock and of the tap are not compared with each other.
    let before = if reading.at.is_some() { &mut history.timed } else { &mut history.polled };
    if let Some(past) = before.replace(now) {
        change(spec, past, now, reading, seen, sink);
    }
    stuck(history, spec, value, seen, sink);
}

fn limits(history: &mut History, spec: &PointSpec, value: f64, seen: &Seen<'_>, sink: &mut dyn FindingSink) {
    let Some((least, most)) = spec.range else { return };
    let outside = !(least <= value && value <= most);
    if outside && !history.told.outside {
        raise(seen, spec, Trouble::Limit { value, least, most }, sink);
    }
    history.told.outside = outside;
}

/// What a value may do between two readings.
fn change(
    spec: &PointSpec,
    past: Past,
    now: Past,
    reading: &Reading,
    seen: &Seen<'_>,
    sink: &mut dyn FindingSink,
) {
    // Buffered events of a station may come behind newer readings.
    if now.at < past.at {
        return;
    }
    if spec.monotonic && now.value < past.value && !reading.restarted && !wrapped(spec, past, now) {
        raise(seen, spec, Trouble::Backwards { value: now.value, before: past.value }, sink);
    }
    let Some(fastest) = spec.rate_of_change else { return };
    let seconds = now.at.since(past.at) as f64 / 1e9;
    let moved = (now.value - past.value).abs();
    if seconds > 0.0 && !reading.restarted && moved > fastest * seconds {
        raise(seen, spec, Trouble::TooFast { value: now.value, before: past.value, seconds, fastest }, sink);
    }
}

/// A counter that has come to the end of its number begins again at zero.
fn wrapped(spec: &PointSpec, past: Past, now: Past) -> bool {
    /// Share of the whole range that a counter may advance between two readings.
    const ADVANCE: f64 = 0.1;
    [16, 32, 64].into_iter().any(|bits| {
        let whole = f64::from(bits).exp2() * spec.scale.abs();
        let (top, advanced) = (spec.offset.abs() + whole, now.value + whole - past.value);
        past.value <= top && (0.0..=whole * ADVANCE).contains(&advanced)
    })
}

fn stuck(history: &mut History, spec: &PointSpec, value: f64, seen: &Seen<'_>, sink: &mut dyn FindingSink) {
    let Some(longest) = spec.stuck_after else { return };
    let now = seen.operation.origin.at;
    let same = history.last_value == Some(value.to_bits());
    history.last_value = Some(value.to_bits());
    let since = *history.unchanged.get_or_insert(now);
    if !same {
        history.unchanged = Some(now);
        history.told.stuck = false;
        return;
    }
    let length = now.since(since);
    if length > longest && !core::mem::replace(&mut history.told.stuck, true) {
        raise(seen, spec, Trouble::Stuck { value, seconds: length / 1_000_000_000 }, sink);
    }
}
