//! A Modbus station behind one unit id.

use super::points::Target;
use super::{Effect, View, effect, sunspec};
use crate::encode::modbus::{Response, pack_bits};
use crate::grid::{Control, Grid, Quantity};
use crate::scenario::{Station, StationKind};
use crate::wire::Prng;

/// How a number stands in registers, the first register highest.
#[derive(Debug, Clone, Copy, Eq, PartialEq)]
pub(crate) enum Form {
    U16,
    I16,
    U32,
    F32,
}

/// One register.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Cell {
    /// Read only, always the same.
    Fixed(u16),
    /// Holds what was written.
    Memory(u16),
    /// A measurement.
    Live { quantity: Quantity, scale: f64, form: Form, word: u8 },
    /// Power limit of a generator in hundredths of a percent.
    Limit(usize),
}

#[derive(Debug, Clone)]
struct Block {
    first: u16,
    cells: Vec<Cell>,
}

/// A station.
#[derive(Debug, Clone)]
pub(crate) struct Unit {
    identity: String,
    coils: Vec<(u16, Target)>,
    inputs: Vec<(u16, Quantity)>,
    holding: Vec<Block>,
    input: Vec<Block>,
    /// Force listen-only mode.
    deaf: bool,
    prng: Prng,
}

/// What an answer causes beside its octets.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// The PDU; none when the station does not answer.
    pub(crate) pdu: Option<Vec<u8>>,
    pub(crate) effects: Vec<Effect>,
    pub(crate) restart: bool,
}

type Answer = Result<Vec<u8>, u8>;

impl Unit {
    pub(crate) fn new(name: &str, station: &Station, grid: &Grid, prng: Prng) -> Unit {
        let mut unit = Unit {
            identity: name.to_owned(),
            coils: Vec::new(),
            inputs: Vec::new(),
            holding: Vec::new(),
            input: Vec::new(),
            deaf: false,
            prng,
        };
        let lines: Vec<usize> = station.lines.iter().filter_map(|n| grid.branch(n)).collect();
        let buses: Vec<usize> = station.buses.iter().filter_map(|n| grid.bus(n)).collect();
        let one = |quantity, scale, form| Cell::Live { quantity, scale, form, word: 0 };
        match station.kind {
            StationKind::Inverter => {
                let generator = station.generator.as_deref().and_then(|g| grid.generator(g)).unwrap_or(0);
                let bus = buses.first().copied().unwrap_or(0);
                let cells = sunspec::registers(name, generator, bus);
                unit.holding.push(Block { first: sunspec::BASE, cells });
            }
            StationKind::TapChanger => {
                let branch = station.transformer.as_deref().and_then(|t| grid.branch(t)).unwrap_or(0);
                unit.coils = vec![(5, Target::Step(branch, 1)), (6, Target::Step(branch, -1))];
                unit.inputs = vec![(0, Quantity::Constant(1.0))];
                let mut cells = vec![one(Quantity::Tap(branch), 1.0, Form::I16)];
                cells.extend(buses.iter().map(|b| one(Quantity::Voltage(*b), 100.0, Form::U16)));
                unit.input.push(Block { first: 0, cells });
                unit.holding.push(Block { first: 10, cells: vec![Cell::Memory(0); 3] });
            }
            StationKind::Meter => {
                let line = lines.first().copied().unwrap_or(0);
                let bus = buses.first().copied().unwrap_or(0);
                let mut cells = Vec::new();
                for (quantity, scale, form) in [
                    (Quantity::Voltage(bus), 1000.0, Form::F32),
                    (Quantity::Current(line), 1.0, Form::F32),
                    (Quantity::Active(line), 1.0, Form::F32),
                    (Quantity::Reactive(line), 1.0, Form::F32),
                    (Quantity::Frequency, 1.0, Form::F32),
                    (Quantity::Energy(line), 1.0, Form::U32),
                ] {
                    cells.extend([0, 1].map(|word| Cell::Live { quantity, scale, form, word }));
                }
                unit.input.push(Block { first: 0, cells });
            }
            _ => {
                let breakers: Vec<usize> = station.breakers.iter().filter_map(|n| grid.breaker(n)).collect();
                for (index, breaker) in breakers.iter().enumerate() {
                    unit.coils.push((index as u16, Target::Breaker(*breaker)));
                    unit.inputs.push((index as u16, Quantity::Closed(*breaker)));
                }
                let mut cells = Vec::new();
                for line in &lines {
                    cells.push(one(Quantity::Active(*line), 1.0, Form::I16));
                    cells.push(one(Quantity::Current(*line), 1.0, Form::U16));
                }
                cells.extend(buses.iter().map(|b| one(Quantity::Voltage(*b), 100.0, Form::U16)));
                unit.input.push(Block { first: 0, cells });
                unit.holding.push(Block { first: 0, cells: vec![Cell::Memory(0); 10] });
            }
        }
        if station.spare_registers > 0 {
            let cells = vec![Cell::Memory(0); usize::from(station.spare_registers)];
            unit.holding.push(Block { first: 200, cells });
        }
        unit
    }

