//! The process behind the points: a grid with loads that follow the day, breakers that really interrupt
//! and taps that really step the voltage.
//!
//! Angles and active flows by the DC power flow; voltages by the same linear system with reactive
//! powers, the resistive drop and the taps as sources on the branches. Everything is energised that a
//! closed path connects with a generator of kind `grid`.

mod curve;
mod flow;
mod solve;

use std::collections::BTreeMap;

use crate::scenario::{Curve, GeneratorKind, Scenario};
use crate::wire::Prng;
use solve::Factor;

/// Base of the per-unit system in MVA.
const BASE_MVA: f64 = 100.0;
/// Reactive power of loads for each MW.
const LOAD_TAN_PHI: f64 = 0.25;

/// Something that can be measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Quantity {
    /// A breaker is closed: 1 or 0.
    Closed(usize),
    /// Operations of a breaker.
    Operations(usize),
    /// Voltage of a bus in kV.
    Voltage(usize),
    /// A bus is energised: 1 or 0.
    Energised(usize),
    /// Active flow of a branch in kW.
    Active(usize),
    /// Reactive flow of a branch in kvar.
    Reactive(usize),
    /// Current of a branch in A.
    Current(usize),
    /// Energy through a branch, either way, in kWh.
    Energy(usize),
    /// Tap position of a branch.
    Tap(usize),
    /// Power of a generator in kW.
    Generation(usize),
    /// Energy of a generator in kWh.
    Generated(usize),
    /// Limit of a generator in percent.
    Limit(usize),
    /// Frequency in Hz.
    Frequency,
    /// Never changes.
    Constant(f64),
}

/// Something that can be commanded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Control {
    /// Close (true) or open a breaker.
    Breaker(usize, bool),
    /// Step a tap by this.
    Step(usize, i32),
    /// Limit a generator to so many percent.
    Limit(usize, f64),
}

#[derive(Debug, Clone)]
struct Bus {
    kv: f64,
    fixed: bool,
    live: bool,
    /// Position among the unknowns, if live and not fixed.
    unknown: Option<usize>,
    angle: f64,
    voltage: f64,
}

#[derive(Debug, Clone)]
struct Branch {
    from: usize,
    to: usize,
    r: f64,
    x: f64,
    tap: i32,
    taps: i32,
    step: f64,
    closed: bool,
    p: f64,
    q: f64,
    kwh: f64,
}

#[derive(Debug, Clone)]
struct Load {
    bus: usize,
    mw: f64,
    curve: Curve,
    noise: f64,
    walk: f64,
}

#[derive(Debug, Clone)]
struct Generator {
    bus: usize,
    kind: GeneratorKind,
    mw: f64,
    limit: f64,
    power: f64,
    walk: f64,
    kwh: f64,
}

#[derive(Debug, Clone)]
struct Breaker {
    branch: usize,
    closed: bool,
    operations: u32,
}

/// The grid.
#[derive(Debug, Clone)]
pub struct Grid {
    buses: Vec<Bus>,
    branches: Vec<Branch>,
    loads: Vec<Load>,
    generators: Vec<Generator>,
    breakers: Vec<Breaker>,
    names: Names,
    factor: Factor,
    prng: Prng,
    frequency: f64,
    now_ns: u64,
    p: Vec<f64>,
    q: Vec<f64>,
}

/// Positions by name.
#[derive(Debug, Clone, Default)]
struct Names {
    buses: BTreeMap<String, usize>,
    branches: BTreeMap<String, usize>,
    generators: BTreeMap<String, usize>,
    breakers: BTreeMap<String, usize>,
}

fn places<'a, T: 'a>(table: impl IntoIterator<Item = (&'a String, &'a T)>) -> BTreeMap<String, usize> {
    table.into_iter().enumerate().map(|(place, (name, _))| (name.clone(), place)).collect()
}

impl Grid {
    /// The grid of a checked scenario at its start. Noise depends on the seed.
    pub fn new(scenario: &Scenario, seed: u64) -> Grid {
        let mut names = Names {
            buses: places(&scenario.buses),
            branches: places(&scenario.lines),
            generators: places(&scenario.generators),
            breakers: places(&scenario.breakers),
        };
        for name in scenario.transformers.keys() {
            let place = names.branches.len();
            names.branches.insert(name.clone(), place);
        }
        let bus = |name: &str| names.buses.get(name).copied().unwrap_or(0);
        let plain = Branch {
            from: 0,
            to: 0,
            r: 0.0,
            x: 0.1,
            tap: 0,
            taps: 0,
            step: 0.0,
            closed: true,
            p: 0.0,
            q: 0.0,
            kwh: 0.0,
        };
        let lines = scenario.lines.values();
        let mut branches: Vec<Branch> = lines
            .map(|l| Branch { from: bus(&l.from), to: bus(&l.to), r: l.r, x: l.x, ..plain.clone() })
            .collect();
        branches.extend(scenario.transformers.values().map(|t| Branch {
            from: bus(&t.from),
            to: bus(&t.to),
            x: t.x,
            tap: t.tap,
            taps: t.taps,
            step: t.step_percent / 100.0,
            ..plain.clone()
        }));
        let loads = scenario.loads.values().map(|l| Load {
            bus: bus(&l.bus),
            mw: l.mw,
            curve: l.curve,
            noise: l.noise_percent / 100.0,
            walk: 0.0,
        });
        let generators: Vec<Generator> = scenario
            .generators
            .values()
            .map(|g| Generator {
                bus: bus(&g.bus),
                kind: g.kind,
                mw: g.mw,
                limit: 100.0,
                power: 0.0,
                walk: 0.0,
                kwh: 0.0,
            })
            .collect();
        let breaker = |b: &crate::scenario::Breaker| Breaker {
            branch: names.branches.get(&b.branch).copied().unwrap_or(0),
            closed: !b.open,
            operations: 0,
        };
        let mut buses: Vec<Bus> = scenario
            .buses
            .values()
            .map(|b| Bus { kv: b.kv, fixed: false, live: false, unknown: None, angle: 0.0, voltage: 0.0 })
            .collect();
        for generator in generators.iter().filter(|g| g.kind == GeneratorKind::Grid) {
            buses[generator.bus].fixed = true;
        }
        let start = u64::try_from(scenario.site.start.as_nanosecond()).unwrap_or(0);
        let mut grid = Grid {
            p: vec![0.0; buses.len()],
            q: vec![0.0; buses.len()],
            buses,
            branches,
            loads: loads.collect(),
            generators,
            breakers: scenario.breakers.values().map(breaker).collect(),
            names,
            factor: Factor::default(),
            prng: Prng::new(seed),
            frequency: 50.0,
            now_ns: start,
        };
        grid.rewire();
        grid.advance(start);
        grid
    }

