//! The functions a rule can name, by the names of the standards in `snake_case`: MODBUS Application
//! Protocol V1.1b3 clause 6, IEEE 1815 clause 4.4; then what vendors made of the reserved Modbus codes.
//! They are the names that operations carry. Any other function is written by its number (`fc:100`).

use parsers::Protocol;

/// Code, sub-function, name.
type Row = (u8, Option<u16>, &'static str);

#[rustfmt::skip]
const MODBUS: &[Row] = &[
    (1, None, "read_coils"),
    (2, None, "read_discrete_inputs"),
    (3, None, "read_holding_registers"),
    (4, None, "read_input_registers"),
    (5, None, "write_single_coil"),
    (6, None, "write_single_register"),
    (7, None, "read_exception_status"),
    (8, None, "diagnostics"),
    (8, Some(0), "return_query_data"),
    (8, Some(1), "restart_communications_option"),
    (8, Some(2), "return_diagnostic_register"),
    (8, Some(3), "change_ascii_input_delimiter"),
    (8, Some(4), "force_listen_only_mode"),
    (8, Some(10), "clear_counters_and_diagnostic_register"),
    (8, Some(11), "return_bus_message_count"),
    (8, Some(12), "return_bus_communication_error_count"),
    (8, Some(13), "return_bus_exception_error_count"),
    (8, Some(14), "return_server_message_count"),
    (8, Some(15), "return_server_no_response_count"),
    (8, Some(16), "return_server_nak_count"),
    (8, Some(17), "return_server_busy_count"),
    (8, Some(18), "return_bus_character_overrun_count"),
    (8, Some(20), "clear_overrun_counter_and_flag"),
    (9, None, "program_484"),
    (10, None, "poll_484"),
    (11, None, "get_comm_event_counter"),
    (12, None, "get_comm_event_log"),
    (13, None, "program_controller"),
    (14, None, "poll_controller"),
    (15, None, "write_multiple_coils"),
    (16, None, "write_multiple_registers"),
    (17, None, "report_server_id"),
    (18, None, "program_884"),
    (19, None, "reset_comm_link"),
    (20, None, "read_file_record"),
    (21, None, "write_file_record"),
    (22, None, "mask_write_register"),
    (23, None, "read_write_multiple_registers"),
    (24, None, "read_fifo_queue"),
    (40, None, "program_concept"),
    (41, None, "multiple_function_codes"),
    (43, None, "encapsulated_interface_transport"),
    (43, Some(13), "canopen_general_reference"),
    (43, Some(14), "read_device_identification"),
    (90, None, "umas"),
    (90, Some(0x01), "umas_init_comm"),
    (90, Some(0x02), "umas_read_id"),
    (90, Some(0x03), "umas_read_project_info"),
    (90, Some(0x04), "umas_read_plc_info"),
    (90, Some(0x06), "umas_read_card_info"),
    (90, Some(0x0A), "umas_repeat"),
    (90, Some(0x10), "umas_take_reservation"),
    (90, Some(0x11), "umas_release_reservation"),
    (90, Some(0x12), "umas_keep_alive"),
    (90, Some(0x20), "umas_read_memory_block"),
    (90, Some(0x22), "umas_read_variables"),
    (90, Some(0x23), "umas_write_variables"),
    (90, Some(0x24), "umas_read_coils_registers"),
    (90, Some(0x25), "umas_write_coils_registers"),
    (90, Some(0x30), "umas_upload_start"),
    (90, Some(0x31), "umas_upload_block"),
    (90, Some(0x32), "umas_upload_end"),
    (90, Some(0x33), "umas_download_start"),
    (90, Some(0x34), "umas_download_block"),
    (90, Some(0x35), "umas_download_end"),
    (90, Some(0x39), "umas_read_ethernet_master_data"),
    (90, Some(0x40), "umas_start_plc"),
    (90, Some(0x41), "umas_stop_plc"),
    (90, Some(0x50), "umas_monitor"),
    (90, Some(0x58), "umas_check_plc"),
    (90, Some(0x60), "umas_set_breakpoint"),
    (90, Some(0x70), "umas_read_io_object"),
    (90, Some(0x71), "umas_write_io_object"),
    (90, Some(0x73), "umas_module_status"),
    (91, None, "object_messaging"),
    (125, None, "firmware_replacement"),
    (126, None, "program_584_984"),
    (127, None, "report_local_address"),
];

#[rustfmt::skip]
const DNP3: &[Row] = &[
    (0, None, "confirm"),
    (1, None, "read"),
    (2, None, "write"),
    (3, None, "select"),
    (4, None, "operate"),
    (5, None, "direct_operate"),
    (6, None, "direct_operate_nr"),
    (7, None, "immed_freeze"),
    (8, None, "immed_freeze_nr"),
    (9, None, "freeze_clear"),
    (10, None, "freeze_clear_nr"),
    (11, None, "freeze_at_time"),
    (12, None, "freeze_at_time_nr"),
    (13, None, "cold_restart"),
    (14, None, "warm_restart"),
    (15, None, "initialize_data"),
    (16, None, "initialize_appl"),
    (17, None, "start_appl"),
    (18, None, "stop_appl"),
    (19, None, "save_config"),
    (20, None, "enable_unsolicited"),
    (21, None, "disable_unsolicited"),
    (22, None, "assign_class"),
    (23, None, "delay_measure"),
    (24, None, "record_current_time"),
    (25, None, "open_file"),
    (26, None, "close_file"),
    (27, None, "delete_file"),
    (28, None, "get_file_info"),
    (29, None, "authenticate_file"),
    (30, None, "abort_file"),
    (31, None, "activate_config"),
    (32, None, "authenticate_req"),
    (33, None, "auth_req_no_ack"),
    (129, None, "response"),
    (130, None, "unsolicited_response"),
    (131, None, "authenticate_resp"),
];

fn table(protocol: Protocol) -> &'static [Row] {
    match protocol {
        Protocol::Modbus => MODBUS,
        Protocol::Dnp3 => DNP3,
    }
}

