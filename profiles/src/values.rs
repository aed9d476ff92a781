//! Written values against a rule's limits: raw, or in the unit of a point that the profile names.

use parsers::{Detail, Operation, Point, PointKind, Value};

use crate::anomaly::BadValue;
use crate::compiled::{Compiled, PointId};
use crate::profile::{Limits, PointSpec};

/// The number that a value is; `None` for what is no number (a control block, text, no value).
#[must_use]
pub fn number(value: &Value<'_>) -> Option<f64> {
    match *value {
        Value::Bit(bit) => Some(f64::from(u8::from(bit))),
        Value::DoubleBit(state) => Some(f64::from(state)),
        Value::Unsigned(number) => Some(number as f64),
        Value::Signed(number) => Some(number as f64),
        Value::Float32(number) => Some(f64::from(number)),
        Value::Float64(number) => Some(number),
        Value::TimeMs(_)
        | Value::Crob(_)
        | Value::Mask { .. }
        | Value::Text(_)
        | Value::Bytes(_)
        | Value::None => None,
    }
}

/// The registers of one value as they come along.
struct Registers<'c> {
    id: PointId,
    spec: &'c PointSpec,
    words: [u16; 4],
    /// How many are there, from the first on.
    count: u32,
}

/// Calls back for every number among the points of an operation: the point's address, the number in the
/// unit of the named point or raw, the named point. A value of several registers counts when all of them
/// are there; of a part of one, nothing can be said.
pub fn each_number<'c>(
    profile: &'c Compiled,
    station: Option<u32>,
    detail: &dyn Detail,
    visit: &mut dyn FnMut(PointKind, u32, f64, Option<(PointId, &'c PointSpec)>),
) {
    let mut open: Option<Registers<'c>> = None;
    detail.points(&mut |point: &Point<'_>| {
        let (Some(address), Some(raw)) = (point.address, number(&point.value)) else { return };
        let named = station.and_then(|station| profile.point(station, point.kind, address));
        let Some((id, spec)) = named else { return visit(point.kind, address, raw, None) };
        let registers = matches!(point.kind, PointKind::HoldingRegister | PointKind::InputRegister);
        if !registers {
            return visit(point.kind, address, spec.scaled(raw), Some((id, spec)));
        }
        let place = address - spec.address;
        if place == 0 {
            open = Some(Registers { id, spec, words: [0; 4], count: 0 });
        }
        let Some(registers) = open.as_mut().filter(|r| r.id == id && r.count == place) else {
            open = None;
            return;
        };
        if let Some(word) = registers.words.get_mut(place as usize) {
            *word = raw as u16;
            registers.count += 1;
        }
        if registers.count == spec.width() {
            let words = registers.words.get(..registers.count as usize).unwrap_or(&[]);
            if let Some(value) = registers.spec.of_registers(words) {
                visit(point.kind, spec.address, value, Some((id, spec)));
            }
            open = None;
        }
    });
}

/// The first written value outside a rule's limits, and how far the others are.
pub(crate) fn outside(
    profile: &Compiled,
    station: Option<u32>,
    operation: &Operation<'_>,
    limits: Limits,
) -> Option<BadValue> {
    let mut bad: Option<BadValue> = None;
    each_number(profile, station, operation.detail, &mut |kind, address, value, point| {
        if limits.hold(value) {
            return;
        }
        match &mut bad {
            None => {
                let point = point.map(|(id, _)| id);
                bad = Some(BadValue { kind, address, value, point, further: 0, span: (value, value) });
            }
            Some(bad) => {
                bad.further += 1;
                let (low, high) = bad.span;
                // `min` and `max` pass over what is no number; here it must stay.
                let known = !(low.is_nan() || value.is_nan());
                bad.span = if known { (low.min(value), high.max(value)) } else { (f64::NAN, f64::NAN) };
            }
        }
    });
    bad
}
