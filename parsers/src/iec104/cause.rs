//! Causes of transmission (IEC 60870-5-101, 7.2.3).

/// Causes that have a meaning of their own in the code.
pub(super) const INITIALISED: u8 = 4;
pub(super) const REQUEST: u8 = 5;
pub(super) const ACTIVATION: u8 = 6;
pub(super) const ACTIVATION_CON: u8 = 7;
pub(super) const DEACTIVATION: u8 = 8;
pub(super) const DEACTIVATION_CON: u8 = 9;
pub(super) const TERMINATION: u8 = 10;
/// 44 to 47: why a station does not know what it was asked.
pub(super) const UNKNOWN: core::ops::RangeInclusive<u8> = 44..=47;

/// Name of a cause, `snake_case`.
pub(super) fn name(cause: u8) -> &'static str {
    match cause {
        1 => "periodic",
        2 => "background_scan",
        3 => "spontaneous",
        4 => "initialised",
        5 => "request",
        6 => "activation",
        7 => "activation_confirmation",
        8 => "deactivation",
        9 => "deactivation_confirmation",
        10 => "activation_termination",
        11 => "return_remote_command",
        12 => "return_local_command",
        13 => "file_transfer",
        14 => "authentication",
        15 => "session_key",
        16 => "user_role",
        20 => "station_interrogation",
        21..=36 => "group_interrogation",
        37 => "general_counter_request",
        38..=41 => "group_counter_request",
        44 => "unknown_type_id",
        45 => "unknown_cause",
        46 => "unknown_common_address",
        47 => "unknown_object_address",
        _ => "reserved",
    }
}

/// Whether only the controlling station sends it.
pub(super) fn commands(cause: u8) -> bool {
    matches!(cause, ACTIVATION | DEACTIVATION)
}

/// Whether only the controlled station sends it.
pub(super) fn answers(cause: u8) -> bool {
    matches!(cause, 1..=4 | ACTIVATION_CON | DEACTIVATION_CON | TERMINATION | 11 | 12 | 20..=41)
        || UNKNOWN.contains(&cause)
}

/// Whether a cause goes with a type (tables 3 to 6 of IEC 60870-5-101, 7.4, which companion standards widen).
pub(super) fn fits(type_id: u8, cause: u8) -> bool {
    let unknown = UNKNOWN.contains(&cause);
    match type_id {
        1..=8 | 20 => matches!(cause, 2 | 3 | 5 | 11 | 12 | 20..=36),
        9..=14 | 21 => matches!(cause, 1..=3 | 5 | 20..=36),
        15 | 16 | 37 => matches!(cause, 3 | 37..=41),
        17..=19 | 38..=40 => cause == 3,
        // Measured values with time are sent periodically by many, and by interrogation by some.
        30..=36 => matches!(cause, 1..=3 | 5 | 11 | 12 | 20..=36),
        45..=51 | 58..=64 => matches!(cause, 6..=10) || unknown,
        70 => cause == INITIALISED,
        100 => matches!(cause, 6..=10) || unknown,
        101 => matches!(cause, 6..=10) || unknown,
        102 => cause == REQUEST || unknown,
        103 => matches!(cause, 3 | 6 | 7) || unknown,
        104..=107 => matches!(cause, 3 | 6 | 7) || unknown,
        110..=112 => matches!(cause, 6 | 7 | 20..=36) || unknown,
        113 => matches!(cause, 6..=9) || unknown,
        120..=127 => matches!(cause, 3 | 5 | 13) || unknown,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_tells_who_sends_it_or_neither() {
        for cause in 0..=63 {
            assert!(!(commands(cause) && answers(cause)), "{cause}");
        }
        assert!(!commands(REQUEST) && !answers(REQUEST), "a read and its answer have the same");
        assert!(fits(45, 47) && fits(100, 10) && !fits(45, 3) && !fits(1, 6));
    }
}
