//! Conformance of one PDU by itself: the checks MB-C03 to MB-C10, MB-C15, MB-C16 and MB-C20 of the fact
//! sheet. What needs the request (MB-C11, MB-C12) is in `exchange`.

mod fields;
mod lists;

use crate::contract::{DefectKind, Observer};

use super::function::{self, MEI_CANOPEN, MEI_IDENTIFICATION};
use super::pdu::{Fit, Pdu, Role};
use super::site::Site;
use fields::{block, busy_status, byte_count, coil_value, count_in, diagnostic_data, padding};
use lists::{fifo, file_requests, file_responses, identification};

pub(super) use fields::padding_is_clear;

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
                format_args!("a PDU of {} by the layout of function {}", Octets(at), pdu.code),
                format_args!("{} more", Octets(pdu.octets.len() - at)),
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

/// "1 octet", "2 octets".
struct Octets(usize);

impl core::fmt::Display for Octets {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{} octet{}", self.0, if self.0 == 1 { "" } else { "s" })
    }
}
