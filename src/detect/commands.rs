//! Functions that stop, restart, silence or erase: dangerous by what they are, whoever sends them.
//!
//! A profile that allows such a function for this pair by name or class has accepted it; the caller then
//! stays silent. Functions that belong to a normal start-up (DNP3 `disable_unsolicited`) are only held
//! against senders that a profile does not allow them.

use parsers::{Action, Operation, PointKind, Protocol};

use crate::report::catalogue::FindingKind;

/// When a function is reported.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
enum When {
    /// Unless the profile allows it.
    Always,
    /// Only if there is a profile and it does not allow it.
    Denied,
}

struct Row {
    protocol: Protocol,
    code: u8,
    sub: Option<u16>,
    kind: FindingKind,
    when: When,
}

const fn row(protocol: Protocol, code: u8, sub: Option<u16>, kind: FindingKind) -> Row {
    Row { protocol, code, sub, kind, when: When::Always }
}

const fn denied(protocol: Protocol, code: u8, kind: FindingKind) -> Row {
    Row { protocol, code, sub: None, kind, when: When::Denied }
}

/// Row of a U frame of IEC 104: code 0, the function's bits as sub-function.
const fn denied_frame(bits: u16, kind: FindingKind) -> Row {
    Row { protocol: Iec104, code: 0, sub: Some(bits), kind, when: When::Denied }
}

use FindingKind::{
    ClearCommand, FirmwareUpdate, LogErase, NoResponseControl, RestartCommand, SilenceCommand, StopCommand,
};
use Protocol::{Dnp3, Iec104, Modbus};

/// Modbus: Application Protocol V1.1b3, 6.8 (diagnostics); UMAS 40/41 as seen in captures.
/// DNP3: IEEE 1815-2012, 4.4. IEC 104: STOPDT (5.3), C_RP_NA_1, F_SC_NA_1 with the qualifier for deleting a file
/// (IEC 60870-5-101, 7.2.6.27 and 7.2.6.30).
const COMMANDS: &[Row] = &[
    row(Modbus, 8, Some(1), RestartCommand),
    row(Modbus, 8, Some(4), SilenceCommand),
    row(Modbus, 8, Some(10), LogErase),
    row(Modbus, 90, Some(0x40), RestartCommand),
    row(Modbus, 90, Some(0x41), StopCommand),
    row(Modbus, 125, None, FirmwareUpdate),
    row(Dnp3, 6, None, NoResponseControl),
    row(Dnp3, 13, None, RestartCommand),
    row(Dnp3, 14, None, RestartCommand),
    row(Dnp3, 15, None, ClearCommand),
    row(Dnp3, 16, None, RestartCommand),
    row(Dnp3, 18, None, StopCommand),
    denied(Dnp3, 21, SilenceCommand),
    row(Dnp3, 27, None, ClearCommand),
    denied(Dnp3, 31, FirmwareUpdate),
    denied_frame(0x10, SilenceCommand),
    row(Iec104, 105, None, RestartCommand),
    row(Iec104, 122, Some(4), ClearCommand),
];

/// The codes of [`COMMANDS`] by protocol, a bit each: nearly all commands are none of these.
static LISTED: [[u64; 4]; Protocol::ALL.len()] = listed();

const fn listed() -> [[u64; 4]; Protocol::ALL.len()] {
    let mut listed = [[0; 4]; Protocol::ALL.len()];
    let mut at = 0;
    while at < COMMANDS.len() {
        let Row { protocol, code, .. } = COMMANDS[at];
        listed[protocol as usize][code as usize / 64] |= 1 << (code % 64);
        at += 1;
    }
    listed
}

/// What kind of dangerous command a request is, if it is one. `allowed` is the profile's verdict; `None`
/// without a profile.
#[must_use]
#[inline]
pub fn dangerous(operation: &Operation<'_>, allowed: Option<bool>) -> Option<FindingKind> {
    let code = usize::from(operation.function.code);
    let listed = LISTED[operation.protocol as usize][code / 64] >> (code % 64) & 1 == 1;
    if listed && allowed != Some(true) { listed_as(operation, allowed) } else { None }
}

#[cold]
fn listed_as(operation: &Operation<'_>, allowed: Option<bool>) -> Option<FindingKind> {
    let function = operation.function;
    COMMANDS
        .iter()
        .filter(|row| row.protocol == operation.protocol && row.code == function.code)
        .find(|row| row.sub.is_none() || row.sub == function.sub)
        .filter(|row| row.when == When::Always || allowed == Some(false))
        .map(|row| row.kind)
}

/// Whether a request sets the dead-band of an analog input (DNP3 group 34, IEEE 1815-2012 A.20; IEC 104 P_ME with
/// the threshold as its kind, IEC 60870-5-101 7.2.6.24): the station then keeps smaller changes to itself.
#[must_use]
pub fn sets_deadband(operation: &Operation<'_>) -> bool {
    /// Kind of parameter in the qualifier: threshold.
    const THRESHOLD: u16 = 1;
    let parameter = operation.protocol == Iec104 && matches!(operation.function.code, 110..=112);
    if parameter {
        return operation.function.sub == Some(THRESHOLD);
    }
    operation.action == Action::Write
        && operation.ranges.iter().any(|range| range.kind() == PointKind::AnalogDeadband)
}
