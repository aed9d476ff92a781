//! The answer to a control repeats its objects; only the status octets may differ.

use super::application::Fragment;
use super::function;
use super::object::{ObjectHeader, Walk};
use super::pairing::{KEPT_BODY, Row};
use crate::contract::{DefectKind, Observer};
use crate::scene::Scene;

/// DN-C21: hold the echo against the request.
pub(super) fn check(scene: &Scene<'_>, row: &Row, fragment: &Fragment<'_>, observer: &mut dyn Observer) {
    let (asked, echoed) = (row.body.as_slice(), fragment.body());
    let Some(offset) = difference(asked, echoed, row.digest.1) else { return };
    let mut scene = *scene;
    scene.offset = fragment.body_offset() + offset;
    let name = function::function(row.function).name;
    let texts =
        (format_args!("the objects of the {name}"), format_args!("others, from octet {} on", scene.offset));
    scene.report(observer, (DefectKind::ContradictingAnswer, "DN-C21"), texts.0, texts.1);
}

/// Offset of the first octet that differs and is no status. `length` is the request's whole length, of
/// which the first [`KEPT_BODY`] octets are at hand.
fn difference(asked: &[u8], echoed: &[u8], length: usize) -> Option<usize> {
    if asked == echoed && length == echoed.len() {
        return None;
    }
    let mut statuses = Statuses::new(echoed);
    let mut status = statuses.next();
    for (offset, (a, e)) in asked.iter().zip(echoed).enumerate() {
        while status.is_some_and(|s| s < offset) {
            status = statuses.next();
        }
        if a != e && status != Some(offset) {
            return Some(offset);
        }
    }
    if length == echoed.len() { None } else { Some(length.min(echoed.len()).min(KEPT_BODY)) }
}

/// Offsets of the status octets: the last octet of every command.
struct Statuses<'a> {
    walk: Walk<'a>,
    items: Option<super::object::header::Items<'a>>,
}

impl<'a> Statuses<'a> {
    fn new(body: &'a [u8]) -> Statuses<'a> {
        Statuses { walk: Walk::new(body, function::RESPONSE), items: None }
    }
}

impl Iterator for Statuses<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        loop {
            let item = self.items.as_mut().and_then(Iterator::next);
            if let Some(item) = item {
                return Some(item.offset + item.octets.len().saturating_sub(1));
            }
            let header = self.walk.next()?.ok()?;
            self.items = carries_status(&header).then(|| header.items());
        }
    }
}

fn carries_status(header: &ObjectHeader<'_>) -> bool {
    matches!((header.group, header.variation), (12, 1 | 2) | (41, _))
}
