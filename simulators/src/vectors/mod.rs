//! Vectors: exchanges with everything a reader must find in them, written down by the side that encoded
//! them. They are compared with gridtap's reading and with tshark's.

pub mod dnp3;
mod frames;
pub mod goose;
pub mod iec104;
pub mod modbus;

pub use frames::{VectorFrame, frames};

use crate::value::Value;
use crate::wire::{Line, Side};

/// An exchange and what is in it.
#[derive(Debug, Clone)]
pub struct Vector {
    /// Unique name: function or object, and what is special.
    pub name: String,
    /// The PDUs, one a line: a Modbus ADU, the link frames of one DNP3 fragment, or an APDU.
    pub script: Vec<Line>,
    /// What is in each line; as many as `script` has.
    pub expected: Vec<Expected>,
}

/// What a reader must find in one PDU.
#[derive(Debug, Clone, Default)]
pub struct Expected {
    /// `request`, `response`, `unsolicited` or `confirm`.
    pub exchange: &'static str,
    /// Function code, without the exception bit.
    pub function: u8,
    /// Sub-function, MEI type or UMAS function.
    pub sub: Option<u16>,
    /// Unit id or the outstation's link address.
    pub station: u16,
    /// Transaction id or application sequence number.
    pub sequence: u16,
    /// Modbus exception code.
    pub exception: Option<u8>,
    /// DNP3 internal indications, first octet * 256 + second.
    pub iin: Option<u16>,
    /// Runs of points: kind, first and last address. `None`: not laid down.
    pub ranges: Option<Vec<(&'static str, u32, u32)>>,
    /// Points with values, in wire order.
    pub points: Vec<ExpectedPoint>,
    /// Whether the reader is free in how it cuts the content into points (files, identification,
    /// authentication): then only the values must be there, in some form.
    pub loose: bool,
    /// IEC 104: the APDU with all its elements.
    pub apdu: Option<iec104::Apdu>,
}

/// A point and its value.
#[derive(Debug, Clone, PartialEq)]
pub struct ExpectedPoint {
    /// Kind, by the contract's names (`coil`, `analog_input`, ...; `object` for other DNP3 groups).
    pub kind: &'static str,
    /// Address or index; `None` where the wire gives none.
    pub address: Option<u32>,
    /// The value.
    pub value: Value,
    /// Flags octet, raw (the state bits included).
    pub flags: Option<u8>,
    /// Command status.
    pub status: Option<u8>,
    /// Time of the event.
    pub time_ms: Option<u64>,
    /// DNP3 group and variation.
    pub object: Option<(u8, u8)>,
}

impl ExpectedPoint {
    /// A point with a value and nothing else.
    pub fn new(kind: &'static str, address: u32, value: Value) -> ExpectedPoint {
        ExpectedPoint {
            kind,
            address: Some(address),
            value,
            flags: None,
            status: None,
            time_ms: None,
            object: None,
        }
    }
}

impl Vector {
    /// A vector of one exchange: the client's line first, then the server's answers.
    pub fn new(name: impl Into<String>, lines: Vec<(Side, Vec<u8>, Expected)>) -> Vector {
        let mut script = Vec::new();
        let mut expected = Vec::new();
        for (side, bytes, content) in lines {
            script.push(Line { from: side, bytes, delay_ns: 1_000_000 });
            expected.push(content);
        }
        Vector { name: name.into(), script, expected }
    }
}
