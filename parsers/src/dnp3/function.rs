//! Application function codes, IEEE 1815 clause 4.4 and table 4-1.

use crate::contract::{Action, Function};

/// CONFIRM.
pub(super) const CONFIRM: u8 = 0;
/// READ.
pub(super) const READ: u8 = 1;
/// WRITE.
pub(super) const WRITE: u8 = 2;
/// SELECT.
pub(super) const SELECT: u8 = 3;
/// OPERATE.
pub(super) const OPERATE: u8 = 4;
/// DIRECT_OPERATE.
pub(super) const DIRECT_OPERATE: u8 = 5;
/// DIRECT_OPERATE_NR.
pub(super) const DIRECT_OPERATE_NR: u8 = 6;
/// IMMED_FREEZE.
pub(super) const IMMED_FREEZE: u8 = 7;
/// FREEZE_CLEAR_NR.
pub(super) const FREEZE_CLEAR_NR: u8 = 10;
/// FREEZE_AT_TIME.
pub(super) const FREEZE_AT_TIME: u8 = 11;
/// FREEZE_AT_TIME_NR.
pub(super) const FREEZE_AT_TIME_NR: u8 = 12;
/// COLD_RESTART.
pub(super) const COLD_RESTART: u8 = 13;
/// WARM_RESTART.
pub(super) const WARM_RESTART: u8 = 14;
/// ENABLE_UNSOLICITED.
pub(super) const ENABLE_UNSOLICITED: u8 = 20;
/// DISABLE_UNSOLICITED.
pub(super) const DISABLE_UNSOLICITED: u8 = 21;
/// DELAY_MEASURE.
pub(super) const DELAY_MEASURE: u8 = 23;
/// RECORD_CURRENT_TIME.
pub(super) const RECORD_CURRENT_TIME: u8 = 24;
/// AUTHENTICATE_REQ.
pub(super) const AUTHENTICATE_REQ: u8 = 32;
/// AUTH_REQ_NO_ACK.
pub(super) const AUTH_REQ_NO_ACK: u8 = 33;
/// RESPONSE.
pub(super) const RESPONSE: u8 = 129;
/// UNSOLICITED_RESPONSE.
pub(super) const UNSOLICITED_RESPONSE: u8 = 130;
/// AUTHENTICATE_RESP.
pub(super) const AUTHENTICATE_RESP: u8 = 131;

/// Code, name and class of every function the standard defines.
#[rustfmt::skip]
static FUNCTIONS: [(u8, &str, Action); 37] = [
    (0,   "confirm",              Action::Confirm),
    (1,   "read",                 Action::Read),
    (2,   "write",                Action::Write),
    (3,   "select",               Action::Select),
    (4,   "operate",              Action::Operate),
    (5,   "direct_operate",       Action::DirectOperate),
    (6,   "direct_operate_nr",    Action::DirectOperate),
    (7,   "immed_freeze",         Action::Freeze),
    (8,   "immed_freeze_nr",      Action::Freeze),
    (9,   "freeze_clear",         Action::Freeze),
    (10,  "freeze_clear_nr",      Action::Freeze),
    (11,  "freeze_at_time",       Action::Freeze),
    (12,  "freeze_at_time_nr",    Action::Freeze),
    (13,  "cold_restart",         Action::Restart),
    (14,  "warm_restart",         Action::Restart),
    (15,  "initialize_data",      Action::Configure),
    (16,  "initialize_appl",      Action::Program),
    (17,  "start_appl",           Action::Program),
    (18,  "stop_appl",            Action::Program),
    (19,  "save_config",          Action::Configure),
    (20,  "enable_unsolicited",   Action::Configure),
    (21,  "disable_unsolicited",  Action::Configure),
    (22,  "assign_class",         Action::Configure),
    (23,  "delay_measure",        Action::Time),
    (24,  "record_current_time",  Action::Time),
    (25,  "open_file",            Action::File),
    (26,  "close_file",           Action::File),
    (27,  "delete_file",          Action::File),
    (28,  "get_file_info",        Action::File),
    (29,  "authenticate_file",    Action::File),
    (30,  "abort_file",           Action::File),
    (31,  "activate_config",      Action::Program),
    (32,  "authenticate_req",     Action::Authenticate),
    (33,  "auth_req_no_ack",      Action::Authenticate),
    (129, "response",             Action::Report),
    (130, "unsolicited_response", Action::Report),
    (131, "authenticate_resp",    Action::Authenticate),
];

/// `ROWS[code]` is the code's row in [`FUNCTIONS`], 255 if it has none.
static ROWS: [u8; 256] = rows();

const fn rows() -> [u8; 256] {
    let mut rows = [255; 256];
    let mut row = 0;
    while row < FUNCTIONS.len() {
        rows[FUNCTIONS[row].0 as usize] = row as u8;
        row += 1;
    }
    rows
}

fn row(code: u8) -> Option<&'static (u8, &'static str, Action)> {
    FUNCTIONS.get(usize::from(ROWS[usize::from(code)]))
}

/// The function with its name.
pub(super) fn function(code: u8) -> Function {
    Function { code, sub: None, name: row(code).map_or("unknown", |r| r.1) }
}

/// The class that a function code alone gives.
pub(super) fn action(code: u8) -> Action {
    row(code).map_or(Action::Unknown, |r| r.2)
}

/// Whether the standard defines the code.
pub(super) fn is_defined(code: u8) -> bool {
    row(code).is_some()
}

/// Whether the code belongs to outstations. Undefined codes count as requests below 128, as
/// responses from 128 on, the bit that the standard's own codes keep to.
pub(super) fn is_response(code: u8) -> bool {
    code & 0x80 != 0
}

/// Whether a request asks the outstation to stay silent.
pub(super) fn is_no_response(code: u8) -> bool {
    matches!(code, DIRECT_OPERATE_NR | 8 | FREEZE_CLEAR_NR | FREEZE_AT_TIME_NR | AUTH_REQ_NO_ACK)
}

/// Whether a request operates outputs, so that its response has to echo its objects.
pub(super) fn is_control(code: u8) -> bool {
    matches!(code, SELECT | OPERATE | DIRECT_OPERATE | DIRECT_OPERATE_NR)
}

/// Whether the function has no objects at all (authentication objects apart).
pub(super) fn takes_no_objects(code: u8) -> bool {
    matches!(code, CONFIRM | COLD_RESTART | WARM_RESTART | DELAY_MEASURE | RECORD_CURRENT_TIME)
}

/// Whether object headers of this function stand alone, without the objects themselves.
pub(super) fn is_header_only(code: u8) -> bool {
    HEADER_ONLY[usize::from(code)]
}

static HEADER_ONLY: [bool; 256] = header_only();

const fn header_only() -> [bool; 256] {
    let mut all = [false; 256];
    let mut code = 0;
    while code < all.len() {
        all[code] = matches!(code as u8, CONFIRM | READ | IMMED_FREEZE..=15 | 19..=RECORD_CURRENT_TIME);
        code += 1;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_of_the_standard_has_a_name_of_its_own_and_no_other_has() {
        let mut names: Vec<_> = FUNCTIONS.iter().map(|r| r.1).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), FUNCTIONS.len());
        for code in 0..=255u8 {
            assert_eq!(is_defined(code), matches!(code, 0..=33 | 129..=131), "{code}");
        }
        assert_eq!(function(200).name, "unknown");
    }

    #[test]
    fn no_response_functions_are_known() {
        let silent: Vec<u8> = (0..=255).filter(|c| is_no_response(*c)).collect();
        assert_eq!(silent, [6, 8, 10, 12, 33]);
    }
}
