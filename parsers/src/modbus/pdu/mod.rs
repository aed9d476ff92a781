//! The Modbus PDU (Application Protocol V1.1b3, clause 6): function code and what follows it.
//!
//! ```text
//! +----------+---- ... ----+      +-----------------+-----------+
//! | function | data        |  or  | function | 0x80 | exception |
//! | code     |             |      |                 | code      |
//! +----------+---- ... ----+      +-----------------+-----------+
//! ```
//!
//! [`decode`] reads the fields in wire order and stops where the octets end, so that a cut PDU still
//! shows what was there. It allocates nothing; values stay octets until somebody asks for them.

mod length;
mod request;
mod response;

pub(crate) use length::{Length, Shape, expected, fits, shape};

use nom::IResult;
use nom::number::complete::be_u8;

use super::function::{DIAGNOSTICS, ENCAPSULATED, UMAS};

/// What a PDU is to be read as.
#[derive(Debug, Copy, Clone, Eq, PartialEq, Default)]
pub(crate) enum Role {
    /// From the client.
    #[default]
    Request,
    /// From the server.
    Response,
}

/// Whether the octets fill the layout.
#[derive(Debug, Copy, Clone, Eq, PartialEq, Default)]
pub(crate) enum Fit {
    /// Exactly.
    #[default]
    Exact,
    /// They end too early.
    Short,
    /// Some are left behind it.
    Surplus,
    /// The code has no public layout.
    Opaque,
}

/// A decoded PDU. A field that is not on the wire, or that was not reached, is `None`.
#[derive(Debug, Copy, Clone, Default)]
pub(crate) struct Pdu<'a> {
    /// All octets, function code first.
    pub(crate) octets: &'a [u8],
    pub(crate) role: Role,
    /// Without the exception bit.
    pub(crate) code: u8,
    pub(crate) exception: bool,
    pub(crate) exception_code: Option<u8>,
    pub(crate) address: Option<u16>,
    pub(crate) quantity: Option<u16>,
    pub(crate) byte_count: Option<u16>,
    /// The value of functions 5, 6 and 8, the status of 7, 11 and 12.
    pub(crate) value: Option<u16>,
    pub(crate) read_address: Option<u16>,
    pub(crate) read_quantity: Option<u16>,
    pub(crate) write_address: Option<u16>,
    pub(crate) write_quantity: Option<u16>,
    pub(crate) and_mask: Option<u16>,
    pub(crate) or_mask: Option<u16>,
    pub(crate) diagnostic: Option<u16>,
    /// Functions 11 and 12.
    pub(crate) event_count: Option<u16>,
    /// Function 12.
    pub(crate) message_count: Option<u16>,
    pub(crate) mei: Option<u8>,
    /// Function 43/14.
    pub(crate) identification: Identification,
    /// Function 90: pairing key.
    pub(crate) umas_key: Option<u8>,
    /// Function 90: UMAS function of a request, 0xFE or 0xFD of a response.
    pub(crate) umas_code: Option<u8>,
    /// Values: bits, registers, file records, objects, or whatever an opaque code carries.
    pub(crate) data: &'a [u8],
    pub(crate) fit: Fit,
    /// Where the layout broke, or where surplus octets begin: offset from the function code.
    pub(crate) broke_at: usize,
}

/// The fields of read device identification (function 43/14, clause 6.21).
#[derive(Debug, Copy, Clone, Default)]
pub(crate) struct Identification {
    pub(crate) code: Option<u8>,
    /// Request only.
    pub(crate) object: Option<u8>,
    /// The rest: response only.
    pub(crate) conformity: Option<u8>,
    pub(crate) more_follows: Option<u8>,
    pub(crate) next_object: Option<u8>,
    pub(crate) objects: Option<u8>,
}

impl Pdu<'_> {
    /// Sub-function, MEI type or UMAS function of a request, if there is one.
    pub(crate) fn sub(&self) -> Option<u16> {
        match self.code {
            DIAGNOSTICS => self.diagnostic,
            ENCAPSULATED => self.mei.map(u16::from),
            UMAS if self.role == Role::Request => self.umas_code.map(u16::from),
            _ => None,
        }
    }

    /// The octets behind the function code.
    pub(crate) fn body(&self) -> &[u8] {
        self.octets.get(1..).unwrap_or_default()
    }

    /// Whether the octet is missing that says what the PDU is about: exception code, sub-function, MEI
    /// type.
    pub(crate) fn lacks_identity(&self) -> bool {
        if self.exception {
            // With code 0 the fields beneath are read, and one octet is no sub-function.
            let beneath = self.exception_code == Some(0) && self.code == DIAGNOSTICS;
            return self.exception_code.is_none() || beneath && self.octets.len() < 3;
        }
        match self.code {
            DIAGNOSTICS => self.diagnostic.is_none(),
            ENCAPSULATED => self.mei.is_none(),
            _ => false,
        }
    }
}

/// What a reader of one layout returns; nom's error says that the octets ended.
type Read<'a> = IResult<&'a [u8], ()>;

/// Read the fields of a PDU.
pub(crate) fn decode(octets: &[u8], role: Role) -> Pdu<'_> {
    let mut pdu = Pdu { octets, role, ..Pdu::default() };
    let result = read(octets, &mut pdu);
    let missing_at = octets.len();
    match result {
        Ok(([], ())) if is_opaque(&pdu) => pdu.fit = Fit::Opaque,
        Ok(([], ())) => {}
        Ok((rest, ())) => {
            pdu.fit = Fit::Surplus;
            pdu.broke_at = octets.len() - rest.len();
        }
        Err(_) => {
            pdu.fit = Fit::Short;
            pdu.broke_at = missing_at;
        }
    }
    pdu
}

/// Read the fields as if the exception bit were not set.
pub(crate) fn decode_beneath(octets: &[u8], role: Role) -> Pdu<'_> {
    let mut pdu = Pdu { octets, role, ..Pdu::default() };
    if let Some((code, body)) = octets.split_first() {
        pdu.code = code & 0x7F;
        // What is missing is left out; the true reading tells of the trouble.
        let _ = read_fields(body, &mut pdu);
    }
    pdu
}

fn is_opaque(pdu: &Pdu<'_>) -> bool {
    let public = super::function::is_public(pdu.code);
    let mei = pdu.code == ENCAPSULATED && pdu.mei != Some(super::function::MEI_IDENTIFICATION);
    !pdu.exception && (!public || mei)
}

fn read<'a>(input: &'a [u8], pdu: &mut Pdu<'a>) -> Read<'a> {
    let (input, code) = be_u8(input)?;
    pdu.code = code & 0x7F;
    pdu.exception = code & 0x80 != 0;
    if pdu.exception {
        let (input, code) = be_u8(input)?;
        pdu.exception_code = Some(code);
        return Ok((input, ()));
    }
    read_fields(input, pdu)
}

fn read_fields<'a>(input: &'a [u8], pdu: &mut Pdu<'a>) -> Read<'a> {
    match pdu.role {
        Role::Request => request::read(input, pdu),
        Role::Response => response::read(input, pdu),
    }
}

/// Take `count` octets as the PDU's data; what is there if there are fewer.
fn values<'a>(input: &'a [u8], count: usize, pdu: &mut Pdu<'a>) -> Read<'a> {
    pdu.data = input.get(..count).unwrap_or(input);
    let (input, _) = nom::bytes::complete::take(count)(input)?;
    Ok((input, ()))
}

/// Take all octets as the PDU's data.
fn everything<'a>(input: &'a [u8], pdu: &mut Pdu<'a>) -> Read<'a> {
    values(input, input.len(), pdu)
}
