//! DNP3 (IEEE 1815): link frames, transport segments, application fragments, objects.
//!
//! ```text
//! 05 64 length control destination(2) source(2) CRC(2) | up to 16 octets CRC(2) | ...
//!   transport octet: FIN FIR sequence(6)
//!     application: FIR FIN CON UNS sequence(4), function, [IIN(2)], objects
//! ```
//! Everything is little-endian.

mod application;
mod link;
mod objects;
mod special;

pub use application::{Header, Prefix, Range, confirm, request, response, unsolicited};
pub use link::{Unframed, control, crc, frames, frames_from, link_frame, segments, unframe};
pub use objects::{Field, Sample, VARIATIONS, layout, object, pack_bits, pack_double_bits};
pub use special::*;

#[cfg(test)]
mod tests;
