//! Objects: what an application fragment carries, IEEE 1815 clause 5 and annex A.
//!
//! ```text
//! header.rs     object headers, qualifiers, and the walk over them
//! layout.rs     fields and size of every group and variation
//! value.rs      from octets to points
//! names.rs      names of groups, flags, status codes
//! structured.rs files (g70), authentication (g120) and the like, field by field
//! ```

pub(super) mod header;
pub(super) mod layout;
pub(super) mod names;
pub(super) mod structured;
pub(super) mod value;

pub(super) use header::{ObjectHeader, Range, Trouble, Walk};
