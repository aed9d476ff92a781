//! The contract between the monitor and the protocols.
//!
//! ```text
//! flow layer --Chunk--> Session --Unit, Operation, Defect--> Observer
//!            <-Progress-
//! ```
//!
//! Rules that every [`Session`] keeps:
//!
//! 1. **Splitting changes nothing.** The same bytes in one chunk or byte by byte give the same units,
//!    operations and defects. A session therefore decides nothing by where a chunk ends: when the bytes
//!    at hand do not settle a question it consumes up to there and says how many it needs.
//! 2. **The flow layer keeps the tail.** What `feed` does not consume comes again, in front of the next
//!    bytes. Sessions hold no partial PDU of their own (DNP3 holds the *checked* segments of a fragment).
//! 3. **Nothing is dropped in silence.** Bytes that are no PDU become a [`Defect`] and parsing goes on.
//! 4. **Bounded.** Tables follow [`Limits`]; reaching a limit is a defect.
//! 5. **No allocation per PDU.** Values are decoded from validated bytes when somebody asks for them.

mod action;
mod defect;
mod dissector;
mod field;
mod flow;
mod operation;
mod point;
mod publication;
mod sizes;
mod time;

pub use action::*;
pub use defect::*;
pub use dissector::*;
pub use field::*;
pub use flow::*;
pub use operation::*;
pub use point::*;
pub use publication::*;
pub use sizes::*;
pub use time::*;
