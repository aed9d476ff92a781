//! Stations and their points.

use std::sync::Arc;

use parsers::{FieldSizes, PointKind, PointRange, Protocol, StationAddress};

use crate::roles::Role;
use crate::units::Rate;

/// A station: a device that answers one protocol at one address behind one host.
#[derive(Debug, Clone)]
pub struct Station {
    /// Its name.
    pub name: String,
    /// The protocol it speaks.
    pub protocol: Protocol,
    /// Index of its host in [`crate::Profile::hosts`].
    pub host: usize,
    /// Its address in the protocol; `None` for any address that no other station of the host has.
    pub address: Option<StationAddress>,
    /// The port it must be reached on, if the profile says so.
    pub port: Option<u16>,
    /// Sizes of the fields on its connections, if the profile says so (IEC 104).
    pub field_sizes: Option<FieldSizes>,
    /// What kind of device it is: its own role, or that of its host.
    pub role: Option<&'static Role>,
    /// Tags; `protection` and `breaker` raise the severity of findings.
    pub tags: Vec<String>,
    /// What must not alarm: catalogue ids, check ids, kinds of findings.
    pub quirks: Vec<String>,
    /// Its points in the order of the file, those of its map first. A point of its own replaces one of the
    /// map with the same name.
    pub points: Vec<Arc<PointSpec>>,
    /// Made for a host with the role of a station, where the profile lists none.
    pub from_role: bool,
    /// The engineer's comment.
    pub comment: Option<String>,
}

impl Station {
    /// Whether it has the tag.
    #[must_use]
    pub fn has_tag(&self, tag: &str) -> bool {
        self.tags.iter().any(|t| t == tag)
    }

    /// A point by its name.
    #[must_use]
    pub fn point(&self, name: &str) -> Option<&PointSpec> {
        self.points.iter().find(|p| p.name == name).map(AsRef::as_ref)
    }
}

/// Type of a value in registers.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub enum DataType {
    /// One register, unsigned.
    Uint16,
    /// One register, two's complement.
    Int16,
    /// Two registers, unsigned.
    Uint32,
    /// Two registers, two's complement.
    Int32,
    /// Four registers, unsigned.
    Uint64,
    /// Four registers, two's complement.
    Int64,
    /// Two registers, IEEE 754.
    Float32,
    /// Four registers, IEEE 754.
    Float64,
    /// One register of single bits: no number.
    Bits,
}

impl DataType {
    /// The type with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<DataType> {
        Some(match name {
            "uint16" => DataType::Uint16,
            "int16" => DataType::Int16,
            "uint32" => DataType::Uint32,
            "int32" => DataType::Int32,
            "uint64" => DataType::Uint64,
            "int64" => DataType::Int64,
            "float32" => DataType::Float32,
            "float64" => DataType::Float64,
            "bits" => DataType::Bits,
            _ => return None,
        })
    }

    /// How many registers it takes: 1, 2 or 4.
    #[must_use]
    pub fn registers(self) -> u32 {
        match self {
            DataType::Uint16 | DataType::Int16 | DataType::Bits => 1,
            DataType::Uint32 | DataType::Int32 | DataType::Float32 => 2,
            DataType::Uint64 | DataType::Int64 | DataType::Float64 => 4,
        }
    }

    /// The smallest and the largest raw number that it holds. `None`: a fraction, or bits.
    #[must_use]
    pub fn span(self) -> Option<(f64, f64)> {
        Some(match self {
            DataType::Uint16 => (0.0, f64::from(u16::MAX)),
            DataType::Int16 => (f64::from(i16::MIN), f64::from(i16::MAX)),
            DataType::Uint32 => (0.0, f64::from(u32::MAX)),
            DataType::Int32 => (f64::from(i32::MIN), f64::from(i32::MAX)),
            DataType::Uint64 => (0.0, u64::MAX as f64),
            DataType::Int64 => (i64::MIN as f64, i64::MAX as f64),
            DataType::Float32 | DataType::Float64 | DataType::Bits => return None,
        })
    }

    /// The raw number in registers as they stand on the wire. `None`: too few of them, or bits. May be NaN.
    #[must_use]
    pub fn number(self, order: WordOrder, registers: &[u16]) -> Option<f64> {
        let registers = registers.get(..self.registers() as usize)?;
        let shift = |bits: u64, word: &u16| bits << 16 | u64::from(*word);
        let bits = match order {
            WordOrder::Big => registers.iter().fold(0, shift),
            WordOrder::Little => registers.iter().rev().fold(0, shift),
        };
        Some(match self {
            DataType::Uint16 | DataType::Uint32 | DataType::Uint64 => bits as f64,
            DataType::Int16 => f64::from(bits as u16 as i16),
            DataType::Int32 => f64::from(bits as u32 as i32),
            DataType::Int64 => bits as i64 as f64,
            DataType::Float32 => f64::from(f32::from_bits(bits as u32)),
            DataType::Float64 => f64::from_bits(bits),
            DataType::Bits => return None,
        })
    }
}

