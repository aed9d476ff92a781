//! Whether an answer fits its request: the checks MB-C11 and MB-C12 of the fact sheet.

use crate::contract::{DefectKind, Observer};

use super::check::padding_is_clear;
use super::detail::Framing;
use super::file;
use super::pairing::{Pending, digest};
use super::pdu::{Fit, Pdu};
use super::site::Site;

/// The octets of a request that its answer repeats, or the beginning that tells it from others.
pub(super) fn echoed<'a>(pdu: &Pdu<'a>) -> &'a [u8] {
    let body = pdu.octets.get(1..).unwrap_or_default();
    let most = match pdu.code {
        15 | 16 => 4,
        8 | 21 => body.len(),
        _ => 10,
    };
    body.get(..most).unwrap_or(body)
}

/// Whether an answer could be the one to a request, to choose between equals.
pub(super) fn agrees(pending: &Pending, pdu: &Pdu<'_>) -> bool {
    if pdu.exception {
        return true;
    }
    match pdu.code {
        1..=4 | 23 => implied_count(pending) == pdu.byte_count,
        5 | 6 | 15 | 16 | 21 | 22 => pending.echo == digest(echoed(pdu)),
        8 => pending.function.sub == pdu.diagnostic,
        43 => pending.function.sub == pdu.mei.map(u16::from),
        _ => true,
    }
}

fn implied_count(pending: &Pending) -> Option<u16> {
    match pending.function.code {
        1 | 2 => Some(pending.quantity.div_ceil(8)),
        _ => pending.quantity.checked_mul(2),
    }
}

/// MB-C12.
pub(super) fn contradicts_request(
    asked: &Pending,
    pdu: &Pdu<'_>,
    framing: Framing,
    site: &Site<'_>,
    observer: &mut dyn Observer,
) {
    let (unit, code) = (framing.unit(), pdu.code);
    site.report(
        observer,
        (DefectKind::ContradictingAnswer, "MB-C12"),
        framing.base(),
        format_args!("unit {} and function {}", asked.unit, asked.function.code),
        format_args!("unit {unit} and function {code}, transaction {}", framing.transaction()),
    );
}

/// MB-C11: echo, count or kind differ from what was asked.
pub(super) fn fits_request(
    pending: &Pending,
    pdu: &Pdu<'_>,
    site: &Site<'_>,
    base: usize,
    observer: &mut dyn Observer,
) {
    if pdu.exception || pdu.fit == Fit::Short {
        return;
    }
    let mut raise = |offset: usize,
                     expected: core::fmt::Arguments<'_>,
                     observed: core::fmt::Arguments<'_>| {
        site.report(observer, (DefectKind::ContradictingAnswer, "MB-C11"), base + offset, expected, observed);
    };
    match pdu.code {
        1..=4 | 23 => {
            let (expected, observed) = (implied_count(pending), pdu.byte_count);
            if expected != observed {
                raise(
                    1,
                    format_args!("{} octets of values by the request", expected.unwrap_or_default()),
                    format_args!("{}", observed.unwrap_or_default()),
                );
            } else if pdu.code <= 2 && !padding_is_clear(pdu.data, pending.quantity) {
                site.report(
                    observer,
                    (DefectKind::Peculiar, "MB-C20"),
                    base + 1 + pdu.data.len(),
                    format_args!("unused bits of the last octet 0"),
                    format_args!("{:#04x}", pdu.data.last().copied().unwrap_or_default()),
                );
            }
        }
        5 | 6 | 15 | 16 | 21 | 22 if pending.echo != digest(echoed(pdu)) => {
            raise(
                1,
                format_args!("an echo of the request"),
                format_args!("other octets: address {}", pdu.address.unwrap_or_default()),
            );
        }
        8 => diagnostic_fits(pending, pdu, &mut raise),
        20 => files_fit(pending, pdu, &mut raise),
        43 if pending.function.sub != pdu.mei.map(u16::from) => raise(
            1,
            format_args!("MEI type {}", pending.function.sub.unwrap_or_default()),
            format_args!("MEI type {}", pdu.mei.unwrap_or_default()),
        ),
        43 if pdu.identification.code.is_some_and(|code| code != pending.identification) => raise(
            2,
            format_args!("identification code {}", pending.identification),
            format_args!("code {}", pdu.identification.code.unwrap_or_default()),
        ),
        _ => {}
    }
}

type Raise<'r> = &'r mut dyn FnMut(usize, core::fmt::Arguments<'_>, core::fmt::Arguments<'_>);

fn diagnostic_fits(pending: &Pending, pdu: &Pdu<'_>, raise: Raise<'_>) {
    let (asked, answered) = (pending.function.sub, pdu.diagnostic);
    if asked != answered {
        raise(
            1,
            format_args!("sub-function {}", asked.unwrap_or_default()),
            format_args!("sub-function {}", answered.unwrap_or_default()),
        );
    } else if matches!(answered, Some(0 | 1 | 3 | 10 | 20)) && pending.echo != digest(echoed(pdu)) {
        raise(3, format_args!("an echo of the request"), format_args!("other octets"));
    }
}

/// Each sub-response has as many registers as were asked for.
fn files_fit(pending: &Pending, pdu: &Pdu<'_>, raise: Raise<'_>) {
    let mut parts = file::sub_responses(pdu.data);
    for range in pending.ranges.iter().flatten() {
        let registers = (range.last() - range.first()) as usize + 1;
        let there = parts.next().map_or(0, |part| part.values.len() / 2);
        if there != registers {
            raise(
                1,
                format_args!("{registers} registers of record {}", range.first()),
                format_args!("{there}"),
            );
            return;
        }
    }
    if !pending.more_ranges && parts.next().is_some() {
        raise(1, format_args!("as many parts as were asked for"), format_args!("more"));
    }
}
