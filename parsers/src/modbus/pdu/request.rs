//! Layouts of requests, one function each, fields in wire order (clauses 6.1 to 6.21).

use nom::number::complete::{be_u8, be_u16};

use super::{Pdu, Read, everything, values};
use crate::modbus::function::{MEI_IDENTIFICATION, UMAS};

pub(super) fn read<'a>(input: &'a [u8], pdu: &mut Pdu<'a>) -> Read<'a> {
    match pdu.code {
        1..=4 => address_and_quantity(input, pdu),
        5 | 6 => write_single(input, pdu),
        7 | 11 | 12 | 17 => Ok((input, ())),
        8 => diagnostics(input, pdu),
        15 | 16 => write_multiple(input, pdu),
        20 | 21 => file_record(input, pdu),
        22 => mask_write(input, pdu),
        23 => read_write(input, pdu),
        24 => read_fifo(input, pdu),
        43 => encapsulated(input, pdu),
        UMAS => umas(input, pdu),
        _ => everything(input, pdu),
    }
}

/// Functions 1 to 4; also the answer to 15 and 16.
pub(super) fn address_and_quantity<'a>(input: &'a [u8], pdu: &mut Pdu<'a>) -> Read<'a> {
    let (input, address) = be_u16(input)?;
    pdu.address = Some(address);
    let (input, quantity) = be_u16(input)?;
    pdu.quantity = Some(quantity);
    Ok((input, ()))
}

/// Functions 5 and 6, and their echo.
pub(super) fn write_single<'a>(input: &'a [u8], pdu: &mut Pdu<'a>) -> Read<'a> {
    let (input, address) = be_u16(input)?;
    pdu.address = Some(address);
    let (input, value) = be_u16(input)?;
    pdu.value = Some(value);
    Ok((input, ()))
}

/// Function 8, both ways: sub-function, and words of which there is one except in an echo (sub 0) and
/// in reserved sub-functions.
pub(super) fn diagnostics<'a>(input: &'a [u8], pdu: &mut Pdu<'a>) -> Read<'a> {
    let (input, sub) = be_u16(input)?;
    pdu.diagnostic = Some(sub);
    let free = sub == 0 || !crate::modbus::function::is_public_diagnostic(sub);
    let count = if free { input.len() } else { 2 };
    if let Some(word) = input.first_chunk::<2>() {
        pdu.value = Some(u16::from_be_bytes(*word));
    }
    values(input, count, pdu)
}

/// Functions 15 and 16.
fn write_multiple<'a>(input: &'a [u8], pdu: &mut Pdu<'a>) -> Read<'a> {
    let (input, ()) = address_and_quantity(input, pdu)?;
    let (input, count) = be_u8(input)?;
    pdu.byte_count = Some(count.into());
    values(input, count.into(), pdu)
}

/// Functions 20 and 21: sub-requests, see [`crate::modbus::file`].
pub(super) fn file_record<'a>(input: &'a [u8], pdu: &mut Pdu<'a>) -> Read<'a> {
    let (input, count) = be_u8(input)?;
    pdu.byte_count = Some(count.into());
    values(input, count.into(), pdu)
}

/// Function 22, and its echo.
pub(super) fn mask_write<'a>(input: &'a [u8], pdu: &mut Pdu<'a>) -> Read<'a> {
    let (input, address) = be_u16(input)?;
    pdu.address = Some(address);
    let (input, and) = be_u16(input)?;
    pdu.and_mask = Some(and);
    let (input, or) = be_u16(input)?;
    pdu.or_mask = Some(or);
    Ok((input, ()))
}

/// Function 23.
fn read_write<'a>(input: &'a [u8], pdu: &mut Pdu<'a>) -> Read<'a> {
    let (input, read_address) = be_u16(input)?;
    pdu.read_address = Some(read_address);
    let (input, read_quantity) = be_u16(input)?;
    pdu.read_quantity = Some(read_quantity);
    let (input, write_address) = be_u16(input)?;
    pdu.write_address = Some(write_address);
    let (input, write_quantity) = be_u16(input)?;
    pdu.write_quantity = Some(write_quantity);
    let (input, count) = be_u8(input)?;
    pdu.byte_count = Some(count.into());
    values(input, count.into(), pdu)
}

/// Function 24.
fn read_fifo<'a>(input: &'a [u8], pdu: &mut Pdu<'a>) -> Read<'a> {
    let (input, address) = be_u16(input)?;
    pdu.address = Some(address);
    Ok((input, ()))
}

/// Function 43.
fn encapsulated<'a>(input: &'a [u8], pdu: &mut Pdu<'a>) -> Read<'a> {
    let (input, mei) = be_u8(input)?;
    pdu.mei = Some(mei);
    if mei != MEI_IDENTIFICATION {
        return everything(input, pdu);
    }
    let (input, code) = be_u8(input)?;
    pdu.identification.code = Some(code);
    let (input, object) = be_u8(input)?;
    pdu.identification.object = Some(object);
    Ok((input, ()))
}

/// Function 90. Not in the standard: whatever is there is right.
pub(super) fn umas<'a>(input: &'a [u8], pdu: &mut Pdu<'a>) -> Read<'a> {
    let mut rest = input;
    if let [key, behind @ ..] = rest {
        pdu.umas_key = Some(*key);
        rest = behind;
    }
    if let [code, behind @ ..] = rest {
        pdu.umas_code = Some(*code);
        rest = behind;
    }
    everything(rest, pdu)
}
