//! GOOSE: who tells, and who listens.

mod publisher;
mod subscriber;

pub(crate) use publisher::Publishing;
pub(crate) use subscriber::Listening;
