//! The values that an operation carries, by the points that the profile names.

use parsers::{Operation, Point, PointKind, PointRange, PointSink, Protocol, Timestamp, Value};
use profiles::{Compiled, PointSpec};

/// A value of a named point, in its unit.
#[derive(Debug, Copy, Clone, PartialEq)]
pub(super) struct Reading {
    /// In the unit of the profile.
    pub(super) value: f64,
    /// When it was so by the station's own clock, for events with a time.
    pub(super) at: Option<Timestamp>,
    /// The station vouches for it: DNP3 flags say that it is online.
    pub(super) trusted: bool,
    /// The station says that it has restarted since, or that its counter was set anew.
    pub(super) restarted: bool,
}

/// Registers that one PDU can carry: Modbus Application Protocol V1.1b3, 6.3.
const REGISTERS: usize = 128;

/// DNP3 flags, IEEE 1815 clause 11.6.
const ONLINE: u8 = 1;
const RESTART: u8 = 1 << 1;
const DISCONTINUITY: u8 = 1 << 6;

/// Show every value of a named point to `visit`, with the point's place in its station.
pub(super) fn named_points(
    profile: &Compiled,
    station: u32,
    operation: &Operation<'_>,
    visit: &mut dyn FnMut(u32, &PointSpec, Reading),
) {
    let run = Run { kind: PointKind::HoldingRegister, first: 0, words: [0; REGISTERS], len: 0 };
    let mut named = Named { profile, station, run, visit };
    operation.detail.values(&mut named);
    named.end_run();
}

/// Takes the values of the points that the profile names.
struct Named<'a, 'v> {
    profile: &'a Compiled,
    station: u32,
    /// Registers taken whose neighbours may still come.
    run: Run,
    visit: &'v mut dyn FnMut(u32, &PointSpec, Reading),
}

impl Named<'_, '_> {
    fn end_run(&mut self) {
        self.run.show(self.profile, self.station, self.visit);
        self.run.len = 0;
    }

    /// Consecutive points of one address each, of which few have names.
    fn each(&mut self, kind: PointKind, first: u32, count: usize, raw: impl Fn(usize) -> Option<u16>) {
        if count == 0 {
            return;
        }
        let Named { profile, station, .. } = *self;
        for (id, spec) in profile.points_within(station, run_of(kind, first, count)) {
            let place = spec.address.checked_sub(first).and_then(|at| usize::try_from(at).ok());
            if let Some(raw) = place.and_then(&raw) {
                let value = spec.scaled(raw.into());
                (self.visit)(id.index, spec, Reading { value, at: None, trusted: true, restarted: false });
            }
        }
    }

    fn register(&mut self, kind: PointKind, address: u32, word: u16) {
        if !self.run.add(kind, address, word) {
            self.end_run();
            self.run.add(kind, address, word);
        }
    }
}

impl PointSink for Named<'_, '_> {
    fn wants(&self, kind: PointKind, first: u32, last: u32) -> bool {
        self.profile.points_within(self.station, PointRange::new(kind, first, last)).next().is_some()
    }

    fn point(&mut self, point: &Point<'_>) {
        let Some(address) = point.address else { return };
        if let (PointKind::HoldingRegister | PointKind::InputRegister, Value::Unsigned(word)) =
            (point.kind, point.value)
        {
            return self.register(point.kind, address, word as u16);
        }
        let Some(raw) = number(point.value) else { return };
        if let Some((id, spec)) = self.profile.point(self.station, point.kind, address) {
            (self.visit)(id.index, spec, reading(point, spec.scaled(raw)));
        }
    }

