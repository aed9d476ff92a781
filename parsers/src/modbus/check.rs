//! Conformance of one PDU by itself: the checks MB-C03 to MB-C10, MB-C15, MB-C16 and MB-C20 of the fact
//! sheet. What needs the request (MB-C11, MB-C12) is in `exchange`.

use crate::contract::{DefectKind, Observer};

use super::file::{self, REFERENCE};
use super::function::{self, MEI_CANOPEN, MEI_IDENTIFICATION};
use super::pdu::{Fit, Pdu, Role};
use super::site::Site;

/// Reports on one PDU. `base` is where its function code stands in the site's octets.
struct Checker<'s, 'a> {
    site: &'s Site<'a>,
    base: usize,
    observer: &'s mut dyn Observer,
}

impl Checker<'_, '_> {
    fn raise(
        &mut self,
        kind: DefectKind,
        check: &'static str,
        offset: usize,
        expected: core::fmt::Arguments<'_>,
        observed: core::fmt::Arguments<'_>,
    ) {
        self.site.report(self.observer, (kind, check), self.base + offset, expected, observed);
    }
}

/// Check a PDU. A wrong layout is reported alone: the fields behind it mean nothing.
///
/// `asked` says that the PDU answers a request, whose function has been judged already.
pub(crate) fn check(pdu: &Pdu<'_>, asked: bool, site: &Site<'_>, base: usize, observer: &mut dyn Observer) {
    let mut checker = Checker { site, base, observer };
    match pdu.fit {
        Fit::Exact | Fit::Opaque => {}
        Fit::Short => {
            let at = pdu.broke_at;
            checker.raise(
                DefectKind::Malformed,
                "MB-C03",
                at,
                format_args!("more octets: the layout of function {} is longer", pdu.code),
                format_args!("the PDU ends after {at} octets"),
            );
        }
        Fit::Surplus => {
            let at = pdu.broke_at;
            checker.raise(
                DefectKind::Malformed,
                "MB-C03",
                at,
                format_args!("a PDU of {at} octets by the layout of function {}", pdu.code),
                format_args!("{} octets more", pdu.octets.len() - at),
            );
        }
    }
    code(pdu, asked, &mut checker);
    if pdu.exception {
        return;
    }
    match pdu.role {
        Role::Request => request(pdu, &mut checker),
        Role::Response => response(pdu, &mut checker),
    }
}

fn code(pdu: &Pdu<'_>, asked: bool, checker: &mut Checker<'_, '_>) {
    if pdu.code == 0 {
        let observed = if pdu.exception { 128 } else { 0 };
        checker.raise(
            DefectKind::UnknownFunction,
            "MB-C04",
            0,
            format_args!("a function code from 1 to 127"),
            format_args!("function code {observed}"),
        );
    }
    if pdu.exception && pdu.role == Role::Request {
        checker.raise(
            DefectKind::UnknownFunction,
            "MB-C04",
            0,
            format_args!("a request with function code 1 to 127"),
            format_args!("function code {}", pdu.octets.first().copied().unwrap_or_default()),
        );
        return;
    }
    if pdu.exception {
        if let Some(code) = pdu.exception_code
            && function::exception_name(code).is_none()
        {
            checker.raise(
                DefectKind::FieldRange,
                "MB-C15",
                1,
                format_args!("an exception code of the standard: 1 to 8, 10, 11"),
                format_args!("exception code {code}"),
            );
        }
        return;
    }
    if !asked {
        undefined(pdu, checker);
    }
}

/// Codes, sub-functions and MEI types that the standard does not define. UMAS is left out: it is decoded,
/// and where it is spoken at all it is spoken all day.
fn undefined(pdu: &Pdu<'_>, checker: &mut Checker<'_, '_>) {
    if pdu.code != 0 && pdu.code != function::UMAS && !function::is_public(pdu.code) {
        checker.raise(
            DefectKind::UnknownFunction,
            "",
            0,
            format_args!("a public function code"),
            format_args!("function code {} ({})", pdu.code, function::name(pdu.code)),
        );
    }
    if let Some(sub) = pdu.diagnostic
        && !function::is_public_diagnostic(sub)
    {
        checker.raise(
            DefectKind::UnknownFunction,
            "",
            1,
            format_args!("a diagnostics sub-function of the standard"),
            format_args!("sub-function {sub}"),
        );
    }
    if let Some(mei) = pdu.mei
        && !matches!(mei, MEI_CANOPEN | MEI_IDENTIFICATION)
    {
        checker.raise(
            DefectKind::UnknownFunction,
            "MB-C16",
            1,
            format_args!("MEI type 13 or 14"),
            format_args!("MEI type {mei}"),
        );
    }
}

