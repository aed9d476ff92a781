//! Function codes: names, classes, exception codes (Application Protocol V1.1b3, clauses 5 to 7).
//!
//! Codes 1 to 127 are requests and their answers, the code with bit 7 set is an exception. Public codes
//! have a layout of their own (see `pdu`); the others are shown with their octets.

use crate::contract::{Action, Function};

/// Unity, the engineering channel of Schneider controllers, tunnelled in a reserved code.
pub(crate) const UMAS: u8 = 90;
/// Diagnostics; the sub-function says what happens.
pub(crate) const DIAGNOSTICS: u8 = 8;
/// Encapsulated interface transport; the MEI type says what is inside.
pub(crate) const ENCAPSULATED: u8 = 43;
/// MEI type of a CANopen general reference.
pub(crate) const MEI_CANOPEN: u8 = 13;
/// MEI type of read device identification.
pub(crate) const MEI_IDENTIFICATION: u8 = 14;
/// Diagnostics sub-function after which a device answers no more.
pub(crate) const FORCE_LISTEN_ONLY: u16 = 4;

/// Whether the standard gives this code a layout.
pub(crate) fn is_public(code: u8) -> bool {
    matches!(code, 1..=8 | 11 | 12 | 15..=17 | 20..=24 | 43)
}

/// Whether a request with this code changes outputs or registers, so that sent to unit 0 it is a
/// broadcast on a serial line.
pub(crate) fn writes(code: u8) -> bool {
    matches!(code, 5 | 6 | 15 | 16 | 21 | 22 | 23)
}

/// The function with its name: the sub-function's where the code has sub-functions.
#[inline]
pub(crate) fn function(code: u8, sub: Option<u16>) -> Function {
    let name = match sub {
        None => name(code),
        Some(sub) => name_of_sub(code, sub),
    };
    Function { code, sub, name }
}

fn name_of_sub(code: u8, sub: u16) -> &'static str {
    match (code, sub) {
        (DIAGNOSTICS, sub) => diagnostic_name(sub),
        (ENCAPSULATED, 13) => "canopen_general_reference",
        (ENCAPSULATED, 14) => "read_device_identification",
        (UMAS, umas) => umas_name(umas),
        _ => name(code),
    }
}

/// The name of a code by itself.
#[inline]
pub(crate) fn name(code: u8) -> &'static str {
    /// By code: looked up for every PDU.
    static NAMES: [&str; 128] = {
        let mut names = [""; 128];
        let mut code = 0;
        while code < names.len() {
            names[code] = name_of(code as u8);
            code += 1;
        }
        names
    };
    NAMES.get(usize::from(code)).copied().unwrap_or("unknown")
}

const fn name_of(code: u8) -> &'static str {
    match code {
        1 => "read_coils",
        2 => "read_discrete_inputs",
        3 => "read_holding_registers",
        4 => "read_input_registers",
        5 => "write_single_coil",
        6 => "write_single_register",
        7 => "read_exception_status",
        8 => "diagnostics",
        11 => "get_comm_event_counter",
        12 => "get_comm_event_log",
        15 => "write_multiple_coils",
        16 => "write_multiple_registers",
        17 => "report_server_id",
        20 => "read_file_record",
        21 => "write_file_record",
        22 => "mask_write_register",
        23 => "read_write_multiple_registers",
        24 => "read_fifo_queue",
        43 => "encapsulated_interface_transport",
        // Not in the standard, but with a known use.
        9 => "program_484",
        10 => "poll_484",
        13 => "program_controller",
        14 => "poll_controller",
        18 => "program_884",
        19 => "reset_comm_link",
        40 => "program_concept",
        41 => "multiple_function_codes",
        90 => "umas",
        91 => "object_messaging",
        125 => "firmware_replacement",
        126 => "program_584_984",
        127 => "report_local_address",
        _ => "unknown",
    }
}

fn diagnostic_name(sub: u16) -> &'static str {
    match sub {
        0 => "return_query_data",
        1 => "restart_communications_option",
        2 => "return_diagnostic_register",
        3 => "change_ascii_input_delimiter",
        4 => "force_listen_only_mode",
        10 => "clear_counters_and_diagnostic_register",
        11 => "return_bus_message_count",
        12 => "return_bus_communication_error_count",
        13 => "return_bus_exception_error_count",
        14 => "return_server_message_count",
        15 => "return_server_no_response_count",
        16 => "return_server_nak_count",
        17 => "return_server_busy_count",
        18 => "return_bus_character_overrun_count",
        20 => "clear_overrun_counter_and_flag",
        _ => "diagnostics",
    }
}

