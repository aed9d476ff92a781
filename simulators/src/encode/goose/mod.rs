//! GOOSE (IEC 61850-8-1): the Ethernet frame, the PDU in BER, and the data of a data set.
//!
//! ```text
//! destination(6) source(6) [VLAN tag(4)]... 88b8 APPID(2) length(2) reserved(2) reserved(2)
//!   61 length  80 gocbRef 81 timeAllowedtoLive 82 datSet [83 goID] 84 t 85 stNum 86 sqNum
//!              87 simulation 88 confRev 89 ndsCom 8a numDatSetEntries ab { data ... }
//! ```
//! Big-endian. `length` counts from the APPID to the end of the PDU.

mod ber;
mod data;
mod frame;
mod pdu;

pub use ber::{Numbers, length, signed, tlv, unsigned};
pub use data::Data;
pub use frame::{Frame, Heard, Tag, parse};
pub use pdu::{Pdu, UtcTime};

#[cfg(test)]
mod tests;
