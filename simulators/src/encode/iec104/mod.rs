//! IEC 60870-5-104: APCI, ASDUs and the information elements of IEC 60870-5-101.
//!
//! ```text
//! 68 length control(4)                                             APCI: I, S or U frame
//!   type VSQ cause originator common-address(2)                    ASDU header
//!     { object-address(3) elements } ...                           SQ = 0
//!     object-address(3) elements elements ...                      SQ = 1: addresses count up
//! ```
//! Everything is little-endian. `length` counts from behind itself, 253 at most.

mod apci;
mod asdu;
mod elements;
mod types;

pub use apci::{Frame, START, U_FRAMES, Unframed, frame_i, frame_s, frame_u, u, unframe};
pub use asdu::{Asdu, Object, cause};
pub use elements::{Element, Time, octets};
pub use types::{Kind, TYPES, TypeRow, element, size, type_id, type_row};

#[cfg(test)]
mod tests;