/// Whether the standard defines this diagnostics sub-function.
pub(crate) fn is_public_diagnostic(sub: u16) -> bool {
    matches!(sub, 0..=4 | 10..=18 | 20)
}

fn umas_name(umas: u16) -> &'static str {
    match umas {
        0x01 => "umas_init_comm",
        0x02 => "umas_read_id",
        0x03 => "umas_read_project_info",
        0x04 => "umas_read_plc_info",
        0x06 => "umas_read_card_info",
        0x0A => "umas_repeat",
        0x10 => "umas_take_reservation",
        0x11 => "umas_release_reservation",
        0x12 => "umas_keep_alive",
        0x20 => "umas_read_memory_block",
        0x22 => "umas_read_variables",
        0x23 => "umas_write_variables",
        0x24 => "umas_read_coils_registers",
        0x25 => "umas_write_coils_registers",
        0x30 => "umas_upload_start",
        0x31 => "umas_upload_block",
        0x32 => "umas_upload_end",
        0x33 => "umas_download_start",
        0x34 => "umas_download_block",
        0x35 => "umas_download_end",
        0x39 => "umas_read_ethernet_master_data",
        0x40 => "umas_start_plc",
        0x41 => "umas_stop_plc",
        0x50 => "umas_monitor",
        0x58 => "umas_check_plc",
        0x60 => "umas_set_breakpoint",
        0x70 => "umas_read_io_object",
        0x71 => "umas_write_io_object",
        0x73 => "umas_module_status",
        _ => "umas",
    }
}

/// The class of a function.
pub(crate) fn action(code: u8, sub: Option<u16>) -> Action {
    match code {
        1..=4 | 7 | 24 => Action::Read,
        5 | 6 | 15 | 16 | 22 | 23 => Action::Write,
        8 => diagnostic_action(sub),
        11 | 12 => Action::Diagnose,
        17 | 127 => Action::Identify,
        20 | 21 => Action::File,
        // CANopen objects can be written through it and nothing on the outside tells: the worse case.
        43 if sub == Some(13) => Action::Write,
        43 if sub == Some(14) => Action::Identify,
        UMAS => sub.map_or(Action::Unknown, umas_action),
        9 | 10 | 13 | 14 | 18 | 40 | 125 | 126 => Action::Program,
        19 => Action::Restart,
        _ => Action::Unknown,
    }
}

fn diagnostic_action(sub: Option<u16>) -> Action {
    match sub {
        Some(1 | 4) => Action::Restart,
        Some(3) => Action::Configure,
        Some(10 | 20) => Action::Freeze,
        _ => Action::Diagnose,
    }
}

/// The UMAS map differs between controller families, so a code in no list counts as programming.
fn umas_action(umas: u16) -> Action {
    match umas {
        0x01..=0x06 | 0x0A | 0x12 | 0x20 | 0x22 | 0x24 | 0x39 | 0x50 | 0x58 | 0x70 | 0x73 => Action::Read,
        0x23 | 0x25 | 0x71 => Action::Write,
        0x40 | 0x41 => Action::Restart,
        _ => Action::Program,
    }
}

/// The standard's name of an exception code; `None` if it has none.
pub(crate) fn exception_name(code: u8) -> Option<&'static str> {
    Some(match code {
        1 => "illegal_function",
        2 => "illegal_data_address",
        3 => "illegal_data_value",
        4 => "server_device_failure",
        5 => "acknowledge",
        6 => "server_device_busy",
        7 => "negative_acknowledge",
        8 => "memory_parity_error",
        10 => "gateway_path_unavailable",
        11 => "gateway_target_device_failed_to_respond",
        _ => return None,
    })
}

/// The name of a device identification object.
pub(crate) fn object_name(id: u8) -> &'static str {
    match id {
        0 => "vendor_name",
        1 => "product_code",
        2 => "major_minor_revision",
        3 => "vendor_url",
        4 => "product_name",
        5 => "model_name",
        6 => "user_application_name",
        7..=0x7F => "reserved",
        0x80..=0xFF => "private",
    }
}
