//! Which parts are live, and what flows there.

use super::{BASE_MVA, Grid, LOAD_TAN_PHI, curve};
use crate::grid::solve::Factor;
use crate::scenario::GeneratorKind;

impl Grid {
    /// After a breaker moved: which branches conduct, which buses are live, the matrix of the rest.
    pub(super) fn rewire(&mut self) {
        for branch in &mut self.branches {
            branch.closed = true;
        }
        for breaker in self.breakers.iter().filter(|b| !b.closed) {
            self.branches[breaker.branch].closed = false;
        }
        for bus in &mut self.buses {
            bus.live = bus.fixed;
        }
        // A bus becomes live over a conducting branch; a pass over all branches until nothing changes.
        loop {
            let mut grown = false;
            for branch in self.branches.iter().filter(|b| b.closed) {
                if self.buses[branch.from].live != self.buses[branch.to].live {
                    self.buses[branch.from].live = true;
                    self.buses[branch.to].live = true;
                    grown = true;
                }
            }
            if !grown {
                break;
            }
        }
        let mut count = 0;
        for bus in &mut self.buses {
            bus.unknown = (bus.live && !bus.fixed).then(|| {
                count += 1;
                count - 1
            });
        }
        let mut edges = Vec::new();
        let mut ground = Vec::new();
        for branch in self.branches.iter().filter(|b| b.closed) {
            let y = 1.0 / branch.x;
            match (self.buses[branch.from].unknown, self.buses[branch.to].unknown) {
                (Some(a), Some(b)) => edges.push((a, b, y)),
                (Some(a), None) | (None, Some(a)) if self.buses[branch.from].live => ground.push((a, y)),
                _ => {}
            }
        }
        self.factor = Factor::new(count, &edges, &ground);
    }

    /// Powers at the buses, then angles, flows and voltages.
    pub(super) fn solve(&mut self) {
        let now = self.now_ns;
        self.p.fill(0.0);
        self.q.fill(0.0);
        for load in self.loads.iter().filter(|l| self.buses[l.bus].live) {
            let mw = load.mw * curve::load(load.curve, now) * (1.0 + load.walk).max(0.0);
            self.p[load.bus] -= mw / BASE_MVA;
            self.q[load.bus] -= mw * LOAD_TAN_PHI / BASE_MVA;
        }
        for generator in &mut self.generators {
            let share = match generator.kind {
                GeneratorKind::Grid => continue,
                GeneratorKind::Solar => curve::solar(now) * (1.0 + generator.walk).clamp(0.0, 1.1),
                GeneratorKind::Fixed => 1.0,
            };
            // An inverter without grid switches off.
            let live = f64::from(u8::from(self.buses[generator.bus].live));
            generator.power = generator.mw * share.min(generator.limit / 100.0) * live;
            self.p[generator.bus] += generator.power / BASE_MVA;
        }
        self.angles();
        self.voltages();
        self.infeed();
    }

    fn angles(&mut self) {
        let mut right = vec![0.0; self.buses.len()];
        for (place, bus) in self.buses.iter().enumerate() {
            if let Some(unknown) = bus.unknown {
                right[unknown] = self.p[place];
            }
        }
        self.factor.solve(&mut right);
        for bus in &mut self.buses {
            bus.angle = bus.unknown.map_or(0.0, |u| right[u]);
        }
        for branch in &mut self.branches {
            let flows = branch.closed && self.buses[branch.from].live;
            let difference = self.buses[branch.from].angle - self.buses[branch.to].angle;
            branch.p = if flows { difference / branch.x * BASE_MVA } else { 0.0 };
        }
    }

    /// `(v_from - v_to + source) / x = q`, where the source is the tap less the resistive drop.
    fn voltages(&mut self) {
        let mut right = vec![0.0; self.buses.len()];
        for (place, bus) in self.buses.iter().enumerate() {
            if let Some(unknown) = bus.unknown {
                right[unknown] = self.q[place];
            }
        }
        let source = |b: &super::Branch| f64::from(b.tap) * b.step - b.r * b.p / BASE_MVA;
        for branch in self.branches.iter().filter(|b| b.closed && self.buses[b.from].live) {
            let y = 1.0 / branch.x;
            for (end, other, sign) in [(branch.from, branch.to, -1.0), (branch.to, branch.from, 1.0)] {
                if let Some(unknown) = self.buses[end].unknown {
                    right[unknown] += sign * source(branch) * y;
                    if self.buses[other].unknown.is_none() {
                        right[unknown] += y; // the fixed end stands at 1
                    }
                }
            }
        }
        self.factor.solve(&mut right);
        for bus in &mut self.buses {
            bus.voltage = match bus.unknown {
                Some(unknown) => right[unknown],
                None => f64::from(u8::from(bus.live)),
            };
        }
        for branch in &mut self.branches {
            let flows = branch.closed && self.buses[branch.from].live;
            let source = f64::from(branch.tap) * branch.step - branch.r * branch.p / BASE_MVA;
            let difference = self.buses[branch.from].voltage - self.buses[branch.to].voltage + source;
            branch.q = if flows { difference / branch.x * BASE_MVA } else { 0.0 };
        }
    }

    /// The grid behind gives what is missing.
    fn infeed(&mut self) {
        for index in 0..self.generators.len() {
            let generator = &self.generators[index];
            if generator.kind != GeneratorKind::Grid {
                continue;
            }
            let bus = generator.bus;
            let mut out = -self.p[bus] * BASE_MVA;
            for branch in &self.branches {
                if branch.from == bus {
                    out += branch.p;
                } else if branch.to == bus {
                    out -= branch.p;
                }
            }
            self.generators[index].power = out;
        }
    }
}
