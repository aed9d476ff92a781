//! What an ASDU can get wrong by itself.

use super::asdu::Asdu;
use super::cause;
use super::element::{self, TimeTag};
use super::time::Time;
use super::types::{self, Form, Way};
use crate::contract::*;
use crate::scene::Scene;

/// All checks of an ASDU. Octets of its frame before it: [`super::apci::HEAD`].
pub(super) fn asdu(scene: &Scene<'_>, asdu: &Asdu<'_>, observer: &mut dyn Observer) {
    layout(scene, asdu, observer);
    identification(scene, asdu, observer);
    transmission(scene, asdu, observer);
    addresses(scene, asdu, observer);
    values(scene, asdu, observer);
}

const HEAD: usize = super::apci::HEAD;

/// I4-C09, I4-C13: number and length.
fn layout(scene: &Scene<'_>, asdu: &Asdu<'_>, observer: &mut dyn Observer) {
    if asdu.count == 0 {
        let texts = (format_args!("at least one object"), format_args!("none"));
        scene.at(HEAD + 1).report(observer, (DefectKind::Malformed, "I4-C13"), texts.0, texts.1);
    } else if let Some(due) = asdu.due().filter(|due| *due != asdu.body.len()) {
        let there = asdu.body.len();
        let texts = (format_args!("{due} octets of {} objects", asdu.count), format_args!("{there}"));
        let offset = HEAD + asdu.sizes.head();
        scene.at(offset).report(observer, (DefectKind::Malformed, "I4-C09"), texts.0, texts.1);
    }
    if asdu.sequence && types::way(asdu.type_id) == Way::Control {
        let texts = (format_args!("an address for each object of a command"), format_args!("SQ = 1"));
        scene.at(HEAD + 1).report(observer, (DefectKind::FieldRange, "I4-C13"), texts.0, texts.1);
    }
}

/// I4-C10: the type.
fn identification(scene: &Scene<'_>, asdu: &Asdu<'_>, observer: &mut dyn Observer) {
    let id = asdu.type_id;
    if types::of(id).is_some() {
        return;
    }
    let texts = (format_args!("a type of the standard"), format_args!("type {id}"));
    let kind = if types::is_private(id) { DefectKind::Peculiar } else { DefectKind::UnknownFunction };
    scene.at(HEAD).report(observer, (kind, "I4-C10"), texts.0, texts.1);
}

/// I4-C12 and I4-C20: cause, test.
fn transmission(scene: &Scene<'_>, asdu: &Asdu<'_>, observer: &mut dyn Observer) {
    if !cause::fits(asdu.type_id, asdu.cause) {
        let name = cause::name(asdu.cause);
        let texts =
            (format_args!("a cause that goes with the type"), format_args!("cause {} ({name})", asdu.cause));
        scene.at(HEAD + 2).report(observer, (DefectKind::FieldRange, "I4-C12"), texts.0, texts.1);
    }
    if asdu.test {
        let texts = (format_args!("operation"), format_args!("the test bit: nothing is to follow from it"));
        scene.at(HEAD + 2).report(observer, (DefectKind::TestMode, "I4-C20"), texts.0, texts.1);
    }
}

/// I4-C15 and I4-C16.
fn addresses(scene: &Scene<'_>, asdu: &Asdu<'_>, observer: &mut dyn Observer) {
    let global = matches!(asdu.type_id, 100 | 101 | 103 | 105);
    if asdu.common == 0 || (asdu.common == 0xFFFF && !global) {
        let texts = (format_args!("the common address of a station"), format_args!("{}", asdu.common));
        let offset = HEAD + 2 + usize::from(asdu.sizes.cause);
        scene.at(offset).report(observer, (DefectKind::FieldRange, "I4-C15"), texts.0, texts.1);
    }
    let Some(first) = asdu.first_address().filter(|_| types::of(asdu.type_id).is_some()) else { return };
    let for_station = is_for_station(asdu.type_id);
    let process = matches!(asdu.type_id, 1..=40 | 45..=64 | 102 | 110..=112);
    if (for_station && first != 0) || (process && first == 0) {
        let texts = if for_station {
            (format_args!("object address 0: it is about the station"), format_args!("{first}"))
        } else {
            (format_args!("an object address"), format_args!("0"))
        };
        scene.at(HEAD + asdu.sizes.head()).report(
            observer,
            (DefectKind::Peculiar, "I4-C16"),
            texts.0,
            texts.1,
        );
    }
}

