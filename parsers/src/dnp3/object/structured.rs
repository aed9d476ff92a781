//! Objects with named parts: files (g70), authentication (g120) and others, walked into the decode tree.

use super::header::ObjectHeader;
use crate::contract::FieldSink;

/// Hand out the parts of a structured object; nothing if it has none.
pub(in crate::dnp3) fn fields(_header: &ObjectHeader<'_>, _octets: &[u8], _sink: &mut dyn FieldSink) {}
