//! An IEC 104 controlled station: points, commands, and a session with every controlling station.
//!
//! ```text
//! points.rs   the point list           session.rs  connections, start and stop, events
//! station.rs  requests of the system   control.rs  select, execute, termination
//! ```

mod control;
mod points;
mod session;
mod station;
#[cfg(test)]
mod tests;

pub(crate) use points::address;
pub(crate) use session::Outcome;
pub(crate) use station::Controlled;
