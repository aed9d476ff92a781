//! Layouts of normal responses, one function each, fields in wire order (clauses 6.1 to 6.21).

use nom::number::complete::{be_u8, be_u16};

use super::request::{address_and_quantity, diagnostics, file_record, mask_write, umas, write_single};
use super::{Pdu, Read, everything, values};
use crate::modbus::function::{MEI_IDENTIFICATION, UMAS};

pub(super) fn read<'a>(input: &'a [u8], pdu: &mut Pdu<'a>) -> Read<'a> {
    match pdu.code {
        1..=4 | 17 | 20 | 23 => counted(input, pdu),
        5 | 6 => write_single(input, pdu),
        7 => exception_status(input, pdu),
        8 => diagnostics(input, pdu),
        11 => event_counter(input, pdu),
        12 => event_log(input, pdu),
        15 | 16 => address_and_quantity(input, pdu),
        21 => file_record(input, pdu),
        22 => mask_write(input, pdu),
        24 => fifo(input, pdu),
        43 => encapsulated(input, pdu),
        UMAS => umas(input, pdu),
        _ => everything(input, pdu),
    }
}

/// Functions 1 to 4, 17, 20 and 23: an octet that counts, and what it counts.
fn counted<'a>(input: &'a [u8], pdu: &mut Pdu<'a>) -> Read<'a> {
    let (input, count) = be_u8(input)?;
    pdu.byte_count = Some(count.into());
    values(input, count.into(), pdu)
}

/// Function 7.
fn exception_status<'a>(input: &'a [u8], pdu: &mut Pdu<'a>) -> Read<'a> {
    let (input, status) = be_u8(input)?;
    pdu.value = Some(status.into());
    Ok((input, ()))
}

/// Function 11.
fn event_counter<'a>(input: &'a [u8], pdu: &mut Pdu<'a>) -> Read<'a> {
    let (input, status) = be_u16(input)?;
    pdu.value = Some(status);
    let (input, events) = be_u16(input)?;
    pdu.event_count = Some(events);
    Ok((input, ()))
}

/// Function 12. The byte count covers status and both counters too.
fn event_log<'a>(input: &'a [u8], pdu: &mut Pdu<'a>) -> Read<'a> {
    let (input, count) = be_u8(input)?;
    pdu.byte_count = Some(count.into());
    let (input, status) = be_u16(input)?;
    pdu.value = Some(status);
    let (input, events) = be_u16(input)?;
    pdu.event_count = Some(events);
    let (input, messages) = be_u16(input)?;
    pdu.message_count = Some(messages);
    values(input, usize::from(count).saturating_sub(6), pdu)
}

/// Function 24. The byte count covers the FIFO count too.
fn fifo<'a>(input: &'a [u8], pdu: &mut Pdu<'a>) -> Read<'a> {
    let (input, count) = be_u16(input)?;
    pdu.byte_count = Some(count);
    let (input, quantity) = be_u16(input)?;
    pdu.quantity = Some(quantity);
    values(input, usize::from(count).saturating_sub(2), pdu)
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
    let (input, conformity) = be_u8(input)?;
    pdu.identification.conformity = Some(conformity);
    let (input, more) = be_u8(input)?;
    pdu.identification.more_follows = Some(more);
    let (input, next) = be_u8(input)?;
    pdu.identification.next_object = Some(next);
    let (input, count) = be_u8(input)?;
    pdu.identification.objects = Some(count);
    let mut rest = input;
    pdu.data = input;
    for _ in 0..count {
        let (input, _id) = be_u8(rest)?;
        let (input, length) = be_u8(input)?;
        let (input, _value) = nom::bytes::complete::take(length)(input)?;
        rest = input;
    }
    pdu.data = input.get(..input.len() - rest.len()).unwrap_or(input);
    Ok((rest, ()))
}
