//! The functions a rule can name, by the standard's name in `snake_case`: MODBUS Application Protocol
//! V1.1b3 clause 6, IEEE 1815 clause 4.4. Any other code is named by its number (`fc:90`).

use parsers::Protocol;

/// Functions by code.
const MODBUS: &[(u8, &str)] = &[
    (1, "read_coils"),
    (2, "read_discrete_inputs"),
    (3, "read_holding_registers"),
    (4, "read_input_registers"),
    (5, "write_single_coil"),
    (6, "write_single_register"),
    (7, "read_exception_status"),
    (8, "diagnostics"),
    (11, "get_comm_event_counter"),
    (12, "get_comm_event_log"),
    (15, "write_multiple_coils"),
    (16, "write_multiple_registers"),
    (17, "report_server_id"),
    (20, "read_file_record"),
    (21, "write_file_record"),
    (22, "mask_write_register"),
    (23, "read_write_multiple_registers"),
    (24, "read_fifo_queue"),
    (43, "encapsulated_interface_transport"),
];

const DNP3: &[(u8, &str)] = &[
    (0, "confirm"),
    (1, "read"),
    (2, "write"),
    (3, "select"),
    (4, "operate"),
    (5, "direct_operate"),
    (6, "direct_operate_nr"),
    (7, "immed_freeze"),
    (8, "immed_freeze_nr"),
    (9, "freeze_clear"),
    (10, "freeze_clear_nr"),
    (11, "freeze_at_time"),
    (12, "freeze_at_time_nr"),
    (13, "cold_restart"),
    (14, "warm_restart"),
    (15, "initialize_data"),
    (16, "initialize_appl"),
    (17, "start_appl"),
    (18, "stop_appl"),
    (19, "save_config"),
    (20, "enable_unsolicited"),
    (21, "disable_unsolicited"),
    (22, "assign_class"),
    (23, "delay_measure"),
    (24, "record_current_time"),
    (25, "open_file"),
    (26, "close_file"),
    (27, "delete_file"),
    (28, "get_file_info"),
    (29, "authenticate_file"),
    (30, "abort_file"),
    (31, "activate_config"),
    (32, "authenticate_req"),
    (33, "auth_req_no_ack"),
    (129, "response"),
    (130, "unsolicited_response"),
    (131, "authenticate_resp"),
];

fn table(protocol: Protocol) -> &'static [(u8, &'static str)] {
    match protocol {
        Protocol::Modbus => MODBUS,
        Protocol::Dnp3 => DNP3,
    }
}

/// The code of a function, by the standard's name in `snake_case`.
#[must_use]
pub fn function_by_name(protocol: Protocol, name: &str) -> Option<u8> {
    table(protocol).iter().find(|(_, n)| *n == name).map(|(code, _)| *code)
}

/// The names a rule may use for a protocol's functions, in the order of their codes.
pub fn function_names(protocol: Protocol) -> impl Iterator<Item = &'static str> {
    table(protocol).iter().map(|(_, name)| *name)
}

/// The standard's name of a function code, if it has one.
#[must_use]
pub fn function_name(protocol: Protocol, code: u8) -> Option<&'static str> {
    table(protocol).iter().find(|(c, _)| *c == code).map(|(_, name)| *name)
}