/// Which register of a value of several comes first on the wire.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub enum WordOrder {
    /// The one with the high bits.
    Big,
    /// The one with the low bits.
    Little,
}

/// What the profile says of a point.
#[derive(Debug, Clone, PartialEq)]
pub struct PointSpec {
    /// Its name, unique in the station.
    pub name: String,
    /// What kind of point.
    pub kind: PointKind,
    /// Its address; the first register's, for a value of several.
    pub address: u32,
    /// Type of the value in registers; means nothing for other kinds.
    pub data_type: DataType,
    /// Order of the registers.
    pub word_order: WordOrder,
    /// Factor from the raw value to the unit.
    pub scale: f64,
    /// Added after the factor.
    pub offset: f64,
    /// Unit of the scaled value.
    pub unit: Option<String>,
    /// Plausible values when read, in the unit.
    pub range: Option<(f64, f64)>,
    /// Values that may be written, in the unit.
    pub set_range: Option<(f64, f64)>,
    /// Largest change of a written value against the last one, in the unit.
    pub max_step: Option<f64>,
    /// Fastest plausible change of a read value, in the unit a second.
    pub rate_of_change: Option<f64>,
    /// A read value that has not changed for so many nanoseconds is stuck.
    pub stuck_after: Option<u64>,
    /// It never runs backwards.
    pub monotonic: bool,
    /// The point that shows the state of this control.
    pub state: Option<(PointKind, u32)>,
    /// Whether it may be operated without a select; `None`: as the catalogue says.
    pub direct_operate: Option<bool>,
    /// How soon the state must follow an accepted control, in nanoseconds.
    pub operate_within: Option<u64>,
    /// How often it may be commanded; overrides the threshold for command storms.
    pub max_rate: Option<Rate>,
    /// Export its value as a metric.
    pub metric: bool,
    /// Tags; `protection` and `breaker` raise the severity of findings.
    pub tags: Vec<String>,
    /// The engineer's comment.
    pub comment: Option<String>,
}

impl PointSpec {
    /// How many addresses it takes.
    #[must_use]
    pub fn width(&self) -> u32 {
        match self.kind {
            PointKind::HoldingRegister | PointKind::InputRegister => self.data_type.registers(),
            _ => 1,
        }
    }

    /// The addresses it takes.
    #[must_use]
    pub fn addresses(&self) -> PointRange {
        PointRange::new(self.kind, self.address, self.address.saturating_add(self.width() - 1))
    }

    /// A raw number in the point's unit.
    #[must_use]
    pub fn scaled(&self, raw: f64) -> f64 {
        raw * self.scale + self.offset
    }

    /// The value in the unit, from registers as they stand on the wire.
    #[must_use]
    pub fn of_registers(&self, registers: &[u16]) -> Option<f64> {
        self.data_type.number(self.word_order, registers).map(|raw| self.scaled(raw))
    }

    /// Whether it has the tag.
    #[must_use]
    pub fn has_tag(&self, tag: &str) -> bool {
        self.tags.iter().any(|t| t == tag)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registers_become_numbers_in_either_order() {
        let float = [0x42F6, 0xE979];
        assert_eq!(DataType::Float32.number(WordOrder::Big, &float), Some(f64::from(123.456_f32)));
        assert_eq!(
            DataType::Float32.number(WordOrder::Little, &[0xE979, 0x42F6]),
            Some(f64::from(123.456_f32))
        );
        assert_eq!(DataType::Int16.number(WordOrder::Big, &[0xFFFF]), Some(-1.0));
        assert_eq!(DataType::Uint16.number(WordOrder::Big, &[0xFFFF]), Some(65535.0));
        assert_eq!(DataType::Int32.number(WordOrder::Big, &[0xFFFF, 0xFFFE]), Some(-2.0));
        assert_eq!(DataType::Uint32.number(WordOrder::Little, &[1, 2]), Some(131_073.0));
        assert_eq!(DataType::Int64.number(WordOrder::Big, &[0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF]), Some(-1.0));
        assert_eq!(DataType::Float64.number(WordOrder::Big, &[0x4029, 0, 0, 0]), Some(12.5));
        assert_eq!(DataType::Uint32.number(WordOrder::Big, &[1]), None, "too few registers");
        assert_eq!(DataType::Bits.number(WordOrder::Big, &[1]), None, "bits are no number");
    }

    #[test]
    fn every_type_has_its_name() {
        for name in crate::language::DATA_TYPES {
            assert!(DataType::from_name(name).is_some(), "{name}");
        }
        assert_eq!(DataType::from_name("uint8"), None);
    }
}
