//! A DNP3 outstation: one device, and a session with every master that ever spoke to it.
//!
//! ```text
//! outstation.rs  requests, indications, restart        static_data.rs  what a read answers
//! session.rs     one master: events, confirms, select  control.rs      select and operate
//! events.rs      changes of the process, unsolicited responses
//! ```

mod control;
mod events;
mod outstation;
mod session;
mod static_data;
#[cfg(test)]
mod tests;

pub(crate) use outstation::{Outcome, Outstation, Sent, framed};

/// Function codes.
pub(crate) mod function {
    pub(crate) const CONFIRM: u8 = 0;
    pub(crate) const READ: u8 = 1;
    pub(crate) const WRITE: u8 = 2;
    pub(crate) const SELECT: u8 = 3;
    pub(crate) const OPERATE: u8 = 4;
    pub(crate) const DIRECT_OPERATE: u8 = 5;
    pub(crate) const DIRECT_OPERATE_NO_ACK: u8 = 6;
    pub(crate) const FREEZE: u8 = 7;
    pub(crate) const FREEZE_NO_ACK: u8 = 8;
    pub(crate) const FREEZE_CLEAR: u8 = 9;
    pub(crate) const COLD_RESTART: u8 = 13;
    pub(crate) const WARM_RESTART: u8 = 14;
    pub(crate) const ENABLE_UNSOLICITED: u8 = 20;
    pub(crate) const DISABLE_UNSOLICITED: u8 = 21;
    pub(crate) const ASSIGN_CLASS: u8 = 22;
    pub(crate) const DELAY_MEASURE: u8 = 23;
    pub(crate) const RECORD_CURRENT_TIME: u8 = 24;
    pub(crate) const RESPONSE: u8 = 129;
    pub(crate) const UNSOLICITED: u8 = 130;
}

/// Internal indications, first and second octet.
pub(crate) mod iin {
    pub(crate) const BROADCAST: u8 = 0x01;
    pub(crate) const CLASS_1: u8 = 0x02;
    pub(crate) const NEED_TIME: u8 = 0x10;
    pub(crate) const RESTART: u8 = 0x80;
    pub(crate) const NO_FUNCTION: u8 = 0x01;
    pub(crate) const OBJECT_UNKNOWN: u8 = 0x02;
    pub(crate) const PARAMETER: u8 = 0x04;
    pub(crate) const OVERFLOW: u8 = 0x08;
}
