//! Tests of the whole crate: errors word for word, the judge's matrix, and the judge against a naive one.
#![allow(clippy::unwrap_used, clippy::panic)]

mod errors;
mod errors_rules;
mod errors_told;
mod files;
mod hostile;
mod language;
mod matrix;
mod naive;
mod schema;
mod spread;
mod support;
