//! Values in a plain form, so that what an encoder put in can be compared with what a reader got out.

use core::fmt;

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// No value: the address alone.
    None,
    /// One bit.
    Bit(bool),
    /// DNP3 double-bit state, 0 to 3.
    DoubleBit(u8),
    /// Unsigned number.
    Unsigned(u64),
    /// Signed number.
    Signed(i64),
    /// 32-bit float.
    Float32(f32),
    /// 64-bit float.
    Float64(f64),
    /// Milliseconds since 1970.
    TimeMs(u64),
    /// DNP3 control: code, count, on time and off time in milliseconds.
    Crob(u8, u8, u32, u32),
    /// Modbus mask write: AND, OR.
    Mask(u16, u16),
    /// Octets with or without a meaning as text.
    Octets(Vec<u8>),
}

impl fmt::Display for Value {
    /// One word for the kind and the value behind it; floats also by their bits, so that not even the
    /// sign of zero is lost.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::None => write!(f, "none"),
            Value::Bit(bit) => write!(f, "bit {}", u8::from(*bit)),
            Value::DoubleBit(state) => write!(f, "double-bit {state}"),
            Value::Unsigned(n) => write!(f, "unsigned {n}"),
            Value::Signed(n) => write!(f, "signed {n}"),
            Value::Float32(x) => write!(f, "float32 {x} ({:08x})", x.to_bits()),
            Value::Float64(x) => write!(f, "float64 {x} ({:016x})", x.to_bits()),
            Value::TimeMs(ms) => write!(f, "time {ms}"),
            Value::Crob(code, count, on, off) => write!(f, "crob {code:02x} x{count} on {on} off {off}"),
            Value::Mask(and, or) => write!(f, "mask and {and:04x} or {or:04x}"),
            Value::Octets(bytes) => {
                write!(f, "octets ")?;
                bytes.iter().try_for_each(|b| write!(f, "{b:02x}"))
            }
        }
    }
}
