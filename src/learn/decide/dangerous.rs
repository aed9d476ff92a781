//! Functions that are never learned: allowing them is a decision, however often they were seen.

use parsers::{Action, Protocol};

use crate::learn::pair::FunctionKey;

/// Why a function is never learned, if it is not.
pub(super) fn dangerous(protocol: Protocol, key: &FunctionKey) -> Option<&'static str> {
    match (protocol, key.code, key.sub) {
        (Protocol::Modbus, 8, Some(10)) => return Some("clears counters"),
        (Protocol::Modbus, 125, _) => return Some("replaces firmware"),
        (Protocol::Dnp3, 15, _) => return Some("initialises data"),
        (Protocol::Dnp3, 27, _) => return Some("deletes a file"),
        (Protocol::Dnp3, 31, _) => return Some("activates a configuration"),
        (Protocol::Iec104, 122, Some(4)) => return Some("deletes a file"),
        _ => {}
    }
    match key.action {
        Action::Restart => Some("restarts, stops or silences a station"),
        Action::Program => Some("loads, starts or stops a program"),
        _ => None,
    }
}

/// Functions of a master's start-up: seen once a session, and harmless.
pub(super) fn belongs_to_start(protocol: Protocol, key: &FunctionKey) -> bool {
    match protocol {
        // Write of the restart indication, enable unsolicited, delay measurement; clocks.
        Protocol::Dnp3 => {
            key.action == Action::Time
                || matches!((key.action, key.code), (Action::Configure, 2 | 20) | (Action::Time, 23 | 24))
        }
        // Interrogations, clocks, tests; the stop before a change-over.
        Protocol::Iec104 => {
            matches!(key.action, Action::Time | Action::Diagnose) || matches!(key.code, 0 | 100 | 101)
        }
        Protocol::Modbus | Protocol::Goose => false,
    }
}
