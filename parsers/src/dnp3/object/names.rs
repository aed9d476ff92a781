//! Names that the standard gives to groups, flags and status codes.

use super::layout::{self, Lead, Shape};

/// The name of a group in `snake_case`.
#[rustfmt::skip]
pub(in crate::dnp3) fn group(group: u8) -> &'static str {
    match group {
        0 => "device_attribute",
        1 => "binary_input",
        2 => "binary_input_event",
        3 => "double_bit_binary_input",
        4 => "double_bit_binary_input_event",
        10 => "binary_output",
        11 => "binary_output_event",
        12 => "binary_output_command",
        13 => "binary_output_command_event",
        20 => "counter",
        21 => "frozen_counter",
        22 => "counter_event",
        23 => "frozen_counter_event",
        30 => "analog_input",
        31 => "frozen_analog_input",
        32 => "analog_input_event",
        33 => "frozen_analog_input_event",
        34 => "analog_input_deadband",
        40 => "analog_output_status",
        41 => "analog_output_command",
        42 => "analog_output_event",
        43 => "analog_output_command_event",
        50 => "time_and_date",
        51 => "common_time_of_occurrence",
        52 => "time_delay",
        60 => "class_data",
        70 => "file_control",
        80 => "internal_indications",
        81 => "device_storage",
        82 => "device_profile",
        83 => "data_set_private_registration",
        85 => "data_set_prototype",
        86 => "data_set_descriptor",
        87 => "data_set_present_value",
        88 => "data_set_event",
        90 => "application",
        91 => "status_of_requested_operation",
        100 => "floating_point",
        101 => "binary_coded_decimal",
        102 => "unsigned_integer",
        110 => "octet_string",
        111 => "octet_string_event",
        112 => "virtual_terminal_output",
        113 => "virtual_terminal_event",
        120 => "authentication",
        121 => "security_statistic",
        122 => "security_statistic_event",
        _ => "unknown",
    }
}

const COMMON: [&str; 5] = ["online", "restart", "comm_lost", "remote_forced", "local_forced"];

/// Names of the flags set in a flags octet of an object. State bits are values, not flags.
pub(in crate::dnp3) fn flags(object: (u8, u8), octet: u8) -> impl Iterator<Item = &'static str> {
    let special: [Option<&str>; 3] = match (object.0, layout::shape(object.0, object.1)) {
        (_, Some(Shape::DoubleState(_))) => [Some("chatter_filter"), None, None],
        (1..=2, _) => [Some("chatter_filter"), Some("reserved"), None],
        (10..=11, _) => [Some("reserved_5"), Some("reserved_6"), None],
        (20..=23, _) => [Some("rollover"), Some("discontinuity"), Some("reserved")],
        (30..=33 | 40..=42, Some(Shape::Number(Lead::Flags, ..))) => {
            [Some("over_range"), Some("reference_err"), Some("reserved")]
        }
        _ => [Some("bit_5"), Some("bit_6"), Some("bit_7")],
    };
    let names = COMMON.into_iter().map(Some).chain(special).enumerate();
    names.filter(move |(bit, _)| octet >> bit & 1 != 0).filter_map(|(_, name)| name)
}

/// Command status, clause 11.9.7 and annex A (groups 12, 13, 41, 43).
#[rustfmt::skip]
pub(in crate::dnp3) fn command_status(code: u8) -> &'static str {
    match code {
        0 => "success",
        1 => "timeout",
        2 => "no_select",
        3 => "format_error",
        4 => "not_supported",
        5 => "already_active",
        6 => "hardware_error",
        7 => "local",
        8 => "too_many_objs",
        9 => "not_authorized",
        10 => "automation_inhibit",
        11 => "processing_limited",
        12 => "out_of_range",
        13 => "downstream_local",
        14 => "already_complete",
        15 => "blocked",
        16 => "cancelled",
        17 => "blocked_other_master",
        18 => "downstream_fail",
        126 => "non_participating",
        127 => "undefined",
        _ => "reserved",
    }
}

/// File status, group 70 variations 4 and 6.
#[rustfmt::skip]
pub(in crate::dnp3) fn file_status(code: u8) -> &'static str {
    match code {
        0 => "success",
        1 => "permission_denied",
        2 => "invalid_mode",
        3 => "file_not_found",
        4 => "file_locked",
        5 => "too_many_open",
        6 => "invalid_handle",
        7 => "write_block_size",
        8 => "comm_lost",
        9 => "cannot_abort",
        16 => "not_opened",
        17 => "handle_expired",
        18 => "buffer_overrun",
        19 => "fatal",
        20 => "block_sequence",
        255 => "undefined",
        _ => "reserved",
    }
}

/// Operation type of a control code, bits 3 to 0.
pub(in crate::dnp3) fn operation_type(code: u8) -> &'static str {
    match code & 0x0F {
        0 => "nul",
        1 => "pulse_on",
        2 => "pulse_off",
        3 => "latch_on",
        4 => "latch_off",
        _ => "undefined",
    }
}

/// Trip/close code of a control code, bits 7 and 6.
pub(in crate::dnp3) fn trip_close(code: u8) -> &'static str {
    match code >> 6 {
        0 => "nul",
        1 => "close",
        2 => "trip",
        _ => "reserved",
    }
}

/// State of a double-bit input.
pub(in crate::dnp3) fn double_bit(state: u8) -> &'static str {
    match state & 3 {
        0 => "intermediate",
        1 => "determined_off",
        2 => "determined_on",
        _ => "indeterminate",
    }
}

/// Authentication error, group 120 variation 7.
#[rustfmt::skip]
pub(in crate::dnp3) fn auth_error(code: u8) -> &'static str {
    match code {
        1 => "authentication_failed",
        2 => "unexpected_response",
        3 => "no_response",
        4 => "aggressive_mode_not_supported",
        5 => "mac_algorithm_not_supported",
        6 => "key_wrap_not_supported",
        7 => "authorization_failed",
        8 => "update_key_method_not_permitted",
        9 => "invalid_signature",
        10 => "invalid_certification",
        11 => "unknown_user",
        12 => "too_many_key_status_requests",
        _ => "reserved",
    }
}

/// MAC algorithm, group 120 variations 1 and 5.
pub(in crate::dnp3) fn mac_algorithm(code: u8) -> &'static str {
    match code {
        0 => "none",
        1 => "hmac_sha1_4",
        2 => "hmac_sha1_10",
        3 => "hmac_sha256_8",
        4 => "hmac_sha256_16",
        5 => "hmac_sha1_8",
        6 => "aes_gmac",
        _ => "reserved",
    }
}

/// Key wrap algorithm, group 120 variation 5.
pub(in crate::dnp3) fn key_wrap(code: u8) -> &'static str {
    match code {
        1 => "aes_128",
        2 => "aes_256",
        _ => "reserved",
    }
}

/// Key status, group 120 variation 5.
pub(in crate::dnp3) fn key_status(code: u8) -> &'static str {
    match code {
        1 => "ok",
        2 => "not_init",
        3 => "comm_fail",
        4 => "auth_fail",
        _ => "reserved",
    }
}
