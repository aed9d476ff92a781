//! From a frame's payload to a unit, an operation and defects.

use core::ops::Range;

use super::ber::{self, Element};
use super::check::{self, Site};
use super::detail::Content;
use super::function_of;
use super::header::{self, Header};
use super::pdu::{self, Pdu};
use crate::contract::*;

/// The number of sqNum among the elements.
const SQ_NUM: usize = 6;

/// Octets of a message that are remembered; longer ones are checked every time.
const REMEMBERED: usize = 512;

/// Every frame holds one message, whole. What is remembered only saves looking for what was not found before.
#[derive(Default)]
pub(super) struct GooseSession {
    clean: Clean,
}

/// The last message that the checks had nothing to say of. Publishers repeat a message until something changes, with
/// nothing new but sqNum.
#[derive(Default)]
struct Clean {
    /// Header and APDU.
    octets: Vec<u8>,
    /// Where the value of sqNum stands in them.
    sequence: Range<usize>,
}

impl Clean {
    /// Whether a message is that one, but for sqNum, so that all checks come to the same.
    fn covers(&self, octets: &[u8], pdu: &Pdu<'_>) -> bool {
        let Range { start, end } = self.sequence;
        octets.len() == self.octets.len()
            && octets.get(..start) == self.octets.get(..start)
            && octets.get(end..) == self.octets.get(end..)
            && pdu.element(SQ_NUM).is_some_and(pdu::is_int32u)
    }

    /// Remember a message.
    fn set(&mut self, site: &Site<'_, '_>, pdu: &Pdu<'_>) {
        self.octets.clear();
        let octets = site.octets;
        let Some(sequence) = pdu.element(SQ_NUM).filter(|_| octets.len() <= REMEMBERED) else { return };
        let begin = site.offset_of(sequence.value);
        self.sequence = begin..begin + sequence.value.len();
        self.octets.extend_from_slice(octets);
    }
}

impl Session for GooseSession {
    fn feed(&mut self, flow: &FlowInfo, chunk: &Chunk<'_>, observer: &mut dyn Observer) -> Progress {
        let payload = chunk.bytes;
        let site = Site {
            flow,
            direction: chunk.direction,
            origin: chunk.origin(0..payload.len()),
            octets: payload,
            function: None,
            observer,
            unsound: false,
            told: false,
        };
        message(site, payload, &mut self.clean);
        Progress::all(chunk)
    }

    fn gap(&mut self, _: &FlowInfo, _: &Gap<'_>, _: &mut dyn Observer) {}

    fn tick(&mut self, _: &FlowInfo, _: Timestamp, _: &mut dyn Observer) {}

    fn finish(&mut self, _: &FlowInfo, _: [Chunk<'_>; 2], _: &mut dyn Observer) {}

    fn memory(&self) -> usize {
        size_of::<GooseSession>() + self.clean.octets.capacity()
    }

    fn deadline(&self) -> Option<Timestamp> {
        None
    }
}

fn message<'a>(mut site: Site<'a, '_>, payload: &'a [u8], clean: &mut Clean) {
    if site.flow.ethertype == super::ETHERTYPE_MANAGEMENT {
        return management(&mut site, payload);
    }
    let Some((body, header)) = Header::parse(payload) else {
        unit(&mut site, &raw(payload, None));
        site.report(
            (short(site.flow), "GO-C03"),
            0,
            format_args!("a header of {} octets", header::LENGTH),
            format_args!("{} octets", payload.len()),
        );
        return;
    };
    let Ok((_, apdu)) = ber::element(body) else {
        unit(&mut site, &raw(payload, Some(header)));
        site.report(
            (if body.len() < 2 { short(site.flow) } else { DefectKind::Malformed }, "GO-C04"),
            header::LENGTH,
            format_args!("an APDU behind the header"),
            format_args!("{} octets that are no element", body.len()),
        );
        return;
    };
    let octets = payload.get(..header::LENGTH + apdu.octets.len()).unwrap_or(payload);
    site.octets = octets;
    match apdu.tag {
        pdu::GOOSE => goose(site, (header, &apdu, octets), clean),
        pdu::MANAGEMENT => other(site, header, apdu, octets, 0),
        _ => other(site, header, apdu, octets, apdu.tag.number.min(255) as u8),
    }
}

/// GSE management under its own Ethertype: another protocol, shown as it is.
fn management(site: &mut Site<'_, '_>, payload: &[u8]) {
    site.function = Some(function_of(0));
    site.report(
        (DefectKind::UnknownFunction, "GO-C09"),
        header::LENGTH,
        format_args!("GOOSE only: GSE management serves engineering, and hardly any device has it"),
        format_args!("GSE management, {} octets", payload.len()),
    );
}

fn short(flow: &FlowInfo) -> DefectKind {
    if flow.coverage.truncated { DefectKind::Truncated } else { DefectKind::Malformed }
}

fn raw(payload: &[u8], header: Option<Header>) -> Content<'_> {
    Content { octets: payload, header, pdu: None, other: None, sound: false }
}

fn unit(site: &mut Site<'_, '_>, content: &Content<'_>) {
    site.observer.unit(&Unit {
        flow: site.flow,
        direction: site.direction,
        origin: site.origin,
        head: site.origin,
        protocol: Protocol::Goose,
        recovered: false,
        opens: false,
        detail: content,
    });
}

fn goose(mut site: Site<'_, '_>, (header, apdu, octets): (Header, &Element<'_>, &[u8]), clean: &mut Clean) {
    site.function = Some(function_of(1));
    let mut pdu = Pdu::new();
    pdu.read(apdu.value);
    let mut content = Content { octets, header: Some(header), pdu: Some(&pdu), other: None, sound: false };
    unit(&mut site, &content);
    if !clean.covers(octets, &pdu) {
        let cut = apdu.missing > 0;
        check::header(&mut site, header, apdu);
        check::elements(&mut site, &pdu, cut);
        check::members(&mut site, &pdu, cut);
        if !site.told {
            clean.set(&site, &pdu);
        }
    }
    content.sound = !site.unsound;
    if pdu.gocb_ref().is_none() {
        return;
    }
    operation(site, &content, apdu.value, 1);
}

/// GSE management, or an APDU that the standard does not know.
fn other(mut site: Site<'_, '_>, header: Header, apdu: Element<'_>, octets: &[u8], code: u8) {
    let body = apdu.value;
    let is_known = apdu.tag == pdu::MANAGEMENT;
    let content = Content { octets, header: Some(header), pdu: None, other: Some(apdu), sound: is_known };
    unit(&mut site, &content);
    if is_known {
        check::header(&mut site, header, &apdu);
        site.function = Some(function_of(0));
        return operation(site, &content, body, code);
    }
    site.report(
        (DefectKind::UnknownFunction, "GO-C07"),
        header::LENGTH,
        format_args!("a goosePdu or GSE management"),
        format_args!("an APDU with tag number {}, class {:#04x}", apdu.tag.number, apdu.tag.class),
    );
}

fn operation(site: Site<'_, '_>, content: &Content<'_>, body: &[u8], code: u8) {
    let function = function_of(code);
    site.observer.operation(&Operation {
        flow: site.flow,
        direction: site.direction,
        origin: site.origin,
        protocol: Protocol::Goose,
        exchange: Exchange::Publication,
        from_master: false,
        station: StationAddress::None,
        master: StationAddress::None,
        action: super::action_of(code),
        function,
        requested: None,
        ranges: &[],
        more_ranges: false,
        outcome: Outcome::None,
        answers: None,
        sequence: 0,
        broadcast: false,
        wants_answer: false,
        body,
        recovered: false,
        detail: content,
    });
}
