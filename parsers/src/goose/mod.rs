//! GOOSE: what an IED publishes to all who listen, over Ethernet without IP (IEC 61850-8-1 clause 18, annex A).
//!
//! ```text
//! Ethernet payload -> header  APPID, Length, Reserved 1 (S bit), Reserved 2
//!                  -> ber     elements: tag, length, value
//!                  -> pdu     the elements of a goosePdu; check: what is wrong with them
//!                  -> data    the members of the data set
//!                  -> session Unit, Operation, Defect; detail: the content on demand
//! ```
//!
//! A message is whole in its frame and needs no other: the session remembers nothing. Which state follows which
//! is judged over all publishers of a control block, above the flows.

mod ber;
mod check;
mod data;
mod detail;
mod header;
mod pdu;
mod session;
#[cfg(test)]
mod tests;
mod time;

pub use data::{MAX_DEPTH, MAX_MEMBERS};

use crate::contract::{
    Action, AddressTerms, Dissector, Function, FunctionRow, Probe, Protocol, SelectRule, StationAddress,
};

/// Ethertype of GOOSE.
pub const ETHERTYPE: u16 = 0x88B8;
/// Ethertype of GSE management.
pub const ETHERTYPE_MANAGEMENT: u16 = 0x88B9;

/// Functions. The protocol has no codes on the wire; these are the numbers of the APDU's tags.
const FUNCTIONS: &[FunctionRow] = &[(0, None, "gse_management"), (1, None, "goose")];

/// A function with its name.
fn function_of(code: u8) -> Function {
    let name = FUNCTIONS.iter().find(|row| row.0 == code).map_or("unknown", |row| row.2);
    Function { code, sub: None, name }
}

/// The class of a function by its code.
fn action_of(code: u8) -> Action {
    match code {
        0 => Action::Configure,
        1 => Action::Report,
        _ => Action::Unknown,
    }
}

/// The control block reference, the first element of a goosePdu: everything about it is judged in one place,
/// whoever sends it. The APDU's octets where there is none.
fn subject(payload: &[u8]) -> &[u8] {
    let body = payload.get(header::LENGTH..).unwrap_or_default();
    let elements = match ber::element(body) {
        Ok((_, apdu)) if apdu.tag == pdu::GOOSE => apdu.value,
        _ => return body.get(..2).unwrap_or(body),
    };
    match ber::element(elements) {
        Ok((_, first)) if first.tag == pdu::GOCB_REF => first.value,
        _ => body.get(..2).unwrap_or(body),
    }
}

/// The registration row.
pub const DISSECTOR: Dissector = Dissector {
    protocol: Protocol::Goose,
    functions: FUNCTIONS,
    codes: 0..=1,
    function: |code, _| function_of(code),
    action: |code, _| action_of(code),
    is_everyday: |_| true,
    measures: |_, _| false,
    // Nobody asks a publisher, so it has no address as a station: its control block and APPID name it.
    address: AddressTerms {
        key: "appid",
        what: "APPID",
        plural: "APPIDs",
        stations: 0..=0xFFFF,
        broadcasts: None,
        address: |_| StationAddress::None,
    },
    select: SelectRule::SameObject,
    device: "ied",
    tcp_ports: &[],
    udp_ports: &[],
    ethertypes: &[ETHERTYPE, ETHERTYPE_MANAGEMENT],
    subject,
    probe: |_| Probe::No,
    open: |_, _| Box::new(session::GooseSession::default()),
};