    /// Let time pass: loads and sun follow the day, energies count, flows settle.
    pub fn advance(&mut self, now_ns: u64) {
        let hours = now_ns.saturating_sub(self.now_ns) as f64 / 3.6e12;
        for branch in &mut self.branches {
            branch.kwh += branch.p.abs() * 1000.0 * hours;
        }
        for generator in &mut self.generators {
            generator.kwh += generator.power.abs() * 1000.0 * hours;
        }
        self.now_ns = now_ns;
        for load in &mut self.loads {
            load.walk = load.walk * 0.97 + curve::gauss(&mut self.prng) * load.noise * 0.25;
        }
        for generator in &mut self.generators {
            generator.walk = generator.walk * 0.98 + curve::gauss(&mut self.prng) * 0.006;
        }
        self.frequency += (50.0 - self.frequency) * 0.1 + curve::gauss(&mut self.prng) * 0.003;
        self.solve();
    }

    /// Carry out a command at once. Returns whether anything changed.
    pub fn apply(&mut self, control: Control) -> bool {
        match control {
            Control::Breaker(index, closed) => {
                let Some(breaker) = self.breakers.get_mut(index) else { return false };
                if breaker.closed == closed {
                    return false;
                }
                breaker.closed = closed;
                breaker.operations += 1;
                self.rewire();
            }
            Control::Step(index, by) => {
                let Some(branch) = self.branches.get_mut(index) else { return false };
                let wanted = (branch.tap + by).clamp(-branch.taps, branch.taps);
                if wanted == branch.tap {
                    return false;
                }
                branch.tap = wanted;
            }
            Control::Limit(index, percent) => {
                let Some(generator) = self.generators.get_mut(index) else { return false };
                generator.limit = percent.clamp(0.0, 100.0);
            }
        }
        self.solve();
        true
    }

    /// What is measured now.
    pub fn value(&self, quantity: Quantity) -> f64 {
        let bit = f64::from;
        match quantity {
            Quantity::Closed(i) => bit(u8::from(self.breakers[i].closed)),
            Quantity::Operations(i) => f64::from(self.breakers[i].operations),
            Quantity::Voltage(i) => self.buses[i].voltage * self.buses[i].kv,
            Quantity::Energised(i) => bit(u8::from(self.buses[i].live)),
            Quantity::Active(i) => self.branches[i].p * 1000.0,
            Quantity::Reactive(i) => self.branches[i].q * 1000.0,
            Quantity::Current(i) => self.current(i),
            Quantity::Energy(i) => self.branches[i].kwh,
            Quantity::Tap(i) => f64::from(self.branches[i].tap),
            Quantity::Generation(i) => self.generators[i].power * 1000.0,
            Quantity::Generated(i) => self.generators[i].kwh,
            Quantity::Limit(i) => self.generators[i].limit,
            Quantity::Frequency => self.frequency,
            Quantity::Constant(value) => value,
        }
    }

    fn current(&self, index: usize) -> f64 {
        let branch = &self.branches[index];
        let bus = &self.buses[branch.from];
        let kv = bus.voltage * bus.kv;
        if kv < 1e-6 {
            return 0.0;
        }
        // S = sqrt(3) U I; MVA and kV give kA.
        (branch.p * branch.p + branch.q * branch.q).sqrt() / (1.732_050_807_568_877_2 * kv) * 1000.0
    }

    /// Position of a bus.
    pub fn bus(&self, name: &str) -> Option<usize> {
        self.names.buses.get(name).copied()
    }

    /// Position of a line or transformer.
    pub fn branch(&self, name: &str) -> Option<usize> {
        self.names.branches.get(name).copied()
    }

    /// Position of a breaker.
    pub fn breaker(&self, name: &str) -> Option<usize> {
        self.names.breakers.get(name).copied()
    }

    /// Position of a generator.
    pub fn generator(&self, name: &str) -> Option<usize> {
        self.names.generators.get(name).copied()
    }
}

#[cfg(test)]
mod tests;
