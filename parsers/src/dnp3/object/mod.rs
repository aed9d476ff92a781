//! Objects: what an application fragment carries, IEEE 1815 clause 5 and annex A.
//!
//! ```text
//! header.rs     object headers, qualifiers, objects one by one
//! walk.rs       the walk over the headers, and how far each reaches
//! fault.rs      what can be wrong with them
//! layout.rs     fields and size of every group and variation
//! value.rs      from octets to points
//! names.rs      names of groups, flags, status codes
//! structured.rs files (g70), authentication (g120) and the like, field by field
//! ```

pub(super) mod fault;
pub(super) mod header;
pub(super) mod layout;
pub(super) mod names;
pub(super) mod structured;
pub(super) mod value;
mod walk;

pub(super) use fault::{Fault, Observed, Trouble};
pub(super) use header::{ObjectHeader, Range};
pub(super) use walk::Walk;
