//! Every type with a fixed layout.

use super::{Book, Said, asdu, time};
use crate::encode::iec104::{Element, TYPES, TypeRow, cause, element};
use crate::wire::Side;

fn is_control(id: u8) -> bool {
    matches!(id, 45..=64 | 100..=113 | 122 | 124 | 127)
}

/// The cause that goes with a type when a station reports it.
fn reported(id: u8) -> u8 {
    match id {
        70 => cause::INITIALISED,
        120..=126 => 13,
        9 | 11 | 13 | 21 => cause::PERIODIC,
        20 => cause::INTERROGATED,
        15 | 16 | 37 => cause::COUNTERS,
        _ => cause::SPONTANEOUS,
    }
}

fn asked(id: u8) -> u8 {
    match id {
        102 => cause::REQUEST,
        122 | 124 | 127 => 13,
        _ => cause::ACTIVATION,
    }
}

fn elements(row: &TypeRow, index: usize) -> Vec<Element> {
    row.2.iter().map(|kind| element(*kind, index, time(index))).collect()
}

/// Addresses neither in order nor next to each other, as events come.
const SCATTERED: [u32; 5] = [7, 70_000, 1, 0x00ff_ffff, 300];

/// Five objects of each type of the monitoring direction, in both forms; one; and as many as fit.
pub(super) fn monitoring(book: &mut Book) {
    for row in TYPES.iter().filter(|row| !is_control(row.0)) {
        let (id, name, layout) = *row;
        let scattered: Vec<_> = SCATTERED.iter().enumerate().map(|(i, a)| (*a, elements(row, i))).collect();
        let side = Side::Server;
        book.one(format!("{name} SQ 0"), side, asdu(id, reported(id), &scattered));
        for (sample, object) in scattered.iter().enumerate() {
            let one = std::slice::from_ref(object);
            book.one(format!("{name} one object {sample}"), side, asdu(id, reported(id), one));
        }
        let row_of: Vec<_> = (0..5).map(|i| (1300 + i as u32, elements(row, i))).collect();
        let (mut sequence, content) = asdu(id, reported(id), &row_of);
        sequence.sequence = true;
        book.one(format!("{name} SQ 1"), side, (sequence, content));
        let size: usize = layout.iter().map(|kind| kind.size()).sum();
        for (form, each, head) in [(false, size + 3, 6), (true, size, 9)] {
            let count = ((249 - head) / each).min(127);
            let many: Vec<_> = (0..count).map(|i| (0x0001_0000 + i as u32, elements(row, i))).collect();
            let (mut full, content) = asdu(id, reported(id), &many);
            full.sequence = form;
            book.one(format!("{name} full, SQ {}", u8::from(form)), side, (full, content));
        }
    }
}

/// Each type of the control direction: asked, confirmed, terminated; and refused. And several objects in
/// both forms, which a reader must take although stations do not send them.
pub(super) fn control(book: &mut Book) {
    for row in TYPES.iter().filter(|row| is_control(row.0)) {
        let (id, name, _) = *row;
        for (index, scattered) in SCATTERED.into_iter().enumerate() {
            // System commands have no object: address 0.
            let address = if matches!(id, 100..=101 | 103..=107) { 0 } else { scattered };
            let object = [(address, elements(row, index))];
            let (act, content) = asdu(id, asked(id), &object);
            let mut said = vec![Said::Asdu(Side::Client, act.clone(), content.clone())];
            if matches!(id, 45..=64 | 100 | 101) {
                for cause in [cause::ACTIVATION_CON, cause::TERMINATION] {
                    said.push(Said::Asdu(Side::Server, act.answer(cause, false), content.clone()));
                }
            } else if !matches!(id, 102 | 122 | 124 | 127) {
                said.push(Said::Asdu(Side::Server, act.answer(cause::ACTIVATION_CON, false), content));
            }
            book.add(format!("{name} {index}"), said);
        }
        let object = [(300, elements(row, 0))];
        let (act, content) = asdu(id, asked(id), &object);
        for refusal in [7, 44, 45, 46, 47] {
            let said = vec![
                Said::Asdu(Side::Client, act.clone(), content.clone()),
                Said::Asdu(Side::Server, act.answer(refusal, true), content.clone()),
            ];
            book.add(format!("{name} refused with {refusal}"), said);
        }
        let several: Vec<_> = (0..3).map(|i| (500 + i as u32, elements(row, i))).collect();
        for form in [false, true] {
            let (mut act, content) = asdu(id, asked(id), &several);
            act.sequence = form;
            book.one(format!("{name} several, SQ {}", u8::from(form)), Side::Client, (act, content));
        }
    }
}

/// Every cause that the standard names, on a type that may have it.
pub(super) fn causes(book: &mut Book) {
    let row = |id: u8| TYPES.iter().find(|row| row.0 == id);
    for (id, causes) in [(1_u8, vec![2, 3, 5, 11, 12]), (1, (20..=36).collect()), (15, (37..=41).collect())] {
        let Some(row) = row(id) else { continue };
        for cause in causes {
            let object = [(300, elements(row, 0))];
            book.one(format!("{} cause {cause}", row.1), Side::Server, asdu(id, cause, &object));
        }
    }
    let Some(command) = row(45) else { return };
    let object = [(300, elements(command, 1))];
    for (side, cause) in [(Side::Client, cause::DEACTIVATION), (Side::Server, cause::DEACTIVATION_CON)] {
        book.one(format!("C_SC_NA_1 cause {cause}"), side, asdu(45, cause, &object));
    }
}
