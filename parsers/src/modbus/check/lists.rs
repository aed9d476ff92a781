//! Checks of PDUs that hold lists: file records, FIFO queue, device identification.

use super::super::file::{self, REFERENCE};
use super::super::pdu::{Fit, Pdu};
use super::Checker;
use crate::contract::DefectKind;

/// MB-C09, and the layout inside functions 20 and 21.
pub(super) fn file_requests(pdu: &Pdu<'_>, checker: &mut Checker<'_, '_>) {
    let mut walk = file::sub_requests(pdu.data, pdu.code == 21);
    let mut offset = 2;
    let mut left = pdu.data;
    while let Some(part) = walk.next() {
        reference(checker, part.reference, offset);
        if part.file == 0 {
            checker.raise(
                DefectKind::FieldRange,
                "MB-C09",
                offset + 1,
                format_args!("a file number from 1"),
                format_args!("file 0"),
            );
        }
        if part.record > 9999 {
            checker.raise(
                DefectKind::FieldRange,
                "MB-C09",
                offset + 3,
                format_args!("a record number up to 9999"),
                format_args!("record {}", part.record),
            );
        }
        offset += left.len() - walk.rest.len();
        left = walk.rest;
    }
    let least = if pdu.code == 21 { 9 } else { 7 };
    file_rest(pdu, checker, walk.rest, offset, least);
}

pub(super) fn file_responses(pdu: &Pdu<'_>, checker: &mut Checker<'_, '_>) {
    let mut walk = file::sub_responses(pdu.data);
    let mut offset = 2;
    let mut left = pdu.data;
    while let Some(part) = walk.next() {
        reference(checker, part.reference, offset + 1);
        if part.length.is_multiple_of(2) {
            checker.raise(
                DefectKind::Malformed,
                "MB-C03",
                offset,
                format_args!("an odd length: the reference type and whole registers"),
                format_args!("length {}", part.length),
            );
        }
        offset += left.len() - walk.rest.len();
        left = walk.rest;
    }
    file_rest(pdu, checker, walk.rest, offset, 4);
}

fn reference(checker: &mut Checker<'_, '_>, reference: u8, offset: usize) {
    if reference != REFERENCE {
        checker.raise(
            DefectKind::FieldRange,
            "MB-C09",
            offset,
            format_args!("reference type 6"),
            format_args!("reference type {reference}"),
        );
    }
}

/// What is left of a list of file parts, and its length as a whole.
fn file_rest(pdu: &Pdu<'_>, checker: &mut Checker<'_, '_>, rest: &[u8], offset: usize, least: u16) {
    if pdu.fit == Fit::Short {
        return;
    }
    if !rest.is_empty() {
        checker.raise(
            DefectKind::Malformed,
            "MB-C03",
            offset,
            format_args!("whole parts up to the byte count"),
            format_args!("{} octets that are no part", rest.len()),
        );
    }
    let Some(count) = pdu.byte_count else { return };
    let most = if pdu.code == 21 { 251 } else { 245 };
    if count < least || count > most {
        checker.raise(
            DefectKind::Malformed,
            "MB-C06",
            1,
            format_args!("a byte count from {least} to {most}"),
            format_args!("byte count {count}"),
        );
    }
}

/// MB-C10.
pub(super) fn fifo(pdu: &Pdu<'_>, checker: &mut Checker<'_, '_>) {
    let Some(quantity) = pdu.quantity else { return };
    if quantity > 31 {
        checker.raise(
            DefectKind::FieldRange,
            "MB-C10",
            3,
            format_args!("at most 31 registers in the queue"),
            format_args!("{quantity}"),
        );
    }
    let implied = 2 + 2 * u32::from(quantity);
    let Some(count) = pdu.byte_count else { return };
    if implied != u32::from(count) {
        checker.raise(
            DefectKind::Malformed,
            "MB-C10",
            1,
            format_args!("byte count {implied} by the FIFO count"),
            format_args!("byte count {count}"),
        );
    }
}

/// MB-C16 of an answer.
pub(super) fn identification(pdu: &Pdu<'_>, checker: &mut Checker<'_, '_>) {
    let id = pdu.identification;
    let legal = [
        (id.code, (1..=4).contains(&id.code.unwrap_or(1)), "read device identification code 1 to 4", 2),
        (
            id.conformity,
            matches!(id.conformity.unwrap_or(1), 1..=3 | 0x81..=0x83),
            "conformity level 1 to 3 or 0x81 to 0x83",
            3,
        ),
        (id.more_follows, matches!(id.more_follows, None | Some(0 | 0xFF)), "more follows 0x00 or 0xFF", 4),
    ];
    for (value, legal, expected, offset) in legal {
        if let Some(value) = value
            && !legal
        {
            checker.raise(
                DefectKind::FieldRange,
                "MB-C16",
                offset,
                format_args!("{expected}"),
                format_args!("{value:#04x}"),
            );
        }
    }
}