fn request(pdu: &Pdu<'_>, checker: &mut Checker<'_, '_>) {
    match pdu.code {
        1 | 2 => block(pdu, checker, pdu.address, pdu.quantity, 2000, 1),
        3 | 4 => block(pdu, checker, pdu.address, pdu.quantity, 125, 1),
        5 => coil_value(pdu, checker),
        8 => diagnostic_data(pdu, checker),
        15 => {
            block(pdu, checker, pdu.address, pdu.quantity, 1968, 1);
            byte_count(pdu, checker, pdu.quantity.map(|q| usize::from(q).div_ceil(8)), 5);
            padding(pdu, checker, pdu.quantity, 6);
        }
        16 => {
            block(pdu, checker, pdu.address, pdu.quantity, 123, 1);
            byte_count(pdu, checker, pdu.quantity.map(|q| usize::from(q) * 2), 5);
        }
        20 | 21 => file_requests(pdu, checker),
        23 => {
            block(pdu, checker, pdu.read_address, pdu.read_quantity, 125, 1);
            block(pdu, checker, pdu.write_address, pdu.write_quantity, 121, 5);
            byte_count(pdu, checker, pdu.write_quantity.map(|q| usize::from(q) * 2), 9);
        }
        43 => {
            let Some(code) = pdu.identification.code else { return };
            if !(1..=4).contains(&code) {
                checker.raise(
                    DefectKind::FieldRange,
                    "MB-C16",
                    2,
                    format_args!("read device identification code 1 to 4"),
                    format_args!("code {code}"),
                );
            }
        }
        _ => {}
    }
}

fn response(pdu: &Pdu<'_>, checker: &mut Checker<'_, '_>) {
    match pdu.code {
        1 | 2 => count_in(pdu, checker, 1, 250, false),
        3 | 4 | 23 => count_in(pdu, checker, 2, 250, true),
        5 => coil_value(pdu, checker),
        11 => busy_status(pdu, checker, 1),
        12 => {
            count_in(pdu, checker, 6, 70, false);
            busy_status(pdu, checker, 2);
        }
        15 => block(pdu, checker, pdu.address, pdu.quantity, 1968, 1),
        16 => block(pdu, checker, pdu.address, pdu.quantity, 123, 1),
        20 => file_responses(pdu, checker),
        21 => file_requests(pdu, checker),
        24 => fifo(pdu, checker),
        43 => identification(pdu, checker),
        _ => {}
    }
}

/// MB-C05 and MB-C07: a start address at `offset`, and the quantity behind it.
fn block(
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
fn byte_count(pdu: &Pdu<'_>, checker: &mut Checker<'_, '_>, implied: Option<usize>, offset: usize) {
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
fn count_in(pdu: &Pdu<'_>, checker: &mut Checker<'_, '_>, least: u16, most: u16, even: bool) {
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
fn coil_value(pdu: &Pdu<'_>, checker: &mut Checker<'_, '_>) {
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

fn diagnostic_data(pdu: &Pdu<'_>, checker: &mut Checker<'_, '_>) {
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

fn busy_status(pdu: &Pdu<'_>, checker: &mut Checker<'_, '_>, offset: usize) {
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
pub(super) fn padding_is_clear(data: &[u8], quantity: u16) -> bool {
    let used = quantity % 8;
    let whole = usize::from(quantity).div_ceil(8) == data.len();
    match data.last() {
        Some(last) if used != 0 && whole => last >> used == 0,
        _ => true,
    }
}

fn padding(pdu: &Pdu<'_>, checker: &mut Checker<'_, '_>, quantity: Option<u16>, offset: usize) {
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

/// MB-C09, and the layout inside functions 20 and 21.
fn file_requests(pdu: &Pdu<'_>, checker: &mut Checker<'_, '_>) {
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

fn file_responses(pdu: &Pdu<'_>, checker: &mut Checker<'_, '_>) {
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
fn fifo(pdu: &Pdu<'_>, checker: &mut Checker<'_, '_>) {
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
fn identification(pdu: &Pdu<'_>, checker: &mut Checker<'_, '_>) {
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