    /// Every quantity in the registers and inputs.
    pub(crate) fn quantities(&self) -> Vec<Quantity> {
        let cells = self.holding.iter().chain(&self.input).flat_map(|b| &b.cells);
        let live = cells.filter_map(|cell| match cell {
            Cell::Live { quantity, .. } => Some(*quantity),
            _ => None,
        });
        live.chain(self.inputs.iter().map(|(_, q)| *q)).collect()
    }

    /// Answer a request.
    pub(crate) fn answer(&mut self, pdu: &[u8], view: &View<'_>) -> Outcome {
        let mut outcome = Outcome::default();
        let Some(function) = pdu.first().copied() else { return outcome };
        if function == 8 {
            return self.diagnostics(pdu);
        }
        if self.deaf {
            return outcome;
        }
        let fields = |at: usize| pdu.get(at..at + 2).map(|b| u16::from_be_bytes([b[0], b[1]]));
        let answer = match (function, fields(1), fields(3)) {
            (1 | 2, Some(first), Some(count)) => self.bits(function, first, count, view),
            (3 | 4, Some(first), Some(count)) => self.registers(function, first, count, view),
            (5, Some(address), Some(value)) => self.coil(address, value, pdu, &mut outcome.effects),
            (6, Some(address), Some(value)) => {
                self.write(address, &[value], &mut outcome.effects).map(|()| pdu.to_vec())
            }
            (16, Some(first), Some(count)) => {
                let words: Vec<u16> = pdu
                    .get(6..)
                    .unwrap_or_default()
                    .chunks_exact(2)
                    .map(|p| u16::from_be_bytes([p[0], p[1]]))
                    .collect();
                if words.len() == usize::from(count) {
                    self.write(first, &words, &mut outcome.effects)
                        .map(|()| Response::Written(16, first, count).pdu())
                } else {
                    Err(3)
                }
            }
            (43, ..) if pdu.get(1) == Some(&14) => Ok(self.identification()),
            (1..=6 | 16, ..) => Err(3),
            _ => Err(1),
        };
        outcome.pdu = Some(answer.unwrap_or_else(|code| Response::Exception(function, code).pdu()));
        outcome
    }

    fn diagnostics(&mut self, pdu: &[u8]) -> Outcome {
        let mut outcome = Outcome::default();
        match pdu.get(1..3) {
            Some([0, 1]) => {
                outcome.restart = !std::mem::replace(&mut self.deaf, false);
                outcome.pdu = outcome.restart.then(|| pdu.to_vec());
            }
            Some([0, 4]) => self.deaf = true,
            Some([0, 0]) if !self.deaf => outcome.pdu = Some(pdu.to_vec()),
            _ if !self.deaf => outcome.pdu = Some(Response::Exception(8, 1).pdu()),
            _ => {}
        }
        outcome
    }

