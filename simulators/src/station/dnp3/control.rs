//! Select and operate: an operate counts only with the number after its select, the same objects, and in
//! time.

use super::super::points::{Target, crob};
use super::super::{View, effect};
use super::function as fc;
use super::outstation::{Outcome, Outstation};
use super::session::Selected;
use crate::grid::Quantity;

/// Command status codes.
const TIMEOUT: u8 = 1;
const NO_SELECT: u8 = 2;
const NOT_SUPPORTED: u8 = 4;

impl Outstation {
    /// Answer to a control request: the objects again with their status, and what they do.
    pub(super) fn control(
        &mut self,
        session: usize,
        function: u8,
        sequence: u8,
        objects: &[u8],
        now_ns: u64,
        outcome: &mut Outcome,
    ) -> Result<Vec<u8>, u8> {
        let Some(blocks) = parse(objects) else { return Err(super::iin::PARAMETER) };
        let refused =
            (function == fc::OPERATE).then(|| self.refusal(session, sequence, objects, now_ns)).flatten();
        let mut answer = objects.to_vec();
        let mut all_right = true;
        for block in &blocks {
            let status = refused.unwrap_or_else(|| self.status(block));
            answer[block.status_at] = status;
            all_right &= status == 0;
            if status == 0 && function != fc::SELECT {
                self.execute(block, outcome);
            }
        }
        let selected = (function == fc::SELECT && all_right).then(|| Selected {
            sequence,
            objects: objects.to_vec(),
            until_ns: now_ns + self.select_timeout_ns,
        });
        self.sessions[session].selected = selected;
        Ok(answer)
    }

    fn refusal(&self, session: usize, sequence: u8, objects: &[u8], now_ns: u64) -> Option<u8> {
        let Some(selected) = &self.sessions[session].selected else { return Some(NO_SELECT) };
        if selected.sequence.wrapping_add(1) & 15 != sequence || selected.objects != objects {
            return Some(NO_SELECT);
        }
        (now_ns > selected.until_ns).then_some(TIMEOUT)
    }

    fn status(&self, block: &Block) -> u8 {
        let supported = match block.form {
            Form::Crob { code } => {
                self.points.outputs.get(block.index).is_some_and(|target| crob(*target, code).is_some())
            }
            Form::Analog { .. } => block.index < self.points.settings.len(),
        };
        if supported { 0 } else { NOT_SUPPORTED }
    }

    fn execute(&mut self, block: &Block, outcome: &mut Outcome) {
        match block.form {
            Form::Crob { code } => match crob(self.points.outputs[block.index], code) {
                Some(Ok(control)) => outcome.effects.push(effect(control, self.prng.next_u64())),
                Some(Err((latch, on))) => self.latches[latch] = on,
                None => {}
            },
            Form::Analog { value } => self.points.settings[block.index] = value,
        }
    }

    /// State reported for a binary output.
    pub(super) fn output_state(&self, index: usize, view: &View<'_>) -> bool {
        match self.points.outputs[index] {
            Target::Breaker(breaker) => view.value(Quantity::Closed(breaker)) > 0.5,
            Target::Latch(latch) => self.latches[latch],
            Target::Step(..) => false,
        }
    }
}

struct Block {
    index: usize,
    form: Form,
    /// Where its status octet is.
    status_at: usize,
}

enum Form {
    Crob { code: u8 },
    Analog { value: f64 },
}

/// Headers of group 12 variation 1 and group 41 variations 1 and 3 with index prefixes of one or two
/// octets.
fn parse(objects: &[u8]) -> Option<Vec<Block>> {
    let mut blocks = Vec::new();
    let mut at = 0;
    while at < objects.len() {
        let (group, variation) = (*objects.get(at)?, *objects.get(at + 1)?);
        let wide = match objects.get(at + 2)? {
            0x17 => 1,
            0x28 => 2,
            _ => return None,
        };
        let number = |at: usize| {
            objects.get(at..at + wide).map(|b| b.iter().rev().fold(0_usize, |n, o| n << 8 | usize::from(*o)))
        };
        let count = number(at + 3)?;
        at += 3 + wide;
        for _ in 0..count {
            let index = number(at)?;
            at += wide;
            let size = match (group, variation) {
                (12, 1) => 11,
                (41, 1 | 3) => 5,
                _ => return None,
            };
            let body = objects.get(at..at + size)?;
            let raw = [body[0], body[1], body[2], body[3]];
            let form = match (group, variation) {
                (12, _) => Form::Crob { code: body[0] },
                (_, 1) => Form::Analog { value: f64::from(i32::from_le_bytes(raw)) },
                _ => Form::Analog { value: f64::from(f32::from_le_bytes(raw)) },
            };
            at += size;
            blocks.push(Block { index, form, status_at: at - 1 });
        }
    }
    (!blocks.is_empty()).then_some(blocks)
}
