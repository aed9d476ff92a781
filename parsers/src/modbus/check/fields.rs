//! Checks of single fields: quantities, byte counts, values that the standard fixes.

use super::super::pdu::Pdu;
use super::Checker;
use crate::contract::DefectKind;

/// MB-C05 and MB-C07: a start address at `offset`, and the quantity behind it.
pub(super) fn block(
    pdu: &Pdu<'_>,
    checker: &mut Checker<'_, '_>,
    address: Option<u16>,
    quantity: Option<u16>,
    limit: u16,
    offset: usize,
) {
    let Some(quantity) = quantity else { return };
    if quantity == 0 || quantity > limit {
        checker.raise(
            DefectKind::FieldRange,
            "MB-C05",
            offset + 2,
            format_args!("a quantity from 1 to {limit} with function {}", pdu.code),
            format_args!("quantity {quantity}"),
        );
    }
    let Some(address) = address else { return };
    let end = u32::from(address) + u32::from(quantity);
    if end > 65536 {
        checker.raise(
            DefectKind::FieldRange,
            "MB-C07",
            offset,
            format_args!("points up to address 65535"),
            format_args!("{quantity} points from address {address}"),
        );
    }
}

/// MB-C06.
pub(super) fn byte_count(
    pdu: &Pdu<'_>,
    checker: &mut Checker<'_, '_>,
    implied: Option<usize>,
    offset: usize,
) {
    let (Some(implied), Some(count)) = (implied, pdu.byte_count) else { return };
    if implied != usize::from(count) {
        checker.raise(
            DefectKind::Malformed,
            "MB-C06",
            offset,
            format_args!("byte count {implied} by the quantity"),
            format_args!("byte count {count}"),
        );
    }
}

/// MB-C06 of an answer by itself.
pub(super) fn count_in(pdu: &Pdu<'_>, checker: &mut Checker<'_, '_>, least: u16, most: u16, even: bool) {
    let Some(count) = pdu.byte_count else { return };
    if count < least || count > most || (even && !count.is_multiple_of(2)) {
        let parity = if even { "an even" } else { "a" };
        checker.raise(
            DefectKind::Malformed,
            "MB-C06",
            1,
            format_args!("{parity} byte count from {least} to {most}"),
            format_args!("byte count {count}"),
        );
    }
}

/// MB-C08.
pub(super) fn coil_value(pdu: &Pdu<'_>, checker: &mut Checker<'_, '_>) {
    let Some(value) = pdu.value else { return };
    if !matches!(value, 0 | 0xFF00) {
        checker.raise(
            DefectKind::FieldRange,
            "MB-C08",
            3,
            format_args!("0x0000 or 0xFF00"),
            format_args!("{value:#06x}"),
        );
    }
}

pub(super) fn diagnostic_data(pdu: &Pdu<'_>, checker: &mut Checker<'_, '_>) {
    let (Some(sub), Some(value)) = (pdu.diagnostic, pdu.value) else { return };
    let legal = match sub {
        1 => matches!(value, 0 | 0xFF00),
        2 | 4 | 10..=18 | 20 => value == 0,
        3 => value.to_be_bytes()[1] == 0,
        _ => true,
    };
    if !legal {
        checker.raise(
            DefectKind::FieldRange,
            "",
            3,
            format_args!("the data field that sub-function {sub} prescribes"),
            format_args!("{value:#06x}"),
        );
    }
}

pub(super) fn busy_status(pdu: &Pdu<'_>, checker: &mut Checker<'_, '_>, offset: usize) {
    let Some(status) = pdu.value else { return };
    if !matches!(status, 0 | 0xFFFF) {
        checker.raise(
            DefectKind::FieldRange,
            "",
            offset,
            format_args!("status 0x0000 or 0xFFFF"),
            format_args!("{status:#06x}"),
        );
    }
}

/// MB-C20: the unused bits of the last octet of `quantity` bits.
pub(in crate::modbus) fn padding_is_clear(data: &[u8], quantity: u16) -> bool {
    let used = quantity % 8;
    let whole = usize::from(quantity).div_ceil(8) == data.len();
    match data.last() {
        Some(last) if used != 0 && whole => last >> used == 0,
        _ => true,
    }
}

pub(super) fn padding(pdu: &Pdu<'_>, checker: &mut Checker<'_, '_>, quantity: Option<u16>, offset: usize) {
    let Some(quantity) = quantity else { return };
    if !padding_is_clear(pdu.data, quantity) {
        checker.raise(
            DefectKind::Peculiar,
            "MB-C20",
            offset + pdu.data.len() - 1,
            format_args!("unused bits of the last octet 0"),
            format_args!("{:#04x} with {quantity} coils", pdu.data.last().copied().unwrap_or_default()),
        );
    }
}
