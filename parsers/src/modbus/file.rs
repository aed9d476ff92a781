//! Lists inside PDUs, walked in place: file sub-requests and sub-responses (clauses 6.14, 6.15) and
//! device identification objects (clause 6.21). Every walk ends where the octets do.
//!
//! ```text
//! sub-request   | 6 | file (2) | record (2) | registers (2) | [values, function 21] |
//! sub-response  | length | 6 | values |
//! object        | id | length | text |
//! ```

use nom::IResult;
use nom::bytes::complete::take;
use nom::number::complete::{be_u8, be_u16};

/// The only reference type there is.
pub(crate) const REFERENCE: u8 = 6;

/// One part of a file request, or of the echo of a file write.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub(crate) struct SubRequest<'a> {
    pub(crate) reference: u8,
    pub(crate) file: u16,
    pub(crate) record: u16,
    pub(crate) registers: u16,
    /// Function 21 only.
    pub(crate) values: &'a [u8],
}

impl SubRequest<'_> {
    /// The address of the first register in the numbering of points.
    pub(crate) fn address(&self) -> u32 {
        u32::from(self.file) << 16 | u32::from(self.record)
    }

    /// The address of the last one.
    pub(crate) fn last(&self) -> u32 {
        self.address().saturating_add(u32::from(self.registers).saturating_sub(1))
    }
}

fn sub_request(input: &[u8], with_values: bool) -> IResult<&[u8], SubRequest<'_>> {
    let (input, reference) = be_u8(input)?;
    let (input, file) = be_u16(input)?;
    let (input, record) = be_u16(input)?;
    let (input, registers) = be_u16(input)?;
    let count = if with_values { 2 * usize::from(registers) } else { 0 };
    let (input, values) = take(count)(input)?;
    Ok((input, SubRequest { reference, file, record, registers, values }))
}

/// One part of the answer to a file read.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub(crate) struct SubResponse<'a> {
    pub(crate) length: u8,
    pub(crate) reference: u8,
    pub(crate) values: &'a [u8],
}

fn sub_response(input: &[u8]) -> IResult<&[u8], SubResponse<'_>> {
    let (input, length) = be_u8(input)?;
    let (input, reference) = be_u8(input)?;
    // `length` counts the reference type too.
    let (input, values) = take(usize::from(length).saturating_sub(1))(input)?;
    Ok((input, SubResponse { length, reference, values }))
}

/// One identification object.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub(crate) struct Object<'a> {
    pub(crate) id: u8,
    pub(crate) value: &'a [u8],
}

fn object(input: &[u8]) -> IResult<&[u8], Object<'_>> {
    let (input, id) = be_u8(input)?;
    let (input, length) = be_u8(input)?;
    let (input, value) = take(length)(input)?;
    Ok((input, Object { id, value }))
}

/// A walk over a list, with what could not be read left in `rest`.
pub(crate) struct Walk<'a, T> {
    pub(crate) rest: &'a [u8],
    step: fn(&'a [u8]) -> IResult<&'a [u8], T>,
}

impl<T> Iterator for Walk<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        if self.rest.is_empty() {
            return None;
        }
        let (rest, item) = (self.step)(self.rest).ok()?;
        self.rest = rest;
        Some(item)
    }
}

/// The sub-requests of function 20 (without values) or 21 (with values).
pub(crate) fn sub_requests(data: &[u8], with_values: bool) -> Walk<'_, SubRequest<'_>> {
    let step = if with_values { |i| sub_request(i, true) } else { |i| sub_request(i, false) };
    Walk { rest: data, step }
}

/// The sub-responses of function 20.
pub(crate) fn sub_responses(data: &[u8]) -> Walk<'_, SubResponse<'_>> {
    Walk { rest: data, step: sub_response }
}

/// The objects of function 43/14.
pub(crate) fn objects(data: &[u8]) -> Walk<'_, Object<'_>> {
    Walk { rest: data, step: object }
}
