//! What is wrong with a message, told as defects by the checks of the fact sheet (GO-C01 to GO-C08).

use core::fmt;

use super::ber::{Element, Fault};
use super::data::{self, Step};
use super::header::Header;
use super::pdu::{self, NAMES, OPTIONAL, Pdu};
use crate::contract::*;

/// Names of elements, by bit.
struct Elements(u16);

impl fmt::Display for Elements {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = NAMES.iter().enumerate().filter(|(n, _)| self.0 >> n & 1 == 1);
        for (n, (_, name)) in names.enumerate() {
            f.write_str(if n == 0 { "" } else { ", " })?;
            f.write_str(name)?;
        }
        Ok(())
    }
}

/// Where defects of a frame go.
pub(super) struct Site<'a, 'o> {
    pub(super) flow: &'a FlowInfo,
    pub(super) direction: Direction,
    pub(super) origin: Origin,
    pub(super) octets: &'a [u8],
    pub(super) function: Option<Function>,
    pub(super) observer: &'o mut dyn Observer,
    /// Whether something that changes the meaning of the message was told.
    pub(super) unsound: bool,
    /// Whether anything was told.
    pub(super) told: bool,
}

impl Site<'_, '_> {
    /// Tell a defect.
    pub(super) fn report(
        &mut self,
        (kind, check): (DefectKind, &'static str),
        offset: usize,
        expected: fmt::Arguments<'_>,
        observed: fmt::Arguments<'_>,
    ) {
        self.told = true;
        self.unsound |= !matches!(kind, DefectKind::Peculiar | DefectKind::ReservedBits);
        self.observer.defect(&Defect {
            flow: self.flow,
            direction: self.direction,
            origin: self.origin,
            protocol: Protocol::Goose,
            kind,
            check,
            station: StationAddress::None,
            from_master: Some(false),
            function: self.function,
            expected,
            observed,
            octets: self.octets,
            skipped: 0,
            offset,
        });
    }

    /// Octets are missing: for good, or because the tap cut the frame.
    fn missing(&mut self, check: &'static str, offset: usize, what: fmt::Arguments<'_>, there: usize) {
        let kind = if self.flow.coverage.truncated { DefectKind::Truncated } else { DefectKind::Malformed };
        self.report((kind, check), offset, what, format_args!("{there} octets"));
    }

    /// Where a part of the payload begins in it.
    pub(super) fn offset_of(&self, part: &[u8]) -> usize {
        (part.as_ptr() as usize).saturating_sub(self.octets.as_ptr() as usize).min(self.octets.len())
    }
}

/// The header against the APDU: what follows it begins at 8.
pub(super) fn header(site: &mut Site<'_, '_>, header: Header, apdu: &Element<'_>) {
    let claimed = apdu.octets.len() + apdu.missing;
    if header.apdu() != claimed {
        site.report(
            (DefectKind::Malformed, "GO-C01"),
            2,
            format_args!("a length of {} for an APDU of {claimed} octets", claimed + 8),
            format_args!("length {}", header.length),
        );
    }
    if apdu.indefinite || !apdu.constructed {
        let what = if apdu.indefinite { "an indefinite length" } else { "the tag of a simple element" };
        site.report(
            (DefectKind::Malformed, "GO-C04"),
            8,
            format_args!("an APDU that is constructed, with a definite length"),
            format_args!("{what}"),
        );
    }
    // Reserved 1 without S holds the length of a security extension in edition 2.
    if header.reserved1 & 0x7000 != 0 {
        site.report(
            (DefectKind::ReservedBits, "GO-C02"),
            4,
            format_args!("the bits behind S to be 0"),
            format_args!("reserved 1 is {:#06x}", header.reserved1),
        );
    }
    if apdu.missing > 0 {
        site.missing("GO-C03", 8, format_args!("an APDU of {claimed} octets"), apdu.octets.len());
    }
}

/// The elements.
pub(super) fn elements(site: &mut Site<'_, '_>, pdu: &Pdu<'_>, cut: bool) {
    let absent = !pdu.present & !OPTIONAL & ((1 << NAMES.len()) - 1);
    if let Some((fault, rest)) = pdu.broken.filter(|_| !cut) {
        let offset = site.offset_of(rest);
        site.report(
            (DefectKind::Malformed, "GO-C04"),
            offset,
            format_args!("an element with a definite length"),
            format_args!("{}", Words(fault)),
        );
    }
    if absent != 0 && !cut {
        site.report(
            (DefectKind::Malformed, "GO-C05"),
            8,
            format_args!("all elements that a message must have"),
            format_args!("no {}", Elements(absent)),
        );
    }
    if pdu.repeated != 0 {
        site.report(
            (DefectKind::Malformed, "GO-C06"),
            8,
            format_args!("every element once"),
            format_args!("{} more than once; the first counts", Elements(pdu.repeated)),
        );
    }
    if pdu.out_of_order != 0 {
        site.report(
            (DefectKind::Malformed, "GO-C06"),
            8,
            format_args!("the elements in the order of their tags"),
            format_args!("{} behind later ones", Elements(pdu.out_of_order)),
        );
    }
    if let Some(unknown) = pdu.unknown {
        let offset = site.offset_of(unknown.octets);
        site.report(
            (DefectKind::UnknownObject, "GO-C07"),
            offset,
            format_args!("elements that the standard knows"),
            format_args!(
                "{} with tag number {}, class {:#04x}",
                pdu.unknowns, unknown.tag.number, unknown.tag.class
            ),
        );
    }
    for number in 0..NAMES.len() {
        if let Some(element) = pdu.element(number) {
            one(site, number, element, cut);
        }
    }
    if let Some(time_allowed) = pdu.time_allowed_to_live()
        && time_allowed == 0
    {
        site.report(
            (DefectKind::FieldRange, "GO-C08"),
            8,
            format_args!("a time allowed to live above 0"),
            format_args!("0 ms"),
        );
    }
    if pdu.st_num() == Some(0) {
        site.report(
            (DefectKind::FieldRange, "GO-C08"),
            8,
            format_args!("a state number from 1"),
            format_args!("0"),
        );
    }
}

/// One element's own form.
fn one(site: &mut Site<'_, '_>, number: usize, element: &Element<'_>, cut: bool) {
    let name = NAMES.get(number).copied().unwrap_or_default();
    let offset = site.offset_of(element.octets);
    if element.missing > 0 {
        if !cut {
            let claimed = element.value.len() + element.missing;
            site.missing("GO-C03", offset, format_args!("{name} of {claimed} octets"), element.value.len());
        }
        return;
    }
    let (wants, sound) = match number {
        0 | 2 => {
            ("1 to 129 octets of text", (1..=129).contains(&element.value.len()) && !element.constructed)
        }
        3 => ("at most 129 octets of text", element.value.len() <= 129 && !element.constructed),
        4 => ("8 octets", element.value.len() == 8 && !element.constructed),
        7 | 9 => ("1 octet", element.value.len() == 1 && !element.constructed),
        11 => ("a constructed element", element.constructed),
        12 => return,
        _ => ("a number from 0 to 4294967295 in 1 to 5 octets", pdu::is_int32u(element)),
    };
    if !sound {
        site.report(
            (DefectKind::Malformed, "GO-C08"),
            offset,
            format_args!("{name} with {wants}"),
            format_args!("{} octets", element.value.len()),
        );
    } else if matches!(number, 0 | 2 | 3) && !is_visible(element.value) {
        site.report(
            (DefectKind::FieldRange, "GO-C08"),
            offset,
            format_args!("{name} in visible characters"),
            format_args!("others among its {} octets", element.value.len()),
        );
    }
}

/// Whether all are visible characters. Without an early end, so that the processor takes many at a time.
fn is_visible(text: &[u8]) -> bool {
    text.iter().fold(true, |all, octet| all & (0x20..0x7F).contains(octet))
}

/// The data set against what is said of it.
pub(super) fn members(site: &mut Site<'_, '_>, pdu: &Pdu<'_>, cut: bool) {
    let Some(all_data) = pdu.all_data().filter(|_| !cut) else { return };
    let mut bad: Option<Step<'_>> = None;
    let (mut depth, mut count) = (0_u32, 0_u32);
    data::walk(all_data, &mut |step| {
        data::count(&step, &mut depth, &mut count);
        let is_bad = match &step {
            Step::Value(element) => !data::is_sound(element),
            Step::Broken(_) | Step::Limit => true,
            Step::Open(_) | Step::Close => false,
        };
        if is_bad {
            bad.get_or_insert(step);
        }
    });
    match bad {
        Some(Step::Value(element)) if data::name(&element) == "unknown" => {
            let offset = site.offset_of(element.octets);
            site.report(
                (DefectKind::UnknownObject, "GO-C07"),
                offset,
                format_args!("kinds of data that the standard knows"),
                format_args!("tag number {}, class {:#04x}", element.tag.number, element.tag.class),
            );
        }
        Some(Step::Value(element)) => {
            let offset = site.offset_of(element.octets);
            site.report(
                (DefectKind::Malformed, "GO-C08"),
                offset,
                format_args!("a value of the kind that its tag says"),
                format_args!("{} of {} octets", data::name(&element), element.value.len()),
            );
        }
        Some(Step::Broken(rest)) => {
            let offset = site.offset_of(rest);
            site.report(
                (DefectKind::Malformed, "GO-C04"),
                offset,
                format_args!("an element in the data set"),
                format_args!("{} octets that fit none", rest.len()),
            );
        }
        Some(Step::Limit) => site.report(
            (DefectKind::LimitReached, ""),
            8,
            format_args!("at most {} levels and {} values", data::MAX_DEPTH, data::MAX_MEMBERS),
            format_args!("more"),
        ),
        Some(Step::Open(_) | Step::Close) | None => {}
    }
    if let Some(claimed) = pdu.num_dat_set_entries()
        && claimed != count
        && !matches!(bad, Some(Step::Broken(_) | Step::Limit))
    {
        site.report(
            (DefectKind::Malformed, "GO-C05"),
            8,
            format_args!("{claimed} members, as numDatSetEntries says"),
            format_args!("{count}"),
        );
    }
}

struct Words(Fault);

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Fault::Cut => "octets that end within a tag or length",
            Fault::Indefinite => "an indefinite length",
            Fault::TooLong => "a tag number or length of too many octets",
        })
    }
}