    fn registers(&mut self, kind: PointKind, first: Option<u32>, words: &[[u8; 2]]) {
        let Some(first) = first else { return };
        if !matches!(kind, PointKind::HoldingRegister | PointKind::InputRegister) || words.is_empty() {
            return self.each(kind, first, words.len(), |at| words.get(at).map(|w| u16::from_be_bytes(*w)));
        }
        if self.run.len > 0 {
            // Their neighbours may stand before them.
            words.iter().zip(first..).for_each(|(w, at)| self.register(kind, at, u16::from_be_bytes(*w)));
            return;
        }
        let Named { profile, station, .. } = *self;
        for (id, spec) in profile.points_within(station, run_of(kind, first, words.len())) {
            // A value of several registers of which only some were asked for says nothing.
            let Some(from) = spec.address.checked_sub(first) else { continue };
            let mut own = [0; LONGEST_VALUE];
            let there = words.get(from as usize..).unwrap_or_default();
            own.iter_mut().zip(there).for_each(|(own, word)| *own = u16::from_be_bytes(*word));
            let own = own.get(..there.len()).unwrap_or(&own);
            let Some(value) = spec.of_registers(own) else { continue };
            (self.visit)(id.index, spec, Reading { value, at: None, trusted: true, restarted: false });
        }
    }

    fn bits(&mut self, kind: PointKind, first: Option<u32>, octets: &[u8], count: usize) {
        let Some(first) = first else { return };
        self.each(kind, first, count, |at| octets.get(at / 8).map(|octet| u16::from(octet >> (at % 8) & 1)));
    }

    fn addresses(&mut self, _: PointKind, _: u32, _: u32) {}
}

/// Registers of the longest value.
const LONGEST_VALUE: usize = 4;

fn run_of(kind: PointKind, first: u32, count: usize) -> PointRange {
    PointRange::new(kind, first, first.saturating_add(count as u32 - 1))
}

fn reading(point: &Point<'_>, value: f64) -> Reading {
    let of_dnp3 = point.kind.protocol() == Protocol::Dnp3;
    let flags = point.flags.filter(|_| of_dnp3).unwrap_or(0);
    let counter = matches!(point.kind, PointKind::Counter | PointKind::FrozenCounter);
    Reading {
        value,
        at: point.time_ms.map(|ms| Timestamp(ms.saturating_mul(1_000_000))),
        trusted: point
            .flags
            .is_none_or(|flags| if of_dnp3 { flags & ONLINE != 0 } else { point.kind.vouches(flags) }),
        restarted: flags & RESTART != 0 || counter && flags & DISCONTINUITY != 0,
    }
}

/// A single value as a number; text, times and commands of relays are none.
fn number(value: Value<'_>) -> Option<f64> {
    Some(match value {
        Value::Bit(bit) => f64::from(u8::from(bit)),
        Value::DoubleBit(state) => f64::from(state),
        Value::Unsigned(number) => number as f64,
        Value::Signed(number) => number as f64,
        Value::Float32(number) => f64::from(number),
        Value::Float64(number) => number,
        _ => return None,
    })
}

/// Neighbouring registers, since a value may take several.
struct Run {
    kind: PointKind,
    first: u32,
    words: [u16; REGISTERS],
    len: usize,
}

impl Run {
    /// Add a register. False if it does not continue the run.
    fn add(&mut self, kind: PointKind, address: u32, word: u16) -> bool {
        if self.len == 0 {
            (self.kind, self.first) = (kind, address);
        } else if kind != self.kind || address != self.first.wrapping_add(self.len as u32) {
            return false;
        }
        let Some(place) = self.words.get_mut(self.len) else { return false };
        *place = word;
        self.len += 1;
        true
    }

    fn show(&self, profile: &Compiled, station: u32, visit: &mut dyn FnMut(u32, &PointSpec, Reading)) {
        let Some(words) = self.words.get(..self.len).filter(|words| !words.is_empty()) else { return };
        let range = PointRange::new(self.kind, self.first, self.first + (self.len as u32 - 1));
        for (id, spec) in profile.points_within(station, range) {
            // A value of several registers of which only some were asked for says nothing.
            let Some(from) = spec.address.checked_sub(self.first) else { continue };
            let Some(value) = words.get(from as usize..).and_then(|words| spec.of_registers(words)) else {
                continue;
            };
            visit(id.index, spec, Reading { value, at: None, trusted: true, restarted: false });
        }
    }
}
