//! What a poll reads, in the words of a scenario.

use std::str::FromStr;

use crate::encode::dnp3::{Header, Range};
use crate::encode::iec104::{Element, octets, type_id as id};
use crate::encode::modbus::Request;
use crate::scenario::Language;

/// Something that is read.
#[derive(Debug, Clone, Eq, PartialEq)]
pub enum Read {
    /// DNP3: headers of a read.
    Objects(Vec<u8>),
    /// DNP3: request link status.
    LinkStatus,
    /// Modbus: a PDU.
    Pdu(Vec<u8>),
    /// IEC 104: type, cause, address of the object, octets.
    Asdu(Vec<u8>),
}

impl Read {
    /// What it belongs to.
    pub fn language(&self) -> Language {
        match self {
            Read::Objects(_) | Read::LinkStatus => Language::Dnp3,
            Read::Pdu(_) => Language::Modbus,
            Read::Asdu(_) => Language::Iec104,
        }
    }
}

fn all(objects: &[(u8, u8)]) -> Read {
    Read::Objects(objects.iter().flat_map(|(g, v)| Header::new(*g, *v, Range::All).encode()).collect())
}

/// A request of IEC 104: type, cause, address of the object (three octets), octets.
pub(super) fn asdu(type_id: u8, cause: u8, object: u32, elements: &[Element]) -> Vec<u8> {
    let [a, b, c, _] = object.to_le_bytes();
    [&[type_id, cause, a, b, c], octets(elements).as_slice()].concat()
}

impl FromStr for Read {
    type Err = ();

    fn from_str(text: &str) -> Result<Read, ()> {
        Ok(match text {
            "integrity" => all(&[(60, 2), (60, 3), (60, 4), (60, 1)]),
            "events" => all(&[(60, 2), (60, 3), (60, 4)]),
            "class 0" => all(&[(60, 1)]),
            "class 1" => all(&[(60, 2)]),
            "class 2" => all(&[(60, 3)]),
            "class 3" => all(&[(60, 4)]),
            "counters" => all(&[(20, 0)]),
            "analogs" => all(&[(30, 0)]),
            "binaries" => all(&[(1, 0)]),
            "link_status" => Read::LinkStatus,
            "identification" => Read::Pdu(Request::DeviceId(1, 0).pdu()),
            "interrogation" => Read::Asdu(asdu(id::C_IC_NA_1, 6, 0, &[Element::Qoi(20)])),
            "counter interrogation" => {
                Read::Asdu(asdu(id::C_CI_NA_1, 6, 0, &[Element::Qcc { request: 5, freeze: 0 }]))
            }
            // The time is filled in when it is sent.
            "clock" => Read::Asdu(asdu(id::C_CS_NA_1, 6, 0, &[Element::Raw(vec![0; 7])])),
            "test" => Read::Asdu(asdu(id::C_TS_TA_1, 6, 0, &[Element::Tsc(1), Element::Raw(vec![0; 7])])),
            _ if text.starts_with("object ") => {
                let object = text[7..].trim().parse().map_err(|_| ())?;
                Read::Asdu(asdu(id::C_RD_NA_1, 5, object, &[]))
            }
            _ => {
                let (kind, range) = text.split_once(' ').ok_or(())?;
                let function = match kind {
                    "coil" => 1,
                    "discrete_input" => 2,
                    "holding_register" => 3,
                    "input_register" => 4,
                    _ => return Err(()),
                };
                let (first, last) = range.split_once('-').unwrap_or((range, range));
                let first: u16 = first.trim().parse().map_err(|_| ())?;
                let last: u16 = last.trim().parse().map_err(|_| ())?;
                let count = last.checked_sub(first).ok_or(())?.checked_add(1).ok_or(())?;
                if count > if function < 3 { 2000 } else { 125 } {
                    return Err(());
                }
                Read::Pdu(Request::Read(function, first, count).pdu())
            }
        })
    }
}
