//! A SunSpec register map: marker, common model 1, inverter model 103, immediate controls 123, end.

use super::modbus::{Cell, Form};
use crate::grid::Quantity;

/// First register.
pub(crate) const BASE: u16 = 40_000;
/// Not implemented: unsigned and signed.
const NONE: Cell = Cell::Fixed(0xffff);
const NONE_SIGNED: Cell = Cell::Fixed(0x8000);
/// Where model 103 begins: behind the marker (2) and model 1 (2 + 66).
const INVERTER: u16 = BASE + 2 + 68;
/// Where model 123 begins: behind model 103 (2 + 50).
const CONTROLS: u16 = INVERTER + 52;
/// Register of the power limit, in hundredths of a percent: `WMaxLimPct` of model 123.
pub(crate) const LIMIT: u16 = CONTROLS + 5;

fn text(cells: &mut Vec<Cell>, text: &str, registers: usize) {
    let mut octets = text.as_bytes().to_vec();
    octets.resize(registers * 2, 0);
    cells.extend(octets.chunks(2).map(|p| Cell::Fixed(u16::from_be_bytes([p[0], p[1]]))));
}

fn live(quantity: Quantity, scale: f64, form: Form, word: u8) -> Cell {
    Cell::Live { quantity, scale, form, word }
}

/// The registers from [`BASE`] for a generator at a bus.
pub(crate) fn registers(name: &str, generator: usize, bus: usize) -> Vec<Cell> {
    let mut cells = vec![Cell::Fixed(0x5375), Cell::Fixed(0x6e53)];
    cells.extend([Cell::Fixed(1), Cell::Fixed(66)]);
    text(&mut cells, "Gridtap Simulators", 16);
    text(&mut cells, "SIM-INV-3P", 16);
    text(&mut cells, "", 8);
    text(&mut cells, "1.4.2", 8);
    text(&mut cells, name, 16);
    cells.extend([Cell::Fixed(1), NONE_SIGNED]);

    let power = Quantity::Generation(generator);
    let voltage = Quantity::Voltage(bus);
    cells.extend([Cell::Fixed(103), Cell::Fixed(50)]);
    // Currents in A x 10 at 400 V: kW / (sqrt(3) x 0.4 kV).
    let ampere = 10.0 / (1.732_050_807_568_877_2 * 0.4);
    cells.push(live(power, ampere, Form::U16, 0));
    cells.extend([(); 3].map(|()| live(power, ampere / 3.0, Form::U16, 0)));
    cells.push(Cell::Fixed(0xffff)); // A_SF = -1
    // Line and phase voltages in V x 10, taken at 400 V nominal from the bus.
    cells.extend([(); 3].map(|()| live(voltage, 200.0, Form::U16, 0)));
    cells.extend([(); 3].map(|()| live(voltage, 115.47, Form::U16, 0)));
    cells.push(Cell::Fixed(0xffff)); // V_SF = -1
    cells.extend([live(power, 10.0, Form::I16, 0), Cell::Fixed(2)]); // W, W_SF: 100 W
    cells.extend([live(Quantity::Frequency, 100.0, Form::U16, 0), Cell::Fixed(0xfffe)]); // Hz, -2
    cells.extend([live(power, 10.0, Form::I16, 0), Cell::Fixed(2)]); // VA
    cells.extend([Cell::Fixed(0), Cell::Fixed(2)]); // VAr
    cells.extend([Cell::Fixed(10_000), Cell::Fixed(0xfffe)]); // PF
    let energy = Quantity::Generated(generator);
    cells.extend([live(energy, 1000.0, Form::U32, 0), live(energy, 1000.0, Form::U32, 1), Cell::Fixed(0)]);
    cells.extend([NONE, NONE_SIGNED, NONE, NONE_SIGNED]); // DC current, voltage
    cells.extend([live(power, 10.2, Form::I16, 0), Cell::Fixed(2)]); // DC power
    cells.extend([Cell::Fixed(412), NONE_SIGNED, NONE_SIGNED, NONE_SIGNED, Cell::Fixed(0xffff)]); // temperatures
    cells.extend([Cell::Fixed(4), Cell::Fixed(4)]); // St: MPPT
    cells.extend([(); 12].map(|()| Cell::Fixed(0))); // events

    cells.extend([Cell::Fixed(123), Cell::Fixed(24)]);
    cells.extend([Cell::Fixed(0), Cell::Fixed(0), Cell::Memory(1)]); // Conn timers, Conn
    cells.push(Cell::Limit(generator));
    cells.extend([Cell::Memory(0), Cell::Memory(0), Cell::Memory(0), Cell::Memory(1)]); // timers, WMaxLim_Ena
    cells.extend([(); 13].map(|()| Cell::Memory(0)));
    cells.extend([Cell::Fixed(0xfffe); 3]); // scale factors: -2
    cells.extend([Cell::Fixed(0xffff), Cell::Fixed(0)]);
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_models_form_a_chain_that_ends_with_ffff() {
        let cells = registers("INV-1", 0, 0);
        let fixed = |at: usize| match cells[at] {
            Cell::Fixed(word) => word,
            _ => 0,
        };
        assert_eq!((fixed(0), fixed(1)), (0x5375, 0x6e53));
        let mut at = 2;
        let mut models = Vec::new();
        while fixed(at) != 0xffff {
            models.push((fixed(at), at as u16 + BASE));
            at += 2 + usize::from(fixed(at + 1));
        }
        assert_eq!(models, [(1, BASE + 2), (103, INVERTER), (123, CONTROLS)]);
        assert_eq!(at + 2, cells.len());
        assert_eq!(cells[usize::from(LIMIT - BASE)], Cell::Limit(0));
    }
}
