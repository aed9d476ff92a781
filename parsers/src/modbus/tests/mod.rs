//! Tests of the whole dissector.