    fn bits(&self, function: u8, first: u16, count: u16, view: &View<'_>) -> Answer {
        if count == 0 || count > 2000 {
            return Err(3);
        }
        let mut bits = Vec::with_capacity(usize::from(count));
        for address in u32::from(first)..u32::from(first) + u32::from(count) {
            let quantity = if function == 1 {
                self.coils.iter().find(|(a, _)| u32::from(*a) == address).map(|(_, target)| match target {
                    Target::Breaker(index) => Quantity::Closed(*index),
                    _ => Quantity::Constant(0.0),
                })
            } else {
                self.inputs.iter().find(|(a, _)| u32::from(*a) == address).map(|(_, q)| *q)
            };
            bits.push(view.value(quantity.ok_or(2)?) > 0.5);
        }
        let packed = pack_bits(&bits);
        Ok([&[function, packed.len() as u8], packed.as_slice()].concat())
    }

    fn registers(&self, function: u8, first: u16, count: u16, view: &View<'_>) -> Answer {
        if count == 0 || count > 125 {
            return Err(3);
        }
        let blocks = if function == 3 { &self.holding } else { &self.input };
        let cells = find(blocks, first, count).ok_or(2)?;
        let mut out = Vec::with_capacity(2 + 2 * cells.len());
        out.extend_from_slice(&[function, (2 * count) as u8]);
        for cell in cells {
            out.extend_from_slice(&word(*cell, view).to_be_bytes());
        }
        Ok(out)
    }

    fn coil(&mut self, address: u16, value: u16, pdu: &[u8], effects: &mut Vec<Effect>) -> Answer {
        let (_, target) = self.coils.iter().find(|(a, _)| *a == address).ok_or(2)?;
        let on = match value {
            0xff00 => true,
            0 => false,
            _ => return Err(3),
        };
        let control = match target {
            Target::Breaker(index) => Control::Breaker(*index, on),
            Target::Step(index, by) if on => Control::Step(*index, *by),
            _ => return Ok(pdu.to_vec()),
        };
        effects.push(effect(control, self.prng.next_u64()));
        Ok(pdu.to_vec())
    }

    fn write(&mut self, first: u16, words: &[u16], effects: &mut Vec<Effect>) -> Result<(), u8> {
        let chance = self.prng.next_u64();
        let count = words.len() as u16;
        let block = self.holding.iter_mut().find(|b| inside(b, first, count)).ok_or(2)?;
        let at = usize::from(first - block.first);
        let cells = &mut block.cells[at..at + words.len()];
        if cells.iter().any(|c| matches!(c, Cell::Fixed(_) | Cell::Live { .. })) {
            return Err(2);
        }
        for (cell, value) in cells.iter_mut().zip(words) {
            match cell {
                Cell::Limit(generator) => {
                    effects.push(effect(Control::Limit(*generator, f64::from(*value) / 100.0), chance));
                }
                cell => *cell = Cell::Memory(*value),
            }
        }
        Ok(())
    }

    fn identification(&self) -> Vec<u8> {
        let objects = [(0, "Gridtap Simulators"), (1, self.identity.as_str()), (2, "1.4.2")];
        let objects = objects.map(|(id, text)| (id, text.as_bytes().to_vec())).to_vec();
        Response::DeviceId { code: 1, conformity: 1, next: None, objects }.pdu()
    }
}

fn inside(block: &Block, first: u16, count: u16) -> bool {
    let end = usize::from(first) + usize::from(count);
    first >= block.first && end <= usize::from(block.first) + block.cells.len()
}

fn find(blocks: &[Block], first: u16, count: u16) -> Option<&[Cell]> {
    let block = blocks.iter().find(|b| inside(b, first, count))?;
    let at = usize::from(first - block.first);
    block.cells.get(at..at + usize::from(count))
}

fn word(cell: Cell, view: &View<'_>) -> u16 {
    match cell {
        Cell::Fixed(word) | Cell::Memory(word) => word,
        Cell::Limit(generator) => (view.value(Quantity::Limit(generator)) * 100.0) as u16,
        Cell::Live { quantity, scale, form, word } => {
            let value = view.value(quantity) * scale;
            let octets = match form {
                Form::U16 => return value.round() as u16,
                Form::I16 => return value.round() as i16 as u16,
                Form::U32 => (value.round() as u32).to_be_bytes(),
                Form::F32 => (value as f32).to_be_bytes(),
            };
            let at = usize::from(word & 1) * 2;
            u16::from_be_bytes([octets[at], octets[at + 1]])
        }
    }
}