/// Types that are about the station as a whole.
pub(super) fn is_for_station(type_id: u8) -> bool {
    matches!(type_id, 70 | 100 | 101 | 103..=107)
}

/// I4-C14, I4-C17, I4-C19: once an ASDU each.
fn values(scene: &Scene<'_>, asdu: &Asdu<'_>, observer: &mut dyn Observer) {
    let Some(row) = types::of(asdu.type_id) else { return };
    let mut told = [false; 3];
    for object in asdu.objects() {
        let plain = element::plain(row, object.element);
        if plain.is_some_and(|(value, _, time)| is_finite(value) && time.is_none_or(|time| can_be(&time))) {
            continue;
        }
        let Some(element) = element::element(asdu.type_id, object.element) else { continue };
        let at = scene.at(HEAD + object.offset);
        if !told[0] && command(&at, row.form, &element, object.address, observer) {
            told[0] = true;
        }
        if let (false, TimeTag::Long(time)) = (told[1], element.tag)
            && !can_be(&time)
        {
            told[1] = true;
            let texts = (
                format_args!("a time there can be, or the bit that it is invalid"),
                format_args!("{}", Shown(time)),
            );
            at.report(observer, (DefectKind::FieldRange, "I4-C17"), texts.0, texts.1);
        }
        let (Value::Float32(value), vouched) = (element.value, element.quality.is_none_or(|q| q & 0x80 == 0))
        else {
            continue;
        };
        if !told[2] && vouched && !value.is_finite() {
            told[2] = true;
            let texts = (format_args!("a number, or the bit that it is invalid"), format_args!("{value}"));
            at.report(observer, (DefectKind::Peculiar, "I4-C19"), texts.0, texts.1);
        }
    }
}

/// Whether there can be such a time, or it is said to be invalid.
fn can_be(time: &Time) -> bool {
    time.is_sound() || time.within.invalid
}

/// Whether a value is no number that there cannot be.
fn is_finite(value: Value<'_>) -> bool {
    !matches!(value, Value::Float32(value) if !value.is_finite())
}

/// I4-C14.
fn command(
    scene: &Scene<'_>,
    form: Form,
    element: &element::Element<'_>,
    address: u32,
    observer: &mut dyn Observer,
) -> bool {
    let state = match (form, element.value) {
        (Form::DoubleCommand, Value::DoubleBit(state @ (0 | 3))) => Some(u64::from(state)),
        (Form::StepCommand, Value::Unsigned(state @ (0 | 3))) => Some(state),
        _ => None,
    };
    if let Some(state) = state {
        let texts = (format_args!("state 1 or 2 for object {address}"), format_args!("{state}"));
        scene.report(observer, (DefectKind::FieldRange, "I4-C14"), texts.0, texts.1);
        return true;
    }
    let switching = matches!(form, Form::SingleCommand | Form::DoubleCommand | Form::StepCommand);
    let Some(reserved) = element.qualifier.filter(|qu| switching && matches!(qu, 4..=8)) else {
        return false;
    };
    let texts = (format_args!("a qualifier of command that is not reserved"), format_args!("{reserved}"));
    scene.report(observer, (DefectKind::FieldRange, "I4-C14"), texts.0, texts.1);
    true
}

/// A time as it stands in the octets.
struct Shown(Time);

impl core::fmt::Display for Shown {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Time { within, hour, day, month, .. } = self.0;
        let year = self.0.full_year();
        write!(f, "{year}-{month:02}-{day:02} {hour:02}:{:02}, {} ms", within.minute, within.milliseconds)
    }
}
