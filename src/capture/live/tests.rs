//! Live capture in network namespaces of the tests' own: nothing leaves them.
#![allow(clippy::unwrap_used, clippy::panic)]

mod filter;
mod namespace;
mod sandbox;
mod watching;
