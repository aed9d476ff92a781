//! Stations: what stands behind the points, and the protocol machines that answer for them. Without
//! sockets and clocks: bytes and the time come in, bytes and commands to the grid go out.
//!
//! Point lists by kind (numbers count from 0, in the order of the scenario's lists):
//!
//! | kind | points |
//! |---|---|
//! | DNP3 stations | binary inputs: each breaker closed, each bus energised, reclosing on (recloser), local control; binary outputs: each breaker, reclosing (recloser), tap raise and lower; analog inputs: current A, active kW, reactive kvar of each line, voltage V of each bus, tap, frequency in mHz (substation); counters: operations of each breaker, kWh of each line; analog output 0: a setting |
//! | meter | input registers 0..: voltage V, current A, active kW, reactive kvar, frequency Hz as float32; 10: kWh as uint32 |
//! | modbus_rtu | coils and discrete inputs: each breaker; input registers: active kW (int16) and current A of each line, voltage in 10 V of each bus; holding registers 0-9: settings |
//! | tap_changer | coils 5 raise, 6 lower; discrete input 0: remote; input registers 0 position, 1 voltage in 10 V; holding registers 10-12: settings |
//! | iec104 | double points 1..: each breaker; single points 101..: each bus energised, 151 local control, 152 reclosing on; float 201..: current A, active kW, reactive kvar of each line, voltage kV of each bus, kW of the generator, 381 setting or limit, 391 frequency; step 301: tap; counters 401..: operations of each breaker, kWh of each line; commands 1001.. breakers (double), 1152 reclosing (single), 1301 tap (step), 1381 setting or limit (float) |
//! | inverter | holding registers from 40000: SunSpec models 1, 103, 123 |

pub(crate) mod dnp3;
pub(crate) mod goose;
pub(crate) mod iec104;
pub(crate) mod modbus;
pub(crate) mod points;
mod sunspec;

use crate::grid::{Control, Grid, Quantity};

/// What a station reports instead of what is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Spoof {
    /// Measurements multiplied, states as they were.
    Factor(f64),
    /// Everything as it was when this began.
    Frozen(Vec<(Quantity, f64)>),
}

/// The process as a station sees it.
pub(crate) struct View<'a> {
    pub(crate) grid: &'a Grid,
    pub(crate) spoof: Option<&'a Spoof>,
}

impl View<'_> {
    pub(crate) fn value(&self, quantity: Quantity) -> f64 {
        let real = self.grid.value(quantity);
        match (self.spoof, quantity) {
            (None, _) => real,
            (
                Some(Spoof::Factor(by)),
                Quantity::Voltage(_)
                | Quantity::Active(_)
                | Quantity::Reactive(_)
                | Quantity::Current(_)
                | Quantity::Generation(_),
            ) => real * by,
            (Some(Spoof::Factor(_)), _) => real,
            (Some(Spoof::Frozen(seen)), _) => {
                seen.iter().find(|(q, _)| *q == quantity).map_or(real, |(_, value)| *value)
            }
        }
    }
}

/// A command to the grid and the time it takes, in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Effect {
    pub(crate) after_ns: u64,
    pub(crate) control: Control,
}

/// How long a breaker or a tap takes.
pub(crate) fn effect(control: Control, chance: u64) -> Effect {
    let ms = 1_000_000;
    let after_ns = match control {
        Control::Breaker(..) => 40 * ms + chance % (50 * ms),
        Control::Step(..) => 3000 * ms + chance % (2000 * ms),
        Control::Limit(..) => 500 * ms + chance % (500 * ms),
    };
    Effect { after_ns, control }
}
