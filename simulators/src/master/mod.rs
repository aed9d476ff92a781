//! Masters: what they ask for, over which connections, and what their operators do.

mod actions;
mod iec104;
mod link;
mod modbus;
mod outstations;
mod poll;

pub use crate::station::points::Command;
pub(crate) use crate::station::points::{command, commands};
pub(crate) use actions::{MasterState, command_body};
pub(crate) use link::Link;
pub use poll::Read;