/// Code and sub-function of a function by its name; no sub-function: all of them.
#[must_use]
pub fn function_by_name(protocol: Protocol, name: &str) -> Option<(u8, Option<u16>)> {
    table(protocol).iter().find(|row| row.2 == name).map(|row| (row.0, row.1))
}

/// The names a rule may use for a protocol's functions, in the order of their codes.
pub fn function_names(protocol: Protocol) -> impl Iterator<Item = &'static str> {
    table(protocol).iter().map(|row| row.2)
}

/// The name of a function, if it has one. `sub` is `None` for a function with all its sub-functions.
#[must_use]
pub fn function_name(protocol: Protocol, code: u8, sub: Option<u16>) -> Option<&'static str> {
    table(protocol).iter().find(|row| (row.0, row.1) == (code, sub)).map(|row| row.2)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An operation carries the name that a rule may use, whatever table it came from.
    #[test]
    fn names_are_those_that_operations_carry() {
        for code in 0..=255 {
            let subs = (0..=255).map(Some).chain([None]);
            for sub in subs {
                let carried = parsers::function(Protocol::Modbus, code, sub).name;
                let whole = || function_name(Protocol::Modbus, code, None);
                let own = function_name(Protocol::Modbus, code, sub).or_else(whole);
                assert_eq!(own.unwrap_or("unknown"), carried, "modbus {code}/{sub:?}");
            }
            let carried = parsers::function(Protocol::Dnp3, code, None).name;
            assert_eq!(
                function_name(Protocol::Dnp3, code, None).unwrap_or("unknown"),
                carried,
                "dnp3 {code}"
            );
        }
    }

    #[test]
    fn every_name_and_every_code_stands_once() {
        for protocol in Protocol::ALL {
            for (code, sub, name) in table(protocol) {
                assert_eq!(function_by_name(protocol, name), Some((*code, *sub)), "{name}");
                assert_eq!(function_name(protocol, *code, *sub), Some(*name));
            }
        }
        assert_eq!(function_by_name(Protocol::Modbus, "cold_restart"), None);
    }
}
